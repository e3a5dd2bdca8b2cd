//! Figures for Prometheus.

use ballast_rpc::memory::resident_bytes;
use prometheus::{
    Encoder, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};
use strum::VariantNames;

use crate::evaluate::{Counts, Task};

/// The kind of a transaction that sweeps insurance.
pub const SWEEP_INSURANCE: &str = "sweep_insurance";
/// The kind of a transaction that releases held profit.
pub const RELEASE_PROFIT: &str = "release_profit";
/// The kind of a transaction that witnesses a change of price source.
pub const WITNESS_ORACLE: &str = "witness_oracle";
/// The kind of a transaction that creates or extends the lookup table.
pub const LOOKUP_TABLE: &str = "lookup_table";

/// Kinds of transactions, as the label `kind` has them.
fn kinds() -> impl Iterator<Item = &'static str> {
    let others = [
        SWEEP_INSURANCE,
        RELEASE_PROFIT,
        WITNESS_ORACLE,
        LOOKUP_TABLE,
    ];
    Task::VARIANTS.iter().copied().chain(others)
}

/// Every figure the keeper states about itself.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    /// Transactions sent, by kind.
    pub sent: IntCounterVec,
    /// Those that landed and did what they should.
    pub won: IntCounterVec,
    /// Those that came too late: somebody else had done it.
    pub lost: IntCounterVec,
    /// Those that the program or the runtime refused for another reason.
    pub failed: IntCounterVec,
    /// Those that expired before they landed.
    pub expired: IntCounterVec,
    /// Jobs found needless or impossible when their accounts were read, by kind.
    pub idle: IntCounterVec,
    /// What the keeper's trader account got by them, atoms, by kind.
    pub income: IntCounterVec,
    /// Free collateral of the keeper's trader account, atoms.
    pub collateral: IntGauge,
    /// Time to judge all positions of a market.
    pub evaluation_seconds: Histogram,
    /// From hearing a price to sending the first transaction that follows from it.
    pub price_to_sent: Histogram,
    /// Open positions in memory, by market.
    pub positions: IntGaugeVec,
    /// Positions below maintenance, by market.
    pub unhealthy: IntGaugeVec,
    /// Positions with negative equity, by market.
    pub bankrupt: IntGaugeVec,
    /// Sum of their deficits, by market.
    pub deficit: IntGaugeVec,
    /// 1 while the price may not be used to liquidate, by market.
    pub blocked: IntGaugeVec,
    /// Number of the mode, by market: 0 active, 1 reduce-only, 2 settling, 3 settled.
    pub mode: IntGaugeVec,
    /// Seconds until the market ends, by market.
    pub ends_in: IntGaugeVec,
    /// Age of the price, by market.
    pub price_age: IntGaugeVec,
    /// The newest slot.
    pub slot: IntGauge,
    /// Slots by which the websocket is behind the node.
    pub slot_lag: IntGauge,
    /// Whether the websocket is open.
    pub websocket: IntGauge,
    /// How often it was lost.
    pub reconnects: IntCounter,
    /// Whether accounts are polled.
    pub polling: IntGauge,
    /// How often all trader accounts were read.
    pub resyncs: IntCounter,
    /// Requests to the node.
    pub rpc_requests: IntGauge,
    /// Those that failed.
    pub rpc_errors: IntGauge,
    /// What the wallet holds.
    pub wallet: IntGauge,
    /// Transactions under way.
    pub in_flight: IntGauge,
    /// Subjects that wait after a failure.
    pub waiting: IntGauge,
    /// Other keepers that are counted with.
    pub other_keepers: IntGauge,
    /// Addresses in the lookup table.
    pub table: IntGauge,
    /// Resident memory.
    pub memory: IntGauge,
    /// Memory that the positions take.
    pub positions_memory: IntGauge,
}

struct Maker<'a>(&'a Registry);

impl Maker<'_> {
    fn counter(&self, name: &str, help: &str) -> prometheus::Result<IntCounter> {
        let made = IntCounter::with_opts(options(name, help))?;
        self.0.register(Box::new(made.clone()))?;
        Ok(made)
    }

    fn gauge(&self, name: &str, help: &str) -> prometheus::Result<IntGauge> {
        let made = IntGauge::with_opts(options(name, help))?;
        self.0.register(Box::new(made.clone()))?;
        Ok(made)
    }

    fn by_market(&self, name: &str, help: &str) -> prometheus::Result<IntGaugeVec> {
        let made = IntGaugeVec::new(options(name, help), &["market"])?;
        self.0.register(Box::new(made.clone()))?;
        Ok(made)
    }

    /// Each kind is there from the start, so that a rate over it exists.
    fn by_kind(&self, name: &str, help: &str) -> prometheus::Result<IntCounterVec> {
        let made = IntCounterVec::new(options(name, help), &["kind"])?;
        for kind in kinds() {
            made.with_label_values(&[kind]);
        }
        self.0.register(Box::new(made.clone()))?;
        Ok(made)
    }

    fn histogram(&self, name: &str, help: &str, first: f64) -> prometheus::Result<Histogram> {
        let buckets = prometheus::exponential_buckets(first, 2.0, 16)?;
        let made = Histogram::with_opts(HistogramOpts::from(options(name, help)).buckets(buckets))?;
        self.0.register(Box::new(made.clone()))?;
        Ok(made)
    }
}

fn options(name: &str, help: &str) -> Opts {
    Opts::new(format!("ballast_keeper_{name}"), help)
}

impl Metrics {
    /// All figures, at zero.
    ///
    /// # Errors
    /// When a name is taken twice.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let make = Maker(&registry);
        Ok(Self {
            sent: make.by_kind("sent_total", "Transactions sent")?,
            won: make.by_kind("won_total", "Transactions that landed and did it")?,
            lost: make.by_kind(
                "lost_total",
                "Transactions that somebody else was faster than",
            )?,
            failed: make.by_kind("failed_total", "Transactions refused for another reason")?,
            expired: make.by_kind(
                "expired_total",
                "Transactions that expired before they landed",
            )?,
            idle: make.by_kind("idle_total", "Jobs that turned out needless or impossible")?,
            income: make.by_kind(
                "income_atoms_total",
                "What the trader account got by transactions that landed",
            )?,
            collateral: make.gauge(
                "collateral_atoms",
                "Free collateral of the trader account; -1 while it is not known",
            )?,
            evaluation_seconds: make.histogram(
                "evaluation_seconds",
                "Time to judge all positions of a market",
                0.000_05,
            )?,
            price_to_sent: make.histogram(
                "price_to_sent_milliseconds",
                "From hearing a price to sending the first transaction that follows",
                1.0,
            )?,
            positions: make.by_market("positions", "Open positions in memory")?,
            unhealthy: make.by_market("unhealthy_positions", "Positions below maintenance")?,
            bankrupt: make.by_market("bankrupt_positions", "Positions with negative equity")?,
            deficit: make.by_market("deficit_atoms", "Sum of the deficits of the bankrupt")?,
            blocked: make.by_market(
                "price_blocked",
                "1 while the price may not be used to liquidate",
            )?,
            mode: make.by_market(
                "market_mode",
                "0 active, 1 reduce-only, 2 settling, 3 settled",
            )?,
            ends_in: make.by_market(
                "market_ends_in_seconds",
                "Seconds until the market ends; -1 where no end is foreseen",
            )?,
            price_age: make.by_market("price_age_seconds", "Age of the price; -1 without one")?,
            slot: make.gauge("slot", "The newest slot heard of")?,
            slot_lag: make.gauge(
                "slot_lag",
                "Slots by which the websocket is behind the node",
            )?,
            websocket: make.gauge("websocket_connected", "1 while the websocket is open")?,
            reconnects: make.counter("reconnects_total", "Times the websocket was lost")?,
            polling: make.gauge("polling", "1 while accounts are polled")?,
            resyncs: make.counter("resyncs_total", "Times all trader accounts were read")?,
            rpc_requests: make
                .gauge("rpc_requests", "Requests made to the node since the start")?,
            rpc_errors: make.gauge("rpc_errors", "Requests that failed since the start")?,
            wallet: make.gauge("wallet_lamports", "What the wallet holds")?,
            in_flight: make.gauge("in_flight", "Transactions under way")?,
            waiting: make.gauge("waiting", "Positions that wait after a failure")?,
            other_keepers: make.gauge("other_keepers", "Other keepers that are counted with")?,
            table: make.gauge("lookup_table_addresses", "Addresses in the lookup table")?,
            memory: make.gauge("resident_memory_bytes", "Resident memory of the process")?,
            positions_memory: make.gauge("positions_memory_bytes", "Memory the positions take")?,
            registry,
        })
    }

    /// States how a market's positions stand.
    pub fn market(&self, index: u16, counts: &Counts, blocked: bool) {
        let index = index.to_string();
        let label = [index.as_str()];
        self.unhealthy
            .with_label_values(&label)
            .set(whole(counts.below_maintenance));
        self.bankrupt
            .with_label_values(&label)
            .set(whole(counts.bankrupt));
        let deficit = i64::try_from(counts.deficit_atoms).unwrap_or(i64::MAX);
        self.deficit.with_label_values(&label).set(deficit);
        self.blocked
            .with_label_values(&label)
            .set(i64::from(blocked));
    }

    /// Sum of a counter over all kinds.
    #[must_use]
    pub fn total(&self, counter: &IntCounterVec) -> u64 {
        kinds()
            .map(|kind| counter.with_label_values(&[kind]).get())
            .sum()
    }

    /// In the text format of Prometheus.
    ///
    /// # Errors
    /// When a figure cannot be written.
    pub fn text(&self) -> prometheus::Result<String> {
        self.memory.set(resident_bytes().unwrap_or(0));
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        String::from_utf8(text).map_err(|error| prometheus::Error::Msg(error.to_string()))
    }
}

/// A count as a gauge takes it.
#[must_use]
pub fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_stated_from_the_start() {
        let text = Metrics::new().unwrap().text().unwrap();
        for kind in kinds() {
            for name in ["sent", "won", "lost", "failed", "expired", "idle"] {
                let line = format!("ballast_keeper_{name}_total{{kind=\"{kind}\"}} 0");
                assert!(text.lines().any(|found| found == line), "{line}");
            }
        }
    }

    #[test]
    fn figures_are_rendered_as_they_were_set() {
        let metrics = Metrics::new().unwrap();
        metrics.sent.with_label_values(&["liquidate"]).inc();
        metrics.price_to_sent.observe(3.0);
        let counts = Counts {
            below_maintenance: 4,
            bankrupt: 2,
            deficit_atoms: 9,
            ..Counts::default()
        };
        metrics.market(5, &counts, true);
        let text = metrics.text().unwrap();
        for line in [
            "ballast_keeper_sent_total{kind=\"liquidate\"} 1",
            "ballast_keeper_price_to_sent_milliseconds_bucket{le=\"2\"} 0",
            "ballast_keeper_price_to_sent_milliseconds_bucket{le=\"4\"} 1",
            "ballast_keeper_unhealthy_positions{market=\"5\"} 4",
            "ballast_keeper_bankrupt_positions{market=\"5\"} 2",
            "ballast_keeper_deficit_atoms{market=\"5\"} 9",
            "ballast_keeper_price_blocked{market=\"5\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }

    #[test]
    fn the_documentation_names_every_figure_and_every_kind() {
        let documentation = include_str!("../../../docs/KEEPERS.md");
        let (_, section) = documentation.split_once("## Metrics").unwrap();
        let metrics = Metrics::new().unwrap();
        metrics.market(0, &Counts::default(), false);
        for by_market in [
            &metrics.positions,
            &metrics.price_age,
            &metrics.mode,
            &metrics.ends_in,
        ] {
            by_market.with_label_values(&["0"]).set(1);
        }
        let families = metrics.registry.gather();
        assert!(families.len() > 25);
        let names = families
            .iter()
            .map(|family| family.name().replace("ballast_keeper_", ""));
        for name in names.chain(kinds().map(str::to_owned)) {
            assert!(section.contains(&format!("`{name}`")), "{name}");
        }
    }
}
