//! Who is deleveraged first, and who was skipped: a queue ranked with the engine alone.
//!
//! `cargo xtask examples rank_a_queue`. The market, a long that is bankrupt and the three shorts that
//! it is closed against are those of the README.

use ballast_engine::adl::{Bankruptcy, Cut, Deleveraging};
use ballast_engine::position::Position;
use ballast_engine::proof::{best_below, first_skipped, Threshold};
use ballast_engine::queue::{queue_size, Queue, QueueEntry, QueueRef};
use ballast_engine::rank::{score_q32, Exposure};
use ballast_engine::risk::AdlParams;
use ballast_engine::units::{Atoms, FundingIndex, LotPrice, Lots, Side};
use ballast_engine::EngineError;

/// Atoms of a quote unit. One lot, 0.001 SOL, at one tick, $0.001, is one atom.
const USD: i64 = 1_000_000;
const NAMES: [&str; 3] = ["Ann", "Ben", "Cho"];

fn main() -> Result<(), EngineError> {
    let shorts = [
        position(-6_000, 200_000, 60)?,
        position(-8_000, 210_000, 840)?,
        position(-8_000, 195_000, 78)?,
    ];
    let account = queue_of(&shorts)?;
    let queue = QueueRef::new(bytemuck::cast_slice(&account))?;

    let mut round = bankruptcy()?;
    let close = round.round().close;
    let worth = dollars(close.quote.unsigned_abs());
    println!("A long of 10 SOL is bankrupt at $188 and is closed for {worth}.");

    // The highest ranked, then the highest below it, until the long is closed.
    println!("{:<5}{:>7}{:>7}{:>10}", "who", "score", "lots", "gives up");
    let mut order = Vec::new();
    let mut last = None;
    while round.remaining_lots() > 0 {
        let Some(node) = best_below(&queue, round.round(), last.as_ref())? else {
            break;
        };
        let entry = queue.entry(node)?;
        let exposure = exposure(entry);
        let score = score_q32(round.round(), &exposure)?;
        let short = &shorts[usize::from(entry.trader[0])];
        if let Cut::Done(cut) = round.cut(short, entry.sequence, entry.stamp())? {
            let (name, thousandths) = (name(entry), (score * 1_000) >> 32);
            let (lots, gave_up) = (cut.lots, dollars(cut.gave_up));
            println!("{name:<5}  0.{thousandths:03}{lots:>7}{gave_up:>10}");
            order.push((name, cut.lots));
        }
        last = Some(exposure);
    }
    assert_eq!(order, [("Ann", 3_000), ("Cho", 4_000), ("Ben", 3_000)]);

    // What the program asks about the end of a list: does anybody before it still stand uncut?
    let cho = entry_of(&queue, "Cho")?;
    let skipped = first_skipped(
        &queue,
        bankruptcy()?.round(),
        &Threshold::Beyond(exposure(cho.1)),
        Some(cho.0),
    )?
    .skipped;
    let skipped = skipped
        .map(|node| queue.entry(node).map(name))
        .transpose()?;
    let skipped = skipped.unwrap_or("nobody");
    println!("A list that begins with Cho is refused: it skips {skipped}.");
    assert_eq!(skipped, "Ann");

    let summary = round.finish()?;
    assert_eq!(summary.gave_up, summary.deficit - summary.insurance_paid);
    println!("Together they gave up what insurance left uncovered.");
    Ok(())
}

/// A position of `lots`, negative for a short, entered at `price` ticks with margin in dollars.
fn position(lots: i64, price: i64, margin: i64) -> Result<Position, EngineError> {
    Ok(Position {
        lots: Lots::new(lots)?,
        entry_quote: Atoms::new(lots * price),
        margin: Atoms::new(margin * USD),
        funding_index: FundingIndex::ZERO,
    })
}

/// The bytes of a queue account. The first byte of a trader's key is its place in `shorts`.
fn queue_of(shorts: &[Position]) -> Result<Vec<u64>, EngineError> {
    let bytes = queue_size(shorts.len()).ok_or(EngineError::QueueFull)?;
    // Accounts lie on eight bytes.
    let mut memory = vec![0_u64; bytes.div_ceil(8)];
    let bytes = bytemuck::cast_slice_mut(&mut memory);
    Queue::create(bytes, [0; 32], Side::Short)?;
    let mut queue = Queue::new(bytes)?;
    for (place, short) in (0..).zip(shorts) {
        let mut trader = [0; 32];
        trader[0] = place;
        queue.insert(trader, short)?;
    }
    Ok(memory)
}

/// A long of 10 SOL, entered at $200 with $100, at a mark of $188: $20 below zero, where insurance
/// has $5.
fn bankruptcy() -> Result<Deleveraging, EngineError> {
    Deleveraging::begin(&Bankruptcy {
        position: position(10_000, 200_000, 100)?,
        mark: LotPrice::new(188_000)?,
        funding_index: FundingIndex::ZERO,
        insurance_available: 5_000_000,
        past_grace: false,
        taker: None,
        max_lots: u64::MAX,
        least_lots: 0,
        params: &AdlParams {
            max_close_bps: 5_000,
            min_profit_bps: 10,
            ..AdlParams::default()
        },
        epoch: 1,
        passes: 1,
    })
}

fn exposure(entry: &QueueEntry) -> Exposure {
    Exposure::of_entry(entry, Side::Short, FundingIndex::ZERO)
}

fn name(entry: &QueueEntry) -> &'static str {
    NAMES[usize::from(entry.trader[0])]
}

/// The node and the entry of somebody in the queue.
fn entry_of<'a>(queue: &QueueRef<'a>, wanted: &str) -> Result<(u32, &'a QueueEntry), EngineError> {
    for step in queue.iter() {
        let (node, entry) = step?;
        if name(entry) == wanted {
            return Ok((node, entry));
        }
    }
    Err(EngineError::NodeNotFound)
}

/// Dollars and cents.
fn dollars(atoms: u64) -> String {
    let cents = atoms / 10_000;
    format!("${}.{:02}", cents / 100, cents % 100)
}
