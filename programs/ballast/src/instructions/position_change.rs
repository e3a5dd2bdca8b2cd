//! The one door for a change of a position: its slot and triggers, what is remembered of its
//! distress, the queues and the open interest change together, and what the instruction does to
//! traders, fees and insurance must net to zero.

use anchor_lang::prelude::*;
use ballast_engine::{
    distress::Distress,
    held::{moved, PriceRange},
    position::Position,
    queue::CutStamp,
    settlement::Settlement,
    trade::open_interest_after,
    units::{Atoms, FundingIndex, LotPrice},
};
use ballast_state::{
    error::BallastError,
    events::LegMade,
    market::{Market, Touched},
    position_slot::PositionSlot,
    trader::Trader,
};

use crate::loaders::current::Current;
use crate::{
    error::{error, OrBallast},
    instructions::profit::Profits,
    loaders::queue_account::MarketQueues,
};

/// What is remembered of a position's distress after a change. Of a position that is closed it is
/// nothing in any case.
#[derive(Clone, Copy)]
pub enum Remembered<'a> {
    /// What was remembered before: the position only got smaller, or got margin.
    Before,
    /// Nothing: the position holds the margin it must.
    Nothing,
    /// This, which the engine made of it.
    Recorded(&'a Distress),
}

impl Remembered<'_> {
    /// After a trade: a position that the trade opened, enlarged or flipped holds the margin it
    /// must.
    pub const fn after_trade(reduced_only: bool) -> Self {
        if reduced_only {
            Self::Before
        } else {
            Self::Nothing
        }
    }
}

/// A change of one position.
pub struct Change<'a> {
    /// The trader account.
    pub trader: &'a Pubkey,
    /// The position before, funding paid.
    pub before: &'a Position,
    /// The position afterwards.
    pub after: &'a Position,
    /// What is remembered of its distress.
    pub remembered: Remembered<'a>,
    /// What deleveraging stores in its queue entry; `None` for every other change.
    pub stamp: Option<CutStamp>,
}

/// A trader as an instruction found it.
#[must_use]
pub struct Entered {
    /// Free collateral and order reserves in the market, atoms.
    owned: i64,
    /// Margin of a position in which a fill turned the one before round.
    opened: Option<u64>,
}

impl Entered {
    /// Margin moved to the pool that the trader's legs share, or from it where negative, atoms: for what the
    /// trader takes out of its position that is as if it were free.
    pub fn pooled(&mut self, atoms: i64) {
        self.owned = self.owned.wrapping_sub(atoms);
    }
}

/// What one instruction does to the positions of a market.
pub struct PositionChanges<'a, 'info> {
    market: Pubkey,
    queues: &'a MarketQueues<'a, 'info>,
    open_interest: u64,
    /// Legs opened, less those closed.
    legs: i16,
    settlement: Settlement,
    profits: Profits,
}

impl<'a, 'info> PositionChanges<'a, 'info> {
    /// Nothing yet; `key` is the market's. Neither its fees nor its insurance have moved by then.
    pub fn open(key: Pubkey, market: &Market, queues: &'a MarketQueues<'a, 'info>) -> Self {
        let mut settlement = Settlement::default();
        settlement.market_before(market.fees_atoms, market.insurance.balance);
        settlement.held_before(market.held.atoms);
        Self {
            market: key,
            queues,
            open_interest: market.open_interest_lots,
            legs: 0,
            settlement,
            profits: Profits::default(),
        }
    }

    /// The same, where somebody closes lots or takes margin out by its own will, at this price: what
    /// it takes out as profit is noted for [`Self::profits`].
    pub fn priced(mut self, touched: &Touched) -> Self {
        self.profits.prices = Some(PriceRange::at(touched.mark.price));
        self
    }

    /// Records the price of a trade that two traders agreed on.
    pub fn traded_at(&mut self, price: LotPrice) {
        if let Some(prices) = &mut self.profits.prices {
            prices.include(price);
        }
    }

    /// The first step of every trader that the instruction writes: its free collateral and what
    /// its orders in the market reserve, before any of it has moved.
    pub fn enter(&mut self, free: Atoms, reserve: u64) -> Entered {
        self.settlement.trader_before(free, reserve);
        Entered {
            owned: free.get().wrapping_add_unsigned(reserve),
            opened: None,
        }
    }

    /// The last step of a trader whose leg, or whose orders of one, the instruction has changed: posts its pool, free
    /// collateral and reserves, and checks the account.
    ///
    /// # Errors
    /// `TraderInvariant`.
    pub fn leave_leg(&mut self, trader: &mut Trader) -> Result<()> {
        self.leave_pool(trader.cross_pool);
        leave(&mut self.settlement, trader, &self.market)
    }

    /// The pool that a trader's legs share, before any of it has moved.
    pub fn enter_pool(&mut self, pool: i64) {
        self.settlement.trader_before(Atoms::new(pool), 0);
    }

    /// The pool afterwards.
    pub fn leave_pool(&mut self, pool: i64) {
        self.settlement.trader_after(Atoms::new(pool), 0);
    }

    /// Changes what a leg claims beside the pool: as `stored`, and `after` with funding paid up to `index`.
    ///
    /// # Errors
    /// `Unbalanced`, `Overflow`.
    pub fn apply_leg(
        &mut self,
        stored: &Position,
        after: &Position,
        index: FundingIndex,
    ) -> Result<()> {
        let claim = Position {
            margin: Atoms::ZERO,
            ..*after
        };
        self.settlement
            .position(stored, &claim, index)
            .or_ballast()?;
        self.open_interest = self.open_interest_after(stored, after)?;
        let more = i16::from(!after.is_empty()).wrapping_sub(i16::from(!stored.is_empty()));
        self.legs = self.legs.wrapping_add(more);
        Ok(())
    }

    /// Sum of long lots, every change so far counted.
    pub const fn open_interest(&self) -> u64 {
        self.open_interest
    }

    /// Sum of long lots after one more change.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn open_interest_after(&self, before: &Position, after: &Position) -> Result<u64> {
        open_interest_after(self.open_interest, &[(before.lots, after.lots)]).or_ballast()
    }

    /// Changes the position of `slot`.
    ///
    /// # Errors
    /// `QueueFull`, `BankruptcyPriceOutOfRange`, `Unbalanced`.
    #[inline(never)]
    pub fn apply(
        &mut self,
        entered: &mut Entered,
        slot: &mut PositionSlot,
        change: &Change,
    ) -> Result<()> {
        let (before, after) = (change.before, change.after);
        let turned = !before.is_empty() && !after.is_empty() && before.side() != after.side();
        if turned {
            entered.opened = Some(after.margin.positive_part());
        }
        let stored = slot.position()?;
        self.settlement
            .position(&stored, after, before.funding_index)
            .or_ballast()?;
        slot.store(after);
        match change.remembered {
            Remembered::Before if !after.is_empty() => {}
            Remembered::Recorded(distress) if !after.is_empty() => slot.store_distress(distress),
            _ => slot.store_distress(&Distress::NONE),
        }
        match change.stamp.filter(|_| !after.is_empty()) {
            Some(stamp) => {
                let (side, node) = (after.side(), slot.queue_node);
                let side = side.ok_or_else(|| error!(BallastError::NoPosition))?;
                let update = |queue: &mut ballast_engine::queue::Queue<'_>| {
                    queue.update_cut(node, after, stamp).or_ballast()
                };
                self.queues.write(side, update)?;
            }
            None => self.queues.sync(change.trader, before.side(), slot)?,
        }
        self.open_interest = self.open_interest_after(before, after)?;
        Ok(())
    }

    /// The last step of every trader whose slot in the market has changed: notes what it took out
    /// of its position, frees the slot when it holds nothing any more, and checks it and the
    /// account's own fields. `earned` is what it was paid for something else, atoms.
    ///
    /// # Errors
    /// `TraderInvariant`, `Overflow`.
    pub fn leave(
        &mut self,
        key: &Pubkey,
        trader: &mut Trader,
        entered: &Entered,
        earned: u64,
    ) -> Result<()> {
        let free = trader.free();
        if let Ok(slot) = trader.slot_mut(&self.market) {
            let owned = free.get().wrapping_add_unsigned(slot.order_margin);
            let gained = owned
                .wrapping_sub(entered.owned)
                .wrapping_sub_unsigned(earned);
            let closed = slot.lots == 0;
            let moved = moved(slot.paid_in, gained, entered.opened, closed).or_ballast()?;
            slot.paid_in = moved.paid_in;
            if moved.profit > 0 && self.profits.prices.is_some() {
                self.profits.taken.push((*key, moved.profit));
            }
        }
        leave(&mut self.settlement, trader, &self.market)
    }

    /// A position, funding paid, whose lots the market takes over at `price`.
    ///
    /// # Errors
    /// `Unbalanced`, `Overflow`.
    pub fn taken_over(&mut self, position: &Position, price: LotPrice) -> Result<()> {
        let taken = Position {
            entry_quote: position.value(price).or_ballast()?,
            margin: Atoms::ZERO,
            ..*position
        };
        let index = position.funding_index;
        self.settlement
            .position(&Position::default(), &taken, index)
            .or_ballast()
    }

    /// What positions claim beyond what the market has for them, before and afterwards, atoms.
    pub fn uncovered(&mut self, before: i64, after: i64) {
        self.settlement.uncovered(before, after);
    }

    /// Atoms that a trader has given and that are paid to somebody once the settlement is closed.
    pub fn owe(&mut self, amount: u64) {
        self.settlement.owed(amount);
    }

    /// Checks that everything nets to zero, once every trader has left and fees and insurance are
    /// booked.
    ///
    /// # Errors
    /// `Unbalanced`.
    pub fn settle(&mut self, market: &Market) -> Result<()> {
        self.settlement
            .market_after(market.fees_atoms, market.insurance.balance);
        self.settlement.held_after(market.held.atoms);
        self.settlement.close().or_ballast()
    }

    /// Checks that everything nets to zero, as [`Self::settle`] does, and books the open interest and the number of
    /// legs.
    ///
    /// # Errors
    /// `Unbalanced`, `Overflow`.
    pub fn close(&mut self, market: &mut Market) -> Result<()> {
        self.settle(market)?;
        market.open_interest_lots = self.open_interest;
        if self.legs != 0 {
            market.count_legs(self.legs)?;
        }
        Ok(())
    }

    /// Notes a fill of an order of a leg, to be announced by [`Profits::hold`].
    pub fn leg_made(&mut self, leg: LegMade) {
        self.profits.legs.push(leg);
    }

    /// The profit that was taken out, for [`Profits::hold`].
    pub fn profits(&mut self) -> Profits {
        core::mem::take(&mut self.profits)
    }
}

/// The last step of a trader whose slot in `market` has changed: frees the slot when it holds
/// nothing any more, checks it and the account's own fields, and posts free collateral and reserve.
///
/// # Errors
/// `TraderInvariant`.
pub fn leave(settlement: &mut Settlement, trader: &mut Trader, market: &Pubkey) -> Result<()> {
    let reserve = trader.finish(market).or_ballast()?;
    settlement.trader_after(trader.free(), reserve);
    Ok(())
}

/// Pays a trader `atoms` that another one of the same instruction gave for it, once the account of that
/// one is let go of.
///
/// # Errors
/// `TraderInvariant`, `Overflow`.
pub fn pay(receiver: &AccountLoader<Trader>, market: &Pubkey, atoms: u64) -> Result<()> {
    let mut receiver = receiver.current_mut()?;
    let mut settlement = Settlement::default();
    settlement.paid(atoms);
    settlement.trader_before(receiver.free(), 0);
    receiver.credit(atoms)?;
    settlement.trader_after(receiver.free(), 0);
    settlement.close().or_ballast()?;
    receiver.invariant_of(market)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use ballast_engine::units::{FundingIndex, Lots};
    use ballast_state::{queue_account::NO_NODE, trader::TRADER_VERSION};
    use bytemuck::Zeroable;

    use super::*;
    use crate::loaders::queue_account::test_queues::{market, with_queues, LONG};

    const MARKET: Pubkey = LONG;

    fn position(lots: i64, entry: i64, margin: i64, index: i64) -> Position {
        Position {
            lots: Lots::new(lots).unwrap(),
            entry_quote: Atoms::new(entry),
            margin: Atoms::new(margin),
            funding_index: FundingIndex::new(index),
        }
    }

    /// A trader with free collateral, the position of `slot` and an order.
    fn trader(free: i64, slot: PositionSlot) -> Trader {
        let mut trader = Trader {
            version: TRADER_VERSION,
            free,
            position_count: 1,
            ..Trader::zeroed()
        };
        trader.positions[0] = PositionSlot {
            market: MARKET,
            order_head: 2,
            order_count: 1,
            ..slot
        };
        trader
    }

    /// What an instruction makes of a trader.
    #[derive(Clone, Copy)]
    struct Leg {
        free: i64,
        reserve: u64,
        position: Position,
    }

    /// What an instruction makes of everybody.
    #[derive(Clone, Copy)]
    struct Outcome {
        taker: Leg,
        maker: Leg,
        fees: u64,
        insurance: u64,
        owed: u64,
    }

    /// A taker buys 10 lots for 1,000 atoms, with 100 of margin, a fee of 5 and a reward of 7 to
    /// pay. The maker, short of 4 lots, has 8 of funding to receive and 40 of its reserve go into
    /// its margin.
    fn outcome() -> Outcome {
        Outcome {
            taker: Leg {
                free: 500 - 112,
                reserve: 15,
                position: position(10, 1_000, 100, 5),
            },
            maker: Leg {
                free: 30,
                reserve: 20,
                position: position(-14, -1_400, 88, 5),
            },
            fees: 13,
            insurance: 22,
            owed: 7,
        }
    }

    /// Posts it as an instruction does.
    fn post(outcome: &Outcome) -> Result<()> {
        with_queues(|_, _, queues| {
            let mut market = Market {
                fees_atoms: 10,
                open_interest_lots: 4,
                ..market()
            };
            market.insurance.balance = 20;
            let idle = PositionSlot {
                queue_node: NO_NODE,
                order_margin: 15,
                ..PositionSlot::zeroed()
            };
            let mut short = idle;
            short.store(&position(-4, -400, 40, 3));
            short.order_margin = 60;
            queues.sync(&MARKET, None, &mut short)?;
            let (mut taker, mut maker) = (trader(500, idle), trader(30, short));

            let mut changes = PositionChanges::open(MARKET, &market, queues);
            let legs = [(&mut taker, &outcome.taker), (&mut maker, &outcome.maker)];
            for (trader, leg) in legs {
                let free = trader.free();
                let slot = trader.slot_mut(&MARKET)?;
                let mut entered = changes.enter(free, slot.order_margin);
                let before = slot.position()?.settle(FundingIndex::new(5)).or_ballast()?;
                slot.order_margin = leg.reserve;
                let change = Change {
                    trader: &MARKET,
                    before: &before,
                    after: &leg.position,
                    remembered: Remembered::Before,
                    stamp: None,
                };
                changes.apply(&mut entered, slot, &change)?;
                trader.free = leg.free;
                changes.leave(&MARKET, trader, &entered, 0)?;
            }
            changes.owe(outcome.owed);
            market.fees_atoms = outcome.fees;
            market.insurance.balance = outcome.insurance;
            changes.close(&mut market)?;
            assert_eq!(market.open_interest_lots, 14);
            Ok(())
        })
    }

    #[test]
    fn an_outcome_that_is_off_by_an_atom_or_a_lot_is_refused() {
        assert_eq!(post(&outcome()), Ok(()));
        let add = |atoms: Atoms, more: i64| Atoms::new(atoms.get() + more);
        let forged: [fn(&mut Outcome, i64); 8] = [
            |it, by| it.taker.free += by,
            |it, by| it.maker.free += by,
            |it, by| it.taker.reserve = it.taker.reserve.wrapping_add_signed(by),
            |it, by| it.maker.reserve = it.maker.reserve.wrapping_add_signed(by),
            |it, by| it.fees = it.fees.wrapping_add_signed(by),
            |it, by| it.insurance = it.insurance.wrapping_add_signed(by),
            |it, by| it.owed = it.owed.wrapping_add_signed(by),
            |it, by| it.taker.position.lots = Lots::new(10 + by).unwrap(),
        ];
        let refused = Err(BallastError::Unbalanced.into());
        for by in [1, -1] {
            for (leg, forge) in forged.iter().enumerate() {
                let mut outcome = outcome();
                forge(&mut outcome, by);
                assert_eq!(post(&outcome), refused, "{leg} by {by}");
            }
            for of_taker in [true, false] {
                let forge = |change: &dyn Fn(&mut Position)| {
                    let mut outcome = outcome();
                    let leg = match of_taker {
                        true => &mut outcome.taker,
                        false => &mut outcome.maker,
                    };
                    change(&mut leg.position);
                    assert_eq!(post(&outcome), refused, "{of_taker} by {by}");
                };
                forge(&|it| it.margin = add(it.margin, by));
                forge(&|it| it.entry_quote = add(it.entry_quote, by));
                forge(&|it| it.funding_index = FundingIndex::new(5 + by));
            }
        }
    }
}
