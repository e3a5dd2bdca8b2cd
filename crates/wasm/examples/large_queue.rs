//! Writes a request to rank one of so many shorts, by default 100,000: what `app/speed.mjs` times.
//!
//! `cargo run -p ballast-wasm --example large_queue -- FILE [POSITIONS]`

use ballast_client::accounts::{self, AccountKind};
use ballast_engine::position::Position;
use ballast_engine::queue::{queue_size, Queue};
use ballast_engine::units::{Atoms, Lots, Side};
use ballast_sandbox::{BlockTrade, MarketConfig, Options, Sandbox};
use ballast_state::Pubkey;
use ballast_wasm::request::{MarketRequest, PriceRequest, StandingOf, TraderRequest};

/// Atoms of one quote unit.
const USD: u64 = 1_000_000;
/// Lots of every position.
const LOTS: i64 = 1_000;
/// The sysvar with slot and time.
const CLOCK: Pubkey = Pubkey::from_str_const("SysvarC1ock11111111111111111111111111111111");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let file = words.next().ok_or("expected the file to write")?;
    let positions = words.next().map_or(Ok(100_000), |count| count.parse())?;
    let request = request(positions)?;
    std::fs::write(&file, borsh::to_vec(&request)?)?;
    println!("{file}: one of {positions} positions");
    Ok(())
}

fn request(positions: usize) -> Result<StandingOf, Box<dyn std::error::Error>> {
    let (mut sandbox, sol) = Sandbox::with_market(&Options::default(), &MarketConfig::sol())?;
    let (long, short) = (
        sandbox.create_trader(10_000 * USD)?,
        sandbox.create_trader(10_000 * USD)?,
    );
    let terms = BlockTrade {
        lots: LOTS,
        price_ticks: 200_000,
        taker_margin: 100 * USD,
        maker_margin: 150 * USD,
    };
    sandbox.block_trade(&sol, &long, &short, terms)?;
    let data = |key: &Pubkey| sandbox.account(key).map(|account| account.data);
    let read = |key: &Pubkey| data(key).ok_or("an account is missing");
    let mut trader = read(&short.address)?;
    let mut words = vec![0_u64; queue_size(positions).ok_or("too many")? / 8];
    let bytes = bytemuck::cast_slice_mut(&mut words);
    Queue::create(bytes, sol.keys.market.to_bytes(), Side::Short)?;
    let mut queue = Queue::new(bytes)?;
    for number in 0..u32::try_from(positions)? {
        // Entries from $180 to $220 and margins from $20 to $420, in no order.
        let mixed = i64::from(number.wrapping_mul(2_654_435_761) >> 8);
        let position = Position {
            lots: Lots::new(-LOTS)?,
            entry_quote: Atoms::new(-(180_000 + mixed % 40_000) * LOTS),
            margin: Atoms::new(20_000_000 + mixed % 400_000_000),
            ..Position::default()
        };
        let owner = match number == u32::try_from(positions)? / 2 {
            true => short.address.to_bytes(),
            false => {
                let mut key = [7; 32];
                key[..4].copy_from_slice(&number.to_le_bytes());
                key
            }
        };
        let node = queue.insert(owner, &position)?;
        if owner == short.address.to_bytes() {
            let mut account = accounts::trader(&trader)?;
            let slot = account.slot_mut(&sol.keys.market)?;
            slot.store(&position);
            slot.queue_node = node;
            trader = [&trader[..8], bytemuck::bytes_of(&account)].concat();
        }
    }
    let head = AccountKind::Queue.discriminator();
    let price = sandbox.account(&sol.keys.price);
    Ok(StandingOf {
        market: MarketRequest {
            slot: sandbox.slot(),
            decimals: 6,
            address: sol.keys.market,
            market: read(&sol.keys.market)?,
            clock: read(&CLOCK)?,
            book: Some(read(&sol.keys.book)?),
            queue_long: Some(read(&sol.keys.queue_long)?),
            queue_short: Some([&head[..], bytemuck::cast_slice(&words)].concat()),
            prices: vec![PriceRequest {
                address: sol.keys.price,
                account: price.map(|account| (account.owner, account.data)),
            }],
        },
        trader: TraderRequest {
            address: short.address,
            data: trader,
        },
    })
}
