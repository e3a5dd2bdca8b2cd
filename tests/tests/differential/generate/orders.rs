//! Orders: near the mark and deep, waiting and crossing, good ones and bad ones.

use super::{open, own_holders, Generator};
use crate::model::{Model, Order};
use crate::operation::{BookSide, Operation, OrderKind, Placing, SelfTrade, Which};

impl Generator {
    /// Something about the book of a market.
    pub fn order(&mut self, model: &Model, market: usize) -> Operation {
        let waiting: Vec<Order> = model.book(market).all().copied().collect();
        let weights = match (self.bookish, waiting.len()) {
            (true, _) => [88, 2, 0, 3, 1, 2, 2, 2],
            (false, 0..6) => [78, 2, 1, 4, 5, 3, 3, 4],
            (false, _) => [52, 7, 3, 11, 12, 5, 6, 4],
        };
        match self.pick.weighted(&weights) {
            0 => {
                let placing = self.placing(model, market, None);
                Operation::PlaceOrder(placing)
            }
            1 => {
                let (trader, which) = self.which(model, &waiting);
                Operation::CancelOrder {
                    market,
                    trader,
                    which,
                }
            }
            2 => Operation::CancelAllOrders {
                market,
                trader: self.maker(model, &waiting),
                side: self
                    .pick
                    .one(&[None, Some(BookSide::Bid), Some(BookSide::Ask)]),
            },
            3 => {
                let (trader, which) = self.which(model, &waiting);
                let placing = self.placing(model, market, Some(trader));
                Operation::ReplaceOrder { which, placing }
            }
            4 => self.execute_trigger(model, market),
            5 => self.change_trigger(model, market),
            6 => self.execute_protection(model, market),
            _ => self.change_protection(model, market),
        }
    }

    /// Who has an order, or anybody.
    fn maker(&mut self, model: &Model, waiting: &[Order]) -> usize {
        match self.pick.some(waiting) {
            Some(order) if self.pick.percent(92) => order.trader,
            _ => self.trader(model),
        }
    }

    /// An order by one of its names, or one that is not there.
    fn which(&mut self, model: &Model, waiting: &[Order]) -> (usize, Which) {
        let Some(order) = self.pick.some(waiting) else {
            return (self.trader(model), Which::Id(1));
        };
        let other = self.trader(model);
        match self.pick.weighted(&[60, 30, 4, 3, 3]) {
            1 if order.client_id > 0 => (order.trader, Which::Client(order.client_id)),
            0 | 1 => (order.trader, Which::Id(order.id)),
            2 => (other, Which::Id(order.id)),
            3 => (order.trader, Which::Client(self.pick.one(&[0, 4, 99]))),
            _ => (order.trader, Which::Id(self.pick.one(&[0, 1, u64::MAX]))),
        }
    }

    /// An order of some trader, or of this one.
    pub fn placing(&mut self, model: &Model, market: usize, trader: Option<usize>) -> Placing {
        let trader = trader.unwrap_or_else(|| self.orderer(model, market));
        let held = model.held(market, trader);
        let chance = if held.lots == 0 { 2 } else { 25 };
        let reduce_only = self.pick.percent(chance);
        let closing = if held.lots > 0 {
            BookSide::Ask
        } else {
            BookSide::Bid
        };
        let side = if reduce_only && self.pick.percent(94) {
            closing
        } else {
            self.pick.one(&[BookSide::Bid, BookSide::Ask])
        };
        let kind = self.order_kind();
        let price = self.order_price(model, market, side, kind);
        let lots = self.order_lots(model, market, trader, side, reduce_only);
        let worth = i128::from(lots).min(1 << 40)
            * i128::from(price.min(1 << 40))
            * model.markets[market].atoms_per_tick;
        let margin = match self.pick.weighted(&[60, 40]) {
            0 => 0,
            _ => self.margin(worth),
        };
        let mut placing = Placing {
            market,
            trader,
            side,
            kind,
            price,
            lots,
            margin,
            client_id: self.pick.one(&[0, 0, 0, 1, 2, 3, 4, 5, u64::MAX]),
            expires_at: self.expiry(model),
            reduce_only,
            self_trade: self.self_trade(),
            makers: Vec::new(),
        };
        placing.makers = self.makers_for(model, &placing);
        placing
    }

    /// A bid at the mark, or the first trader's market order against such bids.
    pub fn crowd_order(&mut self, model: &Model, market: usize, trader: usize) -> Operation {
        let sells = trader == 0;
        let (side, kind) = if sells {
            (BookSide::Ask, OrderKind::Market)
        } else {
            (BookSide::Bid, OrderKind::Limit)
        };
        let mut placing = Placing {
            market,
            trader,
            side,
            kind,
            price: model.markets[market].quoted.ticks,
            lots: if sells { 250 } else { 100 },
            margin: 0,
            client_id: 0,
            expires_at: 0,
            reduce_only: false,
            self_trade: SelfTrade::CancelProvide,
            makers: Vec::new(),
        };
        placing.makers = self.makers_for(model, &placing);
        Operation::PlaceOrder(placing)
    }

    fn orderer(&mut self, model: &Model, market: usize) -> usize {
        if self.bookish && self.pick.percent(45) {
            return 2 * market;
        }
        match self.pick.weighted(&[45, 45, 10]) {
            0 => self.pick.some(&own_holders(model, market)),
            1 => None,
            _ => {
                let traders = open(model);
                traders
                    .into_iter()
                    .max_by_key(|one| model.trader(*one).free)
            }
        }
        .unwrap_or_else(|| self.trader(model))
    }

    fn order_kind(&mut self) -> OrderKind {
        let weights = if self.bookish {
            [60, 1, 1, 37, 1]
        } else {
            [44, 14, 9, 18, 15]
        };
        match self.pick.weighted(&weights) {
            0 => OrderKind::Limit,
            1 => OrderKind::ImmediateOrCancel,
            2 => OrderKind::FillOrKill,
            3 => OrderKind::PostOnly,
            _ => OrderKind::Market,
        }
    }

    fn self_trade(&mut self) -> SelfTrade {
        self.pick.one(&[
            SelfTrade::CancelProvide,
            SelfTrade::CancelProvide,
            SelfTrade::DecrementAndCancel,
            SelfTrade::DecrementAndCancel,
            SelfTrade::Abort,
        ])
    }

    fn expiry(&mut self, model: &Model) -> i64 {
        let now = i64::try_from(model.time).expect("a time");
        match self.pick.weighted(&[70, 26, 2, 1, 1]) {
            0 => 0,
            1 => {
                now + self
                    .pick
                    .one(&[1, 2, 5, 20, 59, 60, 61, 90, 3_600, 316_224_000])
            }
            2 => now,
            3 => now - 1,
            _ => self
                .pick
                .one(&[i64::MAX, i64::MIN, -1, 1, now + 316_224_001, now * 1_000]),
        }
    }

    /// Ticks: behind the mark, at or through the other side, or at the edge of the band.
    fn order_price(
        &mut self,
        model: &Model,
        market: usize,
        side: BookSide,
        kind: OrderKind,
    ) -> u64 {
        let now = &model.markets[market];
        let (mark, sign) = (i128::from(now.quoted.ticks).min(1 << 50), side.sign());
        let width = mark * i128::from(now.params.price_band_bps) / 10_000;
        let best = now
            .book
            .best(-sign)
            .map(|best| best.price / now.atoms_per_tick);
        let near = (mark / 100).max(1);
        let waits = matches!(kind, OrderKind::Limit | OrderKind::PostOnly);
        let weights = match (self.bookish, waits) {
            (true, _) => [20, 76, 1, 1, 1, 1],
            (false, true) => [58, 10, 22, 5, 3, 2],
            (false, false) => [8, 2, 52, 30, 5, 3],
        };
        let ticks = match self.pick.weighted(&weights) {
            0 => mark - sign * self.pick.within(-1, near) / self.pick.one(&[1, 1, 4, 10]),
            1 => {
                let most = if self.pick.percent(97) {
                    width
                } else {
                    near * 30
                };
                mark - sign * self.pick.within(near.min(most), most)
            }
            2 => best.unwrap_or(mark) + self.pick.one(&[0, 0, 1, -1, sign * near / 4]),
            3 if kind == OrderKind::Market && self.pick.percent(50) => 0,
            3 => mark + sign * width.min(mark / 20),
            4 => mark + sign * (width + self.pick.within(0, 1)),
            _ => self
                .pick
                .one(&[0, 1, 2_147_483_647, 2_147_483_648, i128::from(u64::MAX)]),
        };
        u64::try_from(ticks.max(0)).expect("not negative")
    }

    fn order_lots(
        &mut self,
        model: &Model,
        market: usize,
        trader: usize,
        side: BookSide,
        reduce_only: bool,
    ) -> u64 {
        let now = &model.markets[market];
        let size = model.held(market, trader).size();
        let several = self.pick.one(&[1, 1, 2, 3, 5, 40]);
        let met = now.book.all().filter(|order| order.sign == -side.sign());
        let met: i128 = met.take(several).map(|order| order.lots).sum();
        let least = i128::from(now.params.min_position_lots);
        let weights = if reduce_only {
            [10, 50, 10, 10, 15, 5]
        } else if self.bookish {
            [15, 5, 2, 5, 70, 3]
        } else {
            [54, 8, 6, 20, 8, 4]
        };
        let lots = match self.pick.weighted(&weights) {
            3 if met > 0 => met + self.pick.within(-1, 1),
            0 | 3 => i128::from(self.opening(model, market, trader).abs()),
            1 => self.pick.within(1, size.max(1)),
            2 => size + self.pick.within(-1, 1),
            4 => least + self.pick.one(&[0, 0, -1]),
            _ => self.pick.one(&[
                0,
                1,
                100_000,
                4_294_967_295,
                4_294_967_296,
                i128::from(u64::MAX),
            ]),
        };
        u64::try_from(lots.max(0)).expect("lots")
    }
}
