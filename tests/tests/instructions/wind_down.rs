//! Markets whose oracle has died: they end at what they have recorded, and pay everybody out.

use ballast_client::instructions::wind_down::CloseMarket;
use ballast_engine::units::Side;
use ballast_sandbox::{Sandbox, TraderCookie, TxResult};
use ballast_state::error::BallastError;
use ballast_state::events::{PositionSettled, SettlementBegun};
use ballast_state::trigger::TriggerKind;
use solana_account::Account;

use crate::event;
use crate::orders::{ask, bid};
use crate::support::{done, quiet, refused, terms, Venue, START, TEN, USD};

const DAY: i64 = 86_400;

impl Venue {
    /// Records the price published now.
    pub fn record(&mut self) {
        done(self.sandbox.accrue_funding(&self.market));
    }

    /// Lets the oracle be dead for a day, and the market end a day after that.
    #[track_caller]
    pub fn end(&mut self) -> SettlementBegun {
        self.wait(DAY);
        done(self.sandbox.declare_dead(&self.market));
        self.wait(DAY);
        event!(
            done(self.sandbox.begin_settlement(&self.market)),
            SettlementBegun
        )
    }

    /// The same venue once more.
    pub fn copy(&self) -> Self {
        Self {
            sandbox: self.sandbox.fork(),
            market: self.market.clone(),
            alice: self.alice.clone(),
            bob: self.bob.clone(),
        }
    }

    /// Settles what a trader has.
    #[track_caller]
    pub fn settle(&mut self, trader: &TraderCookie) -> PositionSettled {
        let settled = self.sandbox.settle_position(&self.market, &trader.address);
        self.conserves();
        event!(done(settled), PositionSettled)
    }

    /// Fails unless nothing is left in the market but insurance and fees, and the vaults hold
    /// nothing else once everybody has withdrawn.
    #[track_caller]
    pub fn is_spent(&mut self, traders: &[&TraderCookie]) {
        let market = self.sandbox.market(&self.market);
        assert_eq!(
            (market.open_interest_lots, market.wind_down.settled_lots),
            (0, 0)
        );
        assert_eq!((market.held.atoms, market.held.shares), (0, 0));
        for side in [Side::Long, Side::Short] {
            let queue = self.sandbox.queue(&self.market, side);
            assert!(queue.queue().unwrap().is_empty());
        }
        done(self.sandbox.sweep_insurance(&self.market));
        for trader in traders {
            let free = self.free(trader).unsigned_abs();
            done(self.sandbox.withdraw(trader, free));
        }
        let left = self.sandbox.conservation();
        assert_eq!((left.free, left.positions, left.orders), (0, 0, 0));
        assert_eq!(left.tokens, left.insurance + left.fees);
    }
}

#[test]
pub fn a_dead_feed_traps_nobody() {
    let mut venue = Venue::open();
    let (market, alice, bob) = (venue.market.clone(), venue.alice.clone(), venue.bob.clone());
    venue.wait(1);
    venue.quote(|quote| {
        (quote.ticks, quote.conf_ticks, quote.ema_ticks) = (205_000, 500, 203_000);
    });
    venue.record();
    let last = venue.sandbox.time();
    // The price account is gone for good.
    let gone = Account::default();
    venue.sandbox.set_account(&market.keys.price, gone);
    venue.wait(DAY - 1);
    refused(&mut venue.sandbox, BallastError::MarketTrades, |s| {
        s.settle_position(&market, &alice.address)
    });
    refused(&mut venue.sandbox, BallastError::OracleAlive, |s| {
        s.declare_dead(&market)
    });
    refused(&mut venue.sandbox, BallastError::EndNotDue, |s| {
        s.begin_settlement(&market)
    });
    venue.wait(1);
    let declared = event!(
        done(venue.sandbox.declare_dead(&market)),
        OracleDeclaredDead
    );
    assert_eq!(declared.last_publish_time, last);
    assert_eq!(declared.ends_at, last + 2 * DAY);
    venue.wait(DAY - 1);
    refused(&mut venue.sandbox, BallastError::OracleAlive, |s| {
        s.declare_dead(&market)
    });
    refused(&mut venue.sandbox, BallastError::EndNotDue, |s| {
        s.begin_settlement(&market)
    });
    venue.wait(1);
    // The last average, brought to the last price less its confidence.
    let begun = event!(
        done(venue.sandbox.begin_settlement(&market)),
        SettlementBegun
    );
    assert_eq!(
        (begun.final_ticks, begun.ended_at),
        (204_500, declared.ends_at)
    );
    refused(&mut venue.sandbox, BallastError::MarketEnded, |s| {
        s.begin_settlement(&market)
    });
    refused(&mut venue.sandbox, BallastError::MarketEnded, |s| {
        s.declare_dead(&market)
    });
    // Bob asked no one; a stranger settles both.
    let settled = venue.settle(&bob);
    assert_eq!(
        (settled.lots, settled.paid_atoms),
        (-TEN, 500_000_000 - 45_000_000)
    );
    let settled = venue.settle(&alice);
    assert_eq!(settled.paid_atoms, 100_000_000 + 45_000_000);
    refused(&mut venue.sandbox, BallastError::NoPosition, |s| {
        s.settle_position(&market, &alice.address)
    });
    venue.is_spent(&[&alice, &bob]);
}

#[test]
fn a_price_calls_the_death_of_an_oracle_off_and_an_unfit_one_does_not() {
    let mut venue = Venue::open();
    let market = venue.market.clone();
    venue.wait(DAY);
    done(venue.sandbox.declare_dead(&market));
    venue.wait(DAY - 60);
    // Who closes may use any price; one that nothing else could use is not recorded.
    venue.quote(|quote| quote.conf_ticks = 100_000);
    done(venue.trade(-100, START, 0, 0));
    assert_ne!(venue.sandbox.market(&market).wind_down.ends_at, 0);
    venue.price(START);
    venue.record();
    assert_eq!(venue.sandbox.market(&market).wind_down.ends_at, 0);
    venue.wait(60);
    refused(&mut venue.sandbox, BallastError::EndNotDue, |s| {
        s.begin_settlement(&market)
    });
    // It has to be dead again for as long.
    venue.wait(DAY - 61);
    refused(&mut venue.sandbox, BallastError::OracleAlive, |s| {
        s.declare_dead(&market)
    });
    venue.wait(1);
    done(venue.sandbox.declare_dead(&market));
}

#[test]
fn nobody_chooses_the_last_price_by_when_it_asks_for_it_or_by_what_it_shows() {
    let mut config = quiet();
    config.risk.funding_rate_ppm_per_hour = 100;
    config.risk.impact_notional_atoms = 0;
    let venue = Venue::open_with(&config);
    let market = venue.market.clone();
    let end = |waits: i64, published: Option<u64>| {
        let mut venue = venue.copy();
        venue.wait(DAY);
        done(venue.sandbox.declare_dead(&market));
        venue.wait(DAY + waits);
        if let Some(ticks) = published {
            venue.price(ticks);
            refused(&mut venue.sandbox, BallastError::MarketEnded, |s| {
                s.accrue_funding(&market)
            });
            refused(&mut venue.sandbox, BallastError::MarketEnded, |s| {
                s.block_trade(&market, &venue.alice, &venue.bob, terms(-1, ticks, 0, 0))
            });
            done(venue.sandbox.cancel_all_orders(&market, &venue.alice, None));
        }
        let begun = event!(
            done(venue.sandbox.begin_settlement(&market)),
            SettlementBegun
        );
        (begun.final_ticks, begun.funding_index, begun.ended_at)
    };
    let first = end(0, None);
    assert_eq!(first.0, 200_000);
    assert!(first.1 > 0);
    for (waits, published) in [
        (1, None),
        (9 * DAY, None),
        (30, Some(150_000)),
        (DAY, Some(260_000)),
    ] {
        assert_eq!(end(waits, published), first, "{waits} {published:?}");
    }
}

#[test]
pub fn a_market_that_has_ended_does_nothing_but_settle() {
    let mut venue = Venue::open();
    let (market, alice, bob) = (venue.market.clone(), venue.alice.clone(), venue.bob.clone());
    venue.place(&bob, bid(START - 100, 100), &[]);
    venue.end();
    venue.price(START);
    let ended = BallastError::MarketEnded;
    type Calls = [(&'static str, fn(&mut Sandbox, &Venue) -> TxResult); 9];
    let calls: Calls = [
        ("block_trade", |s, it| {
            s.block_trade(&it.market, &it.alice, &it.bob, terms(-1, START, 0, 0))
        }),
        ("place_order", |s, it| {
            s.place_order(&it.market, &it.bob, ask(START, 100), &[])
        }),
        ("remove_margin", |s, it| {
            s.remove_margin(&it.market, &it.bob, USD)
        }),
        ("accrue_funding", |s, it| s.accrue_funding(&it.market)),
        ("flag_bankruptcy", |s, it| {
            s.flag_bankruptcy(&it.market, &it.alice.address)
        }),
        ("liquidate", |s, it| {
            s.liquidate(&it.market, &it.alice.address, &it.bob, 0)
        }),
        ("execute_trigger", |s, it| {
            s.execute_trigger(
                &it.market,
                &it.alice.address,
                &it.bob,
                TriggerKind::StopLoss,
                &[],
            )
        }),
        ("release_profit", |s, it| {
            s.release_profit(&it.market, &[it.bob.address])
        }),
        ("set_reduce_only", |s, it| s.set_reduce_only(&it.market)),
    ];
    let shared = venue.copy();
    for (name, call) in calls {
        println!("{name}");
        refused(&mut venue.sandbox, ended, |s| call(s, &shared));
    }
    // Margin still goes in, and settling takes orders along.
    done(venue.sandbox.add_margin(&market, &alice, USD));
    let settled = venue.settle(&bob);
    assert_eq!(settled.cancelled.map(|one| one.orders), Some(1));
    assert_eq!(venue.settle(&alice).paid_atoms, 101_000_000);
    venue.is_spent(&[&alice, &bob]);
}

#[test]
fn held_profit_is_paid_with_the_positions() {
    let mut venue = Venue::open();
    let (market, alice, bob) = (venue.market.clone(), venue.alice.clone(), venue.bob.clone());
    let carol = venue.trader(1_000);
    venue.price(186_000);
    // Bob closes across the gap; $39.614 of his profit is held.
    let back = terms(TEN, 186_000, 0, 500 * USD);
    done(venue.sandbox.block_trade(&market, &bob, &carol, back));
    assert_eq!(venue.sandbox.market(&market).held.atoms, 39_614_000);
    // The price recovers, and then there is none any more.
    venue.wait(2);
    venue.price(195_000);
    venue.record();
    venue.end();
    let settled = venue.settle(&bob);
    assert_eq!(
        (settled.lots, settled.paid_atoms, settled.held_atoms),
        (0, 0, 39_614_000)
    );
    venue.settle(&alice);
    venue.settle(&carol);
    venue.is_spent(&[&alice, &bob, &carol]);
}

#[test]
pub fn queues_and_book_are_closed_when_nobody_has_anything_any_more() {
    let mut venue = Venue::open();
    let (market, alice, bob) = (venue.market.clone(), venue.alice.clone(), venue.bob.clone());
    let carol = venue.trader(1_000);
    venue.place(&carol, bid(START - 100, 100), &[]);
    venue.end();
    for trader in [&alice, &bob, &carol] {
        refused(&mut venue.sandbox, BallastError::MarketNotEmpty, |s| {
            s.close_market(&market)
        });
        venue.settle(trader);
    }
    let thief = venue.sandbox.funded_keypair();
    let stolen = CloseMarket {
        keys: market.keys,
        rent_payer: solana_signer::Signer::pubkey(&thief),
    };
    refused(&mut venue.sandbox, BallastError::WrongRentPayer, |s| {
        s.send(&[stolen.instruction()], &[])
    });
    let keys = market.keys;
    let accounts = [keys.queue_long, keys.queue_short, keys.book];
    let rent = |venue: &Venue, key| venue.sandbox.account(key).map_or(0, |one| one.lamports);
    let all: u64 = accounts.iter().map(|key| rent(&venue, key)).sum();
    let closed = event!(done(venue.sandbox.close_market(&market)), MarketClosed);
    assert_eq!(
        (closed.lamports, closed.rent_payer),
        (all, venue.sandbox.payer())
    );
    for key in &accounts {
        assert_eq!(rent(&venue, key), 0);
    }
    refused(&mut venue.sandbox, BallastError::MarketEnded, |s| {
        s.close_market(&market)
    });
    refused(&mut venue.sandbox, BallastError::MarketEnded, |s| {
        s.add_margin(&market, &bob, 1)
    });
    // What the market has left stays, and can be given to and swept.
    done(venue.sandbox.sweep_insurance(&market));
    for trader in [&alice, &bob, &carol] {
        let free = venue.free(trader).unsigned_abs();
        done(venue.sandbox.withdraw(trader, free));
        done(venue.sandbox.close_trader(trader));
    }
}

#[test]
fn a_part_of_an_ended_ledger_holds_no_account_even_after_the_market_is_closed() {
    let mut venue = Venue::open();
    let (market, alice, bob) = (venue.market.clone(), venue.alice.clone(), venue.bob.clone());
    let carol = venue.trader(1_000);
    venue.price(186_000);
    let back = terms(TEN, 186_000, 0, 500 * USD);
    done(venue.sandbox.block_trade(&market, &bob, &carol, back));
    // Alice is taken over; all that was held pays for her.
    done(venue.sandbox.liquidate(&market, &alice.address, &carol, 0));
    assert_eq!(venue.sandbox.market(&market).held.epoch, 1);
    venue.wait(2);
    venue.record_again(186_000);
    venue.end();
    assert!(venue.sandbox.position(&market, &alice.address).is_none());
    done(venue.sandbox.close_market(&market));
    let settled = venue.settle(&bob);
    assert_eq!((settled.paid_atoms, settled.held_atoms), (0, 0));
    assert!(venue.sandbox.position(&market, &bob.address).is_none());
}

impl Venue {
    /// Records this price.
    pub fn record_again(&mut self, ticks: u64) {
        self.price(ticks);
        self.record();
    }
}

#[test]
fn who_is_in_a_market_below_one_tick_gets_out() {
    let mut venue = Venue::open();
    let (market, alice, bob) = (venue.market.clone(), venue.alice.clone(), venue.bob.clone());
    venue.wait(10);
    venue.below_tick();
    venue.record();
    assert_eq!(venue.end().final_ticks, 1);
    refused(&mut venue.sandbox, BallastError::MarketInsolvent, |s| {
        s.settle_position(&market, &bob.address)
    });
    let list = [bob.address];
    let keeper = venue.trader(1);
    let outcome = venue
        .sandbox
        .auto_deleverage(&market, &alice.address, &keeper, &list);
    let event = event!(done(outcome), AutoDeleveraged);
    assert_eq!((event.lots_closed, event.mark_ticks), (10_000, 1));
    // All of alice's margin and of insurance.
    assert_eq!(venue.free(&bob), 1_000_000_000 + 100_000_000 + 200_000);
    venue.is_spent(&[&alice, &bob, &keeper]);
}
