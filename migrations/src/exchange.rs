//! The exchange and its mint.

use anchor_lang::prelude::Pubkey;
use anchor_spl::token::spl_token;
use anyhow::{bail, Context, Result};
use ballast_client::addresses;
use ballast_client::instructions::{admin, Collateral};
use ballast_client::token::{associated_token, create_associated_token, token_amount};
use ballast_state::instructions::InitializeExchangeArgs;
use solana_keypair::Keypair;
use solana_signer::Signer;
use solana_system_interface::instruction::create_account;

use crate::config::{key, Config};
use crate::deployment::{Deployment, SMALL_ACCOUNTS};
use crate::report::{Difference, ExchangeReport};

/// Decimals of a mint made for tests.
pub const TEST_DECIMALS: u8 = 6;
/// Bytes of a mint.
const MINT_SPACE: usize = 82;

/// The exchange's quote currency.
#[derive(Clone, Copy, Debug)]
pub struct Currency {
    /// Mint and token program.
    pub collateral: Collateral,
    /// Decimals of the mint.
    pub decimals: u8,
    /// Whether this run may make tokens of it.
    pub test: bool,
}

/// Creates the exchange unless it is there.
///
/// # Errors
/// No program, no mint, or a transaction that failed.
pub async fn ensure(
    deployment: &mut Deployment,
    config: &Config,
    create_test_mint: bool,
) -> Result<(ExchangeReport, Currency)> {
    let program = deployment.account(&ballast_state::ID).await?;
    if !program.is_some_and(|account| account.executable) {
        bail!(
            "the program {} is not on this cluster: deploy it first",
            ballast_state::ID
        );
    }
    let address = addresses::exchange();
    let (mint, action) = match deployment.account(&address).await? {
        Some(_) => (
            deployment.cluster.exchange().await?.collateral_mint,
            "unchanged",
        ),
        None => (
            create(deployment, config, create_test_mint).await?,
            "created",
        ),
    };
    let account = deployment.account(&mint).await?;
    let account = account.with_context(|| format!("there is no mint {mint}"))?;
    let exchange = deployment.cluster.exchange().await?;
    let mut differences = Vec::new();
    let wanted = config.exchange.mint.as_deref().map(key).transpose()?;
    // What the file does not name may be anybody's: roles are handed over.
    let roles = Roles::of(config, exchange.risk_authority, exchange.guardian)?;
    for (field, on_chain, configured) in [
        ("mint", mint, wanted.unwrap_or(mint)),
        ("risk_authority", exchange.risk_authority, roles.risk),
        ("guardian", exchange.guardian, roles.pause),
    ] {
        let remedy = match field {
            "mint" => "an exchange keeps its mint: correct the file".to_owned(),
            field => {
                let role = field.trim_end_matches("_authority");
                format!("ballast admin propose {role} {configured}, and once it is due, with that key, ballast admin accept {role}")
            }
        };
        let difference = Difference::between(field.to_owned(), on_chain, configured);
        differences.extend(difference.map(|one| one.with_remedy(remedy)));
    }
    let report = ExchangeReport {
        address: address.to_string(),
        action,
        mint: mint.to_string(),
        differences,
    };
    let currency = Currency {
        collateral: Collateral {
            mint,
            token_program: account.owner,
        },
        decimals: exchange.mint_decimals,
        test: create_test_mint,
    };
    Ok((report, currency))
}

/// Who holds the roles besides the admin.
struct Roles {
    risk: Pubkey,
    pause: Pubkey,
}

impl Roles {
    /// Those that the file names, or these.
    fn of(config: &Config, risk: Pubkey, pause: Pubkey) -> Result<Self> {
        let named = |text: &Option<String>, other| text.as_deref().map_or(Ok(other), key);
        Ok(Self {
            risk: named(&config.exchange.risk_authority, risk)?,
            pause: named(&config.exchange.guardian, pause)?,
        })
    }
}

async fn create(
    deployment: &mut Deployment,
    config: &Config,
    create_test_mint: bool,
) -> Result<Pubkey> {
    deployment.require_funds(SMALL_ACCOUNTS).await?;
    let mint = match &config.exchange.mint {
        Some(mint) => key(mint)?,
        None if create_test_mint => test_mint(deployment).await?,
        None => bail!(
            "the exchange needs a mint: name it in the configuration, or make one on a local \
             cluster with --create-test-mint"
        ),
    };
    let account = deployment.account(&mint).await?;
    let account = account.with_context(|| format!("there is no mint {mint}"))?;
    let admin = deployment.admin();
    let roles = Roles::of(config, admin, admin)?;
    let instruction = admin::InitializeExchange {
        payer: admin,
        admin,
        collateral: Collateral {
            mint,
            token_program: account.owner,
        },
        args: InitializeExchangeArgs {
            risk_authority: roles.risk,
            guardian: roles.pause,
        },
    }
    .instruction();
    let what = "creating the exchange".to_owned();
    deployment.send(what, &[instruction], &[]).await?;
    Ok(mint)
}

/// A mint of the classic token program that the admin may make tokens of.
async fn test_mint(deployment: &mut Deployment) -> Result<Pubkey> {
    deployment.require_local("--create-test-mint")?;
    let keypair = Keypair::new();
    let (admin, mint) = (deployment.admin(), keypair.pubkey());
    let instructions = [
        create_account(
            &admin,
            &mint,
            deployment.rent(MINT_SPACE).await?,
            u64::try_from(MINT_SPACE)?,
            &spl_token::ID,
        ),
        spl_token::instruction::initialize_mint2(
            &spl_token::ID,
            &mint,
            &admin,
            None,
            TEST_DECIMALS,
        )?,
    ];
    let what = format!("creating the test mint {mint}");
    deployment.send(what, &instructions, &[&keypair]).await?;
    Ok(mint)
}

/// The admin's token account, with at least `atoms` in it; on a mint made for tests they are made.
///
/// # Errors
/// When it has fewer.
pub async fn admin_tokens(
    deployment: &mut Deployment,
    currency: &Currency,
    atoms: u64,
) -> Result<Pubkey> {
    let Collateral {
        mint,
        token_program,
    } = currency.collateral;
    let admin = deployment.admin();
    let tokens = associated_token(&admin, &currency.collateral);
    let held = deployment.account(&tokens).await?;
    let held = held.and_then(|account| token_amount(&account.data));
    let held = held.unwrap_or(0);
    if held >= atoms {
        return Ok(tokens);
    }
    if !currency.test {
        bail!(
            "{tokens} holds {held} atoms of the quote currency and insurance is to get {atoms}: \
             send the admin some"
        );
    }
    let instructions = [
        create_associated_token(admin, admin, &currency.collateral),
        spl_token::instruction::mint_to(&token_program, &mint, &tokens, &admin, &[], atoms - held)?,
    ];
    let what = "making tokens for insurance".to_owned();
    deployment.send(what, &instructions, &[]).await?;
    Ok(tokens)
}
