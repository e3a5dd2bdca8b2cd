//! What jobs about legs depend on besides: the board, its markets with their prices, the cross queues of the
//! market, and the accounts with legs in them.

use std::collections::HashMap;

use anchor_lang::prelude::{Clock, Pubkey};
use ballast_client::accounts::{self, CrossQueueSnapshot};
use ballast_client::instructions::MarketKeys;
use ballast_client::{addresses, price};
use ballast_engine::units::Side;
use ballast_rpc::cluster::{Cluster, ReadError};
use ballast_state::cross::{CrossBoard, CrossMarket};
use ballast_state::market::Market;
use ballast_state::trader::Trader;
use solana_account::Account;

use super::{Listed, Needs, PriceAccounts};
use crate::cross::plan::CrossLists;
use crate::cross::Floor;
use crate::market::MarketState;
use crate::plan::PlanError;

/// Most accounts with legs that a round reads.
const MOST_TRADERS: usize = 2_000;

/// Which accounts those are, as they were a moment ago.
#[derive(Clone, Debug, Default)]
pub(super) struct Outline {
    markets: Vec<MarketKeys>,
    queues: Vec<Pubkey>,
    traders: Vec<Pubkey>,
}

impl Outline {
    /// Finds out, for jobs in the market of `keys`; nothing where there is no board.
    pub async fn read(
        cluster: &Cluster,
        keys: &MarketKeys,
        prices: &PriceAccounts,
        needs: Needs,
        at_least: u64,
    ) -> Result<Self, ReadError> {
        let (slot, found) = cluster
            .accounts_since(&[addresses::board()], at_least)
            .await?;
        let board = found.into_iter().next().flatten();
        let Some(board) = board.and_then(|found| accounts::board(&found.data).ok()) else {
            return Ok(Self::default());
        };
        let entries = board.board.entries().unwrap_or_default();
        let all: Vec<Pubkey> = entries
            .iter()
            .map(|entry| Pubkey::new_from_array(entry.market))
            .collect();
        let own = all.iter().position(|market| *market == keys.market);
        let allowed = own.and_then(|place| board.markets.get(place));
        let queues = allowed.map_or_else(Vec::new, both);
        let wanted = [all.as_slice(), queues.as_slice()].concat();
        let (_, found) = cluster.accounts_since(&wanted, slot).await?;
        let (markets, lists) = found.split_at(all.len().min(found.len()));
        let markets = all.iter().zip(markets).filter_map(|(address, found)| {
            let market = accounts::market(&found.as_ref()?.data).ok()?;
            Some(priced(address, &market, prices))
        });
        let traders = match needs.queue {
            Some(side) => legs_of(side, lists),
            None => Vec::new(),
        };
        Ok(Self {
            markets: markets.collect(),
            queues,
            traders,
        })
    }

    /// The accounts to read, in this order.
    pub fn wanted(&self) -> Vec<Pubkey> {
        let mut all = vec![addresses::board()];
        let pairs = self.markets.iter();
        all.extend(pairs.flat_map(|keys| [keys.market, keys.price]));
        all.extend(&self.queues);
        all.extend(&self.traders);
        all
    }
}

/// The cross queues of a market, that of the longs first.
fn both(market: &CrossMarket) -> Vec<Pubkey> {
    vec![market.queue_long, market.queue_short]
}

/// The keys of a market of the board.
fn priced(address: &Pubkey, market: &Market, prices: &PriceAccounts) -> MarketKeys {
    let known = prices.get(address).copied();
    let price = known.unwrap_or_else(|| price::price_account(market));
    MarketKeys::of(address, market, price)
}

/// Traders with legs of a side.
fn legs_of(side: Side, lists: &[Option<Account>]) -> Vec<Pubkey> {
    let place = match side {
        Side::Long => 0,
        Side::Short => 1,
    };
    let found = lists.get(place).and_then(Option::as_ref);
    let queue = found.and_then(|found| CrossQueueSnapshot::new(&found.data).ok());
    let queue = queue.as_ref().and_then(|queue| queue.queue().ok());
    let Some(queue) = queue else {
        return Vec::new();
    };
    let entries = queue.iter().filter_map(Result::ok);
    entries
        .map(|(_, entry)| Pubkey::new_from_array(entry.position.trader))
        .take(MOST_TRADERS)
        .collect()
}

/// The accounts that an outline names.
#[derive(Debug)]
pub(super) struct CrossScene {
    board: Box<CrossBoard>,
    states: Vec<MarketState>,
    queues: Vec<CrossQueueSnapshot>,
    pub traders: HashMap<Pubkey, Trader>,
}

impl CrossScene {
    /// Of what was read for an outline in `slot`. A market whose price is gone has none.
    pub fn of(
        outline: &Outline,
        found: Vec<(Pubkey, Option<Account>)>,
        slot: u64,
    ) -> Result<Self, ReadError> {
        let mut found = found.iter().map(|(address, account)| Listed {
            address: *address,
            account: account.as_ref(),
        });
        let mut next = || found.next().unwrap_or_default();
        let board = next().decode("board", accounts::board)?;
        let mut states = Vec::with_capacity(outline.markets.len());
        for keys in &outline.markets {
            let market = next().decode("market", accounts::market)?;
            let mut state = MarketState::new(*keys, market);
            let price = next();
            if let Some(account) = price.account.filter(|_| !market.mode().has_ended()) {
                let (owner, data) = (&account.owner, &account.data);
                if let Ok(price) = price::decode_price(&market, &price.address, owner, data) {
                    state.apply_price(price, slot);
                }
            }
            states.push(state);
        }
        let mut queues = Vec::with_capacity(outline.queues.len());
        for _ in &outline.queues {
            queues.push(next().decode("cross queue", CrossQueueSnapshot::new)?);
        }
        let mut traders = HashMap::with_capacity(outline.traders.len());
        for address in &outline.traders {
            if let Ok(trader) = next().decode("trader account", accounts::trader) {
                traders.insert(*address, trader);
            }
        }
        Ok(Self {
            board,
            states,
            queues,
            traders,
        })
    }

    /// Takes over the protective steps that are known in a market.
    pub fn protect(&mut self, known: &MarketState) {
        let mut states = self.states.iter_mut();
        if let Some(state) = states.find(|state| state.address == known.address) {
            state.protections = known.protections.clone();
        }
    }

    /// The board and its markets at a moment.
    pub fn floor(&self, clock: &Clock) -> Result<Floor<'_>, PlanError> {
        Ok(Floor::new(&self.states, &self.board, clock)?)
    }

    /// As the planner takes it.
    pub fn lists<'a>(&'a self, floor: &'a Floor<'a>) -> Result<CrossLists<'a>, PlanError> {
        let queue = |place: usize| {
            let queue = self.queues.get(place).map(CrossQueueSnapshot::queue);
            let queue = queue.and_then(Result::ok);
            queue.ok_or(PlanError::Missing("a cross queue that parses"))
        };
        Ok(CrossLists {
            floor,
            queue_long: queue(0)?,
            queue_short: queue(1)?,
            accounts: &self.traders,
        })
    }
}
