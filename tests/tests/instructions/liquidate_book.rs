//! Liquidation into the book: who takes the lots, at what price, and what the keeper earns.

use ballast_client::instructions::anyone::Takeover;
use ballast_sandbox::{MarketConfig, TraderCookie};
use ballast_state::book_account::OrderSide;
use ballast_state::error::BallastError;
use ballast_state::events::{CancelledOrders, PositionLiquidated, RemovalReason};
use ballast_state::order_args::PlaceOrderArgs;

use crate::event;
use crate::orders::{ask, bid, listed, reducing};
use crate::support::{done, quiet, refused, terms, watched, Venue, START, TEN, USD};

/// Alice is long 10 SOL at $200 with $100; carol and dave wait in the book, a keeper liquidates.
pub struct Fall {
    pub venue: Venue,
    pub alice: TraderCookie,
    pub carol: TraderCookie,
    pub dave: TraderCookie,
    pub keeper: TraderCookie,
}

/// What the keeper offers: to take over with $100.
const OFFER: Takeover = Takeover::with_margin(100 * USD);

impl Fall {
    /// The price has fallen to this.
    pub fn to(price: u64) -> Self {
        Self::with(&quiet(), price)
    }

    fn with(config: &MarketConfig, price: u64) -> Self {
        let mut venue = Venue::open_with(config);
        let [carol, dave, keeper] = [0; 3].map(|_| venue.trader(1_000));
        venue.price(price);
        Self {
            alice: venue.alice.clone(),
            venue,
            carol,
            dave,
            keeper,
        }
    }

    /// At $194 a fifth of alice's position may go, 2,000 lots at $193.515 or better: carol bids
    /// $193.900 and dave $193.600 for 500 each, and bob a tick less than is needed.
    pub fn with_bids() -> Self {
        Self::with_bids_in(&quiet())
    }

    fn with_bids_in(config: &MarketConfig) -> Self {
        let mut fall = Self::with(config, 194_000);
        let (carol, dave, bob) = (
            fall.carol.clone(),
            fall.dave.clone(),
            fall.venue.bob.clone(),
        );
        fall.venue.place(&bob, bid(193_514, 5_000), &[]);
        fall.venue.place(&dave, bid(193_600, 500), &[]);
        fall.venue.place(&carol, bid(193_900, 500), &[]);
        fall
    }

    #[track_caller]
    fn liquidate(&mut self, offer: Takeover, makers: &[&TraderCookie]) -> PositionLiquidated {
        let outcome = self.venue.sandbox.liquidate_into_book(
            &self.venue.market,
            &self.alice.address,
            &self.keeper,
            offer,
            &listed(makers),
        );
        let event = event!(done(outcome), PositionLiquidated);
        self.venue.sound();
        assert_eq!(event.lots_after, event.lots_before + event.lots);
        event
    }

    #[track_caller]
    fn refuse(&mut self, error: BallastError, offer: Takeover, makers: &[&TraderCookie]) {
        let (market, victim) = (&self.venue.market, &self.alice.address);
        refused(&mut self.venue.sandbox, error, |s| {
            s.liquidate_into_book(market, victim, &self.keeper, offer, &listed(makers))
        });
    }

    fn makers(&self) -> (TraderCookie, TraderCookie, TraderCookie) {
        (
            self.carol.clone(),
            self.dave.clone(),
            self.venue.bob.clone(),
        )
    }

    fn withdraw_orders(&mut self, trader: &TraderCookie) {
        let market = &self.venue.market;
        done(self.venue.sandbox.cancel_all_orders(market, trader, None));
    }

    fn advance(&mut self, slots: u64, price: u64) {
        self.venue.sandbox.advance_slots(slots);
        self.venue.price(price);
    }
}

#[test]
pub fn the_book_comes_first_and_the_victim_keeps_the_better_price() {
    let mut fall = Fall::with_bids();
    let (carol, dave, bob) = fall.makers();
    let event = fall.liquidate(OFFER, &[&carol, &dave, &bob]);
    assert_eq!((event.lots, event.book_lots), (-2_000, -1_000));
    let book = 500 * 193_900 + 500 * 193_600;
    // The liquidator takes half, at half of the discount of 970,000.
    let taken = 1_000 * 194_000 - 485_000;
    assert_eq!(
        (event.book_quote_atoms, event.quote_atoms),
        (-book, -book - taken)
    );
    assert_eq!(event.discount_atoms, 485_000);
    assert_eq!(event.insurance_fee_atoms, 1_940_000);
    // 10 bps of the first fill, which is less than it was better; all that the second was better.
    assert_eq!(event.book_reward_atoms, 96_950 + 42_500);
    assert_eq!((event.reward_atoms, event.insurance_paid_atoms), (0, 0));
    assert_eq!(event.cancelled, None);
    let makers: Vec<_> = event
        .fills
        .iter()
        .map(|fill| (fill.maker, fill.price_ticks, fill.lots, fill.taker_fee))
        .collect();
    assert_eq!(
        makers,
        [
            (carol.address, 193_900, 500, 0),
            (dave.address, 193_600, 500, 0)
        ]
    );
    let left = fall.venue.slot(&fall.alice);
    let loss = 2_000 * 200_000 - book - taken;
    assert_eq!(
        (left.lots, left.margin),
        (8_000, 100_000_000 - loss - 1_940_000 - 139_450)
    );
    assert_eq!(
        (left.last_step_slot, left.step_left),
        (fall.venue.sandbox.slot(), 0)
    );
    assert_eq!(fall.venue.free(&fall.alice), 899_000_000);
    let keeper = fall.venue.slot(&fall.keeper);
    assert_eq!((keeper.lots, keeper.entry_quote), (1_000, taken));
    assert_eq!(fall.venue.free(&fall.keeper), 900_139_450);
    assert_eq!(fall.venue.slot(&carol).lots, 500);
    assert_eq!(fall.venue.resting(OrderSide::Bid), [(193_514, 5_000)]);
    let market = fall.venue.sandbox.market(&fall.venue.market);
    // No fee is taken from anybody but the victim.
    assert_eq!(
        (market.fees_atoms, market.insurance.balance),
        (800_000, 2_140_000)
    );
    assert_eq!(market.liquidations, 1);
}

#[test]
pub fn the_victims_orders_go_first() {
    let mut fall = Fall::with_bids();
    let (alice, carol, dave) = (fall.alice.clone(), fall.carol.clone(), fall.dave.clone());
    // Hers would be the best bid.
    let first = fall.venue.place(&alice, bid(193_950, 300), &[]);
    fall.venue.place(&alice, reducing(ask(195_000, 300)), &[]);
    let event = fall.liquidate(OFFER, &[&carol, &alice, &dave]);
    assert_eq!(
        event.cancelled,
        Some(CancelledOrders {
            trader: alice.address,
            orders: 2,
            margin_atoms: first.reserved_atoms,
        })
    );
    assert_eq!((event.fills.len(), event.book_lots), (2, -1_000));
    assert_eq!(fall.venue.slot(&alice).order_count, 0);
    assert_eq!(fall.venue.free(&alice), 899_000_000);
    assert_eq!(fall.venue.resting(OrderSide::Ask), []);
}

#[test]
pub fn a_better_bid_is_not_passed_over() {
    let mut fall = Fall::with_bids();
    let (carol, dave, bob) = fall.makers();
    let skips = BallastError::LiquidationSkipsBook;
    fall.refuse(skips, OFFER, &[]);
    fall.refuse(skips, OFFER, &[&dave, &bob]);
    fall.refuse(BallastError::NothingFilled, Takeover::none(), &[]);
    // With the first listed, it is filled and the rest stays where it is.
    let event = fall.liquidate(OFFER, &[&carol, &bob]);
    assert_eq!((event.lots, event.book_lots), (-500, -500));
    assert_eq!(event.discount_atoms, 0);
    // A quarter of the step, a quarter of the fee.
    assert_eq!(event.insurance_fee_atoms, 485_000);
    assert_eq!(fall.venue.slot(&fall.keeper).lots, 0);
    assert_eq!(fall.venue.slot(&fall.alice).step_left, 1_500);
}

#[test]
pub fn the_limit_is_the_liquidators_price_to_the_atom() {
    // At $190.500 all 10,000 lots go for $1,900.237500: $190.02375 each.
    for (price, met) in [(190_023, false), (190_024, true)] {
        let mut fall = Fall::to(190_500);
        let carol = fall.carol.clone();
        fall.venue.place(&carol, bid(price, 10_000), &[]);
        if met {
            fall.refuse(BallastError::LiquidationSkipsBook, OFFER, &[]);
            let event = fall.liquidate(Takeover::none(), &[&carol]);
            assert_eq!(event.book_lots, -TEN);
            // 2,500 atoms above the limit, all for the keeper.
            assert_eq!(event.book_reward_atoms, 2_500);
        } else {
            fall.refuse(BallastError::NothingFilled, Takeover::none(), &[&carol]);
            let event = fall.liquidate(OFFER, &[&carol]);
            assert_eq!((event.book_lots, event.lots), (0, -TEN));
        }
    }
}

#[test]
pub fn what_a_closed_position_is_worth_goes_to_its_owner() {
    let mut fall = Fall::to(190_500);
    let carol = fall.carol.clone();
    fall.venue.place(&carol, bid(190_400, 12_000), &[]);
    let event = fall.liquidate(OFFER, &[&carol]);
    assert_eq!((event.lots, event.quote_atoms), (-TEN, -1_904_000_000));
    assert_eq!(event.book_reward_atoms, 1_904_000);
    assert_eq!(event.insurance_fee_atoms, 237_500);
    // $4 less reward and fee.
    assert_eq!(fall.venue.free(&fall.alice), 899_000_000 + 1_858_500);
    assert!(fall
        .venue
        .sandbox
        .position(&fall.venue.market, &fall.alice.address)
        .is_none());
    assert_eq!(fall.venue.free(&fall.keeper), 1_001_904_000);
    assert_eq!(fall.venue.slot(&carol).lots, TEN);
    assert_eq!(fall.venue.resting(OrderSide::Bid), [(190_400, 2_000)]);
}

#[test]
pub fn without_an_offer_the_book_alone_takes_lots() {
    let mut fall = Fall::with_bids();
    let (carol, dave, bob) = fall.makers();
    let event = fall.liquidate(Takeover::none(), &[&carol, &dave, &bob]);
    assert_eq!((event.lots, event.book_lots), (-1_000, -1_000));
    assert_eq!(
        (event.discount_atoms, event.insurance_fee_atoms),
        (0, 970_000)
    );
    assert_eq!(fall.venue.slot(&fall.keeper).lots, 0);
    assert_eq!(fall.venue.free(&fall.keeper), 1_000_139_450);
    assert_eq!(fall.venue.slot(&fall.alice).step_left, 1_000);
    fall.refuse(BallastError::NothingFilled, Takeover::none(), &[&bob]);
}

#[test]
pub fn an_unfinished_step_is_finished_within_the_interval() {
    let mut fall = Fall::with_bids();
    let (carol, dave, bob) = fall.makers();
    fall.withdraw_orders(&bob);
    let first = fall.venue.sandbox.slot();
    fall.liquidate(OFFER, &[&carol]);
    fall.advance(5, 194_000);
    // Of 2,000 lots 1,500 are left: dave's 500, and the liquidator's.
    let event = fall.liquidate(OFFER, &[&dave]);
    assert_eq!((event.lots, event.book_lots), (-1_500, -500));
    let left = fall.venue.slot(&fall.alice);
    assert_eq!(
        (left.lots, left.step_left, left.last_step_slot),
        (8_000, 0, first)
    );
    // No further until the interval since the first call is over.
    fall.refuse(BallastError::LadderInterval, OFFER, &[]);
    fall.advance(4, 194_000);
    fall.refuse(BallastError::LadderInterval, OFFER, &[]);
    fall.advance(1, 194_000);
    let event = fall.liquidate(OFFER, &[]);
    assert!((-1_600..0).contains(&event.lots), "{}", event.lots);
    let left = fall.venue.slot(&fall.alice);
    assert_eq!(left.last_step_slot, first + 10);
}

#[test]
pub fn what_was_left_of_a_step_is_not_added_to_the_next() {
    let mut fall = Fall::with_bids();
    let (carol, dave, bob) = fall.makers();
    fall.withdraw_orders(&bob);
    fall.liquidate(OFFER, &[&carol]);
    fall.advance(10, 194_000);
    // A fifth of the 9,500 left.
    assert_eq!(fall.liquidate(OFFER, &[&dave]).lots, -1_900);
    assert_eq!(
        fall.venue.slot(&fall.alice).last_step_slot,
        fall.venue.sandbox.slot()
    );
    fall.refuse(BallastError::LadderInterval, OFFER, &[]);
}

#[test]
pub fn a_step_may_be_finished_in_many_parts() {
    let mut fall = Fall::to(194_000);
    let (carol, dave, bob) = fall.makers();
    for (maker, lots) in [(&carol, 600), (&dave, 700), (&bob, 900)] {
        fall.venue.place(maker, bid(193_800, lots), &[]);
    }
    let parts = [(&carol, 600, 1_400), (&dave, 700, 700), (&bob, 700, 0)];
    for (maker, lots, left) in parts {
        let event = fall.liquidate(Takeover::none(), &[maker]);
        assert_eq!(event.lots, -lots);
        assert_eq!(fall.venue.slot(&fall.alice).step_left, left);
    }
    fall.refuse(BallastError::LadderInterval, Takeover::none(), &[&bob]);
    assert_eq!(fall.venue.slot(&fall.alice).lots, 8_000);
}

#[test]
pub fn once_the_ramp_is_over_the_book_may_be_passed_over() {
    let mut fall = Fall::with_bids();
    let alice = fall.alice.address;
    done(
        fall.venue
            .sandbox
            .flag_bankruptcy(&fall.venue.market, &alice),
    );
    // At its end the discount is 0.75%: bob's bid is better as well.
    let market = fall.venue.market.clone();
    watched(&mut fall.venue.sandbox, &market, &alice, 194_000, 150);
    fall.refuse(BallastError::LiquidationSkipsBook, OFFER, &[]);
    let mut earlier = fall.venue.sandbox.fork();
    let all = listed(&[&fall.carol, &fall.dave, &fall.venue.bob]);
    let outcome =
        earlier.liquidate_into_book(&fall.venue.market, &alice, &fall.keeper, OFFER, &all);
    let event = event!(done(outcome), PositionLiquidated);
    assert_eq!((event.book_lots, event.discount_atoms), (-2_000, 0));
    fall.advance(1, 194_000);
    let event = fall.liquidate(OFFER, &[]);
    assert_eq!((event.lots, event.book_lots), (-2_000, 0));
    assert_eq!(event.discount_atoms, 2_910_000);
    assert_eq!(fall.venue.resting(OrderSide::Bid).len(), 3);
}

#[test]
pub fn the_liquidator_may_be_a_maker_too() {
    let mut fall = Fall::to(194_000);
    let keeper = fall.keeper.clone();
    fall.venue.place(&keeper, bid(193_900, 500), &[]);
    fall.refuse(BallastError::LiquidationSkipsBook, OFFER, &[]);
    let event = fall.liquidate(OFFER, &[&keeper]);
    assert_eq!((event.lots, event.book_lots), (-2_000, -500));
    assert_eq!(event.discount_atoms, 727_500);
    let slot = fall.venue.slot(&keeper);
    assert_eq!(
        (slot.lots, slot.entry_quote),
        (2_000, 96_950_000 + 291_000_000 - 727_500)
    );
    // $4.850000 its order reserved, $100 it offered.
    assert_eq!((slot.margin, slot.order_count), (104_850_000, 0));
    assert_eq!(
        fall.venue.free(&keeper),
        1_000_000_000 - 104_850_000 + 96_950
    );
}

#[test]
pub fn orders_that_cannot_trade_are_removed_on_the_way() {
    let mut fall = Fall::to(START);
    let (carol, dave, _) = fall.makers();
    // At $194 carol would have $4.50 of $4.85; dave's time is over.
    fall.venue.place(&carol, bid(199_500, 1_000), &[]);
    let expires_at = fall.venue.sandbox.time() + 4;
    let brief = PlaceOrderArgs {
        expires_at,
        ..bid(199_000, 1_000)
    };
    fall.venue.place(&dave, brief, &[]);
    fall.advance(10, 194_000);
    fall.venue.price_twice(194_000);
    let mut alone = fall.venue.sandbox.fork();
    let event = fall.liquidate(OFFER, &[&carol, &dave]);
    let reasons: Vec<_> = event.removed.iter().map(|order| order.reason).collect();
    assert_eq!(reasons, [RemovalReason::Unhealthy, RemovalReason::Expired]);
    assert_eq!((event.lots, event.book_lots), (-2_000, 0));
    assert_eq!(event.collected_atoms, 100_000);
    assert_eq!(fall.venue.free(&fall.keeper), 900_100_000);
    // Alone, clearing the book is a success that closes nothing and is no step.
    std::mem::swap(&mut fall.venue.sandbox, &mut alone);
    let event = fall.liquidate(OFFER, &[&carol]);
    assert_eq!((event.lots, event.removed.len()), (0, 1));
    let slot = fall.venue.slot(&fall.alice);
    assert_eq!((slot.last_step_slot, slot.step_left), (0, 0));
    let event = fall.liquidate(OFFER, &[&dave]);
    assert_eq!((event.lots, event.removed.len()), (-2_000, 1));
}

#[test]
pub fn makers_pay_their_fee_and_get_no_rebate() {
    let mut config = quiet();
    config.risk.maker_fee_bps = 2;
    let mut fall = Fall::with_bids_in(&config);
    let before = fall.venue.sandbox.market(&fall.venue.market);
    let (carol, dave, _) = fall.makers();
    let event = fall.liquidate(OFFER, &[&carol, &dave]);
    let fees: Vec<i64> = event.fills.iter().map(|fill| fill.maker_fee).collect();
    assert_eq!(fees, [19_390, 19_360]);
    let after = fall.venue.sandbox.market(&fall.venue.market);
    assert_eq!(after.fees_atoms - before.fees_atoms, 31_000);
    assert_eq!(
        after.insurance.balance - before.insurance.balance,
        1_940_000 + 7_750
    );
    assert_eq!(event.insurance_after_atoms, after.insurance.balance);
    // A rebate is paid from the taker's fee, and here is none.
    config.risk.maker_fee_bps = -5;
    let mut fall = Fall::with_bids_in(&config);
    let (carol, dave, _) = fall.makers();
    let event = fall.liquidate(OFFER, &[&carol, &dave]);
    assert_eq!(event.fills.len(), 2);
    assert!(event.fills.iter().all(|fill| fill.maker_fee == 0));
}

#[test]
pub fn a_short_is_liquidated_into_the_asks() {
    let mut venue = Venue::new();
    done(venue.trade(-TEN, START, 100 * USD, 500 * USD));
    let [carol, dave, keeper] = [0; 3].map(|_| venue.trader(1_000));
    venue.price(206_000);
    let mut fall = Fall {
        alice: venue.alice.clone(),
        venue,
        carol: carol.clone(),
        dave: dave.clone(),
        keeper: keeper.clone(),
    };
    // 2,000 lots cost the victim at most $206.515 each.
    fall.venue.place(&carol, ask(206_100, 500), &[]);
    fall.venue.place(&dave, ask(206_516, 500), &[]);
    fall.refuse(BallastError::LiquidationSkipsBook, OFFER, &[&dave]);
    let event = fall.liquidate(OFFER, &[&carol, &dave]);
    assert_eq!((event.lots, event.book_lots), (2_000, 500));
    assert_eq!(
        (event.book_quote_atoms, event.quote_atoms),
        (103_050_000, 103_050_000 + 309_772_500)
    );
    // 10 bps of 103,050,000, out of 207,500.
    assert_eq!(event.book_reward_atoms, 103_050);
    assert_eq!(event.insurance_fee_atoms, 2_060_000);
    let left = fall.venue.slot(&fall.alice);
    let loss = 103_050_000 + 309_772_500 - 400_000_000;
    assert_eq!(
        (left.lots, left.margin),
        (-8_000, 100_000_000 - loss - 2_060_000 - 103_050)
    );
    assert_eq!(fall.venue.slot(&carol).lots, -500);
    assert_eq!(fall.venue.slot(&keeper).lots, -1_500);
    assert_eq!(fall.venue.resting(OrderSide::Ask), [(206_516, 500)]);
}

#[test]
pub fn the_liquidator_of_the_other_side_closes_what_it_has_with_what_is_left() {
    // Bob is short and takes the rest over: a counterparty, not an order of the book.
    let mut fall = Fall::with_bids();
    let (carol, dave, bob) = fall.makers();
    fall.keeper = bob.clone();
    let terms = terms(100, 194_000, 10 * USD, 10 * USD);
    done(
        fall.venue
            .sandbox
            .block_trade(&fall.venue.market, &carol, &dave, terms),
    );
    let event = fall.liquidate(OFFER, &[&carol, &dave]);
    assert_eq!(event.lots, -2_000);
    // Dave's bid closed 100 and opened 400.
    let lots = [&carol, &dave, &bob].map(|trader| fall.venue.slot(trader).lots);
    assert_eq!(lots, [600, 400, -9_000]);
}
