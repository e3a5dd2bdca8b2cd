//! Cross margin: the board, the pool, conversions and records.

use anchor_lang::prelude::Pubkey;
use ballast_engine::position::Position;
use ballast_engine::queue::Totals;
use ballast_engine::units::Side;
use ballast_sandbox::{CrossCookie, MarketConfig, MarketCookie, Sandbox, TraderCookie};
use ballast_state::cross::{CrossBoard, EnableCrossArgs};
use ballast_state::error::BallastError;
use ballast_state::position_slot::{PositionSlot, CROSS_LEG, CROSS_WEAK};

use crate::support::{done, quiet, refused, terms, Venue, START, TEN, USD};
use crate::{among, event};

/// Two quiet markets with cross margin and three traders with $1,000 each.
pub struct Cross {
    pub venue: Venue,
    pub first: MarketCookie,
    pub second: MarketCookie,
    pub one: CrossCookie,
    pub two: CrossCookie,
    pub carol: TraderCookie,
}

/// What the markets of these tests allow.
pub fn allowed() -> EnableCrossArgs {
    EnableCrossArgs {
        most_lots: 1_000_000,
        draw_cap_bps: 2_500,
        max_age_slots: 100,
    }
}

/// Gives a market cross margin with room for 64 legs a side.
pub fn enabled(sandbox: &mut Sandbox, market: &MarketCookie) -> CrossCookie {
    let queues = sandbox.create_cross_queues(64).unwrap();
    done(sandbox.enable_cross(market, &queues, allowed()));
    queues
}

impl Cross {
    pub fn new() -> Self {
        Self::with(&quiet())
    }

    pub fn with(config: &MarketConfig) -> Self {
        let mut venue = Venue::with(config);
        let second = venue.sandbox.create_market(config).unwrap();
        done(venue.sandbox.create_board());
        let first = venue.market.clone();
        let one = enabled(&mut venue.sandbox, &first);
        let two = enabled(&mut venue.sandbox, &second);
        let carol = venue.sandbox.create_trader(1_000 * USD).unwrap();
        Self {
            venue,
            first,
            second,
            one,
            two,
            carol,
        }
    }

    /// Alice is long 10 SOL in the first market and short 10 in the second, both as legs over $200; bob has
    /// the other side of the first, carol of the second, each isolated with $500.
    pub fn hedged() -> Self {
        let mut config = quiet();
        config.risk.adl.max_close_bps = 10_000;
        (config.risk.ladder, config.risk.ladder_count) = (Default::default(), 0);
        let mut cross = Self::with(&config);
        let (alice, bob, carol) = (
            cross.venue.alice.clone(),
            cross.venue.bob.clone(),
            cross.carol.clone(),
        );
        let sandbox = &mut cross.venue.sandbox;
        let opening = terms(TEN, START, 100 * USD, 500 * USD);
        done(sandbox.block_trade(&cross.first, &alice, &bob, opening));
        done(sandbox.to_cross(&cross.first, &alice, &cross.one.both()));
        let opening = terms(-TEN, START, 100 * USD, 500 * USD);
        done(sandbox.block_trade(&cross.second, &alice, &carol, opening));
        let queues = [cross.one.both(), cross.two.both()].concat();
        done(sandbox.to_cross(&cross.second, &alice, &queues));
        cross
    }

    /// All cross queues.
    pub fn queues(&self) -> Vec<Pubkey> {
        [self.one.both(), self.two.both()].concat()
    }

    /// New prices of both markets, and the board knows them.
    pub fn prices(&mut self, first: u64, second: u64) {
        let sandbox = &mut self.venue.sandbox;
        sandbox.set_price(&self.first, first);
        sandbox.set_price(&self.second, second);
        done(sandbox.record_marks(&[&self.first, &self.second]));
    }

    pub fn leg(&self, market: &MarketCookie, trader: &TraderCookie) -> PositionSlot {
        self.venue
            .sandbox
            .leg(market, &trader.address)
            .expect("a leg")
    }

    pub fn pool(&self, trader: &TraderCookie) -> i64 {
        self.venue.sandbox.trader(&trader.address).cross_pool
    }

    /// Fails unless all queues and the board are sound, every leg has its node, and no atom is missing.
    #[track_caller]
    pub fn sound(&self) {
        sound(&self.venue.sandbox, &self.first, &self.one);
        sound(&self.venue.sandbox, &self.second, &self.two);
        self.venue.conserves();
    }
}

/// Fails unless both cross queues of a market are sound and hold the legs that traders have, and no others.
#[track_caller]
pub fn sound(sandbox: &Sandbox, market: &MarketCookie, queues: &CrossCookie) {
    let board = sandbox.board();
    board.board.invariant().unwrap();
    let newest = board.board.checkpoints.newest().unwrap();
    let mut legs = 0;
    for side in [Side::Long, Side::Short] {
        let snapshot = sandbox.cross_queue(&queues.of(side));
        let queue = snapshot.queue().unwrap();
        let passes = sandbox.queue(market, side);
        let passes = passes.queue().unwrap().header().adl_epoch;
        queue.invariant(newest, passes).unwrap();
        legs += queue.len();
        for address in sandbox.trader_addresses() {
            let trader = sandbox.trader(address);
            trader.invariant().unwrap();
            let Ok(slot) = trader.leg(&market.keys.market) else {
                continue;
            };
            let position = slot.position().unwrap();
            if position.side() != Some(side) {
                continue;
            }
            legs -= 1;
            let entry = queue.entry(slot.queue_node).unwrap();
            assert_eq!(entry.position.trader, address.to_bytes());
            assert_eq!(u64::from(entry.position.lots), position.size());
            assert_eq!(entry.recorded_slot, slot.held_slot);
            let weak = slot.cross == CROSS_LEG | CROSS_WEAK;
            assert_eq!(entry.is_witnessed(slot.held_slot), weak);
            assert_eq!(entry.position.bankruptcy_q32, node_of(&position, side));
        }
    }
    assert_eq!(legs, 0, "nodes without a leg, or legs without a node");
}

/// The bankruptcy price of a position in 2^-32 atoms a lot, rounded down.
fn node_of(position: &Position, side: Side) -> i64 {
    let totals = Totals::of(position, side).unwrap();
    let price = (i128::from(totals.bankruptcy) << 32).div_euclid(position.size().into());
    i64::try_from(price).unwrap()
}

fn entry_of(board: &CrossBoard, place: usize) -> ballast_engine::cross::BoardEntry {
    *board.board.entry(place).unwrap()
}

#[test]
pub fn a_market_gets_cross_margin_once_and_its_mark_stands_on_the_board() {
    let mut cross = Cross::new();
    let board = cross.venue.sandbox.board();
    let (first, second) = (entry_of(&board, 0), entry_of(&board, 1));
    assert_eq!(first.market, cross.first.keys.market.to_bytes());
    assert_eq!((first.mark, second.mark), (START, START));
    assert_eq!(board.markets[0].queue_long, cross.one.long);
    let market = cross.venue.sandbox.market(&cross.second);
    assert_eq!((market.cross, market.cross_legs), (2, 0));
    let queues = cross.venue.sandbox.create_cross_queues(64).unwrap();
    let again = |s: &mut Sandbox| s.enable_cross(&cross.first, &queues, allowed());
    refused(
        &mut cross.venue.sandbox,
        BallastError::CrossEnabledAlready,
        again,
    );
    cross.sound();
}

#[test]
pub fn marks_are_recorded_by_anybody_and_never_older_than_they_are() {
    let mut cross = Cross::new();
    cross.venue.wait(10);
    cross.venue.sandbox.set_price(&cross.first, 190_000);
    let sandbox = &mut cross.venue.sandbox;
    let recorded = event!(done(sandbox.record_marks(&[&cross.first])), MarksRecorded);
    assert_eq!(recorded.marks.len(), 1);
    assert_eq!(recorded.marks[0].mark_ticks, 190_000);
    assert!(recorded.checkpoint_opened, "5% at 2.5% is a way of 2");
    let board = sandbox.board();
    assert_eq!(entry_of(&board, 0).mark, 190_000);
    assert_eq!(entry_of(&board, 0).slot, sandbox.slot());
    assert_eq!(entry_of(&board, 1).mark, START, "the other stands");
    // Nothing, and half a pair.
    refused(sandbox, BallastError::ZeroAmount, |s| s.record_marks(&[]));
    cross.sound();
}

#[test]
pub fn a_mark_is_frozen_by_its_age_alone_and_thawed_by_a_price() {
    let mut cross = Cross::new();
    let first = cross.first.clone();
    let freeze = |s: &mut Sandbox| s.freeze_mark(&first);
    let sandbox = &mut cross.venue.sandbox;
    let young = BallastError::CrossMarkStale;
    refused(sandbox, young, freeze);
    sandbox.advance_slots(100);
    refused(sandbox, young, freeze);
    sandbox.advance_slots(1);
    let frozen = event!(done(freeze(sandbox)), MarkFrozen);
    assert_eq!(frozen.recorded_slot, sandbox.slot() - 101);
    assert!(entry_of(&sandbox.board(), 0).is_frozen());
    refused(sandbox, young, freeze);
    sandbox.set_price(&first, START);
    done(sandbox.record_marks(&[&first]));
    assert!(!entry_of(&sandbox.board(), 0).is_frozen());
}

#[test]
pub fn collateral_moves_into_the_pool_and_out_of_it_but_not_in_the_same_slot() {
    let mut cross = Cross::new();
    let alice = cross.venue.alice.clone();
    let sandbox = &mut cross.venue.sandbox;
    let moved = event!(done(sandbox.move_cross(&alice, 300, &[])), CrossMoved);
    let left = i64::try_from(1_000 * USD).unwrap() - 300;
    assert_eq!((moved.pool_after, moved.free_after), (300, left));
    let stays = BallastError::CrossDepositStays;
    refused(sandbox, stays, |s| s.move_cross(&alice, -1, &[]));
    refused(sandbox, BallastError::ZeroAmount, |s| {
        s.move_cross(&alice, 0, &[])
    });
    sandbox.advance_slots(1);
    done(sandbox.move_cross(&alice, 5, &[]));
    // What was there before may leave, what came in now may not.
    done(sandbox.move_cross(&alice, -300, &[]));
    refused(sandbox, stays, |s| s.move_cross(&alice, -1, &[]));
    sandbox.advance_slots(1);
    refused(sandbox, BallastError::CrossBelowInitial, |s| {
        s.move_cross(&alice, -6, &[])
    });
    done(sandbox.move_cross(&alice, -5, &[]));
    assert_eq!(cross.pool(&alice), 0);
    cross.sound();
}

#[test]
pub fn a_position_becomes_a_leg_and_an_isolated_position_again() {
    let mut cross = Cross::new();
    let (alice, bob, first) = (
        cross.venue.alice.clone(),
        cross.venue.bob.clone(),
        cross.first.clone(),
    );
    let sandbox = &mut cross.venue.sandbox;
    let opening = terms(TEN, START, 200 * USD, 500 * USD);
    done(sandbox.block_trade(&first, &alice, &bob, opening));
    let before = sandbox.position(&first, &alice.address).unwrap();
    let isolated = sandbox.queue(&first, Side::Long).queue().unwrap().len();
    assert_eq!(isolated, 1);

    let joined = event!(
        done(sandbox.to_cross(&first, &alice, &[cross.one.long])),
        MarginConverted
    );
    assert!(joined.to_cross);
    assert_eq!((joined.lots, joined.amount), (TEN, before.margin));
    assert!(sandbox.position(&first, &alice.address).is_none());
    assert_eq!(sandbox.queue(&first, Side::Long).queue().unwrap().len(), 0);
    let leg = sandbox.leg(&first, &alice.address).unwrap();
    assert_eq!(
        (leg.lots, leg.entry_quote),
        (before.lots, before.entry_quote)
    );
    // Alone its record is the pool.
    assert_eq!((leg.margin, leg.cross), (before.margin, CROSS_LEG));
    assert_eq!(sandbox.market(&first).cross_legs, 1);
    assert_eq!(sandbox.market(&first).open_interest_lots, 10_000);

    // The rest must keep what opening needs, and the pool keeps what came in in this slot.
    refused(sandbox, BallastError::CrossDepositStays, |s| {
        s.to_isolated(&first, &alice, 150 * USD, &[cross.one.long])
    });
    sandbox.advance_slots(1);
    sandbox.set_price(&first, START);
    refused(sandbox, BallastError::CrossBelowInitial, |s| {
        s.to_isolated(&first, &alice, 99 * USD, &[cross.one.long])
    });
    refused(sandbox, BallastError::CrossBelowInitial, |s| {
        s.to_isolated(&first, &alice, 201 * USD, &[cross.one.long])
    });
    let left = event!(
        done(sandbox.to_isolated(&first, &alice, 150 * USD, &[cross.one.long])),
        MarginConverted
    );
    assert!(!left.to_cross);
    assert_eq!(left.pool_after, i64::try_from(50 * USD).unwrap());
    let after = sandbox.position(&first, &alice.address).unwrap();
    assert_eq!(after.paid_in, 150 * USD);
    assert!(sandbox.leg(&first, &alice.address).is_none());
    assert_eq!(sandbox.market(&first).cross_legs, 0);
    done(sandbox.move_cross(&alice, -i64::try_from(50 * USD).unwrap(), &[]));
    cross.sound();
}

#[test]
pub fn a_position_with_orders_or_a_flag_stays_isolated_and_a_market_is_one_or_the_other() {
    let mut cross = Cross::hedged();
    let (alice, bob, carol) = (
        cross.venue.alice.clone(),
        cross.venue.bob.clone(),
        cross.carol.clone(),
    );
    let first = cross.first.clone();
    let queues = cross.queues();
    let sandbox = &mut cross.venue.sandbox;
    let trade = terms(100, START, 20 * USD, 0);
    refused(sandbox, BallastError::CrossLegThere, |s| {
        s.block_trade(&first, &alice, &bob, trade)
    });
    refused(sandbox, BallastError::NoPosition, |s| {
        s.add_margin(&first, &alice, 1)
    });
    refused(sandbox, BallastError::NoPosition, |s| {
        s.to_cross(&first, &carol, &queues)
    });
    refused(sandbox, BallastError::NoPosition, |s| {
        s.to_isolated(&first, &bob, 1, &queues)
    });
    done(sandbox.place_order(&first, &bob, crate::orders::bid(190_000, 10), &[]));
    refused(sandbox, BallastError::CrossHasOrders, |s| {
        s.to_cross(&first, &bob, &queues)
    });
    refused(sandbox, BallastError::CrossQueueMissing, |s| {
        s.to_cross(&cross.second, &carol, &[])
    });
    cross.sound();
}

#[test]
pub fn records_are_what_the_account_holds_beside_the_leg() {
    let mut cross = Cross::hedged();
    let alice = cross.venue.alice.clone();
    let (first, second) = (cross.first.clone(), cross.second.clone());
    let pool = cross.pool(&alice);
    assert_eq!(pool, i64::try_from(200 * USD).unwrap());
    assert_eq!(cross.leg(&first, &alice).margin, pool);
    cross.venue.wait(20);
    // The long wins $20, the short loses $10.
    cross.prices(202_000, 201_000);
    let queues = cross.queues();
    let sandbox = &mut cross.venue.sandbox;
    let list = [alice.address];
    let renewed = event!(
        done(sandbox.refresh_ranks(&first, &queues, &list)),
        RanksRefreshed
    );
    let usd = |atoms: i64| atoms * i64::try_from(USD).unwrap();
    assert_eq!(renewed.traders[0].rest_before, pool);
    assert_eq!(renewed.traders[0].rest_after, pool - usd(10));
    assert!(!renewed.traders[0].weak);
    assert_eq!(cross.leg(&second, &alice).margin, pool + usd(20));
    cross.sound();
}

#[test]
pub fn a_record_that_would_flatter_needs_its_queue() {
    let mut cross = Cross::hedged();
    let alice = cross.venue.alice.clone();
    let sandbox = &mut cross.venue.sandbox;
    done(sandbox.move_cross(&alice, 500_000_000, &cross.one.both()));
    cross.venue.wait(20);
    cross.prices(START, START);
    let queues = cross.queues();
    let sandbox = &mut cross.venue.sandbox;
    let stale = BallastError::CrossRecordStale;
    // Both records say $700; without $300 they would flatter.
    let second = cross.two.both();
    let refusal = refused(sandbox, stale, |s| {
        s.move_cross(&alice, -300_000_000, &second)
    });
    let named = format!("Cross queue: {} long", cross.first.keys.market);
    assert!(refusal.logs.iter().any(|line| line.contains(&named)));
    done(sandbox.move_cross(&alice, -300_000_000, &queues));
    // A tenth they may flatter by, once they are old.
    cross.venue.wait(20);
    cross.prices(START, START);
    done(cross.venue.sandbox.move_cross(&alice, -30_000_000, &[]));
    cross.sound();
}

#[test]
pub fn old_marks_let_nobody_take_out_and_frozen_ones_neither() {
    let mut cross = Cross::hedged();
    let alice = cross.venue.alice.clone();
    let queues = cross.queues();
    let sandbox = &mut cross.venue.sandbox;
    sandbox.advance_slots(101);
    sandbox.set_price(&cross.first, START);
    done(sandbox.record_marks(&[&cross.first]));
    refused(sandbox, BallastError::CrossMarkStale, |s| {
        s.move_cross(&alice, -1, &queues)
    });
    done(sandbox.freeze_mark(&cross.second));
    refused(sandbox, BallastError::CrossMarkFrozen, |s| {
        s.move_cross(&alice, -1, &queues)
    });
    done(sandbox.move_cross(&alice, 1, &queues));
    cross.sound();
}

#[test]
pub fn an_account_holds_what_its_legs_need_together() {
    let mut cross = Cross::hedged();
    let alice = cross.venue.alice.clone();
    cross.venue.wait(20);
    cross.prices(START, START);
    let queues = cross.queues();
    let sandbox = &mut cross.venue.sandbox;
    // $100 of initial margin each.
    refused(sandbox, BallastError::CrossBelowInitial, |s| {
        s.move_cross(&alice, -1, &queues)
    });
    cross.venue.wait(20);
    // What one wins does not count for opening, what the other loses does.
    cross.prices(210_000, 205_000);
    let queues = cross.queues();
    let sandbox = &mut cross.venue.sandbox;
    refused(sandbox, BallastError::CrossBelowInitial, |s| {
        s.move_cross(&alice, -1, &queues)
    });
    let both = among!(
        done(sandbox.refresh_ranks(&cross.first, &queues, &[alice.address])),
        RanksRefreshed
    );
    assert!(!both.traders[0].weak);
    cross.sound();
}

#[test]
pub fn a_cross_queue_grows_and_has_room_for_the_next_leg() {
    let mut venue = Venue::open();
    done(venue.sandbox.create_board());
    let (market, alice) = (venue.market.clone(), venue.alice.clone());
    let queues = venue.sandbox.create_cross_queues(16).unwrap();
    done(venue.sandbox.enable_cross(&market, &queues, allowed()));
    done(venue.sandbox.to_cross(&market, &alice, &queues.both()));
    for positions in [0, 81, 98] {
        refused(&mut venue.sandbox, BallastError::QueueGrowth, |s| {
            s.grow_queue(&market, &queues.long, positions)
        });
    }
    let grown = event!(
        done(venue.sandbox.grow_queue(&market, &queues.long, 80)),
        QueueGrown
    );
    assert_eq!(
        (grown.long, grown.capacity_before, grown.capacity_after),
        (true, 16, 96)
    );
    let snapshot = venue.sandbox.cross_queue(&queues.long);
    assert_eq!(snapshot.queue().unwrap().capacity(), 96);
    assert_eq!(snapshot.queue().unwrap().len(), 1);
    sound(&venue.sandbox, &market, &queues);
    // As many legs as it had no room for before.
    let bob = venue.sandbox.create_trader(100_000 * USD).unwrap();
    for _ in 0..20 {
        let trader = venue.sandbox.create_trader(1_000 * USD).unwrap();
        let opening = terms(100, START, 20 * USD, 100 * USD);
        done(venue.sandbox.block_trade(&market, &trader, &bob, opening));
        done(venue.sandbox.to_cross(&market, &trader, &queues.both()));
    }
    sound(&venue.sandbox, &market, &queues);
    venue.conserves();
    // It is no queue of another market.
    let other = venue.second_market();
    refused(&mut venue.sandbox, BallastError::WrongQueue, |s| {
        s.grow_queue(&other, &queues.long, 1)
    });
}
