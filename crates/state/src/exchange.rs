//! The exchange: authorities, pause flags and the collateral everything is paid in.

use crate::{
    derives::*,
    error::{ensure, BallastError, Result},
    Pubkey,
};

/// First bytes of the exchange account.
pub const EXCHANGE_DISCRIMINATOR: [u8; 8] = [30, 200, 220, 149, 3, 61, 104, 50];
/// Layout version written by this program.
pub const EXCHANGE_VERSION: u8 = 1;

/// Pause flag: no deposits.
pub const PAUSE_DEPOSIT: u32 = 1;
/// Pause flag: no withdrawals.
pub const PAUSE_WITHDRAW: u32 = 1 << 1;
/// Pause flag: no trade that opens, increases or flips a position. Reducing stays possible.
pub const PAUSE_OPEN: u32 = 1 << 2;
/// Pause flag: no trade at all.
pub const PAUSE_TRADE: u32 = 1 << 3;
/// Pause flag: no margin may be taken out of positions. Adding stays possible.
pub const PAUSE_REMOVE_MARGIN: u32 = 1 << 4;
/// Pause flag: no liquidation.
pub const PAUSE_LIQUIDATE: u32 = 1 << 5;
/// Pause flag: no auto-deleveraging.
pub const PAUSE_DELEVERAGE: u32 = 1 << 6;
/// Every flag that has a meaning.
pub const PAUSE_ALL: u32 = (1 << 7) - 1;

/// The one exchange. PDA `["exchange"]`; token authority of every vault.
#[cfg_attr(feature = "anchor", account(zero_copy))]
#[cfg_attr(not(feature = "anchor"), derive(Clone, Copy, Pod, Zeroable))]
#[derive(Debug)]
#[repr(C)]
pub struct Exchange {
    /// Layout version. Written once.
    pub version: u8,
    /// Bump of this address. Written once.
    pub bump: u8,
    /// Bump of the collateral vault. Written once.
    pub vault_bump: u8,
    /// Decimals of the collateral mint. Written once.
    pub mint_decimals: u8,
    /// Union of the `PAUSE_*` flags in force. Written by `set_pause`.
    pub pause_flags: u32,
    /// May create markets and name successors. Written by `accept_authority`.
    pub admin: Pubkey,
    /// Proposed admin; the default key when none. Written by `propose_authority`.
    pub pending_admin: Pubkey,
    /// May change risk parameters. Written by `accept_authority`.
    pub risk_authority: Pubkey,
    /// Proposed risk authority; the default key when none.
    pub pending_risk_authority: Pubkey,
    /// May set pause flags (as may the admin). Written by `accept_authority`.
    pub pause_authority: Pubkey,
    /// Proposed pause authority; the default key when none.
    pub pending_pause_authority: Pubkey,
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
    /// Zero; room for later versions.
    pub reserved: [u8; 256],
}

const _: () = {
    assert!(core::mem::size_of::<Exchange>() == 544);
    assert!(core::mem::offset_of!(Exchange, pause_flags) == 4);
    assert!(core::mem::offset_of!(Exchange, admin) == 8);
    assert!(core::mem::offset_of!(Exchange, collateral_mint) == 200);
    assert!(core::mem::offset_of!(Exchange, trader_count) == 264);
    assert!(core::mem::offset_of!(Exchange, reserved) == 288);
};

/// An authority of the exchange that can be handed over in two steps.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Creates markets, pauses, names successors of every role.
    #[default]
    Admin,
    /// Changes risk parameters of markets.
    Risk,
    /// Sets pause flags.
    Pause,
}

impl Exchange {
    /// Bytes of the account, discriminator included.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// The key that holds `role`.
    pub fn authority(&self, role: Role) -> Pubkey {
        match role {
            Role::Admin => self.admin,
            Role::Risk => self.risk_authority,
            Role::Pause => self.pause_authority,
        }
    }

    /// Fails with `NotAdmin` unless `signer` is the admin.
    pub fn require_admin(&self, signer: &Pubkey) -> Result<()> {
        ensure(self.admin == *signer, BallastError::NotAdmin)
    }

    /// Names `successor` for `role`; the default key withdraws a proposal.
    pub fn propose(&mut self, role: Role, successor: Pubkey) {
        *self.slots_mut(role).1 = successor;
    }

    /// Hands `role` to `signer`, returning the former holder.
    ///
    /// # Errors
    /// `NotProposed` unless `signer` is the successor named last.
    pub fn accept(&mut self, role: Role, signer: Pubkey) -> Result<Pubkey> {
        let (holder, pending) = self.slots_mut(role);
        ensure(
            *pending == signer && signer != Pubkey::default(),
            BallastError::NotProposed,
        )?;
        let former = core::mem::replace(holder, signer);
        *pending = Pubkey::default();
        Ok(former)
    }

    /// The flags in force. Fails with `Paused` when any of `flags` is.
    pub fn require_not_paused(&self, flags: u32) -> Result<u32> {
        ensure(self.pause_flags & flags == 0, BallastError::Paused)?;
        Ok(self.pause_flags)
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
            self.pause_authority,
            self.collateral_mint,
            self.collateral_vault,
        ]
        .iter()
        .all(|key| *key != Pubkey::default());
        ensure(
            self.version == EXCHANGE_VERSION && keys_set && self.pause_flags & !PAUSE_ALL == 0,
            BallastError::ExchangeInvariant,
        )
    }

    fn slots_mut(&mut self, role: Role) -> (&mut Pubkey, &mut Pubkey) {
        match role {
            Role::Admin => (&mut self.admin, &mut self.pending_admin),
            Role::Risk => (&mut self.risk_authority, &mut self.pending_risk_authority),
            Role::Pause => (&mut self.pause_authority, &mut self.pending_pause_authority),
        }
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
            pause_authority: key,
            collateral_mint: key,
            collateral_vault: key,
            ..Exchange::zeroed()
        }
    }

    #[test]
    fn a_role_moves_only_to_the_proposed_key_and_only_once() {
        let mut exchange = exchange();
        let (first, second) = (exchange.admin, Pubkey::new_unique());
        assert!(exchange.accept(Role::Admin, second).is_err());
        assert!(exchange.accept(Role::Admin, Pubkey::default()).is_err());
        exchange.propose(Role::Admin, second);
        assert!(exchange.accept(Role::Risk, second).is_err());
        assert!(exchange.accept(Role::Admin, first).is_err());
        assert_eq!(exchange.accept(Role::Admin, second), Ok(first));
        assert_eq!(exchange.admin, second);
        assert!(exchange.accept(Role::Admin, second).is_err());
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
    }
}
