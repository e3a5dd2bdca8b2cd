//! Bugs that other venues shipped, one test each.

use ballast_client::instructions::anyone::{self, Takeover};
use ballast_engine::units::Side;
use ballast_sandbox::{MarketConfig, TraderCookie, TxResult};
use ballast_state::error::BallastError;
use ballast_state::exchange::PAUSE_LIQUIDATE;
use ballast_state::trader::Trader;

use crate::adl::Crash;
use crate::event;
use crate::orders::{ask, bid, ioc};
use crate::support::{
    copy_of, done, forge, quiet, refused, refused_forged, terms, watched, Venue, START, TEN, USD,
};

const ALL: u64 = 10_000;

fn uncapped() -> MarketConfig {
    let mut config = quiet();
    config.risk.adl.max_close_bps = 10_000;
    config
}

/// Alice long and bob short 10 SOL, alice bankrupt by $10 at $189 with $0.20 of insurance; one call
/// may close all of bob.
fn crash() -> (Venue, TraderCookie) {
    let mut venue = Venue::open_with(&uncapped());
    let other = venue.sandbox.create_trader(1_000 * USD).unwrap();
    venue.price(189_000);
    (venue, other)
}

fn deleverage(venue: &mut Venue, list: &[&TraderCookie]) -> TxResult {
    let list: Vec<_> = list.iter().map(|trader| trader.address).collect();
    let (victim, keeper) = (venue.alice.address, venue.bob.clone());
    venue
        .sandbox
        .auto_deleverage(&venue.market, &victim, &keeper, &list)
}

#[track_caller]
fn refuses(venue: &mut Venue, error: BallastError, list: &[&TraderCookie]) {
    let list: Vec<_> = list.iter().map(|trader| trader.address).collect();
    let (market, victim, keeper) = (venue.market.clone(), venue.alice.address, venue.bob.clone());
    refused(&mut venue.sandbox, error, |s| {
        s.auto_deleverage(&market, &victim, &keeper, &list)
    });
}

#[test]
pub fn a_counterparty_was_credited_more_than_the_bankrupt_forfeited() {
    let (mut venue, _) = crash();
    let before = venue.free(&venue.bob);
    let bob = venue.bob.clone();
    let outcome = done(deleverage(&mut venue, &[&bob]));
    let event = event!(outcome, AutoDeleveraged);
    // Sold at $200, bought back at $189.98: the bankrupt's $100 and the insurance's $0.20.
    assert_eq!(event.cuts[0].realized_atoms, 100_200_000);
    let credited = venue.free(&venue.bob) - before - 500_000_000;
    assert_eq!(
        credited,
        100_200_000 + i64::try_from(event.reward_atoms).unwrap()
    );
    venue.conserves();
    // And every atom credited can be had.
    let all = u64::try_from(venue.free(&venue.bob)).unwrap();
    done(venue.sandbox.withdraw(&venue.bob, all));
}

#[test]
pub fn an_account_solvent_at_the_mark_was_deleveraged() {
    let (mut venue, _) = crash();
    venue.price(190_000);
    let bob = venue.bob.clone();
    refuses(&mut venue, BallastError::NotBankrupt, &[&bob]);
}

#[test]
pub fn target_accounts_were_not_checked_for_their_owner() {
    let (mut venue, mut forged) = crash();
    let bob = venue.bob.address;
    forged.address = copy_of(&mut venue.sandbox, &bob);
    let mut account = venue.sandbox.account(&forged.address).unwrap();
    account.owner = venue.sandbox.token_program();
    venue.sandbox.set_account(&forged.address, account);
    refuses(&mut venue, BallastError::AdlForeignAccount, &[&forged]);
}

#[test]
pub fn the_list_held_duplicates_or_the_bankrupt_itself() {
    let (mut venue, _) = crash();
    let (alice, bob) = (venue.alice.clone(), venue.bob.clone());
    refuses(
        &mut venue,
        BallastError::AdlDuplicateCounterparty,
        &[&bob, &bob],
    );
    refuses(&mut venue, BallastError::AdlBankruptInList, &[&bob, &alice]);
}

#[test]
pub fn shrinking_by_a_little_made_the_keepers_call_fail() {
    let (mut venue, other) = crash();
    let bob = venue.bob.clone();
    done(
        venue
            .sandbox
            .block_trade(&venue.market, &bob, &other, terms(10, 189_000, 0, USD)),
    );
    let outcome = done(deleverage(&mut venue, &[&bob]));
    let event = event!(outcome, AutoDeleveraged);
    assert_eq!((event.lots_closed, event.lots_after), (ALL - 10, 10));
    venue.conserves();
}

#[test]
pub fn the_close_made_a_counterparty_insolvent() {
    let (mut venue, seller) = crash();
    let buyer = venue.sandbox.create_trader(1_000 * USD).unwrap();
    // Bankrupt at $186.90, below the close price of $189.98.
    venue.price(178_000);
    done(venue.sandbox.block_trade(
        &venue.market,
        &seller,
        &buyer,
        terms(-1_000, 178_000, 8_900_000, 100 * USD),
    ));
    refuses(&mut venue, BallastError::AdlNothingCut, &[&seller]);
    let bob = venue.bob.clone();
    let outcome = done(deleverage(&mut venue, &[&seller, &bob]));
    let event = event!(outcome, AutoDeleveraged);
    assert_eq!((event.cuts.len(), event.cuts[0].trader), (1, bob.address));
    assert_eq!(venue.position(&seller).lots, -1_000);
    venue.conserves();
}

#[test]
pub fn a_keeper_chose_the_size_and_chunked_it_for_the_fee() {
    let (mut venue, keeper) = crash();
    venue.price(194_000);
    let victim = venue.alice.address;
    let outcome = done(
        venue
            .sandbox
            .liquidate(&venue.market, &victim, &keeper, 100 * USD),
    );
    assert_eq!(event!(outcome, PositionLiquidated).lots, -2_000);
    refused(&mut venue.sandbox, BallastError::LadderInterval, |s| {
        s.liquidate(&venue.market, &victim, &keeper, 100 * USD)
    });
}

#[test]
pub fn a_fee_was_credited_as_requested_instead_of_as_charged() {
    let mut venue = Venue::open();
    let free = u64::try_from(venue.free(&venue.alice)).unwrap();
    done(venue.sandbox.withdraw(&venue.alice, free));
    venue.price(190_500);
    // Closing at $190.01 leaves $0.10, and the fee is $0.95.
    done(venue.trade(-TEN, 190_010, 0, 0));
    let market = venue.sandbox.market(&venue.market);
    assert_eq!(market.fees_atoms + market.insurance.balance, 1_100_000);
    assert_eq!(venue.free(&venue.alice), 0);
    venue.conserves();
}

#[test]
pub fn the_liquidation_fee_bankrupted_the_position() {
    let (mut venue, keeper) = crash();
    venue.price(190_010);
    let victim = venue.alice.address;
    let before = venue.free(&venue.alice);
    let outcome = done(
        venue
            .sandbox
            .liquidate(&venue.market, &victim, &keeper, 100 * USD),
    );
    let event = event!(outcome, PositionLiquidated);
    // Equity of $0.10, which discount and fee together use up and no more.
    assert_eq!(event.equity_before_atoms, 100_000);
    assert_eq!(event.discount_atoms + event.insurance_fee_atoms, 100_000);
    assert_eq!(event.insurance_paid_atoms, 0);
    assert_eq!(venue.free(&venue.alice), before);
    venue.conserves();
}

#[test]
pub fn a_self_matched_pair_and_a_gap_drained_insurance() {
    let mut config = uncapped();
    config.risk.insurance_draw_cap_bps = 1_000;
    let mut venue = Venue::open_with(&config);
    let donor = venue.sandbox.create_wallet(100 * USD).unwrap();
    done(
        venue
            .sandbox
            .donate_insurance(&venue.market, &donor, 100 * USD),
    );
    venue.price(180_000);
    let (victim, bob) = (venue.alice.address, venue.bob.clone());
    refused(&mut venue.sandbox, BallastError::InsuranceCannotPay, |s| {
        s.liquidate(&venue.market, &victim, &bob, 0)
    });
    let outcome = done(deleverage(&mut venue, &[&bob]));
    let event = event!(outcome, AutoDeleveraged);
    // A deficit of $100, a tenth of $100.20 from insurance, the rest from the other leg.
    assert_eq!(
        (event.insurance_paid_atoms, event.gave_up_atoms),
        (10_020_000, 89_980_000)
    );
    assert_eq!(event.insurance_after_atoms, 90_180_000);
    venue.conserves();
}

#[test]
pub fn a_rounding_residue_blocked_liquidation_for_ever() {
    let mut venue = Venue::with(&quiet());
    let keeper = venue.sandbox.create_trader(100_000 * USD).unwrap();
    venue.price(199_999);
    done(venue.trade(9_973, 199_999, 99_777_777, 500 * USD));
    let victim = venue.alice.address;
    let mut price = 194_003;
    let mut steps = 0;
    // Each step restores the rest, which the falling price then reaches again, down to the last lot.
    while venue.sandbox.position(&venue.market, &victim).is_some() {
        venue.price(price);
        let step = venue
            .sandbox
            .liquidate(&venue.market, &victim, &keeper, 1_000 * USD);
        match step {
            Ok(_) => steps += 1,
            Err(error) => assert!(error.is("Healthy"), "{error}"),
        }
        venue.conserves();
        venue.sandbox.advance_slots(10);
        price -= price / 150;
        assert!(price > 20_000, "still open at {price}");
    }
    assert!(steps > 3, "{steps} steps");
}

#[test]
pub fn a_survivor_of_deleveraging_could_not_leave() {
    let mut config = quiet();
    config.risk.adl.max_close_bps = 9_995;
    let mut venue = Venue::with(&config);
    let other = venue.sandbox.create_trader(1_000 * USD).unwrap();
    done(venue.trade(9_990, START, 90 * USD + 9_900_000, 500 * USD));
    let (alice, bob) = (venue.alice.clone(), venue.bob.clone());
    let small = terms(10, START, 100_000, 10 * USD);
    done(
        venue
            .sandbox
            .block_trade(&venue.market, &alice, &other, small),
    );
    venue.price(189_000);
    // All but four lots would be fewer than anybody may open, so that nothing is left.
    let event = event!(done(deleverage(&mut venue, &[&bob])), AutoDeleveraged);
    assert_eq!(event.lots_closed, 9_990);
    assert!(venue
        .sandbox
        .position(&venue.market, &bob.address)
        .is_none());
    venue.conserves();
}

#[test]
pub fn a_position_was_liquidated_on_a_stale_price_or_before_its_funding() {
    let mut config = quiet();
    // Shorts pay longs one per cent an hour.
    config.risk.funding_rate_ppm_per_hour = -10_000;
    config.risk.impact_notional_atoms = 0;
    let mut venue = Venue::open_with(&config);
    let keeper = venue.sandbox.create_trader(1_000 * USD).unwrap();
    venue.price(194_800);
    let victim = venue.alice.address;
    venue.sandbox.advance_seconds(300);
    refused(&mut venue.sandbox, BallastError::PriceStale, |s| {
        s.liquidate(&venue.market, &victim, &keeper, 100 * USD)
    });
    // Equity of $48 and $1.60 of funding against maintenance of $48.70.
    venue.price(194_800);
    refused(&mut venue.sandbox, BallastError::Healthy, |s| {
        s.liquidate(&venue.market, &victim, &keeper, 100 * USD)
    });
}

#[test]
pub fn both_legs_of_a_fill_ended_on_one_side() {
    let mut venue = Venue::open();
    done(venue.trade(-2 * TEN, START, 500 * USD, 300 * USD));
    let (alice, bob) = (venue.position(&venue.alice), venue.position(&venue.bob));
    assert_eq!((alice.lots, bob.lots), (-TEN, TEN));
    assert_eq!(alice.entry_quote, -bob.entry_quote);
    venue.conserves();
}

#[test]
pub fn margin_was_rounded_towards_the_trader() {
    let mut venue = Venue::new();
    venue.price(199_999);
    // Five per cent of $2,000.189999 is $100.00949995.
    let (market, alice, bob) = (venue.market.clone(), venue.alice.clone(), venue.bob.clone());
    let trade = |margin| terms(10_001, 199_999, margin, 500 * USD);
    refused(&mut venue.sandbox, BallastError::BelowInitialMargin, |s| {
        s.block_trade(&market, &alice, &bob, trade(100_009_499))
    });
    done(
        venue
            .sandbox
            .block_trade(&market, &alice, &bob, trade(100_009_500)),
    );
}

#[test]
pub fn an_admin_switched_a_guard_off() {
    let mut venue = Venue::new();
    let sound = venue.market.config.risk;
    let mut refuses = |error, change: &dyn Fn(&mut ballast_engine::risk::RiskParams)| {
        let mut risk = sound;
        change(&mut risk);
        refused(&mut venue.sandbox, error, |s| {
            s.set_market_risk(&venue.market, risk)
        });
    };
    refuses(BallastError::RiskOracle, &|r| {
        r.oracle_max_conf_bps = 10_000
    });
    refuses(BallastError::RiskOracle, &|r| r.oracle_max_age_seconds = 0);
    refuses(BallastError::RiskLiquidation, &|r| {
        r.liquidation_fee_bps = 250
    });
    refuses(BallastError::RiskTiers, &|r| {
        r.tiers[0].maintenance_margin_bps = 0;
    });
    refuses(BallastError::RiskBand, &|r| r.price_band_bps = 10_001);
    refuses(BallastError::RiskAdl, &|r| r.adl.max_close_bps = 0);
    refuses(BallastError::RiskInsurance, &|r| {
        r.insurance_window_slots = 0
    });
}

/// Alice is long 10 SOL, bankrupt by $10 at $189, with $5.20 of insurance; a round closes half.
fn insured_crash() -> Venue {
    let mut config = quiet();
    config.risk.adl.max_close_bps = 5_000;
    let mut venue = Venue::open_with(&config);
    let donor = venue.sandbox.create_wallet(5 * USD).unwrap();
    done(
        venue
            .sandbox
            .donate_insurance(&venue.market, &donor, 5 * USD),
    );
    venue.price(189_000);
    venue
}

#[test]
pub fn insurance_paid_for_lots_that_stayed_open() {
    let mut venue = insured_crash();
    let bob = venue.bob.clone();
    let event = event!(done(deleverage(&mut venue, &[&bob])), AutoDeleveraged);
    assert_eq!((event.lots_closed, event.lots_after), (5_000, 5_000));
    assert_eq!(
        (event.insurance_paid_atoms, event.insurance_after_atoms),
        (2_600_000, 2_600_000)
    );
    assert_eq!(
        (event.gave_up_atoms, event.deficit_after_atoms),
        (2_400_000, 5_000_000)
    );
    // What is left is bankrupt at $190 as before, and worth nothing there; the fee is 0.05%.
    assert_eq!(venue.position(&venue.alice).margin, 50_000_000);
    let before = venue.free(&venue.alice);
    venue.price(190_000);
    done(venue.trade(-5_000, 190_000, 0, 0));
    assert_eq!(venue.free(&venue.alice), before - 475_000);
    venue.conserves();
}

#[test]
pub fn opening_a_session_spent_insurance() {
    let mut venue = insured_crash();
    let (market, alice, bob) = (venue.market.clone(), venue.alice.clone(), venue.bob.clone());
    let node = venue.position(&bob).queue_node;
    let sandbox = &mut venue.sandbox;
    let opened = sandbox.open_adl_session(&market, &alice.address);
    let (session, outcome) = opened.unwrap();
    let event = event!(outcome, AdlSessionOpened);
    assert_eq!(
        (event.deficit_atoms, event.insured_atoms),
        (10_000_000, 5_200_000)
    );
    assert_eq!(sandbox.market(&market).insurance.balance, 5_200_000);
    assert_eq!(venue.position(&alice).margin, 100_000_000);
    // Its execution pays for what it closes, and no more.
    let sandbox = &mut venue.sandbox;
    done(sandbox.advance_adl_session(&market, &session, 10, vec![node]));
    done(sandbox.execute_adl_session(&market, &session, &bob, &[bob.address]));
    assert_eq!(sandbox.market(&market).insurance.balance, 2_600_000);
    let left = venue.position(&alice);
    assert_eq!((left.lots, left.margin), (5_000, 50_000_000));
    venue.conserves();
}

#[test]
pub fn a_list_that_ended_early_left_the_deficit_on_one_lot() {
    let mut venue = Venue::bankrupt();
    let [carol, dan, keeper] = [0; 3].map(|_| venue.trader(5_000));
    let donor = venue.sandbox.create_wallet(10 * USD).unwrap();
    done(
        venue
            .sandbox
            .donate_insurance(&venue.market, &donor, 10 * USD),
    );
    venue.place(&carol, bid(189_000, 9_000), &[]);
    venue.place(&dan, bid(189_000, 1_000), &[]);
    let outcome = venue.sandbox.liquidate_into_book(
        &venue.market,
        &venue.alice.address,
        &keeper,
        Takeover::with_margin(100 * USD),
        &[carol.address],
    );
    let event = event!(done(outcome), PositionLiquidated);
    assert_eq!((event.book_lots, event.lots_after), (-9_000, 1_000));
    assert_eq!(event.insurance_paid_atoms, 9_000_000);
    // Bankrupt at $190, as all of it was.
    assert_eq!(venue.position(&venue.alice).margin, 10_000_000);
    venue.conserves();
}

/// A caller who asks for one lot closes what its list can close all the same.
#[test]
pub fn rounds_of_one_lot_cancelled_every_order_again_and_again() {
    let mut venue = insured_crash();
    let (alice, bob) = (venue.alice.clone(), venue.bob.clone());
    for _ in 0..3 {
        venue.place(&bob, bid(181_000, 600), &[]);
    }
    let mut one_lot = anyone::AutoDeleverage {
        keeper: bob.wallet.address(),
        keys: venue.market.keys,
        bankrupt: alice.address,
        reward_trader: bob.address,
        counterparties: &[bob.address],
    }
    .instruction();
    one_lot.data.truncate(8);
    one_lot.data.extend(1_u64.to_le_bytes());
    let outcome = venue.sandbox.send(&[one_lot], &[&bob.wallet.keypair]);
    let event = event!(done(outcome), AutoDeleveraged);
    assert_eq!(event.cuts[0].cancelled_orders, 3);
    assert_eq!((event.lots_closed, event.lots_after), (5_000, 5_000));
    venue.conserves();
}

#[test]
pub fn a_listed_account_that_had_flipped_failed_the_round() {
    let mut crash = Crash::new(10_000);
    let list = crash.list();
    let (first, bob) = (crash.shorts[0].clone(), crash.venue.bob.clone());
    let over = terms(4_100, 191_000, 5 * USD, 50 * USD);
    let market = crash.venue.market.clone();
    // While the market is not short, so that no profit is held.
    crash.venue.price(191_000);
    done(crash.venue.sandbox.block_trade(&market, &first, &bob, over));
    crash.venue.price(189_000);
    assert_eq!(crash.venue.position(&first).lots, 100);
    let event = event!(done(crash.call(&list)), AutoDeleveraged);
    let cut: Vec<_> = event.cuts.iter().map(|cut| cut.trader).collect();
    assert_eq!(cut, list[1..]);
    crash.venue.conserves();
}

#[test]
pub fn a_session_whose_members_had_left_could_not_be_ended() {
    let mut crash = Crash::new(10_000);
    let (market, alice, bob) = (
        crash.venue.market.clone(),
        crash.venue.alice.address,
        crash.venue.bob.clone(),
    );
    let sandbox = &mut crash.venue.sandbox;
    let (session, _) = sandbox.open_adl_session(&market, &alice).unwrap();
    done(sandbox.advance_adl_session(&market, &session, 1_000, Vec::new()));
    let sold = sandbox.selected(&market, &session);
    assert_eq!(
        sold,
        crash
            .shorts
            .iter()
            .map(|short| short.address)
            .collect::<Vec<_>>()
    );
    for (short, lots) in crash.shorts.clone().iter().zip([4_000, 3_000, 3_000]) {
        let over = terms(lots, 189_000, 0, 20 * USD);
        let sandbox = &mut crash.venue.sandbox;
        refused(sandbox, BallastError::AdlSessionLive, |s| {
            s.close_adl_session(&market, &session)
        });
        done(sandbox.block_trade(&market, short, &bob, over));
    }
    let sandbox = &mut crash.venue.sandbox;
    refused(sandbox, BallastError::AdlNothingCut, |s| {
        s.execute_adl_session(&market, &session, &crash.keeper, &[])
    });
    done(sandbox.close_adl_session(&market, &session));
    // What is held of the profit with which they left pays the deficit: nobody is cut any more.
    assert!(sandbox.market(&market).held.atoms >= 10_000_000);
    let again = sandbox.open_adl_session(&market, &alice).unwrap_err();
    assert_eq!(again.number, Some(u32::from(BallastError::InsuranceCanPay)));
    crash.venue.conserves();
}

/// Alice's close price is so far beyond the mark that everybody is insolvent at it.
#[test]
pub fn a_session_that_selected_nobody_reset_the_caps() {
    let mut crash = Crash::new(5_000);
    let list = crash.list();
    done(crash.call(&list));
    let (market, alice) = (crash.venue.market.clone(), crash.venue.alice.address);
    forge::<Trader>(&mut crash.venue.sandbox, &alice, |trader| {
        trader.positions[0].margin = -50_000_000_000;
    });
    let sandbox = &mut crash.venue.sandbox;
    let (session, _) = sandbox.open_adl_session(&market, &alice).unwrap();
    done(sandbox.advance_adl_session(&market, &session, 1_000, Vec::new()));
    assert_eq!(sandbox.adl_session(&session).selection.members(), []);
    assert_eq!(sandbox.selected(&market, &session), []);
    for list in [&list[..0], &list] {
        refused_forged(sandbox, BallastError::AdlNothingCut, |s| {
            s.execute_adl_session(&market, &session, &crash.keeper, list)
        });
    }
    let queue = sandbox.queue(&market, Side::Short);
    assert_eq!(queue.queue().unwrap().header().adl_epoch, 1);
    done(sandbox.close_adl_session(&market, &session));
}

/// Half of what is hardly a position is none.
#[test]
pub fn dust_at_the_top_shielded_everybody_below() {
    let mut config = quiet();
    config.risk.adl.max_close_bps = 5_000;
    let mut venue = Venue::open_with(&config);
    let dust: Vec<TraderCookie> = (0..3)
        .map(|_| {
            let eve = venue.trader(100);
            let bob = venue.bob.clone();
            let opening = terms(-15, START, 200_000, 0);
            done(
                venue
                    .sandbox
                    .block_trade(&venue.market, &eve, &bob, opening),
            );
            eve
        })
        .collect();
    venue.price(189_000);
    let mut list: Vec<&TraderCookie> = dust.iter().collect();
    let bob = venue.bob.clone();
    list.push(&bob);
    let event = event!(done(deleverage(&mut venue, &list)), AutoDeleveraged);
    let cuts: Vec<u64> = event.cuts.iter().map(|cut| cut.lots_closed).collect();
    // Half of 15 lots would leave seven, where ten are the least.
    assert_eq!(cuts, [15, 15, 15, 4_978]);
    for eve in &dust {
        let left = venue.sandbox.position(&venue.market, &eve.address);
        assert!(left.is_none());
    }
    venue.conserves();
}

/// Each of two liquidators can carry half of the step.
#[test]
pub fn a_take_over_was_all_of_a_step_or_nothing() {
    let mut venue = Venue::new();
    let [victim, maker] = [0; 2].map(|_| venue.trader(20_000));
    let keepers = [0; 2].map(|_| venue.trader(600));
    let market = venue.market.clone();
    let opening = terms(100_000, START, 1_000 * USD, 5_000 * USD);
    done(venue.sandbox.block_trade(&market, &victim, &maker, opening));
    venue.price(190_200);
    let all = Takeover::with_margin(590 * USD);
    let error = BallastError::BelowInitialMargin;
    refused(&mut venue.sandbox, error, |s| {
        s.liquidate_into_book(&market, &victim.address, &keepers[0], all, &[])
    });
    // What would be left is less than the least position.
    let nearly = Takeover::of_lots(99_995, 590 * USD);
    refused(&mut venue.sandbox, error, |s| {
        s.liquidate_into_book(&market, &victim.address, &keepers[0], nearly, &[])
    });
    for (keeper, left) in keepers.iter().zip([50_000, 0]) {
        let half = Takeover::of_lots(50_000, 590 * USD);
        let outcome =
            venue
                .sandbox
                .liquidate_into_book(&market, &victim.address, keeper, half, &[]);
        let event = event!(done(outcome), PositionLiquidated);
        assert_eq!((event.lots, event.lots_after), (-50_000, left));
        assert_eq!(event.insurance_paid_atoms, 0);
        if left > 0 {
            let slot = venue.position(&victim);
            assert_eq!(slot.step_left, 50_000);
        }
    }
    venue.conserves();
}

#[test]
pub fn positions_below_the_least_were_opened() {
    let mut venue = Venue::new();
    let [carol, dan, eve, frank] = [0; 4].map(|_| venue.trader(1_000));
    let bob = venue.bob.clone();
    venue.place(&carol, ask(START, 15), &[]);
    venue.place(&dan, ioc(bid(START, 10)), &[&carol]);
    // Five lots are left of the ask, and ten are the least.
    let ioc_bid = ioc(bid(START, 20));
    venue.refuse(BallastError::PositionTooSmall, &eve, ioc_bid, &[&carol]);
    // Once carol has none, her five lots would be all she has.
    done(
        venue
            .sandbox
            .block_trade(&venue.market, &carol, &bob, terms(10, START, 0, USD)),
    );
    venue.place(&bob, ask(START, 100), &[]);
    // At the price of an earlier slot neither.
    venue.sandbox.advance_slots(1);
    venue.sandbox.advance_seconds(1);
    venue.price(START);
    let event = event!(
        done(venue.order(&frank, ioc_bid, &[&carol, &bob])),
        OrderPlaced
    );
    let makers: Vec<_> = event.fills.iter().map(|fill| fill.maker).collect();
    assert_eq!((makers, event.filled_lots), (vec![bob.address], 20));
    let removed: Vec<_> = event.removed.iter().map(|gone| gone.maker).collect();
    assert_eq!(removed, [carol.address]);
    venue.sound();
}

#[test]
pub fn the_rescue_of_two_dollars_paid_one() {
    let mut config = quiet();
    config.risk.insurance_fee_share_bps = 5_000;
    let mut venue = Venue::with(&config);
    let [one, other] = [0; 2].map(|_| venue.trader(20_000));
    let market = venue.market.clone();
    let big = terms(100_000, START, 5_000 * USD, 5_000 * USD);
    done(venue.sandbox.block_trade(&market, &one, &other, big));
    done(venue.trade(10, START, 100_000, 500 * USD));
    venue.price(189_000);
    assert!(venue.sandbox.market(&market).fees_atoms > USD);
    let keeper = venue.trader(100);
    let (victim, before) = (venue.alice.address, venue.free(&keeper));
    let outcome = done(venue.sandbox.liquidate(&market, &victim, &keeper, USD));
    let event = event!(outcome, PositionLiquidated);
    // A tenth of the cent that was missing.
    assert_eq!(
        (event.insurance_paid_atoms, event.reward_atoms),
        (10_000, 1_000)
    );
    assert_eq!(venue.free(&keeper), before - 1_000_000 + 1_000);
    venue.conserves();
}

/// A step of a fifth of alice's 10 SOL at $194: a discount of 0.25% at first, 1% after 150 slots.
#[test]
pub fn flags_aged_while_nobody_could_act_or_looked() {
    let flagged = || {
        let mut venue = Venue::open();
        let keeper = venue.trader(1_000);
        venue.price(194_000);
        let (market, alice) = (venue.market.clone(), venue.alice.address);
        done(venue.sandbox.flag_bankruptcy(&market, &alice));
        (venue, keeper)
    };
    let step = |venue: &mut Venue, keeper: &TraderCookie| {
        venue.price(194_000);
        let (market, alice) = (venue.market.clone(), venue.alice.address);
        let outcome = venue.sandbox.liquidate(&market, &alice, keeper, 100 * USD);
        let event = event!(done(outcome), PositionLiquidated);
        assert_eq!(event.lots, -2_000);
        event.discount_atoms
    };
    let (mut venue, keeper) = flagged();
    let (market, alice) = (venue.market.clone(), venue.alice.address);
    // A pause of 400 slots, in which somebody flags all the time.
    done(venue.sandbox.set_pause(PAUSE_LIQUIDATE));
    watched(&mut venue.sandbox, &market, &alice, 194_000, 400);
    done(venue.sandbox.set_pause(0));
    assert_eq!(step(&mut venue, &keeper), 970_000);
    // 1,000 slots in which nobody looks, whatever the price was, count as fifty.
    let (mut venue, keeper) = flagged();
    venue.sandbox.advance_slots(1_000);
    assert_eq!(step(&mut venue, &keeper), 1_590_800);
    // After an hour the flag is none.
    let (mut venue, keeper) = flagged();
    venue.sandbox.advance_slots(9_001);
    assert_eq!(step(&mut venue, &keeper), 970_000);
    // Who looks on lets the ramp run to its end.
    let (mut venue, keeper) = flagged();
    watched(&mut venue.sandbox, &market, &alice, 194_000, 150);
    assert_eq!(step(&mut venue, &keeper), 2_910_000);
    venue.conserves();
}

/// Two bankruptcies that take turns cut their counterparty no deeper than one pass allows.
#[test]
fn bankruptcies_that_take_turns_do_not_reset_the_cap() {
    let mut config = quiet();
    config.risk.adl.max_close_bps = 5_000;
    config.risk.insurance_fee_share_bps = 0;
    let mut venue = Venue::with(&config);
    let ann = venue.sandbox.create_trader(1_000 * USD).unwrap();
    let keeper = venue.sandbox.create_trader(1_000 * USD).unwrap();
    let (one, two) = (venue.alice.clone(), venue.bob.clone());
    for (trader, lots, margin) in [(&one, 800, 8_100_000), (&two, 200, 2_100_000)] {
        let terms = terms(lots, START, margin, 100 * USD);
        done(
            venue
                .sandbox
                .block_trade(&venue.market, trader, &ann, terms),
        );
    }
    venue.price(189_000);
    let mut cut = |bankrupt: &TraderCookie| {
        let list = [ann.address];
        let call = venue
            .sandbox
            .auto_deleverage(&venue.market, &bankrupt.address, &keeper, &list);
        let event = event!(done(call), AutoDeleveraged);
        (event.lots_closed, event.pass_opened)
    };
    // Half of 1,000 lots is the cap of the pass that both take part in.
    assert_eq!(cut(&one), (500, false));
    // Nobody else is left, so the next pass closes half of the rest, for both together.
    assert_eq!(cut(&two), (200, true));
    assert_eq!(cut(&one), (50, false));
    assert_eq!(cut(&one), (125, true));
    venue.conserves();
}
