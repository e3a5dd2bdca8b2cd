//! What a websocket follows, and what it is told.

use ballast_state::Pubkey;
use serde_json::{json, Value};
use solana_account::{AccountSharedData, ReadableAccount};
use solana_commitment_config::CommitmentConfig;
use solana_rpc_client_api::config::{
    RpcAccountInfoConfig, RpcProgramAccountsConfig, RpcSignatureSubscribeConfig,
    RpcTransactionLogsFilter,
};
use solana_rpc_client_api::filter::RpcFilterType;
use solana_rpc_client_api::response::{
    ProcessedSignatureResult, RpcKeyedAccount, RpcLogsResponse, SlotInfo,
};
use solana_signature::Signature;

use crate::accounts::{check_filters, context, fits};
use crate::chain::{Chain, News};
use crate::fault::Fault;
use crate::history::Record;
use crate::params::{address, Params};

/// What is followed.
#[derive(Clone, Debug)]
pub enum Subscription {
    /// An account.
    Account(Pubkey, RpcAccountInfoConfig),
    /// A program's accounts that pass filters.
    Program(Pubkey, Vec<RpcFilterType>, RpcAccountInfoConfig),
    /// Logs of all transactions, or of those that name an account.
    Logs(Option<Pubkey>),
    /// What becomes of a transaction.
    Signature(Signature, Option<CommitmentConfig>),
    /// Slots that begin.
    Slot,
    /// Slots that become final.
    Root,
}

impl Subscription {
    /// What a method asks to follow; `None` when it is no such method.
    pub fn of(method: &str, params: &Params) -> Option<Result<Self, Fault>> {
        Some(match method {
            "accountSubscribe" => Self::account(params),
            "programSubscribe" => Self::program(params),
            "logsSubscribe" => Self::logs(params),
            "signatureSubscribe" => Self::signature(params),
            "slotSubscribe" => Ok(Self::Slot),
            "rootSubscribe" => Ok(Self::Root),
            _ => return None,
        })
    }

    fn account(params: &Params) -> Result<Self, Fault> {
        Ok(Self::Account(params.address(0)?, params.config(1)?))
    }

    fn program(params: &Params) -> Result<Self, Fault> {
        let config: RpcProgramAccountsConfig = params.config(1)?;
        let filters = config.filters.unwrap_or_default();
        check_filters(&filters)?;
        Ok(Self::Program(
            params.address(0)?,
            filters,
            config.account_config,
        ))
    }

    fn logs(params: &Params) -> Result<Self, Fault> {
        Ok(Self::Logs(match params.get(0)? {
            RpcTransactionLogsFilter::All | RpcTransactionLogsFilter::AllWithVotes => None,
            RpcTransactionLogsFilter::Mentions(named) => match &named[..] {
                [one] => Some(address(one)?),
                _ => return Err(Fault::params("Only 1 address supported")),
            },
        }))
    }

    fn signature(params: &Params) -> Result<Self, Fault> {
        let config: RpcSignatureSubscribeConfig = params.config(1)?;
        Ok(Self::Signature(params.signature(0)?, config.commitment))
    }

    /// The method of what is told, without `Notification`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Account(..) => "account",
            Self::Program(..) => "program",
            Self::Logs(_) => "logs",
            Self::Signature(..) => "signature",
            Self::Slot => "slot",
            Self::Root => "root",
        }
    }

    /// Whether it ends with the first thing that is told.
    pub const fn is_once(&self) -> bool {
        matches!(self, Self::Signature(..))
    }

    /// What is told at once, since it has happened before.
    pub fn begin(&self, chain: &Chain) -> Option<Value> {
        let Self::Signature(signature, commitment) = self else {
            return None;
        };
        let record = chain.history.get(signature)?;
        chain
            .is_settled(record, *commitment)
            .then(|| landed(record, chain.slot()))
    }

    /// What is told of this.
    pub fn tell(&self, news: &News, chain: &Chain) -> Vec<Value> {
        match (self, news) {
            (Self::Slot, News::Slot { slot, parent }) => {
                let (slot, parent, root) = (*slot, *parent, slot.saturating_sub(1));
                vec![json!(SlotInfo { slot, parent, root })]
            }
            (Self::Root, News::Slot { slot, .. }) => vec![slot.saturating_sub(1).into()],
            (Self::Account(wanted, config), News::Accounts { slot, changed }) => {
                let found = changed.iter().filter(|(address, _)| address == wanted);
                let shown = found.filter_map(|(address, account)| {
                    let shown = chain.shown(address, account, config).ok()?;
                    Some(json!({"context": context(*slot), "value": shown}))
                });
                shown.collect()
            }
            (Self::Program(program, filters, config), News::Accounts { slot, changed }) => {
                let found = changed.iter().filter(|(_, account)| {
                    account.owner() == program && fits(filters, account.data())
                });
                let shown = found.filter_map(|(address, account)| {
                    let shown = keyed(chain, address, account, config)?;
                    Some(json!({"context": context(*slot), "value": shown}))
                });
                shown.collect()
            }
            (Self::Logs(wanted), News::Transaction(record)) => {
                match wanted.is_none_or(|wanted| record.mentions(&wanted)) {
                    true => vec![logs(record)],
                    false => Vec::new(),
                }
            }
            (Self::Signature(..), News::Transaction(_) | News::Slot { .. }) => {
                self.begin(chain).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }
}

fn keyed(
    chain: &Chain,
    address: &Pubkey,
    account: &AccountSharedData,
    config: &RpcAccountInfoConfig,
) -> Option<RpcKeyedAccount> {
    Some(RpcKeyedAccount {
        pubkey: address.to_string(),
        account: chain.shown(address, account, config).ok()?,
    })
}

fn logs(record: &Record) -> Value {
    let told = RpcLogsResponse {
        signature: record.signature.to_string(),
        err: record.error().cloned().map(Into::into),
        logs: record.told().logs.clone(),
    };
    json!({"context": context(record.executed.slot), "value": told})
}

fn landed(record: &Record, slot: u64) -> Value {
    let told = ProcessedSignatureResult {
        err: record.error().cloned().map(Into::into),
    };
    json!({"context": context(slot), "value": told})
}
