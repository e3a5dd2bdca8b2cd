//! What the program is meant to stay below.

use ballast_engine::units::Side;

use crate::books::DEEPEST;
use crate::case::book_name;
use crate::figure::Figures;
use crate::population::Population;
use crate::shapes::{adl_name, proof_name, thousands, tolerance_name, StageShape, HOSTILE, PROVEN};

/// An upper limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What is limited, in words.
    pub what: String,
    /// The limit: compute units, or thousandths for a ratio.
    pub limit: u64,
    /// What is compared with it.
    pub rule: Rule,
}

/// How a value follows from figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Compute units of a figure.
    Units(String),
    /// Compute units of the second less those of the first, divided by a number, rounded up.
    Each(String, String, u64),
    /// Compute units of the second over those of the first, thousandths, rounded up.
    Ratio(String, String),
}

/// A target against figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Within the limit.
    Met(u64),
    /// Above the limit.
    Missed(u64),
    /// Above the limit by more than a transaction has.
    Exceeds,
    /// A figure is missing.
    NotMeasured,
}

impl Target {
    /// The verdict on these figures.
    pub fn verdict(&self, figures: &Figures) -> Verdict {
        match self.rule.value(figures) {
            Some(value) if value <= self.limit => Verdict::Met(value),
            Some(value) => Verdict::Missed(value),
            None if self.rule.is_measured(figures) => Verdict::Exceeds,
            None => Verdict::NotMeasured,
        }
    }
}

impl Rule {
    fn value(&self, figures: &Figures) -> Option<u64> {
        match self {
            Self::Units(name) => figures.units(name),
            Self::Each(one, other, count) => {
                let more = figures.units(other)?.saturating_sub(figures.units(one)?);
                Some(more.div_ceil(*count))
            }
            Self::Ratio(one, other) => {
                let scaled = figures.units(other)?.saturating_mul(1_000);
                Some(scaled.div_ceil(figures.units(one)?.max(1)))
            }
        }
    }

    fn is_measured(&self, figures: &Figures) -> bool {
        let has = |name: &String| figures.get(name).is_some();
        match self {
            Self::Units(name) => has(name),
            Self::Each(one, other, _) | Self::Ratio(one, other) => has(one) && has(other),
        }
    }
}

/// All of them, in the order of the document.
pub fn all() -> Vec<Target> {
    let mut targets = Vec::new();
    for shape in ["partial", "full", "insurance-pays"] {
        let name = format!("liquidate/{shape}/queue-100000");
        let what = format!(
            "`liquidate`, {}, 100,000 positions",
            shape.replace('-', " ")
        );
        targets.push(units(&what, &name, 17_500));
    }
    for shape in ["open-open", "enlarge-enlarge", "close-close", "flip-flip"] {
        let name = format!("block_trade/{shape}/queue-100000");
        let what = format!(
            "a fill of two traders, {}, 100,000 positions",
            shape.replace('-', "/")
        );
        targets.push(units(&what, &name, 40_000));
    }
    targets.extend(of_orders());
    targets.extend(pool_exits());
    targets.extend(of_cross());
    let longest = StageShape::random(100_000);
    for (tolerance, limit) in [(0, 25_000), (500, 8_000)] {
        let what = format!(
            "the proof alone, top 10 of 100,000, {}",
            tolerance_name(tolerance)
        );
        targets.push(units(
            &what,
            &proof_name(&longest.cell(tolerance, PROVEN)),
            limit,
        ));
    }
    for (tolerance, most) in [(0, 90_000), (500, 75_000)] {
        let exactness = tolerance_name(tolerance);
        let name = |positions, counterparties| {
            adl_name(&StageShape::random(positions).cell(tolerance, counterparties))
        };
        let whole = format!("`auto_deleverage`, 10 of 100,000, {exactness}");
        targets.push(units(&whole, &name(100_000, 10), most));
        targets.push(Target {
            what: format!("`auto_deleverage`, a further counterparty, {exactness}"),
            limit: 10_000,
            rule: Rule::Each(name(100_000, 10), name(100_000, 20), 10),
        });
        targets.push(Target {
            what: format!(
                "`auto_deleverage`, 10 counterparties, growth from 1,000 to 100,000, {exactness}"
            ),
            limit: 1_300,
            rule: Rule::Ratio(name(1_000, 10), name(100_000, 10)),
        });
    }
    let crowded = StageShape::longest(Population::Crowded, Side::Short);
    for (tolerance, limit) in [(0, 25_000), (500, 8_000)] {
        let what = format!(
            "the proof alone, top 10 of 100,000 {}, {}",
            Population::Crowded.words(),
            tolerance_name(tolerance)
        );
        let name = proof_name(&crowded.cell(tolerance, PROVEN));
        targets.push(units(&what, &name, limit));
    }
    for population in HOSTILE {
        for (tolerance, limit) in [(500, 60_000), (0, 700_000)] {
            let queue = StageShape::longest(population, Side::Short);
            let name = proof_name(&queue.cell(tolerance, PROVEN));
            let what = format!(
                "the proof alone, top 10 of 100,000 hostile ({}), {}",
                population.words(),
                tolerance_name(tolerance)
            );
            targets.push(units(&what, &name, limit));
        }
    }
    targets
}

/// Those of the book.
fn of_orders() -> Vec<Target> {
    let book = format!("{} orders a side", thousands(u64::from(DEEPEST)));
    let name = |shape: &str| format!("{shape}/{}", book_name(DEEPEST));
    let cases = [
        ("place_order/wait-best", "waits at the best price", 12_000),
        ("place_order/wait-deep", "waits amid the book", 12_000),
        ("place_order/wait-post-only", "waits, post-only", 10_500),
        ("place_order/wait-sixteenth", "waits as the 16th", 25_000),
        (
            "place_order/fill-open-01",
            "fills 1 maker, open/open",
            18_500,
        ),
        (
            "place_order/fill-close-01",
            "fills 1 maker, close/close",
            18_500,
        ),
        ("cancel_order/only-by-id", "the only one", 7_600),
        (
            "cancel_order/oldest-by-client-id",
            "the oldest of 16 by its client id",
            12_000,
        ),
        ("cancel_order/costliest", "the costliest of 16", 12_000),
        (
            "liquidate_into_pool/no-maker",
            "all of a step taken by the pool",
            32_000,
        ),
        (
            "liquidate_into_pool/01-maker",
            "1 maker, the rest taken by the pool",
            40_100,
        ),
        ("unwind_pool/01-maker", "against 1 maker", 32_000),
        ("sync_pool/more-margin", "into the position", 14_000),
    ];
    let target = |(shape, words, limit): &(&str, &str, u64)| {
        let instruction = shape.split('/').next().unwrap_or_default();
        let what = format!("`{instruction}`, {words}, {book}");
        units(&what, &name(shape), *limit)
    };
    let mut targets: Vec<Target> = cases.iter().map(target).collect();
    let usual = 1_000;
    let what = format!(
        "`place_order`, waits, post-only, {} orders a side",
        thousands(u64::from(usual))
    );
    let figure = format!("place_order/wait-post-only/{}", book_name(usual));
    targets.push(units(&what, &figure, 10_500));
    for act in ["open", "close"] {
        let filling = |makers| name(&format!("place_order/fill-{act}-{makers:02}"));
        targets.push(Target {
            what: format!("`place_order`, a further maker, {act}/{act}, {book}"),
            limit: 6_000,
            rule: Rule::Each(filling(1), filling(32), 31),
        });
    }
    targets
}

/// Of joining and leaving a pool that has a position.
fn pool_exits() -> Vec<Target> {
    let cases = [
        ("deposit_pool/position", "", 22_000),
        ("request_pool/position", "", 9_000),
        ("withdraw_pool/position", "", 22_000),
        (
            "request_pool/position-short",
            ", somebody lacks something",
            9_000,
        ),
        (
            "withdraw_pool/position-short",
            ", somebody lacks something",
            22_000,
        ),
    ];
    let target = |(shape, more, limit): &(&str, &str, u64)| {
        let instruction = shape.split('/').next().unwrap_or_default();
        let what =
            format!("`{instruction}`, a pool with a position, 100,000 positions a side{more}");
        units(&what, &format!("{shape}-queue-100000"), *limit)
    };
    cases.iter().map(target).collect()
}

/// Of accounts that share collateral, amid 10,000 legs of a side.
fn of_cross() -> Vec<Target> {
    let cases = [
        (
            "refresh_ranks/1-of-1-legs",
            "one record, an account of 1 leg",
            13_000,
        ),
        (
            "trade_leg/1-makers-4-legs",
            "fills 1 maker, all 4 legs recorded anew",
            45_000,
        ),
        (
            "trade_leg/1-legs-of-4",
            "fills an order of a leg, all 4 legs of both recorded anew",
            45_000,
        ),
        (
            "execute_trigger/leg-of-4-1-makers",
            "closes a leg against 1 maker, all 4 legs recorded anew",
            50_000,
        ),
        (
            "execute_protection/leg-of-4-1-makers",
            "closes a leg against 1 maker, all 4 legs recorded anew",
            50_000,
        ),
        (
            "block_trade_cross/open-4-legs-isolated",
            "a leg opens, with an isolated position, all 4 legs recorded anew",
            40_000,
        ),
        ("liquidate_leg/4-legs", "all 4 legs recorded anew", 65_000),
        (
            "auto_deleverage_cross/10-of-4-legs",
            "10 accounts of 4 legs",
            220_000,
        ),
    ];
    let queue = |shape: &str| format!("{shape}/queue-010000");
    let target = |(shape, words, limit): &(&str, &str, u64)| {
        let instruction = shape.split('/').next().unwrap_or_default();
        let what = format!("`{instruction}`, {words}, 10,000 legs a side");
        units(&what, &queue(shape), *limit)
    };
    let mut targets: Vec<Target> = cases.iter().map(target).collect();
    let each = |what: &str, limit, one: &str, other: &str, count| Target {
        what: what.to_owned(),
        limit,
        rule: Rule::Each(one.to_owned(), other.to_owned(), count),
    };
    targets.push(units(
        "`record_marks`, one market",
        "record_marks/1-markets",
        9_000,
    ));
    targets.push(each(
        "`record_marks`, a further market",
        4_500,
        "record_marks/1-markets",
        "record_marks/4-markets",
        3,
    ));
    targets.push(each(
        "`trade_leg`, a further maker",
        16_000,
        &queue("trade_leg/1-makers-4-legs"),
        &queue("trade_leg/5-makers-4-legs"),
        4,
    ));
    targets.push(each(
        "`trade_leg`, a further order of a leg, accounts of 4 legs, all recorded anew",
        16_000,
        &queue("trade_leg/1-legs-of-4"),
        &queue("trade_leg/5-legs-of-4"),
        4,
    ));
    targets
}

fn units(what: &str, name: &str, limit: u64) -> Target {
    Target {
        what: what.to_owned(),
        limit,
        rule: Rule::Units(name.to_owned()),
    }
}
