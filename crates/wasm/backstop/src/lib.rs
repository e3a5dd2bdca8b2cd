//! `backstop.wasm`: what absorbs losses and why: liquidations, rounds of deleveraging, pools, stakes, gaps. A page
//! loads it where it shows those.

#[path = "../../memory.rs"]
pub mod memory;

/// The answer to a call: a line of JSON.
#[must_use]
pub fn answer(name: &str, bytes: &[u8]) -> String {
    ballast_wasm::answer_of(&ballast_wasm::BACKSTOP, name, bytes)
}
