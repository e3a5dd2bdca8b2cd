//! What events say of a market's mode, and of what a market that has ended has.

use ballast_engine::position::Position;
use ballast_engine::units::{Atoms, FundingIndex, Lots, Ticks as Price};
use ballast_engine::wind_down::{worth, MarketMode};
use ballast_engine::write_off::WriteOff;
use ballast_state::events::{BallastEvent, ClaimsCounted, PositionSettled};
use ballast_state::Pubkey;

use super::sums::between;
use super::{negative, signed, Ticks};
use crate::entry::Moved;

/// What an event says of [`Sum::Settlement`](crate::entry::Sum::Settlement). Between insurance, held profit and what
/// covers claims atoms move in no event; all three together change by what these say.
pub(super) fn settlement(event: &BallastEvent, ticks: &Ticks) -> Option<(Pubkey, Moved)> {
    let (market, by) = match event {
        BallastEvent::SettlementBegun(it) if it.final_ticks > 0 => {
            let all = it.insurance_atoms.checked_add(it.held_atoms);
            let to = all.and_then(signed).map_or(Moved::Unknown, Moved::To);
            return Some((it.market, to));
        }
        BallastEvent::MarketClosed(it) => {
            return between(it.market, it.insurance_atoms, it.insurance_atoms);
        }
        BallastEvent::AutoDeleveraged(it) => {
            (it.market, gone(it.insurance_paid_atoms, it.held_paid_atoms))
        }
        BallastEvent::BankruptWrittenOff(it) => {
            (it.market, gone(it.insurance_paid_atoms, it.held_paid_atoms))
        }
        BallastEvent::ClaimsCounted(it) => (it.market, covered(it)),
        BallastEvent::PositionSettled(it) => (it.market, paid(it, ticks)),
        BallastEvent::InsuranceDonated(it) => (it.market, signed(it.amount)),
        BallastEvent::StrayTokensCredited(it) => (it.market, signed(it.amount)),
        BallastEvent::Staked(it) => (it.market, signed(it.amount)),
        BallastEvent::Unstaked(it) => (it.market, negative(it.amount)),
        BallastEvent::InsuranceWithdrawn(it) => (it.market, negative(it.amount)),
        _ => return None,
    };
    match by {
        Some(0) => None,
        by => Some((market, by.map_or(Moved::Unknown, Moved::By))),
    }
}

/// What insurance and held profit paid.
fn gone(insurance: u64, held: u64) -> Option<i64> {
    negative(insurance.checked_add(held)?)
}

/// What there is for claims once all of them are counted, less what insurance made good.
fn covered(event: &ClaimsCounted) -> Option<i64> {
    let made_good = negative(event.made_good_atoms)?;
    let left = WriteOff {
        atoms: event.written_off_atoms,
        claims: event.claims_atoms,
    };
    match event.complete && left.is_any() {
        true => made_good.checked_add(signed(left.covered())?),
        false => Some(made_good),
    }
}

/// Held profit that was paid, and the claim where it got less than its position was worth: out of what there was
/// for claims. Positions that are paid in full are not a part of the sum.
fn paid(event: &PositionSettled, ticks: &Ticks) -> Option<i64> {
    let held = negative(event.held_atoms)?;
    if event.lots == 0 {
        return Some(held);
    }
    let position = Position {
        lots: Lots::new(event.lots).ok()?,
        entry_quote: Atoms::new(event.entry_quote_atoms),
        margin: Atoms::new(event.margin_atoms),
        funding_index: FundingIndex::new(event.funding_index),
    };
    let price = Price::new(event.final_ticks.into());
    let price = price.lot_price(*ticks.get(&event.market)?).ok()?;
    let worth = worth(&position, price, position.funding_index).ok()?;
    match event.paid_atoms < worth {
        true => held.checked_sub(signed(event.paid_atoms)?),
        false => Some(held),
    }
}

/// What an event says of [`Sum::Mode`](crate::entry::Sum::Mode).
pub(super) fn mode(event: &BallastEvent) -> Option<(Pubkey, Moved)> {
    let number = |mode: MarketMode| i64::from(mode.number());
    let reduce_only = |is: bool| {
        number(match is {
            true => MarketMode::ReduceOnly,
            false => MarketMode::Active,
        })
    };
    let settling = number(MarketMode::Settling);
    Some(match event {
        BallastEvent::MarketCreated(it) => (it.market, Moved::To(number(MarketMode::Active))),
        BallastEvent::ReduceOnlySet(it) => {
            let (before, after) = (reduce_only(it.before), reduce_only(it.after));
            (it.market, Moved::FromTo(before, after))
        }
        BallastEvent::DelistingScheduled(it) => (it.market, Moved::To(reduce_only(true))),
        // With no last price the market goes on as it was.
        BallastEvent::SettlementBegun(it) if it.final_ticks > 0 => (it.market, Moved::To(settling)),
        BallastEvent::PositionSettled(it) if it.lots != 0 => {
            (it.market, Moved::FromTo(settling, settling))
        }
        BallastEvent::BankruptWrittenOff(it) => (it.market, Moved::FromTo(settling, settling)),
        BallastEvent::ClaimsCounted(it) => (it.market, Moved::FromTo(settling, settling)),
        BallastEvent::MarketClosed(it) => {
            let settled = number(MarketMode::Settled);
            (it.market, Moved::FromTo(settling, settled))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_state::events::SettlementBegun;

    const MARKET: [u8; 32] = [7; 32];

    fn ticks() -> Ticks {
        Ticks::from([(Pubkey::new_from_array(MARKET), 2)])
    }

    /// A long of 10 lots that has cost 1,000 atoms, at 60 ticks of 2 atoms: worth 250.
    fn settled(paid_atoms: u64, held_atoms: u64) -> BallastEvent {
        BallastEvent::PositionSettled(Box::new(PositionSettled {
            market: Pubkey::new_from_array(MARKET),
            trader: Pubkey::default(),
            lots: 10,
            entry_quote_atoms: 1_000,
            margin_atoms: 50,
            final_ticks: 60,
            funding_index: 3,
            paid_atoms,
            held_atoms,
            cancelled: None,
            free_after: 0,
        }))
    }

    #[test]
    fn only_a_position_that_is_not_paid_in_full_takes_of_what_covers_claims() {
        let moved = |event: &BallastEvent| settlement(event, &ticks()).map(|(_, moved)| moved);
        assert_eq!(moved(&settled(250, 0)), None);
        assert_eq!(moved(&settled(250, 9)), Some(Moved::By(-9)));
        assert_eq!(moved(&settled(249, 0)), Some(Moved::By(-249)));
        assert_eq!(moved(&settled(0, 0)), None);
        let unknown = settlement(&settled(250, 0), &Ticks::new());
        assert_eq!(unknown.map(|(_, moved)| moved), Some(Moved::Unknown));
    }

    #[test]
    fn a_market_whose_end_has_no_price_goes_on() {
        let begun = |final_ticks| {
            let begun = SettlementBegun {
                market: Pubkey::new_from_array(MARKET),
                ended_at: 1,
                final_ticks,
                funding_index: 0,
                open_interest_lots: 1,
                insurance_atoms: 5,
                held_atoms: 2,
            };
            BallastEvent::SettlementBegun(Box::new(begun))
        };
        assert_eq!(settlement(&begun(0), &ticks()), None);
        assert_eq!(mode(&begun(0)), None);
        let market = Pubkey::new_from_array(MARKET);
        assert_eq!(
            settlement(&begun(1), &ticks()),
            Some((market, Moved::To(7)))
        );
        assert_eq!(mode(&begun(1)), Some((market, Moved::To(2))));
    }
}
