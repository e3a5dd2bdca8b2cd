//! Fills, funding and margin transfers among many accounts mint nothing.

use ballast_engine::funding::FundingState;
use ballast_engine::position::Position;
use ballast_engine::trade::{add_margin, reduces};
use ballast_engine::units::{Atoms, FundingIndex, LotPrice, Lots, MAX_LOTS, MAX_LOT_PRICE};
use proptest::prelude::*;

use crate::fixture::{any_magnitude, base_rate, cases, price};

const ACCOUNTS: usize = 7;

#[derive(Clone, Debug)]
enum Step {
    /// `buyer` and `seller` trade `size` lots at `price` plus `extra` atoms.
    Fill {
        buyer: usize,
        seller: usize,
        size: u64,
        price: u64,
        extra: u64,
    },
    /// `buyer` closes or flips against whoever is there, by a part of its size.
    Shrink {
        account: usize,
        other: usize,
        ten_thousandths: u64,
        price: u64,
    },
    Funding {
        rate: i32,
        price: u64,
        seconds: i64,
    },
    AddMargin {
        account: usize,
        part: u64,
    },
}

fn any_step(max_lots: u64, max_price: u64) -> impl Strategy<Value = Step> {
    let account = 0..ACCOUNTS;
    let price = any_magnitude(max_price);
    prop_oneof![
        4 => (account.clone(), 1..ACCOUNTS, any_magnitude(max_lots), price.clone(), any::<u64>())
            .prop_map(|(buyer, skip, size, price, extra)| Step::Fill {
                buyer,
                seller: (buyer + skip) % ACCOUNTS,
                size,
                price,
                extra: extra % size,
            }),
        4 => (account.clone(), 1..ACCOUNTS, 1_u64..25_000, price.clone())
            .prop_map(|(account, skip, ten_thousandths, price)| Step::Shrink {
                account,
                other: (account + skip) % ACCOUNTS,
                ten_thousandths,
                price,
            }),
        2 => (-10_000_i32..=10_000, price, 0_i64..100_000)
            .prop_map(|(rate, price, seconds)| Step::Funding { rate, price, seconds }),
        2 => (account, 0_u64..=10_000).prop_map(|(account, part)| Step::AddMargin { account, part }),
    ]
}

#[derive(Clone, Debug)]
struct Venue {
    free: [i128; ACCOUNTS],
    positions: [Position; ACCOUNTS],
    funding: FundingState,
}

impl Venue {
    fn new(deposit: i128) -> Self {
        Self {
            free: [deposit; ACCOUNTS],
            positions: [Position::default(); ACCOUNTS],
            funding: FundingState::starting(0),
        }
    }

    /// Free collateral, margin net of all funding, less entries.
    fn total(&self) -> i128 {
        let held = self.positions.iter().map(|position| {
            let funding =
                i128::from(position.lots.get()) * i128::from(position.funding_index.get());
            i128::from(position.margin.get()) + funding - i128::from(position.entry_quote.get())
        });
        self.free.iter().sum::<i128>() + held.sum::<i128>()
    }

    /// Fills `lots` against the rest of a trade; a refused fill changes nothing.
    fn trade(&mut self, buyer: usize, seller: usize, lots: Lots, quote: Atoms) {
        let index = self.funding.index;
        let opposite = Atoms::new(-quote.get());
        let Ok(bought) = self.positions[buyer]
            .settle(index)
            .and_then(|at| at.fill(lots, quote))
        else {
            return;
        };
        let Ok(sold) = self.positions[seller]
            .settle(index)
            .and_then(|at| at.fill(lots.opposite(), opposite))
        else {
            return;
        };
        for (account, outcome) in [(buyer, bought), (seller, sold)] {
            check_rounding(
                &self.positions[account].settle(index).unwrap(),
                account == buyer,
                &outcome.position,
                lots,
                outcome.realized,
                if account == buyer { quote } else { opposite },
            );
            self.free[account] +=
                i128::from(outcome.realized.get()) + i128::from(outcome.released.get());
            self.positions[account] = outcome.position;
        }
    }

    fn run(&mut self, step: &Step) {
        match *step {
            Step::Fill {
                buyer,
                seller,
                size,
                price,
                extra,
            } => {
                let quote = i64::try_from(size * price)
                    .unwrap()
                    .checked_add(i64::try_from(extra).unwrap());
                let size = Lots::new(i64::try_from(size).unwrap()).unwrap();
                if let Some(quote) = quote {
                    self.trade(buyer, seller, size, Atoms::new(quote));
                }
            }
            Step::Shrink {
                account,
                other,
                ten_thousandths,
                price,
            } => {
                let held = self.positions[account].lots.get();
                let size = i64::try_from(i128::from(-held) * i128::from(ten_thousandths) / 10_000)
                    .unwrap();
                let Ok(lots) = Lots::new(size) else { return };
                let Some(quote) = size.checked_mul(i64::try_from(price).unwrap()) else {
                    return;
                };
                self.trade(account, other, lots, Atoms::new(quote));
            }
            Step::Funding {
                rate,
                price: at,
                seconds,
            } => {
                let until = self.funding.last_timestamp + seconds;
                let params = base_rate(rate);
                self.funding = self.funding.accrue(&params, price(at), until).unwrap();
                self.funding.invariant().unwrap();
            }
            Step::AddMargin { account, part } => {
                let free = self.free[account].clamp(0, i128::from(i64::MAX >> 8));
                let amount = u64::try_from(free * i128::from(part) / 10_000).unwrap();
                let before = Atoms::new(i64::try_from(free).unwrap());
                if let Ok((position, after)) = add_margin(&self.positions[account], before, amount)
                {
                    self.free[account] -= i128::from(before.get()) - i128::from(after.get());
                    self.positions[account] = position;
                }
            }
        }
    }

    fn check(&self, deposits: i128) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.total(), deposits);
        prop_assert_eq!(
            self.positions
                .iter()
                .map(|position| position.lots.get())
                .sum::<i64>(),
            0
        );
        for position in &self.positions {
            position.invariant().unwrap();
            prop_assert!(position.entry_quote.get().unsigned_abs() >= position.size());
        }
        Ok(())
    }

    /// Closes every position at `price` against the venue as a whole.
    fn close_all(&mut self, at: LotPrice) {
        for (free, position) in self.free.iter_mut().zip(&mut self.positions) {
            *position = position.settle(self.funding.index).unwrap();
            if position.is_empty() {
                continue;
            }
            let quote = Atoms::new(-position.value(at).unwrap().get());
            let outcome = position.fill(position.lots.opposite(), quote).unwrap();
            *free += i128::from(outcome.payout().unwrap().get());
            *position = outcome.position;
        }
    }
}

/// A pure close pays the exact profit rounded down by less than one atom.
fn check_rounding(
    before: &Position,
    bought: bool,
    after: &Position,
    lots: Lots,
    realized: Atoms,
    quote: Atoms,
) {
    let lots = if bought { lots } else { lots.opposite() };
    if !reduces(before, lots) {
        return;
    }
    let (closed, size) = (i128::from(lots.size()), i128::from(before.size()));
    let exact = -i128::from(quote.get()) * size - i128::from(before.entry_quote.get()) * closed;
    let paid = i128::from(realized.get()) * size;
    assert!(paid <= exact && exact - paid < size);
    let left = i128::from(after.margin.get()) * size;
    let share = i128::from(before.margin.get()) * (size - closed);
    assert!(left >= share && left - share < size);
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn nothing_is_minted(steps in proptest::collection::vec(any_step(10_000, 1 << 20), 1..60), last in 1_u64..(1 << 20)) {
        let mut venue = Venue::new(1 << 44);
        let deposits = venue.total();
        for step in &steps {
            venue.run(step);
            venue.check(deposits)?;
        }
        venue.close_all(price(last));
        venue.check(deposits)?;
        prop_assert_eq!(venue.free.iter().sum::<i128>(), deposits);
    }

    #[test]
    fn nothing_is_minted_at_the_limits(steps in proptest::collection::vec(any_step(MAX_LOTS, MAX_LOT_PRICE), 1..40)) {
        let mut venue = Venue::new(1 << 60);
        let deposits = venue.total();
        for step in &steps {
            // Funding of the largest positions could leave the atoms of any mint.
            if !matches!(step, Step::Funding { .. }) {
                venue.run(step);
            }
            venue.check(deposits)?;
        }
    }

    #[test]
    fn the_rest_of_a_close_keeps_its_entry_and_margin_per_lot(
        size in 2_u64..100_000, entry in any_magnitude(1 << 30), margin in -(1_i64 << 40)..(1 << 40),
        part in any::<u64>(), short in any::<bool>(),
    ) {
        let sign = if short { -1 } else { 1 };
        let size = i64::try_from(size).unwrap();
        let closed = 1 + i64::try_from(part % (size.unsigned_abs() - 1)).unwrap();
        let before = Position {
            lots: Lots::new(sign * size).unwrap(),
            entry_quote: Atoms::new(sign * size * i64::try_from(entry).unwrap()),
            margin: Atoms::new(margin),
            funding_index: FundingIndex::new(7),
        };
        let quote = Atoms::new(-sign * closed * 5);
        let after = before.fill(Lots::new(-sign * closed).unwrap(), quote).unwrap();
        let rest = after.position;
        prop_assert_eq!(rest.lots.get(), sign * (size - closed));
        prop_assert_eq!(rest.entry_quote.get(), rest.lots.get() * i64::try_from(entry).unwrap());
        let drift = i128::from(rest.margin.get()) * i128::from(size)
            - i128::from(margin) * i128::from(size - closed);
        prop_assert!((0..i128::from(size)).contains(&drift));
    }
}
