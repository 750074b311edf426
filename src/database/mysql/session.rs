//! One connection to MySQL or MariaDB.

use async_trait::async_trait;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts};

use super::errors::{When, translate};
use super::value;
use crate::database::error::{DbError, DbErrorKind};
use crate::database::session::{Canceller, Row, Session, Value};

/// One connection.
///
/// The driver's connection is not safe against a dropped query: the next one would be given its answer. So it is
/// marked before each query and unmarked after; found marked, it is thrown away.
pub(super) struct MySqlSession {
    conn: Option<Conn>,
    asking: bool,
    backend: i64,
    opts: Opts,
}

impl MySqlSession {
    /// Owns a new connection. `opts` are needed again to cancel.
    pub(super) fn new(conn: Conn, opts: Opts) -> Self {
        let backend = conn.id().into();
        Self { conn: Some(conn), asking: false, backend, opts }
    }

    /// Remembers the server's number for this connection.
    pub(super) fn set_backend(&mut self, backend: i64) {
        self.backend = backend;
    }

    /// The connection, marked. Every way back to an unmarked one goes through [`Self::answered`].
    fn ask(&mut self) -> Result<&mut Conn, DbError> {
        if self.asking {
            self.conn = None;
        }
        self.asking = true;
        self.conn.as_mut().ok_or_else(|| {
            let message = "the connection was given up in the middle of a statement, or has ended";
            DbError::new(DbErrorKind::Lost, message)
        })
    }

    /// Unmarks the connection: the server's whole answer was read. One that broke is thrown away.
    fn answered<T>(&mut self, answer: mysql_async::Result<T>) -> Result<T, DbError> {
        self.asking = false;
        answer.map_err(|error| {
            let told = translate(&error, When::Using);
            if error.is_fatal() || told.kind == DbErrorKind::Lost {
                self.conn = None;
            }
            told
        })
    }
}

/// The first result set; what follows it (a procedure's status) is read and dropped.
async fn rows(
    conn: &mut Conn,
    sql: &str,
    params: &[Value],
) -> mysql_async::Result<Vec<mysql_async::Row>> {
    // The text protocol takes statements that cannot be prepared; and what looks like `:name` stays as it is.
    if params.is_empty() {
        let mut result = conn.query_iter(sql).await?;
        let rows = result.collect().await?;
        result.drop_result().await?;
        return Ok(rows);
    }
    let mut result = conn.exec_iter(sql, value::to_params(params)).await?;
    let rows = result.collect().await?;
    result.drop_result().await?;
    Ok(rows)
}

async fn change(conn: &mut Conn, sql: &str, params: &[Value]) -> mysql_async::Result<u64> {
    if params.is_empty() {
        conn.query_drop(sql).await?;
    } else {
        conn.exec_drop(sql, value::to_params(params)).await?;
    }
    Ok(conn.affected_rows())
}

#[async_trait]
impl Session for MySqlSession {
    async fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        let answer = rows(self.ask()?, sql, params).await;
        self.answered(answer)?.into_iter().map(value::read).collect()
    }

    async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DbError> {
        let answer = change(self.ask()?, sql, params).await;
        self.answered(answer)
    }

    async fn run(&mut self, sql: &str) -> Result<u64, DbError> {
        let answer = change(self.ask()?, sql, &[]).await;
        self.answered(answer)
    }

    fn backend(&self) -> i64 {
        self.backend
    }

    fn canceller(&self) -> Box<dyn Canceller> {
        Box::new(MySqlCanceller { backend: self.backend, opts: self.opts.clone() })
    }

    fn is_closed(&self) -> bool {
        self.asking || self.conn.is_none()
    }

    async fn close(mut self: Box<Self>) {
        let Some(conn) = self.conn.take().filter(|_| !self.asking) else { return };
        if let Err(error) = conn.disconnect().await {
            tracing::debug!("could not say goodbye to the server: {error}");
        }
    }
}

/// Ends, over a connection of its own, what a session runs.
struct MySqlCanceller {
    backend: i64,
    opts: Opts,
}

#[async_trait]
impl Canceller for MySqlCanceller {
    async fn cancel(&self) -> Result<(), DbError> {
        let opened = Conn::new(self.opts.clone()).await;
        let mut conn = opened.map_err(|error| translate(&error, When::Opening))?;
        let killed = conn.query_drop(format!("KILL QUERY {}", self.backend)).await;
        let told = killed.map_err(|error| translate(&error, When::Using));
        if let Err(error) = conn.disconnect().await {
            tracing::debug!("could not say goodbye to the server: {error}");
        }
        told
    }
}
