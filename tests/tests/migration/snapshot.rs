//! The market that the program of 0.2.0 left behind, in a sandbox with today's program.

use std::collections::BTreeMap;
use std::str::FromStr;

use ballast_client::addresses;
use ballast_client::instructions::adl_session::SessionKeys;
use ballast_client::instructions::migration::{
    MigrateBook, MigrateExchange, MigrateMarket, MigrateQueue, MigrateTrader, MAX_BOOK_NODES,
};
use ballast_client::instructions::MarketKeys;
use ballast_engine::units::Side;
use ballast_sandbox::{
    MarketConfig, MarketCookie, Options, Sandbox, TraderCookie, TxResult, Wallet,
};
use ballast_state::Pubkey;
use solana_account::Account;
use solana_keypair::Keypair;
use solana_signer::Signer;

const STATE: &str = include_str!("../../fixtures/v0_2_0/state.txt");
/// More keys than the sandbox that wrote the snapshot gave out.
const KEYS: usize = 200;

/// The exchange of 0.2.0 with everything that belongs to it.
pub struct Old {
    pub sandbox: Sandbox,
    pub market: MarketCookie,
    pub traders: Vec<TraderCookie>,
    pub session: SessionKeys,
}

/// An account to migrate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outdated {
    Exchange,
    Market,
    QueueLong,
    QueueShort,
    Book,
    Trader(usize),
}

fn key(word: &str) -> Pubkey {
    Pubkey::from_str(word).expect("a key")
}

/// Bytes from hex, in which `zN.` stands for N zero bytes.
fn unpacked(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        if let Some(run) = rest.strip_prefix('z') {
            let (zeros, after) = run.split_once('.').expect("a run of zeros");
            bytes.resize(bytes.len() + zeros.parse::<usize>().expect("a number"), 0);
            rest = after;
        } else {
            let (byte, after) = rest.split_at(2);
            bytes.push(u8::from_str_radix(byte, 16).expect("hex"));
            rest = after;
        }
    }
    bytes
}

impl Old {
    /// Everything as the program of 0.2.0 wrote it, and today's program.
    pub fn load() -> Self {
        let mut sandbox = Sandbox::empty(&Options::default()).expect("a built program");
        let owners: BTreeMap<Pubkey, Keypair> = (0..KEYS)
            .map(|_| sandbox.next_keypair())
            .map(|keypair| (keypair.pubkey(), keypair))
            .collect();
        let (mut traders, mut market, mut session) = (Vec::new(), None, None);
        for line in STATE.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["clock", slot, time] => {
                    sandbox.set_clock(slot.parse().unwrap(), time.parse().unwrap());
                }
                ["market", market_key, queue_long, queue_short, book, price] => {
                    market = Some(MarketKeys {
                        market: key(market_key),
                        queue_long: key(queue_long),
                        queue_short: key(queue_short),
                        book: key(book),
                        price: key(price),
                    });
                }
                ["session", session_key, payer, bankrupt] => {
                    session = Some(SessionKeys {
                        session: key(session_key),
                        payer: key(payer),
                        bankrupt: key(bankrupt),
                    });
                }
                ["trader", address, owner, tokens] => traders.push(TraderCookie {
                    address: key(address),
                    wallet: Wallet {
                        keypair: owners[&key(owner)].insecure_clone(),
                        tokens: key(tokens),
                    },
                }),
                ["account", address, owner, lamports, data] => sandbox.set_account(
                    &key(address),
                    Account {
                        lamports: lamports.parse().unwrap(),
                        data: unpacked(data),
                        owner: key(owner),
                        executable: false,
                        rent_epoch: u64::MAX,
                    },
                ),
                _ => panic!("{line}"),
            }
        }
        let keys = market.expect("a market");
        let market = MarketCookie {
            index: 0,
            keys,
            insurance_vault: addresses::insurance_vault(&keys.market),
            config: MarketConfig::sol(),
        };
        let listed: Vec<Pubkey> = traders.iter().map(|trader| trader.address).collect();
        sandbox.adopt(market.clone(), &listed);
        for trader in &traders {
            sandbox.fund(&trader.wallet.address(), 1_000_000_000);
        }
        Self {
            sandbox,
            market,
            traders,
            session: session.expect("a session"),
        }
    }

    /// A copy that goes its own way.
    pub fn fork(&self) -> Self {
        Self {
            sandbox: self.sandbox.fork(),
            market: self.market.clone(),
            traders: self.traders.clone(),
            session: self.session,
        }
    }

    /// Every account that a migration brings up to date.
    pub fn outdated(&self) -> Vec<Outdated> {
        let traders = (0..self.traders.len()).map(Outdated::Trader);
        [
            Outdated::Exchange,
            Outdated::Market,
            Outdated::QueueLong,
            Outdated::QueueShort,
            Outdated::Book,
        ]
        .into_iter()
        .chain(traders)
        .collect()
    }

    /// Where it is.
    pub fn address(&self, account: Outdated) -> Pubkey {
        let keys = self.market.keys;
        match account {
            Outdated::Exchange => addresses::exchange(),
            Outdated::Market => keys.market,
            Outdated::QueueLong => keys.queue_long,
            Outdated::QueueShort => keys.queue_short,
            Outdated::Book => keys.book,
            Outdated::Trader(number) => self.traders[number].address,
        }
    }

    /// Migrates one account, a book in one call.
    pub fn migrate(&mut self, account: Outdated) -> TxResult {
        self.migrate_by(account, MAX_BOOK_NODES)
    }

    /// Migrates one account; of a book so many nodes.
    pub fn migrate_by(&mut self, account: Outdated, max_nodes: u32) -> TxResult {
        let MarketKeys { market, book, .. } = self.market.keys;
        let address = self.address(account);
        let instruction = match account {
            Outdated::Exchange => MigrateExchange.instruction(),
            Outdated::Market => MigrateMarket { market, book }.instruction(),
            Outdated::QueueLong | Outdated::QueueShort => {
                MigrateQueue { queue: address }.instruction()
            }
            Outdated::Book => MigrateBook {
                market,
                book,
                max_nodes,
            }
            .instruction(),
            Outdated::Trader(_) => MigrateTrader {
                trader: address,
                books: &[book],
            }
            .instruction(),
        };
        self.sandbox.send(&[instruction], &[])
    }

    /// Migrates everything, the book before the traders.
    pub fn migrate_all(&mut self) {
        for account in self.outdated() {
            self.migrate(account)
                .unwrap_or_else(|error| panic!("{account:?}: {error}"));
        }
    }

    /// The bytes of every account of the program, and of the vaults. Of the book the orders in their
    /// order, each with its node: the shape of its trees depends on when orders left.
    pub fn comparable(&self) -> (BTreeMap<Pubkey, Vec<u8>>, Vec<String>) {
        let mut state = self.state();
        state.remove(&self.market.keys.book);
        let snapshot = self.sandbox.book(&self.market);
        let book = snapshot.book().expect("a book");
        let orders = [Side::Long, Side::Short].into_iter().flat_map(|side| {
            book.iter(side).map(|step| {
                let (node, order) = step.expect("sound");
                let own = (order.owner_next, order.owner_previous, order.trader);
                let terms = (order.price(), order.size(), order.margin, order.expires_at);
                format!("{node} {} {own:?} {terms:?}", order.id())
            })
        });
        (state, orders.collect())
    }

    /// The bytes of every account of the program, and of the vaults.
    pub fn state(&self) -> BTreeMap<Pubkey, Vec<u8>> {
        let own = self.sandbox.accounts_of(&ballast_state::ID);
        let vaults = [addresses::collateral_vault(), self.market.insurance_vault];
        let vaults = vaults.map(|vault| (vault, self.sandbox.account(&vault).expect("a vault")));
        let all = own.into_iter().chain(vaults);
        all.map(|(address, account)| (address, account.data))
            .collect()
    }
}
