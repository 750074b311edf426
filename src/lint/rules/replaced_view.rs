//! Views that are made again with other columns.

use super::{Check, Report, Rule, Subject};
use crate::lint::finding::Severity;
use crate::model::phase::Phase;
use crate::model::server::Engine;
use crate::sql::change::Change;
use crate::sql::interface::Interface;

pub(super) const RULE: Rule = Rule {
    id: "replaced-view",
    data: include_str!("../../../lints/replaced-view.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let Change::Act(act) = &cx.located.change else { return Vec::new() };
    let Some(Interface::View(outputs)) = &act.interface else { return Vec::new() };
    let Some(name) = &act.object else { return Vec::new() };
    let interfaces = &cx.catalog.beside.interfaces;
    let is_gone = interfaces.view(name).is_some_and(|seen| seen.is_gone);
    let old = cx.catalog.view_columns(name).filter(|_| !interfaces.is_new(name));
    let (Some(old), Some(new)) = (old, cx.catalog.columns_of(outputs)) else { return Vec::new() };
    let same = |a: &str, b: &str| cx.server.engine.same_name(a, b);
    let begins = new.len() >= old.len() && new.iter().zip(&old).all(|(a, b)| same(a, b));
    // What old builds read is where it was.
    if begins || act.has("if-not-exists") {
        return Vec::new();
    }
    let shown = cx.show(name);
    let lost: Vec<_> = old.iter().filter(|old| !new.iter().any(|new| same(old, new))).collect();
    if cx.server.engine == Engine::Postgres && act.has("replaces") && !is_gone {
        let message = format!(
            "view \"{shown}\" has the columns {}, and CREATE OR REPLACE VIEW can only add some at the end: the server refuses it",
            old.join(", ")
        );
        let help = "Leave the columns that are there first and as they are, or make a view of another name beside it";
        return vec![Report::new(message, help)];
    }
    if cx.phase >= Phase::Contract {
        return Vec::new();
    }
    let help = "Keep the columns that old builds read, in their order, and add new ones at the end; or make a view of another \
                name beside it";
    if lost.is_empty() {
        let message = format!(
            "view \"{shown}\" has its columns in another order: old builds that read SELECT * by position take one for another"
        );
        return vec![Report::new(message, help).at_most(Severity::Warning)];
    }
    let lost: Vec<_> = lost.into_iter().map(|name| format!("\"{name}\"")).collect();
    let message = format!(
        "view \"{shown}\" is made again without {}: each statement of old builds that reads it fails",
        lost.join(", ")
    );
    vec![Report::new(message, help)]
}
