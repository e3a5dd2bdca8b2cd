//! Events that say one thing.

use ballast_state::events::BallastEvent;
use ballast_state::Pubkey;

use super::{negative, side, signed, Reader};
use crate::entry::{Entry, Kind, Moved};

impl Reader<'_> {
    pub(super) fn other(&mut self, event: &BallastEvent) {
        let line = match event {
            BallastEvent::Deposited(it) => self.transfer(it.trader, None, signed(it.amount)),
            BallastEvent::Withdrawn(it) => self.transfer(it.trader, None, negative(it.amount)),
            BallastEvent::MarginAdded(it) => {
                self.transfer(it.trader, Some(it.market), negative(it.amount))
            }
            BallastEvent::MarginRemoved(it) => Entry {
                mark_ticks: Some(it.mark_ticks),
                ..self.transfer(it.trader, Some(it.market), signed(it.amount))
            },
            BallastEvent::ProfitHeld(it) => {
                for part in &it.parts {
                    let atoms = negative(part.held_atoms);
                    let line = self.transfer(part.trader, Some(it.market), atoms);
                    self.push(line);
                }
                return;
            }
            BallastEvent::ProfitReleased(it) => {
                for part in &it.parts {
                    let atoms = signed(part.atoms);
                    let line = self.transfer(part.trader, Some(it.market), atoms);
                    self.push(line);
                }
                return;
            }
            BallastEvent::PositionSettled(it) => {
                let paid = signed(it.paid_atoms.saturating_add(it.held_atoms));
                let line = Entry {
                    side: Some(side(it.lots < 0)),
                    lots: Some(it.lots.unsigned_abs()),
                    price_ticks: Some(it.final_ticks.into()),
                    before: Some(it.lots),
                    after: Some(0),
                    ..self.transfer(it.trader, Some(it.market), paid)
                };
                self.push(line);
                self.all_cancelled(it.market, it.cancelled.as_ref());
                self.change(it.market, it.trader, Moved::FromTo(it.lots, 0));
                return;
            }
            BallastEvent::BankruptWrittenOff(it) => {
                let line = Entry {
                    trader: Some(it.bankrupt),
                    lots: Some(it.lots.unsigned_abs()),
                    price_ticks: Some(it.final_ticks.into()),
                    amount_atoms: negative(it.insurance_paid_atoms),
                    before: Some(it.lots),
                    after: Some(0),
                    ..self.in_market(Kind::Insurance, it.market)
                };
                self.push(line);
                self.all_cancelled(it.market, it.cancelled.as_ref());
                self.change(it.market, it.bankrupt, Moved::FromTo(it.lots, 0));
                return;
            }
            BallastEvent::FundingAccrued(it) => Entry {
                before: Some(it.index_before),
                after: Some(it.index_after),
                mark_ticks: Some(it.mark_ticks),
                amount_atoms: Some(it.rate_ppm.into()),
                ..self.in_market(Kind::Funding, it.market)
            },
            BallastEvent::InsuranceDonated(it) => {
                self.ledger(it.market, signed(it.amount), it.balance_after)
            }
            BallastEvent::StrayTokensCredited(it) => {
                self.ledger(it.market, signed(it.amount), it.balance_after)
            }
            BallastEvent::Staked(it) => Entry {
                trader: Some(it.owner),
                ..self.ledger(it.market, signed(it.amount), it.insurance_after_atoms)
            },
            BallastEvent::Unstaked(it) => Entry {
                trader: Some(it.owner),
                ..self.ledger(it.market, negative(it.amount), it.insurance_after_atoms)
            },
            // What is staked stays.
            BallastEvent::InsuranceWithdrawn(it) => Entry {
                amount_atoms: negative(it.amount),
                ..self.in_market(Kind::Insurance, it.market)
            },
            BallastEvent::InsuranceSwept(it) => Entry {
                before: signed(it.vault_before),
                after: signed(it.vault_after),
                ..self.in_market(Kind::Insurance, it.market)
            },
            other => self
                .changed(other)
                .or_else(|| self.of_fund(other))
                .or_else(|| self.of_cross(other))
                .unwrap_or_else(|| self.rest(other)),
        };
        self.push(line);
    }

    fn transfer(&self, trader: Pubkey, market: Option<Pubkey>, atoms: Option<i64>) -> Entry {
        Entry {
            trader: Some(trader),
            market,
            amount_atoms: atoms,
            ..self.line(Kind::Transfer)
        }
    }

    fn ledger(&self, market: Pubkey, atoms: Option<i64>, after: u64) -> Entry {
        let after = signed(after);
        Entry {
            amount_atoms: atoms,
            before: after
                .zip(atoms)
                .and_then(|(after, atoms)| after.checked_sub(atoms)),
            after,
            ..self.in_market(Kind::Insurance, market)
        }
    }

    /// What authorities did.
    fn changed(&self, event: &BallastEvent) -> Option<Entry> {
        let (market, number) = match event {
            BallastEvent::ChangeStaged(it) => {
                let market = it.change.is_of_market().then_some(it.target);
                (market, Some(ballast_view::staged::hex(&it.id)))
            }
            BallastEvent::ChangeCancelled(it) => (None, Some(ballast_view::staged::hex(&it.id))),
            BallastEvent::OracleWitnessed(it) => {
                (Some(it.market), Some(ballast_view::staged::hex(&it.id)))
            }
            BallastEvent::MarketCreated(it) => (Some(it.market), None),
            BallastEvent::MarketRiskUpdated(it) => (Some(it.market), None),
            BallastEvent::OracleChanged(it) => (Some(it.market), None),
            BallastEvent::ReduceOnlySet(it) => (Some(it.market), None),
            BallastEvent::DelistingScheduled(it) => (Some(it.market), None),
            BallastEvent::OracleDeclaredDead(it) => (Some(it.market), None),
            BallastEvent::SettlementBegun(it) => (Some(it.market), None),
            BallastEvent::MarketClosed(it) => (Some(it.market), None),
            BallastEvent::PoolChanged(it) => (Some(it.market), None),
            BallastEvent::PoolStopped(it) => (Some(it.market), None),
            BallastEvent::QueueGrown(it) => (Some(it.market), None),
            BallastEvent::ExchangeInitialized(_)
            | BallastEvent::AuthorityAccepted(_)
            | BallastEvent::PauseSet(_)
            | BallastEvent::DelaysChanged(_)
            | BallastEvent::TreasuryChanged(_) => (None, None),
            _ => return None,
        };
        Some(Entry {
            market,
            number,
            ..self.line(Kind::Parameter)
        })
    }

    /// What pools and shares did.
    fn of_fund(&self, event: &BallastEvent) -> Option<Entry> {
        let (market, owner, atoms) = match event {
            BallastEvent::PoolCreated(it) => (Some(it.market), None, None),
            BallastEvent::PoolDeposited(it) => (Some(it.market), Some(it.owner), signed(it.amount)),
            BallastEvent::PoolWithdrawn(it) => {
                (Some(it.market), Some(it.owner), negative(it.amount))
            }
            BallastEvent::PoolRequested(it) => (None, Some(it.owner), None),
            BallastEvent::PoolRequestCancelled(it) => (None, Some(it.owner), None),
            BallastEvent::PoolReset(it) => (Some(it.market), None, signed(it.atoms)),
            BallastEvent::PoolSynced(it) => (Some(it.market), None, Some(it.moved_atoms)),
            BallastEvent::ShareCreated(it) => (None, Some(it.owner), None),
            BallastEvent::ShareClosed(it) => (None, Some(it.owner), None),
            BallastEvent::StakesOpened(it) => (Some(it.market), None, None),
            BallastEvent::StakesRenewed(it) => (Some(it.market), None, signed(it.rest_atoms)),
            BallastEvent::UnstakeRequested(it) => (Some(it.market), Some(it.owner), None),
            BallastEvent::UnstakeCancelled(it) => (Some(it.market), Some(it.owner), None),
            BallastEvent::FeesWithdrawn(it) => (Some(it.market), None, negative(it.amount)),
            _ => return None,
        };
        Some(Entry {
            market,
            trader: owner,
            amount_atoms: atoms,
            ..self.line(Kind::Fund)
        })
    }

    fn rest(&self, event: &BallastEvent) -> Entry {
        let (kind, market, trader) = match event {
            BallastEvent::TriggerPlaced(it) => (Kind::Trigger, Some(it.market), Some(it.trader)),
            BallastEvent::TriggerCancelled(it) => (Kind::Trigger, Some(it.market), Some(it.trader)),
            BallastEvent::ProtectionCreated(it) => {
                (Kind::Trigger, Some(it.market), Some(it.trader))
            }
            BallastEvent::ProtectionSet(it) => (Kind::Trigger, Some(it.market), Some(it.trader)),
            BallastEvent::ProtectionClosed(it) => (Kind::Trigger, Some(it.market), Some(it.trader)),
            BallastEvent::TraderCreated(it) => (Kind::Other, None, Some(it.trader)),
            BallastEvent::TraderClosed(it) => (Kind::Other, None, Some(it.trader)),
            BallastEvent::DelegateSet(it) => (Kind::Other, None, Some(it.trader)),
            BallastEvent::PositionFlagged(it) => (Kind::Other, Some(it.market), Some(it.trader)),
            BallastEvent::AdlSessionOpened(it) => (Kind::Other, Some(it.market), Some(it.bankrupt)),
            BallastEvent::AdlSessionClosed(it) => (Kind::Other, Some(it.market), Some(it.bankrupt)),
            BallastEvent::ClaimsCounted(it) => (Kind::Other, Some(it.market), None),
            _ => (Kind::Other, None, None),
        };
        Entry {
            market,
            trader,
            ..self.line(kind)
        }
    }
}
