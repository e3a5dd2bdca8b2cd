//! Pools: who creates one, who puts money into it for which shares, and that nobody has another key
//! to it.

use anchor_lang::error::ErrorCode;
use anchor_lang::solana_program::instruction::Instruction;
use ballast_client::addresses;
use ballast_client::instructions::trader::{self, Party};
use ballast_client::instructions::{fund, orders};
use ballast_engine::pool::{PoolMode, PoolParams};
use ballast_engine::shares::MAX_SHARES;
use ballast_sandbox::{MarketCookie, Sandbox, TraderCookie, TxResult, Wallet};
use ballast_state::error::BallastError;
use ballast_state::exchange::PAUSE_DEPOSIT;
use ballast_state::instructions::PlaceTriggerArgs;
use ballast_state::pool::{Pool, POOL_SUB_ID};
use ballast_state::trader::Trader;
use ballast_state::Pubkey;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::event;
use crate::orders::bid;
use crate::support::{
    done, forge, refused, refused_by_anchor, refused_forged, replaced, terms, Venue, START, USD,
};

/// The quiet venue with a pool without money.
pub fn pooled() -> Venue {
    let mut venue = Venue::new();
    let params = params(&venue.market);
    done(venue.sandbox.create_pool(&venue.market, params));
    venue
}

/// What a market's pool does by default.
pub fn params(market: &MarketCookie) -> PoolParams {
    PoolParams::for_market(&market.config.risk)
}

/// Sends a deposit with another account in the place of one it names.
fn deposit_with(
    s: &mut Sandbox,
    market: &MarketCookie,
    wallet: &Wallet,
    from: &Pubkey,
    to: Pubkey,
) -> TxResult {
    let instruction = fund::DepositPool {
        owner: wallet.address(),
        keys: market.keys,
        source: wallet.tokens,
        collateral: s.collateral(),
        amount: USD,
    }
    .instruction();
    replaced(s, instruction, from, to, &[&wallet.keypair])
}

#[test]
fn a_pool_is_created_once_with_a_trader_account_of_its_own() {
    let mut venue = Venue::new();
    let market = venue.market.clone();
    let (before, pool) = (venue.sandbox.exchange().trader_count, market.pool());
    let created = event!(
        done(venue.sandbox.create_pool(&market, params(&market))),
        PoolCreated
    );
    assert_eq!(
        (created.market, created.pool, created.trader, created.params),
        (
            market.keys.market,
            pool,
            addresses::trader(&pool, POOL_SUB_ID),
            params(&market)
        )
    );
    let account = venue.sandbox.trader(&created.trader);
    assert_eq!(
        (account.owner, account.delegate, account.free),
        (pool, Pubkey::default(), 0)
    );
    assert_eq!(venue.sandbox.exchange().trader_count, before + 1);
    let stored = venue.sandbox.pool(&market);
    assert_eq!(
        (stored.market, stored.trader, stored.params, stored.shares),
        (market.keys.market, created.trader, params(&market), 0)
    );
    let again = venue.sandbox.create_pool(&market, params(&market));
    assert!(again.is_err());
    venue.conserves();
}

#[test]
pub fn only_the_admin_creates_a_pool_within_its_bounds() {
    let mut venue = Venue::new();
    let (market, thief) = (venue.market.clone(), venue.sandbox.funded_keypair());
    let create = |admin: Pubkey, payer: Pubkey| {
        let pool = fund::CreatePool {
            admin,
            payer,
            market: market.keys.market,
            params: params(&market),
        };
        pool.instruction()
    };
    refused(&mut venue.sandbox, BallastError::NotAdmin, |s| {
        let thiefs = create(thief.pubkey(), s.payer());
        s.send(&[thiefs], &[&thief])
    });
    // A premium above the fee of a taker would pay who makes bankrupts for a pool of its own.
    let fee = venue.sandbox.market(&market).risk.taker_fee_bps;
    let greedy = PoolParams {
        premium_bps: fee + 1,
        ..params(&market)
    };
    refused(&mut venue.sandbox, BallastError::PoolParams, |s| {
        s.create_pool(&market, greedy)
    });
}

#[test]
fn a_deposit_buys_shares_at_what_the_pool_is_worth() {
    let mut venue = pooled();
    let market = venue.market.clone();
    let erin = venue.sandbox.create_wallet(300 * USD).unwrap();
    let opened = event!(
        done(venue.sandbox.create_share(&market.pool(), &erin)),
        ShareCreated
    );
    assert_eq!((opened.fund, opened.owner), (market.pool(), erin.address()));
    let first = event!(
        done(venue.sandbox.deposit_pool(&market, &erin, 100 * USD)),
        PoolDeposited
    );
    assert_eq!(
        (first.shares, first.shares_after, first.worth_high),
        (100_000 * USD, 100_000 * USD, 0)
    );
    // A gift makes a share worth half as much again.
    let donor = venue.sandbox.create_wallet(50 * USD).unwrap();
    done(
        venue
            .sandbox
            .deposit_from(&donor, &market.pool_trader(), 50 * USD),
    );
    let second = event!(
        done(venue.sandbox.deposit_pool(&market, &erin, 150 * USD)),
        PoolDeposited
    );
    assert_eq!(
        (second.worth_low, second.worth_high),
        (150 * USD, 150 * USD)
    );
    // 150e6 * (100e9 + 1000) / (150e6 + 1), rounded down.
    assert_eq!(second.shares, 100_000_000_333);
    let share = venue.sandbox.share(&market.pool(), &erin.address());
    let pool = venue.sandbox.pool(&market);
    assert_eq!(share.shares, 200_000_000_333);
    assert_eq!(pool.shares, share.shares);
    assert_eq!(
        venue.sandbox.trader(&market.pool_trader()).free,
        300_000_000
    );
    assert_eq!(venue.sandbox.token_balance(&erin.tokens), 50 * USD);
    venue.conserves();
}

#[test]
fn a_deposit_pays_for_what_the_position_may_be_worth() {
    let mut venue = pooled();
    let market = venue.market.clone();
    let erin = venue.sandbox.depositor(&market, 100 * USD);
    hold_position(&mut venue, 100, 20 * USD);
    done(venue.sandbox.mint_to(&erin.tokens, 10 * USD));
    // $200 +- $1, on average $202: a lot is worth $202 to who joins, $199 to who leaves.
    venue.quote(|quote| (quote.conf_ticks, quote.ema_ticks) = (1_000, 202_000));
    let bought = event!(
        done(venue.sandbox.deposit_pool(&market, &erin, 10 * USD)),
        PoolDeposited
    );
    assert_eq!(bought.inventory_lots, 100);
    assert_eq!(bought.worth_high, 100 * USD + 200_000);
    // Less half a percent of $19.9 for closing it.
    assert_eq!(bought.worth_low, 100 * USD - 100_000 - 99_500);
    venue.conserves();
}

/// Has the pool buy lots of alice at the start price with so much margin, as if it had signed.
pub fn hold_position(venue: &mut Venue, lots: i64, margin: u64) {
    let alice = venue.alice.clone();
    hold_position_of(venue, &alice, lots, margin);
}

/// The same, of this maker.
pub fn hold_position_of(venue: &mut Venue, maker: &TraderCookie, lots: i64, margin: u64) {
    let (market, trader) = (venue.market.clone(), venue.market.pool_trader());
    // A key in the place of its owner's, which nobody has.
    let stand_in = venue.sandbox.funded_keypair();
    let key = stand_in.pubkey();
    let owner = venue.sandbox.trader(&trader).owner;
    forge::<Trader>(&mut venue.sandbox, &trader, |account| account.owner = key);
    let trade = trader::BlockTrade {
        keys: market.keys,
        taker: Party {
            trader,
            authority: key,
        },
        maker: maker.party(),
        args: terms(lots, START, margin, 500 * USD).args(),
    };
    let sent = venue
        .sandbox
        .send(&[trade.instruction()], &[&stand_in, &maker.wallet.keypair]);
    done(sent);
    forge::<Trader>(&mut venue.sandbox, &trader, |account| account.owner = owner);
    // What the trade cost is given back, so that figures are round.
    let paid = venue.sandbox.market(&market).risk.taker_fee_bps;
    let fee = u64::from(paid) * lots.unsigned_abs() * START / 10_000;
    let donor = venue.sandbox.create_wallet(fee).unwrap();
    done(venue.sandbox.deposit_from(&donor, &trader, fee));
}

#[test]
pub fn deposits_are_refused_where_they_would_be_wrong() {
    let mut venue = pooled();
    let market = venue.market.clone();
    let other = venue.second_market();
    done(venue.sandbox.create_pool(&other, params(&other)));
    let erin = venue.sandbox.depositor(&market, 10 * USD);
    let mallory = venue.sandbox.create_wallet(10 * USD).unwrap();
    done(venue.sandbox.create_share(&other.pool(), &mallory));
    done(venue.sandbox.create_share(&market.pool(), &mallory));
    let s = &mut venue.sandbox;
    done(s.mint_to(&erin.tokens, 10 * USD));
    refused(s, BallastError::DepositTooSmall, |s| {
        s.deposit_pool(&market, &erin, USD - 1)
    });
    for (from, to) in [
        (market.pool(), other.pool()),
        (market.pool_trader(), other.pool_trader()),
        (market.pool_trader(), venue.alice.address),
        (market.keys.market, other.keys.market),
    ] {
        refused(s, BallastError::WrongPool, |s| {
            deposit_with(s, &market, &erin, &from, to)
        });
    }
    let own = addresses::share(&market.pool(), &erin.address());
    for fund in [market.pool(), other.pool()] {
        let theirs = addresses::share(&fund, &mallory.address());
        refused(s, BallastError::NotOwner, |s| {
            deposit_with(s, &market, &erin, &own, theirs)
        });
    }
    done(s.set_pause(PAUSE_DEPOSIT));
    refused(s, BallastError::Paused, |s| {
        s.deposit_pool(&market, &erin, USD)
    });
    done(s.set_pause(0));
    forge::<Pool>(s, &market.pool(), |pool| {
        pool.params.mode = PoolMode::WindDown.number();
    });
    refused(s, BallastError::PoolClosed, |s| {
        s.deposit_pool(&market, &erin, USD)
    });
    forge::<Pool>(s, &market.pool(), |pool| {
        pool.params.mode = PoolMode::NoTakes.number();
    });
    done(s.deposit_pool(&market, &erin, USD));
    venue.wait(600);
    refused(&mut venue.sandbox, BallastError::PriceStale, |s| {
        s.deposit_pool(&market, &erin, USD)
    });
    venue.price(START);
    done(venue.sandbox.set_reduce_only(&market));
    refused(&mut venue.sandbox, BallastError::MarketReduceOnly, |s| {
        s.deposit_pool(&market, &erin, USD)
    });
}

#[test]
fn nobody_joins_while_somebody_is_bankrupt() {
    let mut venue = Venue::open();
    let market = venue.market.clone();
    done(venue.sandbox.create_pool(&market, params(&market)));
    let erin = venue.sandbox.depositor(&market, 10 * USD);
    done(venue.sandbox.mint_to(&erin.tokens, 10 * USD));
    // Alice's $100 are gone but for nothing at $190, and a cent is missing a tick below.
    venue.price(189_999);
    refused(&mut venue.sandbox, BallastError::MarketInsolvent, |s| {
        s.deposit_pool(&market, &erin, USD)
    });
    venue.price(190_000);
    done(venue.sandbox.deposit_pool(&market, &erin, USD));
    // Nor on the other side.
    venue.price(260_000);
    refused(&mut venue.sandbox, BallastError::MarketInsolvent, |s| {
        s.deposit_pool(&market, &erin, USD)
    });
}

#[test]
pub fn a_full_or_spent_pool_takes_nothing() {
    let mut venue = pooled();
    let market = venue.market.clone();
    let erin = venue.sandbox.depositor(&market, 10 * USD);
    let s = &mut venue.sandbox;
    done(s.mint_to(&erin.tokens, 10 * USD));
    let shares = |s: &mut Sandbox, shares| {
        forge::<Pool>(s, &market.pool(), |pool| pool.shares = shares);
    };
    for (forged, error) in [
        // $10 for more than 1e13 shares: an atom stands for a million.
        (10_000_001_000_000, BallastError::FundSpent),
        (1 << 62, BallastError::FundSpent),
        (10_000 * USD, BallastError::PoolInvariant),
    ] {
        shares(s, forged);
        let requested = u64::from(error == BallastError::PoolInvariant) * (1 << 60);
        forge::<Pool>(s, &market.pool(), |pool| pool.requested = requested);
        refused_forged(s, error, |s| s.deposit_pool(&market, &erin, USD));
    }
    forge::<Pool>(s, &market.pool(), |pool| {
        (pool.requested, pool.shares) = (0, MAX_SHARES);
    });
    forge::<Trader>(s, &market.pool_trader(), |trader| trader.free = 1 << 52);
    refused_forged(s, BallastError::FundFull, |s| {
        s.deposit_pool(&market, &erin, 10 * USD)
    });
}

#[test]
pub fn accounts_for_shares_are_of_funds_and_closed_without_shares() {
    let mut venue = pooled();
    let market = venue.market.clone();
    let erin = venue.sandbox.depositor(&market, 10 * USD);
    let mallory = venue.sandbox.create_wallet(0).unwrap();
    let (alice, s) = (venue.alice.address, &mut venue.sandbox);
    let mint = s.mint();
    for none in [alice, market.keys.market, mint, Pubkey::new_unique()] {
        refused(s, BallastError::WrongFund, |s| {
            s.create_share(&none, &mallory)
        });
    }
    refused(s, BallastError::SharesLeft, |s| {
        s.close_share(&market.pool(), &erin)
    });
    // Another's account is not closed, whoever signs.
    done(s.create_share(&market.pool(), &mallory));
    let close = fund::CloseShare {
        owner: erin.address(),
        fund: market.pool(),
    }
    .instruction();
    let (own, theirs) = (&erin, addresses::share(&market.pool(), &mallory.address()));
    let mine = addresses::share(&market.pool(), &erin.address());
    refused(s, BallastError::NotOwner, |s| {
        replaced(s, close, &mine, theirs, &[&own.keypair])
    });
    let before = s.account(&mallory.address()).unwrap().lamports;
    let rent = s.account(&theirs).unwrap().lamports;
    done(s.close_share(&market.pool(), &mallory));
    assert!(s.account(&theirs).is_none());
    let after = s.account(&mallory.address()).unwrap().lamports;
    assert_eq!(after, before + rent);
    // Shares of an earlier epoch are worth nothing.
    forge::<Pool>(s, &market.pool(), |pool| {
        (pool.epoch, pool.shares) = (1, 0);
    });
    done(s.close_share(&market.pool(), &erin));
}

/// Instructions that take from a trader account, or bind it, signed by `key`.
fn grabs(venue: &mut Venue, key: &Pubkey) -> Vec<(Instruction, BallastError)> {
    let (keys, collateral) = (venue.market.keys, venue.sandbox.collateral());
    let (trader, own) = (venue.market.pool_trader(), venue.alice.party());
    let destination = venue.alice.wallet.tokens;
    let (owner, authority) = (*key, *key);
    let strangers = BallastError::NotTraderAuthority;
    vec![
        (
            trader::Withdraw {
                owner,
                trader,
                destination,
                collateral,
                amount: 1,
            }
            .instruction(),
            BallastError::NotOwner,
        ),
        (
            trader::SetDelegate {
                owner,
                trader,
                delegate: Some(own.authority),
                block_trades: true,
            }
            .instruction(),
            BallastError::NotOwner,
        ),
        (
            trader::CloseTrader { owner, trader }.instruction(),
            BallastError::NotOwner,
        ),
        (
            trader::AddMargin {
                authority,
                keys,
                trader,
                amount: 1,
            }
            .instruction(),
            strangers,
        ),
        (
            trader::RemoveMargin {
                authority,
                keys,
                trader,
                amount: 1,
            }
            .instruction(),
            strangers,
        ),
        (
            orders::PlaceOrder {
                authority,
                keys,
                trader,
                args: bid(190_000, 100),
                makers: &[],
            }
            .instruction(),
            strangers,
        ),
        (
            orders::PlaceTrigger {
                authority,
                market: keys.market,
                trader,
                args: PlaceTriggerArgs {
                    price_ticks: 190_000,
                    lots: 1,
                    ..PlaceTriggerArgs::default()
                },
            }
            .instruction(),
            strangers,
        ),
        (
            trader::BlockTrade {
                keys,
                taker: Party { trader, authority },
                maker: own,
                args: terms(100, START, USD, 500 * USD).args(),
            }
            .instruction(),
            strangers,
        ),
    ]
}

/// Sends an instruction, signed by those of `keys` that it names.
fn send_signed(s: &mut Sandbox, instruction: &Instruction, keys: &[&Keypair]) -> TxResult {
    let signs = |key: &&&Keypair| {
        let mut metas = instruction.accounts.iter();
        metas.any(|meta| meta.is_signer && meta.pubkey == key.pubkey())
    };
    let signers: Vec<&Keypair> = keys.iter().filter(signs).copied().collect();
    s.send(std::slice::from_ref(instruction), &signers)
}

#[test]
fn neither_depositors_nor_authorities_have_a_key_to_the_pool() {
    let mut venue = pooled();
    let market = venue.market.clone();
    let erin = venue.sandbox.depositor(&market, 100 * USD);
    hold_position(&mut venue, 100, 20 * USD);
    let alice = venue.alice.wallet.keypair.insecure_clone();
    let stranger = venue.sandbox.funded_keypair();
    let admin = venue.sandbox.admin_keypair();
    let thieves: [&Keypair; 3] = [&erin.keypair, &admin, &stranger];
    for thief in thieves {
        let key = thief.pubkey();
        for (grab, error) in grabs(&mut venue, &key) {
            refused(&mut venue.sandbox, error, |s| {
                send_signed(s, &grab, &[thief, &alice])
            });
        }
    }
    // The pool's address itself is no key that signs.
    for (mut grab, _) in grabs(&mut venue, &market.pool()) {
        for meta in &mut grab.accounts {
            meta.is_signer &= meta.pubkey != market.pool();
        }
        refused_by_anchor(&mut venue.sandbox, ErrorCode::AccountNotSigner, |s| {
            send_signed(s, &grab, &[&alice])
        });
    }
    // Nor does anybody open a second account in its name.
    let mut second = trader::CreateTrader {
        payer: venue.sandbox.payer(),
        owner: market.pool(),
        sub_id: 1,
    }
    .instruction();
    second.accounts[1].is_signer = false;
    refused_by_anchor(&mut venue.sandbox, ErrorCode::AccountNotSigner, |s| {
        s.send(&[second], &[])
    });
}
