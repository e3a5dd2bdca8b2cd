//! `ballast queue`: who is deleveraged first.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_client::amount::truncated_decimal;
use ballast_client::ranking::RankedEntry;
use ballast_engine::rank::INFINITE_SCORE;
use ballast_engine::units::{Side, Ticks};
use ballast_report::table::Table;
use clap::Args;
use serde::Serialize;

use super::failure::{Computed, Usage};
use super::options::PositionSide;
use super::positions::{class_name, light_of, lights};
use super::session::Session;
use super::state::{MarketState, Parts};

/// Positions shown unless told otherwise.
const SHOWN: usize = 20;

/// Arguments of `queue`.
#[derive(Clone, Debug, Args)]
pub struct QueueArgs {
    /// Number, name or address of the market.
    #[arg(long, value_name = "MARKET", default_value = "0")]
    market: String,
    /// Only this side [default: both].
    #[arg(long, value_enum)]
    side: Option<PositionSide>,
    /// Positions to show of each side, the first to be cut first.
    #[arg(long, value_name = "N", default_value_t = SHOWN)]
    top: usize,
    /// Where this trader account stands.
    #[arg(long, value_name = "ADDRESS")]
    trader: Option<Pubkey>,
}

/// A position of the queue as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct Place {
    rank: usize,
    light: u8,
    trader: String,
    /// `winner`, `other` or `insolvent`.
    class: &'static str,
    /// Score in units of 2^-32; `infinite` in profit without equity.
    score_q32: String,
    lots: u64,
    size: String,
    notional_atoms: u64,
    cap_left_lots: u64,
    lots_ahead: u64,
    notional_ahead_atoms: u64,
}

/// The queue of a side as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct SideView {
    side: &'static str,
    positions: usize,
    places: Vec<Place>,
    /// Where the trader asked for stands.
    trader: Option<TraderPlace>,
}

/// Where a trader stands, as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct TraderPlace {
    #[serde(flatten)]
    place: Place,
    /// Lots before it that the passes which count may still cut.
    cuttable_ahead_lots: u64,
    /// The mark nearest to the present one at which it would be the first to be cut; `null` when
    /// there is none.
    first_in_line_ticks: Option<u64>,
    first_in_line_price: Option<String>,
}

/// The queues of a market as they are printed.
#[derive(Clone, Debug, Serialize)]
pub struct QueueView {
    market_index: u16,
    market: String,
    slot: u64,
    mark_ticks: u64,
    mark: String,
    mark_source: &'static str,
    mark_age_seconds: Option<i64>,
    /// The queues asked for.
    pub sides: Vec<SideView>,
}

impl QueueView {
    /// The first `top` places of `sides`, and where `trader` stands.
    pub fn new(
        state: &MarketState,
        sides: &[Side],
        top: usize,
        trader: Option<&Pubkey>,
    ) -> Result<Self> {
        let moment = state.moment()?;
        let sides: Result<Vec<SideView>> = sides
            .iter()
            .map(|side| SideView::new(state, *side, top, trader))
            .collect();
        Ok(Self {
            market_index: state.market.index,
            market: state.name(),
            slot: state.slot,
            mark_ticks: moment.price_ticks,
            mark: state.units.price(moment.price_ticks),
            mark_source: state.mark_ticks().map_or("", |(_, source)| source.name()),
            mark_age_seconds: state.price_age(),
            sides: sides?,
        })
    }

    /// In words; a table a side.
    pub fn words(&self, state: &MarketState) -> String {
        let title = format!(
            "{} at {} ({}, {})",
            self.market,
            state.units.show_price(self.mark_ticks),
            self.mark_source.replace('_', " "),
            state.price_words()
        );
        let sides: Vec<String> = self.sides.iter().map(|side| side.words(state)).collect();
        format!("{title}\n\n{}", sides.join("\n\n"))
    }
}

impl SideView {
    fn new(state: &MarketState, side: Side, top: usize, trader: Option<&Pubkey>) -> Result<Self> {
        let ranking = state.ranking(side)?;
        let (mut places, mut found) = (Vec::new(), None);
        let (mut lots, mut notional) = (0_u64, 0_u64);
        for (rank, entry) in ranking.iter().enumerate() {
            let wanted = trader == Some(&entry.trader);
            let place = Place::new(state, rank, entry, lots, notional)?;
            lots = lots.saturating_add(place.lots);
            notional = notional.saturating_add(place.notional_atoms);
            if wanted {
                found = Some(TraderPlace::new(state, side, entry.node, place.clone())?);
            }
            if rank < top {
                places.push(place);
            }
        }
        Ok(Self {
            side: side.name(),
            positions: ranking.len(),
            places,
            trader: found,
        })
    }

    fn words(&self, state: &MarketState) -> String {
        let mut table = Table::new(&[
            ">rank",
            "light",
            "trader account",
            ">size",
            ">worth",
            ">score",
            ">size ahead",
            ">worth ahead",
        ]);
        for place in &self.places {
            table.row(place.row(state));
        }
        let mut text = format!(
            "{} {}, the first to be cut first\n{}",
            self.positions,
            self.side,
            table.render()
        );
        if let Some(place) = &self.trader {
            text.push_str(&format!("\n\n{}", place.words(state)));
        }
        text
    }
}

impl Place {
    fn new(
        state: &MarketState,
        rank: usize,
        entry: &RankedEntry,
        lots_ahead: u64,
        notional_ahead_atoms: u64,
    ) -> Result<Self> {
        let lots = entry.position.size();
        Ok(Self {
            rank: rank + 1,
            light: light_of(entry.class, entry.light),
            trader: entry.trader.to_string(),
            class: class_name(entry.class),
            score_q32: match entry.score_q32 {
                INFINITE_SCORE => "infinite".to_owned(),
                score => score.to_string(),
            },
            lots,
            size: state.units.size(lots),
            notional_atoms: entry.position.notional(state.mark()?).computed()?,
            cap_left_lots: entry.cap_left,
            lots_ahead,
            notional_ahead_atoms,
        })
    }

    fn row(&self, state: &MarketState) -> [String; 8] {
        let units = state.units;
        [
            self.rank.to_string(),
            lights(self.light),
            self.trader.clone(),
            units.show_size(self.lots),
            units.collateral.show(self.notional_atoms.into()),
            match self.class {
                "winner" => score_words(&self.score_q32),
                "other" => "no winner".to_owned(),
                other => other.to_owned(),
            },
            units.show_size(self.lots_ahead),
            units.collateral.show(self.notional_ahead_atoms.into()),
        ]
    }
}

impl TraderPlace {
    fn new(state: &MarketState, side: Side, node: u32, place: Place) -> Result<Self> {
        let first = state.price_to_be_first(side, node)?;
        Ok(Self {
            place,
            cuttable_ahead_lots: state.standing(side, node)?.cuttable_ahead,
            first_in_line_ticks: first.map(Ticks::get),
            first_in_line_price: first.map(|ticks| state.units.price(ticks.get())),
        })
    }

    fn words(&self, state: &MarketState) -> String {
        let (units, place) = (state.units, &self.place);
        let standing = if place.class == "insolvent" {
            format!("{} is insolvent at the mark: it is not cut.", place.trader)
        } else if place.class == "other" {
            format!(
                "{} is no winner at the mark: it is cut after every winner.",
                place.trader
            )
        } else {
            format!(
                "{} {} is in place {}: {} worth {} rank before it, of which {} may still be cut in this pass.",
                lights(place.light),
                place.trader,
                place.rank,
                units.show_size(place.lots_ahead),
                units.collateral.show(place.notional_ahead_atoms.into()),
                units.show_size(self.cuttable_ahead_lots)
            )
        };
        let first = match self.first_in_line_ticks {
            Some(_) if place.rank == 1 && place.light > 0 => {
                "It is the first in line now.".to_owned()
            }
            Some(ticks) => format!(
                "It would be the first in line at a mark of {}.",
                units.show_price(ticks)
            ),
            None => "At no mark would it be the first in line.".to_owned(),
        };
        format!("{standing}\n{first}")
    }
}

/// A score with three decimals, cut off.
fn score_words(q32: &str) -> String {
    let Ok(score) = q32.parse::<i128>() else {
        return q32.to_owned();
    };
    let thousandths = score.saturating_mul(1_000) / (1 << 32);
    truncated_decimal(thousandths, 3, 3)
}

/// Runs `ballast queue`.
pub async fn run(session: &Session, args: &QueueArgs) -> Result<()> {
    let state = session.market(&args.market, Parts::Queues).await?;
    let sides = match args.side {
        Some(side) => vec![side.into()],
        None => vec![Side::Long, Side::Short],
    };
    let view = QueueView::new(&state, &sides, args.top, args.trader.as_ref())?;
    if let Some(trader) = args
        .trader
        .filter(|_| view.sides.iter().all(|side| side.trader.is_none()))
    {
        return Err(Usage(format!(
            "{trader} has no position in these queues; expected a trader account with one in {}",
            state.name()
        ))
        .into());
    }
    session.answer(&view, || view.words(&state))
}
