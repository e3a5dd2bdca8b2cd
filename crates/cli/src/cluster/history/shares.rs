//! What happened to somebody's shares of a fund: of a pool, or of the stakes behind insurance.

use anchor_lang::prelude::Pubkey;
use ballast_client::addresses;
use ballast_rpc::history::{Mention, Past};
use ballast_state::events::BallastEvent;
use clap::ValueEnum;

use super::entry::{Entry, Kind, Naming, Source};
use super::of_each;
use crate::cluster::words::Names;

/// A fund of a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FundChoice {
    /// The pool.
    Pool,
    /// The stakes behind insurance.
    Stakes,
}

/// Somebody's shares of a fund of a market.
#[derive(Clone, Copy, Debug)]
pub struct Shares {
    /// The market.
    pub market: Pubkey,
    /// The pool, or the stakes.
    pub fund: Pubkey,
    /// Who owns the shares.
    pub owner: Pubkey,
}

impl Shares {
    /// Shares of that fund of a market.
    pub fn new(fund: FundChoice, market: Pubkey, owner: Pubkey) -> Self {
        let fund = match fund {
            FundChoice::Pool => addresses::pool(&market),
            FundChoice::Stakes => addresses::stakes(&market),
        };
        Self {
            market,
            fund,
            owner,
        }
    }

    /// The account that has them.
    pub fn account(&self) -> Pubkey {
        addresses::share(&self.fund, &self.owner)
    }

    /// What transactions mean to the shares; the oldest has to be the first.
    pub fn entries(&self, past: &[(Mention, Past)], naming: &Naming) -> Vec<Entry> {
        of_each(past, |past, source| {
            let events = past.events.iter();
            let lines = events.filter_map(|event| self.line(event, source, naming));
            lines.collect()
        })
    }

    fn line(&self, event: &BallastEvent, source: Source<'_>, naming: &Naming) -> Option<Entry> {
        let of_stakes = |market: &Pubkey| addresses::stakes(market);
        let (fund, owner, amount) = match event {
            BallastEvent::ShareCreated(it) => (it.fund, it.owner, None),
            BallastEvent::ShareClosed(it) => (it.fund, it.owner, None),
            BallastEvent::PoolDeposited(it) => (it.pool, it.owner, paid(it.amount)),
            BallastEvent::PoolRequested(it) => (it.pool, it.owner, None),
            BallastEvent::PoolRequestCancelled(it) => (it.pool, it.owner, None),
            BallastEvent::PoolWithdrawn(it) => (it.pool, it.owner, got(it.amount)),
            BallastEvent::Staked(it) => (of_stakes(&it.market), it.owner, paid(it.amount)),
            BallastEvent::UnstakeRequested(it) => (of_stakes(&it.market), it.owner, None),
            BallastEvent::UnstakeCancelled(it) => (of_stakes(&it.market), it.owner, None),
            BallastEvent::Unstaked(it) => (of_stakes(&it.market), it.owner, got(it.amount)),
            BallastEvent::StakesRenewed(it) => (of_stakes(&it.market), self.owner, None),
            BallastEvent::PoolReset(it) => (it.pool, self.owner, None),
            _ => return None,
        };
        if (fund, owner) != (self.fund, self.owner) {
            return None;
        }
        let market = naming.market(&self.market)?;
        let names = Names {
            collateral: naming.collateral,
            market: Some((market.name.as_str(), market.units)),
        };
        let mut entry = source.in_market(Kind::Shares, market, names.sentence(event));
        entry.amount_atoms = amount;
        Some(entry)
    }
}

/// What came to the owner, atoms.
fn got(amount: u64) -> Option<i64> {
    i64::try_from(amount).ok()
}

/// What the owner paid, atoms: negative.
fn paid(amount: u64) -> Option<i64> {
    got(amount)?.checked_neg()
}
