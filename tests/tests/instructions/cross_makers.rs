//! Orders of legs that wait in the book, and whoever meets them.

use anchor_lang::prelude::Pubkey;
use ballast_client::addresses;
use ballast_client::cross::listed;
use ballast_client::instructions::anyone::Takeover;
use ballast_engine::units::Side;
use ballast_sandbox::{MarketCookie, Sandbox, TxResult};
use ballast_state::error::BallastError;
use ballast_state::events::{LegMade, RemovalReason};
use ballast_state::instructions::OrderRef;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs};
use ballast_state::position_slot::{PositionSlot, CROSS_LEG, CROSS_ORDERS};
use ballast_state::trigger::TriggerKind;
use std::collections::BTreeMap;

use crate::among;
use crate::cross::{allowed, Cross};
use crate::cross_trade::{market_order, reducing as reducing_leg};
use crate::orders::{ask, bid, ioc, of_kind, reducing};
use crate::support::{done, quiet, refused, terms, START, TEN, USD};

fn signed(atoms: u64) -> i64 {
    i64::try_from(atoms).unwrap()
}

/// Atoms, signed.
fn usd(amount: u64) -> i64 {
    signed(amount * USD)
}

impl Cross {
    /// Alice places an order of a leg in `market`; everything about it is listed.
    pub fn leg_order(&mut self, market: &MarketCookie, args: PlaceOrderArgs) -> TxResult {
        let (alice, queues) = (self.venue.alice.clone(), self.queues());
        let sandbox = &mut self.venue.sandbox;
        sandbox.trade_leg(market, &alice, args, &queues, &[])
    }

    /// What a call lists that meets orders on `side` of alice and of these others.
    pub fn list(&self, market: &MarketCookie, side: Side, others: &[Pubkey]) -> Vec<Pubkey> {
        let sandbox = &self.venue.sandbox;
        let makers = [&[self.venue.alice.address], others].concat();
        let known = makers.iter().map(|key| (*key, sandbox.trader(key)));
        let known: BTreeMap<_, _> = known.collect();
        let at = (&market.keys.market, &sandbox.market(market));
        listed(&makers, side, &known, at, Some(&sandbox.board())).unwrap()
    }

    /// Bob takes orders of `side` with an order of his isolated position.
    fn bob_takes(&mut self, market: &MarketCookie, side: Side, args: PlaceOrderArgs) -> TxResult {
        let (bob, listed) = (self.venue.bob.clone(), self.list(market, side, &[]));
        let sandbox = &mut self.venue.sandbox;
        sandbox.place_order(market, &bob, ioc(args), &listed)
    }

    /// Alice's slot in a market, whatever it holds.
    fn slot_of(&self, market: &MarketCookie) -> Option<PositionSlot> {
        let trader = self.venue.sandbox.trader(&self.venue.alice.address);
        let mut slots = trader.positions.iter();
        slots
            .find(|slot| slot.market == market.keys.market)
            .copied()
    }
}

#[test]
pub fn an_order_of_a_leg_waits_and_its_fill_goes_through_the_pool() {
    let mut cross = Cross::with_pool();
    let (alice, first) = (cross.venue.alice.clone(), cross.first.clone());
    let placed = among!(
        done(cross.leg_order(&first, bid(START, 10_000))),
        OrderPlaced
    );
    // Initial margin of 5% of $2,000, and the maker's fee.
    let reserved = placed.reserved_atoms;
    assert!((100 * USD..102 * USD).contains(&reserved), "{reserved}");
    assert_eq!((placed.resting_lots, placed.filled_lots), (10_000, 0));
    assert!(placed.taker.is_none());
    let slot = cross.slot_of(&first).unwrap();
    assert_eq!(
        (slot.cross, slot.lots, slot.order_count),
        (CROSS_ORDERS, 0, 1)
    );
    let trader = cross.venue.sandbox.trader(&alice.address);
    assert_eq!(
        (trader.free, trader.cross_pool),
        (usd(500) - signed(reserved), usd(500))
    );
    assert_eq!(
        (
            trader.cross_legs,
            cross.venue.sandbox.market(&first).cross_legs
        ),
        (0, 0)
    );
    cross.sound();

    // Half of it is taken.
    let taken = done(cross.bob_takes(&first, Side::Long, ask(START, 5_000)));
    let (fills, made) = (among!(taken, OrderPlaced).fills, among!(taken, LegsMade));
    assert_eq!((made.market, made.legs.len()), (first.keys.market, 1));
    let LegMade {
        maker,
        margin_used,
        pool_before,
        pool_after,
        ..
    } = made.legs[0];
    assert_eq!((maker, fills[0].maker), (alice.address, alice.address));
    assert_eq!(
        (
            fills[0].lots,
            fills[0].maker_lots_after,
            fills[0].order_left
        ),
        (5_000, 5_000, 5_000)
    );
    assert_eq!(margin_used, reserved / 2);
    assert_eq!(pool_before, usd(500));
    assert_eq!(
        pool_after,
        usd(500) + signed(margin_used) - fills[0].maker_fee
    );
    assert_eq!(made.legs[0].equity_atoms, pool_after);
    assert_eq!(made.legs[0].requirement_atoms, 25 * USD);
    let slot = cross.slot_of(&first).unwrap();
    assert_eq!(
        (slot.cross, slot.lots, slot.order_count),
        (CROSS_LEG, 5_000, 1)
    );
    assert_eq!(cross.venue.sandbox.market(&first).cross_legs, 1);
    cross.sound();

    // What came in in this slot stays; what is left of the order is cancelled, and free.
    let all = |cross: &Cross| -cross.pool(&alice);
    let amount = all(&cross);
    let queues = cross.queues();
    let free = cross.venue.sandbox.trader(&alice.address).free;
    let sandbox = &mut cross.venue.sandbox;
    refused(sandbox, BallastError::CrossDepositStays, |s| {
        s.move_cross(&alice, amount, &queues)
    });
    done(sandbox.cancel_all_orders(&first, &alice, None));
    assert_eq!(
        sandbox.trader(&alice.address).free,
        free + signed(reserved - margin_used)
    );
    cross.sound();

    // The leg is sold by an order that waits, too, and its slot is free again.
    done(cross.leg_order(&first, reducing(ask(210_000, 5_000))));
    cross.prices(209_000, START);
    let sold = done(cross.bob_takes(&first, Side::Short, bid(210_000, 5_000)));
    let made = among!(sold, LegsMade).legs[0];
    assert_eq!(
        (made.realized, made.margin_used, made.requirement_atoms),
        (usd(50), 0, 0)
    );
    assert_eq!(made.equity_atoms, made.pool_after);
    assert!(cross.slot_of(&first).is_none());
    assert_eq!(cross.venue.sandbox.market(&first).cross_legs, 0);
    cross.sound();
}

#[test]
pub fn a_leg_alone_makes_as_an_isolated_position_does() {
    let trades = [
        (7_000_i64, START),
        (3_000, 199_000),
        (-4_000, 202_000),
        (-12_000, 201_500),
        (2_500, 198_500),
        (3_500, 199_500),
    ];
    let mut cross = Cross::with_pool();
    let (alice, first) = (cross.venue.alice.clone(), cross.first.clone());
    let mut alone = Cross::with_pool();
    let (same, taker) = (alone.venue.alice.clone(), alone.venue.bob.clone());
    for (lots, ticks) in trades {
        let (side, order, takes) = match lots > 0 {
            true => (
                Side::Long,
                bid(ticks, lots.unsigned_abs()),
                ask(ticks, lots.unsigned_abs()),
            ),
            false => (
                Side::Short,
                ask(ticks, lots.unsigned_abs()),
                bid(ticks, lots.unsigned_abs()),
            ),
        };
        done(cross.leg_order(&first, order));
        done(cross.bob_takes(&first, side, takes));
        let sandbox = &mut alone.venue.sandbox;
        done(sandbox.place_order(&first, &same, order, &[]));
        done(sandbox.place_order(&first, &taker, ioc(takes), &[same.address]));
        let leg = cross.venue.sandbox.leg(&first, &alice.address);
        let position = sandbox.position(&first, &same.address);
        let lots_and_cost = |slot: &PositionSlot| (slot.lots, slot.entry_quote);
        assert_eq!(
            leg.as_ref().map(lots_and_cost),
            position.as_ref().map(lots_and_cost)
        );
        let with = cross.venue.sandbox.trader(&alice.address);
        let without = sandbox.trader(&same.address);
        let margin = position.map_or(0, |slot| slot.margin);
        assert_eq!(
            with.cross_pool + with.free,
            without.cross_pool + without.free + margin
        );
        cross.sound();
        alone.sound();
    }
}

#[test]
pub fn the_pool_gives_what_free_collateral_lacks_for_an_order() {
    let mut cross = Cross::with_pool();
    let (alice, first, second) = (
        cross.venue.alice.clone(),
        cross.first.clone(),
        cross.second.clone(),
    );
    done(cross.venue.sandbox.withdraw(&alice, 500 * USD));
    let placed = among!(
        done(cross.leg_order(&first, bid(START, 10_000))),
        OrderPlaced
    );
    let trader = cross.venue.sandbox.trader(&alice.address);
    assert_eq!(
        (trader.free, trader.cross_pool),
        (0, usd(500) - signed(placed.reserved_atoms))
    );
    // What opening needs stays: $500 do not reserve $600.
    let more = |s: &mut Sandbox, queues: &[Pubkey]| {
        s.trade_leg(&second, &alice, bid(START, 50_000), queues, &[])
    };
    let queues = cross.queues();
    refused(
        &mut cross.venue.sandbox,
        BallastError::CrossBelowInitial,
        |s| more(s, &queues),
    );
    // What came into the pool in this slot does not leave it so either.
    let sandbox = &mut cross.venue.sandbox;
    done(sandbox.deposit(&alice, 500 * USD));
    done(sandbox.move_cross(&alice, usd(500), &queues));
    refused(sandbox, BallastError::CrossDepositStays, |s| {
        more(s, &queues)
    });
    sandbox.advance_slots(1);
    done(more(sandbox, &queues));
    cross.sound();
    // Below initial margin nothing more is reserved, and what is goes back.
    done(cross.bob_takes(&first, Side::Long, ask(START, 10_000)));
    done(cross.venue.sandbox.cancel_all_orders(&second, &alice, None));
    assert!(cross.slot_of(&second).is_none());
    cross.sound();
}

#[test]
pub fn orders_of_a_leg_are_cancelled_replaced_and_counted_like_others() {
    let mut cross = Cross::with_pool();
    let (alice, first, second) = (
        cross.venue.alice.clone(),
        cross.first.clone(),
        cross.second.clone(),
    );
    let numbered = |client_id, args| PlaceOrderArgs { client_id, ..args };
    done(cross.leg_order(&first, numbered(7, bid(START, 1_000))));
    let twice = BallastError::DuplicateClientId;
    let queues = cross.queues();
    let again =
        |s: &mut Sandbox| s.trade_leg(&first, &alice, numbered(7, bid(START, 1_000)), &queues, &[]);
    refused(&mut cross.venue.sandbox, twice, again);
    done(cross.leg_order(
        &first,
        of_kind(OrderKind::PostOnly, bid(START - 100, 1_000)),
    ));
    // It meets its own: the one in the book goes.
    let crossed = among!(
        done(cross.leg_order(&first, ask(START, 1_000))),
        OrderPlaced
    );
    assert_eq!((crossed.cancelled.len(), crossed.resting_lots), (1, 1_000));
    let wanted = cross.slot_of(&first).unwrap();
    assert_eq!((wanted.order_count, wanted.cross), (2, CROSS_ORDERS));
    cross.sound();
    // An account trades one way in a market.
    let sandbox = &mut cross.venue.sandbox;
    let there = BallastError::CrossLegThere;
    refused(sandbox, there, |s| {
        s.place_order(&first, &alice, bid(START - 200, 1_000), &[])
    });
    let (bob, opening) = (
        cross.venue.bob.clone(),
        terms(TEN, START, 100 * USD, 500 * USD),
    );
    refused(sandbox, there, |s| {
        s.block_trade(&first, &alice, &bob, opening)
    });
    done(sandbox.place_order(&second, &alice, bid(START - 200, 1_000), &[]));
    refused(sandbox, there, |s| {
        s.trade_leg(&second, &alice, bid(START, 1_000), &queues, &[])
    });
    let missing = BallastError::OrderNotFound;
    refused(sandbox, missing, |s| {
        s.cancel_order(&first, &alice, OrderRef::ClientId(7))
    });
    done(sandbox.cancel_all_orders(&first, &alice, None));
    assert_eq!(sandbox.trader(&alice.address).position_count, 1);
    cross.sound();
}

#[test]
pub fn a_leg_with_orders_does_not_convert() {
    let mut cross = Cross::hedged();
    let (alice, first) = (cross.venue.alice.clone(), cross.first.clone());
    let queues = cross.queues();
    done(cross.leg_order(&first, bid(190_000, 1_000)));
    let leaves = |s: &mut Sandbox| s.to_isolated(&first, &alice, 100 * USD, &queues);
    refused(
        &mut cross.venue.sandbox,
        BallastError::CrossHasOrders,
        leaves,
    );
    cross.sound();
}

#[test]
pub fn whoever_meets_an_order_of_a_leg_lists_the_board_and_its_queues() {
    let mut cross = Cross::hedged();
    let (alice, bob, first) = (
        cross.venue.alice.clone(),
        cross.venue.bob.clone(),
        cross.first.clone(),
    );
    let (one, two) = (cross.one, cross.two);
    done(cross.leg_order(&first, reducing(ask(START, 10_000))));
    let board = addresses::board();
    let takes = |listed: Vec<Pubkey>| {
        let (first, bob) = (&first, &bob);
        move |s: &mut Sandbox| s.place_order(first, bob, ioc(bid(START, 10_000)), &listed)
    };
    let full = vec![board, one.short, one.long, two.short, alice.address];
    assert_eq!(cross.list(&first, Side::Short, &[]), full);
    let sandbox = &mut cross.venue.sandbox;
    let no_board = BallastError::WrongBoard;
    refused(sandbox, no_board, takes(vec![alice.address]));
    refused(
        sandbox,
        no_board,
        takes(vec![one.long, two.short, alice.address]),
    );
    let no_queue = BallastError::CrossQueueMissing;
    refused(sandbox, no_queue, takes(vec![board, alice.address]));
    refused(
        sandbox,
        no_queue,
        takes(vec![board, two.short, alice.address]),
    );
    // A fill at the mark leaves her other record as it is; one far from it makes that flatter.
    done(takes(vec![board, one.long, alice.address])(
        &mut sandbox.fork(),
    ));
    sandbox.advance_slots(30);
    sandbox.set_price(&first, 204_000);
    sandbox.set_price(&cross.second, 200_500);
    done(sandbox.record_marks(&[&first, &cross.second]));
    // Recorded with the profit that the order gives away.
    let recorded = [two.short];
    done(sandbox.refresh_ranks(&cross.second, &recorded, &[alice.address]));
    let without = vec![board, one.long, alice.address];
    refused(sandbox, BallastError::CrossRecordStale, takes(without));
    done(takes(full)(&mut sandbox.fork()));
    // The marks of her other legs are young, or frozen.
    sandbox.advance_slots(26);
    sandbox.set_price(&first, 204_000);
    let listed = vec![board, one.long, two.short, alice.address];
    refused(sandbox, BallastError::CrossMarkStale, takes(listed.clone()));
    sandbox.advance_slots(75);
    sandbox.set_price(&first, 204_000);
    done(sandbox.freeze_mark(&cross.second));
    done(takes(listed)(sandbox));
    cross.sound();
}

#[test]
pub fn an_order_whose_account_cannot_carry_it_trades_with_nobody() {
    let mut cross = Cross::hedged();
    let (alice, first) = (cross.venue.alice.clone(), cross.first.clone());
    let placed = among!(
        done(cross.leg_order(&first, bid(START, 10_000))),
        OrderPlaced
    );
    let free = cross.venue.sandbox.trader(&alice.address).free;
    // Her short has lost $200: with the $100 that the order brings $150 would be needed.
    cross.venue.wait(20);
    cross.prices(START, 220_000);
    let taken = done(cross.bob_takes(&first, Side::Long, ask(START, 10_000)));
    let event = among!(taken, OrderPlaced);
    assert_eq!((event.fills.len(), event.removed.len()), (0, 1));
    let removed = event.removed[0];
    assert_eq!(
        (removed.reason, removed.fee_atoms),
        (RemovalReason::Unhealthy, 0)
    );
    // What it reserved is free; the account is as it was.
    let trader = cross.venue.sandbox.trader(&alice.address);
    assert_eq!(trader.free, free + signed(placed.reserved_atoms));
    assert_eq!(trader.cross_pool, usd(200));
    cross.sound();
    // An order that makes a leg smaller needs no margin, only no less health.
    done(cross.leg_order(&first, reducing(ask(START, 10_000))));
    done(cross.bob_takes(&first, Side::Short, bid(START, 10_000)));
    assert!(cross.slot_of(&first).is_none());
    cross.sound();
}

#[test]
pub fn an_expired_order_of_a_leg_is_removed_by_anybody_without_its_account_being_valued() {
    let mut cross = Cross::hedged();
    let (alice, bob, first) = (
        cross.venue.alice.clone(),
        cross.venue.bob.clone(),
        cross.first.clone(),
    );
    let expires_at = cross.venue.sandbox.time() + 5;
    done(cross.leg_order(
        &first,
        PlaceOrderArgs {
            expires_at,
            ..bid(START, 1_000)
        },
    ));
    let pool = cross.pool(&alice);
    cross.venue.wait(20);
    cross.prices(START, START);
    let sandbox = &mut cross.venue.sandbox;
    let taken = done(sandbox.place_order(&first, &bob, ioc(ask(START, 1_000)), &[alice.address]));
    let event = among!(taken, OrderPlaced);
    assert_eq!(event.removed[0].reason, RemovalReason::Expired);
    assert_eq!(event.collected_atoms, event.removed[0].fee_atoms);
    assert!(event.collected_atoms > 0);
    assert_eq!(cross.pool(&alice), pool);
    cross.sound();
}

#[test]
pub fn legs_hold_no_more_lots_through_orders_that_waited() {
    let mut cross = Cross::with_pool();
    let (alice, bob) = (cross.venue.alice.clone(), cross.venue.bob.clone());
    let third = cross.venue.second_market();
    let sandbox = &mut cross.venue.sandbox;
    let queues = sandbox.create_cross_queues(64).unwrap();
    let allowed = ballast_state::cross::EnableCrossArgs {
        most_lots: 5_000,
        ..allowed()
    };
    done(sandbox.enable_cross(&third, &queues, allowed));
    done(sandbox.trade_leg(&third, &alice, bid(START, 8_000), &queues.both(), &[]));
    let listed = [addresses::board(), queues.long, alice.address];
    let sells = |s: &mut Sandbox, lots| s.place_order(&third, &bob, ioc(ask(START, lots)), &listed);
    // A first step of 5,000 lots is all that its side takes; the rest leaves the book.
    done(sells(sandbox, 5_000));
    assert_eq!(sandbox.leg(&third, &alice.address).unwrap().lots, 5_000);
    let left = among!(done(sells(sandbox, 3_000)), OrderPlaced);
    assert_eq!(
        (left.filled_lots, left.removed[0].reason),
        (0, RemovalReason::NoRoom)
    );
    assert_eq!(left.removed[0].fee_atoms, 0);
    cross.sound();
}

#[test]
pub fn a_profit_that_the_market_lacks_is_not_taken_by_an_order_that_waits() {
    let mut cross = Cross::with_pool();
    let (alice, first) = (cross.venue.alice.clone(), cross.first.clone());
    let dave = cross.venue.sandbox.create_trader(1_000 * USD).unwrap();
    let (bob, carol) = (cross.venue.bob.clone(), cross.carol.clone());
    let opening = terms(10_000, START, 100 * USD, 500 * USD);
    done(
        cross
            .venue
            .sandbox
            .block_trade(&first, &carol, &bob, opening),
    );
    let queues = cross.one.both();
    done(cross.leg_trades(&first, START, market_order(-10_000), &queues));
    // Carol lacks $40, and insurance has a few cents; alice's order would take $140.
    cross.venue.sandbox.set_price(&first, 186_000);
    done(cross.leg_order(&first, reducing(bid(186_000, 10_000))));
    let listed = cross.list(&first, Side::Long, &[]);
    let pool = cross.pool(&alice);
    let sandbox = &mut cross.venue.sandbox;
    let sells = done(sandbox.place_order(&first, &dave, ioc(ask(186_000, 10_000)), &listed));
    let event = among!(sells, OrderPlaced);
    assert_eq!((event.filled_lots, event.removed.len()), (0, 1));
    assert_eq!(event.removed[0].reason, RemovalReason::ProfitIsHeld);
    assert_eq!(cross.pool(&alice), pool);
    cross.sound();
    // Once the market is whole again she takes it.
    cross.venue.wait(20);
    cross.venue.sandbox.set_price(&first, 195_000);
    done(cross.leg_order(&first, reducing(bid(195_000, 10_000))));
    let listed = cross.list(&first, Side::Long, &[]);
    let sandbox = &mut cross.venue.sandbox;
    let sold = done(sandbox.place_order(&first, &dave, ioc(ask(195_000, 10_000)), &listed));
    assert_eq!(among!(sold, LegsMade).legs[0].realized, usd(50));
    cross.sound();
}

#[test]
pub fn orders_of_a_leg_that_is_liquidated_or_cut_are_cancelled() {
    let mut cross = Cross::hedged();
    let (alice, bob, carol) = (
        cross.venue.alice.clone(),
        cross.venue.bob.clone(),
        cross.carol.clone(),
    );
    let (first, second) = (cross.first.clone(), cross.second.clone());
    let placed = among!(
        done(cross.leg_order(&first, bid(190_500, 1_000))),
        OrderPlaced
    );
    done(cross.leg_order(&second, bid(190_500, 1_000)));
    let free = cross.venue.sandbox.trader(&alice.address).free;
    let queues = cross.queues();
    cross.venue.wait(20);
    let mut cut = cross.venue.sandbox.fork();
    // $40 are left for a requirement of $96.50: the first leg goes, with its orders, those of the other stay.
    cross.prices(185_000, 201_000);
    let sandbox = &mut cross.venue.sandbox;
    let offer = Takeover::with_margin(300 * USD);
    let second_first = sandbox.liquidate_leg(&second, &alice.address, &carol, offer, &queues, &[]);
    let event = among!(done(second_first), PositionLiquidated);
    let cancelled = event.cancelled.expect("an order");
    assert_eq!((cancelled.trader, cancelled.orders), (alice.address, 1));
    let trader = sandbox.trader(&alice.address);
    assert_eq!(trader.free, free + signed(cancelled.margin_atoms));
    assert_eq!(cross.slot_of(&first).unwrap().order_count, 1);
    cross.sound();

    // Bob lacks $100 at 260: alice is cut for him, and her orders in the market go.
    std::mem::swap(&mut cut, &mut cross.venue.sandbox);
    cross.prices(260_000, 212_000);
    let sandbox = &mut cross.venue.sandbox;
    done(sandbox.flag_bankruptcy(&first, &bob.address));
    let list = [alice.address];
    let round = done(sandbox.auto_deleverage_cross(&first, &bob.address, &carol, &queues, &list));
    let event = among!(round, AutoDeleveraged);
    assert_eq!((event.cuts.len(), event.cuts[0].cancelled_orders), (1, 1));
    assert_eq!(event.cuts[0].cancelled_margin_atoms, placed.reserved_atoms);
    assert_eq!(
        sandbox.trader(&alice.address).free,
        free + signed(placed.reserved_atoms)
    );
    assert_eq!(cross.slot_of(&second).unwrap().order_count, 1);
    cross.sound();
}

#[test]
pub fn reduce_only_orders_follow_a_leg_that_becomes_smaller() {
    let mut cross = Cross::hedged();
    let first = cross.first.clone();
    done(cross.leg_order(&first, reducing(ask(210_000, 8_000))));
    done(cross.leg_order(&first, bid(190_000, 1_000)));
    // Bob's bid takes 6,000 of 10,000 lots.
    let (bob, queues) = (cross.venue.bob.clone(), cross.queues());
    let alice = cross.venue.alice.clone();
    let sandbox = &mut cross.venue.sandbox;
    done(sandbox.place_order(&first, &bob, bid(START, 10_000), &[]));
    let sold = sandbox.trade_leg(
        &first,
        &alice,
        market_order(-6_000),
        &queues,
        &[bob.address],
    );
    let sold = done(sold);
    let placed = among!(sold, OrderPlaced);
    assert_eq!(
        (placed.cancelled.len(), placed.cancelled[0].lots),
        (1, 4_000)
    );
    cross.sound();
    let sandbox = &mut cross.venue.sandbox;
    done(sandbox.trade_leg(
        &first,
        &alice,
        reducing_leg(-4_000),
        &queues,
        &[bob.address],
    ));
    let slot = cross.slot_of(&first).expect("an order");
    assert_eq!(
        (slot.cross, slot.lots, slot.order_count),
        (CROSS_ORDERS, 0, 1)
    );
    assert_eq!(
        (slot.reduce_only_count, slot.margin, slot.entry_quote),
        (0, 0, 0)
    );
    cross.sound();
}

#[test]
pub fn triggers_and_liquidations_are_filled_by_orders_of_legs() {
    let mut cross = Cross::with(&quiet());
    let (alice, bob, carol) = (
        cross.venue.alice.clone(),
        cross.venue.bob.clone(),
        cross.carol.clone(),
    );
    let first = cross.first.clone();
    let sandbox = &mut cross.venue.sandbox;
    done(sandbox.move_cross(&alice, usd(500), &[]));
    // Carol is long 10 SOL with $100 and stops at 195; bob has the other side.
    done(sandbox.block_trade(
        &first,
        &carol,
        &bob,
        terms(TEN, START, 100 * USD, 500 * USD),
    ));
    let stop = ballast_state::instructions::PlaceTriggerArgs {
        kind: TriggerKind::StopLoss,
        price_ticks: 195_000,
        worst_ticks: 190_000,
        lots: 4_000,
    };
    done(sandbox.place_trigger(&first, &carol, stop));
    done(cross.leg_order(&first, bid(194_000, 10_000)));
    cross.venue.wait(20);
    cross.prices(194_500, START);
    let listed = cross.list(&first, Side::Long, &[]);
    let sandbox = &mut cross.venue.sandbox;
    let stops =
        sandbox.execute_trigger(&first, &carol.address, &bob, TriggerKind::StopLoss, &listed);
    let outcome = done(stops);
    assert_eq!(among!(outcome, TriggerExecuted).filled_lots, 4_000);
    assert_eq!(among!(outcome, LegsMade).legs[0].maker, alice.address);
    assert_eq!(cross.leg(&first, &alice).lots, 4_000);
    cross.sound();

    // The rest of carol's position is liquidated into what is left of the order.
    cross.venue.wait(20);
    cross.prices(191_000, START);
    done(cross.leg_order(&first, bid(191_000, 6_000)));
    let listed = cross.list(&first, Side::Long, &[]);
    let sandbox = &mut cross.venue.sandbox;
    let step = sandbox.liquidate_into_book(&first, &carol.address, &bob, Takeover::none(), &listed);
    let outcome = done(step);
    let lots = among!(outcome, PositionLiquidated).lots;
    assert!(lots < 0);
    assert_eq!(cross.leg(&first, &alice).lots, 4_000 - lots);
    cross.sound();
}

#[test]
pub fn legs_take_and_are_liquidated_into_orders_of_legs() {
    let mut cross = Cross::with_pool();
    let (alice, carol, first) = (
        cross.venue.alice.clone(),
        cross.carol.clone(),
        cross.first.clone(),
    );
    let queues = cross.queues();
    let sandbox = &mut cross.venue.sandbox;
    done(sandbox.move_cross(&carol, usd(300), &[]));
    sandbox.advance_slots(1);
    // Alice's leg buys from carol's: both sides of the trade are legs.
    done(cross.leg_order(&first, bid(START, 20_000)));
    let sandbox = &mut cross.venue.sandbox;
    let sold = sandbox.trade_leg(
        &first,
        &carol,
        market_order(-20_000),
        &queues,
        &[alice.address],
    );
    let outcome = done(sold);
    assert_eq!(among!(outcome, LegTraded).lots_after, -20_000);
    assert_eq!(among!(outcome, LegsMade).legs[0].maker, alice.address);
    cross.sound();
    // Carol, who has $300 for $4,000, is liquidated into an ask of alice's leg.
    cross.venue.wait(20);
    cross.prices(212_000, START);
    done(cross.leg_order(&first, ask(212_000, 20_000)));
    let bob = cross.venue.bob.clone();
    let sandbox = &mut cross.venue.sandbox;
    let free = sandbox.trader(&bob.address).free;
    let offer = Takeover::none();
    let step = sandbox.liquidate_leg(
        &first,
        &carol.address,
        &bob,
        offer,
        &queues,
        &[alice.address],
    );
    let outcome = done(step);
    let event = among!(outcome, PositionLiquidated);
    assert!(event.lots > 0 && !event.fills.is_empty());
    assert_eq!(among!(outcome, LegsMade).legs.len(), event.fills.len());
    assert!(sandbox.trader(&bob.address).free >= free);
    cross.sound();
}
