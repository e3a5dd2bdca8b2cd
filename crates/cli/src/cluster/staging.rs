//! `ballast admin stage`, `apply`, `cancel` and the list of what is staged: changes that wait.

use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result};
use ballast_client::instructions::admin::{self as build, StagedKeys};
use ballast_client::instructions::fund::ApplyPoolChange;
use ballast_client::instructions::source::ApplyOracleChange;
use ballast_client::instructions::MarketKeys;
use ballast_client::price::feed_id;
use ballast_report::table::Table;
use ballast_state::exchange::{Delays, Exchange, Role};
use ballast_state::market::Market;
use ballast_state::pause::LONGEST_STAGED_PAUSE_SLOTS;
use ballast_state::staged::{Change, Staged};
use clap::Subcommand;
use serde::Serialize;
use solana_signer::Signer;

use super::failure::{not_holder, Usage};
use super::options::Sending;
use super::session::Session;
use super::source;
use super::state::{age_words, name_of, slot_seconds};
use super::words::{self, role_name, Names};
use super::writing::{self, Plan};

/// What can be staged by hand; risk parameters and markets are staged by `deploy`.
#[derive(Clone, Debug, Subcommand)]
pub enum StageChoice {
    /// Stage another token account to which the exchange's earnings are paid.
    Treasury {
        /// A token account of the quote currency.
        account: Pubkey,
        #[command(flatten)]
        sending: Sending,
    },
    /// Stage shorter delays; longer ones hold at once, by `raise-delays`.
    Delays {
        #[command(flatten)]
        delays: DelayChoice,
        #[command(flatten)]
        sending: Sending,
    },
    /// Stage a longer pause of what keeps nobody in.
    Pause {
        /// What: open, remove_margin.
        #[arg(required = true, value_parser = super::pauses::flag)]
        what: Vec<u32>,
        /// For how long from when it takes effect, slots of about 0.4 seconds.
        #[arg(long, value_name = "SLOTS", value_parser = clap::value_parser!(u64).range(1..=LONGEST_STAGED_PAUSE_SLOTS))]
        slots: u64,
        #[command(flatten)]
        sending: Sending,
    },
    /// Stage another price source of the same asset, which takes effect only if both agree while it waits.
    Oracle {
        /// Number, name or address of the market.
        #[arg(long, value_name = "MARKET")]
        market: String,
        /// Pyth feed id of the pull oracle, in hexadecimal.
        #[arg(long, value_name = "ID", value_parser = feed_id, required_unless_present = "push")]
        feed: Option<[u8; 32]>,
        /// Price account of the push oracle.
        #[arg(long, value_name = "ACCOUNT", conflicts_with = "feed")]
        push: Option<Pubkey>,
        #[command(flatten)]
        sending: Sending,
    },
    /// Stage an early end of the longer pause.
    Resume {
        #[command(flatten)]
        sending: Sending,
    },
    /// Stage that a reduce-only market opens again.
    Reopen {
        /// Number, name or address of the market.
        #[arg(long, value_name = "MARKET")]
        market: String,
        #[command(flatten)]
        sending: Sending,
    },
    /// Stage the end of a market, at the average price of the hour before it.
    Delist {
        /// Number, name or address of the market.
        #[arg(long, value_name = "MARKET")]
        market: String,
        #[command(flatten)]
        sending: Sending,
    },
}

/// For how long changes shall wait.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct DelayChoice {
    /// Slots for which risk parameters wait.
    #[arg(long, value_name = "SLOTS")]
    risk: u64,
    /// Slots for which everything else waits.
    #[arg(long, value_name = "SLOTS")]
    rest: u64,
}

impl From<DelayChoice> for Delays {
    fn from(chosen: DelayChoice) -> Self {
        Self {
            risk_slots: chosen.risk,
            admin_slots: chosen.rest,
        }
    }
}

/// A staged change as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct StagedView {
    /// The account that holds it.
    pub staged: String,
    /// Names this staging and no other, in hexadecimal.
    pub id: String,
    /// The change in a few words.
    pub what: String,
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
    apply: String,
    /// Of a change of price source, for how many slots both have been seen to agree.
    #[serde(skip_serializing_if = "Option::is_none")]
    witnessed_slots: Option<u64>,
    /// For how many they have to.
    #[serde(skip_serializing_if = "Option::is_none")]
    least_witnessed_slots: Option<u64>,
    #[serde(skip)]
    seconds_left: u64,
}

impl StagedView {
    /// Of the change that an account holds, in `slot`.
    ///
    /// # Errors
    /// When its bytes are no change.
    pub fn new(
        address: &Pubkey,
        staged: &Staged,
        exchange: &Exchange,
        markets: &[(Pubkey, Market)],
        slot: u64,
    ) -> Result<Self> {
        let change = staged.change()?;
        let market = change.is_of_market().then_some(staged.target);
        let market = market.and_then(|key| markets.iter().find(|(address, _)| *address == key));
        let stored = market.map(|(_, market)| market);
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
            what: words::change(&change),
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

/// Everything that is staged, the first to be due first.
pub async fn all(session: &Session) -> Result<Vec<StagedView>> {
    let exchange = session.exchange().await?;
    let found = session.cluster.all_staged().await?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let markets = session.cluster.markets().await?;
    let slot = session.cluster.clock().await?.slot;
    let views = found
        .iter()
        .map(|(address, staged)| StagedView::new(address, staged, &exchange, &markets, slot));
    let mut views = views.collect::<Result<Vec<_>>>()?;
    views.sort_by_key(|view| view.due_slot);
    Ok(views)
}

/// What is staged, as a table.
pub fn table(views: &[StagedView]) -> String {
    let mut table = Table::new(&["staged in", "what", "may be applied"]);
    for view in views {
        table.row([view.staged.clone(), view.about(), view.when()]);
    }
    table.render()
}

/// Runs `ballast admin stage`.
pub async fn stage(session: &Session, choice: &StageChoice) -> Result<()> {
    let (market, change, sending) = match choice {
        StageChoice::Treasury { account, sending } => (None, Change::Treasury(*account), sending),
        StageChoice::Delays { delays, sending } => {
            (None, Change::Delays((*delays).into()), sending)
        }
        StageChoice::Pause {
            what,
            slots,
            sending,
        } => {
            let flags = what.iter().fold(0, |all, flag| all | flag);
            let change = Change::Pause {
                flags,
                slots: *slots,
            };
            (None, change, sending)
        }
        StageChoice::Oracle {
            market,
            feed,
            push,
            sending,
        } => {
            let (address, market) = session.find(market).await?;
            let change = Change::Oracle(source::chosen(&market, *feed, *push));
            (Some((address, market)), change, sending)
        }
        StageChoice::Resume { sending } => {
            let (flags, slots) = (0, 0);
            (None, Change::Pause { flags, slots }, sending)
        }
        StageChoice::Reopen { market, sending } => {
            (Some(session.find(market).await?), Change::Reopen, sending)
        }
        StageChoice::Delist { market, sending } => {
            (Some(session.find(market).await?), Change::Delist, sending)
        }
    };
    let exchange = session.exchange().await?;
    let stored = market.as_ref().map(|(_, market)| market);
    if let Err(error) = change.check(&exchange, stored) {
        return Err(Usage(format!("{}: {error}", error.name())).into());
    }
    let signer = session.keypair()?;
    let authority = signer.pubkey();
    let role = change.proposed_by();
    if authority != exchange.authority(role) {
        return Err(not_holder(&authority, role_name(role), &exchange.authority(role)).into());
    }
    if let Change::Treasury(account) = &change {
        if session.tokens(account).await?.is_none() {
            return Err(Usage(format!("{account} is not a token account")).into());
        }
    }
    let what = words::change(&change);
    let purpose = match &market {
        Some((_, market)) => format!("Stage for {}: {what}", name_of(market)),
        None => format!("Stage: {what}"),
    };
    let stage = build::StageChange {
        authority,
        payer: authority,
        market: market.map(|(address, _)| address),
        change,
    };
    let address = stage.address();
    if session.cluster.staged(&address).await?.is_some() {
        return Err(Usage(format!(
            "another change of the kind is staged in {address}; `ballast admin cancel {address}` first, the delay begins anew"
        ))
        .into());
    }
    let plan = Plan {
        command: "admin stage",
        purpose,
        instructions: vec![stage.instruction()],
        names: Names::of(&exchange),
    };
    writing::perform(session, signer, plan, *sending).await
}

/// Runs `ballast admin raise-delays`.
pub async fn raise_delays(session: &Session, chosen: DelayChoice, sending: Sending) -> Result<()> {
    let exchange = session.exchange().await?;
    let signer = session.keypair()?;
    let admin = signer.pubkey();
    if admin != exchange.authority(Role::Admin) {
        return Err(not_holder(&admin, "admin", &exchange.admin).into());
    }
    let delays = Delays::from(chosen);
    let plan = Plan {
        command: "admin raise-delays",
        purpose: format!(
            "Let risk parameters wait for {} slots and everything else for {}",
            delays.risk_slots, delays.admin_slots
        ),
        instructions: vec![build::RaiseDelays { admin, delays }.instruction()],
        names: Names::of(&exchange),
    };
    writing::perform(session, signer, plan, sending).await
}

/// The change that an account holds, with how it is.
pub async fn held(session: &Session, address: &Pubkey) -> Result<(Staged, StagedView)> {
    let staged = session.cluster.staged(address).await?.ok_or_else(|| {
        Usage(format!(
            "nothing is staged in {address}; `ballast admin show` lists what is"
        ))
    })?;
    let exchange = session.exchange().await?;
    let markets = session.cluster.markets().await?;
    let slot = session.cluster.clock().await?.slot;
    let view = StagedView::new(address, &staged, &exchange, &markets, slot)?;
    Ok((staged, view))
}

/// Runs `ballast admin apply`.
pub async fn apply(session: &Session, address: &Pubkey, sending: Sending) -> Result<()> {
    let (staged, view) = held(session, address).await?;
    let own = format!("ballast admin apply {address}");
    if view.apply != own {
        return Err(Usage(format!(
            "{}: `{}` puts it in force",
            view.about(),
            view.apply
        ))
        .into());
    }
    if view.state != "due" {
        return Err(Usage(format!(
            "{}: it may be applied {}",
            view.about(),
            view.when()
        ))
        .into());
    }
    let change = staged.change()?;
    let keys = StagedKeys::of(*address, &staged);
    let instruction = if let Change::Oracle(source) = &change {
        ApplyOracleChange {
            staged: keys,
            prices: source::prices(session, &staged.target, source).await?,
        }
        .instruction()
    } else if matches!(change, Change::Pool(_)) {
        ApplyPoolChange {
            market: staged.target,
            staged: keys,
        }
        .instruction()
    } else if change.is_of_market() {
        build::ApplyMarketChange {
            keys: keys_of(session, &staged.target).await?,
            staged: keys,
        }
        .instruction()
    } else {
        build::ApplyExchangeChange { staged: keys }.instruction()
    };
    let plan = Plan {
        command: "admin apply",
        purpose: format!("Put in force: {}", view.about()),
        instructions: vec![instruction],
        names: Names::of(&session.exchange().await?),
    };
    writing::perform(session, session.keypair()?, plan, sending).await
}

async fn keys_of(session: &Session, address: &Pubkey) -> Result<MarketKeys> {
    let markets = session.cluster.markets().await?;
    let found = markets.iter().find(|(found, _)| found == address);
    let (_, market) = found.with_context(|| format!("there is no market {address}"))?;
    Ok(MarketKeys::of(address, market, Pubkey::default()))
}

/// Runs `ballast admin cancel` and `ballast guardian cancel`.
pub async fn cancel(session: &Session, address: &Pubkey, sending: Sending) -> Result<()> {
    let (staged, view) = held(session, address).await?;
    let exchange = session.exchange().await?;
    let signer = session.keypair()?;
    let authority = signer.pubkey();
    let slot = session.cluster.clock().await?.slot;
    if staged
        .require_cancellable(&exchange, &authority, slot)
        .is_err()
    {
        return Err(Usage(format!(
            "MayNotCancel: {}: {authority} may not take it back; the guardian is {}, the admin {}",
            view.about(),
            exchange.authority(Role::Guardian),
            exchange.admin
        ))
        .into());
    }
    let cancel = build::CancelStaged {
        authority,
        staged: StagedKeys::of(*address, &staged),
    };
    let plan = Plan {
        command: "admin cancel",
        purpose: format!("Take back what is staged: {}", view.about()),
        instructions: vec![cancel.instruction()],
        names: Names::of(&exchange),
    };
    writing::perform(session, signer, plan, sending).await
}
