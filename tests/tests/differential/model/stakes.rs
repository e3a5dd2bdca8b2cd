//! What is staked behind a market's insurance.

use ballast_state::error::BallastError;

use super::collateral::take;
use super::fund::{Fund, Paid};
use super::oracle::Use;
use super::refusal::{require, Verdict, ALREADY_THERE, NOT_THERE};
use super::state::Model;
use crate::operation::Who;

/// A unit of the quote currency, atoms: the least deposit.
pub const UNIT: i128 = 1_000_000;
/// Slots from a request to its payment, and slots in which it is paid.
const TERMS: (u64, u64) = (1_080_000, 432_000);

impl Model {
    /// Lets a market's insurance be staked behind.
    pub fn open_stakes(&mut self, market: usize) -> Verdict<()> {
        let wallets = self.wallets.len();
        let stakes = &mut self.markets[market].stakes;
        if stakes.is_some() {
            return Err(ALREADY_THERE);
        }
        *stakes = Some(Fund::new(wallets));
        Ok(())
    }

    fn stakes_mut(&mut self, market: usize) -> Verdict<&mut Fund> {
        self.markets[market].stakes.as_mut().ok_or(NOT_THERE)
    }

    /// Tokens of a wallet become insurance that is staked.
    pub fn stake(&mut self, market: usize, who: Who, amount: i128) -> Verdict<()> {
        self.stakes_mut(market)?.member(who.of)?;
        take(&mut self.wallets[who.wallet], amount)?;
        self.markets[market].vault += amount;
        require(who.is_owner(), BallastError::NotOwner)?;
        require(amount >= UNIT, BallastError::DepositTooSmall)?;
        let mark = self.touch(market, Use::RemoveMargin)?;
        let slot = self.slot;
        let now = &self.markets[market];
        let limited = now.insurance.is_limited(&now.params, slot);
        require(!limited, BallastError::InsuranceLimited)?;
        self.require_solvent(market, mark.price)?;
        self.renew_stakes(market)?;
        let worth = self.markets[market].insurance.staked;
        self.stakes_mut(market)?.join(who.wallet, amount, worth)?;
        let insurance = &mut self.markets[market].insurance;
        insurance.receive(amount)?;
        insurance.staked += amount;
        Ok(())
    }

    /// Ends shares that are worthless; what is left of them is nobody's.
    fn renew_stakes(&mut self, market: usize) -> Verdict<()> {
        let rest = self.markets[market].insurance.staked;
        let stakes = self.stakes_mut(market)?;
        if stakes.shares() > 0 && (rest == 0 || stakes.is_spent(rest)) {
            stakes.end_epoch();
            self.markets[market].insurance.staked = 0;
        }
        Ok(())
    }

    /// Refuses while anybody lacks anything at this price.
    pub fn require_solvent(&self, market: usize, price: i128) -> Verdict<()> {
        let solvent = self.lacking(market, &[price]) == 0;
        require(solvent, BallastError::MarketInsolvent)
    }

    /// Asks for shares of the stakes to be paid.
    pub fn request_unstake(&mut self, market: usize, who: Who, shares: i128) -> Verdict<()> {
        let (slot, worth) = (self.slot, self.markets[market].insurance.staked);
        let stakes = self.stakes_mut(market)?;
        stakes.member(who.of)?;
        require(who.is_owner(), BallastError::NotOwner)?;
        stakes.ask(who.wallet, shares, worth, slot)
    }

    /// Takes that back.
    pub fn cancel_unstake(&mut self, market: usize, who: Who) -> Verdict<()> {
        let stakes = self.stakes_mut(market)?;
        stakes.member(who.of)?;
        require(who.is_owner(), BallastError::NotOwner)?;
        stakes.stay(who.wallet)
    }

    /// Pays what was asked for. What positions lack counts as paid: by what nobody staked first.
    pub fn unstake(&mut self, market: usize, who: Who, least: i128) -> Verdict<Paid> {
        self.stakes_mut(market)?.member(who.of)?;
        require(who.is_owner(), BallastError::NotOwner)?;
        let mark = self.touch(market, Use::RemoveMargin)?;
        let low = self.cautious(market, &mark, 1)?;
        let high = self.cautious(market, &mark, -1)?;
        let lacking = self.lacking(market, &[low, high]);
        let (slot, now) = (self.slot, &self.markets[market]);
        let beyond = (lacking - now.insurance.own()).max(0);
        let worth = (now.insurance.staked - beyond).max(0);
        let floor = i128::from(now.params.stake_floor_atoms);
        let most = (now.insurance.balance - floor).max(0);
        let limited = now.insurance.is_limited(&now.params, slot);
        let stakes = self.stakes_mut(market)?;
        stakes.due(who.wallet, slot, TERMS.0, TERMS.1)?;
        let paid = stakes.pay(who.wallet, worth, most)?;
        require(paid.shares > 0, BallastError::StakeFloor)?;
        let all_left = stakes.shares() == 0;
        let market = &mut self.markets[market];
        market.insurance.balance -= paid.atoms;
        market.insurance.staked -= paid.atoms;
        // That it has less does not make it wait.
        market.insurance.limited = limited;
        if all_left {
            market.insurance.staked = 0;
        }
        let level = market.vault >= paid.atoms;
        require(level, BallastError::InsuranceNotLevel)?;
        require(paid.atoms >= least, BallastError::ExitTooLittle)?;
        market.vault -= paid.atoms;
        self.wallets[who.wallet] += paid.atoms;
        Ok(paid)
    }
}
