//! What happened: of a market, of a trader account, of everybody; as JSON and as comma-separated values.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::answer::{csv_shown, shown, Answer, Asked, Refusal};
use super::markets::{find, key};
use crate::chain::accounts;
use crate::entry::Kind;
use crate::gateway::Gateway;
use crate::publish;
use crate::rows::{Names, Row};
use crate::store::read::{self, Position, Wanted};

/// Lines of a page unless others are asked for.
const PAGE: u32 = 100;
/// Lines of a page of a file.
const FILE_PAGE: u32 = 5_000;

/// Which lines are asked for.
#[derive(Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct HistoryAsked {
    /// Only of these kinds, with commas: `fill,cut`.
    kind: Option<String>,
    /// Only of this market: number, name or address.
    market: Option<String>,
    /// Only since then, unix seconds.
    since: Option<i64>,
    /// Only before then, unix seconds.
    until: Option<i64>,
    /// The page after the line with this `cursor`.
    before: Option<String>,
    /// At most so many lines: 100 unless asked for.
    limit: Option<u32>,
}

/// A page of history, the newest line first.
#[derive(Serialize, ToSchema)]
pub struct Page {
    /// The lines.
    rows: Vec<Row>,
    /// `before` of the next page; `null` at the end.
    next: Option<String>,
    /// Whether history is complete; see `/health`.
    complete: bool,
}

/// The place in history that `before` names.
pub fn cursor(text: &str) -> Result<Position, Refusal> {
    let parsed: Result<Position, ()> = text.parse();
    parsed.map_err(|()| Refusal::bad("before is no cursor of a line"))
}

impl HistoryAsked {
    fn wanted(self, gateway: &Gateway, most: u32) -> Result<Wanted, Refusal> {
        let kinds = self.kind.as_deref().unwrap_or_default().split(',');
        let kinds = kinds.filter(|kind| !kind.is_empty()).map(|kind| {
            kind.parse::<Kind>().map_err(|_| {
                let all = <Kind as strum::VariantNames>::VARIANTS.join(", ");
                Refusal::bad(format!("that is no kind of line: expected some of {all}"))
            })
        });
        let before = self.before.as_deref().map(cursor);
        let market = self.market.as_deref().map(|named| find(gateway, named));
        Ok(Wanted {
            kinds: kinds.collect::<Result<_, _>>()?,
            market: market.transpose()?.map(|scene| scene.state.market.index),
            trader: None,
            since: self.since,
            until: self.until,
            before: before.transpose()?,
            most: self.limit.unwrap_or(PAGE).clamp(1, most),
        })
    }
}

async fn page(gateway: &Arc<Gateway>, wanted: Wanted) -> Answer {
    let most = usize::try_from(wanted.most).unwrap_or(usize::MAX);
    let found = gateway
        .store
        .read(move |sql| read::entries(sql, &wanted))
        .await?;
    let next = (found.len() == most).then(|| found.last().map(|line| line.position().to_string()));
    let names = Names::new(gateway);
    let health = gateway.vitals(|vitals| vitals.report(std::time::Instant::now()));
    shown(&Page {
        rows: found.iter().map(|line| Row::new(line, &names)).collect(),
        next: next.flatten(),
        complete: health.history.complete,
    })
}

async fn file(gateway: &Arc<Gateway>, mut wanted: Wanted, name: &str) -> Answer {
    let names = Names::new(gateway);
    let mut rows: Vec<Row> = Vec::new();
    let mut left = wanted.most;
    while left > 0 {
        wanted.most = left.min(FILE_PAGE);
        let asked = wanted.clone();
        let found = gateway
            .store
            .read(move |sql| read::entries(sql, &asked))
            .await?;
        let count = u32::try_from(found.len()).unwrap_or(u32::MAX);
        wanted.before = found.last().map(read::Stored::position);
        rows.extend(found.iter().map(|line| Row::new(line, &names)));
        if count < wanted.most {
            break;
        }
        left = left.saturating_sub(count);
    }
    csv_shown(&rows, name)
}

/// What happened, to anybody: parameter changes, cuts, everything.
#[utoipa::path(get, path = "/v1/history", tag = "history", params(HistoryAsked),
    responses((status = 200, body = Page), (status = 400)))]
pub async fn all(State(gateway): State<Arc<Gateway>>, Asked(asked): Asked<HistoryAsked>) -> Answer {
    let wanted = asked.wanted(&gateway, gateway.config.limits.rows)?;
    page(&gateway, wanted).await
}

/// What happened in a market.
#[utoipa::path(get, path = "/v1/markets/{market}/history", tag = "history",
    params(("market" = String, Path, description = "Number, name or address"), HistoryAsked),
    responses((status = 200, body = Page), (status = 400), (status = 404)))]
pub async fn of_market(
    State(gateway): State<Arc<Gateway>>,
    Path(market): Path<String>,
    Asked(asked): Asked<HistoryAsked>,
) -> Answer {
    let asked = HistoryAsked {
        market: Some(market),
        ..asked
    };
    let wanted = asked.wanted(&gateway, gateway.config.limits.rows)?;
    page(&gateway, wanted).await
}

/// What happened in a market, as comma-separated values.
#[utoipa::path(get, path = "/v1/markets/{market}/history.csv", tag = "history",
    params(("market" = String, Path, description = "Number, name or address"), HistoryAsked),
    responses((status = 200, content_type = "text/csv", body = String), (status = 400), (status = 404)))]
pub async fn of_market_csv(
    State(gateway): State<Arc<Gateway>>,
    Path(market): Path<String>,
    Asked(asked): Asked<HistoryAsked>,
) -> Answer {
    let most = gateway.config.limits.csv_rows;
    let asked = HistoryAsked {
        market: Some(market),
        limit: asked.limit.or(Some(most)),
        ..asked
    };
    let wanted = asked.wanted(&gateway, most)?;
    file(&gateway, wanted, "market").await
}

/// What happened to a trader account.
#[utoipa::path(get, path = "/v1/traders/{trader}/history", tag = "history",
    params(("trader" = String, Path, description = "Trader account"), HistoryAsked),
    responses((status = 200, body = Page), (status = 400)))]
pub async fn of_trader(
    State(gateway): State<Arc<Gateway>>,
    Path(trader): Path<String>,
    Asked(asked): Asked<HistoryAsked>,
) -> Answer {
    let trader = key(&trader)?.to_string();
    let wanted = asked.wanted(&gateway, gateway.config.limits.rows)?;
    let wanted = Wanted {
        trader: Some(trader),
        ..wanted
    };
    page(&gateway, wanted).await
}

/// What happened to a trader account, as comma-separated values.
#[utoipa::path(get, path = "/v1/traders/{trader}/history.csv", tag = "history",
    params(("trader" = String, Path, description = "Trader account"), HistoryAsked),
    responses((status = 200, content_type = "text/csv", body = String), (status = 400)))]
pub async fn of_trader_csv(
    State(gateway): State<Arc<Gateway>>,
    Path(trader): Path<String>,
    Asked(asked): Asked<HistoryAsked>,
) -> Answer {
    let trader = key(&trader)?.to_string();
    let most = gateway.config.limits.csv_rows;
    let asked = HistoryAsked {
        limit: asked.limit.or(Some(most)),
        ..asked
    };
    let wanted = Wanted {
        trader: Some(trader),
        ..asked.wanted(&gateway, most)?
    };
    file(&gateway, wanted, "trader").await
}

/// What a trader account holds, as `ballast positions --output json` has it.
#[utoipa::path(get, path = "/v1/traders/{trader}", tag = "traders",
    params(("trader" = String, Path, description = "Trader account")),
    responses((status = 200, body = serde_json::Value), (status = 404)))]
pub async fn trader(State(gateway): State<Arc<Gateway>>, Path(trader): Path<String>) -> Answer {
    let address = key(&trader)?;
    let found = accounts::trader(&gateway, &address).await?;
    let found =
        found.ok_or_else(|| Refusal::missing("there is no trader account at that address"))?;
    super::markets::beside(move || shown(&publish::holdings(&gateway, &address, &found)?)).await
}

/// The cross margin of a trader account, as `ballast account --output json` has it.
#[utoipa::path(get, path = "/v1/traders/{trader}/account", tag = "traders",
    params(("trader" = String, Path, description = "Trader account")),
    responses((status = 200, body = serde_json::Value), (status = 404)))]
pub async fn account(State(gateway): State<Arc<Gateway>>, Path(trader): Path<String>) -> Answer {
    let address = key(&trader)?;
    let found = accounts::trader(&gateway, &address).await?;
    let found =
        found.ok_or_else(|| Refusal::missing("there is no trader account at that address"))?;
    let board = accounts::board(&gateway).await?;
    let (slot, board) =
        board.ok_or_else(|| Refusal::missing("the exchange has no cross margin"))?;
    super::markets::beside(move || {
        shown(&publish::account(&gateway, &address, &found, &board, slot)?)
    })
    .await
}

/// A transaction and its events.
#[derive(Serialize, ToSchema)]
struct TransactionView {
    signature: String,
    slot: i64,
    /// Unix seconds, where the node knew.
    time: Option<i64>,
    #[serde(rename = "final")]
    is_final: bool,
    events: Vec<EventView>,
}

/// An event with every field that it has in the program's interface; numbers of 64 bits are strings.
#[derive(Serialize, ToSchema)]
struct EventView {
    name: String,
    fields: Value,
}

/// The events of a transaction of the program, whole.
#[utoipa::path(get, path = "/v1/transactions/{signature}", tag = "history",
    params(("signature" = String, Path, description = "Signature")),
    responses((status = 200, body = TransactionView), (status = 404)))]
pub async fn transaction(
    State(gateway): State<Arc<Gateway>>,
    Path(signature): Path<String>,
) -> Answer {
    let asked = signature.clone();
    let found = gateway
        .store
        .read(move |sql| read::events(sql, &asked))
        .await?;
    let (transaction, events) =
        found.ok_or_else(|| Refusal::missing("that transaction is not known here"))?;
    let events = events.into_iter().map(|(name, body)| EventView {
        name,
        fields: serde_json::from_str(&body).unwrap_or(Value::Null),
    });
    shown(&TransactionView {
        signature,
        slot: transaction.slot,
        time: transaction.time,
        is_final: transaction.is_final,
        events: events.collect(),
    })
}
