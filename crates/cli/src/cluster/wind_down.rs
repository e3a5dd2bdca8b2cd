//! `ballast modes` and `ballast wind-down`: what markets do, and how they end.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_engine::wind_down::{EndCause, MarketMode};
use ballast_report::table::Table;
use ballast_view::market::mode_name;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::failure::Usage;
use super::options::{Sending, TraderChoice};
use super::session::Session;
use super::state::{MarketState, Parts};
use super::when::shown;
use super::words::Names;
use super::writing::{self, Plan};
use steps::Step;

pub mod steps;

/// Arguments of `modes`.
#[derive(Clone, Debug, Args)]
pub struct ModesArgs {
    /// Only this market [default: all].
    #[arg(long, value_name = "MARKET")]
    market: Option<String>,
}

/// Arguments of `wind-down`.
#[derive(Clone, Debug, Args)]
pub struct WindDownArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Declare the oracle of a market dead: the market ends a day later, unless a price is recorded
    /// before; anybody.
    DeclareDead(StepArgs),
    /// Fix the last price of a market whose end has come; anybody.
    Begin(StepArgs),
    /// Count what all positions are worth in a market in which deficits were written off, one
    /// transaction at a time; anybody.
    Count(StepArgs),
    /// Pay out what trader accounts have in a market that has ended; anybody, for anybody.
    Settle {
        /// Every trader account that has something in the market.
        #[arg(long, conflicts_with_all = ["trader", "owner", "sub_id"])]
        all: bool,
        #[command(flatten)]
        choice: TraderChoice,
        #[command(flatten)]
        step: StepArgs,
    },
    /// Close the queues and the book of a market in which nobody has anything any more; anybody, and
    /// their rent goes to who paid it.
    Close(StepArgs),
}

#[derive(Clone, Debug, Args)]
struct StepArgs {
    /// Number, name or address of the market.
    #[arg(long, value_name = "MARKET")]
    market: String,
    #[command(flatten)]
    sending: Sending,
}

/// What a market does, as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct ModeView {
    market_index: u16,
    market: String,
    address: String,
    /// `active`, `reduce_only`, `settling` or `settled`.
    pub mode: &'static str,
    /// When it ends or ended, unix seconds; `null` where no end is foreseen.
    pub ends_at: Option<i64>,
    /// `delisted` or `dead_oracle`; `null` where no end is foreseen.
    cause: Option<&'static str>,
    final_ticks: Option<u32>,
    /// Price at which positions are settled; `null` before the market has ended.
    final_price: Option<String>,
    /// Deficits that nobody bore, atoms: what all positions together get less.
    written_off_atoms: u64,
    /// What anybody may do now to bring the market to its end; `null` where nothing is to be done.
    pub next: Option<String>,
}

impl ModeView {
    /// Of a market.
    pub fn new(state: &MarketState) -> Self {
        let market = &state.market;
        let (end, name) = (market.wind_down, state.name());
        let step = if market.mode() == MarketMode::Settling {
            Some(match market.claims_are_known() {
                true => "settle --all",
                false => "count",
            })
        } else if market.mode().has_ended() {
            None
        } else if end.has_come(state.now) {
            Some("begin")
        } else if !end.is_scheduled() && market.oracle_is_dead(state.now) {
            Some("declare-dead")
        } else {
            None
        };
        let final_ticks = (market.final_ticks > 0).then_some(market.final_ticks);
        Self {
            market_index: market.index,
            address: state.keys.market.to_string(),
            mode: mode_name(market.mode()),
            ends_at: end.is_scheduled().then_some(end.ends_at),
            cause: end.end_cause().map(|cause| match cause {
                EndCause::Delisted => "delisted",
                EndCause::DeadOracle => "dead_oracle",
            }),
            final_ticks,
            final_price: final_ticks.map(|ticks| state.units.price(ticks.into())),
            written_off_atoms: market.written_off_atoms,
            next: step.map(|step| format!("ballast wind-down {step} --market {name}")),
            market: name,
        }
    }

    /// The mode and the end in a few words.
    pub fn words(&self) -> String {
        let mode = self.mode.replace('_', " ");
        match (self.ends_at, self.cause) {
            (Some(at), Some(cause)) => {
                let cause = cause.replace('_', " ");
                let ends = match &self.final_price {
                    Some(price) => format!("ended {} at {price}", shown(Some(at))),
                    None => format!("ends {}", shown(Some(at))),
                };
                format!("{mode}, {ends} ({cause})")
            }
            _ => mode,
        }
    }
}

/// The modes of several markets as a table.
pub fn table(views: &[ModeView]) -> String {
    let mut table = Table::new(&[">#", "market", "mode", "ends (UTC)", "why", ">last price"]);
    let none = || "-".to_owned();
    for view in views {
        table.row([
            view.market_index.to_string(),
            view.market.clone(),
            view.mode.replace('_', " "),
            view.ends_at.map_or_else(none, |at| shown(Some(at))),
            view.cause
                .map_or_else(none, |cause| cause.replace('_', " ")),
            view.final_price.clone().unwrap_or_else(none),
        ]);
    }
    let mut text = table.render();
    for view in views {
        if let Some(next) = &view.next {
            text.push_str(&format!("\n\nNext for {}: `{next}`.", view.market));
        }
    }
    text
}

/// Runs `ballast modes`.
pub async fn modes(session: &Session, args: &ModesArgs) -> Result<()> {
    let decimals = session.exchange().await?.mint_decimals;
    let markets = match &args.market {
        Some(selector) => vec![session.find(selector).await?],
        None => session.cluster.markets().await?,
    };
    let mut views = Vec::new();
    for (address, market) in markets {
        let state = session.state(&address, &market, decimals, Parts::Market);
        views.push(ModeView::new(&state.await?));
    }
    session.answer(&views, || table(&views))
}

/// Runs `ballast wind-down`.
pub async fn run(session: &Session, args: &WindDownArgs) -> Result<()> {
    match &args.action {
        Action::DeclareDead(args) => one(session, args, steps::declare_dead).await,
        Action::Begin(args) => one(session, args, steps::begin).await,
        Action::Count(args) => one(session, args, steps::count).await,
        Action::Settle { all, choice, step } => settle(session, *all, choice, step).await,
        Action::Close(args) => close(session, args).await,
    }
}

async fn send(session: &Session, step: Step, state: &MarketState, sending: Sending) -> Result<()> {
    let name = state.name();
    let plan = Plan {
        command: step.command,
        purpose: step.purpose,
        instructions: step.instructions,
        names: Names {
            collateral: state.units.collateral,
            market: Some((name.as_str(), state.units)),
        },
    };
    writing::perform(session, session.keypair()?, plan, sending).await
}

/// A step that depends on the market alone.
async fn one(
    session: &Session,
    args: &StepArgs,
    step: fn(&MarketState) -> Result<Step, Usage>,
) -> Result<()> {
    let state = session.market(&args.market, Parts::Market).await?;
    send(session, step(&state)?, &state, args.sending).await
}

async fn settle(
    session: &Session,
    all: bool,
    choice: &TraderChoice,
    args: &StepArgs,
) -> Result<()> {
    let state = session.market(&args.market, Parts::Market).await?;
    let traders: Vec<Pubkey> = if all {
        let traders = session.cluster.traders().await?;
        steps::inside(&state.keys.market, traders)
    } else {
        vec![session.trader_address(choice)?]
    };
    for step in steps::settle(&state, &traders)? {
        send(session, step, &state, args.sending).await?;
    }
    Ok(())
}

async fn close(session: &Session, args: &StepArgs) -> Result<()> {
    let state = session.market(&args.market, Parts::Market).await?;
    let step = steps::close(&state, &session.exchange().await?)?;
    send(session, step, &state, args.sending).await
}
