//! Liquidations: the book first, then the keeper's account where it can afford the rest.

use anchor_lang::prelude::Pubkey;
use ballast_client::instructions::anyone::{self, Takeover};
use ballast_client::liquidation::{affordable, foresee};
use ballast_client::makers::liquidation_makers;
use ballast_engine::book::BookRef;
use ballast_engine::liquidation::{self, need, LiquidationInput, LiquidationPlan, Need};
use ballast_engine::position::Position;
use ballast_engine::units::{Atoms, Lots};
use ballast_engine::EngineError;
use solana_instruction::Instruction;

use super::{
    fit, flag_or, Effect, Fill, Idle, Lists, Own, Plan, PlanError, Planned, Reads, TakeOver,
};
use crate::evaluate::{Job, Task};
use crate::market::Present;
use crate::positions::PositionRecord;

/// Plans a step of a liquidation, or the flag where nobody takes lots.
pub fn plan(
    job: &Job,
    present: &Present<'_>,
    record: &PositionRecord,
    lists: &Lists<'_>,
    own: &Own<'_>,
) -> Result<Planned, PlanError> {
    let position = present.settled(record)?;
    let input = present.liquidation(record, position);
    match need(&input)? {
        Need::Nothing => return Ok(Planned::Nothing(Idle::Gone)),
        Need::Wait => return Ok(flag_or(Idle::LadderInterval, job, present)),
        Need::Liquidate | Need::Deleverage => {}
    }
    if record.trader == own.address {
        return Ok(flag_or(Idle::OwnPosition, job, present));
    }
    match step(present, record, &input, lists.book()?, own)? {
        Some(plan) => Ok(Planned::Send(Box::new(plan))),
        None => Ok(flag_or(Idle::NoTaker, job, present)),
    }
}

/// A step that somebody takes: the keeper's account with the book and the pool after it, otherwise the
/// pool with the book, otherwise the book alone.
pub fn step(
    present: &Present<'_>,
    record: &PositionRecord,
    input: &LiquidationInput<'_>,
    book: &BookRef<'_>,
    own: &Own<'_>,
) -> Result<Option<Plan>, PlanError> {
    let call = Call {
        present,
        victim: record.trader,
        input,
        book,
        own,
    };
    let taking_over = match own.options.take_over {
        TakeOver::Nothing => None,
        TakeOver::Rest => call.taking_over(false)?,
        TakeOver::Whole => call.taking_over(true)?,
    };
    if let Some(taken) = taking_over {
        let then = call.then_into_pool(&taken)?;
        return Ok(Some(call.plan(taken, then)));
    }
    match call.by_the_pool()? {
        Some(plan) => Ok(Some(plan)),
        None => call.by_the_book(),
    }
}

/// What the keeper's own call comes to.
pub(super) struct Taken {
    pub(super) offer: Takeover,
    pub(super) listed: Vec<Pubkey>,
    pub(super) step: LiquidationPlan,
    /// What the keeper's account takes over of it.
    fill: (Lots, Atoms),
}

/// Everything one call depends on.
pub struct Call<'a> {
    /// The market at its moment.
    pub present: &'a Present<'a>,
    /// Who is liquidated.
    pub victim: Pubkey,
    /// What the size depends on.
    pub input: &'a LiquidationInput<'a>,
    /// The market's book.
    pub book: &'a BookRef<'a>,
    /// The keeper's own accounts and means.
    pub own: &'a Own<'a>,
}

impl Call<'_> {
    /// The keeper's account takes over what the book leaves, if it can afford that, or the `whole`
    /// step.
    fn taking_over(&self, whole: bool) -> Result<Option<Taken>, PlanError> {
        let Some((listed, step)) = self.foreseen(u64::MAX)? else {
            return Ok(None);
        };
        let most = match whole {
            true => liquidation::plan(self.input)?.liquidator_fill()?,
            false => step.liquidator_fill()?,
        };
        let fill = most.unwrap_or((Lots::ZERO, Atoms::ZERO));
        let Some(held) = self.held()? else {
            return Ok(None);
        };
        if let Some(margin) = self.affordable(&held, fill)? {
            let offer = Takeover::with_margin(margin);
            return Ok(Some(Taken {
                offer,
                listed,
                step,
                fill,
            }));
        }
        self.part(&held, fill.0.size())
    }

    /// Half of the lots, a quarter and so on, until the keeper's account can afford them.
    fn part(&self, held: &Position, lots: u64) -> Result<Option<Taken>, PlanError> {
        let mut most = lots / 2;
        while most >= self.input.params.min_position_lots {
            let Some((listed, step)) = self.foreseen(most)? else {
                return Ok(None);
            };
            let Some(fill) = step.liquidator_fill()? else {
                return Ok(None);
            };
            if let Some(margin) = self.affordable(held, fill)? {
                let offer = Takeover::of_lots(most, margin);
                return Ok(Some(Taken {
                    offer,
                    listed,
                    step,
                    fill,
                }));
            }
            most /= 2;
        }
        Ok(None)
    }

    fn affordable(&self, held: &Position, fill: (Lots, Atoms)) -> Result<Option<u64>, PlanError> {
        let (params, mark) = (self.input.params, &self.present.mark);
        let (free, backing) = (self.own.trader.free(), &self.own.options.backing);
        let whole = self.input.position.size();
        Ok(affordable(params, mark, held, free, fill, whole, backing)?)
    }

    /// The book alone takes lots.
    pub fn by_the_book(&self) -> Result<Option<Plan>, PlanError> {
        let foreseen = self.foreseen(0)?;
        Ok(foreseen.map(|(listed, step)| {
            let offer = Takeover::none();
            let taken = Taken {
                offer,
                listed,
                step,
                fill: (Lots::ZERO, Atoms::ZERO),
            };
            self.plan(taken, None)
        }))
    }

    /// The makers to list, as far as they fit, and what then comes of the step; `None` when
    /// nothing would be closed.
    fn foreseen(&self, most: u64) -> Result<Option<(Vec<Pubkey>, LiquidationPlan)>, PlanError> {
        let (book, victim, input) = (self.book, &self.victim, self.input);
        let offer = Takeover::with_margin(0);
        let listed = self.makers(most > 0, |listed| vec![self.instruction(offer, listed)])?;
        match foresee(book, victim, input, most, &listed) {
            Ok(step) => Ok(Some((listed, step))),
            Err(
                EngineError::NothingFilled
                | EngineError::InsuranceCannotPay
                | EngineError::PositionTooSmall
                | EngineError::LiquidationSkipsBook,
            ) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The makers to list in the instructions that `build` makes of them, as far as they fit.
    pub(super) fn makers(
        &self,
        take_over: bool,
        build: impl Fn(&[Pubkey]) -> Vec<Instruction>,
    ) -> Result<Vec<Pubkey>, PlanError> {
        let options = self.own.options;
        let (book, victim) = (self.book, &self.victim);
        let mut listed = liquidation_makers(book, victim, self.input, take_over, options.spares)?;
        listed.truncate(options.max_makers);
        listed.truncate(fit::longest(&listed, self.own, build)?);
        Ok(listed)
    }

    /// The keeper's own position in the market once what is under way has landed; `None` where it has
    /// neither one nor room for it.
    fn held(&self) -> Result<Option<Position>, PlanError> {
        let trader = self.own.trader;
        let market = &self.present.state.address;
        let slot = trader.slot(market).ok();
        let position = match slot {
            Some(slot) => slot.position().map_err(|_| EngineError::SizeOutOfRange)?,
            // It trades no isolated position beside a leg.
            None if trader.find_leg(market).is_some() => return Ok(None),
            None if trader.positions.iter().any(|slot| slot.is_empty()) => Position::default(),
            None => return Ok(None),
        };
        let settled = position.settle(self.present.funding_index)?;
        let mut promised = self.own.promised.iter();
        Ok(Some(
            promised.try_fold(settled, |held, fill| fill.onto(&held))?,
        ))
    }

    pub(super) fn instruction(&self, offer: Takeover, listed: &[Pubkey]) -> Instruction {
        let keys = self.present.state.keys;
        let own = self.own;
        anyone::Liquidate {
            authority: own.authority,
            keys,
            trader: self.victim,
            liquidator: own.address,
            offer,
            makers: listed,
        }
        .instruction()
    }

    /// The keeper's own call, and what the pool takes of the step `then`.
    fn plan(&self, taken: Taken, then: Option<LiquidationPlan>) -> Plan {
        let Taken {
            offer,
            listed,
            step,
            fill,
        } = taken;
        let mut plan = self.plan_of(vec![self.instruction(offer, &listed)], listed);
        let book_lots = step.book_lots.size();
        let (lots, quote) = fill;
        plan.effect = Effect::Liquidation {
            book_lots,
            taken: Fill {
                lots,
                quote,
                margin: offer.margin,
            },
            pool_lots: 0,
            income_atoms: step.reward_atoms.saturating_add(step.discount_atoms),
            insurance_atoms: step.insurance_paid_atoms,
        };
        plan.reads.book = self.input.position.side().filter(|_| book_lots > 0);
        match then {
            Some(then) => self.with_pool(plan, &then),
            None => plan,
        }
    }

    /// A plan that comes to nothing yet.
    pub(super) fn plan_of(&self, instructions: Vec<Instruction>, listed: Vec<Pubkey>) -> Plan {
        Plan {
            task: Task::Liquidate,
            trader: self.victim,
            instructions,
            listed,
            effect: Effect::Liquidation {
                book_lots: 0,
                taken: Fill::NOTHING,
                pool_lots: 0,
                income_atoms: 0,
                insurance_atoms: 0,
            },
            reads: Reads::default(),
        }
    }
}
