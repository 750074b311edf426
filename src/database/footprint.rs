//! What a statement does to tables while it runs, as PostgreSQL shows it: locks, and files that are new.

use std::collections::BTreeMap;

use super::connection::Connection;
use super::error::DbError;
use crate::model::name::TableName;

/// The server's number of a table, which no rename changes.
pub(crate) type Oid = i64;

/// A table at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct TableFile {
    /// Its name.
    pub(crate) name: TableName,
    /// The number of its file: another one when it is written anew; 0 when it has none.
    pub(crate) file: i64,
}

/// A lock on a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct TableLock {
    /// On which.
    pub(crate) table: Oid,
    /// As `pg_locks` names it.
    pub(crate) mode: String,
    /// Whether it is held; if not, it is waited for.
    pub(crate) held: bool,
}

impl Connection {
    /// Tables, partitioned tables and materialized views (PostgreSQL).
    pub(crate) async fn table_files(&mut self) -> Result<BTreeMap<Oid, TableFile>, DbError> {
        let sql = "SELECT c.oid::bigint, n.nspname, c.relname, COALESCE(pg_relation_filenode(c.oid), 0)::bigint \
                   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                   WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^(pg_|information_schema$)'";
        let rows = self.query(sql, &[]).await?;
        let read = rows.iter().map(|row| {
            let name = TableName::in_schema(row.text(1)?, row.text(2)?);
            Ok((row.int(0)?, TableFile { name, file: row.int(3)? }))
        });
        read.collect()
    }

    /// The locks on tables and indexes that a connection holds and waits for (PostgreSQL).
    pub(crate) async fn table_locks(&mut self, backend: i64) -> Result<Vec<TableLock>, DbError> {
        let sql = format!(
            "SELECT relation::bigint, mode, granted::int FROM pg_locks WHERE locktype = 'relation' AND pid = {backend} \
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        );
        let rows = self.query(&sql, &[]).await?;
        let read = rows.iter().map(|row| {
            Ok(TableLock { table: row.int(0)?, mode: row.text(1)?, held: row.bool(2)? })
        });
        read.collect()
    }
}
