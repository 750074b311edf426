//! Tables and everything that hangs on them, from the system catalogs of PostgreSQL 13 and newer.

mod beside;
mod columns;
mod constraints;
mod dependents;
mod functions;
mod indexes;
mod peculiarities;
mod shapes;

pub(crate) use beside::beside;

use std::collections::BTreeMap;

use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::catalog::Table;
use crate::sql::quote;
use crate::sql::tables::Tables;

/// What a query of a part needs, and where it puts what it finds.
struct Reading<'c> {
    conn: &'c mut Connection,
    /// By oid.
    tables: BTreeMap<i64, (TableName, Table)>,
    /// The oids as SQL: `1, 2, 3`.
    oids: String,
}

impl Reading<'_> {
    /// The table of that oid.
    fn table(&mut self, oid: i64) -> Option<&mut Table> {
        self.tables.get_mut(&oid).map(|(_, table)| table)
    }
}

/// Reads the tables. Nothing locks: what changes meanwhile may be seen in part.
pub(crate) async fn catalog(
    conn: &mut Connection,
    tables: Option<&[TableName]>,
) -> Result<Tables, DbError> {
    let found = list(conn, tables).await?;
    if found.is_empty() {
        return Ok(Tables::default());
    }
    let oids = found.keys().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut reading = Reading { conn, tables: found, oids };
    columns::read(&mut reading).await?;
    columns::read_grants(&mut reading).await?;
    indexes::read(&mut reading).await?;
    indexes::read_keys(&mut reading).await?;
    constraints::read(&mut reading).await?;
    constraints::read_triggers(&mut reading).await?;
    dependents::read(&mut reading).await?;
    functions::read(&mut reading).await?;
    peculiarities::read(&mut reading).await?;
    shapes::read(&mut reading).await?;
    Ok(reading.tables.into_values().collect())
}

async fn list(
    conn: &mut Connection,
    tables: Option<&[TableName]>,
) -> Result<BTreeMap<i64, (TableName, Table)>, DbError> {
    let wanted = match tables {
        None => {
            "c.relkind IN ('r', 'p', 'f', 'v', 'm') AND n.nspname = ANY (current_schemas(false)) \
             AND n.nspname <> 'zdm'"
                .to_owned()
        }
        Some(tables) => {
            let mut oids = Vec::new();
            for table in tables {
                let name = quote::table(Engine::Postgres, table);
                let row = conn.query_one("SELECT to_regclass(?)::oid", &[name.into()]).await?;
                oids.extend(row.opt_int(0)?.map(|oid| oid.to_string()));
            }
            if oids.is_empty() {
                return Ok(BTreeMap::new());
            }
            format!("c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.oid IN ({})", oids.join(", "))
        }
    };
    let sql = format!(
        "SELECT c.oid, n.nspname, c.relname, \
           CASE WHEN c.relkind IN ('r', 'm', 'f') AND c.reltuples >= 0 THEN c.reltuples::bigint \
                WHEN c.relkind = 'p' THEN (SELECT sum(greatest(leaf.reltuples, 0))::bigint \
                  FROM pg_partition_tree(c.oid) t JOIN pg_class leaf ON leaf.oid = t.relid WHERE t.isleaf) END \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {wanted}"
    );
    let rows = conn.query(&sql, &[]).await?;
    let read = rows.iter().map(|row| {
        let name = TableName::in_schema(row.text(1)?, row.text(2)?);
        let estimated_rows = row.opt_int(3)?.and_then(|rows| u64::try_from(rows).ok());
        Ok((row.int(0)?, (name, Table { estimated_rows, ..Table::default() })))
    });
    read.collect()
}
