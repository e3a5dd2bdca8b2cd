//! Positions below maintenance that nobody can take over are left alone until something changes for them:
//! asking again at every price would find the same.
//!
//! Such a position sleeps while
//! - the book holds nothing on its side, and the pool would take nothing of it;
//! - no liquidator has what it would back the least step with. The step of a position gets no smaller
//!   while its equity and the price get no better, and no smaller with time;
//! - its equity is not negative, and neither price nor funding are better for it than some distance above
//!   where it fell asleep.
//!
//! Keepers go on looking at it, as the clocks of its distress count: these looks are made up for when it wakes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use ballast_engine::liquidation::{health, Distance, Health, LiquidationInput, Waterfall};
use ballast_engine::pool::Offer;
use ballast_engine::position::Position;
use ballast_engine::price_levels::{bankruptcy_price, liquidation_price};
use ballast_engine::units::{Bps, LotPrice, Side};
use ballast_state::error::{BallastError, Result};

use super::attend::{Due, Turn};
use super::liquidate::BACKING;
use super::snapshot::{of, SIDES};
use super::world::{index, signed, World};

/// How much better price and funding may become for a position before it is asked for again, basis points of
/// the price: the most that leaves its step large enough.
const EASE_BPS: [u64; 5] = [200, 50, 10, 2, 0];
/// The same of funding alone, for a position of which nobody could take even the smallest step.
const FUNDING_EASE_BPS: u64 = 2;

/// A sleeping position.
#[derive(Clone, Copy, Debug)]
struct Asleep {
    /// Which sleep, from 0 in a path.
    number: u32,
    side: Side,
    /// Looks that were made before.
    looks: usize,
}

/// An entry of a heap: what it is ordered by, which sleep, and the place.
type Entry = (i64, u32, u32);

/// Prices and funding of a side at which sleepers wake. Prices and indices are taken with the sign of the
/// side, so that more is better for a long and for a short.
#[derive(Clone, Debug, Default)]
struct Turns {
    /// Above this price.
    better: BinaryHeap<Reverse<Entry>>,
    /// Below this price less the funding index.
    bankrupt: BinaryHeap<Entry>,
    /// Below this funding index.
    funded: BinaryHeap<Entry>,
}

/// Those who sleep.
#[derive(Clone, Debug)]
pub(super) struct Sleepers {
    asleep: Vec<Option<Asleep>>,
    count: [usize; 2],
    /// Of each side, some of whom are awake.
    places: [Vec<(u32, u32)>; 2],
    turns: [Turns; 2],
    /// By the lots of the least step.
    lots: BinaryHeap<Reverse<(u64, u32, u32)>>,
    next: u32,
    /// Slots of the looks so far.
    looks: Vec<u64>,
    /// Those who woke while others were attended to and whose turn is still to come.
    woken: Vec<Due>,
}

/// What lets a position sleep.
struct Bounds {
    lots: u64,
    better: i64,
    bankrupt: i64,
    funded: i64,
}

impl Sleepers {
    /// Nobody of so many sleeps.
    pub fn new(accounts: usize) -> Self {
        Self {
            asleep: vec![None; accounts],
            count: [0; 2],
            places: Default::default(),
            turns: Default::default(),
            lots: BinaryHeap::new(),
            next: 0,
            looks: Vec::new(),
            woken: Vec::new(),
        }
    }

    /// Forgets everything; `places` are all that may sleep.
    pub fn reset(&mut self, places: &[u32]) {
        for place in places {
            self.asleep[index(*place)] = None;
        }
        self.count = [0; 2];
        for (places, turns) in self.places.iter_mut().zip(&mut self.turns) {
            places.clear();
            turns.better.clear();
            turns.bankrupt.clear();
            turns.funded.clear();
        }
        self.lots.clear();
        self.looks.clear();
        self.woken.clear();
        self.next = 0;
    }

    /// How often somebody has fallen asleep on the path.
    #[cfg(test)]
    pub const fn sleeps(&self) -> u32 {
        self.next
    }

    /// Keepers look at a slot.
    pub fn look(&mut self, slot: u64) {
        self.looks.push(slot);
    }

    fn any(&self) -> bool {
        self.count != [0; 2]
    }

    /// Whether somebody sleeps.
    pub fn holds(&self, place: u32) -> bool {
        self.asleep[index(place)].is_some()
    }

    fn is(&self, number: u32, place: u32) -> bool {
        self.asleep[index(place)].is_some_and(|asleep| asleep.number == number)
    }

    fn add(&mut self, place: u32, side: Side, bounds: &Bounds) {
        let number = self.next;
        self.next += 1;
        self.asleep[index(place)] = Some(Asleep {
            number,
            side,
            looks: self.looks.len(),
        });
        self.count[of(side)] += 1;
        self.places[of(side)].push((number, place));
        let turns = &mut self.turns[of(side)];
        turns.better.push(Reverse((bounds.better, number, place)));
        turns.bankrupt.push((bounds.bankrupt, number, place));
        turns.funded.push((bounds.funded, number, place));
        self.lots.push(Reverse((bounds.lots, number, place)));
    }

    /// Takes out somebody whom price and funding of a side wake.
    fn turned(&mut self, side: Side, price: i64, funding: i64) -> Option<u32> {
        let turns = &mut self.turns[of(side)];
        let better = turns.better.peek().filter(|one| one.0 .0 < price);
        if better.is_some() {
            return turns.better.pop().map(|one| one.0).map(woken);
        }
        let bankrupt = turns.bankrupt.peek().filter(|one| price - funding < one.0);
        if bankrupt.is_some() {
            return turns.bankrupt.pop().map(woken);
        }
        let funded = turns.funded.peek().filter(|one| funding < one.0);
        funded.is_some().then(|| turns.funded.pop().map(woken))?
    }
}

fn woken((_, _, place): Entry) -> u32 {
    place
}

/// A price or an index with the sign of a side.
fn of_side(side: Side, number: i64) -> i64 {
    match side {
        Side::Long => number,
        Side::Short => -number,
    }
}

impl World<'_> {
    /// Wakes those whom price, funding, and what liquidators have concern.
    pub(super) fn rouse(&mut self) -> Result<()> {
        if !self.sleepers.any() {
            return Ok(());
        }
        let mark = signed(self.touched.mark.price.get())?;
        let funding = self.touched.funding_index.get();
        for side in SIDES {
            let (price, funding) = (of_side(side, mark), of_side(side, funding));
            while let Some(place) = self.sleepers.turned(side, price, funding) {
                self.wake(place)?;
            }
        }
        self.rouse_affordable()
    }

    /// Wakes those whose least step a liquidator could back.
    fn rouse_affordable(&mut self) -> Result<()> {
        let most = self.most_free();
        while let Some(Reverse((lots, number, place))) = self.sleepers.lots.peek().copied() {
            if self.sleepers.is(number, place) {
                if self.is_poor(most, lots)? {
                    break;
                }
                self.wake(place)?;
            }
            self.sleepers.lots.pop();
        }
        Ok(())
    }

    /// The most that a liquidator has, atoms.
    fn most_free(&self) -> Option<i64> {
        let places = self.snapshot.liquidators.iter();
        places.map(|place| self.accounts[*place].free).max()
    }

    /// Whether `most` atoms do not back so many lots.
    fn is_poor(&self, most: Option<i64>, lots: u64) -> Result<bool> {
        let worth = self.touched.mark.price.notional(lots)?;
        let backed = Bps::new(BACKING.margin_bps).floor_of(worth)?;
        Ok(most.is_none_or(|free| i128::from(free) < i128::from(backed)))
    }

    /// Adds the sleepers of a side of whom somebody could take lots, who sleep on until it is their turn.
    pub(super) fn add_sleepers(&mut self, due: &mut Vec<Due>) -> Result<()> {
        self.absorbs = [false; 2];
        for side in SIDES {
            if self.sleepers.count[of(side)] > 0 && self.can_absorb(side)? {
                self.absorbs[of(side)] = true;
                self.add_side(side, due)?;
            }
        }
        Ok(())
    }

    fn add_side(&mut self, side: Side, due: &mut Vec<Due>) -> Result<()> {
        let mut places = core::mem::take(&mut self.sleepers.places[of(side)]);
        places.retain(|(number, place)| self.sleepers.is(*number, *place));
        for (_, place) in &places {
            due.push((self.distance(*place)?, *place));
        }
        self.sleepers.places[of(side)] = places;
        Ok(())
    }

    fn distance(&self, place: u32) -> Result<Distance> {
        let (position, mark) = (self.position(place)?, self.touched.mark.price);
        Ok(Distance::of(&position, mark, &self.market.risk)?)
    }

    /// Whether somebody whose turn has come is awake: who sleeps wakes if somebody could take lots of it.
    pub(super) fn is_awake(&mut self, place: u32) -> Result<bool> {
        let Some(asleep) = self.sleepers.asleep[index(place)] else {
            return Ok(true);
        };
        let wakes = self.can_absorb(asleep.side)?;
        if wakes {
            self.wake(place)?;
            self.sleepers.woken.pop();
        }
        Ok(wakes)
    }

    /// After somebody was attended to: those who woke by it, or of whom somebody could take lots now, and
    /// whose turn is still to come.
    pub(super) fn add_roused(&mut self, due: &mut Vec<Due>, from: usize) -> Result<()> {
        if self.sleepers.any() {
            self.rouse_affordable()?;
            if self.pool.is_some() {
                for side in SIDES {
                    let some = self.sleepers.count[of(side)] > 0;
                    if some && !self.absorbs[of(side)] && self.can_absorb(side)? {
                        self.absorbs[of(side)] = true;
                        let mut more = Vec::new();
                        self.add_side(side, &mut more)?;
                        self.merge(due, from, more);
                    }
                }
            }
        }
        if !self.sleepers.woken.is_empty() {
            let mut more = core::mem::take(&mut self.sleepers.woken);
            more.retain(|new| !due.iter().skip(from).any(|one| one.1 == new.1));
            self.merge(due, from, more);
        }
        Ok(())
    }

    /// Adds those of `more` whose turn is still to come.
    fn merge(&self, due: &mut Vec<Due>, from: usize, more: Vec<Due>) {
        let Turn::At(last) = self.turn else {
            return;
        };
        let later = |one: &Due| self.order(one, &last).is_gt();
        due.extend(more.into_iter().filter(later));
        if let Some(rest) = due.get_mut(from..) {
            rest.sort_unstable_by(|a, b| self.order(a, b));
        }
    }

    /// Wakes somebody who sleeps: makes up for the looks, and has it looked at from now on.
    pub(super) fn wake(&mut self, place: u32) -> Result<()> {
        let Some(asleep) = self.sleepers.asleep[index(place)] else {
            return Ok(());
        };
        let due = (self.distance(place)?, place);
        let passed = match self.turn {
            Turn::Before => false,
            Turn::At(last) => last.1 != place && self.order(&due, &last).is_lt(),
            Turn::After => true,
        };
        let until = self.sleepers.looks.len() - usize::from(!passed);
        let mut distress = self.accounts[index(place)].slot.distress();
        for slot in self.sleepers.looks.get(asleep.looks..until).unwrap_or(&[]) {
            if distress.is_stale(Health::BelowMaintenance, *slot) {
                distress = distress.flagged(Health::BelowMaintenance, *slot)?;
            }
        }
        self.account_mut(place).slot.store_distress(&distress);
        self.sleepers.asleep[index(place)] = None;
        self.sleepers.count[of(asleep.side)] -= 1;
        if matches!(self.turn, Turn::At(_)) && !passed {
            self.sleepers.woken.push(due);
        }
        self.heat(place);
        Ok(())
    }

    /// Lets a position sleep that nobody could take lots of, if nobody can for a while.
    pub(super) fn fall_asleep(&mut self, place: u32) -> Result<()> {
        #[cfg(test)]
        if self.wakeful {
            return Ok(());
        }
        let Some(side) = self.position(place)?.side() else {
            return Ok(());
        };
        if self.can_absorb(side)? {
            return Ok(());
        }
        if let Some(bounds) = self.bounds(place, side)? {
            self.sleepers.add(place, side, &bounds);
        }
        Ok(())
    }

    fn bounds(&self, place: u32, side: Side) -> Result<Option<Bounds>> {
        let input = self.input(place)?;
        let (last, interval) = (
            input.distress.last_step_slot,
            input.params.ladder_interval_slots,
        );
        let waits = last != 0 && input.slot.saturating_sub(last) < interval;
        if waits || health(&input.position, input.mark, input.params)? != Health::BelowMaintenance {
            return Ok(None);
        }
        let tick = self.market.oracle.atoms_per_lot_tick;
        let Some(bankrupt) = bankruptcy_price(&input.position, tick)? else {
            return Ok(None);
        };
        let bankrupt = signed(bankrupt.lot_price(tick)?.get())?;
        let funding = self.touched.funding_index.get();
        let bounds = |lots: u64, better: LotPrice, ease: u64| -> Result<Option<Bounds>> {
            Ok(Some(Bounds {
                lots,
                better: of_side(side, signed(better.get())?),
                bankrupt: of_side(side, bankrupt - funding),
                funded: of_side(side, funding) - signed(ease)?,
            }))
        };
        let most = self.most_free();
        let counts = |lots: u64| self.pool.is_none() || lots >= input.params.min_position_lots;
        let least = input.params.min_position_lots.min(input.position.size());
        if counts(least) && self.is_poor(most, least)? {
            // Until it is well, if funding makes it no better than this.
            let ease = input.mark.get() * FUNDING_EASE_BPS / 10_000;
            let eased = eased(&input.position, ease)?;
            let well = match health(&eased, input.mark, input.params)? {
                Health::BelowMaintenance => liquidation_price(&eased, input.params, tick)?,
                _ => None,
            };
            if let Some(well) = well {
                return bounds(least, well.lot_price(tick)?, ease);
            }
        }
        for bps in EASE_BPS {
            let ease = input.mark.get() * bps / 10_000;
            let Some((mark, lots)) = eased_step(&input, side, ease)? else {
                continue;
            };
            if counts(lots) && self.is_poor(most, lots)? {
                return bounds(lots, mark, ease);
            }
        }
        Ok(None)
    }

    /// Whether the book or the pool could take lots of positions of a side.
    fn can_absorb(&mut self, side: Side) -> Result<bool> {
        if let Some(book) = &mut self.book {
            if book.best_price(side).is_some() {
                return Ok(true);
            }
        }
        self.pool_can_take(side)
    }

    /// Whether the pool could take lots of a position that is no smaller than the least, in a step of no
    /// less: if it takes none of the most it could be offered, it takes none of less.
    fn pool_can_take(&self, side: Side) -> Result<bool> {
        let (Some(pool), Some(assets)) = (&self.pool, self.pool_assets()?) else {
            return Ok(false);
        };
        let market = &self.market;
        let low = pool.worth(&assets, market, &self.touched, 0)?.low;
        let room = self.queue(side)?.has_room();
        let taker = pool.taker(market, &assets, low, self.now.slot, room)?;
        let all = u64::from(u32::MAX);
        let offer = Offer {
            side,
            lots: all,
            held: all,
            whole: all,
            discount_bps: market.risk.liquidation_discount_max_bps,
            rescue: false,
        };
        let lots = taker.take(&market.risk, self.touched.mark.price, &offer)?;
        Ok(lots > 0)
    }
}

/// A position with so many atoms a lot more margin.
fn eased(position: &Position, ease: u64) -> Result<Position> {
    let gained = position.size().checked_mul(ease);
    let gained = gained.ok_or(BallastError::Overflow)?;
    Ok(Position {
        margin: position.margin.try_add_unsigned(gained)?,
        ..*position
    })
}

/// The price better for a position by `ease` atoms, and the lots of its step there, if its funding were better
/// by as much; `None` where it were well then.
fn eased_step(
    input: &LiquidationInput<'_>,
    side: Side,
    ease: u64,
) -> Result<Option<(LotPrice, u64)>> {
    let mark = match side {
        Side::Long => input.mark.get().checked_add(ease),
        Side::Short => input.mark.get().checked_sub(ease),
    };
    let Ok(mark) = LotPrice::new(mark.ok_or(BallastError::Overflow)?) else {
        return Ok(None);
    };
    let eased = LiquidationInput {
        position: eased(&input.position, ease)?,
        mark,
        ..*input
    };
    if health(&eased.position, mark, input.params)? != Health::BelowMaintenance {
        return Ok(None);
    }
    Ok(Some((mark, Waterfall::begin(&eased, true)?.left()?)))
}
