//! What the applications did, and what they say to the story: lines of text.

use std::collections::BTreeMap;
use std::ops::AddAssign;

/// Counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Tally {
    /// Statements that applications ran.
    pub(super) statements: u64,
    /// Of them, those that the database refused, or that did nothing.
    pub(super) failed: u64,
    /// Rows that were read and compared with what must be there.
    pub(super) checked: u64,
    /// Of them, those that held something else.
    pub(super) wrong: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.statements += other.statements;
        self.failed += other.failed;
        self.checked += other.checked;
        self.wrong += other.wrong;
    }
}

impl Tally {
    /// Whether nothing went wrong.
    pub(super) fn is_clean(&self) -> bool {
        self.failed == 0 && self.wrong == 0
    }
}

/// Rows by key, with the value that was written last and acknowledged.
pub(super) type Written = BTreeMap<i64, String>;

/// One line from an application.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Message {
    /// It has its lease, and works.
    Joined,
    /// It was not let in.
    Refused(String),
    /// Its counts up to now.
    Tally(Tally),
    /// A statement failed, or a row was wrong.
    Problem(String),
    /// When it ends: what a row must hold.
    Wrote(i64, String),
}

impl Message {
    /// As a line, without its end.
    pub(super) fn line(&self) -> String {
        match self {
            Self::Joined => "joined".to_owned(),
            Self::Refused(text) => format!("refused {}", one_line(text)),
            Self::Tally(Tally { statements, failed, checked, wrong }) => {
                format!("tally {statements} {failed} {checked} {wrong}")
            }
            Self::Problem(text) => format!("problem {}", one_line(text)),
            Self::Wrote(key, value) => format!("wrote {key} {value}"),
        }
    }

    /// From a line; `None` for anything else.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        Some(match word {
            "joined" => Self::Joined,
            "refused" => Self::Refused(rest.to_owned()),
            "problem" => Self::Problem(rest.to_owned()),
            "wrote" => {
                let (key, value) = rest.split_once(' ')?;
                Self::Wrote(key.parse().ok()?, value.to_owned())
            }
            "tally" => {
                let mut numbers = rest.split(' ').map(str::parse);
                let mut next = || numbers.next()?.ok();
                let (statements, failed, checked, wrong) = (next()?, next()?, next()?, next()?);
                Self::Tally(Tally { statements, failed, checked, wrong })
            }
            _ => return None,
        })
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_survives_its_line() {
        let tally = Tally { statements: 4, failed: 3, checked: 2, wrong: 1 };
        for message in [
            Message::Joined,
            Message::Refused("too old: deploy another".to_owned()),
            Message::Tally(tally),
            Message::Problem("a b".to_owned()),
            Message::Wrote(7, "person 7 v3".to_owned()),
        ] {
            assert_eq!(Message::parse(&message.line()), Some(message));
        }
        assert_eq!(Message::parse("something else"), None);
    }
}
