//! Checks and foreign keys, both ways.

use super::Reading;
use crate::database::error::DbError;
use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::catalog::{Constraint, ConstraintKind};
use crate::sql::quote;

/// Checks; which columns one names is read from its text, in which both servers quote names.
pub(super) async fn read_checks(reading: &mut Reading<'_>) -> Result<(), DbError> {
    // The names of MariaDB's checks are their table's own, those of MySQL's the whole database's.
    let sql = if reading.engine == Engine::MariaDb {
        format!(
            "SELECT TABLE_NAME, CONSTRAINT_NAME, CHECK_CLAUSE, 'YES' FROM information_schema.CHECK_CONSTRAINTS \
             WHERE CONSTRAINT_SCHEMA = DATABASE() AND TABLE_NAME IN ({}) ORDER BY 1, 2",
            reading.marks
        )
    } else {
        format!(
            "SELECT t.TABLE_NAME, c.CONSTRAINT_NAME, c.CHECK_CLAUSE, t.ENFORCED \
             FROM information_schema.CHECK_CONSTRAINTS c JOIN information_schema.TABLE_CONSTRAINTS t \
               ON t.CONSTRAINT_SCHEMA = c.CONSTRAINT_SCHEMA AND t.CONSTRAINT_NAME = c.CONSTRAINT_NAME \
               AND t.CONSTRAINT_TYPE = 'CHECK' \
             WHERE c.CONSTRAINT_SCHEMA = DATABASE() AND t.TABLE_NAME IN ({}) ORDER BY 1, 2",
            reading.marks
        )
    };
    let engine = reading.engine;
    for row in reading.conn.query(&sql, &reading.names()).await? {
        let clause = super::columns::unescape(engine, row.text(2)?);
        let enforced = row.text(3)? == "YES";
        let Some(table) = reading.table(&row.text(0)?) else { continue };
        let names = table.columns.iter().map(|column| column.name.clone());
        let columns = names.filter(|name| clause.contains(&quote::ident(engine, name))).collect();
        let end = if enforced { "" } else { " NOT ENFORCED" };
        table.constraints.push(Constraint {
            name: row.text(1)?,
            kind: ConstraintKind::Check,
            columns,
            definition: format!("CHECK ({clause}){end}"),
            valid: enforced,
            other: None,
        });
    }
    Ok(())
}

/// A foreign key as its rows are read.
struct Key {
    table: String,
    name: String,
    columns: Vec<String>,
    to_schema: Option<String>,
    to_table: String,
    to_columns: Vec<String>,
    actions: String,
}

/// The table's own foreign keys, and those of other tables that point at it, whose names are shown with their table.
pub(super) async fn read_foreign_keys(reading: &mut Reading<'_>) -> Result<(), DbError> {
    let sql = format!(
        "SELECT k.TABLE_NAME, k.CONSTRAINT_NAME, k.COLUMN_NAME, \
           NULLIF(k.REFERENCED_TABLE_SCHEMA, DATABASE()), k.REFERENCED_TABLE_NAME, k.REFERENCED_COLUMN_NAME, \
           r.DELETE_RULE, r.UPDATE_RULE, NULLIF(k.TABLE_SCHEMA, DATABASE()) \
         FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r \
           ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME \
           AND r.TABLE_NAME = k.TABLE_NAME \
         WHERE (k.TABLE_SCHEMA = DATABASE() AND k.TABLE_NAME IN ({marks})) \
            OR (k.REFERENCED_TABLE_SCHEMA = DATABASE() AND k.REFERENCED_TABLE_NAME IN ({marks})) \
         ORDER BY k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION",
        marks = reading.marks
    );
    let names = [reading.names(), reading.names()].concat();
    let mut keys: Vec<Key> = Vec::new();
    for row in reading.conn.query(&sql, &names).await? {
        let owner = [row.opt_text(8)?, Some(row.text(0)?)];
        let table = owner.into_iter().flatten().collect::<Vec<_>>().join(".");
        let name = row.text(1)?;
        let known = keys.last().is_some_and(|last| last.table == table && last.name == name);
        if !known {
            keys.push(Key {
                table,
                name,
                columns: Vec::new(),
                to_schema: row.opt_text(3)?,
                to_table: row.text(4)?,
                to_columns: Vec::new(),
                actions: actions(&row.text(6)?, &row.text(7)?),
            });
        }
        if let Some(last) = keys.last_mut() {
            last.columns.push(row.text(2)?);
            last.to_columns.push(row.text(5)?);
        }
    }
    for key in &keys {
        place(reading, key);
    }
    Ok(())
}

fn place(reading: &mut Reading<'_>, key: &Key) {
    let engine = reading.engine;
    let list = |columns: &[String]| {
        columns.iter().map(|column| quote::ident(engine, column)).collect::<Vec<_>>().join(", ")
    };
    let schema = key.to_schema.iter().map(|schema| format!("{}.", quote::ident(engine, schema)));
    let definition = format!(
        "FOREIGN KEY ({}) REFERENCES {}{} ({}){}",
        list(&key.columns),
        schema.collect::<String>(),
        quote::ident(engine, &key.to_table),
        list(&key.to_columns),
        key.actions
    );
    if let Some(table) = reading.table(&key.table) {
        table.constraints.push(Constraint {
            name: key.name.clone(),
            kind: ConstraintKind::ForeignKey,
            columns: key.columns.clone(),
            definition: definition.clone(),
            valid: true,
            other: Some(TableName { schema: key.to_schema.clone(), name: key.to_table.clone() }),
        });
    }
    if key.to_schema.is_some() {
        return;
    }
    if let Some(table) = reading.table(&key.to_table) {
        table.constraints.push(Constraint {
            name: format!("{} of {}", key.name, key.table),
            kind: ConstraintKind::ReferencedBy,
            columns: key.to_columns.clone(),
            definition,
            valid: true,
            other: Some(match key.table.split_once('.') {
                Some((schema, name)) => TableName::in_schema(schema, name),
                None => TableName::bare(&key.table),
            }),
        });
    }
}

/// What is not the default: to InnoDB, RESTRICT and NO ACTION are one.
fn actions(on_delete: &str, on_update: &str) -> String {
    [("DELETE", on_delete), ("UPDATE", on_update)]
        .into_iter()
        .filter(|(_, rule)| !matches!(*rule, "RESTRICT" | "NO ACTION"))
        .map(|(event, rule)| format!(" ON {event} {rule}"))
        .collect::<Vec<_>>()
        .concat()
}
