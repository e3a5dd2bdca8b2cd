//! A market on its way along a path of prices.

use core::cell::{Cell, RefCell};

use ballast_client::accounts::QueueSnapshot;
use ballast_engine::liquidation::LiquidationInput;
use ballast_engine::oracle::{Action, Now};
use ballast_engine::position::Position;
use ballast_engine::price_levels::liquidation_price;
use ballast_engine::queue::{Queue, QueueRef};
use ballast_engine::slab::Journal;
use ballast_engine::units::Side;
use ballast_state::error::{BallastError, Result};
use ballast_state::market::{Market, Touched};
use ballast_state::pool::Pool;

use super::attend::{Due, Turn};
use super::book::BookAt;
use super::levels::{Levels, Passed};
use super::sleep::Sleepers;
use super::snapshot::{of, Account, Snapshot, Step};

/// What a path did to a trader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// Lots cut.
    pub cut_lots: u64,
    /// Profit given up against closing at the mark, atoms.
    pub gave_up: u64,
    /// Slot of the first cut; 0 without one.
    pub cut_slot: u64,
    /// Whether a cut closed the position.
    pub closed: bool,
    /// Whether lots were liquidated.
    pub liquidated: bool,
    /// Lots of the position that was itself deleveraged, being bankrupt.
    pub bankrupt_lots: u64,
}

/// What a path did to the market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Lots deleveraged.
    pub adl_lots: u64,
    /// Their worth at the marks at which they were, atoms.
    pub adl_notional: u64,
    /// Paid by insurance, atoms.
    pub insurance_paid: u64,
    /// Notional that the pool took over, atoms.
    pub pool_notional: u64,
    /// Prices that keepers could not act on.
    pub unusable: u64,
    /// Bankrupt positions for which nobody was left to cut, counted once a price.
    pub left_open: u64,
}

/// A market on its way along a path, on copies that become the snapshot again for the next path.
#[derive(Debug)]
pub struct World<'s> {
    pub(super) snapshot: &'s Snapshot,
    pub(super) levels: &'s Levels,
    pub(super) market: Market,
    pub(super) pool: Option<Pool>,
    queues: [QueueSnapshot; 2],
    /// Nodes of the queues that differ from the snapshot.
    logs: [NodeLog; 2],
    pub(super) accounts: Vec<Account>,
    fates: Vec<Fate>,
    /// Places by node, of both queues.
    pub(super) owners: [Vec<u32>; 2],
    /// Nodes that got another owner, and the owner before.
    pub(super) given: Vec<(usize, u32, u32)>,
    /// Places that differ from the snapshot, each once.
    changed: Vec<u32>,
    is_changed: Vec<bool>,
    /// Places of those who are looked at each price, some of whom may sleep.
    pub(super) hot: Vec<u32>,
    pub(super) is_hot: Vec<bool>,
    pub(super) sleepers: Sleepers,
    /// Nobody sleeps.
    #[cfg(test)]
    pub(super) wakeful: bool,
    /// Sides of whose sleepers somebody could take lots at this price.
    pub(super) absorbs: [bool; 2],
    pub(super) turn: Turn,
    /// Room for those whom a price concerns.
    pub(super) due: Vec<Due>,
    pub(super) passed: Passed,
    /// Places of those whose profit is held.
    pub(super) claimants: Vec<u32>,
    pub(super) book: Option<BookAt>,
    pub(super) now: Now,
    pub(super) touched: Touched,
    pub(super) outcome: Outcome,
    /// Atoms that left the market's ledgers for somebody outside.
    pub(super) paid_out: i128,
}

impl<'s> World<'s> {
    /// The world of `snapshot` before a path; `levels` are its own.
    ///
    /// # Errors
    /// `PriceOutOfRange`; `QueueLayout`.
    pub fn new(snapshot: &'s Snapshot, levels: &'s Levels) -> Result<Self> {
        let mut owners = [Vec::new(), Vec::new()];
        for (list, queue) in owners.iter_mut().zip(&snapshot.queues) {
            *list = vec![u32::MAX; queue_of(queue)?.capacity()];
        }
        let mut claimants = Vec::new();
        for (place, account) in (0_u32..).zip(&snapshot.accounts) {
            let slot = &account.slot;
            if let Some(side) = slot.position()?.side() {
                owners[of(side)][index(slot.queue_node)] = place;
            }
            if slot.held_shares > 0 {
                claimants.push(place);
            }
        }
        let count = snapshot.accounts.len();
        Ok(Self {
            snapshot,
            levels,
            market: snapshot.market,
            pool: snapshot.pool.map(|at| at.pool),
            queues: snapshot.queues.clone(),
            logs: Default::default(),
            accounts: snapshot.accounts.clone(),
            fates: vec![Fate::default(); count],
            owners,
            given: Vec::new(),
            changed: Vec::new(),
            is_changed: vec![false; count],
            hot: Vec::new(),
            is_hot: vec![false; count],
            sleepers: Sleepers::new(count),
            #[cfg(test)]
            wakeful: false,
            absorbs: [false; 2],
            turn: Turn::Before,
            due: Vec::new(),
            passed: Passed::default(),
            claimants,
            book: None,
            now: snapshot.at.now,
            touched: at_snapshot(snapshot)?,
            outcome: Outcome::default(),
            paid_out: 0,
        })
    }

    /// Plays a path from the snapshot on, whatever was played before.
    ///
    /// # Errors
    /// Those of the engine for a snapshot that no market can be in.
    pub fn play(&mut self, path: &[Step]) -> Result<()> {
        self.rewind()?;
        for step in path {
            self.step(step)?;
        }
        Ok(())
    }

    /// Those whom the path has touched, and what it did to them.
    pub fn touched(&self) -> impl Iterator<Item = (usize, &Fate)> {
        let places = self.changed.iter().map(|place| index(*place));
        places.map(|place| (place, &self.fates[place]))
    }

    /// What the path did to the market.
    #[must_use]
    pub const fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// The queues of longs and of shorts as the path left them.
    #[must_use]
    pub const fn queues(&self) -> &[QueueSnapshot; 2] {
        &self.queues
    }

    /// The market's account as the path left it.
    #[must_use]
    pub const fn market(&self) -> &Market {
        &self.market
    }

    /// The accounts as the path left them, in the order of the snapshot. What is remembered of a position
    /// that nobody can take over may be of an earlier price.
    #[must_use]
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// What the path did to an account.
    #[must_use]
    pub fn fate(&self, place: usize) -> &Fate {
        &self.fates[place]
    }

    /// What all ledgers hold together at the last price, atoms: the same at every price.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn total(&self) -> Result<i128> {
        let mark = self.touched.mark.price;
        let mut sum = self.paid_out
            + i128::from(self.market.insurance.balance)
            + i128::from(self.market.fees_atoms)
            + i128::from(self.market.held.atoms)
            + self.book.as_ref().map_or(0, |book| book.gained(mark));
        for account in &self.accounts {
            let position = self.market.settled(&account.slot)?;
            sum += i128::from(account.free) + i128::from(position.equity(mark)?.get());
        }
        Ok(sum)
    }

    /// Undoes the path: the world is the snapshot again, bit for bit.
    ///
    /// # Errors
    /// `PriceOutOfRange`.
    pub fn rewind(&mut self) -> Result<()> {
        self.sleepers.reset(&self.changed);
        for place in self.changed.drain(..) {
            let place = index(place);
            self.accounts[place] = self.snapshot.accounts[place];
            self.fates[place] = Fate::default();
            (self.is_changed[place], self.is_hot[place]) = (false, false);
        }
        for (side, node, before) in self.given.drain(..).rev() {
            self.owners[side][index(node)] = before;
        }
        let queues = self.queues.iter_mut().zip(&self.snapshot.queues);
        for ((queue, start), log) in queues.zip(&mut self.logs) {
            log.undo(queue, start);
        }
        self.market = self.snapshot.market;
        self.pool = self.snapshot.pool.map(|at| at.pool);
        self.now = self.snapshot.at.now;
        self.touched = at_snapshot(self.snapshot)?;
        let accounts = (0_u32..).zip(&self.snapshot.accounts);
        if self.market.held.shares > 0 || !self.claimants.is_empty() {
            let held = accounts.filter(|(_, account)| account.slot.held_shares > 0);
            self.claimants = held.map(|(place, _)| place).collect();
        }
        self.book = self.snapshot.depth.map(|depth| {
            let tick = self.market.oracle.atoms_per_lot_tick;
            let time = self.now.unix_timestamp;
            BookAt::new(depth, tick, self.touched.mark.price, time)
        });
        (self.outcome, self.paid_out) = (Outcome::default(), 0);
        self.passed.reset();
        self.hot.clear();
        for place in &self.levels.hot {
            self.heat(*place);
        }
        Ok(())
    }

    /// One price: makers quote, keepers act.
    fn step(&mut self, step: &Step) -> Result<()> {
        self.now = step.now;
        // What serves to force a position serves for funding too, which goes on where it does not.
        let Ok(touched) = self.market.touch(step.price, Action::FORCE, step.now, 0) else {
            // Refused as well where the price serves for nothing; then nothing has changed.
            self.market
                .touch(step.price, Action::Funding, step.now, 0)
                .ok();
            self.outcome.unusable += 1;
            return Ok(());
        };
        self.touched = touched;
        if let Some(book) = &mut self.book {
            book.see(self.touched.mark.price, step.now.unix_timestamp);
        }
        self.turn = Turn::Before;
        self.sleepers.look(step.now.slot);
        if !self.claimants.is_empty() {
            self.release_profit()?;
        }
        self.attend_all()?;
        self.tend_pool()
    }

    /// The position of an account, funding paid.
    pub(super) fn position(&self, place: u32) -> Result<Position> {
        self.market.settled(&self.accounts[index(place)].slot)
    }

    /// What a liquidation of an account depends on.
    pub(super) fn input(&self, place: u32) -> Result<LiquidationInput<'_>> {
        let slot = &self.accounts[index(place)].slot;
        Ok(LiquidationInput {
            position: self.market.settled(slot)?,
            mark: self.touched.mark.price,
            params: &self.market.risk,
            slot: self.now.slot,
            distress: slot.distress(),
            insurance_available: self.market.deficit_cover(self.now.slot)?,
        })
    }

    /// An account, to be changed.
    pub(super) fn account_mut(&mut self, place: u32) -> &mut Account {
        self.note_changed(place);
        &mut self.accounts[index(place)]
    }

    /// What becomes of an account, to be changed.
    pub(super) fn fate_mut(&mut self, place: u32) -> &mut Fate {
        self.note_changed(place);
        &mut self.fates[index(place)]
    }

    pub(super) fn note_changed(&mut self, place: u32) {
        if !core::mem::replace(&mut self.is_changed[index(place)], true) {
            self.changed.push(place);
        }
    }

    /// Notes the liquidation price of a position that was opened or enlarged.
    pub(super) fn note_level(&mut self, place: u32) -> Result<()> {
        let position = self.position(place)?;
        let tick = self.market.oracle.atoms_per_lot_tick;
        if self.is_hot[index(place)] {
            return Ok(());
        }
        if let Some(side) = position.side() {
            if let Some(price) = liquidation_price(&position, &self.market.risk, tick)? {
                self.passed.note(side, price.get(), place);
            }
        }
        Ok(())
    }

    /// Who owns the node of a queue.
    pub(super) fn owner(&self, side: Side, node: u32) -> Result<u32> {
        let owner = self.owners[of(side)].get(index(node)).copied();
        let owner = owner.filter(|place| *place != u32::MAX);
        owner.ok_or(BallastError::TreeCorrupt)
    }

    /// A queue, to read.
    pub(super) fn queue(&self, side: Side) -> Result<QueueRef<'_>> {
        queue_of(&self.queues[of(side)])
    }

    /// A queue, to be changed.
    pub(super) fn queue_mut(&mut self, side: Side) -> Result<Queue<'_, &NodeLog>> {
        let log = &self.logs[of(side)];
        log.touched.set(true);
        let queue = self.queues[of(side)].queue_noting(log);
        queue.map_err(|_| BallastError::QueueLayout)
    }
}

/// The nodes of a queue that have changed.
#[derive(Debug, Default)]
pub(super) struct NodeLog {
    nodes: RefCell<Vec<u32>>,
    touched: Cell<bool>,
}

impl Journal for &NodeLog {
    fn note(self, index: u32) {
        self.nodes.borrow_mut().push(index);
    }
}

impl NodeLog {
    fn undo(&mut self, queue: &mut QueueSnapshot, start: &QueueSnapshot) {
        let nodes = self.nodes.get_mut();
        if core::mem::take(self.touched.get_mut()) {
            queue.restore(start, nodes);
        }
        nodes.clear();
    }
}

pub(super) fn queue_of(queue: &QueueSnapshot) -> Result<QueueRef<'_>> {
    queue.queue().map_err(|_| BallastError::QueueLayout)
}

fn at_snapshot(snapshot: &Snapshot) -> Result<Touched> {
    let price = snapshot.at.price;
    let market = &snapshot.market;
    Ok(Touched {
        price,
        mark: price.mark(market.oracle.atoms_per_lot_tick)?,
        earlier: None,
        funding_index: market.funding.index,
    })
}

pub(super) fn index(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

/// Atoms with a sign.
pub(super) fn signed(atoms: u64) -> Result<i64> {
    i64::try_from(atoms).map_err(|_| BallastError::Overflow)
}
