//! `explain`: a round of deleveraging decided again from its event, as `ballast explain-adl` does.

use anyhow::{Context, Result};
use ballast_client::accounts;
use ballast_client::events::of_type;
use ballast_explain::chain::{explain, Recorded, Round};
use ballast_explain::situation::Units;
use ballast_state::events::{AutoDeleveraged, CrossRound};
use ballast_view::state::name_of;
use borsh::{BorshDeserialize, BorshSerialize};

/// An event and where it was found.
#[derive(Clone, Debug, BorshDeserialize, BorshSerialize)]
pub struct Explain {
    /// The account of the event's market; its units never change.
    pub market: Vec<u8>,
    /// Data of the inner instruction by which the program announced the event.
    pub event: Vec<u8>,
    /// The same of the `CrossRound` that was announced after it, if one was.
    pub cross: Option<Vec<u8>>,
    /// Slot of its transaction.
    pub slot: u64,
    /// Signature of its transaction.
    pub signature: String,
}

/// Every figure of the event against what the engine makes of it.
pub fn call(request: &Explain) -> Result<Round> {
    let market = accounts::market(&request.market)?;
    let event = of_type::<AutoDeleveraged>(&request.event).context(
        "these bytes are no AutoDeleveraged event; expected the data of an inner instruction by which the program calls itself",
    )?;
    let cross = match &request.cross {
        Some(bytes) => {
            Some(of_type::<CrossRound>(bytes).context("these bytes are no CrossRound event")?)
        }
        None => None,
    };
    let name = name_of(&market);
    let explanation = explain(Recorded {
        event: &event,
        cross: cross.as_ref(),
        slot: request.slot,
        signature: &request.signature,
        market: &name,
        units: Units {
            tick_nano: market.oracle.tick_nano,
            atoms_per_lot_tick: market.oracle.atoms_per_lot_tick,
            lot_nano: market.oracle.lot_nano,
        },
    });
    Ok(explanation.round())
}
