//! Accounts that break their own invariant. The program never writes such; forged here, they are
//! refused.

use anchor_lang::prelude::Pubkey;
use ballast_client::instructions::migration::MigrateTrader;
use ballast_engine::queue::QUEUE_HEADER_SIZE;
use ballast_sandbox::{Sandbox, TxResult};
use ballast_state::error::BallastError;
use ballast_state::market::{Market, MARKET_VERSION};
use ballast_state::position_slot::PositionSlot;
use ballast_state::queue_account::NO_NODE;
use ballast_state::trader::{Trader, TRADER_VERSION};

use crate::support::{done, forge, refused_forged, terms, Venue, START, TEN, USD};

fn slot(venue: &mut Venue, trader: Pubkey, change: impl FnOnce(&mut PositionSlot)) {
    forge::<Trader>(&mut venue.sandbox, &trader, |trader| {
        change(&mut trader.positions[0])
    });
}

#[track_caller]
fn adl_refuses(venue: &mut Venue, error: BallastError) {
    let (victim, bob) = (venue.alice.address, venue.bob.clone());
    refused_forged(&mut venue.sandbox, error, |s| {
        s.auto_deleverage(&venue.market, &victim, &bob, &[bob.address])
    });
}

#[test]
pub fn an_unsound_market_is_not_written() {
    let mut venue = Venue::open();
    let market = venue.market.keys.market;
    forge::<Market>(&mut venue.sandbox, &market, |market| {
        market.queue_long = market.queue_short;
    });
    refused_forged(&mut venue.sandbox, BallastError::MarketInvariant, |s| {
        s.accrue_funding(&venue.market)
    });
}

/// Something to try.
type Call<'a> = &'a dyn Fn(&mut Sandbox) -> TxResult;

/// Calls that read the exchange, the market and alice's account, and one that reads the market alone.
fn calls_refuse(venue: &mut Venue, error: BallastError, of_market: bool) {
    let calls: [(bool, Call<'_>); 6] = [
        (true, &|s| s.accrue_funding(&venue.market)),
        (true, &|s| s.sweep_insurance(&venue.market)),
        (false, &|s| s.withdraw(&venue.alice, 1)),
        (false, &|s| s.set_delegate(&venue.alice, None)),
        (false, &|s| s.add_margin(&venue.market, &venue.alice, 1)),
        (false, &|s| {
            let small = terms(100, START, 5 * USD, 0);
            s.block_trade(&venue.market, &venue.alice, &venue.bob, small)
        }),
    ];
    for (reads_market, call) in calls {
        if reads_market == of_market {
            refused_forged(&mut venue.sandbox, error, |s| call(s));
        }
    }
}

fn set_versions(venue: &mut Venue, market: u8, trader: u8) {
    let (key, alice) = (venue.market.keys.market, venue.alice.address);
    forge::<Market>(&mut venue.sandbox, &key, |account| account.version = market);
    forge::<Trader>(&mut venue.sandbox, &alice, |account| {
        account.version = trader;
    });
}

#[test]
pub fn an_account_of_the_version_before_is_refused() {
    let mut venue = Venue::open();
    set_versions(&mut venue, MARKET_VERSION - 1, TRADER_VERSION);
    calls_refuse(&mut venue, BallastError::AccountOutdated, true);
    set_versions(&mut venue, MARKET_VERSION, TRADER_VERSION - 1);
    calls_refuse(&mut venue, BallastError::AccountOutdated, false);
}

#[test]
pub fn an_account_of_an_unknown_version_is_refused() {
    let mut venue = Venue::open();
    for apart in [MARKET_VERSION - 2, MARKET_VERSION + 1, u8::MAX] {
        set_versions(&mut venue, apart, TRADER_VERSION);
        calls_refuse(&mut venue, BallastError::UnknownVersion, true);
    }
    for apart in [TRADER_VERSION - 2, TRADER_VERSION + 1] {
        set_versions(&mut venue, MARKET_VERSION, apart);
        calls_refuse(&mut venue, BallastError::UnknownVersion, false);
        let trader = MigrateTrader {
            trader: venue.alice.address,
            books: &[],
        };
        let instruction = trader.instruction();
        refused_forged(&mut venue.sandbox, BallastError::UnknownVersion, |s| {
            s.send(std::slice::from_ref(&instruction), &[])
        });
    }
}

#[test]
pub fn a_miscounted_trader_is_not_written() {
    let mut venue = Venue::open();
    let alice = venue.alice.address;
    forge::<Trader>(&mut venue.sandbox, &alice, |trader| {
        trader.position_count = 0
    });
    refused_forged(&mut venue.sandbox, BallastError::TraderInvariant, |s| {
        s.add_margin(&venue.market, &venue.alice, 1)
    });
    forge::<Trader>(&mut venue.sandbox, &alice, |trader| {
        trader.position_count = 2
    });
    anybody_has_it_refused(&mut venue);
}

#[test]
pub fn an_unsound_slot_is_noticed_by_instructions_of_its_market_and_by_deposits() {
    let mut venue = Venue::open();
    let alice = venue.alice.address;
    slot(&mut venue, alice, |slot| slot.order_margin = 1);
    refused_forged(&mut venue.sandbox, BallastError::TraderInvariant, |s| {
        s.add_margin(&venue.market, &venue.alice, 1)
    });
    anybody_has_it_refused(&mut venue);
}

/// A deposit to alice by bob, and her own withdrawal and change of delegate, check every slot.
#[track_caller]
fn anybody_has_it_refused(venue: &mut Venue) {
    done(venue.sandbox.mint_to(&venue.bob.wallet.tokens, 1));
    let calls: [&dyn Fn(&mut Sandbox) -> TxResult; 3] = [
        &|s| s.deposit_from(&venue.bob.wallet, &venue.alice.address, 1),
        &|s| s.withdraw(&venue.alice, 1),
        &|s| s.set_delegate(&venue.alice, None),
    ];
    for call in calls {
        refused_forged(&mut venue.sandbox, BallastError::TraderInvariant, |s| {
            call(s)
        });
    }
}

#[test]
pub fn a_position_larger_than_any_is_refused() {
    let mut venue = Venue::open();
    let alice = venue.alice.address;
    slot(&mut venue, alice, |slot| slot.lots = 1 << 33);
    refused_forged(&mut venue.sandbox, BallastError::SizeOutOfRange, |s| {
        s.add_margin(&venue.market, &venue.alice, 1)
    });
}

#[test]
pub fn a_pass_that_the_queue_has_not_opened_is_refused() {
    let mut venue = Venue::bankrupt();
    let alice = venue.alice.address;
    slot(&mut venue, alice, |slot| slot.pass_epoch = 9);
    adl_refuses(&mut venue, BallastError::PositionCorrupt);
}

#[test]
pub fn a_node_that_is_not_there_is_not_found() {
    let mut venue = Venue::open();
    let alice = venue.alice.address;
    slot(&mut venue, alice, |slot| slot.queue_node = 77);
    refused_forged(&mut venue.sandbox, BallastError::NodeNotFound, |s| {
        s.add_margin(&venue.market, &venue.alice, 1)
    });
    refused_forged(&mut venue.sandbox, BallastError::NodeNotFound, |s| {
        let close = terms(-TEN, START, 0, 0);
        s.block_trade(&venue.market, &venue.alice, &venue.bob, close)
    });
}

#[test]
pub fn a_node_of_somebody_else_does_not_rank() {
    let mut venue = Venue::open();
    let carol = venue.sandbox.create_trader(1_000 * USD).unwrap();
    let dave = venue.sandbox.create_trader(1_000 * USD).unwrap();
    let opening = terms(1_000, START, 200 * USD, 200 * USD);
    let sent = venue
        .sandbox
        .block_trade(&venue.market, &carol, &dave, opening);
    done(sent);
    venue.price(189_000);
    let (bob, node) = (venue.bob.address, venue.position(&dave).queue_node);
    slot(&mut venue, bob, |slot| slot.queue_node = node);
    adl_refuses(&mut venue, BallastError::TreeCorrupt);
}

#[test]
pub fn bytes_that_are_no_queue_are_refused() {
    let queue = |venue: &Venue| venue.market.keys.queue_long;
    // The discriminator, and the header's layout version.
    for place in [0, 8 + 36] {
        let mut venue = Venue::open();
        let key = queue(&venue);
        let mut account = venue.sandbox.account(&key).unwrap();
        account.data[place] ^= 0xff;
        venue.sandbox.set_account(&key, account);
        refused_forged(&mut venue.sandbox, BallastError::QueueLayout, |s| {
            s.add_margin(&venue.market, &venue.alice, 1)
        });
    }
    let mut venue = Venue::open();
    let key = queue(&venue);
    let mut account = venue.sandbox.account(&key).unwrap();
    account.data.truncate(8 + QUEUE_HEADER_SIZE - 1);
    venue.sandbox.set_account(&key, account);
    refused_forged(&mut venue.sandbox, BallastError::QueueLayout, |s| {
        s.add_margin(&venue.market, &venue.alice, 1)
    });
}

#[test]
pub fn bytes_that_are_no_book_are_refused() {
    let cancel = |venue: &mut Venue, error| {
        refused_forged(&mut venue.sandbox, error, |s| {
            s.cancel_all_orders(&venue.market, &venue.alice, None)
        });
    };
    // The discriminator, and the header's layout version.
    for place in [0, 8 + 32] {
        let mut venue = Venue::new();
        let key = venue.market.keys.book;
        let mut account = venue.sandbox.account(&key).unwrap();
        account.data[place] ^= 0xff;
        venue.sandbox.set_account(&key, account);
        forge_order_of(&mut venue);
        cancel(&mut venue, BallastError::BookLayout);
    }
    let mut venue = Venue::new();
    let key = venue.market.keys.book;
    let mut account = venue.sandbox.account(&key).unwrap();
    account.owner = Pubkey::new_unique();
    venue.sandbox.set_account(&key, account);
    cancel(&mut venue, BallastError::BookNotOwned);
}

/// Lets alice's account name an order that no book has.
fn forge_order_of(venue: &mut Venue) {
    let (alice, market) = (venue.alice.address, venue.market.keys.market);
    forge::<Trader>(&mut venue.sandbox, &alice, |trader| {
        trader.position_count = 1;
        let slot = &mut trader.positions[0];
        (slot.market, slot.queue_node) = (market, NO_NODE);
        slot.order_count = 1;
    });
}

#[test]
pub fn an_order_that_is_not_in_the_book_is_not_found() {
    let mut venue = Venue::new();
    forge_order_of(&mut venue);
    refused_forged(&mut venue.sandbox, BallastError::OrderNotFound, |s| {
        s.cancel_all_orders(&venue.market, &venue.alice, None)
    });
}

#[test]
pub fn a_queue_of_another_owner_is_no_queue() {
    let mut venue = Venue::open();
    let key = venue.market.keys.queue_short;
    let mut account = venue.sandbox.account(&key).unwrap();
    account.owner = Pubkey::new_unique();
    venue.sandbox.set_account(&key, account);
    refused_forged(&mut venue.sandbox, BallastError::QueueNotOwned, |s| {
        s.add_margin(&venue.market, &venue.alice, 1)
    });
}
