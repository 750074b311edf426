//! ALGORITHM and LOCK behind the ALTERs of a file for MySQL and MariaDB, so that the server refuses rather than copies
//! in silence. The author's text stays as it is; what the author asserts wins.

use crate::model::server::{Engine, Server};
use crate::sql::catalog::Catalog;
use crate::sql::change::{Change, Located};
use crate::sql::rename::split_at_word;

/// The statement with its assertion.
///
/// `base`: the tables as they are known before the migration.
pub(super) fn asserted(sql: &str, changes: &[Located], server: Server, base: &Catalog) -> String {
    let engine = server.engine;
    let says = |word| split_at_word(engine, sql, word).is_some();
    if !engine.is_mysql_family() || says("ALGORITHM") || says("LOCK") {
        return sql.to_owned();
    }
    if changes.is_empty() || !changes.iter().all(|located| takes_clauses(&located.change)) {
        return sql.to_owned();
    }
    let words: Vec<_> = sql.split_whitespace().take(2).map(str::to_ascii_uppercase).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["ALTER", "TABLE"] => format!("{sql}, {}", clauses(changes, (engine, base), ", ")),
        // CREATE INDEX and DROP INDEX take them without a comma.
        ["CREATE" | "DROP", _] => format!("{sql} {}", clauses(changes, (engine, base), " ")),
        _ => sql.to_owned(),
    }
}

/// What zdm puts behind a statement, its own included.
const ASSERTIONS: &[&str] = &[
    ", ALGORITHM=INSTANT, LOCK=NONE",
    ", ALGORITHM=NOCOPY, LOCK=NONE",
    ", ALGORITHM=INPLACE, LOCK=NONE",
    " ALGORITHM=INPLACE LOCK=NONE",
    ", ALGORITHM=INSTANT",
    " ALGORITHM=INSTANT",
];

/// The statement without the assertion that zdm has put behind it.
pub(crate) fn bare(sql: &str) -> &str {
    ASSERTIONS.iter().find_map(|assertion| sql.strip_suffix(assertion)).unwrap_or(sql)
}

/// MariaDB takes INPLACE for "at worst in place". MySQL would write the table anew for what could be instant
/// (measured for 18 changes on 9.7), and takes no LOCK beside INSTANT.
fn clauses(changes: &[Located], (engine, base): (Engine, &Catalog), between: &str) -> String {
    if engine == Engine::MySql && changes.iter().all(|located| is_instant(&located.change, base)) {
        "ALGORITHM=INSTANT".to_owned()
    } else {
        format!("ALGORITHM=INPLACE{between}LOCK=NONE")
    }
}

fn is_instant(change: &Change, base: &Catalog) -> bool {
    match change {
        Change::AddColumn { column, .. } => {
            column.generated.is_none() && !column.unique && !column.counts
        }
        // What an index holds is not dropped at once (9.7).
        Change::DropColumn { table, column, .. } => {
            let known = base.tables.get(table);
            !known.is_some_and(|known| {
                known.key.contains(column)
                    || known.indexes.iter().any(|index| index.columns.contains(column))
            })
        }
        Change::RenameColumn { .. } | Change::SetDefault { .. } => true,
        // All else reads or writes rows, or an index.
        _ => false,
    }
}

/// Renaming a table takes no LOCK=NONE on MariaDB; partition operations take neither clause; what is not understood is
/// left to the rules.
fn takes_clauses(change: &Change) -> bool {
    match change {
        Change::AddColumn { .. }
        | Change::DropColumn { .. }
        | Change::RenameColumn { .. }
        | Change::ChangeType { .. }
        | Change::SetNotNull { .. }
        | Change::DropNotNull { .. }
        | Change::SetDefault { .. }
        | Change::CreateIndex { .. }
        | Change::DropIndex { .. }
        | Change::RenameIndex { .. }
        | Change::AddConstraint { .. }
        | Change::DropConstraint { .. } => true,
        Change::CreateTable { .. }
        | Change::DropTable { .. }
        | Change::RenameTable { .. }
        | Change::ValidateConstraint { .. }
        | Change::RenameConstraint { .. }
        | Change::Update { .. }
        | Change::Delete { .. }
        | Change::Insert { .. }
        | Change::Truncate { .. }
        | Change::Rebuild { .. }
        | Change::TableSetting { .. }
        | Change::Act(_)
        | Change::TableOption { .. }
        | Change::Partitions { .. }
        | Change::Demand { .. }
        | Change::Clauseless { .. }
        | Change::Harmless
        | Change::Other { .. }
        | Change::Opaque { .. } => false,
    }
}
