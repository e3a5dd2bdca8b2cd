//! What an order of a leg is going to do, said before it is sent.

use anyhow::{Context, Result};
use ballast_client::accounts::BookSnapshot;
use ballast_client::preview::{self, LegDesk, LegPreview};
use ballast_engine::oracle::Now;
use ballast_state::book_account::OrderSide;
use ballast_state::error::BallastError;
use ballast_state::instructions::OrderRef;
use ballast_state::order_args::PlaceOrderArgs;
use ballast_state::trader::Trader;
use ballast_state::Pubkey;

use super::listing::{Listing, Met};
use super::naming::ref_words;
use crate::cluster::refusal::Asked;

/// What the order does to the account if nothing changes before it lands, once the order `replaced` is cancelled; what
/// the program would refuse.
///
/// # Errors
/// When the market has no price, or its queues were not read.
pub fn foreseen(
    asked: &Asked<'_>,
    args: &PlaceOrderArgs,
    met: &Met,
    listing: &Listing,
    replaced: Option<OrderRef>,
) -> Result<Result<LegPreview, BallastError>> {
    let state = asked.state;
    let queues = state.queues.as_ref().context("the queues were not read")?;
    let price = asked.taker(Default::default())?.price;
    let (mut book, mut trader) = (state.book.clone(), *asked.trader);
    if let Some(order) = replaced {
        if let Err(error) = cancel(&mut book, &mut trader, &state.keys.market, order) {
            return Ok(Err(error));
        }
    }
    let scene = preview::Scene {
        key: state.keys.market,
        market: &state.market,
        book: &book,
        queues,
        price,
        now: Now {
            slot: state.slot,
            unix_timestamp: state.now,
        },
        trader: (asked.address, &trader),
        makers: &met.accounts(&listing.makers),
        legs: met.board.as_deref().map(LegDesk::new),
    };
    Ok(preview::leg(&scene, args))
}

/// Takes an order of the trader out of a copy of the book.
fn cancel(
    book: &mut BookSnapshot,
    trader: &mut Trader,
    market: &Pubkey,
    order: OrderRef,
) -> Result<(), BallastError> {
    let mut book = book.book_mut().map_err(|_| BallastError::BookLayout)?;
    let slot = trader.any_mut(market);
    let slot = slot.map_err(|_| BallastError::OrderNotFound)?;
    let mut own = slot.own_orders();
    let node = order.find(&book.as_ref(), &own)?;
    let reserved = book.remove(node, &mut own)?.margin;
    slot.store_own_orders(&own);
    trader.credit(reserved)
}

/// What the order is going to do, without the point at its end.
pub fn purpose(
    asked: &Asked<'_>,
    args: &PlaceOrderArgs,
    foreseen: &LegPreview,
    replaced: Option<OrderRef>,
) -> String {
    let (units, values) = (asked.state.units, &foreseen.values);
    let collateral = units.collateral;
    let mut parts = Vec::new();
    if let Some(trade) = &foreseen.trade {
        parts.push(format!(
            "{} {} of {} at {} on average and a fee of {}",
            verb(args.side, replaced.is_none()),
            units.show_size(foreseen.filled),
            asked.state.name(),
            units.show_average(foreseen.notional, foreseen.filled),
            collateral.show(trade.fee.into()),
        ));
    }
    if foreseen.resting > 0 {
        let what = match parts.is_empty() {
            true => format!(
                "{} {} of {}, which wait",
                verb(args.side, replaced.is_none()),
                units.show_size(foreseen.resting),
                asked.state.name()
            ),
            false => format!("{} wait", units.show_size(foreseen.resting)),
        };
        let from_pool = match foreseen.from_pool {
            0 => String::new(),
            atoms => format!(", {} of it out of the pool", collateral.show(atoms.into())),
        };
        parts.push(format!(
            "{what} at {} and reserve {}{from_pool}",
            units.show_price(args.price_ticks),
            collateral.show(foreseen.reserved.into()),
        ));
    }
    let before = replaced.map_or_else(String::new, |order| {
        format!("Cancel {} and ", ref_words(order))
    });
    format!(
        "{before}{}; for the leg of trader account {}, whose equity is {} then, with {} of maintenance margin",
        parts.join("; "),
        asked.address,
        collateral.show(values.equity.get().into()),
        collateral.show(values.requirement.into()),
    )
}

const fn verb(side: OrderSide, begins: bool) -> &'static str {
    match (side, begins) {
        (OrderSide::Bid, true) => "Buy",
        (OrderSide::Bid, false) => "buy",
        (OrderSide::Ask, true) => "Sell",
        (OrderSide::Ask, false) => "sell",
    }
}
