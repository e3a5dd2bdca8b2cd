//! The one door for a change of a position: its slot and triggers, what is remembered of its
//! distress, the queues and the open interest change together, and what the instruction does to
//! traders, fees and insurance must net to zero.

use anchor_lang::prelude::*;
use ballast_engine::{
    distress::Distress, position::Position, queue::CutStamp, settlement::Settlement,
    trade::open_interest_after, units::Atoms,
};
use ballast_state::{
    error::BallastError, market::Market, position_slot::PositionSlot, trader::Trader,
};

use crate::{
    error::{error, OrBallast},
    loaders::queue_account::MarketQueues,
};

/// What is remembered of a position's distress after a change. Of a position that is closed it is
/// nothing in any case.
#[derive(Clone, Copy)]
pub enum Remembered<'a> {
    /// What was remembered before: the position only got smaller, or got margin.
    Before,
    /// Nothing: the position holds the margin it must.
    Nothing,
    /// This, which the engine made of it.
    Recorded(&'a Distress),
}

impl Remembered<'_> {
    /// After a trade: a position that the trade opened, enlarged or flipped holds the margin it
    /// must.
    pub const fn after_trade(reduced_only: bool) -> Self {
        if reduced_only {
            Self::Before
        } else {
            Self::Nothing
        }
    }
}

/// A change of one position.
pub struct Change<'a> {
    /// The trader account.
    pub trader: &'a Pubkey,
    /// The position before, funding paid.
    pub before: &'a Position,
    /// The position afterwards.
    pub after: &'a Position,
    /// What is remembered of its distress.
    pub remembered: Remembered<'a>,
    /// What deleveraging stores in its queue entry; `None` for every other change.
    pub stamp: Option<CutStamp>,
}

/// What one instruction does to the positions of a market.
pub struct PositionChanges<'a, 'info> {
    market: Pubkey,
    queues: &'a MarketQueues<'a, 'info>,
    open_interest: u64,
    settlement: Settlement,
}

impl<'a, 'info> PositionChanges<'a, 'info> {
    /// Nothing yet; `key` is the market's. Neither its fees nor its insurance have moved by then.
    pub fn open(key: Pubkey, market: &Market, queues: &'a MarketQueues<'a, 'info>) -> Self {
        let mut settlement = Settlement::default();
        settlement.market_before(market.fees_atoms, market.insurance.balance);
        Self {
            market: key,
            queues,
            open_interest: market.open_interest_lots,
            settlement,
        }
    }

    /// The first step of every trader that the instruction writes: its free collateral and what
    /// its orders in the market reserve, before any of it has moved.
    pub fn enter(&mut self, free: Atoms, reserve: u64) {
        self.settlement.trader_before(free, reserve);
    }

    /// Sum of long lots, every change so far counted.
    pub const fn open_interest(&self) -> u64 {
        self.open_interest
    }

    /// Sum of long lots after one more change.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn open_interest_after(&self, before: &Position, after: &Position) -> Result<u64> {
        open_interest_after(self.open_interest, &[(before.lots, after.lots)]).or_ballast()
    }

    /// Changes the position of `slot`.
    ///
    /// # Errors
    /// `QueueFull`, `BankruptcyPriceOutOfRange`, `Unbalanced`.
    #[inline(never)]
    pub fn apply(&mut self, slot: &mut PositionSlot, change: &Change) -> Result<()> {
        let (before, after) = (change.before, change.after);
        let stored = slot.position()?;
        self.settlement
            .position(&stored, after, before.funding_index)
            .or_ballast()?;
        slot.store(after);
        match change.remembered {
            Remembered::Before if !after.is_empty() => {}
            Remembered::Recorded(distress) if !after.is_empty() => slot.store_distress(distress),
            _ => slot.store_distress(&Distress::NONE),
        }
        match change.stamp.filter(|_| !after.is_empty()) {
            Some(stamp) => {
                let (side, node) = (after.side(), slot.queue_node);
                let side = side.ok_or_else(|| error!(BallastError::NoPosition))?;
                let update = |queue: &mut ballast_engine::queue::Queue<'_>| {
                    queue.update_cut(node, after, stamp).or_ballast()
                };
                self.queues.write(side, update)?;
            }
            None => self.queues.sync(change.trader, before.side(), slot)?,
        }
        self.open_interest = self.open_interest_after(before, after)?;
        Ok(())
    }

    /// The last step of every trader whose slot in the market has changed: frees the slot when it
    /// holds nothing any more, and checks it and the account's own fields.
    ///
    /// # Errors
    /// `TraderInvariant`.
    pub fn leave(&mut self, trader: &mut Trader) -> Result<()> {
        let reserve = trader.release_if_closed(&self.market).or_ballast()?;
        self.settlement.trader_after(trader.free(), reserve);
        trader.invariant_of(&self.market).or_ballast()
    }

    /// The last step of a trader who keeps its position, instead of [`Self::leave`]. The caller
    /// checks the account.
    pub fn leave_open(&mut self, free: Atoms, reserve: u64) {
        self.settlement.trader_after(free, reserve);
    }

    /// Atoms that a trader has given and that are paid to somebody once the settlement is closed.
    pub fn owe(&mut self, amount: u64) {
        self.settlement.owed(amount);
    }

    /// Checks that everything nets to zero, once every trader has left and fees and insurance are
    /// booked.
    ///
    /// # Errors
    /// `Unbalanced`.
    pub fn settle(&mut self, market: &Market) -> Result<()> {
        self.settlement
            .market_after(market.fees_atoms, market.insurance.balance);
        self.settlement.close().or_ballast()
    }

    /// Checks that everything nets to zero, as [`Self::settle`] does, and books the open interest.
    ///
    /// # Errors
    /// `Unbalanced`.
    pub fn close(&mut self, market: &mut Market) -> Result<()> {
        self.settle(market)?;
        market.open_interest_lots = self.open_interest;
        Ok(())
    }
}
