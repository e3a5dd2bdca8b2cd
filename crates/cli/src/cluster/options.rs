//! Options that many commands share.

use std::path::PathBuf;

use anchor_lang::prelude::Pubkey;
use ballast_rpc::endpoint::Endpoint;
use clap::{Args, ValueEnum};

/// How answers are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON value a line.
    Json,
}

/// Options of every command.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// URL of the cluster, or mainnet-beta, testnet, devnet, localhost [default: the Solana
    /// configuration's].
    #[arg(short, long, global = true, value_name = "URL")]
    pub url: Option<Endpoint>,
    /// File of the keypair that signs and pays [default: the Solana configuration's].
    #[arg(short, long, global = true, value_name = "FILE")]
    pub keypair: Option<PathBuf>,
    /// Configuration of the Solana command line [default: ~/.config/solana/cli/config.yml].
    #[arg(short = 'C', long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How settled what is read and sent must be: processed, confirmed or finalized [default: the
    /// configuration's, else confirmed].
    #[arg(long, global = true, value_name = "LEVEL")]
    pub commitment: Option<String>,
    /// A price account to read; a market takes the first that holds a price of its feed [default:
    /// the market's own, or the one that Pyth keeps current].
    #[arg(long = "price-account", global = true, value_name = "KEY")]
    pub price_accounts: Vec<Pubkey>,
    /// How to print answers.
    #[arg(long, global = true, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

impl Global {
    /// Whether answers are JSON.
    pub fn json(&self) -> bool {
        self.output == Output::Json
    }
}

/// Which trader account.
#[derive(Clone, Debug, Default, Args)]
pub struct TraderChoice {
    /// Trader account [default: the one of --owner and --sub-id].
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["owner", "sub_id"])]
    pub trader: Option<Pubkey>,
    /// Owner of the trader account [default: the signer].
    #[arg(long, value_name = "KEY")]
    pub owner: Option<Pubkey>,
    /// Number of the trader account among its owner's.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub sub_id: u16,
}

/// How a transaction is sent.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Sending {
    /// Only simulate: say what would happen and send nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Most priority to pay, micro-lamports a compute unit.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub max_priority_fee: u64,
}

/// Which side of a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PositionSide {
    /// The long positions.
    Long,
    /// The short positions.
    Short,
}

impl From<PositionSide> for ballast_engine::units::Side {
    fn from(side: PositionSide) -> Self {
        match side {
            PositionSide::Long => Self::Long,
            PositionSide::Short => Self::Short,
        }
    }
}
