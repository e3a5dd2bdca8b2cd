//! Everything the program stores against everything the model holds.

mod accounts;
mod book;
mod cross;
mod funds;
mod matches;
mod rounds;
mod sessions;

use std::fmt::Debug;

use anchor_lang::prelude::Pubkey;
use ballast_client::addresses;
use ballast_engine::units::Side;
use ballast_sandbox::{TxOutcome, TxResult};
use ballast_state::error::BallastError;
use ballast_state::events::AutoDeleveraged;
use ballast_state::events::BallastEvent;

use crate::model::{Effect, Model, Owned, Refusal, RoundMade, Verdict};
use crate::program::World;
pub use matches::matched;
pub use sessions::{opened, sessions};

/// What differs, or nothing.
pub type Agreement = Result<(), String>;

fn same<T: PartialEq + Debug>(what: &str, program: T, model: T) -> Agreement {
    if program == model {
        return Ok(());
    }
    Err(format!("{what}: program {program:?}, model {model:?}"))
}

fn all<T: PartialEq + Debug>(whose: &str, fields: &[(&str, T, T)]) -> Agreement {
    for (what, program, model) in fields {
        if program != model {
            let what = format!("{whose} {what}");
            return Err(format!("{what}: program {program:?}, model {model:?}"));
        }
    }
    Ok(())
}

/// The verdict, the error of a refusal, the cuts of a round.
pub fn verdicts(program: &TxResult, model: &Verdict<Effect>) -> Agreement {
    match (program, model) {
        (Ok(outcome), Ok(Effect::Round(round))) => rounds(outcome, round),
        (Ok(outcome), Ok(Effect::Passed)) => passed(outcome),
        (Ok(outcome), Ok(Effect::Paid(paid))) => funds::paid(outcome, paid),
        (Ok(_), Ok(Effect::State | Effect::Opened(_) | Effect::Matched(_))) => Ok(()),
        (Err(refused), Err(Refusal(number))) if refused.number == Some(*number) => Ok(()),
        (Err(refused), Err(Refusal(number))) => Err(format!(
            "refused otherwise: program {refused}, model {number} ({:?})",
            BallastError::of_number(*number).map(BallastError::name)
        )),
        (Ok(_), Err(Refusal(number))) => Err(format!(
            "the program accepts, the model refuses with {number} ({:?})",
            BallastError::of_number(*number).map(BallastError::name)
        )),
        (Err(refused), Ok(_)) => Err(format!("the model accepts, the program refuses: {refused}")),
    }
}

fn passed(outcome: &TxOutcome) -> Agreement {
    match outcome.events.as_slice() {
        [BallastEvent::AdlSessionClosed(closed)] if !closed.executed && closed.pass_opened => {
            Ok(())
        }
        other => Err(format!("events of a session without members: {other:?}")),
    }
}

/// The round, in one call or at the end of a session.
fn event(outcome: &TxOutcome) -> Result<&AutoDeleveraged, String> {
    match outcome.events.as_slice() {
        [BallastEvent::AutoDeleveraged(event)] => Ok(event),
        [BallastEvent::AutoDeleveraged(event), BallastEvent::AdlSessionClosed(closed)]
            if closed.executed && event.session == closed.session =>
        {
            Ok(event)
        }
        [BallastEvent::AutoDeleveraged(event), BallastEvent::CrossRound(_), ..] => Ok(event),
        other => Err(format!("events of a round: {other:?}")),
    }
}

fn rounds(outcome: &TxOutcome, round: &RoundMade) -> Agreement {
    let event = event(outcome)?;
    all(
        "round",
        &[
            (
                "close quote",
                i128::from(event.close_quote_atoms),
                round.close_quote,
            ),
            ("close lots", i128::from(event.close_lots), round.close_lots),
            ("lots", i128::from(event.lots_closed), round.lots),
            ("epoch", i128::from(event.epoch), i128::from(round.epoch)),
            (
                "pass opened",
                i128::from(event.pass_opened),
                i128::from(round.pass_opened),
            ),
            (
                "deficit",
                i128::from(event.deficit_before_atoms),
                round.deficit,
            ),
            (
                "paid",
                i128::from(event.insurance_paid_atoms + event.held_paid_atoms),
                round.paid,
            ),
            ("gave up", i128::from(event.gave_up_atoms), round.gave_up),
            (
                "deficit after",
                i128::from(event.deficit_after_atoms),
                round.deficit_after,
            ),
            ("reward", i128::from(event.reward_atoms), round.reward),
        ],
    )?;
    match &round.cross {
        Some(made) => rounds::cross(outcome, made)?,
        None => same("events", outcome.events.len() <= 2, true)?,
    }
    same("number of cuts", event.cuts.len(), round.cuts.len())
}

/// The trader of each cut, and all of its numbers.
pub fn cuts(world: &World, outcome: &TxOutcome, round: &RoundMade) -> Agreement {
    let event = event(outcome)?;
    for (place, (program, model)) in event.cuts.iter().zip(&round.cuts).enumerate() {
        let trader = world.addresses[model.trader];
        same("cut of", program.trader, trader)?;
        let signed = i128::from;
        let whose = format!("cut {place}");
        let before = &model.before;
        all(
            &whose,
            &[
                (
                    "sequence",
                    i128::from(program.sequence),
                    i128::from(model.sequence),
                ),
                ("lots before", signed(program.lots_before), before.lots),
                ("entry", signed(program.entry_quote_before), before.entry),
                ("margin", signed(program.margin_before), before.margin),
                (
                    "winner",
                    i128::from(program.winner),
                    i128::from(model.winner),
                ),
                ("lots", i128::from(program.lots_closed), model.lots),
                ("quote", signed(program.quote_atoms), model.quote),
                ("realized", signed(program.realized_atoms), model.realized),
                ("payout", signed(program.payout_atoms), model.payout),
                ("gave up", i128::from(program.gave_up_atoms), model.gave_up),
            ],
        )?;
    }
    Ok(())
}

/// Every balance, position, flag, queue and counter.
pub fn states(world: &World, model: &Model) -> Agreement {
    same("imbalance of the model", model.imbalance(), 0)?;
    exchange(world, model)?;
    for market in 0..model.markets.len() {
        ledgers(world, model, market)?;
        book::book(world, model, market)?;
        funds::funds(world, model, market)?;
        cross::market(world, model, market)?;
        for (sign, side) in [(1, Side::Long), (-1, Side::Short)] {
            queue(world, model, market, sign, side)?;
        }
    }
    for trader in 0..model.traders.len() {
        accounts::account(world, model, trader)?;
        accounts::protections(world, model, trader)?;
    }
    Ok(())
}

fn exchange(world: &World, model: &Model) -> Agreement {
    let exchange = world.sandbox.exchange();
    let tokens = |address: &Pubkey| i128::from(world.sandbox.token_balance(address));
    let open = model.traders.iter().flatten().count();
    all(
        "exchange",
        &[
            ("traders", i128::from(exchange.trader_count), to_i128(open)),
            ("vault", tokens(&addresses::collateral_vault()), model.vault),
        ],
    )?;
    for (wallet, held) in world.wallets.iter().zip(&model.wallets) {
        same("wallet", tokens(&wallet.tokens), *held)?;
    }
    Ok(())
}

fn ledgers(world: &World, model: &Model, number: usize) -> Agreement {
    let cookie = &world.markets[number];
    let (program, market) = (world.sandbox.market(cookie), &model.markets[number]);
    let vault = world.sandbox.token_balance(&cookie.insurance_vault);
    let (bid, ask) = model.impact_prices(number);
    let slot = world.sandbox.slot();
    let may_pay = program.insurance_available(slot);
    let paid = program.insurance_fund().paid(&program.risk, slot);
    let unsigned = i128::from;
    all(
        &format!("market {number}"),
        &[
            (
                "funding index",
                i128::from(program.funding.index.get()),
                market.funding.index,
            ),
            (
                "carry",
                unsigned(program.funding.carry),
                market.funding.carry,
            ),
            (
                "accrued until",
                i128::from(program.funding.last_timestamp),
                market.funding.until,
            ),
            (
                "sum of samples",
                i128::from(program.funding.rate_sum),
                market.funding.sum,
            ),
            (
                "rate",
                i128::from(program.funding.rate_ppm),
                market.funding.rate,
            ),
            ("impact bid", i128::from(program.funding.impact_bid), bid),
            ("impact ask", i128::from(program.funding.impact_ask), ask),
            (
                "last price",
                unsigned(program.last_price.ticks),
                unsigned(market.used.ticks),
            ),
            (
                "last confidence",
                unsigned(program.last_price.conf_ticks),
                unsigned(market.used.conf),
            ),
            (
                "last average",
                unsigned(program.last_price.ema_ticks),
                unsigned(market.used.ema),
            ),
            (
                "last time",
                i128::from(program.last_price.publish_time),
                i128::from(market.used.time),
            ),
            (
                "earlier price",
                unsigned(program.price_clock.earlier_ticks),
                unsigned(market.past.earlier),
            ),
            (
                "slot of the newest price",
                unsigned(program.price_clock.recorded_slot),
                unsigned(market.past.since),
            ),
            (
                "far from the average for",
                i128::from(program.price_clock.diverged_for),
                market.past.far_for,
            ),
            (
                "fast average of moves",
                unsigned(program.volatility.fast),
                market.volatility.fast,
            ),
            (
                "slow average of moves",
                unsigned(program.volatility.slow),
                market.volatility.slow,
            ),
            (
                "multiplier of margin",
                i128::from(program.volatility.multiplier_ppm),
                market.volatility.multiplier,
            ),
            (
                "price that counted",
                i128::from(program.volatility.counted_ticks),
                market.volatility.ticks,
            ),
            (
                "time of it",
                i128::from(program.volatility.counted_at),
                market.volatility.counted,
            ),
            (
                "time of the first",
                i128::from(program.volatility.since),
                market.volatility.since,
            ),
            (
                "insurance",
                unsigned(program.insurance.balance),
                market.insurance.balance,
            ),
            (
                "staked",
                unsigned(program.staked_atoms),
                market.insurance.staked,
            ),
            (
                "insurance may pay",
                unsigned(may_pay.expect("sound insurance")),
                market.insurance.available(&market.params, slot),
            ),
            (
                "insurance paid lately",
                unsigned(paid.expect("sound insurance")),
                market.insurance.paid(&market.params, slot),
            ),
            (
                "insurance limited",
                i128::from(program.insurance_limited),
                i128::from(market.insurance.limited),
            ),
            ("vault", unsigned(vault), market.vault),
            ("fees", unsigned(program.fees_atoms), market.fees),
            ("held", unsigned(program.held.atoms), market.held.atoms),
            (
                "held shares",
                unsigned(program.held.shares),
                market.held.shares,
            ),
            (
                "ledgers ended",
                i128::from(program.held.epoch),
                i128::from(market.held.epoch),
            ),
            (
                "open interest",
                unsigned(program.open_interest_lots),
                model.open_interest(number),
            ),
            (
                "bankruptcies",
                unsigned(program.bankruptcy_counter),
                unsigned(market.bankruptcies),
            ),
            (
                "rounds",
                unsigned(program.adl_rounds),
                unsigned(market.rounds),
            ),
            (
                "liquidations",
                unsigned(program.liquidations),
                unsigned(market.liquidations),
            ),
        ],
    )
}

fn queue(world: &World, model: &Model, number: usize, sign: i128, side: Side) -> Agreement {
    let snapshot = world.sandbox.queue(&world.markets[number], side);
    let program = snapshot.queue().expect("a queue");
    let market = &model.markets[number];
    let place = usize::from(side == Side::Short);
    let whose = format!("queue {number} {side:?}");
    let (header, expected) = (program.header(), model.queue(number, sign));
    all(
        &whose,
        &[
            ("length", i128::from(program.len()), to_i128(expected.len())),
            (
                "next sequence",
                i128::from(header.next_sequence),
                i128::from(market.next_sequence[place]),
            ),
            (
                "passes",
                i128::from(header.adl_epoch),
                i128::from(market.passes[place]),
            ),
            (
                "slot of the pass",
                i128::from(header.pass_opened_slot),
                i128::from(market.pass_slots[place]),
            ),
        ],
    )?;
    let session = market.sessions[place].as_ref();
    same(&whose, header.watch.is_active(), session.is_some())?;
    let blank = header.watch == bytemuck::Zeroable::zeroed();
    same(&whose, blank, session.is_none())?;
    for (step, (trader, owned)) in program.iter().zip(expected) {
        let (node, entry) = step.map_err(|error| format!("{whose}: {error:?}"))?;
        let address = Pubkey::new_from_array(entry.trader);
        same(&whose, address, world.addresses[trader])?;
        let slot = world.sandbox.position(&world.markets[number], &address);
        same(&whose, slot.map(|slot| slot.queue_node), Some(node))?;
        let member = session.is_some_and(|session| session.seen.has(owned.sequence));
        same(
            &format!("{whose} selects {trader}"),
            entry.is_selected(),
            member,
        )?;
        entry_of(&format!("{whose} trader {trader}"), entry, owned)?;
    }
    Ok(())
}

fn entry_of(whose: &str, entry: &ballast_engine::queue::QueueEntry, owned: &Owned) -> Agreement {
    let (entry_key, bankruptcy_key) = owned.keys();
    all(
        whose,
        &[
            ("lots", i128::from(entry.lots), owned.holding.size()),
            ("entry", i128::from(entry.entry_q32), entry_key),
            (
                "bankruptcy",
                i128::from(entry.bankruptcy_q32),
                bankruptcy_key,
            ),
            (
                "sequence",
                i128::from(entry.sequence),
                i128::from(owned.sequence),
            ),
            (
                "cut epoch",
                i128::from(entry.cut_epoch),
                i128::from(owned.stamp.epoch),
            ),
            ("cut lots", i128::from(entry.cut_lots), owned.stamp.lots),
            (
                "capped epoch",
                i128::from(entry.capped_epoch),
                i128::from(owned.stamp.capped_epoch),
            ),
        ],
    )
}

fn to_i128(count: usize) -> i128 {
    i128::try_from(count).expect("a small count")
}
