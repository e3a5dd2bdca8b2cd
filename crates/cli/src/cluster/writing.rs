//! Commands that write: say what will be done, simulate, send, say what came of it.

use std::sync::{Arc, Mutex, PoisonError};

use anchor_lang::prelude::Pubkey;
use anyhow::{anyhow, Result};
use ballast_rpc::sender::{FeePolicy, Landed, Progress, SendError, Sender};
use ballast_state::error::BallastError;
use ballast_state::events::BallastEvent;
use serde::Serialize;
use serde_json::Value;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signature::Signature;

use super::failure::{Interrupted, Unsettled};
use super::options::Sending;
use super::pool_params::ParamChange;
use super::positions::position_of;
use super::session::{say, Session};
use super::words::{self, Names};
use ballast_view::positions::PositionView;

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

/// What a refusal means to whoever asked, with the figures; `None` where its own sentence says it.
pub type Explain<'a> = Box<dyn Fn(BallastError) -> Option<String> + 'a>;

/// What some plans have beside their transaction.
#[derive(Default)]
pub struct Extras<'a> {
    /// What a refusal means.
    pub explain: Option<Explain<'a>>,
    /// The trader account and the market of the position that is shown afterwards.
    pub position: Option<(Pubkey, Pubkey)>,
    /// The parameters that would be different.
    pub changes: Option<Vec<ParamChange>>,
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
    /// The position afterwards, where the command changes one.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<PositionView>,
    /// The parameters that would be different, where the command stages such a change.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Vec<ParamChange>>,
}

/// Simulates the plan and, unless it is a dry run, sends it and waits until it has landed.
pub async fn perform(
    session: &Session,
    signer: Arc<Keypair>,
    plan: Plan<'_>,
    sending: Sending,
) -> Result<()> {
    let extras = Extras::default();
    perform_with(session, signer, plan, extras, sending)
        .await
        .map(|_| ())
}

/// The same, with the sentences of refusals and the position afterwards; the events.
pub async fn perform_with(
    session: &Session,
    signer: Arc<Keypair>,
    plan: Plan<'_>,
    extras: Extras<'_>,
    sending: Sending,
) -> Result<Vec<BallastEvent>> {
    let fees = FeePolicy {
        cap_micro_lamports: sending.max_priority_fee,
        ..FeePolicy::default()
    };
    if !session.json {
        say(&format!("{}.", plan.purpose))?;
    }
    let under_way = UnderWay::default();
    let listener = under_way.clone();
    let sender = Sender::new(Arc::clone(&session.cluster), signer, fees)
        .telling(Arc::new(move |progress| listener.take(progress)));
    if sending.dry_run {
        let found = sender.simulate(&plan.instructions, &[], &[]).await;
        let found = found.map_err(|error| extras.told(error))?;
        let done = Done {
            changes: extras.changes.clone(),
            ..plan.done(true, found.units, &found.events)
        };
        session.answer(&done, || {
            let lines = plan.lines(&found.events);
            format!(
                "Simulated, nothing sent ({} compute units):\n{lines}",
                found.units
            )
        })?;
        return Ok(found.events);
    }
    let (landed, events) = tokio::select! {
        sent = send(session, &sender, &plan, &extras) => sent?,
        _ = tokio::signal::ctrl_c() => return Err(under_way.interrupted()),
    };
    let position = match extras.position {
        // What landed counts, whether the node tells of the position or not.
        Some((trader, market)) => position_of(session, &trader, &market).await.ok().flatten(),
        None => None,
    };
    let (position, units) = position.unzip();
    let done = Done {
        position,
        changes: extras.changes.clone(),
        signature: Some(landed.signature.to_string()),
        slot: Some(landed.slot),
        priority_fee_micro_lamports: Some(landed.priority_fee),
        ..plan.done(false, landed.units, &events)
    };
    session.answer(&done, || {
        let mut lines = plan.lines(&events);
        if let (Some(position), Some(units)) = (&done.position, units) {
            lines.push_str(&format!("\n  {}", position.brief(units)));
        }
        format!(
            "{}\nSignature {}, slot {}.",
            lines, landed.signature, landed.slot
        )
    })?;
    Ok(events)
}

/// Sends the plan and waits until it has landed; what it did in its block, the simulation where
/// the node does not have it yet.
async fn send(
    session: &Session,
    sender: &Sender,
    plan: &Plan<'_>,
    extras: &Extras<'_>,
) -> Result<(Landed, Vec<BallastEvent>)> {
    let landed = match sender.send(&plan.instructions, &[], &[]).await {
        Ok(landed) => landed,
        Err(error @ SendError::Unknown(_)) => return Err(Unsettled(error.to_string()).into()),
        Err(error) => return Err(extras.told(error)),
    };
    let past = session.cluster.transaction(&landed.signature).await;
    let events = past.ok().flatten().map(|past| past.events);
    let events = events.unwrap_or_else(|| landed.events.clone());
    Ok((landed, events))
}

impl Extras<'_> {
    /// The error, in the sentence of the plan where it has one.
    fn told(&self, error: SendError) -> anyhow::Error {
        let refused = error.failure().and_then(|failure| failure.program_error());
        let sentence = refused.and_then(|refused| self.explain.as_ref()?(refused));
        match (sentence, &error) {
            (None, _) => error.into(),
            (Some(sentence), SendError::Failed(_, signature)) => {
                anyhow!("{signature} failed: {sentence}")
            }
            (Some(sentence), _) => anyhow!(sentence),
        }
    }
}

/// A transaction that may land, and the last block height at which it can.
#[derive(Clone, Default)]
struct UnderWay(Arc<Mutex<Option<(Signature, u64)>>>);

impl UnderWay {
    /// Says on standard error how it is.
    fn take(&self, progress: &Progress) {
        match *progress {
            Progress::Sent {
                signature,
                last_height,
            } => {
                *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some((signature, last_height));
                eprintln!("Sent as {signature}; it lands until block {last_height} or never.");
            }
            Progress::Waiting {
                height,
                last_height,
                since,
                ..
            } => {
                let seconds = since.as_secs();
                match height {
                    Some(height) => eprintln!(
                        "Not landed after {seconds} s: block {height}, it may until {last_height}; sending it again."
                    ),
                    None => eprintln!(
                        "Not known to have landed after {seconds} s: the node has not answered."
                    ),
                }
            }
        }
    }

    /// What an interruption leaves open.
    fn interrupted(&self) -> anyhow::Error {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Interrupted.into(),
            Some((signature, last_height)) => Unsettled(format!(
                "interrupted, but {signature} was sent and may still land until block {last_height}; look it up with `solana confirm {signature}` before sending anything like it again"
            ))
            .into(),
        }
    }
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
            position: None,
            changes: None,
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
