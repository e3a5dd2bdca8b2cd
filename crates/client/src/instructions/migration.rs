//! Instructions that bring accounts of an earlier release to today's layout. Anyone may send them, in
//! any order, as often as they like; a trader with orders comes after the books of its markets.

use ballast_state::{instructions, Pubkey};
use solana_instruction::Instruction;

use super::call::Call;
use crate::addresses;

/// Nodes of a book that one call looks at within the compute units of a transaction.
pub const MAX_BOOK_NODES: u32 = 5_000;

/// Brings the exchange to today's layout.
#[derive(Clone, Copy, Debug, Default)]
pub struct MigrateExchange;

impl MigrateExchange {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::MIGRATE_EXCHANGE)
            .writable(addresses::exchange())
            .instruction()
    }
}

/// Brings a market to today's layout.
#[derive(Clone, Copy, Debug, Default)]
pub struct MigrateMarket {
    /// The market.
    pub market: Pubkey,
    /// Its book.
    pub book: Pubkey,
}

impl MigrateMarket {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::MIGRATE_MARKET)
            .writable(self.market)
            .writable(self.book)
            .instruction()
    }
}

/// Brings a queue to today's layout.
#[derive(Clone, Copy, Debug, Default)]
pub struct MigrateQueue {
    /// The queue.
    pub queue: Pubkey,
}

impl MigrateQueue {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::MIGRATE_QUEUE)
            .writable(self.queue)
            .instruction()
    }
}

/// Brings a book further towards today's layout.
#[derive(Clone, Copy, Debug, Default)]
pub struct MigrateBook {
    /// The market.
    pub market: Pubkey,
    /// Its book.
    pub book: Pubkey,
    /// Nodes to look at, at most; see [`MAX_BOOK_NODES`].
    pub max_nodes: u32,
}

impl MigrateBook {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::MIGRATE_BOOK)
            .writable(self.market)
            .writable(self.book)
            .arguments(&self.max_nodes)
            .instruction()
    }
}

/// Brings a trader account to today's layout.
#[derive(Clone, Debug, Default)]
pub struct MigrateTrader<'a> {
    /// The trader account.
    pub trader: Pubkey,
    /// The books of the markets in which it has orders.
    pub books: &'a [Pubkey],
}

impl MigrateTrader<'_> {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::MIGRATE_TRADER)
            .writable(self.trader)
            .listing(self.books)
    }
}
