//! What an order that waits comes to when somebody meets it.

use ballast::error::BallastError;
use ballast_engine::risk::RiskParams;

use super::book::Order;
use super::deleverage::Listed;
use super::holding::Holding;
use super::number::{ceil, floor, part, ONE};
use super::oracle::Mark;
use super::refusal::{require, Verdict};
use super::state::{has_a_place, Distress, Model};
use super::trade::{maker_fee, margin_due, require_small, Rate};

/// Most makers of one call, and most orders that one call fills or takes out.
pub const MOST_MAKERS: usize = 32;

/// Whoever meets orders of one side.
pub struct Meeting<'a> {
    /// Number of the market.
    pub market: usize,
    /// 1 meets bids, -1 asks.
    pub sign: i128,
    /// Price.
    pub mark: Mark,
    /// Accounts of the makers.
    pub makers: &'a [Listed],
    /// Taker's fee, basis points.
    pub taker_bps: u32,
    /// Orders filled or taken out.
    pub met: usize,
    /// Fills in order.
    pub fills: Vec<Fill>,
    /// Fees for orders taken out.
    pub collected: i128,
    /// Fees of the makers, less rebates.
    pub maker_fees: i128,
    /// Whether a maker was not listed.
    pub ended: bool,
}

/// Lots traded at the price of an order.
#[derive(Clone, Copy, Debug)]
pub struct Fill {
    /// Price per lot.
    pub price: i128,
    /// Lots.
    pub lots: i128,
    /// The taker's fee.
    pub fee: i128,
}

/// The maker of an order, as it stands.
struct Maker {
    holding: Holding,
    free: i128,
    uncovered: bool,
}

/// A maker after a fill.
struct Made {
    after: Holding,
    free: i128,
    reduced: bool,
    fill: Fill,
    fee: i128,
}

impl<'a> Meeting<'a> {
    /// Nobody met yet.
    pub fn new(market: usize, sign: i128, mark: Mark, makers: &'a [Listed]) -> Self {
        Self {
            market,
            sign,
            mark,
            makers,
            taker_bps: 0,
            met: 0,
            fills: Vec::new(),
            collected: 0,
            maker_fees: 0,
            ended: false,
        }
    }

    /// Lots filled.
    pub fn lots(&self) -> i128 {
        self.fills.iter().map(|fill| fill.lots).sum()
    }

    /// Their worth.
    pub fn quote(&self) -> i128 {
        self.fills.iter().map(|fill| fill.lots * fill.price).sum()
    }

    /// The taker's fees.
    pub fn fees(&self) -> i128 {
        self.fills.iter().map(|fill| fill.fee).sum()
    }

    /// Whether the list has the order's maker, and room is left.
    pub fn reaches(&self, order: &Order) -> bool {
        self.met < MOST_MAKERS && self.makers.contains(&Listed::Trader(order.trader))
    }
}

/// Checks a list of makers. Whose accounts they are does not matter: the book names the makers.
pub fn check_makers(makers: &[Listed]) -> Verdict<()> {
    let short = makers.len() <= MOST_MAKERS;
    require(short, BallastError::TooManyMakers)
}

impl Model {
    /// Fills up to `most` lots of an order whose maker is listed, or takes it out.
    pub fn meet(&mut self, meeting: &mut Meeting, order: &Order, most: i128) -> Verdict<()> {
        let (market, trader) = (meeting.market, order.trader);
        meeting.met += 1;
        let maker = Maker {
            holding: self.settled(market, trader)?,
            free: self.trader(trader).free,
            uncovered: self
                .owned(market, trader)
                .is_some_and(|owned| owned.distress.uncovered),
        };
        let params = self.markets[market].params;
        let expired = order.has_expired(self.time);
        let made = match expired {
            true => None,
            false => made(&params, meeting, &maker, order, most),
        };
        let Some(made) = made else {
            self.evict(meeting, order);
            return Ok(());
        };
        self.hold(market, trader, made.after)?;
        if !made.reduced {
            *self.distress_mut(market, trader) = Distress::default();
        }
        self.trader_mut(trader).free = made.free;
        self.markets[market].book.reduce(order.id, made.fill.lots);
        let rest = self.book(market).orders_of(trader);
        let rest = rest.iter().any(|rest| rest.id == order.id);
        let idle = self.held(market, trader).sign() != -order.sign;
        if rest && order.reduce_only && idle {
            self.release(market, order.id);
        }
        meeting.maker_fees += made.fee;
        meeting.fills.push(made.fill);
        Ok(())
    }

    /// Takes an order out that cannot be filled; its trader pays for it.
    pub fn evict(&mut self, meeting: &mut Meeting, order: &Order) {
        let keeper = i128::from(self.markets[meeting.market].params.keeper_fee_atoms);
        let order = self.release(meeting.market, order.id);
        let account = self.trader_mut(order.trader);
        let most = if order.reduce_only {
            account.free
        } else {
            order.margin
        };
        let fee = keeper.min(most);
        account.free -= fee;
        meeting.collected += fee;
    }

    /// Trading fees: a part to insurance, the rest to the bucket.
    pub fn book_fees(&mut self, market: usize, fees: i128) -> Verdict<()> {
        let market = &mut self.markets[market];
        let share = i128::from(market.params.insurance_fee_share_bps);
        let share = floor(&part(fees, share, ONE));
        market.insurance.receive(share)?;
        market.fees += fees - share;
        Ok(())
    }
}

/// The maker after a fill; none where it cannot trade.
fn made(
    params: &RiskParams,
    meeting: &Meeting,
    maker: &Maker,
    order: &Order,
    most: i128,
) -> Option<Made> {
    if maker.uncovered {
        return None;
    }
    let opposite = maker.holding.sign() == -order.sign;
    let room = match (order.reduce_only, opposite) {
        (false, _) => order.lots,
        (true, true) => maker.holding.size(),
        (true, false) => return None,
    };
    let lots = most.min(order.lots).min(room);
    let worth = lots * order.price;
    let paid = ceil(&part(worth, i128::from(meeting.taker_bps), ONE));
    let fee = maker_fee(params, worth, paid);
    let share = order.share(lots);
    let reduced = maker.holding.reduced_by(order.sign * lots);
    let filled = maker
        .holding
        .filled(order.sign * lots, order.sign * worth)
        .ok()?;
    let mut after = filled.after;
    let available = maker.free + filled.realized + filled.released;
    let (free, fee) = if reduced {
        let fee = fee.min(available + share);
        (available + share - fee, fee)
    } else {
        let fee = fee.min(share);
        after.margin += share - fee.max(0);
        (available - fee.min(0), fee)
    };
    let sound = available + if reduced { share } else { 0 } >= 0
        && (reduced || stands(params, &meeting.mark, &after))
        && (after.lots == 0 || has_a_place(&after));
    let fits = |amount| i64::try_from(amount).is_ok();
    if !sound || !fits(free) || !fits(after.margin) {
        return None;
    }
    Some(Made {
        after,
        free,
        reduced,
        fill: Fill {
            price: order.price,
            lots,
            fee: paid,
        },
        fee,
    })
}

/// Whether a position may be left open: not too large, and no candidate for liquidation.
fn stands(params: &RiskParams, mark: &Mark, after: &Holding) -> bool {
    let due = margin_due(params, after.size() * mark.price, Rate::Maintenance);
    require_small(params, mark, after).is_ok() && after.equity(mark.price) >= due
}
