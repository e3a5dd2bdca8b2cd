//! `ballast admin stage`, `apply`, `cancel` and the list of what is staged: changes that wait.

mod view;

use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result};
use ballast_client::instructions::admin::{self as build, StagedKeys};
use ballast_client::instructions::fund::ApplyPoolChange;
use ballast_client::instructions::source::ApplyOracleChange;
use ballast_client::instructions::MarketKeys;
use ballast_client::price::feed_id;
use ballast_state::exchange::{Delays, Role};
use ballast_state::market::Market;
use ballast_state::pause::LONGEST_STAGED_PAUSE_SLOTS;
use ballast_state::staged::{Change, Staged};
use clap::Subcommand;
use solana_signer::Signer;

use super::failure::{not_holder, Usage};
use super::options::Sending;
use super::pool_params::{self, ParamChange, PoolChoice};
use super::session::Session;
use super::source;
use super::state::{age_words, name_of, slot_seconds};
use super::words::{self, role_name, Names};
use super::writing::{self, Extras, Plan};

pub use view::{table, Ground, StagedView};

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
    /// Stage other parameters of a market's pool; with them a pool that is stopped goes on. The risk
    /// authority.
    Pool {
        /// Number, name or address of the market.
        #[arg(long, value_name = "MARKET")]
        market: String,
        #[command(flatten)]
        params: Box<PoolChoice>,
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

/// Everything that is staged, the first to be due first.
pub async fn all(session: &Session) -> Result<Vec<StagedView>> {
    let found = session.cluster.all_staged().await?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let ground = Ground::read(session).await?;
    let views = found
        .iter()
        .map(|(address, staged)| StagedView::new(address, staged, &ground));
    let mut views = views.collect::<Result<Vec<_>>>()?;
    views.sort_by_key(|view| view.due_slot);
    Ok(views)
}

/// What is to be staged.
struct Wanted {
    /// The market, where one is changed.
    market: Option<(Pubkey, Market)>,
    change: Change,
    /// Of a change of a pool, what of its parameters would be different.
    changes: Option<Vec<ParamChange>>,
    sending: Sending,
}

/// What was chosen.
async fn wanted(session: &Session, choice: &StageChoice) -> Result<Wanted> {
    let mut changes = None;
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
        StageChoice::Pool {
            market,
            params,
            sending,
        } => {
            let (address, market) = session.find(market).await?;
            let (params, different) = params.chosen(session, (&address, &market)).await?;
            changes = Some(different);
            (Some((address, market)), Change::Pool(params), sending)
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
    Ok(Wanted {
        market,
        change,
        changes,
        sending: *sending,
    })
}

/// Runs `ballast admin stage`.
pub async fn stage(session: &Session, choice: &StageChoice) -> Result<()> {
    let Wanted {
        market,
        change,
        changes,
        sending,
    } = wanted(session, choice).await?;
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
    let what = match &changes {
        Some(changes) => pool_params::change_words(changes),
        None => words::change(&change),
    };
    let wait = wait_words(change.delay(&exchange.delays()));
    let purpose = match &market {
        Some((_, market)) => format!("Stage for {}: {what}; {wait}", name_of(market)),
        None => format!("Stage: {what}; {wait}"),
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
    let extras = Extras {
        changes,
        ..Extras::default()
    };
    writing::perform_with(session, signer, plan, extras, sending).await?;
    Ok(())
}

/// How long a change waits, in words.
fn wait_words(slots: u64) -> String {
    match i64::try_from(slot_seconds(slots)) {
        _ if slots == 0 => "it may be applied at once".to_owned(),
        Ok(seconds) => format!("it waits for {slots} slots, about {}", age_words(seconds)),
        Err(_) => format!("it waits for {slots} slots"),
    }
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
    let view = StagedView::new(address, &staged, &Ground::read(session).await?)?;
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
