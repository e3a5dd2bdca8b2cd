//! Who is looked at at a price, in which order, and what is done for whom.

use core::cmp::Ordering;

use ballast_engine::liquidation::{health, look, need, Distance, Health, Need};
use ballast_state::error::Result;
use ballast_state::Pubkey;

use super::world::{index, World};

/// Somebody in distress: how near to the end, and the place.
pub(super) type Due = (Distance, u32);

/// How far a price has been attended to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Turn {
    /// Nobody was looked at yet.
    #[default]
    Before,
    /// Those up to this one were.
    At(Due),
    /// Everybody was.
    After,
}

impl World<'_> {
    /// Looks at everybody whom this price concerns, the worst first.
    pub(super) fn attend_all(&mut self) -> Result<()> {
        self.find_passed()?;
        let mut due = core::mem::take(&mut self.due);
        self.unhealthy(&mut due)?;
        self.add_sleepers(&mut due)?;
        due.sort_unstable_by(|a, b| self.order(a, b));
        let mut at = 0;
        while let Some(one) = due.get(at).copied() {
            at += 1;
            self.turn = Turn::At(one);
            if self.is_awake(one.1)? {
                self.attend(one.1)?;
                self.add_roused(&mut due, at)?;
            }
        }
        self.turn = Turn::After;
        due.clear();
        self.due = due;
        Ok(())
    }

    /// The order in which keepers attend to two.
    pub(super) fn order(&self, (one, a): &Due, (other, b): &Due) -> Ordering {
        let key = |place: u32| -> &Pubkey { &self.accounts[index(place)].trader };
        one.worse_first(other).then_with(|| key(*a).cmp(key(*b)))
    }

    fn find_passed(&mut self) -> Result<()> {
        let tick = self.market.oracle.atoms_per_lot_tick;
        let mut found = Vec::new();
        self.passed.take(
            self.levels,
            &self.market.risk,
            (self.touched.mark.price, tick),
            self.touched.funding_index,
            &mut found,
        )?;
        for place in found {
            self.heat(place);
        }
        self.rouse()
    }

    /// From now on an account is looked at each price.
    pub(super) fn heat(&mut self, place: u32) {
        if !core::mem::replace(&mut self.is_hot[index(place)], true) {
            self.hot.push(place);
            self.note_changed(place);
        }
    }

    /// Those of whom a price has passed the level. Who is well again is no longer looked at.
    fn unhealthy(&mut self, due: &mut Vec<Due>) -> Result<()> {
        let mut hot = core::mem::take(&mut self.hot);
        let mut kept = 0;
        for at in 0..hot.len() {
            let place = hot[at];
            if self.sleepers.holds(place) {
                self.is_hot[index(place)] = false;
            } else if self.is_trouble(place, due)? {
                hot[kept] = place;
                kept += 1;
            } else {
                self.is_hot[index(place)] = false;
                self.note_level(place)?;
            }
        }
        hot.truncate(kept);
        self.hot = hot;
        Ok(())
    }

    /// Whether somebody has to be looked at again; `due` gets it where something is to be done.
    fn is_trouble(&mut self, place: u32, due: &mut Vec<Due>) -> Result<bool> {
        let (mark, position) = (self.touched.mark.price, self.position(place)?);
        if position.is_empty() {
            return Ok(false);
        }
        if health(&position, mark, &self.market.risk)? != Health::Healthy {
            due.push((Distance::of(&position, mark, &self.market.risk)?, place));
            return Ok(true);
        }
        if self.accounts[index(place)].slot.flagged_slot != 0 {
            self.flag(place)?;
        }
        Ok(self.accounts[index(place)].slot.flagged_slot != 0)
    }

    /// What one position in distress needs: the book and insurance first, then deleveraging.
    fn attend(&mut self, place: u32) -> Result<()> {
        if self.position(place)?.is_empty() {
            return Ok(());
        }
        let needed = need(&self.input(place)?)?;
        if needed == Need::Nothing || self.liquidate(place)? {
            return Ok(());
        }
        if self.position(place)?.is_empty() {
            return Ok(());
        }
        self.flag_stale(place)?;
        match need(&self.input(place)?)? {
            Need::Deleverage => self.deleverage(place),
            Need::Liquidate => self.fall_asleep(place),
            Need::Nothing | Need::Wait => Ok(()),
        }
    }

    /// Records how a position stands where what is remembered of it is no longer true.
    fn flag_stale(&mut self, place: u32) -> Result<()> {
        let (mark, slot) = (self.touched.mark.price, self.now.slot);
        let health = health(&self.position(place)?, mark, &self.market.risk)?;
        let distress = self.accounts[index(place)].slot.distress();
        match distress.is_stale(health, slot) {
            true => self.flag(place),
            false => Ok(()),
        }
    }

    /// Records how a position stands.
    pub(super) fn flag(&mut self, place: u32) -> Result<()> {
        let (position, mark) = (self.position(place)?, self.touched.mark.price);
        let look = look(&position, mark, &self.market.risk, true)?;
        let slot = self.now.slot;
        let account = self.account_mut(place);
        let distress = account.slot.distress().flagged(look, slot)?;
        account.slot.store_distress(&distress);
        Ok(())
    }
}
