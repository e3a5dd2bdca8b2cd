//! One position in a trader account, isolated or a leg of its cross margin, with the trader's orders in its market.

use ballast_engine::{
    book::OwnOrders,
    distress::Distress,
    held::HeldClaim,
    position::Position,
    units::{Atoms, FundingIndex, Lots},
};

use crate::{
    derives::*,
    error::Result,
    queue_account::NO_NODE,
    trigger::{Trigger, TriggerKind},
    Pubkey,
};

/// [`PositionSlot::cross`]: a leg.
pub const CROSS_LEG: u32 = 1;
/// [`PositionSlot::cross`]: its record says that the account is too weak for any cut.
pub const CROSS_WEAK: u32 = 2;
/// [`PositionSlot::cross`]: no position, and orders that open a leg.
pub const CROSS_ORDERS: u32 = 4;

/// One isolated position or one leg, which has no triggers, and the orders in its market. A slot
/// with the default market is empty and all zero; another has lots, orders or both.
#[cfg_attr(feature = "anchor", zero_copy)]
#[cfg_attr(not(feature = "anchor"), derive(Clone, Copy, Pod, Zeroable))]
#[derive(Debug, PartialEq, Eq)]
#[repr(C)]
pub struct PositionSlot {
    /// Market of position and orders; the default key marks an empty slot.
    pub market: Pubkey,
    /// Size in lots, + long, - short.
    pub lots: i64,
    /// Signed sum over the fills of lots * price, atoms; sign of `lots`.
    pub entry_quote: i64,
    /// Isolated margin, atoms; may go negative through funding only. Of a leg: its record, what the account
    /// is worth beside it, which is no money.
    pub margin: i64,
    /// Funding index up to which funding is in `margin`, atoms per lot.
    pub funding_index: i64,
    /// Node in the queue of the position's side; `NO_NODE` when none.
    pub queue_node: u32,
    /// Number of the held-profit ledger that `held_shares` belong to.
    pub held_epoch: u32,
    /// Slot from which the ramp of the liquidation discount is counted; 0 when the position is not
    /// known to be below maintenance. Moved up by the time that nobody looked.
    pub flagged_slot: u64,
    /// Slot from which the grace period is counted; 0 when the position is not known to be
    /// bankrupt. Moved up likewise.
    pub bankrupt_slot: u64,
    /// Deficit at that moment, atoms.
    pub flagged_deficit: u64,
    /// Slot of the last liquidation step; 0 when there was none.
    pub last_step_slot: u64,
    /// Number of the bankruptcy in its market, from 1; 0 when there is none.
    pub bankruptcy_id: u64,
    /// Pass of the queue in which its deleveraging began or that it opened last; 0 when it has not
    /// begun.
    pub pass_epoch: u32,
    /// Lots when deleveraging began, unsigned; 0 when it has not. The keepers' reward is shared
    /// over them.
    pub bankrupt_lots: u32,
    /// Newest of the trader's orders in the market's book, a node of it; `NO_NODE` when there is
    /// none.
    pub order_head: u32,
    /// Number of these orders.
    pub order_count: u16,
    /// Number of those that are reduce-only.
    pub reduce_only_count: u16,
    /// Collateral they reserve, atoms.
    pub order_margin: u64,
    /// Lots of the last liquidation step that it left open.
    pub step_left: u32,
    /// 0: an isolated position; [`CROSS_LEG`], with [`CROSS_WEAK`] where a witness has found the account
    /// too weak for any cut: a leg of the account's cross margin; [`CROSS_ORDERS`]: orders that open one.
    pub cross: u32,
    /// Closes lots when the price turns against the position.
    pub stop_loss: Trigger,
    /// Closes lots when the price has moved for the position.
    pub take_profit: Trigger,
    /// Slot of the last look at the position while it is flagged; 0 when there was none.
    pub seen_slot: u64,
    /// What the trader has put into the position and not taken out again, atoms. What comes out
    /// beyond that is profit.
    pub paid_in: u64,
    /// Shares of the profit that the market holds; of the ledger number `held_epoch`.
    pub held_shares: u64,
    /// Slot in which profit was held for it last. Of a leg: in which it was recorded.
    pub held_slot: u64,
}

const _: () = {
    assert!(core::mem::size_of::<PositionSlot>() == 224);
    assert!(core::mem::offset_of!(PositionSlot, lots) == 32);
    assert!(core::mem::offset_of!(PositionSlot, queue_node) == 64);
    assert!(core::mem::offset_of!(PositionSlot, flagged_slot) == 72);
    assert!(core::mem::offset_of!(PositionSlot, order_head) == 120);
    assert!(core::mem::offset_of!(PositionSlot, order_margin) == 128);
    assert!(core::mem::offset_of!(PositionSlot, step_left) == 136);
    assert!(core::mem::offset_of!(PositionSlot, cross) == 140);
    assert!(core::mem::offset_of!(PositionSlot, stop_loss) == 144);
    assert!(core::mem::offset_of!(PositionSlot, take_profit) == 168);
    assert!(core::mem::offset_of!(PositionSlot, seen_slot) == 192);
    assert!(core::mem::offset_of!(PositionSlot, paid_in) == 200);
    assert!(core::mem::offset_of!(PositionSlot, held_shares) == 208);
    assert!(core::mem::offset_of!(PositionSlot, held_slot) == 216);
};

impl PositionSlot {
    /// Whether the slot holds nothing.
    pub fn is_empty(&self) -> bool {
        self.market == Pubkey::default()
    }

    /// Whether the slot is a leg of the account's cross margin.
    #[inline]
    pub const fn is_leg(&self) -> bool {
        self.cross & CROSS_LEG != 0
    }

    /// Whether the slot is a leg, or has orders that open one.
    #[inline]
    pub const fn is_cross(&self) -> bool {
        self.cross != 0
    }

    /// The position as the engine sees it.
    ///
    /// # Errors
    /// `SizeOutOfRange` when the stored size is.
    pub fn position(&self) -> Result<Position> {
        Ok(Position {
            lots: Lots::new(self.lots)?,
            entry_quote: Atoms::new(self.entry_quote),
            margin: Atoms::new(self.margin),
            funding_index: FundingIndex::new(self.funding_index),
        })
    }

    /// The orders as the engine's book sees them.
    pub fn own_orders(&self) -> OwnOrders {
        OwnOrders {
            head: self.order_head,
            count: u32::from(self.order_count),
            reduce_only: u32::from(self.reduce_only_count),
            margin: self.order_margin,
        }
    }

    /// Writes back what the book made of the orders.
    pub fn store_own_orders(&mut self, orders: &OwnOrders) {
        self.order_head = orders.head;
        self.order_count = narrow(orders.count);
        self.reduce_only_count = narrow(orders.reduce_only);
        self.order_margin = orders.margin;
    }

    /// Writes the engine's position back; flags and queue node stay. The triggers go when the
    /// position closes or changes side.
    pub fn store(&mut self, position: &Position) {
        if self.lots.signum() != position.lots.get().signum() {
            self.clear_triggers();
        }
        self.lots = position.lots.get();
        self.entry_quote = position.entry_quote.get();
        self.margin = position.margin.get();
        self.funding_index = position.funding_index.get();
    }

    /// The trigger of `kind`.
    pub fn trigger(&self, kind: TriggerKind) -> &Trigger {
        match kind {
            TriggerKind::StopLoss => &self.stop_loss,
            TriggerKind::TakeProfit => &self.take_profit,
        }
    }

    /// The trigger of `kind`, to be written.
    pub fn trigger_mut(&mut self, kind: TriggerKind) -> &mut Trigger {
        match kind {
            TriggerKind::StopLoss => &mut self.stop_loss,
            TriggerKind::TakeProfit => &mut self.take_profit,
        }
    }

    /// The trader's part of the profit that the market holds.
    pub const fn held_claim(&self) -> HeldClaim {
        HeldClaim {
            shares: self.held_shares,
            epoch: self.held_epoch,
            slot: self.held_slot,
        }
    }

    /// Writes it back.
    pub const fn store_held_claim(&mut self, claim: &HeldClaim) {
        self.held_shares = claim.shares;
        self.held_epoch = claim.epoch;
        self.held_slot = claim.slot;
    }

    /// What is remembered of the position in trouble, as the engine sees it.
    pub fn distress(&self) -> Distress {
        Distress {
            flagged_slot: self.flagged_slot,
            bankrupt_slot: self.bankrupt_slot,
            seen_slot: self.seen_slot,
            flagged_deficit: self.flagged_deficit,
            last_step_slot: self.last_step_slot,
            bankruptcy_id: self.bankruptcy_id,
            pass_epoch: self.pass_epoch,
            bankrupt_lots: self.bankrupt_lots,
            step_left: self.step_left,
        }
    }

    /// Writes back what is remembered.
    pub fn store_distress(&mut self, distress: &Distress) {
        self.flagged_slot = distress.flagged_slot;
        self.bankrupt_slot = distress.bankrupt_slot;
        self.seen_slot = distress.seen_slot;
        self.flagged_deficit = distress.flagged_deficit;
        self.last_step_slot = distress.last_step_slot;
        self.bankruptcy_id = distress.bankruptcy_id;
        self.pass_epoch = distress.pass_epoch;
        self.bankrupt_lots = distress.bankrupt_lots;
        self.step_left = distress.step_left;
    }

    /// Forgets both triggers.
    fn clear_triggers(&mut self) {
        self.stop_loss = Trigger::default();
        self.take_profit = Trigger::default();
    }

    /// What must hold of a slot in use that is no leg.
    pub(crate) fn is_sound(&self) -> bool {
        let listed = self.order_head != NO_NODE;
        let position = if self.lots == 0 {
            (listed || self.held_shares > 0) && self.holds_no_position()
        } else {
            self.lots.signum() == self.entry_quote.signum() && self.queue_node != NO_NODE
        };
        self.has_sound_orders() && position
    }

    #[inline(always)]
    fn has_sound_orders(&self) -> bool {
        let listed = self.order_head != NO_NODE;
        listed == (self.order_count > 0)
            && (listed || self.order_margin == 0)
            && self.reduce_only_count <= self.order_count
    }

    /// What must hold of a leg, which has lots and a node and nothing that only isolated positions have, or of the
    /// orders that open one.
    #[inline(never)]
    pub(crate) fn is_sound_cross(&self) -> bool {
        if self.cross == CROSS_ORDERS {
            return self.lots == 0 && self.order_count > 0 && self.is_sound();
        }
        (self.cross == CROSS_LEG || self.cross == CROSS_LEG | CROSS_WEAK)
            && self.lots != 0
            && self.lots.signum() == self.entry_quote.signum()
            && self.queue_node != NO_NODE
            && self.has_sound_orders()
            && self.held_shares == 0
            && self.paid_in == 0
            && self.stop_loss.is_unset()
            && self.take_profit.is_unset()
    }

    /// Whether nothing is left of a slot without lots and orders.
    pub(crate) fn is_spent(&self) -> bool {
        self.order_head == NO_NODE
            && self.order_margin == 0
            && self.distress() == Distress::NONE
            && self.holds_no_position()
    }

    fn holds_no_position(&self) -> bool {
        self.queue_node == NO_NODE
            && self.paid_in == 0
            && self.margin == 0
            && self.entry_quote == 0
            && self.stop_loss.is_unset()
            && self.take_profit.is_unset()
    }
}

/// A number of orders, of which a trader has few.
fn narrow(count: u32) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}
