//! What winners would have gained if nobody had ever been cut.

use std::collections::BTreeMap;

use anyhow::{anyhow, Result};
use ballast_engine::rank::{Class, Exposure, Ranked};
use ballast_report::model::Round;

use super::book::{Book, Key};
use super::{named, rules};
use crate::from_report::situation;

/// The largest profit that each eligible winner would have shown at the mark of a round in which it
/// was one, if nobody had ever been cut, atoms.
pub fn profits(rounds: &[Round]) -> Result<BTreeMap<Key, u64>> {
    let mut book = Book::default();
    let mut profits = BTreeMap::new();
    for round in rounds {
        let failed = |error| named(round, error);
        let now = situation(round).map_err(|(field, error)| anyhow!("{field}: {error}"))?;
        book.follow(round, &now).map_err(failed)?;
        let ranking = rules::round(&now).map_err(failed)?;
        for (key, held) in book.open(round.counterparty_side) {
            let position = &held.position;
            let exposure = Exposure::of_position(position, now.funding_index, key.sequence);
            let ranked = exposure.and_then(|exposure| Ranked::new(&ranking, &exposure));
            if ranked.map_err(failed)?.class == Class::Winner {
                let profit = position.pnl(now.mark).map_err(failed)?.positive_part();
                let most = profits.entry(key.clone()).or_insert(0);
                *most = profit.max(*most);
            }
        }
    }
    Ok(profits)
}
