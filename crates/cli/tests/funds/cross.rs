//! Cross margin at the command line: enabled by the admin, filled, joined, shown and left by a trader.

use ballast_sandbox::BlockTrade;
use serde_json::{json, Value};

use super::*;

/// The event of this name that a command answers with.
fn told<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let mut events = answer["events"].as_array().into_iter().flatten();
    let found = events.find(|event| event["event"] == name);
    found.unwrap_or_else(|| panic!("no {name}: {answer}"))
}

#[test]
fn a_position_shares_collateral_and_leaves_again() {
    let desk = Desk::new();
    let (ann, ben) = (desk.trader(1_000), desk.trader(1_000));
    let key = desk.key("ann", &ann.wallet.keypair);
    desk.refuses(
        &key,
        &["account"],
        &["the exchange has no cross margin", "enable-cross"],
    );
    let enable = [
        "admin",
        "enable-cross",
        "--market",
        "SOL-PERP",
        "--most",
        "500",
        "--legs",
        "16",
    ];
    let enabled = desk.says(&desk.admin, &enable);
    for words in [
        "Give SOL-PERP cross margin with room for 16 legs a side",
        "The board of cross margin was created: ",
        "at place 0 of the board: legs of a side hold 500.000 at most and get 25.00 % of what insurance",
    ] {
        assert!(enabled.contains(words), "{words}: {enabled}");
    }
    desk.refuses(&desk.admin, &enable, &["already"]);
    let grow = [
        "admin",
        "grow-queue",
        "--market",
        "SOL-PERP",
        "--side",
        "long",
    ];
    let more = [&grow[..], &["--positions", "100", "--cross"]].concat();
    let grown = desk.says(&key, &more);
    assert!(
        grown
            .contains("Grow the queue of long legs of SOL-PERP from 16 to 100, transaction 1 of 1"),
        "{grown}"
    );
    desk.refuses(&key, &more, &["has room for 100 already"]);
    let empty = desk.says(&key, &["account"]);
    assert!(empty.contains("No legs; `ballast cross join"), "{empty}");

    let terms = BlockTrade {
        lots: 10_000,
        price_ticks: 200_000,
        taker_margin: 300 * USD,
        maker_margin: 300 * USD,
    };
    let traded = desk
        .node
        .with(|it| it.block_trade(&desk.sol, &ann, &ben, terms));
    traded.expect("a trade");
    let joined = desk.does(&key, &["cross", "join"]);
    let event = told(&joined, "MarginConverted");
    for (field, expected) in [
        ("to_cross", json!(true)),
        ("lots", json!(10_000)),
        ("amount_atoms", json!(300_000_000)),
        ("pool_after_atoms", json!(300_000_000)),
    ] {
        assert_eq!(event[field], expected, "{field}: {event}");
    }
    desk.refuses(&key, &["cross", "join"], &["has no isolated position"]);
    let added = desk.says(&key, &["cross", "add", "50"]);
    let words = "50.00 went into the pool, which is 350.00; 649.00 are free.";
    assert!(added.contains(words), "{added}");
    desk.later(20, 198_000);
    let recorded = desk.does(&key, &["cross", "record"]);
    let marks = &told(&recorded, "MarksRecorded")["marks"];
    assert_eq!(marks[0]["mark_ticks"], json!(198_000), "{marks}");
    let recorded = desk.says(&key, &["cross", "record"]);
    assert!(recorded.contains("Recorded: 1 mark."), "{recorded}");
    let shown = desk.does(&key, &["account"]);
    for (field, expected) in [
        ("pool_atoms", json!(350_000_000)),
        // It has lost $20, and 2.5% of $1,980 is its maintenance margin.
        ("equity_atoms", json!(330_000_000)),
        ("maintenance_atoms", json!(49_500_000)),
        ("margin_ratio_bps", json!(66_666)),
        ("health", json!("healthy")),
        ("leverage_hundredths", json!(600)),
    ] {
        assert_eq!(shown[field], expected, "{field}: {shown}");
    }
    let leg = &shown["legs"][0];
    // $350 over 10 SOL.
    assert_eq!(leg["bankruptcy_ticks"], json!(165_000), "{leg}");
    assert_eq!(leg["unrealised_atoms"], json!(-20_000_000));
    assert_eq!(shown["legs"].as_array().map(Vec::len), Some(1));
    let said = desk.says(&key, &["account"]);
    for part in [
        "pool             350.00",
        "equity           330.00",
        "bankruptcy       165.000 if only this market moves",
        "SOL-PERP long 10.000",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // At $158.40 and $160.38, 20% and 19% below the mark; the queue of isolated longs is empty.
    let gap = desk.does(&key, &["gap", "--moves", "19,20"]);
    let lacks: Vec<_> = gap["gaps"].as_array().into_iter().flatten().collect();
    let found: Vec<_> = lacks.iter().map(|row| &row["deficit_atoms"]).collect();
    assert_eq!(
        found[..2],
        [&json!(66_000_000), &json!(46_200_000)],
        "{gap}"
    );
    assert_eq!(lacks[0]["bankrupt_positions"], json!(1));
    // A leg is no isolated position.
    let positions = desk.does(&key, &["positions"]);
    assert_eq!(positions["positions"], json!([]));

    desk.later(1, 198_000);
    desk.refuses(&key, &["cross", "leave", "98"], &["initial margin"]);
    let left = desk.says(&key, &["cross", "leave", "200"]);
    let words = "The position is isolated now: 200.00 left the pool, which is 150.00.";
    assert!(left.contains(words), "{left}");
    let removed = desk.does(&key, &["cross", "remove", "150"]);
    let event = told(&removed, "CrossMoved");
    assert_eq!(event["amount_atoms"], json!(-150_000_000), "{event}");
    assert_eq!(event["free_after_atoms"], json!(799_000_000), "{event}");
    let shown = desk.does(&key, &["account"]);
    assert_eq!(
        (&shown["pool_atoms"], &shown["legs"]),
        (&json!(0), &json!([]))
    );
    let positions = desk.does(&key, &["positions"]);
    assert_eq!(
        positions["positions"][0]["margin_atoms"],
        json!(200_000_000)
    );
    let history = desk.does(&key, &["history", "--kind", "margin"]);
    let lines = history["entries"].as_array().into_iter().flatten();
    let lines: Vec<_> = lines
        .map(|line| (line["text"].clone(), line["amount_atoms"].clone()))
        .collect();
    assert_eq!(
        lines,
        [
            (
                "The position is a leg now: 300.00 went into the pool, which is 300.00.",
                json!(null)
            ),
            (
                "50.00 went into the pool, which is 350.00; 649.00 are free.",
                json!(-50_000_000)
            ),
            (
                "The position is isolated now: 200.00 left the pool, which is 150.00.",
                json!(null)
            ),
            (
                "150.00 left the pool, which is 0.00; 799.00 are free.",
                json!(150_000_000)
            ),
        ]
        .map(|(text, amount)| (json!(text), amount))
    );
}

#[test]
fn a_leg_is_traded_against_the_book() {
    let desk = Desk::new();
    let (ann, ben) = (desk.trader(1_000), desk.trader(1_000));
    let key = desk.key("ann", &ann.wallet.keypair);
    let maker = desk.key("ben", &ben.wallet.keypair);
    let enable = ["--market", "SOL-PERP", "--most", "500", "--legs", "16"];
    desk.says(
        &desk.admin,
        &[&["admin", "enable-cross"][..], &enable].concat(),
    );
    desk.does(&key, &["cross", "add", "300"]);
    let trade = |side, size, more: &[&'static str]| {
        let words = ["cross", "trade", "--side", side, "--size", size];
        [&words[..], more].concat()
    };
    desk.refuses(
        &key,
        &trade("buy", "5", &[]),
        &[
            "nothing filled: the book of SOL-PERP has no asks",
            "nothing was sent",
        ],
    );
    desk.refuses(
        &key,
        &trade("buy", "5", &["--type", "ioc"]),
        &["expected --price"],
    );
    let offer = ["order", "place", "--side", "sell", "--size", "20"];
    desk.does(&maker, &[&offer[..], &["--price", "200"]].concat());
    let said = desk.says(&key, &trade("buy", "5", &[]));
    for part in [
        "Buy 5.000 of SOL-PERP at 200.000 on average and a fee of 0.50",
        "whose equity is 299.50 then, with 25.00 of maintenance margin",
        "The leg is long 5.000: realized 0.00, funding paid 0.00, fee 0.50; the pool is 299.50, and the account holds 299.50 and needs 25.00.",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let shown = desk.does(&key, &["account"]);
    assert_eq!(shown["pool_atoms"], json!(299_500_000), "{shown}");
    assert_eq!(shown["legs"][0]["lots"], json!(5_000));
    let sell = trade("sell", "9", &["--reduce-only"]);
    desk.refuses(&key, &sell, &["nothing filled", "nothing was sent"]);
    let bid = ["order", "place", "--side", "buy", "--size", "9"];
    desk.does(&maker, &[&bid[..], &["--price", "199"]].concat());
    desk.does(&key, &sell);
    let shown = desk.does(&key, &["account"]);
    assert_eq!(shown["legs"], json!([]), "{shown}");
    // $5 of loss, and 5 bps of $995.
    assert_eq!(
        shown["pool_atoms"],
        json!(299_500_000 - 5_000_000 - 497_500)
    );
}

#[test]
fn orders_of_a_leg_wait_are_listed_replaced_cancelled_and_filled() {
    let desk = Desk::new();
    let (ann, ben) = (desk.trader(1_000), desk.trader(1_000));
    let key = desk.key("ann", &ann.wallet.keypair);
    let taker = desk.key("ben", &ben.wallet.keypair);
    let enable = ["--market", "SOL-PERP", "--most", "500", "--legs", "16"];
    desk.says(
        &desk.admin,
        &[&["admin", "enable-cross"][..], &enable].concat(),
    );
    desk.does(&key, &["cross", "add", "300"]);
    let bid = |command: &[&'static str], size, price: &'static str| {
        let words = ["--side", "buy", "--size", size, "--price", price];
        [command, &words].concat()
    };
    let rest = bid(&["cross", "trade", "--type", "post-only"], "5", "199");
    let said = desk.says(&key, &[&rest[..], &["--client-id", "7"]].concat());
    for part in [
        "Buy 5.000 of SOL-PERP, which wait at 199.000 and reserve 50.00; for the leg of trader account",
        "whose equity is 300.00 then, with 0.00 of maintenance margin",
        "5.000 wait at 199.000 as order 1, which reserves 50.00",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // Where the account has orders of a leg, every order is the leg's.
    let second = desk.does(&key, &bid(&["order", "place"], "1", "198"));
    assert_eq!(told(&second, "OrderPlaced")["resting_lots"], json!(1_000));
    let list = desk.does(&key, &["order", "list"]);
    let listed: Vec<_> = list.as_array().into_iter().flatten().collect();
    let shown: Vec<_> = listed
        .iter()
        .map(|order| (&order["lots"], &order["cross"]))
        .collect();
    let cross = json!(true);
    assert_eq!(shown.len(), 2, "{list}");
    assert!(shown.contains(&(&json!(5_000), &cross)), "{list}");
    assert!(shown.contains(&(&json!(1_000), &cross)), "{list}");
    let account = desk.does(&key, &["account"]);
    assert_eq!(account["legs"], json!([]), "{account}");
    let waiting = &account["orders"][0];
    // 5% of the lots at the mark of $200.
    assert_eq!(waiting["reserved_atoms"], json!(50_000_000 + 10_000_000));
    assert_eq!(waiting["orders"], json!(2));
    let positions = desk.does(&key, &["positions"]);
    assert_eq!(positions["positions"], json!([]), "{positions}");
    assert_eq!(positions["total_atoms"], json!(700_000_000));

    let said = desk.says(&key, &bid(&["order", "replace", "client:7"], "4", "199"));
    let words = "Cancel order client:7 and buy 4.000 of SOL-PERP, which wait at 199.000";
    assert!(said.contains(words), "{said}");
    let last = listed.iter().find(|order| order["lots"] == json!(1_000));
    let id = last.expect("the second")["order_id"].to_string();
    desk.does(&key, &["order", "cancel", &id]);

    // An isolated taker meets it, and lists the board and the queues.
    let offer = ["order", "place", "--side", "sell", "--size", "3"];
    let sold = desk.does(&taker, &[&offer[..], &["--price", "199"]].concat());
    let made = &told(&sold, "LegsMade")["legs"];
    assert_eq!(made.as_array().map(Vec::len), Some(1), "{sold}");
    for (field, expected) in [
        ("maker", json!(ann.address.to_string())),
        ("realized_atoms", json!(0)),
        // 3 of 4 SOL.
        ("margin_used_atoms", json!(30_000_000)),
        ("pool_before_atoms", json!(300_000_000)),
    ] {
        assert_eq!(made[0][field], expected, "{field}: {made}");
    }
    let account = desk.does(&key, &["account"]);
    assert_eq!(account["legs"][0]["lots"], json!(3_000), "{account}");
    assert_eq!(account["orders"][0]["reserved_atoms"], json!(10_000_000));
    let pool = &made[0]["pool_after_atoms"];
    assert_eq!(&account["pool_atoms"], pool);
    let history = desk.does(&key, &["history", "--kind", "fill"]);
    let fill = &history["entries"][0];
    assert_eq!(fill["realized_atoms"], json!(0), "{history}");
    let text = fill["text"].to_string();
    assert!(
        text.contains("bought 3.000 at 199.000") && text.contains("the leg is long 3.000 now"),
        "{text}"
    );
    let freed = desk.does(&key, &["order", "cancel-all"]);
    let orders = &told(&freed, "OrdersCancelled")["orders"];
    assert_eq!(orders.as_array().map(Vec::len), Some(1), "{freed}");
    desk.refuses(&key, &["order", "cancel-all"], &["has no orders"]);
    let account = desk.does(&key, &["account"]);
    assert_eq!(account["orders"], json!([]), "{account}");
}

#[test]
fn a_leg_has_triggers_and_protective_steps_of_its_account() {
    let desk = Desk::new();
    let (ann, ben) = (desk.trader(1_000), desk.trader(1_000));
    let key = desk.key("ann", &ann.wallet.keypair);
    let enable = ["--market", "SOL-PERP", "--most", "500", "--legs", "16"];
    desk.says(
        &desk.admin,
        &[&["admin", "enable-cross"][..], &enable].concat(),
    );
    let place = ["trigger", "place", "stop-loss", "--price", "195"];
    desk.refuses(&key, &place, &["no position", "`ballast account` its legs"]);
    let terms = BlockTrade {
        lots: 10_000,
        price_ticks: 200_000,
        taker_margin: 300 * USD,
        maker_margin: 300 * USD,
    };
    let traded = desk
        .node
        .with(|it| it.block_trade(&desk.sol, &ann, &ben, terms));
    traded.expect("a trade");
    desk.does(&key, &["cross", "join"]);
    desk.does(&key, &["cross", "add", "100"]);

    let said = desk.says(&key, &[&place[..], &["--size", "4"]].concat());
    assert!(said.contains("close 4.000 of its SOL-PERP position when the price reaches 195.000"));
    desk.does(&key, &["trigger", "place", "take-profit", "--price", "220"]);
    let account = desk.does(&key, &["account"]);
    let leg = &account["triggers"][0];
    assert_eq!(leg["market"], json!("SOL-PERP"), "{account}");
    assert_eq!(leg["stop_loss"]["lots"], json!(4_000), "{leg}");
    assert_eq!(leg["stop_loss"]["price_ticks"], json!(195_000));
    assert_eq!(leg["take_profit"]["lots"], json!(10_000));
    let said = desk.says(&key, &["account"]);
    for part in [
        "SOL-PERP: stop-loss of 4.000 at 195.000",
        "SOL-PERP: take-profit of 10.000 at 220.000",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    desk.does(&key, &["trigger", "cancel", "take-profit"]);
    let account = desk.does(&key, &["account"]);
    assert_eq!(account["triggers"][0]["take_profit"], json!(null));

    let steps = ["--step", "150:50", "--step", "120:0"];
    let said = desk.says(&key, &[&["protect", "set"][..], &steps].concat());
    let words = "Set protective steps of the 10.000 long of trader account";
    assert!(said.contains(words), "{said}");
    let shown = desk.does(&key, &["protect", "show"]);
    for (field, expected) in [
        ("in_force", json!(true)),
        ("cross", json!(true)),
        ("lots", json!(10_000)),
        // $400 for the $50 that the account needs.
        ("margin_ratio_bps", json!(80_000)),
    ] {
        assert_eq!(shown[field], expected, "{field}: {shown}");
    }
    let said = desk.says(&key, &["protect", "show"]);
    let words = "The margin ratio of the account is 800.00 % now.";
    assert!(said.contains(words), "{said}");
    desk.does(&key, &["protect", "clear"]);
    let said = desk.says(&key, &["protect", "show"]);
    assert!(said.contains("No protective steps are set"), "{said}");
}
