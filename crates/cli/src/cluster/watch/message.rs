//! Alerts as they are printed and posted.

use std::time::SystemTime;

use anchor_lang::prelude::Pubkey;
use ballast_report::figures::short;
use serde::Serialize;

use crate::cluster::history::Entry;
use crate::cluster::state::MarketState;
use ballast_view::alerts::{closed_sentence, sentence, Crossing, Look, Subject};
use ballast_view::positions::PositionView;
use ballast_view::venue::News;

/// An alert as it is printed and posted.
#[derive(Clone, Debug, Serialize)]
pub struct Alert {
    r#type: &'static str,
    /// The alert in a sentence.
    pub text: String,
    /// `light`, `margin_ratio`, `adl_risk`, `funding`, `liquidation`, `deleveraging`, `mode`, `pause` or `staged`.
    kind: &'static str,
    /// Whether it begins; it ends otherwise. Always true of what was done already.
    pub raised: bool,
    /// `null` where it is about no trader account.
    trader: Option<String>,
    /// `null` where it is about no market.
    market_index: Option<u16>,
    market: Option<String>,
    light: Option<u8>,
    margin_ratio_bps: Option<i64>,
    /// Probability of being cut, millionths, where it is forecast.
    #[serde(skip_serializing_if = "Option::is_none")]
    adl_risk_ppm: Option<u32>,
    /// Funding that it pays, millionths of its worth an hour; negative what it receives.
    #[serde(skip_serializing_if = "Option::is_none")]
    funding_ppm: Option<i32>,
    mark: String,
    slot: u64,
    pub unix_timestamp: i64,
    /// The account that holds a staged change.
    #[serde(skip_serializing_if = "Option::is_none")]
    staged: Option<String>,
    /// What was done to the position.
    #[serde(flatten)]
    forced: Option<Reduction>,
}

/// A forced reduction as it is printed and posted.
#[derive(Clone, Debug, Serialize)]
struct Reduction {
    lots: Option<u64>,
    size: Option<String>,
    price: Option<String>,
    realized_atoms: Option<i64>,
    gave_up_atoms: Option<u64>,
    signature: String,
}

impl Alert {
    fn new(kind: &'static str, raised: bool, text: String) -> Self {
        Self {
            r#type: "alert",
            text,
            kind,
            raised,
            trader: None,
            market_index: None,
            market: None,
            light: None,
            margin_ratio_bps: None,
            adl_risk_ppm: None,
            funding_ppm: None,
            mark: String::new(),
            slot: 0,
            unix_timestamp: unix_now(),
            staged: None,
            forced: None,
        }
    }

    fn about(self, trader: &Pubkey, index: Option<u16>, market: Option<String>) -> Self {
        Self {
            trader: Some(trader.to_string()),
            market_index: index,
            market,
            ..self
        }
    }

    /// That a threshold was crossed.
    pub fn crossed(
        trader: &Pubkey,
        view: &PositionView,
        state: &MarketState,
        look: &Look,
        crossing: &Crossing,
    ) -> Self {
        let text = sentence(
            &Subject {
                market: &view.market,
                side: view.side,
                trader: &short(&trader.to_string()),
                look,
                mark: &state.units.show_price(view.mark_ticks),
                liquidation: view.liquidation(),
            },
            crossing,
        );
        let alert = Self::new(crossing.kind.name(), crossing.raised, text);
        let alert = alert.about(trader, Some(view.market_index), Some(view.market.clone()));
        Self {
            light: view.light,
            margin_ratio_bps: view.margin_ratio_bps,
            adl_risk_ppm: look.risk_ppm,
            funding_ppm: look.funding_ppm,
            mark: view.mark().to_owned(),
            slot: state.slot,
            unix_timestamp: state.now,
            ..alert
        }
    }

    /// The end of an alert whose position is closed.
    pub fn closed(trader: &Pubkey, index: u16, market: &str, crossing: &Crossing) -> Self {
        let who = short(&trader.to_string());
        let text = closed_sentence(market, &who);
        let alert = Self::new(crossing.kind.name(), false, text);
        alert.about(trader, Some(index), Some(market.to_owned()))
    }

    /// That somebody else reduced a position.
    pub fn reduced(trader: &Pubkey, entry: Entry) -> Self {
        let text = format!(
            "{} of {}: {} Transaction {}",
            entry.market.as_deref().unwrap_or_default(),
            short(&trader.to_string()),
            entry.text,
            entry.signature
        );
        let alert = Self::new(entry.kind.name(), true, text);
        Self {
            slot: entry.slot,
            unix_timestamp: entry.time.unwrap_or_else(unix_now),
            forced: Some(Reduction {
                lots: entry.lots,
                size: entry.size,
                price: entry.price,
                realized_atoms: entry.realized_atoms,
                gave_up_atoms: entry.gave_up_atoms,
                signature: entry.signature,
            }),
            ..alert.about(trader, entry.market_index, entry.market)
        }
    }

    /// That something about the exchange itself changed.
    pub fn venue(news: News) -> Self {
        let alert = Self::new(news.kind, news.raised, news.text);
        let (market_index, market) = news.market.unzip();
        Self {
            market_index,
            market,
            staged: news.staged,
            ..alert
        }
    }
}

/// Unix seconds of this machine, where no account of the cluster tells the time.
fn unix_now() -> i64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok();
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(0))
}
