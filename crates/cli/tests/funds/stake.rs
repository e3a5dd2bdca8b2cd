//! `ballast stake`.

use super::*;

const DELAY: u64 = 1_080_000;

#[test]
fn stakes_are_opened_once_by_anybody() {
    let desk = Desk::new();
    let (_, key) = desk.wallet(100);
    let closed =
        ["nobody can stake behind SOL-PERP yet; `ballast stake open --market SOL-PERP` opens it"];
    for command in [
        &["stake", "deposit", "5"][..],
        &["stake", "request", "all"],
        &["stake", "show"],
    ] {
        desk.refuses(&key, command, &closed);
    }
    let json = desk.does(&key, &["stake", "open"]);
    assert_eq!(
        (&json["command"], &json["events"][0]["event"]),
        (&"stake open".into(), &"StakesOpened".into())
    );
    assert_eq!(json["events"][0]["stakes"], desk.sol.stakes().to_string());
    desk.refuses(
        &key,
        &["stake", "open"],
        &["are open already; `ballast stake deposit AMOUNT --market SOL-PERP`"],
    );
}

#[test]
fn tokens_are_staked_asked_for_and_come_back() {
    let desk = Desk::new();
    let (ann, key) = desk.wallet(500);
    desk.says(&key, &["stake", "open"]);
    for command in [
        &["stake", "show"][..],
        &["stake", "request", "all"],
        &["stake", "cancel"],
        &["stake", "withdraw"],
        &["stake", "close"],
    ] {
        desk.refuses(
            &key,
            command,
            &["no shares of it; `ballast stake deposit AMOUNT --market SOL-PERP` buys some"],
        );
    }
    desk.refuses(
        &key,
        &["stake", "deposit", "501"],
        &["holds 500.00, which is less than 501.00"],
    );
    desk.refuses(&key, &["stake", "deposit", "0.9"], &["DepositTooSmall"]);
    let said = desk.says(&key, &["stake", "deposit", "400"]);
    for part in [
        "Stake 400.00 behind the insurance of SOL-PERP.",
        "400.00 staked, for 400000000000 shares; 400.00 is staked in all.",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let json = desk.does(&key, &["stake", "deposit", "1.5"]);
    assert_eq!(
        (
            &json["events"][0]["event"],
            &json["events"][0]["staked_after_atoms"]
        ),
        (&"Staked".into(), &401_500_000.into())
    );

    desk.refuses(
        &key,
        &["stake", "cancel"],
        &["RequestMissing: nothing is asked for; `ballast stake request all --market SOL-PERP`"],
    );
    desk.refuses(
        &key,
        &["stake", "request", "402"],
        &["the stake is worth 401.50, which is less than 402"],
    );
    desk.refuses(
        &key,
        &["stake", "close"],
        &["SharesLeft: the account has 401500000000 shares"],
    );
    let said = desk.says(&key, &["stake", "request", "100"]);
    for part in [
        "Ask for 100000000000 of 401500000000 shares of the stakes of SOL-PERP, all worth 401.50.",
        "paid in 5 days, for 2 days, from slot ",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    desk.refuses(
        &key,
        &["stake", "withdraw"],
        &["RequestTooEarly: what was asked for is paid in 1080000 slots, about 5 days; come back then"],
    );
    let said = desk.says(&key, &["stake", "cancel"]);
    assert!(
        said.contains("Leave 100000000000 shares staked behind SOL-PERP."),
        "{said}"
    );
    let json = desk.does(&key, &["stake", "request", "all"]);
    let slot = desk.node.with(|it| it.slot());
    assert_eq!(json["events"][0]["due_slot"], slot + DELAY);
    let said = desk.says(&key, &["stake", "show"]);
    for part in [
        "401500000000 shares of the stakes of SOL-PERP, worth 401.50 of 401.50 staked",
        "401.50 may be paid in 1080000 slots",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let json = desk.does(&key, &["stake", "show"]);
    assert_eq!(
        (&json["requested"], &json["payable_atoms"]),
        (&401_500_000_000_u64.into(), &401_500_000.into())
    );
    assert_eq!(
        (&json["due_in_slots"], &json["lapsed"]),
        (&DELAY.into(), &false.into())
    );

    desk.later(DELAY, 200_000);
    desk.refuses(
        &key,
        &["stake", "withdraw", "--least", "402"],
        &["ExitTooLittle"],
    );
    let json = desk.does(&key, &["stake", "withdraw"]);
    let events = json["events"].as_array().expect("events");
    let paid = events.last().expect("an event");
    assert_eq!(
        (&paid["event"], &paid["amount_atoms"]),
        (&"Unstaked".into(), &401_500_000.into())
    );
    assert_eq!(
        desk.node.with(|it| it.token_balance(&ann.tokens)),
        500 * USD
    );
    let json = desk.does(&key, &["stake", "close"]);
    assert_eq!(json["events"][0]["event"], "ShareClosed");
}

#[test]
fn a_request_lapses_and_says_so() {
    let desk = Desk::new();
    let (_, key) = desk.wallet(100);
    desk.says(&key, &["stake", "open"]);
    desk.says(&key, &["stake", "deposit", "100"]);
    desk.says(&key, &["stake", "request", "all"]);
    desk.later(DELAY + 432_000, 200_000);
    desk.refuses(
        &key,
        &["stake", "withdraw"],
        &[
            "RequestLapsed",
            "`ballast stake request all --market SOL-PERP` asks again",
        ],
    );
}
