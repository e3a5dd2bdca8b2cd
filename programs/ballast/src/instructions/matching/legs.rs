//! Orders of legs among those that are met.

use core::cell::Ref;

use anchor_lang::prelude::*;
use ballast_engine::{
    book::{Book, Order},
    cross::{LegFill, LegTerms},
    distress::Distress,
    held::PriceRange,
    matching::{removal, Match, RemoveReason},
    position::Position,
    units::Side,
};
use ballast_state::{
    cross::{CrossBoard, Scene},
    error::BallastError,
    events::LegMade,
    instructions::MAX_MAKERS,
    seeds::BOARD_ADDRESS,
    trader::Trader,
};

use super::{Decided, Matching};
use crate::{
    error::{error, require, OrBallast},
    instructions::{
        cross::records::{renew, store, LegChange},
        profit::market_shortfall,
    },
    loaders::{board_account::BoardAccount, cross_queues::CrossQueues},
};

/// Whom a call may meet in the book, and what it has for those whose orders are a leg's.
#[derive(Clone, Copy)]
pub struct Listed<'q, 'info> {
    /// The makers' trader accounts.
    pub makers: &'info [AccountInfo<'info>],
    /// The cross queues.
    pub queues: CrossQueues<'info>,
    board: Option<&'q AccountInfo<'info>>,
}

impl<'q, 'info> Listed<'q, 'info> {
    /// The remaining accounts: the board and cross queues, where an order of a leg may be met, and the makers.
    ///
    /// # Errors
    /// Those of [`CrossQueues::split`].
    pub fn of(remaining: &'info [AccountInfo<'info>]) -> Result<Self>
    where
        'info: 'q,
    {
        match remaining.split_first() {
            Some((board, rest)) if *board.key == BOARD_ADDRESS => Self::beside(board, rest),
            _ => Self::new(None, remaining),
        }
    }

    /// The remaining accounts of a call that has the board: cross queues, and the makers.
    ///
    /// # Errors
    /// Those of [`Self::of`].
    pub fn beside(
        board: &'q AccountInfo<'info>,
        remaining: &'info [AccountInfo<'info>],
    ) -> Result<Self> {
        Self::new(Some(board), remaining)
    }

    fn new(
        board: Option<&'q AccountInfo<'info>>,
        remaining: &'info [AccountInfo<'info>],
    ) -> Result<Self> {
        let (queues, makers) = CrossQueues::split(remaining)?;
        Ok(Self {
            makers,
            queues,
            board,
        })
    }

    /// Fails with `TooManyMakers` beyond [`MAX_MAKERS`].
    ///
    /// # Errors
    /// `TooManyMakers`.
    pub fn check_makers(&self) -> Result<()> {
        let few = self.makers.len() <= MAX_MAKERS;
        require!(few, BallastError::TooManyMakers);
        Ok(())
    }

    fn board(&self) -> Result<Ref<'q, CrossBoard>> {
        let board = self.board.ok_or_else(|| error!(BallastError::WrongBoard))?;
        BoardAccount::load(board)?.read()
    }
}

impl Matching<'_, '_, '_> {
    /// What becomes of an order of a leg, with or without lots, that its maker's account decides.
    ///
    /// # Errors
    /// `WrongBoard` where the board is not listed; `CrossQueueMissing`, `CrossMarkStale`.
    #[inline(never)]
    pub(super) fn decide_leg(&self, trader: &Trader, order: &Order, most: u64) -> Result<Decided> {
        let board = self.listed.board()?;
        let terms = LegTerms::of(self.taking.params);
        let scene = self.scene(&board, &terms);
        let room = |held: &Position| self.room(&board, held, order.side());
        let met = scene.meet::<Error>(&self.taking, trader, (order, most), room)?;
        Ok(match met {
            Match::Fill(fill) if self.holds(order, &fill)? => {
                let reason = RemoveReason::ProfitIsHeld;
                let removal = removal(self.taking.params, trader.free(), order, reason);
                Decided::Remove(removal.or_ballast()?)
            }
            Match::Fill(fill) => Decided::Leg(Box::new(fill)),
            Match::Remove(removal) => Decided::Remove(removal),
            Match::Keep => Decided::Keep,
        })
    }

    fn scene<'s>(&'s self, board: &'s CrossBoard, terms: &'s LegTerms) -> Scene<'s> {
        Scene {
            key: self.market,
            touched: self.touched,
            terms,
            board,
            slot: self.slot,
        }
    }

    /// Lots by which the legs of `side`, on which the order's maker holds `held` or nothing, may still grow.
    fn room(&self, board: &CrossBoard, held: &Position, side: Side) -> Result<u64> {
        let allowed = board.market(board.place(self.venue)?)?.most_lots;
        let new = held.side() != Some(side);
        let queues = self.listed.queues;
        queues.read(&self.market, side, |queue| Ok(queue.room(allowed, new)))
    }

    /// Whether a fill would take a profit that the market could not pay: a pool cannot hold it back.
    fn holds(&self, order: &Order, fill: &LegFill) -> Result<bool> {
        if fill.profit().or_ballast()? == 0 {
            return Ok(false);
        }
        let mut prices = PriceRange::at(self.touched.mark.price);
        prices.include(order.price());
        Ok(market_shortfall(self.venue, self.queues, prices, self.slot)? > 0)
    }

    /// Fills an order of a leg: the book, the leg, the pool, and the records of the account.
    ///
    /// # Errors
    /// `CrossQueueMissing`; `CrossRecordStale`, which logs market and side of the queue that is missing.
    #[inline(never)]
    pub(super) fn fill_leg(
        &mut self,
        trader: &mut Trader,
        key: &Pubkey,
        book: &mut Book,
        node: u32,
        order: &Order,
        leg: &LegFill,
    ) -> Result<()> {
        let fill = &leg.fill;
        let index = trader.find_cross(&self.market);
        let slot = index.and_then(|index| trader.positions.get_mut(index));
        let (index, slot) = index
            .zip(slot)
            .ok_or_else(|| error!(BallastError::NoPosition))?;
        self.take_off(slot, key, book, node, fill)?;
        let distress = match fill.reduced_only {
            true => slot.distress(),
            false => Distress::NONE,
        };
        let pool = trader.cross_pool;
        self.changes.enter_pool(pool);
        // What the order reserved came from free collateral.
        let came = i64::try_from(fill.margin_used).map_err(|_| error!(BallastError::Overflow))?;
        trader.pool_in(came, self.slot)?;
        trader.cross_pool = fill.free.get();
        let change = LegChange {
            index,
            after: &fill.position,
            funding_index: self.touched.funding_index,
            distress,
        };
        let (queues, market) = (self.listed.queues, self.market);
        let written = store(&mut self.changes, &market, trader, &queues, &change)?;
        let board = self.listed.board()?;
        renew(key, trader, &board, &queues, written, self.slot)?;
        self.changes.leave_leg(trader)?;
        self.changes.leg_made(LegMade {
            maker: *key,
            order_id: order.id(),
            entry_quote_after: fill.position.entry_quote.get(),
            realized: leg.realized.get(),
            funding: leg.funding.get(),
            margin_used: fill.margin_used,
            pool_before: pool,
            pool_after: trader.cross_pool,
            equity_atoms: leg.equity.get(),
            requirement_atoms: leg.requirement,
        });
        self.filled(key, order, fill)
    }
}
