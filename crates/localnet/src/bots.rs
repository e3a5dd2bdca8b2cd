//! Who trades besides the visitor: a market maker who pulls away when the price jumps, takers, and people who
//! come when positions were closed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use ballast_client::accounts::BookSnapshot;
use ballast_client::instructions::orders::{CancelAllOrders, PlaceOrder};
use ballast_client::makers::makers;
use ballast_engine::units::Side;
use ballast_localnet::people::Person;
use ballast_localnet::population::{traded, LOTS, USD};
use ballast_localnet::venue::Venue;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs};
use ballast_state::Pubkey;
use rand::Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_chacha::ChaCha8Rng;
use solana_instruction::Instruction;
use solana_signer::Signer;
use tokio::sync::{watch, Mutex};

/// Time between two looks at the market.
const LOOK: Duration = Duration::from_secs(2);
/// How long the market maker stays away after a jump.
const AWAY: Duration = Duration::from_secs(25);
/// What the market maker has.
const MAKER_WEALTH: u64 = 5_000_000 * USD;
/// What a taker has.
const TAKER_WEALTH: u64 = 20_000 * USD;
const TAKERS: usize = 3;
/// Orders of the market maker on each side, each so much farther from the price, and so much larger.
const LEVELS: u64 = 3;
const SPREAD_BPS: u64 = 10;
const LEVEL_LOTS: u64 = 3_000;
/// A taker's order, and the position beyond which it only reduces.
const TAKEN_LOTS: std::ops::RangeInclusive<u64> = 50..=800;
const TAKER_LOTS: i64 = 4_000;
/// Makers listed besides those that an order reaches.
const SPARES: usize = 2;

/// Quotes both sides.
pub struct Maker {
    person: Person,
    away_until: Option<Instant>,
}

impl Maker {
    /// With an account of its own.
    ///
    /// # Errors
    /// When it cannot be set up.
    pub async fn new(venue: &Venue) -> Result<Self> {
        let name = "the market maker".to_owned();
        Ok(Self {
            person: venue.person(name, MAKER_WEALTH).await?,
            away_until: None,
        })
    }

    /// Takes every order out of the book and stays away for a while.
    ///
    /// # Errors
    /// When the orders stay.
    pub async fn pull_away(&mut self, venue: &Venue) -> Result<()> {
        self.away_until = Some(Instant::now() + AWAY);
        let cancel = [self.cancel(venue)];
        venue.send(&cancel, &[&self.person.owner]).await?;
        Ok(())
    }

    /// Takes the old orders out of the book and places new ones about a price.
    ///
    /// # Errors
    /// When it does not land.
    pub async fn quote(&mut self, venue: &Venue, ticks: u64) -> Result<()> {
        if self.away_until.is_some_and(|until| Instant::now() < until) {
            return Ok(());
        }
        let book = read_book(venue).await?;
        for side in [Side::Long, Side::Short] {
            let listed = book.makers(side.opposite(), LEVELS * LEVEL_LOTS, &self.person)?;
            let mut sent: Vec<Instruction> = Vec::new();
            sent.extend((side == Side::Long).then(|| self.cancel(venue)));
            sent.extend((1..=LEVELS).map(|level| {
                let away = ticks * level * SPREAD_BPS / 10_000;
                let order = PlaceOrderArgs {
                    side: side.into(),
                    price_ticks: match side {
                        Side::Long => ticks - away,
                        Side::Short => ticks + away,
                    },
                    lots: level * LEVEL_LOTS,
                    ..PlaceOrderArgs::default()
                };
                place(venue, &self.person, order, &listed)
            }));
            venue.send(&sent, &[&self.person.owner]).await?;
        }
        Ok(())
    }

    fn cancel(&self, venue: &Venue) -> Instruction {
        CancelAllOrders {
            authority: self.person.owner.pubkey(),
            keys: venue.keys,
            trader: self.person.trader,
            side: None,
        }
        .instruction()
    }
}

/// Everybody who trades.
pub struct Bots {
    venue: Arc<Venue>,
    maker: Arc<Mutex<Maker>>,
    takers: Vec<Person>,
    /// Pairs of a long and a short at the beginning.
    pairs: usize,
    rng: ChaCha8Rng,
}

impl Bots {
    /// Sets everybody up; `pairs` of a long and a short have traded at the price `ticks`.
    ///
    /// # Errors
    /// When something does not land.
    pub async fn settle(venue: Arc<Venue>, pairs: usize, ticks: u64, seed: u64) -> Result<Self> {
        let takers =
            (0..TAKERS).map(|number| venue.person(format!("taker {number}"), TAKER_WEALTH));
        let takers = futures_util::future::try_join_all(takers).await?;
        let mut maker = Maker::new(&venue).await?;
        traded(&venue, pairs, ticks).await?;
        maker.quote(&venue, ticks).await?;
        Ok(Self {
            maker: Arc::new(Mutex::new(maker)),
            takers,
            venue,
            pairs,
            rng: ChaCha8Rng::seed_from_u64(seed),
        })
    }

    /// The market maker, for whoever lets the price jump.
    pub fn maker(&self) -> Arc<Mutex<Maker>> {
        self.maker.clone()
    }

    /// Trades at the prices that are told, until it is aborted. What is refused is tried again with the next
    /// price.
    pub async fn trade(mut self, price: watch::Receiver<u64>) {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let ticks = *price.borrow();
            for (who, done) in [
                ("the market maker", self.quote(ticks).await),
                ("a taker", self.take().await),
                ("newcomers", self.newcomers(ticks).await),
            ] {
                if let Err(problem) = done {
                    tracing::warn!("{who}: {problem:#}");
                }
            }
        }
    }

    async fn quote(&self, ticks: u64) -> Result<()> {
        self.maker.lock().await.quote(&self.venue, ticks).await
    }

    /// One of the takers buys or sells.
    async fn take(&mut self) -> Result<()> {
        let drawn = self.rng.gen_range(0..self.takers.len());
        let (buys, lots) = (self.rng.gen_bool(0.5), self.rng.gen_range(TAKEN_LOTS));
        let taker = self.takers.get(drawn).context("no taker")?;
        let side = match self.venue.lots(&taker.trader).await? {
            held if held > TAKER_LOTS => Side::Short,
            held if held < -TAKER_LOTS => Side::Long,
            _ if buys => Side::Long,
            _ => Side::Short,
        };
        let book = read_book(&self.venue).await?;
        let listed = book.makers(side.opposite(), lots, taker)?;
        if listed.is_empty() {
            return Ok(());
        }
        let order = PlaceOrderArgs {
            side: side.into(),
            kind: OrderKind::Market,
            lots,
            ..PlaceOrderArgs::default()
        };
        self.venue.order(taker, order, &listed).await?;
        Ok(())
    }

    /// New positions when half of those of the beginning are gone.
    async fn newcomers(&self, ticks: u64) -> Result<()> {
        let open = self.venue.market().await?.open_interest_lots;
        let half = u64::try_from(self.pairs)? * u64::from(LOTS) / 2;
        if open < half {
            traded(&self.venue, self.pairs.div_ceil(2), ticks).await?;
        }
        Ok(())
    }
}

/// The book as it was read.
struct Book(BookSnapshot);

impl Book {
    fn makers(&self, side: Side, lots: u64, except: &Person) -> Result<Vec<Pubkey>> {
        let book = self.0.book()?;
        Ok(makers(&book, side, lots, &except.trader, SPARES)?)
    }
}

async fn read_book(venue: &Venue) -> Result<Book> {
    let (_, found) = venue.cluster.accounts(&[venue.keys.book]).await?;
    let account = found.into_iter().flatten().next().context("no book")?;
    Ok(Book(BookSnapshot::new(&account.data)?))
}

fn place(venue: &Venue, person: &Person, args: PlaceOrderArgs, makers: &[Pubkey]) -> Instruction {
    PlaceOrder {
        authority: person.owner.pubkey(),
        keys: venue.keys,
        trader: person.trader,
        args,
        makers,
    }
    .instruction()
}
