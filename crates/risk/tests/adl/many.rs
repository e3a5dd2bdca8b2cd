//! Forecasts over many paths.

use ballast_risk::adl::fixes::{changed, halving, Change};
use ballast_risk::adl::forecast::{forecast, Forecast, Source};
use ballast_risk::path::PathModel;
use ballast_risk::prices::{PricePoint, Prices};
use ballast_risk::random::Stream;

use crate::venue::{params, population, snapshot};

/// A model of a price that moves by about 6 % a day.
fn model() -> PathModel {
    walk(0.005)
}

/// A model of a price that walks by up to half of `size` a minute.
pub fn walk(size: f64) -> PathModel {
    let mut stream = Stream::new(5, 0);
    let mut price = 200e9;
    let points = (0..4_000).map(|minute| {
        price *= f64::exp(size * (stream.unit() - 0.5));
        PricePoint {
            timestamp: 1_600_000_000 + minute * 60,
            price_nano: price as i64,
        }
    });
    PathModel::fit(&Prices::new(points.collect()).unwrap()).unwrap()
}

fn figures(forecast: &Forecast) -> String {
    format!("{forecast:?}")
}

#[test]
fn seed_and_paths_decide_and_the_number_of_threads_does_not() {
    let mut market = snapshot(params(), &population(40, 1), 10_000_000);
    market.assume_liquidators(100_000_000);
    let model = model();
    let run = |seed, threads| {
        let source = Source::Drawn(&model, seed, 6 * 3_600);
        forecast(&market, &source, 60, threads).unwrap()
    };
    let one = run(1, 1);
    assert!(one.positions.iter().any(|position| position.cut.hits > 0));
    assert_eq!(figures(&one), figures(&run(1, 3)));
    assert_ne!(figures(&one), figures(&run(2, 1)));
}

#[test]
fn margin_never_makes_a_cut_likelier_beyond_chance() {
    let mut market = snapshot(params(), &population(40, 3), 10_000_000);
    market.assume_liquidators(100_000_000);
    let model = model();
    let source = Source::Drawn(&model, 4, 8 * 3_600);
    let before = forecast(&market, &source, 120, 2).unwrap();
    let mut compared = 0;
    for one in before.positions.iter().filter(|one| one.cut.hits > 5) {
        let mut last = one.cut;
        for part in [10, 4, 1] {
            let margin = market.mark().unwrap().notional(one.lots).unwrap() / part;
            let richer = changed(&market, one.place, Change::AddMargin(margin)).unwrap();
            let after = forecast(&richer, &source, 120, 2).unwrap();
            let mut all = after.positions.iter();
            let now = all.find(|two| two.place == one.place).unwrap().cut;
            let error = now.standard_error().hypot(last.standard_error());
            assert!(
                now.probability() <= last.probability() + 3.0 * error,
                "{part}: {last:?} {now:?}"
            );
            last = now;
        }
        compared += 1;
        if compared == 6 {
            return;
        }
    }
    panic!("only {compared} positions were compared");
}

#[test]
fn what_halves_a_probability_does_so_on_the_same_paths() {
    let mut market = snapshot(params(), &population(30, 5), 5_000_000);
    market.assume_liquidators(100_000_000);
    let model = model();
    let source = Source::Drawn(&model, 6, 12 * 3_600);
    let before = forecast(&market, &source, 100, 2).unwrap();
    // Who is last in a queue that is cut whole is helped by nothing.
    let mut likely = before.positions.iter().filter(|one| one.cut.hits > 10);
    let (likely, margin, close) = likely
        .find_map(|one| {
            let [margin, close] = halving(&market, &source, one, 2).unwrap();
            Some((one, margin?, close))
        })
        .expect("margin helps somebody");
    let Change::AddMargin(atoms) = margin.change else {
        panic!("{margin:?}");
    };
    let richer = changed(&market, likely.place, Change::AddMargin(atoms)).unwrap();
    let after = forecast(&richer, &source, 100, 1).unwrap();
    let mut all = after.positions.iter();
    let now = all.find(|one| one.place == likely.place).unwrap();
    assert_eq!(now.cut, margin.cut);
    assert!(margin.cut.hits <= likely.cut.hits / 2 + 3, "{margin:?}");
    // Closing a part leaves leverage, and so the place in the queue, as it was.
    assert!(close.is_none_or(|close| close.cut.hits <= likely.cut.hits));
    let never = before
        .positions
        .iter()
        .find(|one| one.cut.hits == 0)
        .unwrap();
    assert_eq!(halving(&market, &source, never, 1).unwrap(), [None, None]);
}
