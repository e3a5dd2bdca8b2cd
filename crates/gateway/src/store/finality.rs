//! What is final: the order within its slot, and whether the changes of positions and of other sums join.

use ballast_engine::fees::split;
use ballast_engine::risk::RiskParams;
use ballast_engine::units::Atoms;

use super::sql::{number, Line, Sql, StoreError, Value};
use super::write::{self, cursor};
use crate::entry;

/// A transaction that is final, in the order of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Final {
    /// Its signature.
    pub signature: String,
    /// Its slot.
    pub slot: u64,
}

/// Slots that are listed again: a node may list a transaction later than one that landed after it.
const AGAIN: u64 = 32;

/// Takes over that these transactions are final, up to the slot `root`: all of their slots, the oldest first,
/// all of them stored.
///
/// # Errors
/// Those of the database, as of every function here.
pub fn settle(sql: &mut dyn Sql, all: &[Final], root: u64) -> Result<(), StoreError> {
    let (mut slot, mut place) = (None, 0_i64);
    for one in all {
        place = match slot == Some(one.slot) {
            true => place + 1,
            false => 0,
        };
        slot = Some(one.slot);
        let known = "SELECT place FROM tx WHERE signature = $1";
        let known = number(sql, known, &[one.signature.as_str().into()])?;
        if known.is_some_and(|known| known != place) {
            write::replace(sql, &one.signature, place)?;
        }
        let done = "UPDATE tx SET final = 1 WHERE signature = $1 AND final = 0";
        if sql.execute(done, &[one.signature.as_str().into()])? > 0 {
            join(sql, one)?;
        }
    }
    // The last of its slot, so that the next list begins with a slot.
    let behind = all.iter().rev().find(|one| one.slot + AGAIN <= root);
    if let Some(behind) = behind {
        write::note(sql, cursor::FINAL, &behind.signature)?;
    }
    write::note(sql, cursor::FINAL_SLOT, &root.to_string())
}

/// Joins the changes of a transaction to those before.
fn join(sql: &mut dyn Sql, tx: &Final) -> Result<(), StoreError> {
    let changes = sql.query(
        "SELECT idx, sub, market, what, trader, before_value, after_value, moved, fees FROM change
         WHERE signature = $1 ORDER BY idx, sub",
        &[tx.signature.as_str().into()],
    )?;
    for change in &changes {
        join_one(sql, tx, change)?;
    }
    let done = "DELETE FROM change WHERE signature = $1";
    sql.execute(done, &[tx.signature.as_str().into()])?;
    Ok(())
}

fn join_one(sql: &mut dyn Sql, tx: &Final, change: &Line) -> Result<(), StoreError> {
    let at = |index: usize| change.get(index).cloned().unwrap_or(Value::Null);
    let (market, what, trader) = (at(2), at(3), at(4));
    let key = [market.clone(), what.clone(), trader.clone()];
    let is_position = what.text() == Some(entry::POSITION);
    // A position that nobody has told of is none.
    let known = value_of(sql, &key)?.or(is_position.then_some(0));
    let apart = known
        .zip(at(5).int())
        .filter(|(known, before)| known != before);
    if let Some((known, before)) = apart {
        sql.execute(
            "INSERT INTO hole (signature, idx, sub, what, market, trader, slot, expected, found)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
            &[
                tx.signature.as_str().into(),
                at(0),
                at(1),
                what,
                market.clone(),
                trader,
                tx.slot.into(),
                known.into(),
                before.into(),
            ],
        )?;
    }
    let moved = match at(8).int() {
        Some(fees) => insurance_part(sql, &market, fees)?,
        None => at(7).int(),
    };
    let by = || known?.checked_add(moved?);
    match at(6).int().or_else(by) {
        Some(value) if !(is_position && value == 0) => {
            let [market, what, trader] = key;
            sql.execute(
                "INSERT INTO standing (market, what, trader, value) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (market, what, trader) DO UPDATE SET value = $4",
                &[market, what, trader, value.into()],
            )?;
        }
        _ => {
            let gone = "DELETE FROM standing WHERE market = $1 AND what = $2 AND trader = $3";
            sql.execute(gone, &key)?;
        }
    }
    Ok(())
}

/// What history leads to; `None` where it does not say.
fn value_of(sql: &mut dyn Sql, key: &[Value; 3]) -> Result<Option<i64>, StoreError> {
    let known = "SELECT value FROM standing WHERE market = $1 AND what = $2 AND trader = $3";
    number(sql, known, key)
}

/// The part of `fees` atoms that insurance gets, as the market's parameters have it by now; `None` where they are not
/// known.
fn insurance_part(sql: &mut dyn Sql, market: &Value, fees: i64) -> Result<Option<i64>, StoreError> {
    let key = [market.clone(), entry::FEE_SHARE.into(), "".into()];
    let share = value_of(sql, &key)?.and_then(|share| u32::try_from(share).ok());
    let part = |insurance_fee_share_bps| {
        let params = RiskParams {
            insurance_fee_share_bps,
            ..RiskParams::default()
        };
        let parts = split(&params, Atoms::new(fees)).ok()?;
        i64::try_from(parts.insurance).ok()
    };
    Ok(share.and_then(part))
}

/// Transactions up to a slot that are not final: by now they should be, or were on a fork that was given up.
pub fn lingering(sql: &mut dyn Sql, slot: u64) -> Result<Vec<String>, StoreError> {
    let found = sql.query(
        "SELECT signature FROM tx WHERE final = 0 AND slot <= $1 ORDER BY slot, place",
        &[slot.into()],
    )?;
    let found = found
        .iter()
        .filter_map(|row| row.first()?.text().map(str::to_owned));
    Ok(found.collect())
}

/// Something in which history does not join.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Hole {
    /// What does not: `position`, `insurance_atoms`, `insurance_fee_share_bps`, `funding_index`, `settlement_atoms`,
    /// `mode`, or a counter of the market.
    pub what: String,
    /// The market.
    pub market: Option<String>,
    /// The trader account of a position.
    pub trader: Option<String>,
    /// The transaction that begins elsewhere than the one before ended; empty for a counter.
    pub signature: String,
    /// Its slot.
    pub slot: u64,
    /// What history leads to.
    pub expected: String,
    /// What the chain says.
    pub found: String,
}

/// The newest holes, and how many there are.
pub fn holes(sql: &mut dyn Sql, most: u32) -> Result<(Vec<Hole>, i64), StoreError> {
    let rows = sql.query(
        "SELECT what, market, trader, signature, slot, expected, found FROM hole
         ORDER BY slot DESC, signature, idx, sub LIMIT $1",
        &[most.into()],
    )?;
    let holes = rows.iter().map(|row| {
        let text = |index: usize| row.get(index).and_then(Value::text).map(str::to_owned);
        let number = |index: usize| row.get(index).and_then(Value::int).unwrap_or(0);
        Hole {
            what: text(0).unwrap_or_default(),
            market: text(1),
            trader: text(2).filter(|trader| !trader.is_empty()),
            signature: text(3).unwrap_or_default(),
            slot: u64::try_from(number(4)).unwrap_or(0),
            expected: number(5).to_string(),
            found: number(6).to_string(),
        }
    });
    let all = number(sql, "SELECT COUNT(*) FROM hole", &[])?.unwrap_or(0);
    Ok((holes.collect(), all))
}

/// Which of these are not stored.
pub fn missing(sql: &mut dyn Sql, all: &[Final]) -> Result<Vec<Final>, StoreError> {
    let mut missing = Vec::new();
    for one in all {
        let known = "SELECT slot FROM tx WHERE signature = $1";
        if number(sql, known, &[one.signature.as_str().into()])?.is_none() {
            missing.push(one.clone());
        }
    }
    Ok(missing)
}

/// What history says of a market up to a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Liquidations.
    pub liquidations: i64,
    /// Rounds of deleveraging.
    pub rounds: i64,
    /// Sum of the long lots.
    pub open_interest: i64,
    /// Sum of the short lots.
    pub short_lots: i64,
    /// Atoms of insurance; `None` of a market that has ended, and where history does not say.
    pub insurance: Option<i64>,
    /// [`Sum::Settlement`](entry::Sum::Settlement); `None` of a market that has not ended, and where history does not
    /// say.
    pub settlement: Option<i64>,
    /// Number of the mode; `None` where history does not say.
    pub mode: Option<i64>,
}

/// What history says of the market with this number and address, as far as it is final: up to slot `root`.
pub fn counted(
    sql: &mut dyn Sql,
    index: u16,
    market: &str,
    root: u64,
) -> Result<Counted, StoreError> {
    let of_kind = "SELECT COUNT(*) FROM entry WHERE kind = $1 AND market = $2 AND slot <= $3";
    let mut count = |kind: &str| -> Result<i64, StoreError> {
        let index = Value::Int(index.into());
        Ok(number(sql, of_kind, &[kind.into(), index, root.into()])?.unwrap_or(0))
    };
    let (liquidations, rounds) = (count("liquidation")?, count("deleveraging")?);
    let mut lots = |side: &str| -> Result<i64, StoreError> {
        let sum = format!(
            "SELECT CAST(COALESCE(SUM(ABS(value)), 0) AS BIGINT) FROM standing
             WHERE market = $1 AND what = $2 AND value {side} 0"
        );
        let sum = number(sql, &sum, &[market.into(), entry::POSITION.into()])?;
        Ok(sum.unwrap_or(0))
    };
    let (open_interest, short_lots) = (lots(">")?, lots("<")?);
    let mut value = |what: &str| value_of(sql, &[market.into(), what.into(), "".into()]);
    Ok(Counted {
        liquidations,
        rounds,
        open_interest,
        short_lots,
        insurance: value(entry::INSURANCE)?,
        settlement: value(entry::SETTLEMENT)?,
        mode: value(entry::MODE)?,
    })
}
