//! `[gate.freeze.NAME]`: when nothing is to be contracted, in the clock of a time zone.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;

/// Seconds of a day, and of a week.
const DAY: i64 = 86_400;
const WEEK: i64 = 7 * DAY;
/// 1970 began on a Thursday.
const FIRST_MONDAY: i64 = 4 * DAY;
/// Windows that follow on each other for longer than this have no end that anybody waits for.
const LOOKS: u32 = 2000;

/// A window in which nothing is contracted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Freeze {
    /// What it is called.
    pub(crate) name: String,
    /// Whose clock counts.
    pub(crate) zone: Tz,
    /// As it was written: from, to.
    pub(crate) words: (String, String),
    span: Span,
}

/// From when to when, by the zone's clock: the end is no longer in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Span {
    /// Every day or every week: seconds since midnight, or since Monday's midnight.
    Again { from: i64, to: i64, period: i64 },
    /// Once.
    Once { from: NaiveDateTime, to: NaiveDateTime },
}

/// One end of a window.
enum Edge {
    Daily(i64),
    Weekly(i64),
    /// A day as a whole, when there is no time.
    Date(NaiveDate, Option<NaiveTime>),
}

impl Freeze {
    /// A window, or why the texts are none.
    pub(crate) fn new(name: &str, zone: &str, from: &str, to: &str) -> Result<Self, String> {
        let unknown = |_unknown: chrono_tz::ParseError| {
            format!("\"{zone}\" is not a time zone such as \"Europe/Berlin\" or \"UTC\"")
        };
        let zone: Tz = zone.parse().map_err(unknown)?;
        let span = match (edge(from)?, edge(to)?) {
            (Edge::Daily(from), Edge::Daily(to)) => Span::Again { from, to, period: DAY },
            (Edge::Weekly(from), Edge::Weekly(to)) => Span::Again { from, to, period: WEEK },
            (Edge::Date(first, from), Edge::Date(last, to)) => {
                // A day without a time is in the window to its end.
                let after = to.map_or_else(|| last.checked_add_days(Days::new(1)), |_| Some(last));
                let after = after.unwrap_or(last);
                Span::Once {
                    from: first.and_time(from.unwrap_or_default()),
                    to: after.and_time(to.unwrap_or_default()),
                }
            }
            _ => return Err(format!("\"{from}\" and \"{to}\" are not of one kind: {KINDS}")),
        };
        let is_empty = match span {
            Span::Again { from, to, .. } => from == to,
            Span::Once { from, to } => from >= to,
        };
        if is_empty {
            return Err(format!("\"{to}\" does not come after \"{from}\""));
        }
        let words = (from.to_owned(), to.to_owned());
        Ok(Self { name: name.to_owned(), zone, words, span })
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
            Span::Again { from, to, period } => {
                let at = (seconds - FIRST_MONDAY).rem_euclid(period);
                let is_in = if from < to { from <= at && at < to } else { from <= at || at < to };
                is_in.then(|| (to - at).rem_euclid(period))
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

const KINDS: &str = "write \"16:00\" for every day, \"Fri 16:00\" for every week, or \"2026-12-20\" or \"2026-12-20 16:00\"";

fn edge(text: &str) -> Result<Edge, String> {
    let wrong = || format!("\"{text}\" is not a time: {KINDS}");
    let time = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").ok();
    let date = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let seconds = |time: NaiveTime| (time - NaiveTime::MIN).num_seconds();
    let words: Vec<&str> = text.split_whitespace().collect();
    let found = match words.as_slice() {
        [one] => match (time(one), date(one)) {
            (Some(time), _) => Some(Edge::Daily(seconds(time))),
            (None, Some(date)) => Some(Edge::Date(date, None)),
            (None, None) => None,
        },
        [day, at] => match (time(at), date(day), day.parse::<chrono::Weekday>().ok()) {
            (Some(time), Some(date), _) => Some(Edge::Date(date, Some(time))),
            (Some(time), None, Some(day)) => {
                Some(Edge::Weekly(i64::from(day.num_days_from_monday()) * DAY + seconds(time)))
            }
            _ => None,
        },
        _ => None,
    };
    found.ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
    }

    /// Instants that are in the window, and those that are not.
    fn check((zone, from, to): (&str, &str, &str), inside: &[&str], outside: &[&str]) {
        let window = Freeze::new("w", zone, from, to).unwrap();
        for text in inside {
            assert!(window.holds(at(text)), "{text} is in {from} to {to}, {zone}");
        }
        for text in outside {
            assert!(!window.holds(at(text)), "{text} is not in {from} to {to}, {zone}");
        }
    }

    fn ends((zone, from, to): (&str, &str, &str), now: &str, end: &str) {
        let windows = [Freeze::new("w", zone, from, to).unwrap()];
        assert_eq!(thawed(&windows, at(now)), at(end), "{now} in {from} to {to}, {zone}");
    }

    #[test]
    fn a_window_is_by_the_clock_of_its_zone() {
        // Berlin is an hour before UTC in winter, two in summer.
        check(
            ("Europe/Berlin", "16:00", "08:00"),
            &["2026-01-12T15:00:00Z", "2026-01-12T06:59:59Z", "2026-07-13T14:00:00Z"],
            &["2026-01-12T14:59:59Z", "2026-01-12T07:00:00Z", "2026-07-13T06:00:00Z"],
        );
        check(
            ("America/New_York", "Fri 16:00", "Mon 08:00"),
            &["2026-11-20T21:00:00Z", "2026-11-22T00:00:00Z", "2026-11-23T12:59:00Z"],
            &["2026-11-20T20:59:00Z", "2026-11-23T13:00:00Z", "2026-11-18T00:00:00Z"],
        );
        check(
            ("Asia/Kolkata", "2026-12-20", "2027-01-02"),
            &["2026-12-19T18:30:00Z", "2027-01-02T18:29:00Z"],
            &["2026-12-19T18:29:00Z", "2027-01-02T18:30:00Z"],
        );
    }

    #[test]
    fn when_clocks_are_set_the_instant_decides() {
        // Berlin, 29 March 2026: 01:59:59 is followed by 03:00. A window within the hour that is left out never is.
        check(
            ("Europe/Berlin", "02:15", "02:45"),
            &["2026-03-28T01:30:00Z"],
            &["2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"],
        );
        // 25 October 2026: 02:00 to 03:00 comes twice, and both are in the window.
        check(
            ("Europe/Berlin", "02:15", "02:45"),
            &["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"],
            &["2026-10-25T00:50:00Z", "2026-10-25T01:50:00Z"],
        );
    }

    #[test]
    fn the_end_counts_the_hour_that_is_left_out_or_comes_twice() {
        let weekend = ("Europe/Berlin", "Fri 16:00", "Mon 08:00");
        ends(weekend, "2026-11-20T15:00:00Z", "2026-11-23T07:00:00Z");
        ends(weekend, "2026-03-27T15:00:00Z", "2026-03-30T06:00:00Z");
        ends(weekend, "2026-10-23T14:00:00Z", "2026-10-26T07:00:00Z");
        ends(weekend, "2026-11-24T12:00:00Z", "2026-11-24T12:00:00Z");
        // Its end is in the hour that is left out.
        ends(("Europe/Berlin", "01:00", "02:30"), "2026-03-29T00:59:00Z", "2026-03-29T01:00:00Z");
        let windows = [
            Freeze::new("evening", "UTC", "16:00", "20:00").unwrap(),
            Freeze::new("party", "UTC", "2026-11-20 19:00", "2026-11-20 23:00").unwrap(),
        ];
        assert_eq!(thawed(&windows, at("2026-11-20T17:00:00Z")), at("2026-11-20T23:00:00Z"));
    }

    #[test]
    fn what_is_not_a_window_is_refused() {
        for (zone, from, to, message) in [
            ("Europe/Berln", "16:00", "17:00", "\"Europe/Berln\" is not a time zone"),
            ("UTC", "Fri", "17:00", "\"Fri\" is not a time: write"),
            ("UTC", "25:00", "17:00", "\"25:00\" is not a time"),
            ("UTC", "16:00", "Fri 17:00", "\"16:00\" and \"Fri 17:00\" are not of one kind"),
            ("UTC", "16:00", "16:00", "\"16:00\" does not come after \"16:00\""),
            ("UTC", "2026-12-20", "2026-12-19", "\"2026-12-19\" does not come after"),
        ] {
            let error = Freeze::new("w", zone, from, to).unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
