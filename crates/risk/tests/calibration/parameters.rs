//! Parameters of synthetic prices.

use ballast_engine::risk::RiskParams;
use ballast_risk::backtest::independence;
use ballast_risk::calibrate::{calibrate, Calibration, Liquidity, Request};
use ballast_risk::filter::Settings;
use ballast_risk::prices::{PricePoint, Prices};
use ballast_risk::random::Stream;
use ballast_risk::units::ATOMS_PER_USD;
use ballast_risk::walk::{forward, Follow, History, Promise};

use super::series::{self, csv, prices, Garch};

const HOUR: i64 = 3_600;
const MINUTE: i64 = 60;
/// Maintenance and initial margin of each tier of the committed series, basis points.
const FIGURES: [(u32, u32); 4] = [(250, 515), (250, 515), (255, 515), (315, 630)];
fn request() -> Request {
    let open_interest_usd = 50e6;
    Request {
        level: 0.999,
        initial_level: 0.99,
        horizon_seconds: None,
        open_interest_usd,
        liquidity: Liquidity::assumed(open_interest_usd),
        insurance_usd: None,
        spot_depth_usd: None,
        at_risk_part: 0.25,
        draws: 100,
        seed: 1,
    }
}

fn minutes(garch: Garch, seed: u64, count: usize, first_usd: f64) -> Prices {
    prices(&garch.returns(seed, count), MINUTE, first_usd)
}

fn estimate(calibration: &Calibration, name: &str) -> f64 {
    let mut all = calibration.parameters.iter();
    let one = all.find(|one| one.name == name).expect("a parameter");
    one.estimate.expect("an estimate").0
}

fn margins(params: &RiskParams) -> Vec<(u32, u32)> {
    let tiers = params.active_tiers().expect("tiers");
    tiers
        .iter()
        .map(|tier| (tier.maintenance_margin_bps, tier.initial_margin_bps))
        .collect()
}

#[test]
fn the_engine_accepts_what_follows_from_calm_and_wild_prices() {
    for (volatility, seed) in [(0.000_05, 1), (0.000_8, 2), (0.003, 3)] {
        let garch = Garch {
            volatility,
            ..Garch::MINUTES
        };
        let found = calibrate(&minutes(garch, seed, 6_000, 150.), &request()).expect("calibrated");
        assert_eq!(found.params.validate(ATOMS_PER_USD), Ok(()));
        let names: Vec<&str> = found.parameters.iter().map(|one| &one.name[..]).collect();
        for (name, value) in ballast_risk::file::numbers(&found.params) {
            let one = found.parameters.iter().find(|one| one.name == name);
            let one = one.unwrap_or_else(|| panic!("{name} is not among {names:?}"));
            assert_eq!(i128::from(one.value), value, "{name}");
            assert!(!one.rule.is_empty());
        }
        for (place, tier) in found
            .params
            .active_tiers()
            .expect("tiers")
            .iter()
            .enumerate()
        {
            let name = format!("tiers[{place}].maintenance_margin_bps");
            let one = found.parameters.iter().find(|one| one.name == name);
            let one = one.expect("a tier's margin");
            assert_eq!(one.value, i64::from(tier.maintenance_margin_bps));
            let [low, high] = one.interval.expect("an interval");
            assert!(low.0 <= high.0 && one.value % 5 == 0);
        }
    }
}

#[test]
fn ten_times_the_price_gives_the_same_margins() {
    let returns = Garch::MINUTES.returns(4, 4_000);
    let small = calibrate(&prices(&returns, MINUTE, 1_500.), &request()).expect("calibrated");
    let large = calibrate(&prices(&returns, MINUTE, 15_000.), &request()).expect("calibrated");
    assert_eq!(margins(&small.params), margins(&large.params));
    for name in [
        "tiers[0].maintenance_margin_bps",
        "price_band_bps",
        "insurance",
    ] {
        let (a, b) = (estimate(&small, name), estimate(&large, name));
        assert!((a - b).abs() <= 1e-4 * a.abs(), "{name}: {a} {b}");
    }
}

#[test]
fn twice_the_volatility_gives_twice_the_margin() {
    let returns = Garch::MINUTES.returns(5, 4_000);
    let twice: Vec<f64> = returns.iter().map(|one| 2. * one).collect();
    let of = |returns: &[f64]| {
        let found = calibrate(&prices(returns, MINUTE, 100.), &request()).expect("calibrated");
        // The loss alone: discount and fees beside it do not double.
        let [long, short] = &found.return_levels;
        [long.levels[2].loss.0, short.levels[2].loss.0]
    };
    for (one, two) in of(&returns).into_iter().zip(of(&twice)) {
        assert!(
            (two - 2. * one).abs() < 0.000_5,
            "{one} {two}: 5 basis points"
        );
    }
}

#[test]
fn reversed_time_turns_falls_into_rises() {
    // Of points without bars a step's extremes are its ends, so that the longest fall within a horizon
    // is the longest rise of the reversed one. What a horizon begins with is another price, so only single
    // steps agree exactly.
    let returns = Garch::MINUTES.returns(6, 4_000);
    let reversed: Vec<f64> = returns.iter().rev().map(|one| -one).collect();
    let mut request = request();
    request.horizon_seconds = Some(60.);
    let of = |returns: &[f64]| {
        let found = calibrate(&prices(returns, MINUTE, 100.), &request).expect("calibrated");
        found.return_levels.map(|side| side.levels[2].loss.0)
    };
    let ([long, short], [long_back, short_back]) = (of(&returns), of(&reversed));
    // A fall of log size q is a loss of 1 - exp(-q), a rise of exp(q) - 1.
    let log = |long: f64| -(-long).ln_1p();
    assert!(
        (log(long) - short_back.ln_1p()).abs() < 2e-5,
        "{long} {short_back}"
    );
    assert!(
        (log(long_back) - short.ln_1p()).abs() < 2e-5,
        "{long_back} {short}"
    );
}

/// The p of independence in the walk-forward test of returns in random order.
fn shuffled_p(seed: u64) -> f64 {
    let mut returns = Garch::HOURS.returns(seed, 2_400);
    let mut stream = Stream::new(seed, 1);
    for place in (1..returns.len()).rev() {
        returns.swap(place, stream.below(place + 1));
    }
    let history = History::of(&prices(&returns, HOUR, 100.).bars(HOUR));
    let promise = Promise {
        steps: 1,
        level: 0.9,
    };
    let [long, _] =
        forward(&history, promise, Settings::default(), Follow::EveryStep).expect("long enough");
    let hits: Vec<bool> = long.iter().map(|one| one.exceeds()).collect();
    independence(&hits)
}

#[test]
fn of_shuffled_returns_the_p_of_independence_is_even() {
    let all: Vec<f64> = (0..200).map(shuffled_p).collect();
    for part in [0.1, 0.25, 0.5, 0.75] {
        let below = all.iter().filter(|p| **p < part).count() as f64 / 200.;
        assert!((below - part).abs() < 0.1, "{below} below {part}");
    }
}

#[test]
fn the_estimator_passes_and_a_normal_tail_would_not() {
    let history = History::of(&prices(&Garch::HOURS.returns(7, 20_000), HOUR, 100.).bars(HOUR));
    let promise = Promise {
        steps: 1,
        level: 0.999,
    };
    let outcomes = forward(&history, promise, Settings::default(), Follow::EveryStep);
    for side in outcomes.expect("long enough") {
        let score = ballast_risk::backtest::Score::of(&side, 0.999).expect("judged");
        assert!(score.passes(), "{score:?}");
        // A margin of two thirds is exceeded far too often.
        let low: Vec<_> = side
            .iter()
            .map(|one| ballast_risk::backtest::Outcome {
                margin: one.margin * 0.67,
                ..*one
            })
            .collect();
        let score = ballast_risk::backtest::Score::of(&low, 0.999).expect("judged");
        assert!(!score.passes(), "{score:?}");
    }
}

#[test]
fn what_says_too_little_is_refused_with_what_is_wanted() {
    let refusal = |prices: &Prices| {
        let error = calibrate(prices, &request()).expect_err("refused");
        format!("{error:#}")
    };
    let few = minutes(Garch::MINUTES, 1, 499, 100.);
    assert!(refusal(&few).contains("499 steps of 60 seconds are too few: at least 500 are wanted"));
    let constant = prices(&vec![0.; 3_000], MINUTE, 100.);
    assert!(refusal(&constant).contains("constant series"));
    let mut hourly = request();
    hourly.level = 1.;
    let error = calibrate(&minutes(Garch::MINUTES, 1, 1_000, 100.), &hourly).expect_err("refused");
    assert!(error.to_string().contains("a level is from 0.9 to 0.9999"));
}

#[test]
fn a_gap_is_named_and_its_jump_is_no_move() {
    let whole = minutes(Garch::MINUTES, 8, 6_000, 100.);
    // The later half ten times as dear, an hour later.
    let points = whole.points().iter().enumerate().map(|(place, point)| {
        let late = place >= 3_000;
        PricePoint {
            timestamp: point.timestamp + if late { HOUR } else { 0 },
            price_nano: point.price_nano * if late { 10 } else { 1 },
        }
    });
    let torn = Prices::new(points.collect()).expect("prices");
    let (whole, torn) = (
        calibrate(&whole, &request()).expect("calibrated"),
        calibrate(&torn, &request()).expect("calibrated"),
    );
    assert_eq!((whole.data.gaps.len(), torn.data.gaps.len()), (0, 1));
    let name = "tiers[0].maintenance_margin_bps";
    let ratio = estimate(&torn, name) / estimate(&whole, name);
    assert!((0.95..1.05).contains(&ratio), "{ratio}");
}

/// The series that is committed, which docs/RISK.md calibrates.
const COMMITTED: &str = include_str!("data/minutes.csv");

#[test]
fn the_committed_series_has_the_figures_of_the_document() {
    assert_eq!(COMMITTED, csv(&series::minutes(1, 3_000, 150.)));
    let mut request = request();
    request.draws = 400;
    let found = calibrate(&Prices::parse(COMMITTED).expect("prices"), &request);
    let found = found.expect("calibrated");
    assert_eq!(margins(&found.params), FIGURES);
    assert!(found.backtest.passes());
}

#[test]
fn the_seed_decides_and_estimates_do_not_depend_on_it() {
    let prices = minutes(Garch::MINUTES, 9, 3_000, 100.);
    let of = |seed| {
        let mut request = request();
        request.seed = seed;
        calibrate(&prices, &request).expect("calibrated")
    };
    let (one, again, other) = (of(1), of(1), of(2));
    assert_eq!(one.parameters, again.parameters);
    assert_ne!(one.parameters, other.parameters, "intervals are drawn");
    assert_eq!(margins(&one.params), margins(&other.params));
}
