//! Auto-deleveraging: the close price, the list, the cuts and what must be shown.

use ballast_state::error::BallastError;

use super::number::{floor, part};
use super::oracle::{Mark, Use};
use super::ranking::{Class, Ranked};
use super::refusal::{require, signed, Verdict};
use super::round::{Begun, Booked, Listed, Round, RoundMade, Subject, LONGEST_LIST};
use super::state::{side, Model, Stamp};
use crate::operation::Call;

/// Slots for which bankruptcies that begin share a pass.
const PASS_SLOTS: u64 = 9_000;

impl Model {
    /// Plays a round with a list, or refuses the list.
    pub fn deleverage(&mut self, call: &Call) -> Verdict<RoundMade> {
        check_accounts(self, call.bankrupt, &call.list)?;
        let number = call.market;
        self.require_isolated(number)?;
        let begun = self.begin(number, call.bankrupt)?;
        let (mut round, deficit) = (begun.round, begun.deficit);
        self.cut_all(&mut round, &call.list)?;
        let mut pass_opened = false;
        if round.cuts.is_empty() && round.at_cap > 0 {
            self.require_complete(&round)?;
            pass_opened = true;
            round.epoch = self.open_pass(number, round.sign);
            self.distress_mut(number, call.bankrupt).pass_epoch = round.epoch;
            self.cut_all(&mut round, &call.list)?;
        }
        require(!round.cuts.is_empty(), BallastError::AdlNothingCut)?;
        self.require_complete(&round)?;
        let mut made = self.finish(round, call.bankrupt, call.receiver, deficit)?;
        made.pass_opened = pass_opened;
        Ok(made)
    }

    /// Checks the bankruptcy and fixes the close price.
    pub(super) fn begin(&mut self, number: usize, bankrupt: usize) -> Verdict<Begun> {
        let since = self.flagged(number, bankrupt);
        let mark = self.touch(number, Use::Force(since))?;
        let subject = self.isolated_subject(number, bankrupt, mark)?;
        self.begin_with(number, bankrupt, &subject)
    }

    /// An isolated position that is deleveraged.
    pub(super) fn isolated_subject(
        &mut self,
        number: usize,
        bankrupt: usize,
        mark: Mark,
    ) -> Verdict<Subject> {
        let distress = self.needed(number, bankrupt)?.distress;
        self.release_all(number, bankrupt, None);
        Ok(Subject {
            before: self.settled(number, bankrupt)?,
            distress,
            available: self.deficit_cover(number),
            mark,
            account: None,
        })
    }

    /// The same for whoever is deleveraged.
    pub(super) fn begin_with(
        &mut self,
        number: usize,
        bankrupt: usize,
        subject: &Subject,
    ) -> Verdict<Begun> {
        let (before, mark) = (subject.before, subject.mark.price);
        let (distress, available) = (subject.distress, subject.available);
        let sign = -before.sign();
        let first = distress.pass_epoch == 0;
        let epoch = if first && !self.pass_lasts(number, sign) {
            self.open_pass(number, sign)
        } else {
            self.markets[number].passes[side(sign)]
        };
        let deficit = -before.equity(mark);
        require(deficit > 0, BallastError::NotBankrupt)?;
        let params = self.markets[number].params;
        let waited = subject.has_waited(params.adl.grace_slots, self.slot);
        let delays = available >= deficit && !waited;
        require(!delays, BallastError::InsuranceCanPay)?;
        let best = self.book(number).best(-sign);
        let absorbs = best.is_some_and(|best| {
            (best.price * before.size() - before.bankruptcy()) * before.sign() >= 0
        });
        require(waited || !absorbs, BallastError::BookCanAbsorb)?;
        if first {
            self.markets[number].bankruptcies += 1;
            let id = self.markets[number].bankruptcies;
            let distress = self.distress_mut(number, bankrupt);
            distress.bankruptcy_id = id;
            distress.bankrupt_lots = before.size();
            distress.pass_epoch = epoch;
        }
        let insured = available.min(deficit);
        let round = Round {
            index: self.markets[number].funding.index,
            epoch,
            ..Round::of(number, &before, insured, mark, &params)
        };
        signed(round.close_quote)?;
        Ok(Begun { round, deficit })
    }

    /// Settles the bankrupt, for whose closed lots insurance pays its share, and pays the reward.
    pub(super) fn finish(
        &mut self,
        round: Round,
        bankrupt: usize,
        receiver: usize,
        deficit: i128,
    ) -> Verdict<RoundMade> {
        let number = round.market;
        let booked = self.book_round(round, bankrupt, deficit)?;
        let stood = self.stands(number, bankrupt);
        self.hold(number, bankrupt, booked.left)?;
        self.note(&stood, 0);
        Ok(self.rewarded(number, booked, receiver))
    }

    /// Pays for the closed lots; what is left of the bankrupt is not written.
    pub(super) fn book_round(
        &mut self,
        round: Round,
        bankrupt: usize,
        deficit: i128,
    ) -> Verdict<Booked> {
        let (number, insured) = (round.market, round.insured);
        let closed: i128 = round.cuts.iter().map(|cut| cut.lots).sum();
        let gave_up: i128 = round.cuts.iter().map(|cut| cut.gave_up).sum();
        let owed = floor(&part(deficit - insured, closed, round.close_lots));
        require(gave_up == owed, BallastError::AdlOvershoot)?;
        let paid = floor(&part(insured, closed, round.close_lots));
        self.pay_deficit(number, paid)?;
        self.markets[number].rounds += 1;
        let mut left = round.bankrupt;
        if left.lots != 0 {
            left.margin = signed(left.margin + paid)?;
        }
        let made = RoundMade {
            cuts: round.cuts,
            close_quote: round.close_quote,
            close_lots: round.close_lots,
            lots: closed,
            epoch: round.epoch,
            pass_opened: false,
            deficit,
            paid,
            deficit_after: deficit - paid - gave_up,
            gave_up,
            reward: 0,
            cross: None,
        };
        Ok(Booked {
            left,
            whole_lots: self.distress_mut(number, bankrupt).bankrupt_lots,
            made,
        })
    }

    /// Pays the keeper.
    pub(super) fn rewarded(&mut self, number: usize, booked: Booked, receiver: usize) -> RoundMade {
        let made = booked.made;
        let most = i128::from(self.markets[number].params.adl.reward_atoms);
        let reward = floor(&part(most, made.lots, booked.whole_lots));
        // At most a tenth of the deficit that insurance, held profit and counterparties bore.
        let reward = reward.min(floor(&part(made.paid + made.gave_up, 1, 10)));
        let reward = reward.min(self.markets[number].fees);
        self.markets[number].fees -= reward;
        self.trader_mut(receiver).free += reward;
        RoundMade { reward, ..made }
    }

    /// Whether a bankruptcy that begins now takes part in the current pass.
    pub(super) fn pass_lasts(&self, market: usize, sign: i128) -> bool {
        let market = &self.markets[market];
        let opened = market.pass_slots[side(sign)];
        market.passes[side(sign)] > 0 && self.slot <= opened + PASS_SLOTS
    }

    /// Opens the next pass of the queue for lots of a sign.
    pub(super) fn open_pass(&mut self, market: usize, sign: i128) -> u32 {
        self.markets[market].pass_slots[side(sign)] = self.slot;
        let passes = &mut self.markets[market].passes[side(sign)];
        *passes += 1;
        *passes
    }

    /// Cuts all of a list in turn.
    pub(super) fn cut_all(&mut self, round: &mut Round, list: &[Listed]) -> Verdict<()> {
        round.at_cap = 0;
        for listed in list {
            match listed {
                Listed::Trader(trader) if self.traders[*trader].is_some() => {
                    self.cut(round, *trader)?;
                }
                _ => return Err(BallastError::AdlForeignAccount.into()),
            }
        }
        Ok(())
    }

    /// Cuts one, unless it has left or turned, is at its cap, insolvent, or nothing is left to close.
    pub(super) fn cut(&mut self, round: &mut Round, trader: usize) -> Verdict<()> {
        let Some(owned) = self.owned(round.market, trader) else {
            return Ok(());
        };
        let (sequence, stamp) = (owned.sequence, owned.stamp);
        let holding = owned.holding.settled(round.index)?;
        if holding.sign() != round.sign {
            return Ok(());
        }
        let cap_left = round.cap_left(holding.size(), &stamp);
        if cap_left == 0 {
            round.at_cap += 1;
            return Ok(());
        }
        let ranked = round.measure.rank(&holding, sequence);
        if ranked.class == Class::Never || round.budget == 0 {
            return Ok(());
        }
        if let (Some((_, last)), false) = (&round.last, round.proven) {
            require(last.before(&ranked), BallastError::AdlListOutOfOrder)?;
        }
        let lots = cap_left.min(round.budget);
        let stamp = self.stamped(round, &stamp, lots, cap_left);
        let winner = ranked.class == Class::Winner;
        let (after, mut made) = round.close(&holding, lots)?;
        (made.trader, made.sequence, made.winner) = (trader, sequence, winner);
        let stood = self.stands(round.market, trader);
        self.hold(round.market, trader, after)?;
        self.release_all(round.market, trader, None);
        if let Some(owned) = &mut self.trader_mut(trader).positions[round.market] {
            owned.stamp = stamp;
        }
        let account = self.trader_mut(trader);
        account.free = signed(account.free + made.payout)?;
        self.note(&stood, 0);
        round.budget -= lots;
        round.cuts.push(made);
        round.last = Some((trader, ranked));
        Ok(())
    }

    /// What is remembered of a cut.
    pub(super) fn stamped(
        &self,
        round: &Round,
        before: &Stamp,
        lots: i128,
        cap_left: i128,
    ) -> Stamp {
        let passes = self.markets[round.market].passes[side(round.sign)];
        Stamp {
            epoch: passes,
            lots: round.lots_cut(before) + lots,
            capped_epoch: if lots == cap_left {
                passes
            } else {
                before.capped_epoch
            },
        }
    }

    /// Nobody eligible and below the cap ranks above the last one cut; nobody at all is left when
    /// nobody was cut.
    pub(super) fn require_complete(&self, round: &Round) -> Verdict<()> {
        for (trader, owned) in self.queue(round.market, round.sign) {
            let holding = owned.holding.settled(round.index)?;
            let ranked = round.measure.rank(&holding, owned.sequence);
            let candidate =
                ranked.class > Class::Never && round.cap_left(holding.size(), &owned.stamp) > 0;
            let skipped = match &round.last {
                None => candidate,
                Some((last, _)) if *last == trader => false,
                Some((_, last)) => candidate && round.measure.skipped(&ranked, last),
            };
            require(!skipped, BallastError::AdlSkippedCounterparty)?;
        }
        Ok(())
    }

    /// Everybody who may be cut for a bankrupt position now, the highest ranked first, and how
    /// many lots of each; empty where the position is not there or not bankrupt.
    pub fn ranking(&self, market: usize, bankrupt: usize) -> Vec<(usize, i128, Ranked)> {
        let mut copy = self.clone();
        let Ok(mark) = copy.touch(market, Use::Force(copy.flagged(market, bankrupt))) else {
            return Vec::new();
        };
        let Ok(before) = copy.settled(market, bankrupt) else {
            return Vec::new();
        };
        let deficit = -before.equity(mark.price);
        if before.lots == 0 || deficit <= 0 {
            return Vec::new();
        }
        let params = copy.markets[market].params;
        let insured = copy.deficit_cover(market).min(deficit);
        let sign = -before.sign();
        let begins = copy
            .owned(market, bankrupt)
            .is_none_or(|owned| owned.distress.pass_epoch == 0);
        let opens = begins && !copy.pass_lasts(market, sign);
        let passes = copy.markets[market].passes[side(sign)];
        let round = Round {
            index: copy.markets[market].funding.index,
            epoch: if opens { u32::MAX } else { passes },
            ..Round::of(market, &before, insured, mark.price, &params)
        };
        let mut ranking = copy.eligible(&round);
        if ranking.iter().any(|(_, left, _)| *left > 0) {
            ranking.retain(|(_, left, _)| *left > 0);
        }
        ranking
    }

    /// Everybody solvent at the close price, the highest ranked first, and how many lots may be
    /// cut.
    pub(super) fn eligible(&self, round: &Round) -> Vec<(usize, i128, Ranked)> {
        let mut ranking: Vec<(usize, i128, Ranked)> = self
            .queue(round.market, round.sign)
            .into_iter()
            .filter_map(|(trader, owned)| {
                let holding = owned.holding.settled(round.index).ok()?;
                let ranked = round.measure.rank(&holding, owned.sequence);
                let left = round.cap_left(holding.size(), &owned.stamp);
                Some((trader, left, ranked))
            })
            .filter(|(_, _, ranked)| ranked.class > Class::Never)
            .collect();
        ranking.sort_by(|(_, _, one), (_, _, other)| one.order(other));
        ranking
    }
}

/// What needs no ranking, in the order of the list.
pub(super) fn check_accounts(model: &Model, bankrupt: usize, list: &[Listed]) -> Verdict<()> {
    let short = list.len() <= LONGEST_LIST;
    require(short, BallastError::AdlListTooLong)?;
    for (place, listed) in list.iter().enumerate() {
        let own = match listed {
            Listed::Trader(trader) => model.traders[*trader].is_some(),
            Listed::Market(_) | Listed::Queue(..) => true,
            Listed::Tokens(_) | Listed::Forgery | Listed::Nobody => false,
        };
        require(own, BallastError::AdlForeignAccount)?;
        let bankrupt = *listed == Listed::Trader(bankrupt);
        require(!bankrupt, BallastError::AdlBankruptInList)?;
        let repeated = list[..place].contains(listed);
        require(!repeated, BallastError::AdlDuplicateCounterparty)?;
    }
    Ok(())
}
