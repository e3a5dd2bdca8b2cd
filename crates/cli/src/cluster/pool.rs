//! `ballast pool`: a market's backstop pool.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_client::instructions::fund as build;
use ballast_client::{accounts, addresses};
use ballast_engine::pool::PoolParams;
use ballast_state::exchange::Role;
use ballast_state::pool::POOL_SUB_ID;
use ballast_view::pool::{PoolState, PoolView};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;
use solana_instruction::Instruction;
use solana_signer::Signer;

use super::collateral::{account_for, destination, quote_currency, source};
use super::failure::{not_holder, Usage};
use super::funds::{joins, least as least_of, no_shares, owner_or_signer, send, Asked, Of};
use super::options::Sending;
use super::pool_params;
use super::session::Session;
use super::state::{name_of, Parts};

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
    /// Close the signer's account for shares, which must have none, and get its rent back.
    Close {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        sending: Sending,
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
        return Err(no_pool(&market.name()).into());
    };
    Ok(PoolState {
        pool: accounts::pool(&pool)?,
        trader: accounts::trader(&trader)?,
        share: data().map(|data| accounts::share(&data)).transpose()?,
        market,
    })
}

/// The same of somebody who has an account for shares, and what a refusal means to it.
async fn owned(session: &Session, of: &Of, owner: &Pubkey) -> Result<(PoolState, Asked)> {
    let found = pool_of(session, &of.market, owner).await?;
    match found.share {
        Some(_) => {
            let asked = asked(&found);
            Ok((found, asked))
        }
        None => Err(no_shares("pool", &found.market.name()).into()),
    }
}

fn asked(found: &PoolState) -> Asked {
    let (holding, exit) = found.holding();
    Asked {
        command: "pool",
        market: found.market.name(),
        holding,
        exit,
    }
}

fn no_pool(market: &str) -> Usage {
    Usage(format!(
        "{market} has no pool; `ballast pool create --market {market}` gives it one, signed by the admin"
    ))
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
        Action::Close { of, sending } => close(session, of, *sending).await,
        Action::Stop { of, sending } => stop(session, of, *sending).await,
        Action::Reset { of, sending } => reset(session, of, *sending).await,
    }
}

async fn create(session: &Session, of: &Of, sending: Sending) -> Result<()> {
    let admin = session.keypair()?.pubkey();
    let exchange = session.exchange().await?;
    if admin != exchange.admin {
        return Err(not_holder(&admin, "admin", &exchange.admin).into());
    }
    let (address, market) = session.find(&of.market).await?;
    let name = name_of(&market);
    if !pool_params::of_markets(session, &[address])
        .await?
        .is_empty()
    {
        return Err(Usage(format!(
            "{name} has a pool; `ballast admin stage pool --market {name}` changes its parameters"
        ))
        .into());
    }
    let params = PoolParams::for_market(market.params());
    pool_params::require_sound(&params, market.params())?;
    let create = build::CreatePool {
        admin,
        payer: admin,
        market: address,
        params,
    };
    let purpose = format!(
        "Give {name} a pool with the parameters {}",
        pool_params::words(&params)
    );
    let instructions = vec![create.instruction()];
    send(
        session,
        ("pool create", purpose),
        instructions,
        None,
        sending,
    )
    .await
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
    let what = ("pool deposit", purpose);
    send(session, what, instructions, Some(&asked(&found)), sending).await
}

async fn request(session: &Session, shares: &str, of: &Of, sending: Sending) -> Result<()> {
    let owner = session.keypair()?.pubkey();
    let (found, asked) = owned(session, of, &owner).await?;
    let all = asked.holding.shares;
    let shares = match shares {
        "all" => all,
        count => {
            let parsed = count.parse();
            parsed.map_err(|_| Usage(format!("{count} is no number of shares, and not `all`")))?
        }
    };
    let purpose = format!(
        "Ask for the worth of {shares} of {all} shares of the pool of {}",
        found.market.name()
    );
    let request = build::RequestPool {
        owner,
        keys: found.market.keys,
        shares,
    };
    let instructions = vec![request.instruction()];
    let what = ("pool request", purpose);
    send(session, what, instructions, Some(&asked), sending).await
}

async fn cancel(session: &Session, of: &Of, sending: Sending) -> Result<()> {
    let owner = session.keypair()?.pubkey();
    let (found, asked) = owned(session, of, &owner).await?;
    let purpose = format!(
        "Leave {} shares in the pool of {}",
        asked.holding.requested,
        found.market.name()
    );
    let market = found.market.keys.market;
    let instructions = vec![build::CancelPoolRequest { owner, market }.instruction()];
    let what = ("pool cancel", purpose);
    send(session, what, instructions, Some(&asked), sending).await
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
    let (found, asked) = owned(session, of, &owner).await?;
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
    let what = ("pool withdraw", purpose);
    send(session, what, instructions, Some(&asked), sending).await
}

async fn close(session: &Session, of: &Of, sending: Sending) -> Result<()> {
    let owner = session.keypair()?.pubkey();
    let (found, asked) = owned(session, of, &owner).await?;
    let fund = addresses::pool(&found.market.keys.market);
    let purpose = format!(
        "Close the account for shares of the pool of {}",
        found.market.name()
    );
    let instructions = vec![build::CloseShare { owner, fund }.instruction()];
    let what = ("pool close", purpose);
    send(session, what, instructions, Some(&asked), sending).await
}

async fn stop(session: &Session, of: &Of, sending: Sending) -> Result<()> {
    let authority = session.keypair()?.pubkey();
    let exchange = session.exchange().await?;
    let guardian = exchange.authority(Role::Guardian);
    if ![guardian, exchange.admin].contains(&authority) {
        return Err(not_holder(&authority, "guardian", &guardian).into());
    }
    let (market, name) = pooled(session, of).await?;
    let purpose = format!("Have the pool of {name} take nothing that enlarges its position");
    let instructions = vec![build::StopPool { authority, market }.instruction()];
    send(session, ("pool stop", purpose), instructions, None, sending).await
}

async fn reset(session: &Session, of: &Of, sending: Sending) -> Result<()> {
    let (market, name) = pooled(session, of).await?;
    let purpose = format!("Begin a new epoch of the spent pool of {name}");
    let instructions = vec![build::ResetPool { market }.instruction()];
    send(
        session,
        ("pool reset", purpose),
        instructions,
        None,
        sending,
    )
    .await
}

/// A market that has a pool, and its name.
async fn pooled(session: &Session, of: &Of) -> Result<(Pubkey, String)> {
    let (market, stored) = session.find(&of.market).await?;
    let name = name_of(&stored);
    if pool_params::of_markets(session, &[market])
        .await?
        .is_empty()
    {
        return Err(no_pool(&name).into());
    }
    Ok((market, name))
}

async fn show(session: &Session, of: &Of, owner: Option<Pubkey>) -> Result<()> {
    let owner = owner_or_signer(session, owner)?;
    let (_, units) = quote_currency(session).await?;
    let found = pool_of(session, &of.market, &owner).await?;
    let params = &found.pool.params;
    let shown = Shown {
        view: PoolView::new(&found, units)?,
        params: pool_params::json(params),
    };
    session.answer(&shown, || {
        let stopped = match found.pool.stopped {
            0 => "",
            _ => "\nIt is stopped: it takes nothing that enlarges its position.",
        };
        let (view, params) = (shown.view.words(units), pool_params::words(params));
        format!("{view}{stopped}\nParameters: {params}")
    })
}

/// A pool with its parameters, as it is printed.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    view: PoolView,
    /// Every parameter by name.
    params: Value,
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
