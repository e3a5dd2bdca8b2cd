//! Instructions anyone may send: keepers, donors.

use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use ballast_state::trigger::TriggerKind;

use super::{build, listing, Collateral, MarketKeys};
use crate::addresses;

/// Brings a market's funding index up to now.
pub fn accrue_funding(keys: MarketKeys) -> Instruction {
    build(
        &ballast::accounts::AccrueFunding {
            exchange: addresses::exchange(),
            market: keys.market,
            price: keys.price,
            event_authority: addresses::event_authority(),
            program: ballast_state::ID,
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
            program: ballast_state::ID,
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
            program: ballast_state::ID,
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
            program: ballast_state::ID,
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
            program: ballast_state::ID,
        },
        &ballast::instruction::FlagBankruptcy {},
    )
}

/// What a liquidator offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Takeover {
    /// Whether its account takes over what the book leaves.
    pub takes_over: bool,
    /// Free collateral it puts behind the lots it takes over, atoms.
    pub margin: u64,
}

impl Takeover {
    /// Its account takes over what the book leaves, with `margin` atoms behind it.
    #[must_use]
    pub const fn with_margin(margin: u64) -> Self {
        Self {
            takes_over: true,
            margin,
        }
    }

    /// The book alone.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            takes_over: false,
            margin: 0,
        }
    }
}

/// Liquidates a step of `trader`'s position: the orders of the listed makers take lots
/// first (see [`crate::book::liquidation_makers`]), then `liquidator`'s account.
pub fn liquidate(
    liquidator_authority: Pubkey,
    keys: MarketKeys,
    trader: Pubkey,
    liquidator: Pubkey,
    offer: Takeover,
    makers: &[Pubkey],
) -> Instruction {
    let instruction = build(
        &ballast::accounts::Liquidate {
            liquidator_authority,
            exchange: addresses::exchange(),
            market: keys.market,
            trader,
            liquidator,
            book: keys.book,
            queue_long: keys.queue_long,
            queue_short: keys.queue_short,
            price: keys.price,
            event_authority: addresses::event_authority(),
            program: ballast_state::ID,
        },
        &ballast::instruction::Liquidate {
            liquidator_margin: offer.margin,
            takes_over: offer.takes_over,
        },
    );
    listing(instruction, makers)
}

/// Executes a trigger of `trader` whose price the oracle has reached, against the orders of
/// the listed makers; the reward goes to `reward_trader`.
pub fn execute_trigger(
    keeper: Pubkey,
    keys: MarketKeys,
    trader: Pubkey,
    reward_trader: Pubkey,
    kind: TriggerKind,
    makers: &[Pubkey],
) -> Instruction {
    let instruction = build(
        &ballast::accounts::ExecuteTrigger {
            keeper,
            exchange: addresses::exchange(),
            market: keys.market,
            trader,
            reward_trader,
            book: keys.book,
            queue_long: keys.queue_long,
            queue_short: keys.queue_short,
            price: keys.price,
            event_authority: addresses::event_authority(),
            program: ballast_state::ID,
        },
        &ballast::instruction::ExecuteTrigger { kind },
    );
    listing(instruction, makers)
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
    let instruction = build(
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
            program: ballast_state::ID,
        },
        &ballast::instruction::AutoDeleverage { max_lots },
    );
    listing(instruction, counterparties)
}
