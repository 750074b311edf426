//! Columns on MySQL and MariaDB.

use super::case::Case;
use super::defaults::{self, DefaultKind};
use super::mysql::{INSTANT, Online, REBUILD, REBUILD_SHARED, copy, quick};
use crate::model::name::TableName;
use crate::model::server::{Engine, Server};
use crate::sql::catalog::{Column, Table};
use crate::sql::change::ColumnDef;
use crate::sql::types::{DataType, canonical};

/// ADD COLUMN, without what stands beside it (UNIQUE, CHECK, REFERENCES are changes of their own).
pub(super) fn add(column: &ColumnDef, table: Option<&Table>, server: Server) -> Online {
    let mysql = server.engine == Engine::MySql;
    let has_fulltext = table.is_some_and(|table| {
        table.indexes.iter().any(|index| index.kind.as_deref() == Some("FULLTEXT"))
    });
    let stored = column.generated.as_ref().is_some_and(|text| text.ends_with(" STORED"));
    let default = column.default.as_deref().map(|text| defaults::kind(text, server.engine));
    match default {
        _ if column.counts => REBUILD_SHARED,
        _ if stored => copy(server),
        _ if has_fulltext && mysql => copy(server),
        _ if has_fulltext => REBUILD_SHARED,
        Some(DefaultKind::Volatile) => copy(server),
        Some(DefaultKind::Stable) if mysql => copy(server),
        _ => INSTANT,
    }
}

/// DROP COLUMN: quick unless an index holds the column.
pub(super) fn drop(name: &TableName, column: &str, table: Option<&Table>) -> Case {
    let indexed = table.is_some_and(|table| {
        let names =
            |columns: &[String]| columns.iter().any(|known| known.eq_ignore_ascii_case(column));
        names(&table.key) || table.indexes.iter().any(|index| names(&index.columns))
    });
    Case::new("drop_column", name).fact("indexed", indexed)
}

/// MODIFY, CHANGE. A column that is not known costs the worst.
pub(super) fn change(
    column: &str,
    to: &ColumnDef,
    table: Option<&Table>,
    server: Server,
) -> Online {
    let known = table.and_then(|table| {
        table.columns.iter().find(|known| known.name.eq_ignore_ascii_case(column))
    });
    let Some(known) = known else { return copy(server) };
    let type_change = change_type(known, to, server);
    if known.not_null == to.not_null {
        type_change
    } else if type_change == INSTANT || type_change == quick(server) {
        REBUILD
    } else {
        type_change
    }
}

fn change_type(known: &Column, to: &ColumnDef, server: Server) -> Online {
    let (from, into) =
        (canonical(&known.data_type, server.engine), canonical(&to.data_type, server.engine));
    if from == into {
        return if to.counts && !known.counts { copy(server) } else { INSTANT };
    }
    let (from, into) =
        (DataType::parse(&from, server.engine), DataType::parse(&into, server.engine));
    if from.is_appended_by(&into) {
        return INSTANT;
    }
    match (from.varchar_bytes(), into.varchar_bytes()) {
        (Some(old), Some(new)) if from.rest == into.rest && old <= new => {
            let same_length_bytes = (old < 256) == (new < 256);
            // MariaDB: a column of at most 127 bytes keeps one bit free for the second length byte.
            let grows_at_once = server.engine == Engine::MariaDb && old < 128;
            if same_length_bytes || grows_at_once { quick(server) } else { copy(server) }
        }
        _ => copy(server),
    }
}
