//! Sync triggers of PostgreSQL.
//!
//! A role needs no right on a trigger's function to fire it (EXECUTE is checked when the trigger is made), so that the
//! schema `zdm` stays closed to applications; measured on PostgreSQL 15 with a role that has no USAGE on it.

use super::super::names;
use super::{Sync, SyncMode, differs};
use crate::model::name::TableName;
use crate::model::server::{Engine, Server};
use crate::model::step::{Probe, Statement};
use crate::sql::quote::{ident, table as quoted};

const ENGINE: Engine = Engine::Postgres;

/// The events, and the words in names.
pub(super) const EVENTS: [(&str, &str); 2] = [("INSERT", "insert"), ("UPDATE", "update")];

/// Triggers fire in the order of their names: after the user's own, whose results must be kept alike, too.
pub(super) fn trigger_name(event: &str) -> String {
    format!("zzz_zdm_sync_{event}")
}

/// Functions are replaced, triggers replaced where they differ, or both dropped when nothing is left to keep alike.
pub(super) fn triggers(server: Server, table: &TableName, syncs: &[&Sync]) -> Vec<Statement> {
    let mut statements = Vec::new();
    for (event, word) in EVENTS {
        let trigger = ident(ENGINE, &trigger_name(word));
        let function = function_name(table, word);
        let table = quoted(ENGINE, table);
        let replaces = server.version.0 >= 14;
        if syncs.is_empty() || !replaces {
            statements.push(format!("DROP TRIGGER IF EXISTS {trigger} ON {table}"));
        }
        if syncs.is_empty() {
            statements.push(format!("DROP FUNCTION IF EXISTS {function}()"));
            continue;
        }
        let or_replace = if replaces { "OR REPLACE " } else { "" };
        let when = if word == "update" { changed(syncs) } else { String::new() };
        statements.push(function_text(&function, word, syncs));
        statements.push(format!("REVOKE ALL ON FUNCTION {function}() FROM PUBLIC"));
        statements.push(format!(
            "CREATE {or_replace}TRIGGER {trigger} BEFORE {event} ON {table} FOR EACH ROW{when} EXECUTE FUNCTION \
             {function}()"
        ));
    }
    statements.into_iter().map(|sql| Statement { sql, done: Probe::Repeatable }).collect()
}

fn function_name(table: &TableName, word: &str) -> String {
    let schema = table.schema.as_deref().unwrap_or("public");
    let mut whole = format!("{schema}.{}", table.name);
    // A dot in a name could make two tables look alike, and one function serve both.
    if whole.matches('.').count() > 1 {
        whole = names::digest(&format!("{schema:?}.{:?}", table.name));
    }
    let name = names::joined(ENGINE, &["sync", &whole, word]);
    format!("{}.{}", ident(ENGINE, "zdm"), ident(ENGINE, &name))
}

/// WHEN: only rows that a sync has to mend pay for the function. A backfill leaves both columns alike, and pays nothing.
fn changed(syncs: &[&Sync]) -> String {
    let conditions = syncs.iter().map(|sync| match sync.mode {
        SyncMode::Feed => column_changed(sync, &sync.new),
        SyncMode::Both => {
            let (old, new) = (ident(ENGINE, &sync.old), ident(ENGINE, &sync.new));
            let differ = differs(ENGINE, sync.image, &format!("NEW.{new}"), &format!("NEW.{old}"));
            // Columns that differed before are the backfill's: to make them alike here could take the wrong side.
            let (new, old) = (column_changed(sync, &sync.new), column_changed(sync, &sync.old));
            format!("{differ}\n      AND ({new}\n        OR {old})")
        }
    });
    format!("\n  WHEN ({})\n ", conditions.collect::<Vec<_>>().join("\n    OR "))
}

fn column_changed(sync: &Sync, column: &str) -> String {
    let column = ident(ENGINE, column);
    differs(ENGINE, sync.image, &format!("NEW.{column}"), &format!("OLD.{column}"))
}

fn function_text(function: &str, word: &str, syncs: &[&Sync]) -> String {
    let assignments = syncs.iter().map(|sync| {
        let (old, new) = (ident(ENGINE, &sync.old), ident(ENGINE, &sync.new));
        let assigned = match sync.mode {
            SyncMode::Feed => format!("  NEW.{old} := NEW.{new};\n"),
            SyncMode::Both => {
                // IS DISTINCT FROM NULL, as IS NOT NULL looks into composite values.
                let wins = match word {
                    "insert" => format!("NEW.{new} IS DISTINCT FROM NULL"),
                    _ => column_changed(sync, &sync.new),
                };
                format!(
                    "  IF {wins} THEN\n    NEW.{old} := NEW.{new};\n  ELSE\n    NEW.{new} := NEW.{old};\n  END IF;\n"
                )
            }
        };
        format!("  -- {}\n{assigned}", sync.migration)
    });
    let body: String = assignments.collect();
    format!(
        "CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $zdm$\nBEGIN\n{body}  RETURN \
         NEW;\nEND\n$zdm$"
    )
}
