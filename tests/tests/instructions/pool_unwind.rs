//! Unwinds of a pool's position, and its margin.

use ballast_engine::pool::PoolParams;
use ballast_sandbox::{TraderCookie, TxResult};
use ballast_state::error::BallastError;
use ballast_state::events::PoolUnwound;
use ballast_state::exchange::{PAUSE_REMOVE_MARGIN, PAUSE_TRADE};
use ballast_state::pool::Pool;

use crate::event;
use crate::orders::{ask, bid};
use crate::pool_take::{eager, falling, falling_with, free, inventory, took};
use crate::support::{done, forge, refused, Venue, USD};

/// A pool that took 2,000 lots at $194, a keeper, and a maker who bids at this price for so many.
fn holding(price: u64, lots: u64) -> (Venue, TraderCookie, TraderCookie) {
    let (mut venue, keeper) = falling(194_000, 1_000);
    took(&mut venue, &keeper);
    let maker = venue.trader(1_000);
    if lots > 0 {
        venue.place(&maker, bid(price, lots), &[]);
    }
    (venue, keeper, maker)
}

/// Lets slots pass and publishes the mark again.
fn later(venue: &mut Venue, slots: u64, ticks: u64) {
    venue.sandbox.advance_slots(slots);
    venue.price(ticks);
}

fn unwind(venue: &mut Venue, keeper: &TraderCookie, maker: &TraderCookie) -> TxResult {
    let market = venue.market.clone();
    venue.sandbox.unwind_pool(&market, keeper, &[maker.address])
}

#[track_caller]
fn unwound(venue: &mut Venue, keeper: &TraderCookie, maker: &TraderCookie) -> PoolUnwound {
    let event = event!(done(unwind(venue, keeper, maker)), PoolUnwound);
    venue.conserves();
    event
}

#[track_caller]
fn not_unwound(
    venue: &mut Venue,
    keeper: &TraderCookie,
    maker: &TraderCookie,
    error: BallastError,
) {
    let market = venue.market.clone();
    refused(&mut venue.sandbox, error, |s| {
        s.unwind_pool(&market, keeper, &[maker.address])
    });
}

#[test]
pub fn an_unwind_sells_a_part_at_the_auctions_price_or_better() {
    let (mut venue, keeper, maker) = holding(193_950, 500);
    let before = free(&venue);
    later(&mut venue, 150, 194_000);
    let event = unwound(&mut venue, &keeper, &maker);
    // A fifth of 2,000 lots, three basis points below the mark, rounded up; the bid is better.
    assert_eq!((event.limit_ticks, event.mark_ticks), (193_942, 194_000));
    assert_eq!((event.due_lots, event.closed_lots), (400, 400));
    assert_eq!(
        (event.fills.len(), event.fills[0].price_ticks),
        (1, 193_950)
    );
    // 400 lots: a fee of 5 bps of $77.58, and 2 bps of $77.60 for the keeper.
    assert_eq!((event.taker.fee, event.keeper_atoms), (38_790, 15_520));
    assert_eq!(venue.free(&keeper), 1_000_015_520);
    // A fifth of the margin, the profit of 435 a lot, less both.
    let paid = 387_030_000 / 5 + 400 * 435 - 38_790 - 15_520;
    assert_eq!(free(&venue), before + paid);
    assert_eq!(inventory(&venue).unwrap().lots, 1_600);
    assert_eq!(venue.position(&maker).lots, 400);
    let (slot, pool) = (venue.sandbox.slot(), venue.sandbox.pool(&venue.market));
    assert_eq!(
        (pool.unwinds, pool.last_unwind_slot, pool.auction_slot),
        (1, slot, slot)
    );
    // The next has to wait, and begins above the mark.
    not_unwound(&mut venue, &keeper, &maker, BallastError::UnwindTooEarly);
    later(&mut venue, 9, 194_000);
    not_unwound(&mut venue, &keeper, &maker, BallastError::UnwindTooEarly);
    later(&mut venue, 1, 194_000);
    not_unwound(&mut venue, &keeper, &maker, BallastError::NothingFilled);
}

/// Whoever rests the only bid gets no lower price than the last one.
#[test]
fn an_empty_book_gets_nothing_below_the_last_price() {
    let (mut venue, keeper, maker) = holding(193_941, 5_000);
    for slots in [150, 10_000] {
        later(&mut venue, slots, 194_000);
        not_unwound(&mut venue, &keeper, &maker, BallastError::NothingFilled);
    }
    let (mut venue, keeper, maker) = holding(193_942, 5_000);
    later(&mut venue, 149, 194_000);
    not_unwound(&mut venue, &keeper, &maker, BallastError::NothingFilled);
    later(&mut venue, 1, 194_000);
    assert_eq!(unwound(&mut venue, &keeper, &maker).closed_lots, 400);
}

#[test]
fn a_small_bid_takes_little_time_off_the_auction() {
    let (mut venue, keeper, maker) = holding(193_942, 100);
    later(&mut venue, 150, 194_000);
    assert_eq!(unwound(&mut venue, &keeper, &maker).closed_lots, 100);
    // A quarter of what was due: three quarters of 150 slots are left.
    let pool = venue.sandbox.pool(&venue.market);
    assert_eq!(pool.auction_slot, venue.sandbox.slot() - 112);
    venue.place(&maker, bid(193_942, 5_000), &[]);
    later(&mut venue, 37, 194_000);
    not_unwound(&mut venue, &keeper, &maker, BallastError::NothingFilled);
    later(&mut venue, 1, 194_000);
    assert_eq!(unwound(&mut venue, &keeper, &maker).closed_lots, 380);
}

#[test]
fn who_is_first_with_a_lower_price_gets_nothing_by_it() {
    let (mut venue, keeper, maker) = holding(192_000, 5_000);
    later(&mut venue, 150, 194_000);
    done(venue.sandbox.accrue_funding(&venue.market));
    // The bid is at the new mark; the price of the slot before counts as well.
    venue.wait(2);
    venue.price(192_000);
    not_unwound(&mut venue, &keeper, &maker, BallastError::NothingFilled);
    done(venue.sandbox.accrue_funding(&venue.market));
    not_unwound(&mut venue, &keeper, &maker, BallastError::NothingFilled);
    venue.wait(2);
    venue.price(192_000);
    assert_eq!(unwound(&mut venue, &keeper, &maker).closed_lots, 400);
}

/// A venue in which the pool took 5,000 lots of bob's short at $246.
fn short(dollars: u64) -> (Venue, TraderCookie) {
    let (mut venue, keeper) = falling(246_000, dollars);
    let (market, bob) = (venue.market.clone(), venue.bob.address);
    done(
        venue
            .sandbox
            .liquidate_into_pool(&market, &bob, &keeper, &[]),
    );
    assert_eq!(inventory(&venue).unwrap().lots, -5_000);
    (venue, keeper)
}

#[test]
fn a_short_position_is_bought_back() {
    let (mut venue, keeper) = short(2_000);
    let maker = venue.trader(1_000);
    venue.place(&maker, ask(246_050, 5_000), &[]);
    later(&mut venue, 149, 246_000);
    not_unwound(&mut venue, &keeper, &maker, BallastError::NothingFilled);
    later(&mut venue, 1, 246_000);
    let event = unwound(&mut venue, &keeper, &maker);
    assert_eq!((event.limit_ticks, event.closed_lots), (246_073, 1_000));
    assert_eq!(inventory(&venue).unwrap().lots, -4_000);
}

#[test]
fn a_pool_that_winds_down_does_not_wait() {
    let (mut venue, keeper, maker) = holding(194_200, 5_000);
    later(&mut venue, 1, 194_000);
    unwound(&mut venue, &keeper, &maker);
    not_unwound(&mut venue, &keeper, &maker, BallastError::UnwindTooEarly);
    let pool = venue.market.pool();
    forge::<Pool>(&mut venue.sandbox, &pool, |pool| pool.params.mode = 2);
    let mut closed = Vec::new();
    while inventory(&venue).is_some() {
        closed.push(unwound(&mut venue, &keeper, &maker).closed_lots);
    }
    // A fifth each, and what is less than four least positions at once.
    assert_eq!(closed.iter().sum::<u64>(), 1_600);
    assert_eq!((closed[0], closed[1]), (320, 256));
    assert!(closed.last().is_some_and(|last| *last < 40));
    not_unwound(&mut venue, &keeper, &maker, BallastError::NoPosition);
}

#[test]
fn an_unwind_needs_the_markets_own_pool_and_no_pause() {
    let (mut venue, keeper, maker) = holding(193_950, 500);
    later(&mut venue, 150, 194_000);
    let other = venue.second_market();
    done(venue.sandbox.create_pool(&other, eager()));
    let market = venue.market.clone();
    let call = ballast_client::instructions::anyone::UnwindPool {
        keeper: keeper.wallet.address(),
        keys: market.keys,
        reward_trader: keeper.address,
        makers: &[maker.address],
    }
    .instruction();
    for (from, to) in [
        (market.pool(), other.pool()),
        (market.pool_trader(), other.pool_trader()),
        (market.pool_trader(), maker.address),
    ] {
        refused(&mut venue.sandbox, BallastError::WrongPool, |s| {
            crate::support::replaced(s, call.clone(), &from, to, &[&keeper.wallet.keypair])
        });
    }
    done(venue.sandbox.set_pause(PAUSE_TRADE));
    not_unwound(&mut venue, &keeper, &maker, BallastError::Paused);
}

#[test]
pub fn margin_follows_the_price_both_ways() {
    let (mut venue, _keeper) = short(3_000);
    let market = venue.market.clone();
    let whole = |venue: &Venue| free(venue) + inventory(venue).unwrap().margin;
    let all = whole(&venue);
    let sync = |venue: &mut Venue, ticks| {
        later(venue, 1, ticks);
        let event = event!(done(venue.sandbox.sync_pool(&market)), PoolSynced);
        assert_eq!(whole(venue), all);
        venue.conserves();
        (event.moved_atoms, event.margin_after)
    };
    let margin = inventory(&venue).unwrap().margin;
    // $1,230 of notional at equity of as much; $4 up is $20 more of it and as much of a loss.
    assert_eq!(sync(&mut venue, 250_000), (40_000_000, margin + 40_000_000));
    later(&mut venue, 1, 250_000);
    refused(&mut venue.sandbox, BallastError::NothingToSync, |s| {
        s.sync_pool(&market)
    });
    // At $228 equity is 119 % of the notional, at $227 more than 120 %.
    later(&mut venue, 1, 228_000);
    refused(&mut venue.sandbox, BallastError::NothingToSync, |s| {
        s.sync_pool(&market)
    });
    assert_eq!(
        sync(&mut venue, 227_000),
        (-230_000_000, margin - 190_000_000)
    );
}

#[test]
fn margin_leaves_only_at_a_price_at_which_a_trader_may_take_it_out() {
    let (mut venue, _keeper) = short(3_000);
    let market = venue.market.clone();
    later(&mut venue, 1, 200_000);
    venue.quote(|quote| quote.ema_ticks = 300_000);
    refused(&mut venue.sandbox, BallastError::PriceDiverged, |s| {
        s.sync_pool(&market)
    });
    // Into it margin moves all the same.
    let pool = market.pool();
    forge::<Pool>(&mut venue.sandbox, &pool, |pool| {
        pool.params.margin_bps = 20_000
    });
    done(venue.sandbox.sync_pool(&market));
    forge::<Pool>(&mut venue.sandbox, &pool, |pool| {
        pool.params.margin_bps = 10_000
    });
    venue.price(200_000);
    done(venue.sandbox.set_pause(PAUSE_REMOVE_MARGIN));
    refused(&mut venue.sandbox, BallastError::Paused, |s| {
        s.sync_pool(&market)
    });
}

/// Nobody moves the pool's money into a position that is lost: insurance pays its deficit.
#[test]
fn no_margin_is_moved_into_a_lost_position() {
    let params = PoolParams {
        margin_bps: 1_000,
        ..eager()
    };
    let (mut venue, keeper) = falling_with(194_000, 1_000, params);
    took(&mut venue, &keeper);
    let market = venue.market.clone();
    later(&mut venue, 1, 174_000);
    refused(&mut venue.sandbox, BallastError::NothingToSync, |s| {
        s.sync_pool(&market)
    });
    later(&mut venue, 1, 176_000);
    assert!(event!(done(venue.sandbox.sync_pool(&market)), PoolSynced).moved_atoms > 0);
    assert!(free(&venue) < 1_000 * i64::try_from(USD).unwrap());
}
