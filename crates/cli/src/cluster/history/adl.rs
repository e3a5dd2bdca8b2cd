//! `ballast adl list`: rounds of deleveraging, with the signatures that `explain-adl` wants.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_report::figures::short;
use ballast_report::table::Table;
use ballast_state::events::{AutoDeleveraged, BallastEvent};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::entry::{Named, Naming};
use super::{naming, transactions};
use crate::cluster::session::Session;
use crate::cluster::units::Units;
use crate::cluster::when;

/// Arguments of `adl`.
#[derive(Clone, Debug, Args)]
pub struct AdlArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// List rounds of auto-deleveraging, with their signatures.
    List(ListArgs),
}

#[derive(Clone, Debug, Args)]
struct ListArgs {
    /// Only those in which this trader account was bankrupt or was cut.
    #[arg(long, value_name = "ADDRESS")]
    trader: Option<Pubkey>,
    /// Only those of this market [default: all].
    #[arg(long, value_name = "MARKET")]
    market: Option<String>,
    /// Only since then: unix seconds, a date such as 2026-11-28, or so long ago as 90m, 12h or 7d.
    #[arg(long, value_name = "TIME", value_parser = when::since)]
    since: Option<i64>,
    /// Most transactions to look through, the newest first.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    limit: usize,
}

/// A round as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct RoundView {
    time: Option<i64>,
    slot: u64,
    /// What `ballast explain-adl` explains.
    pub signature: String,
    market_index: u16,
    market: String,
    bankruptcy_id: u64,
    bankrupt: String,
    /// `bankrupt`, `cut`, or `null` where no trader account was asked about.
    role: Option<&'static str>,
    /// Lots closed: of the trader account, or in all.
    pub lots: u64,
    size: String,
    price: String,
    mark: String,
    #[serde(skip)]
    mark_ticks: u64,
    #[serde(skip)]
    units: Units,
    /// Profit given up: by the trader account, or by all.
    pub gave_up_atoms: u64,
    insurance_paid_atoms: u64,
    /// Counterparties cut.
    cuts: usize,
}

impl RoundView {
    /// A round as far as it concerns `trader`, if one is given; `None` when it does not.
    pub fn new(
        event: &AutoDeleveraged,
        trader: Option<&Pubkey>,
        market: &Named,
        source: super::Source<'_>,
    ) -> Option<Self> {
        let units = market.units;
        let own = event.cuts.iter().find(|cut| trader == Some(&cut.trader));
        let (role, lots, gave_up) = match (trader, own) {
            (None, _) => (None, event.lots_closed, event.gave_up_atoms),
            (Some(trader), _) if *trader == event.bankrupt => {
                (Some("bankrupt"), event.lots_closed, 0)
            }
            (Some(_), Some(cut)) => (Some("cut"), cut.lots_closed, cut.gave_up_atoms),
            (Some(_), None) => return None,
        };
        let close = event.close_quote_atoms.unsigned_abs();
        Some(Self {
            time: source.time,
            slot: source.slot,
            signature: source.signature.to_owned(),
            market_index: market.index,
            market: market.name.clone(),
            bankruptcy_id: event.bankruptcy_id,
            bankrupt: event.bankrupt.to_string(),
            role,
            lots,
            size: units.size(lots),
            price: units.show_average(close, event.close_lots),
            mark: units.price(event.mark_ticks),
            mark_ticks: event.mark_ticks,
            units,
            gave_up_atoms: gave_up,
            insurance_paid_atoms: event.insurance_paid_atoms,
            cuts: event.cuts.len(),
        })
    }
}

/// Runs `ballast adl`.
pub async fn list(session: &Session, args: &AdlArgs) -> Result<()> {
    let Action::List(args) = &args.action;
    let naming = naming(session).await?;
    let only = match &args.market {
        Some(selector) => Some(session.find(selector).await?.0),
        None => None,
    };
    // The accounts that every round in question names.
    let named: Vec<Pubkey> = match (args.trader, only) {
        (Some(trader), _) => vec![trader],
        (None, Some(market)) => vec![market],
        (None, None) => {
            let markets = session.cluster.markets().await?;
            markets.into_iter().map(|(address, _)| address).collect()
        }
    };
    let mut views = Vec::new();
    for address in named {
        let mentions = session
            .cluster
            .mentions(&address, None, args.since, args.limit);
        for (mention, past) in transactions(session, mentions.await?).await? {
            let signature = mention.signature.to_string();
            let source = super::Source {
                time: past.block_time.or(mention.block_time),
                slot: past.slot,
                signature: &signature,
            };
            let rounds = past.events.iter().filter_map(|event| match event {
                BallastEvent::AutoDeleveraged(round) => Some(round.as_ref()),
                _ => None,
            });
            let wanted = rounds.filter(|round| only.is_none_or(|market| market == round.market));
            views.extend(wanted.filter_map(|round| {
                let market = naming.market(&round.market)?;
                RoundView::new(round, args.trader.as_ref(), market, source)
            }));
        }
    }
    session.answer(&views, || words(&views, &naming, args.trader.as_ref()))
}

fn words(views: &[RoundView], naming: &Naming, trader: Option<&Pubkey>) -> String {
    let Some(last) = views.last() else {
        return match trader {
            Some(trader) => format!("Trader account {trader} was in no round of deleveraging."),
            None => "No round of deleveraging.".to_owned(),
        };
    };
    let mut table = Table::new(&[
        "time (UTC)",
        "market",
        ">bankruptcy",
        if trader.is_some() { "was" } else { "bankrupt" },
        ">closed",
        ">at",
        ">mark",
        ">gave up",
        "transaction",
    ]);
    for view in views {
        table.row([
            when::shown(view.time),
            view.market.clone(),
            view.bankruptcy_id.to_string(),
            view.role
                .map_or_else(|| short(&view.bankrupt), str::to_owned),
            view.units.show_size(view.lots),
            view.price.clone(),
            view.units.show_price(view.mark_ticks),
            naming.collateral.show(view.gave_up_atoms.into()),
            view.signature.clone(),
        ]);
    }
    let about = trader.map_or_else(String::new, |trader| format!(" --trader {trader}"));
    format!(
        "{}\n\nWhy: `ballast explain-adl {}{about}`.",
        table.render(),
        last.signature
    )
}
