//! Lines of history as they are shown: amounts, sizes and prices as exact decimal numbers.

use std::collections::BTreeMap;

use ballast_client::amount::decimal;
use ballast_view::units::Units;
use serde::Serialize;
use utoipa::ToSchema;

use crate::gateway::Gateway;
use crate::store::read::{Candle, Stored};

/// How markets are named and measured.
pub struct Names {
    markets: BTreeMap<i64, (String, Units)>,
    decimals: u8,
}

impl Names {
    /// Those of the markets that are shown.
    #[must_use]
    pub fn new(gateway: &Gateway) -> Self {
        let scenes = gateway.scenes();
        let markets = scenes.iter().map(|scene| {
            let state = &scene.state;
            (i64::from(state.market.index), (state.name(), state.units))
        });
        let exchange = gateway.world().exchange();
        Self {
            markets: markets.collect(),
            decimals: exchange.map_or(0, |exchange| exchange.mint_decimals),
        }
    }

    /// A market's units.
    #[must_use]
    pub fn units(&self, market: i64) -> Option<Units> {
        self.markets.get(&market).map(|(_, units)| *units)
    }

    fn atoms(&self, atoms: Option<i64>) -> Option<String> {
        atoms.map(|atoms| decimal(atoms.into(), self.decimals))
    }
}

/// A line of history. Amounts in the quote currency, sizes in base units and prices in quote per base, as decimal
/// strings; which of them a line has depends on its kind.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Row {
    /// Signature of the transaction.
    pub signature: String,
    /// Slot in which it landed.
    pub slot: i64,
    /// Number of the event among those of its transaction.
    pub index: i64,
    /// Number of the line among those of its event.
    pub sub: i64,
    /// Unix seconds, where the node knew.
    pub time: Option<i64>,
    /// Whether the transaction is final; else it is confirmed.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// Where the page after this line goes on: `before`.
    pub cursor: String,
    /// `fill`, `order`, `liquidation`, `deleveraging`, `cut`, `funding`, `transfer`, `parameter`, `insurance`,
    /// `trigger`, `fund` or `other`.
    pub kind: String,
    /// Name of the event in the program's interface.
    pub event: String,
    /// Number of the market.
    pub market_index: Option<i64>,
    /// Its name: text, never markup.
    pub market: Option<String>,
    /// The trader account that it is about.
    pub trader: Option<String>,
    /// The other one: the maker of a fill, a liquidator, the bankrupt of a cut.
    pub other: Option<String>,
    /// `buy` or `sell`, as of `trader`.
    pub side: Option<String>,
    /// Lots.
    pub lots: Option<String>,
    /// The same in base units.
    pub size: Option<String>,
    /// Price, ticks.
    pub price_ticks: Option<String>,
    /// The same as a decimal number; of lots at several prices their average, cut off to a hundredth of a tick.
    pub price: Option<String>,
    /// What the lots were paid.
    pub quote: Option<String>,
    /// Fee of `trader`; negative a rebate.
    pub fee: Option<String>,
    /// Fee of `other`.
    pub other_fee: Option<String>,
    /// What moved: into free collateral (negative out of it), into insurance, profit given up by a cut, the
    /// discount of a liquidation, what an order reserves; of `funding` the rate, millionths an hour.
    pub amount: Option<String>,
    /// Before: lots of a position, atoms of insurance or of the pool of legs, a funding index.
    pub before: Option<String>,
    /// After.
    pub after: Option<String>,
    /// Oracle price.
    pub mark: Option<String>,
    /// Id of an order, a bankruptcy or a staged change.
    pub number: Option<String>,
    /// A word more: `placed`, `cancelled`, `expired`, `block`, `winner` and so on.
    pub detail: Option<String>,
}

impl Row {
    /// Of a line as it is stored.
    #[must_use]
    pub fn new(line: &Stored, names: &Names) -> Self {
        let known = line.market.and_then(|market| names.markets.get(&market));
        let units = known.map(|(_, units)| *units);
        let positive = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
        let price = |ticks: Option<i64>| Some(units?.price(positive(ticks)?));
        let (lots, quote) = (positive(line.lots), positive(line.quote_atoms));
        let average = || match (lots, quote) {
            (Some(lots), Some(quote)) if lots > 0 => Some(units?.average(quote, lots)),
            _ => None,
        };
        let text = |number: Option<i64>| number.map(|number| number.to_string());
        Self {
            signature: line.signature.clone(),
            slot: line.slot,
            index: line.idx,
            sub: line.sub,
            time: line.time,
            is_final: line.is_final,
            cursor: line.position().to_string(),
            kind: line.kind.clone(),
            event: line.event.clone(),
            market_index: line.market,
            market: known.map(|(name, _)| name.clone()),
            trader: line.trader.clone(),
            other: line.other.clone(),
            side: line.side.clone(),
            lots: text(line.lots),
            size: lots.and_then(|lots| Some(units?.size(lots))),
            price_ticks: text(line.price_ticks),
            price: price(line.price_ticks).or_else(average),
            quote: names.atoms(line.quote_atoms),
            fee: names.atoms(line.fee_atoms),
            other_fee: names.atoms(line.other_fee_atoms),
            amount: match line.kind.as_str() {
                "funding" => text(line.amount_atoms),
                _ => names.atoms(line.amount_atoms),
            },
            before: text(line.before),
            after: text(line.after),
            mark: price(line.mark_ticks),
            number: line.number.clone(),
            detail: line.detail.clone(),
        }
    }
}

/// A candle: prices in quote per base, decimal strings.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CandleRow {
    /// When it begins, unix seconds.
    pub time: i64,
    /// First price.
    pub open: String,
    /// Highest.
    pub high: String,
    /// Lowest.
    pub low: String,
    /// Last.
    pub close: String,
    /// Base units traded.
    pub volume: String,
    /// What they were paid.
    pub quote: String,
    /// Fills.
    pub fills: i64,
}

impl CandleRow {
    /// Of a candle as it is stored.
    #[must_use]
    pub fn new(candle: &Candle, units: Units) -> Self {
        let price = |ticks: i64| units.price(u64::try_from(ticks).unwrap_or(0));
        Self {
            time: candle.start,
            open: price(candle.open),
            high: price(candle.high),
            low: price(candle.low),
            close: price(candle.close),
            volume: units.size(u64::try_from(candle.lots).unwrap_or(0)),
            quote: units.collateral.text(candle.quote_atoms.into()),
            fills: candle.fills,
        }
    }
}
