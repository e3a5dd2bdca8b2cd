//! A program that runs the completeness proof over one queue and does nothing else.
//!
//! Its only account is a queue as Ballast keeps it: a discriminator of 8 bytes, then the engine's
//! queue. Instruction data: the bytes of a [`Question`], or nothing, which costs what the program
//! costs without a proof. Return data: the bytes of an [`Answer`].

use ballast_engine::{
    proof::{first_skipped, Threshold},
    queue::QueueRef,
    rank::{ClosePrice, Exposure, Round},
    units::{FundingIndex, LotPrice, Side},
    EngineError,
};
use bytemuck::{Pod, Zeroable};

#[cfg(target_os = "solana")]
mod entrypoint;

/// Bytes before the engine's queue in an account.
pub const DISCRIMINATOR_SIZE: usize = 8;

/// No node.
const NONE: u32 = u32::MAX;

/// A round and how far down the ranking it reached.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Question {
    mark: u64,
    close_quote: i64,
    close_lots: u64,
    funding_index: i64,
    last_lots: u64,
    last_entry: u64,
    last_bankruptcy_low: u64,
    last_bankruptcy_high: i64,
    last_sequence: u64,
    min_profit_bps: u32,
    rank_tolerance_bps: u32,
    max_close_bps: u32,
    epoch: u32,
    ignore: u32,
    short: u32,
}

/// What the walk found.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Answer {
    skipped: u32,
    /// Nodes looked at.
    pub visited: u32,
}

impl Question {
    /// A question in bytes.
    #[must_use]
    pub fn new(round: &Round, last: &Exposure, ignore: Option<u32>) -> Self {
        let bankruptcy = last.bankruptcy.to_le_bytes();
        let (low, high) = bankruptcy.split_at(8);
        let half = |bytes: &[u8]| <[u8; 8]>::try_from(bytes).unwrap_or_default();
        Self {
            mark: round.mark.get(),
            close_quote: round.close.quote,
            close_lots: round.close.lots,
            funding_index: round.funding_index.get(),
            last_lots: last.lots,
            last_entry: last.entry,
            last_bankruptcy_low: u64::from_le_bytes(half(low)),
            last_bankruptcy_high: i64::from_le_bytes(half(high)),
            last_sequence: last.sequence,
            min_profit_bps: round.min_profit_bps,
            rank_tolerance_bps: round.rank_tolerance_bps,
            max_close_bps: round.max_close_bps,
            epoch: round.epoch,
            ignore: ignore.unwrap_or(NONE),
            short: u32::from(round.side == Side::Short),
        }
    }

    fn round(&self) -> Result<Round, EngineError> {
        Ok(Round {
            side: self.side(),
            mark: LotPrice::new(self.mark)?,
            close: ClosePrice {
                quote: self.close_quote,
                lots: self.close_lots,
            },
            funding_index: FundingIndex::new(self.funding_index),
            min_profit_bps: self.min_profit_bps,
            rank_tolerance_bps: self.rank_tolerance_bps,
            max_close_bps: self.max_close_bps,
            // How many lots are cut is no part of the walk.
            least_lots: 0,
            epoch: self.epoch,
        })
    }

    const fn side(&self) -> Side {
        match self.short {
            0 => Side::Long,
            _ => Side::Short,
        }
    }

    fn last(&self) -> Exposure {
        Exposure {
            side: self.side(),
            lots: self.last_lots,
            entry: self.last_entry,
            bankruptcy: (i128::from(self.last_bankruptcy_high) << 64)
                | i128::from(self.last_bankruptcy_low),
            sequence: self.last_sequence,
        }
    }

    /// Runs the proof over the bytes of a queue account.
    ///
    /// # Errors
    /// `QueueLayout`; those of the proof.
    pub fn ask(&self, account: &[u8]) -> Result<Answer, EngineError> {
        let queue = account
            .get(DISCRIMINATOR_SIZE..)
            .ok_or(EngineError::QueueLayout)?;
        let threshold = Threshold::Beyond(self.last());
        let ignore = (self.ignore != NONE).then_some(self.ignore);
        let walk = first_skipped(&QueueRef::new(queue)?, &self.round()?, &threshold, ignore)?;
        Ok(Answer {
            skipped: walk.skipped.unwrap_or(NONE),
            visited: walk.visited,
        })
    }
}

impl Answer {
    /// The node that was passed over, if any.
    #[must_use]
    pub fn skipped(&self) -> Option<u32> {
        (self.skipped != NONE).then_some(self.skipped)
    }
}
