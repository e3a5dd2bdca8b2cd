//! `ballast watch`: looks at positions again and again and reports crossings of thresholds.

mod forced;
mod message;
mod risk;
mod venue;
mod webhook;

use std::io::IsTerminal;
use std::time::Duration;

use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result};
use ballast_client::accounts;
use ballast_engine::wind_down::MarketMode;
use ballast_report::figures::{clock, short};
use ballast_report::table::Table;
use ballast_rpc::endpoint::Endpoint;
use ballast_state::trader::Trader;
use clap::Args;
use serde_json::{json, Value};

use super::failure::Usage;
use super::options::TraderChoice;
use super::risk::PathArgs;
use super::session::{say, Session};
use super::state::{age_words, MarketState, Parts};
use super::units::percent_of_bps;
use super::wind_down::ModeView;
use ballast_view::alerts::{Alerts, Look, Thresholds};
use ballast_view::market::mode_name;
use ballast_view::positions::{lights, PositionView};
use ballast_view::protection::ProtectionView;
use ballast_view::venue::Mode;
use forced::Forced;
use message::Alert;
use risk::Risks;
use venue::Watched;
use webhook::Webhook;

/// Arguments of `watch`.
#[derive(Clone, Debug, Args)]
pub struct WatchArgs {
    /// Trader account to watch; may be given again [default: the one of --owner and --sub-id].
    #[arg(long = "trader", value_name = "ADDRESS")]
    traders: Vec<Pubkey>,
    /// Owner of the trader account [default: the signer].
    #[arg(long, value_name = "KEY")]
    owner: Option<Pubkey>,
    /// Number of the trader account among its owner's.
    #[arg(long, value_name = "N", default_value_t = 0)]
    sub_id: u16,
    /// Alert when the light of a position reaches this, 1 to 5.
    #[arg(long, value_name = "LIGHT", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=5))]
    light_at: u8,
    /// Alert when equity falls below this many times maintenance margin.
    #[arg(long, value_name = "RATIO", default_value = "1.5", value_parser = ratio)]
    margin_ratio_below: i64,
    /// Alert when the probability of being deleveraged exceeds this, 0 to 1; needs --prices. Forecast every
    /// minute.
    #[arg(long, value_name = "PROBABILITY", value_parser = probability, requires = "prices")]
    adl_risk_above: Option<u32>,
    /// Alert when a position pays funding of more than this, millionths of its worth an hour; 0 tells when
    /// it begins to pay.
    #[arg(long, value_name = "PPM", value_parser = clap::value_parser!(i32).range(0..))]
    funding_above: Option<i32>,
    #[command(flatten)]
    paths: PathArgs,
    /// POST every alert to this URL as JSON.
    #[arg(long, value_name = "URL")]
    webhook: Option<Endpoint>,
    /// Seconds between two looks.
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3600))]
    interval: u64,
    /// Look once and exit.
    #[arg(long)]
    once: bool,
}

/// A ratio such as 1.5 in basis points.
fn ratio(text: &str) -> Result<i64, String> {
    let bad = || {
        format!("`{text}` is not a ratio: expected a decimal number such as 1.5, with at most four decimals")
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > 4 || !digits(whole) || !digits(fraction) {
        return Err(bad());
    }
    format!("{whole}{fraction:0<4}").parse().map_err(|_| bad())
}

/// A probability as millionths.
fn probability(text: &str) -> Result<u32, String> {
    let bad = || {
        format!("`{text}` is not a probability: expected a number such as 0.05, with at most four decimals")
    };
    let tenths_of_thousandths = ratio(text).map_err(|_| bad())?;
    let ppm = u32::try_from(tenths_of_thousandths).ok();
    ppm.filter(|ppm| *ppm <= 10_000)
        .map(|ppm| ppm * 100)
        .ok_or_else(bad)
}

/// One trader's positions at one look.
struct Seen {
    trader: Pubkey,
    states: Vec<MarketState>,
    positions: Vec<PositionView>,
}

/// Looks at the positions again and again, prints them and raises alerts.
struct Watcher<'a> {
    session: &'a Session,
    traders: Vec<Pubkey>,
    alerts: Alerts<(Pubkey, u16)>,
    forced: Forced,
    risks: Option<Risks>,
    venue: Watched,
    /// Positions of the last look, to notice when one is closed.
    open: Vec<(Pubkey, u16, String)>,
    webhook: Option<Webhook>,
    redraw: bool,
    recent: Vec<String>,
}

/// Alerts that stay on the screen.
const RECENT: usize = 8;

/// Runs `ballast watch`.
pub async fn run(session: &Session, args: &WatchArgs) -> Result<()> {
    let mut traders = args.traders.clone();
    if traders.is_empty() {
        traders.push(session.trader_address(&TraderChoice {
            trader: None,
            owner: args.owner,
            sub_id: args.sub_id,
        })?);
    }
    for trader in &traders {
        session.trader(trader).await?;
    }
    let webhook = match &args.webhook {
        None => None,
        Some(url) => Some(Webhook::start(url).map_err(|error| Usage(error.to_string()))?),
    };
    let mut watcher = Watcher {
        session,
        traders,
        alerts: Alerts::new(Thresholds {
            light_at: args.light_at,
            ratio_below_bps: args.margin_ratio_below,
            risk_above_ppm: args.adl_risk_above,
            funding_above_ppm: args.funding_above,
        }),
        risks: match args.adl_risk_above {
            None => None,
            Some(_) => Some(Risks::new(&args.paths)?),
        },
        forced: Forced::new(session).await?,
        venue: Watched::default(),
        open: Vec::new(),
        webhook,
        redraw: !session.json && !args.once && std::io::stdout().is_terminal(),
        recent: Vec::new(),
    };
    let watched = if args.once {
        watcher.look(true).await
    } else {
        watcher.follow(Duration::from_secs(args.interval)).await
    };
    if let Some(webhook) = watcher.webhook {
        webhook.finish().await;
    }
    watched
}

impl Watcher<'_> {
    /// Looks until interrupted.
    async fn follow(&mut self, interval: Duration) -> Result<()> {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut first = true;
        loop {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => return Ok(()),
                _ = ticks.tick() => {}
            }
            if let Err(error) = self.look(first || self.redraw || self.session.json).await {
                self.report_error(&error)?;
            }
            first = false;
        }
    }

    /// One look at everything: the table if wanted, then what was crossed.
    async fn look(&mut self, shown: bool) -> Result<()> {
        let seen = self.read().await?;
        let mut crossed = Vec::new();
        for one in &seen {
            let forced = self
                .forced
                .look(self.session, &one.trader, &one.positions)
                .await?;
            let forced = forced.into_iter();
            crossed.extend(forced.map(|entry| Alert::reduced(&one.trader, entry)));
        }
        if let Some(risks) = &mut self.risks {
            let states = seen.iter().flat_map(|one| &one.states);
            let mut states: Vec<&MarketState> = states.collect();
            states.sort_by_key(|state| state.market.index);
            states.dedup_by_key(|state| state.market.index);
            risks.look(self.session, &self.traders, &states).await?;
        }
        crossed.extend(self.crossings(&seen));
        let news = self.venue.look(self.session).await?;
        let news = news.into_iter().chain(self.venue.modes(modes(&seen)));
        crossed.extend(news.map(Alert::venue));
        if shown {
            self.show(&seen)?;
        }
        for alert in crossed {
            self.announce(&alert)?;
        }
        Ok(())
    }

    async fn read(&self) -> Result<Vec<Seen>> {
        let (_, found) = self.session.cluster.accounts(&self.traders).await?;
        let mut seen = Vec::new();
        for (address, account) in self.traders.iter().zip(found) {
            // A closed trader account has no positions.
            let trader: Option<Trader> = account
                .map(|account| accounts::trader(&account.data))
                .transpose()?;
            let states = match &trader {
                Some(trader) => {
                    self.session
                        .markets_of(trader.isolated(), Parts::Queues)
                        .await?
                }
                None => Vec::new(),
            };
            let mut positions = Vec::new();
            let slots = trader.iter().flat_map(Trader::isolated);
            for slot in slots.filter(|slot| slot.lots != 0) {
                let state = states.iter().find(|state| state.keys.market == slot.market);
                let state = state.context("a market of the trader was not read")?;
                positions.push(PositionView::new(slot, state)?);
            }
            if let Some(trader) = &trader {
                let mut steps = self.session.protections(address, trader, &states).await?;
                let views = positions.into_iter();
                positions = views
                    .map(|view: PositionView| {
                        let protection = steps.remove(&view.market_index);
                        view.protected(protection)
                    })
                    .collect();
            }
            seen.push(Seen {
                trader: *address,
                states,
                positions,
            });
        }
        Ok(seen)
    }

    fn crossings(&mut self, seen: &[Seen]) -> Vec<Alert> {
        let mut found = Vec::new();
        let mut open = Vec::new();
        for one in seen {
            for view in &one.positions {
                let risks = self.risks.as_ref();
                let risk_ppm = risks.and_then(|risks| risks.of(&one.trader, view.market_index));
                let mut states = one.states.iter();
                let state = states.find(|state| state.market.index == view.market_index);
                let Some(state) = state else { continue };
                let look = Look::of(view, state, risk_ppm);
                let key = (one.trader, view.market_index);
                for crossing in self.alerts.look(key, Some(&look)) {
                    let trader = &one.trader;
                    found.push(Alert::crossed(trader, view, state, &look, &crossing));
                }
                open.push((one.trader, view.market_index, view.market.clone()));
            }
        }
        for (trader, index, market) in core::mem::replace(&mut self.open, open) {
            let still = self
                .open
                .iter()
                .any(|one| (one.0, one.1) == (trader, index));
            if !still {
                for crossing in self.alerts.look((trader, index), None) {
                    found.push(Alert::closed(&trader, index, &market, &crossing));
                }
            }
        }
        found
    }

    fn show(&self, seen: &[Seen]) -> Result<()> {
        if self.session.json {
            for one in seen {
                let status = json!({
                    "type": "status",
                    "trader": one.trader.to_string(),
                    "positions": serde_json::to_value(&one.positions)?,
                });
                say(&status.to_string())?;
            }
            return Ok(());
        }
        if !self.redraw {
            return say(&table(seen));
        }
        // Home, and clear to the end.
        let recent = self.recent.join("\n");
        say(&format!("\x1b[H\x1b[J{}\n{recent}", table(seen)))
    }

    fn announce(&mut self, alert: &Alert) -> Result<()> {
        let value = serde_json::to_value(alert)?;
        if self.session.json {
            say(&value.to_string())?;
        } else {
            let sign = if alert.raised { "ALERT" } else { "clear" };
            let line = format!("{} {sign}  {}", clock(alert.unix_timestamp), alert.text);
            say(&line)?;
            self.recent.push(line);
            let surplus = self.recent.len().saturating_sub(RECENT);
            self.recent.drain(..surplus);
        }
        if let Some(webhook) = &self.webhook {
            webhook.send(value);
        }
        Ok(())
    }

    fn report_error(&self, error: &anyhow::Error) -> Result<()> {
        if self.session.json {
            let line: Value = json!({"type": "error", "text": format!("{error:#}")});
            say(&line.to_string())?;
        } else {
            eprintln!("ballast: {error:#}; looking again");
        }
        Ok(())
    }
}

/// The modes of the markets in which somebody who is watched has something.
fn modes(seen: &[Seen]) -> Vec<Mode> {
    let states = seen.iter().flat_map(|one| &one.states);
    let modes = states.map(|state| {
        let view = ModeView::new(state);
        Mode {
            index: state.market.index,
            name: state.name(),
            is_open: view.mode == mode_name(MarketMode::Active) && view.ends_at.is_none(),
            words: view.words(),
        }
    });
    modes.collect()
}

/// All positions as a table.
fn table(seen: &[Seen]) -> String {
    let mut table = Table::new(&[
        "trader",
        "market",
        "side",
        ">size",
        ">mark",
        ">age",
        ">equity",
        ">margin ratio",
        ">liquidation",
        "light",
        "steps",
    ]);
    for one in seen {
        for view in &one.positions {
            let state = one
                .states
                .iter()
                .find(|s| s.market.index == view.market_index);
            let Some(state) = state else { continue };
            let units = state.units;
            let none = || "-".to_owned();
            table.row([
                short(&one.trader.to_string()),
                view.market.clone(),
                view.side.to_owned(),
                units.show_size(view.lots.unsigned_abs()),
                units.show_price(view.mark_ticks),
                state.price_age().map_or_else(none, age_words),
                units.collateral.show(view.equity_atoms.into()),
                view.margin_ratio_bps.map_or_else(none, percent_of_bps),
                view.liquidation().map_or_else(none, str::to_owned),
                view.light.map_or_else(none, lights),
                view.protection
                    .as_ref()
                    .map_or_else(none, ProtectionView::brief),
            ]);
        }
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probability_is_read_exactly() {
        assert_eq!(probability("0.05"), Ok(50_000));
        assert_eq!(probability("1"), Ok(1_000_000));
        assert_eq!(probability("0"), Ok(0));
        for bad in ["", "1.0001", "5", "-0.1", "5%", "0.00001"] {
            assert!(probability(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_ratio_is_read_exactly() {
        assert_eq!(ratio("1.5"), Ok(15_000));
        assert_eq!(ratio("2"), Ok(20_000));
        assert_eq!(ratio("0.0001"), Ok(1));
        for bad in ["", ".5", "1.23456", "-1", "x", "1.5x"] {
            assert!(ratio(bad).is_err(), "{bad}");
        }
    }
}
