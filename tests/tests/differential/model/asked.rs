//! Whom a round over legs may not leave out: by what is recorded of them, and by what they are worth.

use ballast_state::error::BallastError;

use super::checkpoints::{Point, Yardstick, ENDLESS};
use super::cross::{is_floored, Account, Leg, Weakness, FRESH};
use super::cross_round::{Mixed, Stage};
use super::holding::Holding;
use super::number::{ceil, floor, part, whole, ONE};
use super::oracle::Use;
use super::refusal::{require, Refusal, Verdict};
use super::round::{Listed, Round};
use super::state::{side, Model};
use crate::operation::Witnessing;

impl Model {
    /// Nobody is left out who may rank above the last one cut; nobody at all where nobody was cut.
    pub(super) fn prove(&self, mixed: &Mixed) -> Verdict<()> {
        let round = &mixed.round;
        let there = mixed.queues.contains(&(round.market, side(round.sign)));
        require(there, BallastError::CrossQueueMissing)?;
        self.require_complete(round)?;
        let asked = self
            .legs_of(round)
            .into_iter()
            .any(|(trader, leg)| !mixed.known.contains(&trader) && self.is_asked(mixed, leg));
        require(!asked, BallastError::AdlStaleCounterparty)
    }

    /// The legs of the counterparties' side.
    pub(super) fn legs_of(&self, round: &Round) -> Vec<(usize, &Leg)> {
        let traders = 0..self.traders.len();
        let legs = traders.filter_map(|trader| Some((trader, self.leg(round.market, trader)?)));
        legs.filter(|(_, leg)| leg.holding.sign() == round.sign)
            .collect()
    }

    /// Whether the account of a leg may rank too high, as far as its record tells.
    fn is_asked(&self, mixed: &Mixed, leg: &Leg) -> bool {
        let round = &mixed.round;
        let capped = round.cap_left(leg.holding.size(), &leg.stamp) == 0;
        if capped || self.is_witnessed(round, leg) {
            return false;
        }
        let held = leg.holding;
        let gained = held.lots * round.measure.mark - held.entry;
        let recorded = held.margin - held.lots * (round.index - held.index) + gained;
        let least = match mixed.by_record {
            true if recorded <= 0 => return false,
            true => recorded,
            false => self.least_equity(round, leg, recorded),
        };
        let nearest = Holding {
            margin: least - gained,
            index: round.index,
            ..held
        };
        let ranked = round.measure.rank_account(&nearest, leg.sequence);
        match &round.last {
            None => true,
            Some((_, last)) => round.measure.skipped(&ranked, last),
        }
    }

    /// The least that an account above maintenance can hold whose record says so much.
    fn least_equity(&self, round: &Round, leg: &Leg, recorded: i128) -> i128 {
        let market = &self.markets[round.market];
        let rate = i128::from(market.params.tiers[0].maintenance_margin_bps);
        let worth = leg.holding.size() * round.measure.mark;
        let due = floor(&part(worth, rate, ONE));
        let mut now = self.yardsticks();
        let own = Yardstick {
            now: Point {
                price: round.measure.mark,
                index: round.index,
            },
            rate,
        };
        now.insert(round.market, own);
        let way = self.board.way(self.board.of(leg.base), &now);
        if way == ENDLESS {
            return due;
        }
        let recorded = if is_floored(&leg.holding) {
            0
        } else {
            recorded.max(0)
        };
        let slack = if self.is_fresh(leg) { 101 } else { 110 };
        // 1 / ((1 + K)(1 + s)) and K times that, in units of 2^-32.
        let million = 1_000_000;
        let unit = 1_i128 << 32;
        let first = floor(&part(unit * 100, million, (million + way) * slack));
        let second = floor(&part(first, way, million));
        let bound = floor(&part(first, recorded, unit)) + floor(&part(second, due, unit));
        bound.max(due)
    }

    fn is_fresh(&self, leg: &Leg) -> bool {
        self.slot - leg.recorded <= FRESH
    }

    /// Whether somebody has found the account too weak for a cut at the round's close price, and is believed.
    fn is_witnessed(&self, round: &Round, leg: &Leg) -> bool {
        let weak = match leg.weak {
            None => false,
            Some(Weakness::BelowMaintenance) => true,
            Some(Weakness::AtClose(price)) => {
                (whole(price) - &round.measure.close) * whole(round.sign) >= whole(0)
            }
        };
        weak && self.is_fresh(leg)
    }

    /// Who is not listed, holds maintenance margin, is not at its cap and not witnessed, and ranks above the last
    /// one cut by more than the tolerance, valued at the price just read and the board's marks of its other legs.
    pub(super) fn overlooked(&self, mixed: &Mixed, list: &[Listed]) -> Vec<usize> {
        let round = &mixed.round;
        let Some((_, last)) = round.last.as_ref().filter(|_| !mixed.by_record) else {
            return Vec::new();
        };
        let above = |(trader, leg): &(usize, &Leg)| {
            let account = self.account(*trader, Some((round.market, mixed.mark)));
            let account = account.expect("a sound account");
            let stands = account.with_everything(round.market).expect("a sound leg");
            let ranked = round.measure.rank_account(&stands, leg.sequence);
            account.is_healthy()
                && round.cap_left(leg.holding.size(), &leg.stamp) > 0
                && !self.is_witnessed(round, leg)
                && round.measure.skipped(&ranked, last)
        };
        let out = self.legs_of(round).into_iter();
        let out = out.filter(|(trader, _)| !list.contains(&Listed::Trader(*trader)));
        out.filter(above).map(|(trader, _)| trader).collect()
    }

    /// Records legs anew, and which accounts a round for the bankrupt could not cut.
    pub(super) fn witness_ranks(&mut self, call: &Witnessing) -> Verdict<()> {
        let market = call.market;
        require(!call.traders.is_empty(), BallastError::ZeroAmount)?;
        let mark = self.touch(market, Use::Force(0))?;
        let mut copy = self.clone();
        let subject = copy.subject(market, call.bankrupt, &call.queues, mark)?;
        let deficit = -subject.before.equity(mark.price);
        require(deficit > 0, BallastError::NotBankrupt)?;
        let insured = subject.available.min(deficit);
        let params = self.markets[market].params;
        let mut round = Round::of(market, &subject.before, insured, mark.price, &params);
        round.epoch = self.markets[market].passes[side(round.sign)].max(1);
        for trader in &call.traders {
            if self.traders[*trader].is_none() {
                return Err(Refusal(3_007));
            }
            self.needed_leg(market, *trader)?;
            let account = self.forced(market, *trader, mark)?;
            let leg = self.needed_leg(market, *trader)?;
            let opposite = leg.holding.sign() == round.sign;
            require(opposite, BallastError::NoPosition)?;
            let there = call.queues.contains(&(market, side(round.sign)));
            require(there, BallastError::CrossQueueMissing)?;
            let weak = weakness(&round, &account, leg)?;
            self.renew(*trader, &call.queues, Some(market), weak)?;
        }
        Ok(())
    }
}

/// Why rounds like this do not need an account: it is below maintenance, or could not bear the cut of a lot at the
/// whole price next to the close price that is no worse.
fn weakness(round: &Round, account: &Account, leg: &Leg) -> Verdict<Option<Weakness>> {
    if !account.is_healthy() {
        return Ok(Some(Weakness::BelowMaintenance));
    }
    let close = &round.measure.close;
    let price = if round.sign > 0 {
        ceil(close)
    } else {
        floor(close)
    };
    let fits = round.close_quote >= 0 && u32::try_from(price).is_ok();
    require(fits, BallastError::ClosePriceOutOfRange)?;
    let cap_left = round.cap_left(leg.holding.size(), &leg.stamp);
    let eased = round.closing_at(price);
    let borne = eased.borne(account, Stage::First, cap_left);
    Ok((cap_left > 0 && borne == Some(0)).then_some(Weakness::AtClose(price)))
}
