//! A gateway of a Ballast exchange: history, rankings, streams and alerts over HTTP. It holds no trading key.
//!
//! - [`chain`]: accounts as they change and transactions as they land, from one of several nodes.
//! - [`reading`] and [`entry`]: what an event means for history; [`parameters`]: what it makes of a market's
//!   parameters; [`idl`]: an event as JSON.
//! - [`store`]: history in SQLite or Postgres, and whether it is complete.
//! - [`scene`] and [`publish`]: markets decoded and ranked once a change, and told to those who listen: [`hub`].
//! - [`forecasts`]: how likely positions are to be deleveraged.
//! - [`alerts`]: who is told of what, once.
//! - [`api`]: what is answered, and how much anybody may ask.
//! - [`config`], [`metrics`], [`vitals`]: settings, figures, health.
//!
//! Every figure is that of `ballast_view`, which the command line and the web app show as well.

pub mod alerts;
pub mod api;
pub mod chain;
pub mod config;
pub mod entry;
pub mod forecasts;
pub mod gateway;
pub mod hub;
pub mod idl;
pub mod metrics;
pub mod parameters;
pub mod publish;
pub mod reading;
pub mod rows;
pub mod scene;
pub mod store;
pub mod vitals;

use std::sync::Arc;

use gateway::Gateway;
use tokio::task::JoinHandle;

/// What runs until this is dropped.
#[must_use = "it ends when this is dropped"]
pub struct Tasks(Vec<JoinHandle<()>>);

impl Drop for Tasks {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

/// Follows the chain, shows it and delivers alerts.
pub fn follow(gateway: &Arc<Gateway>) -> Tasks {
    let each = || Arc::clone(gateway);
    Tasks(vec![
        tokio::spawn(chain::accounts::run(each())),
        tokio::spawn(chain::history::run(each())),
        tokio::spawn(publish::run(each())),
        tokio::spawn(alerts::deliver::run(each())),
        tokio::spawn(alerts::venue::run(each())),
    ])
}
