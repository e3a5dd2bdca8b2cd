//! What a pool does and does not do, and within which bounds that is set.

use bytemuck::{Pod, Zeroable};

use crate::error::EngineError;
use crate::risk::RiskParams;
use crate::shares::ExitTerms;
use crate::units::BPS_ONE;

/// Parameters of a pool. 96 bytes, no padding.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[cfg_attr(
    feature = "borsh",
    derive(borsh::BorshSerialize, borsh::BorshDeserialize)
)]
pub struct PoolParams {
    /// Number of the mode, see [`PoolMode`].
    pub mode: u32,
    /// Largest notional of the position, basis points of the pool's worth, `100..=10,000`.
    pub cap_bps: u32,
    /// Equity that the position is given, basis points of its notional, `1,000..=20,000`.
    pub margin_bps: u32,
    /// Least discount at which the pool takes lots that enlarge its position, basis points of their
    /// notional.
    pub reserve_first_bps: u32,
    /// Discount from which it takes up to its cap, basis points; at least the first, at most the market's
    /// last discount.
    pub reserve_last_bps: u32,
    /// Most notional that it takes in a window, basis points of its worth, `100..=100,000`.
    pub take_cap_bps: u32,
    /// Fall of a share's worth, basis points, from which on it takes nothing that enlarges its position,
    /// `100..=10,000`.
    pub drawdown_bps: u32,
    /// What insurance pays it for lots that it takes at the mark, basis points of their notional; at most
    /// the taker's fee.
    pub premium_bps: u32,
    /// Price beyond the mark at which an unwind begins, basis points, `0..=500`.
    pub ask_bps: u32,
    /// Price short of the mark at which it ends, basis points; with `keeper_bps` at most
    /// `reserve_first_bps`.
    pub slip_bps: u32,
    /// Largest part of the position that one unwind closes, basis points, `100..=10,000`.
    pub unwind_bps: u32,
    /// What a withdrawal is charged of the position's notional, basis points, `0..=500`.
    pub exit_bps: u32,
    /// What a keeper gets of the notional that an unwind closes, basis points, `0..=50`.
    pub keeper_bps: u32,
    /// Zero.
    pub _pad: u32,
    /// Length of the window of `take_cap_bps`, slots, `150..=1,512,000`.
    pub window_slots: u64,
    /// Slots in which the price of an unwind falls from its first to its last, `10..=9,000`.
    pub auction_slots: u64,
    /// Least slots between two unwinds, `1..=9,000`.
    pub unwind_interval_slots: u64,
    /// Slots from a request to the first in which it is paid, `9,000..=6,048,000`.
    pub withdraw_delay_slots: u64,
    /// Slots in which it is paid, `9,000..=1,512,000`.
    pub withdraw_window_slots: u64,
}

const _: () = assert!(core::mem::size_of::<PoolParams>() == 96);

/// What a pool does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolMode {
    /// Everything.
    Open,
    /// It takes nothing that enlarges its position.
    NoTakes,
    /// Nor does it take deposits; it closes its position at any price of its auction.
    WindDown,
}

impl PoolMode {
    /// Its number.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::Open => 0,
            Self::NoTakes => 1,
            Self::WindDown => 2,
        }
    }
}

/// What a maker gets of a trade, basis points of its notional; 0 where makers pay.
fn rebate(risk: &RiskParams) -> u32 {
    risk.maker_fee_bps.min(0).unsigned_abs()
}

/// Whether `value` is within `least..=most`.
const fn within(value: u64, least: u64, most: u64) -> bool {
    least <= value && value <= most
}

impl PoolParams {
    /// Where most pools begin.
    pub const DEFAULT: Self = Self {
        mode: 0,
        cap_bps: 5_000,
        margin_bps: 10_000,
        reserve_first_bps: 25,
        reserve_last_bps: 100,
        take_cap_bps: 10_000,
        drawdown_bps: 1_000,
        premium_bps: 5,
        ask_bps: 10,
        slip_bps: 20,
        unwind_bps: 2_000,
        exit_bps: 50,
        keeper_bps: 2,
        _pad: 0,
        window_slots: 9_000,
        auction_slots: 150,
        unwind_interval_slots: 10,
        withdraw_delay_slots: 864_000,
        withdraw_window_slots: 432_000,
    };

    /// [`Self::DEFAULT`] as far as a market with the parameters `risk` lets it: it asks for no higher
    /// discount than there is, unwinds for less where it takes for less, and for no more premium than a
    /// taker's fee.
    #[must_use]
    pub fn for_market(risk: &RiskParams) -> Self {
        let all = Self::DEFAULT;
        let reserve_last_bps = all.reserve_last_bps.min(risk.liquidation_discount_max_bps);
        let reserve_first_bps = all.reserve_first_bps.min(reserve_last_bps);
        let rebate = rebate(risk);
        let closing = reserve_first_bps.max(rebate).wrapping_sub(rebate);
        let keeper_bps = all.keeper_bps.min(closing);
        let slip_bps = all.slip_bps.min(closing.wrapping_sub(keeper_bps));
        Self {
            reserve_first_bps,
            reserve_last_bps,
            slip_bps,
            keeper_bps,
            premium_bps: all.premium_bps.min(risk.taker_fee_bps),
            ..all
        }
    }

    /// What it does.
    #[must_use]
    pub const fn mode(&self) -> PoolMode {
        match self.mode {
            0 => PoolMode::Open,
            1 => PoolMode::NoTakes,
            _ => PoolMode::WindDown,
        }
    }

    /// Premium in a market with the parameters `risk`, basis points: as much less where the taker's fee has
    /// fallen below it.
    #[must_use]
    pub fn premium_in(&self, risk: &RiskParams) -> u32 {
        self.premium_bps.min(risk.taker_fee_bps)
    }

    /// When a request is paid.
    #[must_use]
    pub const fn exit_terms(&self) -> ExitTerms {
        ExitTerms {
            delay_slots: self.withdraw_delay_slots,
            window_slots: self.withdraw_window_slots,
        }
    }

    /// Fails unless every field is within its bounds, in a market with the parameters `risk`.
    ///
    /// An unwind at its last price, its keeper's part and a maker's rebate included, gives no more than the
    /// least discount at which lots were taken, so that nobody earns at one mark by being liquidated into
    /// the pool and buying back from it. Insurance pays no more for a take than a trade's fee, so that
    /// nobody earns by making bankrupts for a pool of its own.
    ///
    /// # Errors
    /// `PoolParams`.
    pub fn validate(&self, risk: &RiskParams) -> Result<(), EngineError> {
        let bps = |value: u32, least: u64, most: u64| within(u64::from(value), least, most);
        let last = u64::from(self.reserve_last_bps);
        let closing = u64::from(self.slip_bps)
            .wrapping_add(u64::from(self.keeper_bps))
            .wrapping_add(u64::from(rebate(risk)));
        let sound = bps(self.mode, 0, 2)
            && bps(self.cap_bps, 100, BPS_ONE)
            && bps(self.margin_bps, 1_000, 20_000)
            && bps(self.reserve_first_bps, 0, last)
            && last <= u64::from(risk.liquidation_discount_max_bps)
            && bps(self.take_cap_bps, 100, 100_000)
            && bps(self.drawdown_bps, 100, BPS_ONE)
            && self.premium_bps <= risk.taker_fee_bps
            && bps(self.ask_bps, 0, 500)
            && bps(self.slip_bps, 0, 500)
            && bps(self.unwind_bps, 100, BPS_ONE)
            && bps(self.exit_bps, 0, 500)
            && bps(self.keeper_bps, 0, 50)
            && within(closing, 0, u64::from(self.reserve_first_bps))
            && self._pad == 0
            && within(self.window_slots, 150, 1_512_000)
            && within(self.auction_slots, 10, 9_000)
            && within(self.unwind_interval_slots, 1, 9_000)
            && within(self.withdraw_delay_slots, 9_000, 6_048_000)
            && within(self.withdraw_window_slots, 9_000, 1_512_000);
        if sound {
            Ok(())
        } else {
            Err(EngineError::PoolParams)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn risk() -> RiskParams {
        RiskParams {
            liquidation_discount_max_bps: 100,
            taker_fee_bps: 5,
            ..RiskParams::default()
        }
    }

    #[test]
    fn the_defaults_are_sound() {
        assert_eq!(PoolParams::DEFAULT.validate(&risk()), Ok(()));
        assert_eq!(
            PoolParams::default().validate(&risk()),
            Err(EngineError::PoolParams)
        );
    }

    #[test]
    fn the_defaults_of_a_market_are_sound() {
        assert_eq!(PoolParams::for_market(&risk()), PoolParams::DEFAULT);
        for (discount, fee) in [(75, 3), (24, 0), (10, 5), (1, 5), (0, 0)] {
            let risk = RiskParams {
                liquidation_discount_max_bps: discount,
                taker_fee_bps: fee,
                ..RiskParams::default()
            };
            let params = PoolParams::for_market(&risk);
            assert_eq!(params.validate(&risk), Ok(()), "{discount} {fee}");
            assert_eq!(params.reserve_last_bps, discount);
        }
    }

    #[test]
    fn a_makers_rebate_counts_as_what_an_unwind_gives() {
        let risk = RiskParams {
            maker_fee_bps: -3,
            ..risk()
        };
        let pool = |slip_bps| PoolParams {
            slip_bps,
            ..PoolParams::DEFAULT
        };
        assert_eq!(pool(20).validate(&risk), Ok(()));
        assert_eq!(pool(21).validate(&risk), Err(EngineError::PoolParams));
        let most = RiskParams {
            maker_fee_bps: -5,
            ..risk
        };
        assert_eq!(PoolParams::for_market(&most).slip_bps, 18);
        assert_eq!(PoolParams::for_market(&most).validate(&most), Ok(()));
    }

    #[test]
    fn one_field_out_of_bounds_is_refused() {
        type Write = fn(&mut PoolParams);
        let changes: [Write; 20] = [
            |pool| pool.mode = 3,
            |pool| pool.cap_bps = 99,
            |pool| pool.cap_bps = 10_001,
            |pool| pool.margin_bps = 999,
            |pool| pool.reserve_first_bps = 101,
            |pool| pool.reserve_last_bps = 101,
            |pool| pool.take_cap_bps = 99,
            |pool| pool.drawdown_bps = 10_001,
            |pool| pool.premium_bps = 6,
            |pool| pool.ask_bps = 501,
            |pool| pool.slip_bps = 24,
            |pool| pool.unwind_bps = 0,
            |pool| pool.exit_bps = 501,
            |pool| pool.keeper_bps = 51,
            |pool| pool._pad = 1,
            |pool| pool.window_slots = 149,
            |pool| pool.auction_slots = 9,
            |pool| pool.unwind_interval_slots = 0,
            |pool| pool.withdraw_delay_slots = 8_999,
            |pool| pool.withdraw_window_slots = 1_512_001,
        ];
        for (index, change) in changes.iter().enumerate() {
            let mut pool = PoolParams::DEFAULT;
            change(&mut pool);
            let refused = Err(EngineError::PoolParams);
            assert_eq!(pool.validate(&risk()), refused, "{index}");
        }
    }

    #[test]
    fn the_premium_falls_with_the_takers_fee() {
        let premium = |taker_fee_bps| {
            let risk = RiskParams {
                taker_fee_bps,
                ..risk()
            };
            PoolParams::DEFAULT.premium_in(&risk)
        };
        assert_eq!([0, 4, 5, 9].map(premium), [0, 4, 5, 5]);
    }

    #[test]
    fn modes_have_their_numbers() {
        for mode in [PoolMode::Open, PoolMode::NoTakes, PoolMode::WindDown] {
            let params = PoolParams {
                mode: mode.number(),
                ..PoolParams::DEFAULT
            };
            assert_eq!(params.mode(), mode);
        }
    }
}
