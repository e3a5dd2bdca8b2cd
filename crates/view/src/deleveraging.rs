//! A round of deleveraging as the program would play it now.

use anyhow::{Context, Result};
use ballast_client::ranking::{begin, plan, PlannedCut, Request};
use ballast_state::trader::Trader;
use ballast_state::Pubkey;
use serde::Serialize;

use crate::failure::Computed;
use crate::state::MarketState;

/// What a round does to a counterparty, as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct CutView {
    trader: String,
    lots_before: i64,
    /// Lots closed.
    lots: u64,
    size: String,
    quote_atoms: i64,
    realized_atoms: i64,
    margin_released_atoms: i64,
    to_free_collateral_atoms: i64,
    gave_up_atoms: u64,
    lots_after: i64,
}

impl CutView {
    fn new(state: &MarketState, planned: &PlannedCut) -> Result<Self> {
        let cut = &planned.cut;
        Ok(Self {
            trader: planned.trader.to_string(),
            lots_before: planned.before.lots.get(),
            lots: cut.lots,
            size: state.units.size(cut.lots),
            quote_atoms: cut.quote.get(),
            realized_atoms: cut.realized.get(),
            margin_released_atoms: cut.payout.try_sub(cut.realized).computed()?.get(),
            to_free_collateral_atoms: cut.payout.get(),
            gave_up_atoms: cut.gave_up,
            lots_after: cut.position_after.lots.get(),
        })
    }
}

/// A round as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct RoundView {
    market_index: u16,
    market: String,
    slot: u64,
    mark_ticks: u64,
    mark: String,
    mark_age_seconds: Option<i64>,
    /// What keeps the program from using the price.
    price_fault: Option<&'static str>,
    bankrupt: String,
    lots_before: i64,
    /// The trader accounts that `auto_deleverage` lists, in order: those to be cut, then spares.
    pub counterparties: Vec<String>,
    counterparty_side: &'static str,
    pass: u32,
    /// Whether the round opens the pass: everybody eligible is at the cap of the one before.
    new_pass: bool,
    deficit_atoms: u64,
    insurance_paid_atoms: u64,
    close_quote_atoms: i64,
    close_lots: u64,
    closed_lots: u64,
    gave_up_atoms: u64,
    /// The deficit of the lots that stay open.
    deficit_after_atoms: u64,
    /// In the order of the cuts.
    cuts: Vec<CutView>,
}

impl RoundView {
    /// The round that `auto_deleverage` of a trader account would play, cutting `most` counterparties
    /// and listing `spares` beyond those.
    ///
    /// # Errors
    /// What the program would answer: `NotBankrupt`, `InsuranceCanPay`, `BookCanAbsorb` and others.
    pub fn new(
        state: &MarketState,
        address: &Pubkey,
        trader: &Trader,
        most: usize,
        spares: usize,
    ) -> Result<Self> {
        let none = || format!("{address} has no position in {}", state.name());
        let slot = trader.slot(&state.keys.market).ok().with_context(none)?;
        let position = slot.position().map_err(anyhow::Error::from)?;
        let side = position.side().with_context(none)?;
        let moment = state.priced_moment()?;
        let queue = state.queue(side.opposite())?.queue()?;
        let book = state.book.book()?;
        let taker = book
            .best_price_but_of(side, address.as_array())
            .computed()?;
        begin(&state.market, &queue, slot, &moment, taker).computed()?;
        let request = Request {
            bankrupt: *address,
            max_counterparties: most,
            spares,
        };
        let planned = plan(&state.market, &queue, slot, &moment, &request).computed()?;
        let (round, summary) = (&planned.round, &planned.summary);
        let cuts = planned.cuts.iter().map(|cut| CutView::new(state, cut));
        Ok(Self {
            market_index: state.market.index,
            market: state.name(),
            slot: state.slot,
            mark_ticks: moment.price_ticks,
            mark: state.units.price(moment.price_ticks),
            mark_age_seconds: state.price_age(),
            price_fault: state.price_fault(),
            bankrupt: address.to_string(),
            lots_before: planned.bankrupt_before.lots.get(),
            counterparties: planned
                .counterparties
                .iter()
                .map(Pubkey::to_string)
                .collect(),
            counterparty_side: round.side.name(),
            pass: round.epoch,
            new_pass: planned.reopens,
            deficit_atoms: summary.deficit,
            insurance_paid_atoms: summary.insurance_paid,
            close_quote_atoms: round.close.quote,
            close_lots: round.close.lots,
            closed_lots: summary.lots,
            gave_up_atoms: summary.gave_up,
            deficit_after_atoms: summary.deficit_after().computed()?,
            cuts: cuts.collect::<Result<_>>()?,
        })
    }
}
