//! The embedded exchange as the rehearsal uses it: prices, positions and a meter of compute units.

use std::collections::BTreeMap;

use anyhow::{anyhow, ensure, Context, Result};
use ballast_client::moment::Moment;
use ballast_client::price::check_price;
use ballast_engine::distress::Distress;
use ballast_engine::oracle::{Action, Mark, OraclePrice};
use ballast_engine::position::Position;
use ballast_engine::risk::RiskParams;
use ballast_engine::units::{FundingIndex, LotPrice, Ticks};
use ballast_report::model::ComputeUnits;
use ballast_risk::prices::PricePoint;
use ballast_sandbox::config::{MarketConfig, Options};
use ballast_sandbox::outcome::{TxOutcome, TxResult};
use ballast_sandbox::trading::TraderCookie;
use ballast_sandbox::world::Sandbox;
use ballast_sandbox::{MarketCookie, Quote};
use ballast_state::market::Market;
use ballast_state::Pubkey;

use ballast_risk::units::MarketUnits;

/// Slots in five seconds of 400 ms slots, times two.
const SLOTS_PER_FIVE_SECONDS: (i64, i64) = (25, 10);
/// Confidence interval published with every price.
pub const CONFIDENCE_BPS: u64 = 5;
/// Time constant of the published moving average, as Pyth's of about an hour.
const EMA_SECONDS: i64 = 3_600;

/// One exchange with one market.
pub struct Stage {
    /// The embedded cluster.
    pub sandbox: Sandbox,
    /// The market that is rehearsed.
    pub market: MarketCookie,
    /// Its tick and lot sizes.
    pub units: MarketUnits,
    /// The market's parameters.
    pub risk: RiskParams,
    /// Accounts of the population, in its order.
    pub traders: Vec<TraderCookie>,
    /// Accounts that liquidate.
    pub keepers: Vec<TraderCookie>,
    /// Accounts that quote.
    pub makers: Vec<TraderCookie>,
    /// Accounts that send market orders.
    pub takers: Vec<TraderCookie>,
    /// The trader account of the backstop pool, if there is one.
    pub pool: Option<Pubkey>,
    /// The account that sends auto-deleveraging rounds.
    pub deleverager: TraderCookie,
    /// Compute units by instruction.
    pub meter: BTreeMap<String, ComputeUnits>,
    /// Moving average, 1e-9 USD.
    ema_nano: i64,
    /// Oracle price last published.
    now: PricePoint,
}

/// An open position, funding paid up to the market's index.
#[derive(Clone, Copy, Debug)]
pub struct Open {
    /// Trader account.
    pub trader: Pubkey,
    /// The position, funding paid.
    pub position: Position,
    /// What the program remembers of it.
    pub distress: Distress,
}

impl Stage {
    /// An exchange and an empty market at `start`, with room for so many positions and orders a
    /// side.
    pub fn new(
        program: &std::path::Path,
        name: &str,
        units: MarketUnits,
        risk: RiskParams,
        room: (usize, usize),
        start: PricePoint,
    ) -> Result<Self> {
        let options = Options {
            program: Some(program.to_owned()),
            start_time: start.timestamp,
            ..Options::default()
        };
        let config = MarketConfig {
            name: padded(name),
            tick_nano: units.tick_nano,
            lot_nano: units.lot_nano,
            atoms_per_lot_tick: units.atoms_per_lot_tick,
            queue_capacity: room.0,
            book_capacity: room.1,
            start_price_ticks: units.ticks(start.price_nano)?,
            risk,
            ..MarketConfig::sol()
        };
        let (mut sandbox, market) = Sandbox::with_market(&options, &config)?;
        let deleverager = sandbox.create_trader(0)?;
        Ok(Self {
            sandbox,
            market,
            units,
            risk,
            traders: Vec::new(),
            keepers: Vec::new(),
            makers: Vec::new(),
            takers: Vec::new(),
            pool: None,
            deleverager,
            meter: BTreeMap::new(),
            ema_nano: start.price_nano,
            now: start,
        })
    }

    /// A copy that goes its own way.
    pub fn fork(&self) -> Self {
        Self {
            sandbox: self.sandbox.fork(),
            market: self.market.clone(),
            units: self.units,
            risk: self.risk,
            traders: self.traders.clone(),
            keepers: self.keepers.clone(),
            makers: self.makers.clone(),
            takers: self.takers.clone(),
            pool: self.pool,
            deleverager: self.deleverager.clone(),
            meter: self.meter.clone(),
            ema_nano: self.ema_nano,
            now: self.now,
        }
    }

    /// Moves the clock to a price's time and publishes it.
    pub fn publish(&mut self, point: PricePoint) -> Result<()> {
        let elapsed = point.timestamp - self.now.timestamp;
        let slots = slots_in(elapsed)?;
        self.sandbox
            .set_clock(self.sandbox.slot() + slots, point.timestamp);
        self.ema_nano = averaged(self.ema_nano, point.price_nano, elapsed)?;
        self.now = point;
        let quote = quote(&self.units, point, self.ema_nano)?;
        self.sandbox.set_quote(&self.market, &quote);
        Ok(())
    }

    /// The price last published.
    pub fn now(&self) -> PricePoint {
        self.now
    }

    /// The mark in ticks.
    pub fn ticks(&self) -> Result<u64> {
        self.units.ticks(self.now.price_nano)
    }

    /// The mark in atoms per lot.
    pub fn mark(&self) -> Result<LotPrice> {
        Ticks::new(self.ticks()?)
            .lot_price(self.units.atoms_per_lot_tick)
            .map_err(engine)
    }

    /// The mark, its confidence in atoms per lot, and what scales initial margin.
    pub fn price(&self) -> Result<Mark> {
        let market = self.sandbox.market(&self.market);
        market.mark_at(&self.quoted()?).map_err(engine)
    }

    /// Here and now, as the client sees it.
    pub fn moment(&self) -> Result<Moment> {
        Ok(Moment {
            slot: self.sandbox.slot(),
            unix_timestamp: self.now.timestamp,
            price_ticks: self.ticks()?,
        })
    }

    /// Whether the oracle rules allow liquidation at the current price.
    pub fn price_is_usable(&self) -> Result<bool> {
        self.price_serves(Action::FORCE)
    }

    /// Whether the oracle rules allow an action at the current price.
    pub fn price_serves(&self, action: Action) -> Result<bool> {
        let now = self.moment()?.now();
        Ok(check_price(&self.state(), action, &self.quoted()?, now).is_ok())
    }

    /// The price last published, as the program reads it.
    pub fn quoted(&self) -> Result<OraclePrice> {
        let ticks = self.ticks()?;
        Ok(OraclePrice {
            price: Ticks::new(ticks),
            confidence: Ticks::new((ticks * CONFIDENCE_BPS).div_ceil(10_000)),
            ema: Ticks::new(self.units.ticks(self.ema_nano)?.max(1)),
            publish_time: self.now.timestamp,
            below_tick: false,
        })
    }

    /// The market account.
    pub fn state(&self) -> Market {
        self.sandbox.market(&self.market)
    }

    /// What insurance may pay of deficits now, and held profit after it.
    pub fn insurance_available(&self) -> Result<u64> {
        let cover = self.state().deficit_cover(self.sandbox.slot());
        cover.map_err(engine)
    }

    /// What the market holds of a trader's profit, atoms.
    pub fn held_profit(&self, trader: &Pubkey) -> Result<u64> {
        let account = self.sandbox.trader(trader);
        let Ok(slot) = account.slot(&self.market.keys.market) else {
            return Ok(0);
        };
        let held = self.state().held.value(&slot.held_claim());
        held.map_err(engine)
    }

    /// What a trader account is worth at the current price, held profit included, atoms.
    pub fn worth(&self, trader: &Pubkey) -> Result<i64> {
        let position = self.open_position(trader)?;
        let position = position.map_or(Position::default(), |open| open.position);
        let equity = position.equity(self.mark()?).map_err(engine)?.get();
        let owned = self.purse(trader)? + self.held_profit(trader)?;
        Ok(i64::try_from(owned)? + equity)
    }

    /// Everybody whose profit the market holds.
    pub fn held_back(&self) -> Result<Vec<Pubkey>> {
        let everybody = self.traders.iter().chain(&self.makers).chain(&self.keepers);
        let everybody = everybody.map(|trader| trader.address).chain(self.pool);
        let mut held = Vec::new();
        for trader in everybody {
            if self.held_profit(&trader)? > 0 {
                held.push(trader);
            }
        }
        Ok(held)
    }

    /// The market's funding index.
    pub fn funding_index(&self) -> FundingIndex {
        self.state().funding.index
    }

    /// The open position of a trader account, if it has one.
    pub fn open_position(&self, trader: &Pubkey) -> Result<Option<Open>> {
        let Some(slot) = self.sandbox.position(&self.market, trader) else {
            return Ok(None);
        };
        let stored = slot.position().map_err(|error| anyhow!("{error}"))?;
        Ok(Some(Open {
            trader: *trader,
            position: stored.settle(self.funding_index()).map_err(engine)?,
            distress: slot.distress(),
        }))
    }

    /// Who sends a call with these makers: the first keeper; nobody without a maker.
    pub fn keeper_for(&self, makers: &[Pubkey]) -> Option<TraderCookie> {
        let keeper = self.keepers.first().filter(|_| !makers.is_empty());
        keeper.cloned()
    }

    /// Every open position of the population and the keepers.
    pub fn open_positions(&self) -> Result<Vec<Open>> {
        let everybody = self.sandbox.trader_addresses();
        everybody
            .iter()
            .filter_map(|trader| self.open_position(trader).transpose())
            .collect()
    }

    /// Notes what an instruction used and passes its result on.
    pub fn metered(&mut self, instruction: &str, result: TxResult) -> TxResult {
        if let Ok(outcome) = &result {
            let units = self.meter.entry(instruction.to_owned()).or_default();
            units.count += 1;
            units.total += outcome.compute_units;
            units.max = units.max.max(outcome.compute_units);
        }
        result
    }

    /// Like [`Stage::metered`] for what must not fail.
    pub fn must(&mut self, instruction: &str, result: TxResult) -> Result<TxOutcome> {
        self.metered(instruction, result)
            .with_context(|| instruction.to_owned())
    }

    /// Tells the program that a position is in distress, or no longer.
    pub fn flag(&mut self, trader: &Pubkey) -> Result<()> {
        let market = self.market.clone();
        let result = self.sandbox.flag_bankruptcy(&market, trader);
        self.must("flag_bankruptcy", result)?;
        Ok(())
    }

    /// Absolute difference between all ledgers and all vaults; lots that do not cancel count too.
    pub fn conservation_error(&self) -> Result<u64> {
        conservation_error(&self.sandbox)
    }
}

/// Absolute difference between all ledgers and all vaults of an exchange; lots that do not cancel count too.
pub fn conservation_error(sandbox: &Sandbox) -> Result<u64> {
    let sum = sandbox.conservation();
    let lots: i128 = sum.lots.values().map(|lots| lots.abs()).sum();
    Ok(u64::try_from(sum.error_atoms().abs() + lots)?)
}

/// Slots in so many seconds, at least one.
pub fn slots_in(elapsed: i64) -> Result<u64> {
    ensure!(elapsed >= 0, "time runs backwards");
    let (slots, seconds) = SLOTS_PER_FIVE_SECONDS;
    Ok(u64::try_from((elapsed * slots / seconds).max(1))?)
}

/// A moving average, 1e-9 USD, once a price has followed after so many seconds.
pub fn averaged(ema_nano: i64, price_nano: i64, elapsed: i64) -> Result<i64> {
    let step =
        i128::from(price_nano - ema_nano) * i128::from(elapsed) / i128::from(elapsed + EMA_SECONDS);
    Ok(ema_nano + i64::try_from(step)?)
}

/// What the oracle publishes of a price.
pub fn quote(units: &MarketUnits, point: PricePoint, ema_nano: i64) -> Result<Quote> {
    let ticks = units.ticks(point.price_nano)?;
    ensure!(
        ticks > 0,
        "the price at {} is below one tick of the market",
        point.timestamp
    );
    Ok(Quote {
        ticks,
        conf_ticks: (ticks * CONFIDENCE_BPS).div_ceil(10_000),
        ema_ticks: units.ticks(ema_nano)?.max(1),
        publish_time: point.timestamp,
    })
}

/// An engine error as an ordinary one.
pub fn engine(error: ballast_engine::EngineError) -> anyhow::Error {
    anyhow!("the engine refuses: {error}")
}

/// A market's name as the program stores it.
pub fn padded(name: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(name.bytes()) {
        *to = from;
    }
    bytes
}
