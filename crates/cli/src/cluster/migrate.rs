//! `ballast migrate`: brings accounts of the release before to today's layout.

use std::collections::BTreeMap;

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_client::instructions::migration::{
    MigrateBook, MigrateExchange, MigrateMarket, MigrateQueue, MAX_BOOK_NODES,
};
use ballast_client::migration::{is_outdated, migrate_trader};
use ballast_state::market::Market;
use ballast_state::version::Versioned;
use clap::Args;
use solana_instruction::Instruction;
use solana_signer::Signer;

use super::options::Sending;
use super::session::Session;
use super::units::Collateral;
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
    let shared = shared(session, exchange.is_outdated(), &markets).await?;
    let books = outdated_books(session, &markets).await?;
    let book_of: BTreeMap<Pubkey, Pubkey> = markets
        .iter()
        .map(|(address, market)| (*address, market.book))
        .collect();
    let traders: Vec<Instruction> = session
        .cluster
        .traders()
        .await?
        .iter()
        .filter(|(_, trader)| args.all || trader.owner == signer.pubkey())
        .filter(|(_, trader)| trader.is_outdated())
        .map(|(address, trader)| {
            migrate_trader(*address, trader, |market| book_of.get(market).copied())
        })
        .collect();
    let found = shared.len() + books.len() + traders.len();
    if found == 0 {
        return session.answer(&serde_json::json!({ "outdated": 0 }), || {
            "Every account is of today's layout.".to_owned()
        });
    }
    let names = Names {
        collateral: Collateral {
            decimals: exchange.mint_decimals,
        },
        market: None,
    };
    let mut done = 0;
    let what = "exchange, markets and queues";
    send(
        session,
        args,
        names,
        what,
        shared,
        SHARED_AT_ONCE,
        (&mut done, found),
    )
    .await?;
    for (market, book) in &books {
        whole_book(session, args, names, *market, *book).await?;
        done += 1;
    }
    let what = "trader accounts";
    send(
        session,
        args,
        names,
        what,
        traders,
        TRADERS_AT_ONCE,
        (&mut done, found),
    )
    .await
}

/// The instructions for the exchange, the markets and their queues.
async fn shared(
    session: &Session,
    exchange: bool,
    markets: &[(Pubkey, Market)],
) -> Result<Vec<Instruction>> {
    let mut calls = Vec::new();
    if exchange {
        calls.push(MigrateExchange.instruction());
    }
    for (address, market) in markets {
        if market.is_outdated() {
            let migrate = MigrateMarket {
                market: *address,
                book: market.book,
            };
            calls.push(migrate.instruction());
        }
        for queue in [market.queue_long, market.queue_short] {
            if is_old(session, queue).await? {
                calls.push(MigrateQueue { queue }.instruction());
            }
        }
    }
    Ok(calls)
}

/// Markets and their books, where these are outdated.
async fn outdated_books(
    session: &Session,
    markets: &[(Pubkey, Market)],
) -> Result<Vec<(Pubkey, Pubkey)>> {
    let mut books = Vec::new();
    for (address, market) in markets {
        if is_old(session, market.book).await? {
            books.push((*address, market.book));
        }
    }
    Ok(books)
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
    market: Pubkey,
    book: Pubkey,
) -> Result<()> {
    let migrate = MigrateBook {
        market,
        book,
        max_nodes: MAX_BOOK_NODES,
    };
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
