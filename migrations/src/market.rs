//! A market and the accounts it is opened over.

use anchor_lang::prelude::Pubkey;
use anyhow::{bail, Context, Result};
use ballast_client::accounts::{BookSnapshot, QueueSnapshot};
use ballast_client::addresses;
use ballast_client::amount::grouped_decimal;
use ballast_client::instructions::admin::{self, MarketAccounts, StageChange};
use ballast_client::instructions::{anyone, MarketKeys};
use ballast_state::instructions::CreateMarketArgs;
use ballast_state::market::Market;
use ballast_state::oracle_config::OracleConfig;
use ballast_state::staged::Change;
use solana_system_interface::instruction::create_account_with_seed;

use crate::config::{self};
use crate::deployment::{Deployment, Held, SMALL_ACCOUNTS};
use crate::exchange::{admin_tokens, Currency};
use crate::report::{Difference, MarketReport};
use crate::risk;
use crate::staging::{stage, Waiting};

/// Creates the market unless there is one of its name; compares one that is there.
///
/// # Errors
/// What cannot be meant, or a transaction that failed.
pub async fn ensure(
    deployment: &mut Deployment,
    wanted: &config::Market,
    currency: &Currency,
    update_risk: bool,
) -> Result<MarketReport> {
    let oracle = wanted.oracle(currency.decimals)?;
    let name = wanted.padded_name()?;
    let markets = deployment.cluster.markets().await?;
    let mut named = markets
        .into_iter()
        .filter(|(_, market)| market.name == name);
    let found = named.next();
    if named.next().is_some() {
        bail!(
            "two markets are called {}; rename one in the configuration",
            wanted.name
        );
    }
    let (action, address, differences) = match found {
        None => match create(deployment, wanted, &oracle, currency).await? {
            Ok(address) => ("created", address, Vec::new()),
            Err(waiting) => {
                return Ok(MarketReport {
                    name: wanted.name.clone(),
                    action: "staged",
                    address: waiting.keys.address.to_string(),
                    insurance: grouped_decimal(0, currency.decimals, 2),
                    differences: vec![waiting.difference("market")],
                    ..MarketReport::default()
                })
            }
        },
        Some((address, market)) => {
            compare(deployment, wanted, &oracle, address, &market, update_risk).await?
        }
    };
    let market = deployment.cluster.market(&address).await?;
    Ok(MarketReport {
        name: wanted.name.clone(),
        action,
        index: market.index,
        address: address.to_string(),
        queue_long: market.queue_long.to_string(),
        queue_short: market.queue_short.to_string(),
        book: market.book.to_string(),
        insurance_atoms: market.insurance.balance,
        insurance: grouped_decimal(market.insurance.balance.into(), currency.decimals, 2),
        differences,
    })
}

/// Opens the market, or says what waits.
async fn create(
    deployment: &mut Deployment,
    wanted: &config::Market,
    oracle: &OracleConfig,
    currency: &Currency,
) -> Result<Result<Pubkey, Waiting>> {
    let admin = deployment.admin();
    let args = CreateMarketArgs {
        name: wanted.padded_name()?,
        oracle: *oracle,
        risk: wanted.risk_params()?,
    };
    let change = StageChange {
        authority: admin,
        payer: admin,
        market: None,
        change: Change::CreateMarket(args),
    };
    let what = format!("the market {}", wanted.name);
    let waiting = stage(deployment, &change, None, &what).await?;
    if !waiting.is_due {
        return Ok(Err(waiting));
    }
    let queue = addresses::queue_space(wanted.queue_positions);
    let book = addresses::book_space(wanted.book_orders);
    let parts = PARTS.into_iter().zip([queue, queue, book]);
    let parts: Vec<(&str, usize)> = parts.collect();
    let mut lamports = SMALL_ACCOUNTS;
    for (_, space) in &parts {
        lamports += deployment.rent(*space).await?;
    }
    deployment.require_funds(lamports).await?;
    let mut made = Vec::new();
    for (part, space) in parts {
        made.push(zeroed_account(deployment, &wanted.name, part, space).await?);
    }
    let [queue_long, queue_short, book] = made[..] else {
        bail!("a market has three accounts");
    };
    let accounts = MarketAccounts {
        queue_long,
        queue_short,
        book,
    };
    let index = deployment.cluster.exchange().await?.market_count;
    let market = addresses::market(index);
    let mut instructions = vec![admin::CreateMarket {
        payer: admin,
        admin,
        index,
        accounts,
        collateral: currency.collateral,
        staged: waiting.keys,
    }
    .instruction()];
    let insurance = wanted.insurance_atoms(currency.decimals)?;
    if insurance > 0 {
        let tokens = admin_tokens(deployment, currency, insurance).await?;
        let collateral = currency.collateral;
        // In one transaction, so that a market never stands without the insurance meant for it.
        let donate = anyone::DonateInsurance {
            donor: admin,
            market,
            source: tokens,
            collateral,
            amount: insurance,
        };
        instructions.push(donate.instruction());
    }
    let what = format!("creating the market {}", wanted.name);
    deployment.send(what, &instructions, &[]).await?;
    Ok(Ok(market))
}

/// The accounts that a market is opened over.
pub const PARTS: [&str; 3] = ["longs", "shorts", "book"];

fn seed_of(name: &str, part: &str) -> String {
    format!("{name}:{part}")
}

/// Where an account of a market is made.
///
/// # Errors
/// When no address follows from the name.
pub fn account_seed(admin: &Pubkey, name: &str, part: &str) -> Result<Pubkey> {
    let seed = seed_of(name, part);
    Pubkey::create_with_seed(admin, &seed, &ballast_state::ID)
        .with_context(|| format!("no address follows from {seed}"))
}

/// Whether an account that is there can be used.
///
/// # Errors
/// When it is in use, or has another size.
pub fn usable(
    account: &Held,
    space: usize,
    address: &Pubkey,
    name: &str,
    part: &str,
) -> Result<()> {
    let fits = account.owner == ballast_state::ID && account.data.len() == space;
    if !fits || account.data.iter().any(|byte| *byte != 0) {
        bail!(
            "{address}, meant for the {part} of {name}, is in use or has another size than \
             configured; configure that size or rename the market"
        );
    }
    Ok(())
}

/// A zeroed account of the program at an address that follows from the admin, the market's name and
/// `part`, so that a run that was cut short is taken up again.
async fn zeroed_account(
    deployment: &mut Deployment,
    name: &str,
    part: &str,
    space: usize,
) -> Result<Pubkey> {
    let (admin, seed) = (deployment.admin(), seed_of(name, part));
    let address = account_seed(&admin, name, part)?;
    if let Some(account) = deployment.account(&address).await? {
        usable(&account, space, &address, name, part)?;
        return Ok(address);
    }
    let create = create_account_with_seed(
        &admin,
        &address,
        &admin,
        &seed,
        deployment.rent(space).await?,
        u64::try_from(space)?,
        &ballast_state::ID,
    );
    let what = format!("creating the account of the {part} of {name}");
    deployment.send(what, &[create], &[]).await?;
    Ok(address)
}

/// What differs, and what was done about it.
async fn compare(
    deployment: &mut Deployment,
    wanted: &config::Market,
    oracle: &OracleConfig,
    address: Pubkey,
    market: &Market,
    update_risk: bool,
) -> Result<(&'static str, Pubkey, Vec<Difference>)> {
    let mut differences = oracle_differences(&market.oracle, oracle);
    differences.extend(size_differences(deployment, wanted, market).await?);
    let params = wanted.risk_params()?;
    let risk = risk::differences(market.params(), &params);
    if risk.is_empty() {
        return Ok(("unchanged", address, differences));
    }
    if !update_risk {
        let remedy = "deploy --update-risk";
        differences.extend(
            risk.into_iter()
                .map(|one| one.with_remedy(remedy.to_owned())),
        );
        return Ok(("unchanged", address, differences));
    }
    let keys = MarketKeys {
        market: address,
        queue_long: market.queue_long,
        queue_short: market.queue_short,
        book: market.book,
        price: Pubkey::default(),
    };
    let change = StageChange {
        authority: deployment.admin(),
        payer: deployment.admin(),
        market: Some(address),
        change: Change::Risk(params),
    };
    let what = format!("the risk parameters of {}", wanted.name);
    let waiting = stage(deployment, &change, Some(market), &what).await?;
    if !waiting.is_due {
        differences.push(waiting.difference("risk"));
        return Ok(("risk staged", address, differences));
    }
    let staged = waiting.keys;
    let apply = admin::ApplyMarketChange { keys, staged }.instruction();
    deployment
        .send(format!("applying {what}"), &[apply], &[])
        .await?;
    Ok(("risk updated", address, differences))
}

fn oracle_differences(on_chain: &OracleConfig, wanted: &OracleConfig) -> Vec<Difference> {
    let source = |oracle: &OracleConfig| match oracle.feed_id {
        [0, ..] if oracle.push_account != Pubkey::default() => oracle.push_account.to_string(),
        feed => feed.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    let between = |field: &str, a: u64, b: u64| Difference::between(field.to_owned(), a, b);
    [
        Difference::between("price source".to_owned(), source(on_chain), source(wanted)),
        between("tick, billionths", on_chain.tick_nano, wanted.tick_nano),
        between("lot, billionths", on_chain.lot_nano, wanted.lot_nano),
    ]
    .into_iter()
    .flatten()
    .map(|one| {
        one.with_remedy("a market keeps its price source and units: correct the file".to_owned())
    })
    .collect()
}

/// Queues may have grown; a smaller one differs.
async fn size_differences(
    deployment: &Deployment,
    wanted: &config::Market,
    market: &Market,
) -> Result<Vec<Difference>> {
    let mut found = Vec::new();
    for (part, address) in [("longs", market.queue_long), ("shorts", market.queue_short)] {
        let account = deployment.account(&address).await?;
        let account = account.with_context(|| format!("there is no queue {address}"))?;
        let room = QueueSnapshot::new(&account.data)?.queue()?.capacity();
        found.extend((room < wanted.queue_positions).then(|| Difference {
            field: format!("room for {part}"),
            on_chain: room.to_string(),
            configured: wanted.queue_positions.to_string(),
            remedy: format!(
                "ballast admin grow-queue --market {} --side {} --positions {}",
                wanted.name,
                part.trim_end_matches('s'),
                wanted.queue_positions
            ),
        }));
    }
    let account = deployment.account(&market.book).await?;
    let account = account.with_context(|| format!("there is no book {}", market.book))?;
    let room = BookSnapshot::new(&account.data)?.book()?.capacity();
    let field = "orders a side".to_owned();
    let difference = Difference::between(field, room, wanted.book_orders);
    let remedy = "a book keeps its size: correct the file".to_owned();
    found.extend(difference.map(|one| one.with_remedy(remedy)));
    Ok(found)
}
