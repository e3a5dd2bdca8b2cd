//! What waits in the book of a market, by price.

use anyhow::Result;
use ballast_client::amount::truncated_decimal;
use ballast_engine::units::Side;
use ballast_report::table::Table;
use serde::Serialize;

use crate::failure::Computed;
use crate::state::MarketState;

/// A price at which orders wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PriceLevel {
    /// The price, ticks.
    pub price_ticks: u64,
    /// The same as a decimal number.
    pub price: String,
    /// Lots that wait there.
    pub lots: u64,
    /// The same in base units.
    pub size: String,
    /// Orders.
    pub orders: u32,
    /// Lots up to here, from the best price on.
    pub cumulative_lots: u64,
    #[serde(skip)]
    cumulative: String,
}

/// The book of a market as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct BookView {
    market_index: u16,
    market: String,
    slot: u64,
    mark_ticks: Option<u64>,
    mark: Option<String>,
    mark_age_seconds: Option<i64>,
    /// The highest price first.
    pub bids: Vec<PriceLevel>,
    /// The lowest price first.
    pub asks: Vec<PriceLevel>,
    /// Prices at which more waits than is shown: bids and asks.
    more: (usize, usize),
}

impl BookView {
    /// The first `depth` prices of both sides; expired orders do not count.
    pub fn new(state: &MarketState, depth: usize) -> Result<Self> {
        let mark = state.mark_ticks().map(|(ticks, _)| ticks);
        let (bids, more_bids) = levels(state, Side::Long, depth)?;
        let (asks, more_asks) = levels(state, Side::Short, depth)?;
        Ok(Self {
            market_index: state.market.index,
            market: state.name(),
            slot: state.slot,
            mark_ticks: mark,
            mark: mark.map(|ticks| state.units.price(ticks)),
            mark_age_seconds: state.price_age(),
            bids,
            asks,
            more: (more_bids, more_asks),
        })
    }

    /// In words: asks above bids.
    pub fn words(&self, state: &MarketState) -> String {
        let mark = self.mark_ticks.map_or_else(
            || "no price".to_owned(),
            |ticks| {
                format!(
                    "{} ({})",
                    state.units.show_price(ticks),
                    state.price_words()
                )
            },
        );
        let title = format!("{}, mark {mark}", self.market);
        if self.bids.is_empty() && self.asks.is_empty() {
            return format!("{title}\nThe book is empty.");
        }
        let mut table = Table::new(&["", ">price", ">from mark", ">size", ">orders", ">in all"]);
        for (side, levels) in [
            ("ask", self.asks.iter().rev().collect::<Vec<_>>()),
            ("bid", self.bids.iter().collect()),
        ] {
            for level in levels {
                table.row([
                    side.to_owned(),
                    state.units.show_price(level.price_ticks),
                    self.distance(level),
                    state.units.show_size(level.lots),
                    level.orders.to_string(),
                    level.cumulative.clone(),
                ]);
            }
        }
        let mut text = format!("{title}\n{}", table.render());
        if self.more != (0, 0) {
            text.push_str(&format!(
                "\n\nMore waits at {} prices above and {} below: raise --depth.",
                self.more.1, self.more.0
            ));
        }
        text
    }

    /// Distance from the mark as a percentage with its sign.
    fn distance(&self, level: &PriceLevel) -> String {
        let Some(mark) = self.mark_ticks.filter(|mark| *mark > 0) else {
            return "-".to_owned();
        };
        let rise = i128::from(level.price_ticks) - i128::from(mark);
        let bps = rise * 10_000 / i128::from(mark);
        let plus = if bps > 0 { "+" } else { "" };
        format!("{plus}{} %", truncated_decimal(bps, 2, 2))
    }
}

/// The first prices of a side with what waits there, and how many more there are.
fn levels(state: &MarketState, side: Side, depth: usize) -> Result<(Vec<PriceLevel>, usize)> {
    let (units, book) = (state.units, state.book.book()?);
    let mut found: Vec<PriceLevel> = Vec::new();
    let mut cumulative = 0_u64;
    for step in book.iter(side) {
        let (_, order) = step.computed()?;
        if order.has_expired(state.now) {
            continue;
        }
        cumulative = cumulative.saturating_add(order.size());
        let ticks = units.ticks_of(order.price().get());
        match found.last_mut().filter(|level| level.price_ticks == ticks) {
            Some(level) => {
                level.lots = level.lots.saturating_add(order.size());
                level.orders = level.orders.saturating_add(1);
            }
            None => found.push(PriceLevel {
                price_ticks: ticks,
                price: units.price(ticks),
                lots: order.size(),
                size: String::new(),
                orders: 1,
                cumulative_lots: 0,
                cumulative: String::new(),
            }),
        }
        if let Some(level) = found.last_mut() {
            level.size = units.size(level.lots);
            level.cumulative_lots = cumulative;
            level.cumulative = units.show_size(cumulative);
        }
    }
    let more = found.len().saturating_sub(depth);
    found.truncate(depth);
    Ok((found, more))
}
