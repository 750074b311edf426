//! Who stands in the way of a lock, by name.

use std::fmt;
use std::time::Duration;

use super::connection::Connection;
use super::error::DbError;
use crate::model::name::TableName;
use crate::sql::quote;

/// Longer statements are cut when they are shown.
const SHOWN: usize = 120;

/// Somebody who holds a lock, or may hold one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Blocker {
    /// What it is.
    pub(crate) kind: BlockerKind,
    /// The server's number for its connection; none for a prepared transaction.
    pub(crate) backend: Option<i64>,
    /// The database user.
    pub(crate) user: Option<String>,
    /// As its connection names itself.
    pub(crate) application: Option<String>,
    /// From where it is connected.
    pub(crate) host: Option<String>,
    /// How long its transaction is open; unknown to a role that may not see it.
    pub(crate) age: Option<Duration>,
    /// `active`, `idle in transaction`, ...: as the server writes it.
    pub(crate) state: Option<String>,
    /// Its last statement.
    pub(crate) query: Option<String>,
    /// The tables that it holds, as far as the server tells.
    pub(crate) tables: Vec<String>,
}

/// What stands in the way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum BlockerKind {
    /// A session.
    Session,
    /// A session of the same database with an open transaction: the server does not tell what it holds.
    Possible,
    /// An autovacuum, which gives way to whoever waits longer than `deadlock_timeout` for its lock.
    Autovacuum,
    /// An autovacuum that prevents transaction ids from running out, and gives way to nobody.
    AutovacuumToPreventWraparound,
    /// A prepared transaction: it belongs to no connection, and ends by COMMIT PREPARED or ROLLBACK PREPARED alone.
    Prepared(String),
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            BlockerKind::Session => f.write_str("session")?,
            BlockerKind::Possible => f.write_str("perhaps session")?,
            BlockerKind::Autovacuum => f.write_str("autovacuum")?,
            BlockerKind::AutovacuumToPreventWraparound => {
                f.write_str("autovacuum (to prevent wraparound)")?;
            }
            BlockerKind::Prepared(name) => write!(f, "prepared transaction \"{name}\"")?,
        }
        if let Some(backend) = self.backend {
            write!(f, " {backend}")?;
        }
        let named =
            [("user", &self.user), ("application", &self.application), ("host", &self.host)];
        let named: Vec<_> = named
            .into_iter()
            .filter_map(|(title, name)| {
                Some(format!("{title} {}", name.as_deref().filter(|n| !n.is_empty())?))
            })
            .collect();
        if !named.is_empty() {
            write!(f, " ({})", named.join(", "))?;
        }
        if !self.tables.is_empty() {
            write!(f, " holds {}", self.tables.join(", "))?;
        }
        if let Some(age) = self.age {
            write!(f, ", open for {:.1} s", age.as_secs_f64())?;
        }
        if let Some(state) = self.state.as_deref().filter(|state| !state.is_empty()) {
            write!(f, ", {state}")?;
        }
        let query = self.query.as_deref().map(shorten).filter(|query| !query.is_empty());
        query.map_or(Ok(()), |query| write!(f, ": {query}"))
    }
}

/// One line, and not too long a one.
fn shorten(query: &str) -> String {
    let line = query.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = line.chars().take(SHOWN).collect();
    if short.len() < line.len() {
        short.push_str(" ...");
    }
    short
}

impl Connection {
    /// Who holds locks on these tables that a strong lock would have to wait for, in a transaction older than
    /// `older_than` (or of an age that this role may not see). Tables that do not exist have none.
    ///
    /// MariaDB and MySQL count ages in whole seconds. Where the server does not tell who holds what (see
    /// [`Connection::blind_spots`]), every older transaction of the same database is [`BlockerKind::Possible`].
    pub(crate) async fn blockers(
        &mut self,
        tables: &[TableName],
        older_than: Duration,
    ) -> Result<Vec<Blocker>, DbError> {
        if tables.is_empty() {
            return Ok(Vec::new());
        }
        let found = if self.engine().is_mysql_family() {
            super::mysql::holders(self, tables).await?
        } else {
            super::postgres::holders(self, tables).await?
        };
        Ok(found.into_iter().filter(|one| one.age.is_none_or(|age| age > older_than)).collect())
    }

    /// Makes ordinary autovacuums of these tables give way (PostgreSQL), and returns when they have, or with
    /// [`DbErrorKind::LockTimeout`](super::error::DbErrorKind::LockTimeout).
    ///
    /// An autovacuum is cancelled when somebody has waited for its lock for `deadlock_timeout` (1 s by default; manual,
    /// section 25.1.6). Readers and writers must not wait behind that, so the lock that is asked for is one that
    /// conflicts with them in nothing. It is given back at once; the next autovacuum comes after `autovacuum_naptime`.
    /// The connection's [`LockLimit`](super::connection::LockLimit) must be longer than `deadlock_timeout`.
    pub(crate) async fn displace_autovacuum(
        &mut self,
        tables: &[TableName],
    ) -> Result<(), DbError> {
        if self.engine().is_mysql_family() {
            return Ok(());
        }
        self.begin().await?;
        for table in tables {
            let name = quote::table(self.engine(), table);
            let sql = format!("LOCK TABLE ONLY {name} IN SHARE UPDATE EXCLUSIVE MODE");
            if let Err(error) = self.run(&sql).await {
                self.rollback().await?;
                return Err(error);
            }
        }
        self.commit().await
    }

    /// Who keeps that backend waiting right now. Empty: nobody, or nobody that the server tells of.
    pub(crate) async fn blocking(&mut self, backend: i64) -> Result<Vec<Blocker>, DbError> {
        if self.engine().is_mysql_family() {
            super::mysql::blocking(self, backend).await
        } else {
            super::postgres::blocking(self, backend).await
        }
    }

    /// What this connection cannot see of other people's locks, with what would show it, in sentences.
    pub(crate) async fn blind_spots(&mut self) -> Result<Vec<String>, DbError> {
        if self.engine().is_mysql_family() {
            super::mysql::blind_spots(self).await
        } else {
            super::postgres::blind_spots(self).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blocker_is_named_in_one_line() {
        let mut blocker = Blocker {
            kind: BlockerKind::Session,
            backend: Some(42),
            user: Some("api".into()),
            application: Some(String::new()),
            host: Some("10.0.0.7".into()),
            age: Some(Duration::from_millis(8049)),
            state: Some("idle in transaction".into()),
            query: Some("SELECT *\n  FROM users".into()),
            tables: vec!["users".into()],
        };
        assert_eq!(
            blocker.to_string(),
            "session 42 (user api, host 10.0.0.7) holds users, open for 8.0 s, idle in transaction: SELECT * FROM users"
        );
        blocker.query = Some("x".repeat(500));
        assert!(blocker.to_string().ends_with("xxx ..."));
    }
}
