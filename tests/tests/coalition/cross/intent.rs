//! Acts of somebody who means it: the attacks that cross margin has to stand.

use anchor_lang::prelude::Pubkey;
use ballast_client::instructions::anyone::Takeover;
use ballast_sandbox::{BlockTrade, Quote, TraderCookie};
use rand::seq::SliceRandom;
use rand::Rng;

use super::values::MARKETS;
use super::venue::Venue;
use super::Counts;
use crate::attack::Attack;
use crate::venue::USD;

impl Attack {
    /// One act with a purpose.
    pub fn cross_intend(&mut self, venue: &mut Venue, counts: &mut Counts) {
        match self.below(16) {
            0..=3 => self.open_legs(venue, counts),
            4 | 5 => self.empty_the_pool(venue, counts),
            6 | 7 => self.leave_the_loss(venue, counts),
            8 => self.flash(venue, counts),
            9..=11 => self.hunt_legs(venue, counts),
            12 => self.realise_by_liquidation(venue, counts),
            13 | 14 => self.cut_others(venue, counts),
            _ => self.take_everything(venue),
        }
    }

    /// The price that is best for `lots` among those that can be had.
    fn best(&self, venue: &Venue, market: usize, lots: i64) -> Quote {
        let known = venue.known(market).iter();
        let best = match lots > 0 {
            true => known.max_by_key(|quote| quote.ticks),
            false => known.min_by_key(|quote| quote.ticks),
        };
        *best.expect("a price")
    }

    /// Two members face each other in both markets, each at the price that is farthest from the newest among
    /// those that can be had, and their positions join their pools: hedged, or both ways alike.
    pub fn open_legs(&mut self, venue: &mut Venue, counts: &mut Counts) {
        let mut two: Vec<_> = venue.coalition.clone();
        two.shuffle(&mut self.random);
        for market in 0..MARKETS {
            self.open_in(venue, market, [&two[0], &two[1]], counts);
        }
    }

    /// Two members face each other in a market, and mostly join.
    pub fn open_in(
        &mut self,
        venue: &mut Venue,
        market: usize,
        two: [&TraderCookie; 2],
        counts: &mut Counts,
    ) {
        let (lots, newest) = (self.lots(), venue.newest(market).ticks);
        let mut known = venue.known(market).to_vec();
        known.sort_by_key(|quote| std::cmp::Reverse(quote.ticks.abs_diff(newest)));
        let mut tried = known.iter().take(12).copied();
        let opened = tried.find(|quote| self.open_leg_at(venue, market, two, lots, quote));
        counts.pairs += u64::from(opened.is_some());
        for member in two {
            if self.random.gen_ratio(3, 4) {
                counts.joined += u64::from(self.join(venue, market, member));
            }
        }
    }

    fn open_leg_at(
        &mut self,
        venue: &mut Venue,
        market: usize,
        [taker, maker]: [&TraderCookie; 2],
        lots: u64,
        quote: &Quote,
    ) -> bool {
        venue.post(market, *quote);
        // Half of it first, which is refused.
        for bps in [250, 500, 505] {
            let margin = (lots * quote.ticks * bps).div_ceil(10_000);
            venue.fund(taker, margin);
            venue.fund(maker, margin);
            let signed = lots.cast_signed();
            let terms = BlockTrade {
                lots: if self.random.gen() { signed } else { -signed },
                price_ticks: quote.ticks,
                taker_margin: margin,
                maker_margin: margin,
            };
            let cookie = venue.markets[market].clone();
            let traded = venue.sandbox.block_trade(&cookie, taker, maker, terms);
            if venue.observe(
                format!("a chosen pair of {} of {market}", terms.lots),
                traded,
            ) {
                return true;
            }
        }
        false
    }

    /// As much of a pool as can be taken out, at whichever marks are best for it, and then all that is free.
    pub fn empty_the_pool(&mut self, venue: &mut Venue, counts: &mut Counts) {
        let member = self.one_of(venue);
        let legs = [0, 1].map(|market| venue.leg(market, &member.address));
        if legs == [None; MARKETS] {
            return;
        }
        for (market, lots) in legs.into_iter().enumerate() {
            let Some(lots) = lots else {
                continue;
            };
            let quote = self.best(venue, market, lots);
            // What the board has may be better still.
            let (mark, best) = (venue.mark(market), quote.ticks);
            if mark != best && (mark > best) == (lots > 0) {
                continue;
            }
            venue.post(market, quote);
            // What is refused at the best price is recorded at the newest, or not at all.
            if !venue.record(&[market]) && self.random.gen() {
                venue.post(market, venue.newest(market));
                venue.record(&[market]);
            }
        }
        let mut atoms = venue.ledger.trader(&member.address).cross_pool.max(0);
        let queues = venue.queues();
        while atoms > USD.cast_signed() {
            let moved = venue.sandbox.move_cross(&member, -atoms, &queues);
            if venue.observe(format!("{atoms} out of the pool"), moved) {
                counts.unpooled += 1;
                self.withdraw_free(venue, &member);
                return;
            }
            atoms = atoms * 7 / 8;
        }
    }

    /// One leg leaves with as little margin as may be, at the best price for it, and what is loose is taken out.
    pub fn leave_the_loss(&mut self, venue: &mut Venue, counts: &mut Counts) {
        let (market, member) = (self.market(), self.one_of(venue));
        let Some(lots) = venue.leg(market, &member.address) else {
            return;
        };
        for quote in [self.best(venue, market, lots), venue.newest(market)] {
            venue.post(market, quote);
            for bps in [0, 100, 250, 500, 550, 700, 1_000] {
                let margin = lots.unsigned_abs() * quote.ticks * bps / 10_000;
                if self.part(venue, market, &member, margin) {
                    counts.left += 1;
                    if self.random.gen() {
                        venue.post(market, venue.newest(market));
                        venue.close(market, &member);
                    }
                    self.withdraw_free(venue, &member);
                    return;
                }
            }
        }
    }

    /// Collateral that is in the pool for the length of a slot: for a conversion, a record, a witness.
    pub fn flash(&mut self, venue: &mut Venue, counts: &mut Counts) {
        let (market, member) = (self.market(), self.one_of(venue));
        venue.post_newest();
        venue.fund(&member, 5_000 * USD);
        let free = venue.ledger.trader(&member.address).free;
        let queues = venue.queues();
        let lent = venue.sandbox.move_cross(&member, free.max(1), &queues);
        counts.pooled += u64::from(venue.observe("collateral is lent", lent));
        match self.below(3) {
            0 => counts.joined += u64::from(self.join(venue, market, &member)),
            1 => counts.records += u64::from(self.refresh(venue)),
            _ => counts.witnesses += u64::from(self.witness(venue)),
        }
        let back = venue.sandbox.move_cross(&member, -free.max(1), &queues);
        venue.observe("collateral is taken back", back);
        self.withdraw_free(venue, &member);
    }

    /// Bystanders with legs are liquidated at any prices and marks at which they could be.
    fn hunt_legs(&mut self, venue: &mut Venue, counts: &mut Counts) {
        let victims: Vec<Pubkey> = venue.bystanders.iter().map(|one| one.address).collect();
        for victim in victims {
            for market in 0..MARKETS {
                let other = 1 - market;
                let Some(lots) = venue.leg(market, &victim) else {
                    continue;
                };
                let of_other = venue.leg(other, &victim).unwrap_or(0);
                let worst = self.best(venue, other, -of_other);
                // What the board has may be worse still.
                let (mark, had) = (venue.mark(other), worst.ticks);
                if mark == had || (mark > had) != (of_other < 0) {
                    venue.post(other, worst);
                    venue.record(&[other]);
                }
                let mut known = venue.known(market).to_vec();
                known.sort_by_key(|quote| quote.ticks);
                if lots < 0 {
                    known.reverse();
                }
                for quote in known.into_iter().take(8) {
                    venue.post(market, quote);
                    let offer = Takeover::with_margin(2_000 * USD);
                    if self.seize(venue, market, &victim, offer) {
                        counts.legs += 1;
                        break;
                    }
                }
            }
        }
    }

    /// A member's own account is liquidated by another: what a leg has won is realised into the pool.
    fn realise_by_liquidation(&mut self, venue: &mut Venue, counts: &mut Counts) {
        let member = self.one_of(venue);
        for market in [0, 1, 0] {
            if venue.leg(market, &member.address).is_none() {
                continue;
            }
            venue.post_newest();
            venue.record(&[1 - market]);
            let offer = Takeover::with_margin(5_000 * USD);
            counts.legs += u64::from(self.seize(venue, market, &member.address, offer));
        }
        self.empty_the_pool(venue, counts);
    }

    /// Rounds against whoever is bankrupt: first by a list without members, who are shown too weak or have their
    /// records made anew where the proof asks for them, then by the right one.
    pub fn cut_others(&mut self, venue: &mut Venue, counts: &mut Counts) {
        venue.post_newest();
        venue.record(&[0]);
        venue.record(&[1]);
        for bankrupt in venue.bankrupt() {
            for market in 0..MARKETS {
                let Some(plan) = venue.round(market, &bankrupt) else {
                    continue;
                };
                let (cookie, queues) = (venue.markets[market].clone(), venue.queues());
                let keeper = self.one_of(venue);
                let members: Vec<_> = venue.coalition.iter().map(|one| one.address).collect();
                for one in members.iter().filter(|one| **one != bankrupt) {
                    let sandbox = &mut venue.sandbox;
                    let shown = match self.random.gen() {
                        true => sandbox.witness_ranks(&cookie, &bankrupt, &queues, &[*one]),
                        false => sandbox.refresh_ranks(&cookie, &queues, &[*one]),
                    };
                    counts.witnesses += u64::from(venue.observe("a member is shown", shown));
                }
                let mut others = venue.everybody();
                others.retain(|one| *one != bankrupt && !members.contains(one));
                others.shuffle(&mut self.random);
                let mut lists = vec![plan.counterparties.clone(), plan.counterparties];
                lists[0].retain(|one| !members.contains(one));
                lists.extend(others.iter().map(|one| vec![*one]));
                lists.swap(1, others.len());
                for list in lists {
                    let sandbox = &mut venue.sandbox;
                    let round =
                        sandbox.auto_deleverage_cross(&cookie, &bankrupt, &keeper, &queues, &list);
                    counts.rounds += u64::from(venue.observe("a chosen round", round));
                }
            }
        }
    }

    fn withdraw_free(&mut self, venue: &mut Venue, member: &TraderCookie) {
        let free = venue.ledger.trader(&member.address).free;
        if free > 0 {
            venue.transfer(member, true, free.unsigned_abs());
        }
    }

    /// Everybody's free collateral leaves.
    pub fn take_everything(&mut self, venue: &mut Venue) {
        for member in venue.coalition.clone() {
            self.withdraw_free(venue, &member);
        }
    }

    /// A member closes what it has into the book, its legs converted before, empties its pool, and withdraws.
    pub fn leave_markets(&mut self, venue: &mut Venue, member: &TraderCookie) {
        venue.post_newest();
        venue.record(&[0, 1]);
        for market in 0..MARKETS {
            if let Some(lots) = venue.leg(market, &member.address) {
                let margin = lots.unsigned_abs() * venue.newest(market).ticks / 18;
                self.part(venue, market, member, margin);
            }
            venue.close(market, member);
        }
        let pool = venue.ledger.trader(&member.address).cross_pool;
        if pool > 0 {
            let queues = venue.queues();
            let moved = venue.sandbox.move_cross(member, -pool, &queues);
            venue.observe("a pool is emptied", moved);
        }
        self.withdraw_free(venue, member);
    }
}
