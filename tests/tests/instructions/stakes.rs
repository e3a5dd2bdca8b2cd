//! Stakes behind insurance: what they buy, what they bear, and that nobody leaves a loss to others.

use ballast_client::addresses;
use ballast_client::instructions::stakes as build;
use ballast_engine::shares::STAKE_TERMS;
use ballast_sandbox::{MarketConfig, MarketCookie, Quote, TraderCookie, Wallet};
use ballast_state::error::BallastError;
use ballast_state::events::BallastEvent;
use ballast_state::exchange::{PAUSE_DEPOSIT, PAUSE_WITHDRAW};
use ballast_state::stakes::Stakes;

use crate::event;
use crate::fees::name_treasury;
use crate::support::{done, forge, quiet, refused, refused_forged, replaced, Venue, START, USD};

/// Seconds from a request to the first slot in which it is paid.
const DELAY: i64 = 432_000;

/// The open venue with stakes, of which ann and ben have $10 each. Nobody staked $0.20.
fn staked_with(config: &MarketConfig) -> (Venue, MarketCookie, Wallet, Wallet) {
    let mut venue = Venue::open_with(config);
    let market = venue.market.clone();
    done(venue.sandbox.open_stakes(&market));
    let ann = venue.sandbox.staker(&market, 10 * USD);
    let ben = venue.sandbox.staker(&market, 10 * USD);
    (venue, market, ann, ben)
}

fn staked() -> (Venue, MarketCookie, Wallet, Wallet) {
    staked_with(&quiet())
}

/// Has a wallet ask for all it has, and lets the delay pass.
fn due(venue: &mut Venue, market: &MarketCookie, wallet: &Wallet) {
    let shares = venue.sandbox.share(&market.stakes(), &wallet.address());
    let all = shares.shares;
    done(venue.sandbox.request_unstake(market, wallet, all));
    venue.wait(DELAY);
    venue.price(START);
}

fn tokens(venue: &Venue, wallet: &Wallet) -> u64 {
    venue.sandbox.token_balance(&wallet.tokens)
}

/// Takes alice, who is bankrupt, over.
fn take_over(venue: &mut Venue) {
    let liquidator: TraderCookie = venue.sandbox.create_trader(1_000 * USD).unwrap();
    let (market, victim) = (venue.market.clone(), venue.alice.address);
    let s = &mut venue.sandbox;
    done(s.liquidate(&market, &victim, &liquidator, 500 * USD));
}

#[test]
fn a_stake_buys_shares_and_gifts_belong_to_nobody() {
    let mut venue = Venue::open();
    let market = venue.market.clone();
    let opened = event!(done(venue.sandbox.open_stakes(&market)), StakesOpened);
    assert_eq!(opened.stakes, market.stakes());
    assert!(venue.sandbox.open_stakes(&market).is_err());
    let mallory = venue.sandbox.staker(&market, USD);
    // Neither a gift nor tokens sent straight to the vault make a share worth more.
    let donor = venue.sandbox.create_wallet(1_000 * USD).unwrap();
    done(venue.sandbox.donate_insurance(&market, &donor, 900 * USD));
    let vault = venue.sandbox.market(&market).insurance_vault;
    done(venue.sandbox.mint_to(&vault, 50 * USD));
    done(venue.sandbox.sweep_insurance(&market));
    let ann = venue.sandbox.create_wallet(10 * USD).unwrap();
    done(venue.sandbox.create_share(&market.stakes(), &ann));
    let bought = event!(done(venue.sandbox.stake(&market, &ann, 10 * USD)), Staked);
    assert_eq!(
        (bought.shares, bought.shares_after),
        (10_000 * USD, 11_000 * USD)
    );
    let state = venue.sandbox.market(&market);
    assert_eq!(
        (state.staked_atoms, state.insurance.balance),
        (11 * USD, 961 * USD + 200_000)
    );
    let stakes = venue.sandbox.stakes(&market);
    let owned = |wallet: &Wallet| {
        venue
            .sandbox
            .share(&market.stakes(), &wallet.address())
            .shares
    };
    assert_eq!(stakes.shares, owned(&ann) + owned(&mallory));
    venue.conserves();
}

#[test]
fn leaving_before_a_bankruptcy_is_booked_pays_nothing_for_it() {
    let (mut venue, market, ann, ben) = staked();
    due(&mut venue, &market, &ann);
    // At $190 nothing is missing, and all is paid.
    let mut solvent = venue.copy();
    solvent.price(190_000);
    done(solvent.sandbox.unstake(&market, &ann, 10 * USD));
    assert_eq!(tokens(&solvent, &ann), 10 * USD);
    // At $189 alice lacks $10, of which nobody's $0.20 pay first. Nobody has flagged her.
    venue.price(189_000);
    let mut booked = venue.copy();
    take_over(&mut booked);
    let state = booked.sandbox.market(&market);
    assert_eq!(
        (state.insurance.balance, state.staked_atoms),
        (10_200_000, 10_200_000)
    );
    done(booked.sandbox.unstake(&market, &ann, 0));
    let early = event!(done(venue.sandbox.unstake(&market, &ann, 0)), Unstaked);
    assert_eq!(early.known_losses_atoms, 9_800_000);
    assert_eq!(
        (tokens(&venue, &ann), tokens(&booked, &ann)),
        (5_100_000, 5_100_000)
    );
    // Ben, who stays, has what he would have had.
    take_over(&mut venue);
    for left in [&venue, &booked] {
        let state = left.sandbox.market(&market);
        assert_eq!(state.staked_atoms, 5_100_000);
        let share = left.sandbox.share(&market.stakes(), &ben.address());
        let fund = left.sandbox.stakes(&market).fund(state.staked_atoms);
        assert_eq!(fund.value(share.shares), Ok(5_100_000));
        left.conserves();
    }
}

#[test]
fn confidence_and_average_count_the_worse_way() {
    let (mut venue, market, ann, _) = staked();
    due(&mut venue, &market, &ann);
    let paid = |quote: fn(&mut Quote)| {
        let mut venue = venue.copy();
        venue.quote(quote);
        event!(done(venue.sandbox.unstake(&market, &ann, 0)), Unstaked).known_losses_atoms
    };
    assert_eq!(paid(|quote| quote.ticks = 190_500), 0);
    // $189.50 lacks $5, of which nobody's $0.20 pay first.
    let unsure = |quote: &mut Quote| (quote.ticks, quote.conf_ticks) = (190_500, 1_000);
    assert_eq!(paid(unsure), 4_800_000);
    let fell = |quote: &mut Quote| (quote.ticks, quote.ema_ticks) = (190_500, 189_500);
    assert_eq!(paid(fell), 4_800_000);
}

#[test]
fn a_bankrupt_of_cents_freezes_nobody() {
    let (mut venue, market, ann, _) = staked();
    due(&mut venue, &market, &ann);
    // Alice lacks $0.30, ten cents more than nobody's.
    venue.price(189_970);
    let paid = event!(done(venue.sandbox.unstake(&market, &ann, 0)), Unstaked);
    assert_eq!((paid.known_losses_atoms, paid.amount), (100_000, 9_950_000));
    venue.conserves();
}

#[test]
pub fn a_request_is_paid_in_its_time_and_gains_nothing_more() {
    let mut config = quiet();
    config.risk.stake_income_bps = 10_000;
    let (mut venue, market, ann, ben) = staked_with(&config);
    let share = venue.sandbox.share(&market.stakes(), &ann.address());
    refused(&mut venue.sandbox, BallastError::RequestMissing, |s| {
        s.unstake(&market, &ann, 0)
    });
    refused(&mut venue.sandbox, BallastError::RequestMissing, |s| {
        s.cancel_unstake(&market, &ann)
    });
    refused(&mut venue.sandbox, BallastError::SharesMissing, |s| {
        s.request_unstake(&market, &ann, share.shares + 1)
    });
    let asked = venue.sandbox.request_unstake(&market, &ann, share.shares);
    let asked = event!(done(asked), UnstakeRequested);
    assert_eq!(
        (asked.value_atoms, asked.requested_after),
        (10 * USD, share.shares)
    );
    let changed = done(venue.sandbox.cancel_unstake(&market, &ann));
    assert_eq!(event!(changed, UnstakeCancelled).requested_after, 0);
    done(venue.sandbox.request_unstake(&market, &ann, share.shares));
    let asked_in = venue.sandbox.slot();
    // A fat fee comes in: the stakes' income, which ann forgoes.
    done(venue.trade(-100, START, 0, 0));
    let earned = venue.sandbox.market(&market).staked_atoms - 20 * USD;
    assert!(earned > 0);
    let first = asked_in + STAKE_TERMS.delay_slots;
    for (slot, refusal) in [
        (first - 1, Some(BallastError::RequestTooEarly)),
        (first, None),
        (first + STAKE_TERMS.window_slots - 1, None),
        (
            first + STAKE_TERMS.window_slots,
            Some(BallastError::RequestLapsed),
        ),
    ] {
        let mut then = venue.copy();
        then.sandbox.set_clock(slot, venue.sandbox.time() + DELAY);
        then.price(START);
        match refusal {
            Some(error) => {
                refused(&mut then.sandbox, error, |s| s.unstake(&market, &ann, 0));
            }
            None => {
                done(then.sandbox.unstake(&market, &ann, 10 * USD));
                assert_eq!(tokens(&then, &ann), 10 * USD);
                let state = then.sandbox.market(&market);
                let left = then.sandbox.share(&market.stakes(), &ben.address());
                let fund = then.sandbox.stakes(&market).fund(state.staked_atoms);
                // All but what belongs to the virtual shares.
                assert!(fund.value(left.shares).unwrap() + 2 >= 10 * USD + earned);
                then.conserves();
            }
        }
    }
}

#[test]
pub fn nobody_joins_a_known_loss_or_the_wrong_way() {
    let (mut venue, market, ann, _) = staked();
    done(venue.sandbox.mint_to(&ann.tokens, 50 * USD));
    let other = venue.second_market();
    done(venue.sandbox.open_stakes(&other));
    let mallory = venue.sandbox.create_wallet(10 * USD).unwrap();
    done(venue.sandbox.create_share(&market.stakes(), &mallory));
    venue.price(189_999);
    refused(&mut venue.sandbox, BallastError::MarketInsolvent, |s| {
        s.stake(&market, &ann, USD)
    });
    venue.price(260_000);
    refused(&mut venue.sandbox, BallastError::MarketInsolvent, |s| {
        s.stake(&market, &ann, USD)
    });
    venue.price(START);
    let s = &mut venue.sandbox;
    refused(s, BallastError::DepositTooSmall, |s| {
        s.stake(&market, &ann, USD - 1)
    });
    let stake = build::Stake {
        owner: ann.address(),
        keys: market.keys,
        source: ann.tokens,
        collateral: s.collateral(),
        amount: USD,
    }
    .instruction();
    let request = build::RequestUnstake {
        owner: ann.address(),
        market: market.keys.market,
        shares: 1,
    }
    .instruction();
    let mine = addresses::share(&market.stakes(), &ann.address());
    let theirs = addresses::share(&market.stakes(), &mallory.address());
    for call in [stake, request] {
        refused(s, BallastError::WrongStakes, |s| {
            let call = call.clone();
            replaced(s, call, &market.stakes(), other.stakes(), &[&ann.keypair])
        });
        refused(s, BallastError::NotOwner, |s| {
            replaced(s, call.clone(), &mine, theirs, &[&ann.keypair])
        });
    }
    done(s.set_pause(PAUSE_DEPOSIT));
    refused(s, BallastError::Paused, |s| s.stake(&market, &ann, USD));
    done(s.set_pause(PAUSE_WITHDRAW));
    refused(s, BallastError::Paused, |s| s.unstake(&market, &ann, 0));
    done(s.set_pause(0));
    forge::<Stakes>(s, &market.stakes(), |stakes| stakes.requested = 1 << 60);
    refused_forged(s, BallastError::StakesInvariant, |s| {
        s.stake(&market, &ann, USD)
    });
}

#[test]
pub fn nobody_joins_insurance_that_has_paid_its_cap_and_not_resumed() {
    let mut config = quiet();
    config.risk.insurance_draw_cap_bps = 5_000;
    config.risk.insurance_resume_bps = 4_000;
    let mut venue = Venue::open_with(&config);
    let market = venue.market.clone();
    done(venue.sandbox.open_stakes(&market));
    // With nobody's $0.20 there are $20, half of which is what alice lacks.
    let ann = venue.sandbox.staker(&market, 19_800_000);
    done(venue.sandbox.mint_to(&ann.tokens, USD));
    venue.price(189_000);
    take_over(&mut venue);
    let state = venue.sandbox.market(&market);
    assert_eq!((state.insurance_limited, state.staked_atoms), (1, 10 * USD));
    refused(&mut venue.sandbox, BallastError::InsuranceLimited, |s| {
        s.stake(&market, &ann, USD)
    });
    let bucket = config.risk.insurance_window_slots.div_ceil(3);
    let forgotten = (state.insurance.bucket + 4) * bucket;
    let wait = forgotten - venue.sandbox.slot();
    venue.sandbox.advance_slots(wait);
    venue.price(189_000);
    done(venue.sandbox.stake(&market, &ann, USD));
    venue.conserves();
}

#[test]
pub fn the_floor_stays_and_the_least_is_kept() {
    let mut config = quiet();
    config.risk.stake_floor_atoms = 14 * USD;
    let (mut venue, market, ann, ben) = staked_with(&config);
    let shares = venue.sandbox.share(&market.stakes(), &ben.address()).shares;
    done(venue.sandbox.request_unstake(&market, &ben, shares));
    due(&mut venue, &market, &ann);
    refused(&mut venue.sandbox, BallastError::ExitTooLittle, |s| {
        s.unstake(&market, &ann, 6_200_001)
    });
    // $6.20 of $20.20 may go.
    let first = event!(done(venue.sandbox.unstake(&market, &ann, 1)), Unstaked);
    assert_eq!(
        (first.amount, first.insurance_after_atoms),
        (6_200_000, 14 * USD)
    );
    for wallet in [&ann, &ben] {
        refused(&mut venue.sandbox, BallastError::StakeFloor, |s| {
            s.unstake(&market, wallet, 0)
        });
    }
    // What comes in lets the rest of it go.
    let donor = venue.sandbox.create_wallet(2 * USD).unwrap();
    done(venue.sandbox.donate_insurance(&market, &donor, 2 * USD));
    let rest = event!(done(venue.sandbox.unstake(&market, &ann, 1)), Unstaked);
    assert_eq!(rest.amount, 2 * USD);
    venue.conserves();
}

#[test]
fn worthless_shares_end_with_the_next_stake() {
    let (mut venue, market, ann, ben) = staked();
    // Alice lacks $40: all of insurance, the rest is others'.
    venue.price(186_000);
    let donor = venue.sandbox.create_wallet(20 * USD).unwrap();
    done(venue.sandbox.donate_insurance(&market, &donor, 19_800_000));
    take_over(&mut venue);
    let state = venue.sandbox.market(&market);
    assert_eq!((state.insurance.balance, state.staked_atoms), (0, 0));
    done(venue.sandbox.mint_to(&ben.tokens, 5 * USD));
    let outcome = done(venue.sandbox.stake(&market, &ben, 5 * USD));
    let [BallastEvent::StakesRenewed(renewed), BallastEvent::Staked(_)] = &outcome.events[..]
    else {
        panic!("{:?}", outcome.events);
    };
    assert_eq!((renewed.epoch, renewed.rest_atoms), (1, 0));
    let (ben_has, stakes) = (
        venue.sandbox.share(&market.stakes(), &ben.address()),
        venue.sandbox.stakes(&market),
    );
    assert_eq!(
        (ben_has.shares, stakes.shares, stakes.epoch),
        (5_000 * USD, 5_000 * USD, 1)
    );
    // Ann's are of the epoch before: worth nothing, asked for in vain.
    refused(&mut venue.sandbox, BallastError::SharesMissing, |s| {
        s.request_unstake(&market, &ann, 1)
    });
    done(venue.sandbox.close_share(&market.stakes(), &ann));
    venue.conserves();
}

#[test]
fn stakes_leave_a_closed_market_at_once_and_the_treasury_gets_the_rest() {
    let (mut venue, market, ann, ben) = staked();
    let (alice, bob) = (venue.alice.clone(), venue.bob.clone());
    let treasury = name_treasury(&mut venue.sandbox);
    venue.record();
    venue.end();
    refused(&mut venue.sandbox, BallastError::MarketEnded, |s| {
        s.unstake(&market, &ann, 0)
    });
    venue.settle(&alice);
    venue.settle(&bob);
    done(venue.sandbox.close_market(&market));
    done(venue.sandbox.unstake(&market, &ann, 10 * USD));
    venue.wait(31 * 86_400);
    done(venue.sandbox.sweep_insurance(&market));
    done(venue.sandbox.withdraw_insurance(&market));
    assert_eq!(venue.sandbox.token_balance(&treasury.tokens), 200_000);
    // Ben comes late and has all of his.
    done(venue.sandbox.unstake(&market, &ben, 10 * USD));
    let state = venue.sandbox.market(&market);
    assert_eq!((state.insurance.balance, state.staked_atoms), (0, 0));
    refused(&mut venue.sandbox, BallastError::SharesMissing, |s| {
        s.unstake(&market, &ben, 0)
    });
    venue.conserves();
}
