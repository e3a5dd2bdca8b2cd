//! What a position needs from keepers, what the book leaves to a liquidator, and what a
//! liquidator can afford.

use ballast_engine::book::BookRef;
use ballast_engine::liquidation::{health, Health, LiquidationInput, LiquidationPlan, Waterfall};
use ballast_engine::margin::initial_margin;
use ballast_engine::matching::MAX_MATCHES;
use ballast_engine::oracle::Mark;
use ballast_engine::position::Position;
use ballast_engine::risk::RiskParams;
use ballast_engine::trade::{take_over, PartyInput};
use ballast_engine::units::{Atoms, Bps, Lots};
use ballast_engine::EngineError;
use ballast_state::position_slot::PositionSlot;
use ballast_state::Pubkey;

/// What a position needs from keepers at a moment, its flags aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it has its maintenance margin.
    Nothing,
    /// Its next liquidation step has to wait for the ladder's interval.
    Wait,
    /// `liquidate`: equity is below maintenance, or negative and insurance pays.
    Liquidate,
    /// `auto_deleverage`: equity is negative, and insurance cannot pay or has had its time.
    Deleverage,
}

/// What a position needs. `past_grace` as [`past_grace`] tells.
///
/// # Errors
/// `Overflow` and those of a corrupt position.
pub fn need(input: &LiquidationInput<'_>, past_grace: bool) -> Result<Need, EngineError> {
    Ok(match health(&input.position, input.mark, input.params)? {
        Health::Healthy => Need::Nothing,
        Health::Bankrupt { deficit } if deficit > input.insurance_available || past_grace => {
            Need::Deleverage
        }
        Health::Bankrupt { .. } => Need::Liquidate,
        Health::BelowMaintenance => match Waterfall::begin(input, true) {
            Ok(_) => Need::Liquidate,
            Err(EngineError::LadderInterval) => Need::Wait,
            Err(error) => return Err(error),
        },
    })
}

/// Whether a position has been flagged as bankrupt for longer than `grace_slots`, so that
/// neither insurance nor the book delays its deleveraging. `bankrupt_slot` is 0 where it has
/// not been flagged.
#[must_use]
pub const fn past_grace(bankrupt_slot: u64, grace_slots: u64, slot: u64) -> bool {
    bankrupt_slot != 0 && slot.saturating_sub(bankrupt_slot) > grace_slots
}

/// What the program remembers of a position's distress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Slot since which it has been flagged below maintenance; 0 when it is not.
    pub flagged_slot: u64,
    /// Slot at which it was flagged bankrupt; 0 when it is not.
    pub bankrupt_slot: u64,
    /// Whether it counts as a bankruptcy that insurance cannot pay.
    pub uncovered: bool,
}

impl From<&PositionSlot> for Flags {
    fn from(slot: &PositionSlot) -> Self {
        Self {
            flagged_slot: slot.flagged_slot,
            bankrupt_slot: slot.bankrupt_slot,
            uncovered: slot.is_uncovered(),
        }
    }
}

impl Flags {
    /// Whether `flag_bankruptcy` would change them for a position of this health, where
    /// insurance may pay `insurance_available` atoms.
    #[must_use]
    pub const fn are_stale(&self, health: Health, insurance_available: u64) -> bool {
        match health {
            Health::Healthy => self.flagged_slot != 0,
            Health::BelowMaintenance => self.flagged_slot == 0 || self.bankrupt_slot != 0,
            Health::Bankrupt { deficit } => {
                self.bankrupt_slot == 0 || self.uncovered != (deficit > insurance_available)
            }
        }
    }
}

/// One step of a liquidation as the program decides it if every order trades: the orders of
/// the `listed` makers take lots first, in the order of the book, without those of `victim`,
/// which the program cancels. `take_over` as in the instruction.
///
/// # Errors
/// Those of [`Waterfall::begin`]; `NothingFilled`, `InsuranceCannotPay` or
/// `LiquidationSkipsBook` when nothing would be closed.
pub fn foresee(
    book: &BookRef<'_>,
    victim: &Pubkey,
    input: &LiquidationInput<'_>,
    take_over: bool,
    listed: &[Pubkey],
) -> Result<LiquidationPlan, EngineError> {
    let mut waterfall = Waterfall::begin(input, take_over)?;
    let exhausted = descend(book, victim, &mut waterfall, listed)?;
    let plan = waterfall.finish(exhausted)?;
    if plan.lots.is_zero() {
        return Err(waterfall.nothing_closed());
    }
    Ok(plan)
}

/// Whether no order is left that would take lots.
fn descend(
    book: &BookRef<'_>,
    victim: &Pubkey,
    waterfall: &mut Waterfall<'_>,
    listed: &[Pubkey],
) -> Result<bool, EngineError> {
    let mut matches = 0_u32;
    for step in book.iter(waterfall.book_side()) {
        let (_, order) = step?;
        let left = waterfall.left()?;
        if left == 0 || !waterfall.meets(order.price()) {
            break;
        }
        let maker = Pubkey::new_from_array(order.trader);
        if maker == *victim {
            continue;
        }
        if matches == MAX_MATCHES || !listed.contains(&maker) {
            return Ok(false);
        }
        matches = matches.saturating_add(1);
        waterfall.take(left.min(order.size()), order.price())?;
    }
    Ok(true)
}

/// Whether the best order of somebody else would take lots of a bankrupt position at its
/// bankruptcy price or better: then the program refuses to deleverage it until the grace
/// period is over.
///
/// # Errors
/// Those of a corrupt book.
pub fn book_can_absorb(
    book: &BookRef<'_>,
    bankrupt: &Pubkey,
    position: &Position,
) -> Result<bool, EngineError> {
    let Some(side) = position.side() else {
        return Ok(false);
    };
    for step in book.iter(side) {
        let (_, order) = step?;
        if order.trader != bankrupt.to_bytes() {
            return Ok(position.is_solvent_at(order.price()));
        }
    }
    Ok(false)
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
/// fill), when it holds the settled position `held` and `free` atoms of free collateral; `None`
/// where it cannot afford them or its position would become too large.
///
/// # Errors
/// `Overflow` and those of a corrupt position.
pub fn affordable(
    params: &RiskParams,
    mark: &Mark,
    held: &Position,
    free: Atoms,
    (lots, quote): (Lots, Atoms),
    backing: &Backing,
) -> Result<Option<u64>, EngineError> {
    if lots.is_zero() {
        return Ok(Some(0));
    }
    let after = held.fill(lots, quote)?.position;
    let own = Bps::new(backing.margin_bps).floor_of(mark.price.notional(lots.size())?)?;
    let least = initial_margin(params, after.notional(mark.price)?)?;
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
    match take_over(params, mark, &input, lots, quote) {
        Ok(_) => Ok(Some(margin)),
        Err(
            EngineError::InsufficientCollateral
            | EngineError::BelowInitialMargin
            | EngineError::PositionTooLarge
            | EngineError::SizeOutOfRange,
        ) => Ok(None),
        Err(error) => Err(error),
    }
}
