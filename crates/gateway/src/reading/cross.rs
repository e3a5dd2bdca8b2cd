//! Events of cross margin.

use ballast_state::events::{BallastEvent, CrossBlockTraded, LegsMade, MarginConverted};
use ballast_state::Pubkey;

use super::{side, Reader};
use crate::entry::{Entry, Kind, Moved, Sum};

impl Reader<'_> {
    /// The line of an event of cross margin; `None` for another kind.
    pub(super) fn of_cross(&self, event: &BallastEvent) -> Option<Entry> {
        let other = |market: Option<Pubkey>, trader: Option<Pubkey>| Entry {
            market,
            trader,
            ..self.line(Kind::Other)
        };
        Some(match event {
            BallastEvent::BoardCreated(_) => self.line(Kind::Parameter),
            BallastEvent::CrossEnabled(it) => self.in_market(Kind::Parameter, it.market),
            BallastEvent::CrossMoved(it) => Entry {
                trader: Some(it.trader),
                amount_atoms: it.amount.checked_neg(),
                before: it.pool_after.checked_sub(it.amount),
                after: Some(it.pool_after),
                detail: Some("pool"),
                ..self.line(Kind::Transfer)
            },
            BallastEvent::MarginConverted(it) => self.converted(it),
            BallastEvent::LegForced(it) => Entry {
                after: Some(it.pool_after),
                detail: Some("pool"),
                ..other(Some(it.market), Some(it.trader))
            },
            BallastEvent::LegTraded(it) => Entry {
                before: Some(it.pool_before),
                after: Some(it.pool_after),
                detail: Some("pool"),
                ..other(Some(it.market), Some(it.trader))
            },
            BallastEvent::CrossRound(it) => other(Some(it.market), Some(it.bankrupt)),
            BallastEvent::MarkFrozen(it) => other(Some(it.market), None),
            BallastEvent::RanksRefreshed(it) => other(Some(it.market), None),
            BallastEvent::MarksRecorded(_) => other(None, None),
            _ => return None,
        })
    }

    /// A trade of whom one or both trade a leg, whose lots `LegTraded` tells.
    pub(super) fn cross_block(&mut self, event: &CrossBlockTraded) {
        let lots = event.lots.unsigned_abs();
        self.push(Entry {
            trader: Some(event.taker),
            other: Some(event.maker),
            side: Some(side(event.lots > 0)),
            lots: Some(lots),
            price_ticks: Some(event.price_ticks),
            quote_atoms: self.quote(&event.market, event.price_ticks, lots),
            fee_atoms: Some(event.taker_fee),
            other_fee_atoms: Some(event.maker_fee),
            mark_ticks: Some(event.mark_ticks),
            detail: Some("block"),
            ..self.in_market(Kind::Fill, event.market)
        });
        for party in &event.isolated {
            self.party(event.market, party);
        }
    }

    /// What fills made of the pools of legs; their lots are those of the fills.
    pub(super) fn legs_made(&mut self, event: &LegsMade) {
        for leg in &event.legs {
            self.push(Entry {
                trader: Some(leg.maker),
                number: Some(leg.order_id.to_string()),
                before: Some(leg.pool_before),
                after: Some(leg.pool_after),
                detail: Some("pool"),
                ..self.in_market(Kind::Other, event.market)
            });
        }
    }

    /// What moves is margin of a position: no free collateral comes or goes.
    fn converted(&self, event: &MarginConverted) -> Entry {
        Entry {
            trader: Some(event.trader),
            lots: Some(event.lots.unsigned_abs()),
            before: event.pool_after.checked_sub(event.amount),
            after: Some(event.pool_after),
            detail: Some(match event.to_cross {
                true => "joined",
                false => "left",
            }),
            ..self.in_market(Kind::Transfer, event.market)
        }
    }

    /// What an event says of sums: the funding indices that recorded marks came with, and the lots of a leg.
    pub(super) fn cross_sums(&mut self, event: &BallastEvent) {
        match event {
            BallastEvent::MarksRecorded(it) => {
                for mark in &it.marks {
                    self.sum(mark.market, Sum::Funding, Moved::To(mark.funding_index));
                }
            }
            BallastEvent::LegTraded(it) => {
                let lots = Moved::FromTo(it.lots_before, it.lots_after);
                self.change(it.market, it.trader, lots);
            }
            _ => {}
        }
    }
}
