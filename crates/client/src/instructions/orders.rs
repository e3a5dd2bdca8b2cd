//! Instructions of traders on orders and triggers.

use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use ballast::instructions::orders::OrderRef;
use ballast::instructions::trader::place_trigger::PlaceTriggerArgs;
use ballast::state::book_account::OrderSide;
use ballast::state::trigger::TriggerKind;

use super::{build, MarketKeys};
use crate::addresses;

/// Takes one of a trader's orders out of the book.
pub fn cancel_order(
    authority: Pubkey,
    keys: MarketKeys,
    trader: Pubkey,
    order: OrderRef,
) -> Instruction {
    build(
        &ballast::accounts::CancelOrder {
            authority,
            market: keys.market,
            trader,
            book: keys.book,
            event_authority: addresses::event_authority(),
            program: ballast::ID,
        },
        &ballast::instruction::CancelOrder { order },
    )
}

/// Takes a trader's orders of one side, or of both, out of the book.
pub fn cancel_all_orders(
    authority: Pubkey,
    keys: MarketKeys,
    trader: Pubkey,
    side: Option<OrderSide>,
) -> Instruction {
    build(
        &ballast::accounts::CancelAllOrders {
            authority,
            market: keys.market,
            trader,
            book: keys.book,
            event_authority: addresses::event_authority(),
            program: ballast::ID,
        },
        &ballast::instruction::CancelAllOrders { side },
    )
}

/// Sets a stop-loss or take-profit of a position, in place of the one before.
pub fn place_trigger(
    authority: Pubkey,
    market: Pubkey,
    trader: Pubkey,
    args: PlaceTriggerArgs,
) -> Instruction {
    build(
        &ballast::accounts::PlaceTrigger {
            authority,
            market,
            trader,
            event_authority: addresses::event_authority(),
            program: ballast::ID,
        },
        &ballast::instruction::PlaceTrigger { args },
    )
}

/// Clears a stop-loss or take-profit.
pub fn cancel_trigger(
    authority: Pubkey,
    market: Pubkey,
    trader: Pubkey,
    kind: TriggerKind,
) -> Instruction {
    build(
        &ballast::accounts::CancelTrigger {
            authority,
            market,
            trader,
            event_authority: addresses::event_authority(),
            program: ballast::ID,
        },
        &ballast::instruction::CancelTrigger { kind },
    )
}
