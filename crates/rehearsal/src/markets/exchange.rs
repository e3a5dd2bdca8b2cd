//! The embedded exchange with several markets: prices, accounts, what everybody is worth.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use ballast_client::accounts::{CrossQueueSnapshot, QueueSnapshot};
use ballast_engine::oracle::{Now, OraclePrice};
use ballast_engine::position::Position;
use ballast_engine::units::{Atoms, LotPrice, Side, Ticks};
use ballast_risk::prices::PricePoint;
use ballast_risk::units::MarketUnits;
use ballast_sandbox::{
    CrossCookie, MarketConfig, MarketCookie, Options, Quote, Sandbox, TraderCookie,
};
use ballast_state::cross::{CrossBoard, EnableCrossArgs};
use ballast_state::market::Market;
use ballast_state::trader::Trader;
use ballast_state::Pubkey;

use super::makers::ORDERS_A_MAKER;
use super::plan::MarketsPlan;
use crate::crash::stage::{averaged, engine, padded, quote, slots_in};
use crate::plan::KEEPERS;

/// Most lots that the legs of a side may hold together: more than there are.
const MOST_LEG_LOTS: u64 = u64::MAX;
/// What legs may get of what a market's insurance may pay, basis points.
pub const DRAW_CAP_BPS: u32 = 2_500;
/// Slots for which a mark serves for opening.
const MARK_AGE_SLOTS: u32 = 100;
/// Orders a side of the smallest book.
const LEAST_BOOK: usize = 16;

/// A market, its cross queues and its price.
pub struct Venue {
    /// The market.
    pub cookie: MarketCookie,
    /// Its cross queues, where it has cross margin.
    pub cross: Option<CrossCookie>,
    /// Tick and lot sizes.
    pub units: MarketUnits,
    /// The price last published.
    pub quote: Quote,
    /// Moving average, 1e-9 USD.
    ema_nano: i64,
}

/// One exchange with several markets.
pub struct Exchange {
    /// The embedded cluster.
    pub sandbox: Sandbox,
    /// The markets, by their numbers.
    pub venues: Vec<Venue>,
    /// Accounts of the population, in its order.
    pub traders: Vec<TraderCookie>,
    /// Accounts that liquidate.
    pub keepers: Vec<TraderCookie>,
}

/// Every account as it stands.
pub struct Reading {
    /// The board, where there is one.
    pub board: Option<Box<CrossBoard>>,
    /// The markets, by their numbers.
    pub markets: Vec<Market>,
    /// Their queues of longs and shorts.
    pub isolated: Vec<[QueueSnapshot; 2]>,
    /// Their cross queues.
    pub cross: Option<Vec<[CrossQueueSnapshot; 2]>>,
    /// Everybody.
    pub traders: BTreeMap<Pubkey, Trader>,
    /// Slot and time.
    pub now: Now,
}

/// Place of the queue of a side.
pub const fn place(side: Side) -> usize {
    match side {
        Side::Long => 0,
        Side::Short => 1,
    }
}

const SIDES: [Side; 2] = [Side::Long, Side::Short];

impl Exchange {
    /// Empty markets at their first prices, at `start`; with cross margin or without.
    pub fn new(program: &Path, plan: &MarketsPlan, start: i64, cross: bool) -> Result<Self> {
        let options = Options {
            program: Some(program.to_owned()),
            start_time: start,
            ..Options::default()
        };
        let mut sandbox = Sandbox::empty(&options)?;
        sandbox.initialize_exchange()?;
        if cross {
            sandbox.create_board()?;
        }
        let people = plan.population.members.len() + KEEPERS;
        let mut venues = Vec::new();
        for (number, market) in plan.markets.iter().enumerate() {
            let ticks = market.units.ticks(market.first_nano)?;
            let orders = market.book.makers * ORDERS_A_MAKER;
            let config = MarketConfig {
                name: padded(&name(number)),
                tick_nano: market.units.tick_nano,
                lot_nano: market.units.lot_nano,
                atoms_per_lot_tick: market.units.atoms_per_lot_tick,
                queue_capacity: people + market.book.makers,
                book_capacity: orders.max(LEAST_BOOK),
                start_price_ticks: ticks,
                risk: market.risk,
                ..MarketConfig::sol()
            };
            let cookie = sandbox.create_market(&config)?;
            let cross = match cross {
                true => Some(enable_cross(&mut sandbox, &cookie, people)?),
                false => None,
            };
            venues.push(Venue {
                cookie,
                cross,
                units: market.units,
                quote: Quote {
                    ticks,
                    conf_ticks: 0,
                    ema_ticks: ticks,
                    publish_time: start,
                },
                ema_nano: market.first_nano,
            });
        }
        Ok(Self {
            sandbox,
            venues,
            traders: Vec::new(),
            keepers: Vec::new(),
        })
    }

    /// Moves the clock to `time` and publishes a price in 1e-9 USD for each market.
    pub fn publish(&mut self, time: i64, nano: &[i64]) -> Result<()> {
        let elapsed = time - self.sandbox.time();
        let slots = slots_in(elapsed)?;
        self.sandbox.set_clock(self.sandbox.slot() + slots, time);
        for (venue, price) in self.venues.iter_mut().zip(nano) {
            let point = PricePoint {
                timestamp: time,
                price_nano: *price,
            };
            venue.ema_nano = averaged(venue.ema_nano, *price, elapsed)?;
            let published = quote(&venue.units, point, venue.ema_nano);
            venue.quote = published.with_context(|| format!("market {}", venue.cookie.index))?;
            venue.mark().with_context(|| {
                format!(
                    "the price at {time} is more than market {} can have",
                    venue.cookie.index
                )
            })?;
            self.sandbox.set_quote(&venue.cookie, &venue.quote);
        }
        Ok(())
    }

    /// Records the marks of all markets on the board.
    pub fn record_marks(&mut self) -> Result<()> {
        let all: Vec<&MarketCookie> = self.venues.iter().map(|venue| &venue.cookie).collect();
        self.sandbox.record_marks(&all)?;
        Ok(())
    }

    /// Everything as it stands.
    pub fn read(&self) -> Reading {
        let queues = |venue: &Venue| SIDES.map(|side| self.sandbox.queue(&venue.cookie, side));
        let cross = |venue: &Venue| {
            let cookie = venue.cross.as_ref()?;
            Some(SIDES.map(|side| self.sandbox.cross_queue(&cookie.of(side))))
        };
        let cross: Option<Vec<_>> = self.venues.iter().map(cross).collect();
        let addresses = self.sandbox.trader_addresses().iter();
        Reading {
            board: cross.as_ref().map(|_| self.sandbox.board()),
            markets: self
                .venues
                .iter()
                .map(|venue| self.sandbox.market(&venue.cookie))
                .collect(),
            isolated: self.venues.iter().map(queues).collect(),
            cross,
            traders: addresses
                .map(|address| (*address, self.sandbox.trader(address)))
                .collect(),
            now: Now {
                slot: self.sandbox.slot(),
                unix_timestamp: self.sandbox.time(),
            },
        }
    }

    /// Number of the market at an address.
    pub fn number(&self, market: &Pubkey) -> Option<usize> {
        let mut venues = self.venues.iter();
        venues.position(|venue| venue.cookie.keys.market == *market)
    }

    /// What an account is worth at the prices last published: free collateral, pool, margins, results and held
    /// profit, atoms.
    pub fn worth(&self, trader: &Pubkey) -> Result<i64> {
        let account = self.sandbox.trader(trader);
        let mut worth = account.free + account.cross_pool;
        for slot in account.positions.iter().filter(|slot| !slot.is_empty()) {
            let Some(number) = self.number(&slot.market) else {
                continue;
            };
            let venue = &self.venues[number];
            let market = self.sandbox.market(&venue.cookie);
            worth += i64::try_from(slot.order_margin)?;
            let leg = slot.is_leg();
            if !leg {
                let held = market.held.value(&slot.held_claim()).map_err(engine)?;
                worth += i64::try_from(held)?;
            }
            if slot.lots == 0 {
                continue;
            }
            let stored = slot.position()?;
            let position = Position {
                margin: if leg { Atoms::ZERO } else { stored.margin },
                ..stored
            };
            let settled = position.settle(market.funding.index).map_err(engine)?;
            worth += settled.equity(venue.mark()?).map_err(engine)?.get();
        }
        Ok(worth)
    }
}

impl Venue {
    /// The mark, atoms per lot.
    pub fn mark(&self) -> Result<LotPrice> {
        let mark = Ticks::new(self.quote.ticks).lot_price(self.units.atoms_per_lot_tick);
        mark.map_err(engine)
    }

    /// The price as the program reads it.
    pub fn price(&self) -> OraclePrice {
        OraclePrice {
            price: Ticks::new(self.quote.ticks),
            confidence: Ticks::new(self.quote.conf_ticks),
            ema: Ticks::new(self.quote.ema_ticks),
            publish_time: self.quote.publish_time,
            below_tick: false,
        }
    }
}

/// A market's name.
pub fn name(number: usize) -> String {
    format!("MARKET-{number}")
}

fn enable_cross(sandbox: &mut Sandbox, market: &MarketCookie, legs: usize) -> Result<CrossCookie> {
    let queues = sandbox.create_cross_queues(legs)?;
    let allowed = EnableCrossArgs {
        most_lots: MOST_LEG_LOTS,
        draw_cap_bps: DRAW_CAP_BPS,
        max_age_slots: MARK_AGE_SLOTS,
    };
    sandbox.enable_cross(market, &queues, allowed)?;
    Ok(queues)
}
