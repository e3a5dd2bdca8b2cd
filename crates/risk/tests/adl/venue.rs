//! Markets made up for the purpose.

use ballast_client::accounts::QueueSnapshot;
use ballast_engine::fixtures::risk::sol_market;
use ballast_engine::oracle::{Now, OraclePrice};
use ballast_engine::position::Position;
use ballast_engine::risk::RiskParams;
use ballast_engine::units::{Atoms, FundingIndex, Lots, Side, Ticks};
use ballast_risk::adl::snapshot::{Snapshot, Step};
use ballast_risk::random::Stream;
use ballast_state::market::Market;
use ballast_state::Pubkey;
use bytemuck::Zeroable;

/// The price at which everything begins: $200 in ticks of $0.001; a tick of a lot is an atom.
pub const START: u64 = 200_000;
/// When.
const NOW: Now = Now {
    slot: 1_000_000,
    unix_timestamp: 1_700_000_000,
};

/// Name of the trader at a place.
pub fn name(place: usize) -> Pubkey {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&u64::try_from(place).unwrap().to_be_bytes());
    Pubkey::new_from_array(bytes)
}

/// A position of signed lots at an entry, ticks, with margin, atoms.
pub fn position(lots: i64, entry: i64, margin: i64) -> Position {
    Position {
        lots: Lots::new(lots).unwrap(),
        entry_quote: Atoms::new(lots * entry),
        margin: Atoms::new(margin),
        funding_index: FundingIndex::ZERO,
    }
}

/// Parameters without funding and without rewards.
pub fn params() -> RiskParams {
    RiskParams {
        funding_rate_ppm_per_hour: 0,
        ..sol_market()
    }
}

/// A market with these positions and so much insurance.
pub fn snapshot(risk: RiskParams, positions: &[Position], insurance: u64) -> Snapshot {
    let key = Pubkey::new_from_array([3; 32]);
    let mut market = Market::zeroed();
    market.queue_short = key;
    market.oracle.atoms_per_lot_tick = 1;
    market.risk = risk;
    market.insurance.balance = insurance;
    market.fees_atoms = 1_000_000;
    market.funding = market.funding.begun(NOW.unix_timestamp);
    let queues = [Side::Long, Side::Short].map(|side| {
        let empty = QueueSnapshot::empty(&key, side).unwrap();
        let mut queue = empty.with_room(positions.len());
        for (place, position) in positions.iter().enumerate() {
            if position.side() == Some(side) {
                let mut queue = queue.queue_mut().unwrap();
                queue.insert(name(place).to_bytes(), position).unwrap();
            }
        }
        queue
    });
    let longs = positions.iter().map(|one| one.lots.get().max(0));
    market.open_interest_lots = longs.sum::<i64>().unsigned_abs();
    let price = OraclePrice {
        price: Ticks::new(START),
        confidence: Ticks::new(START / 2_000),
        ema: Ticks::new(START),
        publish_time: NOW.unix_timestamp,
        below_tick: false,
    };
    let at = Step { now: NOW, price };
    Snapshot::new(key, market, queues, at, 8).unwrap()
}

/// As many longs as shorts of random sizes and leverages, entered around the price.
pub fn population(positions: usize, seed: u64) -> Vec<Position> {
    let mut stream = Stream::new(seed, 0);
    let mut all = Vec::new();
    for _ in 0..positions / 2 {
        let lots = i64::try_from(100 + stream.below(4_000)).unwrap();
        for sign in [1, -1] {
            let entry = i64::try_from(199_000 + stream.below(2_000)).unwrap();
            let leverage = i64::try_from(2 + stream.below(18)).unwrap();
            let loss = ((entry - 200_000) * sign * lots).max(0);
            all.push(position(sign * lots, entry, lots * entry / leverage + loss));
        }
    }
    all
}
