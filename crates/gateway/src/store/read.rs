//! History out of the database, in pages.

use super::sql::{Line, Sql, StoreError, Value};
use crate::entry::Kind;

/// A line of history as it is stored. Amounts in atoms, sizes in lots, prices in ticks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Signature of the transaction.
    pub signature: String,
    /// Number of the event among those of its transaction.
    pub idx: i64,
    /// Number of the line among those of its event.
    pub sub: i64,
    /// Slot.
    pub slot: i64,
    /// Number of the transaction among those of its slot.
    pub place: i64,
    /// Unix seconds, where the node knew.
    pub time: Option<i64>,
    /// What it is about.
    pub kind: String,
    /// Name of the event.
    pub event: String,
    /// Number of the market.
    pub market: Option<i64>,
    /// The trader account that it is about.
    pub trader: Option<String>,
    /// The other one.
    pub other: Option<String>,
    /// `buy` or `sell`, as of `trader`.
    pub side: Option<String>,
    /// Lots.
    pub lots: Option<i64>,
    /// Price, ticks.
    pub price_ticks: Option<i64>,
    /// What the lots were paid.
    pub quote_atoms: Option<i64>,
    /// Fee of `trader`.
    pub fee_atoms: Option<i64>,
    /// Fee of `other`.
    pub other_fee_atoms: Option<i64>,
    /// What moved.
    pub amount_atoms: Option<i64>,
    /// Before.
    pub before: Option<i64>,
    /// After.
    pub after: Option<i64>,
    /// Oracle price, ticks.
    pub mark_ticks: Option<i64>,
    /// Id of an order, a bankruptcy, a change.
    pub number: Option<String>,
    /// A word more.
    pub detail: Option<String>,
    /// Whether its transaction is final.
    pub is_final: bool,
}

const COLUMNS: &str =
    "entry.signature, entry.idx, entry.sub, entry.slot, entry.place, entry.time, entry.kind,
  entry.event, entry.market, entry.trader, entry.other, entry.side, entry.lots, entry.price_ticks,
  entry.quote_atoms, entry.fee_atoms, entry.other_fee_atoms, entry.amount_atoms, entry.before_value,
  entry.after_value, entry.mark_ticks, entry.number, entry.detail, tx.final";

impl Stored {
    fn new(row: &Line) -> Self {
        let mut values = row.iter();
        let mut next = || values.next().cloned().unwrap_or(Value::Null);
        macro_rules! text {
            () => {
                next().text().map(str::to_owned)
            };
        }
        macro_rules! int {
            () => {
                next().int()
            };
        }
        Self {
            signature: text!().unwrap_or_default(),
            idx: int!().unwrap_or_default(),
            sub: int!().unwrap_or_default(),
            slot: int!().unwrap_or_default(),
            place: int!().unwrap_or_default(),
            time: int!(),
            kind: text!().unwrap_or_default(),
            event: text!().unwrap_or_default(),
            market: int!(),
            trader: text!(),
            other: text!(),
            side: text!(),
            lots: int!(),
            price_ticks: int!(),
            quote_atoms: int!(),
            fee_atoms: int!(),
            other_fee_atoms: int!(),
            amount_atoms: int!(),
            before: int!(),
            after: int!(),
            mark_ticks: int!(),
            number: text!(),
            detail: text!(),
            is_final: int!() == Some(1),
        }
    }

    /// Where the next page goes on.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position {
            slot: self.slot,
            place: self.place,
            idx: self.idx,
            sub: self.sub,
        }
    }
}

/// A place in history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Slot.
    pub slot: i64,
    /// Transaction in the slot.
    pub place: i64,
    /// Event in the transaction.
    pub idx: i64,
    /// Line of the event.
    pub sub: i64,
}

impl core::fmt::Display for Position {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            formatter,
            "{}.{}.{}.{}",
            self.slot, self.place, self.idx, self.sub
        )
    }
}

impl core::str::FromStr for Position {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let parts: Result<Vec<i64>, _> = text.split('.').map(str::parse).collect();
        match parts.map_err(|_| ())?[..] {
            [slot, place, idx, sub] => Ok(Self {
                slot,
                place,
                idx,
                sub,
            }),
            _ => Err(()),
        }
    }
}

/// What is asked for, the newest first.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only of these kinds; of all where it is empty.
    pub kinds: Vec<Kind>,
    /// Only of the market with this number.
    pub market: Option<u16>,
    /// Only those that name this trader account.
    pub trader: Option<String>,
    /// Only since then, unix seconds.
    pub since: Option<i64>,
    /// Only until then, unix seconds, not included.
    pub until: Option<i64>,
    /// Only before this place.
    pub before: Option<Position>,
    /// At most so many.
    pub most: u32,
}

/// Lines of history, the newest first.
///
/// # Errors
/// Those of the database, as of every function here.
pub fn entries(sql: &mut dyn Sql, wanted: &Wanted) -> Result<Vec<Stored>, StoreError> {
    match &wanted.trader {
        None => select(sql, wanted, None),
        Some(trader) => {
            // Two searches, each by its index, joined here.
            let mut found = select(sql, wanted, Some(("trader", trader)))?;
            let second = select(sql, wanted, Some(("other", trader)))?;
            found.extend(
                second
                    .into_iter()
                    .filter(|one| one.trader.as_ref() != Some(trader)),
            );
            let key = |one: &Stored| (one.slot, one.place, one.idx, one.sub);
            found.sort_by_key(|one| core::cmp::Reverse(key(one)));
            found.truncate(usize::try_from(wanted.most).unwrap_or(usize::MAX));
            Ok(found)
        }
    }
}

fn select(
    sql: &mut dyn Sql,
    wanted: &Wanted,
    who: Option<(&str, &str)>,
) -> Result<Vec<Stored>, StoreError> {
    let mut values: Vec<Value> = Vec::new();
    let mut terms: Vec<String> = Vec::new();
    let mut bind = |value: Value| {
        values.push(value);
        format!("${}", values.len())
    };
    if !wanted.kinds.is_empty() {
        let kinds: Vec<String> = wanted
            .kinds
            .iter()
            .map(|kind| bind(kind.name().into()))
            .collect();
        terms.push(format!("entry.kind IN ({})", kinds.join(", ")));
    }
    if let Some(market) = wanted.market {
        terms.push(format!(
            "entry.market = {}",
            bind(Value::Int(market.into()))
        ));
    }
    if let Some((column, trader)) = who {
        terms.push(format!("entry.{column} = {}", bind(trader.into())));
    }
    if let Some(since) = wanted.since {
        terms.push(format!("entry.time >= {}", bind(since.into())));
    }
    if let Some(until) = wanted.until {
        terms.push(format!("entry.time < {}", bind(until.into())));
    }
    if let Some(before) = wanted.before {
        let parts =
            [before.slot, before.place, before.idx, before.sub].map(|part| bind(part.into()));
        terms.push(format!(
            "(entry.slot, entry.place, entry.idx, entry.sub) < ({})",
            parts.join(", ")
        ));
    }
    let most = bind(wanted.most.into());
    let terms = match terms.is_empty() {
        true => String::new(),
        false => format!("WHERE {}", terms.join(" AND ")),
    };
    let statement = format!(
        "SELECT {COLUMNS} FROM entry JOIN tx ON tx.signature = entry.signature {terms}
         ORDER BY entry.slot DESC, entry.place DESC, entry.idx DESC, entry.sub DESC LIMIT {most}"
    );
    Ok(sql
        .query(&statement, &values)?
        .iter()
        .map(Stored::new)
        .collect())
}

/// The lines of one transaction, in order.
pub fn of_transaction(sql: &mut dyn Sql, signature: &str) -> Result<Vec<Stored>, StoreError> {
    let statement = format!(
        "SELECT {COLUMNS} FROM entry JOIN tx ON tx.signature = entry.signature
         WHERE entry.signature = $1 ORDER BY entry.idx, entry.sub"
    );
    let rows = sql.query(&statement, &[signature.into()])?;
    Ok(rows.iter().map(Stored::new).collect())
}

/// Name and body of an event.
pub type NamedBody = (String, String);

/// The events of a transaction, in order; `None` where it is not known.
pub fn events(
    sql: &mut dyn Sql,
    signature: &str,
) -> Result<Option<(Transaction, Vec<NamedBody>)>, StoreError> {
    let known = "SELECT slot, time, final FROM tx WHERE signature = $1";
    let known = sql.query(known, &[signature.into()])?;
    let Some(known) = known.first() else {
        return Ok(None);
    };
    let number = |index: usize| known.get(index).and_then(Value::int);
    let transaction = Transaction {
        slot: number(0).unwrap_or(0),
        time: number(1),
        is_final: number(2) == Some(1),
    };
    let rows = "SELECT name, body FROM event WHERE signature = $1 ORDER BY idx";
    let rows = sql.query(rows, &[signature.into()])?;
    let pair = |row: &Line| -> Option<NamedBody> {
        Some((
            row.first()?.text()?.to_owned(),
            row.get(1)?.text()?.to_owned(),
        ))
    };
    Ok(Some((transaction, rows.iter().filter_map(pair).collect())))
}

/// A transaction as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Slot.
    pub slot: i64,
    /// Unix seconds.
    pub time: Option<i64>,
    /// Whether it is final.
    pub is_final: bool,
}

/// A candle as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candle {
    /// When it begins, unix seconds.
    pub start: i64,
    /// First price, ticks.
    pub open: i64,
    /// Highest.
    pub high: i64,
    /// Lowest.
    pub low: i64,
    /// Last.
    pub close: i64,
    /// Lots.
    pub lots: i64,
    /// What they were paid, atoms.
    pub quote_atoms: i64,
    /// Fills.
    pub fills: i64,
}

/// Candles that begin in a range of time, the newest `most`, the oldest first.
pub fn candles(
    sql: &mut dyn Sql,
    market: u16,
    seconds: i64,
    range: core::ops::Range<i64>,
    most: u32,
) -> Result<Vec<Candle>, StoreError> {
    let rows = sql.query(
        "SELECT start, open, high, low, close, lots, quote_atoms, fills FROM candle
         WHERE market = $1 AND seconds = $2 AND start >= $3 AND start < $4 ORDER BY start DESC LIMIT $5",
        &[
            Value::Int(market.into()),
            seconds.into(),
            range.start.into(),
            range.end.into(),
            most.into(),
        ],
    )?;
    let candle = |row: &Line| {
        let number = |index: usize| row.get(index).and_then(Value::int).unwrap_or(0);
        Candle {
            start: number(0),
            open: number(1),
            high: number(2),
            low: number(3),
            close: number(4),
            lots: number(5),
            quote_atoms: number(6),
            fills: number(7),
        }
    };
    Ok(rows.iter().rev().map(candle).collect())
}

/// Every row that follows from the chain, table by table, in order: what two databases of one chain have in
/// common.
pub fn everything(sql: &mut dyn Sql) -> Result<Vec<Line>, StoreError> {
    let mut all = Vec::new();
    for statement in [
        "SELECT signature, slot, place, time, final FROM tx ORDER BY slot, place",
        "SELECT signature, idx, name, body FROM event ORDER BY signature, idx",
        "SELECT signature, idx, sub, slot, place, time, kind, event, market, trader, other, side, lots, price_ticks,
           quote_atoms, fee_atoms, other_fee_atoms, amount_atoms, before_value, after_value, mark_ticks, number,
           detail FROM entry ORDER BY signature, idx, sub",
        "SELECT market, seconds, start, open, high, low, close, lots, quote_atoms, fills FROM candle
           ORDER BY market, seconds, start",
        "SELECT signature, idx, sub, slot, place, time, event, market, name, before_value, after_value FROM parameter
           ORDER BY signature, idx, sub",
        "SELECT market, what, trader, value FROM standing ORDER BY market, what, trader",
        "SELECT signature, idx, sub, what, market, trader, slot, expected, found FROM hole
           ORDER BY signature, idx, sub, what",
    ] {
        all.extend(sql.query(statement, &[])?);
    }
    Ok(all)
}
