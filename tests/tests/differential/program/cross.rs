//! Calls about accounts with legs.

use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use ballast_client::instructions::anyone::Takeover;
use ballast_client::instructions::cross;
use ballast_sandbox::{CrossCookie, MarketCookie, Sandbox};
use ballast_state::cross::EnableCrossArgs;
use ballast_state::order_args::{self, PlaceOrderArgs, SelfTrade};

use super::orders::args;
use super::World;
use crate::model::{DRAW_CAP_BPS, MARK_AGE, MOST_LOTS};
use crate::operation::{CrossCall, OrderKind, Queues};

/// Legs that a cross queue has room for.
const ROOM: usize = 64;

/// Gives the markets cross margin.
pub fn enable(sandbox: &mut Sandbox, markets: &[MarketCookie]) -> Vec<CrossCookie> {
    sandbox.create_board().expect("a board");
    let allowed = EnableCrossArgs {
        most_lots: MOST_LOTS,
        draw_cap_bps: DRAW_CAP_BPS,
        max_age_slots: MARK_AGE,
    };
    let mut enabled = |market| {
        let queues = sandbox.create_cross_queues(ROOM).expect("queues");
        let done = sandbox.enable_cross(market, &queues, allowed);
        done.expect("cross margin");
        queues
    };
    markets.iter().map(&mut enabled).collect()
}

impl World {
    pub fn queues(&self, queues: &Queues) -> Vec<Pubkey> {
        let of = |(market, side): &(usize, usize)| self.crosses[*market].both()[*side];
        queues.iter().map(of).collect()
    }

    /// The instruction of a call about legs and the wallets that sign it.
    pub fn cross_call(&self, call: &CrossCall) -> (Instruction, Vec<usize>) {
        let owner = |trader: usize| self.wallets[trader / 2].address();
        let address = |trader: usize| self.addresses[trader];
        let keys = |market: usize| self.markets[market].keys;
        let convert = |market: usize, trader: usize, margin: Option<u64>, queues: &Queues| {
            let instruction = cross::ConvertMargin {
                authority: owner(trader),
                keys: keys(market),
                trader: address(trader),
                to_cross: margin.is_none(),
                margin: margin.unwrap_or(0),
                queues: &self.queues(queues),
            }
            .instruction();
            (instruction, vec![trader / 2])
        };
        match call {
            CrossCall::Move {
                trader,
                amount,
                queues,
            } => {
                let instruction = cross::MoveCross {
                    authority: owner(*trader),
                    trader: address(*trader),
                    amount: *amount,
                    queues: &self.queues(queues),
                }
                .instruction();
                (instruction, vec![trader / 2])
            }
            CrossCall::Join {
                market,
                trader,
                queues,
            } => convert(*market, *trader, None, queues),
            CrossCall::Leave {
                market,
                trader,
                margin,
                queues,
            } => convert(*market, *trader, Some(*margin), queues),
            CrossCall::Record { markets } => {
                let markets: Vec<_> = markets.iter().map(|market| keys(*market)).collect();
                let record = cross::RecordMarks { markets: &markets };
                (record.instruction(), Vec::new())
            }
            CrossCall::Freeze { market } => {
                let freeze = cross::FreezeMark {
                    market: keys(*market).market,
                };
                (freeze.instruction(), Vec::new())
            }
            CrossCall::Refresh {
                market,
                traders,
                queues,
            } => {
                let traders: Vec<_> = traders.iter().map(|one| address(*one)).collect();
                let refresh = cross::RefreshRanks {
                    keys: keys(*market),
                    queues: &self.queues(queues),
                    traders: &traders,
                };
                (refresh.instruction(), Vec::new())
            }
            CrossCall::Flag { market, trader } => {
                let flag = cross::FlagLeg {
                    keys: keys(*market),
                    trader: address(*trader),
                };
                (flag.instruction(), Vec::new())
            }
            CrossCall::Trade { placing, queues } => {
                let args = args(placing);
                let instruction = cross::TradeLeg {
                    authority: owner(placing.trader),
                    keys: keys(placing.market),
                    trader: address(placing.trader),
                    args: PlaceOrderArgs {
                        side: args.side,
                        kind: match placing.kind {
                            OrderKind::ImmediateOrCancel => {
                                order_args::OrderKind::ImmediateOrCancel
                            }
                            OrderKind::FillOrKill => order_args::OrderKind::FillOrKill,
                            _ => order_args::OrderKind::Market,
                        },
                        price_ticks: args.price_ticks,
                        lots: args.lots,
                        reduce_only: args.reduce_only,
                        self_trade: SelfTrade::Abort,
                        ..PlaceOrderArgs::default()
                    },
                    queues: &self.queues(queues),
                    makers: &self.list(&placing.makers),
                }
                .instruction();
                (instruction, vec![placing.trader / 2])
            }
            CrossCall::Round { call, queues } => {
                let instruction = cross::AutoDeleverageCross {
                    keeper: owner(call.receiver),
                    keys: keys(call.market),
                    bankrupt: address(call.bankrupt),
                    reward_trader: address(call.receiver),
                    queues: &self.queues(queues),
                    counterparties: &self.list(&call.list),
                }
                .instruction();
                (instruction, vec![call.receiver / 2])
            }
            CrossCall::Witness(call) => {
                let traders: Vec<_> = call.traders.iter().map(|one| address(*one)).collect();
                let witness = cross::WitnessRanks {
                    keys: keys(call.market),
                    bankrupt: address(call.bankrupt),
                    queues: &self.queues(&call.queues),
                    traders: &traders,
                };
                (witness.instruction(), Vec::new())
            }
            CrossCall::Part {
                market,
                trader,
                queues,
            } => {
                let part = cross::PartLeg {
                    keys: keys(*market),
                    trader: address(*trader),
                    queues: &self.queues(queues),
                };
                (part.instruction(), Vec::new())
            }
            CrossCall::Liquidate { call, queues } => {
                let instruction = cross::LiquidateLeg {
                    authority: owner(call.liquidator),
                    keys: keys(call.market),
                    trader: address(call.trader),
                    liquidator: address(call.liquidator),
                    offer: Takeover {
                        margin: call.margin,
                        lots: call.take_over,
                    },
                    queues: &self.queues(queues),
                    makers: &self.list(&call.makers),
                }
                .instruction();
                (instruction, vec![call.liquidator / 2])
            }
        }
    }
}
