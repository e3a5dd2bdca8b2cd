//! Deleveraging over several transactions, where one walk of the queue would not fit in one: open,
//! advance until complete, execute. Anyone may send each; together with the same session.
//!
//! The session is a new account, created at the top level of the transaction that opens it, by
//! `create_account` of the system program, with [`SESSION_SPACE`] bytes and the program as owner.

use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::{AccountMeta, Instruction};
use ballast_engine::queue::QueueRef;
use ballast_state::adl_session::AdlSession;

use super::{build, listing, MarketKeys};
use crate::addresses;

/// Bytes of a session account.
pub const SESSION_SPACE: usize = AdlSession::SPACE;

/// A session and what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionKeys {
    /// The session account.
    pub session: Pubkey,
    /// Who gets its rent back.
    pub payer: Pubkey,
    /// Trader account of the bankrupt position.
    pub bankrupt: Pubkey,
}

/// Creates the account of a session, `lamports` being the rent for [`SESSION_SPACE`] bytes. `payer`
/// and `session` sign. It goes before [`open_adl_session`] in the same transaction.
pub fn create_session_account(payer: Pubkey, session: Pubkey, lamports: u64) -> Instruction {
    // `create_account` of the system program is its instruction 0.
    let mut data = vec![0; 4];
    data.extend(lamports.to_le_bytes());
    data.extend(
        u64::try_from(SESSION_SPACE)
            .unwrap_or(u64::MAX)
            .to_le_bytes(),
    );
    data.extend(ballast_state::ID.to_bytes());
    Instruction {
        program_id: anchor_lang::system_program::ID,
        accounts: vec![
            AccountMeta::new(payer, true),
            AccountMeta::new(session, true),
        ],
        data,
    }
}

/// Lets insurance pay and freezes the round of a bankrupt position, for up to `max_lots`.
pub fn open_adl_session(keys: MarketKeys, session: SessionKeys, max_lots: u64) -> Instruction {
    build(
        &ballast::accounts::OpenAdlSession {
            payer: session.payer,
            exchange: addresses::exchange(),
            market: keys.market,
            bankrupt: session.bankrupt,
            session: session.session,
            queue_long: keys.queue_long,
            queue_short: keys.queue_short,
            book: keys.book,
            price: keys.price,
            event_authority: addresses::event_authority(),
            program: ballast_state::ID,
        },
        &ballast::instruction::OpenAdlSession { max_lots },
    )
}

/// Walks on, looking at up to `max_nodes` nodes. `hints` are nodes of the queue that probably rank
/// high: those of [`crate::adl::plan`] make the walk as short as it can be.
pub fn advance_adl_session(
    keys: MarketKeys,
    session: Pubkey,
    max_nodes: u32,
    hints: Vec<u32>,
) -> Instruction {
    build(
        &ballast::accounts::AdvanceAdlSession {
            exchange: addresses::exchange(),
            market: keys.market,
            session,
            queue_long: keys.queue_long,
            queue_short: keys.queue_short,
            event_authority: addresses::event_authority(),
            program: ballast_state::ID,
        },
        &ballast::instruction::AdvanceAdlSession { max_nodes, hints },
    )
}

/// Executes a complete session against `selected`, as [`selected`] tells. `reward_trader` is the
/// keeper's own trader account.
pub fn execute_adl_session(
    keeper: Pubkey,
    keys: MarketKeys,
    session: SessionKeys,
    reward_trader: Pubkey,
    selected: &[Pubkey],
) -> Instruction {
    let instruction = build(
        &ballast::accounts::ExecuteAdlSession {
            keeper,
            payer: session.payer,
            exchange: addresses::exchange(),
            market: keys.market,
            bankrupt: session.bankrupt,
            reward_trader,
            session: session.session,
            queue_long: keys.queue_long,
            queue_short: keys.queue_short,
            book: keys.book,
            price: keys.price,
            event_authority: addresses::event_authority(),
            program: ballast_state::ID,
        },
        &ballast::instruction::ExecuteAdlSession {},
    );
    listing(instruction, selected)
}

/// Closes a session that has expired or whose bankrupt position has changed.
pub fn close_adl_session(keys: MarketKeys, session: SessionKeys) -> Instruction {
    build(
        &ballast::accounts::CloseAdlSession {
            payer: session.payer,
            market: keys.market,
            bankrupt: session.bankrupt,
            session: session.session,
            queue_long: keys.queue_long,
            queue_short: keys.queue_short,
            event_authority: addresses::event_authority(),
            program: ballast_state::ID,
        },
        &ballast::instruction::CloseAdlSession {},
    )
}

/// The trader accounts to list: of those selected the ones still in the queue, in order.
/// `queue` is the one of the session's side.
#[must_use]
pub fn selected(session: &AdlSession, queue: &QueueRef<'_>) -> Vec<Pubkey> {
    session
        .selection
        .members()
        .iter()
        .filter(|member| member.is_in(queue))
        .filter_map(|member| queue.entry(member.node).ok())
        .map(|entry| Pubkey::new_from_array(entry.trader))
        .collect()
}
