//! A deleveraging that takes several transactions: what was frozen when it began, and whom it has
//! selected so far.

use ballast_engine::{position::Position, selection::Selection, units::Side};

use crate::{
    derives::*,
    error::{ensure, BallastError, Result},
    position_slot::PositionSlot,
    Pubkey,
};

/// First bytes of a session account.
pub const ADL_SESSION_DISCRIMINATOR: [u8; 8] = [87, 170, 133, 207, 205, 108, 193, 84];
/// Layout version written by this program.
pub const ADL_SESSION_VERSION: u8 = 2;
/// Slots for which a session lasts: about a minute.
pub const ADL_SESSION_SLOTS: u64 = 150;

/// A deleveraging session. A plain account, created at top level and handed over zeroed. The frozen
/// round is in the queue of the counterparties, which watches for this account's key.
#[cfg_attr(feature = "anchor", account(zero_copy))]
#[cfg_attr(not(feature = "anchor"), derive(Clone, Copy, Pod, Zeroable))]
#[derive(Debug)]
#[repr(C)]
pub struct AdlSession {
    /// Layout version. Written when the account is created or migrated.
    pub version: u8,
    /// Whether the market had ended when the session began: 0 or 1. Written once.
    pub ended: u8,
    /// Always zero; aligns what follows.
    pub _pad: [u8; 2],
    /// Side of the counterparties: 0 long, 1 short. Written once, like everything up to the
    /// selection.
    pub side: u32,
    /// Who paid the rent and gets it back.
    pub payer: Pubkey,
    /// The market.
    pub market: Pubkey,
    /// The trader account of the bankrupt position.
    pub bankrupt: Pubkey,
    /// Last slot in which the session may be advanced or executed.
    pub expires_slot: u64,
    /// Number of the bankruptcy in its market.
    pub bankruptcy_id: u64,
    /// Oracle price at the beginning, ticks.
    pub mark_ticks: u64,
    /// Signed lots of the bankrupt.
    pub lots: i64,
    /// Its entry quote, atoms.
    pub entry_quote: i64,
    /// Its margin, funding paid up to the frozen index, atoms.
    pub margin: i64,
    /// Whom to cut. Written by `advance_adl_session`.
    pub selection: Selection,
    /// Zero; room for later versions.
    pub reserved: [u8; 64],
}

const _: () = {
    assert!(core::mem::size_of::<AdlSession>() == 888);
    // As the message of `AdlSessionSize` says.
    assert!(AdlSession::SPACE == 896);
    assert!(core::mem::offset_of!(AdlSession, payer) == 8);
    assert!(core::mem::offset_of!(AdlSession, expires_slot) == 104);
    assert!(core::mem::offset_of!(AdlSession, selection) == 152);
};

impl AdlSession {
    /// Bytes of the account, discriminator included.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// Side of the counterparties.
    pub fn side(&self) -> Side {
        if self.side == 0 {
            Side::Long
        } else {
            Side::Short
        }
    }

    /// Writes the side of the counterparties.
    pub fn set_side(&mut self, side: Side) {
        self.side = u32::from(side == Side::Short);
    }

    /// Fails with `AdlSessionMismatch` unless the session is for this position.
    pub fn require_of(&self, market: &Pubkey, bankrupt: &Pubkey) -> Result<()> {
        ensure(self.market == *market, BallastError::AdlSessionMismatch)?;
        ensure(self.bankrupt == *bankrupt, BallastError::AdlSessionMismatch)
    }

    /// Fails with `AdlSessionExpired` after its last slot.
    pub fn require_live(&self, slot: u64) -> Result<()> {
        ensure(slot <= self.expires_slot, BallastError::AdlSessionExpired)
    }

    /// Whether the bankrupt position is what it was when the session began. `position` is that of
    /// `slot` with funding paid up to the frozen index.
    pub fn is_of_position(&self, slot: &PositionSlot, position: &Position) -> bool {
        slot.bankruptcy_id == self.bankruptcy_id
            && position.lots.get() == self.lots
            && position.entry_quote.get() == self.entry_quote
            && position.margin.get() == self.margin
    }
}
