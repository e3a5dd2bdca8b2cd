//! Times as people write and read them, UTC.

use std::time::{Duration, SystemTime};

use humantime::{format_rfc3339_seconds, parse_duration, parse_rfc3339_weak};

/// Unix seconds of `1760000000`, of a date, or of so long ago.
pub fn since(text: &str) -> Result<i64, String> {
    let bad = || {
        format!("`{text}` is not a time: expected unix seconds, a date such as 2026-11-28, or so long ago as 90m, 12h or 7d")
    };
    if let Ok(seconds) = text.parse::<i64>() {
        return Ok(seconds);
    }
    let at = match parse_duration(text) {
        Ok(ago) => SystemTime::now().checked_sub(ago),
        Err(_) => {
            let whole = match text.len() {
                10 => format!("{text} 00:00:00"),
                _ => text.to_owned(),
            };
            parse_rfc3339_weak(&whole).ok()
        }
    };
    let since = at.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    let seconds = since.and_then(|since| i64::try_from(since.as_secs()).ok());
    seconds.ok_or_else(bad)
}

/// A time of unix seconds, for people and for programs.
pub fn shown(time: Option<i64>) -> String {
    let seconds = time.and_then(|time| u64::try_from(time).ok());
    let at = seconds
        .and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
    at.map_or_else(
        || "-".to_owned(),
        |at| format_rfc3339_seconds(at).to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_three_ways() {
        assert_eq!(since("1760000000"), Ok(1_760_000_000));
        assert_eq!(since("2025-10-09"), Ok(1_759_968_000));
        assert_eq!(since("2025-10-09T08:53:20Z"), Ok(1_760_000_000));
        let hour = since("1h").expect("an hour ago");
        let day = since("1d").expect("a day ago");
        assert!((82_000..84_000).contains(&(hour - day)), "{hour} {day}");
        for bad in ["", "soon", "2026-13-40"] {
            assert!(since(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_are_shown_as_they_can_be_read() {
        assert_eq!(shown(Some(1_760_000_000)), "2025-10-09T08:53:20Z");
        assert_eq!(shown(None), "-");
    }
}
