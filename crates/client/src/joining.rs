//! What a deposit into a market's pool or stakes would buy, played on copies of the accounts as the program
//! plays it: the shares of its event, if nothing changes before it lands.

use ballast_engine::oracle::{Action, Now, OraclePrice};
use ballast_engine::shares::Holding;
use ballast_engine::units::LotPrice;
use ballast_engine::wind_down::{is_solvent, MarketAction};
use ballast_state::error::BallastError;
use ballast_state::market::Market;
use ballast_state::pool::Pool;
use ballast_state::share::Share;
use ballast_state::stakes::Stakes;
use ballast_state::trader::Trader;

use crate::accounts::QueueSnapshot;

/// A market that somebody joins a fund of, with its queues of longs and of shorts and its price.
#[derive(Clone, Copy, Debug)]
pub struct Joinable<'a> {
    /// The market.
    pub market: &'a Market,
    /// Its queues.
    pub queues: &'a [QueueSnapshot; 2],
    /// Its price.
    pub price: OraclePrice,
    /// Slot and time.
    pub now: Now,
}

/// What somebody has of a fund after joining it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Shares that the deposit buys.
    pub shares: u64,
    /// Everything that is owned then.
    pub holding: Holding,
    /// What the owned shares are worth to who leaves at once, atoms: less than was paid where joining and
    /// leaving are priced apart.
    pub value_atoms: u64,
    /// All shares of the fund then.
    pub shares_after: u64,
}

impl Joinable<'_> {
    /// `atoms` into the pool whose trader account is `trader`, for who has `share` of it.
    ///
    /// # Errors
    /// What `deposit_pool` would answer, but for what is not in these accounts: a pause, wrong tokens.
    pub fn pool(
        &self,
        pool: &Pool,
        trader: &Trader,
        share: Option<&Share>,
        atoms: u64,
    ) -> Result<Joined, BallastError> {
        let (mut market, mut pool, mut trader) = (*self.market, *pool, *trader);
        market.require(MarketAction::RaiseOpenInterest)?;
        self.require_enough(atoms)?;
        let touched = market.touch(self.price, Action::Open, self.now, 0)?;
        self.require_solvent(&market, touched.mark.price)?;
        let assets = pool.assets(&market, &trader)?;
        let high = pool.worth(&assets, &market, &touched, 0)?.high;
        let (holding, shares) = pool.join(atoms, high, &held(share, pool.epoch))?;
        trader.credit(atoms)?;
        let assets = pool.assets(&market, &trader)?;
        let low = pool.worth(&assets, &market, &touched, 0)?.low;
        Ok(Joined {
            shares,
            holding,
            value_atoms: pool.fund(low).value(holding.shares)?,
            shares_after: pool.shares,
        })
    }

    /// `atoms` into the stakes behind insurance, for who has `share` of them.
    ///
    /// # Errors
    /// What `stake` would answer, but for what is not in these accounts: a pause, wrong tokens.
    pub fn stakes(
        &self,
        stakes: &Stakes,
        share: Option<&Share>,
        atoms: u64,
    ) -> Result<Joined, BallastError> {
        let (mut market, mut stakes) = (*self.market, *stakes);
        self.require_enough(atoms)?;
        let touched = market.touch(self.price, Action::RemoveMargin, self.now, 0)?;
        let insurance = market.insurance_fund().at(&market.risk, self.now.slot)?;
        if insurance.limited {
            return Err(BallastError::InsuranceLimited);
        }
        self.require_solvent(&market, touched.mark.price)?;
        stakes.renew(&mut market)?;
        let held = held(share, stakes.epoch);
        let (holding, shares) = stakes.join(&mut market, atoms, &held)?;
        Ok(Joined {
            shares,
            holding,
            value_atoms: stakes.fund(market.staked_atoms).value(holding.shares)?,
            shares_after: stakes.shares,
        })
    }

    fn require_enough(&self, atoms: u64) -> Result<(), BallastError> {
        match atoms >= self.market.oracle.quote_unit_atoms() {
            true => Ok(()),
            false => Err(BallastError::DepositTooSmall),
        }
    }

    fn require_solvent(&self, market: &Market, price: LotPrice) -> Result<(), BallastError> {
        let [long, short] = self.queues;
        let layout = |_| BallastError::QueueLayout;
        let (long, short) = (
            long.queue().map_err(layout)?,
            short.queue().map_err(layout)?,
        );
        match is_solvent(&long, &short, price, market.funding.index)? {
            true => Ok(()),
            false => Err(BallastError::MarketInsolvent),
        }
    }
}

fn held(share: Option<&Share>, epoch: u32) -> Holding {
    share.map_or_else(Holding::default, |share| share.holding(epoch))
}
