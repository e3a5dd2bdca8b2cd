//! Instructions of traders: owners of trader accounts and their delegates.

use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use ballast_state::instructions::BlockTradeArgs;

use super::{build, Collateral, MarketKeys};
use crate::addresses;

/// Creates the trader account `sub_id` of `owner`.
pub fn create_trader(payer: Pubkey, owner: Pubkey, sub_id: u16) -> Instruction {
    build(
        &ballast::accounts::CreateTrader {
            payer,
            owner,
            exchange: addresses::exchange(),
            trader: addresses::trader(&owner, sub_id),
            system_program: anchor_lang::system_program::ID,
            event_authority: addresses::event_authority(),
            program: ballast_state::ID,
        },
        &ballast::instruction::CreateTrader { sub_id },
    )
}

/// Closes an empty trader account; its rent goes to the owner.
pub fn close_trader(owner: Pubkey, trader: Pubkey) -> Instruction {
    build(
        &ballast::accounts::CloseTrader {
            owner,
            exchange: addresses::exchange(),
            trader,
            event_authority: addresses::event_authority(),
            program: ballast_state::ID,
        },
        &ballast::instruction::CloseTrader {},
    )
}

/// Lets `delegate` trade (but not withdraw) for the owner; `None` revokes.
pub fn set_delegate(owner: Pubkey, trader: Pubkey, delegate: Option<Pubkey>) -> Instruction {
    build(
        &ballast::accounts::SetDelegate {
            owner,
            trader,
            event_authority: addresses::event_authority(),
            program: ballast_state::ID,
        },
        &ballast::instruction::SetDelegate { delegate },
    )
}

/// Moves `amount` atoms from `source` into a trader's free collateral. Anyone
/// may deposit to any trader.
pub fn deposit(
    depositor: Pubkey,
    trader: Pubkey,
    source: Pubkey,
    collateral: Collateral,
    amount: u64,
) -> Instruction {
    build(
        &ballast::accounts::Deposit {
            depositor,
            exchange: addresses::exchange(),
            trader,
            source,
            collateral_vault: addresses::collateral_vault(),
            mint: collateral.mint,
            token_program: collateral.token_program,
            event_authority: addresses::event_authority(),
            program: ballast_state::ID,
        },
        &ballast::instruction::Deposit { amount },
    )
}

/// Moves `amount` atoms of free collateral to `destination`; signed by the
/// owner.
pub fn withdraw(
    owner: Pubkey,
    trader: Pubkey,
    destination: Pubkey,
    collateral: Collateral,
    amount: u64,
) -> Instruction {
    build(
        &ballast::accounts::Withdraw {
            owner,
            exchange: addresses::exchange(),
            trader,
            destination,
            collateral_vault: addresses::collateral_vault(),
            mint: collateral.mint,
            token_program: collateral.token_program,
            event_authority: addresses::event_authority(),
            program: ballast_state::ID,
        },
        &ballast::instruction::Withdraw { amount },
    )
}

/// Moves `amount` atoms from free collateral into the margin of a position.
pub fn add_margin(authority: Pubkey, keys: MarketKeys, trader: Pubkey, amount: u64) -> Instruction {
    build(
        &ballast::accounts::AddMargin {
            authority,
            exchange: addresses::exchange(),
            market: keys.market,
            trader,
            queue_long: keys.queue_long,
            queue_short: keys.queue_short,
            event_authority: addresses::event_authority(),
            program: ballast_state::ID,
        },
        &ballast::instruction::AddMargin { amount },
    )
}

/// Moves `amount` atoms of a position's margin back to free collateral.
pub fn remove_margin(
    authority: Pubkey,
    keys: MarketKeys,
    trader: Pubkey,
    amount: u64,
) -> Instruction {
    build(
        &ballast::accounts::RemoveMargin {
            authority,
            exchange: addresses::exchange(),
            market: keys.market,
            trader,
            queue_long: keys.queue_long,
            queue_short: keys.queue_short,
            price: keys.price,
            event_authority: addresses::event_authority(),
            program: ballast_state::ID,
        },
        &ballast::instruction::RemoveMargin { amount },
    )
}

/// One side of a block trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party {
    /// The trader account.
    pub trader: Pubkey,
    /// Its owner or delegate, who signs.
    pub authority: Pubkey,
}

/// A trade that taker and maker agreed on; both sign.
pub fn block_trade(
    keys: MarketKeys,
    taker: Party,
    maker: Party,
    args: BlockTradeArgs,
) -> Instruction {
    build(
        &ballast::accounts::BlockTrade {
            taker_authority: taker.authority,
            maker_authority: maker.authority,
            exchange: addresses::exchange(),
            market: keys.market,
            taker: taker.trader,
            maker: maker.trader,
            queue_long: keys.queue_long,
            queue_short: keys.queue_short,
            price: keys.price,
            event_authority: addresses::event_authority(),
            program: ballast_state::ID,
        },
        &ballast::instruction::BlockTrade { args },
    )
}
