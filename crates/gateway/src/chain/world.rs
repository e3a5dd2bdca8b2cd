//! The accounts that are followed, as they are now.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use anyhow::{Context, Result};
use ballast_client::price::price_account;
use ballast_client::{accounts, addresses};
use ballast_rpc::cluster::clock_address;
use ballast_state::exchange::Exchange;
use ballast_state::market::Market;
use ballast_state::Pubkey;
use ballast_view::state::{MarketAccounts, MarketState, PriceCandidate};
use solana_account::Account;

/// An account as of a slot; `None` where there is none.
type Seen = (u64, Option<Arc<Account>>);

/// What is known of a market besides its accounts.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Its address.
    pub address: Pubkey,
    /// Its queue of longs.
    pub queue_long: Pubkey,
    /// Its queue of shorts.
    pub queue_short: Pubkey,
    /// Its book.
    pub book: Pubkey,
    /// The account its price is read from.
    pub price: Pubkey,
}

/// What changed about a market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Its account, its price or a queue: it is ranked anew.
    pub ranking: bool,
    /// Its book, or the clock.
    pub rest: bool,
}

/// The accounts that are followed.
#[derive(Default)]
pub struct World {
    seen: HashMap<Pubkey, Seen>,
    /// Markets by number.
    markets: BTreeMap<u16, Known>,
    /// Price accounts that the configuration names.
    prices: BTreeMap<u16, Pubkey>,
    /// Trader accounts that somebody listens to, with how many.
    watched: HashMap<Pubkey, u32>,
    news: BTreeMap<u16, News>,
    traders: HashSet<Pubkey>,
}

impl World {
    /// Without anything; with the price accounts that the configuration names.
    #[must_use]
    pub fn new(prices: BTreeMap<u16, Pubkey>) -> Self {
        Self {
            prices,
            ..Self::default()
        }
    }

    /// Takes over a market; whether it was not known.
    pub fn add_market(&mut self, address: Pubkey, market: &Market) -> bool {
        let named = self.prices.get(&market.index).copied();
        let known = Known {
            address,
            queue_long: market.queue_long,
            queue_short: market.queue_short,
            book: market.book,
            price: named.unwrap_or_else(|| price_account(market)),
        };
        let before = self.markets.insert(market.index, known);
        // Another price account is followed from the next connection on.
        before.is_none_or(|before| before.price != known.price)
    }

    /// Takes over an account as of a slot; nothing that is older than what is known.
    pub fn put(&mut self, slot: u64, address: Pubkey, account: Option<Account>) {
        let known = self.seen.get(&address);
        if known.is_some_and(|(known, _)| *known > slot) {
            return;
        }
        let account = account.filter(|account| account.lamports > 0).map(Arc::new);
        if known.is_some_and(|(_, before)| *before == account) {
            self.seen.insert(address, (slot, account));
            return;
        }
        self.seen.insert(address, (slot, account));
        if self.watched.contains_key(&address) {
            self.traders.insert(address);
        }
        for (index, market) in &self.markets {
            let news = self.news.entry(*index).or_default();
            let ranking = [
                market.address,
                market.queue_long,
                market.queue_short,
                market.price,
            ];
            news.ranking |= ranking.contains(&address);
            news.rest |= address == market.book || address == clock_address();
        }
    }

    /// What changed since this was asked last, by market.
    pub fn take_news(&mut self) -> BTreeMap<u16, News> {
        let mut news = std::mem::take(&mut self.news);
        news.retain(|_, news| *news != News::default());
        news
    }

    /// Trader accounts that somebody listens to and that changed since this was asked last.
    pub fn take_traders(&mut self) -> HashSet<Pubkey> {
        std::mem::take(&mut self.traders)
    }

    /// Everything about a market is new.
    pub fn doubt(&mut self) {
        for index in self.markets.keys() {
            let all = News {
                ranking: true,
                rest: true,
            };
            self.news.insert(*index, all);
        }
    }

    /// Markets by number.
    #[must_use]
    pub const fn markets(&self) -> &BTreeMap<u16, Known> {
        &self.markets
    }

    /// An account, and the slot as of which it is known; `None` when it is not known.
    #[must_use]
    pub fn account(&self, address: &Pubkey) -> Option<&Seen> {
        self.seen.get(address)
    }

    /// Bytes of an account.
    #[must_use]
    pub fn bytes(&self, address: &Pubkey) -> usize {
        let account = self
            .seen
            .get(address)
            .and_then(|(_, account)| account.as_ref());
        account.map_or(0, |account| account.data.len())
    }

    /// The exchange.
    ///
    /// # Errors
    /// When it has not been read, or cannot be.
    pub fn exchange(&self) -> Result<Exchange> {
        let (_, account) = self
            .seen
            .get(&addresses::exchange())
            .context("the exchange was not read yet")?;
        let account = account.as_ref().context("there is no exchange")?;
        Ok(accounts::exchange(&account.data)?)
    }

    /// Accounts other than traders', with those that are read one by one.
    #[must_use]
    pub fn addresses(&self) -> Vec<Pubkey> {
        let of_markets = self.markets.values().flat_map(|market| {
            [
                market.address,
                market.book,
                market.queue_long,
                market.queue_short,
                market.price,
            ]
        });
        let mut all = vec![addresses::exchange(), clock_address()];
        all.extend(of_markets);
        all
    }

    /// Somebody listens to a trader account; whether nobody did before.
    pub fn watch(&mut self, trader: Pubkey) -> bool {
        let count = self.watched.entry(trader).or_default();
        *count += 1;
        *count == 1
    }

    /// Somebody listens no more; the account is forgotten with the last.
    pub fn unwatch(&mut self, trader: &Pubkey) {
        if let Some(count) = self.watched.get_mut(trader) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.watched.remove(trader);
                self.seen.remove(trader);
            }
        }
    }

    /// Whether anybody listens to a trader account.
    #[must_use]
    pub fn is_watched(&self, trader: &Pubkey) -> bool {
        self.watched.contains_key(trader)
    }

    /// Trader accounts that somebody listens to.
    #[must_use]
    pub fn watched(&self) -> Vec<Pubkey> {
        self.watched.keys().copied().collect()
    }

    /// What a market's accounts are made of, to be decoded elsewhere.
    ///
    /// # Errors
    /// When one has not been read.
    pub fn parts(&self, index: u16) -> Result<Parts> {
        let known = self.markets.get(&index);
        let known = *known.with_context(|| format!("there is no market {index}"))?;
        let get = |address: &Pubkey| -> Result<Seen> {
            let seen = self.seen.get(address).cloned();
            seen.with_context(|| format!("{address} was not read yet"))
        };
        let all = [
            get(&known.address)?,
            get(&clock_address())?,
            get(&known.book)?,
            get(&known.queue_long)?,
            get(&known.queue_short)?,
            get(&known.price)?,
        ];
        Ok(Parts {
            // The newest of them.
            slot: all.iter().map(|(slot, _)| *slot).max().unwrap_or(0),
            decimals: self.exchange()?.mint_decimals,
            known,
            accounts: all.map(|(_, account)| account),
        })
    }
}

/// The accounts of a market: market, clock, book, queues of longs and shorts, price.
pub struct Parts {
    /// The newest slot as of which one of them is known.
    pub slot: u64,
    decimals: u8,
    known: Known,
    accounts: [Option<Arc<Account>>; 6],
}

impl Parts {
    /// Decodes them.
    ///
    /// # Errors
    /// A sentence about what is missing or cannot be read.
    pub fn state(&self) -> Result<MarketState> {
        let [market, clock, book, long, short, price] = &self.accounts;
        let market = market
            .as_ref()
            .context("the market's account is not there")?;
        let clock = clock.as_ref().context("the clock is not there")?;
        MarketState::read(&MarketAccounts {
            slot: self.slot,
            decimals: self.decimals,
            address: self.known.address,
            market: &market.data,
            clock: &clock.data,
            book: book.as_ref().map(|account| &account.data[..]),
            queues: Some([
                long.as_ref().map(|account| &account.data[..]),
                short.as_ref().map(|account| &account.data[..]),
            ]),
            prices: vec![PriceCandidate {
                address: self.known.price,
                account: price
                    .as_ref()
                    .map(|account| (account.owner, &account.data[..])),
            }],
        })
    }
}
