//! The worked example of the README, number for number.

use ballast_engine::adl::{Bankruptcy, Cut, CutDone, Deleveraging};
use ballast_engine::position::Position;
use ballast_engine::queue::CutStamp;
use ballast_engine::rank::score_q32;
use ballast_engine::risk::AdlParams;
use ballast_engine::units::{Atoms, FundingIndex, LotPrice, Lots};

const USD: i64 = 1_000_000;

fn position(lots: i64, price: i64, margin_usd: i64) -> Position {
    Position {
        lots: Lots::new(lots).unwrap(),
        entry_quote: Atoms::new(lots * price),
        margin: Atoms::new(margin_usd * USD),
        funding_index: FundingIndex::ZERO,
    }
}

fn cut(state: &mut Deleveraging, position: &Position, sequence: u64) -> CutDone {
    match state.cut(position, sequence, CutStamp::default()).unwrap() {
        Cut::Done(done) => done,
        Cut::Skipped(reason) => panic!("skipped: {reason:?}"),
    }
}

#[test]
fn the_readme_example_holds_to_the_atom() {
    let params = AdlParams {
        rank_tolerance_bps: 0,
        max_close_bps: 5_000,
        min_profit_bps: 10,
        _pad: 0,
        grace_slots: 150,
        reward_atoms: 0,
    };
    let bankrupt = position(10_000, 200_000, 100);
    let mark = LotPrice::new(188_000).unwrap();
    assert_eq!(bankrupt.equity(mark), Ok(Atoms::new(-20 * USD)));
    let mut state = Deleveraging::begin(&Bankruptcy {
        position: bankrupt,
        mark,
        funding_index: FundingIndex::ZERO,
        insurance_available: 5_000_000,
        past_grace: false,
        taker: None,
        max_lots: u64::MAX,
        least_lots: 0,
        params: &params,
        epoch: 1,
        passes: 1,
    })
    .unwrap();
    let close = state.round().close;
    assert_eq!(close.quote, 189_500 * 10_000);
    assert_eq!(close.lots, 10_000);

    let (ann, ben, cho) = (
        position(-6_000, 200_000, 60),
        position(-8_000, 210_000, 840),
        position(-8_000, 195_000, 78),
    );
    let done = [(ann, 0), (cho, 2), (ben, 1)].map(|(who, age)| cut(&mut state, &who, age));
    let scores = done.map(|cut| score_q32(state.round(), &cut.ranked.exposure).unwrap());
    let thousandths = scores.map(|score| (score * 1_000) >> 32);
    assert_eq!(thousandths, [512, 402, 155]);
    assert_eq!(done.map(|cut| cut.lots), [3_000, 4_000, 3_000]);
    assert_eq!(
        done.map(|cut| cut.gave_up),
        [4_500_000, 6_000_000, 4_500_000]
    );
    let realized = done.map(|cut| cut.realized.get());
    assert_eq!(realized, [31_500_000, 22_000_000, 61_500_000]);
    let payouts = done.map(|cut| cut.payout.get());
    assert_eq!(payouts, [61_500_000, 61_000_000, 376_500_000]);

    let summary = state.finish().unwrap();
    assert_eq!(
        (summary.deficit, summary.insurance_paid),
        (20_000_000, 5_000_000)
    );
    assert_eq!(
        (summary.uncovered_closed, summary.gave_up),
        (15_000_000, 15_000_000)
    );
    assert!(state.bankrupt_after().unwrap().is_empty());
}
