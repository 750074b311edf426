//! Names that must be quoted for ever.

use super::{Check, Report, Rule, Subject};
use crate::lint::reserved::is_reserved;
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "reserved-word",
    data: include_str!("../../../lints/reserved-word.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let engine = cx.server.engine;
    let (table, names): (_, Vec<&str>) = match &cx.located.change {
        Change::CreateTable { table, columns, temporary: false, .. } => {
            let columns = columns.iter().map(|column| column.name.as_str());
            (table, columns.chain([table.name.as_str()]).collect())
        }
        Change::AddColumn { table, column, .. } => (table, vec![&column.name]),
        Change::RenameColumn { table, to, .. } => (table, vec![to]),
        Change::RenameTable { table, to } => (table, vec![&to.name]),
        _ => return Vec::new(),
    };
    let found: Vec<_> = names.into_iter().filter(|name| is_reserved(name, engine)).collect();
    if found.is_empty() {
        return Vec::new();
    }
    let message = format!(
        "in table \"{}\" {} cannot be written without quotes in any statement, ever: it is a reserved word of {}",
        cx.show(table),
        found.join(", "),
        engine.title()
    );
    vec![Report::new(message, "Choose another name")]
}
