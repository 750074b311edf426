//! A query of the user's: a first value above 0 (or true) stops the backfill.

use async_trait::async_trait;

use super::{Kind, Signal};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::session::Row;
use crate::plan::pacing::Reading;

pub(super) const KIND: Kind = Kind {
    name: NAME,
    make: |wanted| {
        let sql = wanted.config.query.clone()?;
        Some(Box::new(Query { sql }))
    },
};

const NAME: &str = "query";

struct Query {
    sql: String,
}

#[async_trait]
impl Signal for Query {
    async fn read(&mut self, conn: &mut Connection, _worker: i64) -> Result<Reading, DbError> {
        // It is there to look.
        conn.run("START TRANSACTION READ ONLY").await?;
        let answer = conn.query(&self.sql, &[]).await;
        conn.rollback().await?;
        let rows = answer?;
        let Some(value) = rows.first().map(|row| row.opt_text(0)).transpose()?.flatten() else {
            return Ok(Reading::unreadable(NAME, "its answer has no row, or NULL in it"));
        };
        let Some(number) = number(&value) else {
            return Ok(Reading::unreadable(NAME, format!("its answer \"{value}\" is no number")));
        };
        let words = || rows.first().map_or_else(|| value.clone(), |row| words(row, &value));
        Ok(Reading::stop(NAME, (number > 0.0).then(words)))
    }
}

fn number(text: &str) -> Option<f64> {
    match text {
        "t" | "true" => Some(1.0),
        "f" | "false" => Some(0.0),
        text => text.parse().ok(),
    }
}

/// A second column says why.
fn words(row: &Row, value: &str) -> String {
    match row.opt_text(1) {
        Ok(Some(why)) => format!("the query says: {why}"),
        _ => format!("the query says {value}"),
    }
}
