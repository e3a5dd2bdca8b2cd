//! Applies a staged change of a market.

use anchor_lang::prelude::*;
use ballast_engine::{risk::RiskParams, wind_down::MarketAction};
use ballast_state::{
    error::BallastError,
    events::{DelistingScheduled, MarketRiskUpdated, ReduceOnlySet},
    exchange::Exchange,
    market::Market,
    seeds::EXCHANGE_ADDRESS,
    staged::{Change, Staged},
};

use crate::loaders::current::Current;
use crate::{emit::emit, error::err, loaders::book_account::MarketBook};

/// Accounts of `apply_market_change`.
#[event_cpi]
#[derive(Accounts)]
pub struct ApplyMarketChange<'info> {
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: the market's order book, checked by `MarketBook::load`.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
    /// The staged change.
    #[account(mut, close = staged_payer)]
    pub staged: AccountLoader<'info, Staged>,
    /// CHECK: gets the rent back; the key stored in the staged change.
    #[account(mut, address = staged.current()?.payer @ BallastError::StagedMismatch)]
    pub staged_payer: UncheckedAccount<'info>,
}

impl ApplyMarketChange<'_> {
    /// Puts the staged change of this `id` in force. Anyone may call it once it is due.
    ///
    /// A market that is delisted is reduce-only from now on and ends an hour later. One that is
    /// opened again is reduce-only no more.
    ///
    /// With new risk parameters funding up to now accrues under the old ones at the last price; then the new ones
    /// are in force, and the book is averaged to their impact notional.
    ///
    /// # Errors
    /// Those of `Staged::due`; `StagedMismatch` for a change that another instruction applies; the
    /// `Book...` errors, `WrongBook`, `MarketEnded`, `MarketEnding`, `EndNotDue`; `CrossTolerance` for risk parameters
    /// of a market with cross margin.
    pub fn handle(ctx: Context<Self>, id: [u8; 32]) -> Result<()> {
        let accounts = &ctx.accounts;
        match accounts.due(&id)? {
            Change::Risk(after) => {
                let market = accounts.market.key();
                let before = accounts.replace_risk(&after)?;
                emit(
                    &accounts.event_authority,
                    &MarketRiskUpdated {
                        market,
                        before,
                        after,
                    },
                )
            }
            Change::Delist => {
                let event = accounts.delist()?;
                emit(&accounts.event_authority, &event)
            }
            Change::Reopen => {
                let event = accounts.reopen()?;
                emit(&accounts.event_authority, &event)
            }
            Change::Oracle(_)
            | Change::Pool(_)
            | Change::CreateMarket(_)
            | Change::Authority { .. }
            | Change::Treasury(_)
            | Change::Delays(_)
            | Change::Pause { .. } => err!(BallastError::StagedMismatch),
        }
    }

    #[inline(never)]
    fn due(&self, id: &[u8; 32]) -> Result<Change> {
        let slot = Clock::get()?.slot;
        let (exchange, market) = (self.exchange.current()?, self.market.current()?);
        let of = Some((self.market.as_ref().key, &*market));
        Ok(self.staged.current()?.due(id, &exchange, of, slot)?)
    }

    fn delist(&self) -> Result<DelistingScheduled> {
        let mut market = self.market.current_mut()?;
        market.delist(Clock::get()?.unix_timestamp)?;
        market.invariant()?;
        Ok(DelistingScheduled {
            market: self.market.key(),
            ends_at: market.wind_down.ends_at,
        })
    }

    fn reopen(&self) -> Result<ReduceOnlySet> {
        let mut market = self.market.current_mut()?;
        market.reopen()?;
        market.invariant()?;
        Ok(ReduceOnlySet {
            market: self.market.key(),
            by: self.staged.current()?.proposer,
            before: true,
            after: false,
        })
    }

    #[inline(never)]
    fn replace_risk(&self, risk: &RiskParams) -> Result<RiskParams> {
        let mut market = self.market.current_mut()?;
        market.require(MarketAction::ChangeParameters)?;
        let clock = Clock::get()?;
        market.accrue_at_last_price(clock.unix_timestamp)?;
        let before = market.replace_risk(risk, clock.slot)?;
        MarketBook::load(&market, &self.book)?.record_impact(&mut market)?;
        market.invariant()?;
        Ok(before)
    }
}
