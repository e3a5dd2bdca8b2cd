//! Orders: placed, matched, replaced and cancelled, in books of every depth.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};
use ballast_engine::book::MAX_ORDERS;
use ballast_sandbox::TxResult;
use ballast_state::book_account::OrderSide;
use ballast_state::events::BallastEvent;
use ballast_state::instructions::OrderRef;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs};

use crate::block;
use crate::book_venue::{limit, BookVenue, Did, LOTS};
use crate::books::{BOOKS, DEEPEST};
use crate::case::{book_name, crowded_name, maker_words, Case};
use crate::figure::Figure;
use crate::keepers;
use crate::meter::Meter;
use crate::pools;
use crate::protections;
use crate::shapes::thousands;
use crate::venue::START;

/// Makers that one order is matched with.
pub const MAKERS: [usize; 6] = [1, 2, 5, 10, 20, 32];
/// Makers of the kinds of order that are measured with several.
const SEVERAL: usize = 5;
/// Best price of the asks that are met.
pub const ASK: u64 = START + 10;
/// Best price of the bids that are met.
pub const BID: u64 = START - 10;
/// A bid among those of a filled book.
const DEEP: u64 = START * 87 / 100;
/// Lots of an order that is not met.
const WAITING: u64 = 1_000;

/// Measures every case in every book, and in the deepest with accounts whose sixteen positions are
/// all in use.
pub fn measure_all(program: &Path, meter: &mut Meter) -> Result<()> {
    let cases: Vec<Case> = [
        waiting(),
        matched(),
        replaced(),
        cancelled(),
        keepers::triggers(),
        protections::executed(),
        keepers::liquidations(),
        pools::all(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let settings: Vec<Case> = [keepers::settings(), protections::settings()]
        .into_iter()
        .flatten()
        .collect();
    let mut all = cases.iter().chain(&settings);
    if !all.any(|case| meter.wants(&case.name)) {
        return Ok(());
    }
    let empty = BookVenue::new(program)?;
    for orders in BOOKS {
        let floor = empty.with_book(orders)?;
        let words = format!("{} orders a side", thousands(u64::from(orders)));
        measure(&floor, &cases, &book_name(orders), &words, meter)?;
        if orders == DEEPEST {
            let crowded = floor.crowded()?;
            let words = format!("{words}, accounts with 16 positions");
            measure(&crowded, &cases, &crowded_name(), &words, meter)?;
            measure(&floor, &settings, "typical", "one position", meter)?;
            measure(&crowded, &settings, "crowded", "16 positions", meter)?;
        }
    }
    Ok(())
}

fn measure(
    floor: &BookVenue,
    cases: &[Case],
    book: &str,
    words: &str,
    meter: &mut Meter,
) -> Result<()> {
    for case in cases {
        let name = format!("{}/{book}", case.name);
        meter.measure(&name, || {
            let result = (case.act)(&mut floor.fork())?;
            case.did.check(&result)?;
            let words = format!("{}; {words}", case.words);
            match block::shows(&name) {
                true => Figure::with_footprint(&words, result),
                false => Figure::of(&words, result),
            }
        })?;
    }
    Ok(())
}

/// An order that waits.
const RESTS: Did = Did {
    rests: true,
    ..Did::fills(0)
};

/// Orders that are not met.
fn waiting() -> Vec<Case> {
    let deep = limit(OrderSide::Bid, DEEP, WAITING);
    vec![
        Case::new(
            "place_order/wait-best",
            "waits, better than all others",
            RESTS,
            |floor| wait_with(floor, 0, limit(OrderSide::Bid, BID, WAITING)),
        ),
        Case::new(
            "place_order/wait-deep",
            "waits amid the book",
            RESTS,
            move |floor| wait_with(floor, 0, deep),
        ),
        Case::new(
            "place_order/wait-post-only",
            "waits, post-only, before asks",
            RESTS,
            move |floor| {
                floor.offer(OrderSide::Ask, ASK, 1)?;
                let args = PlaceOrderArgs {
                    kind: OrderKind::PostOnly,
                    ..limit(OrderSide::Bid, ASK - 1, WAITING)
                };
                wait_with(floor, 0, args)
            },
        ),
        Case::new(
            "place_order/wait-sixteenth",
            "waits amid the book, the trader's 16th, all with client ids",
            RESTS,
            move |floor| {
                let client_id = u64::from(MAX_ORDERS);
                wait_with(floor, MAX_ORDERS - 1, PlaceOrderArgs { client_id, ..deep })
            },
        ),
    ]
}

fn wait_with(floor: &mut BookVenue, others: u32, args: PlaceOrderArgs) -> Result<TxResult> {
    place_own(floor, others)?;
    floor.wait();
    Ok(floor.place(args, 0))
}

/// Alice's orders on both sides of the book and at prices all over it, with the client ids 1, 2,
/// and so on. The id of the first.
fn place_own(floor: &mut BookVenue, count: u32) -> Result<u64> {
    let mut first = 0;
    for number in 1..=count {
        let percent = 6 + u64::from(number);
        let (side, ticks) = if number % 2 == 0 {
            (OrderSide::Ask, START * (100 + percent) / 100)
        } else {
            (OrderSide::Bid, START * (100 - percent) / 100)
        };
        let args = PlaceOrderArgs {
            client_id: u64::from(number),
            ..limit(side, ticks, WAITING)
        };
        let outcome = floor.place(args, 0)?;
        if number == 1 {
            let placed = outcome.events.iter().find_map(|event| match event {
                BallastEvent::OrderPlaced(event) => Some(event.order_id),
                _ => None,
            });
            first = placed.context("an order was placed")?;
        }
    }
    Ok(first)
}

/// Orders that are.
fn matched() -> Vec<Case> {
    let mut cases = Vec::new();
    for makers in MAKERS {
        let (fills, did) = (maker_words(makers), Did::fills(makers));
        cases.push(Case::new(
            &format!("place_order/fill-open-{makers:02}"),
            &format!("fills {fills}, all open"),
            did,
            move |floor| {
                floor.offer(OrderSide::Ask, ASK, makers)?;
                floor.wait();
                floor.buy(makers)
            },
        ));
        cases.push(Case::new(
            &format!("place_order/fill-close-{makers:02}"),
            &format!("fills {fills}, all close"),
            did,
            move |floor| close(floor, makers),
        ));
    }
    cases.extend(kinds());
    cases.extend(single());
    cases
}

fn close(floor: &mut BookVenue, makers: usize) -> Result<TxResult> {
    floor.offer(OrderSide::Ask, ASK, makers)?;
    floor.buy(makers)??;
    floor.offer(OrderSide::Bid, BID, makers)?;
    floor.wait();
    let lots = LOTS * u64::try_from(makers)?;
    let args = limit(OrderSide::Ask, START - 500, lots);
    Ok(floor.place(args, makers))
}

/// Kinds of order that do not wait, with several makers.
fn kinds() -> impl Iterator<Item = Case> {
    let kinds = [
        (OrderKind::FillOrKill, "fill-or-kill", START + 500),
        (OrderKind::Market, "market", 0),
    ];
    kinds.into_iter().map(|(kind, word, price_ticks)| {
        Case::new(
            &format!("place_order/fill-{word}"),
            &format!("{word}, fills {}, all open", maker_words(SEVERAL)),
            Did::fills(SEVERAL),
            move |floor| {
                floor.offer(OrderSide::Ask, ASK, SEVERAL)?;
                floor.wait();
                let lots = LOTS * u64::try_from(SEVERAL)?;
                let args = PlaceOrderArgs {
                    kind,
                    price_ticks,
                    ..limit(OrderSide::Bid, price_ticks, lots)
                };
                Ok(floor.place(args, SEVERAL))
            },
        )
    })
}

/// What else one maker's order may come to.
fn single() -> [Case; 3] {
    let buy = |floor: &mut BookVenue, lots| {
        floor.offer(OrderSide::Ask, ASK, 1)?;
        floor.wait();
        Ok(floor.place(limit(OrderSide::Bid, ASK, lots), 1))
    };
    [
        Case::new(
            "place_order/fill-part",
            "fills 1 maker in part, both open",
            Did::fills(1),
            move |floor| buy(floor, LOTS / 2),
        ),
        Case::new(
            "place_order/fill-rests",
            "fills 1 maker, both open, and waits",
            Did { fills: 1, ..RESTS },
            move |floor| buy(floor, 2 * LOTS),
        ),
        Case::new(
            "place_order/removes-expired",
            "removes an expired order and waits",
            Did {
                removed: 1,
                ..RESTS
            },
            |floor| {
                let expires_at = floor.venue.sandbox.time() + 1;
                let args = PlaceOrderArgs {
                    expires_at,
                    ..limit(OrderSide::Ask, ASK, LOTS)
                };
                let (venue, maker) = (&mut floor.venue, floor.makers.first());
                let maker = maker.context("a maker")?;
                venue.sandbox.place_order(&venue.market, maker, args, &[])?;
                floor.wait();
                Ok(floor.place(limit(OrderSide::Bid, ASK, LOTS), 1))
            },
        ),
    ]
}

/// Orders that another takes the place of.
fn replaced() -> Vec<Case> {
    let moved = PlaceOrderArgs {
        client_id: u64::from(MAX_ORDERS) + 1,
        ..limit(OrderSide::Bid, DEEP, WAITING)
    };
    let replace = move |orders, makers: usize, args: PlaceOrderArgs| {
        move |floor: &mut BookVenue| {
            let first = place_own(floor, orders)?;
            floor.offer(OrderSide::Ask, ASK, makers)?;
            floor.wait();
            let listed = floor.listed(makers);
            let venue = &mut floor.venue;
            let (market, alice) = (&venue.market, &venue.alice);
            let old = OrderRef::Id(first);
            Ok(venue
                .sandbox
                .replace_order(market, alice, old, args, &listed))
        }
    };
    let did = Did {
        cancelled: 1,
        ..RESTS
    };
    let all = MAX_ORDERS;
    let fills = Did {
        cancelled: 1,
        ..Did::fills(1)
    };
    vec![
        Case::new(
            "replace_order/only",
            "the trader's only one, waits",
            did,
            replace(1, 0, moved),
        ),
        Case::new(
            "replace_order/oldest",
            "the oldest of 16, all with client ids, waits",
            did,
            replace(all, 0, moved),
        ),
        Case::new(
            "replace_order/oldest-fills",
            "the oldest of 16, fills 1 maker, both open",
            fills,
            replace(all, 1, limit(OrderSide::Bid, ASK, LOTS)),
        ),
    ]
}

/// Orders taken out of the book by their trader.
fn cancelled() -> Vec<Case> {
    let did = |cancelled| Did {
        cancelled,
        ..Did::fills(0)
    };
    let mut cases = Vec::new();
    for (name, orders, words) in [
        ("only", 1, "the trader's only one"),
        ("oldest", MAX_ORDERS, "the oldest of 16"),
    ] {
        for by_client in [false, true] {
            let (by, how) = match by_client {
                false => ("id", "its id"),
                true => ("client-id", "its client id"),
            };
            cases.push(Case::new(
                &format!("cancel_order/{name}-by-{by}"),
                &format!("{words}, by {how}"),
                did(1),
                move |floor| {
                    let first = place_own(floor, orders)?;
                    floor.wait();
                    let order = match by_client {
                        false => OrderRef::Id(first),
                        true => OrderRef::ClientId(1),
                    };
                    let venue = &mut floor.venue;
                    let (market, alice) = (&venue.market, &venue.alice);
                    Ok(venue.sandbox.cancel_order(market, alice, order))
                },
            ));
        }
    }
    cases.push(Case::new(
        "cancel_order/costliest",
        "the costliest of 16 all over the book, by its id",
        did(1),
        |floor| {
            let first = place_own(floor, MAX_ORDERS)?;
            floor.wait();
            costliest(floor, first..first + u64::from(MAX_ORDERS))
        },
    ));
    cases.extend(all_cancelled());
    cases
}

/// Cancels each of alice's orders with these ids, each from the same start.
fn costliest(floor: &BookVenue, ids: Range<u64>) -> Result<TxResult> {
    let mut outcomes = Vec::new();
    for id in ids {
        let mut venue = floor.fork().venue;
        let (market, alice) = (&venue.market, &venue.alice);
        let cancelled = venue.sandbox.cancel_order(market, alice, OrderRef::Id(id));
        outcomes.push(cancelled?);
    }
    let costliest = outcomes
        .into_iter()
        .max_by_key(|outcome| outcome.compute_units);
    Ok(Ok(costliest.context("an order was cancelled")?))
}

/// All orders of a trader taken out at once.
fn all_cancelled() -> impl Iterator<Item = Case> {
    let sides = [
        ("both-sides", None, 16, "16 orders of both sides"),
        (
            "one-side",
            Some(OrderSide::Ask),
            8,
            "the 8 asks of 16 orders",
        ),
    ];
    sides.into_iter().map(|(name, side, orders, words)| {
        let did = Did {
            cancelled: orders,
            ..Did::default()
        };
        Case::new(
            &format!("cancel_all_orders/{name}"),
            words,
            did,
            move |floor| {
                place_own(floor, MAX_ORDERS)?;
                floor.wait();
                let venue = &mut floor.venue;
                let (market, alice) = (&venue.market, &venue.alice);
                Ok(venue.sandbox.cancel_all_orders(market, alice, side))
            },
        )
    })
}
