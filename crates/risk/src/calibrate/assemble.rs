//! From estimates to parameters.

use anyhow::{ensure, Context, Result};
use ballast_engine::risk::{
    gap_bps, AdlParams, LadderStep, RiskParams, RiskTier, MOST_LIQUIDATION_COST_BPS,
};
use ballast_engine::units::MAX_LOTS;

use super::liquidity::{LADDER_INTERVAL_SLOTS, SLOT_SECONDS};
use super::margins::{Loss, Margins};
use super::oracle::Observed;
use super::scaling::Swings;
use super::sheet::{Parameter, Sheet, Wanted};
use super::{Request, LONGEST_HORIZON};
use crate::bootstrap::Interval;
use crate::units::{MarketUnits, ATOMS_PER_USD};

pub(super) const ONE: f64 = 10_000.;
/// Margins are rounded up to multiples of this, basis points.
const GRAIN: i64 = 5;
/// Horizon of initial margin, seconds.
pub(super) const INITIAL_HORIZON: f64 = 8. * 3_600.;
const TAKER_FEE: i64 = 5;
const LIQUIDATION_FEE: i64 = 50;
const PRICE_AGE: u64 = 10;
/// Funding brings the price back over this many hours.
const FUNDING_HOURS: f64 = 8.;
const FUNDING_RATE: i32 = 12;
/// Least worth of a position, US dollars.
const LEAST_POSITION_USD: u64 = 10;
/// No tier reaches farther.
const LARGEST_POSITION_USD: f64 = 1e9;
/// Insurance covers moves ten times as rare as maintenance margin does.
const RARER: f64 = 10.;
const POLICY: &str = "policy: nothing in prices decides it";

/// What parameters are made from.
pub(super) struct Making<'a> {
    pub(super) request: &'a Request,
    pub(super) margins: &'a Margins<'a>,
    pub(super) sheet: Sheet,
    pub(super) params: RiskParams,
    pub(super) atoms_per_lot: f64,
}

/// All parameters, accepted by the engine.
pub(super) fn assemble(
    request: &Request,
    margins: &Margins<'_>,
    (observed, swings): (&Observed, &Swings),
    units: MarketUnits,
    price_nano: i64,
) -> Result<(RiskParams, Vec<Parameter>)> {
    let mut making = Making {
        request,
        margins,
        sheet: Sheet::default(),
        params: policy(),
        atoms_per_lot: units.atoms_per_lot(price_nano)? as f64,
    };
    let first = making.liquidation()?;
    making.tiers(first)?;
    making.ladder()?;
    making.caps(units.lots_worth(LEAST_POSITION_USD, price_nano)?)?;
    making.observed(observed)?;
    making.scaling(swings)?;
    making.rest();
    let accepted = making.params.check(Some(ATOMS_PER_USD));
    accepted.map_err(|breach| {
        anyhow::anyhow!(
            "no parameters within the engine's bounds follow from these prices: {breach}; {}",
            breach.error
        )
    })?;
    Ok((making.params, making.sheet.parameters))
}

/// What nothing in prices decides.
fn policy() -> RiskParams {
    RiskParams {
        discount_ramp_slots: 150,
        discount_full_ratio_bps: 5_000,
        liquidation_buffer_bps: 1_000,
        taker_fee_bps: 5,
        insurance_fee_share_bps: 2_000,
        funding_rate_ppm_per_hour: FUNDING_RATE,
        insurance_draw_cap_bps: 10_000,
        insurance_window_slots: 9_000,
        oracle_max_conf_bps: 200,
        adl: AdlParams {
            rank_tolerance_bps: 500,
            max_close_bps: 5_000,
            min_profit_bps: 10,
            grace_slots: 150,
            reward_atoms: ATOMS_PER_USD,
            ..AdlParams::default()
        },
        keeper_fee_atoms: ATOMS_PER_USD / 10,
        book_reward_bps: 10,
        divergence_grace_seconds: 30,
        ..RiskParams::default()
    }
}

/// Up to a multiple of the grain.
fn rounded_up(bps: f64) -> i64 {
    let grain = GRAIN as f64;
    ((bps / grain - 1e-9).ceil() * grain) as i64
}

pub(super) fn in_bps(interval: Interval, plus: f64) -> Interval {
    Interval {
        low: interval.low * ONE + plus,
        high: interval.high * ONE + plus,
    }
}

impl Making<'_> {
    /// Discounts and fee. Returns the loss of the first tier.
    fn liquidation(&mut self) -> Result<Loss> {
        let horizon = self.request.horizon();
        let loss = self.margins.loss(horizon, self.request.level);
        let half_spread = self.request.liquidity.half_spread_bps;
        let volatility = |seconds: f64| self.margins.second() * seconds.sqrt() * ONE;
        let interval = LADDER_INTERVAL_SLOTS as f64 * SLOT_SECONDS;
        let first = half_spread + 0.5 * volatility(interval);
        let last = half_spread + volatility(horizon / 3.);
        // Discount and fee take at most half of the first tier's maintenance margin, which holds both.
        let gap = f64::from(gap_bps(PRICE_AGE));
        let fee = LIQUIDATION_FEE as f64;
        let room = (loss.loss * ONE + TAKER_FEE as f64).max(gap / 2.);
        let room = room.min(f64::from(MOST_LIQUIDATION_COST_BPS)) - fee;
        ensure!(
            room >= 0.,
            "a liquidation fee of {fee} basis points leaves no room for a discount"
        );
        let wanted = Wanted {
            value: last.ceil().min(room.floor()) as i64,
            unit: "bps",
            estimate: Some(last),
            interval: None,
            rule: if last.ceil() > room.floor() {
                "what half of the first maintenance margin leaves beside the fee".to_owned()
            } else {
                "half spread, and volatility of now over a third of the horizon".to_owned()
            },
        };
        let most = self.sheet.write("liquidation_discount_max_bps", wanted);
        let wanted = Wanted {
            value: (first.ceil() as i64).min(most),
            unit: "bps",
            estimate: Some(first),
            interval: None,
            rule: "half spread, and half of the volatility between two steps of the ladder"
                .to_owned(),
        };
        let least = self.sheet.write("liquidation_discount_bps", wanted);
        let fee = Wanted::policy(LIQUIDATION_FEE, "bps", POLICY);
        let fee = self.sheet.write("liquidation_fee_bps", fee);
        self.params.liquidation_discount_bps = u32::try_from(least)?;
        self.params.liquidation_discount_max_bps = u32::try_from(most)?;
        self.params.liquidation_fee_bps = u32::try_from(fee)?;
        Ok(loss)
    }

    /// Horizons at which a lot of each tier is closed at the latest: doubling, and an hour at the end. One in
    /// which no more is closed than in the one before makes no tier.
    fn horizons(&self) -> Vec<f64> {
        let first = self.request.horizon();
        let mut all: Vec<f64> = [1., 2., 4.].map(|times| times * first).to_vec();
        all.retain(|seconds| *seconds < LONGEST_HORIZON);
        all.push(LONGEST_HORIZON);
        all.dedup_by_key(|seconds| self.closed_within(*seconds));
        all
    }

    /// What the market takes within so many seconds, atoms, as far as a position may be that large.
    fn closed_within(&self, seconds: f64) -> i64 {
        let usd = self.request.liquidity.closed_within(seconds);
        let atoms = usd.min(LARGEST_POSITION_USD) * ATOMS_PER_USD as f64;
        atoms.floor() as i64
    }

    fn tiers(&mut self, first: Loss) -> Result<()> {
        let costs = self.params.liquidation_discount_max_bps + self.params.liquidation_fee_bps;
        let costs = f64::from(costs) + TAKER_FEE as f64;
        let gap = i64::from(gap_bps(PRICE_AGE));
        let open = self
            .margins
            .loss(INITIAL_HORIZON, self.request.initial_level);
        let (mut maintenance, mut initial) = (gap, 0);
        for (place, seconds) in self.horizons().into_iter().enumerate() {
            let loss = if place == 0 {
                first
            } else {
                self.margins.loss(seconds, self.request.level)
            };
            let estimate = loss.loss * ONE + costs;
            let wanted = rounded_up(estimate);
            let rule = if wanted >= maintenance {
                format!("{}, with discount, fee and taker fee", loss.rule())
            } else if place == 0 {
                "the gap: a price may be 10 seconds old".to_owned()
            } else {
                "as the tier before".to_owned()
            };
            let name = |field: &str| format!("tiers[{place}].{field}");
            let limit = self.closed_within(seconds);
            let limit = Wanted {
                value: limit,
                unit: "atoms",
                estimate: Some(limit as f64),
                interval: None,
                rule: format!("what the market takes within {seconds:.0} s of the breach"),
            };
            let limit = self.sheet.write(name("notional_limit_atoms"), limit);
            maintenance = self.sheet.write(
                name("maintenance_margin_bps"),
                Wanted {
                    value: wanted.max(maintenance),
                    unit: "bps",
                    estimate: Some(estimate),
                    interval: Some(in_bps(loss.interval, costs)),
                    rule,
                },
            );
            let quantile = rounded_up(open.loss * ONE);
            let rules = [
                (2 * maintenance, "twice maintenance margin".to_owned()),
                (quantile, open.rule()),
                (maintenance + gap, "maintenance margin and a gap".to_owned()),
                (initial, "as the tier before".to_owned()),
            ];
            // Of equals the first.
            let largest = rules.into_iter().rev().max_by_key(|(value, _)| *value);
            let (value, rule) = largest.context("there are rules")?;
            initial = self.sheet.write(
                name("initial_margin_bps"),
                Wanted {
                    value,
                    unit: "bps",
                    estimate: Some(open.loss * ONE),
                    interval: Some(in_bps(open.interval, 0.)),
                    rule,
                },
            );
            self.params.tiers[place] = RiskTier {
                notional_limit_atoms: u64::try_from(limit)?,
                initial_margin_bps: u32::try_from(initial)?,
                maintenance_margin_bps: u32::try_from(maintenance)?,
            };
            self.params.tier_count = u32::try_from(place + 1)?;
        }
        Ok(())
    }

    /// Of the largest position the first step closes what the book takes at once, the second twice that.
    fn ladder(&mut self) -> Result<()> {
        let largest = self.request.liquidity.closed_within(LONGEST_HORIZON);
        let part = self.request.liquidity.depth_usd / largest * ONE;
        let rule = "the part of the largest position that the book takes at once";
        let twice = "twice the step before";
        let steps = [
            (6_667, part, rule),
            (3_333, 2. * part, twice),
            (0, ONE, "everything"),
        ];
        for (place, (above, close, rule)) in steps.into_iter().enumerate() {
            let close = close.min(ONE);
            let wanted = Wanted {
                value: (close / 100.).floor() as i64 * 100,
                unit: "bps",
                estimate: Some(close),
                interval: None,
                rule: rule.to_owned(),
            };
            let close = self
                .sheet
                .write(format!("ladder[{place}].close_bps"), wanted);
            self.params.ladder[place] = LadderStep {
                above_ratio_bps: above,
                close_bps: u32::try_from(close)?,
            };
            self.params.ladder_count = u32::try_from(place + 1)?;
        }
        let wanted = Wanted::policy(i64::try_from(LADDER_INTERVAL_SLOTS)?, "slots", POLICY);
        let interval = self.sheet.write("ladder_interval_slots", wanted);
        self.params.ladder_interval_slots = u64::try_from(interval)?;
        Ok(())
    }

    fn lots(&self, usd: f64) -> i64 {
        (usd * ATOMS_PER_USD as f64 / self.atoms_per_lot).floor() as i64
    }

    /// Insurance, and the largest position and open interest.
    fn caps(&mut self, least_lots: u64) -> Result<()> {
        let request = self.request;
        let level = 1. - (1. - request.level) / RARER;
        let rare = self.margins.loss(request.horizon(), level);
        let maintenance = f64::from(self.params.tiers[0].maintenance_margin_bps) / ONE;
        // Lost beyond maintenance margin, part of the open interest.
        let deficit = |loss: f64| request.at_risk_part * (loss - maintenance).max(0.);
        let atoms = |loss: f64| deficit(loss) * request.open_interest_usd * ATOMS_PER_USD as f64;
        let interval = Interval {
            low: atoms(rare.interval.low),
            high: atoms(rare.interval.high),
        };
        let rule = format!(
            "{}% of the open interest at maintenance margin, and {}",
            100. * request.at_risk_part,
            rare.rule()
        );
        self.sheet.write(
            "insurance",
            Wanted {
                value: atoms(rare.loss).ceil() as i64,
                unit: "atoms",
                estimate: Some(atoms(rare.loss)),
                interval: Some(interval),
                rule,
            },
        );
        let floor = Wanted {
            value: interval.low.ceil() as i64,
            unit: "atoms",
            estimate: Some(atoms(rare.loss)),
            interval: Some(interval),
            rule: "the lower end of the insurance that is wanted".to_owned(),
        };
        let floor = self.sheet.write("stake_floor_atoms", floor);
        self.params.stake_floor_atoms = u64::try_from(floor)?;
        self.open_interest(deficit(rare.loss))?;
        self.position(least_lots)
    }

    /// The open interest that was asked for, or less.
    fn open_interest(&mut self, deficit: f64) -> Result<()> {
        let request = self.request;
        let mut caps = vec![(
            request.open_interest_usd,
            "the open interest that was asked for",
        )];
        if let Some(insurance) = request.insurance_usd.filter(|_| deficit > 0.) {
            caps.push((insurance / deficit, "what the insurance at hand covers"));
        }
        if let Some(depth) = request.spot_depth_usd {
            // Whoever holds the open interest wins `interest * x` by moving the index by `x`, and pays
            // `depth * x^2 / 2` there and back and its fees twice: never worth it up to this.
            let fee = TAKER_FEE as f64 / ONE;
            let cap = 4. * fee * 100. * depth;
            caps.push((cap, "beyond it moving the index pays"));
        }
        let (usd, rule) = caps
            .into_iter()
            .min_by(|(a, _), (b, _)| a.total_cmp(b))
            .context("there are caps")?;
        let wanted = Wanted {
            value: self.lots(usd),
            unit: "lots",
            estimate: Some(usd * ATOMS_PER_USD as f64 / self.atoms_per_lot),
            interval: None,
            rule: rule.to_owned(),
        };
        let lots = self.sheet.write("max_open_interest_lots", wanted);
        self.params.max_open_interest_lots = u64::try_from(lots)?;
        Ok(())
    }

    fn position(&mut self, least_lots: u64) -> Result<()> {
        let usd = self.request.liquidity.closed_within(LONGEST_HORIZON);
        let interest = i64::try_from(self.params.max_open_interest_lots)?;
        let (lots, rule) = if self.lots(usd) <= interest {
            (
                self.lots(usd),
                "what is closed within an hour: the last tier",
            )
        } else {
            (interest, "the largest open interest")
        };
        let wanted = Wanted {
            value: lots.min(i64::try_from(MAX_LOTS)?),
            unit: "lots",
            estimate: Some(usd * ATOMS_PER_USD as f64 / self.atoms_per_lot),
            interval: None,
            rule: rule.to_owned(),
        };
        let most = self.sheet.write("max_position_lots", wanted);
        let least = Wanted {
            value: i64::try_from(least_lots)?.min(most / 100),
            ..Wanted::policy(0, "lots", "worth $10, or a hundredth of the largest")
        };
        let least = self.sheet.write("min_position_lots", least);
        self.params.max_position_lots = u64::try_from(most)?;
        self.params.min_position_lots = u64::try_from(least)?;
        Ok(())
    }

    /// What the prices say of their source.
    fn observed(&mut self, observed: &Observed) -> Result<()> {
        let twice = |what: &str| format!("twice what 99.9% of {what} stay below");
        let wanted = |estimate: f64, unit, rule: String| Wanted {
            value: estimate.ceil() as i64,
            unit,
            estimate: Some(estimate),
            interval: None,
            rule,
        };
        let band = wanted(
            2. * observed.step_move * ONE,
            "bps",
            twice("the moves of a step"),
        );
        let band = self.sheet.write("price_band_bps", band);
        let distances = twice("the distances from the average");
        let divergence = wanted(2. * observed.divergence * ONE, "bps", distances.clone());
        let divergence = self
            .sheet
            .write("oracle_max_ema_divergence_bps", divergence);
        let age = wanted(
            2. * observed.update_gap,
            "seconds",
            twice("the times between prices"),
        );
        let age = self.sheet.write("oracle_max_age_seconds", age);
        let hourly = 2. * observed.divergence * 1e6 / FUNDING_HOURS;
        let rule = format!("{distances}, paid back in {FUNDING_HOURS} hours");
        let mut funding = wanted(hourly, "ppm/h", rule);
        funding.value = funding.value.max(FUNDING_RATE.into());
        let funding = self.sheet.write("max_funding_rate_ppm", funding);
        let depth = self.request.liquidity.depth_usd * ATOMS_PER_USD as f64;
        let impact = wanted(depth, "atoms", "what the book takes at once".to_owned());
        let impact = self.sheet.write("impact_notional_atoms", impact);
        self.params.price_band_bps = u32::try_from(band)?;
        self.params.oracle_max_ema_divergence_bps = u32::try_from(divergence)?;
        self.params.oracle_max_age_seconds = u64::try_from(age)?;
        self.params.max_funding_rate_ppm = u32::try_from(funding)?;
        self.params.impact_notional_atoms = u64::try_from(impact)?;
        self.params.price_age_seconds = u32::try_from(PRICE_AGE.min(u64::try_from(age)?))?;
        Ok(())
    }

    /// Writes down what was decided without the data.
    fn rest(&mut self) {
        for (name, value) in crate::file::numbers(&self.params) {
            let is_written = |parameter: &Parameter| parameter.name == name;
            if !self.sheet.parameters.iter().any(is_written) {
                let unit = unit(&name);
                let value = i64::try_from(value).unwrap_or(i64::MAX);
                self.sheet.write(name, Wanted::policy(value, unit, POLICY));
            }
        }
    }
}

/// The unit that the name of a parameter ends with.
fn unit(name: &str) -> &'static str {
    let units = ["bps", "slots", "atoms", "seconds", "lots"];
    let of = units.into_iter().find(|unit| name.ends_with(unit));
    of.unwrap_or("ppm/h")
}
