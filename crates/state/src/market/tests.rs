use super::*;

const NOW: i64 = 1_760_129_400;

fn market() -> Market {
    let mut market = Market {
        version: MARKET_VERSION,
        queue_long: Pubkey::new_from_array([1; 32]),
        oracle: OracleConfig {
            tick_nano: 1_000_000,
            atoms_per_lot_tick: 1,
            lot_nano: 1_000_000,
            ..OracleConfig::default()
        },
        ..Market::zeroed()
    };
    market.risk.oracle_max_age_seconds = 30;
    market.risk.oracle_max_conf_bps = 100;
    market.risk.oracle_max_ema_divergence_bps = 1_000;
    // 1 % an hour.
    market.risk.funding_rate_ppm_per_hour = 10_000;
    market.risk.price_band_bps = 500;
    market.funding.last_timestamp = NOW;
    market
}

/// A time in its slot.
fn at(unix_timestamp: i64) -> Now {
    Now {
        slot: u64::try_from(unix_timestamp).unwrap(),
        unix_timestamp,
    }
}

/// A price of `dollars`, published at `time`.
fn price(dollars: u64, time: i64) -> OraclePrice {
    OraclePrice {
        price: Ticks::new(dollars * 1_000),
        confidence: Ticks::new(10),
        ema: Ticks::new(dollars * 1_000),
        publish_time: time,
        below_tick: false,
    }
}

#[test]
fn touching_accrues_at_the_price_that_stood_and_records_the_new_one() {
    let mut market = market();
    // Before the first price nothing is owed, however long ago the market opened.
    let first = NOW + 3_600;
    let touched = market
        .touch(price(200, first), Action::Open, at(first), 0)
        .unwrap();
    assert_eq!(touched.price.price, Ticks::new(200_000));
    assert_eq!(touched.mark.price.get(), 200_000);
    assert_eq!(touched.mark.confidence, 10);
    assert_eq!(touched.funding_index, FundingIndex::ZERO);
    assert_eq!(market.funding.last_timestamp, first);
    let now = first + 3_600;
    let touched = market
        .touch(price(100, now), Action::Open, at(now), 0)
        .unwrap();
    // An hour at 1 % of 200,000 atoms a lot.
    assert_eq!(touched.funding_index, FundingIndex::new(2_000));
    assert_eq!(touched.mark.price.get(), 100_000);
    assert_eq!(market.last_price.ticks, 100_000);
    assert_eq!(market.last_price.publish_time, now);
    assert_eq!(market.funding.last_timestamp, now);
    assert_eq!(market.funding_at(now), Ok(market.funding));
    assert!(market.invariant().is_ok());
}

#[test]
fn a_stale_price_serves_only_to_reduce_and_funding_goes_on_at_the_last_good_one() {
    let mut market = market();
    market
        .touch(price(200, NOW), Action::Funding, at(NOW), 0)
        .unwrap();
    let (published, now) = (NOW + 60, NOW + 3_600);
    for action in [
        Action::Open,
        Action::RemoveMargin,
        Action::Funding,
        Action::FLAG,
        Action::FORCE,
    ] {
        let refused = market.touch(price(100, published), action, at(now), 0);
        assert_eq!(refused.err(), Some(BallastError::PriceStale));
    }
    assert_eq!(market.funding.index, FundingIndex::ZERO);
    let touched = market
        .touch(price(100, published), Action::Reduce, at(now), 0)
        .unwrap();
    assert_eq!(touched.mark.price.get(), 100_000);
    assert_eq!(touched.funding_index, FundingIndex::new(2_000));
    assert_eq!(market.last_price.ticks, 200_000);
    assert_eq!(market.last_price.publish_time, NOW);
}

#[test]
fn time_never_runs_backwards() {
    let mut market = market();
    market
        .touch(price(200, NOW), Action::Open, at(NOW), 0)
        .unwrap();
    for action in [Action::Open, Action::Reduce] {
        let refused = market.touch(price(200, NOW - 1), action, at(NOW), 0);
        assert_eq!(refused.err(), Some(BallastError::PriceOlder));
    }
}

/// Accrues at the last price up to so many seconds after [`NOW`].
fn wait(market: &mut Market, seconds: i64) {
    market.accrue_at_last_price(NOW + seconds).unwrap();
}

fn lot_price(atoms: u64) -> Option<LotPrice> {
    Some(LotPrice::new(atoms).unwrap())
}

#[test]
fn the_book_of_an_hour_is_the_funding_of_the_next() {
    let mut market = market();
    market.risk.impact_notional_atoms = 1_000_000;
    market.risk.max_funding_rate_ppm = 10_000;
    market.risk.funding_rate_ppm_per_hour = 100;
    market
        .touch(price(200, NOW), Action::Funding, at(NOW), 0)
        .unwrap();
    // Ten minutes are left of this hour; in the second five the sample is 100 + 500 ppm.
    assert_eq!(NOW % 3_600, 3_000);
    wait(&mut market, 300);
    market.store_impact(Side::Long, lot_price(200_000));
    market.store_impact(Side::Short, lot_price(200_200));
    wait(&mut market, 600);
    assert_eq!(
        (market.funding.index.get(), market.funding.rate_ppm),
        (0, 50)
    );
    let rates = market.funding_rates(LotPrice::new(200_000).unwrap());
    assert_eq!(
        rates.unwrap(),
        FundingRates {
            current_ppm: 50,
            sample_ppm: 600,
            next_ppm: 600,
        }
    );
    // A book that loses a side samples nothing.
    wait(&mut market, 1_200);
    market.store_impact(Side::Long, None);
    wait(&mut market, 600 + 3_600);
    assert_eq!(
        (market.funding.index.get(), market.funding.rate_ppm),
        (10, 100)
    );
    assert_eq!(market.funding.impact_bid, 0);
    assert!(market.invariant().is_ok());
    market.funding.rate_ppm = 10_001;
    assert!(market.invariant().is_err());
}

#[test]
fn held_profit_pays_what_insurance_may_not() {
    let mut market = market();
    market.insurance.balance = 1_000;
    // 10% a window.
    market.risk.insurance_draw_cap_bps = 1_000;
    market.risk.insurance_window_slots = 100;
    (market.held.atoms, market.held.shares) = (5_000, 5_000);
    assert_eq!(market.deficit_cover(7), Ok(5_100));
    let mut beyond = market;
    assert_eq!(beyond.pay_deficit(5_101, 7), Err(EngineError::InsuranceCap));
    let paid = |insured, held| Ok(DeficitPaid { insured, held });
    assert_eq!(market.pay_deficit(60, 7), paid(60, 0));
    assert_eq!(market.pay_deficit(140, 8), paid(40, 100));
    assert_eq!((market.insurance.balance, market.held.atoms), (900, 4_900));
    // What is left of a ledger that ends is insurance's.
    assert_eq!(market.pay_deficit(4_897, 9), paid(0, 4_897));
    assert_eq!((market.insurance.balance, market.held.atoms), (903, 0));
    assert_eq!((market.held.shares, market.held.epoch), (0, 1));
}

#[test]
fn fees_are_booked_where_they_belong_and_never_wrap() {
    let mut market = market();
    market.book_fees(7, 3).unwrap();
    assert_eq!((market.fees_atoms, market.insurance.balance), (7, 3));
    assert!(market.book_fees(u64::MAX, 0).is_err());
    assert!(market.book_fees(0, u64::MAX).is_err());
}

#[test]
fn another_length_of_the_window_forgets_no_payment() {
    let mut market = Market::zeroed();
    market.insurance.balance = 1_000;
    market.risk.insurance_draw_cap_bps = 1_000;
    market.risk.insurance_window_slots = 300;
    assert_eq!(market.pay_deficit(60, 5_000).unwrap().insured, 60);
    for slots in [9_000, 30] {
        let mut other = market;
        let risk = RiskParams {
            insurance_window_slots: slots,
            ..market.risk
        };
        assert_eq!(other.replace_risk(&risk, 5_050), Ok(market.risk));
        assert_eq!(other.insurance_available(5_050), Ok(40));
        assert_eq!(other.insurance_available(5_049 + slots), Ok(40));
        assert_eq!(other.insurance_available(5_050 + 2 * slots), Ok(94));
    }
}

#[test]
fn a_touch_scales_initial_margin_as_was_foreseen_and_only_where_the_market_says_so() {
    let mut market = market();
    market.open_interest_lots = 7;
    let mut off = market;
    market.risk.margin_multiplier_max_bps = 20_000;
    let mut seen = Vec::new();
    for hour in 0..210 {
        let now = NOW + hour * 3_600;
        let dollars = if hour < 200 {
            200 + u64::from(hour % 2 == 0)
        } else {
            230
        };
        let price = price(dollars, now);
        let foreseen = market.mark_at(&price).unwrap();
        let touched = market.touch(price, Action::Open, at(now), 0).unwrap();
        assert_eq!(touched.mark, foreseen);
        assert_eq!(touched.mark.scale, market.margin_scale());
        assert_eq!(touched.mark.scale.open_interest_lots, 7);
        seen.push(touched.mark.scale.multiplier_ppm);
        off.touch(price, Action::Open, at(now), 0).unwrap();
        assert_eq!(off.margin_scale().multiplier_ppm, 1_000_000);
    }
    assert_eq!(off.volatility, Volatility::default());
    assert!(seen[..200]
        .iter()
        .all(|multiplier| *multiplier == 1_000_000));
    assert_eq!(
        &seen[200..205],
        [1_250_000, 1_500_000, 1_750_000, 2_000_000, 2_000_000]
    );
    // A price that serves only to reduce is not recorded and counts for nothing.
    let before = market.volatility;
    let late = NOW + 211 * 3_600;
    let stale = price(400, late - 31);
    market.touch(stale, Action::Reduce, at(late), 0).unwrap();
    assert_eq!(market.volatility, before);
}
