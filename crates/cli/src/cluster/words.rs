//! Events of the program in words, and as JSON.

use ballast_state::book_account::OrderSide;
use ballast_state::events::BallastEvent;
use ballast_state::events::{OrderPlaced, OrdersCancelled, RemovalReason};
use ballast_state::order_args::OrderKind;
use ballast_state::trigger::TriggerKind;
use serde_json::{json, Value};

use super::choices::{Direction, Trigger, Type};
use super::units::{Collateral, Units};

/// How amounts, sizes and prices of events are named.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// The quote currency.
    pub collateral: Collateral,
    /// Name and units of the one market the events are of.
    pub market: Option<(&'a str, Units)>,
}

impl Names<'_> {
    /// An event as a sentence.
    pub fn sentence(&self, event: &BallastEvent) -> String {
        let atoms = |atoms: i128| self.collateral.show(atoms);
        match event {
            BallastEvent::TraderCreated(event) => format!(
                "Trader account {} of {} opened (number {}).",
                event.trader, event.owner, event.sub_id
            ),
            BallastEvent::TraderClosed(event) => {
                format!("Trader account {} closed; its rent is back.", event.trader)
            }
            BallastEvent::DelegateSet(event) if event.after == Default::default() => {
                format!("Trader account {} has no delegate.", event.trader)
            }
            BallastEvent::DelegateSet(event) => {
                format!(
                    "{} may trade for trader account {}.",
                    event.after, event.trader
                )
            }
            BallastEvent::Deposited(event) => format!(
                "{} deposited; free collateral of {} is {}.",
                atoms(event.amount.into()),
                event.trader,
                atoms(event.free_after.into())
            ),
            BallastEvent::Withdrawn(event) => format!(
                "{} withdrawn to {}; free collateral is {}.",
                atoms(event.amount.into()),
                event.destination,
                atoms(event.free_after.into())
            ),
            BallastEvent::MarginAdded(event) => format!(
                "{} of margin added, {} now; free collateral is {}.",
                atoms(event.amount.into()),
                atoms(event.margin_after.into()),
                atoms(event.free_after.into())
            ),
            BallastEvent::MarginRemoved(event) => format!(
                "{} of margin removed, {} left; free collateral is {}.",
                atoms(event.amount.into()),
                atoms(event.margin_after.into()),
                atoms(event.free_after.into())
            ),
            BallastEvent::InsuranceDonated(event) => format!(
                "{} given to insurance, which holds {}.",
                atoms(event.amount.into()),
                atoms(event.balance_after.into())
            ),
            BallastEvent::InsuranceSwept(event) => format!(
                "The insurance vault held {} and holds {}, as its ledger says.",
                atoms(event.vault_before.into()),
                atoms(event.vault_after.into())
            ),
            BallastEvent::OrderPlaced(event) => self.placed(event),
            BallastEvent::OrdersCancelled(event) => self.cancelled(event),
            BallastEvent::TriggerPlaced(event) => format!(
                "{} set: {} close when the price reaches {}.",
                trigger(event.kind),
                self.size(event.lots.into()),
                self.price(event.price_ticks)
            ),
            BallastEvent::TriggerCancelled(event) => format!("{} cleared.", trigger(event.kind)),
            BallastEvent::ProfitHeld(event) => format!(
                "{} of the profit is held: the market is short of {}. `ballast release` frees it once \
                 it is not.",
                atoms(event.parts.iter().map(|part| i128::from(part.held_atoms)).sum()),
                atoms(event.shortfall_atoms.into())
            ),
            BallastEvent::ProfitReleased(event) => format!(
                "{} of held profit is free again.",
                atoms(event.parts.iter().map(|part| i128::from(part.atoms)).sum())
            ),
            other => format!("{}.", other.name()),
        }
    }

    fn placed(&self, event: &OrderPlaced) -> String {
        let mut parts = Vec::new();
        if event.filled_lots > 0 {
            let quote: u64 = event
                .fills
                .iter()
                .map(|fill| self.quote(fill.price_ticks, fill.lots))
                .sum();
            let average = match self.market {
                Some((_, units)) => units.show_average(quote, event.filled_lots),
                None => quote.to_string(),
            };
            parts.push(format!(
                "{} filled at {average} on average",
                self.size(event.filled_lots)
            ));
        }
        if event.resting_lots > 0 {
            parts.push(format!(
                "{} wait at {} as order {}, which reserves {}",
                self.size(event.resting_lots),
                self.price(event.price_ticks),
                event.order_id,
                self.collateral.show(event.reserved_atoms.into())
            ));
        }
        if event.dropped_lots > 0 {
            parts.push(format!("{} dropped", self.size(event.dropped_lots)));
        }
        if let Some(taker) = &event.taker {
            parts.push(format!(
                "realized {}, fee {}",
                self.collateral.show(taker.realized.into()),
                self.collateral.show(taker.fee.into())
            ));
        }
        if !event.removed.is_empty() {
            parts.push(format!("{} dead orders removed", event.removed.len()));
        }
        if !event.cancelled.is_empty() {
            parts.push(format!(
                "{} left the book",
                counted(event.cancelled.len(), "own order")
            ));
        }
        let verb = if event.side == OrderSide::Bid {
            "Buy"
        } else {
            "Sell"
        };
        format!("{verb} {}: {}.", self.size(event.lots), parts.join("; "))
    }

    fn cancelled(&self, event: &OrdersCancelled) -> String {
        let ids: Vec<String> = event
            .orders
            .iter()
            .map(|order| order.id.to_string())
            .collect();
        let freed: u64 = event.orders.iter().map(|order| order.margin_atoms).sum();
        format!(
            "{} cancelled ({}), {} free again; free collateral is {}.",
            counted(event.orders.len(), "order"),
            ids.join(", "),
            self.collateral.show(freed.into()),
            self.collateral.show(event.free_after.into())
        )
    }

    fn size(&self, lots: u64) -> String {
        self.market.map_or_else(
            || format!("{lots} lots"),
            |(_, units)| units.show_size(lots),
        )
    }

    fn price(&self, ticks: u64) -> String {
        self.market.map_or_else(
            || format!("{ticks} ticks"),
            |(_, units)| units.show_price(ticks),
        )
    }

    fn quote(&self, ticks: u64, lots: u64) -> u64 {
        let atoms = self.market.map_or(1, |(_, units)| units.atoms_per_lot_tick);
        ticks.saturating_mul(lots).saturating_mul(atoms)
    }
}

/// `1 order`, `2 orders`.
pub fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// Name of a trigger at the beginning of a sentence.
pub fn trigger(kind: TriggerKind) -> &'static str {
    match kind {
        TriggerKind::StopLoss => "Stop-loss",
        TriggerKind::TakeProfit => "Take-profit",
    }
}

/// An event as JSON: its name in `event`, and its fields in base units.
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
        BallastEvent::TriggerCancelled(event) => json!({
            "market": event.market.to_string(),
            "trader": event.trader.to_string(),
            "kind": trigger_name(event.kind),
            "price_ticks": event.price_ticks,
            "lots": event.lots,
        }),
        _ => json!({}),
    }
}

fn placed(event: &OrderPlaced) -> Value {
    let fills = event.fills.iter().map(|fill| {
        json!({
            "maker": fill.maker.to_string(),
            "order_id": fill.order_id,
            "price_ticks": fill.price_ticks,
            "lots": fill.lots,
            "taker_fee_atoms": fill.taker_fee,
            "maker_fee_atoms": fill.maker_fee,
        })
    });
    let removed = event.removed.iter().map(|order| {
        json!({
            "maker": order.maker.to_string(),
            "order_id": order.order_id,
            "reason": reason(order.reason),
            "lots": order.lots,
        })
    });
    let own = event.cancelled.iter().map(|order| order.id);
    json!({
        "market": event.market.to_string(),
        "trader": event.trader.to_string(),
        "order_id": event.order_id,
        "client_id": event.client_id,
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
        "fills": fills.collect::<Vec<_>>(),
        "removed": removed.collect::<Vec<_>>(),
        "own_orders_met": own.collect::<Vec<_>>(),
    })
}

fn cancelled(event: &OrdersCancelled) -> Value {
    let orders = event.orders.iter().map(|order| {
        json!({
            "order_id": order.id,
            "client_id": order.client_id,
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

/// `buy` or `sell`.
pub fn side_name(side: OrderSide) -> &'static str {
    Direction::from(side).into()
}

/// The type of an order as the command line has it.
pub fn kind_name(kind: OrderKind) -> &'static str {
    Type::from(kind).into()
}

/// The kind of a trigger as the command line has it.
pub fn trigger_name(kind: TriggerKind) -> &'static str {
    Trigger::from(kind).into()
}

fn reason(reason: RemovalReason) -> &'static str {
    match reason {
        RemovalReason::Expired => "expired",
        RemovalReason::Unhealthy => "unhealthy",
        RemovalReason::NothingToReduce => "nothing_to_reduce",
        RemovalReason::NoRoom => "no_room",
        RemovalReason::Reduced => "reduced",
        RemovalReason::Evicted => "evicted",
    }
}
