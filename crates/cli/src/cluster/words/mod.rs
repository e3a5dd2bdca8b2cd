//! Events of the program in words, and as JSON.

mod cross;
mod json;
mod pool;
mod stakes;
mod wind_down;

use ballast_state::book_account::OrderSide;
use ballast_state::events::BallastEvent;
use ballast_state::events::{OracleWitnessed, OrderPlaced, OrdersCancelled, RemovalReason};
use ballast_state::exchange::Exchange;
use ballast_state::order_args::OrderKind;
use ballast_state::staged::Change;
use ballast_state::trigger::TriggerKind;
use ballast_view::protection;

use super::choices::{Direction, Trigger, Type};
use super::pauses::paused;
use super::pool_params;
use super::units::{Collateral, Units};

pub use ballast_view::staged::{hex, role_name, source_words};
pub use ballast_view::units::counted;
pub use json::json;

/// What an exchange without delays is told in every answer.
pub const NO_DELAY: &str =
    "AUTHORITIES ACT AT ONCE: NO DELAY OF A DAY. Nobody can react to what they change.";

/// How amounts, sizes and prices of events are named.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// The quote currency.
    pub collateral: Collateral,
    /// Name and units of the one market the events are of.
    pub market: Option<(&'a str, Units)>,
}

impl Names<'static> {
    /// Of what concerns no market.
    pub fn of(exchange: &Exchange) -> Self {
        Self {
            collateral: Collateral {
                decimals: exchange.mint_decimals,
            },
            market: None,
        }
    }
}

impl Names<'_> {
    /// An event as a sentence.
    pub fn sentence(&self, event: &BallastEvent) -> String {
        let atoms = |atoms: i128| self.collateral.show(atoms);
        match event {
            BallastEvent::TraderCreated(event) => format!(
                "Trader account {} of {} opened (number {}).",
                event.trader, event.owner, event.sub_id
            ),
            BallastEvent::TraderClosed(event) => {
                format!("Trader account {} closed; its rent is back.", event.trader)
            }
            BallastEvent::DelegateSet(event) if event.after == Default::default() => {
                format!("Trader account {} has no delegate.", event.trader)
            }
            BallastEvent::DelegateSet(event) => {
                format!(
                    "{} may trade for trader account {}.",
                    event.after, event.trader
                )
            }
            BallastEvent::Deposited(event) => format!(
                "{} deposited; free collateral of {} is {}.",
                atoms(event.amount.into()),
                event.trader,
                atoms(event.free_after.into())
            ),
            BallastEvent::Withdrawn(event) => format!(
                "{} withdrawn to {}; free collateral is {}.",
                atoms(event.amount.into()),
                event.destination,
                atoms(event.free_after.into())
            ),
            BallastEvent::MarginAdded(event) => format!(
                "{} of margin added, {} now; free collateral is {}.",
                atoms(event.amount.into()),
                atoms(event.margin_after.into()),
                atoms(event.free_after.into())
            ),
            BallastEvent::MarginRemoved(event) => format!(
                "{} of margin removed, {} left; free collateral is {}.",
                atoms(event.amount.into()),
                atoms(event.margin_after.into()),
                atoms(event.free_after.into())
            ),
            BallastEvent::InsuranceDonated(event) => format!(
                "{} given to insurance, which holds {}.",
                atoms(event.amount.into()),
                atoms(event.balance_after.into())
            ),
            BallastEvent::InsuranceSwept(event) => format!(
                "The insurance vault held {} and holds {}, as its ledger says.",
                atoms(event.vault_before.into()),
                atoms(event.vault_after.into())
            ),
            BallastEvent::StrayTokensCredited(event) => format!(
                "{} that somebody had sent straight to the insurance vault went to insurance.",
                atoms(event.amount.into())
            ),
            BallastEvent::InsuranceWithdrawn(event) => format!(
                "{} of insurance paid to {}; nothing but stakes is left.",
                atoms(event.amount.into()),
                event.treasury
            ),
            BallastEvent::FeesWithdrawn(event) => format!(
                "{} of fees paid to {}; {} are left.",
                atoms(event.amount.into()),
                event.treasury,
                atoms(event.fees_after_atoms.into())
            ),
            BallastEvent::OrderPlaced(event) => self.placed(event),
            BallastEvent::OrdersCancelled(event) => self.cancelled(event),
            BallastEvent::TriggerPlaced(event) => format!(
                "{} set: {} close when the price reaches {}.",
                trigger(event.kind),
                self.size(event.lots.into()),
                self.price(event.price_ticks)
            ),
            BallastEvent::TriggerCancelled(event) => format!("{} cleared.", trigger(event.kind)),
            BallastEvent::ProtectionCreated(_) => {
                "An account for protective steps opened; closing it returns its rent.".to_owned()
            }
            BallastEvent::ProtectionSet(event) if event.steps.is_empty() => {
                "Protective steps cleared.".to_owned()
            }
            BallastEvent::ProtectionSet(event) => format!(
                "Protective steps set for {}: {}.",
                self.size(event.base_lots.unsigned_abs()),
                protection::words(&event.steps)
            ),
            BallastEvent::ProtectionClosed(_) => {
                "The account of the protective steps closed; its rent is back.".to_owned()
            }
            BallastEvent::ProfitHeld(event) => {
                format!(
                "{} of the profit is held: the market is short of {}. `ballast release-profit` \
                 frees it once it is not.",
                atoms(event.parts.iter().map(|part| i128::from(part.held_atoms)).sum()),
                atoms(event.shortfall_atoms.into())
            )
            }
            BallastEvent::ProfitReleased(event) => format!(
                "{} of held profit is free again.",
                atoms(event.parts.iter().map(|part| i128::from(part.atoms)).sum())
            ),
            BallastEvent::PauseSet(event) => match paused(event.flags_after).as_slice() {
                [] => "Nothing is paused.".to_owned(),
                names => format!(
                    "Paused now: {}; this pause ends before slot {}.",
                    names.join(", "),
                    event.until_slot
                ),
            },
            BallastEvent::ChangeStaged(event) => format!(
                "Staged in {}: {}. It may be applied from slot {} to slot {}.",
                event.staged,
                change(&event.change),
                event.eta_slot,
                event.expires_slot
            ),
            BallastEvent::ChangeCancelled(event) => {
                format!("What {} held is cancelled by {}.", event.staged, event.by)
            }
            BallastEvent::DelaysChanged(event) => format!(
                "Risk parameters wait for {} slots, everything else for {}.",
                event.after.risk_slots, event.after.admin_slots
            ),
            BallastEvent::TreasuryChanged(event) => {
                format!("The exchange's earnings are paid to {}.", event.after)
            }
            BallastEvent::OracleWitnessed(event) => self.witnessed(event),
            BallastEvent::OracleChanged(event) => format!(
                "The market takes prices from {}, {} now; {} before, {}.",
                source_words(&event.after),
                self.price(event.new_ticks),
                source_words(&event.before),
                self.price(event.ticks)
            ),
            BallastEvent::AuthorityAccepted(event) => format!(
                "{} has taken the {} role over from {}.",
                event.holder,
                role_name(event.role),
                event.former
            ),
            BallastEvent::QueueGrown(event) => format!(
                "The queue of {} has room for {} positions, {} before.",
                if event.long { "longs" } else { "shorts" },
                event.capacity_after,
                event.capacity_before
            ),
            other => self
                .wind_down(other)
                .or_else(|| self.pool(other))
                .or_else(|| self.stakes(other))
                .or_else(|| self.cross(other))
                .unwrap_or_else(|| format!("{}.", other.name())),
        }
    }

    fn placed(&self, event: &OrderPlaced) -> String {
        let mut parts = Vec::new();
        if event.filled_lots > 0 {
            let quote: u64 = event
                .fills
                .iter()
                .map(|fill| self.quote(fill.price_ticks, fill.lots))
                .sum();
            let average = match self.market {
                Some((_, units)) => units.show_average(quote, event.filled_lots),
                None => quote.to_string(),
            };
            parts.push(format!(
                "{} filled at {average} on average",
                self.size(event.filled_lots)
            ));
        }
        if event.resting_lots > 0 {
            parts.push(format!(
                "{} wait at {} as order {}, which reserves {}",
                self.size(event.resting_lots),
                self.price(event.price_ticks),
                event.order_id,
                self.collateral.show(event.reserved_atoms.into())
            ));
        }
        if event.dropped_lots > 0 {
            parts.push(format!("{} dropped", self.size(event.dropped_lots)));
        }
        if let Some(taker) = &event.taker {
            parts.push(format!(
                "realized {}, fee {}",
                self.collateral.show(taker.realized.into()),
                self.collateral.show(taker.fee.into())
            ));
        }
        if !event.removed.is_empty() {
            parts.push(format!("{} dead orders removed", event.removed.len()));
        }
        if !event.cancelled.is_empty() {
            parts.push(format!(
                "{} left the book",
                counted(event.cancelled.len(), "own order")
            ));
        }
        let verb = if event.side == OrderSide::Bid {
            "Buy"
        } else {
            "Sell"
        };
        format!("{verb} {}: {}.", self.size(event.lots), parts.join("; "))
    }

    fn witnessed(&self, event: &OracleWitnessed) -> String {
        let (own, other) = (self.price(event.ticks), self.price(event.new_ticks));
        if event.agree {
            return format!(
                "Both price sources agree, {own} and {other}, for {} slots so far.",
                event.covered_slots
            );
        }
        format!("The price sources are apart, {own} and {other}: the change is void for good.")
    }

    fn cancelled(&self, event: &OrdersCancelled) -> String {
        let ids: Vec<String> = event
            .orders
            .iter()
            .map(|order| order.id.to_string())
            .collect();
        let freed: u64 = event.orders.iter().map(|order| order.margin_atoms).sum();
        format!(
            "{} cancelled ({}), {} free again; free collateral is {}.",
            counted(event.orders.len(), "order"),
            ids.join(", "),
            self.collateral.show(freed.into()),
            self.collateral.show(event.free_after.into())
        )
    }

    /// A position: `long 2.000`, `no position`.
    fn held(&self, lots: i64) -> String {
        match lots.signum() {
            0 => "no position".to_owned(),
            1 => format!("long {}", self.size(lots.unsigned_abs())),
            _ => format!("short {}", self.size(lots.unsigned_abs())),
        }
    }

    /// What lots changed hands at on average, for so much quote in all.
    fn average(&self, quote: u64, lots: u64) -> String {
        match self.market {
            Some((_, units)) => units.show_average(quote, lots),
            None => format!("{} in all", self.collateral.show(quote.into())),
        }
    }

    fn size(&self, lots: u64) -> String {
        self.market.map_or_else(
            || format!("{lots} lots"),
            |(_, units)| units.show_size(lots),
        )
    }

    fn price(&self, ticks: u64) -> String {
        self.market.map_or_else(
            || format!("{ticks} ticks"),
            |(_, units)| units.show_price(ticks),
        )
    }

    fn quote(&self, ticks: u64, lots: u64) -> u64 {
        let atoms = self.market.map_or(1, |(_, units)| units.atoms_per_lot_tick);
        ticks.saturating_mul(lots).saturating_mul(atoms)
    }
}

/// Name of a trigger at the beginning of a sentence.
pub fn trigger(kind: TriggerKind) -> &'static str {
    match kind {
        TriggerKind::StopLoss => "Stop-loss",
        TriggerKind::TakeProfit => "Take-profit",
    }
}

/// Why an order was removed.
pub fn reason_words(reason: RemovalReason) -> &'static str {
    match reason {
        RemovalReason::Expired => "its time was over",
        RemovalReason::Unhealthy => "its trader could not have carried the position",
        RemovalReason::NothingToReduce => "there was nothing to reduce",
        RemovalReason::NoRoom => "the queue of its side was full, or its legs held all they may",
        RemovalReason::Reduced => "it was to reduce a position that has become smaller",
        RemovalReason::Evicted => "an order at a better price took its place in a full book",
        RemovalReason::ProfitIsHeld => {
            "the market was too short of money to pay a leg the profit of it"
        }
    }
}

/// `buy` or `sell`.
pub fn side_name(side: OrderSide) -> &'static str {
    Direction::from(side).into()
}

/// The type of an order as the command line has it.
pub fn kind_name(kind: OrderKind) -> &'static str {
    Type::from(kind).into()
}

/// The kind of a trigger as the command line has it.
pub fn trigger_name(kind: TriggerKind) -> &'static str {
    Trigger::from(kind).into()
}

/// A staged change in a few words.
pub fn change(change: &Change) -> String {
    match change {
        Change::Pool(params) => format!(
            "these parameters of the pool: {}",
            pool_params::words(params)
        ),
        other => ballast_view::staged::words(other),
    }
}
