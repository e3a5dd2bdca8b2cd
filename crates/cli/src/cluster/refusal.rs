//! What the program's refusals mean to a trader, with the figures of its market and account, in
//! the units of the command line.

use anchor_lang::prelude::Pubkey;
use anyhow::{anyhow, Result};
use ballast_client::makers::TakerView;
use ballast_engine::order::{band_edge, OrderRules};
use ballast_engine::position::Position;
use ballast_engine::units::Side;
use ballast_engine::EngineError;
use ballast_state::error::BallastError;
use ballast_state::trader::Trader;

use super::state::MarketState;
use super::units::percent_of_bps;

/// Who asked for something, and where.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Who signs.
    pub signer: Pubkey,
    /// The trader account.
    pub address: Pubkey,
    /// The same, decoded.
    pub trader: &'a Trader,
    /// The market.
    pub state: &'a MarketState,
}

impl<'a> Asked<'a> {
    /// Who takes orders of the market with this position in it; fails where the market has no price.
    pub fn taker(&self, position: Position) -> Result<TakerView<'a>> {
        let state = self.state;
        let price = state.price.as_ref().map_err(|error| {
            anyhow!(
                "{} takes no orders now: its price account {} cannot be read ({error}); name another with --price-account",
                state.name(),
                state.keys.price
            )
        })?;
        Ok(TakerView {
            market: &state.market,
            price: *price,
            now: state.now,
            trader: self.address,
            position,
        })
    }

    /// A refusal of the engine as a sentence.
    pub fn engine(&self, error: EngineError) -> String {
        self.refused(BallastError::from(error))
    }

    /// A refusal as a sentence: with the figures of market and account where there are any to tell.
    pub fn refused(&self, error: BallastError) -> String {
        self.sentence(error)
            .unwrap_or_else(|| format!("{}: {error}", error.name()))
    }

    /// What a refusal means; `None` where its own sentence says it.
    pub fn sentence(&self, error: BallastError) -> Option<String> {
        let (units, name) = (self.state.units, self.state.name());
        let risk = &self.state.market.risk;
        Some(match error {
            BallastError::PriceOutsideBand => {
                let (low, high) = self.band()?;
                format!(
                    "PriceOutsideBand: {name} trades between {} and {} now, {} around the price of {}",
                    units.show_price(low),
                    units.show_price(high),
                    percent_of_bps(risk.price_band_bps.into()),
                    units.show_price(self.state.mark_ticks()?.0)
                )
            }
            BallastError::PositionTooSmall => format!(
                "PositionTooSmall: a position in {name} has at least {}; choose a larger --size, or close it whole",
                units.show_size(self.rules()?.least_lots)
            ),
            BallastError::OrderTooSmall => format!(
                "OrderTooSmall: an order in {name} has at least {}, and is worth at least {} where it waits in the book; choose a larger --size",
                units.show_size(self.rules()?.least_lots),
                units.collateral.show(self.rules()?.least_worth.into())
            ),
            BallastError::PositionTooLarge | BallastError::SizeOutOfRange => format!(
                "{}: a position in {name} has at most {}; choose a smaller --size",
                error.name(),
                units.show_size(risk.max_position_lots)
            ),
            BallastError::OpenInterestLimit => format!(
                "OpenInterestLimit: {name} takes at most {} of open interest and has {}; choose a smaller --size, or wait",
                units.show_size(risk.max_open_interest_lots),
                units.show_size(self.state.market.open_interest_lots)
            ),
            BallastError::PriceStale
            | BallastError::PriceFromFuture
            | BallastError::PriceOlder
            | BallastError::PriceWideConfidence
            | BallastError::PriceDiverged => self.price(error),
            BallastError::NotTraderAuthority | BallastError::NotOwner => format!(
                "{}: {} signs, and trader account {} belongs to {}; choose its key with --keypair",
                error.name(),
                self.signer,
                self.address,
                self.trader.owner
            ),
            BallastError::TooManyMakers | BallastError::MakerForeign => format!(
                "{}: the book has changed meanwhile; send the order again",
                error.name()
            ),
            BallastError::CrossMarkStale => {
                "CrossMarkStale: the board's mark of another leg, of this account or of a maker, is too old; record it with `ballast cross record`, and send the order again".to_owned()
            }
            BallastError::NoFreeSlot => {
                "NoFreeSlot: the trader account is in use in 16 markets; close a position or cancel the orders of one first".to_owned()
            }
            _ => return None,
        })
    }

    fn price(&self, error: BallastError) -> String {
        let age = self.state.price_age();
        let age = age.map_or_else(|| "of unknown age".to_owned(), |age| format!("{age} s old"));
        let most = self.state.market.params().price_age();
        format!(
            "{}: the price of {} is {age}, orders take prices up to {most} s old; nothing is opened until a sound one is published at {}",
            error.name(),
            self.state.name(),
            self.state.keys.price
        )
    }

    /// The lowest and the highest price, ticks, at which anybody trades now.
    pub fn band(&self) -> Option<(u64, u64)> {
        let price = self.state.price.as_ref().ok()?;
        let mark = self.state.market.mark_at(price).ok()?;
        let params = self.state.market.params();
        let edge = |side| {
            let edge = band_edge(params, &mark, side).ok()?;
            Some(self.state.units.ticks_of(edge.get()))
        };
        Some((edge(Side::Short)?, edge(Side::Long)?))
    }

    /// What orders are measured by.
    fn rules(&self) -> Option<OrderRules<'_>> {
        let price = self.state.price.as_ref().ok()?;
        let mark = self.state.market.mark_at(price).ok()?;
        Some(self.state.market.order_rules(&mark, self.state.now))
    }

    /// Free collateral, atoms.
    pub fn free(&self) -> u64 {
        u64::try_from(self.trader.free).unwrap_or(0)
    }
}
