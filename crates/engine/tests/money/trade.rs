use ballast_engine::margin::{initial_margin, MarginScale};
use ballast_engine::oracle::Action;
use ballast_engine::position::Position;
use ballast_engine::risk::RiskParams;
use ballast_engine::trade::{
    action, add_margin, block_trade, remove_margin, take_over, PartyInput, TradeMarket,
    TradeOutcome, TradeTerms,
};
use ballast_engine::units::{Atoms, Ticks};
use ballast_engine::EngineError;
use proptest::prelude::*;

use crate::fixture::{cases, lots, mark, params, position};

fn party(position: Position, free: i64, margin_to_add: u64) -> PartyInput {
    PartyInput {
        position,
        free: Atoms::new(free),
        margin_to_add,
    }
}

fn flat(free: i64, margin_to_add: u64) -> PartyInput {
    party(Position::default(), free, margin_to_add)
}

/// A trade at a mark of 10,000 +- 50, an atom a tick, open interest 500,000.
fn trade(
    params: &RiskParams,
    size: i64,
    at: u64,
    taker: &PartyInput,
    maker: &PartyInput,
) -> Result<TradeOutcome, EngineError> {
    let market = TradeMarket {
        atoms_per_lot_tick: 1,
        open_interest_lots: 500_000,
        least_lots: params.min_position_lots,
        mode: ballast_engine::wind_down::MarketMode::Active,
    };
    let terms = TradeTerms {
        lots: lots(size),
        price: Ticks::new(at),
    };
    block_trade(params, &mark(10_000, 50), &market, &terms, taker, maker)
}

#[test]
fn opening_moves_margin_and_charges_fees() {
    let params = params();
    let done = trade(
        &params,
        101,
        10_001,
        &flat(80_000, 60_000),
        &flat(80_000, 70_000),
    )
    .unwrap();
    assert_eq!(done.taker.position, position(101, 10_001, 60_000));
    assert_eq!(done.maker.position, position(-101, 10_001, 70_000));
    // 5 and 2 basis points of 1,010,101, each rounded up.
    assert_eq!((done.taker.fee.get(), done.maker.fee.get()), (506, 203));
    assert_eq!(
        (done.taker.free.get(), done.maker.free.get()),
        (19_494, 9_797)
    );
    assert_eq!((done.insurance_fees, done.market_fees), (177, 532));
    assert_eq!(done.open_interest_lots, 500_101);
    assert_eq!(done.quote.get(), 1_010_101);
}

#[test]
fn initial_margin_is_taken_at_the_price_worsened_by_the_confidence() {
    let params = params();
    // Long 100 at 10,000: worst 9,950 loses 5,000; 5% of the mark's notional.
    let rich = flat(1_000_000, 500_000);
    let long = |margin| trade(&params, 100, 10_000, &flat(1_000_000, margin), &rich);
    assert!(long(55_000).is_ok());
    assert_eq!(long(54_999), Err(EngineError::BelowInitialMargin));
    // Short 100 at 10,000: worst 10,050 loses 5,000; 5% of 1,005,000.
    let short = |margin| trade(&params, -100, 10_000, &flat(1_000_000, margin), &rich);
    assert!(short(55_250).is_ok());
    assert_eq!(short(55_249), Err(EngineError::BelowInitialMargin));
    let maker = |margin| trade(&params, 100, 10_000, &rich, &flat(1_000_000, margin));
    assert_eq!(maker(55_249), Err(EngineError::BelowInitialMargin));
}

#[test]
fn a_pure_reduction_pays_what_fee_it_can_and_needs_no_margin() {
    let params = params();
    // Under water: equity 1,000 of 1,000,000 at the mark.
    let thin = party(position(100, 10_500, 51_000), 0, 999);
    let done = trade(&params, -50, 10_000, &thin, &flat(1_000_000, 500_000)).unwrap();
    assert!(done.taker.reduced_only);
    assert_eq!(
        (done.taker.realized.get(), done.taker.released.get()),
        (-25_000, 25_500)
    );
    // 250 due out of a payout of 500.
    assert_eq!(
        (
            done.taker.fee.get(),
            done.taker.free.get(),
            done.taker.margin_added
        ),
        (250, 250, 0)
    );
    let thinner = party(position(100, 10_500, 50_200), 0, 0);
    let done = trade(&params, -50, 10_000, &thinner, &flat(1_000_000, 500_000)).unwrap();
    assert_eq!((done.taker.fee.get(), done.taker.free.get()), (100, 0));
    // Fees that are shared are the fees that were charged.
    assert_eq!(
        done.market_fees + done.insurance_fees,
        100 + done.maker.fee.positive_part()
    );
    let bankrupt = party(position(100, 10_500, 49_800), 99, 0);
    let refused = trade(&params, -50, 10_000, &bankrupt, &flat(1_000_000, 500_000));
    assert_eq!(refused, Err(EngineError::InsufficientCollateral));
}

#[test]
fn a_flip_pays_in_full_and_needs_margin() {
    let params = params();
    let long = |margin| party(position(100, 10_000, 60_000), 0, margin);
    let rich = flat(10_000_000, 5_000_000);
    let done = trade(&params, -150, 10_100, &long(40_000), &rich).unwrap();
    assert_eq!(done.taker.position, position(-50, 10_100, 40_000));
    assert_eq!(done.taker.realized.get(), 10_000);
    assert_eq!(done.taker.free.get(), 70_000 - 40_000 - 758);
    assert!(!done.taker.reduced_only);
    assert_eq!(
        trade(&params, -150, 10_100, &long(69_243), &rich),
        Err(EngineError::InsufficientCollateral)
    );
    assert_eq!(
        trade(&params, -150, 10_100, &long(20_000), &rich),
        Err(EngineError::BelowInitialMargin)
    );
    // Open interest: the long leaves 100, the maker's new long adds 150.
    assert_eq!(done.open_interest_lots, 500_050);
}

#[test]
fn what_is_refused() {
    let params = params();
    let rich = flat(100_000_000_000, 10_000_000_000);
    let refused =
        |size, at, taker: &PartyInput| trade(&params, size, at, taker, &rich).unwrap_err();
    assert_eq!(refused(0, 10_000, &rich), EngineError::ZeroLots);
    assert_eq!(refused(10, 10_501, &rich), EngineError::PriceOutsideBand);
    assert_eq!(refused(10, 9_499, &rich), EngineError::PriceOutsideBand);
    assert!(trade(&params, 10, 10_500, &rich, &rich).is_ok());
    assert!(trade(&params, 10, 9_500, &rich, &rich).is_ok());
    assert_eq!(refused(10, 0, &rich), EngineError::PriceOutOfRange);
    assert_eq!(refused(10, u64::MAX, &rich), EngineError::PriceOutOfRange);
    assert_eq!(refused(4, 10_000, &rich), EngineError::PositionTooSmall);
    assert_eq!(
        refused(1_000_001, 10_000, &rich),
        EngineError::PositionTooLarge
    );
    // The last tier ends at 1,000,000,000 atoms of notional.
    assert_eq!(
        refused(100_001, 10_000, &rich),
        EngineError::PositionTooLarge
    );
    assert!(trade(&params, 100_000, 10_000, &rich, &rich).is_ok());
    assert_eq!(
        refused(100, 10_000, &flat(60_000, 60_000)),
        EngineError::InsufficientCollateral
    );
    let widest = party(position(1, 10_000, 1), i64::MAX, 1);
    assert_eq!(
        refused(4_294_967_295, 10_000, &widest),
        EngineError::SizeOutOfRange
    );
    let long = party(position(100, 10_000, 60_000), 0, 0);
    assert_eq!(refused(-96, 10_000, &long), EngineError::PositionTooSmall);
    assert!(trade(&params, -95, 10_000, &long, &rich).is_ok());
    assert!(trade(&params, -100, 10_000, &long, &rich).is_ok());
}

#[test]
fn a_position_deleveraged_below_the_least_may_leave_in_parts() {
    let params = params();
    let survivor = party(position(4, 10_000, 3_000), 10_000, 5_000);
    let rich = flat(10_000_000, 1_000_000);
    assert!(trade(
        &params,
        -1,
        10_000,
        &survivor,
        &party(position(-9, 10_000, 9_000), 0, 0)
    )
    .is_ok());
    assert_eq!(
        trade(&params, -8, 10_000, &survivor, &rich),
        Err(EngineError::PositionTooSmall)
    );
}

#[test]
fn open_interest_may_not_grow_past_its_limit() {
    let tight = RiskParams {
        max_open_interest_lots: 500_009,
        ..params()
    };
    let rich = flat(10_000_000, 1_000_000);
    assert_eq!(
        trade(&tight, 10, 10_000, &rich, &rich),
        Err(EngineError::OpenInterestLimit)
    );
    assert!(trade(&tight, 9, 10_000, &rich, &rich).is_ok());
    // Above the limit already: what does not add to it still trades.
    let over = RiskParams {
        max_open_interest_lots: 1,
        ..params()
    };
    let long = party(position(100, 10_000, 60_000), 0, 0);
    assert!(trade(&over, -100, 10_000, &long, &rich).is_ok());
}

#[test]
fn the_price_of_a_trade_serves_reducing_only_if_both_reduce() {
    let (long, short) = (position(10, 10_000, 0), position(-10, 10_000, 0));
    assert_eq!(action(&long, &short, lots(-10)), Action::Reduce);
    assert_eq!(action(&long, &short, lots(-11)), Action::Open);
    assert_eq!(action(&long, &long, lots(-5)), Action::Open);
    assert_eq!(action(&long, &short, lots(5)), Action::Open);
    assert_eq!(action(&long, &Position::default(), lots(-5)), Action::Open);
}

#[test]
fn a_liquidator_takes_over_without_a_fee_and_no_less_than_the_least_position() {
    let params = params();
    let quote = Atoms::new(2 * 10_000 - 200);
    let two_of = |whole, free| {
        let party = flat(1_000, free);
        take_over(&params, &mark(10_000, 50), &party, lots(2), quote, whole)
    };
    // All there was is less than five lots.
    let took = two_of(4, 1_000).unwrap();
    assert_eq!(two_of(5, 1_000), Err(EngineError::PositionTooSmall));
    assert_eq!(
        (took.fee.get(), took.free.get(), took.position.size()),
        (0, 0, 2)
    );
    let poor = two_of(4, 899);
    assert_eq!(poor, Err(EngineError::BelowInitialMargin));
}

#[test]
fn margin_moves_only_where_it_may() {
    let params = params();
    let held = position(100, 10_000, 60_000);
    let (after, free) = add_margin(&held, Atoms::new(500), 500).unwrap();
    assert_eq!((after.margin.get(), free.get()), (60_500, 0));
    assert_eq!(
        add_margin(&held, Atoms::new(499), 500),
        Err(EngineError::InsufficientCollateral)
    );
    assert_eq!(
        add_margin(&held, Atoms::new(499), 0),
        Err(EngineError::ZeroAmount)
    );
    assert_eq!(
        add_margin(&Position::default(), Atoms::new(9), 1),
        Err(EngineError::NoPosition)
    );

    let remove = |from: &Position, amount| {
        remove_margin(&params, &mark(10_000, 50), from, Atoms::new(7), amount)
    };
    let (after, free) = remove(&held, 5_000).unwrap();
    assert_eq!((after.margin.get(), free.get()), (55_000, 5_007));
    assert_eq!(remove(&held, 5_001), Err(EngineError::BelowInitialMargin));
    assert_eq!(remove(&held, 0), Err(EngineError::ZeroAmount));
    assert_eq!(
        remove(&Position::default(), 1),
        Err(EngineError::NoPosition)
    );
    // Profit that is not realised does not leave.
    let winner = position(100, 5_000, 60_000);
    assert_eq!(remove(&winner, 60_001), Err(EngineError::MarginBelowZero));
    assert_eq!(remove(&winner, 60_000).unwrap().0.margin.get(), 0);
}

prop_compose! {
    fn any_party()(size in -300_i64..300, entry in 9_000_u64..11_000, margin in -50_000_i64..400_000,
                   free in 0_i64..400_000, add in 0_u64..300_000) -> PartyInput {
        if size == 0 {
            return flat(free, add);
        }
        party(position(size, entry, margin), free, add)
    }
}

fn wealth(position: &Position, free: Atoms) -> i64 {
    free.get() + position.margin.get() - position.entry_quote.get()
}

proptest! {
    #![proptest_config(cases(6_000))]

    #[test]
    fn a_trade_mints_nothing_and_keeps_its_rules(
        size in -400_i64..400, at in 9_500_u64..10_500, taker in any_party(), maker in any_party(),
    ) {
        let params = params();
        let Ok(done) = trade(&params, size, at, &taker, &maker) else { return Ok(()) };
        let before = wealth(&taker.position, taker.free) + wealth(&maker.position, maker.free);
        let after = wealth(&done.taker.position, done.taker.free) + wealth(&done.maker.position, done.maker.free);
        let fees = done.taker.fee.get() + done.maker.fee.get();
        prop_assert_eq!(after + fees, before);
        prop_assert_eq!(i64::try_from(done.market_fees + done.insurance_fees), Ok(fees));
        let longs = |one: &Position, other: &Position| one.lots.get().max(0) + other.lots.get().max(0);
        let grown = longs(&done.taker.position, &done.maker.position) - longs(&taker.position, &maker.position);
        prop_assert_eq!(i64::try_from(done.open_interest_lots).unwrap(), 500_000 + grown);
        prop_assert_eq!(done.taker.position.lots.get() - taker.position.lots.get(), size);
        prop_assert_eq!(done.maker.position.lots.get() - maker.position.lots.get(), -size);
        for (before, after) in [(taker, done.taker), (maker, done.maker)] {
            after.position.invariant().unwrap();
            prop_assert!(!after.free.is_negative());
            let turned = before.position.lots.get().signum() * after.position.lots.get().signum() < 0;
            let smaller = after.position.size() < before.position.size() && !turned;
            prop_assert_eq!(after.reduced_only, smaller);
            if !smaller {
                let side = after.position.side().unwrap();
                let worst = mark(10_000, 50).worsened(side).unwrap();
                let equity = after.position.equity(worst).unwrap();
                let notional = after.position.notional(worst).unwrap();
                prop_assert!(!equity.is_negative());
                prop_assert!(equity.positive_part() >= initial_margin(&params, &MarginScale::NONE, notional).unwrap());
                prop_assert!(after.position.size() >= params.min_position_lots);
            }
        }
    }
}
