//! Markets that end: a keeper alone pays everybody out and closes them.

use ballast_engine::wind_down::MarketMode;
use ballast_keeper::evaluate::Task;
use ballast_keeper::plan::session::SessionStep;
use ballast_keeper::plan::{Effect, Plan, PlanOptions};
use ballast_sandbox::{BlockTrade, MarketConfig, Sandbox, TraderCookie};
use ballast_state::book_account::OrderSide;
use ballast_state::staged::Change;

use crate::venue::{Venue, START, USD};

const DAY: u64 = 86_400;

impl Venue {
    /// Delists the market, and a price of `ticks` is recorded at every minute up to its end.
    fn delist(&mut self, ticks: u64) {
        let market = self.market.clone();
        let staged = self.sandbox.stage(Change::Delist, Some(&market)).unwrap();
        let due = self.sandbox.staged(&staged.address).unwrap().eta_slot;
        let time = self.sandbox.time() + 7 * i64::try_from(DAY).unwrap();
        self.sandbox.set_clock(due, time);
        let apply = Sandbox::application(&staged, Some(&market));
        self.sandbox.send(&[apply], &[]).unwrap();
        for _ in 0..60 {
            self.price(0, ticks);
            self.sandbox.accrue_funding(&market).unwrap();
            self.sandbox.advance_seconds(60);
        }
    }

    /// Fails unless the market is closed, and nothing is left in it but insurance and fees.
    #[track_caller]
    fn is_closed(&self) {
        let market = self.sandbox.market(&self.market);
        assert_eq!(market.mode(), MarketMode::Settled);
        let left = self.sandbox.conservation();
        assert!(left.holds());
        assert_eq!((left.positions, left.orders, left.held), (0, 0, 0));
        let people = self.people.iter().chain([&self.house]);
        for trader in people {
            let slot = self.sandbox.position(&self.market, &trader.address);
            assert_eq!(slot, None, "{}", trader.address);
        }
        assert!(self.evaluate().jobs.is_empty());
    }
}

/// How often each task was done.
fn count(done: &[Plan], task: Task) -> usize {
    done.iter().filter(|plan| plan.task == task).count()
}

/// A market with a few positions, an order of somebody without one, and a keeper.
fn market() -> (Venue, TraderCookie) {
    let mut venue = Venue::new(&MarketConfig::sol());
    for (lots, leverage) in [
        (6_000, 19),
        (-5_000, 2),
        (-4_000, 4),
        (2_000, 3),
        (3_000, 15),
    ] {
        venue.open(lots, leverage, 10);
    }
    let maker = venue.quote(OrderSide::Bid, START - 5_000, 1_000);
    venue.people.push(maker);
    let keeper = venue.sandbox.create_trader(0).unwrap();
    (venue, keeper)
}

#[test]
fn a_delisted_market_with_positions_pays_everybody_without_any_person() {
    let (mut venue, keeper) = market();
    // Two longs are bankrupt at the end.
    venue.delist(184_000);
    let worked = venue.work(&keeper, &PlanOptions::default());
    let done = |task| count(&worked.done, task);
    assert_eq!(done(Task::BeginSettlement), 1);
    assert_eq!(worked.done[0].task, Task::BeginSettlement);
    assert!(done(Task::Deleverage) >= 2);
    assert_eq!(done(Task::CountClaims), 0);
    // Whoever is left: the two that were not cut whole or were never in line, and the order's owner.
    assert!(done(Task::Settle) >= 3);
    assert_eq!(done(Task::CloseMarket), 1);
    venue.is_closed();
}

#[test]
fn a_market_whose_oracle_is_dead_is_declared_ended_and_paid_out() {
    let (mut venue, keeper) = market();
    venue.price(0, START);
    venue.sandbox.accrue_funding(&venue.market).unwrap();
    venue.sandbox.advance_seconds(DAY);
    let mut frozen = venue.state();
    frozen.price = None;
    let job = ballast_keeper::wind_down::due(&frozen, &venue.clock());
    assert_eq!(job.map(|job| job.task), Some(Task::DeclareDead));
    venue.sandbox.declare_dead(&venue.market).unwrap();
    frozen.apply_market(&venue.sandbox.market(&venue.market));
    assert_eq!(
        ballast_keeper::wind_down::due(&frozen, &venue.clock()),
        None
    );
    venue.sandbox.advance_seconds(DAY);
    let worked = venue.work(&keeper, &PlanOptions::default());
    assert_eq!(count(&worked.done, Task::BeginSettlement), 1);
    assert_eq!(count(&worked.done, Task::CloseMarket), 1);
    venue.is_closed();
}

#[test]
fn a_price_that_is_newer_than_the_one_recorded_is_no_death() {
    let (mut venue, _) = market();
    venue.sandbox.advance_seconds(DAY);
    venue.price(0, START);
    assert_eq!(
        ballast_keeper::wind_down::due(&venue.state(), &venue.clock()),
        None
    );
}

#[test]
fn whom_nobody_can_be_closed_against_is_written_off() {
    let (mut venue, keeper) = market();
    // Its shorts hold next to nothing by now: what they are worth at the end does not reach to its
    // bankruptcy price. Forged, as no trade brings it about.
    let bankrupt = venue.open(10_000, 19, 0);
    venue.open(20_000, 1, 10);
    venue.price(25, 150_000);
    let market = venue.market.clone();
    let balance = |venue: &mut Venue, change: fn(u64) -> u64| {
        let mut account = venue.sandbox.account(&market.keys.market).unwrap();
        let body = &mut account.data[8..];
        let market: &mut ballast_state::market::Market = bytemuck::from_bytes_mut(body);
        market.insurance.balance = change(market.insurance.balance);
        venue.sandbox.set_account(&market_key(venue), account);
    };
    balance(&mut venue, |atoms| atoms + 10_000_000 * USD);
    let shorts: Vec<TraderCookie> = venue
        .people
        .iter()
        .chain([&venue.house])
        .filter(|trader| {
            let slot = venue.sandbox.position(&venue.market, &trader.address);
            slot.is_some_and(|slot| slot.lots < 0)
        })
        .cloned()
        .collect();
    for short in shorts {
        let slot = venue
            .sandbox
            .position(&venue.market, &short.address)
            .unwrap();
        let lots = slot.lots.unsigned_abs();
        let heir = venue.sandbox.create_trader(lots * 150_000).unwrap();
        let terms = BlockTrade {
            lots: slot.lots.abs(),
            price_ticks: 150_000,
            taker_margin: 0,
            maker_margin: lots * 150_000 / 15,
        };
        venue
            .sandbox
            .block_trade(&venue.market, &short, &heir, terms)
            .unwrap();
        venue.people.push(heir);
    }
    balance(&mut venue, |atoms| atoms - 10_000_000 * USD);
    venue.delist(150_000);
    let options = PlanOptions::default();
    let worked = venue.work(&keeper, &options);
    let wrote_off = worked.done.iter().any(|plan| {
        plan.effect == Effect::Session(SessionStep::WriteOff) && plan.trader == bankrupt.address
    });
    assert!(
        wrote_off,
        "{:?}",
        worked
            .done
            .iter()
            .map(|plan| plan.effect)
            .collect::<Vec<_>>()
    );
    assert_eq!(count(&worked.done, Task::CountClaims), 1);
    assert!(venue.sandbox.market(&venue.market).written_off_atoms > 0);
    venue.is_closed();
}

fn market_key(venue: &Venue) -> ballast_state::Pubkey {
    venue.market.keys.market
}
