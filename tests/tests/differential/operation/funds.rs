//! What admins, depositors and stakers do with a market's pool and the stakes behind its insurance.

use ballast_engine::pool::PoolParams;

/// A fund, by the number of its market, or what is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FundName {
    /// The pool.
    Pool(usize),
    /// The stakes.
    Stakes(usize),
    /// The market itself, which is no fund.
    Market(usize),
}

/// Who signs, and whose account for shares is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Who {
    /// The wallet that signs.
    pub wallet: usize,
    /// The wallet whose shares they are.
    pub of: usize,
}

impl Who {
    /// Whether the shares are the signer's.
    pub fn is_owner(self) -> bool {
        self.wallet == self.of
    }
}

/// A call about the pool or the stakes of a market.
#[derive(Clone, Debug)]
pub enum FundCall {
    /// The admin gives the market a pool.
    CreatePool { params: Box<PoolParams> },
    /// Anybody opens the stakes.
    OpenStakes,
    /// Opens an account for shares.
    CreateShare { fund: FundName, wallet: usize },
    /// Closes one.
    CloseShare { fund: FundName, wallet: usize },
    /// Tokens into the pool.
    DepositPool { who: Who, amount: u64 },
    /// Asks for shares of the pool to be paid.
    RequestPool { who: Who, shares: u64 },
    /// Takes that back.
    CancelPoolRequest { who: Who },
    /// Takes tokens out of the pool.
    WithdrawPool { who: Who, least: u64 },
    /// Begins a new epoch of a spent pool.
    ResetPool,
    /// The admin has the pool take nothing.
    StopPool,
    /// The admin stages parameters of the pool, and somebody puts them in force.
    ChangePool { params: Box<PoolParams> },
    /// Tokens behind the insurance.
    Stake { who: Who, amount: u64 },
    /// Asks for shares of the stakes to be paid.
    RequestUnstake { who: Who, shares: u64 },
    /// Takes that back.
    CancelUnstake { who: Who },
    /// Takes tokens out of the insurance.
    Unstake { who: Who, least: u64 },
    /// Tokens into the free collateral of the pool's trader account, for nothing.
    Gift { wallet: usize, amount: u64 },
}

impl FundCall {
    /// Kinds of these calls.
    pub const KINDS: [&'static str; 16] = [
        "create_pool",
        "open_stakes",
        "create_share",
        "close_share",
        "deposit_pool",
        "request_pool",
        "cancel_pool_request",
        "withdraw_pool",
        "reset_pool",
        "stop_pool",
        "apply_pool_change",
        "stake",
        "request_unstake",
        "cancel_unstake",
        "unstake",
        "deposit for a pool",
    ];

    /// Index of its kind.
    pub fn kind(&self) -> usize {
        match self {
            Self::CreatePool { .. } => 0,
            Self::OpenStakes => 1,
            Self::CreateShare { .. } => 2,
            Self::CloseShare { .. } => 3,
            Self::DepositPool { .. } => 4,
            Self::RequestPool { .. } => 5,
            Self::CancelPoolRequest { .. } => 6,
            Self::WithdrawPool { .. } => 7,
            Self::ResetPool => 8,
            Self::StopPool => 9,
            Self::ChangePool { .. } => 10,
            Self::Stake { .. } => 11,
            Self::RequestUnstake { .. } => 12,
            Self::CancelUnstake { .. } => 13,
            Self::Unstake { .. } => 14,
            Self::Gift { .. } => 15,
        }
    }
}
