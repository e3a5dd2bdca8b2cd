//! Events of a market's modes and of its end.

use ballast_client::amount::grouped_decimal;
use ballast_state::events::{BallastEvent, PositionSettled, SettlementBegun};
use serde_json::{json, Value};

use super::Names;
use crate::cluster::when::shown;

impl Names<'_> {
    /// The event as a sentence; `None` for another kind.
    pub(super) fn wind_down(&self, event: &BallastEvent) -> Option<String> {
        Some(match event {
            BallastEvent::ReduceOnlySet(event) if event.after => {
                "The market is reduce-only: its open interest does not rise.".to_owned()
            }
            BallastEvent::ReduceOnlySet(_) => {
                "The market is open: its open interest may rise.".to_owned()
            }
            BallastEvent::DelistingScheduled(event) => format!(
                "The market ends {}, at the average price of the hour before.",
                shown(Some(event.ends_at))
            ),
            BallastEvent::OracleDeclaredDead(event) => format!(
                "The market ends {}, unless a price is recorded before; the last one is from {}.",
                shown(Some(event.ends_at)),
                shown(Some(event.last_publish_time))
            ),
            BallastEvent::SettlementBegun(event) => self.begun(event),
            BallastEvent::PositionSettled(event) => self.settled(event),
            BallastEvent::BankruptWrittenOff(event) => format!(
                "Trader account {} lacked {}, and nobody could be closed against it: insurance paid {}, held profit {}, and {} was written off, {} in all.",
                event.bankrupt,
                self.collateral.show(event.deficit_atoms.into()),
                self.collateral.show(event.insurance_paid_atoms.into()),
                self.collateral.show(event.held_paid_atoms.into()),
                self.collateral.show(event.written_off_atoms.into()),
                self.collateral.show(event.written_off_total_atoms.into())
            ),
            BallastEvent::ClaimsCounted(event) => {
                let claims = self.collateral.show(event.claims_atoms.into());
                match event.complete {
                    true => format!(
                        "All positions together are worth {claims}; {} less is there for them.",
                        self.collateral.show(event.written_off_atoms.into())
                    ),
                    false => format!("Positions worth {claims} have been counted so far."),
                }
            }
            BallastEvent::MarketClosed(event) => format!(
                "The queues and the book are closed; {} SOL of rent went to {}; the market has {} of insurance and {} of fees left.",
                grouped_decimal(event.lamports.into(), 9, 2),
                event.rent_payer,
                self.collateral.show(event.insurance_atoms.into()),
                self.collateral.show(event.fees_atoms.into())
            ),
            _ => return None,
        })
    }

    fn begun(&self, event: &SettlementBegun) -> String {
        if event.final_ticks == 0 {
            return "Recorded prices cover too little of the last hour: the market goes on."
                .to_owned();
        }
        format!(
            "The market ended {}; {} of longs and of shorts are settled at {}; insurance holds {}.",
            shown(Some(event.ended_at)),
            self.size(event.open_interest_lots),
            self.price(event.final_ticks.into()),
            self.collateral.show(event.insurance_atoms.into())
        )
    }

    fn settled(&self, event: &PositionSettled) -> String {
        let side = match event.lots.signum() {
            1 => "a long of ",
            -1 => "a short of ",
            _ => "a position of ",
        };
        format!(
            "Trader account {} was paid {} for {side}{} at {} and {} of held profit; free collateral is {}.",
            event.trader,
            self.collateral.show(event.paid_atoms.into()),
            self.size(event.lots.unsigned_abs()),
            self.price(event.final_ticks.into()),
            self.collateral.show(event.held_atoms.into()),
            self.collateral.show(event.free_after.into())
        )
    }
}

/// The fields of an event; `None` for another kind.
pub(super) fn fields(event: &BallastEvent) -> Option<Value> {
    Some(match event {
        BallastEvent::ReduceOnlySet(event) => json!({
            "market": event.market.to_string(),
            "by": event.by.to_string(),
            "before": event.before,
            "after": event.after,
        }),
        BallastEvent::DelistingScheduled(event) => json!({
            "market": event.market.to_string(),
            "ends_at": event.ends_at,
        }),
        BallastEvent::OracleDeclaredDead(event) => json!({
            "market": event.market.to_string(),
            "last_publish_time": event.last_publish_time,
            "ends_at": event.ends_at,
        }),
        BallastEvent::SettlementBegun(event) => json!({
            "market": event.market.to_string(),
            "ended_at": event.ended_at,
            "final_ticks": event.final_ticks,
            "funding_index": event.funding_index,
            "open_interest_lots": event.open_interest_lots,
            "insurance_atoms": event.insurance_atoms,
            "held_atoms": event.held_atoms,
        }),
        BallastEvent::PositionSettled(event) => json!({
            "market": event.market.to_string(),
            "trader": event.trader.to_string(),
            "lots": event.lots,
            "entry_quote_atoms": event.entry_quote_atoms,
            "margin_atoms": event.margin_atoms,
            "final_ticks": event.final_ticks,
            "paid_atoms": event.paid_atoms,
            "held_atoms": event.held_atoms,
            "free_after_atoms": event.free_after,
        }),
        BallastEvent::BankruptWrittenOff(event) => json!({
            "market": event.market.to_string(),
            "bankrupt": event.bankrupt.to_string(),
            "session": event.session.to_string(),
            "lots": event.lots,
            "entry_quote_atoms": event.entry_quote_atoms,
            "margin_atoms": event.margin_atoms,
            "final_ticks": event.final_ticks,
            "deficit_atoms": event.deficit_atoms,
            "insurance_paid_atoms": event.insurance_paid_atoms,
            "held_paid_atoms": event.held_paid_atoms,
            "written_off_atoms": event.written_off_atoms,
            "written_off_total_atoms": event.written_off_total_atoms,
        }),
        BallastEvent::ClaimsCounted(event) => json!({
            "market": event.market.to_string(),
            "next_node": event.next_node,
            "complete": event.complete,
            "claims_atoms": event.claims_atoms,
            "made_good_atoms": event.made_good_atoms,
            "written_off_atoms": event.written_off_atoms,
        }),
        BallastEvent::MarketClosed(event) => json!({
            "market": event.market.to_string(),
            "rent_payer": event.rent_payer.to_string(),
            "lamports": event.lamports,
            "insurance_atoms": event.insurance_atoms,
            "fees_atoms": event.fees_atoms,
        }),
        _ => return None,
    })
}
