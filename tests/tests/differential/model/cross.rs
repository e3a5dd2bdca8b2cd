//! Legs: positions of one account that share its pool, what they are worth together, and what is recorded of
//! each. Written from docs/CROSS_MARGIN.md.

use ballast_engine::risk::RiskParams;
use ballast_state::error::BallastError;

use super::holding::Holding;
use super::number::{ceil, floor, part, ONE};
use super::oracle::Mark;
use super::refusal::{require, signed, Verdict};
use super::state::{bankruptcy_key, entry_key, side, unfunded_bankruptcy, Distress, Model, Stamp};
use super::trade::{margin_due, Rate};
use super::trigger::Trigger;
use super::volatility::initial_due;
use crate::operation::Queues;

/// Slots for which a record or a mark is fresh.
pub const FRESH: u64 = 25;
/// First number of a leg in its queue.
pub const FIRST_SEQUENCE: u64 = 1 << 63;
/// Slots that a trader account has for positions.
const SLOTS: usize = 16;

/// A leg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leg {
    /// Lots and what they cost; its margin is the record.
    pub holding: Holding,
    /// Order of joining the queue.
    pub sequence: u64,
    /// Slot of the record.
    pub recorded: u64,
    /// The board's newest checkpoint then.
    pub base: u32,
    /// What was found of the account then.
    pub weak: Option<Weakness>,
    /// Cuts.
    pub stamp: Stamp,
    /// Trouble.
    pub distress: Distress,
    /// Stop-loss and take-profit.
    pub triggers: [Option<Trigger>; 2],
}

/// Why rounds do not need an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// It is below maintenance.
    BelowMaintenance,
    /// It cannot bear the cut of a lot at this price or a worse one, atoms a lot.
    AtClose(i128),
}

/// The mark of a market as the board has it.
#[derive(Clone, Debug)]
pub struct Marked {
    /// Price, confidence, what scales the margin to open.
    pub mark: Mark,
    /// Funding index.
    pub index: i128,
    /// When the price was published.
    pub time: i64,
    /// Slot of the record.
    pub slot: u64,
    /// Margins of that time.
    pub params: RiskParams,
    /// Whether it is neither opened nor forced by.
    pub frozen: bool,
}

/// What a market with cross margin has beside.
#[derive(Clone, Debug)]
pub struct Crossed {
    /// On the board.
    pub board: Marked,
    /// Slots for which a mark serves for opening.
    pub age: u64,
    /// Most lots of the legs of a side.
    pub most_lots: i128,
    /// The part of what insurance may pay in a window that legs may get.
    pub part: i128,
    /// What was paid for legs, each with its slot.
    pub payments: Vec<(u64, i128)>,
    /// Next numbers of legs, longs first.
    pub next_sequence: [u64; 2],
}

/// What all legs of an account share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    /// Atoms, of any sign.
    pub atoms: i128,
    /// Slot in which collateral came in last.
    pub slot: u64,
    /// What came in then.
    pub came: i128,
    /// The legs, one place a market.
    pub legs: Vec<Option<Leg>>,
    /// Which market each slot of the account is of.
    pub slots: [Option<usize>; SLOTS],
}

/// A leg, valued.
#[derive(Clone, Debug)]
pub struct Valued {
    pub market: usize,
    pub leg: Leg,
    pub mark: Mark,
    pub index: i128,
    pub params: RiskParams,
    /// Result, funding included.
    pub result: i128,
    /// Maintenance margin.
    pub due: i128,
}

/// An account, valued.
#[derive(Clone, Debug)]
pub struct Account {
    pub pool: i128,
    pub equity: i128,
    pub due: i128,
    pub legs: Vec<Valued>,
}

impl Leg {
    /// One that is in no queue yet.
    pub fn new(holding: Holding) -> Self {
        Self {
            holding,
            sequence: 0,
            recorded: 0,
            base: 0,
            weak: None,
            stamp: Stamp::default(),
            distress: Distress::default(),
            triggers: [None; 2],
        }
    }

    /// Entry price and bankruptcy price less funding by its record, 2^-32 atoms per lot, rounded down.
    pub fn keys(&self) -> (i128, i128) {
        (entry_key(&self.holding), bankruptcy_key(&self.holding))
    }
}

impl Account {
    /// The leg in a market.
    pub fn leg(&self, market: usize) -> &Valued {
        let found = self.legs.iter().find(|leg| leg.market == market);
        found.expect("a leg")
    }

    /// The share of equity or deficit that a leg bears.
    pub fn share(&self, market: usize) -> i128 {
        if self.legs.len() == 1 {
            return self.equity;
        }
        let share = part(self.equity.abs(), self.leg(market).due, self.due);
        self.equity.signum() * floor(&share)
    }

    /// The leg as the isolated position that is forced, funding paid.
    pub fn given(&self, market: usize) -> Verdict<Holding> {
        self.with_equity(market, self.share(market))
    }

    /// The leg as the isolated position that stands as a counterparty, funding paid.
    pub fn with_everything(&self, market: usize) -> Verdict<Holding> {
        self.with_equity(market, self.equity)
    }

    fn with_equity(&self, market: usize, equity: i128) -> Verdict<Holding> {
        let leg = self.leg(market);
        let held = leg.leg.holding;
        let gained = held.lots * leg.mark.price - held.entry;
        Ok(Holding {
            margin: signed(equity - gained)?,
            index: leg.index,
            ..held
        })
    }

    /// Funding that the leg owes.
    pub fn owed(&self, market: usize) -> i128 {
        let leg = self.leg(market);
        leg.leg.holding.lots * (leg.index - leg.leg.holding.index)
    }

    /// What the other legs leave to restore the account with.
    pub fn room(&self, market: usize, buffer_bps: u32) -> i128 {
        let others = self.due - self.leg(market).due;
        self.equity - others - ceil(&part(others, i128::from(buffer_bps), ONE))
    }

    /// Whether it holds maintenance margin.
    pub fn is_healthy(&self) -> bool {
        self.equity >= self.due
    }

    /// Whether it holds maintenance margin and the buffer.
    pub fn is_restored(&self, buffer_bps: u32) -> bool {
        let buffer = part(self.due, i128::from(buffer_bps), ONE);
        self.equity >= self.due + ceil(&buffer)
    }

    /// Whether it holds what opening needs: no profit counts, and all of every loss.
    pub fn require_opening(&self) -> Verdict<()> {
        self.require_opening_of(usize::MAX, 0)
    }

    /// The same, where so many lots count as new to a market.
    pub fn require_opening_of(&self, market: usize, lots: i128) -> Verdict<()> {
        let (mut counts, mut due) = (self.pool, 0);
        for leg in &self.legs {
            let held = leg.leg.holding;
            let worst = leg.mark.worsened(held.sign())?;
            let gained = signed(held.lots * worst - held.entry)?;
            let result = gained - held.lots * (leg.index - held.index);
            counts += result.min(0);
            let notional = held.size() * worst.max(leg.mark.price);
            let new = if leg.market == market { lots } else { 0 };
            due += initial_due(&leg.params, &leg.mark.scale, new, notional);
        }
        require(counts >= due, BallastError::CrossBelowInitial)
    }
}

impl Model {
    /// The legs of an account in the order of its slots: that in `own` at a mark just read, the others as the
    /// board has them.
    pub fn account(&self, trader: usize, own: Option<(usize, Mark)>) -> Verdict<Account> {
        let pool = &self.trader(trader).shared;
        let mut account = Account {
            pool: pool.atoms,
            equity: pool.atoms,
            due: 0,
            legs: Vec::new(),
        };
        for market in pool.slots.iter().flatten() {
            let Some(leg) = &pool.legs[*market] else {
                continue;
            };
            let valued = self.valued(*market, leg, own)?;
            account.equity += valued.result;
            account.due += valued.due;
            account.legs.push(valued);
        }
        account.equity = signed(account.equity)?;
        Ok(account)
    }

    fn valued(&self, market: usize, leg: &Leg, own: Option<(usize, Mark)>) -> Verdict<Valued> {
        let now = &self.markets[market];
        let (mark, index, params) = match own {
            Some((number, mark)) if number == market => (mark, now.funding.index, now.params),
            _ => {
                let board = &self.crossed(market).board;
                (board.mark, board.index, board.params)
            }
        };
        let held = leg.holding;
        let gained = signed(held.lots * mark.price - held.entry)?;
        let owed = signed(signed(index - held.index)? * held.lots)?;
        Ok(Valued {
            market,
            leg: leg.clone(),
            mark,
            index,
            params,
            result: gained - owed,
            due: margin_due(&params, held.size() * mark.price, Rate::Maintenance),
        })
    }

    /// What a market with cross margin has beside.
    pub fn crossed(&self, market: usize) -> &Crossed {
        self.markets[market].crossed.as_ref().expect("cross margin")
    }

    /// The same, to write.
    pub fn crossed_mut(&mut self, market: usize) -> &mut Crossed {
        self.markets[market].crossed.as_mut().expect("cross margin")
    }

    /// The account's leg in a market.
    pub fn leg(&self, market: usize, trader: usize) -> Option<&Leg> {
        self.traders[trader].as_ref()?.shared.legs[market].as_ref()
    }

    /// The leg, which the call cannot do without.
    pub fn needed_leg(&self, market: usize, trader: usize) -> Verdict<&Leg> {
        let none = BallastError::NoPosition;
        self.leg(market, trader).ok_or_else(|| none.into())
    }

    /// The same, to write.
    pub fn leg_mut(&mut self, market: usize, trader: usize) -> &mut Leg {
        let leg = self.trader_mut(trader).shared.legs[market].as_mut();
        leg.expect("a leg")
    }

    /// Legs in a market.
    pub fn legs_in(&self, market: usize) -> usize {
        let traders = 0..self.traders.len();
        traders
            .filter(|one| self.leg(market, *one).is_some())
            .count()
    }

    /// A market is isolated or cross for an account.
    pub fn require_no_leg(&self, market: usize, trader: usize) -> Verdict<()> {
        let none = self.leg(market, trader).is_none();
        require(none, BallastError::CrossLegThere)
    }

    /// The calls for isolated positions alone do not look at legs.
    pub fn require_isolated(&self, market: usize) -> Verdict<()> {
        require(self.legs_in(market) == 0, BallastError::CrossRanked)
    }

    /// The marks of all legs but one serve for opening.
    pub fn require_open_marks(&self, account: &Account, except: Option<usize>) -> Verdict<()> {
        for leg in account.legs.iter().filter(|leg| Some(leg.market) != except) {
            let crossed = self.crossed(leg.market);
            require(!crossed.board.frozen, BallastError::CrossMarkFrozen)?;
            let young = self.slot - crossed.board.slot <= crossed.age;
            require(young, BallastError::CrossMarkStale)?;
        }
        Ok(())
    }

    /// The account, of which the leg in a market is looked at at the mark just read; the marks of the others are
    /// fresh, or frozen.
    pub fn forced(&self, market: usize, trader: usize, mark: Mark) -> Verdict<Account> {
        let account = self.account(trader, Some((market, mark)))?;
        for leg in account.legs.iter().filter(|leg| leg.market != market) {
            let board = &self.crossed(leg.market).board;
            let serves = board.frozen || self.slot - board.slot <= FRESH;
            require(serves, BallastError::CrossMarkStale)?;
        }
        Ok(account)
    }

    /// The last step of a call that wrote a cross account: records the leg that was written and all whose queues
    /// are there, and refuses where another one flatters.
    pub fn renew(
        &mut self,
        trader: usize,
        queues: &Queues,
        written: Option<usize>,
        weak: Option<Weakness>,
    ) -> Verdict<()> {
        let account = self.account(trader, None)?;
        let there = |leg: &Valued| queues.contains(&(leg.market, side(leg.leg.holding.sign())));
        let given = |leg: &Valued| there(leg) || written == Some(leg.market);
        let slot = self.slot;
        let stale = account
            .legs
            .iter()
            .any(|leg| !given(leg) && flatters(&account, leg, slot));
        require(!stale, BallastError::CrossRecordStale)?;
        for leg in account.legs.iter().filter(|leg| given(leg)) {
            require(there(leg), BallastError::CrossQueueMissing)?;
            let rest = account.equity - leg.result;
            let (market, sign) = (leg.market, leg.leg.holding.sign());
            let mut renewed = leg.leg.clone();
            renewed.holding.margin = clamped(&renewed.holding, rest);
            renewed.recorded = slot;
            renewed.base = self.board.newest();
            renewed.weak = weak.filter(|_| written == Some(market));
            if renewed.sequence == 0 {
                let next = &mut self.crossed_mut(market).next_sequence[side(sign)];
                renewed.sequence = *next;
                *next += 1;
            }
            *self.leg_mut(market, trader) = renewed;
        }
        Ok(())
    }

    /// What insurance and held profit may pay of the deficit of a leg.
    pub fn leg_cover(&self, number: usize) -> i128 {
        let (market, crossed) = (&self.markets[number], self.crossed(number));
        let (params, slot) = (&market.params, self.slot);
        let third = params.insurance_window_slots.div_ceil(3);
        let counts = |at: u64| slot / third - at / third < 4;
        let counted = crossed.payments.iter().filter(|(at, _)| counts(*at));
        let drawn: i128 = counted.map(|(_, atoms)| atoms).sum();
        let unpaid = market.insurance.balance + market.insurance.paid(params, slot);
        let whole = floor(&part(
            unpaid,
            i128::from(params.insurance_draw_cap_bps),
            ONE,
        ));
        let most = floor(&part(whole, crossed.part, ONE));
        self.deficit_cover(number).min((most - drawn).max(0))
    }

    /// Lots of the legs of a side.
    pub fn leg_lots(&self, market: usize, sign: i128) -> i128 {
        let traders = 0..self.traders.len();
        let lots = traders.filter_map(|one| Some(self.leg(market, one)?.holding.lots));
        lots.filter(|lots| lots.signum() == sign)
            .map(i128::abs)
            .sum()
    }

    /// Slots are claimed where the first one is free, and given back when nothing is in them.
    pub fn tidy_slots(&mut self) {
        for trader in 0..self.traders.len() {
            if self.traders[trader].is_none() {
                continue;
            }
            for market in 0..self.markets.len() {
                let used = self.uses(market, trader) || self.leg(market, trader).is_some();
                let slots = &mut self.trader_mut(trader).shared.slots;
                let place = slots.iter().position(|slot| *slot == Some(market));
                match (used, place) {
                    (true, None) => claim(slots, market),
                    (false, Some(place)) => slots[place] = None,
                    _ => {}
                }
            }
        }
    }

    /// The slot of a market is given back and claimed once more.
    pub fn claim_again(&mut self, market: usize, trader: usize) {
        let slots = &mut self.trader_mut(trader).shared.slots;
        for slot in slots.iter_mut().filter(|slot| **slot == Some(market)) {
            *slot = None;
        }
        claim(slots, market);
    }
}

fn claim(slots: &mut [Option<usize>; SLOTS], market: usize) {
    let free = slots.iter_mut().find(|slot| slot.is_none());
    *free.expect("a free slot") = Some(market);
}

/// A record of what the account holds beside the leg, within what a queue can hold.
fn clamped(holding: &Holding, rest: i128) -> i128 {
    let most = (holding.size() << 31) - 1;
    let wanted = Holding {
        margin: rest,
        ..*holding
    };
    let kept = unfunded_bankruptcy(&wanted).clamp(-most, most);
    let unmargined = unfunded_bankruptcy(&Holding {
        margin: 0,
        ..*holding
    });
    ((unmargined - kept) * holding.sign()).min(i128::from(i64::MAX))
}

/// Whether a record says more than the account holds beside the leg and the slack, or that the account is
/// weak while that is fresh.
fn flatters(account: &Account, leg: &Valued, slot: u64) -> bool {
    let fresh = slot - leg.leg.recorded <= FRESH;
    if fresh && leg.leg.weak.is_some() {
        return true;
    }
    let held = leg.leg.holding;
    let more = held.margin - (account.equity - leg.result);
    let percent = if fresh { 1 } else { 10 };
    let floored = is_floored(&held);
    more > 0 && more * 100 > account.equity.max(0) * percent && !floored
}

/// Whether a record lies so deep that it says nothing.
pub fn is_floored(record: &Holding) -> bool {
    bankruptcy_key(record) * record.sign() >= 0x7fff_ffff_0000_0000
}
