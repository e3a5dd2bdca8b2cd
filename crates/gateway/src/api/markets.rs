//! Markets: what they are now, their books, queues and gaps, candles.

use std::sync::Arc;

use anyhow::Context;
use axum::extract::{Path, State};
use ballast_engine::units::Side;
use ballast_state::Pubkey;
use ballast_view::book::BookView;
use ballast_view::failure::Computed;
use ballast_view::gap::GapView;
use ballast_view::market::MarketView;
use ballast_view::pauses::paused;
use ballast_view::queue::Standing;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::{digits_shown, shown, Answer, Asked, Refusal};
use crate::gateway::Gateway;
use crate::rows::{CandleRow, Names};
use crate::scene::{Ranked, Scene};
use crate::store::candles::LENGTHS;
use crate::store::read;

/// Moves of the gap curve unless others are asked for, per cent.
const MOVES: &str = "1,2,5,10,15,20";
/// Most moves at a time.
const MOST_MOVES: usize = 20;
/// Prices or orders of a side of the book unless others are asked for.
const DEPTH: usize = 50;
/// Candles unless others are asked for.
const CANDLES: u32 = 300;

/// The market that a number, a name or an address names.
pub fn find(gateway: &Gateway, named: &str) -> Result<Scene, Refusal> {
    let number: Option<u16> = named.parse().ok();
    let mut scenes = gateway.scenes().into_iter();
    let found = scenes.find(|scene| {
        let state = &scene.state;
        match number {
            Some(number) => state.market.index == number,
            None => state.name() == named || state.keys.market.to_string() == named,
        }
    });
    found.ok_or_else(|| Refusal::missing("there is no such market: expected a number, a name or an address that /v1/markets lists"))
}

/// A key that an address names.
pub fn key(text: &str) -> Result<Pubkey, Refusal> {
    let key = text.parse();
    key.map_err(|_| Refusal::bad("that is no address: expected 32 bytes in base58"))
}

/// Runs what computes for long elsewhere.
pub async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(Refusal::not_now("it could not be computed")))
}

fn ranked(scene: &Scene) -> Result<Arc<Ranked>, Refusal> {
    let ranked = scene.ranked.clone();
    ranked.ok_or_else(|| {
        Refusal::not_now("the market is not ranked yet: it has no price, or was read just now")
    })
}

/// The exchange.
#[derive(Serialize, ToSchema)]
struct ExchangeView {
    program: String,
    exchange: String,
    collateral_mint: String,
    collateral_decimals: u8,
    markets: u16,
    traders: u64,
    paused: Vec<&'static str>,
    slot: Option<u64>,
}

/// The exchange: addresses, its currency, what is paused.
#[utoipa::path(get, path = "/v1/exchange", tag = "markets", responses((status = 200, body = ExchangeView)))]
pub async fn exchange(State(gateway): State<Arc<Gateway>>) -> Answer {
    let exchange = gateway.world().exchange()?;
    let slot = gateway.vitals(|vitals| vitals.slot.map(|(slot, _)| slot));
    shown(&ExchangeView {
        program: ballast_state::ID.to_string(),
        exchange: ballast_client::addresses::exchange().to_string(),
        collateral_mint: exchange.collateral_mint.to_string(),
        collateral_decimals: exchange.mint_decimals,
        markets: exchange.market_count,
        traders: exchange.trader_count,
        paused: paused(exchange.pauses(slot.unwrap_or(0))),
        slot,
    })
}

/// All markets, each as `ballast markets --output json` has it.
#[utoipa::path(get, path = "/v1/markets", tag = "markets",
    responses((status = 200, description = "A list", body = serde_json::Value)))]
pub async fn list(State(gateway): State<Arc<Gateway>>) -> Answer {
    let scenes = gateway.scenes();
    let views = scenes.iter().map(|scene| MarketView::new(&scene.state));
    digits_shown(&views.collect::<anyhow::Result<Vec<_>>>()?)
}

/// A market, as `ballast markets --output json` has it. A market is named by number, name or address.
#[utoipa::path(get, path = "/v1/markets/{market}", tag = "markets",
    params(("market" = String, Path, description = "Number, name or address")),
    responses((status = 200, body = serde_json::Value), (status = 404)))]
pub async fn one(State(gateway): State<Arc<Gateway>>, Path(market): Path<String>) -> Answer {
    let scene = find(&gateway, &market)?;
    digits_shown(&MarketView::new(&scene.state)?)
}

/// How much of the book is asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct BookAsked {
    /// 2: sizes by price, which is the default; 3: every order.
    level: Option<u8>,
    /// Prices or orders of a side, the best first: 50 unless asked for, at most 500.
    depth: Option<usize>,
}

/// An order of the book.
#[derive(Serialize, ToSchema)]
struct OrderRow {
    id: String,
    trader: String,
    price: String,
    size: String,
    lots: u64,
    reduce_only: bool,
    /// Unix seconds; 0 never.
    expires_at: i64,
}

/// The orders of a book.
#[derive(Serialize, ToSchema)]
struct Orders {
    market_index: u16,
    market: String,
    slot: u64,
    /// The best first.
    bids: Vec<OrderRow>,
    /// The best first.
    asks: Vec<OrderRow>,
}

/// The book: by price as `ballast book --output json` has it, or every order.
#[utoipa::path(get, path = "/v1/markets/{market}/book", tag = "markets",
    params(("market" = String, Path, description = "Number, name or address"), BookAsked),
    responses((status = 200, body = serde_json::Value), (status = 404)))]
pub async fn book(
    State(gateway): State<Arc<Gateway>>,
    Path(market): Path<String>,
    Asked(asked): Asked<BookAsked>,
) -> Answer {
    let state = find(&gateway, &market)?.state;
    let most = usize::try_from(gateway.config.limits.rows).unwrap_or(usize::MAX);
    let depth = asked.depth.unwrap_or(DEPTH).min(most);
    match asked.level.unwrap_or(2) {
        2 => digits_shown(&BookView::new(&state, depth)?),
        3 => {
            let book = state.book.book().map_err(anyhow::Error::from)?;
            let side = |side: Side| -> anyhow::Result<Vec<OrderRow>> {
                let orders = book.iter(side).take(depth).map(|step| {
                    let (_, order) = step.computed()?;
                    let ticks = state.units.ticks_of(order.price().get());
                    Ok(OrderRow {
                        id: order.id().to_string(),
                        trader: Pubkey::new_from_array(order.trader).to_string(),
                        price: state.units.price(ticks),
                        size: state.units.size(order.size()),
                        lots: order.size(),
                        reduce_only: order.is_reduce_only(),
                        expires_at: order.expires_at,
                    })
                });
                orders.collect()
            };
            digits_shown(&Orders {
                market_index: state.market.index,
                market: state.name(),
                slot: state.slot,
                bids: side(Side::Long)?,
                asks: side(Side::Short)?,
            })
        }
        other => Err(Refusal::bad(format!("level is {other}: expected 2 or 3"))),
    }
}

/// How much of the queues is asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct QueueAsked {
    /// Places of each side: 20 unless asked for, at most 500.
    top: Option<usize>,
}

/// Who is deleveraged first: places, and how many stand at each light, as `ballast queue --output json` has it.
/// Ranked once a price.
#[utoipa::path(get, path = "/v1/markets/{market}/queue", tag = "queue",
    params(("market" = String, Path, description = "Number, name or address"), QueueAsked),
    responses((status = 200, body = serde_json::Value), (status = 404)))]
pub async fn queue(
    State(gateway): State<Arc<Gateway>>,
    Path(market): Path<String>,
    Asked(asked): Asked<QueueAsked>,
) -> Answer {
    let ranked = ranked(&find(&gateway, &market)?)?;
    let most = usize::try_from(gateway.config.limits.rows).unwrap_or(usize::MAX);
    digits_shown(&ranked.view(asked.top.unwrap_or(20).min(most))?)
}

/// Where a trader account stands in a market: place, light, notional before it, the mark at which it would be the
/// first.
#[utoipa::path(get, path = "/v1/markets/{market}/queue/{trader}", tag = "queue",
    params(("market" = String, Path, description = "Number, name or address"),
        ("trader" = String, Path, description = "Trader account")),
    responses((status = 200, body = serde_json::Value), (status = 404)))]
pub async fn place(
    State(gateway): State<Arc<Gateway>>,
    Path((market, trader)): Path<(String, String)>,
) -> Answer {
    let ranked = ranked(&find(&gateway, &market)?)?;
    let trader = key(&trader)?;
    beside(move || {
        let mut sides = ranked.sides.iter();
        let found = sides.find_map(|side| Some((side.side(), side.of_trader(&trader)?.node)));
        let (side, node) =
            found.ok_or_else(|| Refusal::missing("the trader account has no position there"))?;
        digits_shown(&Standing::of(&ranked.state, side, node)?)
    })
    .await
}

/// Which moves are asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct GapAsked {
    /// Whole per cent from 1 to 90, with commas, at most 20: `1,2,5,10,15,20` unless asked for. Each is tried up
    /// and down.
    percent: Option<String>,
}

/// What positions would lack after a jump of the price, as `ballast gap --output json` has it.
#[utoipa::path(get, path = "/v1/markets/{market}/gap", tag = "queue",
    params(("market" = String, Path, description = "Number, name or address"), GapAsked),
    responses((status = 200, body = serde_json::Value), (status = 404)))]
pub async fn gap(
    State(gateway): State<Arc<Gateway>>,
    Path(market): Path<String>,
    Asked(asked): Asked<GapAsked>,
) -> Answer {
    let state = find(&gateway, &market)?.state;
    let asked = asked.percent.unwrap_or_else(|| MOVES.to_owned());
    let moves: Result<Vec<i32>, _> = asked.split(',').map(|one| one.trim().parse()).collect();
    let moves = moves.map_err(|_| Refusal::bad("percent is no list: expected 1,2,5"))?;
    if moves.len() > MOST_MOVES {
        return Err(Refusal::bad(format!(
            "percent has {} moves: expected at most {MOST_MOVES}",
            moves.len()
        )));
    }
    if let Some(refused) = GapView::refused(&moves) {
        return Err(Refusal::bad(refused));
    }
    beside(move || digits_shown(&GapView::new(&state, &moves)?)).await
}

/// Which candles are asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct CandlesAsked {
    /// Length in seconds: 60, 300, 900, 3600, 14400 or 86400.
    seconds: Option<i64>,
    /// Only those that begin then or later, unix seconds.
    since: Option<i64>,
    /// Only those that begin before, unix seconds.
    until: Option<i64>,
    /// At most so many, the newest: 300 unless asked for.
    limit: Option<u32>,
}

/// Candles of fills, the oldest first. A minute without a fill has none.
#[utoipa::path(get, path = "/v1/markets/{market}/candles", tag = "history",
    params(("market" = String, Path, description = "Number, name or address"), CandlesAsked),
    responses((status = 200, body = [CandleRow]), (status = 404)))]
pub async fn candles(
    State(gateway): State<Arc<Gateway>>,
    Path(market): Path<String>,
    Asked(asked): Asked<CandlesAsked>,
) -> Answer {
    let index = find(&gateway, &market)?.state.market.index;
    let seconds = asked.seconds.unwrap_or(60);
    if !LENGTHS.contains(&seconds) {
        return Err(Refusal::bad(format!(
            "seconds is {seconds}: expected one of {LENGTHS:?}"
        )));
    }
    let most = asked
        .limit
        .unwrap_or(CANDLES)
        .min(gateway.config.limits.rows);
    let range = asked.since.unwrap_or(0)..asked.until.unwrap_or(i64::MAX);
    let store = Arc::clone(&gateway.store);
    let found = store.read(move |sql| read::candles(sql, index, seconds, range, most));
    let found = found.await?;
    let units = Names::new(&gateway).units(index.into());
    let units = units.context("the market has not been read yet")?;
    let rows: Vec<CandleRow> = found
        .iter()
        .map(|candle| CandleRow::new(candle, units))
        .collect();
    shown(&rows)
}
