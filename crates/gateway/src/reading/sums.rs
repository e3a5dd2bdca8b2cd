//! What events do to the sums of a market: insurance, its part of fees, the funding index, what it ends with.

use ballast_client::addresses;
use ballast_state::events::{BallastEvent, OrderFilled};
use ballast_state::Pubkey;

use super::{end, negative, signed, Reader};
use crate::entry::{Moved, Sum};

impl Reader<'_> {
    /// What an event says of them.
    pub(super) fn sums(&mut self, event: &BallastEvent) {
        if let BallastEvent::MarketCreated(it) = event {
            let share = Moved::To(it.risk.insurance_fee_share_bps.into());
            self.sum(it.market, Sum::FeeShare, share);
        }
        if let BallastEvent::MarketRiskUpdated(it) = event {
            let share = [it.before, it.after].map(|risk| risk.insurance_fee_share_bps.into());
            let share = Moved::FromTo(share[0], share[1]);
            self.sum(it.market, Sum::FeeShare, share);
        }
        if let Some((market, moved)) = insurance(event) {
            self.sum(market, Sum::Insurance, moved);
        }
        if let Some((market, moved)) = end::settlement(event, self.ticks) {
            self.sum(market, Sum::Settlement, moved);
        }
        if let Some((market, moved)) = end::mode(event) {
            self.sum(market, Sum::Mode, moved);
        }
        self.cross_sums(event);
        if let Some((market, moved)) = self.funding(event) {
            self.sum(market, Sum::Funding, moved);
        }
    }

    /// What an event says of the funding index. Most that look at a market accrue its funding and do not say what
    /// the index became.
    fn funding(&self, event: &BallastEvent) -> Option<(Pubkey, Moved)> {
        Some(match event {
            BallastEvent::MarketCreated(it) => (it.market, Moved::To(0)),
            BallastEvent::FundingAccrued(it) => {
                (it.market, Moved::FromTo(it.index_before, it.index_after))
            }
            BallastEvent::BlockTraded(it) => (it.market, Moved::To(it.funding_index)),
            BallastEvent::CrossBlockTraded(it) => (it.market, Moved::To(it.funding_index)),
            BallastEvent::OrderPlaced(it) => (it.market, Moved::To(it.funding_index)),
            BallastEvent::TriggerExecuted(it) => (it.market, Moved::To(it.funding_index)),
            BallastEvent::ProtectionExecuted(it) => (it.market, Moved::To(it.funding_index)),
            BallastEvent::PoolUnwound(it) => (it.market, Moved::To(it.funding_index)),
            // A session's round has the index of when it was opened.
            BallastEvent::AutoDeleveraged(it) if it.session == Pubkey::default() => {
                (it.market, Moved::To(it.funding_index))
            }
            BallastEvent::SettlementBegun(it) => (it.market, Moved::To(it.funding_index)),
            // From the end on it stands.
            BallastEvent::PositionSettled(it) => {
                (it.market, Moved::FromTo(it.funding_index, it.funding_index))
            }
            BallastEvent::BankruptWrittenOff(it) => {
                (it.market, Moved::FromTo(it.funding_index, it.funding_index))
            }
            BallastEvent::PoolRequested(it) => {
                let mut markets = self.ticks.keys();
                let market = markets.find(|market| addresses::pool(market) == it.pool);
                (*market?, Moved::Unknown)
            }
            // No price is looked at for these, or none that accrues anything. Held profit and how the account of a leg stood come
            // with another event that says what is known of the index; recorded marks say it of every market.
            BallastEvent::OrdersCancelled(_)
            | BallastEvent::ProfitHeld(_)
            | BallastEvent::MarginAdded(_)
            | BallastEvent::TriggerPlaced(_)
            | BallastEvent::TriggerCancelled(_)
            | BallastEvent::ProtectionCreated(_)
            | BallastEvent::ProtectionSet(_)
            | BallastEvent::ProtectionClosed(_)
            | BallastEvent::InsuranceDonated(_)
            | BallastEvent::InsuranceSwept(_)
            | BallastEvent::StrayTokensCredited(_)
            | BallastEvent::ClaimsCounted(_)
            | BallastEvent::MarketClosed(_)
            | BallastEvent::InsuranceWithdrawn(_)
            | BallastEvent::CrossMoved(_)
            | BallastEvent::MarkFrozen(_)
            | BallastEvent::MarksRecorded(_)
            | BallastEvent::LegForced(_)
            | BallastEvent::LegTraded(_)
            | BallastEvent::LegsMade(_)
            | BallastEvent::CrossRound(_) => return None,
            _ => (self.market_of_event()?, Moved::Unknown),
        })
    }

    /// The market that the lines of the event name.
    fn market_of_event(&self) -> Option<Pubkey> {
        let lines = self.entries.iter().rev();
        let mut lines = lines.take_while(|line| line.idx == self.idx);
        lines.find_map(|line| line.market)
    }
}

/// What an event says of insurance alone. In a market that has ended some of what insurance gets of held profit and
/// of claims is in no event: what it has together with these is [`end::settlement`].
fn insurance(event: &BallastEvent) -> Option<(Pubkey, Moved)> {
    let to = |market: Pubkey, by: Option<i64>, after: u64| {
        let moved = by.zip(signed(after)).and_then(|(by, after)| {
            let before = after.checked_sub(by)?;
            Some(Moved::FromTo(before, after))
        });
        Some((market, moved.unwrap_or(Moved::Unknown)))
    };
    match event {
        BallastEvent::MarketCreated(it) => Some((it.market, Moved::To(0))),
        BallastEvent::BlockTraded(it) => {
            let paid = it.taker.fee.checked_add(it.maker.fee);
            fees(it.market, paid)
        }
        BallastEvent::CrossBlockTraded(it) => {
            fees(it.market, it.taker_fee.checked_add(it.maker_fee))
        }
        BallastEvent::OrderPlaced(it) => fees(it.market, paid(&it.fills)),
        BallastEvent::TriggerExecuted(it) => fees(it.market, paid(&it.fills)),
        BallastEvent::ProtectionExecuted(it) => fees(it.market, paid(&it.fills)),
        BallastEvent::PoolUnwound(it) => fees(it.market, paid(&it.fills)),
        BallastEvent::PositionLiquidated(it) => between(
            it.market,
            it.insurance_before_atoms,
            it.insurance_after_atoms,
        ),
        BallastEvent::AutoDeleveraged(it) => between(
            it.market,
            it.insurance_before_atoms,
            it.insurance_after_atoms,
        ),
        BallastEvent::InsuranceDonated(it) => to(it.market, signed(it.amount), it.balance_after),
        BallastEvent::StrayTokensCredited(it) => to(it.market, signed(it.amount), it.balance_after),
        BallastEvent::Staked(it) => to(it.market, signed(it.amount), it.insurance_after_atoms),
        BallastEvent::Unstaked(it) => to(it.market, negative(it.amount), it.insurance_after_atoms),
        BallastEvent::InsuranceWithdrawn(it) => Some((
            it.market,
            negative(it.amount).map_or(Moved::Unknown, Moved::By),
        )),
        BallastEvent::SettlementBegun(it) => {
            between(it.market, it.insurance_atoms, it.insurance_atoms)
        }
        BallastEvent::MarketClosed(it) => {
            between(it.market, it.insurance_atoms, it.insurance_atoms)
        }
        BallastEvent::PositionSettled(it) => Some((it.market, Moved::Unknown)),
        BallastEvent::BankruptWrittenOff(it) => {
            let paid = negative(it.insurance_paid_atoms).filter(|_| it.held_paid_atoms == 0);
            Some((it.market, paid.map_or(Moved::Unknown, Moved::By)))
        }
        BallastEvent::ClaimsCounted(it) => Some((
            it.market,
            negative(it.made_good_atoms).map_or(Moved::Unknown, Moved::By),
        )),
        _ => None,
    }
}

pub(super) fn between(market: Pubkey, before: u64, after: u64) -> Option<(Pubkey, Moved)> {
    let both = signed(before).zip(signed(after));
    let moved = both.map_or(Moved::Unknown, |(before, after)| {
        Moved::FromTo(before, after)
    });
    Some((market, moved))
}

fn fees(market: Pubkey, paid: Option<i64>) -> Option<(Pubkey, Moved)> {
    match paid {
        Some(0) => None,
        Some(paid) => Some((market, Moved::Fees(paid))),
        None => Some((market, Moved::Unknown)),
    }
}

/// What taker and makers paid for fills together, atoms.
fn paid(fills: &[OrderFilled]) -> Option<i64> {
    fills.iter().try_fold(0_i64, |sum, fill| {
        let sum = sum.checked_add(signed(fill.taker_fee)?)?;
        sum.checked_add(fill.maker_fee)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{read, Ticks};
    use ballast_state::events::{
        CrossBlockTraded, CrossEnabled, CrossMoved, CrossRound, FundingAccrued, InsuranceWithdrawn,
        LegForced, LegTraded, MarginConverted, MarkFrozen, MarkRecorded, MarksRecorded,
        PoolRequested, RanksRefreshed,
    };

    fn accrued(market: Pubkey, index_before: i64, index_after: i64) -> BallastEvent {
        BallastEvent::FundingAccrued(Box::new(FundingAccrued {
            market,
            index_before,
            index_after,
            mark_ticks: 1,
            accrued_until: 1,
            rate_ppm: 0,
            sample_ppm: 0,
        }))
    }

    fn changes(events: &[BallastEvent], ticks: &Ticks) -> Vec<(Pubkey, Sum, Moved)> {
        let (_, changes) = read(events, ticks);
        changes
            .iter()
            .map(|one| (one.market, one.of, one.moved))
            .collect()
    }

    #[test]
    fn a_request_of_a_pool_leaves_the_index_of_its_market_unknown() {
        let market = Pubkey::new_from_array([7; 32]);
        let request = BallastEvent::PoolRequested(Box::new(PoolRequested {
            pool: addresses::pool(&market),
            owner: Pubkey::default(),
            shares: 1,
            value_atoms: 1,
            due_slot: 1,
            lapses_slot: 2,
            worth_low: 1,
        }));
        let accrued = accrued(market, -3, 5);
        let known = Ticks::from([(Pubkey::new_from_array([6; 32]), 1), (market, 1)]);
        let found = changes(&[accrued, request.clone()], &known);
        assert_eq!(
            found,
            [
                (market, Sum::Funding, Moved::FromTo(-3, 5)),
                (market, Sum::Funding, Moved::Unknown)
            ]
        );
        assert!(changes(&[request], &Ticks::new()).is_empty());
    }

    #[test]
    fn a_leg_that_trades_goes_on_from_the_lots_it_had() {
        let (market, trader) = (
            Pubkey::new_from_array([7; 32]),
            Pubkey::new_from_array([8; 32]),
        );
        let traded = BallastEvent::LegTraded(Box::new(LegTraded {
            market,
            trader,
            lots_before: 3,
            lots_after: -2,
            entry_quote_after: -5,
            realized: 1,
            funding: 0,
            fee: 1,
            pool_before: 9,
            pool_after: 9,
            equity_atoms: 9,
            requirement_atoms: 1,
        }));
        let found = changes(&[traded], &Ticks::new());
        assert_eq!(
            found,
            [(market, Sum::Position(trader), Moved::FromTo(3, -2))]
        );
    }

    #[test]
    fn a_block_trade_of_legs_says_its_fees_and_the_index() {
        let (market, taker) = (
            Pubkey::new_from_array([7; 32]),
            Pubkey::new_from_array([8; 32]),
        );
        let traded = BallastEvent::CrossBlockTraded(Box::new(CrossBlockTraded {
            market,
            taker,
            maker: Pubkey::new_from_array([9; 32]),
            lots: -3,
            price_ticks: 5,
            mark_ticks: 6,
            funding_index: -4,
            open_interest_after: 9,
            taker_fee: 8,
            maker_fee: -2,
            isolated: Vec::new(),
        }));
        let ticks = Ticks::from([(market, 10)]);
        let (lines, _) = read(core::slice::from_ref(&traded), &ticks);
        let line = &lines[0];
        assert_eq!((line.trader, line.lots), (Some(taker), Some(3)));
        assert_eq!((line.quote_atoms, line.fee_atoms), (Some(150), Some(8)));
        let found = changes(&[traded], &ticks);
        assert_eq!(
            found,
            [
                (market, Sum::Insurance, Moved::Fees(6)),
                (market, Sum::Funding, Moved::To(-4)),
            ]
        );
    }

    #[test]
    fn recorded_marks_say_the_index_of_every_market() {
        let markets = [7, 8].map(|one| Pubkey::new_from_array([one; 32]));
        let mark = |market, funding_index| MarkRecorded {
            market,
            mark_ticks: 1,
            funding_index,
        };
        let recorded = BallastEvent::MarksRecorded(Box::new(MarksRecorded {
            checkpoint_opened: false,
            marks: vec![mark(markets[0], 9), mark(markets[1], -4)],
        }));
        let known = Ticks::from([(markets[0], 1), (markets[1], 1)]);
        let found = changes(&[recorded, accrued(markets[1], -4, 2)], &known);
        assert_eq!(
            found,
            [
                (markets[0], Sum::Funding, Moved::To(9)),
                (markets[1], Sum::Funding, Moved::To(-4)),
                (markets[1], Sum::Funding, Moved::FromTo(-4, 2)),
            ]
        );
    }

    #[test]
    fn calls_about_legs_that_look_at_a_price_leave_its_index_unknown() {
        let key = Pubkey::new_from_array([7; 32]);
        let (market, trader) = (key, Pubkey::new_from_array([8; 32]));
        let found = |event: BallastEvent| changes(&[event], &Ticks::from([(key, 1)]));
        let unknown = [
            BallastEvent::CrossEnabled(Box::new(CrossEnabled {
                market,
                place: 0,
                queue_long: trader,
                queue_short: trader,
                most_lots: 1,
                draw_cap_bps: 1,
                max_age_slots: 1,
            })),
            BallastEvent::MarginConverted(Box::new(MarginConverted {
                trader,
                market,
                to_cross: true,
                lots: 1,
                amount: 1,
                pool_after: 1,
            })),
            BallastEvent::RanksRefreshed(Box::new(RanksRefreshed {
                market,
                base: 1,
                traders: Vec::new(),
            })),
        ];
        for event in unknown {
            assert_eq!(found(event), [(market, Sum::Funding, Moved::Unknown)]);
        }
        let none = [
            BallastEvent::CrossMoved(Box::new(CrossMoved {
                trader,
                amount: 1,
                pool_after: 1,
                free_after: 1,
            })),
            BallastEvent::MarkFrozen(Box::new(MarkFrozen {
                market,
                recorded_slot: 1,
            })),
            BallastEvent::LegForced(Box::new(LegForced {
                market,
                trader,
                equity_atoms: 1,
                requirement_atoms: 1,
                pool_after: 1,
            })),
            BallastEvent::CrossRound(Box::new(CrossRound {
                market,
                bankrupt: trader,
                by_record: false,
                to_equity: false,
                nodes_visited: 1,
                legs: Vec::new(),
            })),
        ];
        for event in none {
            assert_eq!(found(event), []);
        }
    }

    #[test]
    fn what_leaves_insurance_at_last_is_not_all_that_it_has() {
        let market = Pubkey::new_from_array([7; 32]);
        let left = BallastEvent::InsuranceWithdrawn(Box::new(InsuranceWithdrawn {
            market,
            treasury: Pubkey::default(),
            amount: 9,
        }));
        assert!(changes(&[left], &Ticks::new()).contains(&(market, Sum::Insurance, Moved::By(-9))));
    }
}
