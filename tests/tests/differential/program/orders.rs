//! Orders and triggers as the program is asked for them.

use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use ballast_client::addresses;
use ballast_client::instructions::{anyone, orders};
use ballast_state::book_account::OrderSide;
use ballast_state::instructions::OrderRef;
use ballast_state::instructions::PlaceTriggerArgs;
use ballast_state::order_args::{self, PlaceOrderArgs};
use ballast_state::trigger;

use super::World;
use crate::model::Listed;
use crate::operation::{
    BookSide, Liquidation, Operation, OrderKind, Placing, Queues, SelfTrade, TriggerKind,
    Unwinding, Which,
};

impl World {
    /// The instruction of a call about orders or triggers and the wallets that sign it.
    pub fn order_call(&self, operation: &Operation) -> (Instruction, Vec<usize>) {
        let owner = |trader: usize| self.wallets[trader / 2].address();
        let address = |trader: usize| self.addresses[trader];
        let keys = |market: usize| self.markets[market].keys;
        match operation {
            Operation::PlaceOrder(placing) => {
                let trader = placing.trader;
                let call = orders::PlaceOrder {
                    authority: owner(trader),
                    keys: keys(placing.market),
                    trader: address(trader),
                    args: args(placing),
                    makers: &self.list(&placing.makers),
                }
                .instruction();
                (call, vec![trader / 2])
            }
            Operation::ReplaceOrder { which, placing } => {
                let trader = placing.trader;
                let call = orders::ReplaceOrder {
                    authority: owner(trader),
                    keys: keys(placing.market),
                    trader: address(trader),
                    replaced: reference(*which),
                    args: args(placing),
                    makers: &self.list(&placing.makers),
                }
                .instruction();
                (call, vec![trader / 2])
            }
            Operation::CancelOrder {
                market,
                trader,
                which,
            } => {
                let (signer, account) = (owner(*trader), address(*trader));
                let call = orders::CancelOrder {
                    authority: signer,
                    keys: keys(*market),
                    trader: account,
                    order: reference(*which),
                }
                .instruction();
                (call, vec![trader / 2])
            }
            Operation::CancelAllOrders {
                market,
                trader,
                side,
            } => {
                let (signer, account) = (owner(*trader), address(*trader));
                let side = side.map(book_side);
                let call = orders::CancelAllOrders {
                    authority: signer,
                    keys: keys(*market),
                    trader: account,
                    side,
                }
                .instruction();
                (call, vec![trader / 2])
            }
            other => self.trigger_call(other),
        }
    }

    fn trigger_call(&self, operation: &Operation) -> (Instruction, Vec<usize>) {
        let owner = |trader: usize| self.wallets[trader / 2].address();
        let market = |market: usize| self.markets[market].keys.market;
        match operation {
            Operation::PlaceTrigger(setting) => {
                let trader = setting.trader;
                let args = PlaceTriggerArgs {
                    kind: trigger_kind(setting.kind),
                    price_ticks: setting.price,
                    worst_ticks: setting.worst,
                    lots: setting.lots,
                };
                let (market, account) = (market(setting.market), self.addresses[trader]);
                let call = orders::PlaceTrigger {
                    authority: owner(trader),
                    market,
                    trader: account,
                    args,
                }
                .instruction();
                (call, vec![trader / 2])
            }
            Operation::CancelTrigger {
                market: number,
                trader,
                kind,
            } => {
                let (market, account) = (market(*number), self.addresses[*trader]);
                let kind = trigger_kind(*kind);
                let call = orders::CancelTrigger {
                    authority: owner(*trader),
                    market,
                    trader: account,
                    kind,
                }
                .instruction();
                (call, vec![trader / 2])
            }
            Operation::ExecuteTrigger(execution) => {
                let receiver = execution.receiver;
                let call = anyone::ExecuteTrigger {
                    keeper: owner(receiver),
                    keys: self.markets[execution.market].keys,
                    trader: self.addresses[execution.trader],
                    reward_trader: self.addresses[receiver],
                    kind: trigger_kind(execution.kind),
                    makers: &self.list_after_board(&execution.queues, &execution.makers),
                }
                .instruction();
                (call, vec![receiver / 2])
            }
            other => unreachable!("{other:?} is about neither orders nor triggers"),
        }
    }

    /// The instruction of a liquidation and the wallet that signs it.
    pub fn liquidation(&self, call: &Liquidation) -> (Instruction, Vec<usize>) {
        let liquidator = call.liquidator;
        if call.into_pool {
            let instruction = anyone::LiquidateIntoPool {
                authority: self.wallets[liquidator / 2].address(),
                keys: self.markets[call.market].keys,
                trader: self.addresses[call.trader],
                liquidator: self.addresses[liquidator],
                makers: &self.list(&call.makers),
            }
            .instruction();
            return (instruction, vec![liquidator / 2]);
        }
        let instruction = anyone::Liquidate {
            authority: self.wallets[liquidator / 2].address(),
            keys: self.markets[call.market].keys,
            trader: self.addresses[call.trader],
            liquidator: self.addresses[liquidator],
            offer: anyone::Takeover {
                margin: call.margin,
                lots: call.take_over,
            },
            makers: &self.list(&call.makers),
        }
        .instruction();
        (instruction, vec![liquidator / 2])
    }

    /// The instruction of an unwind and the wallet that signs it.
    pub fn unwinding(&self, call: &Unwinding) -> (Instruction, Vec<usize>) {
        let instruction = anyone::UnwindPool {
            keeper: self.wallets[call.keeper].address(),
            keys: self.markets[call.market].keys,
            reward_trader: self.addresses[call.receiver],
            makers: &self.list(&call.makers),
        }
        .instruction();
        (instruction, vec![call.keeper])
    }

    /// The board and these cross queues, where there are any, before the listed accounts.
    pub fn list_after_board(&self, queues: &Queues, list: &[Listed]) -> Vec<Pubkey> {
        if queues.is_empty() {
            return self.list(list);
        }
        [
            vec![addresses::board()],
            self.queues(queues),
            self.list(list),
        ]
        .concat()
    }

    /// Addresses of listed accounts.
    pub fn list(&self, list: &[Listed]) -> Vec<Pubkey> {
        list.iter().map(|one| self.listed(one)).collect()
    }
}

pub fn args(placing: &Placing) -> PlaceOrderArgs {
    PlaceOrderArgs {
        side: book_side(placing.side),
        kind: match placing.kind {
            OrderKind::Limit => order_args::OrderKind::Limit,
            OrderKind::ImmediateOrCancel => order_args::OrderKind::ImmediateOrCancel,
            OrderKind::FillOrKill => order_args::OrderKind::FillOrKill,
            OrderKind::PostOnly => order_args::OrderKind::PostOnly,
            OrderKind::Market => order_args::OrderKind::Market,
        },
        price_ticks: placing.price,
        lots: placing.lots,
        margin: placing.margin,
        client_id: placing.client_id,
        expires_at: placing.expires_at,
        reduce_only: placing.reduce_only,
        self_trade: match placing.self_trade {
            SelfTrade::CancelProvide => order_args::SelfTrade::CancelProvide,
            SelfTrade::DecrementAndCancel => order_args::SelfTrade::DecrementAndCancel,
            SelfTrade::Abort => order_args::SelfTrade::Abort,
        },
    }
}

fn book_side(side: BookSide) -> OrderSide {
    match side {
        BookSide::Bid => OrderSide::Bid,
        BookSide::Ask => OrderSide::Ask,
    }
}

fn reference(which: Which) -> OrderRef {
    match which {
        Which::Id(id) => OrderRef::Id(id),
        Which::Client(id) => OrderRef::ClientId(id),
    }
}

fn trigger_kind(kind: TriggerKind) -> trigger::TriggerKind {
    match kind {
        TriggerKind::StopLoss => trigger::TriggerKind::StopLoss,
        TriggerKind::TakeProfit => trigger::TriggerKind::TakeProfit,
    }
}
