//! A cross account as it is printed: the pool, its legs, and what they hold and need together, at the marks of
//! the board.

use anyhow::{Context, Result};
use ballast_engine::cross::record::is_fresh;
use ballast_engine::health::Health;
use ballast_engine::price_levels::bankruptcy_price;
use ballast_engine::units::Side;
use ballast_state::cross::{CrossBoard, Legs};
use ballast_state::market::Market;
use ballast_state::position_slot::CROSS_WEAK;
use ballast_state::trader::Trader;
use ballast_state::Pubkey;
use serde::Serialize;

use crate::positions::TriggerView;
use crate::state::name_of;
use crate::units::{counted, leverage_words, percent_of_bps, Collateral, Units};

/// A leg as it is printed. Amounts in atoms; prices in ticks and as decimal numbers.
#[derive(Clone, Debug, Serialize)]
pub struct LegView {
    /// Number of the market.
    pub market_index: u16,
    /// Name of the market.
    pub market: String,
    /// `long` or `short`.
    pub side: &'static str,
    /// Lots, negative for a short.
    pub lots: i64,
    size: String,
    entry_quote_atoms: i64,
    /// The board's mark, ticks.
    pub mark_ticks: u64,
    mark: String,
    /// Slots since the mark was recorded.
    mark_age_slots: u64,
    /// Whether the mark is frozen.
    mark_frozen: bool,
    /// Unrealised result, funding included.
    pub unrealised_atoms: i128,
    /// Its maintenance margin.
    pub maintenance_atoms: u64,
    /// Where the account's equity is 0 if only this market moves; `null` where no price is.
    bankruptcy_ticks: Option<u64>,
    bankruptcy_price: Option<String>,
    /// What the queue knows of the rest of the account.
    record_atoms: i64,
    /// Slots since that was recorded.
    record_age_slots: u64,
    /// Whether a witness that is believed has found the account too weak for a cut.
    weak: bool,
    flagged_slot: u64,
    bankrupt_slot: u64,
    #[serde(skip)]
    units: Units,
}

/// What waits in a market's book of a leg, or to open one, as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct LegOrders {
    /// Number of the market.
    pub market_index: u16,
    /// Name of the market.
    pub market: String,
    /// How many orders.
    pub orders: u16,
    /// What they reserve, atoms: neither free nor in the pool.
    pub reserved_atoms: u64,
}

/// The triggers of a leg as they are printed.
#[derive(Clone, Debug, Serialize)]
pub struct LegTriggers {
    /// Number of the market.
    pub market_index: u16,
    /// Name of the market.
    pub market: String,
    /// Its stop-loss, where it has one.
    pub stop_loss: Option<TriggerView>,
    /// Its take-profit, where it has one.
    pub take_profit: Option<TriggerView>,
    #[serde(skip)]
    units: Units,
}

impl LegTriggers {
    /// Those of all legs of an account that have any; `markets` has those of the legs.
    ///
    /// # Errors
    /// A sentence about a market that is missing.
    pub fn of(
        trader: &Trader,
        markets: &[(Pubkey, Market)],
        collateral: Collateral,
    ) -> Result<Vec<Self>> {
        let slots = trader.positions.iter();
        let legs = slots.filter(|slot| slot.is_leg() && !slot.has_no_triggers());
        legs.map(|leg| {
            let market = market_of(markets, &leg.market)?;
            let units = Units::new(&market.oracle, collateral.decimals);
            Ok(Self {
                market_index: market.index,
                market: name_of(market),
                stop_loss: TriggerView::of(&leg.stop_loss, units),
                take_profit: TriggerView::of(&leg.take_profit, units),
                units,
            })
        })
        .collect()
    }

    /// In words; a line for each, begun by its end.
    #[must_use]
    pub fn words(&self) -> String {
        let line = |name: &str, trigger: &Option<TriggerView>| {
            let trigger = trigger.as_ref().map(|it| it.words(self.units));
            let text = trigger.map(|words| format!("\n{}: {name} of {words}", self.market));
            text.unwrap_or_default()
        };
        line("stop-loss", &self.stop_loss) + &line("take-profit", &self.take_profit)
    }
}

/// A cross account as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct AccountView {
    trader: String,
    slot: u64,
    free_atoms: i64,
    /// What the legs share, of any sign.
    pub pool_atoms: i64,
    /// The pool and all unrealised results.
    pub equity_atoms: i64,
    /// What all legs need not to be liquidated.
    pub maintenance_atoms: u64,
    /// Equity over maintenance margin, basis points; below 10,000 legs may be liquidated. `null` without legs.
    pub margin_ratio_bps: Option<i128>,
    /// Equity without unrealised profit: what counts for taking collateral out.
    pub opening_equity_atoms: i128,
    /// What has to stay of it when collateral is taken out.
    pub initial_atoms: u64,
    /// Worth of all legs over equity, hundredths; `null` without equity.
    leverage_hundredths: Option<u64>,
    /// `healthy`, `below_maintenance` or `bankrupt`.
    pub health: &'static str,
    /// The legs, in the order of the account's slots.
    pub legs: Vec<LegView>,
    /// Its orders in the books, by market, in the same order.
    pub orders: Vec<LegOrders>,
    #[serde(skip)]
    collateral: Collateral,
}

impl AccountView {
    /// Of a trader account in `slot`; `markets` has those of its legs.
    ///
    /// # Errors
    /// A sentence about a market that is missing, or a figure that cannot be computed.
    pub fn new(
        address: &Pubkey,
        trader: &Trader,
        board: &CrossBoard,
        markets: &[(Pubkey, Market)],
        slot: u64,
        collateral: Collateral,
    ) -> Result<Self> {
        let legs = Legs::at_board(trader, board)?;
        let account = legs.account();
        let values = account.values()?;
        let opening = account.opening()?;
        let worth = account.legs.iter().try_fold(0_u64, |sum, leg| {
            let worth = leg.position.notional(leg.mark.price)?;
            anyhow::Ok(sum.saturating_add(worth))
        })?;
        let equity = values.equity.get();
        let ratio = i128::from(equity) * 10_000;
        Ok(Self {
            trader: address.to_string(),
            slot,
            free_atoms: trader.free,
            pool_atoms: trader.cross_pool,
            equity_atoms: equity,
            maintenance_atoms: values.requirement,
            margin_ratio_bps: ratio.checked_div_euclid(values.requirement.into()),
            opening_equity_atoms: opening.equity,
            initial_atoms: opening.requirement,
            leverage_hundredths: leverage(worth, equity),
            health: match values.health() {
                Health::Healthy => "healthy",
                Health::BelowMaintenance => "below_maintenance",
                Health::Bankrupt { .. } => "bankrupt",
            },
            legs: (0..legs.slots().len())
                .filter(|place| is_open(&legs, *place))
                .map(|place| leg(trader, board, markets, &legs, place, slot, collateral))
                .collect::<Result<_>>()?,
            orders: orders(trader, markets)?,
            collateral,
        })
    }

    /// In words; several lines.
    pub fn words(&self) -> String {
        let show = |atoms: i128| self.collateral.show(atoms);
        let mut text = format!(
            "Cross margin of trader account {} at the board's marks, slot {}\n  free             {}\n  pool             {}\n  equity           {}\n  maintenance      {}{}\n  to take out      {} without unrealised profit, of which {} stay\n  leverage         {}",
            self.trader,
            self.slot,
            show(self.free_atoms.into()),
            show(self.pool_atoms.into()),
            show(self.equity_atoms.into()),
            show(self.maintenance_atoms.into()),
            self.ratio_words(),
            show(self.opening_equity_atoms),
            show(self.initial_atoms.into()),
            self.leverage_hundredths.map_or_else(|| "none".to_owned(), leverage_words),
        );
        for leg in &self.legs {
            text += &leg.words(self.collateral);
        }
        for waiting in &self.orders {
            text += &format!(
                "\n{}: {} of the leg in the book, {} reserved",
                waiting.market,
                counted(waiting.orders.into(), "order"),
                show(waiting.reserved_atoms.into())
            );
        }
        if self.legs.is_empty() {
            text += "\nNo legs; `ballast cross join --market M` makes a position one.";
        }
        text
    }

    fn ratio_words(&self) -> String {
        let bps = self
            .margin_ratio_bps
            .and_then(|bps| i64::try_from(bps).ok());
        bps.map_or_else(String::new, |bps| {
            format!(", ratio {}, {}", percent_of_bps(bps), self.health)
        })
    }
}

impl LegView {
    fn words(&self, collateral: Collateral) -> String {
        let frozen = if self.mark_frozen { ", frozen" } else { "" };
        let units = self.units;
        let bankruptcy = self.bankruptcy_ticks.map(|ticks| units.show_price(ticks));
        let bankruptcy = bankruptcy.unwrap_or_else(|| "none".to_owned());
        let weak = if self.weak {
            "; too weak for a cut"
        } else {
            ""
        };
        format!(
            "\n{} {} {}\n  mark             {} ({} slots old{frozen})\n  result           {}\n  maintenance      {}\n  bankruptcy       {bankruptcy} if only this market moves\n  record           {} slots old{weak}",
            self.market,
            self.side,
            units.show_size(self.lots.unsigned_abs()),
            units.show_price(self.mark_ticks),
            self.mark_age_slots,
            collateral.show(self.unrealised_atoms),
            collateral.show(self.maintenance_atoms.into()),
            self.record_age_slots,
        )
    }
}

/// Whether the leg at a place has lots.
fn is_open(legs: &Legs<'_>, place: usize) -> bool {
    let leg = legs.account().legs.get(place);
    leg.is_some_and(|leg| !leg.position.is_empty())
}

fn orders(trader: &Trader, markets: &[(Pubkey, Market)]) -> Result<Vec<LegOrders>> {
    let slots = trader.positions.iter();
    slots
        .filter(|slot| slot.is_cross() && slot.order_count > 0)
        .map(|slot| {
            let market = market_of(markets, &slot.market)?;
            Ok(LegOrders {
                market_index: market.index,
                market: name_of(market),
                orders: slot.order_count,
                reserved_atoms: slot.order_margin,
            })
        })
        .collect()
}

fn market_of<'a>(markets: &'a [(Pubkey, Market)], key: &Pubkey) -> Result<&'a Market> {
    let known = markets.iter().find(|(address, _)| address == key);
    let (_, market) = known.context("the market of a leg was not read")?;
    Ok(market)
}

fn leverage(worth: u64, equity: i64) -> Option<u64> {
    let equity = u128::try_from(equity).ok().filter(|equity| *equity > 0)?;
    u64::try_from(u128::from(worth) * 100 / equity).ok()
}

fn leg(
    trader: &Trader,
    board: &CrossBoard,
    markets: &[(Pubkey, Market)],
    legs: &Legs<'_>,
    place: usize,
    now: u64,
    collateral: Collateral,
) -> Result<LegView> {
    let at = legs.slots().get(place).context("a leg")?;
    let slot = trader.positions.get(at.index).context("a leg")?;
    let entry = board.board.entry(at.place)?;
    let market = market_of(markets, &slot.market)?;
    let units = Units::new(&market.oracle, collateral.decimals);
    let account = legs.account();
    let values = account.values()?;
    let value = values.leg(place)?;
    let whole = account.with_everything(&values, place)?;
    let tick = market.oracle.atoms_per_lot_tick;
    let bankruptcy = bankruptcy_price(&whole, tick)?;
    let mark_ticks = units.ticks_of(entry.mark);
    Ok(LegView {
        market_index: market.index,
        market: name_of(market),
        side: whole.side().map_or("none", Side::name),
        lots: slot.lots,
        size: units.size(value.lots),
        entry_quote_atoms: slot.entry_quote,
        mark_ticks,
        mark: units.price(mark_ticks),
        mark_age_slots: entry.age(now),
        mark_frozen: entry.is_frozen(),
        unrealised_atoms: value.unrealised,
        maintenance_atoms: value.requirement,
        bankruptcy_ticks: bankruptcy.map(|ticks| ticks.get()),
        bankruptcy_price: bankruptcy.map(|ticks| units.price(ticks.get())),
        record_atoms: slot.margin,
        record_age_slots: now.saturating_sub(slot.held_slot),
        weak: slot.cross & CROSS_WEAK != 0 && is_fresh(slot.held_slot, now),
        flagged_slot: slot.flagged_slot,
        bankrupt_slot: slot.bankrupt_slot,
        units,
    })
}
