//! What the commands print, on accounts that the built program wrote.

use anchor_lang::prelude::Pubkey;
use ballast_engine::units::Side;
use ballast_sandbox::{
    BlockTrade, MarketConfig, MarketCookie, Options, Sandbox, TraderCookie, TxOutcome,
};
use ballast_state::book_account::OrderSide;
use ballast_state::events::BallastEvent;
use ballast_state::instructions::OrderRef;
use ballast_state::instructions::PlaceTriggerArgs;
use ballast_state::market::Market;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs, SelfTrade};
use ballast_state::trigger::TriggerKind;
use serde_json::{json, Value};

use super::fees::FeesView;
use super::insurance::{self, InsuranceView};
use super::market::{MarketDetail, MarketView};
use super::orders::list::orders_of;
use super::pauses::paused;
use super::state::{read, wanted, MarketState, Parts};
use super::units::Collateral;
use super::words::{self, Names};
use ballast_view::positions::{Holdings, PositionView};
use ballast_view::queue::QueueView;

const USD: u64 = 1_000_000;
const COLLATERAL: Collateral = Collateral { decimals: 6 };

mod funds;
mod gaps;
mod staged;
mod told;
mod wind_down;

/// A market at $200 with its first traders.
struct Stage {
    sandbox: Sandbox,
    sol: MarketCookie,
}

impl Stage {
    fn new() -> Self {
        let mut config = MarketConfig::sol();
        config.risk.min_order_atoms = 1;
        let (sandbox, sol) = Sandbox::with_market(&Options::default(), &config).expect("a sandbox");
        Self { sandbox, sol }
    }

    fn trader(&mut self) -> TraderCookie {
        self.sandbox.create_trader(10_000 * USD).expect("a trader")
    }

    /// `lots` at $200 from one to the other, with margins in dollars.
    fn trade(&mut self, long: (&TraderCookie, u64), short: (&TraderCookie, u64), lots: i64) {
        let terms = BlockTrade {
            lots,
            price_ticks: 200_000,
            taker_margin: long.1 * USD,
            maker_margin: short.1 * USD,
        };
        let (long, short) = (long.0, short.0);
        let traded = self.sandbox.block_trade(&self.sol, long, short, terms);
        traded.expect("a trade");
    }

    /// The market's accounts as a node would give them.
    fn state(&self) -> MarketState {
        let (market, keys) = (self.sandbox.market(&self.sol), self.sol.keys);
        let wanted = wanted(&keys.market, &market, &[keys.price], Parts::Queues);
        let found: Vec<_> = wanted.iter().map(|key| self.sandbox.account(key)).collect();
        let slot = self.sandbox.slot();
        read(&wanted, slot, &found, 6, Parts::Queues).expect("a market")
    }

    fn view(&self, trader: &TraderCookie) -> PositionView {
        let slot = self.sandbox.position(&self.sol, &trader.address);
        PositionView::new(&slot.expect("a position"), &self.state()).expect("a view")
    }

    /// Whether the program flags the position as below maintenance at a price.
    fn is_liquidable(&self, trader: &TraderCookie, ticks: u64) -> bool {
        let mut fork = self.sandbox.fork();
        fork.set_price(&self.sol, ticks);
        let flagged = fork.flag_bankruptcy(&self.sol, &trader.address);
        flagged.is_ok_and(|outcome| {
            outcome.events.iter().any(|event| match event {
                BallastEvent::PositionFlagged(event) => event.flagged_slot > 0,
                _ => false,
            })
        })
    }
}

fn json_of(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("JSON")
}

fn order(side: OrderSide, lots: u64, price_ticks: u64, client_id: u64) -> PlaceOrderArgs {
    PlaceOrderArgs {
        side,
        kind: OrderKind::Limit,
        price_ticks,
        lots,
        margin: 0,
        client_id,
        expires_at: 0,
        reduce_only: false,
        self_trade: SelfTrade::CancelProvide,
    }
}

#[test]
fn a_position_is_shown_as_the_program_will_treat_it() {
    let mut stage = Stage::new();
    let (ann, ben) = (stage.trader(), stage.trader());
    stage.trade((&ann, 200), (&ben, 1_000), 10_000);
    stage.sandbox.set_price(&stage.sol, 195_000);
    let view = json_of(&stage.view(&ann));
    // 10 SOL at $195: $200 of margin less $50; maintenance 2.5 % of $1,950.
    assert_eq!(view["equity_atoms"], 150 * USD);
    assert_eq!(view["pnl_atoms"], json!(-50_000_000));
    assert_eq!(view["maintenance_atoms"], 48_750_000);
    assert_eq!(view["margin_ratio_bps"], 30_769);
    assert_eq!(view["health"], "healthy");
    assert_eq!(view["bankruptcy_price"], "180");
    let words = stage.view(&ann).words(stage.state().units);
    for part in [
        "long 10.000",
        "equity            150.00",
        "307.69 %",
        "180.000",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
    for trader in [&ann, &ben] {
        let view = json_of(&stage.view(trader));
        let ticks = view["liquidation_ticks"].as_u64().expect("a price");
        let safer = if view["side"] == "long" {
            ticks + 1
        } else {
            ticks - 1
        };
        assert!(stage.is_liquidable(trader, ticks), "{view}");
        assert!(!stage.is_liquidable(trader, safer), "{view}");
    }
}

#[test]
fn funding_owed_is_what_the_program_will_take() {
    let mut stage = Stage::new();
    let (ann, ben) = (stage.trader(), stage.trader());
    stage.trade((&ann, 200), (&ben, 1_000), 10_000);
    stage.sandbox.advance_seconds(36_000);
    stage.sandbox.set_price(&stage.sol, 200_000);
    let owed = json_of(&stage.view(&ann))["funding_owed_atoms"].clone();
    assert!(owed.as_i64() > Some(0), "{owed}");
    let before = stage
        .sandbox
        .position(&stage.sol, &ann.address)
        .expect("a position")
        .margin;
    stage.sandbox.accrue_funding(&stage.sol).expect("accrued");
    stage
        .sandbox
        .add_margin(&stage.sol, &ann, USD)
        .expect("settled");
    let after = stage
        .sandbox
        .position(&stage.sol, &ann.address)
        .expect("a position")
        .margin;
    let taken = before + 1_000_000 - after;
    let left = json_of(&stage.view(&ann))["funding_owed_atoms"]
        .as_i64()
        .expect("a number");
    assert_eq!(Some(taken + left), owed.as_i64());
}

#[test]
fn a_trader_account_adds_up() {
    let mut stage = Stage::new();
    let (ann, ben) = (stage.trader(), stage.trader());
    stage.trade((&ann, 200), (&ben, 1_000), 10_000);
    let placed = stage.sandbox.place_order(
        &stage.sol,
        &ben,
        order(OrderSide::Bid, 500, 190_000, 0),
        &[],
    );
    placed.expect("an order");
    let states = [stage.state()];
    let trader = stage.sandbox.trader(&ben.address);
    let holdings = Holdings::new(&ben.address, &trader, &states, COLLATERAL).expect("holdings");
    // Nothing was lost but the fee of the trade.
    let paid = stage.sandbox.market(&stage.sol);
    let fees = paid.fees_atoms + paid.insurance.balance;
    let view = json_of(&holdings);
    let ann = stage.sandbox.trader(&ann.address);
    let others = Holdings::new(&ann.owner, &ann, &states, COLLATERAL).expect("holdings");
    let sum = json_of(&others)["total_atoms"].as_u64().expect("atoms")
        + view["total_atoms"].as_u64().expect("atoms");
    assert_eq!(sum + fees, 20_000 * USD);
    assert_eq!(view["positions"][0]["orders"], 1);
    let words = holdings.words(&states, COLLATERAL);
    assert!(words.contains("1 order, which reserve"), "{words}");
}

#[test]
fn the_queue_is_in_the_order_of_the_cuts_and_says_when_a_trader_is_first() {
    let mut stage = Stage::new();
    let long = stage.trader();
    let margins = [60, 100, 200, 400, 800];
    let shorts: Vec<TraderCookie> = margins.iter().map(|_| stage.trader()).collect();
    for (short, margin) in shorts.iter().zip(margins) {
        stage.trade((&long, 200), (short, margin + 100), 1_000);
    }
    stage.sandbox.set_price(&stage.sol, 190_000);
    let view = |stage: &Stage, trader: Option<&Pubkey>| {
        let state = stage.state();
        let view = QueueView::new(&state, &[Side::Short], 3, trader).expect("a queue");
        (json_of(&view), view.words(&state))
    };
    let (json, words) = view(&stage, Some(&shorts[2].address));
    let side = &json["sides"][0];
    assert_eq!(side["positions"], 5);
    let places = side["places"].as_array().expect("places");
    let traders: Vec<&Value> = places.iter().map(|place| &place["trader"]).collect();
    let expected: Vec<String> = shorts[..3]
        .iter()
        .map(|one| one.address.to_string())
        .collect();
    assert_eq!(traders, expected.iter().collect::<Vec<_>>());
    let lights: Vec<&Value> = places.iter().map(|place| &place["light"]).collect();
    assert_eq!(lights, [5, 4, 3]);
    let own = &side["trader"];
    assert_eq!(
        (&own["rank"], &own["lots_ahead"]),
        (&json!(3), &json!(2_000))
    );
    assert_eq!(own["notional_ahead_atoms"], 380 * USD);
    assert!(words.contains("●●●○○"), "{words}");

    let first = own["first_in_line_ticks"].as_u64().expect("a price");
    assert!(
        words.contains("It would be the first in line at"),
        "{words}"
    );
    stage.sandbox.set_price(&stage.sol, first);
    let (json, _) = view(&stage, Some(&shorts[2].address));
    assert_eq!(json["sides"][0]["trader"]["rank"], 1);
    stage.sandbox.set_price(&stage.sol, 190_000);
    let (json, words) = view(&stage, Some(&shorts[0].address));
    assert_eq!(json["sides"][0]["trader"]["rank"], 1);
    assert!(words.contains("first in line now"), "{words}");
}

#[test]
fn a_market_is_shown_with_its_book_price_and_pauses() {
    let mut stage = Stage::new();
    let ann = stage.trader();
    for (side, lots, ticks) in [
        (OrderSide::Bid, 300, 199_000),
        (OrderSide::Bid, 200, 199_000),
        (OrderSide::Bid, 900, 198_000),
        (OrderSide::Ask, 50, 201_500),
    ] {
        let placed = stage
            .sandbox
            .place_order(&stage.sol, &ann, order(side, lots, ticks, 0), &[]);
        placed.expect("an order");
    }
    stage.sandbox.advance_seconds(10);
    let state = stage.state();
    let view = json_of(&MarketView::new(&state).expect("a view"));
    assert_eq!(view["name"], "SOL-PERP");
    assert_eq!(
        (&view["price"], &view["price_age_seconds"]),
        (&json!("200"), &json!(10))
    );
    assert_eq!(
        view["best_bid"],
        json!({"ticks": 199_000, "price": "199", "lots": 500, "size": "0.5"})
    );
    assert_eq!(view["best_ask"]["price"], "201.5");
    assert_eq!(view["funding_current_ppm"], 12);
    assert_eq!(view["price_fault"], Value::Null);
    let detail = MarketDetail::new(&state).expect("a view");
    let words = detail.words(&state);
    for part in [
        "200.000, 10 s old",
        "+0.0012 % this hour",
        "199 x 0.5",
        "3 bids, 1 asks",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
    assert!(!words.contains("initial margin"), "{words}");
    let mut scaled = stage.state();
    let risk = &mut scaled.market.risk;
    risk.margin_multiplier_max_bps = 30_000;
    (risk.open_interest_lower_bps, risk.open_interest_upper_bps) = (5_000, 15_000);
    let words = MarketDetail::new(&scaled).expect("a view").words(&scaled);
    for part in [
        "initial margin is 100.00 % of that now, at most 300.00 %",
        "rises from 50.00 % of the largest open interest, to the whole notional at 150.00 %",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
    stage.sandbox.advance_seconds(3_600);
    let view = json_of(&MarketView::new(&stage.state()).expect("a view"));
    assert_eq!(view["price_fault"], "stale");
    assert_eq!(paused(0b10_0101), ["deposit", "open", "liquidate"]);
}

#[test]
fn without_a_price_account_the_last_price_stands_in_and_says_so() {
    let mut stage = Stage::new();
    let (ann, ben) = (stage.trader(), stage.trader());
    stage.trade((&ann, 200), (&ben, 1_000), 10_000);
    stage.sol.keys.price = Pubkey::new_from_array([9; 32]);
    let state = stage.state();
    let view = json_of(&MarketView::new(&state).expect("a view"));
    assert_eq!(
        (&view["price_source"], &view["price"]),
        (&json!("last_recorded"), &json!("200"))
    );
    assert_eq!(
        (&view["price_fault"], &view["price_age_seconds"]),
        (&json!("unreadable"), &Value::Null)
    );
    assert!(state
        .price_problem()
        .expect("a problem")
        .contains("does not exist"));
}

#[test]
fn insurance_shows_ledger_vault_and_what_it_may_pay() {
    let mut stage = Stage::new();
    let mut risk = stage.sol.config.risk;
    risk.insurance_draw_cap_bps = 2_500;
    stage
        .sandbox
        .set_market_risk(&stage.sol, risk)
        .expect("risk");
    let donor = stage.sandbox.create_wallet(80 * USD).expect("a wallet");
    stage
        .sandbox
        .donate_insurance(&stage.sol, &donor, 80 * USD)
        .expect("given");
    let states = [stage.state()];
    let vault = stage.sandbox.token_balance(&stage.sol.insurance_vault);
    let view = InsuranceView::new(&states[0], vault).expect("a view");
    let json = json_of(&view);
    assert_eq!(
        (&json["ledger"], &json["vault_atoms"]),
        (&json!("80"), &json!(80 * USD))
    );
    assert_eq!(
        (&json["available"], &json["unswept_atoms"]),
        (&json!("20"), &json!(0))
    );
    let short = InsuranceView::new(&states[0], vault - 1).expect("a view");
    let words = insurance::table(&[view], &states);
    assert!(
        words.contains("25.00 %") && !words.contains("sweep"),
        "{words}"
    );
    assert!(insurance::table(&[short], &states).contains("sweep --market SOL-PERP"));
    // What somebody sent straight to the vault.
    let sent = InsuranceView::new(&states[0], vault + 7).expect("a view");
    let json = json_of(&sent);
    assert_eq!(
        (&json["stray_atoms"], &json["unswept_atoms"]),
        (&json!(7), &json!(0))
    );
    assert!(insurance::table(&[sent], &states).contains("sweep --market SOL-PERP"));
}

#[test]
fn fees_say_what_is_collected_reserved_and_due() {
    let mut market = *Stage::new().state().market;
    (market.fees_atoms, market.fees_paid_at) = (1_000 * USD, 5);
    let view = |market: &Market, now| FeesView::new(market, now).expect("a view");
    let due = view(&market, 86_405);
    let words = "SOL-PERP: 1,000.00 collected, reserve 100.00, 250.00 may go now";
    assert_eq!(due.words(COLLATERAL), words);
    let json = json_of(&view(&market, 86_404));
    assert_eq!(
        (&json["paid_at"], &json["due_atoms"], &json["reserve_atoms"]),
        (&json!(5), &json!(0), &json!(100 * USD))
    );
    market.fees_paid_at = 0;
    assert_eq!(json_of(&view(&market, 0))["paid_at"], Value::Null);
}

/// Sentences and JSON of what a transaction did.
fn told(outcome: &TxOutcome, state: &MarketState) -> (String, Value) {
    let names = Names {
        collateral: COLLATERAL,
        market: Some(("SOL-PERP", state.units)),
    };
    let event = outcome.events.first().expect("an event");
    (names.sentence(event), words::json(event))
}

#[test]
fn orders_are_told_in_words_and_listed() {
    let mut stage = Stage::new();
    let (ann, ben) = (stage.trader(), stage.trader());
    let state = stage.state();
    let sol = stage.sol.clone();
    let resting =
        stage
            .sandbox
            .place_order(&sol, &ann, order(OrderSide::Ask, 1_000, 201_000, 7), &[]);
    let (words, json) = told(&resting.expect("an order"), &state);
    assert!(
        words.starts_with("Sell 1.000: 1.000 wait at 201.000 as order 1, which reserves"),
        "{words}"
    );
    assert_eq!(
        (&json["event"], &json["resting_lots"]),
        (&json!("OrderPlaced"), &json!(1_000))
    );
    let own = stage.sandbox.position(&sol, &ann.address).expect("orders");
    let listed = orders_of(&own, &stage.state()).expect("a list");
    assert_eq!(
        listed
            .iter()
            .map(|one| (one.order_id, one.client_id))
            .collect::<Vec<_>>(),
        [(1, 7)]
    );
    assert_eq!(json_of(&listed[0])["side"], "sell");
    assert_eq!(json_of(&listed[0])["client_id"], "7");

    let taken = PlaceOrderArgs {
        kind: OrderKind::ImmediateOrCancel,
        ..order(OrderSide::Bid, 1_400, 201_000, 0)
    };
    let taken = stage.sandbox.place_order(&sol, &ben, taken, &[ann.address]);
    let (words, json) = told(&taken.expect("a fill"), &state);
    assert!(
        words.contains("1.000 filled at 201.000 on average; 0.400 dropped"),
        "{words}"
    );
    assert_eq!(json["fills"][0]["price_ticks"], 201_000);
    assert_eq!(json["position_lots_after"], 1_000);

    let stop = PlaceTriggerArgs {
        kind: TriggerKind::StopLoss,
        price_ticks: 190_000,
        worst_ticks: 0,
        lots: 400,
    };
    let placed = stage
        .sandbox
        .place_trigger(&sol, &ben, stop)
        .expect("a trigger");
    let (words, _) = told(&placed, &state);
    assert_eq!(
        words,
        "Stop-loss set: 0.400 close when the price reaches 190.000."
    );
    assert_eq!(json_of(&stage.view(&ben))["stop_loss"]["price"], "190");

    let again = stage
        .sandbox
        .place_order(&sol, &ann, order(OrderSide::Ask, 500, 202_000, 8), &[]);
    again.expect("an order");
    let gone = stage
        .sandbox
        .cancel_order(&sol, &ann, OrderRef::ClientId(8))
        .expect("cancelled");
    let (words, json) = told(&gone, &state);
    assert!(words.starts_with("1 order cancelled (2)"), "{words}");
    assert_eq!(json["orders"][0]["client_id"], "8");
}

#[test]
fn money_is_told_in_words() {
    let mut stage = Stage::new();
    let ann = stage.trader();
    let state = stage.state();
    let out = stage.sandbox.withdraw(&ann, 1_500_001).expect("withdrawn");
    let (words, json) = told(&out, &state);
    assert!(words.starts_with("1.500001 withdrawn to "), "{words}");
    assert!(
        words.ends_with("free collateral is 9,998.499999."),
        "{words}"
    );
    assert_eq!(json["amount_atoms"], 1_500_001);
}
