//! Instructions of traders on orders and triggers.

use ballast_state::book_account::OrderSide;
use ballast_state::instructions::{self, OrderRef, PlaceTriggerArgs};
use ballast_state::order_args::{OrderKind, PlaceOrderArgs};
use ballast_state::trigger::TriggerKind;
use ballast_state::Pubkey;
use solana_instruction::Instruction;

use super::call::{Call, Part};
use super::MarketKeys;
use crate::addresses;

/// Places an order.
#[derive(Clone, Debug, Default)]
pub struct PlaceOrder<'a> {
    /// Owner or delegate of the trader account; signs.
    pub authority: Pubkey,
    /// The market.
    pub keys: MarketKeys,
    /// The trader account.
    pub trader: Pubkey,
    /// The order.
    pub args: PlaceOrderArgs,
    /// Trader accounts of the orders it meets, see [`crate::makers::order_makers`].
    pub makers: &'a [Pubkey],
}

impl PlaceOrder<'_> {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        trading(
            instructions::PLACE_ORDER,
            self.authority,
            &self.keys,
            self.trader,
            self.args.kind,
        )
        .arguments(&self.args)
        .listing(self.makers)
    }
}

/// Cancels an order and places another in its stead.
#[derive(Clone, Debug, Default)]
pub struct ReplaceOrder<'a> {
    /// Owner or delegate of the trader account; signs.
    pub authority: Pubkey,
    /// The market.
    pub keys: MarketKeys,
    /// The trader account.
    pub trader: Pubkey,
    /// The order to cancel.
    pub replaced: OrderRef,
    /// The order to place.
    pub args: PlaceOrderArgs,
    /// Trader accounts of the orders it meets, see [`crate::makers::order_makers`].
    pub makers: &'a [Pubkey],
}

impl ReplaceOrder<'_> {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        trading(
            instructions::REPLACE_ORDER,
            self.authority,
            &self.keys,
            self.trader,
            self.args.kind,
        )
        .arguments(&(self.replaced, self.args))
        .listing(self.makers)
    }
}

/// A call with the accounts of an order of this kind. A post-only order changes no position and names
/// no queues, which makes room in the block.
fn trading(
    discriminator: [u8; 8],
    authority: Pubkey,
    keys: &MarketKeys,
    trader: Pubkey,
    kind: OrderKind,
) -> Call {
    let queues = match kind {
        OrderKind::PostOnly => Part::NoQueues,
        _ => Part::Queues,
    };
    Call::of(discriminator)
        .signer(authority)
        .readonly(addresses::exchange())
        .market(keys, &[trader], &[Part::Book, queues, Part::Price])
}

/// Takes one of a trader's orders out of the book.
#[derive(Clone, Debug, Default)]
pub struct CancelOrder {
    /// Owner or delegate of the trader account; signs.
    pub authority: Pubkey,
    /// The market.
    pub keys: MarketKeys,
    /// The trader account.
    pub trader: Pubkey,
    /// The order.
    pub order: OrderRef,
}

impl CancelOrder {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::CANCEL_ORDER)
            .signer(self.authority)
            .market(&self.keys, &[self.trader], &[Part::Book])
            .arguments(&self.order)
            .instruction()
    }
}

/// Takes a trader's orders out of the book.
#[derive(Clone, Debug, Default)]
pub struct CancelAllOrders {
    /// Owner or delegate of the trader account; signs.
    pub authority: Pubkey,
    /// The market.
    pub keys: MarketKeys,
    /// The trader account.
    pub trader: Pubkey,
    /// Those of one side; `None` all.
    pub side: Option<OrderSide>,
}

impl CancelAllOrders {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::CANCEL_ALL_ORDERS)
            .signer(self.authority)
            .market(&self.keys, &[self.trader], &[Part::Book])
            .arguments(&self.side)
            .instruction()
    }
}

/// Sets a stop-loss or take-profit of a position, in place of the one before.
#[derive(Clone, Debug, Default)]
pub struct PlaceTrigger {
    /// Owner or delegate of the trader account; signs.
    pub authority: Pubkey,
    /// The market.
    pub market: Pubkey,
    /// The trader account.
    pub trader: Pubkey,
    /// The trigger.
    pub args: PlaceTriggerArgs,
}

impl PlaceTrigger {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::PLACE_TRIGGER)
            .signer(self.authority)
            .readonly(self.market)
            .writable(self.trader)
            .arguments(&self.args)
            .instruction()
    }
}

/// Clears a stop-loss or take-profit.
#[derive(Clone, Debug, Default)]
pub struct CancelTrigger {
    /// Owner or delegate of the trader account; signs.
    pub authority: Pubkey,
    /// The market.
    pub market: Pubkey,
    /// The trader account.
    pub trader: Pubkey,
    /// Which of the two.
    pub kind: TriggerKind,
}

impl CancelTrigger {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::CANCEL_TRIGGER)
            .signer(self.authority)
            .readonly(self.market)
            .writable(self.trader)
            .arguments(&self.kind)
            .instruction()
    }
}
