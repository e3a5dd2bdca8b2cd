//! What is done to accounts with legs.

use super::{Call, Liquidation, Placing};

/// Cross queues that a call lists: market and side, longs first.
pub type Queues = Vec<(usize, usize)>;

/// A call about legs, the pool that they share, or the board.
#[derive(Clone, Debug)]
pub enum CrossCall {
    /// Collateral into the pool, or out of it where negative.
    Move {
        trader: usize,
        amount: i64,
        queues: Queues,
    },
    /// A position becomes a leg.
    Join {
        market: usize,
        trader: usize,
        queues: Queues,
    },
    /// A leg becomes a position.
    Leave {
        market: usize,
        trader: usize,
        margin: u64,
        queues: Queues,
    },
    /// Marks of the board.
    Record { markets: Vec<usize> },
    /// A mark that is old is frozen.
    Freeze { market: usize },
    /// Records of legs.
    Refresh {
        market: usize,
        traders: Vec<usize>,
        queues: Queues,
    },
    /// A leg is flagged.
    Flag { market: usize, trader: usize },
    /// A leg takes orders.
    Trade { placing: Placing, queues: Queues },
    /// A step of a leg's liquidation.
    Liquidate { call: Liquidation, queues: Queues },
    /// A round of deleveraging over positions and legs.
    Round { call: Call, queues: Queues },
    /// Records of legs that a round could not cut.
    Witness(Witnessing),
    /// A leg leaves a market that has ended.
    Part {
        market: usize,
        trader: usize,
        queues: Queues,
    },
}

/// A call of `witness_ranks`.
#[derive(Clone, Debug)]
pub struct Witnessing {
    /// Number of the market.
    pub market: usize,
    /// The bankrupt trader.
    pub bankrupt: usize,
    /// Whose legs.
    pub traders: Vec<usize>,
    /// Cross queues.
    pub queues: Queues,
}

impl CrossCall {
    /// Names of all kinds, in the order of [`CrossCall::kind`].
    pub const KINDS: [&'static str; 12] = [
        "move_cross",
        "convert_margin to cross",
        "convert_margin to isolated",
        "record_marks",
        "freeze_mark",
        "refresh_ranks",
        "flag_leg",
        "liquidate_leg",
        "trade_leg",
        "auto_deleverage_cross",
        "witness_ranks",
        "part_leg",
    ];

    /// Index of its kind.
    pub const fn kind(&self) -> usize {
        match self {
            Self::Move { .. } => 0,
            Self::Join { .. } => 1,
            Self::Leave { .. } => 2,
            Self::Record { .. } => 3,
            Self::Freeze { .. } => 4,
            Self::Refresh { .. } => 5,
            Self::Flag { .. } => 6,
            Self::Liquidate { .. } => 7,
            Self::Trade { .. } => 8,
            Self::Round { .. } => 9,
            Self::Witness(_) => 10,
            Self::Part { .. } => 11,
        }
    }

    /// The trader account that acts, where its owner or its delegate has to sign.
    pub const fn actor(&self) -> Option<usize> {
        match self {
            Self::Move { trader, .. } | Self::Join { trader, .. } | Self::Leave { trader, .. } => {
                Some(*trader)
            }
            Self::Trade { placing, .. } => Some(placing.trader),
            Self::Liquidate { call, .. } => Some(call.liquidator),
            _ => None,
        }
    }
}
