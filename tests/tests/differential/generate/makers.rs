//! Lists of makers: those who are met, in book order, and worse ones.

use super::Generator;
use crate::model::{Listed, Model};
use crate::operation::{OrderKind, Placing};
use crate::program::TRADERS;

impl Generator {
    /// Makers for an order.
    pub fn makers_for(&mut self, model: &Model, placing: &Placing) -> Vec<Listed> {
        let market = &model.markets[placing.market];
        let limit = i128::from(placing.price).min(1 << 40) * market.atoms_per_tick;
        let any = placing.kind == OrderKind::Market && placing.price == 0;
        let sign = -placing.side.sign();
        let lots = i128::from(placing.lots);
        let list = self.met(model, placing.market, sign, lots, |price| {
            any || (price - limit) * sign >= 0
        });
        let others = list.into_iter();
        let list = others.filter(|one| *one != Listed::Trader(placing.trader));
        let mut list: Vec<Listed> = list.collect();
        list.extend(self.last(model, placing));
        self.maybe_spoiled(model, placing.trader, list)
    }

    /// Where an order waits on a full side, mostly somebody at its end.
    fn last(&mut self, model: &Model, placing: &Placing) -> Option<Listed> {
        let book = model.book(placing.market);
        let side = &book.sides[usize::from(placing.side.sign() < 0)];
        let waits = matches!(placing.kind, OrderKind::Limit | OrderKind::PostOnly);
        if !waits || side.len() < book.capacity || self.pick.percent(20) {
            return None;
        }
        let last: Vec<usize> = side.iter().rev().take(9).map(|one| one.trader).collect();
        self.pick.some(&last).map(Listed::Trader)
    }

    /// Makers for whoever closes lots of this sign.
    pub fn makers_against(
        &mut self,
        model: &Model,
        market: usize,
        trader: usize,
        lots: i128,
    ) -> Vec<Listed> {
        let list = self.met(model, market, lots.signum(), lots.abs(), |_| true);
        let others = list.into_iter();
        let list = others.filter(|one| *one != Listed::Trader(trader));
        self.maybe_spoiled(model, trader, list.collect())
    }

    /// Makers of the best orders that carry so many lots, and up to two more, each once.
    fn met(
        &mut self,
        model: &Model,
        market: usize,
        sign: i128,
        lots: i128,
        accepts: impl Fn(i128) -> bool,
    ) -> Vec<Listed> {
        let (mut left, mut spares) = (lots, self.pick.within(0, 2));
        let mut list = Vec::new();
        let orders = model.book(market).all().filter(|order| order.sign == sign);
        for order in orders.filter(|order| accepts(order.price)) {
            if left <= 0 {
                spares -= 1;
            }
            if spares < 0 {
                break;
            }
            left -= order.lots;
            let maker = Listed::Trader(order.trader);
            if !list.contains(&maker) {
                list.push(maker);
            }
        }
        list
    }

    fn maybe_spoiled(&mut self, model: &Model, own: usize, mut list: Vec<Listed>) -> Vec<Listed> {
        if self.pick.percent(20) {
            self.spoil_makers(model, own, &mut list);
        }
        list
    }

    fn spoil_makers(&mut self, model: &Model, own: usize, list: &mut Vec<Listed>) {
        let last = i128::try_from(list.len()).expect("short").max(1) - 1;
        let place = usize::try_from(self.pick.within(0, last)).expect("short");
        match self.pick.weighted(&[30, 10, 20, 8, 6, 4, 2, 20]) {
            0 if !list.is_empty() => {
                list.remove(place);
            }
            1 if !list.is_empty() => list.push(list[place]),
            2 => list.insert(place.min(list.len()), Listed::Trader(self.trader(model))),
            3 => list.insert(place.min(list.len()), Listed::Trader(own)),
            4 => {
                let stranger = self.pick.one(&[
                    Listed::Market(0),
                    Listed::Queue(1, 0),
                    Listed::Tokens(1),
                    Listed::Forgery,
                    Listed::Nobody,
                    Listed::Trader(TRADERS - 1),
                ]);
                list.insert(place.min(list.len()), stranger);
            }
            5 => list.clear(),
            6 => {
                let all = (0..TRADERS).filter(|one| model.traders[*one].is_some());
                *list = all.map(Listed::Trader).collect();
                while list.len() < 33 {
                    list.push(list[0]);
                }
            }
            _ => self.pick.shuffle(list),
        }
    }
}
