//! The exchange: authorities, pause flags and the collateral everything is paid in.

use crate::{
    derives::*,
    error::{ensure, BallastError, Result},
    market::Market,
    pause::{with_implied, LongPause, Pause},
    Pubkey,
};

pub use crate::pause::{
    PAUSE_ALL, PAUSE_DELEVERAGE, PAUSE_DEPOSIT, PAUSE_LIQUIDATE, PAUSE_OPEN, PAUSE_REMOVE_MARGIN,
    PAUSE_TRADE, PAUSE_WITHDRAW,
};

/// First bytes of the exchange account.
pub const EXCHANGE_DISCRIMINATOR: [u8; 8] = [30, 200, 220, 149, 3, 61, 104, 50];
/// Layout version written by this program.
pub const EXCHANGE_VERSION: u8 = 2;

/// Slots for which a change of risk parameters waits on an exchange as it is deployed: 2 days of
/// 400 ms.
pub const DEFAULT_RISK_DELAY_SLOTS: u64 = 432_000;
/// The same for everything else, which the admin changes: 7 days.
pub const DEFAULT_ADMIN_DELAY_SLOTS: u64 = 1_512_000;
/// Longest delay: 30 days. Whoever holds the admin's key can make nobody wait for longer.
pub const MAX_DELAY_SLOTS: u64 = 6_480_000;
/// A delay below this is too short for anybody to react to: 1 day.
pub const SHORT_DELAY_SLOTS: u64 = 216_000;

/// For how long changes wait, see [`crate::staged`].
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delays {
    /// Slots for which a change of risk parameters waits.
    pub risk_slots: u64,
    /// Slots for which every other change waits; not below `risk_slots`, or a shorter delay would
    /// wait for less than the one it shortens.
    pub admin_slots: u64,
}

impl Delays {
    /// Those of an exchange as it is deployed.
    pub const DEFAULT: Self = Self {
        risk_slots: DEFAULT_RISK_DELAY_SLOTS,
        admin_slots: DEFAULT_ADMIN_DELAY_SLOTS,
    };

    /// Checks the range.
    ///
    /// # Errors
    /// `DelayOutOfRange`.
    pub const fn validate(&self) -> Result<()> {
        ensure(
            self.risk_slots <= self.admin_slots && self.admin_slots <= MAX_DELAY_SLOTS,
            BallastError::DelayOutOfRange,
        )
    }

    /// Whether one of them leaves nobody the time to react.
    #[must_use]
    pub const fn are_short(&self) -> bool {
        self.risk_slots < SHORT_DELAY_SLOTS
    }
}

/// The one exchange. PDA `["exchange"]`; token authority of every vault.
#[cfg_attr(feature = "anchor", account(zero_copy))]
#[cfg_attr(not(feature = "anchor"), derive(Clone, Copy, Pod, Zeroable))]
#[derive(Debug)]
#[repr(C)]
pub struct Exchange {
    /// Layout version. Written when the account is created or migrated.
    pub version: u8,
    /// Bump of this address. Written once.
    pub bump: u8,
    /// Bump of the collateral vault. Written once.
    pub vault_bump: u8,
    /// Decimals of the collateral mint. Written once.
    pub mint_decimals: u8,
    /// Union of the flags of the pauses, ended ones included: 0 where nothing is paused. Written by
    /// `set_pause` and `apply_exchange_change`.
    pub pause_flags: u32,
    /// Stages markets, successors and delays. Written by `accept_authority`.
    pub admin: Pubkey,
    /// Not read.
    pub _unused_admin: Pubkey,
    /// Stages risk parameters. Written by `accept_authority`.
    pub risk_authority: Pubkey,
    /// Not read.
    pub _unused_risk_authority: Pubkey,
    /// Pauses, for as long as [`crate::pause`] says, and cancels staged changes. Written by
    /// `accept_authority`.
    pub guardian: Pubkey,
    /// Not read.
    pub _unused_guardian: Pubkey,
    /// Mint of the quote currency; its smallest unit is the atom. Written once.
    pub collateral_mint: Pubkey,
    /// Token account with all free collateral, margin and fees. Written once.
    pub collateral_vault: Pubkey,
    /// Trader accounts in existence. Written by `create_trader` and `close_trader`.
    pub trader_count: u64,
    /// Not read.
    pub _unused: [u8; 12],
    /// Markets in existence; index of the next one. Written by `create_market`.
    pub market_count: u16,
    /// Always zero; aligns what follows.
    pub _padding: [u8; 2],
    /// Slots for which a change of risk parameters waits. Written by `raise_delays` and
    /// `apply_exchange_change`.
    pub risk_delay_slots: u64,
    /// Slots for which every other change waits. Written like it.
    pub admin_delay_slots: u64,
    /// Token account to which earnings are paid; the default key while there is none. Written by
    /// `apply_exchange_change`.
    pub treasury: Pubkey,
    /// Zero; room for later versions.
    pub reserved_admin: [u8; 48],
    /// The guardian's pause. Written by `set_pause`.
    pub guardian_pause: Pause,
    /// The admin's pause. Written by `set_pause`.
    pub admin_pause: Pause,
    /// Zero; room for later versions.
    pub reserved: [u8; 64],
    /// The longer pause that was staged. Written by `apply_exchange_change`.
    pub long_pause: LongPause,
    /// Zero; room for later versions.
    pub reserved_tail: [u8; 16],
}

const _: () = {
    assert!(core::mem::size_of::<Exchange>() == 544);
    assert!(core::mem::offset_of!(Exchange, pause_flags) == 4);
    assert!(core::mem::offset_of!(Exchange, admin) == 8);
    assert!(core::mem::offset_of!(Exchange, collateral_mint) == 200);
    assert!(core::mem::offset_of!(Exchange, trader_count) == 264);
    assert!(core::mem::offset_of!(Exchange, risk_delay_slots) == 288);
    assert!(core::mem::offset_of!(Exchange, treasury) == 304);
    assert!(core::mem::offset_of!(Exchange, guardian_pause) == 384);
    assert!(core::mem::offset_of!(Exchange, long_pause) == 512);
};

/// An authority of the exchange, which can be handed over.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Stages everything but risk parameters: markets, successors, delays.
    #[default]
    Admin,
    /// Stages risk parameters of markets.
    Risk,
    /// Pauses for a while and cancels staged changes.
    Guardian,
}

impl Role {
    /// Its number, as in its Borsh form.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Admin => 0,
            Self::Risk => 1,
            Self::Guardian => 2,
        }
    }
}

impl Exchange {
    /// Bytes of the account, discriminator included.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// The key that holds `role`.
    pub fn authority(&self, role: Role) -> Pubkey {
        match role {
            Role::Admin => self.admin,
            Role::Risk => self.risk_authority,
            Role::Guardian => self.guardian,
        }
    }

    /// Fails with `NotAdmin`, `NotRiskAuthority` or `NotGuardian` unless `signer` holds
    /// `role`.
    pub fn require_authority(&self, role: Role, signer: &Pubkey) -> Result<()> {
        let error = match role {
            Role::Admin => BallastError::NotAdmin,
            Role::Risk => BallastError::NotRiskAuthority,
            Role::Guardian => BallastError::NotGuardian,
        };
        ensure(self.authority(role) == *signer, error)
    }

    /// Fails with `NotAdmin` unless `signer` is the admin.
    pub fn require_admin(&self, signer: &Pubkey) -> Result<()> {
        self.require_authority(Role::Admin, signer)
    }

    /// Fails with `NotGuardian` unless `signer` is the guardian or the admin.
    pub fn require_guardian(&self, signer: &Pubkey) -> Result<()> {
        let either = *signer == self.guardian || *signer == self.admin;
        ensure(either, BallastError::NotGuardian)
    }

    /// Counts a new trader account.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn count_trader(&mut self) -> Result<()> {
        let count = self.trader_count.checked_add(1);
        self.trader_count = count.ok_or(BallastError::Overflow)?;
        Ok(())
    }

    /// Who gets the rent of a market's queues and book: who paid for its creation, else the admin.
    #[must_use]
    pub fn rent_payer_of(&self, market: &Market) -> Pubkey {
        market.rent_receiver(&self.admin)
    }

    /// Hands `role` to `successor`, returning the former holder.
    pub fn hand_over(&mut self, role: Role, successor: Pubkey) -> Pubkey {
        let holder = match role {
            Role::Admin => &mut self.admin,
            Role::Risk => &mut self.risk_authority,
            Role::Guardian => &mut self.guardian,
        };
        core::mem::replace(holder, successor)
    }

    /// For how long changes wait.
    #[must_use]
    pub const fn delays(&self) -> Delays {
        Delays {
            risk_slots: self.risk_delay_slots,
            admin_slots: self.admin_delay_slots,
        }
    }

    /// Puts `delays` in force, returning those before.
    ///
    /// # Errors
    /// `DelayOutOfRange`.
    pub fn set_delays(&mut self, delays: Delays) -> Result<Delays> {
        delays.validate()?;
        let before = self.delays();
        self.risk_delay_slots = delays.risk_slots;
        self.admin_delay_slots = delays.admin_slots;
        Ok(before)
    }

    /// Puts `delays` in force at once, returning those before.
    ///
    /// # Errors
    /// `DelayNotRaised` when one of them is shorter than before or none is longer;
    /// `DelayOutOfRange`.
    pub fn raise_delays(&mut self, delays: Delays) -> Result<Delays> {
        let now = self.delays();
        let raised = delays.risk_slots >= now.risk_slots && delays.admin_slots >= now.admin_slots;
        ensure(raised && delays != now, BallastError::DelayNotRaised)?;
        self.set_delays(delays)
    }

    /// The `PAUSE_*` flags in force in `slot`, with what they bring along.
    #[must_use]
    pub fn pauses(&self, slot: u64) -> u32 {
        if self.pause_flags == 0 {
            return 0;
        }
        with_implied(
            self.guardian_pause.in_force(slot)
                | self.admin_pause.in_force(slot)
                | self.long_pause.in_force(slot),
        )
    }

    /// The flags in force. Fails with `Paused` when any of `flags` is.
    pub fn require_not_paused(&self, flags: u32, slot: u64) -> Result<u32> {
        let in_force = self.pauses(slot);
        ensure(in_force & flags == 0, BallastError::Paused)?;
        Ok(in_force)
    }

    /// First slot in which `flag` is paused by nobody; 0 when it is not paused in `slot`.
    #[must_use]
    pub fn paused_until(&self, flag: u32, slot: u64) -> u64 {
        let [guardian, admin] = [&self.guardian_pause, &self.admin_pause];
        let until = |pause: &Pause| {
            let flags = match flag {
                PAUSE_OPEN | PAUSE_REMOVE_MARGIN => [flag, PAUSE_LIQUIDATE, PAUSE_DELEVERAGE],
                _ => [flag; 3],
            };
            flags.into_iter().map(|flag| pause.end(flag)).max()
        };
        let own = until(guardian).max(until(admin)).unwrap_or(0);
        let end = own.max(self.long_pause.end(flag));
        if end > slot {
            end
        } else {
            0
        }
    }

    /// Begins the signer's own pause in the place of the one there is; without flags lifts it.
    ///
    /// # Errors
    /// `NotGuardian`; those of [`Pause::set`].
    pub fn set_pause(&mut self, by: &Pubkey, flags: u32, slots: u64, slot: u64) -> Result<Pause> {
        let own = if *by == self.guardian {
            &mut self.guardian_pause
        } else if *by == self.admin {
            &mut self.admin_pause
        } else {
            return Err(BallastError::NotGuardian);
        };
        own.set(flags, slots, slot)?;
        let set = *own;
        self.count_pauses();
        Ok(set)
    }

    /// Begins the longer pause that was staged, in the place of the one there is; without flags lifts
    /// it.
    ///
    /// # Errors
    /// Those of [`LongPause::begun`].
    pub fn begin_long_pause(&mut self, flags: u32, slots: u64, slot: u64) -> Result<()> {
        self.long_pause = LongPause::begun(flags, slots, slot)?;
        self.count_pauses();
        Ok(())
    }

    fn count_pauses(&mut self) {
        let long = self.long_pause.flags;
        self.pause_flags = self.guardian_pause.flags | self.admin_pause.flags | long;
    }

    /// Fails with `WrongMint` or `WrongTokenProgram` unless `mint` is the quote currency and its
    /// owner `mint_program` is `token_program`.
    pub fn require_collateral(
        &self,
        mint: &Pubkey,
        mint_program: &Pubkey,
        token_program: &Pubkey,
    ) -> Result<()> {
        ensure(*mint == self.collateral_mint, BallastError::WrongMint)?;
        ensure(
            mint_program == token_program,
            BallastError::WrongTokenProgram,
        )
    }

    /// Checks what must hold at the end of every instruction that writes the exchange.
    ///
    /// # Errors
    /// `ExchangeInvariant`.
    pub fn invariant(&self) -> Result<()> {
        let keys_set = [
            self.admin,
            self.risk_authority,
            self.guardian,
            self.collateral_mint,
            self.collateral_vault,
        ]
        .iter()
        .all(|key| *key != Pubkey::default());
        let delays = self.delays().validate().is_ok();
        let flags = self.pause_flags & !PAUSE_ALL == 0;
        ensure(keys_set && flags && delays, BallastError::ExchangeInvariant)
    }
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;

    use super::*;

    fn exchange() -> Exchange {
        let key = Pubkey::new_unique();
        Exchange {
            version: EXCHANGE_VERSION,
            admin: key,
            risk_authority: key,
            guardian: key,
            collateral_mint: key,
            collateral_vault: key,
            ..Exchange::zeroed()
        }
    }

    #[test]
    fn delays_rise_at_once_and_fall_only_otherwise() {
        let mut exchange = exchange();
        let delays = |risk_slots, admin_slots| Delays {
            risk_slots,
            admin_slots,
        };
        assert_eq!(exchange.raise_delays(delays(5, 9)), Ok(delays(0, 0)));
        for not_raised in [delays(4, 10), delays(6, 8), delays(5, 9)] {
            let refused = exchange.raise_delays(not_raised);
            assert_eq!(refused, Err(BallastError::DelayNotRaised));
        }
        assert_eq!(exchange.raise_delays(delays(9, 9)), Ok(delays(5, 9)));
        for out_of_range in [delays(10, 9), delays(9, MAX_DELAY_SLOTS + 1)] {
            let refused = exchange.set_delays(out_of_range);
            assert_eq!(refused, Err(BallastError::DelayOutOfRange));
        }
        assert_eq!(exchange.delays(), delays(9, 9));
        assert_eq!(exchange.set_delays(delays(0, 1)), Ok(delays(9, 9)));
        assert!(exchange.delays().are_short() && !Delays::DEFAULT.are_short());
    }

    #[test]
    fn a_role_is_handed_over_alone() {
        for role in [Role::Admin, Role::Risk, Role::Guardian] {
            let mut exchange = exchange();
            let (former, next) = (exchange.admin, Pubkey::new_unique());
            assert_eq!(exchange.hand_over(role, next), former);
            for other in [Role::Admin, Role::Risk, Role::Guardian] {
                let holder = if other == role { next } else { former };
                assert_eq!(exchange.authority(other), holder);
                assert!(exchange.require_authority(other, &holder).is_ok());
                let refused = exchange.require_authority(other, &Pubkey::new_unique());
                assert!(refused.is_err());
            }
            assert_eq!(borsh::to_vec(&role).unwrap(), [role.number()]);
        }
    }

    #[test]
    fn the_invariant_refuses_an_unset_authority_and_an_unknown_flag() {
        assert!(exchange().invariant().is_ok());
        let unset = Exchange {
            risk_authority: Pubkey::default(),
            ..exchange()
        };
        assert!(unset.invariant().is_err());
        let unknown = Exchange {
            pause_flags: PAUSE_ALL + 1,
            ..exchange()
        };
        assert!(unknown.invariant().is_err());
        let forever = Exchange {
            admin_delay_slots: MAX_DELAY_SLOTS + 1,
            ..exchange()
        };
        assert!(forever.invariant().is_err());
    }
}
