//! The embedded cluster: accounts, clock, wallets and transactions.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ballast_state::Pubkey;
use litesvm::LiteSVM;
use solana_account::Account;
use solana_address_lookup_table_interface::state::{AddressLookupTable, LookupTableMeta};
use solana_clock::Clock;
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::{v0, AddressLookupTableAccount, VersionedMessage};
use solana_signer::Signer;
use solana_slot_hashes::SlotHashes;
use solana_transaction::versioned::VersionedTransaction;

use crate::config::Options;
use crate::footprint::Footprint;
use crate::journal::Executed;
use crate::mint::MintKind;
use crate::outcome::{TxError, TxOutcome, TxResult};

/// Compute units requested for every transaction: the most Solana grants.
pub const COMPUTE_UNIT_LIMIT: u32 = 1_400_000;

/// Milliseconds a slot lasts in the sandbox.
pub const SLOT_MILLIS: u64 = 400;

/// Environment variable that holds the path of the built program.
pub const PROGRAM_PATH_VARIABLE: &str = "BALLAST_SO";

/// Why a sandbox could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// No built program was found.
    #[error(
        "the built program was not found at {0}: run `cargo xtask build`, \
         or name the file in {PROGRAM_PATH_VARIABLE}"
    )]
    ProgramMissing(PathBuf),
    /// The file is not a program that the virtual machine accepts.
    #[error("the virtual machine rejects {path}: {reason}")]
    ProgramRejected {
        /// The file that was loaded.
        path: PathBuf,
        /// The loader's reason.
        reason: String,
    },
    /// A transaction of the set-up failed.
    #[error("setting up the exchange failed: {0}")]
    Transaction(#[from] TxError),
}

/// An embedded exchange. Every state change of the program goes through a
/// signed transaction executed by the virtual machine; the sandbox itself
/// writes only the clock, lamport balances, Pyth price accounts and lookup
/// tables. Addresses are deterministic: the same calls in the same order give
/// the same addresses.
pub struct Sandbox {
    svm: LiteSVM,
    payer: Keypair,
    keypairs: u64,
    millis: u64,
    mint: Pubkey,
    mint_kind: MintKind,
    pub(crate) admin: Keypair,
    pub(crate) traders: Vec<Pubkey>,
    pub(crate) markets: Vec<crate::cookie::MarketCookie>,
    pub(crate) journal: Option<Vec<Executed>>,
}

/// Where `cargo xtask build` leaves the program, below the root of the checkout.
const BUILT_PROGRAM: &str = "target/deploy/ballast.so";

/// The built program: `BALLAST_SO` if set, otherwise the nearest `target/deploy/ballast.so` of the
/// current directory and the folders above it.
pub fn default_program_path() -> PathBuf {
    if let Some(path) = std::env::var_os(PROGRAM_PATH_VARIABLE) {
        return path.into();
    }
    let here = std::env::current_dir().unwrap_or_default();
    let mut built = here.ancestors().map(|folder| folder.join(BUILT_PROGRAM));
    built
        .find(|file| file.is_file())
        .unwrap_or_else(|| BUILT_PROGRAM.into())
}

impl Sandbox {
    /// A cluster with the program loaded at its id, a funded payer and the
    /// collateral mint, but no exchange yet.
    pub fn empty(options: &Options) -> Result<Self, SetupError> {
        let path = options.program.clone().unwrap_or_else(default_program_path);
        let program = std::fs::read(&path).map_err(|_| SetupError::ProgramMissing(path.clone()))?;
        let mut svm = LiteSVM::new()
            .with_transaction_history(0)
            .with_log_bytes_limit(Some(100_000));
        svm.add_program(ballast_state::ID, &program)
            .map_err(|reason| SetupError::ProgramRejected {
                path,
                reason: reason.to_string(),
            })?;
        let mut sandbox = Self {
            svm,
            payer: keypair(0),
            keypairs: 1,
            millis: 0,
            mint: Pubkey::default(),
            mint_kind: options.mint,
            admin: keypair(1),
            traders: Vec::new(),
            markets: Vec::new(),
            journal: None,
        };
        sandbox.keypairs = 2;
        sandbox.set_clock(options.start_slot, options.start_time);
        sandbox.fund(&sandbox.payer(), 1_000_000_000_000_000);
        sandbox.fund(&sandbox.admin(), 1_000_000_000_000);
        sandbox.mint = sandbox.create_mint(options.mint)?;
        Ok(sandbox)
    }

    /// The account that pays fees and rent, and the mint authority.
    pub fn payer(&self) -> Pubkey {
        self.payer.pubkey()
    }

    /// The payer's key, which also signs for the mint.
    pub fn payer_keypair(&self) -> Keypair {
        self.payer.insecure_clone()
    }

    /// The exchange's administrator, who also holds the risk and pause roles
    /// until they are handed over.
    pub fn admin(&self) -> Pubkey {
        self.admin.pubkey()
    }

    /// The administrator's key, to sign hand-built transactions.
    pub fn admin_keypair(&self) -> Keypair {
        self.admin.insecure_clone()
    }

    /// The collateral mint.
    pub fn mint(&self) -> Pubkey {
        self.mint
    }

    /// The token program that owns the collateral mint.
    pub fn token_program(&self) -> Pubkey {
        self.mint_kind.token_program()
    }

    /// A fresh key. The n-th call always gives the same key.
    pub fn next_keypair(&mut self) -> Keypair {
        let next = keypair(self.keypairs);
        self.keypairs += 1;
        next
    }

    /// A fresh key with 10 SOL.
    pub fn funded_keypair(&mut self) -> Keypair {
        let next = self.next_keypair();
        self.fund(&next.pubkey(), 10_000_000_000);
        next
    }

    /// Gives an address a lamport balance, keeping what else it holds.
    pub fn fund(&mut self, address: &Pubkey, lamports: u64) {
        let account = Account {
            lamports,
            ..self.account(address).unwrap_or_default()
        };
        self.set_account(address, account);
    }

    /// Lamports that make an account of `space` bytes rent exempt.
    pub fn rent(&self, space: usize) -> u64 {
        self.svm.minimum_balance_for_rent_exemption(space)
    }

    /// The account at an address.
    pub fn account(&self, address: &Pubkey) -> Option<Account> {
        self.svm.get_account(address)
    }

    /// All accounts a program owns, by address.
    pub fn accounts_of(&self, program: &Pubkey) -> BTreeMap<Pubkey, Account> {
        self.svm.get_program_accounts(program).into_iter().collect()
    }

    /// An independent copy: what happens to one does not happen to the other. It keeps no journal.
    pub fn fork(&self) -> Self {
        Self {
            svm: self.svm.clone(),
            payer: self.payer.insecure_clone(),
            admin: self.admin.insecure_clone(),
            traders: self.traders.clone(),
            markets: self.markets.clone(),
            journal: None,
            ..*self
        }
    }

    /// Overwrites an account, bypassing every program: for foreign programs'
    /// accounts and for tests of what a program must refuse.
    pub fn set_account(&mut self, address: &Pubkey, account: Account) {
        self.svm
            .set_account(*address, account)
            .expect("sysvar and program accounts are not overwritten");
    }

    /// Counts trader accounts and a market that another exchange wrote, and that
    /// [`Sandbox::set_account`] has put here, among its own.
    pub fn adopt(&mut self, market: crate::cookie::MarketCookie, traders: &[Pubkey]) {
        self.markets.push(market);
        self.traders.extend(traders);
    }

    /// The virtual machine itself.
    pub fn svm(&mut self) -> &mut LiteSVM {
        &mut self.svm
    }

    /// Current slot.
    pub fn slot(&self) -> u64 {
        self.svm.get_sysvar::<Clock>().slot
    }

    /// Current unix time in seconds.
    pub fn time(&self) -> i64 {
        self.svm.get_sysvar::<Clock>().unix_timestamp
    }

    /// Sets slot and unix time (seconds).
    pub fn set_clock(&mut self, slot: u64, unix_timestamp: i64) {
        let mut clock = self.svm.get_sysvar::<Clock>();
        clock.slot = slot;
        clock.unix_timestamp = unix_timestamp;
        self.millis = 0;
        self.svm.set_sysvar(&clock);
        self.svm.expire_blockhash();
        // As on a cluster, where it is the hash of the slot before.
        let newest = (slot.saturating_sub(1), self.svm.latest_blockhash());
        self.svm.set_sysvar(&SlotHashes::new(&[newest]));
    }

    /// Moves the clock forward by a number of slots of [`SLOT_MILLIS`] each.
    pub fn advance_slots(&mut self, slots: u64) {
        let millis = self.millis + slots * SLOT_MILLIS;
        let seconds = i64::try_from(millis / 1000).unwrap_or(i64::MAX);
        self.set_clock(self.slot() + slots, self.time() + seconds);
        self.millis = millis % 1000;
    }

    /// Moves the clock forward by whole seconds, and by the slots they hold.
    pub fn advance_seconds(&mut self, seconds: u64) {
        self.advance_slots(seconds * 1000 / SLOT_MILLIS);
    }

    /// Signs and executes one transaction, paid by the sandbox's payer and with
    /// the largest compute limit.
    ///
    /// # Panics
    /// If a signer that the instructions name is not among `signers`. To test a
    /// missing signature, clear the account's `is_signer`.
    pub fn send(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> TxResult {
        self.send_with_tables(instructions, signers, &[])
    }

    /// Like [`Sandbox::send`], with address lookup tables: needed when the
    /// accounts would not fit the 1,232 bytes of a transaction.
    pub fn send_with_tables(
        &mut self,
        instructions: &[Instruction],
        signers: &[&Keypair],
        tables: &[AddressLookupTableAccount],
    ) -> TxResult {
        let transaction = self.transaction(instructions, signers, tables);
        let footprint = self.footprint(&transaction, tables);
        let meta = self.execute(transaction).map_err(|failed| *failed)?;
        Ok(TxOutcome::from(meta).with_footprint(footprint))
    }

    /// Executes a transaction like [`Sandbox::send_with_tables`] and throws its
    /// effects away.
    pub fn simulate(
        &self,
        instructions: &[Instruction],
        signers: &[&Keypair],
        tables: &[AddressLookupTableAccount],
    ) -> TxResult {
        let transaction = self.transaction(instructions, signers, tables);
        let footprint = self.footprint(&transaction, tables);
        let simulated = self.svm.simulate_transaction(transaction)?;
        Ok(TxOutcome::from(simulated.meta).with_footprint(footprint))
    }

    fn footprint(
        &self,
        transaction: &VersionedTransaction,
        tables: &[AddressLookupTableAccount],
    ) -> Footprint {
        let lookups = transaction.message.address_table_lookups();
        let listed: Vec<Pubkey> = lookups
            .unwrap_or_default()
            .iter()
            .filter_map(|lookup| {
                let table = tables
                    .iter()
                    .find(|table| table.key == lookup.account_key)?;
                let places = lookup
                    .writable_indexes
                    .iter()
                    .chain(&lookup.readonly_indexes);
                Some(places.filter_map(|place| table.addresses.get(usize::from(*place)).copied()))
            })
            .flatten()
            .collect();
        let accounts = self.svm.accounts_db();
        Footprint::of(&transaction.message, &listed, |key| {
            accounts.get_account_ref(key)
        })
    }

    fn transaction(
        &self,
        instructions: &[Instruction],
        signers: &[&Keypair],
        tables: &[AddressLookupTableAccount],
    ) -> VersionedTransaction {
        let mut all = vec![ComputeBudgetInstruction::set_compute_unit_limit(
            COMPUTE_UNIT_LIMIT,
        )];
        all.extend_from_slice(instructions);
        let mut signing: Vec<&Keypair> = vec![&self.payer];
        for signer in signers {
            if signing
                .iter()
                .all(|known| known.pubkey() != signer.pubkey())
            {
                signing.push(signer);
            }
        }
        let message =
            v0::Message::try_compile(&self.payer(), &all, tables, self.svm.latest_blockhash())
                .expect("a sandbox transaction names at most 256 accounts");
        VersionedTransaction::try_new(VersionedMessage::V0(message), &signing)
            .expect("every signer the instructions name has signed")
    }

    /// Stores an address lookup table that holds `addresses` (at most 256) and
    /// may be used at once.
    pub fn create_lookup_table(&mut self, addresses: &[Pubkey]) -> AddressLookupTableAccount {
        let key = self.next_keypair().pubkey();
        let table = AddressLookupTable {
            meta: LookupTableMeta::new(self.payer()),
            addresses: addresses.into(),
        };
        let data = table
            .serialize_for_tests()
            .expect("a lookup table of at most 256 addresses");
        let account = Account {
            lamports: self.rent(data.len()),
            data,
            owner: solana_address_lookup_table_interface::program::ID,
            executable: false,
            rent_epoch: u64::MAX,
        };
        self.set_account(&key, account);
        AddressLookupTableAccount {
            key,
            addresses: addresses.to_vec(),
        }
    }
}

/// The n-th deterministic key.
fn keypair(n: u64) -> Keypair {
    let mut seed = *b"ballast sandbox keypair ________";
    seed[24..].copy_from_slice(&n.to_le_bytes());
    Keypair::new_from_array(seed)
}
