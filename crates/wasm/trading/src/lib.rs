//! `ballast.wasm`: what a trader asks while trading. A page loads it first.

#[path = "../../memory.rs"]
pub mod memory;

/// The answer to a call: a line of JSON.
#[must_use]
pub fn answer(name: &str, bytes: &[u8]) -> String {
    ballast_wasm::answer_of(&ballast_wasm::TRADING, name, bytes)
}
