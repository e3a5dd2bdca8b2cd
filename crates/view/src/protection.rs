//! Protective steps of a position, and whether they are for the one of today.

use anyhow::Result;
use ballast_client::accounts::CrossQueueSnapshot;
use ballast_engine::protection::ProtectiveStep;
use ballast_engine::units::Side;
use ballast_state::position_slot::PositionSlot;
use ballast_state::protection::Protection;
use serde::Serialize;

use crate::failure::Computed;
use crate::state::MarketState;
use crate::units::{percent_of_bps, Units};

/// Protective steps as they are printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProtectionView {
    /// Whether they are for the position of today; steps of one that has ended do nothing.
    pub in_force: bool,
    /// Lots that the position had when they were set, + long, - short; 0 without steps.
    pub base_lots: i64,
    slip_bps: u32,
    steps: Vec<StepView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct StepView {
    ratio_bps: u32,
    keep_bps: u32,
}

impl ProtectionView {
    /// The steps of a trader account beside what its slot in the market holds; `None` where the account is
    /// not in the market. The state has to have its queues.
    ///
    /// # Errors
    /// When the queues were not read or cannot be.
    pub fn new(
        protection: &Protection,
        slot: Option<&PositionSlot>,
        state: &MarketState,
    ) -> Result<Self> {
        let in_force = match (side_of(slot)?, slot) {
            (Some(side), Some(slot)) => {
                let queue = state.queue(side)?.queue()?;
                protection.is_for(side, queue.entry(slot.queue_node).computed()?)
            }
            _ => false,
        };
        Ok(Self::at(protection, in_force))
    }

    /// The same of a leg, beside the cross queue that it stands in.
    ///
    /// # Errors
    /// When the queue cannot be read.
    pub fn of_leg(
        protection: &Protection,
        leg: &PositionSlot,
        queue: &CrossQueueSnapshot,
    ) -> Result<Self> {
        let in_force = match side_of(Some(leg))? {
            Some(side) => {
                let queue = queue.queue()?;
                let entry = queue.entry(leg.queue_node).computed()?;
                protection.is_for(side, &entry.position)
            }
            None => false,
        };
        Ok(Self::at(protection, in_force))
    }

    fn at(protection: &Protection, in_force: bool) -> Self {
        let steps = protection.steps().iter();
        Self {
            in_force,
            base_lots: protection.base_lots,
            slip_bps: protection.slip_bps,
            steps: steps
                .map(|step| StepView {
                    ratio_bps: step.ratio_bps,
                    keep_bps: step.keep_bps,
                })
                .collect(),
        }
    }

    /// Whether there are steps at all.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.base_lots != 0
    }

    /// In a line.
    #[must_use]
    pub fn words(&self, units: Units) -> String {
        let steps: Vec<_> = self.steps.iter().map(StepView::step).collect();
        format!(
            "set for {}: {}; at {} from the mark or better",
            units.show_size(self.base_lots.unsigned_abs()),
            words(&steps),
            percent_of_bps(self.slip_bps.into())
        )
    }

    /// In a few signs, for a table: `150.00 %:50.00 %`; `ended` where they are for a position that is no more.
    #[must_use]
    pub fn brief(&self) -> String {
        if !self.in_force {
            return "ended".to_owned();
        }
        let one = |step: &StepView| {
            let (ratio, keep) = (step.ratio_bps.into(), step.keep_bps.into());
            format!("{}:{}", percent_of_bps(ratio), percent_of_bps(keep))
        };
        self.steps.iter().map(one).collect::<Vec<_>>().join(" ")
    }
}

impl StepView {
    const fn step(&self) -> ProtectiveStep {
        ProtectiveStep {
            ratio_bps: self.ratio_bps,
            keep_bps: self.keep_bps,
        }
    }
}

/// Side of the position of a slot, where there is one.
fn side_of(slot: Option<&PositionSlot>) -> Result<Option<Side>> {
    let position = slot.map(PositionSlot::position).transpose();
    let position = position.map_err(anyhow::Error::from)?;
    Ok(position.and_then(|position| position.side()))
}

/// Steps in words.
#[must_use]
pub fn words(steps: &[ProtectiveStep]) -> String {
    let one = |step: &ProtectiveStep| {
        let ratio = percent_of_bps(step.ratio_bps.into());
        match step.keep_bps {
            0 => format!("below a margin ratio of {ratio} it is closed"),
            keep => format!(
                "below a margin ratio of {ratio} {} of it stay open",
                percent_of_bps(keep.into())
            ),
        }
    };
    steps.iter().map(one).collect::<Vec<_>>().join(", ")
}
