//! Cross accounts from outside the program: what an account is worth, which cross queues a call on it has to
//! list, and the list of counterparties of a round where legs stand in the ranking.
//!
//! Nothing is decided here: [`Legs`] and the engine are those of the program, and a plan plays on copies what
//! the program will do.

mod queues;
mod request;
mod round;
mod walk;

use ballast_engine::cross::board::Drifts;
use ballast_engine::cross::{CrossDraws, LegTerms};
use ballast_engine::liquidation::{LiquidationInput, LiquidationPlan};
use ballast_engine::oracle::{Now, OraclePrice};
use ballast_engine::position::Position;
use ballast_engine::units::Atoms;
use ballast_state::cross::{report, CrossBoard, Legs, Scene};
use ballast_state::error::{BallastError, Result};
use ballast_state::market::{Market, Touched};
use ballast_state::queue_account::NO_NODE;
use ballast_state::trader::Trader;
use ballast_state::Pubkey;

use crate::funding;
use crate::moment::Moment;

pub use ballast_state::cross::Trouble;
pub use queues::{listed, CrossQueueList};
pub use request::{CrossRoundInput, CrossRoundRequest, Traders};
pub use round::{cross_round, CrossRoundPlan, LegTaken};

/// A market with cross margin at a moment, as an instruction about it finds it.
#[derive(Clone, Debug)]
pub struct Site<'a> {
    /// The market's key.
    pub key: Pubkey,
    /// The market.
    pub market: &'a Market,
    /// Its price and funding index.
    pub touched: Touched,
    /// The board, with the marks that are recorded before.
    pub board: &'a CrossBoard,
    /// The present slot.
    pub slot: u64,
    terms: LegTerms,
}

/// Price and funding of a market as an instruction finds them; of one that has ended, at its last price.
///
/// # Errors
/// `PriceOutOfRange`, `Overflow`.
pub fn touched(market: &Market, price: &OraclePrice, now: Now) -> Result<Touched> {
    if market.mode().has_ended() {
        return market.at_final_price();
    }
    let moment = Moment {
        slot: now.slot,
        unix_timestamp: now.unix_timestamp,
        price_ticks: price.price.get(),
    };
    Ok(Touched {
        price: *price,
        mark: market.mark_at(price)?,
        earlier: None,
        funding_index: funding::state_at(market, &moment)?.index,
    })
}

/// The board after a `record_marks` of these markets in `slot`.
///
/// # Errors
/// `CrossDisabled`, `CrossMarkOlder`.
pub fn with_marks(
    board: &CrossBoard,
    marks: &[(&Market, Touched)],
    slot: u64,
) -> Result<Box<CrossBoard>> {
    let mut recorded = Box::new(*board);
    for (market, touched) in marks {
        let place = recorded.place(market)?;
        let report = report(market, touched, slot);
        recorded.board.record(place, &report)?;
    }
    if !marks.is_empty() {
        recorded.board.conclude()?;
    }
    Ok(recorded)
}

impl<'a> Site<'a> {
    /// A market where it stands as `touched`, in `slot`.
    #[must_use]
    pub fn new(
        key: Pubkey,
        market: &'a Market,
        touched: Touched,
        board: &'a CrossBoard,
        slot: u64,
    ) -> Self {
        Self {
            key,
            market,
            touched,
            board,
            slot,
            terms: LegTerms::of(market.params()),
        }
    }

    /// The market at this moment, as the program finds it.
    #[must_use]
    pub const fn scene(&self) -> Scene<'_> {
        Scene {
            key: self.key,
            touched: &self.touched,
            terms: &self.terms,
            board: self.board,
            slot: self.slot,
        }
    }

    /// [`Scene::trouble`] in the market.
    ///
    /// # Errors
    /// `NoPosition`, `CrossMarkStale`.
    pub fn trouble(&self, trader: &Trader, counts: bool) -> Result<Box<Trouble>> {
        self.scene().trouble(self.market, trader, counts)
    }

    /// [`Scene::check_order`] in the market.
    ///
    /// # Errors
    /// `Healthy`, `CrossLegOrder`, `CrossMarkStale`.
    pub fn check_order(&self, trader: &Trader, trouble: &Trouble) -> Result<()> {
        self.scene().check_order(self.market, trader, trouble)
    }

    /// What a liquidation of the leg depends on; `draws` stand in the header of the market's cross queue of longs.
    ///
    /// # Errors
    /// `NoPosition`, `Overflow`.
    pub fn liquidation(
        &self,
        trader: &Trader,
        trouble: &Trouble,
        draws: &CrossDraws,
    ) -> Result<LiquidationInput<'a>> {
        let draws = || Ok(*draws);
        let scene = self.scene();
        scene.liquidation(self.market, trader, trouble, draws)
    }

    /// The account after a step of its liquidation.
    ///
    /// # Errors
    /// `NoPosition`, `Overflow`.
    pub fn liquidated(
        &self,
        trader: &Trader,
        trouble: &Trouble,
        step: &LiquidationPlan,
    ) -> Result<LegWritten> {
        let after = &step.position_after;
        self.written(
            trader,
            trouble.place,
            &trouble.forced.position,
            after,
            step.victim_payout,
        )
    }

    /// The account after the leg at `place` was handed out as `given` and came back as `after` with `payout`
    /// atoms beside it, as far as its records depend on it.
    ///
    /// # Errors
    /// `NoPosition`, `Overflow`.
    pub(crate) fn written(
        &self,
        trader: &Trader,
        place: usize,
        given: &Position,
        after: &Position,
        payout: Atoms,
    ) -> Result<LegWritten> {
        let scene = self.scene();
        let pool = scene.pool_after(trader, place, given, after, payout)?;
        let legs = scene.valued(trader)?;
        let slot = legs.slots().get(place).ok_or(BallastError::NoPosition)?;
        LegWritten::of(trader, slot.index, after, pool)
    }

    /// The account after `part_leg`.
    ///
    /// # Errors
    /// `NoPosition`, `CrossMarkStale`, `Overflow`.
    pub fn parted(&self, trader: &Trader) -> Result<LegWritten> {
        let trouble = self.trouble(trader, false)?;
        let scene = self.scene();
        let legs = scene.legs(trader)?;
        let left = legs.account().part(&trouble.values, trouble.place)?;
        LegWritten::of(trader, trouble.index, &Position::default(), left.pool)
    }

    /// Markets of the account's other legs whose marks have to be recorded before it is forced, by their places on
    /// the board: those older than `most` slots that are not frozen.
    ///
    /// # Errors
    /// Those of [`Legs::at_board`].
    pub fn stale_marks(&self, trader: &Trader, most: u64) -> Result<Vec<usize>> {
        let legs = Legs::at_board(trader, self.board)?;
        let own = self.board.place(self.market).ok();
        let mut stale = Vec::new();
        for (slot, leg) in legs.slots().iter().zip(legs.account().legs) {
            let entry = self.board.board.entry(slot.place)?;
            let old = !entry.is_frozen() && entry.age(self.slot) > most;
            if old && Some(slot.place) != own && !leg.position.is_empty() {
                stale.push(slot.place);
            }
        }
        Ok(stale)
    }

    pub(crate) fn maintenance_bps(&self) -> u32 {
        self.terms.maintenance_bps()
    }

    /// How far records can be off in the market.
    ///
    /// # Errors
    /// `CrossDisabled`, `BoardLayout`.
    pub(crate) fn drifts(&self) -> Result<Drifts> {
        self.board.drifts(self.market, &self.touched)
    }
}

/// An account after a call has changed a leg of it.
#[derive(Clone, Debug)]
pub struct LegWritten {
    /// The account.
    pub trader: Box<Trader>,
    /// Index of the leg's slot; `None` where it is closed.
    pub index: Option<usize>,
}

impl LegWritten {
    /// An account whose records alone are renewed, that in the slot `index` in any case.
    #[must_use]
    pub fn renewed(trader: &Trader, index: usize) -> Self {
        Self {
            trader: Box::new(*trader),
            index: Some(index),
        }
    }

    /// An account whose pool alone has changed.
    pub(crate) fn pool(trader: &Trader) -> Self {
        Self {
            trader: Box::new(*trader),
            index: None,
        }
    }

    pub(crate) fn of(trader: &Trader, index: usize, after: &Position, pool: Atoms) -> Result<Self> {
        let mut written = Box::new(*trader);
        written.cross_pool = pool.get();
        let slot = written.positions.get_mut(index);
        let slot = slot.ok_or(BallastError::NoPosition)?;
        let distress = slot.distress();
        if after.is_empty() {
            slot.queue_node = NO_NODE;
        }
        let stays = written.store_leg(index, after, &distress)?;
        Ok(Self {
            trader: written,
            index: stays.then_some(index),
        })
    }
}
