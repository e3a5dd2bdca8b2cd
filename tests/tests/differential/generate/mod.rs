//! Which call comes next: random, but with an eye for trouble.

mod cross;
mod delegates;
mod distress;
mod funds;
mod inventory;
mod makers;
mod orders;
mod protection;
mod rounds;
mod sessions;
mod surroundings;
mod triggers;

use crate::model::{pool_trader, Listed, Model};
use crate::operation::{Call, Operation, Trade};
use crate::pick::Pick;
use crate::program::TRADERS;
use distress::distressed;
pub use rounds::again;

/// A dollar.
const USD: i128 = 1_000_000;

/// The source of a history.
pub struct Generator {
    pick: Pick,
    /// What there is to do first, the last one first.
    first: Vec<Operation>,
    /// Whether everybody crowds into one queue of the small market.
    crowded: bool,
    /// Whether nearly all orders only wait.
    bookish: bool,
    /// Whether a pool that is short is ruined.
    dooms: bool,
    /// Whether accounts have legs.
    legged: bool,
    /// The bankruptcy that a keeper is after.
    pursuit: Option<rounds::Pursuit>,
    /// Whether a bankruptcy is left alone until records count as they stand.
    waits: bool,
    /// What is put into a pool at once at most, dollars.
    pool_dollars: i128,
}

impl Generator {
    /// A history of this seed.
    pub fn new(seed: u64) -> Self {
        let mut pick = Pick::new(seed);
        let (crowded, bookish) = (pick.percent(8), pick.percent(30));
        let dooms = pick.percent(30);
        let pool_dollars = pick.one(&[100, 500, 9_000]);
        let legged = seed.is_multiple_of(5);
        let waits = legged && pick.percent(25);
        let mut first = Vec::new();
        for trader in 0..TRADERS {
            if trader % 2 == 0 || crowded || pick.percent(40) {
                let amount = pick.within(100 * USD, 4_000 * USD);
                let amount = u64::try_from(amount).expect("dollars");
                first.push(Operation::Deposit { trader, amount });
                if trader % 2 == 1 {
                    first.push(Operation::CreateTrader { trader });
                }
            }
        }
        Self {
            pick,
            first,
            crowded,
            bookish,
            dooms,
            legged,
            pursuit: None,
            waits,
            pool_dollars,
        }
    }

    /// Whether most of the history is about legs.
    pub const fn is_legged(&self) -> bool {
        self.legged
    }

    /// The next step.
    pub fn next(&mut self, model: &Model) -> Operation {
        let call = self.step(model);
        self.signed(model, call)
    }

    fn step(&mut self, model: &Model) -> Operation {
        if let Some(operation) = self.first.pop() {
            return operation;
        }
        let market = usize::from(self.pick.percent(30));
        if is_stale(model, market) && self.pick.percent(70) {
            return self.quote(model, market);
        }
        if self.legged && self.pick.percent(85) {
            return self.cross_step(model, market);
        }
        if self.crowded && self.pick.percent(30) {
            return self.crowd(model);
        }
        if model.markets[market].reduce_only && self.pick.percent(3) {
            return Operation::SetMode {
                market,
                reduce_only: false,
            };
        }
        if let Some(operation) = self.follow_up(model, market) {
            return operation;
        }
        let holds = model.owned(market, pool_trader(market)).is_some();
        if self.pick.percent(if holds { 3 } else { 1 }) {
            if let Some(operation) = self.wait_for_payment(model) {
                return operation;
            }
        }
        if self.pick.percent(12) {
            if let Some(operation) = self.payment(model, market) {
                return operation;
            }
        }
        if self.dooms && self.pick.percent(35) {
            if let Some(operation) = self.ruin(model, market) {
                return operation;
            }
        }
        if self.pick.percent(13) {
            if let Some(operation) = self.inventory_call(model, market) {
                return operation;
            }
        }
        if self.pick.percent(30) {
            if let Some(call) = self.renewal(model, market) {
                return Operation::Fund { market, call };
            }
        }
        if self.pick.percent(9) {
            return self.fund_call(model, market);
        }
        let bookish = if self.bookish { 75 } else { 38 };
        if self.pick.percent(bookish) {
            return self.order(model, market);
        }
        if self.pick.percent(60) {
            if let Some(operation) = self.session(model, market) {
                return operation;
            }
        }
        let distressed = distressed(model, market);
        let bankrupt = distressed.iter().any(|(_, bankrupt)| *bankrupt);
        if !bankrupt && !distressed.is_empty() && self.pick.percent(45) {
            return self.liquidate(model, market, &distressed);
        }
        if bankrupt && self.pick.percent(40) {
            return match self.pick.weighted(&[13, 22, 45, 25, 5]) {
                0 => self.flag(model, market, &distressed),
                1 => self.liquidate(model, market, &distressed),
                2 => self.deleverage(model, market, &distressed),
                3 => self.open_session(model, market, &distressed),
                _ => self.rescue(model, market, &distressed),
            };
        }
        match self
            .pick
            .weighted(&[1, 1, 5, 3, 4, 5, 38, 3, 4, 7, 2, 1, 2, 16, 6, 4, 2, 1, 1])
        {
            0 => Operation::CreateTrader {
                trader: self.anybody(),
            },
            1 => self.close(model),
            2 => self.deposit(model),
            3 => {
                let trader = self.trader(model);
                Operation::Withdraw {
                    trader,
                    amount: self.pick.amount(model.trader(trader).free),
                }
            }
            4 => self.add_margin(model, market),
            5 => self.remove_margin(model, market),
            6 => self.trade(model, market),
            7 => Operation::AccrueFunding { market },
            8 => self.flag(model, market, &distressed),
            9 => self.liquidate(model, market, &distressed),
            10 => self.deleverage(model, market, &distressed),
            11 => self.donate(market),
            12 => Operation::Sweep { market },
            13 => self.quote(model, market),
            14 => self.advance(model),
            15 => self.release(model, market),
            16 => self.set_delegate(model),
            17 => Operation::SetMode {
                market,
                reduce_only: true,
            },
            _ => self.open_session(model, market, &distressed),
        }
    }

    /// Those for whom the market holds profit, or somebody.
    fn release(&mut self, model: &Model, market: usize) -> Operation {
        let mut traders = open(model);
        if self.pick.percent(90) {
            traders.retain(|trader| model.trader(*trader).claims[market].shares > 0);
        } else {
            traders = vec![self.pick.one(&traders)];
        }
        traders.truncate(4);
        Operation::Release { market, traders }
    }

    fn anybody(&mut self) -> usize {
        let last = i128::try_from(TRADERS).expect("few") - 1;
        usize::try_from(self.pick.within(0, last)).expect("few")
    }

    /// An open account.
    fn trader(&mut self, model: &Model) -> usize {
        self.pick.one(&open(model))
    }

    /// An account, more likely one with a position.
    fn holder(&mut self, model: &Model, market: usize) -> usize {
        let holders = own_holders(model, market);
        if self.pick.percent(92) {
            if let Some(holder) = self.pick.some(&holders) {
                return holder;
            }
        }
        self.trader(model)
    }

    fn close(&mut self, model: &Model) -> Operation {
        let mut empty = open(model);
        empty.retain(|trader| *trader % 2 == 1 && model.trader(*trader).free == 0);
        let trader = match self.pick.some(&empty) {
            Some(trader) if self.pick.percent(70) => trader,
            _ => {
                let mut full = open(model);
                full.retain(|trader| {
                    let account = model.trader(*trader);
                    account.free > 0 || (0..2).any(|market| model.uses(market, *trader))
                });
                match self.pick.some(&full) {
                    Some(trader) => trader,
                    None => return self.deposit(model),
                }
            }
        };
        Operation::CloseTrader { trader }
    }

    fn deposit(&mut self, model: &Model) -> Operation {
        let trader = self.trader(model);
        let wallet = model.wallets[trader / 2];
        let usual = wallet.min(2_000 * USD);
        let amount = if self.pick.percent(6) {
            self.pick.amount(wallet)
        } else {
            self.pick.amount(usual)
        };
        Operation::Deposit { trader, amount }
    }

    fn add_margin(&mut self, model: &Model, market: usize) -> Operation {
        let trader = self.holder(model, market);
        let free = model.trader(trader).free;
        let some = self.pick.within(1, 200 * USD).min(free);
        let most = if self.pick.percent(30) { free } else { some };
        Operation::AddMargin {
            market,
            trader,
            amount: self.pick.amount(most),
        }
    }

    fn remove_margin(&mut self, model: &Model, market: usize) -> Operation {
        let trader = self.holder(model, market);
        let margin = model.held(market, trader).margin;
        Operation::RemoveMargin {
            market,
            trader,
            amount: self.pick.amount(margin),
        }
    }

    fn trade(&mut self, model: &Model, market: usize) -> Operation {
        let taker = if self.pick.percent(50) {
            self.holder(model, market)
        } else {
            self.trader(model)
        };
        let maker = if self.pick.percent(1) {
            taker
        } else {
            let mut others = open(model);
            others.retain(|other| *other != taker);
            self.pick.one(&others)
        };
        let mut lots = self.lots(model, market, taker, maker);
        if lots == 0 && self.pick.percent(95) {
            lots = self.opening(model, market, taker.min(maker));
        }
        let price = self.price(model, market);
        let worth = i128::from(lots).abs().min(1 << 40)
            * i128::from(price.min(1 << 40))
            * model.markets[market].atoms_per_tick;
        let taker_margin = self.margin(worth);
        let maker_margin = self.margin(worth);
        Operation::Trade(Trade {
            market,
            taker,
            maker,
            lots,
            price,
            taker_margin,
            maker_margin,
        })
    }

    /// A small purchase from the first trader by somebody without a position, at once or through the
    /// book.
    fn crowd(&mut self, model: &Model) -> Operation {
        let market = 1;
        let mut newcomers = open(model);
        newcomers.retain(|trader| *trader != 0 && model.owned(market, *trader).is_none());
        let taker = self.pick.some(&newcomers).unwrap_or(2);
        let now = &model.markets[market];
        let lots = 100;
        let worth = lots * i128::from(now.quoted.ticks.min(1 << 32)) * now.atoms_per_tick;
        let margin = u64::try_from(worth).expect("a margin");
        if self.pick.percent(45) {
            let seller = self.pick.percent(50);
            return self.crowd_order(model, market, if seller { 0 } else { taker });
        }
        Operation::Trade(Trade {
            market,
            taker,
            maker: 0,
            lots: i64::try_from(lots).expect("few lots"),
            price: now.quoted.ticks,
            taker_margin: margin,
            maker_margin: margin,
        })
    }

    fn lots(&mut self, model: &Model, market: usize, taker: usize, maker: usize) -> i64 {
        let (held, other) = (
            model.held(market, taker).lots,
            -model.held(market, maker).lots,
        );
        let lots = match self.pick.weighted(&[45, 12, 12, 8, 8, 10, 5]) {
            1 => -held,
            2 => -self.pick.within(1, held.abs()) * held.signum(),
            3 => -held - held.signum() * self.pick.within(1, held.abs()),
            4 => -other,
            5 => {
                let most = held.abs().min(other.abs()).max(1);
                -held.signum() * self.pick.within(1, most)
            }
            6 => self.pick.one(&[
                0,
                1,
                -1,
                i128::from(i64::MIN),
                i128::from(i64::MAX),
                4_294_967_295,
                -4_294_967_296,
                100_000,
            ]),
            _ => return self.opening(model, market, taker),
        };
        i64::try_from(lots).expect("lots of 64 bits")
    }

    /// Lots that the trader's free collateral may carry.
    fn opening(&mut self, model: &Model, market: usize, trader: usize) -> i64 {
        let now = &model.markets[market];
        let price = i128::from(now.quoted.ticks.max(1)) * now.atoms_per_tick;
        let free = model.trader(trader).free.min(4_000 * USD);
        let leverage = self.pick.within(1, 14);
        let lots = (free * leverage / price).clamp(1, 20_000);
        let lots = self.pick.within(lots / 8, lots) * self.pick.one(&[1, -1]);
        i64::try_from(lots).expect("few lots")
    }

    /// Near the mark, mostly within the band.
    fn price(&mut self, model: &Model, market: usize) -> u64 {
        let mark = i128::from(model.markets[market].quoted.ticks).min(1 << 50);
        let band = mark * i128::from(model.markets[market].params.price_band_bps) / 10_000;
        let price = match self.pick.weighted(&[55, 30, 10, 4, 1]) {
            0 => mark,
            1 => mark + self.pick.within(-band.min(mark / 50), band.min(mark / 50)),
            2 => mark + self.pick.one(&[-band, band]),
            3 => mark + self.pick.one(&[-band - 1, band + 1]),
            _ => self
                .pick
                .one(&[0, 1, 2_147_483_647, 2_147_483_648, i128::from(u64::MAX)]),
        };
        u64::try_from(price.max(0)).expect("not negative")
    }

    /// Margin for a notional: a twentieth, more, or an edge.
    fn margin(&mut self, worth: i128) -> u64 {
        let margin = match self.pick.weighted(&[40, 25, 20, 10, 5]) {
            0 => worth / 20 + self.pick.within(0, worth / 20),
            1 => worth / 20 + self.pick.within(0, worth / 4),
            2 => worth / 20 + self.pick.within(-1, 2),
            3 => worth / 2,
            _ => return self.pick.amount(worth),
        };
        u64::try_from(margin.max(0)).unwrap_or(u64::MAX)
    }

    fn deleverage(
        &mut self,
        model: &Model,
        market: usize,
        distressed: &[(usize, bool)],
    ) -> Operation {
        let mut bankrupt: Vec<(usize, bool)> = distressed.to_vec();
        bankrupt.retain(|(_, bankrupt)| *bankrupt);
        let bankrupt = self.target(model, market, &bankrupt);
        let size = model.held(market, bankrupt).size();
        let lots = self.reach(size);
        let mut list = self.honest(model, market, bankrupt, lots);
        if self.pick.percent(35) {
            self.spoil(model, market, bankrupt, &mut list);
        }
        let receiver = self.trader(model);
        Operation::Deleverage(Call {
            market,
            bankrupt,
            receiver,
            list: list.into_iter().take(33).collect(),
        })
    }

    /// Those who are due, and up to two more.
    fn honest(&mut self, model: &Model, market: usize, bankrupt: usize, lots: i128) -> Vec<Listed> {
        let mut wanted = lots;
        let mut spares = self.pick.within(0, 2);
        let mut list = Vec::new();
        for (trader, left, _) in model.ranking(market, bankrupt) {
            if wanted <= 0 {
                spares -= 1;
            }
            if spares < 0 {
                break;
            }
            wanted -= left;
            list.push(Listed::Trader(trader));
        }
        list
    }

    /// One thing wrong, or at least different.
    fn spoil(&mut self, model: &Model, market: usize, bankrupt: usize, list: &mut Vec<Listed>) {
        let last = i128::try_from(list.len()).expect("short").max(1) - 1;
        let place = usize::try_from(self.pick.within(0, last)).expect("short");
        let other = Listed::Trader(self.holder(model, market));
        match self.pick.weighted(&[20, 10, 10, 10, 10, 5, 5, 10]) {
            0 if !list.is_empty() => {
                list.remove(place);
            }
            1 if !list.is_empty() => list.swap(0, place),
            2 if !list.is_empty() => list.push(list[place]),
            3 => list.insert(place.min(list.len()), other),
            4 => list.push(other),
            5 => list.insert(place.min(list.len()), Listed::Trader(bankrupt)),
            6 => {
                let stranger = self.pick.one(&[
                    Listed::Market(market),
                    Listed::Queue(market, 0),
                    Listed::Tokens(1),
                    Listed::Forgery,
                    Listed::Nobody,
                    Listed::Trader(TRADERS - 1),
                ]);
                list.insert(place.min(list.len()), stranger);
            }
            _ => self.pick.shuffle(list),
        }
    }
}

/// Open accounts of wallets.
fn open(model: &Model) -> Vec<usize> {
    let all = 0..TRADERS;
    all.filter(|trader| model.traders[*trader].is_some())
        .collect()
}

/// Whether the published price is too old, or older than one already used.
fn is_stale(model: &Model, market: usize) -> bool {
    let market = &model.markets[market];
    let age = model.time - i128::from(market.quoted.time);
    let limit = match market.params.price_age_seconds {
        0 => 10,
        seconds => i128::from(seconds),
    };
    age > limit || market.quoted.time < market.used.time
}

/// Who has a position and signs for it: not the pool.
fn own_holders(model: &Model, market: usize) -> Vec<usize> {
    let mut holders = holders(model, market);
    holders.retain(|trader| *trader < TRADERS);
    holders
}

/// Who has a position.
fn holders(model: &Model, market: usize) -> Vec<usize> {
    let all = 0..model.traders.len();
    all.filter(|trader| model.owned(market, *trader).is_some())
        .collect()
}
