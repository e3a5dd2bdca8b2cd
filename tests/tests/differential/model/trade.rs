//! Trades and what they need: margin by tiers, limits, fees.

use ballast_engine::risk::RiskParams;
use ballast_state::error::BallastError;
use num_rational::BigRational;

use super::holding::{Holding, MAX_LOTS};
use super::number::{ceil, floor, part, whole, ONE};
use super::oracle::{in_range, Mark, Use};
use super::orders::least_lots;
use super::refusal::{require, signed, Verdict};
use super::state::{Distress, Model};
use super::volatility::initial_due;
use crate::operation::Trade;

/// Which margin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// To open.
    Initial,
    /// To be left alone.
    Maintenance,
}

/// Margin of a notional, not rounded: each tier's rate on the part inside it, the last one's on
/// everything beyond.
pub fn margin(params: &RiskParams, notional: i128, rate: Rate) -> BigRational {
    let tiers = &params.tiers[..usize::try_from(params.tier_count).expect("a small count")];
    let mut total = whole(0);
    let mut from = 0;
    for (place, tier) in tiers.iter().enumerate() {
        let last = place + 1 == tiers.len();
        let limit = i128::from(tier.notional_limit_atoms);
        let to = if last { notional } else { notional.min(limit) };
        let bps = match rate {
            Rate::Initial => tier.initial_margin_bps,
            Rate::Maintenance => tier.maintenance_margin_bps,
        };
        if to > from {
            total += part(to - from, i128::from(bps), ONE);
        }
        from = limit;
    }
    total
}

/// Margin as it is asked for: rounded up.
pub fn margin_due(params: &RiskParams, notional: i128, rate: Rate) -> i128 {
    ceil(&margin(params, notional, rate))
}

/// A party of a trade.
pub struct Party {
    /// What it holds, funding paid.
    pub holding: Holding,
    /// Its free collateral.
    pub free: i128,
    /// Margin it offers.
    pub margin: i128,
}

/// A party after a trade.
pub struct Traded {
    /// What it holds.
    pub after: Holding,
    /// Its free collateral.
    pub free: i128,
    /// The fee charged.
    pub fee: i128,
    /// Whether the position only became smaller.
    pub reduced: bool,
}

/// A fill with its fee and margin, by which `new` lots count as new to the market.
pub fn party_fill(
    params: &RiskParams,
    mark: &Mark,
    party: &Party,
    [lots, quote, new]: [i128; 3],
    fee: i128,
) -> Verdict<Traded> {
    let reduced = party.holding.reduced_by(lots);
    let filled = party.holding.filled(lots, quote)?;
    let payout = signed(filled.realized + filled.released)?;
    let available = signed(party.free + payout)?;
    let (fee, added) = if reduced {
        (fee.min(available.max(0)), 0)
    } else {
        (fee, party.margin)
    };
    let free = signed(signed(available - fee)? - added)?;
    require(free >= 0, BallastError::InsufficientCollateral)?;
    let mut after = filled.after;
    if !reduced {
        after.margin = signed(after.margin + added)?;
        require_small(params, mark, &after)?;
        require_initial(params, mark, &after, new)?;
    }
    Ok(Traded {
        after,
        free,
        fee,
        reduced,
    })
}

/// Within the limits of one position.
pub fn require_small(params: &RiskParams, mark: &Mark, after: &Holding) -> Verdict<()> {
    let last = usize::try_from(params.tier_count).expect("a small count") - 1;
    let limit = i128::from(params.tiers[last].notional_limit_atoms);
    let small =
        after.size() <= i128::from(params.max_position_lots) && after.size() * mark.price <= limit;
    require(small, BallastError::PositionTooLarge)
}

/// Initial margin at the price worsened by the confidence, of the notional at the higher price, where
/// `new` lots count as new to the market.
pub fn require_initial(
    params: &RiskParams,
    mark: &Mark,
    after: &Holding,
    new: i128,
) -> Verdict<()> {
    let worst = mark.worsened(after.sign())?;
    let notional = after.size() * worst.max(mark.price);
    let equity = signed(after.margin + signed(after.lots * worst - after.entry)?)?;
    let due = initial_due(params, &mark.scale, new, notional);
    require(equity >= due, BallastError::BelowInitialMargin)
}

/// What a maker pays, or gets out of what the taker paid.
pub fn maker_fee(params: &RiskParams, notional: i128, taker_paid: i128) -> i128 {
    let due = part(notional, i128::from(params.maker_fee_bps.abs()), ONE);
    if params.maker_fee_bps >= 0 {
        return ceil(&due);
    }
    -floor(&due).min(taker_paid)
}

impl Model {
    /// A negotiated trade.
    pub fn block_trade(&mut self, trade: &Trade) -> Verdict<()> {
        let distinct = trade.taker != trade.maker;
        require(distinct, BallastError::TradersNotDistinct)?;
        let lots = i128::from(trade.lots);
        require(lots.abs() <= MAX_LOTS, BallastError::SizeOutOfRange)?;
        let number = trade.market;
        let reduces = self.held(number, trade.taker).reduced_by(lots)
            && self.held(number, trade.maker).reduced_by(-lots);
        let wanted = if reduces { Use::Reduce } else { Use::Open };
        let mark = self.touch(number, wanted)?;
        let taker = self.party(number, trade.taker, trade.taker_margin)?;
        let maker = self.party(number, trade.maker, trade.maker_margin)?;

        require(lots != 0, BallastError::ZeroLots)?;
        let params = self.markets[number].params;
        let price = in_range(i128::from(trade.price) * self.markets[number].atoms_per_tick)?;
        let distance = (price - mark.price).abs() * ONE;
        let near = distance <= mark.price * i128::from(params.price_band_bps);
        require(near, BallastError::PriceOutsideBand)?;
        let notional = lots.abs() * price;
        let fee = |bps: u32| ceil(&part(notional, i128::from(bps), ONE));
        let quote = lots * price;
        let taken = party_fill(
            &params,
            &mark,
            &taker,
            [lots, quote, lots.abs()],
            fee(params.taker_fee_bps),
        )?;
        let made = party_fill(
            &params,
            &mark,
            &maker,
            [-lots, -quote, lots.abs()],
            maker_fee(&params, notional, taken.fee),
        )?;
        for (before, after) in [(&taker, &taken), (&maker, &made)] {
            let least = least_lots(&params, mark.price);
            let exempt = after.reduced && before.holding.size() < least;
            let small = after.after.lots != 0 && after.after.size() < least;
            require(!small || exempt, BallastError::PositionTooSmall)?;
        }
        let before = self.open_interest(number);
        let rise = taken.after.lots.max(0) - taker.holding.lots.max(0) + made.after.lots.max(0)
            - maker.holding.lots.max(0);
        let limit = i128::from(params.max_open_interest_lots);
        let reduce_only = self.markets[number].reduce_only;
        require(rise <= 0 || !reduce_only, BallastError::MarketReduceOnly)?;
        require(
            rise <= 0 || mark.average.is_none(),
            BallastError::PriceDiverged,
        )?;
        let within = rise <= 0 || before + rise <= limit;
        require(within, BallastError::OpenInterestLimit)?;

        self.seen.push(price);
        self.settle_party(number, trade.taker, &taken)?;
        self.settle_party(number, trade.maker, &made)?;
        let fees = taken.fee + made.fee;
        let share = floor(&part(fees, i128::from(params.insurance_fee_share_bps), ONE));
        let market = &mut self.markets[number];
        market.insurance.earn(&market.params, share)?;
        market.fees += fees - share;
        Ok(())
    }

    fn party(&self, market: usize, trader: usize, margin: u64) -> Verdict<Party> {
        self.require_no_leg(market, trader)?;
        Ok(Party {
            holding: self.settled(market, trader)?,
            free: self.trader(trader).free,
            margin: i128::from(margin),
        })
    }

    fn settle_party(&mut self, market: usize, trader: usize, traded: &Traded) -> Verdict<()> {
        let stood = self.stands(market, trader);
        self.hold(market, trader, traded.after)?;
        self.cut_reduce_only(market, trader, traded.after.lots);
        self.trader_mut(trader).free = traded.free;
        if !traded.reduced {
            *self.distress_mut(market, trader) = Distress::default();
        }
        self.note(&stood, 0);
        Ok(())
    }

    /// Margin becomes free collateral.
    pub fn remove_margin(&mut self, market: usize, trader: usize, amount: i128) -> Verdict<()> {
        let mark = self.touch(market, Use::RemoveMargin)?;
        self.needed(market, trader)?;
        let mut holding = self.settled(market, trader)?;
        require(amount > 0, BallastError::ZeroAmount)?;
        holding.margin = signed(holding.margin - amount)?;
        require(holding.margin >= 0, BallastError::MarginBelowZero)?;
        require_initial(&self.markets[market].params, &mark, &holding, 0)?;
        let free = signed(self.trader(trader).free + amount)?;
        let stood = self.stands(market, trader);
        self.hold(market, trader, holding)?;
        *self.distress_mut(market, trader) = Distress::default();
        self.trader_mut(trader).free = free;
        self.note(&stood, 0);
        Ok(())
    }
}
