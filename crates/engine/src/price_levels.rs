//! The prices at which a position changes hands: where it is liquidated, where it is bankrupt,
//! and how far it is from there.
//!
//! Nothing here decides anything on chain; the levels are those at which
//! [`crate::liquidation::health`] turns, found by bisection on it.

use crate::error::EngineError;
use crate::liquidation::{health, Health};
use crate::margin::maintenance_margin;
use crate::math::mul_div_floor_signed;
use crate::position::Position;
use crate::risk::RiskParams;
use crate::units::{Atoms, LotPrice, Side, Ticks, BPS_ONE, MAX_LOT_PRICE};

/// Equity over maintenance margin at `mark`, basis points, rounded down: below 10,000 the position
/// may be liquidated, below 0 it is bankrupt. `i64::MAX` stands for anything above it. `None` for
/// an empty position. Funding must have been settled.
///
/// Errors: `RiskTiers`, `Overflow`.
pub fn margin_ratio_bps(
    position: &Position,
    mark: LotPrice,
    params: &RiskParams,
) -> Result<Option<i64>, EngineError> {
    if position.is_empty() {
        return Ok(None);
    }
    let equity = position.equity(mark)?;
    let maintenance = maintenance_margin(params, position.notional(mark)?)?;
    ratio_bps(equity, maintenance)
}

/// `equity` over `maintenance` (atoms), as [`margin_ratio_bps`] has it. `None` without maintenance.
///
/// Errors: `Overflow` of a deficit.
pub fn ratio_bps(equity: Atoms, maintenance: u64) -> Result<Option<i64>, EngineError> {
    if maintenance == 0 {
        return Ok(None);
    }
    match mul_div_floor_signed(equity.get(), BPS_ONE, maintenance) {
        Err(EngineError::Overflow) if !equity.is_negative() => Ok(Some(i64::MAX)),
        ratio => ratio.map(Some),
    }
}

/// The first price that makes a position liquidable: the highest tick at which a long is below
/// maintenance margin, the lowest for a short. `None` for an empty position and where no price
/// does. Funding must have been settled; what it will be is left out.
///
/// Errors: `PriceOutOfRange` for a tick of no or too many atoms, `RiskTiers`, `Overflow`.
pub fn liquidation_price(
    position: &Position,
    params: &RiskParams,
    atoms_per_lot_tick: u64,
) -> Result<Option<Ticks>, EngineError> {
    let Some(side) = position.side() else {
        return Ok(None);
    };
    let last = last_tick(atoms_per_lot_tick)?;
    let unhealthy = |ticks: u64| -> Result<bool, EngineError> {
        let mark = Ticks::new(ticks).lot_price(atoms_per_lot_tick)?;
        Ok(health(position, mark, params)? != Health::Healthy)
    };
    // Equity moves by the lots a tick and maintenance by no more, so there is one turn.
    let found = match side {
        Side::Long => first_where(last, |ticks| Ok(!unhealthy(ticks)?))?.checked_sub(1),
        Side::Short => first_where(last, unhealthy).map(Some)?,
    };
    Ok(found
        .filter(|ticks| (1..=last).contains(ticks))
        .map(Ticks::new))
}

/// The worst price at which closing every lot leaves no deficit: the lowest such tick for a long,
/// the highest for a short. `None` for an empty position, and where every price or no price leaves
/// one. Funding must have been settled.
///
/// Errors: `PriceOutOfRange` for a tick of no or too many atoms.
pub fn bankruptcy_price(
    position: &Position,
    atoms_per_lot_tick: u64,
) -> Result<Option<Ticks>, EngineError> {
    let Some(side) = position.side() else {
        return Ok(None);
    };
    let last = last_tick(atoms_per_lot_tick)?;
    let solvent = |ticks: u64| -> Result<bool, EngineError> {
        let price = Ticks::new(ticks).lot_price(atoms_per_lot_tick)?;
        Ok(position.is_solvent_at(price))
    };
    let found = match side {
        // The first solvent one, with an insolvent one below it.
        Side::Long => {
            Some(first_where(last, solvent)?).filter(|ticks| *ticks > 1 && *ticks <= last)
        }
        // The one below the first insolvent one, which exists.
        Side::Short => Some(first_where(last, |ticks| Ok(!solvent(ticks)?))?)
            .filter(|ticks| *ticks <= last)
            .and_then(|ticks| ticks.checked_sub(1))
            .filter(|ticks| *ticks > 0),
    };
    Ok(found.map(Ticks::new))
}

/// The highest price in ticks.
fn last_tick(atoms_per_lot_tick: u64) -> Result<u64, EngineError> {
    MAX_LOT_PRICE
        .checked_div(atoms_per_lot_tick)
        .filter(|ticks| *ticks > 0)
        .ok_or(EngineError::PriceOutOfRange)
}

/// The first of `1..=last` at which `holds`, which holds from there on; `last + 1` where it never
/// does.
fn first_where(
    last: u64,
    holds: impl Fn(u64) -> Result<bool, EngineError>,
) -> Result<u64, EngineError> {
    // At most 31 bits: no wrap. `from` is the least candidate, `until` is known to be one.
    let (mut from, mut until) = (1_u64, last.wrapping_add(1));
    while from < until {
        let middle = from.wrapping_add(until) / 2;
        if holds(middle)? {
            until = middle;
        } else {
            from = middle.wrapping_add(1);
        }
    }
    Ok(from)
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;
    use crate::risk::RiskTier;
    use crate::units::{Atoms, FundingIndex, Lots};

    /// Few enough ticks to try them all.
    const COARSE: u64 = 9_000_000;
    const LAST: u64 = MAX_LOT_PRICE / COARSE;

    fn params() -> RiskParams {
        let mut params = RiskParams::default();
        params.tiers[0] = RiskTier {
            notional_limit_atoms: 2_000_000_000,
            initial_margin_bps: 1_000,
            maintenance_margin_bps: 500,
        };
        params.tiers[1] = RiskTier {
            notional_limit_atoms: 1_000_000_000_000,
            initial_margin_bps: 10_000,
            maintenance_margin_bps: 9_999,
        };
        params.tier_count = 2;
        params
    }

    fn position(lots: i64, ticks: i64, margin: i64) -> Position {
        Position {
            lots: Lots::new(lots).unwrap(),
            entry_quote: Atoms::new(lots * ticks * i64::try_from(COARSE).unwrap()),
            margin: Atoms::new(margin),
            funding_index: FundingIndex::ZERO,
        }
    }

    fn positions() -> impl Iterator<Item = Position> {
        let lots = [-23_i64, -2, -1, 1, 3, 40].into_iter();
        lots.flat_map(|lots| {
            [1, 2, 60, 237].into_iter().flat_map(move |ticks| {
                let whole = lots.abs() * ticks * i64::try_from(COARSE).unwrap();
                let margins = [-whole, -1, 0, 1, whole / 40, whole / 3, whole, whole * 300];
                margins
                    .into_iter()
                    .map(move |margin| position(lots, ticks, margin))
            })
        })
    }

    fn at(ticks: u64) -> LotPrice {
        Ticks::new(ticks).lot_price(COARSE).unwrap()
    }

    #[test]
    fn levels_are_where_health_turns_as_trying_every_price_shows() {
        let (params, mut turns) = (params(), [0; 4]);
        for position in positions() {
            let liquidable =
                |ticks: &u64| health(&position, at(*ticks), &params).unwrap() != Health::Healthy;
            let solvent = |ticks: &u64| !position.equity(at(*ticks)).unwrap().is_negative();
            let long = position.side() == Some(Side::Long);
            let mut ticks = 1..=LAST;
            let expected = if long {
                ticks.rfind(liquidable)
            } else {
                ticks.find(liquidable)
            };
            let found = liquidation_price(&position, &params, COARSE).unwrap();
            assert_eq!(found.map(Ticks::get), expected, "{position:?}");
            let mut ticks = 1..=LAST;
            let worst = if long {
                ticks.find(solvent)
            } else {
                ticks.rfind(solvent)
            };
            let expected = worst.filter(|_| !(1..=LAST).all(|ticks| solvent(&ticks)));
            let found = bankruptcy_price(&position, COARSE).unwrap();
            assert_eq!(found.map(Ticks::get), expected, "{position:?}");
            turns[usize::from(long)] += u32::from(expected.is_some());
            turns[2 + usize::from(long)] += u32::from(worst.is_none());
        }
        assert!(turns.iter().all(|count| *count > 0), "{turns:?}");
    }

    #[test]
    fn the_ratio_is_below_one_exactly_when_the_position_may_be_liquidated() {
        let params = params();
        let mut seen = [0; 3];
        for position in positions() {
            for ticks in [1, 50, 60, 61, 200, LAST] {
                let ratio = margin_ratio_bps(&position, at(ticks), &params).unwrap();
                let ratio = ratio.unwrap();
                let (kind, expected) = match health(&position, at(ticks), &params).unwrap() {
                    Health::Healthy => (0, ratio >= 10_000),
                    Health::BelowMaintenance => (1, (0..10_000).contains(&ratio)),
                    Health::Bankrupt { .. } => (2, ratio < 0),
                };
                assert!(expected, "{ratio} {position:?} {ticks}");
                seen[kind] += 1;
            }
        }
        assert!(seen.iter().all(|count| *count > 10), "{seen:?}");
    }

    #[test]
    fn prices_in_figures() {
        // 10 SOL at $200.000 with $100, in lots of 0.001 SOL and ticks of $0.001; 5 % of
        // maintenance: 190,000 p below which 5 % of p is more than the p - 190,000 left.
        let mut params = params();
        params.tiers[0].notional_limit_atoms = 1_000_000_000_000;
        params.tier_count = 1;
        let long = Position {
            lots: Lots::new(10_000).unwrap(),
            entry_quote: Atoms::new(2_000_000_000),
            margin: Atoms::new(100_000_000),
            funding_index: FundingIndex::ZERO,
        };
        let levels = |position: &Position| {
            let liquidation = liquidation_price(position, &params, 1).unwrap();
            let bankruptcy = bankruptcy_price(position, 1).unwrap();
            (liquidation.map(Ticks::get), bankruptcy.map(Ticks::get))
        };
        assert_eq!(levels(&long), (Some(199_999), Some(190_000)));
        let short = Position {
            lots: Lots::new(-10_000).unwrap(),
            entry_quote: Atoms::new(-2_000_000_000),
            ..long
        };
        assert_eq!(levels(&short), (Some(200_001), Some(210_000)));
        assert_eq!(levels(&Position::default()), (None, None));
        let mark = LotPrice::new(205_000).unwrap();
        // $150 of equity over $102.50.
        assert_eq!(margin_ratio_bps(&long, mark, &params), Ok(Some(14_634)));
        assert_eq!(
            margin_ratio_bps(&Position::default(), mark, &params),
            Ok(None)
        );
    }

    #[test]
    fn a_tick_without_atoms_is_no_tick() {
        let refused = Err(EngineError::PriceOutOfRange);
        let held = position(1, 5, 0);
        for atoms in [0, MAX_LOT_PRICE + 1] {
            assert_eq!(liquidation_price(&held, &params(), atoms), refused);
            assert_eq!(bankruptcy_price(&held, atoms), refused);
        }
    }
}
