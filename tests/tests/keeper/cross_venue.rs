//! Two markets with cross margin and people in them: isolated, hedged, and with legs in one direction.

use anchor_lang::prelude::Pubkey;
use ballast_client::accounts::{CrossQueueSnapshot, QueueSnapshot};
use ballast_client::cross::{touched, Site};
use ballast_engine::oracle::{Now, OraclePrice};
use ballast_engine::units::{Side, Ticks};
use ballast_sandbox::{
    BlockTrade, CrossCookie, MarketConfig, MarketCookie, Options, Sandbox, TraderCookie,
};
use ballast_state::cross::{CrossBoard, EnableCrossArgs};
use ballast_state::market::Market;
use ballast_state::trader::Trader;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// Atoms of a dollar.
pub const USD: u64 = 1_000_000;
/// Price of both markets at the start, ticks.
pub const START: u64 = 200_000;

/// A market with its cross queues and its price.
#[derive(Clone)]
pub struct Listed {
    pub cookie: MarketCookie,
    pub cross: CrossCookie,
    pub ticks: u64,
}

/// Two markets and their people.
pub struct CrossVenue {
    pub sandbox: Sandbox,
    pub markets: Vec<Listed>,
    pub people: Vec<TraderCookie>,
    pub house: TraderCookie,
    pub keeper: TraderCookie,
}

impl CrossVenue {
    /// Two markets of this configuration without people; the house is unlevered.
    pub fn new(config: &MarketConfig, keeper: u64) -> Self {
        let (mut sandbox, first) = Sandbox::with_market(&Options::default(), config).unwrap();
        let second = sandbox.create_market(config).unwrap();
        sandbox.create_board().unwrap();
        let markets = [first, second].map(|cookie| {
            let cross = sandbox.create_cross_queues(128).unwrap();
            let allowed = EnableCrossArgs {
                most_lots: 100_000_000,
                draw_cap_bps: 2_500,
                max_age_slots: 100,
            };
            sandbox.enable_cross(&cookie, &cross, allowed).unwrap();
            Listed {
                cookie,
                cross,
                ticks: START,
            }
        });
        let house = sandbox.create_trader(50_000_000 * USD).unwrap();
        let keeper = sandbox.create_trader(keeper * USD).unwrap();
        Self {
            sandbox,
            markets: markets.into(),
            people: Vec::new(),
            house,
            keeper,
        }
    }

    /// All cross queues.
    pub fn queues(&self) -> Vec<Pubkey> {
        let each = self.markets.iter().flat_map(|market| market.cross.both());
        each.collect()
    }

    /// Somebody with `lots` of each market, over their notional by `leverage`; as legs of one account or not.
    pub fn open(&mut self, lots: [i64; 2], leverage: u64, cross: bool) -> TraderCookie {
        let notional = |lots: i64| lots.unsigned_abs() * START;
        let whole = notional(lots[0]) + notional(lots[1]);
        let trader = self.sandbox.create_trader(whole / leverage + whole / 500);
        let trader = trader.unwrap();
        let (queues, house) = (self.queues(), self.house.clone());
        for (market, lots) in self.markets.clone().iter().zip(lots) {
            if lots == 0 {
                continue;
            }
            let terms = BlockTrade {
                lots,
                price_ticks: START,
                taker_margin: notional(lots) / leverage,
                maker_margin: notional(lots),
            };
            let sandbox = &mut self.sandbox;
            sandbox
                .block_trade(&market.cookie, &trader, &house, terms)
                .unwrap();
            if cross {
                sandbox.to_cross(&market.cookie, &trader, &queues).unwrap();
            }
        }
        self.people.push(trader.clone());
        trader
    }

    /// Somebody short 1,000 lots of the first market and long as many of the second, with `pool` atoms behind both.
    pub fn hedge(&mut self, pool: u64) -> TraderCookie {
        let trader = self.sandbox.create_trader(pool + USD).unwrap();
        let (queues, house) = (self.queues(), self.house.clone());
        for (market, lots) in self.markets.clone().iter().zip([-1_000, 1_000]) {
            let terms = BlockTrade {
                lots,
                price_ticks: START,
                taker_margin: pool / 2,
                maker_margin: 1_000 * START,
            };
            let sandbox = &mut self.sandbox;
            sandbox
                .block_trade(&market.cookie, &trader, &house, terms)
                .unwrap();
            sandbox.to_cross(&market.cookie, &trader, &queues).unwrap();
        }
        trader
    }

    /// Two people who trade `lots` with each other, each over its own leverage, as legs or not.
    pub fn pair(&mut self, lots: [i64; 2], leverage: [u64; 2], cross: [bool; 2]) {
        let notional = |lots: i64| lots.unsigned_abs() * START;
        let whole = notional(lots[0]) + notional(lots[1]);
        let each = leverage.map(|leverage| {
            let trader = self.sandbox.create_trader(whole / leverage + whole / 500);
            trader.unwrap()
        });
        let queues = self.queues();
        for (market, lots) in self.markets.clone().iter().zip(lots) {
            if lots == 0 {
                continue;
            }
            let terms = BlockTrade {
                lots,
                price_ticks: START,
                taker_margin: notional(lots) / leverage[0],
                maker_margin: notional(lots) / leverage[1],
            };
            let sandbox = &mut self.sandbox;
            sandbox
                .block_trade(&market.cookie, &each[0], &each[1], terms)
                .unwrap();
            for (trader, cross) in each.iter().zip(cross) {
                if cross {
                    sandbox.to_cross(&market.cookie, trader, &queues).unwrap();
                }
            }
        }
        self.people.extend(each);
    }

    /// So many pairs of people, with nobody else in the markets.
    pub fn pairs(&mut self, pairs: usize, dice: &mut ChaCha8Rng) {
        for _ in 0..pairs {
            let mut lots = [0, 0].map(|_: i64| dice.gen_range(50..8_000_i64));
            match dice.gen_range(0..4) {
                0 => lots[0] = 0,
                1 => lots[1] = 0,
                // A hedge that hardly wins or loses.
                2 => lots[1] = -lots[0],
                _ => {}
            }
            let leverage = [0; 2].map(|_: u64| dice.gen_range(3..18));
            let cross = [false; 2].map(|_| dice.gen_bool(0.6));
            self.pair(lots, leverage, cross);
        }
    }

    /// So many people of all kinds against a house that is never near nothing.
    pub fn crowd(&mut self, people: usize, dice: &mut ChaCha8Rng) {
        self.open([900_000, 0], 1, false);
        self.open([0, -900_000], 1, false);
        for _ in 0..people {
            let lots = || 50..8_000_i64;
            let (one, other) = (dice.gen_range(lots()), dice.gen_range(lots()));
            let sign = if dice.gen_bool(0.5) { 1 } else { -1 };
            let leverage = dice.gen_range(3..18);
            match dice.gen_range(0..5) {
                0 => self.open([sign * one, 0], leverage, false),
                1 => self.open([0, sign * one], leverage, false),
                2 => self.open([sign * one, 0], leverage, true),
                3 => self.open([sign * one, -sign * other], leverage, true),
                _ => self.open([sign * one, sign * other], leverage, true),
            };
        }
    }

    /// Time passes and prices are published; the board does not know them yet.
    pub fn prices(&mut self, slots: u64, ticks: [u64; 2]) {
        self.sandbox.advance_slots(slots);
        for (market, ticks) in self.markets.iter_mut().zip(ticks) {
            self.sandbox.set_price(&market.cookie, ticks);
            market.ticks = ticks;
        }
    }

    /// The board knows them.
    pub fn record(&mut self) {
        let all: Vec<_> = self.markets.iter().map(|market| &market.cookie).collect();
        self.sandbox.record_marks(&all).unwrap();
    }

    /// The price of the market with this number.
    pub fn price(&self, market: usize) -> OraclePrice {
        let ticks = Ticks::new(self.markets[market].ticks);
        OraclePrice {
            price: ticks,
            confidence: Ticks::new(0),
            ema: ticks,
            publish_time: self.sandbox.time(),
            below_tick: false,
        }
    }

    /// Everything as it stands.
    pub fn read(&self) -> Reading {
        let queues = |market: &Listed| {
            [Side::Long, Side::Short].map(|side| {
                let keys = &market.cookie.keys;
                match self.sandbox.account(&keys.queue(side)) {
                    Some(_) => self.sandbox.queue(&market.cookie, side),
                    // The market is closed.
                    None => QueueSnapshot::empty(&keys.market, side).unwrap(),
                }
            })
        };
        let cross = |market: &Listed| {
            [Side::Long, Side::Short].map(|side| self.sandbox.cross_queue(&market.cross.of(side)))
        };
        let addresses = self.sandbox.trader_addresses().iter();
        Reading {
            board: self.sandbox.board(),
            markets: self
                .markets
                .iter()
                .map(|it| self.sandbox.market(&it.cookie))
                .collect(),
            isolated: self.markets.iter().map(queues).collect(),
            cross: self.markets.iter().map(cross).collect(),
            traders: addresses.map(|it| (*it, self.sandbox.trader(it))).collect(),
            now: Now {
                slot: self.sandbox.slot(),
                unix_timestamp: self.sandbox.time(),
            },
        }
    }

    /// The market with this number, of what was read.
    pub fn site<'a>(&self, market: usize, reading: &'a Reading) -> Site<'a> {
        let stored = &reading.markets[market];
        let touched = touched(stored, &self.price(market), reading.now).unwrap();
        let key = self.markets[market].cookie.keys.market;
        Site::new(key, stored, touched, &reading.board, reading.now.slot)
    }
}

/// Accounts as they stood at a moment.
pub struct Reading {
    pub board: Box<CrossBoard>,
    pub markets: Vec<Market>,
    pub isolated: Vec<[QueueSnapshot; 2]>,
    pub cross: Vec<[CrossQueueSnapshot; 2]>,
    pub traders: BTreeMap<Pubkey, Trader>,
    pub now: Now,
}

/// Place of the queue of a side.
pub const fn place(side: Side) -> usize {
    match side {
        Side::Long => 0,
        Side::Short => 1,
    }
}
