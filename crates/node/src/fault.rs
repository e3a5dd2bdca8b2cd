//! Errors with the numbers that a node gives.

use serde_json::{json, Value};
use solana_rpc_client_api::custom_error;
use solana_rpc_client_api::response::RpcSimulateTransactionResult;

/// An error of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Its number.
    pub code: i64,
    /// What it says.
    pub message: String,
    /// What else it tells; `null` for most.
    pub data: Value,
}

impl Fault {
    fn new(code: i64, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            data: Value::Null,
        }
    }

    /// The body is no JSON.
    pub fn parse() -> Self {
        Self::new(-32700, "Parse error")
    }

    /// The body is no request.
    pub fn request() -> Self {
        Self::new(-32600, "Invalid request")
    }

    /// There is no such method.
    pub fn method() -> Self {
        Self::new(-32601, "Method not found")
    }

    /// A parameter is missing or means nothing.
    pub fn params(problem: impl core::fmt::Display) -> Self {
        Self::new(-32602, format!("Invalid params: {problem}"))
    }

    /// More than this node does at a time.
    pub fn limit(what: impl Into<String>) -> Self {
        Self::new(-32005, what)
    }

    /// The slot that was asked for is not reached.
    pub fn early(slot: u64) -> Self {
        Self {
            data: json!({"contextSlot": slot}),
            ..Self::new(
                custom_error::JSON_RPC_SERVER_ERROR_MIN_CONTEXT_SLOT_NOT_REACHED,
                "Minimum context slot has not been reached",
            )
        }
    }

    /// A signature is not that of its key.
    pub fn signature() -> Self {
        Self::new(
            custom_error::JSON_RPC_SERVER_ERROR_TRANSACTION_SIGNATURE_VERIFICATION_FAILURE,
            "Transaction signature verification failure",
        )
    }

    /// A transaction failed before it was sent, with what its simulation said.
    pub fn preflight(result: &RpcSimulateTransactionResult) -> Self {
        let reason = result.err.as_ref().map(ToString::to_string);
        Self {
            data: json!(result),
            ..Self::new(
                custom_error::JSON_RPC_SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE,
                format!(
                    "Transaction simulation failed: {}",
                    reason.unwrap_or_default()
                ),
            )
        }
    }

    /// No block of this slot is known.
    pub fn block(slot: u64) -> Self {
        Self::new(
            custom_error::JSON_RPC_SERVER_ERROR_BLOCK_NOT_AVAILABLE,
            format!("Block not available for slot {slot}"),
        )
    }

    /// The transaction's version is higher than the asker said to know.
    pub fn version(version: u8) -> Self {
        Self::new(
            custom_error::JSON_RPC_SERVER_ERROR_UNSUPPORTED_TRANSACTION_VERSION,
            format!(
                "Transaction version ({version}) is not supported by the requesting client. Please \
                 try the request again with the following configuration parameter: \
                 \"maxSupportedTransactionVersion\": {version}"
            ),
        )
    }

    /// As it stands in an answer.
    pub fn json(&self) -> Value {
        match self.data {
            Value::Null => json!({"code": self.code, "message": self.message}),
            _ => json!({"code": self.code, "message": self.message, "data": self.data}),
        }
    }
}
