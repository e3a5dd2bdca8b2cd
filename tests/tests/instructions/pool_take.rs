//! What a pool takes of liquidations.

use ballast_client::instructions::anyone::{self, Takeover};
use ballast_client::liquidation::{foresee_into_pool, IntoPool};
use ballast_client::pooling::PoolPresent;
use ballast_engine::liquidation::LiquidationInput;
use ballast_engine::oracle::{Action, Now, OraclePrice};
use ballast_engine::pool::PoolParams;
use ballast_engine::units::{Side, Ticks};
use ballast_sandbox::{MarketCookie, Sandbox, TraderCookie, TxResult};
use ballast_state::error::BallastError;
use ballast_state::events::{PoolTook, PositionLiquidated};
use ballast_state::pool::Pool;
use ballast_state::position_slot::PositionSlot;
use ballast_state::Pubkey;

use crate::among;
use crate::orders::bid;
use crate::support::{done, forge, quiet, refused, replaced, Venue, TEN, USD};

/// A pool that takes up to its cap at the first discount of the market.
pub fn eager() -> PoolParams {
    PoolParams {
        cap_bps: 10_000,
        reserve_first_bps: 5,
        reserve_last_bps: 25,
        slip_bps: 3,
        keeper_bps: 2,
        ..PoolParams::DEFAULT
    }
}

/// The open venue at this price with an eager pool that has `dollars`, and a keeper that has $1,000.
pub fn falling(price: u64, dollars: u64) -> (Venue, TraderCookie) {
    falling_with(price, dollars, eager())
}

/// The same with a pool of these parameters.
pub fn falling_with(price: u64, dollars: u64, params: PoolParams) -> (Venue, TraderCookie) {
    let mut venue = Venue::open();
    let market = venue.market.clone();
    done(venue.sandbox.create_pool(&market, params));
    if dollars > 0 {
        venue.sandbox.depositor(&market, dollars * USD);
    }
    let keeper = venue.sandbox.create_trader(1_000 * USD).unwrap();
    venue.price(price);
    (venue, keeper)
}

/// Liquidates alice into the pool.
pub fn step(venue: &mut Venue, keeper: &TraderCookie) -> TxResult {
    let victim = venue.alice.address;
    venue
        .sandbox
        .liquidate_into_pool(&venue.market, &victim, keeper, &[])
}

#[track_caller]
pub fn took(venue: &mut Venue, keeper: &TraderCookie) -> (PositionLiquidated, PoolTook) {
    let outcome = done(step(venue, keeper));
    let liquidated = among!(outcome, PositionLiquidated);
    let took = among!(outcome, PoolTook);
    venue.conserves();
    (liquidated, took)
}

/// Free collateral of the pool.
pub fn free(venue: &Venue) -> i64 {
    venue.sandbox.trader(&venue.market.pool_trader()).free
}

/// The pool's position.
pub fn inventory(venue: &Venue) -> Option<PositionSlot> {
    let trader = venue.market.pool_trader();
    venue.sandbox.position(&venue.market, &trader)
}

#[test]
fn a_pool_takes_a_step_over_at_the_liquidators_price() {
    let (mut venue, keeper) = falling(194_000, 1_000);
    let slot = venue.sandbox.slot();
    let (liquidated, took) = took(&mut venue, &keeper);
    // What a liquidator would have got: a fifth at 25 bps below the mark.
    assert_eq!(
        (liquidated.lots, liquidated.quote_atoms),
        (-2_000, -387_030_000)
    );
    assert_eq!(
        (liquidated.discount_atoms, liquidated.insurance_fee_atoms),
        (970_000, 1_940_000)
    );
    assert_eq!(liquidated.liquidator, keeper.address);
    assert_eq!(
        (took.market, took.pool, took.trader),
        (
            venue.market.keys.market,
            venue.market.pool(),
            venue.alice.address
        )
    );
    assert_eq!(
        (took.lots, took.quote_atoms, took.discount_atoms),
        (2_000, 387_030_000, 970_000)
    );
    // Equity of all of the notional of 388,000,000, of which the discount is a part.
    assert_eq!((took.margin_added, took.premium_atoms), (387_030_000, 0));
    assert_eq!((took.lots_before, took.lots_after), (0, 2_000));
    assert_eq!(
        (took.worth_low, took.window_atoms),
        (1_000_000_000, 388_000_000)
    );
    assert_eq!((took.free_after, free(&venue)), (612_970_000, 612_970_000));
    let held = inventory(&venue).unwrap();
    assert_eq!(
        (held.lots, held.entry_quote, held.margin),
        (2_000, 387_030_000, 387_030_000)
    );
    // The keeper has neither lots nor a reward: there was no order to remove and nothing to rescue.
    assert!(venue
        .sandbox
        .position(&venue.market, &keeper.address)
        .is_none());
    assert_eq!(venue.free(&keeper), 1_000_000_000);
    let pool: Pool = venue.sandbox.pool(&venue.market);
    assert_eq!(
        (pool.takes, pool.discount_atoms, pool.premium_atoms),
        (1, 970_000, 0)
    );
    assert_eq!((pool.last_take_slot, pool.auction_slot), (slot, slot));
    assert_eq!(pool.window().total(), Ok(388_000_000));
    let market = venue.sandbox.market(&venue.market);
    assert_eq!(
        (market.liquidations, market.open_interest_lots),
        (1, 10_000)
    );
}

/// A liquidator's own part, then the pool's, in one transaction.
#[test]
fn a_pool_takes_what_a_liquidator_leaves_of_the_same_step() {
    let (mut venue, keeper) = falling(194_000, 1_000);
    let own = anyone::Liquidate {
        authority: keeper.wallet.address(),
        keys: venue.market.keys,
        trader: venue.alice.address,
        liquidator: keeper.address,
        offer: Takeover {
            margin: 100 * USD,
            lots: 500,
        },
        makers: &[],
    };
    let rest = anyone::LiquidateIntoPool {
        authority: keeper.wallet.address(),
        keys: venue.market.keys,
        trader: venue.alice.address,
        liquidator: keeper.address,
        makers: &[],
    };
    let both = [own.instruction(), rest.instruction()];
    let outcome = done(venue.sandbox.send(&both, &[&keeper.wallet.keypair]));
    venue.conserves();
    assert_eq!(among!(outcome, PoolTook).lots, 1_500);
    assert_eq!(venue.position(&keeper).lots, 500);
    assert_eq!(inventory(&venue).unwrap().lots, 1_500);
    let left = venue.position(&venue.alice);
    assert_eq!((left.lots, left.step_left), (8_000, 0));
    // Nothing is left of the step.
    refused(&mut venue.sandbox, BallastError::LadderInterval, |s| {
        s.liquidate_into_pool(&venue.market, &venue.alice.address, &keeper, &[])
    });
}

#[test]
fn the_book_comes_before_the_pool() {
    let (mut venue, keeper) = falling(194_000, 1_000);
    let maker = venue.trader(1_000);
    venue.place(&maker, bid(193_900, 800), &[]);
    // An order at a better price than the pool's is not passed over.
    refused(
        &mut venue.sandbox,
        BallastError::LiquidationSkipsBook,
        |s| s.liquidate_into_pool(&venue.market, &venue.alice.address, &keeper, &[]),
    );
    let victim = venue.alice.address;
    let makers = [maker.address];
    let outcome = done(
        venue
            .sandbox
            .liquidate_into_pool(&venue.market, &victim, &keeper, &makers),
    );
    venue.conserves();
    let liquidated = among!(outcome, PositionLiquidated);
    assert_eq!((liquidated.lots, liquidated.book_lots), (-2_000, -800));
    assert_eq!(among!(outcome, PoolTook).lots, 1_200);
    // The keeper is paid for what it found in the book.
    assert!(liquidated.book_reward_atoms > 0);
    let reward = i64::try_from(liquidated.book_reward_atoms).unwrap();
    assert_eq!(venue.free(&keeper), 1_000_000_000 + reward);
}

/// Fails unless the pool takes nothing and the book has nothing.
#[track_caller]
fn takes_nothing(venue: &mut Venue, keeper: &TraderCookie, error: BallastError) {
    let (market, victim) = (venue.market.clone(), venue.alice.address);
    refused(&mut venue.sandbox, error, |s| {
        s.liquidate_into_pool(&market, &victim, keeper, &[])
    });
}

#[test]
fn a_pool_takes_no_more_than_its_cap_and_then_nothing() {
    // $200 buy 1,030 lots at $194.
    let (mut venue, keeper) = falling(194_000, 200);
    let (_, taken) = took(&mut venue, &keeper);
    assert_eq!((taken.lots, taken.worth_low), (1_030, 200_000_000));
    assert_eq!(venue.position(&venue.alice).step_left, 970);
    takes_nothing(&mut venue, &keeper, BallastError::PoolCannotTake);
    let pool = venue.market.pool();
    // More capital, more lots: the rest of the step.
    let donor = venue.sandbox.create_wallet(500 * USD).unwrap();
    done(venue.sandbox.create_share(&pool, &donor));
    done(
        venue
            .sandbox
            .deposit_pool(&venue.market.clone(), &donor, 500 * USD),
    );
    assert_eq!(took(&mut venue, &keeper).1.lots, 970);
}

#[test]
pub fn a_pool_that_is_stopped_or_empty_takes_nothing() {
    for (mode, dollars) in [(1, 1_000), (2, 1_000), (0, 0)] {
        let params = PoolParams { mode, ..eager() };
        let (mut venue, keeper) = if mode == 2 {
            // No deposits are taken by then.
            let (mut venue, keeper) = falling(194_000, dollars);
            let pool = venue.market.pool();
            forge::<Pool>(&mut venue.sandbox, &pool, |pool| pool.params = params);
            (venue, keeper)
        } else {
            falling_with(194_000, dollars, params)
        };
        takes_nothing(&mut venue, &keeper, BallastError::PoolCannotTake);
    }
    let (mut venue, keeper) = falling(194_000, 1_000);
    let pool = venue.market.pool();
    forge::<Pool>(&mut venue.sandbox, &pool, |pool| pool.stopped = 1);
    takes_nothing(&mut venue, &keeper, BallastError::PoolCannotTake);
}

#[test]
fn a_pool_whose_shares_have_fallen_takes_nothing_until_the_height_has_sunk() {
    let (mut venue, keeper) = falling(194_000, 1_000);
    let (slot, pool) = (venue.sandbox.slot(), venue.market.pool());
    // A tenth below the height and an atom.
    forge::<Pool>(&mut venue.sandbox, &pool, |pool| {
        let value = pool.fund(1_000 * USD).value(1 << 32).unwrap();
        (pool.peak_value, pool.peak_slot) = (value * 10 / 9 + 2, slot);
    });
    takes_nothing(&mut venue, &keeper, BallastError::PoolCannotTake);
    venue.sandbox.advance_slots(1);
    venue.price(194_000);
    assert_eq!(took(&mut venue, &keeper).1.lots, 2_000);
}

#[test]
fn a_window_limits_what_enlarges_the_position() {
    let params = PoolParams {
        take_cap_bps: 2_000,
        ..eager()
    };
    let (mut venue, keeper) = falling_with(194_000, 1_000, params);
    let (_, taken) = took(&mut venue, &keeper);
    assert_eq!((taken.lots, taken.window_atoms), (1_030, 1_030 * 194_000));
    takes_nothing(&mut venue, &keeper, BallastError::PoolCannotTake);
    // Four buckets of a third of the window later it takes as much again.
    venue.sandbox.advance_slots(12_000);
    venue.price(194_000);
    assert!(took(&mut venue, &keeper).1.lots > 1_000);
}

/// At negative equity insurance pays the deficit, and what it has left of the premium.
#[test]
fn a_pool_takes_a_rescued_position_at_the_mark_for_a_premium() {
    for (insurance, premium) in [
        (10_000_000, 0),
        (10_300_000, 300_000),
        (20_000_000, 945_000),
    ] {
        let (mut venue, keeper) = falling(189_000, 2_000);
        takes_nothing(&mut venue, &keeper, BallastError::InsuranceCannotPay);
        let donor = venue.sandbox.create_wallet(20 * USD).unwrap();
        let market = venue.market.clone();
        done(
            venue
                .sandbox
                .donate_insurance(&market, &donor, insurance - 200_000),
        );
        let (liquidated, took) = took(&mut venue, &keeper);
        assert_eq!(
            (liquidated.lots, liquidated.quote_atoms),
            (-TEN, -1_890_000_000)
        );
        assert_eq!(
            (
                liquidated.insurance_paid_atoms,
                liquidated.insurance_after_atoms
            ),
            (10_000_000, insurance - 10_000_000 - premium)
        );
        assert_eq!((took.lots, took.quote_atoms), (TEN, 1_890_000_000));
        assert_eq!((took.discount_atoms, took.premium_atoms), (0, premium));
        let pooled = free(&venue) + inventory(&venue).unwrap().margin;
        assert_eq!(pooled, 2_000_000_000 + i64::try_from(premium).unwrap());
        // The rescue's reward is the keeper's.
        assert_eq!(liquidated.reward_atoms, 800_000);
        assert_eq!(venue.free(&keeper), 1_000_800_000);
        assert_eq!(venue.sandbox.pool(&market).premium_atoms, premium);
    }
}

#[test]
fn a_pool_that_holds_the_other_side_gives_it_up_at_any_discount() {
    let (mut venue, keeper) = falling(194_000, 1_000);
    took(&mut venue, &keeper);
    // Now bob falls short: the pool is long 2,000 and buys nothing, it closes against him.
    let params = PoolParams { mode: 1, ..eager() };
    let pool = venue.market.pool();
    forge::<Pool>(&mut venue.sandbox, &pool, |pool| pool.params = params);
    let bob = venue.bob.address;
    let market = venue.market.clone();
    venue.price(246_000);
    let outcome = done(
        venue
            .sandbox
            .liquidate_into_pool(&market, &bob, &keeper, &[]),
    );
    venue.conserves();
    let taken = among!(outcome, PoolTook);
    assert_eq!(
        (taken.lots, taken.lots_before, taken.lots_after),
        (-2_000, 2_000, 0)
    );
    assert!(inventory(&venue).is_none());
    // Enlarging is what the window counts.
    assert_eq!(taken.window_atoms, 388_000_000);
}

#[test]
fn nobody_takes_in_the_pools_name() {
    let (mut venue, keeper) = falling(194_000, 1_000);
    let other = venue.second_market();
    done(venue.sandbox.create_pool(&other, eager()));
    let (market, victim) = (venue.market.clone(), venue.alice.address);
    let call = |victim: Pubkey, liquidator: Pubkey| {
        anyone::LiquidateIntoPool {
            authority: keeper.wallet.address(),
            keys: market.keys,
            trader: victim,
            liquidator,
            makers: &[],
        }
        .instruction()
    };
    let send = |s: &mut Sandbox, victim, liquidator, from: &Pubkey, to: Pubkey| {
        let call = call(victim, liquidator);
        replaced(s, call, from, to, &[&keeper.wallet.keypair])
    };
    let (pool, pooled) = (market.pool(), market.pool_trader());
    for (from, to) in [
        (pool, other.pool()),
        (pooled, other.pool_trader()),
        (pooled, keeper.address),
    ] {
        refused(&mut venue.sandbox, BallastError::WrongPool, |s| {
            send(s, victim, keeper.address, &from, to)
        });
    }
    for (victim, liquidator) in [(pooled, keeper.address), (victim, victim)] {
        refused(&mut venue.sandbox, BallastError::TradersNotDistinct, |s| {
            send(s, victim, liquidator, &pool, pool)
        });
    }
    for liquidator in [pooled, venue.bob.address] {
        refused(&mut venue.sandbox, BallastError::NotTraderAuthority, |s| {
            send(s, victim, liquidator, &pool, pool)
        });
    }
}

/// The plan of a client is what the program does.
#[test]
fn a_client_foresees_what_a_pool_takes() {
    for (price, dollars, bids) in [
        (194_000, 1_000, 0),
        (194_000, 150, 300),
        (190_500, 500, 2_000),
    ] {
        let (mut venue, keeper) = falling(price, dollars);
        let maker = venue.trader(1_000);
        if bids > 0 {
            venue.place(&maker, bid(price - 50, bids), &[]);
        }
        let makers = [maker.address];
        let foreseen = foreseen(
            &venue.sandbox,
            &venue.market,
            (&venue.alice.address, price),
            &makers,
        );
        let (market, victim) = (venue.market.clone(), venue.alice.address);
        let outcome = done(
            venue
                .sandbox
                .liquidate_into_pool(&market, &victim, &keeper, &makers),
        );
        let event = among!(outcome, PositionLiquidated);
        assert_eq!((event.lots, event.book_lots), foreseen, "{price} {dollars}");
    }
}

/// Lots that a client foresees, in all and of the book.
fn foreseen(
    s: &Sandbox,
    market: &MarketCookie,
    (victim, ticks): (&Pubkey, u64),
    makers: &[Pubkey],
) -> (i64, i64) {
    let (mut state, pool, slot) = (s.market(market), s.pool(market), s.slot());
    let now = Now {
        slot,
        unix_timestamp: s.time(),
    };
    let price = OraclePrice {
        price: Ticks::new(ticks),
        confidence: Ticks::new(0),
        ema: Ticks::new(ticks),
        publish_time: s.time(),
        below_tick: false,
    };
    let touched = state.touch(price, Action::FORCE, now, 0).unwrap();
    let position = s.position(market, victim).unwrap();
    let input = LiquidationInput {
        position: state.settled(&position).unwrap(),
        mark: touched.mark.price,
        params: &state.risk,
        slot,
        distress: position.distress(),
        insurance_available: state.deficit_cover(slot).unwrap(),
    };
    let room = s.queue(market, Side::Long).queue().unwrap().has_room();
    let holder = s.trader(&market.pool_trader());
    let market_state = s.market(market);
    let present =
        PoolPresent::at(&market_state, &pool, &holder, &price, Action::FORCE, now).unwrap();
    let into = IntoPool {
        taker: present.taker(room).unwrap(),
        insurance_alone: state.insurance_available(slot).unwrap(),
        book_gone: 0,
    };
    let book = s.book(market);
    let book = book.book().unwrap();
    let plan = foresee_into_pool(&book, victim, &input, &into, makers).unwrap();
    (plan.lots.get(), plan.book_lots.get())
}

#[test]
fn a_pool_without_a_position_takes_where_funding_has_been_paid() {
    let mut config = quiet();
    config.risk.funding_rate_ppm_per_hour = 100;
    config.risk.impact_notional_atoms = 0;
    let mut venue = Venue::open_with(&config);
    let market = venue.market.clone();
    done(venue.sandbox.create_pool(&market, eager()));
    venue.sandbox.depositor(&market, 1_000 * USD);
    let keeper = venue.sandbox.create_trader(1_000 * USD).unwrap();
    venue.wait(3_600);
    venue.price(194_000);
    done(venue.sandbox.accrue_funding(&market));
    let index = venue.sandbox.market(&market).funding.index.get();
    assert!(index > 0, "{index}");
    let (_, took) = took(&mut venue, &keeper);
    assert_eq!(took.lots_after, took.lots);
    assert_eq!(inventory(&venue).unwrap().funding_index, index);
}
