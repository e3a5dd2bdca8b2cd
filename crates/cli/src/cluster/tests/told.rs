//! What traders are told: history, announcements, refusals, the book, prices that are old.

use ballast_rpc::history::{Mention, Past};
use ballast_state::cross::EnableCrossArgs;
use ballast_state::error::BallastError;
use solana_signature::Signature;

use super::*;
use crate::cluster::history::{entries, Entry, Kind, Naming};
use crate::cluster::orders::announce::{Announced, Foreseen};
use crate::cluster::refusal::Asked;
use ballast_client::makers::TakerView;
use ballast_engine::position::Position;
use ballast_view::book::BookView;

impl Stage {
    /// What events mean to a trader account, as `ballast history` reads them from the chain.
    fn history(&self, trader: &TraderCookie, outcomes: &[&TxOutcome]) -> Vec<Entry> {
        self.history_of(trader.address, outcomes)
    }

    /// The same, by its address.
    pub(super) fn history_of(&self, trader: Pubkey, outcomes: &[&TxOutcome]) -> Vec<Entry> {
        let markets = [(self.sol.keys.market, self.sandbox.market(&self.sol))];
        let naming = Naming::new(COLLATERAL, &markets);
        entries(&past(outcomes), trader, &naming)
    }

    fn block(&mut self, long: &TraderCookie, short: &TraderCookie, terms: BlockTrade) -> TxOutcome {
        self.sandbox
            .block_trade(&self.sol, long, short, terms)
            .expect("a trade")
    }

    /// An order against the book, as it would be announced.
    fn announced(&self, trader: &TraderCookie, args: &PlaceOrderArgs) -> (Foreseen, String) {
        let state = self.state();
        let stored = self.sandbox.position(&self.sol, &trader.address);
        let position = stored.map_or(Position::default(), |slot| {
            slot.position().expect("a position")
        });
        let taker = TakerView {
            market: &state.market,
            price: *state.price.as_ref().expect("a price"),
            now: state.now,
            trader: trader.address,
            position,
        };
        let makers = self.sandbox.trader_addresses().to_vec();
        let foreseen = Foreseen::new(&state, &taker, args, &makers).expect("foreseen");
        let announced = Announced {
            args,
            foreseen: &foreseen,
            state: &state,
            trader: &trader.address,
            replaced: None,
            cut: None,
        };
        (foreseen, announced.purpose())
    }
}

/// Transactions as a node has them.
pub(super) fn past(outcomes: &[&TxOutcome]) -> Vec<(Mention, Past)> {
    let one = |outcome: &&TxOutcome| {
        let mention = Mention {
            signature: Signature::default(),
            slot: 5,
            block_time: Some(1_760_000_000),
            failed: false,
        };
        let past = Past {
            slot: 5,
            payer: Pubkey::default(),
            block_time: None,
            failure: None,
            events: outcome.events.clone(),
            units: None,
        };
        (mention, past)
    };
    outcomes.iter().map(one).collect()
}

pub(super) fn kinds(entries: &[Entry]) -> Vec<Kind> {
    entries.iter().map(|entry| entry.kind).collect()
}

#[test]
fn a_history_has_fills_funding_and_transfers_with_their_figures() {
    let mut stage = Stage::new();
    let (ann, ben) = (stage.trader(), stage.trader());
    let opening = BlockTrade {
        lots: 10_000,
        price_ticks: 200_000,
        taker_margin: 200 * USD,
        maker_margin: 1_000 * USD,
    };
    let opened = stage.block(&ann, &ben, opening);
    stage.sandbox.advance_seconds(36_000);
    stage.sandbox.set_price(&stage.sol, 200_000);
    let closed = stage.block(
        &ann,
        &ben,
        BlockTrade {
            lots: -4_000,
            price_ticks: 201_000,
            taker_margin: 0,
            maker_margin: 0,
        },
    );
    let withdrawn = stage.sandbox.withdraw(&ann, 5 * USD).expect("withdrawn");
    let told = stage.history(&ann, &[&opened, &closed, &withdrawn]);
    assert_eq!(
        kinds(&told),
        [Kind::Fill, Kind::Funding, Kind::Fill, Kind::Transfer]
    );
    let first = json_of(&told[0]);
    assert_eq!(
        (&first["side"], &first["size"]),
        (&json!("buy"), &json!("10"))
    );
    assert_eq!(first["price"], "200.000");
    let paid = told[1].funding_atoms.expect("funding");
    assert!(paid > 0, "longs pay: {paid}");
    let second = json_of(&told[2]);
    assert_eq!(
        (&second["side"], &second["size"]),
        (&json!("sell"), &json!("4"))
    );
    assert_eq!(second["realized_atoms"], 4 * USD);
    assert!(
        told[2].text.contains("the position is long 6.000 now"),
        "{}",
        told[2].text
    );
    assert_eq!(told[3].amount_atoms, Some(-5_000_000));
    // What one pays, the other receives.
    let other = stage.history(&ben, &[&opened, &closed, &withdrawn]);
    assert_eq!(kinds(&other), [Kind::Fill, Kind::Funding, Kind::Fill]);
    assert_eq!(other[1].funding_atoms, Some(-paid));
}

#[test]
fn a_block_trade_of_a_leg_is_told_to_either_party() {
    let mut stage = Stage::new();
    let (ann, ben) = (stage.trader(), stage.trader());
    let (sandbox, sol) = (&mut stage.sandbox, &stage.sol);
    sandbox.create_board().expect("a board");
    let queues = sandbox.create_cross_queues(16).expect("two queues");
    let terms = EnableCrossArgs {
        most_lots: 1_000_000,
        draw_cap_bps: 2_500,
        max_age_slots: 50,
    };
    sandbox.enable_cross(sol, &queues, terms).expect("legs");
    let pool = i64::try_from(1_000 * USD).expect("atoms");
    sandbox.move_cross(&ann, pool, &[]).expect("a pool");
    let agreed = |lots, price_ticks, margin| BlockTrade {
        lots,
        price_ticks,
        taker_margin: 0,
        maker_margin: margin,
    };
    let (legs, both) = ([true, false], queues.both());
    let opening = agreed(10_000, 200_000, 1_000 * USD);
    let opened = sandbox.block_trade_cross(sol, [&ann, &ben], opening, legs, &both);
    let closing = agreed(-4_000, 201_000, 0);
    let closed = sandbox.block_trade_cross(sol, [&ann, &ben], closing, legs, &both);
    let outcomes = [&opened.expect("a trade"), &closed.expect("a trade")];

    let told = stage.history(&ann, &outcomes);
    assert_eq!(kinds(&told), [Kind::Fill; 4]);
    assert_eq!(
        told[0].text,
        "Block trade of a leg: bought 10.000 at 200.000."
    );
    assert_eq!(told[2].text, "Block trade of a leg: sold 4.000 at 201.000.");
    let fill = json_of(&told[2]);
    assert_eq!(
        (&fill["side"], &fill["size"], &fill["price"]),
        (&json!("sell"), &json!("4"), &json!("201.000"))
    );
    // What became of the leg is told beside it: 5 bps of $804 are the fee.
    let leg = json_of(&told[3]);
    assert_eq!(leg["realized_atoms"], 4 * USD);
    assert_eq!(leg["fee_atoms"], 402_000);
    // The other is isolated.
    let other = stage.history(&ben, &outcomes);
    assert_eq!(kinds(&other), [Kind::Fill; 2]);
    assert!(
        other[1].text.contains("the position is short 6.000 now"),
        "{}",
        other[1].text
    );
}

#[test]
fn a_cut_and_a_liquidation_are_told_to_those_they_befell() {
    let mut stage = Stage::new();
    let (ann, ben, cho) = (stage.trader(), stage.trader(), stage.trader());
    stage.trade((&ann, 100), (&ben, 1_000), 10_000);
    stage.sandbox.set_price(&stage.sol, 193_000);
    let liquidated = stage
        .sandbox
        .liquidate(&stage.sol, &ann.address, &cho, 500 * USD)
        .expect("liquidated");
    let told = stage.history(&ann, &[&liquidated]);
    assert_eq!(kinds(&told), [Kind::Liquidation]);
    assert!(told[0].lots.is_some_and(|lots| lots > 0));
    assert!(
        told[0]
            .text
            .starts_with("Liquidated at a mark of 193.000: sold"),
        "{}",
        told[0].text
    );
    let taken = stage.history(&cho, &[&liquidated]);
    assert_eq!(kinds(&taken), [Kind::Fill]);
    assert!(taken[0].text.starts_with("Took over"), "{}", taken[0].text);
    assert!(stage.history(&ben, &[&liquidated]).is_empty());
    for entry in told.iter().chain(&taken) {
        assert!(!entry.text.contains("atoms"), "{}", entry.text);
    }
}

#[test]
fn an_order_says_its_leverage_its_worst_price_and_where_it_would_be_liquidated() {
    let mut stage = Stage::new();
    let (ann, ben) = (stage.trader(), stage.trader());
    let ask = order(OrderSide::Ask, 1_000, 201_000, 0);
    let placed = stage.sandbox.place_order(&stage.sol, &ben, ask, &[]);
    placed.expect("an order");
    let market = PlaceOrderArgs {
        kind: OrderKind::Market,
        ..order(OrderSide::Bid, 2_000, 0, 0)
    };
    let (foreseen, purpose) = stage.announced(&ann, &market);
    assert_eq!((foreseen.fills, foreseen.opening), (1_000, 2_000));
    assert_eq!((foreseen.leverage, foreseen.is_least), (2_000, true));
    for part in [
        "Buy 2.000 SOL-PERP at the market, at worst 210.000, which is 5.00 % from the price of 200.000",
        "opens up to 2.000 with 20.00 of margin, a leverage of 20.00x, the highest that the market allows",
        "liquidation at about 19",
    ] {
        assert!(purpose.contains(part), "{part}: {purpose}");
    }
    let backed = PlaceOrderArgs {
        margin: 100 * USD,
        ..order(OrderSide::Bid, 2_000, 200_000, 0)
    };
    let (_, purpose) = stage.announced(&ann, &backed);
    assert!(purpose.contains("at 200.000 or better"), "{purpose}");
    assert!(
        purpose.contains("a leverage of 4.00x, liquidation"),
        "{purpose}"
    );
    stage.trade((&ann, 200), (&ben, 1_000), 4_000);
    let reducing = PlaceOrderArgs {
        reduce_only: true,
        ..order(OrderSide::Ask, 5_000, 195_000, 0)
    };
    let (foreseen, purpose) = stage.announced(&ann, &reducing);
    assert_eq!((foreseen.lots, foreseen.opening), (4_000, 0));
    assert!(
        purpose.starts_with("Sell 4.000") && purpose.contains("of the 5.000 asked for"),
        "{purpose}"
    );
}

#[test]
fn refusals_have_the_figures() {
    let mut stage = Stage::new();
    let ann = stage.trader();
    let state = stage.state();
    let trader = stage.sandbox.trader(&ann.address);
    let asked = Asked {
        signer: ann.address,
        address: ann.address,
        trader: &trader,
        state: &state,
    };
    let said = |error| asked.sentence(error).expect("a sentence");
    let band = said(BallastError::PriceOutsideBand);
    assert!(
        band.contains("between 190.000 and 210.000 now, 5.00 % around the price of 200.000"),
        "{band}"
    );
    let small = said(BallastError::OrderTooSmall);
    assert!(small.contains("at least 0.0"), "{small}");
    assert!(!said(BallastError::SizeOutOfRange).contains("2^32"));
    let foreign = said(BallastError::NotTraderAuthority);
    assert!(foreign.contains(&trader.owner.to_string()), "{foreign}");
    stage.sandbox.advance_seconds(40);
    let state = stage.state();
    let asked = Asked {
        state: &state,
        ..asked
    };
    let stale = asked
        .sentence(BallastError::PriceStale)
        .expect("a sentence");
    assert!(stale.contains("40 s old"), "{stale}");
}

#[test]
fn figures_that_a_price_decides_say_how_old_it_is() {
    let mut stage = Stage::new();
    let (ann, ben) = (stage.trader(), stage.trader());
    stage.trade((&ann, 200), (&ben, 1_000), 10_000);
    stage.sandbox.advance_seconds(32);
    let (view, state) = (stage.view(&ann), stage.state());
    assert_eq!(json_of(&view)["mark_age_seconds"], 32);
    let words = view.words(state.units);
    let fault = state.price_fault();
    assert!(words.contains("(32 s old"), "{words}");
    assert_eq!(
        words.contains("at a price 32 s old, stale)"),
        fault.is_some(),
        "{words}"
    );
    let queue = QueueView::new(&state, &[Side::Short], 3, None).expect("a queue");
    assert!(queue.words(&state).contains("32 s old"));
    stage.sandbox.advance_seconds(3 * 86_400);
    let state = stage.state();
    assert_eq!(state.price_words(), "3 days old, stale");
}

#[test]
fn a_wiped_out_position_does_not_take_the_rest_of_the_account() {
    let mut stage = Stage::new();
    let (ann, ben) = (stage.trader(), stage.trader());
    stage.trade((&ann, 100), (&ben, 1_000), 10_000);
    stage.sandbox.set_price(&stage.sol, 180_000);
    let states = [stage.state()];
    let trader = stage.sandbox.trader(&ann.address);
    let holdings = Holdings::new(&ann.address, &trader, &states, COLLATERAL).expect("holdings");
    let view = json_of(&holdings);
    assert!(view["positions"][0]["equity_atoms"].as_i64() < Some(0));
    assert_eq!(view["total_atoms"], trader.free);
    assert!(holdings
        .words(&states, COLLATERAL)
        .contains("if everything closed at the mark"));
}

#[test]
fn a_loser_alone_in_its_queue_has_no_light() {
    let mut stage = Stage::new();
    let (ann, ben) = (stage.trader(), stage.trader());
    stage.trade((&ann, 200), (&ben, 1_000), 10_000);
    stage.sandbox.set_price(&stage.sol, 198_000);
    let view = stage.view(&ann);
    assert_eq!(view.light, Some(0));
    assert_eq!(json_of(&view)["queue_class"], "other");
    let words = view.words(stage.state().units);
    assert!(
        words.contains("after every winner: it is none at the mark"),
        "{words}"
    );
    assert_eq!(stage.view(&ben).light, Some(5), "the winner");
    let state = stage.state();
    let queue = QueueView::new(&state, &[Side::Long], 3, Some(&ann.address)).expect("a queue");
    let words = queue.words(&state);
    assert!(
        words.contains("no winner") && !words.contains("-0.0"),
        "{words}"
    );
}

/// A gap: the short closes with profit that the long lacks, and the market holds it.
#[test]
fn held_profit_is_told_and_shown() {
    let mut stage = Stage::new();
    let [ann, ben, cat] = [(); 3].map(|()| stage.trader());
    stage.trade((&ann, 100), (&ben, 500), 10_000);
    stage.sandbox.set_price(&stage.sol, 186_000);
    let closed = stage.block(
        &ben,
        &cat,
        BlockTrade {
            lots: 10_000,
            price_ticks: 186_000,
            taker_margin: 0,
            maker_margin: 500 * USD,
        },
    );
    let view = stage.view(&ben);
    let held = json_of(&view)["held_atoms"].as_i64().expect("atoms");
    assert!(held > 39 * 1_000_000, "{held}");
    let words = view.words(stage.state().units);
    for part in ["held profit only", "ballast release-profit"] {
        assert!(words.contains(part), "{part}: {words}");
    }
    stage.sandbox.advance_slots(1);
    stage.sandbox.advance_seconds(1);
    stage.sandbox.set_price(&stage.sol, 190_000);
    let released = stage
        .sandbox
        .release_profit(&stage.sol, &[ben.address])
        .expect("a release");
    let lines = stage.history(&ben, &[&closed, &released]);
    let amounts: Vec<_> = lines
        .iter()
        .filter(|line| line.kind == Kind::HeldProfit)
        .map(|line| line.amount_atoms)
        .collect();
    assert_eq!(amounts, [Some(-held), Some(held)]);
    let others = stage.history(&ann, &[&closed, &released]);
    assert!(others.iter().all(|line| line.kind != Kind::HeldProfit));
}

#[test]
fn the_book_is_shown_by_price() {
    let mut stage = Stage::new();
    let ann = stage.trader();
    let empty = BookView::new(&stage.state(), 3).expect("a book");
    assert!(empty.words(&stage.state()).contains("The book is empty."));
    for (side, lots, ticks) in [
        (OrderSide::Bid, 300, 199_000),
        (OrderSide::Bid, 200, 199_000),
        (OrderSide::Bid, 900, 198_000),
        (OrderSide::Ask, 50, 202_000),
    ] {
        let order = order(side, lots, ticks, 0);
        let placed = stage.sandbox.place_order(&stage.sol, &ann, order, &[]);
        placed.expect("an order");
    }
    let state = stage.state();
    let view = json_of(&BookView::new(&state, 3).expect("a book"));
    assert_eq!(view["bids"][0]["size"], "0.5");
    assert_eq!(
        (
            &view["bids"][0]["orders"],
            &view["bids"][1]["cumulative_lots"]
        ),
        (&json!(2), &json!(1_400))
    );
    assert_eq!(view["asks"][0]["price"], "202");
    let words = BookView::new(&state, 1).expect("a book").words(&state);
    for part in ["+1.00 %", "-0.50 %", "0 prices above and 1 below"] {
        assert!(words.contains(part), "{part}: {words}");
    }
}
