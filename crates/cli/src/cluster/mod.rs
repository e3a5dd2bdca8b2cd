//! Commands on a cluster: each reads accounts over RPC, asks the engine, and prints; those that
//! write simulate first.

pub mod admin;
pub mod balance;
pub mod book;
mod choices;
pub mod collateral;
mod cross;
pub mod explain;
pub mod failure;
pub mod fees;
mod funds;
pub mod gap;
pub mod gate;
pub mod guardian;
pub mod held;
pub mod history;
pub mod insurance;
pub mod margin;
pub mod market;
pub mod migrate;
pub mod options;
pub mod orders;
pub mod pool;
mod pool_params;
pub mod positions;
pub mod protect;
pub mod queue;
mod refusal;
pub mod risk;
pub mod session;
mod source;
mod staging;
pub mod stake;
mod state;
pub mod traders;
pub mod triggers;
pub use ballast_view::{pauses, units};
pub mod verify;
pub mod watch;
mod when;
pub mod wind_down;
mod words;
mod writing;

#[cfg(test)]
mod tests;

use anyhow::Result;
use clap::Subcommand;

use options::Global;
use session::{block_on, Session};

/// Commands on a cluster.
#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// List the markets: price, funding, open interest, insurance, best orders.
    Markets,
    /// Show a market in detail.
    Market(market::MarketArgs),
    /// Open, show, list, close or delegate trader accounts.
    Trader(traders::TraderArgs),
    /// Move tokens into the free collateral of a trader account.
    Deposit(collateral::DepositArgs),
    /// Move free collateral of a trader account out as tokens.
    Withdraw(collateral::WithdrawArgs),
    /// Add or remove margin of a position.
    Margin(margin::MarginArgs),
    /// Show the cross margin of a trader account: pool, equity, requirement, legs.
    Account(cross::AccountArgs),
    /// Share collateral between positions: fill and empty the pool, make positions legs and back.
    Cross(cross::CrossArgs),
    /// Free profit that a market held while it was short.
    ReleaseProfit(held::ReleaseProfitArgs),
    /// Pay what a market's fees may spare to the treasury.
    WithdrawFees(fees::WithdrawFeesArgs),
    /// Place, cancel, replace or list orders.
    Order(orders::OrderArgs),
    /// Set or clear a stop-loss or take-profit.
    Trigger(triggers::TriggerArgs),
    /// Set, clear or show the steps that reduce a position before it is liquidated.
    Protect(protect::ProtectArgs),
    /// Show the positions of a trader account: equity, margin ratio, liquidation price, light.
    Positions(positions::PositionsArgs),
    /// Show who is deleveraged first.
    Queue(queue::QueueArgs),
    /// Show what the positions of a market would lack if its price jumped.
    Gap(gap::GapArgs),
    /// Show how likely positions are to be deleveraged, by playing the market on along paths of prices.
    Risk(risk::RiskArgs),
    /// Follow trader accounts and report when a light or a margin ratio crosses a threshold.
    Watch(watch::WatchArgs),
    /// List what happened to a trader account: fills, funding, liquidations, cuts, transfers.
    History(history::HistoryArgs),
    /// List rounds of auto-deleveraging.
    Adl(history::AdlArgs),
    /// Show what waits in the book of a market.
    Book(book::BookArgs),
    /// Show what a wallet and its trader accounts hold.
    Balance(balance::BalanceArgs),
    /// What the exchange's authorities do: pauses, hand-over of roles, longer queues.
    Admin(admin::AdminArgs),
    /// The gate that holds the program's upgrade authority: show, open, stage, cancel, execute.
    Gate(gate::GateArgs),
    /// Compare the program on the cluster with a release, and show who could replace it.
    Verify(verify::VerifyArgs),
    /// Bring accounts of the release before to today's layout; anybody may, and may do it again.
    Migrate(migrate::MigrateArgs),
    /// Show for a change of price source that waits whether both sources agree; anybody.
    WitnessOracle(source::WitnessArgs),
    /// What the guardian does when something is wrong.
    Guardian(guardian::GuardianArgs),
    /// Show what the markets do, and whether they end.
    Modes(wind_down::ModesArgs),
    /// Bring a market that ends to its end: anybody.
    WindDown(wind_down::WindDownArgs),
    /// Stake behind a market's insurance, ask for it back, and show what it is worth.
    Stake(stake::StakeArgs),
    /// Put tokens into the backstop pool of a market, take them out, show what it is worth.
    Pool(pool::PoolArgs),
    /// Show the insurance of the markets, give to it, or bring its vault level.
    Insurance(insurance::InsuranceArgs),
}

/// Runs a command on a cluster.
pub fn run(global: &Global, command: &ClusterCommand) -> Result<bool> {
    block_on(async {
        let session = Session::new(global)?;
        tokio::select! {
            done = perform(&session, command) => done?,
            never = session::complain(&session.cluster) => match never {},
        }
        Ok(true)
    })
}

async fn perform(session: &Session, command: &ClusterCommand) -> Result<()> {
    match command {
        ClusterCommand::Markets => market::list(session).await,
        ClusterCommand::Market(args) => market::show(session, args).await,
        ClusterCommand::Trader(args) => traders::run(session, args).await,
        ClusterCommand::Deposit(args) => collateral::deposit(session, args).await,
        ClusterCommand::Withdraw(args) => collateral::withdraw(session, args).await,
        ClusterCommand::Margin(args) => margin::run(session, args).await,
        ClusterCommand::Account(args) => cross::account(session, args).await,
        ClusterCommand::Cross(args) => cross::run(session, args).await,
        ClusterCommand::ReleaseProfit(args) => held::run(session, args).await,
        ClusterCommand::WithdrawFees(args) => fees::run(session, args).await,
        ClusterCommand::Order(args) => orders::run(session, args).await,
        ClusterCommand::Trigger(args) => triggers::run(session, args).await,
        ClusterCommand::Protect(args) => protect::run(session, args).await,
        ClusterCommand::Positions(args) => positions::run(session, args).await,
        ClusterCommand::Queue(args) => queue::run(session, args).await,
        ClusterCommand::Gap(args) => gap::run(session, args).await,
        ClusterCommand::Risk(args) => risk::run(session, args).await,
        ClusterCommand::Watch(args) => watch::run(session, args).await,
        ClusterCommand::History(args) => history::run(session, args).await,
        ClusterCommand::Adl(args) => history::adl_list(session, args).await,
        ClusterCommand::Book(args) => book::run(session, args).await,
        ClusterCommand::Balance(args) => balance::run(session, args).await,
        ClusterCommand::Admin(args) => admin::run(session, args).await,
        ClusterCommand::Gate(args) => gate::run(session, args).await,
        ClusterCommand::Verify(args) => verify::run(session, args).await,
        ClusterCommand::Migrate(args) => migrate::run(session, args).await,
        ClusterCommand::WitnessOracle(args) => source::witness(session, args).await,
        ClusterCommand::Guardian(args) => guardian::run(session, args).await,
        ClusterCommand::Modes(args) => wind_down::modes(session, args).await,
        ClusterCommand::WindDown(args) => wind_down::run(session, args).await,
        ClusterCommand::Stake(args) => stake::run(session, args).await,
        ClusterCommand::Pool(args) => pool::run(session, args).await,
        ClusterCommand::Insurance(args) => insurance::run(session, args).await,
    }
}
