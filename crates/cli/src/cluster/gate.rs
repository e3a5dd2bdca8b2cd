//! `ballast gate`: the program that holds another program's upgrade authority.

use std::fmt::Write as _;

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_client::gate as build;
use ballast_state::exchange::{DEFAULT_ADMIN_DELAY_SLOTS, SHORT_DELAY_SLOTS};
use ballast_state::gate::{Change, Gate};
use clap::{Args, Subcommand};
use serde::Serialize;
use solana_instruction::Instruction;
use solana_signer::Signer;

use super::failure::Usage;
use super::options::Sending;
use super::session::Session;
use super::state::slot_seconds;
use super::units::Collateral;
use super::words::Names;
use super::writing::{self, Plan};

/// Arguments of `gate`.
#[derive(Clone, Debug, Args)]
pub struct GateArgs {
    /// The program behind the gate.
    #[arg(long, global = true, value_name = "PROGRAM", default_value_t = ballast_state::ID)]
    program: Pubkey,
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Show who proposes, who guards, how long a change waits, and what is staged.
    Show,
    /// Put the program behind a gate; its upgrade authority, who becomes the proposer.
    Open {
        /// Who may cancel what is staged: a key other than the proposer's.
        #[arg(long, value_name = "KEY")]
        guardian: Pubkey,
        /// How long a change waits, slots; it can only rise.
        #[arg(long, value_name = "SLOTS", default_value_t = DEFAULT_ADMIN_DELAY_SLOTS)]
        delay: u64,
        #[command(flatten)]
        sending: Sending,
    },
    /// Stage a change; the proposer.
    Stage {
        #[command(flatten)]
        change: ChangeArgs,
        #[command(flatten)]
        sending: Sending,
    },
    /// Take the staged change back; the guardian or the proposer.
    Cancel {
        #[command(flatten)]
        sending: Sending,
    },
    /// Execute the staged change once its delay has run out; anybody.
    Execute {
        #[command(flatten)]
        sending: Sending,
    },
    /// Make the delay of later changes longer; the proposer.
    RaiseDelay {
        /// The new delay, slots.
        slots: u64,
        #[command(flatten)]
        sending: Sending,
    },
}

#[derive(Clone, Copy, Debug, Args)]
#[group(required = true, multiple = false)]
struct ChangeArgs {
    /// Upgrade the program to the code in this buffer, which the gate takes over.
    #[arg(long, value_name = "BUFFER")]
    upgrade: Option<Pubkey>,
    /// Give the upgrade authority up for good.
    #[arg(long = "final")]
    for_good: bool,
    /// Make this key the proposer.
    #[arg(long, value_name = "KEY")]
    proposer: Option<Pubkey>,
    /// Make this key the guardian; waits twice as long.
    #[arg(long, value_name = "KEY")]
    guardian: Option<Pubkey>,
}

impl ChangeArgs {
    fn change(self) -> Change {
        match (self.upgrade, self.proposer, self.guardian) {
            (Some(buffer), ..) => Change::Upgrade(buffer),
            (_, Some(key), _) => Change::Proposer(key),
            (.., Some(key)) => Change::Guardian(key),
            _ => Change::Final,
        }
    }
}

/// A change in words, after "to".
fn words(change: Change) -> String {
    match change {
        Change::Upgrade(buffer) => format!("replace the program's code by that of buffer {buffer}"),
        Change::Final => "give the upgrade authority up for good".to_owned(),
        Change::Proposer(key) => format!("make {key} the proposer"),
        Change::Guardian(key) => format!("make {key} the guardian"),
    }
}

/// A gate as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct GateView {
    program: String,
    gate: String,
    proposer: String,
    guardian: String,
    delay_slots: u64,
    /// `null` when nothing is staged.
    staged: Option<StagedView>,
}

#[derive(Clone, Debug, Serialize)]
struct StagedView {
    id: u64,
    change: String,
    staged_slot: u64,
    /// First slot in which it may be executed, and the last.
    due_slot: u64,
    last_slot: u64,
    slot: u64,
}

impl GateView {
    /// `gate` as it is in `slot`.
    pub fn new(gate: &Gate, slot: u64) -> Self {
        let staged = gate.pending().map(|change| StagedView {
            id: gate.staged_count,
            change: words(change),
            staged_slot: gate.staged_slot,
            due_slot: gate.due_slot,
            last_slot: gate.last_slot().unwrap_or(u64::MAX),
            slot,
        });
        Self {
            program: gate.program.to_string(),
            gate: build::address(&gate.program).to_string(),
            proposer: gate.proposer.to_string(),
            guardian: gate.guardian.to_string(),
            delay_slots: gate.delay_slots,
            staged,
        }
    }

    /// Several lines.
    pub fn words(&self) -> String {
        let mut text = format!(
            "Gate {} of program {}\n  proposer {}\n  guardian {}\n  delay    {}",
            self.gate,
            self.program,
            self.proposer,
            self.guardian,
            waiting(self.delay_slots)
        );
        if self.delay_slots < SHORT_DELAY_SLOTS {
            text.push_str(": LESS THAN A DAY");
        }
        match &self.staged {
            None => text.push_str("\n  staged   nothing"),
            Some(staged) => staged.write(&mut text),
        }
        text
    }
}

impl StagedView {
    fn write(&self, text: &mut String) {
        let when = if self.slot < self.due_slot {
            let left = waiting(self.due_slot.saturating_sub(self.slot));
            format!("may be executed from slot {} on, in {left}", self.due_slot)
        } else if self.slot <= self.last_slot {
            format!("may be executed now and until slot {}", self.last_slot)
        } else {
            format!("expired at slot {}", self.last_slot)
        };
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "\n  STAGED   #{}: to {}; {when}",
            self.id, self.change
        );
    }
}

/// Slots, and how long that is.
fn waiting(slots: u64) -> String {
    let seconds = slot_seconds(slots);
    let time = humantime::format_duration(std::time::Duration::from_secs(seconds / 60 * 60));
    match seconds {
        0..60 => format!("{slots} slots"),
        _ => format!("{slots} slots (about {time})"),
    }
}

/// The gate of `program`, if there is one.
pub async fn read(session: &Session, program: &Pubkey) -> Result<Option<Gate>> {
    let (_, found) = session.cluster.accounts(&[build::address(program)]).await?;
    let account = found.into_iter().flatten().next();
    Ok(account.and_then(|account| build::decode(&account.data)))
}

async fn existing(session: &Session, program: &Pubkey) -> Result<Gate> {
    read(session, program).await?.ok_or_else(|| {
        Usage(format!(
            "program {program} is behind no gate; `ballast gate open` puts it there"
        ))
        .into()
    })
}

/// Runs `ballast gate`.
pub async fn run(session: &Session, args: &GateArgs) -> Result<()> {
    let program = &args.program;
    match &args.action {
        Action::Show => {
            let gate = existing(session, program).await?;
            let slot = session.cluster.clock().await?.slot;
            let view = GateView::new(&gate, slot);
            session.answer(&view, || view.words())
        }
        Action::Open {
            guardian,
            delay,
            sending,
        } => open(session, program, guardian, *delay, *sending).await,
        Action::Stage { change, sending } => {
            stage(session, program, change.change(), *sending).await
        }
        Action::Cancel { sending } => cancel(session, program, *sending).await,
        Action::Execute { sending } => execute(session, program, *sending).await,
        Action::RaiseDelay { slots, sending } => {
            let key = session.keypair()?.pubkey();
            let purpose = format!("Let later changes wait {}", waiting(*slots));
            let call = build::raise_delay(program, &key, *slots);
            send(session, "gate raise-delay", purpose, call, *sending).await
        }
    }
}

async fn open(
    session: &Session,
    program: &Pubkey,
    guardian: &Pubkey,
    delay: u64,
    sending: Sending,
) -> Result<()> {
    let key = session.keypair()?.pubkey();
    let purpose = format!(
        "Put program {program} behind gate {}: changes wait {}, {key} proposes, {guardian} may cancel",
        build::address(program),
        waiting(delay)
    );
    let call = build::open_gate(program, &key, &key, guardian, delay);
    send(session, "gate open", purpose, call, sending).await
}

async fn stage(
    session: &Session,
    program: &Pubkey,
    change: Change,
    sending: Sending,
) -> Result<()> {
    let gate = existing(session, program).await?;
    let key = session.keypair()?.pubkey();
    let wait = waiting(change.wait(gate.delay_slots).unwrap_or(u64::MAX));
    let purpose = format!(
        "Stage: to {}; anybody may execute it in {wait}",
        words(change)
    );
    let call = build::stage(program, &key, change);
    send(session, "gate stage", purpose, call, sending).await
}

async fn cancel(session: &Session, program: &Pubkey, sending: Sending) -> Result<()> {
    let gate = existing(session, program).await?;
    let change = gate.pending().ok_or_else(nothing)?;
    let purpose = format!("Cancel change #{}: to {}", gate.staged_count, words(change));
    let call = build::cancel(&gate, &session.keypair()?.pubkey());
    send(session, "gate cancel", purpose, call, sending).await
}

async fn execute(session: &Session, program: &Pubkey, sending: Sending) -> Result<()> {
    let gate = existing(session, program).await?;
    let change = gate.pending().ok_or_else(nothing)?;
    let purpose = format!("Execute change #{}: {}", gate.staged_count, words(change));
    let call = build::execute(&gate).ok_or_else(nothing)?;
    send(session, "gate execute", purpose, call, sending).await
}

fn nothing() -> Usage {
    Usage("nothing is staged".to_owned())
}

async fn send(
    session: &Session,
    command: &'static str,
    purpose: String,
    call: Instruction,
    sending: Sending,
) -> Result<()> {
    let plan = Plan {
        command,
        purpose,
        instructions: vec![call],
        names: Names {
            collateral: Collateral { decimals: 0 },
            market: None,
        },
    };
    writing::perform(session, session.keypair()?, plan, sending).await
}

#[cfg(test)]
mod tests {
    use ballast_state::gate::GATE_WINDOW_SLOTS;

    use super::*;

    #[test]
    fn what_is_staged_is_shown_with_its_time() {
        let key = |byte| Pubkey::new_from_array([byte; 32]);
        let mut gate = Gate::open(255, key(1), key(2), key(3), DEFAULT_ADMIN_DELAY_SLOTS).unwrap();
        let quiet = GateView::new(&gate, 5).words();
        assert!(quiet.ends_with("staged   nothing"), "{quiet}");
        assert!(quiet.contains("1512000 slots (about 7days)"), "{quiet}");
        assert!(!quiet.contains("LESS THAN A DAY"), "{quiet}");

        gate.stage(&key(2), Change::Upgrade(key(9)), 100).unwrap();
        let due = 100 + DEFAULT_ADMIN_DELAY_SLOTS;
        let last = due + GATE_WINDOW_SLOTS;
        for (slot, said) in [
            (
                due - 216_000,
                format!("from slot {due} on, in 216000 slots (about 1day)"),
            ),
            (due, format!("executed now and until slot {last}")),
            (last + 1, format!("expired at slot {last}")),
        ] {
            let text = GateView::new(&gate, slot).words();
            assert!(text.contains(&said), "{text}");
            assert!(text.contains(&key(9).to_string()), "{text}");
        }
    }

    #[test]
    fn a_short_delay_is_said_aloud() {
        let key = |byte| Pubkey::new_from_array([byte; 32]);
        let gate = Gate::open(255, key(1), key(2), key(3), 10).unwrap();
        let text = GateView::new(&gate, 5).words();
        assert!(text.contains("10 slots: LESS THAN A DAY"), "{text}");
    }
}
