//! Two markets with cross margin, honest accounts of both kinds, a keeper and a coalition.

use anchor_lang::prelude::Pubkey;
use ballast_client::addresses;
use ballast_sandbox::{
    BlockTrade, CrossCookie, MarketConfig, MarketCookie, Options, Quote, Sandbox, TraderCookie,
    TxResult,
};
use ballast_state::book_account::OrderSide;
use ballast_state::cross::EnableCrossArgs;
use ballast_state::events::BallastEvent;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs, SelfTrade};
use solana_account::Account;

use super::ledger::{Ledger, Scene, DRAW_CAP_BPS};
use super::values::{Marks, MARKETS};
use crate::venue::USD;

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
/// A day, and somewhat more.
const DAY: (i64, u64) = (86_460, 216_150);
/// The price of both markets in the beginning, ticks.
const START: u64 = 200_000;
/// Slots for which a mark of the board serves for opening.
const MARK_AGE: u32 = 15;

/// What a venue is like.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Base rate of funding, ppm an hour.
    pub funding_ppm: i32,
    /// What the markets' insurance has, dollars.
    pub insurance: [u64; MARKETS],
}

/// Everybody, and what was observed.
pub struct Venue {
    /// The machine.
    pub sandbox: Sandbox,
    /// The markets.
    pub markets: [MarketCookie; MARKETS],
    /// The coalition's accounts.
    pub coalition: Vec<TraderCookie>,
    /// Honest accounts with little collateral: two isolated in each market, and two that are hedged, with a leg in
    /// each.
    pub bystanders: Vec<TraderCookie>,
    /// The honest keeper.
    pub keeper: TraderCookie,
    /// What everybody has.
    pub ledger: Ledger,
    /// The calls that went through.
    pub calls: Vec<String>,
    /// How many of them filled orders of legs.
    pub leg_fills: u64,
    maker: TraderCookie,
    queues: [CrossCookie; MARKETS],
    prices: [Vec<Quote>; MARKETS],
    posted: [Quote; MARKETS],
    /// The market whose oracle is dead.
    dead: Option<usize>,
}

/// Opens positions of these lots of two accounts in a market, each over so many basis points.
fn pair(
    sandbox: &mut Sandbox,
    market: &MarketCookie,
    two: [&TraderCookie; 2],
    lots: u64,
    bps: u64,
) {
    let margin = lots * START * bps / 10_000;
    let terms = BlockTrade {
        lots: lots.cast_signed(),
        price_ticks: START,
        taker_margin: margin,
        maker_margin: margin,
    };
    let traded = sandbox.block_trade(market, two[0], two[1], terms);
    traded.expect("two holders");
}

impl Venue {
    /// Two SOL markets; makers, holders, bystanders, a keeper, insurance, the coalition.
    pub fn open(setting: Setting) -> Self {
        let mut config = MarketConfig::sol();
        config.risk.funding_rate_ppm_per_hour = setting.funding_ppm;
        let begun = Sandbox::with_market(&Options::default(), &config);
        let (mut sandbox, first) = begun.expect("a market");
        let second = sandbox.create_market(&config).expect("a market");
        let markets = [first, second];
        sandbox.create_board().expect("a board");
        let queues = markets.each_ref().map(|market| {
            let queues = sandbox.create_cross_queues(64).expect("queues");
            let allowed = EnableCrossArgs {
                most_lots: 100_000_000,
                draw_cap_bps: DRAW_CAP_BPS,
                max_age_slots: MARK_AGE,
            };
            let enabled = sandbox.enable_cross(market, &queues, allowed);
            enabled.expect("cross margin");
            queues
        });
        let mut trader = |dollars: u64| sandbox.create_trader(dollars * USD).expect("a trader");
        let (maker, keeper) = (trader(20_000_000), trader(20_000_000));
        let holders = [trader(200_000), trader(200_000)];
        let bystanders: Vec<_> = (0..6).map(|_| trader(2_600)).collect();
        let coalition: Vec<_> = (0..MEMBERS).map(|_| trader(BEGINS_WITH / USD)).collect();
        let all: Vec<_> = queues.iter().flat_map(CrossCookie::both).collect();
        for (number, market) in markets.iter().enumerate() {
            let atoms = setting.insurance[number] * USD;
            let donor = sandbox.create_wallet(atoms).expect("a wallet");
            let given = sandbox.donate_insurance(market, &donor, atoms);
            given.expect("insurance");
            pair(
                &mut sandbox,
                market,
                [&holders[0], &holders[1]],
                20_000,
                10_000,
            );
            let isolated = &bystanders[2 * number..];
            pair(
                &mut sandbox,
                market,
                [&isolated[0], &isolated[1]],
                50_000,
                1_000,
            );
            // Long in one market and short in the other, or the other way about.
            let mut hedged = [&bystanders[4], &bystanders[5]];
            hedged.rotate_left(number);
            pair(&mut sandbox, market, hedged, 60_000, 550);
            for one in hedged {
                let joined = sandbox.to_cross(market, one, &all);
                joined.expect("a leg");
            }
        }
        let honest = [&maker, &keeper].into_iter();
        let honest = honest.chain(&holders).chain(&bystanders);
        let honest: Vec<_> = honest.map(|trader| trader.address).collect();
        let members = coalition.iter().map(|member| member.address).collect();
        let first = Quote {
            ticks: START,
            conf_ticks: 0,
            ema_ticks: START,
            publish_time: sandbox.time(),
        };
        let cookies = markets.clone();
        let mut venue = Self {
            ledger: Ledger::open(
                &sandbox,
                cookies,
                &honest,
                members,
                &keeper,
                [START; MARKETS],
            ),
            coalition,
            bystanders,
            keeper,
            calls: Vec::new(),
            leg_fills: 0,
            maker,
            queues,
            prices: [vec![first], vec![first]],
            posted: [first; MARKETS],
            dead: None,
            sandbox,
            markets,
        };
        venue.publish([START; MARKETS]);
        venue.quote();
        venue
    }

    /// An independent copy.
    pub fn fork(&self) -> Self {
        Self {
            sandbox: self.sandbox.fork(),
            markets: self.markets.clone(),
            coalition: self.coalition.clone(),
            bystanders: self.bystanders.clone(),
            keeper: self.keeper.clone(),
            ledger: self.ledger.clone(),
            calls: self.calls.clone(),
            leg_fills: self.leg_fills,
            maker: self.maker.clone(),
            queues: self.queues,
            prices: self.prices.clone(),
            posted: self.posted,
            dead: self.dead,
        }
    }

    /// The newest price of a market.
    pub fn newest(&self, market: usize) -> Quote {
        *self.prices[market].last().expect("a price")
    }

    /// The newest prices with the markets' funding.
    pub fn marks(&self) -> Marks {
        let ticks = [0, 1].map(|market| self.newest(market).ticks);
        self.ledger.newest(&ticks)
    }

    /// The prices of a market that a caller tries, the newest last: those of a minute and a half that are no older
    /// than one recorded.
    pub fn known(&self, market: usize) -> &[Quote] {
        let age = self.markets[market].config.risk.oracle_max_age_seconds;
        let recorded = self.ledger.market(market).last_price.publish_time;
        let known = |quote: &Quote| {
            let young = self.sandbox.time() - quote.publish_time <= 3 * age.cast_signed();
            young && quote.publish_time >= recorded
        };
        let first = self.prices[market].iter().position(known);
        &self.prices[market][first.expect("the newest is fresh")..]
    }

    /// Time goes on by [`PACE`], and prices are published.
    pub fn publish(&mut self, ticks: [u64; MARKETS]) {
        self.publish_after(PACE, ticks);
    }

    /// A day passes; the prices stand.
    pub fn pass_a_day(&mut self) {
        let ticks = [0, 1].map(|market| self.newest(market).ticks);
        self.publish_after(DAY, ticks);
    }

    /// The oracle of a market publishes nothing more.
    pub fn die(&mut self, market: usize) {
        let price = self.markets[market].keys.price;
        self.sandbox.set_account(&price, Account::default());
        self.dead = Some(market);
    }

    /// Everybody who may have legs.
    pub fn everybody(&self) -> Vec<Pubkey> {
        self.ledger.everybody().copied().collect()
    }

    fn publish_after(&mut self, (seconds, slots): (i64, u64), ticks: [u64; MARKETS]) {
        let (slot, time) = (self.sandbox.slot() + slots, self.sandbox.time() + seconds);
        self.sandbox.set_clock(slot, time);
        for (prices, ticks) in self.prices.iter_mut().zip(ticks) {
            prices.push(Quote {
                ticks,
                conf_ticks: 0,
                ema_ticks: ticks,
                publish_time: time,
            });
        }
        self.post_newest();
    }

    /// Posts one of the published prices of a market.
    pub fn post(&mut self, market: usize, quote: Quote) {
        if self.dead == Some(market) {
            return;
        }
        self.posted[market] = quote;
        self.sandbox.set_quote(&self.markets[market], &quote);
    }

    /// The price of a market that is posted.
    pub const fn posted(&self, market: usize) -> &Quote {
        &self.posted[market]
    }

    /// Posts the newest price of every market.
    pub fn post_newest(&mut self) {
        for market in 0..MARKETS {
            self.post(market, self.newest(market));
        }
    }

    /// All cross queues.
    pub fn queues(&self) -> Vec<Pubkey> {
        self.queues.iter().flat_map(CrossCookie::both).collect()
    }

    /// The cross queues of a market.
    pub const fn queues_of(&self, market: usize) -> &CrossCookie {
        &self.queues[market]
    }

    /// The mark of a market as the board has it, ticks.
    pub fn mark(&self, market: usize) -> u64 {
        self.ledger.mark(market)
    }

    /// The board hears of what is posted.
    pub fn record(&mut self, markets: &[usize]) -> bool {
        let cookies = self.markets.clone();
        let listed: Vec<_> = markets.iter().map(|market| &cookies[*market]).collect();
        let recorded = self.sandbox.record_marks(&listed);
        self.observe(format!("marks of {markets:?}"), recorded)
    }

    /// The honest maker quotes around the newest price of every market.
    pub fn quote(&mut self) {
        self.post_newest();
        for number in 0..MARKETS {
            self.unquote(number);
            let (market, maker) = (self.markets[number].clone(), self.maker.clone());
            let ticks = self.newest(number).ticks;
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
                let listed = self.listed();
                let placed = self.sandbox.place_order(&market, &maker, args, &listed);
                self.observe("the maker quotes", placed);
            }
        }
    }

    /// The honest maker takes its orders in a market back.
    pub fn unquote(&mut self, market: usize) {
        let (market, maker) = (self.markets[market].clone(), self.maker.clone());
        let cancelled = self.sandbox.cancel_all_orders(&market, &maker, None);
        self.observe("the maker cancels", cancelled);
    }

    /// The accounts that may have orders.
    pub fn makers(&self) -> Vec<Pubkey> {
        let members = self.coalition.iter().map(|member| member.address);
        std::iter::once(self.maker.address).chain(members).collect()
    }

    /// What a call lists that meets orders and has not the board: that, all cross queues and the accounts.
    pub fn listed(&self) -> Vec<Pubkey> {
        [vec![addresses::board()], self.queues(), self.makers()].concat()
    }

    /// Whether anything of an account is below maintenance at the newest prices.
    pub fn is_distressed(&self, account: &Pubkey) -> bool {
        let trader = self.ledger.trader(account);
        self.ledger.rules.is_distressed(trader, &self.marks())
    }

    /// Who lacks anything at the newest prices.
    pub fn bankrupt(&self) -> Vec<Pubkey> {
        let marks = self.marks();
        let mut all = self.everybody();
        all.retain(|one| {
            let trader = self.ledger.trader(one);
            self.ledger.rules.lacking(trader, &marks) > 0
        });
        all
    }

    /// The account's leg in a market.
    pub fn leg(&self, market: usize, account: &Pubkey) -> Option<i64> {
        let leg = self
            .ledger
            .trader(account)
            .leg(&self.ledger.rules.keys[market]);
        leg.ok().map(|leg| leg.lots)
    }

    /// Lots of the account's isolated position in a market.
    pub fn isolated(&self, market: usize, account: &Pubkey) -> Option<i64> {
        let trader = self.ledger.trader(account);
        let slot = self.ledger.rules.slot(trader, market);
        slot.map(|slot| slot.lots).filter(|lots| *lots != 0)
    }

    /// Takes in what a call did, and checks everybody; whether it did anything.
    ///
    /// # Panics
    /// Where the property does not hold.
    pub fn observe(&mut self, what: impl Into<String>, result: TxResult) -> bool {
        let Ok(outcome) = result else {
            return false;
        };
        let told = |market: usize| {
            let posted = self.posted[market];
            let age = self.sandbox.time() - posted.publish_time;
            format!(
                "{} ({age} s old) of {}",
                posted.ticks,
                self.newest(market).ticks
            )
        };
        self.calls
            .push(format!("{} at {}, {}", what.into(), told(0), told(1)));
        let scene = Scene {
            posted: self.posted,
            newest: [0, 1].map(|market| self.newest(market).ticks),
        };
        self.ledger.observe(&self.sandbox, &outcome, &scene);
        let mut events = outcome.events.iter();
        let made = events.any(|event| matches!(event, BallastEvent::LegsMade(_)));
        self.leg_fills += u64::from(made);
        true
    }

    /// Deposits what a member lacks of so much margin and the fee of the trade that it is for.
    pub fn fund(&mut self, member: &TraderCookie, margin: u64) {
        let wanted = margin + margin / 20;
        let free = self.ledger.trader(&member.address).free.unsigned_abs();
        let tokens = self.sandbox.token_balance(&member.wallet.tokens);
        let lacking = wanted.saturating_sub(free).min(tokens);
        if lacking > 0 {
            self.transfer(member, false, lacking);
        }
    }

    /// A member closes its isolated position into the book.
    pub fn close(&mut self, number: usize, member: &TraderCookie) -> bool {
        let Some(lots) = self.isolated(number, &member.address) else {
            return false;
        };
        let args = PlaceOrderArgs {
            side: match lots > 0 {
                true => OrderSide::Ask,
                false => OrderSide::Bid,
            },
            kind: OrderKind::Market,
            lots: lots.unsigned_abs(),
            reduce_only: true,
            self_trade: SelfTrade::CancelProvide,
            ..PlaceOrderArgs::default()
        };
        let (market, listed) = (self.markets[number].clone(), self.listed());
        let placed = self.sandbox.place_order(&market, member, args, &listed);
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
