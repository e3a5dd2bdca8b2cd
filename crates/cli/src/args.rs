//! Command line options.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use solana_signature::Signature;

use crate::calibrate::CalibrateArgs;
use crate::cluster::options::Global;
use crate::cluster::ClusterCommand;

/// Perpetual futures with auto-deleveraging that proves its order.
#[derive(Debug, Parser)]
#[command(name = "ballast", version)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Explain a round of auto-deleveraging in plain words, and check every figure recorded of it.
    ///
    /// Exits with 1 when a figure disagrees with what the engine recomputes.
    ExplainAdl(ExplainArgs),
    /// Choose risk parameters from prices: writes risk.toml, calibration.json and calibration.html.
    ///
    /// Exits with 1 when the walk-forward backtest fails.
    Calibrate(CalibrateArgs),
    /// State what the two queues of a new market cost in rent, and how they are created.
    QueueRent(QueueRentArgs),
    /// Commands on a cluster.
    #[command(flatten)]
    Cluster(ClusterCommand),
}

/// Options of `queue-rent`.
#[derive(Clone, Debug, Args)]
pub struct QueueRentArgs {
    /// Positions of one side.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub positions: usize,
    /// Bytes of one account, instead of positions.
    #[arg(long, value_name = "BYTES", conflicts_with = "positions")]
    pub bytes: Option<usize>,
    /// Print JSON instead of words.
    #[arg(long)]
    pub json: bool,
}

/// Options of `explain-adl`.
#[derive(Clone, Debug, Args)]
pub struct ExplainArgs {
    /// A transaction on the cluster that deleveraged somebody [default: the last round of a
    /// rehearsal's report].
    #[arg(value_name = "SIGNATURE", conflicts_with = "report")]
    pub signature: Option<Signature>,
    /// The report of a rehearsal.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "target/rehearsal/report.json"
    )]
    pub report: PathBuf,
    /// Number of the round, from 1 [default: the last of a report, all of a transaction].
    #[arg(long, value_name = "N")]
    pub round: Option<u64>,
    /// Only what concerns this counterparty: its trader account, or the beginning of it.
    #[arg(long, value_name = "KEY")]
    pub trader: Option<String>,
    /// Print the whole round as JSON instead of words.
    #[arg(long, conflicts_with = "trader")]
    pub json: bool,
}
