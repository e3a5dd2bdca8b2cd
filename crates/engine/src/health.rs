//! How a position stands at a price.

use crate::error::EngineError;
use crate::margin::maintenance_margin;
use crate::position::Position;
use crate::risk::RiskParams;
use crate::units::{Bps, LotPrice};

/// How a position stands at a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Empty, or equity is at least maintenance margin.
    Healthy,
    /// Equity is below maintenance margin and not negative.
    BelowMaintenance,
    /// Equity is negative.
    Bankrupt {
        /// By how much, atoms, positive.
        deficit: u64,
    },
}

impl Health {
    /// Whether it is a bankruptcy whose deficit exceeds what insurance may pay, atoms.
    #[must_use]
    pub const fn is_uncovered(self, insurance_available: u64) -> bool {
        matches!(self, Self::Bankrupt { deficit } if deficit > insurance_available)
    }
}

/// How a settled position stands at `mark`.
pub fn health(
    position: &Position,
    mark: LotPrice,
    params: &RiskParams,
) -> Result<Health, EngineError> {
    let equity = position.equity(mark)?;
    if equity.is_negative() {
        let deficit = equity.get().unsigned_abs();
        return Ok(Health::Bankrupt { deficit });
    }
    let required = maintenance_margin(params, position.notional(mark)?)?;
    if equity.positive_part() < required {
        return Ok(Health::BelowMaintenance);
    }
    Ok(Health::Healthy)
}

/// What a look at a settled position at `mark` finds; `counts` unless liquidation is paused.
pub fn look(
    position: &Position,
    mark: LotPrice,
    params: &RiskParams,
    counts: bool,
) -> Result<Look, EngineError> {
    let health = health(position, mark, params)?;
    let restored = health == Health::Healthy && {
        let required = maintenance_margin(params, position.notional(mark)?)?;
        let buffer = Bps::new(params.liquidation_buffer_bps).ceil_of(required)?;
        let wanted = required.checked_add(buffer).ok_or(EngineError::Overflow)?;
        position.equity(mark)?.positive_part() >= wanted
    };
    Ok(Look {
        health,
        restored,
        counts,
    })
}

/// What a look at a position finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// How it stands.
    pub health: Health,
    /// Whether it holds maintenance margin and the buffer, so that nothing is remembered any more.
    pub restored: bool,
    /// Whether the clocks run: not while liquidation is paused.
    pub counts: bool,
}

impl From<Health> for Look {
    /// A look while the clocks run; a healthy position is taken for a restored one.
    fn from(health: Health) -> Self {
        Self {
            health,
            restored: matches!(health, Health::Healthy),
            counts: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::risk::sol_market;
    use crate::units::{Atoms, Lots};

    #[test]
    fn with_maintenance_and_the_buffer_to_the_atom_a_position_is_restored() {
        let (params, mark) = (sol_market(), LotPrice::new(200_000).unwrap());
        let with_equity = |atoms| Position {
            lots: Lots::new(100).unwrap(),
            entry_quote: Atoms::new(20_000_000),
            margin: Atoms::new(atoms),
            ..Position::default()
        };
        // 2.5% of 20,000,000, and a tenth of it more.
        for (equity, health, restored) in [
            (550_001, Health::Healthy, true),
            (550_000, Health::Healthy, true),
            (549_999, Health::Healthy, false),
            (500_000, Health::Healthy, false),
            (499_999, Health::BelowMaintenance, false),
            (-1, Health::Bankrupt { deficit: 1 }, false),
        ] {
            let counts = equity % 2 == 0;
            let expected = Look {
                health,
                restored,
                counts,
            };
            let found = look(&with_equity(equity), mark, &params, counts);
            assert_eq!(found, Ok(expected), "{equity}");
        }
    }
}
