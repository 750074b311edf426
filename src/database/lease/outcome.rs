//! What the functions answer.

use std::time::Duration;

use super::calls::LeaseError;
use crate::database::session::Row;
use crate::model::fence::FenceKind;
use crate::model::lease::{Need, parse_needs};
use crate::model::name::MigrationId;

/// The fence that turned an instance away.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Obstacle {
    /// What it asks.
    pub(crate) kind: FenceKind,
    /// For which migration.
    pub(crate) migration: MigrationId,
}

/// What became of a join.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Joined {
    /// There is a lease, which holds for `ttl` from before the call was sent.
    Lease { id: i64, ttl: Duration },
    /// A gate is deciding, and has been told that somebody knocked: ask again.
    Fencing(Obstacle),
    /// Decided: such an instance must not start.
    Fenced(Obstacle),
    /// What it needs is not there yet: ask again.
    Missing(Vec<Need>),
}

/// What became of a renewal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Renewed {
    /// The lease holds for `ttl` from before the call was sent.
    Held { ttl: Duration },
    /// A gate is deciding, and has been told that somebody knocked: ask again, and serve on until the deadline.
    Fencing(Obstacle),
    /// Decided: such an instance must stop.
    Fenced(Obstacle),
    /// There is no such lease, or it has expired or been left: join again.
    Gone,
}

impl Joined {
    /// Reads the row `(outcome, lease, ttl_ms, detail)`.
    pub(super) fn read(row: &Row) -> Result<Self, LeaseError> {
        match row.text(0)?.as_str() {
            "joined" => Ok(Self::Lease { id: row.int(1)?, ttl: ttl(row, 2)? }),
            "fencing" => Ok(Self::Fencing(obstacle(row, 3)?)),
            "fenced" => Ok(Self::Fenced(obstacle(row, 3)?)),
            "missing" => Ok(Self::Missing(parse_needs(&row.text(3)?))),
            other => Err(LeaseError::Answer(other.to_owned())),
        }
    }
}

impl Renewed {
    /// Reads the row `(outcome, ttl_ms, detail)`.
    pub(super) fn read(row: &Row) -> Result<Self, LeaseError> {
        match row.text(0)?.as_str() {
            "renewed" => Ok(Self::Held { ttl: ttl(row, 1)? }),
            "fencing" => Ok(Self::Fencing(obstacle(row, 2)?)),
            "fenced" => Ok(Self::Fenced(obstacle(row, 2)?)),
            "gone" => Ok(Self::Gone),
            other => Err(LeaseError::Answer(other.to_owned())),
        }
    }
}

fn ttl(row: &Row, column: usize) -> Result<Duration, LeaseError> {
    let milliseconds = row.int(column)?;
    let positive = u64::try_from(milliseconds).ok().filter(|ms| *ms > 0);
    positive
        .map(Duration::from_millis)
        .ok_or_else(|| LeaseError::Answer(format!("a lease of {milliseconds} ms")))
}

/// Reads `tolerate=0002_x` or `withdraw=0002_x`.
fn obstacle(row: &Row, column: usize) -> Result<Obstacle, LeaseError> {
    let detail = row.text(column)?;
    let parse = || {
        let (kind, name) = detail.split_once('=')?;
        Some(Obstacle { kind: FenceKind::parse(kind)?, migration: MigrationId::parse(name).ok()? })
    };
    parse().ok_or_else(|| LeaseError::Answer(detail.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::session::Value;

    fn row(values: &[&str]) -> Row {
        let value = |text: &&str| match *text {
            "" => Value::Null,
            text => Value::from(text),
        };
        Row(values.iter().map(value).collect())
    }

    #[test]
    fn answers_are_read() {
        let ttl = Duration::from_mins(1);
        let migration = MigrationId::parse("0002_x").unwrap();
        let obstacle = Obstacle { kind: FenceKind::Withdraw, migration };
        for (answer, joined) in [
            (["joined", "7", "60000", ""], Joined::Lease { id: 7, ttl }),
            (["fenced", "", "", "withdraw=0002_x"], Joined::Fenced(obstacle.clone())),
            (["fencing", "", "", "withdraw=0002_x"], Joined::Fencing(obstacle.clone())),
        ] {
            assert_eq!(Joined::read(&row(&answer)).unwrap(), joined);
        }
        for (answer, renewed) in [
            (["renewed", "60000", ""], Renewed::Held { ttl }),
            (["fenced", "60000", "withdraw=0002_x"], Renewed::Fenced(obstacle)),
            (["gone", "", ""], Renewed::Gone),
        ] {
            assert_eq!(Renewed::read(&row(&answer)).unwrap(), renewed);
        }
    }

    #[test]
    fn an_answer_that_cannot_be_understood_grants_nothing() {
        for answer in [
            ["joined", "7", "0", ""],
            ["joined", "7", "-1", ""],
            ["maybe", "7", "60000", ""],
            ["fenced", "", "", "explode=0002_x"],
            ["joined", "", "60000", ""],
        ] {
            assert!(Joined::read(&row(&answer)).is_err(), "{answer:?}");
        }
    }
}
