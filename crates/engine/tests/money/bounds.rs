//! What nobody loses or takes, whatever valid parameters take the place of whichever.

use ballast_engine::liquidation::{health, plan, Health};
use ballast_engine::margin::{initial_margin, maintenance_margin, MarginScale};
use ballast_engine::oracle::Mark;
use ballast_engine::position::Position;
use ballast_engine::risk::{gap_bps, RiskParams};
use ballast_engine::trade::{block_trade, PartyInput, TradeMarket, TradeTerms};
use ballast_engine::units::{Atoms, Lots, Side, Ticks, BPS_ONE};
use ballast_engine::wind_down::MarketMode;
use proptest::prelude::*;

use crate::fixture::{any_magnitude, any_params, cases, mark, price};
use crate::liquidation::{any_side, input, with_equity, without_ladder};

/// Parameters in force and others that may take their place.
fn any_change() -> impl Strategy<Value = (RiskParams, RiskParams)> {
    (any_params(), any_params()).prop_map(|(before, mut after)| {
        let most = before.tiers[0].maintenance_margin_bps / 2;
        after.liquidation_fee_bps = after.liquidation_fee_bps.min(most);
        let rest = most - after.liquidation_fee_bps;
        after.liquidation_discount_max_bps = after.liquidation_discount_max_bps.min(rest);
        // The whole of it at once.
        after.liquidation_discount_bps = after.liquidation_discount_max_bps;
        after.check(None).unwrap();
        after.check_after(&before).unwrap();
        (before, without_ladder(after))
    })
}

/// What is left to the owner of a position after every liquidation there can be at one price, and
/// what insurance paid.
fn liquidated(params: &RiskParams, mut position: Position, mark: u64) -> (i64, u64) {
    let (mut paid_out, mut insurance) = (0, 0);
    while let Ok(step) = plan(&input(params, position, mark)) {
        paid_out += step.victim_payout.get();
        insurance += step.insurance_paid_atoms;
        position = step.position_after;
    }
    (
        paid_out + position.equity(price(mark)).unwrap().get(),
        insurance,
    )
}

proptest! {
    #![proptest_config(cases(4_000))]

    /// Half: discount and fee take at most half of the least maintenance margin that was in force.
    #[test]
    fn nobody_healthy_loses_more_than_half_of_its_equity_to_a_change(
        (before, after) in any_change(), side in any_side(), size in any_magnitude(1 << 24),
        at in any_magnitude(1 << 20), above in 0_u64..3_000,
    ) {
        let required = maintenance_margin(&before, size * at).unwrap();
        let equity = i64::try_from(required + size * at / BPS_ONE * above).unwrap();
        let position = with_equity(side, size, at, at, equity);
        prop_assert_eq!(health(&position, price(at), &before).unwrap(), Health::Healthy);
        let (left, insurance) = liquidated(&after, position, at);
        prop_assert!(2 * left >= equity, "{} of {} are left", left, equity);
        prop_assert_eq!(insurance, 0);
    }

    /// Whoever trades with itself at whatever price of the band, and closes a gap of the price away,
    /// under whatever parameters: neither side owes anything that somebody else would have to pay.
    #[test]
    fn no_pair_of_one_slot_takes_out_more_than_it_put_in(
        (before, after) in any_change(), size in 20_u64..(1 << 20), at in 10_000_u64..(1 << 20),
        off in -500_i64..=500, spare in 0_u64..100, moved in -10_000_i64..=10_000,
    ) {
        let terms = TradeTerms {
            lots: Lots::new(i64::try_from(size).unwrap()).unwrap(),
            price: Ticks::new(part(at, off, 10_000)),
        };
        let apart = at.abs_diff(terms.price.get()) * size;
        let tightest = initial_margin(&before, &MarginScale::NONE, size * at).unwrap() + apart + spare;
        let put_in = 2 * i64::try_from(tightest + size * at).unwrap();
        let party = PartyInput {
            position: Position::default(),
            free: Atoms::new(put_in / 2),
            margin_to_add: tightest,
        };
        let market = market(&before);
        let opened: Mark = mark(at, 0);
        let Ok(pair) = block_trade(&before, &opened, &market, &terms, &party, &party) else {
            return Ok(());
        };
        let gap = i64::from(gap_bps(before.price_age()));
        let later = part(at, gap * moved, 100_000_000);
        let mut taken_out = 0;
        for side in [pair.taker, pair.maker] {
            let standing = health(&side.position, price(later), &after).unwrap();
            prop_assert!(!matches!(standing, Health::Bankrupt { .. }), "{:?}", standing);
            let (left, insurance) = liquidated(&after, side.position, later);
            prop_assert_eq!(insurance, 0);
            taken_out += left + side.free.get();
        }
        prop_assert!(taken_out <= put_in);
    }
}

/// An empty market under these parameters.
fn market(params: &RiskParams) -> TradeMarket {
    TradeMarket {
        atoms_per_lot_tick: 1,
        open_interest_lots: 0,
        least_lots: params.min_position_lots,
        mode: MarketMode::Active,
    }
}

/// `at` moved by `of` parts of `whole`.
fn part(at: u64, of: i64, whole: i64) -> u64 {
    let at = i64::try_from(at).unwrap();
    u64::try_from(at + at * of / whole).unwrap()
}

/// The pairs that are opened are those with the least margin.
#[test]
fn a_pair_opens_at_the_least_margin() {
    let params = crate::fixture::params();
    let party = |margin| PartyInput {
        position: Position::default(),
        free: Atoms::new(1_000_000),
        margin_to_add: margin,
    };
    let open = |margin| {
        let terms = TradeTerms {
            lots: Lots::new(100).unwrap(),
            price: Ticks::new(10_000),
        };
        let market = market(&params);
        block_trade(
            &params,
            &mark(10_000, 0),
            &market,
            &terms,
            &party(margin),
            &party(margin),
        )
    };
    assert_eq!(
        Side::Long,
        open(50_000).unwrap().taker.position.side().unwrap()
    );
    assert!(open(49_999).is_err());
}
