//! NOT NULL on a column that is there: what old builds write, and the scan of the table.

use super::{Check, Report, Rule, Subject};
use crate::lint::finding::Fix;
use crate::model::name::TableName;
use crate::model::phase::Phase;
use crate::model::server::Engine;
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "set-not-null",
    data: include_str!("../../../lints/set-not-null.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let (table, column) = match &cx.located.change {
        Change::SetNotNull { table, column } => (table, column),
        Change::ChangeType { table, column, to, .. }
            if cx.server.engine.is_mysql_family()
                && to.not_null
                && cx.column(table, column).is_some_and(|known| !known.not_null) =>
        {
            (table, column)
        }
        _ => return Vec::new(),
    };
    let known = cx.column(table, column);
    if cx.is_new(table) || known.is_some_and(|known| known.not_null) {
        return Vec::new();
    }
    let shown = cx.show(table);
    // Old builds leave out what they do not know: a default fills it.
    let is_filled = known.is_some_and(|known| known.is_new && known.default.is_some());
    let is_refused = cx.known(table).is_some_and(|known| known.refuses_null(column));
    if cx.phase < Phase::Contract && !is_filled && !is_refused {
        let message = format!(
            "column \"{column}\" of table \"{shown}\" refuses NULL from now on: writes of old builds that leave it out fail"
        );
        let help = "Set NOT NULL in contract.sql, when no old build is left to write NULL";
        return vec![Report::new(message, help)];
    }
    if cx.server.engine != Engine::Postgres || cx.effect.scans.is_empty() {
        return Vec::new();
    }
    let message = format!(
        "every row of table \"{}\" is read for NOT NULL of column \"{column}\", and meanwhile nobody reads or writes the table{} \
         (AccessExclusiveLock)",
        cx.show(table),
        cx.takes()
    );
    let help = format!(
        "Add CHECK ({column} IS NOT NULL) NOT VALID, validate it in a statement of its own, then set NOT NULL and drop the check"
    );
    vec![Report::new(message, help).with_fix(fix(cx, table, column))]
}

/// The same in four short statements.
fn fix(cx: &Subject<'_>, table: &TableName, column: &str) -> Option<Fix> {
    let name = format!("{}_{column}_not_null", table.name);
    let taken = cx.known(table).is_some_and(|known| {
        !known.peculiarities.is_empty() || known.constraints.iter().any(|other| other.name == name)
    });
    if !cx.is_alone() || taken || name.len() > 63 {
        return None;
    }
    let (table, name, sql) = (cx.quoted(table), cx.ident(&name), cx.source.sql.trim_end());
    Some(cx.replaced(format!(
        "ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({} IS NOT NULL) NOT VALID;\nALTER TABLE {table} VALIDATE CONSTRAINT \
         {name};\n{sql};\nALTER TABLE {table} DROP CONSTRAINT {name}",
        cx.ident(column)
    )))
}
