//! Histories in which a price jumps farther than margin reaches, while members' legs face one another. What they
//! lack then is insurance's loss at most, and no act at the newest prices adds to it.

use rand::Rng;

use super::end;
use super::venue::Venue;
use super::Counts;
use crate::attack::Attack;

/// Prices after the jump, two seconds apart.
const AFTERWARDS: u32 = 5;
/// Prices at which a keeper may try to get everybody out.
const PATIENCE: u32 = 25;
/// The most that a price moves elsewhere, in millionths.
const MOST_PPM: u64 = 5_000;

/// Legs, a jump, whatever the coalition can think of, a keeper, and the same again.
pub fn play(venue: &mut Venue, seed: u64, counts: &mut Counts) {
    let mut attack = Attack::of(seed, MOST_PPM);
    venue.ledger.gaps = true;
    for round in 0..2 {
        stand(venue);
        for _ in 0..=attack.below(4) {
            attack.open_legs(venue, counts);
        }
        stand(venue);
        for _ in 0..attack.below(5) {
            attack.cross_intend(venue, counts);
        }
        jump(&mut attack, venue);
        if attack.below(3) > 0 {
            venue.unquote(0);
            venue.unquote(1);
        }
        if attack.below(2) == 0 {
            venue.record(&[0, 1]);
        }
        for _ in 0..attack.below(6) {
            attack.cross_intend(venue, counts);
            attack.cross_call(venue, counts);
        }
        for _ in 0..attack.below(3) {
            attack.cut_others(venue, counts);
        }
        if attack.below(2) == 0 {
            for member in venue.coalition.clone() {
                attack.leave_markets(venue, &member);
            }
        }
        for _ in 0..attack.below(12) {
            attack.cross_call(venue, counts);
        }
        settle(venue);
        for _ in 0..AFTERWARDS {
            let next = [0, 1].map(|market| attack.next_price(venue.newest(market).ticks));
            venue.publish(next);
            for _ in 0..attack.below(4) {
                attack.cross_call(venue, counts);
            }
            venue.keep();
        }
        if round == 1 && attack.below(3) == 0 {
            return end::play(&mut attack, venue, counts);
        }
        flatten(&mut attack, venue);
    }
}

/// The prices are published as they stand.
fn stand(venue: &mut Venue) {
    let ticks = [0, 1].map(|market| venue.newest(market).ticks);
    venue.publish(ticks);
    venue.quote();
}

/// A price, or both, jumps by 3% to 12% in one step.
fn jump(attack: &mut Attack, venue: &mut Venue) {
    let mut next = [0, 1].map(|market| venue.newest(market).ticks);
    let both = attack.below(3) == 0;
    let one = attack.market();
    for (market, ticks) in next.iter_mut().enumerate() {
        if both || market == one {
            let by = *ticks * attack.random.gen_range(300..1_200) / 10_000;
            *ticks = match attack.random.gen() {
                true => *ticks - by,
                false => *ticks + by,
            };
        }
    }
    venue.publish(next);
}

/// The keeper works at one price until nobody is in need of it.
fn settle(venue: &mut Venue) {
    for _ in 0..PATIENCE {
        if venue.keep() {
            return;
        }
        let ticks = [0, 1].map(|market| venue.newest(market).ticks);
        venue.publish(ticks);
    }
}

/// Everybody leaves, so that the next jump finds positions that face one another only.
fn flatten(attack: &mut Attack, venue: &mut Venue) {
    stand(venue);
    for member in venue.coalition.clone() {
        attack.leave_markets(venue, &member);
    }
}
