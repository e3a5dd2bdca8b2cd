//! What somebody could do about his place in the ranking, or to block a round, with numbers.

use ballast_engine::adl::{AccountCut, Bankruptcy, Deleveraging};
use ballast_engine::cross::board::Report;
use ballast_engine::cross::cut::{weakness, Bearing};
use ballast_engine::cross::entry::{Moment, Weakness};
use ballast_engine::cross::record::record;
use ballast_engine::cross::walk::{first_skipped_account, Evidence};
use ballast_engine::cross::{Account, Board, Leg, SLACK};
use ballast_engine::fixtures::risk::{small_market, tier};
use ballast_engine::position::Position;
use ballast_engine::queue::CutStamp;
use ballast_engine::rank::{Ranked, Round};
use ballast_engine::risk::AdlParams;
use ballast_engine::units::{Atoms, FundingIndex, Side};
use bytemuck::Zeroable;

use crate::fixture::{mark, position, Dice, Market};
use crate::structure::Store;

/// Maintenance 2.5% in one bracket.
fn market(atoms: u64) -> Market {
    let mut params = small_market();
    params.tiers[0] = tier(1 << 50, 500, 250);
    params.tier_count = 1;
    params.adl = AdlParams {
        rank_tolerance_bps: 500,
        max_close_bps: 5_000,
        ..params.adl
    };
    Market::new(params, atoms, 0)
}

fn report(market: &Market, slot: u64) -> Report {
    Report {
        terms: market.terms,
        mark: market.mark,
        funding_index: FundingIndex::ZERO,
        publish_time: 0,
        slot,
    }
}

/// When records are made.
const NOW: Moment = Moment { base: 0, slot: 2 };

/// A bankrupt long of a million lots at 80, closed at 84 a lot.
fn bankruptcy(market: &Market) -> Deleveraging {
    Deleveraging::begin(&bankrupt(market)).expect("4 million are missing")
}

fn bankrupt(market: &Market) -> Bankruptcy<'_> {
    Bankruptcy {
        position: position(1_000_000, 90, 6_000_000, 0),
        mark: market.mark.price,
        funding_index: market.funding,
        insurance_available: 0,
        past_grace: true,
        taker: None,
        max_lots: 1_000_000,
        least_lots: 0,
        params: &market.params.adl,
        epoch: 1,
        passes: 1,
    }
}

/// Short 100 lots from 100, mark 80, equity 350: maintenance 200, closed at 84 it would lose 400.
fn weak(market: &Market) -> (Position, Atoms) {
    let held = position(-100, 100, 0, 0);
    let legs = [market.leg(held)];
    (held, crate::fixture::pool_for(&legs, 350))
}

/// Forty accounts that are healthy and would owe at the close price: skipped as insolvent, they would be
/// asked for for ever. They are cut as far as they can bear, and after that a stamp has the walk pass.
#[test]
fn accounts_that_would_owe_at_the_close_price_do_not_block_rounds() {
    let market = market(80);
    let mut board = Board::zeroed();
    board.add([1; 32], 0, 100, &report(&market, 1)).unwrap();
    let (held, pool) = weak(&market);
    let mut store = Store::new(Side::Short, 40);
    let legs = [market.leg(held)];
    let account = Account { pool, legs: &legs };
    let values = account.values().unwrap();
    assert_eq!((values.equity.get(), values.requirement), (350, 200));
    let stored = record(&held, values.rest(0).unwrap()).unwrap();
    for _ in 0..40 {
        store.queue().insert([2; 32], &stored, NOW).unwrap();
    }
    let mut call = bankruptcy(&market);
    let drifts = board
        .drifts(0, market.mark.price, FundingIndex::ZERO, 250, SLACK)
        .unwrap();
    let evidence = Evidence::Health {
        drifts: &drifts,
        maintenance_bps: 250,
    };
    let asks = |store: &Store, last: Option<&Ranked>, round, known: &[u32], slot| {
        let view = store.view();
        first_skipped_account(&view, round, last, &evidence, known, slot).unwrap()
    };
    let round = *call.round();
    // Ten are listed: 74 of 100 lots could be borne, and the cap is half.
    let mut listed = Vec::new();
    for index in 0..10 {
        let entry = store.view().entry(index).unwrap().position;
        let counterparty = account.counterparty(&values, 0).unwrap();
        let cut = call.cut_account(
            &counterparty,
            Bearing::Maintenance,
            entry.sequence,
            entry.stamp(),
        );
        let Ok(AccountCut::Done { done, shortened }) = cut else {
            panic!("{cut:?}");
        };
        assert_eq!((done.lots, shortened), (50, false));
        let pool = account.pool_after(0, &counterparty.position, &done.position_after, done.payout);
        let after = [market.leg(done.position_after)];
        let left = Account {
            pool: pool.unwrap(),
            legs: &after,
        };
        let now = left.values().unwrap();
        assert_eq!((now.equity.get(), now.requirement), (150, 100));
        let stored = left.recorded(&now, 0).unwrap();
        store
            .queue()
            .record_cut(index, &stored, NOW, done.stamp)
            .unwrap();
        listed.push(index);
    }
    let last = *call.last_ranked().unwrap();
    // The rest rank no higher than the last one cut, by records that are fresh; by older ones they could.
    assert!(asks(&store, Some(&last), &round, &listed, 28)
        .skipped
        .is_some());
    assert_eq!(asks(&store, Some(&last), &round, &listed, 2).skipped, None);
    // To the end of the pass everybody is asked for, until witnessed, and no longer than that.
    assert!(asks(&store, None, &round, &listed, 2).skipped.is_some());
    for index in 10..40 {
        let (weakness, _) = Weakness::at_close(&round).unwrap();
        store
            .queue()
            .witness(index, &stored, NOW, weakness)
            .unwrap();
    }
    assert_eq!(asks(&store, None, &round, &listed, 27).skipped, None);
    assert!(asks(&store, None, &round, &listed, 28).skipped.is_some());
}

/// A witness says no more than was found: who cannot bear a lot at the close price of a deep bankruptcy, which may
/// be one's own, is asked for by a round that closes at a better one.
#[test]
fn a_witness_at_one_close_price_says_nothing_of_a_better_one() {
    let market = market(80);
    let held = position(-100, 100, 0, 0);
    let legs = [market.leg(held)];
    let account = Account {
        pool: crate::fixture::pool_for(&legs, 202),
        legs: &legs,
    };
    let values = account.values().unwrap();
    let counterparty = account.counterparty(&values, 0).unwrap();
    let stored = account.recorded(&values, 0).unwrap();
    let closing = |entry, lots: i64, margin| {
        let call = Deleveraging::begin(&Bankruptcy {
            position: position(lots, entry, margin, 0),
            max_lots: lots.unsigned_abs(),
            ..bankrupt(&market)
        });
        *call.unwrap().round()
    };
    // At 84 a lot, at 84 and a half, and at 81.
    let (deep, deeper, mild) = (
        closing(90, 1_000_000, 6_000_000),
        closing(90, 2, 11),
        closing(90, 1_000_000, 9_000_000),
    );
    let weak = |round: &Round| weakness(round, &counterparty, 50).unwrap();
    assert_eq!(weak(&deep), Some(Weakness::AtClose(84)));
    // 84 and a half is no worse than 84, at which it was found: so the round itself believes it.
    assert_eq!(weak(&deeper), Some(Weakness::AtClose(84)));
    assert_eq!(weak(&mild), None);
    let mut store = Store::new(Side::Short, 1);
    store.queue().insert([2; 32], &stored, NOW).unwrap();
    let passes = |found, round: &Round| {
        let mut store = store.clone();
        store.queue().witness(0, &stored, NOW, found).unwrap();
        let view = store.view();
        let entry = view.entry(0).unwrap();
        entry.is_weak(round, 2)
    };
    for round in [&deep, &deeper, &mild] {
        assert!(passes(Weakness::BelowMaintenance, round));
        assert_eq!(passes(Weakness::AtClose(84), round), round != &mild);
        // 84 and a half is no 85.
        assert!(!passes(Weakness::AtClose(85), round));
    }
    // An account below maintenance is so at any price.
    let poor = Account {
        pool: crate::fixture::pool_for(&legs, 199),
        legs: &legs,
    };
    let values = poor.values().unwrap();
    let counterparty = poor.counterparty(&values, 0).unwrap();
    let found = weakness(&mild, &counterparty, 50);
    assert_eq!(found, Ok(Some(Weakness::BelowMaintenance)));
}

/// Losing almost everything, so that no lot can be borne, takes no account out of the ranking that is
/// strong: at maintenance to the atom the cut is 0, with a hundredth of maintenance more it is some.
#[test]
fn an_account_with_a_little_to_spare_is_cut() {
    let market = market(80);
    let held = position(-100, 100, 0, 0);
    for (equity, lots) in [
        (200, 0),
        (202, 0),
        (204, 1),
        (250, 24),
        (301, 49),
        (302, 50),
    ] {
        let legs = [market.leg(held)];
        let account = Account {
            pool: crate::fixture::pool_for(&legs, equity),
            legs: &legs,
        };
        let values = account.values().unwrap();
        let counterparty = account.counterparty(&values, 0).unwrap();
        let mut call = bankruptcy(&market);
        let stamp = CutStamp::default();
        let cut = call.cut_account(&counterparty, Bearing::Maintenance, 1, stamp);
        let found = match cut.unwrap() {
            AccountCut::Done { done, .. } => done.lots,
            AccountCut::Skipped(_) => 0,
        };
        assert_eq!(found, lots, "{equity}");
        // Before the pass ends it bears a loss of all its equity.
        let mut call = bankruptcy(&market);
        let cut = call.cut_account(&counterparty, Bearing::Equity, 1, stamp);
        let Ok(AccountCut::Done { done, .. }) = cut else {
            panic!("{cut:?}");
        };
        assert!(done.lots >= 49 && done.gave_up < equity.unsigned_abs());
    }
}

/// Marks that swing by a hundredth for a day and come back: records are worth as much as in the morning. A
/// sum of all moves would have made them worthless within hours.
#[test]
fn a_calm_day_does_not_use_records_up() {
    let mut dice = Dice(121);
    let mut market = market(1_000_000);
    let mut board = Board::zeroed();
    board.add([1; 32], 0, 100, &report(&market, 1)).unwrap();
    let (mut path, mut before) = (0_u64, 1_000_000_u64);
    for minute in 1..=1_440 {
        let at = dice.within(990_000, 1_010_000);
        path += at.abs_diff(before);
        before = at;
        market.mark = mark(at, 0);
        board.record(0, &report(&market, 1 + minute)).unwrap();
        board.conclude().unwrap();
    }
    let drifts = board
        .drifts(0, market.mark.price, FundingIndex::ZERO, 250, SLACK)
        .unwrap();
    // Twice a hundredth of 40 units of maintenance; by sum, several hundred.
    assert!(drifts.kappa_ppm(0) < 900_000, "{}", drifts.kappa_ppm(0));
    assert!(path / 25_000 > 300, "{path}");
}

/// Any number of tiny or shifted legs in other markets leaves the exact rank to the atom: a listed account is
/// ranked by what it holds, not by what it looks like.
#[test]
fn other_legs_change_a_rank_by_their_result_alone() {
    let markets = [market(80), market(1_000)];
    let held = position(-100, 100, 0, 0);
    let call = bankruptcy(&markets[0]);
    let rank = |legs: &[Leg<'_>], equity| {
        let account = Account {
            pool: crate::fixture::pool_for(legs, equity),
            legs,
        };
        let values = account.values().unwrap();
        let counterparty = account.counterparty(&values, 0).unwrap();
        call.rank_account(&counterparty, 7).unwrap()
    };
    let alone = rank(&[markets[0].leg(held)], 2_000);
    for size in [-9, -1, 1, 9] {
        let legs = [
            markets[0].leg(held),
            markets[1].leg(position(size, 950, 0, 0)),
        ];
        assert_eq!(rank(&legs, 2_000), alone);
        assert_ne!(rank(&legs, 2_001), alone);
    }
}
