//! Triggers and protective steps of a coalition's legs: set anywhere, executed by a member against whoever waits.

use ballast_engine::protection::ProtectiveStep;
use ballast_sandbox::TraderCookie;
use ballast_state::book_account::OrderSide;
use ballast_state::instructions::{PlaceTriggerArgs, SetProtectionArgs};
use ballast_state::order_args::PlaceOrderArgs;
use ballast_state::trigger::TriggerKind;
use rand::seq::SliceRandom;
use rand::Rng;

use super::venue::Venue;
use crate::attack::Attack;

impl Attack {
    /// Whether lots of a leg were closed so.
    pub fn leg_fires(&mut self, venue: &mut Venue) -> bool {
        let number = self.market();
        let mut able = venue.coalition.clone();
        able.retain(|one| venue.leg(number, &one.address).is_some());
        let Some(member) = able.choose(&mut self.random).cloned() else {
            return false;
        };
        match self.below(5) {
            0 => self.sets_a_trigger(venue, number, &member),
            1 => self.sets_steps(venue, number, &member),
            _ => return self.fires(venue, number, &member),
        }
        false
    }

    fn kind(&mut self) -> TriggerKind {
        match self.random.gen() {
            true => TriggerKind::StopLoss,
            false => TriggerKind::TakeProfit,
        }
    }

    fn sets_a_trigger(&mut self, venue: &mut Venue, number: usize, member: &TraderCookie) {
        let (market, ticks) = (venue.markets[number].clone(), venue.posted(number).ticks);
        let lots = venue
            .leg(number, &member.address)
            .map_or(0, i64::unsigned_abs);
        let args = PlaceTriggerArgs {
            kind: self.kind(),
            price_ticks: ticks * self.random.gen_range(9_900..=10_100) / 10_000,
            worst_ticks: match self.random.gen() {
                true => ticks * self.random.gen_range(9_500..=10_500) / 10_000,
                false => 0,
            },
            lots: self.random.gen_range(1..=lots.max(1)),
        };
        let placed = venue.sandbox.place_trigger(&market, member, args);
        venue.observe(format!("a trigger of a leg of {number}"), placed);
    }

    fn sets_steps(&mut self, venue: &mut Venue, number: usize, member: &TraderCookie) {
        let market = venue.markets[number].clone();
        // There may be an account already.
        let created = venue.sandbox.create_protection(&market, member);
        venue.observe("an account for steps", created);
        let step = |ratio_bps, keep_bps| ProtectiveStep {
            ratio_bps,
            keep_bps,
        };
        let args = SetProtectionArgs {
            steps: vec![
                step(self.random.gen_range(15_000..=100_000), 5_000),
                step(12_000, self.random.gen_range(0..=1_000)),
            ],
            slip_bps: self.random.gen_range(1..=500),
        };
        let set = venue.sandbox.set_protection(&market, member, args);
        venue.observe(format!("steps of a leg of {number}"), set);
    }

    /// A member fires against who waits, now and then another with an order anywhere in the band.
    fn fires(&mut self, venue: &mut Venue, number: usize, member: &TraderCookie) -> bool {
        let (market, keeper) = (venue.markets[number].clone(), self.one_of(venue));
        let lots = venue.leg(number, &member.address).unwrap_or_default();
        if keeper.address != member.address && self.random.gen() {
            let ticks = venue.posted(number).ticks;
            let waits = PlaceOrderArgs {
                side: match lots > 0 {
                    true => OrderSide::Bid,
                    false => OrderSide::Ask,
                },
                price_ticks: ticks * self.random.gen_range(9_500..=10_500) / 10_000,
                lots: lots.unsigned_abs(),
                ..PlaceOrderArgs::default()
            };
            venue.fund(&keeper, lots.unsigned_abs() * ticks / 10);
            let listed = venue.listed();
            let placed = venue.sandbox.place_order(&market, &keeper, waits, &listed);
            venue.observe("a member waits for what fires", placed);
        }
        let (kind, mut listed) = (self.kind(), venue.listed());
        if self.random.gen_ratio(1, 4) {
            listed.retain(|_| self.random.gen_ratio(7, 8));
        }
        let (sandbox, whose) = (&mut venue.sandbox, member.address);
        let result = match self.random.gen() {
            true => sandbox.execute_trigger(&market, &whose, &keeper, kind, &listed),
            false => sandbox.execute_protection(&market, &whose, &keeper, &listed),
        };
        venue.observe(format!("a leg of {number} fires"), result)
    }
}
