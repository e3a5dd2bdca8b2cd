//! A counterparty ends with maintenance margin, or no less healthy than it was.

use ballast_engine::adl::{AccountCut, AccountSkip, Bankruptcy, Deleveraging};
use ballast_engine::cross::cut::{lots_borne, Bearing};
use ballast_engine::cross::{Account, Values};
use ballast_engine::position::Position;
use ballast_engine::queue::CutStamp;
use ballast_engine::units::{Atoms, Lots, Side};

use crate::fixture::{legs, pool_for, requirement, some_account, Dice, Market};

struct Case {
    markets: Vec<Market>,
    positions: Vec<Position>,
    pool: Atoms,
    call: Deleveraging,
}

/// An account of some legs, the first on the side of the counterparties of a bankruptcy in its market,
/// with an equity around its maintenance.
fn case(dice: &mut Dice) -> Option<Case> {
    let (markets, positions) = some_account(dice);
    let legs = legs(&markets, &positions);
    let needed = requirement(&legs);
    let equity = dice.within(0, 6 * needed) / dice.within(1, 5);
    let pool = pool_for(&legs, i64::try_from(equity).unwrap());
    let own = &markets[0];
    let at = own.mark.price.get();
    let side = positions[0].side()?.opposite();
    let size = dice.magnitude(1 << 20, 1 << 31);
    let value = i64::try_from(at * size).unwrap();
    let deficit = i64::try_from(dice.within(1, at * size / 4 + 2)).unwrap();
    let sign = if side == Side::Long { 1 } else { -1 };
    let call = Deleveraging::begin(&Bankruptcy {
        position: Position {
            lots: Lots::on_side(side, size).unwrap(),
            entry_quote: Atoms::new(sign * value),
            margin: Atoms::new(-deficit),
            funding_index: own.funding,
        },
        mark: own.mark.price,
        funding_index: own.funding,
        insurance_available: 0,
        past_grace: true,
        taker: None,
        max_lots: size,
        least_lots: own.params.min_position_lots,
        params: &own.params.adl,
        epoch: 1,
        passes: 1,
    })
    .ok()?;
    Some(Case {
        markets,
        positions,
        pool,
        call,
    })
}

/// The account's values after the cut.
fn after(case: &Case, position: &Position, pool: Atoms) -> Values {
    let mut positions = case.positions.clone();
    positions[0] = *position;
    let legs = legs(&case.markets, &positions);
    let account = Account { pool, legs: &legs };
    account.values().unwrap()
}

/// Whether the ratio of equity to maintenance has not fallen by more than two atoms of either explain.
fn no_less_healthy(before: &Values, after: &Values) -> bool {
    let [v, w] = [before, after].map(|values| i128::from(values.equity.get()));
    let [m, n] = [before, after].map(|values| i128::from(values.requirement));
    (w + 2) * m >= v * (n - 2)
}

#[test]
fn a_cut_leaves_maintenance_or_an_account_no_less_healthy() {
    let mut dice = Dice(21);
    let (mut whole, mut shorter, mut below, mut none, mut unsafe_without) = (0, 0, 0, 0, 0);
    for _ in 0..60_000 {
        let Some(mut case) = case(&mut dice) else {
            continue;
        };
        let legs = legs(&case.markets, &case.positions);
        let account = Account {
            pool: case.pool,
            legs: &legs,
        };
        let before = account.values().unwrap();
        let counterparty = account.counterparty(&before, 0).unwrap();
        let bearing = if dice.once_in(4) {
            Bearing::Equity
        } else {
            Bearing::Maintenance
        };
        let stamp = CutStamp::default();
        let size = counterparty.position.size();
        let cap = case.call.round().cap_left(size, stamp).unwrap();
        let cut = case
            .call
            .cut_account(&counterparty, bearing, 1 << 63, stamp);
        match cut.expect("the first of its list") {
            AccountCut::Skipped(AccountSkip::BelowMaintenance) => {
                assert!(!before.is_healthy());
                below += 1;
            }
            AccountCut::Skipped(reason) => {
                assert_eq!(reason, AccountSkip::Shortened);
                none += 1;
            }
            AccountCut::Done { done, shortened } => {
                let given = &counterparty.position;
                let pool = account
                    .pool_after(0, given, &done.position_after, done.payout)
                    .unwrap();
                let found = after(&case, &done.position_after, pool);
                // The account gives up exactly what the cut says.
                let lost = before.equity.get() - found.equity.get();
                assert_eq!(u64::try_from(lost), Ok(done.gave_up));
                match bearing {
                    Bearing::Equity if shortened => assert!(!found.equity.is_negative()),
                    _ if shortened => assert!(found.is_healthy(), "{before:?} {found:?}"),
                    _ => assert!(
                        found.is_healthy() || no_less_healthy(&before, &found) || {
                            bearing == Bearing::Equity && !found.equity.is_negative()
                        },
                        "{before:?} {found:?}"
                    ),
                }
                // Fewer than the cap: for the account's sake, or all that there was to close.
                assert!(!shortened || done.lots < cap);
                assert!(shortened || done.lots == cap || case.call.remaining_lots() == 0);
                // A shortened cut is not the cap.
                assert_eq!(done.stamp.capped_epoch == 1, done.lots == cap);
                whole += u64::from(!shortened);
                shorter += u64::from(shortened);
                // What a cut of all that the cap allows would have done.
                let loss = i128::from(done.gave_up) * i128::from(cap) / i128::from(done.lots);
                let left = i128::from(before.equity.get()) - loss;
                unsafe_without += u64::from(shortened && left < 0);
            }
        }
    }
    println!(
        "{whole} whole, {shorter} shorter, {below} below, {none} none, {unsafe_without} would owe"
    );
    assert!(whole > 2_000 && shorter > 2_000 && below > 2_000 && unsafe_without > 100);
}

#[test]
fn the_lots_borne_are_the_most_but_for_rounding() {
    let mut dice = Dice(22);
    let mut shorter = 0;
    for _ in 0..40_000 {
        let Some(case) = case(&mut dice) else {
            continue;
        };
        let legs = legs(&case.markets, &case.positions);
        let account = Account {
            pool: case.pool,
            legs: &legs,
        };
        let values = account.values().unwrap();
        let counterparty = account.counterparty(&values, 0).unwrap();
        let size = counterparty.position.size();
        let round = case.call.round();
        let borne = lots_borne(round, &counterparty, Bearing::Maintenance, size).unwrap();
        let Some(borne) = borne.filter(|borne| values.is_healthy() && *borne < size) else {
            continue;
        };
        shorter += 1;
        // In straight lines two more lots cost more than there is to spare.
        let quote = i128::from(round.close.quote) * i128::from(size) / i128::from(round.close.lots);
        let worth = i128::from(round.mark.get()) * i128::from(size);
        let loss = (worth - quote).abs();
        let more = i128::from(borne) + 2 + i128::from(round.least_lots);
        let (equity, needed) = (values.equity.get(), values.requirement);
        let spare = i128::from(equity) - i128::from(needed);
        let each = loss - i128::from(counterparty.leg_requirement);
        assert!(
            more * each > (spare - 4) * i128::from(size),
            "{borne} of {size}"
        );
    }
    assert!(shorter > 300, "{shorter}");
}
