//! Walks and orders of any queue, against the rules in rational arithmetic.

use ballast_engine::fixtures::ranking::{ranking, Rated};
use ballast_engine::position::Position;
use ballast_engine::proof::{first_skipped, BestFirst, Threshold};
use ballast_engine::queue::CutStamp;
use ballast_engine::rank::{ClosePrice, Exposure, Round};
use ballast_engine::units::{FundingIndex, LotPrice, Side, BPS_ONE, MAX_LOTS, MAX_LOT_PRICE};

use crate::bytes::Bytes;
use crate::store::Store;

const MOST: usize = 12;
const PASSES: u32 = 4;

fn round(bytes: &mut Bytes<'_>, side: Side, most_lots: u64, most_price: u64) -> Round {
    let mark = bytes.sized(1, most_price);
    let lots = bytes.sized(1, most_lots);
    let worth = i128::from(mark) * i128::from(lots);
    let away = match bytes.byte() % 3 {
        0 => i128::from(bytes.byte()),
        1 => worth * i128::from(bytes.byte()) / 512,
        _ => 0,
    };
    let quote = match side {
        Side::Long => worth - away,
        Side::Short => worth + away,
    };
    let mut bps = |most: u64| u32::try_from(bytes.sized(0, most)).expect("small");
    Round {
        side,
        mark: LotPrice::new(mark).expect("within range"),
        close: ClosePrice {
            quote: i64::try_from(quote.min(i128::from(i64::MAX))).expect("within range"),
            lots,
        },
        min_profit_bps: bps(BPS_ONE),
        rank_tolerance_bps: bps(BPS_ONE),
        max_close_bps: bps(BPS_ONE - 1) + 1,
        least_lots: 0,
        epoch: bps(2) + 1,
        funding_index: FundingIndex::new(bytes.signed(1 << 16)),
    }
}

/// Checks every walk and the order of the queue that the bytes stand for.
pub fn run(data: &[u8]) {
    let mut bytes = Bytes(data);
    let side = bytes.side();
    let (most_lots, most_price) = match bytes.byte() % 4 {
        0 => (3, 7),
        1 => (64, 255),
        2 => (1 << 24, 1 << 20),
        _ => (MAX_LOTS, MAX_LOT_PRICE - (1 << 17)),
    };
    let round = round(&mut bytes, side, most_lots, most_price);
    let mut store = Store::new(side, MOST);
    while store.queue().open_pass(0).expect("few") < PASSES {}
    let mut listed: Vec<(usize, Position, CutStamp)> = Vec::new();
    while !bytes.is_empty() && listed.len() < MOST {
        let mut position = bytes.position(side, most_lots, most_price);
        position.funding_index = FundingIndex::new(i64::from(bytes.byte() % 3));
        let stamp = bytes.stamp(PASSES);
        let Ok(index) = store.queue().insert([1; 32], &position) else {
            continue;
        };
        assert_eq!(store.queue().stamp(index, stamp), Ok(()));
        listed.push((listed.len(), position, stamp));
    }
    check(&store, &round, &listed);
}

fn check(store: &Store, round: &Round, listed: &[(usize, Position, CutStamp)]) {
    let rated: Vec<Rated> = listed
        .iter()
        .map(|(number, position, stamp)| Rated::new(round, *number, position, *stamp))
        .collect();
    let order: Vec<u32> = BestFirst::new(store.view(), *round)
        .map(|step| step.expect("sound").0)
        .collect();
    let expected: Vec<u32> = ranking(round, listed)
        .iter()
        .map(|rated| index(rated.number))
        .collect();
    assert_eq!(order, expected);
    walk(store, round, &rated, None);
    for (number, position, _) in listed {
        let sequence = u64::try_from(*number).expect("few");
        let last = Exposure::of_position(position, round.funding_index, sequence);
        walk(store, round, &rated, Some((*number, last.expect("stored"))));
    }
}

/// The walk names somebody exactly when the rules do, and one of those.
fn walk(store: &Store, round: &Round, rated: &[Rated], last: Option<(usize, Exposure)>) {
    let over = |number: usize| match last {
        None => rated[number].cuttable,
        Some((last, _)) => {
            number != last && rated[number].passed_over(&rated[last], round.rank_tolerance_bps)
        }
    };
    let threshold = last.map_or(Threshold::Everyone, |(_, last)| Threshold::Beyond(last));
    let ignore = last.map(|(number, _)| index(number));
    let walk = first_skipped(&store.view(), round, &threshold, ignore).expect("sound");
    match walk.skipped {
        Some(found) => assert!(over(usize::try_from(found).expect("few"))),
        None => assert!(!(0..rated.len()).any(over)),
    }
}

fn index(number: usize) -> u32 {
    u32::try_from(number).expect("few")
}
