//! REFERENCES beside a column, which MySQL reads and forgets.

use super::{Check, Report, Rule, Subject};
use crate::model::server::Engine;
use crate::sql::change::{Change, ConstraintDefKind};

pub(super) const RULE: Rule = Rule {
    id: "inline-reference",
    data: include_str!("../../../lints/inline-reference.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let Change::AddConstraint { table, constraint } = &cx.located.change else { return Vec::new() };
    let ConstraintDefKind::ForeignKey { to } = &constraint.kind else { return Vec::new() };
    // MySQL 9.0 and MariaDB 10.5 make the foreign key.
    if !constraint.inline || cx.server.engine != Engine::MySql || cx.server.version.0 >= 9 {
        return Vec::new();
    }
    let message = format!(
        "REFERENCES {} beside a column of table \"{}\" makes no foreign key: MySQL before 9.0 reads it and forgets it without a \
         word",
        cx.show(to),
        cx.show(table)
    );
    vec![Report::new(
        message,
        "Write FOREIGN KEY (column) REFERENCES ... as a constraint of the table",
    )]
}
