//! The end of a history in which the oracle of a market dies: its mark is frozen, the market ends, its legs are
//! parted with in any order, the bankrupt are deleveraged, and everybody is paid.

use anchor_lang::prelude::Pubkey;
use rand::seq::SliceRandom;

use super::venue::Venue;
use super::Counts;
use crate::attack::Attack;

/// The market that ends.
const ENDS: usize = 1;
/// Rounds that a keeper tries at most.
const ROUNDS: u32 = 40;

/// Two days without a price, in which the coalition does what it likes in the other market, and the end.
pub fn play(attack: &mut Attack, venue: &mut Venue, counts: &mut Counts) {
    let market = venue.markets[ENDS].clone();
    venue.post_newest();
    venue.record(&[0, 1]);
    venue.die(ENDS);
    venue.pass_a_day();
    let frozen = venue.sandbox.freeze_mark(&market);
    counts.frozen += u64::from(venue.observe("a mark is frozen", frozen));
    let dead = venue.sandbox.declare_dead(&market);
    venue.observe("an oracle is dead", dead);
    for _ in 0..attack.below(8) {
        let next = attack.next_price(venue.newest(0).ticks);
        venue.publish([next, venue.newest(ENDS).ticks]);
        venue.record(&[0]);
        attack.cross_call(venue, counts);
        attack.cross_intend(venue, counts);
        venue.keep();
    }
    venue.pass_a_day();
    let ended = venue.sandbox.begin_settlement(&market);
    assert!(venue.observe("a market ends", ended), "the market ends");
    counts.ended += 1;
    venue.record(&[0]);
    let mut everybody = venue.everybody();
    everybody.shuffle(&mut attack.random);
    for account in &everybody {
        part(venue, account, counts);
        if attack.below(4) == 0 {
            attack.cross_call(venue, counts);
        }
    }
    for _ in 0..ROUNDS {
        if !rescued(venue) {
            break;
        }
    }
    for account in &everybody {
        let settled = venue.sandbox.settle_position(&market, account);
        venue.observe("a position is settled", settled);
    }
}

fn part(venue: &mut Venue, account: &Pubkey, counts: &mut Counts) {
    if venue.leg(ENDS, account).is_none() {
        return;
    }
    let (market, queues) = (venue.markets[ENDS].clone(), venue.queues());
    let parted = venue.sandbox.part_leg(&market, account, &queues);
    counts.parted += u64::from(venue.observe("a leg is parted with", parted));
}

/// Whether a bankrupt was deleveraged.
fn rescued(venue: &mut Venue) -> bool {
    let marks = venue.marks();
    let everybody = venue.everybody().into_iter();
    let lacking: Vec<_> = everybody
        .filter(|one| {
            let trader = venue.ledger.trader(one);
            venue.ledger.rules.lacking_in(trader, ENDS, &marks) > 0
        })
        .collect();
    lacking
        .iter()
        .any(|bankrupt| venue.keeper_deleverages(ENDS, bankrupt))
}
