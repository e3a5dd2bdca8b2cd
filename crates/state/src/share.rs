//! What somebody owns of a fund: of a pool, or of the stakes behind a market's insurance.

use ballast_engine::shares::Holding;

use crate::{
    derives::*,
    error::{ensure, BallastError, Result},
    pool::POOL_DISCRIMINATOR,
    stakes::STAKES_DISCRIMINATOR,
    Pubkey,
};

/// First bytes of a share account.
pub const SHARE_DISCRIMINATOR: [u8; 8] = [5, 232, 225, 10, 36, 176, 248, 217];
/// Layout version written by this program.
pub const SHARE_VERSION: u8 = 1;

/// Epoch of the fund that an account with these bytes is. Every fund keeps it behind its first four
/// bytes.
///
/// # Errors
/// `WrongFund` for what is none.
pub fn fund_epoch(data: &[u8]) -> Result<u32> {
    let fund = data.split_first_chunk::<8>();
    let (_, fund) = fund
        .filter(|(kind, _)| [POOL_DISCRIMINATOR, STAKES_DISCRIMINATOR].contains(kind))
        .ok_or(BallastError::WrongFund)?;
    let epoch = fund.get(4..).and_then(<[u8]>::first_chunk);
    epoch
        .map(|bytes| u32::from_le_bytes(*bytes))
        .ok_or(BallastError::WrongFund)
}

/// Shares of a fund. PDA `["share", fund, owner]`.
#[cfg_attr(feature = "anchor", account(zero_copy))]
#[cfg_attr(not(feature = "anchor"), derive(Clone, Copy, Pod, Zeroable))]
#[derive(Debug)]
#[repr(C)]
pub struct Share {
    /// Layout version. Written once.
    pub version: u8,
    /// Bump of this address. Written once.
    pub bump: u8,
    /// Always zero; aligns what follows.
    pub _padding: [u8; 2],
    /// Epoch of the fund that the shares belong to: those of an earlier one are worth nothing.
    pub epoch: u32,
    /// The pool, or the stakes. Written once.
    pub fund: Pubkey,
    /// Whose they are. Written once.
    pub owner: Pubkey,
    /// Shares.
    pub shares: u64,
    /// Those of them that are to leave.
    pub requested: u64,
    /// Most that they will be paid, atoms.
    pub requested_value: u64,
    /// Slot of the request.
    pub requested_slot: u64,
    /// Zero; room for later versions.
    pub reserved: [u8; 48],
}

const _: () = {
    assert!(core::mem::size_of::<Share>() == 152);
    assert!(core::mem::offset_of!(Share, fund) == 8);
    assert!(core::mem::offset_of!(Share, owner) == 40);
    assert!(core::mem::offset_of!(Share, shares) == 72);
    assert!(core::mem::offset_of!(Share, reserved) == 104);
};

impl Share {
    /// Bytes of the account, discriminator included.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// What is owned in `epoch` of the fund: nothing where the shares are of an earlier one.
    #[must_use]
    pub const fn holding(&self, epoch: u32) -> Holding {
        if self.epoch != epoch {
            return Holding {
                shares: 0,
                requested: 0,
                requested_value: 0,
                requested_slot: 0,
            };
        }
        Holding {
            shares: self.shares,
            requested: self.requested,
            requested_value: self.requested_value,
            requested_slot: self.requested_slot,
        }
    }

    /// Records what is owned in `epoch`.
    pub const fn store(&mut self, epoch: u32, holding: &Holding) {
        self.epoch = epoch;
        self.shares = holding.shares;
        self.requested = holding.requested;
        self.requested_value = holding.requested_value;
        self.requested_slot = holding.requested_slot;
    }

    /// Fails with `NotOwner` unless these are shares of `fund` and `signer` owns them.
    ///
    /// # Errors
    /// `NotOwner`.
    pub fn require_of(&self, fund: &Pubkey, signer: &Pubkey) -> Result<()> {
        ensure(
            self.fund == *fund && self.owner == *signer,
            BallastError::NotOwner,
        )
    }
}
