//! Block trades of legs whose accounts have orders, and what either party needs.

use ballast_sandbox::{MarketCookie, Sandbox, TraderCookie};
use ballast_state::error::BallastError;
use ballast_state::order_args::PlaceOrderArgs;
use ballast_state::position_slot::{PositionSlot, CROSS_LEG, CROSS_ORDERS};

use crate::among;
use crate::cross_block::{at, Desk, BOTH, MAKER, TAKER};
use crate::orders::{bid, reducing};
use crate::support::{done, refused, terms, START, USD};

impl Desk {
    /// A party's slot in the first market, whatever it holds.
    fn slot_of(&self, trader: &TraderCookie) -> Option<PositionSlot> {
        let account = self.cross.venue.sandbox.trader(&trader.address);
        let market = self.cross.first.keys.market;
        let mut slots = account.positions.iter();
        slots.find(|slot| slot.market == market).copied()
    }

    /// An order of a leg in the first market.
    fn waits(&mut self, trader: &TraderCookie, order: PlaceOrderArgs) {
        let (first, queues) = (self.cross.first.clone(), self.cross.queues());
        done(
            self.sandbox()
                .trade_leg(&first, trader, order, &queues, &[]),
        );
    }
}

#[test]
pub fn reduce_only_orders_of_a_leg_are_cut_to_what_is_left() {
    let mut desk = Desk::new();
    let (alice, carol) = (desk.alice(), desk.carol());
    let first = desk.cross.first.clone();
    desk.traded(&first, [&carol, &alice], at(8_000, START), BOTH);
    desk.waits(&alice, reducing(bid(199_000, 8_000)));
    desk.waits(&alice, bid(198_000, 1_000));
    let free = desk.cross.venue.sandbox.trader(&alice.address).free;

    let closed = done(desk.trade([&alice, &carol], at(5_000, START), [false; 2]));
    let cut = among!(closed, OrdersCancelled);
    assert_eq!((cut.trader, cut.market), (alice.address, first.keys.market));
    assert_eq!((cut.orders.len(), cut.orders[0].lots), (1, 5_000));
    assert_eq!(cut.free_after, free);
    let slot = desk.slot_of(&alice).unwrap();
    assert_eq!((slot.lots, slot.order_count), (-3_000, 2));
    desk.cross.sound();

    // The leg is closed: the order that opens one stays, and the slot with it.
    let closed = done(desk.trade([&alice, &carol], at(3_000, START), [false; 2]));
    assert_eq!(among!(closed, OrdersCancelled).orders[0].lots, 3_000);
    let slot = desk.slot_of(&alice).unwrap();
    assert_eq!(
        (slot.cross, slot.order_count, slot.reduce_only_count),
        (CROSS_ORDERS, 1, 0)
    );
    assert!(desk.slot_of(&carol).is_none());
    assert_eq!(desk.cross.venue.sandbox.trader(&alice.address).free, free);
    desk.cross.sound();
    done(desk.sandbox().cancel_all_orders(&first, &alice, None));
    assert!(desk.slot_of(&alice).is_none());
    desk.cross.sound();
}

#[test]
pub fn a_leg_that_is_closed_or_turned_round_keeps_no_reduce_only_order() {
    let mut desk = Desk::new();
    let (alice, carol) = (desk.alice(), desk.carol());
    let first = desk.cross.first.clone();
    desk.traded(&first, [&carol, &alice], at(8_000, START), BOTH);
    desk.waits(&alice, reducing(bid(199_000, 8_000)));
    for (lots, after) in [(8_000, None), (9_000, Some(1_000))] {
        let mut sandbox = desk.cross.venue.sandbox.fork();
        let queues = desk.cross.queues();
        let closed = done(sandbox.block_trade_cross(
            &first,
            [&alice, &carol],
            at(lots, START),
            BOTH,
            &queues,
        ));
        assert_eq!(among!(closed, OrdersCancelled).orders[0].lots, 8_000);
        let leg = sandbox.leg(&first, &alice.address);
        assert_eq!(
            leg.map(|leg| (leg.lots, leg.order_count)),
            after.map(|lots| (lots, 0))
        );
        let account = sandbox.trader(&alice.address);
        account.invariant().unwrap();
        assert_eq!(account.position_count, u32::from(after.is_some()));
    }
}

#[test]
pub fn an_account_with_orders_of_a_leg_trades_a_leg() {
    let mut desk = Desk::new();
    let (alice, bob) = (desk.alice(), desk.bob());
    let first = desk.cross.first.clone();
    desk.waits(&alice, bid(198_000, 1_000));
    let agreed = terms(5_000, START, 100 * USD, 200 * USD);
    refused(desk.sandbox(), BallastError::CrossLegThere, |s| {
        s.block_trade(&first, &alice, &bob, agreed)
    });
    let (event, legs) = desk.traded(&first, [&alice, &bob], agreed, [false; 2]);
    assert_eq!((event.isolated.len(), legs.len()), (1, 1));
    assert_eq!((legs[0].trader, legs[0].lots_after), (alice.address, 5_000));
    let slot = desk.slot_of(&alice).unwrap();
    assert_eq!((slot.cross, slot.order_count), (CROSS_LEG, 1));
    // Closed, it has its order still.
    desk.traded(&first, [&bob, &alice], at(5_000, START), [false; 2]);
    let slot = desk.slot_of(&alice).unwrap();
    assert_eq!(
        (slot.cross, slot.lots, slot.order_count),
        (CROSS_ORDERS, 0, 1)
    );
}

#[test]
pub fn either_party_needs_what_opening_needs() {
    let mut desk = Desk::new();
    let (alice, bob, dave) = (desk.alice(), desk.bob(), desk.dave.clone());
    let (first, queues) = (desk.cross.first.clone(), desk.cross.queues());
    let rich = i64::try_from(50_000 * USD).unwrap();
    done(desk.sandbox().move_cross(&dave, rich, &[]));
    // 5% of $12,000 are more than alice's $500; whoever is isolated has $100.
    let (pool, isolated) = (
        BallastError::CrossBelowInitial,
        BallastError::BelowInitialMargin,
    );
    let sandbox = desk.sandbox();
    let parties = [
        ([&alice, &dave], BOTH, [0, 0], pool),
        ([&dave, &alice], BOTH, [0, 0], pool),
        ([&alice, &bob], TAKER, [0, 1_000], pool),
        ([&bob, &alice], MAKER, [1_000, 0], pool),
        ([&dave, &bob], TAKER, [0, 100], isolated),
        ([&bob, &dave], MAKER, [100, 0], isolated),
    ];
    for (parties, legs, margin, below) in parties {
        let trades = |lots, margin: [u64; 2]| {
            let (first, queues): (&MarketCookie, _) = (&first, &queues);
            move |s: &mut Sandbox| {
                let agreed = terms(lots, START, margin[0] * USD, margin[1] * USD);
                s.block_trade_cross(first, parties, agreed, legs, queues)
            }
        };
        for lots in [60_000, -60_000] {
            refused(sandbox, below, trades(lots, margin));
        }
        done(trades(10_000, margin.map(|margin| 2 * margin))(
            &mut sandbox.fork(),
        ));
    }
    desk.cross.sound();
}

#[test]
pub fn open_interest_of_legs_does_not_rise_in_a_reduce_only_market() {
    let mut desk = Desk::new();
    let (alice, bob, carol) = (desk.alice(), desk.bob(), desk.carol());
    let first = desk.cross.first.clone();
    desk.traded(&first, [&alice, &carol], at(5_000, START), BOTH);
    done(desk.sandbox().set_reduce_only(&first));
    let (reduce_only, queues) = (BallastError::MarketReduceOnly, desk.cross.queues());
    let margin = terms(100, START, 0, 50 * USD);
    refused(desk.sandbox(), reduce_only, |s| {
        s.block_trade_cross(&first, [&alice, &bob], margin, TAKER, &queues)
    });
    refused(desk.sandbox(), reduce_only, |s| {
        s.block_trade_cross(&first, [&alice, &carol], at(100, START), BOTH, &queues)
    });
    // Lots pass on, and both close.
    let passed = terms(-2_000, START, 0, 100 * USD);
    let (event, _) = desk.traded(&first, [&alice, &bob], passed, TAKER);
    assert_eq!(event.open_interest_after, 5_000);
    desk.traded(&first, [&bob, &carol], at(-2_000, START), MAKER);
    let (event, _) = desk.traded(&first, [&carol, &alice], at(3_000, START), BOTH);
    assert_eq!(event.open_interest_after, 0);
}
