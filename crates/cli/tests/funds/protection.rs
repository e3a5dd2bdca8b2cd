//! Protective steps: set by `ballast protect`, shown by `positions` and `watch` while they are for the position
//! that there is.

use ballast_sandbox::BlockTrade;
use serde_json::json;

use super::*;

impl Desk {
    fn trades(&self, ann: &TraderCookie, ben: &TraderCookie, lots: i64) {
        let terms = BlockTrade {
            lots,
            price_ticks: 200_000,
            taker_margin: 300 * USD,
            maker_margin: 300 * USD,
        };
        let traded = self
            .node
            .with(|it| it.block_trade(&self.sol, ann, ben, terms));
        traded.expect("a trade");
    }
}

#[test]
fn steps_stand_beside_the_position_until_it_ends() {
    let desk = Desk::new();
    let (ann, ben) = (desk.trader(1_000), desk.trader(1_000));
    desk.trades(&ann, &ben, 10_000);
    let key = desk.key("ann", &ann.wallet.keypair);
    let before = desk.does(&key, &["positions"]);
    assert_eq!(before["positions"][0].get("protection"), None);
    let steps = ["--step", "150:50", "--step", "120:0"];
    desk.does(&key, &[&["protect", "set"][..], &steps].concat());
    let expected = json!({
        "in_force": true, "base_lots": 10_000, "slip_bps": 50,
        "steps": [
            {"ratio_bps": 15_000, "keep_bps": 5_000},
            {"ratio_bps": 12_000, "keep_bps": 0},
        ],
    });
    let shown = desk.does(&key, &["positions"]);
    assert_eq!(shown["positions"][0]["protection"], expected);
    let watched = desk.does(&key, &["watch", "--once"]);
    assert_eq!(watched["positions"][0]["protection"], expected);
    let said = desk.says(&key, &["positions"]);
    for part in [
        "protective steps  set for 10.000: below a margin ratio of 150.00 % 50.00 % of it stay open, below",
        "a margin ratio of 120.00 % it is closed; at 0.50 % from the mark or better",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let said = desk.says(&key, &["watch", "--once"]);
    assert!(said.contains("150.00 %:50.00 % 120.00 %:0.00 %"), "{said}");

    // The position ends, and another begins: the steps are not for it.
    desk.trades(&ben, &ann, 10_000);
    desk.trades(&ann, &ben, 10_000);
    let shown = desk.does(&key, &["positions"]);
    assert_eq!(shown["positions"][0]["protection"]["in_force"], false);
    let said = desk.says(&key, &["positions"]);
    assert!(said.contains("has ended: they do nothing"), "{said}");
    let said = desk.says(&key, &["watch", "--once"]);
    assert!(said.contains("ended"), "{said}");
    desk.does(&key, &["protect", "clear"]);
    let shown = desk.does(&key, &["positions"]);
    assert_eq!(shown["positions"][0].get("protection"), None);
}
