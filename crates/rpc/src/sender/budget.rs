//! What a transaction asks of the block: compute units, bytes of accounts, and priority.

use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_instruction::Instruction;

use super::Simulated;

/// The most compute units Solana grants a transaction.
pub const MAX_COMPUTE_UNITS: u32 = 1_400_000;
/// The most bytes of accounts a transaction may load, and what it is taken to load when it does
/// not say.
pub const MAX_LOADED_BYTES: u32 = 64 * 1_024 * 1_024;
/// Compute units requested beyond what the simulation used, per cent.
const SPARE_UNITS_PERCENT: u64 = 20;
/// Bytes requested beyond what the simulation loaded: a queue or a lookup table may have grown
/// until the transaction lands. A block reserves 8 units for each 32 KiB requested.
const SPARE_LOADED_BYTES: u32 = 128 * 1_024;

/// What a transaction asks for. It fails when it needs more, and a block has less room for others
/// when it needs less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Compute units, at most [`MAX_COMPUTE_UNITS`].
    pub units: u32,
    /// Bytes of all accounts it loads, at most [`MAX_LOADED_BYTES`]; `None` asks for that many.
    pub loaded_bytes: Option<u32>,
    /// Priority, micro-lamports a compute unit.
    pub price: u64,
}

impl Budget {
    /// What a transaction needs that was simulated so.
    #[must_use]
    pub fn of(simulated: &Simulated, price: u64) -> Self {
        let units = simulated.units;
        let spared = units.saturating_add(units.saturating_mul(SPARE_UNITS_PERCENT) / 100 + 1_000);
        let most = u64::from(MAX_COMPUTE_UNITS);
        Self {
            units: u32::try_from(spared.min(most)).unwrap_or(MAX_COMPUTE_UNITS),
            loaded_bytes: simulated.loaded_bytes.map(|bytes| {
                bytes
                    .saturating_add(SPARE_LOADED_BYTES)
                    .min(MAX_LOADED_BYTES)
            }),
            price,
        }
    }

    /// The instructions with those that ask for the budget before them.
    #[must_use]
    pub fn before(&self, instructions: &[Instruction]) -> Vec<Instruction> {
        let mut all = vec![ComputeBudgetInstruction::set_compute_unit_limit(self.units)];
        if let Some(bytes) = self.loaded_bytes {
            all.push(ComputeBudgetInstruction::set_loaded_accounts_data_size_limit(bytes));
        }
        if self.price > 0 {
            all.push(ComputeBudgetInstruction::set_compute_unit_price(self.price));
        }
        all.extend_from_slice(instructions);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn simulated(units: u64, loaded_bytes: Option<u32>) -> Simulated {
        Simulated {
            units,
            loaded_bytes,
            events: Vec::new(),
            logs: Vec::new(),
        }
    }

    #[test]
    fn it_leaves_room_and_never_asks_for_more_than_there_is() {
        let units = |used| Budget::of(&simulated(used, None), 0).units;
        assert_eq!(units(100_000), 121_000);
        assert_eq!(units(1_390_000), MAX_COMPUTE_UNITS);
        assert_eq!(units(u64::MAX), MAX_COMPUTE_UNITS);
        let bytes = |loaded| Budget::of(&simulated(0, loaded), 0).loaded_bytes;
        assert_eq!(bytes(Some(20_000_000)), Some(20_131_072));
        assert_eq!(bytes(Some(MAX_LOADED_BYTES)), Some(MAX_LOADED_BYTES));
        assert_eq!(bytes(Some(u32::MAX)), Some(MAX_LOADED_BYTES));
        assert_eq!(bytes(None), None);
    }

    #[test]
    fn it_asks_for_nothing_it_does_not_know() {
        let mut budget = Budget {
            units: 7,
            loaded_bytes: None,
            price: 0,
        };
        assert_eq!(
            budget.before(&[]),
            [ComputeBudgetInstruction::set_compute_unit_limit(7)]
        );
        (budget.loaded_bytes, budget.price) = (Some(9), 8);
        assert_eq!(
            budget.before(&[]),
            [
                ComputeBudgetInstruction::set_compute_unit_limit(7),
                ComputeBudgetInstruction::set_loaded_accounts_data_size_limit(9),
                ComputeBudgetInstruction::set_compute_unit_price(8),
            ]
        );
    }
}
