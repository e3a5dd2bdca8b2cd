//! How a pool closes its position, and what margin it keeps.

use ballast_state::error::BallastError;

use super::fill::{check_makers, Done, Matched, Meeting};
use super::number::{ceil, floor, part, ONE};
use super::oracle::{in_range, Use};
use super::orders::{band_edge, Taking};
use super::pool::pool_trader;
use super::refusal::{require, signed, Verdict};
use super::state::Model;
use super::trade::require_initial;
use crate::operation::{OrderKind, SelfTrade, Unwinding};

impl Model {
    /// Closes a part of the pool's position against the book, at the price of its auction.
    pub fn unwind_pool(&mut self, call: &Unwinding) -> Verdict<Matched> {
        let market = call.market;
        let trader = pool_trader(market);
        self.pool(market)?;
        check_makers(&call.makers)?;
        let mark = self.touch(market, Use::Open)?;
        let low = self.pool_worth(market, &mark, 0)?.low;
        let holding = self.inventory(market)?;
        require(holding.lots != 0, BallastError::NoPosition)?;
        self.require_interval(market)?;
        let (limit, due) = (
            self.auction_price(market, holding.sign())?,
            self.lots_due(market, holding.size())?,
        );
        let stood = self.stands(market, trader);
        let (sign, now) = (-holding.sign(), &self.markets[market]);
        let edge = band_edge(&now.params, &mark, sign);
        let price = in_range(limit * now.atoms_per_tick)?;
        let taking = Taking {
            trader,
            sign,
            kind: OrderKind::Market,
            price: if (price - edge) * sign > 0 {
                edge
            } else {
                price
            },
            lots: due,
            margin: 0,
            self_trade: SelfTrade::Abort,
        };
        let mut meeting = Meeting::new(market, -sign, mark, &call.makers);
        self.take(&taking, &mut meeting)?;
        let closed = meeting.lots();
        require(closed > 0, BallastError::NothingFilled)?;
        let paid = self.pay(&taking, &meeting)?;
        self.settle_taker(&taking, market, &paid)?;
        self.book_fees(market, paid.fee + meeting.maker_fees())?;
        let keeper = i128::from(self.pool(market)?.params.keeper_bps);
        let keeper = floor(&part(closed * mark.price, keeper, ONE));
        let keeper = keeper.min(self.trader(trader).free);
        self.trader_mut(trader).free -= keeper;
        self.note(&stood, meeting.collected());
        self.trader_mut(call.receiver).free += keeper;
        self.look_at_height(market, low)?;
        self.leave_time(market, due - closed, due)?;
        let slot = self.slot;
        let pool = self.pool_mut(market)?;
        pool.unwound = slot;
        pool.done[1] += 1;
        Ok(meeting.matched(Done::Unwind { due, limit, keeper }))
    }

    fn require_interval(&self, market: usize) -> Verdict<()> {
        let pool = self.pool(market)?;
        let next = pool.unwound + pool.params.unwind_interval_slots;
        let waited = self.slot >= next || pool.params.mode == 2;
        require(waited, BallastError::UnwindTooEarly)
    }

    /// The worst price of an unwind, ticks, of the mark or of the price of an earlier slot, whichever is
    /// worse for the caller.
    pub fn auction_price(&self, market: usize, sign: i128) -> Verdict<i128> {
        let (now, params) = (&self.markets[market], self.pool(market)?.params);
        let time = self.auction_time(market)?;
        let ask = i128::from(params.ask_bps);
        let range = ask + i128::from(params.slip_bps);
        let fallen = floor(&part(range, time, i128::from(params.auction_slots)));
        let rebate = i128::from(now.params.maker_fee_bps.min(0).unsigned_abs());
        let closing = i128::from(params.reserve_first_bps) - i128::from(params.keeper_bps) - rebate;
        let short = (fallen - ask).min(closing);
        let recorded = [now.quoted.ticks, now.past.earlier].map(i128::from);
        let recorded = recorded.into_iter().filter(|ticks| *ticks > 0);
        let worst = if sign > 0 {
            recorded
                .max()
                .map(|mark| ceil(&part(mark, ONE - short, ONE)))
        } else {
            recorded
                .min()
                .map(|mark| floor(&part(mark, ONE + short, ONE)).max(1))
        };
        Ok(worst.unwrap_or(1))
    }

    /// Lots of one unwind.
    pub fn lots_due(&self, market: usize, size: i128) -> Verdict<i128> {
        let least = i128::from(self.markets[market].params.min_position_lots);
        let share = i128::from(self.pool(market)?.params.unwind_bps);
        Ok(match size < 4 * least {
            true => size,
            false => ceil(&part(size, share, ONE)).max(least),
        })
    }

    /// Moves free collateral into the pool's position, or back from it.
    pub fn sync_pool(&mut self, market: usize) -> Verdict<()> {
        let trader = pool_trader(market);
        self.pool(market)?;
        let mark = self.touch(market, Use::Flag(self.flagged(market, trader)))?;
        self.needed(market, trader)?;
        let mut holding = self.inventory(market)?;
        let equity = holding.equity(mark.price);
        require(equity >= 0, BallastError::NothingToSync)?;
        let wanted = self.wanted_equity(market, mark.price, &holding)?;
        let free = self.trader(trader).free;
        let mut moved = self.lacking_margin(market, mark.price, &holding)?.min(free);
        if moved == 0 {
            let most = floor(&part(wanted, 12_000, ONE));
            let spare = if equity > most { equity - wanted } else { 0 };
            moved = -spare.min(holding.margin.max(0));
        }
        require(moved != 0, BallastError::NothingToSync)?;
        holding.margin = signed(holding.margin + moved)?;
        if moved < 0 {
            require_initial(&self.markets[market].params, &mark, &holding, 0)?;
            self.require_fit(market, Use::RemoveMargin)?;
        }
        let stood = self.stands(market, trader);
        self.hold(market, trader, holding)?;
        self.trader_mut(trader).free = free - moved;
        self.note(&stood, 0);
        Ok(())
    }
}
