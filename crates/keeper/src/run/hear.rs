//! What the keeper hears and reads, taken into memory.

use std::time::Instant;

use ballast_rpc::follow::Heard;

use super::Keeper;
use crate::feed::Read;

impl Keeper {
    pub(super) fn hear(&mut self, heard: Heard) {
        let now = Instant::now();
        match heard {
            Heard::Connected => {
                tracing::info!("websocket open");
                self.parts.line.set_open(true);
                self.world.doubt();
                self.parts.board.vitals(|vitals| vitals.slot = 0);
                self.parts.resync.notify_one();
            }
            Heard::Lost(reason) => {
                tracing::warn!(reason, "websocket lost");
                self.parts.line.set_open(false);
                self.parts.board.metrics.reconnects.inc();
            }
            Heard::Slot(slot) => {
                self.parts.line.hear(slot);
                self.see_slot(slot, now);
            }
            // Not asked for.
            Heard::Transaction(_) => {}
            Heard::Account(seen) => {
                let account = Some(&seen.account);
                self.world.apply(seen.slot, &seen.address, account, now);
                self.count_markets(usize::from(self.world.exchange.market_count));
            }
        }
    }

    pub(super) fn take(&mut self, read: Read) {
        let now = Instant::now();
        match read {
            Read::Accounts(slot, accounts) => {
                self.see_slot(slot, now);
                for (address, account) in &accounts {
                    self.world.apply(slot, address, account.as_ref(), now);
                }
                self.count_markets(usize::from(self.world.exchange.market_count));
            }
            Read::Traders(slot, traders) => self.world.apply_traders(slot, &traders),
            Read::Faster(wallet) => self.leases.see(wallet, self.slot()),
            Read::AtWork(wallet) => self.leases.meet(wallet, self.slot()),
            Read::Protections(slot, all) => self.world.apply_protections(slot, &all),
            Read::All(slot, present) => self.world.end_absent(slot, &present),
            Read::Ended {
                market,
                trader,
                sequence,
            } => self.world.forget_steps(&market, &trader, sequence),
            Read::MarketCount(count) => self.count_markets(count),
            Read::NodeSlot(slot) => self.see_slot(slot, now),
        }
    }

    /// Begins anew when the exchange has other markets than when it began.
    fn count_markets(&mut self, count: usize) {
        if count != self.market_count && !self.changed {
            tracing::info!(count, "the exchange has other markets than before");
            self.changed = true;
        }
    }

    fn see_slot(&mut self, slot: u64, now: Instant) {
        if self.world.is_rolled_back(slot) {
            tracing::warn!(
                slot,
                known = self.world.clock.slot,
                "the node has begun anew"
            );
            self.changed = true;
        }
        self.parts.board.vitals(|vitals| vitals.see_slot(slot, now));
    }
}
