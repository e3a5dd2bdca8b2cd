//! What the positions of a market would lack after a jump of its price.

use core::ops::RangeInclusive;

use anyhow::Result;
use ballast_client::amount::truncated_decimal;
use ballast_engine::solvency::{gap_curve, Gap};
use ballast_engine::units::Side;
use ballast_report::table::Table;
use serde::Serialize;

use crate::failure::Computed;
use crate::state::MarketState;

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
            gaps: rows.collect(),
        })
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
        ]);
        for gap in &self.gaps {
            table.row([
                format!("{}%", truncated_decimal(gap.move_bps.into(), 2, 0)),
                state.units.show_price(gap.mark_ticks),
                gap.bankrupt_positions.to_string(),
                atoms(gap.deficit_atoms),
                atoms(gap.beyond_insurance_atoms),
            ]);
        }
        format!(
            "{} at {} ({}); insurance may pay {} now\nif the price jumped and nobody acted in between:\n{}",
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
