//! Protective steps: set by the trader, executed by anybody against the book before a liquidation.

use ballast_client::addresses;
use ballast_client::instructions::{anyone, protection};
use ballast_engine::protection::ProtectiveStep;
use ballast_sandbox::{TraderCookie, TxResult};
use ballast_state::error::BallastError;
use ballast_state::events::ProtectionExecuted;
use ballast_state::exchange::PAUSE_TRADE;
use ballast_state::instructions::SetProtectionArgs;
use ballast_state::protection::Protection;
use solana_signer::Signer;

use crate::event;
use crate::orders::{ask, bid, listed};
use crate::support::{done, refused, Venue, START, TEN, USD};

const fn step(ratio_bps: u32, keep_bps: u32) -> ProtectiveStep {
    ProtectiveStep {
        ratio_bps,
        keep_bps,
    }
}

/// Below 150 % of maintenance half stays, below 120 % nothing, at half a percent from the mark.
pub fn steps() -> SetProtectionArgs {
    SetProtectionArgs {
        steps: vec![step(15_000, 5_000), step(12_000, 0)],
        slip_bps: 50,
    }
}

/// Alice is long and bob short 10 SOL at $200, $100 and $500 of margin; maintenance is 2.5 %. Carol waits
/// in the book, a keeper executes.
pub struct Floor {
    pub venue: Venue,
    pub alice: TraderCookie,
    pub bob: TraderCookie,
    pub carol: TraderCookie,
    pub keeper: TraderCookie,
}

impl Floor {
    pub fn new() -> Self {
        let mut venue = Venue::open();
        let (alice, bob) = venue.two();
        let (carol, keeper) = (venue.trader(1_000), venue.trader(0));
        Self {
            venue,
            alice,
            bob,
            carol,
            keeper,
        }
    }

    /// With steps of alice.
    pub fn set() -> Self {
        let mut floor = Self::new();
        let alice = floor.alice.clone();
        floor.create(&alice);
        done(floor.steps(&alice, steps()));
        floor
    }

    fn create(&mut self, trader: &TraderCookie) {
        let market = &self.venue.market;
        done(self.venue.sandbox.create_protection(market, trader));
    }

    fn steps(&mut self, trader: &TraderCookie, args: SetProtectionArgs) -> TxResult {
        let market = &self.venue.market;
        self.venue.sandbox.set_protection(market, trader, args)
    }

    fn call(&mut self, trader: &TraderCookie, makers: &[&TraderCookie]) -> TxResult {
        let (market, keeper) = (&self.venue.market, &self.keeper);
        self.venue
            .sandbox
            .execute_protection(market, &trader.address, keeper, &listed(makers))
    }

    #[track_caller]
    fn execute(&mut self, trader: &TraderCookie, makers: &[&TraderCookie]) -> ProtectionExecuted {
        let outcome = done(self.call(trader, makers));
        self.venue.sound();
        event!(outcome, ProtectionExecuted)
    }

    #[track_caller]
    fn refuse(&mut self, error: BallastError, trader: &TraderCookie, makers: &[&TraderCookie]) {
        let (market, keeper) = (&self.venue.market, &self.keeper);
        let makers = listed(makers);
        refused(&mut self.venue.sandbox, error, |s| {
            s.execute_protection(market, &trader.address, keeper, &makers)
        });
    }

    #[track_caller]
    fn refuse_steps(&mut self, error: BallastError, args: SetProtectionArgs) {
        let (market, alice) = (&self.venue.market, &self.alice);
        refused(&mut self.venue.sandbox, error, |s| {
            s.set_protection(market, alice, args)
        });
    }

    fn protection(&self, trader: &TraderCookie) -> Protection {
        let address = addresses::protection(&trader.address, &self.venue.market.keys.market);
        let data = self.venue.sandbox.account(&address).unwrap().data;
        ballast_client::accounts::protection(&data).unwrap()
    }

    /// Free collateral, reserves and equity of a trader at this mark, atoms.
    fn worth(&self, trader: &TraderCookie, mark: i64) -> i64 {
        let slot = self
            .venue
            .sandbox
            .position(&self.venue.market, &trader.address);
        let equity = slot.map_or(0, |slot| {
            let reserved = i64::try_from(slot.order_margin).unwrap();
            reserved + slot.margin + slot.lots * mark - slot.entry_quote
        });
        self.venue.free(trader) + equity
    }

    /// Bids of carol, which wait.
    fn bid(&mut self, price: u64, lots: u64) {
        let carol = self.carol.clone();
        self.venue.place(&carol, bid(price, lots), &[]);
    }
}

#[test]
pub fn a_step_leaves_its_part_and_the_next_one_the_rest() {
    let mut floor = Floor::set();
    let (alice, carol) = (floor.alice.clone(), floor.carol.clone());
    floor.bid(196_000, 5_000);
    // $73.95 of equity over $49.35 of maintenance: 150 % at $197.5, rounded down.
    floor.venue.price(197_500);
    floor.refuse(BallastError::ProtectionNotReached, &alice, &[&carol]);
    floor.venue.price(196_900);
    let event = floor.execute(&alice, &[&carol]);
    assert_eq!(event.step, step(15_000, 5_000));
    assert_eq!(
        (event.trader, event.market),
        (alice.address, floor.venue.market.keys.market)
    );
    assert_eq!(event.keeper, floor.keeper.wallet.address());
    // Half a percent below $196.90, rounded up.
    assert_eq!((event.worst_ticks, event.mark_ticks), (195_916, 196_900));
    assert_eq!((event.filled_lots, event.left_lots), (5_000, 0));
    // Half of the position earns half of the keeper's fee, from free collateral.
    assert_eq!(event.reward_atoms, 50_000);
    assert_eq!(floor.venue.free(&floor.keeper), 50_000);
    assert_eq!(floor.venue.position(&alice).lots, 5_000);
    // No discount, no fee but the taker's: 5 bps of $980, of a loss of $20.
    assert_eq!(
        (event.taker.unwrap().fee, event.taker.unwrap().realized),
        (490_000, -20_000_000)
    );
    floor.refuse(BallastError::ProtectionNotReached, &alice, &[&carol]);

    floor.bid(194_000, 5_000);
    floor.venue.price(194_000);
    let event = floor.execute(&alice, &[&carol]);
    assert_eq!(event.step, step(12_000, 0));
    assert_eq!((event.filled_lots, event.reward_atoms), (5_000, 50_000));
    assert!(floor
        .venue
        .sandbox
        .position(&floor.venue.market, &alice.address)
        .is_none());
}

#[test]
pub fn what_the_book_does_not_give_is_closed_later_for_the_same_fee_in_all() {
    let mut floor = Floor::set();
    let (alice, carol) = (floor.alice.clone(), floor.carol.clone());
    floor.venue.price(192_500);
    // Beyond the slip: $191.538 is the worst.
    floor.bid(191_537, 1_000);
    floor.refuse(BallastError::NothingFilled, &alice, &[&carol]);
    let mut reward = 0;
    for lots in [10, 20, 333, 9_637] {
        floor.bid(192_000, lots);
        let event = floor.execute(&alice, &[&carol]);
        assert_eq!((event.filled_lots, event.step), (lots, step(12_000, 0)));
        reward += event.reward_atoms;
    }
    assert!(reward <= 100_000, "{reward}");
    assert!(reward >= 99_997, "{reward}");
}

#[test]
pub fn a_short_buys_within_the_slip() {
    let mut floor = Floor::new();
    let (bob, carol) = (floor.bob.clone(), floor.carol.clone());
    floor.create(&bob);
    done(floor.steps(&bob, steps()));
    assert_eq!(floor.protection(&bob).base_lots, -TEN);
    floor.venue.price(245_000);
    // $50 over $61.25: below maintenance, so that both a liquidation and the last step close it.
    floor.venue.place(&carol, ask(246_226, 100), &[]);
    floor.refuse(BallastError::NothingFilled, &bob, &[&carol]);
    floor.venue.place(&carol, ask(246_225, 100), &[]);
    let event = floor.execute(&bob, &[&carol]);
    assert_eq!((event.worst_ticks, event.filled_lots), (246_225, 100));
}

#[test]
pub fn steps_end_with_their_position() {
    let mut floor = Floor::set();
    let (alice, bob, carol) = (floor.alice.clone(), floor.bob.clone(), floor.carol.clone());
    floor.venue.trade(-TEN, START, 0, 0).unwrap();
    floor.refuse(BallastError::NoPosition, &alice, &[&carol]);
    // The same lots anew, and in distress at once: these are not what the steps were set for.
    floor.venue.trade(TEN, START, 100 * USD, 500 * USD).unwrap();
    floor.bid(194_000, 10_000);
    floor.venue.price(194_000);
    floor.refuse(BallastError::ProtectionEnded, &alice, &[&carol]);
    done(floor.steps(&alice, steps()));
    let event = floor.execute(&alice, &[&carol]);
    assert_eq!(event.filled_lots, 10_000);

    // Nor is a position on the other side.
    let mut floor = Floor::set();
    let market = &floor.venue.market;
    let turned = floor.venue.sandbox.block_trade(
        market,
        &alice,
        &bob,
        crate::support::terms(-2 * TEN, START, 100 * USD, 500 * USD),
    );
    done(turned);
    floor.venue.price(206_000);
    floor.refuse(BallastError::ProtectionEnded, &alice, &[&carol]);
    // Cleared ones are none.
    done(floor.steps(&alice, steps()));
    done(floor.steps(&alice, SetProtectionArgs::default()));
    assert_eq!(floor.protection(&alice).steps(), &[]);
    floor.refuse(BallastError::ProtectionEnded, &alice, &[&carol]);
}

#[test]
pub fn a_larger_position_is_reduced_to_what_was_kept() {
    let mut floor = Floor::set();
    let (alice, carol) = (floor.alice.clone(), floor.carol.clone());
    floor.venue.trade(TEN, START, 100 * USD, 500 * USD).unwrap();
    floor.bid(196_500, 20_000);
    floor.venue.price(196_900);
    // 10 SOL when the steps were set, 20 today: half of the 10 stays.
    let event = floor.execute(&alice, &[&carol]);
    assert_eq!((event.filled_lots, event.reward_atoms), (15_000, 75_000));
    assert_eq!(floor.venue.position(&alice).lots, 5_000);
}

#[test]
pub fn the_only_bidder_gains_no_more_than_the_slip() {
    let mut floor = Floor::set();
    let (alice, thief) = (floor.alice.clone(), floor.carol.clone());
    floor.venue.price(197_000);
    // The lowest bid that is met: half a percent below the mark, rounded up.
    floor.bid(196_014, 5_000);
    floor.refuse(BallastError::NothingFilled, &alice, &[&thief]);
    floor.bid(196_015, 5_000);
    let before = floor.worth(&thief, 197_000);
    let event = floor.execute(&alice, &[&thief]);
    assert_eq!(event.filled_lots, 5_000);
    let gained = floor.worth(&thief, 197_000) - before;
    let slip = 50 * 197_000 * 5_000 / 10_000;
    assert_eq!(gained, 985 * 5_000);
    assert!(gained <= slip, "{gained}");
}

#[test]
pub fn steps_fall_and_are_one_to_four() {
    let mut floor = Floor::set();
    let refused = BallastError::ProtectiveSteps;
    let args = |steps: &[ProtectiveStep], slip_bps| SetProtectionArgs {
        steps: steps.to_vec(),
        slip_bps,
    };
    floor.refuse_steps(refused, args(&[step(10_000, 0)], 50));
    floor.refuse_steps(refused, args(&[step(15_000, 10_000)], 50));
    floor.refuse_steps(refused, args(&[step(15_000, 0), step(12_000, 0)], 50));
    floor.refuse_steps(refused, args(&[step(12_000, 5_000), step(15_000, 0)], 50));
    floor.refuse_steps(refused, args(&steps().steps, 0));
    floor.refuse_steps(refused, args(&steps().steps, 5_001));
    let five: Vec<_> = (0..5).map(|n| step(20_000 - n, 5_000 - n)).collect();
    floor.refuse_steps(refused, args(&five, 50));
    let alice = floor.alice.clone();
    done(floor.steps(&alice, args(&five[..4], 50)));
    let stored = floor.protection(&alice);
    assert_eq!((stored.steps(), stored.slip_bps), (&five[..4], 50));
    assert_eq!(stored.base_lots, TEN);
}

#[test]
pub fn who_has_no_position_sets_no_steps() {
    let mut floor = Floor::new();
    let carol = floor.carol.clone();
    floor.create(&carol);
    floor.alice = carol;
    floor.refuse_steps(BallastError::NoPosition, steps());
    // Orders alone are no position.
    floor.bid(190_000, 100);
    floor.refuse_steps(BallastError::NoPosition, steps());
}

#[test]
pub fn the_owner_opens_and_closes_and_a_delegate_sets() {
    let mut floor = Floor::set();
    let (alice, bob) = (floor.alice.clone(), floor.bob.clone());
    let market = floor.venue.market.keys.market;
    let queue = floor.venue.market.keys.queue_long;
    let delegate = floor.venue.sandbox.funded_keypair();
    let set = protection::SetProtection {
        authority: delegate.pubkey(),
        market,
        trader: alice.address,
        queue,
        args: steps(),
    };
    let sandbox = &mut floor.venue.sandbox;
    refused(sandbox, BallastError::NotTraderAuthority, |s| {
        s.send(&[set.instruction()], &[&delegate])
    });
    done(sandbox.set_delegate(&alice, Some(delegate.pubkey())));
    done(sandbox.send(&[set.instruction()], &[&delegate]));
    let create = protection::CreateProtection {
        owner: delegate.pubkey(),
        market,
        trader: bob.address,
    };
    refused(sandbox, BallastError::NotOwner, |s| {
        s.send(&[create.instruction()], &[&delegate])
    });
    let close = protection::CloseProtection {
        owner: delegate.pubkey(),
        market,
        trader: alice.address,
    };
    refused(sandbox, BallastError::NotOwner, |s| {
        s.send(&[close.instruction()], &[&delegate])
    });
    let address = addresses::protection(&alice.address, &market);
    let rent = sandbox.account(&address).unwrap().lamports;
    let before = sandbox.account(&alice.wallet.address()).unwrap().lamports;
    done(sandbox.close_protection(&floor.venue.market, &alice));
    assert!(sandbox.account(&address).is_none());
    let after = sandbox.account(&alice.wallet.address()).unwrap().lamports;
    assert_eq!(after, before + rent);
}

#[test]
pub fn steps_of_somebody_else_are_refused() {
    let mut floor = Floor::set();
    let (alice, bob) = (floor.alice.clone(), floor.bob.clone());
    let keys = floor.venue.market.keys;
    floor.venue.price(194_000);
    floor.bid(194_000, 10_000);
    let keeper = floor.keeper.clone();
    let mut instruction = anyone::ExecuteProtection {
        keeper: keeper.wallet.address(),
        keys,
        trader: bob.address,
        reward_trader: keeper.address,
        makers: &[floor.carol.address],
    }
    .instruction();
    let place = instruction
        .accounts
        .iter()
        .position(|meta| meta.pubkey == addresses::protection(&bob.address, &keys.market));
    instruction.accounts[place.unwrap()].pubkey =
        addresses::protection(&alice.address, &keys.market);
    refused(
        &mut floor.venue.sandbox,
        BallastError::WrongProtection,
        |s| s.send(&[instruction], &[&keeper.wallet.keypair]),
    );
    // Nor may another queue say which position it is.
    let set = protection::SetProtection {
        authority: alice.wallet.address(),
        market: keys.market,
        trader: alice.address,
        queue: keys.queue_short,
        args: steps(),
    };
    refused(&mut floor.venue.sandbox, BallastError::WrongQueue, |s| {
        s.send(&[set.instruction()], &[&alice.wallet.keypair])
    });
}

#[test]
pub fn while_trading_is_paused_nothing_is_reduced() {
    let mut floor = Floor::set();
    let (alice, carol) = (floor.alice.clone(), floor.carol.clone());
    floor.bid(194_000, 10_000);
    floor.venue.price(194_000);
    done(floor.venue.sandbox.set_pause(PAUSE_TRADE));
    floor.refuse(BallastError::Paused, &alice, &[&carol]);
    done(floor.venue.sandbox.set_pause(0));
    floor.execute(&alice, &[&carol]);
}

#[test]
pub fn own_orders_are_taken_out_of_the_way() {
    let mut floor = Floor::set();
    let (alice, carol) = (floor.alice.clone(), floor.carol.clone());
    floor.venue.place(&alice, bid(196_900, 100), &[]);
    floor.bid(196_500, 10_000);
    floor.venue.price(197_000);
    let event = floor.execute(&alice, &[&carol]);
    assert_eq!(event.cancelled.len(), 1);
    assert_eq!(event.filled_lots, 5_000);
}
