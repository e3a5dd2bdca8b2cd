//! A round where legs stand in the ranking: the records that it needs anew first, then the round.

use anchor_lang::prelude::Pubkey;
use ballast_client::cross::{
    cross_round, CrossQueueList, CrossRoundInput, CrossRoundPlan, CrossRoundRequest, LegWritten,
};
use ballast_client::instructions::anyone::FlagBankruptcy;
use ballast_client::instructions::cross::{
    AutoDeleverageCross, FlagLeg, RefreshRanks, WitnessRanks,
};
use ballast_client::ranking::MAX_COUNTERPARTIES;
use ballast_engine::units::Side;
use ballast_state::error::BallastError;
use solana_instruction::Instruction;

use super::plan::CrossLists;
use crate::evaluate::{Job, Task};
use crate::market::Present;
use crate::plan::fit;
use crate::plan::{Effect, Idle, Lists, Own, Plan, PlanError, Planned, Reads};

/// Most legs recorded anew in one transaction.
const MOST_REFRESHED: usize = 16;

/// Plans a round for a bankrupt position or leg, or the records that it needs.
///
/// # Errors
/// `BookCanAbsorb` where the book comes first; [`PlanError`].
pub fn plan(
    job: &Job,
    present: &Present<'_>,
    lists: &Lists<'_>,
    own: &Own<'_>,
) -> Result<Planned, PlanError> {
    let cross = lists.cross()?;
    let site = cross.floor.site(present);
    let side = match job.lots > 0 {
        true => Side::Short,
        false => Side::Long,
    };
    let taker = lists
        .book()?
        .best_price_but_of(side.opposite(), job.trader.as_array())?;
    let input = CrossRoundInput {
        site: &site,
        isolated: *lists.queue(side)?,
        cross: cross.queue(side),
        draws: cross.draws(),
        taker,
        traders: cross.accounts,
    };
    let round = RoundCall {
        job,
        present,
        cross,
        own,
        side,
    };
    let mut most = MAX_COUNTERPARTIES;
    loop {
        let request = CrossRoundRequest {
            bankrupt: job.trader,
            max_cuts: own.options.max_counterparties,
            max_listed: most,
            spares: own.options.spares,
        };
        let planned = match cross_round(&input, &request) {
            Ok(planned) => planned,
            Err(BallastError::NotBankrupt | BallastError::NoPosition) => {
                return Ok(Planned::Nothing(Idle::Gone));
            }
            Err(BallastError::CrossMarkStale) => return Ok(Planned::Nothing(Idle::NoMark)),
            Err(BallastError::AdlListTooLong) => {
                return Ok(Planned::Nothing(Idle::NobodyEligible));
            }
            Err(error) => return Err(error.into()),
        };
        if !planned.refresh.is_empty() {
            return round.refresh(&planned);
        }
        if planned.cuts.is_empty() {
            return Ok(Planned::Nothing(Idle::NobodyEligible));
        }
        let plan = round.plan(&planned);
        let size = fit::size(&plan.instructions, &own.payer, own.tables)?;
        if size.fits() {
            return Ok(Planned::Send(Box::new(plan)));
        }
        // A shorter list has to be planned anew: who is left out of this one may be asked for.
        most = planned.counterparties.len().min(most).saturating_sub(1);
        if most == 0 {
            return Err(PlanError::TooLarge);
        }
    }
}

struct RoundCall<'a> {
    job: &'a Job,
    present: &'a Present<'a>,
    cross: &'a CrossLists<'a>,
    own: &'a Own<'a>,
    side: Side,
}

impl RoundCall<'_> {
    /// Records of these legs anew, as many as fit.
    fn refresh(&self, planned: &CrossRoundPlan) -> Result<Planned, PlanError> {
        let traders = &planned.refresh;
        let mut most = traders.len().min(MOST_REFRESHED);
        loop {
            let some = traders.get(..most).unwrap_or(traders);
            let instructions = self.refreshing(planned, some)?;
            let size = fit::size(&instructions, &self.own.payer, self.own.tables)?;
            if size.fits() {
                return Ok(Planned::Send(Box::new(Plan {
                    task: Task::RefreshRanks,
                    trader: self.job.trader,
                    instructions,
                    listed: some.to_vec(),
                    effect: Effect::Records { legs: some.len() },
                    reads: Reads {
                        book: None,
                        queue: Some(self.side),
                    },
                })));
            }
            most = most.saturating_sub(1);
            if most == 0 {
                return Err(PlanError::TooLarge);
            }
        }
    }

    fn refreshing(
        &self,
        planned: &CrossRoundPlan,
        traders: &[Pubkey],
    ) -> Result<Vec<Instruction>, PlanError> {
        let site = self.cross.floor.site(self.present);
        // Those of the round: the deficit of a leg is known by both.
        let mut queues = CrossQueueList::of(&planned.queues);
        for address in traders {
            let trader = self.cross.accounts.trader(address);
            let leg = trader.and_then(|trader| Some((trader, trader.find_leg(&site.key)?)));
            if let Some((trader, index)) = leg {
                queues.admit(&LegWritten::renewed(trader, index), site.board, site.slot)?;
            }
        }
        let (keys, queues) = (self.present.state.keys, queues.queues());
        let refresh = match planned.witness {
            false => RefreshRanks {
                keys,
                queues,
                traders,
            }
            .instruction(),
            true => WitnessRanks {
                keys,
                bankrupt: self.job.trader,
                queues,
                traders,
            }
            .instruction(),
        };
        let record = self.cross.record().into_iter();
        Ok(record.chain([refresh]).collect())
    }

    fn plan(&self, planned: &CrossRoundPlan) -> Plan {
        let of_lots = planned.bankrupt_before.size();
        let summary = &planned.summary;
        Plan {
            task: self.job.task,
            trader: self.job.trader,
            instructions: self.instructions(planned, summary.lots < of_lots),
            effect: Effect::Deleveraging {
                lots: summary.lots,
                of_lots,
                cuts: planned.cuts.len(),
                insurance_atoms: summary.insurance_paid,
            },
            reads: Reads {
                book: None,
                queue: Some(self.side),
            },
            listed: planned.counterparties.clone(),
        }
    }

    fn instructions(&self, planned: &CrossRoundPlan, stays: bool) -> Vec<Instruction> {
        let (keys, trader) = (self.present.state.keys, self.job.trader);
        let mut all: Vec<Instruction> = self.cross.record().into_iter().collect();
        if self.job.flag_due && stays {
            all.push(match self.job.task {
                Task::Deleverage => FlagBankruptcy { keys, trader }.instruction(),
                _ => FlagLeg { keys, trader }.instruction(),
            });
        }
        let round = AutoDeleverageCross {
            keeper: self.own.authority,
            keys,
            bankrupt: trader,
            reward_trader: self.own.address,
            queues: &planned.queues,
            counterparties: &planned.counterparties,
        };
        all.push(round.instruction());
        all
    }
}
