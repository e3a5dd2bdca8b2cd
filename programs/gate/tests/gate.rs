//! The gate on the built program: nobody replaces the code behind it before its delay has run.

use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::bpf_loader_upgradeable as loader;
use anchor_lang::solana_program::instruction::Instruction;
use ballast_client::gate;
use ballast_state::gate::{Change, Gate, GateError, GATE_ID, GATE_WINDOW_SLOTS};
use litesvm::LiteSVM;
use solana_account::Account;
use solana_instruction_error::InstructionError;
use solana_keypair::Keypair;
use solana_message::Message;
use solana_signer::Signer;
use solana_transaction::Transaction;

const DELAY: u64 = 1_512_000;
/// What stands before the code in a program's data: state, slot, authority.
const DATA_HEADER: usize = 45;

fn built(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/deploy");
    std::fs::read(format!("{folder}/{name}.so")).expect("a program: `cargo xtask test` builds it")
}

/// A program behind a gate.
struct World {
    svm: LiteSVM,
    payer: Keypair,
    proposer: Keypair,
    guardian: Keypair,
    program: Pubkey,
}

impl World {
    /// A program whose upgrade authority is the proposer, without a gate.
    fn new() -> Self {
        let mut svm = LiteSVM::new().with_blockhash_check(false);
        let [payer, proposer, guardian] = std::array::from_fn(|_| Keypair::new());
        for key in [&payer, &proposer] {
            svm.airdrop(&key.pubkey(), 1 << 40).expect("fees");
        }
        svm.add_program(GATE_ID, &built("ballast_gate"))
            .expect("the gate");
        let program = Pubkey::new_unique();
        svm.add_program(program, &built("probe"))
            .expect("a program");
        let mut world = Self {
            svm,
            payer,
            proposer,
            guardian,
            program,
        };
        let authority = world.proposer.pubkey();
        world.change_data(|data| {
            data[12] = 1;
            data[13..DATA_HEADER].copy_from_slice(authority.as_ref());
        });
        world.svm.warp_to_slot(100);
        world
    }

    /// The same behind a gate.
    fn gated() -> Self {
        let mut world = Self::new();
        let open = world.open(&world.proposer.pubkey(), DELAY);
        let proposer = world.proposer.insecure_clone();
        world.send(open, &[&proposer]).expect("a gate");
        world
    }

    fn open(&self, proposer: &Pubkey, delay: u64) -> Instruction {
        let (payer, guardian) = (self.payer.pubkey(), self.guardian.pubkey());
        gate::open_gate(&self.program, &payer, proposer, &guardian, delay)
    }

    fn send(&mut self, call: Instruction, signers: &[&Keypair]) -> Result<(), InstructionError> {
        self.svm.expire_blockhash();
        let message = Message::new(&[call], Some(&self.payer.pubkey()));
        let signers = [&[&self.payer], signers].concat();
        let transaction = Transaction::new(&signers, message, self.svm.latest_blockhash());
        match self.svm.send_transaction(transaction) {
            Ok(_) => Ok(()),
            Err(failed) => match failed.err {
                solana_transaction_error::TransactionError::InstructionError(_, error) => {
                    Err(error)
                }
                other => panic!("{other:?}"),
            },
        }
    }

    /// Sends a call that the proposer signs.
    fn propose(&mut self, call: Instruction) -> Result<(), InstructionError> {
        let proposer = self.proposer.insecure_clone();
        self.send(call, &[&proposer])
    }

    fn stage(&mut self, change: Change) -> Result<(), InstructionError> {
        let call = gate::stage(&self.program, &self.proposer.pubkey(), change);
        self.propose(call)
    }

    fn execute(&mut self) -> Result<(), InstructionError> {
        let call = gate::execute(&self.gate()).expect("a staged change");
        self.send(call, &[])
    }

    fn cancel(&mut self, signer: &Keypair) -> Result<(), InstructionError> {
        let call = gate::cancel(&self.gate(), &signer.pubkey());
        self.send(call, &[signer])
    }

    fn gate(&self) -> Gate {
        let account = self.svm.get_account(&gate::address(&self.program));
        gate::decode(&account.expect("a gate").data).expect("a gate's bytes")
    }

    fn change_data(&mut self, change: impl FnOnce(&mut [u8])) {
        let address = gate::program_data(&self.program);
        let mut account = self.svm.get_account(&address).expect("the program's data");
        change(&mut account.data);
        self.svm.set_account(address, account).expect("an account");
    }

    fn authority(&self) -> Option<Pubkey> {
        let data = self.svm.get_account(&gate::program_data(&self.program));
        let data = data.expect("the program's data").data;
        let key = Pubkey::try_from(&data[13..DATA_HEADER]).expect("a key");
        (data[12] == 1).then_some(key)
    }

    fn code(&self) -> Vec<u8> {
        let data = self.svm.get_account(&gate::program_data(&self.program));
        data.expect("the program's data")
            .data
            .split_off(DATA_HEADER)
    }

    /// A buffer of the proposer with other code for the program.
    fn buffer(&mut self) -> Pubkey {
        let address = Pubkey::new_unique();
        let mut data = [&[1, 0, 0, 0, 1], self.proposer.pubkey().as_ref()].concat();
        data.extend(Self::new_code());
        let account = Account {
            lamports: 1 << 32,
            data,
            owner: loader::ID,
            ..Account::default()
        };
        self.svm.set_account(address, account).expect("a buffer");
        address
    }

    /// The probe with its last byte, which the loader does not read, changed.
    fn new_code() -> Vec<u8> {
        let mut code = built("probe");
        *code.last_mut().expect("a program") ^= 0x20;
        code
    }
}

fn refused(error: GateError) -> Result<(), InstructionError> {
    Err(InstructionError::Custom(error.number()))
}

#[test]
fn only_the_upgrade_authority_opens_a_gate_and_then_has_it_no_longer() {
    let mut world = World::new();
    let thief = Keypair::new();
    let call = world.open(&thief.pubkey(), DELAY);
    assert_eq!(
        world.send(call, &[&thief]),
        refused(GateError::NotUpgradeAuthority)
    );
    let other_data = {
        let mut call = world.open(&world.proposer.pubkey(), DELAY);
        call.accounts[3].pubkey = gate::program_data(&GATE_ID);
        call
    };
    assert_eq!(world.propose(other_data), refused(GateError::WrongAccount));
    let too_long = world.open(&world.proposer.pubkey(), 6_480_001);
    assert_eq!(world.propose(too_long), refused(GateError::DelayOutOfRange));
    assert_eq!(world.authority(), Some(world.proposer.pubkey()));

    let open = world.open(&world.proposer.pubkey(), DELAY);
    world.propose(open).unwrap();
    assert_eq!(world.authority(), Some(gate::address(&world.program)));
    let buffer = world.buffer();
    let (proposer, program) = (world.proposer.pubkey(), world.program);
    let direct = loader::upgrade(&program, &buffer, &proposer, &proposer);
    let direct = world.propose(direct);
    assert_eq!(direct, Err(InstructionError::IncorrectAuthority));
}

#[test]
fn an_upgrade_waits_in_the_open_with_its_bytes_frozen_and_is_executed_by_anybody() {
    let mut world = World::gated();
    let buffer = world.buffer();
    let proposer = world.proposer.pubkey();
    world.stage(Change::Upgrade(buffer)).unwrap();

    // Its author can neither write nor take back what it has staged.
    let write = loader::write(&buffer, &proposer, 0, vec![0; 64]);
    assert_eq!(
        world.propose(write),
        Err(InstructionError::IncorrectAuthority)
    );
    let close = loader::close(&buffer, &proposer, &proposer);
    assert_eq!(
        world.propose(close),
        Err(InstructionError::IncorrectAuthority)
    );
    let again = world.stage(Change::Upgrade(buffer));
    assert_eq!(again, refused(GateError::ChangePending));

    assert_eq!(world.execute(), refused(GateError::TooEarly));
    world.svm.warp_to_slot(100 + DELAY - 1);
    assert_eq!(world.execute(), refused(GateError::TooEarly));
    assert_eq!(world.code(), built("probe"));

    world.svm.warp_to_slot(100 + DELAY);
    let before = world.svm.get_balance(&proposer).unwrap();
    world.execute().unwrap();
    assert_eq!(world.code(), World::new_code());
    assert_ne!(world.code(), built("probe"));
    assert!(world.svm.get_balance(&proposer).unwrap() > before);
    assert_eq!(world.gate().pending(), None);
    assert_eq!(world.authority(), Some(gate::address(&world.program)));
}

#[test]
fn a_foreign_buffer_program_or_receiver_is_refused() {
    let mut world = World::gated();
    let buffer = world.buffer();
    let thief = Keypair::new();
    let call = gate::stage(&world.program, &thief.pubkey(), Change::Upgrade(buffer));
    assert_eq!(world.send(call, &[&thief]), refused(GateError::NotProposer));
    let data = gate::program_data(&world.program);
    for not_a_buffer in [data, world.program, thief.pubkey()] {
        let staged = world.stage(Change::Upgrade(not_a_buffer));
        assert!(staged.is_err(), "{not_a_buffer}");
    }
    let mut other = gate::stage(
        &world.program,
        &world.proposer.pubkey(),
        Change::Upgrade(buffer),
    );
    other.accounts[2].pubkey = world.buffer();
    assert_eq!(world.propose(other), refused(GateError::WrongAccount));

    world.stage(Change::Upgrade(buffer)).unwrap();
    world.svm.warp_to_slot(100 + DELAY);
    let honest = gate::execute(&world.gate()).unwrap();
    let second = world.buffer();
    for (index, key) in [(1, GATE_ID), (3, second), (4, thief.pubkey())] {
        let mut forged = honest.clone();
        forged.accounts[index].pubkey = key;
        let outcome = world.send(forged, &[]);
        assert_eq!(outcome, refused(GateError::WrongAccount), "{index}");
    }
    let change = {
        let mut gate = world.gate();
        gate.kind = 2;
        gate::execute(&gate).unwrap()
    };
    assert_eq!(world.send(change, &[]), refused(GateError::WrongChange));
    assert_eq!(world.code(), built("probe"));
    world.send(honest, &[]).unwrap();
}

#[test]
fn the_guardian_cancels_and_the_buffer_goes_back() {
    let mut world = World::gated();
    let buffer = world.buffer();
    world.stage(Change::Upgrade(buffer)).unwrap();
    let (guardian, thief) = (world.guardian.insecure_clone(), Keypair::new());
    let stranger = world.cancel(&thief);
    assert_eq!(stranger, refused(GateError::NotProposerOrGuardian));
    let mut elsewhere = gate::cancel(&world.gate(), &guardian.pubkey());
    elsewhere.accounts[3].pubkey = guardian.pubkey();
    let elsewhere = world.send(elsewhere, &[&guardian]);
    assert_eq!(elsewhere, refused(GateError::WrongAccount));
    world.cancel(&guardian).unwrap();
    assert_eq!(world.gate().pending(), None);
    let write = loader::write(&buffer, &world.proposer.pubkey(), 0, vec![0; 64]);
    world.propose(write).unwrap();

    let successor = Change::Guardian(thief.pubkey());
    world.stage(successor).unwrap();
    let own = world.cancel(&guardian);
    assert_eq!(own, refused(GateError::NotProposerOrGuardian));
    world.svm.warp_to_slot(100 + 2 * DELAY - 1);
    assert_eq!(world.execute(), refused(GateError::TooEarly));
    world.svm.warp_to_slot(100 + 2 * DELAY);
    world.execute().unwrap();
    assert_eq!(world.gate().guardian, thief.pubkey());
}

#[test]
fn a_change_that_nobody_executes_expires() {
    let mut world = World::gated();
    world.stage(Change::Proposer(Pubkey::new_unique())).unwrap();
    world.svm.warp_to_slot(100 + DELAY + GATE_WINDOW_SLOTS + 1);
    assert_eq!(world.execute(), refused(GateError::Expired));
    let proposer = world.proposer.insecure_clone();
    world.cancel(&proposer).unwrap();
    assert_eq!(world.gate().proposer, proposer.pubkey());
}

#[test]
fn the_end_of_upgrades_is_for_good() {
    let mut world = World::gated();
    world.stage(Change::Final).unwrap();
    world.svm.warp_to_slot(100 + DELAY);
    world.execute().unwrap();
    assert_eq!(world.authority(), None);
    let buffer = world.buffer();
    world.stage(Change::Upgrade(buffer)).unwrap();
    world.svm.warp_to_slot(100 + 2 * DELAY);
    assert_eq!(world.execute(), Err(InstructionError::Immutable));
    assert_eq!(world.code(), built("probe"));
}

#[test]
fn the_delay_rises_and_never_falls() {
    let mut world = World::gated();
    let proposer = world.proposer.pubkey();
    let raise = |slots| gate::raise_delay(&world.program, &proposer, slots);
    let (lower, higher) = (raise(DELAY - 1), raise(DELAY + 1));
    assert_eq!(world.propose(lower), refused(GateError::DelayOutOfRange));
    world.propose(higher).unwrap();
    assert_eq!(world.gate().delay_slots, DELAY + 1);
}
