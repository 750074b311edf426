//! Times of the week in which no batch runs: `Mon-Fri 09:00-17:00 Europe/Berlin`.

use std::fmt;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// A time of the week, on the clocks of a zone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Freeze {
    text: String,
    /// Monday first: the days on which it begins.
    days: [bool; 7],
    /// Minutes since midnight.
    from: u16,
    /// Not after midnight of the same day, unless it is before `from`: then it is of the next day.
    to: u16,
    /// As the server knows it.
    pub(crate) zone: String,
}

/// Why a text is no time of the week.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "\"{0}\" is not a time of the week such as \"Mon-Fri 09:00-17:00 Europe/Berlin\" or \"22:00-06:00\""
)]
pub(crate) struct InvalidFreeze(String);

impl Freeze {
    /// Reads `[days] from-to [zone]`: every day, and UTC, when they are left out.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidFreeze> {
        read(text).ok_or_else(|| InvalidFreeze(text.to_owned()))
    }

    /// Whether a moment lies in it: a day, from 0 for Monday, and a minute of that day.
    pub(crate) fn holds(&self, day: usize, minute: u16) -> bool {
        let is_on = |day: usize| self.days.get(day % 7).copied().unwrap_or(false);
        if self.from < self.to {
            return is_on(day) && (self.from..self.to).contains(&minute);
        }
        (is_on(day) && minute >= self.from) || (is_on(day + 6) && minute < self.to)
    }
}

impl fmt::Display for Freeze {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn read(text: &str) -> Option<Freeze> {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    let first = words.first()?;
    let days = if first.contains(':') { [true; 7] } else { days(words.remove(0))? };
    let mut words = words.into_iter();
    let (from, to) = words.next()?.split_once('-')?;
    let (from, to) = (minute(from)?, minute(to)?);
    let zone = words.next().unwrap_or("UTC");
    let is_zone = |b: u8| b.is_ascii_alphanumeric() || b"_+-/".contains(&b);
    let is_right = from != to && from < DAY && zone.bytes().all(is_zone) && words.next().is_none();
    is_right.then(|| Freeze { text: text.to_owned(), days, from, to, zone: zone.to_owned() })
}

/// `Mon-Fri,Sun`.
fn days(text: &str) -> Option<[bool; 7]> {
    let number = |name: &str| DAYS.iter().position(|day| day.eq_ignore_ascii_case(name));
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (number(first)?, number(last)?);
        for step in 0..=(last + 7 - first) % 7 {
            *days.get_mut((first + step) % 7)? = true;
        }
    }
    Some(days)
}

/// `09:30`; `24:00` is the end of a day.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let is_plain = [hour, minute].iter().all(|part| part.len() == 2);
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let all = hour * 60 + minute;
    (is_plain && minute < 60 && all <= DAY).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str, day: &str, time: &str) -> bool {
        let day = DAYS.iter().position(|name| *name == day).unwrap();
        Freeze::parse(text).unwrap().holds(day, minute(time).unwrap())
    }

    #[test]
    fn a_window_holds_from_its_first_minute_up_to_its_last() {
        let office = "Mon-Fri 09:00-17:00 Europe/Berlin";
        assert_eq!(Freeze::parse(office).unwrap().zone, "Europe/Berlin");
        for (day, time, is_in) in [
            ("Mon", "08:59", false),
            ("Mon", "09:00", true),
            ("Fri", "16:59", true),
            ("Fri", "17:00", false),
            ("Sat", "12:00", false),
        ] {
            assert_eq!(holds(office, day, time), is_in, "{day} {time}");
        }
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_on_which_it_begins() {
        let night = "fri,sun 22:00-06:00";
        for (day, time, is_in) in [
            ("Fri", "05:00", false),
            ("Fri", "23:00", true),
            ("Sat", "05:59", true),
            ("Sat", "23:00", false),
            ("Mon", "05:59", true),
        ] {
            assert_eq!(holds(night, day, time), is_in, "{day} {time}");
        }
        assert!(holds("Sat-Mon 00:00-24:00", "Sun", "23:59"));
        assert!(!holds("Sat-Mon 00:00-24:00", "Tue", "00:00"));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "Mon",
            "09:00",
            "09:00-09:00",
            "9:00-17:00",
            "09:60-10:00",
            "24:00-25:00",
            "Mon-Foo 09:00-10:00",
            "09:00-10:00 Europe/Berlin x",
            "09:00-10:00 'x'",
        ] {
            assert!(Freeze::parse(text).is_err(), "{text}");
        }
    }
}
