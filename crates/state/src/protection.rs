//! Protective steps of a position: below which margin ratio anybody may reduce it through the book.

use ballast_engine::{
    position::Position,
    price_levels::margin_ratio_bps,
    protection::{check_steps, protective, worst_price, ProtectiveStep, MAX_STEPS},
    queue::QueueEntry,
    risk::RiskParams,
    units::{LotPrice, Lots, Side, Ticks},
};

use crate::{
    derives::*,
    error::{ensure, BallastError, Result},
    trigger::Trigger,
    Pubkey,
};

/// First bytes of an account of protective steps.
pub const PROTECTION_DISCRIMINATOR: [u8; 8] = [41, 63, 154, 141, 26, 157, 118, 214];
/// Layout version written by this program.
pub const PROTECTION_VERSION: u8 = 1;

/// The protective steps of a trader in a market. They belong to one position: that of the node whose
/// sequence number they name, and end with it. PDA `["protection", trader, market]`.
#[cfg_attr(feature = "anchor", account(zero_copy))]
#[cfg_attr(not(feature = "anchor"), derive(Clone, Copy, Pod, Zeroable))]
#[derive(Debug)]
#[repr(C)]
pub struct Protection {
    /// Layout version. Written once.
    pub version: u8,
    /// Bump of this address. Written once.
    pub bump: u8,
    /// Always zero; aligns what follows.
    pub _padding: [u8; 2],
    /// How far from the mark the fills may lie, basis points of the mark; 0 without steps.
    pub slip_bps: u32,
    /// The market. Written once.
    pub market: Pubkey,
    /// The trader account. Written once.
    pub trader: Pubkey,
    /// Owner of the trader account, who gets the rent back. Written once.
    pub owner: Pubkey,
    /// Sequence number of the position in the queue of its side.
    pub sequence: u64,
    /// Its lots when the steps were set, + long, - short; 0 without steps.
    pub base_lots: i64,
    /// The steps, then zeros.
    pub steps: [ProtectiveStep; MAX_STEPS],
    /// Zero; room for later versions.
    pub reserved: [u8; 32],
}

const _: () = {
    assert!(core::mem::size_of::<Protection>() == 184);
    assert!(core::mem::offset_of!(Protection, market) == 8);
    assert!(core::mem::offset_of!(Protection, trader) == 40);
    assert!(core::mem::offset_of!(Protection, sequence) == 104);
    assert!(core::mem::offset_of!(Protection, steps) == 120);
    assert!(core::mem::offset_of!(Protection, reserved) == 152);
};

impl Protection {
    /// Bytes of the account, discriminator included.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// Fails unless these are the steps of `trader` in `market`.
    ///
    /// # Errors
    /// `WrongProtection`.
    pub fn require_of(&self, trader: &Pubkey, market: &Pubkey) -> Result<()> {
        ensure(
            self.trader == *trader && self.market == *market,
            BallastError::WrongProtection,
        )
    }

    /// The steps.
    #[must_use]
    pub fn steps(&self) -> &[ProtectiveStep] {
        let used = self.steps.iter().take_while(|step| step.ratio_bps > 0);
        self.steps.get(..used.count()).unwrap_or_default()
    }

    /// Sets `steps` for the position of `lots`, + long, - short, whose node has this sequence number.
    ///
    /// # Errors
    /// `ProtectiveSteps`; `NoPosition` without lots.
    pub fn set(
        &mut self,
        steps: &[ProtectiveStep],
        slip_bps: u32,
        lots: i64,
        sequence: u64,
    ) -> Result<()> {
        check_steps(steps, slip_bps)?;
        ensure(lots != 0, BallastError::NoPosition)?;
        self.clear();
        for (slot, step) in self.steps.iter_mut().zip(steps) {
            *slot = *step;
        }
        self.slip_bps = slip_bps;
        self.base_lots = lots;
        self.sequence = sequence;
        Ok(())
    }

    /// Forgets the steps.
    pub fn clear(&mut self) {
        self.steps = [ProtectiveStep::default(); MAX_STEPS];
        self.slip_bps = 0;
        self.base_lots = 0;
        self.sequence = 0;
    }

    /// Whether the position on `side` with the node `entry` is the one that the steps are for.
    #[must_use]
    pub fn is_for(&self, side: Side, entry: &QueueEntry) -> bool {
        let same = match side {
            Side::Long => self.base_lots > 0,
            Side::Short => self.base_lots < 0,
        };
        same && entry.sequence == self.sequence && entry.trader == self.trader.to_bytes()
    }

    /// What the steps ask for of the isolated position that they are for, at `mark`, ticks, which is `price` a
    /// lot; see [`Self::due_at_ratio`]. Funding must have been settled.
    ///
    /// # Errors
    /// `RiskTiers`, `Overflow`, `SizeOutOfRange`.
    pub fn due(
        &self,
        position: &Position,
        mark: Ticks,
        price: LotPrice,
        params: &RiskParams,
    ) -> Result<Option<Due>> {
        match margin_ratio_bps(position, price, params)? {
            Some(ratio) => self.due_at_ratio(position.lots, ratio, mark),
            None => Ok(None),
        }
    }

    /// What the steps ask for of a position of `lots`, + long, - short, at this margin ratio, basis points, its own
    /// or that of the account whose leg it is, and at `mark`, ticks: the step, and the trigger that it becomes. That
    /// closes the step's lots within the slip, for as large a part of the keepers' reward as they are of the
    /// position, when the steps were set or today, whichever was larger. `None` where there is nothing to do.
    ///
    /// # Errors
    /// `Overflow`, `SizeOutOfRange`.
    pub fn due_at_ratio(&self, lots: Lots, ratio: i64, mark: Ticks) -> Result<Option<Due>> {
        let base_lots = self.base_lots.unsigned_abs();
        let Some(side) = lots.side() else {
            return Ok(None);
        };
        let Some(asked) = protective(self.steps(), base_lots, lots, ratio)? else {
            return Ok(None);
        };
        let whole = base_lots.max(lots.size());
        let narrow = |lots: u64| u32::try_from(lots).map_err(|_| BallastError::SizeOutOfRange);
        let trigger = Trigger {
            price_ticks: mark.get(),
            worst_ticks: worst_price(side, mark, self.slip_bps)?.get(),
            lots: narrow(asked.lots)?,
            placed_lots: narrow(whole)?,
        };
        Ok(Some(Due {
            step: asked.step,
            trigger,
        }))
    }
}

/// What protective steps ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The last step reached.
    pub step: ProtectiveStep,
    /// The trigger that it becomes.
    pub trigger: Trigger,
}
