//! As many makers as one call works through, with everything that needs memory at once.

use anchor_lang::prelude::Pubkey;
use ballast_client::instructions::anyone::Takeover;
use ballast_sandbox::{BlockTrade, MarketCookie, Options, Sandbox, TraderCookie};
use ballast_state::book_account::OrderSide;
use ballast_state::order_args::PlaceOrderArgs;

use crate::orders::{ask, bid};
use crate::support::{done, quiet};

const USD: u64 = 1_000_000;
const MAKERS: u64 = 32;

/// Thirty-two traders with an order of ten lots each.
fn makers(
    sandbox: &mut Sandbox,
    market: &MarketCookie,
    side: OrderSide,
    best_ticks: u64,
) -> Vec<Pubkey> {
    (0..MAKERS)
        .map(|place| {
            let maker = sandbox.create_trader(1_000 * USD).unwrap();
            let order = match side {
                OrderSide::Ask => ask(best_ticks + place, 10),
                OrderSide::Bid => bid(best_ticks - place, 10),
            };
            done(sandbox.place_order(market, &maker, order, &[]));
            maker.address
        })
        .collect()
}

/// Sixteen orders of one trader.
fn sixteen(
    sandbox: &mut Sandbox,
    market: &MarketCookie,
    trader: &TraderCookie,
    order: PlaceOrderArgs,
) {
    for _ in 0..16 {
        done(sandbox.place_order(market, trader, order, &[]));
    }
}

#[test]
fn an_order_takes_thirty_two_makers_and_sixteen_of_its_own() {
    let (mut sandbox, sol) = Sandbox::with_market(&Options::default(), &quiet()).unwrap();
    let taker = sandbox.create_trader(10_000 * USD).unwrap();
    sixteen(&mut sandbox, &sol, &taker, ask(200_000, 10));
    let listed = makers(&mut sandbox, &sol, OrderSide::Ask, 200_001);
    let taking = bid(200_100, 400);
    let outcome = done(sandbox.place_order(&sol, &taker, taking, &listed));
    println!("32 makers and 16 own orders: {}", outcome.compute_units);
    let slot = sandbox.position(&sol, &taker.address).unwrap();
    // Its own went; what is left of the new one waits.
    assert_eq!((slot.lots, slot.order_count), (320, 1));
    assert!(sandbox.conservation().holds());
}

#[test]
fn a_liquidation_takes_thirty_two_makers_and_cancels_sixteen() {
    let (mut sandbox, sol) = Sandbox::with_market(&Options::default(), &quiet()).unwrap();
    let long = sandbox.create_trader(1_000 * USD).unwrap();
    let short = sandbox.create_trader(1_000 * USD).unwrap();
    let keeper = sandbox.create_trader(1_000 * USD).unwrap();
    let terms = BlockTrade {
        lots: 400,
        price_ticks: 200_000,
        taker_margin: 4_200_000,
        maker_margin: 40_000_000,
    };
    done(sandbox.block_trade(&sol, &long, &short, terms));
    sixteen(&mut sandbox, &sol, &long, bid(190_000, 10));
    sandbox.set_price(&sol, 189_600);
    let listed = makers(&mut sandbox, &sol, OrderSide::Bid, 189_590);
    let before = sandbox.position(&sol, &long.address).unwrap();
    assert_eq!(before.order_count, 16);
    let offer = Takeover::with_margin(20 * USD);
    let outcome = sandbox.liquidate_into_book(&sol, &long.address, &keeper, offer, &listed);
    let outcome = done(outcome);
    println!(
        "32 makers and 16 orders cancelled: {}",
        outcome.compute_units
    );
    assert!(sandbox.conservation().holds());
    assert!(sandbox.position(&sol, &long.address).is_none());
}
