//! What priority is paid.

/// Each expiry that no landing has made up for raises the fee by so much of itself, per cent.
const STEP_PERCENT: u64 = 50;
/// Steps beyond which the fee rises no more.
const MOST_STEPS: u32 = 16;

/// What priority is paid. All fees in micro-lamports a compute unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeePolicy {
    /// Which of the fees recently paid for the same accounts, per cent from the lowest. Slots in
    /// which nobody paid do not count: they say that there was room, not what it took.
    pub percentile: u8,
    /// At least this much, whatever was paid.
    pub floor_micro_lamports: u64,
    /// At most this much; counts more than the floor.
    pub cap_micro_lamports: u64,
}

impl Default for FeePolicy {
    fn default() -> Self {
        Self {
            percentile: 75,
            floor_micro_lamports: 10_000,
            cap_micro_lamports: 1_000_000,
        }
    }
}

impl FeePolicy {
    /// The fee when these were recently paid, one a slot, and so many transactions expired since
    /// the last ones that landed.
    #[must_use]
    pub fn of(&self, mut paid: Vec<u64>, expiries: u32) -> u64 {
        paid.retain(|fee| *fee > 0);
        paid.sort_unstable();
        let last = paid.len().saturating_sub(1);
        let index = last * usize::from(self.percentile.min(100)) / 100;
        let usual = paid.get(index).copied().unwrap_or(0);
        let mut fee = usual.max(self.floor_micro_lamports);
        for _ in 0..expiries.min(MOST_STEPS) {
            fee = fee.saturating_add(fee.saturating_mul(STEP_PERCENT) / 100);
        }
        fee.min(self.cap_micro_lamports)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(percentile: u8, cap_micro_lamports: u64) -> FeePolicy {
        FeePolicy {
            percentile,
            floor_micro_lamports: 0,
            cap_micro_lamports,
        }
    }

    #[test]
    fn the_fee_is_a_percentile_and_capped() {
        let paid = vec![50, 10, 40, 20, 30];
        assert_eq!(policy(0, 100).of(paid.clone(), 0), 10);
        assert_eq!(policy(50, 100).of(paid.clone(), 0), 30);
        assert_eq!(policy(100, 100).of(paid.clone(), 0), 50);
        assert_eq!(policy(100, 45).of(paid, 0), 45);
        assert_eq!(policy(75, 100).of(Vec::new(), 0), 0);
    }

    #[test]
    fn slots_in_which_nobody_paid_do_not_make_it_free() {
        let mut paid = vec![0; 112];
        paid.extend([2_000_000; 38]);
        assert_eq!(policy(75, 5_000_000).of(paid.clone(), 0), 2_000_000);
        assert_eq!(FeePolicy::default().of(paid, 0), 1_000_000, "the cap");
        assert_eq!(FeePolicy::default().of(vec![0; 150], 0), 10_000);
        assert_eq!(FeePolicy::default().of(vec![1; 150], 0), 10_000);
        let free = FeePolicy {
            cap_micro_lamports: 0,
            ..FeePolicy::default()
        };
        assert_eq!(free.of(vec![7; 150], 3), 0, "the cap counts more");
    }

    #[test]
    fn every_expiry_raises_it_up_to_the_cap() {
        let policy = FeePolicy::default();
        let fees: Vec<u64> = [0, 1, 2, 3, u32::MAX]
            .iter()
            .map(|expiries| policy.of(vec![40_000], *expiries))
            .collect();
        assert_eq!(fees, [40_000, 60_000, 90_000, 135_000, 1_000_000]);
    }
}
