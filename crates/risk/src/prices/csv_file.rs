//! Reading a file of prices.

use anyhow::{bail, ensure, Context, Result};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::Decimal;

use super::PricePoint;

/// Later than any date in seconds, earlier than any recent date in milliseconds.
const LATEST_SECOND: i64 = 100_000_000_000;
const NANO: i64 = 1_000_000_000;
/// Prices that a row of a bar becomes.
const PARTS: i64 = 4;

/// A row: when, and one price, or open, high, low and close.
struct Row {
    line: u64,
    timestamp: i64,
    prices: Vec<i64>,
}

pub(super) fn parse(text: &str) -> Result<Vec<PricePoint>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(text.as_bytes());
    let header: Vec<String> = reader
        .headers()
        .context("line 1")?
        .iter()
        .map(str::to_lowercase)
        .collect();
    let columns = columns(&header)?;
    let mut rows: Vec<Row> = Vec::new();
    for record in reader.records() {
        let record = record.context("not readable as CSV")?;
        let line = record.position().map_or(0, csv::Position::line);
        let row = row(&record, line, columns, header.len());
        let row = row.with_context(|| format!("line {line}"))?;
        if let Some(last) = rows.last() {
            ensure!(
                row.timestamp > last.timestamp,
                "line {line}: timestamps must rise, but {} follows {}; sort the file and keep one row a second",
                row.timestamp,
                last.timestamp
            );
        }
        rows.push(row);
    }
    if columns == 1 {
        let point = |row: Row| PricePoint {
            timestamp: row.timestamp,
            price_nano: row.prices[0],
        };
        return Ok(rows.into_iter().map(point).collect());
    }
    spread(&rows)
}

/// How many prices a row has.
fn columns(header: &[String]) -> Result<usize> {
    let names: Vec<&str> = header.iter().map(String::as_str).collect();
    match names[..] {
        ["timestamp", "price"] => Ok(1),
        ["timestamp", "open", "high", "low", "close"]
        | ["timestamp", "open", "high", "low", "close", "volume"] => Ok(4),
        _ => bail!(
            "line 1: the header must be `timestamp,price` or `timestamp,open,high,low,close`, found `{}`",
            header.join(",")
        ),
    }
}

fn row(record: &csv::StringRecord, line: u64, columns: usize, fields: usize) -> Result<Row> {
    ensure!(
        record.len() == fields,
        "expected {fields} fields, as the header has, found {}",
        record.len()
    );
    let text = &record[0];
    let Ok(timestamp) = text.parse::<i64>() else {
        bail!("timestamp `{text}` is not a whole number of unix seconds");
    };
    ensure!(timestamp > 0, "timestamp {timestamp} must be above zero");
    ensure!(timestamp < LATEST_SECOND, "timestamp {timestamp} is too large for unix seconds; if it is in milliseconds, divide by 1000");
    let prices = record.iter().skip(1).take(columns);
    let prices: Vec<i64> = prices.map(price).collect::<Result<_>>()?;
    if let [open, high, low, close] = prices[..] {
        ensure!(
            low <= open.min(close) && high >= open.max(close),
            "open and close must lie between low and high"
        );
    }
    Ok(Row {
        line,
        timestamp,
        prices,
    })
}

/// A price in billionths, rounded down.
fn price(text: &str) -> Result<i64> {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b".-".contains(&byte));
    let Some(price) = text.parse::<Decimal>().ok().filter(|_| plain) else {
        bail!("price `{text}` is not a decimal number; write digits and at most one point, as in 12.5");
    };
    ensure!(
        !price.is_sign_negative(),
        "price {text} is below zero; write a number without a sign"
    );
    let nano = price.checked_mul(Decimal::from(NANO));
    let nano = nano.and_then(|nano| nano.trunc().to_i64());
    let nano = nano.with_context(|| format!("price {text} is too large"))?;
    ensure!(
        nano > 0,
        "price {text} must be above zero (the least is 0.000000001)"
    );
    Ok(nano)
}

/// Each bar as four prices at equal distances within it.
fn spread(rows: &[Row]) -> Result<Vec<PricePoint>> {
    let apart = |pair: &[Row]| pair[1].timestamp - pair[0].timestamp;
    let length = rows.windows(2).map(apart).min().unwrap_or(PARTS);
    if let Some(close) = rows.windows(2).find(|pair| apart(pair) < PARTS) {
        bail!(
            "line {}: a bar of less than {PARTS} seconds; give prices as `timestamp,price`",
            close[1].line
        );
    }
    let mut points = Vec::with_capacity(rows.len() * 4);
    for row in rows {
        let [open, high, low, close] = row.prices[..] else {
            bail!("line {}: a bar has four prices", row.line);
        };
        let (first, second) = if close > open {
            (low, high)
        } else {
            (high, low)
        };
        let times = (0..PARTS).map(|part| row.timestamp + part * length / PARTS);
        points.extend(
            times
                .zip([open, first, second, close])
                .map(|(timestamp, price_nano)| PricePoint {
                    timestamp,
                    price_nano,
                }),
        );
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::super::{Gap, Prices};
    use super::*;

    fn error(text: &str) -> String {
        format!("{:#}", Prices::parse(text).expect_err("must be refused"))
    }

    #[test]
    fn reads_rows_in_order() {
        let points =
            parse("timestamp,price\n1760119200,209.65\n1760119220, 209.219 \n").expect("valid");
        assert_eq!(points.len(), 2);
        assert_eq!(
            points[1],
            PricePoint {
                timestamp: 1_760_119_220,
                price_nano: 209_219_000_000
            }
        );
    }

    #[test]
    fn what_is_beyond_a_billionth_is_cut_off() {
        let points = parse("timestamp,price\n1,0.0000000019\n2,.5\n").expect("valid");
        assert_eq!((points[0].price_nano, points[1].price_nano), (1, NANO / 2));
    }

    #[test]
    fn a_bar_is_four_prices_within_it() {
        let mut text = "timestamp,open,high,low,close,volume\n60,10,12,9,11,5\n".to_owned();
        text += "120,11,11,8,8,5\n";
        // The minute at 180 is missing.
        for minute in 4..30 {
            text += &format!("{},8,8,8,8,0\n", 60 * minute);
        }
        let prices = Prices::parse(&text).expect("valid");
        let seen: Vec<(i64, i64)> = prices.points()[..8]
            .iter()
            .map(|point| (point.timestamp, point.price_nano / NANO))
            .collect();
        assert_eq!(seen[..4], [(60, 10), (75, 9), (90, 12), (105, 11)]);
        assert_eq!(seen[4..], [(120, 11), (135, 11), (150, 8), (165, 8)]);
        let bars = prices.bars(60);
        let gap = Gap {
            after: 165,
            before: 240,
        };
        assert_eq!((bars.count(), &bars.gaps[..]), (28, &[gap][..]));
        let first = bars.segments[0][0];
        assert_eq!(
            (first.open, first.high, first.low, first.close),
            (10., 12., 9., 11.)
        );
        assert!(
            error("timestamp,open,high,low,close\n60,10,9,9,10\n120,1,1,1,1\n").contains("between")
        );
        assert!(error("timestamp,open,high,low,close\n1,1,1,1,1\n3,1,1,1,1\n").contains("line 3"));
    }

    #[test]
    fn accepts_a_byte_order_mark_and_windows_line_ends() {
        assert_eq!(
            parse("\u{feff}Timestamp,Price\r\n1,2\r\n2,3\r\n")
                .expect("valid")
                .len(),
            2
        );
    }

    #[test]
    fn a_bad_header_is_named() {
        assert!(error("time,px\n1,2\n").ends_with("found `time,px`"));
        assert!(error("1,2\n2,3\n").contains("header must be"));
        assert!(error("").contains("header must be"));
    }

    #[test]
    fn a_bad_row_is_named_with_its_line() {
        assert_eq!(
            error("timestamp,price\n1,2\nx,3\n"),
            "line 3: timestamp `x` is not a whole number of unix seconds"
        );
        for bad in ["abc", "1e5", "1_0", "", "+1"] {
            let told = error(&format!("timestamp,price\n1,{bad}\n"));
            assert!(
                told.starts_with(&format!("line 2: price `{bad}`")),
                "{told}"
            );
        }
        assert!(error("timestamp,price\n1,2,3\n").contains("expected 2 fields"));
        assert!(error("timestamp,price\n1\n").contains("expected 2 fields"));
        assert!(error("timestamp,price\n1760119200000,2\n").contains("milliseconds"));
    }

    #[test]
    fn prices_must_be_above_zero_and_time_must_rise() {
        assert!(error("timestamp,price\n1,0\n").contains("must be above zero"));
        assert!(error("timestamp,price\n1,-3.5\n").contains("price -3.5 is below zero"));
        assert!(error("timestamp,price\n1,10000000000\n").contains("is too large"));
        assert!(error("timestamp,price\n5,1\n5,1\n").contains("timestamps must rise"));
        assert!(error("timestamp,price\n5,1\n4,1\n").contains("line 3"));
        assert!(error("timestamp,price\n5,1\n").contains("at least two rows"));
    }
}
