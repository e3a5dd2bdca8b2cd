//! A market's pool: offered what the book and the keeper leave, closed again and synced by keepers.

use ballast_engine::pool::PoolParams;
use ballast_keeper::evaluate::Task;
use ballast_keeper::plan::{Effect, Plan, PlanOptions};
use ballast_sandbox::{MarketConfig, TraderCookie, Wallet};
use ballast_state::book_account::OrderSide;

use crate::venue::{Venue, Worked, USD};

/// Prices at which a long of 19x is below maintenance, at half of it, and bankrupt.
const FALL: u64 = 194_000;
const DEEP: u64 = 192_000;
const GAP: u64 = 188_000;

/// A market with a pool of these parameters that has $100,000 of one depositor.
fn market(params: PoolParams) -> (Venue, Wallet) {
    let mut config = MarketConfig::sol();
    config.risk.price_band_bps = 2_000;
    let mut venue = Venue::new(&config);
    let market = venue.market.clone();
    venue.sandbox.create_pool(&market, params).unwrap();
    let depositor = venue.sandbox.depositor(&market, 100_000 * USD);
    (venue, depositor)
}

/// A pool that takes up to its cap at the first discount of the market.
fn eager() -> PoolParams {
    PoolParams {
        cap_bps: 10_000,
        reserve_first_bps: 5,
        reserve_last_bps: 25,
        slip_bps: 3,
        keeper_bps: 2,
        ..PoolParams::DEFAULT
    }
}

fn work(venue: &mut Venue, keeper: &TraderCookie) -> Worked {
    venue.work(keeper, &PlanOptions::default())
}

/// Signed lots of the pool's position.
fn inventory(venue: &Venue) -> i64 {
    let trader = venue.market.pool_trader();
    let slot = venue.sandbox.position(&venue.market, &trader);
    slot.map_or(0, |slot| slot.lots)
}

fn of(done: &[Plan], task: Task) -> usize {
    done.iter().filter(|plan| plan.task == task).count()
}

#[test]
fn a_pool_takes_a_crash_from_a_keeper_without_capital_closes_again_and_pays_its_depositor() {
    let (mut venue, depositor) = market(eager());
    for lots in [4_000, 6_000, 9_000] {
        venue.open(lots, 19, 0);
    }
    let keeper = venue.sandbox.create_trader(0).unwrap();
    let mut done = Vec::new();
    for _ in 0..40 {
        venue.price(12, FALL);
        done.extend(work(&mut venue, &keeper).done);
        if venue.evaluate().counts.below_maintenance == 0 {
            break;
        }
    }
    let counts = venue.evaluate().counts;
    assert_eq!((counts.below_maintenance, counts.bankrupt), (0, 0));
    assert!(of(&done, Task::LiquidateIntoPool) >= 3);
    assert_eq!(of(&done, Task::Deleverage), 0);
    let taken = inventory(&venue);
    assert!(taken > 0);
    assert_eq!(
        venue.sandbox.position(&venue.market, &keeper.address),
        None,
        "the keeper holds nothing"
    );

    venue.quote(OrderSide::Bid, FALL - 40, 20_000);
    let mut unwinds = 0;
    while inventory(&venue) != 0 {
        assert!(unwinds < 100, "it does not close");
        venue.price(150, FALL);
        unwinds += of(&work(&mut venue, &keeper).done, Task::UnwindPool);
    }
    assert!(unwinds > 3);
    let earned = venue.sandbox.trader(&keeper.address).free;
    assert!(earned > 0, "who unwinds is paid");

    let market = venue.market.clone();
    let shares = venue.sandbox.share(&market.pool(), &depositor.address());
    let asked = venue
        .sandbox
        .request_pool(&market, &depositor, shares.shares);
    asked.unwrap();
    venue.price(eager().withdraw_delay_slots, FALL);
    let gained = 100_000 * USD + 1;
    let paid = venue.sandbox.withdraw_pool(&market, &depositor, gained);
    paid.unwrap();
    assert!(venue.sandbox.conservation().holds());
}

/// The keeper's own part and the pool's, in one transaction.
#[test]
fn a_keeper_takes_what_it_can_and_offers_the_pool_the_rest() {
    let (mut venue, _) = market(eager());
    venue.open(40_000, 19, 0);
    venue.quote(OrderSide::Bid, DEEP - 100, 1_000);
    let keeper = venue.sandbox.create_trader(600 * USD).unwrap();
    venue.price(12, DEEP);
    let done = work(&mut venue, &keeper).done;
    let Effect::Liquidation {
        book_lots,
        taken,
        pool_lots,
        ..
    } = done[0].effect
    else {
        panic!("{done:?}");
    };
    assert_eq!(done[0].instructions.len(), 2);
    assert_eq!((done.len(), done[0].task), (1, Task::LiquidateIntoPool));
    assert_eq!(book_lots, 1_000);
    assert!(!taken.lots.is_zero() && pool_lots > 0);
    assert_eq!(inventory(&venue).unsigned_abs(), pool_lots);
}

/// Insurance rescues the position within its time or after it: the pool takes it, nobody is cut.
#[test]
fn a_pool_takes_what_insurance_rescues_before_anybody_is_cut() {
    for late in [false, true] {
        let (mut venue, _) = market(eager());
        venue.insure(1_000);
        let bankrupt = venue.open(10_000, 19, 0);
        let keeper = venue.sandbox.create_trader(0).unwrap();
        venue.price(12, GAP);
        if late {
            let market = venue.market.clone();
            let flagged = venue.sandbox.flag_bankruptcy(&market, &bankrupt.address);
            flagged.unwrap();
            let grace = venue.sandbox.market(&market).risk.adl.grace_slots;
            venue.price(grace + 1, GAP);
        }
        assert_eq!(venue.evaluate().counts.bankrupt, 1);
        let done = work(&mut venue, &keeper).done;
        assert_eq!(of(&done, Task::LiquidateIntoPool), 1, "{done:?}");
        assert_eq!(of(&done, Task::Deleverage), 0);
        assert_eq!(inventory(&venue), 10_000);
    }
}

/// What the pool may not take is deleveraged as if there were none.
#[test]
fn a_pool_that_is_stopped_is_left_out() {
    let (mut venue, _) = market(eager());
    let market = venue.market.clone();
    venue.sandbox.stop_pool(&market).unwrap();
    venue.insure(1_000);
    venue.open(10_000, 19, 0);
    let keeper = venue.sandbox.create_trader(0).unwrap();
    venue.price(12, GAP);
    let worked = work(&mut venue, &keeper);
    assert_eq!(of(&worked.done, Task::LiquidateIntoPool), 0);
    assert_eq!(inventory(&venue), 0);
}

/// A short of the pool loses margin twice as fast as its notional grows; a tenth of it is worth moving.
#[test]
fn a_pools_margin_is_moved_when_it_is_off_by_a_tenth() {
    let (mut venue, _) = market(eager());
    venue.open(-20_000, 19, 0);
    let keeper = venue.sandbox.create_trader(0).unwrap();
    venue.price(12, 209_500);
    let done = work(&mut venue, &keeper).done;
    assert_eq!(of(&done, Task::LiquidateIntoPool), 1);
    assert_eq!(inventory(&venue), -20_000);
    let mut moved = Vec::new();
    for ticks in [211_500, 217_000, 222_000] {
        venue.price(12, ticks);
        let done = work(&mut venue, &keeper).done;
        moved.push(of(&done, Task::SyncPool));
    }
    assert_eq!(moved, [0, 0, 1]);
}
