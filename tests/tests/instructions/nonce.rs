//! Transactions with a durable nonce, which authorities may not send. The nonces are real: without
//! one that has been advanced, the runtime takes none of these transactions.

use anchor_lang::solana_program::instruction::{AccountMeta, Instruction};
use ballast_client::instructions::admin;
use ballast_sandbox::{Sandbox, TxError, TxOutcome, TxResult};
use ballast_state::error::BallastError;
use ballast_state::exchange::Delays;
use ballast_state::seeds::INSTRUCTIONS_SYSVAR;
use ballast_state::staged::Change;
use ballast_state::Pubkey;
use solana_account::Account;
use solana_keypair::Keypair;
use solana_message::{v0, Hash, VersionedMessage};
use solana_program_runtime::declare_process_instruction;
use solana_program_runtime::solana_sbpf::program::BuiltinFunctionDefinition;
use solana_signer::Signer;
use solana_system_interface::instruction::{advance_nonce_account, create_nonce_account, transfer};
use solana_transaction::versioned::VersionedTransaction;

use crate::every_call::{genesis, world, Call};
use crate::every_fund_call::funds;
use crate::support::{copy_of, done, refused, replaced, Venue};

/// A nonce account, and who may use it.
pub struct Nonce {
    pub address: Pubkey,
    pub authority: Keypair,
}

impl Nonce {
    pub fn new(sandbox: &mut Sandbox) -> Self {
        let (account, authority) = (sandbox.next_keypair(), sandbox.funded_keypair());
        let lamports = sandbox.rent(80);
        let (payer, address) = (sandbox.payer(), account.pubkey());
        let create = create_nonce_account(&payer, &address, &authority.pubkey(), lamports);
        done(sandbox.send(&create, &[&account]));
        // A nonce serves from the next block on.
        sandbox.advance_slots(1);
        Self { address, authority }
    }

    /// The instruction with which a transaction of this nonce begins.
    pub fn advance(&self) -> Instruction {
        advance_nonce_account(&self.address, &self.authority.pubkey())
    }

    /// What stands for a recent blockhash in a transaction of this nonce: it follows the version and
    /// the state, four bytes each, and the authority.
    fn hash(&self, sandbox: &Sandbox) -> Hash {
        let data = sandbox.account(&self.address).unwrap().data;
        Hash::new_from_array(data[40..72].try_into().unwrap())
    }

    /// Signs these instructions, as they are, to be sent at any time.
    pub fn sign(
        &self,
        sandbox: &Sandbox,
        instructions: &[Instruction],
        signers: &[&Keypair],
    ) -> VersionedTransaction {
        let hash = self.hash(sandbox);
        signed(&self.authority, instructions, signers, hash)
    }
}

/// A transaction that `payer` pays, signed by those of the others who have to.
fn signed(
    payer: &Keypair,
    instructions: &[Instruction],
    signers: &[&Keypair],
    hash: Hash,
) -> VersionedTransaction {
    let message = v0::Message::try_compile(&payer.pubkey(), instructions, &[], hash).unwrap();
    let required = usize::from(message.header.num_required_signatures);
    let must = &message.account_keys[1..required];
    let mut all = vec![payer];
    all.extend(signers.iter().filter(|key| must.contains(&key.pubkey())));
    VersionedTransaction::try_new(VersionedMessage::V0(message), &all).unwrap()
}

/// Executes a transaction as it is.
pub fn execute(sandbox: &mut Sandbox, transaction: VersionedTransaction) -> TxResult {
    match sandbox.svm().send_transaction(transaction) {
        Ok(done) => Ok(TxOutcome::from(done)),
        Err(failed) => Err(TxError::from(failed)),
    }
}

/// Fails unless the program refuses it for its nonce.
#[track_caller]
fn refused_for_its_nonce(sandbox: &mut Sandbox, transaction: VersionedTransaction) {
    let error = execute(sandbox, transaction).unwrap_err();
    assert!(error.is("DurableNonce"), "{error}");
}

/// Of every call that an authority signs, whether a transaction with a nonce may carry it.
const SIGNED_BY_AUTHORITIES: [(&str, bool); 10] = [
    ("initialize_exchange", false),
    ("set_pause", false),
    ("set_reduce_only", false),
    ("raise_delays", false),
    ("stage_change", false),
    ("accept_authority", false),
    ("create_market", false),
    ("create_pool", false),
    ("stop_pool", false),
    // Its id says that it was signed after the change was staged.
    ("cancel_staged", true),
];

fn nonced(call: &Call, nonce: &Nonce, sandbox: &Sandbox) -> VersionedTransaction {
    let all = [nonce.advance(), call.instruction.clone()];
    nonce.sign(sandbox, &all, &call.signers())
}

#[test]
fn no_instruction_of_an_authority_is_kept_by_a_nonce() {
    let mut tried = 0;
    for mut world in [genesis(), world(), funds()] {
        let nonce = Nonce::new(&mut world.sandbox);
        for call in &world.calls {
            let listed = SIGNED_BY_AUTHORITIES
                .iter()
                .find(|(name, _)| *name == call.name);
            let Some((_, allowed)) = listed else {
                continue;
            };
            let mut fork = world.sandbox.fork();
            let transaction = nonced(call, &nonce, &fork);
            if *allowed {
                done(execute(&mut fork, transaction));
            } else {
                refused_for_its_nonce(&mut fork, transaction);
            }
            tried += 1;
        }
    }
    assert_eq!(tried, SIGNED_BY_AUTHORITIES.len());
}

/// A venue, a nonce, and an instruction of the admin.
fn staging() -> (Sandbox, Nonce, Keypair, Instruction) {
    let mut sandbox = Venue::new().sandbox;
    let (nonce, admin) = (Nonce::new(&mut sandbox), sandbox.admin_keypair());
    let stage = admin::StageChange {
        authority: admin.pubkey(),
        payer: admin.pubkey(),
        market: None,
        change: Change::Delays(Delays::DEFAULT),
    };
    (sandbox, nonce, admin, stage.instruction())
}

#[test]
pub fn a_transaction_kept_by_a_nonce_is_refused() {
    let (mut sandbox, nonce, admin, stage) = staging();
    let kept = nonce.sign(&sandbox, &[nonce.advance(), stage.clone()], &[&admin]);
    // Days later it is still one that the runtime takes.
    sandbox.advance_slots(1_000_000);
    refused_for_its_nonce(&mut sandbox.fork(), kept);
    // Bytes after the number change nothing for the runtime, nor here.
    let mut trailing = nonce.advance();
    trailing.data.extend([1, 2, 3]);
    let kept = nonce.sign(&sandbox, &[trailing, stage.clone()], &[&admin]);
    refused_for_its_nonce(&mut sandbox.fork(), kept);
    // Nor other instructions between the two.
    let between = transfer(&nonce.authority.pubkey(), &admin.pubkey(), 5);
    let kept = nonce.sign(
        &sandbox,
        &[nonce.advance(), between, stage.clone()],
        &[&admin],
    );
    refused_for_its_nonce(&mut sandbox.fork(), kept);
    let advance = nonce.advance();
    let same_as_with_a_recent_hash = [advance, stage];
    refused(&mut sandbox, BallastError::DurableNonce, |s| {
        let hash = s.svm().latest_blockhash();
        let (payer, all) = (&admin, &same_as_with_a_recent_hash);
        let sent = execute(s, signed(payer, all, &[&nonce.authority], hash));
        // The fee is paid all the same.
        s.fund(&admin.pubkey(), 1_000_000_000_000);
        sent
    });
}

#[test]
fn a_nonce_elsewhere_in_the_transaction_is_no_durable_nonce() {
    let (sandbox, nonce, admin, stage) = staging();
    let send = |instructions: &[Instruction]| {
        let mut fork = sandbox.fork();
        let hash = fork.svm().latest_blockhash();
        let transaction = signed(&admin, instructions, &[&nonce.authority], hash);
        execute(&mut fork, transaction)
    };
    // Its recent blockhash is one.
    let other = transfer(&admin.pubkey(), &nonce.authority.pubkey(), 5);
    done(send(&[stage.clone(), nonce.advance()]));
    done(send(&[other.clone(), nonce.advance(), stage.clone()]));
    done(send(&[other.clone(), stage.clone()]));
    // The runtime does not take such a one for a durable nonce either.
    let mut fork = sandbox.fork();
    let kept = nonce.sign(&fork, &[other, nonce.advance(), stage], &[&admin]);
    let error = execute(&mut fork, kept).unwrap_err();
    assert_eq!(error.number, None, "{error}");
}

#[test]
pub fn a_forged_sysvar_hides_no_nonce() {
    let (mut sandbox, nonce, admin, stage) = staging();
    // A copy of what the sysvar says in another transaction.
    let forged = Pubkey::new_unique();
    let account = Account {
        lamports: 1_000_000_000,
        data: vec![0; 200],
        owner: Pubkey::default(),
        executable: false,
        rent_epoch: u64::MAX,
    };
    sandbox.set_account(&forged, account);
    let exchange = copy_of(&mut sandbox, &ballast_client::addresses::exchange());
    for stand_in in [forged, exchange, ballast_state::ID, sandbox.mint()] {
        refused(&mut sandbox, BallastError::WrongInstructionsSysvar, |s| {
            replaced(s, stage.clone(), &INSTRUCTIONS_SYSVAR, stand_in, &[&admin])
        });
        let mut hiding = stage.clone();
        for meta in &mut hiding.accounts {
            if meta.pubkey == INSTRUCTIONS_SYSVAR {
                meta.pubkey = stand_in;
            }
        }
        let kept = nonce.sign(&sandbox, &[nonce.advance(), hiding], &[&admin]);
        let error = execute(&mut sandbox.fork(), kept).unwrap_err();
        assert!(error.is("WrongInstructionsSysvar"), "{error}");
    }
}

declare_process_instruction!(Caller, 1, |invoke_context| {
    let context = &invoke_context.transaction_context;
    let context = context.get_current_instruction_context()?;
    let mut accounts = Vec::new();
    for index in 1..context.get_number_of_instruction_accounts() {
        accounts.push(AccountMeta {
            pubkey: *context.get_key_of_instruction_account(index)?,
            is_signer: context.is_instruction_account_signer(index)?,
            is_writable: context.is_instruction_account_writable(index)?,
        });
    }
    let called = Instruction {
        program_id: *context.get_key_of_instruction_account(0)?,
        accounts,
        data: context.get_instruction_data().to_vec(),
    };
    invoke_context.native_invoke_signed(called, &[])
});

/// A program that hands on what it is told to, with the signatures it got.
const CALLER: Pubkey = Pubkey::new_from_array([77; 32]);

fn through_the_caller(called: &Instruction) -> Instruction {
    let program = AccountMeta::new_readonly(called.program_id, false);
    Instruction {
        program_id: CALLER,
        accounts: [&[program], &called.accounts[..]].concat(),
        data: called.data.clone(),
    }
}

#[test]
fn a_program_that_calls_hides_no_nonce() {
    let (mut sandbox, nonce, admin, stage) = staging();
    sandbox.svm().add_builtin(CALLER, Caller::register);
    let called = through_the_caller(&stage);
    let kept = nonce.sign(&sandbox, &[nonce.advance(), called.clone()], &[&admin]);
    refused_for_its_nonce(&mut sandbox.fork(), kept);
    let hash = sandbox.svm().latest_blockhash();
    done(execute(&mut sandbox, signed(&admin, &[called], &[], hash)));
}
