//! Tables and columns that go while old builds still use them.

use super::{Check, Object, Report, Rule, Subject};
use crate::sql::act::Act;
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "drop-outside-contract",
    data: include_str!("../../../lints/drop-outside-contract.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    if let Change::Act(act) = &cx.located.change {
        return beside_tables(cx, act).into_iter().collect();
    }
    let (what, table) = match &cx.located.change {
        Change::DropTable { table, .. } => (format!("table \"{}\"", cx.show(table)), table),
        // A column of this release is nobody's yet.
        Change::DropColumn { table, column, .. } if !cx.is_new_column(table, column) => {
            (format!("column \"{column}\" of table \"{}\"", cx.show(table)), table)
        }
        _ => return Vec::new(),
    };
    if cx.is_new(table) {
        return Vec::new();
    }
    let message = format!(
        "{what} goes while old builds still run: each of their statements that names it fails"
    );
    let help = "Move the statement to contract.sql, which runs when no old build is left";
    let report = Report::new(message, help);
    // The beginning of a dump: as far as anybody knows there is no such table yet.
    let may_be_dump = matches!(&cx.located.change, Change::DropTable { if_exists: true, .. });
    if may_be_dump && cx.known(table).is_none() {
        return vec![report.unless_made(Object::Table(table.clone()))];
    }
    vec![report]
}

/// Views, functions and types. One that the file makes again is replaced.
fn beside_tables(cx: &Subject<'_>, act: &Act) -> Option<Report> {
    let kind = match act.kind {
        "drop_view" => "view",
        "drop_materialized_view" => "materialized view",
        "drop_function" => "function",
        "drop_type" => "type",
        "drop_domain" => "domain",
        "drop_sequence" => "sequence",
        "drop_schema" => "schema",
        _ => return None,
    };
    let name = act.object.as_ref().or(act.tables.first())?;
    // A helper that the same release makes and drops is nobody's.
    if cx.catalog.beside.interfaces.is_new(name) {
        return None;
    }
    let name = &name.name;
    let message = format!(
        "{kind} \"{name}\" goes while old builds still run: each of their statements that uses it fails"
    );
    let help = "Move the statement to contract.sql, which runs when no old build is left";
    let report = Report::new(message, help);
    Some(match kind {
        "view" | "materialized view" => report.unless_made(Object::View(name.clone())),
        "function" => report.unless_made(Object::Routine(name.clone())),
        _ => report,
    })
}
