//! `ballast admin stage pool`, and what `admin show` and `admin apply` make of it.

use ballast_state::exchange::Delays;

use super::*;

#[test]
fn a_pool_s_parameters_are_staged_shown_and_put_in_force() {
    let desk = Desk::new();
    let stage = ["admin", "stage", "pool", "--market", "SOL-PERP"];
    let with = |more: &[&'static str]| [&stage[..], more].concat();
    desk.refuses(
        &desk.admin,
        &with(&["--cap-bps", "4000"]),
        &["SOL-PERP has no pool"],
    );
    desk.does(&desk.admin, &["pool", "create"]);
    let (_, ann) = desk.wallet(1);
    desk.refuses(
        &ann,
        &with(&["--cap-bps", "4000"]),
        &["the risk role is held by"],
    );
    desk.refuses(
        &desk.admin,
        &stage,
        &[
            "the pool has these parameters already: mode 0, cap_bps 5000",
            "such as --cap-bps 4000",
        ],
    );
    for (flags, expected) in [
        (
            &["--cap-bps", "99"][..],
            "PoolParams: pool.cap_bps is 99, allowed 100 to 10000",
        ),
        (
            &["--slip-bps", "24"],
            "pool.slip_bps is 24, allowed 0 to 23",
        ),
        (
            &["--reserve-last-bps", "76"],
            "pool.reserve_last_bps is 76, allowed 0 to 75",
        ),
        (
            &["--premium-bps", "6"],
            "pool.premium_bps is 6, allowed 0 to 5",
        ),
        (&["--withdraw-delay-slots", "1"], "allowed 9000 to 6048000"),
    ] {
        desk.refuses(&desk.admin, &with(flags), &[expected]);
    }
    let delays = Delays {
        risk_slots: 432_000,
        admin_slots: 1_512_000,
    };
    desk.node
        .with(|it| it.raise_delays(delays))
        .expect("raised");
    let said = desk.says(
        &desk.admin,
        &with(&["--cap-bps", "4000", "--mode", "no-takes", "--dry-run"]),
    );
    for part in [
        "Stage for SOL-PERP: the pool's mode 0 -> 1, cap_bps 5000 -> 4000; it waits for 432000 slots, about 2 days.",
        "Simulated, nothing sent",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let json = desk.does(
        &desk.admin,
        &with(&["--cap-bps", "4000", "--mode", "no-takes"]),
    );
    let changes = serde_json::json!([
        {"field": "mode", "before": 0, "after": 1},
        {"field": "cap_bps", "before": 5_000, "after": 4_000},
    ]);
    assert_eq!(
        (&json["command"], &json["changes"]),
        (&"admin stage".into(), &changes)
    );
    let event = &json["events"][0];
    assert_eq!(
        (&event["event"], &event["pool"]["cap_bps"]),
        (&"ChangeStaged".into(), &4_000.into())
    );
    // What was not named stays as it is.
    assert_eq!(event["pool"]["slip_bps"], 20);
    let staged = event["staged"].as_str().expect("an address");
    desk.refuses(
        &desk.admin,
        &with(&["--cap-bps", "3000"]),
        &["another change of the kind is staged in", "admin cancel"],
    );

    let said = desk.says(&desk.admin, &["admin", "show"]);
    assert!(
        said.contains("SOL-PERP: the pool's mode 0 -> 1, cap_bps 5000 -> 4000"),
        "{said}"
    );
    let json = desk.does(&desk.admin, &["admin", "show"]);
    assert_eq!(json["staged"][0]["changes"], changes);
    desk.refuses(
        &ann,
        &["admin", "apply", staged],
        &["it may be applied from slot ", "in about 2 days"],
    );
    desk.later(432_000, 200_000);
    let said = desk.says(&ann, &["admin", "apply", staged]);
    assert!(
        said.contains("In force: the pool's mode 0 -> 1, cap_bps 5000 -> 4000."),
        "{said}"
    );
    let json = desk.does(&ann, &["pool", "show"]);
    assert_eq!(
        (&json["params"]["mode"], &json["params"]["cap_bps"]),
        (&1.into(), &4_000.into())
    );
}

/// Whoever has a pool go on that was stopped need change nothing.
#[test]
fn a_stop_is_ended_by_the_same_parameters() {
    let desk = Desk::with_pool();
    desk.says(&desk.admin, &["pool", "stop"]);
    desk.later(1, 200_000);
    let stage = ["admin", "stage", "pool", "--market", "SOL-PERP"];
    let said = desk.says(&desk.admin, &stage);
    assert!(
        said.contains("the pool as it is; if it is stopped, it goes on; it may be applied at once"),
        "{said}"
    );
    let json = desk.does(&desk.admin, &["admin", "show"]);
    let staged = json["staged"][0]["staged"].as_str().expect("an address");
    let said = desk.says(&desk.admin, &["admin", "apply", staged]);
    assert!(said.contains("it was stopped and goes on"), "{said}");
    assert_eq!(desk.does(&desk.admin, &["pool", "show"])["stopped"], false);
}
