//! The upgrade gate: where it is, what it says and how it is called.
//!
//! ```
//! use ballast_client::gate;
//! use ballast_state::gate::{Change, GATE_ID};
//! use ballast_state::{Pubkey, ID};
//!
//! let (proposer, buffer) = (Pubkey::new_from_array([1; 32]), Pubkey::new_from_array([2; 32]));
//! let stage = gate::stage(&ID, &proposer, Change::Upgrade(buffer));
//! assert_eq!(stage.program_id, GATE_ID);
//! assert_eq!(stage.accounts[1].pubkey, gate::address(&ID));
//! ```

use ballast_state::gate::{
    self, Change, Gate, GATE_DISCRIMINATOR, GATE_ID, GATE_SEED, GATE_VERSION,
};
use ballast_state::seeds::UPGRADEABLE_LOADER;
use ballast_state::Pubkey;
use solana_instruction::Instruction;

use crate::instructions::call::Call;
use crate::token::SYSTEM_PROGRAM;

/// Sysvar of the rent.
const RENT: Pubkey = Pubkey::from_str_const("SysvarRent111111111111111111111111111111111");
/// Sysvar of the clock.
const CLOCK: Pubkey = Pubkey::from_str_const("SysvarC1ock11111111111111111111111111111111");

/// Address of the gate of `program`.
#[must_use]
pub fn address(program: &Pubkey) -> Pubkey {
    Pubkey::find_program_address(&[GATE_SEED, program.as_ref()], &GATE_ID).0
}

/// Where the loader keeps the code of `program`.
#[must_use]
pub fn program_data(program: &Pubkey) -> Pubkey {
    Pubkey::find_program_address(&[program.as_ref()], &UPGRADEABLE_LOADER).0
}

/// The gate in the data of an account; `None` for anything else or another version.
#[must_use]
pub fn decode(data: &[u8]) -> Option<Gate> {
    let body = data.strip_prefix(&GATE_DISCRIMINATOR)?;
    let gate: Gate = bytemuck::try_pod_read_unaligned(body).ok()?;
    (gate.version == GATE_VERSION).then_some(gate)
}

/// Takes the upgrade authority of `program`, which `proposer` holds, into a gate.
#[must_use]
pub fn open_gate(
    program: &Pubkey,
    payer: &Pubkey,
    proposer: &Pubkey,
    guardian: &Pubkey,
    delay_slots: u64,
) -> Instruction {
    Call::of(gate::OPEN_GATE)
        .writable_signer(*payer)
        .signer(*proposer)
        .readonly(*program)
        .writable(program_data(program))
        .writable(address(program))
        .readonly(UPGRADEABLE_LOADER)
        .readonly(SYSTEM_PROGRAM)
        .arguments(&(*guardian, delay_slots))
        .of_program(GATE_ID)
}

/// Stages `change`.
#[must_use]
pub fn stage(program: &Pubkey, proposer: &Pubkey, change: Change) -> Instruction {
    let call = Call::of(gate::STAGE)
        .signer(*proposer)
        .writable(address(program));
    buffer(call, Some(change))
        .readonly(UPGRADEABLE_LOADER)
        .arguments(&change)
        .of_program(GATE_ID)
}

/// Takes the change that `gate` has staged back; `authority` is its guardian or proposer.
#[must_use]
pub fn cancel(gate: &Gate, authority: &Pubkey) -> Instruction {
    let call = Call::of(gate::CANCEL)
        .signer(*authority)
        .writable(address(&gate.program));
    buffer(call, gate.pending())
        .readonly(gate.proposer)
        .readonly(UPGRADEABLE_LOADER)
        .arguments(&gate.staged_count)
        .of_program(GATE_ID)
}

/// Executes the change that `gate` has staged; `None` when there is none.
#[must_use]
pub fn execute(gate: &Gate) -> Option<Instruction> {
    let (own, data) = (address(&gate.program), program_data(&gate.program));
    let call = match gate.pending()? {
        Change::Upgrade(buffer) => Call::of(gate::EXECUTE_UPGRADE)
            .writable(own)
            .writable(gate.program)
            .writable(data)
            .writable(buffer)
            .writable(gate.proposer)
            .readonly(RENT)
            .readonly(CLOCK),
        Change::Final | Change::Proposer(_) | Change::Guardian(_) => {
            Call::of(gate::EXECUTE_CHANGE).writable(own).writable(data)
        }
    };
    let call = call
        .readonly(UPGRADEABLE_LOADER)
        .arguments(&gate.staged_count);
    Some(call.of_program(GATE_ID))
}

/// Makes the delay of later changes longer.
#[must_use]
pub fn raise_delay(program: &Pubkey, proposer: &Pubkey, slots: u64) -> Instruction {
    Call::of(gate::RAISE_DELAY)
        .signer(*proposer)
        .writable(address(program))
        .arguments(&slots)
        .of_program(GATE_ID)
}

/// The next account: the buffer of an upgrade. The gate's own program stands for none.
fn buffer(call: Call, change: Option<Change>) -> Call {
    match change {
        Some(Change::Upgrade(buffer)) => call.writable(buffer),
        _ => call.readonly(GATE_ID),
    }
}
