//! A market's price source is replaced by one that agreed with it all the while.

use ballast_client::instructions::admin::StagedKeys;
use ballast_sandbox::{MarketCookie, PriceSource, Quote, Sandbox};
use ballast_state::error::BallastError;
use ballast_state::exchange::{Delays, Role};
use ballast_state::market::Market;
use ballast_state::oracle_config::{OracleConfig, ORACLE_PULL};
use ballast_state::staged::Change;
use ballast_state::witnessed::MOST_WITNESSED_SLOTS;
use solana_account::Account;
use solana_keypair::Keypair;

use crate::event;
use crate::support::{
    conserves, done, forge, refused, refused_forged, terms, Venue, START, TEN, USD,
};

/// Another feed's id.
const OTHER_FEED: [u8; 32] = [9; 32];
/// Looks of an hour each that a delay of seven days has.
const LOOKS: u64 = 168;

/// An open venue whose changes wait, with another price source that is staged.
pub struct Switch {
    pub venue: Venue,
    pub guardian: Keypair,
    pub other: MarketCookie,
    pub staged: StagedKeys,
}

impl Switch {
    /// Of a market that has begun with a price of `source`, to one of `other`.
    fn between(source: PriceSource, other: PriceSource) -> Self {
        let mut config = crate::support::quiet();
        config.source = source;
        let mut venue = Venue::open_with(&config);
        let s = &mut venue.sandbox;
        let guardian = s.funded_keypair();
        done(s.hand_over(Role::Guardian, &guardian));
        done(s.raise_delays(Delays::DEFAULT));
        let other = s.other_source(&venue.market, other, OTHER_FEED);
        let staged = s.stage_source(&other).unwrap();
        let mut switch = Self {
            venue,
            guardian,
            other,
            staged,
        };
        switch.publish(START, START);
        switch
    }

    pub fn new() -> Self {
        Self::between(PriceSource::Pull, PriceSource::Push)
    }

    /// The same once more.
    fn copy(&self) -> Self {
        Self {
            venue: self.venue.copy(),
            guardian: self.guardian.insecure_clone(),
            other: self.other.clone(),
            staged: self.staged,
        }
    }

    /// Publishes prices of both now.
    pub fn publish(&mut self, own: u64, other: u64) {
        self.venue.price(own);
        self.venue.sandbox.set_price(&self.other, other);
    }

    /// Publishes prices of both so many seconds ago, with this confidence.
    fn publish_at(&mut self, ticks: [u64; 2], ago: [i64; 2], conf_ticks: u64) {
        let markets = [self.venue.market.clone(), self.other.clone()];
        for ((market, ticks), ago) in markets.iter().zip(ticks).zip(ago) {
            let quote = Quote {
                ticks,
                conf_ticks,
                ema_ticks: ticks,
                publish_time: self.venue.sandbox.time() - ago,
            };
            self.venue.sandbox.set_quote(market, &quote);
        }
    }

    pub fn witness(&mut self) -> ballast_sandbox::TxResult {
        let market = self.venue.market.clone();
        let s = &mut self.venue.sandbox;
        s.witness_oracle(&self.staged, &market, &self.other)
    }

    pub fn apply(&mut self) -> ballast_sandbox::TxResult {
        let market = self.venue.market.clone();
        let s = &mut self.venue.sandbox;
        s.apply_oracle(&self.staged, &market, &self.other)
    }

    #[track_caller]
    pub fn refuses(&mut self, error: BallastError, apply: bool) {
        let (market, other, staged) = (self.venue.market.clone(), self.other.clone(), self.staged);
        refused(&mut self.venue.sandbox, error, |s| match apply {
            true => s.apply_oracle(&staged, &market, &other),
            false => s.witness_oracle(&staged, &market, &other),
        });
    }

    /// Refused whoever asks for what.
    #[track_caller]
    pub fn refuses_both(&mut self, error: BallastError) {
        self.refuses(error, false);
        self.refuses(error, true);
    }

    /// Looks so many times, an hour apart, while both publish the same.
    pub fn agree(&mut self, looks: u64) {
        for _ in 0..looks {
            self.wait(MOST_WITNESSED_SLOTS);
            self.publish(START, START);
            done(self.witness());
        }
    }

    /// Lets slots pass.
    fn wait(&mut self, slots: u64) {
        let s = &mut self.venue.sandbox;
        let (slot, time) = (s.slot(), s.time());
        let seconds = i64::try_from(slots * 2 / 5).unwrap();
        s.set_clock(slot + slots, time + seconds);
    }

    fn covered(&self) -> u64 {
        let staged = self.venue.sandbox.staged(&self.staged.address).unwrap();
        staged.witnessed.covered_slots
    }
}

#[test]
fn a_source_that_agreed_for_the_whole_delay_takes_the_place_of_the_other() {
    for (own, other) in [
        (PriceSource::Pull, PriceSource::Push),
        (PriceSource::Push, PriceSource::Pull),
        (PriceSource::Pull, PriceSource::Pull),
    ] {
        let mut switch = Switch::between(own, other);
        let seen = event!(done(switch.witness()), OracleWitnessed);
        assert!(seen.agree && seen.covered_slots == 0);
        switch.agree(LOOKS - 1);
        switch.refuses(BallastError::StagedTooEarly, true);
        switch.agree(1);
        // The new one says something else within the band, and is what the market records.
        switch.publish(START, START + 300);
        let before = switch.venue.market.source();
        let changed = event!(done(switch.apply()), OracleChanged);
        assert_eq!(
            (changed.before, changed.after),
            (before, switch.other.source())
        );
        assert_eq!((changed.ticks, changed.new_ticks), (START, START + 300));
        let (market, other) = (switch.venue.market.clone(), switch.other.clone());
        let venue = &mut switch.venue;
        let state = venue.sandbox.market(&market);
        assert_eq!(state.oracle, other.source());
        assert_eq!(state.last_price.ticks, START + 300);
        assert!(venue.sandbox.staged(&switch.staged.address).is_none());
        // The old account is of no use, the new one is.
        let old = venue.sandbox.accrue_funding(&market).unwrap_err();
        assert!(
            old.name
                .as_deref()
                .is_some_and(|name| name.starts_with("Price")),
            "{old}"
        );
        venue.market = other;
        venue.wait(1);
        venue.price(START + 300);
        done(venue.trade(-TEN, START + 300, 0, 0));
        venue.conserves();
    }
}

#[test]
pub fn a_look_at_the_beginning_and_one_at_the_end_are_not_a_delay() {
    let mut switch = Switch::new();
    // Nine tenths of 168 hours are 151.2 of them.
    let mut enough = switch.copy();
    done(enough.witness());
    enough.agree(151);
    switch.agree(151);
    assert_eq!(switch.covered(), 150 * MOST_WITNESSED_SLOTS);
    for it in [&mut switch, &mut enough] {
        it.wait(20 * MOST_WITNESSED_SLOTS);
        it.publish(START, START);
    }
    // The application is a look itself.
    let mut few = switch.copy();
    few.refuses(BallastError::OracleNotWitnessed, true);
    done(enough.apply());
    // What is missing may come later.
    switch.agree(2);
    done(switch.apply());
    let mut once = Switch::new();
    done(once.witness());
    once.wait(LOOKS * MOST_WITNESSED_SLOTS);
    once.publish(START, START);
    done(once.witness());
    assert_eq!(once.covered(), MOST_WITNESSED_SLOTS);
    once.refuses(BallastError::OracleNotWitnessed, true);
}

#[test]
pub fn prices_apart_void_the_change_for_good() {
    let mut switch = Switch::new();
    switch.agree(LOOKS - 1);
    // Within the band both still agree; a little more is enough for anybody.
    switch.publish(START, START * 10_150 / 10_000);
    done(switch.witness());
    switch.wait(MOST_WITNESSED_SLOTS);
    switch.publish(START, START * 10_150 / 10_000 + 2);
    switch.refuses(BallastError::OraclesApart, true);
    let seen = event!(done(switch.witness()), OracleWitnessed);
    assert!(!seen.agree);
    assert_eq!((seen.ticks, seen.new_ticks), (START, 203_002));
    switch.publish(START, START);
    switch.refuses_both(BallastError::StagedStale);
    // Anybody clears it away, and another may be staged.
    let s = &mut switch.venue.sandbox;
    let stranger = s.funded_keypair();
    done(s.cancel_staged(&switch.staged, &stranger));
    s.stage_source(&switch.other).unwrap();
    conserves(s);
}

#[test]
pub fn an_old_price_of_one_beside_a_new_one_of_the_other_voids_nothing() {
    let mut switch = Switch::new();
    switch.agree(LOOKS);
    // In a fall of five percent in two seconds both may be shown at their worst.
    let fallen = START * 95 / 100;
    for (ticks, ago) in [([START, fallen], [2, 0]), ([fallen, START], [0, 2])] {
        switch.publish_at(ticks, ago, 0);
        switch.refuses_both(BallastError::OraclesUndecided);
    }
    // Neither does a price that nobody is sure of.
    switch.publish_at([START, START * 102 / 100], [0, 0], 900);
    switch.refuses_both(BallastError::OraclesUndecided);
    switch.publish_at([START, START], [10, 0], 0);
    done(switch.witness());
    switch.publish(fallen, fallen);
    done(switch.apply());
}

#[test]
fn unfit_prices_neither_count_nor_change_anything() {
    let mut switch = Switch::new();
    switch.agree(LOOKS);
    for (ticks, ago, conf, error) in [
        ([START; 2], [0, 11], 0, BallastError::PriceStale),
        ([START; 2], [11, 0], 0, BallastError::PriceStale),
        ([START; 2], [0, -31], 0, BallastError::PriceFromFuture),
        (
            [START; 2],
            [0, 0],
            START / 10,
            BallastError::PriceWideConfidence,
        ),
    ] {
        switch.publish_at(ticks, ago, conf);
        switch.refuses_both(error);
    }
    // Below a tick, of an exponent without a place for it, and none at all.
    let quote = Quote {
        ticks: START,
        conf_ticks: 0,
        ema_ticks: START,
        publish_time: switch.venue.sandbox.time(),
    };
    let other = switch.other.clone();
    switch.venue.price(START);
    for (price, exponent) in [(1, -8), (20_000_000_000, 12), (0, -8), (-1, -8)] {
        let mut odd = other.pyth_price(&quote, switch.venue.sandbox.slot());
        (odd.price, odd.exponent) = (price, exponent);
        switch.venue.sandbox.set_pyth_price(&other, &odd);
        switch.refuses_both(BallastError::PriceOutOfRange);
    }
    switch
        .venue
        .sandbox
        .set_account(&other.keys.price, Account::default());
    switch.refuses_both(BallastError::PriceWrongOwner);
    // A price older than one the market knows is not the first of the new source; the next one is.
    switch.publish(START, START);
    done(switch.venue.sandbox.accrue_funding(&switch.venue.market));
    switch.publish_at([START; 2], [0, 1], 0);
    switch.refuses(BallastError::PriceOlder, true);
    // The same price in another exponent is the same price.
    let mut coarse = other.pyth_price(&quote, switch.venue.sandbox.slot());
    (coarse.price, coarse.exponent) = (200_000, -3);
    (coarse.ema_price, coarse.conf) = (200_000, 0);
    switch.venue.price(START);
    switch.venue.sandbox.set_pyth_price(&other, &coarse);
    done(switch.apply());
}

#[test]
pub fn another_source_keeps_the_units_and_is_another() {
    let mut switch = Switch::new();
    let (market, admin) = (
        switch.venue.market.clone(),
        switch.venue.sandbox.admin_keypair(),
    );
    done(switch.venue.sandbox.cancel_staged(&switch.staged, &admin));
    let source = switch.other.source();
    for (source, error) in [
        (market.source(), BallastError::OracleUnchanged),
        (
            OracleConfig {
                tick_nano: 2_000_000,
                atoms_per_lot_tick: 2,
                ..source
            },
            BallastError::OracleUnits,
        ),
        (
            OracleConfig {
                lot_nano: 2_000_000,
                atoms_per_lot_tick: 2,
                ..source
            },
            BallastError::OracleUnits,
        ),
        (
            OracleConfig {
                kind: ORACLE_PULL,
                ..source
            },
            BallastError::OracleConfigInvalid,
        ),
    ] {
        refused(&mut switch.venue.sandbox, error, |s| {
            s.send_staging(Change::Oracle(source), Some(&market), &admin)
        });
    }
    refused(&mut switch.venue.sandbox, BallastError::NotAdmin, |s| {
        s.send_staging(Change::Oracle(source), Some(&market), &switch.guardian)
    });
}

#[test]
fn a_market_that_is_to_end_keeps_its_source() {
    let mut switch = Switch::new();
    switch.agree(LOOKS);
    let market = switch.venue.market.clone();
    let admin = switch.venue.sandbox.admin_keypair();
    switch.venue.delist();
    switch.publish(START, START);
    switch.refuses_both(BallastError::MarketEnding);
    let source = Change::Oracle(switch.other.source());
    let s = &mut switch.venue.sandbox;
    done(s.cancel_staged(&switch.staged, &switch.guardian));
    refused(s, BallastError::MarketEnding, |s| {
        s.send_staging(source, Some(&market), &admin)
    });
}

#[test]
fn a_source_that_has_changed_since_voids_the_change_and_new_parameters_do_not() {
    let mut switch = Switch::new();
    switch.agree(LOOKS);
    let market = switch.venue.market.clone();
    forge::<Market>(&mut switch.venue.sandbox, &market.keys.market, |it| {
        it.risk.taker_fee_bps += 1;
    });
    let mut changed = switch.copy();
    done(switch.apply());
    forge::<Market>(&mut changed.venue.sandbox, &market.keys.market, |it| {
        it.oracle.feed_id[0] ^= 1;
    });
    let (other, staged) = (changed.other.clone(), changed.staged);
    for apply in [false, true] {
        let s = &mut changed.venue.sandbox;
        refused_forged(s, BallastError::StagedStale, |s| match apply {
            true => s.apply_oracle(&staged, &market, &other),
            false => s.witness_oracle(&staged, &market, &other),
        });
    }
}

#[test]
fn only_its_own_instruction_applies_a_source_and_only_to_its_own_market() {
    let mut switch = Switch::new();
    switch.agree(LOOKS);
    let (market, staged) = (switch.venue.market.clone(), switch.staged);
    let s = &mut switch.venue.sandbox;
    refused(s, BallastError::StagedMismatch, |s| {
        s.apply(&staged, Some(&market))
    });
    let mut named = staged;
    named.id[0] ^= 1;
    let other = switch.other.clone();
    refused(s, BallastError::StagedMismatch, |s| {
        s.apply_oracle(&named, &market, &other)
    });
    refused(s, BallastError::StagedMismatch, |s| {
        s.witness_oracle(&named, &market, &other)
    });
    // Nor is it witnessed by accounts of other feeds.
    refused(s, BallastError::PriceWrongOwner, |s| {
        s.witness_oracle(&staged, &other, &market)
    });
    expire(s);
    switch.publish(START, START);
    switch.refuses_both(BallastError::StagedExpired);
}

fn expire(sandbox: &mut Sandbox) {
    let (slot, time) = (sandbox.slot(), sandbox.time());
    sandbox.set_clock(slot + 1_512_001, time);
}

#[test]
fn without_delays_a_look_is_enough() {
    let mut venue = Venue::open();
    let market = venue.market.clone();
    let s = &mut venue.sandbox;
    let other = s.other_source(&market, PriceSource::Push, OTHER_FEED);
    let staged = s.stage_source(&other).unwrap();
    s.set_price(&other, START * 2);
    refused(s, BallastError::OraclesApart, |s| {
        s.apply_oracle(&staged, &market, &other)
    });
    s.set_price(&other, START);
    done(s.apply_oracle(&staged, &market, &other));
    venue.market = other;
    let opening = terms(100, START, 2 * USD, 2 * USD);
    let (alice, bob) = (venue.alice.clone(), venue.bob.clone());
    done(
        venue
            .sandbox
            .block_trade(&venue.market, &alice, &bob, opening),
    );
}
