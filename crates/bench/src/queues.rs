//! Queue accounts of any length, written by the engine as the program writes them.

use anyhow::Result;
use ballast_client::ranking::AdlPlan;
use ballast_engine::proof::{first_skipped, Threshold, Walk};
use ballast_engine::queue::{CutStamp, Queue, QueueRef};
use ballast_state::queue_account::QUEUE_DISCRIMINATOR;

use crate::population::Source;

/// The body of a queue account, aligned as the engine needs it.
#[derive(Clone)]
pub struct QueueBytes {
    words: Vec<u64>,
}

impl QueueBytes {
    /// Takes the data of a queue account.
    pub fn of_account(data: &[u8]) -> Result<Self> {
        let body = data.strip_prefix(&QUEUE_DISCRIMINATOR);
        let body = body.unwrap_or_default();
        let mut words = vec![0_u64; body.len() / 8];
        let length = words.len() * 8;
        bytemuck::cast_slice_mut(&mut words).copy_from_slice(&body[..length]);
        let bytes = Self { words };
        bytes.view()?;
        Ok(bytes)
    }

    /// The data of a queue account with this body.
    pub fn to_account(&self) -> Vec<u8> {
        let mut data = QUEUE_DISCRIMINATOR.to_vec();
        data.extend_from_slice(bytemuck::cast_slice(&self.words));
        data
    }

    /// The queue, to read.
    pub fn view(&self) -> Result<QueueRef<'_>> {
        QueueRef::new(bytemuck::cast_slice(&self.words)).map_err(anyhow::Error::from)
    }

    /// The queue, to write.
    pub fn queue(&mut self) -> Result<Queue<'_>> {
        Queue::new(bytemuck::cast_slice_mut(&mut self.words)).map_err(anyhow::Error::from)
    }

    /// Adds positions until the queue holds `length`.
    pub fn fill(&mut self, source: &mut Source<'_>, length: u32) -> Result<()> {
        let mut queue = self.queue()?;
        while queue.as_ref().len() < length {
            let key = source.key();
            queue.insert(key, &source.position()?)?;
        }
        Ok(())
    }

    /// Sum of the lots of all positions.
    pub fn lots(&self) -> Result<u64> {
        let mut sum = 0;
        for step in self.view()?.iter() {
            sum += u64::from(step?.1.lots);
        }
        Ok(sum)
    }

    /// Opens a pass and stamps every position as cut to its cap in it. Its number.
    pub fn exhaust(&mut self) -> Result<u32> {
        let mut queue = self.queue()?;
        let epoch = queue.open_pass(0)?;
        let nodes: Result<Vec<u32>, _> = queue
            .as_ref()
            .iter()
            .map(|step| step.map(|(node, _)| node))
            .collect();
        let stamp = CutStamp {
            epoch,
            lots: 1,
            capped_epoch: epoch,
        };
        for node in nodes? {
            queue.stamp(node, stamp)?;
        }
        Ok(epoch)
    }

    /// Cuts as the plan does, as the program stamps them.
    pub fn cut(&mut self, plan: &AdlPlan) -> Result<()> {
        let mut queue = self.queue()?;
        for planned in &plan.cuts {
            let after = &planned.cut.position_after;
            let done = if after.is_empty() {
                queue.remove(planned.node)
            } else {
                queue.update_cut(planned.node, after, planned.cut.stamp)
            };
            done?;
        }
        Ok(())
    }

    /// The completeness proof after the plan's cuts, which [`Self::cut`] has made.
    pub fn prove(&self, plan: &AdlPlan) -> Result<Walk> {
        let last = plan.cuts.last();
        let threshold = last.map_or(Threshold::Everyone, |planned| {
            Threshold::Beyond(planned.cut.ranked.exposure)
        });
        let ignore = last
            .filter(|planned| !planned.cut.position_after.is_empty())
            .map(|planned| planned.node);
        first_skipped(&self.view()?, &plan.round, &threshold, ignore).map_err(anyhow::Error::from)
    }
}
