//! Looks at what is staged, what is paused, and what markets do.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use ballast_engine::wind_down::MarketMode;
use ballast_state::staged::Staged;
use ballast_state::Pubkey;
use ballast_view::market::mode_name;
use ballast_view::staged::{hex, words};
use ballast_view::state::{age_words, slot_seconds};
use ballast_view::venue::{Mode, News, Venue, Waiting};
use serde_json::json;

use super::{locked, post};
use crate::gateway::Gateway;
use crate::scene::Scene;
use crate::store::subscriptions::Letter;
use crate::store::write;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(15);
/// Under which name it is kept what was told.
const KEPT: &str = "venue";

/// Looks again and again. Never ends.
pub async fn run(gateway: Arc<Gateway>) {
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        if let Err(error) = look(&gateway).await {
            tracing::debug!("what is staged was not read: {error:#}");
        }
    }
}

/// Looks once.
///
/// # Errors
/// When the node or the database does not answer.
pub async fn look(gateway: &Arc<Gateway>) -> Result<()> {
    let scenes = gateway.scenes();
    if scenes.is_empty() {
        return Ok(());
    }
    let kept = gateway.store.read(|sql| write::noted(sql, KEPT)).await?;
    let first = kept.is_none();
    let mut venue: Venue = kept
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let staged = gateway.nodes.now().confirmed.all_staged().await?;
    let exchange = gateway.world().exchange()?;
    let slot = gateway.vitals(|vitals| vitals.slot.map_or(0, |(slot, _)| slot));
    let mut waiting = Vec::new();
    for (address, staged) in &staged {
        waiting.push(waits(address, staged, &exchange, &scenes, slot)?);
    }
    let mut news = venue.staged(waiting);
    news.extend(venue.paused(exchange.pauses(slot)));
    news.extend(venue.modes(scenes.iter().map(mode).collect()));
    let now = scenes
        .iter()
        .map(|scene| scene.state.now)
        .max()
        .unwrap_or(0);
    // What was so before the gateway began is no news.
    let letters = match first {
        true => Vec::new(),
        false => letters(gateway, &news, slot, now),
    };
    let text = serde_json::to_string(&venue)?;
    let work = Arc::clone(gateway);
    tokio::task::spawn_blocking(move || {
        post(&work, letters);
        work.store.write_here(|sql| write::note(sql, KEPT, &text))
    })
    .await??;
    Ok(())
}

fn waits(
    address: &Pubkey,
    staged: &Staged,
    exchange: &ballast_state::exchange::Exchange,
    scenes: &[Scene],
    slot: u64,
) -> Result<Waiting> {
    let change = staged.change()?;
    let due = staged.ready_slot(&change, exchange)?;
    let mut states = scenes.iter().map(|scene| &scene.state);
    let market = states.find(|state| state.keys.market == staged.target);
    let what = words(&change);
    Ok(Waiting {
        id: hex(&staged.id),
        staged: address.to_string(),
        about: match market {
            Some(state) => format!("{}: {what}", state.name()),
            None => what,
        },
        when: match due.checked_sub(slot).filter(|left| *left > 0) {
            Some(left) => {
                let left = i64::try_from(slot_seconds(left)).unwrap_or(i64::MAX);
                format!("from slot {due}, in about {}", age_words(left))
            }
            None => format!("now, until slot {}", staged.expires_slot),
        },
    })
}

fn mode(scene: &Scene) -> Mode {
    let state = &scene.state;
    let name = mode_name(state.market.mode());
    let end = state.market.wind_down;
    let ends = match end.is_scheduled() {
        true => format!(", ends at {} (unix seconds)", end.ends_at),
        false => String::new(),
    };
    Mode {
        index: state.market.index,
        name: state.name(),
        is_open: name == mode_name(MarketMode::Active) && !end.is_scheduled(),
        words: format!("{}{ends}", name.replace('_', " ")),
    }
}

fn letters(gateway: &Gateway, news: &[News], slot: u64, now: i64) -> Vec<Letter> {
    let watches = locked(&gateway.alerts.watches);
    let told = watches.values().map(|watch| &watch.subscription);
    let told: Vec<_> = told.filter(|one| one.terms.exchange).collect();
    let mut letters = Vec::new();
    for (number, one) in news.iter().enumerate() {
        for subscription in &told {
            let id = format!("{}:{}:{slot}:{number}", subscription.id, one.kind);
            let (market_index, market) = one.market.clone().unzip();
            let body = json!({
                "id": id,
                "type": "alert",
                "kind": one.kind,
                "raised": one.raised,
                "text": one.text,
                "market_index": market_index,
                "market": market,
                "staged": one.staged,
                "slot": slot,
                "unix_timestamp": now,
            });
            letters.push(Letter {
                id,
                subscription: subscription.id.clone(),
                made: now,
                body: body.to_string(),
                raised: None,
            });
        }
    }
    letters
}
