//! Indexes, and the key over which batches can go.

use std::cmp::Reverse;

use super::Reading;
use crate::database::error::DbError;
use crate::database::session::Row;
use crate::model::server::Engine;
use crate::sql::catalog::Index;
use crate::sql::quote;

/// An index as its rows are read.
struct Building {
    table: String,
    index: Index,
    parts: Vec<String>,
    /// Over whole columns that take no NULL, so that batches can go over it.
    is_key: bool,
    is_hidden: bool,
}

/// Indexes with their columns; the primary key, else the unique key without NULLs that has the fewest columns.
pub(super) async fn read(reading: &mut Reading<'_>) -> Result<(), DbError> {
    let (expression, hidden) = match reading.engine {
        Engine::MariaDb => ("NULL", "IGNORED = 'YES'"),
        Engine::MySql | Engine::Postgres => ("EXPRESSION", "IS_VISIBLE = 'NO'"),
    };
    let sql = format!(
        "SELECT TABLE_NAME, INDEX_NAME, NON_UNIQUE, COLUMN_NAME, SUB_PART, COLLATION, INDEX_TYPE, NULLABLE, \
           {expression}, {hidden} \
         FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN ({}) \
         ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX",
        reading.marks
    );
    let mut building: Vec<Building> = Vec::new();
    for row in reading.conn.query(&sql, &reading.names()).await? {
        let (table, name) = (row.text(0)?, row.text(1)?);
        let known =
            building.last().is_some_and(|last| last.table == table && last.index.name == name);
        if !known {
            building.push(begin(table, name, &row)?);
        }
        if let Some(last) = building.last_mut() {
            part(reading, last, &row)?;
        }
    }
    // The best key last, so that it stays.
    let mut keys: Vec<_> = building.iter().filter(|built| built.is_key).collect();
    let is_primary = |built: &Building| built.index.name == "PRIMARY";
    keys.sort_by_key(|built| (is_primary(built), Reverse(built.index.columns.len())));
    for built in keys {
        if let Some(table) = reading.table(&built.table) {
            table.key.clone_from(&built.index.columns);
            table.shape.key_name = is_primary(built).then(|| built.index.name.clone());
        }
    }
    for mut built in building.into_iter().filter(|built| !is_primary(built)) {
        built.index.definition = format!("({})", built.parts.join(", "));
        if built.is_hidden {
            let word = if reading.engine == Engine::MariaDb { " IGNORED" } else { " INVISIBLE" };
            built.index.definition.push_str(word);
        }
        if let Some(table) = reading.table(&built.table) {
            table.indexes.push(built.index);
        }
    }
    Ok(())
}

fn begin(table: String, name: String, row: &Row) -> Result<Building, DbError> {
    let kind = row.text(6)?;
    let index = Index {
        name,
        columns: Vec::new(),
        unique: !row.bool(2)?,
        definition: String::new(),
        kind: matches!(kind.as_str(), "FULLTEXT" | "SPATIAL" | "VECTOR").then_some(kind),
        constraint: None,
    };
    let is_key = index.unique;
    Ok(Building { table, index, parts: Vec::new(), is_key, is_hidden: row.bool(9)? })
}

fn part(reading: &Reading<'_>, building: &mut Building, row: &Row) -> Result<(), DbError> {
    let engine = reading.engine;
    // InnoDB sorts downwards where this says D; the kinds that do not sort say nothing.
    let order = if row.opt_text(5)?.as_deref() == Some("D") { " DESC" } else { "" };
    let Some(column) = row.opt_text(3)? else {
        let expression = super::columns::unescape(engine, row.opt_text(8)?.unwrap_or_default());
        let columns = reading.tables.get(&building.table).map(|found| &found.table.columns);
        let used = columns.into_iter().flatten().map(|column| column.name.clone());
        building
            .index
            .columns
            .extend(used.filter(|name| expression.contains(&quote::ident(engine, name))));
        building.parts.push(format!("({expression}){order}"));
        building.is_key = false;
        return Ok(());
    };
    let length = row.opt_int(4)?.filter(|_| building.index.kind.is_none());
    let prefix = length.map(|length| format!("({length})")).unwrap_or_default();
    building.parts.push(format!("{}{prefix}{order}", quote::ident(engine, &column)));
    let takes_null = row.opt_text(7)?.as_deref() == Some("YES");
    building.is_key &= length.is_none() && !takes_null;
    building.index.columns.push(column);
    Ok(())
}
