//! What makes a rename impossible to keep right, by name; and what people should know.

use super::renaming::Renaming;
use crate::model::server::Engine;
use crate::operation::sync::trigger_names;
use crate::operation::{Refusal, names};
use crate::sql::catalog::{ConstraintKind, Table};
use crate::sql::rename::mentions;

/// Everything that is in the way before anything has been changed.
pub(super) fn before_expand(renaming: &Renaming<'_>) -> Vec<Refusal> {
    let Some(table) = renaming.cx.base.tables.get(&renaming.table) else {
        return unknown_table(renaming).into_iter().collect();
    };
    let mut refusals = Vec::new();
    refusals.extend(columns(renaming, table));
    refusals.extend(peculiarities(renaming, table));
    refusals.extend(bindings(renaming, table));
    refusals.extend(names_taken(renaming, table));
    refusals
}

/// What must have been changed before the old column goes out of sight.
pub(super) fn before_contract(renaming: &Renaming<'_>) -> Vec<Refusal> {
    let Some(table) = renaming.cx.now.and_then(|now| now.tables.get(&renaming.table)) else {
        return Vec::new();
    };
    let uses = |columns: &[String]| {
        columns.iter().any(|column| column == renaming.from() || *column == renaming.hidden)
    };
    table
        .dependents
        .iter()
        .filter(|dependent| uses(&dependent.columns))
        .map(|dependent| Refusal {
            message: format!(
                "{} still uses column \"{}\" of table \"{}\"",
                dependent.title,
                renaming.from(),
                renaming.shown
            ),
            help: format!(
                "change it to use column \"{}\" in a migration, and run that one's expand first",
                renaming.to()
            ),
        })
        .collect()
}

/// What people should know: dependents that must be changed before contract, guesses of a plan without a database.
pub(super) fn notes(renaming: &Renaming<'_>) -> Vec<String> {
    let (table, from) = (&renaming.shown, renaming.from());
    let mut notes = Vec::new();
    if !renaming.is_known {
        notes.push(format!(
            "table \"{table}\" is not known without a database: the type of \"{from}\", and its indexes and constraints, \
             are filled in when zdm sees it"
        ));
    }
    for dependent in &renaming.base.dependents {
        if dependent.columns.is_empty() {
            notes.push(format!(
                "{} uses table \"{table}\" in a way that cannot be seen",
                dependent.title
            ));
        } else if dependent.columns.iter().any(|column| column == from) {
            notes.push(format!(
                "{} uses column \"{from}\" of table \"{table}\": change it before contract",
                dependent.title
            ));
        }
    }
    for trigger in &renaming.base.triggers {
        if trigger.fires.contains("UPDATE") {
            notes.push(format!(
                "the backfill of table \"{table}\" fires its trigger \"{}\"",
                trigger.name
            ));
        }
    }
    let is_mysql = renaming.cx.server.engine.is_mysql_family();
    if is_mysql && renaming.column.not_null && renaming.live_default().is_some() {
        notes.push(format!(
            "until contract, an INSERT into table \"{table}\" that gives neither \"{from}\" nor \"{}\" stores a default \
             instead of failing: the server would refuse INSERT ... SELECT otherwise",
            renaming.to()
        ));
    }
    notes
}

fn unknown_table(renaming: &Renaming<'_>) -> Option<Refusal> {
    renaming.cx.base.complete.then(|| Refusal {
        message: format!("table \"{}\" does not exist", renaming.shown),
        help: "correct the name behind \"table\", or add the migration that creates it".to_owned(),
    })
}

fn columns(renaming: &Renaming<'_>, table: &Table) -> Vec<Refusal> {
    let (name, from, to) = (&renaming.shown, renaming.from(), renaming.to());
    let mut refusals = Vec::new();
    let mut refuse = |message: String, help: &str| {
        refusals.push(Refusal { message, help: help.to_owned() });
    };
    let Some(column) = table.column(from) else {
        refuse(
            format!("table \"{name}\" has no column \"{from}\""),
            "correct the name behind \"from\"",
        );
        return refusals;
    };
    if table.column(to).is_some() {
        refuse(
            format!("table \"{name}\" has a column \"{to}\" already"),
            "choose another name behind \"to\"",
        );
    }
    if table.key.iter().any(|key| key == from) {
        refuse(
            format!("column \"{from}\" is part of the key of table \"{name}\""),
            "a key cannot be copied into a new column yet: keep its name",
        );
    }
    if column.generated.is_some() {
        refuse(
            format!("column \"{from}\" of table \"{name}\" is generated"),
            "add a generated column with the new name by expand.sql, and drop the old one by contract.sql",
        );
    }
    if column.counts {
        refuse(
            format!("column \"{from}\" of table \"{name}\" counts by itself"),
            "a counter cannot be kept in two columns: keep its name",
        );
    }
    if column.on_update.is_some() {
        refuse(
            format!("column \"{from}\" of table \"{name}\" changes by ON UPDATE"),
            "drop ON UPDATE first, and let the application set the column",
        );
    }
    let engine = renaming.cx.server.engine;
    let computed = table.columns.iter().filter(|other| {
        other.generated.as_deref().is_some_and(|expression| mentions(engine, expression, from))
    });
    for other in computed {
        refuse(
            format!("column \"{}\" of table \"{name}\" is computed from \"{from}\"", other.name),
            "replace the generated column first",
        );
    }
    refusals
}

fn peculiarities(renaming: &Renaming<'_>, table: &Table) -> Vec<Refusal> {
    let concerns = |columns: &[String]| {
        columns.is_empty() || columns.iter().any(|column| column == renaming.from())
    };
    table
        .peculiarities
        .iter()
        .filter(|found| concerns(&found.columns))
        .map(|found| Refusal {
            message: format!("table \"{}\" {}", renaming.shown, found.words),
            help: "zdm cannot keep two columns of such a table alike".to_owned(),
        })
        .collect()
}

fn bindings(renaming: &Renaming<'_>, table: &Table) -> Vec<Refusal> {
    let (name, engine) = (&renaming.shown, renaming.cx.server.engine);
    let mut refusals = Vec::new();
    let mut refuse = |message: String, help: &str| {
        refusals.push(Refusal { message, help: help.to_owned() });
    };
    let concerned = table
        .constraints
        .iter()
        .filter(|found| found.columns.iter().any(|column| column == renaming.from()));
    for constraint in concerned {
        let title = &constraint.name;
        match constraint.kind {
            ConstraintKind::ReferencedBy => refuse(
                format!(
                    "foreign key \"{title}\" points at column \"{}\" of table \"{name}\"",
                    renaming.from()
                ),
                "drop the foreign key first, or keep the column's name",
            ),
            ConstraintKind::Exclusion => refuse(
                format!(
                    "exclusion constraint \"{title}\" of table \"{name}\" cannot be built without a long lock"
                ),
                "drop it first, and add it again in a maintenance window",
            ),
            ConstraintKind::Check if engine == Engine::MySql => refuse(
                format!(
                    "check \"{title}\" of table \"{name}\" can be added only by a copy of the table on MySQL"
                ),
                "drop the check first, and let the application keep it meanwhile",
            ),
            ConstraintKind::ForeignKey if engine == Engine::MySql => refuse(
                format!(
                    "foreign key \"{title}\" of table \"{name}\" can be added only by a copy of the table on MySQL"
                ),
                "drop the foreign key first",
            ),
            ConstraintKind::ForeignKey
                if engine == Engine::MariaDb && acts(&constraint.definition) =>
            {
                refuse(
                    format!(
                        "foreign key \"{title}\" of table \"{name}\" changes rows without firing triggers"
                    ),
                    "make it ON DELETE RESTRICT ON UPDATE RESTRICT first",
                );
            }
            ConstraintKind::Check | ConstraintKind::ForeignKey | ConstraintKind::Unique => {}
        }
    }
    let slow = table.indexes.iter().filter(|index| {
        index.kind.is_some() && index.columns.iter().any(|column| column == renaming.from())
    });
    for index in slow {
        refuse(
            format!(
                "{} index \"{}\" of table \"{name}\" can be built only while writes are blocked",
                index.kind.as_deref().unwrap_or_default(),
                index.name
            ),
            "drop the index first",
        );
    }
    refusals
}

/// Whether the key's own actions write the column; InnoDB fires no triggers for them.
fn acts(definition: &str) -> bool {
    let upper = definition.to_ascii_uppercase();
    ["CASCADE", "SET NULL", "SET DEFAULT"].iter().any(|action| upper.contains(action))
}

fn names_taken(renaming: &Renaming<'_>, table: &Table) -> Vec<Refusal> {
    let engine = renaming.cx.server.engine;
    let mut wanted = renaming.carry().names();
    wanted.push(renaming.hidden.clone());
    let not_null = format!("{}_not_null", renaming.to());
    wanted.push(names::carried(engine, renaming.cx.migration, &not_null));
    let columns = table.columns.iter().map(|column| &column.name);
    let bindings = (table.indexes.iter().map(|index| &index.name))
        .chain(table.constraints.iter().map(|constraint| &constraint.name));
    let mut refusals: Vec<_> = columns
        .chain(bindings)
        .filter(|name| wanted.contains(name))
        .map(|name| Refusal {
            message: format!(
                "table \"{}\" has a \"{name}\" already, a name that zdm needs",
                renaming.shown
            ),
            help: "rename it first, or give the migration another number".to_owned(),
        })
        .collect();
    if engine == Engine::Postgres {
        let ours = trigger_names(engine, &renaming.table);
        let late = table.triggers.iter().filter(|trigger| {
            trigger.fires.starts_with("BEFORE") && ours.iter().any(|name| trigger.name > *name)
        });
        refusals.extend(late.map(|trigger| Refusal {
            message: format!(
                "trigger \"{}\" of table \"{}\" would fire after zdm's, which must be the last",
                trigger.name, renaming.shown
            ),
            help: "rename the trigger so that it comes before \"zzz_zdm\"".to_owned(),
        }));
    }
    refusals
}
