//! What two traders may not agree on.

use ballast_client::instructions::trader;
use ballast_state::error::BallastError;

use crate::orders::{ask, bid, ioc};
use crate::support::{done, quiet, refused, terms, Venue, START, TEN, USD};

#[track_caller]
fn refuses(venue: &mut Venue, error: BallastError, lots: i64, price: u64, margins: (u64, u64)) {
    let terms = terms(lots, price, margins.0, margins.1);
    refused(&mut venue.sandbox, error, |s| {
        s.block_trade(&venue.market, &venue.alice, &venue.bob, terms)
    });
}

#[test]
pub fn a_trade_needs_lots_within_range() {
    let mut venue = Venue::new();
    refuses(&mut venue, BallastError::ZeroLots, 0, START, (USD, USD));
    for lots in [i64::MAX, i64::MIN, 1 << 32, -(1 << 32)] {
        refuses(
            &mut venue,
            BallastError::SizeOutOfRange,
            lots,
            START,
            (USD, USD),
        );
    }
    let most = (1 << 32) - 1;
    refuses(
        &mut venue,
        BallastError::InsufficientCollateral,
        most,
        START,
        (USD, USD),
    );
}

#[test]
pub fn a_trade_price_is_within_range_and_band() {
    let mut venue = Venue::new();
    for price in [0, 1 << 31, u64::MAX] {
        refuses(
            &mut venue,
            BallastError::PriceOutOfRange,
            100,
            price,
            (20 * USD, 20 * USD),
        );
    }
    for price in [189_999, 210_001, 1, (1 << 31) - 1] {
        refuses(
            &mut venue,
            BallastError::PriceOutsideBand,
            100,
            price,
            (20 * USD, 20 * USD),
        );
    }
    done(venue.trade(100, 190_000, 20 * USD, 20 * USD));
    done(venue.trade(100, 210_000, 20 * USD, 20 * USD));
    venue.conserves();
}

#[test]
pub fn both_parties_hold_initial_margin() {
    let mut venue = Venue::new();
    let enough = 100 * USD;
    refuses(
        &mut venue,
        BallastError::BelowInitialMargin,
        TEN,
        START,
        (enough - 1, enough),
    );
    refuses(
        &mut venue,
        BallastError::BelowInitialMargin,
        TEN,
        START,
        (enough, enough - 1),
    );
    refuses(
        &mut venue,
        BallastError::BelowInitialMargin,
        TEN,
        START,
        (0, 0),
    );
    // Bought above the mark, the loss counts at once.
    refuses(
        &mut venue,
        BallastError::BelowInitialMargin,
        TEN,
        START + 1,
        (enough, enough),
    );
    done(venue.trade(TEN, START, enough, enough));
}

#[test]
pub fn confidence_raises_the_margin_needed() {
    let mut venue = Venue::new();
    venue.quote(|quote| quote.conf_ticks = 1_000);
    // $10 of possible loss; the short's notional is taken at $201.
    refuses(
        &mut venue,
        BallastError::BelowInitialMargin,
        TEN,
        START,
        (110 * USD - 1, 200 * USD),
    );
    refuses(
        &mut venue,
        BallastError::BelowInitialMargin,
        TEN,
        START,
        (110 * USD, 110_500_000 - 1),
    );
    done(venue.trade(TEN, START, 110 * USD, 110_500_000));
}

#[test]
pub fn larger_positions_need_more_by_tiers() {
    let mut venue = Venue::new();
    let whale = venue.sandbox.create_trader(1_000_000 * USD).unwrap();
    let maker = venue.sandbox.create_trader(1_000_000 * USD).unwrap();
    // $300,000: 5% of $250,000 and 10% of $50,000.
    let needed = 17_500 * USD;
    let market = &venue.market;
    let trade = |s: &mut ballast_sandbox::Sandbox, margin: u64| {
        s.block_trade(
            market,
            &whale,
            &maker,
            terms(1_500_000, START, margin, 20_000 * USD),
        )
    };
    refused(&mut venue.sandbox, BallastError::BelowInitialMargin, |s| {
        trade(s, needed - 1)
    });
    done(trade(&mut venue.sandbox, needed));
    venue.conserves();
}

#[test]
pub fn free_collateral_covers_margin_and_fee() {
    let mut venue = Venue::new();
    let all = 1_000 * USD;
    refuses(
        &mut venue,
        BallastError::InsufficientCollateral,
        TEN,
        START,
        (all - USD + 1, all),
    );
    refuses(
        &mut venue,
        BallastError::InsufficientCollateral,
        TEN,
        START,
        (all - USD, all + 1),
    );
    refuses(
        &mut venue,
        BallastError::InsufficientCollateral,
        TEN,
        START,
        (u64::MAX / 2, all),
    );
    refuses(
        &mut venue,
        BallastError::Overflow,
        TEN,
        START,
        (u64::MAX, all),
    );
    done(venue.trade(TEN, START, all - USD, all));
    assert_eq!((venue.free(&venue.alice), venue.free(&venue.bob)), (0, 0));
    venue.conserves();
}

#[test]
pub fn a_loss_beyond_margin_and_collateral_cannot_be_traded_away() {
    let mut venue = Venue::open();
    let free = u64::try_from(venue.free(&venue.alice)).unwrap();
    done(venue.sandbox.withdraw(&venue.alice, free));
    venue.price(189_000);
    refuses(
        &mut venue,
        BallastError::InsufficientCollateral,
        -TEN,
        189_000,
        (0, 0),
    );
    // A better price within the band is the maker's gift.
    done(venue.trade(-TEN, 190_000, 0, 0));
    assert_eq!(venue.free(&venue.alice), 0);
    venue.conserves();
}

#[test]
pub fn positions_left_are_not_too_small() {
    let mut venue = Venue::new();
    refuses(
        &mut venue,
        BallastError::PositionTooSmall,
        9,
        START,
        (USD, USD),
    );
    done(venue.trade(10, START, USD, USD));
    refuses(
        &mut venue,
        BallastError::PositionTooSmall,
        -1,
        START,
        (USD, USD),
    );
    refuses(
        &mut venue,
        BallastError::PositionTooSmall,
        -19,
        START,
        (USD, USD),
    );
    done(venue.trade(-10, START, 0, 0));
    venue.conserves();
}

#[test]
pub fn a_position_of_a_few_cents_opened() {
    let mut config = quiet();
    config.risk.min_order_atoms = 0;
    config.risk.min_position_lots = 1;
    let mut venue = Venue::with(&config);
    let (market, carol) = (venue.market.clone(), venue.trader(100));
    let small = BallastError::PositionTooSmall;
    // A fifth of $100 are 100 lots at $200.
    refuses(&mut venue, small, 99, START, (USD, USD));
    done(venue.trade(100, START, USD, USD));
    // And 112 at $180.
    venue.price(180_000);
    let order = |lots| ioc(bid(180_000, lots));
    let (bob, dave) = (venue.bob.clone(), venue.trader(100));
    venue.place(&bob, ask(180_000, 1_000), &[]);
    let few = BallastError::OrderTooSmall;
    venue.refuse(few, &carol, order(111), &[&bob]);
    venue.place(&carol, order(112), &[&bob]);
    // What is dropped of an order does not count.
    done(venue.sandbox.cancel_all_orders(&market, &bob, None));
    venue.place(&bob, ask(180_000, 556), &[]);
    venue.place(&carol, order(500), &[&bob]);
    venue.refuse(small, &dave, order(112), &[&bob]);
    // Who has less than it is worth now may shrink, and close.
    done(venue.trade(-60, 180_000, 0, USD));
    done(venue.trade(-40, 180_000, 0, USD));
    venue.conserves();
}

#[test]
pub fn positions_and_the_market_have_a_largest_size() {
    let mut config = quiet();
    config.risk.max_position_lots = 1_000;
    config.risk.max_open_interest_lots = 1_500;
    let mut venue = Venue::with(&config);
    refuses(
        &mut venue,
        BallastError::PositionTooLarge,
        1_001,
        START,
        (100 * USD, 100 * USD),
    );
    done(venue.trade(1_000, START, 100 * USD, 100 * USD));
    refuses(
        &mut venue,
        BallastError::PositionTooLarge,
        10,
        START,
        (100 * USD, 100 * USD),
    );
    let carol = venue.sandbox.create_trader(1_000 * USD).unwrap();
    let dave = venue.sandbox.create_trader(1_000 * USD).unwrap();
    refused(&mut venue.sandbox, BallastError::OpenInterestLimit, |s| {
        s.block_trade(
            &venue.market,
            &carol,
            &dave,
            terms(501, START, 100 * USD, 100 * USD),
        )
    });
    let s = &mut venue.sandbox;
    done(s.block_trade(
        &venue.market,
        &carol,
        &dave,
        terms(500, START, 100 * USD, 100 * USD),
    ));
    // The last tier's limit is one as well: $100.
    let mut risk = config.risk;
    risk.tier_count = 1;
    risk.tiers = Default::default();
    risk.tiers[0] = config.risk.tiers[0];
    risk.tiers[0].notional_limit_atoms = 100 * USD;
    done(s.set_market_risk(&venue.market, risk));
    refused(s, BallastError::PositionTooLarge, |s| {
        s.block_trade(
            &venue.market,
            &carol,
            &dave,
            terms(10, START, 100 * USD, 100 * USD),
        )
    });
}

#[test]
pub fn taker_and_maker_are_two_and_both_sign() {
    let mut venue = Venue::new();
    let (alice, bob) = (&venue.alice, &venue.bob);
    let args = terms(TEN, START, 100 * USD, 100 * USD);
    refused(&mut venue.sandbox, BallastError::TradersNotDistinct, |s| {
        s.block_trade(&venue.market, alice, alice, args)
    });
    // Alice signs for bob.
    let mut party = bob.party();
    party.authority = alice.wallet.address();
    for (taker, maker) in [(alice.party(), party), (party, alice.party())] {
        let trade = trader::BlockTrade {
            keys: venue.market.keys,
            taker,
            maker,
            args: args.args(),
        }
        .instruction();
        refused(&mut venue.sandbox, BallastError::NotTraderAuthority, |s| {
            s.send(&[trade], &[&alice.wallet.keypair])
        });
    }
}
