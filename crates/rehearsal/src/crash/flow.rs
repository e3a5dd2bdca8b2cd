//! What takers and executed stop-losses do at one price.

use anyhow::{Context, Result};
use ballast_client::makers::makers;
use ballast_engine::liquidation::{health, Health};
use ballast_engine::position::Position;
use ballast_engine::units::Side;
use ballast_report::trading::{FillLine, Reason, RemovalLine, TradeKind, TradeLine};
use ballast_sandbox::outcome::TxOutcome;
use ballast_sandbox::trading::TraderCookie;
use ballast_state::book_account::OrderSide;
use ballast_state::events::BallastEvent;
use ballast_state::events::{OrderFilled, OrderRemoved, RemovalReason};
use ballast_state::order_args::{OrderKind, PlaceOrderArgs, SelfTrade};
use ballast_state::trigger::TriggerKind;
use ballast_state::Pubkey;

use super::diary::Diary;
use super::stage::{engine, Stage};
use super::trading_floor::Floor;
use crate::scenario::flow::Wish;

/// Orders listed beyond those needed.
pub const SPARES: usize = 6;
/// Takers back what they buy or sell with this part of the notional.
const TAKER_MARGIN_BPS: u64 = 2_500;
/// Part of its collateral's reach that a taker lets itself hold.
const TAKER_REACH: u64 = 3;
const ONE: u64 = 10_000;

/// Keepers execute the stop-losses that the price has reached.
pub fn stop_losses(stage: &mut Stage, diary: &mut Diary) -> Result<()> {
    let ticks = stage.ticks()?;
    for trader in stage.traders.clone() {
        let Some(slot) = stage.sandbox.position(&stage.market, &trader.address) else {
            continue;
        };
        let Some(open) = stage.open_position(&trader.address)? else {
            continue;
        };
        let trigger = slot.stop_loss;
        let state = health(&open.position, stage.mark()?, &stage.risk).map_err(engine)?;
        let Some(side) = open.position.side() else {
            continue;
        };
        let due = !trigger.is_unset() && trigger.is_reached(TriggerKind::StopLoss, side, ticks);
        if !due || matches!(state, Health::Bankrupt { .. }) {
            continue;
        }
        let lots = u64::from(trigger.lots).min(open.position.size());
        let listed = list(stage, side, lots, &trader.address)?;
        let Some(keeper) = stage.keeper_for(&listed) else {
            continue;
        };
        let (market, kind) = (stage.market.clone(), TriggerKind::StopLoss);
        let sandbox = &mut stage.sandbox;
        let result = sandbox.execute_trigger(&market, &trader.address, &keeper, kind, &listed);
        match stage.metered("execute_trigger", result) {
            Ok(outcome) => record(stage, diary, TradeKind::StopLoss, &outcome)?,
            // Only orders beyond the price band are left, or the book pays less than the margin
            // and the free collateral cover: the position is left to liquidation.
            Err(error) if error.is("NothingFilled") || error.is("InsufficientCollateral") => {
                diary.book.stop_losses_refused += 1;
            }
            Err(error) => diary.refusals.push(format!("execute_trigger: {error}")),
        }
    }
    Ok(())
}

/// Some takers send a market order.
pub fn takers(stage: &mut Stage, floor: &mut Floor, diary: &mut Diary) -> Result<()> {
    for taker in stage.takers.clone() {
        let fall = floor.stress.fall_bps();
        let (least, most) = (stage.risk.min_position_lots, floor.plan.depth_lots);
        if let Some(wish) = floor.flow.wish(fall, least, most) {
            take(stage, diary, &taker, wish)?;
        }
    }
    Ok(())
}

fn take(stage: &mut Stage, diary: &mut Diary, taker: &TraderCookie, wish: Wish) -> Result<()> {
    let Some((side, lots, reduce_only)) = sized(stage, taker, wish)? else {
        return Ok(());
    };
    let listed = list(stage, side.opposite(), lots, &taker.address)?;
    if listed.is_empty() {
        return Ok(());
    }
    let notional = stage.mark()?.notional(lots).map_err(engine)?;
    let args = PlaceOrderArgs {
        side: side.into(),
        kind: OrderKind::Market,
        price_ticks: 0,
        lots,
        margin: if reduce_only {
            0
        } else {
            notional * TAKER_MARGIN_BPS / ONE
        },
        client_id: 0,
        expires_at: 0,
        reduce_only,
        self_trade: SelfTrade::CancelProvide,
    };
    let market = stage.market.clone();
    let result = stage.sandbox.place_order(&market, taker, args, &listed);
    match stage.metered("place_order (market)", result) {
        Ok(outcome) => record(stage, diary, TradeKind::Market, &outcome),
        // The book was further from the mark than the taker's collateral reaches.
        Err(error) if error.is("InsufficientCollateral") => Ok(()),
        Err(error) => {
            diary.refusals.push(format!("place_order: {error}"));
            Ok(())
        }
    }
}

/// The order that a taker's collateral carries: its wish, or less of what it holds.
fn sized(stage: &Stage, taker: &TraderCookie, wish: Wish) -> Result<Option<(Side, u64, bool)>> {
    let mark = stage.mark()?;
    let position = stage
        .open_position(&taker.address)?
        .map_or(Position::default(), |open| open.position);
    if health(&position, mark, &stage.risk).map_err(engine)? != Health::Healthy {
        return Ok(None);
    }
    let side = if wish.sells { Side::Short } else { Side::Long };
    let notional = mark.notional(wish.lots).map_err(engine)?;
    let needed = (notional * TAKER_MARGIN_BPS / ONE).max(stage.roomy_margin(notional)?);
    let free = u64::try_from(stage.sandbox.trader(&taker.address).free)?;
    let held = mark.notional(position.size()).map_err(engine)?;
    let adds = position.side().is_none_or(|holds| holds == side);
    let worth = free + position.equity(mark).map_err(engine)?.positive_part();
    if adds && held + notional <= worth * TAKER_REACH && needed + notional / 50 <= free {
        return Ok(Some((side, wish.lots, false)));
    }
    let reduced = position.side().map(|holds| {
        let lots = wish.lots.min(position.size());
        (holds.opposite(), lots, true)
    });
    Ok(reduced)
}

/// Makers of the best orders on `side` for so many lots.
pub fn list(stage: &Stage, side: Side, lots: u64, except: &Pubkey) -> Result<Vec<Pubkey>> {
    let snapshot = stage.sandbox.book(&stage.market);
    let book = snapshot.book().context("book")?;
    makers(&book, side, lots, except, SPARES).map_err(engine)
}

/// Lots that a filled order added to its trader's position, + bought, - sold.
fn moved(side: OrderSide, filled_lots: u64) -> Result<i64> {
    let lots = i64::try_from(filled_lots)?;
    Ok(match side {
        OrderSide::Bid => lots,
        OrderSide::Ask => -lots,
    })
}

/// Notes what a transaction took from the book.
pub fn record(
    stage: &Stage,
    diary: &mut Diary,
    kind: TradeKind,
    outcome: &TxOutcome,
) -> Result<()> {
    for event in &outcome.events {
        let (trader, lots, fills, removed) = match event {
            BallastEvent::OrderPlaced(event) => {
                let lots = moved(event.side, event.filled_lots)?;
                (event.trader, lots, &event.fills, &event.removed)
            }
            BallastEvent::TriggerExecuted(event) => {
                let lots = moved(event.side, event.filled_lots)?;
                (event.trader, lots, &event.fills, &event.removed)
            }
            BallastEvent::ProtectionExecuted(event) => {
                let lots = moved(event.side, event.filled_lots)?;
                (event.trader, lots, &event.fills, &event.removed)
            }
            _ => continue,
        };
        if lots == 0 && removed.is_empty() {
            continue;
        }
        let line = trade_line(stage, diary, kind, outcome.compute_units)?;
        diary.trades.push(TradeLine {
            trader: trader.to_string(),
            lots,
            fee_atoms: fills.iter().map(|fill| fill.taker_fee).sum(),
            fills: fill_lines(fills),
            removed: removal_lines(removed),
            ..line
        });
    }
    Ok(())
}

/// The line of a trade here and now, before it is said whose it was and what it filled.
pub fn trade_line(
    stage: &Stage,
    diary: &Diary,
    kind: TradeKind,
    compute_units: u64,
) -> Result<TradeLine> {
    Ok(TradeLine {
        slot: stage.sandbox.slot(),
        timestamp: stage.now().timestamp,
        after_liquidations: u64::try_from(diary.liquidations.len())?,
        after_rounds: u64::try_from(diary.rounds.len())?,
        kind,
        trader: String::new(),
        lots: 0,
        mark_ticks: stage.ticks()?,
        fee_atoms: 0,
        keeper_atoms: 0,
        fills: Vec::new(),
        removed: Vec::new(),
        compute_units,
    })
}

/// Fills as the report records them.
pub fn fill_lines(fills: &[OrderFilled]) -> Vec<FillLine> {
    let line = |fill: &OrderFilled| FillLine {
        maker: fill.maker.to_string(),
        order_id: fill.order_id,
        price_ticks: fill.price_ticks,
        lots: fill.lots,
        maker_fee_atoms: fill.maker_fee,
    };
    fills.iter().map(line).collect()
}

/// Removals as the report records them.
pub fn removal_lines(removed: &[OrderRemoved]) -> Vec<RemovalLine> {
    let line = |removed: &OrderRemoved| RemovalLine {
        maker: removed.maker.to_string(),
        reason: match removed.reason {
            RemovalReason::Expired => Reason::Expired,
            RemovalReason::Unhealthy => Reason::Unhealthy,
            RemovalReason::NothingToReduce => Reason::NothingToReduce,
            RemovalReason::NoRoom => Reason::NoRoom,
            RemovalReason::Reduced => Reason::Reduced,
            RemovalReason::Evicted => Reason::Evicted,
            RemovalReason::ProfitIsHeld => Reason::ProfitIsHeld,
        },
        price_ticks: removed.price_ticks,
        lots: removed.lots,
        fee_atoms: removed.fee_atoms,
    };
    removed.iter().map(line).collect()
}
