//! A deleveraging that takes the order of a selection for proven, and one that goes on in a
//! pass just opened.

use ballast_engine::adl::{Bankruptcy, Cut, CutDone, Deleveraging, SkipReason};
use ballast_engine::position::Position;
use ballast_engine::queue::CutStamp;
use ballast_engine::risk::AdlParams;
use ballast_engine::units::{FundingIndex, Side};
use ballast_engine::EngineError;

use crate::fixture::{lot_price, position};

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
