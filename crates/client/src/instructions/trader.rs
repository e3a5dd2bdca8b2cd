//! Instructions of traders: owners of trader accounts and their delegates.

use ballast_state::instructions::{self, BlockTradeArgs};
use ballast_state::Pubkey;
use solana_instruction::Instruction;

use super::call::{Call, Part};
use super::{Collateral, MarketKeys};
use crate::addresses;
use crate::token::SYSTEM_PROGRAM;

/// Creates a trader account; its address is [`addresses::trader`].
#[derive(Clone, Debug, Default)]
pub struct CreateTrader {
    /// Pays the rent; signs.
    pub payer: Pubkey,
    /// Its owner; signs.
    pub owner: Pubkey,
    /// Tells the accounts of one owner apart.
    pub sub_id: u16,
}

impl CreateTrader {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::CREATE_TRADER)
            .writable_signer(self.payer)
            .signer(self.owner)
            .writable(addresses::exchange())
            .writable(addresses::trader(&self.owner, self.sub_id))
            .readonly(SYSTEM_PROGRAM)
            .arguments(&self.sub_id)
            .instruction()
    }
}

/// Closes an empty trader account; its rent goes to the owner.
#[derive(Clone, Debug, Default)]
pub struct CloseTrader {
    /// The owner; signs.
    pub owner: Pubkey,
    /// The trader account.
    pub trader: Pubkey,
}

impl CloseTrader {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::CLOSE_TRADER)
            .writable_signer(self.owner)
            .writable(addresses::exchange())
            .writable(self.trader)
            .instruction()
    }
}

/// Lets a delegate trade with the book, but not withdraw, for the owner.
#[derive(Clone, Debug, Default)]
pub struct SetDelegate {
    /// The owner; signs.
    pub owner: Pubkey,
    /// The trader account.
    pub trader: Pubkey,
    /// The delegate; `None` revokes.
    pub delegate: Option<Pubkey>,
    /// Whether it may sign block trades too.
    pub block_trades: bool,
}

impl SetDelegate {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::SET_DELEGATE)
            .signer(self.owner)
            .writable(self.trader)
            .arguments(&(
                self.delegate.as_ref().map(Pubkey::to_bytes),
                self.block_trades,
            ))
            .instruction()
    }
}

/// Moves tokens into a trader's free collateral. Anyone may deposit to any trader.
#[derive(Clone, Debug, Default)]
pub struct Deposit {
    /// Owner of the tokens; signs.
    pub depositor: Pubkey,
    /// The trader account.
    pub trader: Pubkey,
    /// Token account they come from.
    pub source: Pubkey,
    /// The quote currency.
    pub collateral: Collateral,
    /// Atoms to move.
    pub amount: u64,
}

impl Deposit {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::DEPOSIT)
            .signer(self.depositor)
            .readonly(addresses::exchange())
            .writable(self.trader)
            .writable(self.source)
            .writable(addresses::collateral_vault())
            .readonly(self.collateral.mint)
            .readonly(self.collateral.token_program)
            .arguments(&self.amount)
            .instruction()
    }
}

/// Moves free collateral out to a token account.
#[derive(Clone, Debug, Default)]
pub struct Withdraw {
    /// The owner; signs.
    pub owner: Pubkey,
    /// The trader account.
    pub trader: Pubkey,
    /// Token account that gets it.
    pub destination: Pubkey,
    /// The quote currency.
    pub collateral: Collateral,
    /// Atoms to move.
    pub amount: u64,
}

impl Withdraw {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::WITHDRAW)
            .signer(self.owner)
            .readonly(addresses::exchange())
            .writable(self.trader)
            .writable(self.destination)
            .writable(addresses::collateral_vault())
            .readonly(self.collateral.mint)
            .readonly(self.collateral.token_program)
            .arguments(&self.amount)
            .instruction()
    }
}

/// Moves free collateral into the margin of a position.
#[derive(Clone, Debug, Default)]
pub struct AddMargin {
    /// Owner or delegate of the trader account; signs.
    pub authority: Pubkey,
    /// The market.
    pub keys: MarketKeys,
    /// The trader account.
    pub trader: Pubkey,
    /// Atoms to move.
    pub amount: u64,
}

impl AddMargin {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::ADD_MARGIN)
            .signer(self.authority)
            .readonly(addresses::exchange())
            .readonly(self.keys.market)
            .writable(self.trader)
            .beside(&self.keys, &[Part::Queues])
            .arguments(&self.amount)
            .instruction()
    }
}

/// Moves a position's margin back to free collateral.
#[derive(Clone, Debug, Default)]
pub struct RemoveMargin {
    /// Owner or delegate of the trader account; signs.
    pub authority: Pubkey,
    /// The market.
    pub keys: MarketKeys,
    /// The trader account.
    pub trader: Pubkey,
    /// Atoms to move.
    pub amount: u64,
}

impl RemoveMargin {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::REMOVE_MARGIN)
            .signer(self.authority)
            .readonly(addresses::exchange())
            .market(&self.keys, &[self.trader], &[Part::Queues, Part::Price])
            .arguments(&self.amount)
            .instruction()
    }
}

/// One side of a block trade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Party {
    /// The trader account.
    pub trader: Pubkey,
    /// Its owner or delegate; signs.
    pub authority: Pubkey,
}

/// A trade that taker and maker agreed on.
#[derive(Clone, Debug, Default)]
pub struct BlockTrade {
    /// The market.
    pub keys: MarketKeys,
    /// Who trades.
    pub taker: Party,
    /// Who trades against it.
    pub maker: Party,
    /// The terms, from the taker's side.
    pub args: BlockTradeArgs,
}

impl BlockTrade {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::BLOCK_TRADE)
            .signer(self.taker.authority)
            .signer(self.maker.authority)
            .readonly(addresses::exchange())
            .market(
                &self.keys,
                &[self.taker.trader, self.maker.trader],
                &[Part::Book, Part::Queues, Part::Price],
            )
            .arguments(&self.args)
            .instruction()
    }
}
