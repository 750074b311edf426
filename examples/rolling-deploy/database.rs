//! The service's connections: the drivers that applications use, and nothing of zdm.

use std::collections::BTreeMap;
use std::sync::Arc;

use mysql_async::prelude::Queryable as _;
use tokio::sync::Mutex;
use tokio_postgres::NoTls;
use tokio_postgres::types::ToSql;

use crate::{Result, wrong};

/// A parameter of a statement.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    Key(i64),
    Text(&'a str),
}

/// A row of the table, as every build sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    pub id: i64,
    pub email: String,
    pub name: String,
}

/// The connections of one process.
pub enum Database {
    /// One connection does for many requests; statements stay prepared for as long as it lives.
    Postgres(tokio_postgres::Client, Mutex<BTreeMap<String, tokio_postgres::Statement>>),
    /// The driver keeps prepared statements by itself.
    MariaDb(mysql_async::Pool),
}

impl Database {
    pub async fn connect(url: &str) -> Result<Arc<Self>> {
        Ok(Arc::new(if url.starts_with("postgres") {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            // It ends with the client.
            drop(tokio::spawn(connection));
            Self::Postgres(client, Mutex::default())
        } else {
            let url = url.replacen("mariadb://", "mysql://", 1);
            let few = mysql_async::PoolConstraints::new(0, 4).unwrap_or_default();
            let options = mysql_async::OptsBuilder::from_opts(mysql_async::Opts::from_url(&url)?)
                .prefer_socket(false)
                .pool_opts(mysql_async::PoolOpts::default().with_constraints(few));
            Self::MariaDb(mysql_async::Pool::new(options))
        }))
    }

    /// Runs statements as they stand.
    pub async fn run(&self, sql: &str) -> Result<()> {
        match self {
            Self::Postgres(client, _) => Ok(client.batch_execute(sql).await?),
            Self::MariaDb(pool) => Ok(pool.get_conn().await?.query_drop(sql).await?),
        }
    }

    /// Runs a prepared statement, with `?` for each parameter, and returns how many rows it changed.
    pub async fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<u64> {
        match self {
            Self::Postgres(client, _) => {
                let statement = self.prepare(client, sql).await?;
                let values = postgres(values);
                Ok(client.execute(&statement, &borrowed(&values)).await?)
            }
            Self::MariaDb(pool) => {
                let mut connection = pool.get_conn().await?;
                let result = connection.exec_iter(sql, mariadb(values)).await?;
                let changed = result.affected_rows();
                result.drop_result().await?;
                Ok(changed)
            }
        }
    }

    /// The users that a prepared query finds: key, address and name, and nothing else.
    pub async fn users(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<User>> {
        match self {
            Self::Postgres(client, _) => {
                let statement = self.prepare(client, sql).await?;
                let values = postgres(values);
                let rows = client.query(&statement, &borrowed(&values)).await?;
                let user = |row: tokio_postgres::Row| {
                    only_three(row.len())?;
                    let (id, email, name) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
                    Ok(User { id, email, name })
                };
                rows.into_iter().map(user).collect()
            }
            Self::MariaDb(pool) => {
                let mut connection = pool.get_conn().await?;
                let rows: Vec<mysql_async::Row> = connection.exec(sql, mariadb(values)).await?;
                let user = |mut row: mysql_async::Row| {
                    only_three(row.len())?;
                    match (row.take_opt(0), row.take_opt(1), row.take_opt(2)) {
                        (Some(id), Some(email), Some(name)) => {
                            Ok(User { id: id?, email: email?, name: name? })
                        }
                        _ => Err(wrong("a column is missing")),
                    }
                };
                rows.into_iter().map(user).collect()
            }
        }
    }

    async fn prepare(
        &self,
        client: &tokio_postgres::Client,
        sql: &str,
    ) -> Result<tokio_postgres::Statement> {
        let Self::Postgres(_, prepared) = self else { return Err(wrong("not PostgreSQL")) };
        let mut prepared = prepared.lock().await;
        if let Some(statement) = prepared.get(sql) {
            return Ok(statement.clone());
        }
        let mut numbered = String::new();
        for (number, piece) in sql.split('?').enumerate() {
            if number > 0 {
                numbered.push('$');
                numbered.push_str(&number.to_string());
            }
            numbered.push_str(piece);
        }
        let statement = client.prepare(&numbered).await?;
        prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

/// What a build that says `SELECT *` was written for.
fn only_three(columns: usize) -> Result<()> {
    if columns == 3 { Ok(()) } else { Err(wrong(&format!("{columns} columns instead of 3"))) }
}

type Boxed<'a> = Box<dyn ToSql + Sync + Send + 'a>;

fn postgres<'a>(values: &'a [Value<'_>]) -> Vec<Boxed<'a>> {
    let one = |value: &'a Value<'_>| -> Boxed<'a> {
        match value {
            Value::Key(key) => Box::new(*key),
            Value::Text(text) => Box::new(*text),
        }
    };
    values.iter().map(one).collect()
}

fn borrowed<'b>(values: &'b [Boxed<'_>]) -> Vec<&'b (dyn ToSql + Sync)> {
    values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect()
}

fn mariadb(values: &[Value<'_>]) -> mysql_async::Params {
    let one = |value: &Value<'_>| match value {
        Value::Key(key) => mysql_async::Value::from(*key),
        Value::Text(text) => mysql_async::Value::from(*text),
    };
    mysql_async::Params::Positional(values.iter().map(one).collect())
}
