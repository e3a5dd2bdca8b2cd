//! `ballast order list`.

use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result};
use ballast_engine::book::Order;
use ballast_report::table::Table;
use ballast_state::position_slot::PositionSlot;
use ballast_state::trader::Trader;
use clap::Args;
use serde::{Serialize, Serializer};

use crate::cluster::failure::Computed;
use crate::cluster::options::TraderChoice;
use crate::cluster::session::Session;
use crate::cluster::state::{MarketState, Parts};
use crate::cluster::words::{counted, side_name};

/// Arguments of `order list`.
#[derive(Clone, Debug, Args)]
pub struct ListArgs {
    /// Only this market [default: all].
    #[arg(long, value_name = "MARKET")]
    market: Option<String>,
    #[command(flatten)]
    choice: TraderChoice,
}

/// An order of a book as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct OrderView {
    market_index: u16,
    market: String,
    /// Id in the book.
    pub order_id: u64,
    /// The trader's own number; 0 when none. A string in JSON: it may be larger than what JSON
    /// numbers keep exactly.
    #[serde(serialize_with = "as_text")]
    pub client_id: u64,
    side: &'static str,
    price_ticks: u64,
    price: String,
    lots: u64,
    size: String,
    reserved_atoms: u64,
    reduce_only: bool,
    /// Whether it is a leg's.
    cross: bool,
    /// Unix seconds; 0 never.
    expires_at: i64,
    expired: bool,
}

fn as_text<S: Serializer>(id: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

impl OrderView {
    fn new(order: &Order, cross: bool, state: &MarketState) -> Self {
        let (units, ticks) = (state.units, state.units.ticks_of(order.price().get()));
        Self {
            market_index: state.market.index,
            market: state.name(),
            order_id: order.id(),
            client_id: order.client_id,
            side: side_name(order.side().into()),
            price_ticks: ticks,
            price: units.price(ticks),
            lots: order.size(),
            size: units.size(order.size()),
            reserved_atoms: order.margin,
            reduce_only: order.is_reduce_only(),
            cross,
            expires_at: order.expires_at,
            expired: order.has_expired(state.now),
        }
    }

    fn row(&self, state: &MarketState) -> [String; 8] {
        let units = state.units;
        [
            self.order_id.to_string(),
            match self.client_id {
                0 => String::new(),
                id => format!("client:{id}"),
            },
            self.market.clone(),
            self.side.to_owned(),
            units.show_size(self.lots),
            units.show_price(self.price_ticks),
            units.collateral.show(self.reserved_atoms.into()),
            self.notes(state.now),
        ]
    }

    fn notes(&self, now: i64) -> String {
        let mut notes = Vec::new();
        if self.cross {
            notes.push("of a leg".to_owned());
        }
        if self.reduce_only {
            notes.push("reduce-only".to_owned());
        }
        if self.expired {
            notes.push("expired".to_owned());
        } else if self.expires_at != 0 {
            notes.push(format!(
                "expires in {} s",
                self.expires_at.saturating_sub(now)
            ));
        }
        notes.join(", ")
    }
}

/// The orders of a trader's slot, the newest first.
pub fn orders_of(slot: &PositionSlot, state: &MarketState) -> Result<Vec<OrderView>> {
    let book = state.book.book().map_err(anyhow::Error::from)?;
    let own = slot.own_orders();
    let mut views = Vec::new();
    for step in book.own(&own) {
        let (_, order) = step.computed()?;
        views.push(OrderView::new(order, slot.is_cross(), state));
    }
    Ok(views)
}

/// Runs `ballast order list`.
pub async fn run(session: &Session, args: &ListArgs) -> Result<()> {
    let address = session.trader_address(&args.choice)?;
    let trader = session.trader(&address).await?;
    let states = session.markets_of(with_orders(&trader), Parts::Market);
    let states = states.await?;
    let wanted = match &args.market {
        Some(market) => Some(session.find(market).await?.0),
        None => None,
    };
    let (views, rows) = listed(&trader, &states, wanted.as_ref())?;
    session.answer(&views, || {
        if views.is_empty() {
            return "No orders.".to_owned();
        }
        let mut table = Table::new(&[
            ">order",
            "own number",
            "market",
            "side",
            ">size",
            ">price",
            ">reserves",
            "",
        ]);
        for row in rows {
            table.row(row);
        }
        format!("{}\n{}", counted(views.len(), "order"), table.render())
    })
}

/// The slots with orders, those of legs among them.
fn with_orders(trader: &Trader) -> impl Iterator<Item = &PositionSlot> {
    let slots = trader.positions.iter();
    slots.filter(|slot| slot.order_count > 0)
}

type Rows = Vec<[String; 8]>;

fn listed(
    trader: &Trader,
    states: &[MarketState],
    wanted: Option<&Pubkey>,
) -> Result<(Vec<OrderView>, Rows)> {
    let (mut views, mut rows) = (Vec::new(), Vec::new());
    for slot in
        with_orders(trader).filter(|slot| wanted.is_none_or(|market| *market == slot.market))
    {
        let state = states.iter().find(|state| state.keys.market == slot.market);
        let state = state.context("a market of the trader was not read")?;
        for view in orders_of(slot, state)? {
            rows.push(view.row(state));
            views.push(view);
        }
    }
    Ok((views, rows))
}
