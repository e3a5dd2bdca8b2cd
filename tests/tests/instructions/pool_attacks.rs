//! What somebody may try to get out of a pool by what it takes and closes.

use ballast_engine::pool::PoolParams;
use ballast_engine::units::LotPrice;
use ballast_sandbox::{TraderCookie, Wallet};
use ballast_state::error::BallastError;

use crate::among;
use crate::orders::bid;
use crate::pool_take::{eager, falling, inventory, step};
use crate::support::{done, quiet, refused, terms, Venue, START, TEN, USD};

/// What a trader has at this mark, atoms.
fn wealth(venue: &Venue, trader: &TraderCookie, ticks: u64) -> i64 {
    let market = venue.sandbox.market(&venue.market);
    let Some(slot) = venue.sandbox.position(&venue.market, &trader.address) else {
        return venue.free(trader);
    };
    let position = market.settled(&slot).unwrap();
    let equity = position.equity(LotPrice::new(ticks).unwrap()).unwrap();
    let reserve = i64::try_from(slot.order_margin).unwrap();
    venue.free(trader) + equity.get() + reserve
}

/// What the pool has at this mark, and what a wallet's shares are worth of it, atoms.
fn pooled(venue: &Venue, wallet: &Wallet, ticks: u64) -> (i64, i64) {
    let s = &venue.sandbox;
    let (market, pool) = (s.market(&venue.market), s.pool(&venue.market));
    let trader = s.trader(&venue.market.pool_trader());
    let assets = pool.assets(&market, &trader).unwrap();
    let equity = assets.position.equity(LotPrice::new(ticks).unwrap());
    let all = trader.free + equity.unwrap().get();
    let fund = pool.fund(u64::try_from(all).unwrap());
    let shares = s.share(&venue.market.pool(), &wallet.address()).shares;
    (all, i64::try_from(fund.value(shares).unwrap()).unwrap())
}

/// The discount goes to the pool, and the auction's last price, the caller's part and the maker's rebate
/// give no more than that back. At $190.500 alice's equity is hardly more than the discount, so that
/// she pays next to nothing of the fee.
#[test]
fn who_is_liquidated_into_a_pool_and_buys_back_gains_nothing() {
    for rebate in [0_u32, 2] {
        let mut config = quiet();
        config.risk.maker_fee_bps = -i32::try_from(rebate).unwrap();
        let mut venue = Venue::open_with(&config);
        let market = venue.market.clone();
        let closing = |slip_bps| PoolParams {
            cap_bps: 10_000,
            reserve_first_bps: 25,
            reserve_last_bps: 25,
            keeper_bps: 2,
            slip_bps,
            unwind_bps: 10_000,
            ..PoolParams::DEFAULT
        };
        done(venue.sandbox.create_pool(&market, closing(23 - rebate)));
        venue.sandbox.depositor(&market, 2_500 * USD);
        let accomplice = venue.trader(1_000);
        let mark = 190_500;
        venue.price(mark);
        let alice = venue.alice.clone();
        let both = |venue: &Venue| wealth(venue, &alice, mark) + wealth(venue, &accomplice, mark);
        let before = both(&venue);
        let taken = done(step(&mut venue, &accomplice));
        assert_eq!(among!(taken, PoolTook).lots, TEN);
        // The only bid, at the last price of the auction.
        let last = (mark * u64::from(10_000 - 23 + rebate)).div_ceil(10_000);
        venue.place(&accomplice, bid(last, 10_000), &[]);
        venue.sandbox.advance_slots(150);
        venue.price(mark);
        let makers = [accomplice.address];
        let unwound = done(venue.sandbox.unwind_pool(&market, &accomplice, &makers));
        assert_eq!(among!(unwound, PoolUnwound).closed_lots, 10_000);
        assert!(inventory(&venue).is_none());
        let gained = both(&venue) - before;
        assert!(gained <= 0, "{rebate}: {gained}");
        venue.conserves();
    }
}

/// A rebate that is raised after the pool was created counts as well: the auction ends as much sooner, and
/// who waits for the price that there was gets nothing.
#[test]
fn a_rebate_that_is_raised_later_makes_buying_back_no_better() {
    let mut venue = Venue::open_with(&quiet());
    let market = venue.market.clone();
    let params = PoolParams {
        cap_bps: 10_000,
        reserve_first_bps: 25,
        reserve_last_bps: 25,
        keeper_bps: 2,
        slip_bps: 23,
        unwind_bps: 10_000,
        ..PoolParams::DEFAULT
    };
    done(venue.sandbox.create_pool(&market, params));
    venue.sandbox.depositor(&market, 2_500 * USD);
    let accomplice = venue.trader(1_000);
    let mark = 190_500;
    venue.price(mark);
    let alice = venue.alice.clone();
    let both = |venue: &Venue| wealth(venue, &alice, mark) + wealth(venue, &accomplice, mark);
    let before = both(&venue);
    assert_eq!(
        among!(done(step(&mut venue, &accomplice)), PoolTook).lots,
        TEN
    );
    let mut risk = *venue.sandbox.market(&market).params();
    risk.maker_fee_bps = -3;
    done(venue.sandbox.set_market_risk(&market, risk));
    let makers = [accomplice.address];
    let last = |bps: u64| (mark * (10_000 - bps)).div_ceil(10_000);
    venue.place(&accomplice, bid(last(23), 10_000), &[]);
    venue.sandbox.advance_slots(150);
    venue.price(mark);
    refused(&mut venue.sandbox, BallastError::NothingFilled, |s| {
        s.unwind_pool(&market, &accomplice, &makers)
    });
    venue.place(&accomplice, bid(last(20), 10_000), &[]);
    let unwound = done(venue.sandbox.unwind_pool(&market, &accomplice, &makers));
    let unwound = among!(unwound, PoolUnwound);
    assert_eq!(
        (unwound.limit_ticks, unwound.closed_lots),
        (last(20), 10_000)
    );
    let gained = both(&venue) - before;
    assert!(gained <= 0, "{gained}");
    venue.conserves();
}

/// What the victim pays goes to all shares and to insurance.
#[test]
fn who_owns_a_part_of_the_pool_gains_nothing_by_being_liquidated() {
    for (mark, own, others) in [
        (194_000, 900, 100),
        (194_000, 100, 900),
        (190_500, 2_000, 0),
    ] {
        let (mut venue, keeper) = falling(START, others);
        let market = venue.market.clone();
        let share = venue.sandbox.depositor(&market, own * USD);
        let alice = venue.alice.clone();
        venue.price(mark);
        let coalition = |venue: &Venue| wealth(venue, &alice, mark) + pooled(venue, &share, mark).1;
        let (before, whole) = (coalition(&venue), pooled(&venue, &share, mark).0);
        let taken = among!(done(step(&mut venue, &keeper)), PoolTook);
        let discount = i64::try_from(taken.discount_atoms).unwrap();
        assert_eq!(pooled(&venue, &share, mark).0, whole + discount);
        let gained = coalition(&venue) - before;
        assert!(gained < 0, "{mark} {own} {others}: {gained}");
        venue.conserves();
    }
}

/// Nineteen accounts with large positions and little margin, all of them left to the pool near the mark,
/// which then moves by a fifth: the pattern that cost other exchanges' vaults most.
#[test]
fn nineteen_accounts_lose_a_pool_no_more_than_its_cap_times_the_move() {
    let mut venue = Venue::new();
    let (market, other) = (venue.market.clone(), venue.second_market());
    let params = PoolParams {
        cap_bps: 5_000,
        ..eager()
    };
    for market in [&market, &other] {
        done(venue.sandbox.create_pool(market, params));
    }
    let share = venue.sandbox.depositor(&market, 1_000 * USD);
    venue.sandbox.depositor(&other, 1_000 * USD);
    let (short, keeper) = (venue.trader(10_000), venue.trader(1_000));
    let mut accounts = Vec::new();
    for _ in 0..19 {
        let account = venue.trader(50);
        let opening = terms(1_000, START, 10 * USD, 100 * USD);
        done(
            venue
                .sandbox
                .block_trade(&market, &account, &short, opening),
        );
        accounts.push(account);
    }
    let untouched = venue.sandbox.account(&other.pool_trader());
    let mark = 191_000;
    venue.price(mark);
    let before = pooled(&venue, &share, mark).0;
    let mut taken = 0;
    for account in &accounts {
        let victim = account.address;
        let call = |s: &mut ballast_sandbox::Sandbox| {
            s.liquidate_into_pool(&market, &victim, &keeper, &[])
        };
        if taken < 2_615 {
            taken += among!(done(call(&mut venue.sandbox)), PoolTook).lots;
            venue.conserves();
        } else {
            refused(&mut venue.sandbox, BallastError::PoolCannotTake, call);
        }
    }
    // Half of what the pool was worth, less what leaving costs, at $191; no later call of the same accounts gets around it.
    assert_eq!((taken, inventory(&venue).unwrap().lots), (2_615, 2_615));
    let moved = mark * 4 / 5;
    let lost = before - pooled(&venue, &share, moved).0;
    let most = before * 5_000 / 10_000 / 5;
    assert!(0 < lost && lost <= most, "{lost} {most}");
    assert_eq!(venue.sandbox.account(&other.pool_trader()), untouched);
}

/// A trader in profit takes out what initial margin leaves, and nobody liquidates it at that price: the
/// pool is not left with a position whose owner took its profit out.
#[test]
fn profit_is_not_taken_out_of_the_margin_before_a_liquidation() {
    let (mut venue, keeper) = falling(205_000, 1_000);
    let (market, alice) = (venue.market.clone(), venue.alice.clone());
    // Equity of $150 against $102.50 of initial margin.
    refused(&mut venue.sandbox, BallastError::BelowInitialMargin, |s| {
        s.remove_margin(&market, &alice, 47_500_001)
    });
    done(venue.sandbox.remove_margin(&market, &alice, 47_500_000));
    refused(&mut venue.sandbox, BallastError::Healthy, |s| {
        s.liquidate_into_pool(&market, &alice.address, &keeper, &[])
    });
    // However high the price: the profit itself stays in the position.
    venue.price(240_000);
    refused(&mut venue.sandbox, BallastError::MarginBelowZero, |s| {
        s.remove_margin(&market, &alice, 52_500_001)
    });
    venue.conserves();
}
