//! What there is when a history begins.

use ballast_sandbox::{MarketConfig, MarketCookie, Sandbox};

use super::{MARKETS, TOKENS, TRADERS, WALLETS, WHALE};
use crate::model::{Book, Funding, Market, Model, Past, Quoted};

/// Positions a queue of the second market has room for; the least there may be.
const SMALL_QUEUE: usize = 16;
/// Orders a side of the second market's book; the least there may be.
const SMALL_BOOK: usize = 16;

/// A lot is worth some 200,000 atoms.
pub fn usual() -> MarketConfig {
    MarketConfig {
        queue_capacity: 64,
        book_capacity: 48,
        ..MarketConfig::sol()
    }
}

/// A lot is worth some 1,200 atoms and a tick three: every division leaves a remainder. Its queues
/// are as small as they may be.
pub fn coarse() -> MarketConfig {
    MarketConfig {
        feed_id: [9; 32],
        tick_nano: 3_000_000,
        atoms_per_lot_tick: 3,
        queue_capacity: SMALL_QUEUE,
        book_capacity: SMALL_BOOK,
        start_price_ticks: 400,
        ..MarketConfig::sol()
    }
}

/// The model of these markets, with an open account of every wallet.
pub fn model_of(sandbox: &Sandbox, markets: &[MarketCookie]) -> Model {
    let opened = sandbox.time();
    let market = |cookie: &MarketCookie| Market {
        params: cookie.config.risk,
        reduce_only: false,
        ended: None,
        atoms_per_tick: i128::from(cookie.config.atoms_per_lot_tick),
        capacity: cookie.config.queue_capacity,
        quoted: Quoted {
            ticks: cookie.config.start_price_ticks,
            conf: 0,
            ema: cookie.config.start_price_ticks,
            time: opened,
        },
        used: Quoted::default(),
        past: Past::default(),
        volatility: Default::default(),
        funding: Funding {
            until: i128::from(opened),
            ..Funding::default()
        },
        book: Book::new(cookie.config.book_capacity),
        impact: [0; 2],
        insurance: Default::default(),
        stakes: None,
        pool: None,
        vault: 0,
        fees: 0,
        held: Default::default(),
        bankruptcies: 0,
        rounds: 0,
        liquidations: 0,
        next_sequence: [0; 2],
        passes: [0; 2],
        pass_slots: [0; 2],
        sessions: [None, None],
        protections: Default::default(),
        crossed: None,
    };
    let mut model = Model {
        slot: sandbox.slot(),
        time: i128::from(opened),
        wallets: vec![i128::from(TOKENS); WALLETS],
        traders: vec![None; TRADERS + MARKETS],
        markets: markets.iter().map(market).collect(),
        board: Default::default(),
        vault: 0,
        seen: Vec::new(),
        taken: Vec::new(),
    };
    model.wallets[0] = i128::from(WHALE);
    for wallet in 0..WALLETS {
        model.create_trader(2 * wallet).expect("a new trader");
    }
    for market in 0..markets.len() {
        model.enable_cross(market).expect("cross margin");
    }
    model
}
