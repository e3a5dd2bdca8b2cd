//! `auto_deleverage` with 10 of 100,000 counterparties in shapes beyond the matrix.

use std::path::Path;

use anyhow::Result;
use ballast_engine::book::MAX_ORDERS;
use ballast_engine::units::Side;
use ballast_state::trader::MAX_POSITIONS;

use crate::deleveraging::{Setting, Stage};
use crate::meter::Meter;
use crate::population::Population;
use crate::shapes::StageShape;

/// Tolerance of the default market, basis points.
const TOLERANCE_BPS: u32 = 500;
/// Counterparties listed.
const LISTED: usize = 10;

/// Measures every shape.
pub fn measure_all(program: &Path, meter: &mut Meter) -> Result<()> {
    if !meter.wants("auto_deleverage/round-") {
        return Ok(());
    }
    let plain = Setting::plain(StageShape::longest(Population::Random, Side::Short));
    let stage = |setting: &Setting, tolerance| {
        let stage = Stage::new(program, setting)?;
        stage.with_tolerance(tolerance)
    };
    meter.measure("auto_deleverage/round-1-closes-counterparties", || {
        let setting = Setting {
            max_close_bps: 10_000,
            ..plain
        };
        let shape = "10 of 100,000 closed whole, tolerance 5%";
        stage(&setting, TOLERANCE_BPS)?.measure(LISTED, shape)
    })?;
    meter.measure("auto_deleverage/round-2-closes-bankrupt", || {
        let lots = stage(&plain, TOLERANCE_BPS)?.plan(LISTED)?.summary.lots;
        let setting = Setting {
            bankrupt_lots: lots,
            ..plain
        };
        let shape = "10 of 100,000 cut, the bankrupt closed, tolerance 5%";
        stage(&setting, TOLERANCE_BPS)?.measure(LISTED, shape)
    })?;
    meter.measure("auto_deleverage/round-3-crowded", || {
        let setting = Setting {
            other_markets: MAX_POSITIONS - 1,
            ..plain
        };
        let shape = "10 of 100,000 cut, accounts with 16 positions, tolerance 5%";
        stage(&setting, TOLERANCE_BPS)?.measure(LISTED, shape)
    })?;
    meter.measure("auto_deleverage/round-4-second-pass", || {
        let mut stage = stage(&plain, TOLERANCE_BPS)?;
        stage.exhaust()?;
        let shape =
            "10 of 100,000 cut in a second pass, everybody at the cap of the first, tolerance 5%";
        stage.measure(LISTED, shape)
    })?;
    meter.measure("auto_deleverage/round-5-worst", || {
        let setting = Setting {
            other_markets: MAX_POSITIONS - 1,
            max_close_bps: 10_000,
            ..plain
        };
        let shape = "32 of 100,000 closed whole, accounts with 16 positions, exact";
        stage(&setting, 0)?.measure(32, shape)
    })?;
    with_orders(&plain, &stage, meter)
}

/// Rounds whose counterparties have orders in a deep book.
fn with_orders(
    plain: &Setting,
    stage: &impl Fn(&Setting, u32) -> Result<Stage>,
    meter: &mut Meter,
) -> Result<()> {
    for (orders, each) in [
        (0, "no orders"),
        (1, "1 order each"),
        (MAX_ORDERS, "16 orders each"),
    ] {
        let name = format!("auto_deleverage/round-6-orders-{orders:02}");
        meter.measure(&name, || {
            let setting = Setting {
                orders: Some(orders),
                ..*plain
            };
            let shape = format!("10 of 100,000 cut, with {each} among 10,000 a side, tolerance 5%");
            stage(&setting, TOLERANCE_BPS)?.measure(LISTED, &shape)
        })?;
    }
    for listed in [20, 32] {
        let name = format!("auto_deleverage/round-7-worst-orders-{listed}");
        meter.measure(&name, || {
            let setting = Setting {
                other_markets: MAX_POSITIONS - 1,
                max_close_bps: 10_000,
                orders: Some(MAX_ORDERS),
                ..*plain
            };
            let shape = format!(
                "{listed} of 100,000 closed whole, with 16 orders each among 10,000 a side, \
                 accounts with 16 positions, exact"
            );
            stage(&setting, 0)?.measure(listed, &shape)
        })?;
    }
    Ok(())
}
