//! Whom a keeper would list: everybody of a side, valued exactly, the highest ranked first.

use super::cross_round::Stage;
use super::oracle::Use;
use super::ranking::Ranked;
use super::refusal::Verdict;
use super::round::Round;
use super::state::{side, Model};

/// Somebody of the counterparties' side.
struct Candidate {
    trader: usize,
    /// Lots by which it may be cut.
    lots: i128,
    /// Whether its account could not bear the cut of one.
    weak: bool,
    ranked: Ranked,
}

impl Model {
    /// Everybody who may be cut for a bankrupt position or leg, the highest ranked first, and by how many lots; where
    /// nobody may, everybody for whom another stage of the round changes that. Empty without a bankruptcy.
    pub fn mixed_ranking(&self, market: usize, bankrupt: usize) -> Vec<(usize, i128)> {
        let candidates = self.clone().candidates(market, bankrupt);
        let mut candidates = candidates.unwrap_or_default();
        if candidates.iter().any(|one| one.lots > 0) {
            candidates.retain(|one| one.lots > 0);
        }
        candidates.sort_by(|one, other| one.ranked.order(&other.ranked));
        let found = candidates.into_iter().map(|one| (one.trader, one.lots));
        found.collect()
    }

    /// Whose accounts above maintenance could not bear the cut of a lot for a bankrupt position or leg.
    pub fn too_weak(&self, market: usize, bankrupt: usize) -> Vec<usize> {
        let candidates = self.clone().candidates(market, bankrupt);
        let weak = candidates.unwrap_or_default().into_iter();
        weak.filter(|one| one.weak).map(|one| one.trader).collect()
    }

    fn candidates(&mut self, market: usize, bankrupt: usize) -> Verdict<Vec<Candidate>> {
        let since = match self.leg(market, bankrupt) {
            Some(_) => self.leg_flagged(market, bankrupt),
            None => self.flagged(market, bankrupt),
        };
        let mark = self.touch(market, Use::Force(since))?;
        let all = vec![(market, 0), (market, 1)];
        let subject = self.subject(market, bankrupt, &all, mark)?;
        let deficit = -subject.before.equity(mark.price);
        if deficit <= 0 {
            return Ok(Vec::new());
        }
        let params = self.markets[market].params;
        let insured = subject.available.min(deficit);
        let mut round = Round::of(market, &subject.before, insured, mark.price, &params);
        let opens = subject.distress.pass_epoch == 0 && !self.pass_lasts(market, round.sign);
        round.epoch = match opens {
            true => u32::MAX,
            false => self.markets[market].passes[side(round.sign)],
        };
        let isolated = self.eligible(&round).into_iter();
        let isolated = isolated.map(|(trader, lots, ranked)| Candidate {
            trader,
            lots,
            weak: false,
            ranked,
        });
        let mut candidates: Vec<Candidate> = isolated.collect();
        for (trader, leg) in self.legs_of(&round) {
            let Ok(account) = self.forced(market, trader, mark) else {
                continue;
            };
            let left = round.cap_left(leg.holding.size(), &leg.stamp);
            let Some(lots) = round.borne(&account, Stage::First, left) else {
                continue;
            };
            let stands = account.with_everything(market)?;
            candidates.push(Candidate {
                trader,
                lots,
                weak: lots == 0 && left > 0,
                ranked: round.measure.rank_account(&stands, leg.sequence),
            });
        }
        Ok(candidates)
    }
}
