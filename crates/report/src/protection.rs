//! What protective steps saved those who had set them.

use ballast_client::amount::grouped;
use serde::{Deserialize, Serialize};

use crate::figures::{usd, usd_short};

/// The traders with protective steps, in the crash as it was played and in the same without steps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProtectionSummary {
    /// Trader accounts with steps.
    pub accounts: u64,
    /// Times that a step was executed.
    pub steps_executed: u64,
    /// Lots that they closed.
    pub lots_closed: u64,
    /// What became of them.
    pub with: Outcome,
    /// What would have become of them without.
    pub without: Outcome,
    /// Those who have more at the end with steps than without.
    pub better: u64,
    /// Those who have less.
    pub worse: u64,
}

/// What became of the traders with steps in one crash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Accounts that were liquidated, in whole or in part.
    pub liquidated_accounts: u64,
    /// Lots that liquidations closed.
    pub liquidated_lots: u64,
    /// Collateral and equity of all of them at the end, at the last mark, atoms.
    pub worth_end_atoms: i64,
}

impl ProtectionSummary {
    /// The sentences of a report.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let saved = self.with.worth_end_atoms - self.without.worth_end_atoms;
        vec![
            format!(
                "{} accounts set protective steps; {} steps closed {} lots",
                grouped(self.accounts),
                grouped(self.steps_executed),
                grouped(self.lots_closed)
            ),
            format!(
                "{} of them were liquidated, {} lots; without steps {}, {} lots",
                grouped(self.with.liquidated_accounts),
                grouped(self.with.liquidated_lots),
                grouped(self.without.liquidated_accounts),
                grouped(self.without.liquidated_lots)
            ),
            format!(
                "at the end they are worth {}, without steps {}: {}; {} have more with them, {} less",
                usd_short(self.with.worth_end_atoms),
                usd_short(self.without.worth_end_atoms),
                usd(saved),
                grouped(self.better),
                grouped(self.worse)
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_is_the_difference() {
        let outcome = |accounts, lots, worth| Outcome {
            liquidated_accounts: accounts,
            liquidated_lots: lots,
            worth_end_atoms: worth,
        };
        let summary = ProtectionSummary {
            accounts: 30,
            steps_executed: 12,
            lots_closed: 1_200,
            with: outcome(3, 100, 5_000_000_000),
            without: outcome(9, 4_000, 3_000_000_000),
            better: 10,
            worse: 2,
        };
        let sentences = summary.sentences();
        assert_eq!(
            sentences[1],
            "3 of them were liquidated, 100 lots; without steps 9, 4,000 lots"
        );
        assert!(sentences[2].contains("2,000"), "{}", sentences[2]);
    }
}
