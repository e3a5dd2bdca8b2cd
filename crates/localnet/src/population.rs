//! Who is in a market that is to crash, and what they hold.

use anyhow::{ensure, Result};
use ballast_state::book_account::OrderSide;
use ballast_state::instructions::BlockTradeArgs;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs, SelfTrade};
use futures_util::future::try_join_all;

use crate::people::Person;
use crate::venue::{Venue, START_TICKS};

/// Atoms of one unit of the quote currency.
pub const USD: u64 = 1_000_000;
/// Lots of every position: 10 SOL, $2,000 at the start.
pub const LOTS: u32 = 10_000;
/// What everybody deposits.
const DEPOSIT: u64 = 3_000 * USD;
/// Lots the market maker quotes a side.
const QUOTED_LOTS: u64 = 5_000;
/// Margins of the longs in turn, each for one price of the crash: the first do not stand the fall,
/// the second the gap, which takes all they have, the others the two prices after it.
const LONG_MARGINS: [u64; 4] = [110 * USD, 170 * USD, 260 * USD, 305 * USD];
/// Margins of the shorts in turn: the less, the higher they rank.
const SHORT_MARGINS: [u64; 4] = [140 * USD, 250 * USD, 500 * USD, 900 * USD];

/// Everybody in the market.
pub struct Population {
    /// Longs of the block trades.
    pub longs: Vec<Person>,
    /// Shorts of the block trades.
    pub shorts: Vec<Person>,
    /// Has orders in the book.
    pub maker: Person,
    /// Takes some of them.
    pub taker: Person,
}

impl Population {
    /// All traders, those who make the market last.
    pub fn everybody(&self) -> impl Iterator<Item = &Person> + Clone {
        let market = [&self.maker, &self.taker];
        self.longs.iter().chain(&self.shorts).chain(market)
    }

    /// Sets up `pairs` of a long and a short, a market maker and a taker; all of them trade.
    ///
    /// # Errors
    /// When something does not land.
    pub async fn settle(venue: &Venue, pairs: usize) -> Result<Self> {
        let (longs, shorts) = traded(venue, pairs, START_TICKS).await?;
        let population = Self {
            longs,
            shorts,
            maker: venue.person("the market maker".to_owned(), DEPOSIT).await?,
            taker: venue.person("the taker".to_owned(), DEPOSIT).await?,
        };
        population.book(venue).await?;
        Ok(population)
    }

    /// The market maker quotes both sides, the taker buys half of what is offered.
    async fn book(&self, venue: &Venue) -> Result<()> {
        let quote = |side, kind, price_ticks, lots| PlaceOrderArgs {
            side,
            kind,
            price_ticks,
            lots,
            self_trade: SelfTrade::Abort,
            ..PlaceOrderArgs::default()
        };
        let (buy, sell) = (OrderSide::Bid, OrderSide::Ask);
        let post = OrderKind::PostOnly;
        let (bid, ask) = (START_TICKS - 500, START_TICKS + 500);
        let bid = quote(buy, post, bid, QUOTED_LOTS);
        venue.order(&self.maker, bid, &[]).await?;
        let ask = quote(sell, post, ask, QUOTED_LOTS);
        venue.order(&self.maker, ask, &[]).await?;
        let taken = quote(buy, OrderKind::Market, 0, QUOTED_LOTS / 2);
        let listed = [self.maker.trader];
        venue.order(&self.taker, taken, &listed).await?;
        let lots = venue.lots(&self.taker.trader).await?;
        ensure!(
            lots == i64::try_from(QUOTED_LOTS / 2)?,
            "the taker bought {lots} lots"
        );
        Ok(())
    }
}

/// New longs and shorts, each long with a short against it at the price `ticks`: of every four pairs each
/// has less margin than the next.
///
/// # Errors
/// When something does not land.
pub async fn traded(venue: &Venue, pairs: usize, ticks: u64) -> Result<(Vec<Person>, Vec<Person>)> {
    let group = |kind: &'static str| {
        try_join_all((0..pairs).map(|number| venue.person(format!("{kind} {number}"), DEPOSIT)))
    };
    let (longs, shorts) = (group("long").await?, group("short").await?);
    let trades = longs.iter().zip(&shorts).enumerate();
    let trades = trades.map(|(number, (long, short))| {
        let terms = BlockTradeArgs {
            lots: i64::from(LOTS),
            price_ticks: ticks,
            taker_margin: LONG_MARGINS[number % LONG_MARGINS.len()],
            maker_margin: SHORT_MARGINS[number % SHORT_MARGINS.len()],
        };
        venue.trade(long, short, terms)
    });
    try_join_all(trades).await?;
    Ok((longs, shorts))
}
