//! `ballast deposit` and `ballast withdraw`.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_client::instructions::{self, trader as build};
use ballast_client::token::{associated_token, create_associated_token};
use clap::Args;
use solana_instruction::Instruction;
use solana_signer::Signer;

use super::failure::Usage;
use super::options::{Sending, TraderChoice};
use super::session::Session;
use super::units::Collateral;
use super::words::Names;
use super::writing::{self, Plan};

/// Arguments of `deposit`.
#[derive(Clone, Debug, Args)]
pub struct DepositArgs {
    /// Amount, as a decimal number of the quote currency.
    #[arg(allow_negative_numbers = true)]
    amount: String,
    /// Token account to pay from [default: the signer's associated token account].
    #[arg(long, value_name = "ADDRESS")]
    token_account: Option<Pubkey>,
    #[command(flatten)]
    choice: TraderChoice,
    #[command(flatten)]
    sending: Sending,
}

/// Arguments of `withdraw`.
#[derive(Clone, Debug, Args)]
pub struct WithdrawArgs {
    /// Amount, as a decimal number of the quote currency, or `all`.
    #[arg(allow_negative_numbers = true)]
    amount: String,
    /// Token account to pay to [default: the signer's associated token account, which is made
    /// when it is missing].
    #[arg(long, value_name = "ADDRESS")]
    token_account: Option<Pubkey>,
    #[command(flatten)]
    choice: TraderChoice,
    #[command(flatten)]
    sending: Sending,
}

/// Runs `ballast deposit`.
pub async fn deposit(session: &Session, args: &DepositArgs) -> Result<()> {
    let signer = session.keypair()?;
    let (collateral, units) = quote_currency(session).await?;
    let amount = units.atoms(&args.amount)?;
    let trader = session.trader_address(&args.choice)?;
    session.trader(&trader).await?;
    let owner = signer.pubkey();
    let source = source(
        session,
        &owner,
        args.token_account,
        (&collateral, units),
        amount,
    )
    .await?;
    let plan = Plan {
        command: "deposit",
        purpose: format!(
            "Deposit {} from token account {source} to trader account {trader}",
            units.show(amount.into())
        ),
        instructions: vec![build::Deposit {
            depositor: owner,
            trader,
            source,
            collateral,
            amount,
        }
        .instruction()],
        names: named(units),
    };
    writing::perform(session, signer, plan, args.sending).await
}

/// Runs `ballast withdraw`.
pub async fn withdraw(session: &Session, args: &WithdrawArgs) -> Result<()> {
    let signer = session.keypair()?;
    let (collateral, units) = quote_currency(session).await?;
    let address = session.trader_address(&args.choice)?;
    let trader = session.trader(&address).await?;
    let amount = withdrawable(units, &args.amount, trader.free)?;
    let owner = signer.pubkey();
    let (destination, missing) =
        destination(session, &owner, args.token_account, &collateral).await?;
    let mut instructions = Vec::new();
    instructions.extend(account_for(owner, &collateral, missing));
    instructions.push(
        build::Withdraw {
            owner,
            trader: address,
            destination,
            collateral,
            amount,
        }
        .instruction(),
    );
    let plan = Plan {
        command: "withdraw",
        purpose: format!(
            "Withdraw {} from trader account {address} to token account {destination}",
            units.show(amount.into())
        ),
        instructions,
        names: named(units),
    };
    writing::perform(session, signer, plan, args.sending).await
}

/// Mint and token program of the quote currency, and its decimals.
pub async fn quote_currency(session: &Session) -> Result<(instructions::Collateral, Collateral)> {
    let decimals = session.exchange().await?.mint_decimals;
    Ok((session.cluster.collateral().await?, Collateral { decimals }))
}

/// Names of a command that concerns no market.
pub fn named(collateral: Collateral) -> Names<'static> {
    Names {
        collateral,
        market: None,
    }
}

/// The token account that pays `amount`: the one `named`, else `owner`'s associated one.
///
/// # Errors
/// What it has instead.
pub async fn source(
    session: &Session,
    owner: &Pubkey,
    named: Option<Pubkey>,
    (collateral, units): (&instructions::Collateral, Collateral),
    amount: u64,
) -> Result<Pubkey> {
    let source = named.unwrap_or_else(|| associated_token(owner, collateral));
    let held = session.tokens(&source).await?;
    enough(units, &source, &collateral.mint, held, amount)?;
    Ok(source)
}

/// The token account that is paid to: the one `named`, else `owner`'s associated one, and whether that
/// has to be made.
pub async fn destination(
    session: &Session,
    owner: &Pubkey,
    named: Option<Pubkey>,
    collateral: &instructions::Collateral,
) -> Result<(Pubkey, bool)> {
    let own = associated_token(owner, collateral);
    let destination = named.unwrap_or(own);
    let missing = destination == own && session.tokens(&own).await?.is_none();
    Ok((destination, missing))
}

/// A token account of `owner`'s, where it has to be made.
pub fn account_for(
    owner: Pubkey,
    collateral: &instructions::Collateral,
    make: bool,
) -> Option<Instruction> {
    make.then(|| create_associated_token(owner, owner, collateral))
}

/// Whether a token account can pay.
///
/// # Errors
/// What it has instead.
fn enough(
    units: Collateral,
    source: &Pubkey,
    mint: &Pubkey,
    held: Option<u64>,
    amount: u64,
) -> Result<(), Usage> {
    match held {
        None => Err(Usage(format!(
            "there is no token account {source}; expected one of mint {mint}: name it with --token-account"
        ))),
        Some(held) if held < amount => Err(Usage(format!(
            "token account {source} holds {}, which is less than {}",
            units.show(held.into()),
            units.show(amount.into())
        ))),
        Some(_) => Ok(()),
    }
}

/// Atoms to withdraw of so much free collateral.
fn withdrawable(units: Collateral, text: &str, free: i64) -> Result<u64, Usage> {
    let free = u64::try_from(free).unwrap_or(0);
    if text == "all" {
        return match free {
            0 => Err(Usage("there is no free collateral to withdraw".to_owned())),
            free => Ok(free),
        };
    }
    let amount = units.atoms(text)?;
    if amount > free {
        return Err(Usage(format!(
            "free collateral is {}, which is less than {text}; close positions, cancel orders or remove margin first",
            units.show(free.into())
        )));
    }
    Ok(amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNITS: Collateral = Collateral { decimals: 6 };

    #[test]
    fn no_more_is_withdrawn_than_is_free() {
        let amount = |text, free| withdrawable(UNITS, text, free).ok();
        assert_eq!(amount("all", 7), Some(7));
        assert_eq!(amount("1.5", 1_500_000), Some(1_500_000));
        assert_eq!(amount("1.5", 1_499_999), None);
        assert_eq!(amount("all", 0), None);
    }

    #[test]
    fn a_token_account_pays_what_it_has() {
        let key = Pubkey::new_from_array([1; 32]);
        let pays = |held, amount| enough(UNITS, &key, &key, held, amount).is_ok();
        assert!(pays(Some(5), 5));
        assert!(!pays(Some(4), 5));
        assert!(!pays(None, 5));
    }
}
