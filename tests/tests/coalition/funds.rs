//! Histories in which a coalition plays against a pool and against stakers: at one mark neither loses by
//! anything that it does.
//!
//! The price moves in steps, and the coalition's own accounts fall below maintenance, some below nothing. After each
//! step it calls what it likes, in any order, over many slots in which the mark stays. Until the next step the
//! depositor's part of the pool and the staker's part of the stakes are worth no less than at its beginning, but for
//! what docs/INVARIANTS.md allows: deficits and premiums that stakes pay, and what it costs to close lots that the pool
//! did not take at a discount from this mark.

use anchor_lang::prelude::Pubkey;
use ballast_client::instructions::anyone::Takeover;
use ballast_engine::pool::PoolParams;
use ballast_engine::units::LotPrice;
use ballast_sandbox::{
    BlockTrade, MarketConfig, MarketCookie, Options, Sandbox, TraderCookie, TxResult, Wallet,
};
use ballast_state::book_account::OrderSide;
use ballast_state::events::BallastEvent;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs, SelfTrade};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::venue::USD;

const MEMBERS: usize = 5;
const START: u64 = 200_000;
const STEPS: u32 = 8;
const CALLS: u32 = 14;
/// Members' tokens and what they deposited.
const BEGINS_WITH: u64 = 60_000 * USD;

/// Calls that went through.
#[derive(Clone, Default, Debug)]
struct Counts {
    takes: u64,
    rescues: u64,
    unwinds: u64,
    syncs: u64,
    deposits: u64,
    exits: u64,
    stakes: u64,
    unstakes: u64,
    pairs: u64,
    orders: u64,
}

impl Counts {
    fn each(&mut self) -> [&mut u64; 10] {
        [
            &mut self.takes,
            &mut self.rescues,
            &mut self.unwinds,
            &mut self.syncs,
            &mut self.deposits,
            &mut self.exits,
            &mut self.stakes,
            &mut self.unstakes,
            &mut self.pairs,
            &mut self.orders,
        ]
    }

    fn add(&mut self, other: &Self) {
        for (sum, more) in self.each().into_iter().zip(other.clone().each()) {
            *sum += *more;
        }
    }

    /// Fails unless everything happened that is needed to mean something.
    fn require_variety(&mut self) {
        let happened = self.each().iter().all(|count| **count > 0);
        assert!(happened, "{self:?}");
    }
}

/// A market with a pool and stakes, one honest depositor, one honest staker, and a coalition.
struct Funds {
    sandbox: Sandbox,
    market: MarketCookie,
    members: Vec<TraderCookie>,
    depositor: Wallet,
    staker: Wallet,
    ticks: u64,
    calls: Vec<String>,
    counts: Counts,
}

/// What the parts of the honest are worth at the mark, atoms.
#[derive(Clone, Copy, Debug)]
struct Honest {
    pool: i128,
    stakes: i128,
}

impl Funds {
    fn fork(&self) -> Self {
        Self {
            sandbox: self.sandbox.fork(),
            market: self.market.clone(),
            members: self.members.clone(),
            depositor: self.depositor.clone(),
            staker: self.staker.clone(),
            ticks: self.ticks,
            calls: Vec::new(),
            counts: Counts::default(),
        }
    }

    fn open() -> Self {
        let mut config = MarketConfig::sol();
        config.risk.funding_rate_ppm_per_hour = 0;
        let begun = Sandbox::with_market(&Options::default(), &config);
        let (mut sandbox, market) = begun.expect("a market");
        let params = PoolParams {
            withdraw_delay_slots: 9_000,
            ..PoolParams::for_market(&config.risk)
        };
        sandbox.create_pool(&market, params).expect("a pool");
        let depositor = sandbox.depositor(&market, 100_000 * USD);
        sandbox.open_stakes(&market).expect("stakes");
        let staker = sandbox.staker(&market, 20_000 * USD);
        let members: Vec<_> = (0..MEMBERS)
            .map(|_| sandbox.create_trader(BEGINS_WITH / 2).expect("a trader"))
            .collect();
        for member in &members {
            for fund in [market.pool(), market.stakes()] {
                sandbox.create_share(&fund, &member.wallet).expect("shares");
            }
            sandbox
                .mint_to(&member.wallet.tokens, BEGINS_WITH / 2)
                .expect("tokens");
        }
        Self {
            sandbox,
            market,
            members,
            depositor,
            staker,
            ticks: START,
            calls: Vec::new(),
            counts: Counts::default(),
        }
    }
}

impl Funds {
    /// The price goes to `ticks`, fifty slots later.
    fn publish(&mut self, ticks: u64) {
        self.ticks = ticks;
        self.pass(50);
    }

    /// Whoever is below maintenance is flagged, and stays so for `slots`.
    fn flag(&mut self, slots: u64) {
        let market = self.market.clone();
        for member in self.members.clone() {
            let _ = self.sandbox.flag_bankruptcy(&market, &member.address);
        }
        self.pass(slots);
    }

    /// Slots pass; the price is published again as it stands.
    fn pass(&mut self, slots: u64) {
        let seconds = (slots * 2).div_ceil(5).cast_signed();
        let (slot, time) = (self.sandbox.slot() + slots, self.sandbox.time() + seconds);
        self.sandbox.set_clock(slot, time);
        self.sandbox.set_price(&self.market, self.ticks);
    }

    /// What the honest depositor's and staker's parts are worth at the mark.
    fn honest(&self) -> Honest {
        let (pool, market) = (
            self.sandbox.pool(&self.market),
            self.sandbox.market(&self.market),
        );
        let trader = self.sandbox.trader(&self.market.pool_trader());
        let assets = pool.assets(&market, &trader).expect("assets");
        let mark = LotPrice::new(self.ticks).expect("a price");
        let equity = assets.position.equity(mark).expect("equity").get();
        let worth = i128::from(assets.free) + i128::from(assets.held) + i128::from(equity.max(0));
        let owned = self
            .sandbox
            .share(&self.market.pool(), &self.depositor.address());
        let part =
            |worth: i128, owned: u64, all: u64| worth * i128::from(owned) / i128::from(all.max(1));
        let stakes = self.sandbox.stakes(&self.market);
        let staked = self
            .sandbox
            .share(&self.market.stakes(), &self.staker.address());
        Honest {
            pool: part(worth, owned.shares, pool.shares),
            stakes: part(
                i128::from(market.staked_atoms),
                staked.shares,
                stakes.shares,
            ),
        }
    }

    /// What the pool's position is worth at the mark, atoms.
    fn inventory(&self) -> i128 {
        let held = self
            .sandbox
            .position(&self.market, &self.market.pool_trader());
        let lots = held.map_or(0, |slot| slot.lots.unsigned_abs());
        i128::from(lots) * i128::from(self.ticks)
    }

    /// The members' trader accounts.
    fn makers(&self) -> Vec<Pubkey> {
        self.members.iter().map(|member| member.address).collect()
    }

    /// Takes in a call that went through.
    fn done(&mut self, what: &str, result: TxResult) -> Option<Vec<BallastEvent>> {
        let outcome = result.ok()?;
        self.calls.push(format!(
            "{what} at {} in slot {}",
            self.ticks,
            self.sandbox.slot()
        ));
        Some(outcome.events)
    }
}

/// A coalition's acts, and what they may cost the honest until the next step.
struct Attack {
    random: ChaCha8Rng,
    /// What stakes paid to deficits and premiums since the step, atoms.
    paid: i128,
    /// Notional of the lots that the pool has without a discount at this mark: those it came with, and
    /// those of bankrupt positions, atoms.
    at_the_mark: i128,
    /// Fees that the pool paid for unwinding, atoms: they are the market's.
    fees: i128,
}

impl Attack {
    fn member(&mut self, funds: &Funds) -> TraderCookie {
        funds
            .members
            .choose(&mut self.random)
            .expect("a member")
            .clone()
    }

    fn call(&mut self, funds: &mut Funds) {
        let member = self.member(funds);
        let (market, makers) = (funds.market.clone(), funds.makers());
        match self.random.gen_range(0..18) {
            0 => self.pair(funds),
            1..=3 => self.order(funds),
            4 => {
                let victim = self.member(funds).address;
                let offer = Takeover::of_lots(self.random.gen_range(10..20_000), 4_000 * USD);
                let taken = funds
                    .sandbox
                    .liquidate_into_book(&market, &victim, &member, offer, &makers);
                self.observe(funds, "a liquidation", taken);
            }
            5..=8 => {
                let victim = self.member(funds).address;
                let taken = funds
                    .sandbox
                    .liquidate_into_pool(&market, &victim, &member, &makers);
                self.observe(funds, "a take", taken);
            }
            9 | 10 => {
                let closed = funds.sandbox.unwind_pool(&market, &member, &makers);
                let done = self.observe(funds, "an unwind", closed);
                funds.counts.unwinds += u64::from(done);
            }
            11 => {
                let moved = funds.sandbox.sync_pool(&market);
                let done = self.observe(funds, "a sync", moved);
                funds.counts.syncs += u64::from(done);
            }
            12 | 13 => self.join(funds, &member),
            14 => self.leave(funds),
            15 => {
                let free = funds.sandbox.trader(&member.address).free.unsigned_abs();
                let moved = match self.random.gen() {
                    true => funds.sandbox.remove_margin(
                        &market,
                        &member,
                        self.random.gen_range(1..=500 * USD),
                    ),
                    false => funds.sandbox.withdraw(&member, free),
                };
                self.observe(funds, "money out", moved);
            }
            _ => funds.pass(*[1, 10, 60, 200].choose(&mut self.random).expect("slots")),
        }
    }
}

impl Attack {
    /// Members against each other, with hardly more than initial margin.
    fn pair(&mut self, funds: &mut Funds) {
        let (one, other) = (self.member(funds), self.member(funds));
        let lots: i64 = self.random.gen_range(100..60_000);
        let margin = lots.unsigned_abs() * funds.ticks * self.random.gen_range(505..800) / 10_000;
        let terms = BlockTrade {
            lots: if self.random.gen() { lots } else { -lots },
            price_ticks: funds.ticks * self.random.gen_range(9_950..=10_050) / 10_000,
            taker_margin: margin,
            maker_margin: margin,
        };
        let market = funds.market.clone();
        let traded = funds.sandbox.block_trade(&market, &one, &other, terms);
        let done = self.observe(funds, "a pair", traded);
        funds.counts.pairs += u64::from(done);
    }

    /// An order that waits where the pool may have to meet it, or one that takes.
    fn order(&mut self, funds: &mut Funds) {
        let member = self.member(funds);
        let (market, makers) = (funds.market.clone(), funds.makers());
        if self.random.gen_ratio(1, 5) {
            let cancelled = funds.sandbox.cancel_all_orders(&market, &member, None);
            self.observe(funds, "orders cancelled", cancelled);
            return;
        }
        let (side, away) = match self.random.gen() {
            true => (OrderSide::Bid, 10_000 - self.random.gen_range(0..40)),
            false => (OrderSide::Ask, 10_000 + self.random.gen_range(0..40)),
        };
        let args = PlaceOrderArgs {
            side,
            kind: OrderKind::Limit,
            price_ticks: funds.ticks * away / 10_000,
            lots: self.random.gen_range(100..40_000),
            self_trade: SelfTrade::CancelProvide,
            ..PlaceOrderArgs::default()
        };
        let placed = funds.sandbox.place_order(&market, &member, args, &makers);
        let done = self.observe(funds, "an order", placed);
        funds.counts.orders += u64::from(done);
    }
}

impl Attack {
    /// Tokens into the pool or into the stakes, or a request to leave.
    fn join(&mut self, funds: &mut Funds, member: &TraderCookie) {
        let (market, wallet) = (funds.market.clone(), &member.wallet);
        let tokens = funds.sandbox.token_balance(&wallet.tokens);
        let amount = tokens / self.random.gen_range(1..4);
        match self.random.gen_range(0..4) {
            0 => {
                let joined = funds.sandbox.deposit_pool(&market, wallet, amount);
                let done = self.observe(funds, "a deposit", joined);
                funds.counts.deposits += u64::from(done);
            }
            1 => {
                let staked = funds.sandbox.stake(&market, wallet, amount);
                let done = self.observe(funds, "a stake", staked);
                funds.counts.stakes += u64::from(done);
            }
            2 => {
                let owned = funds
                    .sandbox
                    .share(&market.pool(), &wallet.address())
                    .shares;
                let asked = funds.sandbox.request_pool(&market, wallet, owned / 2);
                self.observe(funds, "a request", asked);
            }
            _ => {
                let owned = funds
                    .sandbox
                    .share(&market.stakes(), &wallet.address())
                    .shares;
                let asked = funds.sandbox.request_unstake(&market, wallet, owned / 2);
                self.observe(funds, "a request", asked);
            }
        }
    }

    /// Everybody who may leaves the pool or the stakes; the delay may have passed.
    fn leave(&mut self, funds: &mut Funds) {
        let market = funds.market.clone();
        let waits = [1, 9_100, 1_080_100];
        funds.pass(*waits.choose(&mut self.random).expect("slots"));
        for member in funds.members.clone() {
            let left = funds.sandbox.withdraw_pool(&market, &member.wallet, 0);
            let done = self.observe(funds, "an exit", left);
            funds.counts.exits += u64::from(done);
            let left = funds.sandbox.unstake(&market, &member.wallet, 0);
            let done = self.observe(funds, "an unstake", left);
            funds.counts.unstakes += u64::from(done);
        }
    }
}

impl Attack {
    /// Takes in what a call did: what stakes may pay, and what the pool took at the mark.
    fn observe(&mut self, funds: &mut Funds, what: &str, result: TxResult) -> bool {
        let Some(events) = funds.done(what, result) else {
            return false;
        };
        let mut rescued = false;
        for event in &events {
            match event {
                BallastEvent::PositionLiquidated(event) => {
                    rescued = event.equity_before_atoms < 0;
                    self.paid += i128::from(event.insurance_paid_atoms);
                }
                BallastEvent::PoolTook(took) => {
                    self.paid += i128::from(took.premium_atoms);
                    funds.counts.takes += 1;
                    if rescued {
                        funds.counts.rescues += 1;
                        self.at_the_mark += i128::from(took.quote_atoms.unsigned_abs());
                    }
                }
                BallastEvent::PoolUnwound(unwound) => self.fees += i128::from(unwound.taker.fee),
                BallastEvent::AutoDeleveraged(round) => {
                    self.paid += i128::from(round.insurance_paid_atoms);
                }
                _ => {}
            }
        }
        true
    }
}

impl Attack {
    /// Fails unless the honest have what they had when the mark was published, but for what may be lost: stakes
    /// what they paid, the pool what it costs to close lots that it did not take at a discount from this mark,
    /// the fees for that, and an atom a call.
    fn check(&self, funds: &Funds, before: &Honest) {
        let now = funds.honest();
        let params = funds.sandbox.pool(&funds.market).params;
        let closing = i128::from(params.slip_bps + params.keeper_bps);
        let rounding = i128::try_from(funds.calls.len()).expect("few calls");
        let most = self.at_the_mark * closing / 10_000 + self.fees + rounding;
        assert!(
            now.pool >= before.pool - most,
            "the depositor had {} and has {}, {most} may be lost; {:#?}",
            before.pool,
            now.pool,
            funds.calls
        );
        assert!(
            now.stakes >= before.stakes - self.paid - rounding,
            "the staker had {} and has {} where {} was paid; {:#?}",
            before.stakes,
            now.stakes,
            self.paid,
            funds.calls
        );
    }
}

/// A history: steps of the price, and at each of them whatever the coalition thinks of.
fn play(opened: &Funds, seed: u64, counts: &mut Counts) {
    let mut funds = opened.fork();
    let mut attack = Attack {
        random: ChaCha8Rng::seed_from_u64(seed),
        paid: 0,
        at_the_mark: 0,
        fees: 0,
    };
    let falls: bool = attack.random.gen();
    for _ in 0..STEPS {
        for _ in 0..6 {
            attack.pair(&mut funds);
        }
        // Mostly to where a liquidation has something to take, now and then beyond.
        let moved = funds.ticks * attack.random.gen_range(150..520) / 10_000;
        let ticks = if falls {
            funds.ticks - moved
        } else {
            funds.ticks + moved
        };
        funds.publish(ticks);
        funds.flag(*[0, 70, 160].choose(&mut attack.random).expect("slots"));
        funds.calls.clear();
        (attack.paid, attack.fees) = (0, 0);
        attack.at_the_mark = funds.inventory();
        let before = funds.honest();
        for _ in 0..CALLS {
            attack.call(&mut funds);
            attack.check(&funds, &before);
        }
    }
    counts.add(&funds.counts);
}

#[test]
fn no_coalition_gains_from_a_pool_or_from_stakers_at_one_mark() {
    let histories = crate::number("BALLAST_COALITION_HISTORIES", 48);
    let first = crate::number("BALLAST_SEED", 1);
    let funds = Funds::open();
    let mut counts = Counts::default();
    for seed in first..first + histories {
        play(&funds, seed, &mut counts);
    }
    println!("{counts:?}");
    if histories >= 48 {
        counts.require_variety();
    }
}
