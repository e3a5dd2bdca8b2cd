//! How a market maker quotes: a ladder around the oracle price, wider and thinner the more the
//! price has moved, leaning against what it holds.

use std::collections::VecDeque;

use ballast_engine::units::Side;

/// Orders that a maker shows on one side.
pub const LEVELS: u64 = 3;
/// Prices whose moves make the stress.
const MEMORY: usize = 4;
/// Stress at which a maker shows half of its calm size.
const HALVING_STRESS_BPS: u64 = 50;
/// Part of the stress by which the spread widens.
const WIDENING: u64 = 6;
/// Makers back their orders with this part of the notional, basis points.
pub const MARGIN_BPS: u64 = 2_500;
/// Part of what a maker could hold that it lets itself hold, basis points.
const CAPACITY_BPS: u64 = 8_000;
/// Seconds for which a quote is good.
pub const GOOD_FOR: i64 = 90;
const ONE: u64 = 10_000;

/// What a maker wants when nothing happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MakerStyle {
    /// Lots of one side of its ladder.
    pub depth_lots: u64,
    /// Distance of its best orders from its centre, basis points.
    pub spread_bps: u64,
    /// Least lots of an order.
    pub min_lots: u64,
}

/// What a maker looks at before it quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Oracle price, ticks.
    pub mark_ticks: u64,
    /// How far the last prices moved, basis points.
    pub stress_bps: u64,
    /// Signed lots that it holds.
    pub inventory: i64,
    /// Most lots that its collateral lets it hold.
    pub capacity: u64,
}

/// An order that it wants to have in the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// `Long` is a bid.
    pub side: Side,
    /// Limit price, ticks.
    pub price_ticks: u64,
    /// Lots, unsigned.
    pub lots: u64,
    /// Whether it only reduces what it holds.
    pub reduce_only: bool,
}

/// The last prices, and how far they moved.
#[derive(Clone, Debug, Default)]
pub struct Stress {
    last: VecDeque<u64>,
}

impl Stress {
    /// Notes a price.
    pub fn see(&mut self, ticks: u64) {
        if self.last.len() == MEMORY {
            self.last.pop_front();
        }
        self.last.push_back(ticks);
    }

    /// Sum of the last moves, basis points of the price before each.
    #[must_use]
    pub fn bps(&self) -> u64 {
        let moves = self.last.iter().zip(self.last.iter().skip(1));
        moves
            .map(|(before, after)| before.abs_diff(*after) * ONE / (*before).max(1))
            .sum()
    }

    /// How far the price fell over them, basis points; negative for a rise.
    #[must_use]
    pub fn fall_bps(&self) -> i64 {
        let (Some(first), Some(last)) = (self.last.front(), self.last.back()) else {
            return 0;
        };
        let moved = first.abs_diff(*last) * ONE / (*first).max(1);
        let moved = i64::try_from(moved).unwrap_or(i64::MAX);
        if last > first {
            -moved
        } else {
            moved
        }
    }
}

/// How many makers of a hundred miss a price and leave their orders as they are: one in five when calm, up
/// to three in five under stress.
#[must_use]
pub const fn miss_percent(stress_bps: u64) -> u64 {
    let percent = 20 + stress_bps / 4;
    if percent < 60 {
        percent
    } else {
        60
    }
}

/// Most lots that a maker worth `atoms` lets itself hold at a price of `atoms_per_lot`.
#[must_use]
pub fn capacity(atoms: u64, atoms_per_lot: u64) -> u64 {
    let price = u128::from(MARGIN_BPS) * u128::from(atoms_per_lot.max(1));
    let lots = u128::from(atoms) * u128::from(ONE) / price;
    let most = lots * u128::from(CAPACITY_BPS) / u128::from(ONE);
    u64::try_from(most).unwrap_or(u64::MAX)
}

/// The ladder of both sides, bids first, each the best order first.
#[must_use]
pub fn ladder(style: &MakerStyle, view: &View) -> Vec<Quote> {
    let distance_bps = style.spread_bps + view.stress_bps / WIDENING;
    let centre = centre(view, distance_bps);
    [Side::Long, Side::Short]
        .into_iter()
        .flat_map(|side| rungs(style, view, side, centre, distance_bps))
        .collect()
}

/// Away from the oracle price by up to the spread, so that what it holds is sold or bought back.
fn centre(view: &View, distance_bps: u64) -> u64 {
    let held = view.inventory.unsigned_abs().min(view.capacity);
    let lean = part(view.mark_ticks, distance_bps) * held / view.capacity.max(1);
    if view.inventory > 0 {
        view.mark_ticks.saturating_sub(lean)
    } else {
        view.mark_ticks.saturating_add(lean)
    }
}

fn rungs(
    style: &MakerStyle,
    view: &View,
    side: Side,
    centre: u64,
    distance_bps: u64,
) -> Vec<Quote> {
    let reduces = match side {
        Side::Long => view.inventory < 0,
        Side::Short => view.inventory > 0,
    };
    let held = view.inventory.unsigned_abs();
    let shown = style.depth_lots * HALVING_STRESS_BPS / (HALVING_STRESS_BPS + view.stress_bps);
    let room = if reduces {
        view.capacity.max(held)
    } else {
        view.capacity.saturating_sub(held)
    };
    // The more it holds, the less of it does it add.
    let wanted = if reduces {
        shown
    } else {
        shown * room / view.capacity.max(1)
    };
    let weights = LEVELS * (LEVELS + 1) / 2;
    let mut left = wanted.min(room);
    let mut quotes = Vec::new();
    for level in 1..=LEVELS {
        let lots = (wanted * level / weights).min(left);
        if lots < style.min_lots {
            continue;
        }
        left -= lots;
        let away = part(centre, distance_bps * level).max(level);
        let price_ticks = match side {
            Side::Long => centre.saturating_sub(away),
            Side::Short => centre.saturating_add(away),
        };
        let taken: u64 = quotes.iter().map(|quote: &Quote| quote.lots).sum();
        if price_ticks > 0 {
            quotes.push(Quote {
                side,
                price_ticks,
                lots,
                reduce_only: reduces && taken + lots <= held,
            });
        }
    }
    quotes
}

fn part(whole: u64, bps: u64) -> u64 {
    let part = u128::from(whole) * u128::from(bps) / u128::from(ONE);
    u64::try_from(part).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLE: MakerStyle = MakerStyle {
        depth_lots: 6_000,
        spread_bps: 10,
        min_lots: 50,
    };
    const CALM: View = View {
        mark_ticks: 200_000,
        stress_bps: 0,
        inventory: 0,
        capacity: 40_000,
    };

    fn sum(quotes: &[Quote], side: Side) -> u64 {
        let of = quotes.iter().filter(|quote| quote.side == side);
        of.map(|quote| quote.lots).sum()
    }

    fn best(quotes: &[Quote], side: Side) -> u64 {
        let mut of = quotes.iter().filter(|quote| quote.side == side);
        of.next().expect("a quote").price_ticks
    }

    #[test]
    fn a_calm_ladder_is_even_and_deeper_further_out() {
        let quotes = ladder(&STYLE, &CALM);
        let figures: Vec<(u64, u64)> = quotes
            .iter()
            .map(|quote| (quote.price_ticks, quote.lots))
            .collect();
        assert_eq!(
            figures,
            [
                (199_800, 1_000),
                (199_600, 2_000),
                (199_400, 3_000),
                (200_200, 1_000),
                (200_400, 2_000),
                (200_600, 3_000),
            ]
        );
        assert!(quotes.iter().all(|quote| !quote.reduce_only));
    }

    #[test]
    fn stress_widens_the_spread_and_takes_size_away() {
        let stressed = ladder(
            &STYLE,
            &View {
                stress_bps: 150,
                ..CALM
            },
        );
        assert_eq!(sum(&stressed, Side::Long), 1_500);
        assert_eq!(best(&stressed, Side::Long), 200_000 - 700);
        let worse = ladder(
            &STYLE,
            &View {
                stress_bps: 1_000,
                ..CALM
            },
        );
        assert!(sum(&worse, Side::Long) < sum(&stressed, Side::Long));
    }

    #[test]
    fn inventory_moves_the_ladder_and_thins_the_side_that_adds_to_it() {
        let view = View {
            inventory: 20_000,
            ..CALM
        };
        let long = ladder(&STYLE, &view);
        assert_eq!(sum(&long, Side::Long), 3_000);
        assert_eq!(sum(&long, Side::Short), 6_000);
        assert!(best(&long, Side::Long) < best(&ladder(&STYLE, &CALM), Side::Long));
        let asks = long.iter().filter(|quote| quote.side == Side::Short);
        assert!(asks.clone().count() == 3 && asks.clone().all(|quote| quote.reduce_only));
        let full = View {
            inventory: 40_000,
            ..CALM
        };
        assert_eq!(sum(&ladder(&STYLE, &full), Side::Long), 0);
    }

    #[test]
    fn reduce_only_orders_never_exceed_what_is_held() {
        for inventory in [-2_500, -1_500, 900, 3_100] {
            let quotes = ladder(&STYLE, &View { inventory, ..CALM });
            let reducing = quotes.iter().filter(|quote| quote.reduce_only);
            let lots: u64 = reducing.map(|quote| quote.lots).sum();
            assert!(lots <= inventory.unsigned_abs(), "{inventory}: {lots}");
        }
    }

    #[test]
    fn the_best_orders_never_meet() {
        for mark_ticks in [10, 1_000, 123_457] {
            for stress_bps in [0, 77, 3_000] {
                for inventory in [-40_000, -1, 0, 5, 39_000] {
                    let view = View {
                        mark_ticks,
                        stress_bps,
                        inventory,
                        ..CALM
                    };
                    let quotes = ladder(&STYLE, &view);
                    let bids = quotes.iter().filter(|quote| quote.side == Side::Long);
                    let bid = bids.map(|quote| quote.price_ticks).max();
                    let asks = quotes.iter().filter(|quote| quote.side == Side::Short);
                    let ask = asks.map(|quote| quote.price_ticks).min();
                    if let (Some(bid), Some(ask)) = (bid, ask) {
                        assert!(bid < ask, "{view:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn stress_is_the_sum_of_the_last_moves() {
        let mut stress = Stress::default();
        assert_eq!(stress.bps(), 0);
        for ticks in [100_000, 99_000, 99_990, 99_990, 99_990, 99_990] {
            stress.see(ticks);
        }
        assert_eq!(stress.bps(), 0);
        stress.see(98_990);
        assert_eq!((stress.bps(), stress.fall_bps()), (100, 100));
        stress.see(108_990);
        assert!(stress.fall_bps() < -800, "{}", stress.fall_bps());
    }
}
