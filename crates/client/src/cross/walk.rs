//! Who stands in the ranking of a round, and whom the proof asks for.

use core::cmp::Ordering;

use ballast_engine::adl::Deleveraging;
use ballast_engine::cross::cut::Counterparty;
use ballast_engine::cross::walk::{first_skipped_account, Evidence};
use ballast_engine::position::Position;
use ballast_engine::proof::best_below;
use ballast_engine::queue::CutStamp;
use ballast_engine::rank::{Exposure, Ranked};
use ballast_state::error::{BallastError, Result};
use ballast_state::trader::Trader;
use ballast_state::Pubkey;

use super::CrossRoundInput;
use crate::ranking::position_of;

/// Most accounts that one look at a queue finds to be asked for; who else is comes up the next time.
const MOST_ASKED: usize = 64;

/// What a member of the ranking is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Member {
    /// An isolated position, funding paid.
    Isolated(Position),
    /// A leg, at its place among those of its account.
    Leg(Counterparty, usize),
}

/// Somebody in the ranking.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub trader: Pubkey,
    pub node: u32,
    pub sequence: u64,
    pub stamp: CutStamp,
    pub ranked: Ranked,
    pub member: Member,
}

/// The ranking of a round: the highest isolated positions and every leg, the first to be cut first.
#[derive(Clone, Debug, Default)]
pub(super) struct Order {
    pub all: Vec<Candidate>,
    /// Nodes of legs whose accounts cannot be valued, and why.
    pub unknown: Vec<(u32, BallastError)>,
}

impl Order {
    /// With at most `most` isolated positions.
    pub fn of(input: &CrossRoundInput<'_>, state: &Deleveraging, most: usize) -> Result<Self> {
        let mut order = Self::default();
        order.isolated(input, state, most)?;
        order.legs(input, state)?;
        order.sort()?;
        Ok(order)
    }

    fn isolated(
        &mut self,
        input: &CrossRoundInput<'_>,
        state: &Deleveraging,
        most: usize,
    ) -> Result<()> {
        let (round, queue) = (*state.round(), &input.isolated);
        let mut after: Option<Exposure> = None;
        while self.all.len() < most {
            let Some(node) = best_below(queue, &round, after.as_ref())? else {
                break;
            };
            let entry = queue.entry(node)?;
            let exposure = Exposure::of_entry(entry, round.side, round.funding_index);
            self.all.push(Candidate {
                trader: Pubkey::new_from_array(entry.trader),
                node,
                sequence: entry.sequence,
                stamp: entry.stamp(),
                ranked: Ranked::new(&round, &exposure)?,
                member: Member::Isolated(position_of(entry, round.side, round.funding_index)?),
            });
            after = Some(exposure);
        }
        Ok(())
    }

    fn legs(&mut self, input: &CrossRoundInput<'_>, state: &Deleveraging) -> Result<()> {
        for step in input.cross.iter() {
            let (node, entry) = step?;
            let position = &entry.position;
            let trader = Pubkey::new_from_array(position.trader);
            let Some(account) = input.traders.trader(&trader) else {
                self.unknown.push((node, BallastError::NoPosition));
                continue;
            };
            let (counterparty, place) = match counterparty(input, account) {
                Ok(found) => found,
                Err(error) => {
                    self.unknown.push((node, error));
                    continue;
                }
            };
            if let Some(ranked) = state.rank_account(&counterparty, position.sequence)? {
                self.all.push(Candidate {
                    trader,
                    node,
                    sequence: position.sequence,
                    stamp: position.stamp(),
                    ranked,
                    member: Member::Leg(counterparty, place),
                });
            }
        }
        Ok(())
    }

    fn sort(&mut self) -> Result<()> {
        sort(&mut self.all)
    }

    /// The leg of this node.
    pub fn leg(&self, node: u32) -> Option<&Candidate> {
        let mut legs = self.all.iter();
        legs.find(|one| matches!(one.member, Member::Leg(..)) && one.node == node)
    }
}

/// The highest ranked first.
pub(super) fn sort(all: &mut [Candidate]) -> Result<()> {
    let mut failure = None;
    all.sort_by(|one, other| {
        other.ranked.compare(&one.ranked).unwrap_or_else(|error| {
            failure = Some(error);
            Ordering::Equal
        })
    });
    failure.map_or(Ok(()), |error| Err(error.into()))
}

/// The account's leg in the market as a counterparty, and its place.
fn counterparty(input: &CrossRoundInput<'_>, trader: &Trader) -> Result<(Counterparty, usize)> {
    let site = input.site;
    let scene = site.scene();
    let legs = scene.legs(trader)?;
    let index = trader.find_leg(&site.key);
    let place = legs.place_of(index.ok_or(BallastError::NoPosition)?)?;
    let account = legs.account();
    let values = account.values()?;
    Ok((account.counterparty(&values, place)?, place))
}

/// Nodes of the legs that the proof asks for once `state` has cut those it has, beside the `known`.
pub(super) fn asked(
    input: &CrossRoundInput<'_>,
    state: &Deleveraging,
    evidence: &Evidence<'_>,
    known: &[u32],
) -> Result<Vec<u32>> {
    let (round, last, slot) = (state.round(), state.last_ranked(), input.site.slot);
    let mut known = known.to_vec();
    known.sort_unstable();
    let mut asked = Vec::new();
    while asked.len() < MOST_ASKED {
        let walk = first_skipped_account(&input.cross, round, last, evidence, &known, slot)?;
        let Some(node) = walk.skipped else {
            break;
        };
        asked.push(node);
        let place = known.partition_point(|one| *one < node);
        known.insert(place, node);
    }
    Ok(asked)
}
