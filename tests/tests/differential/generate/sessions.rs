//! What happens to a session: it is driven, held up, left alone, abandoned.

use super::{own_holders, Generator};
use crate::model::{Listed, Model, Session};
use crate::operation::{Named, Operation};

impl Generator {
    /// Opens a session for somebody who is probably bankrupt.
    pub fn open_session(
        &mut self,
        model: &Model,
        market: usize,
        distressed: &[(usize, bool)],
    ) -> Operation {
        let mut bankrupt: Vec<(usize, bool)> = distressed.to_vec();
        bankrupt.retain(|(_, bankrupt)| *bankrupt);
        let bankrupt = self.target(model, market, &bankrupt);
        Operation::OpenSession { market, bankrupt }
    }

    /// Something about a session of the market, if there is one.
    pub fn session(&mut self, model: &Model, market: usize) -> Option<Operation> {
        let sides: Vec<usize> = (0..2)
            .filter(|side| model.markets[market].sessions[*side].is_some())
            .collect();
        let side = self.pick.some(&sides)?;
        let session = model.session(market, side);
        let over = model.slot > session.expires || !model.is_unchanged(market, side);
        let weights = if over {
            [15, 25, 50, 5, 5]
        } else if session.seen.complete {
            [14, 28, 5, 48, 5]
        } else {
            [58, 12, 6, 18, 6]
        };
        let named = self.named(model, market, side, session);
        Some(match self.pick.weighted(&weights) {
            0 => self.advance_session(named),
            1 if model.traders[named.bankrupt].is_some() => {
                self.execute_session(model, named, session)
            }
            1 | 2 => Operation::CloseSession { session: named },
            3 => self.disturb(model, market, side),
            _ => Operation::Advance {
                slots: 155,
                seconds: 20,
            },
        })
    }

    fn named(&mut self, model: &Model, market: usize, side: usize, session: &Session) -> Named {
        let mut named = Named {
            market,
            side,
            of_market: market,
            bankrupt: session.bankrupt,
        };
        match self.pick.weighted(&[95, 2, 3]) {
            0 => {}
            1 => named.of_market = 1 - market,
            _ => named.bankrupt = self.trader(model),
        }
        named
    }

    /// With hints that may be anything.
    fn advance_session(&mut self, session: Named) -> Operation {
        let count = self.pick.one(&[0, 0, 1, 3, 8]);
        let hints = (0..count).map(|_| match self.pick.weighted(&[95, 5]) {
            0 => u32::try_from(self.pick.within(0, 24)).expect("a node"),
            _ => self.pick.one(&[77, 1 << 31, u32::MAX]),
        });
        Operation::AdvanceSession {
            session,
            hints: hints.collect(),
            max_nodes: self.pick.one(&[0, 1, 7, 300, u32::MAX]),
        }
    }

    fn execute_session(&mut self, model: &Model, named: Named, session: &Session) -> Operation {
        let mut list = model.selected(named.market, named.side);
        if list.is_empty() {
            let waiting = model.waiting(named.market, named.side);
            list.extend(self.pick.some(&waiting));
        }
        if self.pick.percent(30) {
            self.spoil(model, named.market, session.bankrupt, &mut list);
        }
        Operation::ExecuteSession {
            session: named,
            receiver: self.trader(model),
            list: list.into_iter().take(33).collect(),
        }
    }

    /// Somebody who may be cut changes rank: margin in or out, a trade, another round.
    fn disturb(&mut self, model: &Model, market: usize, side: usize) -> Operation {
        let sign = if side == 0 { 1 } else { -1 };
        let mut others = own_holders(model, market);
        others.retain(|trader| model.held(market, *trader).sign() == sign);
        if self.pick.percent(75) {
            let selected = model.selected(market, side);
            others.retain(|trader| !selected.contains(&Listed::Trader(*trader)));
        }
        let bankrupt = model.session(market, side).bankrupt;
        let part = self.pick.one(&[1, 3, 10, 40]);
        match (
            self.pick.some(&others),
            self.pick.weighted(&[60, 15, 15, 10]),
        ) {
            (Some(trader), 0) => {
                let margin = model.held(market, trader).margin;
                Operation::RemoveMargin {
                    market,
                    trader,
                    amount: self.pick.amount(margin / part),
                }
            }
            (Some(trader), 1) => {
                let free = model.trader(trader).free;
                Operation::AddMargin {
                    market,
                    trader,
                    amount: self.pick.amount(free / part),
                }
            }
            (_, 3) => self.deleverage(model, market, &[(bankrupt, true)]),
            _ => self.trade(model, market),
        }
    }

    /// Lots that a list should reach for: all, some, one or none.
    pub fn reach(&mut self, size: i128) -> i128 {
        match self.pick.weighted(&[55, 35, 7, 3]) {
            0 => size,
            1 => self.pick.within(1, size),
            2 => 1,
            _ => 0,
        }
    }
}
