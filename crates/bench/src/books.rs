//! Books of any depth, written by the engine as the program writes them.

use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result};
use ballast_engine::book::{Book, BookRef, NewOrder, OwnOrders};
use ballast_engine::units::{LotPrice, Side};
use ballast_sandbox::Sandbox;
use ballast_state::book_account::BOOK_DISCRIMINATOR;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::population::log_uniform;

/// Orders on either side of a filled book.
pub const BOOKS: [u32; 3] = [10, 1_000, 10_000];
/// The same of the deepest one.
pub const DEEPEST: u32 = BOOKS[BOOKS.len() - 1];
/// Orders a side that a book has room for beyond those it is filled with.
pub const ROOM: u32 = 512;
/// Notional over which funding takes the average price of the book.
pub const IMPACT: u64 = 50_000_000_000;
/// Price band of a market with a filled book, basis points: all of its orders lie within.
pub const BAND_BPS: u32 = 3_000;
/// Seed of the orders of a filled book.
pub const BOOK_SEED: u64 = 3;
/// Distance from the mark at which the orders of a filled book begin, percent.
const NEAREST_PERCENT: u64 = 6;
/// The same at which they end.
const FURTHEST_PERCENT: u64 = 30;
/// Part of its notional that an order of a filled book reserves.
const LEVERAGE: u64 = 20;

/// The body of a book account, aligned as the engine needs it.
pub struct BookBytes {
    words: Vec<u64>,
}

impl BookBytes {
    /// The book of the sandbox at this address.
    pub fn load(sandbox: &Sandbox, address: &Pubkey) -> Result<Self> {
        let account = sandbox.account(address).context("a book account")?;
        let body = account.data.strip_prefix(&BOOK_DISCRIMINATOR);
        let body = body.context("an initialised book account")?;
        let mut words = vec![0_u64; body.len() / 8];
        let length = words.len() * 8;
        bytemuck::cast_slice_mut(&mut words).copy_from_slice(&body[..length]);
        let bytes = Self { words };
        BookRef::new(bytemuck::cast_slice(&bytes.words))?;
        Ok(bytes)
    }

    /// Writes the account at this address.
    pub fn store(&self, sandbox: &mut Sandbox, address: &Pubkey) -> Result<()> {
        let mut account = sandbox.account(address).context("a book account")?;
        account.data = BOOK_DISCRIMINATOR.to_vec();
        account
            .data
            .extend_from_slice(bytemuck::cast_slice(&self.words));
        sandbox.set_account(address, account);
        Ok(())
    }

    /// Adds `orders` of one trader on both sides, whose chain is `own`.
    pub fn give(
        &mut self,
        trader: Pubkey,
        own: &mut OwnOrders,
        mark: LotPrice,
        orders: u32,
    ) -> Result<()> {
        let mut dice = ChaCha8Rng::from_seed(trader.to_bytes());
        for number in 0..orders {
            let side = match number % 2 {
                0 => Side::Long,
                _ => Side::Short,
            };
            let mut order = random_order(&mut dice, side, mark)?;
            order.trader = trader.to_bytes();
            self.insert(&order, own)?;
        }
        Ok(())
    }

    /// Adds an order to a trader's chain.
    fn insert(&mut self, order: &NewOrder, own: &mut OwnOrders) -> Result<()> {
        let mut book = Book::new(bytemuck::cast_slice_mut(&mut self.words))?;
        book.insert(order, own)?;
        Ok(())
    }

    /// Adds `orders` a side, each of a trader of its own, at prices behind the best ones.
    pub fn fill(&mut self, mark: LotPrice, orders: u32, seed: u64) -> Result<()> {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        for _ in 0..orders {
            for side in [Side::Long, Side::Short] {
                let order = random_order(&mut dice, side, mark)?;
                let mut own = OwnOrders::EMPTY;
                self.insert(&order, &mut own)?;
            }
        }
        Ok(())
    }
}

/// An order of a filled book.
fn random_order(dice: &mut ChaCha8Rng, side: Side, mark: LotPrice) -> Result<NewOrder> {
    let mark = mark.get();
    let distance = log_uniform(
        dice,
        mark * NEAREST_PERCENT / 100,
        mark * FURTHEST_PERCENT / 100,
    );
    let price = match side {
        Side::Long => mark - distance,
        Side::Short => mark + distance,
    };
    let lots = log_uniform(dice, 100, 100_000);
    Ok(NewOrder {
        trader: dice.gen(),
        side,
        price: LotPrice::new(price)?,
        lots,
        margin: lots * price / LEVERAGE,
        client_id: 0,
        expires_at: 0,
        reduce_only: false,
    })
}
