//! What a market's pool is worth to who leaves it, and when shares of it are paid.

use ballast_engine::oracle::{Action, Now, OraclePrice};
use ballast_engine::shares::Holding;
use ballast_state::error::BallastError;
use ballast_state::market::Market;
use ballast_state::pool::{Exiting, Pool};
use ballast_state::share::Share;
use ballast_state::trader::Trader;

use crate::accounts::QueueSnapshot;
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

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;

    use super::*;
    use ballast_engine::pool::{PoolParams, Worth};
    use ballast_engine::units::Side;
    use ballast_state::Pubkey;

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
