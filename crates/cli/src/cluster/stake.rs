//! `ballast stake`: tokens behind a market's insurance.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_client::instructions::fund::CloseShare;
use ballast_client::instructions::{anyone, stakes as build, Collateral, MarketKeys};
use ballast_client::staking::{shares_worth, staking, Staking};
use ballast_client::{accounts, addresses};
use ballast_state::market::Market;
use ballast_state::share::Share;
use ballast_state::stakes::Stakes;
use ballast_view::stake::StakeView;
use clap::{Args, Subcommand};
use solana_instruction::Instruction;
use solana_signer::Signer;

use super::collateral::{account_for, destination, quote_currency, source};
use super::failure::{Computed, Usage};
use super::funds::{joins, least as least_of, no_shares, owner_or_signer, send, Asked, Of};
use super::options::Sending;
use super::session::Session;
use super::state::{name_of, MarketState, Parts};
use super::units;

/// Arguments of `stake`.
#[derive(Clone, Debug, Args)]
pub struct StakeArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Open the stakes of a market; anybody, once.
    Open {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        sending: Sending,
    },
    /// Stake behind a market's insurance.
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
    /// Ask for a part of a stake back, in the place of what was asked for before: it is paid after 5
    /// days, for 2 days.
    Request {
        /// What it is to be worth now, as a decimal number of the quote currency, or `all`.
        #[arg(allow_negative_numbers = true)]
        amount: String,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        sending: Sending,
    },
    /// Leave all staked after all.
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
    /// Close the signer's account for shares, which must have none, and get its rent back.
    Close {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        sending: Sending,
    },
    /// Show what somebody has staked, and when it is paid.
    Show {
        #[command(flatten)]
        of: Of,
        /// Whose [default: the signer's].
        #[arg(long, value_name = "ADDRESS")]
        owner: Option<Pubkey>,
    },
}

/// A market's stakes and somebody's shares of them.
struct Found {
    address: Pubkey,
    market: Market,
    stakes: Option<Stakes>,
    share: Option<Share>,
    slot: u64,
}

impl Found {
    async fn of(session: &Session, selector: &str, owner: &Pubkey) -> Result<Self> {
        let (address, market) = session.find(selector).await?;
        let fund = addresses::stakes(&address);
        let keys = [fund, addresses::share(&fund, owner)];
        let (slot, found) = session.cluster.accounts(&keys).await?;
        let mut found = found.into_iter();
        let mut data = || found.next().flatten().map(|account| account.data);
        let (stakes, share) = (data(), data());
        Ok(Self {
            address,
            market,
            stakes: stakes.map(|data| accounts::stakes(&data)).transpose()?,
            share: share.map(|data| accounts::share(&data)).transpose()?,
            slot,
        })
    }

    fn name(&self) -> String {
        name_of(&self.market)
    }

    /// The stakes, which must be open.
    fn open(&self) -> Result<&Stakes, Usage> {
        let closed = || {
            let name = self.name();
            Usage(format!(
                "nobody can stake behind {name} yet; `ballast stake open --market {name}` opens it, for the rent of an account"
            ))
        };
        self.stakes.as_ref().ok_or_else(closed)
    }

    /// The stake, which must exist.
    fn staking(&self) -> Result<Staking> {
        let stakes = self.open()?;
        let none = || no_shares("stake", &self.name());
        let share = self.share.as_ref().ok_or_else(none)?;
        staking(&self.market, stakes, share, self.slot).computed()
    }

    fn view(&self, owner: &Pubkey, units: units::Collateral) -> Result<StakeView> {
        let now = self.staking()?;
        Ok(StakeView::new(
            &self.market,
            owner,
            (&now, self.slot),
            units,
        ))
    }
}

/// Who asks something of its stake.
fn staked(found: &Found, now: &Staking) -> Asked {
    Asked {
        command: "stake",
        market: found.name(),
        holding: now.holding,
        exit: now.exit,
    }
}

/// What a stake sends: an account for the shares where there is none yet.
fn deposits(stake: &build::Stake, has_share: bool) -> Vec<Instruction> {
    let fund = addresses::stakes(&stake.keys.market);
    joins(stake.owner, fund, has_share, stake.instruction())
}

/// What a payment sends: a token account where there is none, and a sweep of a vault that is not level.
fn withdraws(unstake: &build::Unstake, make_account: bool, level: bool) -> Vec<Instruction> {
    let collateral = unstake.collateral;
    let make = account_for(unstake.owner, &collateral, make_account);
    let sweep = anyone::SweepInsurance {
        market: unstake.keys.market,
        collateral,
    };
    let sweep = (!level).then(|| sweep.instruction());
    let before = make.into_iter().chain(sweep);
    before.chain([unstake.instruction()]).collect()
}

/// Shares that are worth what was typed; all of them for `all`.
fn asked(found: &Found, units: units::Collateral, text: &str) -> Result<(u64, Staking)> {
    let now = found.staking()?;
    if text == "all" {
        return Ok((now.holding.shares, now));
    }
    let atoms = units.atoms(text)?;
    if atoms > now.value_atoms {
        return Err(Usage(format!(
            "the stake is worth {}, which is less than {text}",
            units.show(now.value_atoms.into())
        ))
        .into());
    }
    let shares = shares_worth(&found.market, found.open()?, &now.holding, atoms);
    Ok((shares.computed()?, now))
}

/// Runs `ballast stake`.
pub async fn run(session: &Session, args: &StakeArgs) -> Result<()> {
    match &args.action {
        Action::Open { of, sending } => open(session, of, *sending).await,
        Action::Deposit {
            amount,
            of,
            token_account,
            sending,
        } => deposit(session, amount, of, *token_account, *sending).await,
        Action::Request {
            amount,
            of,
            sending,
        } => request(session, amount, of, *sending).await,
        Action::Cancel { of, sending } => cancel(session, of, *sending).await,
        Action::Withdraw {
            of,
            token_account,
            least,
            sending,
        } => withdraw(session, of, *token_account, least, *sending).await,
        Action::Show { of, owner } => show(session, of, *owner).await,
        Action::Close { of, sending } => close(session, of, *sending).await,
    }
}

async fn open(session: &Session, of: &Of, sending: Sending) -> Result<()> {
    let payer = session.keypair()?.pubkey();
    let found = Found::of(session, &of.market, &payer).await?;
    if found.stakes.is_some() {
        let name = found.name();
        return Err(Usage(format!(
            "the stakes of {name} are open already; `ballast stake deposit AMOUNT --market {name}` stakes"
        ))
        .into());
    }
    let market = found.address;
    let purpose = format!("Open the stakes of {}", found.name());
    let instruction = build::OpenStakes { payer, market }.instruction();
    let what = ("stake open", purpose);
    send(session, what, vec![instruction], None, sending).await
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
    let found = Found::of(session, &of.market, &owner).await?;
    found.open()?;
    let source = source(session, &owner, token_account, (&collateral, units), amount).await?;
    let stake = build::Stake {
        owner,
        keys: keys(session, of).await?,
        source,
        collateral,
        amount,
    };
    let purpose = format!(
        "Stake {} behind the insurance of {}",
        units.show(amount.into()),
        found.name()
    );
    let instructions = deposits(&stake, found.share.is_some());
    let what = ("stake deposit", purpose);
    send(session, what, instructions, None, sending).await
}

/// The accounts of a market.
async fn keys(session: &Session, of: &Of) -> Result<MarketKeys> {
    let state: MarketState = session.market(&of.market, Parts::Market).await?;
    Ok(state.keys)
}

async fn request(session: &Session, amount: &str, of: &Of, sending: Sending) -> Result<()> {
    let owner = session.keypair()?.pubkey();
    let (_, units) = quote_currency(session).await?;
    let found = Found::of(session, &of.market, &owner).await?;
    let (shares, now) = asked(&found, units, amount)?;
    let purpose = format!(
        "Ask for {shares} of {} shares of the stakes of {}, all worth {}",
        now.holding.shares,
        found.name(),
        units.show(now.value_atoms.into())
    );
    let request = build::RequestUnstake {
        owner,
        market: found.address,
        shares,
    };
    let instructions = vec![request.instruction()];
    let (what, asked) = (("stake request", purpose), staked(&found, &now));
    send(session, what, instructions, Some(&asked), sending).await
}

async fn cancel(session: &Session, of: &Of, sending: Sending) -> Result<()> {
    let owner = session.keypair()?.pubkey();
    let found = Found::of(session, &of.market, &owner).await?;
    let now = found.staking()?;
    let purpose = format!(
        "Leave {} shares staked behind {}",
        now.holding.requested,
        found.name()
    );
    let market = found.address;
    let instructions = vec![build::CancelUnstake { owner, market }.instruction()];
    let (what, asked) = (("stake cancel", purpose), staked(&found, &now));
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
    let (collateral, units): (Collateral, _) = quote_currency(session).await?;
    let least_atoms = least_of(units, least)?;
    let found = Found::of(session, &of.market, &owner).await?;
    let now = found.staking()?;
    let (destination, missing) = destination(session, &owner, token_account, &collateral).await?;
    let vault = session.tokens(&found.market.insurance_vault).await?;
    let unstake = build::Unstake {
        owner,
        keys: keys(session, of).await?,
        destination,
        collateral,
        least_atoms,
    };
    let purpose = format!(
        "Have {} of stakes of {} paid to token account {destination}, less what positions lack now",
        units.show(now.payable_atoms.into()),
        found.name()
    );
    let level = vault == Some(found.market.insurance.balance);
    let instructions = withdraws(&unstake, missing, level);
    let (what, asked) = (("stake withdraw", purpose), staked(&found, &now));
    send(session, what, instructions, Some(&asked), sending).await
}

async fn show(session: &Session, of: &Of, owner: Option<Pubkey>) -> Result<()> {
    let owner = owner_or_signer(session, owner)?;
    let (_, units) = quote_currency(session).await?;
    let found = Found::of(session, &of.market, &owner).await?;
    let view = found.view(&owner, units)?;
    session.answer(&view, || view.words(units))
}

async fn close(session: &Session, of: &Of, sending: Sending) -> Result<()> {
    let owner = session.keypair()?.pubkey();
    let found = Found::of(session, &of.market, &owner).await?;
    let now = found.staking()?;
    let fund = addresses::stakes(&found.address);
    let purpose = format!(
        "Close the account for shares of the stakes of {}",
        found.name()
    );
    let instructions = vec![CloseShare { owner, fund }.instruction()];
    let (what, asked) = (("stake close", purpose), staked(&found, &now));
    send(session, what, instructions, Some(&asked), sending).await
}

#[cfg(test)]
mod tests {
    use ballast_state::instructions as codes;
    use bytemuck::Zeroable;

    use super::*;

    const UNITS: units::Collateral = units::Collateral { decimals: 6 };

    fn heads(instructions: &[Instruction]) -> Vec<&[u8]> {
        instructions
            .iter()
            .map(|one| one.data.get(..8).unwrap_or(&[]))
            .collect()
    }

    #[test]
    fn a_first_stake_opens_an_account_and_a_vault_is_levelled_before_it_pays() {
        let stake = build::Stake {
            amount: 5,
            ..build::Stake::default()
        };
        let first = deposits(&stake, false);
        assert_eq!(heads(&first), [&codes::CREATE_SHARE[..], &codes::STAKE]);
        assert_eq!(heads(&deposits(&stake, true)), [&codes::STAKE[..]]);
        let unstake = build::Unstake::default();
        let level = withdraws(&unstake, false, true);
        assert_eq!(heads(&level), [&codes::UNSTAKE[..]]);
        let swept = withdraws(&unstake, true, false);
        assert_eq!(swept.len(), 3);
        assert_eq!(
            heads(&swept)[1..],
            [&codes::SWEEP_INSURANCE[..], &codes::UNSTAKE]
        );
    }

    fn found(slot: u64) -> Found {
        let mut market = Market::zeroed();
        (market.insurance.balance, market.staked_atoms) = (9_000_000, 5_000_000);
        let (mut stakes, mut share) = (Stakes::zeroed(), Share::zeroed());
        stakes.shares = 5_000_000_000;
        share.shares = 2_000_000_000;
        (share.requested, share.requested_value, share.requested_slot) = (500_000_000, 400_000, 9);
        Found {
            address: Pubkey::default(),
            market,
            stakes: Some(stakes),
            share: Some(share),
            slot,
        }
    }

    #[test]
    fn an_amount_is_asked_for_in_shares() {
        let shares = |text| asked(&found(9), UNITS, text).map(|(shares, _)| shares);
        assert_eq!(shares("1").expect("a part"), 1_000_000_000);
        assert_eq!(shares("all").expect("all"), 2_000_000_000);
        assert!(shares("2.1").is_err());
        let none = Found {
            share: None,
            ..found(9)
        };
        assert!(asked(&none, UNITS, "all").is_err());
        let closed = Found {
            stakes: None,
            ..found(9)
        };
        let refusal = closed.staking().unwrap_err().to_string();
        assert!(refusal.contains("stake open"), "{refusal}");
    }

    #[test]
    fn a_stake_is_told_with_its_countdown() {
        let told = |slot| {
            let view = found(slot).view(&Pubkey::default(), UNITS).expect("a view");
            view.words(UNITS)
        };
        assert!(told(10).contains("may be paid in 1079999 slots"));
        assert!(told(1_080_009).contains("may be paid now, for 432000 slots"));
        assert!(told(1_512_009).contains("lapsed"));
    }
}
