//! What a pool does and does not do, and within which bounds that is set.

use bytemuck::{Pod, Zeroable};

use crate::breach::Breach;
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
    /// Price short of the mark at which it ends, basis points, `0..=500`; with `keeper_bps` and a maker's
    /// rebate at most `reserve_first_bps`.
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

/// Refuses a value that is not within `least..=most`.
#[inline(never)]
fn hold(
    field: &'static str,
    value: impl Into<i128>,
    least: impl Into<i128>,
    most: impl Into<i128>,
) -> Result<(), Breach> {
    let breach = Breach {
        of: "pool",
        field,
        place: 0,
        value: value.into(),
        least: least.into(),
        most: most.into(),
        error: EngineError::PoolParams,
    };
    breach.unless_within()
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
    /// discount than there is and no lower one than a maker's rebate, unwinds for less where it takes for
    /// less, and asks for no more premium than a taker's fee.
    #[must_use]
    pub fn for_market(risk: &RiskParams) -> Self {
        let all = Self::DEFAULT;
        let reserve_last_bps = all.reserve_last_bps.min(risk.liquidation_discount_max_bps);
        let rebate = rebate(risk);
        let reserve_first_bps = all.reserve_first_bps.max(rebate).min(reserve_last_bps);
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

    /// Every field by name, in the order of docs/POOL.md.
    #[must_use]
    pub fn named(&self) -> [(&'static str, u64); 18] {
        [
            ("mode", self.mode.into()),
            ("cap_bps", self.cap_bps.into()),
            ("margin_bps", self.margin_bps.into()),
            ("reserve_first_bps", self.reserve_first_bps.into()),
            ("reserve_last_bps", self.reserve_last_bps.into()),
            ("take_cap_bps", self.take_cap_bps.into()),
            ("window_slots", self.window_slots),
            ("drawdown_bps", self.drawdown_bps.into()),
            ("premium_bps", self.premium_bps.into()),
            ("ask_bps", self.ask_bps.into()),
            ("slip_bps", self.slip_bps.into()),
            ("auction_slots", self.auction_slots),
            ("unwind_bps", self.unwind_bps.into()),
            ("unwind_interval_slots", self.unwind_interval_slots),
            ("keeper_bps", self.keeper_bps.into()),
            ("exit_bps", self.exit_bps.into()),
            ("withdraw_delay_slots", self.withdraw_delay_slots),
            ("withdraw_window_slots", self.withdraw_window_slots),
        ]
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

    /// How far short of the mark an unwind's price may end in a market with the parameters `risk`, basis
    /// points; negative where it has to stay beyond the mark: `slip_bps`, or as much less as a maker's
    /// rebate has risen above what the least discount, the keeper's part taken off, leaves.
    #[must_use]
    pub fn slip_in(&self, risk: &RiskParams) -> i64 {
        i64::from(self.slip_bps).min(self.closing(risk))
    }

    /// What an unwind may give at its price: the least discount at which lots were taken, less what its
    /// keeper and a maker's rebate get of it. Basis points, negative where these are more.
    fn closing(&self, risk: &RiskParams) -> i64 {
        // 32 bits each.
        i64::from(self.reserve_first_bps)
            .wrapping_sub(self.keeper_bps.into())
            .wrapping_sub(rebate(risk).into())
    }

    /// Fails unless every field is within its bounds, in a market with the parameters `risk`:
    /// [`Self::check`].
    ///
    /// # Errors
    /// `PoolParams`.
    pub fn validate(&self, risk: &RiskParams) -> Result<(), EngineError> {
        self.check(risk).map_err(|breach| breach.error)
    }

    /// The first field that is not within its bounds, in a market with the parameters `risk`.
    ///
    /// An unwind at its last price, its keeper's part and a maker's rebate included, gives no more than the
    /// least discount at which lots were taken, so that nobody earns at one mark by being liquidated into
    /// the pool and buying back from it. Insurance pays no more for a take than a trade's fee, so that
    /// nobody earns by making bankrupts for a pool of its own.
    pub fn check(&self, risk: &RiskParams) -> Result<(), Breach> {
        // Every field by name, so that another one does not compile before it is bounded.
        let Self {
            mode,
            cap_bps,
            margin_bps,
            reserve_first_bps,
            reserve_last_bps,
            take_cap_bps,
            drawdown_bps,
            premium_bps,
            ask_bps,
            slip_bps,
            unwind_bps,
            exit_bps,
            keeper_bps,
            _pad,
            window_slots,
            auction_slots,
            unwind_interval_slots,
            withdraw_delay_slots,
            withdraw_window_slots,
        } = *self;
        hold("mode", mode, 0, 2)?;
        hold("cap_bps", cap_bps, 100, BPS_ONE)?;
        hold("margin_bps", margin_bps, 1_000, 20_000)?;
        hold("keeper_bps", keeper_bps, 0, 50)?;
        let last = risk.liquidation_discount_max_bps;
        hold("reserve_last_bps", reserve_last_bps, 0, last)?;
        // What is left for the slip is not negative, then.
        let least = keeper_bps.wrapping_add(rebate(risk));
        let most = reserve_last_bps;
        hold("reserve_first_bps", reserve_first_bps, least, most)?;
        hold("take_cap_bps", take_cap_bps, 100, 100_000)?;
        hold("drawdown_bps", drawdown_bps, 100, BPS_ONE)?;
        hold("premium_bps", premium_bps, 0, risk.taker_fee_bps)?;
        hold("ask_bps", ask_bps, 0, 500)?;
        hold("slip_bps", slip_bps, 0, self.closing(risk).min(500))?;
        hold("unwind_bps", unwind_bps, 100, BPS_ONE)?;
        hold("exit_bps", exit_bps, 0, 500)?;
        hold("_pad", _pad, 0, 0)?;
        hold("window_slots", window_slots, 150, 1_512_000)?;
        hold("auction_slots", auction_slots, 10, 9_000)?;
        let interval = unwind_interval_slots;
        hold("unwind_interval_slots", interval, 1, 9_000)?;
        let delay = withdraw_delay_slots;
        hold("withdraw_delay_slots", delay, 9_000, 6_048_000)?;
        let window = withdraw_window_slots;
        hold("withdraw_window_slots", window, 9_000, 1_512_000)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

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
        for (discount, fee, maker) in [
            (75, 3, 0),
            (24, 0, 0),
            (10, 5, 0),
            (1, 5, 0),
            (0, 0, 0),
            (90, 40, -40),
        ] {
            let risk = RiskParams {
                liquidation_discount_max_bps: discount,
                taker_fee_bps: fee,
                maker_fee_bps: maker,
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
    fn one_field_out_of_bounds_is_refused_by_name_with_what_is_allowed() {
        type Write = fn(&mut PoolParams);
        let changes: [(Write, &str); 22] = [
            (|pool| pool.mode = 3, "mode is 3, allowed 0 to 2"),
            (
                |pool| pool.cap_bps = 99,
                "cap_bps is 99, allowed 100 to 10000",
            ),
            (
                |pool| pool.cap_bps = 10_001,
                "cap_bps is 10001, allowed 100 to 10000",
            ),
            (
                |pool| pool.margin_bps = 999,
                "margin_bps is 999, allowed 1000 to 20000",
            ),
            (
                |pool| pool.reserve_first_bps = 101,
                "reserve_first_bps is 101, allowed 2 to 100",
            ),
            (
                |pool| pool.reserve_first_bps = 1,
                "reserve_first_bps is 1, allowed 2 to 100",
            ),
            (
                |pool| pool.reserve_last_bps = 101,
                "reserve_last_bps is 101, allowed 0 to 100",
            ),
            (
                |pool| pool.take_cap_bps = 99,
                "take_cap_bps is 99, allowed 100 to 100000",
            ),
            (
                |pool| pool.drawdown_bps = 10_001,
                "drawdown_bps is 10001, allowed 100 to 10000",
            ),
            (
                |pool| pool.premium_bps = 6,
                "premium_bps is 6, allowed 0 to 5",
            ),
            (
                |pool| pool.ask_bps = 501,
                "ask_bps is 501, allowed 0 to 500",
            ),
            (|pool| pool.slip_bps = 24, "slip_bps is 24, allowed 0 to 23"),
            (
                |pool| pool.unwind_bps = 0,
                "unwind_bps is 0, allowed 100 to 10000",
            ),
            (
                |pool| pool.exit_bps = 501,
                "exit_bps is 501, allowed 0 to 500",
            ),
            (
                |pool| pool.keeper_bps = 51,
                "keeper_bps is 51, allowed 0 to 50",
            ),
            (
                |pool| (pool.keeper_bps, pool.reserve_last_bps) = (30, 25),
                "reserve_first_bps is 25, no value is allowed beside the other fields",
            ),
            (|pool| pool._pad = 1, "_pad is 1, allowed 0 to 0"),
            (
                |pool| pool.window_slots = 149,
                "window_slots is 149, allowed 150 to 1512000",
            ),
            (
                |pool| pool.auction_slots = 9,
                "auction_slots is 9, allowed 10 to 9000",
            ),
            (
                |pool| pool.unwind_interval_slots = 0,
                "unwind_interval_slots is 0, allowed 1 to 9000",
            ),
            (
                |pool| pool.withdraw_delay_slots = 8_999,
                "withdraw_delay_slots is 8999, allowed 9000 to 6048000",
            ),
            (
                |pool| pool.withdraw_window_slots = 1_512_001,
                "withdraw_window_slots is 1512001, allowed 9000 to 1512000",
            ),
        ];
        for (change, expected) in changes {
            let mut pool = PoolParams::DEFAULT;
            change(&mut pool);
            assert_eq!(pool.validate(&risk()), Err(EngineError::PoolParams));
            let breach = pool.check(&risk()).unwrap_err();
            assert_eq!(breach.to_string(), std::format!("pool.{expected}"));
        }
    }

    #[test]
    fn a_rebate_that_rises_takes_off_the_slip() {
        let slip = |maker_fee_bps| {
            let risk = RiskParams {
                maker_fee_bps,
                ..risk()
            };
            PoolParams::DEFAULT.slip_in(&risk)
        };
        assert_eq!([5, 0, -3, -4, -23, -30].map(slip), [20, 20, 20, 19, 0, -7]);
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
