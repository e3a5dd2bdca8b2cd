//! The trading floor: market makers that quote, takers and stop-losses that trade with them.

use anyhow::Result;
use ballast_engine::margin::initial_margin;
use ballast_engine::oracle::Mark;
use ballast_engine::position::Position;
use ballast_risk::makers::{MakerStyle, Stress};
use ballast_sandbox::trading::TraderCookie;
use ballast_state::instructions::PlaceTriggerArgs;
use ballast_state::order_args::PlaceOrderArgs;
use ballast_state::trigger::TriggerKind;
use ballast_state::Pubkey;

use super::diary::Diary;
use super::quoting::{best_of_others, requote, Desk};
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
        let slot = stage.sandbox.position(&stage.market, &maker.address);
        let cancels = slot.is_some_and(|slot| slot.order_count > 0);
        let quotes = self.affordable(stage, maker)?;
        let instructions = requote(&stage.market.keys, maker, cancels, &quotes);
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
    fn affordable(&self, stage: &Stage, maker: &TraderCookie) -> Result<Vec<PlaceOrderArgs>> {
        let open = stage.open_position(&maker.address)?;
        let desk = Desk {
            risk: &stage.risk,
            atoms_per_lot_tick: stage.units.atoms_per_lot_tick,
            ticks: stage.ticks()?,
            mark: stage.quoted_mark()?,
            position: open.map_or(Position::default(), |open| open.position),
            purse: stage.purse(&maker.address)?,
            others: stage.best_of_others(&maker.address)?,
            least_order: stage.sandbox.market(&stage.market).least_order_atoms(),
            now: stage.now().timestamp,
        };
        desk.quotes(&self.style, self.stress.bps())
    }
}

impl Stage {
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
        best_of_others(&snapshot, trader, self.units.atoms_per_lot_tick)
    }

    /// Initial margin with some room, atoms.
    pub fn roomy_margin(&self, notional: u64) -> Result<u64> {
        let margin = initial_margin(&self.risk, &self.price()?.scale, notional);
        Ok(margin.map_err(engine)? * 11 / 10)
    }
}
