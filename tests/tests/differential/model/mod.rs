//! The reference: the exchange written down once more from its documents, as simply as possible.
//!
//! Vectors instead of trees, exact fractions instead of cross products, sums over everything
//! instead of counters, sorting instead of bounds. A call works on a copy which replaces the state
//! only if nothing was refused. Of the program only parameter structures and error names are used.

mod asked;
mod book;
mod checkpoints;
mod collateral;
mod cross;
mod cross_ranking;
mod cross_round;
mod delegate;
mod deleverage;
mod ending;
mod fill;
mod forced;
mod fund;
mod funding;
mod held;
mod holding;
mod insurance;
mod leg_trade;
mod legs;
mod liquidate;
mod number;
mod oracle;
mod orders;
mod pool;
mod protection;
mod ranking;
mod refusal;
mod round;
mod session;
mod stakes;
mod state;
mod take;
mod trade;
mod trigger;
mod unwind;
mod volatility;
mod waterfall;

pub use book::{Book, Order};
pub use cross::{Account, Leg, Weakness};
pub use cross_round::{CrossMade, LegMade};
pub use fill::{Done, Fill, Matched, Reason, Removed};
pub use fund::{Fund, Paid, Shareholder};
pub use funding::Funding;
pub use holding::Holding;
pub use legs::{DRAW_CAP_BPS, MARK_AGE, MOST_LOTS};
pub use liquidate::Health;
pub use oracle::{Past, Quoted};
pub use pool::{pool_trader, Pool};
pub use protection::Protection;
pub use refusal::{Refusal, Verdict};
pub use round::{Listed, RoundMade};
pub use session::{Member, Opened, Seen, Session};
pub use state::{Distress, Market, Model, Owned, Trader};
pub use take::Took;
pub use trade::{margin_due, Rate};
pub use trigger::Trigger;

use crate::operation::{CrossCall, FundCall, Operation};

/// What an accepted call did beyond the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing that is not in the state.
    State,
    /// A round of deleveraging.
    Round(Box<RoundMade>),
    /// Orders of the book were met, or might have been.
    Matched(Box<Matched>),
    /// A session begins.
    Opened(Opened),
    /// A session found nobody and opened the next pass.
    Passed,
    /// A fund paid somebody.
    Paid(Paid),
}

impl Effect {
    fn of(matched: Matched) -> Self {
        Self::Matched(Box::new(matched))
    }
}

impl Model {
    /// Performs a call, or refuses it and changes nothing.
    pub fn perform(&mut self, operation: &Operation) -> Verdict<Effect> {
        let mut next = self.clone();
        if operation.moves_positions() {
            next.disturb_sessions();
        }
        let books: Vec<Book> = self.markets.iter().map(|one| one.book.clone()).collect();
        next.taken.clear();
        let effect = next.attempt(operation)?;
        // Who is deleveraged has no choice.
        if !operation.deleverages() {
            next.withhold()?;
        }
        next.record_impacts(&books);
        next.tidy_slots();
        *self = next;
        Ok(effect)
    }

    fn attempt(&mut self, operation: &Operation) -> Verdict<Effect> {
        match operation {
            Operation::CreateTrader { trader } => self.create_trader(*trader)?,
            Operation::CloseTrader { trader } => self.close_trader(*trader)?,
            Operation::Deposit { trader, amount } => self.deposit(*trader, i128::from(*amount))?,
            Operation::Withdraw { trader, amount } => {
                self.withdraw(*trader, i128::from(*amount))?;
            }
            Operation::AddMargin {
                market,
                trader,
                amount,
            } => self.add_margin(*market, *trader, i128::from(*amount))?,
            Operation::RemoveMargin {
                market,
                trader,
                amount,
            } => self.remove_margin(*market, *trader, i128::from(*amount))?,
            Operation::Trade(trade) => self.block_trade(trade)?,
            Operation::AccrueFunding { market } => {
                self.touch(*market, oracle::Use::Funding)?;
            }
            Operation::Flag { market, trader } => self.flag(*market, *trader)?,
            Operation::Liquidate(call) => return self.liquidate(call).map(Effect::of),
            Operation::PlaceOrder(placing) => {
                return self.place_order(placing, None).map(Effect::of);
            }
            Operation::CancelOrder {
                market,
                trader,
                which,
            } => self.cancel_order(*market, *trader, *which)?,
            Operation::CancelAllOrders {
                market,
                trader,
                side,
            } => self.cancel_all_orders(*market, *trader, *side)?,
            Operation::ReplaceOrder { which, placing } => {
                return self.place_order(placing, Some(*which)).map(Effect::of);
            }
            Operation::PlaceTrigger(setting) => self.place_trigger(setting)?,
            Operation::CancelTrigger {
                market,
                trader,
                kind,
            } => self.cancel_trigger(*market, *trader, *kind)?,
            Operation::ExecuteTrigger(call) => {
                return self.execute_trigger(call).map(Effect::of);
            }
            Operation::CreateProtection { market, trader } => {
                self.create_protection(*market, *trader)?;
            }
            Operation::SetProtection(setting) => self.set_protection(setting)?,
            Operation::CloseProtection { market, trader } => {
                self.close_protection(*market, *trader)?;
            }
            Operation::ExecuteProtection(call) => {
                return self.execute_protection(call).map(Effect::of);
            }
            Operation::Deleverage(call) => {
                let round = self.deleverage(call)?;
                return Ok(Effect::Round(Box::new(round)));
            }
            Operation::OpenSession { market, bankrupt } => {
                return self.open_session(*market, *bankrupt);
            }
            Operation::AdvanceSession { session, .. } => self.advance_session(session)?,
            Operation::ExecuteSession {
                session,
                receiver,
                list,
            } => return self.execute_session(session, *receiver, list),
            Operation::CloseSession { session } => self.close_session(session)?,
            Operation::Donate {
                market,
                wallet,
                amount,
            } => self.donate(*market, *wallet, i128::from(*amount))?,
            Operation::Sweep { market } => self.sweep(*market)?,
            Operation::Release { market, traders } => self.release_profit(*market, traders)?,
            Operation::SetMode {
                market,
                reduce_only,
            } => self.markets[*market].reduce_only = *reduce_only,
            Operation::SetDelegate {
                trader,
                delegate,
                block_trades,
            } => self.set_delegate(*trader, *delegate, *block_trades),
            Operation::Signed { by, call } => {
                self.require_signer(*by, call)?;
                return self.attempt(call);
            }
            Operation::UnwindPool(call) => return self.unwind_pool(call).map(Effect::of),
            Operation::SyncPool { market } => self.sync_pool(*market)?,
            Operation::Fund { market, call } => return self.fund_call(*market, call),
            Operation::Cross(CrossCall::Liquidate { call, queues }) => {
                return self.liquidate_leg(call, queues).map(Effect::of);
            }
            Operation::Cross(CrossCall::Trade { placing, queues }) => {
                return self.trade_leg(placing, queues).map(Effect::of);
            }
            Operation::Cross(CrossCall::Round { call, queues }) => {
                let round = self.deleverage_cross(call, queues)?;
                return Ok(Effect::Round(Box::new(round)));
            }
            Operation::Cross(call) => self.cross_call(call)?,
            Operation::Quote { market, quoted } => self.markets[*market].quoted = *quoted,
            Operation::Advance { slots, seconds } => {
                self.slot += slots;
                self.time += i128::from(*seconds);
            }
        }
        Ok(Effect::State)
    }

    fn fund_call(&mut self, market: usize, call: &FundCall) -> Verdict<Effect> {
        let atoms = |amount: u64| i128::from(amount);
        match call {
            FundCall::CreatePool { params } => self.create_pool(market, params)?,
            FundCall::OpenStakes => self.open_stakes(market)?,
            FundCall::CreateShare { fund, wallet } => self.create_share(*fund, *wallet)?,
            FundCall::CloseShare { fund, wallet } => self.close_share(*fund, *wallet)?,
            FundCall::DepositPool { who, amount } => {
                self.deposit_pool(market, *who, atoms(*amount))?;
            }
            FundCall::RequestPool { who, shares } => {
                self.request_pool(market, *who, atoms(*shares))?;
            }
            FundCall::CancelPoolRequest { who } => self.cancel_pool_request(market, *who)?,
            FundCall::WithdrawPool { who, least } => {
                let paid = self.withdraw_pool(market, *who, atoms(*least))?;
                return Ok(Effect::Paid(paid));
            }
            FundCall::ResetPool => self.reset_pool(market)?,
            FundCall::StopPool => self.stop_pool(market)?,
            FundCall::ChangePool { params } => self.change_pool(market, params)?,
            FundCall::Stake { who, amount } => self.stake(market, *who, atoms(*amount))?,
            FundCall::RequestUnstake { who, shares } => {
                self.request_unstake(market, *who, atoms(*shares))?;
            }
            FundCall::CancelUnstake { who } => self.cancel_unstake(market, *who)?,
            FundCall::Unstake { who, least } => {
                let paid = self.unstake(market, *who, atoms(*least))?;
                return Ok(Effect::Paid(paid));
            }
            FundCall::Gift { wallet, amount } => {
                self.pool(market)?;
                self.give(*wallet, pool_trader(market), atoms(*amount))?;
            }
        }
        Ok(Effect::State)
    }
}
