//! Deleveraging moves money exactly, spares the insolvent, respects caps, and
//! does not depend on how it is split into calls.

use ballast_engine::adl::{Bankruptcy, Cut, CutDone, Deleveraging, SkipReason, Summary};
use ballast_engine::fixtures::ranking::{fraction, integer};
use ballast_engine::position::Position;
use ballast_engine::proof::{first_skipped, BestFirst, Threshold};
use ballast_engine::queue::CutStamp;
use ballast_engine::rank::Round;
use ballast_engine::risk::AdlParams;
use ballast_engine::units::{FundingIndex, LotPrice, Side};
use ballast_engine::EngineError;
use num_bigint::BigInt;
use proptest::prelude::*;

use crate::fixture::{any_market, any_side, cases, lot_price, position, Store};

/// One bankruptcy and the other side's queue.
#[derive(Clone)]
struct World {
    side: Side,
    store: Store,
    positions: Vec<Position>,
    held: Vec<u64>,
    cut: Vec<u64>,
    bankrupt: Position,
    insurance: u64,
    paid_out: i128,
    gave_up: u64,
    insurance_paid: u64,
    mark: LotPrice,
    funding: FundingIndex,
    params: AdlParams,
    epoch: u32,
}

impl World {
    fn new(round: &Round, positions: &[Position], bankrupt: Position, insurance: u64) -> Self {
        let mut store = Store::filled(round.side, positions);
        let epoch = store.queue().open_pass(0).expect("first");
        Self {
            side: round.side,
            store,
            held: positions.iter().map(Position::size).collect(),
            cut: vec![0; positions.len()],
            positions: positions.to_vec(),
            bankrupt,
            insurance,
            paid_out: 0,
            gave_up: 0,
            insurance_paid: 0,
            mark: round.mark,
            funding: round.funding_index,
            params: AdlParams {
                rank_tolerance_bps: round.rank_tolerance_bps,
                max_close_bps: round.max_close_bps,
                min_profit_bps: round.min_profit_bps,
                ..AdlParams::default()
            },
            epoch,
        }
    }

    fn begin(&self, max_lots: u64) -> Result<Deleveraging, EngineError> {
        Deleveraging::begin(&Bankruptcy {
            position: self.bankrupt,
            mark: self.mark,
            funding_index: self.funding,
            insurance_available: self.insurance,
            past_grace: false,
            taker: None,
            max_lots,
            least_lots: 0,
            params: &self.params,
            epoch: self.epoch,
            passes: self.epoch,
        })
    }

    fn best(&self, call: &Deleveraging, count: usize) -> Vec<u32> {
        BestFirst::new(self.store.view(), *call.round())
            .take(count)
            .map(|step| step.expect("sound").0)
            .collect()
    }

    /// One call over this list: every rule checked on every cut, then the proof.
    fn call(&mut self, max_lots: u64, length: usize) -> Result<Summary, EngineError> {
        let before = self.bankrupt;
        let mut call = self.begin(max_lots)?;
        let mut last = None;
        for index in self.best(&call, length) {
            if self.cut_one(&mut call, index)? {
                last = Some(index);
            }
        }
        if let Some(last) = last {
            let walk = first_skipped(
                &self.store.view(),
                call.round(),
                &call.threshold(),
                Some(last),
            )?;
            assert_eq!(walk.skipped, None);
        }
        let summary = call.finish()?;
        assert_eq!(summary.overshoot(), Ok(0));
        self.bankrupt = call.bankrupt_after()?;
        check_rest(&before, &self.bankrupt, self.mark, &summary);
        self.insurance -= summary.insurance_paid;
        self.insurance_paid += summary.insurance_paid;
        self.gave_up += summary.gave_up;
        assert_eq!(self.store.view().invariant(), Ok(()));
        Ok(summary)
    }

    fn cut_one(&mut self, call: &mut Deleveraging, index: u32) -> Result<bool, EngineError> {
        let number = usize::try_from(index).expect("small");
        let before = self.positions[number];
        let entry = *self.store.view().entry(index)?;
        let Cut::Done(done) = call.cut(&before, entry.sequence, entry.stamp())? else {
            assert_eq!(call.remaining_lots(), 0, "a listed position was skipped");
            return Ok(false);
        };
        check_cut(call.round(), &before, &done);
        self.cut[number] += done.lots;
        self.paid_out += i128::from(done.payout.get());
        self.positions[number] = done.position_after;
        if done.position_after.is_empty() {
            self.store.queue().remove(index)?;
        } else {
            self.store
                .queue()
                .update_cut(index, &done.position_after, done.stamp)?;
        }
        Ok(true)
    }

    /// Sum of what everybody owns, which nothing here may change.
    fn wealth(&self) -> i128 {
        let of = |position: &Position| {
            i128::from(position.margin.get()) - i128::from(position.entry_quote.get())
        };
        self.positions.iter().map(of).sum::<i128>()
            + of(&self.bankrupt)
            + self.paid_out
            + i128::from(self.insurance)
    }

    fn lots(&self) -> i128 {
        self.positions
            .iter()
            .chain([&self.bankrupt])
            .map(|position| i128::from(position.lots.get()))
            .sum()
    }

    fn check_caps(&self) {
        for (held, cut) in self.held.iter().zip(&self.cut) {
            let cap = fraction(*held, 10_000) * integer(self.params.max_close_bps);
            assert!(integer(*cut) <= cap.ceil(), "{cut} of {held} lots cut");
        }
    }
}

/// What is left of the bankrupt position keeps its own part of the deficit, rounded up and at most
/// one atom more: its bankruptcy price has not moved away from the mark.
fn check_rest(before: &Position, after: &Position, mark: LotPrice, summary: &Summary) {
    let (size, left) = (u128::from(before.size()), u128::from(after.size()));
    let deficit = u128::from(summary.deficit);
    let insured = u128::from(summary.insured);
    assert_eq!(
        u128::from(summary.insurance_paid),
        insured * u128::from(summary.lots) / size
    );
    let kept = after.equity(mark).expect("within range").get();
    let kept = u128::try_from(-i128::from(kept)).expect("still bankrupt, or nothing is left");
    let share = (deficit * left).div_ceil(size);
    assert!(kept * size >= deficit * left, "{kept} of {share}");
    assert!(kept <= share + 1, "{kept} of {share}");
    assert!(left > 0 || kept == 0);
    assert_eq!(summary.deficit_after().map(u128::from), Ok(kept));
}

fn check_cut(round: &Round, before: &Position, done: &CutDone) {
    let after = &done.position_after;
    assert_eq!(after.invariant(), Ok(()));
    assert!(!done.payout.is_negative());
    assert_eq!(after.size() + done.lots, before.size());
    let equity = after.equity(round.mark).expect("within range");
    assert!(!equity.is_negative(), "a counterparty was made insolvent");
    // Within one atom of the close price.
    let exact = fraction(round.close.quote, round.close.lots) * integer(done.lots);
    let off = exact - integer(done.quote.get());
    assert!(off < integer(1) && off > integer(-1));
    // Exactly what closing at the mark would have given on top.
    let worth = BigInt::from(round.mark.get()) * BigInt::from(done.lots);
    let less = match round.side {
        Side::Long => worth - BigInt::from(done.quote.get()),
        Side::Short => BigInt::from(done.quote.get()) - worth,
    };
    assert_eq!(less, BigInt::from(done.gave_up));
}

/// The bankrupt position whose bankruptcy price is the round's close price.
fn bankrupt_of(round: &Round, entry_bps: u64) -> Option<Position> {
    let lots = round.close.lots;
    let price = (round.mark.get() * entry_bps / 10_000).clamp(1, LotPrice::MAX.get());
    let entry = lots * price;
    let close = i128::from(round.close.quote);
    let (side, margin) = match round.side {
        Side::Long => (Side::Short, close - i128::from(entry)),
        Side::Short => (Side::Long, i128::from(entry) - close),
    };
    let margin = i64::try_from(margin).ok()?;
    let bankrupt = position(side, lots, entry, margin, round.funding_index.get());
    let equity = bankrupt.equity(round.mark).ok()?;
    equity.is_negative().then_some(bankrupt)
}

fn settled(round: &Round, positions: &[Position]) -> Vec<Position> {
    positions
        .iter()
        .map(|position| position.settle(round.funding_index).expect("small"))
        .collect()
}

proptest! {
    #![proptest_config(cases(1_500))]

    #[test]
    fn deleveraging_conserves_and_ends_at_nothing(
        (round, positions) in any_market(12),
        entry_bps in 1_000_u64..20_000,
        insured_bps in prop_oneof![Just(0_u64), 0_u64..9_999],
        lengths in prop::collection::vec((1_usize..6, 0_u64..10_000), 1..12),
    ) {
        let Some(bankrupt) = bankrupt_of(&round, entry_bps) else { return Ok(()) };
        let deficit = bankrupt.equity(round.mark).expect("small").get().unsigned_abs();
        let insurance = u64::try_from(u128::from(deficit) * u128::from(insured_bps) / 10_000)
            .expect("small");
        let positions = settled(&round, &positions);
        let mut world = World::new(&round, &positions, bankrupt, insurance);
        let (wealth, lots) = (world.wealth(), world.lots());
        for (length, share) in lengths {
            if world.bankrupt.is_empty() {
                break;
            }
            let size = u128::from(world.bankrupt.size());
            let most = u64::try_from(size * u128::from(share) / 10_000).expect("small") + 1;
            world.call(most, length).expect("a valid call");
            prop_assert_eq!(world.wealth(), wealth);
            prop_assert_eq!(world.lots(), lots);
            world.check_caps();
        }
        if world.bankrupt.is_empty() {
            prop_assert_eq!(world.bankrupt.margin.get(), 0);
            prop_assert_eq!(world.bankrupt.entry_quote.get(), 0);
            prop_assert_eq!(world.gave_up + world.insurance_paid, deficit);
        }
    }

    /// Rounds of a lot or two, the insurance capped by its window or not.
    #[test]
    fn what_a_round_leaves_keeps_its_own_deficit(
        (round, positions) in any_market(6), entry_bps in 1_000_u64..20_000,
        insured_bps in 0_u64..9_999, most in 1_u64..4, rounds in 1_usize..40,
    ) {
        let Some(bankrupt) = bankrupt_of(&round, entry_bps) else { return Ok(()) };
        let deficit = bankrupt.equity(round.mark).expect("small").get().unsigned_abs();
        let insurance = u64::try_from(u128::from(deficit) * u128::from(insured_bps) / 10_000)
            .expect("small");
        let mut world = World::new(&round, &settled(&round, &positions), bankrupt, insurance);
        let close = |world: &World| {
            let call = world.begin(1).expect("bankrupt");
            fraction(call.round().close.quote, call.round().close.lots)
        };
        let first = close(&world);
        let lots = world.bankrupt.size();
        for number in 1..=rounds {
            world.call(most, 6).expect("a valid call");
            if world.bankrupt.is_empty() {
                break;
            }
            // Rounding only: three atoms a round on what is left.
            let moved = close(&world) - first.clone();
            let bound = fraction(i64::try_from(3 * number).expect("small"), world.bankrupt.size());
            prop_assert!(moved <= bound.clone() && moved >= -bound, "{} lots of {lots}", world.bankrupt.size());
        }
    }

    /// With totals that divide evenly nothing rounds, and any split into calls
    /// cuts everybody exactly as deep as one call over the whole list.
    #[test]
    fn many_short_calls_cut_as_deep_as_a_long_one(
        side in any_side(),
        holders in prop::collection::vec((1_u64..60, 50_u64..150, 5_i64..80), 1..14),
        size in 1_u64..400,
        beyond in 1_u64..8,
        cap in prop_oneof![Just(10_000_u32), 1_u32..=10_000],
        profit in prop_oneof![Just(0_u32), Just(1_000)],
        pieces in prop::collection::vec((1_usize..4, 1_u64..40), 1..60),
    ) {
        let mut round = crate::proof::plain_round(side, 100);
        round.max_close_bps = cap;
        round.min_profit_bps = profit;
        let lots = i64::try_from(size).expect("small");
        let beyond = i64::try_from(beyond).expect("small") * lots;
        round.close.lots = size;
        round.close.quote = 100 * lots + if side == Side::Long { -beyond } else { beyond };
        let bankrupt = bankrupt_of(&round, 10_000).expect("a deficit");
        let positions: Vec<_> = holders
            .iter()
            .map(|(lots, price, margin)| {
                let margin = margin * i64::try_from(*lots).expect("small");
                position(side, *lots, lots * price, margin, 0)
            })
            .collect();
        let mut long = World::new(&round, &positions, bankrupt, 0);
        let mut short = long.clone();
        long.call(u64::MAX, usize::MAX).expect("a valid call");
        for (length, most) in pieces.iter().cycle().take(2_000) {
            if short.bankrupt.is_empty() {
                break;
            }
            let summary = short.call(*most, *length).expect("a valid call");
            if summary.cuts == 0 {
                break;
            }
        }
        prop_assert_eq!(&short.cut, &long.cut);
        prop_assert_eq!(short.bankrupt, long.bankrupt);
        prop_assert_eq!(short.paid_out, long.paid_out);
    }
}

fn bankrupt_long() -> Position {
    // Bought 100 lots at 120 with 10 a lot: bankrupt at 110. At 100 it owes 1,000.
    position(Side::Long, 100, 12_000, 1_000, 0)
}

fn round_of_shorts() -> Round {
    crate::proof::plain_round(Side::Short, 100)
}

#[test]
fn only_an_uncovered_bankruptcy_is_deleveraged() {
    let round = round_of_shorts();
    let begin = |bankrupt, insurance| World::new(&round, &[], bankrupt, insurance).begin(1);
    let safe = position(Side::Long, 100, 12_000, 2_000, 0);
    assert_eq!(begin(safe, 0).map(|_| ()), Err(EngineError::NotBankrupt));
    assert_eq!(
        begin(bankrupt_long(), 1_000).map(|_| ()),
        Err(EngineError::InsuranceCanPay)
    );
    assert_eq!(
        begin(Position::default(), 0).map(|_| ()),
        Err(EngineError::NoPosition)
    );
    let call = begin(bankrupt_long(), 999).expect("one atom short");
    // Nothing is closed yet, so that nothing is paid.
    assert_eq!(call.bankrupt_after(), Ok(bankrupt_long()));
    assert_eq!(
        (call.round().close.quote, call.round().close.lots),
        (10_001, 100)
    );
    let world = World::new(&round, &[], bankrupt_long(), 0);
    assert_eq!(world.begin(0).map(|_| ()), Err(EngineError::ZeroLots));
}

#[test]
fn after_the_grace_period_insurance_pays_and_the_rest_closes_at_the_mark() {
    let winner = position(Side::Short, 100, 15_000, 500, 0);
    let mut call = Deleveraging::begin(&Bankruptcy {
        position: bankrupt_long(),
        mark: lot_price(100),
        funding_index: FundingIndex::ZERO,
        insurance_available: 5_000,
        past_grace: true,
        taker: None,
        max_lots: u64::MAX,
        least_lots: 0,
        params: &AdlParams {
            max_close_bps: 10_000,
            ..AdlParams::default()
        },
        epoch: 1,
        passes: 1,
    })
    .expect("past grace");
    let Ok(Cut::Done(done)) = call.cut(&winner, 0, CutStamp::default()) else {
        panic!("not cut");
    };
    assert_eq!((done.quote.get(), done.payout.get()), (10_000, 5_500));
    let summary = call.finish().expect("exact");
    assert_eq!((summary.insurance_paid, summary.gave_up), (1_000, 0));
    assert!(call.bankrupt_after().is_ok_and(|left| left.is_empty()));
}

#[test]
fn the_list_must_be_in_order_and_who_has_turned_is_passed_by() {
    let round = round_of_shorts();
    let better = position(Side::Short, 10, 1_500, 100, 0);
    let worse = position(Side::Short, 10, 1_300, 900, 0);
    let world = World::new(&round, &[better, worse], bankrupt_long(), 0);
    let mut call = world.begin(u64::MAX).expect("bankrupt");
    assert!(matches!(
        call.cut(&worse, 1, CutStamp::default()),
        Ok(Cut::Done(_))
    ));
    assert_eq!(
        call.cut(&better, 0, CutStamp::default()),
        Err(EngineError::AdlOutOfOrder)
    );
    assert_eq!(
        call.cut(&bankrupt_long(), 0, CutStamp::default()),
        Ok(Cut::Skipped(SkipReason::OtherSide))
    );
    // A walk after cutting only the worse one names the better one.
    let walk = first_skipped(
        &world.store.view(),
        call.round(),
        &call.threshold(),
        Some(1),
    );
    assert_eq!(walk.map(|walk| walk.skipped), Ok(Some(0)));
}

#[test]
fn what_vanished_or_is_used_up_is_passed_by() {
    let round = round_of_shorts();
    let world = World::new(&round, &[], bankrupt_long(), 0);
    let mut call = world.begin(5).expect("bankrupt");
    let capped = CutStamp {
        epoch: 1,
        lots: 4,
        capped_epoch: 1,
    };
    let mut skip = |position: Position, stamp| match call.cut(&position, 0, stamp) {
        Ok(Cut::Skipped(reason)) => reason,
        other => panic!("{other:?}"),
    };
    let fresh = CutStamp::default();
    assert_eq!(skip(Position::default(), fresh), SkipReason::NoPosition);
    let winner = position(Side::Short, 10, 1_500, 100, 0);
    assert_eq!(skip(winner, capped), SkipReason::AtCap);
    // Bankrupt at 109, below the close price of 110.
    let frail = position(Side::Short, 10, 1_050, 40, 0);
    assert_eq!(skip(frail, fresh), SkipReason::Insolvent);
    assert!(matches!(
        call.cut(&winner, 0, fresh),
        Ok(Cut::Done(CutDone { lots: 5, .. }))
    ));
    assert_eq!(
        call.cut(&winner, 1, fresh),
        Ok(Cut::Skipped(SkipReason::NothingLeft))
    );
}

/// A cap of a tenth takes several passes, each opened only when nobody is left.
#[test]
fn passes_follow_one_another_until_the_bankrupt_is_closed() {
    let mut round = round_of_shorts();
    round.max_close_bps = 1_000;
    let winners = [
        position(Side::Short, 60, 9_000, 700, 0),
        position(Side::Short, 90, 12_600, 900, 0),
    ];
    let mut world = World::new(&round, &winners, bankrupt_long(), 250);
    let (wealth, mut passes) = (world.wealth(), 1);
    while !world.bankrupt.is_empty() {
        let mut call = world.begin(u64::MAX).expect("bankrupt");
        let everyone = first_skipped(
            &world.store.view(),
            call.round(),
            &Threshold::Everyone,
            None,
        );
        if everyone.expect("sound").skipped.is_none() {
            let next = world.store.queue().open_pass(0).expect("few");
            assert_eq!(call.open_pass(next), Ok(()));
            world.epoch = next;
            passes += 1;
        }
        let summary = world.call(u64::MAX, 2).expect("a valid call");
        assert!(summary.cuts > 0);
        assert_eq!(world.wealth(), wealth);
    }
    assert!(passes > 5, "{passes} passes");
    assert_eq!(world.gave_up + world.insurance_paid, 1_000);
    let total: u64 = world.cut.iter().sum();
    assert_eq!((total, world.side), (100, Side::Short));
}
