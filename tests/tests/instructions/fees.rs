//! A market's fees on their way to the treasury: a quarter a day, above the reserve, while nobody
//! may need them. docs/GOVERNANCE.md states the rules.

use ballast_client::instructions::anyone::WithdrawFees;
use ballast_sandbox::{MarketCookie, MintKind, Sandbox, TraderCookie, Wallet};
use ballast_state::error::BallastError;
use ballast_state::exchange::PAUSE_WITHDRAW;
use ballast_state::market::Market;
use ballast_state::staged::Change;
use ballast_state::Pubkey;

use crate::event;
use crate::support::{done, forge, quiet, refused, replaced, Venue, START, USD};

const DAY: i64 = 86_400;
/// A hundred of the market's rewards, of $1 each.
const RESERVE: u64 = 100 * USD;

impl Venue {
    /// The open venue with so many fees collected and a treasury, whose wallet comes with it.
    pub fn earning(fees: u64) -> (Self, Wallet) {
        let mut venue = Self::open();
        let treasury = name_treasury(&mut venue.sandbox);
        let market = venue.market.clone();
        collect(&mut venue.sandbox, &market, fees);
        (venue, treasury)
    }

    pub fn fees(&self) -> u64 {
        self.sandbox.market(&self.market).fees_atoms
    }

    /// Publishes the start price and has what is due paid. How much, atoms.
    #[track_caller]
    pub fn pay_out(&mut self) -> u64 {
        self.price(START);
        let paid = done(self.sandbox.withdraw_fees(&self.market));
        self.conserves();
        event!(paid, FeesWithdrawn).amount
    }

    /// Nothing is paid at the price published last.
    #[track_caller]
    fn pays_nothing(&mut self, error: BallastError) {
        let market = self.market.clone();
        refused(&mut self.sandbox, error, |s| s.withdraw_fees(&market));
    }
}

/// Makes the token account of a new wallet the treasury.
pub fn name_treasury(sandbox: &mut Sandbox) -> Wallet {
    let wallet = sandbox.create_wallet(0).unwrap();
    done(sandbox.change(Change::Treasury(wallet.tokens), None));
    wallet
}

/// Leaves the market with so many fees, and the vault with tokens for them.
pub fn collect(sandbox: &mut Sandbox, market: &MarketCookie, fees: u64) {
    let before = sandbox.market(market).fees_atoms;
    let vault = sandbox.exchange().collateral_vault;
    done(sandbox.mint_to(&vault, fees - before));
    forge::<Market>(sandbox, &market.keys.market, |market| {
        market.fees_atoms = fees;
    });
}

#[test]
pub fn a_quarter_goes_to_the_treasury_and_the_next_a_day_later() {
    let (mut venue, treasury) = Venue::earning(1_000 * USD + 3);
    // Ten seconds before midnight.
    let now = venue.sandbox.time();
    venue.wait(DAY - now % DAY - 10);
    venue.price(START);
    let vault = venue.sandbox.exchange().collateral_vault;
    let before = venue.sandbox.token_balance(&vault);
    let paid = done(venue.sandbox.withdraw_fees(&venue.market));
    let paid = event!(paid, FeesWithdrawn);
    assert_eq!(
        (paid.amount, paid.fees_after_atoms),
        (250 * USD, 750 * USD + 3)
    );
    assert_eq!((paid.treasury, paid.mark_ticks), (treasury.tokens, START));
    assert_eq!(venue.sandbox.token_balance(&treasury.tokens), 250 * USD);
    assert_eq!(venue.sandbox.token_balance(&vault), before - 250 * USD);
    venue.conserves();
    // Whatever is earned, at midnight and up to the last second of 24 hours nothing more goes.
    let market = venue.market.clone();
    collect(&mut venue.sandbox, &market, 4_000 * USD);
    for seconds in [0, 1, 20, 3_600, DAY - 1 - 3_621] {
        venue.wait(seconds);
        venue.price(START);
        venue.pays_nothing(BallastError::FeesPaidToday);
    }
    venue.wait(1);
    assert_eq!(venue.pay_out(), 1_000 * USD);
    venue.price(START);
    venue.pays_nothing(BallastError::FeesPaidToday);
    assert_eq!(venue.sandbox.token_balance(&treasury.tokens), 1_250 * USD);
}

#[test]
pub fn the_reserve_stays() {
    let (mut venue, _) = Venue::earning(RESERVE);
    venue.pays_nothing(BallastError::FeesReserved);
    let market = venue.market.clone();
    collect(&mut venue.sandbox, &market, RESERVE + 7);
    assert_eq!(venue.pay_out(), 7);
    assert_eq!(venue.fees(), RESERVE);
    venue.wait(DAY);
    venue.price(START);
    venue.pays_nothing(BallastError::FeesReserved);
    // One of the market's own is larger, never smaller.
    let mut risk = market.config.risk;
    risk.fee_reserve_atoms = RESERVE - 1;
    let admin = venue.sandbox.admin_keypair();
    refused(&mut venue.sandbox, BallastError::RiskFees, |s| {
        s.send_staging(Change::Risk(risk), Some(&market), &admin)
    });
    risk.fee_reserve_atoms = 300 * USD;
    done(venue.sandbox.change(Change::Risk(risk), Some(&market)));
    collect(&mut venue.sandbox, &market, 400 * USD);
    assert_eq!(venue.pay_out(), 100 * USD);
    venue.wait(DAY);
    venue.price(START);
    venue.pays_nothing(BallastError::FeesReserved);
}

/// Alice is bankrupt at the price of the moment and nobody has said so.
#[test]
pub fn a_bankrupt_whom_nobody_flagged_keeps_the_fees_in() {
    let (mut venue, _) = Venue::earning(1_000 * USD);
    venue.price(189_000);
    venue.pays_nothing(BallastError::MarketInsolvent);
    // Exactly nothing left is not bankrupt.
    venue.price(190_000);
    done(venue.sandbox.withdraw_fees(&venue.market));
    venue.conserves();
}

#[test]
pub fn fees_stay_while_a_cap_limits_insurance() {
    let mut config = quiet();
    config.risk.insurance_draw_cap_bps = 9_000;
    let mut venue = Venue::open_with(&config);
    name_treasury(&mut venue.sandbox);
    let market = venue.market.clone();
    collect(&mut venue.sandbox, &market, 1_000 * USD);
    let donor = venue.sandbox.create_wallet(20 * USD).unwrap();
    done(venue.sandbox.donate_insurance(&market, &donor, 20 * USD));
    venue.price(189_000);
    let liquidator: TraderCookie = venue.sandbox.create_trader(1_000 * USD).unwrap();
    let victim = venue.alice.address;
    done(
        venue
            .sandbox
            .liquidate(&market, &victim, &liquidator, 200 * USD),
    );
    // Insurance paid $10 and the market is whole again.
    venue.pays_nothing(BallastError::InsuranceDrawn);
    // A payment is forgotten when its bucket, a third of the window, is the fifth newest.
    let bucket = config.risk.insurance_window_slots.div_ceil(3);
    let paid_in = venue.sandbox.market(&market).insurance.bucket;
    let forgotten = (paid_in + 4) * bucket;
    let last = forgotten - 1 - venue.sandbox.slot();
    venue.sandbox.advance_slots(last);
    venue.price(189_000);
    venue.pays_nothing(BallastError::InsuranceDrawn);
    venue.sandbox.advance_slots(1);
    venue.price(189_000);
    done(venue.sandbox.withdraw_fees(&market));
    venue.conserves();
}

#[test]
pub fn nobody_but_the_treasury_is_paid() {
    let mut venue = Venue::open();
    let market = venue.market.clone();
    let thief = venue.sandbox.create_wallet(0).unwrap();
    collect(&mut venue.sandbox, &market, 1_000 * USD);
    let to = |s: &Sandbox, treasury: Pubkey| {
        let withdraw = WithdrawFees {
            keys: market.keys,
            treasury,
            collateral: s.collateral(),
        };
        withdraw.instruction()
    };
    // There is none yet.
    let stolen = to(&venue.sandbox, thief.tokens);
    refused(&mut venue.sandbox, BallastError::WrongTreasury, |s| {
        s.send(std::slice::from_ref(&stolen), &[])
    });
    let treasury = name_treasury(&mut venue.sandbox);
    refused(&mut venue.sandbox, BallastError::WrongTreasury, |s| {
        s.send(&[stolen], &[])
    });
    // The vaults are not paid to, nor is an account of another mint.
    let vault = venue.sandbox.exchange().collateral_vault;
    let paid = to(&venue.sandbox, treasury.tokens);
    for wrong in [vault, market.insurance_vault] {
        refused(&mut venue.sandbox, BallastError::VaultAsCounterparty, |s| {
            replaced(s, paid.clone(), &treasury.tokens, wrong, &[])
        });
    }
    let mut fork = venue.sandbox.fork();
    done(fork.change(Change::Treasury(market.insurance_vault), None));
    refused(&mut fork, BallastError::VaultAsCounterparty, |s| {
        s.withdraw_fees(&market)
    });
    let other = venue.sandbox.create_mint(MintKind::Classic).unwrap();
    let foreign = venue
        .sandbox
        .create_token_account(&thief.address(), &other, &MintKind::Classic.token_program())
        .unwrap();
    done(venue.sandbox.change(Change::Treasury(foreign), None));
    refused(&mut venue.sandbox, BallastError::WrongTokenAccount, |s| {
        s.withdraw_fees(&market)
    });
}

#[test]
fn a_stale_price_a_wild_one_and_a_pause_of_withdrawals_keep_the_fees_in() {
    let (mut venue, _) = Venue::earning(1_000 * USD);
    venue.wait(60);
    venue.pays_nothing(BallastError::PriceStale);
    venue.quote(|quote| quote.conf_ticks = START / 10);
    venue.pays_nothing(BallastError::PriceWideConfidence);
    venue.price(START);
    let mut paused = venue.copy();
    done(paused.sandbox.set_pause(PAUSE_WITHDRAW));
    paused.pays_nothing(BallastError::Paused);
    assert_eq!(venue.pay_out(), 250 * USD);
}

/// In a market that has ended the reserve pays those who deleverage; once it is closed, nobody is left.
#[test]
fn a_market_that_has_ended_keeps_its_reserve_until_it_is_closed() {
    let (mut venue, treasury) = Venue::earning(1_000 * USD);
    let (market, alice, bob) = (venue.market.clone(), venue.alice.clone(), venue.bob.clone());
    let mut insolvent = venue.copy();
    insolvent.price(189_000);
    done(insolvent.sandbox.accrue_funding(&market));
    insolvent.end();
    insolvent.pays_nothing(BallastError::MarketInsolvent);

    venue.price(START);
    done(venue.sandbox.accrue_funding(&market));
    venue.end();
    done(venue.sandbox.withdraw_fees(&market));
    assert_eq!(venue.fees(), 750 * USD);
    venue.pays_nothing(BallastError::FeesPaidToday);
    for trader in [&alice, &bob] {
        done(venue.sandbox.settle_position(&market, &trader.address));
    }
    done(venue.sandbox.close_market(&market));
    let last = event!(done(venue.sandbox.withdraw_fees(&market)), FeesWithdrawn);
    assert_eq!((last.amount, last.fees_after_atoms), (750 * USD, 0));
    assert_eq!(last.mark_ticks, START);
    venue.conserves();
    venue.pays_nothing(BallastError::FeesReserved);
    assert_eq!(venue.sandbox.token_balance(&treasury.tokens), 1_000 * USD);
}

/// What stands in a vault for others is nobody's to skim: insurance has paid a deficit, so its vault
/// holds tokens of traders, and fees of insurance are in the other vault.
#[test]
fn a_sweep_credits_what_others_sent_and_nothing_of_a_ledger() {
    let mut venue = Venue::open();
    let (market, vault) = (venue.market.clone(), venue.market.insurance_vault);
    let donor = venue.sandbox.create_wallet(20 * USD).unwrap();
    done(venue.sandbox.donate_insurance(&market, &donor, 20 * USD));
    venue.price(189_000);
    let (victim, bob) = (venue.alice.address, venue.bob.clone());
    done(venue.sandbox.liquidate(&market, &victim, &bob, 0));
    let ledger = venue.sandbox.market(&market).insurance.balance;
    assert_eq!(ledger, 10 * USD + 200_000);
    assert_eq!(venue.sandbox.token_balance(&vault), 20 * USD);
    for sent in [0, 7, 20 * USD] {
        let mut fork = venue.sandbox.fork();
        if sent > 0 {
            done(fork.mint_to(&vault, sent));
        }
        let outcome = done(fork.sweep_insurance(&market));
        assert_eq!(outcome.events.len(), if sent > 0 { 2 } else { 1 });
        assert_eq!(fork.market(&market).insurance.balance, ledger + sent);
        assert_eq!(fork.token_balance(&vault), ledger + sent);
        assert!(fork.conservation().holds());
        // A second one finds nothing.
        assert!(done(fork.sweep_insurance(&market)).events.is_empty());
        assert_eq!(fork.market(&market).insurance.balance, ledger + sent);
    }
    // An account of before the total was kept: nothing counts as stray, and what the traders are owed
    // goes back to them; from then on it is known.
    forge::<Market>(&mut venue.sandbox, &market.keys.market, |market| {
        market.insurance_vault_total = 0;
    });
    done(venue.sandbox.sweep_insurance(&market));
    assert_eq!(venue.sandbox.market(&market).insurance.balance, ledger);
    venue.conserves();
    done(venue.sandbox.mint_to(&vault, 5));
    done(venue.sandbox.sweep_insurance(&market));
    assert_eq!(venue.sandbox.market(&market).insurance.balance, ledger + 5);
    venue.conserves();
}

/// What was sent is as much as insurance has in the other vault, so that vault and ledger look level.
#[test]
fn a_sweep_finds_what_was_sent_where_vault_and_ledger_look_level() {
    let mut venue = Venue::open();
    let (market, vault) = (venue.market.clone(), venue.market.insurance_vault);
    let ledger = venue.sandbox.market(&market).insurance.balance;
    assert_eq!(venue.sandbox.token_balance(&vault), 0);
    done(venue.sandbox.mint_to(&vault, ledger));
    let swept = done(venue.sandbox.sweep_insurance(&market));
    assert_eq!(swept.events.len(), 2, "{:?}", swept.events);
    assert_eq!(venue.sandbox.market(&market).insurance.balance, 2 * ledger);
    assert_eq!(venue.sandbox.token_balance(&vault), 2 * ledger);
    venue.conserves();
}
