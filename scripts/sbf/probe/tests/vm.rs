//! 128-bit arithmetic gives the same results in the VM as on the host.

use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use litesvm::LiteSVM;
use solana_keypair::Keypair;
use solana_message::Message;
use solana_signer::Signer;
use solana_transaction::Transaction;

/// Where `cargo xtask test` builds the program.
const PROGRAM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../target/deploy/probe.so"
);

struct Vm {
    svm: LiteSVM,
    program: Pubkey,
    payer: Keypair,
}

impl Vm {
    fn new() -> Self {
        let code = std::fs::read(PROGRAM).expect("the program: `cargo xtask test` builds it");
        let mut svm = LiteSVM::new()
            .with_sigverify(false)
            .with_blockhash_check(false)
            .with_transaction_history(0);
        let program = Pubkey::new_from_array([7; 32]);
        svm.add_program(program, &code).expect("a loadable program");
        let payer = Keypair::new();
        svm.airdrop(&payer.pubkey(), 1 << 40).expect("fees");
        Self {
            svm,
            program,
            payer,
        }
    }

    fn apply(&mut self, operation: u8, a: u128, b: u128) -> u128 {
        let mut data = vec![operation];
        data.extend(a.to_le_bytes());
        data.extend(b.to_le_bytes());
        let instruction = Instruction {
            program_id: self.program,
            accounts: Vec::new(),
            data,
        };
        let message = Message::new(&[instruction], Some(&self.payer.pubkey()));
        let blockhash = self.svm.latest_blockhash();
        let transaction = Transaction::new(&[&self.payer], message, blockhash);
        let done = self
            .svm
            .send_transaction(transaction)
            .unwrap_or_else(|failed| panic!("operation {operation}, {a:#x}, {b:#x}: {failed:?}"));
        // The runtime drops zeros at the end of return data.
        let mut bytes = done.return_data.data;
        bytes.resize(16, 0);
        u128::from_le_bytes(bytes.try_into().expect("sixteen bytes"))
    }
}

/// Small numbers, the neighbours of the powers of two where words and half words end, and a few
/// values of every length.
fn values() -> Vec<u128> {
    let mut values = vec![0, 1, 2, 3, 10, u128::MAX, u128::MAX - 1];
    for bit in [31, 32, 63, 64, 95, 96, 126, 127] {
        let power = 1_u128 << bit;
        values.extend([power - 1, power, power + 1, power.wrapping_neg()]);
    }
    let mut value = 1_u128;
    for round in 0..12 {
        value = value
            .wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645)
            .wrapping_add(0x5851_f42d_4c95_7f2d_1405_7b7e_f767_814f);
        values.push(value >> (round * 10));
    }
    values
}

#[test]
fn the_vm_agrees_with_the_host() {
    let mut vm = Vm::new();
    let values = values();
    for operation in 0..probe::OPERATIONS {
        for &a in &values {
            for &b in &values {
                assert_eq!(
                    vm.apply(operation, a, b),
                    probe::apply(operation, a, b),
                    "operation {operation}, {a:#x}, {b:#x}"
                );
            }
        }
    }
}
