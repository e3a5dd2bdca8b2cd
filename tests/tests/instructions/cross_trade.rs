//! Legs that take orders of the book.

use anchor_lang::prelude::Pubkey;
use ballast_client::preview::{self, LegDesk, LegPreview, Scene};
use ballast_engine::oracle::{Now, OraclePrice};
use ballast_engine::units::{Side, Ticks};
use ballast_sandbox::{MarketCookie, Sandbox, TxResult};
use ballast_state::book_account::OrderSide;
use ballast_state::error::BallastError;
use ballast_state::events::{LegTraded, OrderPlaced};
use ballast_state::exchange::{PAUSE_OPEN, PAUSE_TRADE};
use ballast_state::order_args::{OrderKind, PlaceOrderArgs, SelfTrade};

use crate::among;
use crate::cross::{allowed, Cross};
use crate::orders::{ask, bid, ioc};
use crate::support::{done, quiet, refused, terms, START, USD};

/// A market order for so many lots, bought where positive.
pub fn market_order(lots: i64) -> PlaceOrderArgs {
    PlaceOrderArgs {
        side: match lots > 0 {
            true => OrderSide::Bid,
            false => OrderSide::Ask,
        },
        kind: OrderKind::Market,
        lots: lots.unsigned_abs(),
        self_trade: SelfTrade::Abort,
        ..PlaceOrderArgs::default()
    }
}

/// The same, which may only make the leg smaller.
pub fn reducing(lots: i64) -> PlaceOrderArgs {
    PlaceOrderArgs {
        reduce_only: true,
        ..market_order(lots)
    }
}

/// Atoms, signed.
fn dollars(amount: u64) -> i64 {
    i64::try_from(amount * USD).unwrap()
}

impl Cross {
    /// Two quiet markets, alice with $500 in her pool, bob and carol with $100,000 each.
    pub fn with_pool() -> Self {
        let mut cross = Self::new();
        let rich = |sandbox: &mut Sandbox| sandbox.create_trader(100_000 * USD).unwrap();
        (cross.venue.bob, cross.carol) = (
            rich(&mut cross.venue.sandbox),
            rich(&mut cross.venue.sandbox),
        );
        let alice = cross.venue.alice.clone();
        let sandbox = &mut cross.venue.sandbox;
        done(sandbox.move_cross(&alice, dollars(500), &[]));
        sandbox.advance_slots(1);
        cross
    }

    /// Alice's leg in `market` trades with bob, who waits with that many lots at this price.
    pub fn leg_trades(
        &mut self,
        market: &MarketCookie,
        ticks: u64,
        args: PlaceOrderArgs,
        queues: &[Pubkey],
    ) -> TxResult {
        let (alice, bob) = (self.venue.alice.clone(), self.venue.bob.clone());
        let waits = match args.side {
            OrderSide::Bid => ask(ticks, args.lots),
            OrderSide::Ask => bid(ticks, args.lots),
        };
        let sandbox = &mut self.venue.sandbox;
        done(sandbox.place_order(market, &bob, waits, &[]));
        sandbox.trade_leg(market, &alice, args, queues, &[bob.address])
    }

    /// The same, which must go through.
    #[track_caller]
    fn traded(&mut self, ticks: u64, args: PlaceOrderArgs) -> (OrderPlaced, LegTraded) {
        let (first, queues) = (self.first.clone(), self.one.both());
        let outcome = done(self.leg_trades(&first, ticks, args, &queues));
        let placed = among!(outcome, OrderPlaced);
        let leg = among!(outcome, LegTraded);
        (placed, leg)
    }
}

#[test]
pub fn a_leg_is_opened_made_smaller_turned_round_and_closed() {
    let mut cross = Cross::with_pool();
    let (alice, first) = (cross.venue.alice.clone(), cross.first.clone());
    let (placed, leg) = cross.traded(START, market_order(10_000));
    assert_eq!((placed.trader, placed.lots), (alice.address, 10_000));
    assert_eq!((placed.filled_lots, placed.dropped_lots), (10_000, 0));
    assert_eq!(
        (placed.fills.len(), placed.open_interest_after),
        (1, 10_000)
    );
    assert!(placed.taker.is_none(), "the pool holds the margin");
    assert_eq!((leg.lots_before, leg.lots_after), (0, 10_000));
    assert_eq!(
        (leg.pool_before, leg.entry_quote_after),
        (dollars(500), dollars(2_000))
    );
    // 5 bps of $2,000; 2.5% of it is maintenance margin.
    assert_eq!((leg.fee, leg.realized, leg.funding), (dollars(1), 0, 0));
    assert_eq!(
        (leg.pool_after, leg.equity_atoms),
        (dollars(499), dollars(499))
    );
    assert_eq!(leg.requirement_atoms, 50 * USD);
    assert_eq!(cross.leg(&first, &alice).lots, 10_000);
    assert_eq!(cross.venue.sandbox.market(&first).cross_legs, 1);
    cross.sound();

    let (placed, leg) = cross.traded(START, reducing(-4_000));
    assert!(placed.reduce_only);
    assert_eq!((leg.lots_after, leg.realized, leg.fee), (6_000, 0, 400_000));
    assert_eq!(leg.pool_after, dollars(499) - 400_000);
    cross.sound();

    cross.venue.sandbox.set_price(&first, 210_000);
    let (_, leg) = cross.traded(210_000, market_order(-16_000));
    // $10 on each of 6 SOL, and 5 bps of $3,360.
    assert_eq!((leg.lots_before, leg.lots_after), (6_000, -10_000));
    assert_eq!((leg.realized, leg.fee), (dollars(60), 1_680_000));
    assert_eq!(leg.pool_after, leg.pool_before + dollars(60) - 1_680_000);
    assert_eq!(leg.entry_quote_after, -dollars(2_100));
    assert_eq!(cross.venue.sandbox.market(&first).cross_legs, 1);
    cross.sound();

    let (_, closed) = cross.traded(211_000, reducing(12_000));
    assert_eq!((closed.lots_after, closed.realized), (0, -dollars(10)));
    assert_eq!((closed.entry_quote_after, closed.requirement_atoms), (0, 0));
    assert_eq!(closed.equity_atoms, closed.pool_after);
    assert!(cross.venue.sandbox.leg(&first, &alice.address).is_none());
    assert_eq!(cross.venue.sandbox.market(&first).cross_legs, 0);
    cross.sound();
    // All of it leaves.
    cross.venue.sandbox.advance_slots(1);
    let all = cross.pool(&alice);
    done(cross.venue.sandbox.move_cross(&alice, -all, &[]));
    cross.sound();
}

#[test]
pub fn a_leg_alone_trades_as_an_isolated_position_does() {
    // The same fills for a leg and for a position with as much behind it: lots, price.
    let trades = [
        (7_000, START),
        (3_000, 202_000),
        (-4_000, 199_000),
        (-12_000, 201_000),
        (2_500, 198_500),
        (3_500, 201_500),
    ];
    let mut cross = Cross::with_pool();
    let (alice, bob, first) = (
        cross.venue.alice.clone(),
        cross.venue.bob.clone(),
        cross.first.clone(),
    );
    let mut alone = Cross::with_pool();
    let (same, maker, market) = (
        alone.venue.alice.clone(),
        alone.venue.bob.clone(),
        alone.first.clone(),
    );
    for (lots, ticks) in trades {
        cross.traded(ticks, market_order(lots));
        let (waits, takes) = match lots > 0 {
            true => (
                ask(ticks, lots.unsigned_abs()),
                bid(ticks, lots.unsigned_abs()),
            ),
            false => (
                bid(ticks, lots.unsigned_abs()),
                ask(ticks, lots.unsigned_abs()),
            ),
        };
        let sandbox = &mut alone.venue.sandbox;
        done(sandbox.place_order(&market, &maker, waits, &[]));
        done(sandbox.place_order(&market, &same, ioc(takes), &[maker.address]));
        let leg = cross.venue.sandbox.leg(&first, &alice.address);
        let position = alone.venue.sandbox.position(&market, &same.address);
        let lots_and_cost =
            |slot: &ballast_state::position_slot::PositionSlot| (slot.lots, slot.entry_quote);
        assert_eq!(
            leg.as_ref().map(lots_and_cost),
            position.as_ref().map(lots_and_cost)
        );
        let (with, without) = (
            cross.venue.sandbox.trader(&alice.address),
            alone.venue.sandbox.trader(&same.address),
        );
        let margin = position.map_or(0, |slot| slot.margin);
        assert_eq!(
            with.cross_pool + with.free,
            without.cross_pool + without.free + margin
        );
        let makers = [
            cross.venue.sandbox.trader(&bob.address),
            alone.venue.sandbox.trader(&maker.address),
        ];
        assert_eq!(makers[0].free, makers[1].free);
    }
    cross.sound();
    alone.sound();
}

/// What the client foresees of an order of alice's leg against bob's orders, at this price.
fn foreseen(cross: &Cross, ticks: u64, args: &PlaceOrderArgs) -> Result<LegPreview, BallastError> {
    let (sandbox, market) = (&cross.venue.sandbox, &cross.first);
    let (alice, bob) = (&cross.venue.alice, &cross.venue.bob);
    let board = sandbox.board();
    let scene = Scene {
        key: market.keys.market,
        market: &sandbox.market(market),
        book: &sandbox.book(market),
        queues: &[Side::Long, Side::Short].map(|side| sandbox.queue(market, side)),
        price: OraclePrice {
            price: Ticks::new(ticks),
            confidence: Ticks::new(0),
            ema: Ticks::new(ticks),
            publish_time: sandbox.time(),
            below_tick: false,
        },
        now: Now {
            slot: sandbox.slot(),
            unix_timestamp: sandbox.time(),
        },
        trader: (alice.address, &sandbox.trader(&alice.address)),
        makers: &[(bob.address, sandbox.trader(&bob.address))],
        legs: Some(LegDesk::new(&board)),
    };
    preview::leg(&scene, args)
}

#[test]
pub fn a_preview_is_what_happens_to_the_atom() {
    let mut cross = Cross::with_pool();
    let (alice, bob, first) = (
        cross.venue.alice.clone(),
        cross.venue.bob.clone(),
        cross.first.clone(),
    );
    let queues = cross.queues();
    done(cross.leg_trades(&cross.second.clone(), START, market_order(5_000), &queues));
    let whole = PlaceOrderArgs {
        kind: OrderKind::FillOrKill,
        price_ticks: 203_000,
        ..market_order(4_000)
    };
    for (ticks, args) in [
        (START, market_order(9_000)),
        (201_000, reducing(-4_000)),
        (202_000, market_order(-15_000)),
        (202_500, whole),
        (203_000, reducing(20_000)),
    ] {
        let lots = args.lots;
        for (part, at) in [(lots / 3, ticks), (lots - lots / 3, ticks + 100)] {
            let waits = match args.side {
                OrderSide::Bid => ask(at, part),
                OrderSide::Ask => bid(at, part),
            };
            done(cross.venue.sandbox.place_order(&first, &bob, waits, &[]));
        }
        let foreseen = foreseen(&cross, START, &args).expect("an order that goes through");
        let sandbox = &mut cross.venue.sandbox;
        let traded = done(sandbox.trade_leg(&first, &alice, args, &queues, &[bob.address]));
        let (placed, leg) = (among!(traded, OrderPlaced), among!(traded, LegTraded));
        assert_eq!(
            (foreseen.lots, foreseen.filled),
            (placed.lots, placed.filled_lots)
        );
        let paid: u64 = placed
            .fills
            .iter()
            .map(|fill| fill.lots * fill.price_ticks)
            .sum();
        assert_eq!(foreseen.notional, paid);
        let trade = foreseen.trade.as_ref().expect("a trade");
        assert_eq!(i64::try_from(trade.fee), Ok(leg.fee));
        assert_eq!(trade.realized.get(), leg.realized);
        assert_eq!(trade.pool.get(), leg.pool_after);
        assert_eq!(trade.position.entry_quote.get(), leg.entry_quote_after);
        let values = &foreseen.values;
        assert_eq!(
            (values.equity.get(), values.requirement),
            (leg.equity_atoms, leg.requirement_atoms)
        );
        cross.sound();
    }
    done(
        cross
            .venue
            .sandbox
            .place_order(&first, &bob, ask(START, 100_000), &[]),
    );
    let more = foreseen(&cross, START, &market_order(100_000));
    assert_eq!(more.map(|_| ()), Err(BallastError::CrossBelowInitial));
}

#[test]
pub fn a_hedge_needs_what_both_legs_need_and_its_profit_opens_nothing() {
    let mut cross = Cross::with_pool();
    let (first, second) = (cross.first.clone(), cross.second.clone());
    let queues = cross.queues();
    done(cross.leg_trades(&first, START, market_order(40_000), &queues));
    // $400 of $496 are needed.
    let most = BallastError::CrossBelowInitial;
    let (alice, bob) = (cross.venue.alice.clone(), cross.venue.bob.clone());
    let sandbox = &mut cross.venue.sandbox;
    done(sandbox.place_order(&second, &bob, bid(START, 20_000), &[]));
    let takes = |lots| {
        let (second, alice, queues, bob) = (&second, &alice, &queues, bob.address);
        move |s: &mut Sandbox| s.trade_leg(second, alice, market_order(lots), queues, &[bob])
    };
    refused(sandbox, most, takes(-9_600));
    // A price that makes her $400 opens no more than before.
    cross.prices(210_000, START);
    refused(&mut cross.venue.sandbox, most, takes(-9_600));
    // Her first leg needs $420 then.
    done(takes(-7_000)(&mut cross.venue.sandbox));
    cross.sound();
}

#[test]
pub fn a_profit_that_does_not_count_does_not_pay_for_lots_given_away() {
    let mut cross = Cross::with_pool();
    let (first, second) = (cross.first.clone(), cross.second.clone());
    let queues = cross.queues();
    done(cross.leg_trades(&first, START, market_order(25_000), &queues));
    done(cross.leg_trades(&second, START, market_order(20_000), &queues));
    // The first market is pumped, by her: $1,250 of profit on paper. 5% below the mark of the second she would
    // sell to an account of her own what others would have to make good.
    cross.prices(250_000, START);
    let (alice, bob) = (cross.venue.alice.clone(), cross.venue.bob.clone());
    let sandbox = &mut cross.venue.sandbox;
    done(sandbox.place_order(&second, &bob, bid(190_500, 20_000), &[]));
    let gives =
        |s: &mut Sandbox| s.trade_leg(&second, &alice, reducing(-20_000), &queues, &[bob.address]);
    refused(sandbox, BallastError::CrossBelowInitial, gives);
    // At a liquidation's discount she may, and is no less healthy.
    done(sandbox.place_order(&second, &bob, bid(199_000, 20_000), &[]));
    let sold = done(gives(sandbox));
    assert_eq!(among!(sold, LegTraded).realized, -dollars(20));
    cross.sound();
}

#[test]
pub fn an_account_below_maintenance_may_only_make_its_legs_smaller() {
    let mut cross = Cross::with_pool();
    let (first, second) = (cross.first.clone(), cross.second.clone());
    let queues = cross.queues();
    done(cross.leg_trades(&first, START, market_order(40_000), &queues));
    // $496 less $320 of loss stand against $192.
    cross.prices(192_000, START);
    let below = BallastError::CrossBelowInitial;
    let (alice, bob) = (cross.venue.alice.clone(), cross.venue.bob.clone());
    let sandbox = &mut cross.venue.sandbox;
    done(sandbox.place_order(&second, &bob, ask(START, 1_000), &[]));
    refused(sandbox, below, |s| {
        s.trade_leg(
            &second,
            &alice,
            market_order(1_000),
            &queues,
            &[bob.address],
        )
    });
    done(sandbox.place_order(&first, &bob, bid(192_000, 20_000), &[]));
    let sells = |args| {
        let (first, alice, queues, bob) = (&first, &alice, &queues, bob.address);
        move |s: &mut Sandbox| s.trade_leg(first, alice, args, queues, &[bob])
    };
    let sold = done(sells(market_order(-20_000))(sandbox));
    let leg = among!(sold, LegTraded);
    assert!(leg.equity_atoms > i64::try_from(leg.requirement_atoms).unwrap());
    cross.sound();
    // Bankrupt it sells nothing at a price that leaves it as deep in proportion.
    cross.prices(182_000, START);
    let sandbox = &mut cross.venue.sandbox;
    done(sandbox.place_order(&first, &bob, bid(182_000, 5_000), &[]));
    refused(sandbox, below, sells(reducing(-5_000)));
}

#[test]
pub fn marks_of_other_legs_are_young_enough_for_what_is_done() {
    let mut cross = Cross::with_pool();
    let (first, second) = (cross.first.clone(), cross.second.clone());
    let queues = cross.queues();
    done(cross.leg_trades(&first, START, market_order(10_000), &queues));
    done(cross.leg_trades(&second, START, market_order(10_000), &queues));
    let (alice, bob) = (cross.venue.alice.clone(), cross.venue.bob.clone());
    let sandbox = &mut cross.venue.sandbox;
    done(sandbox.place_order(&second, &bob, ask(START, 1_000), &[]));
    done(sandbox.place_order(&second, &bob, bid(START - 100, 1_000), &[]));
    let trades = |args| {
        let (second, alice, queues, bob) = (&second, &alice, &queues, bob.address);
        move |s: &mut Sandbox| s.trade_leg(second, alice, args, queues, &[bob])
    };
    let (opens, reduces) = (market_order(100), reducing(-100));
    let (stale, frozen) = (BallastError::CrossMarkStale, BallastError::CrossMarkFrozen);
    sandbox.advance_slots(26);
    sandbox.set_price(&second, START);
    done(trades(opens)(&mut sandbox.fork()));
    refused(sandbox, stale, trades(reduces));
    sandbox.advance_slots(75);
    sandbox.set_price(&second, START);
    refused(sandbox, stale, trades(opens));
    done(sandbox.freeze_mark(&first));
    refused(sandbox, frozen, trades(opens));
    done(trades(reduces)(sandbox));
    cross.sound();
}

#[test]
pub fn a_profit_that_the_market_lacks_stays_in_the_leg() {
    let mut cross = Cross::with_pool();
    let (alice, first) = (cross.venue.alice.clone(), cross.first.clone());
    let queues = cross.one.both();
    // Carol is long 10 SOL with $100, alice short of as many as a leg.
    let dave = cross.venue.sandbox.create_trader(1_000 * USD).unwrap();
    let (bob, carol) = (cross.venue.bob.clone(), cross.carol.clone());
    let opening = terms(10_000, START, 100 * USD, 500 * USD);
    done(
        cross
            .venue
            .sandbox
            .block_trade(&first, &carol, &bob, opening),
    );
    done(cross.leg_trades(&first, START, market_order(-10_000), &queues));
    // Carol lacks $40, and insurance has a few cents.
    cross.venue.sandbox.set_price(&first, 186_000);
    let sandbox = &mut cross.venue.sandbox;
    done(sandbox.place_order(&first, &dave, ask(186_000, 10_000), &[]));
    let closes =
        |s: &mut Sandbox| s.trade_leg(&first, &alice, reducing(10_000), &queues, &[dave.address]);
    refused(sandbox, BallastError::ProfitIsHeld, closes);
    // As an isolated position she closes, and the market holds what it lacks.
    sandbox.advance_slots(1);
    sandbox.set_price(&first, 186_000);
    done(sandbox.to_isolated(&first, &alice, 300 * USD, &queues));
    let closed =
        done(sandbox.place_order(&first, &alice, ioc(bid(186_000, 10_000)), &[dave.address]));
    let held = among!(closed, ProfitHeld);
    assert_eq!(held.parts[0].trader, alice.address);
    assert!(held.parts[0].held_atoms > 39 * USD);
    cross.sound();
}

#[test]
pub fn what_a_leg_may_not_do_is_refused() {
    let mut cross = Cross::with_pool();
    let (alice, bob, first) = (
        cross.venue.alice.clone(),
        cross.venue.bob.clone(),
        cross.first.clone(),
    );
    let queues = cross.one.both();
    let third = cross.venue.second_market();
    let sandbox = &mut cross.venue.sandbox;
    let takes = |args, queues: &[Pubkey]| {
        let (first, alice, bob, queues) = (&first, &alice, bob.address, queues.to_vec());
        move |s: &mut Sandbox| s.trade_leg(first, alice, args, &queues, &[bob])
    };
    refused(
        sandbox,
        BallastError::NothingFilled,
        takes(market_order(100), &queues),
    );
    refused(
        sandbox,
        BallastError::ZeroLots,
        takes(market_order(0), &queues),
    );
    refused(
        sandbox,
        BallastError::NothingToReduce,
        takes(reducing(100), &queues),
    );
    done(sandbox.place_order(&first, &bob, ask(START, 1_000), &[]));
    let whole = PlaceOrderArgs {
        kind: OrderKind::FillOrKill,
        price_ticks: START,
        ..market_order(1_001)
    };
    refused(sandbox, BallastError::NotFilled, takes(whole, &queues));
    let worse = PlaceOrderArgs {
        kind: OrderKind::ImmediateOrCancel,
        price_ticks: START - 1,
        ..market_order(1_000)
    };
    refused(sandbox, BallastError::NothingFilled, takes(worse, &queues));
    for queue in [cross.one.short, cross.two.long, first.keys.queue_long] {
        let missing = BallastError::CrossQueueMissing;
        refused(sandbox, missing, takes(market_order(100), &[queue]));
    }
    refused(sandbox, BallastError::CrossDisabled, |s| {
        s.trade_leg(&third, &alice, market_order(100), &queues, &[bob.address])
    });
    refused(sandbox, BallastError::NotTraderAuthority, |s| {
        let mut stolen = alice.clone();
        stolen.wallet = bob.wallet.clone();
        s.trade_leg(&first, &stolen, market_order(100), &queues, &[bob.address])
    });
    for pause in [PAUSE_TRADE, PAUSE_OPEN] {
        let mut halted = sandbox.fork();
        done(halted.set_pause(pause));
        refused(
            &mut halted,
            BallastError::Paused,
            takes(market_order(100), &queues),
        );
    }
    // Isolated there, an account has no leg there.
    let opening = terms(1_000, START, 100 * USD, 100 * USD);
    done(sandbox.block_trade(&first, &alice, &bob, opening));
    refused(
        sandbox,
        BallastError::CrossLegThere,
        takes(market_order(100), &queues),
    );
    cross.sound();
}

#[test]
pub fn legs_open_no_more_lots_than_the_market_allows_them() {
    let mut cross = Cross::with_pool();
    let third = cross.venue.sandbox.create_market(&quiet()).unwrap();
    let queues = cross.venue.sandbox.create_cross_queues(16).unwrap();
    let args = ballast_state::cross::EnableCrossArgs {
        most_lots: 10_000,
        ..allowed()
    };
    done(cross.venue.sandbox.enable_cross(&third, &queues, args));
    let both = queues.both();
    done(cross.leg_trades(&third, START, market_order(9_000), &both));
    let (alice, bob) = (cross.venue.alice.clone(), cross.venue.bob.clone());
    let sandbox = &mut cross.venue.sandbox;
    done(sandbox.place_order(&third, &bob, ask(START, 2_000), &[]));
    let buys = |lots| {
        let (third, alice, both, bob) = (&third, &alice, &both, bob.address);
        move |s: &mut Sandbox| s.trade_leg(third, alice, market_order(lots), both, &[bob])
    };
    refused(sandbox, BallastError::OpenInterestLimit, buys(1_001));
    done(buys(1_000)(sandbox));
    // The other side counts by itself.
    done(cross.leg_trades(&third, START, market_order(-20_000), &both));
}
