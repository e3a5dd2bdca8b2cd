//! Who fills a market to price others out, where margin rises with open interest; and the preview of an order
//! where volatility and open interest scale what it needs.

use ballast_client::preview::{order, Scene};
use ballast_engine::oracle::{Now, OraclePrice};
use ballast_engine::units::{Side, Ticks};
use ballast_sandbox::{MarketConfig, TraderCookie};
use ballast_state::error::BallastError;
use ballast_state::order_args::PlaceOrderArgs;

use crate::event;
use crate::orders::{ask, bid};
use crate::support::{done, quiet, refused, terms, Venue, START, USD};

/// A market of 20,000 lots, in which margin rises from the first lot to the whole notional at the last.
fn filling() -> MarketConfig {
    let mut config = quiet();
    config.risk.max_open_interest_lots = 20_000;
    (
        config.risk.open_interest_lower_bps,
        config.risk.open_interest_upper_bps,
    ) = (0, 10_000);
    config
}

/// Two accounts that open 15,000 lots between them, with what they put behind them.
fn fill(venue: &mut Venue) -> [TraderCookie; 2] {
    let pair = [(); 2].map(|()| venue.sandbox.create_trader(2_600 * USD).unwrap());
    let terms = terms(15_000, START, 2_500 * USD, 2_500 * USD);
    let [long, short] = &pair;
    done(venue.sandbox.block_trade(&venue.market, long, short, terms));
    pair
}

fn free(venue: &Venue, trader: &TraderCookie) -> i64 {
    venue.sandbox.trader(&trader.address).free
}

#[test]
pub fn who_fills_a_market_keeps_nobody_in_and_pays_for_it() {
    let mut venue = Venue::with(&filling());
    done(venue.trade(1_000, START, 100 * USD, 100 * USD));
    // $200 of notional: $10, and a twentieth of the $190 that it lacks to the whole.
    done(
        venue
            .sandbox
            .remove_margin(&venue.market, &venue.alice, 40 * USD),
    );
    let pair = fill(&mut venue);
    // At four fifths $162 are asked for, and alice has $60: nothing of it can be taken out.
    refused(&mut venue.sandbox, BallastError::BelowInitialMargin, |s| {
        s.remove_margin(&venue.market, &venue.alice, 1)
    });
    // She is as far from liquidation as before.
    let keeper = venue.sandbox.create_trader(1_000 * USD).unwrap();
    refused(&mut venue.sandbox, BallastError::Healthy, |s| {
        s.liquidate(&venue.market, &venue.alice.address, &keeper, 200 * USD)
    });
    // Half of the position takes half of the margin out with it, less five cents of fee, whatever the market
    // asks for.
    let before = free(&venue, &venue.alice);
    done(venue.trade(-500, START, 0, 0));
    assert_eq!(free(&venue, &venue.alice) - before, 29_950_000);
    // The pair has tied up $2,358 each of its $2,500, for as long as it lasts, and gains nothing.
    for one in &pair {
        refused(&mut venue.sandbox, BallastError::BelowInitialMargin, |s| {
            s.remove_margin(&venue.market, one, 150 * USD)
        });
    }
    let [long, short] = &pair;
    let back = terms(-15_000, START, 0, 0);
    done(venue.sandbox.block_trade(&venue.market, long, short, back));
    let left: i64 = pair.iter().map(|one| free(&venue, one)).sum();
    assert!(left <= 5_200_000_000, "{left}");
    done(
        venue
            .sandbox
            .remove_margin(&venue.market, &venue.alice, 20 * USD),
    );
    venue.conserves();
}

#[test]
pub fn in_a_full_market_a_liquidator_needs_no_more_than_the_notional_and_the_book_needs_nothing() {
    for book in [false, true] {
        let mut venue = Venue::with(&filling());
        done(venue.trade(1_000, START, 20 * USD, 100 * USD));
        let maker = venue.sandbox.create_trader(500 * USD).unwrap();
        fill(&mut venue);
        let victim = venue.alice.address;
        let keeper = venue.sandbox.create_trader(1_000 * USD).unwrap();
        venue.price_twice(184_000);
        if book {
            venue.place(&maker, bid(184_000, 1_000), &[]);
        }
        // $20 of margin less $16: below the $4.60 that is the least.
        if book {
            let into = ballast_client::instructions::anyone::Takeover::none();
            let makers = [maker.address];
            let step =
                venue
                    .sandbox
                    .liquidate_into_book(&venue.market, &victim, &keeper, into, &makers);
            assert!(event!(done(step), PositionLiquidated).lots < 0);
        } else {
            // A twentieth of what it takes over does not do; all of it always does.
            refused(&mut venue.sandbox, BallastError::BelowInitialMargin, |s| {
                s.liquidate(&venue.market, &victim, &keeper, 10 * USD)
            });
            let step = venue
                .sandbox
                .liquidate(&venue.market, &victim, &keeper, 184 * USD);
            assert!(event!(done(step), PositionLiquidated).lots < 0);
        }
        venue.conserves();
    }
}

/// What the client foresees of an order in the market as it stands.
fn foreseen(
    venue: &Venue,
    trader: &TraderCookie,
    makers: &[&TraderCookie],
    args: &PlaceOrderArgs,
    ticks: u64,
) -> Result<ballast_client::preview::OrderPreview, BallastError> {
    let (sandbox, market) = (&venue.sandbox, &venue.market);
    let account = sandbox.trader(&trader.address);
    let makers: Vec<_> = makers
        .iter()
        .map(|maker| (maker.address, sandbox.trader(&maker.address)))
        .collect();
    order(
        &Scene {
            key: market.keys.market,
            market: &sandbox.market(market),
            book: &sandbox.book(market),
            queues: &[Side::Long, Side::Short].map(|side| sandbox.queue(market, side)),
            price: OraclePrice {
                price: Ticks::new(ticks),
                confidence: Ticks::new(0),
                ema: Ticks::new(ticks),
                publish_time: sandbox.time(),
                below_tick: false,
            },
            now: Now {
                slot: sandbox.slot(),
                unix_timestamp: sandbox.time(),
            },
            trader: (trader.address, &account),
            makers: &makers,
            legs: None,
        },
        args,
    )
}

#[test]
pub fn a_preview_is_what_happens_where_margin_is_scaled() {
    let mut config = filling();
    config.risk.margin_multiplier_max_bps = 30_000;
    let mut venue = Venue::with(&config);
    // A calm past, and two moves of 3% within the hours before.
    for hour in 0..100 {
        venue.wait(3_600);
        venue.price(START + if hour % 2 == 0 { 200 } else { 0 });
        done(venue.sandbox.accrue_funding(&venue.market));
    }
    done(venue.trade(2_000, START, 100 * USD, 100 * USD));
    venue.wait(7_200);
    venue.price(194_000);
    let maker = venue.sandbox.create_trader(2_000 * USD).unwrap();
    venue.place(&maker, ask(194_100, 1_000), &[]);
    assert!(
        venue
            .sandbox
            .market(&venue.market)
            .margin_scale()
            .multiplier_ppm
            > 1_400_000
    );
    let (mut refusals, mut fills) = (0, 0);
    for dollars in [20, 30, 45, 60, 90, 120, 200] {
        let trader = venue.sandbox.create_trader(dollars * USD).unwrap();
        for margin in [0, 15, 40, 80] {
            let mut args = bid(194_200, 400);
            args.margin = margin * USD;
            let expected = foreseen(&venue, &trader, &[&maker], &args, 194_000);
            let mut copy = venue.sandbox.fork();
            let makers = [maker.address];
            let placed = copy.place_order(&venue.market, &trader, args, &makers);
            match expected {
                Ok(expected) => {
                    let event = event!(done(placed), OrderPlaced);
                    assert_eq!(event.filled_lots, expected.filled);
                    assert_eq!(event.reserved_atoms, expected.reserved);
                    let after = copy.trader(&trader.address);
                    assert_eq!(after.free, expected.free.get());
                    let slot = after.slot(&venue.market.keys.market).unwrap();
                    assert_eq!(
                        (slot.lots, slot.margin),
                        (expected.slot.lots, expected.slot.margin)
                    );
                    fills += 1;
                }
                Err(error) => {
                    refused(&mut venue.sandbox, error, |s| {
                        s.place_order(&venue.market, &trader, args, &makers)
                    });
                    refusals += 1;
                }
            }
        }
    }
    assert!(refusals > 3 && fills > 3, "{refusals} {fills}");
}
