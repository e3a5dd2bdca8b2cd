//! What everybody has, what honest accounts agreed to, and the property itself.

use std::collections::BTreeMap;

use anchor_lang::prelude::Pubkey;
use ballast_engine::funding::FUNDING_SCALE;
use ballast_engine::liquidation::{health, Health};
use ballast_engine::units::LotPrice;
use ballast_sandbox::{MarketCookie, Quote, Sandbox, TraderCookie, TxOutcome};
use ballast_state::book_account::OrderSide;
use ballast_state::events::{
    AutoDeleveraged, BallastEvent, OrderFilled, OrderPlaced, PositionLiquidated,
};
use ballast_state::market::Market;
use ballast_state::position_slot::PositionSlot;

/// Most that a liquidation costs its victim, in basis points of what is closed: the discount and the fee.
const MOST_CHARGED_BPS: i128 = 125;

/// What an honest account has if nothing but trades at prices it agreed to moves it.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Collateral less what its lots cost, funding paid, atoms.
    pub cash: i128,
    /// Signed.
    pub lots: i128,
}

impl Agreed {
    /// A lot at a tick is an atom.
    fn trade(&mut self, lots: i128, ticks: u64) {
        self.lots += lots;
        self.cash -= lots * i128::from(ticks);
    }

    /// At a price, atoms.
    pub fn worth(&self, ticks: u64) -> i128 {
        self.cash + self.lots * i128::from(ticks)
    }
}

/// What a member could take with it, and what is held for it.
#[derive(Clone, Copy, Debug)]
struct Purse {
    /// Free collateral and what its orders reserve, atoms.
    loose: i128,
    /// Held profit, atoms.
    held: i128,
    /// What it put into its position and has not taken out again, atoms.
    paid_in: i128,
    /// Signed.
    lots: i64,
}

/// What is remembered from one call to the next.
#[derive(Clone)]
pub struct Ledger {
    /// Honest accounts.
    agreed: BTreeMap<Pubkey, Agreed>,
    /// Their slots before the call.
    slots: BTreeMap<Pubkey, PositionSlot>,
    /// The coalition's accounts.
    coalition: Vec<Pubkey>,
    /// The honest keeper.
    keeper: TraderCookie,
    /// What the coalition began with, atoms.
    invested: i128,
    /// What honest accounts were worth when it began, atoms.
    began: i128,
    /// Tokens that the coalition has outside, beyond those it began with, atoms.
    outside: i128,
    /// Rewards that were paid out of the fees, atoms.
    rewards: i128,
    /// What insurance paid, atoms.
    insured: i128,
    /// The coalition's accounts before the call.
    purses: BTreeMap<Pubkey, Purse>,
    /// Whether prices may leave a position bankrupt.
    pub gaps: bool,
    /// The market before the call.
    market: Market,
}

macro_rules! must {
    ($condition:expr, $($why:tt)+) => {
        if !$condition {
            panic!("{}{}", BROKEN, format!($($why)+));
        }
    };
}

/// What a message begins with that says that the property does not hold.
pub const BROKEN: &str = "the property does not hold: ";

impl Ledger {
    /// Begins with what the accounts have.
    pub fn open(
        sandbox: &Sandbox,
        market: &MarketCookie,
        honest: &[Pubkey],
        coalition: Vec<Pubkey>,
        keeper: &TraderCookie,
        ticks: u64,
    ) -> Self {
        let mut ledger = Self {
            agreed: BTreeMap::new(),
            slots: BTreeMap::new(),
            coalition,
            keeper: keeper.clone(),
            invested: 0,
            began: 0,
            outside: 0,
            rewards: 0,
            insured: 0,
            purses: BTreeMap::new(),
            gaps: false,
            market: sandbox.market(market),
        };
        for account in honest {
            let has = ledger.has(sandbox, market, account);
            ledger.agreed.insert(*account, has);
        }
        ledger.began = ledger.honest(ticks);
        let members = ledger.coalition.iter();
        let has = members.map(|one| ledger.has(sandbox, market, one).worth(ticks));
        ledger.invested = has.sum();
        ledger.remember(sandbox, market);
        ledger
    }

    /// Tokens that the coalition took out of the exchange, or brought in when negative.
    pub fn withdrawn(&mut self, atoms: i128) {
        self.outside += atoms;
    }

    /// Takes in what a call did at the price that was `posted`, and checks everybody at the `newest`.
    ///
    /// # Panics
    /// Where the property does not hold.
    pub fn observe(
        &mut self,
        sandbox: &Sandbox,
        market: &MarketCookie,
        outcome: &TxOutcome,
        posted: &Quote,
        newest: u64,
    ) {
        let after = sandbox.market(market);
        self.accrue(&after);
        let before = std::mem::replace(&mut self.market, after);
        let (mut paid, mut held_paid) = (0, 0);
        let mut willing = true;
        for event in &outcome.events {
            match event {
                BallastEvent::OrderPlaced(placed) => self.placed(placed),
                BallastEvent::PositionLiquidated(event) => {
                    paid += event.insurance_paid_atoms;
                    held_paid += event.held_paid_atoms;
                    self.filled(&event.fills);
                    self.liquidated(event, &before, posted, sandbox, market);
                }
                BallastEvent::TriggerExecuted(executed) => self.filled(&executed.fills),
                BallastEvent::ProtectionExecuted(executed) => self.filled(&executed.fills),
                BallastEvent::AutoDeleveraged(round) => {
                    paid += round.insurance_paid_atoms;
                    held_paid += round.held_paid_atoms;
                    self.deleveraged(round, sandbox, market);
                    willing = false;
                }
                BallastEvent::Deposited(_) | BallastEvent::Withdrawn(_) => willing = false,
                BallastEvent::ProfitReleased(_) => {
                    willing = false;
                    self.released(sandbox, market, posted);
                }
                _ => {}
            }
        }
        self.insured += i128::from(paid);
        if held_paid > 0 {
            self.pay_of_what_is_held(held_paid, sandbox, market);
        }
        if willing {
            self.nobody_leaves_with_what_is_missing(sandbox, market, posted);
        }
        let kept = self.market.insurance.balance + paid >= before.insurance.balance;
        must!(kept, "insurance lost more than it paid to deficits");
        must!(self.gaps || paid == 0, "insurance paid {paid}");
        self.check(sandbox, market, newest);
        self.remember(sandbox, market);
    }

    /// What has passed is charged at the price that stood, at the base rate.
    fn accrue(&mut self, after: &Market) {
        let (was, is) = (self.market.funding, after.funding);
        let seconds = i128::from(is.last_timestamp - was.last_timestamp);
        let exact = |index: i64, carry: u64| {
            i128::from(index) * i128::from(FUNDING_SCALE) + i128::from(carry)
        };
        let rate = i128::from(self.market.params().funding_rate_ppm_per_hour);
        let price = i128::from(self.market.last_price.ticks);
        let due = exact(was.index.get(), was.carry) + rate * seconds * price;
        let charged = exact(is.index.get(), is.carry);
        must!(
            charged == due,
            "funding of {seconds} s at {price} came to {charged}, not {due}"
        );
        let moved = i128::from(is.index.get() - was.index.get());
        for agreed in self.agreed.values_mut() {
            agreed.cash -= agreed.lots * moved;
        }
    }

    fn placed(&mut self, placed: &OrderPlaced) {
        self.filled(&placed.fills);
        let Some(taker) = self.agreed.get_mut(&placed.trader) else {
            return;
        };
        let sign = match placed.side {
            OrderSide::Bid => 1,
            OrderSide::Ask => -1,
        };
        for fill in &placed.fills {
            taker.trade(sign * i128::from(fill.lots), fill.price_ticks);
            taker.cash -= i128::from(fill.taker_fee);
        }
        taker.cash += i128::from(placed.collected_atoms);
    }

    /// Makers agreed to the prices of their orders.
    fn filled(&mut self, fills: &[OrderFilled]) {
        for fill in fills {
            if let Some(maker) = self.agreed.get_mut(&fill.maker) {
                let (lots, after) = (i128::from(fill.lots), i128::from(fill.maker_lots_after));
                let signed = if maker.lots + lots == after {
                    lots
                } else {
                    -lots
                };
                maker.trade(signed, fill.price_ticks);
                maker.cash -= i128::from(fill.maker_fee);
            }
        }
    }

    /// An honest victim was below maintenance at a price that could be used, and lost no more than
    /// discount and fee; a liquidator agreed to what it took over.
    fn liquidated(
        &mut self,
        event: &PositionLiquidated,
        before: &Market,
        posted: &Quote,
        sandbox: &Sandbox,
        market: &MarketCookie,
    ) {
        let deficit = event.equity_before_atoms.min(0).unsigned_abs();
        let closed = event.lots.unsigned_abs();
        self.rescued(
            deficit,
            closed,
            event.lots_before.unsigned_abs(),
            event.insurance_paid_atoms + event.held_paid_atoms,
            event.reward_atoms,
        );
        self.rewards += i128::from(event.reward_atoms);
        if !self.coalition.contains(&event.liquidator) {
            let has = self.has(sandbox, market, &event.liquidator);
            self.agreed.insert(event.liquidator, has);
        }
        let Some(agreed) = self.agreed.get(&event.trader).copied() else {
            return;
        };
        let slot = self.slots[&event.trader];
        let age = sandbox.time() - posted.publish_time;
        let risk = before.params();
        let limit = match slot.flagged_slot {
            0 => risk.price_age(),
            _ => risk.oldest_price_age(),
        };
        must!(
            posted.publish_time >= before.last_price.publish_time && age <= limit.cast_signed(),
            "{} was liquidated at a price {age} s old, where one of {} s is recorded",
            event.trader,
            sandbox.time() - before.last_price.publish_time
        );
        let position = slot.position().expect("a position");
        let position = position.settle(self.market.funding.index).expect("funding");
        let mark = LotPrice::new(event.mark_ticks).expect("a price");
        let healthy = health(&position, mark, risk) == Ok(Health::Healthy);
        must!(!healthy, "{} was liquidated in health", event.trader);
        let has = self.has(sandbox, market, &event.trader);
        let lost = agreed.worth(event.mark_ticks) - has.worth(event.mark_ticks);
        let notional = i128::from(closed) * i128::from(event.mark_ticks);
        must!(
            lost <= notional * MOST_CHARGED_BPS / 10_000,
            "{} lost {lost} by the liquidation of {notional}",
            event.trader
        );
        self.agreed.insert(event.trader, has);
    }

    /// A gap takes what is held of honest profits too, and no more than was paid so.
    fn pay_of_what_is_held(&mut self, paid: u64, sandbox: &Sandbox, market: &MarketCookie) {
        let mut lost = 0;
        for account in self.agreed.keys().copied().collect::<Vec<_>>() {
            let (has, agreed) = (self.has(sandbox, market, &account), self.agreed[&account]);
            if has.lots == agreed.lots && self.slots[&account].held_shares > 0 {
                lost += agreed.cash - has.cash;
                self.agreed.insert(account, has);
            }
        }
        must!(
            self.gaps && lost <= i128::from(paid) + 1,
            "honest accounts lost {lost} where held profit paid {paid}"
        );
    }

    fn deleveraged(&mut self, round: &AutoDeleveraged, sandbox: &Sandbox, market: &MarketCookie) {
        let (closed, size) = (round.lots_closed, round.lots_before.unsigned_abs());
        let paid = round.insurance_paid_atoms + round.held_paid_atoms;
        let saved = paid + round.gave_up_atoms;
        self.bounded(round.reward_atoms, saved);
        self.closed_bankrupt(round.deficit_before_atoms, closed, size, paid);
        let reward = i128::from(round.reward_atoms);
        self.rewards += reward;
        if round.keeper == self.keeper.wallet.address() {
            let keeper = self.agreed.entry(self.keeper.address).or_default();
            keeper.cash += reward;
        }
        for cut in &round.cuts {
            let Some(agreed) = self.agreed.get(&cut.trader).copied() else {
                continue;
            };
            let has = self.has(sandbox, market, &cut.trader);
            let lost = agreed.worth(round.mark_ticks) - has.worth(round.mark_ticks);
            // Of what is held for it the round may have been paid as well.
            let most = match self.slots[&cut.trader].held_shares {
                0 => cut.gave_up_atoms,
                _ => cut.gave_up_atoms + round.held_paid_atoms,
            };
            must!(
                self.gaps && lost <= i128::from(most),
                "{} lost {lost} where it gave up {most}",
                cut.trader
            );
            self.agreed.insert(cut.trader, has);
        }
        must!(
            saved <= round.deficit_before_atoms,
            "{saved} was paid for a deficit of {}",
            round.deficit_before_atoms
        );
    }

    fn rescued(&self, deficit: u64, closed: u64, size: u64, paid: u64, reward: u64) {
        self.bounded(reward, paid);
        self.closed_bankrupt(deficit, closed, size, paid);
    }

    /// A reward is at most a tenth of what the call saved.
    fn bounded(&self, reward: u64, saved: u64) {
        must!(reward * 10 <= saved, "{saved} saved earned {reward}");
    }

    /// Insurance pays for the lots that are closed, and for no others.
    fn closed_bankrupt(&self, deficit: u64, closed: u64, size: u64, paid: u64) {
        let share = u128::from(deficit) * u128::from(closed) / u128::from(size.max(1));
        must!(
            u128::from(paid) <= share,
            "{paid} was paid for {closed} of {size} lots that lacked {deficit}"
        );
    }

    fn check(&self, sandbox: &Sandbox, market: &MarketCookie, newest: u64) {
        for (account, agreed) in &self.agreed {
            let has = self.has(sandbox, market, account);
            must!(
                has == *agreed,
                "{account} has {has:?} and agreed to {agreed:?}"
            );
        }
        let members = self.coalition.iter();
        let has: i128 = members
            .map(|member| self.has(sandbox, market, member).worth(newest))
            .sum();
        let gained = has + self.outside - self.invested;
        let lost = self.began - self.honest(newest);
        must!(
            gained <= lost + self.rewards + self.insured,
            "the coalition gained {gained}, honest accounts lost {lost}, insurance {}",
            self.insured
        );
    }

    /// Of what a member took out of its position beyond what it had put in, as much is held as the market
    /// is short of.
    fn nobody_leaves_with_what_is_missing(
        &self,
        sandbox: &Sandbox,
        market: &MarketCookie,
        posted: &Quote,
    ) {
        let short_of = self.shortfall(sandbox, market, posted.ticks);
        for (account, was) in &self.purses {
            let is = self.purse(sandbox, market, account);
            if short_of == 0 || was.lots == 0 || i128::from(was.lots) * i128::from(is.lots) < 0 {
                continue;
            }
            let out = is.loose + is.held - was.loose - was.held;
            let profit = out - was.paid_in;
            // Rewards for the work of others are no profit.
            let due = profit.min(short_of) - self.rewards;
            must!(
                is.held >= due - 2,
                "{account} left with a profit of {profit} where {short_of} is missing and {} held",
                is.held
            );
        }
    }

    /// Of each part of what is held as much stays as the market is short of.
    fn released(&self, sandbox: &Sandbox, market: &MarketCookie, posted: &Quote) {
        let short_of = self.shortfall(sandbox, market, posted.ticks);
        for (account, was) in &self.purses {
            let held = self.purse(sandbox, market, account).held;
            must!(
                held >= was.held.min(short_of) - 2,
                "{account} was released from {} to {held} where {short_of} is missing",
                was.held
            );
        }
    }

    /// What all positions together lack at a price, less what insurance may pay, atoms.
    fn shortfall(&self, sandbox: &Sandbox, market: &MarketCookie, ticks: u64) -> i128 {
        let mark = LotPrice::new(ticks).expect("a price");
        let accounts = self.agreed.keys().chain(&self.coalition);
        let lacking: i128 = accounts
            .filter_map(|account| sandbox.position(market, account))
            .map(|slot| {
                let position = slot.position().expect("a position");
                let settled = position.settle(self.market.funding.index);
                let equity = settled.expect("funding").equity(mark).expect("equity");
                -i128::from(equity.get().min(0))
            })
            .sum();
        let insured = self.market.insurance_available(sandbox.slot());
        (lacking - i128::from(insured.expect("a balance"))).max(0)
    }

    fn purse(&self, sandbox: &Sandbox, market: &MarketCookie, account: &Pubkey) -> Purse {
        let free = i128::from(sandbox.trader(account).free);
        let slot = sandbox.position(market, account);
        let slot = slot.unwrap_or_else(bytemuck::Zeroable::zeroed);
        let held = self.market.held.value(&slot.held_claim());
        Purse {
            loose: free + i128::from(slot.order_margin),
            held: i128::from(held.expect("a sound claim")),
            paid_in: i128::from(slot.paid_in),
            lots: slot.lots,
        }
    }

    /// What the account holds, funding paid.
    fn has(&self, sandbox: &Sandbox, market: &MarketCookie, account: &Pubkey) -> Agreed {
        let trader = sandbox.trader(account);
        let mut has = Agreed {
            cash: i128::from(trader.free),
            lots: 0,
        };
        let key = market.keys.market;
        if let Some(slot) = trader.positions.iter().find(|slot| slot.market == key) {
            let held = i128::from(slot.order_margin) + i128::from(slot.margin);
            let profit = self.market.held.value(&slot.held_claim());
            let profit = profit.expect("a sound claim");
            has.cash += held + i128::from(profit) - i128::from(slot.entry_quote);
            has.lots = i128::from(slot.lots);
            let passed = self.market.funding.index.get() - slot.funding_index;
            has.cash -= has.lots * i128::from(passed);
        }
        has
    }

    fn honest(&self, ticks: u64) -> i128 {
        self.agreed.values().map(|agreed| agreed.worth(ticks)).sum()
    }

    fn remember(&mut self, sandbox: &Sandbox, market: &MarketCookie) {
        for account in self.agreed.keys() {
            let slot = sandbox.position(market, account);
            self.slots
                .insert(*account, slot.unwrap_or_else(bytemuck::Zeroable::zeroed));
        }
        for account in &self.coalition {
            let purse = self.purse(sandbox, market, account);
            self.purses.insert(*account, purse);
        }
    }
}
