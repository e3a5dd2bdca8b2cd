//! A market with people in it, for tests of a page: one SOL market at $200, positions on both sides
//! that a fall to $180 deleverages, orders on both sides, and a price account where everybody looks
//! for it.

use std::path::PathBuf;

use ballast_client::price::feed_account;
use ballast_sandbox::{
    BlockTrade, MarketConfig, MarketCookie, Options, Sandbox, SetupError, TraderCookie, TxError,
};
use ballast_state::book_account::OrderSide;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs};
use ballast_state::Pubkey;
use serde_json::{json, Value};
use solana_signer::Signer;

use crate::control::{Desk, Price};
use crate::serve::now;

/// Atoms of a dollar.
pub const USD: u64 = 1_000_000;
/// The first price, in ticks of $0.001.
pub const START_TICKS: u64 = 200_000;
/// What the insurance has: less than the fall leaves unpaid.
const INSURANCE: u64 = 20 * USD;
/// What everybody deposits, and has left in the wallet.
const DEPOSIT: u64 = 3_000 * USD;
/// Lots of every position: 10 SOL.
const LOTS: i64 = 10_000;
/// Margins of longs of 10 SOL, entered at $200: the first two do not stand a fall to $193, two more not one
/// to $180.
pub const LONG_MARGINS: [u64; 6] = [
    110 * USD,
    120 * USD,
    150 * USD,
    160 * USD,
    260 * USD,
    305 * USD,
];
/// Margins of the shorts against them: the less, the higher they rank.
pub const SHORT_MARGINS: [u64; 6] = [
    140 * USD,
    160 * USD,
    250 * USD,
    350 * USD,
    500 * USD,
    900 * USD,
];
/// Orders of the market maker on each side.
const LEVELS: u64 = 5;

/// The market and who is in it.
#[derive(Debug)]
pub struct Scene {
    /// The market; its price account is that of the feed.
    pub market: MarketCookie,
    /// Longs, the one with the least margin first.
    pub longs: Vec<TraderCookie>,
    /// Shorts, likewise.
    pub shorts: Vec<TraderCookie>,
    /// Has orders on both sides of the book.
    pub maker: TraderCookie,
}

/// An exchange without a market whose clock is this machine's, of the program at a path.
///
/// # Errors
/// When the program is not there or is none.
pub fn exchange(program: Option<PathBuf>) -> Result<Sandbox, SetupError> {
    let options = Options {
        program,
        start_time: now(),
        ..Options::default()
    };
    let mut sandbox = Sandbox::empty(&options)?;
    sandbox.initialize_exchange()?;
    Ok(sandbox)
}

/// Creates the market at a price, with its price account where everybody looks for it.
///
/// # Errors
/// When the program refuses something.
pub fn market(sandbox: &mut Sandbox, ticks: u64) -> Result<MarketCookie, TxError> {
    let mut config = MarketConfig::sol();
    config.start_price_ticks = ticks;
    let mut market = sandbox.create_market(&config)?;
    market.keys.price = feed_account(0, &config.feed_id);
    sandbox.set_price(&market, ticks);
    let donor = sandbox.create_wallet(INSURANCE)?;
    sandbox.donate_insurance(&market, &donor, INSURANCE)?;
    Ok(market)
}

/// Creates the market and everybody in it.
///
/// # Errors
/// When the program refuses something.
pub fn seed(sandbox: &mut Sandbox) -> Result<Scene, TxError> {
    let market = market(sandbox, START_TICKS)?;
    let scene = Scene {
        longs: people(sandbox, LONG_MARGINS.len())?,
        shorts: people(sandbox, SHORT_MARGINS.len())?,
        maker: people(sandbox, 1)?.remove(0),
        market,
    };
    scene.trade(sandbox)?;
    scene.quote(sandbox)?;
    Ok(scene)
}

fn people(sandbox: &mut Sandbox, number: usize) -> Result<Vec<TraderCookie>, TxError> {
    (0..number)
        .map(|_| {
            let person = sandbox.create_trader(DEPOSIT)?;
            sandbox.mint_to(&person.wallet.tokens, DEPOSIT)?;
            Ok(person)
        })
        .collect()
}

impl Scene {
    fn trade(&self, sandbox: &mut Sandbox) -> Result<(), TxError> {
        let pairs = self.longs.iter().zip(&self.shorts);
        for (pair, margins) in pairs.zip(LONG_MARGINS.iter().zip(SHORT_MARGINS)) {
            let terms = BlockTrade {
                lots: LOTS,
                price_ticks: START_TICKS,
                taker_margin: *margins.0,
                maker_margin: margins.1,
            };
            sandbox.block_trade(&self.market, pair.0, pair.1, terms)?;
        }
        Ok(())
    }

    /// Quotes five prices on each side; the short with the most margin buys a little of it, and so
    /// is less short.
    fn quote(&self, sandbox: &mut Sandbox) -> Result<(), TxError> {
        for level in 1..=LEVELS {
            for side in [OrderSide::Bid, OrderSide::Ask] {
                let away = level * 250;
                let price_ticks = match side {
                    OrderSide::Bid => START_TICKS - away,
                    OrderSide::Ask => START_TICKS + away,
                };
                let order = PlaceOrderArgs {
                    side,
                    kind: OrderKind::PostOnly,
                    price_ticks,
                    lots: 1_000 * level,
                    ..PlaceOrderArgs::default()
                };
                sandbox.place_order(&self.market, &self.maker, order, &[])?;
            }
        }
        let taken = PlaceOrderArgs {
            side: OrderSide::Bid,
            kind: OrderKind::Market,
            lots: 500,
            ..PlaceOrderArgs::default()
        };
        let taker = &self.shorts[self.shorts.len() - 1];
        sandbox.place_order(&self.market, taker, taken, &[self.maker.address])?;
        Ok(())
    }

    /// Publishes the market's price from now on.
    pub fn publish(&self, desk: &Desk, ticks: u64) {
        desk.publish(&self.market, Price::certain(ticks));
    }

    /// Addresses and keys, for whoever drives a page.
    #[must_use]
    pub fn json(&self) -> Value {
        let keys = &self.market.keys;
        let people = |all: &[TraderCookie]| -> Value { all.iter().map(person).collect() };
        json!({
            "market": text(&keys.market),
            "name": name(&self.market),
            "price": text(&keys.price),
            "book": text(&keys.book),
            "queue_long": text(&keys.queue_long),
            "queue_short": text(&keys.queue_short),
            "tick_nano": self.market.config.tick_nano,
            "lot_nano": self.market.config.lot_nano,
            "price_ticks": START_TICKS,
            "longs": people(&self.longs),
            "shorts": people(&self.shorts),
            "maker": person(&self.maker),
        })
    }
}

fn name(market: &MarketCookie) -> String {
    let name = String::from_utf8_lossy(&market.config.name);
    name.trim_end_matches('\0').to_owned()
}

fn text(address: &Pubkey) -> String {
    address.to_string()
}

/// Wallet, trader account and token account of a person, and the wallet's key as a keypair file has
/// it.
fn person(cookie: &TraderCookie) -> Value {
    json!({
        "wallet": text(&cookie.wallet.keypair.pubkey()),
        "trader": text(&cookie.address),
        "tokens": text(&cookie.wallet.tokens),
        "keypair": cookie.wallet.keypair.to_bytes().to_vec(),
    })
}
