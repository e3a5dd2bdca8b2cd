//! The exchange as a chain: slots, blockhashes, history, and who is told of changes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use ballast_sandbox::world::SLOT_MILLIS;
use ballast_sandbox::Sandbox;
use ballast_state::Pubkey;
use litesvm::LiteSVM;
use solana_account::AccountSharedData;
use solana_hash::Hash;
use solana_slot_hashes::{SlotHashes, MAX_ENTRIES};
use tokio::sync::broadcast;

use crate::history::{History, Record};

/// Slots for which a blockhash counts.
pub const BLOCKHASH_SLOTS: u64 = 150;
/// Slots whose time is remembered.
const TIMES: usize = 10_000;
/// News that a slow listener may fall behind.
const NEWS: usize = 4_096;

/// Something that happened.
#[derive(Clone)]
pub enum News {
    /// A slot began.
    Slot {
        /// Which.
        slot: u64,
        /// The one before.
        parent: u64,
    },
    /// Accounts are no longer what they were.
    Accounts {
        /// In which slot.
        slot: u64,
        /// What they are now; without lamports when they are gone.
        changed: Arc<[(Pubkey, AccountSharedData)]>,
    },
    /// A transaction landed.
    Transaction(Arc<Record>),
}

/// The exchange as a chain.
pub struct Chain {
    sandbox: Sandbox,
    /// Blockhashes with the slots in which they were the latest, in order.
    recent: VecDeque<(Hash, u64)>,
    slot_hashes: VecDeque<(u64, Hash)>,
    times: BTreeMap<u64, i64>,
    genesis: Hash,
    /// Transactions that landed.
    pub history: History,
    news: broadcast::Sender<News>,
}

impl Chain {
    /// Of an exchange. Signatures and blockhashes are checked here from now on, since more than the
    /// latest blockhash counts.
    pub fn new(mut sandbox: Sandbox) -> Self {
        let vm = sandbox.svm();
        *vm = std::mem::take(vm)
            .with_sigverify(false)
            .with_blockhash_check(false);
        sandbox.keep_journal();
        let (slot, time) = (sandbox.slot(), sandbox.time());
        let latest = sandbox.svm().latest_blockhash();
        let mut chain = Self {
            sandbox,
            recent: VecDeque::from([(latest, slot)]),
            slot_hashes: VecDeque::new(),
            times: BTreeMap::from([(slot, time)]),
            genesis: latest,
            history: History::default(),
            news: broadcast::Sender::new(NEWS),
        };
        chain.remember_slot_hash();
        chain
    }

    /// Hears what happens from now on.
    pub fn listen(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }

    /// The slot it is in.
    pub fn slot(&self) -> u64 {
        self.sandbox.slot()
    }

    /// The newest slot that nothing can change.
    pub fn root(&self) -> u64 {
        self.slot().saturating_sub(1)
    }

    /// A hash that no other chain has.
    pub const fn genesis(&self) -> Hash {
        self.genesis
    }

    /// The exchange, to read.
    pub const fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// The virtual machine, to read and to simulate.
    pub fn vm(&mut self) -> &LiteSVM {
        self.sandbox.svm()
    }

    /// When a slot was, unix seconds, where it is known.
    pub fn time_of(&self, slot: u64) -> Option<i64> {
        self.times.get(&slot).copied()
    }

    /// The latest blockhash and the last slot in which it counts.
    pub fn blockhash(&self) -> (Hash, u64) {
        let (hash, slot) = self.recent.back().copied().unwrap_or_default();
        (hash, slot + BLOCKHASH_SLOTS)
    }

    /// Whether a blockhash counts.
    pub fn is_recent(&self, blockhash: &Hash) -> bool {
        self.recent.iter().rev().any(|(hash, _)| hash == blockhash)
    }

    /// Does something to the exchange; whoever listens is told what came of it.
    pub fn change<T>(&mut self, work: impl FnOnce(&mut Sandbox) -> T) -> T {
        let (parent, accounts) = (self.slot(), self.sandbox.svm().accounts_db().inner.clone());
        let result = work(&mut self.sandbox);
        if self.slot() != parent {
            self.enter_slot(parent);
        }
        let slot = self.slot();
        let latest = self.sandbox.svm().latest_blockhash();
        if self.recent.back().is_none_or(|(hash, _)| *hash != latest) {
            self.recent.push_back((latest, slot));
        }
        let now = &self.sandbox.svm().accounts_db().inner;
        let mut changed: Vec<(Pubkey, AccountSharedData)> = now
            .iter()
            .filter(|(address, account)| accounts.get(*address) != Some(*account))
            .map(|(address, account)| (*address, account.clone()))
            .collect();
        let gone = accounts
            .keys()
            .filter(|address| !now.contains_key(*address));
        changed.extend(gone.map(|address| (*address, AccountSharedData::default())));
        for executed in self.sandbox.take_journal() {
            if executed.is_in_a_block() {
                let record = Arc::new(Record::of(executed));
                self.history.add(record.clone());
                self.tell(News::Transaction(record));
            }
        }
        if !changed.is_empty() {
            let changed = changed.into();
            self.tell(News::Accounts { slot, changed });
        }
        result
    }

    fn enter_slot(&mut self, parent: u64) {
        let slot = self.slot();
        self.times.insert(slot, self.sandbox.time());
        while self.times.len() > TIMES {
            self.times.pop_first();
        }
        while let Some((_, issued)) = self.recent.front() {
            if issued + BLOCKHASH_SLOTS >= slot {
                break;
            }
            self.recent.pop_front();
        }
        self.remember_slot_hash();
        self.tell(News::Slot { slot, parent });
    }

    /// The sandbox knows the hash of the slot before only; a cluster knows those of 512.
    fn remember_slot_hash(&mut self) {
        let before = self.slot().saturating_sub(1);
        let vm = self.sandbox.svm();
        self.slot_hashes.push_front((before, vm.latest_blockhash()));
        self.slot_hashes.truncate(MAX_ENTRIES);
        let all: Vec<(u64, Hash)> = self.slot_hashes.iter().copied().collect();
        vm.set_sysvar(&SlotHashes::new(&all));
    }

    /// Begins the next slot; its time is `time`, unix seconds, or that of the slot before if that is
    /// later.
    pub fn tick(&mut self, time: i64) {
        let (slot, time) = (self.slot() + 1, time.max(self.sandbox.time()));
        self.change(|sandbox| sandbox.set_clock(slot, time));
    }

    /// Lets whole seconds pass, and the slots they hold.
    pub fn pass(&mut self, seconds: u64) {
        self.change(|sandbox| {
            let slots = seconds * 1_000 / SLOT_MILLIS;
            let time = sandbox.time() + i64::try_from(seconds).unwrap_or(0);
            sandbox.set_clock(sandbox.slot() + slots, time);
        });
    }

    /// Nobody listening is no fault.
    fn tell(&self, news: News) {
        drop(self.news.send(news));
    }
}
