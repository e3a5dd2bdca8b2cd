//! The list of counterparties that `auto_deleverage` accepts, planned from accounts as a keeper reads
//! them, and what the program will do to each.
//!
//! `cargo xtask examples plan_adl`. The market, a long that is bankrupt and the three shorts that it is
//! closed against are those of the README.

use ballast_client::moment::Moment;
use ballast_client::ranking::{plan, AdlPlan, Request};
use ballast_engine::position::Position;
use ballast_engine::queue::{queue_size, Queue, QueueRef};
use ballast_engine::units::{Atoms, FundingIndex, Lots, Side};
use ballast_engine::EngineError;
use ballast_state::market::Market;
use ballast_state::position_slot::PositionSlot;
use ballast_state::Pubkey;
use bytemuck::Zeroable;

/// Atoms of a quote unit. One lot, 0.001 SOL, at one tick, $0.001, is one atom.
const USD: i64 = 1_000_000;

/// The shorts with their lots, entry price in ticks and margin in dollars.
const SHORTS: [(&str, i64, i64, i64); 3] = [
    ("Ann", -6_000, 200_000, 60),
    ("Ben", -8_000, 210_000, 840),
    ("Cho", -8_000, 195_000, 78),
];

fn main() -> Result<(), EngineError> {
    let queue = queue()?;
    let plan = planned(&QueueRef::new(bytemuck::cast_slice(&queue))?)?;

    println!(
        "{:<5}{:>7}{:>14}{:>14}",
        "list", "lots", "payout", "gives up"
    );
    let mut list = Vec::new();
    for planned in &plan.cuts {
        let (name, cut) = (name(&planned.trader), planned.cut);
        let (payout, gives_up) = (cut.payout.get(), cut.gave_up);
        println!("{name:<5}{:>7}{payout:>14}{gives_up:>14}", cut.lots);
        list.push((name, cut.lots));
    }
    println!(
        "deficit {} atoms, insurance pays {}, the list gives up {}",
        plan.summary.deficit, plan.summary.insurance_paid, plan.summary.gave_up
    );

    assert_eq!(list, [("Ann", 3_000), ("Cho", 4_000), ("Ben", 3_000)]);
    let listed: Vec<_> = plan.counterparties.iter().map(name).collect();
    assert_eq!(listed, ["Ann", "Cho", "Ben"]);
    assert!(plan.bankrupt_after.is_empty());
    Ok(())
}

/// The plan for a long of 10 SOL, entered at $200 with $100, at a price of $188, where insurance has $5.
fn planned(shorts: &QueueRef<'_>) -> Result<AdlPlan, EngineError> {
    let mut market = Market::zeroed();
    market.oracle.atoms_per_lot_tick = 1;
    market.insurance.balance = 5_000_000;
    market.risk.insurance_draw_cap_bps = 10_000;
    market.risk.adl.max_close_bps = 5_000;
    market.risk.adl.min_profit_bps = 10;
    let mut bankrupt = PositionSlot::zeroed();
    bankrupt.lots = 10_000;
    bankrupt.entry_quote = 10_000 * 200_000;
    bankrupt.margin = 100 * USD;

    let moment = Moment {
        slot: 1_000,
        unix_timestamp: 0,
        price_ticks: 188_000,
    };
    let request = Request {
        bankrupt: Pubkey::default(),
        max_counterparties: 8,
        spares: 0,
    };
    plan(&market, shorts, &bankrupt, &moment, &request)
}

/// The queue account of the shorts. The first byte of a trader's key is its place in [`SHORTS`].
fn queue() -> Result<Vec<u64>, EngineError> {
    let bytes = queue_size(SHORTS.len()).ok_or(EngineError::QueueFull)?;
    // Accounts lie on eight bytes.
    let mut account = vec![0_u64; bytes.div_ceil(8)];
    let bytes = bytemuck::cast_slice_mut(&mut account);
    Queue::create(bytes, [0; 32], Side::Short)?;
    let mut queue = Queue::new(bytes)?;
    for (place, (_, lots, price, margin)) in (0..).zip(SHORTS) {
        let mut trader = [0; 32];
        trader[0] = place;
        let position = Position {
            lots: Lots::new(lots)?,
            entry_quote: Atoms::new(lots * price),
            margin: Atoms::new(margin * USD),
            funding_index: FundingIndex::ZERO,
        };
        queue.insert(trader, &position)?;
    }
    Ok(account)
}

fn name(trader: &Pubkey) -> &'static str {
    SHORTS[usize::from(trader.to_bytes()[0])].0
}
