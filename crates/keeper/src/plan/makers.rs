//! What a call lists that takes orders of the book: the makers, and before them the board and the cross queues that
//! orders of legs among theirs write.

use std::collections::BTreeMap;

use anchor_lang::prelude::Pubkey;
use ballast_client::cross::{listed, listed_firing, CrossQueueList, Traders};
use ballast_engine::units::Side;
use ballast_state::cross::CrossBoard;
use ballast_state::trader::Trader;
use solana_instruction::Instruction;

use crate::cross::plan::CrossLists;
use crate::market::MarketState;

static NOBODY: BTreeMap<Pubkey, Trader> = BTreeMap::new();

/// The board and the accounts with legs or orders of legs, as far as they are known.
#[derive(Clone, Copy)]
pub struct LegMakers<'a> {
    /// The board, where there is one.
    pub board: Option<&'a CrossBoard>,
    /// Accounts, those with legs or orders of legs among them.
    pub accounts: &'a dyn Traders,
}

impl LegMakers<'_> {
    /// Nobody has any.
    #[must_use]
    pub fn none() -> Self {
        Self {
            board: None,
            accounts: &NOBODY,
        }
    }

    /// Adds the cross queues that orders on `side` of `makers` write.
    pub(super) fn add(
        &self,
        queues: &mut CrossQueueList,
        makers: &[Pubkey],
        side: Side,
        market: &MarketState,
    ) {
        let market = (&market.address, &*market.market);
        let Some(board) = self.board else {
            return;
        };
        // Where an account does not fit the board that is known, the program says so.
        queues
            .add_makers(makers, side, self.accounts, market, board)
            .unwrap_or_default();
    }
}

impl core::fmt::Debug for LegMakers<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("LegMakers").finish_non_exhaustive()
    }
}

/// The orders that a call takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taking<'a> {
    /// What is known of those with orders of legs.
    pub makers: LegMakers<'a>,
    /// The market.
    pub market: &'a MarketState,
    /// Side of the orders.
    pub side: Side,
    /// The account whose leg takes them, where one does.
    pub leg: Option<&'a Trader>,
    /// What marks are recorded from, where they are to be.
    pub cross: Option<&'a CrossLists<'a>>,
}

impl Taking<'_> {
    /// The accounts that the call lists with these makers.
    pub fn listed(&self, makers: &[Pubkey]) -> Vec<Pubkey> {
        let market = (&self.market.address, &*self.market.market);
        let known = &self.makers;
        let (side, accounts, board) = (self.side, known.accounts, known.board);
        let all = match self.leg {
            Some(leg) => listed_firing(leg, makers, side, accounts, market, board),
            None => listed(makers, side, accounts, market, board),
        };
        // Where an account does not fit the board that is known, the program says so.
        all.unwrap_or_else(|_| makers.to_vec())
    }

    /// What comes before the call: the marks, where they are to be recorded and a leg takes orders or legs are among these makers.
    pub fn before(&self, makers: &[Pubkey]) -> Option<Instruction> {
        let legs = self.listed(makers).len() > makers.len();
        let cross = self.cross.filter(|_| legs);
        cross.and_then(CrossLists::record)
    }
}
