//! Engine, state, client and explanations of Ballast as one WebAssembly module without imports, for a
//! browser's worker and for Node.
//!
//! The module exports [`memory::alloc`], [`memory::free`] and [`memory::call`]. A call is the name of one of
//! [`CALLS`] and the borsh of its request, mostly accounts as a node sends them; its answer is a line of JSON:
//! `{"value": ...}`, or `{"error": "...", "call": "..."}` with a sentence and the name of the call. A value has the shape of the JSON that
//! `ballast --output json` prints, where there is such a command, but for one thing: a whole number of more
//! than 32 bits is a string of its digits, which JavaScript keeps exactly.
//!
//! Every rule is the client's or the engine's. No bytes make a call panic.

mod calls;
pub mod memory;
pub mod request;

use anyhow::Result;
use borsh::BorshDeserialize;
use serde::Serialize;

/// Something the module can be asked: the answer to the borsh of a request, as JSON.
type Call = fn(&[u8]) -> Result<String>;

/// Everything the module can be asked, by name.
pub const CALLS: [(&str, Call); 16] = [
    ("positions", |bytes| answered(bytes, calls::positions::call)),
    ("standing", |bytes| answered(bytes, calls::standing::call)),
    ("queue", |bytes| answered(bytes, calls::queue::call)),
    ("gap", |bytes| answered(bytes, calls::gap::call)),
    ("counterparties", |bytes| {
        answered(bytes, calls::counterparties::call)
    }),
    ("makers", |bytes| answered(bytes, calls::makers::call)),
    ("order", |bytes| answered(bytes, calls::order::call)),
    ("liquidation", |bytes| {
        answered(bytes, calls::liquidation::call)
    }),
    ("transfer", |bytes| answered(bytes, calls::transfer::call)),
    ("explain", |bytes| answered(bytes, calls::explain::call)),
    ("pool", |bytes| answered(bytes, calls::pool::call)),
    ("stake", |bytes| answered(bytes, calls::stake::call)),
    ("join_pool", |bytes| answered(bytes, calls::join_pool::call)),
    ("join_stakes", |bytes| {
        answered(bytes, calls::join_stakes::call)
    }),
    ("market", |bytes| answered(bytes, calls::market::call)),
    ("alerts", |bytes| answered(bytes, calls::alerts::call)),
];

/// The answer to a call: a line of JSON.
#[must_use]
pub fn answer(name: &str, bytes: &[u8]) -> String {
    let called = CALLS.iter().find(|(known, _)| *known == name);
    let answer = match called {
        Some((_, call)) => call(bytes),
        None => Err(anyhow::anyhow!(
            "there is no call `{name}`; the module has {}: is it of the same release as its caller?",
            CALLS.map(|(known, _)| known).join(", ")
        )),
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

fn answered<Q: BorshDeserialize, A: Serialize>(
    bytes: &[u8],
    call: impl Fn(&Q) -> Result<A>,
) -> Result<String> {
    let request = borsh::from_slice(bytes).map_err(|problem| {
        anyhow::anyhow!(
            "the request does not parse ({problem}); expected the fields of this call, from a caller of the same release"
        )
    })?;
    ballast_view::digits::json(&call(&request)?)
}
