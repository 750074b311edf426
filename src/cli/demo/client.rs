//! SQL as an application speaks it: the drivers that applications use, prepared statements, nothing of zdm.

use std::collections::BTreeMap;

use mysql_async::prelude::Queryable as _;
use tokio_postgres::types::ToSql;
use tokio_postgres::{NoTls, Statement};

/// A parameter.
#[derive(Clone, Copy)]
pub(super) enum Param<'a> {
    /// A key.
    Key(i64),
    /// A text.
    Text(&'a str),
}

/// One connection. Errors are the server's words.
pub(super) enum Client {
    /// With the statements that it has prepared: as long as it lives, whatever happens to the table.
    Postgres(tokio_postgres::Client, BTreeMap<String, Statement>),
    /// This driver keeps prepared statements by itself.
    MariaDb(Box<mysql_async::Conn>),
}

impl Client {
    /// Connects.
    pub(super) async fn connect(url: &str) -> Result<Self, String> {
        if url.starts_with("postgres") {
            let (client, connection) =
                tokio_postgres::connect(url, NoTls).await.map_err(|error| words(&error))?;
            // It ends with the client; what it has to say, the client says, too.
            drop(tokio::spawn(connection));
            return Ok(Self::Postgres(client, BTreeMap::new()));
        }
        let said = |error: mysql_async::UrlError| error.to_string();
        let opts = mysql_async::Opts::from_url(&url.replacen("mariadb://", "mysql://", 1));
        let opts = mysql_async::OptsBuilder::from_opts(opts.map_err(said)?).prefer_socket(false);
        let conn = mysql_async::Conn::new(opts).await.map_err(|error| error.to_string())?;
        Ok(Self::MariaDb(Box::new(conn)))
    }

    /// Runs one statement as it stands.
    pub(super) async fn run(&mut self, sql: &str) -> Result<(), String> {
        match self {
            Self::Postgres(client, _) => {
                client.batch_execute(sql).await.map_err(|error| words(&error))
            }
            Self::MariaDb(conn) => conn.query_drop(sql).await.map_err(|error| error.to_string()),
        }
    }

    /// Runs a prepared statement, with `?` for each parameter, and returns how many rows it changed.
    pub(super) async fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, String> {
        match self {
            Self::Postgres(client, prepared) => {
                let statement = prepare(client, prepared, sql).await?;
                let params = postgres(params);
                client.execute(&statement, &borrowed(&params)).await.map_err(|error| words(&error))
            }
            Self::MariaDb(conn) => {
                let result = conn.exec_iter(sql, mysql(params)).await;
                result.map(|rows| rows.affected_rows()).map_err(|error| error.to_string())
            }
        }
    }

    /// The first column of the first row of a prepared query, as text; `None` for NULL and for no row.
    pub(super) async fn text(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Option<String>, String> {
        match self {
            Self::Postgres(client, prepared) => {
                let statement = prepare(client, prepared, sql).await?;
                let params = postgres(params);
                let row = client.query_opt(&statement, &borrowed(&params)).await;
                let Some(row) = row.map_err(|error| words(&error))? else { return Ok(None) };
                row.try_get(0).map_err(|error| words(&error))
            }
            Self::MariaDb(conn) => {
                let row: Option<Option<String>> =
                    conn.exec_first(sql, mysql(params)).await.map_err(|error| error.to_string())?;
                Ok(row.flatten())
            }
        }
    }

    /// The key that a prepared `INSERT ... RETURNING id` gave.
    pub(super) async fn key(&mut self, sql: &str, params: &[Param<'_>]) -> Result<i64, String> {
        match self {
            Self::Postgres(client, prepared) => {
                let statement = prepare(client, prepared, sql).await?;
                let params = postgres(params);
                let row = client.query_one(&statement, &borrowed(&params)).await;
                row.and_then(|row| row.try_get(0)).map_err(|error| words(&error))
            }
            Self::MariaDb(conn) => {
                let key = conn.exec_first(sql, mysql(params)).await;
                key.map_err(|error| error.to_string())?.ok_or_else(|| "no key came back".to_owned())
            }
        }
    }

    /// Every row of a query: a key and one or two texts.
    pub(super) async fn rows(
        &mut self,
        sql: &str,
    ) -> Result<Vec<(i64, Option<String>, Option<String>)>, String> {
        match self {
            Self::Postgres(client, _) => {
                let rows = client.query(sql, &[]).await.map_err(|error| words(&error))?;
                let read = |row: tokio_postgres::Row| {
                    Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
                };
                rows.into_iter().map(read).collect::<Result<_, _>>().map_err(|error| words(&error))
            }
            Self::MariaDb(conn) => conn.query(sql).await.map_err(|error| error.to_string()),
        }
    }
}

async fn prepare(
    client: &tokio_postgres::Client,
    prepared: &mut BTreeMap<String, Statement>,
    sql: &str,
) -> Result<Statement, String> {
    if let Some(statement) = prepared.get(sql) {
        return Ok(statement.clone());
    }
    let mut numbered = String::with_capacity(sql.len() + 8);
    let mut pieces = sql.split('?');
    numbered.push_str(pieces.next().unwrap_or_default());
    for (number, piece) in (1..).zip(pieces) {
        numbered.push('$');
        numbered.push_str(&number.to_string());
        numbered.push_str(piece);
    }
    let statement = client.prepare(&numbered).await.map_err(|error| words(&error))?;
    prepared.insert(sql.to_owned(), statement.clone());
    Ok(statement)
}

type Boxed<'a> = Box<dyn ToSql + Sync + Send + 'a>;

fn postgres<'a>(params: &'a [Param<'_>]) -> Vec<Boxed<'a>> {
    let one = |param: &'a Param<'_>| -> Boxed<'a> {
        match param {
            Param::Key(key) => Box::new(*key),
            Param::Text(text) => Box::new(*text),
        }
    };
    params.iter().map(one).collect()
}

fn borrowed<'b>(params: &'b [Boxed<'_>]) -> Vec<&'b (dyn ToSql + Sync)> {
    params.iter().map(|param| &**param as &(dyn ToSql + Sync)).collect()
}

fn mysql(params: &[Param<'_>]) -> mysql_async::Params {
    let one = |param: &Param<'_>| match param {
        Param::Key(key) => mysql_async::Value::from(*key),
        Param::Text(text) => mysql_async::Value::from(*text),
    };
    mysql_async::Params::Positional(params.iter().map(one).collect())
}

fn words(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("{} ({})", db.message(), db.code().code()),
        None => error.to_string(),
    }
}
