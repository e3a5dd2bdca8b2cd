//! Parameters of markets: how they became what they are.

use super::read::Position;
use super::sql::{Line, Sql, StoreError, Value};
use super::write::{Markets, Tx};
use crate::parameters::Parameter;

/// A parameter that an event made or changed, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Signature of the transaction.
    pub signature: String,
    /// Where it stands in history.
    pub position: Position,
    /// Unix seconds, where the node knew.
    pub time: Option<i64>,
    /// Name of the event.
    pub event: String,
    /// Which.
    pub name: String,
    /// Its value before; `None` where it was made.
    pub before: Option<String>,
    /// Its value after.
    pub after: String,
    /// Whether its transaction is final.
    pub is_final: bool,
}

/// Stores one.
///
/// # Errors
/// Those of the database, as of every function here.
pub fn insert(
    sql: &mut dyn Sql,
    tx: &Tx,
    place: i64,
    markets: &Markets,
    parameter: &Parameter,
) -> Result<(), StoreError> {
    let market = markets.get(&parameter.market);
    sql.execute(
        "INSERT INTO parameter (signature, idx, sub, slot, place, time, event, market, name, before_value, after_value)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        &[
            tx.signature.as_str().into(),
            parameter.idx.into(),
            parameter.sub.into(),
            tx.slot.into(),
            place.into(),
            tx.time.into(),
            parameter.event.into(),
            market.map(|index| i64::from(*index)).into(),
            parameter.name.as_str().into(),
            parameter.before.clone().into(),
            parameter.after.as_str().into(),
        ],
    )?;
    Ok(())
}

/// Those of a market, the newest `most` before a place, the newest first: of one parameter where it is named.
pub fn of_market(
    sql: &mut dyn Sql,
    market: u16,
    name: Option<&str>,
    before: Option<Position>,
    most: u32,
) -> Result<Vec<Stored>, StoreError> {
    let before = before.unwrap_or(Position {
        slot: i64::MAX,
        place: 0,
        idx: 0,
        sub: 0,
    });
    let rows = sql.query(
        "SELECT p.signature, p.slot, p.place, p.idx, p.sub, p.time, p.event, p.name, p.before_value, p.after_value,
           tx.final
         FROM parameter AS p JOIN tx ON tx.signature = p.signature
         WHERE p.market = $1 AND (p.slot, p.place, p.idx, p.sub) < ($2, $3, $4, $5)
           AND (CAST($6 AS TEXT) IS NULL OR p.name = $6)
         ORDER BY p.slot DESC, p.place DESC, p.idx DESC, p.sub DESC LIMIT $7",
        &[
            Value::Int(market.into()),
            before.slot.into(),
            before.place.into(),
            before.idx.into(),
            before.sub.into(),
            name.map(str::to_owned).into(),
            most.into(),
        ],
    )?;
    Ok(rows.iter().map(stored).collect())
}

fn stored(row: &Line) -> Stored {
    let text = |index: usize| row.get(index).and_then(Value::text).map(str::to_owned);
    let number = |index: usize| row.get(index).and_then(Value::int);
    Stored {
        signature: text(0).unwrap_or_default(),
        position: Position {
            slot: number(1).unwrap_or_default(),
            place: number(2).unwrap_or_default(),
            idx: number(3).unwrap_or_default(),
            sub: number(4).unwrap_or_default(),
        },
        time: number(5),
        event: text(6).unwrap_or_default(),
        name: text(7).unwrap_or_default(),
        before: text(8),
        after: text(9).unwrap_or_default(),
        is_final: number(10) == Some(1),
    }
}
