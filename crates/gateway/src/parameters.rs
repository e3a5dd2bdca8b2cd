//! Parameters of markets, as events make and change them: one line for each, by the names of the interface
//! description.

use std::collections::BTreeMap;

use ballast_state::events::BallastEvent;
use ballast_state::Pubkey;
use serde_json::Value;

/// A parameter that an event made or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Number of the event among those of its transaction.
    pub idx: u32,
    /// Number of the parameter among those of its event.
    pub sub: u32,
    /// The market.
    pub market: Pubkey,
    /// Name of the event.
    pub event: &'static str,
    /// Which: `taker_fee_bps`, `tiers[0].initial_margin_bps`, `oracle.feed_id`, `pool.premium_bps`.
    pub name: String,
    /// Its value before; nothing where it was made.
    pub before: Option<String>,
    /// Its value after.
    pub after: String,
}

/// Parameters by name.
type Named = BTreeMap<String, String>;

/// What events, each with its fields, made of parameters.
pub fn of<'a>(events: impl Iterator<Item = (&'a BallastEvent, &'a Value)>) -> Vec<Parameter> {
    let mut found = Vec::new();
    for (idx, (event, body)) in (0_u32..).zip(events) {
        let Some((market, before, after)) = changed(event, body) else {
            continue;
        };
        let lines = after
            .into_iter()
            .filter(|(name, value)| before.get(name) != Some(value));
        for (sub, (name, after)) in (0_u32..).zip(lines) {
            found.push(Parameter {
                idx,
                sub,
                market,
                event: event.name(),
                before: before.get(&name).cloned(),
                name,
                after,
            });
        }
    }
    found
}

/// The parameters that an event tells of, before and after.
fn changed(event: &BallastEvent, body: &Value) -> Option<(Pubkey, Named, Named)> {
    let (mut before, mut after) = (Named::new(), Named::new());
    let market = match event {
        BallastEvent::MarketCreated(it) => {
            list("", &body["risk"], &mut after);
            list("oracle", &body["oracle"], &mut after);
            it.market
        }
        BallastEvent::MarketRiskUpdated(it) => {
            list("", &body["before"], &mut before);
            list("", &body["after"], &mut after);
            it.market
        }
        BallastEvent::OracleChanged(it) => {
            list("oracle", &body["before"], &mut before);
            list("oracle", &body["after"], &mut after);
            it.market
        }
        BallastEvent::ReduceOnlySet(it) => {
            list("reduce_only", &body["before"], &mut before);
            list("reduce_only", &body["after"], &mut after);
            it.market
        }
        BallastEvent::DelistingScheduled(it) => {
            list("ends_at", &body["ends_at"], &mut after);
            it.market
        }
        BallastEvent::OracleDeclaredDead(it) => {
            list("ends_at", &body["ends_at"], &mut after);
            it.market
        }
        BallastEvent::PoolCreated(it) => {
            list("pool", &body["params"], &mut after);
            it.market
        }
        BallastEvent::PoolChanged(it) => {
            list("pool", &body["before"], &mut before);
            list("pool.stopped", &body["stopped_before"], &mut before);
            list("pool", &body["after"], &mut after);
            list("pool.stopped", &false.into(), &mut after);
            it.market
        }
        BallastEvent::PoolStopped(it) => {
            list("pool.stopped", &body["before"], &mut before);
            list("pool.stopped", &true.into(), &mut after);
            it.market
        }
        _ => return None,
    };
    Some((market, before, after))
}

/// What is in `value`, by its names below `name`; padding is nothing.
fn list(name: &str, value: &Value, named: &mut Named) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields.iter().filter(|(field, _)| !field.starts_with('_')) {
                let name = match name {
                    "" => field.clone(),
                    name => format!("{name}.{field}"),
                };
                list(&name, value, named);
            }
        }
        Value::Array(all) => {
            for (index, value) in all.iter().enumerate() {
                list(&format!("{name}[{index}]"), value, named);
            }
        }
        Value::String(text) => {
            named.insert(name.to_owned(), text.clone());
        }
        Value::Number(_) | Value::Bool(_) => {
            named.insert(name.to_owned(), value.to_string());
        }
        Value::Null => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_engine::risk::RiskParams;
    use ballast_state::events::{MarketRiskUpdated, PoolStopped};

    fn told(event: BallastEvent) -> Vec<(String, Option<String>, String)> {
        let body = crate::idl::json(&event).expect("described");
        let found = of([(&event, &body)].into_iter());
        found
            .into_iter()
            .map(|one| (one.name, one.before, one.after))
            .collect()
    }

    #[test]
    fn only_what_changes_is_told_with_what_it_was() {
        let before = RiskParams::default();
        let mut after = before;
        after.taker_fee_bps = 7;
        after.tiers[1].notional_limit_atoms = 9_007_199_254_740_993;
        let event = MarketRiskUpdated {
            market: Pubkey::default(),
            before,
            after,
        };
        let line =
            |name: &str, after: &str| (name.to_owned(), Some("0".to_owned()), after.to_owned());
        assert_eq!(
            told(BallastEvent::MarketRiskUpdated(Box::new(event))),
            [
                line("taker_fee_bps", "7"),
                line("tiers[1].notional_limit_atoms", "9007199254740993")
            ]
        );
    }

    #[test]
    fn a_pool_that_was_stopped_already_changes_nothing() {
        let stopped = |before| {
            told(BallastEvent::PoolStopped(Box::new(PoolStopped {
                market: Pubkey::default(),
                pool: Pubkey::default(),
                by: Pubkey::default(),
                before,
            })))
        };
        let line = (
            "pool.stopped".to_owned(),
            Some("false".to_owned()),
            "true".to_owned(),
        );
        assert_eq!(stopped(false), [line]);
        assert!(stopped(true).is_empty());
    }
}
