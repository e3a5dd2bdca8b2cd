//! Opens a market.

use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};
use ballast_engine::units::Side;
use ballast_state::{
    error::BallastError,
    events::MarketCreated,
    exchange::Exchange,
    instructions::CreateMarketArgs,
    market::{Market, MARKET_VERSION, NAME_BYTES},
    seeds::{EXCHANGE_ADDRESS, INSURANCE_VAULT_SEED, MARKET_SEED},
};

use crate::{
    emit::emit,
    error::{error, require, require_keys_eq, OrBallast},
    loaders::{book_account, queue_account},
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
        seeds = [MARKET_SEED, &exchange.load()?.market_count.to_le_bytes()],
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
    /// SPL token or Token-2022.
    pub token_program: Interface<'info, TokenInterface>,
    /// System program.
    pub system_program: Program<'info, System>,
}

impl CreateMarket<'_> {
    /// Opens a market with no positions, no orders and no insurance; funding starts now.
    ///
    /// # Errors
    /// `NotAdmin`, `WrongMint`, `MarketNameInvalid`, `OracleConfigInvalid`, the `Risk...` errors,
    /// `TooManyMarkets`, the `Queue...` and `Book...` errors.
    pub fn handle(ctx: Context<Self>, args: CreateMarketArgs) -> Result<()> {
        let accounts = &ctx.accounts;
        accounts.validate(&args)?;
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
    fn validate(&self, args: &CreateMarketArgs) -> Result<()> {
        let exchange = self.exchange.load()?;
        exchange.require_admin(self.admin.key)?;
        require_keys_eq!(
            self.collateral_mint.key(),
            exchange.collateral_mint,
            BallastError::WrongMint
        );
        require!(name_is_valid(&args.name), BallastError::MarketNameInvalid);
        args.oracle.validate(exchange.mint_decimals)?;
        args.risk.validate().or_ballast()
    }

    fn next_index(&self) -> Result<u16> {
        let mut exchange = self.exchange.load_mut()?;
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
        market.exchange = self.exchange.key();
        market.insurance_vault = self.insurance_vault.key();
        market.queue_long = self.queue_long.key();
        market.queue_short = self.queue_short.key();
        market.book = self.book.key();
        market.oracle = args.oracle;
        market.risk = args.risk;
        market.funding.last_timestamp = Clock::get()?.unix_timestamp;
        market.invariant().or_ballast()
    }
}

/// At least one printable ASCII byte, then only zeros.
fn name_is_valid(name: &[u8; NAME_BYTES]) -> bool {
    let length = name
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(NAME_BYTES);
    let (text, rest) = name.split_at(length);
    !text.is_empty() && text.iter().all(u8::is_ascii_graphic) && rest.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_printable_and_padded_with_zeros() {
        assert!(name_is_valid(b"SOL-PERP\0\0\0\0\0\0\0\0"));
        assert!(name_is_valid(b"SIXTEEN-LETTERS!"));
        assert!(!name_is_valid(&[0; NAME_BYTES]));
        assert!(!name_is_valid(b"SOL\0PERP\0\0\0\0\0\0\0\0"));
        assert!(!name_is_valid(b"SOL PERP\0\0\0\0\0\0\0\0"));
        assert!(!name_is_valid(b"SOL\xffPERP\0\0\0\0\0\0\0\0"));
    }
}
