//! What a market's pool is worth to who leaves it, when shares of it are paid, what it could take, and what
//! keepers may do for it.

use ballast_engine::book::BookRef;
use ballast_engine::margin::MarginScale;
use ballast_engine::oracle::{Action, Mark, Now, OraclePrice};
use ballast_engine::pool::{Offer, PoolTaker, Synced, Unwind};
use ballast_engine::position::Position;
use ballast_engine::shares::Holding;
use ballast_engine::units::{FundingIndex, LotPrice, Side};
use ballast_state::error::BallastError;
use ballast_state::market::{Market, Touched};
use ballast_state::pool::{Exiting, Pool};
use ballast_state::share::Share;
use ballast_state::trader::Trader;
use ballast_state::Pubkey;

use crate::accounts::QueueSnapshot;
use crate::makers::{order_fill, order_makers, TakerView};
use crate::staking::{exit_time, ExitTime};

/// Values the pool of `market`, whose trader account is `trader`, as the program does for who leaves; the
/// price counts only where it has a position.
///
/// # Errors
/// The `Price...` errors; `MarketEnded`; `QueueLayout`, `Overflow`.
pub fn pooling(
    market: &Market,
    pool: &Pool,
    trader: &Trader,
    [long, short]: &[QueueSnapshot; 2],
    price: Option<&OraclePrice>,
    now: Now,
) -> Result<Exiting, BallastError> {
    if let Some(idle) = pool.idle(market, trader)? {
        return Ok(idle);
    }
    let mut market = *market;
    let price = price.ok_or(BallastError::PriceInvalidAccount)?;
    let touched = market.touch(*price, Action::RemoveMargin, now, 0)?;
    let prices = market.cautious_prices(&touched)?;
    let layout = |_| BallastError::QueueLayout;
    let (long, short) = (
        long.queue().map_err(layout)?,
        short.queue().map_err(layout)?,
    );
    let available = market.insurance_available(now.slot)?;
    let short_of = market.lacking_beyond(&long, &short, prices, available)?;
    pool.exiting(&market, trader, &touched, short_of)
}

/// Somebody's shares of a pool: what there is of them in its epoch, and when the request is paid, `None`
/// without one.
#[must_use]
pub fn pool_shares(pool: &Pool, share: &Share, slot: u64) -> (Holding, Option<ExitTime>) {
    let holding = share.holding(pool.epoch);
    let asked = holding.requested > 0;
    let exit = asked.then(|| exit_time(&holding, &pool.params.exit_terms(), slot));
    (holding, exit)
}

/// A price that nobody has acted at yet.
#[derive(Clone, Copy, Debug)]
pub struct Jump {
    /// The price.
    pub price: LotPrice,
    /// The moving average then.
    pub average: LotPrice,
    /// Funding index up to which positions are settled.
    pub index: FundingIndex,
    /// The current slot.
    pub slot: u64,
    /// Whether the queue of the victims' side has room for one more position.
    pub has_room: bool,
}

/// Most lots of `side` that the pool of `market`, whose trader account is `trader`, would take over after a jump, at
/// the market's highest discount: what its mode, cap, window and drawdown let it, and the largest position of the
/// market. It is its capacity, whether or not anybody lacks margin, or calls it.
///
/// # Errors
/// `PriceOutOfRange`, `RiskTiers`, `Overflow`.
pub fn capacity(
    market: &Market,
    pool: &Pool,
    trader: &Trader,
    side: Side,
    jump: &Jump,
) -> Result<u64, BallastError> {
    let mut assets = pool.assets(market, trader)?;
    assets.position = assets.position.settle(jump.index)?;
    let mark = Mark {
        price: jump.price,
        confidence: 0,
        average: None,
        scale: MarginScale::NONE,
    };
    let worth = assets.worth(&mark, jump.average, pool.params.exit_bps, 0)?;
    let taker = pool.taker(market, &assets, worth.low, jump.slot, jump.has_room)?;
    let risk = market.params();
    let all = u64::from(u32::MAX);
    let offer = Offer {
        side,
        lots: all,
        held: all,
        whole: all,
        discount_bps: risk.liquidation_discount_max_bps,
        rescue: false,
    };
    Ok(taker.take(risk, jump.price, &offer)?)
}

/// A market and its pool as an instruction finds them at a price.
#[derive(Clone, Debug)]
pub struct PoolPresent<'a> {
    market: Box<Market>,
    touched: Touched,
    pool: &'a Pool,
    trader: &'a Trader,
    now: Now,
}

impl<'a> PoolPresent<'a> {
    /// The pool of `market`, whose trader account is `trader`, at `price`.
    ///
    /// # Errors
    /// The `Price...` errors for a price that is not fit for `action`; `MarketEnded`; `WrongPool`;
    /// `Overflow`.
    pub fn at(
        market: &Market,
        pool: &'a Pool,
        trader: &'a Trader,
        price: &OraclePrice,
        action: Action,
        now: Now,
    ) -> Result<Self, BallastError> {
        let mut market = Box::new(*market);
        let touched = market.touch(*price, action, now, 0)?;
        Ok(Self {
            market,
            touched,
            pool,
            trader,
            now,
        })
    }

    /// The pool as it is offered lots of a liquidation; `has_room` says whether the queue of the victim's
    /// side has room for one more position.
    ///
    /// # Errors
    /// `PriceOutOfRange`, `Overflow`.
    pub fn taker(&self, has_room: bool) -> Result<PoolTaker<'a>, BallastError> {
        let (market, touched) = (&self.market, &self.touched);
        self.pool
            .offered(market, self.trader, touched, self.now.slot, has_room)
    }

    /// Its position with funding paid; one without lots where it has none.
    ///
    /// # Errors
    /// `Overflow`, `SizeOutOfRange`.
    pub fn position(&self) -> Result<Position, BallastError> {
        Ok(self.pool.assets(&self.market, self.trader)?.position)
    }

    /// What `sync_pool` comes to.
    ///
    /// # Errors
    /// `NoPosition`, `NothingToSync`, `BelowInitialMargin`; the `Price...` errors; `Overflow`.
    pub fn synced(&self) -> Result<Synced, BallastError> {
        let (position, free) = (self.position()?, self.trader.free());
        let (market, touched) = (&self.market, &self.touched);
        self.pool.synced(market, touched, &position, free, self.now)
    }

    /// The unwind that is due.
    ///
    /// # Errors
    /// `NoPosition`, `UnwindTooEarly`; `Overflow`.
    pub fn unwind(&self) -> Result<Unwind, BallastError> {
        let lots = self.position()?.lots;
        self.pool
            .next_unwind(&self.market, &self.touched, lots, self.now.slot)
    }

    /// The makers that an unwind wants to see, and `spares` more.
    ///
    /// # Errors
    /// Those of [`order_makers`].
    pub fn unwind_makers(
        &self,
        book: &BookRef<'_>,
        unwind: &Unwind,
        spares: usize,
    ) -> Result<Vec<Pubkey>, BallastError> {
        let (view, order) = (self.view()?, unwind.order());
        Ok(order_makers(
            book,
            &view,
            &order,
            Unwind::SELF_TRADE,
            spares,
        )?)
    }

    /// Lots that an unwind closes when the `listed` makers are, if every order trades that has not expired.
    ///
    /// # Errors
    /// Those of [`order_fill`].
    pub fn unwind_fill(
        &self,
        book: &BookRef<'_>,
        unwind: &Unwind,
        listed: &[Pubkey],
    ) -> Result<u64, BallastError> {
        let (view, order) = (self.view()?, unwind.order());
        Ok(order_fill(book, &view, &order, Unwind::SELF_TRADE, listed)?)
    }

    fn view(&self) -> Result<TakerView<'_>, BallastError> {
        Ok(TakerView {
            market: &self.market,
            price: self.touched.price,
            now: self.now.unix_timestamp,
            trader: self.pool.trader,
            position: self.position()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;

    use super::*;
    use ballast_engine::pool::{PoolParams, Worth};

    #[test]
    fn a_pool_without_a_position_is_its_free_collateral_and_a_request_counts_down() {
        let mut pool = Pool::zeroed();
        pool.params = PoolParams::DEFAULT;
        let mut trader = Trader::zeroed();
        trader.free = 77;
        let key = Pubkey::default();
        let queues = [Side::Long, Side::Short].map(|side| QueueSnapshot::empty(&key, side));
        let queues = queues.map(Result::unwrap);
        let now = Now {
            slot: 5,
            unix_timestamp: 2,
        };
        let found = pooling(&Market::zeroed(), &pool, &trader, &queues, None, now).unwrap();
        let worth = Worth { low: 77, high: 77 };
        assert_eq!((found.worth, found.payable, found.lots), (worth, 77, 0));
        let mut share = Share::zeroed();
        (share.shares, share.requested, share.requested_slot) = (9, 4, 1_000);
        let exit = |slot| pool_shares(&pool, &share, slot).1;
        assert_eq!(exit(1_001), Some(ExitTime::In(863_999)));
        assert_eq!(exit(865_000), Some(ExitTime::Now(432_000)));
        assert_eq!(exit(1_297_000), Some(ExitTime::Lapsed));
        share.epoch = 1;
        assert_eq!(pool_shares(&pool, &share, 1_001).0, Holding::default());
    }
}
