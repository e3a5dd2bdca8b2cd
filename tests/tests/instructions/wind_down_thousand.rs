//! The end of a market of a thousand positions: what everybody gets, whoever comes first.

use ballast_client::moment::Moment;
use ballast_client::ranking::{plan, Request};
use ballast_engine::units::Side;
use ballast_sandbox::TraderCookie;
use ballast_state::error::BallastError;
use ballast_state::market::Market;
use ballast_state::position_slot::PositionSlot;

use crate::support::{done, quiet, refused, terms, Venue, USD};
use crate::write_off::Deadlock;

const PAIRS: u64 = 500;
const LAST: u64 = 216_543;

/// The next of a sequence that looks random.
fn next(state: &mut u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// So many longs and shorts of all sizes, margins and entry prices, at funding that has moved, when
/// the price goes to [`LAST`] and then none comes any more.
fn crowd() -> (Venue, Vec<TraderCookie>) {
    let mut config = quiet();
    config.risk.funding_rate_ppm_per_hour = 70;
    config.risk.impact_notional_atoms = 0;
    config.risk.insurance_draw_cap_bps = 1_000;
    config.queue_capacity = 1_024;
    let mut venue = Venue::with(&config);
    let (mut traders, mut state) = (Vec::new(), 7);
    for pair in 0..PAIRS {
        let [long, short] = [(); 2].map(|()| venue.sandbox.create_trader(2_000 * USD).unwrap());
        let lots = 100 + next(&mut state) % 5_000;
        let price = 198_000 + next(&mut state) % 4_000;
        let notional = lots * price;
        // A few shorts hold so little that the last price leaves them bankrupt.
        let short_margin = match pair % 100 {
            50 => notional * 600 / 10_000,
            _ => notional * (2_000 + next(&mut state) % 6_000) / 10_000,
        };
        let long_margin = notional * (1_000 + next(&mut state) % 9_000) / 10_000;
        let terms = terms(
            i64::try_from(lots).unwrap(),
            price,
            long_margin,
            short_margin,
        );
        let trade = venue
            .sandbox
            .block_trade(&venue.market, &long, &short, terms);
        done(trade);
        traders.extend([long, short]);
        if pair % 50 == 0 {
            venue.wait(1_800);
            venue.price(200_000);
        }
    }
    venue.wait(3_600);
    venue.price(LAST);
    done(venue.sandbox.accrue_funding(&venue.market));
    (venue, traders)
}

/// A market of as many in which one bankrupt can be closed against nobody, see [`Deadlock`].
fn deadlocked() -> (Deadlock, Vec<TraderCookie>) {
    let mut config = quiet();
    config.risk.funding_rate_ppm_per_hour = 70;
    config.risk.impact_notional_atoms = 0;
    config.queue_capacity = 1_024;
    let mut it = Deadlock::with(Venue::with(&config));
    let (mut traders, mut state) = (it.everybody().to_vec(), 11);
    for pair in 0..PAIRS - 2 {
        let sandbox = &mut it.venue.sandbox;
        let [long, short] = [(); 2].map(|()| sandbox.create_trader(2_000 * USD).unwrap());
        let lots = 100 + next(&mut state) % 5_000;
        let price = 149_000 + next(&mut state) % 2_000;
        let notional = lots * price;
        let long_margin = notional * (2_000 + next(&mut state) % 6_000) / 10_000;
        let short_margin = notional * (700 + next(&mut state) % 800) / 10_000;
        let terms = terms(
            i64::try_from(lots).unwrap(),
            price,
            long_margin,
            short_margin,
        );
        done(sandbox.block_trade(&it.venue.market, &long, &short, terms));
        traders.extend([long, short]);
        if pair % 50 == 0 {
            it.venue.wait(1_800);
            it.venue.price(150_000);
        }
    }
    done(it.venue.sandbox.accrue_funding(&it.venue.market));
    (it, traders)
}

/// What a position is worth at the last price, by the rules and not by the engine.
fn worth(slot: &PositionSlot, market: &Market) -> i128 {
    let lots = i128::from(slot.lots);
    let index = i128::from(market.funding.index.get());
    let funding = lots * (index - i128::from(slot.funding_index));
    i128::from(slot.margin) - funding + lots * i128::from(market.final_ticks)
        - i128::from(slot.entry_quote)
}

/// What it gets: its part where something was written off.
fn due(slot: &PositionSlot, market: &Market) -> i128 {
    let claim = worth(slot, market);
    match market.written_off_atoms {
        0 => claim,
        lost => {
            let all = i128::from(market.claims_atoms);
            claim * (all - i128::from(lost)) / all
        }
    }
}

/// Closes every bankrupt against those who rank highest, as the client plans it.
fn deleverage(venue: &mut Venue, traders: &[TraderCookie]) -> usize {
    let (market, keeper) = (venue.market.clone(), venue.alice.clone());
    let mut rounds = 0;
    loop {
        let state = venue.sandbox.market(&market);
        let bankrupt = traders.iter().filter_map(|trader| {
            let slot = venue.sandbox.position(&market, &trader.address)?;
            (slot.lots != 0 && worth(&slot, &state) < 0).then_some((trader, slot))
        });
        // Who lacks most per lot comes first.
        let bankrupt = bankrupt.min_by(|(_, one), (_, other)| {
            let cross =
                |a: &PositionSlot, b: &PositionSlot| worth(a, &state) * i128::from(b.lots.abs());
            cross(one, other).cmp(&cross(other, one))
        });
        let Some((trader, slot)) = bankrupt else {
            return rounds;
        };
        refused(&mut venue.sandbox, BallastError::MarketInsolvent, |s| {
            s.settle_position(&market, &traders[0].address)
        });
        let side = if slot.lots > 0 {
            Side::Short
        } else {
            Side::Long
        };
        let moment = Moment {
            slot: venue.sandbox.slot(),
            unix_timestamp: venue.sandbox.time(),
            price_ticks: 1,
        };
        let request = Request {
            bankrupt: trader.address,
            max_counterparties: 16,
            spares: 0,
        };
        let queue = venue.sandbox.queue(&market, side);
        let plan = plan(&state, &queue.queue().unwrap(), &slot, &moment, &request).unwrap();
        done(venue.sandbox.auto_deleverage_plan(&market, &keeper, &plan));
        venue.conserves();
        rounds += 1;
    }
}

/// Settles everybody in an order of this seed: what each has then, and compute units of the dearest.
fn settle(venue: &Venue, traders: &[TraderCookie], seed: u64) -> (Vec<i64>, u64) {
    let (mut venue, mut state) = (venue.copy(), seed);
    let mut order: Vec<usize> = (0..traders.len()).collect();
    for place in (1..order.len()).rev() {
        let other = usize::try_from(next(&mut state)).unwrap() % (place + 1);
        order.swap(place, other);
    }
    let market = venue.market.clone();
    let state_at_end = venue.sandbox.market(&market);
    let mut dearest = 0;
    for (number, place) in order.into_iter().enumerate() {
        let trader = traders[place].address;
        let Some(slot) = venue.sandbox.position(&market, &trader) else {
            continue;
        };
        let before = i128::from(venue.sandbox.trader(&trader).free);
        let outcome = done(venue.sandbox.settle_position(&market, &trader));
        let gained = i128::from(venue.sandbox.trader(&trader).free) - before;
        assert_eq!(gained, due(&slot, &state_at_end), "{trader}");
        dearest = dearest.max(outcome.compute_units);
        if number % 100 == 0 {
            venue.conserves();
        }
    }
    venue.conserves();
    let state = venue.sandbox.market(&market);
    assert_eq!(
        (state.open_interest_lots, state.wind_down.settled_lots),
        (0, 0)
    );
    let left = venue.sandbox.conservation();
    assert_eq!((left.positions, left.held), (0, 0));
    assert_eq!(left.tokens, left.free + left.insurance + left.fees);
    done(venue.sandbox.close_market(&market));
    let free = traders.iter().map(|trader| venue.free(trader)).collect();
    (free, dearest)
}

#[test]
fn a_thousand_positions_are_settled_to_the_atom_in_any_order() {
    let (mut venue, traders) = crowd();
    assert_eq!(venue.end().final_ticks, u32::try_from(LAST).unwrap());
    let rounds = deleverage(&mut venue, &traders);
    assert!(rounds >= 4, "{rounds}");
    let (first, dearest) = settle(&venue, &traders, 1);
    println!("{rounds} rounds; a settlement takes {dearest} compute units at most");
    assert!(dearest <= 16_000, "{dearest}");
    for seed in [2, 3] {
        assert!(settle(&venue, &traders, seed).0 == first, "{seed}");
    }
}

#[test]
fn a_thousand_positions_share_what_is_left_to_the_atom_in_any_order() {
    let (mut it, traders) = deadlocked();
    let market = it.venue.market.clone();
    it.venue.end();
    let alice = it.venue.alice.clone();
    let written_off = it.write_off(&alice).written_off_atoms;
    assert!(written_off > 300 * USD, "{written_off}");
    let mut calls = 0;
    while !it.venue.sandbox.market(&market).claims_are_known() {
        done(it.venue.sandbox.count_claims(&market, 300));
        calls += 1;
    }
    assert!(calls >= 4, "{calls}");
    let (first, dearest) = settle(&it.venue, &traders, 1);
    println!("of a market that wrote off, a settlement takes {dearest} compute units at most");
    assert!(dearest <= 16_000, "{dearest}");
    for seed in [2, 3] {
        assert!(settle(&it.venue, &traders, seed).0 == first, "{seed}");
    }
}
