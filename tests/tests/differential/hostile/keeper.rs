//! What a hostile, careless or late keeper sends.

use crate::hostile::stage::{Stage, BANKRUPT, HOUSE};
use crate::model::{Listed, Quoted};
use crate::operation::{Call, Operation, Trade};
use crate::pick::Pick;
use crate::program::TRADERS;

/// What is done to an honest list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Honest,
    /// More members behind it, in order.
    Spares,
    /// One left out.
    Skip,
    /// One left out of those whose score the last one's tolerance reaches.
    SkipNearTie,
    /// Two neighbours exchanged.
    SwapNeighbours,
    /// Any two exchanged.
    SwapAny,
    /// One twice.
    Repeat,
    /// Somebody of the bankrupt's side.
    WrongSide,
    /// The bankrupt itself.
    Bankrupt,
    /// Another program's account with a trader's bytes.
    Forgery,
    /// A token account or an address nobody uses.
    Stranger,
    /// A market or queue of the program.
    ProgramAccount,
    /// A trader of the other market, or of none.
    OtherMarket,
    /// One listed has closed a part since.
    ShrunkSince,
    /// One listed has left since.
    LeftSince,
    /// The price has moved since.
    PriceSince,
    /// The end missing.
    Truncated,
    /// Anybody behind it.
    Extended,
    /// Somebody at the cap or insolvent among them.
    Unavailable,
    /// A loser first.
    LoserFirst,
    /// Some of the ranking, in order.
    Subset,
    /// Some of the ranking, in any order.
    Shuffled,
    /// From the end.
    Reversed,
    /// All of the queue, in order of their numbers.
    Everybody,
    /// More than a list may hold.
    TooLong,
    /// Nobody.
    Empty,
}

/// Every kind.
pub const KINDS: [Kind; 26] = [
    Kind::Honest,
    Kind::Spares,
    Kind::Skip,
    Kind::SkipNearTie,
    Kind::SwapNeighbours,
    Kind::SwapAny,
    Kind::Repeat,
    Kind::WrongSide,
    Kind::Bankrupt,
    Kind::Forgery,
    Kind::Stranger,
    Kind::ProgramAccount,
    Kind::OtherMarket,
    Kind::ShrunkSince,
    Kind::LeftSince,
    Kind::PriceSince,
    Kind::Truncated,
    Kind::Extended,
    Kind::Unavailable,
    Kind::LoserFirst,
    Kind::Subset,
    Kind::Shuffled,
    Kind::Reversed,
    Kind::Everybody,
    Kind::TooLong,
    Kind::Empty,
];

/// A keeper before a stage.
pub struct Keeper<'a> {
    stage: &'a Stage,
    pick: &'a mut Pick,
    ranking: Vec<Listed>,
    sign: i128,
}

impl<'a> Keeper<'a> {
    /// Who looks at the ranking.
    pub fn new(stage: &'a Stage, pick: &'a mut Pick) -> Self {
        let ranking = stage.model.ranking(stage.market, BANKRUPT);
        Self {
            ranking: ranking
                .into_iter()
                .map(|(trader, _, _)| Listed::Trader(trader))
                .collect(),
            sign: stage.model.held(stage.market, BANKRUPT).sign(),
            stage,
            pick,
        }
    }

    /// A call of this kind, and what has happened since its list was made.
    pub fn call(&mut self, kind: Kind) -> (Call, Option<Operation>) {
        let size = self.stage.model.held(self.stage.market, BANKRUPT).size();
        let lots = match self.pick.weighted(&[40, 50, 9, 1]) {
            0 => size,
            1 => self.pick.within(1, size),
            2 => 1,
            _ => 0,
        };
        let mut list = self.stage.honest(BANKRUPT, lots);
        let since = self.since(kind, &list);
        self.spoil(kind, &mut list);
        let call = Call {
            market: self.stage.market,
            bankrupt: BANKRUPT,
            receiver: 1,
            list,
        };
        (call, since)
    }

    fn place(&mut self, list: &[Listed]) -> usize {
        let last = i128::try_from(list.len()).expect("a short list");
        usize::try_from(self.pick.within(0, last)).expect("a short list")
    }

    fn insert(&mut self, list: &mut Vec<Listed>, one: Listed) {
        let place = self.place(list);
        list.insert(place, one);
    }

    fn remove(&mut self, list: &mut Vec<Listed>) {
        if !list.is_empty() {
            let place = self.place(&list[1..]);
            list.remove(place);
        }
    }

    fn spoil(&mut self, kind: Kind, list: &mut Vec<Listed>) {
        let behind = |list: &Vec<Listed>, ranking: &[Listed]| -> Vec<Listed> {
            let rest = ranking.iter().filter(|one| !list.contains(one));
            rest.copied().collect()
        };
        match kind {
            Kind::Honest | Kind::ShrunkSince | Kind::LeftSince | Kind::PriceSince => {}
            Kind::Spares => {
                let few = usize::try_from(self.pick.within(1, 4)).expect("few");
                list.extend(behind(list, &self.ranking).into_iter().take(few));
            }
            Kind::Skip => self.remove(list),
            Kind::SkipNearTie => {
                list.extend(behind(list, &self.ranking).into_iter().take(1));
                if let Some(last) = list.pop() {
                    list.pop();
                    list.push(last);
                }
            }
            Kind::SwapNeighbours => {
                if list.len() > 1 {
                    let place = self.place(&list[2..]);
                    list.swap(place, place + 1);
                }
            }
            Kind::SwapAny => {
                if list.len() > 1 {
                    let (one, other) = (self.place(&list[1..]), self.place(&list[1..]));
                    list.swap(one, other);
                }
            }
            Kind::Repeat => {
                if let Some(one) = self.pick.some(list) {
                    self.insert(list, one);
                }
            }
            Kind::WrongSide => {
                let same = self.holders(|sign, own| sign == own);
                let one = self.pick.some(&same).unwrap_or(Listed::Trader(HOUSE));
                self.insert(list, one);
            }
            Kind::Bankrupt => self.insert(list, Listed::Trader(BANKRUPT)),
            Kind::Forgery => self.insert(list, Listed::Forgery),
            Kind::Stranger => {
                let one = self.pick.one(&[Listed::Tokens(2), Listed::Nobody]);
                self.insert(list, one);
            }
            Kind::ProgramAccount => {
                let market = self.stage.market;
                let one = self.pick.one(&[
                    Listed::Market(market),
                    Listed::Market(1 - market),
                    Listed::Queue(market, 0),
                    Listed::Queue(1 - market, 1),
                ]);
                self.insert(list, one);
            }
            Kind::OtherMarket => {
                let elsewhere = self.pick.one(&[1, TRADERS - 1]);
                self.insert(list, Listed::Trader(elsewhere));
            }
            Kind::Truncated => {
                let left = self.place(list);
                list.truncate(left);
            }
            Kind::Extended => {
                let mut all = self.holders(|_, _| true);
                self.pick.shuffle(&mut all);
                all.retain(|one| !list.contains(one) && *one != Listed::Trader(BANKRUPT));
                list.extend(all.into_iter().take(2));
            }
            Kind::Unavailable => {
                let mut out = self.holders(|sign, own| sign != own);
                out.retain(|one| !self.ranking.contains(one));
                if let Some(one) = self.pick.some(&out) {
                    self.insert(list, one);
                }
            }
            Kind::LoserFirst => {
                if let Some(last) = self.ranking.last() {
                    list.retain(|one| one != last);
                    list.insert(0, *last);
                }
            }
            Kind::Subset | Kind::Shuffled => {
                let mut some = self.ranking.clone();
                some.retain(|_| self.pick.percent(70));
                if kind == Kind::Shuffled {
                    self.pick.shuffle(&mut some);
                }
                *list = some;
            }
            Kind::Reversed => list.reverse(),
            Kind::Everybody => *list = self.holders(|sign, own| sign != own),
            Kind::TooLong => {
                let mut all: Vec<Listed> = self.ranking.clone();
                all.extend((0..TRADERS).map(Listed::Trader));
                all.extend([Listed::Market(0), Listed::Market(1), Listed::Nobody]);
                all.extend((0..9).map(Listed::Tokens));
                all.truncate(33);
                *list = all;
            }
            Kind::Empty => list.clear(),
        }
    }

    /// Everybody with a position whose sign, beside the bankrupt's, is as asked for.
    fn holders(&self, wanted: impl Fn(i128, i128) -> bool) -> Vec<Listed> {
        let model = &self.stage.model;
        (0..TRADERS)
            .filter(|trader| {
                let held = model.held(self.stage.market, *trader);
                held.lots != 0 && wanted(held.sign(), self.sign)
            })
            .map(Listed::Trader)
            .collect()
    }

    /// What happens after the keeper has looked.
    fn since(&mut self, kind: Kind, list: &[Listed]) -> Option<Operation> {
        let market = self.stage.market;
        let now = self.stage.model.markets[market].quoted;
        if kind == Kind::PriceSince {
            let before = i128::from(now.ticks);
            let most = (before / 200).max(2);
            let ticks = u64::try_from(before + self.pick.within(-most, most)).expect("a price");
            let quoted = Quoted {
                ticks,
                ema: ticks,
                ..now
            };
            return Some(Operation::Quote { market, quoted });
        }
        let Some(Listed::Trader(trader)) = self.pick.some(list) else {
            return None;
        };
        let held = self.stage.model.held(market, trader).lots;
        let lots = match kind {
            Kind::LeftSince => held,
            Kind::ShrunkSince => self.pick.within(1, held.abs()) * held.signum(),
            _ => return None,
        };
        Some(Operation::Trade(Trade {
            market,
            taker: trader,
            maker: HOUSE,
            lots: -i64::try_from(lots).expect("lots"),
            price: now.ticks,
            taker_margin: 0,
            maker_margin: 50_000_000_000,
        }))
    }
}
