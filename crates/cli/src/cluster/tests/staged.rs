//! What is said of changes that wait.

use ballast_client::instructions::admin::StagedKeys;
use ballast_engine::pool::PoolParams;
use ballast_state::exchange::{Delays, Role};
use ballast_state::staged::{Change, WINDOW_SLOTS};

use super::*;
use crate::cluster::staging::{self, Ground, StagedView};

impl Stage {
    fn staged(&self, keys: &StagedKeys) -> StagedView {
        let staged = self.sandbox.staged(&keys.address).expect("a change");
        StagedView::new(&keys.address, &staged, &self.ground()).expect("a view")
    }

    fn ground(&self) -> Ground {
        let (market, pool) = (self.sol.keys.market, self.sol.pool());
        let pool = self
            .sandbox
            .account(&pool)
            .map(|_| self.sandbox.pool(&self.sol));
        Ground {
            exchange: self.sandbox.exchange(),
            markets: vec![(market, self.sandbox.market(&self.sol))],
            pools: pool.map(|pool| (market, pool)).into_iter().collect(),
            slot: self.sandbox.slot(),
        }
    }
}

#[test]
fn a_staged_change_says_what_it_is_and_when_it_may_be_applied() {
    let mut stage = Stage::new();
    let delays = Delays {
        risk_slots: 432_000,
        admin_slots: 1_512_000,
    };
    stage.sandbox.raise_delays(delays).expect("raised");
    let treasury = Pubkey::new_from_array([7; 32]);
    let change = Change::Treasury(treasury);
    let keys = stage.sandbox.stage(change, None).expect("staged");
    let view = stage.staged(&keys);
    assert_eq!(view.state, "waiting");
    assert_eq!(view.due_slot, stage.sandbox.slot() + 1_512_000);
    assert_eq!(view.about(), format!("earnings are paid to {treasury}"));
    assert!(view.when().ends_with("in about 7 days"), "{}", view.when());
    let json = json_of(&view);
    let apply = format!("ballast admin apply {}", keys.address);
    assert_eq!(
        (&json["state"], &json["apply"]),
        (&json!("waiting"), &json!(apply))
    );

    stage.sandbox.advance_slots(1_512_000);
    let view = stage.staged(&keys);
    assert_eq!(view.state, "due");
    assert!(
        view.when().starts_with("now, until slot"),
        "{}",
        view.when()
    );
    assert!(staging::table(&[view]).contains("earnings are paid to"));
    stage.sandbox.advance_slots(WINDOW_SLOTS + 1);
    assert_eq!(stage.staged(&keys).state, "expired");
}

#[test]
fn a_change_whose_base_has_changed_is_void_and_a_market_s_names_it() {
    let mut stage = Stage::new();
    let mut risk = stage.sol.config.risk;
    let sol = stage.sol.clone();
    risk.taker_fee_bps += 1;
    let first = stage
        .sandbox
        .stage(Change::Risk(risk), Some(&sol))
        .expect("staged");
    let view = stage.staged(&first);
    assert_eq!(
        (view.state, view.about().as_str()),
        ("due", "SOL-PERP: other risk parameters")
    );
    let successor = Pubkey::new_from_array([9; 32]);
    let role = Role::Risk;
    let hand_over = Change::Authority { role, successor };
    let keys = stage.sandbox.stage(hand_over, None).expect("staged");
    let view = stage.staged(&keys);
    assert_eq!(json_of(&view)["apply"], "ballast admin accept risk");
    stage.sandbox.apply(&first, Some(&sol)).expect("applied");
    risk.taker_fee_bps += 1;
    let second = stage
        .sandbox
        .stage(Change::Risk(risk), Some(&sol))
        .expect("staged");
    let kept = stage.sandbox.staged(&second.address).expect("a change");
    // The same change, staged before the one that was applied.
    let mut old = kept;
    old.base = [0; 32];
    let view = StagedView::new(&second.address, &old, &stage.ground()).expect("a view");
    assert_eq!(view.state, "void");
    assert!(view.when().contains("has changed since"), "{}", view.when());
}

#[test]
fn a_change_of_a_pool_says_what_would_be_different() {
    let mut stage = Stage::new();
    let sol = stage.sol.clone();
    let before = PoolParams::for_market(&sol.config.risk);
    stage.sandbox.create_pool(&sol, before).expect("a pool");
    let after = PoolParams {
        cap_bps: 4_000,
        withdraw_delay_slots: 432_000,
        ..before
    };
    let keys = stage
        .sandbox
        .stage(Change::Pool(after), Some(&sol))
        .expect("staged");
    let view = stage.staged(&keys);
    assert_eq!(
        view.about(),
        "SOL-PERP: the pool's cap_bps 5000 -> 4000, withdraw_delay_slots 864000 -> 432000"
    );
    let changes = json!([
        {"field": "cap_bps", "before": 5_000, "after": 4_000},
        {"field": "withdraw_delay_slots", "before": 864_000, "after": 432_000},
    ]);
    assert_eq!(json_of(&view)["changes"], changes);
    stage.sandbox.apply_pool(&sol, &keys).expect("applied");
    let same = stage
        .sandbox
        .stage(Change::Pool(after), Some(&sol))
        .expect("staged");
    let about = stage.staged(&same).about();
    assert!(about.ends_with("if it is stopped, it goes on"), "{about}");
}
