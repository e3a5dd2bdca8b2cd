//! `ballast history` and `ballast adl list`: what happened to a trader account, from the chain.

mod adl;
mod entry;
mod forced;
mod funding;
mod meaning;
mod pools;
mod settled;
mod shares;

use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result};
use ballast_report::table::Table;
use ballast_rpc::history::{Mention, Past};
use ballast_state::events::{BallastEvent, LegMade};
use clap::Args;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::Serialize;

use super::funds::owner_or_signer;
use super::options::TraderChoice;
use super::session::{say, Session};
use super::units::Collateral;
use super::when;
use funding::Ledger;
use meaning::Reader;

pub use adl::{list as adl_list, AdlArgs};
pub use entry::{Entry, Kind, Naming, Source};
pub use shares::{FundChoice, Shares};

/// Transactions read at a time.
const AT_ONCE: usize = 8;

/// Arguments of `history`.
#[derive(Clone, Debug, Args)]
pub struct HistoryArgs {
    /// Only since then: unix seconds, a date such as 2026-11-28, or so long ago as 90m, 12h or 7d.
    #[arg(long, value_name = "TIME", value_parser = when::since)]
    since: Option<i64>,
    /// Only lines of this kind; may be given again [default: all].
    #[arg(long, value_enum, value_name = "KIND")]
    kind: Vec<Kind>,
    /// Only this market [default: all].
    #[arg(long, value_name = "MARKET")]
    market: Option<String>,
    /// Most transactions to read, the newest first.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    limit: usize,
    /// Print comma-separated values, amounts in atoms.
    #[arg(long)]
    csv: bool,
    /// Not a trader account, but the owner's shares of this fund of the market.
    #[arg(long, value_enum, value_name = "FUND", requires = "market", conflicts_with_all = ["trader", "sub_id"])]
    shares: Option<FundChoice>,
    #[command(flatten)]
    choice: TraderChoice,
}

/// A history as it is printed.
#[derive(Clone, Debug, Serialize)]
struct HistoryView {
    /// The trader account; `null` for a history of shares.
    trader: Option<String>,
    /// The account of the shares; `null` for a history of a trader account.
    shares: Option<String>,
    /// Whether older transactions were left out because of `--limit`.
    cut_off: bool,
    /// The oldest first.
    entries: Vec<Entry>,
}

/// Whose history is asked for.
enum Subject {
    Trader(Pubkey),
    Shares(Shares),
}

impl Subject {
    /// The account that its transactions name.
    fn account(&self) -> Pubkey {
        match self {
            Self::Trader(trader) => *trader,
            Self::Shares(shares) => shares.account(),
        }
    }

    fn view(&self, cut_off: bool, entries: Vec<Entry>) -> HistoryView {
        let account = Some(self.account().to_string());
        let (trader, shares) = match self {
            Self::Trader(_) => (account, None),
            Self::Shares(_) => (None, account),
        };
        HistoryView {
            trader,
            shares,
            cut_off,
            entries,
        }
    }
}

/// Runs `ballast history`.
pub async fn run(session: &Session, args: &HistoryArgs) -> Result<()> {
    let naming = naming(session).await?;
    let market = match &args.market {
        Some(selector) => Some(session.find(selector).await?),
        None => None,
    };
    let subject = match (args.shares, &market) {
        (Some(fund), Some((market, _))) => {
            let owner = owner_or_signer(session, args.choice.owner)?;
            Subject::Shares(Shares::new(fund, *market, owner))
        }
        _ => Subject::Trader(session.trader_address(&args.choice)?),
    };
    let account = subject.account();
    let cluster = &session.cluster;
    let mentions = cluster.mentions(&account, None, args.since, args.limit);
    let mentions = mentions.await?;
    let cut_off = mentions.len() >= args.limit;
    let mut entries = match &subject {
        Subject::Trader(trader) => {
            if mentions.is_empty() {
                // Says what is there instead, where there is no trader account.
                session.trader(trader).await?;
            }
            entries(&transactions(session, mentions).await?, *trader, &naming)
        }
        Subject::Shares(shares) => shares.entries(&transactions(session, mentions).await?, &naming),
    };
    let index = market.map(|(_, market)| market.index);
    entries.retain(|entry| {
        let wanted = args.kind.is_empty() || args.kind.contains(&entry.kind);
        wanted && (index.is_none() || entry.market_index == index)
    });
    if args.csv {
        return write_csv(&entries);
    }
    let view = subject.view(cut_off, entries);
    session.answer(&view, || words(&view))
}

/// How the markets of the exchange are named.
pub async fn naming(session: &Session) -> Result<Naming> {
    let decimals = session.exchange().await?.mint_decimals;
    let markets = session.cluster.markets().await?;
    Ok(Naming::new(Collateral { decimals }, &markets))
}

/// The transactions of mentions that did not fail, the oldest first.
pub async fn transactions(
    session: &Session,
    mentions: Vec<Mention>,
) -> Result<Vec<(Mention, Past)>> {
    let landed = mentions.into_iter().rev().filter(|one| !one.failed);
    let reading = landed.map(|mention| async move {
        let past = session.cluster.transaction(&mention.signature).await?;
        let past = past.with_context(|| {
            format!(
                "the node names transaction {} and does not have it; name a node that keeps history with --url, or a later --since",
                mention.signature
            )
        })?;
        anyhow::Ok((mention, past))
    });
    stream::iter(reading).buffered(AT_ONCE).try_collect().await
}

/// What transactions mean to a trader account; the oldest has to be the first.
pub fn entries(past: &[(Mention, Past)], trader: Pubkey, naming: &Naming) -> Vec<Entry> {
    let mut reader = Reader {
        trader,
        naming,
        ledger: Ledger::default(),
        into_pool: false,
        legs: Vec::new(),
        made: Vec::new(),
    };
    of_each(past, |past, source| {
        let mut found = Vec::new();
        let mut events = past.events.as_slice();
        while let Some((event, rest)) = events.split_first() {
            reader.into_pool = matches!(rest.first(), Some(BallastEvent::PoolTook(_)));
            reader.legs = match rest.first() {
                Some(BallastEvent::CrossRound(it)) => it.legs.iter().map(|leg| leg.place).collect(),
                _ => Vec::new(),
            };
            reader.made = made_after(rest);
            found.extend(reader.read(event, source));
            events = rest;
        }
        found
    })
}

/// What the events after one with fills say of those of legs, up to the next one with fills.
fn made_after(rest: &[BallastEvent]) -> Vec<LegMade> {
    let own = rest.iter().take_while(|event| !has_fills(event));
    let legs = own.filter_map(|event| match event {
        BallastEvent::LegsMade(made) => Some(made.legs.as_slice()),
        _ => None,
    });
    legs.flatten().copied().collect()
}

/// Whether orders of the book are filled by an event.
const fn has_fills(event: &BallastEvent) -> bool {
    matches!(
        event,
        BallastEvent::OrderPlaced(_)
            | BallastEvent::TriggerExecuted(_)
            | BallastEvent::ProtectionExecuted(_)
            | BallastEvent::PositionLiquidated(_)
            | BallastEvent::PoolUnwound(_)
    )
}

/// The lines of each transaction in turn.
fn of_each(
    past: &[(Mention, Past)],
    mut lines: impl FnMut(&Past, Source<'_>) -> Vec<Entry>,
) -> Vec<Entry> {
    let mut found = Vec::new();
    for (mention, past) in past {
        let signature = mention.signature.to_string();
        let source = Source {
            time: past.block_time.or(mention.block_time),
            slot: past.slot,
            signature: &signature,
        };
        found.extend(lines(past, source));
    }
    found
}

fn words(view: &HistoryView) -> String {
    let whose = match (&view.trader, &view.shares) {
        (Some(trader), _) => format!("trader account {trader}"),
        (None, shares) => format!("share account {}", shares.as_deref().unwrap_or_default()),
    };
    if view.entries.is_empty() {
        return format!("Nothing of the kind happened to {whose}.");
    }
    let mut table = Table::new(&["time (UTC)", "kind", "market", "what"]);
    for entry in &view.entries {
        table.row([
            when::shown(entry.time),
            entry.kind.name().to_owned(),
            entry.market.clone().unwrap_or_default(),
            format!("{} {}", entry.text, entry.signature),
        ]);
    }
    let mut text = format!(
        "History of {whose}, the oldest first; each line ends with its transaction\n{}",
        table.render()
    );
    if view.cut_off {
        text.push_str("\n\nThere is more before: raise --limit.");
    }
    let forced = view.entries.iter().rev();
    if let Some(last) = forced
        .clone()
        .find(|entry| entry.kind == Kind::Deleveraging)
    {
        text.push_str(&format!(
            "\n\nWhy a deleveraging cut whom it cut: `ballast explain-adl {}`.",
            last.signature
        ));
    }
    text
}

/// A line of comma-separated values.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    slot: u64,
    kind: &'static str,
    market: &'a str,
    side: &'a str,
    size: &'a str,
    price: String,
    realized_atoms: Option<i64>,
    fee_atoms: Option<i64>,
    funding_atoms: Option<i64>,
    amount_atoms: Option<i64>,
    gave_up_atoms: Option<u64>,
    signature: &'a str,
    text: &'a str,
}

fn write_csv(entries: &[Entry]) -> Result<()> {
    say(csv_of(entries)?.trim_end())
}

fn csv_of(entries: &[Entry]) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for entry in entries {
        writer.serialize(Line {
            time: when::shown(entry.time),
            slot: entry.slot,
            kind: entry.kind.name(),
            market: entry.market.as_deref().unwrap_or_default(),
            side: entry.side.unwrap_or_default(),
            size: entry.size.as_deref().unwrap_or_default(),
            // Without the groups of three that are for people.
            price: entry.price.as_deref().unwrap_or_default().replace(',', ""),
            realized_atoms: entry.realized_atoms,
            fee_atoms: entry.fee_atoms,
            funding_atoms: entry.funding_atoms,
            amount_atoms: entry.amount_atoms,
            gave_up_atoms: entry.gave_up_atoms,
            signature: &entry.signature,
            text: &entry.text,
        })?;
    }
    if entries.is_empty() {
        writer.write_record(HEADER)?;
    }
    writer.flush()?;
    let bytes = writer.into_inner().context("lines in memory")?;
    Ok(String::from_utf8(bytes)?)
}

/// The names of the columns, where there is no line to take them from.
const HEADER: [&str; 14] = [
    "time",
    "slot",
    "kind",
    "market",
    "side",
    "size",
    "price",
    "realized_atoms",
    "fee_atoms",
    "funding_atoms",
    "amount_atoms",
    "gave_up_atoms",
    "signature",
    "text",
];
