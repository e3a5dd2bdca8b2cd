//! Stop-loss and take-profit of a position.

use ballast_engine::{
    order::{OrderKind, OrderRequest, SelfTrade},
    units::{Side, Ticks},
};

use crate::{
    derives::*,
    error::{BallastError, Result},
};

/// Which trigger of a position.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TriggerKind {
    /// Limits a loss: a long is closed when the price falls, a short when it rises.
    #[default]
    StopLoss,
    /// Takes a profit: a long is closed when the price rises, a short when it falls.
    TakeProfit,
}

/// A price at which anybody may close lots of a position through the book. All zero when unset.
#[cfg_attr(feature = "anchor", zero_copy)]
#[cfg_attr(not(feature = "anchor"), derive(Clone, Copy, Pod, Zeroable))]
#[derive(Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Trigger {
    /// Oracle price that triggers, ticks; 0 when unset.
    pub price_ticks: u64,
    /// Worst price of the fills, ticks; 0 when only the band limits it.
    pub worst_ticks: u64,
    /// Lots still to close.
    pub lots: u32,
    /// Lots when it was placed; the keepers' reward is shared over them.
    pub placed_lots: u32,
}

const _: () = {
    assert!(core::mem::size_of::<Trigger>() == 24);
    assert!(core::mem::offset_of!(Trigger, lots) == 16);
};

impl Trigger {
    /// Whether the oracle price `mark_ticks` has reached the trigger of a position on `side`.
    pub fn is_reached(&self, kind: TriggerKind, side: Side, mark_ticks: u64) -> bool {
        let falling = match kind {
            TriggerKind::StopLoss => Side::Long,
            TriggerKind::TakeProfit => Side::Short,
        };
        if side == falling {
            mark_ticks <= self.price_ticks
        } else {
            mark_ticks >= self.price_ticks
        }
    }

    /// Whether it could ever fill: a stop-loss that fires at its price trades at that price or beyond
    /// it, so its worst price may not lie on the other side.
    pub fn can_fill(&self, kind: TriggerKind, side: Side) -> bool {
        match (kind, side) {
            _ if self.worst_ticks == 0 => true,
            (TriggerKind::TakeProfit, _) => true,
            (TriggerKind::StopLoss, Side::Long) => self.worst_ticks <= self.price_ticks,
            (TriggerKind::StopLoss, Side::Short) => self.worst_ticks >= self.price_ticks,
        }
    }

    /// What happens when the order that it becomes meets the trader's own orders.
    pub const SELF_TRADE: SelfTrade = SelfTrade::CancelProvide;

    /// The order that the trigger of a position on `side` becomes when it fires.
    pub fn order(&self, side: Side) -> OrderRequest {
        OrderRequest {
            side: side.opposite(),
            kind: OrderKind::Market,
            price: Ticks::new(self.worst_ticks),
            lots: u64::from(self.lots),
            expires_at: 0,
            reduce_only: true,
        }
    }

    /// Takes closed lots off; unset once none are left.
    ///
    /// # Errors
    /// `Overflow` for more lots than it has.
    pub fn use_up(&mut self, lots: u64) -> Result<()> {
        let lots = u32::try_from(lots).ok();
        let left = lots.and_then(|lots| self.lots.checked_sub(lots));
        self.lots = left.ok_or(BallastError::Overflow)?;
        if self.lots == 0 {
            *self = Self::default();
        }
        Ok(())
    }

    /// Whether it is unset.
    pub fn is_unset(&self) -> bool {
        self.price_ticks == 0
    }
}
