//! A trade on the order book of an embedded exchange: the built program in a virtual machine, without a
//! validator.
//!
//! `cargo xtask examples place_order`.

use std::error::Error;

use ballast_client::makers::{order_makers, TakerView};
use ballast_client::price::decode_price;
use ballast_engine::position::Position;
use ballast_sandbox::{MarketCookie, Options, Sandbox, TraderCookie};
use ballast_state::book_account::OrderSide;
use ballast_state::events::BallastEvent;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs};
use ballast_state::Pubkey;

/// Atoms of a quote unit. One lot, 0.001 SOL, at one tick, $0.001, is one atom.
const USD: u64 = 1_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut sandbox, sol) = Sandbox::with_sol_market(&Options::default())?;
    let maker = sandbox.create_trader(1_000 * USD)?;
    let taker = sandbox.create_trader(1_000 * USD)?;

    // The maker offers 1 SOL each at $200.00, $200.10 and $200.20.
    for price_ticks in [200_000, 200_100, 200_200] {
        let offer = order(OrderSide::Ask, OrderKind::PostOnly, price_ticks, 1_000);
        sandbox.place_order(&sol, &maker, offer, &[])?;
    }

    // The taker bids for 2.5 SOL at $200.10. The program wants to see the makers of the orders it meets;
    // the client lists them from the book.
    let bid = order(OrderSide::Bid, OrderKind::Limit, 200_100, 2_500);
    let makers = makers_of(&sandbox, &sol, &taker, &bid)?;
    assert_eq!(makers, [maker.address]);
    let outcome = sandbox.place_order(&sol, &taker, bid, &makers)?;
    println!("{} compute units", outcome.compute_units);

    let placed = outcome.events.iter().find_map(|event| match event {
        BallastEvent::OrderPlaced(placed) => Some(placed),
        _ => None,
    });
    let placed = placed.ok_or("the event of an order")?;
    for fill in &placed.fills {
        println!("bought {} lots at {} ticks", fill.lots, fill.price_ticks);
    }
    println!("{} lots wait in the book", placed.resting_lots);
    assert_eq!((placed.filled_lots, placed.resting_lots), (2_000, 500));

    for (name, who, lots) in [("taker", &taker, 2_000), ("maker", &maker, -2_000)] {
        let position = sandbox.position(&sol, &who.address).ok_or("a position")?;
        println!(
            "{name}: {} lots, margin {} atoms",
            position.lots, position.margin
        );
        assert_eq!(position.lots, lots);
    }
    assert!(sandbox.conservation().holds());
    println!("claims equal tokens, to the atom");
    Ok(())
}

/// The makers whose orders a first order of a trader meets, as a client finds them from accounts.
fn makers_of(
    sandbox: &Sandbox,
    market: &MarketCookie,
    trader: &TraderCookie,
    order: &PlaceOrderArgs,
) -> Result<Vec<Pubkey>, Box<dyn Error>> {
    let state = sandbox.market(market);
    let key = market.keys.price;
    let account = sandbox.account(&key).ok_or("a price account")?;
    let taker = TakerView {
        market: &state,
        price: decode_price(&state, &key, &account.owner, &account.data)?,
        now: sandbox.time(),
        trader: trader.address,
        position: Position::default(),
    };
    let book = sandbox.book(market);
    let mode = order.self_trade.into();
    let makers = order_makers(&book.book()?, &taker, &order.request(), mode, 0);
    makers.map_err(|refusal| format!("{refusal:?}").into())
}

/// An order that never expires and takes as little margin as it may.
fn order(side: OrderSide, kind: OrderKind, price_ticks: u64, lots: u64) -> PlaceOrderArgs {
    PlaceOrderArgs {
        side,
        kind,
        price_ticks,
        lots,
        ..PlaceOrderArgs::default()
    }
}
