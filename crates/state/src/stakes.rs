//! The stakes behind a market's insurance: their shares. What they own is a part of the market's
//! insurance, [`Market::staked_atoms`].

use ballast_engine::shares::{Exit, Fund, Holding, Outstanding, STAKE_TERMS};

use crate::{
    derives::*,
    error::{ensure, BallastError, Result},
    market::Market,
    Pubkey,
};

/// First bytes of an account of stakes.
pub const STAKES_DISCRIMINATOR: [u8; 8] = [63, 219, 229, 59, 58, 177, 202, 15];
/// Layout version written by this program.
pub const STAKES_VERSION: u8 = 1;

/// The stakes behind the insurance of a market. PDA `["stakes", market]`.
#[cfg_attr(feature = "anchor", account(zero_copy))]
#[cfg_attr(not(feature = "anchor"), derive(Clone, Copy, Pod, Zeroable))]
#[derive(Debug)]
#[repr(C)]
pub struct Stakes {
    /// Layout version. Written once.
    pub version: u8,
    /// Bump of this address. Written once.
    pub bump: u8,
    /// Always zero; aligns what follows.
    pub _padding: [u8; 2],
    /// Times that the shares became worthless and new ones were begun.
    pub epoch: u32,
    /// The market. Written once.
    pub market: Pubkey,
    /// Shares of this epoch.
    pub shares: u64,
    /// Those of them that are to leave.
    pub requested: u64,
    /// Zero; room for later versions.
    pub reserved: [u8; 64],
}

const _: () = {
    assert!(core::mem::size_of::<Stakes>() == 120);
    assert!(core::mem::offset_of!(Stakes, market) == 8);
    assert!(core::mem::offset_of!(Stakes, shares) == 40);
    assert!(core::mem::offset_of!(Stakes, reserved) == 56);
};

impl Stakes {
    /// Bytes of the account, discriminator included.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// Fails unless these are the stakes of `market`.
    ///
    /// # Errors
    /// `WrongStakes`.
    pub fn require_of(&self, market: &Pubkey) -> Result<()> {
        ensure(self.market == *market, BallastError::WrongStakes)
    }

    /// The shares, where the stakes are worth `atoms`.
    #[must_use]
    pub const fn fund(&self, atoms: u64) -> Fund {
        self.outstanding().fund(atoms)
    }

    /// The shares that there are.
    #[must_use]
    pub const fn outstanding(&self) -> Outstanding {
        Outstanding {
            shares: self.shares,
            requested: self.requested,
        }
    }

    const fn store_outstanding(&mut self, all: &Outstanding) {
        (self.shares, self.requested) = (all.shares, all.requested);
    }

    /// Begins new shares where those there are have become worthless: nothing is staked, or so little
    /// that nobody may join. What is left of it is nobody's stake any more. How much, atoms; `None`
    /// where the shares go on.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn renew(&mut self, market: &mut Market) -> Result<Option<u64>> {
        let rest = market.staked_atoms;
        let spent = rest == 0 || self.fund(rest).is_spent();
        if self.shares == 0 || !spent {
            return Ok(None);
        }
        let next = self.epoch.checked_add(1);
        self.epoch = next.ok_or(BallastError::Overflow)?;
        self.store_outstanding(&Outstanding::default());
        market.staked_atoms = 0;
        Ok(Some(rest))
    }

    /// Stakes `atoms` in `market` for who has `holding`: what is owned afterwards, and the new shares.
    ///
    /// # Errors
    /// `ZeroAmount`, `FundSpent`, `FundFull`; `Overflow`.
    pub fn join(
        &mut self,
        market: &mut Market,
        atoms: u64,
        holding: &Holding,
    ) -> Result<(Holding, u64)> {
        let worth = market.staked_atoms;
        let (all, after, minted) = self.outstanding().join(worth, atoms, holding)?;
        self.store_outstanding(&all);
        market.store_insurance(&market.insurance_fund().stake(atoms)?);
        let total = market.vault_total().with(atoms)?;
        market.store_vault_total(total);
        Ok((after, minted))
    }

    /// Records what somebody asks for: `after` in the place of `before`.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn request(&mut self, before: &Holding, after: &Holding) -> Result<()> {
        let all = self.outstanding().request(before, after)?;
        self.store_outstanding(&all);
        Ok(())
    }

    /// Pays who asked for it and whose time has come, in `slot`, where the positions lack `beyond_own`
    /// atoms more than what nobody staked: as much as the floor lets go.
    ///
    /// # Errors
    /// `RequestMissing`, `RequestTooEarly`, `RequestLapsed`; `StakeFloor` where nothing of what is due
    /// may go; `Overflow`.
    pub fn leave(
        &mut self,
        market: &mut Market,
        holding: &Holding,
        beyond_own: u64,
        slot: u64,
    ) -> Result<Exit> {
        holding.require_due(&STAKE_TERMS, slot)?;
        let insurance = market.insurance_fund();
        let fund = self.fund(insurance.stakes_after(beyond_own));
        let exit = holding.pay(&fund, insurance.above_floor(&market.risk))?;
        ensure(exit.shares > 0, BallastError::StakeFloor)?;
        self.pay(market, holding, &exit, slot)?;
        Ok(exit)
    }

    /// Pays all that somebody has of the stakes of a market that is closed.
    ///
    /// # Errors
    /// `SharesMissing`; `Overflow`.
    pub fn leave_closed(
        &mut self,
        market: &mut Market,
        holding: &Holding,
        slot: u64,
    ) -> Result<Exit> {
        let exit = holding.pay_all(&self.fund(market.staked_atoms))?;
        self.pay(market, holding, &exit, slot)?;
        Ok(exit)
    }

    /// Books a payment. What nobody has a share of any more is nobody's stake.
    fn pay(&mut self, market: &mut Market, before: &Holding, exit: &Exit, slot: u64) -> Result<()> {
        let all = self.outstanding().leave(before, exit)?;
        self.store_outstanding(&all);
        let insurance = market.insurance_fund();
        market.store_insurance(&insurance.unstake(&market.risk, slot, exit.atoms)?);
        if self.shares == 0 {
            market.staked_atoms = 0;
        }
        Ok(())
    }

    /// Checks what must hold at the end of every instruction that writes the stakes.
    ///
    /// # Errors
    /// `StakesInvariant`.
    pub fn invariant(&self) -> Result<()> {
        ensure(self.outstanding().is_sound(), BallastError::StakesInvariant)
    }
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;

    use super::*;

    const DUE: u64 = 1 + STAKE_TERMS.delay_slots;

    /// A market with `own` atoms of insurance that nobody staked, without a cap.
    fn market(own: u64) -> Market {
        let mut market = Market::zeroed();
        market.insurance.balance = own;
        market.risk.insurance_draw_cap_bps = 10_000;
        market.risk.insurance_window_slots = 900;
        market
    }

    fn joined(market: &mut Market, stakes: &mut Stakes, atoms: u64) -> Holding {
        let (holding, _) = stakes.join(market, atoms, &Holding::default()).unwrap();
        holding
    }

    fn asked(market: &Market, stakes: &mut Stakes, holding: &Holding) -> Holding {
        let fund = stakes.fund(market.staked_atoms);
        let asked = holding.request(holding.shares, &fund, 1).unwrap();
        stakes.request(holding, &asked).unwrap();
        asked
    }

    #[test]
    fn who_leaves_a_bankruptcy_behind_is_paid_what_is_left_after_it() {
        for (lacking, paid) in [
            (0, 1_000),
            (400, 1_000),
            (401, 999),
            (1_000, 400),
            (5_000, 0),
        ] {
            let (mut market, mut stakes) = (market(400), Stakes::zeroed());
            let ann = joined(&mut market, &mut stakes, 1_000);
            let ben = joined(&mut market, &mut stakes, 1_000);
            let asked = asked(&market, &mut stakes, &ann);
            // What all positions lack beyond what nobody staked; half of it is Ben's to bear.
            let beyond = if lacking > 400 {
                2 * (lacking - 400)
            } else {
                0
            };
            let mut known = (market, stakes);
            let exit = known.1.leave(&mut known.0, &asked, beyond, DUE).unwrap();
            assert!(exit.atoms.abs_diff(paid) <= 1, "{lacking} {}", exit.atoms);
            // Booked first it is the same, but for an atom's rounding.
            market.pay_deficit((400 + beyond).min(2_400), 1).unwrap();
            let booked = stakes.leave(&mut market, &asked, 0, DUE).unwrap();
            assert!(booked.atoms.abs_diff(exit.atoms) <= 1);
            // Who stays has no less than had the bankruptcy been booked before.
            let fund = known.1.fund(known.0.staked_atoms);
            let left = fund.value(ben.shares).unwrap();
            let after = stakes.fund(market.staked_atoms).value(ben.shares).unwrap();
            assert!(
                left + 1 >= after + beyond.min(1_000),
                "{lacking}: {left} {after}"
            );
        }
    }

    #[test]
    fn the_floor_lets_go_what_is_above_it() {
        let (mut market, mut stakes) = (market(100), Stakes::zeroed());
        market.risk.stake_floor_atoms = 700;
        let ann = joined(&mut market, &mut stakes, 1_000);
        let asked = asked(&market, &mut stakes, &ann);
        let exit = stakes.leave(&mut market, &asked, 0, DUE).unwrap();
        assert_eq!((exit.atoms, exit.shares), (400, 400_000));
        assert_eq!((stakes.shares, stakes.requested), (600_000, 600_000));
        assert_eq!((market.insurance.balance, market.staked_atoms), (700, 600));
        let refused = stakes.leave(&mut market, &exit.left, 0, DUE);
        assert_eq!(refused.err(), Some(BallastError::StakeFloor));
    }

    #[test]
    fn worthless_shares_end_and_their_rest_is_nobodys() {
        let (mut market, mut stakes) = (market(0), Stakes::zeroed());
        assert_eq!(stakes.renew(&mut market), Ok(None));
        joined(&mut market, &mut stakes, 2_000_000);
        assert_eq!(stakes.renew(&mut market), Ok(None));
        market.pay_deficit(1_998_000, 1).unwrap();
        // A thousandth of the start: they go on.
        assert_eq!(stakes.renew(&mut market), Ok(None));
        market.pay_deficit(1, 1).unwrap();
        assert_eq!(stakes.renew(&mut market), Ok(Some(1_999)));
        assert_eq!((stakes.epoch, stakes.shares, stakes.requested), (1, 0, 0));
        assert_eq!((market.insurance.balance, market.staked_atoms), (1_999, 0));
        let ben = joined(&mut market, &mut stakes, 500);
        assert_eq!(ben.shares, 500_000);
        market.pay_deficit(2_499, 1).unwrap();
        assert_eq!(
            (market.staked_atoms, stakes.renew(&mut market)),
            (0, Ok(Some(0)))
        );
    }

    #[test]
    fn income_is_shared_where_somebody_has_staked_and_gifts_are_not() {
        let (mut market, mut stakes) = (market(50), Stakes::zeroed());
        market.risk.stake_income_bps = 2_500;
        market.book_fees(0, 100).unwrap();
        assert_eq!((market.insurance.balance, market.staked_atoms), (150, 0));
        joined(&mut market, &mut stakes, 1_000);
        market.book_fees(3, 103).unwrap();
        assert_eq!(
            (market.insurance.balance, market.staked_atoms),
            (1_253, 1_025)
        );
        market.insurance = market.insurance.credit(7).unwrap();
        assert_eq!(market.insurance_fund().own(), 235);
    }

    #[test]
    fn stakes_leave_a_closed_market_at_once_and_the_last_leaves_nothing_behind() {
        let (mut market, mut stakes) = (market(40), Stakes::zeroed());
        let ann = joined(&mut market, &mut stakes, 1_000);
        let ben = joined(&mut market, &mut stakes, 3_000);
        market.risk.stake_income_bps = 10_000;
        market.book_fees(0, 1).unwrap();
        let first = stakes.leave_closed(&mut market, &ann, 7).unwrap();
        let last = stakes.leave_closed(&mut market, &ben, 7).unwrap();
        assert_eq!((first.atoms, last.atoms), (1_000, 3_000));
        assert_eq!((stakes.shares, market.staked_atoms), (0, 0));
        assert_eq!(market.insurance.balance, 41);
        let none = stakes.leave_closed(&mut market, &last.left, 7);
        assert_eq!(none.err(), Some(BallastError::SharesMissing));
    }
}
