//! Cross margin in history.

use ballast_client::instructions::anyone::Takeover;
use ballast_client::moment::Moment;
use ballast_client::ranking::{plan, Request};
use ballast_engine::units::Side;
use ballast_gateway::gateway::Gateway;
use ballast_node::scene::USD;
use ballast_sandbox::{BlockTrade, MarketCookie, Sandbox};
use ballast_state::book_account::OrderSide;
use ballast_state::cross::EnableCrossArgs;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs};
use ballast_state::seeds::BOARD_ADDRESS;
use ballast_state::Pubkey;

use crate::history::{complete, sum};
use crate::stage::{read_once, rows, Stage};

/// Slots in which a lot owes some atoms of funding.
const HOUR: u64 = 9_000;

/// An hour later, at the same price.
fn later(stage: &Stage) {
    stage.pass(HOUR);
    stage.price(200_000);
}

/// Funding accrues in an instruction that says from where it did.
fn accrue(stage: &Stage) -> i64 {
    stage.node.with(|sandbox| {
        let accrued = sandbox.accrue_funding(&stage.scene.market);
        accrued.expect("funding");
        sandbox.market(&stage.scene.market).funding.index.get()
    })
}

/// Gives the market cross margin; its queues.
fn enabled(sandbox: &mut Sandbox, market: &MarketCookie) -> [Pubkey; 2] {
    sandbox.create_board().expect("a board");
    let queues = sandbox.create_cross_queues(16).expect("two queues");
    let terms = EnableCrossArgs {
        most_lots: 1_000_000,
        draw_cap_bps: 2_500,
        max_age_slots: 50,
    };
    let enabled = sandbox.enable_cross(market, &queues, terms);
    enabled.expect("cross margin");
    queues.both()
}

/// A leg comes and goes, its record and the market's mark are renewed, and after each of it funding accrues.
fn leg(stage: &Stage) {
    let (market, trader) = (&stage.scene.market, &stage.scene.longs[5]);
    let queues = stage.node.with(|sandbox| enabled(sandbox, market));
    let mut index = accrue(stage);
    let mut touched = |what: &dyn Fn(&mut Sandbox)| {
        later(stage);
        stage.node.with(|sandbox| what(sandbox));
        let before = index;
        index = accrue(stage);
        assert_ne!(index, before, "funding accrued");
    };
    touched(&|it| {
        it.record_marks(&[market]).expect("a mark");
    });
    touched(&|it| {
        it.to_cross(market, trader, &queues).expect("a leg");
    });
    let listed = [trader.address];
    touched(&|it| {
        let refreshed = it.refresh_ranks(market, &queues[..1], &listed);
        refreshed.expect("a record");
    });
    touched(&|it| {
        it.record_marks(&[market]).expect("a mark");
        let moved = it.move_cross(trader, 50_000_000, &queues[..1]);
        moved.expect("collateral");
    });
    touched(&|it| {
        let left = it.to_isolated(market, trader, 200 * USD, &queues);
        left.expect("an isolated position");
    });
    stage.pass(3);
}

/// What the transfers of the one with the leg say of its pool: a word, the amount, and the pool before and after.
async fn pool(stage: &Stage, gateway: &Gateway) -> Vec<(String, Option<i64>, i64, i64)> {
    let trader = stage.scene.longs[5].address.to_string();
    let lines = "SELECT detail, amount_atoms, before_value, after_value FROM entry
         WHERE trader = $1 AND kind = 'transfer' AND event IN ('CrossMoved', 'MarginConverted')
         ORDER BY slot, place, idx";
    let lines = gateway
        .store
        .read(move |sql| sql.query(lines, &[trader.into()]));
    let lines = lines.await.unwrap();
    let told = lines.iter().map(|line| {
        let word = line[0].text().unwrap().to_owned();
        let int = |at: usize| line[at].int();
        (word, int(1), int(2).unwrap(), int(3).unwrap())
    });
    told.collect()
}

#[tokio::test]
async fn calls_about_legs_leave_no_holes_and_the_same_rows() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let piecemeal = stage.in_file(&folder.path().join("a")).await;
    read_once(&piecemeal).await;
    later(&stage);
    accrue(&stage);
    leg(&stage);
    read_once(&piecemeal).await;
    assert_eq!(complete(&piecemeal), (true, 0, 0));
    let index = accrue(&stage);
    stage.pass(40);
    read_once(&piecemeal).await;
    assert_eq!(sum(&piecemeal, "funding_index").await, Some(index));

    let lines = pool(&stage, &piecemeal).await;
    let told: Vec<_> = lines.iter().map(|line| (line.0.as_str(), line.1)).collect();
    assert_eq!(
        told,
        [
            ("joined", None),
            ("pool", Some(-50_000_000)),
            ("left", None),
        ]
    );
    // Each begins with the pool that the one before left, and the first with none.
    let befores: Vec<_> = lines.iter().map(|line| line.2).collect();
    let afters: Vec<_> = lines.iter().map(|line| line.3).collect();
    assert_eq!(befores, [0, afters[0], afters[1]]);
    assert_eq!(afters[1], afters[0] + 50_000_000);
    let trader = stage.scene.longs[5].address;
    let chain = stage.node.with(|it| it.trader(&trader).cross_pool);
    assert!(chain > 0 && afters[2] == chain, "{afters:?} {chain}");

    let at_once = stage.in_file(&folder.path().join("b")).await;
    read_once(&at_once).await;
    assert_eq!(rows(&piecemeal).await, rows(&at_once).await);
}

#[tokio::test]
async fn the_cross_margin_of_an_account_is_answered() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let trader = &stage.scene.longs[5];
    let path = format!("/v1/traders/{}/account", trader.address);
    let served = stage.served(&folder.path().join("a")).await;
    let none = served.json(&path).await;
    assert_eq!(none["error"], "the exchange has no cross margin");
    stage.node.with(|sandbox| {
        let market = &stage.scene.market;
        let queues = enabled(sandbox, market);
        sandbox.to_cross(market, trader, &queues).expect("a leg");
    });
    let shown = served.json(&path).await;
    // $305 over 10 SOL from $200, of which 2.5% is its maintenance margin.
    for (field, expected) in [
        ("pool_atoms", "305000000"),
        ("equity_atoms", "305000000"),
        ("maintenance_atoms", "50000000"),
        ("health", "healthy"),
    ] {
        assert_eq!(shown[field], expected, "{field}: {shown}");
    }
    let leg = &shown["legs"][0];
    assert_eq!(leg["bankruptcy_ticks"], "169500", "{leg}");
}

/// One leg is liquidated, another deleveraged, and funding accrues in between.
fn forced(stage: &Stage) {
    let (market, keeper) = (&stage.scene.market, &stage.keeper);
    let legs = &stage.scene.longs[..2];
    let queues = stage.node.with(|sandbox| {
        let queues = enabled(sandbox, market);
        for leg in legs {
            sandbox.to_cross(market, leg, &queues).expect("a leg");
        }
        let maker = &stage.scene.maker;
        let left = sandbox.cancel_all_orders(market, maker, None);
        left.expect("the orders");
        queues
    });
    let priced = |ticks: u64, what: &dyn Fn(&mut Sandbox)| {
        stage.pass(2);
        stage.price(ticks);
        stage.node.with(|sandbox| {
            sandbox.record_marks(&[market]).expect("a mark");
            what(sandbox);
        });
        accrue(stage);
    };
    priced(193_000, &|it| {
        let leg = &legs[0].address;
        it.flag_leg(market, leg).expect("a flag");
        let offer = Takeover::with_margin(500 * USD);
        let step = it.liquidate_leg(market, leg, keeper, offer, &queues, &[]);
        step.expect("a liquidation");
    });
    priced(180_000, &|it| {
        let leg = &legs[1].address;
        it.flag_leg(market, leg).expect("a flag");
        // The only leg of its account is an isolated position with the pool as its margin.
        let slot = it.leg(market, leg).expect("a leg");
        let request = Request {
            bankrupt: *leg,
            max_counterparties: 8,
            spares: 0,
        };
        let moment = Moment {
            slot: it.slot(),
            unix_timestamp: it.time(),
            price_ticks: 180_000,
        };
        let queue = it.queue(market, Side::Short);
        let queue = queue.queue().expect("a queue");
        let planned = plan(&it.market(market), &queue, &slot, &moment, &request);
        let list = planned.expect("a plan").counterparties;
        let round = it.auto_deleverage_cross(market, leg, keeper, &queues, &list);
        round.expect("a round");
    });
    stage.pass(40);
}

#[tokio::test]
async fn forced_legs_join_and_are_counted() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let gateway = stage.in_file(&folder.path().join("a")).await;
    forced(&stage);
    read_once(&gateway).await;
    assert_eq!(complete(&gateway), (true, 0, 0));
    let market = stage.node.with(|it| it.market(&stage.scene.market));
    assert_eq!((market.liquidations, market.adl_rounds), (1, 1));
    let told = "SELECT COUNT(*) FROM entry WHERE event = 'LegForced' AND trader = $1";
    for leg in &stage.scene.longs[..2] {
        let trader = leg.address.to_string();
        let lines = gateway
            .store
            .read(move |sql| sql.query(told, &[trader.into()]));
        // Beside the flag, and beside the step or the round.
        assert_eq!(lines.await.unwrap()[0][0].int(), Some(2));
    }
}

/// An order of a leg waits, and somebody else's takes a part of it.
fn made(stage: &Stage) -> Pubkey {
    let (market, trader) = (&stage.scene.market, &stage.scene.longs[5]);
    let taker = &stage.scene.longs[4];
    stage.node.with(|it| {
        let maker = &stage.scene.maker;
        let left = it.cancel_all_orders(market, maker, None);
        left.expect("the orders");
        let queues = enabled(it, market);
        it.to_cross(market, trader, &queues).expect("a leg");
        let offer = PlaceOrderArgs {
            side: OrderSide::Ask,
            kind: OrderKind::PostOnly,
            price_ticks: 200_100,
            lots: 2_000,
            ..PlaceOrderArgs::default()
        };
        let placed = it.trade_leg(market, trader, offer, &queues, &[]);
        placed.expect("an order");
        let taking = PlaceOrderArgs {
            side: OrderSide::Bid,
            kind: OrderKind::ImmediateOrCancel,
            lots: 1_500,
            ..offer
        };
        let listed = [&[BOARD_ADDRESS][..], &queues, &[trader.address]].concat();
        let taken = it.place_order(market, taker, taking, &listed);
        taken.expect("a fill");
    });
    trader.address
}

#[tokio::test]
async fn what_orders_of_legs_made_of_their_pools_is_told_and_their_lots_are_known() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let gateway = stage.in_file(&folder.path().join("a")).await;
    read_once(&gateway).await;
    later(&stage);
    accrue(&stage);
    let trader = made(&stage);
    accrue(&stage);
    stage.pass(40);
    read_once(&gateway).await;
    assert_eq!(complete(&gateway), (true, 0, 0));
    let (lots, pool) = stage.node.with(|it| {
        let account = it.trader(&trader);
        let leg = account.leg(&stage.scene.market.keys.market).expect("a leg");
        (leg.lots, account.cross_pool)
    });
    let told = "SELECT detail, before_value, after_value FROM entry
         WHERE event = 'LegsMade' AND trader = $1";
    let lines = gateway
        .store
        .read(move |sql| sql.query(told, &[trader.to_string().into()]));
    let lines = lines.await.unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0][0].text(), Some("pool"));
    let (before, after) = (lines[0][1].int(), lines[0][2].int());
    assert!(
        before != after && after == Some(pool),
        "{before:?} {after:?}"
    );
    let known = "SELECT value FROM standing WHERE what = 'position' AND trader = $1";
    let found = gateway
        .store
        .read(move |sql| sql.query(known, &[trader.to_string().into()]));
    assert_eq!(found.await.unwrap()[0][0].int(), Some(lots));
}

/// A leg trades at an agreed price with an isolated position, which becomes a leg, and with that.
fn blocks(stage: &Stage) -> [Pubkey; 2] {
    let (market, two) = (
        &stage.scene.market,
        [&stage.scene.longs[5], &stage.scene.longs[4]],
    );
    let queues = stage.node.with(|it| {
        let queues = enabled(it, market);
        it.to_cross(market, two[0], &queues).expect("a leg");
        queues
    });
    let trade = |legs: [bool; 2]| {
        let agreed = BlockTrade {
            lots: -500,
            price_ticks: 200_100,
            taker_margin: 0,
            maker_margin: 20 * USD,
        };
        stage.node.with(|it| {
            let traded = it.block_trade_cross(market, two, agreed, legs, &queues);
            traded.expect("a block trade");
        });
    };
    trade([true, false]);
    later(stage);
    stage.node.with(|it| {
        it.to_cross(market, two[1], &queues).expect("another leg");
    });
    trade([true, true]);
    two.map(|one| one.address)
}

#[tokio::test]
async fn block_trades_of_legs_join_and_their_lots_are_known() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let gateway = stage.in_file(&folder.path().join("a")).await;
    read_once(&gateway).await;
    later(&stage);
    accrue(&stage);
    let two = blocks(&stage);
    accrue(&stage);
    stage.pass(40);
    read_once(&gateway).await;
    assert_eq!(complete(&gateway), (true, 0, 0));
    let fills = "SELECT trader, other, lots, detail FROM entry WHERE event = 'CrossBlockTraded'";
    let lines = gateway.store.read(|sql| sql.query(fills, &[]));
    let lines = lines.await.unwrap();
    assert_eq!(lines.len(), 2);
    for line in &lines {
        let [taker, maker] = two.map(|one| one.to_string());
        assert_eq!(
            (line[0].text(), line[1].text()),
            (Some(&*taker), Some(&*maker))
        );
        assert_eq!((line[2].int(), line[3].text()), (Some(500), Some("block")));
    }
    for trader in two {
        let lots = stage.node.with(|it| {
            let market = stage.scene.market.keys.market;
            it.trader(&trader).leg(&market).expect("a leg").lots
        });
        let known = "SELECT value FROM standing WHERE what = 'position' AND trader = $1";
        let found = gateway
            .store
            .read(move |sql| sql.query(known, &[trader.to_string().into()]));
        assert_eq!(found.await.unwrap()[0][0].int(), Some(lots));
    }
}
