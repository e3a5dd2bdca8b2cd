//! `ballast pool`.

use ballast_sandbox::BlockTrade;
use ballast_state::pool::Pool;

use super::*;

const DELAY: u64 = 864_000;

#[test]
fn a_pool_is_created_once_by_the_admin() {
    let desk = Desk::new();
    let (_, ann) = desk.wallet(100);
    desk.refuses(
        &ann,
        &["pool", "create"],
        &["the admin role is held by", "--keypair"],
    );
    for command in [
        &["pool", "show"][..],
        &["pool", "deposit", "5"],
        &["pool", "stop"],
    ] {
        let key = if command[1] == "stop" {
            &desk.admin
        } else {
            &ann
        };
        desk.refuses(
            key,
            command,
            &["SOL-PERP has no pool; `ballast pool create --market SOL-PERP`"],
        );
    }
    let dry = desk.says(&desk.admin, &["pool", "create", "--dry-run"]);
    for part in [
        "Give SOL-PERP a pool with the parameters mode 0, cap_bps 5000",
        "Simulated, nothing sent",
        "The market has a pool, ",
    ] {
        assert!(dry.contains(part), "{part}: {dry}");
    }
    let json = desk.does(&desk.admin, &["pool", "create"]);
    assert_eq!(
        (&json["command"], &json["dry_run"]),
        (&"pool create".into(), &false.into())
    );
    let event = &json["events"][0];
    assert_eq!(event["event"], "PoolCreated");
    assert_eq!(event["params"]["reserve_last_bps"], 75);
    assert_eq!(event["pool"], desk.sol.pool().to_string());
    desk.refuses(
        &desk.admin,
        &["pool", "create"],
        &["SOL-PERP has a pool; `ballast admin stage pool --market SOL-PERP` changes its parameters"],
    );
}

#[test]
fn tokens_go_in_are_asked_for_and_come_out() {
    let desk = Desk::with_pool();
    let (ann, key) = desk.wallet(1_000);
    for command in ["request", "withdraw", "cancel", "close"] {
        let mut arguments = vec!["pool", command];
        arguments.extend((command == "request").then_some("all"));
        desk.refuses(
            &key,
            &arguments,
            &["no shares of it; `ballast pool deposit AMOUNT --market SOL-PERP` buys some"],
        );
    }
    desk.refuses(
        &key,
        &["pool", "deposit", "1000.5"],
        &["holds 1,000.00, which is less than 1,000.50"],
    );
    desk.refuses(
        &key,
        &["pool", "deposit", "0.5"],
        &["DepositTooSmall", "at least one unit"],
    );
    desk.refuses(&key, &["pool", "deposit", "0"], &["amount"]);
    let said = desk.says(&key, &["pool", "deposit", "600"]);
    for part in [
        "Put 600.00 into the pool of SOL-PERP.",
        "An account for shares of",
        "600.00 put into the pool, for 600000000000 shares; 600000000000 of 600000000000 shares are the owner's.",
        "Signature ",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let json = desk.does(&key, &["pool", "deposit", "150.25"]);
    let event = &json["events"][0];
    assert_eq!(
        (&event["event"], &event["amount_atoms"]),
        (&"PoolDeposited".into(), &150_250_000.into())
    );
    assert_eq!(json["events"].as_array().map(Vec::len), Some(1));

    desk.refuses(
        &key,
        &["pool", "cancel"],
        &["RequestMissing: nothing is asked for; `ballast pool request all --market SOL-PERP`"],
    );
    desk.refuses(&key, &["pool", "withdraw"], &["RequestMissing"]);
    desk.refuses(
        &key,
        &["pool", "request", "many"],
        &["many is no number of shares, and not `all`"],
    );
    desk.refuses(&key, &["pool", "request", "0"], &["ZeroAmount"]);
    desk.refuses(
        &key,
        &["pool", "request", "750250000001"],
        &["SharesMissing: the account has 750250000000 shares; ask for at most as many, or for `all`"],
    );
    desk.refuses(
        &key,
        &["pool", "close"],
        &["SharesLeft: the account has 750250000000 shares; `ballast pool request all"],
    );
    let said = desk.says(&key, &["pool", "request", "250000000000"]);
    for part in [
        "Ask for the worth of 250000000000 of 750250000000 shares",
        "worth 250.00",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    desk.refuses(
        &key,
        &["pool", "withdraw"],
        &["RequestTooEarly: what was asked for is paid in 864000 slots, about 4 days; come back then"],
    );
    let said = desk.says(&key, &["pool", "cancel"]);
    assert!(
        said.contains("Leave 250000000000 shares in the pool of SOL-PERP."),
        "{said}"
    );
    let json = desk.does(&key, &["pool", "request", "all"]);
    let slot = desk.node.with(|it| it.slot());
    let event = &json["events"][0];
    assert_eq!(
        (&event["shares"], &event["due_slot"]),
        (&750_250_000_000_u64.into(), &(slot + DELAY).into())
    );

    desk.later(DELAY, 200_000);
    desk.refuses(
        &key,
        &["pool", "withdraw", "--least", "750.26"],
        &["ExitTooLittle"],
    );
    let json = desk.does(&key, &["pool", "withdraw"]);
    let event = &json["events"][0];
    assert_eq!(
        (&event["event"], &event["amount_atoms"]),
        (&"PoolWithdrawn".into(), &750_250_000.into())
    );
    let got = desk.node.with(|it| it.token_balance(&ann.tokens));
    assert_eq!(got, 1_000 * USD);
    let said = desk.says(&key, &["pool", "close"]);
    assert!(said.contains("The account for shares of"), "{said}");
}

#[test]
fn a_request_lapses_and_says_so() {
    let desk = Desk::with_pool();
    let (_, key) = desk.wallet(100);
    desk.says(&key, &["pool", "deposit", "100"]);
    desk.says(&key, &["pool", "request", "all"]);
    desk.later(DELAY + 432_000, 200_000);
    desk.refuses(
        &key,
        &["pool", "withdraw"],
        &["RequestLapsed: the time in which it was paid is over; `ballast pool request all --market SOL-PERP` asks again"],
    );
    let said = desk.says(&key, &["pool", "show"]);
    assert!(
        said.contains("What was asked for has lapsed: ask again."),
        "{said}"
    );
}

#[test]
fn a_pool_is_shown_with_its_position_and_what_somebody_owns() {
    let desk = Desk::with_pool();
    let (ann, key) = desk.wallet(2_000);
    desk.says(&key, &["pool", "deposit", "2000"]);
    let json = desk.does(&key, &["pool", "show"]);
    assert_eq!(
        (&json["worth_low_atoms"], &json["worth_high_atoms"]),
        (&2_000_000_000.into(), &2_000_000_000.into())
    );
    assert_eq!(
        (&json["inventory_lots"], &json["params"]["cap_bps"]),
        (&0.into(), &5_000.into())
    );
    let [long, short, keeper] = [2_000, 2_000, 1_000].map(|dollars| desk.trader(dollars));
    desk.node.with(|it| {
        let terms = BlockTrade {
            lots: 10_000,
            price_ticks: 200_000,
            taker_margin: 100 * USD,
            maker_margin: 1_000 * USD,
        };
        it.block_trade(&desk.sol, &long, &short, terms)
            .expect("a trade");
        it.set_price(&desk.sol, 191_000);
        // A discount that grows to the last of the market.
        it.flag_bankruptcy(&desk.sol, &long.address)
            .expect("flagged");
        it.advance_slots(150);
        it.set_price(&desk.sol, 191_000);
        let take = it.liquidate_into_pool(&desk.sol, &long.address, &keeper, &[]);
        take.expect("a take");
    });
    let json = desk.does(&key, &["pool", "show"]);
    let lots = json["inventory_lots"].as_i64().expect("lots");
    assert!(lots > 0, "{json}");
    let atoms = |name: &str| json[name].as_u64().expect("atoms");
    assert!(
        atoms("worth_low_atoms") < atoms("worth_high_atoms"),
        "{json}"
    );
    assert!(atoms("payable_atoms") < atoms("worth_low_atoms"), "{json}");
    assert_eq!(json["due_in_slots"], Value::Null);
    desk.says(&key, &["pool", "request", "all"]);
    let said = desk.says(&key, &["pool", "show"]);
    for part in [
        "The pool of SOL-PERP is worth ",
        &format!("it holds {lots} lots, and "),
        "2000000000000 shares of 2000000000000, worth ",
        " at most may be paid in 864000 slots.",
        "Parameters: mode 0, cap_bps 5000, ",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // Somebody else sees the same pool, and owns nothing of it.
    let (_, ben) = desk.wallet(1);
    let other = desk.does(&ben, &["pool", "show"]);
    assert_eq!(
        (&other["owned_shares"], &other["shares"]),
        (&0.into(), &json["shares"])
    );
    let owner = ann.address().to_string();
    let named = desk.does(&ben, &["pool", "show", "--owner", &owner]);
    assert_eq!(named["owned_shares"], json["shares"]);
}

#[test]
fn a_pool_is_stopped_by_guardian_or_admin_and_reset_by_anybody_once_spent() {
    let desk = Desk::with_pool();
    let (_, key) = desk.wallet(100);
    desk.refuses(
        &key,
        &["pool", "stop"],
        &["the guardian role is held by", "--keypair"],
    );
    let said = desk.says(&desk.admin, &["pool", "stop"]);
    assert!(
        said.contains("The pool takes nothing that enlarges its position, until a change"),
        "{said}"
    );
    let said = desk.says(&key, &["pool", "show"]);
    assert!(said.contains("It is stopped"), "{said}");
    assert_eq!(desk.does(&key, &["pool", "show"])["stopped"], true);

    desk.says(&key, &["pool", "deposit", "100"]);
    desk.refuses(
        &key,
        &["pool", "reset"],
        &["PoolNotSpent", "only a spent pool is reset"],
    );
    // What a loss would leave, which takes a crash of many steps to play.
    desk.node.with(|it| {
        let address = desk.sol.pool();
        let mut account = it.account(&address).expect("a pool");
        let fields = account.data.get_mut(8..).expect("a pool");
        let pool: &mut Pool = bytemuck::from_bytes_mut(fields);
        pool.shares = 1 << 62;
        it.set_account(&address, account);
    });
    let json = desk.does(&key, &["pool", "reset"]);
    assert_eq!(
        (&json["events"][0]["event"], &json["events"][0]["epoch"]),
        (&"PoolReset".into(), &1.into())
    );
    assert_eq!(desk.does(&key, &["pool", "show"])["owned_shares"], 0);
}
