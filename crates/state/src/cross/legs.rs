//! The legs of a trader account, valued at the board's marks or, in one market, at a price just read.

use ballast_engine::{
    cross::{Account, CrossError, Leg, LegTerms, Values, MOST_LEGS, SLACK},
    distress::Distress,
    margin::MarginScale,
    oracle::Mark,
    position::Position,
    units::{Atoms, FundingIndex, LotPrice},
};

use super::CrossBoard;
use crate::{
    error::{ensure, BallastError, Result},
    market::Touched,
    position_slot::{PositionSlot, CROSS_LEG, CROSS_ORDERS, CROSS_WEAK},
    queue_account::NO_NODE,
    trader::Trader,
    Pubkey,
};

/// The market at hand, at the price just read.
#[derive(Clone, Copy, Debug)]
pub struct Present<'a> {
    /// The market.
    pub market: Pubkey,
    /// Its mark.
    pub mark: Mark,
    /// Its funding index.
    pub funding_index: FundingIndex,
    /// Its margins.
    pub terms: &'a LegTerms,
}

impl<'a> Present<'a> {
    /// `market` as it is `touched`; `terms` are those of its parameters.
    #[must_use]
    pub const fn new(market: Pubkey, touched: &Touched, terms: &'a LegTerms) -> Self {
        Self {
            market,
            mark: touched.mark,
            funding_index: touched.funding_index,
            terms,
        }
    }
}

/// Where a leg is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LegSlot {
    /// Index of its slot in the trader account.
    pub index: usize,
    /// Place of its market on the board.
    pub place: usize,
}

/// The legs of a trader account as the engine takes them, in the order of their slots; those with orders alone
/// among them.
#[derive(Clone, Copy, Debug)]
pub struct Legs<'a> {
    pool: Atoms,
    legs: [Leg<'a>; MOST_LEGS],
    slots: [LegSlot; MOST_LEGS],
    count: usize,
}

impl<'a> Legs<'a> {
    /// All legs at the board's marks: what records and what may leave the pool are decided by.
    ///
    /// # Errors
    /// `CrossDisabled`, `CrossTooManyLegs`, `BoardLayout`; `SizeOutOfRange`, `PriceOutOfRange`.
    pub fn at_board(trader: &Trader, board: &'a CrossBoard) -> Result<Self> {
        Self::new(trader, board, None)
    }

    /// The leg of the market at hand at its price just read, the others at the board's marks: what the
    /// account is worth and what it needs.
    ///
    /// # Errors
    /// Those of [`Self::at_board`].
    pub fn at(trader: &Trader, board: &'a CrossBoard, present: &Present<'a>) -> Result<Self> {
        Self::new(trader, board, Some(present))
    }

    #[inline(never)]
    fn new(trader: &Trader, board: &'a CrossBoard, present: Option<&Present<'a>>) -> Result<Self> {
        let [first, ..] = &board.board.entries;
        let empty = Leg {
            position: Position::default(),
            // Of no leg.
            mark: Mark {
                price: LotPrice::new(1)?,
                confidence: 0,
                average: None,
                scale: MarginScale::NONE,
            },
            funding_index: FundingIndex::ZERO,
            terms: &first.terms,
            profit_weight_bps: 0,
            recorded_slot: 0,
            weak: false,
        };
        let mut legs = Self {
            pool: Atoms::new(trader.cross_pool),
            legs: [empty; MOST_LEGS],
            slots: [LegSlot::default(); MOST_LEGS],
            count: 0,
        };
        for (index, slot) in trader.positions.iter().enumerate() {
            if slot.is_cross() {
                legs.push(board, index, slot, present)?;
            }
        }
        Ok(legs)
    }

    fn push(
        &mut self,
        board: &'a CrossBoard,
        index: usize,
        slot: &PositionSlot,
        present: Option<&Present<'a>>,
    ) -> Result<()> {
        let place = board.board.place(&slot.market.to_bytes())?;
        let entry = board.board.entry(place)?;
        let own = present.filter(|present| present.market == slot.market);
        let (mark, funding_index, terms) = match own {
            Some(own) => (own.mark, own.funding_index, own.terms),
            None => (entry.mark()?, entry.funding_index, &entry.terms),
        };
        let leg = self.legs.get_mut(self.count);
        *leg.ok_or(BallastError::CrossTooManyLegs)? = Leg {
            position: slot.position()?,
            mark,
            funding_index,
            terms,
            profit_weight_bps: entry.profit_weight_bps,
            recorded_slot: slot.held_slot,
            weak: slot.cross & CROSS_WEAK != 0,
        };
        if let Some(slot) = self.slots.get_mut(self.count) {
            *slot = LegSlot { index, place };
        }
        self.count = self.count.wrapping_add(1);
        Ok(())
    }

    /// As the engine takes them.
    #[must_use]
    pub fn account(&self) -> Account<'_> {
        Account {
            pool: self.pool,
            legs: self.legs.get(..self.count).unwrap_or(&[]),
        }
    }

    /// Where each is stored.
    #[must_use]
    pub fn slots(&self) -> &[LegSlot] {
        self.slots.get(..self.count).unwrap_or(&[])
    }

    /// Place among the legs of the one in the slot `index`.
    ///
    /// # Errors
    /// `NoPosition`.
    pub fn place_of(&self, index: usize) -> Result<usize> {
        let place = self.slots().iter().position(|slot| slot.index == index);
        place.ok_or(BallastError::NoPosition)
    }

    /// All but the one at `place`, for [`Account::take_out`].
    #[must_use]
    pub fn without(&self, place: usize) -> Self {
        let mut rest = *self;
        rest.count = 0;
        let legs = self.legs.iter().zip(&self.slots).take(self.count);
        for (at, (leg, slot)) in legs.enumerate() {
            if at == place {
                continue;
            }
            if let Some(kept) = rest.legs.get_mut(rest.count) {
                *kept = *leg;
            }
            if let Some(kept) = rest.slots.get_mut(rest.count) {
                *kept = *slot;
            }
            rest.count = rest.count.wrapping_add(1);
        }
        rest
    }

    /// Whether the marks of all legs with lots, but of that at `except`, serve for opening in `slot`.
    ///
    /// # Errors
    /// `CrossMarkStale`, `CrossMarkFrozen`.
    pub fn check_opening(
        &self,
        board: &CrossBoard,
        except: Option<usize>,
        slot: u64,
    ) -> Result<()> {
        self.each_other(except, |place| {
            board.board.entry(place)?.check_opening(slot)
        })
    }

    /// Whether they serve to flag, liquidate and deleverage: young, or frozen.
    ///
    /// # Errors
    /// `CrossMarkStale`.
    pub fn check_forcing(
        &self,
        board: &CrossBoard,
        except: Option<usize>,
        slot: u64,
    ) -> Result<()> {
        self.each_other(except, |place| {
            board.board.entry(place)?.check_forcing(slot)
        })
    }

    fn each_other(
        &self,
        except: Option<usize>,
        check: impl Fn(usize) -> core::result::Result<(), CrossError>,
    ) -> Result<()> {
        for (at, (slot, leg)) in self.slots().iter().zip(&self.legs).enumerate() {
            if except != Some(at) && !leg.position.is_empty() {
                check(slot.place)?;
            }
        }
        Ok(())
    }

    /// Whether the leg at `place` may be liquidated: its mark is not frozen, where it is not the one just read.
    #[must_use]
    pub fn may_liquidate(&self, board: &CrossBoard, own: usize, place: usize) -> bool {
        let slot = self.slots().get(place);
        let entry = slot.and_then(|slot| board.board.entry(slot.place).ok());
        place == own || entry.is_some_and(|entry| !entry.is_frozen())
    }

    /// The first leg whose record would flatter, but those that `renewed` says are recorded anew. All at the
    /// board's marks.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn flattered(
        &self,
        values: &Values,
        slot: u64,
        renewed: impl Fn(usize) -> bool,
    ) -> Result<Option<usize>> {
        Ok(self.account().flattered(values, SLACK, slot, renewed)?)
    }
}

impl Trader {
    /// The slots in use that are neither legs nor have orders that open one.
    pub fn isolated(&self) -> impl Iterator<Item = &PositionSlot> {
        let slots = self.positions.iter();
        slots.filter(|slot| !slot.is_empty() && !slot.is_cross())
    }

    /// Whether the account has a leg, or orders that open one.
    #[must_use]
    pub fn has_cross(&self) -> bool {
        self.positions.iter().any(PositionSlot::is_cross)
    }

    /// Index of the slot of the account's leg in `market`, or of orders that open one.
    #[must_use]
    pub fn find_cross(&self, market: &Pubkey) -> Option<usize> {
        let mut slots = self.positions.iter();
        slots.position(|slot| slot.is_cross() && slot.market == *market)
    }

    /// Index of the slot that is the account's leg in `market`.
    #[must_use]
    pub fn find_leg(&self, market: &Pubkey) -> Option<usize> {
        let mut slots = self.positions.iter();
        slots.position(|slot| slot.is_leg() && slot.market == *market)
    }

    /// The account's leg in `market`.
    ///
    /// # Errors
    /// `NoPosition`.
    pub fn leg(&self, market: &Pubkey) -> Result<&PositionSlot> {
        let slot = self.find_leg(market).and_then(|at| self.positions.get(at));
        slot.ok_or(BallastError::NoPosition)
    }

    /// The account's leg in `market`, to be written.
    ///
    /// # Errors
    /// `NoPosition`.
    pub fn leg_mut(&mut self, market: &Pubkey) -> Result<&mut PositionSlot> {
        let found = self.find_leg(market);
        let slot = found.and_then(|at| self.positions.get_mut(at));
        slot.ok_or(BallastError::NoPosition)
    }

    /// Slot since which the leg in `market` has been known, in `slot`, to be below maintenance; 0 for one that
    /// is not, and without one.
    #[must_use]
    pub fn leg_flagged_slot(&self, market: &Pubkey, slot: u64) -> u64 {
        let found = self.leg(market);
        found.map_or(0, |leg| leg.distress().confirmed_since(slot))
    }

    /// Index of the slot of the account's leg in `market`, or of orders that open one, claimed where it has none.
    ///
    /// # Errors
    /// `CrossLegThere` beside an isolated position; those of [`Self::claim_leg`].
    pub fn leg_or_claim(&mut self, market: &Pubkey) -> Result<usize> {
        let mut slots = self.positions.iter();
        let found = slots.position(|slot| slot.market == *market);
        let Some(index) = found else {
            return self.claim_leg(market);
        };
        let cross = self
            .positions
            .get(index)
            .is_some_and(PositionSlot::is_cross);
        ensure(cross, BallastError::CrossLegThere)?;
        Ok(index)
    }

    /// Claims a slot for a leg in `market`; its index. Lots or orders are for the caller to write: see
    /// [`Self::store_leg`].
    ///
    /// # Errors
    /// `CrossTooManyLegs`, those with orders alone counted; `NoFreeSlot`.
    pub fn claim_leg(&mut self, market: &Pubkey) -> Result<usize> {
        let legs = self.positions.iter().filter(|slot| slot.is_cross());
        ensure(legs.count() < MOST_LEGS, BallastError::CrossTooManyLegs)?;
        let index = self.claim(market)?;
        if let Some(slot) = self.positions.get_mut(index) {
            slot.cross = CROSS_ORDERS;
        }
        Ok(index)
    }

    /// Writes the position of the leg in the slot `index`, which has left the queue of a side that it is not on
    /// any more: a slot with orders becomes a leg, and a leg that is closed keeps its orders or is freed. Whether it
    /// has lots then.
    ///
    /// # Errors
    /// `TraderInvariant`.
    pub fn store_leg(
        &mut self,
        index: usize,
        position: &Position,
        distress: &Distress,
    ) -> Result<bool> {
        let slot = self.positions.get_mut(index);
        let slot = slot.ok_or(BallastError::TraderInvariant)?;
        ensure(slot.is_cross(), BallastError::TraderInvariant)?;
        let (was, is) = (slot.is_leg(), !position.is_empty());
        slot.store(position);
        if is {
            slot.cross |= CROSS_LEG;
            slot.cross &= !CROSS_ORDERS;
            slot.store_distress(distress);
        } else {
            ensure(slot.queue_node == NO_NODE, BallastError::TraderInvariant)?;
            let spent = slot.order_count == 0;
            *slot = PositionSlot {
                market: slot.market,
                queue_node: NO_NODE,
                cross: CROSS_ORDERS,
                order_head: slot.order_head,
                order_count: slot.order_count,
                reduce_only_count: slot.reduce_only_count,
                order_margin: slot.order_margin,
                ..bytemuck::Zeroable::zeroed()
            };
            if spent {
                *slot = bytemuck::Zeroable::zeroed();
                let count = self.position_count.checked_sub(1);
                self.position_count = count.ok_or(BallastError::TraderInvariant)?;
            }
        }
        let legs = self.cross_legs.wrapping_add(u32::from(is));
        let legs = legs.checked_sub(u32::from(was));
        self.cross_legs = legs.ok_or(BallastError::TraderInvariant)?;
        Ok(is)
    }

    /// Takes `atoms` into the pool that the legs share, in `slot`.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn pool_in(&mut self, atoms: i64, slot: u64) -> Result<()> {
        let pool = self.cross_pool.checked_add(atoms);
        self.cross_pool = pool.ok_or(BallastError::Overflow)?;
        let came = u64::try_from(atoms).unwrap_or(0);
        let before = match self.pooled_slot == slot {
            true => self.pooled_atoms,
            false => 0,
        };
        self.pooled_atoms = before.checked_add(came).ok_or(BallastError::Overflow)?;
        self.pooled_slot = slot;
        Ok(())
    }

    /// Takes `atoms` out of it in `slot`; whether the account may stand without them is for the caller to
    /// ask. What came in in this slot stays: else collateral that is lent for the length of a transaction would
    /// make records and witnesses.
    ///
    /// # Errors
    /// `CrossDepositStays`, `Overflow`.
    pub fn pool_out(&mut self, atoms: u64, slot: u64) -> Result<()> {
        let atoms = i64::try_from(atoms).map_err(|_| BallastError::Overflow)?;
        let left = self.cross_pool.checked_sub(atoms);
        let left = left.ok_or(BallastError::Overflow)?;
        if self.pooled_slot == slot && atoms > 0 {
            let stays = i64::try_from(self.pooled_atoms).map_err(|_| BallastError::Overflow)?;
            ensure(left >= stays, BallastError::CrossDepositStays)?;
        }
        self.cross_pool = left;
        Ok(())
    }
}

impl PositionSlot {
    /// What a leg claims beside the pool: its position without the record, funding as stored.
    ///
    /// # Errors
    /// `SizeOutOfRange`.
    pub fn leg_claim(&self) -> Result<Position> {
        Ok(Position {
            margin: Atoms::ZERO,
            ..self.position()?
        })
    }

    /// Writes a leg's position and record, made in `slot`.
    pub fn store_record(&mut self, position: &Position, weak: bool, slot: u64) {
        self.store(position);
        self.held_slot = slot;
        self.cross = match weak {
            true => CROSS_LEG | CROSS_WEAK,
            false => CROSS_LEG,
        };
    }
}
