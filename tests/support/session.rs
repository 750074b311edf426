//! Plain SQL on a connection that zdm knows nothing of, from any test, async or not.

use std::future::Future;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use tokio::runtime::Runtime;
use tokio::sync::Mutex;
use tokio_postgres::{NoTls, SimpleQueryMessage};

/// Rows as text, or the server's words.
type Answer = Result<Vec<Vec<String>>, String>;

/// How long one statement of a test may take before the test fails.
const PATIENCE: Duration = Duration::from_mins(2);

/// Connections live here, so that a test needs no runtime of its own, and may have one.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
});

enum Client {
    Postgres(tokio_postgres::Client),
    MariaDb(Box<mysql_async::Conn>),
}

/// One open connection.
#[derive(Clone)]
pub(crate) struct Session {
    client: Arc<Mutex<Client>>,
    /// The server's number for it: backend pid, or connection id.
    pub(crate) backend: i64,
}

impl Session {
    /// Connects.
    pub(crate) fn open(url: &str) -> Self {
        Self::try_open(url).unwrap_or_else(|error| panic!("could not connect: {error}"))
    }

    /// Connects, or says why not.
    pub(crate) fn try_open(url: &str) -> Result<Self, String> {
        let url = url.to_owned();
        let client = in_background(async move { connect(&url).await })
            .recv_timeout(PATIENCE)
            .map_err(|error| error.to_string())??;
        let number = match &client {
            Client::Postgres(_) => "SELECT pg_backend_pid()",
            Client::MariaDb(_) => "SELECT connection_id()",
        };
        let mut session = Self { client: Arc::new(Mutex::new(client)), backend: 0 };
        session.backend = session.value(number).parse().unwrap_or_default();
        Ok(session)
    }

    /// Runs statements, and panics with the server's words when one fails.
    pub(crate) fn run(&self, sql: &str) {
        self.try_run(sql).unwrap_or_else(|error| panic!("{error}\nin: {sql}"));
    }

    /// Runs statements, or returns the server's words, starting with its code.
    pub(crate) fn try_run(&self, sql: &str) -> Result<(), String> {
        self.start(sql).answer().map(drop)
    }

    /// The rows of a query as text; NULL is `NULL`.
    pub(crate) fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        self.start(sql).answer().unwrap_or_else(|error| panic!("{error}\nin: {sql}"))
    }

    /// The first column of the first row, as text.
    pub(crate) fn value(&self, sql: &str) -> String {
        let rows = self.rows(sql);
        rows.first().and_then(|row| row.first()).cloned().unwrap_or_else(|| panic!("no row: {sql}"))
    }

    /// Starts statements and does not wait for them.
    pub(crate) fn start(&self, sql: &str) -> Pending {
        let (client, sql) = (Arc::clone(&self.client), sql.to_owned());
        Pending(in_background(async move { ask(&mut *client.lock().await, &sql).await }))
    }
}

/// A statement that is still running, perhaps.
pub(crate) struct Pending(Receiver<Answer>);

impl Pending {
    /// Whether it still runs after a moment.
    pub(crate) fn waits(&self, moment: Duration) -> bool {
        matches!(self.0.recv_timeout(moment), Err(RecvTimeoutError::Timeout))
    }

    /// Waits for its end.
    pub(crate) fn answer(self) -> Answer {
        self.0.recv_timeout(PATIENCE).map_err(|error| format!("no answer: {error}"))?
    }
}

fn in_background<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Receiver<T> {
    let (sender, receiver) = channel();
    RUNTIME.handle().spawn(async move {
        // The test may have stopped listening.
        drop(sender.send(work.await));
    });
    receiver
}

async fn connect(url: &str) -> Result<Client, String> {
    if url.starts_with("postgres") {
        let (client, connection) =
            tokio_postgres::connect(url, NoTls).await.map_err(|error| words(&error))?;
        RUNTIME.handle().spawn(connection);
        return Ok(Client::Postgres(client));
    }
    let url = url.replacen("mariadb://", "mysql://", 1);
    let opts = mysql_async::Opts::from_url(&url).map_err(|error| error.to_string())?;
    // Otherwise it goes on over the Unix socket.
    let opts = mysql_async::OptsBuilder::from_opts(opts).prefer_socket(false);
    let conn = mysql_async::Conn::new(opts).await.map_err(|error| error.to_string())?;
    Ok(Client::MariaDb(Box::new(conn)))
}

async fn ask(client: &mut Client, sql: &str) -> Answer {
    let mut rows = Vec::new();
    match client {
        Client::Postgres(client) => {
            for message in client.simple_query(sql).await.map_err(|error| words(&error))? {
                if let SimpleQueryMessage::Row(row) = message {
                    let value = |i| row.get(i).unwrap_or("NULL").to_owned();
                    rows.push((0..row.len()).map(value).collect());
                }
            }
        }
        Client::MariaDb(conn) => {
            let said = |error: mysql_async::Error| error.to_string();
            let mut result = conn.query_iter(sql).await.map_err(said)?;
            loop {
                let set: Vec<mysql_async::Row> = result.collect().await.map_err(said)?;
                rows.extend(
                    set.into_iter().map(|row| row.unwrap().into_iter().map(text).collect()),
                );
                if result.is_empty() {
                    break;
                }
            }
        }
    }
    Ok(rows)
}

fn words(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("{}: {}", db.code().code(), db.message()),
        None => error.to_string(),
    }
}

fn text(value: mysql_async::Value) -> String {
    match value {
        mysql_async::Value::NULL => "NULL".to_owned(),
        mysql_async::Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        other => other.as_sql(true).trim_matches('\'').to_owned(),
    }
}
