//! What a round is planned from.

use std::collections::{BTreeMap, HashMap};

use ballast_engine::cross::queue::CrossQueueRef;
use ballast_engine::cross::CrossDraws;
use ballast_engine::queue::QueueRef;
use ballast_engine::units::LotPrice;
use ballast_state::trader::Trader;
use ballast_state::Pubkey;

use super::Site;

/// Trader accounts by their addresses.
pub trait Traders {
    /// The account at an address, if it is known.
    fn trader(&self, address: &Pubkey) -> Option<&Trader>;
}

impl Traders for BTreeMap<Pubkey, Trader> {
    fn trader(&self, address: &Pubkey) -> Option<&Trader> {
        self.get(address)
    }
}

impl Traders for HashMap<Pubkey, Trader> {
    fn trader(&self, address: &Pubkey) -> Option<&Trader> {
        self.get(address)
    }
}

/// What a round depends on.
#[derive(Clone, Copy)]
pub struct CrossRoundInput<'a> {
    /// The market, and the board with the marks that are recorded before the round.
    pub site: &'a Site<'a>,
    /// The queue of isolated positions opposite to the bankrupt.
    pub isolated: QueueRef<'a>,
    /// The cross queue of that side.
    pub cross: CrossQueueRef<'a>,
    /// From the header of the market's cross queue of longs.
    pub draws: CrossDraws,
    /// Price of the best order of somebody else that would take lots of the bankrupt.
    pub taker: Option<LotPrice>,
    /// The bankrupt's account, and those of all legs in the cross queue.
    pub traders: &'a dyn Traders,
}

/// What a keeper wants closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrossRoundRequest {
    /// Trader account of the bankrupt.
    pub bankrupt: Pubkey,
    /// Most counterparties to cut.
    pub max_cuts: usize,
    /// Most accounts to list, at most [`MAX_COUNTERPARTIES`](crate::ranking::MAX_COUNTERPARTIES).
    pub max_listed: usize,
    /// Counterparties to list beyond the ones needed.
    pub spares: usize,
}
