use ballast_client::ranking::{plan, Request};
use ballast_engine::units::Side;
use ballast_sandbox::{
    BlockTrade, MarketConfig, MarketCookie, Options, Sandbox, TraderCookie, TxOutcome,
};
use ballast_state::events::BallastEvent;
use ballast_state::events::{AutoDeleveraged, CounterpartyCut};
use ballast_state::Pubkey;

use serde_json::Value;

use super::*;
use crate::situation::Units;

mod legs;

/// A round as a program reads it.
fn json(explanation: &Explanation<'_>) -> Value {
    serde_json::to_value(explanation.round()).expect("JSON")
}

/// Atoms of one quote unit.
const USD: u64 = 1_000_000;
/// Alice is long 10 SOL at $200 against three shorts with the less margin the higher they rank;
/// the fourth, with the most, is dave's. At $189 alice is bankrupt by $10 and insurance has some cents.
struct Crash {
    sandbox: Sandbox,
    market: MarketCookie,
    alice: TraderCookie,
    shorts: Vec<TraderCookie>,
    keeper: TraderCookie,
}

impl Crash {
    fn new(max_close_bps: u32, rank_tolerance_bps: u32) -> Self {
        let mut config = MarketConfig::sol();
        config.risk.adl.max_close_bps = max_close_bps;
        config.risk.adl.rank_tolerance_bps = rank_tolerance_bps;
        let (mut sandbox, market) =
            Sandbox::with_market(&Options::default(), &config).expect("a market");
        let mut trader = || sandbox.create_trader(1_000 * USD).expect("a trader");
        let (alice, dave, keeper) = (trader(), trader(), trader());
        let shorts: Vec<TraderCookie> = (0..4).map(|_| trader()).collect();
        let mut open = |taker: &TraderCookie, maker, lots, margins: (u64, u64)| {
            let terms = BlockTrade {
                lots,
                price_ticks: 200_000,
                taker_margin: margins.0,
                maker_margin: margins.1,
            };
            let traded = sandbox.block_trade(&market, taker, maker, terms);
            traded.expect("a trade");
        };
        open(&alice, &shorts[0], 4_000, (40 * USD, 50 * USD));
        open(&alice, &shorts[1], 3_000, (30 * USD, 150 * USD));
        open(&alice, &shorts[2], 3_000, (30 * USD, 900 * USD));
        open(&dave, &shorts[3], 2_000, (400 * USD, 950 * USD));
        sandbox.set_price(&market, 189_000);
        Self {
            sandbox,
            market,
            alice,
            shorts,
            keeper,
        }
    }

    fn round(&mut self, counterparties: usize) -> AutoDeleveraged {
        let alice = self.alice.address;
        self.round_of(&alice, counterparties)
    }

    fn round_of(&mut self, bankrupt: &Pubkey, counterparties: usize) -> AutoDeleveraged {
        let snapshot = self.sandbox.queue(&self.market, Side::Short);
        let slot = self.sandbox.position(&self.market, bankrupt);
        let planned = plan(
            &self.sandbox.market(&self.market),
            &snapshot.queue().expect("a queue"),
            &slot.expect("a position"),
            &ballast_client::moment::Moment {
                slot: self.sandbox.slot(),
                unix_timestamp: self.sandbox.time(),
                price_ticks: 189_000,
            },
            &Request {
                bankrupt: *bankrupt,
                max_counterparties: counterparties,
                spares: 0,
            },
        );
        let planned = planned.expect("a plan");
        let sent = self
            .sandbox
            .auto_deleverage_plan(&self.market, &self.keeper, &planned);
        recorded(&sent.expect("a round"))
    }

    fn session(&mut self) -> AutoDeleveraged {
        let (market, sandbox) = (&self.market, &mut self.sandbox);
        let opened = sandbox.open_adl_session(market, &self.alice.address);
        let (session, _) = opened.expect("a session");
        let walked = sandbox.advance_adl_session(market, &session, 1_000, Vec::new());
        walked.expect("a walk");
        let selected = sandbox.selected(market, &session);
        let sent = sandbox.execute_adl_session(market, &session, &self.keeper, &selected);
        recorded(&sent.expect("a round"))
    }
}

fn recorded(outcome: &TxOutcome) -> AutoDeleveraged {
    let mut events = outcome.events.iter();
    let found = events.find_map(|event| match event {
        BallastEvent::AutoDeleveraged(event) => Some((**event).clone()),
        _ => None,
    });
    found.expect("an event")
}

fn on_chain(event: &AutoDeleveraged) -> Recorded<'_> {
    Recorded {
        event,
        cross: None,
        slot: 500_000_123,
        signature: "5SiGnatuRe",
        market: "SOL-PERP",
        units: Units {
            tick_nano: 1_000_000,
            atoms_per_lot_tick: 1,
            lot_nano: 1_000_000,
        },
    }
}

fn faults(event: &AutoDeleveraged) -> Vec<String> {
    told(&explain(on_chain(event)))
}

/// What disagrees.
fn told(explanation: &Explanation<'_>) -> Vec<String> {
    let faults = explanation.audit.faults.iter();
    faults
        .map(|fault| format!("{}: {} / {}", fault.field, fault.recorded, fault.recomputed))
        .collect()
}

#[test]
fn a_round_of_the_program_agrees_with_the_engine() {
    let mut crash = Crash::new(10_000, 0);
    let event = crash.round(8);
    let explanation = explain(on_chain(&event));
    assert_eq!(faults(&event), Vec::<String>::new());
    assert!(explanation.verified() && explanation.audit.figures > 40);
    let first = crash.shorts[0].address.to_string();
    let text = explanation.text(None);
    for words in [
        "SOL-PERP, slot 500,000,123\nTransaction 5SiGnatuRe",
        "long 10.000, entered at $200.000, with $100.00 of margin",
        "mark of $189.000",
        "overshoot $0.00",
        "AdlSkippedCounterparty",
        "all agree",
        "Not verifiable",
    ] {
        assert!(text.contains(words), "{words}\nin\n{text}");
    }
    let about = explanation.text(Some(&first));
    assert!(about.contains("Place 1 of the cuts"), "{about}");
    assert!(
        about.contains("4.000 of 4.000 (the whole position)"),
        "{about}"
    );
    let nobody = explanation.text(Some("nobody"));
    assert!(nobody.contains("Nobody whose account begins with nobody"));

    let json = json(&explanation);
    assert_eq!(json["verified"], true);
    assert_eq!(json["session"], Value::Null);
    let cuts = json["decision"]["cuts"].as_array().expect("a list");
    assert_eq!((cuts.len(), &cuts[0]["trader"]), (3, &first.into()));
    assert_eq!(cuts[0]["class"], "winner");
}

/// The fourth short is reached once the others stand at their cap, and a second call finds what the
/// first has cut.
#[test]
fn earlier_cuts_of_a_pass_are_implied_by_the_cap() {
    let mut crash = Crash::new(5_000, 0);
    // Eve's bankruptcy of 1,500 lots takes them from the first, who may give 2,000.
    let eve = crash.sandbox.create_trader(1_000 * USD).expect("a trader");
    crash.sandbox.set_price(&crash.market, 200_000);
    let terms = BlockTrade {
        lots: 1_500,
        price_ticks: 200_000,
        taker_margin: 15 * USD,
        maker_margin: 0,
    };
    let last = crash.shorts[3].clone();
    let traded = crash.sandbox.block_trade(&crash.market, &eve, &last, terms);
    traded.expect("a trade");
    crash.sandbox.set_price(&crash.market, 189_000);
    let first = crash.round_of(&eve.address, 8);
    let second = crash.round(8);
    assert_eq!((faults(&first), faults(&second)), (Vec::new(), Vec::new()));
    let before = |event| {
        let json = json(&explain(on_chain(event)));
        let cuts = json["decision"]["cuts"].as_array().expect("a list").clone();
        let told = |cut: &Value| {
            (
                cut["lots"].as_u64().expect("lots"),
                cut["cut_before_in_pass_at_least"].as_u64().expect("lots"),
            )
        };
        cuts.iter().map(told).collect::<Vec<_>>()
    };
    assert_eq!(before(&first), [(1_500, 0)]);
    // 500 of 2,500: half of the 4,000 it had less the 1,500 cut before.
    assert_eq!(
        before(&second),
        [(500, 1_500), (1_500, 0), (1_750, 0), (1_500, 0)]
    );
    let text = explain(on_chain(&second)).text(None);
    assert!(
        text.contains("cap of 50 % of 4.000, 1.500 cut before"),
        "{text}"
    );
}

#[test]
fn a_session_and_a_tolerance_are_explained_too() {
    let mut crash = Crash::new(10_000, 0);
    let event = crash.session();
    assert_eq!(faults(&event), Vec::<String>::new());
    let explanation = explain(on_chain(&event));
    assert_eq!(json(&explanation)["session"], event.session.to_string());
    let text = explanation.text(None);
    assert!(
        text.contains(&format!("session {}", event.session)),
        "{text}"
    );

    let event = Crash::new(5_000, 300).round(8);
    assert_eq!(faults(&event), Vec::<String>::new());
    let text = explain(on_chain(&event)).text(None);
    assert!(
        text.contains("scores more than 3 % above the last one"),
        "{text}"
    );
}

type Forgery<T> = (&'static str, fn(&mut T));

/// What a forger may change of the round, by the least there is.
const FORGERIES: [Forgery<AutoDeleveraged>; 24] = [
    ("mark", |event| event.mark_ticks += 1),
    ("close quote", |event| event.close_quote_atoms -= 1),
    ("close lots", |event| event.close_lots += 1),
    ("lots", |event| event.lots_before += 1),
    ("side", |event| event.lots_before = -event.lots_before),
    ("entry", |event| event.entry_quote_before += 1),
    ("margin", |event| event.margin_before -= 1),
    ("solvent", |event| event.margin_before += 10_000_000),
    ("lots closed", |event| event.lots_closed -= 1),
    ("lots after", |event| event.lots_after += 1),
    ("bankrupt lots", |event| event.bankrupt_lots = 1),
    ("deficit", |event| event.deficit_before_atoms += 1),
    ("paid", |event| event.insurance_paid_atoms += 1),
    ("given up", |event| event.gave_up_atoms += 1),
    ("deficit after", |event| event.deficit_after_atoms += 1),
    ("insurance", |event| event.insurance_before_atoms += 1),
    ("insurance after", |event| event.insurance_after_atoms += 1),
    ("pass", |event| event.epoch = 0),
    ("order", |event| event.cuts.swap(0, 1)),
    ("one left out", |event| event.cuts.truncate(2)),
    ("nobody", |event| event.cuts.clear()),
    ("one twice", |event| {
        let again = event.cuts[2];
        event.cuts.push(again);
    }),
    ("the bankrupt", |event| {
        event.cuts[0].trader = event.bankrupt
    }),
    ("cap", |event| event.max_close_bps = 4_999),
];

const FORGED_CUTS: [Forgery<CounterpartyCut>; 11] = [
    ("lots", |cut| cut.lots_before -= 1),
    ("entry", |cut| cut.entry_quote_before -= 1),
    ("margin", |cut| cut.margin_before += 1),
    ("poor", |cut| cut.margin_before = 0),
    ("winner", |cut| cut.winner = !cut.winner),
    ("closed", |cut| cut.lots_closed -= 1),
    ("quote", |cut| cut.quote_atoms -= 1),
    ("realized", |cut| cut.realized_atoms += 1),
    ("payout", |cut| cut.payout_atoms += 1),
    ("given up", |cut| cut.gave_up_atoms -= 1),
    ("side", |cut| cut.lots_before = -cut.lots_before),
];

#[test]
fn a_forged_round_is_refused() {
    let event = Crash::new(10_000, 0).round(8);
    assert_eq!(faults(&event), Vec::<String>::new());
    let missed = |what: String, forged: &AutoDeleveraged| {
        let explanation = explain(on_chain(forged));
        assert_eq!(json(&explanation)["verified"], explanation.verified());
        let text = explanation.text(None);
        assert_eq!(text.contains("DISAGREE"), !explanation.verified(), "{what}");
        explanation.verified().then_some(what)
    };
    let mut found = Vec::new();
    for (what, forge) in FORGERIES {
        let mut forged = event.clone();
        forge(&mut forged);
        found.extend(missed(what.to_owned(), &forged));
    }
    for (what, forge) in FORGED_CUTS {
        for place in 0..event.cuts.len() {
            let mut forged = event.clone();
            forge(&mut forged.cuts[place]);
            found.extend(missed(format!("{what} of {place}"), &forged));
        }
    }
    assert_eq!(found, Vec::<String>::new(), "not found out");
}

/// Lots moved from the first to the third keep every sum, but not the cap.
#[test]
fn a_cut_that_spares_the_first_is_refused() {
    let event = Crash::new(10_000, 0).round(8);
    let lots: Vec<u64> = event.cuts.iter().map(|cut| cut.lots_closed).collect();
    assert_eq!(lots, [4_000, 3_000, 3_000]);
    let mut forged = event.clone();
    forged.cuts[0].lots_closed -= 1_000;
    forged.cuts[2].lots_closed += 1_000;
    let told = faults(&forged);
    assert!(told.iter().any(|fault| fault.contains("cap")), "{told:?}");
    forged = event;
    forged.session = Pubkey::new_from_array([1; 32]);
    forged.pass_opened = true;
    assert!(!faults(&forged).is_empty());
}
