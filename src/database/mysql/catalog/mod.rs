//! Tables and everything that hangs on them, from the information schema of MySQL 8.0, MariaDB 10.6 and newer.

mod columns;
mod constraints;
mod dependents;
mod indexes;

use std::collections::BTreeMap;

use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::session::Value;
use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::catalog::{Peculiarity, Storage, Table};
use crate::sql::tables::Tables;

/// What a query of a part needs, and where it puts what it finds.
struct Reading<'c> {
    conn: &'c mut Connection,
    engine: Engine,
    tables: BTreeMap<String, Found>,
    /// A mark for each table: `?, ?, ?`.
    marks: String,
}

/// A table as it is found.
#[derive(Default)]
struct Found {
    table: Table,
    /// Its default collation: a column's own is written out only when it differs.
    collation: Option<String>,
}

impl Reading<'_> {
    /// The table of that name.
    fn table(&mut self, name: &str) -> Option<&mut Table> {
        self.tables.get_mut(name).map(|found| &mut found.table)
    }

    /// The values of `marks`.
    fn names(&self) -> Vec<Value> {
        self.tables.keys().map(|name| name.as_str().into()).collect()
    }
}

/// Reads the tables of the connection's database. What changes meanwhile may be seen in part.
pub(crate) async fn catalog(
    conn: &mut Connection,
    tables: Option<&[TableName]>,
) -> Result<Tables, DbError> {
    let engine = conn.engine();
    if engine == Engine::MySql {
        // Otherwise the counts of rows may be a day old.
        conn.run("SET SESSION information_schema_stats_expiry = 0").await?;
    }
    let found = list(conn, tables).await?;
    if found.is_empty() {
        return Ok(Tables::default());
    }
    let marks = vec!["?"; found.len()].join(", ");
    let mut reading = Reading { conn, engine, tables: found, marks };
    columns::read(&mut reading).await?;
    indexes::read(&mut reading).await?;
    constraints::read_checks(&mut reading).await?;
    constraints::read_foreign_keys(&mut reading).await?;
    dependents::read(&mut reading).await?;
    partitions(&mut reading).await?;
    replication(&mut reading).await?;
    let named = |(name, found): (String, Found)| (TableName::bare(name), found.table);
    Ok(reading.tables.into_iter().map(named).collect())
}

async fn list(
    conn: &mut Connection,
    tables: Option<&[TableName]>,
) -> Result<BTreeMap<String, Found>, DbError> {
    let (wanted, names) = match tables {
        None => (r"TABLE_NAME NOT LIKE 'zdm\_%'".to_owned(), Vec::new()),
        Some([]) => return Ok(BTreeMap::new()),
        Some(tables) => {
            let marks = vec!["?"; tables.len()].join(", ");
            let names = tables.iter().map(|table| table.name.as_str().into()).collect();
            (format!("TABLE_NAME IN ({marks})"), names)
        }
    };
    let sql = format!(
        "SELECT TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_ROWS, TABLE_COLLATION, CREATE_OPTIONS, \
           ROW_FORMAT \
         FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND {wanted} \
           AND TABLE_TYPE IN ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED')"
    );
    let rows = conn.query(&sql, &names).await?;
    let read = rows.iter().map(|row| {
        let mut peculiarities = Vec::new();
        let mut peculiar =
            |words: String| peculiarities.push(Peculiarity { words, columns: Vec::new() });
        match (row.text(1)?.as_str(), row.opt_text(2)?) {
            ("VIEW", _) => peculiar("is a view".to_owned()),
            ("SYSTEM VERSIONED", _) => peculiar("is system versioned".to_owned()),
            (_, Some(engine)) if !engine.eq_ignore_ascii_case("InnoDB") => {
                peculiar(format!("is kept by {engine}, not by InnoDB"));
            }
            _ => {}
        }
        if row.opt_text(5)?.is_some_and(|options| options.contains("partitioned")) {
            peculiar("is partitioned".to_owned());
        }
        let estimated_rows = row.opt_int(3)?.and_then(|rows| u64::try_from(rows).ok());
        let storage = Storage {
            engine: row.opt_text(2)?,
            row_format: row.opt_text(6)?.map(|format| format.to_ascii_uppercase()),
            collation: row.opt_text(4)?,
            versioned: row.text(1)? == "SYSTEM VERSIONED",
            ..Storage::default()
        };
        let table = Table { peculiarities, estimated_rows, storage, ..Table::default() };
        Ok((row.text(0)?, Found { table, collation: row.opt_text(4)? }))
    });
    read.collect()
}

/// How tables are partitioned, and by which columns.
async fn partitions(reading: &mut Reading<'_>) -> Result<(), DbError> {
    let sql = format!(
        "SELECT DISTINCT TABLE_NAME, PARTITION_METHOD, PARTITION_EXPRESSION FROM information_schema.PARTITIONS \
         WHERE TABLE_SCHEMA = DATABASE() AND PARTITION_METHOD IS NOT NULL AND TABLE_NAME IN ({})",
        reading.marks
    );
    for row in reading.conn.query(&sql, &reading.names()).await? {
        let Some(table) = reading.table(&row.text(0)?) else { continue };
        table.storage.partitioned = Some(row.text(1)?);
        let expression = row.opt_text(2)?.unwrap_or_default();
        let words = expression.split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '$'));
        table.storage.partition_columns =
            words.filter(|word| !word.is_empty()).map(str::to_owned).collect();
    }
    Ok(())
}

/// Ways of replication under which triggers and batches do not give every server the same rows.
async fn replication(reading: &mut Reading<'_>) -> Result<(), DbError> {
    let sql =
        "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format', 'wsrep_on')";
    let mut variables = BTreeMap::new();
    for row in reading.conn.query(sql, &[]).await? {
        variables.insert(row.text(0)?, row.text(1)?);
    }
    let is = |name: &str, value: &str| variables.get(name).is_some_and(|found| found == value);
    let mut words = Vec::new();
    if is("log_bin", "ON") && is("binlog_format", "STATEMENT") {
        words.push("is replicated by statement (binlog_format = STATEMENT)");
    }
    if is("wsrep_on", "ON") {
        words.push("is on a Galera cluster");
    }
    for found in reading.tables.values_mut() {
        let all = words
            .iter()
            .map(|words| Peculiarity { words: (*words).to_owned(), columns: Vec::new() });
        found.table.peculiarities.extend(all);
    }
    Ok(())
}
