//! A market with honest accounts, a keeper and a coalition, and what none of them may lose.

use std::collections::BTreeMap;

use anchor_lang::prelude::Pubkey;
use ballast_client::instructions::anyone::Takeover;
use ballast_engine::liquidation::{health, Health};
use ballast_engine::units::LotPrice;
use ballast_sandbox::{
    BlockTrade, MarketConfig, MarketCookie, Options, Quote, Sandbox, TraderCookie, TxResult,
};
use ballast_state::book_account::OrderSide;
use ballast_state::events::{BallastEvent, OrderFilled};
use ballast_state::order_args::PlaceOrderArgs;

/// Atoms of a dollar.
pub const USD: u64 = 1_000_000;
/// Accounts of the coalition.
const MEMBERS: usize = 5;
/// What each of them begins with.
const BEGINS_WITH: u64 = 10_000 * USD;
/// Half the honest maker's spread, in basis points of the price.
const SPREAD_BPS: u64 = 10;
/// The honest maker's lots on each side.
const DEPTH: u64 = 3_000_000;
/// Seconds and slots between two prices.
const PACE: (i64, u64) = (2, 5);

/// What an honest account has if nothing but trades at prices it agreed to moves it.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
struct Agreed {
    /// Collateral less what its lots cost, atoms.
    cash: i128,
    /// Signed.
    lots: i128,
}

/// Everybody, and what was observed.
pub struct Venue {
    /// The machine.
    pub sandbox: Sandbox,
    /// The market.
    pub market: MarketCookie,
    /// The coalition's accounts.
    pub coalition: Vec<TraderCookie>,
    /// An honest account that quotes both sides.
    pub maker: TraderCookie,
    keeper: TraderCookie,
    agreed: BTreeMap<Pubkey, Agreed>,
    prices: Vec<Quote>,
    insurance: u64,
    /// What honest accounts are worth less what they began with, as it was agreed, atoms.
    began: i128,
    /// Tokens that the coalition has outside, beyond those it began with, atoms.
    outside: i128,
    /// Rewards that the coalition got out of the fees, atoms.
    rewards: i128,
}

impl Venue {
    /// The SOL market without funding; a maker, two holders, insurance, the coalition.
    pub fn open() -> Self {
        let mut config = MarketConfig::sol();
        config.risk.funding_rate_ppm_per_hour = 0;
        config.risk.max_funding_rate_ppm = 0;
        let begun = Sandbox::with_market(&Options::default(), &config);
        let (mut sandbox, market) = begun.expect("a market");
        let mut trader = |atoms| sandbox.create_trader(atoms).expect("a trader");
        let maker = trader(20_000_000 * USD);
        let (long, short) = (trader(100_000 * USD), trader(100_000 * USD));
        let keeper = trader(100_000 * USD);
        let coalition = (0..MEMBERS).map(|_| trader(BEGINS_WITH)).collect();
        let donor = sandbox.create_wallet(5_000 * USD).expect("a wallet");
        sandbox
            .donate_insurance(&market, &donor, 5_000 * USD)
            .expect("insurance");
        let worth = 20 * 1_000 * 200_000;
        let terms = BlockTrade {
            lots: 20_000,
            price_ticks: 200_000,
            taker_margin: worth,
            maker_margin: worth,
        };
        sandbox
            .block_trade(&market, &long, &short, terms)
            .expect("two holders");
        let mut venue = Self {
            coalition,
            keeper,
            agreed: BTreeMap::new(),
            prices: Vec::new(),
            insurance: sandbox.market(&market).insurance.balance,
            began: 0,
            outside: 0,
            rewards: 0,
            sandbox,
            market,
            maker,
        };
        for account in [venue.maker.address, long.address, short.address] {
            let has = venue.has(&account);
            venue.agreed.insert(account, has);
        }
        venue.publish(200_000);
        venue.began = venue.honest();
        venue.quote();
        venue
    }

    /// An independent copy.
    pub fn fork(&self) -> Self {
        Self {
            sandbox: self.sandbox.fork(),
            market: self.market.clone(),
            coalition: self.coalition.clone(),
            maker: self.maker.clone(),
            keeper: self.keeper.clone(),
            agreed: self.agreed.clone(),
            prices: self.prices.clone(),
            ..*self
        }
    }

    /// The newest price.
    pub fn newest(&self) -> Quote {
        *self.prices.last().expect("a price")
    }

    /// The prices that a caller tries, the newest last: those fresh enough to be used, and those of twice
    /// that time before.
    pub fn known(&self) -> &[Quote] {
        let age = self.market.config.risk.oracle_max_age_seconds.cast_signed();
        let known = |quote: &Quote| self.sandbox.time() - quote.publish_time <= 3 * age;
        let first = self.prices.iter().position(known);
        &self.prices[first.expect("the newest is fresh")..]
    }

    /// Time goes on by [`PACE`], and a price is published.
    pub fn publish(&mut self, ticks: u64) {
        let (seconds, slots) = PACE;
        let (slot, time) = (self.sandbox.slot() + slots, self.sandbox.time() + seconds);
        self.sandbox.set_clock(slot, time);
        self.prices.push(Quote {
            ticks,
            conf_ticks: 0,
            ema_ticks: ticks,
            publish_time: time,
        });
        self.post(self.newest());
    }

    /// Posts one of the published prices.
    pub fn post(&mut self, quote: Quote) {
        self.sandbox.set_quote(&self.market, &quote);
    }

    /// The honest maker quotes around the newest price.
    pub fn quote(&mut self) {
        self.post(self.newest());
        let (market, maker) = (self.market.clone(), self.maker.clone());
        let cancelled = self.sandbox.cancel_all_orders(&market, &maker, None);
        self.observe(cancelled);
        let ticks = self.newest().ticks;
        let away = ticks * SPREAD_BPS / 10_000;
        for (side, price_ticks) in [
            (OrderSide::Bid, ticks - away),
            (OrderSide::Ask, ticks + away),
        ] {
            let args = PlaceOrderArgs {
                side,
                price_ticks,
                lots: DEPTH,
                // Backed in full: its positions are never below maintenance.
                margin: DEPTH * price_ticks,
                ..PlaceOrderArgs::default()
            };
            let makers = self.makers();
            let placed = self.sandbox.place_order(&market, &maker, args, &makers);
            self.observe(placed);
        }
    }

    /// The keeper liquidates, at the newest price, whom it can into the book: a step each.
    pub fn keep(&mut self) {
        self.post(self.newest());
        let market = self.market.clone();
        let mut quoted = false;
        for member in self.coalition.clone() {
            if !self.is_distressed(&member.address) {
                continue;
            }
            if !quoted {
                self.quote();
                quoted = true;
            }
            let (keeper, makers) = (self.keeper.clone(), self.makers());
            let result = self.sandbox.liquidate_into_book(
                &market,
                &member.address,
                &keeper,
                Takeover::none(),
                &makers,
            );
            self.observe(result);
        }
    }

    /// Whether an account is below its maintenance margin at the newest price.
    fn is_distressed(&self, account: &Pubkey) -> bool {
        let Some(slot) = self.sandbox.position(&self.market, account) else {
            return false;
        };
        let position = slot.position().expect("a position");
        let mark = LotPrice::new(self.newest().ticks).expect("a price");
        let health = health(&position, mark, &self.market.config.risk).expect("a health");
        health != Health::Healthy
    }

    /// The accounts that may have orders.
    pub fn makers(&self) -> Vec<Pubkey> {
        let members = self.coalition.iter().map(|member| member.address);
        std::iter::once(self.maker.address).chain(members).collect()
    }

    /// Tokens that the coalition took out of the exchange, or brought in when negative.
    pub fn withdrawn(&mut self, atoms: i128) {
        self.outside += atoms;
    }

    /// Takes in what a call did, and checks everybody; whether it did anything.
    ///
    /// # Panics
    /// Where an honest account or insurance has lost what was not agreed to be lost.
    pub fn observe(&mut self, result: TxResult) -> bool {
        let Ok(outcome) = result else {
            return false;
        };
        for event in &outcome.events {
            self.agree(event);
        }
        self.check();
        true
    }

    fn agree(&mut self, event: &BallastEvent) {
        match event {
            BallastEvent::OrderPlaced(placed) => {
                self.filled(&placed.fills);
                if let Some(taker) = self.agreed.get_mut(&placed.trader) {
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
            }
            BallastEvent::PositionLiquidated(liquidated) => {
                self.filled(&liquidated.fills);
                self.rewards += i128::from(liquidated.reward_atoms);
            }
            BallastEvent::TriggerExecuted(executed) => self.filled(&executed.fills),
            BallastEvent::AutoDeleveraged(round) => {
                self.rewards += i128::from(round.reward_atoms);
            }
            _ => {}
        }
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

    fn check(&mut self) {
        for (account, agreed) in &self.agreed {
            let has = self.has(account);
            assert_eq!(has, *agreed, "{account} lost what it did not agree to lose");
        }
        let insurance = self.sandbox.market(&self.market).insurance.balance;
        assert!(insurance >= self.insurance, "insurance paid");
        self.insurance = insurance;
        let members = self.coalition.iter().map(|member| member.address);
        let has: i128 = members.map(|member| self.worth(&self.has(&member))).sum();
        let began = i128::from(BEGINS_WITH) * self.coalition.len() as i128;
        let (gained, lost) = (has + self.outside - began, self.began - self.honest());
        assert!(
            gained <= lost + self.rewards,
            "the coalition gained {gained}, honest accounts lost {lost}"
        );
    }

    /// What the account holds.
    fn has(&self, account: &Pubkey) -> Agreed {
        let trader = self.sandbox.trader(account);
        let mut has = Agreed {
            cash: i128::from(trader.free),
            lots: 0,
        };
        let market = self.market.keys.market;
        if let Some(slot) = trader.positions.iter().find(|slot| slot.market == market) {
            let held = i128::from(slot.order_margin) + i128::from(slot.margin);
            let profit = self.sandbox.market(&self.market).held;
            let profit = profit.value(&slot.held_claim()).expect("a sound claim");
            has.cash += held + i128::from(profit) - i128::from(slot.entry_quote);
            has.lots = i128::from(slot.lots);
        }
        has
    }

    /// At the newest price, atoms.
    fn worth(&self, has: &Agreed) -> i128 {
        has.cash + has.lots * i128::from(self.newest().ticks)
    }

    fn honest(&self) -> i128 {
        self.agreed.values().map(|agreed| self.worth(agreed)).sum()
    }
}

impl Agreed {
    /// A lot at a tick is an atom.
    fn trade(&mut self, lots: i128, ticks: u64) {
        self.lots += lots;
        self.cash -= lots * i128::from(ticks);
    }
}
