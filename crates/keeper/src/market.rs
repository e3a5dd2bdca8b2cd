//! One market as a keeper knows it: the account, the price and every position.

use std::collections::HashSet;

use anchor_lang::prelude::{Clock, Pubkey};
use ballast_client::funding;
use ballast_client::instructions::MarketKeys;
use ballast_client::moment::Moment;
use ballast_client::price::check_price;
use ballast_engine::liquidation::LiquidationInput;
use ballast_engine::oracle::{Action, Mark, OraclePrice, PriceFault};
use ballast_engine::position::Position;
use ballast_engine::units::FundingIndex;
use ballast_engine::EngineError;
use ballast_state::market::Market;
use ballast_state::trader::Trader;

use crate::backstop::Backstop;
use crate::held::Claims;
use crate::positions::{PositionRecord, Positions};
use crate::protections::Protections;

/// An oracle price and the slot in which it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenPrice {
    /// What the oracle says, before any check.
    pub price: OraclePrice,
    /// Slot in which its account was read.
    pub slot: u64,
}

/// A market in memory. It holds what it was last told; who tells it sees to it that no account is
/// older than the one before.
#[derive(Clone, Debug)]
pub struct MarketState {
    /// The market account's address.
    pub address: Pubkey,
    /// The accounts that instructions on it name.
    pub keys: MarketKeys,
    /// The market account.
    pub market: Box<Market>,
    /// The newest price seen.
    pub price: Option<SeenPrice>,
    /// Every open position.
    pub positions: Positions,
    /// Whose profit it holds.
    pub held: Claims,
    /// Its pool.
    pub backstop: Backstop,
    /// Protective steps of positions in it.
    pub protections: Protections,
    /// Who has something in it but no position: orders, held profit.
    pub others: HashSet<Pubkey>,
    /// The exchange's admin.
    pub admin: Pubkey,
}

/// Why a market cannot be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unready {
    /// No price has been seen yet.
    #[error("no price has been seen yet")]
    NoPrice,
    /// Price, funding or insurance do not compute.
    #[error("price, funding or insurance do not compute: {0}")]
    Engine(EngineError),
}

impl From<EngineError> for Unready {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl MarketState {
    /// A market without a price and positions.
    #[must_use]
    pub fn new(keys: MarketKeys, market: Market) -> Self {
        Self {
            address: keys.market,
            keys,
            market: Box::new(market),
            price: None,
            positions: Positions::default(),
            held: Claims::default(),
            backstop: Backstop::of(&keys.market),
            protections: Protections::default(),
            others: HashSet::new(),
            admin: Pubkey::default(),
        }
    }

    /// Takes the market account over.
    pub fn apply_market(&mut self, market: &Market) {
        *self.market = *market;
    }

    /// Takes a price over, unless one of a later slot is known; whether it did.
    pub fn apply_price(&mut self, price: OraclePrice, slot: u64) -> bool {
        if self.price.is_some_and(|seen| seen.slot > slot) {
            return false;
        }
        self.price = Some(SeenPrice { price, slot });
        true
    }

    /// Takes over what a trader account says of this market: adds, changes or removes its
    /// position.
    ///
    /// # Errors
    /// `SizeOutOfRange` when the account is corrupt; then its position is forgotten.
    pub fn apply_trader(&mut self, address: &Pubkey, trader: &Trader) -> Result<(), EngineError> {
        // The margin of a leg is a record, no money: its account is judged whole.
        let slot = trader.slot(&self.address).ok();
        self.held.apply(address, slot);
        self.backstop.apply_trader(address, Some(trader));
        if slot.is_some_and(|slot| slot.lots == 0) {
            self.others.insert(*address);
        } else {
            self.others.remove(address);
        }
        let record = slot.map_or(Ok(None), |slot| PositionRecord::of(address, slot));
        match record {
            Ok(Some(record)) => self.positions.put(record),
            Ok(None) => {
                self.positions.remove(address);
            }
            Err(error) => {
                self.positions.remove(address);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Forgets a trader whose account is gone; whether it had a position.
    pub fn remove_trader(&mut self, address: &Pubkey) -> bool {
        self.held.forget(address);
        self.backstop.apply_trader(address, None);
        self.others.remove(address);
        self.positions.remove(address)
    }

    /// Bytes that the positions take.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.positions.memory()
    }

    /// The market at a moment: what every instruction would compute first.
    ///
    /// # Errors
    /// [`Unready`].
    pub fn at(&self, clock: &Clock) -> Result<Present<'_>, Unready> {
        if self.market.mode().has_ended() {
            return self.ended(clock);
        }
        let seen = self.price.ok_or(Unready::NoPrice)?;
        let moment = Moment {
            slot: clock.slot,
            unix_timestamp: clock.unix_timestamp,
            price_ticks: seen.price.price.get(),
        };
        Ok(Present {
            state: self,
            price: seen.price,
            moment,
            mark: self.market.mark_at(&seen.price)?,
            funding_index: funding::state_at(&self.market, &moment)?.index,
            insurance: self.market.deficit_cover(clock.slot)?,
        })
    }

    /// A market that has ended, at its last price: no account has to have one.
    fn ended(&self, clock: &Clock) -> Result<Present<'_>, Unready> {
        let computed = |_| Unready::Engine(EngineError::PriceOutOfRange);
        let last = self.market.at_final_price().map_err(computed)?;
        let moment = Moment {
            slot: clock.slot,
            unix_timestamp: clock.unix_timestamp,
            price_ticks: self.market.final_ticks.into(),
        };
        Ok(Present {
            state: self,
            price: last.price,
            moment,
            mark: last.mark,
            funding_index: last.funding_index,
            insurance: self.market.deficit_cover(clock.slot)?,
        })
    }
}

/// A market at one moment and price.
#[derive(Clone, Copy, Debug)]
pub struct Present<'a> {
    /// The market and its positions in memory.
    pub state: &'a MarketState,
    /// The oracle price.
    pub price: OraclePrice,
    /// Slot, time and price.
    pub moment: Moment,
    /// The price and its confidence, atoms per lot.
    pub mark: Mark,
    /// Funding index that positions settle to.
    pub funding_index: FundingIndex,
    /// What insurance may pay, atoms.
    pub insurance: u64,
}

impl<'a> Present<'a> {
    /// Whether the oracle table allows the price for `action`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, action: Action) -> Result<(), PriceFault> {
        check_price(&self.state.market, action, &self.price, self.moment.now())
    }

    /// The position of a record with funding paid.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn settled(&self, record: &PositionRecord) -> Result<Position, EngineError> {
        record.position.settle(self.funding_index)
    }

    /// What a liquidation of a record depends on; `position` is its settled position.
    #[must_use]
    pub fn liquidation(&self, record: &PositionRecord, position: Position) -> LiquidationInput<'a> {
        LiquidationInput {
            position,
            mark: self.mark.price,
            params: self.state.market.params(),
            slot: self.moment.slot,
            distress: record.distress(),
            insurance_available: self.insurance,
        }
    }
}
