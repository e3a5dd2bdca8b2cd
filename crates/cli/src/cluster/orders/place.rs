//! `ballast order place` and `replace`, and `ballast cross trade`.

use anyhow::{anyhow, Result};
use ballast_client::instructions::cross::TradeLeg;
use ballast_client::instructions::orders as build;
use ballast_client::makers::{order_makers, TakerView};
use ballast_engine::position::Position;
use ballast_engine::EngineError;
use ballast_state::error::BallastError;
use ballast_state::events::BallastEvent;
use ballast_state::instructions::OrderRef;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs};
use ballast_state::Pubkey;
use clap::Args;
use solana_instruction::Instruction;
use solana_signer::Signer;

use super::announce::{self, Announced, Foreseen};
use super::leg;
use super::listing::{Listing, Met};
use super::naming::order_ref;
use super::terms::Terms;
use crate::cluster::choices::Type;
use crate::cluster::failure::{Computed, NothingFilled};
use crate::cluster::refusal::Asked;
use crate::cluster::session::Session;
use crate::cluster::state::{MarketState, Parts};
use crate::cluster::units::leverage_words;
use crate::cluster::words::Names;
use crate::cluster::writing::{self, Extras, Plan};

/// Makers listed beyond those needed, for orders that are gone by the time the transaction lands.
const SPARE_MAKERS: usize = 4;

/// Arguments of `order place`.
#[derive(Clone, Debug, Args)]
pub struct PlaceArgs {
    #[command(flatten)]
    terms: Terms,
}

/// Arguments of `order replace`.
#[derive(Clone, Debug, Args)]
pub struct ReplaceArgs {
    /// The order to cancel: its id in the book, or `client:N` for your own number.
    #[arg(value_name = "ID", value_parser = order_ref)]
    order: OrderRef,
    #[command(flatten)]
    terms: Terms,
}

/// Arguments of `cross trade`.
#[derive(Clone, Debug, Args)]
pub struct TradeArgs {
    #[command(flatten)]
    terms: Terms,
}

/// Which command places an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Place,
    Replace(OrderRef),
    Trade,
}

impl Command {
    const fn name(self) -> &'static str {
        match self {
            Self::Place => "order place",
            Self::Replace(_) => "order replace",
            Self::Trade => "cross trade",
        }
    }

    /// How its order trades where `--type` is left out.
    const fn unsaid(self) -> Type {
        match self {
            Self::Place | Self::Replace(_) => Type::Limit,
            Self::Trade => Type::Market,
        }
    }

    const fn replaced(self) -> Option<OrderRef> {
        match self {
            Self::Replace(order) => Some(order),
            Self::Place | Self::Trade => None,
        }
    }
}

/// Runs `ballast order place`.
pub async fn place(session: &Session, args: &PlaceArgs) -> Result<()> {
    send(session, &args.terms, Command::Place).await
}

/// Runs `ballast order replace`.
pub async fn replace(session: &Session, args: &ReplaceArgs) -> Result<()> {
    send(session, &args.terms, Command::Replace(args.order)).await
}

/// Runs `ballast cross trade`.
pub async fn trade(session: &Session, args: &TradeArgs) -> Result<()> {
    send(session, &args.terms, Command::Trade).await
}

/// Places an order: of a leg where that is asked for, or where the account has a leg in the market or orders of
/// one; else of an isolated position.
async fn send(session: &Session, terms: &Terms, command: Command) -> Result<()> {
    let kind = terms.kind(command.unsaid())?;
    let signer = session.keypair()?;
    let address = session.trader_address(&terms.choice)?;
    let trader = session.trader(&address).await?;
    let (key, market) = session.find(&terms.market).await?;
    let of_leg = command == Command::Trade || trader.find_cross(&key).is_some();
    let decimals = session.exchange().await?.mint_decimals;
    let parts = match of_leg {
        true => Parts::Queues,
        false => Parts::Market,
    };
    let state = session.state(&key, &market, decimals, parts).await?;
    let (units, name) = (state.units, state.name());
    let args = terms.order(kind, units, state.now)?;
    let asked = Asked {
        signer: signer.pubkey(),
        address,
        trader: &trader,
        state: &state,
    };
    let taker = taker(&asked)?;
    let refused = |error| anyhow!(asked.engine(error));
    let makers = makers_of(&state, &taker, &args).map_err(refused)?;
    let met = Met::read(session, &state, makers, of_leg).await?;
    let listing = match of_leg {
        true => met.with_leg(&asked)?,
        false => met.listing(&state, &args)?,
    };
    let foreseen = Foreseen::new(&state, &taker, &args, &listing.makers).map_err(refused)?;
    fillable(&asked, &args, &foreseen)?;
    let order = Placing {
        asked: &asked,
        args,
        command,
        met: &met,
        listing: &listing,
        foreseen: &foreseen,
    };
    let plan = Plan {
        command: command.name(),
        purpose: order.purpose(of_leg)?,
        instructions: order.instructions(of_leg),
        names: Names {
            collateral: units.collateral,
            market: Some((&name, units)),
        },
    };
    let explain = |error| match error {
        BallastError::InsufficientCollateral => Some(lacking(&asked, &foreseen)),
        BallastError::NotFilled => Some(not_filled(&asked, &args, &foreseen)),
        other => asked.sentence(other),
    };
    let extras = Extras {
        explain: Some(Box::new(explain)),
        position: (!of_leg).then_some((address, key)),
        ..Extras::default()
    };
    let events = writing::perform_with(session, signer, plan, extras, terms.sending).await?;
    let empty = |event: &BallastEvent| match event {
        BallastEvent::OrderPlaced(placed) => placed.filled_lots == 0 && placed.resting_lots == 0,
        _ => false,
    };
    if events.iter().any(empty) {
        let text = announce::nothing(units, &name, &args, foreseen.limit_ticks);
        return Err(NothingFilled(text).into());
    }
    Ok(())
}

/// An order that is about to be placed.
struct Placing<'a> {
    asked: &'a Asked<'a>,
    args: PlaceOrderArgs,
    command: Command,
    met: &'a Met,
    listing: &'a Listing,
    foreseen: &'a Foreseen,
}

impl Placing<'_> {
    /// What the order is going to do; fails where the program would refuse one of a leg.
    fn purpose(&self, of_leg: bool) -> Result<String> {
        let replaced = self.command.replaced();
        if !of_leg {
            let announced = Announced {
                args: &self.args,
                foreseen: self.foreseen,
                state: self.asked.state,
                trader: &self.asked.address,
                replaced,
                cut: self.listing.cut,
            };
            return Ok(announced.purpose());
        }
        match leg::foreseen(self.asked, &self.args, self.met, self.listing, replaced)? {
            Ok(preview) => Ok(leg::purpose(self.asked, &self.args, &preview, replaced)),
            Err(BallastError::NotFilled) => {
                Err(NothingFilled(not_filled(self.asked, &self.args, self.foreseen)).into())
            }
            Err(BallastError::NothingFilled) => Err(nothing(self.asked, &self.args, self.foreseen)),
            Err(error) => Err(anyhow!(self.asked.refused(error))),
        }
    }

    fn instructions(&self, of_leg: bool) -> Vec<Instruction> {
        let (authority, trader) = (self.asked.signer, self.asked.address);
        let (keys, args) = (self.asked.state.keys, self.args);
        let all = [self.listing.before.as_slice(), &self.listing.makers].concat();
        let makers = all.as_slice();
        if of_leg {
            let trade = TradeLeg {
                authority,
                keys,
                trader,
                args,
                queues: &self.listing.before,
                makers: &self.listing.makers,
            };
            let cancelled = self.command.replaced().map(|order| {
                build::CancelOrder {
                    authority,
                    keys,
                    trader,
                    order,
                }
                .instruction()
            });
            return cancelled.into_iter().chain([trade.instruction()]).collect();
        }
        vec![match self.command.replaced() {
            None => build::PlaceOrder {
                authority,
                keys,
                trader,
                args,
                makers,
            }
            .instruction(),
            Some(replaced) => build::ReplaceOrder {
                authority,
                keys,
                trader,
                replaced,
                args,
                makers,
            }
            .instruction(),
        }]
    }
}

/// Refuses an order that the book cannot serve, before it costs a fee.
fn fillable(asked: &Asked<'_>, args: &PlaceOrderArgs, foreseen: &Foreseen) -> Result<()> {
    // The trader's own orders go first, or end it: the program decides.
    let own = asked.trader.any(&asked.state.keys.market);
    if own.is_ok_and(|slot| slot.order_count > 0) {
        return Ok(());
    }
    match args.kind {
        OrderKind::FillOrKill if foreseen.fills < foreseen.lots => {
            Err(NothingFilled(not_filled(asked, args, foreseen)).into())
        }
        OrderKind::ImmediateOrCancel | OrderKind::Market if foreseen.fills == 0 => {
            Err(nothing(asked, args, foreseen))
        }
        _ => Ok(()),
    }
}

/// That the book has nothing for an order.
fn nothing(asked: &Asked<'_>, args: &PlaceOrderArgs, foreseen: &Foreseen) -> anyhow::Error {
    let (units, name) = (asked.state.units, asked.state.name());
    let text = announce::nothing(units, &name, args, foreseen.limit_ticks);
    NothingFilled(format!("{text}; nothing was sent")).into()
}

/// That an order cannot be filled whole, and how much of it can.
fn not_filled(asked: &Asked<'_>, args: &PlaceOrderArgs, foreseen: &Foreseen) -> String {
    let units = asked.state.units;
    format!(
        "NotFilled: the book fills {} of {} at {} or better, so nothing was traded; take what there is with --type ioc",
        units.show_size(foreseen.fills),
        units.show_size(args.lots),
        units.show_price(foreseen.limit_ticks)
    )
}

/// What an order lacks.
fn lacking(asked: &Asked<'_>, foreseen: &Foreseen) -> String {
    let collateral = asked.state.units.collateral;
    let (needed, free) = (foreseen.margin.saturating_add(foreseen.fee), asked.free());
    let missing = needed.saturating_sub(free);
    let text = format!(
        "InsufficientCollateral: the order needs up to {} of free collateral, {} of margin at {} and {} of fees, and {} is free",
        collateral.show(needed.into()),
        collateral.show(foreseen.margin.into()),
        leverage_words(foreseen.leverage),
        collateral.show(foreseen.fee.into()),
        collateral.show(free.into()),
    );
    match missing {
        0 => format!("{text}; what the fills at the worst prices cost comes on top"),
        _ => format!(
            "{text}; `ballast deposit {}`, or choose a smaller --size",
            collateral.text(missing.into())
        ),
    }
}

/// Who takes, with its position or leg at the price of the market.
fn taker<'a>(asked: &Asked<'a>) -> Result<TakerView<'a>> {
    let state = asked.state;
    let taker = asked.taker(Position::default())?;
    let Ok(slot) = asked.trader.any(&state.keys.market) else {
        return Ok(taker);
    };
    let stored = slot.position().map_err(anyhow::Error::from)?;
    Ok(TakerView {
        position: stored.settle(state.funding_index()?).computed()?,
        ..taker
    })
}

/// The makers whose accounts the order needs.
fn makers_of(
    state: &MarketState,
    taker: &TakerView<'_>,
    args: &PlaceOrderArgs,
) -> Result<Vec<Pubkey>, EngineError> {
    let book = state.book.book().map_err(|_| EngineError::BookLayout)?;
    let self_trade = args.self_trade.into();
    order_makers(&book, taker, &args.request(), self_trade, SPARE_MAKERS)
}
