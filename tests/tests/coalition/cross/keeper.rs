//! The honest keeper of two markets: it liquidates and deleverages whom it can at the newest prices.

use std::collections::BTreeMap;

use anchor_lang::prelude::Pubkey;
use ballast_client::cross::{
    cross_round, touched, CrossRoundInput, CrossRoundPlan, CrossRoundRequest, Site,
};
use ballast_client::instructions::anyone::Takeover;
use ballast_engine::oracle::{Now, OraclePrice};
use ballast_engine::units::{Side, Ticks};

use super::venue::Venue;
use crate::venue::USD;

/// Times that a round may ask for records before the keeper gives up at this price.
const RENEWALS: u32 = 4;

impl Venue {
    /// The keeper liquidates whom it can: a step of each position and leg, into the book, else into its own account,
    /// and deleverages whom nobody can take over. Whether nobody was in need of it.
    pub fn keep(&mut self) -> bool {
        self.post_newest();
        let everybody = self.coalition.iter().chain(&self.bystanders);
        let mut in_need: Vec<_> = everybody.map(|one| one.address).collect();
        in_need.retain(|account| self.is_distressed(account));
        if in_need.is_empty() {
            return true;
        }
        self.quote();
        self.record(&[0]);
        self.record(&[1]);
        for account in &in_need {
            // The largest leg comes first, which a step changes.
            for market in [0, 1, 0] {
                if self.is_distressed(account) {
                    self.force(market, account);
                }
            }
        }
        false
    }

    fn force(&mut self, market: usize, account: &Pubkey) {
        let leg = self.leg(market, account).is_some();
        if !leg && self.isolated(market, account).is_none() {
            return;
        }
        let offers = [Takeover::none(), Takeover::with_margin(100_000 * USD)];
        let done = offers
            .into_iter()
            .any(|offer| self.keeper_liquidates(market, account, leg, offer));
        if !done {
            self.keeper_deleverages(market, account);
        }
    }

    fn keeper_liquidates(
        &mut self,
        market: usize,
        account: &Pubkey,
        leg: bool,
        offer: Takeover,
    ) -> bool {
        let (cookie, keeper, makers) = (
            self.markets[market].clone(),
            self.keeper.clone(),
            self.makers(),
        );
        let (queues, listed) = (self.queues(), self.listed());
        let sandbox = &mut self.sandbox;
        let result = match leg {
            true => sandbox.liquidate_leg(&cookie, account, &keeper, offer, &queues, &makers),
            false => sandbox.liquidate_into_book(&cookie, account, &keeper, offer, &listed),
        };
        self.observe("the keeper liquidates", result)
    }

    /// A round for a bankrupt, after the records that it asks for.
    pub fn keeper_deleverages(&mut self, market: usize, bankrupt: &Pubkey) -> bool {
        let (cookie, keeper, queues) = (
            self.markets[market].clone(),
            self.keeper.clone(),
            self.queues(),
        );
        for _ in 0..RENEWALS {
            let Some(plan) = self.round(market, bankrupt) else {
                return false;
            };
            if plan.refresh.is_empty() {
                let list = &plan.counterparties;
                let sandbox = &mut self.sandbox;
                let round =
                    sandbox.auto_deleverage_cross(&cookie, bankrupt, &keeper, &queues, list);
                return self.observe("the keeper deleverages", round);
            }
            let sandbox = &mut self.sandbox;
            let renewed = match plan.witness {
                true => sandbox.witness_ranks(&cookie, bankrupt, &queues, &plan.refresh),
                false => sandbox.refresh_ranks(&cookie, &queues, &plan.refresh),
            };
            if !self.observe("the keeper renews records", renewed) {
                return false;
            }
        }
        false
    }

    /// A round for a bankrupt as the program would play it, at the newest prices.
    pub fn round(&self, number: usize, bankrupt: &Pubkey) -> Option<CrossRoundPlan> {
        let (sandbox, market) = (&self.sandbox, self.ledger.market(number));
        let trader = self.ledger.trader(bankrupt);
        let key = self.ledger.rules.keys[number];
        let lots = match trader.leg(&key) {
            Ok(leg) => leg.lots,
            Err(_) => self.isolated(number, bankrupt)?,
        };
        let side = if lots > 0 { Side::Short } else { Side::Long };
        let board = sandbox.board();
        let ticks = Ticks::new(self.newest(number).ticks);
        let price = OraclePrice {
            price: ticks,
            confidence: Ticks::new(0),
            ema: ticks,
            publish_time: sandbox.time(),
            below_tick: false,
        };
        let now = Now {
            slot: sandbox.slot(),
            unix_timestamp: sandbox.time(),
        };
        let touched = touched(market, &price, now).ok()?;
        let site = Site::new(key, market, touched, &board, now.slot);
        let isolated = sandbox.queue(&self.markets[number], side);
        let queues = self.queues_of(number);
        let (cross, longs) = (
            sandbox.cross_queue(&queues.of(side)),
            sandbox.cross_queue(&queues.long),
        );
        let addresses = sandbox.trader_addresses().iter();
        let traders: BTreeMap<_, _> = addresses.map(|it| (*it, sandbox.trader(it))).collect();
        let input = CrossRoundInput {
            site: &site,
            isolated: isolated.queue().ok()?,
            cross: cross.queue().ok()?,
            draws: longs.queue().ok()?.header().draws,
            taker: None,
            traders: &traders,
        };
        let request = CrossRoundRequest {
            bankrupt: *bankrupt,
            max_cuts: 8,
            max_listed: 12,
            spares: 0,
        };
        cross_round(&input, &request).ok()
    }
}
