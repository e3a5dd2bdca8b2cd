//! Instructions of traders on orders and triggers.

use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use ballast_state::book_account::OrderSide;
use ballast_state::instructions::OrderRef;
use ballast_state::instructions::PlaceTriggerArgs;
use ballast_state::order_args::PlaceOrderArgs;
use ballast_state::trigger::TriggerKind;

use super::{build, listing, MarketKeys};
use crate::addresses;

/// Places an order; `makers` are the trader accounts of the orders it meets (see
/// [`crate::book::makers`]), none for a post-only order.
pub fn place_order(
    authority: Pubkey,
    keys: MarketKeys,
    trader: Pubkey,
    args: PlaceOrderArgs,
    makers: &[Pubkey],
) -> Instruction {
    let data = ballast::instruction::PlaceOrder { args };
    listing(build(&trading(authority, keys, trader), &data), makers)
}

/// Cancels the order `replaced` and places another in its stead.
pub fn replace_order(
    authority: Pubkey,
    keys: MarketKeys,
    trader: Pubkey,
    replaced: OrderRef,
    args: PlaceOrderArgs,
    makers: &[Pubkey],
) -> Instruction {
    let data = ballast::instruction::ReplaceOrder { replaced, args };
    listing(build(&trading(authority, keys, trader), &data), makers)
}

fn trading(authority: Pubkey, keys: MarketKeys, trader: Pubkey) -> ballast::accounts::PlaceOrder {
    ballast::accounts::PlaceOrder {
        authority,
        exchange: addresses::exchange(),
        market: keys.market,
        trader,
        book: keys.book,
        queue_long: keys.queue_long,
        queue_short: keys.queue_short,
        price: keys.price,
        event_authority: addresses::event_authority(),
        program: ballast_state::ID,
    }
}

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
            program: ballast_state::ID,
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
            program: ballast_state::ID,
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
            program: ballast_state::ID,
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
            program: ballast_state::ID,
        },
        &ballast::instruction::CancelTrigger { kind },
    )
}
