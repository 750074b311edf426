//! Whether a step took effect, as the catalog shows it.

use super::connection::Connection;
use super::error::DbError;
use super::session::Value;
use crate::model::name::TableName;
use crate::model::step::Probe;
use crate::sql::quote;

impl Connection {
    /// Whether what the probe asks for is so. None: the catalog cannot tell.
    pub(crate) async fn holds(&mut self, probe: &Probe) -> Result<Option<bool>, DbError> {
        let (table, name, present, what) = match probe {
            Probe::Repeatable | Probe::Undecidable => return Ok(None),
            Probe::Table { table, present } => (table, "", *present, Asked::Table),
            Probe::Column { table, column, present } => (table, &**column, *present, Asked::Column),
            Probe::Index { table, index, present } => (table, &**index, *present, Asked::Index),
            Probe::Constraint { table, constraint, present } => {
                (table, &**constraint, *present, Asked::Constraint)
            }
            Probe::NotNull { table, column, present } => {
                (table, &**column, *present, Asked::NotNull)
            }
        };
        let found = if self.engine().is_mysql_family() {
            self.ask(mysql(&what), mysql_values(&what, table, name)).await?
        } else {
            let owner = quote::table(self.engine(), table);
            self.ask(postgres(&what), postgres_values(&what, &owner, name)).await?
        };
        Ok(Some(match found {
            // An invalid index is neither there nor away.
            Found::Half => false,
            Found::No => !present,
            Found::Yes => present,
        }))
    }

    async fn ask(&mut self, sql: &str, values: Vec<Value>) -> Result<Found, DbError> {
        let rows = self.query(sql, &values).await?;
        let Some(row) = rows.first() else { return Ok(Found::No) };
        Ok(if row.bool(0)? { Found::Yes } else { Found::Half })
    }
}

/// What a probe asks for.
enum Asked {
    Table,
    Column,
    Index,
    Constraint,
    NotNull,
}

/// What the catalog shows.
enum Found {
    No,
    Half,
    Yes,
}

/// A row when it is there; its value says whether it is whole.
fn postgres(what: &Asked) -> &'static str {
    match what {
        Asked::Table => "SELECT true WHERE to_regclass(?) IS NOT NULL",
        Asked::Column => {
            "SELECT true FROM pg_attribute WHERE attrelid = to_regclass(?) AND attname = ? \
             AND attnum > 0 AND NOT attisdropped"
        }
        Asked::Index => {
            "SELECT i.indisvalid AND i.indisready FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
             WHERE i.indrelid = to_regclass(?) AND c.relname = ?"
        }
        Asked::Constraint => {
            "SELECT true FROM pg_constraint WHERE conrelid = to_regclass(?) AND conname = ?"
        }
        Asked::NotNull => {
            "SELECT true FROM pg_attribute WHERE attrelid = to_regclass(?) AND attname = ? AND attnotnull"
        }
    }
}

fn postgres_values(what: &Asked, table: &str, name: &str) -> Vec<Value> {
    match what {
        Asked::Table => vec![table.into()],
        Asked::Column | Asked::Index | Asked::Constraint | Asked::NotNull => {
            vec![table.into(), name.into()]
        }
    }
}

fn mysql(what: &Asked) -> &'static str {
    match what {
        Asked::Table => {
            "SELECT 1 FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA = coalesce(?, DATABASE()) AND TABLE_NAME = ?"
        }
        Asked::Column => {
            "SELECT 1 FROM information_schema.COLUMNS \
             WHERE TABLE_SCHEMA = coalesce(?, DATABASE()) AND TABLE_NAME = ? AND COLUMN_NAME = ?"
        }
        Asked::Index => {
            "SELECT 1 FROM information_schema.STATISTICS \
             WHERE TABLE_SCHEMA = coalesce(?, DATABASE()) AND TABLE_NAME = ? AND INDEX_NAME = ? LIMIT 1"
        }
        Asked::Constraint => {
            "SELECT 1 FROM information_schema.TABLE_CONSTRAINTS \
             WHERE CONSTRAINT_SCHEMA = coalesce(?, DATABASE()) AND TABLE_NAME = ? AND CONSTRAINT_NAME = ? LIMIT 1"
        }
        Asked::NotNull => {
            "SELECT 1 FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = coalesce(?, DATABASE()) \
             AND TABLE_NAME = ? AND COLUMN_NAME = ? AND IS_NULLABLE = 'NO'"
        }
    }
}

fn mysql_values(what: &Asked, table: &TableName, name: &str) -> Vec<Value> {
    let mut values = vec![table.schema.clone().into(), table.name.as_str().into()];
    match what {
        Asked::Table => {}
        Asked::Column | Asked::Index | Asked::Constraint | Asked::NotNull => {
            values.push(name.into());
        }
    }
    values
}
