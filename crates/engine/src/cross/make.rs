//! An order of a leg that waited in the book and is met.
//!
//! The leg stands as a position whose margin is all that its account holds beside the leg's own result, and that
//! margin has to hold what the other legs need too. What the order reserved was no part of the account; the part
//! that belongs to the filled lots joins the pool with the fill.
//!
//! ```text
//! pool' = pool + realised - funding owed + margin used - fee
//! ```
//!
//! An order that opens needs `V >= M` afterwards, as an isolated maker needs maintenance margin; one that makes the
//! leg smaller what [`Account::check_reduction`] asks of a taker.

use super::checks::is_deep;
use super::{Account, CrossError, Leg, LegValue, Values, MOST_LEGS};
use crate::book::Order;
use crate::error::EngineError;
use crate::margin::maintenance_margin;
use crate::matching::{check_carried, check_waits, decide, MakerFill, Match, Taking, Trades};
use crate::oracle::Mark;
use crate::order::reducible;
use crate::position::Position;
use crate::risk::RiskParams;
use crate::trade::reduces;
use crate::units::{Atoms, Bps, LotPrice, Side};

/// The trader behind an order of a leg.
#[derive(Clone, Copy, Debug)]
pub struct LegMaker<'a> {
    /// Its account, at the marks by which it is valued.
    account: &'a Account<'a>,
    /// Place of the leg, with or without lots.
    place: usize,
    /// The leg, funding paid; its margin is all that the account holds beside its result.
    position: Position,
    /// Maintenance margin of the other legs, atoms.
    beside: u64,
    /// Free collateral, atoms, not negative; what orders reserve is not in it.
    pub free: Atoms,
    /// Lots by which the legs of the order's side may still grow; none where the queue of that side has no room
    /// for the leg.
    pub room: u64,
    /// Whether the marks of the other legs serve for opening.
    pub may_open: bool,
}

/// A fill of an order of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LegFill {
    /// The fill. `free` is the pool afterwards, and the position has no record.
    pub fill: MakerFill,
    /// Profit or loss of the closed lots, atoms.
    pub realized: Atoms,
    /// Funding that the leg owed, atoms; received where negative.
    pub funding: Atoms,
    /// What the account is worth afterwards, at the market's mark, atoms.
    pub equity: Atoms,
    /// Its maintenance margin then, atoms.
    pub requirement: u64,
}

impl LegFill {
    /// What it brings the account beyond what it held: what was realised, funding counted, atoms.
    pub fn profit(&self) -> Result<u64, CrossError> {
        Ok(self.realized.try_sub(self.funding)?.positive_part())
    }
}

impl<'a> Account<'a> {
    /// The leg at `place`, with or without lots, as the maker of an order; `values` are the account's.
    ///
    /// `NoLeg`, `Overflow`.
    pub fn maker(
        &'a self,
        values: &Values,
        place: usize,
        (free, room, may_open): (Atoms, u64, bool),
    ) -> Result<LegMaker<'a>, CrossError> {
        let leg = self.legs.get(place).ok_or(CrossError::NoLeg)?;
        let value = values.legs.get(place).ok_or(CrossError::NoLeg)?;
        let pnl = match leg.position.is_empty() {
            true => Atoms::ZERO,
            false => leg.position.pnl(leg.mark.price)?,
        };
        let beside = values.requirement.checked_sub(value.requirement);
        Ok(LegMaker {
            account: self,
            place,
            position: Position {
                margin: values.equity.try_sub(pnl)?,
                funding_index: leg.funding_index,
                ..leg.position
            },
            beside: beside.ok_or(EngineError::Overflow)?,
            free,
            room,
            may_open,
        })
    }
}

/// Decides on an order of a leg as [`meet`](crate::matching::meet) does on one of an isolated position.
pub fn meet_leg(
    taking: &Taking<'_>,
    maker: &LegMaker<'_>,
    order: &Order,
    most: u64,
) -> Result<Match<LegFill>, CrossError> {
    let before = &maker.position;
    let fits = |leg: &LegFill| added(before, &leg.fill.position, order.side()) <= maker.room;
    let fill = |taking: &Taking<'_>| maker.fill(taking, order, most);
    Ok(decide(taking, order, (before, maker.free), fits, fill)?)
}

impl LegMaker<'_> {
    /// Its fill; any error says that it cannot carry it.
    #[inline(never)]
    fn fill(&self, taking: &Taking<'_>, order: &Order, most: u64) -> Result<LegFill, CrossError> {
        let (params, before) = (taking.params, &self.position);
        let trades = Trades::of(taking, before, order, most)?;
        let filled = before.fill(trades.signed, trades.quote)?;
        let reduced_only = reduces(before, trades.signed);
        let fee = match reduced_only {
            true => trades.due,
            false => trades.opening_fee()?.0,
        };
        let margin = filled.position.margin.try_add(filled.payout()?)?;
        let margin = margin.try_add_unsigned(trades.margin_used)?;
        let after = Position {
            margin: margin.try_sub(fee)?,
            ..filled.position
        };
        let pool = self.pool_with(&after)?;
        let values = self.values(params, taking.mark.price, &after)?;
        if reduced_only {
            let before = self.values(params, taking.mark.price, before)?;
            if !values.no_less_healthy(&before) {
                return Err(CrossError::LessHealthy);
            }
            let limit = Bps::new(params.liquidation_discount_max_bps);
            if is_deep(trades.signed, trades.quote, taking.mark.price, limit)? {
                self.check_deep(&taking.mark, trades.lots, &after, pool)?;
            }
        } else {
            check_carried(params, &taking.mark, &after, self.beside)?;
            check_waits(params, &after, order, trades.lots)?;
        }
        let position = Position {
            margin: Atoms::ZERO,
            ..after
        };
        Ok(LegFill {
            fill: trades.filled(order, position, (pool, fee), reduced_only),
            realized: filled.realized,
            funding: self.leg()?.funding_owed()?,
            equity: values.equity,
            requirement: values.requirement,
        })
    }

    fn leg(&self) -> Result<&Leg<'_>, CrossError> {
        self.account.legs.get(self.place).ok_or(CrossError::NoLeg)
    }

    /// The pool where the leg's margin has become that of `after`.
    fn pool_with(&self, after: &Position) -> Result<Atoms, CrossError> {
        let gained = after.margin.try_sub(self.position.margin)?;
        let settled = self.account.pool.try_sub(self.leg()?.funding_owed()?)?;
        Ok(settled.try_add(gained)?)
    }

    /// What the account is worth and needs at `mark` with the leg as `position`, whose margin is all that it holds
    /// beside.
    fn values(
        &self,
        params: &RiskParams,
        mark: LotPrice,
        position: &Position,
    ) -> Result<Values, CrossError> {
        let needed = match position.is_empty() {
            true => 0,
            false => maintenance_margin(params, position.notional(mark)?)?,
        };
        let requirement = needed.checked_add(self.beside);
        Ok(Values {
            equity: position.equity(mark)?,
            requirement: requirement.ok_or(EngineError::Overflow)?,
            legs: [LegValue::default(); MOST_LEGS],
        })
    }

    /// `BelowInitial` unless the account holds what opening needs once the leg is `after`, with the `lots` of the
    /// trade counted as new to the market.
    #[cold]
    fn check_deep(
        &self,
        mark: &Mark,
        lots: u64,
        after: &Position,
        pool: Atoms,
    ) -> Result<(), CrossError> {
        if !self.may_open {
            return Err(CrossError::BelowInitial);
        }
        let own = self.leg()?;
        let mut legs = [*own; MOST_LEGS];
        for (at, leg) in legs.iter_mut().zip(self.account.legs) {
            *at = *leg;
        }
        if let Some(leg) = legs.get_mut(self.place) {
            leg.position = *after;
            leg.mark = Mark {
                scale: mark.scale.and_open(lots)?,
                ..*mark
            };
        }
        let legs = legs.get(..self.account.legs.len());
        Account {
            pool,
            legs: legs.ok_or(CrossError::TooManyLegs)?,
        }
        .check_opening()
    }
}

/// Whether up to `most` lots of an order may add to the lots that legs of its side hold.
#[must_use]
pub fn may_grow(position: &Position, order: &Order, most: u64) -> bool {
    most.min(order.size()) > reducible(position, order.side())
}

/// Lots by which a position has grown on `side`.
fn added(before: &Position, after: &Position, side: Side) -> u64 {
    let on_side = |position: &Position| match position.side() == Some(side) {
        true => position.size(),
        false => 0,
    };
    let (had, has) = (on_side(before), on_side(after));
    has.max(had).wrapping_sub(had)
}
