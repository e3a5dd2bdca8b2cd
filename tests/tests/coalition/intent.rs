//! Acts of somebody who means it: the best price of those that can be had, margin down to the limit,
//! an order that waits until the price is far away.

use ballast_client::instructions::anyone::Takeover;
use ballast_client::instructions::trader::{self, Party};
use ballast_engine::liquidation::Health;
use ballast_sandbox::{BlockTrade, Quote, TraderCookie};
use ballast_state::book_account::OrderSide;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs, SelfTrade};
use rand::seq::SliceRandom;
use rand::Rng;

use crate::attack::Attack;
use crate::venue::{Venue, USD};

/// An order that waits for its price to be wrong.
#[derive(Clone, Debug)]
pub struct Bait {
    member: TraderCookie,
    side: OrderSide,
    ticks: u64,
    lots: u64,
}

impl Attack {
    /// One act with a purpose.
    pub fn intend(&mut self, venue: &mut Venue, bait: &mut Option<Bait>) {
        match self.below(10) {
            0..=3 => self.open_at_the_best_price(venue),
            4 => self.take_margin_out(venue),
            5 | 6 => self.hunt(venue),
            7 => self.abuse_trust(venue),
            8 => self.sweep(venue, bait),
            _ => self.take_all(venue),
        }
    }

    /// A pair at whichever price is farthest from the newest, the winner's side first; what was won is
    /// taken out at the newest, if it can be.
    pub fn open_at_the_best_price(&mut self, venue: &mut Venue) {
        let newest = venue.newest().ticks;
        let mut known = venue.known().to_vec();
        known.sort_by_key(|quote| std::cmp::Reverse(quote.ticks.abs_diff(newest)));
        let mut two: Vec<_> = venue.coalition.clone();
        two.shuffle(&mut self.random);
        let lots = self.lots();
        for quote in known.iter().take(40) {
            if self.open_at(venue, &two[0], &two[1], lots, quote) {
                break;
            }
        }
        if self.random.gen() {
            self.leave(venue, &two[0]);
        }
    }

    /// `winner` on the side that the newest price favours.
    fn open_at(
        &mut self,
        venue: &mut Venue,
        winner: &TraderCookie,
        loser: &TraderCookie,
        lots: u64,
        quote: &Quote,
    ) -> bool {
        venue.post(*quote);
        // Half of it first, which is refused.
        for bps in [250, 500] {
            let margin = (lots * quote.ticks * bps).div_ceil(10_000);
            venue.fund(winner, margin);
            venue.fund(loser, margin);
            let rises = venue.newest().ticks > quote.ticks;
            let signed = lots.cast_signed();
            let terms = BlockTrade {
                lots: if rises { signed } else { -signed },
                price_ticks: quote.ticks,
                taker_margin: margin,
                maker_margin: margin,
            };
            let market = venue.market.clone();
            let traded = venue.sandbox.block_trade(&market, winner, loser, terms);
            let what = format!("a chosen pair of {} lots with {bps}", terms.lots);
            if venue.observe(what, traded) {
                return true;
            }
        }
        false
    }

    /// A member closes into the book at the newest price, and withdraws.
    pub fn leave(&mut self, venue: &mut Venue, member: &TraderCookie) {
        venue.post(venue.newest());
        venue.close(member);
        self.withdraw_all(venue, member);
    }

    fn withdraw_all(&mut self, venue: &mut Venue, member: &TraderCookie) {
        let free = venue.sandbox.trader(&member.address).free;
        if free > 0 {
            venue.transfer(member, true, free.unsigned_abs());
        }
    }

    /// Everybody's free collateral leaves.
    fn take_all(&mut self, venue: &mut Venue) {
        for member in venue.coalition.clone() {
            self.withdraw_all(venue, &member);
        }
    }

    /// As much margin as can be taken out, at whichever price is best for it.
    fn take_margin_out(&mut self, venue: &mut Venue) {
        let (market, member) = (venue.market.clone(), self.member(venue));
        let Some(slot) = venue.sandbox.position(&market, &member.address) else {
            return;
        };
        let mut known = venue.known().to_vec();
        known.sort_by_key(|quote| quote.ticks);
        if slot.lots > 0 {
            known.reverse();
        }
        let quote = known[0];
        let fresh = venue.newest();
        for quote in [quote, fresh] {
            venue.post(quote);
            let mut atoms = slot.margin.max(0).unsigned_abs();
            while atoms > USD {
                let removed = venue.sandbox.remove_margin(&market, &member, atoms);
                if venue.observe(format!("{atoms} of margin out"), removed) {
                    self.withdraw_all(venue, &member);
                    return;
                }
                atoms = atoms * 3 / 4;
            }
        }
    }

    /// Honest positions are liquidated at any price at which they could be.
    fn hunt(&mut self, venue: &mut Venue) {
        let market = venue.market.clone();
        for victim in venue.leveraged.clone() {
            let mut known = venue.known().to_vec();
            known.retain(|quote| venue.health_at(&victim.address, quote.ticks) != Health::Healthy);
            known.dedup_by_key(|quote| quote.ticks);
            for quote in known.into_iter().take(20) {
                venue.post(quote);
                let liquidator = self.member(venue);
                let offer = Takeover::with_margin(2_000 * USD);
                let result = venue.sandbox.liquidate_into_book(
                    &market,
                    &victim.address,
                    &liquidator,
                    offer,
                    &[],
                );
                if venue.observe("an honest position is hunted down", result) {
                    break;
                }
            }
        }
    }

    /// The delegate of an honest account trades for it: in a block with an account of its own at the edge
    /// of the band, which it may not, or by an order.
    fn abuse_trust(&mut self, venue: &mut Venue) {
        let (market, newest) = (venue.market.clone(), venue.newest());
        venue.post(newest);
        let trusted = venue.coalition[0].clone();
        let mine = venue.coalition[1].clone();
        let lots = 5_000;
        let price_ticks = newest.ticks * 104 / 100;
        let args = BlockTrade {
            lots,
            price_ticks,
            taker_margin: 150 * USD,
            maker_margin: 100 * USD,
        };
        let trade = trader::BlockTrade {
            keys: market.keys,
            taker: Party {
                trader: venue.trusting.address,
                authority: trusted.wallet.address(),
            },
            maker: mine.party(),
            args: args.args(),
        };
        let signers = [&trusted.wallet.keypair, &mine.wallet.keypair];
        let traded = venue.sandbox.send(&[trade.instruction()], &signers);
        venue.observe("a delegate block-trades", traded);
    }

    /// Leaves an order in the book; later, when the price is far away, another member takes it.
    pub fn sweep(&mut self, venue: &mut Venue, bait: &mut Option<Bait>) {
        if !self.rests() {
            return;
        }
        let (market, newest) = (venue.market.clone(), venue.newest());
        venue.post(newest);
        let Some(left) = bait.take() else {
            *bait = self.leave_bait(venue);
            return;
        };
        let mine = self.member(venue);
        if mine.address == left.member.address {
            return;
        }
        let args = PlaceOrderArgs {
            side: match left.side {
                OrderSide::Bid => OrderSide::Ask,
                OrderSide::Ask => OrderSide::Bid,
            },
            kind: OrderKind::ImmediateOrCancel,
            price_ticks: left.ticks,
            lots: left.lots,
            self_trade: SelfTrade::CancelProvide,
            ..PlaceOrderArgs::default()
        };
        venue.fund(&mine, left.lots * left.ticks / 15);
        let makers = venue.makers();
        let placed = venue.sandbox.place_order(&market, &mine, args, &makers);
        venue.observe("an order is swept", placed);
    }

    /// An order just inside the honest maker's spread, with the least collateral, where the trend goes
    /// against it.
    fn leave_bait(&mut self, venue: &mut Venue) -> Option<Bait> {
        let (market, ticks) = (venue.market.clone(), venue.newest().ticks);
        venue.unquote();
        let bait = Bait {
            member: self.member(venue),
            side: match self.falls() {
                true => OrderSide::Bid,
                false => OrderSide::Ask,
            },
            ticks,
            lots: self.lots().min(150_000),
        };
        venue.fund(&bait.member, bait.lots * ticks / 15);
        let args = PlaceOrderArgs {
            side: bait.side,
            kind: OrderKind::PostOnly,
            price_ticks: bait.ticks,
            lots: bait.lots,
            ..PlaceOrderArgs::default()
        };
        let placed = venue.sandbox.place_order(&market, &bait.member, args, &[]);
        // As far as initial margin reaches, and somewhat farther.
        self.wait(14);
        let left = venue.observe(format!("a bait of {} at {}", bait.lots, bait.ticks), placed);
        left.then_some(bait)
    }
}
