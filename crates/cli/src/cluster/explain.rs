//! `ballast explain-adl SIGNATURE`: the rounds of a transaction, decided again.

use anyhow::{bail, Context, Result};
use ballast_explain::chain::{explain, rounds, Explanation, Recorded, Round};
use ballast_explain::situation::Units;
use ballast_rpc::history::Past;
use ballast_state::events::{AutoDeleveraged, BallastEvent, CrossRound};
use ballast_state::market::Market;
use serde::Serialize;
use solana_signature::Signature;

use super::failure::Usage;
use super::options::Global;
use super::session::{block_on, Session};
use super::state::name_of;
use crate::args::ExplainArgs;

/// What is printed as JSON.
#[derive(Serialize)]
struct Explained {
    signature: String,
    slot: u64,
    /// Unix seconds, where the node knows.
    block_time: Option<i64>,
    /// Whether every figure of every round agrees.
    verified: bool,
    rounds: Vec<Round>,
}

/// Explains the rounds of a transaction. `false` when a figure disagrees.
pub fn run(global: &Global, args: &ExplainArgs, signature: &Signature) -> Result<bool> {
    block_on(async {
        let session = Session::new(global)?;
        let past = session.cluster.transaction(signature).await?;
        let past = past.with_context(|| missing(signature))?;
        let events = chosen(&past, args, signature)?;
        let mut markets = Vec::new();
        for (event, _) in &events {
            markets.push(session.cluster.market(&event.market).await?);
        }
        let text = signature.to_string();
        let names: Vec<String> = markets.iter().map(name_of).collect();
        let explanations: Vec<Explanation<'_>> = events
            .iter()
            .zip(markets.iter().zip(&names))
            .map(|(round, (market, name))| explain(recorded(*round, &past, &text, market, name)))
            .collect();
        let verified = explanations.iter().all(Explanation::verified);
        let answer = Explained {
            signature: text.clone(),
            slot: past.slot,
            block_time: past.block_time,
            verified,
            rounds: explanations.iter().map(Explanation::round).collect(),
        };
        session.answer(&answer, || {
            let trader = args.trader.as_deref();
            let texts: Vec<String> = explanations.iter().map(|one| one.text(trader)).collect();
            texts.join("\n\n")
        })?;
        Ok(verified)
    })
}

fn recorded<'a>(
    (event, cross): Told<'a>,
    past: &Past,
    signature: &'a str,
    market: &Market,
    name: &'a str,
) -> Recorded<'a> {
    Recorded {
        event,
        cross,
        slot: past.slot,
        signature,
        market: name,
        units: Units {
            tick_nano: market.oracle.tick_nano,
            atoms_per_lot_tick: market.oracle.atoms_per_lot_tick,
            lot_nano: market.oracle.lot_nano,
        },
    }
}

/// A round, and what is said of its legs.
type Told<'a> = (&'a AutoDeleveraged, Option<&'a CrossRound>);

/// The rounds of a transaction, or the one that was asked for.
fn chosen<'a>(past: &'a Past, args: &ExplainArgs, signature: &Signature) -> Result<Vec<Told<'a>>> {
    if let Some(failure) = &past.failure {
        bail!("{signature} failed ({failure}); nothing it did was kept");
    }
    let rounds = rounds(&past.events);
    if rounds.is_empty() {
        let names: Vec<&str> = past.events.iter().map(BallastEvent::name).collect();
        let found = match names.as_slice() {
            [] => "no event of Ballast".to_owned(),
            names => format!("only {}", names.join(", ")),
        };
        return Err(Usage(format!(
            "{signature} deleverages nobody: it has {found}; expected a transaction with an AutoDeleveraged event"
        ))
        .into());
    }
    let Some(number) = args.round else {
        return Ok(rounds);
    };
    let index = usize::try_from(number)
        .ok()
        .and_then(|one| one.checked_sub(1));
    match index.and_then(|index| rounds.get(index)) {
        Some(round) => Ok(vec![*round]),
        None => Err(Usage(format!(
            "{signature} has rounds 1 to {}, not {number}",
            rounds.len()
        ))
        .into()),
    }
}

fn missing(signature: &Signature) -> String {
    format!(
        "the node does not have transaction {signature}; is it the right cluster, and does the node keep history that long? Name another with --url"
    )
}
