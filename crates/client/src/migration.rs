//! Which accounts are of the release before, and what brings them to today's layout.

use ballast_engine::book::{BookHeader, BOOK_HEADER_SIZE, OUTDATED_BOOK_VERSION};
use ballast_engine::queue::{QueueHeader, OUTDATED_QUEUE_VERSION, QUEUE_HEADER_SIZE};
use std::collections::{BTreeMap, BTreeSet};

use ballast_state::exchange::Exchange;
use ballast_state::market::Market;
use ballast_state::trader::Trader;
use ballast_state::version::Versioned;
use ballast_state::Pubkey;
use solana_instruction::Instruction;

use crate::accounts::{self, AccountKind};
use crate::instructions::migration::{
    MigrateBook, MigrateExchange, MigrateMarket, MigrateQueue, MigrateTrader, MAX_BOOK_NODES,
};

/// Whether the account with these bytes is of the release before, so that the program refuses it.
#[must_use]
pub fn is_outdated(data: &[u8]) -> bool {
    match AccountKind::of(data) {
        None => false,
        Some(AccountKind::Exchange) => outdated(accounts::exchange(data)),
        Some(AccountKind::Market) => outdated(accounts::market(data)),
        Some(AccountKind::Trader) => outdated(accounts::trader(data)),
        Some(AccountKind::AdlSession) => outdated(accounts::adl_session(data)),
        Some(AccountKind::Staged) => outdated(accounts::staged(data)),
        Some(AccountKind::Pool) => outdated(accounts::pool(data)),
        Some(AccountKind::Share) => outdated(accounts::share(data)),
        Some(AccountKind::Protection) => outdated(accounts::protection(data)),
        Some(AccountKind::Stakes) => outdated(accounts::stakes(data)),
        // No release before had cross margin.
        Some(AccountKind::Board | AccountKind::CrossQueue) => false,
        Some(AccountKind::Queue) => {
            let header = head(data, QUEUE_HEADER_SIZE);
            header.is_some_and(|head| {
                bytemuck::pod_read_unaligned::<QueueHeader>(head).version == OUTDATED_QUEUE_VERSION
            })
        }
        Some(AccountKind::Book) => {
            let header = head(data, BOOK_HEADER_SIZE);
            header.is_some_and(|head| {
                bytemuck::pod_read_unaligned::<BookHeader>(head).version == OUTDATED_BOOK_VERSION
            })
        }
    }
}

fn outdated<T: Versioned, E>(account: Result<T, E>) -> bool {
    account.is_ok_and(|account| account.is_outdated())
}

fn head(data: &[u8], size: usize) -> Option<&[u8]> {
    data.get(8..)?.get(..size)
}

/// What brings the outdated accounts of an exchange to today's layout. Sent in the order of the fields,
/// each call succeeds.
#[derive(Clone, Debug, Default)]
pub struct Migrations {
    /// For the exchange, markets and queues.
    pub shared: Vec<Instruction>,
    /// For books, each to be repeated until the book is not outdated any more.
    pub books: Vec<MigrateBook>,
    /// For trader accounts.
    pub traders: Vec<Instruction>,
}

impl Migrations {
    /// For these accounts. `outdated` are the queues and books that [`is_outdated`] says are.
    #[must_use]
    pub fn of(
        exchange: &Exchange,
        markets: &[(Pubkey, Market)],
        outdated: &BTreeSet<Pubkey>,
        traders: &[(Pubkey, Trader)],
    ) -> Self {
        let mut all = Self::default();
        if exchange.is_outdated() {
            all.shared.push(MigrateExchange.instruction());
        }
        for (address, market) in markets {
            let (market, book) = (market, market.book);
            if market.is_outdated() {
                let market = *address;
                all.shared
                    .push(MigrateMarket { market, book }.instruction());
            }
            let queues = [market.queue_long, market.queue_short];
            for queue in queues.into_iter().filter(|queue| outdated.contains(queue)) {
                all.shared.push(MigrateQueue { queue }.instruction());
            }
            if outdated.contains(&book) {
                all.books.push(MigrateBook {
                    market: *address,
                    book,
                    max_nodes: MAX_BOOK_NODES,
                });
            }
        }
        let book_of: BTreeMap<Pubkey, Pubkey> = markets
            .iter()
            .map(|(address, market)| (*address, market.book))
            .collect();
        let traders = traders.iter().filter(|(_, trader)| trader.is_outdated());
        all.traders = traders
            .map(|(address, trader)| {
                migrate_trader(*address, trader, |market| book_of.get(market).copied())
            })
            .collect();
        all
    }

    /// Accounts that are outdated.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.shared.len() + self.books.len() + self.traders.len()
    }
}

/// The instruction that migrates a trader account, with the books that `book_of` knows for the markets
/// in which it has orders.
#[must_use]
pub fn migrate_trader(
    address: Pubkey,
    trader: &Trader,
    book_of: impl Fn(&Pubkey) -> Option<Pubkey>,
) -> Instruction {
    let with_orders = trader.positions.iter().filter(|slot| slot.order_count > 0);
    let books: Vec<Pubkey> = with_orders
        .filter_map(|slot| book_of(&slot.market))
        .collect();
    MigrateTrader {
        trader: address,
        books: &books,
    }
    .instruction()
}

#[cfg(test)]
mod tests {
    use ballast_engine::book::Book;
    use ballast_engine::queue::Queue;
    use ballast_engine::units::Side;
    use ballast_state::trader::{TRADER_DISCRIMINATOR, TRADER_VERSION};
    use bytemuck::Zeroable;

    use super::*;

    #[test]
    fn an_account_of_the_release_before_is_told_by_its_version() {
        let mut data = TRADER_DISCRIMINATOR.to_vec();
        data.extend(bytemuck::bytes_of(&Trader {
            version: TRADER_VERSION,
            ..Trader::zeroed()
        }));
        assert!(!is_outdated(&data));
        data[8] -= 1;
        assert!(is_outdated(&data));
        data[8] -= 1;
        assert!(!is_outdated(&data), "one that nothing migrates");
        let mut words = [0_u64; QUEUE_HEADER_SIZE / 8];
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
        Queue::create(bytes, [1; 32], Side::Long).unwrap();
        let mut queue = [&AccountKind::Queue.discriminator()[..], bytes].concat();
        assert!(!is_outdated(&queue));
        queue[8 + 36] -= 1;
        assert!(is_outdated(&queue));
        Book::create(bytes, [1; 32]).unwrap();
        let mut book = [&AccountKind::Book.discriminator()[..], bytes].concat();
        assert!(!is_outdated(&book));
        book[8 + 32] -= 1;
        assert!(is_outdated(&book));
        assert!(!is_outdated(&book[..20]));
    }

    #[test]
    fn a_trader_brings_the_books_of_its_orders() {
        let mut trader = Trader::zeroed();
        let market = |byte| Pubkey::new_from_array([byte; 32]);
        for (slot, byte, orders) in [(0, 1, 2), (3, 2, 0), (5, 3, 1)] {
            trader.positions[slot].market = market(byte);
            trader.positions[slot].order_count = orders;
        }
        let book_of = |key: &Pubkey| Some(Pubkey::new_from_array([key.to_bytes()[0] + 100; 32]));
        let call = migrate_trader(market(9), &trader, book_of);
        let listed: Vec<Pubkey> = call.accounts.iter().map(|meta| meta.pubkey).collect();
        assert_eq!(listed[0], market(9));
        assert_eq!(listed[listed.len() - 2..], [market(101), market(103)]);
    }
}
