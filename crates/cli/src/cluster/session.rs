//! What every command on a cluster begins with: which cluster, which key, which market.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::io::{ErrorKind, Write};
use std::sync::Arc;
use std::time::Duration;

use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result};
use ballast_client::accounts::CrossQueueSnapshot;
use ballast_client::cross::position_queue;
use ballast_client::token::{token_amount, SYSTEM_PROGRAM};
use ballast_client::{accounts, addresses};
use ballast_rpc::cluster::Cluster;
use ballast_rpc::settings::{commitment, Settings};
use ballast_state::exchange::Exchange;
use ballast_state::market::Market;
use ballast_state::position_slot::PositionSlot;
use ballast_state::trader::Trader;
use ballast_view::protection::ProtectionView;
use serde::Serialize;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::failure::Usage;
use super::options::{Global, TraderChoice};
use super::state::{self, name_of, MarketState, Parts};

/// Between two lines about a node that does not answer.
const COMPLAIN_EVERY: Duration = Duration::from_secs(5);

/// A cluster and how to talk to it and to the user.
pub struct Session {
    /// The cluster to read from and send to.
    pub cluster: Arc<Cluster>,
    /// Whether answers are JSON.
    pub json: bool,
    settings: Settings,
    price_accounts: Vec<Pubkey>,
}

impl Session {
    /// From the options of the command line and the configuration of the Solana tools.
    pub fn new(global: &Global) -> Result<Self> {
        let mut settings = Settings::resolve(
            global.url.as_ref(),
            global.keypair.as_deref(),
            global.config.as_deref(),
        )
        .map_err(|error| Usage(error.to_string()))?;
        if let Some(name) = &global.commitment {
            settings.commitment = commitment(name).map_err(|error| Usage(error.to_string()))?;
        }
        Ok(Self {
            cluster: Arc::new(Cluster::new(&settings)),
            json: global.json(),
            settings,
            price_accounts: global.price_accounts.clone(),
        })
    }

    /// The key that signs and pays.
    pub fn keypair(&self) -> Result<Arc<Keypair>> {
        Ok(Arc::new(self.settings.keypair()?))
    }

    /// The price accounts that were named.
    pub fn price_accounts(&self) -> &[Pubkey] {
        &self.price_accounts
    }

    /// Reads the exchange.
    pub async fn exchange(&self) -> Result<Exchange> {
        Ok(self.cluster.exchange().await?)
    }

    /// The trader account that was chosen: by address, or by owner and number, where the owner is
    /// the signer unless named.
    pub fn trader_address(&self, choice: &TraderChoice) -> Result<Pubkey> {
        if let Some(address) = choice.trader {
            return Ok(address);
        }
        let owner = match choice.owner {
            Some(owner) => owner,
            None => self.keypair()?.pubkey(),
        };
        Ok(addresses::trader(&owner, choice.sub_id))
    }

    /// A trader account that must exist.
    pub async fn trader(&self, address: &Pubkey) -> Result<Trader> {
        match self.cluster.trader(address).await? {
            Some(trader) => Ok(trader),
            None => Err(self.no_trader(address).await?.into()),
        }
    }

    /// What is at an address where there is no trader account.
    async fn no_trader(&self, address: &Pubkey) -> Result<Usage> {
        let (_, found) = self.cluster.accounts(&[*address]).await?;
        let account = found.into_iter().next().flatten();
        Ok(Usage(match account {
            Some(account) if account.owner == SYSTEM_PROGRAM => format!(
                "{address} is a wallet, not a trader account; the trader account number 0 of that wallet would be {}: use --owner {address}",
                addresses::trader(address, 0)
            ),
            Some(account) => format!(
                "{address} is an account of program {}, not a trader account; `ballast trader list` lists yours",
                account.owner
            ),
            None => format!(
                "there is no trader account at {address}; open one with `ballast trader create` or choose another with --trader, --owner and --sub-id"
            ),
        }))
    }

    /// The market of this number, name or address.
    pub async fn find(&self, selector: &str) -> Result<(Pubkey, Market)> {
        let markets = self.cluster.markets().await?;
        choose(&markets, selector).map_err(Into::into)
    }

    /// The market of this number, name or address with its accounts, all of one slot.
    pub async fn market(&self, selector: &str, parts: Parts) -> Result<MarketState> {
        let (address, market) = self.find(selector).await?;
        let decimals = self.exchange().await?.mint_decimals;
        self.state(&address, &market, decimals, parts).await
    }

    /// A market's accounts, all of one slot.
    pub async fn state(
        &self,
        address: &Pubkey,
        market: &Market,
        decimals: u8,
        parts: Parts,
    ) -> Result<MarketState> {
        let wanted = state::wanted(address, market, &self.price_accounts, parts);
        let (slot, found) = self.cluster.accounts(&wanted).await?;
        state::read(&wanted, slot, &found, decimals, parts)
    }

    /// The markets of slots of a trader account, in their order.
    pub async fn markets_of<'a>(
        &self,
        slots: impl Iterator<Item = &'a PositionSlot>,
        parts: Parts,
    ) -> Result<Vec<MarketState>> {
        let decimals = self.exchange().await?.mint_decimals;
        let mut states = Vec::new();
        for slot in slots {
            let market = self.cluster.market(&slot.market).await?;
            let state = self.state(&slot.market, &market, decimals, parts);
            states.push(state.await?);
        }
        Ok(states)
    }

    /// The protective steps of a trader account in a market, whose state has its queues, for an isolated position or
    /// a leg; `None` where their account does not exist.
    pub async fn protection(
        &self,
        address: &Pubkey,
        trader: &Trader,
        state: &MarketState,
    ) -> Result<Option<ProtectionView>> {
        let account = addresses::protection(address, &state.keys.market);
        let (_, found) = self.cluster.accounts(&[account]).await?;
        let found = found.into_iter().flatten().next();
        let Some(account) = found.filter(|account| account.owner == ballast_state::ID) else {
            return Ok(None);
        };
        let steps = accounts::protection(&account.data)?;
        let Ok(leg) = trader.leg(&state.keys.market) else {
            let slot = trader.slot(&state.keys.market).ok();
            return Ok(Some(ProtectionView::new(&steps, slot, state)?));
        };
        let board = super::cross::board(self).await?;
        let key = position_queue(leg, &state.market, Some(&board))?;
        let (_, found) = self.cluster.accounts(&[key]).await?;
        let found = found.into_iter().flatten().next();
        let queue = found.context("the cross queue of the leg is not there")?;
        let queue = CrossQueueSnapshot::new(&queue.data)?;
        Ok(Some(ProtectionView::of_leg(&steps, leg, &queue)?))
    }

    /// The same in several markets, by their numbers.
    pub async fn protections(
        &self,
        address: &Pubkey,
        trader: &Trader,
        states: &[MarketState],
    ) -> Result<BTreeMap<u16, ProtectionView>> {
        let mut found = BTreeMap::new();
        for state in states {
            let view = self.protection(address, trader, state).await?;
            found.extend(view.map(|view| (state.market.index, view)));
        }
        Ok(found)
    }

    /// What a token account holds, atoms; `None` when there is none.
    pub async fn tokens(&self, address: &Pubkey) -> Result<Option<u64>> {
        let (_, found) = self.cluster.accounts(&[*address]).await?;
        let account = found.into_iter().next().flatten();
        Ok(account.and_then(|account| token_amount(&account.data)))
    }

    /// Prints an answer: the words, or the value as one line of JSON.
    pub fn answer(&self, value: &impl Serialize, words: impl FnOnce() -> String) -> Result<()> {
        if self.json {
            say(&serde_json::to_string(value)?)
        } else {
            say(&words())
        }
    }
}

/// Runs a future to its end.
pub fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(future)
}

/// Says on standard error every few seconds that the node has not answered, while it has not.
/// Never ends.
pub async fn complain(cluster: &Cluster) -> Infallible {
    let mut looks = tokio::time::interval(COMPLAIN_EVERY);
    looks.tick().await;
    let (mut answered, mut silent) = (cluster.requests.made(), 0);
    loop {
        looks.tick().await;
        let made = cluster.requests.made();
        silent = match cluster.requests.waiting() && made == answered {
            true => silent + COMPLAIN_EVERY.as_secs(),
            false => 0,
        };
        answered = made;
        if silent > 0 {
            eprintln!("{} has not answered for {silent} s.", cluster.endpoint);
        }
    }
}

/// Prints a line. Whoever reads may have seen enough.
pub fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

fn choose(markets: &[(Pubkey, Market)], selector: &str) -> Result<(Pubkey, Market), Usage> {
    let is_named = |(address, market): &&(Pubkey, Market)| {
        selector.parse() == Ok(market.index)
            || selector == address.to_string()
            || selector.eq_ignore_ascii_case(&name_of(market))
    };
    if let Some(found) = markets.iter().find(is_named) {
        return Ok(*found);
    }
    let all: Vec<String> = markets
        .iter()
        .map(|(_, market)| format!("{} {}", market.index, name_of(market)))
        .collect();
    let known = if all.is_empty() {
        "none yet".to_owned()
    } else {
        all.join(", ")
    };
    Err(Usage(format!(
        "there is no market `{selector}`: expected the number, the name or the address of one of: {known}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;

    fn market(index: u16, name: &[u8]) -> (Pubkey, Market) {
        let mut market = Market::zeroed();
        market.index = index;
        market.name[..name.len()].copy_from_slice(name);
        (addresses::market(index), market)
    }

    #[test]
    fn a_market_is_found_by_number_name_and_address() {
        let markets = [market(0, b"SOL-PERP"), market(1, b"BTC-PERP")];
        let address = addresses::market(1).to_string();
        for selector in ["1", "btc-perp", "BTC-PERP", address.as_str()] {
            let found = choose(&markets, selector).expect(selector);
            assert_eq!(found.1.index, 1, "{selector}");
        }
        let error = choose(&markets, "2")
            .expect_err("no such market")
            .to_string();
        assert!(error.contains("0 SOL-PERP, 1 BTC-PERP"), "{error}");
        assert!(choose(&[], "0").is_err());
    }
}
