//! `alerts`: which thresholds the positions of a trader account have crossed since the last look, by the rule of
//! `ballast watch`.

use anyhow::{anyhow, Result};
use ballast_report::figures::short;
use ballast_view::alerts::{closed_sentence, sentence, Alerts, Kind, Look, Subject, Thresholds};
use ballast_view::positions::PositionView;
use ballast_view::state::MarketState;
use borsh::{BorshDeserialize, BorshSerialize};
use serde::Serialize;

use crate::calls::positions;
use crate::request::{MarketRequest, Positions};

/// An alert that has begun and not ended.
#[derive(Clone, Debug, PartialEq, Eq, BorshDeserialize, BorshSerialize, Serialize)]
pub struct Raised {
    /// Number of the market.
    pub market_index: u16,
    /// Its name.
    pub market: String,
    /// What it is about.
    pub kind: String,
    /// Looks in a row that have been clear of the threshold.
    pub looks: u32,
}

/// A look at a trader account.
#[derive(Clone, Debug, BorshDeserialize, BorshSerialize)]
pub struct AlertsOf {
    /// The trader account and the markets it is in.
    pub of: Positions,
    /// Alert from this light on.
    pub light_at: u8,
    /// Alert below this margin ratio, basis points.
    pub ratio_below_bps: i64,
    /// Alert above this funding paid, millionths an hour; `None` for no alert.
    pub funding_above_ppm: Option<i32>,
    /// What the look before left.
    pub raised: Vec<Raised>,
}

/// What a look found.
#[derive(Debug, Serialize)]
pub struct Found {
    raised: Vec<Raised>,
    crossings: Vec<CrossingView>,
}

#[derive(Debug, Serialize)]
struct CrossingView {
    kind: &'static str,
    raised: bool,
    text: String,
}

/// What the look found, and what the next is to be told.
pub fn call(request: &AlertsOf) -> Result<Found> {
    let states = request.of.markets.iter().map(MarketRequest::state);
    let states = states.collect::<Result<Vec<MarketState>>>()?;
    let holdings = positions::of(&request.of, &states)?;
    let who = short(&request.of.trader.address.to_string());
    // Alerts whose position has not been seen yet.
    let mut names: Vec<(u16, &str)> = Vec::new();
    let mut before = Vec::new();
    for one in &request.raised {
        let kind: Kind = one
            .kind
            .parse()
            .map_err(|_| anyhow!("`{}` is no kind of alert", one.kind))?;
        names.push((one.market_index, &one.market));
        before.push(((one.market_index, kind), one.looks));
    }
    let thresholds = Thresholds {
        light_at: request.light_at,
        ratio_below_bps: request.ratio_below_bps,
        risk_above_ppm: None,
        funding_above_ppm: request.funding_above_ppm,
    };
    let mut alerts = Alerts::go_on(thresholds, before);
    let mut crossings = Vec::new();
    for view in holdings.positions.iter().filter(|view| view.lots != 0) {
        let mut all = states.iter();
        let state = all.find(|state| state.market.index == view.market_index);
        let Some(state) = state else { continue };
        names.retain(|(index, _)| *index != view.market_index);
        let look = Look::of(view, state, None);
        for crossing in alerts.look(view.market_index, Some(&look)) {
            crossings.push(CrossingView {
                kind: crossing.kind.name(),
                raised: crossing.raised,
                text: sentence(&subject(view, &look, &who), &crossing),
            });
        }
    }
    // What is left has no position any more.
    for (index, market) in names {
        for crossing in alerts.look(index, None) {
            crossings.push(CrossingView {
                kind: crossing.kind.name(),
                raised: crossing.raised,
                text: closed_sentence(market, &who),
            });
        }
    }
    let raised = alerts.looks().map(|((index, kind), looks)| Raised {
        market_index: index,
        market: name_of(&states, index),
        kind: kind.name().to_owned(),
        looks,
    });
    Ok(Found {
        raised: raised.collect(),
        crossings,
    })
}

fn subject<'a>(view: &'a PositionView, look: &'a Look, who: &'a str) -> Subject<'a> {
    Subject {
        market: &view.market,
        side: view.side,
        trader: who,
        look,
        mark: view.mark(),
        liquidation: view.liquidation(),
    }
}

fn name_of(states: &[MarketState], index: u16) -> String {
    let state = states.iter().find(|state| state.market.index == index);
    state.map(MarketState::name).unwrap_or_default()
}
