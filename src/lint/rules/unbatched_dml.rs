//! UPDATE and DELETE of many rows in one transaction.

use super::rename_column::toml_text;
use super::{Check, Report, Rule, Subject};
use crate::lint::finding::{Fix, Severity};
use crate::model::name::TableName;
use crate::sql::change::Change;
use crate::sql::pinned::pinned;
use crate::sql::update;

pub(super) const RULE: Rule = Rule {
    id: "unbatched-dml",
    data: include_str!("../../../lints/unbatched-dml.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

/// Tables that are known to have fewer rows are changed in one go faster than one notices.
const FEW_ROWS: u64 = 1_000;

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let (verb, table, filtered) = match &cx.located.change {
        Change::Update { table, filtered, .. } => ("UPDATE", table, *filtered),
        Change::Delete { table, filtered } => ("DELETE", table, *filtered),
        _ => return Vec::new(),
    };
    let rows = cx.known(table).and_then(|known| known.estimated_rows);
    if cx.is_new(table) || rows.is_some_and(|rows| rows < FEW_ROWS) {
        return Vec::new();
    }
    let pinned = pinned(&cx.source.sql, cx.server.engine);
    if is_by_key(&pinned, cx, table) {
        return Vec::new();
    }
    // Rows of one kind (`name = 'x'`) may be few: nobody can tell without the table's size.
    let perhaps_few = !pinned.is_empty() && rows.is_none();
    let graded =
        |report: Report| if perhaps_few { report.at_most(Severity::Warning) } else { report };
    let shown = cx.show(table);
    let which = if filtered { "all rows that match" } else { "every row" };
    let message = format!(
        "{verb} takes {which} of table \"{shown}\" in one transaction: whoever writes one of them waits until it ends, \
         and replicas fall behind"
    );
    if verb == "DELETE" {
        let help = "Delete in batches of a few thousand rows, each in a transaction of its own; or mark them with \
                    [[backfill]] in migration.toml and let the application pass them over";
        return vec![graded(Report::new(message, help))];
    }
    let help = if cx.backfilled.contains(table) {
        format!("Move it into the [[backfill]] of table \"{shown}\", which fills rows in batches")
    } else {
        "Declare it as [[backfill]] in migration.toml, which fills rows in batches".to_owned()
    };
    vec![graded(Report::new(message, help).with_fix(backfill(cx, table)))]
}

/// Whether the rows are named by their key: they are few.
fn is_by_key(pinned: &[String], cx: &Subject<'_>, table: &TableName) -> bool {
    let holds = |columns: &[String]| {
        let is_pinned = |column: &String| {
            pinned.iter().any(|pinned| cx.server.engine.same_name(pinned, column))
        };
        !columns.is_empty() && columns.iter().all(is_pinned)
    };
    match cx.known(table) {
        Some(known) => {
            holds(&known.key)
                || known.indexes.iter().any(|index| index.unique && holds(&index.columns))
        }
        // Of a table that is not known, this is the name that keys have.
        None => holds(&["id".to_owned()]),
    }
}

/// The UPDATE as a backfill, when it is one.
fn backfill(cx: &Subject<'_>, table: &TableName) -> Option<Fix> {
    let parts = update::parts(&cx.source.sql, cx.server.engine)?;
    let mut toml = format!(
        "[[backfill]]\ntable = {}\nset   = {}\n",
        toml_text(&cx.show(table)),
        toml_text(&parts.set)
    );
    if let Some(filter) = parts.filter {
        toml.push_str("where = ");
        toml.push_str(&toml_text(&filter));
        toml.push('\n');
    }
    Some(Fix::Operation { toml })
}
