//! A market's pool: who puts tokens in and takes them out, and what it is worth to them.

use ballast_engine::pool::PoolParams;
use ballast_engine::risk::RiskParams;
use ballast_state::error::BallastError;

use super::collateral::take;
use super::fund::{Fund, Paid};
use super::holding::Holding;
use super::liquidate::Health;
use super::number::{ceil, part, ONE};
use super::oracle::{Mark, Use};
use super::refusal::{require, Refusal, Verdict, ALREADY_THERE, NOT_THERE};
use super::stakes::UNIT;
use super::state::Model;
use crate::operation::{FundName, Who};
use crate::program::TRADERS;

/// A pool.
#[derive(Clone, Debug)]
pub struct Pool {
    /// What it does.
    pub params: PoolParams,
    /// Slot in which it was stopped, where nothing has ended that.
    pub stopped: Option<u64>,
    /// Its shares.
    pub fund: Fund,
    /// The notional by which each take enlarged its position, with its slot.
    pub taken: Vec<(u64, i128)>,
    /// What 2^32 shares were worth at their height, and when.
    pub height: (i128, u64),
    /// Slot in which the auction began.
    pub auction: u64,
    /// Slot of the last unwind.
    pub unwound: u64,
    /// Takes and unwinds.
    pub done: [u64; 2],
    /// Discounts and premiums earned.
    pub earned: [i128; 2],
}

/// What a pool is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worth {
    /// To who leaves.
    pub low: i128,
    /// To who joins.
    pub high: i128,
}

/// The trader account of a market's pool.
pub fn pool_trader(market: usize) -> usize {
    TRADERS + market
}

impl Model {
    /// Gives a market a pool.
    pub fn create_pool(&mut self, market: usize, params: &PoolParams) -> Verdict<()> {
        if self.markets[market].pool.is_some() {
            return Err(ALREADY_THERE);
        }
        let sound = is_within_bounds(params, &self.markets[market].params);
        require(sound, BallastError::PoolParams)?;
        self.create_trader(pool_trader(market))?;
        self.markets[market].pool = Some(Pool {
            params: *params,
            stopped: None,
            fund: Fund::new(self.wallets.len()),
            taken: Vec::new(),
            height: (0, 0),
            auction: 0,
            unwound: 0,
            done: [0; 2],
            earned: [0; 2],
        });
        Ok(())
    }

    /// A market's pool.
    pub fn pool(&self, market: usize) -> Verdict<&Pool> {
        self.markets[market].pool.as_ref().ok_or(NOT_THERE)
    }

    /// The same, to write.
    pub fn pool_mut(&mut self, market: usize) -> Verdict<&mut Pool> {
        self.markets[market].pool.as_mut().ok_or(NOT_THERE)
    }

    /// The pool and the account of who asks for something, which must be its owner's.
    fn member_of_pool(&self, market: usize, who: Who) -> Verdict<()> {
        self.pool(market)?.fund.member(who.of)?;
        require(who.is_owner(), BallastError::NotOwner)
    }

    /// Notional by which the pool enlarged its position in the third of its window that it is now, and
    /// in the three before it.
    pub fn taken_lately(&self, market: usize) -> i128 {
        let Some(pool) = &self.markets[market].pool else {
            return 0;
        };
        let third = pool.params.window_slots.div_ceil(3);
        let counts = |at: u64| self.slot / third - at / third < 4;
        let counted = pool.taken.iter().filter(|(at, _)| counts(*at));
        counted.map(|(_, notional)| notional).sum()
    }

    /// What the pool holds, funding paid.
    pub fn inventory(&self, market: usize) -> Verdict<Holding> {
        self.settled(market, pool_trader(market))
    }

    /// What a pool without a position is worth.
    fn idle_worth(&self, market: usize) -> Worth {
        let account = self.trader(pool_trader(market));
        let held = self.markets[market].held.value(&account.claims[market]);
        Worth {
            low: account.free,
            high: account.free + held,
        }
    }

    /// What it is worth at a mark, where the market is short of so much. Who leaves and who joins each
    /// have the position at the price that is worse for themselves.
    pub fn pool_worth(&self, market: usize, mark: &Mark, short: i128) -> Verdict<Worth> {
        let (idle, held) = (self.idle_worth(market), self.inventory(market)?);
        if held.lots == 0 {
            return Ok(idle);
        }
        let leave = self.cautious(market, mark, held.sign())?;
        let join = self.cautious(market, mark, -held.sign())?;
        let charge = i128::from(self.pool(market)?.params.exit_bps);
        let charge = ceil(&part(held.size() * leave, charge, ONE));
        let profit = (held.lots * leave - held.entry).max(0);
        let low = idle.low + held.equity(leave) - charge - profit.min(short);
        Ok(Worth {
            low: low.max(0),
            high: idle.high + held.equity(join).max(0),
        })
    }

    /// Tokens of a wallet become the pool's.
    pub fn deposit_pool(&mut self, market: usize, who: Who, amount: i128) -> Verdict<()> {
        self.pool(market)?.fund.member(who.of)?;
        take(&mut self.wallets[who.wallet], amount)?;
        self.vault += amount;
        require(who.is_owner(), BallastError::NotOwner)?;
        let reduce_only = self.markets[market].reduce_only;
        require(!reduce_only, BallastError::MarketReduceOnly)?;
        require(amount >= UNIT, BallastError::DepositTooSmall)?;
        let mark = self.touch(market, Use::Open)?;
        self.require_solvent(market, mark.price)?;
        let worth = self.pool_worth(market, &mark, 0)?;
        let pool = self.pool_mut(market)?;
        require(pool.params.mode < 2, BallastError::PoolClosed)?;
        pool.fund.join(who.wallet, amount, worth.high)?;
        let account = self.trader_mut(pool_trader(market));
        account.free = super::refusal::signed(account.free + amount)?;
        Ok(())
    }

    /// The pool as who leaves it finds it: what it is worth, how much of it may go, and how its position
    /// stands. Without a position it depends on no price.
    fn leaving(&mut self, market: usize) -> Verdict<(i128, i128, Health)> {
        if self.owned(market, pool_trader(market)).is_none() {
            let low = self.idle_worth(market).low;
            return Ok((low, low, Health::Healthy));
        }
        let mark = self.touch(market, Use::RemoveMargin)?;
        let prices = [
            self.cautious(market, &mark, 1)?,
            self.cautious(market, &mark, -1)?,
        ];
        let short = self.short_of(market, &prices);
        let low = self.pool_worth(market, &mark, short)?.low;
        let (held, params) = (self.inventory(market)?, self.pool(market)?.params);
        let leave = self.cautious(market, &mark, held.sign())?;
        let margin = i128::from(params.margin_bps);
        let margin = ceil(&part(held.size() * leave, margin, ONE));
        let backed =
            self.trader(pool_trader(market)).free + held.equity(leave).min(margin) - margin;
        let cap = part(held.size() * mark.price, ONE, i128::from(params.cap_bps));
        let most = backed.min(low - ceil(&cap)).max(0);
        let health = Health::of(&held, mark.price, &self.markets[market].params);
        Ok((low, most, health))
    }

    /// Asks for shares of the pool to be paid.
    pub fn request_pool(&mut self, market: usize, who: Who, shares: i128) -> Verdict<()> {
        self.member_of_pool(market, who)?;
        let (low, ..) = self.leaving(market)?;
        let slot = self.slot;
        let fund = &mut self.pool_mut(market)?.fund;
        fund.ask(who.wallet, shares, low, slot)
    }

    /// Takes that back.
    pub fn cancel_pool_request(&mut self, market: usize, who: Who) -> Verdict<()> {
        self.member_of_pool(market, who)?;
        self.pool_mut(market)?.fund.stay(who.wallet)
    }

    /// Pays what was asked for.
    pub fn withdraw_pool(&mut self, market: usize, who: Who, least: i128) -> Verdict<Paid> {
        self.member_of_pool(market, who)?;
        let (slot, pool) = (self.slot, self.pool(market)?);
        let terms = (
            pool.params.withdraw_delay_slots,
            pool.params.withdraw_window_slots,
        );
        pool.fund.due(who.wallet, slot, terms.0, terms.1)?;
        let (low, most, health) = self.leaving(market)?;
        let healthy = health == Health::Healthy;
        require(healthy, BallastError::PoolUnhealthy)?;
        let paid = self.pool_mut(market)?.fund.pay(who.wallet, low, most)?;
        require(paid.atoms > 0, BallastError::NothingPayable)?;
        require(paid.atoms >= least, BallastError::ExitTooLittle)?;
        self.trader_mut(pool_trader(market)).free -= paid.atoms;
        take(&mut self.vault, paid.atoms)?;
        self.wallets[who.wallet] += paid.atoms;
        Ok(paid)
    }

    /// Ends the shares of a pool without a position of which nothing is left.
    pub fn reset_pool(&mut self, market: usize) -> Verdict<()> {
        self.pool(market)?;
        let holds = self.owned(market, pool_trader(market)).is_some();
        require(!holds, BallastError::PoolHasPosition)?;
        let worth = self.idle_worth(market).high;
        let pool = self.pool_mut(market)?;
        require(pool.fund.is_spent(worth), BallastError::PoolNotSpent)?;
        pool.fund.end_epoch();
        pool.height = (0, 0);
        Ok(())
    }

    /// Has the pool take nothing that enlarges its position.
    pub fn stop_pool(&mut self, market: usize) -> Verdict<()> {
        let slot = self.slot;
        self.pool_mut(market)?.stopped = Some(slot);
        Ok(())
    }

    /// Stages parameters and puts them in force, in one slot.
    pub fn change_pool(&mut self, market: usize, params: &PoolParams) -> Verdict<()> {
        let sound = is_within_bounds(params, &self.markets[market].params);
        require(sound, BallastError::PoolParams)?;
        let slot = self.slot;
        let pool = self.pool_mut(market)?;
        let stale = pool.stopped.is_some_and(|stopped| slot <= stopped);
        require(!stale, BallastError::StagedStale)?;
        if pool.params.window_slots != params.window_slots {
            self.count_again(market)?;
        }
        let pool = self.pool_mut(market)?;
        (pool.params, pool.stopped) = (*params, None);
        Ok(())
    }

    /// What counts in the window of old counts as taken now in another.
    fn count_again(&mut self, market: usize) -> Verdict<()> {
        let taken = (self.slot, self.taken_lately(market));
        self.pool_mut(market)?.taken = vec![taken];
        Ok(())
    }

    /// Opens an account for a wallet's shares of a fund.
    pub fn create_share(&mut self, fund: FundName, wallet: usize) -> Verdict<()> {
        if let Ok(fund) = self.fund_mut(fund) {
            if fund.members[wallet].is_some() {
                return Err(ALREADY_THERE);
            }
            fund.open(wallet);
            return Ok(());
        }
        Err(BallastError::WrongFund.into())
    }

    /// Closes it.
    pub fn close_share(&mut self, fund: FundName, wallet: usize) -> Verdict<()> {
        let fund = self.fund_mut(fund)?;
        let empty = fund.member(wallet)?.shares == 0;
        require(empty, BallastError::SharesLeft)?;
        fund.members[wallet] = None;
        Ok(())
    }

    fn fund_mut(&mut self, fund: FundName) -> Result<&mut Fund, Refusal> {
        match fund {
            FundName::Pool(market) => Ok(&mut self.pool_mut(market)?.fund),
            FundName::Stakes(market) => {
                let stakes = self.markets[market].stakes.as_mut();
                stakes.ok_or(NOT_THERE)
            }
            FundName::Market(_) => Err(NOT_THERE),
        }
    }
}

/// The table of the documents.
fn is_within_bounds(params: &PoolParams, risk: &RiskParams) -> bool {
    let rebate = risk.maker_fee_bps.min(0).unsigned_abs();
    let bps = [
        (params.mode, 0, 2),
        (params.cap_bps, 100, 10_000),
        (params.margin_bps, 1_000, 20_000),
        (params.reserve_first_bps, 0, params.reserve_last_bps),
        (
            params.reserve_last_bps,
            0,
            risk.liquidation_discount_max_bps,
        ),
        (params.take_cap_bps, 100, 100_000),
        (params.drawdown_bps, 100, 10_000),
        (params.premium_bps, 0, risk.taker_fee_bps),
        (params.ask_bps, 0, 500),
        (params.slip_bps, 0, 500),
        (params.unwind_bps, 100, 10_000),
        (params.keeper_bps, 0, 50),
        (params.exit_bps, 0, 500),
    ];
    let slots = [
        (params.window_slots, 150, 1_512_000),
        (params.auction_slots, 10, 9_000),
        (params.unwind_interval_slots, 1, 9_000),
        (params.withdraw_delay_slots, 9_000, 6_048_000),
        (params.withdraw_window_slots, 9_000, 1_512_000),
    ];
    let closing = params.slip_bps + params.keeper_bps + rebate;
    bps.iter()
        .all(|(value, least, most)| (least..=most).contains(&value))
        && slots
            .iter()
            .all(|(value, least, most)| (least..=most).contains(&value))
        && closing <= params.reserve_first_bps
}
