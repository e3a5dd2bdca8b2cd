//! Changes that wait, as they are printed.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_report::table::Table;
use ballast_state::exchange::Exchange;
use ballast_state::market::Market;
use ballast_state::pool::Pool;
use ballast_state::staged::{Change, Staged};
use serde::Serialize;

use crate::cluster::pool_params::{self, ParamChange};
use crate::cluster::session::Session;
use crate::cluster::state::{age_words, name_of, slot_seconds};
use crate::cluster::words::{self, role_name};

/// A staged change as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct StagedView {
    /// The account that holds it.
    pub staged: String,
    /// Names this staging and no other, in hexadecimal.
    pub id: String,
    /// The change in a few words.
    pub what: String,
    /// Of a change of a pool, what of its parameters would be different.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Vec<ParamChange>>,
    /// Name of the market that it changes.
    market: Option<String>,
    proposer: String,
    staged_slot: u64,
    /// First slot in which it may be applied.
    pub due_slot: u64,
    /// Last slot in which it may be.
    expires_slot: u64,
    /// `waiting`, `due`, `expired`, `void` where what it would change is no longer what it was, or
    /// `refuted` where the two price sources were apart.
    pub state: &'static str,
    /// The command that puts it in force.
    pub(super) apply: String,
    /// Of a change of price source, for how many slots both have been seen to agree.
    #[serde(skip_serializing_if = "Option::is_none")]
    witnessed_slots: Option<u64>,
    /// For how many they have to.
    #[serde(skip_serializing_if = "Option::is_none")]
    least_witnessed_slots: Option<u64>,
    #[serde(skip)]
    seconds_left: u64,
}

/// What staged changes are judged by.
pub struct Ground {
    /// The exchange.
    pub exchange: Exchange,
    /// Its markets.
    pub markets: Vec<(Pubkey, Market)>,
    /// The pools of the markets, by market.
    pub pools: Vec<(Pubkey, Pool)>,
    /// The current slot.
    pub slot: u64,
}

impl Ground {
    pub(super) async fn read(session: &Session) -> Result<Self> {
        let markets = session.cluster.markets().await?;
        let keys: Vec<Pubkey> = markets.iter().map(|(address, _)| *address).collect();
        Ok(Self {
            exchange: session.exchange().await?,
            pools: pool_params::of_markets(session, &keys).await?,
            slot: session.cluster.clock().await?.slot,
            markets,
        })
    }

    /// What of the pool's parameters would be different, where a change is one of a pool.
    fn pool_changes(&self, market: &Pubkey, change: &Change) -> Option<Vec<ParamChange>> {
        let Change::Pool(after) = change else {
            return None;
        };
        let (_, pool) = self.pools.iter().find(|(of, _)| of == market)?;
        Some(pool_params::changes(&pool.params, after))
    }
}

impl StagedView {
    /// Of the change that an account holds.
    ///
    /// # Errors
    /// When its bytes are no change.
    pub fn new(address: &Pubkey, staged: &Staged, ground: &Ground) -> Result<Self> {
        let (exchange, slot) = (&ground.exchange, ground.slot);
        let change = staged.change()?;
        let market = change.is_of_market().then_some(staged.target);
        let mut markets = ground.markets.iter();
        let market = market.and_then(|key| markets.find(|(address, _)| *address == key));
        let stored = market.map(|(_, market)| market);
        let changes = ground.pool_changes(&staged.target, &change);
        let what = match &changes {
            Some(changes) => pool_params::change_words(changes),
            None => words::change(&change),
        };
        let due_slot = staged.ready_slot(&change, exchange)?;
        let current = staged.is_current(&change, exchange, stored)?;
        let least = match change {
            Change::Oracle(_) => Some(staged.least_witnessed(&change, exchange)?),
            _ => None,
        };
        let state = match () {
            () if !staged.witnessed.holds() => "refuted",
            () if slot > staged.expires_slot => "expired",
            () if !current => "void",
            () if slot < due_slot => "waiting",
            () => "due",
        };
        Ok(Self {
            staged: address.to_string(),
            id: words::hex(&staged.id),
            what,
            changes,
            market: stored.map(name_of),
            proposer: staged.proposer.to_string(),
            staged_slot: staged.staged_slot,
            due_slot,
            expires_slot: staged.expires_slot,
            state,
            apply: apply_command(&change, address),
            witnessed_slots: least.map(|_| staged.witnessed.covered_slots),
            least_witnessed_slots: least,
            seconds_left: slot_seconds(due_slot.saturating_sub(slot)),
        })
    }

    /// What it would change, in a few words.
    pub fn about(&self) -> String {
        let what = match (self.witnessed_slots, self.least_witnessed_slots) {
            (Some(seen), Some(least)) => {
                format!("{}, seen to agree for {seen} of {least} slots", self.what)
            }
            _ => self.what.clone(),
        };
        match &self.market {
            Some(market) => format!("{market}: {what}"),
            None => what,
        }
    }

    /// When it may be applied, for people.
    pub fn when(&self) -> String {
        match self.state {
            "waiting" => {
                let left = i64::try_from(self.seconds_left).unwrap_or(i64::MAX);
                format!("from slot {}, in about {}", self.due_slot, age_words(left))
            }
            "due" => format!("now, until slot {}", self.expires_slot),
            "expired" => "no more: it has expired".to_owned(),
            "refuted" => "never: its price source says something else".to_owned(),
            _ => "no more: what it would change has changed since".to_owned(),
        }
    }
}

/// What puts a change in force.
fn apply_command(change: &Change, address: &Pubkey) -> String {
    match change {
        Change::CreateMarket(_) => "deploy".to_owned(),
        Change::Authority { role, .. } => format!("ballast admin accept {}", role_name(*role)),
        _ => format!("ballast admin apply {address}"),
    }
}

/// What is staged, as a table.
pub fn table(views: &[StagedView]) -> String {
    let mut table = Table::new(&["staged in", "what", "may be applied"]);
    for view in views {
        table.row([view.staged.clone(), view.about(), view.when()]);
    }
    table.render()
}
