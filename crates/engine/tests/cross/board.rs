//! The board against a model that forgets nothing: every mark, every record, every way.

use ballast_engine::cross::board::{Drifts, Report};
use ballast_engine::cross::checkpoints::{MOST_CHECKPOINTS, NEXT_CHECKPOINT_PPM};
use ballast_engine::cross::drift::Drift;
use ballast_engine::cross::{Board, CrossError, LegTerms, FRESH_SLOTS, MOST_MARKETS, SLACK};
use ballast_engine::fixtures::risk::{small_market, tier};
use ballast_engine::margin::MarginScale;
use ballast_engine::oracle::Mark;
use ballast_engine::units::FundingIndex;
use bytemuck::Zeroable;

use crate::fixture::{price, Dice};

fn terms(bps: u32) -> LegTerms {
    let mut params = small_market();
    params.tiers[0] = tier(1 << 40, 2 * bps, bps);
    LegTerms::of(&params)
}

fn report(atoms: u64, funding: i64, bps: u32, time: i64) -> Report {
    Report {
        terms: terms(bps),
        mark: Mark {
            price: price(atoms),
            confidence: 3,
            average: None,
            scale: MarginScale {
                multiplier_ppm: 1_200_000,
                open_interest_lots: 77,
            },
        },
        funding_index: FundingIndex::new(funding),
        publish_time: time,
        slot: time.unsigned_abs(),
    }
}

/// A moment: where every market stood.
type Moment = Vec<(u64, i64)>;

/// Everything that was recorded, and when each checkpoint was opened.
struct Model {
    history: Vec<Moment>,
    /// Number and moment of every checkpoint that is live.
    live: Vec<(u32, usize)>,
    next: u32,
    rates: Vec<u32>,
}

impl Model {
    /// The way since a moment in millionths of maintenance, at the last marks or `own` in its place.
    fn kappa(&self, since: usize, own: Option<(usize, u64, i64)>) -> u64 {
        let last = self.history.last().unwrap();
        let ways = (0..last.len()).map(|market| {
            let read = own.filter(|(place, ..)| *place == market);
            let point = read.map_or(last[market], |(_, mark, funding)| (mark, funding));
            let seen = self.history[since..]
                .iter()
                .filter_map(|moment| moment.get(market).copied())
                .chain([point]);
            let (marks, fundings): (Vec<_>, Vec<_>) = seen.unzip();
            let way = marks.iter().max().unwrap() - marks.iter().min().unwrap();
            let paid = fundings.iter().max().unwrap() - fundings.iter().min().unwrap();
            let all = u128::from(way) + u128::from(paid.unsigned_abs());
            let unit = u128::from(point.0) * u128::from(self.rates[market]);
            u64::try_from((all * 10_000_000_000).div_ceil(unit)).unwrap()
        });
        ways.max().unwrap()
    }

    /// What the board does after marks were recorded.
    fn conclude(&mut self) {
        let kappas: Vec<_> = self
            .live
            .iter()
            .map(|(_, since)| self.kappa(*since, None))
            .collect();
        if kappas
            .last()
            .is_some_and(|kappa| *kappa <= u64::from(NEXT_CHECKPOINT_PPM))
        {
            return;
        }
        if self.live.len() == MOST_CHECKPOINTS {
            let gap = |place: usize| {
                let after = kappas.get(place + 1).copied().unwrap_or(0);
                kappas[place - 1] - after
            };
            let gone = (1..MOST_CHECKPOINTS).min_by_key(|place| (gap(*place), *place));
            self.live.remove(gone.unwrap());
        }
        self.live.push((self.next, self.history.len() - 1));
        self.next += 1;
    }

    /// The newest live checkpoint that is not after `base`.
    fn since(&self, base: u32) -> usize {
        let found = self.live.iter().rev().find(|(id, _)| *id <= base);
        found.unwrap().1
    }
}

#[test]
fn ways_are_those_since_the_checkpoint_of_a_record_and_never_less_than_since_the_record() {
    let mut dice = Dice(81);
    let (mut dropped, mut asked, mut exact) = (0, 0, 0);
    for _ in 0..60 {
        let mut board = Box::new(Board::zeroed());
        let mut model = Model {
            history: Vec::new(),
            live: Vec::new(),
            next: 0,
            rates: Vec::new(),
        };
        // Records: base, and the moment they were made.
        let mut records: Vec<(u32, usize)> = Vec::new();
        let mut time = 1;
        let mut now: Moment = Vec::new();
        for step in 0..200 {
            time += 1;
            let joins = now.is_empty() || step % 40 == 39 && now.len() < 4;
            if joins {
                let at = dice.magnitude(1_000, 1_000_000);
                now.push((at, dice.signed(2 * at)));
                let bps = [100, 250, 500][usize::try_from(dice.within(0, 2)).unwrap()];
                model.rates.push(bps);
                let place = now.len() - 1;
                let key = [u8::try_from(place).unwrap(); 32];
                let (mark, funding) = now[place];
                let added = board.add(key, 0, 100, &report(mark, funding, bps, time));
                assert_eq!(added, Ok(place));
                assert_eq!(board.place(&key), Ok(place));
            } else {
                for (place, point) in now.iter_mut().enumerate() {
                    if dice.once_in(3) {
                        continue;
                    }
                    let (mark, funding) = *point;
                    let moved = i64::try_from(mark).unwrap() * (10_000 + dice.signed(60)) / 10_000;
                    *point = (
                        u64::try_from(moved.max(500)).unwrap(),
                        funding + dice.signed(mark / 2_000),
                    );
                    let report = report(point.0, point.1, model.rates[place], time);
                    board.record(place, &report).expect("newer");
                }
                board.conclude().expect("room");
            }
            model.history.push(now.clone());
            let before = model.live.len();
            let next = model.next;
            model.conclude();
            dropped += u64::from(model.next > next && model.live.len() == before);
            // The very checkpoints of the model.
            let live = board.checkpoints.live().unwrap();
            let found: Vec<_> = live.iter().map(|checkpoint| checkpoint.id).collect();
            let expected: Vec<_> = model.live.iter().map(|(id, _)| *id).collect();
            assert_eq!(found, expected);
            assert_eq!(board.invariant(), Ok(()));
            records.push((board.checkpoints.newest().unwrap(), model.history.len() - 1));
            if step % 10 != 0 {
                continue;
            }
            let own = usize::try_from(dice.next()).unwrap_or(0) % now.len();
            let (mark, funding) = now[own];
            let read = (dice.within(mark * 98 / 100, mark * 102 / 100), funding + 1);
            let (read_mark, read_funding) = (price(read.0), FundingIndex::new(read.1));
            let drifts = board
                .drifts(own, read_mark, read_funding, model.rates[own], SLACK)
                .unwrap();
            for (base, moment) in &records {
                let own = Some((own, read.0, read.1));
                let kappa = u64::from(drifts.kappa_ppm(*base));
                assert_eq!(kappa, model.kappa(model.since(*base), own));
                let least = model.kappa(*moment, own);
                assert!(kappa >= least, "{base} {moment}: {kappa} < {least}");
                let kappa = u32::try_from(kappa).unwrap();
                assert_eq!(drifts.of(*base, false), Drift::new(kappa, 10).unwrap());
                assert_eq!(drifts.of(*base, true), Drift::new(kappa, 1).unwrap());
                asked += 1;
                exact += u64::from(u64::from(kappa) == least);
            }
        }
    }
    println!("{asked} ways, {exact} exact, {dropped} checkpoints dropped");
    assert!(asked > 50_000 && exact > 10_000 && dropped > 500);
}

#[test]
fn a_market_s_ranges_begin_where_it_joins() {
    let mut board = Board::zeroed();
    board
        .add([1; 32], 0, 100, &report(1_000, 0, 250, 1))
        .unwrap();
    board.record(0, &report(1_500, 0, 250, 2)).unwrap();
    assert_eq!(board.conclude(), Ok(true));
    assert_eq!(board.checkpoints.newest(), Ok(1));
    board
        .add([2; 32], 0, 100, &report(9_000, 40, 500, 3))
        .unwrap();
    for checkpoint in board.checkpoints.live().unwrap() {
        let range = checkpoint.ranges[1];
        assert_eq!((range.high, range.low), (9_000, 9_000));
        assert_eq!(range.funding_high, FundingIndex::new(40));
    }
    // From 1,000 to 1,500 in units of 37.5.
    let drifts = |board: &Board| {
        let funding = FundingIndex::new(40);
        board.drifts(1, price(9_000), funding, 500, SLACK).unwrap()
    };
    assert_eq!(drifts(&board).kappa_ppm(0), 13_333_334);
    assert_eq!(drifts(&board).kappa_ppm(1), 0);
    // Funding counts as the mark does: 90 atoms of 450.
    board.record(1, &report(9_000, -50, 500, 4)).unwrap();
    board.conclude().unwrap();
    let funding = FundingIndex::new(-50);
    let now = board.drifts(1, price(9_000), funding, 500, SLACK).unwrap();
    assert_eq!(now.kappa_ppm(1), 200_000);
    assert_eq!(now.kappa_ppm(2), 0);
    // A lower rate makes ways longer at once.
    board.set_terms(1, terms(100)).unwrap();
    let now = board
        .drifts(0, price(1_500), FundingIndex::ZERO, 250, SLACK)
        .unwrap();
    assert_eq!(now.kappa_ppm(1), 1_000_000);
}

#[test]
fn marks_do_not_go_back_and_old_ones_freeze() {
    let mut board = Board::zeroed();
    board
        .add([1; 32], 0, 100, &report(1_000, 0, 250, 10))
        .unwrap();
    let older = report(999, 0, 250, 9);
    assert_eq!(board.record(0, &older), Err(CrossError::MarkOlder));
    assert_eq!(board.record(1, &older), Err(CrossError::EntryUnknown));
    assert_eq!(board.place(&[2; 32]), Err(CrossError::EntryUnknown));
    let entry = *board.entry(0).unwrap();
    assert_eq!(entry.mark().unwrap().price, price(1_000));
    assert_eq!(entry.mark().unwrap().scale.multiplier_ppm, 1_200_000);
    assert_eq!(entry.check_opening(110), Ok(()));
    assert_eq!(entry.check_opening(111), Err(CrossError::MarkStale));
    assert_eq!(entry.check_forcing(10 + FRESH_SLOTS), Ok(()));
    let stale = entry.check_forcing(11 + FRESH_SLOTS);
    assert_eq!(stale, Err(CrossError::MarkStale));
    // Nobody freezes a mark that serves.
    assert_eq!(board.freeze(0, 110), Err(CrossError::MarkStale));
    assert_eq!(board.freeze(0, 111), Ok(()));
    assert_eq!(board.freeze(0, 112), Err(CrossError::MarkStale));
    let entry = *board.entry(0).unwrap();
    assert!(entry.is_frozen());
    assert_eq!(entry.check_opening(20), Err(CrossError::MarkFrozen));
    // A dead market does not hold liquidation up.
    assert_eq!(entry.check_forcing(9_999), Ok(()));
    board.record(0, &report(990, 0, 250, 112)).unwrap();
    assert!(!board.entry(0).unwrap().is_frozen());
}

#[test]
fn eight_markets_fit_and_none_counts_profit() {
    let mut board = Board::zeroed();
    assert_eq!(board.checkpoints.newest(), Err(CrossError::BoardLayout));
    for market in 0..MOST_MARKETS {
        let key = [u8::try_from(market).unwrap(); 32];
        let weight = board.add(key, 1, 100, &report(1_000, 0, 250, 1));
        assert!(weight.is_err());
        assert_eq!(
            board.add(key, 0, 100, &report(1_000, 0, 250, 1)),
            Ok(market)
        );
        assert!(board.add(key, 0, 100, &report(1_000, 0, 250, 1)).is_err());
    }
    let full = board.add([99; 32], 0, 100, &report(1_000, 0, 250, 1));
    assert_eq!(full, Err(CrossError::BoardFull));
    assert_eq!(board.invariant(), Ok(()));
    board.entries[3].mark = 999;
    assert_eq!(board.invariant(), Err(CrossError::BoardLayout));
    assert_eq!(Drifts::AS_RECORDED.of(7, true), Drift::NONE);
}
