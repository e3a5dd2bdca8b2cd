//! Histories in which the price of a market is driven away in steps and falls back in one, while the other stands.
//! Whoever holds legs does not owe anything then: profit of that time carried no risk and left with nobody.

use rand::Rng;

use super::venue::Venue;
use super::Counts;
use crate::attack::Attack;

/// The market whose price is driven.
const DRIVEN: usize = 1;
/// By how much in a step, millionths.
const STEP_PPM: u64 = 5_000;
/// The most that a price moves otherwise, in millionths.
const MOST_PPM: u64 = 5_000;

/// Legs, a price that is driven away, whatever profit could pay for, the fall, and the same again.
pub fn play(venue: &mut Venue, seed: u64, counts: &mut Counts) {
    let mut attack = Attack::of(seed, MOST_PPM);
    for _ in 0..2 {
        stand(venue);
        for _ in 0..=attack.below(4) {
            attack.open_legs(venue, counts);
        }
        stand(venue);
        venue.keep();
        let base = venue.newest(DRIVEN).ticks;
        let rises = attack.random.gen();
        for _ in 0..attack.random.gen_range(6..24) {
            drive(venue, rises);
            for _ in 0..attack.below(4) {
                act(&mut attack, venue, counts);
            }
            venue.keep();
        }
        venue.publish([venue.newest(0).ticks, base]);
        venue.record(&[0, 1]);
        venue.keep();
        for member in venue.coalition.clone() {
            attack.leave_markets(venue, &member);
        }
    }
}

/// The prices are published as they stand.
fn stand(venue: &mut Venue) {
    let ticks = [0, 1].map(|market| venue.newest(market).ticks);
    venue.publish(ticks);
    venue.quote();
}

fn drive(venue: &mut Venue, rises: bool) {
    let [still, ticks] = [0, DRIVEN].map(|market| venue.newest(market).ticks);
    let by = ticks * STEP_PPM / 1_000_000;
    let next = if rises { ticks + by } else { ticks - by };
    venue.publish([still, next]);
}

/// What does not open anything at the price that is driven.
fn act(attack: &mut Attack, venue: &mut Venue, counts: &mut Counts) {
    match attack.below(8) {
        0..=2 => attack.empty_the_pool(venue, counts),
        3 => attack.leave_the_loss(venue, counts),
        4 => attack.flash(venue, counts),
        5 | 6 => {
            venue.post_newest();
            let mut two = [attack.one_of(venue), attack.one_of(venue)];
            if attack.below(2) == 0 {
                two.reverse();
            }
            attack.open_in(venue, 0, [&two[0], &two[1]], counts);
        }
        _ => attack.take_everything(venue),
    }
}
