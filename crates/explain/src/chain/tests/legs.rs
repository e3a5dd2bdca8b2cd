//! Rounds in which legs are cut.

use ballast_sandbox::{BlockTrade, MarketConfig, MarketCookie, Options, Sandbox, TraderCookie};
use ballast_state::cross::EnableCrossArgs;
use ballast_state::events::{AutoDeleveraged, CrossRound, LegCut};
use ballast_state::Pubkey;

use super::{json, on_chain, told, Forgery, USD};
use crate::chain::{explain, rounds, Explanation, Recorded};

/// At this mark alice, long from $200 with $10 a SOL, is bankrupt: a short pays $190, and loses $10 a SOL by it.
const MARK: u64 = 180_000;
/// Bob holds $14.08 above maintenance and would lose $27.50 by all of his lots: he bears 2,561 of 5,000.
const BEARS_HALF: u64 = 159_300;
/// He holds $47.50, less than the $50 that closing costs.
const WOULD_OWE: u64 = 157_500;
/// He holds $0.0036 above maintenance: less than a lot costs.
const BEARS_NO_LOT: u64 = 156_411;

/// A round and what is said of its legs.
struct Round {
    event: AutoDeleveraged,
    cross: CrossRound,
    bob: Pubkey,
}

/// Two cross markets. Bob is short 5 SOL of the first and long 5 of the second, legs over $160.
struct Scene {
    sandbox: Sandbox,
    markets: [MarketCookie; 2],
    queues: Vec<Pubkey>,
    alice: TraderCookie,
    bob: TraderCookie,
    carol: TraderCookie,
}

impl Scene {
    fn new() -> Self {
        let mut config = MarketConfig::sol();
        config.risk.funding_rate_ppm_per_hour = 0;
        config.risk.max_funding_rate_ppm = 0;
        // So that insurance has nothing.
        config.risk.taker_fee_bps = 0;
        config.risk.maker_fee_bps = 0;
        config.risk.adl.max_close_bps = 10_000;
        let (mut sandbox, first) =
            Sandbox::with_market(&Options::default(), &config).expect("a market");
        let second = sandbox.create_market(&config).expect("a market");
        sandbox.create_board().expect("a board");
        let mut queues = Vec::new();
        for market in [&first, &second] {
            let two = sandbox.create_cross_queues(16).expect("queues");
            let terms = EnableCrossArgs {
                most_lots: 1_000_000,
                draw_cap_bps: 2_500,
                max_age_slots: 100,
            };
            sandbox
                .enable_cross(market, &two, terms)
                .expect("cross margin");
            queues.extend(two.both());
        }
        let mut trader = || sandbox.create_trader(1_000 * USD).expect("a trader");
        let (alice, bob, carol, dave) = (trader(), trader(), trader(), trader());
        let mut scene = Self {
            sandbox,
            markets: [first, second],
            queues,
            alice,
            bob,
            carol,
        };
        let [alice, bob] = [&scene.alice, &scene.bob].map(Clone::clone);
        scene.trade(0, &alice, &bob, [50, 60]);
        scene.joins(0);
        scene.trade(1, &bob, &dave, [100, 500]);
        scene.joins(1);
        scene
    }

    /// The taker buys 5 SOL at $200.
    fn trade(
        &mut self,
        market: usize,
        taker: &TraderCookie,
        maker: &TraderCookie,
        margins: [u64; 2],
    ) {
        let terms = BlockTrade {
            lots: 5_000,
            price_ticks: 200_000,
            taker_margin: margins[0] * USD,
            maker_margin: margins[1] * USD,
        };
        let traded = self
            .sandbox
            .block_trade(&self.markets[market], taker, maker, terms);
        traded.expect("a trade");
    }

    fn joins(&mut self, market: usize) {
        let market = &self.markets[market];
        let joined = self.sandbox.to_cross(market, &self.bob, &self.queues);
        joined.expect("a leg");
    }

    /// Carol's isolated short of 5 SOL against alice, over $200.
    fn with_carol(mut self) -> Self {
        let [alice, carol] = [&self.alice, &self.carol].map(Clone::clone);
        self.trade(0, &alice, &carol, [50, 200]);
        self
    }

    /// The round of alice's bankruptcy while the second market stands there.
    fn round(self, second: u64, list: &[Pubkey]) -> Round {
        let alice = self.alice.address;
        self.round_of(&alice, [MARK, second], list)
    }

    fn round_of(mut self, bankrupt: &Pubkey, marks: [u64; 2], list: &[Pubkey]) -> Round {
        let sandbox = &mut self.sandbox;
        sandbox.advance_slots(20);
        for (market, mark) in self.markets.iter().zip(marks) {
            sandbox.set_price(market, mark);
        }
        let both = [&self.markets[0], &self.markets[1]];
        sandbox.record_marks(&both).expect("marks");
        let (market, keeper) = (&self.markets[0], &self.carol);
        let sent = sandbox.auto_deleverage_cross(market, bankrupt, keeper, &self.queues, list);
        let sent = sent.expect("a round");
        let found = rounds(&sent.events);
        let [(event, Some(cross))] = found.as_slice() else {
            panic!("one round with legs: {:?}", sent.events);
        };
        Round {
            event: (*event).clone(),
            cross: (*cross).clone(),
            bob: self.bob.address,
        }
    }
}

/// Bob and carol are cut, bob no deeper than his account bears.
fn shortened(second: u64) -> Round {
    let scene = Scene::new().with_carol();
    let list = [scene.bob.address, scene.carol.address];
    scene.round(second, &list)
}

impl Round {
    fn explained(&self) -> Explanation<'_> {
        explain(Recorded {
            cross: Some(&self.cross),
            ..on_chain(&self.event)
        })
    }
}

#[test]
fn a_leg_that_is_cut_as_far_as_its_account_bears_is_right_and_says_so() {
    let round = shortened(BEARS_HALF);
    let cuts: Vec<u64> = round.event.cuts.iter().map(|cut| cut.lots_closed).collect();
    assert_eq!(cuts, [2_561, 5_000]);
    assert!(round.cross.legs[0].shortened);
    let explanation = round.explained();
    assert_eq!(told(&explanation), Vec::<String>::new());
    let about = explanation.text(Some(&round.bob.to_string()));
    for words in [
        "Place 1 of the cuts",
        "It is a leg: all of its account's equity stands behind it, $56.50,\n  of which $42.41 was needed.",
        "2.561 of 5.000 (the account could bear no more: $56.50 held, $42.41 needed)",
    ] {
        assert!(about.contains(words), "{words}\nin\n{about}");
    }
    let text = explanation.text(None);
    for words in [
        "it walked both queues",
        "AdlStaleCounterparty",
        "to the pool",
        "all agree",
    ] {
        assert!(text.contains(words), "{words}\nin\n{text}");
    }
    let json = json(&explanation);
    let cuts = &json["decision"]["cuts"];
    assert_eq!(cuts[0]["leg"]["shortened"], true);
    assert_eq!(cuts[0]["leg"]["equity_atoms"], 56_500_000);
    assert_eq!(cuts[0]["to_free_collateral_atoms"], 0);
    assert_eq!(cuts[1]["leg"], serde_json::Value::Null);
    assert_eq!(json["not_verifiable"].as_array().map(Vec::len), Some(6));
    // Without what is said of legs the event is that of isolated positions.
    assert!(!explain(on_chain(&round.event)).verified());
}

#[test]
fn a_leg_that_would_owe_at_the_close_price_is_cut_as_far_as_maintenance_lasts() {
    let round = shortened(WOULD_OWE);
    assert_eq!(told(&round.explained()), Vec::<String>::new());
    let bob = &round.event.cuts[0];
    assert!(bob.lots_closed > 0 && bob.lots_closed < 1_000, "{bob:?}");
}

#[test]
fn where_no_account_bears_a_lot_the_round_goes_as_far_as_equity_lasts() {
    let scene = Scene::new();
    let list = [scene.bob.address];
    let round = scene.round(BEARS_NO_LOT, &list);
    assert!(round.cross.to_equity && round.cross.legs[0].shortened);
    let explanation = round.explained();
    assert_eq!(told(&explanation), Vec::<String>::new());
    let text = explanation.text(None);
    for words in [
        "they were cut as far as their equity lasts",
        "$42.05 held, nothing needed",
    ] {
        assert!(text.contains(words), "{words}\nin\n{text}");
    }
    // Who could have borne a lot is cut in the stage before.
    let mut forged = round;
    forged.cross.legs[0].requirement_atoms -= 1_000_000;
    let faults = told(&forged.explained());
    assert!(
        faults.iter().any(|fault| fault.contains("to_equity")),
        "{faults:?}"
    );
}

const FORGERIES: [Forgery<CrossRound>; 8] = [
    ("market", |cross| cross.market = cross.bankrupt),
    ("bankrupt", |cross| cross.bankrupt = cross.market),
    ("stage", |cross| cross.to_equity = true),
    ("no legs", |cross| cross.legs.clear()),
    ("one twice", |cross| {
        let again = cross.legs[0].clone();
        cross.legs.push(again);
    }),
    ("another place", |cross| cross.legs[0].place = 1),
    ("no place", |cross| cross.legs[0].place = 2),
    ("another leg", |cross| {
        let leg = LegCut {
            place: 1,
            ..cross.legs[0].clone()
        };
        cross.legs.push(leg);
    }),
];

const FORGED_LEGS: [Forgery<LegCut>; 6] = [
    ("equity", |leg| leg.equity_atoms += 1),
    ("less equity", |leg| leg.equity_atoms -= 1),
    ("not shortened", |leg| leg.shortened = false),
    ("need", |leg| leg.requirement_atoms -= 100_000),
    ("own need", |leg| leg.leg_requirement_atoms += 100_000),
    ("more of its own", |leg| {
        leg.leg_requirement_atoms = leg.requirement_atoms + 1;
    }),
];

#[test]
fn what_is_forged_of_legs_is_refused() {
    let mut round = shortened(BEARS_HALF);
    assert_eq!(told(&round.explained()), Vec::<String>::new());
    let honest = round.cross.clone();
    let mut missed = Vec::new();
    for (what, forge) in FORGERIES {
        round.cross = honest.clone();
        forge(&mut round.cross);
        missed.extend(round.explained().verified().then_some(what));
    }
    for (what, forge) in FORGED_LEGS {
        round.cross = honest.clone();
        forge(&mut round.cross.legs[0]);
        missed.extend(round.explained().verified().then_some(what));
    }
    round.cross = honest;
    for forge in [
        (|event| event.cuts[0].lots_closed -= 1) as fn(&mut AutoDeleveraged),
        |event| event.cuts[0].margin_before += 1,
        |event| event.cuts[0].gave_up_atoms += 1,
        |event| event.session = event.market,
    ] {
        let event = round.event.clone();
        forge(&mut round.event);
        missed.extend(round.explained().verified().then_some("the event"));
        round.event = event;
    }
    assert_eq!(missed, Vec::<&str>::new(), "not found out");
}

/// A leg whose account bears all of it says so, and that it was shortened would be a lie.
#[test]
fn a_leg_that_bears_everything_is_cut_as_an_isolated_position() {
    let mut round = shortened(190_000);
    assert_eq!(told(&round.explained()), Vec::<String>::new());
    assert_eq!(round.event.cuts[0].lots_closed, 5_000);
    assert!(!round.cross.legs[0].shortened);
    round.cross.legs[0].shortened = true;
    assert!(!round.explained().verified());
}

/// Bob's short lost $300 of the $160 behind both legs: its part of the $140 that are missing goes by requirements.
#[test]
fn a_bankrupt_leg_is_closed_at_the_price_of_its_share() {
    let scene = Scene::new();
    let (bob, list) = (scene.bob.address, [scene.alice.address]);
    let round = scene.round_of(&bob, [260_000, 200_000], &list);
    assert_eq!(told(&round.explained()), Vec::<String>::new());
    // 140 * 32.5 / 57.5
    assert_eq!(round.event.deficit_before_atoms, 79_130_434);
    assert!(round.cross.legs.is_empty());
    // The event of a round that cuts no leg says enough.
    assert_eq!(told(&explain(on_chain(&round.event))), Vec::<String>::new());
}
