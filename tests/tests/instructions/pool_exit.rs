//! Leaving a pool: requests, delays, what is paid and what stays; and what authorities may change under
//! the feet of those who are in it.

use ballast_client::addresses;
use ballast_client::instructions::fund;
use ballast_engine::pool::PoolMode;
use ballast_sandbox::{Sandbox, TxResult, Wallet};
use ballast_state::error::BallastError;
use ballast_state::exchange::{Delays, Role, PAUSE_WITHDRAW};
use ballast_state::pool::Pool;
use ballast_state::staged::Change;
use solana_signer::Signer;

use crate::event;
use crate::pool::{hold_position, hold_position_of, params, pooled};
use crate::support::{done, forge, refused, refused_forged, Venue, START, USD};

/// Seconds and slots of the delay, and of the window in which a request is paid.
const DELAY: i64 = 345_600;
const WINDOW: i64 = 172_800;

/// The quiet venue with $100 of erin's in a pool, and nothing else.
fn entered() -> (Venue, Wallet) {
    let mut venue = pooled();
    let market = venue.market.clone();
    let erin = venue.sandbox.depositor(&market, 100 * USD);
    (venue, erin)
}

fn shares(venue: &Venue, wallet: &Wallet) -> u64 {
    let pool = venue.market.pool();
    venue.sandbox.share(&pool, &wallet.address()).shares
}

/// Asks for all shares of a wallet; what they will be paid at most.
fn request_all(venue: &mut Venue, wallet: &Wallet) -> u64 {
    let (market, all) = (venue.market.clone(), shares(venue, wallet));
    let asked = venue.sandbox.request_pool(&market, wallet, all);
    event!(done(asked), PoolRequested).value_atoms
}

/// Lets the delay pass, after which the price is this.
fn pass_delay(venue: &mut Venue, ticks: u64) {
    venue.wait(DELAY);
    venue.price(ticks);
}

/// What a wallet is paid.
fn leave(venue: &mut Venue, wallet: &Wallet) -> u64 {
    let market = venue.market.clone();
    let paid = venue.sandbox.withdraw_pool(&market, wallet, 0);
    event!(done(paid), PoolWithdrawn).amount
}

/// Gives to the pool.
fn give(venue: &mut Venue, atoms: u64) {
    let donor = venue.sandbox.create_wallet(atoms).unwrap();
    let trader = venue.market.pool_trader();
    done(venue.sandbox.deposit_from(&donor, &trader, atoms));
}

#[test]
pub fn a_request_is_paid_in_its_window_only() {
    let (mut venue, erin) = entered();
    let market = venue.market.clone();
    let all = shares(&venue, &erin);
    let withdraw = |s: &mut Sandbox| s.withdraw_pool(&market, &erin, 0);
    let s = &mut venue.sandbox;
    refused(s, BallastError::RequestMissing, withdraw);
    refused(s, BallastError::RequestMissing, |s| {
        s.cancel_pool_request(&market, &erin)
    });
    refused(s, BallastError::SharesMissing, |s| {
        s.request_pool(&market, &erin, all + 1)
    });
    refused(s, BallastError::ZeroAmount, |s| {
        s.request_pool(&market, &erin, 0)
    });
    let asked = event!(done(s.request_pool(&market, &erin, all)), PoolRequested);
    assert_eq!(
        (asked.value_atoms, asked.due_slot, asked.lapses_slot),
        (100 * USD, s.slot() + 864_000, s.slot() + 1_296_000)
    );
    assert_eq!(s.pool(&market).requested, all);
    venue.wait(DELAY - 2);
    refused(&mut venue.sandbox, BallastError::RequestTooEarly, withdraw);
    let mut late = venue.copy();
    venue.wait(2);
    done(venue.sandbox.set_pause(PAUSE_WITHDRAW));
    refused(&mut venue.sandbox, BallastError::Paused, withdraw);
    done(venue.sandbox.set_pause(0));
    let paid = event!(done(withdraw(&mut venue.sandbox)), PoolWithdrawn);
    assert_eq!(
        (paid.amount, paid.shares, paid.shares_after),
        (100 * USD, all, 0)
    );
    assert_eq!(venue.sandbox.token_balance(&erin.tokens), 100 * USD);
    assert_eq!(venue.sandbox.pool(&market).requested, 0);
    done(venue.sandbox.close_share(&market.pool(), &erin));
    venue.conserves();

    // Who does not come in time asks again, and waits again.
    late.wait(WINDOW + 2);
    refused(&mut late.sandbox, BallastError::RequestLapsed, withdraw);
    request_all(&mut late, &erin);
    refused(&mut late.sandbox, BallastError::RequestTooEarly, withdraw);
    done(late.sandbox.cancel_pool_request(&market, &erin));
    assert_eq!(late.sandbox.pool(&market).requested, 0);
    late.wait(DELAY);
    refused(&mut late.sandbox, BallastError::RequestMissing, withdraw);
    assert_eq!(shares(&late, &erin), all);
}

#[test]
fn a_request_that_waits_gains_nothing_and_bears_losses() {
    let (mut venue, erin) = entered();
    let market = venue.market.clone();
    let bystander = venue.sandbox.depositor(&market, 100 * USD);
    assert_eq!(request_all(&mut venue, &erin), 100 * USD);
    let mut lossy = venue.copy();
    // The pool gains as much again: not for who is on the way out.
    give(&mut venue, 200 * USD);
    pass_delay(&mut venue, START);
    assert_eq!(leave(&mut venue, &erin), 100 * USD);
    // What rounding and the shares of nobody keep is less than three atoms.
    assert_eq!(request_all(&mut venue, &bystander), 300 * USD - 2);
    // To ask anew begins to wait anew.
    let s = &mut venue.sandbox;
    done(s.mint_to(&erin.tokens, 100 * USD));
    done(s.deposit_pool(&market, &erin, 100 * USD));
    request_all(&mut venue, &erin);
    venue.wait(DELAY - 10);
    request_all(&mut venue, &erin);
    venue.wait(10);
    refused(&mut venue.sandbox, BallastError::RequestTooEarly, |s| {
        s.withdraw_pool(&market, &erin, 0)
    });

    // A long of 0.1 SOL loses $4, and half a percent of $16 for closing it: half of both is hers.
    hold_position(&mut lossy, 100, 20 * USD);
    pass_delay(&mut lossy, 160_000);
    let paid = done(lossy.sandbox.withdraw_pool(&market, &erin, 0));
    let paid = event!(paid, PoolWithdrawn);
    assert_eq!(paid.worth_low, 200 * USD - 4_080_000);
    assert_eq!((paid.amount, paid.requested_after), (97_960_000, 0));
    assert_eq!(paid.inventory_lots, 100);
    lossy.conserves();
}

#[test]
fn who_comes_and_goes_at_one_price_gains_nothing() {
    for (lots, ticks) in [(0, START), (100, 180_000), (100, 215_000), (-100, 215_000)] {
        let (mut venue, erin) = entered();
        let market = venue.market.clone();
        if lots != 0 {
            hold_position(&mut venue, lots, 20 * USD);
        }
        venue.quote(|quote| {
            (quote.ticks, quote.ema_ticks) = (ticks, ticks - 1_000);
            quote.conf_ticks = 500;
        });
        let mallory = venue.sandbox.depositor(&market, 50 * USD);
        let value_before = request_all(&mut venue, &erin);
        let asked = request_all(&mut venue, &mallory);
        assert!(asked <= 50 * USD, "{lots} {ticks}");
        assert!(lots == 0 || asked < 50 * USD - 50_000, "{lots} {ticks}");
        venue.wait(DELAY);
        venue.quote(|quote| {
            (quote.ticks, quote.ema_ticks) = (ticks, ticks - 1_000);
            quote.conf_ticks = 500;
        });
        assert!(leave(&mut venue, &mallory) <= 50 * USD);
        // Nor did she cost those who were there anything.
        assert!(request_all(&mut venue, &erin) >= value_before);
        venue.conserves();
    }
}

#[test]
fn a_gift_before_the_first_deposits_costs_more_than_it_takes() {
    let mut venue = pooled();
    let market = venue.market.clone();
    let thief = venue.sandbox.depositor(&market, USD);
    give(&mut venue, 10_000 * USD);
    let victim = venue.sandbox.depositor(&market, USD);
    let (lost, kept) = (
        USD - request_all(&mut venue, &victim),
        request_all(&mut venue, &thief),
    );
    // A thousandth of a share's rounding: her shares are 100 whole ones or more.
    assert!(lost <= 10_000 * USD / 1_000_000, "{lost}");
    let thiefs_loss = 10_001 * USD - kept;
    assert!(thiefs_loss >= 1_000 * lost, "{thiefs_loss} {lost}");
}

#[test]
fn who_leaves_leaves_behind_what_others_lack() {
    // Alice is long 10 SOL with $100; the pool is short 0.1 SOL at $200, insurance has $0.20.
    let mut venue = Venue::open();
    let market = venue.market.clone();
    done(venue.sandbox.create_pool(&market, params(&market)));
    let erin = venue.sandbox.depositor(&market, 100 * USD);
    let bob = venue.bob.clone();
    hold_position_of(&mut venue, &bob, -100, 20 * USD);
    let insurance = venue.sandbox.market(&market).insurance.balance;
    let all = shares(&venue, &erin);
    let asked = |ticks: u64| {
        let mut at = venue.copy();
        at.price(ticks);
        let asked = event!(
            done(at.sandbox.request_pool(&market, &erin, all)),
            PoolRequested
        );
        let profit = 100 * (START - ticks);
        let notional = 100 * ticks;
        let whole = 100 * USD + profit - (notional * 50).div_ceil(10_000);
        (whole, whole - asked.worth_low)
    };
    // At an equity of 0, and as far as insurance pays, nothing is missing.
    assert_eq!(asked(190_000).1, 0);
    let lacks = |ticks: u64| 10_000 * (190_000 - ticks);
    assert!(lacks(189_980) <= insurance && lacks(189_979) > insurance);
    assert_eq!(asked(189_980).1, 0);
    assert_eq!(asked(189_979).1, lacks(189_979) - insurance);
    assert_eq!(asked(189_900).1, lacks(189_900) - insurance);
    // Never more than what the pool has gained: the rest others lose.
    let (_, behind) = asked(189_000);
    assert_eq!(behind, 100 * 11_000);
}

#[test]
pub fn the_position_keeps_its_margin_and_the_rest_stays_requested() {
    let (mut venue, erin) = entered();
    let market = venue.market.clone();
    // $20 of notional with $5 of margin: $15 of the $95 are needed, and $40 of all by the cap.
    hold_position(&mut venue, 100, 5 * USD);
    let asked = request_all(&mut venue, &erin);
    assert_eq!(asked, 100 * USD - 100_000);
    pass_delay(&mut venue, START);
    refused(&mut venue.sandbox, BallastError::ExitTooLittle, |s| {
        s.withdraw_pool(&market, &erin, 60 * USD)
    });
    let all = shares(&venue, &erin);
    let paid = done(venue.sandbox.withdraw_pool(&market, &erin, 59 * USD));
    let paid = event!(paid, PoolWithdrawn);
    assert_eq!(paid.amount, 100 * USD - 100_000 - 40 * USD);
    assert_eq!(paid.owner_shares_after, paid.requested_after);
    assert_eq!(paid.shares + paid.owner_shares_after, all);
    let left = venue.sandbox.share(&market.pool(), &erin.address());
    assert!(left.requested_value.abs_diff(40 * USD) <= 1, "{left:?}");
    refused(&mut venue.sandbox, BallastError::NothingPayable, |s| {
        s.withdraw_pool(&market, &erin, 0)
    });
    // With the position closed the rest is paid in the same window.
    hold_position(&mut venue, -100, 0);
    assert!(leave(&mut venue, &erin).abs_diff(40 * USD) <= 1);
    assert_eq!(shares(&venue, &erin), 0);
    venue.conserves();
}

#[test]
pub fn nobody_leaves_a_pool_below_maintenance() {
    let (mut venue, erin) = entered();
    let market = venue.market.clone();
    // $20 of notional with $2 of margin.
    hold_position(&mut venue, 100, 2 * USD);
    request_all(&mut venue, &erin);
    pass_delay(&mut venue, 181_500);
    refused(&mut venue.sandbox, BallastError::PoolUnhealthy, |s| {
        s.withdraw_pool(&market, &erin, 0)
    });
    venue.price(195_000);
    assert!(leave(&mut venue, &erin) > 0);
}

#[test]
pub fn an_ended_market_pays_everybody_at_once() {
    let (mut venue, erin) = entered();
    let market = venue.market.clone();
    let dave = venue.sandbox.depositor(&market, 50 * USD);
    hold_position(&mut venue, 100, 20 * USD);
    request_all(&mut venue, &dave);
    venue.price(210_000);
    venue.record();
    venue.end();
    refused(&mut venue.sandbox, BallastError::PoolHasPosition, |s| {
        s.withdraw_pool(&market, &erin, 0)
    });
    done(
        venue
            .sandbox
            .settle_position(&market, &market.pool_trader()),
    );
    // It was worth $1 more at the end; she has two thirds of it, though she never asked.
    let hers = leave(&mut venue, &erin);
    assert!(hers.abs_diff(100_666_666) <= 2, "{hers}");
    let alice = venue.alice.address;
    done(venue.sandbox.settle_position(&market, &alice));
    done(venue.sandbox.close_market(&market));
    let his = leave(&mut venue, &dave);
    assert!(his.abs_diff(50_333_333) <= 2, "{his}");
    assert_eq!(venue.sandbox.pool(&market).shares, 0);
    refused(&mut venue.sandbox, BallastError::SharesMissing, |s| {
        s.withdraw_pool(&market, &dave, 0)
    });
    venue.conserves();
}

#[test]
pub fn a_spent_pool_begins_anew() {
    let (mut venue, erin) = entered();
    let market = venue.market.clone();
    refused(&mut venue.sandbox, BallastError::PoolNotSpent, |s| {
        s.reset_pool(&market)
    });
    // So many shares that an atom stands for more than a million.
    let many = 100 * USD * 1_000_000 + 1_000_000;
    forge::<Pool>(&mut venue.sandbox, &market.pool(), |pool| {
        (pool.shares, pool.requested) = (many, 5);
    });
    let mut holding = venue.copy();
    hold_position(&mut holding, 100, 20 * USD);
    refused_forged(&mut holding.sandbox, BallastError::PoolHasPosition, |s| {
        s.reset_pool(&market)
    });
    let reset = event!(done(venue.sandbox.reset_pool(&market)), PoolReset);
    assert_eq!(
        (reset.epoch, reset.shares, reset.atoms),
        (1, many, 100 * USD)
    );
    let pool = venue.sandbox.pool(&market);
    assert_eq!((pool.epoch, pool.shares, pool.requested), (1, 0, 0));
    refused(&mut venue.sandbox, BallastError::SharesMissing, |s| {
        s.request_pool(&market, &erin, 1)
    });
    // What is left belongs to nobody, so that the next ones lose next to nothing to it.
    let dave = venue.sandbox.depositor(&market, 50 * USD);
    let his = request_all(&mut venue, &dave);
    assert!(50 * USD - his <= 200_000, "{his}");
    // Her account serves again, with the shares of the new epoch.
    done(venue.sandbox.mint_to(&erin.tokens, USD));
    done(venue.sandbox.deposit_pool(&market, &erin, USD));
    assert!(shares(&venue, &erin) > 0);
}

#[test]
fn authorities_change_a_pool_after_a_delay_and_stop_it_at_once() {
    let (mut venue, erin) = entered();
    let market = venue.market.clone();
    let s = &mut venue.sandbox;
    done(s.raise_delays(Delays::DEFAULT));
    let (admin, before) = (s.admin_keypair(), params(&market));
    let mut after = before;
    after.window_slots = 1_000_000;
    (after.exit_bps, after.mode) = (500, PoolMode::NoTakes.number());
    let mut wild = before;
    wild.exit_bps = 501;
    refused(s, BallastError::PoolParams, |s| {
        s.send_staging(Change::Pool(wild), Some(&market), &admin)
    });
    refused(s, BallastError::NotRiskAuthority, |s| {
        s.send_staging(Change::Pool(after), Some(&market), &erin.keypair)
    });
    let staged = s.stage(Change::Pool(after), Some(&market)).unwrap();
    // Not by the instruction for markets, nor for another pool.
    s.advance_slots(Delays::DEFAULT.risk_slots - 1);
    refused(s, BallastError::StagedTooEarly, |s| {
        s.apply_pool(&market, &staged)
    });
    assert_eq!(s.pool(&market).params, before);
    s.advance_slots(1);
    refused(s, BallastError::StagedMismatch, |s| {
        s.apply(&staged, Some(&market))
    });
    let changed = event!(done(s.apply_pool(&market, &staged)), PoolChanged);
    assert_eq!(
        (changed.before, changed.after, changed.stopped_before),
        (before, after, false)
    );
    assert_eq!(s.pool(&market).params, after);

    // The guardian stops it, and what was staged before does not open it.
    let early = s.stage(Change::Pool(before), Some(&market)).unwrap();
    let stranger = s.funded_keypair();
    refused(s, BallastError::NotGuardian, |s| {
        let stop = fund::StopPool {
            authority: stranger.pubkey(),
            market: market.keys.market,
        };
        s.send(&[stop.instruction()], &[&stranger])
    });
    s.advance_slots(1);
    let stopped = event!(done(s.stop_pool(&market)), PoolStopped);
    assert_eq!((stopped.before, stopped.by), (false, s.admin()));
    s.advance_slots(Delays::DEFAULT.risk_slots);
    assert_eq!(s.pool(&market).mode(), PoolMode::NoTakes);
    refused(s, BallastError::StagedStale, |s| {
        s.apply_pool(&market, &early)
    });
    done(s.cancel_staged(&early, &admin));
    let late = s.stage(Change::Pool(before), Some(&market)).unwrap();
    s.advance_slots(Delays::DEFAULT.risk_slots);
    let opened = event!(done(s.apply_pool(&market, &late)), PoolChanged);
    assert!(opened.stopped_before);
    assert_eq!(s.pool(&market).mode(), PoolMode::Open);
    venue.conserves();
}

#[test]
fn new_parameters_are_held_against_those_of_the_market_on_the_day() {
    let (mut venue, _) = entered();
    let market = venue.market.clone();
    let s = &mut venue.sandbox;
    let before = params(&market);
    let staged = s.stage(Change::Pool(before), Some(&market)).unwrap();
    let mut risk = s.market(&market).risk;
    risk.taker_fee_bps = before.premium_bps - 1;
    done(s.set_market_risk(&market, risk));
    refused(s, BallastError::PoolParams, |s| {
        s.apply_pool(&market, &staged)
    });
}

#[test]
fn nobody_withdraws_for_another_or_from_another_pool() {
    let (mut venue, erin) = entered();
    let market = venue.market.clone();
    let other = venue.second_market();
    done(venue.sandbox.create_pool(&other, params(&other)));
    let mallory = venue.sandbox.depositor(&other, USD);
    request_all(&mut venue, &erin);
    pass_delay(&mut venue, START);
    let s = &mut venue.sandbox;
    let steal = |s: &mut Sandbox, share, error| {
        let mut withdraw = fund::WithdrawPool {
            owner: mallory.address(),
            keys: market.keys,
            destination: mallory.tokens,
            collateral: s.collateral(),
            least_atoms: 0,
        }
        .instruction();
        let own = addresses::share(&market.pool(), &mallory.address());
        for meta in &mut withdraw.accounts {
            if meta.pubkey == own {
                meta.pubkey = share;
            }
        }
        refused(s, error, |s| -> TxResult {
            s.send(&[withdraw], &[&mallory.keypair])
        });
    };
    let hers = addresses::share(&market.pool(), &erin.address());
    steal(s, hers, BallastError::NotOwner);
    let foreign = addresses::share(&other.pool(), &mallory.address());
    steal(s, foreign, BallastError::NotOwner);
    // Guardian, admin and risk authority have no more of a key.
    let key = s.funded_keypair();
    done(s.hand_over(Role::Guardian, &key));
    for thief in [key, s.admin_keypair()] {
        let request = fund::RequestPool {
            owner: thief.pubkey(),
            keys: market.keys,
            shares: 1,
        };
        let mut request = request.instruction();
        request.accounts[5].pubkey = hers;
        refused(s, BallastError::NotOwner, |s| s.send(&[request], &[&thief]));
    }
}

#[test]
fn shares_add_up_and_nobody_gains_at_one_price() {
    // Every sequence of this sort of comings and goings, at a price that stands.
    let mut state = 7_u64;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % below
    };
    for round in 0..4 {
        let mut venue = pooled();
        let market = venue.market.clone();
        let first = venue.sandbox.depositor(&market, 100 * USD);
        let lots = [0, 150, -150, 60][round];
        if lots != 0 {
            hold_position(&mut venue, lots, 20 * USD);
        }
        let mut wallets = vec![(first, 100 * USD, 0)];
        for _ in 0..2 {
            let amount = USD + random(40 * USD);
            let wallet = venue.sandbox.depositor(&market, amount);
            wallets.push((wallet, amount, 0));
        }
        for _ in 0..24 {
            let which = usize::try_from(random(3)).unwrap();
            let (wallet, put, got) = &mut wallets[which];
            let owned = shares(&venue, wallet);
            let s = &mut venue.sandbox;
            match random(4) {
                0 => {
                    let amount = USD + random(9 * USD);
                    done(s.mint_to(&wallet.tokens, amount));
                    done(s.deposit_pool(&market, wallet, amount));
                    *put += amount;
                }
                1 if owned > 0 => {
                    done(s.request_pool(&market, wallet, 1 + random(owned)));
                }
                2 => drop(s.cancel_pool_request(&market, wallet)),
                _ => {
                    venue.wait(DELAY / 3);
                    venue.price(START);
                    let paid = venue.sandbox.withdraw_pool(&market, wallet, 0);
                    if let Ok(paid) = paid {
                        *got += event!(paid, PoolWithdrawn).amount;
                    }
                }
            }
            let pool = venue.sandbox.pool(&market);
            let held: Vec<_> = wallets
                .iter()
                .map(|(wallet, ..)| venue.sandbox.share(&market.pool(), &wallet.address()))
                .collect();
            assert_eq!(held.iter().map(|one| one.shares).sum::<u64>(), pool.shares);
            let requested = held.iter().map(|one| one.requested).sum::<u64>();
            assert_eq!(requested, pool.requested);
            venue.conserves();
        }
        // What each has got and could still ask for is no more than what it put in, but for what
        // others left behind: not for the first to go.
        let (wallet, put, got) = wallets.pop().unwrap();
        let left = match shares(&venue, &wallet) {
            0 => 0,
            _ => request_all(&mut venue, &wallet),
        };
        let paid_for_exits = if lots == 0 { 0 } else { 2 * USD };
        assert!(got + left <= put + paid_for_exits, "{got} {left} {put}");
    }
}
