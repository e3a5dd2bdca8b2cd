//! History against the counters of the markets.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::Result;
use ballast_rpc::cluster::Cluster;
use ballast_state::market::Market;
use ballast_state::Pubkey;

use super::accounts::final_markets;
use crate::entry::{INSURANCE, MODE, SETTLEMENT};
use crate::gateway::Gateway;
use crate::store::finality::{self, Counted, Hole};
use crate::store::sql::{number, StoreError};

/// Newest holes that are shown.
const SHOWN: u32 = 20;

/// What markets count, by address, with their numbers.
type Counters = BTreeMap<Pubkey, (u16, Counted)>;

/// What markets count, final.
///
/// # Errors
/// When the node does not answer.
pub async fn read(cluster: &Cluster) -> Result<Counters> {
    let (_, markets) = final_markets(cluster).await?;
    let counters = markets
        .into_iter()
        .map(|(address, market)| (address, (market.index, counted(&market))));
    Ok(counters.collect())
}

/// What a market counts.
fn counted(market: &Market) -> Counted {
    let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let ended = market.mode().has_ended();
    // The market itself holds the lots that it has settled or written off.
    let taken_over = market.wind_down.settled_lots;
    let longs = signed(market.open_interest_lots);
    Counted {
        liquidations: signed(market.liquidations),
        rounds: signed(market.adl_rounds),
        open_interest: longs,
        short_lots: longs.saturating_add(taken_over),
        insurance: (!ended).then(|| signed(market.insurance.balance)),
        settlement: ended.then(|| signed(settlement(market))),
        mode: Some(market.mode().number().into()),
    }
}

/// What a market that has ended has beside the positions that are paid in full; see
/// [`Sum::Settlement`](crate::entry::Sum::Settlement).
fn settlement(market: &Market) -> u64 {
    let written_off = market.write_off();
    let for_claims = match written_off.is_any() && market.claims_are_known() {
        true => written_off
            .covered()
            .saturating_sub(market.wind_down.held_paid),
        false => 0,
    };
    let own = market.insurance.balance.saturating_add(market.held.atoms);
    own.saturating_add(for_claims)
}

/// Compares history up to slot `root` with what markets counted before that slot and count now, where that is the
/// same.
///
/// # Errors
/// When the node or the database does not answer.
pub async fn compare(
    gateway: &Gateway,
    cluster: &Cluster,
    before: Counters,
    root: u64,
) -> Result<()> {
    let after = read(cluster).await?;
    let still: Vec<(Pubkey, u16, Counted)> = before
        .into_iter()
        .filter_map(|(address, (index, counted))| {
            let (_, now) = after.get(&address)?;
            Some((address, index, steady(&counted, now)?))
        })
        .collect();
    let all_still = still.len() == after.len();
    let found = gateway.store.read(move |sql| {
        let mut counters = Vec::new();
        for (address, index, chain) in &still {
            let address = address.to_string();
            let known = finality::counted(sql, *index, &address, root)?;
            counters.extend(differences(&address, &known, chain, root));
        }
        let (holes, count) = finality::holes(sql, SHOWN)?;
        let first = number(
            sql,
            "SELECT CAST(COUNT(*) AS BIGINT) FROM event WHERE name = 'ExchangeInitialized'",
            &[],
        )?;
        Ok::<_, StoreError>((counters, holes, count, first.unwrap_or(0) > 0))
    });
    let (counters, holes, count, from_beginning) = found.await?;
    let joins = count + i64::try_from(counters.len()).unwrap_or(0);
    gateway.metrics.holes.set(joins);
    let whole = joins == 0 && from_beginning;
    gateway.metrics.complete.set(i64::from(whole));
    let slot = i64::try_from(root).unwrap_or(i64::MAX);
    gateway.metrics.final_slot.set(slot);
    gateway.vitals(|vitals| {
        vitals.final_slot = root;
        vitals.from_beginning = from_beginning;
        (vitals.holes, vitals.hole_count) = (holes, count);
        if all_still || !counters.is_empty() {
            vitals.counters = counters;
            vitals.compared = Some(Instant::now());
        }
    });
    Ok(())
}

/// What a market counted before and counts now, where that is the same. Insurance gets a part of every fee: it is left out
/// where it changed, and keeps the others from nothing.
fn steady(before: &Counted, now: &Counted) -> Option<Counted> {
    let insurance = before
        .insurance
        .filter(|_| before.insurance == now.insurance);
    let rest = |of: &Counted| Counted {
        insurance: None,
        ..*of
    };
    (rest(before) == rest(now)).then_some(Counted {
        insurance,
        ..*before
    })
}

fn differences(market: &str, known: &Counted, chain: &Counted, slot: u64) -> Vec<Hole> {
    let mut pairs = vec![
        ("liquidations", known.liquidations, chain.liquidations),
        ("adl_rounds", known.rounds, chain.rounds),
        (
            "open_interest_lots",
            known.open_interest,
            chain.open_interest,
        ),
        ("short_lots", known.short_lots, chain.short_lots),
    ];
    for (what, known, chain) in [
        (INSURANCE, known.insurance, chain.insurance),
        (SETTLEMENT, known.settlement, chain.settlement),
        (MODE, known.mode, chain.mode),
    ] {
        let both = known.zip(chain);
        pairs.extend(both.map(|(known, chain)| (what, known, chain)));
    }
    let apart = pairs.into_iter().filter(|(_, known, chain)| known != chain);
    apart
        .map(|(what, known, chain)| Hole {
            what: what.to_owned(),
            market: Some(market.to_owned()),
            trader: None,
            signature: String::new(),
            slot,
            expected: known.to_string(),
            found: chain.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fee_between_two_readings_leaves_the_other_counters_to_compare() {
        let before = Counted {
            liquidations: 2,
            rounds: 1,
            open_interest: 60,
            short_lots: 60,
            insurance: Some(7),
            settlement: None,
            mode: Some(0),
        };
        assert_eq!(steady(&before, &before), Some(before));
        let paid = Counted {
            insurance: Some(8),
            ..before
        };
        let without = Counted {
            insurance: None,
            ..before
        };
        assert_eq!(steady(&before, &paid), Some(without));
        let opened = Counted {
            open_interest: 61,
            ..before
        };
        assert_eq!(steady(&before, &opened), None);
    }

    #[test]
    fn every_counter_that_differs_is_named() {
        let chain = Counted {
            liquidations: 2,
            rounds: 1,
            open_interest: 60,
            short_lots: 60,
            insurance: Some(7),
            settlement: None,
            mode: Some(0),
        };
        assert!(differences("m", &chain, &chain, 1).is_empty());
        let known = Counted {
            liquidations: 1,
            open_interest: 50,
            insurance: None,
            mode: Some(1),
            ..chain
        };
        let found = differences("m", &known, &chain, 1);
        let named: Vec<(&str, &str, &str)> = found
            .iter()
            .map(|hole| {
                (
                    hole.what.as_str(),
                    hole.expected.as_str(),
                    hole.found.as_str(),
                )
            })
            .collect();
        assert_eq!(
            named,
            [
                ("liquidations", "1", "2"),
                ("open_interest_lots", "50", "60"),
                ("mode", "1", "0")
            ]
        );
    }
}
