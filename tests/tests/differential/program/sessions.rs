//! Sessions of the program under test: the calls, and what it says of its selections.

use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use ballast_client::instructions::adl_session::{self, SessionKeys};
use ballast_sandbox::TxResult;
use ballast_state::adl_session::AdlSession;

use super::World;
use crate::model::{Member, Seen};
use crate::operation::{Named, Operation};

impl World {
    /// Opens a session in a new account, which is remembered if the program accepts.
    pub fn open_session(&mut self, market: usize, bankrupt: usize) -> TxResult {
        let (cookie, bankrupt) = (self.markets[market].clone(), self.addresses[bankrupt]);
        let (keys, outcome) = self.sandbox.open_adl_session(&cookie, &bankrupt)?;
        let side = self.sandbox.adl_session(&keys).side;
        let side = usize::try_from(side).expect("a side");
        self.sessions.insert((market, side), keys);
        Ok(outcome)
    }

    /// The instruction of another call about a session and the wallets that sign it.
    pub fn session_call(&self, operation: &Operation) -> (Instruction, Vec<usize>) {
        match operation {
            Operation::AdvanceSession {
                session,
                max_nodes,
                hints,
            } => {
                let market = self.markets[session.of_market].keys;
                let key = self.named(session).session;
                let call = adl_session::AdvanceAdlSession {
                    keys: market,
                    session: key,
                    max_nodes: *max_nodes,
                    hints,
                }
                .instruction();
                (call, Vec::new())
            }
            Operation::ExecuteSession {
                session,
                receiver,
                list,
            } => {
                let list: Vec<Pubkey> = list.iter().map(|one| self.listed(one)).collect();
                let call = adl_session::ExecuteAdlSession {
                    keeper: self.wallets[receiver / 2].address(),
                    keys: self.markets[session.of_market].keys,
                    session: self.named(session),
                    reward_trader: self.addresses[*receiver],
                    selected: &list,
                }
                .instruction();
                (call, vec![receiver / 2])
            }
            Operation::CloseSession { session } => {
                let market = self.markets[session.of_market].keys;
                let call = adl_session::CloseAdlSession {
                    keys: market,
                    session: self.named(session),
                }
                .instruction();
                (call, Vec::new())
            }
            other => unreachable!("{other:?} is not about a session"),
        }
    }

    fn named(&self, named: &Named) -> SessionKeys {
        SessionKeys {
            bankrupt: self.addresses[named.bankrupt],
            ..self.sessions[&(named.market, named.side)]
        }
    }
}

/// What a session's account says of its selection.
pub fn seen(session: &AdlSession, complete: bool) -> Seen {
    let members = session.selection.members().iter();
    Seen {
        complete,
        found: i128::from(session.selection.found),
        members: members
            .map(|member| Member {
                sequence: member.sequence,
                lots: i128::from(member.lots),
                entry: i128::from(member.entry),
                bankruptcy: i128::from(member.bankruptcy),
                cap_left: i128::from(member.cap_left),
            })
            .collect(),
    }
}
