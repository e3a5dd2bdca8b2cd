//! The parameters of a request.

use ballast_state::Pubkey;
use base64::prelude::{Engine, BASE64_STANDARD};
use serde::de::DeserializeOwned;
use serde_json::Value;
use solana_rpc_client_api::config::UiTransactionEncoding;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;

use crate::fault::Fault;

/// Most bytes of a transaction.
const MOST_BYTES: usize = 1_232;

/// The list of a request's parameters; what is left out counts as `null`.
pub struct Params(Vec<Value>);

impl Params {
    /// Those of a request.
    ///
    /// # Errors
    /// When they are no list.
    pub fn of(request: &Value) -> Result<Self, Fault> {
        match request.get("params") {
            None | Some(Value::Null) => Ok(Self(Vec::new())),
            Some(Value::Array(all)) => Ok(Self(all.clone())),
            Some(_) => Err(Fault::params("expected a list")),
        }
    }

    /// The parameter at a place.
    ///
    /// # Errors
    /// When it is missing or something else.
    pub fn get<T: DeserializeOwned>(&self, place: usize) -> Result<T, Fault> {
        let value = self.0.get(place).cloned().unwrap_or_default();
        serde_json::from_value(value).map_err(|error| Fault::params(format!("{error}.")))
    }

    /// The configuration at a place; the usual one where there is none.
    ///
    /// # Errors
    /// When it is something else.
    pub fn config<T: DeserializeOwned + Default>(&self, place: usize) -> Result<T, Fault> {
        Ok(self.get::<Option<T>>(place)?.unwrap_or_default())
    }

    /// The address at a place.
    ///
    /// # Errors
    /// When it is none.
    pub fn address(&self, place: usize) -> Result<Pubkey, Fault> {
        address(&self.get::<String>(place)?)
    }

    /// The signature at a place.
    ///
    /// # Errors
    /// When it is none.
    pub fn signature(&self, place: usize) -> Result<Signature, Fault> {
        signature(&self.get::<String>(place)?)
    }
}

/// The address of this text.
///
/// # Errors
/// When it is none.
pub fn address(text: &str) -> Result<Pubkey, Fault> {
    text.parse()
        .map_err(|error| Fault::params(format!("{error:?}")))
}

/// The signature of this text.
///
/// # Errors
/// When it is none.
pub fn signature(text: &str) -> Result<Signature, Fault> {
    text.parse()
        .map_err(|error| Fault::params(format!("{error:?}")))
}

/// The bytes of this text, in base58 where nothing else is said.
///
/// # Errors
/// When they are none or too many.
pub fn bytes(text: &str, encoding: Option<UiTransactionEncoding>) -> Result<Vec<u8>, Fault> {
    let bytes = match encoding.unwrap_or(UiTransactionEncoding::Base58) {
        UiTransactionEncoding::Base58 | UiTransactionEncoding::Binary => {
            let decoded = bs58::decode(text).into_vec();
            decoded.map_err(|error| Fault::params(format!("invalid base58 encoding: {error}")))?
        }
        UiTransactionEncoding::Base64 => {
            let decoded = BASE64_STANDARD.decode(text);
            decoded.map_err(|error| Fault::params(format!("invalid base64 encoding: {error}")))?
        }
        other => {
            return Err(Fault::params(format!(
                "unsupported encoding: {other}. Supported encodings: base58, base64"
            )))
        }
    };
    match bytes.len() <= MOST_BYTES {
        true => Ok(bytes),
        false => Err(Fault::params(format!(
            "decoded transaction too large: {} bytes (max: {MOST_BYTES} bytes)",
            bytes.len()
        ))),
    }
}

/// The transaction of this text.
///
/// # Errors
/// When it is none.
pub fn transaction(
    text: &str,
    encoding: Option<UiTransactionEncoding>,
) -> Result<VersionedTransaction, Fault> {
    let bytes = bytes(text, encoding)?;
    let read: VersionedTransaction = bincode::deserialize(&bytes).map_err(|error| {
        Fault::params(format!("failed to deserialize the transaction: {error}"))
    })?;
    match read.sanitize() {
        Ok(()) => Ok(read),
        Err(error) => Err(Fault::params(format!("invalid transaction: {error}"))),
    }
}
