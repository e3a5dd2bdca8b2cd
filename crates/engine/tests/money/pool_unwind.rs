//! Unwinds and margin of a pool.

use std::sync::LazyLock;

use ballast_engine::pool::{keeper_fee, sync, Auction, PoolMode, PoolParams, UnwindInput};
use ballast_engine::risk::RiskParams;
use ballast_engine::units::{Atoms, Side, Ticks};
use ballast_engine::EngineError;
use proptest::prelude::*;

use crate::fixture::{cases, lots, mark, params, position, price};

const PARAMS: PoolParams = PoolParams {
    reserve_first_bps: 50,
    ask_bps: 10,
    slip_bps: 40,
    auction_slots: 100,
    unwind_bps: 2_000,
    unwind_interval_slots: 10,
    ..PoolParams::DEFAULT
};

/// A market in which makers pay this fee, basis points, or get it where it is negative.
fn market(maker_fee_bps: i32) -> RiskParams {
    RiskParams {
        maker_fee_bps,
        ..params()
    }
}

fn input(signed: i64, slot: u64) -> UnwindInput<'static> {
    static MARKET: LazyLock<RiskParams> = LazyLock::new(|| market(0));
    UnwindInput {
        params: &PARAMS,
        risk: &MARKET,
        mode: PoolMode::Open,
        lots: lots(signed),
        mark: Ticks::new(100_000),
        earlier: Ticks::new(0),
        least_lots: 5,
        slot,
    }
}

fn auction(begun_slot: u64, unwind_slot: u64) -> Auction {
    Auction {
        begun_slot,
        unwind_slot,
    }
}

#[test]
fn the_price_falls_from_beyond_the_mark_to_short_of_it() {
    let limit = |signed, slot| {
        let unwind = auction(1_000, 0).unwind(&input(signed, slot)).unwrap();
        (unwind.side, unwind.limit.get())
    };
    let times = [1_000, 1_001, 1_002, 1_020, 1_060, 1_100, 9_000];
    let long = times.map(|slot| limit(100, slot).1);
    assert_eq!(
        long,
        [100_100, 100_100, 100_090, 100_000, 99_800, 99_600, 99_600]
    );
    let short = times.map(|slot| limit(-100, slot).1);
    assert_eq!(
        short,
        [99_900, 99_900, 99_910, 100_000, 100_200, 100_400, 100_400]
    );
    assert_eq!(
        (limit(100, 1_000).0, limit(-100, 1_000).0),
        (Side::Short, Side::Long)
    );
}

#[test]
fn a_rebate_that_rises_ends_the_fall_sooner() {
    let last = |signed, maker_fee_bps| {
        let input = UnwindInput {
            risk: &market(maker_fee_bps),
            ..input(signed, 9_000)
        };
        auction(1_000, 0).unwind(&input).unwrap().limit.get()
    };
    // 40 of slip, and 2 for the keeper, leave 8 of the 50 at which the pool takes.
    let rebates = [0, -8, -9, -48, -60, -100];
    assert_eq!(
        rebates.map(|fee| last(100, fee)),
        [99_600, 99_600, 99_610, 100_000, 100_120, 100_520]
    );
    assert_eq!(
        rebates.map(|fee| last(-100, fee)),
        [100_400, 100_400, 100_390, 100_000, 99_880, 99_480]
    );
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn an_unwind_never_gives_more_than_the_least_discount(
        (first, slip, keeper, ask) in (0_u32..=500, 0_u32..=500, 0_u32..=50, 0_u32..=500),
        (rebate, mark, slot) in (0_i32..=100, 10_000_u64..1_000_000, 1_000_u64..1_200),
        long in any::<bool>(),
    ) {
        let params = PoolParams {
            reserve_first_bps: first,
            slip_bps: slip,
            keeper_bps: keeper,
            ask_bps: ask,
            ..PARAMS
        };
        let input = UnwindInput {
            params: &params,
            risk: &market(-rebate),
            mark: Ticks::new(mark),
            ..input(if long { 100 } else { -100 }, slot)
        };
        let limit = auction(1_000, 0).unwind(&input).unwrap().limit.get();
        let (mark, limit) = (i128::from(mark), i128::from(limit));
        let below = if long { mark - limit } else { limit - mark };
        let given = below * 10_000 + mark * i128::from(keeper) + mark * i128::from(rebate);
        prop_assert!(given <= mark * i128::from(first), "{} {}", given, mark);
    }
}

#[test]
fn the_worse_of_two_prices_for_the_caller_counts() {
    let limit = |signed, earlier| {
        let input = UnwindInput {
            earlier: Ticks::new(earlier),
            ..input(signed, 1_020)
        };
        auction(1_000, 0).unwind(&input).unwrap().limit.get()
    };
    assert_eq!(
        [0, 99_000, 101_000].map(|earlier| limit(100, earlier)),
        [100_000, 100_000, 101_000]
    );
    assert_eq!(
        [0, 99_000, 101_000].map(|earlier| limit(-100, earlier)),
        [100_000, 99_000, 100_000]
    );
}

#[test]
fn a_part_is_closed_at_once_and_little_whole() {
    let due = |size| auction(0, 0).unwind(&input(size, 1_000)).unwrap().lots;
    assert_eq!([19, 20, 25, 26, 100, 101].map(due), [19, 5, 5, 6, 20, 21]);
}

#[test]
fn unwinds_keep_their_distance_unless_the_pool_winds_down() {
    let at = |slot, mode| {
        let input = UnwindInput {
            mode,
            ..input(100, slot)
        };
        auction(0, 1_000).unwind(&input).map(|_| ())
    };
    let early = Err(EngineError::UnwindTooEarly);
    assert_eq!(
        (at(999, PoolMode::Open), at(1_009, PoolMode::NoTakes)),
        (early, early)
    );
    assert_eq!(
        (at(1_010, PoolMode::Open), at(1_000, PoolMode::WindDown)),
        (Ok(()), Ok(()))
    );
    let nothing = auction(0, 0).unwind(&input(0, 1_000));
    assert_eq!(nothing, Err(EngineError::NoPosition));
}

#[test]
fn lots_closed_take_their_part_of_the_time_and_lots_taken_bring_none() {
    let begun = |after: Result<Auction, EngineError>| after.unwrap().begun_slot;
    let auction = auction(1_000, 0);
    let closed = |closed, slot| auction.after_unwind(&PARAMS, slot, 20, closed);
    assert_eq!(begun(closed(0, 1_080)), 1_000);
    assert_eq!(begun(closed(5, 1_080)), 1_020);
    assert_eq!(begun(closed(20, 1_080)), 1_080);
    // Time beyond the auction's end does not count.
    assert_eq!(begun(closed(10, 5_000)), 4_950);
    assert_eq!(closed(5, 1_080).unwrap().unwind_slot, 1_080);
    let taken = |before, after| auction.after_take(&PARAMS, 1_080, lots(before), lots(after));
    assert_eq!(begun(taken(0, 50)), 1_080);
    assert_eq!(begun(taken(50, 100)), 1_040);
    assert_eq!(begun(taken(-50, -100)), 1_040);
    assert_eq!(begun(taken(100, 50)), 1_000);
    assert_eq!(begun(taken(50, -50)), 1_080);
    assert_eq!(begun(taken(50, 0)), 1_080);
    assert_eq!(taken(0, 50).unwrap().unwind_slot, 0);
}

proptest! {
    #![proptest_config(cases(2_000))]

    /// However bids are cut, the price is never worse than the last one, and no split of a bid leaves the
    /// auction with more time than the bid in one piece would.
    #[test]
    fn small_bids_win_no_time(
        parts in proptest::collection::vec(0_u64..8, 1..6), elapsed in 0_u64..200, whole in 1_u64..60,
    ) {
        let (due, slot) = (whole.max(parts.iter().sum()), 5_000 + elapsed);
        let begun = auction(5_000, 0);
        let once = begun.after_unwind(&PARAMS, slot, due, parts.iter().sum()).unwrap();
        let (mut split, mut left) = (begun, due);
        for part in parts {
            if left == 0 {
                break;
            }
            split = split.after_unwind(&PARAMS, slot, left, part).unwrap();
            left -= part;
        }
        // Rounded down each time, which is less time.
        prop_assert!(split.begun_slot >= once.begun_slot);
        prop_assert!(split.begun_slot <= slot);
    }

    #[test]
    fn no_unwind_is_worse_than_its_last_price(
        signed in prop_oneof![1_i64..5_000, -5_000_i64..-1], ticks in 1_u64..1 << 31,
        begun in 0_u64..1_000, slot in 0_u64..3_000, earlier in 0_u64..1 << 31,
    ) {
        let input = UnwindInput {
            mark: Ticks::new(ticks),
            earlier: Ticks::new(earlier),
            ..input(signed, slot + 10)
        };
        let unwind = auction(begun, 0).unwind(&input).unwrap();
        let (limit, mark) = (u128::from(unwind.limit.get()), u128::from(ticks));
        if signed > 0 {
            prop_assert!(limit * 10_000 >= mark * 9_960);
        } else {
            prop_assert!(limit * 10_000 <= mark * 10_040 || limit == 1);
        }
        prop_assert!(unwind.lots >= 1 && unwind.lots <= signed.unsigned_abs());
        let left = signed.unsigned_abs() - unwind.lots;
        prop_assert!(left == 0 || left >= 5);
    }
}

#[test]
fn a_keeper_gets_its_part_as_far_as_the_pool_can_pay() {
    let fee = |free| keeper_fee(&PARAMS, price(1_000), 100, Atoms::new(free)).unwrap();
    assert_eq!((fee(1_000), fee(20), fee(7), fee(-3)), (20, 20, 7, 0));
}

/// Moved into the margin, the margin, free collateral.
type Moved = (i64, i64, i64);

fn synced(signed: i64, entry: u64, margin: i64, free: i64) -> Result<Moved, EngineError> {
    let position = position(signed, entry, margin);
    let now = mark(1_000, 0);
    let synced = sync(&PARAMS, &params(), &now, &position, Atoms::new(free))?;
    let (position, free) = (synced.position, synced.free.get());
    Ok((synced.moved.get(), position.margin.get(), free))
}

#[test]
fn equity_is_brought_to_what_the_pool_wants() {
    // 20 lots: 20,000 wanted, 24,000 at most.
    assert_eq!(
        synced(20, 1_000, 5_000, 50_000),
        Ok((15_000, 20_000, 35_000))
    );
    assert_eq!(
        synced(-20, 1_000, 5_000, 50_000),
        Ok((15_000, 20_000, 35_000))
    );
    assert_eq!(synced(20, 1_000, 5_000, 300), Ok((300, 5_300, 0)));
    let nothing = Err(EngineError::NothingToSync);
    assert_eq!(synced(20, 1_000, 20_000, 50_000), nothing);
    assert_eq!(synced(20, 1_000, 24_000, 0), nothing);
    assert_eq!(synced(20, 1_000, 24_001, 7), Ok((-4_001, 20_000, 4_008)));
    assert_eq!(synced(20, 1_000, 5_000, 0), nothing);
    assert_eq!(synced(0, 1_000, 0, 9), Err(EngineError::NoPosition));
}

#[test]
fn no_deficit_is_paid_and_no_profit_leaves_as_margin() {
    let nothing = Err(EngineError::NothingToSync);
    // Equity 0 and one less.
    assert_eq!(synced(20, 1_100, 2_000, 9), Ok((9, 2_009, 0)));
    assert_eq!(synced(20, 1_100, 1_999, 9), nothing);
    // Nearly all of the equity is profit: only margin is taken out.
    assert_eq!(synced(-20, 2_500, 10, 0), Ok((-10, 0, 10)));
    assert_eq!(synced(-20, 2_500, 0, 0), nothing);
}
