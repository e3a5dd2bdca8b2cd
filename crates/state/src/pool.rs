//! A market's backstop pool: what it may do, its shares and what it took lately.

mod exiting;
mod taking;

use ballast_engine::{
    pool::{PoolAssets, PoolMode, PoolParams, Worth},
    shares::{Exit, Fund, Holding, Outstanding},
};

pub use exiting::Exiting;
pub use taking::Taken;

use crate::{
    derives::*,
    error::{ensure, BallastError, Result},
    market::{Market, Touched},
    position_slot::PositionSlot,
    trader::Trader,
    Pubkey,
};

/// First bytes of a pool account.
pub const POOL_DISCRIMINATOR: [u8; 8] = [241, 154, 109, 4, 17, 177, 109, 188];
/// Layout version written by this program.
pub const POOL_VERSION: u8 = 1;
/// Sub-id of a pool's trader account.
pub const POOL_SUB_ID: u16 = 0;

/// The pool of a market. PDA `["pool", market]`. Its money is the free collateral of a trader account
/// that it owns, its inventory that account's position in the market.
#[cfg_attr(feature = "anchor", account(zero_copy))]
#[cfg_attr(not(feature = "anchor"), derive(Clone, Copy, Pod, Zeroable))]
#[derive(Debug)]
#[repr(C)]
pub struct Pool {
    /// Layout version. Written once.
    pub version: u8,
    /// Bump of this address. Written once.
    pub bump: u8,
    /// 1 while the guardian has it take nothing, whatever its parameters say.
    pub stopped: u8,
    /// Always zero; aligns what follows.
    pub _padding: u8,
    /// Times that its shares became worthless and new ones were begun.
    pub epoch: u32,
    /// The market. Written once.
    pub market: Pubkey,
    /// Its trader account. Written once.
    pub trader: Pubkey,
    /// What it does. Written by `apply_pool_change`.
    pub params: PoolParams,
    /// Shares of this epoch.
    pub shares: u64,
    /// Those of them that are to leave.
    pub requested: u64,
    /// Slot of the last unwind.
    pub last_unwind_slot: u64,
    /// Slot in which lots were taken over last.
    pub last_take_slot: u64,
    /// What a share was worth at its height, which sinks with time, atoms for 2^32 shares; as of
    /// [`Self::peak_slot`].
    pub peak_value: u64,
    /// Slot as of which that is.
    pub peak_slot: u64,
    /// Bucket of the first of [`Self::taken`], see [`Window`](ballast_engine::window::Window).
    pub taken_bucket: u64,
    /// Notional taken lately, atoms.
    pub taken: [u64; 4],
    /// Times that it took lots over.
    pub takes: u64,
    /// Times that it closed some.
    pub unwinds: u64,
    /// Discounts earned, atoms.
    pub discount_atoms: u64,
    /// Premiums earned, atoms.
    pub premium_atoms: u64,
    /// Slot in which the guardian stopped it last. A change that was staged before it does not end that.
    pub stopped_slot: u64,
    /// Slot from which on the price of an unwind falls.
    pub auction_slot: u64,
    /// Zero; room for later versions.
    pub reserved: [u8; 112],
}

const _: () = {
    assert!(core::mem::size_of::<Pool>() == 416);
    assert!(core::mem::offset_of!(Pool, market) == 8);
    assert!(core::mem::offset_of!(Pool, trader) == 40);
    assert!(core::mem::offset_of!(Pool, params) == 72);
    assert!(core::mem::offset_of!(Pool, shares) == 168);
    assert!(core::mem::offset_of!(Pool, taken_bucket) == 216);
    assert!(core::mem::offset_of!(Pool, takes) == 256);
    assert!(core::mem::offset_of!(Pool, stopped_slot) == 288);
    assert!(core::mem::offset_of!(Pool, auction_slot) == 296);
    assert!(core::mem::offset_of!(Pool, reserved) == 304);
};

impl Pool {
    /// Bytes of the account, discriminator included.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// Its shares, of a pool worth `atoms`.
    #[must_use]
    pub const fn fund(&self, atoms: u64) -> Fund {
        self.outstanding().fund(atoms)
    }

    /// What it does now: what its parameters say, and no takes while the guardian has it stopped.
    #[must_use]
    pub const fn mode(&self) -> PoolMode {
        match (self.params.mode(), self.stopped) {
            (PoolMode::Open, 1..) => PoolMode::NoTakes,
            (mode, _) => mode,
        }
    }

    /// Fails unless this is the pool of `market`, and `trader` its trader account.
    ///
    /// # Errors
    /// `WrongPool`.
    pub fn require_of(&self, market: &Pubkey, trader: &Pubkey) -> Result<()> {
        ensure(
            self.market == *market && self.trader == *trader,
            BallastError::WrongPool,
        )
    }

    /// What it has in `market`, funding paid up to now; `trader` is its trader account.
    ///
    /// # Errors
    /// `Overflow`, `SizeOutOfRange`.
    pub fn assets(&self, market: &Market, trader: &Trader) -> Result<PoolAssets> {
        let free = u64::try_from(trader.free).map_err(|_| BallastError::Overflow)?;
        let none = PositionSlot::zeroed();
        let slot = trader.slot(&self.market).unwrap_or(&none);
        Ok(PoolAssets {
            free,
            position: market.settled(slot)?,
            held: market.held.value(&slot.held_claim())?,
        })
    }

    /// What `assets` are worth at the price `touched`, where the market is short of `shortfall` atoms.
    ///
    /// # Errors
    /// `PriceOutOfRange`, `Overflow`.
    pub fn worth(
        &self,
        assets: &PoolAssets,
        market: &Market,
        touched: &Touched,
        shortfall: u64,
    ) -> Result<Worth> {
        let average = touched.price.average(market.oracle.atoms_per_lot_tick);
        Ok(assets.worth(&touched.mark, average, self.params.exit_bps, shortfall)?)
    }

    /// Its shares.
    #[must_use]
    pub const fn outstanding(&self) -> Outstanding {
        Outstanding {
            shares: self.shares,
            requested: self.requested,
        }
    }

    const fn store_outstanding(&mut self, all: &Outstanding) {
        (self.shares, self.requested) = (all.shares, all.requested);
    }

    /// Sells shares for `atoms` to who has `holding`, of a pool that is worth `worth_high` atoms to who
    /// joins: what is owned afterwards, and the new shares.
    ///
    /// # Errors
    /// `PoolClosed`; `ZeroAmount`, `FundSpent`, `FundFull`; `Overflow`.
    pub fn join(
        &mut self,
        atoms: u64,
        worth_high: u64,
        holding: &Holding,
    ) -> Result<(Holding, u64)> {
        ensure(
            self.params.mode() != PoolMode::WindDown,
            BallastError::PoolClosed,
        )?;
        let (all, after, minted) = self.outstanding().join(worth_high, atoms, holding)?;
        self.store_outstanding(&all);
        Ok((after, minted))
    }

    /// Records what was asked for of `before`, in its place.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn request(&mut self, before: &Holding, after: &Holding) -> Result<()> {
        let all = self.outstanding().request(before, after)?;
        self.store_outstanding(&all);
        Ok(())
    }

    /// Ends the shares of an exit from `before`.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn leave(&mut self, before: &Holding, exit: &Exit) -> Result<()> {
        let all = self.outstanding().leave(before, exit)?;
        self.store_outstanding(&all);
        Ok(())
    }

    /// Begins a new epoch of a spent pool without a position, which has `assets`.
    ///
    /// # Errors
    /// `PoolHasPosition`; `PoolNotSpent`; `Overflow`.
    pub fn reset(&mut self, assets: &PoolAssets) -> Result<()> {
        ensure(assets.position.is_empty(), BallastError::PoolHasPosition)?;
        // What the market holds for it may become free, so it counts.
        let fund = self.fund(assets.idle_worth()?.high);
        ensure(fund.is_spent(), BallastError::PoolNotSpent)?;
        let epoch = self.epoch.checked_add(1);
        self.epoch = epoch.ok_or(BallastError::Overflow)?;
        self.store_outstanding(&Outstanding::default());
        (self.peak_value, self.peak_slot) = (0, 0);
        Ok(())
    }

    /// Has it take nothing that enlarges its position, from `slot` on.
    pub const fn stop(&mut self, slot: u64) {
        (self.stopped, self.stopped_slot) = (1, slot);
    }

    /// Puts `params` in force in `slot` that were staged in `staged_slot`, and ends a stop.
    ///
    /// # Errors
    /// `StagedStale` for what was staged before the pool was stopped; `Overflow`.
    pub fn change(&mut self, params: &PoolParams, staged_slot: u64, slot: u64) -> Result<()> {
        let stops = self.stopped != 0 && staged_slot <= self.stopped_slot;
        ensure(!stops, BallastError::StagedStale)?;
        let (from, to) = (self.params.window_slots, params.window_slots);
        let window = self.window().relabelled(slot, from, to)?;
        self.store_window(&window);
        self.params = *params;
        self.stopped = 0;
        Ok(())
    }

    /// Checks what must hold at the end of every instruction that writes the pool.
    ///
    /// # Errors
    /// `PoolInvariant`.
    pub fn invariant(&self) -> Result<()> {
        ensure(self.outstanding().is_sound(), BallastError::PoolInvariant)
    }
}
