//! One connection to whatever database a target names.

use std::time::Duration;

use super::address::{Address, Scheme};
use super::dialect;
use super::error::{DbError, DbErrorKind};
use super::session::{Canceller, Row, Session, Value};
use super::target::Target;
use crate::model::server::{Engine, Server};

/// How long a statement may wait for a lock before the server fails it with [`DbErrorKind::LockTimeout`].
///
/// MySQL and MariaDB count whole seconds: there it is rounded up, and never less than one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct LockLimit(pub(crate) Duration);

impl LockLimit {
    /// For strong locks, which hold up everyone behind them: 100 ms.
    pub(crate) const SHORT: Self = Self(Duration::from_millis(100));
    /// For the closing lock of a build that took long, and would be lost: 2 s.
    pub(crate) const CLOSING: Self = Self(Duration::from_secs(2));
    /// For zdm's own state and what holds up nobody: 5 s. Every connection begins with it.
    pub(crate) const PATIENT: Self = Self(Duration::from_secs(5));
}

/// One connection to one database, of either family.
pub(crate) struct Connection {
    session: Box<dyn Session>,
    server: Server,
    /// Whether the last statement failed, which dooms a transaction of PostgreSQL.
    failed: bool,
    /// When InnoDB's view of transactions was last read through this connection (MySQL, MariaDB).
    #[cfg(feature = "engine")]
    pub(super) looked: Option<std::time::Instant>,
}

impl Connection {
    /// Connects, and makes the session's settings: role, `search_path`, UTC, READ COMMITTED, [`LockLimit::PATIENT`].
    ///
    /// Of several servers the first that can be reached and takes writes; with `target_session_attrs` the first that is
    /// as it says.
    pub(crate) async fn open(target: &Target) -> Result<Self, DbError> {
        let address = Address::parse(&target.url)?;
        let mut passed = Vec::new();
        for server in address.servers() {
            let error = match Self::open_one(target, &server).await {
                Ok(mut connection) => {
                    if address.takes_any_server() || !connection.is_read_only().await? {
                        return Ok(connection);
                    }
                    connection.close().await;
                    DbError::new(DbErrorKind::ReadOnly, "it takes no writes")
                }
                Err(error) => error,
            };
            // A wrong password is wrong on the others, too.
            if !matches!(error.kind, DbErrorKind::Unreachable | DbErrorKind::ReadOnly) {
                return Err(error);
            }
            passed.push((server, error));
        }
        Err(none_of(passed))
    }

    async fn open_one(target: &Target, address: &Address) -> Result<Self, DbError> {
        let (session, server) = match address.scheme {
            #[cfg(feature = "postgres")]
            Scheme::Postgres => super::postgres::open(target, address).await?,
            #[cfg(not(feature = "postgres"))]
            Scheme::Postgres => return Err(not_built("PostgreSQL", "postgres")),
            #[cfg(feature = "mysql")]
            Scheme::MySql => super::mysql::open(target, address).await?,
            #[cfg(not(feature = "mysql"))]
            Scheme::MySql => return Err(not_built("MySQL and MariaDB", "mysql")),
        };
        let mut connection = Self {
            session,
            server,
            failed: false,
            #[cfg(feature = "engine")]
            looked: None,
        };
        connection.limit_lock_waits(LockLimit::PATIENT).await?;
        Ok(connection)
    }

    /// Whether the server takes no writes: a standby, or one that is set to read only.
    pub(crate) async fn is_read_only(&mut self) -> Result<bool, DbError> {
        let sql = if self.engine().is_mysql_family() {
            "SELECT @@GLOBAL.read_only"
        } else {
            "SELECT (pg_catalog.pg_is_in_recovery() OR \
             pg_catalog.current_setting('transaction_read_only')::boolean)::int"
        };
        self.query_one(sql, &[]).await?.bool(0)
    }

    /// The server, as it describes itself.
    pub(crate) fn server(&self) -> Server {
        self.server
    }

    /// The server's family.
    pub(crate) fn engine(&self) -> Engine {
        self.server.engine
    }

    /// A statement of zdm's own in the server's dialect: see [`dialect::translate`].
    pub(crate) fn sql(&self, text: &str) -> String {
        dialect::translate(self.engine(), text)
    }

    /// Runs one statement with parameters and returns its rows.
    pub(crate) async fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        let answer = self.session.query(sql, params).await;
        self.failed = answer.is_err();
        answer
    }

    /// Runs one statement that must return a row; the first one counts.
    pub(crate) async fn query_one(&mut self, sql: &str, params: &[Value]) -> Result<Row, DbError> {
        let rows = self.query(sql, params).await?;
        rows.into_iter()
            .next()
            .ok_or_else(|| DbError::new(DbErrorKind::Other, "the answer has no row"))
    }

    /// Runs one statement with parameters and returns how many rows it changed.
    pub(crate) async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DbError> {
        let answer = self.session.execute(sql, params).await;
        self.failed = answer.is_err();
        answer
    }

    /// Runs exactly one statement as it was written, by the text protocol.
    pub(crate) async fn run(&mut self, sql: &str) -> Result<u64, DbError> {
        let answer = self.session.run(sql).await;
        self.failed = answer.is_err();
        answer
    }

    /// Begins a transaction (READ COMMITTED).
    pub(crate) async fn begin(&mut self) -> Result<(), DbError> {
        self.run("START TRANSACTION").await.map(drop)
    }

    /// Commits. A transaction of PostgreSQL whose last statement failed is rolled back, and that is an error (the
    /// server itself would do it in silence).
    pub(crate) async fn commit(&mut self) -> Result<(), DbError> {
        if self.failed && self.engine() == Engine::Postgres {
            self.rollback().await?;
            let message = "the transaction was rolled back, because a statement in it had failed";
            return Err(DbError::new(DbErrorKind::Other, message));
        }
        self.run("COMMIT").await.map(drop)
    }

    /// Rolls back. Harmless when no transaction is open.
    pub(crate) async fn rollback(&mut self) -> Result<(), DbError> {
        self.run("ROLLBACK").await.map(drop)
    }

    /// The server's number for this connection: backend pid, or connection id.
    pub(crate) fn backend(&self) -> i64 {
        self.session.backend()
    }

    /// Something that can end this connection's statement from outside.
    pub(crate) fn canceller(&self) -> Box<dyn Canceller> {
        self.session.canceller()
    }

    /// Whether the connection has ended, or may be out of step, and must not be used again.
    pub(crate) fn is_closed(&self) -> bool {
        self.session.is_closed()
    }

    /// Says goodbye to the server.
    pub(crate) async fn close(self) {
        self.session.close().await;
    }

    /// Sets how long this connection's statements wait for locks, and reads it back: an error if the server (or a
    /// proxy before it) made something else of it.
    pub(crate) async fn limit_lock_waits(&mut self, limit: LockLimit) -> Result<(), DbError> {
        if self.engine().is_mysql_family() {
            let seconds = limit.0.as_millis().div_ceil(1000).max(1);
            let set = format!(
                "SET SESSION lock_wait_timeout = {seconds}, SESSION innodb_lock_wait_timeout = {seconds}"
            );
            self.run(&set).await?;
            let asked = "SELECT @@SESSION.lock_wait_timeout, @@SESSION.innodb_lock_wait_timeout";
            let row = self.query_one(asked, &[]).await?;
            let wanted = i64::try_from(seconds).unwrap_or(i64::MAX);
            return held(row.int(0)? == wanted && row.int(1)? == wanted);
        }
        let milliseconds = limit.0.as_millis().max(1).to_string();
        let set = "SELECT set_config('lock_timeout', ?, false)";
        self.query(set, &[milliseconds.as_str().into()]).await?;
        let asked = "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'lock_timeout'";
        held(self.query_one(asked, &[]).await?.text(0)? == milliseconds)
    }
}

/// Why none of some servers can be used: the error of the only one, or what each of several said.
fn none_of(mut passed: Vec<(Address, DbError)>) -> DbError {
    let Some(last) = passed.pop() else {
        return super::address::invalid("the database URL names no host");
    };
    if passed.is_empty() {
        return last.1;
    }
    let port = |port: Option<u16>| port.map_or_else(String::new, |port| format!(":{port}"));
    let told = passed.iter().chain([&last]).flat_map(|(address, error)| {
        let names = address.hosts.iter();
        names.map(move |(host, number)| format!("{host}{}: {}", port(*number), error.message))
    });
    let told: Vec<_> = told.collect();
    // One that takes no writes now may do so soon: that is how a fail-over goes.
    let kind = DbErrorKind::Unreachable;
    DbError::new(kind, format!("no server of the database URL can be used: {}", told.join("; ")))
}

fn held(as_asked: bool) -> Result<(), DbError> {
    let mut error =
        DbError::new(DbErrorKind::Other, "the server does not keep the limit on waiting for locks");
    error.hint = Some("Connect to the server itself, not through a pooler.".to_owned());
    if as_asked { Ok(()) } else { Err(error) }
}

/// A family that this build leaves out.
#[cfg(not(all(feature = "postgres", feature = "mysql")))]
fn not_built(title: &str, feature: &str) -> DbError {
    super::address::invalid(format!(
        "this build of zdm cannot speak to {title}: it lacks the feature {feature}"
    ))
}
