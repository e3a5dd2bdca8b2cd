//! A market and what belongs to it, decoded, all of one slot.

use anyhow::{bail, Context, Result};
use ballast_client::accounts::{self, BookSnapshot, QueueSnapshot};
use ballast_client::funding::rates_at;
use ballast_client::instructions::MarketKeys;
use ballast_client::moment::Moment;
use ballast_client::price::{check_price, decode_price, PriceError};
use ballast_client::ranking::{funding_index_at, ranking, RankedEntry};
use ballast_client::standing::{first_at, round_at, standing, TraderStanding};
use ballast_engine::funding::FundingRates;
use ballast_engine::margin::MarginScale;
use ballast_engine::oracle::{Action, Now, OraclePrice, PriceFault};
use ballast_engine::rank::Round;
use ballast_engine::standing::Band;
use ballast_engine::units::{FundingIndex, LotPrice, Side, Ticks};
use ballast_engine::wind_down::MarketMode;
use ballast_state::market::Market;
use ballast_state::Pubkey;

use crate::failure::Computed;
use crate::units::Units;

/// A market's name without its padding.
pub fn name_of(market: &Market) -> String {
    let bytes: Vec<u8> = market
        .name
        .iter()
        .copied()
        .filter(|byte| *byte != 0)
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The accounts of a market as a node has them in one slot.
#[derive(Clone, Debug)]
pub struct MarketAccounts<'a> {
    /// The slot.
    pub slot: u64,
    /// Decimals of the quote currency, which the exchange has.
    pub decimals: u8,
    /// Where the market is.
    pub address: Pubkey,
    /// Its account.
    pub market: &'a [u8],
    /// The sysvar with slot and time.
    pub clock: &'a [u8],
    /// Its book; `None` where there is none.
    pub book: Option<&'a [u8]>,
    /// Its queues of longs and of shorts, each `None` where there is none; `None` where they were not asked
    /// for.
    pub queues: Option<[Option<&'a [u8]>; 2]>,
    /// Accounts that may hold its price, in the order in which they are tried.
    pub prices: Vec<PriceCandidate<'a>>,
}

/// An account that may hold a price.
#[derive(Clone, Debug)]
pub struct PriceCandidate<'a> {
    /// Where it is.
    pub address: Pubkey,
    /// The program that owns it, and its data; `None` where there is none.
    pub account: Option<(Pubkey, &'a [u8])>,
}

/// A market with its price, its book and, where asked for, its queues.
pub struct MarketState {
    /// Slot in which the node had them.
    pub slot: u64,
    /// Unix seconds of that slot.
    pub now: i64,
    /// Addresses of the market's accounts.
    pub keys: MarketKeys,
    /// The market's account, decoded.
    pub market: Box<Market>,
    /// What its price account says.
    pub price: Result<OraclePrice, PriceError>,
    /// The market's book.
    pub book: BookSnapshot,
    /// The queues of longs and of shorts.
    pub queues: Option<[QueueSnapshot; 2]>,
    /// What lots, ticks and atoms are.
    pub units: Units,
}

impl AsRef<Self> for MarketState {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// Where the mark of a display comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum PriceSource {
    /// The price account.
    Oracle,
    /// The last price that the market recorded: the price account cannot be read.
    LastRecorded,
}

impl PriceSource {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl MarketState {
    /// Decodes the accounts of a market.
    ///
    /// # Errors
    /// A sentence about the account that is missing or cannot be read.
    pub fn read(accounts: &MarketAccounts<'_>) -> Result<Self> {
        let address = accounts.address;
        let market = Box::new(accounts::market(accounts.market).context("the market's account")?);
        // A market that was closed has neither queues nor a book.
        let closed = market.mode() == MarketMode::Settled;
        let queue = |data: Option<&[u8]>, side: Side| match (closed, data) {
            (true, _) => QueueSnapshot::empty(&address, side).map_err(anyhow::Error::from),
            (false, Some(data)) => Ok(QueueSnapshot::new(data)?),
            (false, None) => bail!("the queue of {}s of the market is not there", side.name()),
        };
        let queues = match accounts.queues {
            None => None,
            Some([long, short]) => Some([queue(long, Side::Long)?, queue(short, Side::Short)?]),
        };
        let book = match (closed, accounts.book) {
            (true, _) => BookSnapshot::empty(&address)?,
            (false, Some(data)) => BookSnapshot::new(data)?,
            (false, None) => bail!("the book of the market is not there"),
        };
        let (key, price) = first_price(&market, &accounts.prices);
        Ok(Self {
            slot: accounts.slot,
            now: unix_timestamp(accounts.clock)?,
            keys: MarketKeys::of(&address, &market, key),
            price,
            book,
            queues,
            units: Units::new(&market.oracle, accounts.decimals),
            market,
        })
    }

    /// The market's name.
    pub fn name(&self) -> String {
        name_of(&self.market)
    }

    /// The price to show everything at, in ticks, and where it is from; `None` before the first.
    pub fn mark_ticks(&self) -> Option<(u64, PriceSource)> {
        let last = self.market.last_price.ticks;
        match &self.price {
            Ok(price) => Some((price.price.get(), PriceSource::Oracle)),
            Err(_) if last > 0 => Some((last, PriceSource::LastRecorded)),
            Err(_) => None,
        }
    }

    /// Slot, time and price of the display.
    pub fn moment(&self) -> Result<Moment> {
        let (price_ticks, _) = self.mark_ticks().with_context(|| {
            format!(
                "{} has no price yet: its price account {} cannot be read ({}); name another with --price-account",
                self.name(),
                self.keys.price,
                self.price_problem().unwrap_or_default()
            )
        })?;
        Ok(Moment {
            slot: self.slot,
            unix_timestamp: self.now,
            price_ticks,
        })
    }

    /// The same at the price that the price account says, and no other.
    pub fn priced_moment(&self) -> Result<Moment> {
        if let Some(problem) = self.price_problem() {
            bail!(
                "the price account {} of {} cannot be read ({problem}); name another",
                self.keys.price,
                self.name()
            );
        }
        self.moment()
    }

    /// Why the price account has no price.
    pub fn price_problem(&self) -> Option<String> {
        self.price.as_ref().err().map(ToString::to_string)
    }

    /// The mark, atoms per lot.
    pub fn mark(&self) -> Result<LotPrice> {
        let ticks = Ticks::new(self.moment()?.price_ticks);
        ticks.lot_price(self.units.atoms_per_lot_tick).computed()
    }

    /// What initial margin is scaled by at the price of the price account, or as the market stands where that
    /// cannot be read.
    pub fn margin_scale(&self) -> MarginScale {
        let price = self.price.as_ref().ok();
        let mark = price.and_then(|price| self.market.mark_at(price).ok());
        mark.map_or_else(|| self.market.margin_scale(), |mark| mark.scale)
    }

    /// What stops the price from being used to open, liquidate and deleverage, if anything does.
    pub fn price_fault(&self) -> Option<&'static str> {
        let price = match &self.price {
            Ok(price) => price,
            Err(_) => return Some("unreadable"),
        };
        let now = Now {
            slot: self.slot,
            unix_timestamp: self.now,
        };
        let fault = check_price(&self.market, Action::FORCE, price, now).err()?;
        Some(match fault {
            PriceFault::Stale => "stale",
            PriceFault::FromFuture => "from_future",
            PriceFault::Older => "older_than_used",
            PriceFault::WideConfidence => "wide_confidence",
            PriceFault::Diverged => "diverged_from_average",
            PriceFault::BelowTick => "below_one_tick",
        })
    }

    /// How old the price is, and what is wrong with it, for people.
    pub fn price_words(&self) -> String {
        let age = match (self.mark_ticks(), self.price_age()) {
            (None, _) => "no price".to_owned(),
            (Some((_, PriceSource::LastRecorded)), _) => "the last one recorded".to_owned(),
            (Some(_), Some(age)) => format!("{} old", age_words(age)),
            (Some(_), None) => "never published".to_owned(),
        };
        match self.price_fault() {
            None => age,
            Some(fault) => format!("{age}, {}", fault.replace('_', " ")),
        }
    }

    /// Seconds since the price was published, where it says when.
    pub fn price_age(&self) -> Option<i64> {
        let price = self.price.as_ref().ok()?;
        if price.publish_time <= 0 {
            return None;
        }
        Some(self.now.saturating_sub(price.publish_time))
    }

    /// The funding index now.
    pub fn funding_index(&self) -> Result<FundingIndex> {
        funding_index_at(&self.market, &self.moment()?).computed()
    }

    /// The funding rates now.
    pub fn funding_rates(&self) -> Result<FundingRates> {
        rates_at(&self.market, &self.moment()?).computed()
    }

    /// What insurance may pay now, atoms.
    pub fn insurance_available(&self) -> Result<u64> {
        self.market.insurance_available(self.slot).computed()
    }

    /// The best order of a side of the book: ticks and lots at that price.
    pub fn best(&self, side: Side) -> Result<Option<(u64, u64)>> {
        let book = self.book.book()?;
        let mut best: Option<(LotPrice, u64)> = None;
        for step in book.iter(side) {
            let (_, order) = step.computed()?;
            match &mut best {
                None => best = Some((order.price(), order.size())),
                Some((price, lots)) if *price == order.price() => *lots += order.size(),
                Some(_) => break,
            }
        }
        Ok(best.map(|(price, lots)| (self.units.ticks_of(price.get()), lots)))
    }

    /// The queue of a side.
    pub fn queue(&self, side: Side) -> Result<&QueueSnapshot> {
        let queues = self.queues.as_ref().context("the queues were not read")?;
        let [long, short] = queues;
        Ok(match side {
            Side::Long => long,
            Side::Short => short,
        })
    }

    /// What ranks a side as if everything closed at the mark.
    pub fn round(&self, side: Side) -> Result<Round> {
        round_at(&self.market, &self.queue(side)?.queue()?, &self.moment()?).computed()
    }

    /// The queue of a side in order, the first to be cut first.
    pub fn ranking(&self, side: Side) -> Result<Vec<RankedEntry>> {
        let queue = self.queue(side)?.queue()?;
        ranking(&queue, &self.round(side)?).computed()
    }

    /// Where the position at a node of a queue stands.
    pub fn standing(&self, side: Side, node: u32) -> Result<TraderStanding> {
        let queue = self.queue(side)?.queue()?;
        standing(&self.market, &queue, &self.moment()?, node).computed()
    }

    /// The mark nearest to the present one, ticks, at which the position at a node would be the first to
    /// be cut.
    pub fn price_to_be_first(&self, side: Side, node: u32) -> Result<Option<u64>> {
        let queue = self.queue(side)?.queue()?;
        first_at(&self.market, &queue, &self.moment()?, node, Band::ALL).computed()
    }
}

/// About how long slots take, seconds of 2.5 slots each.
pub const fn slot_seconds(slots: u64) -> u64 {
    slots.saturating_mul(2) / 5
}

/// An age for people, in the largest unit of which there are two or more.
pub fn age_words(seconds: i64) -> String {
    for (length, unit) in [(86_400, "days"), (3_600, "h"), (60, "min")] {
        if seconds >= 2 * length {
            return format!("{} {unit}", seconds / length);
        }
    }
    format!("{seconds} s")
}

/// The first of the candidates that holds a price of the market's feed; the last one, with what is
/// wrong with it, when none does.
fn first_price(
    market: &Market,
    candidates: &[PriceCandidate<'_>],
) -> (Pubkey, Result<OraclePrice, PriceError>) {
    let mut last = (Pubkey::default(), Err(PriceError::Missing));
    for candidate in candidates {
        let key = candidate.address;
        let price = match &candidate.account {
            None => Err(PriceError::Missing),
            Some((owner, data)) => decode_price(market, &key, owner, data),
        };
        last = (key, price);
        if last.1.is_ok() {
            break;
        }
    }
    last
}

fn unix_timestamp(clock: &[u8]) -> Result<i64> {
    let bytes = clock.get(32..40).context("the clock cannot be read")?;
    Ok(i64::from_le_bytes(bytes.try_into()?))
}
