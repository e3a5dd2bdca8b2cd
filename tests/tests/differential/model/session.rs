//! Deleveraging over several transactions: what is frozen, whom a complete selection holds, what
//! its execution does. How the program finds its members is not modelled; what they must be is.

use ballast_state::error::BallastError;

use super::deleverage::check_accounts;
use super::holding::Holding;
use super::liquidate::Health;
use super::number::{floor, part};
use super::oracle::Use;
use super::ranking::{Class, Ranked};
use super::refusal::{require, Verdict};
use super::round::{Listed, Round};
use super::state::{side, Model, Owned};
use super::Effect;
use crate::operation::Named;

/// Slots a session lasts.
const LIFE: u64 = 150;
/// Most members.
const MOST_MEMBERS: usize = 16;

/// A position as it was when the program selected it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Order of joining the queue.
    pub sequence: u64,
    /// Lots, unsigned.
    pub lots: i128,
    /// What they cost, unsigned.
    pub entry: i128,
    /// Their worth without equity, less lots times the funding index.
    pub bankruptcy: i128,
    /// Lots that may be cut.
    pub cap_left: i128,
}

/// How far the program says it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Whether its walk is at the end.
    pub complete: bool,
    /// Lots of all members that may be cut.
    pub found: i128,
    /// Members in its order.
    pub members: Vec<Member>,
}

/// A session under way.
#[derive(Clone, Debug)]
pub struct Session {
    /// The bankrupt trader.
    pub bankrupt: usize,
    /// Number of the bankruptcy.
    pub bankruptcy_id: u64,
    /// The position, funding paid up to the frozen index.
    pub position: Holding,
    /// What insurance pays if all of it is closed.
    pub insured: i128,
    /// Frozen mark.
    pub mark: i128,
    /// Frozen pass.
    pub epoch: u32,
    /// Lots to close.
    pub wanted: i128,
    /// Who joins from here on stands outside.
    pub limit: u64,
    /// Last slot of its life.
    pub expires: u64,
    /// What the program has selected.
    pub seen: Seen,
    /// Whether positions may have changed since it began.
    pub disturbed: bool,
}

/// What the opening of a session comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Number of the market.
    pub market: usize,
    /// Its queue.
    pub side: usize,
    /// Deficit of the whole position.
    pub deficit: i128,
    /// What insurance pays if all of it is closed.
    pub insured: i128,
}

impl Model {
    /// Opens a session.
    pub fn open_session(&mut self, market: usize, bankrupt: usize) -> Verdict<Effect> {
        self.require_isolated(market)?;
        let begun = self.begin(market, bankrupt)?;
        let (round, deficit) = (begun.round, begun.deficit);
        require(deficit > round.insured, BallastError::InsuranceCanPay)?;
        let slot = self.slot;
        self.hold(market, bankrupt, round.bankrupt)?;
        self.record(market, bankrupt, Health::Bankrupt(deficit), false);
        let place = side(round.sign);
        let free = self.markets[market].sessions[place].is_none();
        require(free, BallastError::AdlSessionUnderWay)?;
        self.markets[market].sessions[place] = Some(Session {
            bankrupt,
            bankruptcy_id: self.distress_mut(market, bankrupt).bankruptcy_id,
            position: round.bankrupt,
            insured: round.insured,
            mark: round.measure.mark,
            epoch: round.epoch,
            wanted: round.budget,
            limit: self.markets[market].next_sequence[place],
            expires: slot + LIFE,
            seen: Seen::default(),
            disturbed: false,
        });
        Ok(Effect::Opened(Opened {
            market,
            side: place,
            deficit,
            insured: round.insured,
        }))
    }

    /// Walks on: whom that selects is seen in the program and judged by [`Model::judge`].
    pub fn advance_session(&mut self, named: &Named) -> Verdict<()> {
        // The call names no bankrupt trader.
        let own = named.of_market == named.market;
        require(own, BallastError::AdlSessionMismatch)?;
        self.require_live(named)
    }

    /// Executes a session, or opens the next pass when it has no members and the list shows
    /// somebody at its cap whom that pass may cut.
    pub fn execute_session(
        &mut self,
        named: &Named,
        receiver: usize,
        list: &[Listed],
    ) -> Verdict<Effect> {
        check_accounts(self, named.bankrupt, list)?;
        self.require_isolated(named.of_market)?;
        let since = self.flagged(named.of_market, named.bankrupt);
        let mark = self.touch(named.of_market, Use::Force(since))?.price;
        self.require_of(named)?;
        self.require_live(named)?;
        let (market, bankrupt) = (named.market, named.bankrupt);
        self.needed(market, bankrupt)?;
        let equity = self.settled(market, bankrupt)?.equity(mark);
        require(equity < 0, BallastError::NotBankrupt)?;
        let session = self.session(market, named.side).clone();
        let complete = session.seen.complete;
        require(complete, BallastError::AdlSessionIncomplete)?;
        let unchanged = self.is_unchanged(market, named.side);
        require(unchanged, BallastError::AdlSessionStale)?;
        let mut round = self.frozen(market, named.side);
        if session.seen.members.is_empty() {
            let waiting = self.waiting(market, named.side);
            let mut waits = false;
            for listed in list {
                let trader = matches!(listed, Listed::Trader(_));
                require(trader, BallastError::AdlForeignAccount)?;
                waits |= waiting.contains(listed);
            }
            require(waits, BallastError::AdlNothingCut)?;
            let pass = self.open_pass(market, round.sign);
            self.distress_mut(market, bankrupt).pass_epoch = pass;
            self.markets[market].sessions[named.side] = None;
            return Ok(Effect::Passed);
        }
        round.budget = self.payable(market, named.side);
        require(round.budget > 0, BallastError::AdlSessionStale)?;
        let selected = self.selected(market, named.side);
        require(list == selected, BallastError::AdlNotSelected)?;
        self.release_all(market, bankrupt, None);
        round.proven = true;
        self.cut_all(&mut round, list)?;
        require(!round.cuts.is_empty(), BallastError::AdlNothingCut)?;
        let deficit = -session.position.equity(session.mark);
        self.markets[market].sessions[named.side] = None;
        let made = self.finish(round, bankrupt, receiver, deficit)?;
        Ok(Effect::Round(Box::new(made)))
    }

    /// Closes a session that can come to nothing any more.
    pub fn close_session(&mut self, named: &Named) -> Verdict<()> {
        self.require_of(named)?;
        let expired = self.require_live(named).is_err();
        let over = expired
            || !self.is_unchanged(named.market, named.side)
            || self.payable(named.market, named.side) == 0
            || self.exhausted(named.market, named.side);
        require(over, BallastError::AdlSessionLive)?;
        self.markets[named.market].sessions[named.side] = None;
        Ok(())
    }

    /// From now on positions may not be what they were when sessions began.
    pub fn disturb_sessions(&mut self) {
        for market in &mut self.markets {
            for session in market.sessions.iter_mut().flatten() {
                session.disturbed = true;
            }
        }
    }

    /// The session of a queue, which there is.
    pub fn session(&self, market: usize, side: usize) -> &Session {
        let session = self.markets[market].sessions[side].as_ref();
        session.expect("a session")
    }

    /// Whether the position and the pass are what the session was opened for.
    pub fn is_unchanged(&self, market: usize, side: usize) -> bool {
        let session = self.session(market, side);
        let Some(owned) = self.owned(market, session.bankrupt) else {
            return false;
        };
        let now = owned.holding.settled(session.position.index);
        owned.distress.bankruptcy_id == session.bankruptcy_id
            && now == Ok(session.position)
            && self.markets[market].passes[side] == session.epoch
    }

    /// Most lots that the session may close: what it wants, as far as insurance now pays the share of
    /// so many lots at the frozen price.
    pub fn payable(&self, market: usize, side: usize) -> i128 {
        let session = self.session(market, side);
        let available = self.deficit_cover(market);
        let (insured, size) = (session.insured, session.position.size());
        let pays = |lots: i128| floor(&part(insured, lots, size)) <= available;
        let (mut few, mut many) = (0, session.wanted + 1);
        while many - few > 1 {
            let middle = (few + many).div_euclid(2);
            if pays(middle) {
                few = middle;
            } else {
                many = middle;
            }
        }
        few
    }

    /// Whether the walk is complete and no member can be cut any more.
    fn exhausted(&self, market: usize, side: usize) -> bool {
        let (session, round) = (self.session(market, side), self.frozen(market, side));
        let eligible = self.eligible(&round);
        let left = eligible.iter().any(|(trader, left, _)| {
            let owned = self.owned(market, *trader).expect("a position");
            *left > 0 && session.seen.has(owned.sequence)
        });
        session.seen.complete && !left
    }

    /// Everybody at its cap who is solvent at the frozen close price.
    pub fn waiting(&self, market: usize, side: usize) -> Vec<Listed> {
        let eligible = self.eligible(&self.frozen(market, side));
        let waiting = eligible.into_iter().filter(|(_, left, _)| *left == 0);
        waiting
            .map(|(trader, _, _)| Listed::Trader(trader))
            .collect()
    }

    /// The members still in the queue, in order.
    pub fn selected(&self, market: usize, side: usize) -> Vec<Listed> {
        let members = self.session(market, side).seen.members.iter();
        members
            .filter_map(|member| self.in_queue(market, side, member.sequence))
            .map(|(trader, _)| Listed::Trader(trader))
            .collect()
    }

    fn in_queue(&self, market: usize, side: usize, sequence: u64) -> Option<(usize, &Owned)> {
        let sign = if side == 0 { 1 } else { -1 };
        let mut queue = self.queue(market, sign).into_iter();
        queue.find(|(_, owned)| owned.sequence == sequence)
    }

    fn require_of(&self, named: &Named) -> Verdict<()> {
        let session = self.session(named.market, named.side);
        let own = named.of_market == named.market && named.bankrupt == session.bankrupt;
        require(own, BallastError::AdlSessionMismatch)
    }

    fn require_live(&self, named: &Named) -> Verdict<()> {
        let session = self.session(named.market, named.side);
        let live = self.slot <= session.expires;
        require(live, BallastError::AdlSessionExpired)
    }

    /// The round as it was when the session began; its order is exact.
    pub(super) fn frozen(&self, market: usize, side: usize) -> Round {
        let session = self.session(market, side);
        let params = &self.markets[market].params;
        let (position, insured) = (&session.position, session.insured);
        let mut round = Round::of(market, position, insured, session.mark, params);
        round.measure.tolerance_bps = 0;
        Round {
            epoch: session.epoch,
            budget: session.wanted,
            ..round
        }
    }

    /// Whether what the program selected is what it promises.
    ///
    /// New members are taken as they stand, in rank order, and no more than suffice. Once the walk
    /// is complete, nobody older than the session, below its cap and solvent at the close price
    /// ranks above the last member as it stands now; if the members do not suffice, there is nobody
    /// else. If no position has changed, the members are the top of the ranking.
    pub fn judge(&self, market: usize, side: usize, seen: &Seen) -> Result<(), String> {
        let (session, round) = (self.session(market, side), self.frozen(market, side));
        let mut ranks: Vec<Ranked> = Vec::new();
        for member in &seen.members {
            self.judge_member(market, side, &round, member)?;
            let ranked = round.measure.rank(&member.holding(&round), member.sequence);
            if ranked.class == Class::Never {
                return Err(format!("{member:?} is insolvent at the close price"));
            }
            if ranks.last().is_some_and(|above| !above.before(&ranked)) {
                return Err(format!("{member:?} ranks above the one before it"));
            }
            ranks.push(ranked);
        }
        let found: i128 = seen.members.iter().map(|member| member.cap_left).sum();
        let last = seen.members.last().map_or(0, |member| member.cap_left);
        let spare = !seen.members.is_empty() && found - last >= session.wanted;
        if found != seen.found || spare || seen.members.len() > MOST_MEMBERS {
            return Err(format!(
                "wanted {}, found {found}: {seen:?}",
                session.wanted
            ));
        }
        if !seen.complete {
            return Ok(());
        }
        let enough = found >= session.wanted || seen.members.len() == MOST_MEMBERS;
        self.judge_others(&round, session, seen, ranks.last().filter(|_| enough))?;
        if session.disturbed {
            return Ok(());
        }
        self.judge_top(&round, session, seen)
    }

    /// Whether a member is as it was last seen, or as it stands in the model.
    fn judge_member(
        &self,
        market: usize,
        side: usize,
        round: &Round,
        member: &Member,
    ) -> Result<(), String> {
        let session = self.session(market, side);
        if session.seen.members.contains(member) {
            return Ok(());
        }
        let found = self.in_queue(market, side, member.sequence);
        let standing = found.and_then(|(_, owned)| Member::of(round, owned));
        if standing != Some(*member) || member.cap_left == 0 || member.sequence >= session.limit {
            return Err(format!("selected {member:?}, model {standing:?}"));
        }
        Ok(())
    }

    /// Nobody who is not a member ranks above `last`, or is eligible at all where it is none.
    fn judge_others(
        &self,
        round: &Round,
        session: &Session,
        seen: &Seen,
        last: Option<&Ranked>,
    ) -> Result<(), String> {
        for (trader, left, ranked) in self.eligible(round) {
            let owned = self.owned(round.market, trader).expect("a position");
            let member = seen.has(owned.sequence);
            let above = last.is_none_or(|last| ranked.before(last));
            if left > 0 && !member && owned.sequence < session.limit && above {
                return Err(format!("complete without trader {trader}: {seen:?}"));
            }
        }
        Ok(())
    }

    fn judge_top(&self, round: &Round, session: &Session, seen: &Seen) -> Result<(), String> {
        let (mut due, mut found) = (Vec::new(), 0);
        for (trader, left, _) in self.eligible(round) {
            if left > 0 && found < session.wanted && due.len() < MOST_MEMBERS {
                let owned = self.owned(round.market, trader).expect("a position");
                due.push(owned.sequence);
                found += left;
            }
        }
        let members: Vec<u64> = seen.members.iter().map(|member| member.sequence).collect();
        if members != due {
            return Err(format!(
                "selected {members:?}, the highest ranked are {due:?}"
            ));
        }
        Ok(())
    }
}

impl Seen {
    /// Whether the position that joined with this number is a member.
    pub fn has(&self, sequence: u64) -> bool {
        self.members
            .iter()
            .any(|member| member.sequence == sequence)
    }
}

impl Member {
    /// A position as it stands.
    fn of(round: &Round, owned: &Owned) -> Option<Self> {
        let holding = owned.holding.settled(round.index).ok()?;
        Some(Self {
            sequence: owned.sequence,
            lots: holding.size(),
            entry: holding.entry.abs(),
            bankruptcy: holding.bankruptcy() - holding.size() * round.index,
            cap_left: round.cap_left(holding.size(), &owned.stamp),
        })
    }

    /// The position that was selected, funding paid up to the frozen index.
    fn holding(&self, round: &Round) -> Holding {
        let bankruptcy = self.bankruptcy + self.lots * round.index;
        Holding {
            lots: round.sign * self.lots,
            entry: round.sign * self.entry,
            margin: round.sign * (self.entry - bankruptcy),
            index: round.index,
        }
    }
}
