//! Profit that an instruction realised: held as far as the market is short. Who is deleveraged gives up
//! its part of the deficit by the price, and nothing is held of it on top.

use anchor_lang::prelude::*;
use ballast_engine::{
    held::{HeldClaim, HeldProfit, PriceRange},
    settlement::Settlement,
};
use ballast_state::{
    error::BallastError,
    events::{HeldPart, LegMade, LegsMade, ProfitHeld},
    market::Market,
    trader::Trader,
};

use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::{error, require, OrBallast},
    loaders::queue_account::MarketQueues,
};

/// What traders took out of their positions beyond what they had put in, and what is to be announced of legs whose
/// orders were filled.
#[must_use]
#[derive(Default)]
pub struct Profits {
    /// The mark and the prices of the trades; `None` where nothing was taken out.
    pub prices: Option<PriceRange>,
    /// Trader accounts and atoms, in the order in which the instruction was done with them.
    pub taken: Vec<(Pubkey, u64)>,
    /// Fills of orders of legs.
    pub legs: Vec<LegMade>,
}

/// The accounts of an instruction that holding profit needs, none of them borrowed.
pub struct Venue<'a, 'info> {
    /// The market.
    pub market: &'a AccountLoader<'info, Market>,
    /// Its queues of longs and of shorts; none where a post-only order goes without.
    pub queues: Option<(&'a AccountInfo<'info>, &'a AccountInfo<'info>)>,
    /// The traders that the instruction names.
    pub named: &'a [&'a AccountLoader<'info, Trader>],
    /// Those that its caller lists.
    pub listed: &'info [AccountInfo<'info>],
    /// Announces events.
    pub event_authority: &'a AccountInfo<'info>,
}

/// What [`Profits::hold`] needs of the accounts of an instruction.
macro_rules! venues {
    ($($accounts:path),* $(,)?) => {
        $(impl<'info> $accounts {
            /// The accounts that holding profit needs.
            pub(crate) fn venue<'a>(
                &'a self,
                named: &'a [&'a AccountLoader<'info, Trader>],
                listed: &'info [AccountInfo<'info>],
            ) -> Venue<'a, 'info> {
                Venue {
                    market: &self.market,
                    queues: Some((&*self.queue_long, &*self.queue_short)),
                    named,
                    listed,
                    event_authority: &self.event_authority,
                }
            }
        })*
    };
}

venues!(
    crate::BlockTrade<'info>,
    crate::RemoveMargin<'info>,
    crate::Liquidate<'info>,
    crate::LiquidateLeg<'info>,
    crate::ConvertMargin<'info>,
    crate::TradeLeg<'info>,
    crate::BlockTradeCross<'info>,
    crate::LiquidateIntoPool<'info>,
    crate::ExecuteTrigger<'info>,
    crate::ExecuteProtection<'info>,
    crate::UnwindPool<'info>,
    crate::SyncPool<'info>,
);

impl Profits {
    /// The last step of an instruction that closes lots or takes margin out: legs whose orders were filled are
    /// announced, and where the market is short, the profit is moved from free collateral to what the market holds.
    ///
    /// # Errors
    /// `ProfitIsHeld` for a trader who used it for an order or another position at once.
    pub fn hold(&self, venue: &Venue) -> Result<()> {
        if !self.legs.is_empty() {
            let event = LegsMade {
                market: venue.market.key(),
                legs: self.legs.clone(),
            };
            emit(venue.event_authority, &event)?;
        }
        if self.taken.is_empty() {
            return Ok(());
        }
        self.hold_taken(venue)
    }

    #[inline(never)]
    fn hold_taken(&self, venue: &Venue) -> Result<()> {
        let Some(prices) = self.prices else {
            return Ok(());
        };
        let slot = Clock::get()?.slot;
        let short_of = short_of(venue, prices, slot)?;
        if short_of == 0 {
            return Ok(());
        }
        let mut event = ProfitHeld {
            market: venue.market.key(),
            shortfall_atoms: short_of,
            parts: Vec::new(),
            held_after_atoms: 0,
        };
        for (trader, profit) in &self.taken {
            let atoms = venue.with(trader, |market, trader| {
                hold(market, trader, &event.market, *profit, short_of, slot)
            })?;
            if atoms > 0 {
                event.parts.push(HeldPart {
                    trader: *trader,
                    profit_atoms: *profit,
                    held_atoms: atoms,
                });
            }
        }
        event.held_after_atoms = venue.market.current()?.held.atoms;
        if event.parts.is_empty() {
            return Ok(());
        }
        emit(venue.event_authority, &event)
    }
}

impl<'info> Venue<'_, 'info> {
    /// Runs `body` on the market and the account of a trader.
    fn with<R>(
        &self,
        trader: &Pubkey,
        body: impl FnOnce(&mut Market, &mut Trader) -> Result<R>,
    ) -> Result<R> {
        let mut market = self.market.current_mut()?;
        if let Some(named) = self.named.iter().find(|one| one.key() == *trader) {
            return body(&mut market, &mut *named.current_mut()?);
        }
        let listed = self.listed.iter().find(|one| one.key == trader);
        let listed = listed.ok_or_else(|| error!(BallastError::NoPosition))?;
        let loader = AccountLoader::<'info, Trader>::try_from(listed)?;
        let mut trader = loader.current_mut()?;
        body(&mut market, &mut trader)
    }
}

/// What the market is short of at these prices, atoms.
#[inline(never)]
fn short_of(venue: &Venue, prices: PriceRange, slot: u64) -> Result<u64> {
    let market = venue.market.current()?;
    let queues = match venue.queues {
        Some((long, short)) => MarketQueues::load(&market, long, short)?,
        None => MarketQueues::NONE,
    };
    market_shortfall(&market, &queues, prices, slot)
}

/// What `market` is short of at these prices in `slot`, atoms.
///
/// # Errors
/// `QueueLayout`, `TreeCorrupt`, `Overflow`.
pub fn market_shortfall(
    market: &Market,
    queues: &MarketQueues,
    prices: PriceRange,
    slot: u64,
) -> Result<u64> {
    let available = market.insurance_available(slot);
    lacking_beyond(market, queues, prices, available.or_ballast()?)
}

/// Fails where an account with a leg took `profit` atoms out of it at these prices in a market that is short: a
/// pool has no place for profit that is held.
///
/// # Errors
/// `ProfitIsHeld`.
#[inline(never)]
pub fn require_not_held(
    market: &Market,
    queues: &MarketQueues,
    profits: &Profits,
    profit: u64,
    slot: u64,
) -> Result<()> {
    let Some(prices) = profits.prices.filter(|_| profit > 0) else {
        return Ok(());
    };
    let short_of = market_shortfall(market, queues, prices, slot)?;
    require!(short_of == 0, BallastError::ProfitIsHeld);
    Ok(())
}

/// What the positions of `market` lack at these prices beyond `atoms`, atoms.
///
/// # Errors
/// `QueueLayout`, `TreeCorrupt`, `Overflow`.
pub fn lacking_beyond(
    market: &Market,
    queues: &MarketQueues,
    prices: PriceRange,
    atoms: u64,
) -> Result<u64> {
    queues.read_both(|long, short| {
        let lacking = market.lacking_beyond(long, short, prices, atoms);
        lacking.or_ballast()
    })
}

/// Holds what is due of a trader's profit. How much, atoms.
#[inline(never)]
fn hold(
    market: &mut Market,
    trader: &mut Trader,
    key: &Pubkey,
    profit: u64,
    short_of: u64,
    slot: u64,
) -> Result<u64> {
    // A leg has no place for profit that is held.
    let isolated = trader.find_leg(key).is_none();
    require!(isolated, BallastError::ProfitIsHeld);
    let claim = trader.slot_or_claim(key)?.held_claim();
    let atoms = market.held.due(&claim, profit, short_of).or_ballast()?;
    if atoms > 0 {
        let after = market.held.hold(&claim, atoms, slot).or_ballast()?;
        store(market, trader, key, after, |trader| {
            trader
                .debit(atoms)
                .map_err(|_| error!(BallastError::ProfitIsHeld))
        })?;
    }
    trader.finish(key)?;
    Ok(atoms)
}

/// Stores what the engine made of the ledger and of a trader's part of it, and lets `pay` move the
/// difference to or from its free collateral.
///
/// # Errors
/// `NoPosition`, `Unbalanced`; those of `pay`.
pub fn store(
    market: &mut Market,
    trader: &mut Trader,
    key: &Pubkey,
    (held, claim): (HeldProfit, HeldClaim),
    pay: impl FnOnce(&mut Trader) -> Result<()>,
) -> Result<()> {
    let mut settlement = Settlement::default();
    settlement.trader_before(trader.free(), 0);
    settlement.held_before(market.held.atoms);
    market.held = held;
    trader.slot_mut(key)?.store_held_claim(&claim);
    pay(trader)?;
    settlement.trader_after(trader.free(), 0);
    settlement.held_after(market.held.atoms);
    settlement.close().or_ballast()
}
