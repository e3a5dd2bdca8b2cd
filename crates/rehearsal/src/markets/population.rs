//! Accounts with one to four legs, drawn by the seed, and the trades that open them.

use ballast_report::markets::Style;
use ballast_report::traders::{Direction, Kind};
use rand::seq::SliceRandom;
use rand::Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::scenario::population::{pair_up, Member as Single};

/// Accounts in each market that take the other side of what the rest leaves.
const BASIS: u64 = 3;
/// A leg's notional at least, US cents, and how often it can double.
const SIZES: (u64, u32) = (100_000, 7);

/// One account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// How its legs relate.
    pub style: Style,
    /// Signed lots in each market.
    pub lots: Vec<i64>,
    /// Leverage wanted of each leg, in tenths (10 = 1x).
    pub leverage_tenths: u64,
    /// Whether it is cross where a part of the accounts is.
    pub chosen: bool,
}

/// A negotiated trade between two members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The market.
    pub market: usize,
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
    /// Accounts; those of [`Style::Basis`] last.
    pub members: Vec<Member>,
    /// Trades in the order in which they are made: the highest leverage last.
    pub openings: Vec<Opening>,
}

/// Sizes of one market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Positions are multiples of so many lots.
    pub unit_lots: u64,
    /// Worth of a unit at the first price, US cents.
    pub unit_cents: u64,
}

/// What a population is drawn from.
#[derive(Clone, Copy, Debug)]
pub struct Config<'a> {
    /// Accounts, those of [`Style::Basis`] not counted.
    pub traders: usize,
    /// Seed of everything drawn.
    pub seed: u64,
    /// Part of them that is cross, per cent.
    pub cross_share: u64,
    /// Most legs of an account.
    pub legs: usize,
    /// Highest leverage.
    pub max_leverage: u64,
    /// The markets.
    pub sizes: &'a [Sizes],
}

impl Population {
    /// Draws a population; equal configurations give equal populations, and the share that is cross changes nothing
    /// else.
    pub fn draw(config: &Config<'_>) -> Self {
        let mut draws = ChaCha8Rng::seed_from_u64(config.seed ^ 0x4c45_4753);
        let mut members: Vec<Member> = (0..config.traders)
            .map(|place| member(&mut draws, place, config))
            .collect();
        choose(&mut members, config);
        for market in 0..config.sizes.len() {
            balance(&mut draws, &mut members, market, config);
        }
        let mut openings = Vec::new();
        for market in 0..config.sizes.len() {
            openings.extend(opened(&mut draws, &members, market, config.max_leverage));
        }
        openings.sort_by_key(|opening| highest(&members, opening));
        Self { members, openings }
    }

    /// Lots on one side of a market; equal on both.
    pub fn open_interest_lots(&self, market: usize) -> u64 {
        let longs = self.members.iter().filter_map(|member| {
            let lots = member.lots.get(market)?;
            u64::try_from(*lots).ok()
        });
        longs.sum()
    }
}

/// Draws one account.
fn member(draws: &mut ChaCha8Rng, place: usize, config: &Config<'_>) -> Member {
    let style = match place % 10 {
        0 | 3 | 6 | 8 => Style::Hedged,
        2 | 7 => Style::Mixed,
        _ => Style::Directional,
    };
    let least = if style == Style::Hedged { 2 } else { 1 };
    let most = config.legs.max(1);
    // Who cannot hedge takes a side.
    let (style, least) = match least > most {
        true => (Style::Directional, 1),
        false => (style, least),
    };
    let legs = draws.gen_range(least..=most);
    let mut markets: Vec<usize> = (0..config.sizes.len()).collect();
    markets.shuffle(draws);
    let base = log_uniform(draws);
    // Two thirds of those who take a side are long.
    let side: i64 = if draws.gen_range(0..3) < 2 { 1 } else { -1 };
    let mut lots = vec![0; config.sizes.len()];
    for (leg, market) in markets.into_iter().take(legs).enumerate() {
        let (sign, cents) = match style {
            Style::Hedged => (
                if leg % 2 == 0 { side } else { -side },
                hedged(base, legs, leg),
            ),
            Style::Mixed => (if draws.gen_bool(0.6) { 1 } else { -1 }, log_uniform(draws)),
            Style::Directional | Style::Basis => (side, base * draws.gen_range(50..=150) / 100),
        };
        let size = config.sizes[market];
        let units = (cents / size.unit_cents.max(1)).max(1);
        lots[market] = sign * signed(units * size.unit_lots);
    }
    Member {
        style,
        lots,
        leverage_tenths: leverage(draws, style, side, config.max_leverage),
        chosen: false,
    }
}

/// What a leg of a hedge is worth: both sides come to the same.
fn hedged(base: u64, legs: usize, leg: usize) -> u64 {
    let (ahead, against) = (legs.div_ceil(2), legs / 2);
    let side = if leg.is_multiple_of(2) {
        ahead
    } else {
        against
    };
    base / u64::try_from(side.max(1)).unwrap_or(1)
}

/// A notional in cents, by octaves.
fn log_uniform(draws: &mut ChaCha8Rng) -> u64 {
    let floor = SIZES.0 << draws.gen_range(0..SIZES.1);
    draws.gen_range(floor..2 * floor)
}

/// Hedges and longs crowd towards the highest that leaves room, shorts are more careful.
fn leverage(draws: &mut ChaCha8Rng, style: Style, side: i64, max_leverage: u64) -> u64 {
    let most = (max_leverage * 9).max(11);
    let careful = style == Style::Directional && side < 0;
    match draws.gen_range(0..10) {
        draw if careful && draw < 4 => draws.gen_range(10..=(most / 4).max(11)),
        0..=3 => draws.gen_range((most / 4).max(10)..=(most / 2).max(11)),
        _ => draws.gen_range((most / 2).max(10)..=most),
    }
}

/// Draws who is cross.
fn choose(members: &mut [Member], config: &Config<'_>) {
    let mut draws = ChaCha8Rng::seed_from_u64(config.seed ^ 0x4352_4f53);
    let mut places: Vec<usize> = (0..members.len()).collect();
    places.shuffle(&mut draws);
    let share = usize::try_from(config.cross_share).unwrap_or(0);
    let count = (members.len() * share).div_ceil(100);
    for place in places.into_iter().take(count) {
        members[place].chosen = true;
    }
}

/// Adds accounts of low leverage that take the other side of what a market's longs and shorts leave.
fn balance(draws: &mut ChaCha8Rng, members: &mut Vec<Member>, market: usize, config: &Config<'_>) {
    let unit = signed(config.sizes[market].unit_lots);
    let open = |member: &Member| member.lots[market];
    let mut missing = -members.iter().map(open).sum::<i64>() / unit;
    for left in (1..=signed(BASIS)).rev() {
        let units = missing / left;
        missing -= units;
        if units == 0 {
            continue;
        }
        let mut lots = vec![0; config.sizes.len()];
        lots[market] = units * unit;
        members.push(Member {
            style: Style::Basis,
            lots,
            leverage_tenths: draws.gen_range(15..=30),
            chosen: false,
        });
    }
}

/// The trades of one market.
fn opened(
    draws: &mut ChaCha8Rng,
    members: &[Member],
    market: usize,
    max_leverage: u64,
) -> Vec<Opening> {
    let single = |(owner, member): (usize, &Member)| Single {
        owner,
        sub_id: 0,
        kind: Kind::Regular,
        direction: if member.lots[market] < 0 {
            Direction::Short
        } else {
            Direction::Long
        },
        lots: member.lots[market].unsigned_abs(),
        leverage_tenths: member.leverage_tenths,
    };
    let singles: Vec<Single> = members.iter().enumerate().map(single).collect();
    let open: Vec<Single> = singles.into_iter().filter(|one| one.lots > 0).collect();
    let trades = pair_up(draws, &open).into_iter();
    trades
        .map(|trade| {
            let mut opening = Opening {
                market,
                long: open[trade.long].owner,
                short: open[trade.short].owner,
                lots: trade.lots,
                offset_bps: 0,
            };
            let reach = reach(highest(members, &opening), max_leverage);
            opening.offset_bps = trade.offset_bps.clamp(-reach, reach);
            opening
        })
        .collect()
}

/// How far from the first price a trade may be, basis points: so far that half of the margin above the initial one is
/// left at the first price, since an account becomes cross there.
fn reach(leverage_tenths: u64, max_leverage: u64) -> i64 {
    let margin = 100_000 / leverage_tenths.max(10);
    let initial = 10_000_u64.div_ceil(max_leverage.max(1));
    signed(margin.saturating_sub(initial) / 2)
}

fn highest(members: &[Member], opening: &Opening) -> u64 {
    let leverage = |place: usize| members[place].leverage_tenths;
    leverage(opening.long).max(leverage(opening.short))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: [Sizes; 4] = [
        Sizes {
            unit_lots: 49,
            unit_cents: 1_009,
        },
        Sizes {
            unit_lots: 23,
            unit_cents: 1_012,
        },
        Sizes {
            unit_lots: 40,
            unit_cents: 1_000,
        },
        Sizes {
            unit_lots: 84,
            unit_cents: 1_008,
        },
    ];

    fn config(seed: u64, cross_share: u64, legs: usize) -> Config<'static> {
        Config {
            traders: 60,
            seed,
            cross_share,
            legs,
            max_leverage: 20,
            sizes: &SIZES,
        }
    }

    #[test]
    fn every_market_is_balanced_and_every_leg_fully_opened() {
        for seed in 0..20 {
            let population = Population::draw(&config(seed, 50, 4));
            for (market, size) in SIZES.iter().enumerate() {
                let sum: i64 = population.members.iter().map(|one| one.lots[market]).sum();
                assert_eq!(sum, 0, "seed {seed}, market {market}");
                assert!(population.open_interest_lots(market) > 0);
                let mut opened = vec![0_i64; population.members.len()];
                let trades = population.openings.iter();
                for trade in trades.filter(|trade| trade.market == market) {
                    assert!(trade.lots.is_multiple_of(size.unit_lots) && trade.lots > 0);
                    opened[trade.long] += signed(trade.lots);
                    opened[trade.short] -= signed(trade.lots);
                }
                for (member, lots) in population.members.iter().zip(opened) {
                    assert_eq!(member.lots[market], lots);
                }
            }
        }
    }

    #[test]
    fn accounts_have_up_to_so_many_legs_and_hedges_come_to_about_nothing() {
        for legs in 1..=4 {
            let population = Population::draw(&config(1, 50, legs));
            let count = |member: &Member| member.lots.iter().filter(|lots| **lots != 0).count();
            let counts: Vec<usize> = population.members.iter().map(count).collect();
            assert_eq!(counts.iter().max(), Some(&legs));
            let hedged = population.members.iter();
            let hedged: Vec<&Member> = hedged.filter(|one| one.style == Style::Hedged).collect();
            assert_eq!(hedged.is_empty(), legs == 1);
            for member in hedged {
                let cents = |(lots, size): (&i64, &Sizes)| {
                    lots / signed(size.unit_lots) * signed(size.unit_cents)
                };
                let all: Vec<i64> = member.lots.iter().zip(&SIZES).map(cents).collect();
                let (net, gross) = (
                    all.iter().sum::<i64>(),
                    all.iter().map(|one| one.abs()).sum::<i64>(),
                );
                assert!(net.abs() * 20 < gross, "{all:?}");
            }
        }
    }

    #[test]
    fn the_share_changes_nothing_else() {
        let half = Population::draw(&config(7, 50, 4));
        let chosen = half.members.iter().filter(|member| member.chosen).count();
        assert_eq!(chosen, 30);
        let mut all = Population::draw(&config(7, 100, 4));
        let basis = |member: &Member| member.style == Style::Basis;
        assert!(all.members.iter().all(|one| one.chosen != basis(one)));
        for (member, other) in all.members.iter_mut().zip(&half.members) {
            member.chosen = other.chosen;
        }
        assert_eq!(all, half);
        assert_ne!(half, Population::draw(&config(8, 50, 4)));
    }

    #[test]
    fn trades_leave_room_to_become_cross() {
        let population = Population::draw(&config(3, 50, 4));
        let mut far = 0;
        for opening in &population.openings {
            let reach = reach(highest(&population.members, opening), 20);
            assert!(opening.offset_bps.abs() <= reach);
            far = far.max(opening.offset_bps.abs());
        }
        assert!(far > 100, "{far}");
        assert_eq!(
            (reach(180, 20), reach(100, 20), reach(200, 20)),
            (27, 250, 0)
        );
    }
}
