//! What a market allows of cross positions: how many lots they may hold, and how much of its insurance goes
//! to their legs.
//!
//! A deficit is shared by requirement, so a market's insurance pays for losses made in another, and whoever
//! makes them in a poor market could drain a rich one's. Of `W`, what insurance may pay in its window at all
//! ([`Insurance::draw_cap`]), legs of cross accounts get `floor(c W / 10^4)` less what they got lately, in a
//! window of the same length.
//! Held profit counts with it.

use bytemuck::{Pod, Zeroable};

use super::CrossError;
use crate::error::EngineError;
use crate::insurance::Insurance;
use crate::risk::RiskParams;
use crate::units::{Bps, BPS_ONE};
use crate::window::Window;

/// The part `c` of its window's draw that a market gives to cross legs unless it says otherwise, basis
/// points.
pub const DRAW_CAP_BPS: u32 = 2_500;

/// Whether the legs of a side may hold `lots` together, of which they held `before`, where the market
/// allows `most`: fewer they may always. `InterestLimit`.
pub const fn check_interest(most: u64, before: u64, lots: u64) -> Result<(), CrossError> {
    if lots > before && lots > most {
        return Err(CrossError::InterestLimit);
    }
    Ok(())
}

/// What was paid lately for legs of cross accounts. 48 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct CrossDraws {
    /// Slots of the window whose buckets these are; 0 before the first.
    pub length: u64,
    /// Atoms.
    pub window: Window,
}

const _: () = assert!(core::mem::size_of::<CrossDraws>() == 48);

impl CrossDraws {
    /// As `slot` finds it, with the market's window. `Overflow`.
    pub fn at(&self, params: &RiskParams, slot: u64) -> Result<Self, EngineError> {
        let length = params.insurance_window_slots;
        let from = if self.length == 0 {
            length
        } else {
            self.length
        };
        let window = self.window.relabelled(slot, from, length)?;
        Ok(Self {
            length,
            window: window.rolled(slot, length)?,
        })
    }

    /// With `atoms` paid in `slot`. `Overflow`.
    pub fn with(&self, params: &RiskParams, slot: u64, atoms: u64) -> Result<Self, EngineError> {
        let now = self.at(params, slot)?;
        Ok(Self {
            window: now.window.with(atoms)?,
            ..now
        })
    }

    /// What may be paid of the deficit of a cross leg in `slot`, atoms, where `cover` could be paid of an
    /// isolated position's and legs get `draw_cap_bps` of the window's draw; 10,000 is no cap. `Overflow`.
    pub fn cover(
        &self,
        draw_cap_bps: u32,
        insurance: &Insurance,
        params: &RiskParams,
        cover: u64,
        slot: u64,
    ) -> Result<u64, EngineError> {
        if u64::from(draw_cap_bps) >= BPS_ONE {
            return Ok(cover);
        }
        let most = Bps::new(draw_cap_bps).floor_of(insurance.draw_cap(params, slot)?)?;
        let drawn = self.at(params, slot)?.window.total()?;
        let left = most.max(drawn).wrapping_sub(drawn);
        Ok(cover.min(left))
    }
}
