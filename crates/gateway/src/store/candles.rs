//! Candles of fills: made anew where a fill was added, moved or taken out, so that they follow from the fills
//! alone.

use std::collections::BTreeSet;

use super::sql::{Line, Sql, StoreError};

/// Lengths, seconds: each but the first is made of those of a minute.
pub const LENGTHS: [i64; 6] = [60, 300, 900, 3_600, 14_400, 86_400];

/// Minutes in which the fills of a market have changed.
#[derive(Debug, Default)]
pub struct Touched {
    minutes: BTreeSet<(i64, i64)>,
}

impl Touched {
    /// A fill at a time; without market or time it is in no candle.
    pub fn note(&mut self, market: Option<i64>, time: Option<i64>) {
        if let (Some(market), Some(time)) = (market, time) {
            self.minutes.insert((market, begin(time, 60)));
        }
    }
}

/// The beginning of the candle that a time is in.
#[must_use]
pub const fn begin(time: i64, seconds: i64) -> i64 {
    time - time.rem_euclid(seconds)
}

/// Makes the candles anew that these minutes are in.
///
/// # Errors
/// Those of the database.
pub fn renew(sql: &mut dyn Sql, touched: &Touched) -> Result<(), StoreError> {
    for (market, start) in &touched.minutes {
        let fills = sql.query(
            "SELECT price_ticks, price_ticks, price_ticks, price_ticks, lots, quote_atoms, CAST(1 AS BIGINT) FROM entry
             WHERE kind = 'fill' AND market = $1 AND time >= $2 AND time < $3 AND price_ticks IS NOT NULL
             ORDER BY slot, place, idx, sub",
            &[(*market).into(), (*start).into(), (start + 60).into()],
        )?;
        put(sql, *market, 60, *start, &fills)?;
    }
    for length in LENGTHS.into_iter().skip(1) {
        let minutes = touched.minutes.iter();
        let longer: BTreeSet<(i64, i64)> = minutes
            .map(|(market, start)| (*market, begin(*start, length)))
            .collect();
        for (market, start) in longer {
            let parts = sql.query(
                "SELECT open, high, low, close, lots, quote_atoms, fills FROM candle
                 WHERE market = $1 AND seconds = 60 AND start >= $2 AND start < $3 ORDER BY start",
                &[market.into(), start.into(), (start + length).into()],
            )?;
            put(sql, market, length, start, &parts)?;
        }
    }
    Ok(())
}

/// Open, high, low, close, lots, quote and number of fills of parts in order.
fn put(
    sql: &mut dyn Sql,
    market: i64,
    seconds: i64,
    start: i64,
    parts: &[Line],
) -> Result<(), StoreError> {
    sql.execute(
        "DELETE FROM candle WHERE market = $1 AND seconds = $2 AND start = $3",
        &[market.into(), seconds.into(), start.into()],
    )?;
    let of = |part: &Line, index: usize| part.get(index).and_then(|value| value.int()).unwrap_or(0);
    let column = |index: usize| parts.iter().map(move |part| of(part, index));
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
        return Ok(());
    };
    let sum = |index: usize| column(index).fold(0_i64, i64::saturating_add);
    sql.execute(
        "INSERT INTO candle (market, seconds, start, open, high, low, close, lots, quote_atoms, fills)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &[
            market.into(),
            seconds.into(),
            start.into(),
            of(first, 0).into(),
            column(1).max().into(),
            column(2).min().into(),
            of(last, 3).into(),
            sum(4).into(),
            sum(5).into(),
            sum(6).into(),
        ],
    )?;
    Ok(())
}
