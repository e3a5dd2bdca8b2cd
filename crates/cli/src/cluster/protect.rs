//! `ballast protect`: protective steps of a position or a leg.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_client::amount::Unit;
use ballast_client::cross::{position_queue, touched, Site};
use ballast_client::instructions::protection as build;
use ballast_engine::oracle::Now;
use ballast_engine::position::Position;
use ballast_engine::price_levels::margin_ratio_bps;
use ballast_engine::protection::{check_steps, ProtectiveStep};
use ballast_state::cross::{CrossBoard, Legs};
use ballast_state::instructions::SetProtectionArgs;
use ballast_state::position_slot::PositionSlot;
use ballast_state::trader::Trader;
use ballast_view::protection::{words, ProtectionView};
use clap::{Args, Subcommand};
use serde::Serialize;
use solana_instruction::Instruction;
use solana_signer::Signer;

use super::cross::board;
use super::failure::{Computed, Usage};
use super::options::{Sending, TraderChoice};
use super::session::Session;
use super::state::{MarketState, Parts};
use super::units::percent_of_bps;
use super::words::Names;
use super::writing::{self, Plan};

/// Arguments of `protect`.
#[derive(Clone, Debug, Args)]
pub struct ProtectArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Set the protective steps of a position, in place of those before: below a margin ratio anybody
    /// reduces it against the book, for a keeper's fee and without a discount.
    Set {
        /// A step: below which margin ratio which part of today's position stays open, in percent, as in
        /// `150:50`. Up to four, falling.
        #[arg(long = "step", value_name = "RATIO:KEEP", required = true)]
        steps: Vec<String>,
        /// How far from the mark the fills may lie, in percent.
        #[arg(long, value_name = "PERCENT", default_value = "0.5")]
        slip: String,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        sending: Sending,
    },
    /// Clear the protective steps of a position.
    Clear {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        sending: Sending,
    },
    /// Close the account of the steps; its rent goes to the owner.
    Close {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        sending: Sending,
    },
    /// Show the protective steps of a position, and how far it is from them.
    Show {
        #[command(flatten)]
        of: Of,
    },
}

/// Whose position.
#[derive(Clone, Debug, Args)]
struct Of {
    /// Number, name or address of the position's market.
    #[arg(long, value_name = "MARKET")]
    market: String,
    #[command(flatten)]
    choice: TraderChoice,
}

/// A trader account's steps in a market, and what they are for.
struct Found {
    trader: Pubkey,
    state: MarketState,
    /// The steps; `None` where their account does not exist.
    view: Option<ProtectionView>,
    /// The position today, funding paid; without lots where there is none.
    position: Position,
    /// Its margin ratio, basis points; of a leg that of its account.
    ratio_bps: Option<i64>,
    /// Whether it is a leg.
    cross: bool,
    /// The queue in which it stands; the market's of longs where there is none.
    queue: Pubkey,
}

impl Found {
    async fn of(session: &Session, of: &Of) -> Result<Self> {
        let trader = session.trader_address(&of.choice)?;
        let account = session.trader(&trader).await?;
        let state = session.market(&of.market, Parts::Queues).await?;
        let mut found = Self {
            view: session.protection(&trader, &account, &state).await?,
            trader,
            queue: state.keys.queue_long,
            state,
            position: Position::default(),
            ratio_bps: None,
            cross: false,
        };
        let market = found.state.keys.market;
        if let Ok(leg) = account.leg(&market) {
            let board = board(session).await?;
            found.judge_leg(&account, leg, &board)?;
        } else if let Ok(slot) = account.slot(&market) {
            found.judge(slot)?;
        }
        Ok(found)
    }

    /// Says how the position of a slot stands, if there is one.
    fn judge(&mut self, slot: &PositionSlot) -> Result<()> {
        let stored = slot.position().map_err(anyhow::Error::from)?;
        if stored.side().is_none() {
            return Ok(());
        }
        self.queue = position_queue(slot, &self.state.market, None)?;
        let (mark, params) = (self.state.mark()?, self.state.market.params());
        self.position = stored.settle(self.state.funding_index()?).computed()?;
        self.ratio_bps = margin_ratio_bps(&self.position, mark, params).computed()?;
        Ok(())
    }

    /// Says how the account of a leg stands: at this market's price, and the board's marks of its other legs.
    fn judge_leg(&mut self, trader: &Trader, leg: &PositionSlot, board: &CrossBoard) -> Result<()> {
        let (state, market) = (&self.state, &*self.state.market);
        let now = Now {
            slot: state.slot,
            unix_timestamp: state.now,
        };
        let values = match &state.price {
            Ok(price) => {
                let touched = touched(market, price, now)?;
                let site = Site::new(state.keys.market, market, touched, board, now.slot);
                site.scene().valued(trader)?.account().values()?
            }
            Err(_) => Legs::at_board(trader, board)?.account().values()?,
        };
        self.ratio_bps = values.ratio_bps()?;
        self.queue = position_queue(leg, market, Some(board))?;
        let stored = leg.position().map_err(anyhow::Error::from)?;
        self.position = stored.settle(state.funding_index()?).computed()?;
        self.cross = true;
        Ok(())
    }

    /// The account of the steps, which must exist.
    fn opened(&self) -> Result<&ProtectionView, Usage> {
        let none = || {
            Usage(format!(
                "trader account {} has no protective steps in {}; set some with `ballast protect set`",
                self.trader,
                self.state.name()
            ))
        };
        self.view.as_ref().ok_or_else(none)
    }

    async fn send(
        &self,
        session: &Session,
        (command, purpose): (&'static str, String),
        instructions: Vec<Instruction>,
        sending: Sending,
    ) -> Result<()> {
        let (units, name) = (self.state.units, self.state.name());
        let plan = Plan {
            command,
            purpose,
            instructions,
            names: Names {
                collateral: units.collateral,
                market: Some((&name, units)),
            },
        };
        writing::perform(session, session.keypair()?, plan, sending).await
    }
}

/// Runs `ballast protect`.
pub async fn run(session: &Session, args: &ProtectArgs) -> Result<()> {
    match &args.action {
        Action::Set {
            steps,
            slip,
            of,
            sending,
        } => set(session, &wanted(steps, slip)?, of, *sending).await,
        Action::Clear { of, sending } => clear(session, of, *sending).await,
        Action::Close { of, sending } => close(session, of, *sending).await,
        Action::Show { of } => show(session, of).await,
    }
}

/// The steps in the program's units.
fn wanted(steps: &[String], slip: &str) -> Result<SetProtectionArgs, Usage> {
    let steps: Result<Vec<_>, _> = steps.iter().map(|text| step(text)).collect();
    let wanted = SetProtectionArgs {
        steps: steps?,
        slip_bps: bps("--slip", slip)?,
    };
    check_steps(&wanted.steps, wanted.slip_bps).map_err(|error| Usage(error.to_string()))?;
    Ok(wanted)
}

/// `RATIO:KEEP` in percent.
fn step(text: &str) -> Result<ProtectiveStep, Usage> {
    let Some((ratio, keep)) = text.split_once(':') else {
        return Err(Usage(format!(
            "`{text}` is no step; write a margin ratio and what stays open, in percent, as in 150:50"
        )));
    };
    Ok(ProtectiveStep {
        ratio_bps: bps("margin ratio", ratio)?,
        keep_bps: bps("part", keep)?,
    })
}

/// Basis points of a percentage, with or without its sign.
fn bps(what: &str, text: &str) -> Result<u32, Usage> {
    let number = text.trim().trim_end_matches('%').trim_end();
    let read = Unit::atom(2).read(number);
    let bps = read.map_err(|error| Usage(format!("{what} {error}")))?;
    u32::try_from(bps).map_err(|_| Usage(format!("{what} {text} is too large")))
}

async fn set(
    session: &Session,
    wanted: &SetProtectionArgs,
    of: &Of,
    sending: Sending,
) -> Result<()> {
    let found = Found::of(session, of).await?;
    let (name, units) = (found.state.name(), found.state.units);
    let Some(side) = found.position.side() else {
        return Err(Usage(format!(
            "there is no position in {name}; `ballast positions` lists those of the trader account, `ballast account` its legs"
        ))
        .into());
    };
    let signer = session.keypair()?.pubkey();
    let (market, trader) = (found.state.keys.market, found.trader);
    let create = build::CreateProtection {
        owner: signer,
        market,
        trader,
    };
    let set = build::SetProtection {
        authority: signer,
        market,
        trader,
        queue: found.queue,
        args: wanted.clone(),
    };
    let create = found.view.is_none().then(|| create.instruction());
    let instructions = create.into_iter().chain([set.instruction()]).collect();
    let purpose = format!(
        "Set protective steps of the {} {} of trader account {trader} in {name}: {}; at {} from the mark or better",
        units.show_size(found.position.size()),
        side.name(),
        words(&wanted.steps),
        percent_of_bps(wanted.slip_bps.into()),
    );
    found
        .send(session, ("protect set", purpose), instructions, sending)
        .await
}

async fn clear(session: &Session, of: &Of, sending: Sending) -> Result<()> {
    let found = Found::of(session, of).await?;
    found.opened()?;
    let clear = build::SetProtection {
        authority: session.keypair()?.pubkey(),
        market: found.state.keys.market,
        trader: found.trader,
        queue: found.queue,
        args: SetProtectionArgs::default(),
    };
    let purpose = format!(
        "Clear the protective steps of trader account {} in {}",
        found.trader,
        found.state.name()
    );
    found
        .send(
            session,
            ("protect clear", purpose),
            vec![clear.instruction()],
            sending,
        )
        .await
}

async fn close(session: &Session, of: &Of, sending: Sending) -> Result<()> {
    let found = Found::of(session, of).await?;
    found.opened()?;
    let close = build::CloseProtection {
        owner: session.keypair()?.pubkey(),
        market: found.state.keys.market,
        trader: found.trader,
    };
    let purpose = format!(
        "Close the account of the protective steps of trader account {} in {}",
        found.trader,
        found.state.name()
    );
    found
        .send(
            session,
            ("protect close", purpose),
            vec![close.instruction()],
            sending,
        )
        .await
}

/// Protective steps as they are printed.
#[derive(Serialize)]
struct View {
    market: String,
    trader: String,
    /// Lots of the position of today.
    lots: i64,
    /// Whether it is a leg; the margin ratio is that of its account then.
    cross: bool,
    margin_ratio_bps: Option<i64>,
    #[serde(flatten)]
    protection: ProtectionView,
}

async fn show(session: &Session, of: &Of) -> Result<()> {
    let found = Found::of(session, of).await?;
    let protection = found.opened()?.clone();
    let view = View {
        market: found.state.name(),
        trader: found.trader.to_string(),
        lots: found.position.lots.get(),
        cross: found.cross,
        margin_ratio_bps: found.ratio_bps,
        protection,
    };
    session.answer(&view, || lines(&view, &found))
}

fn lines(view: &View, found: &Found) -> String {
    if !view.protection.is_set() {
        return format!("No protective steps are set in {}.", view.market);
    }
    let units = found.state.units;
    let steps = view.protection.words(units);
    let mut text = format!("Protective steps in {}, {steps}.", view.market);
    text.push_str(&match (view.protection.in_force, view.margin_ratio_bps) {
        (true, Some(ratio)) => {
            let whose = if view.cross { " of the account" } else { "" };
            format!("\nThe margin ratio{whose} is {} now.", percent_of_bps(ratio))
        }
        (true, None) => String::new(),
        (false, _) => {
            "\nThe position that they were set for has ended: they do nothing. Set them again with `ballast protect set`."
                .to_owned()
        }
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_percentages() {
        let steps = ["150:50".to_owned(), "120.5% : 0".to_owned()];
        let read = wanted(&steps, "0.5").unwrap();
        let step = |ratio_bps, keep_bps| ProtectiveStep {
            ratio_bps,
            keep_bps,
        };
        assert_eq!(read.steps, [step(15_000, 5_000), step(12_050, 0)]);
        assert_eq!(read.slip_bps, 50);
        assert_eq!(
            words(&read.steps),
            "below a margin ratio of 150.00 % 50.00 % of it stay open, below a margin ratio of 120.50 % it is closed"
        );
    }

    #[test]
    fn what_is_no_step_is_named() {
        let refused = |text: &str| wanted(&[text.to_owned()], "0.5").unwrap_err().0;
        assert!(refused("150").starts_with("`150` is no step"));
        assert!(refused("150:x").starts_with("part `x` is not a decimal"));
        assert!(refused("-5:0").starts_with("margin ratio -5 is below zero"));
        assert!(refused("90:0").starts_with("Protective steps: 1 to 4"));
        assert!(refused("99999999999:0").ends_with("is too large"));
    }
}
