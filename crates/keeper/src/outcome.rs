//! What a transaction did, by the events of its block: the plan is what the keeper hoped for, and others
//! may have come before.

use anchor_lang::prelude::Pubkey;
use ballast_state::events::{BallastEvent, PartyTraded};

/// What a transaction did. Amounts in atoms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Lots of the position that were closed.
    pub closed_lots: u64,
    /// Lots of the position that are left; `None` where no event tells.
    pub left_lots: Option<u64>,
    /// Lots that the market's pool took over.
    pub pool_lots: u64,
    /// Counterparties cut.
    pub cuts: usize,
    /// What insurance paid.
    pub insurance_atoms: u64,
    /// What came to the keeper's trader account: rewards, its share of what the book paid, fees of
    /// orders it removed, and what lots it took over were worth above their price.
    pub income_atoms: u64,
    /// Profit that a market held back, of anybody.
    pub held_atoms: u64,
    /// Held profit that became free, of anybody.
    pub released_atoms: u64,
}

impl Outcome {
    /// By the events of a transaction of the keeper whose trader account is `own`.
    #[must_use]
    pub fn of(events: &[BallastEvent], own: &Pubkey) -> Self {
        let mut outcome = Self::default();
        for event in events {
            outcome.add(event, own);
        }
        outcome
    }

    fn add(&mut self, event: &BallastEvent, own: &Pubkey) {
        match event {
            BallastEvent::PositionLiquidated(event) => {
                self.close(event.lots.unsigned_abs(), event.lots_after.unsigned_abs());
                self.insure(event.insurance_paid_atoms);
                if event.liquidator == *own {
                    self.earn(event.book_reward_atoms);
                    self.earn(event.discount_atoms);
                    self.earn(event.reward_atoms);
                    self.earn(event.collected_atoms);
                }
            }
            BallastEvent::AutoDeleveraged(event) => {
                self.close(event.lots_closed, event.lots_after.unsigned_abs());
                self.insure(event.insurance_paid_atoms);
                self.earn(event.reward_atoms);
                self.cuts = self.cuts.saturating_add(event.cuts.len());
            }
            BallastEvent::TriggerExecuted(event) => {
                self.fire(event.filled_lots, event.taker.as_ref());
                self.earn(event.reward_atoms);
            }
            BallastEvent::ProtectionExecuted(event) => {
                self.fire(event.filled_lots, event.taker.as_ref());
                self.earn(event.reward_atoms);
            }
            // Beside a trigger or step of a leg, which says nothing of it.
            BallastEvent::LegTraded(event) => {
                self.left_lots = Some(event.lots_after.unsigned_abs());
            }
            BallastEvent::PoolTook(event) => {
                let lots = event.lots.unsigned_abs();
                self.pool_lots = self.pool_lots.saturating_add(lots);
            }
            BallastEvent::PoolUnwound(event) => {
                self.close(event.closed_lots, event.taker.lots_after.unsigned_abs());
                self.earn(event.keeper_atoms);
            }
            BallastEvent::ProfitHeld(event) => {
                let held = event.parts.iter().map(|part| part.held_atoms);
                self.held_atoms = held.fold(self.held_atoms, u64::saturating_add);
            }
            BallastEvent::ProfitReleased(event) => {
                let freed = event.parts.iter().map(|part| part.atoms);
                self.released_atoms = freed.fold(self.released_atoms, u64::saturating_add);
            }
            _ => {}
        }
    }

    fn close(&mut self, lots: u64, left: u64) {
        self.closed_lots = self.closed_lots.saturating_add(lots);
        self.left_lots = Some(left);
    }

    fn fire(&mut self, lots: u64, taker: Option<&PartyTraded>) {
        let left = taker.map_or(0, |taker| taker.lots_after.unsigned_abs());
        self.close(lots, left);
    }

    fn insure(&mut self, atoms: u64) {
        self.insurance_atoms = self.insurance_atoms.saturating_add(atoms);
    }

    fn earn(&mut self, atoms: u64) {
        self.income_atoms = self.income_atoms.saturating_add(atoms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_state::events::{
        HeldPart, PositionLiquidated, ProfitHeld, ProfitReleased, ReleasedPart,
    };

    const OWN: Pubkey = Pubkey::new_from_array([7; 32]);

    fn liquidated(lots: i64, left: i64, liquidator: Pubkey) -> BallastEvent {
        BallastEvent::PositionLiquidated(Box::new(PositionLiquidated {
            market: Pubkey::default(),
            trader: Pubkey::default(),
            liquidator,
            mark_ticks: 1,
            lots,
            quote_atoms: 0,
            book_lots: 0,
            book_quote_atoms: 0,
            book_reward_atoms: 5,
            discount_atoms: 7,
            insurance_fee_atoms: 1,
            insurance_paid_atoms: 11,
            held_paid_atoms: 0,
            equity_before_atoms: 0,
            maintenance_before_atoms: 0,
            lots_before: left - lots,
            lots_after: left,
            insurance_before_atoms: 11,
            insurance_after_atoms: 0,
            reward_atoms: 3,
            collected_atoms: 2,
            cancelled: None,
            fills: Vec::new(),
            removed: Vec::new(),
            kept_orders: 0,
        }))
    }

    #[test]
    fn the_figures_are_those_of_the_events() {
        let outcome = Outcome::of(&[liquidated(-1_987, 400, OWN)], &OWN);
        let expected = Outcome {
            closed_lots: 1_987,
            left_lots: Some(400),
            cuts: 0,
            insurance_atoms: 11,
            income_atoms: 17,
            ..Outcome::default()
        };
        assert_eq!(outcome, expected);
        let others = Outcome::of(&[liquidated(-1, 0, Pubkey::default())], &OWN);
        assert_eq!((others.closed_lots, others.income_atoms), (1, 0));
        assert_eq!(Outcome::of(&[], &OWN), Outcome::default());
    }

    #[test]
    fn held_and_released_profit_is_summed_over_everybody() {
        let market = Pubkey::default();
        let held = |held_atoms| HeldPart {
            trader: OWN,
            profit_atoms: 9,
            held_atoms,
        };
        let released = |atoms| ReleasedPart { trader: OWN, atoms };
        let events = [
            BallastEvent::ProfitHeld(Box::new(ProfitHeld {
                market,
                shortfall_atoms: 50,
                parts: vec![held(3), held(4)],
                held_after_atoms: 7,
            })),
            BallastEvent::ProfitReleased(Box::new(ProfitReleased {
                market,
                mark_ticks: 1,
                shortfall_atoms: 0,
                parts: vec![released(5), released(1)],
                held_after_atoms: 1,
            })),
        ];
        let outcome = Outcome::of(&events, &OWN);
        assert_eq!((outcome.held_atoms, outcome.released_atoms), (7, 6));
        assert_eq!(outcome.income_atoms, 0);
    }
}
