//! `ballast admin`: what the exchange's authorities do beside `deploy`: pauses, hand-over of roles, longer
//! queues.

use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result};
use ballast_client::addresses;
use ballast_client::instructions::admin::{self as build, StagedKeys};
use ballast_client::instructions::anyone::GrowQueue;
use ballast_engine::units::Side;
use ballast_state::exchange::{Exchange, Role, SHORT_DELAY_SLOTS};
use ballast_state::instructions::{MAX_CROSS_GROWTH, MAX_GROWTH};
use ballast_state::market::Market;
use ballast_state::queue_account::cross_capacity;
use ballast_state::staged::{Change, Staged};
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use solana_signer::Signer;

use super::cross::EnableArgs;
use super::failure::{not_holder, Usage};
use super::fees::FeesView;
use super::guardian::{self, PauseArgs};
use super::options::{PositionSide, Sending};
use super::pauses::PAUSES;
use super::session::Session;
use super::staging::{self, DelayChoice, StageChoice, StagedView};
use super::state::{MarketState, Parts};
use super::units::Collateral;
use super::words::{role_name, Names, NO_DELAY};
use super::writing::{self, Plan};

/// Arguments of `admin`.
#[derive(Clone, Debug, Args)]
pub struct AdminArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Show who holds which role, what is staged, and what is paused.
    Show,
    /// Pause actions of every trader, beside what this key has paused already; the guardian or the admin.
    Pause(PauseArgs),
    /// Resume actions that this key has paused; the guardian or the admin.
    Resume(PauseArgs),
    /// Stage a successor for a role; the admin.
    Propose {
        /// The role.
        #[arg(value_enum)]
        role: RoleChoice,
        /// Who may take it over.
        #[arg(required_unless_present = "withdraw")]
        successor: Option<Pubkey>,
        /// Nobody: cancel the hand-over that is staged.
        #[arg(long, conflicts_with = "successor")]
        withdraw: bool,
        #[command(flatten)]
        sending: Sending,
    },
    /// Take over a role that was staged for the signer, once it is due.
    Accept {
        /// The role.
        #[arg(value_enum)]
        role: RoleChoice,
        #[command(flatten)]
        sending: Sending,
    },
    /// Stage a change, which waits before it takes effect; the admin. Risk parameters and markets are
    /// staged by `deploy`.
    Stage {
        #[command(subcommand)]
        change: StageChoice,
    },
    /// Put a staged change in force that is due; anybody.
    Apply {
        /// The account that holds it, as `show` lists it.
        staged: Pubkey,
        #[command(flatten)]
        sending: Sending,
    },
    /// Take back a staged change.
    Cancel {
        /// The account that holds it, as `show` lists it.
        staged: Pubkey,
        #[command(flatten)]
        sending: Sending,
    },
    /// Let changes wait for longer, at once; the admin.
    RaiseDelays {
        #[command(flatten)]
        delays: DelayChoice,
        #[command(flatten)]
        sending: Sending,
    },
    /// Make room for more positions in a queue of a market, or for more legs in a cross queue; anybody, who pays the
    /// rent.
    GrowQueue {
        /// Number, name or address of the market.
        #[arg(long, value_name = "MARKET")]
        market: String,
        /// Which queue.
        #[arg(long, value_enum)]
        side: PositionSide,
        /// Positions that it shall have room for in all.
        #[arg(long, value_name = "N")]
        positions: usize,
        /// The cross queue of that side, for so many legs.
        #[arg(long)]
        cross: bool,
        #[command(flatten)]
        sending: Sending,
    },
    /// Give a market cross margin, over two new queues whose rent the signer pays; the admin.
    EnableCross {
        #[command(flatten)]
        args: EnableArgs,
        #[command(flatten)]
        sending: Sending,
    },
}

/// A role of the exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RoleChoice {
    /// Creates markets and names successors.
    Admin,
    /// Sets risk parameters.
    Risk,
    /// Pauses.
    Guardian,
}

impl From<RoleChoice> for Role {
    fn from(role: RoleChoice) -> Self {
        match role {
            RoleChoice::Admin => Self::Admin,
            RoleChoice::Risk => Self::Risk,
            RoleChoice::Guardian => Self::Guardian,
        }
    }
}

/// A role as it is printed.
#[derive(Clone, Debug, Serialize)]
struct RoleView {
    role: &'static str,
    holder: String,
    /// Who may take it over; `null` when nobody is staged.
    successor: Option<String>,
    /// From which slot on.
    due_slot: Option<u64>,
}

/// The exchange's authorities as they are printed.
#[derive(Clone, Debug, Serialize)]
struct AdminView {
    exchange: String,
    program: String,
    roles: Vec<RoleView>,
    risk_delay_slots: u64,
    admin_delay_slots: u64,
    /// Token account that fees are paid to; `null` while there is none.
    treasury: Option<String>,
    /// The fees of every market.
    fees: Vec<FeesView>,
    paused: Vec<PauseView>,
    /// The first to be due first.
    staged: Vec<StagedView>,
}

/// What is paused, as it is printed.
#[derive(Clone, Debug, Serialize)]
struct PauseView {
    what: &'static str,
    /// First slot in which it is not any more.
    until_slot: u64,
}

/// The hand-overs that are staged, by role.
type HandOvers = [(Role, Option<Staged>); 3];

async fn hand_overs(session: &Session) -> Result<HandOvers> {
    let mut found = [Role::Admin, Role::Risk, Role::Guardian].map(|role| (role, None));
    for (role, staged) in &mut found {
        *staged = session.cluster.staged(&addresses::hand_over(*role)).await?;
    }
    Ok(found)
}

impl AdminView {
    fn new(
        exchange: &Exchange,
        hand_overs: &HandOvers,
        staged: Vec<StagedView>,
        fees: Vec<FeesView>,
        slot: u64,
    ) -> Self {
        let roles = hand_overs.iter().map(|(role, staged)| {
            let change = staged.and_then(|staged| Some((staged, staged.change().ok()?)));
            let due = change.and_then(|(staged, change)| staged.ready_slot(&change, exchange).ok());
            let successor = change.and_then(|(_, change)| successor(&change));
            RoleView {
                role: role_name(*role),
                holder: exchange.authority(*role).to_string(),
                successor: successor.map(|successor| successor.to_string()),
                due_slot: due,
            }
        });
        Self {
            exchange: addresses::exchange().to_string(),
            program: ballast_state::ID.to_string(),
            roles: roles.collect(),
            risk_delay_slots: exchange.risk_delay_slots,
            admin_delay_slots: exchange.admin_delay_slots,
            treasury: Some(exchange.treasury)
                .filter(|key| *key != Pubkey::default())
                .map(|key| key.to_string()),
            fees,
            paused: PAUSES
                .into_iter()
                .filter(|(flag, _)| exchange.pauses(slot) & flag != 0)
                .map(|(flag, what)| PauseView {
                    what,
                    until_slot: exchange.paused_until(flag, slot),
                })
                .collect(),
            staged,
        }
    }

    fn words(&self, units: Collateral) -> String {
        let mut text = format!("Exchange {} of program {}", self.exchange, self.program);
        for role in &self.roles {
            text.push_str(&format!("\n  {:<8} {}", role.role, role.holder));
            if let Some(successor) = &role.successor {
                text.push_str(&format!(", which {successor} may take over"));
            }
            if let (Some(_), Some(due)) = (&role.successor, role.due_slot) {
                text.push_str(&format!(" from slot {due} on"));
            }
        }
        text.push_str(&format!(
            "\n  delays   {} slots for risk parameters, {} for everything else",
            self.risk_delay_slots, self.admin_delay_slots
        ));
        if self.risk_delay_slots < SHORT_DELAY_SLOTS {
            text.push_str(&format!("\n  {NO_DELAY}"));
        }
        let names = match self.paused.as_slice() {
            [] => "nothing".to_owned(),
            all => {
                let one = |it: &PauseView| format!("{} until slot {}", it.what, it.until_slot);
                all.iter().map(one).collect::<Vec<_>>().join(", ")
            }
        };
        text.push_str(&format!("\n  paused   {names}"));
        let treasury = self.treasury.as_deref().unwrap_or("none");
        text.push_str(&format!("\n  treasury {treasury}"));
        for fees in &self.fees {
            text.push_str(&format!("\n  fees     {}", fees.words(units)));
        }
        if self.staged.is_empty() {
            return format!("{text}\n  staged   nothing");
        }
        format!("{text}\n\n{}", staging::table(&self.staged))
    }
}

/// Runs `ballast admin`.
pub async fn run(session: &Session, args: &AdminArgs) -> Result<()> {
    match &args.action {
        Action::Show => {
            let staged = hand_overs(session).await?;
            let clock = session.cluster.clock().await?;
            let all = staging::all(session).await?;
            let exchange = session.exchange().await?;
            let markets = session.cluster.markets().await?;
            let fees = markets
                .iter()
                .map(|(_, market)| FeesView::new(market, clock.unix_timestamp));
            let fees = fees.collect::<Result<Vec<_>>>()?;
            let view = AdminView::new(&exchange, &staged, all, fees, clock.slot);
            session.answer(&view, || view.words(Names::of(&exchange).collateral))
        }
        Action::Pause(args) => guardian::pause(session, args, true).await,
        Action::Resume(args) => guardian::pause(session, args, false).await,
        Action::Propose {
            role,
            successor,
            sending,
            ..
        } => propose(session, (*role).into(), *successor, *sending).await,
        Action::Accept { role, sending } => accept(session, (*role).into(), *sending).await,
        Action::Stage { change } => staging::stage(session, change).await,
        Action::Apply { staged, sending } => staging::apply(session, staged, *sending).await,
        Action::Cancel { staged, sending } => staging::cancel(session, staged, *sending).await,
        Action::RaiseDelays { delays, sending } => {
            staging::raise_delays(session, *delays, *sending).await
        }
        Action::GrowQueue {
            market,
            side,
            positions,
            cross,
            sending,
        } => {
            let queue = ((*side).into(), *cross);
            grow(session, market, queue, *positions, *sending).await
        }
        Action::EnableCross { args, sending } => {
            super::cross::enable(session, args, *sending).await
        }
    }
}

async fn propose(
    session: &Session,
    role: Role,
    successor: Option<Pubkey>,
    sending: Sending,
) -> Result<()> {
    let signer = session.keypair()?;
    let exchange = session.exchange().await?;
    let admin = signer.pubkey();
    if admin != exchange.admin {
        return Err(not_holder(&admin, "admin", &exchange.admin).into());
    }
    let name = role_name(role);
    let address = addresses::hand_over(role);
    let (purpose, instruction) = match successor {
        Some(successor) => {
            let stage = build::StageChange {
                authority: admin,
                payer: admin,
                market: None,
                change: Change::Authority { role, successor },
            };
            let purpose = format!(
                "Stage {successor} for the {name} role, which it has to accept once it is due"
            );
            (purpose, stage.instruction())
        }
        None => {
            let staged = session.cluster.staged(&address).await?;
            let staged = staged.ok_or_else(|| nobody_staged(name))?;
            let staged = StagedKeys::of(address, &staged);
            let cancel = build::CancelStaged {
                authority: admin,
                staged,
            };
            let purpose = format!("Cancel the hand-over of the {name} role");
            (purpose, cancel.instruction())
        }
    };
    let plan = Plan {
        command: "admin propose",
        purpose,
        instructions: vec![instruction],
        names: Names::of(&exchange),
    };
    writing::perform(session, signer, plan, sending).await
}

/// Who would take a role over.
fn successor(change: &Change) -> Option<Pubkey> {
    match change {
        Change::Authority { successor, .. } => Some(*successor),
        _ => None,
    }
}

fn nobody_staged(name: &str) -> Usage {
    Usage(format!("nobody is staged for the {name} role"))
}

async fn accept(session: &Session, role: Role, sending: Sending) -> Result<()> {
    let signer = session.keypair()?;
    let exchange = session.exchange().await?;
    let (name, address) = (role_name(role), addresses::hand_over(role));
    let staged = session.cluster.staged(&address).await?;
    let staged = staged.ok_or_else(|| nobody_staged(name))?;
    let change = staged.change()?;
    let proposed = successor(&change).unwrap_or_default();
    let successor = signer.pubkey();
    if proposed != successor {
        return Err(Usage(format!(
            "{proposed} is staged for the {name} role, not {successor}; the admin stages it with `ballast admin propose {name} {successor}`"
        ))
        .into());
    }
    let (due, now) = (
        staged.ready_slot(&change, &exchange)?,
        session.cluster.clock().await?.slot,
    );
    if now < due {
        return Err(Usage(format!(
            "the {name} role may be taken over from slot {due} on; it is slot {now}"
        ))
        .into());
    }
    let staged = StagedKeys::of(address, &staged);
    let plan = Plan {
        command: "admin accept",
        purpose: format!(
            "Take the {name} role over from {}",
            exchange.authority(role)
        ),
        instructions: vec![build::AcceptAuthority { successor, staged }.instruction()],
        names: Names::of(&exchange),
    };
    writing::perform(session, signer, plan, sending).await
}

/// Calls that fit into a transaction.
const CALLS_AT_ONCE: usize = 8;

/// A queue that is to grow.
struct Growing {
    queue: Pubkey,
    /// What it holds, in words.
    which: &'static str,
    /// What it has room for.
    room: usize,
    /// What it can have room for.
    most: usize,
    /// What a call makes room for.
    at_once: u32,
}

impl Growing {
    fn isolated(state: &MarketState, side: Side) -> Result<Self> {
        let (queue, which) = match side {
            Side::Long => (state.keys.queue_long, "longs"),
            Side::Short => (state.keys.queue_short, "shorts"),
        };
        Ok(Self {
            queue,
            which,
            room: state.queue(side)?.queue()?.capacity(),
            most: addresses::max_queue_capacity(),
            at_once: MAX_GROWTH,
        })
    }

    async fn cross(session: &Session, market: &Market, side: Side) -> Result<Self> {
        let board = super::cross::board(session).await?;
        let queue = board.market(board.place(market)?)?.queue(side);
        let (_, found) = session.cluster.accounts(&[queue]).await?;
        let account = found.into_iter().flatten().next();
        let account = account.context("the cross queue does not exist")?;
        Ok(Self {
            queue,
            which: match side {
                Side::Long => "long legs",
                Side::Short => "short legs",
            },
            room: usize::try_from(cross_capacity(account.data.len())?)?,
            most: addresses::max_cross_capacity(),
            at_once: MAX_CROSS_GROWTH,
        })
    }
}

async fn grow(
    session: &Session,
    market: &str,
    (side, cross): (Side, bool),
    positions: usize,
    sending: Sending,
) -> Result<()> {
    let signer = session.keypair()?;
    let state = session.market(market, Parts::Queues).await?;
    let (exchange, name) = (session.exchange().await?, state.name());
    let found = match cross {
        true => Growing::cross(session, &state.market, side).await?,
        false => Growing::isolated(&state, side)?,
    };
    let Growing {
        queue,
        which,
        room,
        most,
        at_once,
    } = found;
    if positions > most {
        return Err(Usage(format!(
            "the queue of {which} has room for at most {most}, not {positions}"
        ))
        .into());
    }
    if positions <= room {
        return Err(Usage(format!(
            "the queue of {which} of {name} has room for {room} already; queues do not shrink"
        ))
        .into());
    }
    let mut missing = positions - room;
    let mut calls = Vec::new();
    let payer = signer.pubkey();
    while missing > 0 {
        let some = missing.min(usize::try_from(at_once)?);
        let grow = GrowQueue {
            payer,
            market: state.keys.market,
            queue,
            positions: u32::try_from(some)?,
        };
        calls.push(grow.instruction());
        missing -= some;
    }
    let many = calls.len().div_ceil(CALLS_AT_ONCE);
    for (number, some) in calls.chunks(CALLS_AT_ONCE).enumerate() {
        let plan = Plan {
            command: "admin grow-queue",
            purpose: format!(
                "Grow the queue of {which} of {name} from {room} to {positions}, transaction {} of {many}",
                number + 1
            ),
            instructions: some.to_vec(),
            names: Names::of(&exchange),
        };
        writing::perform(session, signer.clone(), plan, sending).await?;
        if sending.dry_run {
            break;
        }
    }
    Ok(())
}
