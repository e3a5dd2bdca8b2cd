//! What a deleveraging round was decided from, wherever it was recorded.

use ballast_engine::cross::cut::{Bearing, Counterparty};
use ballast_engine::position::Position;
use ballast_engine::queue::CutStamp;
use ballast_engine::risk::AdlParams;
use ballast_engine::units::{FundingIndex, LotPrice};

/// Everything the program decides a round from.
#[derive(Clone, Debug)]
pub struct Situation {
    /// Trader account of the bankrupt.
    pub bankrupt: String,
    /// Its position before insurance paid, funding paid up to `funding_index`.
    pub position: Position,
    /// Oracle price, atoms per lot.
    pub mark: LotPrice,
    /// The market's funding index, atoms per lot.
    pub funding_index: FundingIndex,
    /// What insurance could pay, atoms.
    pub insurance_available: u64,
    /// Most lots that the round may close.
    pub max_lots: u64,
    /// Smallest position that may be left open, lots.
    pub least_lots: u64,
    /// The market's parameters.
    pub params: AdlParams,
    /// Pass of the queue in which the round takes part; 0 when its bankruptcy opens one.
    pub pass_before: u32,
    /// Passes that the counterparties' queue had opened before the round.
    pub passes_before: u32,
    /// Every position of the other side, in any order.
    pub queue: Vec<Candidate>,
    /// Trader accounts as the keeper listed them.
    pub listed: Vec<String>,
    /// Whether a session has proven the order before, so that it holds as of then only.
    pub order_proven: bool,
    /// What a cut has to leave of the account of a leg.
    pub bearing: Bearing,
}

/// A position of one of the counterparties' queues.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Trader account.
    pub trader: String,
    /// The position before the round, funding paid up to the round's index; of a leg with all of its account's equity.
    pub position: Position,
    /// Of a leg what its account holds and needs.
    pub leg: Option<Counterparty>,
    /// Age: the smaller is the older.
    pub sequence: u64,
    /// What earlier rounds did to it.
    pub stamp: CutStamp,
}

/// Units in which amounts are shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Units {
    /// Size of a tick, 1e-9 USD.
    pub tick_nano: u64,
    /// Quote atoms of one lot at one tick.
    pub atoms_per_lot_tick: u64,
    /// Size of a lot, 1e-9 of the base asset.
    pub lot_nano: u64,
}
