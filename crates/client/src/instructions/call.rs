//! An instruction put together from its accounts, in their order, and its arguments.

use ballast_state::seeds::BOARD_ADDRESS;
use ballast_state::Pubkey;
use borsh::BorshSerialize;
use solana_instruction::{AccountMeta, Instruction};

use super::staged::StagedKeys;
use super::MarketKeys;
use crate::addresses;

/// What lies beside the account of a market.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// Its order book.
    Book,
    /// Its two queues.
    Queues,
    /// The same, not given where the program may go without.
    NoQueues,
    /// The account of its price.
    Price,
}

/// A call of the program, account by account.
pub struct Call {
    accounts: Vec<AccountMeta>,
    data: Vec<u8>,
}

impl Call {
    /// A call of the instruction whose data begins with `discriminator`.
    pub fn of(discriminator: [u8; 8]) -> Self {
        Self {
            accounts: Vec::new(),
            data: discriminator.to_vec(),
        }
    }

    /// The next account, which signs.
    pub fn signer(self, key: Pubkey) -> Self {
        self.account(AccountMeta::new_readonly(key, true))
    }

    /// The next account, which signs and is written.
    pub fn writable_signer(self, key: Pubkey) -> Self {
        self.account(AccountMeta::new(key, true))
    }

    /// The next account, which is written.
    pub fn writable(self, key: Pubkey) -> Self {
        self.account(AccountMeta::new(key, false))
    }

    /// The next account, which is only read.
    pub fn readonly(self, key: Pubkey) -> Self {
        self.account(AccountMeta::new_readonly(key, false))
    }

    /// The next accounts: those of a market beside its own, in this order, each as it is named
    /// everywhere.
    pub fn beside(self, keys: &MarketKeys, parts: &[Part]) -> Self {
        parts.iter().fold(self, |call, part| match part {
            Part::Book => call.writable(keys.book),
            Part::Queues => call.writable(keys.queue_long).writable(keys.queue_short),
            Part::NoQueues => call.absent().absent(),
            Part::Price => call.readonly(keys.price),
        })
    }

    /// The next accounts: a market, others that are written with it, and what lies beside the market.
    pub fn market(self, keys: &MarketKeys, written: &[Pubkey], parts: &[Part]) -> Self {
        let call = self.writable(keys.market);
        let call = written.iter().fold(call, |call, key| call.writable(*key));
        call.beside(keys, parts)
    }

    /// The next accounts: a staged change, which is closed, and who gets its rent.
    pub fn staged(self, staged: &StagedKeys) -> Self {
        self.writable(staged.address).writable(staged.payer)
    }

    /// The next account: none, for which the program's own key stands.
    fn absent(self) -> Self {
        self.readonly(ballast_state::ID)
    }

    /// The arguments: one, or a tuple of several, in Borsh.
    #[allow(clippy::expect_used, reason = "a vector takes any bytes")]
    pub fn arguments(mut self, arguments: &impl BorshSerialize) -> Self {
        let written = arguments.serialize(&mut self.data);
        written.expect("arguments go into memory");
        self
    }

    /// The instruction. Its last accounts are those by which the program records events.
    pub fn instruction(self) -> Instruction {
        self.listing(&[])
    }

    /// The instruction with accounts that are written as its remaining accounts; of these the board is only read.
    pub fn listing(self, accounts: &[Pubkey]) -> Instruction {
        let mut call = self.events();
        let meta = |key: &Pubkey| match *key == BOARD_ADDRESS {
            true => AccountMeta::new_readonly(*key, false),
            false => AccountMeta::new(*key, false),
        };
        let listed = accounts.iter().map(meta);
        call.accounts.extend(listed);
        call.of_program(ballast_state::ID)
    }

    /// The next accounts: those by which the program records events.
    pub fn events(self) -> Self {
        self.readonly(addresses::event_authority())
            .readonly(ballast_state::ID)
    }

    /// The instruction as it stands, of a program that records no events.
    pub fn of_program(self, program_id: Pubkey) -> Instruction {
        Instruction {
            program_id,
            accounts: self.accounts,
            data: self.data,
        }
    }

    fn account(mut self, account: AccountMeta) -> Self {
        self.accounts.push(account);
        self
    }
}
