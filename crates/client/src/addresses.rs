//! Where every account of the program lives.
//!
//! Queues and books are the exception: each is an ordinary account that its creator
//! makes at any address (see [`queue_space`], [`book_space`]) and hands to `create_market`.

use ballast_engine::book::{BOOK_HEADER_SIZE, ORDER_SIZE};
use ballast_engine::cross::queue::{CROSS_ENTRY_SIZE, CROSS_HEADER_SIZE};
use ballast_engine::queue::{QUEUE_ENTRY_SIZE, QUEUE_HEADER_SIZE};
use ballast_state::exchange::Role;
use ballast_state::seeds;
use ballast_state::staged::Change;
use ballast_state::Pubkey;

/// The most bytes one account may hold on Solana, hence the largest queue.
pub const MAX_ACCOUNT_BYTES: usize = ballast_state::queue_account::MAX_QUEUE_BYTES;

/// Address of the exchange.
pub fn exchange() -> Pubkey {
    seeds::EXCHANGE_ADDRESS
}

/// The token account that holds all free collateral, margin and fees.
pub fn collateral_vault() -> Pubkey {
    seeds::COLLATERAL_VAULT_ADDRESS
}

/// The market with this index.
pub fn market(index: u16) -> Pubkey {
    derive(&[seeds::MARKET_SEED, &index.to_le_bytes()])
}

/// The insurance token account of a market.
pub fn insurance_vault(market: &Pubkey) -> Pubkey {
    derive(&[seeds::INSURANCE_VAULT_SEED, market.as_ref()])
}

/// The trader account of an owner; one owner may have several, told apart by
/// `sub_id`.
pub fn trader(owner: &Pubkey, sub_id: u16) -> Pubkey {
    derive(&[seeds::TRADER_SEED, owner.as_ref(), &sub_id.to_le_bytes()])
}

/// The backstop pool of a market.
pub fn pool(market: &Pubkey) -> Pubkey {
    derive(&[seeds::POOL_SEED, market.as_ref()])
}

/// The stakes behind a market's insurance.
pub fn stakes(market: &Pubkey) -> Pubkey {
    derive(&[seeds::STAKES_SEED, market.as_ref()])
}

/// What `owner` owns of a fund: of a pool or of stakes.
pub fn share(fund: &Pubkey, owner: &Pubkey) -> Pubkey {
    derive(&[seeds::SHARE_SEED, fund.as_ref(), owner.as_ref()])
}

/// The protective steps of `trader` in a market.
pub fn protection(trader: &Pubkey, market: &Pubkey) -> Pubkey {
    derive(&[seeds::PROTECTION_SEED, trader.as_ref(), market.as_ref()])
}

/// Where a change of this kind (see [`Change::kind`]) is staged for a target (see
/// [`Change::target`]).
///
/// [`Change::kind`]: ballast_state::staged::Change::kind
/// [`Change::target`]: ballast_state::staged::Change::target
pub fn staged(kind: u8, target: &Pubkey) -> Pubkey {
    derive(&[seeds::STAGED_SEED, &[kind], target.as_ref()])
}

/// Where the hand-over of a role is staged.
pub fn hand_over(role: Role) -> Pubkey {
    let successor = Pubkey::default();
    let change = Change::Authority { role, successor };
    staged(change.kind(), &change.target(None).unwrap_or_default())
}

/// The account that signs the program's event records.
pub fn event_authority() -> Pubkey {
    ballast_state::seeds::EVENT_AUTHORITY.0
}

/// Bytes of a queue account with room for `capacity` positions.
///
/// A queue larger than 10 KiB cannot be created from inside another program.
/// Create it at the top level of a transaction, by `create_account` of the
/// system program with this many bytes and the program as owner, and pass it,
/// still zeroed, to `create_market`. It can grow afterwards, see
/// [`crate::instructions::anyone::GrowQueue`].
pub fn queue_space(capacity: usize) -> usize {
    8 + QUEUE_HEADER_SIZE + capacity * QUEUE_ENTRY_SIZE
}

/// The board of cross margin.
pub fn board() -> Pubkey {
    seeds::BOARD_ADDRESS
}

/// Bytes of a cross queue with room for `capacity` legs, at least
/// [`ballast_state::queue_account::MIN_QUEUE_NODES`]. Created like a queue, and grows like one.
pub fn cross_queue_space(capacity: usize) -> usize {
    8 + CROSS_HEADER_SIZE + capacity * CROSS_ENTRY_SIZE
}

/// Bytes of a book account with room for `orders` orders a side, at least
/// [`ballast_state::book_account::MIN_BOOK_ORDERS`]. Created like a queue; it does not grow.
pub fn book_space(orders: usize) -> usize {
    8 + BOOK_HEADER_SIZE + 2 * orders * ORDER_SIZE
}

/// The most legs a cross queue can hold.
pub fn max_cross_capacity() -> usize {
    (MAX_ACCOUNT_BYTES - cross_queue_space(0)) / CROSS_ENTRY_SIZE
}

/// The most positions a queue account can hold.
pub fn max_queue_capacity() -> usize {
    (MAX_ACCOUNT_BYTES - queue_space(0)) / QUEUE_ENTRY_SIZE
}

fn derive(seeds: &[&[u8]]) -> Pubkey {
    Pubkey::find_program_address(seeds, &ballast_state::ID).0
}
