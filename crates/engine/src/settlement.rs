//! The settlement of an instruction: whatever one of its legs gains, others lose.
//!
//! What the venue owes is the free collateral and order reserves of its traders, the claims of
//! their positions, the fee bucket, insurance and held profit of its markets. It equals the tokens held, so the
//! change of it over an instruction is the tokens that came in less those that went out.
//!
//! The claim of a position is `margin + lots * funding_index - entry_quote`, which paying funding
//! leaves as it is. At one funding index the `lots * funding_index` of all changes cancel when the
//! lots do, so the lots are added up beside the atoms and no product is needed.

use crate::{
    error::EngineError,
    position::Position,
    units::{Atoms, FundingIndex},
};

/// What the legs of an instruction add up to so far. Every leg is posted as it was before and as it
/// is afterwards, in any order.
#[must_use]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    /// What is owed afterwards less what was owed before, tokens accounted for, modulo 2^64. The
    /// tokens of a mint are fewer than that, so no other sum than zero is taken for it.
    atoms: i64,
    /// Lots afterwards less lots before.
    lots: i64,
    /// Index up to which the positions that traded have paid funding.
    funding_index: Option<FundingIndex>,
}

impl Settlement {
    /// A trader's free collateral and what its orders in the market reserve, before.
    pub fn trader_before(&mut self, free: Atoms, reserve: u64) {
        self.give(free.get());
        self.give_unsigned(reserve);
    }

    /// A trader's free collateral and what its orders in the market reserve, afterwards.
    pub fn trader_after(&mut self, free: Atoms, reserve: u64) {
        self.take(free.get());
        self.take_unsigned(reserve);
    }

    /// A market's fee bucket and insurance before, atoms.
    pub fn market_before(&mut self, fees: u64, insurance: u64) {
        self.give_unsigned(fees);
        self.give_unsigned(insurance);
    }

    /// A market's fee bucket and insurance afterwards, atoms.
    pub fn market_after(&mut self, fees: u64, insurance: u64) {
        self.take_unsigned(fees);
        self.take_unsigned(insurance);
    }

    /// The profit that a market holds, before, atoms.
    pub fn held_before(&mut self, atoms: u64) {
        self.give_unsigned(atoms);
    }

    /// The profit that a market holds, afterwards, atoms.
    pub fn held_after(&mut self, atoms: u64) {
        self.take_unsigned(atoms);
    }

    /// A position as `stored`, whose funding may be unpaid, and as it is `after`, with funding paid
    /// up to `index`.
    ///
    /// # Errors
    /// `Unbalanced` when `after` has another index, or when positions trade at different indices.
    #[inline]
    pub fn position(
        &mut self,
        stored: &Position,
        after: &Position,
        index: FundingIndex,
    ) -> Result<(), EngineError> {
        if !after.is_empty() && after.funding_index != index {
            return Err(EngineError::Unbalanced);
        }
        let (held, holds) = (stored.lots.get(), after.lots.get());
        if held != holds {
            if self.funding_index.is_some_and(|known| known != index) {
                return Err(EngineError::Unbalanced);
            }
            self.funding_index = Some(index);
            // 34 bits each: no instruction has enough changes to wrap.
            self.lots = self.lots.wrapping_add(holds.wrapping_sub(held));
        }
        // What is owed to the lots held moves with the index; the other terms are the claims.
        let moved = index.get().wrapping_sub(stored.funding_index.get());
        self.take(held.wrapping_mul(moved));
        self.give(stored.margin.get());
        self.take(stored.entry_quote.get());
        self.take(after.margin.get());
        self.give(after.entry_quote.get());
        Ok(())
    }

    /// Tokens that came into a vault, atoms.
    pub fn tokens_in(&mut self, amount: u64) {
        self.give_unsigned(amount);
    }

    /// Tokens that left a vault, atoms.
    pub fn tokens_out(&mut self, amount: u64) {
        self.take_unsigned(amount);
    }

    /// What positions claim beyond what there is for them, before and afterwards, atoms: nobody owes
    /// it.
    pub fn uncovered(&mut self, before: i64, after: i64) {
        self.take(before);
        self.give(after);
    }

    /// Atoms taken from a leg that a later settlement of the same instruction pays to somebody.
    pub fn owed(&mut self, amount: u64) {
        self.take_unsigned(amount);
    }

    /// Atoms that an earlier settlement of the same instruction owed, now paid.
    pub fn paid(&mut self, amount: u64) {
        self.give_unsigned(amount);
    }

    /// Checks that atoms and lots add up to nothing.
    ///
    /// # Errors
    /// `Unbalanced`.
    pub fn close(&self) -> Result<(), EngineError> {
        if self.atoms == 0 && self.lots == 0 {
            Ok(())
        } else {
            Err(EngineError::Unbalanced)
        }
    }

    fn take(&mut self, atoms: i64) {
        self.atoms = self.atoms.wrapping_add(atoms);
    }

    fn give(&mut self, atoms: i64) {
        self.atoms = self.atoms.wrapping_sub(atoms);
    }

    fn take_unsigned(&mut self, atoms: u64) {
        self.atoms = self.atoms.wrapping_add_unsigned(atoms);
    }

    fn give_unsigned(&mut self, atoms: u64) {
        self.atoms = self.atoms.wrapping_sub_unsigned(atoms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Lots;

    fn position(lots: i64, entry: i64, margin: i64, index: i64) -> Position {
        Position {
            lots: Lots::new(lots).unwrap(),
            entry_quote: Atoms::new(entry),
            margin: Atoms::new(margin),
            funding_index: FundingIndex::new(index),
        }
    }

    /// The legs of a fill: what each adds to the sum.
    struct Legs {
        taker_free: i64,
        maker_reserve: u64,
        taker: Position,
        maker: Position,
        fees: u64,
        insurance: u64,
        tokens_in: u64,
        tokens_out: u64,
        owed: u64,
    }

    /// A taker buys 10 lots for 1,000 atoms with 100 of margin and a fee of 5, of a maker who had
    /// reserved 60 and had sold 4 lots, with 8 atoms of funding to receive. Of 20 tokens that come
    /// in 12 go out, 7 are owed and one becomes free.
    fn legs() -> Legs {
        Legs {
            taker_free: 500 - 105 + 1,
            maker_reserve: 0,
            taker: position(10, 1_000, 100, 5),
            maker: position(-14, -1_400, 108, 5),
            fees: 13,
            insurance: 22,
            tokens_in: 20,
            tokens_out: 12,
            owed: 7,
        }
    }

    fn settle(legs: &Legs) -> Result<(), EngineError> {
        let mut settlement = Settlement::default();
        settlement.market_before(10, 20);
        settlement.trader_before(Atoms::new(500), 0);
        settlement.trader_before(Atoms::new(30), 60);
        let index = FundingIndex::new(5);
        settlement.position(&position(0, 0, 0, 3), &legs.taker, index)?;
        settlement.position(&position(-4, -400, 40, 3), &legs.maker, index)?;
        settlement.trader_after(Atoms::new(legs.taker_free), 0);
        settlement.trader_after(Atoms::new(30), legs.maker_reserve);
        settlement.market_after(legs.fees, legs.insurance);
        settlement.tokens_in(legs.tokens_in);
        settlement.tokens_out(legs.tokens_out);
        settlement.owed(legs.owed);
        settlement.close()
    }

    #[test]
    fn the_legs_of_a_fill_net_to_zero() {
        assert_eq!(settle(&legs()), Ok(()));
    }

    #[test]
    fn a_leg_that_is_off_by_an_atom_is_refused() {
        let spoils: [fn(&mut Legs); 12] = [
            |legs| legs.taker_free += 1,
            |legs| legs.maker_reserve += 1,
            |legs| legs.taker.margin = Atoms::new(101),
            |legs| legs.taker.entry_quote = Atoms::new(999),
            |legs| legs.maker.margin = Atoms::new(107),
            |legs| legs.maker.entry_quote = Atoms::new(-1_401),
            |legs| legs.fees += 1,
            |legs| legs.insurance -= 1,
            |legs| legs.tokens_in += 1,
            |legs| legs.tokens_out += 1,
            |legs| legs.owed -= 1,
            |legs| legs.fees -= 2,
        ];
        for (leg, spoil) in spoils.iter().enumerate() {
            let mut spoilt = legs();
            spoil(&mut spoilt);
            assert_eq!(settle(&spoilt), Err(EngineError::Unbalanced), "{leg}");
        }
    }

    #[test]
    fn lots_that_nobody_sold_are_refused() {
        let mut spoilt = legs();
        spoilt.taker.lots = Lots::new(11).unwrap();
        assert_eq!(settle(&spoilt), Err(EngineError::Unbalanced));
    }

    #[test]
    fn a_position_starts_from_what_is_stored_and_pays_its_funding() {
        let stored = position(-4, -400, 40, 3);
        let index = FundingIndex::new(5);
        let close = |after: &Position| {
            let mut settlement = Settlement::default();
            settlement.position(&stored, after, index)?;
            settlement.close()
        };
        assert_eq!(close(&position(-4, -400, 48, 5)), Ok(()));
        let refused = Err(EngineError::Unbalanced);
        assert_eq!(close(&position(-4, -400, 40, 5)), refused, "unpaid");
        assert_eq!(close(&position(-4, -400, 48, 6)), refused, "another index");
        assert_eq!(close(&stored), refused, "the old index");
    }

    #[test]
    fn positions_trade_at_one_index() {
        let mut settlement = Settlement::default();
        let (five, six) = (FundingIndex::new(5), FundingIndex::new(6));
        let long = position(1, 10, 1, 5);
        settlement
            .position(&Position::default(), &long, five)
            .unwrap();
        let short = position(-1, -10, 1, 6);
        assert_eq!(
            settlement.position(&Position::default(), &short, six),
            Err(EngineError::Unbalanced)
        );
    }

    #[test]
    fn a_position_that_closes_may_forget_its_index() {
        let mut settlement = Settlement::default();
        let index = FundingIndex::new(5);
        settlement.trader_before(Atoms::ZERO, 0);
        for stored in [position(1, 10, 3, 5), position(-1, -10, 4, 5)] {
            settlement
                .position(&stored, &Position::default(), index)
                .unwrap();
        }
        settlement.trader_after(Atoms::new(7), 0);
        settlement.close().unwrap();
    }

    #[test]
    fn what_is_owed_is_paid_by_another_settlement() {
        let mut settlement = Settlement::default();
        settlement.paid(7);
        settlement.trader_before(Atoms::new(i64::MAX - 7), u64::MAX);
        settlement.trader_after(Atoms::new(i64::MAX), u64::MAX);
        settlement.close().unwrap();
    }
}
