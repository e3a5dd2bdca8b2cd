//! Instructions of the exchange's authorities.

use std::path::Path;

use anyhow::Result;
use ballast_client::addresses;
use ballast_client::instructions::admin;
use ballast_engine::fixtures::risk::{sol_market, step, tier};
use ballast_engine::risk::RiskParams;
use ballast_sandbox::{MarketConfig, MintKind, Options, Sandbox, TxResult};
use ballast_state::exchange::{Delays, Role};
use ballast_state::instructions::CreateMarketArgs;
use ballast_state::staged::Change;

use crate::figure::Figure;
use crate::meter::Meter;

/// Measures every one of them.
pub fn measure_all(program: &Path, meter: &mut Meter) -> Result<()> {
    for (kind, shape) in [
        (MintKind::Classic, "SPL token mint"),
        (MintKind::Token2022, "Token-2022 mint"),
    ] {
        let options = options(program, kind);
        let mint = mint_name(kind);
        meter.measure(&format!("initialize_exchange/{mint}"), || {
            Figure::of(shape, Sandbox::empty(&options)?.initialize_exchange())
        })?;
        for (capacity, name) in [
            (1_024, "small"),
            (addresses::max_queue_capacity(), "largest"),
        ] {
            meter.measure(&format!("create_market/{mint}-{name}"), || {
                let places = crate::shapes::thousands(u64::try_from(capacity)?);
                let shape = format!("{shape}, queues for {places} positions");
                Figure::of(&shape, create_market(&options, capacity)?)
            })?;
        }
    }
    let options = options(program, MintKind::Classic);
    authorities(&options, meter)?;
    for (risk, name, shape) in [
        (sol_market(), "typical", "3 tiers, 3 ladder steps"),
        (fullest(), "worst", "4 tiers, 4 ladder steps"),
    ] {
        meter.measure(&format!("apply_market_change/{name}"), || {
            let (mut sandbox, market) = Sandbox::with_sol_market(&options)?;
            Figure::of(shape, sandbox.set_market_risk(&market, risk))
        })?;
    }
    Ok(())
}

fn authorities(options: &Options, meter: &mut Meter) -> Result<()> {
    let exchange = || -> Result<Sandbox> {
        let mut sandbox = Sandbox::empty(options)?;
        sandbox.initialize_exchange()?;
        Ok(sandbox)
    };
    let delays = Delays::DEFAULT;
    meter.measure("stage_change/market", || {
        let mut sandbox = exchange()?;
        let config = MarketConfig::sol();
        let args = CreateMarketArgs {
            name: config.name,
            oracle: config.oracle(sandbox.payer()),
            risk: config.risk,
        };
        let stage = admin::StageChange {
            authority: sandbox.admin(),
            payer: sandbox.payer(),
            market: None,
            change: Change::CreateMarket(args),
        };
        let signer = sandbox.admin_keypair();
        Figure::of("a market", sandbox.send(&[stage.instruction()], &[&signer]))
    })?;
    meter.measure("cancel_staged/delays", || {
        let mut sandbox = exchange()?;
        let signer = sandbox.admin_keypair();
        let staged = sandbox.stage(Change::Delays(delays), None)?;
        Figure::of("other delays", sandbox.cancel_staged(&staged, &signer))
    })?;
    meter.measure("apply_exchange_change/delays", || {
        let mut sandbox = exchange()?;
        Figure::of("other delays", sandbox.change(Change::Delays(delays), None))
    })?;
    meter.measure("raise_delays/both", || {
        Figure::of("both", exchange()?.raise_delays(delays))
    })?;
    meter.measure("accept_authority/risk", || {
        let mut sandbox = exchange()?;
        let successor = sandbox.funded_keypair();
        Figure::of("the risk role", sandbox.hand_over(Role::Risk, &successor))
    })?;
    meter.measure("set_pause/one-flag", || {
        Figure::of("one flag", exchange()?.set_pause(1))
    })
}

fn create_market(options: &Options, capacity: usize) -> Result<TxResult> {
    let mut sandbox = Sandbox::empty(options)?;
    sandbox.initialize_exchange()?;
    let space = addresses::queue_space(capacity);
    let config = MarketConfig::sol();
    let accounts = admin::MarketAccounts {
        queue_long: sandbox.create_program_account(space)?,
        queue_short: sandbox.create_program_account(space)?,
        book: sandbox.create_program_account(addresses::book_space(config.book_capacity))?,
    };
    let args = CreateMarketArgs {
        name: config.name,
        oracle: config.oracle(sandbox.payer()),
        risk: config.risk,
    };
    let (payer, authority) = (sandbox.payer(), sandbox.admin());
    let collateral = sandbox.collateral();
    let instruction = admin::CreateMarket {
        payer,
        admin: authority,
        index: 0,
        accounts,
        collateral,
        staged: sandbox.stage(Change::CreateMarket(args), None)?,
    }
    .instruction();
    let signer = sandbox.admin_keypair();
    Ok(sandbox.send(&[instruction], &[&signer]))
}

/// The default parameters with every tier and every step in use.
fn fullest() -> RiskParams {
    let mut risk = sol_market();
    risk.tier_count = 4;
    risk.tiers[3] = tier(100_000_000_000_000, 5_000, 2_500);
    risk.ladder_count = 4;
    risk.ladder[2].above_ratio_bps = 1_000;
    risk.ladder[3] = step(0, 10_000);
    risk
}

/// A sandbox's options with this mint.
pub fn options(program: &Path, mint: MintKind) -> Options {
    Options {
        program: Some(program.to_owned()),
        mint,
        ..Options::default()
    }
}

/// A mint in figures' names.
pub const fn mint_name(kind: MintKind) -> &'static str {
    match kind {
        MintKind::Classic => "classic",
        _ => "token-2022",
    }
}
