//! What was done, for people and for programs.

use std::fmt::Display;

use serde::Serialize;

/// What a run found and did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Endpoint of the cluster.
    pub cluster: String,
    /// Who signed.
    pub admin: String,
    /// What the run set out to do, in sentences.
    pub plan: Vec<String>,
    /// What was found and done of the exchange.
    pub exchange: ExchangeReport,
    /// The markets of the configuration, in its order.
    pub markets: Vec<MarketReport>,
    /// What was sent, in order.
    pub transactions: Vec<Sent>,
    /// Whether anything was sent.
    pub changed: bool,
}

/// What was found and done of the exchange.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ExchangeReport {
    /// Address of its account, base58.
    pub address: String,
    /// `created` or `unchanged`.
    pub action: &'static str,
    /// Mint of the quote currency.
    pub mint: String,
    /// What differs from the configuration.
    pub differences: Vec<Difference>,
}

/// What was found and done of a market.
#[derive(Clone, Debug, Default, Serialize)]
pub struct MarketReport {
    /// Name in the configuration.
    pub name: String,
    /// `created`, `staged`, `unchanged`, `risk updated` or `risk staged`.
    pub action: &'static str,
    /// Number in the exchange.
    pub index: u16,
    /// Address of its account, base58.
    pub address: String,
    /// Queue of the longs.
    pub queue_long: String,
    /// Queue of the shorts.
    pub queue_short: String,
    /// Order book.
    pub book: String,
    /// Insurance, atoms.
    pub insurance_atoms: u64,
    /// The same in units of the quote currency.
    pub insurance: String,
    /// What differs from the configuration and was not changed.
    pub differences: Vec<Difference>,
}

/// A value that is not as configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Path of the value in the configuration, such as `risk.tiers[0]`.
    pub field: String,
    /// As it is.
    pub on_chain: String,
    /// As configured.
    pub configured: String,
    /// What brings them together; empty when it was done.
    pub remedy: String,
}

/// A transaction that landed.
#[derive(Clone, Debug, Serialize)]
pub struct Sent {
    /// What it did.
    pub what: String,
    /// Signature of the transaction, base58.
    pub signature: String,
}

impl Difference {
    /// The difference, if there is one.
    pub fn between<T: PartialEq + Display>(
        field: String,
        on_chain: T,
        configured: T,
    ) -> Option<Self> {
        (on_chain != configured).then(|| Self {
            field,
            on_chain: on_chain.to_string(),
            configured: configured.to_string(),
            remedy: String::new(),
        })
    }

    /// With what brings them together.
    pub fn with_remedy(self, remedy: String) -> Self {
        Self { remedy, ..self }
    }
}

impl Report {
    /// Whether everything is as configured now.
    pub fn agrees(&self) -> bool {
        self.differences().next().is_none()
    }

    fn differences(&self) -> impl Iterator<Item = (&str, &Difference)> {
        let exchange = self.exchange.differences.iter();
        let markets = self.markets.iter().flat_map(|market| {
            let differences = market.differences.iter();
            differences.map(|difference| (market.name.as_str(), difference))
        });
        exchange
            .map(|difference| ("exchange", difference))
            .chain(markets)
    }

    /// For people.
    pub fn print(&self) {
        println!("cluster   {}", self.cluster);
        let exchange = &self.exchange;
        println!("exchange  {}  {}", exchange.address, exchange.action);
        println!("mint      {}", exchange.mint);
        for market in &self.markets {
            let insurance = &market.insurance;
            println!(
                "{:<9} {}  {}, {insurance} of insurance",
                market.name, market.address, market.action
            );
        }
        for sent in &self.transactions {
            println!("sent      {}: {}", sent.what, sent.signature);
        }
        for (of, difference) in self.differences() {
            let Difference {
                field,
                on_chain,
                configured,
                remedy,
            } = difference;
            println!("differs   {of}: {field} is {on_chain}, configured is {configured}");
            if !remedy.is_empty() {
                println!("          {remedy}");
            }
        }
        if !self.changed {
            println!("Nothing was changed.");
        }
    }
}
