//! One connection to PostgreSQL.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::TryStreamExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio_postgres::{AsyncMessage, CancelToken, Client, Connection, SimpleQueryMessage, Socket};

use super::errors::{When, translate};
use super::placeholders;
use super::tls::Tls;
use super::value::{Answer, Parameter};
use crate::database::error::{DbError, DbErrorKind};
use crate::database::session::{Canceller, Row, Session, Value};

/// Why the connection ended, as the task that moves its messages heard it: a server that ends a session says so to
/// nobody's query.
type Ending = Arc<Mutex<Option<DbError>>>;

/// One connection, and the task that moves its messages.
pub(super) struct PostgresSession {
    client: Client,
    /// Dropped with the session, which ends the task.
    task: JoinSet<()>,
    ending: Ending,
    backend: i64,
    tls: Tls,
}

impl PostgresSession {
    /// Starts the task.
    pub(super) fn start<T>(client: Client, connection: Connection<Socket, T>, tls: Tls) -> Self
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let ending = Ending::default();
        let mut task = JoinSet::new();
        task.spawn(drive(connection, Arc::clone(&ending)));
        Self { client, task, ending, backend: 0, tls }
    }

    /// Remembers the server's number for this connection.
    pub(super) fn set_backend(&mut self, backend: i64) {
        self.backend = backend;
    }

    /// Runs a SHOW of pgbouncer's: each row as names and values.
    #[cfg(feature = "engine")]
    pub(super) async fn show(&self, sql: &str) -> Result<Vec<Vec<(String, String)>>, DbError> {
        let messages = self.client.simple_query(sql).await;
        let messages = messages.map_err(|error| translate(&error, When::Using))?;
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let named = |row: &tokio_postgres::SimpleQueryRow| {
            let columns = row.columns().iter().enumerate();
            let value = |index| row.get(index).unwrap_or_default().to_owned();
            columns.map(|(index, column)| (column.name().to_owned(), value(index))).collect()
        };
        Ok(rows.map(named).collect())
    }

    /// What went wrong: for a connection that ended, why it ended.
    async fn failed(&mut self, error: tokio_postgres::Error) -> DbError {
        let plain = translate(&error, When::Using);
        if !(error.is_closed() || plain.kind == DbErrorKind::Lost) {
            return plain;
        }
        if plain.code.is_some() {
            return plain;
        }
        // The client notices the end before the task has told its reason; the task is done in a moment.
        while self.task.join_next().await.is_some() {}
        let told = self.ending.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let told =
            told.unwrap_or_else(|| DbError::new(DbErrorKind::Lost, "the connection was closed"));
        DbError { kind: DbErrorKind::Lost, ..told }
    }
}

/// Moves messages until the connection ends.
async fn drive<T>(mut connection: Connection<Socket, T>, ending: Ending)
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notice(notice))) => {
                tracing::debug!(severity = notice.severity(), "{}", notice.message());
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                let told = translate(&error, When::Using);
                *ending.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
                return;
            }
            None => return,
        }
    }
}

#[async_trait]
impl Session for PostgresSession {
    async fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        let numbered = placeholders::number(sql);
        let values: Vec<_> = params.iter().map(Parameter).collect();
        let answer = async {
            let stream = self.client.query_raw(&numbered, values).await?;
            stream.try_collect::<Vec<_>>().await
        };
        let rows = match answer.await {
            Ok(rows) => rows,
            Err(error) => return Err(self.failed(error).await),
        };
        rows.iter().map(read).collect()
    }

    async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DbError> {
        let numbered = placeholders::number(sql);
        let values: Vec<_> = params.iter().map(Parameter).collect();
        match self.client.execute_raw(&numbered, values).await {
            Ok(count) => Ok(count),
            Err(error) => Err(self.failed(error).await),
        }
    }

    async fn run(&mut self, sql: &str) -> Result<u64, DbError> {
        let messages = match self.client.simple_query(sql).await {
            Ok(messages) => messages,
            Err(error) => return Err(self.failed(error).await),
        };
        let done: Vec<u64> = messages
            .iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::CommandComplete(count) => Some(*count),
                _ => None,
            })
            .collect();
        match done.as_slice() {
            [count] => Ok(*count),
            // They ran, as one transaction: whoever splits files has a fault, and must not go on.
            _ => Err(DbError::new(DbErrorKind::Syntax, "more than one statement was sent at once")),
        }
    }

    fn backend(&self) -> i64 {
        self.backend
    }

    fn canceller(&self) -> Box<dyn Canceller> {
        Box::new(PostgresCanceller { token: self.client.cancel_token(), tls: self.tls.clone() })
    }

    fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    async fn close(self: Box<Self>) {
        let Self { client, mut task, .. } = *self;
        // The task says goodbye to the server and ends when its client is gone.
        drop(client);
        while task.join_next().await.is_some() {}
    }
}

fn read(row: &tokio_postgres::Row) -> Result<Row, DbError> {
    let values = row.columns().iter().enumerate().map(|(index, column)| {
        row.try_get::<_, Answer>(index).map(|answer| answer.0).map_err(|error| {
            let plain = translate(&error, When::Using);
            let name = column.name();
            let kind = column.type_().name();
            DbError {
                message: format!(
                    "cannot read column \"{name}\" of type {kind}: cast it to text in SQL"
                ),
                detail: Some(plain.message),
                ..plain
            }
        })
    });
    values.collect::<Result<_, _>>().map(Row)
}

/// Asks the server, over a connection of its own, to end what a session runs.
struct PostgresCanceller {
    token: CancelToken,
    tls: Tls,
}

#[async_trait]
impl Canceller for PostgresCanceller {
    async fn cancel(&self) -> Result<(), DbError> {
        let asked = match self.tls.clone() {
            Tls::None => self.token.cancel_query(tokio_postgres::NoTls).await,
            #[cfg(feature = "postgres-tls")]
            Tls::Rustls(connector) => self.token.cancel_query(connector).await,
        };
        asked.map_err(|error| translate(&error, When::Opening))
    }
}
