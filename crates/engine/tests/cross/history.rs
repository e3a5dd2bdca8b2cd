//! A venue of a few cross markets and accounts that do what they like, in whole atoms: what the theorem is
//! about.

use ballast_engine::cross::board::Report;
use ballast_engine::cross::drift::Drift;
use ballast_engine::cross::record::{is_fresh, record};
use ballast_engine::cross::{Account, Board, Leg, Slack, Values};
use ballast_engine::fixtures::risk::{small_market, tier};
use ballast_engine::oracle::Mark;
use ballast_engine::position::Position;
use ballast_engine::units::{Atoms, FundingIndex, LotPrice};
use bytemuck::Zeroable;

use crate::fixture::{lots, price, Dice, Market};

pub const MARKETS: usize = 3;

/// What is done wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// Nothing.
    Sound,
    /// Records that flatter are not renewed.
    NoRefresh,
    /// The board does not see funding.
    NoFunding,
    /// Ways are divided by the mark less the funding index.
    WrongDivisor,
    /// A third of the way.
    ThirdOfWay,
    /// Records and (S) use the price just read for the traded leg.
    OwnPrice,
    /// Accounts below maintenance are held to the bound too.
    Unhealthy,
    /// A dropped checkpoint's records are given to the next newer one.
    NewerCheckpoint,
}

/// An account: positions whose margin is their record, and the checkpoint of each record.
#[derive(Clone, Debug)]
pub struct Holder {
    pub pool: Atoms,
    pub positions: [Position; MARKETS],
    pub bases: [u32; MARKETS],
    /// Slots in which they were made.
    pub slots: [u64; MARKETS],
}

pub struct World {
    pub dice: Dice,
    pub markets: Vec<Market>,
    pub board: Box<Board>,
    pub holders: Vec<Holder>,
    pub mutant: Mutant,
    pub slack: Slack,
    pub slot: u64,
}

impl World {
    pub fn new(seed: u64, mutant: Mutant, slack: Slack) -> Self {
        let mut dice = Dice(seed);
        let markets = (0..MARKETS)
            .map(|_| {
                let mut params = small_market();
                let bps = [250, 500][usize::try_from(dice.within(0, 1)).unwrap()];
                params.tiers[0] = tier(dice.magnitude(1_000_000, 1 << 40), 2 * bps, bps);
                params.tiers[1] = tier(1 << 50, 4 * bps, 2 * bps);
                params.tier_count = 2;
                let atoms = dice.within(5_000, 500_000);
                let funding = dice.signed(3 * atoms);
                Market::new(params, atoms, funding)
            })
            .collect();
        let mut world = Self {
            dice,
            markets,
            board: Box::new(Board::zeroed()),
            holders: Vec::new(),
            mutant,
            slack,
            slot: 1,
        };
        for market in 0..MARKETS {
            let key = [u8::try_from(market).unwrap(); 32];
            let report = world.report(market);
            let place = world.board.add(key, 0, 1_000, &report);
            assert_eq!(place, Ok(market));
        }
        for _ in 0..3 {
            world.open();
        }
        world
    }

    /// The same venue once more.
    pub fn clone_of(other: &Self) -> Self {
        Self {
            dice: Dice(other.dice.0),
            markets: other.markets.clone(),
            board: other.board.clone(),
            holders: other.holders.clone(),
            ..*other
        }
    }

    fn report(&self, market: usize) -> Report {
        let found = &self.markets[market];
        Report {
            terms: found.terms,
            mark: found.mark,
            funding_index: if self.mutant == Mutant::NoFunding {
                FundingIndex::ZERO
            } else {
                found.funding
            },
            publish_time: i64::try_from(self.slot).unwrap(),
            slot: self.slot,
        }
    }

    /// What an account looks like at the board's marks, but for one market at what was just read.
    pub fn legs(&self, holder: &Holder, read: Option<(usize, LotPrice)>) -> Vec<Leg<'_>> {
        let legs = holder.positions.iter().enumerate();
        legs.map(|(place, position)| {
            let (market, entry) = (&self.markets[place], self.board.entries[place]);
            let board = entry.mark().expect("recorded");
            let (mark, now) = match read {
                Some((own, price)) if own == place => (Mark { price, ..board }, true),
                _ => (board, self.mutant == Mutant::NoFunding),
            };
            let funding_index = if now {
                market.funding
            } else {
                entry.funding_index
            };
            Leg {
                position: *position,
                mark,
                funding_index,
                terms: &market.terms,
                profit_weight_bps: 0,
                recorded_slot: holder.slots[place],
                weak: false,
            }
        })
        .collect()
    }

    pub fn values(&self, holder: &Holder, read: Option<(usize, LotPrice)>) -> Values {
        let legs = self.legs(holder, read);
        let account = Account {
            pool: holder.pool,
            legs: &legs,
        };
        account.values().expect("within range")
    }

    /// An account whose equity is between half and five times its maintenance.
    pub fn open(&mut self) {
        let mut holder = Holder {
            pool: Atoms::ZERO,
            positions: [Position::default(); MARKETS],
            bases: [0; MARKETS],
            slots: [0; MARKETS],
        };
        for place in 0..MARKETS {
            let notional = self.dice.magnitude(1 << 20, 1 << 36);
            let at = self.board.entries[place].mark;
            let size = i64::try_from((notional / at).max(1)).unwrap();
            let size = if self.dice.once_in(2) { size } else { -size };
            let entry = i64::try_from(self.dice.within(at * 9 / 10, at * 11 / 10)).unwrap();
            holder.positions[place] = Position {
                lots: lots(size),
                entry_quote: Atoms::new(size * entry),
                margin: Atoms::ZERO,
                funding_index: self.markets[place].funding,
            };
        }
        let values = self.values(&holder, None);
        let needed = values.requirement;
        let equity = i64::try_from(self.dice.within(needed / 2, 5 * needed)).unwrap();
        holder.pool = Atoms::new(equity - values.equity.get());
        for place in 0..MARKETS {
            self.renew(&mut holder, place, None);
        }
        self.holders.push(holder);
    }

    /// Records a leg at the board's marks.
    fn renew(&mut self, holder: &mut Holder, place: usize, read: Option<(usize, LotPrice)>) {
        if holder.positions[place].is_empty() {
            holder.positions[place].margin = Atoms::ZERO;
            return;
        }
        let read = read.filter(|_| self.mutant == Mutant::OwnPrice);
        let rest = self.values(holder, read).rest(place).expect("lots");
        holder.positions[place] = record(&holder.positions[place], rest).expect("within range");
        holder.bases[place] = self.board.checkpoints.newest().expect("one");
        holder.slots[place] = self.slot;
    }

    /// Marks and funding move, and the board learns of some of it.
    pub fn drift(&mut self) {
        self.slot += self.dice.within(1, 6);
        let common = self.dice.signed(200);
        for place in 0..MARKETS {
            let ppt = common + self.dice.signed(100);
            let market = &mut self.markets[place];
            let at = i64::try_from(market.mark.price.get()).unwrap();
            let moved = (at + at * ppt / 10_000).max(100);
            market.mark.price = price(u64::try_from(moved).unwrap());
            let most = u64::try_from(at / 200).unwrap();
            let paid = self.dice.signed(most);
            market.funding = FundingIndex::new(market.funding.get() + paid);
        }
        for place in 0..MARKETS {
            if self.dice.once_in(4) && self.mutant != Mutant::NoFunding {
                continue;
            }
            let report = self.report(place);
            self.board.record(place, &report).expect("newer");
        }
        self.board.conclude().expect("room");
        assert_eq!(self.board.invariant(), Ok(()));
    }

    /// Somebody trades, deposits or withdraws; records follow the rule.
    pub fn write(&mut self) {
        let most = u64::try_from(self.holders.len() - 1).unwrap();
        let number = usize::try_from(self.dice.within(0, most)).unwrap();
        let mut holder = self.holders[number].clone();
        let place = usize::try_from(self.dice.within(0, 2)).unwrap();
        let read = (place, self.read(place));
        let before = self.values(&holder, None);
        let traded = match self.dice.within(0, 5) {
            0 => {
                let amount = self.dice.within(0, before.requirement / 4 + 1);
                holder.pool = holder.pool.try_add_unsigned(amount).unwrap();
                false
            }
            1 | 2 => {
                // As near to maintenance as it likes.
                let spare = before.equity.get() - i64::try_from(before.requirement).unwrap();
                let most = u64::try_from(spare.max(0)).unwrap();
                let amount = if self.dice.once_in(2) {
                    most
                } else {
                    self.dice.within(0, most)
                };
                holder.pool = holder.pool.try_sub_unsigned(amount).unwrap();
                false
            }
            _ => self.trade(&mut holder, read),
        };
        if traded {
            self.renew(&mut holder, place, Some(read));
        }
        for leg in 0..MARKETS {
            if holder.positions[leg].is_empty() || (traded && leg == place) {
                continue;
            }
            let price = (self.mutant == Mutant::OwnPrice).then_some(read);
            let values = self.values(&holder, price);
            let legs = self.legs(&holder, price);
            let account = Account {
                pool: holder.pool,
                legs: &legs,
            };
            let stale = account
                .flattered(&values, self.slack, self.slot, |other| other != leg)
                .expect("within range");
            if stale == Some(leg) && self.mutant != Mutant::NoRefresh {
                self.renew(&mut holder, leg, price);
            }
        }
        self.holders[number] = holder;
    }

    fn trade(&mut self, holder: &mut Holder, (place, read): (usize, LotPrice)) -> bool {
        let held = holder.positions[place].lots.get();
        let at = read.get();
        let size = i64::try_from((self.dice.magnitude(1 << 20, 1 << 35) / at).max(1)).unwrap();
        let size = match self.dice.within(0, 3) {
            0 if held != 0 => -held,
            1 => size,
            _ => -size,
        };
        let slip = self.dice.within(at * 99 / 100, at * 101 / 100).max(1);
        let quote = Atoms::new(size * i64::try_from(slip).unwrap());
        let fee = slip * size.unsigned_abs() / 2_000;
        let mut legs = self.legs(holder, None);
        // Funding is paid up to the index in force, the board's or a later one.
        legs[place].funding_index = self.markets[place].funding;
        let account = Account {
            pool: holder.pool,
            legs: &legs,
        };
        let filled = account
            .fill(place, lots(size), quote)
            .expect("within range");
        holder.positions[place] = filled.position;
        holder.pool = filled.pool.try_sub_unsigned(fee).unwrap();
        true
    }

    /// A price just read: near the board's, which may be old.
    fn read(&mut self, place: usize) -> LotPrice {
        let board = self.board.entries[place].mark;
        match self.dice.within(0, 2) {
            0 => price(board),
            _ => price(
                self.dice
                    .within(board * 97 / 100, board * 103 / 100)
                    .max(100),
            ),
        }
    }

    /// Holds every record to the bound; how many were, and the first that breaks it.
    pub fn check(&mut self) -> (u64, Option<String>) {
        let mut checks = 0;
        for number in 0..self.holders.len() {
            for place in 0..MARKETS {
                let holder = self.holders[number].clone();
                if holder.positions[place].is_empty() {
                    continue;
                }
                let read = self.read(place);
                let values = self.values(&holder, Some((place, read)));
                let healthy = values.is_healthy()
                    || self.mutant == Mutant::Unhealthy && !values.equity.is_negative();
                if !healthy {
                    continue;
                }
                checks += 1;
                let leg = values.leg(place).expect("lots");
                let recorded = i128::from(holder.positions[place].margin.get()) + leg.unrealised;
                let recorded = u64::try_from(recorded.max(0)).expect("within range");
                let params = &self.markets[place].params;
                let bps = params.tiers[0].maintenance_margin_bps;
                let worth = read.notional(leg.lots).expect("within range");
                let needed = u64::try_from(u128::from(worth) * u128::from(bps) / 10_000).unwrap();
                let drift = self.drift_of(&holder, place, read, bps);
                let least = drift.least_equity(recorded, needed);
                if least > values.equity.positive_part() {
                    let what = format!("{number} {place}: {least} > {values:?}, {drift:?}");
                    return (checks, Some(what));
                }
            }
        }
        (checks, None)
    }

    fn drift_of(&self, holder: &Holder, place: usize, read: LotPrice, bps: u32) -> Drift {
        let base = holder.bases[place];
        let fresh = is_fresh(holder.slots[place], self.slot);
        let funding = match self.mutant {
            Mutant::NoFunding => FundingIndex::ZERO,
            _ => self.markets[place].funding,
        };
        let slack = self.slack;
        let drifts = self
            .board
            .drifts(place, read, funding, bps, slack)
            .expect("a board");
        let kappa = match self.mutant {
            Mutant::ThirdOfWay => drifts.kappa_ppm(base) / 3,
            Mutant::WrongDivisor => self.wrongly_divided(base, place, read),
            Mutant::NewerCheckpoint => {
                let live = self.board.checkpoints.live().expect("one");
                let newer = live.iter().find(|found| found.id >= base);
                drifts.kappa_ppm(newer.map_or(base, |found| found.id))
            }
            _ => return drifts.of(base, fresh),
        };
        let percent = if fresh {
            slack.fresh_percent
        } else {
            slack.percent
        };
        Drift::new(kappa, percent).expect("a slack")
    }

    /// The way in units of the maintenance of the mark less funding.
    fn wrongly_divided(&self, base: u32, own: usize, read: LotPrice) -> u32 {
        let live = self.board.checkpoints.live().expect("one");
        let found = live.iter().rev().find(|found| found.id <= base);
        let ranges = found.expect("the oldest").ranges;
        let ways = (0..MARKETS).map(|place| {
            let entry = self.board.entries[place];
            let mark = if place == own {
                read
            } else {
                price(entry.mark)
            };
            let funding = if place == own {
                self.markets[place].funding
            } else {
                entry.funding_index
            };
            let range = ranges[place].with(mark, funding);
            let less = i64::try_from(mark.get()).unwrap() - funding.get();
            let divisor = price(u64::try_from(less.max(1)).unwrap());
            range.kappa_ppm(divisor, entry.terms.maintenance_bps())
        });
        ways.max().unwrap()
    }
}

/// Plays histories; how many checks were made, and in how many histories the bound broke.
pub fn play(histories: u64, steps: u64, mutant: Mutant, slack: Slack) -> (u64, u64) {
    let (mut checks, mut broken) = (0, 0);
    for seed in 0..histories {
        let mut world = World::new(0xc005 + seed, mutant, slack);
        for _ in 0..steps {
            if world.dice.once_in(2) {
                world.drift();
            }
            for _ in 0..world.dice.within(0, 2) {
                world.write();
            }
            let (made, wrong) = world.check();
            checks += made;
            if let Some(what) = wrong {
                assert_ne!(mutant, Mutant::Sound, "seed {seed}: {what}");
                broken += 1;
                break;
            }
        }
    }
    (checks, broken)
}
