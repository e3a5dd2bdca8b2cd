//! Orders that trade with the book and wait in it.

use ballast::instructions::trader::order_args::{OrderKind, PlaceOrderArgs, SelfTrade};
use ballast::state::book_account::OrderSide;
use ballast_client::events::BallastEvent;
use ballast_sandbox::{Options, Sandbox};

const USD: u64 = 1_000_000;

pub fn order(side: OrderSide, price_ticks: u64, lots: u64) -> PlaceOrderArgs {
    PlaceOrderArgs {
        side,
        kind: OrderKind::Limit,
        price_ticks,
        lots,
        margin: 0,
        client_id: 0,
        expires_at: 0,
        reduce_only: false,
        self_trade: SelfTrade::CancelProvide,
    }
}

#[test]
fn a_taker_and_a_maker_meet() {
    let (mut sandbox, sol) = Sandbox::with_sol_market(&Options::default()).unwrap();
    let maker = sandbox.create_trader(100_000 * USD).unwrap();
    let taker = sandbox.create_trader(100_000 * USD).unwrap();
    let placed = sandbox
        .place_order(&sol, &maker, order(OrderSide::Ask, 200_100, 1_000), &[])
        .unwrap();
    println!("place: {}", placed.compute_units);
    assert!(sandbox.conservation().holds());
    let taken = sandbox
        .place_order(
            &sol,
            &taker,
            order(OrderSide::Bid, 200_100, 600),
            &[maker.address],
        )
        .unwrap();
    println!("place and fill: {}", taken.compute_units);
    for event in &taken.events {
        if let BallastEvent::OrderPlaced(event) = event {
            println!("{event:#?}");
        }
    }
    assert!(sandbox.conservation().holds());
    let slot = sandbox.position(&sol, &taker.address).unwrap();
    assert_eq!(slot.lots, 600);
    let slot = sandbox.position(&sol, &maker.address).unwrap();
    assert_eq!((slot.lots, slot.order_count), (-600, 1));
}
