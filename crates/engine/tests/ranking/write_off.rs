//! What positions are worth together, counted in pieces, and what each gets of less than that.

use ballast_engine::position::Position;
use ballast_engine::solvency::is_farthest;
use ballast_engine::units::{FundingIndex, LotPrice, Side};
use ballast_engine::wind_down::WindDown;
use ballast_engine::write_off::{count_claims, WriteOff};
use ballast_engine::EngineError;
use num_bigint::BigInt;
use num_rational::BigRational;
use proptest::prelude::*;

use crate::fixture::{any_market, cases, Store};

/// Equity at a price after funding, atoms.
fn equity(position: &Position, price: LotPrice, funding: FundingIndex) -> i128 {
    let lots = i128::from(position.lots.get());
    let rise = i128::from(funding.get()) - i128::from(position.funding_index.get());
    i128::from(position.margin.get()) + lots * (i128::from(price.get()) - rise)
        - i128::from(position.entry_quote.get())
}

/// Queues of both sides: these positions, and nobody on the other.
fn both(side: Side, positions: &[Position]) -> [Store; 2] {
    let filled = Store::filled(side, positions);
    let empty = Store::new(side.opposite(), 4);
    match side {
        Side::Long => [filled, empty],
        Side::Short => [empty, filled],
    }
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn claims_are_counted_to_the_atom_however_they_are_cut_up(
        (round, positions) in any_market(24),
        step in 1_u32..9,
    ) {
        let (price, index) = (round.mark, round.funding_index);
        let solvent: Vec<Position> = positions
            .into_iter()
            .filter(|position| equity(position, price, index) >= 0)
            .collect();
        let all: i128 = solvent.iter().map(|one| equity(one, price, index)).sum();
        let [long, short] = both(round.side, &solvent);
        let (mut from, mut sum) = (0, 0_i128);
        loop {
            let count = count_claims(&long.view(), &short.view(), price, index, from, step);
            let Ok(count) = count else {
                // A position alone may be worth more than 64 bits say.
                prop_assert_eq!(count, Err(EngineError::Overflow));
                return Ok(());
            };
            sum += i128::from(count.claims);
            from = count.next;
            if count.complete {
                break;
            }
        }
        prop_assert_eq!(sum, all);
    }

    #[test]
    fn nobody_is_counted_while_somebody_is_bankrupt((round, positions) in any_market(12)) {
        let (price, index) = (round.mark, round.funding_index);
        let bankrupt = positions.iter().any(|one| equity(one, price, index) < 0);
        let [long, short] = both(round.side, &positions);
        let count = count_claims(&long.view(), &short.view(), price, index, 0, u32::MAX);
        if bankrupt {
            prop_assert!(count.is_err());
        }
    }

    #[test]
    fn the_farthest_bankrupt_is_the_one_that_lacks_most_per_lot((round, positions) in any_market(24)) {
        let (price, index) = (round.mark, round.funding_index);
        let [long, short] = both(round.side, &positions);
        let store = if round.side == Side::Long { &long } else { &short };
        let lacks = |position: &Position| {
            BigRational::new(
                BigInt::from(-equity(position, price, index)),
                BigInt::from(position.size()),
            )
        };
        let most = positions.iter().map(lacks).max();
        for (number, position) in positions.iter().enumerate() {
            let entry = *store.view().entry(u32::try_from(number).unwrap()).unwrap();
            let farthest = is_farthest(
                &long.view(), &short.view(), round.side, entry.bankruptcy_q32, price, index,
            );
            // What is stored is rounded to 2^-32 atoms per lot.
            let behind = most.clone().unwrap() - lacks(position);
            if behind == BigRational::from(BigInt::ZERO) {
                prop_assert_eq!(farthest, Ok(true));
            } else if behind > BigRational::new(BigInt::from(1), BigInt::from(1_u64 << 32)) {
                prop_assert_eq!(farthest, Ok(false));
            }
        }
    }

    #[test]
    fn every_claim_is_paid_its_exact_part_whatever_the_order(
        claims in prop::collection::vec(prop_oneof![0_u64..50, 0_u64..1 << 40], 1..40),
        lost in any::<u64>(),
        order in any::<u64>(),
    ) {
        let sum: u64 = claims.iter().sum();
        let all = WriteOff { atoms: 1 + lost % (sum + 3), claims: sum };
        let have = BigInt::from(sum) - BigInt::from(all.atoms);
        let have = have.max(BigInt::ZERO);
        let mut places: Vec<usize> = (0..claims.len()).collect();
        let mut state = order;
        for place in (1..places.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            places.swap(place, usize::try_from(state >> 33).unwrap() % (place + 1));
        }
        let (mut end, mut out, mut rest) = (WindDown::default(), BigInt::ZERO, 0);
        for place in places {
            let claim = claims[place];
            let paid = all.pay(&end, claim).unwrap();
            let exact = match sum {
                0 => BigInt::ZERO,
                _ => (BigInt::from(claim) * &have) / BigInt::from(sum),
            };
            prop_assert_eq!(BigInt::from(paid.atoms), exact);
            out += paid.atoms;
            rest += paid.to_insurance;
            end = paid.wind_down;
        }
        if sum > 0 {
            prop_assert_eq!(out + rest, have.clone());
            prop_assert!(rest < u64::try_from(claims.len()).unwrap());
            let hole = BigInt::from(all.atoms) - (BigInt::from(sum) - have);
            prop_assert_eq!(BigInt::from(all.uncovered(&end).unwrap()), hole);
        }
    }
}
