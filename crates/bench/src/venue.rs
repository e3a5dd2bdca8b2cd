//! A market amid whose filled queues a few traders act by real transactions.

use anyhow::Result;
use ballast_engine::units::{FundingIndex, LotPrice, Side};
use ballast_sandbox::{
    BlockTrade, MarketConfig, MarketCookie, Options, Sandbox, TraderCookie, TxResult,
};
use ballast_state::trader::{Trader, MAX_POSITIONS};

use crate::deleveraging::fill_account;
use crate::forge;
use crate::population::{Population, Source};

/// Atoms of one quote unit.
pub const USD: u64 = 1_000_000;
/// Price at which the market opens, ticks.
pub const START: u64 = 200_000;
/// 10 SOL.
pub const TEN: i64 = 10_000;

/// A market at [`START`] with traders that have no position yet.
pub struct Venue {
    /// The virtual machine with the exchange.
    pub sandbox: Sandbox,
    /// The market that is measured.
    pub market: MarketCookie,
    /// The first trader.
    pub alice: TraderCookie,
    /// The second trader.
    pub bob: TraderCookie,
    /// Who liquidates.
    pub keeper: TraderCookie,
}

impl Venue {
    /// A venue of this configuration whose queues hold `others` positions each.
    pub fn of(config: &MarketConfig, options: &Options, others: u32) -> Result<Self> {
        let mut config = config.clone();
        config.queue_capacity = usize::try_from(others)? + 64;
        let (mut sandbox, market) = Sandbox::with_market(options, &config)?;
        let alice = sandbox.create_trader(100_000 * USD)?;
        let bob = sandbox.create_trader(100_000 * USD)?;
        let keeper = sandbox.create_trader(100_000 * USD)?;
        let state = sandbox.market(&market);
        let risk = *state.params();
        for (seed, side) in [(1, Side::Long), (2, Side::Short)] {
            let mark = LotPrice::new(START)?;
            let now = FundingIndex::ZERO;
            let mut source = Source::new(Population::Random, side, mark, now, &risk, others, seed);
            fill_account(&mut sandbox, &state.queue(side), &mut source, others)?;
        }
        Ok(Self {
            sandbox,
            market,
            alice,
            bob,
            keeper,
        })
    }

    /// A copy that goes its own way.
    pub fn fork(&self) -> Self {
        Self {
            sandbox: self.sandbox.fork(),
            market: self.market.clone(),
            alice: self.alice.clone(),
            bob: self.bob.clone(),
            keeper: self.keeper.clone(),
        }
    }

    /// A copy whose traders hold positions in fifteen other markets, so that the one in this market
    /// is the last that is looked at.
    pub fn crowded(&self) -> Result<Self> {
        let mut venue = self.fork();
        let market = venue.market.keys.market;
        for trader in [&self.alice, &self.bob, &self.keeper] {
            let mut crowded = Ok(());
            forge::change(
                &mut venue.sandbox,
                &trader.address,
                |trader: &mut Trader| {
                    crowded = forge::crowd(trader, &market, MAX_POSITIONS - 1);
                },
            )?;
            crowded?;
        }
        Ok(venue)
    }

    /// Alice trades with bob at the start price; negative lots sell.
    pub fn trade(&mut self, lots: i64, alice_margin: u64, bob_margin: u64) -> TxResult {
        self.trade_at(START, lots, alice_margin, bob_margin)
    }

    /// The same at another price.
    pub fn trade_at(
        &mut self,
        price_ticks: u64,
        lots: i64,
        alice_margin: u64,
        bob_margin: u64,
    ) -> TxResult {
        let terms = BlockTrade {
            lots,
            price_ticks,
            taker_margin: alice_margin,
            maker_margin: bob_margin,
        };
        self.sandbox
            .block_trade(&self.market, &self.alice, &self.bob, terms)
    }

    /// Alice long and bob short 10 SOL, with $100 and $500 of margin.
    pub fn open(&mut self) -> TxResult {
        self.trade(TEN, 100 * USD, 500 * USD)
    }

    /// Publishes a price now, one that funding has not seen.
    pub fn price(&mut self, ticks: u64) {
        self.sandbox.advance_seconds(60);
        self.sandbox.set_price(&self.market, ticks);
    }
}
