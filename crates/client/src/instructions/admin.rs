//! Instructions of the exchange's authorities.

use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use ballast_engine::risk::RiskParams;
use ballast_state::exchange::Role;
use ballast_state::instructions::CreateMarketArgs;
use ballast_state::instructions::InitializeExchangeArgs;

use super::{build, Collateral, MarketKeys};
use crate::addresses;

/// Creates the exchange and its collateral vault. `admin` signs, `payer` pays
/// the rent.
pub fn initialize_exchange(
    payer: Pubkey,
    admin: Pubkey,
    collateral: Collateral,
    args: InitializeExchangeArgs,
) -> Instruction {
    build(
        &ballast::accounts::InitializeExchange {
            payer,
            admin,
            exchange: addresses::exchange(),
            collateral_mint: collateral.mint,
            collateral_vault: addresses::collateral_vault(),
            program_data: ballast_state::seeds::PROGRAM_DATA_ADDRESS,
            token_program: collateral.token_program,
            system_program: anchor_lang::system_program::ID,
            event_authority: addresses::event_authority(),
            program: ballast_state::ID,
        },
        &ballast::instruction::InitializeExchange { args },
    )
}

/// Names `successor` for a role; the default key withdraws a proposal.
pub fn propose_authority(admin: Pubkey, role: Role, successor: Pubkey) -> Instruction {
    build(
        &ballast::accounts::ProposeAuthority {
            admin,
            exchange: addresses::exchange(),
            event_authority: addresses::event_authority(),
            program: ballast_state::ID,
        },
        &ballast::instruction::ProposeAuthority { role, successor },
    )
}

/// Takes a role over; signed by the successor named before.
pub fn accept_authority(successor: Pubkey, role: Role) -> Instruction {
    build(
        &ballast::accounts::AcceptAuthority {
            successor,
            exchange: addresses::exchange(),
            event_authority: addresses::event_authority(),
            program: ballast_state::ID,
        },
        &ballast::instruction::AcceptAuthority { role },
    )
}

/// Sets the union of `PAUSE_*` flags in force.
pub fn set_pause(authority: Pubkey, flags: u32) -> Instruction {
    build(
        &ballast::accounts::SetPause {
            authority,
            exchange: addresses::exchange(),
            event_authority: addresses::event_authority(),
            program: ballast_state::ID,
        },
        &ballast::instruction::SetPause { flags },
    )
}

/// What a market is opened over: zeroed accounts of the program, created at the top
/// level of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketAccounts {
    /// Queue of the long positions, see [`addresses::queue_space`].
    pub queue_long: Pubkey,
    /// Queue of the short positions.
    pub queue_short: Pubkey,
    /// Order book, see [`addresses::book_space`].
    pub book: Pubkey,
}

/// Creates the market with the exchange's next `index`.
pub fn create_market(
    payer: Pubkey,
    admin: Pubkey,
    index: u16,
    accounts: MarketAccounts,
    collateral: Collateral,
    args: CreateMarketArgs,
) -> Instruction {
    let market = addresses::market(index);
    build(
        &ballast::accounts::CreateMarket {
            admin,
            payer,
            exchange: addresses::exchange(),
            market,
            insurance_vault: addresses::insurance_vault(&market),
            collateral_mint: collateral.mint,
            queue_long: accounts.queue_long,
            queue_short: accounts.queue_short,
            book: accounts.book,
            token_program: collateral.token_program,
            system_program: anchor_lang::system_program::ID,
            event_authority: addresses::event_authority(),
            program: ballast_state::ID,
        },
        &ballast::instruction::CreateMarket { args },
    )
}

/// Replaces a market's risk parameters.
pub fn update_market_risk(
    risk_authority: Pubkey,
    keys: MarketKeys,
    risk: RiskParams,
) -> Instruction {
    build(
        &ballast::accounts::UpdateMarketRisk {
            risk_authority,
            exchange: addresses::exchange(),
            market: keys.market,
            book: keys.book,
            event_authority: addresses::event_authority(),
            program: ballast_state::ID,
        },
        &ballast::instruction::UpdateMarketRisk { risk },
    )
}
