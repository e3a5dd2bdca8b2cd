//! What happened in the books of the histories.

use std::fmt;

use crate::model::{Done, Fill, Matched, Model, Reason};
use crate::operation::{CrossCall, Operation};

/// How often each thing happened.
#[derive(Default)]
pub struct Books {
    fills: u64,
    /// Calls that filled several orders.
    several: u64,
    /// Orders filled in part.
    parts: u64,
    /// Makers that changed sides.
    turned: u64,
    /// Makers that closed.
    closed: u64,
    /// Makers that got a rebate.
    rebates: u64,
    /// Orders removed because they had expired, were unhealthy, found no room in the queue, shrank
    /// with the position, gave way.
    removed: [u64; 5],
    /// Own orders that went.
    own: u64,
    /// Calls that ended because a maker was not listed.
    ended: u64,
    /// Calls that passed an order over which stayed.
    stayed: u64,
    /// Orders that traded and then waited.
    rested: u64,
    /// Liquidations that the book took part in, alone, or together with the liquidator.
    liquidations: [u64; 2],
    /// Liquidations that finished a step.
    follow_ups: u64,
    /// Fills of positions without equity, insurance paying or not.
    bankrupt: [u64; 2],
    /// Rewards for fills.
    rewards: u64,
    /// Triggers with lots left, and without.
    triggers: [u64; 2],
    /// Protective steps with lots left, and without.
    steps: [u64; 2],
    /// Books with a full side after a call.
    full: u64,
    /// Markets deep enough for a premium after a call.
    deep: u64,
}

impl Books {
    /// Counts a match.
    pub fn count(&mut self, matched: &Matched) {
        let count = |holds: &dyn Fn(&Fill) -> bool| {
            let such = matched.fills.iter().filter(|fill| holds(fill));
            u64::try_from(such.count()).expect("few fills")
        };
        let fills = count(&|_| true);
        self.fills += fills;
        self.several += u64::from(fills > 1);
        self.parts += count(&|fill| fill.left > 0);
        self.turned += count(&|fill| fill.before * fill.after < 0);
        self.closed += count(&|fill| fill.after == 0);
        self.rebates += count(&|fill| fill.maker_fee < 0);
        for removed in &matched.removed {
            self.removed[match removed.reason {
                Reason::Expired => 0,
                Reason::Unhealthy => 1,
                Reason::NothingToReduce => panic!("a reduce-only order without a position"),
                Reason::NoRoom => 2,
                Reason::Reduced => 3,
                Reason::Evicted => 4,
            }] += 1;
        }
        self.own += u64::from(!matched.own.is_empty());
        self.stayed += u64::from(matched.stayed > 0);
        self.ended += u64::from(matched.ended);
        match matched.done {
            Done::Order { resting, .. } => self.rested += u64::from(fills > 0 && resting > 0),
            Done::Liquidation {
                taken,
                follow_up,
                bankrupt,
                rewards,
                paid,
                ..
            } if fills > 0 => {
                self.liquidations[usize::from(taken > 0)] += 1;
                self.follow_ups += u64::from(follow_up);
                if bankrupt {
                    self.bankrupt[usize::from(paid > 0)] += 1;
                }
                self.rewards += u64::from(rewards > 0);
            }
            Done::Liquidation { follow_up, .. } => self.follow_ups += u64::from(follow_up),
            Done::Unwind { .. } => {}
            Done::Step { left, .. } => self.steps[usize::from(left == 0)] += 1,
            Done::Trigger { left, .. } => self.triggers[usize::from(left == 0)] += 1,
        }
    }

    /// Looks at the books after a call.
    pub fn look(&mut self, model: &Model) {
        for market in 0..model.markets.len() {
            let book = model.book(market);
            let full = book.sides.iter().any(|side| side.len() == book.capacity);
            self.full += u64::from(full);
            let (bid, ask) = model.impact_prices(market);
            self.deep += u64::from(bid > 0 && ask > 0);
        }
    }

    /// Fails unless all of it happened.
    pub fn require_variety(&self) {
        let all = [
            ("fills", self.several),
            ("fills in part", self.parts),
            ("makers that turned", self.turned),
            ("makers that closed", self.closed),
            ("rebates", self.rebates),
            ("expired orders", self.removed[0]),
            ("unhealthy orders", self.removed[1]),
            ("orders without room in the queue", self.removed[2]),
            ("reduce-only orders that shrank", self.removed[3]),
            ("orders that gave way", self.removed[4]),
            ("own orders met", self.own),
            ("calls that passed an order over", self.stayed),
            ("lists that ended", self.ended),
            ("rests", self.rested),
            ("liquidations by the book", self.liquidations[0]),
            ("liquidations by book and liquidator", self.liquidations[1]),
            ("finished steps", self.follow_ups),
            ("bankruptcies in the book", self.bankrupt[0]),
            ("bankruptcies with insurance", self.bankrupt[1]),
            ("rewards", self.rewards),
            ("triggers with lots left", self.triggers[0]),
            ("triggers at their end", self.triggers[1]),
            ("steps with lots left", self.steps[0]),
            ("steps at their end", self.steps[1]),
            ("full sides", self.full),
            ("impact prices", self.deep),
        ];
        for (what, count) in all {
            assert!(count > 0, "no {what}");
        }
    }
}

impl fmt::Display for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [expired, unhealthy, crowded, reduced, evicted] = self.removed;
        let ([alone, together], [book, insured]) = (self.liquidations, self.bankrupt);
        writeln!(
            f,
            "books: {} fills, {} calls with several, {} in part, {} makers turned, {} closed, {} rebates; \
             removed: {expired} expired, {unhealthy} unhealthy, {crowded} without room, {reduced} shrunk, {evicted} gave way; {} times own orders, \
             {} passed an order over, {} lists ended, {} orders traded and waited; {} times a side full, {} impact prices",
            self.fills,
            self.several,
            self.parts,
            self.turned,
            self.closed,
            self.rebates,
            self.own,
            self.stayed,
            self.ended,
            self.rested,
            self.full,
            self.deep,
        )?;
        writeln!(
            f,
            "liquidations: {alone} by the book, {together} by book and liquidator, {} steps finished, {} rewards; \
             bankrupt: {book} by the book, {insured} with insurance; triggers: {} with lots left, {} at their end; \
             protective steps: {} with lots left, {} at their end",
            self.follow_ups,
            self.rewards,
            self.triggers[0],
            self.triggers[1],
            self.steps[0],
            self.steps[1],
        )
    }
}

/// The market of a call that may meet orders.
pub fn market_of(operation: &Operation) -> Option<usize> {
    match operation.call() {
        Operation::PlaceOrder(placing)
        | Operation::ReplaceOrder { placing, .. }
        | Operation::Cross(CrossCall::Trade { placing, .. }) => Some(placing.market),
        Operation::Liquidate(call) | Operation::Cross(CrossCall::Liquidate { call, .. }) => {
            Some(call.market)
        }
        Operation::ExecuteTrigger(call) => Some(call.market),
        Operation::ExecuteProtection(call) => Some(call.market),
        Operation::UnwindPool(call) => Some(call.market),
        _ => None,
    }
}
