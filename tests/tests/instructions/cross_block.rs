//! Block trades of legs.

use ballast_client::preview::{self, BlockPreview, BlockScene, LegStands};
use ballast_engine::oracle::{Now, OraclePrice};
use ballast_engine::units::Ticks;
use ballast_sandbox::{BlockTrade, MarketConfig, MarketCookie, Sandbox, TraderCookie, TxResult};
use ballast_state::cross::BlockOutcome;
use ballast_state::error::BallastError;
use ballast_state::events::{BallastEvent, CrossBlockTraded, LegTraded};

use crate::among;
use crate::cross::Cross;
use crate::orders::ask;
use crate::support::{done, quiet, refused, terms, START, USD};

/// The taker trades a leg.
pub const TAKER: [bool; 2] = [true, false];
/// The maker does.
pub const MAKER: [bool; 2] = [false, true];
/// Both do.
pub const BOTH: [bool; 2] = [true, true];

/// Atoms, signed.
pub fn dollars(amount: u64) -> i64 {
    i64::try_from(amount * USD).unwrap()
}

/// Terms without margin.
pub fn at(lots: i64, ticks: u64) -> BlockTrade {
    terms(lots, ticks, 0, 0)
}

/// Two quiet markets; alice and carol have $500 in their pools and $500 beside, bob has $100,000.
pub struct Desk {
    /// The venue.
    pub cross: Cross,
    /// Somebody with $100,000.
    pub dave: TraderCookie,
}

impl Desk {
    pub fn new() -> Self {
        Self::with(&quiet())
    }

    pub fn with(config: &MarketConfig) -> Self {
        let mut cross = Cross::with(config);
        let sandbox = &mut cross.venue.sandbox;
        cross.venue.bob = sandbox.create_trader(100_000 * USD).unwrap();
        let dave = sandbox.create_trader(100_000 * USD).unwrap();
        for one in [&cross.venue.alice, &cross.carol] {
            done(sandbox.move_cross(one, dollars(500), &[]));
        }
        sandbox.advance_slots(1);
        Self { cross, dave }
    }

    pub fn alice(&self) -> TraderCookie {
        self.cross.venue.alice.clone()
    }

    pub fn carol(&self) -> TraderCookie {
        self.cross.carol.clone()
    }

    pub fn bob(&self) -> TraderCookie {
        self.cross.venue.bob.clone()
    }

    pub fn sandbox(&mut self) -> &mut Sandbox {
        &mut self.cross.venue.sandbox
    }

    /// A trade in the first market, all cross queues listed.
    pub fn trade(
        &mut self,
        parties: [&TraderCookie; 2],
        agreed: BlockTrade,
        legs: [bool; 2],
    ) -> TxResult {
        let (first, queues) = (self.cross.first.clone(), self.cross.queues());
        self.sandbox()
            .block_trade_cross(&first, parties, agreed, legs, &queues)
    }

    /// The same in any market, which must go through.
    #[track_caller]
    pub fn traded(
        &mut self,
        market: &MarketCookie,
        parties: [&TraderCookie; 2],
        agreed: BlockTrade,
        legs: [bool; 2],
    ) -> (CrossBlockTraded, Vec<LegTraded>) {
        let queues = self.cross.queues();
        let traded = self
            .sandbox()
            .block_trade_cross(market, parties, agreed, legs, &queues);
        let outcome = done(traded);
        let legs = outcome.events.iter().filter_map(|event| match event {
            BallastEvent::LegTraded(leg) => Some(leg.as_ref().clone()),
            _ => None,
        });
        let legs = legs.collect();
        self.cross.sound();
        (among!(outcome, CrossBlockTraded), legs)
    }

    /// Free collateral, margin in the first market and the pool.
    pub fn all_of(&self, trader: &TraderCookie) -> i64 {
        let sandbox = &self.cross.venue.sandbox;
        let account = sandbox.trader(&trader.address);
        let position = sandbox.position(&self.cross.first, &trader.address);
        account.free + account.cross_pool + position.map_or(0, |slot| slot.margin)
    }

    /// What the client foresees of a trade in the first market at its price.
    fn foreseen(
        &self,
        [taker, maker]: [&TraderCookie; 2],
        agreed: BlockTrade,
        legs: [bool; 2],
        ticks: u64,
    ) -> Result<BlockPreview, BallastError> {
        let (sandbox, first) = (&self.cross.venue.sandbox, &self.cross.first);
        let scene = BlockScene {
            key: first.keys.market,
            market: &sandbox.market(first),
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
            board: &sandbox.board(),
            taker: &sandbox.trader(&taker.address),
            maker: &sandbox.trader(&maker.address),
        };
        preview::block(&scene, &agreed.cross_args(legs))
    }
}

#[test]
pub fn a_leg_trades_with_an_isolated_position_and_with_a_leg() {
    let mut desk = Desk::new();
    let (alice, bob, carol) = (desk.alice(), desk.bob(), desk.carol());
    let first = desk.cross.first.clone();
    // Alice opens a leg against bob, who is isolated with $500.
    let agreed = terms(10_000, START, 7, 500 * USD);
    let (event, legs) = desk.traded(&first, [&alice, &bob], agreed, TAKER);
    assert_eq!((event.taker, event.maker), (alice.address, bob.address));
    assert_eq!((event.lots, event.price_ticks), (10_000, START));
    assert_eq!(
        (event.mark_ticks, event.open_interest_after),
        (START, 10_000)
    );
    assert_eq!((event.taker_fee, event.maker_fee), (dollars(1), 0));
    let [party] = &event.isolated[..] else {
        panic!("{:?}", event.isolated);
    };
    assert_eq!((party.trader, party.lots_after), (bob.address, -10_000));
    assert_eq!(
        (party.margin_after, party.margin_added),
        (dollars(500), 500 * USD)
    );
    let [leg] = &legs[..] else {
        panic!("{legs:?}");
    };
    assert_eq!((leg.trader, leg.lots_after), (alice.address, 10_000));
    assert_eq!(
        (leg.entry_quote_after, leg.fee),
        (dollars(2_000), dollars(1))
    );
    assert_eq!(
        (leg.pool_before, leg.pool_after),
        (dollars(500), dollars(499))
    );
    assert_eq!(
        (leg.equity_atoms, leg.requirement_atoms),
        (dollars(499), 50 * USD)
    );
    assert_eq!(
        desk.cross.venue.sandbox.trader(&alice.address).free,
        dollars(500)
    );
    assert_eq!(desk.cross.venue.sandbox.market(&first).cross_legs, 1);

    // She passes half of it on to carol, who says that she wants a leg; alice has one and need not say it.
    desk.sandbox().set_price(&first, 202_000);
    let (event, legs) = desk.traded(&first, [&alice, &carol], at(-5_000, 201_000), MAKER);
    assert!(event.isolated.is_empty());
    assert_eq!(event.open_interest_after, 10_000);
    let [sold, bought] = &legs[..] else {
        panic!("{legs:?}");
    };
    assert_eq!((sold.trader, sold.lots_after), (alice.address, 5_000));
    // $1 on each of 5 SOL; 5 bps of $1,005.
    assert_eq!((sold.realized, sold.fee), (dollars(5), 502_500));
    assert_eq!((bought.trader, bought.lots_after), (carol.address, 5_000));
    assert_eq!((bought.realized, bought.fee), (0, 0));
    assert_eq!(bought.equity_atoms, dollars(505));
    assert_eq!(desk.cross.venue.sandbox.market(&first).cross_legs, 2);

    // Bob turns round against alice, who turns round as well; then all close.
    let agreed = terms(15_000, 202_000, 800 * USD, 0);
    let (event, legs) = desk.traded(&first, [&bob, &alice], agreed, [false; 2]);
    assert_eq!(event.isolated[0].lots_after, 5_000);
    assert_eq!((legs[0].lots_before, legs[0].lots_after), (5_000, -10_000));
    assert_eq!(legs[0].realized, dollars(10));
    assert_eq!(event.open_interest_after, 10_000);
    desk.traded(&first, [&alice, &bob], at(5_000, 202_000), [false; 2]);
    let (event, legs) = desk.traded(&first, [&carol, &alice], at(-5_000, 202_000), [false; 2]);
    assert_eq!((event.open_interest_after, legs.len()), (0, 2));
    assert!(legs.iter().all(|leg| leg.lots_after == 0));
    assert!(legs.iter().all(|leg| leg.equity_atoms == leg.pool_after));
    assert_eq!(desk.cross.venue.sandbox.market(&first).cross_legs, 0);
    desk.sandbox().advance_slots(1);
    for one in [&alice, &carol] {
        assert!(desk.cross.venue.sandbox.leg(&first, &one.address).is_none());
        let all = desk.cross.pool(one);
        done(desk.sandbox().move_cross(one, -all, &[]));
    }
    desk.cross.sound();
}

#[test]
pub fn legs_trade_as_isolated_positions_do_to_the_atom() {
    // The same for legs and for positions with as much behind them: lots of the taker, price.
    let trades = [
        (7_000, START),
        (3_000, 202_000),
        (-4_000, 199_000),
        (-12_000, 201_000),
        (2_500, 198_500),
        (3_500, 201_500),
    ];
    for rebate in [0, -2, 3] {
        let mut config = quiet();
        (config.risk.maker_fee_bps, config.risk.taker_fee_bps) = (rebate, 7);
        for legs in [TAKER, MAKER, BOTH] {
            let mut desk = Desk::with(&config);
            let mut alone = Desk::with(&config);
            let (alice, carol) = (desk.alice(), desk.carol());
            let (same, other) = (alone.alice(), alone.carol());
            let first = desk.cross.first.clone();
            let market = alone.cross.first.clone();
            for (number, (lots, ticks)) in trades.into_iter().enumerate() {
                let mark = START + 400 * u64::try_from(number).unwrap();
                for one in [&mut desk, &mut alone] {
                    let market = one.cross.first.clone();
                    one.sandbox().advance_slots(3);
                    one.sandbox().set_price(&market, mark);
                }
                let agreed = terms(lots, ticks, 200 * USD, 200 * USD);
                let (event, told) = desk.traded(&first, [&alice, &carol], agreed, legs);
                let alike = done(alone.sandbox().block_trade(&market, &same, &other, agreed));
                let alike = among!(alike, BlockTraded);
                assert_eq!(
                    (event.taker_fee, event.maker_fee, event.open_interest_after),
                    (alike.taker.fee, alike.maker.fee, alike.open_interest_after)
                );
                assert_eq!(told.len() + event.isolated.len(), 2);
                for leg in told {
                    let [party] = [&alike.taker, &alike.maker].map(|party| *party)
                        [usize::from(leg.trader == carol.address)..][..1]
                    else {
                        panic!("a party");
                    };
                    assert_eq!(
                        (leg.lots_after, leg.entry_quote_after, leg.realized, leg.fee),
                        (
                            party.lots_after,
                            party.entry_quote_after,
                            party.realized,
                            party.fee
                        )
                    );
                }
                assert_eq!(desk.all_of(&alice), alone.all_of(&same));
                assert_eq!(desk.all_of(&carol), alone.all_of(&other));
                let fees = |desk: &Desk| {
                    let market = desk.cross.venue.sandbox.market(&desk.cross.first);
                    (market.fees_atoms, market.insurance.balance)
                };
                assert_eq!(fees(&desk), fees(&alone));
            }
        }
    }
}

/// Fails unless the client foresaw how the account of a leg stands.
#[track_caller]
fn stands(foreseen: Option<&LegStands>, outcome: &BlockOutcome, leg: &LegTraded) {
    let BlockOutcome::Leg(trade, fee) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!((fee.get(), trade.realized.get()), (leg.fee, leg.realized));
    assert_eq!(trade.pool.get(), leg.pool_after);
    assert_eq!(trade.position.entry_quote.get(), leg.entry_quote_after);
    let values = &foreseen.expect("an account with a leg").values;
    assert_eq!(
        (values.equity.get(), values.requirement),
        (leg.equity_atoms, leg.requirement_atoms)
    );
}

#[test]
pub fn a_preview_is_what_happens_to_the_atom() {
    let mut config = quiet();
    (config.risk.maker_fee_bps, config.risk.taker_fee_bps) = (-1, 7);
    let mut desk = Desk::with(&config);
    let (alice, bob, carol) = (desk.alice(), desk.bob(), desk.carol());
    let (first, second) = (desk.cross.first.clone(), desk.cross.second.clone());
    desk.traded(&second, [&alice, &carol], at(3_000, START), BOTH);
    for (parties, agreed, legs, ticks) in [
        (
            [&alice, &bob],
            terms(9_000, 201_000, 0, 300 * USD),
            TAKER,
            START,
        ),
        (
            [&bob, &alice],
            terms(4_000, START, 300 * USD, 0),
            TAKER.map(|leg| !leg),
            201_000,
        ),
        ([&carol, &alice], at(7_000, 202_000), BOTH, 202_000),
        ([&alice, &carol], at(7_000, 201_000), BOTH, 201_500),
    ] {
        desk.sandbox().set_price(&first, ticks);
        let foreseen = desk
            .foreseen(parties, agreed, legs, ticks)
            .expect("a trade");
        let (event, told) = desk.traded(&first, parties, agreed, legs);
        let BlockPreview { done, taker, maker } = &foreseen;
        assert_eq!(done.open_interest_lots, event.open_interest_after);
        assert_eq!(
            (done.taker.fee().get(), done.maker.fee().get()),
            (event.taker_fee, event.maker_fee)
        );
        for (stood, outcome, trader) in [
            (taker, &done.taker, event.taker),
            (maker, &done.maker, event.maker),
        ] {
            match outcome {
                BlockOutcome::Leg(..) => {
                    let leg = told.iter().find(|leg| leg.trader == trader);
                    stands(stood.as_ref(), outcome, leg.expect("a leg"));
                }
                BlockOutcome::Isolated(party) => {
                    assert!(stood.is_none());
                    let told = event.isolated.iter().find(|one| one.trader == trader);
                    let told = told.expect("a party");
                    assert_eq!(
                        (
                            party.position.margin.get(),
                            party.free.get(),
                            party.fee.get()
                        ),
                        (told.margin_after, told.free_after, told.fee)
                    );
                }
            }
        }
    }
    desk.sandbox().set_price(&first, START);
    let more = desk.foreseen([&alice, &bob], at(100_000, START), TAKER, START);
    let above = BallastError::InsufficientCollateral;
    assert_eq!(more.map(|_| ()), Err(BallastError::BelowInitialMargin));
    let more = desk.foreseen([&alice, &carol], at(100_000, START), BOTH, START);
    assert_eq!(more.map(|_| ()), Err(BallastError::CrossBelowInitial));
    let poor = terms(100, START, 0, 200_000 * USD);
    let more = desk.foreseen([&alice, &bob], poor, TAKER, START);
    assert_eq!(more.map(|_| ()), Err(above));
}

#[test]
pub fn a_profit_that_does_not_count_pays_nobody_of_ones_own() {
    let mut desk = Desk::new();
    let (alice, bob, carol) = (desk.alice(), desk.bob(), desk.carol());
    let (first, second) = (desk.cross.first.clone(), desk.cross.second.clone());
    let agreed = terms(25_000, START, 0, 3_000 * USD);
    desk.traded(&first, [&alice, &bob], agreed, TAKER);
    let agreed = terms(20_000, START, 0, 3_000 * USD);
    desk.traded(&second, [&alice, &bob], agreed, TAKER);
    // The first market is pumped, by her: $1,250 of profit on paper. 5% below the mark of the second she would sell
    // to accounts of her own, a leg of carol's or isolated, what others would have to make good.
    desk.cross.prices(250_000, START);
    let queues = desk.cross.queues();
    let below = BallastError::CrossBelowInitial;
    let dave = desk.dave.clone();
    for (friend, legs) in [(&carol, MAKER), (&dave, TAKER)] {
        for buys in [false, true] {
            let (sandbox, queues) = (&mut desk.cross.venue.sandbox, &queues);
            let margin = 600 * USD;
            let (parties, agreed, legs) = match buys {
                true => (
                    [friend, &alice],
                    terms(9_000, 190_500, margin, 0),
                    [legs[1], true],
                ),
                false => ([&alice, friend], terms(-9_000, 190_500, 0, margin), legs),
            };
            refused(sandbox, below, |s| {
                s.block_trade_cross(&second, parties, agreed, legs, queues)
            });
        }
    }
    // At a liquidation's discount she may, and is no less healthy.
    let (_, legs) = desk.traded(&second, [&alice, &carol], at(-9_000, 199_000), MAKER);
    assert_eq!(legs[0].realized, -dollars(9));
    // Nor does her profit open anything.
    refused(&mut desk.cross.venue.sandbox, below, |s| {
        s.block_trade_cross(
            &first,
            [&alice, &carol],
            at(10_000, 250_000),
            MAKER,
            &queues,
        )
    });
    desk.cross.sound();
}

#[test]
pub fn reduce_only_orders_of_an_isolated_party_are_cut_to_what_is_left() {
    let mut desk = Desk::new();
    let (alice, bob) = (desk.alice(), desk.bob());
    let first = desk.cross.first.clone();
    let agreed = terms(-8_000, START, 0, 500 * USD);
    desk.traded(&first, [&alice, &bob], agreed, TAKER);
    let order = ballast_state::order_args::PlaceOrderArgs {
        reduce_only: true,
        ..ask(201_000, 8_000)
    };
    done(desk.sandbox().place_order(&first, &bob, order, &[]));
    let closed = done(desk.trade([&bob, &alice], at(-5_000, START), [false; 2]));
    let cut = among!(closed, OrdersCancelled);
    assert_eq!((cut.trader, cut.orders[0].lots), (bob.address, 5_000));
    desk.cross.sound();
}
