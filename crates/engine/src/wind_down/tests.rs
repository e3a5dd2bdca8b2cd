#![allow(clippy::arithmetic_side_effects)]

use super::*;
use crate::units::{Atoms, Lots};

const END: i64 = 1_000_000;

fn price(ticks: u64, publish_time: i64) -> OraclePrice {
    OraclePrice {
        price: Ticks::new(ticks),
        confidence: Ticks::new(0),
        ema: Ticks::new(ticks),
        publish_time,
        below_tick: false,
    }
}

#[test]
fn the_table() {
    use MarketAction as A;
    let row = |action| MarketMode::ALL.map(|mode| u8::from(mode.permits(action)));
    assert_eq!(row(A::RaiseOpenInterest), [1, 0, 0, 0]);
    for action in [
        A::Trade,
        A::RemoveMargin,
        A::RecordPrice,
        A::Liquidate,
        A::ChangeParameters,
    ] {
        assert_eq!(row(action), [1, 1, 0, 0], "{action:?}");
    }
    for action in [A::AddMargin, A::Deleverage] {
        assert_eq!(row(action), [1, 1, 1, 0], "{action:?}");
    }
    assert_eq!(row(A::Settle), [0, 0, 1, 1]);
    for action in [A::WriteOff, A::CloseAccounts] {
        assert_eq!(row(action), [0, 0, 1, 0], "{action:?}");
    }
    assert_eq!(row(A::CancelOrders), [1, 1, 1, 1]);
    let refused = |mode: MarketMode, action| mode.require(action).unwrap_err();
    let reduce_only = MarketMode::ReduceOnly;
    assert_eq!(
        refused(reduce_only, A::RaiseOpenInterest),
        EngineError::MarketReduceOnly
    );
    assert_eq!(refused(reduce_only, A::Settle), EngineError::MarketTrades);
    for action in [A::RaiseOpenInterest, A::Trade] {
        let error = refused(MarketMode::Settling, action);
        assert_eq!(error, EngineError::MarketEnded);
    }
    for mode in MarketMode::ALL {
        assert_eq!(MarketMode::of(mode.number()), mode);
    }
    assert_eq!(MarketMode::of(255), MarketMode::Settled);
}

/// The end of a market whose prices these are, in order of time.
fn delisted(prices: &[OraclePrice]) -> FinalPrice {
    let mut end = WindDown::scheduled(EndCause::Delisted, END);
    let mut last = price(7_777, 0);
    for next in prices {
        end = end.recorded(&last, next.publish_time).unwrap();
        last = *next;
    }
    end.final_price(&last).unwrap()
}

/// A price every minute of the last hour and before it, by the minutes that are left.
fn minutely(ticks: impl Fn(i64) -> u64) -> Vec<OraclePrice> {
    let minutes = (1..=90).rev();
    minutes
        .map(|left| price(ticks(left), END - left * 60))
        .collect()
}

extern crate std;
use std::vec::Vec;

#[test]
fn the_price_of_a_delisted_market_is_the_average_of_its_last_hour() {
    // What was before the hour does not count.
    let steps = minutely(|left| match left {
        61.. => 9_999_999,
        31..=60 => 100,
        _ => 301,
    });
    // 200.5, rounded down.
    assert_eq!(delisted(&steps), FinalPrice::At(Ticks::new(200)));
    // A price of before the hour stands into it.
    let mut early = minutely(|_| 100);
    early.retain(|one| one.publish_time != END - 3_600);
    early.push(price(100, END));
    assert_eq!(delisted(&early), FinalPrice::At(Ticks::new(100)));
}

#[test]
fn one_price_counts_for_a_minute_at_most() {
    // A wick in the middle, and then nothing for six minutes.
    let mut wick = minutely(|_| 1_000);
    wick.retain(|one| !(END - 1_800..END - 1_440).contains(&one.publish_time));
    wick.push(price(61_000, END - 1_800));
    wick.sort_by_key(|one| one.publish_time);
    // 54 minutes at 1,000 and one at 61,000.
    let average = (54 * 1_000 + 61_000) / 55;
    assert_eq!(delisted(&wick), FinalPrice::At(Ticks::new(average)));
}

#[test]
fn fifty_minutes_of_the_hour_are_covered() {
    let without = |minutes: i64| {
        let mut some = minutely(|_| 500);
        some.retain(|one| one.publish_time < END - minutes * 60);
        delisted(&some)
    };
    // The last price before a gap counts for its own minute.
    assert_eq!(without(10), FinalPrice::At(Ticks::new(500)));
    assert_eq!(without(11), FinalPrice::Uncovered);
    assert_eq!(delisted(&[]), FinalPrice::Uncovered);
}

#[test]
fn a_price_dated_beyond_the_end_counts_up_to_it() {
    let mut ahead = minutely(|_| 500);
    let end = delisted(&ahead);
    ahead.push(price(9_000, END + 20));
    assert_eq!(delisted(&ahead), end);
}

#[test]
fn more_prices_of_others_move_the_average_by_what_they_stood_for() {
    let honest = minutely(|_| 1_000);
    let mut thief = honest.clone();
    // A wick of 10% one second after each price: it stands until the next one.
    thief.extend(honest.iter().map(|one| price(1_100, one.publish_time + 59)));
    thief.sort_by_key(|one| one.publish_time);
    let FinalPrice::At(moved) = delisted(&thief) else {
        panic!("covered");
    };
    assert_eq!(moved, Ticks::new(1_000 + 100 / 60));
}

#[test]
fn a_dead_oracle_ends_its_market_at_the_last_average_within_the_last_confidence() {
    let end = WindDown::scheduled(EndCause::DeadOracle, END);
    let at = |ticks, confidence, ema| {
        let last = OraclePrice {
            confidence: Ticks::new(confidence),
            ema: Ticks::new(ema),
            ..price(ticks, 5)
        };
        end.final_price(&last).unwrap()
    };
    let ticks = |ticks| FinalPrice::At(Ticks::new(ticks));
    assert_eq!(at(1_000, 10, 1_004), ticks(1_004));
    assert_eq!(at(1_000, 10, 1_400), ticks(1_010));
    assert_eq!(at(1_000, 10, 600), ticks(990));
    assert_eq!(at(1, 5, 0), ticks(1));
    assert_eq!(at(u64::MAX, 5, u64::MAX), ticks(u64::MAX));
    // Any newer price calls it off; the same once more does not.
    let last = price(1_000, 5);
    assert_eq!(end.recorded(&last, 5), Ok(end));
    assert_eq!(end.recorded(&last, 6), Ok(WindDown::default()));
}

#[test]
fn an_oracle_is_dead_after_so_long_without_a_price() {
    let last = price(10, 1_000);
    assert!(!is_dead(&last, 86_400, 1_000 + 86_399));
    assert!(is_dead(&last, 86_400, 1_000 + 86_400));
    assert!(!is_dead(&OraclePrice::default(), 86_400, i64::MAX));
    assert!(is_dead(&price(1, i64::MIN), u64::MAX, i64::MAX));
    let end = WindDown::scheduled(EndCause::DeadOracle, END);
    assert!(!end.has_come(END - 1) && end.has_come(END));
    assert!(!WindDown::default().has_come(i64::MAX));
    assert!(!end.ended_long_ago(END + 2_592_000 - 1) && end.ended_long_ago(END + 2_592_000));
    assert!(!WindDown::default().ended_long_ago(i64::MAX));
    let none = WindDown::default().final_price(&last);
    assert_eq!(none, Err(EngineError::EndNotDue));
    assert_eq!(
        WindDown::default().recorded(&last, END),
        Ok(WindDown::default())
    );
}

#[test]
fn held_profit_is_paid_in_parts_that_do_not_depend_on_the_order() {
    let ledger = HeldProfit {
        atoms: 10,
        shares: 12,
        epoch: 3,
        ..HeldProfit::default()
    };
    let claims = [5, 1, 4, 2];
    let pay = |order: [usize; 4]| {
        let (mut end, mut left) = (WindDown::default(), ledger);
        let mut atoms = [0; 4];
        let mut dust = 0;
        for place in order {
            let claim = HeldClaim {
                shares: claims[place],
                epoch: 3,
                ..HeldClaim::default()
            };
            let paid = end.pay_held(&left, &claim).unwrap();
            (end, left) = (paid.wind_down, paid.ledger);
            assert_eq!(left.invariant(), Ok(()));
            atoms[place] = paid.atoms;
            dust += paid.to_insurance;
        }
        assert_eq!((left.atoms, left.shares), (0, 0));
        assert_eq!(atoms.iter().sum::<u64>() + dust, 10);
        (atoms, dust)
    };
    let first = pay([0, 1, 2, 3]);
    assert_eq!(first, ([4, 0, 3, 1], 2));
    for order in [[3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]] {
        assert_eq!(pay(order), first);
    }
    // Of an ended ledger nothing is left, and nobody has more shares than there are.
    let stale = HeldClaim {
        shares: 5,
        epoch: 2,
        ..HeldClaim::default()
    };
    let nothing = WindDown::default().pay_held(&ledger, &stale).unwrap();
    assert_eq!((nothing.atoms, nothing.ledger), (0, ledger));
    let forged = HeldClaim {
        shares: 13,
        epoch: 3,
        ..HeldClaim::default()
    };
    let refused = WindDown::default().pay_held(&ledger, &forged);
    assert_eq!(refused, Err(EngineError::Overflow));
}

#[test]
fn a_position_is_worth_its_margin_and_profit_to_the_atom() {
    let position = Position {
        lots: Lots::new(-3).unwrap(),
        entry_quote: Atoms::new(-301),
        margin: Atoms::new(50),
        funding_index: FundingIndex::new(2),
    };
    let at = |price, index| {
        worth(
            &position,
            LotPrice::new(price).unwrap(),
            FundingIndex::new(index),
        )
    };
    // 50 and 3 atoms of funding received; sold for 301, bought back for 270.
    assert_eq!(at(90, 3), Ok(50 + 3 + 31));
    assert_eq!(at(118, 3), Ok(0));
    assert_eq!(at(119, 3), Err(EngineError::MarketInsolvent));
}
