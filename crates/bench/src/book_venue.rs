//! A market with two long queues and a filled book, and makers whose orders are met.

use std::path::Path;

use anchor_lang::prelude::Pubkey;
use anyhow::{ensure, Result};
use ballast_client::makers::MAX_MAKERS;
use ballast_engine::units::LotPrice;
use ballast_sandbox::{MarketConfig, MintKind, TraderCookie, TxOutcome, TxResult};
use ballast_state::book_account::OrderSide;
use ballast_state::events::BallastEvent;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs, SelfTrade};
use ballast_state::trader::{Trader, MAX_POSITIONS};

use crate::admin::options;
use crate::books::{BookBytes, BAND_BPS, BOOK_SEED, DEEPEST, IMPACT, ROOM};
use crate::fills::WORST;
use crate::forge;
use crate::venue::{Venue, START, USD};

/// Lots of an order that is met.
pub const LOTS: u64 = 1_000;
/// A venue with a book.
pub struct BookVenue {
    /// The traders that act, the market, and its queues of 100,000 positions.
    pub venue: Venue,
    /// Traders whose orders are met.
    pub makers: Vec<TraderCookie>,
}

impl BookVenue {
    /// A floor whose book has room for the deepest one and is empty.
    pub fn new(program: &Path) -> Result<Self> {
        let mut config = MarketConfig::sol();
        config.book_capacity = usize::try_from(DEEPEST + ROOM)?;
        config.risk.impact_notional_atoms = IMPACT;
        config.risk.maker_fee_bps = 1;
        config.risk.price_band_bps = BAND_BPS;
        config.risk.min_order_atoms = 1;
        let mut venue = Venue::of(&config, &options(program, MintKind::Classic), WORST)?;
        let makers: Result<_, _> = (0..MAX_MAKERS)
            .map(|_| venue.sandbox.create_trader(10_000 * USD))
            .collect();
        Ok(Self {
            venue,
            makers: makers?,
        })
    }

    /// A copy that goes its own way.
    pub fn fork(&self) -> Self {
        Self {
            venue: self.venue.fork(),
            makers: self.makers.clone(),
        }
    }

    /// A copy with so many orders on either side of the book.
    pub fn with_book(&self, orders: u32) -> Result<Self> {
        let mut floor = self.fork();
        let address = floor.venue.market.keys.book;
        let mut book = BookBytes::load(&floor.venue.sandbox, &address)?;
        let mark = LotPrice::new(START)?;
        book.fill(mark, orders, BOOK_SEED)?;
        book.store(&mut floor.venue.sandbox, &address)?;
        Ok(floor)
    }

    /// A copy whose traders hold positions in fifteen other markets.
    pub fn crowded(&self) -> Result<Self> {
        let mut floor = Self {
            venue: self.venue.crowded()?,
            makers: self.makers.clone(),
        };
        let market = floor.venue.market.keys.market;
        for maker in &self.makers {
            let mut crowded = Ok(());
            forge::change(
                &mut floor.venue.sandbox,
                &maker.address,
                |trader: &mut Trader| {
                    crowded = forge::crowd(trader, &market, MAX_POSITIONS - 1);
                },
            )?;
            crowded?;
        }
        Ok(floor)
    }

    /// The addresses of the first `count` makers.
    pub fn listed(&self, count: usize) -> Vec<Pubkey> {
        let first = self.makers.iter().take(count);
        first.map(|maker| maker.address).collect()
    }

    /// Alice places an order against those of the first `listed` makers.
    pub fn place(&mut self, args: PlaceOrderArgs, listed: usize) -> TxResult {
        let listed = self.listed(listed);
        let venue = &mut self.venue;
        venue
            .sandbox
            .place_order(&venue.market, &venue.alice, args, &listed)
    }

    /// Each of the first `count` makers offers [`LOTS`], each at a price worse than the one
    /// before, from `best_ticks` on.
    pub fn offer(&mut self, side: OrderSide, best_ticks: u64, count: usize) -> Result<()> {
        let mut ticks = best_ticks;
        for maker in self.makers.iter().take(count) {
            let args = limit(side, ticks, LOTS);
            let venue = &mut self.venue;
            venue.sandbox.place_order(&venue.market, maker, args, &[])?;
            match side {
                OrderSide::Bid => ticks -= 1,
                OrderSide::Ask => ticks += 1,
            }
        }
        Ok(())
    }

    /// Alice buys the lots of `count` makers.
    pub fn buy(&mut self, count: usize) -> Result<TxResult> {
        let lots = LOTS * u64::try_from(count)?;
        Ok(self.place(limit(OrderSide::Bid, START + 500, lots), count))
    }

    /// The time and the price after everything else, so that funding has something to accrue.
    pub fn wait(&mut self) {
        self.venue.price(START);
    }
}

/// A limit order.
pub const fn limit(side: OrderSide, price_ticks: u64, lots: u64) -> PlaceOrderArgs {
    PlaceOrderArgs {
        side,
        kind: OrderKind::Limit,
        price_ticks,
        lots,
        margin: 0,
        client_id: 0,
        expires_at: 0,
        reduce_only: false,
        self_trade: SelfTrade::Abort,
    }
}

/// What a transaction did to the book.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Did {
    /// Orders that traded.
    pub fills: usize,
    /// Orders that could not trade and were removed.
    pub removed: usize,
    /// Orders that their traders took out.
    pub cancelled: usize,
    /// Whether an order waits.
    pub rests: bool,
}

impl Did {
    /// Some fills and nothing else.
    pub const fn fills(fills: usize) -> Self {
        Self {
            fills,
            removed: 0,
            cancelled: 0,
            rests: false,
        }
    }

    /// Fails unless the transaction succeeded and did this.
    pub fn check(&self, result: &TxResult) -> Result<()> {
        if let Ok(outcome) = result {
            let did = Self::of(outcome);
            ensure!(did == *self, "the transaction did {did:?}, not {self:?}");
        }
        Ok(())
    }

    fn of(outcome: &TxOutcome) -> Self {
        let mut did = Self::default();
        for event in &outcome.events {
            match event {
                BallastEvent::OrderPlaced(event) => {
                    (did.fills, did.removed) = (event.fills.len(), event.removed.len());
                    did.cancelled = event.cancelled.len();
                    did.rests = event.order_id != 0;
                }
                BallastEvent::TriggerExecuted(event) => {
                    (did.fills, did.removed) = (event.fills.len(), event.removed.len());
                }
                BallastEvent::ProtectionExecuted(event) => {
                    (did.fills, did.removed) = (event.fills.len(), event.removed.len());
                }
                BallastEvent::PositionLiquidated(event) => {
                    (did.fills, did.removed) = (event.fills.len(), event.removed.len());
                }
                BallastEvent::PoolUnwound(event) => {
                    (did.fills, did.removed) = (event.fills.len(), event.removed.len());
                }
                BallastEvent::OrdersCancelled(event) => did.cancelled = event.orders.len(),
                _ => {}
            }
        }
        did
    }
}
