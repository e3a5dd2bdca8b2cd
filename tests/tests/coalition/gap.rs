//! Histories in which the price jumps farther than margin reaches, while the coalition's positions face one
//! another. What they lack then is insurance's loss at most, and no honest account's.

use ballast_sandbox::BlockTrade;
use rand::Rng;

use crate::attack::{Attack, Counts};
use crate::venue::Venue;

/// Prices after the jump, two seconds apart.
const AFTERWARDS: u32 = 6;
/// Prices at which a keeper may try to get everybody out.
const PATIENCE: u32 = 40;

/// Pairs, a jump, whatever the coalition can think of, a keeper, and the same again.
pub fn play(venue: &mut Venue, seed: u64, counts: &mut Counts) {
    let mut attack = Attack::new(seed);
    venue.ledger.gaps = true;
    for _ in 0..3 {
        venue.publish(venue.newest().ticks);
        venue.quote();
        for _ in 0..=attack.below(4) {
            pair(&mut attack, venue);
        }
        for _ in 0..attack.below(4) {
            attack.margin(venue);
        }
        jump(&mut attack, venue);
        venue.unquote();
        for _ in 0..attack.below(4) {
            attack.call_inside(venue, counts);
        }
        venue.quote();
        if attack.below(2) == 0 {
            for member in venue.coalition.clone() {
                attack.leave(venue, &member);
            }
        }
        for _ in 0..attack.below(12) {
            attack.call_after_a_gap(venue, counts);
        }
        if attack.below(2) == 0 {
            // The keeper is late, and the price is published once more.
            venue.publish(venue.newest().ticks);
            attack.release(venue);
            for _ in 0..attack.below(6) {
                attack.call_after_a_gap(venue, counts);
            }
        }
        settle(venue);
        for _ in 0..AFTERWARDS {
            let next = attack.next_price(venue.newest().ticks);
            venue.publish(next);
            for _ in 0..attack.below(3) {
                attack.call_after_a_gap(venue, counts);
            }
            venue.keep();
        }
        flatten(venue);
    }
}

/// Members against each other, with hardly more than initial margin.
fn pair(attack: &mut Attack, venue: &mut Venue) {
    let (one, other) = (attack.member(venue), attack.member(venue));
    let ticks = venue.newest().ticks;
    // As large as both can carry, or smaller.
    let wealth = venue.wealth(&one).min(venue.wealth(&other));
    let most = (wealth * 15 / ticks).max(200);
    let lots = match attack.below(2) {
        0 => most,
        _ => attack.random.gen_range(100..=most),
    };
    let margin = attack.backing(lots, ticks).min(wealth * 9 / 10);
    let signed = lots.cast_signed();
    let terms = BlockTrade {
        lots: if attack.falls() { signed } else { -signed },
        price_ticks: ticks,
        taker_margin: margin,
        maker_margin: margin,
    };
    venue.fund(&one, margin);
    venue.fund(&other, margin);
    let market = venue.market.clone();
    let traded = venue.sandbox.block_trade(&market, &one, &other, terms);
    venue.observe(
        format!("a pair of {} lots before the gap", terms.lots),
        traded,
    );
}

/// The price jumps by 3% to 10% in one step.
fn jump(attack: &mut Attack, venue: &mut Venue) {
    let ticks = venue.newest().ticks;
    let by = ticks * attack.random.gen_range(300..1_000) / 10_000;
    let next = match attack.falls() {
        true => ticks - by,
        false => ticks + by,
    };
    venue.publish(next);
}

/// The keeper works at one price until nobody is in need of it.
fn settle(venue: &mut Venue) {
    for _ in 0..PATIENCE {
        if venue.keep() {
            return;
        }
        venue.publish(venue.newest().ticks);
    }
}

/// Everybody closes into the book, so that the next jump finds positions that face one another only.
fn flatten(venue: &mut Venue) {
    venue.publish(venue.newest().ticks);
    venue.quote();
    for member in venue.coalition.clone() {
        let market = venue.market.clone();
        let cancelled = venue.sandbox.cancel_all_orders(&market, &member, None);
        venue.observe("orders cancelled", cancelled);
        venue.close(&member);
    }
}
