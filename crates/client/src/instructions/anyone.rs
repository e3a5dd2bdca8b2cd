//! Instructions anyone may send: keepers, donors.

use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::{AccountMeta, Instruction};

use super::{build, Collateral, MarketKeys};
use crate::addresses;

/// Brings a market's funding index up to now.
pub fn accrue_funding(keys: MarketKeys) -> Instruction {
    build(
        &ballast::accounts::AccrueFunding {
            exchange: addresses::exchange(),
            market: keys.market,
            price: keys.price,
            event_authority: addresses::event_authority(),
            program: ballast::ID,
        },
        &ballast::instruction::AccrueFunding {},
    )
}

/// Gives `amount` atoms to a market's insurance.
pub fn donate_insurance(
    donor: Pubkey,
    market: Pubkey,
    source: Pubkey,
    collateral: Collateral,
    amount: u64,
) -> Instruction {
    build(
        &ballast::accounts::DonateInsurance {
            donor,
            exchange: addresses::exchange(),
            market,
            source,
            insurance_vault: addresses::insurance_vault(&market),
            mint: collateral.mint,
            token_program: collateral.token_program,
            event_authority: addresses::event_authority(),
            program: ballast::ID,
        },
        &ballast::instruction::DonateInsurance { amount },
    )
}

/// Moves tokens between the collateral vault and a market's insurance vault
/// until the latter holds what the market's ledger says.
pub fn sweep_insurance(market: Pubkey, collateral: Collateral) -> Instruction {
    build(
        &ballast::accounts::SweepInsurance {
            exchange: addresses::exchange(),
            market,
            collateral_vault: addresses::collateral_vault(),
            insurance_vault: addresses::insurance_vault(&market),
            mint: collateral.mint,
            token_program: collateral.token_program,
            event_authority: addresses::event_authority(),
            program: ballast::ID,
        },
        &ballast::instruction::SweepInsurance {},
    )
}

/// Makes room for `positions` more (at most 98 a call) in one of a market's queues.
pub fn grow_queue(payer: Pubkey, market: Pubkey, queue: Pubkey, positions: u32) -> Instruction {
    build(
        &ballast::accounts::GrowQueue {
            payer,
            market,
            queue,
            system_program: anchor_lang::system_program::ID,
            event_authority: addresses::event_authority(),
            program: ballast::ID,
        },
        &ballast::instruction::GrowQueue { positions },
    )
}

/// Records that a position is below maintenance or bankrupt, or clears a
/// record that is no longer true.
pub fn flag_bankruptcy(keys: MarketKeys, trader: Pubkey) -> Instruction {
    build(
        &ballast::accounts::FlagBankruptcy {
            exchange: addresses::exchange(),
            market: keys.market,
            trader,
            price: keys.price,
            event_authority: addresses::event_authority(),
            program: ballast::ID,
        },
        &ballast::instruction::FlagBankruptcy {},
    )
}

/// Liquidates a step of `trader`'s position; `liquidator` takes the lots over
/// and adds `liquidator_margin` atoms of its free collateral as their margin.
pub fn liquidate(
    liquidator_authority: Pubkey,
    keys: MarketKeys,
    trader: Pubkey,
    liquidator: Pubkey,
    liquidator_margin: u64,
) -> Instruction {
    build(
        &ballast::accounts::Liquidate {
            liquidator_authority,
            exchange: addresses::exchange(),
            market: keys.market,
            trader,
            liquidator,
            queue_long: keys.queue_long,
            queue_short: keys.queue_short,
            price: keys.price,
            event_authority: addresses::event_authority(),
            program: ballast::ID,
        },
        &ballast::instruction::Liquidate { liquidator_margin },
    )
}

/// Closes at most `max_lots` of a bankrupt position against the listed
/// counterparties (trader accounts, highest ranked first; see [`crate::adl`]).
/// `reward_trader` is the keeper's own trader account.
pub fn auto_deleverage(
    keeper: Pubkey,
    keys: MarketKeys,
    bankrupt: Pubkey,
    reward_trader: Pubkey,
    max_lots: u64,
    counterparties: &[Pubkey],
) -> Instruction {
    let mut instruction = build(
        &ballast::accounts::AutoDeleverage {
            keeper,
            exchange: addresses::exchange(),
            market: keys.market,
            bankrupt,
            reward_trader,
            queue_long: keys.queue_long,
            queue_short: keys.queue_short,
            book: keys.book,
            price: keys.price,
            event_authority: addresses::event_authority(),
            program: ballast::ID,
        },
        &ballast::instruction::AutoDeleverage { max_lots },
    );
    let listed = counterparties
        .iter()
        .map(|trader| AccountMeta::new(*trader, false));
    instruction.accounts.extend(listed);
    instruction
}
