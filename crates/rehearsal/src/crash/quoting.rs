//! What a market maker quotes, from what it sees.

use anyhow::{Context, Result};
use ballast_client::accounts::BookSnapshot;
use ballast_client::instructions::{orders, MarketKeys};
use ballast_engine::liquidation::{health, Health};
use ballast_engine::oracle::Mark;
use ballast_engine::order::{order_margin, within_band};
use ballast_engine::position::Position;
use ballast_engine::risk::RiskParams;
use ballast_engine::units::{LotPrice, Side, Ticks};
use ballast_risk::makers::{capacity, ladder, MakerStyle, Quote, View, GOOD_FOR, MARGIN_BPS};
use ballast_sandbox::trading::TraderCookie;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs, SelfTrade};
use ballast_state::Pubkey;
use solana_instruction::Instruction;

use super::stage::engine;

const ONE: u64 = 10_000;

/// What a maker sees.
pub struct Desk<'a> {
    /// Parameters of the market.
    pub risk: &'a RiskParams,
    /// Quote atoms of one lot at one tick.
    pub atoms_per_lot_tick: u64,
    /// The mark, ticks.
    pub ticks: u64,
    /// The same as the program sees it.
    pub mark: Mark,
    /// What the maker holds, funding paid.
    pub position: Position,
    /// Its free collateral with what its orders reserve, atoms.
    pub purse: u64,
    /// Best bid and ask of everybody else, ticks.
    pub others: (Option<u64>, Option<u64>),
    /// Least notional of an order that waits, atoms.
    pub least_order: u64,
    /// Unix seconds.
    pub now: i64,
}

impl Desk<'_> {
    /// The part of the maker's ladder that its collateral carries and that crosses nobody.
    pub fn quotes(&self, style: &MakerStyle, stress_bps: u64) -> Result<Vec<PlaceOrderArgs>> {
        let mark = self.mark.price;
        let position = &self.position;
        if health(position, mark, self.risk).map_err(engine)? != Health::Healthy {
            return Ok(Vec::new());
        }
        let mut purse = self.purse;
        let equity = position.equity(mark).map_err(engine)?.positive_part();
        let worth = purse + equity;
        let view = View {
            mark_ticks: self.ticks,
            stress_bps,
            inventory: position.lots.get(),
            capacity: capacity(worth, mark.get()),
        };
        let mut placed = Vec::new();
        for quote in ladder(style, &view) {
            let Some(quote) = behind(quote, self.others) else {
                continue;
            };
            let price = self.lot_price(quote.price_ticks)?;
            let worth = price.notional(quote.lots).map_err(engine)?;
            // The program lets no other order wait.
            let waits = within_band(self.risk, mark, price)
                && (quote.reduce_only || worth >= self.least_order);
            let (args, reserve) = self.order(&quote)?;
            if waits && reserve <= purse {
                purse -= reserve;
                placed.push(args);
            }
        }
        Ok(placed)
    }

    /// A post-only order, and what it reserves.
    fn order(&self, quote: &Quote) -> Result<(PlaceOrderArgs, u64)> {
        let price = self.lot_price(quote.price_ticks)?;
        let margin = price.notional(quote.lots).map_err(engine)? * MARGIN_BPS / ONE;
        let reserve = if quote.reduce_only {
            0
        } else {
            let least = order_margin(self.risk, &self.mark, quote.side, quote.lots, price);
            margin.max(least.map_err(engine)?)
        };
        let args = PlaceOrderArgs {
            side: quote.side.into(),
            kind: OrderKind::PostOnly,
            price_ticks: quote.price_ticks,
            lots: quote.lots,
            margin: if quote.reduce_only { 0 } else { margin },
            client_id: 0,
            expires_at: self.now + GOOD_FOR,
            reduce_only: quote.reduce_only,
            self_trade: SelfTrade::CancelProvide,
        };
        Ok((args, reserve))
    }

    fn lot_price(&self, ticks: u64) -> Result<LotPrice> {
        let price = Ticks::new(ticks).lot_price(self.atoms_per_lot_tick);
        price.map_err(engine)
    }
}

/// A quote that meets no order of anybody else: it steps back behind the best bid and ask.
fn behind(mut quote: Quote, (bid, ask): (Option<u64>, Option<u64>)) -> Option<Quote> {
    quote.price_ticks = match (quote.side, bid, ask) {
        (Side::Long, _, Some(ask)) => quote.price_ticks.min(ask.saturating_sub(1)),
        (Side::Short, Some(bid), _) => quote.price_ticks.max(bid.saturating_add(1)),
        _ => quote.price_ticks,
    };
    (quote.price_ticks > 0).then_some(quote)
}

/// Cancels a maker's orders, if it `cancels`, and places others.
pub fn requote(
    keys: &MarketKeys,
    maker: &TraderCookie,
    cancels: bool,
    quotes: &[PlaceOrderArgs],
) -> Vec<Instruction> {
    let (authority, keys) = (maker.wallet.address(), *keys);
    let mut instructions = Vec::new();
    if cancels {
        let cancel = orders::CancelAllOrders {
            authority,
            keys,
            trader: maker.address,
            side: None,
        };
        instructions.push(cancel.instruction());
    }
    for args in quotes {
        let place = orders::PlaceOrder {
            authority,
            keys,
            trader: maker.address,
            args: *args,
            makers: &[],
        };
        instructions.push(place.instruction());
    }
    instructions
}

/// Best bid and ask of everybody but `trader`, ticks.
pub fn best_of_others(
    snapshot: &BookSnapshot,
    trader: &Pubkey,
    atoms_per_lot_tick: u64,
) -> Result<(Option<u64>, Option<u64>)> {
    let book = snapshot.book().context("book")?;
    let best = |side| -> Result<Option<u64>> {
        for step in book.iter(side) {
            let (_, order) = step.map_err(engine)?;
            if order.trader != trader.to_bytes() {
                return Ok(Some(order.price().get() / atoms_per_lot_tick));
            }
        }
        Ok(None)
    };
    Ok((best(Side::Long)?, best(Side::Short)?))
}
