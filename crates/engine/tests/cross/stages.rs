//! What a round does where nobody can be cut: equity before another pass, and another pass for those at
//! their cap alone.

use ballast_engine::adl::{AccountCut, AccountSkip, Bankruptcy, Deleveraging, Listed, Stage};
use ballast_engine::cross::cut::Bearing;
use ballast_engine::cross::Account;
use ballast_engine::queue::CutStamp;
use ballast_engine::units::Atoms;
use ballast_engine::EngineError;

use crate::fixture::{position, Market};
use ballast_engine::fixtures::risk::small_market;

#[test]
fn equity_comes_before_the_next_pass_and_a_pass_is_for_those_at_their_cap() {
    let listed = |at_cap, shortened| Listed { at_cap, shortened };
    let (first, equity, next) = (Stage::First, Stage::Equity, Stage::NextPass);
    for (stage, at_cap, shortened, then) in [
        (first, 0, 0, None),
        (first, 1, 0, Some(next)),
        (first, 0, 1, Some(equity)),
        (first, 1, 1, Some(equity)),
        (equity, 0, 1, None),
        (equity, 1, 1, Some(next)),
        (next, 1, 1, None),
    ] {
        assert_eq!(stage.after_nobody(listed(at_cap, shortened)), then);
    }
    assert_eq!(first.bearing(), Bearing::Maintenance);
    assert_eq!(equity.bearing(), Bearing::Equity);
    assert_eq!(next.bearing(), Bearing::Maintenance);
}

/// A short of 100 lots from 100, at 80, maintenance 2.5%, close price 84: with 350 atoms it is above its
/// maintenance of 200 and cannot bear 400. It is cut as far as maintenance lasts, before another pass as far
/// as equity lasts, and is asked for no more than once.
#[test]
fn who_cannot_bear_all_is_cut_as_far_as_it_can() {
    let mut market = Market::new(small_market(), 80, 0);
    market.params.adl.max_close_bps = 10_000;
    let call = || {
        Deleveraging::begin(&Bankruptcy {
            position: position(100, 100, 1_600, 0),
            mark: market.mark.price,
            funding_index: market.funding,
            insurance_available: 0,
            past_grace: true,
            taker: None,
            max_lots: 100,
            least_lots: 1,
            params: &market.params.adl,
            epoch: 1,
            passes: 1,
        })
        .unwrap()
    };
    let legs = [market.leg(position(-100, 100, 0, 0))];
    let with = |equity: i64| Account {
        pool: Atoms::new(equity - 2_000),
        legs: &legs,
    };
    let cut = |equity, bearing| {
        let account = with(equity);
        let values = account.values().unwrap();
        let counterparty = account.counterparty(&values, 0).unwrap();
        let stamp = CutStamp::default();
        call().cut_account(&counterparty, bearing, 1 << 63, stamp)
    };
    let lots = |equity, bearing| match cut(equity, bearing).unwrap() {
        AccountCut::Done { done, shortened } => {
            assert!(shortened && done.stamp.capped_epoch == 0);
            done.lots
        }
        AccountCut::Skipped(reason) => {
            assert_eq!(reason, AccountSkip::Shortened);
            0
        }
    };
    let needed = with(350).values().unwrap().requirement;
    assert_eq!(call().round().close.quote, 8_400);
    let spare = 350 - i64::try_from(needed).unwrap();
    assert!(spare > 2);
    let each = 400 - i64::try_from(needed).unwrap();
    let most = u64::try_from((spare - 2) * 100 / each).unwrap();
    assert_eq!(lots(350, Bearing::Maintenance), most);
    assert_eq!(lots(350, Bearing::Equity), 349 * 100 / 400);
    let poor = i64::try_from(needed).unwrap();
    assert_eq!(lots(poor, Bearing::Maintenance), 0);
    assert!(lots(poor, Bearing::Equity) > 0);
}

/// What is left out of the walk because it was listed may not rank above the last one cut, also where
/// nothing is left for it.
#[test]
fn who_is_listed_behind_the_end_may_not_rank_above_it() {
    let market = Market::new(small_market(), 80, 0);
    let mut call = Deleveraging::begin(&Bankruptcy {
        position: position(10, 100, 180, 0),
        mark: market.mark.price,
        funding_index: market.funding,
        insurance_available: 0,
        past_grace: true,
        taker: None,
        max_lots: 10,
        least_lots: 1,
        params: &market.params.adl,
        epoch: 1,
        passes: 1,
    })
    .unwrap();
    let legs = [market.leg(position(-100, 100, 0, 0))];
    let mut cut = |equity: i64| {
        let account = Account {
            pool: Atoms::new(equity - 2_000),
            legs: &legs,
        };
        let values = account.values().unwrap();
        let counterparty = account.counterparty(&values, 0).unwrap();
        let stamp = CutStamp::default();
        call.cut_account(&counterparty, Bearing::Maintenance, 1 << 63, stamp)
    };
    assert!(matches!(cut(4_000), Ok(AccountCut::Done { .. })));
    let left = AccountCut::Skipped(AccountSkip::NothingLeft);
    assert_eq!(cut(6_000), Ok(left));
    assert_eq!(cut(2_000), Err(EngineError::AdlOutOfOrder));
}
