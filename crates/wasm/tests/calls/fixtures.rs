//! The calls with their requests and answers.

use ballast_state::book_account::OrderSide;
use ballast_state::events::BallastEvent;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs};
use ballast_state::Pubkey;
use ballast_wasm::request::{
    Counterparties, Explain, JoinPoolOf, JoinStakesOf, MakersOf, MarketRequest, OrderOf, PoolOf,
    Positions, Raised, TraderRequest,
};
use borsh::BorshSerialize;
use serde_json::{json, Value};
use sha2::{Digest, Sha256};

use crate::requests::{all, answer, explained, funds_of, shared, BUYS};
use crate::stage::{Stage, USD};

/// Compares a fixture with what it should hold, or writes it.
fn settle(name: &str, value: &Value) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../app/test/fixtures");
    let file = folder.join(name);
    let text = serde_json::to_string_pretty(value).unwrap() + "\n";
    if std::env::var_os("BALLAST_WRITE_FIXTURES").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == text,
        "{name} differs; run: BALLAST_WRITE_FIXTURES=1 cargo xtask test --test calls"
    );
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An answer, parsed.
pub fn answered(name: &str, request: &impl BorshSerialize) -> Value {
    let bytes = borsh::to_vec(request).unwrap();
    serde_json::from_str(&answer(name, &bytes)).expect("JSON")
}

/// A call as the fixture states it; by the digest of its request TypeScript tells that it makes the same
/// bytes.
fn called(name: &str, request: &[u8]) -> Value {
    let answer: Value = serde_json::from_str(&answer(name, request)).expect("JSON");
    assert_eq!(answer["error"], Value::Null, "{name}");
    json!({ "requestSha256": hex(&Sha256::digest(request)), "value": answer["value"] })
}

fn addresses(list: &Value) -> Vec<Pubkey> {
    let list = list.as_array().expect("a list").iter();
    let parsed = list.map(|one| one.as_str().expect("text").parse());
    parsed.map(|one| one.expect("an address")).collect()
}

fn market_json(market: &MarketRequest) -> Value {
    let optional = |data: &Option<Vec<u8>>| data.as_deref().map(hex);
    let prices = market.prices.iter().map(|price| {
        json!({
            "address": price.address.to_string(),
            "owner": price.account.as_ref().map(|(owner, _)| owner.to_string()),
            "data": price.account.as_ref().map(|(_, data)| hex(data)),
        })
    });
    json!({
        "slot": market.slot.to_string(),
        "decimals": market.decimals,
        "address": market.address.to_string(),
        "market": hex(&market.market),
        "clock": hex(&market.clock),
        "book": optional(&market.book),
        "queueLong": optional(&market.queue_long),
        "queueShort": optional(&market.queue_short),
        "prices": prices.collect::<Value>(),
    })
}

fn trader_json(trader: &TraderRequest) -> Value {
    json!({ "address": trader.address.to_string(), "data": hex(&trader.data) })
}

#[test]
fn every_call() {
    let all = all();
    let plain =
        |data: &[u8]| json!({ "address": all.pool.market.address.to_string(), "data": hex(data) });
    let share = all.pool.share.as_deref().expect("shares");
    let mut stated = json!({
        "markets": {
            "crash": market_json(&all.standing.market),
            "calm": market_json(&all.liquidation.market),
            "funds": market_json(&all.pool.market),
        },
        "accounts": {
            "long": trader_json(&all.counterparties.bankrupt),
            "short": trader_json(&all.standing.trader),
            "maker": trader_json(&all.order.makers[0]),
            "victim": trader_json(&all.liquidation.victim),
            "pool": plain(&all.pool.pool),
            "poolTrader": trader_json(&all.pool.trader),
            "poolShare": plain(share),
            "stakes": plain(&all.stake.stakes),
            "stakeShare": plain(&all.stake.share),
            "shared": trader_json(&all.account.trader),
            "board": plain(&all.account.board),
            "legMarket": json!({
                "address": all.account.markets[0].0.to_string(),
                "data": hex(&all.account.markets[0].1),
            }),
        },
        "event": hex(&all.explain.event),
        "slot": all.account.slot.to_string(),
    });
    for (name, request) in all.bytes() {
        stated["calls"][name] = called(name, &request);
    }
    settle("engine.json", &stated);
}

/// The list is that of the queue's order, and the program accepts it.
#[test]
fn the_program_accepts_the_counterparties() {
    let (mut stage, long, _) = Stage::crash();
    let request = Counterparties {
        market: stage.market(),
        bankrupt: stage.trader_account(&long),
        most: 3,
        spares: 1,
    };
    let value = &answered("counterparties", &request)["value"];
    let listed = addresses(&value["counterparties"]);
    assert_eq!(listed, stage.shorts_in_order()[..listed.len()]);
    let keeper = stage.trader();
    let (sandbox, sol) = (&mut stage.sandbox, &stage.sol);
    let sent = sandbox.auto_deleverage(sol, &long.address, &keeper, &listed);
    let sent = sent.expect("a round");
    let cut: Vec<String> = sent
        .events
        .iter()
        .filter_map(|event| match event {
            BallastEvent::AutoDeleveraged(event) => Some(event),
            _ => None,
        })
        .flat_map(|event| event.cuts.iter())
        .map(|cut| format!("{} {}", cut.trader, cut.gave_up_atoms))
        .collect();
    let told: Vec<String> = value["cuts"]
        .as_array()
        .expect("cuts")
        .iter()
        .map(|cut| {
            let text = |field: &str| cut[field].as_str().expect("text").to_owned();
            format!("{} {}", text("trader"), text("gave_up_atoms"))
        })
        .collect();
    assert_eq!(told, cut);
}

/// Lots, fees, margin and free collateral of a previewed order are those of the program's event.
#[test]
fn a_preview_is_what_the_order_does() {
    for change in [
        |_: &mut PlaceOrderArgs| {},
        |order: &mut PlaceOrderArgs| order.lots = 200,
        |order: &mut PlaceOrderArgs| order.lots = 5_000,
        |order: &mut PlaceOrderArgs| order.margin = 90 * USD,
        |order: &mut PlaceOrderArgs| order.kind = OrderKind::ImmediateOrCancel,
        |order: &mut PlaceOrderArgs| order.reduce_only = true,
        |order: &mut PlaceOrderArgs| order.price_ticks = 188_500,
        |order: &mut PlaceOrderArgs| order.side = OrderSide::Ask,
    ] {
        let (mut stage, _, shorts) = Stage::crash();
        let mut order = BUYS;
        change(&mut order);
        let trader = stage.trader_account(&shorts[2]);
        let makers = MakersOf {
            market: stage.market(),
            trader: trader.clone(),
            order,
            spares: 2,
        };
        let listed = addresses(&answered("makers", &makers)["value"]["makers"]);
        let request = OrderOf {
            market: makers.market,
            trader,
            makers: listed.iter().map(|key| stage.account(key)).collect(),
            order,
        };
        let told = &answered("order", &request)["value"];
        let placed = stage
            .sandbox
            .place_order(&stage.sol, &shorts[2], order, &listed);
        let placed = placed.expect("an order");
        let event = placed.events.iter().find_map(|event| match event {
            BallastEvent::OrderPlaced(event) => Some(event),
            _ => None,
        });
        let event = event.expect("an event");
        let after = stage.sandbox.trader(&shorts[2].address);
        let slot = after.slot(&stage.sol.keys.market).expect("a position");
        for (field, expected) in [
            ("lots", event.lots.into()),
            ("filled_lots", event.filled_lots.into()),
            ("resting_lots", event.resting_lots.into()),
            ("dropped_lots", event.dropped_lots.into()),
            ("reserved_atoms", event.reserved_atoms.into()),
            ("fee_atoms", event.taker.map_or(0, |party| party.fee.into())),
            (
                "realized_atoms",
                event.taker.map_or(0, |party| party.realized.into()),
            ),
            ("free_after_atoms", i128::from(after.free)),
        ] {
            assert_eq!(told[field], expected.to_string(), "{field} of {order:?}");
        }
        let position = &told["position"];
        for (field, expected) in [
            ("lots", i128::from(slot.lots)),
            ("margin_atoms", slot.margin.into()),
            ("entry_quote_atoms", slot.entry_quote.into()),
            ("order_margin_atoms", slot.order_margin.into()),
        ] {
            assert_eq!(
                position[field],
                expected.to_string(),
                "{field} of {order:?}"
            );
        }
        // The light and the levels are those that are shown afterwards.
        let shown = Positions {
            trader: stage.trader_account(&shorts[2]),
            decimals: 6,
            markets: vec![stage.market()],
        };
        let shown = &answered("positions", &shown)["value"]["positions"][0];
        for field in [
            "liquidation_ticks",
            "bankruptcy_ticks",
            "margin_ratio_bps",
            "queue_class",
        ] {
            assert_eq!(position[field], shown[field], "{field} of {order:?}");
        }
    }
}

/// The shares that a deposit would buy are those of the program's events, whoever has some before or none.
#[test]
fn a_preview_is_what_a_deposit_buys() {
    let mut stage = Stage::new();
    let (pool, stake) = funds_of(&mut stage);
    let wallet = stage.sandbox.create_wallet(900 * USD).expect("a wallet");
    let mut shares: [Option<Vec<u8>>; 2] = [None, None];
    for amount in [250 * USD, 33_333_333] {
        let in_pool = JoinPoolOf {
            of: PoolOf {
                market: stage.market(),
                pool: stage.data(&stage.sol.pool()),
                trader: stage.account(&stage.sol.pool_trader()),
                share: shares[0].take(),
            },
            atoms: amount,
        };
        let staked = JoinStakesOf {
            market: stage.market(),
            stakes: stage.data(&stage.sol.stakes()),
            share: shares[1].take(),
            atoms: amount,
        };
        let told = [
            answered("join_pool", &in_pool),
            answered("join_stakes", &staked),
        ];
        let (sandbox, sol) = (&mut stage.sandbox, &stage.sol);
        if in_pool.of.share.is_none() {
            for fund in [sol.pool(), sol.stakes()] {
                sandbox.create_share(&fund, &wallet).expect("an account");
            }
        }
        let joined = sandbox
            .deposit_pool(sol, &wallet, amount)
            .expect("a deposit");
        let behind = sandbox.stake(sol, &wallet, amount).expect("a stake");
        let events = [joined, behind].map(|sent| sent.events);
        let found = events.iter().flatten().filter_map(|event| match event {
            BallastEvent::PoolDeposited(it) => {
                Some([it.shares, it.owner_shares_after, it.shares_after])
            }
            BallastEvent::Staked(it) => Some([it.shares, it.owner_shares_after, it.shares_after]),
            _ => None,
        });
        let found: Vec<[u64; 3]> = found.collect();
        assert_eq!(found.len(), 2);
        for (told, happened) in told.iter().zip(found) {
            let fields = ["shares", "owner_shares_after", "shares_after"];
            for (field, count) in fields.into_iter().zip(happened) {
                assert_eq!(told["value"][field], count.to_string(), "{field}: {told}");
            }
        }
        let share =
            |fund| Some(stage.data(&ballast_client::addresses::share(&fund, &wallet.address())));
        shares = [share(stage.sol.pool()), share(stage.sol.stakes())];
    }
    let small = JoinPoolOf { of: pool, atoms: 1 };
    let said = answered("join_pool", &small)["error"].to_string();
    assert!(said.contains("DepositTooSmall"), "{said}");
    let nothing = JoinStakesOf {
        market: stage.market(),
        stakes: stake.stakes,
        share: None,
        atoms: 0,
    };
    let said = answered("join_stakes", &nothing)["error"].to_string();
    assert!(said.contains("DepositTooSmall"), "{said}");
}

/// An alert begins once, goes on without a word, and ends with its position.
#[test]
fn an_alert_begins_and_ends_once() {
    let mut request = all().alerts;
    request.raised = Vec::new();
    let first = answered("alerts", &request)["value"].clone();
    let kinds = |found: &Value| -> Vec<String> {
        let crossings = found["crossings"].as_array().expect("a list").iter();
        let told = crossings.map(|one| format!("{}{}", one["kind"], one["raised"]));
        told.map(|text| text.replace('"', "")).collect()
    };
    assert!(kinds(&first).contains(&"lighttrue".to_owned()), "{first}");
    assert!(
        kinds(&first).contains(&"margin_ratiotrue".to_owned()),
        "{first}"
    );
    let raised = first["raised"].as_array().expect("a list").iter();
    request.raised = raised
        .map(|one| Raised {
            market_index: u16::try_from(one["market_index"].as_u64().expect("a number")).unwrap(),
            market: one["market"].as_str().expect("a name").to_owned(),
            kind: one["kind"].as_str().expect("a kind").to_owned(),
            looks: 0,
        })
        .collect();
    let again = &answered("alerts", &request)["value"];
    assert!(kinds(again).is_empty(), "{again}");
    let raised = request.raised.clone();
    request.raised[0].market_index = 9;
    let gone = &answered("alerts", &request)["value"];
    let ended = format!("{}false", raised[0].kind);
    assert!(kinds(gone).contains(&ended), "{gone}");
    request.raised[0].kind = "weather".to_owned();
    let said = answered("alerts", &request)["error"].to_string();
    assert!(said.contains("no kind of alert"), "{said}");
}

/// What the account of a leg holds and needs, and where its market alone would leave it with nothing.
#[test]
fn an_account_is_told_with_its_legs() {
    let mut request = shared();
    let value = &answered("account", &request)["value"];
    // 2.5% of $1,960 is needed of $325 less the $40 that were lost; $325 is $32.50 a SOL below $200.
    assert_eq!(value["equity_atoms"], "285000000", "{value}");
    assert_eq!(value["maintenance_atoms"], "49000000");
    assert_eq!(value["legs"][0]["bankruptcy_ticks"], "167500");
    request.markets.clear();
    let said = answered("account", &request)["error"].to_string();
    assert!(said.contains("the market of a leg was not read"), "{said}");
}

/// A round of the program agrees with the engine; one of whose figures is altered does not.
#[test]
fn a_forged_event_is_noticed() {
    let mut request = explained();
    let verdict = |request: &Explain| answered("explain", request)["value"]["verified"].clone();
    assert_eq!(verdict(&request), true);
    let last = request.event.len() - 1;
    let forged = (16..last).filter(|at| {
        request.event[*at] ^= 1;
        let noticed = verdict(&request) != true;
        request.event[*at] ^= 1;
        noticed
    });
    // Keys and what an event only tells, such as the reward, nobody can recompute.
    assert!(forged.count() * 3 > last, "most bytes matter");
}

#[test]
fn what_is_wrong_is_said_in_a_sentence() {
    let (stage, long, shorts) = Stage::crash();
    let refusal = |name: &str, request: &Counterparties| {
        let answer = answered(name, request);
        assert_eq!(answer["call"], name);
        answer["error"].as_str().expect("a sentence").to_owned()
    };
    let mut request = Counterparties {
        market: stage.market(),
        bankrupt: stage.trader_account(&shorts[0]),
        most: 8,
        spares: 0,
    };
    let healthy = refusal("counterparties", &request);
    assert!(healthy.starts_with("NotBankrupt: "), "{healthy}");
    request.bankrupt = stage.trader_account(&long);
    request.market.queue_short = None;
    let missing = refusal("counterparties", &request);
    assert!(missing.contains("the queue of shorts"), "{missing}");
    request.market.market.truncate(40);
    let short = refusal("counterparties", &request);
    assert!(short.contains("has 40 bytes, expected at least"), "{short}");
    let unknown = refusal("counterparty", &request);
    assert!(unknown.contains("positions, standing"), "{unknown}");
    let other = refusal("positions", &request);
    assert!(other.contains("does not parse"), "{other}");
}
