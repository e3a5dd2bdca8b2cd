//! What an order of a leg would do.

use ballast_engine::book::OwnOrders;
use ballast_engine::cross::{LegTrade, Values};
use ballast_engine::descent::{take, Taken};
use ballast_engine::oracle::Action;
use ballast_engine::order::{check, OrderKind, SelfTrade};
use ballast_engine::units::Atoms;
use ballast_state::cross::CrossBoard;
use ballast_state::error::BallastError;
use ballast_state::order_args::TradeLegArgs;

use super::play::Play;
use super::Scene;
use crate::cross::{LegWritten, Site};

/// What an order of a leg would do.
#[derive(Clone, Debug)]
pub struct LegPreview {
    /// What becomes of the leg and the pool.
    pub trade: LegTrade,
    /// Lots of the order, a reduce-only one cut to the leg.
    pub lots: u64,
    /// Lots filled.
    pub filled: u64,
    /// What they cost in all, atoms, without the fee.
    pub notional: u64,
    /// What the account is worth and needs afterwards.
    pub values: Values,
    /// The account afterwards, for the records that have to be renewed.
    pub written: LegWritten,
}

/// Plays an order of a leg; the queues of `scene` are those of isolated positions.
///
/// # Errors
/// What the program would answer, but for what is not in these accounts: a pause, a wrong signer, a cross queue
/// that is full or not listed, the lots that all legs of a side may hold, and profit that the market lacks.
pub fn leg(
    scene: &Scene<'_>,
    board: &CrossBoard,
    args: &TradeLegArgs,
) -> Result<LegPreview, BallastError> {
    let mut market = *scene.market;
    let touched = market.touch(scene.price, Action::Open, scene.now, 0)?;
    let (key, mut trader) = (scene.trader.0, *scene.trader.1);
    let index = trader.leg_or_claim(&scene.key)?;
    let site = Site::new(scene.key, &market, touched, board, scene.now.slot);
    let slot = trader.positions.get(index);
    let position = slot.ok_or(BallastError::NoPosition)?.leg_claim()?;
    let before = site.scene().valued(&trader)?.account().values()?;
    let request = args.request();
    let rules = market.order_rules(&touched.mark, scene.now.unix_timestamp);
    let terms = check(&rules, &position, &request)?;
    let mut book = scene.book.clone();
    let book = book.book_mut().map_err(|_| BallastError::BookLayout)?;
    let own = (key, OwnOrders::EMPTY, Atoms::ZERO);
    let mut play = Play::new(scene, (&market, &touched), book, own);
    let Taken { left, .. } = take(&request, &terms, SelfTrade::Abort, &mut play)?;
    if left > 0 && request.kind == OrderKind::FillOrKill {
        return Err(BallastError::NotFilled);
    }
    let taken = &play.taken;
    if taken.lots == 0 {
        return Err(BallastError::NothingFilled);
    }
    // What removed orders paid.
    let collected = play.free.positive_part();
    let gained = (collected, play.open_interest);
    let trade = site
        .scene()
        .taken(&market, &trader, index, request.side, taken, gained)?;
    let written = LegWritten::of(&trader, index, &trade.position, trade.pool)?;
    let values = site
        .scene()
        .check_traded(&written.trader, written.index, &before, &trade)?;
    Ok(LegPreview {
        lots: terms.lots,
        filled: taken.lots,
        notional: taken.notional,
        values,
        written,
        trade: *trade,
    })
}
