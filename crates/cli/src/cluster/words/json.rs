//! Events of the program as JSON.

use ballast_state::events::{
    BallastEvent, OrderFilled, OrderPlaced, OrderRemoved, OrdersCancelled, RemovalReason,
};
use ballast_state::staged::Change;
use serde_json::{json, Value};

use super::{change, kind_name, role_name, side_name, source_words, trigger_name};
use crate::cluster::pauses::paused;
use crate::cluster::pool_params;

/// An event: its name in `event`, and its fields in base units. Client ids are strings: they may be
/// larger than what JSON numbers keep exactly.
pub fn json(event: &BallastEvent) -> Value {
    let mut value = fields(event);
    value["event"] = event.name().into();
    value
}

fn fields(event: &BallastEvent) -> Value {
    match event {
        BallastEvent::TraderCreated(event) => json!({
            "trader": event.trader.to_string(),
            "owner": event.owner.to_string(),
            "sub_id": event.sub_id,
        }),
        BallastEvent::TraderClosed(event) => json!({
            "trader": event.trader.to_string(),
            "owner": event.owner.to_string(),
        }),
        BallastEvent::DelegateSet(event) => json!({
            "trader": event.trader.to_string(),
            "delegate_before": event.before.to_string(),
            "delegate_after": event.after.to_string(),
            "block_trades": event.block_trades,
        }),
        BallastEvent::Deposited(event) => json!({
            "trader": event.trader.to_string(),
            "depositor": event.depositor.to_string(),
            "amount_atoms": event.amount,
            "free_after_atoms": event.free_after,
        }),
        BallastEvent::Withdrawn(event) => json!({
            "trader": event.trader.to_string(),
            "destination": event.destination.to_string(),
            "amount_atoms": event.amount,
            "free_after_atoms": event.free_after,
        }),
        BallastEvent::MarginAdded(event) => json!({
            "trader": event.trader.to_string(),
            "market": event.market.to_string(),
            "amount_atoms": event.amount,
            "margin_after_atoms": event.margin_after,
            "free_after_atoms": event.free_after,
        }),
        BallastEvent::MarginRemoved(event) => json!({
            "trader": event.trader.to_string(),
            "market": event.market.to_string(),
            "amount_atoms": event.amount,
            "margin_after_atoms": event.margin_after,
            "free_after_atoms": event.free_after,
        }),
        BallastEvent::InsuranceDonated(event) => json!({
            "market": event.market.to_string(),
            "donor": event.donor.to_string(),
            "amount_atoms": event.amount,
            "balance_after_atoms": event.balance_after,
        }),
        BallastEvent::InsuranceSwept(event) => json!({
            "market": event.market.to_string(),
            "vault_before_atoms": event.vault_before,
            "vault_after_atoms": event.vault_after,
        }),
        BallastEvent::StrayTokensCredited(event) => json!({
            "market": event.market.to_string(),
            "amount_atoms": event.amount,
            "balance_after_atoms": event.balance_after,
        }),
        BallastEvent::InsuranceWithdrawn(event) => json!({
            "market": event.market.to_string(),
            "treasury": event.treasury.to_string(),
            "amount_atoms": event.amount,
        }),
        BallastEvent::FeesWithdrawn(event) => json!({
            "market": event.market.to_string(),
            "treasury": event.treasury.to_string(),
            "amount_atoms": event.amount,
            "fees_after_atoms": event.fees_after_atoms,
            "mark_ticks": event.mark_ticks,
        }),
        BallastEvent::ProfitHeld(event) => json!({
            "market": event.market.to_string(),
            "shortfall_atoms": event.shortfall_atoms,
            "parts": event.parts.iter().map(|part| json!({
                "trader": part.trader.to_string(),
                "profit_atoms": part.profit_atoms,
                "held_atoms": part.held_atoms,
            })).collect::<Vec<_>>(),
            "held_after_atoms": event.held_after_atoms,
        }),
        BallastEvent::ProfitReleased(event) => json!({
            "market": event.market.to_string(),
            "mark_ticks": event.mark_ticks,
            "shortfall_atoms": event.shortfall_atoms,
            "parts": event.parts.iter().map(|part| json!({
                "trader": part.trader.to_string(),
                "atoms": part.atoms,
            })).collect::<Vec<_>>(),
            "held_after_atoms": event.held_after_atoms,
        }),
        BallastEvent::OrderPlaced(event) => placed(event),
        BallastEvent::OrdersCancelled(event) => cancelled(event),
        BallastEvent::TriggerPlaced(event) => json!({
            "market": event.market.to_string(),
            "trader": event.trader.to_string(),
            "kind": trigger_name(event.kind),
            "price_ticks": event.price_ticks,
            "worst_ticks": event.worst_ticks,
            "lots": event.lots,
        }),
        BallastEvent::ProtectionSet(event) => json!({
            "market": event.market.to_string(),
            "trader": event.trader.to_string(),
            "base_lots": event.base_lots,
            "slip_bps": event.slip_bps,
            "steps": event.steps.iter().map(|step| json!({
                "ratio_bps": step.ratio_bps,
                "keep_bps": step.keep_bps,
            })).collect::<Vec<_>>(),
        }),
        BallastEvent::ProtectionCreated(event) => json!({
            "market": event.market.to_string(),
            "trader": event.trader.to_string(),
        }),
        BallastEvent::ProtectionClosed(event) => json!({
            "market": event.market.to_string(),
            "trader": event.trader.to_string(),
        }),
        BallastEvent::TriggerCancelled(event) => json!({
            "market": event.market.to_string(),
            "trader": event.trader.to_string(),
            "kind": trigger_name(event.kind),
            "price_ticks": event.price_ticks,
            "lots": event.lots,
        }),
        BallastEvent::PauseSet(event) => json!({
            "by": event.by.to_string(),
            "paused_before": paused(event.flags_before),
            "paused_after": paused(event.flags_after),
            "until_slot": event.until_slot,
        }),
        BallastEvent::ChangeStaged(event) => json!({
            "staged": event.staged.to_string(),
            "target": event.target.to_string(),
            "proposer": event.proposer.to_string(),
            "eta_slot": event.eta_slot,
            "expires_slot": event.expires_slot,
            "change": change(&event.change),
            "pool": match &event.change {
                Change::Pool(params) => pool_params::json(params),
                _ => Value::Null,
            },
        }),
        BallastEvent::ChangeCancelled(event) => json!({
            "staged": event.staged.to_string(),
            "target": event.target.to_string(),
            "by": event.by.to_string(),
        }),
        BallastEvent::DelaysChanged(event) => json!({
            "risk_slots_before": event.before.risk_slots,
            "admin_slots_before": event.before.admin_slots,
            "risk_slots_after": event.after.risk_slots,
            "admin_slots_after": event.after.admin_slots,
        }),
        BallastEvent::OracleWitnessed(event) => json!({
            "market": event.market.to_string(),
            "staged": event.staged.to_string(),
            "agree": event.agree,
            "ticks": event.ticks,
            "new_ticks": event.new_ticks,
            "covered_slots": event.covered_slots,
        }),
        BallastEvent::OracleChanged(event) => json!({
            "market": event.market.to_string(),
            "before": source_words(&event.before),
            "after": source_words(&event.after),
            "ticks": event.ticks,
            "new_ticks": event.new_ticks,
        }),
        BallastEvent::TreasuryChanged(event) => json!({
            "before": event.before.to_string(),
            "after": event.after.to_string(),
        }),
        BallastEvent::AuthorityAccepted(event) => json!({
            "role": role_name(event.role),
            "former": event.former.to_string(),
            "holder": event.holder.to_string(),
        }),
        BallastEvent::QueueGrown(event) => json!({
            "market": event.market.to_string(),
            "queue": event.queue.to_string(),
            "side": if event.long { "long" } else { "short" },
            "capacity_before": event.capacity_before,
            "capacity_after": event.capacity_after,
        }),
        other => super::wind_down::fields(other)
            .or_else(|| super::pool::fields(other))
            .or_else(|| super::stakes::fields(other))
            .or_else(|| super::cross::fields(other))
            .unwrap_or_else(|| json!({})),
    }
}

fn placed(event: &OrderPlaced) -> Value {
    let own = event.cancelled.iter().map(|order| order.id);
    json!({
        "market": event.market.to_string(),
        "trader": event.trader.to_string(),
        "order_id": event.order_id,
        "client_id": event.client_id.to_string(),
        "side": side_name(event.side),
        "type": kind_name(event.kind),
        "reduce_only": event.reduce_only,
        "price_ticks": event.price_ticks,
        "expires_at": event.expires_at,
        "lots": event.lots,
        "filled_lots": event.filled_lots,
        "resting_lots": event.resting_lots,
        "dropped_lots": event.dropped_lots,
        "reserved_atoms": event.reserved_atoms,
        "mark_ticks": event.mark_ticks,
        "realized_atoms": event.taker.map(|taker| taker.realized),
        "fee_atoms": event.taker.map(|taker| taker.fee),
        "position_lots_after": event.taker.map(|taker| taker.lots_after),
        "fills": fills(&event.fills),
        "removed": removed(&event.removed),
        "own_orders_met": own.collect::<Vec<_>>(),
    })
}

/// Fills of resting orders.
pub(super) fn fills(fills: &[OrderFilled]) -> Vec<Value> {
    let fill = |fill: &OrderFilled| {
        json!({
            "maker": fill.maker.to_string(),
            "order_id": fill.order_id,
            "price_ticks": fill.price_ticks,
            "lots": fill.lots,
            "taker_fee_atoms": fill.taker_fee,
            "maker_fee_atoms": fill.maker_fee,
        })
    };
    fills.iter().map(fill).collect()
}

/// Orders that were removed.
pub(super) fn removed(removed: &[OrderRemoved]) -> Vec<Value> {
    let order = |order: &OrderRemoved| {
        json!({
            "maker": order.maker.to_string(),
            "order_id": order.order_id,
            "reason": reason(order.reason),
            "lots": order.lots,
        })
    };
    removed.iter().map(order).collect()
}

fn cancelled(event: &OrdersCancelled) -> Value {
    let orders = event.orders.iter().map(|order| {
        json!({
            "order_id": order.id,
            "client_id": order.client_id.to_string(),
            "side": side_name(order.side),
            "price_ticks": order.price_ticks,
            "lots": order.lots,
            "margin_atoms": order.margin_atoms,
        })
    });
    json!({
        "market": event.market.to_string(),
        "trader": event.trader.to_string(),
        "free_after_atoms": event.free_after,
        "orders": orders.collect::<Vec<_>>(),
    })
}

pub(super) fn reason(reason: RemovalReason) -> &'static str {
    match reason {
        RemovalReason::Expired => "expired",
        RemovalReason::Unhealthy => "unhealthy",
        RemovalReason::NothingToReduce => "nothing_to_reduce",
        RemovalReason::NoRoom => "no_room",
        RemovalReason::Reduced => "reduced",
        RemovalReason::Evicted => "evicted",
        RemovalReason::ProfitIsHeld => "profit_is_held",
    }
}
