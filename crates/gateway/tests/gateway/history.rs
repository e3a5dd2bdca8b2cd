//! History: whole, once, in order, the same whenever and wherever it is read.

use std::time::Instant;

use ballast_engine::pool::PoolParams;
use ballast_engine::shares::STAKE_TERMS;
use ballast_gateway::chain::history::once;
use ballast_gateway::config::NodeConfig;
use ballast_gateway::gateway::Gateway;
use ballast_gateway::store::write::withdraw;
use ballast_gateway::store::{Place, Store};
use ballast_node::scene::USD;
use ballast_rpc::endpoint::Endpoint;
use ballast_state::instructions::PlaceTriggerArgs;
use ballast_state::trigger::TriggerKind;

use crate::stage::{read_once, rows, serve, Stage};

/// Health as far as history goes.
pub fn complete(gateway: &Gateway) -> (bool, i64, usize) {
    let health = gateway
        .vitals(|vitals| vitals.report(Instant::now()))
        .history;
    (health.complete, health.holes, health.counters.len())
}

#[tokio::test]
async fn a_crash_is_read_piece_by_piece_and_at_once_to_the_same_rows() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let piecemeal = stage.in_file(&folder.path().join("a")).await;
    read_once(&piecemeal).await;
    for lots in [100, 250, 175] {
        stage.buy(lots);
        read_once(&piecemeal).await;
    }
    fees_and_funding(&stage);
    read_once(&piecemeal).await;
    stage.crash();
    read_once(&piecemeal).await;
    assert_eq!(complete(&piecemeal), (true, 0, 0));

    let at_once = stage.in_file(&folder.path().join("b")).await;
    read_once(&at_once).await;
    let (first, second) = (rows(&piecemeal).await, rows(&at_once).await);
    assert!(first.len() > 100, "{} rows", first.len());
    assert_eq!(first, second);
    // Everything is read again and nothing is there twice.
    read_once(&at_once).await;
    assert_eq!(rows(&at_once).await, first);
}

#[tokio::test]
async fn a_gateway_goes_on_at_its_cursor() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let path = folder.path().join("a");
    let first = stage.in_file(&path).await;
    read_once(&first).await;
    let known = first.metrics.transactions.get();
    assert!(known > 10, "{known} transactions");
    drop(first);
    stage.buy(100);
    stage.buy(100);
    let second = stage.in_file(&path).await;
    read_once(&second).await;
    assert_eq!(
        second.metrics.transactions.get(),
        2,
        "only what is new is read"
    );
}

#[tokio::test]
async fn what_was_not_heard_of_is_found_when_it_is_final() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let gateway = stage.in_file(&folder.path().join("a")).await;
    stage.pass(40);
    read_once(&gateway).await;
    for _ in 0..3 {
        stage.buy(100);
    }
    read_once(&gateway).await;
    // As if the node had told of a later one and not of this.
    let lost = "SELECT signature FROM tx WHERE final = 0 ORDER BY slot LIMIT 1";
    let lost = gateway.store.read(move |sql| sql.query(lost, &[])).await;
    let lost = lost.unwrap()[0][0].text().unwrap().to_owned();
    let taken = gateway.store.write(move |sql| withdraw(sql, &lost));
    taken.await.unwrap();
    stage.pass(3);
    read_once(&gateway).await;
    assert_eq!(gateway.metrics.repaired.get(), 1);
    assert_eq!(complete(&gateway), (true, 0, 0));
    let untroubled = stage.in_file(&folder.path().join("b")).await;
    read_once(&untroubled).await;
    assert_eq!(rows(&gateway).await, rows(&untroubled).await);
}

#[tokio::test]
async fn a_hole_shows() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let gateway = stage.in_file(&folder.path().join("a")).await;
    stage.pass(3);
    read_once(&gateway).await;
    assert_eq!(complete(&gateway), (true, 0, 0));
    // As if a transaction had never been read that made somebody's position.
    let forgotten = stage.scene.shorts[5].address.to_string();
    let gone = "DELETE FROM standing WHERE trader = $1";
    gateway
        .store
        .write(move |sql| sql.execute(gone, &[forgotten.into()]))
        .await
        .unwrap();
    stage.buy(100);
    stage.pass(3);
    read_once(&gateway).await;
    let (whole, holes, _) = complete(&gateway);
    assert_eq!((whole, holes), (false, 1));
    let health = gateway.vitals(|vitals| vitals.report(Instant::now()));
    let hole = &health.history.newest_holes[0];
    assert_eq!(hole.what, "position");
    assert_eq!(
        hole.trader.as_deref(),
        Some(&*stage.scene.shorts[5].address.to_string())
    );
    assert_eq!(
        (hole.expected.as_str(), hole.found.as_str()),
        ("0", "-9500")
    );
}

/// Fees before and after insurance gets another part of them, a donation, funding.
fn fees_and_funding(stage: &Stage) {
    stage.buy(100);
    let market = &stage.scene.market;
    stage.node.with(|sandbox| {
        let mut risk = sandbox.market(market).risk;
        risk.insurance_fee_share_bps += 1_234;
        sandbox.set_market_risk(market, risk).expect("parameters");
    });
    for lots in [333, 177] {
        stage.buy(lots);
    }
    stage.node.with(|sandbox| {
        let donor = sandbox.create_wallet(5 * USD).expect("a wallet");
        let donated = sandbox.donate_insurance(market, &donor, 5 * USD);
        donated.expect("a donation");
        sandbox.advance_slots(9_000);
        sandbox.set_price(market, 200_000);
        sandbox.accrue_funding(market).expect("funding");
    });
    stage.buy(110);
    stage.node.with(|sandbox| {
        sandbox.advance_slots(9_000);
        sandbox.set_price(market, 200_000);
        sandbox.accrue_funding(market).expect("funding");
    });
}

/// What history leads to of a market's sum.
pub async fn sum(gateway: &Gateway, what: &'static str) -> Option<i64> {
    let known = "SELECT value FROM standing WHERE what = $1";
    let found = gateway
        .store
        .read(move |sql| sql.query(known, &[what.into()]));
    found.await.unwrap().first()?.first()?.int()
}

#[tokio::test]
async fn insurance_and_funding_join_and_what_is_missing_of_them_shows() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let gateway = stage.in_file(&folder.path().join("a")).await;
    fees_and_funding(&stage);
    stage.pass(3);
    read_once(&gateway).await;
    assert_eq!(complete(&gateway), (true, 0, 0));
    let chain = |stage: &Stage| {
        let market = stage
            .node
            .with(|sandbox| sandbox.market(&stage.scene.market));
        (
            market.insurance.balance.cast_signed(),
            market.funding.index.get(),
        )
    };
    let (insurance, index) = chain(&stage);
    assert_eq!(sum(&gateway, "insurance_atoms").await, Some(insurance));
    assert_eq!(sum(&gateway, "funding_index").await, Some(index));
    assert_ne!(index, 0, "funding accrued");
    stage.crash();
    stage.node.with(|sandbox| {
        let accrued = sandbox.accrue_funding(&stage.scene.market);
        accrued.expect("funding");
    });
    stage.pass(3);
    read_once(&gateway).await;
    assert_eq!(complete(&gateway), (true, 0, 0));
    let sums = [
        sum(&gateway, "insurance_atoms").await,
        sum(&gateway, "funding_index").await,
    ];
    let (insurance, index) = chain(&stage);
    assert_eq!(sums, [Some(insurance), Some(index)]);

    // As if a transaction had never been read that paid a fee, and one that accrued funding.
    let gone =
        "UPDATE standing SET value = value - 1 WHERE what IN ('insurance_atoms', 'funding_index')";
    let gone = gateway.store.write(move |sql| sql.execute(gone, &[]));
    assert_eq!(gone.await.unwrap(), 2);
    stage.node.with(|sandbox| {
        let donor = sandbox.create_wallet(USD).expect("a wallet");
        let donated = sandbox.donate_insurance(&stage.scene.market, &donor, USD);
        donated.expect("a donation");
        let accrued = sandbox.accrue_funding(&stage.scene.market);
        accrued.expect("funding");
    });
    stage.pass(3);
    read_once(&gateway).await;
    let health = gateway.vitals(|vitals| vitals.report(Instant::now()));
    assert!(!health.history.complete);
    let mut holes = health.history.newest_holes;
    holes.sort_by(|one, other| one.what.cmp(&other.what));
    let found: Vec<_> = holes
        .iter()
        .map(|hole| {
            let [expected, found] =
                [&hole.expected, &hole.found].map(|text| text.parse::<i64>().unwrap());
            (hole.what.as_str(), found - expected, hole.trader.as_deref())
        })
        .collect();
    assert_eq!(
        found,
        [("funding_index", 1, None), ("insurance_atoms", 1, None)]
    );
}

#[tokio::test]
async fn stakes_pools_and_triggers_join_as_trades_do() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let market = &stage.scene.market;
    stage.node.with(|sandbox| {
        sandbox.open_stakes(market).expect("stakes");
        let staker = sandbox.staker(market, 40 * USD);
        let share = sandbox.share(&market.stakes(), &staker.address());
        let asked = sandbox.request_unstake(market, &staker, share.shares / 2);
        asked.expect("a request");
        let params = PoolParams::for_market(&sandbox.market(market).risk);
        sandbox.create_pool(market, params).expect("a pool");
        let depositor = sandbox.depositor(market, 100 * USD);
        let asked = sandbox.request_pool(market, &depositor, 1);
        asked.expect("a request");
        // Tokens that nobody's ledger has.
        sandbox
            .mint_to(&market.insurance_vault, 3 * USD)
            .expect("tokens");
        sandbox.sweep_insurance(market).expect("a sweep");
        let trigger = PlaceTriggerArgs {
            kind: TriggerKind::StopLoss,
            price_ticks: 199_000,
            worst_ticks: 0,
            lots: 700,
        };
        let long = &stage.scene.longs[5];
        sandbox
            .place_trigger(market, long, trigger)
            .expect("a trigger");
        sandbox.advance_slots(2);
        sandbox.set_price(market, 198_900);
        let makers = [stage.scene.maker.address];
        let kind = TriggerKind::StopLoss;
        let fired = sandbox.execute_trigger(market, &long.address, &stage.keeper, kind, &makers);
        fired.expect("a stop-loss");
        let (slot, time) = (sandbox.slot(), sandbox.time());
        sandbox.set_clock(slot + STAKE_TERMS.delay_slots, time + 432_000);
        sandbox.set_price(market, 200_000);
        sandbox.unstake(market, &staker, 0).expect("a payment");
        sandbox.accrue_funding(market).expect("funding");
    });
    stage.buy(100);
    stage.crash();
    let gateway = stage.in_file(&folder.path().join("a")).await;
    read_once(&gateway).await;
    let health = gateway.vitals(|vitals| vitals.report(Instant::now()));
    assert!(health.history.complete, "{:?}", health.history);
    let insurance = stage
        .node
        .with(|sandbox| sandbox.market(market).insurance.balance);
    assert_eq!(
        sum(&gateway, "insurance_atoms").await,
        Some(insurance.cast_signed())
    );
}

#[tokio::test]
async fn parameters_are_told_as_they_changed() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let before = stage
        .node
        .with(|sandbox| sandbox.market(&stage.scene.market).risk);
    fees_and_funding(&stage);
    let gateway = stage.served(&folder.path().join("a")).await;
    let page = gateway.json("/v1/markets/0/parameters?limit=2").await;
    let row = &page["rows"][0];
    let share = |by: u32| (before.insurance_fee_share_bps + by).to_string();
    assert_eq!(row["name"], "insurance_fee_share_bps");
    assert_eq!(
        (&row["before"], &row["after"], &row["event"]),
        (
            &share(0).into(),
            &share(1_234).into(),
            &"MarketRiskUpdated".into()
        )
    );
    // Before that everything was as the market was created with.
    let created = &page["rows"][1];
    assert_eq!(
        (&created["event"], &created["before"]),
        (&"MarketCreated".into(), &().into())
    );
    let next = page["next"].as_str().unwrap();
    let older = gateway
        .json(&format!("/v1/markets/0/parameters?limit=1&before={next}"))
        .await;
    assert_ne!(older["rows"][0]["name"], created["name"]);
    let one = gateway
        .json("/v1/markets/0/parameters?name=taker_fee_bps")
        .await;
    assert_eq!(one["rows"].as_array().unwrap().len(), 1);
    assert_eq!(one["rows"][0]["after"], before.taker_fee_bps.to_string());
    assert_eq!(one["next"], serde_json::Value::Null);
    let both = gateway
        .json("/v1/markets/0/parameters?name=insurance_fee_share_bps")
        .await;
    assert_eq!(both["rows"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_counter_that_does_not_agree_shows() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let gateway = stage.in_file(&folder.path().join("a")).await;
    stage.crash();
    read_once(&gateway).await;
    let gone = "DELETE FROM entry WHERE kind = 'liquidation'";
    let gone = gateway
        .store
        .write(move |sql| sql.execute(gone, &[]))
        .await
        .unwrap();
    read_once(&gateway).await;
    let health = gateway
        .vitals(|vitals| vitals.report(Instant::now()))
        .history;
    assert!(!health.complete);
    let counter = &health.counters[0];
    assert_eq!(counter.what, "liquidations");
    assert_eq!(
        (counter.expected.as_str(), counter.found.clone()),
        ("0", gone.to_string())
    );
}

#[test]
fn a_database_of_another_chain_or_layout_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = |chain: &str| Store::open(Place::Sqlite(folder.path().join("a"), None), chain);
    let store = open("one").unwrap();
    let refused = |chain| open(chain).err().map(|error| error.to_string());
    assert_eq!(refused("one"), None);
    let said = refused("other").unwrap();
    assert!(
        said.contains("holds the history of one, not of other"),
        "{said}"
    );
    let older = "UPDATE meta SET value = '0' WHERE name = 'layout'";
    store.write_here(|sql| sql.execute(older, &[])).unwrap();
    let said = refused("one").unwrap();
    assert!(said.contains("has layout 0"), "{said}");
}

#[tokio::test]
async fn the_next_node_is_asked_when_the_first_does_not_answer() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let mut config = stage.config(&format!(
        "sqlite = \"{}\"",
        folder.path().join("a").display()
    ));
    let good = config.node[0].clone();
    config.node.insert(
        0,
        NodeConfig {
            rpc: Endpoint::new("http://127.0.0.1:1"),
            websocket: None,
        },
    );
    assert_eq!(config.node[1].rpc.url(), good.rpc.url());
    let served = serve(Gateway::open(config).await.unwrap()).await;
    assert_eq!(served.gateway.nodes.number(), 1);
    assert_eq!(served.json("/v1/markets/0").await["price"], "200");
}

#[tokio::test]
async fn without_a_node_history_says_so() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let gateway = stage.in_file(&folder.path().join("a")).await;
    drop(stage);
    let failed = once(&gateway).await.unwrap_err().to_string();
    assert!(failed.contains("the chain was not read"), "{failed}");
    let health = gateway.vitals(|vitals| vitals.report(Instant::now()));
    assert!(
        health
            .problems
            .iter()
            .any(|one| one.contains("the chain was not read") || one.contains("did not answer")),
        "{:?}",
        health.problems
    );
}
