//! Events of cross margin.

use ballast_state::events::{
    BallastEvent, CrossBlockTraded, CrossRound, LegMade, LegTraded, MarginConverted, RanksRefreshed,
};
use ballast_view::units::percent_of_bps;
use serde_json::{json, Value};

use super::{counted, Names};

impl Names<'_> {
    /// The event as a sentence; `None` for another kind.
    pub(super) fn cross(&self, event: &BallastEvent) -> Option<String> {
        Some(match event {
            BallastEvent::BoardCreated(event) => {
                format!("The board of cross margin was created: {}.", event.board)
            }
            BallastEvent::CrossEnabled(event) => format!(
                "The market has cross margin, at place {} of the board: legs of a side hold {} at most and get {} of what insurance may pay in its window; a mark serves for opening for {} slots.",
                event.place,
                self.size(event.most_lots),
                percent_of_bps(event.draw_cap_bps.into()),
                event.max_age_slots
            ),
            BallastEvent::CrossMoved(event) => format!(
                "{}; {} are free.",
                self.pool_moved(event.amount, event.pool_after),
                self.collateral.show(event.free_after.into())
            ),
            BallastEvent::MarginConverted(event) => self.converted(event),
            BallastEvent::MarksRecorded(event) => format!(
                "Recorded: {}{}.",
                counted(event.marks.len(), "mark"),
                match event.checkpoint_opened {
                    true => ", and a checkpoint was opened",
                    false => "",
                }
            ),
            BallastEvent::MarkFrozen(event) => format!(
                "The mark of slot {} is frozen: legs are valued at it, and nobody opens or takes out by it.",
                event.recorded_slot
            ),
            BallastEvent::RanksRefreshed(event) => refreshed(event),
            BallastEvent::LegForced(event) => format!(
                "The account of the leg held {} and needed {}; its pool is {}.",
                self.collateral.show(event.equity_atoms.into()),
                self.collateral.show(event.requirement_atoms.into()),
                self.collateral.show(event.pool_after.into())
            ),
            BallastEvent::LegTraded(event) => self.leg_traded(event),
            BallastEvent::CrossBlockTraded(event) => self.cross_block(event),
            BallastEvent::LegsMade(event) => {
                let legs = event.legs.iter().map(|leg| self.leg_made(leg));
                legs.collect::<Vec<_>>().join(" ")
            }
            BallastEvent::CrossRound(event) => round(event),
            _ => return None,
        })
    }

    /// What went into a pool, out of it where negative, and what it is.
    fn pool_moved(&self, amount: i64, after: i64) -> String {
        format!(
            "{} {} the pool, which is {}",
            self.collateral.show(amount.unsigned_abs().into()),
            match amount {
                ..0 => "left",
                _ => "went into",
            },
            self.collateral.show(after.into())
        )
    }

    fn cross_block(&self, event: &CrossBlockTraded) -> String {
        let size = self.size(event.lots.unsigned_abs());
        let price = self.price(event.price_ticks);
        format!("Block trade of legs: {size} at {price}.")
    }

    fn leg_traded(&self, event: &LegTraded) -> String {
        let atoms = |atoms: i64| self.collateral.show(atoms.into());
        let leg = match event.lots_after {
            0 => "closed".to_owned(),
            lots => self.held(lots),
        };
        format!(
            "The leg is {leg}: realized {}, funding paid {}, fee {}; the pool is {}, and the account holds {} and needs {}.",
            atoms(event.realized),
            atoms(event.funding),
            self.collateral.show(event.fee.into()),
            atoms(event.pool_after),
            atoms(event.equity_atoms),
            self.collateral.show(event.requirement_atoms.into())
        )
    }

    fn leg_made(&self, leg: &LegMade) -> String {
        let atoms = |atoms: i64| self.collateral.show(atoms.into());
        format!(
            "Order {} was of a leg of {}: realized {}, funding paid {}; its pool is {}, and the account holds {} and needs {}.",
            leg.order_id,
            leg.maker,
            atoms(leg.realized),
            atoms(leg.funding),
            atoms(leg.pool_after),
            atoms(leg.equity_atoms),
            self.collateral.show(leg.requirement_atoms.into())
        )
    }

    fn converted(&self, event: &MarginConverted) -> String {
        format!(
            "The position is {} now: {}.",
            match event.to_cross {
                true => "a leg",
                false => "isolated",
            },
            self.pool_moved(event.amount, event.pool_after)
        )
    }
}

fn refreshed(event: &RanksRefreshed) -> String {
    let weak = event.traders.iter().filter(|trader| trader.weak).count();
    format!(
        "Recorded anew: {}{}.",
        counted(event.traders.len(), "leg"),
        match weak {
            0 => String::new(),
            weak => format!(", {weak} of accounts that no round could cut"),
        }
    )
}

fn round(event: &CrossRound) -> String {
    let shortened = event.legs.iter().filter(|leg| leg.shortened).count();
    format!(
        "Cut: {}{}.{}",
        counted(event.legs.len(), "leg"),
        match shortened {
            0 => String::new(),
            some => format!(", {some} no deeper than the account could bear"),
        },
        match event.by_record {
            true => " Records counted as they stood.",
            false => "",
        }
    )
}

/// The fields of an event; `None` for another kind.
pub(super) fn fields(event: &BallastEvent) -> Option<Value> {
    Some(match event {
        BallastEvent::BoardCreated(event) => json!({ "board": event.board.to_string() }),
        BallastEvent::CrossEnabled(event) => json!({
            "market": event.market.to_string(),
            "place": event.place,
            "queue_long": event.queue_long.to_string(),
            "queue_short": event.queue_short.to_string(),
            "most_lots": event.most_lots,
            "draw_cap_bps": event.draw_cap_bps,
            "max_age_slots": event.max_age_slots,
        }),
        BallastEvent::CrossMoved(event) => json!({
            "trader": event.trader.to_string(),
            "amount_atoms": event.amount,
            "pool_after_atoms": event.pool_after,
            "free_after_atoms": event.free_after,
        }),
        BallastEvent::MarginConverted(event) => json!({
            "trader": event.trader.to_string(),
            "market": event.market.to_string(),
            "to_cross": event.to_cross,
            "lots": event.lots,
            "amount_atoms": event.amount,
            "pool_after_atoms": event.pool_after,
        }),
        BallastEvent::MarksRecorded(event) => json!({
            "checkpoint_opened": event.checkpoint_opened,
            "marks": event.marks.iter().map(|mark| json!({
                "market": mark.market.to_string(),
                "mark_ticks": mark.mark_ticks,
                "funding_index": mark.funding_index,
            })).collect::<Vec<_>>(),
        }),
        BallastEvent::MarkFrozen(event) => json!({
            "market": event.market.to_string(),
            "recorded_slot": event.recorded_slot,
        }),
        BallastEvent::RanksRefreshed(event) => json!({
            "market": event.market.to_string(),
            "base": event.base,
            "traders": event.traders.iter().map(|trader| json!({
                "trader": trader.trader.to_string(),
                "rest_before_atoms": trader.rest_before,
                "rest_after_atoms": trader.rest_after,
                "weak": trader.weak,
            })).collect::<Vec<_>>(),
        }),
        BallastEvent::LegForced(event) => json!({
            "market": event.market.to_string(),
            "trader": event.trader.to_string(),
            "equity_atoms": event.equity_atoms,
            "requirement_atoms": event.requirement_atoms,
            "pool_after_atoms": event.pool_after,
        }),
        BallastEvent::LegTraded(event) => json!({
            "market": event.market.to_string(),
            "trader": event.trader.to_string(),
            "lots_before": event.lots_before,
            "lots_after": event.lots_after,
            "entry_quote_after_atoms": event.entry_quote_after,
            "realized_atoms": event.realized,
            "funding_atoms": event.funding,
            "fee_atoms": event.fee,
            "pool_before_atoms": event.pool_before,
            "pool_after_atoms": event.pool_after,
            "equity_atoms": event.equity_atoms,
            "requirement_atoms": event.requirement_atoms,
        }),
        BallastEvent::CrossBlockTraded(event) => json!({
            "market": event.market.to_string(),
            "taker": event.taker.to_string(),
            "maker": event.maker.to_string(),
            "lots": event.lots,
            "price_ticks": event.price_ticks,
            "mark_ticks": event.mark_ticks,
            "funding_index": event.funding_index,
            "open_interest_after_lots": event.open_interest_after,
            "taker_fee_atoms": event.taker_fee,
            "maker_fee_atoms": event.maker_fee,
        }),
        BallastEvent::LegsMade(event) => json!({
            "market": event.market.to_string(),
            "legs": event.legs.iter().map(|leg| json!({
                "maker": leg.maker.to_string(),
                "order_id": leg.order_id,
                "entry_quote_after_atoms": leg.entry_quote_after,
                "realized_atoms": leg.realized,
                "funding_atoms": leg.funding,
                "margin_used_atoms": leg.margin_used,
                "pool_before_atoms": leg.pool_before,
                "pool_after_atoms": leg.pool_after,
                "equity_atoms": leg.equity_atoms,
                "requirement_atoms": leg.requirement_atoms,
            })).collect::<Vec<_>>(),
        }),
        BallastEvent::CrossRound(event) => json!({
            "market": event.market.to_string(),
            "bankrupt": event.bankrupt.to_string(),
            "by_record": event.by_record,
            "to_equity": event.to_equity,
            "nodes_visited": event.nodes_visited,
            "legs": event.legs.iter().map(|leg| json!({
                "place": leg.place,
                "equity_atoms": leg.equity_atoms,
                "requirement_atoms": leg.requirement_atoms,
                "leg_requirement_atoms": leg.leg_requirement_atoms,
                "shortened": leg.shortened,
                "pool_after_atoms": leg.pool_after,
            })).collect::<Vec<_>>(),
        }),
        _ => return None,
    })
}
