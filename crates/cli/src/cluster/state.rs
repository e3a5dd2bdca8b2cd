//! A market and what belongs to it, decoded, all of one slot.

use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result};
use ballast_client::accounts::{self, BookSnapshot, QueueSnapshot};
use ballast_client::funding::rates_at;
use ballast_client::instructions::MarketKeys;
use ballast_client::moment::Moment;
use ballast_client::price::{check_price, decode_price, price_account, PriceError};
use ballast_client::ranking::{display_round, funding_index_at, ranking, RankedEntry};
use ballast_engine::funding::FundingRates;
use ballast_engine::oracle::{Action, Now, OraclePrice, PriceFault};
use ballast_engine::rank::Round;
use ballast_engine::standing::{price_to_be_first, Band, Standing};
use ballast_engine::units::{FundingIndex, LotPrice, Side, Ticks};
use ballast_engine::wind_down::MarketMode;
use ballast_rpc::cluster::market_keys;
use ballast_state::market::Market;
use solana_account::Account;

use super::failure::Computed;
use super::units::Units;

/// The sysvar with slot and time.
const CLOCK: Pubkey = Pubkey::from_str_const("SysvarC1ock11111111111111111111111111111111");

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

/// Which accounts of a market are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parts {
    /// Market, price and book.
    Market,
    /// The two queues as well, which may be large.
    Queues,
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

/// The accounts to read: market, book, clock, queues, then the candidates for the price.
pub fn wanted(
    address: &Pubkey,
    market: &Market,
    price_accounts: &[Pubkey],
    parts: Parts,
) -> Vec<Pubkey> {
    let mut wanted = vec![*address, market.book, CLOCK];
    if parts == Parts::Queues {
        wanted.extend([market.queue_long, market.queue_short]);
    }
    wanted.extend(price_accounts);
    wanted.push(price_account(market));
    wanted
}

impl MarketState {
    /// Decodes what was read of [`wanted`].
    pub fn read(
        wanted: &[Pubkey],
        slot: u64,
        found: &[Option<Account>],
        decimals: u8,
        parts: Parts,
    ) -> Result<Self> {
        let get = |index: usize, what: &str| -> Result<&Account> {
            let account = found.get(index).and_then(Option::as_ref);
            account.with_context(|| format!("the {what} of the market is not there"))
        };
        let address = wanted.first().copied().unwrap_or_default();
        let market = Box::new(accounts::market(&get(0, "account")?.data)?);
        // A market that was closed has neither queues nor a book.
        let closed = market.mode() == MarketMode::Settled;
        let queue = |index, side, what| match closed {
            true => Ok(QueueSnapshot::empty(&address, side)?),
            false => get(index, what).and_then(|it| Ok(QueueSnapshot::new(&it.data)?)),
        };
        let queues = match parts {
            Parts::Market => None,
            Parts::Queues => Some([
                queue(3, Side::Long, "queue of longs")?,
                queue(4, Side::Short, "queue of shorts")?,
            ]),
        };
        let book = match closed {
            true => BookSnapshot::empty(&address)?,
            false => BookSnapshot::new(&get(1, "book")?.data)?,
        };
        let first = if queues.is_some() { 5 } else { 3 };
        let (key, price) = first_price(&market, &wanted[first..], &found[first..]);
        Ok(Self {
            slot,
            now: unix_timestamp(&get(2, "clock")?.data)?,
            keys: market_keys(&address, &market, key),
            price,
            book,
            queues,
            units: Units::new(&market.oracle, decimals),
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

    /// Why the price account has no price.
    pub fn price_problem(&self) -> Option<String> {
        self.price.as_ref().err().map(ToString::to_string)
    }

    /// The mark, atoms per lot.
    pub fn mark(&self) -> Result<LotPrice> {
        let ticks = Ticks::new(self.moment()?.price_ticks);
        ticks.lot_price(self.units.atoms_per_lot_tick).computed()
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
        let epoch = self.queue(side)?.queue()?.header().adl_epoch;
        display_round(&self.market, side, epoch, &self.moment()?).computed()
    }

    /// The queue of a side in order, the first to be cut first.
    pub fn ranking(&self, side: Side) -> Result<Vec<RankedEntry>> {
        let queue = self.queue(side)?.queue()?;
        ranking(&queue, &self.round(side)?).computed()
    }

    /// Where the position at a node of a queue stands.
    pub fn standing(&self, side: Side, node: u32) -> Result<Standing> {
        let queue = self.queue(side)?.queue()?;
        Standing::of(&queue, &self.round(side)?, node).computed()
    }

    /// The mark nearest to the present one at which the position at a node would be the first to
    /// be cut.
    pub fn price_to_be_first(&self, side: Side, node: u32) -> Result<Option<Ticks>> {
        let queue = self.queue(side)?.queue()?;
        let tick = self.units.atoms_per_lot_tick;
        price_to_be_first(&queue, &self.round(side)?, node, tick, Band::ALL).computed()
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
    keys: &[Pubkey],
    found: &[Option<Account>],
) -> (Pubkey, Result<OraclePrice, PriceError>) {
    let mut last = (Pubkey::default(), Err(PriceError::Missing));
    for (key, account) in keys.iter().zip(found) {
        let price = match account {
            None => Err(PriceError::Missing),
            Some(account) => decode_price(market, key, &account.owner, &account.data),
        };
        last = (*key, price);
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
