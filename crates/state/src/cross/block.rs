//! A block trade one of whose parties, or both, trade a leg.

use alloc::boxed::Box;

use ballast_engine::{
    cross::LegTrade,
    fees::FeeSplit,
    oracle::Now,
    position::Position,
    trade::{Deal, PartyInput, PartyOutcome, Role, TradeTerms},
    units::{Atoms, Lots},
};

use super::{Legs, Scene};
use crate::{
    error::{BallastError, Result},
    market::Market,
    trader::Trader,
    Pubkey,
};

/// A party of a block trade.
#[derive(Clone, Copy, Debug)]
pub enum BlockParty<'a> {
    /// Its position in the market, funding settled, with or without lots.
    Isolated(PartyInput),
    /// Its leg in the market, with or without lots: the account's legs, and the place of this one among them.
    Leg(&'a Legs<'a>, usize),
}

/// What the trade makes of a party.
#[derive(Clone, Debug)]
pub enum BlockOutcome {
    /// Of an isolated one.
    Isolated(Box<PartyOutcome>),
    /// Of a leg, and the fee that its account pays, atoms; a rebate when negative.
    Leg(Box<LegTrade>, Atoms),
}

/// What a block trade comes to.
#[derive(Clone, Debug)]
pub struct BlockDone {
    /// The taker.
    pub taker: BlockOutcome,
    /// The maker.
    pub maker: BlockOutcome,
    /// Sum of long lots after the trade.
    pub open_interest_lots: u64,
    /// What the fees add to fee bucket and insurance.
    pub fees: FeeSplit,
}

impl BlockOutcome {
    /// The fee as charged, atoms; a rebate when negative.
    #[must_use]
    pub const fn fee(&self) -> Atoms {
        match self {
            Self::Isolated(party) => party.fee,
            Self::Leg(_, fee) => *fee,
        }
    }

    /// The position or the leg afterwards.
    #[must_use]
    pub const fn position(&self) -> &Position {
        match self {
            Self::Isolated(party) => &party.position,
            Self::Leg(leg, _) => &leg.position,
        }
    }

    /// Whether it only became smaller.
    #[must_use]
    pub const fn reduced_only(&self) -> bool {
        match self {
            Self::Isolated(party) => party.reduced_only,
            Self::Leg(leg, _) => leg.reduced_only,
        }
    }

    const fn is_deep(&self) -> bool {
        match self {
            Self::Isolated(_) => false,
            Self::Leg(leg, _) => leg.deep,
        }
    }
}

impl Trader {
    /// The isolated position in `market`, funding unpaid; none when there is none.
    ///
    /// # Errors
    /// `SizeOutOfRange`.
    pub fn position_in(&self, market: &Pubkey) -> Result<Position> {
        match self.find(market) {
            Some(_) => self.slot(market)?.position(),
            None => Ok(Position::default()),
        }
    }

    /// What the account has in `market`, funding unpaid: what its leg claims, or its isolated position.
    ///
    /// # Errors
    /// `SizeOutOfRange`.
    pub fn held_in(&self, market: &Pubkey) -> Result<Position> {
        match self.find_leg(market) {
            Some(_) => self.leg(market)?.leg_claim(),
            None => self.position_in(market),
        }
    }
}

impl Scene<'_> {
    /// Decides a block trade whose parties are isolated or legs, each as it is: the rules of price, size and open
    /// interest are those of any block trade, and what the account of a leg must hold afterwards
    /// [`Self::check_traded`] asks. A leg that only becomes smaller does so at the price that serves for that; at
    /// one far worse than the mark it needs what opening needs, and so a price fit for opening. `pauses` are the
    /// exchange's flags in force.
    ///
    /// # Errors
    /// Those of [`block_trade`](ballast_engine::trade::block_trade) and
    /// [`Account::take`](ballast_engine::cross::Account::take); the `Price...` errors.
    #[inline(never)]
    pub fn block_trade(
        &self,
        market: &Market,
        terms: &TradeTerms,
        (taker, maker): (&BlockParty<'_>, &BlockParty<'_>),
        (now, pauses): (Now, u32),
    ) -> Result<Box<BlockDone>> {
        let trade_market = market.trade_market(&self.touched.mark);
        let deal = Deal::new(market.params(), &self.touched.mark, &trade_market, terms)?;
        let due = deal.taker_due()?;
        let (taken_from, taken) = taker.decide(&deal, Role::Taker, due)?;
        let due = deal.maker_due(taken.fee())?;
        let (made_from, made) = maker.decide(&deal, Role::Maker, due)?;
        deal.check_left(&taken_from, taken.position(), taken.reduced_only())?;
        deal.check_left(&made_from, made.position(), made.reduced_only())?;
        let changes: [(Lots, Lots); 2] = [
            (taken_from.lots, taken.position().lots),
            (made_from.lots, made.position().lots),
        ];
        let sums = deal.conclude(&changes, taken.fee().try_add(made.fee())?)?;
        if taken.is_deep() || made.is_deep() {
            market.check_opens(&self.touched.price, now, pauses)?;
        }
        Ok(Box::new(BlockDone {
            taker: taken,
            maker: made,
            open_interest_lots: sums.open_interest_lots,
            fees: sums.fees,
        }))
    }
}

impl BlockParty<'_> {
    /// The position before, funding as stored where it is a leg, and what becomes of it; `due` is its fee, atoms.
    #[inline(never)]
    fn decide(&self, deal: &Deal<'_>, role: Role, due: Atoms) -> Result<(Position, BlockOutcome)> {
        match self {
            Self::Isolated(input) => {
                let outcome = deal.party(role, input, due)?;
                Ok((input.position, BlockOutcome::Isolated(Box::new(outcome))))
            }
            Self::Leg(legs, place) => {
                let account = legs.account();
                let before = account.legs.get(*place).ok_or(BallastError::NoPosition)?;
                let trade = deal.leg(role, &account, *place, due)?;
                let after = BlockOutcome::Leg(Box::new(trade), due);
                Ok((before.position, after))
            }
        }
    }
}
