//! What a pool takes over of a liquidation, and what it remembers of it.

use ballast_state::error::BallastError;

use super::holding::Holding;
use super::number::{floor, part, ratio, ONE};
use super::oracle::Mark;
use super::pool::pool_trader;
use super::refusal::{unsigned, Verdict};
use super::state::Model;
use super::volatility::{initial_due, TIMES_ONE};

/// Shares whose worth is compared with their height.
const COMPARED: i128 = 1 << 32;

/// What a step leaves for the pool.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    /// The victim's side.
    pub sign: i128,
    /// Lots that are left of the step.
    pub lots: i128,
    /// Lots that are left of the victim's position.
    pub held: i128,
    /// Lots of that position before.
    pub whole: i128,
    /// Discount, basis points.
    pub rate: i128,
    /// Whether insurance pays for the lots.
    pub rescue: bool,
    /// What the pool is worth to who leaves.
    pub low: i128,
}

/// A take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Took {
    /// Lots of the pool before and afterwards.
    pub lots: [i128; 2],
    /// Discount and premium.
    pub earned: [i128; 2],
    /// Margin that it added.
    pub margin: i128,
    /// What it was worth before.
    pub low: i128,
}

impl Model {
    /// Lots that the pool takes: as many as the rules let it.
    pub fn pool_wants(&self, market: usize, mark: &Mark, offer: &Offer) -> Verdict<i128> {
        let held = self.inventory(market)?;
        if held.equity(mark.price) < 0 {
            return Ok(0);
        }
        let against = held.sign() == -offer.sign;
        let shrinks = if against { held.size() } else { 0 };
        let behind = held.size() - shrinks;
        let grows = self.pool_room(market, mark, offer, behind)?;
        let params = &self.markets[market].params;
        let least = i128::from(params.min_position_lots);
        let allowed = |lots: i128| {
            let enlarging = (lots - shrinks).max(0);
            let opened = behind + enlarging;
            let leaves = lots == offer.lots || offer.held - lots >= least;
            let enough = lots >= least || lots == offer.held;
            let sound = enlarging == 0 || opened >= least || offer.whole < least;
            (1..=offer.lots).contains(&lots) && enlarging <= grows && leaves && enough && sound
        };
        // What is most is at the edge of one of these rules.
        let edges = [offer.lots, shrinks + grows, shrinks, offer.held - least];
        let most = edges.into_iter().filter(|lots| allowed(*lots)).max();
        Ok(most.unwrap_or(0))
    }

    /// Lots by which the pool's position on the victim's side, of `behind` lots, may grow.
    fn pool_room(&self, market: usize, mark: &Mark, offer: &Offer, behind: i128) -> Verdict<i128> {
        let (pool, now) = (self.pool(market)?, &self.markets[market]);
        let queued = behind > 0 || self.queue(market, offer.sign).len() < now.capacity;
        let open = pool.params.mode == 0 && pool.stopped.is_none();
        let used = self.cap_used(market, offer)?;
        if !open || !queued || used == 0 || self.has_fallen(market, offer.low)? {
            return Ok(0);
        }
        let cap = i128::from(pool.params.cap_bps) * used;
        let cap = floor(&part(offer.low, cap, 100_000_000));
        let cap = floor(&part(cap, TIMES_ONE, mark.scale.multiplier));
        let last = usize::try_from(now.params.tier_count).expect("a small count") - 1;
        let tier = i128::from(now.params.tiers[last].notional_limit_atoms);
        let largest = i128::from(now.params.max_position_lots);
        let most = (cap.min(tier) / mark.price).min(largest);
        let window = i128::from(pool.params.take_cap_bps);
        let window = floor(&part(offer.low, window, ONE)) - self.taken_lately(market);
        Ok((most - behind).min(window.max(0) / mark.price).max(0))
    }

    /// What of its cap the pool uses at the discount, basis points.
    fn cap_used(&self, market: usize, offer: &Offer) -> Verdict<i128> {
        let params = &self.pool(market)?.params;
        let first = i128::from(params.reserve_first_bps);
        let range = i128::from(params.reserve_last_bps) - first;
        Ok(match offer.rate - first {
            _ if offer.rescue => ONE,
            below if below < 0 => 0,
            _ if range == 0 => ONE,
            above => floor(&part(above, ONE, range)).min(ONE),
        })
    }

    /// What the height of a share has sunk to by now.
    fn height(&self, market: usize) -> Verdict<i128> {
        let pool = self.pool(market)?;
        let (value, since) = pool.height;
        let elapsed = i128::from(self.slot - since);
        let sunk = elapsed * i128::from(pool.params.drawdown_bps);
        let whole = i128::from(pool.params.window_slots) * ONE;
        Ok(match sunk >= whole {
            true => 0,
            false => value - floor(&part(value, sunk, whole)),
        })
    }

    /// What the shares compared are worth, in a pool worth `low`.
    fn compared(&self, market: usize, low: i128) -> Verdict<i128> {
        let value = self.pool(market)?.fund.value(COMPARED, low);
        Ok(value.min(i128::from(u64::MAX)))
    }

    fn has_fallen(&self, market: usize, low: i128) -> Verdict<bool> {
        let drawdown = i128::from(self.pool(market)?.params.drawdown_bps);
        let least = self.height(market)? * (ONE - drawdown);
        Ok(self.compared(market, low)? * ONE < least)
    }

    /// Remembers the height of the shares.
    pub fn look_at_height(&mut self, market: usize, low: i128) -> Verdict<()> {
        let value = self.compared(market, low)?;
        if value >= self.height(market)? {
            let slot = self.slot;
            self.pool_mut(market)?.height = (value, slot);
        }
        Ok(())
    }

    /// Margin that the pool puts into what it holds after a fill.
    pub fn backing(
        &self,
        market: usize,
        mark: &Mark,
        held: &Holding,
        [lots, quote]: [i128; 2],
    ) -> Verdict<i128> {
        let filled = held.filled(lots, quote)?;
        let after = filled.after;
        if after.lots == 0 {
            return Ok(0);
        }
        let free = self.trader(pool_trader(market)).free;
        let available = (free + filled.realized + filled.released).max(0);
        let wanted = self.lacking_margin(market, mark.price, &after)?;
        let worst = mark.worsened(after.sign())?;
        let notional = after.size() * worst.max(mark.price);
        let due = initial_due(&self.markets[market].params, &mark.scale, 0, notional);
        let least = (due - after.equity(worst)).max(0);
        Ok(wanted.min(available).max(least))
    }

    /// What a position of the pool lacks of the equity that it is to have.
    pub fn lacking_margin(&self, market: usize, price: i128, held: &Holding) -> Verdict<i128> {
        let wanted = self.wanted_equity(market, price, held)?;
        Ok((wanted - held.equity(price)).max(0))
    }

    /// The equity that a position of the pool is to have.
    pub fn wanted_equity(&self, market: usize, price: i128, held: &Holding) -> Verdict<i128> {
        let margin = i128::from(self.pool(market)?.params.margin_bps);
        Ok(floor(&part(held.size() * price, margin, ONE)))
    }

    /// What insurance would pay the pool for so much that it takes at the mark.
    pub fn premium(&self, market: usize, notional: i128) -> Verdict<i128> {
        let fee = self.markets[market].params.taker_fee_bps;
        let bps = self.pool(market)?.params.premium_bps.min(fee);
        Ok(floor(&part(notional, i128::from(bps), ONE)))
    }

    /// Remembers a take: lots, discount, premium and margin.
    pub fn remember_take(
        &mut self,
        market: usize,
        mark: &Mark,
        offer: &Offer,
        [lots, discount, premium, margin]: [i128; 4],
    ) -> Verdict<Took> {
        self.look_at_height(market, offer.low)?;
        let after = self.held(market, pool_trader(market)).lots;
        let before = after - offer.sign * lots;
        let kept = match before.signum() == after.signum() {
            true => before.abs().min(after.abs()),
            false => 0,
        };
        let enlarged = after.abs() - kept;
        if enlarged > 0 || after == 0 {
            self.leave_time(market, kept, after.abs())?;
        }
        let slot = self.slot;
        let pool = self.pool_mut(market)?;
        pool.taken.push((slot, enlarged * mark.price));
        pool.done[0] += 1;
        pool.earned[0] = unsigned(pool.earned[0] + discount)?;
        pool.earned[1] = unsigned(pool.earned[1] + premium)?;
        Ok(Took {
            lots: [before, after],
            earned: [discount, premium],
            margin,
            low: offer.low,
        })
    }

    /// Leaves a part of the time of the auction that is under way.
    pub fn leave_time(&mut self, market: usize, part_left: i128, whole: i128) -> Verdict<()> {
        let left = match whole {
            0 => 0,
            _ => floor(&(ratio(part_left, whole) * ratio(self.auction_time(market)?, 1))),
        };
        let left = u64::try_from(left).map_err(|_| BallastError::Overflow)?;
        let slot = self.slot;
        self.pool_mut(market)?.auction = slot - left;
        Ok(())
    }

    /// Slots since the auction began, at most all in which its price falls.
    pub fn auction_time(&self, market: usize) -> Verdict<i128> {
        let pool = self.pool(market)?;
        let elapsed = self.slot - pool.auction;
        Ok(i128::from(elapsed.min(pool.params.auction_slots)))
    }
}
