//! Commands that write: say what will be done, simulate, send, say what came of it.

use std::sync::Arc;

use anyhow::Result;
use ballast_rpc::sender::{FeePolicy, Sender};
use ballast_state::events::BallastEvent;
use serde::Serialize;
use serde_json::Value;
use solana_instruction::Instruction;
use solana_keypair::Keypair;

use super::options::Sending;
use super::session::{say, Session};
use super::words::{self, Names};

/// Percentile of the priority fees recently paid for the same accounts.
const FEE_PERCENTILE: u8 = 75;

/// Something to send.
pub struct Plan<'a> {
    /// Name of the command.
    pub command: &'static str,
    /// What it does, in a sentence that begins with a verb.
    pub purpose: String,
    /// What the transaction consists of, in order.
    pub instructions: Vec<Instruction>,
    /// How to name amounts in its events.
    pub names: Names<'a>,
}

/// What a writing command prints as JSON.
#[derive(Serialize)]
struct Done {
    command: &'static str,
    dry_run: bool,
    purpose: String,
    signature: Option<String>,
    slot: Option<u64>,
    compute_units: u64,
    priority_fee_micro_lamports: Option<u64>,
    events: Vec<Value>,
}

/// Simulates the plan and, unless it is a dry run, sends it and waits until it has landed.
pub async fn perform(
    session: &Session,
    signer: Arc<Keypair>,
    plan: Plan<'_>,
    sending: Sending,
) -> Result<()> {
    let fees = FeePolicy {
        percentile: FEE_PERCENTILE,
        cap_micro_lamports: sending.max_priority_fee,
    };
    if !session.json {
        say(&format!("{}.", plan.purpose))?;
    }
    let sender = Sender::new(Arc::clone(&session.cluster), signer, fees);
    if sending.dry_run {
        let found = sender.simulate(&plan.instructions, &[], &[]).await?;
        let done = plan.done(true, found.units, &found.events);
        return session.answer(&done, || {
            let lines = plan.lines(&found.events);
            format!(
                "Simulated, nothing sent ({} compute units):\n{lines}",
                found.units
            )
        });
    }
    let landed = sender.send(&plan.instructions, &[], &[]).await?;
    // What it did in its block; the simulation where the node does not have it yet.
    let past = session.cluster.transaction(&landed.signature).await;
    let events = past
        .ok()
        .flatten()
        .map_or(landed.events, |past| past.events);
    let done = Done {
        signature: Some(landed.signature.to_string()),
        slot: Some(landed.slot),
        priority_fee_micro_lamports: Some(landed.priority_fee),
        ..plan.done(false, landed.units, &events)
    };
    session.answer(&done, || {
        let lines = plan.lines(&events);
        format!(
            "{}\nSignature {}, slot {}.",
            lines, landed.signature, landed.slot
        )
    })
}

impl Plan<'_> {
    fn done(&self, dry_run: bool, compute_units: u64, events: &[BallastEvent]) -> Done {
        Done {
            command: self.command,
            dry_run,
            purpose: self.purpose.clone(),
            signature: None,
            slot: None,
            compute_units,
            priority_fee_micro_lamports: None,
            events: events.iter().map(words::json).collect(),
        }
    }

    fn lines(&self, events: &[BallastEvent]) -> String {
        let lines: Vec<String> = events
            .iter()
            .map(|event| format!("  {}", self.names.sentence(event)))
            .collect();
        lines.join("\n")
    }
}
