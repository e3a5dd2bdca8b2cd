//! Deleveraging over several transactions, where one walk of the queue would not fit in one: open,
//! advance until complete, execute. Anyone may send each; together with the same session.
//!
//! The session is a new account, created at the top level of the transaction that opens it, by
//! `create_account` of the system program, with [`SESSION_SPACE`] bytes and the program as owner.

use ballast_engine::queue::QueueRef;
use ballast_state::adl_session::AdlSession;
use ballast_state::{instructions, Pubkey};
use solana_instruction::{AccountMeta, Instruction};

use super::call::{Call, Part};
use super::MarketKeys;
use crate::addresses;
use crate::token::SYSTEM_PROGRAM;

/// Bytes of a session account.
pub const SESSION_SPACE: usize = AdlSession::SPACE;

/// A session and what it is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionKeys {
    /// The session account.
    pub session: Pubkey,
    /// Who gets its rent back.
    pub payer: Pubkey,
    /// Trader account of the bankrupt position.
    pub bankrupt: Pubkey,
}

/// Creates the account of a session, of [`SESSION_SPACE`] bytes. It goes before
/// [`OpenAdlSession`] in the same transaction.
#[derive(Clone, Debug, Default)]
pub struct CreateSessionAccount {
    /// Pays the rent; signs.
    pub payer: Pubkey,
    /// The new account; signs.
    pub session: Pubkey,
    /// Rent of [`SESSION_SPACE`] bytes.
    pub lamports: u64,
}

impl CreateSessionAccount {
    /// The instruction of the system program.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        // `create_account` of the system program is its instruction 0.
        let mut data = vec![0; 4];
        data.extend(self.lamports.to_le_bytes());
        data.extend(
            u64::try_from(SESSION_SPACE)
                .unwrap_or(u64::MAX)
                .to_le_bytes(),
        );
        data.extend(ballast_state::ID.to_bytes());
        Instruction {
            program_id: SYSTEM_PROGRAM,
            accounts: vec![
                AccountMeta::new(self.payer, true),
                AccountMeta::new(self.session, true),
            ],
            data,
        }
    }
}

/// Freezes the round of a bankrupt position.
#[derive(Clone, Debug, Default)]
pub struct OpenAdlSession {
    /// The market.
    pub keys: MarketKeys,
    /// The session; its payer signs.
    pub session: SessionKeys,
}

impl OpenAdlSession {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::OPEN_ADL_SESSION)
            .signer(self.session.payer)
            .readonly(addresses::exchange())
            .market(
                &self.keys,
                &[self.session.bankrupt, self.session.session],
                &[Part::Queues, Part::Book, Part::Price],
            )
            .instruction()
    }
}

/// Walks on through the queue of a session.
#[derive(Clone, Debug, Default)]
pub struct AdvanceAdlSession<'a> {
    /// The market.
    pub keys: MarketKeys,
    /// The session account.
    pub session: Pubkey,
    /// Most nodes to look at.
    pub max_nodes: u32,
    /// Nodes of the queue that probably rank high: those of [`crate::ranking::plan`] make the
    /// walk as short as it can be.
    pub hints: &'a [u32],
}

impl AdvanceAdlSession<'_> {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::ADVANCE_ADL_SESSION)
            .readonly(addresses::exchange())
            .readonly(self.keys.market)
            .writable(self.session)
            .beside(&self.keys, &[Part::Queues])
            .arguments(&(self.max_nodes, self.hints))
            .instruction()
    }
}

/// Executes a complete session.
#[derive(Clone, Debug, Default)]
pub struct ExecuteAdlSession<'a> {
    /// Who sends it; signs.
    pub keeper: Pubkey,
    /// The market.
    pub keys: MarketKeys,
    /// The session.
    pub session: SessionKeys,
    /// The keeper's own trader account, which gets the reward.
    pub reward_trader: Pubkey,
    /// The counterparties, as [`selected`] tells.
    pub selected: &'a [Pubkey],
}

impl ExecuteAdlSession<'_> {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::EXECUTE_ADL_SESSION)
            .signer(self.keeper)
            .writable(self.session.payer)
            .readonly(addresses::exchange())
            .market(
                &self.keys,
                &[
                    self.session.bankrupt,
                    self.reward_trader,
                    self.session.session,
                ],
                &[Part::Queues, Part::Book, Part::Price],
            )
            .listing(self.selected)
    }
}

/// Closes a session that has expired or whose bankrupt position has changed.
#[derive(Clone, Debug, Default)]
pub struct CloseAdlSession {
    /// The market.
    pub keys: MarketKeys,
    /// The session.
    pub session: SessionKeys,
}

impl CloseAdlSession {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::CLOSE_ADL_SESSION)
            .writable(self.session.payer)
            .readonly(self.keys.market)
            .readonly(self.session.bankrupt)
            .writable(self.session.session)
            .beside(&self.keys, &[Part::Queues])
            .instruction()
    }
}

/// The trader accounts to list: of those selected the ones still in the queue, in order; where
/// nobody was selected, one at its cap that the next pass may cut, if there is one.
/// `queue` is the one of the session's side.
#[must_use]
pub fn selected(session: &AdlSession, queue: &QueueRef<'_>) -> Vec<Pubkey> {
    let members = session.selection.members();
    if members.is_empty() {
        return waiting(queue).into_iter().collect();
    }
    members
        .iter()
        .filter(|member| member.is_in(queue))
        .filter_map(|member| queue.entry(member.node).ok())
        .map(|entry| Pubkey::new_from_array(entry.trader))
        .collect()
}

/// Somebody at its cap who is solvent at the close price of the round under way.
fn waiting(queue: &QueueRef<'_>) -> Option<Pubkey> {
    let round = queue.header().watch.round(queue.side()).ok()?;
    queue.iter().filter_map(Result::ok).find_map(|(_, entry)| {
        let waits = round.waits_for_pass(entry).unwrap_or(false);
        waits.then(|| Pubkey::new_from_array(entry.trader))
    })
}
