//! One step of a liquidation: the engine says how much, the caller's account takes it over.

use anchor_lang::prelude::*;
use ballast_engine::{
    insurance::InsuranceState,
    liquidation::{health, plan, LiquidationInput, LiquidationPlan},
    oracle::Action,
    position::Position,
    reward::keeper_reward,
    trade::{open_interest_after, take_over, PartyInput, PartyOutcome},
};

use crate::{
    error::{BallastError, OrBallast},
    events::PositionLiquidated,
    seeds::EXCHANGE_ADDRESS,
    state::{
        distress,
        exchange::{Exchange, PAUSE_LIQUIDATE},
        market::{Market, Touched},
        queue_account::MarketQueues,
        trader::{PositionSlot, Trader},
    },
};

/// Accounts of `liquidate`.
#[event_cpi]
#[derive(Accounts)]
pub struct Liquidate<'info> {
    /// Owner or delegate of the liquidator's account.
    pub liquidator_authority: Signer<'info>,
    /// The exchange.
    #[account(mut, address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market of the position.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The trader who is liquidated.
    #[account(mut)]
    pub trader: AccountLoader<'info, Trader>,
    /// The trader account that takes the lots over.
    #[account(
        mut,
        constraint = liquidator.key() != trader.key() @ BallastError::TradersNotDistinct,
    )]
    pub liquidator: AccountLoader<'info, Trader>,
    /// CHECK: the market's queue of longs, checked against its stored key.
    #[account(mut)]
    pub queue_long: UncheckedAccount<'info>,
    /// CHECK: the market's queue of shorts, checked against its stored key.
    #[account(mut)]
    pub queue_short: UncheckedAccount<'info>,
    /// CHECK: the market's oracle adapter checks owner, feed or key, and contents.
    pub price: UncheckedAccount<'info>,
}

/// Decided, and not yet written.
struct Decision {
    victim_before: Position,
    plan: LiquidationPlan,
    liquidator_before: Position,
    liquidator: PartyOutcome,
    insurance: InsuranceState,
}

impl Liquidate<'_> {
    /// Liquidates one step of a position below maintenance. The engine derives the size; the
    /// liquidator's account takes the lots over at the mark less the discount, locking
    /// `liquidator_margin` atoms of its free collateral if that opens or enlarges its position.
    ///
    /// # Errors
    /// `Healthy`, `LadderInterval`, `InsuranceCannotPay` (then deleverage), `NoPosition`,
    /// `NotTraderAuthority`, `TradersNotDistinct`, `InsufficientCollateral`, `BelowInitialMargin`,
    /// `PositionTooLarge`, `NoFreeSlot`, `QueueFull`, `Paused`, the `Price...` errors.
    pub fn handle(ctx: Context<Self>, liquidator_margin: u64) -> Result<()> {
        let event = ctx.accounts.step(liquidator_margin)?;
        emit_cpi!(event);
        Ok(())
    }

    fn step(&self, liquidator_margin: u64) -> Result<PositionLiquidated> {
        let clock = Clock::get()?;
        let mut exchange = self.exchange.load_mut()?;
        exchange.require_not_paused(PAUSE_LIQUIDATE)?;
        let mut market = self.market.load_mut()?;
        let mut victim = self.trader.load_mut()?;
        let mut liquidator = self.liquidator.load_mut()?;
        liquidator.require_authority(self.liquidator_authority.key)?;

        let touched = market.touch(&self.price, Action::Liquidate, &clock)?;
        let key = self.market.key();
        let liquidator_free = liquidator.free();
        let taker = liquidator.slot_or_claim(&key)?;
        let slot = victim.position_mut(&key)?;
        let party = PartyInput {
            position: market.settled(taker)?,
            free: liquidator_free,
            margin_to_add: liquidator_margin,
        };
        let decision = decide(&market, &touched, slot, &party, clock.slot)?;

        let queues = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        slot.store(&decision.plan.position_after);
        let victim_side = decision.victim_before.side();
        queues.sync(&self.trader.key(), victim_side, slot)?;
        taker.store(&decision.liquidator.position);
        if decision.liquidator.position.is_empty() || !decision.liquidator.reduced_only {
            // It is gone, or holds initial margin now: an earlier bankruptcy is over.
            distress::clear(&mut exchange, taker)?;
        }
        let taker_side = decision.liquidator_before.side();
        queues.sync(&self.liquidator.key(), taker_side, taker)?;

        let insurance_before = market.insurance.balance;
        write_market(&mut market, &decision)?;
        let available = decision
            .insurance
            .available(market.params(), clock.slot)
            .or_ballast()?;
        let left = health(
            &decision.plan.position_after,
            touched.mark.price,
            market.params(),
        );
        distress::record(
            &mut exchange,
            slot,
            left.or_ballast()?,
            available,
            clock.slot,
        )?;
        if decision.plan.position_after.is_empty() {
            victim.release_if_closed(&key)?;
        } else {
            slot.last_step_slot = clock.slot;
        }
        victim.add_free(decision.plan.victim_payout)?;
        liquidator.free = decision.liquidator.free.get();
        let reward = pay_rescue(&mut market, &decision.plan)?;
        liquidator.credit(reward)?;
        liquidator.release_if_closed(&key)?;

        exchange.invariant()?;
        market.invariant()?;
        victim.invariant()?;
        liquidator.invariant()?;
        let mut event = self.event(&market, &touched, &decision, insurance_before);
        event.reward_atoms = reward;
        Ok(event)
    }

    fn event(
        &self,
        market: &Market,
        touched: &Touched,
        decision: &Decision,
        insurance_before: u64,
    ) -> PositionLiquidated {
        let plan = &decision.plan;
        PositionLiquidated {
            market: self.market.key(),
            trader: self.trader.key(),
            liquidator: self.liquidator.key(),
            mark_ticks: touched.price.price.get(),
            lots: plan.lots.get(),
            quote_atoms: plan.quote.get(),
            discount_atoms: plan.discount_atoms,
            insurance_fee_atoms: plan.insurance_fee_atoms,
            insurance_paid_atoms: plan.insurance_paid_atoms,
            equity_before_atoms: plan.equity_before.get(),
            maintenance_before_atoms: plan.maintenance_before,
            lots_before: decision.victim_before.lots.get(),
            lots_after: plan.position_after.lots.get(),
            insurance_before_atoms: insurance_before,
            insurance_after_atoms: market.insurance.balance,
            reward_atoms: 0,
        }
    }
}

#[inline(never)]
fn decide(
    market: &Market,
    touched: &Touched,
    slot: &PositionSlot,
    party: &PartyInput,
    now_slot: u64,
) -> Result<Box<Decision>> {
    let params = market.params();
    let insurance = market.insurance_state();
    let victim_before = market.settled(slot)?;
    let input = LiquidationInput {
        position: victim_before,
        mark: touched.mark.price,
        params,
        slot: now_slot,
        flagged_slot: some_slot(slot.flagged_slot),
        last_step_slot: some_slot(slot.last_step_slot),
        insurance_available: insurance.available(params, now_slot).or_ballast()?,
    };
    let plan = plan(&input).or_ballast()?;
    let (lots, quote) = plan.liquidator_fill().or_ballast()?;
    let liquidator = take_over(params, &touched.mark, party, lots, quote).or_ballast()?;
    let insurance = insurance
        .draw(params, now_slot, plan.insurance_paid_atoms)
        .and_then(|drawn| drawn.credit(plan.insurance_fee_atoms))
        .or_ballast()?;
    Ok(Box::new(Decision {
        victim_before,
        plan,
        liquidator_before: party.position,
        liquidator,
        insurance,
    }))
}

fn write_market(market: &mut Market, decision: &Decision) -> Result<()> {
    let changes = [
        (
            decision.victim_before.lots,
            decision.plan.position_after.lots,
        ),
        (
            decision.liquidator_before.lots,
            decision.liquidator.position.lots,
        ),
    ];
    market.open_interest_lots =
        open_interest_after(market.open_interest_lots, &changes).or_ballast()?;
    market.store_insurance(decision.insurance);
    market.liquidations = market.liquidations.wrapping_add(1);
    Ok(())
}

/// Takes the reward for a position that insurance had to rescue, where there is no discount to
/// earn, out of the fee bucket.
fn pay_rescue(market: &mut Market, plan: &LiquidationPlan) -> Result<u64> {
    if plan.insurance_paid_atoms == 0 {
        return Ok(0);
    }
    let reward = market.params().adl.reward_atoms;
    let reward = keeper_reward(reward, market.fees_atoms, 1, 1).or_ballast()?;
    let left = market.fees_atoms.checked_sub(reward);
    market.fees_atoms = left.ok_or_else(|| error!(BallastError::Overflow))?;
    Ok(reward)
}

fn some_slot(slot: u64) -> Option<u64> {
    (slot != 0).then_some(slot)
}
