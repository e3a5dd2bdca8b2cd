//! Accounts in plain arithmetic, after docs/CROSS_MARGIN.md: no number of the engine.

use anchor_lang::prelude::Pubkey;
use ballast_engine::risk::RiskParams;
use ballast_state::position_slot::PositionSlot;
use ballast_state::trader::Trader;

/// Markets of a history.
pub const MARKETS: usize = 2;

/// Prices and funding indices of all markets. A lot at a tick is an atom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    /// Ticks.
    pub ticks: [u64; MARKETS],
    /// Atoms a lot.
    pub index: [i64; MARKETS],
}

/// A leg, valued.
#[derive(Clone, Copy, Debug)]
pub struct Leg {
    /// Number of its market.
    pub market: usize,
    /// Maintenance margin, atoms.
    pub requirement: i128,
}

/// A cross account, valued.
#[derive(Clone, Debug)]
pub struct Account {
    /// Pool and results, atoms.
    pub equity: i128,
    /// Maintenance margin of all legs, atoms.
    pub requirement: i128,
    /// The legs.
    pub legs: Vec<Leg>,
}

impl Account {
    /// Whether it may not be liquidated.
    pub const fn is_healthy(&self) -> bool {
        self.equity >= self.requirement
    }

    /// The part of equity or deficit that the leg in a market bears, rounded towards nothing.
    pub fn share(&self, market: usize) -> i128 {
        let own = self.legs.iter().find(|leg| leg.market == market);
        match own {
            Some(leg) if self.legs.len() > 1 => {
                self.equity.signum() * (self.equity.abs() * leg.requirement / self.requirement)
            }
            Some(_) => self.equity,
            None => 0,
        }
    }

    /// Whether a cut has left it with maintenance margin, or no less healthy than `before` but for two atoms.
    pub fn bore_it(&self, before: &Self) -> bool {
        self.is_healthy()
            || (self.equity + 2) * before.requirement >= before.equity * self.requirement
    }
}

/// The markets' keys and margins.
#[derive(Clone)]
pub struct Rules {
    /// Keys of the markets.
    pub keys: [Pubkey; MARKETS],
    /// Their parameters.
    pub risk: [RiskParams; MARKETS],
}

impl Rules {
    /// Number of a market.
    pub fn number(&self, key: &Pubkey) -> usize {
        let found = self.keys.iter().position(|market| market == key);
        found.expect("one of the markets")
    }

    /// The legs of an account and its pool.
    pub fn cross(&self, trader: &Trader, marks: &Marks) -> Account {
        let mut account = Account {
            equity: i128::from(trader.cross_pool),
            requirement: 0,
            legs: Vec::new(),
        };
        for slot in trader.positions.iter().filter(|slot| slot.is_leg()) {
            let market = self.number(&slot.market);
            let requirement = self.maintenance(market, slot.lots, marks);
            account.equity += result(slot, market, marks);
            account.requirement += requirement;
            account.legs.push(Leg {
                market,
                requirement,
            });
        }
        account
    }

    /// Equity and maintenance margin of an isolated position, atoms.
    pub fn isolated(&self, trader: &Trader, market: usize, marks: &Marks) -> Option<(i128, i128)> {
        let slot = self.slot(trader, market)?;
        let equity = i128::from(slot.margin) + result(slot, market, marks);
        Some((equity, self.maintenance(market, slot.lots, marks)))
    }

    /// The slot of the isolated position and the orders in a market.
    pub fn slot<'a>(&self, trader: &'a Trader, market: usize) -> Option<&'a PositionSlot> {
        let mut slots = trader.positions.iter();
        slots.find(|slot| slot.market == self.keys[market] && !slot.is_leg())
    }

    /// What the account's isolated positions and its legs together lack, atoms.
    pub fn lacking(&self, trader: &Trader, marks: &Marks) -> i128 {
        let isolated = (0..MARKETS).map(|market| self.lacking_in(trader, market, marks));
        isolated.sum::<i128>() + (-self.cross(trader, marks).equity).max(0)
    }

    /// What its isolated position in a market lacks, atoms.
    pub fn lacking_in(&self, trader: &Trader, market: usize, marks: &Marks) -> i128 {
        let position = self.isolated(trader, market, marks);
        position.map_or(0, |(equity, _)| (-equity).max(0))
    }

    /// Whether anything of the account is below maintenance.
    pub fn is_distressed(&self, trader: &Trader, marks: &Marks) -> bool {
        let below = |market| {
            let position = self.isolated(trader, market, marks);
            position.is_some_and(|(equity, requirement)| equity < requirement)
        };
        (0..MARKETS).any(below) || !self.cross(trader, marks).is_healthy()
    }

    /// Brackets of notional, each at its rate; rounded up.
    fn maintenance(&self, market: usize, lots: i64, marks: &Marks) -> i128 {
        let risk = &self.risk[market];
        let notional = i128::from(lots).abs() * i128::from(marks.ticks[market]);
        let (mut from, mut sum) = (0, 0);
        for (number, tier) in (1..=risk.tier_count).zip(&risk.tiers) {
            let to = match number == risk.tier_count {
                true => notional,
                false => notional.min(tier.notional_limit_atoms.into()),
            };
            sum += (to - from).max(0) * i128::from(tier.maintenance_margin_bps);
            from = from.max(to);
        }
        (sum + 9_999) / 10_000
    }
}

/// What a position has won or lost, funding included, atoms.
pub fn result(slot: &PositionSlot, market: usize, marks: &Marks) -> i128 {
    let lots = i128::from(slot.lots);
    let owed = lots * i128::from(marks.index[market] - slot.funding_index);
    lots * i128::from(marks.ticks[market]) - i128::from(slot.entry_quote) - owed
}
