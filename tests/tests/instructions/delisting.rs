//! Markets that are delisted: they end at the average of their last hour.

use ballast_sandbox::Sandbox;
use ballast_state::error::BallastError;
use ballast_state::staged::Change;

use crate::event;
use crate::support::{done, refused, terms, Venue, USD};

const DAY: i64 = 86_400;

impl Venue {
    /// Delists the market and waits until that is in force: when it ends.
    pub fn delist(&mut self) -> i64 {
        let market = self.market.clone();
        let staged = self.sandbox.stage(Change::Delist, Some(&market)).unwrap();
        let due = self.sandbox.staged(&staged.address).unwrap().eta_slot;
        let time = self.sandbox.time() + 7 * DAY;
        self.sandbox.set_clock(due, time);
        let apply = Sandbox::application(&staged, Some(&market));
        let event = event!(done(self.sandbox.send(&[apply], &[])), DelistingScheduled);
        assert_eq!(event.ends_at, time + 3_600);
        event.ends_at
    }

    /// Records a price of `ticks` at every minute up to the end, or as many minutes as are given.
    pub fn minutes(&mut self, minutes: i64, ticks: impl Fn(i64) -> u64) {
        for minute in 0..minutes {
            self.price(ticks(minute));
            self.record();
            self.wait(60);
        }
    }
}

#[test]
fn a_delisted_market_is_reduce_only_and_ends_at_the_average_of_its_last_hour() {
    let mut venue = Venue::open();
    let (market, alice, bob) = (venue.market.clone(), venue.alice.clone(), venue.bob.clone());
    let ends_at = venue.delist();
    assert_eq!(venue.sandbox.market(&market).mode, 1);
    // Twenty minutes at $201, then forty at $198.001.
    venue.minutes(20, |_| 201_000);
    venue.minutes(39, |_| 198_001);
    venue.price(198_001);
    refused(&mut venue.sandbox, BallastError::MarketReduceOnly, |s| {
        s.block_trade(
            &market,
            &alice,
            &bob,
            terms(100, 198_001, 500 * USD, 500 * USD),
        )
    });
    refused(&mut venue.sandbox, BallastError::EndNotDue, |s| {
        s.begin_settlement(&market)
    });
    venue.minutes(1, |_| 198_001);
    assert_eq!(venue.sandbox.time(), ends_at);
    refused(&mut venue.sandbox, BallastError::MarketEnded, |s| {
        s.accrue_funding(&market)
    });
    // Whoever asks for it, and whatever is published since.
    let begin = |waits: i64, ticks: u64| {
        let mut late = venue.copy();
        late.wait(waits);
        late.price(ticks);
        refused(&mut late.sandbox, BallastError::MarketEnded, |s| {
            s.accrue_funding(&market)
        });
        event!(
            done(late.sandbox.begin_settlement(&market)),
            SettlementBegun
        )
        .final_ticks
    };
    // $199.000666 or, by ticks and down, this.
    for (waits, ticks) in [(0, 198_001), (29, 150_000), (3 * DAY, 250_000)] {
        assert_eq!(begin(waits, ticks), 199_000, "{waits}");
    }
    done(venue.sandbox.begin_settlement(&market));
    assert_eq!(venue.settle(&bob).paid_atoms, 500_000_000 + 10_000_000);
    assert_eq!(venue.settle(&alice).paid_atoms, 100_000_000 - 10_000_000);
    venue.is_spent(&[&alice, &bob]);
}

#[test]
fn who_shows_more_prices_moves_the_average_by_the_seconds_they_stood() {
    let mut venue = Venue::open();
    let market = venue.market.clone();
    venue.delist();
    let mut thief = venue.copy();
    venue.minutes(60, |_| 200_000);
    // A wick of 3% one second before each price that others record.
    for _ in 0..60 {
        thief.price(200_000);
        thief.record();
        thief.wait(59);
        thief.price(206_000);
        thief.record();
        thief.wait(1);
    }
    let end = |venue: &mut Venue| {
        let begun = done(venue.sandbox.begin_settlement(&market));
        event!(begun, SettlementBegun).final_ticks
    };
    assert_eq!(end(&mut venue), 200_000);
    assert_eq!(end(&mut thief), 200_000 + 6_000 / 60);
}

#[test]
fn a_delisted_market_whose_last_hour_nobody_records_goes_on() {
    let mut venue = Venue::open();
    let market = venue.market.clone();
    venue.delist();
    venue.minutes(49, |_| 200_000);
    venue.wait(660);
    let begun = event!(
        done(venue.sandbox.begin_settlement(&market)),
        SettlementBegun
    );
    assert_eq!(begun.final_ticks, 0);
    let state = venue.sandbox.market(&market);
    assert_eq!((state.mode, state.wind_down.ends_at), (1, 0));
    venue.price(200_000);
    done(venue.trade(-100, 200_000, 0, 0));
    venue.conserves();
}
