//! The upgrade gate: the account of the program that holds another program's upgrade authority, and
//! the rules by which it lets a change through. docs/GOVERNANCE.md has them in words.
//!
//! Nothing changes before its delay has run in the open, and the guardian may cancel meanwhile.

use crate::{
    derives::*,
    error::{ensure, errors},
    exchange::MAX_DELAY_SLOTS,
    Pubkey,
};

/// Address of the gate's program.
pub const GATE_ID: Pubkey = Pubkey::from_str_const("GATEBaLLast22222222222222222222222222222222");
/// Seed of a [`Gate`], followed by the address of the program it guards.
pub const GATE_SEED: &[u8] = b"gate";
/// First bytes of a gate's account.
pub const GATE_DISCRIMINATOR: [u8; 8] = [13, 25, 212, 153, 150, 57, 225, 171];
/// Layout version written by the gate's program.
pub const GATE_VERSION: u8 = 1;
/// Slots for which a change stays due: 14 days. Then it has expired.
pub const GATE_WINDOW_SLOTS: u64 = 3_024_000;

/// First eight bytes of `open_gate`.
pub const OPEN_GATE: [u8; 8] = [112, 13, 249, 29, 192, 252, 175, 108];
/// First eight bytes of `stage`.
pub const STAGE: [u8; 8] = [110, 46, 48, 164, 138, 253, 60, 46];
/// First eight bytes of `cancel`.
pub const CANCEL: [u8; 8] = [232, 219, 223, 41, 219, 236, 220, 190];
/// First eight bytes of `execute_upgrade`.
pub const EXECUTE_UPGRADE: [u8; 8] = [205, 219, 100, 218, 66, 39, 215, 24];
/// First eight bytes of `execute_change`.
pub const EXECUTE_CHANGE: [u8; 8] = [104, 53, 136, 238, 82, 222, 200, 42];
/// First eight bytes of `raise_delay`.
pub const RAISE_DELAY: [u8; 8] = [230, 158, 119, 52, 237, 248, 21, 209];

errors! {
    GateError;
    6000 NotProposer: "Only the proposer of this gate may do that. Sign with its key; `ballast gate show` prints it";
    6001 NotProposerOrGuardian: "Only the proposer or the guardian of this gate may cancel. The guardian does not cancel its own replacement";
    6002 KeyUnset: "Proposer, guardian and buffer are keys other than the default one, and the guardian is not the proposer";
    6003 DelayOutOfRange: "A delay is 1 to 6,480,000 slots (30 days) and can only rise";
    6004 ChangePending: "A change is staged already. Execute or cancel it first";
    6005 NothingStaged: "No change with this id is staged. `ballast gate show` prints what is";
    6006 TooEarly: "The delay of the staged change has not run out. `ballast gate show` prints the slot from which it may be executed";
    6007 Expired: "The staged change was not executed within 14 days of its delay's end. Cancel it and stage it anew";
    6008 WrongChange: "The staged change is of another kind. Upgrades are executed by execute_upgrade, everything else by execute_change";
    6009 WrongAccount: "The program, its data, the buffer or the receiver of its rent is not the one that the gate names";
    6010 NotUpgradeAuthority: "The signer is not the program's upgrade authority. Open the gate with that key";
    6011 Overflow: "A number is too large";
}

/// What the gate's rules return.
pub type Result<T> = core::result::Result<T, GateError>;

/// What may be staged.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The program's code becomes that of this buffer, which the gate holds from now on.
    Upgrade(Pubkey),
    /// The program loses its upgrade authority for good.
    Final,
    /// This key becomes the proposer.
    Proposer(Pubkey),
    /// This key becomes the guardian. Takes twice the delay, and the guardian cannot cancel it.
    Guardian(Pubkey),
}

impl Change {
    /// Slots for which it waits where changes wait `delay_slots`.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn wait(&self, delay_slots: u64) -> Result<u64> {
        match self {
            Self::Guardian(_) => delay_slots.checked_mul(2).ok_or(GateError::Overflow),
            _ => Ok(delay_slots),
        }
    }
}

/// A gate. PDA `["gate", program]` of the gate's program; upgrade authority of `program`.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Gate {
    /// Layout version. Written once.
    pub version: u8,
    /// Bump of this address. Written once.
    pub bump: u8,
    /// What is staged: 0 nothing, 1 an upgrade, 2 the end of upgrades, 3 a proposer, 4 a guardian.
    pub kind: u8,
    /// Always zero; aligns what follows.
    pub _padding: [u8; 5],
    /// The program behind the gate. Written once.
    pub program: Pubkey,
    /// Stages changes, and may cancel them.
    pub proposer: Pubkey,
    /// May cancel changes, but not its own replacement.
    pub guardian: Pubkey,
    /// Wait between staging and execution, slots, `1..=6,480,000`. Only rises.
    pub delay_slots: u64,
    /// Changes staged so far; the last one's id.
    pub staged_count: u64,
    /// Buffer or key of the staged change; the default key when there is none.
    pub subject: Pubkey,
    /// Slot in which it was staged.
    pub staged_slot: u64,
    /// First slot in which it may be executed.
    pub due_slot: u64,
}

const _: () = assert!(core::mem::size_of::<Gate>() == 168);

impl Gate {
    /// Bytes of the account, discriminator included.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// A gate of `program` with nothing staged.
    ///
    /// # Errors
    /// `KeyUnset`, `DelayOutOfRange`.
    pub fn open(
        bump: u8,
        program: Pubkey,
        proposer: Pubkey,
        guardian: Pubkey,
        delay_slots: u64,
    ) -> Result<Self> {
        let gate = Self {
            version: GATE_VERSION,
            bump,
            program,
            proposer,
            guardian,
            delay_slots,
            ..Self::zeroed()
        };
        gate.check()?;
        Ok(gate)
    }

    /// The staged change, if there is one.
    #[must_use]
    pub fn pending(&self) -> Option<Change> {
        match self.kind {
            1 => Some(Change::Upgrade(self.subject)),
            2 => Some(Change::Final),
            3 => Some(Change::Proposer(self.subject)),
            4 => Some(Change::Guardian(self.subject)),
            _ => None,
        }
    }

    /// Last slot in which the staged change may be executed.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn last_slot(&self) -> Result<u64> {
        let last = self.due_slot.checked_add(GATE_WINDOW_SLOTS);
        last.ok_or(GateError::Overflow)
    }

    /// Stages `change` in `slot`; its id.
    ///
    /// # Errors
    /// `NotProposer`, `ChangePending`, `KeyUnset`, `Overflow`.
    pub fn stage(&mut self, signer: &Pubkey, change: Change, slot: u64) -> Result<u64> {
        ensure(self.proposer == *signer, GateError::NotProposer)?;
        ensure(self.pending().is_none(), GateError::ChangePending)?;
        let (kind, subject) = match change {
            Change::Upgrade(buffer) => (1, buffer),
            Change::Final => (2, Pubkey::default()),
            Change::Proposer(key) => (3, key),
            Change::Guardian(key) => (4, key),
        };
        let named = change == Change::Final || subject != Pubkey::default();
        ensure(named, GateError::KeyUnset)?;
        let due = slot.checked_add(change.wait(self.delay_slots)?);
        self.due_slot = due.ok_or(GateError::Overflow)?;
        let count = self.staged_count.checked_add(1);
        self.staged_count = count.ok_or(GateError::Overflow)?;
        self.staged_slot = slot;
        (self.kind, self.subject) = (kind, subject);
        self.check()?;
        Ok(self.staged_count)
    }

    /// Takes change `id` out in `slot`, for its execution; a new proposer or guardian is in its
    /// place afterwards.
    ///
    /// # Errors
    /// `NothingStaged`, `TooEarly`, `Expired`; `KeyUnset` for a successor that is the other role's holder.
    pub fn execute(&mut self, id: u64, slot: u64) -> Result<Change> {
        let change = self.staged(id)?;
        ensure(slot >= self.due_slot, GateError::TooEarly)?;
        ensure(slot <= self.last_slot()?, GateError::Expired)?;
        match change {
            Change::Proposer(key) => self.proposer = key,
            Change::Guardian(key) => self.guardian = key,
            Change::Upgrade(_) | Change::Final => {}
        }
        self.clear();
        self.check()?;
        Ok(change)
    }

    /// Takes change `id` back.
    ///
    /// # Errors
    /// `NothingStaged`, `NotProposerOrGuardian`.
    pub fn cancel(&mut self, signer: &Pubkey, id: u64) -> Result<Change> {
        let change = self.staged(id)?;
        let guarded = self.guardian == *signer && !matches!(change, Change::Guardian(_));
        ensure(
            guarded || self.proposer == *signer,
            GateError::NotProposerOrGuardian,
        )?;
        self.clear();
        Ok(change)
    }

    /// Makes the delay of later changes longer.
    ///
    /// # Errors
    /// `NotProposer`, `DelayOutOfRange`.
    pub fn raise_delay(&mut self, signer: &Pubkey, slots: u64) -> Result<()> {
        ensure(self.proposer == *signer, GateError::NotProposer)?;
        ensure(slots > self.delay_slots, GateError::DelayOutOfRange)?;
        self.delay_slots = slots;
        self.check()
    }

    fn staged(&self, id: u64) -> Result<Change> {
        let change = self.pending().filter(|_| self.staged_count == id);
        change.ok_or(GateError::NothingStaged)
    }

    fn clear(&mut self) {
        (self.kind, self.subject) = (0, Pubkey::default());
        (self.staged_slot, self.due_slot) = (0, 0);
    }

    fn check(&self) -> Result<()> {
        let keys = [self.program, self.proposer, self.guardian];
        let distinct = self.proposer != self.guardian;
        let set = distinct && keys.iter().all(|key| *key != Pubkey::default());
        ensure(set, GateError::KeyUnset)?;
        let delay = (1..=MAX_DELAY_SLOTS).contains(&self.delay_slots);
        ensure(delay, GateError::DelayOutOfRange)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::prefix;

    const DAY: u64 = 216_000;

    fn key(byte: u8) -> Pubkey {
        Pubkey::new_from_array([byte; 32])
    }

    fn gate() -> Gate {
        Gate::open(255, key(1), key(2), key(3), 7 * DAY).unwrap()
    }

    #[test]
    fn first_bytes_are_those_that_anchor_derives() {
        assert_eq!(prefix("account", "Gate"), GATE_DISCRIMINATOR);
        for (name, bytes) in [
            ("open_gate", OPEN_GATE),
            ("stage", STAGE),
            ("cancel", CANCEL),
            ("execute_upgrade", EXECUTE_UPGRADE),
            ("execute_change", EXECUTE_CHANGE),
            ("raise_delay", RAISE_DELAY),
        ] {
            assert_eq!(prefix("global", name), bytes, "{name}");
        }
    }

    #[test]
    fn a_change_is_due_after_the_delay_and_for_a_window() {
        for (change, delays) in [
            (Change::Upgrade(key(9)), 1),
            (Change::Final, 1),
            (Change::Proposer(key(8)), 1),
            (Change::Guardian(key(7)), 2),
        ] {
            let mut gate = gate();
            let id = gate.stage(&key(2), change, 100).unwrap();
            let due = 100 + delays * 7 * DAY;
            assert_eq!(gate.pending(), Some(change));
            assert_eq!(gate.clone().execute(id, due - 1), Err(GateError::TooEarly));
            let last = due + GATE_WINDOW_SLOTS;
            assert_eq!(gate.clone().execute(id, last + 1), Err(GateError::Expired));
            assert_eq!(
                gate.clone().execute(id + 1, due),
                Err(GateError::NothingStaged)
            );
            assert_eq!(gate.clone().execute(id, last), Ok(change));
            assert_eq!(gate.execute(id, due), Ok(change));
            assert_eq!(gate.execute(id, due), Err(GateError::NothingStaged));
        }
    }

    #[test]
    fn the_guardian_cancels_everything_but_its_replacement() {
        let guardian = key(3);
        for change in [
            Change::Upgrade(key(9)),
            Change::Final,
            Change::Proposer(key(8)),
        ] {
            let mut gate = gate();
            let id = gate.stage(&key(2), change, 0).unwrap();
            let stranger = gate.clone().cancel(&key(4), id);
            assert_eq!(stranger, Err(GateError::NotProposerOrGuardian));
            assert_eq!(gate.cancel(&guardian, id), Ok(change));
            assert_eq!(gate.pending(), None);
        }
        let mut gate = gate();
        let id = gate.stage(&key(2), Change::Guardian(key(7)), 0).unwrap();
        let refused = gate.cancel(&guardian, id);
        assert_eq!(refused, Err(GateError::NotProposerOrGuardian));
        assert_eq!(gate.cancel(&key(2), id), Ok(Change::Guardian(key(7))));
    }

    #[test]
    fn a_cancelled_change_does_not_lend_its_time_to_the_next() {
        let mut gate = gate();
        let first = gate.stage(&key(2), Change::Upgrade(key(9)), 0).unwrap();
        let second = gate.stage(&key(2), Change::Upgrade(key(8)), 7 * DAY);
        assert_eq!(second, Err(GateError::ChangePending));
        gate.cancel(&key(2), first).unwrap();
        let second = gate
            .stage(&key(2), Change::Upgrade(key(8)), 7 * DAY)
            .unwrap();
        assert_eq!(gate.execute(second, 7 * DAY), Err(GateError::TooEarly));
        assert_eq!(gate.execute(first, 14 * DAY), Err(GateError::NothingStaged));
    }

    #[test]
    fn the_delay_only_rises_and_a_staged_change_keeps_its_own() {
        let mut gate = gate();
        assert_eq!(
            gate.raise_delay(&key(3), 8 * DAY),
            Err(GateError::NotProposer)
        );
        for slots in [7 * DAY, DAY, 0, MAX_DELAY_SLOTS + 1] {
            let refused = gate.clone().raise_delay(&key(2), slots);
            assert_eq!(refused, Err(GateError::DelayOutOfRange), "{slots}");
        }
        gate.stage(&key(2), Change::Final, 0).unwrap();
        gate.raise_delay(&key(2), 8 * DAY).unwrap();
        assert_eq!((gate.due_slot, gate.delay_slots), (7 * DAY, 8 * DAY));
    }

    #[test]
    fn the_two_roles_are_two_keys() {
        let same = Gate::open(255, key(1), key(2), key(2), DAY);
        assert_eq!(same.err(), Some(GateError::KeyUnset));
        let none = Gate::open(255, key(1), key(2), Pubkey::default(), DAY);
        assert_eq!(none.err(), Some(GateError::KeyUnset));
        let mut gate = gate();
        let unset = gate.stage(&key(2), Change::Guardian(Pubkey::default()), 0);
        assert_eq!(unset, Err(GateError::KeyUnset));
        let id = gate.stage(&key(2), Change::Proposer(key(3)), 0).unwrap();
        assert_eq!(gate.execute(id, 7 * DAY), Err(GateError::KeyUnset));
    }
}
