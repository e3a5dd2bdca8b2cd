//! A cross account takes orders: what it is worth changes by what it paid against the mark, by the fee, and by
//! nothing else.

use ballast_engine::cross::{Account, CrossError, LegTrade};
use ballast_engine::matching::{settle_taker, Taken};
use ballast_engine::oracle::Mark;
use ballast_engine::position::Position;
use ballast_engine::trade::PartyInput;
use ballast_engine::units::{Atoms, Side};

use crate::fixture::{position, some_account, Dice, Market};

/// Fills of up to twice the position at a price within 3% of the mark.
fn some_taken(dice: &mut Dice, market: &Market, held: u64) -> (Side, Taken) {
    let lots = dice.magnitude(1, 2 * held.max(5));
    let at = market.mark.price.get();
    let price = dice.within((at * 97 / 100).max(1), at * 103 / 100);
    let notional = lots * price;
    let side = if dice.once_in(2) {
        Side::Long
    } else {
        Side::Short
    };
    let taken = Taken {
        lots,
        notional,
        fee: notional / 2_000,
        maker_fees: Atoms::ZERO,
    };
    (side, taken)
}

#[test]
fn nothing_but_price_and_fee_changes_what_an_account_is_worth() {
    let mut dice = Dice(31);
    let (mut turned, mut opened, mut deep) = (0, 0, 0);
    for _ in 0..20_000 {
        let (markets, mut positions) = some_account(&mut dice);
        let place = usize::try_from(dice.within(0, 3)).unwrap() % markets.len();
        if dice.once_in(5) {
            positions[place] = Position::default();
        }
        let legs = |positions: &[Position]| {
            let pairs = markets.iter().zip(positions.to_vec());
            pairs
                .map(|(market, position)| market.leg(position))
                .collect::<Vec<_>>()
        };
        let before_legs = legs(&positions);
        let before = Account {
            pool: Atoms::new(dice.signed(1 << 45)),
            legs: &before_legs,
        };
        let (market, held) = (&markets[place], positions[place]);
        let (side, taken) = some_taken(&mut dice, market, held.size());
        let Ok(trade) = before.take(place, &market.params, side, &taken) else {
            continue;
        };
        let mut after = positions.clone();
        after[place] = trade.position;
        let after_legs = legs(&after);
        let after = Account {
            pool: trade.pool,
            legs: &after_legs,
        };
        let (Ok(was), Ok(is)) = (before.values(), after.values()) else {
            continue;
        };
        let (lots, quote) = taken.fill(side).unwrap();
        let worth = i128::from(lots.get()) * i128::from(market.mark.price.get());
        let change = worth - i128::from(quote.get()) - i128::from(taken.fee);
        let found = i128::from(is.equity.get()) - i128::from(was.equity.get());
        assert_eq!(found, change);
        assert_eq!(trade.position.lots.get(), held.lots.get() + lots.get());
        assert_eq!(trade.funding, market.leg(held).funding_owed().unwrap());
        turned +=
            u64::from(held.side() == Some(side.opposite()) && trade.position.side() == Some(side));
        opened += u64::from(held.is_empty());
        deep += u64::from(trade.deep);
        assert!(trade.reduced_only || !trade.deep);
    }
    assert!(
        turned > 500 && opened > 1_000 && deep > 100,
        "{turned} {opened} {deep}"
    );
}

#[test]
fn a_leg_alone_opens_where_an_isolated_position_opens_with_as_much() {
    let mut dice = Dice(32);
    let (mut may, mut may_not) = (0, 0);
    for _ in 0..20_000 {
        let (markets, _) = some_account(&mut dice);
        let market = &markets[0];
        let (side, taken) = some_taken(&mut dice, market, 1_000_000);
        let needed = i64::try_from(taken.notional / 10).unwrap() + 2;
        let free = Atoms::new(dice.signed(needed.unsigned_abs()).max(0));
        let legs = [market.leg(Position::default())];
        let before = Account {
            pool: free,
            legs: &legs,
        };
        let leg = before
            .take(0, &market.params, side, &taken)
            .and_then(|trade| {
                let mut after = market.leg(trade.position);
                after.mark = trade.mark;
                let after = Account {
                    pool: trade.pool,
                    legs: &[after],
                };
                after.check_traded(&before.values()?, &trade)?;
                Ok((trade.position, trade.pool))
            });
        let party = PartyInput {
            position: Position::default(),
            free,
            margin_to_add: 0,
        };
        let isolated = settle_taker(&market.params, &market.mark, &party, side, &taken);
        // A profit on the trade itself counts for the isolated position and not for the leg.
        let (lots, quote) = taken.fill(side).unwrap();
        let worth = i128::from(lots.get()) * i128::from(market.mark.price.get());
        let wins = worth > i128::from(quote.get());
        match (leg, isolated) {
            (Ok((position, pool)), Ok(party)) => {
                let all = party.free.get() + party.position.margin.get();
                assert_eq!(pool.get(), all);
                assert_eq!(position.entry_quote, party.position.entry_quote);
                may += 1;
            }
            (Err(_), Err(_)) => may_not += 1,
            (Err(CrossError::BelowInitial), Ok(_)) => assert!(wins),
            (leg, isolated) => panic!("{leg:?} {isolated:?}"),
        }
    }
    assert!(may > 2_000 && may_not > 3_000, "{may} {may_not}");
}

#[test]
fn profit_is_what_is_realised_less_funding() {
    let trade = |realized, funding| LegTrade {
        position: position(1, 1, 0, 0),
        pool: Atoms::ZERO,
        realized: Atoms::new(realized),
        funding: Atoms::new(funding),
        fee: 7,
        reduced_only: true,
        deep: false,
        mark: Mark {
            ..crate::fixture::mark(1, 0)
        },
    };
    for (realized, funding, profit) in [(5, 2, 3), (5, -2, 7), (5, 5, 0), (-5, -9, 4), (-5, 9, 0)] {
        assert_eq!(trade(realized, funding).profit(), Ok(profit));
    }
    assert!(!trade(1, 1).opens());
}
