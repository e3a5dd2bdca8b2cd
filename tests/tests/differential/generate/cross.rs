//! Legs: positions that join and leave, collateral for them, marks, records, liquidations.

use super::{open, own_holders, Generator, USD};
use crate::model::{Account, Model, MARK_AGE};
use crate::operation::{
    BookSide, CrossCall, Liquidation, Operation, OrderKind, Placing, Queues, SelfTrade, Trade,
};

/// A mark is recorded anew after so many slots, mostly.
const OLD: u64 = 12;

impl Generator {
    /// A step of a history of legs.
    pub fn cross_step(&mut self, model: &Model, market: usize) -> Operation {
        let market = if self.pick.percent(30) {
            1 - market
        } else {
            market
        };
        if let Some(step) = self.pursue(model, market) {
            return step;
        }
        let few = with_legs(model, market).len() < 9;
        if self.pick.percent(if few { 12 } else { 2 }) {
            if let Some(trade) = self.newcomers(model, market) {
                return trade;
            }
        }
        match self.pick.weighted(&[56, 14, 7, 11, 2, 4, 16]) {
            0 => self.cross_call(model, market),
            1 => match self.second(model, market) {
                Some(trade) if self.pick.percent(70) => trade,
                _ => self.trade(model, market),
            },
            2 => self.deposit(model),
            3 => self.quote(model, market),
            4 => self.donate(market),
            5 => self.advance(model),
            _ => self.order(model, market),
        }
    }

    /// A call about legs, mostly one that there is a reason for.
    fn cross_call(&mut self, model: &Model, market: usize) -> Operation {
        let old = (0..model.markets.len()).any(|one| {
            let board = &model.crossed(one).board;
            board.time < model.markets[one].quoted.time || model.slot - board.slot > OLD
        });
        let age = |one: usize| model.slot - model.crossed(one).board.slot;
        if age(market) > u64::from(MARK_AGE) && self.pick.percent(12) {
            return Operation::Cross(CrossCall::Freeze { market });
        }
        if old && self.pick.percent(35) {
            return Operation::Cross(self.marks());
        }
        let weak = distressed_legs(model, market);
        if !weak.is_empty() && self.pick.percent(45) {
            return Operation::Cross(match self.pick.weighted(&[30, 60, 10]) {
                0 => self.flag_leg(model, market, &weak),
                1 => self.liquidate_leg(model, market, &weak),
                _ => self.refresh(model, market),
            });
        }
        if self.pick.percent(22) {
            return self.trade_leg(model, market);
        }
        Operation::Cross(
            match self.pick.weighted(&[22, 26, 7, 6, 2, 12, 7, 6, 2, 1]) {
                0 => self.move_cross(model),
                1 => self.join(model, market),
                2 => self.leave(model, market),
                3 => self.marks(),
                4 => CrossCall::Freeze { market },
                5 => self.refresh(model, market),
                6 => self.flag_leg(model, market, &weak),
                7 => self.liquidate_leg(model, market, &weak),
                8 => self.witness(model, market),
                _ => self.part(model, market),
            },
        )
    }

    /// Somebody's leg leaves a market, mostly one that has ended.
    pub fn part(&mut self, model: &Model, market: usize) -> CrossCall {
        CrossCall::Part {
            market,
            trader: self.leg_holder(model, market),
            queues: self.most_queues(),
        }
    }

    /// The market that ends.
    pub fn ending(&mut self) -> usize {
        self.pick.one(&[0, 1])
    }

    /// A leg takes orders, mostly of an account that has a pool.
    fn trade_leg(&mut self, model: &Model, market: usize) -> Operation {
        let mut pools = open(model);
        pools.retain(|trader| model.trader(*trader).shared.atoms > 0);
        let trader = match self.pick.some(&pools) {
            Some(trader) if self.pick.percent(60) => trader,
            _ => self.leg_holder(model, market),
        };
        let mut placing = Placing {
            kind: self.pick.one(&[
                OrderKind::Market,
                OrderKind::Market,
                OrderKind::ImmediateOrCancel,
                OrderKind::FillOrKill,
            ]),
            margin: 0,
            client_id: 0,
            expires_at: 0,
            self_trade: SelfTrade::Abort,
            ..self.placing(model, market, Some(trader))
        };
        let held = model.leg(market, trader).map(|leg| leg.holding);
        if let Some(held) = held.filter(|_| self.pick.percent(50)) {
            placing.side = match held.lots > 0 {
                true => BookSide::Ask,
                false => BookSide::Bid,
            };
            placing.reduce_only = self.pick.percent(60);
            let most = held.size() * if placing.reduce_only { 1 } else { 2 };
            let some = self.pick.within(1, most.max(1));
            let lots = self.pick.one(&[some, some, held.size()]);
            placing.lots = u64::try_from(lots).expect("lots");
        }
        if placing.kind == OrderKind::Market && self.pick.percent(60) {
            placing.price = 0;
        }
        let met = match self.pick.percent(60) {
            true => self.met_by(model, &placing),
            false => None,
        };
        let Some(order) = met else {
            placing.makers = self.makers_for(model, &placing);
            let queues = self.queues();
            return Operation::Cross(CrossCall::Trade { placing, queues });
        };
        let mut then = model.clone();
        // Refused or not: the trade follows.
        let _ = then.perform(&order);
        placing.makers = self.makers_for(&then, &placing);
        let queues = self.queues();
        self.first
            .push(Operation::Cross(CrossCall::Trade { placing, queues }));
        order
    }

    /// Somebody without a leg in the market places an order at the mark that another one is about to take.
    fn met_by(&mut self, model: &Model, taking: &Placing) -> Option<Operation> {
        let market = taking.market;
        let mut others = open(model);
        others.retain(|one| *one != taking.trader && model.leg(market, *one).is_none());
        others.sort_by_key(|one| -model.trader(*one).free);
        others.truncate(3);
        let mut order = Placing {
            trader: self.pick.some(&others)?,
            side: match taking.side {
                BookSide::Bid => BookSide::Ask,
                BookSide::Ask => BookSide::Bid,
            },
            kind: OrderKind::Limit,
            price: model.markets[market].quoted.ticks,
            margin: 0,
            reduce_only: false,
            self_trade: SelfTrade::CancelProvide,
            ..taking.clone()
        };
        order.makers = self.makers_for(model, &order);
        Some(Operation::PlaceOrder(order))
    }

    /// Somebody with a leg in the other market alone opens a position.
    fn second(&mut self, model: &Model, market: usize) -> Option<Operation> {
        let mut legs = with_legs(model, 1 - market);
        legs.retain(|trader| {
            model.leg(market, *trader).is_none() && model.owned(market, *trader).is_none()
        });
        let taker = self.pick.some(&legs)?;
        let mut others = open(model);
        others.retain(|other| *other != taker && model.leg(market, *other).is_none());
        let maker = self.pick.some(&others)?;
        let now = &model.markets[market];
        let lots = self.opening(model, market, taker) / 2;
        let worth = i128::from(lots).abs() * i128::from(now.quoted.ticks) * now.atoms_per_tick;
        let margin = u64::try_from(worth / 10).ok()?;
        Some(Operation::Trade(Trade {
            market,
            taker,
            maker,
            lots: if lots == 0 { 100 } else { lots },
            price: now.quoted.ticks,
            taker_margin: margin,
            maker_margin: margin,
        }))
    }

    /// Somebody's position joins, mostly one that may.
    fn join(&mut self, model: &Model, market: usize) -> CrossCall {
        let queues = self.queues();
        let all = [(0, 0), (0, 1), (1, 0), (1, 1)].to_vec();
        let mut able = own_holders(model, market);
        able.retain(|trader| {
            let join = CrossCall::Join {
                market,
                trader: *trader,
                queues: all.clone(),
            };
            model.clone().perform(&Operation::Cross(join)).is_ok()
        });
        let second: Vec<_> = able
            .iter()
            .copied()
            .filter(|trader| model.leg(1 - market, *trader).is_some())
            .collect();
        let able = match self.pick.percent(70) && !second.is_empty() {
            true => second,
            false => able,
        };
        let trader = match self.pick.some(&able) {
            Some(trader) if self.pick.percent(80) => trader,
            _ => self.holder(model, market),
        };
        CrossCall::Join {
            market,
            trader,
            queues,
        }
    }

    fn marks(&mut self) -> CrossCall {
        let markets = match self.pick.weighted(&[60, 18, 18, 2, 2]) {
            0 => vec![0, 1],
            1 => vec![0],
            2 => vec![1],
            3 => vec![1, 1],
            _ => Vec::new(),
        };
        CrossCall::Record { markets }
    }

    /// All cross queues, or some.
    pub fn queues(&mut self) -> Queues {
        let mut all = vec![(0, 0), (0, 1), (1, 0), (1, 1)];
        if self.pick.percent(30) {
            all.retain(|_| self.pick.percent(55));
        }
        all
    }

    /// Somebody with a leg in the market, mostly.
    pub fn leg_holder(&mut self, model: &Model, market: usize) -> usize {
        let legs = with_legs(model, market);
        if self.pick.percent(94) {
            if let Some(trader) = self.pick.some(&legs) {
                return trader;
            }
        }
        self.trader(model)
    }

    fn move_cross(&mut self, model: &Model) -> CrossCall {
        let mut legs = open(model);
        legs.retain(|trader| model.trader(*trader).shared.atoms != 0);
        let trader = match self.pick.some(&legs) {
            Some(trader) if self.pick.percent(70) => trader,
            _ => self.trader(model),
        };
        let account = model.trader(trader);
        let out = self
            .pick
            .percent(if account.shared.atoms > 0 { 50 } else { 15 });
        let most = match out {
            true => account.shared.atoms,
            false => account.free.min(2_000 * USD),
        };
        let some = self.pick.within(1, most.max(1));
        let most = if self.pick.percent(40) { most } else { some };
        let amount = i64::try_from(self.pick.amount(most)).unwrap_or(i64::MAX);
        CrossCall::Move {
            trader,
            amount: if out { -amount } else { amount },
            queues: self.queues(),
        }
    }

    fn leave(&mut self, model: &Model, market: usize) -> CrossCall {
        let trader = self.leg_holder(model, market);
        let now = &model.markets[market];
        let price = i128::from(now.quoted.ticks.min(1 << 40)) * now.atoms_per_tick;
        let size = model
            .leg(market, trader)
            .map_or(0, |leg| leg.holding.size());
        let margin = match self.pick.weighted(&[45, 40, 15]) {
            0 => self.margin(size * price),
            1 => u64::try_from(size * price * self.pick.within(60, 130) / 1_000).unwrap_or(0),
            _ => self.pick.amount(model.trader(trader).shared.atoms),
        };
        CrossCall::Leave {
            market,
            trader,
            margin,
            queues: self.queues(),
        }
    }

    fn refresh(&mut self, model: &Model, market: usize) -> CrossCall {
        let count = self.pick.one(&[1, 1, 1, 2, 3, 0]);
        let traders = (0..count).map(|_| self.leg_holder(model, market)).collect();
        CrossCall::Refresh {
            market,
            traders,
            queues: self.queues(),
        }
    }

    fn flag_leg(&mut self, model: &Model, market: usize, weak: &[usize]) -> CrossCall {
        let trader = match self.pick.some(weak) {
            Some(trader) if self.pick.percent(85) => trader,
            _ => self.leg_holder(model, market),
        };
        CrossCall::Flag { market, trader }
    }

    fn liquidate_leg(&mut self, model: &Model, market: usize, weak: &[usize]) -> CrossCall {
        let trader = match self.pick.some(weak) {
            Some(trader) if self.pick.percent(92) => trader,
            _ => self.leg_holder(model, market),
        };
        let mut others = open(model);
        others.retain(|other| *other != trader || self.pick.percent(5));
        let (one, other) = (self.pick.one(&others), self.pick.one(&others));
        let richer = model.trader(one).free > model.trader(other).free;
        let held = model
            .leg(market, trader)
            .map_or_else(Default::default, |leg| leg.holding);
        let now = &model.markets[market];
        let price = i128::from(now.quoted.ticks.min(1 << 40)) * now.atoms_per_tick;
        let call = Liquidation {
            market,
            trader,
            liquidator: if richer { one } else { other },
            into_pool: false,
            margin: self.margin(held.size() * price),
            take_over: match self.pick.weighted(&[25, 55, 20]) {
                0 => 0,
                1 => u64::MAX,
                _ => u64::try_from(self.pick.within(1, held.size().max(1))).expect("lots"),
            },
            makers: self.makers_against(model, market, trader, held.lots),
        };
        CrossCall::Liquidate {
            call,
            queues: self.queues(),
        }
    }

    /// Sometimes the price at which an account with legs has some part of its maintenance margin left.
    pub fn weakening_of_legs(&mut self, model: &Model, market: usize) -> Option<i128> {
        let mut legs = with_legs(model, market);
        self.pick.shuffle(&mut legs);
        let trader = *legs.first()?;
        price_of_part(model, market, trader, self.pick.within(-20, 100))
    }

    /// Two who have nothing in a market trade in it, and their positions join.
    fn newcomers(&mut self, model: &Model, market: usize) -> Option<Operation> {
        let mut able = open(model);
        able.retain(|one| {
            let none = !model.uses(market, *one) && model.leg(market, *one).is_none();
            none && model.trader(*one).free > 20 * USD
        });
        self.pick.shuffle(&mut able);
        if self.pick.percent(70) {
            able.sort_by_key(|one| model.leg(1 - market, *one).is_none());
        }
        let [taker, maker, ..] = able[..] else {
            return None;
        };
        let now = &model.markets[market];
        let price = i128::from(now.quoted.ticks.min(1 << 40)) * now.atoms_per_tick;
        let least = model.trader(taker).free.min(model.trader(maker).free);
        let worth = least.min(2_000 * USD) * self.pick.within(1, 6);
        let lots = self.pick.within(1, (worth / price.max(1)).clamp(1, 9_000));
        let margin = self.pick.within(70, 300) * lots * price / 1_000;
        let margin = u64::try_from(margin.min(least / 2)).ok()?;
        for trader in [taker, maker] {
            if self.pick.percent(85) {
                let join = CrossCall::Join {
                    market,
                    trader,
                    queues: self.queues(),
                };
                self.first.push(Operation::Cross(join));
            }
        }
        let lots = i64::try_from(lots * self.pick.one(&[1, -1])).ok()?;
        Some(Operation::Trade(Trade {
            market,
            taker,
            maker,
            lots,
            price: now.quoted.ticks,
            taker_margin: margin,
            maker_margin: margin,
        }))
    }
}

/// The price, ticks, at which an account with a leg in a market has so many hundredths of its maintenance margin.
pub fn price_of_part(model: &Model, market: usize, trader: usize, part: i128) -> Option<i128> {
    let account = model.account(trader, None).ok()?;
    let (leg, now) = (account.leg(market), &model.markets[market]);
    let held = leg.leg.holding;
    let due = i128::from(now.params.tiers[0].maintenance_margin_bps);
    let rest = account.equity - held.lots * leg.mark.price;
    let others = account.due - leg.due;
    // rest + lots p = part (others + due size p), the first two in hundredths of basis points.
    let scale = 1_000_000;
    let worth = (part * others * 10_000 - rest * scale) / (held.sign() * scale - part * due);
    Some(worth / (held.size() * now.atoms_per_tick))
}

/// Accounts with a leg in the market.
pub fn with_legs(model: &Model, market: usize) -> Vec<usize> {
    let mut legs = open(model);
    legs.retain(|trader| model.leg(market, *trader).is_some());
    legs
}

/// Whose legs in a market are below maintenance at the price as published, if it is one.
fn distressed_legs(model: &Model, market: usize) -> Vec<usize> {
    legs_where(model, market, |account| !account.is_healthy())
}

/// Whose legs in a market are of a bankrupt account.
pub fn bankrupt_legs(model: &Model, market: usize) -> Vec<usize> {
    legs_where(model, market, |account| account.equity < 0)
}

/// Whose legs in a market are of such an account at the price as published.
fn legs_where(model: &Model, market: usize, is: impl Fn(&Account) -> bool) -> Vec<usize> {
    let mut legs = with_legs(model, market);
    legs.retain(|trader| published(model, market, *trader).is_some_and(|account| is(&account)));
    legs
}

/// An account, its leg in a market at the price as published, if it can be valued.
pub fn published(model: &Model, market: usize, trader: usize) -> Option<Account> {
    let mut mark = model.crossed(market).board.mark;
    mark.price =
        i128::from(model.markets[market].quoted.ticks) * model.markets[market].atoms_per_tick;
    model.account(trader, Some((market, mark))).ok()
}
