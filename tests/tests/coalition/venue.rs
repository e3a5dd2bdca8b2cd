//! A market with honest accounts, a keeper and a coalition.

use anchor_lang::prelude::Pubkey;
use ballast_client::instructions::anyone::Takeover;
use ballast_client::moment::Moment;
use ballast_client::ranking::{plan, Request};
use ballast_engine::liquidation::{health, Health};
use ballast_engine::position::Position;
use ballast_engine::units::LotPrice;
use ballast_sandbox::{
    BlockTrade, MarketConfig, MarketCookie, Options, Quote, Sandbox, TraderCookie, TxResult,
};
use ballast_state::book_account::OrderSide;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs, SelfTrade};

use crate::ledger::Ledger;

/// Atoms of a dollar.
pub const USD: u64 = 1_000_000;
/// Accounts of the coalition.
const MEMBERS: usize = 6;
/// What each of them begins with.
const BEGINS_WITH: u64 = 10_000 * USD;
/// Half the honest maker's spread, in basis points of the price.
const SPREAD_BPS: u64 = 10;
/// The honest maker's lots on each side.
const DEPTH: u64 = 3_000_000;
/// Seconds and slots between two prices.
const PACE: (i64, u64) = (2, 5);
/// The price in the beginning, ticks.
const START: u64 = 200_000;

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
    /// An honest account whose delegate is the owner of the first account of the coalition.
    pub trusting: TraderCookie,
    /// Honest accounts with positions of ten times their margin, where there are any.
    pub leveraged: Vec<TraderCookie>,
    /// What everybody has.
    pub ledger: Ledger,
    /// The calls that went through.
    pub calls: Vec<String>,
    keeper: TraderCookie,
    prices: Vec<Quote>,
    posted: Quote,
}

/// Lots at which a market whose margin scales is full.
const FULL: u64 = 10_000_000;

/// A hundred hours of calm prices and two of wild ones, as the program records them.
fn stir(sandbox: &mut Sandbox, market: &MarketCookie) {
    let mut record = |seconds: i64, ticks: u64| {
        let slots = u64::try_from(seconds * 5 / 2).expect("forward");
        let (slot, time) = (sandbox.slot() + slots, sandbox.time() + seconds);
        sandbox.set_clock(slot, time);
        sandbox.set_price(market, ticks);
        sandbox.accrue_funding(market).expect("recorded");
    };
    for hour in 0..100 {
        record(3_600, START + 200 * (hour % 2));
    }
    for _ in 0..2 {
        record(3_540, START - START / 50);
        record(60, START);
    }
    let scale = sandbox.market(market).margin_scale();
    assert!(scale.multiplier_ppm > 1_400_000, "{scale:?}");
}

/// What a venue is like.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Base rate of funding, ppm an hour.
    pub funding_ppm: i32,
    /// What insurance has, dollars.
    pub insurance: u64,
    /// Whether honest accounts have leveraged positions.
    pub leveraged: bool,
    /// Whether volatility and open interest scale initial margin: by half as much again in the beginning.
    pub scaled: bool,
}

impl Venue {
    /// The SOL market; a maker, holders, a keeper, insurance, the coalition.
    pub fn open(setting: Setting) -> Self {
        let mut config = MarketConfig::sol();
        config.risk.funding_rate_ppm_per_hour = setting.funding_ppm;
        if setting.scaled {
            config.risk.margin_multiplier_max_bps = 30_000;
            config.risk.max_open_interest_lots = FULL;
            config.risk.open_interest_lower_bps = 0;
            config.risk.open_interest_upper_bps = 10_000;
        }
        let begun = Sandbox::with_market(&Options::default(), &config);
        let (mut sandbox, market) = begun.expect("a market");
        if setting.scaled {
            stir(&mut sandbox, &market);
        }
        let mut trader = |dollars: u64| sandbox.create_trader(dollars * USD).expect("a trader");
        let maker = trader(20_000_000);
        let keeper = trader(20_000_000);
        let holders = [trader(100_000), trader(100_000)];
        let leveraged = [trader(2_000), trader(2_000)];
        let trusting = trader(10_000);
        let coalition: Vec<_> = (0..MEMBERS).map(|_| trader(BEGINS_WITH / USD)).collect();
        let donor = sandbox.create_wallet(setting.insurance * USD);
        sandbox
            .donate_insurance(&market, &donor.expect("a wallet"), setting.insurance * USD)
            .expect("insurance");
        let delegate = coalition[0].wallet.address();
        sandbox
            .set_delegate(&trusting, Some(delegate))
            .expect("a delegate");
        let mut pair = |[long, short]: &[TraderCookie; 2], lots: u64, bps: u64| {
            let margin = lots * START * bps / 10_000;
            let terms = BlockTrade {
                lots: lots.cast_signed(),
                price_ticks: START,
                taker_margin: margin,
                maker_margin: margin,
            };
            let traded = sandbox.block_trade(&market, long, short, terms);
            traded.expect("two holders");
        };
        pair(&holders, 20_000, 10_000);
        if setting.leveraged {
            pair(&leveraged, 50_000, 1_000);
        }
        let honest = [&maker, &keeper, &trusting].into_iter();
        let honest = honest.chain(&holders).chain(&leveraged);
        let honest: Vec<_> = honest.map(|trader| trader.address).collect();
        let members = coalition.iter().map(|member| member.address).collect();
        let first = Quote {
            ticks: START,
            conf_ticks: 0,
            ema_ticks: START,
            publish_time: sandbox.time(),
        };
        let mut venue = Self {
            ledger: Ledger::open(&sandbox, &market, &honest, members, &keeper, START),
            coalition,
            keeper,
            trusting,
            leveraged: leveraged.to_vec(),
            prices: vec![first],
            posted: first,
            calls: Vec::new(),
            sandbox,
            market,
            maker,
        };
        venue.publish(START);
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
            trusting: self.trusting.clone(),
            leveraged: self.leveraged.clone(),
            ledger: self.ledger.clone(),
            calls: self.calls.clone(),
            keeper: self.keeper.clone(),
            prices: self.prices.clone(),
            posted: self.posted,
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
        self.posted = quote;
        self.sandbox.set_quote(&self.market, &quote);
    }

    /// The honest maker takes its orders back.
    pub fn unquote(&mut self) {
        let (market, maker) = (self.market.clone(), self.maker.clone());
        let cancelled = self.sandbox.cancel_all_orders(&market, &maker, None);
        self.observe("the maker cancels", cancelled);
    }

    /// The honest maker quotes around the newest price.
    pub fn quote(&mut self) {
        self.post(self.newest());
        self.unquote();
        let (market, maker) = (self.market.clone(), self.maker.clone());
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
            self.observe("the maker quotes", placed);
        }
    }

    /// The keeper liquidates, at the newest price, whom it can: a step each, into the book, else into its
    /// own account, and deleverages whom nobody can take over. Whether nobody was in need of it.
    pub fn keep(&mut self) -> bool {
        self.post(self.newest());
        let mut quoted = false;
        let mut in_need = self.coalition.clone();
        in_need.extend(self.leveraged.clone());
        in_need.push(self.trusting.clone());
        in_need.retain(|trader| self.is_distressed(&trader.address));
        for trader in &in_need {
            if !quoted {
                self.quote();
                quoted = true;
            }
            let victim = trader.address;
            let _ = self.liquidate(&victim, Takeover::none())
                || self.liquidate(&victim, Takeover::with_margin(100_000 * USD))
                || self.deleverage(&victim);
        }
        in_need.is_empty()
    }

    fn liquidate(&mut self, victim: &Pubkey, offer: Takeover) -> bool {
        let (market, keeper, makers) = (self.market.clone(), self.keeper.clone(), self.makers());
        let result = self
            .sandbox
            .liquidate_into_book(&market, victim, &keeper, offer, &makers);
        self.observe("the keeper liquidates", result)
    }

    fn deleverage(&mut self, bankrupt: &Pubkey) -> bool {
        let (market, keeper) = (self.market.clone(), self.keeper.clone());
        let Some(counterparties) = self.ranked(bankrupt) else {
            return false;
        };
        let round = self
            .sandbox
            .auto_deleverage(&market, bankrupt, &keeper, &counterparties);
        self.observe("the keeper deleverages", round)
    }

    /// Those whom a round against a bankrupt cuts, in order.
    pub fn ranked(&self, bankrupt: &Pubkey) -> Option<Vec<Pubkey>> {
        let slot = self.sandbox.position(&self.market, bankrupt)?;
        let side = slot.position().ok()?.side()?;
        let queue = self.sandbox.queue(&self.market, side.opposite());
        let market = self.sandbox.market(&self.market);
        let moment = Moment {
            slot: self.sandbox.slot(),
            unix_timestamp: self.sandbox.time(),
            price_ticks: self.posted.ticks,
        };
        let request = Request {
            bankrupt: *bankrupt,
            max_counterparties: 8,
            spares: 0,
        };
        let planned = plan(&market, &queue.queue().ok()?, &slot, &moment, &request);
        planned.ok().map(|plan| plan.counterparties)
    }

    /// Whether an account is below its maintenance margin at the newest price.
    pub fn is_distressed(&self, account: &Pubkey) -> bool {
        self.health_at(account, self.newest().ticks) != Health::Healthy
    }

    /// How an account stands at a price.
    pub fn health_at(&self, account: &Pubkey, ticks: u64) -> Health {
        let Some(position) = self.position(account) else {
            return Health::Healthy;
        };
        let mark = LotPrice::new(ticks).expect("a price");
        health(&position, mark, &self.market.config.risk).expect("a health")
    }

    /// The position of an account, funding settled.
    pub fn position(&self, account: &Pubkey) -> Option<Position> {
        let slot = self.sandbox.position(&self.market, account)?;
        let position = slot.position().expect("a position");
        let index = self.sandbox.market(&self.market).funding.index;
        let settled = position.settle(index).expect("funding");
        (!settled.is_empty()).then_some(settled)
    }

    /// The accounts that may have orders.
    pub fn makers(&self) -> Vec<Pubkey> {
        let members = self.coalition.iter().map(|member| member.address);
        std::iter::once(self.maker.address).chain(members).collect()
    }

    /// Takes in what a call did, and checks everybody; whether it did anything.
    ///
    /// # Panics
    /// Where the property does not hold.
    pub fn observe(&mut self, what: impl Into<String>, result: TxResult) -> bool {
        let Ok(outcome) = result else {
            return false;
        };
        self.calls.push(format!(
            "{} at {} ({} s old), newest {}",
            what.into(),
            self.posted.ticks,
            self.sandbox.time() - self.posted.publish_time,
            self.newest().ticks
        ));
        let (posted, newest) = (self.posted, self.newest().ticks);
        self.ledger
            .observe(&self.sandbox, &self.market, &outcome, &posted, newest);
        true
    }

    /// What a member has that is not tied up, atoms.
    pub fn wealth(&self, member: &TraderCookie) -> u64 {
        let free = self.sandbox.trader(&member.address).free;
        let free = u64::try_from(free).expect("collateral");
        free + self.sandbox.token_balance(&member.wallet.tokens)
    }

    /// Deposits what a member lacks of so much margin and the fee of the trade that it is for.
    pub fn fund(&mut self, member: &TraderCookie, margin: u64) {
        let wanted = margin + margin / 20;
        let free = self.sandbox.trader(&member.address).free;
        let free = u64::try_from(free).expect("collateral");
        if free < wanted {
            self.transfer(member, false, wanted - free);
        }
    }

    /// A member closes what it has into the book.
    pub fn close(&mut self, member: &TraderCookie) -> bool {
        let Some(position) = self.position(&member.address) else {
            return false;
        };
        let args = PlaceOrderArgs {
            side: match position.lots.get() > 0 {
                true => OrderSide::Ask,
                false => OrderSide::Bid,
            },
            kind: OrderKind::Market,
            lots: position.size(),
            reduce_only: true,
            self_trade: SelfTrade::CancelProvide,
            ..PlaceOrderArgs::default()
        };
        let (market, makers) = (self.market.clone(), self.makers());
        let placed = self.sandbox.place_order(&market, member, args, &makers);
        self.observe("a member closes", placed)
    }

    /// Deposits tokens of a member's wallet, or withdraws.
    pub fn transfer(&mut self, member: &TraderCookie, out: bool, atoms: u64) -> bool {
        let (result, moved) = match out {
            true => (self.sandbox.withdraw(member, atoms), i128::from(atoms)),
            false => (self.sandbox.deposit(member, atoms), -i128::from(atoms)),
        };
        if result.is_ok() {
            self.ledger.withdrawn(moved);
        }
        self.observe(if out { "a withdrawal" } else { "a deposit" }, result)
    }
}
