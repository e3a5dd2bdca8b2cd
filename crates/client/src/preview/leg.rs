//! What an order of a leg would do.

use ballast_engine::cross::{LegTrade, Values};
use ballast_engine::oracle::Action;
use ballast_engine::trade::PartyOutcome;
use ballast_engine::units::Atoms;
use ballast_state::error::{ensure, BallastError};
use ballast_state::order_args::PlaceOrderArgs;

use super::play::Play;
use super::{Order, Scene};
use crate::cross::{LegWritten, Site};

/// What an order of a leg would do.
#[derive(Clone, Debug)]
pub struct LegPreview {
    /// What its fills make of the leg and the pool; `None` without any.
    pub trade: Option<LegTrade>,
    /// Lots of the order, a reduce-only one cut to the leg.
    pub lots: u64,
    /// Lots filled at once.
    pub filled: u64,
    /// What they cost in all, atoms, without the fee.
    pub notional: u64,
    /// Lots that would wait in the book.
    pub resting: u64,
    /// What they would reserve, atoms.
    pub reserved: u64,
    /// What the pool would give of that, atoms.
    pub from_pool: u64,
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
/// `WrongBoard` without the board.
pub fn leg(scene: &Scene<'_>, args: &PlaceOrderArgs) -> Result<LegPreview, BallastError> {
    let mut market = *scene.market;
    let touched = market.touch(scene.price, Action::Open, scene.now, 0)?;
    let (key, mut trader) = (scene.trader.0, *scene.trader.1);
    let board = scene.legs.ok_or(BallastError::WrongBoard)?.board;
    let site = Site::new(scene.key, &market, touched, board, scene.now.slot);
    let at = site.scene();
    let leg = at.leg_before(&mut trader)?;
    let order = Order {
        args,
        request: args.request(),
        before: leg.position,
        market: &market,
        touched: &touched,
        pool_backs: true,
    };
    let slot = trader.positions.get(leg.index);
    let slot = slot.ok_or(BallastError::NoPosition)?;
    let mut book = scene.book.clone();
    let book = book.book_mut().map_err(|_| BallastError::BookLayout)?;
    let own = (key, slot.own_orders(), trader.free());
    let mut play = Play::new(scene, (&market, &touched), book, own);
    let mut trade = None;
    let done = order.work(&mut play, |play, done| {
        let (side, gained) = (order.request.side, play.open_interest);
        let made = at.taken(&market, (&leg.legs, leg.place), side, &play.taken, gained)?;
        done.party = Some(PartyOutcome {
            position: made.position,
            free: done.free,
            fee: Atoms::ZERO,
            realized: made.realized,
            released: Atoms::ZERO,
            margin_added: 0,
            reduced_only: made.reduced_only,
        });
        trade = Some(*made);
        Ok(())
    })?;
    let (filled, notional) = (play.taken.lots, play.taken.notional);
    ensure(filled > 0 || done.resting > 0, BallastError::NothingFilled)?;
    trader.cross_pool = trade.map_or(trader.cross_pool, |trade| trade.pool.get());
    trader.pool_out(done.from_pool, scene.now.slot)?;
    let pool = Atoms::new(trader.cross_pool);
    let (written, values) = match &trade {
        Some(trade) => {
            let written = LegWritten::of(&trader, leg.index, &trade.position, pool)?;
            let values = at.check_traded(&written.trader, written.index, &leg.values, trade)?;
            (written, values)
        }
        None => {
            let values = at.valued(&trader)?.account().values()?;
            (LegWritten::pool(&trader), values)
        }
    };
    if done.from_pool > 0 {
        at.check_opening(&written.trader)?;
    }
    Ok(LegPreview {
        trade,
        lots: done.lots,
        filled,
        notional,
        resting: done.resting,
        reserved: done.reserved,
        from_pool: done.from_pool,
        values,
        written,
    })
}
