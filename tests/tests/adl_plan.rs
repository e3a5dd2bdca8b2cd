//! The client's plan of a deleveraging is what the program then does, to the atom.

use ballast_client::moment::Moment;
use ballast_client::ranking::{plan, AdlPlan, Request, MAX_COUNTERPARTIES};
use ballast_engine::units::Side;
use ballast_sandbox::{BlockTrade, MarketConfig, MarketCookie, Options, Sandbox, TraderCookie};
use ballast_state::events::BallastEvent;

const USD: u64 = 1_000_000;
const CRASH_TICKS: u64 = 170_000;

/// A bankrupt long of 200 SOL and a safe one of the same size against shorts of many
/// entry prices and leverages.
struct Crash {
    sandbox: Sandbox,
    sol: MarketCookie,
    bankrupt: TraderCookie,
    keeper: TraderCookie,
}

impl Crash {
    fn new(shorts: u64, max_close_bps: u32) -> Self {
        let mut config = MarketConfig::sol();
        config.risk.adl.max_close_bps = max_close_bps;
        config.risk.adl.rank_tolerance_bps = 0;
        config.risk.insurance_fee_share_bps = 0;
        let (mut sandbox, sol) = Sandbox::with_market(&Options::default(), &config).unwrap();
        let bankrupt = sandbox.create_trader(10_000 * USD).unwrap();
        let safe = sandbox.create_trader(1_000_000 * USD).unwrap();
        let keeper = sandbox.create_trader(0).unwrap();
        let lots = i64::try_from(200_000 / shorts).unwrap();
        for n in 0..shorts {
            let short = sandbox.create_trader(100_000 * USD).unwrap();
            let price_ticks = 196_000 + 300 * (n * 7 % 13);
            let notional = lots.unsigned_abs() * price_ticks;
            let terms = BlockTrade {
                lots,
                price_ticks,
                taker_margin: notional / 15,
                maker_margin: notional / (1 + n * 5 % 11),
            };
            sandbox.block_trade(&sol, &bankrupt, &short, terms).unwrap();
            let unlevered = BlockTrade {
                taker_margin: notional,
                ..terms
            };
            sandbox.block_trade(&sol, &safe, &short, unlevered).unwrap();
        }
        sandbox.advance_seconds(60);
        sandbox.set_price(&sol, CRASH_TICKS);
        Self {
            sandbox,
            sol,
            bankrupt,
            keeper,
        }
    }

    fn plan(&self, max_counterparties: usize, spares: usize) -> AdlPlan {
        let slot = self
            .sandbox
            .position(&self.sol, &self.bankrupt.address)
            .unwrap();
        let snapshot = self.sandbox.queue(&self.sol, Side::Short);
        let moment = Moment {
            slot: self.sandbox.slot(),
            unix_timestamp: self.sandbox.time(),
            price_ticks: CRASH_TICKS,
        };
        let request = Request {
            bankrupt: self.bankrupt.address,
            max_counterparties,
            spares,
        };
        let market = self.sandbox.market(&self.sol);
        plan(
            &market,
            &snapshot.queue().unwrap(),
            &slot,
            &moment,
            &request,
        )
        .unwrap()
    }

    fn is_open(&self) -> bool {
        let position = self.sandbox.position(&self.sol, &self.bankrupt.address);
        position.is_some()
    }

    /// Sends the plan and checks that the program did exactly that; gives the
    /// compute units.
    fn play(&mut self, plan: &AdlPlan) -> u64 {
        let outcome = self
            .sandbox
            .auto_deleverage_plan(&self.sol, &self.keeper, plan)
            .unwrap();
        let event = outcome
            .events
            .iter()
            .find_map(|event| match event {
                BallastEvent::AutoDeleveraged(event) => Some(event),
                _ => None,
            })
            .unwrap();
        let done: Vec<_> = event
            .cuts
            .iter()
            .map(|cut| {
                let quote = cut.quote_atoms;
                (cut.trader, cut.lots_closed, quote, cut.payout_atoms)
            })
            .collect();
        let planned: Vec<_> = plan
            .cuts
            .iter()
            .map(|planned| {
                let cut = &planned.cut;
                (planned.trader, cut.lots, cut.quote.get(), cut.payout.get())
            })
            .collect();
        assert_eq!(done, planned);
        assert_eq!(event.gave_up_atoms, plan.summary.gave_up);
        assert_eq!(event.lots_closed, plan.summary.lots);
        assert_eq!(event.epoch, plan.round.epoch);
        assert!(self.sandbox.conservation().holds());
        outcome.compute_units
    }
}

#[test]
fn rounds_of_two_until_nothing_is_left_each_as_planned() {
    let mut crash = Crash::new(8, 3_000);
    let (mut rounds, mut reopened) = (0, 0);
    while crash.is_open() {
        let plan = crash.plan(2, 0);
        assert!((1..=2).contains(&plan.cuts.len()));
        assert_eq!(plan.summary.overshoot(), Ok(0));
        crash.play(&plan);
        rounds += 1;
        reopened += u32::from(plan.reopens);
        assert!(rounds < 100, "the bankruptcy never ends");
    }
    assert!(rounds > 4 && reopened > 0, "{rounds} rounds, {reopened}");
    assert!(crash.sandbox.conservation().holds());
}

#[test]
fn a_list_through_a_lookup_table_cuts_as_many_as_a_call_can() {
    let mut crash = Crash::new(40, 2_000);
    let mut reopened = 0;
    while crash.is_open() {
        let plan = crash.plan(usize::MAX, usize::MAX);
        assert!(plan.counterparties.len() <= MAX_COUNTERPARTIES);
        let units = crash.play(&plan);
        if plan.cuts.len() == MAX_COUNTERPARTIES {
            println!("{MAX_COUNTERPARTIES} counterparties: {units} compute units");
            assert!(units < 400_000);
            reopened += u32::from(plan.reopens);
        }
    }
    assert!(reopened > 0);
}

#[test]
fn spares_are_listed_but_not_cut() {
    let mut crash = Crash::new(8, 10_000);
    let plan = crash.plan(8, 3);
    assert_eq!((plan.cuts.len(), plan.summary.lots), (4, 200_000));
    assert_eq!(plan.counterparties.len(), plan.cuts.len() + 3);
    crash.play(&plan);
}
