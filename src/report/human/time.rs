//! Points in time and durations, for people.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat};

/// Milliseconds since 1970 as `2026-11-21T12:00:00Z`.
pub(crate) fn instant(milliseconds: i64) -> String {
    DateTime::from_timestamp_millis(milliseconds).map_or_else(
        || milliseconds.to_string(),
        |time| time.to_rfc3339_opts(SecondsFormat::Secs, true),
    )
}

/// `340 ms`, `12 s`, `3 min`, `5 h`, `2 d`: one unit, rounded down.
pub(crate) fn rough(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_one_unit() {
        let shown = [340, 12_000, 200_000, 7_200_000, 200_000_000]
            .map(|ms| rough(Duration::from_millis(ms)));
        assert_eq!(shown, ["340 ms", "12 s", "3 min", "2 h", "2 d"]);
        assert_eq!(instant(0), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
