//! Every session of the program against what the model has frozen and what it promises.

use ballast_engine::units::Side;
use ballast_sandbox::TxOutcome;
use ballast_state::events::BallastEvent;

use super::{all, same, Agreement};
use crate::model::{Model, Opened, Session};
use crate::program::{seen, World};

/// What the opening of a session says of itself.
pub fn opened(outcome: &TxOutcome, model: &Model, opened: &Opened) -> Agreement {
    let [BallastEvent::AdlSessionOpened(event)] = outcome.events.as_slice() else {
        return Err(format!("events of a session: {:?}", outcome.events));
    };
    let session = model.session(opened.market, opened.side);
    let unsigned = i128::from;
    all(
        "opened session",
        &[
            ("deficit", unsigned(event.deficit_atoms), opened.deficit),
            ("insured", unsigned(event.insured_atoms), opened.insured),
            ("wanted", unsigned(event.wanted_lots), session.wanted),
            (
                "close quote",
                i128::from(event.close_quote_atoms),
                session.position.bankruptcy() - session.position.sign() * session.insured,
            ),
            (
                "close lots",
                unsigned(event.close_lots),
                session.position.size(),
            ),
        ],
    )
}

/// Compares all sessions, judges their selections, and shows these to the model.
pub fn sessions(world: &mut World, model: &mut Model) -> Agreement {
    for market in 0..model.markets.len() {
        for (place, side) in [Side::Long, Side::Short].into_iter().enumerate() {
            let whose = format!("session of queue {market} {side:?}");
            if model.markets[market].sessions[place].is_some() {
                under_way(world, model, market, place, side)
                    .map_err(|difference| format!("{whose}: {difference}"))?;
            } else if let Some(keys) = world.sessions.remove(&(market, place)) {
                let account = world.sandbox.account(&keys.session);
                let gone = account.is_none_or(|account| account.data.is_empty());
                same(&whose, gone, true)?;
            }
        }
    }
    Ok(())
}

fn under_way(
    world: &World,
    model: &mut Model,
    market: usize,
    place: usize,
    side: Side,
) -> Agreement {
    let Some(keys) = world.sessions.get(&(market, place)) else {
        return Err("the program has none".into());
    };
    let stored = world.sandbox.adl_session(keys);
    let snapshot = world.sandbox.queue(&world.markets[market], side);
    let watch = snapshot.queue().expect("a queue").header().watch;
    same("watched", watch.session, keys.session.to_bytes())?;
    let session = model.session(market, place);
    frozen(&stored, session)?;
    let round = watch.round(side).map_err(|error| format!("{error:?}"))?;
    let adl = &model.markets[market].params.adl;
    all(
        "watched",
        &[
            ("mark", i128::from(round.mark.get()), session.mark),
            (
                "close quote",
                i128::from(round.close.quote),
                session.position.bankruptcy() - session.position.sign() * session.insured,
            ),
            (
                "close lots",
                i128::from(round.close.lots),
                session.position.size(),
            ),
            (
                "index",
                i128::from(round.funding_index.get()),
                session.position.index,
            ),
            ("pass", i128::from(round.epoch), i128::from(session.epoch)),
            (
                "cap",
                i128::from(round.max_close_bps),
                i128::from(adl.max_close_bps),
            ),
            (
                "least profit",
                i128::from(round.min_profit_bps),
                i128::from(adl.min_profit_bps),
            ),
            (
                "sequence limit",
                i128::from(watch.sequence_limit),
                i128::from(session.limit),
            ),
        ],
    )?;
    let seen = seen(&stored, watch.is_complete());
    model.judge(market, place, &seen)?;
    let session = model.markets[market].sessions[place].as_mut();
    session.expect("a session").seen = seen;
    Ok(())
}

fn frozen(stored: &ballast_state::adl_session::AdlSession, session: &Session) -> Agreement {
    let position = &session.position;
    all(
        "stored",
        &[
            ("lots", i128::from(stored.lots), position.lots),
            ("entry", i128::from(stored.entry_quote), position.entry),
            ("margin", i128::from(stored.margin), position.margin),
            (
                "wanted",
                i128::from(stored.selection.wanted),
                session.wanted,
            ),
            (
                "bankruptcy",
                i128::from(stored.bankruptcy_id),
                i128::from(session.bankruptcy_id),
            ),
            (
                "last slot",
                i128::from(stored.expires_slot),
                i128::from(session.expires),
            ),
        ],
    )
}
