//! Trader accounts with their positions.

use ballast_client::accounts;
use ballast_engine::held::HeldClaim;
use ballast_state::position_slot::PositionSlot;

use super::{all, book, cross, same, to_i128, Agreement};
use crate::model::{Distress, Holding, Model, Owned, Protection, Trader};
use crate::operation::Step;
use crate::program::World;

/// An account, open or not.
pub fn account(world: &World, model: &Model, number: usize) -> Agreement {
    let address = &world.addresses[number];
    let stored = world.sandbox.account(address);
    let open = stored.is_some_and(|account| account.owner == ballast_state::ID);
    let whose = format!("trader {number}");
    let Some(trader) = &model.traders[number] else {
        return same(&whose, open, false);
    };
    same(&whose, open, true)?;
    let program = world.sandbox.trader(address);
    same(
        &format!("{whose} is sound"),
        program.invariant().is_ok(),
        true,
    )?;
    let markets = 0..model.markets.len();
    let used = |market: &usize| model.uses(*market, number) || model.leg(*market, number).is_some();
    let count = markets.filter(used).count();
    all(
        &whose,
        &[
            ("free", i128::from(program.free), trader.free),
            (
                "leave to block-trade",
                i128::from(program.delegate_flags),
                i128::from(trader.block_trades),
            ),
            (
                "positions",
                i128::from(program.position_count),
                to_i128(count),
            ),
        ],
    )?;
    cross::account(world, &whose, &program, trader)?;
    let delegate = trader.delegate.map(|one| world.wallets[one].address());
    let delegate = delegate.unwrap_or_default();
    same(&format!("{whose} delegate"), program.delegate, delegate)?;
    for (market, owned) in trader.positions.iter().enumerate() {
        let index = program.find(&world.markets[market].keys.market);
        let slot = index.map(|index| &program.positions[index]);
        book::orders(world, model, market, number, slot)?;
        profit(&format!("{whose} market {market}"), slot, trader, market)?;
        match (slot.filter(|slot| slot.lots != 0), owned) {
            (None, None) => {}
            (Some(slot), Some(owned)) => {
                position(&format!("{whose} market {market}"), slot, owned)?;
                book::triggers(&format!("{whose} market {market}"), slot, &owned.triggers)?;
            }
            (slot, owned) => {
                return Err(format!(
                    "{whose} market {market}: {slot:?}, model {owned:?}"
                ));
            }
        }
    }
    Ok(())
}

/// Accounts for protective steps of a trader, whose own account may be closed.
pub fn protections(world: &World, model: &Model, trader: usize) -> Agreement {
    for market in 0..model.markets.len() {
        let stored = world.sandbox.account(&world.protections[market][trader]);
        let stored = stored.filter(|account| account.owner == ballast_state::ID);
        let stored = stored.map(|account| {
            let program = accounts::protection(&account.data).expect("an account for steps");
            let steps = program.steps().iter().map(|step| Step {
                ratio: step.ratio_bps,
                keep: step.keep_bps,
            });
            Protection {
                steps: steps.collect(),
                slip: program.slip_bps,
                lots: program.base_lots.into(),
                sequence: program.sequence,
            }
        });
        let whose = format!("trader {trader} market {market} protective steps");
        same(&whose, stored.as_ref(), model.protection(market, trader))?;
    }
    Ok(())
}

/// What was put in, and the part of the profit that the market holds.
fn profit(whose: &str, slot: Option<&PositionSlot>, trader: &Trader, market: usize) -> Agreement {
    let (paid_in, claim) = slot.map_or((0, HeldClaim::default()), |slot| {
        (slot.paid_in, slot.held_claim())
    });
    let expected = trader.claims[market];
    all(
        whose,
        &[
            ("paid in", i128::from(paid_in), trader.put_in[market]),
            ("shares", i128::from(claim.shares), expected.shares),
            ("held in", i128::from(claim.slot), i128::from(expected.slot)),
            (
                "ledger",
                i128::from(claim.epoch),
                i128::from(expected.epoch),
            ),
        ],
    )
}

fn position(whose: &str, slot: &PositionSlot, owned: &Owned) -> Agreement {
    claims(whose, slot, &owned.holding, &owned.distress)
}

/// Lots, money and what is remembered of trouble.
pub fn claims(
    whose: &str,
    slot: &PositionSlot,
    holding: &Holding,
    distress: &Distress,
) -> Agreement {
    let unsigned = i128::from;
    all(
        whose,
        &[
            ("lots", i128::from(slot.lots), holding.lots),
            ("entry", i128::from(slot.entry_quote), holding.entry),
            ("margin", i128::from(slot.margin), holding.margin),
            ("index", i128::from(slot.funding_index), holding.index),
            (
                "flagged slot",
                unsigned(slot.flagged_slot),
                unsigned(distress.flagged_slot),
            ),
            (
                "bankrupt slot",
                unsigned(slot.bankrupt_slot),
                unsigned(distress.bankrupt_slot),
            ),
            (
                "seen",
                unsigned(slot.seen_slot),
                unsigned(distress.seen_slot),
            ),
            ("deficit", unsigned(slot.flagged_deficit), distress.deficit),
            (
                "last step",
                unsigned(slot.last_step_slot),
                unsigned(distress.last_step_slot),
            ),
            (
                "bankruptcy",
                unsigned(slot.bankruptcy_id),
                unsigned(distress.bankruptcy_id),
            ),
            (
                "pass",
                i128::from(slot.pass_epoch),
                i128::from(distress.pass_epoch),
            ),
            (
                "bankrupt lots",
                i128::from(slot.bankrupt_lots),
                distress.bankrupt_lots,
            ),
            ("step left", i128::from(slot.step_left), distress.step_left),
        ],
    )
}
