//! What decides on orders of legs that a previewed order meets.

use ballast_engine::book::Order;
use ballast_engine::cross::LegTerms;
use ballast_engine::distress::Distress;
use ballast_engine::matching::{MakerFill, Match, Taking};
use ballast_state::cross::{CrossBoard, Scene};
use ballast_state::error::BallastError;
use ballast_state::market::Touched;
use ballast_state::queue_account::NO_NODE;
use ballast_state::trader::Trader;
use ballast_state::Pubkey;

/// An order of a leg that is met, and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct LegOrder<'a> {
    pub market: &'a Pubkey,
    pub touched: &'a Touched,
    pub taking: &'a Taking<'a>,
    /// The present slot.
    pub slot: u64,
    /// The maker's account.
    pub trader: &'a Trader,
    pub order: &'a Order,
    pub most: u64,
}

type Store = fn(&mut Trader, &Pubkey, &MakerFill) -> Result<(), BallastError>;
type Meet = fn(&CrossBoard, &LegOrder<'_>) -> Result<Match, BallastError>;

/// The board, and the rule of orders of legs. A module that makes none does without the rule's code.
#[derive(Clone, Copy)]
pub struct LegDesk<'a> {
    /// The board.
    pub board: &'a CrossBoard,
    meet: Meet,
    store: Store,
}

impl<'a> LegDesk<'a> {
    /// Decides by the marks of this board.
    #[must_use]
    pub fn new(board: &'a CrossBoard) -> Self {
        Self { board, meet, store }
    }

    /// What becomes of an order.
    pub(super) fn meet(&self, order: &LegOrder<'_>) -> Result<Match, BallastError> {
        (self.meet)(self.board, order)
    }

    /// Writes what a fill in `market` makes of the maker's leg and pool.
    pub(super) fn store(
        &self,
        trader: &mut Trader,
        market: &Pubkey,
        fill: &MakerFill,
    ) -> Result<(), BallastError> {
        (self.store)(trader, market, fill)
    }
}

impl core::fmt::Debug for LegDesk<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("LegDesk").finish_non_exhaustive()
    }
}

fn meet(board: &CrossBoard, met: &LegOrder<'_>) -> Result<Match, BallastError> {
    let terms = LegTerms::of(met.taking.params);
    let scene = Scene {
        key: *met.market,
        touched: met.touched,
        terms: &terms,
        board,
        slot: met.slot,
    };
    let order = (met.order, met.most);
    // How many lots legs may still add is not in these accounts.
    let found = scene.meet::<BallastError>(met.taking, met.trader, order, |_| Ok(u64::MAX))?;
    Ok(match found {
        Match::Fill(leg) => Match::Fill(leg.fill),
        Match::Remove(removal) => Match::Remove(removal),
        Match::Keep => Match::Keep,
    })
}

fn store(trader: &mut Trader, market: &Pubkey, fill: &MakerFill) -> Result<(), BallastError> {
    trader.cross_pool = fill.free.get();
    let index = trader.find_cross(market).ok_or(BallastError::NoPosition)?;
    if fill.position.is_empty() {
        trader.any_mut(market)?.queue_node = NO_NODE;
    }
    trader.store_leg(index, &fill.position, &Distress::NONE)?;
    Ok(())
}
