//! A market's backstop pool: what the keeper knows of it, and what is to be done for it.

use anchor_lang::prelude::Pubkey;
use ballast_client::addresses;
use ballast_client::pooling::PoolPresent;
use ballast_engine::liquidation::Health;
use ballast_engine::oracle::Action;
use ballast_engine::pool::Synced;
use ballast_engine::units::Bps;
use ballast_engine::EngineError;
use ballast_state::exchange::{PAUSE_REMOVE_MARGIN, PAUSE_TRADE};
use ballast_state::pool::{Pool, POOL_SUB_ID};
use ballast_state::trader::Trader;

use crate::evaluate::{job, Conditions, Job, Task};
use crate::market::Present;
use crate::positions::PositionRecord;

/// The pool of a market, as far as it is known.
#[derive(Clone, Debug)]
pub struct Backstop {
    /// Where the market's pool is, or would be.
    pub address: Pubkey,
    /// Address of its trader account.
    pub trader: Pubkey,
    /// The pool; `None` where there is none.
    pub pool: Option<Box<Pool>>,
    /// Its trader account.
    pub account: Option<Box<Trader>>,
}

impl Backstop {
    /// That of a market of which nothing is known yet.
    #[must_use]
    pub fn of(market: &Pubkey) -> Self {
        let address = addresses::pool(market);
        Self {
            address,
            trader: addresses::trader(&address, POOL_SUB_ID),
            pool: None,
            account: None,
        }
    }

    /// Takes over what its account says: `None` where there is none.
    pub fn apply(&mut self, pool: Option<Pool>) {
        self.pool = pool.map(Box::new);
    }

    /// Takes over what a trader account says, if it is the pool's.
    pub fn apply_trader(&mut self, address: &Pubkey, trader: Option<&Trader>) {
        if *address == self.trader {
            self.account = trader.map(|trader| Box::new(*trader));
        }
    }
}

impl<'a> Present<'a> {
    /// The market with its pool as an instruction finds them; `None` where there is no pool, or the price
    /// is not fit for `action`.
    #[must_use]
    pub fn pool(&self, action: Action) -> Option<PoolPresent<'a>> {
        let backstop = &self.state.backstop;
        let (pool, trader) = (backstop.pool.as_deref()?, backstop.account.as_deref()?);
        let (market, now) = (&self.state.market, self.moment.now());
        PoolPresent::at(market, pool, trader, &self.price, action, now).ok()
    }

    /// The same for `sync_pool` of the pool's position.
    #[must_use]
    pub fn pool_to_sync(&self, record: &PositionRecord) -> Option<PoolPresent<'a>> {
        let flagged_slot = record.distress().confirmed_since(self.moment.slot);
        self.pool(Action::Flag { flagged_slot })
    }
}

/// What is to be done for the pool itself while it has a position that stands so.
///
/// # Errors
/// `Overflow`.
pub fn upkeep(
    present: &Present<'_>,
    conditions: &Conditions,
    jobs: &mut Vec<Job>,
) -> Result<(), EngineError> {
    let pool = present.state.backstop.trader;
    let Some(record) = present.state.positions.get(&pool) else {
        return Ok(());
    };
    let position = present.settled(record)?;
    let mut add = |task| -> Result<(), EngineError> {
        jobs.push(job(present, record, &position, task, false)?);
        Ok(())
    };
    let synced = present.pool_to_sync(record).map(|now| now.synced());
    if let Some(Ok(synced)) = synced {
        if syncs(present, conditions, &synced)? {
            add(Task::SyncPool)?;
        }
    }
    let unwinds = conditions.allow(PAUSE_TRADE)
        && present
            .pool(Action::Open)
            .is_some_and(|now| now.unwind().is_ok());
    if unwinds {
        add(Task::UnwindPool)?;
    }
    Ok(())
}

/// Whether moving margin is worth a transaction: for the part of the margin that the position is to have
/// which the keeper is told, or because the position is in distress without it.
fn syncs(
    present: &Present<'_>,
    conditions: &Conditions,
    synced: &Synced,
) -> Result<bool, EngineError> {
    let Some(pool) = &present.state.backstop.pool else {
        return Ok(false);
    };
    let (mark, params) = (present.mark.price, present.state.market.params());
    if synced.moved.is_negative() && !conditions.allow(PAUSE_REMOVE_MARGIN) {
        return Ok(false);
    }
    let mut before = synced.position;
    before.margin = before.margin.try_sub(synced.moved)?;
    let distressed = ballast_engine::liquidation::health(&before, mark, params)? != Health::Healthy;
    let wanted = Bps::new(pool.params.margin_bps).floor_of(before.notional(mark)?)?;
    let least = Bps::new(conditions.sync_pool_bps).floor_of(wanted)?;
    Ok(distressed || synced.moved.get().unsigned_abs() >= least)
}
