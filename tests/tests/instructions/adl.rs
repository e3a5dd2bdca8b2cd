//! Auto-deleveraging: one round, and what a list may not be.

use anchor_lang::prelude::Pubkey;
use ballast_client::addresses;
use ballast_client::instructions::anyone;
use ballast_engine::units::Side;
use ballast_sandbox::{TraderCookie, TxResult};
use ballast_state::error::BallastError;

use crate::event;
use crate::support::{done, quiet, refused, terms, watched, Venue, START, TEN, USD};

/// Alice is long 10 SOL against three shorts with the less margin the higher they rank; dave is
/// long against bob. At $189 alice is bankrupt by $10 and insurance has $0.72.
pub struct Crash {
    pub venue: Venue,
    /// Shorts of 4, 3 and 3 SOL, the highest ranked first.
    pub shorts: Vec<TraderCookie>,
    pub dave: TraderCookie,
    pub keeper: TraderCookie,
}

impl Crash {
    pub fn new(max_close_bps: u32) -> Self {
        let mut config = quiet();
        config.risk.adl.max_close_bps = max_close_bps;
        let mut venue = Venue::with(&config);
        let mut traders = || venue.sandbox.create_trader(1_000 * USD).unwrap();
        let shorts = vec![traders(), traders(), traders()];
        let (dave, keeper) = (traders(), traders());
        for (short, (lots, margin)) in shorts.iter().zip([(4_000, 50), (3_000, 150), (3_000, 900)])
        {
            let alice = u64::try_from(lots).unwrap() * 10_000;
            let terms = terms(lots, START, alice, margin * USD);
            done(
                venue
                    .sandbox
                    .block_trade(&venue.market, &venue.alice, short, terms),
            );
        }
        // Bob is the last of the shorts.
        let opening = terms(100, START, 20 * USD, 900 * USD);
        done(
            venue
                .sandbox
                .block_trade(&venue.market, &dave, &venue.bob, opening),
        );
        venue.price(189_000);
        Self {
            venue,
            shorts,
            dave,
            keeper,
        }
    }

    pub fn list(&self) -> Vec<Pubkey> {
        self.shorts.iter().map(|short| short.address).collect()
    }

    pub fn call(&mut self, list: &[Pubkey]) -> TxResult {
        let victim = self.venue.alice.address;
        self.venue
            .sandbox
            .auto_deleverage(&self.venue.market, &victim, &self.keeper, list)
    }

    #[track_caller]
    pub fn refuses(&mut self, error: BallastError, list: &[Pubkey]) -> Vec<String> {
        let victim = self.venue.alice.address;
        let refusal = refused(&mut self.venue.sandbox, error, |s| {
            s.auto_deleverage(&self.venue.market, &victim, &self.keeper, list)
        });
        refusal.logs
    }
}

pub const ALL: u64 = 10_000;

#[test]
pub fn one_round_closes_the_bankrupt_at_its_bankruptcy_price() {
    let mut crash = Crash::new(10_000);
    let list = crash.list();
    let outcome = done(crash.call(&list));
    let event = event!(outcome, AutoDeleveraged);
    // Fees of $1.01, a fifth of which is insurance.
    let insurance = 202_000;
    assert_eq!(
        (event.deficit_before_atoms, event.insurance_paid_atoms),
        (10_000_000, insurance)
    );
    assert_eq!(
        (event.close_quote_atoms, event.close_lots),
        (1_900_000_000 - 202_000, ALL)
    );
    assert_eq!(
        (event.lots_before, event.lots_closed, event.lots_after),
        (TEN, ALL, 0)
    );
    assert_eq!(
        (event.gave_up_atoms, event.deficit_after_atoms),
        (9_798_000, 0)
    );
    assert_eq!(
        (event.insurance_before_atoms, event.insurance_after_atoms),
        (insurance, 0)
    );
    // 4, 3 and 3 tenths of what the winners give up; they close at $189.9798.
    let cuts: Vec<_> = event
        .cuts
        .iter()
        .map(|cut| {
            (
                cut.trader,
                cut.lots_closed,
                cut.quote_atoms,
                cut.gave_up_atoms,
                cut.realized_atoms,
            )
        })
        .collect();
    assert_eq!(
        cuts,
        [
            (list[0], 4_000, 759_919_200, 3_919_200, 40_080_800),
            (list[1], 3_000, 569_939_400, 2_939_400, 30_060_600),
            (list[2], 3_000, 569_939_400, 2_939_400, 30_060_600),
        ]
    );
    // The bankrupt keeps its free collateral; the winners get margin and profit.
    let free: Vec<i64> = crash
        .shorts
        .iter()
        .map(|short| crash.venue.free(short))
        .collect();
    assert_eq!(free, [1_040_080_800, 1_030_060_600, 1_030_060_600]);
    let sandbox = &crash.venue.sandbox;
    assert!(sandbox
        .position(&crash.venue.market, &crash.venue.alice.address)
        .is_none());
    let market = sandbox.market(&crash.venue.market);
    assert_eq!(
        (market.insurance.balance, market.open_interest_lots),
        (0, 100)
    );
    assert_eq!((market.adl_rounds, market.bankruptcy_counter), (1, 1));
    // The reward of $1 is more than the fees of $0.808.
    assert_eq!((event.reward_atoms, market.fees_atoms), (808_000, 0));
    assert_eq!(crash.venue.free(&crash.keeper), 1_000_808_000);
    for (side, left) in [(Side::Long, 1), (Side::Short, 1)] {
        assert_eq!(
            sandbox
                .queue(&crash.venue.market, side)
                .queue()
                .unwrap()
                .len(),
            left
        );
    }
    crash.venue.conserves();
}

#[test]
pub fn a_pass_cuts_nobody_deeper_than_its_cap() {
    let mut crash = Crash::new(5_000);
    let list = crash.list();
    // The first pass: half of each, in two calls.
    let outcome = done(crash.call(&list[..1]));
    let event = event!(outcome, AutoDeleveraged);
    assert_eq!((event.lots_closed, event.cuts.len()), (2_000, 1));
    crash.refuses(BallastError::AdlSkippedCounterparty, &list[..1]);
    let outcome = done(crash.call(&list));
    let event = event!(outcome, AutoDeleveraged);
    let cuts: Vec<u64> = event.cuts.iter().map(|cut| cut.lots_closed).collect();
    assert_eq!((cuts, event.pass_opened), (vec![1_500, 1_500], false));
    // Bob has not been cut, so the pass goes on with him.
    crash.refuses(BallastError::AdlSkippedCounterparty, &list);
    let bob = crash.venue.bob.address;
    done(crash.call(&[bob]));
    // Then the second pass opens.
    let mut all = list.clone();
    all.push(bob);
    let outcome = done(crash.call(&all));
    let event = event!(outcome, AutoDeleveraged);
    assert!(event.pass_opened);
    let cuts: Vec<u64> = event.cuts.iter().map(|cut| cut.lots_closed).collect();
    assert_eq!(cuts, [1_000, 750, 750, 25]);
    crash.venue.conserves();
}

#[test]
pub fn nobody_ranked_higher_is_left_out() {
    let mut crash = Crash::new(10_000);
    let list = crash.list();
    let log = crash.refuses(BallastError::AdlSkippedCounterparty, &list[1..]);
    // The log says whom to add.
    let name = list[0].to_string();
    assert!(log.iter().any(|line| line.contains(&name)), "{log:?}");
    crash.refuses(BallastError::AdlSkippedCounterparty, &list[1..2]);
    crash.refuses(BallastError::AdlSkippedCounterparty, &[list[0], list[2]]);
}

#[test]
pub fn the_list_is_in_order() {
    let mut crash = Crash::new(10_000);
    let list = crash.list();
    crash.refuses(
        BallastError::AdlListOutOfOrder,
        &[list[1], list[0], list[2]],
    );
    crash.refuses(
        BallastError::AdlListOutOfOrder,
        &[list[0], list[2], list[1]],
    );
}

#[test]
pub fn the_list_names_distinct_counterparties_of_this_program() {
    let mut crash = Crash::new(10_000);
    let list = crash.list();
    let first = list[0];
    crash.refuses(BallastError::AdlDuplicateCounterparty, &[first, first]);
    crash.refuses(
        BallastError::AdlDuplicateCounterparty,
        &[first, list[1], first],
    );
    let alice = crash.venue.alice.address;
    crash.refuses(BallastError::AdlBankruptInList, &[alice, first]);
    crash.refuses(BallastError::AdlBankruptInList, &[first, alice]);
    let dave = crash.dave.address;
    crash.refuses(BallastError::AdlNothingCut, &[dave]);
    let foreign = [
        crash.venue.alice.wallet.tokens,
        crash.venue.alice.wallet.address(),
        crash.venue.market.keys.price,
        addresses::exchange(),
        crash.venue.market.keys.market,
        crash.venue.market.keys.queue_long,
        Pubkey::new_unique(),
    ];
    for account in foreign {
        let mut refused = |list: &[Pubkey]| crash.refuses(BallastError::AdlForeignAccount, list);
        // Accounts that the instruction itself names are writable in it.
        refused(&[account, first]);
    }
}

#[test]
pub fn a_forged_trader_is_foreign() {
    let mut crash = Crash::new(10_000);
    let mut account = crash
        .venue
        .sandbox
        .account(&crash.shorts[0].address)
        .unwrap();
    account.owner = Pubkey::new_unique();
    let forged = Pubkey::new_unique();
    crash.venue.sandbox.set_account(&forged, account);
    crash.refuses(BallastError::AdlForeignAccount, &[forged]);
}

#[test]
pub fn a_listed_account_must_be_writable() {
    let mut crash = Crash::new(10_000);
    let mut instruction = anyone::AutoDeleverage {
        keeper: crash.keeper.wallet.address(),
        keys: crash.venue.market.keys,
        bankrupt: crash.venue.alice.address,
        reward_trader: crash.keeper.address,
        counterparties: &crash.list(),
    }
    .instruction();
    instruction.accounts.last_mut().unwrap().is_writable = false;
    let key = &crash.keeper.wallet.keypair;
    refused(
        &mut crash.venue.sandbox,
        BallastError::AdlForeignAccount,
        |s| s.send(&[instruction], &[key]),
    );
}

#[test]
pub fn only_a_bankrupt_is_deleveraged_and_only_when_insurance_cannot_pay() {
    let mut crash = Crash::new(10_000);
    let list = crash.list();
    let donor = crash.venue.sandbox.create_wallet(10 * USD).unwrap();
    let needed = 10 * USD - 202_000;
    done(
        crash
            .venue
            .sandbox
            .donate_insurance(&crash.venue.market, &donor, needed),
    );
    crash.refuses(BallastError::InsuranceCanPay, &list);
    crash.venue.price(190_000);
    crash.refuses(BallastError::NotBankrupt, &list);
    let dave = crash.dave.address;
    refused(&mut crash.venue.sandbox, BallastError::NotBankrupt, |s| {
        s.auto_deleverage(&crash.venue.market, &dave, &crash.keeper, &list)
    });
    let nobody = crash.keeper.address;
    refused(&mut crash.venue.sandbox, BallastError::NoPosition, |s| {
        s.auto_deleverage(&crash.venue.market, &nobody, &crash.keeper, &list)
    });
}

#[test]
pub fn after_the_grace_period_insurance_no_longer_delays() {
    let mut crash = Crash::new(10_000);
    let list = crash.list();
    let (alice, grace) = (
        crash.venue.alice.address,
        crash.venue.market.config.risk.adl.grace_slots,
    );
    let donor = crash.venue.sandbox.create_wallet(20 * USD).unwrap();
    done(
        crash
            .venue
            .sandbox
            .donate_insurance(&crash.venue.market, &donor, 20 * USD),
    );
    done(
        crash
            .venue
            .sandbox
            .flag_bankruptcy(&crash.venue.market, &alice),
    );
    let market = crash.venue.market.clone();
    watched(&mut crash.venue.sandbox, &market, &alice, 189_000, grace);
    crash.refuses(BallastError::InsuranceCanPay, &list);
    crash.venue.sandbox.advance_slots(1);
    let outcome = done(crash.call(&list));
    let event = event!(outcome, AutoDeleveraged);
    // Insurance pays it all, and the winners close at the mark.
    assert_eq!(
        (event.insurance_paid_atoms, event.gave_up_atoms),
        (10 * USD, 0)
    );
    assert_eq!(event.close_quote_atoms, 1_890_000_000);
    crash.venue.conserves();
}

#[test]
pub fn a_round_cuts_somebody() {
    let mut crash = Crash::new(10_000);
    crash.refuses(BallastError::AdlNothingCut, &[]);
    let nobody = crash.keeper.address;
    crash.refuses(BallastError::AdlNothingCut, &[nobody]);
}

#[test]
pub fn a_counterparty_that_left_is_passed_by() {
    let mut crash = Crash::new(10_000);
    let list = crash.list();
    // The first of the list hands its position to bob, while the market is not short, before the call
    // lands.
    crash.venue.price(START);
    let pass = terms(4_000, 191_000, 0, 0);
    let (first, bob) = (crash.shorts[0].clone(), crash.venue.bob.clone());
    done(
        crash
            .venue
            .sandbox
            .block_trade(&crash.venue.market, &first, &bob, pass),
    );
    crash.venue.price(189_000);
    let outcome = done(crash.call(&list));
    let event = event!(outcome, AutoDeleveraged);
    let cut: Vec<Pubkey> = event.cuts.iter().map(|cut| cut.trader).collect();
    assert_eq!(cut, list[1..]);
    crash.venue.conserves();
}

#[test]
pub fn one_may_be_cut_and_earn_the_reward_of_the_same_round() {
    let mut crash = Crash::new(10_000);
    let list = crash.list();
    crash.keeper = crash.shorts[1].clone();
    done(crash.call(&list));
    assert_eq!(crash.venue.free(&crash.keeper), 1_030_060_600 + 808_000);
    crash.venue.conserves();
}

#[test]
pub fn a_bankrupt_short_is_closed_against_longs() {
    let mut venue = Venue::new();
    done(venue.trade(-TEN, START, 100 * USD, 500 * USD));
    venue.price(212_000);
    // Bankrupt by $20; insurance of $0.20 moves the close price to $210.02.
    let (victim, bob) = (venue.alice.address, venue.bob.clone());
    let outcome = done(
        venue
            .sandbox
            .auto_deleverage(&venue.market, &victim, &bob, &[bob.address]),
    );
    let event = event!(outcome, AutoDeleveraged);
    assert_eq!(
        (event.close_quote_atoms, event.close_lots),
        (2_100_200_000, ALL)
    );
    // Half of bob: 5 SOL at $210.02, and $1.98 a SOL given up.
    assert_eq!((event.lots_closed, event.gave_up_atoms), (5_000, 9_900_000));
    assert_eq!(event.deficit_after_atoms, 10_000_000);
    venue.conserves();
}

/// Alice, bankrupt at $189, against `shorts` equal shorts of 0.25 SOL.
pub fn crowd(shorts: usize) -> (Venue, Vec<Pubkey>) {
    let mut config = quiet();
    config.risk.adl.max_close_bps = 10_000;
    let mut venue = Venue::with(&config);
    let mut list = Vec::new();
    for _ in 0..shorts {
        let short = venue.sandbox.create_trader(100 * USD).unwrap();
        let opening = terms(250, START, 2_500_000, 20 * USD);
        done(
            venue
                .sandbox
                .block_trade(&venue.market, &venue.alice, &short, opening),
        );
        list.push(short.address);
    }
    venue.price(189_000);
    (venue, list)
}

#[test]
pub fn a_list_has_room_for_32() {
    let (mut venue, list) = crowd(33);
    let (victim, bob) = (venue.alice.address, venue.bob.clone());
    refused(&mut venue.sandbox, BallastError::AdlListTooLong, |s| {
        s.auto_deleverage(&venue.market, &victim, &bob, &list)
    });
    let outcome = done(
        venue
            .sandbox
            .auto_deleverage(&venue.market, &victim, &bob, &list[..32]),
    );
    let event = event!(outcome, AutoDeleveraged);
    assert_eq!(
        (event.cuts.len(), event.lots_closed, event.lots_after),
        (32, 8_000, 250)
    );
    venue.conserves();
}

#[test]
pub fn the_bankrupt_account_may_receive_the_reward() {
    let mut crash = Crash::new(10_000);
    let list = crash.list();
    crash.keeper = crash.venue.alice.clone();
    let before = crash.venue.free(&crash.keeper);
    done(crash.call(&list));
    assert_eq!(crash.venue.free(&crash.keeper), before + 808_000);
    crash.venue.conserves();
}
