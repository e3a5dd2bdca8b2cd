//! `ballast trader`: accounts and who may trade for them.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_client::addresses;
use ballast_client::instructions::trader as build;
use ballast_report::table::Table;
use clap::{Args, Subcommand};
use solana_signer::Signer;

use super::failure::Usage;
use super::options::{Sending, TraderChoice};
use super::session::Session;
use super::units::Collateral;
use super::words::{counted, Names};
use super::writing::{self, Plan};
use ballast_view::trader::TraderView;

/// Arguments of `trader`.
#[derive(Clone, Debug, Args)]
pub struct TraderArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Open a trader account of the signer.
    Create {
        /// Its number among the signer's.
        #[arg(long, value_name = "N", default_value_t = 0)]
        sub_id: u16,
        #[command(flatten)]
        sending: Sending,
    },
    /// Show a trader account.
    Show {
        /// Trader account [default: the one of --owner and --sub-id].
        address: Option<Pubkey>,
        #[command(flatten)]
        choice: TraderChoice,
    },
    /// List the trader accounts of an owner.
    List {
        /// Owner [default: the signer].
        #[arg(long, value_name = "KEY", conflicts_with = "all")]
        owner: Option<Pubkey>,
        /// Those of everybody.
        #[arg(long)]
        all: bool,
    },
    /// Close an empty trader account of the signer.
    Close {
        #[command(flatten)]
        choice: TraderChoice,
        #[command(flatten)]
        sending: Sending,
    },
    /// Let a key trade, but not withdraw, for a trader account of the signer.
    Delegate {
        /// Public key that may trade from now on.
        #[arg(required_unless_present = "revoke")]
        key: Option<Pubkey>,
        /// Nobody from now on.
        #[arg(long, conflicts_with = "key")]
        revoke: bool,
        /// Let it sign block trades too, at any price within the market's band.
        #[arg(long, conflicts_with = "revoke")]
        block_trades: bool,
        #[command(flatten)]
        choice: TraderChoice,
        #[command(flatten)]
        sending: Sending,
    },
}

/// Runs `ballast trader`.
pub async fn run(session: &Session, args: &TraderArgs) -> Result<()> {
    match &args.action {
        Action::Create { sub_id, sending } => create(session, *sub_id, *sending).await,
        Action::Show { address, choice } => show(session, *address, choice).await,
        Action::List { owner, all } => list(session, *owner, *all).await,
        Action::Close { choice, sending } => close(session, choice, *sending).await,
        Action::Delegate {
            key,
            block_trades,
            choice,
            sending,
            ..
        } => delegate(session, *key, *block_trades, choice, *sending).await,
    }
}

async fn create(session: &Session, sub_id: u16, sending: Sending) -> Result<()> {
    let signer = session.keypair()?;
    let owner = signer.pubkey();
    let address = addresses::trader(&owner, sub_id);
    if session.cluster.trader(&address).await?.is_some() {
        return Err(Usage(format!(
            "trader account {address} (number {sub_id}) is open already; choose another number with --sub-id"
        ))
        .into());
    }
    let plan = Plan {
        command: "trader create",
        purpose: format!("Open trader account {address} of {owner}"),
        instructions: vec![build::CreateTrader {
            payer: owner,
            owner,
            sub_id,
        }
        .instruction()],
        names: Names::of(&session.exchange().await?),
    };
    writing::perform(session, signer, plan, sending).await
}

async fn show(session: &Session, address: Option<Pubkey>, choice: &TraderChoice) -> Result<()> {
    let address = match address {
        Some(address) => address,
        None => session.trader_address(choice)?,
    };
    let trader = session.trader(&address).await?;
    let collateral = Names::of(&session.exchange().await?).collateral;
    let view = TraderView::new(&address, &trader, collateral);
    session.answer(&view, || view.words(collateral))
}

async fn list(session: &Session, owner: Option<Pubkey>, all: bool) -> Result<()> {
    let owner = match (owner, all) {
        (_, true) => None,
        (Some(owner), false) => Some(owner),
        (None, false) => Some(session.keypair()?.pubkey()),
    };
    let collateral = Names::of(&session.exchange().await?).collateral;
    let mut traders = session.cluster.traders().await?;
    traders.retain(|(_, trader)| owner.is_none_or(|owner| trader.owner == owner));
    traders.sort_by_key(|(address, trader)| (trader.owner, trader.sub_id, *address));
    let views: Vec<TraderView> = traders
        .iter()
        .map(|(address, trader)| TraderView::new(address, trader, collateral))
        .collect();
    session.answer(&views, || table(&views, collateral))
}

/// Trader accounts as a table.
fn table(views: &[TraderView], collateral: Collateral) -> String {
    if views.is_empty() {
        return "No trader accounts.".to_owned();
    }
    let mut table = Table::new(&["trader account", "owner", ">number", ">free", ">markets"]);
    for view in views {
        table.row([
            view.trader.clone(),
            view.owner.clone(),
            view.sub_id.to_string(),
            collateral.show(view.free_atoms.into()),
            view.markets.to_string(),
        ]);
    }
    format!(
        "{}\n{}",
        counted(views.len(), "trader account"),
        table.render()
    )
}

async fn close(session: &Session, choice: &TraderChoice, sending: Sending) -> Result<()> {
    let signer = session.keypair()?;
    let address = session.trader_address(choice)?;
    let trader = session.trader(&address).await?;
    let names = Names::of(&session.exchange().await?);
    if trader.free > 0 || trader.position_count > 0 {
        return Err(Usage(format!(
            "trader account {address} is not empty: it has {} of free collateral and is used in {} markets; close what is open and withdraw first",
            names.collateral.show(trader.free.into()),
            trader.position_count
        ))
        .into());
    }
    let plan = Plan {
        command: "trader close",
        purpose: format!("Close trader account {address}"),
        instructions: vec![build::CloseTrader {
            owner: signer.pubkey(),
            trader: address,
        }
        .instruction()],
        names,
    };
    writing::perform(session, signer, plan, sending).await
}

async fn delegate(
    session: &Session,
    key: Option<Pubkey>,
    block_trades: bool,
    choice: &TraderChoice,
    sending: Sending,
) -> Result<()> {
    let signer = session.keypair()?;
    let address = session.trader_address(choice)?;
    session.trader(&address).await?;
    let purpose = match key {
        Some(key) if block_trades => {
            format!("Let {key} trade, block trades included, for trader account {address}")
        }
        Some(key) => format!("Let {key} trade with the book for trader account {address}"),
        None => format!("Revoke the delegate of trader account {address}"),
    };
    let plan = Plan {
        command: "trader delegate",
        purpose,
        instructions: vec![build::SetDelegate {
            owner: signer.pubkey(),
            trader: address,
            delegate: key,
            block_trades,
        }
        .instruction()],
        names: Names::of(&session.exchange().await?),
    };
    writing::perform(session, signer, plan, sending).await
}
