//! Prices: where they come from, and which may be used for what.

use anchor_lang::prelude::Pubkey;
use ballast_client::instructions::{anyone, trader, MarketKeys};
use ballast_sandbox::pyth::{PULL_PROGRAM, PUSH_PROGRAM};
use ballast_sandbox::{MarketConfig, PriceSource, Quote, Sandbox, TxResult};
use ballast_state::error::BallastError;
use ballast_state::price::PYTH_ORACLE_DEVNET;
use solana_account::Account;

use crate::support::{done, quiet, refused, terms, Venue, START, TEN, USD};

fn usd(amount: i64) -> i64 {
    amount * 1_000_000
}

/// What reads a price, each valid in [`Venue::open`] but for the price: opening, reducing, taking
/// margin, accruing, flagging, liquidating, deleveraging.
const ACTIONS: [&str; 7] = [
    "open",
    "reduce",
    "remove",
    "accrue",
    "flag",
    "liquidate",
    "adl",
];

fn act(venue: &Venue, sandbox: &mut Sandbox, action: &str, keys: MarketKeys) -> TxResult {
    let (alice, bob) = (&venue.alice, &venue.bob);
    let owners = [&alice.wallet.keypair, &bob.wallet.keypair];
    let trade = |lots| {
        let args = terms(lots, START, 400 * USD, 250 * USD).args();
        trader::BlockTrade {
            keys,
            taker: alice.party(),
            maker: bob.party(),
            args,
        }
        .instruction()
    };
    let bob_signs = bob.wallet.address();
    let instruction = match action {
        "open" => trade(100),
        "reduce" => trade(-100),
        "remove" => trader::RemoveMargin {
            authority: bob_signs,
            keys,
            trader: bob.address,
            amount: USD,
        }
        .instruction(),
        "accrue" => anyone::AccrueFunding { keys }.instruction(),
        "flag" => anyone::FlagBankruptcy {
            keys,
            trader: alice.address,
        }
        .instruction(),
        "liquidate" => anyone::Liquidate {
            authority: bob_signs,
            keys,
            trader: alice.address,
            liquidator: bob.address,
            offer: anyone::Takeover::with_margin(0),
            makers: &[],
        }
        .instruction(),
        "adl" => {
            let list = [bob.address];
            anyone::AutoDeleverage {
                keeper: bob_signs,
                keys,
                bankrupt: alice.address,
                reward_trader: bob.address,
                counterparties: &list,
            }
            .instruction()
        }
        other => panic!("{other}"),
    };
    let named = |key: &&&solana_keypair::Keypair| {
        let address = solana_signer::Signer::pubkey(**key);
        instruction
            .accounts
            .iter()
            .any(|meta| meta.is_signer && meta.pubkey == address)
    };
    let signers: Vec<_> = owners.iter().filter(named).copied().collect();
    sandbox.send(std::slice::from_ref(&instruction), &signers)
}

/// Publishes the start price with something changed, at which the actions marked are refused and the
/// others get past the price.
#[track_caller]
fn row(error: BallastError, blocked: [bool; 7], change: impl Fn(&mut Quote)) {
    row_later(error, blocked, 0, change);
}

/// The same some slots after the price was published.
#[track_caller]
fn row_later(error: BallastError, blocked: [bool; 7], slots: u64, change: impl Fn(&mut Quote)) {
    let mut venue = Venue::open();
    venue.sandbox.advance_seconds(100);
    venue.price(START);
    done(venue.sandbox.accrue_funding(&venue.market));
    venue.quote(change);
    venue.sandbox.advance_slots(slots);
    for (action, blocked) in ACTIONS.iter().zip(blocked) {
        let mut sandbox = venue.sandbox.fork();
        let keys = venue.market.keys;
        if blocked {
            refused(&mut sandbox, error, |s| act(&venue, s, action, keys));
            continue;
        }
        let price = u32::from(BallastError::PriceStale)..=u32::from(BallastError::PriceOlder);
        if let Err(refusal) = act(&venue, &mut sandbox, action, keys) {
            let number = refusal.number.unwrap();
            assert!(!price.contains(&number), "{action}: {refusal}");
        }
        if *action == "reduce" {
            assert_eq!(
                sandbox
                    .position(&venue.market, &venue.alice.address)
                    .unwrap()
                    .lots,
                9_900
            );
        }
    }
}

const ALL: [bool; 7] = [true; 7];
const ALL_BUT_REDUCING: [bool; 7] = [true, false, true, true, true, true, true];

#[test]
pub fn a_stale_price_only_reduces() {
    // 31.2 seconds.
    row_later(BallastError::PriceStale, ALL_BUT_REDUCING, 78, |_| {});
    // 11.2 seconds; funding takes older ones.
    let fresh = [true, false, true, false, true, true, true];
    row_later(BallastError::PriceStale, fresh, 28, |_| {});
    // The limit itself is fine: the price of a moment ago was.
    let mut venue = Venue::open();
    venue.sandbox.advance_seconds(30);
    done(venue.sandbox.accrue_funding(&venue.market));
    venue.sandbox.advance_slots(3);
    refused(&mut venue.sandbox, BallastError::PriceStale, |s| {
        s.accrue_funding(&venue.market)
    });
}

#[test]
pub fn a_price_from_the_future_only_reduces() {
    row(BallastError::PriceFromFuture, ALL_BUT_REDUCING, |quote| {
        quote.publish_time += 31;
    });
}

#[test]
pub fn a_wide_confidence_only_reduces() {
    row(
        BallastError::PriceWideConfidence,
        ALL_BUT_REDUCING,
        |quote| {
            quote.conf_ticks = 4_002;
        },
    );
}

#[test]
pub fn a_price_far_from_its_average_reduces_accrues_and_flags() {
    let blocked = [true, false, true, false, false, true, true];
    row(BallastError::PriceDiverged, blocked, |quote| {
        quote.ema_ticks = 166_000
    });
    row(BallastError::PriceDiverged, blocked, |quote| {
        quote.ema_ticks = 251_000
    });
}

#[test]
pub fn an_older_price_does_nothing() {
    row(BallastError::PriceOlder, ALL, |quote| {
        quote.publish_time -= 1
    });
}

#[test]
pub fn a_price_that_only_reduces_is_not_remembered() {
    let mut venue = Venue::open();
    let before = venue.sandbox.market(&venue.market).last_price;
    venue.quote(|quote| quote.publish_time += 1_000);
    done(venue.trade(-100, START, 0, 0));
    assert_eq!(venue.sandbox.market(&venue.market).last_price, before);
    // So the honest price after it still counts.
    venue.sandbox.advance_seconds(10);
    venue.price(START);
    done(venue.trade(100, START, 50 * USD, 50 * USD));
}

#[test]
pub fn a_stale_price_never_liquidates_but_lets_out() {
    let mut venue = Venue::open();
    venue.price(189_000);
    venue.sandbox.advance_seconds(32);
    refused(&mut venue.sandbox, BallastError::PriceStale, |s| {
        s.liquidate(&venue.market, &venue.alice.address, &venue.bob, 0)
    });
    done(venue.trade(-TEN, 189_000, 0, 0));
    venue.conserves();
}

/// Refuses the price account with this error for whatever reads a price.
#[track_caller]
fn rejects(venue: &Venue, sandbox: &mut Sandbox, error: BallastError, keys: MarketKeys) {
    for action in ACTIONS {
        refused(sandbox, error, |s| act(venue, s, action, keys));
    }
}

fn pyth_account(owner: Pubkey, data: Vec<u8>) -> Account {
    Account {
        lamports: 1_000_000_000,
        data,
        owner,
        executable: false,
        rent_epoch: u64::MAX,
    }
}

#[test]
pub fn a_pull_price_is_checked_for_owner_layout_verification_and_feed() {
    let venue = Venue::open();
    let (mut sandbox, keys) = (venue.sandbox.fork(), venue.market.keys);
    let quote = Quote {
        ticks: START,
        conf_ticks: 0,
        ema_ticks: START,
        publish_time: sandbox.time(),
    };
    let good = venue.market.pyth_price(&quote, 1);
    for owner in [PUSH_PROGRAM, ballast_state::ID, Pubkey::new_unique()] {
        sandbox.set_account(&keys.price, pyth_account(owner, good.pull_account_data()));
        rejects(&venue, &mut sandbox, BallastError::PriceWrongOwner, keys);
    }
    let mut renamed = good.pull_account_data();
    renamed[0] ^= 1;
    let mut short = good.pull_account_data();
    short.truncate(90);
    for data in [renamed, short, Vec::new(), good.push_account_data()] {
        sandbox.set_account(&keys.price, pyth_account(PULL_PROGRAM, data));
        rejects(
            &venue,
            &mut sandbox,
            BallastError::PriceInvalidAccount,
            keys,
        );
    }
    let mut partial = good;
    for signatures in [0, 12, 255] {
        partial.partial_signatures = Some(signatures);
        sandbox.set_pyth_price(&venue.market, &partial);
        rejects(&venue, &mut sandbox, BallastError::PriceNotVerified, keys);
    }
    let mut foreign = good;
    foreign.feed_id[31] ^= 1;
    sandbox.set_pyth_price(&venue.market, &foreign);
    rejects(&venue, &mut sandbox, BallastError::PriceWrongFeed, keys);
    // Any account of the receiver will do, as long as the feed is right.
    let mut elsewhere = keys;
    elsewhere.price = Pubkey::new_unique();
    let account = pyth_account(PULL_PROGRAM, good.pull_account_data());
    sandbox.set_account(&elsewhere.price, account);
    done(act(&venue, &mut sandbox, "accrue", elsewhere));
}

#[test]
pub fn prices_that_are_none_are_out_of_range() {
    let venue = Venue::open();
    let (mut sandbox, keys) = (venue.sandbox.fork(), venue.market.keys);
    let quote = Quote {
        ticks: START,
        conf_ticks: 0,
        ema_ticks: START,
        publish_time: sandbox.time(),
    };
    let good = venue.market.pyth_price(&quote, 1);
    for (price, exponent) in [
        (0, -8),
        (-5, -8),
        (i64::MAX, -8),
        (1, i32::MAX),
        (1, i32::MIN),
    ] {
        let mut bad = good;
        bad.price = price;
        bad.exponent = exponent;
        sandbox.set_pyth_price(&venue.market, &bad);
        for action in ACTIONS {
            let error = refused_as_any(&mut sandbox, |s| act(&venue, s, action, keys));
            // A huge price may also be far from its average first.
            let wanted = [BallastError::PriceOutOfRange, BallastError::PriceDiverged];
            assert!(
                wanted.iter().any(|one| error == u32::from(*one)),
                "{action}: {error}"
            );
        }
    }
}

/// The number of the error of a call that fails and changes nothing.
#[track_caller]
fn refused_as_any(sandbox: &mut Sandbox, call: impl Fn(&mut Sandbox) -> TxResult) -> u32 {
    let number = call(&mut sandbox.fork()).unwrap_err().number.unwrap();
    let error = BallastError::of_number(number).unwrap();
    refused(sandbox, error, call);
    number
}

fn push_market() -> MarketConfig {
    MarketConfig {
        source: PriceSource::Push,
        ..quiet()
    }
}

#[test]
pub fn a_market_on_the_push_oracle_works_from_end_to_end() {
    let mut venue = Venue::open_with(&push_market());
    let market = venue.sandbox.market(&venue.market);
    assert_eq!(market.oracle.push_account, venue.market.keys.price);
    assert_eq!(
        (market.last_price.ticks, market.last_price.ema_ticks),
        (START, START)
    );
    venue.sandbox.advance_seconds(10);
    venue.price(205_000);
    done(venue.sandbox.accrue_funding(&venue.market));
    done(
        venue
            .sandbox
            .remove_margin(&venue.market, &venue.alice, 40 * USD),
    );
    done(venue.trade(-5_000, 205_000, 0, 0));
    venue.conserves();
    // Down to $192: she has $30 of margin and a loss of $40.
    venue.price(192_000);
    done(
        venue
            .sandbox
            .flag_bankruptcy(&venue.market, &venue.alice.address),
    );
    assert_ne!(venue.position(&venue.alice).bankrupt_slot, 0);
    let (victim, keeper) = (venue.alice.address, venue.bob.clone());
    let list = [venue.bob.address];
    for _ in 0..20 {
        if venue.sandbox.position(&venue.market, &victim).is_none() {
            break;
        }
        done(
            venue
                .sandbox
                .auto_deleverage(&venue.market, &victim, &keeper, &list),
        );
    }
    assert!(venue.sandbox.position(&venue.market, &victim).is_none());
    assert_eq!(venue.sandbox.market(&venue.market).open_interest_lots, 0);
    for trader in [venue.alice.clone(), venue.bob.clone()] {
        let free = u64::try_from(venue.free(&trader)).unwrap();
        done(venue.sandbox.withdraw(&trader, free));
    }
    venue.conserves();
}

#[test]
pub fn a_push_price_is_checked_for_owner_address_and_layout() {
    let venue = Venue::open_with(&push_market());
    let (mut sandbox, keys) = (venue.sandbox.fork(), venue.market.keys);
    let good = sandbox.account(&keys.price).unwrap();
    for owner in [PULL_PROGRAM, ballast_state::ID, Pubkey::new_unique()] {
        sandbox.set_account(&keys.price, pyth_account(owner, good.data.clone()));
        rejects(&venue, &mut sandbox, BallastError::PriceWrongOwner, keys);
    }
    let mut magic = good.data.clone();
    magic[0] ^= 1;
    let mut kind = good.data.clone();
    kind[8] = 2;
    for data in [magic, kind, good.data[..1_000].to_vec(), Vec::new()] {
        sandbox.set_account(&keys.price, pyth_account(PUSH_PROGRAM, data));
        rejects(
            &venue,
            &mut sandbox,
            BallastError::PriceInvalidAccount,
            keys,
        );
    }
    let mut elsewhere = keys;
    elsewhere.price = Pubkey::new_unique();
    sandbox.set_account(&elsewhere.price, good.clone());
    rejects(
        &venue,
        &mut sandbox,
        BallastError::PriceWrongAccount,
        elsewhere,
    );
    // The oracle of devnet is one as well.
    sandbox.set_account(&keys.price, pyth_account(PYTH_ORACLE_DEVNET, good.data));
    done(act(&venue, &mut sandbox, "accrue", keys));
}

#[test]
pub fn a_push_feed_that_does_not_trade_gives_its_previous_price() {
    let mut venue = Venue::open_with(&push_market());
    venue.sandbox.advance_seconds(60);
    venue.price(START);
    let mut account = venue.sandbox.account(&venue.market.keys.price).unwrap();
    // Status unknown; the previous price is from a minute ago.
    account.data[224..228].copy_from_slice(&0_u32.to_le_bytes());
    let then = venue.sandbox.time() - 60;
    account.data[200..208].copy_from_slice(&then.to_le_bytes());
    venue.sandbox.set_account(&venue.market.keys.price, account);
    refused(&mut venue.sandbox, BallastError::PriceStale, |s| {
        s.accrue_funding(&venue.market)
    });
    // It is good enough to reduce.
    done(venue.trade(-TEN, START, 0, 0));
    assert_eq!(venue.free(&venue.bob), usd(1_000));
    venue.conserves();
}
