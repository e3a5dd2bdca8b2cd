//! A round of deleveraging where legs stand in the ranking, played on copies as the program plays it.

use ballast_engine::adl::{
    AccountCut, Bankruptcy, Cut, CutDone, Deleveraging, Listed, Stage, Summary,
};
use ballast_engine::cross::cut::weakness;
use ballast_engine::cross::entry::Weakness;
use ballast_engine::cross::walk::Evidence;
use ballast_engine::position::Position;
use ballast_engine::rank::Round;
use ballast_engine::units::{Atoms, Side};
use ballast_engine::EngineError;
use ballast_state::error::{BallastError, Result};
use ballast_state::instructions::MAX_COUNTERPARTIES;
use ballast_state::Pubkey;

use super::walk::{asked, sort, Candidate, Member, Order};
use super::{CrossQueueList, CrossRoundInput, CrossRoundRequest, LegWritten};
use crate::ranking::PlannedCut;

/// Up to so many legs that the proof asks for are listed where all lots close; more are recorded anew before.
const FEW: usize = 8;

/// A leg among the cuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LegTaken {
    /// Place among the cuts.
    pub place: usize,
    /// Whether it was cut by less than its cap for its account's sake.
    pub shortened: bool,
    /// The account's pool afterwards, atoms.
    pub pool_after: Atoms,
}

/// A round as the program will play it.
#[derive(Clone, Debug)]
pub struct CrossRoundPlan {
    /// Trader account of the bankrupt.
    pub bankrupt: Pubkey,
    /// Trader accounts to list, in order.
    pub counterparties: Vec<Pubkey>,
    /// Cross queues to list before them.
    pub queues: Vec<Pubkey>,
    /// Whose legs have to be recorded anew before: while there are any, the program refuses the round.
    pub refresh: Vec<Pubkey>,
    /// Whether that is for `witness_ranks`, since accounts above maintenance among them could not bear the cut of a
    /// lot; otherwise `refresh_ranks` does.
    pub witness: bool,
    /// The cuts, in order; none where nobody may be cut.
    pub cuts: Vec<PlannedCut>,
    /// The legs among them.
    pub legs: Vec<LegTaken>,
    /// Whether records count as they stand.
    pub by_record: bool,
    /// How far the list is gone through.
    pub stage: Stage,
    /// What the ranking depends on.
    pub round: Round,
    /// The bankrupt position before, a leg with its share of the deficit, funding paid.
    pub bankrupt_before: Position,
    /// The same afterwards.
    pub bankrupt_after: Position,
    /// Sums over the cuts.
    pub summary: Summary,
}

/// Plans a round: as many cuts as there is room to show whom the proof asks for.
///
/// # Errors
/// `NotBankrupt`, `InsuranceCanPay`, `BookCanAbsorb`, `NoPosition`; `CrossMarkStale` where an account that is
/// asked for cannot be valued; `AdlListTooLong` where who is asked for can neither be listed nor be recorded anew.
pub fn cross_round(
    input: &CrossRoundInput<'_>,
    request: &CrossRoundRequest,
) -> Result<CrossRoundPlan> {
    let begun = Begun::of(input, &request.bankrupt)?;
    let most_listed = request.max_listed.min(MAX_COUNTERPARTIES);
    let mut cuts = request.max_cuts.min(most_listed).max(1);
    loop {
        match begun.planned(request, cuts, most_listed) {
            Err(BallastError::AdlListTooLong) if cuts > 1 => cuts /= 2,
            other => return other,
        }
    }
}

/// A round before anybody is cut.
struct Begun<'a> {
    input: &'a CrossRoundInput<'a>,
    state: Deleveraging,
    before: Position,
    /// Of a leg its place.
    place: Option<usize>,
    by_record: bool,
}

/// A list as the program goes through it.
struct Played {
    state: Deleveraging,
    stage: Stage,
    cuts: Vec<(Candidate, CutDone, bool)>,
    /// Nodes that the proof asks for.
    asked: Vec<u32>,
}

/// Whose legs have to be recorded anew.
#[derive(Default)]
struct Stale {
    traders: Vec<Pubkey>,
    witness: bool,
}

impl<'a> Begun<'a> {
    fn of(input: &'a CrossRoundInput<'a>, bankrupt: &Pubkey) -> Result<Self> {
        let site = input.site;
        let trader = input
            .traders
            .trader(bankrupt)
            .ok_or(BallastError::NoPosition)?;
        let (market, slot) = (site.market, site.slot);
        let draws = || Ok::<_, BallastError>(input.draws);
        let subject = site.scene().subject(market, trader, draws)?;
        let (before, distress) = (subject.before, subject.distress);
        let epoch = input.isolated.header().pass_at(distress.pass_epoch, slot)?;
        let past_grace = market.past_grace(&distress, slot);
        let params = market.params();
        let state = Deleveraging::begin(&Bankruptcy {
            position: before,
            mark: site.touched.mark.price,
            funding_index: site.touched.funding_index,
            insurance_available: subject.available,
            past_grace,
            taker: input.taker.filter(|_| !past_grace),
            max_lots: before.size(),
            least_lots: params.min_position_lots,
            params: &params.adl,
            epoch,
            passes: epoch,
        })?;
        Ok(Self {
            input,
            state,
            before,
            place: subject.trouble.map(|trouble| trouble.place),
            by_record: distress.takes_records(params.adl.grace_slots, slot),
        })
    }

    /// A plan with so many cuts at most. `AdlListTooLong` where there is no room for whom the proof asks for.
    fn planned(
        &self,
        request: &CrossRoundRequest,
        cuts: usize,
        most: usize,
    ) -> Result<CrossRoundPlan> {
        let drifts = self.input.site.drifts()?;
        let evidence = match self.by_record {
            true => Evidence::Record,
            false => Evidence::Health {
                drifts: &drifts,
                maintenance_bps: self.input.site.maintenance_bps(),
            },
        };
        let order = Order::of(self.input, &self.state, most)?;
        let mut list = self.choose(&order, cuts, most, request.spares)?;
        loop {
            let played = match self.play(&list, &evidence) {
                Err(BallastError::AdlNothingCut) => return self.nobody(request),
                played => played?,
            };
            if played.asked.is_empty() {
                return self.plan(request, &list, &played, Stale::default());
            }
            if let Some((_, error)) = order
                .unknown
                .iter()
                .find(|(node, _)| played.asked.contains(node))
            {
                return Err(*error);
            }
            let closes = played.state.remaining_lots() == 0;
            let room = list.len().saturating_add(played.asked.len()) <= most;
            let listed = closes && room && played.asked.len() <= FEW;
            let stale = self.renewable(&order, &played.asked)?;
            if !listed && !stale.traders.is_empty() {
                return self.plan(request, &list, &played, stale);
            }
            let found = played.asked.iter().filter_map(|node| order.leg(*node));
            list.extend(found.copied());
            if list.len() > most {
                return Err(BallastError::AdlListTooLong);
            }
            sort(&mut list)?;
        }
    }

    /// Whom to list: the highest ranked of those who may be cut. Where nobody may, those who could not bear
    /// it; and where they cannot as far as their equity lasts either, those of the next pass with them.
    fn choose(
        &self,
        order: &Order,
        cuts: usize,
        most: usize,
        spares: usize,
    ) -> Result<Vec<Candidate>> {
        let mut list = self.first(&order.all, &self.state, Stage::First, cuts, spares)?;
        if !list.is_empty() {
            list.truncate(most);
            return Ok(list);
        }
        let weak = self.shortened(&order.all)?;
        let borne = self.first(&weak, &self.state, Stage::Equity, cuts, 0)?;
        if !borne.is_empty() {
            return Ok(weak);
        }
        let mut state = self.state;
        state.open_pass(self.next_pass()?)?;
        let next = Order::of(self.input, &state, most)?;
        let mut list = self.first(&next.all, &state, Stage::NextPass, cuts, spares)?;
        for one in weak {
            let known = list.iter().any(|other| other.trader == one.trader);
            if !known {
                list.push(one);
            }
        }
        sort(&mut list)?;
        Ok(list)
    }

    fn next_pass(&self) -> Result<u32> {
        let passes = self.input.isolated.header().adl_epoch;
        let newest = passes.max(self.state.round().epoch);
        newest.checked_add(1).ok_or(BallastError::Overflow)
    }

    /// Those who are cut one after another from the top, and `spares` more.
    fn first(
        &self,
        all: &[Candidate],
        begun: &Deleveraging,
        stage: Stage,
        cuts: usize,
        mut spares: usize,
    ) -> Result<Vec<Candidate>> {
        let (mut state, mut list) = (*begun, Vec::new());
        for one in all {
            let closed = state.remaining_lots() == 0;
            if closed && spares == 0 || !closed && list.len() >= cuts {
                break;
            }
            if closed {
                spares = spares.saturating_sub(1);
                list.push(*one);
            } else if cut(&mut state, one, stage, &mut Listed::default())?.is_some() {
                list.push(*one);
            }
        }
        Ok(list)
    }

    /// Accounts above maintenance that could not bear the cut of a single lot.
    fn shortened(&self, all: &[Candidate]) -> Result<Vec<Candidate>> {
        let mut weak = Vec::new();
        for one in all {
            let (mut state, mut shown) = (self.state, Listed::default());
            cut(&mut state, one, Stage::First, &mut shown)?;
            if shown.shortened > 0 {
                weak.push(*one);
            }
        }
        Ok(weak)
    }

    /// Goes through a list as the program does. `AdlNothingCut`.
    fn play(&self, list: &[Candidate], evidence: &Evidence<'_>) -> Result<Played> {
        let mut played = Played {
            state: self.state,
            stage: Stage::First,
            cuts: Vec::new(),
            asked: Vec::new(),
        };
        let mut known = Vec::new();
        loop {
            known.clear();
            let mut shown = Listed::default();
            for one in list {
                if let Some((done, short)) = cut(&mut played.state, one, played.stage, &mut shown)?
                {
                    played.cuts.push((*one, done, short));
                }
                if matches!(one.member, Member::Leg(..)) {
                    known.push(one.node);
                }
            }
            if !played.cuts.is_empty() {
                break;
            }
            let next = played.stage.after_nobody(shown);
            let next = next.ok_or(BallastError::AdlNothingCut)?;
            if played.stage == Stage::First {
                played.asked = asked(self.input, &played.state, evidence, &known)?;
                if !played.asked.is_empty() {
                    return Ok(played);
                }
            }
            if next == Stage::NextPass {
                played.state.open_pass(self.next_pass()?)?;
            }
            played.stage = next;
        }
        played.asked = asked(self.input, &played.state, evidence, &known)?;
        Ok(played)
    }

    /// Of those asked for the ones whom a new record may take out of the way: not made at the board's newest
    /// checkpoint just now, or not saying that the account is too weak for any cut.
    fn renewable(&self, order: &Order, asked: &[u32]) -> Result<Stale> {
        let site = self.input.site;
        let newest = site.board.board.checkpoints.newest()?;
        let round = self.state.round();
        let mut stale = Stale::default();
        for node in asked {
            let entry = self.input.cross.entry(*node)?;
            let weak = match order.leg(*node).map(|found| (found.member, found.stamp)) {
                Some((Member::Leg(account, _), stamp)) => {
                    let cap_left = round.cap_left(account.position.size(), stamp)?;
                    weakness(round, &account, cap_left)?
                }
                _ => None,
            };
            let current = entry.is_fresh(site.slot) && entry.base == newest;
            if !current || weak.is_some() {
                let trader = Pubkey::new_from_array(entry.position.trader);
                stale.traders.push(trader);
            }
            stale.witness |= matches!(weak, Some(Weakness::AtClose(_)));
        }
        Ok(stale)
    }

    fn plan(
        &self,
        request: &CrossRoundRequest,
        list: &[Candidate],
        played: &Played,
        stale: Stale,
    ) -> Result<CrossRoundPlan> {
        let site = self.input.site;
        let state = &played.state;
        let mut queues = CrossQueueList::of(&self.base_queues()?);
        let (mut cuts, mut legs) = (Vec::new(), Vec::new());
        for (one, done, shortened) in &played.cuts {
            let before = match &one.member {
                Member::Isolated(position) => *position,
                Member::Leg(account, place) => {
                    let trader = self.input.traders.trader(&one.trader);
                    let trader = trader.ok_or(BallastError::NoPosition)?;
                    let (given, after) = (&account.position, &done.position_after);
                    let written = site.written(trader, *place, given, after, done.payout)?;
                    queues.admit(&written, site.board, site.slot)?;
                    legs.push(LegTaken {
                        place: cuts.len(),
                        shortened: *shortened,
                        pool_after: Atoms::new(written.trader.cross_pool),
                    });
                    account.position
                }
            };
            cuts.push(PlannedCut {
                trader: one.trader,
                node: one.node,
                before,
                cut: *done,
            });
        }
        let after = state.bankrupt_after()?;
        if let Some(written) = self.bankrupt_written(request, &after)? {
            queues.admit(&written, site.board, site.slot)?;
        }
        Ok(CrossRoundPlan {
            bankrupt: request.bankrupt,
            counterparties: list.iter().map(|one| one.trader).collect(),
            queues: queues.queues().to_vec(),
            refresh: stale.traders,
            witness: stale.witness,
            cuts,
            legs,
            by_record: self.by_record,
            stage: played.stage,
            round: *state.round(),
            bankrupt_before: self.before,
            bankrupt_after: after,
            summary: state.finish()?,
        })
    }

    /// A plan that cuts nobody.
    fn nobody(&self, request: &CrossRoundRequest) -> Result<CrossRoundPlan> {
        let played = Played {
            state: self.state,
            stage: Stage::First,
            cuts: Vec::new(),
            asked: Vec::new(),
        };
        self.plan(request, &[], &played, Stale::default())
    }

    fn bankrupt_written(
        &self,
        request: &CrossRoundRequest,
        after: &Position,
    ) -> Result<Option<LegWritten>> {
        let Some(place) = self.place else {
            return Ok(None);
        };
        let trader = self.input.traders.trader(&request.bankrupt);
        let trader = trader.ok_or(BallastError::NoPosition)?;
        let site = self.input.site;
        site.written(trader, place, &self.before, after, Atoms::ZERO)
            .map(Some)
    }

    /// That of the counterparties' side; both where a leg is bankrupt.
    fn base_queues(&self) -> Result<Vec<Pubkey>> {
        let site = self.input.site;
        let market = site.board.market(site.board.place(site.market)?)?;
        Ok(match self.place {
            None => vec![market.queue(self.state.round().side)],
            Some(_) => [Side::Long, Side::Short]
                .map(|side| market.queue(side))
                .into(),
        })
    }
}

/// Cuts one; `None` where it is left alone, which `shown` counts.
fn cut(
    state: &mut Deleveraging,
    one: &Candidate,
    stage: Stage,
    shown: &mut Listed,
) -> core::result::Result<Option<(CutDone, bool)>, EngineError> {
    let (sequence, stamp) = (one.sequence, one.stamp);
    match &one.member {
        Member::Isolated(position) => {
            let done = state.cut(position, sequence, stamp)?;
            shown.count(&done);
            Ok(match done {
                Cut::Done(done) => Some((done, false)),
                Cut::Skipped(_) => None,
            })
        }
        Member::Leg(account, _) => {
            let done = state.cut_account(account, stage.bearing(), sequence, stamp)?;
            shown.count_account(&done);
            Ok(match done {
                AccountCut::Done { done, shortened } => Some((done, shortened)),
                AccountCut::Skipped(_) => None,
            })
        }
    }
}
