//! A round decided again by the engine, as the program decides it.

mod cuts;
mod rebuilt;

use std::cmp::Ordering;

use ballast_engine::adl::{Bankruptcy, CutDone, Deleveraging, Summary};
use ballast_engine::proof::first_skipped_beyond;
use ballast_engine::queue::QueueEntry;
use ballast_engine::rank::{light, score_q32, Class, Exposure, Ranked, Round};
use ballast_engine::EngineError;

use crate::situation::{Candidate, Situation};

pub use cuts::cannot_bear_a_lot;
use cuts::cut_all;
use rebuilt::Rebuilt;

/// What the engine makes of a situation.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What the ranking depends on: close price, pass, parameters.
    pub round: Round,
    /// Whether the round opened another pass because everybody was at the cap.
    pub reopened: bool,
    /// Passes that the queue has opened when the round is over.
    pub passes: u32,
    /// Every position of the queue before the round, by falling rank.
    pub ranking: Vec<Place>,
    /// What was cut, in order.
    pub cuts: Vec<Done>,
    /// Listed traders who were not cut, and why.
    pub passed_by: Vec<(String, &'static str)>,
    /// Lots and atoms of all cuts together.
    pub summary: Summary,
    /// The program's proof that nobody was skipped.
    pub proof: Proof,
}

/// A position of the queue before the round.
#[derive(Clone, Debug)]
pub struct Place {
    /// Trader account.
    pub trader: String,
    /// Rank, from 1.
    pub rank: usize,
    /// The position.
    pub candidate: Candidate,
    /// Entry, bankruptcy, class and score.
    pub ranked: Ranked,
    /// Score in units of 2^-32, rounded down.
    pub score_q32: i128,
    /// Lots that the pass may still cut.
    pub cap_left: u64,
    /// Lots that the pass has cut before.
    pub already_cut: u64,
    /// Indicator lights, 5 next to be cut, 1 last; 0 cannot be cut.
    pub lights: u8,
    /// The position as the queue stores it, where all of that is known.
    pub stored: Option<QueueEntry>,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a position in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
pub enum Fate {
    /// Cut by this many lots.
    #[strum(serialize = "cut")]
    Cut(u64),
    /// At its cap for this pass: outside the ranking.
    #[strum(serialize = "at its cap")]
    AtCap,
    /// Insolvent at the close price: never cut.
    #[strum(serialize = "never cut")]
    Insolvent,
    /// Ranks below the last one cut.
    #[strum(serialize = "below the threshold")]
    Below,
    /// Ranks above the last one cut, by no more than the tolerance.
    #[strum(serialize = "within the tolerance")]
    Tolerated,
    /// Ranks above the last one cut and was left out.
    #[strum(serialize = "skipped")]
    Skipped,
}

/// A counterparty that was cut.
#[derive(Clone, Debug)]
pub struct Done {
    /// Trader account.
    pub trader: String,
    /// Lots still to close when its turn came.
    pub wanted: u64,
    /// Lots closed and what the engine made of the position.
    pub cut: CutDone,
    /// Whether it was shorter than the cap for the sake of a leg's account.
    pub shortened: bool,
}

/// The completeness proof; nothing where the queue is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// Queue nodes looked at.
    pub visited: u32,
    /// Whether somebody was found who was skipped.
    pub found: bool,
}

/// Why a round cannot be decided again as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The engine refuses a step.
    Engine {
        /// The step of the round, in words.
        step: String,
        /// Why the engine refuses it.
        error: EngineError,
    },
    /// The list names somebody who is not in the queue.
    Unknown(String),
    /// The list names somebody twice.
    Twice(String),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Engine { step, error } => {
                write!(formatter, "{step}: the engine refuses: {error}")
            }
            Self::Unknown(trader) => {
                write!(formatter, "{trader} was listed but is not in the queue")
            }
            Self::Twice(trader) => write!(formatter, "{trader} stands twice"),
        }
    }
}

fn at(step: &str) -> impl FnOnce(EngineError) -> Refusal + '_ {
    move |error| Refusal::Engine {
        step: step.to_owned(),
        error,
    }
}

/// What is known of the queue that a round was decided from.
trait Known {
    /// A position as the queue stores it, its age among those that are known.
    fn stored(&mut self, candidate: &Candidate) -> Result<Option<QueueEntry>, EngineError>;

    /// Follows a cut in the queue.
    fn follow(&mut self, candidate: &Candidate, cut: &CutDone) -> Result<(), EngineError>;
}

/// Nothing but who was cut.
struct OnlyCuts;

impl Known for OnlyCuts {
    fn stored(&mut self, _: &Candidate) -> Result<Option<QueueEntry>, EngineError> {
        Ok(None)
    }

    fn follow(&mut self, _: &Candidate, _: &CutDone) -> Result<(), EngineError> {
        Ok(())
    }
}

/// Decides a round again whose whole queue is known, all of it isolated positions, and proves that nobody was skipped.
pub fn decide(situation: &Situation) -> Result<Decision, Refusal> {
    let side = situation.position.side();
    let side = side.ok_or_else(|| at("the bankrupt position")(EngineError::NoPosition))?;
    let mut rebuilt = Rebuilt::new(situation, side.opposite())?;
    let mut state = begin(situation).map_err(at("the bankruptcy"))?;
    let opened = situation.passes_before.saturating_add(1);
    let reopened = situation.pass_before != 0 && {
        let queue = rebuilt.queue().map_err(at("the queue"))?;
        state
            .pass_is_used_up(&queue.as_ref())
            .map_err(at("the ranking"))?
    };
    if reopened {
        state.open_pass(opened).map_err(at("the next pass"))?;
    }
    let mut decision = go_through(situation, &mut rebuilt, &mut state)?;
    decision.reopened = reopened;
    if situation.pass_before == 0 || reopened {
        decision.passes = opened;
    }
    let ignore = rebuilt.last_node;
    let queue = rebuilt.queue().map_err(at("the queue"))?;
    let last = state.last_ranked();
    let walk = first_skipped_beyond(&queue.as_ref(), state.round(), last, ignore)
        .map_err(at("the proof"))?;
    decision.proof = Proof {
        visited: walk.visited,
        found: walk.skipped.is_some(),
    };
    Ok(decision)
}

/// Decides a round again of whose queues only those who were cut are known, and proves nothing of the others.
pub fn decide_cuts(situation: &Situation) -> Result<Decision, Refusal> {
    let mut state = begin(situation).map_err(at("the bankruptcy"))?;
    go_through(situation, &mut OnlyCuts, &mut state)
}

fn go_through(
    situation: &Situation,
    queue: &mut impl Known,
    state: &mut Deleveraging,
) -> Result<Decision, Refusal> {
    if situation.order_proven {
        state.trust_order();
    }
    let mut ranking = ranking(situation, queue, state.round()).map_err(at("the ranking"))?;
    let listed = cut_all(situation, queue, state)?;
    let round = *state.round();
    fates(&mut ranking, &listed.cuts, &round, state.last_ranked()).map_err(at("the ranking"))?;
    Ok(Decision {
        round,
        reopened: false,
        passes: situation.passes_before,
        ranking,
        cuts: listed.cuts,
        passed_by: listed.passed_by,
        summary: state.finish().map_err(at("the totals"))?,
        proof: Proof::default(),
    })
}

fn begin(situation: &Situation) -> Result<Deleveraging, EngineError> {
    let opened = situation.passes_before.saturating_add(1);
    let first = situation.pass_before == 0;
    Deleveraging::begin(&Bankruptcy {
        position: situation.position,
        mark: situation.mark,
        funding_index: situation.funding_index,
        insurance_available: situation.insurance_available,
        // Whether insurance had to be asked first is not decided here.
        past_grace: true,
        taker: None,
        max_lots: situation.max_lots,
        least_lots: situation.least_lots,
        params: &situation.params,
        epoch: if first { opened } else { situation.pass_before },
        passes: if first {
            opened
        } else {
            situation.passes_before
        },
    })
}

fn ranking(
    situation: &Situation,
    queue: &mut impl Known,
    round: &Round,
) -> Result<Vec<Place>, EngineError> {
    let mut places = Vec::with_capacity(situation.queue.len());
    for candidate in &situation.queue {
        let position = &candidate.position;
        let stored = queue.stored(candidate)?;
        let sequence = stored.map_or(candidate.sequence, |stored| stored.sequence);
        let exposure = Exposure::of_position(position, round.funding_index, sequence)?;
        places.push(Place {
            trader: candidate.trader.clone(),
            rank: 0,
            candidate: candidate.clone(),
            ranked: match candidate.leg {
                Some(_) => Ranked::of_account(round, &exposure)?,
                None => Ranked::new(round, &exposure)?,
            },
            score_q32: score_q32(round, &exposure)?,
            cap_left: round.cap_left(position.size(), candidate.stamp)?,
            already_cut: round.lots_cut(candidate.stamp),
            lights: 0,
            stored,
            fate: Fate::Below,
        });
    }
    let mut failure = None;
    places.sort_by(|one, two| {
        two.ranked.compare(&one.ranked).unwrap_or_else(|error| {
            failure = Some(error);
            Ordering::Equal
        })
    });
    if let Some(error) = failure {
        return Err(error);
    }
    let eligible = places.iter().filter(|place| place.eligible()).count();
    let eligible = u32::try_from(eligible).map_err(|_| EngineError::Overflow)?;
    for (rank, place) in (0_u32..).zip(&mut places) {
        place.lights = if place.eligible() {
            light(rank, eligible)
        } else {
            0
        };
        place.rank = usize::try_from(rank).map_or(0, |rank| rank + 1);
    }
    Ok(places)
}

impl Place {
    /// Whether it is solvent at the close price.
    pub fn eligible(&self) -> bool {
        self.ranked.class != Class::Ineligible
    }

    /// Its class in a word.
    pub const fn class_name(&self) -> &'static str {
        match self.ranked.class {
            Class::Winner => "winner",
            Class::Other => "other",
            Class::Ineligible => "insolvent at the close price",
        }
    }
}

fn fates(
    ranking: &mut [Place],
    cuts: &[Done],
    round: &Round,
    last: Option<&Ranked>,
) -> Result<(), EngineError> {
    for place in ranking {
        let cut = cuts.iter().find(|done| done.trader == place.trader);
        place.fate = match cut {
            Some(done) => Fate::Cut(done.cut.lots),
            None if !place.eligible() => Fate::Insolvent,
            None if place.cap_left == 0 => Fate::AtCap,
            None => spared(&place.ranked, last, round.rank_tolerance_bps)?,
        };
    }
    Ok(())
}

/// How a position that could have been cut stands to the last one that was.
fn spared(spared: &Ranked, last: Option<&Ranked>, tolerance: u32) -> Result<Fate, EngineError> {
    let Some(last) = last else {
        return Ok(Fate::Skipped);
    };
    if spared.compare(last)? != Ordering::Greater {
        return Ok(Fate::Below);
    }
    let tolerated = spared.class == last.class
        && tolerance > 0
        && !spared.score.beats(&last.score, tolerance)?;
    Ok(if tolerated {
        Fate::Tolerated
    } else {
        Fate::Skipped
    })
}
