//! Which database server a plan is for.

use std::fmt;

/// A family of servers with a dialect of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Engine {
    /// PostgreSQL 13 and newer.
    Postgres,
    /// MySQL 8.0 and newer.
    MySql,
    /// MariaDB 10.6 and newer.
    MariaDb,
}

impl Engine {
    /// The word of `zdm.toml`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
            Self::MariaDb => "mariadb",
        }
    }

    /// The name that people use.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::MySql => "MySQL",
            Self::MariaDb => "MariaDB",
        }
    }

    /// The engine that a word of `zdm.toml` or the scheme of a URL means.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "postgres" | "postgresql" => Some(Self::Postgres),
            "mysql" => Some(Self::MySql),
            "mariadb" => Some(Self::MariaDb),
            _ => None,
        }
    }

    /// Whether this is MySQL or MariaDB: no transactional DDL, no schemas inside a database.
    pub(crate) fn is_mysql_family(self) -> bool {
        matches!(self, Self::MySql | Self::MariaDb)
    }
}

/// A server: its family and version, from `zdm.toml`, `--server` or a live connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Server {
    /// The family.
    pub(crate) engine: Engine,
    /// `(15, 18)` for PostgreSQL 15.18, `(10, 11)` for MariaDB 10.11.19.
    pub(crate) version: (u16, u16),
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor) = self.version;
        write!(f, "{} {major}", self.engine.title())?;
        // PostgreSQL's second number is a patch level; the others' is part of the version.
        if self.engine.is_mysql_family() { write!(f, ".{minor}") } else { Ok(()) }
    }
}
