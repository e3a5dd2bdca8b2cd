//! Positions and profit: a position changes in its account, its queue and the open interest together, and
//! profit is held while the market is short, as the program does it.

use ballast_engine::distress::Distress;
use ballast_engine::held::{moved, PriceRange};
use ballast_engine::oracle::Action;
use ballast_engine::position::Position;
use ballast_engine::queue::CutStamp;
use ballast_engine::trade::open_interest_after;
use ballast_engine::units::Side;
use ballast_state::error::Result;
use ballast_state::queue_account::NO_NODE;

use super::snapshot::of;
use super::world::{index, queue_of, signed, World};

impl World<'_> {
    /// Frees held profit that the market is not short of any more.
    pub(super) fn release_profit(&mut self) -> Result<()> {
        let price = self.touched.price;
        let action = Action::RemoveMargin;
        if self.market.check_price(action, &price, self.now).is_err() {
            return Ok(());
        }
        let short_of = self.short_of()?;
        let recorded = self.market.price_clock.recorded_slot;
        for place in core::mem::take(&mut self.claimants) {
            let claim = self.accounts[index(place)].slot.held_claim();
            let (held, claim, atoms) = self.market.held.release(&claim, short_of, recorded)?;
            self.market.held = held;
            let account = self.account_mut(place);
            account.slot.store_held_claim(&claim);
            account.free += signed(atoms)?;
            if claim.shares > 0 {
                self.claimants.push(place);
            }
        }
        Ok(())
    }

    /// What the market is short of at the mark, atoms.
    fn short_of(&self) -> Result<u64> {
        let available = self.market.insurance_available(self.now.slot)?;
        let prices = PriceRange::at(self.touched.mark.price);
        let [long, short] = self.queues();
        let (long, short) = (queue_of(long)?, queue_of(short)?);
        Ok(self
            .market
            .lacking_beyond(&long, &short, prices, available)?)
    }

    /// Holds what is due of the profits that accounts have taken out.
    pub(super) fn hold(&mut self, profits: &[(u32, u64)]) -> Result<()> {
        let short_of = match profits {
            [] => 0,
            _ => self.short_of()?,
        };
        if short_of == 0 {
            return Ok(());
        }
        for (place, profit) in profits {
            let claim = self.accounts[index(*place)].slot.held_claim();
            let atoms = self.market.held.due(&claim, *profit, short_of)?;
            if atoms == 0 {
                continue;
            }
            let (held, claim) = self.market.held.hold(&claim, atoms, self.now.slot)?;
            self.market.held = held;
            let account = self.account_mut(*place);
            account.slot.store_held_claim(&claim);
            account.free -= signed(atoms)?;
            if !self.claimants.contains(place) {
                self.claimants.push(*place);
            }
        }
        Ok(())
    }

    /// Changes a position as the program does: slot, distress, queue and open interest together.
    pub(super) fn change(
        &mut self,
        place: u32,
        after: &Position,
        remembered: &Distress,
        stamp: Option<CutStamp>,
    ) -> Result<()> {
        let before = self.position(place)?;
        let distress = if after.is_empty() {
            &Distress::NONE
        } else {
            remembered
        };
        let account = self.account_mut(place);
        account.slot.store(after);
        account.slot.store_distress(distress);
        let (node, trader) = (account.slot.queue_node, account.trader);
        let now = match (before.side(), after.side()) {
            (Some(side), Some(now)) if side == now => {
                let mut queue = self.queue_mut(side)?;
                match stamp {
                    Some(stamp) => queue.update_cut(node, after, stamp)?,
                    None => queue.update(node, after)?,
                }
                node
            }
            (side, now) => {
                if let Some(side) = side {
                    self.queue_mut(side)?.remove(node)?;
                }
                match now {
                    None => NO_NODE,
                    Some(side) => {
                        let node = self.queue_mut(side)?.insert(trader.to_bytes(), after)?;
                        self.give(side, node, place);
                        node
                    }
                }
            }
        };
        self.account_mut(place).slot.queue_node = now;
        let change = [(before.lots, after.lots)];
        let open = open_interest_after(self.market.open_interest_lots, &change)?;
        self.market.open_interest_lots = open;
        Ok(())
    }

    /// Notes what an account put into its position or took out: `gained` is what its free collateral
    /// gained beside what it earned, `opened` the margin of a position that was turned round. The profit.
    pub(super) fn leave(&mut self, place: u32, gained: i64, opened: Option<u64>) -> Result<u64> {
        let slot = &mut self.account_mut(place).slot;
        let moved = moved(slot.paid_in, gained, opened, slot.lots == 0)?;
        slot.paid_in = moved.paid_in;
        Ok(moved.profit)
    }

    fn give(&mut self, side: Side, node: u32, place: u32) {
        let owner = &mut self.owners[of(side)][index(node)];
        self.given.push((of(side), node, *owner));
        *owner = place;
    }
}
