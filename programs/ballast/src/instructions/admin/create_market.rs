//! Opens a market.

use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};
use ballast_engine::{insurance::VaultTotal, units::Side};
use ballast_state::{
    error::BallastError,
    events::MarketCreated,
    exchange::Exchange,
    instructions::CreateMarketArgs,
    market::{Market, MARKET_VERSION},
    seeds::{EXCHANGE_ADDRESS, INSURANCE_VAULT_SEED, MARKET_SEED},
    staged::{Change, Staged},
};

use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::{err, error, require_keys_eq, OrBallast},
    loaders::{book_account, queue_account},
    nonce::refuse_nonce,
};

/// Accounts of `create_market`.
#[event_cpi]
#[derive(Accounts)]
pub struct CreateMarket<'info> {
    /// The admin.
    pub admin: Signer<'info>,
    /// Pays the rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The exchange.
    #[account(mut, address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market; its index is the exchange's `market_count`.
    #[account(
        init,
        payer = payer,
        space = Market::SPACE,
        seeds = [MARKET_SEED, &exchange.current()?.market_count.to_le_bytes()],
        bump,
    )]
    pub market: AccountLoader<'info, Market>,
    /// Will hold the market's insurance.
    #[account(
        init,
        payer = payer,
        seeds = [INSURANCE_VAULT_SEED, market.key().as_ref()],
        bump,
        token::mint = collateral_mint,
        token::authority = exchange,
        token::token_program = token_program,
    )]
    pub insurance_vault: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The exchange's quote currency.
    #[account(
        constraint = collateral_mint.to_account_info().owner == token_program.key
            @ BallastError::WrongTokenProgram,
    )]
    pub collateral_mint: Box<InterfaceAccount<'info, Mint>>,
    /// CHECK: queue of the longs, handed over zeroed; checked by `queue_account::create`.
    #[account(mut)]
    pub queue_long: UncheckedAccount<'info>,
    /// CHECK: queue of the shorts, handed over zeroed; checked by `queue_account::create`.
    #[account(
        mut,
        constraint = queue_short.key() != queue_long.key() @ BallastError::QueuesNotDistinct,
    )]
    pub queue_short: UncheckedAccount<'info>,
    /// CHECK: order book, handed over zeroed; checked by `book_account::create`.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
    /// The staged market.
    #[account(mut, close = staged_payer)]
    pub staged: AccountLoader<'info, Staged>,
    /// CHECK: gets the rent back; the key stored in the staged change.
    #[account(mut, address = staged.current()?.payer @ BallastError::StagedMismatch)]
    pub staged_payer: UncheckedAccount<'info>,
    /// SPL token or Token-2022.
    pub token_program: Interface<'info, TokenInterface>,
    /// System program.
    pub system_program: Program<'info, System>,
    /// CHECK: the sysvar of the transaction's instructions, checked by `refuse_nonce`.
    pub instructions: UncheckedAccount<'info>,
}

impl CreateMarket<'_> {
    /// Opens the staged market of this `id`, once it is due, with no positions, no orders and no
    /// insurance; funding starts now.
    ///
    /// # Errors
    /// `NotAdmin`, `WrongMint`, those of `Staged::due`, `StagedMismatch` for another change,
    /// `TooManyMarkets`, the `Queue...` and `Book...` errors, `DurableNonce`.
    pub fn handle(ctx: Context<Self>, id: [u8; 32]) -> Result<()> {
        let accounts = &ctx.accounts;
        refuse_nonce(&accounts.instructions)?;
        let args = accounts.due(&id)?;
        let market = accounts.market.key();
        queue_account::create(&accounts.queue_long, &market, Side::Long)?;
        queue_account::create(&accounts.queue_short, &market, Side::Short)?;
        book_account::create(&accounts.book, &market)?;
        let index = accounts.next_index()?;
        accounts.write(index, &ctx.bumps, &args)?;
        emit(
            &ctx.accounts.event_authority,
            &MarketCreated {
                market,
                index,
                name: args.name,
                oracle: args.oracle,
                risk: args.risk,
            },
        )?;
        Ok(())
    }

    #[inline(never)]
    fn due(&self, id: &[u8; 32]) -> Result<Box<CreateMarketArgs>> {
        let exchange = self.exchange.current()?;
        exchange.require_admin(self.admin.key)?;
        require_keys_eq!(
            self.collateral_mint.key(),
            exchange.collateral_mint,
            BallastError::WrongMint
        );
        let slot = Clock::get()?.slot;
        match self.staged.current()?.due(id, &exchange, None, slot)? {
            Change::CreateMarket(args) => Ok(Box::new(args)),
            _ => err!(BallastError::StagedMismatch),
        }
    }

    fn next_index(&self) -> Result<u16> {
        let mut exchange = self.exchange.current_mut()?;
        let index = exchange.market_count;
        exchange.market_count = index
            .checked_add(1)
            .ok_or_else(|| error!(BallastError::TooManyMarkets))?;
        exchange.invariant()?;
        Ok(index)
    }

    #[inline(never)]
    fn write(&self, index: u16, bumps: &CreateMarketBumps, args: &CreateMarketArgs) -> Result<()> {
        let mut market = self.market.load_init()?;
        market.version = MARKET_VERSION;
        market.bump = bumps.market;
        market.vault_bump = bumps.insurance_vault;
        market.index = index;
        market.name = args.name;
        market.insurance_vault = self.insurance_vault.key();
        market.queue_long = self.queue_long.key();
        market.queue_short = self.queue_short.key();
        market.book = self.book.key();
        market.rent_payer = self.payer.key();
        market.oracle = args.oracle;
        market.risk = args.risk;
        market.store_vault_total(VaultTotal::of_atoms(0).or_ballast()?);
        market.funding.last_timestamp = Clock::get()?.unix_timestamp;
        market.invariant().or_ballast()
    }
}
