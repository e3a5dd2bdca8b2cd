//! Commands on a cluster: each reads accounts over RPC, asks the engine, and prints; those that
//! write simulate first.

pub mod collateral;
pub mod explain;
pub mod failure;
pub mod insurance;
pub mod margin;
pub mod market;
pub mod options;
pub mod orders;
pub mod positions;
pub mod queue;
pub mod session;
mod state;
pub mod traders;
pub mod triggers;
pub mod units;
pub mod watch;
mod words;
mod writing;

#[cfg(test)]
mod tests;

use std::future::Future;

use anyhow::Result;

use options::{ClusterCommand, Global};
use session::Session;

/// Runs a command on a cluster.
pub fn run(global: &Global, command: &ClusterCommand) -> Result<bool> {
    block_on(async {
        let session = Session::new(global)?;
        perform(&session, command).await?;
        Ok(true)
    })
}

/// Runs a future to its end.
pub fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(future)
}

async fn perform(session: &Session, command: &ClusterCommand) -> Result<()> {
    match command {
        ClusterCommand::Markets => market::list(session).await,
        ClusterCommand::Market(args) => market::show(session, args).await,
        ClusterCommand::Trader(args) => traders::run(session, args).await,
        ClusterCommand::Deposit(args) => collateral::deposit(session, args).await,
        ClusterCommand::Withdraw(args) => collateral::withdraw(session, args).await,
        ClusterCommand::Margin(args) => margin::run(session, args).await,
        ClusterCommand::Order(args) => orders::run(session, args).await,
        ClusterCommand::Trigger(args) => triggers::run(session, args).await,
        ClusterCommand::Positions(args) => positions::run(session, args).await,
        ClusterCommand::Queue(args) => queue::run(session, args).await,
        ClusterCommand::Watch(args) => watch::run(session, args).await,
        ClusterCommand::Insurance(args) => insurance::run(session, args).await,
    }
}
