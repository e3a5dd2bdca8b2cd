//! What the book leaves to a liquidator, and what a liquidator can afford.

use ballast_engine::book::BookRef;
use ballast_engine::liquidation::{LiquidationInput, LiquidationPlan, Waterfall};
use ballast_engine::margin::initial_margin;
use ballast_engine::oracle::Mark;
use ballast_engine::pool::PoolTaker;
use ballast_engine::position::Position;
use ballast_engine::risk::RiskParams;
use ballast_engine::trade::{take_over, PartyInput};
use ballast_engine::units::{Atoms, Bps, Lots};
use ballast_engine::EngineError;
use ballast_state::Pubkey;

use crate::foreseen::{foreseen, Own};

/// One step of a liquidation as the program decides it if every order trades: the orders of
/// the `listed` makers take lots first, in the order of the book, without those of `victim`,
/// which the program cancels. The liquidator takes over `most` lots or fewer.
///
/// # Errors
/// Those of [`Waterfall::begin`]; `NothingFilled`, `InsuranceCannotPay`, `PositionTooSmall` or
/// `LiquidationSkipsBook` when nothing would be closed.
pub fn foresee(
    book: &BookRef<'_>,
    victim: &Pubkey,
    input: &LiquidationInput<'_>,
    most: u64,
    listed: &[Pubkey],
) -> Result<LiquidationPlan, EngineError> {
    foresee_from(
        Waterfall::begin(input, most > 0)?,
        book,
        victim,
        most,
        listed,
    )
}

/// The same for a step that has begun: that of a leg with [`Waterfall::begin_leg`].
///
/// # Errors
/// Those of [`foresee`].
pub fn foresee_from(
    begun: Waterfall<'_>,
    book: &BookRef<'_>,
    victim: &Pubkey,
    most: u64,
    listed: &[Pubkey],
) -> Result<LiquidationPlan, EngineError> {
    let mut waterfall = begun.bounded(most);
    let orders = foreseen(book, waterfall.book_side(), victim, Own::Cancelled);
    let exhausted = waterfall.descend(&mut orders.listing(listed))?;
    let plan = waterfall.finish(exhausted)?;
    if plan.lots.is_zero() {
        return Err(waterfall.nothing_closed());
    }
    Ok(plan)
}

/// A pool that stands in the liquidator's place.
#[derive(Clone, Copy, Debug)]
pub struct IntoPool<'a> {
    /// The pool, see [`PoolPresent::taker`](crate::pooling::PoolPresent::taker).
    pub taker: PoolTaker<'a>,
    /// What insurance may pay without held profit, atoms.
    pub insurance_alone: u64,
    /// Lots that the book has lost to an earlier call of the same transaction.
    pub book_gone: u64,
}

/// The same where the market's pool takes over what the book leaves.
///
/// # Errors
/// Those of [`Waterfall::begin`]; `PoolCannotTake`, `InsuranceCannotPay` or `LiquidationSkipsBook` when
/// nothing would be closed.
pub fn foresee_into_pool(
    book: &BookRef<'_>,
    victim: &Pubkey,
    input: &LiquidationInput<'_>,
    pool: &IntoPool<'_>,
    listed: &[Pubkey],
) -> Result<LiquidationPlan, EngineError> {
    let mut waterfall = Waterfall::begin(input, true)?;
    let orders = foreseen(book, waterfall.book_side(), victim, Own::Cancelled);
    let mut orders = orders.after(pool.book_gone).listing(listed);
    let exhausted = waterfall.descend(&mut orders)?;
    let taker = &pool.taker;
    let lots = taker.take(input.params, input.mark, &waterfall.offer()?)?;
    let premium = taker.params.premium_in(input.params);
    let waterfall = waterfall.into_pool(lots, premium, pool.insurance_alone);
    let plan = waterfall.finish(exhausted)?;
    if plan.lots.is_zero() {
        return Err(waterfall.nothing_closed());
    }
    Ok(plan)
}

/// How a liquidator backs what it takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backing {
    /// Margin behind the lots taken over, basis points of their notional.
    pub margin_bps: u32,
    /// Margin behind the position it then holds, basis points of the least initial margin:
    /// above 10,000, or nothing is left for a price that moves before the call lands.
    pub room_bps: u32,
}

/// The margin a liquidator offers for taking over `lots` for `quote` (both signed as its own
/// fill) of a position of `whole` lots, when it holds the settled position `held` and `free` atoms of
/// free collateral; `None` where it cannot afford them or its position would become too large or too
/// small.
///
/// # Errors
/// `Overflow` and those of a corrupt position.
pub fn affordable(
    params: &RiskParams,
    mark: &Mark,
    held: &Position,
    free: Atoms,
    (lots, quote): (Lots, Atoms),
    whole: u64,
    backing: &Backing,
) -> Result<Option<u64>, EngineError> {
    if lots.is_zero() {
        return Ok(Some(0));
    }
    let after = held.fill(lots, quote)?.position;
    let own = Bps::new(backing.margin_bps).floor_of(mark.price.notional(lots.size())?)?;
    let least = initial_margin(params, &mark.scale, after.notional(mark.price)?)?;
    // The confidence counts twice: it may grow as much again.
    let doubt = mark.confidence.checked_mul(2);
    let doubt = doubt.and_then(|doubt| doubt.checked_mul(after.size()));
    let wanted = Bps::new(backing.room_bps)
        .floor_of(least)?
        .checked_add(doubt.ok_or(EngineError::Overflow)?)
        .ok_or(EngineError::Overflow)?;
    let missing = Atoms::from_unsigned(wanted)?.try_sub(after.equity(mark.price)?)?;
    let margin = own.max(missing.positive_part());
    if margin > free.positive_part() {
        return Ok(None);
    }
    let input = PartyInput {
        position: *held,
        free,
        margin_to_add: margin,
    };
    match take_over(params, mark, &input, lots, quote, whole) {
        Ok(_) => Ok(Some(margin)),
        Err(
            EngineError::InsufficientCollateral
            | EngineError::BelowInitialMargin
            | EngineError::PositionTooLarge
            | EngineError::PositionTooSmall
            | EngineError::SizeOutOfRange,
        ) => Ok(None),
        Err(error) => Err(error),
    }
}
