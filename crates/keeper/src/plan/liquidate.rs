//! Liquidations: the book first, then the keeper's account where it can afford the rest.

use anchor_lang::prelude::Pubkey;
use ballast_client::cross::{CrossQueueList, Site, Trouble};
use ballast_client::instructions::anyone::{self, Takeover};
use ballast_client::instructions::cross::LiquidateLeg;
use ballast_client::liquidation::{affordable, foresee_from};
use ballast_client::makers::waterfall_makers;
use ballast_engine::book::BookRef;
use ballast_engine::liquidation::{self, need, LiquidationInput, LiquidationPlan, Need, Waterfall};
use ballast_engine::position::Position;
use ballast_engine::units::{Atoms, Lots};
use ballast_engine::EngineError;
use ballast_state::error::BallastError;
use ballast_state::trader::Trader;
use solana_instruction::Instruction;

use super::makers::Taking;
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
    match step(present, record, &input, lists, own)? {
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
    lists: &Lists<'_>,
    own: &Own<'_>,
) -> Result<Option<Plan>, PlanError> {
    let call = Call {
        present,
        victim: record.trader,
        input,
        lists,
        book: lists.book()?,
        own,
        leg: None,
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

/// A leg that is liquidated, and what is recorded before.
pub struct LegCall<'a> {
    /// The market, and the board as it is recorded before.
    pub site: &'a Site<'a>,
    /// The account.
    pub trader: &'a Trader,
    /// How it stands.
    pub trouble: &'a Trouble,
    /// What comes before it in the same transaction.
    pub before: Option<Instruction>,
}

/// A step of a leg that somebody takes: the keeper's account with the book, otherwise the book alone.
pub fn leg_step(
    present: &Present<'_>,
    victim: Pubkey,
    input: &LiquidationInput<'_>,
    lists: &Lists<'_>,
    own: &Own<'_>,
    leg: &LegCall<'_>,
) -> Result<Option<Plan>, PlanError> {
    let call = Call {
        present,
        victim,
        input,
        lists,
        book: lists.book()?,
        own,
        leg: Some(leg),
    };
    let taking_over = match own.options.take_over {
        TakeOver::Nothing => None,
        TakeOver::Rest => call.taking_over(false)?,
        TakeOver::Whole => call.taking_over(true)?,
    };
    match taking_over {
        Some(taken) => Ok(Some(call.plan(taken, None))),
        None => call.by_the_book(),
    }
}

impl LegCall<'_> {
    fn waterfall<'i>(
        &self,
        input: &LiquidationInput<'i>,
        take_over: bool,
    ) -> Result<Waterfall<'i>, EngineError> {
        Waterfall::begin_leg(input, take_over, self.trouble.forced.room)
    }

    /// The cross queues of the call: that of the leg, that of the longs where the account is bankrupt, and those
    /// of legs whose records would flatter after `step`. Where orders take lots of it, which may trade less than is
    /// foreseen, and without a step, those of all legs.
    fn queues(&self, step: Option<&LiquidationPlan>) -> Result<CrossQueueList, BallastError> {
        let (site, trouble) = (self.site, self.trouble);
        let board = site.board;
        let market = board.market(board.place(site.market)?)?;
        let side = trouble.forced.position.side();
        let side = side.ok_or(BallastError::NoPosition)?;
        let mut queues = CrossQueueList::of(&[market.queue(side)]);
        if trouble.forced.equity.is_negative() {
            queues.add(market.queue_long);
        }
        match step.filter(|step| step.book_lots.is_zero()) {
            Some(step) => {
                let written = site.liquidated(self.trader, trouble, step)?;
                queues.admit(&written, board, site.slot)?;
            }
            None => queues.add_all(self.trader, board)?,
        }
        Ok(queues)
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
    /// The market's lists.
    pub lists: &'a Lists<'a>,
    /// Of these the book.
    pub book: &'a BookRef<'a>,
    /// The keeper's own accounts and means.
    pub own: &'a Own<'a>,
    /// Of a leg that and its account.
    pub leg: Option<&'a LegCall<'a>>,
}

impl Call<'_> {
    /// The keeper's account takes over what the book leaves, if it can afford that, or the `whole`
    /// step.
    fn taking_over(&self, whole: bool) -> Result<Option<Taken>, PlanError> {
        let Some((listed, step)) = self.foreseen(u64::MAX)? else {
            return Ok(None);
        };
        let most = match whole {
            true => self.whole()?.liquidator_fill()?,
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
        let (book, victim) = (self.book, &self.victim);
        let offer = Takeover::with_margin(0);
        let listed = self.makers(most > 0, |listed| self.instructions(offer, listed, None))?;
        let waterfall = self.waterfall(most > 0)?;
        match foresee_from(waterfall, book, victim, most, &listed) {
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
        let waterfall = self.waterfall(take_over)?;
        let mut listed = waterfall_makers(waterfall, book, victim, options.spares)?;
        listed.truncate(options.max_makers);
        listed.truncate(fit::longest(&listed, self.own, build)?);
        Ok(listed)
    }

    /// The keeper's own position in the market once what is under way has landed; `None` where it has
    /// neither one nor room for it.
    fn held(&self) -> Result<Option<Position>, PlanError> {
        let trader = self.own.trader;
        let market = &self.present.state.address;
        // It trades no isolated position beside a leg, or orders of one.
        if trader.find_cross(market).is_some() {
            return Ok(None);
        }
        let slot = trader.slot(market).ok();
        let position = match slot {
            Some(slot) => slot.position().map_err(|_| EngineError::SizeOutOfRange)?,
            None if trader.positions.iter().any(|slot| slot.is_empty()) => Position::default(),
            None => return Ok(None),
        };
        let settled = position.settle(self.present.funding_index)?;
        let mut promised = self.own.promised.iter();
        Ok(Some(
            promised.try_fold(settled, |held, fill| fill.onto(&held))?,
        ))
    }

    fn waterfall(&self, take_over: bool) -> Result<Waterfall<'_>, EngineError> {
        match self.leg {
            None => Waterfall::begin(self.input, take_over),
            Some(leg) => leg.waterfall(self.input, take_over),
        }
    }

    /// The step without a book.
    fn whole(&self) -> Result<LiquidationPlan, EngineError> {
        match self.leg {
            None => liquidation::plan(self.input),
            Some(_) => self.waterfall(true)?.finish(true),
        }
    }

    /// The keeper's own call, with what comes before it; of a leg for this step.
    fn instructions(
        &self,
        offer: Takeover,
        listed: &[Pubkey],
        step: Option<&LiquidationPlan>,
    ) -> Vec<Instruction> {
        let Some(leg) = self.leg else {
            let call = self.instruction(offer, listed);
            let before = self.before(listed).into_iter();
            return before.chain([call]).collect();
        };
        // An account whose numbers do not compute is refused by the program too.
        let mut queues = leg.queues(step).unwrap_or_default();
        if let Some(taking) = self.taking() {
            let makers = taking.makers;
            makers.add(&mut queues, listed, taking.side, taking.market);
        }
        let liquidate = LiquidateLeg {
            authority: self.own.authority,
            keys: self.present.state.keys,
            trader: self.victim,
            liquidator: self.own.address,
            offer,
            queues: queues.queues(),
            makers: listed,
        };
        let before = leg.before.iter().cloned();
        before.chain([liquidate.instruction()]).collect()
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
            makers: &self.listed(listed),
        }
        .instruction()
    }

    /// The orders that take lots; `None` of no position.
    fn taking(&self) -> Option<Taking<'_>> {
        Some(Taking {
            makers: self.own.makers,
            market: self.present.state,
            side: self.input.position.side()?,
            leg: None,
            cross: self.lists.cross,
        })
    }

    /// The accounts that a call of an isolated position lists with these makers.
    pub(super) fn listed(&self, makers: &[Pubkey]) -> Vec<Pubkey> {
        let taking = self.taking();
        taking.map_or_else(|| makers.to_vec(), |taking| taking.listed(makers))
    }

    /// What comes before it.
    pub(super) fn before(&self, makers: &[Pubkey]) -> Option<Instruction> {
        self.taking()?.before(makers)
    }

    /// The keeper's own call, and what the pool takes of the step `then`.
    fn plan(&self, taken: Taken, then: Option<LiquidationPlan>) -> Plan {
        let Taken {
            offer,
            listed,
            step,
            fill,
        } = taken;
        let instructions = self.instructions(offer, &listed, Some(&step));
        let mut plan = self.plan_of(instructions, listed);
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
            task: match self.leg {
                None => Task::Liquidate,
                Some(_) => Task::LiquidateLeg,
            },
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
