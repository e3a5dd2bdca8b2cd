//! What a walk costs at thousands of cross legs after the market moved and nobody renewed a record, and
//! once those it asked for have been.

use ballast_engine::cross::board::{Drifts, Report};
use ballast_engine::cross::entry::Moment;
use ballast_engine::cross::queue::FIRST_SEQUENCE;
use ballast_engine::cross::record::record;
use ballast_engine::cross::walk::{first_skipped_account, Evidence};
use ballast_engine::cross::{Account, Board, SLACK};
use ballast_engine::fixtures::risk::{small_market, tier};
use ballast_engine::position::Position;
use ballast_engine::queue::CutStamp;
use ballast_engine::rank::{ClosePrice, Exposure, Ranked, Round};
use ballast_engine::units::{Atoms, FundingIndex, Lots, Side};
use bytemuck::Zeroable;

use crate::fixture::{legs, mark, Dice, Market};
use crate::structure::Store;

const MARKETS: usize = 4;
const AT: u64 = 1_000_000;

fn market(bps: u32) -> Market {
    let mut params = small_market();
    params.tiers[0] = tier(1 << 60, 2 * bps, bps);
    params.tier_count = 1;
    Market::new(params, AT, 0)
}

struct Holder {
    pool: Atoms,
    positions: Vec<Position>,
}

/// Shorts of the first market with one to three other legs, hedged, directional or mixed.
struct Population {
    dice: Dice,
    board: Box<Board>,
    markets: Vec<Market>,
    holders: Vec<Holder>,
    store: Store,
    slot: u64,
}

impl Population {
    fn new(count: usize) -> Self {
        let markets: Vec<_> = [250, 250, 250, 500].into_iter().map(market).collect();
        let mut population = Self {
            dice: Dice(91),
            board: Box::new(Board::zeroed()),
            markets,
            holders: Vec::new(),
            store: Store::new(Side::Short, count),
            slot: 1,
        };
        for place in 0..MARKETS {
            let key = [u8::try_from(place).unwrap(); 32];
            let report = population.report(place);
            population.board.add(key, 0, 100, &report).unwrap();
        }
        for _ in 0..count {
            population.open();
        }
        population
    }

    fn report(&self, place: usize) -> Report {
        Report {
            terms: self.markets[place].terms,
            mark: self.markets[place].mark,
            funding_index: FundingIndex::ZERO,
            publish_time: 0,
            slot: self.slot,
        }
    }

    fn open(&mut self) {
        let dice = &mut self.dice;
        let own = i64::try_from(dice.within(10, 100)).unwrap();
        let style = dice.within(0, 9);
        let positions: Vec<_> = (0..MARKETS)
            .map(|place| {
                let size = match place {
                    0 => -own,
                    _ if place > 1 && dice.once_in(2) => 0,
                    _ => {
                        let size = own * i64::try_from(dice.within(1, 100)).unwrap() / 10;
                        match style {
                            0..=3 => size,
                            4..=6 => -size,
                            _ if dice.once_in(2) => size,
                            _ => -size,
                        }
                    }
                };
                let entry = i64::try_from(dice.within(AT * 7 / 10, AT * 13 / 10)).unwrap();
                Position {
                    lots: Lots::new(size).unwrap(),
                    entry_quote: Atoms::new(size * entry),
                    ..Position::default()
                }
            })
            .collect();
        let legs = legs(&self.markets, &positions);
        let bare = Account {
            pool: Atoms::ZERO,
            legs: &legs,
        };
        let values = bare.values().unwrap();
        let notional: u64 = positions.iter().map(|held| held.size() * AT).sum();
        // Leverage from 1 to 33, evenly in its logarithm, at least 1.2 times maintenance.
        let doublings = dice.within(0, 5_000);
        let leverage = 1_000 << (doublings / 1_000);
        let leverage = leverage + leverage * (doublings % 1_000) / 1_000;
        let equity = (notional * 1_000 / leverage).max(values.requirement * 12 / 10);
        let pool = i64::try_from(equity).unwrap() - values.equity.get();
        let holder = Holder {
            pool: Atoms::new(pool),
            positions,
        };
        let stored = self.recorded(&holder);
        let at = self.moment();
        self.store.queue().insert([1; 32], &stored, at).unwrap();
        self.holders.push(holder);
    }

    fn moment(&self) -> Moment {
        Moment {
            base: self.board.checkpoints.newest().unwrap(),
            slot: self.slot,
        }
    }

    fn account<T>(&self, holder: &Holder, look: impl FnOnce(&Account<'_>) -> T) -> T {
        let legs = legs(&self.markets, &holder.positions);
        look(&Account {
            pool: holder.pool,
            legs: &legs,
        })
    }

    fn recorded(&self, holder: &Holder) -> Position {
        let rest = self.account(holder, |account| account.values().unwrap().rest(0).unwrap());
        record(&holder.positions[0], rest).unwrap()
    }

    /// All markets fall by so much, in steps of half a per cent, each recorded.
    fn fall(&mut self, percent: u64) {
        let shares = self.shares();
        for step in 1..=2 * percent {
            self.step(&shares, step);
        }
        self.liquidate();
    }

    /// How far each market falls when the first falls by a hundred: the others by up to a quarter more or
    /// less.
    fn shares(&mut self) -> Vec<u64> {
        let others = (1..MARKETS).map(|_| self.dice.within(75, 125));
        core::iter::once(100)
            .chain(others.collect::<Vec<_>>())
            .collect()
    }

    /// Down to so many steps of half a per cent below the beginning.
    fn step(&mut self, shares: &[u64], step: u64) {
        // Ten minutes a fall of 20%.
        self.slot += 37;
        for (place, share) in shares.iter().enumerate() {
            let at = AT - AT * share * step / 20_000;
            self.markets[place].mark = mark(at, 0);
            let report = self.report(place);
            self.board.record(place, &report).unwrap();
        }
        self.board.conclude().unwrap();
    }

    /// Who is below maintenance has been liquidated.
    fn liquidate(&mut self) {
        let open: Vec<_> = self
            .store
            .view()
            .iter()
            .map(|step| step.unwrap().0)
            .collect();
        for index in open {
            let holder = &self.holders[usize::try_from(index).unwrap()];
            let values = self.account(holder, |account| account.values().unwrap());
            if !values.is_healthy() {
                self.store.queue().remove(index).unwrap();
            }
        }
    }

    /// The round, the ten that rank highest, and whoever else's record says so once they are cut.
    fn prove(&mut self) -> Figures {
        let at = self.markets[0].mark.price.get();
        let round = Round {
            side: Side::Short,
            mark: self.markets[0].mark.price,
            close: ClosePrice {
                quote: i64::try_from(at * 101 / 100).unwrap(),
                lots: 1,
            },
            funding_index: FundingIndex::ZERO,
            min_profit_bps: 10,
            rank_tolerance_bps: 500,
            max_close_bps: 5_000,
            least_lots: 0,
            epoch: 1,
        };
        let mut all = Vec::new();
        for step in self.store.view().iter() {
            let (index, entry) = step.unwrap();
            let holder = &self.holders[usize::try_from(index).unwrap()];
            let whole = self.account(holder, |account| {
                let values = account.values().unwrap();
                account.with_everything(&values, 0).unwrap()
            });
            let sequence = entry.position.sequence;
            assert!(sequence >= FIRST_SEQUENCE);
            let exposure = Exposure::of_position(&whole, FundingIndex::ZERO, sequence).unwrap();
            all.push((Ranked::of_account(&round, &exposure).unwrap(), index));
        }
        all.sort_by(|(a, _), (b, _)| b.compare(a).unwrap());
        let mut known: Vec<_> = all.iter().take(10).map(|(_, index)| *index).collect();
        known.sort_unstable();
        let last = all[9].0;
        let drifts = self
            .board
            .drifts(0, round.mark, FundingIndex::ZERO, 250, SLACK)
            .unwrap();
        let mut figures = Figures::default();
        loop {
            let walk = self.walk(&round, &last, &drifts, &known);
            let Some(index) = walk.skipped else {
                figures.visited = walk.visited;
                return figures;
            };
            figures.asked += 1;
            // Its record is renewed; if it is asked for still, it is listed.
            let holder = &self.holders[usize::try_from(index).unwrap()];
            let stored = self.recorded(holder);
            let at = self.moment();
            let entry = self.store.view().entry(index).unwrap();
            let renewed = entry.base == at.base && entry.is_fresh(self.slot) && {
                let now = entry.position.totals();
                now == ballast_engine::queue::Totals::of(&stored, Side::Short).unwrap()
            };
            if renewed {
                let place = known.partition_point(|other| *other < index);
                known.insert(place, index);
                figures.witnesses += 1;
            } else {
                let stamp = CutStamp::default();
                self.store
                    .queue()
                    .record_cut(index, &stored, at, stamp)
                    .unwrap();
            }
        }
    }

    fn walk(
        &self,
        round: &Round,
        last: &Ranked,
        drifts: &Drifts,
        known: &[u32],
    ) -> ballast_engine::proof::Walk {
        let evidence = Evidence::Health {
            drifts,
            maintenance_bps: 250,
        };
        let view = self.store.view();
        first_skipped_account(&view, round, Some(last), &evidence, known, self.slot).unwrap()
    }
}

#[derive(Debug, Default)]
struct Figures {
    /// Times somebody was asked for, records renewed and accounts listed.
    asked: u32,
    /// Of those, accounts that had to be listed.
    witnesses: u32,
    /// Nodes of the walk that asked for nobody.
    visited: u32,
}

/// In calm a round fits with a handful of renewals; after a crash without a single one before it, it takes
/// some per cent of all records.
#[test]
fn what_a_walk_asks_for_and_looks_at() {
    for (count, percent, most_asked, most_visited) in [
        (1_000, 1, 20, 200),
        (1_000, 5, 60, 250),
        (1_000, 20, 300, 500),
        (10_000, 1, 20, 300),
        (10_000, 5, 100, 700),
        (10_000, 20, 900, 1_800),
    ] {
        let mut population = Population::new(count);
        population.fall(percent);
        let figures = population.prove();
        println!("{count} legs, {percent}%: {figures:?}");
        assert!(figures.asked <= most_asked, "{figures:?}");
        assert!(figures.visited <= most_visited, "{figures:?}");
    }
}

/// A fall of 20% with a round ready at every half per cent: what keepers renew in all, and in one step.
#[test]
fn a_crash_with_a_round_ready_at_every_step() {
    for (count, most, most_a_step, most_visited) in
        [(1_000, 1_000, 80, 500), (10_000, 2_000, 160, 2_200)]
    {
        let mut population = Population::new(count);
        let shares = population.shares();
        let (mut all, mut worst, mut visited, mut witnesses) = (0, 0, 0, 0);
        for step in 1..=40 {
            population.step(&shares, step);
            population.liquidate();
            let figures = population.prove();
            all += figures.asked;
            worst = worst.max(figures.asked);
            visited = visited.max(figures.visited);
            witnesses = witnesses.max(figures.witnesses);
        }
        println!(
            "{count} legs: {all} renewed, {worst} in a step, {visited} nodes, {witnesses} listed"
        );
        assert!(all <= most && worst <= most_a_step && visited <= most_visited);
    }
}
