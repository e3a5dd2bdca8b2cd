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
                let lots = match is_open(&address) {
                    true => {
                        let account = self.sandbox.trader(&address);
                        let slot = account.find(&keys.market);
                        slot.map_or(0, |slot| account.positions[slot].lots)
                    }
                    false => 0,
                };
                let call = protection::SetProtection {
                    authority: owner(setting.trader),
                    market: keys.market,
                    trader: address,
                    queue: match lots < 0 {
                        true => keys.queue_short,
                        false => keys.queue_long,
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
                    makers: &self.list(&call.makers),
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
