//! Orders of traders: placed, taken, cancelled.

use ballast_engine::risk::RiskParams;
use ballast_state::error::BallastError;

use super::book::{is_near, Order};
use super::fill::{check_makers, Done, Matched, Meeting, Reason, Removed};
use super::holding::{Holding, MAX_LOTS, MAX_PRICE};
use super::number::{ceil, floor, part, ONE};
use super::oracle::{in_range, Mark, Use};
use super::refusal::{require, signed, Verdict};
use super::state::{side, Distress, Model};
use super::trade::require_small;
use super::volatility::initial_due;
use crate::operation::{BookSide, OrderKind, Placing, SelfTrade, Which};

/// Furthest expiry, seconds: ten years of 366 days.
const LONGEST: i128 = 10 * 366 * 86_400;

/// An order that may be matched.
pub struct Taking {
    /// Whose.
    pub trader: usize,
    /// 1 buys, -1 sells.
    pub sign: i128,
    /// Kind.
    pub kind: OrderKind,
    /// Limit, atoms per lot.
    pub price: i128,
    /// Lots.
    pub lots: i128,
    /// Margin offered for all of them.
    pub margin: i128,
    /// On meeting the trader's own.
    pub self_trade: SelfTrade,
}

/// What fills come to for their taker.
#[derive(Clone, Copy, Debug, Default)]
pub struct Paid {
    /// The position afterwards; none without fills.
    pub after: Option<Holding>,
    /// Whether it only became smaller.
    pub reduced: bool,
    /// What of the offered margin belongs to the lots filled.
    pub used: i128,
    /// The fee as charged.
    pub fee: i128,
}

impl Model {
    /// Places an order, instead of another one where that is named.
    pub fn place_order(&mut self, placing: &Placing, replaced: Option<Which>) -> Verdict<Matched> {
        let (market, trader) = (placing.market, placing.trader);
        check_makers(&placing.makers)?;
        let mark = self.touch(market, Use::Open)?;
        let holding = self.taker(market, trader)?;
        let stood = self.stands(market, trader);
        let old = match replaced {
            Some(which) => Some(self.found(market, trader, which)?),
            None => None,
        };
        if let Some(order) = old {
            self.release(market, order.id);
        }
        let taking = self.taking(placing, &mark, &holding)?;
        let before = self.open_interest(market);
        let mut meeting = Meeting::new(market, -taking.sign, mark, &placing.makers);
        meeting
            .own
            .extend(old.map(|old| (old.id, old.lots, old.margin)));
        let left = self.take(&taking, &mut meeting)?;
        let whole = placing.kind != OrderKind::FillOrKill || left == 0;
        require(whole, BallastError::NotFilled)?;
        let paid = self.pay(&taking, &meeting)?;
        let holds = paid.after.unwrap_or(holding);
        self.cut_own(market, trader, &holds, &mut meeting);
        let waits = matches!(placing.kind, OrderKind::Limit | OrderKind::PostOnly);
        let (mut id, mut resting, mut reserved) = (0, 0, 0);
        if waits && left > 0 && !meeting.ended {
            resting = self.may_rest(placing, &taking, &holds, left);
            let idle = placing.reduce_only && resting == 0 && meeting.fills.is_empty();
            require(!idle, BallastError::NothingToReduce)?;
        }
        if resting > 0 {
            id = self.book(market).next_id;
            reserved = self.rest(placing, &taking, &mut meeting, resting, paid.used)?;
        }
        self.require_least(market, &paid, resting, &mark)?;
        let own = paid
            .after
            .map_or(0, |after| after.lots.max(0) - holding.lots.max(0));
        let after = self.open_interest(market) + own;
        let limit = i128::from(self.markets[market].params.max_open_interest_lots);
        let refused = after > before && self.markets[market].reduce_only;
        require(!refused, BallastError::MarketReduceOnly)?;
        let held_up = after > before && mark.average.is_some();
        require(!held_up, BallastError::PriceDiverged)?;
        let within = after <= before || after <= limit;
        require(within, BallastError::OpenInterestLimit)?;
        self.settle_taker(&taking, market, &paid)?;
        self.note(&stood, meeting.collected());
        self.book_fees(market, paid.fee + meeting.maker_fees())?;
        Ok(meeting.matched(Done::Order {
            lots: taking.lots,
            id,
            resting,
            reserved,
        }))
    }

    /// A taker's position with its funding paid.
    pub fn taker(&mut self, market: usize, trader: usize) -> Verdict<Holding> {
        self.require_no_leg(market, trader)?;
        self.settled(market, trader)
    }

    /// Checks what needs no book.
    pub fn taking(&self, placing: &Placing, mark: &Mark, holding: &Holding) -> Verdict<Taking> {
        let market = &self.markets[placing.market];
        let (params, sign) = (&market.params, placing.side.sign());
        let mut lots = i128::from(placing.lots);
        require(lots > 0, BallastError::ZeroLots)?;
        require(lots <= MAX_LOTS, BallastError::SizeOutOfRange)?;
        let market_order = placing.kind == OrderKind::Market;
        let edge = band_edge(params, mark, sign);
        let price = match (market_order, placing.price) {
            (true, 0) => edge,
            _ => in_range(i128::from(placing.price) * market.atoms_per_tick)?,
        };
        let beyond = (price - edge) * sign > 0;
        require(!beyond || market_order, BallastError::PriceOutsideBand)?;
        let waits = matches!(placing.kind, OrderKind::Limit | OrderKind::PostOnly);
        let band = (mark.price, i128::from(params.price_band_bps));
        let near = !waits || is_near(band, price);
        require(near, BallastError::PriceOutsideBand)?;
        let expired = placing.expires_at != 0 && i128::from(placing.expires_at) <= self.time;
        require(!expired, BallastError::OrderExpired)?;
        let far = i128::from(placing.expires_at) > self.time + LONGEST;
        require(!far, BallastError::ExpiryTooFar)?;
        if placing.reduce_only {
            let opposite = holding.sign() == -sign;
            require(opposite, BallastError::NothingToReduce)?;
            lots = lots.min(holding.size());
        } else {
            let worth = !waits || lots * price >= least_worth(params);
            let enough = lots >= least_lots(params, mark.price) && worth;
            require(enough, BallastError::OrderTooSmall)?;
        }
        if waits && placing.client_id != 0 {
            let own = market.book.orders_of(placing.trader);
            let taken = own.iter().any(|own| own.client_id == placing.client_id);
            require(!taken, BallastError::DuplicateClientId)?;
        }
        Ok(Taking {
            trader: placing.trader,
            sign,
            kind: placing.kind,
            price: if beyond { edge } else { price },
            lots,
            margin: i128::from(placing.margin),
            self_trade: placing.self_trade,
        })
    }

    /// Trades against the book; the lots left.
    pub fn take(&mut self, taking: &Taking, meeting: &mut Meeting) -> Verdict<i128> {
        meeting.taker_bps = self.markets[meeting.market].params.taker_fee_bps;
        let mut left = taking.lots;
        while left > 0 {
            let Some(order) = self.next_order(meeting) else {
                break;
            };
            if !order.crosses(taking.price) {
                break;
            }
            if order.trader == taking.trader {
                left -= self.meet_own(taking, meeting, &order, left)?;
                continue;
            }
            if taking.kind == OrderKind::PostOnly {
                let gone = order.has_expired(self.time) && self.meet(meeting, &order, 0)?;
                require(gone, BallastError::PostOnlyCrosses)?;
                continue;
            }
            let before = meeting.lots();
            if !self.meet(meeting, &order, left)? {
                meeting.ended = true;
                break;
            }
            left -= meeting.lots() - before;
        }
        if left > 0 && !meeting.stayed.is_empty() {
            meeting.ended = true;
        }
        self.trader_mut(taking.trader).free += meeting.collected();
        Ok(left)
    }

    /// Meets the trader's own order; the lots that the new one loses.
    fn meet_own(
        &mut self,
        taking: &Taking,
        meeting: &mut Meeting,
        order: &Order,
        left: i128,
    ) -> Verdict<i128> {
        let market = meeting.market;
        let only = taking.kind == OrderKind::PostOnly;
        require(!only, BallastError::PostOnlyCrosses)?;
        let lots = left.min(order.lots);
        match taking.self_trade {
            SelfTrade::Abort => Err(BallastError::SelfTrade.into()),
            SelfTrade::CancelProvide => {
                self.release(market, order.id);
                meeting.own.push((order.id, order.lots, order.margin));
                Ok(0)
            }
            SelfTrade::DecrementAndCancel => {
                let share = order.share(lots);
                self.trader_mut(taking.trader).free += share;
                self.markets[market].book.reduce(order.id, lots);
                meeting.own.push((order.id, lots, share));
                Ok(lots)
            }
        }
    }

    /// Charges the taker for its fills; its position is written later.
    pub fn pay(&mut self, taking: &Taking, meeting: &Meeting) -> Verdict<Paid> {
        let (market, lots) = (meeting.market, meeting.lots());
        if lots == 0 {
            return Ok(Paid::default());
        }
        let offered = floor(&part(taking.margin, lots, taking.lots));
        let (signed_lots, quote) = (taking.sign * lots, taking.sign * meeting.quote());
        let before = self.settled(market, taking.trader)?;
        let reduced = before.reduced_by(signed_lots);
        let filled = before.filled(signed_lots, quote)?;
        let payout = signed(filled.realized + filled.released)?;
        let available = signed(self.trader(taking.trader).free + payout)?;
        let mut fee = meeting.fees();
        if reduced {
            fee = fee.min(available.max(-meeting.maker_fees()).max(0));
        }
        let mut free = signed(available - fee)?;
        let mut after = filled.after;
        if !reduced {
            let params = &self.markets[market].params;
            require_small(params, &meeting.mark, &after)?;
            let added = offered.max(shortfall(params, &meeting.mark, &after, lots)?);
            free = signed(free - added)?;
            after.margin = signed(after.margin + added)?;
        }
        require(free >= 0, BallastError::InsufficientCollateral)?;
        self.trader_mut(taking.trader).free = free;
        Ok(Paid {
            after: Some(after),
            reduced,
            used: offered,
            fee,
        })
    }

    /// What a taker opens, enlarges or flips is, with what of its order waits, the least position or
    /// more.
    pub fn require_least(
        &self,
        market: usize,
        paid: &Paid,
        waiting: i128,
        mark: &Mark,
    ) -> Verdict<()> {
        let least = least_lots(&self.markets[market].params, mark.price);
        let after = paid.after.filter(|_| !paid.reduced);
        let small = after.is_some_and(|after| after.size() + waiting < least);
        require(!small, BallastError::PositionTooSmall)
    }

    /// Writes the taker's position.
    pub fn settle_taker(&mut self, taking: &Taking, market: usize, paid: &Paid) -> Verdict<()> {
        let Some(after) = paid.after else {
            return Ok(());
        };
        self.hold(market, taking.trader, after)?;
        if !paid.reduced {
            *self.distress_mut(market, taking.trader) = Distress::default();
        }
        Ok(())
    }

    /// Brings the trader's own reduce-only orders down to what it holds now.
    pub fn cut_own(
        &mut self,
        market: usize,
        trader: usize,
        holds: &Holding,
        meeting: &mut Meeting,
    ) {
        let cut = self.cut_reduce_only(market, trader, holds.lots);
        let lost = cut.into_iter().map(|(id, lots)| (id, lots, 0));
        meeting.own.extend(lost);
    }

    /// Lots that may wait of those left: of a reduce-only order what the position has for it beside
    /// the ones that wait, of another all, unless they are worth too little.
    fn may_rest(&self, placing: &Placing, taking: &Taking, holds: &Holding, left: i128) -> i128 {
        let params = &self.markets[placing.market].params;
        if placing.reduce_only {
            let opposite = holds.sign() == -taking.sign;
            let size = if opposite { holds.size() } else { 0 };
            let waiting = self.book(placing.market).reducing(placing.trader);
            return left.min(size - waiting).max(0);
        }
        let worth = left * taking.price >= least_worth(params);
        if worth {
            left
        } else {
            0
        }
    }

    /// What is left waits; what it reserves.
    fn rest(
        &mut self,
        placing: &Placing,
        taking: &Taking,
        meeting: &mut Meeting,
        left: i128,
        used: i128,
    ) -> Verdict<i128> {
        let params = &self.markets[placing.market].params;
        let margin = if placing.reduce_only {
            0
        } else {
            let mark = meeting.mark;
            let due = order_margin(params, &mark, taking.sign, left, taking.price)?;
            due.max(taking.margin - used)
        };
        let free = signed(self.trader(taking.trader).free - margin)?;
        require(free >= 0, BallastError::InsufficientCollateral)?;
        self.trader_mut(taking.trader).free = free;
        let order = Order {
            trader: taking.trader,
            id: 0,
            client_id: placing.client_id,
            sign: taking.sign,
            price: taking.price,
            lots: left,
            margin,
            expires_at: placing.expires_at,
            reduce_only: placing.reduce_only,
        };
        self.make_room(&order, meeting);
        self.markets[placing.market].book.insert(order)?;
        Ok(margin)
    }

    /// Takes an order out of a full side that gives way to a better one.
    fn make_room(&mut self, order: &Order, meeting: &mut Meeting) {
        let book = self.book(meeting.market);
        if book.sides[side(order.sign)].len() < book.capacity {
            return;
        }
        if let Some(gone) = book.giving_way(order, |trader| meeting.lists(trader)) {
            self.release(meeting.market, gone.id);
            meeting.removed.push(Removed {
                trader: gone.trader,
                id: gone.id,
                reason: Reason::Evicted,
                lots: gone.lots,
                fee: 0,
            });
        }
    }

    /// The trader's order that is meant.
    fn found(&self, market: usize, trader: usize, which: Which) -> Verdict<Order> {
        let own = self.book(market).orders_of(trader);
        let found = own.into_iter().find(|own| match which {
            Which::Id(id) => own.id == id,
            Which::Client(id) => id != 0 && own.client_id == id,
        });
        found.ok_or_else(|| BallastError::OrderNotFound.into())
    }

    /// Cancels one order.
    pub fn cancel_order(&mut self, market: usize, trader: usize, which: Which) -> Verdict<()> {
        self.accrue(market)?;
        let order = self.found(market, trader, which)?;
        self.release(market, order.id);
        Ok(())
    }

    /// Cancels all orders, or those of one side.
    pub fn cancel_all_orders(
        &mut self,
        market: usize,
        trader: usize,
        only: Option<BookSide>,
    ) -> Verdict<()> {
        self.accrue(market)?;
        self.release_all(market, trader, only.map(BookSide::sign));
        Ok(())
    }
}

/// Least worth of an order that opens and waits: 100 dollars where nothing is said.
fn least_worth(params: &RiskParams) -> i128 {
    match params.min_order_atoms {
        0 => 100_000_000,
        atoms => i128::from(atoms),
    }
}

/// Lots of the least position that opens: the market's least, or what a fifth of the least order that
/// waits is worth, but never more than its largest.
pub fn least_lots(params: &RiskParams, price: i128) -> i128 {
    let worth = ceil(&part(least_worth(params), 1, 5 * price));
    let least = worth.min(i128::from(params.max_position_lots));
    least.max(i128::from(params.min_position_lots))
}

/// The worst price at which an order may trade.
pub fn band_edge(params: &RiskParams, mark: &Mark, sign: i128) -> i128 {
    let band = i128::from(params.price_band_bps);
    let width = floor(&part(mark.price, band, ONE));
    (mark.price + sign * width).clamp(1, MAX_PRICE)
}

/// What a position lacks of its initial margin at the worsened mark, after a fill of `new` lots.
fn shortfall(params: &RiskParams, mark: &Mark, after: &Holding, new: i128) -> Verdict<i128> {
    let worst = mark.worsened(after.sign())?;
    let notional = after.size() * worst.max(mark.price);
    let due = initial_due(params, &mark.scale, new, notional);
    Ok((due - after.equity(worst)).max(0))
}

/// What a waiting order has to reserve.
fn order_margin(
    params: &RiskParams,
    mark: &Mark,
    sign: i128,
    lots: i128,
    price: i128,
) -> Verdict<i128> {
    let worst = mark.worsened(sign)?;
    let notional = lots * price.max(mark.price).max(worst);
    let loss = lots * (sign * (price - worst)).max(0);
    let fee = part(lots * price, i128::from(params.maker_fee_bps), ONE);
    let due = initial_due(params, &mark.scale, lots, notional);
    Ok(due + loss + ceil(&fee).max(0))
}
