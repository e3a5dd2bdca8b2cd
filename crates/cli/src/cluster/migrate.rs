//! `ballast migrate`: brings accounts of the release before to today's layout.

use std::collections::BTreeSet;

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_client::instructions::migration::MigrateBook;
use ballast_client::migration::{is_outdated, Migrations};
use ballast_state::market::Market;
use clap::Args;
use solana_instruction::Instruction;
use solana_signer::Signer;

use super::options::Sending;
use super::session::Session;
use super::words::Names;
use super::writing::{self, Plan};

/// Traders that one transaction migrates.
const TRADERS_AT_ONCE: usize = 6;
/// Exchange, markets and queues that one transaction migrates.
const SHARED_AT_ONCE: usize = 8;

/// Arguments of `migrate`.
#[derive(Clone, Debug, Args)]
pub struct MigrateArgs {
    /// Everybody's trader accounts, not only those of the signer.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    sending: Sending,
}

/// Migrates what is outdated: what everybody shares, then books, then traders. May be stopped and repeated: what is done is not done again.
pub async fn run(session: &Session, args: &MigrateArgs) -> Result<()> {
    let signer = session.keypair()?;
    let exchange = session.exchange().await?;
    let markets = session.cluster.markets().await?;
    let mut traders = session.cluster.traders().await?;
    traders.retain(|(_, trader)| args.all || trader.owner == signer.pubkey());
    let outdated = outdated_among(session, &markets).await?;
    let found = Migrations::of(&exchange, &markets, &outdated, &traders);
    let count = found.count();
    if count == 0 {
        return session.answer(&serde_json::json!({ "outdated": 0 }), || {
            "Every account is of today's layout.".to_owned()
        });
    }
    let names = Names::of(&exchange);
    let mut done = 0;
    let what = "exchange, markets and queues";
    send(
        session,
        args,
        names,
        what,
        found.shared,
        SHARED_AT_ONCE,
        (&mut done, count),
    )
    .await?;
    for book in &found.books {
        whole_book(session, args, names, book).await?;
        done += 1;
    }
    let what = "trader accounts";
    send(
        session,
        args,
        names,
        what,
        found.traders,
        TRADERS_AT_ONCE,
        (&mut done, count),
    )
    .await
}

/// Which queues and books of the markets are outdated.
async fn outdated_among(
    session: &Session,
    markets: &[(Pubkey, Market)],
) -> Result<BTreeSet<Pubkey>> {
    let mut outdated = BTreeSet::new();
    for (_, market) in markets {
        for address in [market.queue_long, market.queue_short, market.book] {
            if is_old(session, address).await? {
                outdated.insert(address);
            }
        }
    }
    Ok(outdated)
}

async fn is_old(session: &Session, address: Pubkey) -> Result<bool> {
    let (_, found) = session.cluster.accounts(&[address]).await?;
    let account = found.into_iter().flatten().next();
    Ok(account.is_some_and(|account| is_outdated(&account.data)))
}

/// Calls until the book is of today's layout.
async fn whole_book(
    session: &Session,
    args: &MigrateArgs,
    names: Names<'_>,
    migrate: &MigrateBook,
) -> Result<()> {
    let book = migrate.book;
    loop {
        let plan = Plan {
            command: "migrate",
            purpose: format!("Migrate the book {book}"),
            instructions: vec![migrate.instruction()],
            names,
        };
        writing::perform(session, session.keypair()?, plan, args.sending).await?;
        if args.sending.dry_run || !is_old(session, book).await? {
            return Ok(());
        }
    }
}

/// Sends calls, `at_once` a transaction, and says how far that is.
async fn send(
    session: &Session,
    args: &MigrateArgs,
    names: Names<'_>,
    what: &str,
    calls: Vec<Instruction>,
    at_once: usize,
    (done, found): (&mut usize, usize),
) -> Result<()> {
    for some in calls.chunks(at_once) {
        let plan = Plan {
            command: "migrate",
            purpose: format!(
                "Migrate {} accounts ({what}), {} of {found} are left",
                some.len(),
                found - *done
            ),
            instructions: some.to_vec(),
            names,
        };
        writing::perform(session, session.keypair()?, plan, args.sending).await?;
        *done += some.len();
        if args.sending.dry_run {
            break;
        }
    }
    Ok(())
}
