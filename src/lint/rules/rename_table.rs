//! Tables that change their name under running builds.

use super::{Check, Report, Rule, Subject};
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "rename-table",
    data: include_str!("../../../lints/rename-table.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let Change::RenameTable { table, to } = &cx.located.change else { return Vec::new() };
    // RENAME TABLE t TO t_old, t_new TO t: a table of that name is there all the time.
    let taken_over = cx
        .changes
        .iter()
        .any(|other| matches!(&other.change, Change::RenameTable { to, .. } if to == table));
    // The other half of such an exchange: t_new is nobody's yet.
    let takes_over = cx
        .changes
        .iter()
        .any(|other| matches!(&other.change, Change::RenameTable { table, .. } if table == to));
    if cx.is_new(table) || taken_over || takes_over {
        return Vec::new();
    }
    let message = format!(
        "table \"{}\" changes its name under running builds: each statement that uses the old name fails",
        cx.show(table)
    );
    // A view with the old name would come too late where DDL cannot stand in a transaction.
    let help = if cx.server.engine.is_mysql_family() {
        "Keep the table's name, and create a view with the new name for new builds"
    } else {
        "Rename it and create a view with the old name in one transaction, allow this finding with that reason, and \
         drop the view in contract.sql"
    };
    vec![Report::new(message, help)]
}
