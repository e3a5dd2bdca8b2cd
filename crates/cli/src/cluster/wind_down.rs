//! `ballast modes` and `ballast wind-down`: what markets do, and how they end.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_client::instructions::wind_down as build;
use ballast_engine::wind_down::{is_dead, EndCause, MarketMode};
use ballast_report::table::Table;
use ballast_state::market::Market;
use clap::{Args, Subcommand};
use serde::Serialize;
use solana_instruction::Instruction;

use super::failure::Usage;
use super::options::{Sending, TraderChoice};
use super::session::Session;
use super::state::{age_words, MarketState, Parts};
use super::when::shown;
use super::words::Names;
use super::writing::{self, Plan};

/// Accounts settled by one transaction.
const SETTLED_AT_ONCE: usize = 8;

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
    DeclareDead(Step),
    /// Fix the last price of a market whose end has come; anybody.
    Begin(Step),
    /// Pay out what trader accounts have in a market that has ended; anybody, for anybody.
    Settle {
        /// Every trader account that has something in the market.
        #[arg(long, conflicts_with_all = ["trader", "owner", "sub_id"])]
        all: bool,
        #[command(flatten)]
        choice: TraderChoice,
        #[command(flatten)]
        step: Step,
    },
    /// Close the queues and the book of a market in which nobody has anything any more; anybody, and
    /// their rent goes to who paid it.
    Close(Step),
}

#[derive(Clone, Debug, Args)]
struct Step {
    /// Number, name or address of the market.
    #[arg(long, value_name = "MARKET")]
    market: String,
    #[command(flatten)]
    sending: Sending,
}

/// A mode as the command line has it.
pub const fn mode_name(mode: MarketMode) -> &'static str {
    match mode {
        MarketMode::Active => "active",
        MarketMode::ReduceOnly => "reduce_only",
        MarketMode::Settling => "settling",
        MarketMode::Settled => "settled",
    }
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
    /// What anybody may do now to bring the market to its end; `null` where nothing is to be done.
    next: Option<String>,
}

impl ModeView {
    /// Of a market.
    pub fn new(state: &MarketState) -> Self {
        let market = &state.market;
        let (end, name) = (market.wind_down, state.name());
        let last = market.last_recorded();
        let step = if market.mode() == MarketMode::Settling {
            Some("settle --all")
        } else if market.mode().has_ended() {
            None
        } else if end.has_come(state.now) {
            Some("begin")
        } else if !end.is_scheduled() && is_dead(&last, market.risk.oracle_dead(), state.now) {
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
        Action::DeclareDead(step) => declare_dead(session, step).await,
        Action::Begin(step) => begin(session, step).await,
        Action::Settle { all, choice, step } => settle(session, *all, choice, step).await,
        Action::Close(step) => close(session, step).await,
    }
}

async fn send(
    session: &Session,
    command: &'static str,
    purpose: String,
    instructions: Vec<Instruction>,
    state: &MarketState,
    sending: Sending,
) -> Result<()> {
    let name = state.name();
    let plan = Plan {
        command,
        purpose,
        instructions,
        names: Names {
            collateral: state.units.collateral,
            market: Some((name.as_str(), state.units)),
        },
    };
    writing::perform(session, session.keypair()?, plan, sending).await
}

async fn declare_dead(session: &Session, step: &Step) -> Result<()> {
    let state = session.market(&step.market, Parts::Market).await?;
    let (market, name) = (&state.market, state.name());
    let (last, limit) = (market.last_recorded(), market.risk.oracle_dead());
    if !is_dead(&last, limit, state.now) {
        let limit = age_words(i64::try_from(limit).unwrap_or(i64::MAX));
        let said = match last.price.get() {
            0 => format!("OracleAlive: {name} never had a price, so there is nothing to settle"),
            _ => format!(
                "OracleAlive: the last price that {name} recorded is {} old, and its oracle counts as dead after {limit}",
                age_words(state.now.saturating_sub(last.publish_time))
            ),
        };
        return Err(Usage(said).into());
    }
    let market = state.keys.market;
    let purpose = format!(
        "Declare the oracle of {name} dead: the market ends a day later, unless a price is recorded before"
    );
    let instructions = vec![build::DeclareDead { market }.instruction()];
    send(
        session,
        "wind-down declare-dead",
        purpose,
        instructions,
        &state,
        step.sending,
    )
    .await
}

async fn begin(session: &Session, step: &Step) -> Result<()> {
    let state = session.market(&step.market, Parts::Market).await?;
    let (market, name) = (state.keys.market, state.name());
    if !state.market.mode().has_ended() && !state.market.wind_down.has_come(state.now) {
        let view = ModeView::new(&state);
        return Err(Usage(format!("EndNotDue: {name} is {}", view.words())).into());
    }
    let instructions = vec![build::BeginSettlement { market }.instruction()];
    send(
        session,
        "wind-down begin",
        format!("Fix the last price of {name}, which has ended"),
        instructions,
        &state,
        step.sending,
    )
    .await
}

async fn settle(session: &Session, all: bool, choice: &TraderChoice, step: &Step) -> Result<()> {
    let state = session.market(&step.market, Parts::Market).await?;
    let (keys, name) = (state.keys, state.name());
    require_ended(&state.market, &name)?;
    let traders: Vec<Pubkey> = if all {
        let traders = session.cluster.traders().await?;
        let inside = traders
            .into_iter()
            .filter(|(_, trader)| trader.slot(&keys.market).is_ok());
        inside.map(|(address, _)| address).collect()
    } else {
        vec![session.trader_address(choice)?]
    };
    if traders.is_empty() {
        return Err(Usage(format!(
            "nobody has anything in {name} any more; `ballast wind-down close --market {name}`"
        ))
        .into());
    }
    let many = traders.len().div_ceil(SETTLED_AT_ONCE);
    for (number, some) in traders.chunks(SETTLED_AT_ONCE).enumerate() {
        let settling = some.iter().map(|trader| {
            let settle = build::SettlePosition {
                keys,
                trader: *trader,
            };
            settle.instruction()
        });
        let purpose = match some {
            [trader] if many == 1 => format!("Pay out what trader account {trader} has in {name}"),
            _ => format!(
                "Pay out what {} trader accounts have in {name}, transaction {} of {many}",
                some.len(),
                number + 1
            ),
        };
        send(
            session,
            "wind-down settle",
            purpose,
            settling.collect(),
            &state,
            step.sending,
        )
        .await?;
    }
    Ok(())
}

async fn close(session: &Session, step: &Step) -> Result<()> {
    let state = session.market(&step.market, Parts::Market).await?;
    let name = state.name();
    require_ended(&state.market, &name)?;
    let rent_payer = session.exchange().await?.rent_payer_of(&state.market);
    let close = build::CloseMarket {
        keys: state.keys,
        rent_payer,
    };
    send(
        session,
        "wind-down close",
        format!("Close the queues and the book of {name}; their rent goes to {rent_payer}"),
        vec![close.instruction()],
        &state,
        step.sending,
    )
    .await
}

fn require_ended(market: &Market, name: &str) -> Result<(), Usage> {
    if market.mode().has_ended() {
        return Ok(());
    }
    Err(Usage(format!(
        "MarketTrades: {name} has not ended; `ballast modes` says whether it is going to"
    )))
}
