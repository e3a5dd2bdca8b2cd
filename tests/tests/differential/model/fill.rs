//! What an order that waits comes to when somebody meets it.

use ballast_engine::risk::RiskParams;
use ballast_state::error::BallastError;

use super::book::Order;
use super::holding::Holding;
use super::number::{ceil, floor, part, ONE};
use super::oracle::Mark;
use super::refusal::{require, Verdict};
use super::round::Listed;
use super::state::{has_a_place, side, Distress, Model};
use super::take::Took;
use super::trade::{maker_fee, margin_due, require_small, Rate};
use crate::operation::Step;

/// Most makers of one call, most orders that one call fills, and most that it takes out because
/// they cannot be filled.
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
    /// Fills in order.
    pub fills: Vec<Fill>,
    /// Orders taken out, in order.
    pub removed: Vec<Removed>,
    /// The taker's own orders, with the lots and the reserve each lost.
    pub own: Vec<(u64, i128, i128)>,
    /// Orders that were passed over and stay.
    pub stayed: Vec<u64>,
    /// Whether a maker was not listed, or an order that crosses stayed.
    pub ended: bool,
}

/// Lots traded at the price of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// The maker.
    pub trader: usize,
    /// Its order.
    pub id: u64,
    /// Price per lot.
    pub price: i128,
    /// Lots.
    pub lots: i128,
    /// The taker's fee.
    pub fee: i128,
    /// The maker's fee, negative a rebate.
    pub maker_fee: i128,
    /// Lots of the maker before.
    pub before: i128,
    /// Lots of the maker afterwards.
    pub after: i128,
    /// Its margin afterwards.
    pub margin: i128,
    /// Lots of the order that still wait.
    pub left: i128,
}

/// Why an order could not be filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its time was over.
    Expired,
    /// Its maker could not carry it.
    Unhealthy,
    /// Nothing to make smaller.
    NothingToReduce,
    /// Its maker's position would find no place in the queue.
    NoRoom,
    /// Its maker's position became smaller than its reduce-only orders.
    Reduced,
    /// Its side was full and a better order came.
    Evicted,
}

/// An order taken out, or lots of it, by somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removed {
    /// The maker.
    pub trader: usize,
    /// Its order.
    pub id: u64,
    /// Why.
    pub reason: Reason,
    /// Lots it lost.
    pub lots: i128,
    /// What the maker paid for it.
    pub fee: i128,
}

/// What a call did with the book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    /// Fills in order.
    pub fills: Vec<Fill>,
    /// Orders taken out, in order.
    pub removed: Vec<Removed>,
    /// The taker's own orders, with the lots and the reserve each lost.
    pub own: Vec<(u64, i128, i128)>,
    /// Orders that were passed over and stay.
    pub stayed: usize,
    /// Whether a maker was not listed, or an order that crosses stayed.
    pub ended: bool,
    /// What else the call did.
    pub done: Done,
}

/// What depends on the kind of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// An order.
    Order {
        /// Lots, a reduce-only order cut to the position.
        lots: i128,
        /// Number of the order that waits; 0 none.
        id: u64,
        /// Lots that wait.
        resting: i128,
        /// What they reserve.
        reserved: i128,
    },
    /// A liquidation.
    Liquidation {
        /// Lots closed.
        lots: i128,
        /// Lots the liquidator took over.
        taken: i128,
        /// The worth of all lots.
        quote: i128,
        /// Rewards for fills.
        rewards: i128,
        /// Insurance got.
        fee: i128,
        /// Insurance paid.
        paid: i128,
        /// Whether it finished the step before.
        follow_up: bool,
        /// Whether the position had no equity.
        bankrupt: bool,
        /// Lots of the step that nobody closed.
        left: i128,
        /// What the pool took.
        took: Option<Took>,
    },
    /// An unwind of a pool.
    Unwind {
        /// Lots that were due.
        due: i128,
        /// The worst price, ticks.
        limit: i128,
        /// What the keeper earned.
        keeper: i128,
    },
    /// A protective step.
    Step {
        /// The step.
        step: Step,
        /// The worst price, ticks.
        worst: i128,
        /// Lots that it still had to close.
        left: i128,
        /// What the keeper earned.
        reward: i128,
    },
    /// A trigger.
    Trigger {
        /// Lots it has left.
        left: i128,
        /// What the keeper earned.
        reward: i128,
    },
}

/// The maker of an order, as it stands.
struct Maker {
    holding: Holding,
    free: i128,
}

/// A maker after a fill.
struct Made {
    after: Holding,
    free: i128,
    reduced: bool,
    fill: Fill,
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
            fills: Vec::new(),
            removed: Vec::new(),
            own: Vec::new(),
            stayed: Vec::new(),
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

    /// The makers' fees, less rebates.
    pub fn maker_fees(&self) -> i128 {
        self.fills.iter().map(|fill| fill.maker_fee).sum()
    }

    /// Fees for orders taken out.
    pub fn collected(&self) -> i128 {
        self.removed.iter().map(|removed| removed.fee).sum()
    }

    /// Orders filled or taken out.
    pub fn met(&self) -> usize {
        self.fills.len() + self.removed.len()
    }

    /// What all of it comes to.
    pub fn matched(self, done: Done) -> Matched {
        Matched {
            fills: self.fills,
            removed: self.removed,
            own: self.own,
            stayed: self.stayed.len(),
            ended: self.ended,
            done,
        }
    }

    /// Notes what a trader's reduce-only orders lost.
    pub fn note_cut(&mut self, trader: usize, cut: Vec<(u64, i128)>) {
        let removed = cut.into_iter().map(|(id, lots)| Removed {
            trader,
            id,
            reason: Reason::Reduced,
            lots,
            fee: 0,
        });
        self.removed.extend(removed);
    }

    /// Whether the list has the order's maker.
    pub fn lists(&self, trader: usize) -> bool {
        self.makers.contains(&Listed::Trader(trader))
    }

    /// Whether one more order may be filled, or taken out because it cannot be.
    fn has_budget(&self, filled: bool) -> bool {
        let unfit = self
            .removed
            .iter()
            .filter(|removed| !matches!(removed.reason, Reason::Reduced | Reason::Evicted));
        let so_far = if filled {
            self.fills.len()
        } else {
            unfit.count() + self.stayed.len()
        };
        so_far < MOST_MAKERS
    }
}

/// Checks a list of makers. Whose accounts they are does not matter: the book names the makers.
pub fn check_makers(makers: &[Listed]) -> Verdict<()> {
    let short = makers.len() <= MOST_MAKERS;
    require(short, BallastError::TooManyMakers)
}

impl Model {
    /// The best order that has not been passed over.
    pub fn next_order(&self, meeting: &Meeting) -> Option<Order> {
        let mut orders = self.book(meeting.market).sides[side(meeting.sign)].iter();
        let next = orders.find(|order| !meeting.stayed.contains(&order.id));
        next.copied()
    }

    /// Fills up to `most` lots of an order, or takes it out. False where its maker is not listed or
    /// the call has done as much as it may.
    pub fn meet(&mut self, meeting: &mut Meeting, order: &Order, most: i128) -> Verdict<bool> {
        let (market, trader) = (meeting.market, order.trader);
        if !meeting.lists(trader) {
            return Ok(false);
        }
        let stood = self.stands(market, trader);
        let maker = Maker {
            holding: self.settled(market, trader)?,
            free: self.trader(trader).free,
        };
        let params = self.markets[market].params;
        let made = match order.has_expired(self.time) {
            true => Err(Reason::Expired),
            false => made(&params, &meeting.mark, meeting, &maker, order, most),
        };
        if made.as_ref().err() == Some(&Reason::Unhealthy)
            && !was_unhealthy(&params, meeting, &maker, order, most)
        {
            if !meeting.has_budget(false) {
                return Ok(false);
            }
            meeting.stayed.push(order.id);
            return Ok(true);
        }
        let made = made.and_then(
            |made| match self.joins(market, &maker.holding, &made.after) {
                true => Ok(made),
                false => Err(Reason::NoRoom),
            },
        );
        if !meeting.has_budget(made.is_ok()) {
            return Ok(false);
        }
        let mut made = match made {
            Ok(made) => made,
            Err(reason) => {
                self.take_out(meeting, order, reason);
                self.note(&stood, 0);
                return Ok(true);
            }
        };
        self.hold(market, trader, made.after)?;
        if !made.reduced {
            *self.distress_mut(market, trader) = Distress::default();
        }
        self.trader_mut(trader).free = made.free;
        self.markets[market].book.reduce(order.id, made.fill.lots);
        let idle = self.held(market, trader).sign() != -order.sign;
        if made.fill.left > 0 && order.reduce_only && idle {
            self.release(market, order.id);
            made.fill.left = 0;
        }
        let cut = self.cut_reduce_only(market, trader, made.after.lots);
        self.seen.push(order.price);
        self.note(&stood, 0);
        meeting.fills.push(made.fill);
        meeting.note_cut(trader, cut);
        Ok(true)
    }

    /// Takes an order out that cannot be filled; its trader pays for it, unless the mark or the
    /// queue is the reason.
    fn take_out(&mut self, meeting: &mut Meeting, order: &Order, reason: Reason) {
        let keeper = i128::from(self.markets[meeting.market].params.keeper_fee_atoms);
        let order = self.release(meeting.market, order.id);
        let account = self.trader_mut(order.trader);
        let most = if order.reduce_only {
            account.free
        } else {
            order.margin
        };
        let fee = match reason {
            Reason::Expired | Reason::NothingToReduce => keeper.min(most),
            _ => 0,
        };
        account.free -= fee;
        meeting.removed.push(Removed {
            trader: order.trader,
            id: order.id,
            reason,
            lots: order.lots,
            fee,
        });
    }

    /// Whether what a position becomes needs no new place in a queue, or finds one.
    fn joins(&self, market: usize, before: &Holding, after: &Holding) -> bool {
        let stays = after.lots == 0 || after.sign() == before.sign();
        stays || self.queue(market, after.sign()).len() < self.markets[market].capacity
    }

    /// Trading fees: a part to insurance, the rest to the bucket.
    pub fn book_fees(&mut self, market: usize, fees: i128) -> Verdict<()> {
        let market = &mut self.markets[market];
        let share = i128::from(market.params.insurance_fee_share_bps);
        let share = floor(&part(fees, share, ONE));
        market.insurance.earn(&market.params, share)?;
        market.fees += fees - share;
        Ok(())
    }
}

/// Whether the maker could not have carried the order at the earlier price either.
fn was_unhealthy(
    params: &RiskParams,
    meeting: &Meeting,
    maker: &Maker,
    order: &Order,
    most: i128,
) -> bool {
    let Some(price) = meeting.mark.earlier else {
        return false;
    };
    let earlier = Mark {
        price,
        conf: 0,
        average: None,
        earlier: None,
        scale: meeting.mark.scale,
    };
    made(params, &earlier, meeting, maker, order, most).is_err()
}

/// The maker after a fill at a mark, or why the order cannot trade.
fn made(
    params: &RiskParams,
    mark: &Mark,
    meeting: &Meeting,
    maker: &Maker,
    order: &Order,
    most: i128,
) -> Result<Made, Reason> {
    let opposite = maker.holding.sign() == -order.sign;
    let room = match (order.reduce_only, opposite) {
        (false, _) => order.lots,
        (true, true) => maker.holding.size(),
        (true, false) => return Err(Reason::NothingToReduce),
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
        .map_err(|_| Reason::Unhealthy)?;
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
        && (reduced || stands(params, mark, &after))
        && (reduced || after.size() + order.lots - lots >= i128::from(params.min_position_lots))
        && (after.lots == 0 || has_a_place(&after));
    let fits = |amount| i64::try_from(amount).is_ok();
    if !sound || !fits(free) || !fits(after.margin) {
        return Err(Reason::Unhealthy);
    }
    Ok(Made {
        after,
        free,
        reduced,
        fill: Fill {
            trader: order.trader,
            id: order.id,
            price: order.price,
            lots,
            fee: paid,
            maker_fee: fee,
            before: maker.holding.lots,
            after: after.lots,
            margin: after.margin,
            left: order.lots - lots,
        },
    })
}

/// Whether a position may be left open: not too large, and no candidate for liquidation.
fn stands(params: &RiskParams, mark: &Mark, after: &Holding) -> bool {
    let worst = mark.worst_for(after.sign(), mark.price);
    let notional = after.size() * worst.max(mark.price);
    let due = margin_due(params, notional, Rate::Maintenance);
    require_small(params, mark, after).is_ok() && after.equity(worst) >= due
}
