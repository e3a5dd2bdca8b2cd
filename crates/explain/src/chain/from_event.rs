//! What a round was decided from, as far as its event tells.

use ballast_engine::adl::Stage;
use ballast_engine::cross::cut::{lots_borne, Bearing, Counterparty};
use ballast_engine::position::Position;
use ballast_engine::queue::{CutStamp, Totals};
use ballast_engine::rank::{ClosePrice, Round};
use ballast_engine::risk::AdlParams;
use ballast_engine::units::{Atoms, FundingIndex, LotPrice, Lots, Side, Ticks};
use ballast_engine::EngineError;
use ballast_state::events::{AutoDeleveraged, CounterpartyCut, CrossRound, LegCut};
use ballast_state::Pubkey;

use crate::situation::{Candidate, Situation, Units};

/// Why an event tells of no round: the field, and what is wrong with it.
pub type Unusable = (String, String);

/// The bankrupt, the mark, and those who were cut as the whole queue; `cross` says which of them are legs. What the
/// pass had cut of them before is the least that their cuts imply.
pub fn situation(
    event: &AutoDeleveraged,
    cross: Option<&CrossRound>,
    units: &Units,
) -> Result<Situation, Unusable> {
    let mark = Ticks::new(event.mark_ticks)
        .lot_price(units.atoms_per_lot_tick)
        .map_err(|error| wrong("mark_ticks", error))?;
    let index = FundingIndex::new(event.funding_index);
    let position = position(
        event.lots_before,
        event.entry_quote_before,
        event.margin_before,
        index,
    )
    .map_err(|error| wrong("lots_before, entry_quote_before, margin_before", error))?;
    let side = position
        .side()
        .ok_or_else(|| wrong("lots_before", EngineError::NoPosition))?;
    let round = caps(event, side.opposite(), mark);
    let bearing = match cross.is_some_and(|cross| cross.to_equity) {
        true => Stage::Equity.bearing(),
        false => Stage::First.bearing(),
    };
    let mut queue = Vec::with_capacity(event.cuts.len());
    for (place, cut) in event.cuts.iter().enumerate() {
        let taken = Taken {
            cut,
            leg: cross.and_then(|cross| leg_at(cross, place)),
            place,
            last: place + 1 == event.cuts.len(),
        };
        queue.push(taken.candidate(&round, bearing)?);
    }
    Ok(Situation {
        bankrupt: event.bankrupt.to_string(),
        position,
        mark,
        funding_index: index,
        insurance_available: insured(event, &position)?,
        max_lots: event.lots_closed,
        least_lots: u64::from(event.least_lots),
        params: AdlParams {
            rank_tolerance_bps: event.rank_tolerance_bps,
            max_close_bps: event.max_close_bps,
            min_profit_bps: event.min_profit_bps,
            ..AdlParams::default()
        },
        pass_before: event.epoch,
        passes_before: event.epoch,
        listed: queue.iter().map(|one| one.trader.clone()).collect(),
        queue,
        order_proven: event.session != Pubkey::default(),
        bearing,
    })
}

/// What is said of the leg at a place among the cuts, if one stands there.
pub fn leg_at(cross: &CrossRound, place: usize) -> Option<&LegCut> {
    let mut legs = cross.legs.iter();
    legs.find(|leg| usize::try_from(leg.place) == Ok(place))
}

/// A cut of the event.
struct Taken<'a> {
    cut: &'a CounterpartyCut,
    /// Where it is of a leg.
    leg: Option<&'a LegCut>,
    place: usize,
    /// Whether it is the last one.
    last: bool,
}

impl Taken<'_> {
    fn candidate(&self, round: &Round, bearing: Bearing) -> Result<Candidate, Unusable> {
        let cut = self.cut;
        let at = |field: &str| format!("cuts[{}].{field}", self.place);
        let position = position(
            cut.lots_before,
            cut.entry_quote_before,
            cut.margin_before,
            round.funding_index,
        )
        .map_err(|error| wrong(&at("lots_before, entry_quote_before, margin_before"), error))?;
        let leg = match self.leg {
            // What a queue of isolated positions can hold.
            None => {
                let stored = Totals::of(&position, round.side);
                let stored = stored.and_then(|totals| totals.check_range());
                stored.map_err(|error| wrong(&at("margin_before"), error))?;
                None
            }
            Some(leg) => {
                let equity = position.equity(round.mark);
                Some(Counterparty {
                    position,
                    equity: equity.map_err(|error| wrong(&at("margin_before"), error))?,
                    requirement: leg.requirement_atoms,
                    leg_requirement: leg.leg_requirement_atoms,
                })
            }
        };
        let stamp = self
            .stamp(round, leg.as_ref(), bearing)
            .map_err(|error| wrong(&at("lots_before"), error))?;
        let stamp = stamp.ok_or_else(|| {
            (
                at("lots_closed"),
                "more than the cap of a pass, or not all of it".to_owned(),
            )
        })?;
        Ok(Candidate {
            trader: cut.trader.to_string(),
            position,
            leg,
            sequence: cut.sequence,
            stamp,
        })
    }

    /// What the pass had cut before. Of a shortened cut it was less than what the account could not bear, so that
    /// nothing at all implies the same.
    fn stamp(
        &self,
        round: &Round,
        leg: Option<&Counterparty>,
        bearing: Bearing,
    ) -> Result<Option<CutStamp>, EngineError> {
        let (size, closed) = (self.cut.lots_before.unsigned_abs(), self.cut.lots_closed);
        let free = match (leg, self.leg) {
            (Some(_), Some(said)) if said.shortened => true,
            // Where the account bears exactly as much, it is the cap that was reached.
            (Some(leg), _) if self.last => lots_borne(round, leg, bearing, size)? != Some(closed),
            _ => self.last,
        };
        stamp(round, size, closed, free)
    }
}

/// The least that the pass had cut before of a position of `lots` if `closed` of them are all that
/// it may still cut or, where something else ended the cut, no more than that. `None` when nothing before
/// explains it.
fn stamp(
    round: &Round,
    lots: u64,
    closed: u64,
    ended_else: bool,
) -> Result<Option<CutStamp>, EngineError> {
    let with = |before: u32| CutStamp {
        epoch: if before == 0 { 0 } else { round.first_epoch() },
        lots: before,
        capped_epoch: 0,
    };
    let left = |before| round.cap_left(lots, with(before));
    if closed == 0 || left(0)? < closed {
        return Ok(None);
    }
    if ended_else {
        return Ok(Some(with(0)));
    }
    // The more was cut before, the less is left.
    let (mut low, mut high) = (0, u32::MAX);
    while low < high {
        let middle = low.midpoint(high);
        if left(middle)? <= closed {
            high = middle;
        } else {
            low = middle.saturating_add(1);
        }
    }
    Ok((left(low)? == closed).then(|| with(low)))
}

/// What insurance would have paid for all lots: how far the close price lies from the bankruptcy
/// price, towards the mark.
fn insured(event: &AutoDeleveraged, position: &Position) -> Result<u64, Unusable> {
    let close = i128::from(event.close_quote_atoms);
    let moved = match position.side() {
        Some(Side::Short) => close - position.bankruptcy_value(),
        _ => position.bankruptcy_value() - close,
    };
    let beyond = "not between the bankruptcy price and the mark";
    u64::try_from(moved).map_err(|_| ("close_quote_atoms".to_owned(), beyond.to_owned()))
}

/// A round of which only what caps depend on is meant.
fn caps(event: &AutoDeleveraged, side: Side, mark: LotPrice) -> Round {
    Round {
        side,
        mark,
        close: ClosePrice {
            quote: event.close_quote_atoms,
            lots: event.close_lots,
        },
        funding_index: FundingIndex::new(event.funding_index),
        min_profit_bps: event.min_profit_bps,
        rank_tolerance_bps: event.rank_tolerance_bps,
        max_close_bps: event.max_close_bps,
        least_lots: event.least_lots,
        epoch: event.epoch,
    }
}

fn position(
    lots: i64,
    entry: i64,
    margin: i64,
    funding_index: FundingIndex,
) -> Result<Position, EngineError> {
    let position = Position {
        lots: Lots::new(lots)?,
        entry_quote: Atoms::new(entry),
        margin: Atoms::new(margin),
        funding_index,
    };
    position.invariant()?;
    Ok(position)
}

fn wrong(field: &str, error: EngineError) -> Unusable {
    (field.to_owned(), format!("the engine refuses: {error}"))
}
