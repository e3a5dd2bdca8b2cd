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
mod rules;
mod statistics;

use anyhow::{anyhow, Result};
use ballast_engine::EngineError;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::explain::from_report::situation;
use crate::report::model::{PolicyLine, Round};
use book::{Book, Key};

/// A rule by which a bankruptcy is spread over its counterparties, in the order of tables.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    ValueEnum,
    Serialize,
    Deserialize,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Policy {
    /// By rank, whole positions.
    Queue,
    /// By rank, a part of each position in a pass: the rule of the program.
    Capped,
    /// In proportion to the lots of every winner.
    ProRata,
}

impl Policy {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A cut of a simulated round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Whose position.
    pub key: Key,
    /// Lots closed.
    pub lots: u64,
    /// Given up against the mark, atoms.
    pub gave_up: u64,
    /// Whether that closed the position.
    pub closed: bool,
}

/// What a rule did in a crash.
#[derive(Clone, Debug, Default)]
pub struct Played {
    /// Cuts of each round, by rank.
    pub rounds: Vec<Vec<Cut>>,
    /// Deficits of the lots of all rounds after insurance, atoms.
    pub deficit: u64,
    /// Lots for which the rule found no counterparty.
    pub unplaced: u64,
}

/// Plays the rounds by each rule.
pub fn compare(rounds: &[Round], policies: &[Policy]) -> Result<Vec<PolicyLine>> {
    if rounds.is_empty() {
        return Ok(Vec::new());
    }
    let profits = book::profits(rounds)?;
    policies
        .iter()
        .map(|policy| {
            let played = play(rounds, *policy)?;
            Ok(statistics::line(*policy, &played, &profits))
        })
        .collect()
}

/// Plays the rounds by one rule.
pub fn play(rounds: &[Round], policy: Policy) -> Result<Played> {
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
