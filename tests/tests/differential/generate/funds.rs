//! Who puts tokens into pools and stakes, who takes them out and when, and what an admin does.

use ballast_engine::pool::PoolParams;
use ballast_engine::risk::RiskParams;

use super::{Generator, USD};
use crate::model::{pool_trader, Fund, Model, Shareholder};
use crate::operation::{FundCall, FundName, Operation, Who};
use crate::program::WALLETS;

/// Slots from the request for stakes to its payment, and slots in which it is paid.
const STAKES: [u64; 2] = [1_080_000, 432_000];

/// A request, and its slots of delay and payment.
struct Waiting {
    fund: FundName,
    wallet: usize,
    first: u64,
    last: u64,
}

impl Generator {
    /// Pools and stakes, and some who have a part in them, before anything else is traded.
    pub fn begin_funds(&mut self, model: &Model) {
        let mut calls = Vec::new();
        for (market, now) in model.markets.iter().enumerate() {
            if self.pick.percent(92) {
                let params = Box::new(self.pool_params(&now.params));
                calls.push((market, FundCall::CreatePool { params }));
                self.begin_members(market, FundName::Pool(market), &mut calls);
            }
            if self.pick.percent(75) {
                calls.push((market, FundCall::OpenStakes));
                self.begin_members(market, FundName::Stakes(market), &mut calls);
            }
        }
        let calls = calls.into_iter().rev();
        let calls = calls.map(|(market, call)| Operation::Fund { market, call });
        self.first.splice(0..0, calls);
    }

    fn begin_members(&mut self, market: usize, fund: FundName, calls: &mut Vec<(usize, FundCall)>) {
        let most = self.pick.one(&[1, 3, 6]);
        for _ in 0..self.pick.within(1, most) {
            let wallet = self.wallet();
            let who = Who { wallet, of: wallet };
            calls.push((market, FundCall::CreateShare { fund, wallet }));
            calls.push((
                market,
                match fund {
                    FundName::Stakes(_) => FundCall::Stake {
                        who,
                        amount: self.dollars(1, 60),
                    },
                    _ => FundCall::DepositPool {
                        who,
                        amount: self.dollars(1, self.pool_dollars),
                    },
                },
            ));
        }
    }

    fn dollars(&mut self, least: i128, most: i128) -> u64 {
        let amount = self.pick.within(least * USD, most * USD);
        u64::try_from(amount).expect("dollars")
    }

    /// Something about the funds of a market.
    pub fn fund_call(&mut self, model: &Model, market: usize) -> Operation {
        let weights = [7, 20, 16, 3, 14, 16, 14, 3, 12, 3, 3, 1, 2, 1];
        let call = match self.pick.weighted(&weights) {
            0 => self.share_account(model, market),
            1 => FundCall::DepositPool {
                who: self.who(model, FundName::Pool(market)),
                amount: self.deposit_of(model, self.pool_dollars / 2),
            },
            2 => {
                let (who, shares) = self.asking(model, FundName::Pool(market));
                FundCall::RequestPool { who, shares }
            }
            3 => FundCall::CancelPoolRequest {
                who: self.asker(model, FundName::Pool(market)),
            },
            4 => {
                let who = self.asker(model, FundName::Pool(market));
                self.paying(model, FundName::Pool(market), who)
            }
            5 => FundCall::Stake {
                who: self.who(model, FundName::Stakes(market)),
                amount: self.deposit_of(model, 40),
            },
            6 => {
                let (who, shares) = self.asking(model, FundName::Stakes(market));
                FundCall::RequestUnstake { who, shares }
            }
            7 => FundCall::CancelUnstake {
                who: self.asker(model, FundName::Stakes(market)),
            },
            8 => {
                let who = self.asker(model, FundName::Stakes(market));
                self.paying(model, FundName::Stakes(market), who)
            }
            9 => FundCall::Gift {
                wallet: self.wallet(),
                amount: self.pick.amount(300 * USD),
            },
            10 => self.change_pool(model, market),
            11 => FundCall::StopPool,
            12 => FundCall::ResetPool,
            _ if self.pick.percent(50) => FundCall::OpenStakes,
            _ => FundCall::CreatePool {
                params: Box::new(self.pool_params(&model.markets[market].params)),
            },
        };
        let admin = matches!(call, FundCall::StopPool | FundCall::ChangePool { .. });
        if admin && model.markets[market].pool.is_none() {
            return Operation::Fund {
                market,
                call: FundCall::OpenStakes,
            };
        }
        Operation::Fund { market, call }
    }

    /// Mostly ends shares that are worthless, where there are some.
    pub fn renewal(&mut self, model: &Model, market: usize) -> Option<FundCall> {
        let now = &model.markets[market];
        let pool = now.pool.as_ref().filter(|pool| {
            let trader = pool_trader(market);
            let idle = model.owned(market, trader).is_none();
            idle && pool.fund.is_spent(model.trader(trader).free)
        });
        let stakes = now.stakes.as_ref().filter(|stakes| {
            let staked = now.insurance.staked;
            stakes.shares() > 0 && (staked == 0 || stakes.is_spent(staked))
        });
        if pool.is_some() && self.pick.percent(50) {
            return Some(FundCall::ResetPool);
        }
        if stakes.is_some() && self.pick.percent(50) {
            return Some(FundCall::Stake {
                who: self.who(model, FundName::Stakes(market)),
                amount: self.dollars(1, 40),
            });
        }
        None
    }

    /// Opens an account for shares, or closes one, mostly an empty one.
    fn share_account(&mut self, model: &Model, market: usize) -> FundCall {
        let kinds = [FundName::Pool(market), FundName::Stakes(market)];
        let fund = match self.pick.weighted(&[97, 3]) {
            0 => self.pick.one(&kinds),
            _ => FundName::Market(market),
        };
        let members = members(model, fund);
        let empty = |one: &&(usize, Shareholder)| one.1.shares == 0;
        let empty: Vec<usize> = members.iter().filter(empty).map(|one| one.0).collect();
        match self.pick.weighted(&[60, 25, 15]) {
            1 if !empty.is_empty() => FundCall::CloseShare {
                fund,
                wallet: self.pick.one(&empty),
            },
            2 => FundCall::CloseShare {
                fund,
                wallet: self.who(model, fund).wallet,
            },
            _ => FundCall::CreateShare {
                fund,
                wallet: self.wallet(),
            },
        }
    }

    /// Somebody with an account for shares, now and then without one or with another's.
    fn who(&mut self, model: &Model, fund: FundName) -> Who {
        let members: Vec<usize> = members(model, fund).iter().map(|one| one.0).collect();
        let wallet = match self.pick.some(&members) {
            Some(wallet) if self.pick.percent(97) => wallet,
            _ => self.wallet(),
        };
        self.signer(wallet)
    }

    fn signer(&mut self, wallet: usize) -> Who {
        let of = if self.pick.percent(2) {
            self.wallet()
        } else {
            wallet
        };
        Who { wallet, of }
    }

    /// Somebody who has asked, mostly one whose time has come.
    fn asker(&mut self, model: &Model, fund: FundName) -> Who {
        let all = waiting(model, &[fund]);
        let due = all.iter().filter(|one| one.is_due(model.slot));
        let due: Vec<usize> = due.map(|one| one.wallet).collect();
        if let Some(wallet) = self.pick.some(&due).filter(|_| self.pick.percent(80)) {
            return self.signer(wallet);
        }
        let all: Vec<usize> = all.iter().map(|one| one.wallet).collect();
        match self.pick.some(&all) {
            Some(wallet) if self.pick.percent(90) => self.signer(wallet),
            _ => self.who(model, fund),
        }
    }

    /// Somebody with shares, and how many of them.
    pub fn asking(&mut self, model: &Model, fund: FundName) -> (Who, u64) {
        let all = members(model, fund);
        let all: Vec<_> = all.into_iter().filter(|one| one.1.shares > 0).collect();
        match self.pick.some(&all) {
            Some((wallet, member)) if self.pick.percent(95) => {
                let shares = member.shares;
                let whole = u64::try_from(shares).expect("shares");
                let some = self.pick.amount(shares);
                let shares = if self.pick.percent(40) { whole } else { some };
                (self.signer(wallet), shares)
            }
            _ => (self.who(model, fund), self.pick.amount(1 << 30)),
        }
    }

    fn paying(&mut self, model: &Model, fund: FundName, who: Who) -> FundCall {
        let member = members(model, fund)
            .into_iter()
            .find(|one| one.0 == who.wallet);
        let value = member
            .and_then(|one| one.1.request)
            .map_or(1, |one| one.value);
        let least = match self.pick.weighted(&[80, 10, 10]) {
            0 => 0,
            1 => self.pick.amount(value),
            _ => u64::try_from(value).expect("atoms"),
        };
        match fund {
            FundName::Stakes(_) => FundCall::Unstake { who, least },
            _ => FundCall::WithdrawPool { who, least },
        }
    }

    /// About so many dollars, the least there may be, or anything.
    fn deposit_of(&mut self, model: &Model, most: i128) -> u64 {
        let least = USD;
        match self.pick.weighted(&[82, 8, 4, 6]) {
            0 => self.dollars(1, most),
            1 => u64::try_from(least + self.pick.within(-1, 1)).expect("atoms"),
            2 => self.pick.amount(model.wallets[1]),
            _ => self.pick.amount(most * USD),
        }
    }

    /// Time until about when a request is paid or lapses, if anybody waits.
    pub fn wait_for_payment(&mut self, model: &Model) -> Option<Operation> {
        let funds: Vec<FundName> = (0..model.markets.len())
            .flat_map(|market| [FundName::Pool(market), FundName::Stakes(market)])
            .collect();
        let all: Vec<(u64, u64)> = waiting(model, &funds)
            .iter()
            .filter(|one| one.first > model.slot)
            .map(|one| (one.first, one.last))
            .collect();
        let (first, last) = self.pick.some(&all)?;
        let slot = match self.pick.weighted(&[60, 8, 8, 8, 16]) {
            0 => first,
            1 => first - 1,
            2 => last,
            3 => last + 1,
            _ => first + (last - first) / 3,
        };
        let slots = slot.saturating_sub(model.slot).max(1);
        let seconds = self.pick.one(&[0, 1, 12, 40]);
        Some(Operation::Advance { slots, seconds })
    }

    /// Pays somebody whose time has come.
    pub fn payment(&mut self, model: &Model, market: usize) -> Option<Operation> {
        let funds = [FundName::Pool(market), FundName::Stakes(market)];
        let all = waiting(model, &funds);
        let due = all.iter().filter(|one| one.is_due(model.slot));
        let due: Vec<(FundName, usize)> = due.map(|one| (one.fund, one.wallet)).collect();
        let (fund, wallet) = self.pick.some(&due)?;
        let who = self.signer(wallet);
        let call = self.paying(model, fund, who);
        Some(Operation::Fund { market, call })
    }

    /// Other parameters, of which most are good.
    fn change_pool(&mut self, model: &Model, market: usize) -> FundCall {
        let mut params = self.pool_params(&model.markets[market].params);
        let pool = model.markets[market].pool.as_ref();
        let stopped = pool.and_then(|pool| pool.stopped);
        // What is staged in the slot of a stop would stay staged.
        if stopped.is_some_and(|slot| slot >= model.slot) {
            return FundCall::StopPool;
        }
        if self.pick.percent(25) {
            let bad: &[fn(&mut PoolParams)] = &[
                |params| params.mode = 3,
                |params| params.cap_bps = 99,
                |params| params.margin_bps = 20_001,
                |params| params.reserve_first_bps = params.reserve_last_bps + 1,
                |params| params.premium_bps = 5_000,
                |params| params.slip_bps = params.reserve_first_bps + 1,
                |params| params.withdraw_delay_slots = 8_999,
                |params| params.withdraw_window_slots = 1_512_001,
            ];
            self.pick.one(bad)(&mut params);
        }
        FundCall::ChangePool {
            params: Box::new(params),
        }
    }

    /// Parameters of a pool, good ones.
    fn pool_params(&mut self, risk: &RiskParams) -> PoolParams {
        let pick = &mut self.pick;
        let mut params = PoolParams::for_market(risk);
        let rebate = risk.maker_fee_bps.min(0).unsigned_abs();
        let last = risk.liquidation_discount_max_bps;
        params.mode = pick.one(&[0, 0, 0, 0, 0, 0, 1, 2]);
        params.cap_bps = pick.one(&[100, 2_500, 5_000, 10_000, 10_000]);
        params.margin_bps = pick.one(&[1_000, 5_000, 10_000, 20_000]);
        params.reserve_last_bps = pick.one(&[last, last, last / 2]);
        let most = params.reserve_last_bps;
        params.reserve_first_bps = pick.one(&[rebate, rebate, most / 3, most]).max(rebate);
        let closing = params.reserve_first_bps - rebate;
        params.keeper_bps = pick.one(&[0, 2, 50]).min(closing);
        params.slip_bps = pick.one(&[0, 20, 500]).min(closing - params.keeper_bps);
        params.take_cap_bps = pick.one(&[100, 3_000, 10_000, 100_000]);
        params.window_slots = pick.one(&[150, 155, 9_000]);
        params.drawdown_bps = pick.one(&[100, 1_000, 1_000, 10_000]);
        params.premium_bps = pick.one(&[0, 5, 500]).min(risk.taker_fee_bps);
        params.ask_bps = pick.one(&[0, 10, 500]);
        params.auction_slots = pick.one(&[10, 77, 150]);
        params.unwind_bps = pick.one(&[100, 2_000, 10_000]);
        params.unwind_interval_slots = pick.one(&[1, 1, 10, 60]);
        params.exit_bps = pick.one(&[0, 7, 50, 500]);
        params.withdraw_delay_slots = pick.one(&[9_000, 9_001, 864_000]);
        params.withdraw_window_slots = pick.one(&[9_000, 432_000]);
        params
    }
}

impl Waiting {
    fn is_due(&self, slot: u64) -> bool {
        (self.first..=self.last).contains(&slot)
    }
}

fn of(model: &Model, fund: FundName) -> Option<&Fund> {
    match fund {
        FundName::Pool(market) => model.markets[market].pool.as_ref().map(|pool| &pool.fund),
        FundName::Stakes(market) => model.markets[market].stakes.as_ref(),
        FundName::Market(_) => None,
    }
}

/// Who has an account for shares of this epoch, and what is in it.
fn members(model: &Model, fund: FundName) -> Vec<(usize, Shareholder)> {
    let Some(fund) = of(model, fund) else {
        return Vec::new();
    };
    let all = (0..WALLETS).filter_map(|wallet| Some((wallet, fund.member(wallet).ok()?)));
    all.collect()
}

/// Requests, with the slots in which each is paid.
fn waiting(model: &Model, funds: &[FundName]) -> Vec<Waiting> {
    let mut all = Vec::new();
    for fund in funds {
        let [delay, window] = match fund {
            FundName::Pool(market) => match &model.markets[*market].pool {
                Some(pool) => [
                    pool.params.withdraw_delay_slots,
                    pool.params.withdraw_window_slots,
                ],
                None => continue,
            },
            _ => STAKES,
        };
        for (wallet, member) in members(model, *fund) {
            if let Some(request) = member.request {
                let first = request.slot + delay;
                all.push(Waiting {
                    fund: *fund,
                    wallet,
                    first,
                    last: first + window - 1,
                });
            }
        }
    }
    all
}
