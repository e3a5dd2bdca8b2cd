//! What happened, read from the chain: every event of the market, in order, and whether each fits
//! to the one before.

use std::collections::BTreeMap;

use anchor_lang::prelude::Pubkey;
use anyhow::{ensure, Context, Result};
use ballast_client::addresses;
use ballast_state::events::BallastEvent;
use ballast_state::pool::POOL_SUB_ID;
use solana_rpc_client::rpc_client::GetConfirmedSignaturesForAddress2Config;
use solana_rpc_client_api::response::RpcConfirmedTransactionStatusWithSignature;
use solana_signature::Signature;

use crate::stage::Stage;

/// A transaction of the market that succeeded.
pub struct Done {
    /// Signature of the transaction.
    pub signature: Signature,
    /// Slot in which it landed.
    pub slot: u64,
    /// Events of the program, in order.
    pub events: Vec<BallastEvent>,
}

/// Everything that happened to the market.
pub struct History {
    /// Transactions that succeeded, oldest first.
    pub done: Vec<Done>,
    /// Transactions that landed and failed.
    pub failed: usize,
}

/// What the history adds up to.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Totals {
    /// Transactions that succeeded.
    pub transactions: usize,
    /// Transactions that landed and failed.
    pub failed: usize,
    /// Steps of liquidation.
    pub liquidations: u64,
    /// Takes, syncs and unwinds of the pool.
    pub pool: [u64; 3],
    /// Rounds of deleveraging.
    pub adl_rounds: u64,
    /// Counterparties cut, each time counted.
    pub cuts: usize,
    /// Insurance paid to deficits, atoms.
    pub insurance_paid_atoms: u64,
    /// What counterparties gave up, atoms.
    pub gave_up_atoms: u64,
}

impl History {
    /// Reads the transactions that name the market.
    ///
    /// # Errors
    /// When the node does not have one.
    pub async fn read(stage: &Stage) -> Result<Self> {
        let listed = signatures(stage).await?;
        let mut history = Self {
            done: Vec::new(),
            failed: 0,
        };
        for one in listed {
            if one.err.is_some() {
                history.failed += 1;
                continue;
            }
            let signature: Signature = one.signature.parse()?;
            let found = stage.cluster.transaction(&signature).await?;
            let found = found.with_context(|| format!("{signature} is not to be found"))?;
            history.done.push(Done {
                signature,
                slot: found.slot,
                events: found.events,
            });
        }
        Ok(history)
    }

    /// One line for every transaction: slot, signature, events.
    pub fn lines(&self) -> String {
        let lines = self.done.iter().map(|done| {
            let names: Vec<&str> = done.events.iter().map(BallastEvent::name).collect();
            format!("{} {} {}\n", done.slot, done.signature, names.join(" "))
        });
        lines.collect()
    }

    /// The events with their transactions, in order.
    pub fn events(&self) -> impl Iterator<Item = (&Done, &BallastEvent)> {
        self.done
            .iter()
            .flat_map(|done| done.events.iter().map(move |event| (done, event)))
    }

    /// The first transaction from a slot on with an event that `wanted` accepts.
    pub fn first_since(&self, slot: u64, wanted: impl Fn(&BallastEvent) -> bool) -> Option<&Done> {
        let mut events = self.events();
        events
            .find(|(done, event)| done.slot >= slot && wanted(event))
            .map(|(done, _)| done)
    }

    /// Replays every position from its first trade: each event must begin where the one before
    /// ended, so that nothing is missing and nothing was done twice. Gives each trader's lots at
    /// the end, and what it all adds up to.
    ///
    /// # Errors
    /// With the first event that does not fit.
    pub fn replay(&self) -> Result<(BTreeMap<Pubkey, i64>, Totals)> {
        let mut replay = Replay::default();
        for (done, event) in self.events() {
            let context = || {
                format!(
                    "{} of {} in slot {}",
                    event.name(),
                    done.signature,
                    done.slot
                )
            };
            replay.take(event).with_context(context)?;
        }
        replay.totals.transactions = self.done.len();
        replay.totals.failed = self.failed;
        Ok((replay.lots, replay.totals))
    }
}

/// Every transaction that names the market, oldest first.
async fn signatures(stage: &Stage) -> Result<Vec<RpcConfirmedTransactionStatusWithSignature>> {
    let mut listed: Vec<RpcConfirmedTransactionStatusWithSignature> = Vec::new();
    loop {
        let before = listed.last().map(|one| one.signature.parse()).transpose()?;
        let config = GetConfirmedSignaturesForAddress2Config {
            before,
            commitment: Some(stage.cluster.commitment),
            ..GetConfirmedSignaturesForAddress2Config::default()
        };
        let rpc = &stage.cluster.rpc;
        let more = rpc.get_signatures_for_address_with_config(&stage.keys.market, config);
        let more = more.await?;
        if more.is_empty() {
            listed.reverse();
            return Ok(listed);
        }
        listed.extend(more);
    }
}

/// Positions as the events make them.
#[derive(Default)]
struct Replay {
    lots: BTreeMap<Pubkey, i64>,
    /// Bankruptcies by number: lots still to be deleveraged.
    bankruptcies: BTreeMap<u64, i64>,
    /// To whom the lots of the last step of liquidation were put down.
    liquidator: Pubkey,
    totals: Totals,
}

impl Replay {
    fn take(&mut self, event: &BallastEvent) -> Result<()> {
        match event {
            BallastEvent::BlockTraded(trade) => {
                for party in [&trade.taker, &trade.maker] {
                    self.change(&party.trader, party.lots_before, party.lots_after)?;
                }
            }
            BallastEvent::OrderPlaced(order) => {
                self.fills(&order.fills);
                if let Some(taker) = &order.taker {
                    self.change(&taker.trader, taker.lots_before, taker.lots_after)?;
                }
            }
            BallastEvent::TriggerExecuted(trigger) => {
                self.fills(&trigger.fills);
                if let Some(taker) = &trigger.taker {
                    self.change(&taker.trader, taker.lots_before, taker.lots_after)?;
                }
            }
            BallastEvent::ProtectionExecuted(step) => {
                self.fills(&step.fills);
                if let Some(taker) = &step.taker {
                    self.change(&taker.trader, taker.lots_before, taker.lots_after)?;
                }
            }
            BallastEvent::PositionLiquidated(step) => {
                self.totals.liquidations += 1;
                self.totals.insurance_paid_atoms += step.insurance_paid_atoms;
                self.fills(&step.fills);
                self.change(&step.trader, step.lots_before, step.lots_after)?;
                let taken_over = step.lots_before - step.lots_after + step.book_lots;
                *self.lots.entry(step.liquidator).or_default() += taken_over;
                self.liquidator = step.liquidator;
            }
            BallastEvent::PoolTook(took) => {
                self.totals.pool[0] += 1;
                *self.lots.entry(self.liquidator).or_default() -= took.lots;
                let trader = addresses::trader(&took.pool, POOL_SUB_ID);
                self.change(&trader, took.lots_before, took.lots_after)?;
            }
            BallastEvent::PoolSynced(_) => self.totals.pool[1] += 1,
            BallastEvent::PoolUnwound(unwind) => {
                self.totals.pool[2] += 1;
                self.fills(&unwind.fills);
                let taker = &unwind.taker;
                self.change(&taker.trader, taker.lots_before, taker.lots_after)?;
            }
            BallastEvent::AutoDeleveraged(round) => self.deleveraging(round)?,
            _ => {}
        }
        Ok(())
    }

    fn deleveraging(&mut self, round: &ballast_state::events::AutoDeleveraged) -> Result<()> {
        self.totals.adl_rounds += 1;
        self.totals.cuts += round.cuts.len();
        self.totals.insurance_paid_atoms += round.insurance_paid_atoms;
        self.totals.gave_up_atoms += round.gave_up_atoms;
        let begun = self
            .bankruptcies
            .insert(round.bankruptcy_id, round.lots_after);
        ensure!(
            begun.is_none_or(|left| left == round.lots_before),
            "bankruptcy {} had {begun:?} lots left and begins with {}",
            round.bankruptcy_id,
            round.lots_before
        );
        self.change(&round.bankrupt, round.lots_before, round.lots_after)?;
        for cut in &round.cuts {
            let closed = i64::try_from(cut.lots_closed)?;
            let after = cut.lots_before - cut.lots_before.signum() * closed;
            self.change(&cut.trader, cut.lots_before, after)?;
        }
        Ok(())
    }

    fn fills(&mut self, fills: &[ballast_state::events::OrderFilled]) {
        for fill in fills {
            self.lots.insert(fill.maker, fill.maker_lots_after);
        }
    }

    fn change(&mut self, trader: &Pubkey, before: i64, after: i64) -> Result<()> {
        let known = self.lots.insert(*trader, after).unwrap_or(0);
        ensure!(
            known == before,
            "{trader} had {known} lots and the event begins with {before}"
        );
        Ok(())
    }
}
