//! Auto-deleveraging: closing a bankrupt position against counterparties at the
//! price that leaves it with exactly nothing.
//!
//! The close price is the bankruptcy price moved towards the mark by what insurance
//! pays for each lot: it stands behind all of them alike, whatever a call closes. The quote of a cut is the difference of two cumulative quotes
//! rounded in the counterparties' favour, so each lies within one atom of the
//! exact price, no residue builds up and the last lot closes exactly to zero.

mod account;
mod both;

use core::cmp::Ordering;

use crate::deficit::Deficit;
use crate::error::EngineError;
use crate::math::{mul_div_ceil_signed, mul_div_floor_signed};
use crate::position::Position;
use crate::proof::{first_skipped, Threshold};
use crate::queue::{CutStamp, QueueRef};
use crate::rank::{Class, ClosePrice, Exposure, Ranked, Round};
use crate::risk::AdlParams;
use crate::units::{Atoms, FundingIndex, LotPrice, Lots, Side};

pub use account::{AccountCut, AccountSkip};
pub use both::{CrossSide, Listed, PassedOver, Proof, Stage};

/// A bankruptcy to deleverage.
#[derive(Clone, Copy, Debug)]
pub struct Bankruptcy<'a> {
    /// The bankrupt position.
    pub position: Position,
    /// Oracle price, atoms per lot.
    pub mark: LotPrice,
    /// The market's funding index.
    pub funding_index: FundingIndex,
    /// What insurance may pay now, atoms.
    pub insurance_available: u64,
    /// Whether the position has been flagged for longer than the grace period, so
    /// that neither insurance nor the book delays; see
    /// [`Distress::past_grace`](crate::distress::Distress::past_grace).
    pub past_grace: bool,
    /// Price of the best order of somebody else that would take lots of the position, if
    /// there is one.
    pub taker: Option<LotPrice>,
    /// Most lots to close, positive; the program asks for the whole position.
    pub max_lots: u64,
    /// Smallest position that may be left open, lots.
    pub least_lots: u64,
    /// The market's parameters.
    pub params: &'a AdlParams,
    /// First pass of the counterparties' queue that counts towards caps.
    pub epoch: u32,
    /// Passes the counterparties' queue has opened.
    pub passes: u32,
}

/// Why a listed counterparty was left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// It has no position any more.
    NoPosition,
    /// It is on the side of the bankrupt by now.
    OtherSide,
    /// It has been cut to its cap in this pass.
    AtCap,
    /// It would be insolvent at the close price.
    Insolvent,
    /// Nothing is left to close in this call.
    NothingLeft,
}

/// Outcome for one listed counterparty.
#[allow(clippy::large_enum_variant)] // nothing to box with
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Left alone, and not part of the order.
    Skipped(SkipReason),
    /// Closed in part or whole, with what that moved.
    Done(CutDone),
}

/// One cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutDone {
    /// Lots closed.
    pub lots: u64,
    /// What they closed at in total, atoms: received by a long, paid by a short.
    pub quote: Atoms,
    /// The counterparty's position after the cut.
    pub position_after: Position,
    /// Profit or loss of the closed lots, atoms.
    pub realized: Atoms,
    /// What moves to the counterparty's free collateral, atoms, not negative.
    pub payout: Atoms,
    /// Profit forgone against closing at the mark, atoms.
    pub gave_up: u64,
    /// The position as it was ranked, before the cut.
    pub ranked: Ranked,
    /// What to store in its queue entry.
    pub stamp: CutStamp,
}

/// Totals of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Deficit of the whole position before the round, atoms.
    pub deficit: u64,
    /// What insurance would pay if every lot were closed, atoms.
    pub insured: u64,
    /// Paid by insurance for the closed lots, atoms.
    pub insurance_paid: u64,
    /// The part of the closed lots in what insurance leaves of the deficit, atoms, rounded down.
    pub uncovered_closed: u64,
    /// Lots closed.
    pub lots: u64,
    /// Profit forgone by all counterparties, atoms.
    pub gave_up: u64,
    /// Counterparties cut.
    pub cuts: u32,
}

impl Summary {
    /// The deficit of the lots that are still open, atoms: their part, rounded up, and at most one
    /// atom more. `Overflow` when more was paid than missing.
    pub fn deficit_after(&self) -> Result<u64, EngineError> {
        self.deficit
            .checked_sub(self.insurance_paid)
            .and_then(|left| left.checked_sub(self.gave_up))
            .ok_or(EngineError::Overflow)
    }

    /// `gave_up` less the deficit of the closed lots, atoms; 0 by construction.
    pub fn overshoot(&self) -> Result<i64, EngineError> {
        let difference = i128::from(self.gave_up).wrapping_sub(i128::from(self.uncovered_closed));
        i64::try_from(difference).map_err(|_| EngineError::Overflow)
    }
}

/// A deleveraging under way.
#[derive(Clone, Copy, Debug)]
pub struct Deleveraging {
    round: Round,
    bankrupt: Position,
    passes: u32,
    deficit: Deficit,
    budget: u64,
    closed: u64,
    closed_quote: i64,
    gave_up: u64,
    cuts: u32,
    last: Option<Ranked>,
    proven: bool,
}

impl Deleveraging {
    /// Fixes the close price.
    ///
    /// `ZeroLots`; `NoPosition`; `PositionCorrupt` for an `epoch` that is not within
    /// `1..=passes`; `NotBankrupt` when equity at the mark
    /// is not negative; before the grace period is over `InsuranceCanPay` when insurance covers
    /// the deficit and `BookCanAbsorb` when [`book_can_absorb`] says so.
    pub fn begin(bankruptcy: &Bankruptcy<'_>) -> Result<Self, EngineError> {
        if bankruptcy.max_lots == 0 {
            return Err(EngineError::ZeroLots);
        }
        if bankruptcy.epoch == 0 || bankruptcy.epoch > bankruptcy.passes {
            return Err(EngineError::PositionCorrupt);
        }
        let bankrupt = bankruptcy.position.settle(bankruptcy.funding_index)?;
        let side = bankrupt.side().ok_or(EngineError::NoPosition)?;
        let equity = bankrupt.equity(bankruptcy.mark)?;
        if !equity.is_negative() {
            return Err(EngineError::NotBankrupt);
        }
        let deficit = equity.get().unsigned_abs();
        if !is_due(
            deficit,
            bankruptcy.insurance_available,
            bankruptcy.past_grace,
        ) {
            return Err(EngineError::InsuranceCanPay);
        }
        if !bankruptcy.past_grace && book_can_absorb(&bankrupt, bankruptcy.taker) {
            return Err(EngineError::BookCanAbsorb);
        }
        let deficit = Deficit::new(deficit, bankruptcy.insurance_available, bankrupt.size());
        let params = bankruptcy.params;
        let round = Round {
            side: side.opposite(),
            mark: bankruptcy.mark,
            close: close_price(&bankrupt, &deficit)?,
            funding_index: bankruptcy.funding_index,
            min_profit_bps: params.min_profit_bps,
            rank_tolerance_bps: params.rank_tolerance_bps,
            max_close_bps: params.max_close_bps,
            least_lots: u32::try_from(bankruptcy.least_lots)
                .map_err(|_| EngineError::SizeOutOfRange)?,
            epoch: bankruptcy.epoch,
        };
        round.check()?;
        let lots = bankruptcy.max_lots.min(bankrupt.size());
        Ok(Self::new(round, bankrupt, deficit, bankruptcy.passes, lots))
    }

    /// Takes up a round that a session has frozen: its order is proven. `position` is the bankrupt
    /// one with funding paid up to the round's index, unchanged since. No more lots are closed than
    /// insurance pays the share of out of the `available` atoms it has now, which can be none.
    ///
    /// `NotBankrupt`; `PositionCorrupt` when the round was not frozen for this position.
    pub fn resume(
        round: &Round,
        position: &Position,
        wanted: u64,
        available: u64,
    ) -> Result<Self, EngineError> {
        let deficit = Self::frozen_deficit(round, position)?;
        let lots = wanted.min(deficit.lots_within(available)?);
        let mut resumed = Self::new(*round, *position, deficit, round.epoch, lots);
        resumed.trust_order();
        Ok(resumed)
    }

    /// The deficit of the position that a frozen round is about, and what its close price counts on
    /// insurance to pay of it.
    ///
    /// `NotBankrupt`; `PositionCorrupt` when the round was not frozen for this position.
    pub(crate) fn frozen_deficit(
        round: &Round,
        position: &Position,
    ) -> Result<Deficit, EngineError> {
        let equity = position.equity(round.mark)?;
        if !equity.is_negative() {
            return Err(EngineError::NotBankrupt);
        }
        let moved = i128::from(round.close.quote).abs_diff(position.bankruptcy_value());
        let insured = u64::try_from(moved).map_err(|_| EngineError::Overflow)?;
        let whole = equity.get().unsigned_abs();
        let deficit = Deficit::new(whole, insured, position.size());
        if close_price(position, &deficit)? != round.close {
            return Err(EngineError::PositionCorrupt);
        }
        Ok(deficit)
    }

    const fn new(
        round: Round,
        bankrupt: Position,
        deficit: Deficit,
        passes: u32,
        budget: u64,
    ) -> Self {
        Self {
            round,
            bankrupt,
            passes,
            deficit,
            budget,
            closed: 0,
            closed_quote: 0,
            gave_up: 0,
            cuts: 0,
            last: None,
            proven: false,
        }
    }

    /// What the ranking depends on.
    #[must_use]
    pub const fn round(&self) -> &Round {
        &self.round
    }

    /// Continues in a pass just opened: what was cut before no longer counts.
    /// `PositionCorrupt` once somebody has been cut.
    pub fn open_pass(&mut self, epoch: u32) -> Result<(), EngineError> {
        if self.cuts > 0 || epoch <= self.round.epoch {
            return Err(EngineError::PositionCorrupt);
        }
        self.round.epoch = epoch;
        self.passes = epoch;
        Ok(())
    }

    /// Whether everybody who may be cut is at the cap of the pass, so that the next one opens.
    /// Errors of [`first_skipped`].
    pub fn pass_is_used_up(&self, queue: &QueueRef<'_>) -> Result<bool, EngineError> {
        let walk = first_skipped(queue, &self.round, &Threshold::Everyone, None)?;
        Ok(walk.skipped.is_none())
    }

    /// From now on counterparties are cut in the order they come: a completed
    /// [`Selection`](crate::selection::Selection) has proven it.
    pub const fn trust_order(&mut self) {
        self.proven = true;
    }

    /// Cuts the next listed counterparty, ranked by its position and the sequence
    /// number and stamp of its queue entry.
    ///
    /// `AdlOutOfOrder` when it ranks above the one cut before it.
    pub fn cut(
        &mut self,
        counterparty: &Position,
        sequence: u64,
        stamp: CutStamp,
    ) -> Result<Cut, EngineError> {
        let position = counterparty.settle(self.round.funding_index)?;
        match position.side() {
            None => return Ok(Cut::Skipped(SkipReason::NoPosition)),
            Some(side) if side != self.round.side => {
                return Ok(Cut::Skipped(SkipReason::OtherSide));
            }
            Some(_) => {}
        }
        let cap_left = self.round.cap_left(position.size(), stamp)?;
        if cap_left == 0 {
            return Ok(Cut::Skipped(SkipReason::AtCap));
        }
        let exposure = Exposure::of_position(&position, self.round.funding_index, sequence)?;
        let ranked = Ranked::new(&self.round, &exposure)?;
        if ranked.class == Class::Ineligible {
            return Ok(Cut::Skipped(SkipReason::Insolvent));
        }
        if self.budget == 0 {
            return Ok(Cut::Skipped(SkipReason::NothingLeft));
        }
        if let Some(last) = self.last.as_ref().filter(|_| !self.proven) {
            if ranked.compare(last)? != Ordering::Less {
                return Err(EngineError::AdlOutOfOrder);
            }
        }
        let lots = self.budget.min(cap_left);
        let done = self.close(
            &position,
            ranked,
            lots,
            self.stamped(stamp, lots, cap_left)?,
        )?;
        self.last = Some(ranked);
        Ok(Cut::Done(done))
    }

    fn stamped(&self, old: CutStamp, lots: u64, cap_left: u64) -> Result<CutStamp, EngineError> {
        let cut = self.round.lots_cut(old).checked_add(lots);
        let cut = cut.ok_or(EngineError::Overflow)?;
        Ok(CutStamp {
            epoch: self.passes,
            // More than every lot there can be counts as that.
            lots: u32::try_from(cut).unwrap_or(u32::MAX),
            capped_epoch: if lots == cap_left {
                self.passes
            } else {
                old.capped_epoch
            },
        })
    }

    /// Trades `lots` between the counterparty and the bankrupt. Within both callers: what it returns is large.
    #[inline(always)]
    fn close(
        &mut self,
        position: &Position,
        ranked: Ranked,
        lots: u64,
        stamp: CutStamp,
    ) -> Result<CutDone, EngineError> {
        let closed = self.closed.checked_add(lots).ok_or(EngineError::Overflow)?;
        let closed_quote = self.cumulative_quote(closed)?;
        let quote = closed_quote
            .checked_sub(self.closed_quote)
            .ok_or(EngineError::Overflow)?;
        let gave_up = self.forgone(lots, quote)?;
        let bought = Lots::on_side(Side::Long, lots)?;
        let paid = Atoms::new(quote);
        let (sold, received) = (bought.opposite(), Atoms::ZERO.try_sub(paid)?);
        let (counter, bankrupt) = match self.round.side {
            Side::Long => ((sold, received), (bought, paid)),
            Side::Short => ((bought, paid), (sold, received)),
        };
        let outcome = position.fill(counter.0, counter.1)?;
        let (position_after, payout) = settle_payout(outcome.position, outcome.payout()?)?;
        let (left, rest) = self.bankrupt.close_into_margin(bankrupt.0, bankrupt.1)?;
        // The last lot leaves what insurance pays for all of them missing, and nothing else.
        let missing = if left.is_empty() {
            self.deficit.insured
        } else {
            0
        };
        if rest.try_add_unsigned(missing)? != Atoms::ZERO {
            return Err(EngineError::AdlOvershoot);
        }
        self.bankrupt = left;
        self.closed = closed;
        self.closed_quote = closed_quote;
        self.budget = self.budget.checked_sub(lots).ok_or(EngineError::Overflow)?;
        self.gave_up = self
            .gave_up
            .checked_add(gave_up)
            .ok_or(EngineError::Overflow)?;
        self.cuts = self.cuts.checked_add(1).ok_or(EngineError::Overflow)?;
        Ok(CutDone {
            lots,
            quote: paid,
            position_after,
            realized: outcome.realized,
            payout,
            gave_up,
            ranked,
            stamp,
        })
    }

    /// Worth of the first `lots` at the close price: rounded up when counterparties
    /// receive it, down when they pay it.
    fn cumulative_quote(&self, lots: u64) -> Result<i64, EngineError> {
        let close = self.round.close;
        match self.round.side {
            Side::Long => mul_div_ceil_signed(close.quote, lots, close.lots),
            Side::Short => mul_div_floor_signed(close.quote, lots, close.lots),
        }
    }

    /// What a counterparty loses against closing `lots` at the mark. `AdlOvershoot`
    /// when it would gain.
    fn forgone(&self, lots: u64, quote: i64) -> Result<u64, EngineError> {
        let worth = i128::from(self.round.mark.notional(lots)?);
        let quote = i128::from(quote);
        let forgone = match self.round.side {
            Side::Long => worth.wrapping_sub(quote),
            Side::Short => quote.wrapping_sub(worth),
        };
        u64::try_from(forgone).map_err(|_| EngineError::AdlOvershoot)
    }

    /// The bankrupt position as it stands, with what insurance pays for the closed lots in its
    /// margin. `Overflow` outside `i64`.
    pub fn bankrupt_after(&self) -> Result<Position, EngineError> {
        let mut left = self.bankrupt;
        if !left.is_empty() {
            left.margin = left.margin.try_add_unsigned(self.insurance_paid()?)?;
        }
        Ok(left)
    }

    /// What insurance pays for the closed lots, atoms. `Overflow` never in fact.
    pub fn insurance_paid(&self) -> Result<u64, EngineError> {
        self.deficit.insurance_for(self.closed)
    }

    /// The last position cut, as it was ranked.
    #[must_use]
    pub const fn last_cut(&self) -> Option<&Exposure> {
        match &self.last {
            Some(last) => Some(&last.exposure),
            None => None,
        }
    }

    /// How far down the ranking the cuts reached, for the completeness proof.
    #[must_use]
    pub fn threshold(&self) -> Threshold {
        self.last_cut()
            .map_or(Threshold::Everyone, |last| Threshold::Beyond(*last))
    }

    /// Lots that may still be closed in this call.
    #[must_use]
    pub const fn remaining_lots(&self) -> u64 {
        self.budget
    }

    /// Checks that counterparties gave up exactly the uncovered deficit of the
    /// closed lots, and returns the totals. `AdlOvershoot` otherwise.
    pub fn finish(&self) -> Result<Summary, EngineError> {
        let summary = Summary {
            deficit: self.deficit.whole,
            insured: self.deficit.insured,
            insurance_paid: self.insurance_paid()?,
            uncovered_closed: self.deficit.uncovered_for(self.closed)?,
            lots: self.closed,
            gave_up: self.gave_up,
            cuts: self.cuts,
        };
        if summary.overshoot()? == 0 {
            Ok(summary)
        } else {
            Err(EngineError::AdlOvershoot)
        }
    }
}

/// Whether a bankruptcy is for its counterparties to bear: insurance may not pay the whole
/// deficit, or has had its time.
#[must_use]
pub const fn is_due(deficit: u64, insurance_available: u64, past_grace: bool) -> bool {
    deficit > insurance_available || past_grace
}

/// Whether the book takes lots of a bankrupt position, funding settled, at its bankruptcy price
/// or better. `taker` is the price of the best order of somebody else on the position's side,
/// which buys the lots of a long.
#[must_use]
pub fn book_can_absorb(bankrupt: &Position, taker: Option<LotPrice>) -> bool {
    taker.is_some_and(|price| bankrupt.is_solvent_at(price))
}

/// The price that leaves the position with nothing once insurance has paid for every lot.
fn close_price(position: &Position, deficit: &Deficit) -> Result<ClosePrice, EngineError> {
    let insured = i128::from(deficit.insured);
    // 64 bits each.
    let quote = match position.side() {
        Some(Side::Long) => position.bankruptcy_value().wrapping_sub(insured),
        Some(Side::Short) => position.bankruptcy_value().wrapping_add(insured),
        None => return Err(EngineError::NoPosition),
    };
    Ok(ClosePrice {
        quote: i64::try_from(quote).map_err(|_| EngineError::Overflow)?,
        lots: position.size(),
    })
}

/// A partial close of a position with next to no equity may pay out less than
/// nothing by a rounding atom or two, which its margin then bears.
fn settle_payout(mut after: Position, payout: Atoms) -> Result<(Position, Atoms), EngineError> {
    if !payout.is_negative() {
        return Ok((after, payout));
    }
    if after.is_empty() {
        return Err(EngineError::AdlOvershoot);
    }
    after.margin = after.margin.try_add(payout)?;
    Ok((after, Atoms::ZERO))
}
