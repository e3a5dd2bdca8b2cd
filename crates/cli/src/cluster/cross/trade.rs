//! `ballast cross trade`: a leg takes orders of the book.

use anchor_lang::prelude::Pubkey;
use anyhow::{anyhow, Context, Result};
use ballast_client::accounts;
use ballast_client::instructions::cross::TradeLeg;
use ballast_client::makers::{order_fill, order_makers, TakerView};
use ballast_client::preview::{self, LegPreview};
use ballast_engine::oracle::{Now, OraclePrice};
use ballast_engine::order::SelfTrade;
use ballast_engine::position::Position;
use ballast_engine::units::Side;
use ballast_engine::EngineError;
use ballast_state::book_account::OrderSide;
use ballast_state::cross::CrossBoard;
use ballast_state::order_args::{TakeKind, TradeLegArgs};
use clap::{Args, ValueEnum};
use solana_signer::Signer;

use super::Scene;
use crate::cluster::choices::Direction;
use crate::cluster::failure::{NothingFilled, Usage};
use crate::cluster::options::{Sending, TraderChoice};
use crate::cluster::orders::place::SPARE_MAKERS;
use crate::cluster::refusal::Asked;
use crate::cluster::session::Session;
use crate::cluster::state::Parts;
use crate::cluster::words::Names;
use crate::cluster::writing::{self, Extras, Plan};

/// Most makers that fit into a transaction beside the cross queues of four legs, without a lookup table.
const MOST_MAKERS: usize = 12;

/// How a leg trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Takes {
    /// What it can, at prices up to --price or the price band.
    Market,
    /// Immediate or cancel: what it can at --price or better.
    Ioc,
    /// Fill or kill: whole or not at all.
    Fok,
}

impl From<Takes> for TakeKind {
    fn from(takes: Takes) -> Self {
        match takes {
            Takes::Market => Self::Market,
            Takes::Ioc => Self::ImmediateOrCancel,
            Takes::Fok => Self::FillOrKill,
        }
    }
}

/// Arguments of `cross trade`.
#[derive(Clone, Debug, Args)]
pub struct TradeArgs {
    /// Number, name or address of the market.
    #[arg(long, value_name = "MARKET")]
    market: String,
    /// Buy or sell.
    #[arg(long, value_enum)]
    side: Direction,
    /// Size in base units, a whole number of lots.
    #[arg(long, allow_negative_numbers = true)]
    size: String,
    /// Worst price, a whole number of ticks [default of a market order: the price band].
    #[arg(long, allow_negative_numbers = true)]
    price: Option<String>,
    /// How it trades.
    #[arg(long = "type", id = "kind", value_enum, default_value_t = Takes::Market)]
    kind: Takes,
    /// Only make the leg smaller.
    #[arg(long)]
    reduce_only: bool,
    #[command(flatten)]
    choice: TraderChoice,
    #[command(flatten)]
    sending: Sending,
}

/// Runs it.
pub async fn trade(session: &Session, terms: &TradeArgs) -> Result<()> {
    if terms.price.is_none() && terms.kind != Takes::Market {
        let text = "expected --price: only --type market goes without";
        return Err(Usage(text.to_owned()).into());
    }
    let signer = session.keypair()?;
    let address = session.trader_address(&terms.choice)?;
    let trader = session.trader(&address).await?;
    let state = session.market(&terms.market, Parts::Queues).await?;
    let scene = Scene::read(session).await?;
    let (units, name) = (state.units, state.name());
    let price = terms.price.as_deref();
    let args = TradeLegArgs {
        side: terms.side.into(),
        kind: terms.kind.into(),
        price_ticks: price.map_or(Ok(0), |text| units.ticks(text))?,
        lots: units.lots(&terms.size)?,
        reduce_only: terms.reduce_only,
    };
    let asked = Asked {
        signer: signer.pubkey(),
        address,
        trader: &trader,
        state: &state,
    };
    let taker = asked.taker(match trader.leg(&state.keys.market) {
        Ok(leg) => leg.leg_claim()?,
        Err(_) => Position::default(),
    })?;
    let makers = makers(&taker, &asked, &args)?;
    let at = (&taker.price, &*scene.board);
    let foreseen = foreseen(session, &asked, at, &args, &makers).await?;
    let mut queues = scene.queues(&trader, Some((&state.market, Side::Long)))?;
    let short = scene.board.market(scene.board.place(&state.market)?)?;
    queues.add(short.queue(Side::Short));
    let instruction = TradeLeg {
        authority: signer.pubkey(),
        keys: state.keys,
        trader: address,
        args,
        queues: queues.queues(),
        makers: &makers,
    };
    let plan = Plan {
        command: "cross trade",
        purpose: purpose(&asked, &args, &foreseen),
        instructions: vec![instruction.instruction()],
        names: Names {
            collateral: units.collateral,
            market: Some((&name, units)),
        },
    };
    let extras = Extras {
        explain: Some(Box::new(|error| asked.sentence(error))),
        ..Extras::default()
    };
    writing::perform_with(session, signer, plan, extras, terms.sending).await?;
    Ok(())
}

/// What the order is going to do.
fn purpose(asked: &Asked<'_>, args: &TradeLegArgs, foreseen: &LegPreview) -> String {
    let (units, values) = (asked.state.units, &foreseen.values);
    let verb = match args.side {
        OrderSide::Bid => "Buy",
        OrderSide::Ask => "Sell",
    };
    format!(
        "{verb} {} of {} at {} on average and a fee of {} for trader account {}, whose equity is {} then, with {} of maintenance margin",
        units.show_size(foreseen.filled),
        asked.state.name(),
        units.show_average(foreseen.notional, foreseen.filled),
        units.collateral.show(foreseen.trade.fee.into()),
        asked.address,
        units.collateral.show(values.equity.get().into()),
        units.collateral.show(values.requirement.into()),
    )
}

/// What the order does to the account if nothing changes before it lands; fails where the program would refuse.
async fn foreseen(
    session: &Session,
    asked: &Asked<'_>,
    (price, board): (&OraclePrice, &CrossBoard),
    args: &TradeLegArgs,
    makers: &[Pubkey],
) -> Result<LegPreview> {
    let state = asked.state;
    let (_, found) = session.cluster.accounts(makers).await?;
    let mut known = Vec::new();
    for (address, account) in makers.iter().zip(found) {
        if let Some(account) = account {
            known.push((*address, accounts::trader(&account.data)?));
        }
    }
    let queues = state.queues.as_ref().context("the queues were not read")?;
    let scene = preview::Scene {
        key: state.keys.market,
        market: &state.market,
        book: &state.book,
        queues,
        price: *price,
        now: Now {
            slot: state.slot,
            unix_timestamp: state.now,
        },
        trader: (asked.address, asked.trader),
        makers: &known,
    };
    preview::leg(&scene, board, args).map_err(|error| anyhow!(asked.refused(error)))
}

/// The makers whose accounts the order needs; fails where the book has nothing for it.
fn makers(taker: &TakerView<'_>, asked: &Asked<'_>, args: &TradeLegArgs) -> Result<Vec<Pubkey>> {
    let state = asked.state;
    let refused = |error: EngineError| anyhow!(asked.engine(error));
    let book = state.book.book()?;
    let request = args.request();
    let listed = order_makers(&book, taker, &request, SelfTrade::Abort, SPARE_MAKERS);
    let mut makers = listed.map_err(refused)?;
    makers.truncate(MOST_MAKERS);
    let fills = order_fill(&book, taker, &request, SelfTrade::Abort, &makers).map_err(refused)?;
    let needed = match args.kind {
        TakeKind::FillOrKill => args.lots,
        _ => 1,
    };
    if fills < needed {
        return Err(NothingFilled(format!(
            "the book fills {} of {} within the price; nothing was sent",
            state.units.show_size(fills),
            state.units.show_size(args.lots)
        ))
        .into());
    }
    Ok(makers)
}
