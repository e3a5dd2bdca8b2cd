//! Creates the exchange and its collateral vault.

use anchor_lang::{prelude::*, solana_program::bpf_loader_upgradeable};
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};

use ballast_state::{
    error::BallastError,
    events::ExchangeInitialized,
    exchange::{Exchange, EXCHANGE_VERSION},
    instructions::InitializeExchangeArgs,
    seeds::{COLLATERAL_VAULT_SEED, EXCHANGE_SEED, PROGRAM_DATA_ADDRESS},
};

use crate::{
    collateral::require_plain_mint,
    emit::emit,
    error::{error, require},
    nonce::refuse_nonce,
};

/// Accounts of `initialize_exchange`.
#[event_cpi]
#[derive(Accounts)]
pub struct InitializeExchange<'info> {
    /// Pays the rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// First admin. The program's upgrade authority, when it has one.
    pub admin: Signer<'info>,
    /// The exchange.
    #[account(init, payer = payer, space = Exchange::SPACE, seeds = [EXCHANGE_SEED], bump)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The quote currency.
    #[account(
        constraint = collateral_mint.to_account_info().owner == token_program.key
            @ BallastError::WrongTokenProgram,
    )]
    pub collateral_mint: Box<InterfaceAccount<'info, Mint>>,
    /// Will hold all free collateral and margin.
    #[account(
        init,
        payer = payer,
        seeds = [COLLATERAL_VAULT_SEED],
        bump,
        token::mint = collateral_mint,
        token::authority = exchange,
        token::token_program = token_program,
    )]
    pub collateral_vault: Box<InterfaceAccount<'info, TokenAccount>>,
    /// CHECK: where the upgradeable loader keeps this program's upgrade authority; read by
    /// `require_deployer`, does not exist when the program was loaded otherwise.
    #[account(address = PROGRAM_DATA_ADDRESS @ BallastError::NotUpgradeAuthority)]
    pub program_data: UncheckedAccount<'info>,
    /// SPL token or Token-2022.
    pub token_program: Interface<'info, TokenInterface>,
    /// System program.
    pub system_program: Program<'info, System>,
    /// CHECK: the sysvar of the transaction's instructions, checked by `refuse_nonce`.
    pub instructions: UncheckedAccount<'info>,
}

impl InitializeExchange<'_> {
    /// Creates the exchange. `admin` is its first admin. Changes do not wait before the delays have
    /// been raised.
    ///
    /// # Errors
    /// `NotUpgradeAuthority`, `MintExtensionRejected`, `AuthorityUnset`, `DurableNonce`.
    pub fn handle(ctx: Context<Self>, args: InitializeExchangeArgs) -> Result<()> {
        let accounts = &ctx.accounts;
        refuse_nonce(&accounts.instructions)?;
        require_deployer(&accounts.program_data, accounts.admin.key)?;
        require_plain_mint(accounts.collateral_mint.to_account_info().as_ref())?;
        let unset = [args.risk_authority, args.guardian].contains(&Pubkey::default());
        require!(!unset, BallastError::AuthorityUnset);
        {
            let mut exchange = accounts.exchange.load_init()?;
            exchange.version = EXCHANGE_VERSION;
            exchange.bump = ctx.bumps.exchange;
            exchange.vault_bump = ctx.bumps.collateral_vault;
            exchange.mint_decimals = accounts.collateral_mint.decimals;
            exchange.admin = accounts.admin.key();
            exchange.risk_authority = args.risk_authority;
            exchange.guardian = args.guardian;
            exchange.collateral_mint = accounts.collateral_mint.key();
            exchange.collateral_vault = accounts.collateral_vault.key();
            exchange.invariant()?;
        }
        emit(
            &ctx.accounts.event_authority,
            &ExchangeInitialized {
                admin: ctx.accounts.admin.key(),
                risk_authority: args.risk_authority,
                guardian: args.guardian,
                collateral_mint: ctx.accounts.collateral_mint.key(),
            },
        )?;
        Ok(())
    }
}

/// Keeps a stranger from creating the exchange of a program somebody else has just deployed: while
/// the program has an upgrade authority, only that key may. Without one there is nobody to prefer.
fn require_deployer(program_data: &AccountInfo, admin: &Pubkey) -> Result<()> {
    if *program_data.owner != bpf_loader_upgradeable::ID {
        return Ok(());
    }
    let state = ProgramData::try_deserialize(&mut &program_data.try_borrow_data()?[..])
        .map_err(|_| error!(BallastError::NotUpgradeAuthority))?;
    let authority = state
        .upgrade_authority_address
        .filter(|key| *key != Pubkey::default());
    require!(
        authority.is_none_or(|key| key == *admin),
        BallastError::NotUpgradeAuthority
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::test_account::{with_account, TestAccount};

    const KEY: Pubkey = Pubkey::new_from_array([5; 32]);

    fn check(owner: Pubkey, authority: Option<Pubkey>) -> Result<()> {
        let mut data = vec![3, 0, 0, 0];
        data.extend(77_u64.to_le_bytes());
        data.push(u8::from(authority.is_some()));
        data.extend(authority.unwrap_or_default().to_bytes());
        data.extend([0x7f; 100]);
        let account = TestAccount {
            owner,
            data,
            ..TestAccount::default()
        };
        with_account(account, |info| require_deployer(info, &KEY))
    }

    #[test]
    fn only_the_upgrade_authority_creates_the_exchange() {
        let loader = bpf_loader_upgradeable::ID;
        assert_eq!(check(loader, Some(KEY)), Ok(()));
        assert_eq!(
            check(loader, Some(Pubkey::new_unique())),
            Err(BallastError::NotUpgradeAuthority.into())
        );
    }

    #[test]
    fn anybody_creates_it_when_nobody_can_upgrade() {
        assert_eq!(check(bpf_loader_upgradeable::ID, None), Ok(()));
        assert_eq!(check(Pubkey::default(), None), Ok(()));
    }

    #[test]
    fn refuses_program_data_that_does_not_parse() {
        let account = TestAccount {
            owner: bpf_loader_upgradeable::ID,
            data: vec![9; 20],
            ..TestAccount::default()
        };
        let refused = with_account(account, |info| require_deployer(info, &KEY));
        assert_eq!(refused, Err(BallastError::NotUpgradeAuthority.into()));
    }
}
