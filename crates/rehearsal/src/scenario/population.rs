//! A seeded, long-heavy population and the trades that open its positions.

use ballast_report::traders::{Direction, Kind};
use rand::seq::SliceRandom;
use rand::Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// One trader account and the position it will hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Number of the owner; two accounts of one owner are a hedge.
    pub owner: usize,
    /// Account number under that owner.
    pub sub_id: u16,
    /// Sort of trader.
    pub kind: Kind,
    /// Long or short.
    pub direction: Direction,
    /// Size in lots, a multiple of the market's unit.
    pub lots: u64,
    /// Leverage wanted, in tenths (10 = 1x).
    pub leverage_tenths: u64,
}

/// A negotiated trade between two members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Index of the member that goes long.
    pub long: usize,
    /// Index of the member that goes short.
    pub short: usize,
    /// Lots.
    pub lots: u64,
    /// Distance of the trade's price from the first price of the path.
    pub offset_bps: i64,
}

/// Everybody, and how they come by their positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Population {
    /// Trader accounts.
    pub members: Vec<Member>,
    /// Trades in the order they are made: the highest leverage last and nearest to the first price.
    pub openings: Vec<Opening>,
}

/// What the population is drawn from.
#[derive(Clone, Copy, Debug)]
pub struct PopulationConfig {
    /// Trader accounts, at least 10.
    pub traders: usize,
    /// Seed of everything drawn.
    pub seed: u64,
    /// Highest leverage.
    pub max_leverage: u64,
    /// Sizes are multiples of this many lots.
    pub unit_lots: u64,
    /// Value of one unit in US cents at the first price.
    pub unit_cents: u64,
}

/// Farthest opening price from the first price.
const WIDEST_OFFSET_BPS: i64 = 400;

impl Population {
    /// Draws a population; equal configurations give equal populations.
    pub fn draw(config: &PopulationConfig) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
        let mut members = draw_members(&mut rng, config);
        balance_shorts(&mut members, config.unit_lots);
        let openings = pair_up(&mut rng, &members);
        Self { members, openings }
    }

    /// Lots on one side; equal on both.
    pub fn open_interest_lots(&self) -> u64 {
        self.members
            .iter()
            .filter(|member| member.direction == Direction::Long)
            .map(|member| member.lots)
            .sum()
    }

    /// Accounts of a kind and direction.
    pub fn count(&self, kind: Kind, direction: Direction) -> usize {
        self.members
            .iter()
            .filter(|member| member.kind == kind && member.direction == direction)
            .count()
    }
}

fn draw_members(rng: &mut ChaCha8Rng, config: &PopulationConfig) -> Vec<Member> {
    let mut members = Vec::with_capacity(config.traders);
    let hedges = config.traders / 20;
    let singles = config.traders.saturating_sub(2 * hedges);
    for owner in 0..hedges {
        let lots = draw_lots(rng, Kind::Regular, config);
        for (sub_id, direction) in [(0, Direction::Long), (1, Direction::Short)] {
            let leverage_tenths = draw_leverage(rng, direction, config.max_leverage);
            members.push(Member {
                owner,
                sub_id,
                kind: Kind::Hedged,
                direction,
                lots,
                leverage_tenths,
            });
        }
    }
    for index in 0..singles {
        // One in three is short, spread evenly so that every population has both sides.
        let direction = if index % 3 == 2 {
            Direction::Short
        } else {
            Direction::Long
        };
        let kind = match index % 20 {
            0 | 5 => Kind::Whale,
            1 | 6 | 8 | 12 | 17 => Kind::Tiny,
            _ => Kind::Regular,
        };
        let lots = draw_lots(rng, kind, config);
        let leverage_tenths = draw_leverage(rng, direction, config.max_leverage);
        members.push(Member {
            owner: hedges + index,
            sub_id: 0,
            kind,
            direction,
            lots,
            leverage_tenths,
        });
    }
    members
}

/// Log-uniform by octaves: `low` doubled up to `octaves` times, then anywhere within the octave.
fn log_uniform(rng: &mut ChaCha8Rng, low: u64, octaves: u32) -> u64 {
    let floor = low << rng.gen_range(0..octaves);
    rng.gen_range(floor..2 * floor)
}

fn draw_lots(rng: &mut ChaCha8Rng, kind: Kind, config: &PopulationConfig) -> u64 {
    let cents = match kind {
        Kind::Tiny => log_uniform(rng, 2_000, 4),
        Kind::Regular | Kind::Hedged => log_uniform(rng, 100_000, 6),
        Kind::Whale => log_uniform(rng, 40_000_000, 3),
    };
    (cents / config.unit_cents.max(1)).max(1) * config.unit_lots
}

/// Longs crowd towards the maximum, shorts are more careful; both reach from 1x to the maximum.
fn draw_leverage(rng: &mut ChaCha8Rng, direction: Direction, max_leverage: u64) -> u64 {
    let max = max_leverage * 10;
    let quarter = (max / 4).max(11);
    let half = (max / 2).max(12);
    let careful = match direction {
        Direction::Long => 0,
        Direction::Short => 25,
    };
    match rng.gen_range(0..100_u64) {
        draw if draw < 10 + careful => rng.gen_range(10..=max.min(20)),
        draw if draw < 30 + careful => rng.gen_range(10..=quarter.min(max)),
        draw if draw < 60 + careful / 2 => rng.gen_range(quarter.min(max)..=half.min(max)),
        _ => rng.gen_range(half.min(max)..=max),
    }
}

/// Scales the shorts so that both sides hold the same number of lots.
fn balance_shorts(members: &mut [Member], unit: u64) {
    let total = |members: &[Member], direction| -> u64 {
        members
            .iter()
            .filter(|member| member.direction == direction)
            .map(|member| member.lots / unit)
            .sum()
    };
    let longs = total(members, Direction::Long);
    let shorts = total(members, Direction::Short).max(1);
    for member in members
        .iter_mut()
        .filter(|member| member.direction == Direction::Short)
    {
        let scaled = u128::from(member.lots / unit) * u128::from(longs) / u128::from(shorts);
        member.lots = u64::try_from(scaled).unwrap_or(1).max(1) * unit;
    }
    while let Some(excess) = total(members, Direction::Short)
        .checked_sub(longs)
        .filter(|excess| *excess > 0)
    {
        let Some(largest) = largest_short(members) else {
            return;
        };
        let cut = excess.min(largest.lots / unit - 1);
        if cut == 0 {
            break;
        }
        largest.lots -= cut * unit;
    }
    let missing = longs.saturating_sub(total(members, Direction::Short));
    if let Some(largest) = largest_short(members) {
        largest.lots += missing * unit;
    }
}

fn largest_short(members: &mut [Member]) -> Option<&mut Member> {
    members
        .iter_mut()
        .filter(|member| member.direction == Direction::Short)
        .max_by_key(|member| member.lots)
}

/// Walks both sides in random order, matching what is left of each: the trades that open the positions of one
/// market.
pub fn pair_up(rng: &mut ChaCha8Rng, members: &[Member]) -> Vec<Opening> {
    let mut side = |direction| -> Vec<(usize, u64)> {
        let mut side: Vec<(usize, u64)> = members
            .iter()
            .enumerate()
            .filter(|(_, member)| member.direction == direction)
            .map(|(index, member)| (index, member.lots))
            .collect();
        side.shuffle(rng);
        side
    };
    let (mut longs, mut shorts) = (side(Direction::Long), side(Direction::Short));
    let mut openings = Vec::new();
    while let (Some(long), Some(short)) = (longs.last_mut(), shorts.last_mut()) {
        let lots = long.1.min(short.1);
        openings.push(Opening {
            long: long.0,
            short: short.0,
            lots,
            offset_bps: 0,
        });
        long.1 -= lots;
        short.1 -= lots;
        if long.1 == 0 {
            longs.pop();
        }
        if shorts.last().is_some_and(|short| short.1 == 0) {
            shorts.pop();
        }
    }
    place_in_time(rng, members, openings)
}

/// Low leverage trades early and far from the first price, high leverage last and close to it,
/// so that everybody is healthy when the path begins.
fn place_in_time(
    rng: &mut ChaCha8Rng,
    members: &[Member],
    mut openings: Vec<Opening>,
) -> Vec<Opening> {
    let leverage = |opening: &Opening| {
        members[opening.long]
            .leverage_tenths
            .max(members[opening.short].leverage_tenths)
    };
    openings.sort_by_key(leverage);
    for opening in &mut openings {
        // A third of the margin at most: 10,000 bps of notional at 1x, 10 tenths.
        let third = 100_000 / i64::try_from(leverage(opening)).unwrap_or(i64::MAX).max(1) / 3;
        let reach = third.min(WIDEST_OFFSET_BPS);
        opening.offset_bps = rng.gen_range(-reach..=reach);
    }
    openings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(traders: usize, seed: u64) -> PopulationConfig {
        PopulationConfig {
            traders,
            seed,
            max_leverage: 20,
            unit_lots: 50,
            unit_cents: 1_030,
        }
    }

    #[test]
    fn both_sides_are_equal_and_every_position_is_fully_opened() {
        for seed in 0..30 {
            for traders in [10, 11, 57, 300] {
                let population = Population::draw(&config(traders, seed));
                assert_eq!(population.members.len(), traders);
                let shorts: u64 = population
                    .members
                    .iter()
                    .filter(|m| m.direction == Direction::Short)
                    .map(|m| m.lots)
                    .sum();
                assert_eq!(
                    population.open_interest_lots(),
                    shorts,
                    "seed {seed}, {traders} traders"
                );
                let mut opened = vec![0; traders];
                for opening in &population.openings {
                    assert!(opening.lots >= 50 && opening.lots.is_multiple_of(50));
                    opened[opening.long] += opening.lots;
                    opened[opening.short] += opening.lots;
                }
                for (member, lots) in population.members.iter().zip(opened) {
                    assert_eq!(member.lots, lots);
                }
            }
        }
    }

    #[test]
    fn the_population_is_long_heavy_and_mixed() {
        let population = Population::draw(&config(300, 1));
        let longs = population
            .members
            .iter()
            .filter(|m| m.direction == Direction::Long)
            .count();
        assert!(longs > 180, "{longs}");
        for kind in [Kind::Tiny, Kind::Regular, Kind::Whale, Kind::Hedged] {
            assert!(population.count(kind, Direction::Long) > 0, "{kind:?}");
            assert!(population.count(kind, Direction::Short) > 0, "{kind:?}");
        }
        let leverages: Vec<u64> = population
            .members
            .iter()
            .map(|m| m.leverage_tenths)
            .collect();
        assert!(leverages.iter().all(|l| (10..=200).contains(l)));
        assert!(leverages.iter().any(|l| *l < 15) && leverages.iter().any(|l| *l > 190));
    }

    #[test]
    fn hedges_are_two_accounts_of_one_owner() {
        let population = Population::draw(&config(300, 2));
        let hedged: Vec<&Member> = population
            .members
            .iter()
            .filter(|m| m.kind == Kind::Hedged)
            .collect();
        assert_eq!(hedged.len(), 30);
        for pair in hedged.chunks(2) {
            assert_eq!(
                (pair[0].owner, pair[0].sub_id, pair[1].sub_id),
                (pair[1].owner, 0, 1)
            );
            assert_eq!(
                (pair[0].direction, pair[1].direction),
                (Direction::Long, Direction::Short)
            );
        }
    }

    #[test]
    fn offsets_stay_within_a_third_of_the_margin() {
        let population = Population::draw(&config(300, 3));
        for opening in &population.openings {
            let leverage = population.members[opening.long]
                .leverage_tenths
                .max(population.members[opening.short].leverage_tenths);
            assert!(opening.offset_bps.unsigned_abs() <= (100_000 / leverage / 3).min(400));
        }
        assert!(population.openings.iter().any(|o| o.offset_bps.abs() > 200));
    }

    #[test]
    fn the_seed_decides() {
        assert_eq!(
            Population::draw(&config(40, 5)),
            Population::draw(&config(40, 5))
        );
        assert_ne!(
            Population::draw(&config(40, 5)),
            Population::draw(&config(40, 6))
        );
        for max_leverage in [1, 2, 3, 100] {
            let population = Population::draw(&PopulationConfig {
                max_leverage,
                ..config(60, 1)
            });
            assert!(population
                .members
                .iter()
                .all(|m| (10..=max_leverage * 10).contains(&m.leverage_tenths)));
        }
    }
}
