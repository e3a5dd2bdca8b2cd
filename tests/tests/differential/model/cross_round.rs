//! Rounds of deleveraging over isolated positions and legs. Written from docs/CROSS_MARGIN.md and docs/ADL.md.

use ballast_state::error::BallastError;

use super::cross::{Account, Leg};
use super::deleverage::check_accounts;
use super::holding::Holding;
use super::number::{ceil, floor, part, whole};
use super::oracle::{Mark, Use};
use super::refusal::{require, signed, Verdict};
use super::round::{Begun, Listed, Round, RoundMade, Subject};
use super::state::{side, Model};
use crate::operation::{Call, Queues};

/// Slots beyond the grace period after which records count as they stand.
const RECORD_SLOTS: u64 = 1_500;

/// How far the list has been gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Accounts keep their maintenance margin.
    First,
    /// Those above maintenance are cut as far as their equity lasts.
    Equity,
    /// Another pass is open.
    NextPass,
}

/// A leg that was cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegMade {
    /// Place among the cuts.
    pub place: usize,
    /// What its account held and needed.
    pub equity: i128,
    pub due: i128,
    /// What the leg needed.
    pub leg_due: i128,
    /// Whether the cut was shorter than the cap for the account's sake.
    pub shortened: bool,
    /// The pool afterwards.
    pub pool: i128,
}

/// What a round says that legs stand in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrossMade {
    /// Whether records counted as they stood.
    pub by_record: bool,
    /// Whether accounts were cut as far as their equity lasted.
    pub to_equity: bool,
    /// The legs among the cuts.
    pub legs: Vec<LegMade>,
    /// Equity, requirement and pool afterwards of the account of a bankrupt leg.
    pub forced: Option<[i128; 3]>,
    /// Who was left out although it ranks above the last one cut by more than the tolerance, valued exactly.
    pub overlooked: Vec<usize>,
    /// Whose account a cut left worse than it may.
    pub harmed: Vec<usize>,
}

/// A round that legs stand in, under way.
pub(super) struct Mixed<'a> {
    pub round: Round,
    pub mark: Mark,
    pub queues: &'a Queues,
    pub by_record: bool,
    /// Whose legs were valued exactly.
    pub known: Vec<usize>,
    /// Accounts that could not bear the cut of a lot.
    pub shortened: usize,
    pub legs: Vec<LegMade>,
    pub harmed: Vec<usize>,
}

impl Model {
    /// Plays a round with a list of both kinds, or refuses the list.
    pub fn deleverage_cross(&mut self, call: &Call, queues: &Queues) -> Verdict<RoundMade> {
        let (market, bankrupt) = (call.market, call.bankrupt);
        check_accounts(self, bankrupt, &call.list)?;
        let since = match self.leg(market, bankrupt) {
            Some(_) => self.leg_flagged(market, bankrupt),
            None => self.flagged(market, bankrupt),
        };
        let mark = self.touch(market, Use::Force(since))?;
        let subject = self.subject(market, bankrupt, queues, mark)?;
        let Begun { round, deficit } = self.begin_with(market, bankrupt, &subject)?;
        let grace = self.markets[market].params.adl.grace_slots;
        let mut mixed = Mixed {
            round,
            mark,
            queues,
            by_record: subject.has_waited(grace + RECORD_SLOTS, self.slot),
            known: Vec::new(),
            shortened: 0,
            legs: Vec::new(),
            harmed: Vec::new(),
        };
        let stage = self.cut_stages(&mut mixed, bankrupt, &call.list)?;
        self.prove(&mixed)?;
        let overlooked = self.overlooked(&mixed, &call.list);
        let mut cross = CrossMade {
            by_record: mixed.by_record,
            to_equity: stage == Stage::Equity,
            legs: mixed.legs,
            forced: None,
            overlooked,
            harmed: mixed.harmed,
        };
        let mut booked = self.book_round(mixed.round, bankrupt, deficit)?;
        match &subject.account {
            Some(account) => {
                let paid = booked.made.paid;
                self.end_leg((market, bankrupt), account, &booked.left, paid, queues)?;
                let pool = self.trader(bankrupt).shared.atoms;
                cross.forced = Some([account.equity, account.due, pool]);
            }
            None => {
                let stood = self.stands(market, bankrupt);
                self.hold(market, bankrupt, booked.left)?;
                self.note(&stood, 0);
            }
        }
        booked.made.pass_opened = stage == Stage::NextPass;
        booked.made.cross = Some(Box::new(cross));
        Ok(self.rewarded(market, booked, call.receiver))
    }

    /// Who is deleveraged: a leg with its share of the deficit, or an isolated position.
    pub(super) fn subject(
        &mut self,
        market: usize,
        bankrupt: usize,
        queues: &Queues,
        mark: Mark,
    ) -> Verdict<Subject> {
        let Some(leg) = self.leg(market, bankrupt).cloned() else {
            return self.isolated_subject(market, bankrupt, mark);
        };
        let account = self.forced(market, bankrupt, mark)?;
        let before = account.given(market)?;
        let longs = queues.contains(&(market, 0));
        require(longs, BallastError::CrossQueueMissing)?;
        Ok(Subject {
            before,
            distress: leg.distress,
            available: self.leg_cover(market),
            mark,
            account: Some(account),
        })
    }

    /// Goes through the list until somebody is cut.
    fn cut_stages(
        &mut self,
        mixed: &mut Mixed,
        bankrupt: usize,
        list: &[Listed],
    ) -> Verdict<Stage> {
        let mut stage = Stage::First;
        loop {
            self.cut_mixed(mixed, list, stage)?;
            if !mixed.round.cuts.is_empty() {
                return Ok(stage);
            }
            let next = match stage {
                Stage::First if mixed.shortened > 0 => Stage::Equity,
                Stage::First | Stage::Equity if mixed.round.at_cap > 0 => Stage::NextPass,
                _ => return Err(BallastError::AdlNothingCut.into()),
            };
            if stage == Stage::First {
                self.prove(mixed)?;
            }
            if next == Stage::NextPass {
                let (market, sign) = (mixed.round.market, mixed.round.sign);
                mixed.round.epoch = self.open_pass(market, sign);
                self.distress_mut(market, bankrupt).pass_epoch = mixed.round.epoch;
            }
            stage = next;
        }
    }

    fn cut_mixed(&mut self, mixed: &mut Mixed, list: &[Listed], stage: Stage) -> Verdict<()> {
        (mixed.round.at_cap, mixed.shortened) = (0, 0);
        mixed.known.clear();
        for listed in list {
            let trader = match listed {
                Listed::Trader(trader) if self.traders[*trader].is_some() => *trader,
                _ => return Err(BallastError::AdlForeignAccount.into()),
            };
            match self.leg(mixed.round.market, trader).cloned() {
                Some(leg) => self.cut_leg(mixed, trader, leg, stage)?,
                None => self.cut(&mut mixed.round, trader)?,
            }
        }
        Ok(())
    }

    /// Cuts a leg as deep as its account can bear, unless it has turned, is at its cap, for liquidation, or nothing
    /// is left to close.
    fn cut_leg(&mut self, mixed: &mut Mixed, trader: usize, leg: Leg, stage: Stage) -> Verdict<()> {
        let market = mixed.round.market;
        let account = self.forced(market, trader, mixed.mark)?;
        if leg.holding.sign() != mixed.round.sign {
            return Ok(());
        }
        let before = account.with_everything(market)?;
        let there = mixed.queues.contains(&(market, side(before.sign())));
        require(there, BallastError::CrossQueueMissing)?;
        mixed.known.push(trader);
        let cap_left = mixed.round.cap_left(before.size(), &leg.stamp);
        if cap_left == 0 {
            mixed.round.at_cap += 1;
            return Ok(());
        }
        let ranked = mixed.round.measure.rank_account(&before, leg.sequence);
        let Some(borne) = mixed.round.borne(&account, stage, cap_left) else {
            return Ok(());
        };
        if borne == 0 {
            mixed.shortened += 1;
            return Ok(());
        }
        if let Some((_, last)) = &mixed.round.last {
            let fits = match mixed.round.budget {
                0 => !mixed.round.measure.skipped(&ranked, last),
                _ => last.before(&ranked),
            };
            require(fits, BallastError::AdlListOutOfOrder)?;
        }
        if mixed.round.budget == 0 {
            return Ok(());
        }
        let lots = borne.min(mixed.round.budget);
        let stamp = self.stamped(&mixed.round, &leg.stamp, lots, cap_left);
        let (after, mut made) = mixed.round.close(&before, lots)?;
        (made.trader, made.sequence) = (trader, leg.sequence);
        made.winner = ranked.class == super::ranking::Class::Winner;
        let pool = account.pool - account.owed(market) + after.margin + made.payout - before.margin;
        let left = Leg {
            holding: after,
            stamp,
            ..leg
        };
        self.replace_leg(market, trader, signed(pool)?, left);
        let written = (after.lots != 0).then_some(market);
        self.renew(trader, mixed.queues, written, None)?;
        mixed.legs.push(LegMade {
            place: mixed.round.cuts.len(),
            equity: account.equity,
            due: account.due,
            leg_due: account.leg(market).due,
            shortened: lots == borne && borne < cap_left,
            pool,
        });
        if self.is_harmed(mixed, &account, trader, stage)? {
            mixed.harmed.push(trader);
        }
        mixed.round.budget -= lots;
        mixed.round.cuts.push(made);
        mixed.round.last = Some((trader, ranked));
        Ok(())
    }

    fn replace_leg(&mut self, market: usize, trader: usize, pool: i128, left: Leg) {
        let shared = &mut self.trader_mut(trader).shared;
        shared.atoms = pool;
        shared.legs[market] = (left.holding.lots != 0).then_some(left);
    }

    /// Whether an account that was cut ends with less than maintenance margin and less healthy than it was, but for
    /// two atoms; or with less than nothing where it was cut as far as its equity lasts.
    fn is_harmed(
        &self,
        mixed: &Mixed,
        before: &Account,
        trader: usize,
        stage: Stage,
    ) -> Verdict<bool> {
        let after = self.account(trader, Some((mixed.round.market, mixed.mark)))?;
        if stage == Stage::Equity && before.is_healthy() {
            return Ok(after.equity < 0);
        }
        let equity = after.equity + 2;
        let no_less = equity * before.due >= before.equity * after.due;
        Ok(equity < after.due && (before.is_healthy() || !no_less))
    }

    /// Writes what is left of a bankrupt leg; what was done to the margin that it was given is done to the pool.
    fn end_leg(
        &mut self,
        (market, bankrupt): (usize, usize),
        account: &Account,
        left: &Holding,
        paid: i128,
        queues: &Queues,
    ) -> Verdict<()> {
        let given = account.given(market)?;
        let pool = signed(account.pool - account.owed(market) + left.margin - given.margin)?;
        let leg = self.needed_leg(market, bankrupt)?.clone();
        let after = Leg {
            holding: *left,
            ..leg
        };
        self.replace_leg(market, bankrupt, pool, after);
        let there = queues.contains(&(market, side(given.sign())));
        require(there || left.lots != 0, BallastError::CrossQueueMissing)?;
        let slot = self.slot;
        if paid > 0 {
            self.crossed_mut(market).payments.push((slot, paid));
        }
        let written = (left.lots != 0).then_some(market);
        self.renew(bankrupt, queues, written, None)
    }
}

impl Round {
    /// Most lots, of those that the cap leaves, by which the account's leg may be cut; 0 where it cannot bear one,
    /// nothing where it is below maintenance and closing the leg would make it worse.
    pub(super) fn borne(&self, account: &Account, stage: Stage, cap_left: i128) -> Option<i128> {
        let leg = account.leg(self.market);
        let (size, due) = (leg.leg.holding.size(), leg.due);
        let against = whole(self.measure.mark) - &self.measure.close;
        let loss = ceil(&(against * whole(self.sign * size)));
        if account.equity < 0 {
            return None;
        }
        if !account.is_healthy() {
            let share = floor(&part(account.equity, due, account.due));
            return (loss <= share).then_some(cap_left);
        }
        if loss <= due {
            return Some(cap_left);
        }
        let (spare, each) = match stage {
            Stage::Equity => (account.equity - 1, loss),
            _ => (account.equity - account.due - 2, loss - due),
        };
        let borne = floor(&part(spare.max(0), size, each)).min(cap_left);
        // A cut leaves nothing or the least position.
        if borne < size {
            return Some(borne.min((size - self.least).max(0)));
        }
        Some(borne)
    }
}
