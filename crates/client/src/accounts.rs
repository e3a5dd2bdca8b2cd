//! Decoding of account data: the bytes a cluster returns, discriminator included.

use ballast_engine::book::{Book, BookRef, BOOK_HEADER_SIZE};
use ballast_engine::cross::queue::CrossQueueRef;
use ballast_engine::queue::{Queue, QueueRef, QUEUE_ENTRY_SIZE, QUEUE_HEADER_SIZE};
use ballast_engine::slab::Journal;
use ballast_engine::units::Side;
use ballast_engine::EngineError;
use ballast_state::adl_session::{AdlSession, ADL_SESSION_DISCRIMINATOR};
use ballast_state::book_account::BOOK_DISCRIMINATOR;
use ballast_state::cross::{CrossBoard, BOARD_DISCRIMINATOR, CROSS_QUEUE_DISCRIMINATOR};
use ballast_state::exchange::{Exchange, EXCHANGE_DISCRIMINATOR};
use ballast_state::market::{Market, MARKET_DISCRIMINATOR};
use ballast_state::pool::{Pool, POOL_DISCRIMINATOR};
use ballast_state::protection::{Protection, PROTECTION_DISCRIMINATOR};
use ballast_state::queue_account::QUEUE_DISCRIMINATOR;
use ballast_state::share::{Share, SHARE_DISCRIMINATOR};
use ballast_state::staged::{Staged, STAGED_DISCRIMINATOR};
use ballast_state::stakes::{Stakes, STAKES_DISCRIMINATOR};
use ballast_state::trader::{Trader, TRADER_DISCRIMINATOR};
use ballast_state::Pubkey;
use bytemuck::Pod;

/// Why bytes are not the account they were taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Fewer bytes than the account has.
    #[error("the account has {found} bytes, expected at least {expected}")]
    TooShort {
        /// Bytes wanted.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// The first eight bytes name another type.
    #[error("the account is of another type")]
    WrongType,
    /// The queue's header or nodes do not parse.
    #[error("the queue does not parse: {0}")]
    Queue(EngineError),
    /// The book's header or orders do not parse.
    #[error("the book does not parse: {0}")]
    Book(EngineError),
}

/// The types of account that the program owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccountKind {
    /// The exchange, one a program.
    Exchange,
    /// A market: parameters, funding, insurance, price.
    Market,
    /// A trader account: free collateral and positions.
    Trader,
    /// The queue of one side of a market.
    Queue,
    /// The book of a market.
    Book,
    /// A deleveraging session.
    AdlSession,
    /// A change that waits.
    Staged,
    /// The backstop pool of a market.
    Pool,
    /// Shares of a fund.
    Share,
    /// The stakes behind a market's insurance.
    Stakes,
    /// The protective steps of a trader in a market.
    Protection,
    /// The board of cross margin.
    Board,
    /// The cross queue of one side of a market.
    CrossQueue,
}

impl AccountKind {
    /// Every type.
    pub const ALL: [Self; 13] = [
        Self::Exchange,
        Self::Market,
        Self::Trader,
        Self::Queue,
        Self::Book,
        Self::AdlSession,
        Self::Staged,
        Self::Pool,
        Self::Share,
        Self::Stakes,
        Self::Protection,
        Self::Board,
        Self::CrossQueue,
    ];

    /// The first eight bytes of an account of this type: what to ask a cluster for at offset 0 to
    /// get all of them.
    #[must_use]
    pub const fn discriminator(self) -> [u8; 8] {
        match self {
            Self::Exchange => EXCHANGE_DISCRIMINATOR,
            Self::Market => MARKET_DISCRIMINATOR,
            Self::Trader => TRADER_DISCRIMINATOR,
            Self::Queue => QUEUE_DISCRIMINATOR,
            Self::Book => BOOK_DISCRIMINATOR,
            Self::AdlSession => ADL_SESSION_DISCRIMINATOR,
            Self::Staged => STAGED_DISCRIMINATOR,
            Self::Pool => POOL_DISCRIMINATOR,
            Self::Share => SHARE_DISCRIMINATOR,
            Self::Stakes => STAKES_DISCRIMINATOR,
            Self::Protection => PROTECTION_DISCRIMINATOR,
            Self::Board => BOARD_DISCRIMINATOR,
            Self::CrossQueue => CROSS_QUEUE_DISCRIMINATOR,
        }
    }

    /// The type of the account that holds `data`; `None` when it is none of the program's, or not
    /// written yet.
    #[must_use]
    pub fn of(data: &[u8]) -> Option<Self> {
        let first = data.get(..8)?;
        Self::ALL
            .into_iter()
            .find(|kind| kind.discriminator() == first)
    }

    /// Bytes of every account of this type; `None` for those that come in different sizes.
    #[must_use]
    pub fn size(self) -> Option<usize> {
        match self {
            Self::Exchange => Some(Exchange::SPACE),
            Self::Market => Some(Market::SPACE),
            Self::Trader => Some(Trader::SPACE),
            Self::AdlSession => Some(AdlSession::SPACE),
            Self::Staged => Some(Staged::SPACE),
            Self::Pool => Some(Pool::SPACE),
            Self::Share => Some(Share::SPACE),
            Self::Stakes => Some(Stakes::SPACE),
            Self::Protection => Some(Protection::SPACE),
            Self::Board => Some(CrossBoard::SPACE),
            Self::Queue | Self::Book | Self::CrossQueue => None,
        }
    }
}

/// Decodes the exchange.
pub fn exchange(data: &[u8]) -> Result<Exchange, DecodeError> {
    zero_copy(data, AccountKind::Exchange)
}

/// Decodes a market.
pub fn market(data: &[u8]) -> Result<Market, DecodeError> {
    zero_copy(data, AccountKind::Market)
}

/// Decodes a trader.
pub fn trader(data: &[u8]) -> Result<Trader, DecodeError> {
    zero_copy(data, AccountKind::Trader)
}

/// Decodes a deleveraging session.
pub fn adl_session(data: &[u8]) -> Result<AdlSession, DecodeError> {
    zero_copy(data, AccountKind::AdlSession)
}

/// Decodes a staged change.
pub fn staged(data: &[u8]) -> Result<Staged, DecodeError> {
    zero_copy(data, AccountKind::Staged)
}

/// Decodes a pool.
pub fn pool(data: &[u8]) -> Result<Pool, DecodeError> {
    zero_copy(data, AccountKind::Pool)
}

/// Decodes shares of a fund.
pub fn share(data: &[u8]) -> Result<Share, DecodeError> {
    zero_copy(data, AccountKind::Share)
}

/// Decodes the stakes of a market.
pub fn stakes(data: &[u8]) -> Result<Stakes, DecodeError> {
    zero_copy(data, AccountKind::Stakes)
}

/// Decodes the protective steps of a trader in a market.
pub fn protection(data: &[u8]) -> Result<Protection, DecodeError> {
    zero_copy(data, AccountKind::Protection)
}

/// Decodes the board of cross margin.
pub fn board(data: &[u8]) -> Result<Box<CrossBoard>, DecodeError> {
    zero_copy(data, AccountKind::Board).map(Box::new)
}

/// A copy of a cross queue, aligned so that the engine can read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrossQueueSnapshot {
    words: Vec<u64>,
}

impl CrossQueueSnapshot {
    /// Copies the data of a cross queue.
    pub fn new(data: &[u8]) -> Result<Self, DecodeError> {
        let words = aligned(strip_discriminator(data, &CROSS_QUEUE_DISCRIMINATOR)?);
        let snapshot = Self { words };
        snapshot.queue()?;
        Ok(snapshot)
    }

    /// The engine's view of the queue.
    pub fn queue(&self) -> Result<CrossQueueRef<'_>, DecodeError> {
        CrossQueueRef::new(bytemuck::cast_slice(&self.words)).map_err(DecodeError::Queue)
    }
}

/// A copy of a queue account, aligned so that the engine can read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueSnapshot {
    words: Vec<u64>,
}

impl QueueSnapshot {
    /// Copies the data of a queue account.
    pub fn new(data: &[u8]) -> Result<Self, DecodeError> {
        let words = aligned(strip_discriminator(data, &QUEUE_DISCRIMINATOR)?);
        let snapshot = Self { words };
        snapshot.queue()?;
        Ok(snapshot)
    }

    /// A queue of nobody: what a market that was closed has.
    ///
    /// # Errors
    /// Never in fact.
    pub fn empty(market: &Pubkey, side: Side) -> Result<Self, DecodeError> {
        let mut words = vec![0; QUEUE_HEADER_SIZE / 8];
        let bytes = bytemuck::cast_slice_mut(&mut words);
        Queue::create(bytes, market.to_bytes(), side).map_err(DecodeError::Queue)?;
        Ok(Self { words })
    }

    /// The engine's view of the queue.
    pub fn queue(&self) -> Result<QueueRef<'_>, DecodeError> {
        QueueRef::new(bytemuck::cast_slice(&self.words)).map_err(DecodeError::Queue)
    }

    /// The queue, to be changed in this copy.
    pub fn queue_mut(&mut self) -> Result<Queue<'_>, DecodeError> {
        Queue::new(bytemuck::cast_slice_mut(&mut self.words)).map_err(DecodeError::Queue)
    }

    /// The account's data without the discriminator.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(&self.words)
    }

    /// [`Self::queue_mut`] where `journal` is told which nodes change, for [`Self::restore`].
    pub fn queue_noting<J: Journal>(&mut self, journal: J) -> Result<Queue<'_, J>, DecodeError> {
        let bytes = bytemuck::cast_slice_mut(&mut self.words);
        Queue::noting(bytes, journal).map_err(DecodeError::Queue)
    }

    /// The same queue with place for `positions` more, as a longer account has it.
    #[must_use]
    pub fn with_room(mut self, positions: usize) -> Self {
        let more = positions.saturating_mul(QUEUE_ENTRY_SIZE / 8);
        self.words.resize(self.words.len() + more, 0);
        self
    }

    /// Becomes `start` again, of which this is a copy that differs in these nodes and in what precedes
    /// them. Where they are so many that it is no more work, everything is copied.
    pub fn restore(&mut self, start: &Self, nodes: &[u32]) {
        const HEADER: usize = QUEUE_HEADER_SIZE / 8;
        const ENTRY: usize = QUEUE_ENTRY_SIZE / 8;
        if self.words.len() != start.words.len()
            || nodes.len().saturating_mul(ENTRY) >= start.words.len()
        {
            self.words.clone_from(&start.words);
            return;
        }
        let mut copy = |from: usize, length: usize| {
            let place = from..from.saturating_add(length);
            if let (Some(to), Some(from)) =
                (self.words.get_mut(place.clone()), start.words.get(place))
            {
                to.copy_from_slice(from);
            }
        };
        copy(0, HEADER);
        for node in nodes.iter().filter_map(|node| usize::try_from(*node).ok()) {
            copy(node.saturating_mul(ENTRY).saturating_add(HEADER), ENTRY);
        }
    }
}

/// A copy of a book account, aligned so that the engine can read it.
#[derive(Clone, Debug)]
pub struct BookSnapshot {
    words: Vec<u64>,
}

impl BookSnapshot {
    /// Copies the data of a book account.
    pub fn new(data: &[u8]) -> Result<Self, DecodeError> {
        let words = aligned(strip_discriminator(data, &BOOK_DISCRIMINATOR)?);
        let snapshot = Self { words };
        snapshot.book()?;
        Ok(snapshot)
    }

    /// A book without orders: what a market that was closed has.
    ///
    /// # Errors
    /// Never in fact.
    pub fn empty(market: &Pubkey) -> Result<Self, DecodeError> {
        let mut words = vec![0; BOOK_HEADER_SIZE / 8];
        let bytes = bytemuck::cast_slice_mut(&mut words);
        Book::create(bytes, market.to_bytes()).map_err(DecodeError::Book)?;
        Ok(Self { words })
    }

    /// The engine's view of the book.
    pub fn book(&self) -> Result<BookRef<'_>, DecodeError> {
        BookRef::new(bytemuck::cast_slice(&self.words)).map_err(DecodeError::Book)
    }

    /// The book, to be changed in this copy.
    pub fn book_mut(&mut self) -> Result<Book<'_>, DecodeError> {
        Book::new(bytemuck::cast_slice_mut(&mut self.words)).map_err(DecodeError::Book)
    }
}

/// The whole words of `body`.
fn aligned(body: &[u8]) -> Vec<u64> {
    let mut words = vec![0_u64; body.len() / 8];
    let length = words.len() * 8;
    bytemuck::cast_slice_mut(&mut words).copy_from_slice(&body[..length]);
    words
}

fn zero_copy<T: Pod>(data: &[u8], kind: AccountKind) -> Result<T, DecodeError> {
    let body = strip_discriminator(data, &kind.discriminator())?;
    let size = core::mem::size_of::<T>();
    match body.get(..size) {
        Some(bytes) => Ok(bytemuck::pod_read_unaligned(bytes)),
        None => Err(DecodeError::TooShort {
            expected: size + 8,
            found: data.len(),
        }),
    }
}

fn strip_discriminator<'a>(data: &'a [u8], expected: &[u8]) -> Result<&'a [u8], DecodeError> {
    let (discriminator, body) = data.split_at_checked(8).ok_or(DecodeError::TooShort {
        expected: 8,
        found: data.len(),
    })?;
    if discriminator != expected {
        return Err(DecodeError::WrongType);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_engine::queue::{Queue, QUEUE_HEADER_SIZE};
    use ballast_engine::units::Side;
    use bytemuck::Zeroable;

    #[test]
    fn a_trader_is_read_from_unaligned_bytes() {
        let mut expected = Trader::zeroed();
        expected.free = -7;
        let mut data = TRADER_DISCRIMINATOR.to_vec();
        data.extend(bytemuck::bytes_of(&expected));
        assert_eq!(trader(&data).map(|trader| trader.free), Ok(-7));
        data.insert(0, 0);
        assert_eq!(trader(&data[1..]).map(|trader| trader.free), Ok(-7));
    }

    #[test]
    fn a_type_is_told_by_its_first_bytes() {
        for kind in AccountKind::ALL {
            let mut data = kind.discriminator().to_vec();
            assert_eq!(AccountKind::of(&data), Some(kind));
            data.push(1);
            assert_eq!(AccountKind::of(&data), Some(kind));
            assert_eq!(AccountKind::of(&data[..7]), None);
        }
        assert_eq!(AccountKind::of(&[0; 8]), None);
        let mut data = AccountKind::Market.discriminator().to_vec();
        data.resize(AccountKind::Market.size().unwrap(), 0);
        assert!(market(&data).is_ok());
    }

    #[test]
    fn other_types_and_short_data_are_refused() {
        let mut data = MARKET_DISCRIMINATOR.to_vec();
        assert_eq!(trader(&data).err(), Some(DecodeError::WrongType));
        data.extend([0; 40]);
        let expected = 8 + core::mem::size_of::<Market>();
        let found = data.len();
        assert_eq!(
            market(&data).err(),
            Some(DecodeError::TooShort { expected, found })
        );
        assert!(matches!(
            exchange(&data[..7]).err(),
            Some(DecodeError::TooShort { .. })
        ));
    }

    #[test]
    fn a_queue_is_read_from_unaligned_bytes() {
        let mut words = vec![0_u64; (QUEUE_HEADER_SIZE + 104 * 3) / 8];
        Queue::create(bytemuck::cast_slice_mut(&mut words), [5; 32], Side::Short).unwrap();
        let mut data = QUEUE_DISCRIMINATOR.to_vec();
        data.extend(bytemuck::cast_slice::<u64, u8>(&words));
        data.insert(0, 0);
        let snapshot = QueueSnapshot::new(&data[1..]).unwrap();
        let queue = snapshot.queue().unwrap();
        assert_eq!(
            (queue.side(), queue.capacity(), queue.len()),
            (Side::Short, 3, 0)
        );
        data[30] = 9;
        data.truncate(60);
        assert!(QueueSnapshot::new(&data[1..]).is_err());
        assert_eq!(
            QueueSnapshot::new(&[0; 200]).err(),
            Some(DecodeError::WrongType)
        );
    }
}
