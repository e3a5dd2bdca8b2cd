//! What is not migrated is refused, whoever names it.

use ballast_client::instructions::anyone::Takeover;
use ballast_sandbox::{BlockTrade, Sandbox, TxResult};
use ballast_state::book_account::OrderSide;
use ballast_state::error::BallastError;
use ballast_state::instructions::{OrderRef, PlaceTriggerArgs};
use ballast_state::order_args::{OrderKind, PlaceOrderArgs};
use ballast_state::trigger::TriggerKind;

use crate::snapshot::{Old, Outdated};

type Call<'a> = (&'static str, Box<dyn Fn(&mut Sandbox) -> TxResult + 'a>);

fn order(side: OrderSide, price_ticks: u64, lots: u64) -> PlaceOrderArgs {
    PlaceOrderArgs {
        side,
        kind: OrderKind::ImmediateOrCancel,
        price_ticks,
        lots,
        ..PlaceOrderArgs::default()
    }
}

/// Calls that name traders, queues and the book.
fn trades(old: &Old) -> Vec<Call<'_>> {
    let (market, traders) = (&old.market, &old.traders);
    let (maker, taker) = (&traders[22], &traders[4]);
    vec![
        (
            "block_trade",
            Box::new(move |s| {
                let terms = BlockTrade {
                    lots: -100,
                    price_ticks: 188_600,
                    taker_margin: 0,
                    maker_margin: 0,
                };
                s.block_trade(market, taker, &traders[5], terms)
            }),
        ),
        (
            "place_order",
            Box::new(move |s| {
                let sell = order(OrderSide::Ask, 187_000, 100);
                s.place_order(market, taker, sell, &[maker.address])
            }),
        ),
        (
            "cancel_order",
            Box::new(move |s| s.cancel_order(market, maker, OrderRef::ClientId(110))),
        ),
        (
            "cancel_all_orders",
            Box::new(move |s| s.cancel_all_orders(market, maker, None)),
        ),
        (
            "liquidate",
            Box::new(move |s| {
                let offer = Takeover::with_margin(100_000_000);
                s.liquidate_into_book(market, &traders[20].address, taker, offer, &[])
            }),
        ),
        (
            "auto_deleverage",
            Box::new(move |s| {
                let short = [traders[19].address];
                s.auto_deleverage(market, &traders[18].address, taker, &short)
            }),
        ),
        (
            "advance_adl_session",
            Box::new(move |s| s.advance_adl_session(market, &old.session, 9, vec![])),
        ),
        (
            "execute_adl_session",
            Box::new(move |s| {
                s.execute_adl_session(market, &old.session, taker, &[traders[19].address])
            }),
        ),
        (
            "flag_bankruptcy",
            Box::new(move |s| s.flag_bankruptcy(market, &traders[20].address)),
        ),
        (
            "remove_margin",
            Box::new(move |s| s.remove_margin(market, taker, 1)),
        ),
        (
            "add_margin",
            Box::new(move |s| s.add_margin(market, taker, 1)),
        ),
        (
            "release_profit",
            Box::new(move |s| s.release_profit(market, &[taker.address])),
        ),
    ]
}

/// Calls that name no queue, nor a book.
fn others(old: &Old) -> Vec<Call<'_>> {
    let (market, trader) = (&old.market, &old.traders[4]);
    vec![
        (
            "accrue_funding",
            Box::new(move |s| s.accrue_funding(market)),
        ),
        ("set_pause", Box::new(move |s| s.set_pause(1))),
        (
            "sweep_insurance",
            Box::new(move |s| s.sweep_insurance(market)),
        ),
        (
            "grow_queue",
            Box::new(move |s| s.grow_queue(market, &market.keys.queue_long, 1)),
        ),
        ("withdraw", Box::new(move |s| s.withdraw(trader, 1))),
        (
            "set_delegate",
            Box::new(move |s| s.set_delegate(trader, None)),
        ),
        ("close_trader", Box::new(move |s| s.close_trader(trader))),
        (
            "place_trigger",
            Box::new(move |s| {
                let args = PlaceTriggerArgs {
                    kind: TriggerKind::StopLoss,
                    price_ticks: 150_000,
                    worst_ticks: 0,
                    lots: 10,
                };
                s.place_trigger(market, trader, args)
            }),
        ),
        (
            "cancel_trigger",
            Box::new(move |s| s.cancel_trigger(market, trader, TriggerKind::StopLoss)),
        ),
    ]
}

#[track_caller]
fn refused(old: &Old, calls: &[Call<'_>]) {
    let before = old.state();
    for (name, call) in calls {
        let mut copy = old.fork();
        let error = call(&mut copy.sandbox).expect_err(name);
        let outdated = BallastError::AccountOutdated;
        assert_eq!(error.number, Some(outdated.number()), "{name}: {error}");
        assert!(before == copy.state(), "{name} changed an account");
    }
}

#[test]
fn nothing_of_0_2_0_is_read() {
    let old = Old::load();
    refused(&old, &trades(&old));
    refused(&old, &others(&old));
}

#[test]
fn a_single_account_that_is_left_out_is_refused() {
    for left_out in [
        Outdated::Market,
        Outdated::QueueLong,
        Outdated::QueueShort,
        Outdated::Book,
    ] {
        let mut old = Old::load();
        for account in old.outdated() {
            if account == left_out {
                continue;
            }
            // Traders with orders wait for their book.
            let migrated = old.migrate(account);
            assert!(
                migrated.is_ok() || left_out == Outdated::Book,
                "{account:?}"
            );
        }
        let reads = |name: &str| match left_out {
            // These look at the queues or the book only where there is something to do.
            Outdated::Book => name == "place_order",
            Outdated::Market => name != "cancel_trigger",
            _ => name == "block_trade",
        };
        let calls = trades(&old).into_iter().filter(|(name, _)| reads(name));
        refused(&old, &calls.collect::<Vec<_>>());
    }
}

#[test]
fn the_refusal_names_the_account_and_the_remedy() {
    let mut old = Old::load();
    old.migrate(Outdated::Exchange).unwrap();
    let market = old.market.clone();
    let error = old.sandbox.accrue_funding(&market).unwrap_err();
    let told = |word: &str| error.logs.iter().any(|line| line.contains(word));
    assert!(told(&market.keys.market.to_string()), "{:?}", error.logs);
    assert!(told("migrate_market"), "{:?}", error.logs);
}

#[test]
fn a_maker_that_is_not_migrated_is_in_nobody_s_way() {
    let mut old = Old::load();
    for account in old.outdated() {
        if account != Outdated::Trader(22) {
            old.migrate(account).unwrap();
        }
    }
    let (market, taker, maker) = (
        old.market.clone(),
        old.traders[4].clone(),
        old.traders[22].address,
    );
    let sell = order(OrderSide::Ask, 187_000, 300);
    let listed = old.sandbox.place_order(&market, &taker, sell, &[maker]);
    let error = listed.unwrap_err();
    assert!(error.is("AccountOutdated"), "{error}");
    old.migrate(Outdated::Trader(22)).unwrap();
    let filled = old.sandbox.place_order(&market, &taker, sell, &[maker]);
    filled.unwrap();
    let left = old.sandbox.position(&market, &taker.address).unwrap();
    assert_eq!(left.lots, 1_900);
}
