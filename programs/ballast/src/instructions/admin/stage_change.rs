//! Stages a change.

use anchor_lang::prelude::*;
use ballast_state::{
    error::BallastError,
    events::ChangeStaged,
    exchange::Exchange,
    market::Market,
    seeds::EXCHANGE_ADDRESS,
    staged::{Change, Staged, Staging},
};

use crate::loaders::current::Current;
use crate::{emit::emit, loaders::staged_account, nonce::refuse_nonce};

/// Accounts of `stage_change`.
#[event_cpi]
#[derive(Accounts)]
pub struct StageChange<'info> {
    /// The risk authority for risk parameters, otherwise the admin.
    pub authority: Signer<'info>,
    /// Pays the rent, and gets it back.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market, where one is changed; otherwise none.
    pub market: Option<AccountLoader<'info, Market>>,
    /// CHECK: will hold the change; its address is checked by `staged_account::require_free`.
    #[account(mut)]
    pub staged: UncheckedAccount<'info>,
    /// System program.
    pub system_program: Program<'info, System>,
    /// CHECK: the sysvar of the transaction's instructions, checked by `refuse_nonce`.
    pub instructions: UncheckedAccount<'info>,
}

impl StageChange<'_> {
    /// Writes `change` down; it may be applied once its delay is over.
    ///
    /// # Errors
    /// `NotAdmin`, `NotRiskAuthority`; `StagedExists`; `StagedMismatch` for another address than the
    /// change's; those of `Change::check`; `DurableNonce`.
    pub fn handle(ctx: Context<Self>, change: Change) -> Result<()> {
        refuse_nonce(&ctx.accounts.instructions)?;
        let staged = ctx.accounts.stage(&change)?;
        emit(
            &ctx.accounts.event_authority,
            &ChangeStaged {
                staged: ctx.accounts.staged.key(),
                id: staged.id,
                target: staged.target,
                proposer: staged.proposer,
                eta_slot: staged.eta_slot,
                expires_slot: staged.expires_slot,
                change,
            },
        )?;
        Ok(())
    }

    #[inline(never)]
    fn stage(&self, change: &Change) -> Result<Box<Staged>> {
        let exchange = self.exchange.current()?;
        let key = self.market.as_ref().map(Key::key);
        let market = match &self.market {
            Some(market) => Some(market.current()?),
            None => None,
        };
        let target = change.target(key.as_ref())?;
        let staging = Staging {
            proposer: self.authority.key(),
            payer: self.payer.key(),
            slot: Clock::get()?.slot,
            slot_hash: staged_account::newest_slot_hash()?,
            market: key,
            bump: staged_account::require_free(&self.staged, change, &target)?,
        };
        let staged = Box::new(Staged::new(change, &exchange, market.as_deref(), &staging)?);
        staged_account::create(&self.staged, &self.payer, &staged)?;
        Ok(staged)
    }
}
