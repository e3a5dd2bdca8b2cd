//! The run in figures, as a table and as JSON.

use std::time::Instant;

use serde::Serialize;

use crate::audit::{Done, Totals};
use ballast_localnet::oracle::Published;

/// What one run did and found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What `deploy` said each time.
    pub deployments: Vec<serde_json::Value>,
    /// Length of a slot, milliseconds.
    pub slot_millis: u64,
    /// Length of the run, seconds.
    pub seconds: u64,
    /// Traders in the market.
    pub traders: usize,
    /// From the fall to the first liquidation.
    pub first_liquidation: Reaction,
    /// From the gap to the first deleveraging.
    pub first_adl: Reaction,
    /// What the events add up to.
    pub totals: Totals,
    /// Claims less tokens.
    pub conservation_error_atoms: String,
    /// Sum of all lots.
    pub lots_sum: String,
    /// Insurance at the end.
    pub insurance_left_atoms: u64,
    /// What each keeper did.
    pub keepers: Vec<KeeperFigures>,
    /// What was checked, in words.
    pub checks: Vec<String>,
}

/// From a price to what it brought about.
#[derive(Clone, Debug, Serialize)]
pub struct Reaction {
    /// Slot of the price.
    pub price_slot: u64,
    /// Slot of the transaction.
    pub slot: u64,
    /// Slots between them.
    pub slots: u64,
    /// From sending the price to seeing the transaction confirmed, milliseconds.
    pub millis: u128,
    /// Signature of the transaction, base58.
    pub signature: String,
}

/// What a keeper did.
#[derive(Clone, Debug, Serialize)]
pub struct KeeperFigures {
    /// Name of the keeper.
    pub name: String,
    /// Transactions it sent.
    pub sent: u64,
    /// Those that landed and did something.
    pub won: u64,
    /// Those that came too late: somebody else had done it.
    pub lost: u64,
    /// Those that were refused for another reason.
    pub failed: u64,
    /// Those that expired before they landed.
    pub expired: u64,
}

impl Reaction {
    /// Of a price, seen confirmed at a moment.
    pub fn new(price: &Published, confirmed: Instant, done: &Done) -> Self {
        Self {
            price_slot: price.slot,
            slot: done.slot,
            slots: done.slot.saturating_sub(price.slot),
            millis: confirmed.duration_since(price.sent).as_millis(),
            signature: done.signature.to_string(),
        }
    }
}

impl Report {
    /// Whether the books balance.
    pub fn balances(&self) -> bool {
        self.conservation_error_atoms == "0" && self.lots_sum == "0"
    }

    /// For people.
    pub fn print(&self) {
        let totals = &self.totals;
        let line = |name: &str, value: String| println!("{name:<34} {value}");
        println!();
        line("traders", self.traders.to_string());
        line("length of a slot, ms", self.slot_millis.to_string());
        line(
            "transactions that landed",
            format!(
                "{} ({} of them refused)",
                totals.transactions + totals.failed,
                totals.failed
            ),
        );
        let reaction = |of: &Reaction| format!("{} ms, slots: {}", of.millis, of.slots);
        line(
            "price to liquidation confirmed",
            reaction(&self.first_liquidation),
        );
        line("price to deleveraging confirmed", reaction(&self.first_adl));
        line("steps of liquidation", totals.liquidations.to_string());
        line(
            "rounds of deleveraging",
            format!("{} ({} cuts)", totals.adl_rounds, totals.cuts),
        );
        let [takes, syncs, unwinds] = totals.pool;
        line(
            "pool",
            format!("{takes} takes, {syncs} syncs, {unwinds} unwinds"),
        );
        line(
            "insurance paid, atoms",
            totals.insurance_paid_atoms.to_string(),
        );
        line(
            "counterparties gave up, atoms",
            totals.gave_up_atoms.to_string(),
        );
        line(
            "insurance left, atoms",
            self.insurance_left_atoms.to_string(),
        );
        for keeper in &self.keepers {
            line(
                &keeper.name,
                format!(
                    "{} sent, {} won, {} lost, {} failed, {} expired",
                    keeper.sent, keeper.won, keeper.lost, keeper.failed, keeper.expired
                ),
            );
        }
        line(
            "conservation error, atoms",
            self.conservation_error_atoms.clone(),
        );
        line("sum of all lots", self.lots_sum.clone());
        for check in &self.checks {
            println!("checked: {check}");
        }
    }
}
