//! What happens to the position of a pool: it is closed, backed, bid for and ruined.

use super::Generator;
use crate::model::{pool_trader, Listed, Model, Quoted};
use crate::operation::{
    BookSide, FundCall, FundName, Operation, OrderKind, Placing, SelfTrade, Unwinding,
};

impl Generator {
    /// Something about the position of a pool, if there is one.
    pub fn inventory_call(&mut self, model: &Model, market: usize) -> Option<Operation> {
        model.markets[market].pool.as_ref()?;
        let held = model.held(market, pool_trader(market));
        if held.lots == 0 && self.pick.percent(97) {
            return None;
        }
        Some(match self.pick.weighted(&[46, 15, 32, 7]) {
            0 => self.unwinding(model, market),
            1 => Operation::SyncPool { market },
            3 => {
                let (who, shares) = self.asking(model, FundName::Pool(market));
                let call = FundCall::RequestPool { who, shares };
                Operation::Fund { market, call }
            }
            2 if held.lots != 0 => self.bid_for_pool(model, market)?,
            _ => self.unwinding(model, market),
        })
    }

    /// The pool itself may be named for the keeper's part.
    fn unwinding(&mut self, model: &Model, market: usize) -> Operation {
        let pool = pool_trader(market);
        let lots = model.held(market, pool).lots;
        Operation::UnwindPool(Unwinding {
            market,
            keeper: self.wallet(),
            receiver: if self.pick.percent(4) {
                pool
            } else {
                self.trader(model)
            },
            makers: self.makers_against(model, market, pool, lots),
        })
    }

    /// An order at about the price of the pool's auction, or its last one.
    fn bid_for_pool(&mut self, model: &Model, market: usize) -> Option<Operation> {
        let held = model.held(market, pool_trader(market));
        let pool = model.pool(market).ok()?;
        let due = model.lots_due(market, held.size()).ok()?;
        let mark = i128::from(model.markets[market].quoted.ticks).min(1 << 40);
        let slip = mark * i128::from(pool.params.slip_bps) / 10_000;
        let last = mark - held.sign() * slip;
        let now = model.auction_price(market, held.sign()).ok()?;
        let ticks = self.pick.one(&[last, last, now]) + self.pick.within(-1, 1);
        let lots = self.pick.one(&[due, due, due / 3, due * 3]).max(1);
        let traders = super::open(model);
        let richest = traders.iter().copied();
        let richest = richest.max_by_key(|one| model.trader(*one).free)?;
        let trader = if self.pick.percent(60) {
            richest
        } else {
            self.trader(model)
        };
        let side = match held.sign() {
            1 => BookSide::Bid,
            _ => BookSide::Ask,
        };
        let mut placing = Placing {
            market,
            trader,
            side,
            kind: OrderKind::Limit,
            price: u64::try_from(ticks.max(0)).ok()?,
            lots: u64::try_from(lots).ok()?,
            margin: 0,
            client_id: 0,
            expires_at: 0,
            reduce_only: false,
            self_trade: SelfTrade::CancelProvide,
            makers: Vec::new(),
        };
        placing.makers = self.makers_for(model, &placing);
        if self.pick.percent(70) {
            self.close_at_last(model, market, trader);
        }
        Some(Operation::PlaceOrder(placing))
    }

    /// The auction goes on, mostly to its end, and the pool meets the orders of somebody first.
    fn close_at_last(&mut self, model: &Model, market: usize, maker: usize) {
        let Operation::UnwindPool(mut unwinding) = self.unwinding(model, market) else {
            return;
        };
        unwinding.makers.insert(0, Listed::Trader(maker));
        unwinding.makers.truncate(32);
        self.first.push(Operation::UnwindPool(unwinding));
        self.first.push(Operation::Advance {
            slots: self.pick.one(&[1, 30, 77, 150, 150]),
            seconds: 0,
        });
    }

    /// The price rises to where a pool that is short has all but lost its position's margin, and it puts
    /// in more; or, once it has no more, to beyond that, and then the position is closed.
    pub fn ruin(&mut self, model: &Model, market: usize) -> Option<Operation> {
        let (trader, now) = (pool_trader(market), &model.markets[market]);
        let held = model.settled(market, trader).ok()?;
        if held.lots >= 0 {
            return None;
        }
        let free = model.trader(trader).free;
        let ticks = |worth: i128| worth / (held.size() * now.atoms_per_tick);
        let (before, lost) = (i128::from(now.quoted.ticks), ticks(held.bankruptcy()));
        if ticks(held.bankruptcy() + free) > before * 8 {
            return None;
        }
        let backs = free > held.margin / 1_000;
        if !backs && before > lost {
            return Some(match self.pick.percent(60) {
                true => self.deleverage(model, market, &[(trader, true)]),
                false => self.liquidate(model, market, &[(trader, true)]),
            });
        }
        let end = if backs {
            before.max(lost * 97 / 100)
        } else {
            lost * 103 / 100
        };
        let end = u64::try_from(end).ok()?;
        if backs {
            self.first.push(Operation::SyncPool { market });
        }
        Some(Operation::Quote {
            market,
            quoted: Quoted {
                ticks: end,
                conf: 0,
                ema: end,
                time: i64::try_from(model.time).ok()?.max(now.used.time),
            },
        })
    }
}
