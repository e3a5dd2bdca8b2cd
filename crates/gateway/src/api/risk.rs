//! How likely positions are to be deleveraged.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::answer::{digits_shown, Answer, Asked, Refusal};
use super::markets::{beside, find, key};
use crate::forecasts;
use crate::gateway::Gateway;

/// Whose forecast is asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct RiskAsked {
    /// The trader account; every position unless it is named.
    trader: Option<String>,
    /// With the least margin to add and the least part to close that halve the probability of its cut; takes `trader`.
    #[serde(default)]
    fixes: bool,
}

/// How likely positions are to be cut or closed by deleveraging within 24 hours, and what that costs them, as
/// `ballast risk --output json` has it: a market played on along paths, made at most once a minute. Nobody is taken
/// to trade.
#[utoipa::path(get, path = "/v1/markets/{market}/risk", tag = "queue",
    params(("market" = String, Path, description = "Number, name or address"), RiskAsked),
    responses((status = 200, body = serde_json::Value), (status = 404), (status = 503, description = "Too little is known of the price")))]
pub async fn risk(
    State(gateway): State<Arc<Gateway>>,
    Path(market): Path<String>,
    Asked(asked): Asked<RiskAsked>,
) -> Answer {
    let state = find(&gateway, &market)?.state;
    let trader = asked.trader.as_deref().map(key).transpose()?;
    if asked.fixes && trader.is_none() {
        return Err(Refusal::bad(
            "fixes are of one trader account: expected `trader` as well",
        ));
    }
    let found = forecasts::of(&gateway, state).await?;
    let fixes = match trader.filter(|_| asked.fixes) {
        Some(trader) => forecasts::fixes(&gateway, &found, trader).await?,
        None => Vec::new(),
    };
    beside(move || {
        let mut view = found.view(trader.as_ref())?;
        if let Some(trader) = &trader {
            view.add_fixes(trader, &fixes);
        }
        if trader.is_some() && view.positions.is_empty() {
            return Err(Refusal::missing("the trader account has no position there"));
        }
        digits_shown(&view)
    })
    .await
}
