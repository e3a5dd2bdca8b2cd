//! Cross accounts: what is known of them, what needs doing about them, and the instructions for it.

pub mod evaluate;
pub mod plan;
mod round;
pub mod state;

use anchor_lang::prelude::{Clock, Pubkey};
use ballast_client::cross::{with_marks, Site};
use ballast_engine::cross::{BoardEntry, CrossDraws};
use ballast_engine::oracle::Action;
use ballast_state::cross::CrossBoard;
use ballast_state::error::BallastError;
use ballast_state::market::Touched;

use crate::market::{MarketState, Present};

pub use evaluate::{evaluate, CrossCounts, CrossEvaluation};
pub use plan::{plan, CrossLists};
pub(crate) use round::plan as round;
pub use state::CrossState;

/// A mark of the board that has moved by this part of its market's maintenance rate is recorded, per cent.
pub const MOVED_PERCENT: u64 = 10;
/// A mark this old is recorded while legs are open, slots: 10 seconds.
pub const OLD_SLOTS: u64 = 25;

/// The markets with cross margin and the board, all at one moment.
#[derive(Clone, Debug)]
pub struct Floor<'a> {
    spots: Vec<Spot<'a>>,
    /// The board once every mark that may be recorded is.
    recorded: Box<CrossBoard>,
    slot: u64,
}

/// A market with cross margin.
#[derive(Clone, Debug)]
struct Spot<'a> {
    state: &'a MarketState,
    /// At its price, where one is known.
    present: Option<Present<'a>>,
    entry: BoardEntry,
    /// Whether its price may be recorded.
    recordable: bool,
}

impl<'a> Floor<'a> {
    /// Those of `markets` that have cross margin, with the board.
    ///
    /// # Errors
    /// `CrossDisabled`, `BoardLayout` for a board that is none of theirs.
    pub fn new(
        markets: impl IntoIterator<Item = &'a MarketState>,
        board: &CrossBoard,
        clock: &Clock,
    ) -> Result<Self, BallastError> {
        let mut spots = Vec::new();
        let mut marks = Vec::new();
        for state in markets {
            if state.market.cross == 0 {
                continue;
            }
            let entry = *board.board.entry(board.place(&state.market)?)?;
            let present = state.at(clock).ok();
            let may = |present: &&Present<'_>| may_record(present, &entry);
            let recordable = present.as_ref().filter(may);
            if let Some(present) = recordable {
                marks.push((&*state.market, touched(present)));
            }
            spots.push(Spot {
                state,
                recordable: recordable.is_some(),
                present,
                entry,
            });
        }
        let recorded = with_marks(board, &marks, clock.slot)?;
        Ok(Self {
            spots,
            recorded,
            slot: clock.slot,
        })
    }

    /// A market at its price.
    #[must_use]
    pub fn present(&self, market: &Pubkey) -> Option<&Present<'a>> {
        let mut spots = self.spots.iter();
        let spot = spots.find(|spot| spot.state.address == *market)?;
        spot.present.as_ref()
    }

    /// The same as an instruction about it finds it once marks are recorded.
    #[must_use]
    pub fn site<'s>(&'s self, present: &'s Present<'a>) -> Site<'s> {
        Site::new(
            present.state.address,
            &present.state.market,
            touched(present),
            &self.recorded,
            self.slot,
        )
    }

    /// Whether legs are open in any market.
    #[must_use]
    pub fn has_legs(&self) -> bool {
        let mut spots = self.spots.iter();
        spots.any(|spot| spot.state.market.cross_legs > 0)
    }

    /// Markets whose marks are to be recorded before anybody is forced: those that may be and whose marks on
    /// the board differ from their prices, or are not of this moment.
    pub fn unrecorded(&self) -> impl Iterator<Item = &Present<'a>> {
        let due = self.spots.iter().filter(|spot| spot.recordable);
        let due = due.filter_map(|spot| Some((spot.present.as_ref()?, &spot.entry)));
        due.filter(|(present, entry)| {
            entry.is_frozen()
                || entry.mark != present.mark.price.get()
                || entry.funding_index != present.funding_index
                || entry.age(self.slot) > 0
        })
        .map(|(present, _)| present)
    }
}

/// What insurance has paid lately for the legs of a market, by its key: from the header of its cross queue of
/// longs. Nothing where it is not known.
pub type Draws<'a> = dyn Fn(&Pubkey) -> CrossDraws + 'a;

/// Price and funding as an instruction finds them.
fn touched(present: &Present<'_>) -> Touched {
    Touched {
        price: present.price,
        mark: present.mark,
        earlier: None,
        funding_index: present.funding_index,
    }
}

/// Whether the market's price may be recorded on the board, where its mark stands in `entry`.
fn may_record(present: &Present<'_>, entry: &BoardEntry) -> bool {
    let (market, now) = (&present.state.market, present.moment.unix_timestamp);
    let trades = !market.mode().has_ended() && !market.wind_down.has_come(now);
    trades
        && present.price.publish_time >= entry.publish_time
        && present.moment.slot >= entry.slot
        && present.check(Action::FORCE).is_ok()
}
