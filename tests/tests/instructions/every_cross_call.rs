//! A world in which instructions of cross margin go through as they stand.

use ballast_client::instructions::anyone::Takeover;
use ballast_client::instructions::cross;

use solana_signer::Signer;

use crate::cross::{allowed, Cross};
use crate::cross_trade::reducing;
use crate::every_call::{Call, World};
use crate::orders::ask;
use crate::support::{done, terms, Venue, START, TEN, USD};

/// No board yet.
pub fn boardless() -> World {
    let mut venue = Venue::new();
    let other = venue.second_market();
    let admin = venue.sandbox.admin_keypair();
    let payer = venue.sandbox.funded_keypair();
    let create = cross::CreateBoard {
        admin: admin.pubkey(),
        payer: payer.pubkey(),
    };
    World {
        calls: vec![Call::new(
            "create_board",
            create.instruction(),
            &[&admin, &payer],
        )],
        sandbox: venue.sandbox,
        other,
    }
}

/// Alice is bankrupt over two legs; bob's isolated position is healthy, dave's leg below maintenance. A third
/// market gets cross margin, and the mark of the fourth is old.
pub fn legs() -> World {
    let mut cross = Cross::hedged();
    let (bob, carol) = (cross.venue.bob.clone(), cross.carol.clone());
    let (first, second) = (cross.first.clone(), cross.second.clone());
    let other = cross.venue.second_market();
    let third = cross.venue.second_market();
    let old = cross.venue.second_market();
    let old_queues = cross.venue.sandbox.create_cross_queues(16).unwrap();
    done(
        cross
            .venue
            .sandbox
            .enable_cross(&old, &old_queues, allowed()),
    );
    let queues = cross.queues();
    let sandbox = &mut cross.venue.sandbox;
    let fresh = sandbox.create_cross_queues(16).unwrap();
    let (dave, erin) = (
        sandbox.create_trader(1_000 * USD).unwrap(),
        sandbox.create_trader(1_000 * USD).unwrap(),
    );
    let frank = sandbox.create_trader(1_000 * USD).unwrap();
    let opening = terms(1_000, START, 380 * USD, 900 * USD);
    done(sandbox.block_trade(&first, &erin, &frank, opening));
    done(sandbox.to_cross(&first, &frank, &queues));
    let opening = terms(TEN, START, 380 * USD, 500 * USD);
    done(sandbox.block_trade(&first, &dave, &erin, opening));
    done(sandbox.to_cross(&first, &dave, &queues));
    sandbox.advance_slots(80);
    cross.prices(165_000, 205_000);
    let sandbox = &mut cross.venue.sandbox;
    sandbox.advance_slots(25);
    sandbox.set_price(&first, 165_000);
    sandbox.set_price(&second, 205_000);
    sandbox.set_price(&third, START);
    done(sandbox.place_order(&first, &erin, ask(165_000, 1_000), &[]));
    let alice = cross.venue.alice.clone();
    let keys = first.keys;
    let calls = vec![
        Call::new(
            "enable_cross",
            cross::EnableCross {
                admin: sandbox.admin(),
                keys: third.keys,
                cross_long: fresh.long,
                cross_short: fresh.short,
                args: allowed(),
            }
            .instruction(),
            &[&sandbox.admin_keypair()],
        ),
        Call::new(
            "record_marks",
            cross::RecordMarks {
                markets: &[keys, second.keys],
            }
            .instruction(),
            &[],
        ),
        Call::new(
            "freeze_mark",
            cross::FreezeMark {
                market: old.keys.market,
            }
            .instruction(),
            &[],
        ),
        Call::new(
            "move_cross",
            cross::MoveCross {
                authority: carol.wallet.address(),
                trader: carol.address,
                amount: 1,
                queues: &[],
            }
            .instruction(),
            &[&carol.wallet.keypair],
        ),
        Call::new(
            "convert_margin",
            cross::ConvertMargin {
                authority: bob.wallet.address(),
                keys,
                trader: bob.address,
                to_cross: true,
                margin: 0,
                queues: &[cross.one.short],
            }
            .instruction(),
            &[&bob.wallet.keypair],
        ),
        Call::new(
            "trade_leg",
            cross::TradeLeg {
                authority: frank.wallet.address(),
                keys,
                trader: frank.address,
                args: reducing(100),
                queues: &[cross.one.short],
                makers: &[erin.address],
            }
            .instruction(),
            &[&frank.wallet.keypair],
        ),
        Call::new(
            "block_trade_cross",
            cross::BlockTradeCross {
                keys,
                taker: frank.party(),
                maker: erin.party(),
                args: terms(100, 165_000, 0, 0).cross_args([false; 2]),
                queues: &[cross.one.short],
            }
            .instruction(),
            &[&frank.wallet.keypair, &erin.wallet.keypair],
        ),
        Call::new(
            "refresh_ranks",
            cross::RefreshRanks {
                keys,
                queues: &[cross.one.long],
                traders: &[dave.address],
            }
            .instruction(),
            &[],
        ),
        Call::new(
            "witness_ranks",
            cross::WitnessRanks {
                keys,
                bankrupt: alice.address,
                queues: &[cross.one.long, cross.one.short],
                traders: &[frank.address],
            }
            .instruction(),
            &[],
        ),
        Call::new(
            "flag_leg",
            cross::FlagLeg {
                keys,
                trader: dave.address,
            }
            .instruction(),
            &[],
        ),
        Call::new(
            "liquidate_leg",
            cross::LiquidateLeg {
                authority: erin.wallet.address(),
                keys,
                trader: dave.address,
                liquidator: erin.address,
                offer: Takeover::with_margin(100 * USD),
                queues: &[cross.one.long],
                makers: &[],
            }
            .instruction(),
            &[&erin.wallet.keypair],
        ),
        Call::new(
            "auto_deleverage_cross",
            cross::AutoDeleverageCross {
                keeper: carol.wallet.address(),
                keys,
                bankrupt: alice.address,
                reward_trader: carol.address,
                queues: &[cross.one.long, cross.one.short, cross.two.short],
                counterparties: &[bob.address],
            }
            .instruction(),
            &[&carol.wallet.keypair],
        ),
    ];
    World {
        sandbox: cross.venue.sandbox,
        other,
        calls,
    }
}

/// The first market has ended, with alice's leg in it.
pub fn parting() -> World {
    let mut cross = Cross::hedged();
    let other = cross.venue.second_market();
    let (first, second) = (cross.first.clone(), cross.second.clone());
    let gone = solana_account::Account::default();
    cross.venue.sandbox.set_account(&first.keys.price, gone);
    cross.venue.end();
    let sandbox = &mut cross.venue.sandbox;
    sandbox.set_price(&second, START);
    done(sandbox.record_marks(&[&second]));
    let part = cross::PartLeg {
        keys: first.keys,
        trader: cross.venue.alice.address,
        queues: &[cross.one.long, cross.two.short],
    };
    World {
        calls: vec![Call::new("part_leg", part.instruction(), &[])],
        sandbox: cross.venue.sandbox,
        other,
    }
}
