//! One connection, as both adapters offer it.

use async_trait::async_trait;

use super::error::{DbError, DbErrorKind};

/// A value that goes into a statement, or came out of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Value {
    /// SQL NULL.
    Null,
    /// Any integer or boolean (0 or 1).
    Int(i64),
    /// Anything else, as the server writes it.
    Text(String),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One row of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Row(pub(crate) Vec<Value>);

impl Row {
    fn at(&self, column: usize) -> Result<&Value, DbError> {
        let message = || format!("the answer has no column {}", column + 1);
        self.0.get(column).ok_or_else(|| DbError::new(DbErrorKind::Other, message()))
    }

    /// An integer that is not NULL.
    pub(crate) fn int(&self, column: usize) -> Result<i64, DbError> {
        let found = self.opt_int(column)?;
        found.ok_or_else(|| {
            DbError::new(DbErrorKind::Other, format!("column {} is NULL", column + 1))
        })
    }

    /// An integer, or NULL.
    pub(crate) fn opt_int(&self, column: usize) -> Result<Option<i64>, DbError> {
        match self.at(column)? {
            Value::Null => Ok(None),
            Value::Int(value) => Ok(Some(*value)),
            Value::Text(text) => {
                let wrong =
                    |_| DbError::new(DbErrorKind::Other, format!("\"{text}\" is not an integer"));
                text.parse().map(Some).map_err(wrong)
            }
        }
    }

    /// A text that is not NULL.
    pub(crate) fn text(&self, column: usize) -> Result<String, DbError> {
        let found = self.opt_text(column)?;
        found.ok_or_else(|| {
            DbError::new(DbErrorKind::Other, format!("column {} is NULL", column + 1))
        })
    }

    /// A text, or NULL.
    pub(crate) fn opt_text(&self, column: usize) -> Result<Option<String>, DbError> {
        Ok(match self.at(column)? {
            Value::Null => None,
            Value::Int(value) => Some(value.to_string()),
            Value::Text(text) => Some(text.clone()),
        })
    }

    /// A truth value that is not NULL.
    pub(crate) fn bool(&self, column: usize) -> Result<bool, DbError> {
        Ok(self.int(column)? != 0)
    }
}

/// One connection to one database.
///
/// Placeholders are `?` in both dialects; the PostgreSQL adapter numbers them (a `?` inside quotes is left alone).
/// No future of this trait may be dropped before it is done: a statement is ended with [`Canceller::cancel`] from
/// outside, and then awaited (a dropped query keeps running in the server, and on MySQL the next one would get its
/// answer: `mysql_async` issue 401).
#[async_trait]
pub(crate) trait Session: Send {
    /// Runs one statement with parameters and returns its rows.
    async fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError>;

    /// Runs one statement with parameters and returns how many rows it changed.
    async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DbError>;

    /// Runs exactly one statement as it was written, by the text protocol, and returns how many rows it changed.
    async fn run(&mut self, sql: &str) -> Result<u64, DbError>;

    /// The server's number for this connection: backend pid, or connection id.
    fn backend(&self) -> i64;

    /// Something that can end this connection's statement from outside.
    fn canceller(&self) -> Box<dyn Canceller>;

    /// Whether the connection has ended, or may be out of step, and must not be used again.
    fn is_closed(&self) -> bool;

    /// Says goodbye to the server, and waits until that is said. A session that is only dropped is found out later.
    async fn close(self: Box<Self>);
}

/// Ends the statement that a session is running; the statement then fails with [`DbErrorKind::Cancelled`].
#[async_trait]
pub(crate) trait Canceller: Send + Sync {
    /// Asks the server to end it. Harmless when nothing runs.
    async fn cancel(&self) -> Result<(), DbError>;
}
