//! `ballast order place` and `replace`.

use anchor_lang::prelude::Pubkey;
use anyhow::{anyhow, Result};
use ballast_client::instructions::orders as build;
use ballast_client::makers::{order_makers, TakerView};
use ballast_engine::position::Position;
use ballast_state::instructions::OrderRef;
use ballast_state::order_args::{PlaceOrderArgs, SelfTrade};
use ballast_state::trader::Trader;
use clap::{Args, ValueEnum};
use solana_signer::Signer;

use super::naming::{order_ref, ref_words};
use crate::cluster::choices::{Direction, Type};
use crate::cluster::failure::{Computed, Usage};
use crate::cluster::options::{Sending, TraderChoice};
use crate::cluster::session::Session;
use crate::cluster::state::{MarketState, Parts};
use crate::cluster::units::Units;
use crate::cluster::words::{kind_name, side_name, Names};
use crate::cluster::writing::{self, Plan};

/// Makers listed beyond those needed, for orders that are gone by the time the transaction lands.
const SPARE_MAKERS: usize = 4;
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
    #[arg(long)]
    size: String,
    /// Limit price, a whole number of ticks; the worst price of a market order [default of a market
    /// order: the price band].
    #[arg(long)]
    price: Option<String>,
    /// How it trades.
    #[arg(long = "type", id = "kind", value_enum, default_value_t = Type::Limit)]
    kind: Type,
    /// Only make the position smaller.
    #[arg(long)]
    reduce_only: bool,
    /// When it expires: unix seconds, or +SECONDS from now [default: never].
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    expires: Option<String>,
    /// A number of your own to name it by, above 0.
    #[arg(long, value_name = "N", default_value_t = 0)]
    client_id: u64,
    /// Least collateral to put behind the whole order [default: as little as the initial margin
    /// allows].
    #[arg(long, value_name = "AMOUNT")]
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
    let mut makers = makers_of(&state, &address, &trader, &args)?;
    let cut = makers.len() > MOST_MAKERS;
    makers.truncate(MOST_MAKERS);
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
    let plan = Plan {
        command,
        purpose: purpose(&args, units, &name, &address, replaced, cut),
        instructions: vec![instruction],
        names: Names {
            collateral: units.collateral,
            market: Some((&name, units)),
        },
    };
    writing::perform(session, signer, plan, terms.sending).await
}

/// The makers whose accounts the order needs.
fn makers_of(
    state: &MarketState,
    address: &Pubkey,
    trader: &Trader,
    args: &PlaceOrderArgs,
) -> Result<Vec<Pubkey>> {
    let price = state.price.as_ref().map_err(|error| {
        anyhow!(
            "{} takes no orders now: its price account {} cannot be read ({error}); name another with --price-account",
            state.name(),
            state.keys.price
        )
    })?;
    let stored = trader.slot(&state.keys.market).ok();
    let position = match stored {
        None => Position::default(),
        Some(slot) => {
            let stored = slot.position().map_err(anyhow::Error::from)?;
            stored.settle(state.funding_index()?).computed()?
        }
    };
    let taker = TakerView {
        market: &state.market,
        price: *price,
        now: state.now,
        trader: *address,
        position,
    };
    let book = state.book.book().map_err(anyhow::Error::from)?;
    let self_trade = args.self_trade.into();
    order_makers(&book, &taker, &args.request(), self_trade, SPARE_MAKERS).computed()
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
    if at <= now {
        return Err(Usage(format!(
            "{text} is not in the future: the cluster's clock says {now}"
        )));
    }
    Ok(at)
}

fn purpose(
    args: &PlaceOrderArgs,
    units: Units,
    market: &str,
    trader: &Pubkey,
    replaced: Option<OrderRef>,
    cut: bool,
) -> String {
    let mut text = match replaced {
        None => String::new(),
        Some(order) => format!("Cancel {} and ", ref_words(order)),
    };
    let verb = side_name(args.side);
    let size = units.show_size(args.lots);
    let kind = kind_name(args.kind);
    text.push_str(&format!("{verb} {size} {market} "));
    match args.price_ticks {
        0 => text.push_str("at the market"),
        ticks => text.push_str(&format!("at {} or better", units.show_price(ticks))),
    }
    text.push_str(&format!(" ({kind}"));
    if args.reduce_only {
        text.push_str(", reduce-only");
    }
    text.push_str(&format!("), trader account {trader}"));
    if cut {
        text.push_str(&format!(
            "; it meets more than {MOST_MAKERS} makers, what the first ones leave is not traded at once"
        ));
    }
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::units::Collateral;
    use ballast_state::book_account::OrderSide;
    use ballast_state::order_args::OrderKind;
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
}
