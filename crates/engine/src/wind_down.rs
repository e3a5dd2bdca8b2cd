//! Market modes: what each allows, when a market ends, the price it ends at, and how it is settled.
//!
//! `Active -> ReduceOnly -> Settling -> Settled`, the first step there and back. What each allows:
//!
//! | | Active | ReduceOnly | Settling | Settled |
//! |---|---|---|---|---|
//! | open interest rises | x | | | |
//! | trades, triggers | x | x | | |
//! | margin out, held profit released by price | x | x | | |
//! | prices recorded, funding | x | x | | |
//! | flags, liquidations | x | x | | |
//! | parameters changed | x | x | | |
//! | margin in | x | x | x | |
//! | deleveraging | x | x | x | |
//! | accounts settled | | | x | x |
//! | orders cancelled | x | x | x | x |
//! | bankrupt positions written off, claims counted | | | x | |
//! | queues and book closed | | | x | |
//!
//! A market that is to end has a time at which it does, known before. From then on it records no
//! price and trades no more, and its last price is a function of what it has recorded, whoever asks
//! for it and when:
//!
//! - [`EndCause::Delisted`]: the average of the hour before the end. Each recorded price stands from
//!   its publication to that of the next, [`MOST_STANDING_SECONDS`] at most, so that one price and then
//!   silence does not make the average; all together at least [`LEAST_COVERED_SECONDS`] of the hour.
//! - [`EndCause::DeadOracle`]: no price for so long that the market counts as dead. The moving average
//!   recorded last, brought within the confidence interval of the price recorded last. Any price that
//!   is recorded before the end calls it off.

use bytemuck::{Pod, Zeroable};

use crate::error::EngineError;
use crate::held::{HeldClaim, HeldProfit};
use crate::math::mul_div_floor;
use crate::oracle::{self, OraclePrice};
use crate::position::Position;
use crate::queue::QueueRef;
use crate::solvency::anybody_bankrupt;
use crate::units::{FundingIndex, LotPrice, Ticks};

/// Seconds before the end whose prices are averaged.
pub const AVERAGED_SECONDS: i64 = 3_600;
/// Most seconds for which one recorded price counts.
pub const MOST_STANDING_SECONDS: i64 = 60;
/// Least seconds of the last hour that recorded prices have to cover.
pub const LEAST_COVERED_SECONDS: u32 = 3_000;
/// Seconds from the declaration that an oracle is dead to the end of its market.
pub const DEAD_NOTICE_SECONDS: i64 = 86_400;

/// Seconds from the end of a market until what its insurance has left may be paid out.
pub const INSURANCE_REST_SECONDS: i64 = 30 * 86_400;

/// What a market does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MarketMode {
    /// Everything.
    #[default]
    Active,
    /// Its open interest does not rise.
    ReduceOnly,
    /// It has ended: positions are settled at its last price.
    Settling,
    /// Nobody has anything in it any more.
    Settled,
}

/// What a mode allows or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarketAction {
    /// A trade after which there is more open interest.
    RaiseOpenInterest,
    /// Trading, in the book or beside it, and triggers.
    Trade,
    /// Taking margin out of a position; the release of held profit by the price.
    RemoveMargin,
    /// Recording a price, and funding.
    RecordPrice,
    /// Flagging and liquidating.
    Liquidate,
    /// Changing parameters, or the price source.
    ChangeParameters,
    /// Putting margin into a position.
    AddMargin,
    /// Deleveraging.
    Deleverage,
    /// Settling what an account has in the market.
    Settle,
    /// Writing off what nobody bears, and counting what is claimed of the rest.
    WriteOff,
    /// Taking orders out of the book.
    CancelOrders,
    /// Closing the market's queues and book.
    CloseAccounts,
}

impl MarketMode {
    /// Every mode, in order of number.
    pub const ALL: [Self; 4] = [
        Self::Active,
        Self::ReduceOnly,
        Self::Settling,
        Self::Settled,
    ];

    /// The mode with this number; a number that is none settles nothing and allows least.
    #[must_use]
    pub const fn of(number: u8) -> Self {
        match number {
            0 => Self::Active,
            1 => Self::ReduceOnly,
            2 => Self::Settling,
            _ => Self::Settled,
        }
    }

    /// Its number, as a market stores it.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Active => 0,
            Self::ReduceOnly => 1,
            Self::Settling => 2,
            Self::Settled => 3,
        }
    }

    /// Whether the market has ended.
    #[must_use]
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Settling | Self::Settled)
    }

    /// Whether the mode allows `action`: the module's table.
    #[must_use]
    pub const fn permits(self, action: MarketAction) -> bool {
        match action {
            MarketAction::RaiseOpenInterest => matches!(self, Self::Active),
            MarketAction::Trade
            | MarketAction::RemoveMargin
            | MarketAction::RecordPrice
            | MarketAction::Liquidate
            | MarketAction::ChangeParameters => !self.has_ended(),
            MarketAction::AddMargin | MarketAction::Deleverage => !matches!(self, Self::Settled),
            MarketAction::Settle => self.has_ended(),
            MarketAction::WriteOff | MarketAction::CloseAccounts => {
                matches!(self, Self::Settling)
            }
            MarketAction::CancelOrders => true,
        }
    }

    /// Fails unless the mode allows `action`.
    ///
    /// # Errors
    /// `MarketReduceOnly`, `MarketEnded`, `MarketTrades`.
    pub const fn require(self, action: MarketAction) -> Result<(), EngineError> {
        if self.permits(action) {
            return Ok(());
        }
        Err(match (self, action) {
            (Self::Active | Self::ReduceOnly, MarketAction::RaiseOpenInterest) => {
                EngineError::MarketReduceOnly
            }
            (Self::Active | Self::ReduceOnly, _) => EngineError::MarketTrades,
            _ => EngineError::MarketEnded,
        })
    }
}

impl From<oracle::Action> for MarketAction {
    fn from(action: oracle::Action) -> Self {
        match action {
            oracle::Action::Open | oracle::Action::Reduce => Self::Trade,
            oracle::Action::RemoveMargin => Self::RemoveMargin,
            oracle::Action::Funding => Self::RecordPrice,
            oracle::Action::Flag { .. } | oracle::Action::Force { .. } => Self::Liquidate,
        }
    }
}

/// Why a market ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndCause {
    /// The admin delists it.
    Delisted,
    /// Its oracle has published nothing fit for long enough.
    DeadOracle,
}

impl EndCause {
    const fn number(self) -> u32 {
        match self {
            Self::Delisted => 1,
            Self::DeadOracle => 2,
        }
    }
}

/// The end of a market: when it is, what the prices before it add up to, and what has been settled
/// since. All zero where none is foreseen.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct WindDown {
    /// When the market ends or ended, unix seconds; 0 when it does not.
    pub ends_at: i64,
    /// Sum over the prices of the last hour: ticks times the seconds for which each counts.
    pub price_seconds: u64,
    /// Those seconds, up to the publication of the price recorded last.
    pub covered_seconds: u32,
    /// Why it ends: 1 delisted, 2 dead oracle; 0 when it does not.
    pub cause: u32,
    /// Lots of the positions settled so far, signed: what the market itself holds until their
    /// counterparties are settled.
    pub settled_lots: i64,
    /// Held profit paid out since the market ended, atoms; where something was written off, what
    /// claims were paid.
    pub held_paid: u64,
    /// Shares of it; where something was written off, those claims, atoms.
    pub held_shares_paid: u64,
}

const _: () = assert!(core::mem::size_of::<WindDown>() == 48);

/// What a market ends at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinalPrice {
    /// This price, ticks.
    At(Ticks),
    /// Too little of the last hour is covered: the market does not end, and goes on.
    Uncovered,
}

impl WindDown {
    /// An end at `ends_at`, unix seconds.
    #[must_use]
    pub fn scheduled(cause: EndCause, ends_at: i64) -> Self {
        Self {
            ends_at,
            cause: cause.number(),
            ..Self::default()
        }
    }

    /// Whether an end is foreseen.
    #[must_use]
    pub const fn is_scheduled(&self) -> bool {
        self.ends_at != 0
    }

    /// Whether it has come at `now`, unix seconds.
    #[must_use]
    pub const fn has_come(&self, now: i64) -> bool {
        self.ends_at != 0 && now >= self.ends_at
    }

    /// Whether at `now`, unix seconds, the market ended [`INSURANCE_REST_SECONDS`] ago.
    #[must_use]
    pub const fn ended_long_ago(&self, now: i64) -> bool {
        match self.ends_at.checked_add(INSURANCE_REST_SECONDS) {
            Some(due) => self.ends_at != 0 && now >= due,
            None => false,
        }
    }

    /// Why the market ends; `None` when it does not.
    #[must_use]
    pub const fn end_cause(&self) -> Option<EndCause> {
        match self.cause {
            1 => Some(EndCause::Delisted),
            2 => Some(EndCause::DeadOracle),
            _ => None,
        }
    }

    /// What becomes of it where a price published at `publish_time` is recorded and `last` was the one
    /// before. A price that is not newer changes nothing.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn recorded(&self, last: &OraclePrice, publish_time: i64) -> Result<Self, EngineError> {
        match self.end_cause() {
            _ if publish_time <= last.publish_time => Ok(*self),
            None => Ok(*self),
            Some(EndCause::DeadOracle) => Ok(Self::default()),
            Some(EndCause::Delisted) => self.with_standing(last, publish_time),
        }
    }

    /// The price of a market that ends, where `last` is the one recorded last. Rounded down.
    ///
    /// # Errors
    /// `EndNotDue` where none is foreseen; `Overflow`.
    pub fn final_price(&self, last: &OraclePrice) -> Result<FinalPrice, EngineError> {
        match self.end_cause() {
            None => Err(EngineError::EndNotDue),
            Some(EndCause::DeadOracle) => Ok(FinalPrice::At(last_average(last))),
            Some(EndCause::Delisted) => {
                let all = self.with_standing(last, self.ends_at)?;
                if all.covered_seconds < LEAST_COVERED_SECONDS {
                    return Ok(FinalPrice::Uncovered);
                }
                let ticks = all
                    .price_seconds
                    .checked_div(u64::from(all.covered_seconds))
                    .ok_or(EngineError::Overflow)?;
                Ok(FinalPrice::At(Ticks::new(ticks.max(1))))
            }
        }
    }

    /// Counts `last` for the part of the last hour from its publication to `until`.
    fn with_standing(&self, last: &OraclePrice, until: i64) -> Result<Self, EngineError> {
        let begins = self.ends_at.checked_sub(AVERAGED_SECONDS);
        let from = last.publish_time.max(begins.ok_or(EngineError::Overflow)?);
        let stood = until.min(self.ends_at).checked_sub(from);
        let stood = stood.ok_or(EngineError::Overflow)?;
        if stood <= 0 {
            return Ok(*self);
        }
        let seconds = u32::try_from(stood.min(MOST_STANDING_SECONDS));
        let seconds = seconds.map_err(|_| EngineError::Overflow)?;
        let more = last.price.get().checked_mul(u64::from(seconds));
        let sum = more.and_then(|more| self.price_seconds.checked_add(more));
        let covered = self.covered_seconds.checked_add(seconds);
        Ok(Self {
            price_seconds: sum.ok_or(EngineError::Overflow)?,
            covered_seconds: covered.ok_or(EngineError::Overflow)?,
            ..*self
        })
    }

    /// Takes over the lots of a position that is settled, signed.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn taking_over(&self, lots: i64) -> Result<Self, EngineError> {
        let sum = self.settled_lots.checked_add(lots);
        Ok(Self {
            settled_lots: sum.ok_or(EngineError::Overflow)?,
            ..*self
        })
    }

    /// Pays a slot's part of the profit that the market held when nobody was bankrupt any more,
    /// rounded down, whoever was paid before. With the last share what is left of the ledger is
    /// insurance's.
    ///
    /// # Errors
    /// `Overflow` for more shares than there are.
    pub fn pay_held(
        &self,
        ledger: &HeldProfit,
        claim: &HeldClaim,
    ) -> Result<HeldPaid, EngineError> {
        let mut paid = HeldPaid {
            wind_down: *self,
            ledger: *ledger,
            atoms: 0,
            to_insurance: 0,
        };
        if claim.shares == 0 || claim.epoch != ledger.epoch {
            return Ok(paid);
        }
        let sum = |a: u64, b: u64| a.checked_add(b).ok_or(EngineError::Overflow);
        let less = |a: u64, b: u64| a.checked_sub(b).ok_or(EngineError::Overflow);
        let all = sum(ledger.atoms, self.held_paid)?;
        let shares = sum(ledger.shares, self.held_shares_paid)?;
        paid.atoms = mul_div_floor(claim.shares, all, shares)?;
        paid.ledger.atoms = less(ledger.atoms, paid.atoms)?;
        paid.ledger.shares = less(ledger.shares, claim.shares)?;
        paid.wind_down.held_paid = sum(self.held_paid, paid.atoms)?;
        paid.wind_down.held_shares_paid = sum(self.held_shares_paid, claim.shares)?;
        if paid.ledger.shares == 0 {
            paid.to_insurance = core::mem::take(&mut paid.ledger.atoms);
        }
        Ok(paid)
    }
}

/// What [`WindDown::pay_held`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldPaid {
    /// The market's end afterwards.
    pub wind_down: WindDown,
    /// The ledger afterwards.
    pub ledger: HeldProfit,
    /// What becomes free collateral, atoms.
    pub atoms: u64,
    /// What insurance gets, atoms.
    pub to_insurance: u64,
}

/// Whether an oracle whose last price was published at `last_publish_time` counts as dead at `now`,
/// all unix seconds, after `dead_seconds` without another. Without any price nothing has begun that
/// could end.
#[must_use]
pub fn is_dead(last: &OraclePrice, dead_seconds: u64, now: i64) -> bool {
    let age = i128::from(now).wrapping_sub(i128::from(last.publish_time));
    last.price.get() != 0 && age >= i128::from(dead_seconds)
}

/// The moving average, within the confidence interval of the price; at least one tick.
fn last_average(last: &OraclePrice) -> Ticks {
    let (price, around) = (last.price.get(), last.confidence.get());
    let low = price.max(around).wrapping_sub(around);
    let high = u128::from(price).wrapping_add(u128::from(around));
    let high = u64::try_from(high).unwrap_or(u64::MAX);
    Ticks::new(last.ema.get().min(high).max(low).max(1))
}

/// Whether everybody's equity is at least zero at the last price, so that all of them are covered:
/// looks at the roots only.
///
/// # Errors
/// `TreeCorrupt`.
pub fn is_solvent(
    long: &QueueRef<'_>,
    short: &QueueRef<'_>,
    price: LotPrice,
    index: FundingIndex,
) -> Result<bool, EngineError> {
    Ok(!anybody_bankrupt(long, price, index)? && !anybody_bankrupt(short, price, index)?)
}

/// What a position is worth at the last price, funding paid up to `index`, atoms. Exact: whole lots
/// at a whole price.
///
/// # Errors
/// `MarketInsolvent` for less than nothing; `Overflow`.
pub fn worth(
    position: &Position,
    price: LotPrice,
    index: FundingIndex,
) -> Result<u64, EngineError> {
    let equity = position.settle(index)?.equity(price)?;
    u64::try_from(equity.get()).map_err(|_| EngineError::MarketInsolvent)
}

#[cfg(test)]
mod tests;
