//! The keeper: what needs doing at a price, and doing it.
//!
//! Deciding, without any IO:
//! - [`positions`] and [`market`]: a market and every position of it, in memory.
//! - [`evaluate`]: what needs doing at a moment, the worst health first; [`priority`] puts the jobs of
//!   several markets in one order.
//! - [`backstop`] and [`wind_down`]: what a market's pool and a market's end need.
//! - [`cross`]: accounts with legs and the board: what they need, and the instructions for it.
//! - [`plan`]: from a job to the instructions that do it.
//! - [`repair`] and [`attempt`]: what an error means for a job.
//! - [`world`]: all accounts followed, none older than what was known before.
//! - [`flight`]: what is under way and what has to wait.
//! - [`config`], [`identity`] and [`health`]: settings, wallet, whether all is well.
//!
//! Doing:
//! - [`process`]: from a configuration to a keeper at work.
//! - [`feed`]: polling and full readings beside the websocket of `ballast_rpc`.
//! - [`scene`] and [`act`]: one job, from its accounts to its transaction's end.
//! - [`run`]: hears, judges, starts, stops.
//! - [`lookup_table`]: the address lookup table.
//! - [`metrics`], [`serve`] and [`logs`]: what it says about itself.

pub mod act;
pub mod attempt;
pub mod backstop;
pub mod config;
pub mod cross;
pub mod evaluate;
pub mod feed;
pub mod flight;
pub mod health;
pub mod held;
pub mod identity;
pub mod leases;
pub mod logs;
pub mod lookup_table;
pub mod market;
pub mod metrics;
pub mod outcome;
pub mod plan;
pub mod positions;
pub mod priority;
pub mod process;
pub mod protections;
pub mod repair;
pub mod rivals;
pub mod run;
pub mod scene;
pub mod serve;
pub mod wind_down;
pub mod witness;
pub mod world;
