//! A small made-up report for tests of the renderings.

use crate::model::{
    CutLine, Dishonest, DishonestCase, Holding, LiquidationLine, NodeLine, PathLine, QueueLine,
    Report, Round,
};
use crate::policy::{Policy, PolicyLine};
use crate::pool;
use crate::traders::{Direction, Kind, TraderLine};
use crate::trading::{FillLine, MakerLine};
use crate::waterfall;
use strum::VariantArray;

/// Forty prices, one liquidation, one round in a queue of twelve.
pub fn report() -> Report {
    let mut report = Report::default();
    report.scenario.market = "SOL-PERP".to_owned();
    report.scenario.prices = "prices read from <odd & name>.csv".to_owned();
    report.scenario.tick_nano = 1_000_000;
    report.scenario.atoms_per_lot_tick = 1;
    report.scenario.pool_account = "Pool1111111111111111111111111111111111111".to_owned();
    report.scenario.pool_deposit_atoms = 1_000_000;
    report.summary.insurance_start_atoms = 30_000_000_000;
    report.summary.adl_rounds = 1;
    report.scenario.market_makers = 1;
    report.market_makers = vec![MakerLine {
        trader: "Maker11111111111111111111111111111111111".to_owned(),
        collateral_atoms: 1_000_000_000,
        filled_lots: 40,
        fees_atoms: -791,
        orders_removed: 0,
        lots_end: 40,
        result_atoms: -600_000,
    }];
    report.path = (0..40).map(path_line).collect();
    report.liquidations = vec![LiquidationLine {
        slot: 7,
        timestamp: 1_760_129_600,
        after_rounds: 0,
        keeper: "Keeper1111111111111111111111111111111111".to_owned(),
        trader: "Liquidated11111111111111111111111111111111".to_owned(),
        direction: Direction::Long,
        lots: 110,
        mark_ticks: 198_000,
        equity_atoms: 300_000,
        taken_lots: 60,
        taken_quote_atoms: 11_868_000,
        pool_lots: 10,
        pool_quote_atoms: 1_977_000,
        pool_premium_atoms: 0,
        book_reward_atoms: 0,
        fills: vec![FillLine {
            maker: "Maker11111111111111111111111111111111111".to_owned(),
            order_id: 3,
            price_ticks: 197_900,
            lots: 40,
            maker_fee_atoms: -791,
        }],
        removed: Vec::new(),
        best_left_ticks: 197_700,
        insurance_paid_atoms: 0,
        insurance_fee_atoms: 10_000,
        compute_units: 20_000,
    }];
    report.traders = (0..12).map(trader_line).collect();
    report.adl = vec![round()];
    report.waterfall = waterfall::stages(&report).expect("small numbers");
    report.summary.pool = pool::summary(&report).expect("small numbers");
    report.policies = Policy::VARIANTS.iter().copied().map(policy_line).collect();
    report.dishonest_keepers = Dishonest {
        setting: "played on a copy".to_owned(),
        cases: vec![case("AdlListOutOfOrder"), case("")],
        left_out: Vec::new(),
        honest_call_accepted: true,
    };
    report
}

fn policy_line(policy: Policy) -> PolicyLine {
    PolicyLine {
        policy,
        deficit_atoms: 4_000_000,
        taken_atoms: 4_000_000,
        overshoot_atoms: 0,
        unplaced_lots: 0,
        accounts_touched: 1,
        positions_closed: 0,
        winners: 3,
        cut_without_profit: 0,
        largest_haircut_ppm: 307_692,
        gini_ppm: 666_666,
        top_ten_ppm: 1_000_000,
        haircuts_ppm: vec![0, 0, 307_692],
    }
}

fn path_line(step: u32) -> PathLine {
    PathLine {
        timestamp: 1_760_129_400 + i64::from(step) * 60,
        slot: u64::from(step),
        price_ticks: 206_000 - u64::from(step) * 700,
        insurance_atoms: 30_000_000_000 / (1 + u64::from(step) / 10),
        keeper_free_atoms: 0,
        open_interest_lots: 1_000,
        pool_atoms: 1_000_000,
        ..PathLine::default()
    }
}

fn name(number: u32) -> String {
    format!("Trader{number:02}1111111111111111111111111111111111")
}

fn trader_line(number: u32) -> TraderLine {
    let cut = number < 3;
    TraderLine {
        trader: name(number),
        kind: if number == 0 {
            Kind::Whale
        } else {
            Kind::Regular
        },
        direction: Direction::Short,
        leverage_tenths: 105,
        sequence: u64::from(number),
        lots_start: -1_000,
        lots_end: if cut { -500 } else { -1_000 },
        adl_lots: if cut { 500 } else { 0 },
        adl_gave_up_atoms: if cut {
            4_000_000 / i64::from(number + 1)
        } else {
            0
        },
        lights_before: 5,
        lights_after: 1,
    }
}

fn round() -> Round {
    let queue = (0..12_u32)
        .map(|number| QueueLine {
            trader: name(number),
            lots: -1_000,
            entry_quote_atoms: -(208_000_000 - i64::from(number) * 3_000_000),
            margin_atoms: 20_000_000 + i64::from(number) * 9_000_000,
            already_cut_in_pass: 0,
            at_cap: false,
            sequence: u64::from(number),
            lights: u8::try_from(5 - number / 3).unwrap_or(0),
            node: NodeLine::default(),
        })
        .collect();
    let cut = CutLine {
        trader: name(0),
        lots: 500,
        realized_atoms: 9_000_000,
        margin_released_atoms: 10_000_000,
        quote_atoms: 95_000_000,
        gave_up_atoms: 4_000_000,
    };
    Round {
        round: 1,
        slot: 30,
        timestamp: 1_760_131_000,
        mark_ticks: 182_000,
        close_price: "95000000/500".to_owned(),
        rank_tolerance_bps: 0,
        min_profit_bps: 10,
        max_close_bps: 5_000,
        min_position_lots: 1,
        atoms_per_lot_tick: 1,
        funding_index: 0,
        pass_before: 0,
        passes_before: 0,
        counterparty_side: Direction::Short,
        bankrupt: Holding {
            trader: "Bankrupt1111111111111111111111111111111111".to_owned(),
            lots: 500,
            entry_quote_atoms: 100_000_000,
            margin_atoms: 5_000_000,
        },
        max_lots: 500,
        new_pass: false,
        queue,
        listed: vec![name(0)],
        cut: vec![cut],
        deficit_atoms: 4_000_000,
        insurance_paid_atoms: 0,
        insurance_before_atoms: 0,
        held_paid_atoms: 0,
        held_before_atoms: 0,
        closed_lots: 500,
        uncovered_deficit_atoms: 4_000_000,
        winners_gave_up_atoms: 4_000_000,
        compute_units: 90_000,
    }
}

fn case(error: &str) -> DishonestCase {
    DishonestCase {
        attempt: "swap two".to_owned(),
        expected_error: "AdlListOutOfOrder".to_owned(),
        error: error.to_owned(),
        accounts_compared: 40,
        accounts_changed: 0,
    }
}
