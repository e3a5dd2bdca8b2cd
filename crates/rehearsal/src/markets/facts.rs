//! Everything that the cuts of a round follow from, as it stands before the round.

use anyhow::{Context, Result};
use ballast_engine::deficit::Deficit;
use ballast_engine::queue::CutStamp;
use ballast_engine::rank::{ClosePrice, Round};
use ballast_engine::units::{FundingIndex, LotPrice, Side};
use ballast_keeper::cross::Floor;
use ballast_keeper::plan::Plan;
use ballast_report::market_rounds::{
    AccountFacts, Candidate, LegCutFacts, LegCutLine, LegFacts, MarkLine, MarketRound,
};
use ballast_report::model::Holding;
use ballast_sandbox::outcome::TxOutcome;
use ballast_state::events::{AutoDeleveraged, BallastEvent, CrossRound};
use ballast_state::trader::Trader;
use ballast_state::Pubkey;

use super::exchange::{place, Exchange};
use super::memory::Memory;
use crate::crash::deleveraging::direction;
use crate::crash::stage::engine;

/// What stands before a round.
pub struct Before {
    market: usize,
    side: Side,
    marks: Vec<MarkLine>,
    account: Option<AccountFacts>,
    cover: u64,
    listed: Vec<Pubkey>,
    queue: Vec<(Candidate, CutStamp)>,
    min_position_lots: u64,
}

impl Before {
    /// The accounts of the market with this number, before a round as `plan` has it.
    pub fn of(
        exchange: &Exchange,
        memory: &Memory,
        floor: Option<&Floor<'_>>,
        market: usize,
        plan: &Plan,
    ) -> Result<Self> {
        let look = Look {
            exchange,
            memory,
            floor,
            market,
        };
        let key = exchange.venues[market].cookie.keys.market;
        let trader = look.trader(&plan.trader)?;
        let leg = trader.find_leg(&key).is_some();
        let held = trader.leg(&key).or_else(|_| trader.slot(&key))?;
        let side = if held.lots > 0 {
            Side::Short
        } else {
            Side::Long
        };
        let state = &memory.reading.markets[market];
        let mut queue = look.isolated(side)?;
        queue.extend(look.legs(side)?);
        Ok(Self {
            market,
            side,
            marks: look.marks()?,
            account: leg.then(|| look.account(trader)).transpose()?,
            cover: look.cover(leg)?,
            listed: plan.listed.clone(),
            queue,
            min_position_lots: state.params().min_position_lots,
        })
    }

    /// The round as the program played it.
    pub fn round(self, exchange: &Exchange, outcome: &TxOutcome) -> Result<MarketRound> {
        let (made, cross) = made(outcome)?;
        let round = self.rules(made)?;
        let deficit = Deficit::new(
            made.deficit_before_atoms,
            self.cover,
            made.lots_before.unsigned_abs(),
        );
        let uncovered = deficit.uncovered_for(made.lots_closed);
        let queue = self.queue.into_iter().map(|(line, stamp)| {
            let cap_left = round.cap_left(line.lots.unsigned_abs(), stamp)?;
            Ok(Candidate {
                already_cut_in_pass: round.lots_cut(stamp),
                at_cap: cap_left == 0,
                ..line
            })
        });
        let queue: Result<Vec<Candidate>, ballast_engine::EngineError> = queue.collect();
        Ok(MarketRound {
            round: 0,
            market: self.market,
            slot: exchange.sandbox.slot(),
            timestamp: exchange.sandbox.time(),
            marks: self.marks,
            close_quote_atoms: made.close_quote_atoms,
            close_lots: made.close_lots,
            rank_tolerance_bps: made.rank_tolerance_bps,
            min_profit_bps: made.min_profit_bps,
            max_close_bps: made.max_close_bps,
            min_position_lots: self.min_position_lots,
            counterparty_side: direction(self.side),
            new_pass: made.pass_opened,
            by_record: cross.is_some_and(|cross| cross.by_record),
            to_equity: cross.is_some_and(|cross| cross.to_equity),
            bankrupt: Holding {
                trader: made.bankrupt.to_string(),
                lots: made.lots_before,
                entry_quote_atoms: made.entry_quote_before,
                margin_atoms: made.margin_before,
            },
            bankrupt_account: self.account,
            cover_atoms: self.cover,
            queue: queue.map_err(engine)?,
            listed: self.listed.iter().map(Pubkey::to_string).collect(),
            cut: cuts(made, cross),
            deficit_atoms: made.deficit_before_atoms,
            insurance_paid_atoms: made.insurance_paid_atoms + made.held_paid_atoms,
            closed_lots: made.lots_closed,
            uncovered_deficit_atoms: uncovered.map_err(engine)?,
            winners_gave_up_atoms: made.gave_up_atoms,
            compute_units: outcome.compute_units,
        })
    }

    /// What caps follow from.
    fn rules(&self, made: &AutoDeleveraged) -> Result<Round> {
        let mark = self.marks.get(self.market).context("a mark")?;
        Ok(Round {
            side: self.side,
            mark: LotPrice::new(mark.mark_atoms).map_err(engine)?,
            close: ClosePrice {
                quote: made.close_quote_atoms,
                lots: made.close_lots,
            },
            funding_index: FundingIndex::new(made.funding_index),
            min_profit_bps: made.min_profit_bps,
            rank_tolerance_bps: made.rank_tolerance_bps,
            max_close_bps: made.max_close_bps,
            least_lots: made.least_lots,
            epoch: made.epoch,
        })
    }
}

struct Look<'a> {
    exchange: &'a Exchange,
    memory: &'a Memory,
    floor: Option<&'a Floor<'a>>,
    market: usize,
}

impl Look<'_> {
    fn trader(&self, address: &Pubkey) -> Result<&Trader> {
        let trader = self.memory.reading.traders.get(address);
        trader.with_context(|| format!("{address} is not known"))
    }

    /// What the legs of every market are valued at: the market at hand at its price, the others by the board.
    fn marks(&self) -> Result<Vec<MarkLine>> {
        let own = self.memory.present(self.market)?;
        let site = self.floor.map(|floor| floor.site(&own));
        let mut marks = Vec::new();
        for (number, market) in self.memory.reading.markets.iter().enumerate() {
            let present = self.memory.present(number)?;
            let mut line = MarkLine {
                mark_atoms: present.mark.price.get(),
                funding_index: present.funding_index.get(),
            };
            if let Some(site) = site.as_ref().filter(|_| number != self.market) {
                let entry = site.board.board.entry(site.board.place(market)?)?;
                line.mark_atoms = entry.mark;
                line.funding_index = entry.funding_index.get();
            }
            marks.push(line);
        }
        Ok(marks)
    }

    /// What insurance and held profit may pay of the deficit.
    fn cover(&self, leg: bool) -> Result<u64> {
        let market = &self.memory.reading.markets[self.market];
        let slot = self.memory.reading.now.slot;
        let (Some(floor), true) = (self.floor, leg) else {
            return market.deficit_cover(slot).map_err(engine);
        };
        let present = self.memory.present(self.market)?;
        let site = floor.site(&present);
        let queues = self.memory.reading.cross.as_ref().context("cross queues")?;
        let draws = queues[self.market][0].queue()?.header().draws;
        Ok(site.board.cover(market, &draws, slot)?)
    }

    fn account(&self, trader: &Trader) -> Result<AccountFacts> {
        let legs = trader.positions.iter().filter(|slot| slot.is_leg());
        let legs = legs.map(|slot| {
            let market = self.exchange.number(&slot.market);
            Ok(LegFacts {
                market: market.context("a leg in an unknown market")?,
                lots: slot.lots,
                entry_quote_atoms: slot.entry_quote,
                funding_index: slot.funding_index,
            })
        });
        Ok(AccountFacts {
            pool_atoms: trader.cross_pool,
            legs: legs.collect::<Result<_>>()?,
        })
    }

    /// The isolated positions of a side, funding paid.
    fn isolated(&self, side: Side) -> Result<Vec<(Candidate, CutStamp)>> {
        let index = self.memory.present(self.market)?.funding_index;
        let key = self.exchange.venues[self.market].cookie.keys.market;
        let queue = self.memory.isolated(self.market, side);
        let mut lines = Vec::new();
        for step in queue.queue().context("a queue")?.iter() {
            let (_, entry) = step.map_err(engine)?;
            let address = Pubkey::new_from_array(entry.trader);
            let stored = self.trader(&address)?.slot(&key)?.position()?;
            let position = stored.settle(index).map_err(engine)?;
            let line = Candidate {
                trader: address.to_string(),
                lots: position.lots.get(),
                entry_quote_atoms: position.entry_quote.get(),
                margin_atoms: position.margin.get(),
                sequence: entry.sequence,
                ..Candidate::default()
            };
            lines.push((line, entry.stamp()));
        }
        Ok(lines)
    }

    /// The legs of a side, each with its account.
    fn legs(&self, side: Side) -> Result<Vec<(Candidate, CutStamp)>> {
        let Some(queues) = &self.memory.reading.cross else {
            return Ok(Vec::new());
        };
        let key = self.exchange.venues[self.market].cookie.keys.market;
        let mut lines = Vec::new();
        for step in queues[self.market][place(side)].queue()?.iter() {
            let (_, node) = step.map_err(engine)?;
            let entry = &node.position;
            let address = Pubkey::new_from_array(entry.trader);
            let trader = self.trader(&address)?;
            let leg = trader.leg(&key)?;
            let line = Candidate {
                trader: address.to_string(),
                lots: leg.lots,
                entry_quote_atoms: leg.entry_quote,
                sequence: entry.sequence,
                account: Some(self.account(trader)?),
                ..Candidate::default()
            };
            lines.push((line, entry.stamp()));
        }
        Ok(lines)
    }
}

/// The round as the program recorded it, and what it says of its legs.
fn made(outcome: &TxOutcome) -> Result<(&AutoDeleveraged, Option<&CrossRound>)> {
    let (mut round, mut cross) = (None, None);
    for event in &outcome.events {
        match event {
            BallastEvent::AutoDeleveraged(event) => round = Some(&**event),
            BallastEvent::CrossRound(event) => cross = Some(&**event),
            _ => {}
        }
    }
    Ok((round.context("a round without its event")?, cross))
}

fn cuts(made: &AutoDeleveraged, cross: Option<&CrossRound>) -> Vec<LegCutLine> {
    let leg = |place: usize| {
        let mut legs = cross.into_iter().flat_map(|cross| &cross.legs);
        let leg = legs.find(|leg| usize::try_from(leg.place) == Ok(place))?;
        Some(LegCutFacts {
            equity_atoms: leg.equity_atoms,
            requirement_atoms: leg.requirement_atoms,
            leg_requirement_atoms: leg.leg_requirement_atoms,
            shortened: leg.shortened,
            pool_after_atoms: leg.pool_after,
        })
    };
    let lines = made.cuts.iter().enumerate();
    lines
        .map(|(place, cut)| LegCutLine {
            trader: cut.trader.to_string(),
            lots: cut.lots_closed,
            quote_atoms: cut.quote_atoms,
            realized_atoms: cut.realized_atoms,
            gave_up_atoms: cut.gave_up_atoms,
            leg: leg(place),
        })
        .collect()
}
