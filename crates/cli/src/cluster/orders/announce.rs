//! What an order is going to do, said before it is sent.

use anchor_lang::prelude::Pubkey;
use ballast_client::makers::{order_fill, TakerView};
use ballast_engine::fees::taker_fee;
use ballast_engine::margin::initial_margin;
use ballast_engine::order::{check, reducible};
use ballast_engine::position::Position;
use ballast_engine::price_levels::liquidation_price;
use ballast_engine::units::{Atoms, LotPrice, Lots, Side};
use ballast_engine::EngineError;
use ballast_state::instructions::OrderRef;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs};

use super::naming::ref_words;
use crate::cluster::state::MarketState;
use crate::cluster::units::{leverage_words, percent_of_bps, Units};
use crate::cluster::words::{kind_name, side_name};

/// What an order comes to against the book and the position as they are. Amounts in atoms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreseen {
    /// The worst price it trades at, ticks.
    pub limit_ticks: u64,
    /// Lots it may trade: of a reduce-only order no more than there are to reduce.
    pub lots: u64,
    /// Lots that it fills at once.
    pub fills: u64,
    /// Lots that may open or enlarge a position.
    pub opening: u64,
    /// Margin behind these.
    pub margin: u64,
    /// Whether that is the least that the market allows.
    pub is_least: bool,
    /// Worth of these lots over their margin, hundredths.
    pub leverage: u64,
    /// The most that it pays in fees.
    pub fee: u64,
    /// Liquidation price, ticks, of a position that it opens from nothing.
    pub liquidation_ticks: Option<u64>,
}

impl Foreseen {
    /// Against the book of `state`.
    ///
    /// # Errors
    /// What the program would refuse.
    pub fn new(
        state: &MarketState,
        taker: &TakerView<'_>,
        args: &PlaceOrderArgs,
        makers: &[Pubkey],
    ) -> Result<Self, EngineError> {
        let (params, tick) = (state.market.params(), state.units.atoms_per_lot_tick);
        let (request, position) = (args.request(), &taker.position);
        let mark = taker.market.mark_at(&taker.price)?;
        let terms = check(
            &taker.market.order_rules(&mark, taker.now),
            position,
            &request,
        )?;
        let book = state.book.book().map_err(|_| EngineError::BookLayout)?;
        let fills = match order_fill(&book, taker, &request, args.self_trade.into(), makers) {
            Ok(fills) => fills,
            // Of this order and those in its way the program decides.
            Err(EngineError::PostOnlyCrosses | EngineError::SelfTrade) => 0,
            Err(error) => return Err(error),
        };
        let opening = terms.lots - reducible(position, request.side).min(terms.lots);
        let price = match args.kind {
            OrderKind::Market => mark.price,
            _ => terms.limit,
        };
        let notional = price.notional(opening)?;
        let scale = mark.scale.and_open(opening)?;
        let least = initial_margin(params, &scale, notional)?;
        let margin = args.margin.max(least);
        let foreseen = Self {
            limit_ticks: state.units.ticks_of(terms.limit.get()),
            lots: terms.lots,
            fills,
            opening,
            margin,
            is_least: margin == least,
            leverage: hundredths(notional, margin),
            fee: taker_fee(params, terms.limit.notional(terms.lots)?)?,
            liquidation_ticks: None,
        };
        if !position.is_empty() || opening == 0 {
            return Ok(foreseen);
        }
        let opened = opened(request.side, opening, price, margin, position)?;
        let liquidation = liquidation_price(&opened, params, tick)?;
        Ok(Self {
            liquidation_ticks: liquidation.map(|ticks| ticks.get()),
            ..foreseen
        })
    }
}

/// The position that so many lots at a price make.
fn opened(
    side: Side,
    lots: u64,
    price: LotPrice,
    margin: u64,
    before: &Position,
) -> Result<Position, EngineError> {
    let signed = i64::try_from(lots).map_err(|_| EngineError::SizeOutOfRange)?;
    let lots = match side {
        Side::Long => Lots::new(signed)?,
        Side::Short => Lots::new(-signed)?,
    };
    let empty = Position {
        lots,
        margin: Atoms::from_unsigned(margin)?,
        ..*before
    };
    Ok(Position {
        entry_quote: empty.value(price)?,
        ..empty
    })
}

fn hundredths(notional: u64, margin: u64) -> u64 {
    let ratio = (u128::from(notional) * 100).checked_div(u128::from(margin));
    u64::try_from(ratio.unwrap_or(0)).unwrap_or(u64::MAX)
}

/// An order as it is announced.
pub struct Announced<'a> {
    /// The order.
    pub args: &'a PlaceOrderArgs,
    /// What it comes to.
    pub foreseen: &'a Foreseen,
    /// Its market.
    pub state: &'a MarketState,
    /// The trader account.
    pub trader: &'a Pubkey,
    /// An order that is cancelled first.
    pub replaced: Option<OrderRef>,
    /// Makers listed, where not all that it meets fit.
    pub cut: Option<usize>,
}

impl Announced<'_> {
    /// In a sentence that begins with a verb, without the point at its end.
    pub fn purpose(&self) -> String {
        let (units, foreseen) = (self.state.units, self.foreseen);
        let mut text = match self.replaced {
            None => String::new(),
            Some(order) => format!("Cancel {} and ", ref_words(order)),
        };
        text.push_str(&format!(
            "{} {} {} {} ({}{}), trader account {}",
            side_name(self.args.side),
            units.show_size(foreseen.lots),
            self.state.name(),
            self.price(),
            kind_name(self.args.kind),
            if self.args.reduce_only {
                ", reduce-only"
            } else {
                ""
            },
            self.trader
        ));
        let parts = [self.reduced(), self.opens(), self.makers()];
        for part in parts.into_iter().flatten() {
            text.push_str("; ");
            text.push_str(&part);
        }
        let mut letters = text.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect()
    }

    fn price(&self) -> String {
        let units = self.state.units;
        let worst = units.show_price(self.foreseen.limit_ticks);
        match (self.args.kind, self.state.mark_ticks()) {
            (OrderKind::Market, Some((mark, _))) => format!(
                "at the market, at worst {worst}, which is {} from the price of {}",
                percent_of_bps(distance_bps(mark, self.foreseen.limit_ticks)),
                units.show_price(mark)
            ),
            _ => format!("at {worst} or better"),
        }
    }

    fn reduced(&self) -> Option<String> {
        (self.foreseen.lots < self.args.lots).then(|| {
            format!(
                "of the {} asked for that is all there is to reduce",
                self.state.units.show_size(self.args.lots)
            )
        })
    }

    fn opens(&self) -> Option<String> {
        let (units, foreseen) = (self.state.units, self.foreseen);
        if foreseen.opening == 0 {
            return None;
        }
        let highest = if foreseen.is_least {
            ", the highest that the market allows (--margin puts more behind it)"
        } else {
            ""
        };
        let mut text = format!(
            "opens up to {} with {} of margin, a leverage of {}{highest}",
            units.show_size(foreseen.opening),
            units.collateral.show(foreseen.margin.into()),
            leverage_words(foreseen.leverage),
        );
        if let Some(ticks) = foreseen.liquidation_ticks {
            text.push_str(&format!(
                ", liquidation at about {}",
                units.show_price(ticks)
            ));
        }
        Some(text)
    }

    fn makers(&self) -> Option<String> {
        self.cut.map(|most| {
            format!(
                "it meets more than {most} makers: what the first ones leave is not traded at once"
            )
        })
    }
}

/// How far a price lies from the mark, basis points of the mark, the nearest.
fn distance_bps(mark: u64, ticks: u64) -> i64 {
    let distance = u128::from(mark.abs_diff(ticks)) * 10_000 + u128::from(mark / 2);
    i64::try_from(distance.checked_div(mark.into()).unwrap_or(0)).unwrap_or(i64::MAX)
}

/// That a book holds nothing for an order.
pub fn nothing(units: Units, name: &str, args: &PlaceOrderArgs, limit_ticks: u64) -> String {
    let others = match side_name(args.side) {
        "buy" => "asks",
        _ => "bids",
    };
    format!(
        "nothing filled: the book of {name} has no {others} at {} or better; `ballast book` shows it",
        units.show_price(limit_ticks)
    )
}
