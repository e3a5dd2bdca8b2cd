//! What the positions of a market would lack after a jump.

use super::*;
use ballast_engine::pool::PoolParams;

use ballast_view::gap::{GapView, Pooled};

#[test]
fn a_jump_shows_what_each_side_lacks_and_what_insurance_leaves() {
    let mut stage = Stage::new();
    let (long, short) = (stage.trader(), stage.trader());
    // Ten SOL at $200, with margins of $150 and $300.
    stage.trade((&long, 150), (&short, 300), 10_000);
    let donor = stage.sandbox.create_wallet(40 * USD).expect("a wallet");
    let given = stage.sandbox.donate_insurance(&stage.sol, &donor, 40 * USD);
    given.expect("insurance");
    let state = stage.state();
    let view = GapView::new(&state, &[5, 20]).expect("gaps");
    let rows: Vec<Value> = view.gaps.iter().map(json_of).collect();
    let figures = |row: &Value| {
        [
            "move_bps",
            "bankrupt_positions",
            "deficit_atoms",
            "beyond_insurance_atoms",
        ]
        .map(|field| row[field].as_i64().expect("a number"))
    };
    let cents = |cents: i64| cents * 10_000;
    // At -20% the long has lost $400 of 150, at +20% the short $400 of 300; at 5% both stand.
    // Insurance has its part of the trade's fees beside the gift: 20 cents.
    let expected = [
        [-2_000, 1, cents(25_000), cents(20_980)],
        [-500, 0, 0, 0],
        [0, 0, 0, 0],
        [500, 0, 0, 0],
        [2_000, 1, cents(10_000), cents(5_980)],
    ];
    assert_eq!(rows.iter().map(figures).collect::<Vec<_>>(), expected);
    assert_eq!(rows[0]["mark_ticks"], 160_000);
    let words = view.words(&state);
    assert!(words.contains("insurance may pay 40.20"), "{words}");
    assert!(
        words.contains("-20%") && words.contains("250.00"),
        "{words}"
    );
    assert_eq!(rows[0]["pool_lots"], Value::Null);
    assert!(words.ends_with("The market has no pool."), "{words}");
}

/// What the column says is what the program lets the pool take: its cap of its worth.
#[test]
fn a_jump_shows_what_the_pool_could_take_of_the_side_that_loses() {
    let mut stage = Stage::new();
    let sol = stage.sol.clone();
    let params = PoolParams {
        cap_bps: 5_000,
        reserve_first_bps: 5,
        reserve_last_bps: 25,
        slip_bps: 3,
        take_cap_bps: 4_000,
        ..PoolParams::for_market(&sol.config.risk)
    };
    stage.sandbox.create_pool(&sol, params).expect("a pool");
    stage.sandbox.depositor(&sol, 1_000 * USD);
    let pooled = |stage: &Stage| Pooled {
        pool: stage.sandbox.pool(&sol),
        trader: stage.sandbox.trader(&sol.pool_trader()),
    };
    let shown = |stage: &Stage| {
        let state = stage.state();
        let view = GapView::new(&state, &[5, 20]).expect("gaps");
        let view = view.with_pool(&state, &pooled(stage)).expect("room");
        let rows: Vec<Value> = view.gaps.iter().map(json_of).collect();
        let lots: Vec<Option<u64>> = rows.iter().map(|row| row["pool_lots"].as_u64()).collect();
        (lots, rows, view.words(&state))
    };
    // $400, of the window, in lots at $160, $190, $210 and $240.
    let (lots, rows, words) = shown(&stage);
    let expected = [Some(2_500), Some(2_105), None, Some(1_904), Some(1_666)];
    assert_eq!(lots, expected);
    assert_eq!(rows[0]["pool_notional_atoms"], 400 * USD);
    for part in ["the pool could take", "400.00", "room, not a promise"] {
        assert!(words.contains(part), "{part}: {words}");
    }
    // Ten longs of little margin: the program takes as much as was shown, and no more.
    let short = stage.trader();
    let keeper = stage.trader();
    let victims: Vec<TraderCookie> = (0..10).map(|_| stage.trader()).collect();
    for victim in &victims {
        stage.trade((victim, 12), (&short, 60), 1_000);
    }
    stage.sandbox.set_price(&sol, 190_000);
    let taken: u64 = victims
        .iter()
        .filter_map(|victim| {
            let call = stage
                .sandbox
                .liquidate_into_pool(&sol, &victim.address, &keeper, &[]);
            call.ok()?.events.iter().find_map(|event| match event {
                BallastEvent::PoolTook(took) => Some(took.lots.unsigned_abs()),
                _ => None,
            })
        })
        .sum();
    let shown_before = lots[1].expect("lots");
    assert!(
        shown_before - 10 < taken && taken <= shown_before,
        "{taken}"
    );
    // A pool that is stopped takes nothing that enlarges its position; of the other side what it holds.
    stage.sandbox.stop_pool(&sol).expect("stopped");
    let (lots, ..) = shown(&stage);
    assert_eq!((lots[0], lots[4]), (Some(0), Some(taken)));
}
