//! Legs: positions that join and leave, collateral for them, marks, records, liquidations.

use super::{open, own_holders, Generator, USD};
use crate::model::{Model, Quoted, MARK_AGE};
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
        match self.pick.weighted(&[56, 14, 7, 11, 2, 4, 16]) {
            0 => Operation::Cross(self.cross_call(model, market)),
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
    pub fn cross_call(&mut self, model: &Model, market: usize) -> CrossCall {
        let old = (0..model.markets.len()).any(|one| {
            let board = &model.crossed(one).board;
            board.time < model.markets[one].quoted.time || model.slot - board.slot > OLD
        });
        let age = |one: usize| model.slot - model.crossed(one).board.slot;
        if age(market) > u64::from(MARK_AGE) && self.pick.percent(12) {
            return CrossCall::Freeze { market };
        }
        if old && self.pick.percent(35) {
            return self.marks();
        }
        let weak = distressed_legs(model, market);
        if !weak.is_empty() && self.pick.percent(45) {
            return match self.pick.weighted(&[30, 60, 10]) {
                0 => self.flag_leg(model, market, &weak),
                1 => self.liquidate_leg(model, market, &weak),
                _ => self.refresh(model, market),
            };
        }
        match self.pick.weighted(&[22, 26, 7, 6, 2, 12, 7, 6, 22]) {
            0 => self.move_cross(model),
            1 => self.join(model, market),
            2 => self.leave(model, market),
            3 => self.marks(),
            4 => CrossCall::Freeze { market },
            5 => self.refresh(model, market),
            6 => self.flag_leg(model, market, &weak),
            7 => self.liquidate_leg(model, market, &weak),
            _ => self.trade_leg(model, market),
        }
    }

    /// A leg takes orders, mostly of an account that has a pool.
    fn trade_leg(&mut self, model: &Model, market: usize) -> CrossCall {
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
            placing.lots = u64::try_from(self.pick.within(1, most.max(1))).expect("lots");
        }
        if placing.kind == OrderKind::Market && self.pick.percent(60) {
            placing.price = 0;
        }
        placing.makers = self.makers_for(model, &placing);
        CrossCall::Trade {
            placing,
            queues: self.queues(),
        }
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
    fn queues(&mut self) -> Queues {
        let mut all = vec![(0, 0), (0, 1), (1, 0), (1, 1)];
        if self.pick.percent(30) {
            all.retain(|_| self.pick.percent(55));
        }
        all
    }

    /// Somebody with a leg in the market, mostly.
    fn leg_holder(&mut self, model: &Model, market: usize) -> usize {
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
        let account = model.account(trader, None).ok()?;
        let (leg, now) = (account.leg(market), &model.markets[market]);
        let held = leg.leg.holding;
        let due = i128::from(now.params.tiers[0].maintenance_margin_bps);
        let part = self.pick.within(-20, 100);
        let rest = account.equity - held.lots * leg.mark.price;
        let others = account.due - leg.due;
        // rest + lots p = part (others + due size p), the first two in hundredths of basis points.
        let scale = 1_000_000;
        let worth = (part * others * 10_000 - rest * scale) / (held.sign() * scale - part * due);
        Some(worth / (held.size() * now.atoms_per_tick))
    }
}

/// Accounts with a leg in the market.
fn with_legs(model: &Model, market: usize) -> Vec<usize> {
    let mut legs = open(model);
    legs.retain(|trader| model.leg(market, *trader).is_some());
    legs
}

/// Whose legs in a market are below maintenance at the price as published, if it is one.
fn distressed_legs(model: &Model, market: usize) -> Vec<usize> {
    let Quoted { ticks, .. } = model.markets[market].quoted;
    let price = i128::from(ticks) * model.markets[market].atoms_per_tick;
    let mut legs = with_legs(model, market);
    legs.retain(|trader| {
        let mut mark = model.crossed(market).board.mark;
        mark.price = price;
        let account = model.account(*trader, Some((market, mark)));
        account.is_ok_and(|account| !account.is_healthy())
    });
    legs
}
