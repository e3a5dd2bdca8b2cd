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
use solana_instruction::{AccountMeta, Instruction};

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
    let accounts = vec![
        AccountMeta::new(*payer, true),
        AccountMeta::new_readonly(*proposer, true),
        AccountMeta::new_readonly(*program, false),
        AccountMeta::new(program_data(program), false),
        AccountMeta::new(address(program), false),
        AccountMeta::new_readonly(UPGRADEABLE_LOADER, false),
        AccountMeta::new_readonly(SYSTEM_PROGRAM, false),
    ];
    call(gate::OPEN_GATE, accounts, &(*guardian, delay_slots))
}

/// Stages `change`.
#[must_use]
pub fn stage(program: &Pubkey, proposer: &Pubkey, change: Change) -> Instruction {
    let accounts = vec![
        AccountMeta::new_readonly(*proposer, true),
        AccountMeta::new(address(program), false),
        buffer(Some(change)),
        AccountMeta::new_readonly(UPGRADEABLE_LOADER, false),
    ];
    call(gate::STAGE, accounts, &change)
}

/// Takes the change that `gate` has staged back; `authority` is its guardian or proposer.
#[must_use]
pub fn cancel(gate: &Gate, authority: &Pubkey) -> Instruction {
    let accounts = vec![
        AccountMeta::new_readonly(*authority, true),
        AccountMeta::new(address(&gate.program), false),
        buffer(gate.pending()),
        AccountMeta::new_readonly(gate.proposer, false),
        AccountMeta::new_readonly(UPGRADEABLE_LOADER, false),
    ];
    call(gate::CANCEL, accounts, &gate.staged_count)
}

/// Executes the change that `gate` has staged; `None` when there is none.
#[must_use]
pub fn execute(gate: &Gate) -> Option<Instruction> {
    let (program, data) = (gate.program, program_data(&gate.program));
    let mut accounts = vec![AccountMeta::new(address(&program), false)];
    let discriminator = match gate.pending()? {
        Change::Upgrade(buffer) => {
            accounts.extend([
                AccountMeta::new(program, false),
                AccountMeta::new(data, false),
                AccountMeta::new(buffer, false),
                AccountMeta::new(gate.proposer, false),
                AccountMeta::new_readonly(RENT, false),
                AccountMeta::new_readonly(CLOCK, false),
            ]);
            gate::EXECUTE_UPGRADE
        }
        Change::Final | Change::Proposer(_) | Change::Guardian(_) => {
            accounts.push(AccountMeta::new(data, false));
            gate::EXECUTE_CHANGE
        }
    };
    accounts.push(AccountMeta::new_readonly(UPGRADEABLE_LOADER, false));
    Some(call(discriminator, accounts, &gate.staged_count))
}

/// Makes the delay of later changes longer.
#[must_use]
pub fn raise_delay(program: &Pubkey, proposer: &Pubkey, slots: u64) -> Instruction {
    let accounts = vec![
        AccountMeta::new_readonly(*proposer, true),
        AccountMeta::new(address(program), false),
    ];
    call(gate::RAISE_DELAY, accounts, &slots)
}

/// The buffer of an upgrade. The gate's own address stands for none.
fn buffer(change: Option<Change>) -> AccountMeta {
    match change {
        Some(Change::Upgrade(buffer)) => AccountMeta::new(buffer, false),
        _ => AccountMeta::new_readonly(GATE_ID, false),
    }
}

#[allow(clippy::expect_used, reason = "a vector takes any bytes")]
fn call(
    discriminator: [u8; 8],
    accounts: Vec<AccountMeta>,
    arguments: &impl borsh::BorshSerialize,
) -> Instruction {
    let mut data = discriminator.to_vec();
    arguments
        .serialize(&mut data)
        .expect("arguments go into memory");
    Instruction {
        program_id: GATE_ID,
        accounts,
        data,
    }
}
