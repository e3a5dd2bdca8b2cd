//! Prices from a CSV file with the header `timestamp,price`; of a price, what is beyond a billionth of
//! a dollar is cut off.

use std::path::Path;

use anyhow::{anyhow, bail, ensure, Context, Result};
use ballast_client::amount::Unit;

use super::prices::{PricePath, PricePoint, PriceSource};

/// Later than any date in seconds, earlier than any recent date in milliseconds.
const LATEST_SECOND: i64 = 100_000_000_000;

/// Reads and checks a price file. Every error names the file, the line and the remedy.
pub fn load(path: &Path) -> Result<PricePath> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the price file {}", path.display()))?;
    let points = parse(&text).with_context(|| format!("price file {}", path.display()))?;
    Ok(PricePath {
        source: PriceSource::File(path.to_owned()),
        points,
    })
}

fn parse(text: &str) -> Result<Vec<PricePoint>> {
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
    ensure!(
        header == ["timestamp", "price"],
        "line 1: the header must be `timestamp,price`, found `{}`",
        header.join(",")
    );
    let mut points: Vec<PricePoint> = Vec::new();
    for record in reader.records() {
        let record = record.context("not readable as CSV")?;
        let line = record.position().map_or(0, csv::Position::line);
        let point = parse_row(&record).with_context(|| format!("line {line}"))?;
        if let Some(last) = points.last() {
            ensure!(
                point.timestamp > last.timestamp,
                "line {line}: timestamps must rise, but {} follows {}; sort the file and keep one row a second",
                point.timestamp,
                last.timestamp
            );
        }
        points.push(point);
    }
    ensure!(
        points.len() >= 2,
        "a price path needs at least two rows, found {}",
        points.len()
    );
    Ok(points)
}

fn parse_row(record: &csv::StringRecord) -> Result<PricePoint> {
    let [timestamp, price] = record.iter().collect::<Vec<_>>()[..] else {
        bail!(
            "expected two fields, `timestamp,price`, found {}",
            record.len()
        );
    };
    let Ok(timestamp) = timestamp.parse::<i64>() else {
        bail!("timestamp `{timestamp}` is not a whole number of unix seconds");
    };
    ensure!(timestamp > 0, "timestamp {timestamp} must be above zero");
    ensure!(timestamp < LATEST_SECOND, "timestamp {timestamp} is too large for unix seconds; if it is in milliseconds, divide by 1000");
    let nano = Unit::nano(1).read_rounded_down(price);
    let nano = nano.map_err(|error| anyhow!("price {error}"))?;
    let price_nano = i64::try_from(nano).with_context(|| format!("price {price} is too large"))?;
    ensure!(
        price_nano > 0,
        "price {price} must be above zero (the least is 0.000000001)"
    );
    Ok(PricePoint {
        timestamp,
        price_nano,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        format!("{:#}", parse(text).expect_err("must be refused"))
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
        assert_eq!(
            error("time,px\n1,2\n"),
            "line 1: the header must be `timestamp,price`, found `time,px`"
        );
        assert!(error("1,2\n2,3\n").contains("header must be"));
        assert!(error("").contains("header must be"));
    }

    #[test]
    fn a_bad_row_is_named_with_its_line() {
        assert_eq!(
            error("timestamp,price\n1,2\nx,3\n"),
            "line 3: timestamp `x` is not a whole number of unix seconds"
        );
        assert!(error("timestamp,price\n1,abc\n").starts_with("line 2: price `abc`"));
        assert!(error("timestamp,price\n1,2,3\n").contains("expected two fields"));
        assert!(error("timestamp,price\n1\n").contains("expected two fields"));
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
