//! Profit that a market holds while it is short.

use ballast_state::error::BallastError;

use super::holding::Holding;
use super::number::{floor, part};
use super::oracle::Use;
use super::refusal::{require, signed, Verdict};
use super::state::Model;

/// What a market holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Atoms.
    pub atoms: i128,
    /// Shares of them.
    pub shares: i128,
    /// Ledgers that have ended.
    pub epoch: u32,
}

/// A trader's part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// Shares.
    pub shares: i128,
    /// Number of their ledger.
    pub epoch: u32,
    /// Slot in which profit was held for it last.
    pub slot: u64,
}

/// Who it is, and how it stood before a call came to it.
#[derive(Clone, Copy, Debug)]
pub struct Stood {
    market: usize,
    trader: usize,
    money: i128,
    holding: Holding,
}

impl Held {
    /// What a part is worth.
    pub fn value(&self, claim: &Claim) -> i128 {
        if claim.epoch != self.epoch || claim.shares == 0 {
            return 0;
        }
        floor(&part(claim.shares, self.atoms, self.shares))
    }
}

impl Model {
    /// How a trader stands before a call changes it.
    pub fn stands(&self, market: usize, trader: usize) -> Stood {
        Stood {
            market,
            trader,
            money: self.money(market, trader),
            holding: self.held(market, trader),
        }
    }

    /// What leaves a position beyond what was put in is profit. `earned` has nothing to do with it.
    pub fn note(&mut self, stood: &Stood, earned: i128) {
        let (market, trader) = (stood.market, stood.trader);
        let now = self.held(market, trader);
        let turned = stood.holding.sign() * now.sign() < 0;
        let opened = if turned { now.margin.max(0) } else { 0 };
        let out = self.money(market, trader) - stood.money - earned + opened;
        let put_in = self.trader(trader).put_in[market];
        let profit = (out - put_in).max(0);
        let left = match (now.lots == 0, turned) {
            (true, _) => 0,
            (false, true) => opened,
            (false, false) => (put_in - out).max(0),
        };
        self.trader_mut(trader).put_in[market] = left;
        if profit > 0 {
            self.taken.push((market, trader, profit));
        }
    }

    /// Holds back what the market is short of, from everybody who took profit by choice.
    pub fn withhold(&mut self) -> Verdict<()> {
        let taken = std::mem::take(&mut self.taken);
        let Some((market, ..)) = taken.first().copied() else {
            return Ok(());
        };
        let short = self.short_of(market, &self.seen);
        for (market, trader, profit) in taken {
            let (ledger, claim) = (
                self.markets[market].held,
                self.trader(trader).claims[market],
            );
            let due = profit.min((short - ledger.value(&claim)).max(0));
            if due == 0 {
                continue;
            }
            let free = self.trader(trader).free;
            require(free >= due, BallastError::ProfitIsHeld)?;
            let shares = match ledger.shares {
                0 => due,
                all => floor(&part(due, all, ledger.atoms)),
            };
            let old = if claim.epoch == ledger.epoch {
                claim.shares
            } else {
                0
            };
            let slot = self.slot;
            let account = self.trader_mut(trader);
            account.free -= due;
            account.claims[market] = Claim {
                shares: old + shares,
                epoch: ledger.epoch,
                slot,
            };
            self.markets[market].held = Held {
                atoms: ledger.atoms + due,
                shares: ledger.shares + shares,
                ..ledger
            };
        }
        Ok(())
    }

    /// Gives back what the market is not short of any more.
    pub fn release_profit(&mut self, market: usize, traders: &[usize]) -> Verdict<()> {
        let mark = self.touch(market, Use::RemoveMargin)?;
        let short = self.short_of(market, &[mark.price]);
        let mut anything = false;
        for trader in traders {
            require(self.uses(market, *trader), BallastError::NoPosition)?;
            let (ledger, claim) = (
                self.markets[market].held,
                self.trader(*trader).claims[market],
            );
            // The price must have come after what is held, in a later slot.
            let first = self.markets[market].past.since;
            if claim.shares == 0 || first <= claim.slot {
                continue;
            }
            let (mut left, mut atoms) = (Claim::default(), 0);
            if claim.epoch == ledger.epoch {
                let value = ledger.value(&claim);
                let shares = match (value - short).max(0) {
                    _ if short == 0 => claim.shares,
                    0 => 0,
                    spare => floor(&part(claim.shares, spare, value)),
                };
                atoms = floor(&part(shares, ledger.atoms, ledger.shares));
                if shares < claim.shares {
                    left = Claim {
                        shares: claim.shares - shares,
                        ..claim
                    };
                }
                let held = &mut self.markets[market].held;
                (held.atoms, held.shares) = (ledger.atoms - atoms, ledger.shares - shares);
            }
            anything |= left != claim;
            let account = self.trader_mut(*trader);
            account.claims[market] = left;
            account.free = signed(account.free + atoms)?;
        }
        require(anything, BallastError::ProfitNotDue)
    }

    /// What may be paid of deficits: by insurance, and from held profit after it.
    pub fn deficit_cover(&self, market: usize) -> i128 {
        self.insurance_available(market) + self.markets[market].held.atoms
    }

    /// Pays of a deficit. A ledger of which less than a thousandth, 1/1,024, is left ends; the rest is
    /// insurance's.
    pub fn pay_deficit(&mut self, number: usize, amount: i128) -> Verdict<()> {
        let insured = amount.min(self.insurance_available(number));
        let slot = self.slot;
        let market = &mut self.markets[number];
        market.insurance.pay(&market.params, slot, insured);
        let left = market.held.atoms - (amount - insured);
        require(left >= 0, BallastError::InsuranceCap)?;
        if left * 1_024 >= market.held.shares {
            market.held.atoms = left;
            return Ok(());
        }
        market.insurance.receive(left)?;
        (market.held.atoms, market.held.shares) = (0, 0);
        market.held.epoch += 1;
        Ok(())
    }

    /// What everybody lacks at the worst of these prices, less what insurance may pay.
    pub fn short_of(&self, market: usize, prices: &[i128]) -> i128 {
        let lacking = self.lacking(market, prices);
        (lacking - self.insurance_available(market)).max(0)
    }

    /// What everybody lacks at the worst of these prices.
    pub fn lacking(&self, market: usize, prices: &[i128]) -> i128 {
        let low = prices.iter().min().copied().unwrap_or_default();
        let high = prices.iter().max().copied().unwrap_or_default();
        let lacks = |trader: usize| {
            let holding = self.settled(market, trader).unwrap_or_default();
            let price = if holding.lots > 0 { low } else { high };
            (-holding.equity(price)).max(0)
        };
        let open = (0..self.traders.len()).filter(|trader| self.owned(market, *trader).is_some());
        open.map(lacks).sum()
    }

    /// Free collateral and what the trader's orders in the market reserve.
    fn money(&self, market: usize, trader: usize) -> i128 {
        let orders = self.book(market).orders_of(trader);
        let reserved: i128 = orders.iter().map(|order| order.margin).sum();
        self.trader(trader).free + reserved
    }
}
