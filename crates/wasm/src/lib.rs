//! Questions to engine, state, client and explanations of Ballast, for a browser's worker and for Node.
//!
//! They are answered by WebAssembly modules without imports: `ballast.wasm` has the calls of [`TRADING`],
//! `backstop.wasm` those of [`BACKSTOP`]. Each exports `alloc`, `free` and `call` (`memory.rs` beside this folder).
//! A call is its name and the borsh of its request, mostly accounts as a node sends them; its answer is a line of JSON:
//! `{"value": ...}`, or `{"error": "...", "call": "..."}` with a sentence and the name of the call. A value has the
//! shape of the JSON that `ballast --output json` prints, where there is such a command, but for one thing: a whole
//! number of more than 32 bits is a string of its digits, which JavaScript keeps exactly.
//!
//! Every rule is the client's or the engine's. No bytes make a call panic.

mod calls;
pub mod request;

use anyhow::Result;
use borsh::BorshDeserialize;
use serde::Serialize;

/// A call: the answer to the borsh of a request, as JSON.
pub type Call = fn(&[u8]) -> Result<String>;

/// What a trader asks while trading, by name.
pub const TRADING: [(&str, Call); 7] = [
    ("positions", |bytes| answered(bytes, calls::positions::call)),
    ("standing", |bytes| answered(bytes, calls::standing::call)),
    ("queue", |bytes| answered(bytes, calls::queue::call)),
    ("makers", |bytes| answered(bytes, calls::makers::call)),
    ("order", |bytes| answered(bytes, calls::order::call)),
    ("market", |bytes| answered(bytes, calls::market::call)),
    ("alerts", |bytes| answered(bytes, calls::alerts::call)),
];

/// What is asked about collateral, losses, what absorbs them, and accounts that share collateral, by name.
pub const BACKSTOP: [(&str, Call); 11] = [
    ("transfer", |bytes| answered(bytes, calls::transfer::call)),
    ("gap", |bytes| answered(bytes, calls::gap::call)),
    ("liquidation", |bytes| {
        answered(bytes, calls::liquidation::call)
    }),
    ("counterparties", |bytes| {
        answered(bytes, calls::counterparties::call)
    }),
    ("explain", |bytes| answered(bytes, calls::explain::call)),
    ("pool", |bytes| answered(bytes, calls::pool::call)),
    ("stake", |bytes| answered(bytes, calls::stake::call)),
    ("join_pool", |bytes| answered(bytes, calls::join_pool::call)),
    ("join_stakes", |bytes| {
        answered(bytes, calls::join_stakes::call)
    }),
    ("account", |bytes| answered(bytes, calls::account::call)),
    ("leg_order", |bytes| answered(bytes, calls::leg_order::call)),
];

/// The answer of a module with these calls: a line of JSON.
#[must_use]
pub fn answer_of(calls: &[(&str, Call)], name: &str, bytes: &[u8]) -> String {
    let called = calls.iter().find(|(known, _)| *known == name);
    let answer = match called {
        Some((_, call)) => call(bytes),
        None => Err(unknown(calls, name)),
    };
    match answer {
        Ok(value) => format!("{{\"value\":{value}}}"),
        Err(error) => {
            let sentence = ballast_view::digits::json(&format!("{error:#}"));
            let name = ballast_view::digits::json(&name);
            format!(
                "{{\"error\":{},\"call\":{}}}",
                sentence.unwrap_or_default(),
                name.unwrap_or_default()
            )
        }
    }
}

fn unknown(calls: &[(&str, Call)], name: &str) -> anyhow::Error {
    let known: Vec<&str> = calls.iter().map(|(known, _)| *known).collect();
    anyhow::anyhow!(
        "there is no call `{name}`; the module has {}: is it of the same release as its caller?",
        known.join(", ")
    )
}

fn answered<Q: BorshDeserialize, A: Serialize>(
    bytes: &[u8],
    call: impl Fn(&Q) -> Result<A>,
) -> Result<String> {
    let request = borsh::from_slice(bytes).map_err(|_| {
        anyhow::anyhow!(
            "the request does not parse; expected the fields of this call, from a caller of the same release"
        )
    })?;
    ballast_view::digits::json(&call(&request)?)
}
