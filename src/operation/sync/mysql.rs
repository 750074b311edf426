//! Sync triggers of MySQL and MariaDB.
//!
//! MariaDB replaces a trigger in one statement; MySQL drops and creates it, under LOCK TABLES where it matters. Both
//! check a trigger's columns when it is made, and let it be replaced under LOCK TABLES (measured on MariaDB 10.11). A
//! trigger that names a column that is gone makes every write fail with 1054: loudly, never in silence.

use super::super::names;
use super::{Sync, SyncMode, differs};
use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::model::step::{Probe, Statement};
use crate::sql::quote::{ident, table as quoted};

/// Triggers share one name space a database, so that theirs hold the table's.
pub(super) fn trigger_name(engine: Engine, table: &TableName, event: &str) -> String {
    names::joined(engine, &["zdm_sync", &table.name, event])
}

/// Each trigger is made anew, or dropped when nothing is left to keep alike.
pub(super) fn triggers(engine: Engine, table: &TableName, syncs: &[&Sync]) -> Vec<Statement> {
    let mut statements = Vec::new();
    for (event, word) in super::postgres::EVENTS {
        let trigger = ident(engine, &trigger_name(engine, table, word));
        if syncs.is_empty() || engine == Engine::MySql {
            statements.push(format!("DROP TRIGGER IF EXISTS {trigger}"));
        }
        if syncs.is_empty() {
            continue;
        }
        let or_replace = if engine == Engine::MariaDb { "OR REPLACE " } else { "" };
        statements.push(format!(
            "CREATE {or_replace}TRIGGER {trigger} BEFORE {event} ON {} FOR EACH ROW\nBEGIN\n{}END",
            quoted(engine, table),
            body(engine, word, syncs)
        ));
    }
    // Dropping if it exists and creating it are run again together.
    statements.into_iter().map(|sql| Statement { sql, done: Probe::Repeatable }).collect()
}

fn body(engine: Engine, word: &str, syncs: &[&Sync]) -> String {
    let assignments = syncs.iter().map(|sync| {
        let (old, new) = (ident(engine, &sync.old), ident(engine, &sync.new));
        match (sync.mode, word) {
            (SyncMode::Feed, _) => format!("  SET NEW.{old} = NEW.{new};\n"),
            (SyncMode::Both, "insert") => inserted(engine, sync, &old, &new),
            (SyncMode::Both, _) => {
                let changed =
                    differs(engine, sync.image, &format!("NEW.{new}"), &format!("OLD.{new}"));
                format!(
                    "  IF {changed} THEN\n    SET NEW.{old} = NEW.{new};\n  ELSE\n    SET NEW.{new} = NEW.{old};\n  \
                     END IF;\n"
                )
            }
        }
    });
    assignments.collect()
}

/// A column that refuses NULL has a default while both live (INSERT ... SELECT would fail without one, whatever the
/// trigger does: error 1364, MDEV-19761), so that a value which is the default does not count as given.
fn inserted(engine: Engine, sync: &Sync, old: &str, new: &str) -> String {
    let given = match &sync.new_default {
        Some(default) => format!(
            "NEW.{new} IS NOT NULL AND {}",
            differs(engine, sync.image, &format!("NEW.{new}"), default)
        ),
        None => format!("NEW.{new} IS NOT NULL"),
    };
    format!(
        "  IF {given} THEN\n    SET NEW.{old} = NEW.{new};\n  ELSE\n    SET NEW.{new} = NEW.{old};\n  END IF;\n"
    )
}
