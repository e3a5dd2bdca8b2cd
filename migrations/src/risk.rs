//! How risk parameters on the chain differ from those that are configured.

use ballast_engine::risk::{LadderStep, RiskParams, RiskTier};
use ballast_risk::file;

use crate::report::Difference;

/// What differs between two sets of parameters, by name.
pub fn differences(on_chain: &RiskParams, wanted: &RiskParams) -> Vec<Difference> {
    let mut found = Vec::new();
    found.extend(Difference::between(
        "risk.tier_count".to_owned(),
        on_chain.tier_count,
        wanted.tier_count,
    ));
    found.extend(Difference::between(
        "risk.ladder_count".to_owned(),
        on_chain.ladder_count,
        wanted.ladder_count,
    ));
    for (index, (a, b)) in on_chain.tiers.iter().zip(&wanted.tiers).enumerate() {
        let show = |tier: &RiskTier| {
            format!(
                "up to {} atoms: {}/{} bps",
                tier.notional_limit_atoms, tier.initial_margin_bps, tier.maintenance_margin_bps
            )
        };
        found.extend(Difference::between(
            format!("risk.tiers[{index}]"),
            show(a),
            show(b),
        ));
    }
    for (index, (a, b)) in on_chain.ladder.iter().zip(&wanted.ladder).enumerate() {
        let show =
            |step: &LadderStep| format!("above {}: {} bps", step.above_ratio_bps, step.close_bps);
        found.extend(Difference::between(
            format!("risk.ladder[{index}]"),
            show(a),
            show(b),
        ));
    }
    let numbers = file::numbers(on_chain)
        .into_iter()
        .zip(file::numbers(wanted));
    for ((name, a), (_, b)) in numbers {
        found.extend(Difference::between(format!("risk.{name}"), a, b));
    }
    found
}
