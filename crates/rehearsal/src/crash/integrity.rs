//! What must hold of the book in every state.

use anyhow::{Context, Result};
use ballast_engine::book::OwnOrders;
use ballast_engine::units::Side;
use ballast_report::trading::{BookLine, BookSummary};

use super::stage::{engine, Stage};

/// Checks the book as it stands: sorted, not crossed, every trader's chain whole, and the reserves
/// of the orders those that the trader accounts say.
pub fn check(stage: &Stage, summary: &mut BookSummary) -> Result<()> {
    let snapshot = stage.sandbox.book(&stage.market);
    let book = snapshot.book().context("book")?;
    let mut sound = book.invariant().is_ok();
    let mut reserved = 0_u64;
    for trader in stage.sandbox.trader_addresses() {
        let slot = stage.sandbox.position(&stage.market, trader);
        let own = slot.map_or(OwnOrders::EMPTY, |slot| slot.own_orders());
        sound &= book.own_invariant(&trader.to_bytes(), &own).is_ok();
        reserved += own.margin;
    }
    let mut in_orders = 0_u64;
    for side in [Side::Long, Side::Short] {
        for step in book.iter(side) {
            in_orders += step.map_err(engine)?.1.margin;
        }
    }
    summary.states_checked += 1;
    summary.broken_states += u64::from(!sound);
    let error = reserved.abs_diff(in_orders);
    summary.margin_error_atoms = summary.margin_error_atoms.max(error);
    Ok(())
}

/// The best prices and the lots of both sides.
pub fn line(stage: &Stage) -> Result<BookLine> {
    let snapshot = stage.sandbox.book(&stage.market);
    let book = snapshot.book().context("book")?;
    let best = |side| -> Result<u64> {
        let node = book.best(side).map_err(engine)?;
        let price = node.map(|node| book.order(node)).transpose();
        let price = price
            .map_err(engine)?
            .map_or(0, |order| order.price().get());
        Ok(price / stage.units.atoms_per_lot_tick)
    };
    let lots = |side| book.depth(side).map(|depth| depth.lots).map_err(engine);
    Ok(BookLine {
        bid_ticks: best(Side::Long)?,
        ask_ticks: best(Side::Short)?,
        bid_lots: lots(Side::Long)?,
        ask_lots: lots(Side::Short)?,
    })
}
