//! Transactions into the database.

use std::collections::{BTreeMap, BTreeSet};

use ballast_state::Pubkey;

use super::candles::{self, Touched};
use super::parameters;
use super::sql::{number, Sql, StoreError, Value};
use crate::entry::{Change, Entry, Kind, Moved};
use crate::parameters::Parameter;

/// A transaction of the program that went through, with what it says.
#[derive(Clone, Debug)]
pub struct Tx {
    /// Its signature.
    pub signature: String,
    /// Slot in which it landed.
    pub slot: u64,
    /// When, unix seconds, where the node knows.
    pub time: Option<i64>,
    /// Name and fields of each event.
    pub events: Vec<(&'static str, String)>,
    /// The lines of history.
    pub entries: Vec<Entry>,
    /// Parameters that it made or changed.
    pub parameters: Vec<Parameter>,
    /// What it did to positions and to the sums of markets.
    pub changes: Vec<Change>,
}

/// Numbers of markets.
pub type Markets = BTreeMap<Pubkey, u16>;

/// Names of the places that a history has been read to.
pub mod cursor {
    /// The newest transaction that is stored.
    pub const TIP: &str = "tip";
    /// The newest one that is final, and everything before it.
    pub const FINAL: &str = "final";
    /// The slot of it.
    pub const FINAL_SLOT: &str = "final_slot";
}

/// What is noted under a name.
///
/// # Errors
/// Those of the database, as of every function here.
pub fn noted(sql: &mut dyn Sql, name: &str) -> Result<Option<String>, StoreError> {
    let found = sql.query("SELECT value FROM meta WHERE name = $1", &[name.into()])?;
    let found = found.first().and_then(|row| row.first()?.text());
    Ok(found.map(str::to_owned))
}

/// Notes something under a name.
pub fn note(sql: &mut dyn Sql, name: &str, value: &str) -> Result<(), StoreError> {
    sql.execute(
        "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = $2",
        &[name.into(), value.into()],
    )?;
    Ok(())
}

/// Stores transactions, the oldest first, those that are there already not again; which are new.
pub fn store(
    sql: &mut dyn Sql,
    txs: &[Tx],
    markets: &Markets,
) -> Result<BTreeSet<String>, StoreError> {
    let mut new = BTreeSet::new();
    let mut touched = Touched::default();
    for tx in txs {
        let next = "SELECT COALESCE(MAX(place) + 1, 0) FROM tx WHERE slot = $1";
        let place = number(sql, next, &[tx.slot.into()])?.unwrap_or(0);
        let inserted = sql.execute(
            "INSERT INTO tx (signature, slot, place, time, final) VALUES ($1, $2, $3, $4, 0)
             ON CONFLICT DO NOTHING",
            &[
                tx.signature.as_str().into(),
                tx.slot.into(),
                place.into(),
                tx.time.into(),
            ],
        )?;
        if inserted == 0 {
            continue;
        }
        for (idx, (name, body)) in (0_u32..).zip(&tx.events) {
            sql.execute(
                "INSERT INTO event (signature, idx, name, body) VALUES ($1, $2, $3, $4)",
                &[
                    tx.signature.as_str().into(),
                    idx.into(),
                    (*name).into(),
                    body.as_str().into(),
                ],
            )?;
        }
        for entry in &tx.entries {
            let market = entry.market.and_then(|market| markets.get(&market));
            let market = market.map(|index| i64::from(*index));
            insert_entry(sql, tx, place, market, entry)?;
            if entry.kind == Kind::Fill.name() {
                touched.note(market, tx.time);
            }
        }
        for parameter in &tx.parameters {
            parameters::insert(sql, tx, place, markets, parameter)?;
        }
        for change in &tx.changes {
            insert_change(sql, &tx.signature, change)?;
        }
        new.insert(tx.signature.clone());
    }
    candles::renew(sql, &touched)?;
    Ok(new)
}

fn insert_entry(
    sql: &mut dyn Sql,
    tx: &Tx,
    place: i64,
    market: Option<i64>,
    entry: &Entry,
) -> Result<(), StoreError> {
    let key = |key: Option<Pubkey>| -> Value { key.map(|key| key.to_string()).into() };
    sql.execute(
        "INSERT INTO entry (signature, idx, sub, slot, place, time, kind, event, market, trader, other, side,
           lots, price_ticks, quote_atoms, fee_atoms, other_fee_atoms, amount_atoms, before_value, after_value,
           mark_ticks, number, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
           $21, $22, $23)",
        &[
            tx.signature.as_str().into(),
            entry.idx.into(),
            entry.sub.into(),
            tx.slot.into(),
            place.into(),
            tx.time.into(),
            entry.kind.into(),
            entry.event.into(),
            market.into(),
            key(entry.trader),
            key(entry.other),
            entry.side.into(),
            entry.lots.into(),
            entry.price_ticks.into(),
            entry.quote_atoms.into(),
            entry.fee_atoms.into(),
            entry.other_fee_atoms.into(),
            entry.amount_atoms.into(),
            entry.before.into(),
            entry.after.into(),
            entry.mark_ticks.into(),
            entry.number.clone().into(),
            entry.detail.into(),
        ],
    )?;
    Ok(())
}

fn insert_change(sql: &mut dyn Sql, signature: &str, change: &Change) -> Result<(), StoreError> {
    let mut values = [None; 4];
    let [before, after, moved, fees] = &mut values;
    match change.moved {
        Moved::FromTo(from, to) => (*before, *after) = (Some(from), Some(to)),
        Moved::To(to) => *after = Some(to),
        Moved::By(by) => *moved = Some(by),
        Moved::Fees(paid) => *fees = Some(paid),
        Moved::Unknown => {}
    }
    let trader = change.of.trader().map(ToString::to_string);
    sql.execute(
        "INSERT INTO change (signature, idx, sub, market, what, trader, before_value, after_value, moved, fees)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &[
            signature.into(),
            change.idx.into(),
            change.sub.into(),
            change.market.to_string().into(),
            change.of.name().into(),
            trader.unwrap_or_default().into(),
            values[0].into(),
            values[1].into(),
            values[2].into(),
            values[3].into(),
        ],
    )?;
    Ok(())
}

/// Takes a transaction out again: it was on a fork that was given up.
pub fn withdraw(sql: &mut dyn Sql, signature: &str) -> Result<(), StoreError> {
    let touched = fills_of(sql, signature)?;
    for statement in [
        "DELETE FROM change WHERE signature = $1",
        "DELETE FROM entry WHERE signature = $1",
        "DELETE FROM parameter WHERE signature = $1",
        "DELETE FROM event WHERE signature = $1",
        "DELETE FROM tx WHERE signature = $1",
    ] {
        sql.execute(statement, &[signature.into()])?;
    }
    candles::renew(sql, &touched)
}

/// Puts a transaction in another place of its slot.
pub fn replace(sql: &mut dyn Sql, signature: &str, place: i64) -> Result<(), StoreError> {
    let touched = fills_of(sql, signature)?;
    for statement in [
        "UPDATE tx SET place = $2 WHERE signature = $1",
        "UPDATE entry SET place = $2 WHERE signature = $1",
        "UPDATE parameter SET place = $2 WHERE signature = $1",
    ] {
        sql.execute(statement, &[signature.into(), place.into()])?;
    }
    candles::renew(sql, &touched)
}

/// Markets and times of a transaction's fills.
fn fills_of(sql: &mut dyn Sql, signature: &str) -> Result<Touched, StoreError> {
    let fills = sql.query(
        "SELECT market, time FROM entry WHERE signature = $1 AND kind = 'fill'",
        &[signature.into()],
    )?;
    let mut touched = Touched::default();
    for fill in &fills {
        let value = |index: usize| -> Option<i64> { fill.get(index)?.int() };
        touched.note(value(0), value(1));
    }
    Ok(touched)
}
