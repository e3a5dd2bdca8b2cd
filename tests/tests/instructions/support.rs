//! What the scenarios share: a small venue, and refusals that must change nothing.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use ballast_engine::distress::OBSERVED_SLOTS;
use ballast_sandbox::{
    BlockTrade, MarketConfig, MarketCookie, MintKind, Options, Quote, Sandbox, TraderCookie,
    TxError, TxOutcome, TxResult,
};
use ballast_state::error::BallastError;
use ballast_state::position_slot::PositionSlot;
use solana_account::Account;
use solana_keypair::Keypair;

/// Atoms of one quote unit.
pub const USD: u64 = 1_000_000;
/// Price at which the market opens: $200, in ticks of $0.001, which are atoms of a lot.
pub const START: u64 = 200_000;
/// 10 SOL.
pub const TEN: i64 = 10_000;

thread_local! {
    static PROVOKED: RefCell<BTreeSet<u32>> = const { RefCell::new(BTreeSet::new()) };
}

/// Numbers of the errors that [`refused`] has seen on this thread, which are forgotten.
pub fn take_provoked() -> BTreeSet<u32> {
    PROVOKED.with_borrow_mut(std::mem::take)
}

/// A market with two traders, $1,000 deposited each.
pub struct Venue {
    pub sandbox: Sandbox,
    pub market: MarketCookie,
    pub alice: TraderCookie,
    pub bob: TraderCookie,
}

/// The SOL market without funding, so that figures are round; it keeps impact prices all the same.
pub fn quiet() -> MarketConfig {
    let mut config = MarketConfig::sol();
    config.risk.funding_rate_ppm_per_hour = 0;
    config.risk.impact_notional_atoms = 50 * USD;
    config.risk.max_funding_rate_ppm = 0;
    config.risk.min_order_atoms = 1;
    config
}

impl Venue {
    /// The quiet market at $200.
    pub fn new() -> Self {
        Self::with(&quiet())
    }

    /// A market of this configuration.
    pub fn with(config: &MarketConfig) -> Self {
        let (mut sandbox, market) = Sandbox::with_market(&Options::default(), config).unwrap();
        let alice = sandbox.create_trader(1_000 * USD).unwrap();
        let bob = sandbox.create_trader(1_000 * USD).unwrap();
        Self {
            sandbox,
            market,
            alice,
            bob,
        }
    }

    /// A quiet market in which alice is long and bob short 10 SOL at $200: $2,000 of notional, with
    /// $100 and $500 of margin. Alice has paid a fee of $1, of which insurance has $0.20.
    pub fn open() -> Self {
        Self::open_with(&quiet())
    }

    /// The same in a market of this configuration.
    pub fn open_with(config: &MarketConfig) -> Self {
        let mut venue = Self::with(config);
        venue.trade(TEN, START, 100 * USD, 500 * USD).unwrap();
        venue
    }

    /// The open venue with the price at $189: alice is bankrupt by $10, insurance has $0.20.
    pub fn bankrupt() -> Self {
        let mut venue = Self::open();
        venue.price(189_000);
        venue
    }

    /// Alice trades with bob.
    pub fn trade(&mut self, lots: i64, price: u64, alice: u64, bob: u64) -> TxResult {
        let terms = terms(lots, price, alice, bob);
        self.sandbox
            .block_trade(&self.market, &self.alice, &self.bob, terms)
    }

    /// Publishes a certain price now.
    pub fn price(&mut self, ticks: u64) {
        self.sandbox.set_price(&self.market, ticks);
    }

    /// Lets whole seconds pass, and the slots in them.
    pub fn wait(&mut self, seconds: i64) {
        let slots = u64::try_from(seconds * 5 / 2).unwrap();
        let (slot, time) = (self.sandbox.slot(), self.sandbox.time());
        self.sandbox.set_clock(slot + slots, time + seconds);
    }

    /// Records a certain price and publishes it again two seconds later, so that two prices say so.
    pub fn price_twice(&mut self, ticks: u64) {
        self.price(ticks);
        done(self.sandbox.accrue_funding(&self.market));
        self.wait(2);
        self.price(ticks);
    }

    /// Publishes the start price with something changed.
    pub fn quote(&mut self, change: impl FnOnce(&mut Quote)) {
        let mut quote = Quote {
            ticks: START,
            conf_ticks: 0,
            ema_ticks: START,
            publish_time: self.sandbox.time(),
        };
        change(&mut quote);
        self.sandbox.set_quote(&self.market, &quote);
    }

    /// A trader's position, which must exist.
    #[track_caller]
    pub fn position(&self, trader: &TraderCookie) -> PositionSlot {
        self.sandbox
            .position(&self.market, &trader.address)
            .expect("a position")
    }

    /// A trader's free collateral.
    pub fn free(&self, trader: &TraderCookie) -> i64 {
        self.sandbox.trader(&trader.address).free
    }

    /// Fails unless no atom has appeared or vanished.
    #[track_caller]
    pub fn conserves(&self) {
        conserves(&self.sandbox);
    }

    /// The same where a market waits.
    pub fn second_market_after_its_delay(&mut self) -> MarketCookie {
        let delays = self.sandbox.exchange().delays();
        self.sandbox
            .create_market_after(&quiet(), delays.admin_slots)
            .unwrap()
    }

    /// A second market on the same exchange, like the first.
    pub fn second_market(&mut self) -> MarketCookie {
        self.sandbox.create_market(&quiet()).unwrap()
    }
}

/// Terms of a trade.
pub fn terms(lots: i64, price_ticks: u64, taker_margin: u64, maker_margin: u64) -> BlockTrade {
    BlockTrade {
        lots,
        price_ticks,
        taker_margin,
        maker_margin,
    }
}

#[track_caller]
pub fn conserves(sandbox: &Sandbox) {
    let sum = sandbox.conservation();
    assert!(sum.holds(), "{sum:?}");
}

/// Every account there is but the one that pays the fees of transactions.
fn snapshot(sandbox: &Sandbox) -> BTreeMap<Pubkey, Account> {
    let mut all = BTreeMap::new();
    for program in [
        ballast_state::ID,
        MintKind::Classic.token_program(),
        MintKind::Token2022.token_program(),
        anchor_lang::system_program::ID,
        ballast_sandbox::pyth::PULL_PROGRAM,
        ballast_sandbox::pyth::PUSH_PROGRAM,
    ] {
        all.extend(sandbox.accounts_of(&program));
    }
    all.remove(&sandbox.payer());
    all
}

/// Fails unless the call fails with this error number and leaves every account as it was.
#[track_caller]
fn refused_by_number(
    sandbox: &mut Sandbox,
    number: u32,
    call: impl FnOnce(&mut Sandbox) -> TxResult,
) -> TxError {
    let before = snapshot(sandbox);
    let error = match call(sandbox) {
        Ok(_) => panic!("expected error {number}, but the call went through"),
        Err(error) => error,
    };
    assert_eq!(error.number, Some(number), "{error}");
    assert!(before == snapshot(sandbox), "{error} changed an account");
    PROVOKED.with_borrow_mut(|provoked| provoked.insert(number));
    error
}

/// Fails unless the call fails with this error, nothing changes and the books are sound.
#[track_caller]
pub fn refused(
    sandbox: &mut Sandbox,
    error: BallastError,
    call: impl FnOnce(&mut Sandbox) -> TxResult,
) -> TxError {
    let refusal = refused_by_number(sandbox, u32::from(error), call);
    conserves(sandbox);
    refusal
}

/// Like [`refused`], for state that was forged and whose books are therefore not sound.
#[track_caller]
pub fn refused_forged(
    sandbox: &mut Sandbox,
    error: BallastError,
    call: impl FnOnce(&mut Sandbox) -> TxResult,
) -> TxError {
    refused_by_number(sandbox, u32::from(error), call)
}

/// Like [`refused`], where Anchor's own check of an account comes first.
#[track_caller]
pub fn refused_by_anchor(
    sandbox: &mut Sandbox,
    error: ErrorCode,
    call: impl FnOnce(&mut Sandbox) -> TxResult,
) -> TxError {
    refused_by_number(sandbox, u32::from(error), call)
}

/// Like [`refused`], where the runtime, the system program or the token program refuses.
#[track_caller]
pub fn refused_elsewhere(
    sandbox: &mut Sandbox,
    call: impl FnOnce(&mut Sandbox) -> TxResult,
) -> TxError {
    let before = snapshot(sandbox);
    let error = call(sandbox).expect_err("the call fails");
    assert!(before == snapshot(sandbox), "{error} changed an account");
    let own = 6_000..7_000;
    assert!(
        error.number.is_none_or(|number| !own.contains(&number)),
        "{error}"
    );
    error
}

/// Fails unless the call, described by `what`, fails and leaves every account as it was.
#[track_caller]
pub fn refused_with(
    sandbox: &mut Sandbox,
    what: &str,
    call: impl FnOnce(&mut Sandbox) -> TxResult,
) -> TxError {
    let before = snapshot(sandbox);
    let Err(error) = call(sandbox) else {
        panic!("{what} went through");
    };
    assert!(
        before == snapshot(sandbox),
        "{what}: {error} changed an account"
    );
    error
}

/// The one event of a transaction.
#[macro_export]
macro_rules! event {
    ($outcome:expr, $name:ident) => {{
        let events = &$outcome.events;
        assert_eq!(events.len(), 1, "{events:?}");
        match &events[0] {
            ballast_state::events::BallastEvent::$name(event) => event.as_ref().clone(),
            other => panic!("{other:?}"),
        }
    }};
}

/// The event of this name among those of a transaction.
#[macro_export]
macro_rules! among {
    ($outcome:expr, $name:ident) => {{
        let outcome = &$outcome;
        let mut events = outcome.events.iter();
        let found = events.find_map(|event| match event {
            ballast_state::events::BallastEvent::$name(event) => Some(event.as_ref().clone()),
            _ => None,
        });
        found.expect("the event")
    }};
}

/// Sends an instruction with one account replaced.
pub fn replaced(
    sandbox: &mut Sandbox,
    mut instruction: Instruction,
    from: &Pubkey,
    to: Pubkey,
    signers: &[&Keypair],
) -> TxResult {
    let meta = instruction
        .accounts
        .iter_mut()
        .find(|meta| meta.pubkey == *from)
        .expect("the instruction names the account");
    meta.pubkey = to;
    sandbox.send(&[instruction], signers)
}

/// Overwrites the body of an account of the program.
pub fn forge<T: bytemuck::Pod>(
    sandbox: &mut Sandbox,
    address: &Pubkey,
    change: impl FnOnce(&mut T),
) {
    let mut account = sandbox.account(address).expect("the account exists");
    let body = &mut account.data[8..8 + std::mem::size_of::<T>()];
    let mut value: T = bytemuck::pod_read_unaligned(body);
    change(&mut value);
    body.copy_from_slice(bytemuck::bytes_of(&value));
    sandbox.set_account(address, account);
}

/// Stores a copy of an account at a fresh address.
pub fn copy_of(sandbox: &mut Sandbox, address: &Pubkey) -> Pubkey {
    let account = sandbox.account(address).expect("the account exists");
    let copy = Pubkey::new_unique();
    sandbox.set_account(&copy, account);
    copy
}

/// What an outcome's compute units are good for: it went through.
#[track_caller]
pub fn done(result: TxResult) -> TxOutcome {
    result.unwrap_or_else(|error| panic!("{error}"))
}

/// Lets slots pass at this price while somebody flags the position often enough for its clocks to
/// run.
pub fn watched(
    sandbox: &mut Sandbox,
    market: &MarketCookie,
    trader: &Pubkey,
    ticks: u64,
    slots: u64,
) {
    let mut left = slots;
    while left > 0 {
        let step = left.min(OBSERVED_SLOTS);
        sandbox.advance_slots(step);
        sandbox.set_price(market, ticks);
        done(sandbox.flag_bankruptcy(market, trader));
        left -= step;
    }
}
