//! `ballast markets` and `ballast market`.

use anyhow::Result;
use ballast_client::amount::grouped;
use ballast_engine::units::Side;
use ballast_report::table::Table;
use ballast_state::exchange::SHORT_DELAY_SLOTS;
pub use ballast_view::market::{Level, MarketView};
use clap::Args;
use serde::Serialize;

use super::failure::Computed;
use super::pauses::paused;
use super::session::Session;
use super::state::{age_words, MarketState, Parts};
use super::units::{percent_of_bps, percent_of_ppm_signed};
use super::wind_down::ModeView;
use super::words::NO_DELAY;

/// Arguments of `market`.
#[derive(Clone, Debug, Args)]
pub struct MarketArgs {
    /// Number, name or address of the market.
    market: String,
}

/// All markets as they are printed.
#[derive(Clone, Debug, Serialize)]
struct MarketsView {
    exchange: String,
    collateral_mint: String,
    collateral_decimals: u8,
    traders: u64,
    paused: Vec<&'static str>,
    risk_delay_slots: u64,
    admin_delay_slots: u64,
    markets: Vec<MarketView>,
}

/// Runs `ballast markets`.
pub async fn list(session: &Session) -> Result<()> {
    let exchange = session.exchange().await?;
    let mut states = Vec::new();
    for (address, market) in session.cluster.markets().await? {
        let state = session.state(&address, &market, exchange.mint_decimals, Parts::Market);
        states.push(state.await?);
    }
    let views: Result<Vec<MarketView>> = states.iter().map(MarketView::new).collect();
    let all = MarketsView {
        exchange: ballast_client::addresses::exchange().to_string(),
        collateral_mint: exchange.collateral_mint.to_string(),
        collateral_decimals: exchange.mint_decimals,
        traders: exchange.trader_count,
        paused: paused(exchange.pauses(session.cluster.clock().await?.slot)),
        risk_delay_slots: exchange.risk_delay_slots,
        admin_delay_slots: exchange.admin_delay_slots,
        markets: views?,
    };
    session.answer(&all, || words(&all, &states))
}

fn words(all: &MarketsView, states: &[MarketState]) -> String {
    let mut table = Table::new(&[
        ">#",
        "market",
        ">price",
        ">age",
        "",
        ">funding/h",
        ">next hour",
        ">open interest",
        ">bid",
        ">ask",
        ">insurance",
        ">may pay",
    ]);
    for (view, state) in all.markets.iter().zip(states) {
        table.row(row(view, state));
    }
    let mut text = table.render();
    if !all.paused.is_empty() {
        text.push_str(&format!("\n\nPaused: {}.", all.paused.join(", ")));
    }
    if all.risk_delay_slots < SHORT_DELAY_SLOTS {
        text.push_str(&format!("\n\n{NO_DELAY}"));
    }
    text
}

fn row(view: &MarketView, state: &MarketState) -> [String; 12] {
    let units = state.units;
    let none = || "-".to_owned();
    let rate = |ppm: Option<i32>| ppm.map_or_else(none, percent_of_ppm_signed);
    let level = |level: &Option<Level>| {
        level
            .as_ref()
            .map_or_else(none, |level| units.show_price(level.ticks))
    };
    [
        view.index.to_string(),
        view.name.clone(),
        view.price_ticks
            .map_or_else(none, |ticks| units.show_price(ticks)),
        view.price_age_seconds.map_or_else(none, age_words),
        match (view.mode, view.price_fault) {
            ("active", fault) => fault.unwrap_or("").replace('_', " "),
            (mode, _) => mode.replace('_', " "),
        },
        rate(view.funding_current_ppm),
        rate(view.funding_next_ppm),
        units.show_size(view.open_interest_lots),
        level(&view.best_bid),
        level(&view.best_ask),
        units.collateral.show(view.insurance_atoms.into()),
        units.collateral.show(view.insurance_available_atoms.into()),
    ]
}

/// A margin bracket as it is printed.
#[derive(Clone, Debug, Serialize)]
struct Tier {
    notional_limit_atoms: u64,
    initial_margin_bps: u32,
    maintenance_margin_bps: u32,
}

/// A market in detail.
#[derive(Clone, Debug, Serialize)]
pub struct MarketDetail {
    #[serde(flatten)]
    market: MarketView,
    price_account: String,
    price_problem: Option<String>,
    queue_long: String,
    queue_short: String,
    book: String,
    tick: String,
    lot: String,
    atoms_per_lot_tick: u64,
    longs: u32,
    shorts: u32,
    queue_capacity: usize,
    bids: u32,
    asks: u32,
    book_capacity: usize,
    taker_fee_bps: u32,
    maker_fee_bps: i32,
    price_band_bps: u32,
    min_position_lots: u64,
    max_position_lots: u64,
    max_open_interest_lots: u64,
    adl_max_close_bps: u32,
    adl_rank_tolerance_bps: u32,
    tiers: Vec<Tier>,
    margin_multiplier_ppm: u32,
    margin_multiplier_max_bps: u16,
    open_interest_lower_bps: u16,
    open_interest_upper_bps: u16,
    fees_atoms: u64,
    bankruptcies: u64,
}

impl MarketDetail {
    /// Of a market's accounts, queues included.
    pub fn new(state: &MarketState) -> Result<Self> {
        let (market, risk) = (&state.market, &state.market.risk);
        let book = state.book.book().map_err(anyhow::Error::from)?;
        let long = state.queue(Side::Long)?.queue()?;
        let short = state.queue(Side::Short)?.queue()?;
        let tiers = risk.active_tiers().computed()?;
        Ok(Self {
            market: MarketView::new(state)?,
            price_account: state.keys.price.to_string(),
            price_problem: state.price_problem(),
            queue_long: state.keys.queue_long.to_string(),
            queue_short: state.keys.queue_short.to_string(),
            book: state.keys.book.to_string(),
            tick: state.units.price(1),
            lot: state.units.size(1),
            atoms_per_lot_tick: state.units.atoms_per_lot_tick,
            longs: long.len(),
            shorts: short.len(),
            queue_capacity: long.capacity().min(short.capacity()),
            bids: book.len(Side::Long),
            asks: book.len(Side::Short),
            book_capacity: book.capacity(),
            taker_fee_bps: risk.taker_fee_bps,
            maker_fee_bps: risk.maker_fee_bps,
            price_band_bps: risk.price_band_bps,
            min_position_lots: risk.min_position_lots,
            max_position_lots: risk.max_position_lots,
            max_open_interest_lots: risk.max_open_interest_lots,
            adl_max_close_bps: risk.adl.max_close_bps,
            adl_rank_tolerance_bps: risk.adl.rank_tolerance_bps,
            tiers: tiers
                .iter()
                .map(|tier| Tier {
                    notional_limit_atoms: tier.notional_limit_atoms,
                    initial_margin_bps: tier.initial_margin_bps,
                    maintenance_margin_bps: tier.maintenance_margin_bps,
                })
                .collect(),
            margin_multiplier_ppm: state.margin_scale().multiplier_ppm,
            margin_multiplier_max_bps: risk.margin_multiplier_max_bps,
            open_interest_lower_bps: risk.open_interest_lower_bps,
            open_interest_upper_bps: risk.open_interest_upper_bps,
            fees_atoms: market.fees_atoms,
            bankruptcies: market.bankruptcy_counter,
        })
    }

    /// In words; several lines.
    pub fn words(&self, state: &MarketState) -> String {
        let title = format!(
            "{} (market {}), {}",
            self.market.name, self.market.index, self.market.market
        );
        let facts = self.facts(state).into_iter();
        let rules = self.rules(state).into_iter();
        let lines = facts
            .chain(rules)
            .map(|(name, text)| format!("  {name:<18}{text}"));
        let all: Vec<String> = core::iter::once(title).chain(lines).collect();
        all.join("\n")
    }

    /// How the market stands.
    fn facts(&self, state: &MarketState) -> Vec<(&'static str, String)> {
        let (units, market) = (state.units, &self.market);
        let atoms = |atoms: u64| units.collateral.show(atoms.into());
        let positions = format!(
            "{} of {}; {} longs, {} shorts, room for {} a side",
            units.show_size(market.open_interest_lots),
            units.show_size(self.max_open_interest_lots),
            self.longs,
            self.shorts,
            self.queue_capacity
        );
        let orders = format!(
            "{} bids, {} asks, room for {} a side",
            self.bids, self.asks, self.book_capacity
        );
        let insurance = format!(
            "{}, of which {} may be paid now",
            atoms(market.insurance_atoms),
            atoms(market.insurance_available_atoms)
        );
        let past = format!(
            "{} liquidation steps, {} bankruptcies, {} rounds of deleveraging",
            grouped(market.liquidations),
            grouped(self.bankruptcies),
            grouped(market.adl_rounds)
        );
        vec![
            ("mode", ModeView::new(state).words()),
            ("price", self.price_words(state)),
            ("price account", self.price_account.clone()),
            ("funding", self.funding_words()),
            ("open interest", positions),
            ("best bid", level_words(&market.best_bid)),
            ("best ask", level_words(&market.best_ask)),
            ("book", orders),
            ("insurance", insurance),
            ("fees collected", atoms(self.fees_atoms)),
            ("so far", past),
        ]
    }

    /// What was set for it.
    fn rules(&self, state: &MarketState) -> Vec<(&'static str, String)> {
        let units = state.units;
        let percent = |bps: u32| percent_of_bps(bps.into());
        let fees = format!(
            "taker {}, maker {}",
            percent(self.taker_fee_bps),
            percent_of_bps(self.maker_fee_bps.into())
        );
        let sizes = format!(
            "{} to {}",
            units.show_size(self.min_position_lots),
            units.show_size(self.max_position_lots)
        );
        let deleveraging = format!(
            "a pass closes at most {} of a counterparty; rank tolerance {}",
            percent(self.adl_max_close_bps),
            percent(self.adl_rank_tolerance_bps)
        );
        let tiers = self.tiers.iter().map(|tier| {
            let text = format!(
                "initial {}, maintenance {} up to {}",
                percent(tier.initial_margin_bps),
                percent(tier.maintenance_margin_bps),
                units.collateral.show(tier.notional_limit_atoms.into())
            );
            ("margin", text)
        });
        let mut rules = vec![
            ("tick, lot", format!("{}, {}", self.tick, self.lot)),
            ("fees", fees),
            ("price band", percent(self.price_band_bps)),
            ("position", sizes),
        ];
        rules.extend(tiers);
        rules.extend(self.scaling());
        rules.push(("deleveraging", deleveraging));
        rules
    }

    /// What scales initial margin, where anything does.
    fn scaling(&self) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        if self.margin_multiplier_max_bps > 0 {
            let text = format!(
                "initial margin is {} of that now, at most {}",
                percent_of_bps(i64::from(self.margin_multiplier_ppm / 100)),
                percent_of_bps(self.margin_multiplier_max_bps.into())
            );
            lines.push(("volatility", text));
        }
        if self.open_interest_upper_bps > 0 {
            let text = format!(
                "initial margin rises from {} of the largest open interest, to the whole notional at {}",
                percent_of_bps(self.open_interest_lower_bps.into()),
                percent_of_bps(self.open_interest_upper_bps.into())
            );
            lines.push(("full market", text));
        }
        lines
    }

    fn price_words(&self, state: &MarketState) -> String {
        let price = self
            .market
            .price_ticks
            .map(|ticks| state.units.show_price(ticks));
        let text = match (price, self.market.price_age_seconds) {
            (Some(price), Some(age)) => format!("{price}, {} old", age_words(age)),
            (Some(price), None) => format!("{price}, the last one recorded"),
            (None, _) => "none".to_owned(),
        };
        match (&self.price_problem, self.market.price_fault) {
            (Some(problem), _) => format!("{text} ({problem})"),
            (None, Some(fault)) => format!("{text} ({}: nothing opens)", fault.replace('_', " ")),
            (None, None) => text,
        }
    }

    fn funding_words(&self) -> String {
        let rate = |ppm: Option<i32>| ppm.map_or_else(|| "-".to_owned(), percent_of_ppm_signed);
        format!(
            "{} this hour, {} the next if nothing changes (longs pay when positive)",
            rate(self.market.funding_current_ppm),
            rate(self.market.funding_next_ppm)
        )
    }
}

fn level_words(level: &Option<Level>) -> String {
    level.as_ref().map_or_else(
        || "none".to_owned(),
        |level| format!("{} x {}", level.price, level.size),
    )
}

/// Runs `ballast market`.
pub async fn show(session: &Session, args: &MarketArgs) -> Result<()> {
    let state = session.market(&args.market, Parts::Queues).await?;
    let detail = MarketDetail::new(&state)?;
    session.answer(&detail, || detail.words(&state))
}
