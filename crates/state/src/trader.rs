//! A trader: free collateral and, in up to sixteen markets, an isolated position and orders, and up to four
//! legs that share a pool of collateral.

use ballast_engine::{distress::Distress, units::Atoms};

use crate::{
    derives::*,
    error::{ensure, BallastError, Result},
    position_slot::PositionSlot,
    queue_account::NO_NODE,
    Pubkey,
};

/// First bytes of a trader account.
pub const TRADER_DISCRIMINATOR: [u8; 8] = [74, 133, 32, 105, 47, 50, 5, 238];
/// Layout version written by this program.
pub const TRADER_VERSION: u8 = 3;
/// Markets in which one trader account can hold a position or orders.
pub const MAX_POSITIONS: usize = 16;

/// Delegate flag: it may sign block trades.
pub const DELEGATE_BLOCK_TRADES: u64 = 1;

/// A trader account. PDA `["trader", owner, sub_id]`.
#[cfg_attr(feature = "anchor", account(zero_copy))]
#[cfg_attr(not(feature = "anchor"), derive(Clone, Copy, Pod, Zeroable))]
#[derive(Debug)]
#[repr(C)]
pub struct Trader {
    /// Layout version. Written when the account is created or migrated.
    pub version: u8,
    /// Bump of this address. Written once.
    pub bump: u8,
    /// Number of the account among its owner's. Written once.
    pub sub_id: u16,
    /// Slots in use. Written with the positions.
    pub position_count: u32,
    /// May do everything. Written once.
    pub owner: Pubkey,
    /// May trade with the book and move margin, not withdraw, and block-trade only with
    /// `DELEGATE_BLOCK_TRADES`; the default key when none. Written by
    /// `set_delegate`.
    pub delegate: Pubkey,
    /// Free collateral, atoms; never negative.
    pub free: i64,
    /// The positions, in no order.
    pub positions: [PositionSlot; MAX_POSITIONS],
    /// Union of the `DELEGATE_*` flags. Written by `set_delegate`.
    pub delegate_flags: u64,
    /// Collateral that the legs share, atoms; of any sign while there are legs.
    pub cross_pool: i64,
    /// What came into it in `pooled_slot`, atoms.
    pub pooled_atoms: u64,
    /// Slot in which something came into it last.
    pub pooled_slot: u64,
    /// Slots that are legs, those with orders alone not counted.
    pub cross_legs: u32,
    /// Always zero; aligns what follows.
    pub _padding: u32,
    /// Zero; room for later versions.
    pub reserved: [u8; 216],
}
const _: () = {
    assert!(core::mem::size_of::<Trader>() == 3_920);
    assert!(core::mem::offset_of!(Trader, owner) == 8);
    assert!(core::mem::offset_of!(Trader, free) == 72);
    assert!(core::mem::offset_of!(Trader, positions) == 80);
    assert!(core::mem::offset_of!(Trader, delegate_flags) == 3_664);
    assert!(core::mem::offset_of!(Trader, cross_pool) == 3_672);
    assert!(core::mem::offset_of!(Trader, cross_legs) == 3_696);
    assert!(core::mem::offset_of!(Trader, reserved) == 3_704);
};

impl Trader {
    /// Bytes of the account, discriminator included.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// Writes what an account begins with: the owner's number `sub_id`, empty and without a delegate.
    ///
    /// # Errors
    /// `TraderInvariant`.
    pub fn begin(&mut self, owner: Pubkey, sub_id: u16, bump: u8) -> Result<()> {
        self.version = TRADER_VERSION;
        (self.owner, self.sub_id, self.bump) = (owner, sub_id, bump);
        self.invariant()
    }

    /// Free collateral.
    pub fn free(&self) -> Atoms {
        Atoms::new(self.free)
    }

    /// Fails with `NotOwner` unless `signer` is the owner.
    pub fn require_owner(&self, signer: &Pubkey) -> Result<()> {
        ensure(self.owner == *signer, BallastError::NotOwner)
    }

    /// Fails with `NotTraderAuthority` unless `signer` is the owner or the delegate.
    pub fn require_authority(&self, signer: &Pubkey) -> Result<()> {
        let delegated = self.delegate != Pubkey::default() && self.delegate == *signer;
        ensure(
            self.owner == *signer || delegated,
            BallastError::NotTraderAuthority,
        )
    }

    /// The same for a block trade, which a delegate makes only where the owner lets it: else
    /// `DelegateMayNotBlockTrade`.
    pub fn require_block_authority(&self, signer: &Pubkey) -> Result<()> {
        self.require_authority(signer)?;
        ensure(
            self.owner == *signer || self.delegate_flags & DELEGATE_BLOCK_TRADES != 0,
            BallastError::DelegateMayNotBlockTrade,
        )
    }

    /// The slot of `market`, whatever it holds: a position, a leg, or orders alone.
    ///
    /// # Errors
    /// `NoPosition` when there is none.
    pub fn any(&self, market: &Pubkey) -> Result<&PositionSlot> {
        let mut slots = self.positions.iter();
        let slot = slots.find(|slot| slot.market == *market);
        slot.ok_or(BallastError::NoPosition)
    }

    /// The same, to be written.
    ///
    /// # Errors
    /// Those of [`Self::any`].
    pub fn any_mut(&mut self, market: &Pubkey) -> Result<&mut PositionSlot> {
        let mut slots = self.positions.iter_mut();
        let slot = slots.find(|slot| slot.market == *market);
        slot.ok_or(BallastError::NoPosition)
    }

    /// Index of the slot that holds the isolated position or the orders in `market`.
    pub fn find(&self, market: &Pubkey) -> Option<usize> {
        let index = self
            .positions
            .iter()
            .position(|slot| slot.market == *market)?;
        // A market is isolated or cross.
        let slot = self.positions.get(index)?;
        (!slot.is_leg()).then_some(index)
    }

    /// The slot of `market`, with an isolated position or with orders only.
    ///
    /// # Errors
    /// `NoPosition` when there is none.
    pub fn slot(&self, market: &Pubkey) -> Result<&PositionSlot> {
        self.positions
            .iter()
            .find(|slot| slot.market == *market)
            .filter(|slot| !slot.is_leg())
            .ok_or(BallastError::NoPosition)
    }

    /// The slot of `market`, with a position or with orders only, to be written.
    ///
    /// # Errors
    /// `NoPosition` when there is none.
    pub fn slot_mut(&mut self, market: &Pubkey) -> Result<&mut PositionSlot> {
        self.positions
            .iter_mut()
            .find(|slot| slot.market == *market)
            .filter(|slot| !slot.is_leg())
            .ok_or(BallastError::NoPosition)
    }

    /// The slot of `market`, which has a position, to be written.
    ///
    /// # Errors
    /// `NoPosition`, also where there are only orders.
    pub fn position_mut(&mut self, market: &Pubkey) -> Result<&mut PositionSlot> {
        let slot = self.slot_mut(market)?;
        ensure(slot.lots != 0, BallastError::NoPosition)?;
        Ok(slot)
    }

    /// The slot of `market` for an isolated position, or an empty one claimed for it.
    ///
    /// # Errors
    /// `CrossLegThere` where there is a leg, or orders of one; `NoFreeSlot`.
    pub fn slot_or_claim(&mut self, market: &Pubkey) -> Result<&mut PositionSlot> {
        let index = match self.find(market) {
            Some(index) => index,
            None => self.claim(market)?,
        };
        let slot = self.positions.get_mut(index);
        let slot = slot.ok_or(BallastError::NoFreeSlot)?;
        ensure(!slot.is_cross(), BallastError::CrossLegThere)?;
        Ok(slot)
    }

    /// The last step of an instruction that wrote the account's own fields and the slot of `market`, and, where
    /// that is a leg's, the pool and records, and nothing else of it: frees the slot when it has neither lots, orders nor held profit, and checks what
    /// [`Self::invariant_of`] checks. Whoever closed the position has cleared its margin, its queue
    /// node, its triggers and what was remembered of its distress. Returns what the orders reserve,
    /// atoms.
    ///
    /// # Errors
    /// `TraderInvariant`, also when one of these is left of a closed position.
    pub fn finish(&mut self, market: &Pubkey) -> Result<u64> {
        let mut reserve = 0;
        let mut sound = self.free >= 0;
        let mut slots = self.positions.iter_mut();
        if let Some(slot) = slots.find(|slot| slot.market == *market) {
            sound &= self.position_count > 0;
            if slot.is_leg() {
                sound &= slot.is_sound_cross();
                reserve = slot.order_margin;
            } else if slot.lots == 0 && slot.order_count == 0 && slot.held_shares == 0 {
                sound &= slot.is_spent();
                *slot = bytemuck::Zeroable::zeroed();
                self.position_count = self.position_count.wrapping_sub(1);
            } else {
                sound &= slot.is_sound() && (slot.lots != 0 || slot.distress() == Distress::NONE);
                reserve = slot.order_margin;
            }
        }
        ensure(sound, BallastError::TraderInvariant)?;
        debug_assert!(self.invariant().is_ok(), "{self:?}");
        Ok(reserve)
    }

    /// What the orders of the account in `market` reserve, atoms; 0 without any.
    pub fn reserve_in(&self, market: &Pubkey) -> u64 {
        let mut slots = self.positions.iter();
        let slot = slots.find(|slot| slot.market == *market);
        slot.map_or(0, |slot| slot.order_margin)
    }

    /// Adds `atoms` to the free collateral.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn credit(&mut self, atoms: u64) -> Result<()> {
        self.free = i64::try_from(atoms)
            .ok()
            .and_then(|atoms| self.free.checked_add(atoms))
            .ok_or(BallastError::Overflow)?;
        Ok(())
    }

    /// Adds a signed result to the free collateral.
    ///
    /// # Errors
    /// `InsufficientCollateral` when it would go below zero; `Overflow`.
    pub fn add_free(&mut self, atoms: Atoms) -> Result<()> {
        let after = self.free().try_add(atoms)?;
        ensure(!after.is_negative(), BallastError::InsufficientCollateral)?;
        self.free = after.get();
        Ok(())
    }

    /// Takes `atoms` from the free collateral.
    ///
    /// # Errors
    /// `InsufficientCollateral`.
    pub fn debit(&mut self, atoms: u64) -> Result<()> {
        self.free = i64::try_from(atoms)
            .ok()
            .and_then(|atoms| self.free.checked_sub(atoms))
            .filter(|left| *left >= 0)
            .ok_or(BallastError::InsufficientCollateral)?;
        Ok(())
    }

    /// Checks what must hold at the end of an instruction that wrote the account's own fields and
    /// the slot of `market`, and nothing else of it: that much of [`Self::invariant`].
    ///
    /// # Errors
    /// `TraderInvariant`.
    pub fn invariant_of(&self, market: &Pubkey) -> Result<()> {
        let mut slots = self.positions.iter();
        let slot = slots.find(|slot| slot.market == *market);
        let slot = slot.is_none_or(|slot| {
            let sound = match slot.is_cross() {
                true => slot.is_sound_cross(),
                false => slot.is_sound(),
            };
            self.position_count > 0 && sound
        });
        ensure(slot && self.free >= 0, BallastError::TraderInvariant)?;
        debug_assert!(self.invariant().is_ok(), "{self:?}");
        Ok(())
    }

    /// Checks what must hold of the account whenever an instruction has ended: every slot, the count of those
    /// in use and of legs, and that a pool without legs is not negative.
    ///
    /// # Errors
    /// `TraderInvariant`.
    pub fn invariant(&self) -> Result<()> {
        let mut used = 0_u32;
        let mut sound = self.free >= 0;
        let mut legs = 0_u32;
        for slot in &self.positions {
            if slot.is_empty() {
                sound &= slot.lots == 0 && slot.margin == 0 && slot.order_count == 0;
            } else {
                used = used.wrapping_add(1);
                if slot.is_cross() {
                    legs = legs.wrapping_add(u32::from(slot.is_leg()));
                    sound &= slot.is_sound_cross();
                } else {
                    sound &= slot.is_sound();
                }
            }
        }
        // What the legs share is the trader's alone once there are none.
        sound &= legs == self.cross_legs && (legs > 0 || self.cross_pool >= 0);
        ensure(
            sound && used == self.position_count,
            BallastError::TraderInvariant,
        )
    }

    /// Slot since which the position in `market` has been known, in `slot`, to be below maintenance;
    /// 0 for one that is not, and without one. See [`Distress::confirmed_since`].
    pub fn flagged_slot(&self, market: &Pubkey, slot: u64) -> u64 {
        let found = self.slot(market);
        found.map_or(0, |position| position.distress().confirmed_since(slot))
    }

    pub(crate) fn claim(&mut self, market: &Pubkey) -> Result<usize> {
        // A market is isolated or cross: else a bankrupt could be a counterparty of its own.
        let leg = self.cross_legs > 0 && self.find_leg(market).is_some();
        ensure(!leg, BallastError::CrossLegThere)?;
        let index = self
            .positions
            .iter()
            .position(PositionSlot::is_empty)
            .ok_or(BallastError::NoFreeSlot)?;
        if let Some(slot) = self.positions.get_mut(index) {
            *slot = PositionSlot {
                market: *market,
                queue_node: NO_NODE,
                order_head: NO_NODE,
                ..bytemuck::Zeroable::zeroed()
            };
        }
        self.position_count = self
            .position_count
            .checked_add(1)
            .ok_or(BallastError::TraderInvariant)?;
        Ok(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trigger::{Trigger, TriggerKind};
    use ballast_engine::{position::Position, units::Lots};

    fn trader() -> Trader {
        Trader {
            version: TRADER_VERSION,
            ..Trader::zeroed()
        }
    }

    fn opened(trader: &mut Trader, market: &Pubkey) {
        let slot = trader.slot_or_claim(market).unwrap();
        slot.lots = 5;
        slot.entry_quote = 500;
        slot.queue_node = 3;
    }

    #[test]
    fn a_slot_is_claimed_once_per_market_and_freed_when_closed() {
        let mut trader = trader();
        let market = Pubkey::new_unique();
        assert!(trader.slot(&market).is_err());
        opened(&mut trader, &market);
        opened(&mut trader, &market);
        assert_eq!(trader.position_count, 1);
        assert!(trader.invariant().is_ok());
        assert!(trader.finish(&market).is_ok());
        assert_eq!(trader.position_count, 1);
        let slot = trader.slot_mut(&market).unwrap();
        slot.lots = 0;
        slot.entry_quote = 0;
        slot.queue_node = NO_NODE;
        trader.finish(&market).unwrap();
        assert_eq!(trader.position_count, 0);
        assert_eq!(trader.positions[0], PositionSlot::zeroed());
        assert!(trader.invariant().is_ok());
    }

    fn ordered(trader: &mut Trader, market: &Pubkey) {
        let slot = trader.slot_or_claim(market).unwrap();
        (slot.order_head, slot.order_count, slot.order_margin) = (2, 1, 70);
    }

    fn unordered(trader: &mut Trader, market: &Pubkey) {
        let slot = trader.slot_mut(market).unwrap();
        (slot.order_head, slot.order_count, slot.order_margin) = (NO_NODE, 0, 0);
    }

    fn closed(trader: &mut Trader, market: &Pubkey) {
        let slot = trader.slot_mut(market).unwrap();
        slot.store(&Position::default());
        slot.queue_node = NO_NODE;
    }

    #[test]
    fn a_slot_with_orders_outlives_its_position_once_that_is_forgotten() {
        let mut trader = trader();
        let market = Pubkey::new_unique();
        opened(&mut trader, &market);
        ordered(&mut trader, &market);
        let slot = trader.slot_mut(&market).unwrap();
        (slot.flagged_slot, slot.last_step_slot, slot.step_left) = (9, 9, 2);
        closed(&mut trader, &market);
        assert_eq!(
            trader.finish(&market),
            Err(BallastError::TraderInvariant),
            "its distress is still remembered"
        );
        let slot = trader.slot_mut(&market).unwrap();
        slot.store_distress(&Distress::NONE);
        trader.finish(&market).unwrap();
        assert!(trader.invariant().is_ok());
        assert_eq!(trader.position_count, 1);
        let slot = trader.slot(&market).unwrap();
        assert_eq!((slot.order_count, slot.order_margin), (1, 70));
        assert_eq!(
            trader.position_mut(&market).err(),
            Some(BallastError::NoPosition)
        );

        unordered(&mut trader, &market);
        assert!(trader.invariant().is_err(), "neither lots nor orders");
        trader.finish(&market).unwrap();
        assert_eq!(trader.positions[0], PositionSlot::zeroed());
        assert!(trader.invariant().is_ok());
    }

    #[test]
    fn a_slot_with_orders_and_no_position_holds_nothing_else() {
        let mut trader = trader();
        let market = Pubkey::new_unique();
        ordered(&mut trader, &market);
        assert!(trader.invariant().is_ok());
        let spoils: [fn(&mut PositionSlot); 6] = [
            |slot| slot.margin = 1,
            |slot| slot.entry_quote = 1,
            |slot| slot.queue_node = 0,
            |slot| slot.stop_loss.price_ticks = 1,
            |slot| slot.order_count = 0,
            |slot| slot.order_head = NO_NODE,
        ];
        for spoil in spoils {
            let mut spoilt = trader;
            spoil(spoilt.slot_mut(&market).unwrap());
            assert!(spoilt.invariant().is_err());
        }
    }

    #[test]
    fn a_reserve_without_orders_is_noticed() {
        let mut trader = trader();
        let market = Pubkey::new_unique();
        opened(&mut trader, &market);
        trader.slot_mut(&market).unwrap().order_margin = 1;
        assert!(trader.invariant().is_err());
        closed(&mut trader, &market);
        assert!(trader.finish(&market).is_err());
    }

    #[test]
    fn triggers_go_with_the_position_or_its_side() {
        let holding = |lots: i64| Position {
            lots: Lots::new(lots).unwrap(),
            ..Position::default()
        };
        let set = Trigger {
            price_ticks: 100,
            lots: 5,
            placed_lots: 5,
            ..Trigger::default()
        };
        for (after, kept) in [(3, true), (7, true), (0, false), (-2, false)] {
            let mut slot = PositionSlot::zeroed();
            slot.store(&holding(5));
            *slot.trigger_mut(TriggerKind::StopLoss) = set;
            *slot.trigger_mut(TriggerKind::TakeProfit) = set;
            slot.store(&holding(after));
            let expected = if kept { set } else { Trigger::default() };
            assert_eq!((slot.stop_loss, slot.take_profit), (expected, expected));
        }
    }

    #[test]
    fn a_slot_with_margin_left_is_not_freed() {
        let mut trader = trader();
        let market = Pubkey::new_unique();
        trader.slot_or_claim(&market).unwrap().margin = 1;
        assert!(trader.finish(&market).is_err());
    }

    #[test]
    fn the_seventeenth_market_finds_no_slot() {
        let mut trader = trader();
        for _ in 0..MAX_POSITIONS {
            opened(&mut trader, &Pubkey::new_unique());
        }
        assert_eq!(
            trader.slot_or_claim(&Pubkey::new_unique()).err(),
            Some(BallastError::NoFreeSlot)
        );
    }

    #[test]
    fn free_collateral_never_goes_below_zero_nor_overflows() {
        let mut trader = trader();
        trader.credit(10).unwrap();
        assert_eq!(trader.debit(11), Err(BallastError::InsufficientCollateral));
        assert_eq!(
            trader.debit(u64::MAX),
            Err(BallastError::InsufficientCollateral)
        );
        assert_eq!(trader.credit(u64::MAX), Err(BallastError::Overflow));
        assert_eq!(trader.free, 10);
        trader.debit(10).unwrap();
        assert_eq!(trader.free, 0);
    }

    #[test]
    fn only_owner_and_a_set_delegate_have_authority() {
        let mut trader = trader();
        let (owner, delegate) = (Pubkey::new_unique(), Pubkey::new_unique());
        trader.owner = owner;
        assert!(trader.require_authority(&owner).is_ok());
        assert!(trader.require_authority(&Pubkey::default()).is_err());
        assert!(trader.require_authority(&delegate).is_err());
        trader.delegate = delegate;
        assert!(trader.require_authority(&delegate).is_ok());
        assert!(trader.require_block_authority(&owner).is_ok());
        let refused = Err(BallastError::DelegateMayNotBlockTrade);
        assert_eq!(trader.require_block_authority(&delegate), refused);
        trader.delegate_flags = DELEGATE_BLOCK_TRADES;
        assert!(trader.require_block_authority(&delegate).is_ok());
        assert!(trader.require_owner(&delegate).is_err());
    }

    #[test]
    fn the_invariant_refuses_a_used_slot_without_lots() {
        let mut trader = trader();
        trader.slot_or_claim(&Pubkey::new_unique()).unwrap();
        assert!(trader.invariant().is_err());
    }
}
