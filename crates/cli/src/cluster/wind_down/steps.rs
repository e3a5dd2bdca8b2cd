//! What each step of a market's end sends, or why there is nothing to send.

use anchor_lang::prelude::Pubkey;
use ballast_client::instructions::wind_down as build;
use ballast_engine::wind_down::is_dead;
use ballast_state::exchange::Exchange;
use ballast_state::market::Market;
use ballast_state::trader::Trader;
use solana_instruction::Instruction;

use super::ModeView;
use crate::cluster::failure::Usage;
use crate::cluster::state::{age_words, MarketState};

/// Accounts settled by one transaction.
const SETTLED_AT_ONCE: usize = 8;

/// One transaction.
#[derive(Debug)]
pub struct Step {
    /// Name of the command.
    pub command: &'static str,
    /// What it does, in a sentence that begins with a verb.
    pub purpose: String,
    /// What it consists of.
    pub instructions: Vec<Instruction>,
}

/// Declares the oracle dead.
pub fn declare_dead(state: &MarketState) -> Result<Step, Usage> {
    let (market, name) = (&state.market, state.name());
    let (last, limit) = (market.last_recorded(), market.risk.oracle_dead());
    if !is_dead(&last, limit, state.now) {
        let limit = age_words(i64::try_from(limit).unwrap_or(i64::MAX));
        return Err(Usage(match last.price.get() {
            0 => format!("OracleAlive: {name} never had a price, so there is nothing to settle"),
            _ => format!(
                "OracleAlive: the last price that {name} recorded is {} old, and its oracle counts as dead after {limit}",
                age_words(state.now.saturating_sub(last.publish_time))
            ),
        }));
    }
    let market = state.keys.market;
    Ok(Step {
        command: "wind-down declare-dead",
        purpose: format!(
            "Declare the oracle of {name} dead: the market ends a day later, unless a price is recorded before"
        ),
        instructions: vec![build::DeclareDead { market }.instruction()],
    })
}

/// Fixes the last price.
pub fn begin(state: &MarketState) -> Result<Step, Usage> {
    let (market, name) = (state.keys.market, state.name());
    if !state.market.mode().has_ended() && !state.market.wind_down.has_come(state.now) {
        let view = ModeView::new(state);
        return Err(Usage(format!("EndNotDue: {name} is {}", view.words())));
    }
    Ok(Step {
        command: "wind-down begin",
        purpose: format!("Fix the last price of {name}, which has ended"),
        instructions: vec![build::BeginSettlement { market }.instruction()],
    })
}

/// Counts the claims where something was written off.
pub fn count(state: &MarketState) -> Result<Step, Usage> {
    let name = state.name();
    require_ended(&state.market, &name)?;
    if state.market.claims_are_known() {
        return Err(Usage(format!(
            "NothingToCount: in {name} nothing was written off, or all claims are counted"
        )));
    }
    let count = build::CountClaims {
        keys: state.keys,
        max_nodes: build::MAX_COUNTED_NODES,
    };
    Ok(Step {
        command: "wind-down count",
        purpose: format!("Count what the positions of {name} are worth together"),
        instructions: vec![count.instruction()],
    })
}

/// The trader accounts that have something in a market.
pub fn inside(market: &Pubkey, traders: impl IntoIterator<Item = (Pubkey, Trader)>) -> Vec<Pubkey> {
    let inside = traders
        .into_iter()
        .filter(|(_, trader)| trader.slot(market).is_ok());
    inside.map(|(address, _)| address).collect()
}

/// Pays out what trader accounts have.
pub fn settle(state: &MarketState, traders: &[Pubkey]) -> Result<Vec<Step>, Usage> {
    let (keys, name) = (state.keys, state.name());
    require_ended(&state.market, &name)?;
    if traders.is_empty() {
        return Err(Usage(format!(
            "nobody has anything in {name} any more; `ballast wind-down close --market {name}`"
        )));
    }
    let many = traders.len().div_ceil(SETTLED_AT_ONCE);
    let chunks = traders.chunks(SETTLED_AT_ONCE).enumerate();
    Ok(chunks
        .map(|(number, some)| {
            let settling = some.iter().map(|trader| {
                let settle = build::SettlePosition {
                    keys,
                    trader: *trader,
                };
                settle.instruction()
            });
            Step {
                command: "wind-down settle",
                purpose: match some {
                    [trader] if many == 1 => {
                        format!("Pay out what trader account {trader} has in {name}")
                    }
                    _ => format!(
                        "Pay out what {} trader accounts have in {name}, transaction {} of {many}",
                        some.len(),
                        number + 1
                    ),
                },
                instructions: settling.collect(),
            }
        })
        .collect())
}

/// Closes queues and book.
pub fn close(state: &MarketState, exchange: &Exchange) -> Result<Step, Usage> {
    let name = state.name();
    require_ended(&state.market, &name)?;
    let rent_payer = exchange.rent_payer_of(&state.market);
    let close = build::CloseMarket {
        keys: state.keys,
        rent_payer,
    };
    Ok(Step {
        command: "wind-down close",
        purpose: format!(
            "Close the queues and the book of {name}; their rent goes to {rent_payer}"
        ),
        instructions: vec![close.instruction()],
    })
}

fn require_ended(market: &Market, name: &str) -> Result<(), Usage> {
    if market.mode().has_ended() {
        return Ok(());
    }
    Err(Usage(format!(
        "MarketTrades: {name} has not ended; `ballast modes` says whether it is going to"
    )))
}
