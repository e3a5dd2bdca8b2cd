//! Accounts as a node tells them.

use ballast_client::token::token_amount;
use ballast_state::Pubkey;
use serde_json::{json, Value};
use solana_account::{Account, ReadableAccount};
use solana_account_decoder::encode_ui_account;
use solana_account_decoder::parse_account_data::{
    AccountAdditionalDataV3, SplTokenAdditionalDataV2,
};
use solana_account_decoder::parse_token::{get_token_account_mint, token_amount_to_ui_amount_v3};
use solana_account_decoder_client_types::{UiAccount, UiAccountEncoding, UiDataSliceConfig};
use solana_rpc_client_api::config::{
    RpcAccountInfoConfig, RpcProgramAccountsConfig, RpcTokenAccountsFilter,
};
use solana_rpc_client_api::filter::RpcFilterType;
use solana_rpc_client_api::response::RpcKeyedAccount;

use crate::answer::Answer;
use crate::chain::Chain;
use crate::fault::Fault;
use crate::params::{address, Params};

/// Most accounts of one request.
const MOST_ACCOUNTS: usize = 100;
/// Most filters of one request.
const MOST_FILTERS: usize = 4;
/// Where a mint says its decimals.
const DECIMALS: usize = 44;
/// The programs whose accounts hold tokens.
const TOKEN_PROGRAMS: [Pubkey; 2] = [
    Pubkey::from_str_const("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"),
    Pubkey::from_str_const("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"),
];

impl Chain {
    /// An account as it is asked for.
    pub fn shown(
        &self,
        address: &Pubkey,
        account: &impl ReadableAccount,
        config: &RpcAccountInfoConfig,
    ) -> Result<UiAccount, Fault> {
        let encoding = config.encoding.unwrap_or(UiAccountEncoding::Binary);
        encoded(account.data(), encoding, config.data_slice)?;
        let tokens = TOKEN_PROGRAMS.contains(account.owner());
        let mint = tokens.then(|| get_token_account_mint(account.data()));
        let decimals = mint.flatten().and_then(|mint| self.decimals(&mint));
        let additional = decimals.map(|decimals| AccountAdditionalDataV3 {
            spl_token_additional_data: Some(SplTokenAdditionalDataV2::with_decimals(decimals)),
        });
        let slice = config.data_slice;
        Ok(encode_ui_account(
            address, account, encoding, additional, slice,
        ))
    }

    fn decimals(&self, mint: &Pubkey) -> Option<u8> {
        self.sandbox().account(mint)?.data.get(DECIMALS).copied()
    }

    /// `getAccountInfo`.
    pub fn account_info(&self, params: &Params) -> Answer {
        let address = params.address(0)?;
        let config: RpcAccountInfoConfig = params.config(1)?;
        self.require_slot(config.min_context_slot)?;
        let account = self.sandbox().account(&address);
        let shown = account.map(|account| self.shown(&address, &account, &config));
        self.with_context(&shown.transpose()?)
    }

    /// `getMultipleAccounts`.
    pub fn multiple_accounts(&self, params: &Params) -> Answer {
        let wanted: Vec<String> = params.get(0)?;
        let config: RpcAccountInfoConfig = params.config(1)?;
        if wanted.len() > MOST_ACCOUNTS {
            return Err(Fault::params(format!(
                "Too many inputs provided; max {MOST_ACCOUNTS}"
            )));
        }
        self.require_slot(config.min_context_slot)?;
        let config = RpcAccountInfoConfig {
            encoding: config.encoding.or(Some(UiAccountEncoding::Base64)),
            ..config
        };
        let shown = wanted.iter().map(|text| {
            let address = address(text)?;
            let account = self.sandbox().account(&address);
            account
                .map(|account| self.shown(&address, &account, &config))
                .transpose()
        });
        let shown: Vec<Option<UiAccount>> = shown.collect::<Result<_, Fault>>()?;
        self.with_context(&shown)
    }

    /// `getProgramAccounts`.
    pub fn program_accounts(&self, params: &Params) -> Answer {
        let program = params.address(0)?;
        let config: RpcProgramAccountsConfig = params.config(1)?;
        self.require_slot(config.account_config.min_context_slot)?;
        let filters = config.filters.unwrap_or_default();
        check_filters(&filters)?;
        let all = self.sandbox().accounts_of(&program);
        let found = all
            .iter()
            .filter(|(_, account)| fits(&filters, &account.data));
        let shown = self.keyed(found, &config.account_config)?;
        match config.with_context {
            Some(true) => self.with_context(&shown),
            _ => Ok(json!(shown)),
        }
    }

    /// `getTokenAccountsByOwner`.
    pub fn token_accounts(&self, params: &Params) -> Answer {
        let owner = params.address(0)?;
        let wanted: RpcTokenAccountsFilter = params.get(1)?;
        let config: RpcAccountInfoConfig = params.config(2)?;
        self.require_slot(config.min_context_slot)?;
        let (mint, programs) = match &wanted {
            RpcTokenAccountsFilter::Mint(mint) => (Some(address(mint)?), TOKEN_PROGRAMS.to_vec()),
            RpcTokenAccountsFilter::ProgramId(program) => (None, vec![address(program)?]),
        };
        let all = programs
            .iter()
            .filter(|program| TOKEN_PROGRAMS.contains(program));
        let all: Vec<(Pubkey, Account)> = all
            .flat_map(|program| self.sandbox().accounts_of(program))
            .collect();
        let found = all.iter().filter(|(_, account)| {
            let held = get_token_account_mint(&account.data);
            held.is_some_and(|held| mint.is_none_or(|mint| mint == held))
                && account.data.get(32..64) == Some(owner.as_ref())
        });
        let shown = self.keyed(found.map(|(address, account)| (address, account)), &config)?;
        self.with_context(&shown)
    }

    /// `getTokenAccountBalance`.
    pub fn token_balance(&self, params: &Params) -> Answer {
        let address = params.address(0)?;
        let account = self.sandbox().account(&address);
        let account = account.ok_or(Fault::params("could not find account"))?;
        let held = TOKEN_PROGRAMS.contains(&account.owner).then(|| {
            let mint = get_token_account_mint(&account.data)?;
            Some((token_amount(&account.data)?, self.decimals(&mint)?))
        });
        let (amount, decimals) = held.flatten().ok_or(Fault::params("not a Token account"))?;
        let decimals = SplTokenAdditionalDataV2::with_decimals(decimals);
        self.with_context(&token_amount_to_ui_amount_v3(amount, &decimals))
    }

    /// `getBalance`.
    pub fn balance(&self, params: &Params) -> Answer {
        let account = self.sandbox().account(&params.address(0)?);
        self.with_context(&account.map_or(0, |account| account.lamports))
    }

    fn keyed<'a>(
        &self,
        found: impl Iterator<Item = (&'a Pubkey, &'a Account)>,
        config: &RpcAccountInfoConfig,
    ) -> Result<Vec<RpcKeyedAccount>, Fault> {
        found
            .map(|(address, account)| {
                Ok(RpcKeyedAccount {
                    pubkey: address.to_string(),
                    account: self.shown(address, account, config)?,
                })
            })
            .collect()
    }

    /// A value with the slot it is of.
    pub fn with_context(&self, value: &impl serde::Serialize) -> Answer {
        Ok(json!({"context": context(self.slot()), "value": value}))
    }

    /// That a slot is reached.
    pub fn require_slot(&self, least: Option<u64>) -> Result<(), Fault> {
        match least {
            Some(least) if least > self.slot() => Err(Fault::early(self.slot())),
            _ => Ok(()),
        }
    }
}

/// The context of a value.
pub fn context(slot: u64) -> Value {
    json!({"slot": slot, "apiVersion": crate::answer::VERSION})
}

/// That an account can be told in this encoding.
fn encoded(
    data: &[u8],
    encoding: UiAccountEncoding,
    slice: Option<UiDataSliceConfig>,
) -> Result<(), Fault> {
    let bytes = slice.map_or(data.len(), |slice| {
        data.len().saturating_sub(slice.offset).min(slice.length)
    });
    let short = matches!(
        encoding,
        UiAccountEncoding::Binary | UiAccountEncoding::Base58
    );
    if short && bytes > solana_account_decoder::MAX_BASE58_BYTES {
        return Err(Fault {
            code: -32600,
            ..Fault::params(format!(
                "Encoded binary (base 58) data should be less than {} bytes, please use Base64 \
                 encoding.",
                solana_account_decoder::MAX_BASE58_BYTES
            ))
        });
    }
    Ok(())
}

/// That filters mean something.
///
/// # Errors
/// When they do not.
pub fn check_filters(filters: &[RpcFilterType]) -> Result<(), Fault> {
    if filters.len() > MOST_FILTERS {
        return Err(Fault::params(format!(
            "Too many filters provided; max {MOST_FILTERS}"
        )));
    }
    filters
        .iter()
        .try_for_each(|filter| filter.verify().map_err(Fault::params))
}

/// Whether an account's data passes all filters.
pub fn fits(filters: &[RpcFilterType], data: &[u8]) -> bool {
    filters.iter().all(|filter| match filter {
        RpcFilterType::DataSize(size) => u64::try_from(data.len()) == Ok(*size),
        RpcFilterType::Memcmp(memcmp) => memcmp.bytes_match(data),
        RpcFilterType::TokenAccountState => get_token_account_mint(data).is_some(),
    })
}
