//! Legs that take orders of the book.

use ballast_state::error::BallastError;

use super::cross::{Account, Leg};
use super::fill::{check_makers, Done, Matched, Meeting};
use super::holding::{Filled, Holding};
use super::number::{floor, part, ONE};
use super::oracle::{Mark, Use};
use super::orders::{least_lots, Taking};
use super::refusal::{require, signed, Verdict};
use super::round::Listed;
use super::state::{side, Distress, Model};
use super::trade::require_small;
use super::trigger::Wish;
use crate::operation::{OrderKind, Placing, Queues};

/// Most legs of an account.
const MOST_LEGS: usize = 4;

/// A leg on its way through the book.
struct Traded {
    market: usize,
    trader: usize,
    mark: Mark,
    /// The leg before, funding unpaid; nothing where there is none.
    held: Holding,
    /// What the fills made of it.
    filled: Filled,
    /// Lots with their sign, and what they cost.
    lots: i128,
    quote: i128,
    /// Funding that the leg owed.
    owed: i128,
    /// Whether it only became smaller.
    reduced: bool,
}

impl Model {
    /// A leg takes orders with the pool as its margin.
    pub fn trade_leg(&mut self, placing: &Placing, queues: &Queues) -> Verdict<Matched> {
        let (market, trader) = (placing.market, placing.trader);
        check_makers(&placing.makers)?;
        let mark = self.touch(market, Use::Open)?;
        let held = self.leg_to_trade(market, trader)?;
        let before = self.account(trader, Some((market, mark)))?;
        let taking = self.taking(placing, &mark, &held)?;
        let open = self.open_interest(market);
        let mut meeting = Meeting::new(market, -taking.sign, mark, &placing.makers);
        let left = self.take(&taking, &mut meeting)?;
        let whole = placing.kind != OrderKind::FillOrKill || left == 0;
        require(whole, BallastError::NotFilled)?;
        require(meeting.lots() > 0, BallastError::NothingFilled)?;
        let traded = self.leg_filled(&taking, &meeting, held, mark)?;
        self.require_leg_limits(&traded, open, queues)?;
        self.write_leg(&traded, &before, &meeting, queues)?;
        Ok(meeting.matched(Done::Order {
            lots: taking.lots,
            id: 0,
            resting: 0,
            reserved: 0,
        }))
    }

    /// Closes lots of a leg against the book at its owner's wish, and pays the keeper: who was met, and how much the
    /// keeper earned.
    pub fn fire_leg<'a>(
        &mut self,
        wish: &Wish,
        mark: Mark,
        queues: &Queues,
        makers: &'a [Listed],
    ) -> Verdict<(Meeting<'a>, i128)> {
        let (market, trader) = (wish.market, wish.trader);
        // They come after the board.
        require(!queues.is_empty(), BallastError::WrongBoard)?;
        let held = self.leg_to_trade(market, trader)?;
        let before = self.account(trader, Some((market, mark)))?;
        let taking = self.wished(wish, &mark, &held)?;
        let open = self.open_interest(market);
        let mut meeting = Meeting::new(market, -taking.sign, mark, makers);
        self.take(&taking, &mut meeting)?;
        require(meeting.lots() > 0, BallastError::NothingFilled)?;
        let traded = self.leg_filled(&taking, &meeting, held, mark)?;
        self.require_leg_limits(&traded, open, queues)?;
        let reward = self.reward(wish, meeting.lots());
        self.trader_mut(trader).free -= reward;
        self.write_leg(&traded, &before, &meeting, queues)?;
        self.trader_mut(wish.receiver).free += reward;
        Ok((meeting, reward))
    }

    /// Writes what the fills made of a leg, where its account may stand.
    fn write_leg(
        &mut self,
        traded: &Traded,
        before: &Account,
        meeting: &Meeting,
        queues: &Queues,
    ) -> Verdict<()> {
        let (market, trader) = (traded.market, traded.trader);
        let pool = self.trader(trader).shared.atoms - traded.owed + traded.filled.realized
            - meeting.fees();
        self.store_leg(traded, signed(pool)?, queues)?;
        self.require_leg_stands(traded, before)?;
        let written = (traded.filled.after.lots != 0).then_some(market);
        self.renew(trader, queues, written, None)?;
        self.book_fees(market, meeting.fees() + meeting.maker_fees())?;
        self.require_no_profit_held(market, traded.filled.realized - traded.owed)
    }

    /// What the leg holds; an account that is isolated in the market has none there.
    fn leg_to_trade(&self, market: usize, trader: usize) -> Verdict<Holding> {
        if let Some(leg) = self.leg(market, trader) {
            return Ok(leg.holding);
        }
        let isolated = self.uses(market, trader);
        require(!isolated, BallastError::CrossLegThere)?;
        let legs = self.trader(trader).shared.legs.iter().flatten().count();
        require(legs < MOST_LEGS, BallastError::CrossTooManyLegs)?;
        Ok(Holding::default())
    }

    fn leg_filled(
        &self,
        taking: &Taking,
        meeting: &Meeting,
        held: Holding,
        mark: Mark,
    ) -> Verdict<Traded> {
        let (market, index) = (meeting.market, self.markets[meeting.market].funding.index);
        let (lots, quote) = (taking.sign * meeting.lots(), taking.sign * meeting.quote());
        let owed = signed(signed(index - held.index)? * held.lots)?;
        let given = Holding {
            margin: 0,
            index,
            ..held
        };
        let filled = given.filled(lots, quote)?;
        let reduced = held.reduced_by(lots);
        if !reduced && filled.after.lots != 0 {
            require_small(&self.markets[market].params, &mark, &filled.after)?;
        }
        Ok(Traded {
            market,
            trader: taking.trader,
            mark,
            held,
            filled,
            lots,
            quote,
            owed,
            reduced,
        })
    }

    /// What the market allows of open interest, of the least position and of legs.
    fn require_leg_limits(&self, traded: &Traded, before: i128, queues: &Queues) -> Verdict<()> {
        let (market, held, after) = (traded.market, traded.held, traded.filled.after);
        let now = &self.markets[market];
        let open = self.open_interest(market) + after.lots.max(0) - held.lots.max(0);
        let rises = open > before;
        require(!(rises && now.reduce_only), BallastError::MarketReduceOnly)?;
        let held_up = rises && traded.mark.average.is_some();
        require(!held_up, BallastError::PriceDiverged)?;
        let limit = i128::from(now.params.max_open_interest_lots);
        require(!rises || open <= limit, BallastError::OpenInterestLimit)?;
        let least = least_lots(&now.params, traded.mark.price);
        let small = !traded.reduced && after.size() < least;
        require(!small, BallastError::PositionTooSmall)?;
        if after.lots == 0 {
            return Ok(());
        }
        let there = queues.contains(&(market, side(after.sign())));
        require(there, BallastError::CrossQueueMissing)?;
        let same = held.sign() == after.sign();
        let all = self.leg_lots(market, after.sign());
        let then = all - if same { held.size() } else { 0 } + after.size();
        let within = then <= all || then <= self.crossed(market).most_lots;
        require(within, BallastError::OpenInterestLimit)
    }

    fn store_leg(&mut self, traded: &Traded, pool: i128, queues: &Queues) -> Verdict<()> {
        let (market, trader, after) = (traded.market, traded.trader, traded.filled.after);
        let moves = traded.held.sign() != after.sign();
        if moves && traded.held.lots != 0 {
            let there = queues.contains(&(market, side(traded.held.sign())));
            require(there, BallastError::CrossQueueMissing)?;
        }
        let shared = &mut self.trader_mut(trader).shared;
        shared.atoms = pool;
        let before = shared.legs[market].take();
        if after.lots == 0 {
            return Ok(());
        }
        let opens = before.is_none();
        let distress = match (&before, traded.reduced) {
            (Some(leg), true) => leg.distress,
            _ => Distress::default(),
        };
        let kept = before.filter(|_| !moves);
        shared.legs[market] = Some(Leg {
            holding: after,
            distress,
            ..kept.unwrap_or_else(|| Leg::new(after))
        });
        if opens {
            self.claim_again(market, trader);
        }
        Ok(())
    }

    /// Who opens holds what opening needs; who reduces is no less healthy, and far from the mark holds that too.
    fn require_leg_stands(&self, traded: &Traded, before: &Account) -> Verdict<()> {
        let (market, trader, mark) = (traded.market, traded.trader, traded.mark);
        let worst = i128::from(self.markets[market].params.liquidation_discount_max_bps);
        let worth = traded.lots * mark.price;
        let slip = floor(&part(worth.abs(), worst, ONE));
        let deep = traded.reduced && traded.quote - worth > slip;
        let opens = !traded.reduced || deep;
        let after = match opens {
            true => self.account(trader, Some((market, mark)))?,
            false => self.forced(market, trader, mark)?,
        };
        if opens {
            self.require_open_marks(&after, Some(market))?;
        }
        if traded.reduced {
            let no_less = after.equity * before.due >= before.equity * after.due;
            let stands = after.is_healthy() || no_less;
            require(stands, BallastError::CrossBelowInitial)?;
        }
        match opens {
            true => after.require_opening_of(market, traded.lots.abs()),
            false => Ok(()),
        }
    }
}
