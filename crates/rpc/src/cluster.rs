//! Reading the program's accounts.

use std::time::{Duration, Instant};

use anchor_lang::prelude::Pubkey;
use ballast_client::accounts::{self, BookSnapshot, DecodeError, QueueSnapshot};
use ballast_client::addresses;
use ballast_client::instructions::{Collateral, MarketKeys};
use ballast_state::exchange::Exchange;
use ballast_state::market::{Market, MARKET_DISCRIMINATOR};
use ballast_state::staged::{Staged, STAGED_DISCRIMINATOR};
use ballast_state::trader::{Trader, TRADER_DISCRIMINATOR};
use solana_account::Account;
use solana_account_decoder_client_types::UiAccountEncoding;
use solana_clock::Clock;
use solana_commitment_config::CommitmentConfig;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client::rpc_client::RpcClientConfig;
use solana_rpc_client_api::client_error::Error as ClientError;
use solana_rpc_client_api::config::{RpcAccountInfoConfig, RpcProgramAccountsConfig};
use solana_rpc_client_api::filter::{Memcmp, RpcFilterType};
use solana_rpc_client_api::request::RpcRequest;
use solana_rpc_client_api::response::{OptionalContext, RpcKeyedAccount};

use crate::endpoint::Endpoint;
use crate::settings::Settings;
use crate::transport::{Counted, Requests};

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Most accounts of one `getMultipleAccounts`.
const MOST_ACCOUNTS: usize = 100;

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The node did not answer, or answered with an error.
    #[error("the RPC node did not answer: {0}")]
    Rpc(#[from] Box<ClientError>),
    /// There is no such account.
    #[error("there is no {what} at {address}; is it the right cluster?")]
    Missing {
        /// What was expected.
        what: &'static str,
        /// Address that was read.
        address: Pubkey,
    },
    /// The account is not what it should be.
    #[error("the {what} at {address} cannot be read: {error}")]
    Decode {
        /// What was expected.
        what: &'static str,
        /// Address that was read.
        address: Pubkey,
        /// What is wrong with it.
        error: DecodeError,
    },
}

impl From<ClientError> for ReadError {
    fn from(error: ClientError) -> Self {
        Self::Rpc(Box::new(error))
    }
}

/// A cluster to read from.
pub struct Cluster {
    /// The node's JSON RPC.
    pub rpc: RpcClient,
    /// Where the node is.
    pub endpoint: Endpoint,
    /// Where its websocket is.
    pub websocket_url: Endpoint,
    /// How settled what is read must be.
    pub commitment: CommitmentConfig,
    /// Requests made so far.
    pub requests: Requests,
}

/// The accounts of a market in one slot.
#[derive(Clone, Debug)]
pub struct MarketSnapshot {
    /// Slot in which the node had them.
    pub slot: u64,
    /// The clock of that slot.
    pub clock: Clock,
    /// The accounts' addresses.
    pub keys: MarketKeys,
    /// The market's account, decoded.
    pub market: Box<Market>,
    /// The price account, as it is.
    pub price_account: Account,
    /// The order book.
    pub book: BookSnapshot,
    /// The queue of longs.
    pub queue_long: QueueSnapshot,
    /// The queue of shorts.
    pub queue_short: QueueSnapshot,
}

impl Cluster {
    /// A client of the cluster; connects when it is first asked.
    pub fn new(settings: &Settings) -> Self {
        let requests = Requests::default();
        let transport = Counted::http(&settings.rpc_url, TIMEOUT, requests.clone());
        let config = RpcClientConfig::with_commitment(settings.commitment);
        Self {
            rpc: RpcClient::new_sender(transport, config),
            requests,
            endpoint: settings.rpc_url.clone(),
            websocket_url: settings.websocket_url.clone(),
            commitment: settings.commitment,
        }
    }

    /// Reads the exchange.
    ///
    /// # Errors
    /// [`ReadError`], as of every reader here.
    pub async fn exchange(&self) -> Result<Exchange, ReadError> {
        let address = addresses::exchange();
        let account = self.account("exchange", &address).await?;
        decoded("exchange", &address, accounts::exchange(&account.data))
    }

    /// The collateral mint and the program that owns it.
    pub async fn collateral(&self) -> Result<Collateral, ReadError> {
        let mint = self.exchange().await?.collateral_mint;
        let account = self.account("collateral mint", &mint).await?;
        Ok(Collateral {
            mint,
            token_program: account.owner,
        })
    }

    /// Reads the market at `address`.
    pub async fn market(&self, address: &Pubkey) -> Result<Market, ReadError> {
        let account = self.account("market", address).await?;
        decoded("market", address, accounts::market(&account.data))
    }

    /// All markets, in order of their numbers.
    pub async fn markets(&self) -> Result<Vec<(Pubkey, Market)>, ReadError> {
        let mut markets = self
            .program_accounts(&MARKET_DISCRIMINATOR, "market", accounts::market)
            .await?;
        markets.sort_by_key(|(_, market)| market.index);
        Ok(markets)
    }

    /// A trader account; `None` when there is none.
    pub async fn trader(&self, address: &Pubkey) -> Result<Option<Trader>, ReadError> {
        let (_, found) = self.accounts(&[*address]).await?;
        let open = found.into_iter().flatten().next();
        let open = open.filter(|account| account.owner == ballast_state::ID);
        open.map(|account| decoded("trader account", address, accounts::trader(&account.data)))
            .transpose()
    }

    /// The change that an account holds; `None` when it holds none.
    pub async fn staged(&self, address: &Pubkey) -> Result<Option<Staged>, ReadError> {
        let (_, found) = self.accounts(&[*address]).await?;
        let held = found.into_iter().flatten().next();
        let held = held.filter(|account| account.owner == ballast_state::ID);
        held.map(|account| decoded("staged change", address, accounts::staged(&account.data)))
            .transpose()
    }

    /// Everything that is staged.
    pub async fn all_staged(&self) -> Result<Vec<(Pubkey, Staged)>, ReadError> {
        self.program_accounts(&STAGED_DISCRIMINATOR, "staged change", accounts::staged)
            .await
    }

    /// All trader accounts.
    pub async fn traders(&self) -> Result<Vec<(Pubkey, Trader)>, ReadError> {
        self.program_accounts(&TRADER_DISCRIMINATOR, "trader account", accounts::trader)
            .await
    }

    /// A market with everything that decisions about it depend on, all of one slot. `price` is the
    /// account its price is read from.
    pub async fn snapshot(
        &self,
        address: &Pubkey,
        price: &Pubkey,
    ) -> Result<MarketSnapshot, ReadError> {
        let market = self.market(address).await?;
        let keys = MarketKeys::of(address, &market, *price);
        let named = [
            ("market", *address),
            ("queue of longs", keys.queue_long),
            ("queue of shorts", keys.queue_short),
            ("book", keys.book),
            ("price account", keys.price),
            ("clock", clock_address()),
        ];
        let addresses = named.map(|(_, address)| address);
        let (slot, found) = self.accounts(&addresses).await?;
        let data = |index: usize| -> Result<&Account, ReadError> {
            let (what, address) = named[index];
            let account = found.get(index).and_then(Option::as_ref);
            account.ok_or(ReadError::Missing { what, address })
        };
        let read = |index: usize| {
            let (what, address) = named[index];
            move |error| ReadError::Decode {
                what,
                address,
                error,
            }
        };
        Ok(MarketSnapshot {
            slot,
            clock: clock(&data(5)?.data, &addresses[5])?,
            keys,
            market: Box::new(accounts::market(&data(0)?.data).map_err(read(0))?),
            queue_long: QueueSnapshot::new(&data(1)?.data).map_err(read(1))?,
            queue_short: QueueSnapshot::new(&data(2)?.data).map_err(read(2))?,
            book: BookSnapshot::new(&data(3)?.data).map_err(read(3))?,
            price_account: data(4)?.clone(),
        })
    }

    /// The cluster's clock.
    pub async fn clock(&self) -> Result<Clock, ReadError> {
        let address = clock_address();
        let account = self.account("clock", &address).await?;
        clock(&account.data, &address)
    }

    /// Lamports that make an account of `space` bytes rent exempt.
    pub async fn rent(&self, space: usize) -> Result<u64, ReadError> {
        let asked = self.rpc.get_minimum_balance_for_rent_exemption(space);
        Ok(asked.await.map_err(Box::new)?)
    }

    /// Accounts as they are in one slot (the last one's, when there are more than 100), and that
    /// slot. `None` where there is none.
    pub async fn accounts(
        &self,
        addresses: &[Pubkey],
    ) -> Result<(u64, Vec<Option<Account>>), ReadError> {
        self.accounts_since(addresses, 0).await
    }

    /// As [`Self::accounts`], as they are in slot `at_least` or later. A node that is not there
    /// yet answers with an error.
    pub async fn accounts_since(
        &self,
        addresses: &[Pubkey],
        at_least: u64,
    ) -> Result<(u64, Vec<Option<Account>>), ReadError> {
        let mut config = self.account_config();
        config.min_context_slot = (at_least > 0).then_some(at_least);
        let (mut slot, mut all) = (0, Vec::with_capacity(addresses.len()));
        for some in addresses.chunks(MOST_ACCOUNTS) {
            let answer = self
                .rpc
                .get_multiple_ui_accounts_with_config(some, config.clone())
                .await?;
            slot = answer.context.slot;
            let found = answer.value.into_iter();
            all.extend(found.map(|account| account.and_then(|ui| ui.to_account())));
        }
        Ok((slot, all))
    }

    /// Waits until `slot` is finalized, at most for `patience`; whether it is.
    pub async fn is_final(&self, slot: u64, patience: Duration) -> bool {
        let begun = Instant::now();
        let mut looks = tokio::time::interval(Duration::from_millis(400));
        while begun.elapsed() < patience {
            looks.tick().await;
            let rooted = CommitmentConfig::finalized();
            let root = self.rpc.get_slot_with_commitment(rooted).await;
            if root.is_ok_and(|root| root >= slot) {
                return true;
            }
        }
        false
    }

    /// How accounts are asked for: compressed, at this commitment.
    pub fn account_config(&self) -> RpcAccountInfoConfig {
        RpcAccountInfoConfig {
            encoding: Some(UiAccountEncoding::Base64Zstd),
            commitment: Some(self.commitment),
            ..RpcAccountInfoConfig::default()
        }
    }

    /// The program's accounts of one type, as a filter of `getProgramAccounts` and
    /// `programSubscribe`.
    pub fn program_config(&self, discriminator: &[u8]) -> RpcProgramAccountsConfig {
        let begins = Memcmp::new_base58_encoded(0, discriminator);
        RpcProgramAccountsConfig {
            filters: Some(vec![RpcFilterType::Memcmp(begins)]),
            account_config: self.account_config(),
            with_context: None,
            sort_results: Some(false),
        }
    }

    async fn account(&self, what: &'static str, address: &Pubkey) -> Result<Account, ReadError> {
        let (_, found) = self.accounts(&[*address]).await?;
        found
            .into_iter()
            .flatten()
            .next()
            .ok_or(ReadError::Missing {
                what,
                address: *address,
            })
    }

    /// The program's accounts of one type as they are in one slot, packed as the node sent them,
    /// and that slot.
    pub async fn accounts_of(&self, discriminator: &[u8]) -> Result<(u64, Packed), ReadError> {
        let mut config = self.program_config(discriminator);
        config.with_context = Some(true);
        let params = serde_json::json!([ballast_state::ID.to_string(), config]);
        let answer: OptionalContext<Packed> = self
            .rpc
            .send(RpcRequest::GetProgramAccounts, params)
            .await?;
        Ok(match answer {
            OptionalContext::Context(answer) => (answer.context.slot, answer.value),
            OptionalContext::NoContext(value) => (0, value),
        })
    }

    async fn program_accounts<T>(
        &self,
        discriminator: &[u8],
        what: &'static str,
        decode: impl Fn(&[u8]) -> Result<T, DecodeError>,
    ) -> Result<Vec<(Pubkey, T)>, ReadError> {
        let (_, found) = self.accounts_of(discriminator).await?;
        found
            .iter()
            .filter_map(unpacked)
            .map(|(address, data)| Ok((address, decoded(what, &address, decode(&data))?)))
            .collect()
    }
}

/// Accounts with their addresses, as a node sends them.
pub type Packed = Vec<RpcKeyedAccount>;

/// Address and data of an account; `None` where the node sent neither.
pub fn unpacked(packed: &RpcKeyedAccount) -> Option<(Pubkey, Vec<u8>)> {
    Some((packed.pubkey.parse().ok()?, packed.account.data.decode()?))
}

/// Where the clock is.
pub const fn clock_address() -> Pubkey {
    solana_clock::sysvar::ID
}

/// The clock in an account's data; `None` when it is none.
pub fn clock_of(data: &[u8]) -> Option<Clock> {
    let word = |at: usize| -> Option<[u8; 8]> { data.get(at..at + 8)?.try_into().ok() };
    Some(Clock {
        slot: u64::from_le_bytes(word(0)?),
        epoch_start_timestamp: i64::from_le_bytes(word(8)?),
        epoch: u64::from_le_bytes(word(16)?),
        leader_schedule_epoch: u64::from_le_bytes(word(24)?),
        unix_timestamp: i64::from_le_bytes(word(32)?),
    })
}

fn clock(data: &[u8], address: &Pubkey) -> Result<Clock, ReadError> {
    clock_of(data).ok_or(ReadError::Decode {
        what: "clock",
        address: *address,
        error: DecodeError::TooShort {
            expected: 40,
            found: data.len(),
        },
    })
}

fn decoded<T>(
    what: &'static str,
    address: &Pubkey,
    result: Result<T, DecodeError>,
) -> Result<T, ReadError> {
    result.map_err(|error| ReadError::Decode {
        what,
        address: *address,
        error,
    })
}
