//! How a market's parameters became what they are.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::{shown, Answer, Asked};
use super::history::cursor;
use super::markets::find;
use crate::gateway::Gateway;
use crate::store::parameters::{self, Stored};

/// Lines of a page unless others are asked for.
const PAGE: u32 = 100;

/// Which lines are asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ParametersAsked {
    /// Only of this parameter: `taker_fee_bps`, `tiers[0].initial_margin_bps`.
    name: Option<String>,
    /// The page after the line with this `cursor`.
    before: Option<String>,
    /// At most so many lines: 100 unless asked for.
    limit: Option<u32>,
}

/// A parameter that an event made or changed. Values are those of the program's interface: units are in the names.
#[derive(Serialize, ToSchema)]
pub struct ParameterRow {
    /// Signature of the transaction.
    signature: String,
    /// Slot in which it landed.
    slot: i64,
    /// Number of the event among those of its transaction.
    index: i64,
    /// Number of the line among those of its event.
    sub: i64,
    /// Unix seconds, where the node knew.
    time: Option<i64>,
    /// Whether the transaction is final; else it is confirmed.
    #[serde(rename = "final")]
    is_final: bool,
    /// Where the page after this line goes on: `before`.
    cursor: String,
    /// Name of the event in the program's interface.
    event: String,
    /// Which parameter: of the market's risk without a prefix, of its price source `oracle.`, of its pool `pool.`.
    name: String,
    /// Its value before; `null` where the event made it.
    before: Option<String>,
    /// Its value after.
    after: String,
}

impl From<Stored> for ParameterRow {
    fn from(line: Stored) -> Self {
        Self {
            signature: line.signature,
            slot: line.position.slot,
            index: line.position.idx,
            sub: line.position.sub,
            time: line.time,
            is_final: line.is_final,
            cursor: line.position.to_string(),
            event: line.event,
            name: line.name,
            before: line.before,
            after: line.after,
        }
    }
}

/// A page of parameters, the newest change first.
#[derive(Serialize, ToSchema)]
pub struct ParameterPage {
    /// The lines.
    rows: Vec<ParameterRow>,
    /// `before` of the next page; `null` at the end.
    next: Option<String>,
    /// Whether history is complete; see `/health`.
    complete: bool,
}

/// How a market's parameters became what they are: a line for each that an event made or changed.
#[utoipa::path(get, path = "/v1/markets/{market}/parameters", tag = "history",
    params(("market" = String, Path, description = "Number, name or address"), ParametersAsked),
    responses((status = 200, body = ParameterPage), (status = 400), (status = 404)))]
pub async fn of_market(
    State(gateway): State<Arc<Gateway>>,
    Path(market): Path<String>,
    Asked(asked): Asked<ParametersAsked>,
) -> Answer {
    let index = find(&gateway, &market)?.state.market.index;
    let before = asked.before.as_deref().map(cursor).transpose()?;
    let limits = gateway.config.limits;
    let most = asked.limit.unwrap_or(PAGE).clamp(1, limits.rows);
    let found = gateway
        .store
        .read(move |sql| parameters::of_market(sql, index, asked.name.as_deref(), before, most));
    let rows: Vec<ParameterRow> = found.await?.into_iter().map(Into::into).collect();
    let full = rows.len() == usize::try_from(most).unwrap_or(usize::MAX);
    let health = gateway.vitals(|vitals| vitals.report(std::time::Instant::now()));
    shown(&ParameterPage {
        next: rows.last().filter(|_| full).map(|row| row.cursor.clone()),
        complete: health.history.complete,
        rows,
    })
}
