//! Keepers who bring positions to the book: triggers and liquidations.

use anyhow::Result;
use ballast_client::instructions::anyone::Takeover;
use ballast_sandbox::TxResult;
use ballast_state::book_account::OrderSide;
use ballast_state::instructions::PlaceTriggerArgs;
use ballast_state::trigger::TriggerKind;

use crate::book_venue::{limit, BookVenue, Did};
use crate::case::{maker_words, Case};
use crate::venue::{START, TEN, USD};

/// Price at which a stop-loss triggers.
pub const STOP: u64 = START - 1_000;
/// Price at which a position with a tenth of its worth at stake is closed whole.
const LIQUIDATED: u64 = 190_500;

/// Setting and clearing a stop-loss, which have nothing to do with the book.
pub fn settings() -> Vec<Case> {
    vec![
        Case::new(
            "place_trigger/stop-loss",
            "a stop-loss",
            Did::default(),
            |floor| {
                floor.venue.open()?;
                Ok(set(floor))
            },
        ),
        Case::new(
            "cancel_trigger/stop-loss",
            "a stop-loss",
            Did::default(),
            |floor| {
                floor.venue.open()?;
                set(floor)?;
                let venue = &mut floor.venue;
                let (market, alice) = (&venue.market, &venue.alice);
                Ok(venue
                    .sandbox
                    .cancel_trigger(market, alice, TriggerKind::StopLoss))
            },
        ),
    ]
}

/// Executing a stop-loss.
pub fn triggers() -> Vec<Case> {
    vec![
        Case::new(
            "execute_trigger/01-closes",
            "the position closed against 1 maker, which opens",
            Did::fills(1),
            |floor| execute(floor, 1),
        ),
        Case::new(
            "execute_trigger/10-closes",
            "the position closed against 10 makers, which open",
            Did::fills(10),
            |floor| execute(floor, 10),
        ),
    ]
}

fn set(floor: &mut BookVenue) -> TxResult {
    let args = PlaceTriggerArgs {
        kind: TriggerKind::StopLoss,
        price_ticks: STOP,
        worst_ticks: 0,
        lots: u64::MAX,
    };
    let venue = &mut floor.venue;
    venue
        .sandbox
        .place_trigger(&venue.market, &venue.alice, args)
}

fn execute(floor: &mut BookVenue, makers: usize) -> Result<TxResult> {
    floor.venue.open()?;
    set(floor)?;
    let lots = u64::try_from(TEN)? / u64::try_from(makers)?;
    bid(floor, STOP - 10, lots, makers)?;
    floor.venue.price(STOP);
    let (listed, venue) = (floor.listed(makers), &mut floor.venue);
    let victim = venue.alice.address;
    let kind = TriggerKind::StopLoss;
    Ok(venue
        .sandbox
        .execute_trigger(&venue.market, &victim, &venue.keeper, kind, &listed))
}

/// Each of the first makers bids for so many lots, each a tick lower.
pub fn bid(floor: &mut BookVenue, best_ticks: u64, lots: u64, makers: usize) -> Result<()> {
    let prices = (0..best_ticks).rev();
    for (maker, ticks) in floor.makers.iter().take(makers).zip(prices) {
        let args = limit(OrderSide::Bid, ticks, lots);
        let venue = &mut floor.venue;
        venue.sandbox.place_order(&venue.market, maker, args, &[])?;
    }
    Ok(())
}

/// Liquidations of a whole position of which each maker takes a twentieth, the liquidator the rest.
pub fn liquidations() -> Vec<Case> {
    let cases = [1, 5, 10].into_iter().map(|makers| {
        Case::new(
            &format!("liquidate/into-book-{makers:02}"),
            &format!(
                "everything, {} of the book, the rest taken over",
                maker_words(makers)
            ),
            Did::fills(makers),
            move |floor| liquidate(floor, makers),
        )
    });
    cases.collect()
}

fn liquidate(floor: &mut BookVenue, makers: usize) -> Result<TxResult> {
    floor.venue.open()?;
    bid(floor, LIQUIDATED - 10, u64::try_from(TEN)? / 20, makers)?;
    floor.venue.price(LIQUIDATED);
    let (listed, venue) = (floor.listed(makers), &mut floor.venue);
    let victim = venue.alice.address;
    let offer = Takeover::with_margin(100 * USD);
    Ok(venue
        .sandbox
        .liquidate_into_book(&venue.market, &victim, &venue.keeper, offer, &listed))
}
