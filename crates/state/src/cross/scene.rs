//! A market with legs at one moment: how an account with a leg in it stands, as the program finds it and whoever
//! plans its calls.

use alloc::boxed::Box;

use ballast_engine::{
    book::Order,
    cross::{may_grow, meet_leg, CrossDraws, Forced, LegFill, LegTerms, LegTrade, Values},
    distress::Distress,
    health::Health,
    liquidation::LiquidationInput,
    matching::{Match, Taken, Taking},
    position::Position,
    trade::{check_open_interest, check_opened, open_interest_after},
    units::{Atoms, Bps, Side},
};

use super::{CrossBoard, Legs, Present};
use crate::{
    error::{ensure, BallastError, Result},
    events::LegForced,
    market::{Market, Touched},
    protection::{Due, Protection},
    trader::Trader,
    Pubkey,
};

/// The market at hand, at the price just read, with the board's marks of the others.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The market's key.
    pub key: Pubkey,
    /// As touched.
    pub touched: &'a Touched,
    /// Its margins.
    pub terms: &'a LegTerms,
    /// The board.
    pub board: &'a CrossBoard,
    /// The present slot.
    pub slot: u64,
}

/// A leg that is flagged, liquidated, deleveraged or parted with.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// Index of its slot.
    pub index: usize,
    /// Place among the account's legs.
    pub place: usize,
    /// The leg with its share of equity or deficit, and how its account stands.
    pub forced: Forced,
    /// What each leg adds.
    pub values: Values,
}

/// A leg before it trades.
#[derive(Clone, Debug)]
pub struct LegBefore<'a> {
    /// Index of its slot.
    pub index: usize,
    /// The account's legs.
    pub legs: Legs<'a>,
    /// The place of this one among them.
    pub place: usize,
    /// The leg, funding as stored.
    pub position: Position,
    /// How the account stands.
    pub values: Values,
}

/// The bankrupt of a round, as the engine is to see it.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Index of its slot.
    pub index: usize,
    /// The position before, funding paid: of a leg that with its share.
    pub before: Position,
    /// What may be paid of its deficit, atoms.
    pub available: u64,
    /// What is remembered of its distress.
    pub distress: Distress,
    /// How its account stands, where it is a leg.
    pub trouble: Option<Box<Trouble>>,
}

impl Trouble {
    /// What is announced of it.
    #[must_use]
    pub fn event(&self, market: &Pubkey, trader: &Pubkey, pool_after: i64) -> LegForced {
        LegForced {
            market: *market,
            trader: *trader,
            equity_atoms: self.forced.equity.get(),
            requirement_atoms: self.forced.requirement,
            pool_after,
        }
    }
}

impl<'a> Scene<'a> {
    /// The legs of an account, that of the market at hand at the price just read, however old the marks of the
    /// others are.
    ///
    /// # Errors
    /// Those of [`Legs::at`].
    pub fn valued(&self, trader: &Trader) -> Result<Legs<'a>> {
        Legs::at(trader, self.board, &self.present())
    }

    /// The account's leg in the market before it trades, claimed where there is none.
    ///
    /// # Errors
    /// `CrossLegThere`, `CrossTooManyLegs`, `NoFreeSlot`; those of [`Self::valued`].
    #[inline(never)]
    pub fn leg_before(&self, trader: &mut Trader) -> Result<Box<LegBefore<'a>>> {
        let index = trader.leg_or_claim(&self.key)?;
        let legs = self.valued(trader)?;
        let place = legs.place_of(index)?;
        let account = legs.account();
        let leg = account.legs.get(place).ok_or(BallastError::NoPosition)?;
        Ok(Box::new(LegBefore {
            index,
            place,
            position: leg.position,
            values: account.values()?,
            legs,
        }))
    }

    /// The market at hand.
    #[must_use]
    pub const fn present(&self) -> Present<'a> {
        Present::new(self.key, self.touched, self.terms)
    }

    /// The same, where the marks of the others are young, or frozen.
    ///
    /// # Errors
    /// `CrossMarkStale`; those of [`Legs::at`].
    pub fn legs(&self, trader: &Trader) -> Result<Legs<'a>> {
        let legs = self.valued(trader)?;
        let own = trader.find_cross(&self.key);
        let own = own.and_then(|index| legs.place_of(index).ok());
        legs.check_forcing(self.board, own, self.slot)?;
        Ok(legs)
    }

    /// How the account of a leg in the market stands; `counts` unless liquidation is paused.
    ///
    /// # Errors
    /// `NoPosition`, `CrossMarkStale`.
    #[inline(never)]
    pub fn trouble(&self, market: &Market, trader: &Trader, counts: bool) -> Result<Box<Trouble>> {
        let index = trader.find_leg(&self.key);
        let index = index.ok_or(BallastError::NoPosition)?;
        let legs = self.legs(trader)?;
        let place = legs.place_of(index)?;
        let account = legs.account();
        let values = account.values()?;
        let buffer = Bps::new(market.params().liquidation_buffer_bps);
        let forced = account.forced(&values, place, buffer, counts)?;
        Ok(Box::new(Trouble {
            index,
            place,
            forced,
            values,
        }))
    }

    /// What the protective steps of the account's leg in the market ask for, at the account's margin ratio. Whether
    /// they are for the leg of today the queue tells.
    ///
    /// # Errors
    /// `NoPosition`, `CrossMarkStale`; those of [`Protection::due_at_ratio`].
    #[inline(never)]
    pub fn protective(&self, trader: &Trader, steps: &Protection) -> Result<Option<Due>> {
        let lots = trader.leg(&self.key)?.position()?.lots;
        let values = self.legs(trader)?.account().values()?;
        match values.ratio_bps()? {
            Some(ratio) => steps.due_at_ratio(lots, ratio, self.touched.price.price),
            None => Ok(None),
        }
    }

    /// Fails unless the leg may be liquidated at this moment: the one with the largest maintenance margin among those
    /// whose marks are not frozen, or one that has been flagged for longer than the discount's ramp.
    ///
    /// # Errors
    /// `Healthy`, `CrossLegOrder`, `CrossMarkStale`.
    #[inline(never)]
    pub fn check_order(&self, market: &Market, trader: &Trader, trouble: &Trouble) -> Result<()> {
        let healthy = trouble.forced.look.health == Health::Healthy;
        ensure(!healthy, BallastError::Healthy)?;
        let legs = self.legs(trader)?;
        let flagged = trader.leg(&self.key)?.distress().flagged_for(self.slot);
        let ramp = market.params().discount_ramp_slots;
        let ramp_over = flagged.is_some_and(|slots| slots > ramp);
        let may = |place| legs.may_liquidate(self.board, trouble.place, place);
        let (values, place) = (&trouble.values, trouble.place);
        Ok(values.check_leg_order(place, may, ramp_over)?)
    }

    /// What a step of its liquidation depends on. `draws` reads what was paid for legs lately, out of the header of
    /// the market's cross queue of longs; it is asked of a bankrupt only.
    ///
    /// # Errors
    /// `NoPosition`, `CrossDisabled`, `Overflow`; those of `draws`.
    pub fn liquidation<'m, E: From<BallastError>>(
        &self,
        market: &'m Market,
        trader: &Trader,
        trouble: &Trouble,
        draws: impl FnOnce() -> core::result::Result<CrossDraws, E>,
    ) -> core::result::Result<LiquidationInput<'m>, E> {
        let insurance_available = match trouble.forced.look.health {
            Health::Bankrupt { .. } => self.board.cover(market, &draws()?, self.slot)?,
            _ => 0,
        };
        Ok(LiquidationInput {
            position: trouble.forced.position,
            mark: self.touched.mark.price,
            params: market.params(),
            slot: self.slot,
            distress: trader.leg(&self.key)?.distress(),
            insurance_available,
        })
    }

    /// Who is deleveraged: the account's leg in the market, or its isolated position. `draws` as for
    /// [`Self::liquidation`]; it is asked of a leg only.
    ///
    /// # Errors
    /// `NoPosition`, `CrossMarkStale`, `CrossDisabled`, `Overflow`; those of `draws`.
    #[inline(never)]
    pub fn subject<E: From<BallastError>>(
        &self,
        market: &Market,
        trader: &Trader,
        draws: impl FnOnce() -> core::result::Result<CrossDraws, E>,
    ) -> core::result::Result<Subject, E> {
        if trader.find_leg(&self.key).is_none() {
            return Ok(self.isolated(market, trader)?);
        }
        let trouble = self.trouble(market, trader, false)?;
        Ok(Subject {
            index: trouble.index,
            before: trouble.forced.position,
            available: self.board.cover(market, &draws()?, self.slot)?,
            distress: trader.leg(&self.key)?.distress(),
            trouble: Some(trouble),
        })
    }

    fn isolated(&self, market: &Market, trader: &Trader) -> Result<Subject> {
        let index = trader.find(&self.key).ok_or(BallastError::NoPosition)?;
        let slot = trader.slot(&self.key)?;
        ensure(slot.lots != 0, BallastError::NoPosition)?;
        Ok(Subject {
            index,
            before: slot.position()?.settle(self.touched.funding_index)?,
            available: market.deficit_cover(self.slot)?,
            distress: slot.distress(),
            trouble: None,
        })
    }

    /// The leg at `place` of an account's `legs`, with or without lots, after the account took `taken` on `side`:
    /// within the limits of the market, whose makers left `open_interest`.
    ///
    /// # Errors
    /// Those of [`Account::take`](ballast_engine::cross::Account::take), [`check_open_interest`] and
    /// [`check_opened`].
    #[inline(never)]
    pub fn taken(
        &self,
        market: &Market,
        (legs, place): (&Legs<'_>, usize),
        side: Side,
        taken: &Taken,
        open_interest: u64,
    ) -> Result<Box<LegTrade>> {
        let (account, params) = (legs.account(), market.params());
        let trade = account.take(place, params, side, taken)?;
        let before = account.legs.get(place).ok_or(BallastError::NoPosition)?;
        let changes = [(before.position.lots, trade.position.lots)];
        let (was, is) = (
            market.open_interest_lots,
            open_interest_after(open_interest, &changes)?,
        );
        let mark = &self.touched.mark;
        check_open_interest(params, mark, market.mode(), was, is)?;
        let least = market.least_position(mark.price);
        check_opened(least, &trade.position, trade.reduced_only, 0)?;
        Ok(Box::new(trade))
    }

    /// Whether the account, as it is after `trade`, may stand, and how it does; `before` is how it stood at the
    /// same price. `index` is the slot of the leg, where it has lots.
    ///
    /// # Errors
    /// `CrossBelowInitial`, `CrossMarkStale`, `CrossMarkFrozen`.
    #[inline(never)]
    pub fn check_traded(
        &self,
        after: &Trader,
        index: Option<usize>,
        before: &Values,
        trade: &LegTrade,
    ) -> Result<Values> {
        let present = Present {
            mark: trade.mark,
            ..self.present()
        };
        let legs = Legs::at(after, self.board, &present)?;
        let own = index.map(|index| legs.place_of(index)).transpose()?;
        match trade.opens() {
            true => legs.check_opening(self.board, own, self.slot)?,
            false => legs.check_forcing(self.board, own, self.slot)?,
        }
        Ok(legs.account().check_traded(before, trade)?)
    }

    /// What becomes of an order of a leg, with or without lots, that is met; `room` reads by how many lots the legs of
    /// its side may still grow, and is asked where it may add some.
    ///
    /// # Errors
    /// `NoPosition`, `CrossMarkStale`; those of `room`.
    #[inline(never)]
    pub fn meet<E: From<BallastError>>(
        &self,
        taking: &Taking<'_>,
        trader: &Trader,
        (order, most): (&Order, u64),
        room: impl FnOnce(&Position) -> core::result::Result<u64, E>,
    ) -> core::result::Result<Match<LegFill>, E> {
        let index = trader.find_cross(&self.key);
        let index = index.ok_or(BallastError::NoPosition)?;
        let legs = self.legs(trader)?;
        let place = legs.place_of(index)?;
        let account = legs.account();
        let values = account.values().map_err(BallastError::from)?;
        let held = account.legs.get(place).map(|leg| leg.position);
        let held = held.unwrap_or_default();
        let room = match may_grow(&held, order, most) {
            true => room(&held)?,
            false => 0,
        };
        let may_open = legs
            .check_opening(self.board, Some(place), self.slot)
            .is_ok();
        let maker = account.maker(&values, place, (trader.free(), room, may_open));
        let maker = maker.map_err(BallastError::from)?;
        let met = meet_leg(taking, &maker, order, most);
        Ok(met.map_err(BallastError::from)?)
    }

    /// Whether the account holds what opening needs, for collateral that has left its pool.
    ///
    /// # Errors
    /// `CrossBelowInitial`, `CrossMarkStale`, `CrossMarkFrozen`.
    #[inline(never)]
    pub fn check_opening(&self, trader: &Trader) -> Result<()> {
        let legs = self.valued(trader)?;
        let own = trader.find_cross(&self.key);
        let own = own.and_then(|index| legs.place_of(index).ok());
        legs.check_opening(self.board, own, self.slot)?;
        Ok(legs.account().check_opening()?)
    }

    /// The pool once the leg at `place` was handed out as `given` and came back as `after` with `payout` beside it,
    /// atoms.
    ///
    /// # Errors
    /// `NoPosition`, `Overflow`.
    pub fn pool_after(
        &self,
        trader: &Trader,
        place: usize,
        given: &Position,
        after: &Position,
        payout: Atoms,
    ) -> Result<Atoms> {
        let legs = self.valued(trader)?;
        Ok(legs.account().pool_after(place, given, after, payout)?)
    }
}
