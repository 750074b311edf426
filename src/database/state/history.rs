//! refinery on a [`Connection`]: which files of the state have been applied, and applying one.

use refinery_core::traits::r#async::{AsyncQuery, AsyncTransaction};
use refinery_core::{AsyncMigrate, Migration};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{schema, unexpected};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::session::Row;
use crate::model::server::Engine;

/// A connection as refinery sees it. Its own drivers work on pools (MySQL), so that no lock could be held on the
/// connection that migrates.
pub(super) struct Migrator<'a>(pub(super) &'a mut Connection);

/// The table in which refinery remembers what has been applied.
pub(super) fn table(engine: Engine) -> &'static str {
    if engine.is_mysql_family() { "zdm_schema_history" } else { "zdm.schema_history" }
}

impl AsyncTransaction for Migrator<'_> {
    type Error = DbError;

    /// PostgreSQL: all texts in one transaction. MySQL and MariaDB: one after the other, each commits by itself.
    async fn execute<'a, T: Iterator<Item = &'a str> + Send + 'a>(
        &'a mut self,
        queries: T,
    ) -> Result<usize, DbError> {
        let statements: Vec<String> = queries.flat_map(schema::statements).collect();
        let transactional = !self.0.engine().is_mysql_family();
        if transactional {
            self.0.begin().await?;
        }
        for statement in &statements {
            if let Err(error) = self.0.run(statement.trim_end().trim_end_matches(';')).await {
                if transactional {
                    // The first error counts; a connection that cannot roll back is closed, which rolls back.
                    drop(self.0.rollback().await);
                }
                return Err(error);
            }
        }
        if transactional {
            self.0.commit().await?;
        }
        Ok(statements.len())
    }
}

impl AsyncQuery<Vec<Migration>> for Migrator<'_> {
    async fn query<'a>(&'a mut self, query: &'a str) -> Result<Vec<Migration>, DbError> {
        let rows = self.0.query(query.trim_end_matches(';'), &[]).await?;
        rows.iter().map(applied).collect()
    }
}

impl AsyncMigrate for Migrator<'_> {}

/// One row of the history.
fn applied(row: &Row) -> Result<Migration, DbError> {
    let version = i32::try_from(row.int(0)?)
        .map_err(|error| unexpected(format!("in the history of the state: {error}")))?;
    let on = OffsetDateTime::parse(&row.text(2)?, &Rfc3339)
        .map_err(|error| unexpected(format!("in the history of the state: {error}")))?;
    let checksum = row
        .text(3)?
        .parse()
        .map_err(|error| unexpected(format!("in the history of the state: {error}")))?;
    Ok(Migration::applied(version, row.text(1)?, on, checksum))
}
