//! Markets, accounts and a small generator.

use ballast_engine::cross::{Account, Leg, LegTerms};
use ballast_engine::fixtures::risk::{small_market, sol_market, tier};
use ballast_engine::margin::MarginScale;
use ballast_engine::oracle::Mark;
use ballast_engine::position::Position;
use ballast_engine::risk::RiskParams;
use ballast_engine::units::{Atoms, FundingIndex, LotPrice, Lots};

/// The same numbers in every run.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Within `low..=high`.
    pub fn within(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    /// Within `-most..=most`.
    pub fn signed(&mut self, most: u64) -> i64 {
        let size = i64::try_from(self.within(0, 2 * most)).expect("small");
        size - i64::try_from(most).expect("small")
    }

    /// One of `of` times.
    pub fn once_in(&mut self, of: u64) -> bool {
        self.next().is_multiple_of(of)
    }

    /// Numbers of every magnitude within `low..=high`.
    pub fn magnitude(&mut self, low: u64, high: u64) -> u64 {
        let bits = u64::from(high.ilog2().saturating_sub(low.max(1).ilog2()));
        let top = (high >> self.within(0, bits)).max(low);
        self.within(low, top)
    }
}

pub fn price(atoms: u64) -> LotPrice {
    LotPrice::new(atoms).expect("within range")
}

pub fn lots(signed: i64) -> Lots {
    Lots::new(signed).expect("within range")
}

pub fn mark(atoms: u64, confidence: u64) -> Mark {
    Mark {
        price: price(atoms),
        confidence,
        average: None,
        scale: MarginScale::NONE,
    }
}

/// A position of `size` lots entered at `entry` atoms a lot.
pub fn position(size: i64, entry: u64, margin: i64, funding: i64) -> Position {
    Position {
        lots: lots(size),
        entry_quote: Atoms::new(size * i64::try_from(entry).expect("small")),
        margin: Atoms::new(margin),
        funding_index: FundingIndex::new(funding),
    }
}

/// A market: its parameters, and where it stands.
#[derive(Clone, Debug)]
pub struct Market {
    pub params: RiskParams,
    pub terms: LegTerms,
    pub mark: Mark,
    pub funding: FundingIndex,
    pub weight_bps: u32,
}

impl Market {
    pub fn new(params: RiskParams, atoms: u64, funding: i64) -> Self {
        Self {
            terms: LegTerms::of(&params),
            params,
            mark: mark(atoms, 0),
            funding: FundingIndex::new(funding),
            weight_bps: 0,
        }
    }

    pub fn leg(&self, position: Position) -> Leg<'_> {
        Leg {
            position,
            mark: self.mark,
            funding_index: self.funding,
            terms: &self.terms,
            profit_weight_bps: self.weight_bps,
            recorded_slot: 0,
            weak: false,
        }
    }
}

/// Parameters of one of several shapes: one bracket at a whole rate, three brackets, steep ones.
pub fn some_params(dice: &mut Dice) -> RiskParams {
    let mut params = match dice.within(0, 2) {
        0 => small_market(),
        1 => sol_market(),
        _ => {
            let mut params = small_market();
            params.tiers[0] = tier(u64::MAX >> 1, 1_000, 500);
            params.tier_count = 1;
            params
        }
    };
    params.min_position_lots = dice.within(1, 5);
    params.ladder_count =
        u32::try_from(dice.within(0, u64::from(params.ladder_count))).expect("few");
    params
}

pub fn some_market(dice: &mut Dice) -> Market {
    let params = some_params(dice);
    let atoms = dice.magnitude(100, 1_000_000);
    let funding = dice.signed(3 * atoms);
    Market::new(params, atoms, funding)
}

/// A position in a market, entered within some way of its mark, with funding unpaid.
pub fn some_position(dice: &mut Dice, market: &Market) -> Position {
    let size = i64::try_from(dice.magnitude(1, 2_000_000)).expect("small");
    let size = if dice.once_in(2) { size } else { -size };
    let at = market.mark.price.get();
    let entry = dice.within((at / 2).max(1), at * 3 / 2);
    let back = dice.signed(at / 10 + 1);
    position(size, entry, 0, market.funding.get() - back)
}

/// Up to four markets, with a position in each.
pub fn some_account(dice: &mut Dice) -> (Vec<Market>, Vec<Position>) {
    let count = dice.within(1, 4);
    let markets: Vec<_> = (0..count).map(|_| some_market(dice)).collect();
    let positions = markets
        .iter()
        .map(|market| some_position(dice, market))
        .collect();
    (markets, positions)
}

/// Legs of up to four markets.
pub fn legs<'a>(markets: &'a [Market], positions: &[Position]) -> Vec<Leg<'a>> {
    let pairs = markets.iter().zip(positions);
    pairs
        .map(|(market, position)| market.leg(*position))
        .collect()
}

/// The sum of what the legs are worth without a pool, atoms.
pub fn unrealised(legs: &[Leg<'_>]) -> i64 {
    let account = Account {
        pool: Atoms::ZERO,
        legs,
    };
    account.values().expect("within range").equity.get()
}

/// A pool with which the account has this equity.
pub fn pool_for(legs: &[Leg<'_>], equity: i64) -> Atoms {
    Atoms::new(equity - unrealised(legs))
}

pub fn requirement(legs: &[Leg<'_>]) -> u64 {
    let account = Account {
        pool: Atoms::ZERO,
        legs,
    };
    account.values().expect("within range").requirement
}
