//! Versions of the layouts: which accounts the program reads, and what brings an older one up to date.
//!
//! An account of the version before is refused everywhere but by the instruction that migrates it,
//! which anybody may call. A migration writes the fields that the version before did not have, so that
//! every account of today's version is as if today's program had written it all along. Nothing grows,
//! no token moves and no claim changes by an atom.

use ballast_engine::{
    distress::Distress,
    insurance::{Insurance, InsuranceState},
    units::Side,
    volatility::Volatility,
    window::Window,
};

use crate::{
    adl_session::{AdlSession, ADL_SESSION_VERSION},
    error::{BallastError, Result},
    exchange::{Delays, Exchange, EXCHANGE_VERSION},
    market::{Market, MARKET_VERSION},
    pool::{Pool, POOL_VERSION},
    position_slot::PositionSlot,
    protection::{Protection, PROTECTION_VERSION},
    share::{Share, SHARE_VERSION},
    staged::{Staged, STAGED_VERSION},
    stakes::{Stakes, STAKES_VERSION},
    trader::{Trader, TRADER_VERSION},
    Pubkey,
};

/// An account whose first byte is the version of its layout.
pub trait Versioned {
    /// The version that this program writes.
    const VERSION: u8;
    /// The instruction that deals with an account of the version before.
    const REMEDY: &'static str;

    /// The version of this account.
    fn version(&self) -> u8;

    /// Whether it is of the version before.
    fn is_outdated(&self) -> bool {
        self.version().checked_add(1) == Some(Self::VERSION)
    }

    /// Fails with `AccountOutdated` for the version before, with `UnknownVersion` for any other that
    /// is not today's.
    #[inline]
    fn require_current(&self) -> Result<()> {
        if self.version() == Self::VERSION {
            return Ok(());
        }
        Err(self.refusal())
    }

    /// Why it is not read.
    #[cold]
    fn refusal(&self) -> BallastError {
        if self.is_outdated() {
            BallastError::AccountOutdated
        } else {
            BallastError::UnknownVersion
        }
    }

    /// Whether it is to be migrated: not when it is of today's version. Fails with `UnknownVersion`
    /// for any other than that and the one before.
    fn to_migrate(&self) -> Result<bool> {
        match self.require_current() {
            Ok(()) => Ok(false),
            Err(BallastError::AccountOutdated) => Ok(true),
            Err(error) => Err(error),
        }
    }
}

macro_rules! versioned {
    ($($account:ident $version:ident $remedy:literal;)*) => {
        $(impl Versioned for $account {
            const VERSION: u8 = $version;
            const REMEDY: &'static str = $remedy;

            #[inline]
            fn version(&self) -> u8 {
                self.version
            }
        })*
    };
}

versioned! {
    Exchange EXCHANGE_VERSION "migrate_exchange";
    Market MARKET_VERSION "migrate_market";
    Trader TRADER_VERSION "migrate_trader";
    AdlSession ADL_SESSION_VERSION "close_adl_session";
    Staged STAGED_VERSION "cancel_staged";
    Pool POOL_VERSION "nothing: no release before had pools";
    Protection PROTECTION_VERSION "nothing: no release before had protective steps";
    Share SHARE_VERSION "nothing: no release before had shares";
    Stakes STAKES_VERSION "nothing: no release before had stakes";
}

impl Exchange {
    /// Brings an exchange of the version before, in which nothing waited and pauses had no end, to this
    /// one: changes wait as long as they do by default, no pause is in force, nobody is proposed.
    pub fn migrate(&mut self) {
        // A count of bankruptcies and a slot that withdrawals waited for.
        self._unused = [0; 12];
        // Who was proposed for the roles.
        self._unused_admin = Pubkey::default();
        self._unused_risk_authority = Pubkey::default();
        self._unused_guardian = Pubkey::default();
        self.pause_flags = 0;
        self.risk_delay_slots = Delays::DEFAULT.risk_slots;
        self.admin_delay_slots = Delays::DEFAULT.admin_slots;
        self.version = EXCHANGE_VERSION;
    }
}

impl Market {
    /// Brings a market of the version before to this one: funding is charged up to `now`, unix seconds,
    /// with the impact prices recorded, which are then none; the book says those that count. What
    /// insurance has paid in the window that `slot` is in counts as paid in `slot`.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn migrate(&mut self, now: i64, slot: u64) -> Result<()> {
        self.accrue_at_last_price(now)?;
        self.migrate_window(slot)?;
        for side in [Side::Long, Side::Short] {
            self.store_impact(side, None);
        }
        // The key of the exchange, of which there is one.
        self.volatility = Volatility::default();
        self.version = MARKET_VERSION;
        Ok(())
    }

    fn migrate_window(&mut self, slot: u64) -> Result<()> {
        // The first slot of a window, what insurance had then and what it has paid in it.
        let InsuranceState {
            balance,
            bucket: start,
            drawn: [_, drawn],
        } = self.insurance;
        let length = self.risk.insurance_window_slots;
        let age = slot.checked_sub(start);
        let paid = match age {
            Some(age) if age >= length => 0,
            _ => drawn,
        };
        self.store_insurance(&Insurance {
            balance,
            staked: 0,
            limited: false,
            window: Window::default().rolled(slot, length)?.with(paid)?,
        });
        Ok(())
    }
}

impl PositionSlot {
    /// Brings a slot of the version before to this one, but for the count of its reduce-only orders,
    /// which the book knows.
    pub fn migrate(&mut self) {
        // Flags stood where the number of the ledger stands.
        self.held_epoch = 0;
        if self.lots == 0 {
            self.store_distress(&Distress::NONE);
            return;
        }
        self.paid_in = u64::try_from(self.margin).unwrap_or(0);
        // The last look that is known of; what came after it counts like time that nobody looked.
        self.seen_slot = self.flagged_slot.max(self.bankrupt_slot);
    }
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;

    use super::*;

    #[test]
    fn the_version_before_is_outdated_and_any_other_unknown() {
        let refused = |version| {
            let trader = Trader {
                version,
                ..Trader::zeroed()
            };
            (trader.require_current().err(), trader.to_migrate())
        };
        let unknown = BallastError::UnknownVersion;
        assert_eq!(refused(TRADER_VERSION), (None, Ok(false)));
        assert_eq!(
            refused(TRADER_VERSION - 1),
            (Some(BallastError::AccountOutdated), Ok(true))
        );
        for version in [0, TRADER_VERSION - 2, TRADER_VERSION + 1, u8::MAX] {
            assert_eq!(refused(version), (Some(unknown), Err(unknown)), "{version}");
        }
    }

    #[test]
    fn a_slot_keeps_its_position_and_learns_what_was_put_in_and_when_it_was_seen() {
        let before = PositionSlot {
            lots: -5,
            entry_quote: -900,
            margin: 70,
            held_epoch: 1,
            flagged_slot: 100,
            bankrupt_slot: 5_000,
            last_step_slot: 4_000,
            step_left: 2,
            ..PositionSlot::zeroed()
        };
        let mut slot = before;
        slot.migrate();
        assert_eq!(
            (slot.held_epoch, slot.paid_in, slot.seen_slot),
            (0, 70, 5_000)
        );
        // The clocks stand where they stood and never run ahead of the slot.
        assert_eq!(slot.distress().observed(5_050).bankrupt_slot, 5_000);
        assert_eq!(slot.distress().flagged_for(6_000), Some(4_950));
        let back = PositionSlot {
            held_epoch: 1,
            paid_in: 0,
            seen_slot: 0,
            ..slot
        };
        assert_eq!(bytemuck::bytes_of(&back), bytemuck::bytes_of(&before));
        let mut beaten = PositionSlot {
            margin: -1,
            ..before
        };
        beaten.migrate();
        assert_eq!(beaten.paid_in, 0);
    }

    #[test]
    fn a_slot_of_orders_alone_remembers_no_distress() {
        let mut slot = PositionSlot {
            held_epoch: 1,
            flagged_slot: 100,
            last_step_slot: 90,
            order_count: 2,
            ..PositionSlot::zeroed()
        };
        slot.migrate();
        assert_eq!(slot.distress(), Distress::NONE);
        assert_eq!((slot.order_count, slot.paid_in, slot.held_epoch), (2, 0, 0));
    }

    #[test]
    fn an_exchange_forgets_what_is_not_read() {
        let mut exchange = Exchange {
            version: EXCHANGE_VERSION - 1,
            trader_count: 7,
            market_count: 3,
            _unused: [9; 12],
            _unused_admin: Pubkey::new_from_array([4; 32]),
            pause_flags: 3,
            ..Exchange::zeroed()
        };
        exchange.migrate();
        assert_eq!(exchange._unused, [0; 12]);
        assert_eq!(
            (exchange._unused_admin, exchange.pauses(9)),
            (Pubkey::default(), 0)
        );
        assert_eq!(exchange.delays(), Delays::DEFAULT);
        assert_eq!((exchange.trader_count, exchange.market_count), (7, 3));
        assert!(exchange.require_current().is_ok());
    }

    #[test]
    fn a_market_charges_what_was_owed_and_forgets_the_old_impact_prices() {
        let mut market = Market {
            version: MARKET_VERSION - 1,
            ..Market::zeroed()
        };
        market.oracle.atoms_per_lot_tick = 1;
        market.risk.funding_rate_ppm_per_hour = 10_000;
        market.risk.price_band_bps = 500;
        market.last_price.ticks = 200_000;
        market.funding.last_timestamp = 7_200;
        market.funding.impact_bid = 199_000;
        let expected = market.funding_at(10_800).unwrap();
        market.risk.insurance_window_slots = 300;
        market.insurance.balance = 50;
        let [in_window, after] = [1_299, 1_300].map(|slot| {
            let mut market = market;
            // The first slot of the window, its level and what was paid in it.
            (market.insurance.bucket, market.insurance.drawn) = (1_000, [70, 20]);
            market.migrate(10_800, slot).unwrap();
            market.insurance_fund()
        });
        assert_eq!(in_window.paid(&market.risk, 1_599), Ok(20));
        assert_eq!(
            in_window.window,
            Window {
                bucket: 12,
                sums: [20, 0, 0, 0]
            }
        );
        assert_eq!(
            (after.window.total(), after.balance, after.staked),
            (Ok(0), 50, 0)
        );
        market.migrate(10_800, 5).unwrap();
        assert_eq!(market.funding.index.get(), 2_000);
        assert_eq!(market.funding.index, expected.index);
        assert_eq!(
            (market.funding.impact_bid, market.funding.impact_ask),
            (0, 0)
        );
        assert_eq!(market.version, MARKET_VERSION);
    }
}
