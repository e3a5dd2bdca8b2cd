//! What happened to the pools and the stakes of the histories.

use std::collections::BTreeMap;
use std::fmt;

use ballast_state::error::BallastError;

use crate::model::{pool_trader, Done, Effect, Matched, Model, Paid};
use crate::operation::{FundCall, Operation};

/// What is counted, and how often it happens at least in 400,000 calls.
const LEAST: [(&str, u64); 33] = [
    ("deposits into an idle pool", 2_000),
    ("deposits beside a position", 60),
    ("withdrawals of an idle pool", 300),
    ("withdrawals beside a position", 60),
    ("withdrawals at a gain", 50),
    ("withdrawals at a loss", 30),
    ("withdrawals in part", 15),
    ("spent pools", 5),
    ("stakes", 2_000),
    ("unstakes at a gain", 30),
    ("unstakes at a loss", 150),
    ("unstakes in part", 12),
    ("unstakes for nothing", 100),
    ("worthless stakes", 25),
    ("incomes of stakes", 2_000),
    ("draws on stakes", 400),
    ("takes", 500),
    ("takes that enlarge a position", 400),
    ("takes that reduce a position", 25),
    ("takes that turn a position", 25),
    ("takes beside the book", 50),
    ("takes in part", 200),
    ("takes with a discount", 250),
    ("takes of a rescue", 200),
    ("takes with a premium", 60),
    ("unwinds of all that is due", 120),
    ("unwinds in part", 30),
    ("unwinds that close a position", 40),
    ("unwinds that pay a keeper", 50),
    ("margin into a position", 100),
    ("margin out of a position", 30),
    ("pools liquidated", 20),
    ("pools deleveraged", 10),
];

/// Calls to which [`LEAST`] belongs.
const CALLS: u64 = 400_000;

/// Why calls about funds are refused, each at least once.
const REFUSALS: [BallastError; 22] = [
    BallastError::DepositTooSmall,
    BallastError::ExitTooLittle,
    BallastError::InsuranceLimited,
    BallastError::MarketInsolvent,
    BallastError::NothingPayable,
    BallastError::NothingToSync,
    BallastError::NotOwner,
    BallastError::PoolCannotTake,
    BallastError::PoolClosed,
    BallastError::PoolHasPosition,
    BallastError::PoolNotSpent,
    BallastError::PoolParams,
    BallastError::RequestLapsed,
    BallastError::RequestMissing,
    BallastError::RequestTooEarly,
    BallastError::SharesLeft,
    BallastError::SharesMissing,
    BallastError::StakeFloor,
    BallastError::TradersNotDistinct,
    BallastError::UnwindTooEarly,
    BallastError::WrongFund,
    BallastError::ZeroAmount,
];

/// How often each thing happened.
#[derive(Default)]
pub struct Funds(BTreeMap<&'static str, u64>);

impl Funds {
    fn happened(&mut self, what: &'static str, whether: bool) {
        *self.0.entry(what).or_default() += u64::from(whether);
    }

    fn times(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or_default()
    }

    /// Counts a call that was accepted.
    pub fn count(&mut self, operation: &Operation, effect: &Effect, before: &Model, after: &Model) {
        self.look(operation, before, after);
        match (operation.call(), effect) {
            (Operation::Fund { market, call }, _) => {
                let holds = before.owned(*market, pool_trader(*market)).is_some();
                self.fund_call(call, effect, holds);
            }
            (Operation::SyncPool { market }, _) => {
                let free = |model: &Model| model.trader(pool_trader(*market)).free;
                self.happened("margin into a position", free(after) < free(before));
                self.happened("margin out of a position", free(after) > free(before));
            }
            (Operation::Liquidate(call), Effect::Matched(matched)) => {
                let pool = call.trader == pool_trader(call.market);
                self.happened("pools liquidated", pool);
                self.take(matched);
            }
            (Operation::UnwindPool(call), Effect::Matched(matched)) => {
                let closed = after.owned(call.market, pool_trader(call.market)).is_none();
                self.happened("unwinds that close a position", closed);
                self.unwind(matched);
            }
            (Operation::Deleverage(call), _) => {
                let pool = call.bankrupt == pool_trader(call.market);
                self.happened("pools deleveraged", pool);
            }
            _ => {}
        }
    }

    fn fund_call(&mut self, call: &FundCall, effect: &Effect, holds: bool) {
        match (call, effect) {
            (FundCall::DepositPool { .. }, _) => {
                self.happened("deposits into an idle pool", !holds);
                self.happened("deposits beside a position", holds);
            }
            (FundCall::WithdrawPool { .. }, Effect::Paid(paid)) => {
                self.happened("withdrawals of an idle pool", !holds);
                self.happened("withdrawals beside a position", holds);
                self.happened("withdrawals at a gain", is_gain(paid));
                self.happened("withdrawals at a loss", is_loss(paid));
                self.happened("withdrawals in part", paid.partial);
            }
            (FundCall::Stake { .. }, _) => self.happened("stakes", true),
            (FundCall::Unstake { .. }, Effect::Paid(paid)) => {
                self.happened("unstakes at a gain", is_gain(paid));
                self.happened("unstakes at a loss", is_loss(paid));
                self.happened("unstakes in part", paid.partial);
                self.happened("unstakes for nothing", paid.atoms == 0);
            }
            _ => {}
        }
    }

    /// What became of shares and stakes.
    fn look(&mut self, operation: &Operation, before: &Model, after: &Model) {
        for (before, after) in before.markets.iter().zip(&after.markets) {
            if let (Some(before), Some(after)) = (&before.stakes, &after.stakes) {
                self.happened("worthless stakes", before.epoch < after.epoch);
            }
            if let (Some(before), Some(after)) = (&before.pool, &after.pool) {
                self.happened("spent pools", before.fund.epoch < after.fund.epoch);
            }
            if !matches!(operation, Operation::Fund { .. }) {
                let (was, is) = (before.insurance.staked, after.insurance.staked);
                self.happened("incomes of stakes", is > was);
                self.happened("draws on stakes", is < was);
            }
        }
    }

    fn take(&mut self, matched: &Matched) {
        let Done::Liquidation {
            took: Some(took),
            bankrupt,
            lots,
            taken,
            left,
            ..
        } = matched.done
        else {
            return;
        };
        let ([before, after], [discount, premium]) = (took.lots, took.earned);
        let turned = before * after < 0;
        self.happened("takes", true);
        self.happened("takes that turn a position", turned);
        let larger = after.abs() > before.abs();
        self.happened("takes that enlarge a position", !turned && larger);
        self.happened("takes that reduce a position", !turned && !larger);
        self.happened("takes beside the book", lots > taken);
        self.happened("takes in part", left > 0);
        self.happened("takes with a discount", discount > 0);
        self.happened("takes of a rescue", bankrupt);
        self.happened("takes with a premium", premium > 0);
    }

    fn unwind(&mut self, matched: &Matched) {
        let Done::Unwind { due, keeper, .. } = matched.done else {
            return;
        };
        let closed: i128 = matched.fills.iter().map(|fill| fill.lots).sum();
        self.happened("unwinds of all that is due", closed == due);
        self.happened("unwinds in part", closed < due);
        self.happened("unwinds that pay a keeper", keeper > 0);
    }

    /// Fails unless all of it happened often enough in so many calls, `errors` being those of refusals.
    pub fn require_variety(&self, calls: u64, errors: &BTreeMap<u32, u64>) {
        for (what, least) in LEAST {
            let count = self.times(what);
            let due = least * calls / CALLS;
            assert!(count >= due, "{what}: {count}, less than {due}");
        }
        for error in REFUSALS {
            let number = u32::from(error);
            assert!(errors.contains_key(&number), "never {error:?}");
        }
    }
}

/// What was gained since the request is forgone.
fn is_gain(paid: &Paid) -> bool {
    paid.now > paid.then
}

/// What was lost since the request is borne.
fn is_loss(paid: &Paid) -> bool {
    paid.now < paid.then
}

impl fmt::Display for Funds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, _) in LEAST {
            writeln!(f, "{what:<30} {:>9}", self.times(what))?;
        }
        Ok(())
    }
}
