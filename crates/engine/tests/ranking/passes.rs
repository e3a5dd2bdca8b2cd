//! A deleveraging that takes the order of a selection for proven, and one that goes on in a
//! pass just opened.

use ballast_engine::adl::{Bankruptcy, Cut, CutDone, Deleveraging, SkipReason};
use ballast_engine::position::Position;
use ballast_engine::queue::{CutStamp, PASS_SLOTS};
use ballast_engine::risk::AdlParams;
use ballast_engine::units::{FundingIndex, Side};
use ballast_engine::EngineError;

use crate::fixture::{lot_price, position, Store};

/// Caps of a half; 100 long lots bankrupt at 110, the mark at 100.
fn begin(params: &AdlParams) -> Deleveraging {
    Deleveraging::begin(&Bankruptcy {
        position: position(Side::Long, 100, 12_000, 1_000, 0),
        mark: lot_price(100),
        funding_index: FundingIndex::ZERO,
        insurance_available: 0,
        past_grace: false,
        taker: None,
        max_lots: u64::MAX,
        least_lots: 0,
        params,
        epoch: 1,
        passes: 1,
    })
    .expect("a bankruptcy")
}

fn half() -> AdlParams {
    AdlParams {
        max_close_bps: 5_000,
        ..AdlParams::default()
    }
}

fn done(cut: Result<Cut, EngineError>) -> CutDone {
    match cut {
        Ok(Cut::Done(done)) => done,
        other => panic!("{other:?}"),
    }
}

fn better() -> Position {
    position(Side::Short, 10, 1_500, 100, 0)
}

fn worse() -> Position {
    position(Side::Short, 10, 1_300, 900, 0)
}

#[test]
fn a_proven_order_is_cut_as_it_comes() {
    let params = half();
    let fresh = CutStamp::default();
    let mut doubted = begin(&params);
    done(doubted.cut(&worse(), 1, fresh));
    let refused = doubted.cut(&better(), 0, fresh);
    assert_eq!(refused, Err(EngineError::AdlOutOfOrder));

    let mut trusted = begin(&params);
    trusted.trust_order();
    let first = done(trusted.cut(&worse(), 1, fresh));
    let second = done(trusted.cut(&better(), 0, fresh));
    assert_eq!((first.lots, second.lots), (5, 5));
    assert_eq!(trusted.finish().map(|summary| summary.cuts), Ok(2));
}

#[test]
fn a_round_taken_up_again_closes_what_insurance_still_pays_for() {
    let params = half();
    let begun = begin(&params);
    let round = *begun.round();
    let before = begun.bankrupt_after().unwrap();
    let lots = before.size();
    let owed = before.equity(round.mark).unwrap().get().unsigned_abs();
    let whole = Deleveraging::resume(&round, &before, u64::MAX, 0).unwrap();
    assert_eq!((whole.round(), whole.remaining_lots()), (&round, lots));
    // Frozen when insurance had half of the deficit.
    let insured = i64::try_from(owed / 2).unwrap();
    let mut counted = round;
    counted.close.quote += if round.side == Side::Short {
        -insured
    } else {
        insured
    };
    let resume = |available| Deleveraging::resume(&counted, &before, u64::MAX, available).unwrap();
    assert_eq!(resume(owed / 2).remaining_lots(), lots);
    let fewer = resume(owed / 4).remaining_lots();
    assert!(fewer < lots && fewer >= lots / 2, "{fewer} of {lots}");
    let paid = |lots: u64| u128::from(owed / 2) * u128::from(lots) / u128::from(before.size());
    assert!(paid(fewer) <= u128::from(owed / 4) && paid(fewer + 1) > u128::from(owed / 4));
    // Not frozen for this position: the price lies beyond the mark, or there is no deficit.
    counted.close.quote = round.close.quote + if round.side == Side::Short { 1 } else { -1 };
    let foreign = Deleveraging::resume(&counted, &before, 1, 0).map(|_| ());
    assert_eq!(foreign, Err(EngineError::PositionCorrupt));
    let mut safe = before;
    safe.margin = safe.margin.try_add_unsigned(owed).unwrap();
    let refused = Deleveraging::resume(&round, &safe, 1, 0).map(|_| ());
    assert_eq!(refused, Err(EngineError::NotBankrupt));
}

#[test]
fn what_was_cut_before_does_not_count_in_a_new_pass() {
    let params = half();
    let capped = CutStamp {
        epoch: 1,
        lots: 5,
        capped_epoch: 1,
    };
    let mut call = begin(&params);
    let skipped = call.cut(&better(), 0, capped);
    assert_eq!(skipped, Ok(Cut::Skipped(SkipReason::AtCap)));
    assert_eq!(call.open_pass(2), Ok(()));
    assert_eq!(call.round().epoch, 2);
    let cut = done(call.cut(&better(), 0, capped));
    let stamp = CutStamp {
        epoch: 2,
        lots: 5,
        capped_epoch: 2,
    };
    assert_eq!((cut.lots, cut.stamp), (5, stamp));
}

#[test]
fn a_pass_opens_forwards_and_before_anybody_is_cut() {
    let params = half();
    let refused = Err(EngineError::PositionCorrupt);
    let mut call = begin(&params);
    // The pass under way, one that is over, and none.
    assert_eq!(call.open_pass(1), refused);
    assert_eq!(call.open_pass(0), refused);
    done(call.cut(&better(), 0, CutStamp::default()));
    assert_eq!(call.open_pass(2), refused);
    assert_eq!(call.round().epoch, 1);
}

#[test]
fn a_pass_that_the_queue_opened_lasts_from_its_slot_on() {
    let mut store = Store::new(Side::Long, 4);
    let mut queue = store.queue();
    assert_eq!(queue.join_pass(0, 700), Ok(1));
    assert_eq!(queue.join_pass(0, 700 + PASS_SLOTS), Ok(1));
    assert_eq!(queue.join_pass(0, 701 + PASS_SLOTS), Ok(2));
    assert_eq!(queue.join_pass(0, 701 + 2 * PASS_SLOTS), Ok(2));
}
