//! Opens an account for shares of a fund.

use anchor_lang::prelude::*;
use ballast_state::{
    error::BallastError,
    events::ShareCreated,
    seeds::SHARE_SEED,
    share::{fund_epoch, Share, SHARE_VERSION},
};

use crate::{
    emit::emit,
    error::{require_keys_eq, OrBallast},
};

/// Accounts of `create_share`.
#[event_cpi]
#[derive(Accounts)]
pub struct CreateShare<'info> {
    /// Pays the rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// Whose shares it will keep.
    pub owner: Signer<'info>,
    /// CHECK: a pool, or stakes: checked by `epoch_of`.
    pub fund: UncheckedAccount<'info>,
    /// The account.
    #[account(
        init,
        payer = payer,
        space = Share::SPACE,
        seeds = [SHARE_SEED, fund.key().as_ref(), owner.key().as_ref()],
        bump,
    )]
    pub share: AccountLoader<'info, Share>,
    /// System program.
    pub system_program: Program<'info, System>,
}

impl CreateShare<'_> {
    /// Opens the account, without shares.
    ///
    /// # Errors
    /// `WrongFund`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = &ctx.accounts;
        let (fund, owner) = (accounts.fund.key(), accounts.owner.key());
        let epoch = epoch_of(&accounts.fund)?;
        {
            let mut share = accounts.share.load_init()?;
            share.version = SHARE_VERSION;
            share.bump = ctx.bumps.share;
            share.epoch = epoch;
            (share.fund, share.owner) = (fund, owner);
        }
        let share = accounts.share.key();
        emit(
            &ctx.accounts.event_authority,
            &ShareCreated { share, fund, owner },
        )
    }
}

/// Epoch of a fund.
///
/// # Errors
/// `WrongFund` for any other account.
pub fn epoch_of(fund: &AccountInfo) -> Result<u32> {
    require_keys_eq!(*fund.owner, crate::ID, BallastError::WrongFund);
    fund_epoch(&fund.try_borrow_data()?).or_ballast()
}
