//! Orders and triggers of traders.

use ballast_client::cross::position_queue;
use ballast_client::instructions::{orders, protection};
use ballast_state::book_account::OrderSide;
use ballast_state::instructions::OrderRef;
use ballast_state::instructions::{PlaceTriggerArgs, SetProtectionArgs};
use ballast_state::order_args::PlaceOrderArgs;
use ballast_state::trigger::TriggerKind;
use ballast_state::Pubkey;

use crate::cookie::MarketCookie;
use crate::outcome::TxResult;
use crate::trading::TraderCookie;
use crate::world::Sandbox;

impl Sandbox {
    /// Places an order against the orders of `makers`.
    pub fn place_order(
        &mut self,
        market: &MarketCookie,
        trader: &TraderCookie,
        args: PlaceOrderArgs,
        makers: &[Pubkey],
    ) -> TxResult {
        let authority = trader.wallet.address();
        let instruction = orders::PlaceOrder {
            authority,
            keys: market.keys,
            trader: trader.address,
            args,
            makers,
        }
        .instruction();
        self.send_listing(&instruction, &trader.wallet, makers)
    }

    /// Cancels an order and places another in its stead.
    pub fn replace_order(
        &mut self,
        market: &MarketCookie,
        trader: &TraderCookie,
        replaced: OrderRef,
        args: PlaceOrderArgs,
        makers: &[Pubkey],
    ) -> TxResult {
        let (authority, keys) = (trader.wallet.address(), market.keys);
        let instruction = orders::ReplaceOrder {
            authority,
            keys,
            trader: trader.address,
            replaced,
            args,
            makers,
        }
        .instruction();
        self.send_listing(&instruction, &trader.wallet, makers)
    }

    /// Takes one of a trader's orders out of the book.
    pub fn cancel_order(
        &mut self,
        market: &MarketCookie,
        trader: &TraderCookie,
        order: OrderRef,
    ) -> TxResult {
        let instruction = orders::CancelOrder {
            authority: trader.wallet.address(),
            keys: market.keys,
            trader: trader.address,
            order,
        }
        .instruction();
        self.send(&[instruction], &[&trader.wallet.keypair])
    }

    /// Takes a trader's orders of one side, or of both, out of the book.
    pub fn cancel_all_orders(
        &mut self,
        market: &MarketCookie,
        trader: &TraderCookie,
        side: Option<OrderSide>,
    ) -> TxResult {
        let instruction = orders::CancelAllOrders {
            authority: trader.wallet.address(),
            keys: market.keys,
            trader: trader.address,
            side,
        }
        .instruction();
        self.send(&[instruction], &[&trader.wallet.keypair])
    }

    /// Sets a stop-loss or take-profit of a position.
    pub fn place_trigger(
        &mut self,
        market: &MarketCookie,
        trader: &TraderCookie,
        args: PlaceTriggerArgs,
    ) -> TxResult {
        let (authority, market) = (trader.wallet.address(), market.keys.market);
        let instruction = orders::PlaceTrigger {
            authority,
            market,
            trader: trader.address,
            args,
        }
        .instruction();
        self.send(&[instruction], &[&trader.wallet.keypair])
    }

    /// Clears a stop-loss or take-profit.
    pub fn cancel_trigger(
        &mut self,
        market: &MarketCookie,
        trader: &TraderCookie,
        kind: TriggerKind,
    ) -> TxResult {
        let (authority, market) = (trader.wallet.address(), market.keys.market);
        let instruction = orders::CancelTrigger {
            authority,
            market,
            trader: trader.address,
            kind,
        }
        .instruction();
        self.send(&[instruction], &[&trader.wallet.keypair])
    }

    /// Opens the account for the protective steps of a trader in a market; its owner pays.
    pub fn create_protection(&mut self, market: &MarketCookie, trader: &TraderCookie) -> TxResult {
        let instruction = protection::CreateProtection {
            owner: trader.wallet.address(),
            market: market.keys.market,
            trader: trader.address,
        }
        .instruction();
        self.send(&[instruction], &[&trader.wallet.keypair])
    }

    /// Sets the protective steps of a trader's position, or clears them.
    pub fn set_protection(
        &mut self,
        market: &MarketCookie,
        trader: &TraderCookie,
        args: SetProtectionArgs,
    ) -> TxResult {
        let account = self.trader(&trader.address);
        let slot = account.any(&market.keys.market).ok();
        let board = account.has_cross().then(|| self.board());
        let queue =
            slot.and_then(|slot| position_queue(slot, &self.market(market), board.as_deref()).ok());
        let instruction = protection::SetProtection {
            authority: trader.wallet.address(),
            market: market.keys.market,
            trader: trader.address,
            queue: queue.unwrap_or(market.keys.queue_long),
            args,
        }
        .instruction();
        self.send(&[instruction], &[&trader.wallet.keypair])
    }

    /// Closes the account of protective steps.
    pub fn close_protection(&mut self, market: &MarketCookie, trader: &TraderCookie) -> TxResult {
        let instruction = protection::CloseProtection {
            owner: trader.wallet.address(),
            market: market.keys.market,
            trader: trader.address,
        }
        .instruction();
        self.send(&[instruction], &[&trader.wallet.keypair])
    }
}
