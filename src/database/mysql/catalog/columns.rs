//! Columns, their types and defaults as SQL.

use super::Reading;
use crate::database::error::DbError;
use crate::database::session::Row;
use crate::model::server::Engine;
use crate::sql::catalog::{Column, Peculiarity};
use crate::sql::quote;

/// Columns in their order.
pub(super) async fn read(reading: &mut Reading<'_>) -> Result<(), DbError> {
    let sql = format!(
        "SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, CHARACTER_SET_NAME, COLLATION_NAME, IS_NULLABLE, \
           COLUMN_DEFAULT, EXTRA, GENERATION_EXPRESSION, COLUMN_COMMENT, DATA_TYPE \
         FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN ({}) \
         ORDER BY TABLE_NAME, ORDINAL_POSITION",
        reading.marks
    );
    let engine = reading.engine;
    for row in reading.conn.query(&sql, &reading.names()).await? {
        let Some(found) = reading.tables.get_mut(&row.text(0)?) else { continue };
        let column = column(engine, &row, found.collation.as_deref())?;
        if row.text(7)?.to_ascii_uppercase().contains("INVISIBLE") {
            let words = format!("has column \"{}\", which is invisible", column.name);
            let columns = vec![column.name.clone()];
            found.table.peculiarities.push(Peculiarity { words, columns });
        }
        if row.text(7)?.to_ascii_uppercase().contains("STORED GENERATED") {
            found.table.storage.stored.push(column.name.clone());
        }
        found.table.columns.push(column);
    }
    Ok(())
}

fn column(engine: Engine, row: &Row, table_collation: Option<&str>) -> Result<Column, DbError> {
    let mut data_type = row.text(2)?;
    if let (Some(charset), Some(collation)) = (row.opt_text(3)?, row.opt_text(4)?)
        && Some(collation.as_str()) != table_collation
    {
        data_type = format!("{data_type} CHARACTER SET {charset} COLLATE {collation}");
    }
    let extra = row.text(7)?.to_ascii_lowercase();
    let generated = row.opt_text(8)?.filter(|text| !text.is_empty());
    let default = match row.opt_text(6)? {
        Some(text) if generated.is_none() => default(engine, &row.text(10)?, text, &extra),
        _ => None,
    };
    let on_update = extra.split_once("on update ").map(|(_, what)| what.replace(" invisible", ""));
    Ok(Column {
        name: row.text(1)?,
        data_type,
        collation: None,
        not_null: row.text(5)? == "NO",
        default,
        generated: generated.map(|text| unescape(engine, text)),
        counts: extra.contains("auto_increment"),
        on_update,
        comment: row.opt_text(9)?.filter(|text| !text.is_empty()),
        grants: Vec::new(),
        is_new: false,
    })
}

/// MariaDB writes defaults as SQL, also the one that is NULL by itself. MySQL writes literals without quotes, and marks
/// what is an expression.
fn default(engine: Engine, data_type: &str, text: String, extra: &str) -> Option<String> {
    if engine == Engine::MariaDb {
        return (text != "NULL").then_some(text);
    }
    let is_clock = text.to_ascii_uppercase().starts_with("CURRENT_TIMESTAMP");
    if extra.contains("default_generated") {
        return Some(if is_clock { text } else { format!("({})", unescape(engine, text)) });
    }
    let is_number = matches!(
        data_type.to_ascii_lowercase().as_str(),
        "tinyint"
            | "smallint"
            | "mediumint"
            | "int"
            | "bigint"
            | "decimal"
            | "float"
            | "double"
            | "bit"
            | "year"
    );
    Some(if is_number || is_clock { text } else { quote::literal(engine, &text) })
}

/// MySQL shows expressions as it stores them: every quote and backslash has a backslash in front.
pub(super) fn unescape(engine: Engine, text: String) -> String {
    if engine != Engine::MySql {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        plain.push(if c == '\\' { characters.next().unwrap_or(c) } else { c });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_is_an_expression_whatever_the_server_shows() {
        let my = |kind: &str, text: &str, extra: &str| {
            default(Engine::MySql, kind, text.to_owned(), extra)
        };
        let maria = |text: &str| default(Engine::MariaDb, "varchar", text.to_owned(), "");
        assert_eq!(my("varchar", "a'b", "").as_deref(), Some("'a''b'"));
        assert_eq!(my("int", "3", "").as_deref(), Some("3"));
        assert_eq!(my("bit", "b'1'", "").as_deref(), Some("b'1'"));
        assert_eq!(my("varchar", "uuid()", "default_generated").as_deref(), Some("(uuid())"));
        let clock = my(
            "datetime",
            "CURRENT_TIMESTAMP(6)",
            "default_generated on update current_timestamp(6)",
        );
        assert_eq!(clock.as_deref(), Some("CURRENT_TIMESTAMP(6)"));
        assert_eq!(
            my("text", r"_utf8mb4\'x\'", "default_generated").as_deref(),
            Some("(_utf8mb4'x')")
        );
        let nested = my("text", r"concat(_utf8mb4\'it\\\'s\')", "default_generated");
        assert_eq!(nested.as_deref(), Some(r"(concat(_utf8mb4'it\'s'))"));
        assert_eq!(maria("'a''b'").as_deref(), Some("'a''b'"));
        assert_eq!(maria("NULL"), None);
    }
}
