//! What the positions of a market would lack after a jump.

use super::*;
use ballast_view::gap::GapView;

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
}
