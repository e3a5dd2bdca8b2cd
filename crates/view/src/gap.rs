//! What the positions of a market would lack after a jump of its price.

use core::ops::RangeInclusive;

use anyhow::{anyhow, Context, Result};
use ballast_client::amount::truncated_decimal;
use ballast_client::pooling::{capacity, Jump};
use ballast_engine::cross::LegTerms;
use ballast_engine::margin::MarginScale;
use ballast_engine::oracle::Mark;
use ballast_engine::solvency::{gap_curve, Gap};
use ballast_engine::units::{LotPrice, Side};
use ballast_report::table::Table;
use ballast_state::cross::{CrossBoard, Legs, Present};
use ballast_state::pool::Pool;
use ballast_state::trader::Trader;
use serde::Serialize;

use crate::failure::Computed;
use crate::state::MarketState;

/// What the column of the pool means.
const POOL_WORDS: &str = "What the pool could take is notional of the side that loses, at the market's highest discount, within its cap, window and drawdown: room, not a promise. It pays no deficit.";

/// What a jump leaves, as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct GapRow {
    /// The move, basis points of the mark.
    move_bps: i32,
    mark_ticks: u64,
    mark: String,
    bankrupt_positions: u32,
    /// What they lack in all.
    deficit_atoms: u64,
    /// What of it insurance may not pay.
    beyond_insurance_atoms: u64,
    /// Lots of the side that loses that the market's pool could take over then; without a pool, and without
    /// a move, it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pool_lots: Option<u64>,
    /// Their notional at that price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pool_notional_atoms: Option<u64>,
    #[serde(skip)]
    price: LotPrice,
}

impl GapRow {
    /// Counts the leg of a cross account, where the account would be bankrupt.
    fn add_account(
        &mut self,
        trader: &Trader,
        board: &CrossBoard,
        present: &Present<'_>,
    ) -> Result<()> {
        let legs = Legs::at(trader, board, present)?;
        let values = legs.account().values()?;
        let index = trader.find_leg(&present.market).context("a leg")?;
        let share = values.share(legs.place_of(index)?)?.get();
        if share < 0 {
            self.bankrupt_positions = self.bankrupt_positions.saturating_add(1);
            self.deficit_atoms = self.deficit_atoms.saturating_add(share.unsigned_abs());
        }
        Ok(())
    }
}

/// A market's pool and its trader account.
pub struct Pooled {
    /// The pool.
    pub pool: Pool,
    /// Its trader account.
    pub trader: Trader,
}

impl Pooled {
    /// Lots of the side that a move loses for that the pool could take at the price after it, and their
    /// notional.
    fn could_take(&self, state: &MarketState, gap: &GapRow) -> Result<Option<(u64, u64)>> {
        let side = match gap.move_bps {
            ..0 => Side::Long,
            0 => return Ok(None),
            _ => Side::Short,
        };
        let tick = state.units.atoms_per_lot_tick;
        let average = match &state.price {
            Ok(price) => price.average(tick),
            Err(_) => state.mark()?,
        };
        let jump = Jump {
            price: gap.price,
            average,
            index: state.funding_index()?,
            slot: state.slot,
            has_room: state.queue(side)?.queue()?.has_room(),
        };
        let lots = capacity(&state.market, &self.pool, &self.trader, side, &jump);
        let lots = lots.map_err(|error| anyhow!("{}: {error}", error.name()))?;
        Ok(Some((lots, gap.price.notional(lots).computed()?)))
    }
}

/// The gap curve of a market as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct GapView {
    market_index: u16,
    market: String,
    slot: u64,
    mark_ticks: u64,
    mark: String,
    insurance_available_atoms: u64,
    #[serde(skip)]
    has_pool: bool,
    /// From the largest fall to the largest rise.
    pub gaps: Vec<GapRow>,
}

impl GapView {
    /// Moves that can be asked for, per cent.
    const MOVES: RangeInclusive<i32> = 1..=90;

    /// What is wrong with moves of `percent`, if anything is.
    pub fn refused(percent: &[i32]) -> Option<String> {
        let (least, most) = (Self::MOVES.start(), Self::MOVES.end());
        let wrong = percent.iter().find(|one| !Self::MOVES.contains(one))?;
        Some(format!(
            "a move of {wrong}%; expected {least} to {most} per cent"
        ))
    }

    /// At moves of `percent` down and up.
    pub fn new(state: &MarketState, percent: &[i32]) -> Result<Self> {
        let available = state.insurance_available()?;
        let mut moves: Vec<i32> = percent.iter().flat_map(|one| [-one, *one]).collect();
        moves.push(0);
        moves.sort_unstable();
        moves.dedup();
        let moves: Vec<i32> = moves.iter().map(|one| one * 100).collect();
        let [longs, shorts] = [Side::Long, Side::Short].map(|side| curve(state, side, &moves));
        let rows = longs?.into_iter().zip(shorts?).map(|(long, short)| {
            let deficit = long.deficits.atoms.saturating_add(short.deficits.atoms);
            let ticks = state.units.ticks_of(long.price.get());
            GapRow {
                move_bps: long.move_bps,
                mark_ticks: ticks,
                mark: state.units.price(ticks),
                bankrupt_positions: long.deficits.count + short.deficits.count,
                deficit_atoms: deficit,
                beyond_insurance_atoms: deficit.saturating_sub(available),
                pool_lots: None,
                pool_notional_atoms: None,
                price: long.price,
            }
        });
        let ticks = state.moment()?.price_ticks;
        Ok(Self {
            market_index: state.market.index,
            market: state.name(),
            slot: state.slot,
            mark_ticks: ticks,
            mark: state.units.price(ticks),
            insurance_available_atoms: available,
            has_pool: false,
            gaps: rows.collect(),
        })
    }

    /// With the parts of the deficits of cross accounts that their legs in this market would bear, the prices of
    /// their other markets as the board has them.
    ///
    /// # Errors
    /// `CrossDisabled`, `BoardLayout`, `Overflow`.
    pub fn with_cross<'a>(
        mut self,
        state: &MarketState,
        board: &CrossBoard,
        traders: impl IntoIterator<Item = &'a Trader>,
    ) -> Result<Self> {
        let (market, terms) = (state.keys.market, LegTerms::of(state.market.params()));
        let funding_index = state.funding_index()?;
        let held = |trader: &&Trader| trader.find_leg(&market).is_some();
        for trader in traders.into_iter().filter(held) {
            for gap in &mut self.gaps {
                let present = Present {
                    market,
                    mark: Mark {
                        price: gap.price,
                        confidence: 0,
                        average: None,
                        scale: MarginScale::NONE,
                    },
                    funding_index,
                    terms: &terms,
                };
                gap.add_account(trader, board, &present)?;
            }
        }
        let available = self.insurance_available_atoms;
        for gap in &mut self.gaps {
            gap.beyond_insurance_atoms = gap.deficit_atoms.saturating_sub(available);
        }
        Ok(self)
    }

    /// With what the market's pool could take at each of them.
    ///
    /// # Errors
    /// `PriceOutOfRange`, `RiskTiers`, `Overflow`.
    pub fn with_pool(mut self, state: &MarketState, pool: &Pooled) -> Result<Self> {
        for gap in &mut self.gaps {
            let taken = pool.could_take(state, gap)?;
            (gap.pool_lots, gap.pool_notional_atoms) = taken.unzip();
        }
        self.has_pool = true;
        Ok(self)
    }

    /// In words.
    pub fn words(&self, state: &MarketState) -> String {
        let atoms = |atoms: u64| state.units.collateral.show(atoms.into());
        let mut table = Table::new(&[
            ">move",
            ">mark",
            ">bankrupt",
            ">they lack",
            ">beyond insurance",
            ">the pool could take",
        ]);
        for gap in &self.gaps {
            table.row([
                format!("{}%", truncated_decimal(gap.move_bps.into(), 2, 0)),
                state.units.show_price(gap.mark_ticks),
                gap.bankrupt_positions.to_string(),
                atoms(gap.deficit_atoms),
                atoms(gap.beyond_insurance_atoms),
                gap.pool_notional_atoms.map_or_else(String::new, atoms),
            ]);
        }
        let pool = match self.has_pool {
            true => POOL_WORDS,
            false => "The market has no pool.",
        };
        format!(
            "{} at {} ({}); insurance may pay {} now\nif the price jumped and nobody acted in between:\n{}\n{pool}",
            self.market,
            state.units.show_price(self.mark_ticks),
            state.price_words(),
            atoms(self.insurance_available_atoms),
            table.render()
        )
    }
}

/// The curve of a side; every position counts, whether or not somebody has flagged it.
fn curve(state: &MarketState, side: Side, moves: &[i32]) -> Result<Vec<Gap>> {
    let queue = state.queue(side)?.queue()?;
    let (mark, index) = (state.mark()?, state.funding_index()?);
    let gaps = gap_curve(queue, mark, index, moves.iter().copied());
    gaps.map(Computed::computed).collect()
}
