//! `ballast order place` and `replace`.

use anchor_lang::prelude::Pubkey;
use anyhow::{anyhow, Result};
use ballast_client::instructions::orders as build;
use ballast_client::makers::{order_makers, TakerView};
use ballast_engine::order::MAX_LIFE_SECONDS;
use ballast_engine::position::Position;
use ballast_engine::EngineError;
use ballast_state::error::BallastError;
use ballast_state::events::BallastEvent;
use ballast_state::instructions::OrderRef;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs, SelfTrade};
use clap::{Args, ValueEnum};
use solana_signer::Signer;

use super::announce::{self, Announced, Foreseen};
use super::naming::order_ref;
use crate::cluster::choices::{Direction, Type};
use crate::cluster::failure::{Computed, NothingFilled, Usage};
use crate::cluster::options::{Sending, TraderChoice};
use crate::cluster::refusal::Asked;
use crate::cluster::session::Session;
use crate::cluster::state::{MarketState, Parts};
use crate::cluster::units::{leverage_words, Units};
use crate::cluster::words::Names;
use crate::cluster::writing::{self, Extras, Plan};

/// Makers listed beyond those needed, for orders that are gone by the time the transaction lands.
pub const SPARE_MAKERS: usize = 4;
/// Most makers that fit into a transaction without a lookup table.
const MOST_MAKERS: usize = 18;

/// What happens when an order meets the trader's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OnSelfTrade {
    /// The one in the book is cancelled.
    CancelProvide,
    /// Both lose the lots of the smaller one.
    DecrementAndCancel,
    /// The new one fails.
    Abort,
}

impl From<OnSelfTrade> for SelfTrade {
    fn from(mode: OnSelfTrade) -> Self {
        match mode {
            OnSelfTrade::CancelProvide => Self::CancelProvide,
            OnSelfTrade::DecrementAndCancel => Self::DecrementAndCancel,
            OnSelfTrade::Abort => Self::Abort,
        }
    }
}

/// An order as the user asks for it.
#[derive(Clone, Debug, Args)]
struct Terms {
    /// Number, name or address of the market.
    #[arg(long, value_name = "MARKET")]
    market: String,
    /// Buy or sell.
    #[arg(long, value_enum)]
    side: Direction,
    /// Size in base units, a whole number of lots.
    #[arg(long, allow_negative_numbers = true)]
    size: String,
    /// Limit price, a whole number of ticks; the worst price of a market order [default of a market
    /// order: the price band].
    #[arg(long, allow_negative_numbers = true)]
    price: Option<String>,
    /// How it trades.
    #[arg(long = "type", id = "kind", value_enum, default_value_t = Type::Limit)]
    kind: Type,
    /// Only make the position smaller.
    #[arg(long)]
    reduce_only: bool,
    /// When it expires: unix seconds, or +SECONDS from now [default: never].
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    expires: Option<String>,
    /// A number of your own to name it by, above 0.
    #[arg(long, value_name = "N", default_value_t = 0)]
    client_id: u64,
    /// Least collateral to put behind the whole order [default: as little as the initial margin
    /// allows].
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true)]
    margin: Option<String>,
    /// What happens when it meets your own orders.
    #[arg(long, value_enum, default_value_t = OnSelfTrade::CancelProvide)]
    self_trade: OnSelfTrade,
    #[command(flatten)]
    choice: TraderChoice,
    #[command(flatten)]
    sending: Sending,
}

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

/// Runs `ballast order place`.
pub async fn place(session: &Session, args: &PlaceArgs) -> Result<()> {
    send(session, &args.terms, None).await
}

/// Runs `ballast order replace`.
pub async fn replace(session: &Session, args: &ReplaceArgs) -> Result<()> {
    send(session, &args.terms, Some(args.order)).await
}

async fn send(session: &Session, terms: &Terms, replaced: Option<OrderRef>) -> Result<()> {
    terms.require_price()?;
    let signer = session.keypair()?;
    let address = session.trader_address(&terms.choice)?;
    let trader = session.trader(&address).await?;
    let state = session.market(&terms.market, Parts::Market).await?;
    let (units, name) = (state.units, state.name());
    let args = terms.order(units, state.now)?;
    let asked = Asked {
        signer: signer.pubkey(),
        address,
        trader: &trader,
        state: &state,
    };
    let taker = taker(&asked)?;
    let refused = |error| anyhow!(asked.engine(error));
    let mut makers = makers_of(&state, &taker, &args).map_err(refused)?;
    let cut = (makers.len() > MOST_MAKERS).then_some(MOST_MAKERS);
    makers.truncate(MOST_MAKERS);
    let foreseen = Foreseen::new(&state, &taker, &args, &makers).map_err(refused)?;
    fillable(&asked, &args, &foreseen)?;
    let (authority, keys) = (signer.pubkey(), state.keys);
    let (command, instruction) = match replaced {
        None => (
            "order place",
            build::PlaceOrder {
                authority,
                keys,
                trader: address,
                args,
                makers: &makers,
            }
            .instruction(),
        ),
        Some(order) => (
            "order replace",
            build::ReplaceOrder {
                authority,
                keys,
                trader: address,
                replaced: order,
                args,
                makers: &makers,
            }
            .instruction(),
        ),
    };
    let announced = Announced {
        args: &args,
        foreseen: &foreseen,
        state: &state,
        trader: &address,
        replaced,
        cut,
    };
    let plan = Plan {
        command,
        purpose: announced.purpose(),
        instructions: vec![instruction],
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
        position: Some((address, state.keys.market)),
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

/// Refuses an order that the book cannot serve, before it costs a fee.
fn fillable(asked: &Asked<'_>, args: &PlaceOrderArgs, foreseen: &Foreseen) -> Result<()> {
    let (units, name) = (asked.state.units, asked.state.name());
    // The trader's own orders go first, or end it: the program decides.
    let own = asked.trader.slot(&asked.state.keys.market);
    if own.is_ok_and(|slot| slot.order_count > 0) {
        return Ok(());
    }
    match args.kind {
        OrderKind::FillOrKill if foreseen.fills < foreseen.lots => {
            Err(NothingFilled(not_filled(asked, args, foreseen)).into())
        }
        OrderKind::ImmediateOrCancel | OrderKind::Market if foreseen.fills == 0 => {
            let text = announce::nothing(units, &name, args, foreseen.limit_ticks);
            Err(NothingFilled(format!("{text}; nothing was sent")).into())
        }
        _ => Ok(()),
    }
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

/// Who takes, with its position at the price of the market.
fn taker<'a>(asked: &Asked<'a>) -> Result<TakerView<'a>> {
    let state = asked.state;
    let taker = asked.taker(Position::default())?;
    let Ok(slot) = asked.trader.slot(&state.keys.market) else {
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

impl Terms {
    /// Only a market order goes without a price.
    fn require_price(&self) -> Result<(), Usage> {
        if self.price.is_some() || self.kind == Type::Market {
            return Ok(());
        }
        Err(Usage(
            "expected --price: only an order with --type market goes without".to_owned(),
        ))
    }

    /// The order in the program's units.
    fn order(&self, units: Units, now: i64) -> Result<PlaceOrderArgs, Usage> {
        let price = self.price.as_deref();
        Ok(PlaceOrderArgs {
            side: self.side.into(),
            kind: self.kind.into(),
            price_ticks: price.map_or(Ok(0), |text| units.ticks(text))?,
            lots: units.lots(&self.size)?,
            margin: match &self.margin {
                None => 0,
                Some(text) => units.collateral.atoms(text)?,
            },
            client_id: self.client_id,
            expires_at: self
                .expires
                .as_deref()
                .map_or(Ok(0), |text| expiry(text, now))?,
            reduce_only: self.reduce_only,
            self_trade: self.self_trade.into(),
        })
    }
}

/// The time without its last three digits.
fn digits_of(text: &str) -> &str {
    text.get(..text.len().saturating_sub(3)).unwrap_or(text)
}

/// Unix seconds of `1760000000` or, from now, of `+3600`.
fn expiry(text: &str, now: i64) -> Result<i64, Usage> {
    let (base, digits) = match text.strip_prefix('+') {
        Some(digits) => (now, digits),
        None => (0, text),
    };
    let seconds: Option<i64> = digits.parse().ok().filter(|seconds| *seconds >= 0);
    let at = seconds.and_then(|seconds| base.checked_add(seconds));
    let at = at.filter(|_| !digits.starts_with('+')).ok_or_else(|| {
        Usage(format!(
            "`{text}` is not a time: expected unix seconds such as 1760000000, or seconds from now such as +3600"
        ))
    })?;
    if at.saturating_sub(now) > MAX_LIFE_SECONDS {
        let seconds = base.saturating_add(at.saturating_sub(base) / 1_000);
        let meant = match (now..now.saturating_add(MAX_LIFE_SECONDS)).contains(&seconds) {
            true => format!(
                "it looks like milliseconds; in seconds it is {}",
                digits_of(text)
            ),
            false => "leave --expires out for an order that never expires".to_owned(),
        };
        return Err(Usage(format!(
            "{text} is more than ten years ahead: expected unix seconds such as {now}, or seconds from now such as +3600; {meant}"
        )));
    }
    if at <= now {
        return Err(Usage(format!(
            "{text} is not in the future: the cluster's clock says {now}"
        )));
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::units::Collateral;
    use ballast_state::book_account::OrderSide;
    use clap::Parser;

    const UNITS: Units = Units {
        tick_nano: 1_000_000,
        lot_nano: 1_000_000,
        atoms_per_lot_tick: 1,
        collateral: Collateral { decimals: 6 },
    };
    const NOW: i64 = 1_760_000_000;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: PlaceArgs,
    }

    fn order(line: &str) -> Option<PlaceOrderArgs> {
        let words = ["place"].into_iter().chain(line.split_whitespace());
        let line = Line::try_parse_from(words).ok()?;
        line.args.terms.require_price().ok()?;
        line.args.terms.order(UNITS, NOW).ok()
    }

    #[test]
    fn an_order_is_read_in_human_units() {
        let placed =
            order("--market 0 --side buy --size 1.5 --price 188.25").expect("a limit order");
        assert_eq!(placed.side, OrderSide::Bid);
        assert_eq!(placed.kind, OrderKind::Limit);
        assert_eq!((placed.lots, placed.price_ticks), (1_500, 188_250));
        assert_eq!(
            (placed.margin, placed.client_id, placed.expires_at),
            (0, 0, 0)
        );
        let all =
            "--market SOL-PERP --side sell --size 2 --price 200 --type post-only --reduce-only \
                   --expires +60 --client-id 9 --margin 12.5 --self-trade abort";
        let placed = order(all).expect("every option");
        assert_eq!(placed.kind, OrderKind::PostOnly);
        assert_eq!((placed.margin, placed.client_id), (12_500_000, 9));
        assert_eq!(placed.expires_at, NOW + 60);
        assert!(placed.reduce_only && placed.self_trade == SelfTrade::Abort);
    }

    #[test]
    fn only_a_market_order_goes_without_a_price() {
        let market = order("--market 0 --side sell --size 1 --type market").expect("no price");
        assert_eq!(market.price_ticks, 0);
        assert!(order("--market 0 --side sell --size 1").is_none());
        for kind in ["limit", "post-only", "ioc", "fok"] {
            assert!(
                order(&format!("--market 0 --side sell --size 1 --type {kind}")).is_none(),
                "{kind}"
            );
        }
    }

    #[test]
    fn what_is_not_whole_or_over_is_refused() {
        for bad in [
            "--market 0 --side buy --size 1.0005 --price 188",
            "--market 0 --side buy --size 1 --price 188.0001",
            "--market 0 --side buy --size 1 --price 188 --expires 1759999999",
            "--market 0 --side buy --size 1 --price 188 --expires +0",
            "--market 0 --side buy --size 1 --price 188 --expires ++5",
            "--market 0 --side buy --size 1 --price 188 --margin 0.0000001",
            "--market 0 --side long --size 1 --price 188",
        ] {
            assert!(order(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_time_in_milliseconds_is_refused_as_such() {
        let said = |text: &str| expiry(text, NOW).unwrap_err().to_string();
        let milliseconds = said("1760003600000");
        assert!(
            milliseconds.contains("looks like milliseconds; in seconds it is 1760003600"),
            "{milliseconds}"
        );
        assert!(said("+3600000000").contains("milliseconds; in seconds it is +3600000"));
        assert!(said("99999999999999").contains("leave --expires out"));
        assert_eq!(expiry("+86400", NOW), Ok(NOW + 86_400));
    }

    #[test]
    fn amounts_below_zero_are_refused_by_name() {
        let said = |line: &str| {
            let words = ["place"].into_iter().chain(line.split_whitespace());
            let line = Line::try_parse_from(words).expect("read");
            line.args.terms.order(UNITS, NOW).unwrap_err().to_string()
        };
        let size = said("--market 0 --side buy --size -5 --price 188");
        assert!(size.starts_with("size -5 is below zero"), "{size}");
        let price = said("--market 0 --side buy --size 5 --price -1");
        assert!(price.starts_with("price -1 is below zero"), "{price}");
    }
}
