//! An order as it is asked for.

use ballast_engine::order::MAX_LIFE_SECONDS;
use ballast_state::order_args::{PlaceOrderArgs, SelfTrade};
use clap::{Args, ValueEnum};

use crate::cluster::choices::{Direction, Type};
use crate::cluster::failure::Usage;
use crate::cluster::options::{Sending, TraderChoice};
use crate::cluster::units::Units;

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
pub struct Terms {
    /// Number, name or address of the market.
    #[arg(long, value_name = "MARKET")]
    pub market: String,
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
    /// How it trades [default: limit; of `cross trade` market].
    #[arg(long = "type", id = "kind", value_enum)]
    kind: Option<Type>,
    /// Only make the position, or the leg, smaller.
    #[arg(long)]
    reduce_only: bool,
    /// When it expires: unix seconds, or +SECONDS from now [default: never].
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    expires: Option<String>,
    /// A number of your own to name it by, above 0.
    #[arg(long, value_name = "N", default_value_t = 0)]
    client_id: u64,
    /// Least collateral to put behind the whole order; what a leg's reserves at the least [default: as little as
    /// the initial margin allows].
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true)]
    margin: Option<String>,
    /// What happens when it meets your own orders.
    #[arg(long, value_enum, default_value_t = OnSelfTrade::CancelProvide)]
    self_trade: OnSelfTrade,
    /// Which trader account.
    #[command(flatten)]
    pub choice: TraderChoice,
    /// How it is sent.
    #[command(flatten)]
    pub sending: Sending,
}

impl Terms {
    /// How it trades, where nothing is said in this way; only a market order goes without a price.
    pub fn kind(&self, unsaid: Type) -> Result<Type, Usage> {
        let kind = self.kind.unwrap_or(unsaid);
        if self.price.is_some() || kind == Type::Market {
            return Ok(kind);
        }
        Err(Usage(
            "expected --price: only an order with --type market goes without".to_owned(),
        ))
    }

    /// The order in the program's units.
    pub fn order(&self, kind: Type, units: Units, now: i64) -> Result<PlaceOrderArgs, Usage> {
        let price = self.price.as_deref();
        Ok(PlaceOrderArgs {
            side: self.side.into(),
            kind: kind.into(),
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
        terms: Terms,
    }

    fn order(line: &str) -> Option<PlaceOrderArgs> {
        let words = ["place"].into_iter().chain(line.split_whitespace());
        let line = Line::try_parse_from(words).ok()?;
        let kind = line.terms.kind(Type::Limit).ok()?;
        line.terms.order(kind, UNITS, NOW).ok()
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
            let order = line.terms.order(Type::Limit, UNITS, NOW);
            order.unwrap_err().to_string()
        };
        let size = said("--market 0 --side buy --size -5 --price 188");
        assert!(size.starts_with("size -5 is below zero"), "{size}");
        let price = said("--market 0 --side buy --size 5 --price -1");
        assert!(price.starts_with("price -1 is below zero"), "{price}");
    }
}
