//! Trader accounts, and tokens in and out of the exchange.

use std::path::Path;

use anyhow::{Context, Result};
use ballast_client::instructions::trader;
use ballast_engine::pool::PoolParams;
use ballast_engine::shares::STAKE_TERMS;
use ballast_sandbox::{MarketConfig, MintKind, Options, Sandbox, Wallet};
use ballast_state::market::Market;
use ballast_state::pool::Pool;
use ballast_state::staged::Change;
use solana_signer::Signer;

use crate::admin::{mint_name, options};
use crate::figure::Figure;
use crate::forge;
use crate::meter::Meter;
use crate::shapes::thousands;
use crate::venue::{Venue, START, TEN, USD};

/// Owners whose accounts are created, to meet a costly address among them.
const OWNERS: usize = 64;

/// Measures every one of them.
pub fn measure_all(program: &Path, meter: &mut Meter) -> Result<()> {
    accounts(&options(program, MintKind::Classic), meter)?;
    for (kind, shape) in [
        (MintKind::Classic, "SPL token mint"),
        (MintKind::Token2022, "Token-2022 mint"),
    ] {
        let mint = mint_name(kind);
        for crowded in [false, true] {
            let shape = match crowded {
                false => shape.to_owned(),
                true => format!("{shape}, 16 positions"),
            };
            let suffix = if crowded { "-crowded" } else { "" };
            let venue = || {
                let venue = Venue::of(&MarketConfig::sol(), &options(program, kind), 0)?;
                match crowded {
                    false => Ok(venue),
                    true => venue.crowded(),
                }
            };
            tokens(&venue, &format!("{mint}{suffix}"), &shape, meter)?;
        }
        insurance(&options(program, kind), mint, shape, meter)?;
        fees(&options(program, kind), mint, shape, meter)?;
        pool(&options(program, kind), mint, shape, meter)?;
        stakes(&options(program, kind), mint, shape, meter)?;
    }
    Ok(())
}

fn accounts(options: &Options, meter: &mut Meter) -> Result<()> {
    let mut costs = Vec::new();
    if meter.wants("create_trader/") {
        let (mut sandbox, _) = Sandbox::with_sol_market(options)?;
        for _ in 0..OWNERS {
            let owner = sandbox.funded_keypair();
            let instruction = trader::CreateTrader {
                payer: sandbox.payer(),
                owner: owner.pubkey(),
                sub_id: 0,
            }
            .instruction();
            costs.push(sandbox.send(&[instruction], &[&owner])?);
        }
        costs.sort_by_key(|outcome| outcome.compute_units);
    }
    let shapes = [
        ("typical", OWNERS / 2, "the median of 64 addresses"),
        ("worst", OWNERS - 1, "the costliest of 64 addresses"),
    ];
    for (name, rank, shape) in shapes {
        meter.measure(&format!("create_trader/{name}"), || {
            let outcome = costs.get(rank).cloned().context("64 accounts")?;
            Figure::of(shape, Ok(outcome))
        })?;
    }
    meter.measure("close_trader/empty", || {
        let (mut sandbox, _) = Sandbox::with_sol_market(options)?;
        let trader = sandbox.create_trader(0)?;
        Figure::of("an empty account", sandbox.close_trader(&trader))
    })?;
    meter.measure("set_delegate/named", || {
        let (mut sandbox, _) = Sandbox::with_sol_market(options)?;
        let trader = sandbox.create_trader(0)?;
        let delegate = Some(sandbox.payer());
        Figure::of("a delegate named", sandbox.set_delegate(&trader, delegate))
    })
}

fn tokens(
    venue: &impl Fn() -> Result<Venue>,
    name: &str,
    shape: &str,
    meter: &mut Meter,
) -> Result<()> {
    meter.measure(&format!("deposit/{name}"), || {
        let mut venue = venue()?;
        let tokens = venue.alice.wallet.tokens;
        venue.sandbox.mint_to(&tokens, USD)?;
        Figure::of(shape, venue.sandbox.deposit(&venue.alice, USD))
    })?;
    meter.measure(&format!("withdraw/{name}"), || {
        let mut venue = venue()?;
        Figure::of(shape, venue.sandbox.withdraw(&venue.alice, USD))
    })
}

fn insurance(options: &Options, mint: &str, shape: &str, meter: &mut Meter) -> Result<()> {
    let venue = || Venue::of(&MarketConfig::sol(), options, 0);
    meter.measure(&format!("donate_insurance/{mint}"), || {
        let mut venue = venue()?;
        let donor = venue.sandbox.create_wallet(USD)?;
        let donated = venue.sandbox.donate_insurance(&venue.market, &donor, USD);
        Figure::of(shape, donated)
    })?;
    meter.measure(&format!("sweep_insurance/{mint}-to-insurance"), || {
        let mut venue = venue()?;
        venue.trade(TEN, 500 * USD, 500 * USD)?;
        let swept = venue.sandbox.sweep_insurance(&venue.market);
        Figure::of(&format!("{shape}, fees to insurance"), swept)
    })?;
    meter.measure(&format!("sweep_insurance/{mint}-to-collateral"), || {
        let mut venue = venue()?;
        let donor = venue.sandbox.create_wallet(100 * USD)?;
        venue
            .sandbox
            .donate_insurance(&venue.market, &donor, 100 * USD)?;
        venue.open()?;
        venue.price(START - 11_000);
        let victim = venue.alice.address;
        venue
            .sandbox
            .liquidate(&venue.market, &victim, &venue.keeper, 100 * USD)?;
        let swept = venue.sandbox.sweep_insurance(&venue.market);
        Figure::of(&format!("{shape}, insurance to collateral"), swept)
    })
}

/// A market that rewards no keeper reserves nothing, so that the fees of one trade are paid out.
fn fees(options: &Options, mint: &str, shape: &str, meter: &mut Meter) -> Result<()> {
    meter.measure(&format!("withdraw_fees/{mint}"), || {
        let mut config = MarketConfig::sol();
        config.risk.adl.reward_atoms = 0;
        let mut venue = Venue::of(&config, options, 0)?;
        let treasury = venue.sandbox.create_wallet(0)?.tokens;
        venue.sandbox.change(Change::Treasury(treasury), None)?;
        venue.trade(TEN, 500 * USD, 500 * USD)?;
        Figure::of(shape, venue.sandbox.withdraw_fees(&venue.market))
    })?;
    meter.measure(&format!("withdraw_insurance/{mint}"), || {
        let mut venue = Venue::of(&MarketConfig::sol(), options, 0)?;
        let treasury = venue.sandbox.create_wallet(0)?.tokens;
        venue.sandbox.change(Change::Treasury(treasury), None)?;
        let donor = venue.sandbox.create_wallet(USD)?;
        venue.sandbox.donate_insurance(&venue.market, &donor, USD)?;
        let address = venue.market.keys.market;
        forge::change::<Market>(&mut venue.sandbox, &address, |market| {
            (market.mode, market.final_ticks) = (3, 1);
            (market.wind_down.ends_at, market.wind_down.cause) = (1, 2);
        })?;
        Figure::of(shape, venue.sandbox.withdraw_insurance(&venue.market))
    })
}

/// Shares of a pool, without a position of it.
fn pool(options: &Options, mint: &str, shape: &str, meter: &mut Meter) -> Result<()> {
    let venue = || -> Result<Venue> {
        let mut venue = Venue::of(&MarketConfig::sol(), options, 0)?;
        let params = PoolParams::for_market(&venue.market.config.risk);
        venue.sandbox.create_pool(&venue.market, params)?;
        Ok(venue)
    };
    meter.measure(&format!("create_pool/{mint}"), || {
        let mut venue = Venue::of(&MarketConfig::sol(), options, 0)?;
        let params = PoolParams::for_market(&venue.market.config.risk);
        Figure::of(shape, venue.sandbox.create_pool(&venue.market, params))
    })?;
    meter.measure(&format!("create_share/{mint}"), || {
        let mut venue = venue()?;
        let wallet = venue.sandbox.create_wallet(0)?;
        let pool = venue.market.pool();
        Figure::of(shape, venue.sandbox.create_share(&pool, &wallet))
    })?;
    meter.measure(&format!("close_share/{mint}"), || {
        let mut venue = venue()?;
        let wallet = venue.sandbox.create_wallet(0)?;
        let pool = venue.market.pool();
        venue.sandbox.create_share(&pool, &wallet)?;
        Figure::of(shape, venue.sandbox.close_share(&pool, &wallet))
    })?;
    meter.measure(&format!("deposit_pool/{mint}"), || {
        let mut venue = venue()?;
        let wallet = venue.sandbox.depositor(&venue.market, 10 * USD);
        venue.sandbox.mint_to(&wallet.tokens, USD)?;
        Figure::of(
            shape,
            venue.sandbox.deposit_pool(&venue.market, &wallet, USD),
        )
    })?;
    let asked = || -> Result<(Venue, Wallet)> {
        let mut venue = venue()?;
        let wallet = venue.sandbox.depositor(&venue.market, 10 * USD);
        venue.sandbox.request_pool(&venue.market, &wallet, USD)?;
        Ok((venue, wallet))
    };
    meter.measure(&format!("request_pool/{mint}"), || {
        let (mut venue, wallet) = asked()?;
        Figure::of(
            shape,
            venue.sandbox.request_pool(&venue.market, &wallet, USD),
        )
    })?;
    meter.measure(&format!("cancel_pool_request/{mint}"), || {
        let (mut venue, wallet) = asked()?;
        Figure::of(
            shape,
            venue.sandbox.cancel_pool_request(&venue.market, &wallet),
        )
    })?;
    meter.measure(&format!("withdraw_pool/{mint}"), || {
        let (mut venue, wallet) = asked()?;
        let params = PoolParams::for_market(&venue.market.config.risk);
        venue.sandbox.advance_slots(params.withdraw_delay_slots);
        Figure::of(
            shape,
            venue.sandbox.withdraw_pool(&venue.market, &wallet, 1),
        )
    })?;
    meter.measure(&format!("stop_pool/{mint}"), || {
        let mut venue = venue()?;
        Figure::of(shape, venue.sandbox.stop_pool(&venue.market))
    })?;
    meter.measure(&format!("apply_pool_change/{mint}"), || {
        let mut venue = venue()?;
        let params = PoolParams::for_market(&venue.market.config.risk);
        let market = venue.market.clone();
        let staged = venue.sandbox.stage(Change::Pool(params), Some(&market))?;
        Figure::of(shape, venue.sandbox.apply_pool(&market, &staged))
    })?;
    meter.measure(&format!("reset_pool/{mint}"), || {
        let mut venue = venue()?;
        let pool = venue.market.pool();
        forge::change::<Pool>(&mut venue.sandbox, &pool, |pool| pool.shares = 1_000_000)?;
        Figure::of(shape, venue.sandbox.reset_pool(&venue.market))
    })
}

/// Stakes behind insurance.
fn stakes(options: &Options, mint: &str, shape: &str, meter: &mut Meter) -> Result<()> {
    let venue = || -> Result<(Venue, Wallet)> {
        let mut venue = Venue::of(&MarketConfig::sol(), options, 0)?;
        venue.sandbox.open_stakes(&venue.market)?;
        let wallet = venue.sandbox.staker(&venue.market, 10 * USD);
        venue.sandbox.mint_to(&wallet.tokens, USD)?;
        Ok((venue, wallet))
    };
    meter.measure(&format!("open_stakes/{mint}"), || {
        let mut venue = Venue::of(&MarketConfig::sol(), options, 0)?;
        Figure::of(shape, venue.sandbox.open_stakes(&venue.market))
    })?;
    meter.measure(&format!("stake/{mint}"), || {
        let (mut venue, wallet) = venue()?;
        Figure::of(shape, venue.sandbox.stake(&venue.market, &wallet, USD))
    })?;
    meter.measure(&format!("request_unstake/{mint}"), || {
        let (mut venue, wallet) = venue()?;
        let s = &mut venue.sandbox;
        Figure::of(shape, s.request_unstake(&venue.market, &wallet, 1_000))
    })?;
    meter.measure(&format!("cancel_unstake/{mint}"), || {
        let (mut venue, wallet) = venue()?;
        let s = &mut venue.sandbox;
        s.request_unstake(&venue.market, &wallet, 1_000)?;
        Figure::of(shape, s.cancel_unstake(&venue.market, &wallet))
    })?;
    meter.measure(&format!("unstake/{mint}"), || {
        let (mut venue, wallet) = venue()?;
        let s = &mut venue.sandbox;
        s.request_unstake(&venue.market, &wallet, 1_000_000)?;
        let seconds = 432_000;
        let (slot, time) = (s.slot(), s.time());
        s.set_clock(slot + STAKE_TERMS.delay_slots, time + seconds);
        s.set_price(&venue.market, START);
        Figure::of(shape, s.unstake(&venue.market, &wallet, 0))
    })
}

/// Room for more positions in a short and in a long queue.
pub fn measure_growth(program: &Path, meter: &mut Meter) -> Result<()> {
    for (name, positions) in [("16", 16), ("100000", 100_000)] {
        meter.measure(&format!("grow_queue/by-98-from-{name}"), || {
            let mut config = MarketConfig::sol();
            config.queue_capacity = positions;
            let options = Options {
                program: Some(program.to_owned()),
                ..Options::default()
            };
            let mut venue = Venue::of(&config, &options, 0)?;
            let queue = venue.market.keys.queue_long;
            let grown = venue.sandbox.grow_queue(&venue.market, &queue, 98);
            let room = thousands(u64::try_from(positions)?);
            Figure::of(&format!("by 98 positions, from {room}"), grown)
        })?;
    }
    Ok(())
}
