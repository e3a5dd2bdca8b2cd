//! Everything the keeper has heard of the exchange, none of it older than what it had before.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use anchor_lang::prelude::Pubkey;
use ballast_client::accounts::AccountKind;
use ballast_client::instructions::MarketKeys;
use ballast_client::{accounts, addresses, price};
use ballast_engine::oracle::PriceFault;
use ballast_rpc::cluster::{clock_address, clock_of};
use ballast_state::exchange::Exchange;
use ballast_state::market::Market;
use ballast_state::pool::Pool;
use ballast_state::protection::Protection;
use ballast_state::trader::Trader;
use solana_account::Account;
use solana_clock::Clock;

use crate::config::Work;
use crate::cross::CrossState;
use crate::evaluate::Conditions;
use crate::market::MarketState;

/// A node this many slots behind what it once said has begun anew.
const ROLLED_BACK_SLOTS: u64 = 150;

/// A market and what is new about it.
#[derive(Clone, Debug)]
pub struct Followed {
    /// Accounts, price and positions.
    pub state: MarketState,
    /// When the price last changed, if it has since the last evaluation.
    pub price_news: Option<Instant>,
    /// Whether anything else has changed since the last evaluation.
    pub news: bool,
    /// What the insurance vault holds, atoms, and the token program it belongs to.
    pub vault: Option<(u64, Pubkey)>,
    /// Whether the last evaluation found anything that time alone may change.
    pub restless: bool,
    /// What kept the price from being used at the last evaluation.
    pub blocked: Option<PriceFault>,
}

#[derive(Clone, Debug)]
enum Role {
    Clock,
    Exchange,
    Wallet,
    Market(usize),
    Vault(usize),
    Pool(usize),
    Board,
    /// Several markets may read one price.
    Price(Vec<usize>),
}

/// What the exchange is like.
#[derive(Clone, Debug)]
pub struct World {
    /// The exchange's account.
    pub exchange: Exchange,
    /// The cluster's clock.
    pub clock: Clock,
    /// When it was heard.
    pub clock_at: Instant,
    /// What the wallet holds, lamports.
    pub lamports: u64,
    /// The markets kept.
    pub markets: Vec<Followed>,
    /// The board and every account with legs or orders of legs.
    pub cross: CrossState,
    /// Whether any of them has changed since the last evaluation.
    pub cross_news: bool,
    /// Whether a market takes its prices from another source than when the keeper began.
    pub source_changed: bool,
    /// Free collateral of the keeper's trader account, atoms; `None` while it is not known.
    pub collateral: Option<i64>,
    wallet: Pubkey,
    own: Pubkey,
    roles: HashMap<Pubkey, Role>,
    /// Market and trader of each account of protective steps.
    steps: HashMap<Pubkey, (Pubkey, Pubkey)>,
    seen: HashMap<Pubkey, u64>,
}

impl World {
    /// The exchange with these markets and the accounts their prices are read from; nothing else
    /// is known yet.
    #[must_use]
    pub fn new(
        exchange: Exchange,
        markets: &[(Pubkey, Market, Pubkey)],
        wallet: Pubkey,
        own: Pubkey,
    ) -> Self {
        let mut roles = HashMap::from([
            (clock_address(), Role::Clock),
            (addresses::exchange(), Role::Exchange),
            (addresses::board(), Role::Board),
            (wallet, Role::Wallet),
        ]);
        let mut followed = Vec::with_capacity(markets.len());
        for (index, (address, market, price)) in markets.iter().enumerate() {
            roles.insert(*address, Role::Market(index));
            roles.insert(market.insurance_vault, Role::Vault(index));
            match roles
                .entry(*price)
                .or_insert_with(|| Role::Price(Vec::new()))
            {
                Role::Price(readers) => readers.push(index),
                _ => tracing::error!(%price, market = market.index, "no price account"),
            }
            let mut state = MarketState::new(MarketKeys::of(address, market, *price), *market);
            state.admin = exchange.admin;
            roles.insert(state.backstop.address, Role::Pool(index));
            followed.push(Followed {
                state,
                price_news: None,
                news: true,
                vault: None,
                restless: false,
                blocked: None,
            });
        }
        Self {
            exchange,
            clock: Clock::default(),
            clock_at: Instant::now(),
            lamports: 0,
            markets: followed,
            cross: CrossState::default(),
            cross_news: true,
            source_changed: false,
            collateral: None,
            wallet,
            own,
            roles,
            steps: HashMap::new(),
            seen: HashMap::new(),
        }
    }

    /// The accounts to follow one by one: all but the traders'; of those the keeper's own and the pools'.
    #[must_use]
    pub fn addresses(&self) -> Vec<Pubkey> {
        let mut all: Vec<Pubkey> = self.roles.keys().copied().collect();
        all.push(self.own);
        let pools = self.markets.iter();
        all.extend(pools.map(|market| market.state.backstop.trader));
        all
    }

    /// What the evaluation depends on beside the markets.
    #[must_use]
    pub fn conditions(&self, work: &Work) -> Conditions {
        Conditions::of(&self.exchange, self.clock.slot, work)
    }

    /// Takes over an account as of a slot, unless a newer one is known. `None` when there is none.
    pub fn apply(&mut self, slot: u64, address: &Pubkey, account: Option<&Account>, now: Instant) {
        if !self.is_news(slot, address) {
            return;
        }
        let role = self.roles.get(address).cloned();
        match role {
            Some(Role::Wallet) => self.lamports = account.map_or(0, |found| found.lamports),
            Some(Role::Clock) => self.apply_clock(account, now),
            Some(Role::Exchange) => {
                if let Some(Ok(exchange)) = account.map(|found| accounts::exchange(&found.data)) {
                    self.exchange = exchange;
                    for market in &mut self.markets {
                        market.state.admin = exchange.admin;
                        market.news = true;
                    }
                }
            }
            Some(Role::Market(index)) => self.apply_market(index, account),
            Some(Role::Vault(index)) => {
                if let Some(market) = self.markets.get_mut(index) {
                    market.vault = account.and_then(token_amount);
                }
            }
            Some(Role::Pool(index)) => self.apply_pool(index, account),
            Some(Role::Board) => {
                let board = account.and_then(|found| accounts::board(&found.data).ok());
                (self.cross.board, self.cross_news) = (board.map(Arc::from), true);
            }
            Some(Role::Price(readers)) => {
                for index in readers {
                    self.apply_price(index, slot, address, account, now);
                }
            }
            None => self.apply_other(address, account),
        }
    }

    /// Takes over trader accounts as of a slot, where nothing newer is known.
    pub fn apply_traders(&mut self, slot: u64, traders: &[(Pubkey, Trader)]) {
        for (address, trader) in traders {
            if self.is_news(slot, address) {
                self.apply_trader(address, trader);
            }
        }
    }

    /// Takes over accounts of protective steps as of a slot, where nothing newer is known.
    pub fn apply_protections(&mut self, slot: u64, all: &[(Pubkey, Protection)]) {
        for (address, steps) in all {
            if self.is_news(slot, address) {
                self.apply_protection(address, steps);
            }
        }
    }

    /// Forgets the protective steps of a trader for the position with this number: it has ended.
    pub fn forget_steps(&mut self, market: &Pubkey, trader: &Pubkey, sequence: u64) {
        for found in &mut self.markets {
            if found.state.address == *market {
                found.state.protections.forget(trader, sequence);
            }
        }
    }

    /// All accounts of traders and of protective steps that there were at `slot` have been applied: the
    /// others are gone, unless something newer is known of them.
    pub fn end_absent(&mut self, slot: u64, present: &HashSet<Pubkey>) {
        let gone = |(address, seen): (&Pubkey, &u64)| {
            let gone = *seen <= slot && !present.contains(address);
            (gone && !self.roles.contains_key(address)).then_some(*address)
        };
        let gone: Vec<Pubkey> = self.seen.iter().filter_map(gone).collect();
        for address in gone {
            self.seen.remove(&address);
            self.forget(&address);
        }
    }

    /// Everything is about to be read again from a node that may have lost its last slots: what
    /// comes next counts, whatever its slot.
    pub fn doubt(&mut self) {
        self.seen.values_mut().for_each(|slot| *slot = 0);
        for market in &mut self.markets {
            if let Some(price) = &mut market.state.price {
                price.slot = 0;
            }
        }
    }

    /// Whether a node at `slot` must have begun anew, so that everything has to be read again.
    #[must_use]
    pub const fn is_rolled_back(&self, slot: u64) -> bool {
        slot.saturating_add(ROLLED_BACK_SLOTS) < self.clock.slot
    }

    /// Number of positions in memory, and the bytes they take.
    #[must_use]
    pub fn positions(&self) -> (usize, usize) {
        let states = self.markets.iter().map(|market| &market.state);
        let count = states.clone().map(|state| state.positions.len()).sum();
        (count, states.map(MarketState::memory).sum())
    }

    /// Notes that something is known of `address` as of `slot`; whether nothing newer was.
    fn is_news(&mut self, slot: u64, address: &Pubkey) -> bool {
        let seen = self.seen.entry(*address).or_insert(slot);
        let news = *seen <= slot;
        if news {
            *seen = slot;
        }
        news
    }

    fn apply_clock(&mut self, account: Option<&Account>, now: Instant) {
        if let Some(clock) = account.and_then(|found| clock_of(&found.data)) {
            self.clock = clock;
            self.clock_at = now;
        }
    }

    fn apply_market(&mut self, index: usize, account: Option<&Account>) {
        let (Some(market), Some(found)) = (self.markets.get_mut(index), account) else {
            return;
        };
        if let Ok(decoded) = accounts::market(&found.data) {
            self.source_changed |= market.state.market.oracle != decoded.oracle;
            market.state.apply_market(&decoded);
            market.news = true;
        }
    }

    fn apply_pool(&mut self, index: usize, account: Option<&Account>) {
        let Some(market) = self.markets.get_mut(index) else {
            return;
        };
        let found = account.and_then(|found| accounts::pool(&found.data).ok());
        let what = |pool: &Pool| (pool.mode(), pool.epoch);
        let before = market.state.backstop.pool.as_deref().map(what);
        if let Some((mode, epoch)) = found.as_ref().map(what) {
            if before != Some((mode, epoch)) {
                tracing::info!(market = market.state.market.index, ?mode, epoch, "pool");
            }
        }
        market.state.backstop.apply(found);
        market.news = true;
    }

    fn apply_price(
        &mut self,
        index: usize,
        slot: u64,
        address: &Pubkey,
        account: Option<&Account>,
        now: Instant,
    ) {
        let (Some(market), Some(found)) = (self.markets.get_mut(index), account) else {
            return;
        };
        let state = &mut market.state;
        match price::decode_price(&state.market, address, &found.owner, &found.data) {
            Ok(price) => {
                let before = state.price.map(|seen| seen.price);
                if state.apply_price(price, slot) && before != Some(price) {
                    market.price_news.get_or_insert(now);
                }
            }
            Err(error) => {
                tracing::warn!(market = state.market.index, %address, %error, "no price");
            }
        }
    }

    fn apply_trader(&mut self, address: &Pubkey, trader: &Trader) {
        if *address == self.own {
            self.collateral = Some(trader.free);
        }
        self.cross_news |= self.cross.apply_trader(address, trader);
        for market in &mut self.markets {
            let had = market.state.positions.get(address).copied();
            if let Err(error) = market.state.apply_trader(address, trader) {
                tracing::error!(trader = %address, ?error, "the account is corrupt");
            }
            let has = market.state.positions.get(address).copied();
            market.news |= had != has;
        }
    }

    fn apply_protection(&mut self, address: &Pubkey, steps: &Protection) {
        let of = (steps.market, steps.trader);
        self.steps.insert(*address, of);
        for market in &mut self.markets {
            if market.state.address == steps.market {
                market.news |= market.state.protections.apply(steps);
            }
        }
    }

    /// An account that is not followed one by one: a trader's or that of protective steps.
    fn apply_other(&mut self, address: &Pubkey, account: Option<&Account>) {
        let data = account.map(|found| found.data.as_slice());
        let kind = data.and_then(AccountKind::of);
        match (kind, data) {
            (Some(AccountKind::Trader), Some(data)) => {
                if let Ok(trader) = accounts::trader(data) {
                    return self.apply_trader(address, &trader);
                }
            }
            (Some(AccountKind::Protection), Some(data)) => {
                if let Ok(steps) = accounts::protection(data) {
                    return self.apply_protection(address, &steps);
                }
            }
            _ => {}
        }
        self.forget(address);
    }

    /// Forgets what an account said that is gone.
    fn forget(&mut self, address: &Pubkey) {
        if let Some((of, trader)) = self.steps.remove(address) {
            for market in &mut self.markets {
                if market.state.address == of {
                    market.state.protections.remove(&trader);
                }
            }
            return;
        }
        self.cross_news |= self.cross.forget(address);
        for market in &mut self.markets {
            market.news |= market.state.remove_trader(address);
        }
    }

    /// Address of the keeper's wallet.
    #[must_use]
    pub const fn wallet(&self) -> Pubkey {
        self.wallet
    }
}

/// Atoms in a token account, and the program it belongs to.
fn token_amount(account: &Account) -> Option<(u64, Pubkey)> {
    let bytes = account.data.get(64..72)?.try_into().ok()?;
    Some((u64::from_le_bytes(bytes), account.owner))
}

#[cfg(test)]
mod tests;
