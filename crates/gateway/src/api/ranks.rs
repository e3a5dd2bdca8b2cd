//! Places in the queue in the shape in which trading libraries ask for them.

use std::sync::Arc;

use anyhow::Context;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::{shown, Answer, Asked, Refusal};
use super::markets::{beside, key};
use crate::gateway::Gateway;

/// Whose places are asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct RanksAsked {
    /// The trader account.
    trader: String,
}

/// The place of a position.
#[derive(Serialize, ToSchema)]
pub struct Rank {
    /// Name of the market.
    symbol: String,
    /// `long` or `short`.
    side: &'static str,
    /// From 1, the first to be cut; `null` where it cannot be cut.
    rank: Option<usize>,
    /// The light: 5 of the first fifth of the winners to 1 of the last, 0 of no winner.
    rating: u8,
    /// Per cent of the positions of its side that rank after it, as a decimal string.
    percentage: String,
    /// Unix milliseconds of the slot.
    timestamp: i64,
    /// That slot.
    slot: u64,
}

/// The places of a trader account in all markets.
#[utoipa::path(get, path = "/v1/adl-ranks", tag = "queue", params(RanksAsked),
    responses((status = 200, body = [Rank]), (status = 400)))]
pub async fn ranks(State(gateway): State<Arc<Gateway>>, Asked(asked): Asked<RanksAsked>) -> Answer {
    let trader = key(&asked.trader)?;
    let scenes = gateway.scenes();
    beside(move || {
        let mut found = Vec::new();
        for ranked in scenes.iter().filter_map(|scene| scene.ranked.as_ref()) {
            for side in &ranked.sides {
                let Some((place, entry)) = side.place_of(&trader) else {
                    continue;
                };
                let after = side.len().saturating_sub(place + 1);
                let hundredths = (after * 10_000).checked_div(side.len()).unwrap_or(0);
                let hundredths = i128::try_from(hundredths)
                    .ok()
                    .context("too many positions");
                let can_be_cut = ballast_view::positions::class_name(entry.class) != "insolvent";
                found.push(Rank {
                    symbol: ranked.state.name(),
                    side: side.side().name(),
                    rank: can_be_cut.then_some(place + 1),
                    rating: ballast_view::positions::light_of(entry.class, entry.light),
                    percentage: ballast_client::amount::decimal(hundredths?, 2),
                    timestamp: ranked.state.now.saturating_mul(1_000),
                    slot: ranked.state.slot,
                });
            }
        }
        shown(&found).map_err(|_| Refusal::not_now("it could not be written"))
    })
    .await
}
