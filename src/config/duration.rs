//! Durations as people write them: `90s`, `10m`, `1h 30m`, `7d`.

use std::time::Duration;

/// Why a text is not a duration.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum InvalidDuration {
    /// A month or a year has no fixed length.
    #[error("\"{0}\" counts months or years, which have no fixed length: count days")]
    Calendar(String),
    /// Anything else.
    #[error("\"{0}\" is not a duration such as \"90s\", \"10m\", \"1h 30m\" or \"7d\"")]
    Other(String),
}

/// Reads a duration.
pub(crate) fn parse(text: &str) -> Result<Duration, InvalidDuration> {
    // humantime takes a month for 30.44 days.
    let units = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|unit| !unit.is_empty());
    for unit in units {
        if matches!(unit, "M" | "month" | "months" | "y" | "yr" | "yrs" | "year" | "years") {
            return Err(InvalidDuration::Calendar(text.to_owned()));
        }
    }
    humantime::parse_duration(text).map_err(|_ignored: humantime::DurationError| {
        // Its words ("time unit needed, for example 10sec or 10ms") speak of characters, not of what to write.
        InvalidDuration::Other(text.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(parse("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse("1h 30m"), Ok(Duration::from_mins(90)));
        assert_eq!(parse("7d"), Ok(Duration::from_hours(7 * 24)));
        assert_eq!(parse("0s"), Ok(Duration::ZERO));
    }

    #[test]
    fn months_and_years_are_refused() {
        for text in ["1 month", "2months", "1y", "1M"] {
            assert_eq!(parse(text), Err(InvalidDuration::Calendar(text.to_owned())));
        }
        for text in ["", "10", "soon", "-5s"] {
            assert_eq!(parse(text), Err(InvalidDuration::Other(text.to_owned())));
        }
    }
}
