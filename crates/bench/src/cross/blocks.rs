//! Block trades of legs, amid filled cross queues.

use super::*;

/// A block trade of a leg with an isolated position, and with a leg.
pub(super) fn measure(floor: &Floor, queue: &str, meter: &mut Meter) -> Result<()> {
    let (at, terms) = (
        MARKETS - 1,
        BlockTrade {
            lots: TEN,
            price_ticks: START,
            taker_margin: 0,
            maker_margin: 500 * USD,
        },
    );
    for (name, words, legs) in [
        ("isolated", "an isolated position", [true, false]),
        ("leg", "a leg of as many", [true, true]),
    ] {
        for (act, close) in [("open", false), ("close", true)] {
            let name = format!("block_trade_cross/{act}-{MARKETS}-legs-{name}/{queue}");
            meter.measure(&name, || {
                let mut floor = floor.fork();
                let (alice, queues) = (floor.alice.clone(), floor.queues(MARKETS));
                floor.legs(MARKETS - 1)?;
                let maker = match legs {
                    [_, true] => floor.with_legs(MARKETS - 1)?,
                    _ => floor.bob.clone(),
                };
                let parties = [&alice, &maker];
                for (one, _) in parties.iter().zip(legs).filter(|(_, leg)| *leg) {
                    let more = i64::try_from(110 * USD)?;
                    floor.sandbox.move_cross(one, more, &[])?;
                }
                let market = floor.markets[at].0.clone();
                let mut traded = terms;
                if close {
                    let sandbox = &mut floor.sandbox;
                    sandbox.block_trade_cross(&market, parties, terms, legs, &queues)?;
                    (traded.lots, traded.maker_margin) = (-TEN, 0);
                }
                floor.prices(START)?;
                let sandbox = &mut floor.sandbox;
                let traded = sandbox.block_trade_cross(&market, parties, traded, legs, &queues);
                let act = if close { "closes" } else { "opens" };
                Figure::of(
                    &format!("one of {MARKETS} legs {act}, with {words}"),
                    traded,
                )
            })?;
        }
    }
    Ok(())
}
