//! Hostile lists over an isolated and a cross queue whose records are stale: whatever is accepted is what
//! an exact sort of everybody who may be cut accepts.

use core::cmp::Ordering;

use ballast_engine::adl::{AccountCut, Bankruptcy, CrossSide, Cut, Deleveraging};
use ballast_engine::cross::cut::Bearing;
use ballast_engine::cross::entry::Moment;
use ballast_engine::cross::walk::Evidence;
use ballast_engine::cross::{Account, SLACK};
use ballast_engine::position::Position;
use ballast_engine::queue::{queue_size, CutStamp, Queue, QueueRef};
use ballast_engine::rank::{Class, Exposure, Ranked, Round};
use ballast_engine::risk::AdlParams;
use ballast_engine::units::{Atoms, Lots, Side};

use crate::fixture::Dice;
use crate::history::{Mutant, World};
use crate::structure::Store;

/// A venue after some time, and both queues of the winners of its first market.
struct Venue {
    world: World,
    side: Side,
    isolated: Vec<Position>,
    bytes: Vec<u64>,
    cross: Store,
    /// Holders with a leg on the side, in the order of their nodes.
    members: Vec<usize>,
}

impl Venue {
    fn new(seed: u64) -> Self {
        let mut world = World::new(seed, Mutant::Sound, SLACK);
        for _ in 0..9 {
            world.open();
        }
        for _ in 0..world.dice.within(0, 60) {
            world.drift();
            if world.dice.once_in(3) {
                world.write();
            }
        }
        let side = if seed.is_multiple_of(2) {
            Side::Long
        } else {
            Side::Short
        };
        let market = world.markets[0].clone();
        let at = market.mark.price.get();
        let isolated: Vec<_> = (0..4)
            .map(|_| {
                let size = world.dice.within(1, (1 << 34) / at + 1);
                let entry =
                    i64::try_from(world.dice.within(at * 9 / 10, at * 11 / 10) * size).unwrap();
                let notional = at * size;
                let margin =
                    i64::try_from(world.dice.within(notional / 50, notional / 3 + 1)).unwrap();
                let lots = Lots::on_side(side, size).unwrap();
                Position {
                    lots,
                    entry_quote: Atoms::new(entry * lots.get().signum()),
                    margin: Atoms::new(margin),
                    funding_index: market.funding,
                }
            })
            .collect();
        let mut bytes = vec![0; queue_size(8).unwrap().div_ceil(8)];
        Queue::create(bytemuck::cast_slice_mut(&mut bytes), [7; 32], side).unwrap();
        let mut queue = Queue::new(bytemuck::cast_slice_mut(&mut bytes)).unwrap();
        queue.open_pass(1).unwrap();
        for position in &isolated {
            queue.insert([1; 32], position).unwrap();
        }
        let mut cross = Store::new(side, world.holders.len());
        let mut members = Vec::new();
        for (number, holder) in world.holders.iter().enumerate() {
            if holder.positions[0].side() == Some(side) {
                let at = Moment {
                    base: holder.bases[0],
                    slot: holder.slots[0],
                };
                cross
                    .queue()
                    .insert([2; 32], &holder.positions[0], at)
                    .unwrap();
                members.push(number);
            }
        }
        Self {
            world,
            side,
            isolated,
            bytes,
            cross,
            members,
        }
    }

    fn queue(&self) -> QueueRef<'_> {
        QueueRef::new(bytemuck::cast_slice(&self.bytes)).unwrap()
    }

    fn begin(&mut self) -> Deleveraging {
        let market = self.world.markets[0].clone();
        let at = market.mark.price.get();
        let size = self.world.dice.within(1, (1 << 34) / at + 1);
        let side = self.side.opposite();
        let lots = Lots::on_side(side, size).unwrap();
        let worth = at * size;
        let deficit = i64::try_from(self.world.dice.within(1, worth / 20 + 1)).unwrap();
        Deleveraging::begin(&Bankruptcy {
            position: Position {
                lots,
                entry_quote: Atoms::new(i64::try_from(worth).unwrap() * lots.get().signum()),
                margin: Atoms::new(-deficit),
                funding_index: market.funding,
            },
            mark: market.mark.price,
            funding_index: market.funding,
            insurance_available: 0,
            past_grace: true,
            taker: None,
            max_lots: size,
            least_lots: 0,
            params: &AdlParams {
                rank_tolerance_bps: 500,
                ..market.params.adl
            },
            epoch: 1,
            passes: 1,
        })
        .expect("a deficit")
    }

    /// An account as the round finds it: its own market at the price just read, the others at the board's.
    fn member(&self, member: usize) -> (bool, Position) {
        let holder = &self.world.holders[self.members[member]];
        let price = self.world.markets[0].mark.price;
        let legs = self.world.legs(holder, Some((0, price)));
        let account = Account {
            pool: holder.pool,
            legs: &legs,
        };
        let values = account.values().unwrap();
        let whole = account.with_everything(&values, 0).unwrap();
        (values.is_healthy(), whole)
    }
}

/// Whom a list may name: a place of the isolated queue, or one of the cross queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Isolated(usize),
    Cross(usize),
}

/// Everybody who may be cut, the highest first, by exact rank.
fn ranking(venue: &Venue, round: &Round) -> Vec<(Who, Ranked)> {
    let mut all = Vec::new();
    for (place, position) in venue.isolated.iter().enumerate() {
        let sequence = venue
            .queue()
            .entry(u32::try_from(place).unwrap())
            .unwrap()
            .sequence;
        let exposure = Exposure::of_position(position, round.funding_index, sequence).unwrap();
        let ranked = Ranked::new(round, &exposure).unwrap();
        if ranked.class > Class::Ineligible {
            all.push((Who::Isolated(place), ranked));
        }
    }
    for member in 0..venue.members.len() {
        let (healthy, whole) = venue.member(member);
        if !healthy {
            continue;
        }
        let entry = venue
            .cross
            .view()
            .entry(u32::try_from(member).unwrap())
            .unwrap();
        let sequence = entry.position.sequence;
        let exposure = Exposure::of_position(&whole, round.funding_index, sequence).unwrap();
        all.push((
            Who::Cross(member),
            Ranked::of_account(round, &exposure).unwrap(),
        ));
    }
    all.sort_by(|(_, a), (_, b)| b.compare(a).unwrap());
    all
}

/// A list: the exact one, cut short, with some left out or swapped, or anybody in any order.
fn list(dice: &mut Dice, exact: &[(Who, Ranked)]) -> Vec<Who> {
    let mut list: Vec<_> = exact.iter().map(|(who, _)| *who).collect();
    let length = usize::try_from(dice.within(1, u64::try_from(list.len()).unwrap())).unwrap();
    match dice.within(0, 4) {
        0 => {}
        1 => list.truncate(length),
        2 => {
            list.truncate(length);
            let gone = usize::try_from(dice.next()).unwrap_or(0) % list.len();
            list.remove(gone);
        }
        3 => {
            let kept = dice.next();
            let mut place = 0;
            list.retain(|_| {
                place += 1;
                kept >> place & 1 == 0
            });
        }
        _ => {
            let first = usize::try_from(dice.next()).unwrap_or(0) % list.len();
            list.rotate_left(first);
            list.truncate(length);
        }
    }
    list
}

/// Plays a list as a round does; whom it cut, if every rule accepts it.
fn play(venue: &mut Venue, call: &mut Deleveraging, list: &[Who]) -> Option<Vec<Who>> {
    let (mut cut, mut known) = (Vec::new(), Vec::new());
    let mut last_isolated = None;
    for who in list {
        let stamp = CutStamp::default();
        match *who {
            Who::Isolated(place) => {
                let index = u32::try_from(place).unwrap();
                let entry = *venue.queue().entry(index).unwrap();
                let position = venue.isolated[place];
                if let Cut::Done(done) = call.cut(&position, entry.sequence, stamp).ok()? {
                    cut.push(*who);
                    last_isolated = Some(index);
                    let bytes = bytemuck::cast_slice_mut(&mut venue.bytes);
                    let mut queue = Queue::new(bytes).unwrap();
                    if done.position_after.is_empty() {
                        queue.remove(index).unwrap();
                    } else {
                        queue
                            .update_cut(index, &done.position_after, done.stamp)
                            .unwrap();
                    }
                }
            }
            Who::Cross(member) => {
                let index = u32::try_from(member).unwrap();
                let holder = &venue.world.holders[venue.members[member]];
                let price = venue.world.markets[0].mark.price;
                let legs = venue.world.legs(holder, Some((0, price)));
                let account = Account {
                    pool: holder.pool,
                    legs: &legs,
                };
                let values = account.values().unwrap();
                let counterparty = account.counterparty(&values, 0).unwrap();
                let sequence = venue.cross.view().entry(index).unwrap().position.sequence;
                let done = call.cut_account(&counterparty, Bearing::Maintenance, sequence, stamp);
                match done.ok()? {
                    AccountCut::Done { .. } => cut.push(*who),
                    AccountCut::Skipped(_) => {}
                }
                known.push(index);
            }
        }
    }
    known.sort_unstable();
    call.last_ranked()?;
    let market = &venue.world.markets[0];
    let bps = market.params.tiers[0].maintenance_margin_bps;
    let drifts = venue
        .world
        .board
        .drifts(0, market.mark.price, market.funding, bps, SLACK)
        .unwrap();
    let evidence = Evidence::Health {
        drifts: &drifts,
        maintenance_bps: bps,
    };
    let view = venue.cross.view();
    let side = CrossSide {
        queue: &view,
        evidence: &evidence,
        known: &known,
        slot: venue.world.slot,
    };
    let proof = call.prove(&venue.queue(), last_isolated, Some(&side));
    proof.unwrap().passed_over.is_none().then_some(cut)
}

#[test]
fn what_is_accepted_leaves_out_nobody_who_ranks_above() {
    let (mut lists, mut accepted, mut whole, mut crossed) = (0_u64, 0_u64, 0_u64, 0_u64);
    let rounds = std::env::var("BALLAST_LISTS").ok();
    let rounds = rounds.and_then(|value| value.parse().ok()).unwrap_or(1_500);
    for seed in 0..rounds {
        let first = Venue::new(seed);
        let mut dice = Dice(seed + 7_777);
        for attempt in 0..8 {
            let mut venue = clone(&first);
            venue.world.dice = Dice(seed * 100 + attempt / 4);
            let mut call = venue.begin();
            let round = *call.round();
            let exact = ranking(&venue, &round);
            if exact.is_empty() {
                continue;
            }
            // The exact list comes first: what it should be accepted for.
            let list = if attempt == 0 {
                exact.iter().map(|(who, _)| *who).collect()
            } else {
                list(&mut dice, &exact)
            };
            lists += 1;
            let Some(cut) = play(&mut venue, &mut call, &list) else {
                continue;
            };
            accepted += 1;
            whole += u64::from(attempt == 0);
            crossed += u64::from(cut.iter().any(|who| matches!(who, Who::Cross(_))));
            let last = *call.last_ranked().expect("somebody was cut");
            for (who, found) in &exact {
                let listed = list.contains(who);
                let above = match found.class.cmp(&last.class) {
                    Ordering::Equal => found.score.beats(&last.score, 500).unwrap(),
                    order => order == Ordering::Greater,
                };
                assert!(!above || listed, "seed {seed}: {who:?} of {list:?}");
            }
        }
    }
    println!("{lists} lists, {accepted} accepted, {whole} of them exact, {crossed} cut an account");
    assert!(accepted > lists / 10 && accepted < lists && crossed > 500);
}

fn clone(venue: &Venue) -> Venue {
    Venue {
        world: World::clone_of(&venue.world),
        side: venue.side,
        isolated: venue.isolated.clone(),
        bytes: venue.bytes.clone(),
        cross: venue.cross.clone(),
        members: venue.members.clone(),
    }
}
