//! A whole market under random orders, prices and crashes.

use ballast_engine::distress::Distress;
use ballast_engine::funding::FundingState;
use ballast_engine::insurance::Insurance;
use ballast_engine::liquidation::{health, plan, Health, LiquidationInput};
use ballast_engine::oracle::Mark;
use ballast_engine::position::Position;
use ballast_engine::risk::RiskParams;
use ballast_engine::trade::{
    add_margin, block_trade, open_interest_after, remove_margin, take_over, PartyInput,
    TradeMarket, TradeTerms,
};
use ballast_engine::units::{Atoms, Ticks};
use ballast_engine::EngineError;
use proptest::prelude::*;

use crate::fixture::{cases, lots, mark, params};

const ACCOUNTS: usize = 5;
const DEPOSIT: i64 = 40_000_000;

#[derive(Clone, Debug)]
enum Step {
    Trade {
        taker: usize,
        skip: usize,
        size: i64,
        off_bps: i64,
        leverage: u64,
    },
    Move {
        bps: i64,
        seconds: i64,
    },
    Liquidate {
        victim: usize,
        skip: usize,
    },
    Add {
        account: usize,
        amount: u64,
    },
    Remove {
        account: usize,
        amount: u64,
    },
    Donate {
        amount: u64,
    },
}

fn any_step() -> impl Strategy<Value = Step> {
    let account = 0..ACCOUNTS;
    prop_oneof![
        5 => (account.clone(), 1..ACCOUNTS, -2_000_i64..2_000, -200_i64..200, 5_u64..20).prop_map(
            |(taker, skip, size, off_bps, leverage)| Step::Trade { taker, skip, size, off_bps, leverage }
        ),
        4 => (-1_500_i64..1_500, 0_i64..50_000).prop_map(|(bps, seconds)| Step::Move { bps, seconds }),
        6 => (account.clone(), 1..ACCOUNTS).prop_map(|(victim, skip)| Step::Liquidate { victim, skip }),
        1 => (account.clone(), 1_u64..1_000_000).prop_map(|(account, amount)| Step::Add { account, amount }),
        1 => (account, 1_u64..1_000_000).prop_map(|(account, amount)| Step::Remove { account, amount }),
        1 => (1_u64..3_000_000).prop_map(|amount| Step::Donate { amount }),
    ]
}

#[derive(Clone, Copy, Debug, Default)]
struct Account {
    free: Atoms,
    position: Position,
    distress: Distress,
}

struct Venue {
    params: RiskParams,
    accounts: [Account; ACCOUNTS],
    funding: FundingState,
    insurance: Insurance,
    mark: Mark,
    open_interest: u64,
    fees: u64,
    deposits: i64,
    slot: u64,
    liquidations: u32,
    rescues: u32,
}

impl Venue {
    fn new() -> Self {
        let account = Account {
            free: Atoms::new(DEPOSIT),
            ..Account::default()
        };
        Self {
            params: params(),
            accounts: [account; ACCOUNTS],
            funding: FundingState::starting(0),
            insurance: Insurance::default(),
            mark: mark(10_000, 20),
            open_interest: 0,
            fees: 0,
            deposits: DEPOSIT * i64::try_from(ACCOUNTS).unwrap(),
            slot: 1,
            liquidations: 0,
            rescues: 0,
        }
    }

    fn party(&self, account: usize, margin_to_add: u64) -> PartyInput {
        let Account { free, position, .. } = self.accounts[account];
        PartyInput {
            position: position.settle(self.funding.index).unwrap(),
            free,
            margin_to_add,
        }
    }

    fn trade(&mut self, taker: usize, maker: usize, size: i64, off_bps: i64, leverage: u64) {
        let at = self.mark.price.get();
        let price =
            u64::try_from(i64::try_from(at).unwrap() * (10_000 + off_bps) / 10_000).unwrap();
        let margin = size.unsigned_abs() * price / leverage;
        let terms = TradeTerms {
            lots: lots(size),
            price: Ticks::new(price),
        };
        let market = TradeMarket {
            atoms_per_lot_tick: 1,
            open_interest_lots: self.open_interest,
            least_lots: self.params.min_position_lots,
            mode: ballast_engine::wind_down::MarketMode::Active,
        };
        let parties = (self.party(taker, margin), self.party(maker, margin));
        let Ok(done) = block_trade(
            &self.params,
            &self.mark,
            &market,
            &terms,
            &parties.0,
            &parties.1,
        ) else {
            return;
        };
        for (account, outcome) in [(taker, done.taker), (maker, done.maker)] {
            self.accounts[account].free = outcome.free;
            self.accounts[account].position = outcome.position;
        }
        self.open_interest = done.open_interest_lots;
        self.fees += done.market_fees;
        self.insurance = self.insurance.credit(done.insurance_fees).unwrap();
    }

    fn liquidate(&mut self, victim: usize, liquidator: usize) {
        let position = self.party(victim, 0).position;
        let input = LiquidationInput {
            position,
            mark: self.mark.price,
            params: &self.params,
            slot: self.slot,
            distress: self.accounts[victim].distress,
            insurance_available: self.insurance.available(&self.params, self.slot).unwrap(),
        };
        let state = health(&position, input.mark, &self.params).unwrap();
        let plan = match plan(&input) {
            Ok(plan) => plan,
            Err(error) => {
                let expected = match state {
                    Health::Healthy if position.is_empty() => EngineError::NoPosition,
                    Health::Healthy => EngineError::Healthy,
                    Health::BelowMaintenance => EngineError::LadderInterval,
                    Health::Bankrupt { .. } => EngineError::InsuranceCannotPay,
                };
                assert_eq!(error, expected);
                return;
            }
        };
        assert_ne!(state, Health::Healthy);
        let (lots, quote) = plan.liquidator_fill().unwrap().unwrap();
        let free = self.accounts[liquidator].free.positive_part();
        let margin = free.min(lots.size() * self.mark.price.get() / 4);
        let party = self.party(liquidator, margin);
        let Ok(took) = take_over(
            &self.params,
            &self.mark,
            &party,
            lots,
            quote,
            position.size(),
        ) else {
            return;
        };
        let changes = [
            (position.lots, plan.position_after.lots),
            (party.position.lots, took.position.lots),
        ];
        self.open_interest = open_interest_after(self.open_interest, &changes).unwrap();
        let drawn = self
            .insurance
            .draw(&self.params, self.slot, plan.insurance_paid_atoms)
            .unwrap();
        self.insurance = drawn.credit(plan.insurance_fee_atoms).unwrap();
        let account = &mut self.accounts[victim];
        account.free = account.free.try_add(plan.victim_payout).unwrap();
        account.position = plan.position_after;
        account.distress.last_step_slot = self.slot;
        self.accounts[liquidator].free = took.free;
        self.accounts[liquidator].position = took.position;
        self.liquidations += 1;
        self.rescues += u32::from(plan.insurance_paid_atoms > 0);
    }

    fn run(&mut self, step: &Step) {
        self.slot += 5;
        match *step {
            Step::Trade {
                taker,
                skip,
                size,
                off_bps,
                leverage,
            } => {
                self.trade(taker, (taker + skip) % ACCOUNTS, size, off_bps, leverage);
            }
            Step::Move { bps, seconds } => {
                let until = self.funding.last_timestamp + seconds;
                let accrued = self.funding.accrue(&self.params, self.mark.price, until);
                self.funding = accrued.unwrap();
                let moved = i64::try_from(self.mark.price.get()).unwrap() * (10_000 + bps) / 10_000;
                self.mark = mark(u64::try_from(moved.clamp(2_000, 40_000)).unwrap(), 20);
            }
            Step::Liquidate { victim, skip } => self.liquidate(victim, (victim + skip) % ACCOUNTS),
            Step::Add { account, amount } => {
                let party = self.party(account, 0);
                if let Ok((position, free)) = add_margin(&party.position, party.free, amount) {
                    (self.accounts[account].position, self.accounts[account].free) =
                        (position, free);
                }
            }
            Step::Remove { account, amount } => {
                let party = self.party(account, 0);
                let removed = remove_margin(
                    &self.params,
                    &self.mark,
                    &party.position,
                    party.free,
                    amount,
                );
                if let Ok((position, free)) = removed {
                    (self.accounts[account].position, self.accounts[account].free) =
                        (position, free);
                    assert_eq!(
                        health(&position, self.mark.price, &self.params),
                        Ok(Health::Healthy)
                    );
                }
            }
            Step::Donate { amount } => {
                self.insurance = self.insurance.credit(amount).unwrap();
                self.deposits += i64::try_from(amount).unwrap();
            }
        }
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let mut total = i64::try_from(self.insurance.balance + self.fees).unwrap();
        let (mut longs, mut net) = (0, 0);
        for Account { free, position, .. } in &self.accounts {
            position.invariant().unwrap();
            prop_assert!(!free.is_negative());
            let funding = position.lots.get() * position.funding_index.get();
            total += free.get() + position.margin.get() + funding - position.entry_quote.get();
            longs += position.lots.get().max(0);
            net += position.lots.get();
        }
        prop_assert_eq!(total, self.deposits);
        prop_assert_eq!(net, 0);
        prop_assert_eq!(u64::try_from(longs).unwrap(), self.open_interest);
        self.funding.invariant().unwrap();
        Ok(())
    }
}

#[test]
fn a_market_stays_whole_through_crashes() {
    let (mut liquidations, mut rescues) = (0, 0);
    let mut runner = proptest::test_runner::TestRunner::new(cases(300));
    let steps = proptest::collection::vec(any_step(), 1..150);
    let counts = std::cell::RefCell::new((&mut liquidations, &mut rescues));
    let outcome = runner.run(&steps, |steps| {
        let mut venue = Venue::new();
        for step in &steps {
            venue.run(step);
            venue.check()?;
        }
        let mut counts = counts.borrow_mut();
        *counts.0 += venue.liquidations;
        *counts.1 += venue.rescues;
        Ok(())
    });
    outcome.unwrap();
    // The walk does reach liquidations and bankruptcies.
    assert!(liquidations > 300, "{liquidations}");
    assert!(rescues > 10, "{rescues}");
}
