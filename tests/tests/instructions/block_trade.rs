//! Trades that a taker and a maker negotiated.

use ballast_engine::units::Side;
use ballast_sandbox::{MarketConfig, TraderCookie};
use ballast_state::error::BallastError;

use crate::event;
use crate::support::{done, quiet, refused, terms, Venue, START, TEN, USD};

fn usd(amount: i64) -> i64 {
    amount * 1_000_000
}

fn queued(venue: &Venue, side: Side) -> u32 {
    venue
        .sandbox
        .queue(&venue.market, side)
        .queue()
        .unwrap()
        .len()
}

#[test]
pub fn opening_moves_margin_and_charges_the_fee() {
    let mut venue = Venue::new();
    let outcome = done(venue.trade(TEN, START, 100 * USD, 500 * USD));
    let event = event!(outcome, BlockTraded);
    assert_eq!(
        (event.lots, event.price_ticks, event.mark_ticks),
        (TEN, START, START)
    );
    assert_eq!(event.open_interest_after, 10_000);
    assert_eq!((event.taker.fee, event.maker.fee), (USD.cast_signed(), 0));
    assert_eq!(
        (event.taker.margin_added, event.maker.margin_added),
        (100 * USD, 500 * USD)
    );
    let (long, short) = (venue.position(&venue.alice), venue.position(&venue.bob));
    assert_eq!(
        (long.lots, long.entry_quote, long.margin),
        (TEN, usd(2_000), usd(100))
    );
    assert_eq!(
        (short.lots, short.entry_quote, short.margin),
        (-TEN, usd(-2_000), usd(500))
    );
    assert_eq!(
        (venue.free(&venue.alice), venue.free(&venue.bob)),
        (usd(899), usd(500))
    );
    let market = venue.sandbox.market(&venue.market);
    assert_eq!(
        (market.fees_atoms, market.insurance.balance),
        (800_000, 200_000)
    );
    assert_eq!(market.open_interest_lots, 10_000);
    assert_eq!(
        (market.last_price.ticks, market.last_price.publish_time),
        (START, venue.sandbox.time())
    );
    assert_eq!(
        (queued(&venue, Side::Long), queued(&venue, Side::Short)),
        (1, 1)
    );
    venue.conserves();
}

#[test]
pub fn enlarging_reducing_and_closing_settle_to_the_atom() {
    let mut venue = Venue::open();
    venue.price(202_000);
    // 5 SOL more at $202: $1,010, fee $0.505.
    done(venue.trade(5_000, 202_000, 60 * USD, 0));
    let long = venue.position(&venue.alice);
    assert_eq!(
        (long.lots, long.entry_quote, long.margin),
        (15_000, usd(3_010), usd(160))
    );
    // A third less at $201: entry 1003,333,334 out, 1,005 in, margin 53.333333 back.
    venue.price(201_000);
    let outcome = done(venue.trade(-5_000, 201_000, 7, 7));
    let event = event!(outcome, BlockTraded);
    assert_eq!(
        (event.taker.realized, event.taker.released),
        (1_666_666, 53_333_333)
    );
    assert_eq!((event.taker.margin_added, event.taker.fee), (0, 502_500));
    // The short's entry of -3,010 leaves rounded up too: -1,003,333,333.
    assert_eq!(
        (event.maker.realized, event.maker.released),
        (-1_666_667, 166_666_666)
    );
    let long = venue.position(&venue.alice);
    assert_eq!(
        (long.lots, long.entry_quote, long.margin),
        (10_000, 2_006_666_666, 106_666_667)
    );
    venue.conserves();
    done(venue.trade(-TEN, 201_000, 0, 0));
    assert!(venue
        .sandbox
        .position(&venue.market, &venue.alice.address)
        .is_none());
    assert_eq!(
        (queued(&venue, Side::Long), queued(&venue, Side::Short)),
        (0, 0)
    );
    assert_eq!(venue.sandbox.market(&venue.market).open_interest_lots, 0);
    // Alice made $5 on 5 of 15 and $10 less... in all 3,015 - 3,010, less four fees.
    let fees = 1_000_000 + 505_000 + 502_500 + 1_005_000;
    assert_eq!(venue.free(&venue.alice), usd(1_005) - fees);
    assert_eq!(venue.free(&venue.bob), usd(995));
    venue.conserves();
}

#[test]
pub fn a_flip_closes_and_opens_with_fresh_margin() {
    let mut venue = Venue::open();
    venue.price(198_000);
    // Alice sells 25 SOL at $198 to bob: both flip and stand 15 SOL the other way.
    let outcome = done(venue.trade(-25_000, 198_000, 300 * USD, 400 * USD));
    let event = event!(outcome, BlockTraded);
    assert_eq!(
        (event.taker.realized, event.taker.released),
        (usd(-20), usd(100))
    );
    assert_eq!(
        (event.maker.realized, event.maker.released),
        (usd(20), usd(500))
    );
    let (short, long) = (venue.position(&venue.alice), venue.position(&venue.bob));
    assert_eq!(
        (short.lots, short.entry_quote, short.margin),
        (-15_000, usd(-2_970), usd(300))
    );
    assert_eq!(
        (long.lots, long.entry_quote, long.margin),
        (15_000, usd(2_970), usd(400))
    );
    // 899 - 20 + 100 - 300 less a fee of 5 bps of $4,950.
    assert_eq!(venue.free(&venue.alice), usd(679) - 2_475_000);
    assert_eq!(venue.free(&venue.bob), usd(620));
    assert_eq!(
        venue.sandbox.market(&venue.market).open_interest_lots,
        15_000
    );
    assert_eq!(
        (queued(&venue, Side::Long), queued(&venue, Side::Short)),
        (1, 1)
    );
    venue.conserves();
}

#[test]
pub fn a_position_may_pass_from_one_to_another() {
    let mut venue = Venue::open();
    let carol = venue.sandbox.create_trader(1_000 * USD).unwrap();
    let pass = terms(-TEN, START, 0, 300 * USD);
    done(
        venue
            .sandbox
            .block_trade(&venue.market, &venue.alice, &carol, pass),
    );
    assert!(venue
        .sandbox
        .position(&venue.market, &venue.alice.address)
        .is_none());
    assert_eq!(venue.position(&carol).lots, TEN);
    assert_eq!(
        venue.sandbox.market(&venue.market).open_interest_lots,
        10_000
    );
    venue.conserves();
}

#[test]
pub fn a_maker_pays_its_own_fee() {
    let mut config = quiet();
    config.risk.maker_fee_bps = 2;
    let venue = Venue::open_with(&config);
    assert_eq!(
        (venue.free(&venue.alice), venue.free(&venue.bob)),
        (usd(899), usd(500) - 400_000)
    );
    let market = venue.sandbox.market(&venue.market);
    assert_eq!(
        (market.fees_atoms, market.insurance.balance),
        (1_120_000, 280_000)
    );
    venue.conserves();
}

#[test]
pub fn a_reducing_trade_pays_the_fee_as_far_as_it_can() {
    let mut venue = Venue::open();
    let free = u64::try_from(venue.free(&venue.alice)).unwrap();
    done(venue.sandbox.withdraw(&venue.alice, free));
    // At $190 she is left with nothing, and closes without a fee.
    venue.price(190_000);
    let outcome = done(venue.trade(-TEN, 190_000, 0, 0));
    assert_eq!(event!(outcome, BlockTraded).taker.fee, 0);
    assert_eq!(venue.free(&venue.alice), 0);
    assert_eq!(venue.sandbox.market(&venue.market).fees_atoms, 800_000);
    venue.conserves();
}

#[test]
pub fn one_owner_may_trade_between_two_accounts_at_no_gain() {
    let mut venue = Venue::new();
    done(
        venue
            .sandbox
            .mint_to(&venue.alice.wallet.tokens, 1_000 * USD),
    );
    let second: TraderCookie = venue
        .sandbox
        .create_trader_of(&venue.alice.wallet, 1)
        .unwrap();
    done(venue.sandbox.deposit(&second, 1_000 * USD));
    let s = &mut venue.sandbox;
    let margins = (100 * USD, 100 * USD);
    done(s.block_trade(
        &venue.market,
        &venue.alice,
        &second,
        terms(TEN, 210_000, 300 * USD, margins.1),
    ));
    done(s.block_trade(
        &venue.market,
        &venue.alice,
        &second,
        terms(-TEN, 190_000, 0, 0),
    ));
    let fees = 1_050_000 + 950_000;
    let both = venue.free(&venue.alice) + venue.free(&second);
    assert_eq!(both, usd(2_000) - fees);
    venue.conserves();
}

#[test]
pub fn a_full_queue_refuses_and_frees_its_nodes() {
    let mut config = MarketConfig::sol();
    config.queue_capacity = 16;
    let mut venue = Venue::with(&config);
    let small = terms(100, START, 2 * USD, 2 * USD);
    let longs: Vec<TraderCookie> = (0..17)
        .map(|_| venue.sandbox.create_trader(100 * USD).unwrap())
        .collect();
    for long in &longs[..16] {
        done(
            venue
                .sandbox
                .block_trade(&venue.market, long, &venue.bob, small),
        );
    }
    refused(&mut venue.sandbox, BallastError::QueueFull, |s| {
        s.block_trade(&venue.market, &longs[16], &venue.bob, small)
    });
    // Those in it go on, and one that leaves makes room.
    done(
        venue
            .sandbox
            .block_trade(&venue.market, &longs[7], &venue.bob, small),
    );
    done(venue.sandbox.block_trade(
        &venue.market,
        &longs[3],
        &venue.bob,
        terms(-100, START, 0, 0),
    ));
    done(
        venue
            .sandbox
            .block_trade(&venue.market, &longs[16], &venue.bob, small),
    );
    assert_eq!(queued(&venue, Side::Long), 16);
    venue.conserves();
}
