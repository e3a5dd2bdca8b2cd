//! Protective steps as the program is asked for them.

use anchor_lang::solana_program::instruction::Instruction;
use ballast_client::instructions::{anyone, protection};
use ballast_engine::protection::ProtectiveStep;
use ballast_state::instructions::SetProtectionArgs;

use super::World;
use crate::operation::{Operation, Step};

impl World {
    /// The instruction of a call about protective steps and the wallet that signs it.
    pub fn protection_call(&self, operation: &Operation) -> (Instruction, Vec<usize>) {
        let owner = |trader: usize| self.wallets[trader / 2].address();
        match operation {
            Operation::CreateProtection { market, trader } => {
                let call = protection::CreateProtection {
                    owner: owner(*trader),
                    market: self.markets[*market].keys.market,
                    trader: self.addresses[*trader],
                }
                .instruction();
                (call, vec![trader / 2])
            }
            Operation::CloseProtection { market, trader } => {
                let call = protection::CloseProtection {
                    owner: owner(*trader),
                    market: self.markets[*market].keys.market,
                    trader: self.addresses[*trader],
                }
                .instruction();
                (call, vec![trader / 2])
            }
            Operation::SetProtection(setting) => {
                let keys = self.markets[setting.market].keys;
                let address = self.addresses[setting.trader];
                let is_open = |address| {
                    let account = self.sandbox.account(address);
                    account.is_some_and(|account| account.owner == ballast_state::ID)
                };
                let slot = is_open(&address).then(|| {
                    let account = self.sandbox.trader(&address);
                    account.any(&keys.market).ok().copied()
                });
                let slot = slot.flatten();
                let (lots, leg) = slot.map_or((0, false), |slot| (slot.lots, slot.is_leg()));
                let side = usize::from(lots < 0);
                let own = [keys.queue_long, keys.queue_short];
                let call = protection::SetProtection {
                    authority: owner(setting.trader),
                    market: keys.market,
                    trader: address,
                    queue: match leg {
                        true => self.crosses[setting.market].both()[side],
                        false => own[side],
                    },
                    args: SetProtectionArgs {
                        steps: setting.steps.iter().map(step).collect(),
                        slip_bps: setting.slip,
                    },
                }
                .instruction();
                (call, vec![setting.trader / 2])
            }
            Operation::ExecuteProtection(call) => {
                let receiver = call.receiver;
                let instruction = anyone::ExecuteProtection {
                    keeper: owner(receiver),
                    keys: self.markets[call.market].keys,
                    trader: self.addresses[call.trader],
                    reward_trader: self.addresses[receiver],
                    makers: &self.list_after_board(&call.queues, &call.makers),
                }
                .instruction();
                (instruction, vec![receiver / 2])
            }
            other => unreachable!("{other:?} is not about protective steps"),
        }
    }
}

fn step(step: &Step) -> ProtectiveStep {
    ProtectiveStep {
        ratio_bps: step.ratio,
        keep_bps: step.keep,
    }
}
