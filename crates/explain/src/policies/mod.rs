//! What other rules would have done to the counterparties of the same crash: a simulation, next to
//! the rule of the program.
//!
//! Every recorded round is played again for each rule, in order: the same bankrupt, mark, close
//! price and number of lots, against the positions that this rule's own earlier cuts have left.
//! The crash itself stays as it was recorded: no rule changes a price, a liquidation or a
//! bankruptcy.
//!
//! - `queue`: by rank, whole positions.
//! - `capped`: by rank, at most `max_close_bps` of a position in a pass. The rule of the program; its
//!   replay has to give every recorded cut.
//! - `pro-rata`: every winner gives lots in proportion to its lots; shares are rounded down and the
//!   lots left over go to the largest remainders, ties to the higher rank. Others give only when
//!   the winners have no lots left.
//!
//! A counterparty that liquidation changed between two rounds has the same number of lots changed
//! under every rule, at the recorded entry and bankruptcy price.

mod book;
mod played;
mod profits;
mod rules;
mod statistics;

use anyhow::{anyhow, Result};
use ballast_engine::EngineError;
use ballast_report::model::Round;
use ballast_report::policy::{Policy, PolicyLine};

use crate::from_report::situation;
use book::Book;
use played::Played;

/// Plays the rounds by each rule.
pub fn compare(rounds: &[Round], policies: &[Policy]) -> Result<Vec<PolicyLine>> {
    if rounds.is_empty() {
        return Ok(Vec::new());
    }
    let profits = profits::profits(rounds)?;
    policies
        .iter()
        .map(|policy| {
            let played = play(rounds, *policy)?;
            Ok(statistics::line(*policy, &played, &profits))
        })
        .collect()
}

/// Plays the rounds by one rule.
fn play(rounds: &[Round], policy: Policy) -> Result<Played> {
    let mut book = Book::default();
    let mut played = Played::default();
    for round in rounds {
        let failed = |error| named(round, error);
        let now = situation(round).map_err(|(field, error)| anyhow!("{field}: {error}"))?;
        book.follow(round, &now).map_err(failed)?;
        let outcome = rules::cut(policy, round, &now, &mut book).map_err(failed)?;
        played.deficit = played.deficit.saturating_add(outcome.deficit);
        played.unplaced = played.unplaced.saturating_add(outcome.unplaced);
        played.rounds.push(outcome.cuts);
    }
    Ok(played)
}

/// Where the replay of the program's rule departs from what was recorded.
pub fn departures(rounds: &[Round]) -> Result<Vec<String>> {
    let played = play(rounds, Policy::Capped)?;
    let mut departures = Vec::new();
    for (round, cuts) in rounds.iter().zip(&played.rounds) {
        let recorded = round.cut.iter().map(|line| {
            (
                line.trader.as_str(),
                line.lots,
                i128::from(line.gave_up_atoms),
            )
        });
        let replayed = cuts
            .iter()
            .map(|cut| (cut.key.trader.as_str(), cut.lots, i128::from(cut.gave_up)));
        if !recorded.eq(replayed) {
            departures.push(format!("round {} is cut differently", round.round));
        }
    }
    Ok(departures)
}

fn named(round: &Round, error: EngineError) -> anyhow::Error {
    anyhow!("round {}: the engine refuses: {error}", round.round)
}

#[cfg(test)]
mod tests;
