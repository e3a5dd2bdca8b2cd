//! A market with traders, a bankrupt among them.

use ballast_engine::units::Side;
use ballast_sandbox::{BlockTrade, MarketConfig, MarketCookie, Options, Sandbox, TraderCookie};
use ballast_state::book_account::OrderSide;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs, SelfTrade};
use ballast_state::Pubkey;
use ballast_wasm::request::{MarketRequest, PriceRequest, TraderRequest};

/// Atoms of one quote unit.
pub const USD: u64 = 1_000_000;
/// The sysvar with slot and time.
const CLOCK: Pubkey = Pubkey::from_str_const("SysvarC1ock11111111111111111111111111111111");

/// A market at $200 and its traders.
pub struct Stage {
    pub sandbox: Sandbox,
    pub sol: MarketCookie,
}

impl Stage {
    pub fn new() -> Self {
        let mut config = MarketConfig::sol();
        config.risk.min_order_atoms = 1;
        (config.queue_capacity, config.book_capacity) = (16, 16);
        let (sandbox, sol) = Sandbox::with_market(&Options::default(), &config).expect("a market");
        Self { sandbox, sol }
    }

    pub fn trader(&mut self) -> TraderCookie {
        self.sandbox.create_trader(10_000 * USD).expect("a trader")
    }

    /// `lots` at $200 from one to the other, with margins in dollars.
    pub fn trade(&mut self, long: (&TraderCookie, u64), short: (&TraderCookie, u64), lots: i64) {
        let terms = BlockTrade {
            lots,
            price_ticks: 200_000,
            taker_margin: long.1 * USD,
            maker_margin: short.1 * USD,
        };
        let traded = self.sandbox.block_trade(&self.sol, long.0, short.0, terms);
        traded.expect("a trade");
    }

    /// A limit order that waits.
    pub fn order(&mut self, trader: &TraderCookie, side: OrderSide, lots: u64, price_ticks: u64) {
        let args = PlaceOrderArgs {
            side,
            kind: OrderKind::Limit,
            price_ticks,
            lots,
            margin: 0,
            client_id: 0,
            expires_at: 0,
            reduce_only: false,
            self_trade: SelfTrade::CancelProvide,
        };
        let placed = self.sandbox.place_order(&self.sol, trader, args, &[]);
        placed.expect("an order");
    }

    /// One long of 10 SOL against five shorts, of which the first has the least margin; at $188 the long is
    /// bankrupt.
    pub fn crash() -> (Self, TraderCookie, Vec<TraderCookie>) {
        let mut stage = Self::new();
        let long = stage.trader();
        let margins = [60, 100, 200, 400, 800];
        let shorts: Vec<TraderCookie> = margins.iter().map(|_| stage.trader()).collect();
        for (short, margin) in shorts.iter().zip(margins) {
            stage.trade((&long, 21), (short, margin + 100), 2_000);
        }
        stage.sandbox.set_price(&stage.sol, 188_000);
        stage.order(&shorts[4], OrderSide::Ask, 300, 192_000);
        stage.order(&shorts[3], OrderSide::Bid, 500, 187_000);
        (stage, long, shorts)
    }

    pub fn data(&self, address: &Pubkey) -> Vec<u8> {
        self.sandbox.account(address).expect("an account").data
    }

    /// The market's accounts as a node sends them.
    pub fn market(&self) -> MarketRequest {
        let keys = self.sol.keys;
        let price = self.sandbox.account(&keys.price);
        MarketRequest {
            slot: self.sandbox.slot(),
            decimals: 6,
            address: keys.market,
            market: self.data(&keys.market),
            clock: self.data(&CLOCK),
            book: Some(self.data(&keys.book)),
            queue_long: Some(self.data(&keys.queue_long)),
            queue_short: Some(self.data(&keys.queue_short)),
            prices: vec![PriceRequest {
                address: keys.price,
                account: price.map(|account| (account.owner, account.data)),
            }],
        }
    }

    pub fn trader_account(&self, trader: &TraderCookie) -> TraderRequest {
        self.account(&trader.address)
    }

    pub fn account(&self, address: &Pubkey) -> TraderRequest {
        TraderRequest {
            address: *address,
            data: self.data(address),
        }
    }

    /// The queue of shorts in order, by the client.
    pub fn shorts_in_order(&self) -> Vec<Pubkey> {
        let state = self.market().state().expect("a market");
        let ranking = state.ranking(Side::Short).expect("a ranking");
        ranking.iter().map(|entry| entry.trader).collect()
    }
}
