//! What a history happens in: parameters, prices, time.

use ballast_engine::risk::{RiskParams, RiskTier};

use super::{holders, Generator};
use crate::model::{Model, Quoted};
use crate::operation::Operation;

impl Generator {
    /// Parameters for a market, valid ones.
    pub fn risk(&mut self, usual: &RiskParams) -> RiskParams {
        let pick = &mut self.pick;
        let mut risk = *usual;
        if pick.percent(40) {
            for (tier, limit) in risk.tiers.iter_mut().zip([1_000, 4_000, 40_000]) {
                *tier = RiskTier {
                    notional_limit_atoms: limit * 1_000_000,
                    ..*tier
                };
            }
        }
        risk.price_age_seconds = pick.one(&[0, 5, 15, 15]);
        if risk.price_age_seconds == 15 {
            let [least, ..] = &mut risk.tiers;
            (least.initial_margin_bps, least.maintenance_margin_bps) = (650, 320);
        }
        risk.ladder_count = pick.one(&[0, 2, 3, 3]);
        for step in &mut risk.ladder[usize::try_from(risk.ladder_count).expect("small")..] {
            *step = Default::default();
        }
        risk.ladder_interval_slots = pick.one(&[0, 10, 50, 50]);
        risk.min_position_lots = pick.one(&[1, 10, 100]);
        risk.max_position_lots = pick.one(&[12_000, 100_000_000]);
        risk.max_open_interest_lots = pick.one(&[40_000, 1_000_000_000]);
        risk.liquidation_discount_bps = pick.one(&[0, 25, 75]);
        risk.liquidation_discount_max_bps = pick.one(&[75, 75, 120]);
        risk.discount_ramp_slots = pick.one(&[0, 7, 150]);
        risk.discount_full_ratio_bps = pick.one(&[0, 1, 5_000, 5_000, 9_999]);
        // Half of the least maintenance margin of any set of these, 250.
        let most = 125 - risk.liquidation_discount_max_bps;
        risk.liquidation_fee_bps = pick.one(&[0, most]);
        risk.liquidation_buffer_bps = pick.one(&[0, 1_000, 10_000]);
        risk.price_band_bps = pick.one(&[100, 500, 3_000]);
        risk.taker_fee_bps = pick.one(&[0, 5, 5, 100]);
        let rebate = match risk.taker_fee_bps {
            0 => 0,
            _ => pick.one(&[-2, -5]),
        };
        risk.maker_fee_bps = pick.one(&[rebate, 0, 2]);
        risk.insurance_fee_share_bps = pick.one(&[0, 2_000, 10_000]);
        risk.funding_rate_ppm_per_hour = pick.one(&[0, 12, -700, 10_000, -10_000]);
        risk.insurance_draw_cap_bps = pick.one(&[100, 1_000, 5_000, 10_000]);
        risk.insurance_window_slots = pick.one(&[150, 160, 9_000]);
        if risk.insurance_draw_cap_bps < 10_000 {
            risk.insurance_resume_bps = match risk.insurance_fee_share_bps {
                0 => 0,
                2_000 => risk.insurance_draw_cap_bps / 2,
                _ => risk.insurance_draw_cap_bps - 1,
            };
        }
        risk.stake_income_bps = pick.one(&[0, 3_333, 10_000]);
        risk.stake_floor_atoms = pick.one(&[0, 5_000_000, 60_000_000, 300_000_000]);
        risk.divergence_grace_seconds = pick.one(&[0, 10, 10, 45]);
        risk.adl.rank_tolerance_bps = pick.one(&[0, 0, 1, 100, 500, 1_000]);
        risk.adl.max_close_bps = pick.one(&[500, 700, 2_500, 5_000, 10_000]);
        risk.adl.min_profit_bps = pick.one(&[0, 10, 100, 1_000]);
        risk.adl.grace_slots = pick.one(&[0, 5, 150]);
        risk.adl.reward_atoms = pick.one(&[0, 777, 1_000_000]);
        risk.margin_multiplier_max_bps = pick.one(&[0, 10_000, 15_000, 30_000, 50_000]);
        (risk.open_interest_lower_bps, risk.open_interest_upper_bps) =
            pick.one(&[(0, 0), (0, 0), (0, 30_000), (2_000, 10_000), (5_000, 5_001)]);
        self.book_risk(&mut risk);
        if self.bookish {
            // Sides fill where much waits far from the mark.
            (risk.price_band_bps, risk.min_order_atoms) = (3_000, 1);
            risk.min_position_lots = 1;
        }
        risk
    }

    fn book_risk(&mut self, risk: &mut RiskParams) {
        let pick = &mut self.pick;
        risk.impact_notional_atoms = pick.one(&[0, 50_000_000, 100_000_000, 2_000_000_000]);
        let base = risk.funding_rate_ppm_per_hour.unsigned_abs();
        risk.max_funding_rate_ppm = pick.one(&[base, base.max(2_000), 10_000]);
        risk.keeper_fee_atoms = pick.one(&[0, 777, 100_000, 1_000_000]);
        risk.book_reward_bps = pick.one(&[0, 10, 100]);
        risk.min_order_atoms = pick.one(&[1, 1, 1, 20_000_000, 0]);
    }

    /// What the oracle publishes next: mostly a step, sometimes a crash, sometimes nonsense.
    pub fn quote(&mut self, model: &Model, market: usize) -> Operation {
        let start = if market == 0 { 200_000 } else { 400 };
        let now = i64::try_from(model.time).expect("a time");
        let before = i128::from(model.markets[market].quoted.ticks);
        let strayed = before > start * 6 || before < start / 6;
        let ticks = if strayed {
            self.pick.within(start / 2, start * 2)
        } else if let Some(weak) = self.weakening(model, market) {
            weak.clamp(before / 3, before * 3)
        } else {
            let most = match self.pick.weighted(&[55, 30, 15]) {
                0 => 200,
                1 => 1_200,
                _ => 5_000,
            };
            before + before * self.pick.within(-most, most) / 10_000
        };
        let ticks = match self.pick.weighted(&[995, 5]) {
            0 => ticks.max(1),
            _ => self
                .pick
                .one(&[0, 1, 715_827_882, 2_147_483_647, 2_147_483_648]),
        };
        let params = &model.markets[market].params;
        let widest = ticks * i128::from(params.oracle_max_conf_bps) / 10_000;
        let conf = match self.pick.weighted(&[60, 32, 4, 4]) {
            0 => 0,
            1 => self.pick.within(0, ticks / 400),
            2 => widest + 1,
            _ => widest + 2,
        };
        // Where a price is far from its average, the next ones often are too.
        let quoted = &model.markets[market].quoted;
        let far = quoted.ticks > quoted.ema.saturating_mul(6) / 5;
        let apart = if far { 40 } else { 1 };
        let ema = match self.pick.weighted(&[83, 10, 5, apart]) {
            0 => ticks,
            1 => before,
            3 => ticks * 3 / 4,
            _ => self.pick.within(ticks * 8 / 10, ticks * 13 / 10),
        };
        let time = now
            + match self.pick.weighted(&[94, 4, 2]) {
                0 => 0,
                1 => -i64::try_from(self.pick.within(0, 40)).expect("seconds"),
                _ => i64::try_from(self.pick.within(0, 40)).expect("seconds"),
            };
        let ticks_of = |number| u64::try_from(number).expect("not negative");
        Operation::Quote {
            market,
            quoted: Quoted {
                ticks: ticks_of(ticks),
                conf: ticks_of(conf),
                ema: ticks_of(ema),
                time,
            },
        }
    }

    /// Sometimes the price at which somebody has some part of the maintenance margin left.
    fn weakening(&mut self, model: &Model, market: usize) -> Option<i128> {
        if self.legged && self.pick.percent(30) {
            return self.weakening_of_legs(model, market);
        }
        let holders = holders(model, market);
        let trader = self.pick.some(&holders).filter(|_| self.pick.percent(22))?;
        let (held, now) = (model.held(market, trader), &model.markets[market]);
        let due = i128::from(now.params.tiers[0].maintenance_margin_bps);
        let part = due * self.pick.within(30, 100) / 100;
        let worth = held.bankruptcy() * 10_000 / (10_000 - held.sign() * part);
        Some(worth / (held.size() * now.atoms_per_tick))
    }

    /// How time goes on: by a little, much of an hour or more, to about its end.
    pub fn advance(&mut self, model: &Model) -> Operation {
        let left = 3_600 - model.time.rem_euclid(3_600);
        let to_hour = left + self.pick.within(-1, 1);
        let to_hour = u32::try_from(to_hour).expect("seconds of an hour");
        let (slots, seconds) = self.pick.one(&[
            (1, 0),
            (3, 1),
            (12, 5),
            (12, 5),
            (40, 16),
            (80, 31),
            (160, 25),
            (12, 1_100),
            (3, to_hour),
            (9_000, 3_600),
        ]);
        Operation::Advance { slots, seconds }
    }
}
