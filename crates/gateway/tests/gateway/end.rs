//! The end of markets: history is complete all the way, and nothing of it can be missing unseen.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use axum::Router;
use ballast_client::moment::Moment;
use ballast_client::ranking::{plan, Request};
use ballast_engine::units::Side;
use ballast_gateway::gateway::Gateway;
use ballast_gateway::store::finality;
use ballast_node::scene::USD;
use ballast_rpc::endpoint::Endpoint;
use ballast_sandbox::{BlockTrade, MarketConfig, MarketCookie, Sandbox, TraderCookie};
use ballast_state::market::Market;
use ballast_state::staged::Change;
use serde_json::Value;

use crate::history::complete;
use crate::stage::{opened, read_once, Stage};

const DAY: i64 = 86_400;
/// 10 SOL.
const TEN: i64 = 10_000;
/// Where the market of the stage ends, ticks: two longs are bankrupt.
const FALLEN: u64 = 186_000;
/// Where the other one ends.
const CRASHED: u64 = 150_000;

/// Two markets that are to end. In that of the stage profit is held, of two shorts that have left. In the other a long
/// of 10 SOL is bankrupt and can be closed against nobody: the short that it lost to has left while insurance seemed rich.
struct Ending {
    stage: Stage,
    /// Who has something in the market of the stage.
    people: Vec<TraderCookie>,
    deadlock: MarketCookie,
    bankrupt: TraderCookie,
    /// Who has something in the other one beside the bankrupt.
    creditors: Vec<TraderCookie>,
}

fn wait(sandbox: &mut Sandbox, seconds: i64) {
    let slots = u64::try_from(seconds * 5 / 2).expect("a later time");
    let (slot, time) = (sandbox.slot(), sandbox.time());
    sandbox.set_clock(slot + slots, time + seconds);
}

fn terms(lots: i64, price_ticks: u64, taker_margin: u64, maker_margin: u64) -> BlockTrade {
    BlockTrade {
        lots,
        price_ticks,
        taker_margin,
        maker_margin,
    }
}

/// Makes insurance look richer or poorer than it is.
fn forge_insurance(sandbox: &mut Sandbox, market: &MarketCookie, change: impl FnOnce(u64) -> u64) {
    let mut account = sandbox.account(&market.keys.market).expect("a market");
    let body = &mut account.data[8..8 + size_of::<Market>()];
    let mut market_state: Market = bytemuck::pod_read_unaligned(body);
    market_state.insurance.balance = change(market_state.insurance.balance);
    body.copy_from_slice(bytemuck::bytes_of(&market_state));
    sandbox.set_account(&market.keys.market, account);
}

fn donate(sandbox: &mut Sandbox, market: &MarketCookie, atoms: u64) {
    let donor = sandbox.create_wallet(atoms).expect("a wallet");
    let donated = sandbox.donate_insurance(market, &donor, atoms);
    donated.expect("a donation");
}

impl Ending {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let made = stage.node.with(|sandbox| {
            let treasury = sandbox.create_wallet(0).expect("a wallet");
            let named = sandbox.change(Change::Treasury(treasury.tokens), None);
            named.expect("a treasury");
            let deadlock = deadlock(sandbox);
            sandbox.set_price(&stage.scene.market, FALLEN);
            let buyers = [0, 1].map(|_| sandbox.create_trader(1_000 * USD).expect("a trader"));
            for (short, buyer) in stage.scene.shorts.iter().zip(&buyers) {
                let back = terms(TEN, FALLEN, 0, 500 * USD);
                let closed = sandbox.block_trade(&stage.scene.market, short, buyer, back);
                closed.expect("a trade");
            }
            let held = sandbox.market(&stage.scene.market).held;
            assert!(held.atoms > 10 * USD, "profit is held: {held:?}");
            let closing = sandbox.set_reduce_only(&stage.scene.market);
            closing.expect("the guardian");
            (deadlock, buyers)
        });
        let ((deadlock, bankrupt, creditors), buyers) = made;
        let scene = &stage.scene;
        let people = scene.longs.iter().chain(&scene.shorts).chain(&buyers);
        Self {
            people: people.chain([&scene.maker]).cloned().collect(),
            stage,
            deadlock,
            bankrupt,
            creditors,
        }
    }

    /// Both markets end, at what was recorded last.
    fn end(&self) {
        let markets = [&self.stage.scene.market, &self.deadlock];
        self.stage.node.with(|sandbox| {
            wait(sandbox, DAY);
            for market in markets {
                sandbox.declare_dead(market).expect("a dead oracle");
            }
            wait(sandbox, DAY);
            for (market, ticks) in markets.into_iter().zip([FALLEN, CRASHED]) {
                sandbox.begin_settlement(market).expect("an end");
                assert_eq!(u64::from(sandbox.market(market).final_ticks), ticks);
            }
        });
    }

    /// Deleverages the bankrupt of the stage: insurance pays, and held profit after it.
    fn deleverage(&self) {
        let (market, keeper) = (&self.stage.scene.market, &self.stage.keeper);
        self.stage.node.with(|sandbox| {
            for long in &self.stage.scene.longs[..2] {
                let stored = sandbox.market(market);
                let slot = sandbox.position(market, &long.address);
                let queue = sandbox.queue(market, Side::Short);
                let moment = Moment {
                    slot: sandbox.slot(),
                    unix_timestamp: sandbox.time(),
                    price_ticks: FALLEN,
                };
                let request = Request {
                    bankrupt: long.address,
                    max_counterparties: 8,
                    spares: 0,
                };
                let queue = queue.queue().expect("a queue");
                let round = plan(&stored, &queue, &slot.expect("one"), &moment, &request);
                let done = sandbox.auto_deleverage_plan(market, keeper, &round.expect("a round"));
                done.expect("a round");
            }
            let left = sandbox.market(market);
            assert_eq!(left.insurance.balance, 0, "held profit paid as well");
            assert!(left.held.atoms > 0, "and is not used up");
        });
    }

    /// Writes the bankrupt of the other market off, and counts what is claimed after a gift.
    fn write_off(&self) {
        let market = &self.deadlock;
        self.stage.node.with(|sandbox| {
            let opened = sandbox.open_adl_session(market, &self.bankrupt.address);
            let session = opened.expect("a session").0;
            let walked = sandbox.advance_adl_session(market, &session, 100_000, Vec::new());
            walked.expect("a walk");
            let written_off = sandbox.write_off_bankrupt(market, &session);
            written_off.expect("nobody to cut");
            donate(sandbox, market, 3 * USD);
            sandbox
                .count_claims(market, 1)
                .expect("a part of the claims");
            sandbox.count_claims(market, 100).expect("the claims");
            let state = sandbox.market(market);
            assert!(state.write_off().is_any() && state.claims_are_known());
        });
    }

    /// Settles what one of the people has.
    fn settle(&self, market: &MarketCookie, trader: &TraderCookie) {
        self.stage.node.with(|sandbox| {
            if sandbox.position(market, &trader.address).is_some() {
                let settled = sandbox.settle_position(market, &trader.address);
                settled.expect("a settlement");
            }
        });
    }

    /// Closes both markets, and pays what insurance has left a month later.
    fn close(&self) {
        let markets = [&self.stage.scene.market, &self.deadlock];
        self.stage.node.with(|sandbox| {
            for market in markets {
                sandbox.close_market(market).expect("an empty market");
            }
            wait(sandbox, 31 * DAY);
            for market in markets {
                sandbox.mint_to(&market.insurance_vault, 7).expect("tokens");
                sandbox.sweep_insurance(market).expect("a sweep");
                sandbox.withdraw_insurance(market).expect("a payment");
            }
        });
    }

    /// The whole of it.
    fn play(&self) {
        self.end();
        self.deleverage();
        self.write_off();
        self.stage.node.with(|sandbox| {
            donate(sandbox, &self.stage.scene.market, 2 * USD);
        });
        for person in &self.people {
            self.settle(&self.stage.scene.market, person);
        }
        for creditor in &self.creditors {
            self.settle(&self.deadlock, creditor);
        }
        self.close();
        self.stage.pass(40);
    }
}

/// A market in which a long of 10 SOL is bankrupt by $400 and no counterparty is solvent at its close price; the bankrupt,
/// and who else has something.
fn deadlock(sandbox: &mut Sandbox) -> (MarketCookie, TraderCookie, Vec<TraderCookie>) {
    let mut config = MarketConfig::sol();
    config.risk.funding_rate_ppm_per_hour = 0;
    config.risk.max_funding_rate_ppm = 0;
    let market = sandbox.create_market(&config).expect("a market");
    let mut trader = || sandbox.create_trader(2_000 * USD).expect("a trader");
    let [alice, bob, carol, dave, erin] = [(); 5].map(|()| trader());
    let opened = terms(TEN, 200_000, 100 * USD, 500 * USD);
    let traded = sandbox.block_trade(&market, &alice, &bob, opened);
    traded.expect("a trade");
    wait(sandbox, 10);
    sandbox.set_price(&market, CRASHED);
    forge_insurance(sandbox, &market, |atoms| atoms + 1_000_000 * USD);
    for (long, short, lots, margins) in [
        (&bob, &carol, TEN, (0, 80 * USD)),
        (&dave, &erin, 2 * TEN, (1_000 * USD, 200 * USD)),
    ] {
        let terms = terms(lots, CRASHED, margins.0, margins.1);
        let traded = sandbox.block_trade(&market, long, short, terms);
        traded.expect("a trade");
    }
    forge_insurance(sandbox, &market, |atoms| atoms - 1_000_000 * USD);
    sandbox.accrue_funding(&market).expect("a price");
    (market, alice, vec![carol, dave, erin])
}

/// What history leads to of a market's sum.
async fn sum(gateway: &Gateway, market: &MarketCookie, what: &'static str) -> Option<i64> {
    let known = "SELECT value FROM standing WHERE market = $1 AND what = $2";
    let market = market.keys.market.to_string();
    let found = gateway
        .store
        .read(move |sql| sql.query(known, &[market.into(), what.into()]));
    found.await.unwrap().first()?.first()?.int()
}

/// Fails unless history is complete by now.
async fn whole(ending: &Ending, gateway: &Arc<Gateway>) {
    ending.stage.pass(40);
    read_once(gateway).await;
    let health = gateway.vitals(|vitals| vitals.report(Instant::now()));
    assert!(health.history.complete, "{:?}", health.history);
}

#[tokio::test]
async fn history_is_complete_to_the_end_of_a_market() {
    let (ending, folder) = (Ending::new().await, tempfile::tempdir().unwrap());
    let gateway = ending.stage.in_file(&folder.path().join("a")).await;
    let (first, other) = (&ending.stage.scene.market, &ending.deadlock);
    let state = |market: &MarketCookie| ending.stage.node.with(|sandbox| sandbox.market(market));
    let of_both = |market: &MarketCookie| {
        let market = state(market);
        (market.insurance.balance + market.held.atoms).cast_signed()
    };
    whole(&ending, &gateway).await;
    assert_eq!(sum(&gateway, first, "settlement_atoms").await, None);
    assert_eq!(sum(&gateway, first, "mode").await, Some(1));
    assert_eq!(sum(&gateway, other, "mode").await, Some(0));
    ending.end();
    whole(&ending, &gateway).await;
    for market in [first, other] {
        let settlement = sum(&gateway, market, "settlement_atoms").await;
        assert_eq!(settlement, Some(of_both(market)));
        assert_eq!(sum(&gateway, market, "mode").await, Some(2));
    }
    ending.deleverage();
    whole(&ending, &gateway).await;
    assert_eq!(
        sum(&gateway, first, "settlement_atoms").await,
        Some(of_both(first))
    );
    ending.write_off();
    whole(&ending, &gateway).await;
    let written_off = state(other).write_off();
    assert_eq!(
        sum(&gateway, other, "settlement_atoms").await,
        Some(of_both(other) + written_off.covered().cast_signed())
    );
    // Of insurance alone every event has said it.
    let insurance = state(other).insurance.balance.cast_signed();
    assert_eq!(
        sum(&gateway, other, "insurance_atoms").await,
        Some(insurance)
    );
    for person in &ending.people {
        ending.settle(first, person);
        whole(&ending, &gateway).await;
    }
    for creditor in &ending.creditors {
        ending.settle(other, creditor);
        whole(&ending, &gateway).await;
    }
    // The atoms that rounding has left are insurance's.
    assert_eq!(state(other).uncovered(), Ok(0));
    for market in [first, other] {
        assert_eq!(state(market).held.atoms, 0);
        assert_eq!(
            sum(&gateway, market, "settlement_atoms").await,
            Some(state(market).insurance.balance.cast_signed())
        );
    }
    ending.close();
    whole(&ending, &gateway).await;
    for market in [first, other] {
        assert_eq!(sum(&gateway, market, "settlement_atoms").await, Some(0));
        assert_eq!(sum(&gateway, market, "mode").await, Some(3));
    }
}

/// A node that tells nobody of one transaction; its URL.
async fn forgetful(node: String, forgotten: String) -> String {
    let asked = reqwest::Client::new();
    let page = post(move |body: String| async move {
        let asked = asked.post(node).header(CONTENT_TYPE, "application/json");
        let answer = asked.body(body).send().await.expect("an answer");
        let mut said: Value = answer.json().await.expect("JSON");
        if let Some(listed) = said["result"].as_array_mut() {
            listed.retain(|one| one["signature"] != *forgotten);
        }
        ([(CONTENT_TYPE, "application/json")], said.to_string())
    });
    opened(Router::new().route("/", page)).await
}

/// By what it shows that a transaction with an event is missing.
fn shown_by(event: &str) -> &'static [&'static str] {
    match event {
        "SettlementBegun" | "MarketClosed" => &["mode"],
        "PositionSettled" => &["open_interest_lots", "short_lots", "settlement_atoms"],
        "BankruptWrittenOff" => &["open_interest_lots", "settlement_atoms"],
        "AutoDeleveraged" => &["adl_rounds", "settlement_atoms"],
        "ClaimsCounted" | "InsuranceDonated" | "StrayTokensCredited" | "InsuranceWithdrawn" => {
            &["settlement_atoms"]
        }
        _ => &[],
    }
}

#[tokio::test]
async fn no_transaction_of_an_end_is_missing_unseen() {
    let (ending, folder) = (Ending::new().await, tempfile::tempdir().unwrap());
    ending.play();
    let gateway = ending.stage.in_file(&folder.path().join("all")).await;
    read_once(&gateway).await;
    assert_eq!(complete(&gateway), (true, 0, 0));
    let all = "SELECT event.signature, event.name, event.body FROM event JOIN tx ON tx.signature = event.signature
         WHERE tx.slot >= (SELECT MIN(tx.slot) FROM tx JOIN event ON event.signature = tx.signature
           WHERE event.name = 'SettlementBegun') ORDER BY tx.slot, tx.place, event.idx";
    let all = gateway.store.read(move |sql| sql.query(all, &[])).await;
    let mut seen = BTreeMap::new();
    for (number, line) in all.unwrap().iter().enumerate() {
        let [signature, name, body] =
            [0, 1, 2].map(|column| line[column].text().unwrap().to_owned());
        let body: Value = serde_json::from_str(&body).unwrap();
        // A part of a count changes nothing yet.
        let shown = match body["complete"] == false {
            true => &[],
            false => shown_by(&name),
        };
        if shown.is_empty() {
            continue;
        }
        let store = folder.path().join(number.to_string());
        let mut config = ending
            .stage
            .config(&format!("sqlite = \"{}\"", store.display()));
        let node = forgetful(ending.stage.node.url(), signature).await;
        config.node[0].rpc = Endpoint::new(&node);
        let without = Gateway::open(config).await.unwrap();
        read_once(&without).await;
        let joins = without.store.read(|sql| finality::holes(sql, 100)).await;
        let health = without.vitals(|vitals| vitals.report(Instant::now()));
        let holes = joins.unwrap().0.into_iter().chain(health.history.counters);
        let holes: Vec<String> = holes.map(|hole| hole.what).collect();
        assert!(!health.history.complete, "{name} is not missed: {body}");
        assert!(
            holes.iter().any(|what| shown.contains(&&**what)),
            "{name} is missed by {holes:?}"
        );
        *seen.entry(name).or_insert(0) += 1;
    }
    let kinds: Vec<&str> = seen.keys().map(String::as_str).collect();
    assert_eq!(
        kinds,
        [
            "AutoDeleveraged",
            "BankruptWrittenOff",
            "ClaimsCounted",
            "InsuranceDonated",
            "InsuranceWithdrawn",
            "MarketClosed",
            "PositionSettled",
            "SettlementBegun",
            "StrayTokensCredited"
        ]
    );
    assert!(seen["PositionSettled"] > 10, "{seen:?}");
}
