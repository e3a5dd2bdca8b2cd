//! A bankrupt account is closed leg by leg at its legs' zero prices, in any order and in any parts: it ends
//! at exactly nothing, nobody gives up more than its deficit, and each market bears its part.

use ballast_engine::adl::{Bankruptcy, Cut, Deleveraging};
use ballast_engine::cross::Account;
use ballast_engine::position::Position;
use ballast_engine::queue::CutStamp;
use ballast_engine::units::{Atoms, Lots, Side};

use crate::fixture::{legs, pool_for, price, some_account, unrealised, Dice, Market};

struct Bankrupt {
    markets: Vec<Market>,
    positions: Vec<Position>,
    pool: Atoms,
}

impl Bankrupt {
    fn new(dice: &mut Dice) -> Self {
        let (markets, positions) = some_account(dice);
        let legs = legs(&markets, &positions);
        let worth: i64 = legs
            .iter()
            .map(|leg| i64::try_from(leg.position.notional(leg.mark.price).unwrap()).unwrap())
            .sum();
        let equity = -i64::try_from(dice.magnitude(1, worth.unsigned_abs() / 10 + 2)).unwrap();
        let pool = pool_for(&legs, equity);
        Self {
            markets,
            positions,
            pool,
        }
    }

    fn equity(&self) -> i64 {
        self.pool.get() + unrealised(&legs(&self.markets, &self.positions))
    }

    fn open(&self) -> Vec<usize> {
        let places = 0..self.positions.len();
        places
            .filter(|place| !self.positions[*place].is_empty())
            .collect()
    }

    /// Closes `lots` of a leg as a deleveraging does; what was given up and what insurance paid. `None`
    /// where the leg's share of the deficit rounds to nothing.
    fn close(&mut self, dice: &mut Dice, place: usize, lots: u64) -> Option<(u64, u64)> {
        let legs = legs(&self.markets, &self.positions);
        let account = Account {
            pool: self.pool,
            legs: &legs,
        };
        let values = account.values().unwrap();
        let share = values.share(place).unwrap();
        let given = account.with_share(&values, place).unwrap();
        if !share.is_negative() {
            return None;
        }
        let market = &self.markets[place];
        let available = if dice.once_in(3) {
            dice.magnitude(1, share.get().unsigned_abs())
        } else {
            0
        };
        let mut call = Deleveraging::begin(&Bankruptcy {
            position: given,
            mark: market.mark.price,
            funding_index: market.funding,
            insurance_available: available,
            past_grace: true,
            taker: None,
            max_lots: lots,
            least_lots: 1,
            params: &market.params.adl,
            epoch: 1,
            passes: 1,
        })
        .expect("a deficit");
        let winner = rich(call.round().side, market);
        let mut stamp = CutStamp::default();
        let mut position = winner;
        while call.remaining_lots() > 0 {
            let Cut::Done(done) = call.cut(&position, 1, stamp).expect("in order") else {
                panic!("a counterparty of every lot is at its cap");
            };
            (position, stamp) = (done.position_after, CutStamp::default());
            call.trust_order();
        }
        let summary = call.finish().expect("no overshoot");
        assert_eq!(summary.overshoot(), Ok(0));
        let after = call.bankrupt_after().unwrap();
        self.pool = account
            .pool_after(place, &given, &after, Atoms::ZERO)
            .unwrap();
        self.positions[place] = after;
        Some((summary.gave_up, summary.insurance_paid))
    }
}

/// A counterparty that can take every lot there is.
fn rich(side: Side, market: &Market) -> Position {
    let size = 1 << 31;
    let lots = Lots::on_side(side, size).unwrap();
    let value = i64::try_from(market.mark.price.get() * size).unwrap();
    let entry = if lots.get() > 0 { value } else { -value };
    Position {
        lots,
        entry_quote: Atoms::new(entry),
        margin: Atoms::new(i64::MAX >> 2),
        funding_index: market.funding,
    }
}

#[test]
fn the_legs_end_at_nothing_in_any_order() {
    let mut dice = Dice(11);
    let (mut calls, mut ended, mut moved) = (0_u64, 0, 0);
    for trial in 0..4_000 {
        let mut bankrupt = Bankrupt::new(&mut dice);
        let first = bankrupt.equity();
        assert!(first < 0);
        let moves = trial % 2 == 1;
        let (mut gave_up, mut insured) = (0, 0);
        while let Some(place) = {
            let open = bankrupt.open();
            let count = u64::try_from(open.len()).unwrap();
            (count > 0).then(|| open[usize::try_from(dice.next() % count).unwrap()])
        } {
            if bankrupt.equity() >= 0 {
                break;
            }
            let size = bankrupt.positions[place].size();
            let lots = if dice.once_in(2) {
                size
            } else {
                dice.within(1, size)
            };
            let before = bankrupt.equity();
            let Some((given, paid)) = bankrupt.close(&mut dice, place, lots) else {
                // A leg without a part in the deficit closes at the mark.
                let market = &bankrupt.markets[place];
                let settled = bankrupt.positions[place].settle(market.funding).unwrap();
                let worth = settled.pnl(market.mark.price).unwrap();
                let owed = settled
                    .margin
                    .try_sub(bankrupt.positions[place].margin)
                    .unwrap();
                bankrupt.pool = bankrupt.pool.try_add(worth).unwrap().try_add(owed).unwrap();
                bankrupt.positions[place] = Position::default();
                assert_eq!(bankrupt.equity(), before);
                continue;
            };
            calls += 1;
            let after = bankrupt.equity();
            assert_eq!(after, before + i64::try_from(given + paid).unwrap());
            gave_up += given;
            insured += paid;
            if moves {
                moved += 1;
                for market in &mut bankrupt.markets {
                    let at = market.mark.price.get();
                    market.mark.price = price(dice.within(at * 99 / 100, at * 101 / 100).max(1));
                }
            }
        }
        if bankrupt.open().is_empty() {
            ended += 1;
            assert_eq!(bankrupt.pool, Atoms::ZERO);
        }
        if !moves {
            assert!(bankrupt.open().is_empty());
            assert_eq!(gave_up + insured, first.unsigned_abs());
        }
    }
    println!("{calls} calls, {ended} accounts ended at nothing, marks moved {moved} times");
    assert!(calls > 10_000 && ended > 2_500 && moved > 3_000);
}

#[test]
fn shares_add_up_but_for_an_atom_a_leg_and_never_to_more() {
    let mut dice = Dice(12);
    for _ in 0..20_000 {
        let mut bankrupt = Bankrupt::new(&mut dice);
        if dice.once_in(2) {
            bankrupt.pool = Atoms::new(bankrupt.pool.get() - 2 * bankrupt.equity());
        }
        let legs = legs(&bankrupt.markets, &bankrupt.positions);
        let account = Account {
            pool: bankrupt.pool,
            legs: &legs,
        };
        let values = account.values().unwrap();
        let shares: i128 = (0..legs.len())
            .map(|place| i128::from(values.share(place).unwrap().get()))
            .sum();
        let equity = i128::from(values.equity.get());
        let lost = equity.abs() - shares.abs();
        let most = i128::try_from(legs.len()).unwrap() - 1;
        assert!((0..=most).contains(&lost), "{shares} of {equity}");
        assert!(shares == 0 || (shares < 0) == (equity < 0));
    }
}
