//! The calls with their requests and answers.

use ballast_wasm::answer;
use ballast_wasm::request::{Counterparties, MarketRequest, TraderRequest};
use borsh::BorshSerialize;
use serde_json::{json, Value};
use sha2::{Digest, Sha256};

use crate::requests::all;
use crate::stage::Stage;

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
    let (stage, long, shorts) = Stage::crash();
    let mut stated = json!({
        "market": market_json(&stage.market()),
        "long": trader_json(&stage.trader_account(&long)),
        "short": trader_json(&stage.trader_account(&shorts[2])),
    });
    for (name, request) in all() {
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
    let listed: Vec<_> = value["counterparties"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one.as_str().expect("text").parse().expect("an address"))
        .collect();
    assert_eq!(listed, stage.shorts_in_order()[..listed.len()]);
    let keeper = stage.trader();
    let (sandbox, sol) = (&mut stage.sandbox, &stage.sol);
    let sent = sandbox.auto_deleverage(sol, &long.address, &keeper, &listed);
    let sent = sent.expect("a round");
    let cut: Vec<String> = sent
        .events
        .iter()
        .filter_map(|event| match event {
            ballast_state::events::BallastEvent::AutoDeleveraged(event) => Some(event),
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

#[test]
fn what_is_wrong_is_said_in_a_sentence() {
    let (stage, long, shorts) = Stage::crash();
    let refusal = |name: &str, request: &Counterparties| {
        let answer = answered(name, request);
        answer["error"].as_str().expect("a sentence").to_owned()
    };
    let mut request = Counterparties {
        market: stage.market(),
        bankrupt: stage.trader_account(&shorts[0]),
        most: 8,
        spares: 0,
    };
    let healthy = refusal("counterparties", &request);
    assert!(healthy.contains("NotBankrupt: "), "{healthy}");
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
