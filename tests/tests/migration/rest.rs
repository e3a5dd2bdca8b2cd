//! What becomes of the market afterwards: it trades, liquidates and deleverages, and everybody leaves.

use ballast_client::instructions::anyone::Takeover;
use ballast_client::moment::Moment;
use ballast_client::ranking::{plan, Request, MAX_COUNTERPARTIES};
use ballast_engine::units::Side;
use ballast_sandbox::{BlockTrade, TraderCookie};
use ballast_state::book_account::OrderSide;
use ballast_state::market::Market;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs};
use ballast_state::Pubkey;

use crate::snapshot::{Old, Outdated};

const MARK: u64 = 188_600;

impl Old {
    fn lots(&self, number: usize) -> i64 {
        let address = self.traders[number].address;
        let slot = self.sandbox.position(&self.market, &address);
        slot.map_or(0, |slot| slot.lots)
    }

    #[track_caller]
    fn conserves(&self) {
        let conservation = self.sandbox.conservation();
        assert!(conservation.holds(), "{conservation:?}");
        for side in [Side::Long, Side::Short] {
            let queue = self.sandbox.queue(&self.market, side);
            assert_eq!(queue.queue().unwrap().invariant(), Ok(()));
        }
        let book = self.sandbox.book(&self.market);
        assert_eq!(book.book().unwrap().invariant(), Ok(()));
    }

    fn tick(&mut self, ticks: u64) {
        self.sandbox.advance_seconds(2);
        let market = self.market.clone();
        self.sandbox.set_price(&market, ticks);
    }

    fn trader(&self, number: usize) -> TraderCookie {
        self.traders[number].clone()
    }

    /// Ends the session of 0.2.0 and deleverages its bankrupt position until nothing is left.
    fn deleverage(&mut self) {
        let (market, session) = (self.market.clone(), self.session);
        self.sandbox.close_adl_session(&market, &session).unwrap();
        assert!(self
            .sandbox
            .account(&session.session)
            .is_none_or(|account| account.lamports == 0));
        let keeper = self.trader(10);
        for _ in 0..20 {
            if self.lots(18) == 0 {
                return;
            }
            let listed = self.counterparties();
            self.sandbox
                .auto_deleverage(&market, &session.bankrupt, &keeper, &listed)
                .unwrap_or_else(|error| panic!("{error}"));
            self.conserves();
            self.tick(MARK);
        }
        assert_eq!(self.lots(18), 0, "deleveraged");
    }

    /// Whom a round of now would cut.
    fn counterparties(&self) -> Vec<Pubkey> {
        let bankrupt = self.session.bankrupt;
        let slot = self.sandbox.position(&self.market, &bankrupt).unwrap();
        let queue = self.sandbox.queue(&self.market, Side::Short);
        let moment = Moment {
            slot: self.sandbox.slot(),
            unix_timestamp: self.sandbox.time(),
            price_ticks: MARK,
        };
        let request = Request {
            bankrupt,
            max_counterparties: MAX_COUNTERPARTIES,
            spares: 0,
        };
        let market = self.sandbox.market(&self.market);
        let planned = plan(&market, &queue.queue().unwrap(), &slot, &moment, &request);
        planned.unwrap().counterparties
    }

    /// Lowers the least order to an atom, as the risk authority may after its delay.
    fn let_small_positions_stand(&mut self) {
        let key = self.market.keys.market;
        let mut account = self.sandbox.account(&key).unwrap();
        let mut market: Market = bytemuck::pod_read_unaligned(&account.data[8..]);
        market.risk.min_order_atoms = 1;
        account.data[8..].copy_from_slice(bytemuck::bytes_of(&market));
        self.sandbox.set_account(&key, account);
    }

    /// Closes what is open, pair by pair, takes everything out and closes every account.
    fn leave(&mut self) {
        let market = self.market.clone();
        self.let_small_positions_stand();
        for trader in self.traders.clone() {
            let orders = self.sandbox.position(&market, &trader.address);
            if orders.is_some_and(|slot| slot.order_count > 0) {
                self.sandbox
                    .cancel_all_orders(&market, &trader, None)
                    .unwrap();
            }
        }
        for long in 0..self.traders.len() {
            for short in 0..self.traders.len() {
                let lots = self.lots(long).min(-self.lots(short));
                if lots <= 0 {
                    continue;
                }
                self.tick(MARK);
                let terms = BlockTrade {
                    lots,
                    price_ticks: MARK,
                    taker_margin: 0,
                    maker_margin: 0,
                };
                let (buyer, seller) = (self.trader(short), self.trader(long));
                let closed = self.sandbox.block_trade(&market, &buyer, &seller, terms);
                closed.unwrap_or_else(|error| panic!("{long} and {short}: {error}"));
                self.conserves();
            }
        }
        self.tick(MARK);
        let (mut paid, before) = (0, self.sandbox.conservation());
        for trader in self.traders.clone() {
            let slot = self.sandbox.position(&market, &trader.address);
            if slot.is_some_and(|slot| slot.held_shares > 0) {
                self.sandbox
                    .release_profit(&market, &[trader.address])
                    .unwrap();
            }
            let free = u64::try_from(self.sandbox.trader(&trader.address).free).unwrap();
            if free > 0 {
                self.sandbox.withdraw(&trader, free).unwrap();
            }
            paid += i128::from(free);
            self.sandbox.close_trader(&trader).unwrap();
        }
        let after = self.sandbox.conservation();
        assert!(after.holds(), "{after:?}");
        assert_eq!(
            (after.free, after.positions, after.orders, after.held),
            (0, 0, 0, 0)
        );
        // Nothing is left but fees and insurance.
        assert_eq!(before.tokens - paid, after.fees + after.insurance);
    }
}

#[test]
fn a_bankrupt_of_0_2_0_is_deleveraged_and_everybody_leaves() {
    let mut old = Old::load();
    old.migrate_all();
    old.conserves();
    let market = old.market.clone();
    // What a session of 0.2.0 froze is not what today's would.
    let (keeper, session) = (old.trader(10), old.session);
    let advanced = old
        .sandbox
        .advance_adl_session(&market, &session, 9, vec![]);
    assert!(advanced.unwrap_err().is("AccountOutdated"));
    let executed = old
        .sandbox
        .execute_adl_session(&market, &session, &keeper, &[]);
    assert!(executed.unwrap_err().is("AccountOutdated"));
    old.deleverage();
    old.leave();
}

#[test]
fn triggers_orders_and_liquidations_go_on() {
    let mut old = Old::load();
    old.migrate_all();
    let market = old.market.clone();
    let (maker, taker) = (old.trader(22), old.trader(12));
    let sell = PlaceOrderArgs {
        side: OrderSide::Ask,
        kind: OrderKind::ImmediateOrCancel,
        price_ticks: 186_500,
        lots: 300,
        ..PlaceOrderArgs::default()
    };
    let filled = old
        .sandbox
        .place_order(&market, &taker, sell, &[maker.address]);
    filled.unwrap();
    assert_eq!(old.lots(12), 2_300);
    old.conserves();
    // The stop-loss of a trader that the price meets.
    let stopped = old.traders[4].address;
    let stop = old.sandbox.position(&market, &stopped).unwrap().stop_loss;
    assert_eq!((stop.price_ticks, stop.lots), (170_000, 500));
    // A position that 0.2.0 flagged is liquidated further.
    old.sandbox.advance_slots(20);
    old.tick(187_000);
    let flagged = old.traders[20].address;
    let before = old.lots(20);
    let offer = Takeover::with_margin(300_000_000);
    let keeper = old.trader(16);
    let step = old
        .sandbox
        .liquidate_into_book(&market, &flagged, &keeper, offer, &[maker.address]);
    step.unwrap_or_else(|error| panic!("{error}"));
    assert!(old.lots(20) < before);
    old.conserves();
}

/// A few calls of many traders, each of whom is migrated just before the first, or all of them before
/// everything.
fn play(lazily: bool) -> Old {
    let mut old = Old::load();
    for account in [
        Outdated::QueueShort,
        Outdated::Book,
        Outdated::Market,
        Outdated::QueueLong,
        Outdated::Exchange,
    ] {
        old.migrate(account).unwrap();
    }
    if !lazily {
        old.migrate_all();
    }
    let market = old.market.clone();
    for (long, short, lots) in [(2, 1, 400), (6, 5, -200), (14, 15, 300), (0, 17, 100)] {
        for number in [long, short] {
            if lazily {
                let trader = old.trader(number);
                let refused = old.sandbox.add_margin(&market, &trader, 1);
                assert!(refused.unwrap_err().is("AccountOutdated"), "{number}");
                old.migrate(Outdated::Trader(number)).unwrap();
            }
        }
        let terms = BlockTrade {
            lots,
            price_ticks: 188_500,
            taker_margin: 50_000_000,
            maker_margin: 50_000_000,
        };
        let (buyer, seller) = (old.trader(long), old.trader(short));
        let traded = old.sandbox.block_trade(&market, &buyer, &seller, terms);
        traded.unwrap_or_else(|error| panic!("{long} and {short}: {error}"));
    }
    // Whoever is left, last first.
    for number in (0..old.traders.len()).rev() {
        old.migrate(Outdated::Trader(number)).unwrap();
    }
    old.conserves();
    old
}

#[test]
fn migrating_between_trades_or_before_them_comes_to_the_same() {
    assert!(play(true).comparable() == play(false).comparable());
}
