//! One trade from the first deposit to the last withdrawal, on the built program.

use ballast_engine::units::Side;
use ballast_sandbox::{BlockTrade, Options, Sandbox};

const USD: u64 = 1_000_000;

#[test]
fn two_traders_open_and_close_and_every_atom_is_accounted_for() {
    let (mut sandbox, sol) = Sandbox::with_sol_market(&Options::default()).unwrap();
    let long = sandbox.create_trader(1_000 * USD).unwrap();
    let short = sandbox.create_trader(1_000 * USD).unwrap();

    // 10 SOL at $200, $200 of margin each.
    let open = BlockTrade {
        lots: 10_000,
        price_ticks: 200_000,
        taker_margin: 200 * USD,
        maker_margin: 200 * USD,
    };
    let outcome = sandbox.block_trade(&sol, &long, &short, open).unwrap();
    assert!(!outcome.events.is_empty());
    println!("block_trade: {} compute units", outcome.compute_units);

    let position = sandbox.position(&sol, &long.address).unwrap();
    assert_eq!(
        (position.lots, position.entry_quote),
        (10_000, 2_000_000_000)
    );
    let position = sandbox.position(&sol, &short.address).unwrap();
    assert_eq!(
        (position.lots, position.entry_quote),
        (-10_000, -2_000_000_000)
    );
    for side in [Side::Long, Side::Short] {
        assert_eq!(sandbox.queue(&sol, side).queue().unwrap().len(), 1);
    }
    assert_eq!(sandbox.market(&sol).open_interest_lots, 10_000);
    assert!(
        sandbox.conservation().holds(),
        "{:?}",
        sandbox.conservation()
    );

    // An hour later SOL is at $210 and both close.
    sandbox.advance_seconds(3_600);
    sandbox.set_price(&sol, 210_000);
    let close = BlockTrade {
        lots: -10_000,
        price_ticks: 210_000,
        taker_margin: 0,
        maker_margin: 0,
    };
    sandbox.block_trade(&sol, &long, &short, close).unwrap();
    assert!(sandbox.position(&sol, &long.address).is_none());
    assert_eq!(sandbox.market(&sol).open_interest_lots, 0);
    assert!(
        sandbox.conservation().holds(),
        "{:?}",
        sandbox.conservation()
    );

    // $100 changed hands, less the taker's fees and an hour of funding.
    let (won, lost) = (
        sandbox.trader(&long.address).free,
        sandbox.trader(&short.address).free,
    );
    assert!(
        (1_095 * 1_000_000..1_100 * 1_000_000).contains(&won),
        "{won}"
    );
    assert!((900 * 1_000_000..901 * 1_000_000).contains(&lost), "{lost}");

    for trader in [&long, &short] {
        let free = u64::try_from(sandbox.trader(&trader.address).free).unwrap();
        sandbox.withdraw(trader, free).unwrap();
        assert_eq!(sandbox.token_balance(&trader.wallet.tokens), free);
        sandbox.close_trader(trader).unwrap();
    }
    assert!(
        sandbox.conservation().holds(),
        "{:?}",
        sandbox.conservation()
    );
}
