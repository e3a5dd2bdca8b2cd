//! A market as it stands: what a forecast begins with.

use ballast_client::accounts::QueueSnapshot;
use ballast_client::ranking::position_of;
use ballast_engine::oracle::{Now, OraclePrice};
use ballast_engine::units::{LotPrice, Side, Ticks};
use ballast_state::error::{BallastError, Result};
use ballast_state::market::Market;
use ballast_state::pool::Pool;
use ballast_state::position_slot::PositionSlot;
use ballast_state::queue_account::NO_NODE;
use ballast_state::trader::Trader;
use ballast_state::Pubkey;
use bytemuck::Zeroable;

use super::book::Depth;

/// Slots in five seconds, times two: slots of 400 ms.
const SLOTS_PER_FIVE_SECONDS: (i64, i64) = (25, 10);
/// Time constant of the moving average that an oracle publishes, as Pyth's of about an hour, seconds.
const EMA_SECONDS: f64 = 3_600.0;
/// Basis points of the whole.
const ONE: u64 = 10_000;

/// A trader account in one market.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    /// Its address.
    pub trader: Pubkey,
    /// Its position and what is remembered of it.
    pub slot: PositionSlot,
    /// Its free collateral, atoms; 0 where it was not read, which matters only to who takes over.
    pub free: i64,
}

/// The market's backstop pool.
#[derive(Clone, Copy, Debug)]
pub struct PoolAt {
    /// Its account.
    pub pool: Pool,
    /// Place of its trader account in [`Snapshot::accounts`].
    pub account: usize,
}

/// One price of a path, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Slot and time.
    pub now: Now,
    /// What the oracle says then.
    pub price: OraclePrice,
}

/// A market as it stands.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Address of the market.
    pub key: Pubkey,
    /// Its account.
    pub market: Market,
    /// The queues of longs and of shorts.
    pub queues: [QueueSnapshot; 2],
    /// Everybody with a position, those who liquidate, and the pool.
    pub accounts: Vec<Account>,
    /// Places of those who liquidate, in the order in which they are asked.
    pub liquidators: Vec<usize>,
    /// The pool, if there is one.
    pub pool: Option<PoolAt>,
    /// Who makes the market; `None` for a market without a book.
    pub depth: Option<Depth>,
    /// Slot, time and price of the snapshot.
    pub at: Step,
}

impl Snapshot {
    /// A market with its complete queues as it stands at `at`, nobody to liquidate, no book and no pool.
    /// A position of which the trader account is not known yet is taken to be well, and its margin to be
    /// what its trader has put in; see [`Self::know`]. `room` is for how many more positions there is
    /// place in each queue.
    ///
    /// # Errors
    /// `QueueLayout`, `TreeCorrupt`, `Overflow`.
    pub fn new(
        key: Pubkey,
        market: Market,
        queues: [QueueSnapshot; 2],
        at: Step,
        room: usize,
    ) -> Result<Self> {
        let index = market.funding_at(at.now.unix_timestamp)?.index;
        let mut accounts = Vec::new();
        for (side, snapshot) in SIDES.into_iter().zip(&queues) {
            let queue = snapshot.queue().map_err(|_| BallastError::QueueLayout)?;
            for step in queue.iter() {
                let (node, entry) = step?;
                let position = position_of(entry, side, index)?;
                let mut slot = PositionSlot::zeroed();
                (slot.market, slot.queue_node) = (key, node);
                slot.store(&position);
                slot.paid_in = position.margin.positive_part();
                accounts.push(Account {
                    trader: Pubkey::new_from_array(entry.trader),
                    slot,
                    free: 0,
                });
            }
        }
        Ok(Self {
            key,
            market,
            queues: queues.map(|queue| queue.with_room(room)),
            accounts,
            liquidators: Vec::new(),
            pool: None,
            depth: None,
            at,
        })
    }

    /// Place of a trader account.
    #[must_use]
    pub fn place(&self, trader: &Pubkey) -> Option<usize> {
        let mut accounts = self.accounts.iter();
        accounts.position(|account| account.trader == *trader)
    }

    /// Takes what is known of a trader from its account. Its place.
    pub fn know(&mut self, address: &Pubkey, trader: &Trader) -> usize {
        let slot = trader.slot(&self.key).copied();
        let slot = slot.unwrap_or_else(|_| self.empty_slot());
        let account = Account {
            trader: *address,
            slot,
            free: trader.free,
        };
        self.put(account)
    }

    /// [`LIQUIDATORS`] that hold nothing yet and have `free` atoms of free collateral together.
    pub fn assume_liquidators(&mut self, free: u64) {
        for number in 0..LIQUIDATORS {
            let mut key = ASSUMED;
            key[0] = number;
            let place = self.put(Account {
                trader: Pubkey::new_from_array(key),
                slot: self.empty_slot(),
                free: i64::try_from(free / u64::from(LIQUIDATORS)).unwrap_or(i64::MAX),
            });
            self.liquidators.push(place);
        }
    }

    /// What liquidators are taken to have together where nothing is known of them, atoms:
    /// [`LIQUIDATOR_CAPITAL_BPS`] of the open interest's worth.
    ///
    /// # Errors
    /// `PriceOutOfRange`, `Overflow`.
    pub fn usual_capital(&self) -> Result<u64> {
        let lots = self.market.open_interest_lots;
        let worth = u128::from(lots) * u128::from(self.mark()?.get());
        let worth = u64::try_from(worth).map_err(|_| BallastError::Overflow)?;
        Ok(part(worth, LIQUIDATOR_CAPITAL_BPS))
    }

    fn put(&mut self, account: Account) -> usize {
        match self.place(&account.trader) {
            Some(place) => {
                self.accounts[place] = account;
                place
            }
            None => {
                self.accounts.push(account);
                self.accounts.len() - 1
            }
        }
    }

    fn empty_slot(&self) -> PositionSlot {
        let mut slot = PositionSlot::zeroed();
        (slot.market, slot.queue_node) = (self.key, NO_NODE);
        slot
    }

    /// The price of a lot at the snapshot.
    ///
    /// # Errors
    /// `PriceOutOfRange`.
    pub fn mark(&self) -> Result<LotPrice> {
        self.market.lot_price(self.at.price.price.get())
    }

    /// A path from here: seconds after the snapshot and price, relative to its own. The oracle's
    /// confidence stays the same part of the price, its moving average follows; a price below one tick
    /// counts as one, as the program takes it.
    #[must_use]
    pub fn path(&self, points: &[(u32, f64)]) -> Vec<Step> {
        let first = self.at.price;
        let start = first.price.get();
        let mut ema = to_float(first.ema.get());
        let mut before = 0;
        points
            .iter()
            .map(|(seconds, ratio)| {
                let ticks = to_ticks(to_float(start) * ratio);
                let elapsed = f64::from(seconds.saturating_sub(before));
                before = *seconds;
                ema += (to_float(ticks) - ema) * elapsed / (elapsed + EMA_SECONDS);
                let conf = first.confidence.get() * ticks;
                self.step(*seconds, |time| OraclePrice {
                    price: Ticks::new(ticks),
                    confidence: Ticks::new(conf.div_ceil(start.max(1))),
                    ema: Ticks::new(to_ticks(ema)),
                    publish_time: time,
                    below_tick: false,
                })
            })
            .collect()
    }

    fn step(&self, seconds: u32, price: impl FnOnce(i64) -> OraclePrice) -> Step {
        let Now {
            slot,
            unix_timestamp,
        } = self.at.now;
        let (slots, per) = SLOTS_PER_FIVE_SECONDS;
        let passed = (i64::from(seconds) * slots / per).max(1);
        let time = unix_timestamp + i64::from(seconds);
        Step {
            now: Now {
                slot: slot + passed.unsigned_abs(),
                unix_timestamp: time,
            },
            price: price(time),
        }
    }
}

/// Both sides, in the order of [`Snapshot::queues`].
pub const SIDES: [Side; 2] = [Side::Long, Side::Short];

/// Accounts that liquidate where nothing is known of them.
pub const LIQUIDATORS: u8 = 6;
/// Their collateral together, as a part of the open interest's notional, basis points.
pub const LIQUIDATOR_CAPITAL_BPS: u64 = 400;
/// Address of a liquidator who is assumed, but for its first byte: nobody has it.
const ASSUMED: [u8; 32] = [0xff; 32];

/// Place of a side in pairs.
pub(super) const fn of(side: Side) -> usize {
    match side {
        Side::Long => 0,
        Side::Short => 1,
    }
}

/// Of `whole` as many as `bps` basis points, rounded down.
pub(super) fn part(whole: u64, bps: u64) -> u64 {
    let part = u128::from(whole) * u128::from(bps) / u128::from(ONE);
    u64::try_from(part).unwrap_or(u64::MAX)
}

#[allow(clippy::cast_precision_loss)]
fn to_float(ticks: u64) -> f64 {
    ticks as f64
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn to_ticks(ticks: f64) -> u64 {
    ticks.round().max(1.0) as u64
}
