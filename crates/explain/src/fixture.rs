//! A crash of five rounds with every figure worked out by hand, for tests.
//!
//! The first round is the worked example of the README. One lot at one tick is one atom.

use ballast_report::model::{
    ComputeUnits, CutLine, Holding, LiquidationLine, NodeLine, PathLine, QueueLine, Report, Round,
    REPORT_VERSION,
};
use ballast_report::traders::{Direction, Kind, TraderLine};
use ballast_report::waterfall;

/// Slots, times and prices of three moments, further apart than a pass lasts.
const FIRST: (u64, i64, u64) = (100, 1_760_130_000, 188_000);
const SECOND: (u64, i64, u64) = (9_200, 1_760_133_640, 180_000);
const THIRD: (u64, i64, u64) = (18_300, 1_760_137_280, 180_000);

/// Shorts in the order of their ages: name, lots, entry and bankruptcy price.
const SHORTS: [(&str, i64, i64, i64); 4] = [
    ("Ann", 6_000, 200_000, 210_000),
    ("Cho", 8_000, 195_000, 204_750),
    ("Ben", 8_000, 210_000, 315_000),
    // Insolvent at every close price.
    ("Ida", 1_000, 170_000, 180_000),
];

/// Five rounds: one bankruptcy closed at once, one in two calls, one that opens another pass.
pub fn report() -> Report {
    let mut report = Report {
        report_version: REPORT_VERSION,
        adl: vec![
            worked_example(),
            half_of_dan(),
            rest_of_dan(),
            first_pass_over_fay(),
            second_pass_over_fay(),
        ],
        traders: traders(),
        path: [FIRST, SECOND, THIRD].map(path_line).into(),
        liquidations: vec![liquidation()],
        ..Report::default()
    };
    let scenario = &mut report.scenario;
    scenario.market = "SOL-PERP".to_owned();
    scenario.tick_nano = 1_000_000;
    scenario.lot_nano = 1_000_000;
    scenario.atoms_per_lot_tick = 1;
    scenario.adl_step_bps = 5_000;
    scenario.min_position_lots = 1;
    scenario.min_profit_bps = 10;
    scenario.keeper_accounts = vec!["Kai".to_owned()];
    let summary = &mut report.summary;
    summary.adl_rounds = 5;
    summary.adl_cuts = 11;
    summary.insurance_start_atoms = 4_000_000;
    summary.insurance_paid_in_adl_atoms = 5_000_000;
    summary.uncovered_deficit_atoms = 72_500_000;
    summary.winners_gave_up_atoms = 72_500_000;
    let units = ComputeUnits {
        count: 5,
        max: 60_000,
        total: 300_000,
    };
    summary
        .compute_units
        .insert("auto_deleverage".to_owned(), units);
    report.waterfall = waterfall::stages(&report).expect("small numbers");
    report
}

fn path_line((slot, timestamp, price_ticks): (u64, i64, u64)) -> PathLine {
    PathLine {
        timestamp,
        slot,
        price_ticks,
        ..PathLine::default()
    }
}

/// The keeper takes 1,000 long lots over; insurance receives what it needs for the first round.
fn liquidation() -> LiquidationLine {
    LiquidationLine {
        slot: FIRST.0,
        timestamp: FIRST.1,
        after_rounds: 0,
        trader: "Hal".to_owned(),
        keeper: "Kai".to_owned(),
        direction: Direction::Long,
        lots: 1_000,
        mark_ticks: FIRST.2,
        equity_atoms: 1_000_000,
        taken_lots: 1_000,
        taken_quote_atoms: 187_000_000,
        pool_lots: 0,
        pool_quote_atoms: 0,
        pool_premium_atoms: 0,
        book_reward_atoms: 0,
        fills: Vec::new(),
        removed: Vec::new(),
        best_left_ticks: 0,
        insurance_paid_atoms: 0,
        insurance_fee_atoms: 1_000_000,
        compute_units: 20_000,
    }
}

fn traders() -> Vec<TraderLine> {
    let line = |trader: &str, sequence, lots: (i64, i64), adl: (u64, i64), lights| TraderLine {
        trader: trader.to_owned(),
        kind: Kind::Regular,
        direction: if lots.0 > 0 {
            Direction::Long
        } else {
            Direction::Short
        },
        leverage_tenths: 100,
        sequence,
        lots_start: lots.0,
        lots_end: lots.1,
        adl_lots: adl.0,
        adl_gave_up_atoms: adl.1,
        lights_before: lights,
        lights_after: 0,
    };
    vec![
        line("Ann", 0, (-6_000, -375), (5_625, 25_125_000), 5),
        line("Cho", 1, (-8_000, -875), (7_125, 24_125_000), 4),
        line("Ben", 2, (-8_000, -1_250), (6_750, 23_250_000), 2),
        line("Ida", 3, (-1_000, -1_000), (0, 0), 0),
        line("Bea", 0, (10_000, 0), (0, 0), 0),
        line("Dan", 1, (2_000, 0), (0, 0), 0),
        line("Fay", 2, (10_000, 2_500), (0, 0), 0),
        line("Hal", 3, (1_000, 0), (0, 0), 0),
    ]
}

/// What the queue remembers of cuts: epoch, lots, capped epoch.
type Stamp = (u32, u32, u32);
const FRESH: Stamp = (0, 0, 0);

/// The queue with what is left of each short, and what has been cut from it in the pass.
fn queue(left: [(i64, Stamp, u64, bool); 3]) -> Vec<QueueLine> {
    let ida = (1_000, FRESH, 0, false);
    let left = left.into_iter().chain([ida]).zip([5, 4, 2, 0]);
    (0_u64..)
        .zip(SHORTS.iter().zip(left))
        .map(|(sequence, (short, (state, lights)))| {
            let (name, _, entry, bankruptcy) = *short;
            let (lots, stamp, already_cut_in_pass, at_cap) = state;
            QueueLine {
                trader: name.to_owned(),
                lots: -lots,
                entry_quote_atoms: -lots * entry,
                margin_atoms: lots * (bankruptcy - entry),
                already_cut_in_pass,
                at_cap,
                sequence,
                lights,
                node: NodeLine {
                    entry_q32: entry.unsigned_abs() << 32,
                    bankruptcy_q32: bankruptcy << 32,
                    cut_epoch: stamp.0,
                    cut_lots: stamp.1,
                    capped_epoch: stamp.2,
                },
            }
        })
        .collect()
}

/// Name, lots, then atoms: quote, profit, margin, given up.
fn cut(trader: &str, lots: u64, quote: i64, realized: i64, margin: i64, gave_up: i64) -> CutLine {
    CutLine {
        trader: trader.to_owned(),
        lots,
        realized_atoms: realized,
        margin_released_atoms: margin,
        quote_atoms: quote,
        gave_up_atoms: gave_up,
    }
}

fn holding(trader: &str, lots: i64, entry_quote_atoms: i64, margin_atoms: i64) -> Holding {
    Holding {
        trader: trader.to_owned(),
        lots,
        entry_quote_atoms,
        margin_atoms,
    }
}

/// What all rounds have in common, and what follows from the cuts.
fn round(
    number: u64,
    at: (u64, i64, u64),
    passes: (u32, u32),
    bankrupt: Holding,
    queue: Vec<QueueLine>,
    cut: Vec<CutLine>,
) -> Round {
    let gave_up = cut.iter().map(|line| line.gave_up_atoms).sum();
    Round {
        round: number,
        slot: at.0,
        timestamp: at.1,
        mark_ticks: at.2,
        close_price: String::new(),
        rank_tolerance_bps: 0,
        min_profit_bps: 10,
        max_close_bps: 5_000,
        min_position_lots: 1,
        atoms_per_lot_tick: 1,
        funding_index: 0,
        counterparty_side: Direction::Short,
        max_lots: bankrupt.lots.unsigned_abs(),
        bankrupt,
        pass_before: passes.0,
        passes_before: passes.1,
        new_pass: false,
        queue,
        listed: cut.iter().map(|line| line.trader.clone()).collect(),
        closed_lots: cut.iter().map(|line| line.lots).sum(),
        cut,
        deficit_atoms: 0,
        insurance_paid_atoms: 0,
        insurance_before_atoms: 0,
        held_paid_atoms: 0,
        held_before_atoms: 0,
        uncovered_deficit_atoms: gave_up,
        winners_gave_up_atoms: gave_up,
        compute_units: 60_000,
    }
}

/// A long of 10,000 lots at 200,000 with 100 $ behind it; insurance pays 5 $ of 20 $.
fn worked_example() -> Round {
    let fresh = |lots| (lots, FRESH, 0, false);
    Round {
        close_price: "1895000000/10000".to_owned(),
        deficit_atoms: 20_000_000,
        insurance_before_atoms: 5_000_000,
        held_paid_atoms: 0,
        held_before_atoms: 0,
        insurance_paid_atoms: 5_000_000,
        ..round(
            1,
            FIRST,
            (0, 0),
            holding("Bea", 10_000, 2_000_000_000, 100_000_000),
            queue([fresh(6_000), fresh(8_000), fresh(8_000)]),
            vec![
                cut("Ann", 3_000, 568_500_000, 31_500_000, 30_000_000, 4_500_000),
                cut("Cho", 4_000, 758_000_000, 22_000_000, 39_000_000, 6_000_000),
                cut(
                    "Ben",
                    3_000,
                    568_500_000,
                    61_500_000,
                    315_000_000,
                    4_500_000,
                ),
            ],
        )
    }
}

/// 2,000 long lots at 200,000 with 20 $: bankrupt at 190,000. The first call lists one.
fn half_of_dan() -> Round {
    Round {
        close_price: "380000000/2000".to_owned(),
        deficit_atoms: 20_000_000,
        ..round(
            2,
            SECOND,
            (0, 1),
            holding("Dan", 2_000, 400_000_000, 20_000_000),
            queue([
                (3_000, (1, 3_000, 1), 0, false),
                (4_000, (1, 4_000, 1), 0, false),
                (5_000, (1, 3_000, 0), 0, false),
            ]),
            vec![cut(
                "Ann",
                1_500,
                285_000_000,
                15_000_000,
                15_000_000,
                15_000_000,
            )],
        )
    }
}

/// The first stands at its cap: the next is cut.
fn rest_of_dan() -> Round {
    Round {
        close_price: "95000000/500".to_owned(),
        deficit_atoms: 5_000_000,
        ..round(
            3,
            SECOND,
            (2, 2),
            holding("Dan", 500, 100_000_000, 5_000_000),
            queue([
                (1_500, (2, 1_500, 2), 1_500, true),
                (4_000, (1, 4_000, 1), 0, false),
                (5_000, (1, 3_000, 0), 0, false),
            ]),
            vec![cut("Cho", 500, 95_000_000, 2_500_000, 4_875_000, 5_000_000)],
        )
    }
}

/// 10,000 long lots at 190,000 with 50 $: everybody is cut to the cap.
fn first_pass_over_fay() -> Round {
    Round {
        close_price: "1850000000/10000".to_owned(),
        deficit_atoms: 50_000_000,
        ..round(
            4,
            THIRD,
            (0, 2),
            holding("Fay", 10_000, 1_900_000_000, 50_000_000),
            queue([
                (1_500, (2, 1_500, 2), 0, false),
                (3_500, (2, 500, 1), 0, false),
                (5_000, (1, 3_000, 0), 0, false),
            ]),
            vec![
                cut("Ann", 750, 138_750_000, 11_250_000, 7_500_000, 3_750_000),
                cut("Cho", 1_750, 323_750_000, 17_500_000, 17_062_500, 8_750_000),
                cut(
                    "Ben",
                    2_500,
                    462_500_000,
                    62_500_000,
                    262_500_000,
                    12_500_000,
                ),
            ],
        )
    }
}

/// Nobody is left below the cap: another pass.
fn second_pass_over_fay() -> Round {
    Round {
        close_price: "925000000/5000".to_owned(),
        deficit_atoms: 25_000_000,
        new_pass: true,
        ..round(
            5,
            THIRD,
            (3, 3),
            holding("Fay", 5_000, 950_000_000, 25_000_000),
            queue([
                (750, (3, 750, 3), 0, false),
                (1_750, (3, 1_750, 3), 0, false),
                (2_500, (3, 2_500, 3), 0, false),
            ]),
            vec![
                cut("Ann", 375, 69_375_000, 5_625_000, 3_750_000, 1_875_000),
                cut("Cho", 875, 161_875_000, 8_750_000, 8_531_250, 4_375_000),
                cut(
                    "Ben",
                    1_250,
                    231_250_000,
                    31_250_000,
                    131_250_000,
                    6_250_000,
                ),
            ],
        )
    }
}
