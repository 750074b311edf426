//! Functions and procedures that are made again with other parameters, or another result.

use super::{Check, Report, Rule, Subject};
use crate::lint::finding::Severity;
use crate::model::phase::Phase;
use crate::model::server::Engine;
use crate::sql::change::Change;
use crate::sql::fits::{Fit, fit};
use crate::sql::interface::{Interface, Signature};

pub(super) const RULE: Rule = Rule {
    id: "replaced-function",
    data: include_str!("../../../lints/replaced-function.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

const HELP: &str = "Make a function of another name beside it, let new builds call that, and drop the old one in contract.sql";

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let Change::Act(act) = &cx.located.change else { return Vec::new() };
    let Some(Interface::Routine(new)) = &act.interface else { return Vec::new() };
    let Some(name) = &act.object else { return Vec::new() };
    let engine = cx.server.engine;
    let old: Vec<_> = cx.catalog.beside.interfaces.routines(name).collect();
    let shown = cx.show(name);
    if let Some(same) = old.iter().find(|seen| seen.shape.is_replaced_by(new, engine)) {
        if act.has("if-not-exists") {
            return Vec::new();
        }
        let is_refused = engine == Engine::Postgres && act.has("replaces") && !same.is_gone;
        if let Some(why) = refused(&same.shape, new).filter(|_| is_refused) {
            let message = format!(
                "function \"{shown}\" {why}, which CREATE OR REPLACE cannot change: the server refuses it"
            );
            return vec![Report::new(message, HELP)];
        }
        return broken(cx, &same.shape, new, &shown).into_iter().collect();
    }
    // PostgreSQL: another beside those that are there. Of several that are gone nobody can tell whose place it takes.
    let mut gone = old.iter().filter(|seen| seen.is_gone);
    match (gone.next(), gone.next()) {
        (Some(gone), None) => broken(cx, &gone.shape, new, &shown).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// What PostgreSQL does not let CREATE OR REPLACE change.
fn refused(old: &Signature, new: &Signature) -> Option<String> {
    if let (Some(before), Some(after)) = (&old.result, &new.result)
        && before != after
    {
        return Some(format!("gives {before} and would give {after}"));
    }
    old.inputs.iter().zip(&new.inputs).find_map(|(before, after)| {
        match (&before.name, &after.name) {
            (Some(name), other) if other.as_ref() != Some(name) => {
                Some(format!("calls a parameter \"{name}\" and would call it otherwise"))
            }
            _ if before.optional && !after.optional => {
                Some("has a default for a parameter and would have none".to_owned())
            }
            _ => None,
        }
    })
}

/// What the calls of old builds meet.
fn broken(cx: &Subject<'_>, old: &Signature, new: &Signature, shown: &str) -> Option<Report> {
    if cx.phase >= Phase::Contract {
        return None;
    }
    let engine = cx.server.engine;
    let needed = new.inputs.iter().filter(|input| !input.optional).count();
    let given = old.inputs.iter().filter(|input| !input.optional).count();
    if needed > given || new.inputs.len() < old.inputs.len() {
        let message = format!(
            "function \"{shown}\" takes other parameters than before ({}, and it was {}): each call of old builds fails",
            takes(new),
            takes(old)
        );
        return Some(Report::new(message, HELP));
    }
    let fits = |before: &str, after: &str| {
        before == after || matches!(fit(before, after, engine), Fit::Holds)
    };
    let pairs = old.inputs.iter().zip(&new.inputs);
    let taken = pairs
        .filter(|(a, b)| !fits(&a.data_type, &b.data_type))
        .map(|(a, b)| format!("takes {} where it took {}", b.data_type, a.data_type));
    let given = match (&old.result, &new.result) {
        (Some(before), Some(after)) if !fits(before, after) => {
            Some(format!("gives {after} where it gave {before}"))
        }
        _ => None,
    };
    let how = taken.chain(given).next()?;
    let message = format!(
        "function \"{shown}\" {how}: old builds go on to call it, and to read what it gives, as before"
    );
    Some(Report::new(message, HELP).at_most(Severity::Warning))
}

/// The types of what a routine takes, in words.
fn takes(signature: &Signature) -> String {
    let types: Vec<_> = signature.inputs.iter().map(|input| input.data_type.as_str()).collect();
    if types.is_empty() { "none".to_owned() } else { types.join(", ") }
}
