//! Freeze windows: when nothing is contracted, or no batch runs, by the clock of a time zone.
//!
//! `Mon-Fri 09:00-17:00 Europe/Berlin`, `Fri 16:00 - Mon 08:00`, `2026-12-20 - 2027-01-02 18:00 UTC`.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

/// Seconds of a day, and of a week.
const DAY: i64 = 86_400;
const WEEK: i64 = 7 * DAY;
/// 1970 began on a Thursday.
const FIRST_MONDAY: i64 = 4 * DAY;
/// Windows that follow on each other for longer than this have no end that anybody waits for.
const LOOKS: u32 = 2000;

/// A window in which nobody wants a change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Freeze {
    text: String,
    /// Whose clock counts.
    pub(crate) zone: Tz,
    span: Span,
}

/// From when to when, by the zone's clock: the end is no longer in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Span {
    /// On some days, Monday first: seconds since the midnight before which the window begins; an end before that is of
    /// the next day.
    Daily { days: [bool; 7], from: i64, to: i64 },
    /// Every week: seconds since Monday's midnight.
    Weekly { from: i64, to: i64 },
    /// Once.
    Once { from: NaiveDateTime, to: NaiveDateTime },
}

/// Why a text is no window.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum InvalidFreeze {
    #[error(
        "\"{0}\" is not a window such as \"Mon-Fri 09:00-17:00 Europe/Berlin\", \"22:00-06:00\", \"Fri 16:00 - Mon 08:00\" or \"2026-12-20 - 2027-01-02\""
    )]
    Form(String),
    #[error("\"{0}\" is not a time zone such as \"Europe/Berlin\" or \"UTC\"")]
    Zone(String),
    #[error("\"{0}\" ends before it begins")]
    Empty(String),
}

impl Freeze {
    /// Reads a window: in UTC when no zone is named.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidFreeze> {
        let mut words: Vec<&str> = text.split_whitespace().collect();
        let zone = match words.last() {
            Some(last) if last.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                let zone = last.parse().map_err(|_unknown| InvalidFreeze::Zone((*last).to_owned()));
                words.pop();
                zone?
            }
            _ => Tz::UTC,
        };
        let span = span(&words).ok_or_else(|| InvalidFreeze::Form(text.to_owned()))?;
        if span.is_empty() {
            return Err(InvalidFreeze::Empty(text.to_owned()));
        }
        Ok(Self { text: text.to_owned(), zone, span })
    }

    /// Whether an instant is in it.
    pub(crate) fn holds(&self, now: DateTime<Utc>) -> bool {
        self.rest(now).is_some()
    }

    /// For how many seconds the zone's clock still stands in the window.
    fn rest(&self, now: DateTime<Utc>) -> Option<i64> {
        // From an instant to local time there is one answer; the other way there may be none, or two.
        let local = now.with_timezone(&self.zone).naive_local();
        let seconds = local.and_utc().timestamp();
        match self.span {
            Span::Daily { days, from, to } => {
                let at = (seconds - FIRST_MONDAY).rem_euclid(WEEK);
                let (day, at) = (at / DAY, at % DAY);
                let to = if from < to { to } else { to + DAY };
                // Begun today, or yesterday.
                let began_on = |day: i64| {
                    usize::try_from(day % 7).is_ok_and(|day| days.get(day) == Some(&true))
                };
                let today = began_on(day) && from <= at && at < to;
                let yesterday = began_on(day + 6) && at + DAY < to;
                if today { Some(to - at) } else { yesterday.then(|| to - at - DAY) }
            }
            Span::Weekly { from, to } => {
                let at = (seconds - FIRST_MONDAY).rem_euclid(WEEK);
                let is_in = if from < to { from <= at && at < to } else { from <= at || at < to };
                is_in.then(|| (to - at).rem_euclid(WEEK))
            }
            Span::Once { from, to } => {
                (from <= local && local < to).then(|| (to - local).num_seconds())
            }
        }
    }

    /// When the zone's clock leaves the window, if it goes on without a jump behind that.
    fn end(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let rest = self.rest(now)?;
        let offset = |at: DateTime<Utc>| {
            let offset = self.zone.offset_from_utc_datetime(&at.naive_utc()).fix();
            i64::from(offset.local_minus_utc())
        };
        let straight = after(now, rest);
        Some(after(straight, offset(now) - offset(straight)).max(after(now, 60)))
    }
}

/// When none of the windows holds any more; `now` if none does.
pub(crate) fn thawed(windows: &[Freeze], now: DateTime<Utc>) -> DateTime<Utc> {
    let mut at = now;
    for _ in 0..LOOKS {
        match windows.iter().filter_map(|window| window.end(at)).max() {
            Some(later) => at = later,
            None => break,
        }
    }
    at
}

fn after(at: DateTime<Utc>, seconds: i64) -> DateTime<Utc> {
    at.checked_add_signed(chrono::TimeDelta::seconds(seconds)).unwrap_or(at)
}

impl fmt::Display for Freeze {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Span {
    fn is_empty(&self) -> bool {
        match *self {
            Self::Daily { from, to, .. } | Self::Weekly { from, to } => from == to,
            Self::Once { from, to } => from >= to,
        }
    }
}

/// The span that words tell, the zone taken away.
fn span(words: &[&str]) -> Option<Span> {
    match words {
        [times] => daily([true; 7], times),
        [listed, times] if times.contains(':') => daily(days(listed)?, times),
        [from, "-", to] => once((from, None), (to, None)),
        [from, at, "-", to] => once((from, Some(at)), (to, None)),
        [from, "-", to, at] => once((from, None), (to, Some(at))),
        [from, at, "-", to, end] => {
            once((from, Some(at)), (to, Some(end))).or_else(|| weekly((from, at), (to, end)))
        }
        _ => None,
    }
}

fn daily(days: [bool; 7], times: &str) -> Option<Span> {
    let (from, to) = times.split_once('-')?;
    let (from, to) = (seconds(from)?, seconds(to)?);
    (from < DAY).then_some(Span::Daily { days, from, to })
}

fn weekly((first, at): (&str, &str), (last, end): (&str, &str)) -> Option<Span> {
    let moment = |name: &str, time: &str| {
        Some((i64::from(weekday(name)?.num_days_from_monday()) * DAY + seconds(time)?) % WEEK)
    };
    Some(Span::Weekly { from: moment(first, at)?, to: moment(last, end)? })
}

fn once((first, at): (&str, Option<&str>), (last, end): (&str, Option<&str>)) -> Option<Span> {
    let date = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let moment = |text: &str, seconds: i64| {
        let midnight = date(text)?.and_time(NaiveTime::MIN);
        midnight.checked_add_signed(chrono::TimeDelta::seconds(seconds))
    };
    let from = moment(first, at.map_or(Some(0), seconds)?)?;
    // A day without a time is in the window to its end.
    let to = moment(last, end.map_or(Some(DAY), seconds)?)?;
    Some(Span::Once { from, to })
}

/// `Mon-Fri,Sun`.
fn days(text: &str) -> Option<[bool; 7]> {
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (mut day, last) = (weekday(first)?, weekday(last)?);
        loop {
            *days.get_mut(day.num_days_from_monday() as usize)? = true;
            if day == last {
                break;
            }
            day = day.succ();
        }
    }
    Some(days)
}

fn weekday(name: &str) -> Option<Weekday> {
    name.parse().ok()
}

/// `09:30`, in seconds; `24:00` is the end of a day.
fn seconds(text: &str) -> Option<i64> {
    if text == "24:00" {
        return Some(DAY);
    }
    let is_plain = text.len() == 5;
    let time = NaiveTime::parse_from_str(text, "%H:%M").ok().filter(|_| is_plain)?;
    Some((time - NaiveTime::MIN).num_seconds())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
    }

    /// Instants that are in the window, and those that are not.
    fn check(window: &str, inside: &[&str], outside: &[&str]) {
        let freeze = Freeze::parse(window).unwrap();
        for text in inside {
            assert!(freeze.holds(at(text)), "{text} is in {window}");
        }
        for text in outside {
            assert!(!freeze.holds(at(text)), "{text} is not in {window}");
        }
    }

    fn ends(window: &str, now: &str, end: &str) {
        let windows = [Freeze::parse(window).unwrap()];
        assert_eq!(thawed(&windows, at(now)), at(end), "{now} in {window}");
    }

    #[test]
    fn a_window_is_by_the_clock_of_its_zone() {
        // Berlin is an hour before UTC in winter, two in summer.
        check(
            "16:00-08:00 Europe/Berlin",
            &["2026-01-12T15:00:00Z", "2026-01-12T06:59:59Z", "2026-07-13T14:00:00Z"],
            &["2026-01-12T14:59:59Z", "2026-01-12T07:00:00Z", "2026-07-13T06:00:00Z"],
        );
        check(
            "Fri 16:00 - Mon 08:00 America/New_York",
            &["2026-11-20T21:00:00Z", "2026-11-22T00:00:00Z", "2026-11-23T12:59:00Z"],
            &["2026-11-20T20:59:00Z", "2026-11-23T13:00:00Z", "2026-11-18T00:00:00Z"],
        );
        check(
            "2026-12-20 - 2027-01-02 Asia/Kolkata",
            &["2026-12-19T18:30:00Z", "2027-01-02T18:29:00Z"],
            &["2026-12-19T18:29:00Z", "2027-01-02T18:30:00Z"],
        );
    }

    #[test]
    fn when_clocks_are_set_the_instant_decides() {
        // Berlin, 29 March 2026: 01:59:59 is followed by 03:00. A window within the hour that is left out never is.
        check(
            "02:15-02:45 Europe/Berlin",
            &["2026-03-28T01:30:00Z"],
            &["2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"],
        );
        // 25 October 2026: 02:00 to 03:00 comes twice, and both are in the window.
        check(
            "02:15-02:45 Europe/Berlin",
            &["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"],
            &["2026-10-25T00:50:00Z", "2026-10-25T01:50:00Z"],
        );
    }

    #[test]
    fn the_end_counts_the_hour_that_is_left_out_or_comes_twice() {
        let weekend = "fri 16:00 - mon 08:00 Europe/Berlin";
        ends(weekend, "2026-11-20T15:00:00Z", "2026-11-23T07:00:00Z");
        ends(weekend, "2026-03-27T15:00:00Z", "2026-03-30T06:00:00Z");
        ends(weekend, "2026-10-23T14:00:00Z", "2026-10-26T07:00:00Z");
        ends(weekend, "2026-11-24T12:00:00Z", "2026-11-24T12:00:00Z");
        // Its end is in the hour that is left out.
        ends("01:00-02:30 Europe/Berlin", "2026-03-29T00:59:00Z", "2026-03-29T01:00:00Z");
        let windows = [
            Freeze::parse("16:00-20:00").unwrap(),
            Freeze::parse("2026-11-20 19:00 - 2026-11-20 23:00 UTC").unwrap(),
        ];
        assert_eq!(thawed(&windows, at("2026-11-20T17:00:00Z")), at("2026-11-20T23:00:00Z"));
    }

    #[test]
    fn days_of_the_week_begin_it_and_midnight_does_not_end_it() {
        check(
            "Mon-Fri 09:00-17:00 Europe/Berlin",
            &["2026-11-16T08:00:00Z", "2026-11-20T15:59:59Z"],
            &["2026-11-16T07:59:59Z", "2026-11-20T16:00:00Z", "2026-11-21T12:00:00Z"],
        );
        check(
            "fri,sun 22:00-06:00",
            &["2026-11-20T23:00:00Z", "2026-11-21T05:59:00Z", "2026-11-23T05:59:00Z"],
            &["2026-11-20T05:00:00Z", "2026-11-21T23:00:00Z", "2026-11-23T06:00:00Z"],
        );
        check(
            "Sat-Mon 00:00-24:00",
            &["2026-11-22T23:59:00Z", "2026-11-23T23:59:00Z"],
            &["2026-11-24T00:00:00Z"],
        );
        ends("Sat-Mon 00:00-24:00", "2026-11-21T12:00:00Z", "2026-11-24T00:00:00Z");
        ends("Fri 22:00-06:00", "2026-11-21T01:00:00Z", "2026-11-21T06:00:00Z");
        ends("Sat 12:00 - Sun 24:00", "2026-11-22T23:00:00Z", "2026-11-23T00:00:00Z");
    }

    #[test]
    fn what_is_not_a_window_is_refused() {
        for text in [
            "",
            "Mon",
            "09:00",
            "9:00-17:00",
            "09:60-10:00",
            "24:00-25:00",
            "Mon-Foo 09:00-10:00",
            "Fri 16:00 - 17:00",
            "Fri - Mon",
            "2026-12-20",
            "2026-12-20 - Mon",
            "09:00-10:00 'x'",
        ] {
            let error = Freeze::parse(text).unwrap_err();
            assert!(
                matches!(error, InvalidFreeze::Form(_) | InvalidFreeze::Zone(_)),
                "{text}: {error}"
            );
        }
        for (text, message) in [
            ("16:00-17:00 Europe/Berln", "\"Europe/Berln\" is not a time zone"),
            ("Fri 16:00 - 17:00 UTC", "\"Fri 16:00 - 17:00 UTC\" is not a window such as"),
            ("16:00-16:00", "\"16:00-16:00\" ends before"),
            ("2026-12-20 - 2026-12-19", "\"2026-12-20 - 2026-12-19\" ends before"),
        ] {
            let error = Freeze::parse(text).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
