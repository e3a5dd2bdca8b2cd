//! A round decided again by the engine, as the program decides it.

mod cuts;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use ballast_engine::adl::{Bankruptcy, CutDone, Deleveraging, Summary};
use ballast_engine::proof::first_skipped_beyond;
use ballast_engine::queue::{queue_size, Queue, QueueEntry};
use ballast_engine::rank::{light, score_q32, Class, Exposure, Ranked, Round};
use ballast_engine::units::Side;
use ballast_engine::EngineError;

use crate::situation::{Candidate, Situation};

pub use cuts::cannot_bear_a_lot;
use cuts::cut_all;

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
    /// The position as the queue of isolated positions stores it; nothing of a leg.
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

/// The completeness proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// The counterparties' queue of isolated positions, rebuilt as an account would hold it.
struct Rebuilt {
    words: Vec<u64>,
    nodes: BTreeMap<String, u32>,
}

impl Rebuilt {
    fn new(situation: &Situation, side: Side) -> Result<Self, Refusal> {
        let size = queue_size(situation.queue.len().max(1)).unwrap_or(0);
        let mut rebuilt = Self {
            words: vec![0; size.div_ceil(8)],
            nodes: BTreeMap::new(),
        };
        let bytes = bytemuck::cast_slice_mut(&mut rebuilt.words);
        Queue::create(bytes, [0; 32], side).map_err(at("the queue"))?;
        let isolated = situation.queue.iter().filter(|one| one.leg.is_none());
        let mut by_age: Vec<&Candidate> = isolated.collect();
        by_age.sort_by_key(|candidate| candidate.sequence);
        for candidate in by_age {
            let mut queue = rebuilt.queue().map_err(at("the queue"))?;
            let node = queue
                .insert([0; 32], &candidate.position)
                .and_then(|node| queue.stamp(node, candidate.stamp).map(|()| node))
                .map_err(at(&format!("queueing {}", candidate.trader)))?;
            if rebuilt
                .nodes
                .insert(candidate.trader.clone(), node)
                .is_some()
            {
                return Err(Refusal::Twice(candidate.trader.clone()));
            }
        }
        Ok(rebuilt)
    }

    /// A position as it is stored, its age among those that were rebuilt; nothing of a leg.
    fn stored(&mut self, candidate: &Candidate) -> Result<Option<QueueEntry>, EngineError> {
        if candidate.leg.is_some() {
            return Ok(None);
        }
        let node = self.nodes.get(&candidate.trader).copied();
        let node = node.ok_or(EngineError::NodeNotFound)?;
        Ok(Some(*self.queue()?.as_ref().entry(node)?))
    }

    fn queue(&mut self) -> Result<Queue<'_>, EngineError> {
        Queue::new(bytemuck::cast_slice_mut(&mut self.words))
    }
}

/// Decides a round again.
pub fn decide(situation: &Situation) -> Result<Decision, Refusal> {
    let side = situation.position.side();
    let side = side.ok_or_else(|| at("the bankrupt position")(EngineError::NoPosition))?;
    let mut rebuilt = Rebuilt::new(situation, side.opposite())?;
    let mut state = begin(situation).map_err(at("the bankruptcy"))?;
    let opened = situation.passes_before.saturating_add(1);
    // Where legs were cut the event says whether a pass was opened.
    let alone = situation.queue.iter().all(|one| one.leg.is_none());
    let reopened = alone && situation.pass_before != 0 && {
        let queue = rebuilt.queue().map_err(at("the queue"))?;
        state
            .pass_is_used_up(&queue.as_ref())
            .map_err(at("the ranking"))?
    };
    if reopened {
        state.open_pass(opened).map_err(at("the next pass"))?;
    }
    if situation.order_proven {
        state.trust_order();
    }
    let mut ranking = ranking(situation, &mut rebuilt, state.round()).map_err(at("the ranking"))?;
    let listed = cut_all(situation, &mut rebuilt, &mut state)?;
    let round = *state.round();
    let queue = rebuilt.queue().map_err(at("the queue"))?;
    let last = state.last_ranked();
    let walk = first_skipped_beyond(&queue.as_ref(), &round, last, listed.last_node)
        .map_err(at("the proof"))?;
    fates(&mut ranking, &listed.cuts, &round, last).map_err(at("the ranking"))?;
    Ok(Decision {
        round,
        reopened,
        passes: if situation.pass_before == 0 || reopened {
            opened
        } else {
            situation.passes_before
        },
        ranking,
        cuts: listed.cuts,
        passed_by: listed.passed_by,
        summary: state.finish().map_err(at("the totals"))?,
        proof: Proof {
            visited: walk.visited,
            found: walk.skipped.is_some(),
        },
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
    rebuilt: &mut Rebuilt,
    round: &Round,
) -> Result<Vec<Place>, EngineError> {
    let mut places = Vec::with_capacity(situation.queue.len());
    for candidate in &situation.queue {
        let position = &candidate.position;
        let stored = rebuilt.stored(candidate)?;
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
