//! The order book account of a market.
//!
//! A book is a plain account, created at top level by whoever prepares the market and handed over
//! with every byte zero. It holds the discriminator, then the engine's book.

use core::cell::Cell;

use anchor_lang::prelude::*;
use ballast_engine::{
    book::{
        self, book_size, Book, BookHeader, BookRef, Changes, Impact, BOOK_HEADER_SIZE, BOOK_VERSION,
    },
    units::{LotPrice, Side},
};
use ballast_state::{
    book_account::{BOOK_DISCRIMINATOR, MIN_BOOK_ORDERS},
    error::BallastError,
    market::Market,
};

use crate::error::{err, error, require, require_keys_eq, OrBallast};

/// The book account of a market, checked.
pub struct MarketBook<'a, 'info> {
    account: &'a AccountInfo<'info>,
    /// Changes that are not in the market's impact prices yet.
    changes: Cell<Changes>,
}

impl<'a, 'info> MarketBook<'a, 'info> {
    /// Checks the account: key, owner, writable.
    ///
    /// # Errors
    /// `WrongBook`, `BookNotOwned`, `BookNotWritable`.
    pub fn load(market: &Market, account: &'a AccountInfo<'info>) -> Result<Self> {
        require_keys_eq!(*account.key, market.book, BallastError::WrongBook);
        require_keys_eq!(*account.owner, crate::ID, BallastError::BookNotOwned);
        require!(account.is_writable, BallastError::BookNotWritable);
        Ok(Self {
            account,
            changes: Cell::new(Changes::NONE),
        })
    }

    /// Runs `body` on the book.
    ///
    /// # Errors
    /// `BookLayout`; those of `body`.
    pub fn write<R>(&self, body: impl FnOnce(&mut Book<'_>) -> Result<R>) -> Result<R> {
        let mut data = self.account.try_borrow_mut_data()?;
        let mut book = Book::new(body_of(&mut data)?).or_ballast()?;
        let result = body(&mut book)?;
        self.changes.set(self.changes.get().and(book.changes()));
        Ok(result)
    }

    /// The book of `market` among `listed`, found by the market that it names: a book account names a
    /// market only because that was created over it.
    ///
    /// # Errors
    /// `WrongBook` when it is not there; `BookNotWritable`.
    pub fn listed(market: &Pubkey, listed: &'a [AccountInfo<'info>]) -> Result<Self> {
        for account in listed {
            if *account.owner == crate::ID && names(&account.try_borrow_data()?, market) {
                require!(account.is_writable, BallastError::BookNotWritable);
                return Ok(Self {
                    account,
                    changes: Cell::new(Changes::NONE),
                });
            }
        }
        err!(BallastError::WrongBook)
    }

    /// Brings the book further towards today's layout, looking at up to `most` nodes; the versions
    /// before and after.
    ///
    /// # Errors
    /// `BookLayout`.
    pub fn migrate(&self, most: u32) -> Result<(u32, u32)> {
        let mut data = self.account.try_borrow_mut_data()?;
        let bytes = body_of(&mut data)?;
        let before = version(bytes);
        book::migrate(bytes, most).or_ballast()?;
        Ok((before, version(bytes)))
    }

    /// Whether the book is of today's layout.
    ///
    /// # Errors
    /// Those of the runtime.
    pub fn is_current(&self) -> Result<bool> {
        let data = self.account.try_borrow_data()?;
        let bytes = data.get(BOOK_DISCRIMINATOR.len()..);
        Ok(bytes.map(version) == Some(BOOK_VERSION))
    }

    /// Runs `body` on the book, read only.
    ///
    /// # Errors
    /// `BookLayout`; those of `body`.
    pub fn read<R>(&self, body: impl FnOnce(&BookRef<'_>) -> Result<R>) -> Result<R> {
        let data = self.account.try_borrow_data()?;
        let bytes = data
            .strip_prefix(&BOOK_DISCRIMINATOR)
            .ok_or_else(|| error!(BallastError::BookLayout))?;
        body(&BookRef::new(bytes).or_ballast()?)
    }

    /// Price of the best order of `side`; none when there is no order.
    ///
    /// # Errors
    /// `BookLayout`.
    pub fn best_price(&self, side: Side) -> Result<Option<LotPrice>> {
        self.read(|book| match book.best(side).or_ballast()? {
            Some(node) => Ok(Some(book.order(node).or_ballast()?.price())),
            None => Ok(None),
        })
    }

    /// Records what the changes made through this value did to the impact prices of the book, from
    /// which funding takes its premium. Every instruction that changes the book does so after its
    /// change, having accrued before it.
    ///
    /// # Errors
    /// `BookLayout`, `Overflow`.
    #[inline(never)]
    pub fn refresh_impact(&self, market: &mut Market) -> Result<()> {
        let changes = self.changes.replace(Changes::NONE);
        if market.params().impact_notional_atoms == 0 || changes == Changes::NONE {
            // Without a notional there are no impact prices, and those recorded are none.
            return Ok(());
        }
        self.read(|book| {
            for side in [Side::Long, Side::Short] {
                let sampling = market.sampling()?;
                let impact = book.impact_after(&changes, side, &sampling).or_ballast()?;
                if let Impact::Now(price) = impact {
                    market.store_impact(side, price);
                }
            }
            Ok(())
        })
    }

    /// Records the impact prices of the book as it stands, for a market whose impact notional may
    /// have changed.
    ///
    /// # Errors
    /// `BookLayout`, `Overflow`.
    pub fn record_impact(&self, market: &mut Market) -> Result<()> {
        self.read(|book| {
            for side in [Side::Long, Side::Short] {
                let price = book.impact_price(side, &market.sampling()?).or_ballast()?;
                market.store_impact(side, price);
            }
            Ok(())
        })
    }
}

/// What follows the discriminator of a book.
fn body_of(data: &mut [u8]) -> Result<&mut [u8]> {
    let (discriminator, bytes) = data
        .split_at_mut_checked(BOOK_DISCRIMINATOR.len())
        .ok_or_else(|| error!(BallastError::BookLayout))?;
    require!(
        *discriminator == BOOK_DISCRIMINATOR,
        BallastError::BookLayout
    );
    Ok(bytes)
}

fn header(bytes: &[u8]) -> Option<&BookHeader> {
    bytemuck::try_from_bytes(bytes.get(..BOOK_HEADER_SIZE)?).ok()
}

fn version(bytes: &[u8]) -> u32 {
    header(bytes).map_or(0, |header| header.version)
}

/// Whether the account with these bytes is the book of `market`, of any version.
fn names(data: &[u8], market: &Pubkey) -> bool {
    let header = data.strip_prefix(&BOOK_DISCRIMINATOR).and_then(header);
    header.is_some_and(|header| header.market == market.to_bytes())
}

/// Takes over a new book account. The runtime hands an account to a program only with every byte
/// zero, so a zero discriminator and header mean that nothing has been written since.
///
/// # Errors
/// `BookNotOwned`, `BookNotWritable`, `BookTooSmall`, `BookNotRentExempt`, `BookNotZeroed`.
pub fn create(account: &AccountInfo, market: &Pubkey) -> Result<()> {
    require_keys_eq!(*account.owner, crate::ID, BallastError::BookNotOwned);
    require!(account.is_writable, BallastError::BookNotWritable);
    require!(
        Rent::get()?.is_exempt(account.lamports(), account.data_len()),
        BallastError::BookNotRentExempt
    );
    initialize(&mut account.try_borrow_mut_data()?, market)
}

fn initialize(data: &mut [u8], market: &Pubkey) -> Result<()> {
    let (discriminator, bytes) = data
        .split_at_mut_checked(BOOK_DISCRIMINATOR.len())
        .ok_or_else(|| error!(BallastError::BookTooSmall))?;
    let least = book_size(MIN_BOOK_ORDERS).ok_or_else(|| error!(BallastError::Overflow))?;
    require!(bytes.len() >= least, BallastError::BookTooSmall);
    let (header, _) = bytes
        .split_at_checked(BOOK_HEADER_SIZE)
        .ok_or_else(|| error!(BallastError::BookTooSmall))?;
    require!(
        discriminator.iter().chain(header).all(|byte| *byte == 0),
        BallastError::BookNotZeroed
    );
    discriminator.copy_from_slice(&BOOK_DISCRIMINATOR);
    Book::create(bytes, market.to_bytes()).or_ballast()
}

#[cfg(test)]
mod tests {
    use ballast_engine::book::{NewOrder, OwnOrders};
    use bytemuck::Zeroable;

    use super::*;

    const BOOK: Pubkey = Pubkey::new_from_array([1; 32]);
    const MARKET: Pubkey = Pubkey::new_from_array([2; 32]);
    const WORDS: usize = 1_000;

    fn market() -> Market {
        Market {
            book: BOOK,
            ..Market::zeroed()
        }
    }

    fn bytes(words: &mut [u64]) -> &mut [u8] {
        bytemuck::cast_slice_mut(words)
    }

    /// Runs `body` on the book account of [`market`], freshly taken over.
    fn with_book(body: impl for<'a> FnOnce(&AccountInfo<'a>)) {
        let (mut words, mut lamports) = (vec![0_u64; WORDS], 1);
        initialize(bytes(&mut words), &MARKET).unwrap();
        let data = bytes(&mut words);
        let account = AccountInfo::new(&BOOK, false, true, &mut lamports, data, &crate::ID, false);
        body(&account);
    }

    fn order(side: Side, price: u64, lots: u64) -> NewOrder {
        NewOrder {
            trader: [3; 32],
            side,
            price: LotPrice::new(price).unwrap(),
            lots,
            margin: 0,
            client_id: 0,
            expires_at: 0,
            reduce_only: false,
        }
    }

    #[test]
    fn what_is_written_is_read() {
        with_book(|account| {
            let book = MarketBook::load(&market(), account).unwrap();
            assert_eq!(book.best_price(Side::Long), Ok(None));
            let mut own = OwnOrders::EMPTY;
            for (side, price) in [(Side::Long, 90), (Side::Long, 95), (Side::Short, 99)] {
                book.write(|book| book.insert(&order(side, price, 4), &mut own).or_ballast())
                    .unwrap();
            }
            let price = |atoms| Ok(Some(LotPrice::new(atoms).unwrap()));
            assert_eq!(book.best_price(Side::Long), price(95));
            assert_eq!(book.best_price(Side::Short), price(99));
            let of = book.read(|book| Ok(book.header().market)).unwrap();
            assert_eq!(of, MARKET.to_bytes());
        });
    }

    #[test]
    fn only_the_markets_own_writable_book_is_loaded() {
        with_book(|account| {
            let refused =
                |market: &Market, account: &AccountInfo| MarketBook::load(market, account).err();
            let error = |error: BallastError| Some(Error::from(error));
            let other = Market {
                book: MARKET,
                ..Market::zeroed()
            };
            assert_eq!(refused(&other, account), error(BallastError::WrongBook));
            let mut read_only = account.clone();
            read_only.is_writable = false;
            assert_eq!(
                refused(&market(), &read_only),
                error(BallastError::BookNotWritable)
            );
            let mut foreign = account.clone();
            foreign.owner = &MARKET;
            assert_eq!(
                refused(&market(), &foreign),
                error(BallastError::BookNotOwned)
            );
        });
    }

    #[test]
    fn a_book_without_its_discriminator_is_not_read() {
        with_book(|account| {
            account.try_borrow_mut_data().unwrap()[0] ^= 1;
            let book = MarketBook::load(&market(), account).unwrap();
            assert_eq!(book.read(|_| Ok(())), Err(BallastError::BookLayout.into()));
            assert_eq!(book.write(|_| Ok(())), Err(BallastError::BookLayout.into()));
        });
    }

    #[test]
    fn a_book_is_taken_over_once_and_zeroed_and_large_enough() {
        let mut words = vec![0_u64; WORDS];
        let data = bytes(&mut words);
        let least = BOOK_DISCRIMINATOR.len() + book_size(MIN_BOOK_ORDERS).unwrap();
        for length in [0, 7, 8, 135, least - 1] {
            assert_eq!(
                initialize(&mut data[..length], &MARKET),
                Err(BallastError::BookTooSmall.into())
            );
        }
        for dirty in [0, 7, 8, 135] {
            data[dirty] = 1;
            assert_eq!(
                initialize(data, &MARKET),
                Err(BallastError::BookNotZeroed.into())
            );
            data[dirty] = 0;
        }
        initialize(&mut data[..least], &MARKET).unwrap();
        assert_eq!(
            initialize(data, &MARKET),
            Err(BallastError::BookNotZeroed.into())
        );
    }
}
