//! A line of a trader account's history.

use std::collections::BTreeMap;

use anchor_lang::prelude::Pubkey;
use ballast_state::market::Market;
use clap::ValueEnum;
use serde::Serialize;

use crate::cluster::state::name_of;
use crate::cluster::units::{Collateral, Units};

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Kind {
    /// Lots bought or sold, in the book or by a block trade.
    Fill,
    /// Funding paid or received.
    Funding,
    /// A forced reduction of a position below maintenance.
    Liquidation,
    /// A forced reduction against a bankrupt position, or of the bankrupt position itself.
    Deleveraging,
    /// A position paid out in a market that has ended.
    Settlement,
    /// Collateral in or out.
    Transfer,
    /// Margin added to or removed from a position.
    Margin,
    /// Profit that a market held or released.
    HeldProfit,
    /// An order placed, cancelled or removed.
    Order,
    /// A stop-loss or take-profit set or cleared.
    Trigger,
    /// The trader account opened, closed or delegated.
    Account,
    /// Shares of a pool, or of the stakes behind insurance, bought, requested or paid.
    Shares,
}

impl Kind {
    /// Its name in JSON and CSV.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Whether somebody else made it happen.
    pub const fn is_forced(self) -> bool {
        matches!(
            self,
            Self::Liquidation | Self::Deleveraging | Self::Settlement
        )
    }
}

/// A line of the history.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Unix seconds, where the node knows.
    pub time: Option<i64>,
    /// Slot of the transaction.
    pub slot: u64,
    /// Its signature.
    pub signature: String,
    /// What the line is about.
    pub kind: Kind,
    /// Number of the market, where there is one.
    pub market_index: Option<u16>,
    /// Its name.
    pub market: Option<String>,
    /// `buy` or `sell`, where lots changed hands.
    pub side: Option<&'static str>,
    /// Lots that changed hands.
    pub lots: Option<u64>,
    /// The same in base units.
    pub size: Option<String>,
    /// At this price on average, quote currency per base unit.
    pub price: Option<String>,
    /// Profit or loss of what was closed, where the event tells.
    pub realized_atoms: Option<i64>,
    /// What was paid as a fee or penalty; negative received.
    pub fee_atoms: Option<i64>,
    /// Funding paid; negative received.
    pub funding_atoms: Option<i64>,
    /// What came to free collateral, or to the owner of shares; negative what left it.
    pub amount_atoms: Option<i64>,
    /// Profit given up against the mark by a forced reduction.
    pub gave_up_atoms: Option<u64>,
    /// The line in a sentence.
    pub text: String,
}

/// A market as lines name it.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its number.
    pub index: u16,
    /// Its name.
    pub name: String,
    /// What lots and ticks are.
    pub units: Units,
}

/// How amounts and markets are named.
#[derive(Clone, Debug)]
pub struct Naming {
    /// The quote currency.
    pub collateral: Collateral,
    markets: BTreeMap<Pubkey, Named>,
}

impl Naming {
    /// With all markets of an exchange.
    pub fn new(collateral: Collateral, markets: &[(Pubkey, Market)]) -> Self {
        let named = markets.iter().map(|(address, market)| {
            let named = Named {
                index: market.index,
                name: name_of(market),
                units: Units::new(&market.oracle, collateral.decimals),
            };
            (*address, named)
        });
        Self {
            collateral,
            markets: named.collect(),
        }
    }

    /// A market.
    pub fn market(&self, address: &Pubkey) -> Option<&Named> {
        self.markets.get(address)
    }

    /// An amount for people.
    pub fn atoms(&self, atoms: i64) -> String {
        self.collateral.show(atoms.into())
    }
}

/// Where an entry comes from.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Unix seconds, where the node knows.
    pub time: Option<i64>,
    /// Slot of the transaction.
    pub slot: u64,
    /// Its signature.
    pub signature: &'a str,
}

impl Source<'_> {
    /// A line without figures.
    pub fn line(self, kind: Kind, text: String) -> Entry {
        Entry {
            time: self.time,
            slot: self.slot,
            signature: self.signature.to_owned(),
            kind,
            market_index: None,
            market: None,
            side: None,
            lots: None,
            size: None,
            price: None,
            realized_atoms: None,
            fee_atoms: None,
            funding_atoms: None,
            amount_atoms: None,
            gave_up_atoms: None,
            text,
        }
    }

    /// A line about a market.
    pub fn in_market(self, kind: Kind, market: &Named, text: String) -> Entry {
        Entry {
            market_index: Some(market.index),
            market: Some(market.name.clone()),
            ..self.line(kind, text)
        }
    }
}

impl Entry {
    /// With lots that changed hands: signed, positive bought, for so much quote in all.
    pub fn trading(mut self, market: &Named, lots: i64, quote: u64) -> Self {
        let count = lots.unsigned_abs();
        self.side = Some(if lots > 0 { "buy" } else { "sell" });
        self.lots = Some(count);
        self.size = Some(market.units.size(count));
        self.price = (count > 0).then(|| market.units.show_average(quote, count));
        self
    }
}

/// `bought` or `sold`.
pub const fn done(lots: i64) -> &'static str {
    if lots > 0 {
        "bought"
    } else {
        "sold"
    }
}
