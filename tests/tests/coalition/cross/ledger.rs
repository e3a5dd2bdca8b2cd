//! What everybody has in two markets whose positions may be legs, and the property itself.

use std::collections::{BTreeMap, BTreeSet};

use anchor_lang::prelude::Pubkey;
use ballast_sandbox::{MarketCookie, Quote, Sandbox, TraderCookie, TxOutcome};
use ballast_state::book_account::OrderSide;
use ballast_state::cross::CrossBoard;
use ballast_state::events::{BallastEvent, CrossRound, OrderFilled, OrderPlaced, PositionSettled};
use ballast_state::market::Market;
use ballast_state::trader::Trader;

use super::values::{Marks, Rules, MARKETS};
use crate::ledger::BROKEN;

/// The part of what insurance may pay in its window that legs may get, basis points.
pub const DRAW_CAP_BPS: u32 = 2_500;
/// Atoms of rounding that a call may add to what is lacking: one for each leg and each counterparty.
const ROUNDING: i128 = 12;

/// What an honest account has if nothing but trades at prices it agreed to moves it.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(super) struct Agreed {
    /// Collateral less what its lots cost, funding paid, atoms.
    pub cash: i128,
    /// Signed, by market.
    pub lots: [i128; MARKETS],
}

impl Agreed {
    /// A lot at a tick is an atom.
    fn trade(&mut self, market: usize, lots: i128, ticks: u64) {
        self.lots[market] += lots;
        self.cash -= lots * i128::from(ticks);
    }

    /// At these prices, atoms.
    pub fn worth(&self, ticks: &[u64; MARKETS]) -> i128 {
        let lots = self.lots.iter().zip(ticks);
        self.cash
            + lots
                .map(|(lots, ticks)| lots * i128::from(*ticks))
                .sum::<i128>()
    }
}

/// The prices that a call was made at.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// What was posted for each market.
    pub posted: [Quote; MARKETS],
    /// The newest.
    pub newest: [u64; MARKETS],
}

/// What is remembered from one call to the next.
#[derive(Clone)]
pub struct Ledger {
    /// Keys and margins.
    pub rules: Rules,
    pub(super) cookies: [MarketCookie; MARKETS],
    pub(super) agreed: BTreeMap<Pubkey, Agreed>,
    pub(super) coalition: Vec<Pubkey>,
    pub(super) keeper: TraderCookie,
    /// What the coalition began with, atoms.
    pub(super) invested: i128,
    /// What honest accounts were worth when it began, atoms.
    pub(super) began: i128,
    /// Tokens that the coalition has outside, beyond those it began with, atoms.
    pub(super) outside: i128,
    /// Rewards that were paid out of the fees, atoms.
    pub(super) rewards: i128,
    /// What insurance and held profit paid, atoms.
    pub(super) insured: i128,
    /// What each market paid of it, and what of that for legs, atoms.
    pub(super) paid: [[u64; 2]; MARKETS],
    /// Everybody before the call.
    pub(super) traders: BTreeMap<Pubkey, Trader>,
    /// The markets before the call.
    pub(super) markets: [Market; MARKETS],
    /// The board before the call.
    pub(super) board: Box<CrossBoard>,
    /// Markets and accounts that were cut in them: they may be at their cap.
    pub(super) cut: BTreeSet<(usize, Pubkey)>,
    /// Whether prices may leave an account bankrupt.
    pub gaps: bool,
}

impl Ledger {
    /// Begins with what the accounts have.
    pub fn open(
        sandbox: &Sandbox,
        cookies: [MarketCookie; MARKETS],
        honest: &[Pubkey],
        coalition: Vec<Pubkey>,
        keeper: &TraderCookie,
        ticks: [u64; MARKETS],
    ) -> Self {
        let markets = cookies.each_ref().map(|cookie| sandbox.market(cookie));
        let mut ledger = Self {
            rules: Rules {
                keys: cookies.each_ref().map(|cookie| cookie.keys.market),
                risk: markets.each_ref().map(|market| market.risk),
            },
            cookies,
            agreed: BTreeMap::new(),
            coalition,
            keeper: keeper.clone(),
            invested: 0,
            began: 0,
            outside: 0,
            rewards: 0,
            insured: 0,
            paid: [[0; 2]; MARKETS],
            traders: BTreeMap::new(),
            markets,
            board: sandbox.board(),
            cut: BTreeSet::new(),
            gaps: false,
        };
        ledger.remember(sandbox, honest.iter().chain(&ledger.coalition.clone()));
        for account in honest {
            let has = ledger.has(account);
            ledger.agreed.insert(*account, has);
        }
        ledger.began = ledger.honest(&ticks);
        ledger.invested = ledger.members(&ticks);
        ledger
    }

    /// Tokens that the coalition took out of the exchange, or brought in when negative.
    pub fn withdrawn(&mut self, atoms: i128) {
        self.outside += atoms;
    }

    /// Takes in what a call did, and checks everybody at the newest prices.
    ///
    /// # Panics
    /// Where the property does not hold.
    pub fn observe(&mut self, sandbox: &Sandbox, outcome: &TxOutcome, scene: &Scene) {
        let before = self.clone();
        self.markets = self.cookies.each_ref().map(|cookie| sandbox.market(cookie));
        self.board = sandbox.board();
        let all: Vec<_> = self.traders.keys().copied().collect();
        self.remember(sandbox, all.iter());
        self.accrue(&before);
        let call = Call {
            before: &before,
            scene,
            now: (sandbox.slot(), sandbox.time()),
            legs: of_legs(outcome),
            round: outcome.events.iter().find_map(|event| match event {
                BallastEvent::CrossRound(round) => Some(round.as_ref()),
                _ => None,
            }),
        };
        let (mut willing, mut held_paid) = (true, 0);
        for event in &outcome.events {
            match event {
                BallastEvent::OrderPlaced(placed) => self.placed(placed),
                BallastEvent::TriggerExecuted(executed) => {
                    self.filled(&executed.market, &executed.fills);
                }
                BallastEvent::ProtectionExecuted(executed) => {
                    self.filled(&executed.market, &executed.fills);
                }
                BallastEvent::PositionLiquidated(event) => {
                    held_paid += event.held_paid_atoms;
                    self.liquidated(event, &call);
                }
                BallastEvent::AutoDeleveraged(round) => {
                    held_paid += round.held_paid_atoms;
                    self.deleveraged(round, &call);
                    willing = false;
                }
                BallastEvent::PositionSettled(settled) => {
                    self.settled(settled);
                    willing = false;
                }
                BallastEvent::Deposited(_)
                | BallastEvent::Withdrawn(_)
                | BallastEvent::CrossMoved(_)
                | BallastEvent::ProfitReleased(_) => willing = false,
                _ => {}
            }
        }
        for (market, was) in before.markets.iter().enumerate() {
            let is = &self.markets[market];
            let paid = self.paid[market][0] - before.paid[market][0];
            must!(
                is.insurance.balance + paid >= was.insurance.balance,
                "insurance lost more than it paid to deficits"
            );
        }
        if held_paid > 0 {
            self.pay_of_what_is_held(held_paid, &call);
        }
        if willing {
            self.nobody_leaves_with_what_is_missing(&call);
        }
        self.nothing_is_lacking(&call);
        self.check(sandbox, &scene.newest);
    }

    /// Funding that has passed is the same for all lots of a market.
    fn accrue(&mut self, before: &Self) {
        for market in 0..MARKETS {
            let index = |ledger: &Self| ledger.markets[market].funding.index.get();
            let moved = i128::from(index(self) - index(before));
            for agreed in self.agreed.values_mut() {
                agreed.cash -= agreed.lots[market] * moved;
            }
        }
    }

    fn placed(&mut self, placed: &OrderPlaced) {
        self.filled(&placed.market, &placed.fills);
        let market = self.rules.number(&placed.market);
        let Some(taker) = self.agreed.get_mut(&placed.trader) else {
            return;
        };
        let sign = match placed.side {
            OrderSide::Bid => 1,
            OrderSide::Ask => -1,
        };
        for fill in &placed.fills {
            taker.trade(market, sign * i128::from(fill.lots), fill.price_ticks);
            taker.cash -= i128::from(fill.taker_fee);
        }
        taker.cash += i128::from(placed.collected_atoms);
    }

    /// The market has taken the lots over at its last price.
    fn settled(&mut self, settled: &PositionSettled) {
        let market = self.rules.number(&settled.market);
        let ticks = u64::from(settled.final_ticks);
        if let Some(agreed) = self.agreed.get_mut(&settled.trader) {
            agreed.trade(market, -agreed.lots[market], ticks);
        }
    }

    /// Makers agreed to the prices of their orders.
    pub(super) fn filled(&mut self, market: &Pubkey, fills: &[OrderFilled]) {
        let market = self.rules.number(market);
        for fill in fills {
            if let Some(maker) = self.agreed.get_mut(&fill.maker) {
                let (lots, after) = (i128::from(fill.lots), i128::from(fill.maker_lots_after));
                let bought = maker.lots[market] + lots == after;
                let signed = if bought { lots } else { -lots };
                maker.trade(market, signed, fill.price_ticks);
                maker.cash -= i128::from(fill.maker_fee);
            }
        }
    }

    /// Of what a member took out of an isolated position beyond what it had put in, as much is held as the
    /// isolated positions of the market are short of. The pool is taken out as well.
    fn nobody_leaves_with_what_is_missing(&self, call: &Call) {
        for market in 0..MARKETS {
            let ticks = call.scene.posted[market].ticks;
            let short_of = self.shortfall(market, ticks, call.now.0);
            for member in self.coalition.iter().filter(|_| short_of > 0) {
                let (was, is) = (&call.before.traders[member], &self.traders[member]);
                let Some(slot) = self.rules.slot(was, market).filter(|slot| slot.lots != 0) else {
                    continue;
                };
                let left = self.rules.slot(is, market);
                let unchanged =
                    left.is_some_and(|left| (left.lots, left.margin) == (slot.lots, slot.margin));
                let turned = left.is_some_and(|left| left.lots.signum() * slot.lots.signum() < 0);
                if unchanged || turned {
                    continue;
                }
                let held = self.held(is, market);
                let out = loose(is) + held - loose(was) - call.before.held(was, market);
                let profit = out - i128::from(slot.paid_in);
                let due = profit.min(short_of) - self.rewards;
                must!(
                    held >= due - 2,
                    "{member} left with a profit of {profit} where {short_of} is missing and {held} held"
                );
            }
        }
    }

    /// What the isolated positions of a market lack at a price beyond what insurance may pay, atoms.
    fn shortfall(&self, market: usize, ticks: u64, slot: u64) -> i128 {
        let mut marks = self.newest(&[0; MARKETS]);
        marks.ticks[market] = ticks;
        let each = self.traders.values();
        let lacking: i128 = each
            .map(|trader| self.rules.lacking_in(trader, market, &marks))
            .sum();
        let insured = self.markets[market].insurance_available(slot);
        (lacking - i128::from(insured.expect("a balance"))).max(0)
    }

    /// Where a keeper is in time nobody ever lacks anything. Elsewhere a call at the newest prices, with the
    /// board at them, adds nothing to what is lacking.
    fn nothing_is_lacking(&self, call: &Call) {
        let marks = self.newest(&call.scene.newest);
        let is = self.lacking(&marks);
        if !self.gaps {
            must!(is == 0, "{is} is lacking where a keeper is in time");
            return;
        }
        let newest = |market: usize| {
            let entry = self.board.board.entry(self.place(market));
            let ticks = call.scene.newest[market];
            call.scene.posted[market].ticks == ticks && entry.expect("an entry").mark == ticks
        };
        let was = call.before.lacking(&marks);
        must!(
            !(0..MARKETS).all(newest) || is <= was + ROUNDING,
            "{is} is lacking where {was} was"
        );
    }

    fn lacking(&self, marks: &Marks) -> i128 {
        let each = self.traders.values();
        each.map(|trader| self.rules.lacking(trader, marks)).sum()
    }

    fn check(&self, sandbox: &Sandbox, newest: &[u64; MARKETS]) {
        for (account, agreed) in &self.agreed {
            let has = self.has(account);
            must!(
                has == *agreed,
                "{account} has {has:?} and agreed to {agreed:?}"
            );
        }
        let gained = self.members(newest) + self.outside - self.invested;
        let lost = self.began - self.honest(newest);
        must!(
            gained <= lost + self.rewards + self.insured,
            "the coalition gained {gained}, honest accounts lost {lost}, insurance {}",
            self.insured
        );
        let sum = sandbox.conservation();
        must!(sum.holds(), "claims and tokens differ: {sum:?}");
    }

    /// What the account holds, funding paid.
    pub(super) fn has(&self, account: &Pubkey) -> Agreed {
        let trader = &self.traders[account];
        let mut has = Agreed {
            cash: i128::from(trader.free) + i128::from(trader.cross_pool),
            lots: [0; MARKETS],
        };
        for slot in trader.positions.iter().filter(|slot| !slot.is_empty()) {
            let market = self.rules.number(&slot.market);
            let (lots, index) = (
                i128::from(slot.lots),
                self.markets[market].funding.index.get(),
            );
            has.lots[market] = lots;
            has.cash -= i128::from(slot.entry_quote);
            has.cash -= lots * i128::from(index - slot.funding_index);
            has.cash += i128::from(slot.order_margin);
            // The margin of a leg is its record.
            if !slot.is_leg() {
                has.cash += i128::from(slot.margin);
                has.cash += self.held(trader, market);
            }
        }
        has
    }

    fn held(&self, trader: &Trader, market: usize) -> i128 {
        let slot = self.rules.slot(trader, market);
        let value = slot.map(|slot| self.markets[market].held.value(&slot.held_claim()));
        value.map_or(0, |value| i128::from(value.expect("a sound claim")))
    }

    fn honest(&self, ticks: &[u64; MARKETS]) -> i128 {
        self.agreed.values().map(|agreed| agreed.worth(ticks)).sum()
    }

    fn members(&self, ticks: &[u64; MARKETS]) -> i128 {
        let each = self.coalition.iter();
        each.map(|member| self.has(member).worth(ticks)).sum()
    }

    /// These prices with the markets' funding.
    pub fn newest(&self, ticks: &[u64; MARKETS]) -> Marks {
        Marks {
            ticks: *ticks,
            index: self
                .markets
                .each_ref()
                .map(|market| market.funding.index.get()),
        }
    }

    /// The market at hand at the price that was posted, the others as the board has them.
    pub(super) fn marks(&self, market: usize, scene: &Scene) -> Marks {
        let mut marks = self.newest(&[0; MARKETS]);
        for other in 0..MARKETS {
            let entry = self.board.board.entry(self.place(other)).expect("an entry");
            marks.ticks[other] = entry.mark;
            marks.index[other] = entry.funding_index.get();
        }
        marks.ticks[market] = scene.posted[market].ticks;
        marks.index[market] = self.markets[market].funding.index.get();
        marks
    }

    pub(super) fn place(&self, market: usize) -> usize {
        usize::from(self.markets[market].cross) - 1
    }

    fn remember<'a>(&mut self, sandbox: &Sandbox, accounts: impl Iterator<Item = &'a Pubkey>) {
        for account in accounts {
            self.traders.insert(*account, sandbox.trader(account));
        }
    }

    /// The mark of a market as the board has it, ticks.
    pub fn mark(&self, market: usize) -> u64 {
        let entry = self.board.board.entry(self.place(market));
        entry.expect("an entry").mark
    }

    /// All accounts.
    pub fn everybody(&self) -> impl Iterator<Item = &Pubkey> {
        self.traders.keys()
    }

    /// An account as it stands.
    pub fn trader(&self, account: &Pubkey) -> &Trader {
        &self.traders[account]
    }

    /// A market as it stands.
    pub const fn market(&self, market: usize) -> &Market {
        &self.markets[market]
    }
}

/// One call.
pub(super) struct Call<'a> {
    /// Everything before it.
    pub before: &'a Ledger,
    /// The prices that it was made at.
    pub scene: &'a Scene,
    /// Slot and unix time.
    pub now: (u64, i64),
    /// Whether the position that is forced is a leg.
    pub legs: bool,
    /// What a round over legs did.
    pub round: Option<&'a CrossRound>,
}

fn of_legs(outcome: &TxOutcome) -> bool {
    let mut events = outcome.events.iter();
    events.any(|event| matches!(event, BallastEvent::LegForced(_)))
}

/// What can be taken out at once, atoms.
fn loose(trader: &Trader) -> i128 {
    let reserved = trader.positions.iter().map(|slot| slot.order_margin);
    i128::from(trader.free) + i128::from(trader.cross_pool) + i128::from(reserved.sum::<u64>())
}
