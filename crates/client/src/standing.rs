//! Where a trader stands in the queue of its side, for display: who would be cut before it, and at
//! which price it would be the first.

use ballast_engine::position::Position;
use ballast_engine::queue::QueueRef;
use ballast_engine::rank::{score_q32, Round};
use ballast_engine::standing::{price_to_be_first, Band, Standing};
use ballast_engine::units::Ticks;
use ballast_engine::EngineError;
use ballast_state::market::Market;

use crate::moment::Moment;
use crate::ranking::{display_round, position_of};

/// A trader's place in its queue.
#[derive(Clone, Copy, Debug)]
pub struct TraderStanding {
    /// Rank, indicator, and what stands before it.
    pub standing: Standing,
    /// Its position, funding paid.
    pub position: Position,
    /// Its score in units of 2^-32, rounded down; [`ballast_engine::rank::INFINITE_SCORE`] for a
    /// position in profit without equity.
    pub score_q32: i128,
    /// Lots that may be cut from it before its cap.
    pub cap_left: u64,
}

/// The round by which `queue` is ranked for display at a moment: everything closes at the mark,
/// and cuts count as far as they would for a bankruptcy that began then.
///
/// # Errors
/// `PriceOutOfRange`, `Overflow`.
pub fn round_at(
    market: &Market,
    queue: &QueueRef<'_>,
    moment: &Moment,
) -> Result<Round, EngineError> {
    let epoch = queue.header().pass_at(0, moment.slot)?;
    display_round(market, queue.side(), epoch, moment)
}

/// The standing of the position at `node` of `queue`, which a trader's slot in the market names.
///
/// # Errors
/// `NodeNotFound`; those of [`round_at`].
pub fn standing(
    market: &Market,
    queue: &QueueRef<'_>,
    moment: &Moment,
    node: u32,
) -> Result<TraderStanding, EngineError> {
    let round = round_at(market, queue, moment)?;
    let standing = Standing::of(queue, &round, node)?;
    let entry = queue.entry(node)?;
    Ok(TraderStanding {
        standing,
        position: position_of(entry, round.side, round.funding_index)?,
        score_q32: score_q32(&round, &standing.ranked.exposure)?,
        cap_left: round.cap_left(u64::from(entry.lots), entry.stamp())?,
    })
}

/// The price nearest to the present one, within `band`, at which the position at `node` of
/// `queue` would be the first in line, in ticks; see [`price_to_be_first`].
///
/// # Errors
/// As for [`standing`].
pub fn first_at(
    market: &Market,
    queue: &QueueRef<'_>,
    moment: &Moment,
    node: u32,
    band: Band,
) -> Result<Option<u64>, EngineError> {
    let round = round_at(market, queue, moment)?;
    let tick = market.oracle.atoms_per_lot_tick;
    Ok(price_to_be_first(queue, &round, node, tick, band)?.map(Ticks::get))
}

/// Prices from `1/times` of a price to `times` it, ticks; all there are for 0.
#[must_use]
pub fn band_around(price_ticks: u64, times: u64) -> Band {
    match price_ticks.checked_div(times) {
        None => Band::ALL,
        Some(lowest) => Band {
            lowest: Ticks::new(lowest.max(1)),
            highest: Ticks::new(price_ticks.saturating_mul(times)),
        },
    }
}
