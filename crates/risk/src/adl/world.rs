//! A market on its way along a path of prices.

use ballast_engine::liquidation::{health, look, need, Distance, Health, LiquidationInput, Need};
use ballast_engine::oracle::{Action, Now};
use ballast_engine::position::Position;
use ballast_engine::price_levels::liquidation_price;
use ballast_engine::queue::{Queue, QueueRef};
use ballast_engine::units::{LotPrice, Side};
use ballast_state::error::{BallastError, Result};
use ballast_state::market::{Market, Touched};
use ballast_state::pool::Pool;

use super::book::BookAt;
use super::levels::{Levels, Passed};
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
    levels: &'s Levels,
    pub(super) market: Market,
    pub(super) pool: Option<Pool>,
    pub(super) queues: [ballast_client::accounts::QueueSnapshot; 2],
    pub(super) accounts: Vec<Account>,
    fates: Vec<Fate>,
    /// Places by node, of both queues.
    pub(super) owners: [Vec<u32>; 2],
    /// Nodes that got another owner, and the owner before.
    pub(super) given: Vec<(usize, u32, u32)>,
    /// Places that differ from the snapshot, each once.
    changed: Vec<u32>,
    is_changed: Vec<bool>,
    queues_changed: bool,
    hot: Vec<u32>,
    is_hot: Vec<bool>,
    /// Lots of the step for which nobody had the collateral, and the mark then.
    pub(super) stuck: Vec<Option<(u64, LotPrice)>>,
    passed: Passed,
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
            accounts: snapshot.accounts.clone(),
            fates: vec![Fate::default(); count],
            owners,
            given: Vec::new(),
            changed: Vec::new(),
            is_changed: vec![false; count],
            queues_changed: false,
            hot: Vec::new(),
            is_hot: vec![false; count],
            stuck: vec![None; count],
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
        self.reset()?;
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

    /// The market's account as the path left it.
    #[must_use]
    pub const fn market(&self) -> &Market {
        &self.market
    }

    /// The accounts as the path left them, in the order of the snapshot.
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

    fn reset(&mut self) -> Result<()> {
        for place in self.changed.drain(..) {
            let place = index(place);
            self.accounts[place] = self.snapshot.accounts[place];
            self.fates[place] = Fate::default();
            (self.is_changed[place], self.is_hot[place]) = (false, false);
            self.stuck[place] = None;
        }
        for (side, node, before) in self.given.drain(..).rev() {
            self.owners[side][index(node)] = before;
        }
        if self.queues_changed {
            for (queue, start) in self.queues.iter_mut().zip(&self.snapshot.queues) {
                queue.become_like(start);
            }
            self.queues_changed = false;
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
            book.quote(self.touched.mark.price, step.now.unix_timestamp);
        }
        if !self.claimants.is_empty() {
            self.release_profit()?;
        }
        self.find_passed()?;
        for place in self.unhealthy()? {
            self.attend(place)?;
        }
        self.tend_pool()
    }

    fn find_passed(&mut self) -> Result<()> {
        let tick = self.market.oracle.atoms_per_lot_tick;
        let mut found = Vec::new();
        self.passed.take(
            self.levels,
            &self.market.risk,
            (self.touched.mark.price, tick),
            self.touched.funding_index,
            &mut found,
        )?;
        for place in found {
            self.heat(place);
        }
        Ok(())
    }

    /// From now on an account is looked at each price.
    fn heat(&mut self, place: u32) {
        if !core::mem::replace(&mut self.is_hot[index(place)], true) {
            self.hot.push(place);
            self.note_changed(place);
        }
    }

    /// Those of whom a price has passed the level, the worst first. Who is well again is no longer looked
    /// at.
    fn unhealthy(&mut self) -> Result<Vec<u32>> {
        let (mark, mut found) = (self.touched.mark.price, Vec::new());
        let mut hot = core::mem::take(&mut self.hot);
        let mut kept = Vec::with_capacity(hot.len());
        for place in hot.drain(..) {
            let position = self.position(place)?;
            if !position.is_empty() {
                if health(&position, mark, &self.market.risk)? != Health::Healthy {
                    let distance = Distance::of(&position, mark, &self.market.risk)?;
                    found.push((distance, place));
                    kept.push(place);
                    continue;
                }
                let flagged = |world: &Self| world.accounts[index(place)].slot.flagged_slot != 0;
                if flagged(self) {
                    self.flag(place)?;
                }
                if flagged(self) {
                    kept.push(place);
                    continue;
                }
            }
            self.is_hot[index(place)] = false;
            self.note_level(place)?;
        }
        self.hot = kept;
        let key = |place: u32| self.accounts[index(place)].trader;
        found.sort_unstable_by(|(one, a), (other, b)| {
            one.worse_first(other).then(key(*a).cmp(&key(*b)))
        });
        Ok(found.into_iter().map(|(_, place)| place).collect())
    }

    /// What one position in distress needs: the book and insurance first, then deleveraging.
    fn attend(&mut self, place: u32) -> Result<()> {
        if self.position(place)?.is_empty() {
            return Ok(());
        }
        if self.is_still_stuck(place)? {
            return self.flag_stale(place);
        }
        let needed = need(&self.input(place)?)?;
        if needed == Need::Nothing || self.liquidate(place)? {
            return Ok(());
        }
        if self.position(place)?.is_empty() {
            return Ok(());
        }
        self.flag_stale(place)?;
        if need(&self.input(place)?)? == Need::Deleverage {
            self.deleverage(place)?;
        }
        Ok(())
    }

    /// Records how a position stands where what is remembered of it is no longer true.
    fn flag_stale(&mut self, place: u32) -> Result<()> {
        let (mark, slot) = (self.touched.mark.price, self.now.slot);
        let health = health(&self.position(place)?, mark, &self.market.risk)?;
        let distress = self.accounts[index(place)].slot.distress();
        match distress.is_stale(health, slot) {
            true => self.flag(place),
            false => Ok(()),
        }
    }

    /// Records how a position stands.
    pub(super) fn flag(&mut self, place: u32) -> Result<()> {
        let (position, mark) = (self.position(place)?, self.touched.mark.price);
        let look = look(&position, mark, &self.market.risk, true)?;
        let slot = self.now.slot;
        let account = self.account_mut(place);
        let distress = account.slot.distress().flagged(look, slot)?;
        account.slot.store_distress(&distress);
        Ok(())
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

    fn note_changed(&mut self, place: u32) {
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
    pub(super) fn queue_mut(&mut self, side: Side) -> Result<Queue<'_>> {
        self.queues_changed = true;
        let queue = self.queues[of(side)].queue_mut();
        queue.map_err(|_| BallastError::QueueLayout)
    }
}

pub(super) fn queue_of(queue: &ballast_client::accounts::QueueSnapshot) -> Result<QueueRef<'_>> {
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
