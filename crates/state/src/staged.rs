//! Changes that wait: what an authority wants to be different is written down first, and takes
//! effect no sooner than a delay later.

use ballast_engine::{pool::PoolParams, risk::RiskParams};
use solana_sha256_hasher::hashv;

use crate::{
    derives::*,
    error::{ensure, BallastError, Result},
    exchange::{Delays, Exchange, Role, MAX_DELAY_SLOTS},
    instructions::{unit_atoms, CreateMarketArgs},
    market::Market,
    oracle_config::OracleConfig,
    pause::LongPause,
    seeds::EXCHANGE_ADDRESS,
    witnessed::Witnessed,
    Pubkey,
};

/// First bytes of a staged change.
pub const STAGED_DISCRIMINATOR: [u8; 8] = [40, 31, 93, 191, 245, 143, 124, 218];
/// Layout version written by this program.
pub const STAGED_VERSION: u8 = 1;
/// Bytes kept for the change itself.
pub const PAYLOAD_BYTES: usize = 448;
/// Slots for which a change may be applied once it is due: 7 days of 400 ms.
pub const WINDOW_SLOTS: u64 = 1_512_000;
/// The same for the hand-over of a role, which nobody but the successor can apply: 30 days, so that
/// a raised delay does not make an end of it.
pub const HAND_OVER_WINDOW_SLOTS: u64 = MAX_DELAY_SLOTS;

/// What an authority may have changed. Nothing of it is changed in any other way.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A market's risk parameters, replaced whole.
    Risk(RiskParams),
    /// A new market.
    CreateMarket(CreateMarketArgs),
    /// A role, handed over.
    Authority {
        /// The role.
        role: Role,
        /// Who takes it, by `accept_authority`.
        successor: Pubkey,
    },
    /// The token account to which the exchange's earnings are paid.
    Treasury(Pubkey),
    /// The delays, one of them shorter than now.
    Delays(Delays),
    /// The end of a market.
    Delist,
    /// A market's price source.
    Oracle(OracleConfig),
    /// A longer pause of what keeps nobody in, see [`LongPause`]; without flags the end of the one
    /// there is.
    Pause {
        /// Union of `PAUSE_*` flags.
        flags: u32,
        /// For how many slots from when it takes effect.
        slots: u64,
    },
    /// A reduce-only market opens again.
    Reopen,
    /// What a market's pool does, replaced whole; with it a pool that was stopped goes on.
    Pool(PoolParams),
}

impl Change {
    /// Its number: the first byte of its Borsh form, and part of the address at which it is staged.
    #[must_use]
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Risk(_) => 0,
            Self::CreateMarket(_) => 1,
            Self::Authority { .. } => 2,
            Self::Treasury(_) => 3,
            Self::Delays(_) => 4,
            Self::Delist => 5,
            Self::Oracle(_) => 6,
            Self::Pause { .. } => 7,
            Self::Reopen => 8,
            Self::Pool(_) => 9,
        }
    }

    /// Whether it changes a market that exists.
    #[must_use]
    pub const fn is_of_market(&self) -> bool {
        matches!(
            self,
            Self::Risk(_) | Self::Delist | Self::Oracle(_) | Self::Reopen | Self::Pool(_)
        )
    }

    /// Who stages it.
    #[must_use]
    pub const fn proposed_by(&self) -> Role {
        match self {
            Self::Risk(_) | Self::Pool(_) => Role::Risk,
            _ => Role::Admin,
        }
    }

    /// What it changes: `market` itself; for a new market its name, for a role its number, each
    /// padded with zeros; otherwise the exchange. One change of a kind waits for each.
    ///
    /// # Errors
    /// `StagedMismatch` unless a market is named exactly where one is changed.
    pub fn target(&self, market: Option<&Pubkey>) -> Result<Pubkey> {
        ensure(
            market.is_some() == self.is_of_market(),
            BallastError::StagedMismatch,
        )?;
        let mut padded = [0; 32];
        match (self, market) {
            (_, Some(market)) => return Ok(*market),
            (Self::CreateMarket(args), _) => {
                let (name, _) = padded.split_at_mut(args.name.len());
                name.copy_from_slice(&args.name);
            }
            (Self::Authority { role, .. }, _) => padded[0] = role.number(),
            _ => return Ok(EXCHANGE_ADDRESS),
        }
        Ok(Pubkey::new_from_array(padded))
    }

    /// Slots for which it waits under these delays. The guardian's replacement, which the guardian
    /// cannot cancel, waits twice as long as the admin's, which it can.
    #[must_use]
    pub const fn delay(&self, delays: &Delays) -> u64 {
        match self {
            Self::Risk(_) | Self::Pool(_) => delays.risk_slots,
            Self::Authority {
                role: Role::Guardian,
                ..
            } => delays.admin_slots.wrapping_mul(2),
            _ => delays.admin_slots,
        }
    }

    /// Slots for which it may be applied once it is due.
    #[must_use]
    pub const fn window(&self) -> u64 {
        match self {
            Self::Authority { .. } => HAND_OVER_WINDOW_SLOTS,
            _ => WINDOW_SLOTS,
        }
    }

    /// Checks it against what it would change: when it is staged, and again when it is applied.
    ///
    /// # Errors
    /// The `Risk...` errors; `MarketNameInvalid`; `OracleConfigInvalid`; `AuthorityUnset`;
    /// `VaultAsCounterparty`; `DelayOutOfRange`; `LongPauseInvalid`; `MarketEnded`, `MarketEnding`,
    /// `MarketNotReduceOnly`; `PoolParams`; `OracleUnits`, `OracleUnchanged`.
    pub fn check(&self, exchange: &Exchange, market: Option<&Market>) -> Result<()> {
        match self {
            Self::Risk(risk) => {
                let market = market.ok_or(BallastError::StagedMismatch)?;
                let unit = unit_atoms(exchange.mint_decimals);
                Ok(risk.validate_after(market.params(), unit)?)
            }
            Self::CreateMarket(args) => args.validate(exchange.mint_decimals),
            Self::Authority { successor: key, .. } => {
                ensure(*key != Pubkey::default(), BallastError::AuthorityUnset)
            }
            Self::Treasury(key) => {
                ensure(*key != Pubkey::default(), BallastError::AuthorityUnset)?;
                ensure(
                    *key != exchange.collateral_vault,
                    BallastError::VaultAsCounterparty,
                )
            }
            Self::Delays(delays) => delays.validate(),
            Self::Delist => Ok(()),
            Self::Pause { flags, slots } => LongPause::check(*flags, *slots),
            Self::Pool(params) => {
                let market = market.ok_or(BallastError::StagedMismatch)?;
                Ok(params.validate(market.params())?)
            }
            Self::Reopen => market
                .ok_or(BallastError::StagedMismatch)?
                .require_reopenable(),
            Self::Oracle(source) => market
                .ok_or(BallastError::StagedMismatch)?
                .require_other_source(source, exchange.mint_decimals),
        }
    }

    /// Digest of what it would change, so that a change in between voids it: also one of the layout.
    ///
    /// # Errors
    /// `StagedMismatch` without the market that it changes.
    pub fn base(&self, exchange: &Exchange, market: Option<&Market>) -> Result<[u8; 32]> {
        let own = [exchange.version];
        let holder;
        let delays;
        let hash = match self {
            Self::Risk(_) | Self::Delist | Self::Oracle(_) | Self::Reopen | Self::Pool(_) => {
                let market = market.ok_or(BallastError::StagedMismatch)?;
                let of = [market.version];
                match self {
                    // None has to do with the parameters. What a pool does is changed in no other way,
                    // and one change of it waits at a time.
                    Self::Delist | Self::Reopen | Self::Pool(_) => hashv(&[&own, &of]),
                    Self::Oracle(_) => hashv(&[&own, &of, bytemuck::bytes_of(&market.oracle)]),
                    _ => hashv(&[
                        &own,
                        &of,
                        bytemuck::bytes_of(&market.oracle),
                        bytemuck::bytes_of(&market.risk),
                    ]),
                }
            }
            Self::Authority { role, .. } => {
                holder = exchange.authority(*role);
                hashv(&[&own, holder.as_ref()])
            }
            Self::Treasury(_) => hashv(&[&own, exchange.treasury.as_ref()]),
            Self::Delays(_) => {
                delays = [exchange.risk_delay_slots, exchange.admin_delay_slots];
                hashv(&[&own, bytemuck::bytes_of(&delays)])
            }
            Self::CreateMarket(_) | Self::Pause { .. } => hashv(&[&own]),
        };
        Ok(hash.to_bytes())
    }
}

/// A change that waits. PDA `["staged", kind, target]`; see [`Change::target`]. Never rewritten: a
/// change is replaced by cancelling it and staging another, whose delay begins anew. Only what is
/// witnessed of it is added.
#[cfg_attr(feature = "anchor", account(zero_copy))]
#[cfg_attr(not(feature = "anchor"), derive(Clone, Copy, Pod, Zeroable))]
#[derive(Debug)]
#[repr(C)]
pub struct Staged {
    /// Layout version.
    pub version: u8,
    /// Bump of this address.
    pub bump: u8,
    /// Number of the change, see [`Change::kind`].
    pub kind: u8,
    /// Always zero; aligns what follows.
    pub _padding: [u8; 5],
    /// Names this staging and no other: a digest of everything here and of the newest slot hash, so
    /// that nobody can name it before it is staged.
    pub id: [u8; 32],
    /// What it changes, see [`Change::target`].
    pub target: Pubkey,
    /// Authority that staged it.
    pub proposer: Pubkey,
    /// Who paid the rent and gets it back.
    pub payer: Pubkey,
    /// Digest of what it would change, as it was when it was staged, see [`Change::base`].
    pub base: [u8; 32],
    /// Slot in which it was staged.
    pub staged_slot: u64,
    /// First slot in which it may be applied, unless the delay has been raised since.
    pub eta_slot: u64,
    /// Last slot in which it may be applied; anybody may close it afterwards.
    pub expires_slot: u64,
    /// The [`Change`] in Borsh, then zeros.
    pub payload: [u8; PAYLOAD_BYTES],
    /// For how long both price sources have been seen to agree, where one is changed. Written by
    /// `witness_oracle`.
    pub witnessed: Witnessed,
}

const _: () = {
    assert!(core::mem::size_of::<Staged>() == 672);
    assert!(core::mem::offset_of!(Staged, id) == 8);
    assert!(core::mem::offset_of!(Staged, target) == 40);
    assert!(core::mem::offset_of!(Staged, proposer) == 72);
    assert!(core::mem::offset_of!(Staged, payer) == 104);
    assert!(core::mem::offset_of!(Staged, base) == 136);
    assert!(core::mem::offset_of!(Staged, staged_slot) == 168);
    assert!(core::mem::offset_of!(Staged, payload) == 192);
    assert!(core::mem::offset_of!(Staged, witnessed) == 640);
};

/// Who stages a change, and when.
#[derive(Clone, Copy, Debug)]
pub struct Staging {
    /// The authority.
    pub proposer: Pubkey,
    /// Who pays the rent.
    pub payer: Pubkey,
    /// The slot.
    pub slot: u64,
    /// Newest entry of the sysvar of slot hashes.
    pub slot_hash: [u8; 40],
    /// The market, where one is changed.
    pub market: Option<Pubkey>,
    /// Bump of the address at which it is staged.
    pub bump: u8,
}

impl Staged {
    /// Bytes of the account, discriminator included.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// `change` as it is staged, once it has been checked.
    ///
    /// # Errors
    /// `NotAdmin` or `NotRiskAuthority` unless the proposer may; those of [`Change::check`] and
    /// [`Change::target`]; `Overflow`.
    pub fn new(
        change: &Change,
        exchange: &Exchange,
        market: Option<&Market>,
        staging: &Staging,
    ) -> Result<Self> {
        exchange.require_authority(change.proposed_by(), &staging.proposer)?;
        change.check(exchange, market)?;
        let mut staged = Self {
            version: STAGED_VERSION,
            bump: staging.bump,
            kind: change.kind(),
            _padding: [0; 5],
            id: [0; 32],
            target: change.target(staging.market.as_ref())?,
            proposer: staging.proposer,
            payer: staging.payer,
            base: change.base(exchange, market)?,
            staged_slot: staging.slot,
            eta_slot: later(staging.slot, change.delay(&exchange.delays()))?,
            expires_slot: 0,
            payload: [0; PAYLOAD_BYTES],
            witnessed: Witnessed::default(),
        };
        staged.expires_slot = later(staged.eta_slot, change.window())?;
        change
            .serialize(&mut &mut staged.payload[..])
            .map_err(|_| BallastError::Overflow)?;
        staged.id = hashv(&[bytemuck::bytes_of(&staged), &staging.slot_hash]).to_bytes();
        Ok(staged)
    }

    /// The change.
    ///
    /// # Errors
    /// `StagedMismatch` when the bytes are none.
    pub fn change(&self) -> Result<Change> {
        let mut bytes = &self.payload[..];
        Change::deserialize(&mut bytes).map_err(|_| BallastError::StagedMismatch)
    }

    /// First slot in which `change`, which is the one staged, may be applied. A delay raised since
    /// holds for it too; one lowered since does not.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn ready_slot(&self, change: &Change, exchange: &Exchange) -> Result<u64> {
        let now = later(self.staged_slot, change.delay(&exchange.delays()))?;
        Ok(self.eta_slot.max(now))
    }

    /// Whether what it would change is still what it was, its proposer still holds the role, and no
    /// price has spoken against it.
    ///
    /// # Errors
    /// Those of [`Change::base`].
    pub fn is_current(
        &self,
        change: &Change,
        exchange: &Exchange,
        market: Option<&Market>,
    ) -> Result<bool> {
        Ok(self.witnessed.holds()
            && self.proposer == exchange.authority(change.proposed_by())
            && self.base == change.base(exchange, market)?)
    }

    /// The change, which `id` has to name and which has to be due in `slot`; checked again.
    ///
    /// # Errors
    /// `StagedMismatch`, `StagedStale`, `StagedExpired`, `StagedTooEarly`; those of
    /// [`Change::check`].
    pub fn due(
        &self,
        id: &[u8; 32],
        exchange: &Exchange,
        market: Option<(&Pubkey, &Market)>,
        slot: u64,
    ) -> Result<Change> {
        let change = self.standing(id, exchange, market, slot)?;
        let ready = self.ready_slot(&change, exchange)?;
        ensure(slot >= ready, BallastError::StagedTooEarly)?;
        change.check(exchange, market.map(|(_, market)| market))?;
        Ok(change)
    }

    /// The price source that is staged, due or not, which `id` has to name; checked again.
    ///
    /// # Errors
    /// Those of [`Self::due`] but `StagedTooEarly`; `StagedMismatch` for another change.
    pub fn pending_oracle(
        &self,
        id: &[u8; 32],
        exchange: &Exchange,
        market: (&Pubkey, &Market),
        slot: u64,
    ) -> Result<OracleConfig> {
        let change = self.standing(id, exchange, Some(market), slot)?;
        change.check(exchange, Some(market.1))?;
        source_of(change)
    }

    /// The price source that is staged, once it is due.
    ///
    /// # Errors
    /// Those of [`Self::due`]; `StagedMismatch` for another change.
    pub fn due_oracle(
        &self,
        id: &[u8; 32],
        exchange: &Exchange,
        market: (&Pubkey, &Market),
        slot: u64,
    ) -> Result<OracleConfig> {
        source_of(self.due(id, exchange, Some(market), slot)?)
    }

    /// Fails unless both sources have agreed for long enough of the delay, where they agree in `slot`.
    ///
    /// # Errors
    /// `OracleNotWitnessed`; `StagedMismatch`; `Overflow`.
    pub fn require_witnessed(&self, exchange: &Exchange, slot: u64) -> Result<()> {
        let covered = self.witnessed.agreed(slot)?.covered_slots;
        let least = self.least_witnessed(&self.change()?, exchange)?;
        ensure(covered >= least, BallastError::OracleNotWitnessed)
    }

    /// Slots for which the price sources of `change`, which is the one staged, have to agree.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn least_witnessed(&self, change: &Change, exchange: &Exchange) -> Result<u64> {
        let ready = self.ready_slot(change, exchange)?;
        let delay = ready.checked_sub(self.staged_slot);
        Witnessed::least(delay.ok_or(BallastError::Overflow)?)
    }

    /// The change, which `id` has to name; that it fits what it would change, and has not expired.
    fn standing(
        &self,
        id: &[u8; 32],
        exchange: &Exchange,
        market: Option<(&Pubkey, &Market)>,
        slot: u64,
    ) -> Result<Change> {
        ensure(self.id == *id, BallastError::StagedMismatch)?;
        let change = self.change()?;
        let (key, market) = market.unzip();
        ensure(
            self.target == change.target(key)?,
            BallastError::StagedMismatch,
        )?;
        ensure(
            self.is_current(&change, exchange, market)?,
            BallastError::StagedStale,
        )?;
        ensure(slot <= self.expires_slot, BallastError::StagedExpired)?;
        Ok(change)
    }

    /// Whether `signer` may take it back in `slot`: the guardian, the admin and the proposer. Of the
    /// two who can hold the admin's key, its owner and a thief, the guardian decides: it alone
    /// cancels a hand-over of that role. Its own it cannot. What has expired, what was proposed by
    /// somebody who no longer may, and what a price has spoken against, anybody clears away.
    ///
    /// # Errors
    /// `MayNotCancel`; `StagedMismatch`.
    pub fn require_cancellable(
        &self,
        exchange: &Exchange,
        signer: &Pubkey,
        slot: u64,
    ) -> Result<()> {
        let change = self.change()?;
        let guardian = *signer == exchange.authority(Role::Guardian);
        let admin = *signer == exchange.admin;
        let orphaned = self.proposer != exchange.authority(change.proposed_by());
        let void = orphaned || !self.witnessed.holds();
        let allowed = match change {
            _ if slot > self.expires_slot || void => true,
            Change::Authority {
                role: Role::Admin, ..
            } => guardian,
            Change::Authority {
                role: Role::Guardian,
                ..
            } => admin,
            _ => guardian || admin || *signer == self.proposer,
        };
        ensure(allowed, BallastError::MayNotCancel)
    }
}

/// The price source of a change.
const fn source_of(change: Change) -> Result<OracleConfig> {
    match change {
        Change::Oracle(source) => Ok(source),
        _ => Err(BallastError::StagedMismatch),
    }
}

/// The slot so many later.
fn later(slot: u64, slots: u64) -> Result<u64> {
    slot.checked_add(slots).ok_or(BallastError::Overflow)
}
