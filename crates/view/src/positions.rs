//! What a trader account holds, and how far it is from trouble.

use anyhow::{Context, Result};
use ballast_engine::liquidation::{health, Health};
use ballast_engine::margin::{initial_margin, maintenance_margin};
use ballast_engine::price_levels::{bankruptcy_price, liquidation_price, margin_ratio_bps};
use ballast_engine::rank::Class;
use ballast_engine::units::{Side, Ticks};
use ballast_state::position_slot::PositionSlot;
use ballast_state::trader::Trader;
use ballast_state::trigger::Trigger;
use ballast_state::Pubkey;
use serde::Serialize;

use crate::failure::Computed;
use crate::protection::ProtectionView;
use crate::state::MarketState;
use crate::trader::TraderView;
use crate::units::{counted, leverage_words, percent_of_bps, Collateral, Units};

/// A stop-loss or take-profit as it is printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TriggerView {
    price_ticks: u64,
    price: String,
    /// 0 when only the band limits the fills.
    worst_ticks: u64,
    lots: u32,
}

impl TriggerView {
    /// A trigger, where it is set.
    pub(crate) fn of(trigger: &Trigger, units: Units) -> Option<Self> {
        (!trigger.is_unset()).then(|| Self {
            price_ticks: trigger.price_ticks,
            price: units.price(trigger.price_ticks),
            worst_ticks: trigger.worst_ticks,
            lots: trigger.lots,
        })
    }

    /// What it closes, and at which price.
    pub(crate) fn words(&self, units: Units) -> String {
        let size = units.show_size(self.lots.into());
        format!("{size} at {}", units.show_price(self.price_ticks))
    }
}

/// A position as it is printed. Amounts in atoms; prices in ticks and as decimal numbers.
#[derive(Clone, Debug, Serialize)]
pub struct PositionView {
    /// Number of the market.
    pub market_index: u16,
    /// Name of the market.
    pub market: String,
    slot: u64,
    /// `long`, `short`, or `none` where there are only orders or held profit.
    pub side: &'static str,
    /// Lots, negative for a short.
    pub lots: i64,
    size: String,
    entry_quote_atoms: i64,
    /// On average, cut off to a hundredth of a tick; `null` without lots.
    entry_price: Option<String>,
    /// The mark, ticks.
    pub mark_ticks: u64,
    mark: String,
    mark_source: &'static str,
    /// Seconds since the price was published, that everything below depends on.
    mark_age_seconds: Option<i64>,
    /// What keeps the price from opening positions.
    price_fault: Option<&'static str>,
    /// The same for people.
    #[serde(skip)]
    mark_words: String,
    margin_atoms: i64,
    /// Funding since it was last paid, in `margin_atoms` already; negative is received.
    funding_owed_atoms: i64,
    notional_atoms: u64,
    pnl_atoms: i64,
    /// Margin and unrealised profit.
    pub equity_atoms: i64,
    maintenance_atoms: u64,
    initial_atoms: u64,
    /// Worth over equity, hundredths; `null` without equity.
    leverage_hundredths: Option<u64>,
    /// Equity over maintenance margin; below 10,000 it may be liquidated.
    pub margin_ratio_bps: Option<i64>,
    /// `healthy`, `below_maintenance` or `bankrupt`.
    pub health: &'static str,
    liquidation_ticks: Option<u64>,
    liquidation_price: Option<String>,
    bankruptcy_ticks: Option<u64>,
    bankruptcy_price: Option<String>,
    /// Of a winner: 5 in the first fifth of the queue to 1 in the last; 0 of another, which is not
    /// cut before every winner is, or not at all.
    pub light: Option<u8>,
    /// `winner`, `other` or `insolvent`, at the mark.
    queue_class: Option<&'static str>,
    /// From 1.
    queue_rank: Option<u64>,
    /// Positions of the queue that may be cut.
    queue_eligible: u32,
    /// Lots of the positions ranked before it.
    lots_ahead: u64,
    flagged_slot: u64,
    bankrupt_slot: u64,
    orders: u32,
    order_margin_atoms: u64,
    /// Profit that the market holds.
    held_atoms: u64,
    stop_loss: Option<TriggerView>,
    take_profit: Option<TriggerView>,
    /// Its protective steps, where they were read and there are some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protection: Option<ProtectionView>,
}

impl PositionView {
    /// What a slot of a trader account holds in its market, funding paid up to now.
    pub fn new(slot: &PositionSlot, state: &MarketState) -> Result<Self> {
        let (units, params) = (state.units, state.market.params());
        let (ticks, source) = state.mark_ticks().context("the market has no price yet")?;
        let mark = state.mark()?;
        let stored = slot.position().map_err(anyhow::Error::from)?;
        let position = stored.settle(state.funding_index()?).computed()?;
        let place = match position.side() {
            Some(side) => Some(state.standing(side, slot.queue_node)?.standing),
            None => None,
        };
        let tick = units.atoms_per_lot_tick;
        let equity = position.equity(mark).computed()?.get();
        let notional = position.notional(mark).computed()?;
        let liquidation = liquidation_price(&position, params, tick).computed()?;
        let bankruptcy = bankruptcy_price(&position, tick).computed()?;
        let text = |level: Option<Ticks>| level.map(|ticks| units.price(ticks.get()));
        Ok(Self {
            market_index: state.market.index,
            market: state.name(),
            slot: state.slot,
            side: position.side().map_or("none", Side::name),
            lots: slot.lots,
            size: units.size(position.size()),
            entry_quote_atoms: slot.entry_quote,
            entry_price: (slot.lots != 0)
                .then(|| units.average(slot.entry_quote.unsigned_abs(), position.size())),
            mark_ticks: ticks,
            mark: units.price(ticks),
            mark_source: source.name(),
            mark_age_seconds: state.price_age(),
            price_fault: state.price_fault(),
            mark_words: state.price_words(),
            margin_atoms: position.margin.get(),
            funding_owed_atoms: stored.margin.try_sub(position.margin).computed()?.get(),
            notional_atoms: notional,
            pnl_atoms: position.pnl(mark).computed()?.get(),
            equity_atoms: equity,
            leverage_hundredths: leverage(notional, equity),
            maintenance_atoms: maintenance_margin(params, notional).computed()?,
            initial_atoms: initial_margin(params, &state.margin_scale(), notional).computed()?,
            margin_ratio_bps: margin_ratio_bps(&position, mark, params).computed()?,
            health: match health(&position, mark, params).computed()? {
                Health::Healthy => "healthy",
                Health::BelowMaintenance => "below_maintenance",
                Health::Bankrupt { .. } => "bankrupt",
            },
            liquidation_ticks: liquidation.map(Ticks::get),
            liquidation_price: text(liquidation),
            bankruptcy_ticks: bankruptcy.map(Ticks::get),
            bankruptcy_price: text(bankruptcy),
            light: place.map(|place| light_of(place.ranked.class, place.light)),
            queue_class: place.map(|place| class_name(place.ranked.class)),
            queue_rank: place.map(|place| u64::from(place.rank) + 1),
            queue_eligible: place.map_or(0, |place| place.eligible),
            lots_ahead: place.map_or(0, |place| place.lots_ahead),
            flagged_slot: slot.flagged_slot,
            bankrupt_slot: slot.bankrupt_slot,
            orders: u32::from(slot.order_count),
            order_margin_atoms: slot.order_margin,
            held_atoms: state.market.held.value(&slot.held_claim()).computed()?,
            stop_loss: TriggerView::of(&slot.stop_loss, units),
            take_profit: TriggerView::of(&slot.take_profit, units),
            protection: None,
        })
    }

    /// The same with the protective steps of its trader account in the market.
    #[must_use]
    pub fn protected(self, protection: Option<ProtectionView>) -> Self {
        Self {
            protection: protection.filter(ProtectionView::is_set),
            ..self
        }
    }

    /// The mark as a decimal number.
    pub fn mark(&self) -> &str {
        &self.mark
    }

    /// The liquidation price as a decimal number.
    pub fn liquidation(&self) -> Option<&str> {
        self.liquidation_price.as_deref()
    }

    /// Market, lots and entry: what fills change, and nothing else.
    pub fn filled(&self) -> (u16, i64, i64) {
        (self.market_index, self.lots, self.entry_quote_atoms)
    }

    /// In words; several lines.
    pub fn words(&self, units: Units) -> String {
        let atoms = |atoms: i64| units.collateral.show(atoms.into());
        let mut lines = Vec::new();
        let mut line = |name: &str, text: String| lines.push(format!("    {name:<18}{text}"));
        if self.lots != 0 {
            let entry = self.entry_quote_atoms.unsigned_abs();
            let lots = self.lots.unsigned_abs();
            line(
                "entry, mark",
                format!(
                    "{}, {} ({})",
                    units.show_average(entry, lots),
                    units.show_price(self.mark_ticks),
                    self.mark_words
                ),
            );
            line(
                "equity",
                format!(
                    "{} = margin {} + profit {}",
                    atoms(self.equity_atoms),
                    atoms(self.margin_atoms),
                    atoms(self.pnl_atoms)
                ),
            );
            line("leverage", self.leverage_words());
            line("margin ratio", self.ratio_words(units));
            line("liquidation at", level_words(self.liquidation_ticks, units));
            line("bankruptcy at", level_words(self.bankruptcy_ticks, units));
            line("funding owed", atoms(self.funding_owed_atoms));
            line("deleveraging", self.light_words());
        }
        if self.flagged_slot > 0 {
            line(
                "flagged",
                format!("below maintenance since slot {}", self.flagged_slot),
            );
        }
        if self.bankrupt_slot > 0 {
            line(
                "flagged",
                format!("bankrupt since slot {}", self.bankrupt_slot),
            );
        }
        if self.orders > 0 {
            let reserved = units.collateral.show(self.order_margin_atoms.into());
            let orders = usize::try_from(self.orders).unwrap_or(usize::MAX);
            line(
                "orders",
                format!("{}, which reserve {reserved}", counted(orders, "order")),
            );
        }
        if self.held_atoms > 0 {
            let held = units.collateral.show(self.held_atoms.into());
            line(
                "held profit",
                format!("{held}; `ballast release-profit` frees what the market is not short of"),
            );
        }
        for (name, trigger) in [
            ("stop-loss", &self.stop_loss),
            ("take-profit", &self.take_profit),
        ] {
            if let Some(trigger) = trigger {
                line(name, trigger.words(units));
            }
        }
        if let Some(protection) = &self.protection {
            let ended = match protection.in_force {
                true => "",
                false => "; the position that they were set for has ended: they do nothing",
            };
            line(
                "protective steps",
                format!("{}{ended}", protection.words(units)),
            );
        }
        format!("{}\n{}", self.title(units), lines.join("\n"))
    }

    fn title(&self, units: Units) -> String {
        if self.lots == 0 {
            let what = match self.orders {
                0 => "held profit only",
                _ => "orders only",
            };
            return format!("  {}: {what}", self.market);
        }
        format!(
            "  {}: {} {}, worth {}",
            self.market,
            self.side,
            units.show_size(self.lots.unsigned_abs()),
            units.collateral.show(self.notional_atoms.into())
        )
    }

    fn ratio_words(&self, units: Units) -> String {
        let ratio = self
            .margin_ratio_bps
            .map_or_else(|| "-".to_owned(), percent_of_bps);
        let maintenance = units.collateral.show(self.maintenance_atoms.into());
        let at = match self.price_fault {
            None => String::new(),
            Some(_) => format!(" at a price {}", self.mark_words),
        };
        format!(
            "{ratio} of maintenance {maintenance} ({}{at})",
            self.health.replace('_', " ")
        )
    }

    fn leverage_words(&self) -> String {
        self.leverage_hundredths
            .map_or_else(|| "no equity".to_owned(), leverage_words)
    }

    /// In a line, for the end of a command.
    pub fn brief(&self, units: Units) -> String {
        let entry = self.entry_quote_atoms.unsigned_abs();
        let lots = self.lots.unsigned_abs();
        format!(
            "The position is {} {} at {} on average: margin {}, equity {}, leverage {}, liquidation at {}.",
            self.side,
            units.show_size(lots),
            units.show_average(entry, lots),
            units.collateral.show(self.margin_atoms.into()),
            units.collateral.show(self.equity_atoms.into()),
            self.leverage_words(),
            level_words(self.liquidation_ticks, units),
        )
    }

    fn light_words(&self) -> String {
        match (self.light, self.queue_rank) {
            (Some(0), _) if self.queue_class == Some("other") => {
                "after every winner: it is none at the mark".to_owned()
            }
            (Some(0), _) => "not in the queue's order: it is insolvent at the mark".to_owned(),
            (Some(light), Some(rank)) => {
                format!("{} place {rank} of {}", lights(light), self.queue_eligible)
            }
            _ => "-".to_owned(),
        }
    }
}

/// Worth over equity, hundredths; `None` without equity.
fn leverage(notional: u64, equity: i64) -> Option<u64> {
    let equity = u128::try_from(equity).ok().filter(|equity| *equity > 0)?;
    u64::try_from(u128::from(notional) * 100 / equity).ok()
}

/// A light of the queue's order: nobody who is no winner at the mark is cut while there are winners.
pub fn light_of(class: Class, light: u8) -> u8 {
    match class {
        Class::Winner => light,
        Class::Other | Class::Ineligible => 0,
    }
}

/// The name of a class in JSON.
pub fn class_name(class: Class) -> &'static str {
    match class {
        Class::Winner => "winner",
        Class::Other => "other",
        Class::Ineligible => "insolvent",
    }
}

/// A light as five steps.
pub fn lights(light: u8) -> String {
    let lit = usize::from(light.min(5));
    format!("{}{}", "●".repeat(lit), "○".repeat(5 - lit))
}

fn level_words(ticks: Option<u64>, units: Units) -> String {
    ticks.map_or_else(|| "no price".to_owned(), |ticks| units.show_price(ticks))
}

/// A trader account with its positions, as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct Holdings {
    #[serde(flatten)]
    trader: TraderView,
    /// What could be withdrawn if everything closed at the mark, without fees: free collateral, what
    /// orders reserve, and the equity of each isolated position where it is above zero: what a position
    /// is short of, nothing else of the account pays. Legs of cross margin and their pool are not in it.
    total_atoms: i64,
    /// The isolated positions, in the order of the account's slots.
    pub positions: Vec<PositionView>,
}

impl Holdings {
    /// Of a trader account and the markets it is in.
    pub fn new(
        address: &Pubkey,
        trader: &Trader,
        states: &[impl AsRef<MarketState>],
        collateral: Collateral,
    ) -> Result<Self> {
        let mut positions = Vec::new();
        let of_legs = trader.positions.iter().filter(|slot| slot.is_cross());
        let reserved: u64 = of_legs.map(|slot| slot.order_margin).sum();
        let mut total = trader.free.saturating_add(i64::try_from(reserved)?);
        for slot in trader.isolated() {
            let mut all = states.iter().map(AsRef::as_ref);
            let state = all.find(|state: &&MarketState| state.keys.market == slot.market);
            let state = state.context("a market of the trader was not read")?;
            let view = PositionView::new(slot, state)?;
            let reserved = i64::try_from(slot.order_margin)?;
            total = total
                .saturating_add(view.equity_atoms.max(0))
                .saturating_add(reserved);
            positions.push(view);
        }
        Ok(Self {
            trader: TraderView::new(address, trader, collateral),
            total_atoms: total,
            positions,
        })
    }

    /// The same with the protective steps that `of` has for a market, by its number.
    #[must_use]
    pub fn protected(mut self, of: impl Fn(u16) -> Option<ProtectionView>) -> Self {
        let views = core::mem::take(&mut self.positions).into_iter();
        self.positions = views
            .map(|view| {
                let protection = of(view.market_index);
                view.protected(protection)
            })
            .collect();
        self
    }

    /// In words; several lines.
    pub fn words(&self, states: &[MarketState], collateral: Collateral) -> String {
        let mut text = format!(
            "{}\n  total            {} if everything closed at the mark, without fees",
            self.trader.words(collateral),
            collateral.show(self.total_atoms.into())
        );
        for view in &self.positions {
            let state = states
                .iter()
                .find(|state| state.market.index == view.market_index);
            if let Some(state) = state {
                text.push_str(&format!("\n\n{}", view.words(state.units)));
            }
        }
        text
    }
}
