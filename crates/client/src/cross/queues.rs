//! The cross queues that a call lists.

use ballast_engine::units::Side;
use ballast_state::cross::{CrossBoard, LegSlot, Legs};
use ballast_state::error::{BallastError, Result};
use ballast_state::market::Market;
use ballast_state::seeds::BOARD_ADDRESS;
use ballast_state::trader::Trader;
use ballast_state::Pubkey;

use super::{LegWritten, Traders};

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
                let given = queues.get(place).copied().flatten();
                let given = given.is_some_and(|it| self.queues.contains(&it));
                given || own == written.index && own.is_some()
            };
            let Some(place) = legs.flattered(&values, slot, renewed)? else {
                return Ok(());
            };
            let queue = queues.get(place).copied().flatten();
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
            if let Some(queue) = queue_of(trader, board, leg)? {
                self.add(queue);
            }
        }
        Ok(())
    }

    /// Adds those that are written where orders on `side` of `makers` are filled; whether orders of legs are among
    /// them. Of a maker whose account is not known nothing is added.
    ///
    /// # Errors
    /// `CrossDisabled`; those of [`Legs::at_board`].
    pub fn add_makers(
        &mut self,
        makers: &[Pubkey],
        side: Side,
        traders: &dyn Traders,
        (key, market): (&Pubkey, &Market),
        board: &CrossBoard,
    ) -> Result<bool> {
        let mut any = false;
        for maker in makers {
            let Some(trader) = traders.trader(maker) else {
                continue;
            };
            if trader.find_cross(key).is_none() {
                continue;
            }
            any = true;
            self.add(board.market(board.place(market)?)?.queue(side));
            self.add_all(trader, board)?;
        }
        Ok(any)
    }

    /// In the order in which they were added.
    #[must_use]
    pub fn queues(&self) -> &[Pubkey] {
        &self.queues
    }
}

/// The accounts that a call lists which takes orders on `side` of `makers`, best first: where orders of legs are
/// among them, the board and the cross queues that are written before them.
///
/// # Errors
/// Those of [`CrossQueueList::add_makers`].
pub fn listed(
    makers: &[Pubkey],
    side: Side,
    traders: &dyn Traders,
    market: (&Pubkey, &Market),
    board: Option<&CrossBoard>,
) -> Result<Vec<Pubkey>> {
    let Some(board) = board else {
        return Ok(makers.to_vec());
    };
    let mut queues = CrossQueueList::default();
    if !queues.add_makers(makers, side, traders, market, board)? {
        return Ok(makers.to_vec());
    }
    Ok([&[BOARD_ADDRESS], queues.queues(), makers].concat())
}

/// The cross queue that a leg stands in; `None` where there are orders alone.
fn queue_of(trader: &Trader, board: &CrossBoard, leg: &LegSlot) -> Result<Option<Pubkey>> {
    let slot = trader.positions.get(leg.index);
    let side = slot.and_then(|slot| slot.position().ok()?.side());
    let queue = side.map(|side| Ok(board.market(leg.place)?.queue(side)));
    queue.transpose()
}
