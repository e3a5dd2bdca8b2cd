//! The trading floor: market makers that quote, takers and stop-losses that trade with them.

use anyhow::{Context, Result};
use ballast_client::instructions::orders;
use ballast_engine::liquidation::{health, Health};
use ballast_engine::margin::initial_margin;
use ballast_engine::oracle::Mark;
use ballast_engine::order::{order_margin, within_band};
use ballast_engine::position::Position;
use ballast_engine::units::{LotPrice, Side, Ticks};
use ballast_risk::makers::{
    capacity, ladder, MakerStyle, Quote, Stress, View, GOOD_FOR, MARGIN_BPS,
};
use ballast_sandbox::trading::TraderCookie;
use ballast_state::instructions::PlaceTriggerArgs;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs, SelfTrade};
use ballast_state::trigger::TriggerKind;
use ballast_state::Pubkey;

use super::diary::Diary;
use super::stage::{engine, Stage, CONFIDENCE_BPS};
use crate::scenario::flow::Flow;
use crate::scenario::market::MarketPlan;
use crate::scenario::population::Population;

const ONE: u64 = 10_000;

/// Everybody at the book, and what they have seen.
#[derive(Clone, Debug)]
pub struct Floor {
    /// Sizes and numbers.
    pub plan: MarketPlan,
    /// How each maker quotes.
    style: MakerStyle,
    /// The last prices.
    pub stress: Stress,
    /// What happens by chance.
    pub flow: Flow,
}

impl Floor {
    /// Nobody has traded yet.
    pub fn new(plan: MarketPlan, min_lots: u64, seed: u64) -> Self {
        Self {
            plan,
            style: MakerStyle {
                depth_lots: plan.depth_lots,
                spread_bps: plan.spread_bps,
                min_lots,
            },
            stress: Stress::default(),
            flow: Flow::new(seed),
        }
    }

    /// Creates the accounts of makers and takers, with their collateral.
    pub fn create_accounts(&self, stage: &mut Stage) -> Result<()> {
        for _ in 0..self.plan.makers {
            let maker = stage.sandbox.create_trader(self.plan.maker_capital)?;
            stage.makers.push(maker);
        }
        for _ in 0..self.plan.takers {
            let taker = stage.sandbox.create_trader(self.plan.taker_capital)?;
            stage.takers.push(taker);
        }
        Ok(())
    }

    /// Sets the stop-losses of the population; returns how many.
    pub fn place_stop_losses(&mut self, stage: &mut Stage, people: &Population) -> Result<u64> {
        let (market, price) = (stage.market.clone(), stage.ticks()?);
        let mut placed = 0;
        for (member, trader) in people.members.iter().zip(stage.traders.clone()) {
            let percent = self.plan.stop_loss_percent;
            let Some(price_ticks) = self.flow.stop_loss(member, percent, price) else {
                continue;
            };
            let args = PlaceTriggerArgs {
                kind: TriggerKind::StopLoss,
                price_ticks,
                worst_ticks: 0,
                lots: member.lots,
            };
            let result = stage.sandbox.place_trigger(&market, &trader, args);
            stage.must("place_trigger", result)?;
            placed += 1;
        }
        Ok(placed)
    }

    /// Every maker looks at the new price; those that do not miss it quote anew.
    pub fn quote(&mut self, stage: &mut Stage, diary: &mut Diary) -> Result<()> {
        self.stress.see(stage.ticks()?);
        let stress = self.stress.bps();
        for maker in stage.makers.clone() {
            if !self.flow.misses(stress) {
                self.requote(stage, diary, &maker)?;
            }
        }
        Ok(())
    }

    /// Cancels a maker's orders and places its ladder, in one transaction.
    fn requote(&self, stage: &mut Stage, diary: &mut Diary, maker: &TraderCookie) -> Result<()> {
        let (authority, keys) = (maker.wallet.address(), stage.market.keys);
        let slot = stage.sandbox.position(&stage.market, &maker.address);
        let mut instructions = Vec::new();
        if slot.is_some_and(|slot| slot.order_count > 0) {
            let cancel = orders::CancelAllOrders {
                authority,
                keys,
                trader: maker.address,
                side: None,
            }
            .instruction();
            instructions.push(cancel);
        }
        let quotes = self.affordable(stage, maker)?;
        for (args, _) in &quotes {
            let place = orders::PlaceOrder {
                authority,
                keys,
                trader: maker.address,
                args: *args,
                makers: &[],
            }
            .instruction();
            instructions.push(place);
        }
        if instructions.is_empty() {
            return Ok(());
        }
        let signer = &maker.wallet.keypair;
        let result = stage.sandbox.send(&instructions, &[signer]);
        match stage.metered("requote (cancel_all_orders, place_order)", result) {
            Ok(_) => diary.book.orders_placed += u64::try_from(quotes.len())?,
            Err(error) => diary.refusals.push(format!("requote: {error}")),
        }
        Ok(())
    }

    /// The part of a maker's ladder that its collateral carries and that crosses nobody.
    fn affordable(
        &self,
        stage: &Stage,
        maker: &TraderCookie,
    ) -> Result<Vec<(PlaceOrderArgs, u64)>> {
        let mark = stage.mark()?;
        let position = stage
            .open_position(&maker.address)?
            .map_or(Position::default(), |open| open.position);
        if health(&position, mark, &stage.risk).map_err(engine)? != Health::Healthy {
            return Ok(Vec::new());
        }
        let mut purse = stage.purse(&maker.address)?;
        let equity = position.equity(mark).map_err(engine)?.positive_part();
        let worth = purse + equity;
        let view = View {
            mark_ticks: stage.ticks()?,
            stress_bps: self.stress.bps(),
            inventory: position.lots.get(),
            capacity: capacity(worth, mark.get()),
        };
        let others = stage.best_of_others(&maker.address)?;
        let least = stage.sandbox.market(&stage.market).least_order_atoms();
        let mut placed = Vec::new();
        for quote in ladder(&self.style, &view) {
            let Some(quote) = behind(quote, others) else {
                continue;
            };
            let price = stage.lot_price(quote.price_ticks)?;
            let worth = price.notional(quote.lots).map_err(engine)?;
            // The program lets no other order wait.
            let waits =
                within_band(&stage.risk, mark, price) && (quote.reduce_only || worth >= least);
            let (args, reserve) = self.order(stage, &quote)?;
            if waits && reserve <= purse {
                purse -= reserve;
                placed.push((args, reserve));
            }
        }
        Ok(placed)
    }

    /// A post-only order, and what it reserves.
    fn order(&self, stage: &Stage, quote: &Quote) -> Result<(PlaceOrderArgs, u64)> {
        let price = stage.lot_price(quote.price_ticks)?;
        let margin = price.notional(quote.lots).map_err(engine)? * MARGIN_BPS / ONE;
        let reserve = if quote.reduce_only {
            0
        } else {
            let mark = stage.quoted_mark()?;
            let least = order_margin(&stage.risk, &mark, quote.side, quote.lots, price);
            margin.max(least.map_err(engine)?)
        };
        let args = PlaceOrderArgs {
            side: quote.side.into(),
            kind: OrderKind::PostOnly,
            price_ticks: quote.price_ticks,
            lots: quote.lots,
            margin: if quote.reduce_only { 0 } else { margin },
            client_id: 0,
            expires_at: stage.now().timestamp + GOOD_FOR,
            reduce_only: quote.reduce_only,
            self_trade: SelfTrade::CancelProvide,
        };
        Ok((args, reserve))
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

impl Stage {
    /// Price of a lot.
    fn lot_price(&self, ticks: u64) -> Result<LotPrice> {
        let price = Ticks::new(ticks).lot_price(self.units.atoms_per_lot_tick);
        price.map_err(engine)
    }

    /// Free collateral of a trader with what its orders reserve, atoms.
    pub fn purse(&self, trader: &Pubkey) -> Result<u64> {
        let slot = self.sandbox.position(&self.market, trader);
        let reserved = slot.map_or(0, |slot| slot.order_margin);
        Ok(u64::try_from(self.sandbox.trader(trader).free)? + reserved)
    }

    /// The mark with its confidence, as the program sees it.
    pub fn quoted_mark(&self) -> Result<Mark> {
        let confidence = (self.ticks()? * CONFIDENCE_BPS).div_ceil(ONE);
        Ok(Mark {
            average: None,
            scale: self.price()?.scale,
            price: self.mark()?,
            confidence: confidence * self.units.atoms_per_lot_tick,
        })
    }

    /// Best bid and ask of everybody but `trader`, ticks.
    pub fn best_of_others(&self, trader: &Pubkey) -> Result<(Option<u64>, Option<u64>)> {
        let snapshot = self.sandbox.book(&self.market);
        let book = snapshot.book().context("book")?;
        let best = |side| -> Result<Option<u64>> {
            for step in book.iter(side) {
                let (_, order) = step.map_err(engine)?;
                if order.trader != trader.to_bytes() {
                    return Ok(Some(order.price().get() / self.units.atoms_per_lot_tick));
                }
            }
            Ok(None)
        };
        Ok((best(Side::Long)?, best(Side::Short)?))
    }

    /// Initial margin with some room, atoms.
    pub fn roomy_margin(&self, notional: u64) -> Result<u64> {
        let margin = initial_margin(&self.risk, &self.price()?.scale, notional);
        Ok(margin.map_err(engine)? * 11 / 10)
    }
}
