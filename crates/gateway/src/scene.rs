//! A market as it is shown: decoded once a change, ranked once a price.

use std::sync::Arc;

use anyhow::Result;
use ballast_engine::units::Side;
use ballast_view::book::BookView;
use ballast_view::digits;
use ballast_view::market::MarketView;
use ballast_view::queue::{QueueView, RankedSide};
use ballast_view::state::MarketState;
use serde::Serialize;
use serde_json::{json, Map, Value};

/// Places of a queue that are told to those who listen.
const TOLD: usize = 20;
/// Prices of a side of the book that are told.
const DEPTH: usize = 100;

/// A market with its ranking.
#[derive(Clone)]
pub struct Scene {
    /// The market.
    pub state: Arc<MarketState>,
    /// Its two sides in order, longs first, and the state that they were ranked of; `None` before the first price.
    pub ranked: Option<Arc<Ranked>>,
}

/// The two sides of a market in order.
pub struct Ranked {
    /// What they were ranked of.
    pub state: Arc<MarketState>,
    /// Longs and shorts.
    pub sides: [RankedSide; 2],
}

impl Ranked {
    /// Ranks both sides.
    ///
    /// # Errors
    /// Before the first price, and when a queue cannot be read.
    pub fn new(state: &Arc<MarketState>) -> Result<Self> {
        Ok(Self {
            sides: [
                RankedSide::new(state, Side::Long)?,
                RankedSide::new(state, Side::Short)?,
            ],
            state: Arc::clone(state),
        })
    }

    /// The queues as they are printed.
    ///
    /// # Errors
    /// When a place cannot be computed.
    pub fn view(&self, top: usize) -> Result<QueueView> {
        QueueView::of(&self.state, &self.sides, top, None)
    }
}

/// A value as JSON in which whole numbers of more than 32 bits are strings.
///
/// # Errors
/// When it cannot be written.
pub fn digits_value(value: &impl Serialize) -> Result<Value> {
    Ok(serde_json::from_str(&digits::json(value)?)?)
}

impl Scene {
    /// What listeners of `market:N` are told.
    ///
    /// # Errors
    /// When a figure cannot be computed.
    pub fn market(&self) -> Result<Value> {
        digits_value(&MarketView::new(&self.state)?)
    }

    /// What listeners of `book:N` are told: sizes by price.
    ///
    /// # Errors
    /// When the book cannot be read.
    pub fn book(&self) -> Result<Value> {
        let book = BookView::new(&self.state, DEPTH)?;
        let levels = |levels: &[ballast_view::book::PriceLevel]| -> Value {
            let levels = levels
                .iter()
                .map(|level| (level.price.clone(), json!(level.size)));
            Map::from_iter(levels).into()
        };
        Ok(json!({"bids": levels(&book.bids), "asks": levels(&book.asks)}))
    }

    /// What listeners of `queue:N` are told: the first places, and how many stand at each light.
    ///
    /// # Errors
    /// When a place cannot be computed.
    pub fn queue(&self) -> Result<Option<Value>> {
        let Some(ranked) = &self.ranked else {
            return Ok(None);
        };
        Ok(Some(digits_value(&ranked.view(TOLD)?)?))
    }
}
