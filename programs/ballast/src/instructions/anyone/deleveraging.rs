//! What the instructions that deleverage have in common.

use anchor_lang::prelude::*;
use ballast_engine::{
    adl::{Bankruptcy, Deleveraging, Summary},
    position::Position,
    rank::Round,
    reward::rescue_reward,
    settlement::Settlement,
    solvency::is_farthest,
    units::Side,
};
use ballast_state::{
    adl_session::AdlSession,
    error::BallastError,
    events::AutoDeleveraged,
    market::{Market, Touched},
    position_slot::PositionSlot,
    trader::Trader,
};

use crate::loaders::current::Current;
use crate::{
    error::{error, require, OrBallast},
    instructions::position_change::{Change, Entered, PositionChanges, Remembered},
    loaders::{book_account::MarketBook, queue_account::MarketQueues},
};

/// What a round is about, beside the books it changes.
pub struct Occasion {
    /// The market.
    pub market: Pubkey,
    /// The trader account of the bankrupt position.
    pub bankrupt: Pubkey,
    /// Who submitted the round.
    pub keeper: Pubkey,
    /// Oracle price at which it was decided, ticks.
    pub mark_ticks: u64,
    /// The bankrupt position before, funding paid.
    pub before: Position,
}

/// Decides the close price. A new bankruptcy joins the queue's current pass or opens one. Before
/// the grace period is over, insurance and the book come first.
#[inline(never)]
pub fn begin(
    market: &mut Market,
    queues: &MarketQueues,
    book: &MarketBook,
    slot: &mut PositionSlot,
    touched: &Touched,
    clock: &Clock,
) -> Result<Box<Deleveraging>> {
    let position = market.settled(slot)?;
    let available = market.deficit_cover(clock.slot).or_ballast()?;
    begin_with(
        market,
        queues,
        book,
        slot,
        (&position, available),
        touched,
        clock,
    )
}

/// The same for a `position` that is handed out for the occasion, a leg, of whose deficit `available` atoms may
/// be paid.
#[inline(never)]
pub fn begin_with(
    market: &mut Market,
    queues: &MarketQueues,
    book: &MarketBook,
    slot: &mut PositionSlot,
    (position, available): (&Position, u64),
    touched: &Touched,
    clock: &Clock,
) -> Result<Box<Deleveraging>> {
    let position = *position;
    let side = position.side();
    let side = side.ok_or_else(|| error!(BallastError::NoPosition))?;
    let distress = slot.distress();
    if market.mode().has_ended() {
        require_farthest(market, queues, side, slot.queue_node, touched)?;
    }
    let epoch = queues.write(side.opposite(), |queue| {
        queue
            .join_pass(distress.pass_epoch, clock.slot)
            .or_ballast()
    })?;
    let params = market.params();
    let past_grace = market.past_grace(&distress, clock.slot);
    let state = Deleveraging::begin(&Bankruptcy {
        position,
        mark: touched.mark.price,
        funding_index: touched.funding_index,
        insurance_available: available,
        past_grace,
        // Bids take the lots of a long, asks those of a short. The bankrupt has no orders left.
        taker: match past_grace {
            true => None,
            false => book.best_price(side)?,
        },
        max_lots: position.size(),
        least_lots: params.min_position_lots,
        params: &params.adl,
        epoch,
        passes: epoch,
    })
    .or_ballast()?;
    if distress.pass_epoch == 0 {
        slot.pass_epoch = epoch;
        slot.bankrupt_lots =
            u32::try_from(position.size()).map_err(|_| error!(BallastError::SizeOutOfRange))?;
        let id = market.bankruptcy_counter.checked_add(1);
        market.bankruptcy_counter = id.ok_or_else(|| error!(BallastError::Overflow))?;
        slot.bankruptcy_id = market.bankruptcy_counter;
    }
    Ok(Box::new(state))
}

/// Fails unless nobody of the market lies farther beyond the last price than the position of this
/// node: looks at the roots.
#[inline(never)]
fn require_farthest(
    market: &Market,
    queues: &MarketQueues,
    side: Side,
    node: u32,
    touched: &Touched,
) -> Result<()> {
    let (price, index) = (touched.mark.price, market.funding.index);
    let farthest = queues.read_both(|long, short| {
        let own = if side == Side::Long { long } else { short };
        let bankruptcy = own.entry(node).or_ballast()?.bankruptcy_q32;
        is_farthest(long, short, side, bankruptcy, price, index).or_ballast()
    })?;
    require!(farthest, BallastError::NotFarthestBankrupt);
    Ok(())
}

/// Takes up the round of a session, which has frozen it for `position`. Nothing can be closed where
/// insurance no longer pays the share of a single lot.
///
/// # Errors
/// `AdlSessionStale`.
#[inline(never)]
pub fn resume(
    market: &Market,
    session: &AdlSession,
    round: &Round,
    position: &Position,
    now_slot: u64,
) -> Result<Box<Deleveraging>> {
    let available = market.deficit_cover(now_slot);
    let (available, wanted) = (available.or_ballast()?, session.selection.wanted);
    let state = Deleveraging::resume(round, position, wanted, available).or_ballast()?;
    require!(state.remaining_lots() > 0, BallastError::AdlSessionStale);
    Ok(Box::new(state))
}

/// Checks and books a round whose counterparties have been cut, and writes what is left of the
/// bankrupt position. The caller adds to the record what only it knows, and the reward.
#[allow(clippy::too_many_arguments)]
#[inline(never)]
pub fn conclude(
    occasion: &Occasion,
    market: &mut Market,
    changes: &mut PositionChanges,
    entered: &mut Entered,
    slot: &mut PositionSlot,
    state: &Deleveraging,
    clock: &Clock,
) -> Result<Box<AutoDeleveraged>> {
    let event = book_round(occasion, market, slot, state, clock)?;
    let after = state.bankrupt_after().or_ballast()?;
    let change = Change {
        trader: &occasion.bankrupt,
        before: &occasion.before,
        after: &after,
        remembered: Remembered::Before,
        stamp: None,
    };
    changes.apply(entered, slot, &change)?;
    Ok(event)
}

/// Checks and books a round whose counterparties have been cut; the bankrupt position is the caller's to write.
#[inline(never)]
pub fn book_round(
    occasion: &Occasion,
    market: &mut Market,
    slot: &PositionSlot,
    state: &Deleveraging,
    clock: &Clock,
) -> Result<Box<AutoDeleveraged>> {
    let summary = state.finish().or_ballast()?;
    let insurance_before = market.insurance.balance;
    let paid = market.pay_deficit(summary.insurance_paid, clock.slot);
    let paid = paid.or_ballast()?;
    market.count_round()?;
    let mut event = event(occasion, market, slot, state, &summary)?;
    event.insurance_paid_atoms = paid.insured;
    event.held_paid_atoms = paid.held;
    event.insurance_before_atoms = insurance_before;
    Ok(event)
}

/// The round as it is recorded, but for what is added later.
#[inline(never)]
fn event(
    occasion: &Occasion,
    market: &Market,
    slot: &PositionSlot,
    state: &Deleveraging,
    summary: &Summary,
) -> Result<Box<AutoDeleveraged>> {
    let (round, before) = (state.round(), &occasion.before);
    let after = state.bankrupt_after().or_ballast()?;
    Ok(Box::new(AutoDeleveraged {
        market: occasion.market,
        bankrupt: occasion.bankrupt,
        keeper: occasion.keeper,
        bankruptcy_id: slot.bankruptcy_id,
        bankrupt_lots: slot.bankrupt_lots,
        epoch: round.epoch,
        pass_opened: false,
        session: Pubkey::default(),
        mark_ticks: occasion.mark_ticks,
        funding_index: round.funding_index.get(),
        close_quote_atoms: round.close.quote,
        close_lots: round.close.lots,
        rank_tolerance_bps: round.rank_tolerance_bps,
        min_profit_bps: round.min_profit_bps,
        max_close_bps: round.max_close_bps,
        least_lots: round.least_lots,
        lots_before: before.lots.get(),
        entry_quote_before: before.entry_quote.get(),
        margin_before: before.margin.get(),
        lots_closed: summary.lots,
        lots_after: after.lots.get(),
        deficit_before_atoms: summary.deficit,
        insurance_paid_atoms: 0,
        held_paid_atoms: 0,
        gave_up_atoms: summary.gave_up,
        deficit_after_atoms: summary.deficit_after().or_ballast()?,
        insurance_before_atoms: market.insurance.balance,
        insurance_after_atoms: market.insurance.balance,
        reward_atoms: 0,
        nodes_visited: 0,
        cuts: Vec::new(),
        cancelled: None,
    }))
}

/// Pays out what the cancelled orders of the bankrupt reserved, and brings the impact prices level
/// when anybody's orders have left the book.
#[inline(never)]
pub fn conclude_orders(
    event: &AutoDeleveraged,
    market: &mut Market,
    book: &MarketBook,
    bankrupt: &mut Trader,
) -> Result<()> {
    if let Some(cancelled) = &event.cancelled {
        bankrupt.credit(cancelled.margin_atoms)?;
    }
    let of_others = event.cuts.iter().any(|cut| cut.cancelled_orders > 0);
    if event.cancelled.is_some() || of_others {
        book.refresh_impact(market)?;
    }
    Ok(())
}

/// Pays the keeper's share of the reward. No trader account is borrowed any more, so the
/// receiver may also be one that was cut.
pub fn pay_reward(
    market: &AccountLoader<Market>,
    receiver: &AccountLoader<Trader>,
    event: &AutoDeleveraged,
) -> Result<u64> {
    let mut market = market.current_mut()?;
    let paid = event
        .insurance_paid_atoms
        .checked_add(event.held_paid_atoms);
    let saved = paid.and_then(|paid| paid.checked_add(event.gave_up_atoms));
    let reward = rescue_reward(
        market.params().adl.reward_atoms,
        market.fees_atoms,
        event.lots_closed,
        u64::from(event.bankrupt_lots),
        saved.ok_or_else(|| error!(BallastError::Overflow))?,
    )
    .or_ballast()?;
    if reward > 0 {
        let mut receiver = receiver.current_mut()?;
        let mut settlement = Settlement::default();
        settlement.market_before(market.fees_atoms, market.insurance.balance);
        settlement.trader_before(receiver.free(), 0);
        let left = market.fees_atoms.checked_sub(reward);
        market.fees_atoms = left.ok_or_else(|| error!(BallastError::Overflow))?;
        receiver.credit(reward)?;
        settlement.market_after(market.fees_atoms, market.insurance.balance);
        settlement.trader_after(receiver.free(), 0);
        settlement.close().or_ballast()?;
        receiver.invariant_of(&event.market)?;
    }
    Ok(reward)
}
