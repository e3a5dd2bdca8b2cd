//! The list of makers that an order, a trigger or a liquidation wants to see.
//!
//! The program looks the makers of the best orders up in the list it is given, so the list
//! only has to be long enough. Spares make up for orders that cannot trade or are gone by
//! the time the transaction lands.

use anchor_lang::prelude::Pubkey;
use ballast_engine::book::BookRef;
use ballast_engine::liquidation::{LiquidationInput, Waterfall};
use ballast_engine::units::{LotPrice, Side};
use ballast_engine::EngineError;

pub use ballast::instructions::matching::MAX_MAKERS;

/// The distinct makers of the best orders on `side`, best first: as far as `lots` and `takes`
/// reach, and `spares` orders more of those that `takes` accepts. `except` is left out: an
/// order never needs its own account. At most [`MAX_MAKERS`].
///
/// # Errors
/// Those of reading a corrupt book.
pub fn makers(
    book: &BookRef<'_>,
    side: Side,
    lots: u64,
    takes: impl Fn(LotPrice) -> bool,
    except: &Pubkey,
    spares: usize,
) -> Result<Vec<Pubkey>, EngineError> {
    let mut listed: Vec<Pubkey> = Vec::new();
    let (mut left, mut spare) = (lots, spares);
    for step in book.iter(side) {
        let (_, order) = step?;
        if !takes(order.price()) || listed.len() == MAX_MAKERS {
            break;
        }
        let maker = Pubkey::new_from_array(order.trader);
        if maker == *except {
            continue;
        }
        if left == 0 {
            let Some(fewer) = spare.checked_sub(1) else {
                break;
            };
            spare = fewer;
        }
        left = left.saturating_sub(order.size());
        if !listed.contains(&maker) {
            listed.push(maker);
        }
    }
    Ok(listed)
}

/// The makers whose orders take lots of a liquidation, in the order of the book. `take_over`
/// as in the instruction.
///
/// # Errors
/// Those of [`Waterfall::begin`].
pub fn liquidation_makers(
    book: &BookRef<'_>,
    victim: &Pubkey,
    input: &LiquidationInput<'_>,
    take_over: bool,
    spares: usize,
) -> Result<Vec<Pubkey>, EngineError> {
    let waterfall = Waterfall::begin(input, take_over)?;
    let takes = |price| waterfall.meets(price);
    let (side, lots) = (waterfall.book_side(), waterfall.left()?);
    makers(book, side, lots, takes, victim, spares)
}
