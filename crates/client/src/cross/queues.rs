//! The cross queues that a call lists.

use ballast_state::cross::{CrossBoard, LegSlot, Legs};
use ballast_state::error::{BallastError, Result};
use ballast_state::trader::Trader;
use ballast_state::Pubkey;

use super::LegWritten;

/// The cross queues that a call lists, each once. Every record whose queue is there is made anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CrossQueueList {
    queues: Vec<Pubkey>,
}

impl CrossQueueList {
    /// Those that a call needs in any case.
    #[must_use]
    pub fn of(queues: &[Pubkey]) -> Self {
        let mut list = Self::default();
        queues.iter().for_each(|queue| list.add(*queue));
        list
    }

    /// Adds one.
    pub fn add(&mut self, queue: Pubkey) {
        if !self.queues.contains(&queue) {
            self.queues.push(queue);
        }
    }

    /// Adds those of an account's legs whose records would flatter once it is written so, at the board's marks.
    ///
    /// # Errors
    /// Those of [`Legs::at_board`].
    pub fn admit(&mut self, written: &LegWritten, board: &CrossBoard, slot: u64) -> Result<()> {
        let trader = &*written.trader;
        if trader.cross_legs == 0 {
            return Ok(());
        }
        let legs = Legs::at_board(trader, board)?;
        let values = legs.account().values()?;
        let queues = legs.slots().iter().map(|leg| queue_of(trader, board, leg));
        let queues = queues.collect::<Result<Vec<_>>>()?;
        loop {
            let renewed = |place: usize| {
                let own = legs.slots().get(place).map(|leg| leg.index);
                let given = queues.get(place).is_some_and(|it| self.queues.contains(it));
                given || own == written.index && own.is_some()
            };
            let Some(place) = legs.flattered(&values, slot, renewed)? else {
                return Ok(());
            };
            let queue = queues.get(place).copied();
            self.add(queue.ok_or(BallastError::NoPosition)?);
        }
    }

    /// Adds those of all legs of an account.
    ///
    /// # Errors
    /// Those of [`Legs::at_board`].
    pub fn add_all(&mut self, trader: &Trader, board: &CrossBoard) -> Result<()> {
        let legs = Legs::at_board(trader, board)?;
        for leg in legs.slots() {
            self.add(queue_of(trader, board, leg)?);
        }
        Ok(())
    }

    /// In the order in which they were added.
    #[must_use]
    pub fn queues(&self) -> &[Pubkey] {
        &self.queues
    }
}

/// The cross queue that a leg stands in.
fn queue_of(trader: &Trader, board: &CrossBoard, leg: &LegSlot) -> Result<Pubkey> {
    let slot = trader.positions.get(leg.index);
    let side = slot.and_then(|slot| slot.position().ok()?.side());
    let side = side.ok_or(BallastError::NoPosition)?;
    Ok(board.market(leg.place)?.queue(side))
}
