//! One round by each rule.

use std::cmp::{Ordering, Reverse};

use ballast_engine::adl::{Bankruptcy, Cut as Outcome, Deleveraging};
use ballast_engine::deficit::Deficit;
use ballast_engine::math::{mul_div_ceil_signed, mul_div_floor_signed};
use ballast_engine::queue::CutStamp;
use ballast_engine::rank::{Class, ClosePrice, Exposure, Ranked, Round as Ranking};
use ballast_engine::risk::AdlParams;
use ballast_engine::units::{Atoms, Lots, Side, BPS_ONE};
use ballast_engine::EngineError;
use ballast_report::model::Round;
use ballast_report::policy::Policy;

use super::book::{Book, Held, Key};
use super::played::Cut;
use crate::situation::Situation;

/// What a rule did in one round.
pub struct Done {
    /// Cuts by rank.
    pub cuts: Vec<Cut>,
    /// Deficit of the round's lots after insurance, rounded down, atoms.
    pub deficit: u64,
    /// Lots without a counterparty.
    pub unplaced: u64,
}

/// A position and its rank.
struct Place {
    key: Key,
    held: Held,
    ranked: Ranked,
}

/// What a situation's ranking depends on, with no pass before it.
pub fn round(now: &Situation) -> Result<Ranking, EngineError> {
    Ok(*begin(now, &now.params, now.max_lots, (1, 1))?.round())
}

/// Closes the lots that the recorded round closed, by a rule, and notes what that leaves.
pub fn cut(
    policy: Policy,
    round: &Round,
    now: &Situation,
    book: &mut Book,
) -> Result<Done, EngineError> {
    let lots = round.closed_lots;
    let (cuts, unplaced) = match policy {
        Policy::Queue => {
            let whole = AdlParams {
                max_close_bps: u32::try_from(BPS_ONE).map_err(|_| EngineError::Overflow)?,
                ..now.params
            };
            let state = begin(now, &whole, lots, (1, 1))?;
            by_rank(state, round, book, |_| CutStamp::default())?
        }
        Policy::Capped => {
            let state = in_pass(now, lots, round, book)?;
            by_rank(state, round, book, |held| held.stamp)?
        }
        Policy::ProRata => {
            let state = begin(now, &now.params, lots, (1, 1))?;
            pro_rata(state.round(), lots, round, book)?
        }
    };
    Ok(Done {
        cuts,
        deficit: deficit(now, lots)?,
        unplaced,
    })
}

fn begin(
    now: &Situation,
    params: &AdlParams,
    max_lots: u64,
    (epoch, passes): (u32, u32),
) -> Result<Deleveraging, EngineError> {
    Deleveraging::begin(&Bankruptcy {
        position: now.position,
        mark: now.mark,
        funding_index: now.funding_index,
        insurance_available: now.insurance_available,
        past_grace: true,
        taker: None,
        max_lots,
        least_lots: now.least_lots,
        params,
        epoch,
        passes,
    })
}

/// The deficit after insurance that belongs to `lots`, rounded down.
fn deficit(now: &Situation, lots: u64) -> Result<u64, EngineError> {
    let equity = now.position.equity(now.mark)?.get();
    let deficit = equity.min(0).unsigned_abs();
    Deficit::new(deficit, now.insurance_available, now.position.size()).uncovered_for(lots)
}

/// The round in the pass that it belongs to; another one when everybody is at the cap.
fn in_pass(
    now: &Situation,
    lots: u64,
    round: &Round,
    book: &Book,
) -> Result<Deleveraging, EngineError> {
    let opened = now.passes_before.saturating_add(1);
    if now.pass_before == 0 {
        return begin(now, &now.params, lots, (opened, opened));
    }
    let passes = (now.pass_before, now.passes_before);
    let mut state = begin(now, &now.params, lots, passes)?;
    let ranking = *state.round();
    let mut free = false;
    for place in places(&ranking, round, book)? {
        let held = &place.held;
        free |= ranking.cap_left(held.position.size(), held.stamp)? > 0;
    }
    if !free {
        state.open_pass(opened)?;
    }
    Ok(state)
}

/// Eligible positions by falling rank.
fn places(ranking: &Ranking, round: &Round, book: &Book) -> Result<Vec<Place>, EngineError> {
    let mut places = Vec::new();
    for (key, held) in book.open(round.counterparty_side) {
        let position = &held.position;
        let exposure = Exposure::of_position(position, ranking.funding_index, key.sequence)?;
        let ranked = Ranked::new(ranking, &exposure)?;
        if ranked.class != Class::Ineligible {
            places.push(Place {
                key: key.clone(),
                held: *held,
                ranked,
            });
        }
    }
    let mut failure = None;
    places.sort_by(|one, two| {
        two.ranked.compare(&one.ranked).unwrap_or_else(|error| {
            failure = Some(error);
            Ordering::Equal
        })
    });
    failure.map_or(Ok(places), Err)
}

/// Down the ranking until all lots are closed.
fn by_rank(
    mut state: Deleveraging,
    round: &Round,
    book: &mut Book,
    stamp: impl Fn(&Held) -> CutStamp,
) -> Result<(Vec<Cut>, u64), EngineError> {
    let mut cuts = Vec::new();
    for place in places(state.round(), round, book)? {
        if state.remaining_lots() == 0 {
            break;
        }
        let (held, sequence) = (&place.held, place.key.sequence);
        let outcome = state.cut(&held.position, sequence, stamp(held))?;
        let Outcome::Done(done) = outcome else {
            continue;
        };
        let left = Held {
            position: done.position_after,
            stamp: done.stamp,
        };
        book.store(&place.key, left);
        cuts.push(Cut {
            key: place.key,
            lots: done.lots,
            gave_up: done.gave_up,
            closed: left.position.is_empty(),
        });
    }
    Ok((cuts, state.remaining_lots()))
}

/// From every winner in proportion to its lots; from the others when that is not enough.
fn pro_rata(
    ranking: &Ranking,
    lots: u64,
    round: &Round,
    book: &mut Book,
) -> Result<(Vec<Cut>, u64), EngineError> {
    let places = places(ranking, round, book)?;
    let class = |wanted: Class| {
        let sizes = places.iter().map(|place| {
            let size = place.held.position.size();
            if place.ranked.class == wanted {
                size
            } else {
                0
            }
        });
        sizes.collect::<Vec<u64>>()
    };
    let from_winners = shares(lots, &class(Class::Winner))?;
    let left = lots.saturating_sub(from_winners.iter().sum());
    let from_others = shares(left, &class(Class::Other))?;
    let given: Vec<u64> = from_winners
        .iter()
        .zip(&from_others)
        .map(|(one, two)| one + two)
        .collect();
    let mut cuts = Vec::new();
    let (mut closed, mut closed_quote) = (0, 0);
    for (place, lots) in places.into_iter().zip(given).filter(|(_, lots)| *lots > 0) {
        closed += lots;
        let so_far = cumulative_quote(ranking, &ranking.close, closed)?;
        let quote = so_far - closed_quote;
        closed_quote = so_far;
        cuts.push(close(ranking, place, lots, quote, book)?);
    }
    Ok((cuts, lots - closed))
}

/// `lots` in proportion to `sizes`, at most all of them: rounded down, what is left over to the
/// largest remainders, ties to the first.
pub fn shares(lots: u64, sizes: &[u64]) -> Result<Vec<u64>, EngineError> {
    let total: u128 = sizes.iter().map(|size| u128::from(*size)).sum();
    if total <= u128::from(lots) {
        return Ok(sizes.to_vec());
    }
    let parts = sizes
        .iter()
        .map(|size| u128::from(lots) * u128::from(*size));
    let narrow = |share: u128| u64::try_from(share).map_err(|_| EngineError::Overflow);
    let mut shares = Vec::with_capacity(sizes.len());
    let mut remainders = Vec::with_capacity(sizes.len());
    for (index, part) in parts.enumerate() {
        shares.push(narrow(part / total)?);
        remainders.push((Reverse(part % total), index));
    }
    let over = lots - shares.iter().sum::<u64>();
    remainders.sort_unstable();
    let over = usize::try_from(over).map_err(|_| EngineError::Overflow)?;
    for (_, index) in remainders.into_iter().take(over) {
        shares[index] += 1;
    }
    Ok(shares)
}

/// Worth of the first `lots` at the close price, rounded in the counterparties' favour.
fn cumulative_quote(ranking: &Ranking, close: &ClosePrice, lots: u64) -> Result<i64, EngineError> {
    match ranking.side {
        Side::Long => mul_div_ceil_signed(close.quote, lots, close.lots),
        Side::Short => mul_div_floor_signed(close.quote, lots, close.lots),
    }
}

fn close(
    ranking: &Ranking,
    place: Place,
    lots: u64,
    quote: i64,
    book: &mut Book,
) -> Result<Cut, EngineError> {
    let worth = i128::from(ranking.mark.notional(lots)?);
    let (sign, gave_up) = match ranking.side {
        Side::Long => (-1, worth - i128::from(quote)),
        Side::Short => (1, i128::from(quote) - worth),
    };
    let traded = Lots::on_side(ranking.side.opposite(), lots)?;
    let filled = place.held.position.fill(traded, Atoms::new(sign * quote))?;
    let left = Held {
        position: filled.position,
        ..place.held
    };
    book.store(&place.key, left);
    Ok(Cut {
        key: place.key,
        lots,
        gave_up: u64::try_from(gave_up).map_err(|_| EngineError::AdlOvershoot)?,
        closed: left.position.is_empty(),
    })
}
