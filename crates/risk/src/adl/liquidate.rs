//! How keepers liquidate: the book takes lots first, then a liquidator that can afford the rest, then the
//! pool, each by what the engine decides.

use ballast_client::liquidation::{affordable, Backing};
use ballast_engine::liquidation::{health, look, need, LiquidationPlan, Need, Waterfall};
use ballast_engine::pool::{back, PoolAssets};
use ballast_engine::reward::rescue_reward;
use ballast_engine::trade::{open_interest_after, take_over, PartyInput, PartyOutcome};
use ballast_engine::units::{Atoms, LotPrice, Lots, Side};
use ballast_state::error::{BallastError, Result};
use ballast_state::pool::Taken;

use super::world::{index, signed, World};

/// How keepers back what they take over.
pub const BACKING: Backing = Backing {
    margin_bps: 2_500,
    room_bps: 10_500,
};
/// Calls for one position at one price.
pub const MOST_CALLS: usize = 12;

/// Who takes over what the book leaves.
#[derive(Clone, Copy)]
enum By {
    /// The account at this place, with so much margin, atoms.
    Liquidator(u32, u64),
    /// The pool.
    Pool,
    /// Nobody.
    Book,
}

impl World<'_> {
    /// Liquidates a position as far as the book, the liquidators and the pool can. Whether it is closed,
    /// well again, or waits for its next step.
    pub(super) fn liquidate(&mut self, place: u32) -> Result<bool> {
        for _ in 0..MOST_CALLS {
            if self.position(place)?.is_empty() {
                return Ok(true);
            }
            if matches!(need(&self.input(place)?)?, Need::Nothing | Need::Wait) {
                return Ok(true);
            }
            if !self.liquidate_once(place)? {
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// One call. Whether it did anything.
    fn liquidate_once(&mut self, place: u32) -> Result<bool> {
        let rest = self.rest(place)?;
        if let Some(rest) = rest {
            let whole = self.position(place)?.size();
            for at in 0..self.snapshot.liquidators.len() {
                let liquidator = u32::try_from(self.snapshot.liquidators[at]).unwrap_or(u32::MAX);
                if liquidator == place {
                    continue;
                }
                if let Some(margin) = self.afforded(liquidator, rest, whole)? {
                    if self.call(place, By::Liquidator(liquidator, margin))? {
                        return Ok(true);
                    }
                }
            }
        }
        let pool = self.snapshot.pool.map(|at| at.account);
        if pool.is_some_and(|pool| pool != index(place)) && self.call(place, By::Pool)? {
            return Ok(true);
        }
        self.liquidate_into_book(place)
    }

    /// Lets the book alone take lots of a position. Whether it took any.
    pub(super) fn liquidate_into_book(&mut self, place: u32) -> Result<bool> {
        let side = self.position(place)?.side();
        Ok(self.best_of_book(side).is_some() && self.call(place, By::Book)?)
    }

    /// The best price at which the book takes lots of a position of a side, once its makers have answered.
    fn best_of_book(&mut self, side: Option<Side>) -> Option<LotPrice> {
        self.book.as_mut()?.best_price(side?)
    }

    /// What the book leaves to a liquidator; `None` where insurance would have to pay more than it can.
    fn rest(&mut self, place: u32) -> Result<Option<(Lots, Atoms)>> {
        let best = self.best_of_book(self.position(place)?.side());
        let input = self.input(place)?;
        let state = health(&input.position, input.mark, input.params)?;
        if state.is_uncovered(input.insurance_available) {
            return Ok(None);
        }
        let mut waterfall = Waterfall::begin(&input, true)?;
        if let Some(book) = self.book.as_ref().filter(|_| meets(&waterfall, best)) {
            waterfall.descend(&mut book.clone())?;
        }
        let plan = waterfall.finish(true)?;
        if plan.lots.is_zero() {
            return Ok(None);
        }
        let fill = plan.liquidator_fill()?;
        Ok(Some(fill.unwrap_or((Lots::ZERO, Atoms::ZERO))))
    }

    /// The margin that a liquidator puts behind `rest` of a position of `whole` lots, if it can.
    fn afforded(&self, place: u32, rest: (Lots, Atoms), whole: u64) -> Result<Option<u64>> {
        let (held, free) = (self.position(place)?, self.accounts[index(place)].free);
        let mut mark = self.touched.mark;
        mark.average = None;
        let free = Atoms::new(free);
        let risk = &self.market.risk;
        Ok(affordable(risk, &mark, &held, free, rest, whole, &BACKING)?)
    }

    /// One step of a liquidation, taken over `by` somebody. Whether lots were closed.
    fn call(&mut self, place: u32, by: By) -> Result<bool> {
        let best = self.best_of_book(self.position(place)?.side());
        let input = self.input(place)?;
        let Ok(mut waterfall) = Waterfall::begin(&input, !matches!(by, By::Book)) else {
            return Ok(false);
        };
        let mut book = self
            .book
            .as_ref()
            .filter(|_| meets(&waterfall, best))
            .cloned();
        if let Some(book) = &mut book {
            waterfall.descend(book)?;
        }
        let mut low = 0;
        if matches!(by, By::Pool) {
            (waterfall, low) = self.offered(waterfall)?;
        }
        let plan = waterfall.finish(true)?;
        if plan.lots.is_zero() {
            return Ok(false);
        }
        let taker = match self.taker(place, by, &plan) {
            Ok(taker) => taker,
            Err(_) => return Ok(false),
        };
        if let Some(book) = book {
            let before = self.book.as_ref().map_or(0, |book| book.bought);
            self.count_makers(book.bought - before, before)?;
            self.book = Some(book);
        }
        self.settle(place, &plan, taker, low)?;
        Ok(true)
    }

    /// The waterfall with the pool in the liquidator's place, and what the pool is worth, atoms.
    fn offered<'a>(&'a self, waterfall: Waterfall<'a>) -> Result<(Waterfall<'a>, u64)> {
        let (Some(pool), Some(assets)) = (&self.pool, self.pool_assets()?) else {
            return Err(BallastError::WrongPool);
        };
        let market = &self.market;
        let low = pool.worth(&assets, market, &self.touched, 0)?.low;
        let offer = waterfall.offer()?;
        let room = self.queue(offer.side)?.has_room();
        let taker = pool.taker(market, &assets, low, self.now.slot, room)?;
        let lots = taker.take(&market.risk, self.touched.mark.price, &offer)?;
        let alone = market.insurance_available(self.now.slot)?;
        let premium = pool.params.premium_in(&market.risk);
        Ok((waterfall.into_pool(lots, premium, alone), low))
    }

    /// What the pool has.
    pub(super) fn pool_assets(&self) -> Result<Option<PoolAssets>> {
        let Some(at) = self.snapshot.pool else {
            return Ok(None);
        };
        let account = &self.accounts[at.account];
        let free = u64::try_from(account.free).map_err(|_| BallastError::Overflow)?;
        Ok(Some(PoolAssets {
            free,
            position: self.market.settled(&account.slot)?,
            held: self.market.held.value(&account.slot.held_claim())?,
        }))
    }

    /// What whoever takes over the rest of `plan` becomes; `None` where the book took everything.
    fn taker(
        &self,
        victim: u32,
        by: By,
        plan: &LiquidationPlan,
    ) -> Result<Option<(u32, PartyOutcome)>> {
        let whole = plan.position_after.size() + plan.lots.size();
        let Some((lots, quote)) = plan.liquidator_fill()? else {
            return Ok(None);
        };
        let (risk, mark) = (&self.market.risk, &self.touched.mark);
        let of = |place: u32| -> Result<_> {
            let free = Atoms::new(self.accounts[index(place)].free);
            Ok((self.position(place)?, free))
        };
        let taken = match (by, &self.pool, self.snapshot.pool) {
            (By::Liquidator(place, margin), ..) if place != victim => {
                let (position, free) = of(place)?;
                let input = PartyInput {
                    position,
                    free,
                    margin_to_add: margin,
                };
                (place, take_over(risk, mark, &input, lots, quote, whole)?)
            }
            (By::Pool, Some(pool), Some(at)) => {
                let place = u32::try_from(at.account).map_err(|_| BallastError::Overflow)?;
                let (position, free) = of(place)?;
                let fill = (lots, quote);
                let party = back(&pool.params, risk, mark, position, free, fill, whole)?;
                (place, party)
            }
            _ => return Err(BallastError::NothingFilled),
        };
        let (before, after) = (self.position(taken.0)?.side(), taken.1.position.side());
        if let Some(side) = after.filter(|_| before != after) {
            if !self.queue(side)?.has_room() {
                return Err(BallastError::QueueFull);
            }
        }
        Ok(Some(taken))
    }

    /// The open interest follows what the makers bought.
    pub(super) fn count_makers(&mut self, lots: i64, before: i64) -> Result<()> {
        let change = [(Lots::new(before)?, Lots::new(before + lots)?)];
        let open = open_interest_after(self.market.open_interest_lots, &change)?;
        self.market.open_interest_lots = open;
        Ok(())
    }

    /// Books a step: insurance pays and earns, the victim and who takes over change, profit is held.
    fn settle(
        &mut self,
        place: u32,
        plan: &LiquidationPlan,
        taker: Option<(u32, PartyOutcome)>,
        low: u64,
    ) -> Result<()> {
        let (slot, whole) = (self.now.slot, plan.position_after.size() + plan.lots.size());
        let paid = self.market.pay_deficit(plan.insurance_paid_atoms, slot)?;
        self.outcome.insurance_paid += paid.insured + plan.premium_atoms;
        if plan.premium_atoms > 0 {
            self.market.pay_premium(plan.premium_atoms, slot)?;
        }
        self.market.earn_insurance(plan.insurance_fee_atoms)?;
        let mut profits = Vec::new();
        let mark = self.touched.mark.price;
        let left = look(&plan.position_after, mark, &self.market.risk, true)?;
        let distress = self.accounts[index(place)].slot.distress();
        let distress = plan.remembered(&distress, left, slot)?;
        self.change(place, &plan.position_after, &distress, None)?;
        self.account_mut(place).free += plan.victim_payout.get();
        self.fate_mut(place).liquidated = true;
        let profit = self.leave(place, plan.victim_payout.get(), None)?;
        note_profit(&mut profits, place, profit);
        let reward = self.reward(plan, whole)?;
        self.settle_taker(plan, taker, reward, low, &mut profits)?;
        self.hold(&profits)
    }

    /// The reward for lots that insurance rescued, out of the fees, atoms.
    fn reward(&mut self, plan: &LiquidationPlan, whole: u64) -> Result<u64> {
        let saved = plan.insurance_paid_atoms;
        if saved == 0 {
            return Ok(0);
        }
        let (fees, closed) = (self.market.fees_atoms, plan.lots.size());
        let reward = self.market.risk.adl.reward_atoms;
        let reward = rescue_reward(reward, fees, closed, whole, saved)?;
        self.market.fees_atoms = fees - reward;
        Ok(reward)
    }

    fn settle_taker(
        &mut self,
        plan: &LiquidationPlan,
        taker: Option<(u32, PartyOutcome)>,
        reward: u64,
        low: u64,
        profits: &mut Vec<(u32, u64)>,
    ) -> Result<()> {
        let pool = self.snapshot.pool.map(|at| at.account);
        let pays = |place: u32| pool == Some(index(place));
        let earned = signed(plan.reward_atoms + reward)?;
        // Who takes over gets the rewards; with the pool or the book alone, the first keeper does.
        let keeper = match &taker {
            Some((place, _)) if !pays(*place) => Some(*place),
            _ => None,
        };
        if keeper.is_none() {
            self.pay_first(earned)?;
        }
        let Some((place, party)) = taker else {
            return Ok(());
        };
        self.wake(place)?;
        let before = self.position(place)?;
        let free = self.accounts[index(place)].free;
        let turned = before.side().is_some() && before.side() != party.position.side();
        let opened =
            (turned && !party.position.is_empty()).then(|| party.position.margin.positive_part());
        let distress = match party.reduced_only {
            true => self.accounts[index(place)].slot.distress(),
            false => ballast_engine::distress::Distress::NONE,
        };
        self.change(place, &party.position, &distress, None)?;
        let extra = match keeper {
            Some(_) => earned,
            None => signed(plan.premium_atoms)?,
        };
        self.account_mut(place).free = party.free.get() + extra;
        let profit = self.leave(place, party.free.get() - free, opened)?;
        note_profit(profits, place, profit);
        if !party.reduced_only {
            self.note_level(place)?;
        }
        if keeper.is_none() {
            self.note_take(plan, before.lots, low)?;
        }
        Ok(())
    }

    /// The first liquidator gets a reward; without one it leaves the market.
    pub(super) fn pay_first(&mut self, atoms: i64) -> Result<()> {
        match self.snapshot.liquidators.first() {
            Some(place) => {
                let place = u32::try_from(*place).map_err(|_| BallastError::Overflow)?;
                self.account_mut(place).free += atoms;
            }
            None => self.paid_out += i128::from(atoms),
        }
        Ok(())
    }

    /// The pool remembers what it took.
    fn note_take(&mut self, plan: &LiquidationPlan, before: Lots, low: u64) -> Result<()> {
        let Some((lots, _)) = plan.liquidator_fill()? else {
            return Ok(());
        };
        let mark = self.touched.mark.price;
        self.outcome.pool_notional += mark.notional(lots.size())?;
        if let Some(pool) = &mut self.pool {
            pool.took(&Taken {
                slot: self.now.slot,
                low,
                mark,
                before,
                after: before.try_add(lots)?,
                discount: plan.discount_atoms,
                premium: plan.premium_atoms,
            })?;
        }
        Ok(())
    }
}

/// Whether the book takes lots at its best price.
fn meets(waterfall: &Waterfall<'_>, best: Option<LotPrice>) -> bool {
    best.is_some_and(|price| waterfall.meets(price))
}

fn note_profit(profits: &mut Vec<(u32, u64)>, place: u32, profit: u64) {
    if profit > 0 {
        profits.push((place, profit));
    }
}
