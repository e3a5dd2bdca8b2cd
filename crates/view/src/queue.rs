//! Who is deleveraged first.

use anyhow::{Context, Result};
use ballast_client::amount::truncated_decimal;
use ballast_client::ranking::RankedEntry;
use ballast_engine::rank::INFINITE_SCORE;
use ballast_engine::units::Side;
use ballast_report::table::Table;
use ballast_state::position_slot::PositionSlot;
use ballast_state::Pubkey;
use serde::Serialize;

use crate::failure::Computed;
use crate::positions::{class_name, light_of, lights};
use crate::state::MarketState;

/// A position of the queue as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct Place {
    /// From 1.
    rank: u32,
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

/// How much stands at a light.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct LightCount {
    positions: u32,
    lots: u64,
}

/// The queue of a side as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct SideView {
    side: &'static str,
    positions: u32,
    /// Positions and lots at each light, from 0 to 5; at 0 those that are no winners at the mark.
    lights: [LightCount; 6],
    places: Vec<Place>,
    /// Where the trader asked for stands.
    pub trader: Option<TraderPlace>,
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

/// Where a trader stands in its market, as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct Standing {
    market_index: u16,
    market: String,
    slot: u64,
    mark_ticks: u64,
    mark: String,
    mark_source: &'static str,
    mark_age_seconds: Option<i64>,
    side: &'static str,
    /// Positions of the queue that may be cut.
    queue_eligible: u32,
    #[serde(flatten)]
    place: TraderPlace,
}

impl Standing {
    /// Of a trader account's slot in the market, without ranking the whole queue.
    pub fn new(state: &MarketState, slot: &PositionSlot) -> Result<Self> {
        let position = slot.position().map_err(anyhow::Error::from)?;
        let side = position.side().context("there is no position")?;
        Self::of(state, side, slot.queue_node)
    }

    /// Of the position at a node of a queue.
    pub fn of(state: &MarketState, side: Side, node: u32) -> Result<Self> {
        let moment = state.moment()?;
        let (place, queue_eligible) = TraderPlace::new(state, side, node)?;
        Ok(Self {
            market_index: state.market.index,
            market: state.name(),
            slot: state.slot,
            mark_ticks: moment.price_ticks,
            mark: state.units.price(moment.price_ticks),
            mark_source: state.mark_ticks().map_or("", |(_, source)| source.name()),
            mark_age_seconds: state.price_age(),
            side: side.name(),
            queue_eligible,
            place,
        })
    }
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
        let sides = sides.iter().map(|side| RankedSide::new(state, *side));
        let sides = sides.collect::<Result<Vec<RankedSide>>>()?;
        Self::of(state, &sides, top, trader)
    }

    /// The same of sides that have been ranked already, of `state`.
    pub fn of(
        state: &MarketState,
        sides: &[RankedSide],
        top: usize,
        trader: Option<&Pubkey>,
    ) -> Result<Self> {
        let moment = state.moment()?;
        let sides = sides.iter().map(|side| side.view(state, top, trader));
        let sides: Result<Vec<SideView>> = sides.collect();
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

/// A side of a market in order, ranked once and shown as often as it is asked for.
pub struct RankedSide {
    side: Side,
    entries: Vec<RankedEntry>,
    /// Lots and worth of those before each.
    ahead: Vec<(u64, u64)>,
    lights: [LightCount; 6],
}

impl RankedSide {
    /// Ranks a side.
    pub fn new(state: &MarketState, side: Side) -> Result<Self> {
        let (entries, mark) = (state.ranking(side)?, state.mark()?);
        let mut lights = [LightCount::default(); 6];
        let mut ahead = Vec::with_capacity(entries.len());
        let (mut lots, mut notional) = (0_u64, 0_u64);
        for entry in &entries {
            let light = light_of(entry.class, entry.light);
            if let Some(count) = lights.get_mut(usize::from(light)) {
                count.positions = count.positions.saturating_add(1);
                count.lots = count.lots.saturating_add(entry.position.size());
            }
            ahead.push((lots, notional));
            lots = lots.saturating_add(entry.position.size());
            notional = notional.saturating_add(entry.position.notional(mark).computed()?);
        }
        Ok(Self {
            side,
            entries,
            ahead,
            lights,
        })
    }

    /// The side.
    pub const fn side(&self) -> Side {
        self.side
    }

    /// The positions, the first to be cut first.
    pub fn entries(&self) -> &[RankedEntry] {
        &self.entries
    }

    /// How many positions.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The position of a trader account, if it has one on this side.
    pub fn of_trader(&self, trader: &Pubkey) -> Option<&RankedEntry> {
        Some(self.place_of(trader)?.1)
    }

    /// The same with how many rank before it.
    pub fn place_of(&self, trader: &Pubkey) -> Option<(usize, &RankedEntry)> {
        let mut places = self.entries.iter().enumerate();
        places.find(|(_, entry)| entry.trader == *trader)
    }

    /// Its `top` first places, and that of `trader`, as they are printed. `state` is what it was ranked of.
    pub fn view(
        &self,
        state: &MarketState,
        top: usize,
        trader: Option<&Pubkey>,
    ) -> Result<SideView> {
        let found = trader.and_then(|trader| self.of_trader(trader));
        let found = found.map(|entry| TraderPlace::new(state, self.side, entry.node));
        let ranked = (1_u32..).zip(self.entries.iter().zip(&self.ahead));
        let places = ranked.take(top).map(|(rank, (entry, (lots, notional)))| {
            Place::new(state, rank, entry, *lots, *notional)
        });
        Ok(SideView {
            side: self.side.name(),
            positions: u32::try_from(self.entries.len())?,
            lights: self.lights,
            places: places.collect::<Result<_>>()?,
            trader: found.transpose()?.map(|(place, _)| place),
        })
    }
}

impl SideView {
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
        rank: u32,
        entry: &RankedEntry,
        lots_ahead: u64,
        notional_ahead_atoms: u64,
    ) -> Result<Self> {
        let lots = entry.position.size();
        Ok(Self {
            rank,
            light: light_of(entry.class, entry.light),
            trader: entry.trader.to_string(),
            class: class_name(entry.class),
            score_q32: score_text(entry.score_q32),
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
    /// The position at a node of a queue, and how many of the queue may be cut.
    fn new(state: &MarketState, side: Side, node: u32) -> Result<(Self, u32)> {
        let entry = *state.queue(side)?.queue()?.entry(node).computed()?;
        let found = state.standing(side, node)?;
        let first = state.price_to_be_first(side, node)?;
        let (standing, lots) = (&found.standing, found.position.size());
        let place = Place {
            rank: standing.rank.saturating_add(1),
            light: light_of(standing.ranked.class, standing.light),
            trader: Pubkey::new_from_array(entry.trader).to_string(),
            class: class_name(standing.ranked.class),
            score_q32: score_text(found.score_q32),
            lots,
            size: state.units.size(lots),
            notional_atoms: found.position.notional(state.mark()?).computed()?,
            cap_left_lots: found.cap_left,
            lots_ahead: standing.lots_ahead,
            notional_ahead_atoms: u64::try_from(standing.notional_ahead)?,
        };
        let place = Self {
            place,
            cuttable_ahead_lots: standing.cuttable_ahead,
            first_in_line_ticks: first,
            first_in_line_price: first.map(|ticks| state.units.price(ticks)),
        };
        Ok((place, standing.eligible))
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

/// A score in units of 2^-32.
fn score_text(q32: i128) -> String {
    match q32 {
        INFINITE_SCORE => "infinite".to_owned(),
        score => score.to_string(),
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
