//! The pool, conversions, marks of the board and records.

use ballast_state::error::BallastError;

use super::cross::{Account, Crossed, Leg, Marked, Weakness, FIRST_SEQUENCE};
use super::holding::Holding;
use super::oracle::{Mark, Use};
use super::refusal::{require, signed, Refusal, Verdict};
use super::state::{Distress, Model};
use crate::operation::{CrossCall, Queues};

/// Most legs of an account.
const MOST_LEGS: usize = 4;
/// Slots for which a mark serves for opening.
pub const MARK_AGE: u32 = 40;
/// Most lots of the legs of a side.
pub const MOST_LOTS: u64 = 60_000;
/// The part of what insurance may pay in a window that legs may get, basis points.
pub const DRAW_CAP_BPS: u32 = 2_500;

impl Model {
    /// Gives a market cross margin.
    pub fn enable_cross(&mut self, market: usize) -> Verdict<()> {
        let mark = self.touch(market, Use::Open)?;
        let board = self.marked(market, mark);
        self.markets[market].crossed = Some(Crossed {
            board,
            age: u64::from(MARK_AGE),
            most_lots: i128::from(MOST_LOTS),
            part: i128::from(DRAW_CAP_BPS),
            payments: Vec::new(),
            next_sequence: [FIRST_SEQUENCE; 2],
        });
        self.mark_board(market);
        self.open_checkpoint();
        Ok(())
    }

    fn marked(&self, market: usize, mark: Mark) -> Marked {
        let now = &self.markets[market];
        Marked {
            mark: Mark {
                average: None,
                earlier: None,
                ..mark
            },
            index: now.funding.index,
            time: now.quoted.time,
            slot: self.slot,
            params: now.params,
            frozen: false,
        }
    }

    /// What a call about legs does, but for liquidations.
    pub fn cross_call(&mut self, call: &CrossCall) -> Verdict<()> {
        match call {
            CrossCall::Move {
                trader,
                amount,
                queues,
            } => self.move_cross(*trader, i128::from(*amount), queues),
            CrossCall::Join {
                market,
                trader,
                queues,
            } => self.join(*market, *trader, queues),
            CrossCall::Leave {
                market,
                trader,
                margin,
                queues,
            } => self.leave(*market, *trader, i128::from(*margin), queues),
            CrossCall::Record { markets } => self.record_marks(markets),
            CrossCall::Freeze { market } => self.freeze_mark(*market),
            CrossCall::Refresh {
                market,
                traders,
                queues,
            } => self.refresh_ranks(*market, traders, queues),
            CrossCall::Flag { market, trader } => self.flag_leg(*market, *trader),
            CrossCall::Witness(call) => self.witness_ranks(call),
            CrossCall::Part {
                market,
                trader,
                queues,
            } => self.part_leg(*market, *trader, queues),
            CrossCall::Trade { .. } | CrossCall::Liquidate { .. } | CrossCall::Round { .. } => {
                unreachable!("they do more than that")
            }
        }
    }

    /// Free collateral into the pool, or out of it where negative.
    fn move_cross(&mut self, trader: usize, amount: i128, queues: &Queues) -> Verdict<()> {
        require(amount != 0, BallastError::ZeroAmount)?;
        if amount > 0 {
            let left = self.trader(trader).free - amount;
            require(left >= 0, BallastError::InsufficientCollateral)?;
            self.trader_mut(trader).free = left;
            self.pool_in(trader, amount)?;
        } else {
            self.pool_out(trader, -amount)?;
            let account = self.trader_mut(trader);
            account.free = signed(account.free - amount)?;
            let account = self.account(trader, None)?;
            self.require_open_marks(&account, None)?;
            account.require_opening()?;
        }
        self.renew(trader, queues, None, None)
    }

    fn pool_in(&mut self, trader: usize, amount: i128) -> Verdict<()> {
        let slot = self.slot;
        let pool = &mut self.trader_mut(trader).shared;
        pool.atoms = signed(pool.atoms + amount)?;
        if pool.slot != slot {
            (pool.slot, pool.came) = (slot, 0);
        }
        pool.came += amount.max(0);
        Ok(())
    }

    /// What came in in this slot stays.
    fn pool_out(&mut self, trader: usize, amount: i128) -> Verdict<()> {
        signed(amount)?;
        let slot = self.slot;
        let pool = &mut self.trader_mut(trader).shared;
        let left = signed(pool.atoms - amount)?;
        let stays = pool.slot == slot && amount > 0 && left < pool.came;
        require(!stays, BallastError::CrossDepositStays)?;
        pool.atoms = left;
        Ok(())
    }

    /// An isolated position becomes a leg.
    fn join(&mut self, market: usize, trader: usize, queues: &Queues) -> Verdict<()> {
        let reduce_only = self.markets[market].reduce_only;
        require(!reduce_only, BallastError::MarketReduceOnly)?;
        let mark = self.touch(market, Use::RemoveMargin)?;
        let owned = self.needed(market, trader)?;
        let plain = owned.triggers == [None; 2]
            && owned.distress == Distress::default()
            && self.trader(trader).claims[market].shares == 0
            && self.book(market).orders_of(trader).is_empty();
        require(plain, BallastError::CrossHasOrders)?;
        let before = self.settled(market, trader)?;
        let open = self.leg_lots(market, before.sign());
        let profit = before.margin - self.trader(trader).put_in[market];
        self.hold(market, trader, Holding::default())?;
        self.trader_mut(trader).put_in[market] = 0;
        let legs = self.trader(trader).shared.legs.iter().flatten().count();
        require(legs < MOST_LEGS, BallastError::CrossTooManyLegs)?;
        self.pool_in(trader, before.margin)?;
        self.trader_mut(trader).shared.legs[market] = Some(Leg::new(Holding {
            margin: 0,
            ..before
        }));
        self.claim_again(market, trader);
        let there = queues.contains(&(market, super::state::side(before.sign())));
        require(there, BallastError::CrossQueueMissing)?;
        let within = open + before.size() <= self.crossed(market).most_lots;
        require(within, BallastError::OpenInterestLimit)?;
        let account = self.account(trader, Some((market, mark)))?;
        self.require_open_marks(&account, Some(market))?;
        account.require_opening()?;
        self.renew(trader, queues, Some(market), None)?;
        self.require_no_profit_held(market, profit)
    }

    /// Profit joins no pool while the market is short of it: a leg has no place for profit that is held.
    pub fn require_no_profit_held(&self, market: usize, profit: i128) -> Verdict<()> {
        let short = profit > 0 && self.short_of(market, &self.seen) > 0;
        require(!short, BallastError::ProfitIsHeld)
    }

    /// A leg becomes an isolated position with so much of the pool.
    fn leave(
        &mut self,
        market: usize,
        trader: usize,
        margin: i128,
        queues: &Queues,
    ) -> Verdict<()> {
        let mark = self.touch(market, Use::RemoveMargin)?;
        let leg = self.needed_leg(market, trader)?.clone();
        let plain = leg.distress == Distress::default() && leg.triggers == [None; 2];
        require(plain, BallastError::CrossHasOrders)?;
        let account = self.account(trader, Some((market, mark)))?;
        self.require_open_marks(&account, Some(market))?;
        signed(margin)?;
        let valued = account.leg(market);
        let owed = leg.holding.lots * (valued.index - leg.holding.index);
        let pool = signed(signed(account.pool - owed)? - margin)?;
        let position = Holding {
            margin,
            index: valued.index,
            ..leg.holding
        };
        let mut alone = valued.clone();
        alone.leg.holding = position;
        let others = account.legs.iter().filter(|leg| leg.market != market);
        let of = |pool: i128, legs: Vec<_>| Account {
            pool,
            legs,
            ..account
        };
        of(margin, vec![alone]).require_opening()?;
        of(pool, others.cloned().collect()).require_opening()?;
        self.pool_out(trader, margin)?;
        self.trader_mut(trader).shared.atoms = pool;
        let there = queues.contains(&(market, super::state::side(position.sign())));
        require(there, BallastError::CrossQueueMissing)?;
        self.trader_mut(trader).shared.legs[market] = None;
        self.claim_again(market, trader);
        self.hold(market, trader, position)?;
        self.trader_mut(trader).put_in[market] = margin;
        self.renew(trader, queues, None, None)
    }

    /// The board hears of the prices.
    fn record_marks(&mut self, markets: &[usize]) -> Verdict<()> {
        require(!markets.is_empty(), BallastError::ZeroAmount)?;
        for market in markets {
            let mark = self.touch(*market, Use::Force(0))?;
            let marked = self.marked(*market, mark);
            let board = &mut self.crossed_mut(*market).board;
            require(marked.time >= board.time, BallastError::PriceOlder)?;
            *board = marked;
            self.mark_board(*market);
        }
        self.open_checkpoint();
        Ok(())
    }

    /// A mark that is old serves for nothing more but to force by.
    fn freeze_mark(&mut self, market: usize) -> Verdict<()> {
        let slot = self.slot;
        let crossed = self.crossed_mut(market);
        let old = !crossed.board.frozen && slot - crossed.board.slot > crossed.age;
        require(old, BallastError::CrossMarkStale)?;
        crossed.board.frozen = true;
        Ok(())
    }

    /// Records legs of a market anew, and whether their accounts are below maintenance.
    fn refresh_ranks(&mut self, market: usize, traders: &[usize], queues: &Queues) -> Verdict<()> {
        require(!traders.is_empty(), BallastError::ZeroAmount)?;
        let mark = self.touch(market, Use::Force(0))?;
        for trader in traders {
            if self.traders[*trader].is_none() {
                return Err(Refusal(3_007));
            }
            self.needed_leg(market, *trader)?;
            let account = self.forced(market, *trader, mark)?;
            let weak = (!account.is_healthy()).then_some(Weakness::BelowMaintenance);
            self.renew(*trader, queues, Some(market), weak)?;
        }
        Ok(())
    }
}
