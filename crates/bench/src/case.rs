//! One transaction with a book to measure, and what its figure is called.

use anyhow::Result;
use ballast_sandbox::TxResult;

use crate::book_venue::{BookVenue, Did};
use crate::books::DEEPEST;

/// Prepares a floor and sends what is measured.
pub type Act = Box<dyn Fn(&mut BookVenue) -> Result<TxResult>>;

/// One transaction to measure.
pub struct Case {
    /// Instruction and shape.
    pub name: String,
    /// The shape in words.
    pub words: String,
    /// What it must have done.
    pub did: Did,
    /// Prepares a floor and sends what is measured.
    pub act: Act,
}

impl Case {
    /// A transaction called `name`, said in `words`, that must have done `did`.
    pub fn new(
        name: &str,
        words: &str,
        did: Did,
        act: impl Fn(&mut BookVenue) -> Result<TxResult> + 'static,
    ) -> Self {
        Self {
            name: name.to_owned(),
            words: words.to_owned(),
            did,
            act: Box::new(act),
        }
    }
}

/// Makers in words.
pub fn maker_words(makers: usize) -> String {
    match makers {
        1 => "1 maker".to_owned(),
        makers => format!("{makers} makers"),
    }
}

/// The last part of the name of a figure measured in such a book.
pub fn book_name(orders: u32) -> String {
    format!("book-{orders:06}")
}

/// The same in the deepest book, with accounts whose sixteen positions are all in use.
pub fn crowded_name() -> String {
    format!("{}-crowded", book_name(DEEPEST))
}
