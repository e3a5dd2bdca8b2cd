//! Keepers that cheat, played against a real bankruptcy. Each call must fail by its own error and
//! leave every account as it was, byte for byte.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use ballast_engine::liquidation::{health, Health};
use ballast_engine::position::Position;
use ballast_engine::units::Side;
use ballast_report::model::{Dishonest, DishonestCase};
use ballast_risk::prices::PricePoint;
use ballast_sandbox::outcome::TxResult;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs, SelfTrade};
use ballast_state::Pubkey;

use super::diary::Occasion;
use super::stage::{engine, Stage};

/// How far the price recovers for a moment, per cent.
const RECOVERY_PERCENT: i64 = 45;

/// One way of cheating.
struct Attempt {
    what: &'static str,
    error: &'static str,
    bankrupt: Pubkey,
    list: Vec<Pubkey>,
}

/// Everything of an account that a program may change.
type State = (u64, Vec<u8>, Pubkey);

/// Plays every case on the occasion's copy of the exchange.
pub fn play(mut occasion: Occasion, setting: String) -> Result<Dishonest> {
    let forged = forge(&mut occasion)?;
    let (mut cases, mut left_out) = (Vec::new(), Vec::new());
    let mut tried = attempts(&occasion, forged)?;
    match bystander(&occasion)? {
        Some(bystander) => tried.extend(with_bystander(&occasion, bystander)),
        None => left_out.extend(
            WITH_BYSTANDER
                .map(|(what, _)| format!("{what}: nobody on the bankrupt's side is healthy")),
        ),
    }
    for attempt in tried {
        cases.push(try_it(&mut occasion.stage, &attempt, forged)?);
    }
    cases.push(while_insurance_pays(&occasion, forged)?);
    cases.extend(while_book_absorbs(&occasion, forged)?);
    cases.extend(past_better_order(&occasion, forged)?);
    let honest_call_accepted =
        send(&mut occasion.stage, &occasion.bankrupt, &occasion.list).is_ok();
    Ok(Dishonest {
        setting,
        cases,
        left_out,
        honest_call_accepted,
    })
}

fn send(stage: &mut Stage, bankrupt: &Pubkey, list: &[Pubkey]) -> TxResult {
    let (market, keeper) = (stage.market.clone(), stage.deleverager.clone());
    stage
        .sandbox
        .auto_deleverage(&market, bankrupt, &keeper, list)
}

/// The cases that need somebody healthy on the bankrupt's side.
const WITH_BYSTANDER: [(&str, &str); 2] = [
    ("list a trader of the same side", "AdlNothingCut"),
    ("list a healthy account as the bankrupt", "NotBankrupt"),
];

/// The same as attempts.
fn with_bystander(occasion: &Occasion, bystander: Pubkey) -> [Attempt; 2] {
    let [(same_side, nothing_cut), (healthy, not_bankrupt)] = WITH_BYSTANDER;
    [
        Attempt {
            what: same_side,
            error: nothing_cut,
            bankrupt: occasion.bankrupt,
            list: vec![bystander],
        },
        Attempt {
            what: healthy,
            error: not_bankrupt,
            bankrupt: bystander,
            list: occasion.list.clone(),
        },
    ]
}

/// The other cases that differ in their accounts.
fn attempts(occasion: &Occasion, forged: Pubkey) -> Result<Vec<Attempt>> {
    let honest = &occasion.list;
    let first = *honest.first().context("an honest list is not empty")?;
    let with_first = |trader: Pubkey| -> Vec<Pubkey> {
        std::iter::once(trader)
            .chain(honest.iter().copied())
            .collect()
    };
    let attempt = |what, error, list| Attempt {
        what,
        error,
        bankrupt: occasion.bankrupt,
        list,
    };
    Ok(vec![
        attempt(
            "skip the trader at the top",
            "AdlSkippedCounterparty",
            without_top(occasion),
        ),
        attempt("swap two", "AdlListOutOfOrder", occasion.swapped.clone()),
        attempt("repeat one", "AdlDuplicateCounterparty", with_first(first)),
        attempt(
            "list the bankrupt itself",
            "AdlBankruptInList",
            with_first(occasion.bankrupt),
        ),
        attempt(
            "list a copy of the top trader owned by another program",
            "AdlForeignAccount",
            {
                let mut list = honest.clone();
                list[0] = forged;
                list
            },
        ),
    ])
}

/// The honest list without its head; with a tolerance, only the trader it cannot excuse: the last.
fn without_top(occasion: &Occasion) -> Vec<Pubkey> {
    let exact = occasion.stage.risk.adl.rank_tolerance_bps == 0;
    match occasion.ranked.last() {
        Some(last) if !exact || occasion.list.len() < 2 => vec![*last],
        _ => occasion.list[1..].to_vec(),
    }
}

/// The healthiest trader on the bankrupt's side; `None` where nobody is healthy there.
fn bystander(occasion: &Occasion) -> Result<Option<Pubkey>> {
    let stage = &occasion.stage;
    let mark = stage.mark()?;
    let side = stage
        .open_position(&occasion.bankrupt)?
        .and_then(|open| open.position.side());
    let mut healthiest: Option<(i64, Pubkey)> = None;
    for open in stage.open_positions()? {
        let sound = health(&open.position, mark, &stage.risk).map_err(engine)? == Health::Healthy;
        let equity = open.position.equity(mark).map_err(engine)?.get();
        let better = healthiest.is_none_or(|(most, _)| equity > most);
        if sound && better && open.position.side() == side && open.trader != occasion.bankrupt {
            healthiest = Some((equity, open.trader));
        }
    }
    Ok(healthiest.map(|(_, trader)| trader))
}

/// Stores the top trader's bytes in an account of another program.
fn forge(occasion: &mut Occasion) -> Result<Pubkey> {
    let stage = &mut occasion.stage;
    let top = occasion
        .list
        .first()
        .context("an honest list is not empty")?;
    let mut account = stage
        .sandbox
        .account(top)
        .context("the top trader exists")?;
    account.owner = stage.sandbox.token_program();
    let forged = Pubkey::find_program_address(&[b"forged", top.as_ref()], &account.owner).0;
    stage.sandbox.set_account(&forged, account);
    Ok(forged)
}

/// The last case: the same call after somebody has donated the deficit.
fn while_insurance_pays(occasion: &Occasion, forged: Pubkey) -> Result<DishonestCase> {
    let mut stage = occasion.stage.fork();
    let donor = stage.sandbox.create_wallet(occasion.deficit)?;
    let market = stage.market.clone();
    stage
        .sandbox
        .donate_insurance(&market, &donor, occasion.deficit)?;
    let attempt = Attempt {
        what: "call while insurance can still pay",
        error: "InsuranceCanPay",
        bankrupt: occasion.bankrupt,
        list: occasion.list.clone(),
    };
    try_it(&mut stage, &attempt, forged)
}

fn try_it(stage: &mut Stage, attempt: &Attempt, forged: Pubkey) -> Result<DishonestCase> {
    let call = |stage: &mut Stage| send(stage, &attempt.bankrupt, &attempt.list);
    try_call(stage, attempt.what, attempt.error, forged, call)
}

fn try_call(
    stage: &mut Stage,
    what: &str,
    expected: &str,
    forged: Pubkey,
    call: impl FnOnce(&mut Stage) -> TxResult,
) -> Result<DishonestCase> {
    let before = everything(stage, forged);
    let error = match call(stage) {
        Ok(_) => String::new(),
        Err(error) => error.name.clone().unwrap_or_else(|| error.to_string()),
    };
    let after = everything(stage, forged);
    let all: BTreeSet<&Pubkey> = before.keys().chain(after.keys()).collect();
    Ok(DishonestCase {
        attempt: what.to_owned(),
        expected_error: expected.to_owned(),
        error,
        accounts_compared: all.len(),
        accounts_changed: all
            .iter()
            .filter(|key| before.get(**key) != after.get(**key))
            .count(),
    })
}

/// The honest list while an order waits in the book that closes lots without a loss to anybody;
/// none where the price band keeps every such order out.
fn while_book_absorbs(occasion: &Occasion, forged: Pubkey) -> Result<Option<DishonestCase>> {
    let mut stage = occasion.stage.fork();
    let open = stage.open_position(&occasion.bankrupt)?;
    let position = open.context("the bankrupt has a position")?.position;
    let value = position.bankruptcy_value();
    let worth = u64::try_from(value.unsigned_abs())? / stage.units.atoms_per_lot_tick;
    let per_lot = match position.side().context("the bankrupt has a side")? {
        Side::Long => worth.div_ceil(position.size()),
        Side::Short => worth / position.size(),
    };
    if value <= 0 || !order_at(&mut stage, position, per_lot)? {
        return Ok(None);
    }
    let what = "deleverage while the book can absorb";
    let call = |stage: &mut Stage| send(stage, &occasion.bankrupt, &occasion.list);
    try_call(&mut stage, what, "BookCanAbsorb", forged, call).map(Some)
}

/// A liquidation that lists no makers while somebody bids the mark for the bankrupt's lots, after
/// somebody has donated the deficit; none when the position stays unhealthy where it should recover.
fn past_better_order(occasion: &Occasion, forged: Pubkey) -> Result<Option<DishonestCase>> {
    let mut stage = occasion.stage.fork();
    if !flagged_anew(&mut stage, &occasion.bankrupt)? {
        return Ok(None);
    }
    let open = stage.open_position(&occasion.bankrupt)?;
    let position = open.context("the bankrupt has a position")?.position;
    let (market, mark) = (stage.market.clone(), stage.ticks()?);
    if !order_at(&mut stage, position, mark)? {
        return Ok(None);
    }
    let donor = stage.sandbox.create_wallet(2 * occasion.deficit)?;
    stage
        .sandbox
        .donate_insurance(&market, &donor, 2 * occasion.deficit)?;
    let notional = position.notional(stage.mark()?).map_err(engine)?;
    let keeper = stage.sandbox.create_trader(notional)?;
    let what = "liquidate past a better order of the book";
    let call = |stage: &mut Stage| {
        let bankrupt = &occasion.bankrupt;
        stage
            .sandbox
            .liquidate(&market, bankrupt, &keeper, notional / 2)
    };
    try_call(&mut stage, what, "LiquidationSkipsBook", forged, call).map(Some)
}

/// Lets the price recover for a moment, so that the position was never flagged when it comes back:
/// whoever has been flagged for long may be liquidated past the book.
fn flagged_anew(stage: &mut Stage, trader: &Pubkey) -> Result<bool> {
    let before = stage.now();
    let open = stage.open_position(trader)?.context("a position")?;
    let percent = match open.position.side() {
        Some(Side::Short) => 100 - RECOVERY_PERCENT,
        _ => 100 + RECOVERY_PERCENT,
    };
    for (seconds, price_nano) in [
        (1, before.price_nano / 100 * percent),
        (2, before.price_nano),
    ] {
        stage.publish(PricePoint {
            timestamp: before.timestamp + seconds,
            price_nano,
        })?;
        let market = stage.market.clone();
        if seconds == 1 && stage.sandbox.flag_bankruptcy(&market, trader).is_err() {
            return Ok(false);
        }
    }
    let open = stage.open_position(trader)?.context("a position")?;
    Ok(open.distress.flagged_slot == 0)
}

/// Clears the book of the market makers' orders and leaves one of somebody rich, at `price_ticks`,
/// that would take lots of `position`; `false` when the price band keeps it out.
fn order_at(stage: &mut Stage, position: Position, price_ticks: u64) -> Result<bool> {
    let market = stage.market.clone();
    for maker in stage.makers.clone() {
        let slot = stage.sandbox.position(&market, &maker.address);
        if slot.is_some_and(|slot| slot.order_count > 0) {
            stage.sandbox.cancel_all_orders(&market, &maker, None)?;
        }
    }
    let side = position.side().context("the bankrupt has a side")?;
    let price = price_ticks * stage.units.atoms_per_lot_tick;
    let least = stage.sandbox.market(&market).least_order_atoms();
    let lots = stage.risk.min_position_lots.max(least.div_ceil(price));
    let worth = stage.mark()?.notional(lots).map_err(engine)?;
    let rich = stage.sandbox.create_trader(2 * worth)?;
    let args = PlaceOrderArgs {
        side: side.into(),
        kind: OrderKind::PostOnly,
        price_ticks,
        lots,
        margin: 0,
        client_id: 0,
        expires_at: 0,
        reduce_only: false,
        self_trade: SelfTrade::Abort,
    };
    match stage.sandbox.place_order(&market, &rich, args, &[]) {
        Ok(_) => Ok(true),
        Err(error) if error.is("PriceOutsideBand") => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Every account of the program and of the token program, the price and the forged account.
fn everything(stage: &Stage, forged: Pubkey) -> BTreeMap<Pubkey, State> {
    let mut all = BTreeMap::new();
    for program in [ballast_state::ID, stage.sandbox.token_program()] {
        for (key, account) in stage.sandbox.accounts_of(&program) {
            all.insert(key, (account.lamports, account.data, account.owner));
        }
    }
    for key in [forged, stage.market.keys.price] {
        if let Some(account) = stage.sandbox.account(&key) {
            all.insert(key, (account.lamports, account.data, account.owner));
        }
    }
    all
}
