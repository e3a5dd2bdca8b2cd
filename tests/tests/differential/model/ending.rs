//! The end of a market whose oracle has died, and what becomes of its legs. Written from docs/WIND_DOWN.md and
//! docs/CROSS_MARGIN.md.

use ballast_state::error::BallastError;

use super::holding::MAX_PRICE;
use super::oracle::Mark;
use super::refusal::{require, signed, Verdict};
use super::state::{side, Model};
use super::volatility::Scale;
use crate::operation::Queues;

impl Model {
    /// The market ends at `time`: funding stops, the last price is the average within the confidence interval of the
    /// price that was recorded last, and nothing limits what insurance pays and a pass closes.
    pub fn end(&mut self, number: usize, time: i128) -> Verdict<()> {
        let now = std::mem::replace(&mut self.time, time);
        self.accrue(number)?;
        self.time = now;
        let market = &mut self.markets[number];
        let last = market.used;
        let least = last.ticks.saturating_sub(last.conf);
        let ticks = last.ema.clamp(least, last.ticks + last.conf).max(1);
        let ticks = i128::from(ticks).min(MAX_PRICE / market.atoms_per_tick);
        market.ended = Some(ticks * market.atoms_per_tick);
        market.params.insurance_draw_cap_bps = 10_000;
        market.params.adl.max_close_bps = 10_000;
        Ok(())
    }

    /// A leg becomes an isolated position with its share of the account, whoever asks.
    pub(super) fn part_leg(
        &mut self,
        market: usize,
        trader: usize,
        queues: &Queues,
    ) -> Verdict<()> {
        let price = self.markets[market].ended;
        let price = price.ok_or(BallastError::MarketTrades)?;
        self.needed_leg(market, trader)?;
        let mark = Mark {
            price,
            conf: 0,
            average: None,
            earlier: None,
            scale: Scale {
                multiplier: 1_000_000,
                open: 0,
            },
        };
        let account = self.forced(market, trader, mark)?;
        let position = account.given(market)?;
        let pool = account.pool - account.owed(market) - position.margin;
        let there = queues.contains(&(market, side(position.sign())));
        require(there, BallastError::CrossQueueMissing)?;
        let shared = &mut self.trader_mut(trader).shared;
        shared.atoms = signed(pool)?;
        shared.legs[market] = None;
        self.claim_again(market, trader);
        self.hold(market, trader, position)?;
        self.trader_mut(trader).put_in[market] = position.margin.max(0);
        self.renew(trader, queues, None, None)
    }
}
