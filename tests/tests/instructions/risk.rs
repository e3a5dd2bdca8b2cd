//! Replacing a market's risk parameters.

use ballast_engine::fixtures::risk::sol_market;
use ballast_engine::risk::RiskParams;
use ballast_sandbox::MarketConfig;
use ballast_state::error::BallastError;
use ballast_state::exchange::Role;
use ballast_state::staged::Change;

use crate::event;
use crate::support::{done, refused, Venue, START, TEN, USD};

#[test]
pub fn new_parameters_replace_the_old_and_funding_accrues_at_the_old_rate() {
    let mut venue = Venue::open_with(&MarketConfig::sol());
    venue.sandbox.advance_seconds(3_600);
    let mut risk = sol_market();
    risk.funding_rate_ppm_per_hour = -1_000;
    risk.taker_fee_bps = 7;
    let outcome = done(venue.sandbox.set_market_risk(&venue.market, risk));
    let event = event!(outcome, MarketRiskUpdated);
    assert_eq!(
        (event.before.taker_fee_bps, event.after.taker_fee_bps),
        (5, 7)
    );
    let market = venue.sandbox.market(&venue.market);
    assert_eq!(market.risk, risk);
    // 12 ppm of 200,000 atoms are 2.4 atoms an hour.
    assert_eq!(
        (market.funding.index.get(), market.funding.carry),
        (2, 1_440_000_000)
    );
    // Another hour at the new rate: 200 atoms the other way.
    venue.sandbox.advance_seconds(3_600);
    venue.price(START);
    done(venue.sandbox.accrue_funding(&venue.market));
    let funding = venue.sandbox.market(&venue.market).funding;
    assert_eq!((funding.index.get(), funding.carry), (-198, 1_440_000_000));
    venue.conserves();
}

#[test]
pub fn only_the_risk_authority_sets_parameters() {
    let mut venue = Venue::new();
    let stranger = venue.sandbox.funded_keypair();
    let change = Change::Risk(sol_market());
    let of = Some(&venue.market);
    refused(&mut venue.sandbox, BallastError::NotRiskAuthority, |s| {
        s.send_staging(change, of, &stranger)
    });
    done(venue.sandbox.hand_over(Role::Risk, &stranger));
    let staged = venue.sandbox.stage_by(change, of, &stranger).unwrap();
    done(venue.sandbox.apply(&staged, of));
    // Not even the admin.
    refused(&mut venue.sandbox, BallastError::NotRiskAuthority, |s| {
        s.set_market_risk(&venue.market, sol_market())
    });
}

#[test]
pub fn unsound_parameters_are_refused_by_group() {
    type Spoil = fn(&mut RiskParams);
    let cases: [(BallastError, &[Spoil]); 12] = [
        (
            BallastError::RiskTiers,
            &[
                |risk| risk.tier_count = 0,
                |risk| risk.tier_count = 5,
                |risk| risk.tiers[1].notional_limit_atoms = 1,
                |risk| risk.tiers[0].maintenance_margin_bps = 500,
                |risk| risk.tiers[2].initial_margin_bps = 10_001,
            ],
        ),
        (
            BallastError::RiskLadder,
            &[
                |risk| risk.ladder_count = 5,
                |risk| risk.ladder[0].above_ratio_bps = 10_000,
                |risk| risk.ladder[1].close_bps = 1_999,
            ],
        ),
        (
            BallastError::RiskSizes,
            &[
                |risk| risk.min_position_lots = 0,
                |risk| risk.max_position_lots = u64::MAX,
                |risk| risk.max_open_interest_lots = 0,
            ],
        ),
        (
            BallastError::RiskLiquidation,
            &[
                |risk| risk.liquidation_discount_bps = 101,
                |risk| risk.liquidation_fee_bps = 150,
                |risk| risk.liquidation_buffer_bps = 10_001,
                |risk| risk.discount_full_ratio_bps = 10_000,
            ],
        ),
        (
            BallastError::RiskBand,
            &[
                |risk| risk.price_band_bps = 0,
                |risk| risk.price_band_bps = 10_001,
            ],
        ),
        (
            BallastError::RiskFees,
            &[
                |risk| risk.taker_fee_bps = 1_001,
                |risk| risk.maker_fee_bps = i32::MAX,
                |risk| risk.insurance_fee_share_bps = 10_001,
            ],
        ),
        (
            BallastError::RiskFunding,
            &[
                |risk| risk.funding_rate_ppm_per_hour = 10_001,
                |risk| risk.funding_rate_ppm_per_hour = i32::MIN,
            ],
        ),
        (
            BallastError::RiskInsurance,
            &[
                |risk| risk.insurance_draw_cap_bps = 10_001,
                |risk| risk.insurance_window_slots = 0,
                |risk| risk.insurance_resume_bps = risk.insurance_draw_cap_bps,
                |risk| risk.stake_income_bps = 10_001,
                |risk| risk.stake_floor_atoms = u64::MAX,
            ],
        ),
        (
            BallastError::RiskOracle,
            &[
                |risk| risk.oracle_max_age_seconds = 0,
                |risk| risk.oracle_max_conf_bps = 10_000,
                |risk| risk.oracle_max_ema_divergence_bps = 0,
            ],
        ),
        (
            BallastError::RiskAdl,
            &[
                |risk| risk.adl.max_close_bps = 0,
                |risk| risk.adl.rank_tolerance_bps = 10_001,
                |risk| risk.adl.min_profit_bps = 10_001,
            ],
        ),
        (
            BallastError::RiskBook,
            &[
                |risk| risk.book_reward_bps = 1_001,
                |risk| risk.max_funding_rate_ppm = 10_001,
            ],
        ),
        (
            BallastError::RiskReserved,
            &[
                |risk| risk.adl._pad = 1,
                |risk| risk.tiers[3].notional_limit_atoms = 1,
                |risk| risk.ladder[3].close_bps = 1,
            ],
        ),
    ];
    let mut venue = Venue::new();
    for (error, changes) in cases {
        for change in changes {
            let mut risk = sol_market();
            change(&mut risk);
            refused(&mut venue.sandbox, error, |s| {
                s.set_market_risk(&venue.market, risk)
            });
        }
    }
}

#[test]
pub fn a_tighter_market_binds_at_once() {
    let mut venue = Venue::open();
    let mut risk = venue.market.config.risk;
    risk.max_open_interest_lots = 5_000;
    risk.tiers[0].initial_margin_bps = 1_000;
    done(venue.sandbox.set_market_risk(&venue.market, risk));
    refused(&mut venue.sandbox, BallastError::BelowInitialMargin, |s| {
        s.block_trade(
            &venue.market,
            &venue.alice,
            &venue.bob,
            crate::support::terms(100, START, 0, 0),
        )
    });
    // Closing is free of both.
    done(venue.trade(-TEN, START, 0, 0));
    assert_eq!(venue.free(&venue.alice), i64::try_from(998 * USD).unwrap());
    venue.conserves();
}
