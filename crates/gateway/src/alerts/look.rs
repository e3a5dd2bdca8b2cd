//! Looks at positions when a market is ranked, and at what happened.

use std::collections::{BTreeSet, HashMap};

use ballast_client::ranking::RankedEntry;
use ballast_engine::price_levels::{liquidation_price, margin_ratio_bps};
use ballast_report::figures::short;
use ballast_state::Pubkey;
use ballast_view::alerts::{closed_sentence, funding_paid, sentence, Crossing, Look, Subject};
use ballast_view::positions::light_of;
use ballast_view::state::MarketState;
use serde_json::{json, Value};

use super::{locked, post, Desk};
use crate::gateway::Gateway;
use crate::rows::Row;
use crate::scene::Ranked;
use crate::store::subscriptions::Letter;

/// What happened longer ago is history, seconds.
const RECENT: i64 = 3_600;
/// How far the chain's time may be behind that of this machine, seconds.
const BEHIND: i64 = 60;

/// Looks at the positions of markets that were ranked anew, here and now.
pub fn look(gateway: &Gateway, markets: &[u16]) {
    if locked(&gateway.alerts.watches).is_empty() {
        return;
    }
    let mut letters = Vec::new();
    for index in markets {
        if let Some(ranked) = gateway.scene(*index).and_then(|scene| scene.ranked) {
            letters.extend(look_at(&gateway.alerts, *index, &ranked));
        }
    }
    post(gateway, letters);
}

fn look_at(desk: &Desk, index: u16, ranked: &Ranked) -> Vec<Letter> {
    let mut watches = locked(&desk.watches);
    let mut of: HashMap<Pubkey, Vec<String>> = HashMap::new();
    for (id, watch) in watches
        .iter()
        .filter(|(_, watch)| watch.subscription.terms.watches())
    {
        of.entry(watch.subscription.trader)
            .or_default()
            .push(id.clone());
    }
    let (mut letters, mut seen) = (Vec::new(), BTreeSet::new());
    let state = &ranked.state;
    for side in &ranked.sides {
        for entry in side.entries() {
            for id in of.get(&entry.trader).into_iter().flatten() {
                let Some(watch) = watches.get_mut(id) else {
                    continue;
                };
                let Some(look) = looked(state, entry) else {
                    continue;
                };
                seen.insert(id.clone());
                for crossing in watch.alerts.look(index, Some(&look)) {
                    let side = side.side().name();
                    letters.push(crossed(id, index, state, entry, side, &look, &crossing));
                }
            }
        }
    }
    for (id, watch) in watches.iter_mut().filter(|(id, _)| !seen.contains(*id)) {
        for crossing in watch.alerts.look(index, None) {
            letters.push(closed(
                id,
                index,
                state,
                &watch.subscription.trader,
                &crossing,
            ));
        }
    }
    letters
}

/// What is found of a position; nothing where it cannot be computed.
fn looked(state: &MarketState, entry: &RankedEntry) -> Option<Look> {
    let mark = state.mark().ok()?;
    let ratio = margin_ratio_bps(&entry.position, mark, state.market.params()).ok()?;
    Some(Look {
        light: light_of(entry.class, entry.light),
        ratio_bps: ratio.unwrap_or(i64::MAX),
        risk_ppm: None,
        funding_ppm: funding_paid(state, entry.position.lots.get()),
    })
}

/// The name of a letter: of its subscription, and of what it says when.
fn name(id: &str, what: &str, slot: u64) -> String {
    format!("{id}:{what}:{slot}")
}

fn crossed(
    id: &str,
    index: u16,
    state: &MarketState,
    entry: &RankedEntry,
    side: &str,
    look: &Look,
    crossing: &Crossing,
) -> Letter {
    let (tick, params) = (state.units.atoms_per_lot_tick, state.market.params());
    let level = liquidation_price(&entry.position, params, tick)
        .ok()
        .flatten();
    let level = level.map(|ticks| state.units.show_price(ticks.get()));
    let mark = state.mark_ticks().map_or(0, |(ticks, _)| ticks);
    let trader = entry.trader.to_string();
    let text = sentence(
        &Subject {
            market: &state.name(),
            side,
            trader: &short(&trader),
            look,
            mark: &state.units.show_price(mark),
            liquidation: level.as_deref(),
        },
        crossing,
    );
    let body = json!({
        "light": look.light,
        "margin_ratio_bps": look.ratio_bps.to_string(),
        "funding_ppm": look.funding_ppm,
        "mark": state.units.price(mark),
        "side": side,
    });
    letter(id, index, state, &trader, text, crossing, body)
}

fn closed(
    id: &str,
    index: u16,
    state: &MarketState,
    trader: &Pubkey,
    crossing: &Crossing,
) -> Letter {
    let trader = trader.to_string();
    let text = closed_sentence(&state.name(), &short(&trader));
    letter(id, index, state, &trader, text, crossing, json!({}))
}

fn letter(
    id: &str,
    index: u16,
    state: &MarketState,
    trader: &str,
    text: String,
    crossing: &Crossing,
    mut body: Value,
) -> Letter {
    let kind = crossing.kind.name();
    let what = format!(
        "{index}:{kind}:{}",
        if crossing.raised { "begun" } else { "ended" }
    );
    let letter = name(id, &what, state.slot);
    for (field, value) in [
        ("id", json!(letter)),
        ("type", json!("alert")),
        ("kind", json!(kind)),
        ("raised", json!(crossing.raised)),
        ("text", json!(text)),
        ("trader", json!(trader)),
        ("market_index", json!(index)),
        ("market", json!(state.name())),
        ("slot", json!(state.slot)),
        ("unix_timestamp", json!(state.now)),
    ] {
        body[field] = value;
    }
    Letter {
        id: letter,
        subscription: id.to_owned(),
        made: state.now,
        body: body.to_string(),
        raised: Some((crossing.raised, index, kind.to_owned())),
    }
}

/// Tells of forced reductions among lines of history that are new, here and now.
pub fn happened(gateway: &Gateway, rows: &[Row], now: i64) {
    let forced = ["liquidation", "deleveraging", "cut"];
    let rows = rows
        .iter()
        .filter(|row| forced.contains(&row.kind.as_str()));
    let mut letters = Vec::new();
    let watches = locked(&gateway.alerts.watches);
    for row in rows {
        let recent = row
            .time
            .is_some_and(|time| time.saturating_add(RECENT) >= now);
        let told = watches
            .values()
            .map(|watch| &watch.subscription)
            .filter(|one| {
                let own = row.trader.as_deref() == Some(&*one.trader.to_string());
                one.terms.forced
                    && own
                    && recent
                    && row.time >= Some(one.made.saturating_sub(BEHIND))
            });
        letters.extend(told.map(|one| reduced(&one.id, row)));
    }
    drop(watches);
    if !letters.is_empty() {
        post(gateway, letters);
    }
}

fn reduced(id: &str, row: &Row) -> Letter {
    let trader = row.trader.clone().unwrap_or_default();
    let done = match row.side.as_deref() {
        Some("buy") => "bought",
        _ => "sold",
    };
    let text = format!(
        "{} of {}: {}, {done} {} at {}. Transaction {}",
        row.market.as_deref().unwrap_or_default(),
        short(&trader),
        row.kind,
        row.size.as_deref().unwrap_or_default(),
        row.price.as_deref().unwrap_or_default(),
        row.signature
    );
    // The line names the letter, so that it is written once however often the line is read.
    let letter = format!("{id}:{}:{}:{}", row.signature, row.index, row.sub);
    let body = json!({
        "id": letter,
        "type": "alert",
        "kind": row.kind,
        "raised": true,
        "text": text,
        "trader": trader,
        "market_index": row.market_index,
        "market": row.market,
        "side": row.side,
        "size": row.size,
        "price": row.price,
        "gave_up": row.amount,
        "mark": row.mark,
        "signature": row.signature,
        "slot": row.slot,
        "unix_timestamp": row.time,
    });
    Letter {
        id: letter,
        subscription: id.to_owned(),
        made: row.time.unwrap_or(0),
        body: body.to_string(),
        raised: None,
    }
}
