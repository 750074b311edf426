//! Values of an enum that change their name under running builds.

use super::{Check, Report, Rule, Subject};
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "rename-enum-value",
    data: include_str!("../../../lints/rename-enum-value.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let Change::Act(act) = &cx.located.change else { return Vec::new() };
    let Some(name) = act.object.as_ref().filter(|_| act.has("renames-value")) else {
        return Vec::new();
    };
    let message = format!(
        "type \"{}\" has another word for one of its values ({}): from then on old builds read a word that they do not know, \
         and what they write or compare with the old one fails",
        cx.show(name),
        act.text
    );
    let help = "Add the new value with ADD VALUE, let new builds read both, fill the rows with [[backfill]], and leave the old \
                value where it is";
    vec![Report::new(message, help)]
}
