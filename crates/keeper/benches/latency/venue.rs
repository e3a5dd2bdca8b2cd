//! A market of many positions, its queues and its book, drawn from a seed in integers only.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_client::instructions::MarketKeys;
use ballast_engine::book::{book_size, Book, BookRef, NewOrder, OwnOrders};
use ballast_engine::fixtures::risk::{sol_market, step};
use ballast_engine::position::Position;
use ballast_engine::queue::{queue_size, Queue, QueueRef};
use ballast_engine::risk::{AdlParams, LadderStep, RiskParams};
use ballast_engine::units::{LotPrice, Side};
use ballast_keeper::market::MarketState;
use ballast_state::market::{Market, MARKET_VERSION};
use ballast_state::oracle_config::{OracleConfig, ORACLE_PUSH};
use ballast_state::trader::Trader;
use bytemuck::Zeroable;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::position::{position, START};

/// Orders of a side of the book.
const ORDERS: u32 = 2_000;
/// Orders of one maker.
const ORDERS_OF_A_MAKER: u32 = 10;
/// Unix seconds at the start.
pub const TIME: i64 = 1_760_128_200;

/// The accounts a keeper reads.
pub struct Venue {
    pub state: MarketState,
    queues: [Vec<u64>; 2],
    book: Vec<u64>,
    makers: Vec<[u8; 32]>,
}

impl Venue {
    /// A market of `positions`, half of them long, told to the keeper's memory account by account.
    pub fn new(positions: usize) -> Result<Self> {
        let mut dice = ChaCha8Rng::seed_from_u64(1);
        let mut key = || Pubkey::new_from_array(dice.gen());
        let keys = MarketKeys {
            market: key(),
            queue_long: key(),
            queue_short: key(),
            book: key(),
            price: key(),
        };
        let half = positions / 2;
        let mut venue = Self {
            state: MarketState::new(keys, market(&keys)),
            queues: [
                queue(half, keys.market, Side::Long)?,
                queue(half, keys.market, Side::Short)?,
            ],
            book: words(book_size(usize::try_from(ORDERS)?)),
            makers: (0..ORDERS / ORDERS_OF_A_MAKER)
                .map(|_| dice.gen())
                .collect(),
        };
        for (side, words) in [Side::Long, Side::Short].into_iter().zip(&mut venue.queues) {
            let mut queue = Queue::new(bytemuck::cast_slice_mut(words))?;
            for _ in 0..half {
                let (address, position) = (dice.gen(), position(&mut dice, side)?);
                let node = queue.insert(address, &position)?;
                let trader = trader(&keys.market, &position, node);
                let address = Pubkey::new_from_array(address);
                venue.state.apply_trader(&address, &trader)?;
            }
        }
        Ok(venue)
    }

    /// The queue of longs and that of shorts.
    pub fn queues(&self) -> Result<[QueueRef<'_>; 2]> {
        let [long, short] = &self.queues;
        Ok([read(long)?, read(short)?])
    }

    /// The market's book, to read.
    pub fn book(&self) -> Result<BookRef<'_>> {
        BookRef::new(bytemuck::cast_slice(&self.book)).map_err(anyhow::Error::from)
    }

    /// The makers quote anew around `mark`, a hundredth of a per cent apart.
    pub fn quote(&mut self, mark: u64, dice: &mut ChaCha8Rng) -> Result<()> {
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut self.book);
        bytes.fill(0);
        let market = self.state.address.to_bytes();
        Book::create(bytes, market)?;
        let mut book = Book::new(bytes)?;
        for side in [Side::Long, Side::Short] {
            let mut own = vec![OwnOrders::EMPTY; self.makers.len()];
            for (place, number) in (0..ORDERS).zip(1_u64..) {
                let maker = usize::try_from(place)? % self.makers.len();
                let distance = mark * number / 40_000;
                let price = match side {
                    Side::Long => mark - distance.max(1),
                    Side::Short => mark + distance.max(1),
                };
                let order = NewOrder {
                    trader: self.makers[maker],
                    side,
                    price: LotPrice::new(price)?,
                    lots: dice.gen_range(20..400),
                    margin: 0,
                    reduce_only: false,
                    expires_at: 0,
                    client_id: 0,
                };
                book.insert(&order, &mut own[maker])?;
            }
        }
        Ok(())
    }
}

fn read(words: &[u64]) -> Result<QueueRef<'_>> {
    QueueRef::new(bytemuck::cast_slice(words)).map_err(anyhow::Error::from)
}

fn trader(market: &Pubkey, position: &Position, node: u32) -> Trader {
    let mut trader = Trader::zeroed();
    trader.position_count = 1;
    let slot = &mut trader.positions[0];
    slot.market = *market;
    slot.store(position);
    slot.queue_node = node;
    trader
}

fn queue(capacity: usize, market: Pubkey, side: Side) -> Result<Vec<u64>> {
    let mut words = words(queue_size(capacity));
    let bytes = bytemuck::cast_slice_mut(&mut words);
    Queue::create(bytes, market.to_bytes(), side)?;
    Ok(words)
}

fn words(bytes: Option<usize>) -> Vec<u64> {
    vec![0; bytes.unwrap_or(0) / 8]
}

fn market(keys: &MarketKeys) -> Market {
    let mut market = Market {
        version: MARKET_VERSION,
        queue_long: keys.queue_long,
        queue_short: keys.queue_short,
        book: keys.book,
        oracle: OracleConfig {
            kind: ORACLE_PUSH,
            push_account: keys.price,
            tick_nano: 1_000_000,
            atoms_per_lot_tick: 1,
            lot_nano: 1_000_000,
            ..OracleConfig::default()
        },
        risk: risk(),
        ..Market::zeroed()
    };
    market.funding.last_timestamp = TIME;
    market.last_price.ticks = START;
    market
}

/// Liquidation in two steps, exact deleveraging of half of a counterparty at a time, neither fees
/// nor rewards.
fn risk() -> RiskParams {
    let (usual, none) = (sol_market(), LadderStep::default());
    RiskParams {
        ladder: [step(6_667, 2_000), step(0, 10_000), none, none],
        ladder_count: 2,
        max_open_interest_lots: 100_000_000_000,
        taker_fee_bps: 0,
        insurance_fee_share_bps: 0,
        keeper_fee_atoms: 0,
        adl: AdlParams {
            rank_tolerance_bps: 0,
            reward_atoms: 0,
            ..usual.adl
        },
        ..usual
    }
}
