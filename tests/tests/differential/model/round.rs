//! A round of deleveraging: the close price, the cap and one cut.

use ballast_engine::risk::RiskParams;
use ballast_state::error::BallastError;
use num_rational::BigRational;

use super::cross::Account;
use super::cross_round::CrossMade;
use super::holding::Holding;
use super::number::{ceil, floor, part, ratio, whole, ONE};
use super::oracle::Mark;
use super::ranking::{Measure, Ranked};
use super::refusal::{require, Verdict};
use super::state::{Distress, Stamp};

/// Most accounts a list may have.
pub(super) const LONGEST_LIST: usize = 32;

/// An account in a keeper's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// A trader account, by number; there need not be one any more.
    Trader(usize),
    /// The account of a market, which belongs to the program.
    Market(usize),
    /// A queue of a market, which belongs to the program.
    Queue(usize, usize),
    /// A token account.
    Tokens(usize),
    /// An account of another program with the bytes of a trader.
    Forgery,
    /// An address nobody has used.
    Nobody,
}

/// One cut of a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutMade {
    /// Who.
    pub trader: usize,
    /// Place in the queue.
    pub sequence: u64,
    /// What was held, funding paid.
    pub before: Holding,
    /// Ranked as a winner.
    pub winner: bool,
    /// Lots closed.
    pub lots: i128,
    /// Worth at which they closed.
    pub quote: i128,
    /// Profit or loss.
    pub realized: i128,
    /// What became free.
    pub payout: i128,
    /// Profit forgone against the mark.
    pub gave_up: i128,
}

/// A round as it was played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoundMade {
    /// The cuts in order.
    pub cuts: Vec<CutMade>,
    /// Worth of all lots at the close price.
    pub close_quote: i128,
    /// All lots.
    pub close_lots: i128,
    /// Lots closed.
    pub lots: i128,
    /// First pass that counts.
    pub epoch: u32,
    /// Whether another pass was opened.
    pub pass_opened: bool,
    /// Deficit of the whole position.
    pub deficit: i128,
    /// Insurance paid for the closed lots.
    pub paid: i128,
    /// Deficit of the lots that are left.
    pub deficit_after: i128,
    /// All profit forgone.
    pub gave_up: i128,
    /// Reward of the keeper.
    pub reward: i128,
    /// What is said where legs stand in the ranking.
    pub cross: Option<Box<CrossMade>>,
}

/// A round under way.
pub(super) struct Round {
    pub market: usize,
    /// Of the counterparties.
    pub sign: i128,
    pub measure: Measure,
    pub close_quote: i128,
    pub close_lots: i128,
    /// Funding index at which everybody is ranked.
    pub index: i128,
    pub epoch: u32,
    pub cap_bps: i128,
    /// The least position.
    pub least: i128,
    pub budget: i128,
    pub bankrupt: Holding,
    /// What insurance pays if all lots are closed.
    pub insured: i128,
    pub cuts: Vec<CutMade>,
    /// The last one cut, ranked as it was before.
    pub last: Option<(usize, Ranked)>,
    pub at_cap: usize,
    /// Whether the order of the list has been shown already.
    pub proven: bool,
}

/// Who is deleveraged.
pub(super) struct Subject {
    /// The position, funding paid.
    pub before: Holding,
    pub distress: Distress,
    /// What may be paid of its deficit.
    pub available: i128,
    pub mark: Mark,
    /// The account of a leg.
    pub account: Option<Account>,
}

impl Subject {
    /// Whether it has been known to be bankrupt for longer than so many slots.
    pub fn has_waited(&self, slots: u64, now: u64) -> bool {
        let (_, bankrupt_for) = self.distress.ages(now, true);
        bankrupt_for.is_some_and(|elapsed| elapsed > slots)
    }
}

/// A round that is paid for.
pub(super) struct Booked {
    /// What is left of the bankrupt.
    pub left: Holding,
    /// Its lots when deleveraging began.
    pub whole_lots: i128,
    pub made: RoundMade,
}

/// A round that begins.
pub(super) struct Begun {
    pub round: Round,
    /// Deficit of the whole position.
    pub deficit: i128,
}

impl Round {
    /// A round for what is left of a bankrupt position, whose funding is paid up to its index, and
    /// for all of which insurance would pay `insured`.
    pub fn of(
        market: usize,
        bankrupt: &Holding,
        insured: i128,
        mark: i128,
        params: &RiskParams,
    ) -> Self {
        let close_quote = bankrupt.bankruptcy() - bankrupt.sign() * insured;
        let close_lots = bankrupt.size();
        Self {
            market,
            sign: -bankrupt.sign(),
            measure: Measure {
                mark,
                close: ratio(close_quote, close_lots),
                min_profit_bps: i128::from(params.adl.min_profit_bps),
                tolerance_bps: i128::from(params.adl.rank_tolerance_bps),
            },
            close_quote,
            close_lots,
            index: bankrupt.index,
            epoch: 0,
            cap_bps: i128::from(params.adl.max_close_bps),
            least: i128::from(params.min_position_lots),
            budget: close_lots,
            bankrupt: *bankrupt,
            insured,
            cuts: Vec::new(),
            last: None,
            at_cap: 0,
            proven: false,
        }
    }

    /// The same round at another close price.
    pub fn closing_at(&self, price: i128) -> Self {
        Self {
            measure: Measure {
                close: whole(price),
                ..self.measure.clone()
            },
            cuts: Vec::new(),
            last: None,
            ..*self
        }
    }

    /// Lots cut in the passes that count.
    pub fn lots_cut(&self, stamp: &Stamp) -> i128 {
        if stamp.epoch >= self.epoch {
            stamp.lots
        } else {
            0
        }
    }

    /// Lots that may still be cut before the cap.
    pub fn cap_left(&self, size: i128, stamp: &Stamp) -> i128 {
        if stamp.capped_epoch >= self.epoch {
            return 0;
        }
        let cut = self.lots_cut(stamp);
        let cap = ceil(&part(size + cut, self.cap_bps, ONE));
        let left = (cap - cut).clamp(0, size);
        // A cut leaves nothing or at least the least position.
        if left > 0 && size - left < self.least {
            size
        } else {
            left
        }
    }

    /// Worth of so many lots at the close price, rounded for the counterparties.
    fn worth(&self, lots: i128) -> i128 {
        let exact: BigRational = &self.measure.close * whole(lots);
        if self.sign > 0 {
            ceil(&exact)
        } else {
            floor(&exact)
        }
    }

    /// Trades `lots` between a counterparty and the bankrupt.
    pub(super) fn close(&mut self, holding: &Holding, lots: i128) -> Verdict<(Holding, CutMade)> {
        let sold: i128 = self.cuts.iter().map(|cut| cut.lots).sum();
        let quote = self.worth(sold + lots) - self.worth(sold);
        let gave_up = self.sign * (lots * self.measure.mark - quote);
        require(gave_up >= 0, BallastError::AdlOvershoot)?;
        let filled = holding.filled(-self.sign * lots, -self.sign * quote)?;
        let mut after = filled.after;
        let mut payout = filled.realized + filled.released;
        if payout < 0 {
            require(after.lots != 0, BallastError::AdlOvershoot)?;
            after.margin += payout;
            payout = 0;
        }
        let (bankrupt, left) = self
            .bankrupt
            .closed_into_margin(self.sign * lots, self.sign * quote);
        let missing = if bankrupt.lots == 0 { self.insured } else { 0 };
        require(left + missing == 0, BallastError::AdlOvershoot)?;
        self.bankrupt = bankrupt;
        let made = CutMade {
            trader: 0,
            sequence: 0,
            before: *holding,
            winner: false,
            lots,
            quote,
            realized: filled.realized,
            payout,
            gave_up,
        };
        Ok((after, made))
    }
}
