//! `ballast pool`: a market's backstop pool.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_client::instructions::fund as build;
use ballast_client::{accounts, addresses};
use ballast_engine::pool::PoolParams;
use ballast_state::pool::POOL_SUB_ID;
use ballast_view::pool::{PoolState, PoolView};
use clap::{Args, Subcommand};
use solana_instruction::Instruction;
use solana_signer::Signer;

use super::collateral::{account_for, destination, quote_currency, source};
use super::failure::Usage;
use super::funds::{joins, least as least_of, owner_or_signer, send, Of};
use super::options::Sending;
use super::session::Session;
use super::state::Parts;

/// Arguments of `pool`.
#[derive(Clone, Debug, Args)]
pub struct PoolArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Give a market its pool, with the default parameters; the admin, once.
    Create {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        sending: Sending,
    },
    /// Put tokens into a market's pool.
    Deposit {
        /// Amount, as a decimal number of the quote currency.
        #[arg(allow_negative_numbers = true)]
        amount: String,
        #[command(flatten)]
        of: Of,
        /// Token account to pay from [default: the signer's associated token account].
        #[arg(long, value_name = "ADDRESS")]
        token_account: Option<Pubkey>,
        #[command(flatten)]
        sending: Sending,
    },
    /// Ask for the worth of shares, in the place of what was asked for before.
    Request {
        /// How many shares, or `all`.
        shares: String,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        sending: Sending,
    },
    /// Stay after all.
    Cancel {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        sending: Sending,
    },
    /// Have what was asked for paid.
    Withdraw {
        #[command(flatten)]
        of: Of,
        /// Token account to pay to [default: the signer's associated token account, which is made
        /// when it is missing].
        #[arg(long, value_name = "ADDRESS")]
        token_account: Option<Pubkey>,
        /// Fail where less would be paid, as a decimal number of the quote currency.
        #[arg(long, value_name = "AMOUNT", default_value = "0")]
        least: String,
        #[command(flatten)]
        sending: Sending,
    },
    /// Show what a pool is worth, what it holds, and what somebody owns of it.
    Show {
        #[command(flatten)]
        of: Of,
        /// Whose shares [default: the signer's].
        #[arg(long, value_name = "ADDRESS")]
        owner: Option<Pubkey>,
    },
    /// Have a pool take nothing that enlarges its position; the guardian or the admin.
    Stop {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        sending: Sending,
    },
    /// Begin a new epoch of a spent pool; anybody.
    Reset {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        sending: Sending,
    },
}

/// A market's pool and somebody's shares of it.
async fn pool_of(session: &Session, selector: &str, owner: &Pubkey) -> Result<PoolState> {
    let market = session.market(selector, Parts::Queues).await?;
    let pool = addresses::pool(&market.keys.market);
    let trader = addresses::trader(&pool, POOL_SUB_ID);
    let keys = [pool, trader, addresses::share(&pool, owner)];
    let (_, found) = session.cluster.accounts(&keys).await?;
    let mut found = found.into_iter();
    let mut data = || found.next().flatten().map(|account| account.data);
    let (Some(pool), Some(trader)) = (data(), data()) else {
        return Err(Usage(format!("{} has no pool", market.name())).into());
    };
    Ok(PoolState {
        pool: accounts::pool(&pool)?,
        trader: accounts::trader(&trader)?,
        share: data().map(|data| accounts::share(&data)).transpose()?,
        market,
    })
}

/// What a deposit sends: an account for the shares where there is none yet.
fn deposits(deposit: &build::DepositPool, has_share: bool) -> Vec<Instruction> {
    let fund = addresses::pool(&deposit.keys.market);
    joins(deposit.owner, fund, has_share, deposit.instruction())
}

/// What a payment sends: a token account where there is none.
fn withdraws(withdraw: &build::WithdrawPool, make_account: bool) -> Vec<Instruction> {
    let make = account_for(withdraw.owner, &withdraw.collateral, make_account);
    make.into_iter().chain([withdraw.instruction()]).collect()
}

/// Runs `ballast pool`.
pub async fn run(session: &Session, args: &PoolArgs) -> Result<()> {
    match &args.action {
        Action::Create { of, sending } => create(session, of, *sending).await,
        Action::Deposit {
            amount,
            of,
            token_account,
            sending,
        } => deposit(session, amount, of, *token_account, *sending).await,
        Action::Request {
            shares,
            of,
            sending,
        } => request(session, shares, of, *sending).await,
        Action::Cancel { of, sending } => cancel(session, of, *sending).await,
        Action::Withdraw {
            of,
            token_account,
            least,
            sending,
        } => withdraw(session, of, *token_account, least, *sending).await,
        Action::Show { of, owner } => show(session, of, *owner).await,
        Action::Stop { of, sending } => stop(session, of, *sending).await,
        Action::Reset { of, sending } => reset(session, of, *sending).await,
    }
}

async fn create(session: &Session, of: &Of, sending: Sending) -> Result<()> {
    let admin = session.keypair()?.pubkey();
    let (address, market) = session.find(&of.market).await?;
    let create = build::CreatePool {
        admin,
        payer: admin,
        market: address,
        params: PoolParams::for_market(&market.risk),
    };
    let purpose = format!("Give {} a pool", super::state::name_of(&market));
    let instructions = vec![create.instruction()];
    send(session, ("pool create", purpose), instructions, sending).await
}

async fn deposit(
    session: &Session,
    amount: &str,
    of: &Of,
    token_account: Option<Pubkey>,
    sending: Sending,
) -> Result<()> {
    let owner = session.keypair()?.pubkey();
    let (collateral, units) = quote_currency(session).await?;
    let amount = units.atoms(amount)?;
    let found = pool_of(session, &of.market, &owner).await?;
    let source = source(session, &owner, token_account, (&collateral, units), amount).await?;
    let deposit = build::DepositPool {
        owner,
        keys: found.market.keys,
        source,
        collateral,
        amount,
    };
    let purpose = format!(
        "Put {} into the pool of {}",
        units.show(amount.into()),
        found.market.name()
    );
    let instructions = deposits(&deposit, found.share.is_some());
    send(session, ("pool deposit", purpose), instructions, sending).await
}

async fn request(session: &Session, shares: &str, of: &Of, sending: Sending) -> Result<()> {
    let owner = session.keypair()?.pubkey();
    let found = pool_of(session, &of.market, &owner).await?;
    let (holding, _) = found.holding();
    let shares = match shares {
        "all" => holding.shares,
        count => {
            let parsed = count.parse();
            parsed.map_err(|_| Usage(format!("{count} is no number of shares")))?
        }
    };
    let purpose = format!(
        "Ask for the worth of {shares} of {} shares of the pool of {}",
        holding.shares,
        found.market.name()
    );
    let request = build::RequestPool {
        owner,
        keys: found.market.keys,
        shares,
    };
    let instructions = vec![request.instruction()];
    send(session, ("pool request", purpose), instructions, sending).await
}

async fn cancel(session: &Session, of: &Of, sending: Sending) -> Result<()> {
    let owner = session.keypair()?.pubkey();
    let (market, stored) = session.find(&of.market).await?;
    let name = super::state::name_of(&stored);
    let purpose = format!("Leave all shares in the pool of {name}");
    let instructions = vec![build::CancelPoolRequest { owner, market }.instruction()];
    send(session, ("pool cancel", purpose), instructions, sending).await
}

async fn withdraw(
    session: &Session,
    of: &Of,
    token_account: Option<Pubkey>,
    least: &str,
    sending: Sending,
) -> Result<()> {
    let owner = session.keypair()?.pubkey();
    let (collateral, units) = quote_currency(session).await?;
    let least_atoms = least_of(units, least)?;
    let found = pool_of(session, &of.market, &owner).await?;
    let (destination, missing) = destination(session, &owner, token_account, &collateral).await?;
    let withdraw = build::WithdrawPool {
        owner,
        keys: found.market.keys,
        destination,
        collateral,
        least_atoms,
    };
    let purpose = format!(
        "Have what was asked of the pool of {} paid to token account {destination}",
        found.market.name()
    );
    let instructions = withdraws(&withdraw, missing);
    send(session, ("pool withdraw", purpose), instructions, sending).await
}

async fn stop(session: &Session, of: &Of, sending: Sending) -> Result<()> {
    let authority = session.keypair()?.pubkey();
    let (market, stored) = session.find(&of.market).await?;
    let name = super::state::name_of(&stored);
    let purpose = format!("Have the pool of {name} take nothing that enlarges its position");
    let instructions = vec![build::StopPool { authority, market }.instruction()];
    send(session, ("pool stop", purpose), instructions, sending).await
}

async fn reset(session: &Session, of: &Of, sending: Sending) -> Result<()> {
    let (market, stored) = session.find(&of.market).await?;
    let name = super::state::name_of(&stored);
    let purpose = format!("Begin a new epoch of the spent pool of {name}");
    let instructions = vec![build::ResetPool { market }.instruction()];
    send(session, ("pool reset", purpose), instructions, sending).await
}

async fn show(session: &Session, of: &Of, owner: Option<Pubkey>) -> Result<()> {
    let owner = owner_or_signer(session, owner)?;
    let (_, units) = quote_currency(session).await?;
    let found = pool_of(session, &of.market, &owner).await?;
    let view = PoolView::new(&found, units)?;
    session.answer(&view, || view.words(units))
}

#[cfg(test)]
mod tests {
    use ballast_state::instructions as codes;

    use super::*;

    fn heads(instructions: &[Instruction]) -> Vec<&[u8]> {
        let head = |one: &Instruction| one.data.get(..8).map(<[u8]>::len);
        assert!(instructions
            .iter()
            .all(|one| head(one).is_none_or(|length| length == 8)));
        instructions
            .iter()
            .map(|one| one.data.get(..8).unwrap_or(&[]))
            .collect()
    }

    #[test]
    fn a_first_deposit_opens_an_account_and_a_payment_a_token_account() {
        let deposit = build::DepositPool {
            amount: 5,
            ..build::DepositPool::default()
        };
        let first = deposits(&deposit, false);
        assert_eq!(
            heads(&first),
            [&codes::CREATE_SHARE[..], &codes::DEPOSIT_POOL]
        );
        assert_eq!(heads(&deposits(&deposit, true)), [&codes::DEPOSIT_POOL[..]]);
        let withdraw = build::WithdrawPool::default();
        assert_eq!(
            heads(&withdraws(&withdraw, false)),
            [&codes::WITHDRAW_POOL[..]]
        );
        assert_eq!(withdraws(&withdraw, true).len(), 2);
    }
}
