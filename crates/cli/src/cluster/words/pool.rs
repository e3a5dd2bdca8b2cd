//! Events of pools.

use ballast_state::events::{BallastEvent, PoolTook, PoolUnwound, PoolWithdrawn};
use serde_json::{json, Value};

use super::json::{fills, removed};
use super::Names;
use crate::cluster::pool_params;

impl Names<'_> {
    /// The event as a sentence; `None` for another kind.
    pub(super) fn pool(&self, event: &BallastEvent) -> Option<String> {
        let atoms = |atoms: u64| self.collateral.show(atoms.into());
        Some(match event {
            BallastEvent::PoolCreated(event) => format!(
                "The market has a pool, {}, with trader account {}: {}.",
                event.pool,
                event.trader,
                pool_params::words(&event.params)
            ),
            BallastEvent::PoolDeposited(event) => format!(
                "{} put into the pool, for {} shares; {} of {} shares are the owner's.",
                atoms(event.amount),
                event.shares,
                event.owner_shares_after,
                event.shares_after
            ),
            BallastEvent::PoolRequested(event) => format!(
                "Asked for {} shares, worth {}: they are paid that at most, from slot {} to before slot {}.",
                event.shares,
                atoms(event.value_atoms),
                event.due_slot,
                event.lapses_slot
            ),
            BallastEvent::PoolRequestCancelled(event) => {
                format!("{} shares stay in the pool.", event.shares)
            }
            BallastEvent::PoolWithdrawn(event) => self.left(event),
            BallastEvent::PoolReset(event) => format!(
                "The pool was spent: epoch {} begins, {} shares are worth nothing, and {} that was left is nobody's.",
                event.epoch,
                event.shares,
                atoms(event.atoms)
            ),
            BallastEvent::PoolStopped(event) => format!(
                "The pool takes nothing that enlarges its position, until a change of its parameters that is staged after this; {} signed.",
                event.by
            ),
            BallastEvent::PoolChanged(event) => {
                let changes = pool_params::changes(&event.before, &event.after);
                let what = match changes.is_empty() {
                    true => "The pool's parameters stay as they are".to_owned(),
                    false => format!("In force: {}", pool_params::change_words(&changes)),
                };
                match event.stopped_before {
                    true => format!("{what}; it was stopped and goes on."),
                    false => format!("{what}."),
                }
            }
            BallastEvent::PoolTook(event) => self.took(event),
            BallastEvent::PoolUnwound(event) => self.unwound(event),
            BallastEvent::PoolSynced(event) => {
                let moved = atoms(event.moved_atoms.unsigned_abs());
                let way = match event.moved_atoms > 0 {
                    true => "into",
                    false => "out of",
                };
                format!(
                    "{moved} moved {way} the margin of the pool's position, {} now; its free collateral is {}.",
                    self.collateral.show(event.margin_after.into()),
                    self.collateral.show(event.free_after.into())
                )
            }
            _ => return None,
        })
    }

    fn left(&self, event: &PoolWithdrawn) -> String {
        let rest = match event.requested_after {
            0 => String::new(),
            rest => format!(", {rest} of which are still to leave"),
        };
        format!(
            "{} paid to {} for {} shares of the pool; {} shares are left{rest}.",
            self.collateral.show(event.amount.into()),
            event.destination,
            event.shares,
            event.owner_shares_after
        )
    }

    fn took(&self, event: &PoolTook) -> String {
        let verb = match event.lots > 0 {
            true => "bought",
            false => "sold",
        };
        let lots = event.lots.unsigned_abs();
        let premium = match event.premium_atoms {
            0 => String::new(),
            premium => format!(
                ", a premium of {} from insurance",
                self.collateral.show(premium.into())
            ),
        };
        format!(
            "The pool took over from {}: {verb} {} at {}, a discount of {}{premium}; it is {} now, with {} of free collateral.",
            event.trader,
            self.size(lots),
            self.average(event.quote_atoms.unsigned_abs(), lots),
            self.collateral.show(event.discount_atoms.into()),
            self.held(event.lots_after),
            self.collateral.show(event.free_after.into())
        )
    }

    fn unwound(&self, event: &PoolUnwound) -> String {
        let verb = match event.taker.lots_after < event.taker.lots_before {
            true => "sold",
            false => "bought",
        };
        let quote = event
            .fills
            .iter()
            .map(|it| self.quote(it.price_ticks, it.lots));
        format!(
            "The pool {verb} {} of {} that were due, at {}, {} being the worst price; realized {}, fee {}, {} to the keeper; it is {} now.",
            self.size(event.closed_lots),
            self.size(event.due_lots),
            self.average(quote.sum(), event.closed_lots),
            self.price(event.limit_ticks),
            self.collateral.show(event.taker.realized.into()),
            self.collateral.show(event.taker.fee.into()),
            self.collateral.show(event.keeper_atoms.into()),
            self.held(event.taker.lots_after)
        )
    }
}

/// The fields of an event; `None` for another kind.
pub(super) fn fields(event: &BallastEvent) -> Option<Value> {
    Some(match event {
        BallastEvent::PoolCreated(event) => json!({
            "market": event.market.to_string(),
            "pool": event.pool.to_string(),
            "trader": event.trader.to_string(),
            "params": pool_params::json(&event.params),
        }),
        BallastEvent::PoolDeposited(event) => json!({
            "market": event.market.to_string(),
            "pool": event.pool.to_string(),
            "owner": event.owner.to_string(),
            "amount_atoms": event.amount,
            "shares": event.shares,
            "owner_shares_after": event.owner_shares_after,
            "shares_after": event.shares_after,
            "worth_low_atoms": event.worth_low,
            "worth_high_atoms": event.worth_high,
            "inventory_lots": event.inventory_lots,
            "mark_ticks": event.mark_ticks,
        }),
        BallastEvent::PoolRequested(event) => json!({
            "pool": event.pool.to_string(),
            "owner": event.owner.to_string(),
            "shares": event.shares,
            "value_atoms": event.value_atoms,
            "due_slot": event.due_slot,
            "lapses_slot": event.lapses_slot,
            "worth_low_atoms": event.worth_low,
        }),
        BallastEvent::PoolRequestCancelled(event) => json!({
            "pool": event.pool.to_string(),
            "owner": event.owner.to_string(),
            "shares": event.shares,
        }),
        BallastEvent::PoolWithdrawn(event) => json!({
            "market": event.market.to_string(),
            "pool": event.pool.to_string(),
            "owner": event.owner.to_string(),
            "destination": event.destination.to_string(),
            "amount_atoms": event.amount,
            "shares": event.shares,
            "owner_shares_after": event.owner_shares_after,
            "requested_after": event.requested_after,
            "shares_after": event.shares_after,
            "worth_low_atoms": event.worth_low,
            "shortfall_atoms": event.shortfall_atoms,
            "inventory_lots": event.inventory_lots,
        }),
        BallastEvent::PoolReset(event) => json!({
            "market": event.market.to_string(),
            "pool": event.pool.to_string(),
            "epoch": event.epoch,
            "shares": event.shares,
            "atoms": event.atoms,
        }),
        BallastEvent::PoolStopped(event) => json!({
            "market": event.market.to_string(),
            "pool": event.pool.to_string(),
            "by": event.by.to_string(),
            "before": event.before,
        }),
        BallastEvent::PoolChanged(event) => json!({
            "market": event.market.to_string(),
            "pool": event.pool.to_string(),
            "before": pool_params::json(&event.before),
            "after": pool_params::json(&event.after),
            "stopped_before": event.stopped_before,
        }),
        BallastEvent::PoolTook(event) => json!({
            "market": event.market.to_string(),
            "pool": event.pool.to_string(),
            "trader": event.trader.to_string(),
            "mark_ticks": event.mark_ticks,
            "lots": event.lots,
            "quote_atoms": event.quote_atoms,
            "discount_atoms": event.discount_atoms,
            "premium_atoms": event.premium_atoms,
            "margin_added_atoms": event.margin_added,
            "lots_before": event.lots_before,
            "lots_after": event.lots_after,
            "free_after_atoms": event.free_after,
            "worth_low_atoms": event.worth_low,
            "window_atoms": event.window_atoms,
        }),
        BallastEvent::PoolUnwound(event) => json!({
            "market": event.market.to_string(),
            "pool": event.pool.to_string(),
            "keeper": event.keeper.to_string(),
            "limit_ticks": event.limit_ticks,
            "mark_ticks": event.mark_ticks,
            "due_lots": event.due_lots,
            "closed_lots": event.closed_lots,
            "keeper_atoms": event.keeper_atoms,
            "realized_atoms": event.taker.realized,
            "fee_atoms": event.taker.fee,
            "position_lots_after": event.taker.lots_after,
            "fills": fills(&event.fills),
            "removed": removed(&event.removed),
            "kept_orders": event.kept_orders,
        }),
        BallastEvent::PoolSynced(event) => json!({
            "market": event.market.to_string(),
            "pool": event.pool.to_string(),
            "moved_atoms": event.moved_atoms,
            "margin_after_atoms": event.margin_after,
            "free_after_atoms": event.free_after,
            "mark_ticks": event.mark_ticks,
        }),
        _ => return None,
    })
}
