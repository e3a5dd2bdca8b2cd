//! Figures for Prometheus.

use ballast_rpc::memory::resident_bytes;
use prometheus::{Encoder, Histogram, HistogramOpts, IntCounter, IntGauge, Registry, TextEncoder};

/// Every figure the gateway states about itself.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    /// The newest slot.
    pub slot: IntGauge,
    /// Slot up to which history is final.
    pub final_slot: IntGauge,
    /// 1 while the websocket is open.
    pub websocket: IntGauge,
    /// How often it was lost.
    pub reconnects: IntCounter,
    /// Number of the node that is asked.
    pub node: IntGauge,
    /// Requests to nodes.
    pub rpc_requests: IntGauge,
    /// Those that failed.
    pub rpc_errors: IntGauge,
    /// Transactions stored.
    pub transactions: IntCounter,
    /// Those that were found only when they were final.
    pub repaired: IntCounter,
    /// Those that were taken out again.
    pub withdrawn: IntCounter,
    /// Times that the database refused.
    pub store_errors: IntCounter,
    /// Joins that do not hold.
    pub holes: IntGauge,
    /// 1 when history is complete.
    pub complete: IntGauge,
    /// From an account's change being heard to its messages being sent.
    pub told_seconds: Histogram,
    /// Time to rank a market.
    pub ranking_seconds: Histogram,
    /// HTTP requests answered.
    pub requests: IntCounter,
    /// Those refused because of a limit.
    pub refused: IntCounter,
    /// Connections.
    pub connections: IntGauge,
    /// Subscriptions of websockets and event streams.
    pub listeners: IntGauge,
    /// Messages sent.
    pub messages: IntGauge,
    /// Listeners that were let go because they were too slow.
    pub slow: IntGauge,
    /// Alerts raised and ended.
    pub alerts: IntCounter,
    /// Deliveries that were taken.
    pub delivered: IntCounter,
    /// Deliveries that were given up.
    pub undelivered: IntCounter,
    /// Resident memory, bytes.
    pub memory: IntGauge,
}

struct Maker<'a>(&'a Registry);

impl Maker<'_> {
    fn counter(&self, name: &str, help: &str) -> prometheus::Result<IntCounter> {
        let made = IntCounter::new(format!("ballast_gateway_{name}"), help)?;
        self.0.register(Box::new(made.clone()))?;
        Ok(made)
    }

    fn gauge(&self, name: &str, help: &str) -> prometheus::Result<IntGauge> {
        let made = IntGauge::new(format!("ballast_gateway_{name}"), help)?;
        self.0.register(Box::new(made.clone()))?;
        Ok(made)
    }

    fn seconds(&self, name: &str, help: &str) -> prometheus::Result<Histogram> {
        let steps = vec![
            0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
        ];
        let options = HistogramOpts::new(format!("ballast_gateway_{name}"), help).buckets(steps);
        let made = Histogram::with_opts(options)?;
        self.0.register(Box::new(made.clone()))?;
        Ok(made)
    }
}

impl Metrics {
    /// All of them at zero.
    ///
    /// # Errors
    /// When two have one name.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let make = Maker(&registry);
        Ok(Self {
            slot: make.gauge("slot", "The newest slot that the node told of.")?,
            final_slot: make.gauge("final_slot", "Slot up to which history is final.")?,
            websocket: make.gauge("websocket", "1 while the websocket to the node is open.")?,
            reconnects: make.counter("reconnects_total", "How often the websocket was lost.")?,
            node: make.gauge("node", "Number of the node that is asked, from 0.")?,
            rpc_requests: make.gauge("rpc_requests", "Requests to nodes since the start.")?,
            rpc_errors: make.gauge("rpc_errors", "Requests to nodes that failed.")?,
            transactions: make.counter("transactions_total", "Transactions stored.")?,
            repaired: make.counter(
                "repaired_total",
                "Transactions that were found only when they were final.",
            )?,
            withdrawn: make.counter(
                "withdrawn_total",
                "Transactions taken out again: their fork was given up.",
            )?,
            store_errors: make.counter("store_errors_total", "Times the database refused.")?,
            holes: make.gauge("holes", "Joins of history that do not hold.")?,
            complete: make.gauge("complete", "1 when history is complete.")?,
            told_seconds: make.seconds(
                "told_seconds",
                "From hearing of an account's change to sending its messages.",
            )?,
            ranking_seconds: make.seconds("ranking_seconds", "Time to rank a market.")?,
            requests: make.counter("requests_total", "HTTP requests answered.")?,
            refused: make.counter("refused_total", "Requests refused because of a limit.")?,
            connections: make.gauge("connections", "Open connections.")?,
            listeners: make.gauge(
                "listeners",
                "Subscriptions of websockets and event streams.",
            )?,
            messages: make.gauge("messages", "Messages sent to listeners.")?,
            slow: make.gauge(
                "slow_listeners",
                "Listeners let go because they were too slow.",
            )?,
            alerts: make.counter("alerts_total", "Alerts raised and ended.")?,
            delivered: make.counter("delivered_total", "Deliveries of alerts that were taken.")?,
            undelivered: make.counter(
                "undelivered_total",
                "Deliveries of alerts that were given up.",
            )?,
            memory: make.gauge("memory_bytes", "Resident memory.")?,
            registry,
        })
    }

    /// All of them as Prometheus reads them.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn text(&self) -> prometheus::Result<String> {
        self.memory.set(resident_bytes().unwrap_or(0));
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}
