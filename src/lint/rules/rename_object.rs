//! Views, functions, types and schemas that change their name under running builds.

use super::{Check, Report, Rule, Subject};
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "rename-object",
    data: include_str!("../../../lints/rename-object.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let (kind, name) = match &cx.located.change {
        Change::Act(act) if act.has("renames") || act.has("moves") => {
            let kind = match act.kind {
                "alter_view" => "view",
                "alter_materialized_view" => "materialized view",
                "alter_function" => "function",
                "alter_type" => "type",
                "alter_domain" => "domain",
                _ => return Vec::new(),
            };
            let Some(name) = act.object.as_ref().or(act.tables.first()) else { return Vec::new() };
            if cx.is_new(name) {
                return Vec::new();
            }
            (kind, cx.show(name))
        }
        Change::Other { what } => {
            let renamed = what.strip_prefix("ALTER SCHEMA ");
            let Some((name, _)) = renamed.and_then(|rest| rest.split_once(" RENAME TO ")) else {
                return Vec::new();
            };
            ("schema", name.to_owned())
        }
        _ => return Vec::new(),
    };
    let message = format!(
        "{kind} \"{name}\" changes its name under running builds: each statement that uses the old name fails"
    );
    let help = match kind {
        "view" | "materialized view" | "function" => {
            "Create it under the new name beside the old one, and drop the old one in contract.sql"
        }
        _ => {
            "Keep the name until no old build is left, and change it in contract.sql of a release that uses neither"
        }
    };
    vec![Report::new(message, help)]
}
