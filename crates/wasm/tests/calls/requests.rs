//! A request of every call.

use ballast_client::addresses;
use ballast_engine::pool::PoolParams;
use ballast_state::book_account::OrderSide;
use ballast_state::cross::EnableCrossArgs;
use ballast_state::events::{AutoDeleveraged, BallastEvent, Event, EVENT_TAG};
use ballast_state::order_args::{OrderKind, PlaceOrderArgs, SelfTrade};
use ballast_wasm::request::{
    AccountOf, AlertsOf, Counterparties, Explain, GapOf, JoinPoolOf, JoinStakesOf, LegOrderOf,
    LiquidationOf, MakersOf, MarketOf, OrderOf, PoolOf, Positions, QueueOf, Raised, StakeOf,
    StandingOf, TransferOf,
};
use ballast_wasm::{answer_of, Call, BACKSTOP, TRADING};
use borsh::BorshSerialize;

use crate::stage::{Stage, USD};

fn bytes(request: &impl BorshSerialize) -> Vec<u8> {
    borsh::to_vec(request).expect("bytes")
}

/// The calls of all modules.
pub fn calls() -> impl Iterator<Item = &'static (&'static str, Call)> {
    TRADING.iter().chain(&BACKSTOP)
}

/// The answer of the module that has a call.
pub fn answer(name: &str, bytes: &[u8]) -> String {
    match BACKSTOP.iter().any(|(known, _)| *known == name) {
        true => answer_of(&BACKSTOP, name, bytes),
        false => answer_of(&TRADING, name, bytes),
    }
}

/// A request of every call that has an answer.
pub struct All {
    pub positions: Positions,
    pub standing: StandingOf,
    pub queue: QueueOf,
    pub gap: GapOf,
    pub counterparties: Counterparties,
    pub makers: MakersOf,
    pub order: OrderOf,
    pub liquidation: LiquidationOf,
    pub transfer: TransferOf,
    pub explain: Explain,
    pub pool: PoolOf,
    pub stake: StakeOf,
    pub join_pool: JoinPoolOf,
    pub join_stakes: JoinStakesOf,
    pub account: AccountOf,
    pub leg_order: LegOrderOf,
    pub market: MarketOf,
    pub alerts: AlertsOf,
}

impl All {
    /// The calls in their order.
    pub fn bytes(&self) -> Vec<(&'static str, Vec<u8>)> {
        vec![
            ("positions", bytes(&self.positions)),
            ("standing", bytes(&self.standing)),
            ("queue", bytes(&self.queue)),
            ("makers", bytes(&self.makers)),
            ("order", bytes(&self.order)),
            ("market", bytes(&self.market)),
            ("alerts", bytes(&self.alerts)),
            ("transfer", bytes(&self.transfer)),
            ("gap", bytes(&self.gap)),
            ("liquidation", bytes(&self.liquidation)),
            ("counterparties", bytes(&self.counterparties)),
            ("explain", bytes(&self.explain)),
            ("pool", bytes(&self.pool)),
            ("stake", bytes(&self.stake)),
            ("join_pool", bytes(&self.join_pool)),
            ("join_stakes", bytes(&self.join_stakes)),
            ("account", bytes(&self.account)),
            ("leg_order", bytes(&self.leg_order)),
        ]
    }
}

/// An order that buys 0.4 SOL at most, 0.3 of which somebody sells.
pub const BUYS: PlaceOrderArgs = PlaceOrderArgs {
    side: OrderSide::Bid,
    kind: OrderKind::Limit,
    price_ticks: 192_000,
    lots: 400,
    margin: 0,
    client_id: 0,
    expires_at: 0,
    reduce_only: false,
    self_trade: SelfTrade::CancelProvide,
};

/// Requests on the crash, on a market in which one position is in trouble, and on funds.
pub fn all() -> All {
    let (stage, long, shorts) = Stage::crash();
    let market = stage.market();
    let long = stage.trader_account(&long);
    let short = stage.trader_account(&shorts[2]);
    let maker = stage.trader_account(&shorts[4]);
    let mut calm = Stage::new();
    let (one, other) = (calm.trader(), calm.trader());
    calm.trade((&one, 60), (&other, 800), 2_000);
    calm.sandbox.set_price(&calm.sol, 173_000);
    let (pool, stake) = funds();
    let positions = Positions {
        trader: short.clone(),
        decimals: 6,
        markets: vec![market.clone()],
    };
    let order = OrderOf {
        market: market.clone(),
        trader: short.clone(),
        makers: vec![maker.clone()],
        order: BUYS,
    };
    let shared = shared();
    All {
        standing: StandingOf {
            market: market.clone(),
            trader: short.clone(),
        },
        queue: QueueOf {
            market: market.clone(),
            top: 3,
        },
        gap: GapOf {
            market: market.clone(),
            percent: vec![5, 20],
        },
        counterparties: Counterparties {
            market: market.clone(),
            bankrupt: long,
            most: 8,
            spares: 2,
        },
        makers: MakersOf {
            market: market.clone(),
            trader: short.clone(),
            order: BUYS,
            spares: 2,
        },
        order: order.clone(),
        liquidation: LiquidationOf {
            market: calm.market(),
            victim: calm.trader_account(&one),
            take_over: 2_000,
            spares: 1,
        },
        transfer: TransferOf {
            trader: short,
            decimals: 6,
            atoms: -1_500_000,
        },
        explain: explained(),
        join_pool: JoinPoolOf {
            of: pool.clone(),
            atoms: 250 * USD,
        },
        join_stakes: JoinStakesOf {
            market: pool.market.clone(),
            stakes: stake.stakes.clone(),
            share: Some(stake.share.clone()),
            atoms: 120 * USD,
        },
        leg_order: LegOrderOf {
            order,
            board: shared.board.clone(),
        },
        account: shared,
        market: MarketOf {
            market: pool.market.clone(),
        },
        alerts: AlertsOf {
            of: positions.clone(),
            light_at: 1,
            ratio_below_bps: 100_000_000,
            funding_above_ppm: Some(0),
            raised: vec![Raised {
                market_index: 7,
                market: "GONE".to_owned(),
                kind: "light".to_owned(),
                looks: 1,
            }],
        },
        positions,
        pool,
        stake,
    }
}

/// An account with a leg that has lost, and $25 more in its pool.
pub fn shared() -> AccountOf {
    let mut stage = Stage::new();
    let (one, other) = (stage.trader(), stage.trader());
    stage.trade((&one, 300), (&other, 800), 10_000);
    let (sandbox, sol) = (&mut stage.sandbox, &stage.sol);
    sandbox.create_board().expect("a board");
    let queues = sandbox.create_cross_queues(16).expect("queues");
    let args = EnableCrossArgs {
        most_lots: 1_000_000,
        draw_cap_bps: 2_500,
        max_age_slots: 50,
    };
    let enabled = sandbox.enable_cross(sol, &queues, args);
    enabled.expect("cross margin");
    let joined = sandbox.to_cross(sol, &one, &queues.both());
    joined.expect("a leg");
    let more = 25 * USD.cast_signed();
    let moved = sandbox.move_cross(&one, more, &queues.both());
    moved.expect("collateral");
    sandbox.advance_slots(5);
    sandbox.set_price(sol, 196_000);
    sandbox.record_marks(&[sol]).expect("a mark");
    let market = stage.market();
    AccountOf {
        trader: stage.trader_account(&one),
        decimals: 6,
        slot: market.slot,
        board: stage.data(&addresses::board()),
        markets: vec![(market.address, market.market)],
    }
}

/// A round of the program.
pub fn explained() -> Explain {
    let (mut stage, long, _) = Stage::crash();
    let keeper = stage.trader();
    let listed = stage.shorts_in_order();
    let market = stage.market().market;
    let (sandbox, sol) = (&mut stage.sandbox, &stage.sol);
    let sent = sandbox.auto_deleverage(sol, &long.address, &keeper, &listed);
    let sent = sent.expect("a round");
    let event = sent.events.iter().find_map(|event| match event {
        BallastEvent::AutoDeleveraged(event) => Some(event.as_ref()),
        _ => None,
    });
    let fields = bytes(event.expect("an event"));
    Explain {
        market,
        event: [&EVENT_TAG[..], &AutoDeleveraged::DISCRIMINATOR, &fields].concat(),
        cross: None,
        slot: 500_000_000,
        signature: "5SiGnatuRe".to_owned(),
    }
}

/// A pool and stakes, each with a request of somebody's.
fn funds() -> (PoolOf, StakeOf) {
    funds_of(&mut Stage::new())
}

/// The same of a market that goes on.
pub fn funds_of(stage: &mut Stage) -> (PoolOf, StakeOf) {
    let (sandbox, sol) = (&mut stage.sandbox, &stage.sol);
    let params = PoolParams::for_market(&sol.config.risk);
    sandbox.create_pool(sol, params).expect("a pool");
    let depositor = sandbox.depositor(sol, 500 * USD);
    let asked = sandbox.request_pool(sol, &depositor, 1_000_000);
    asked.expect("a request");
    sandbox.open_stakes(sol).expect("stakes");
    let staker = sandbox.staker(sol, 300 * USD);
    let asked = sandbox.request_unstake(sol, &staker, 1_000_000);
    asked.expect("a request");
    let share = |fund, wallet: &ballast_sandbox::Wallet| {
        stage.data(&addresses::share(fund, &wallet.address()))
    };
    let stakes = addresses::stakes(&stage.sol.keys.market);
    let market = stage.market();
    let stake = StakeOf {
        slot: market.slot,
        decimals: 6,
        market: market.market.clone(),
        stakes: stage.data(&stakes),
        share: share(&stakes, &staker),
    };
    let pool = PoolOf {
        pool: stage.data(&stage.sol.pool()),
        trader: stage.account(&stage.sol.pool_trader()),
        share: Some(share(&stage.sol.pool(), &depositor)),
        market,
    };
    (pool, stake)
}
