//! Shows that the price sources of a change that waits agree, or that they do not.

use anchor_lang::prelude::*;
use ballast_engine::oracle::{Comparison, OraclePrice};
use ballast_state::{
    error::BallastError, events::OracleWitnessed, exchange::Exchange, market::Market,
    oracle_config::OracleConfig, seeds::EXCHANGE_ADDRESS, staged::Staged,
};

use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::{err, OrBallast},
    oracle::{now, read_price},
};

/// Accounts of `witness_oracle`.
#[event_cpi]
#[derive(Accounts)]
pub struct WitnessOracle<'info> {
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market.
    pub market: AccountLoader<'info, Market>,
    /// The staged change of its price source.
    #[account(mut)]
    pub staged: AccountLoader<'info, Staged>,
    /// CHECK: a price of the market's source, checked by `read_price`.
    pub price: UncheckedAccount<'info>,
    /// CHECK: a price of the source that is staged, checked by `read_price`.
    pub new_price: UncheckedAccount<'info>,
}

impl WitnessOracle<'_> {
    /// Counts the time since the last look where both prices agree; where they are apart, the change is
    /// void for good. Anyone may call it while the change waits.
    ///
    /// # Errors
    /// Those of `Staged::pending`; `StagedMismatch` for another change; those of `read_price` and
    /// `compare`; `OraclesUndecided`.
    pub fn handle(ctx: Context<Self>, id: [u8; 32]) -> Result<()> {
        let event = ctx.accounts.witness(&id)?;
        emit(&ctx.accounts.event_authority, &event)
    }

    #[inline(never)]
    fn witness(&self, id: &[u8; 32]) -> Result<OracleWitnessed> {
        let clock = Clock::get()?;
        let market = self.market.current()?;
        let after = {
            let exchange = self.exchange.current()?;
            let of = (self.market.as_ref().key, &*market);
            let staged = self.staged.current()?;
            staged.pending_oracle(id, &exchange, of, clock.slot)?
        };
        let seen = Sources {
            market: &market,
            after: &after,
            price: &self.price,
            new_price: &self.new_price,
        }
        .compare(&clock)?;
        let mut staged = self.staged.current_mut()?;
        staged.witnessed = match seen.said {
            Comparison::Agree => staged.witnessed.agreed(clock.slot).or_ballast()?,
            Comparison::Apart => staged.witnessed.parted(),
            Comparison::Undecided => return err!(BallastError::OraclesUndecided),
        };
        Ok(OracleWitnessed {
            market: self.market.key(),
            staged: self.staged.key(),
            id: *id,
            agree: staged.witnessed.holds(),
            ticks: seen.price.price.get(),
            new_ticks: seen.new_price.price.get(),
            covered_slots: staged.witnessed.covered_slots,
        })
    }
}

/// The two price sources of a change, and an account of each.
pub struct Sources<'a, 'info> {
    /// The market, with its own source.
    pub market: &'a Market,
    /// The other source.
    pub after: &'a OracleConfig,
    /// An account of the market's own.
    pub price: &'a AccountInfo<'info>,
    /// An account of the other.
    pub new_price: &'a AccountInfo<'info>,
}

/// What two accounts say.
pub struct Seen {
    /// The price of the market's own source.
    pub price: OraclePrice,
    /// The price of the other.
    pub new_price: OraclePrice,
    /// What both say of their sources.
    pub said: Comparison,
}

impl Sources<'_, '_> {
    /// Reads and compares both.
    ///
    /// # Errors
    /// Those of `read_price` and `compare`.
    #[inline(never)]
    pub fn compare(&self, clock: &Clock) -> Result<Seen> {
        let price = read_price(&self.market.oracle, self.price)?;
        let new_price = read_price(self.after, self.new_price)?;
        let now = now(clock);
        let said = self.market.compare_sources(&price, &new_price, now)?;
        Ok(Seen {
            price,
            new_price,
            said,
        })
    }
}
