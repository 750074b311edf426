//! The traces of done steps against the tables as they are.

use std::collections::BTreeMap;

use super::finding::{Finding, Kind};
use super::indexes::InvalidIndex;
use super::traces::{Thing, Trace, Wanted};
use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::catalog::{Catalog, Table};

/// What is not as the journal says. An index that is there and does not work is told by `indexes`.
pub(crate) fn differences(
    expected: &BTreeMap<Thing, Trace>,
    now: &Catalog,
    invalid: &[InvalidIndex],
    (engine, schema): (Engine, Option<&str>),
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (thing, trace) in expected {
        let table = now.tables.get(thing.table());
        let Some(table) = table else {
            // A table that is gone is told once.
            if matches!(thing, Thing::Table(_)) && trace.wanted != Wanted::Gone {
                findings.push(missing(thing, trace, schema));
            }
            continue;
        };
        let is_invalid =
            |name: &str| invalid.iter().any(|one| one.table == *thing.table() && one.index == name);
        match (found(thing, table, engine), trace.wanted) {
            (None, Wanted::There | Wanted::Valid) => {
                let told = matches!(thing, Thing::Index(_, name) if is_invalid(name));
                // What makes a column, or a constraint of one that is gone, is told with the column.
                if !told && !goes_with_column(thing, expected, table, engine) {
                    findings.push(missing(thing, trace, schema));
                }
            }
            (Some(Wanted::There), Wanted::Valid) => findings.push(not_valid(thing, trace, schema)),
            // A whole table that came back is told once.
            (Some(_), Wanted::Gone) if is_structure(thing) && !goes_with_table(thing, expected) => {
                findings.push(back(thing, trace, schema));
            }
            (Some(_), _) | (None, Wanted::Gone) => {}
        }
    }
    findings
}

fn goes_with_table(thing: &Thing, expected: &BTreeMap<Thing, Trace>) -> bool {
    let table = Thing::Table(thing.table().clone());
    table != *thing && expected.get(&table).is_some_and(|trace| trace.wanted == Wanted::Gone)
}

fn is_structure(thing: &Thing) -> bool {
    match thing {
        Thing::Table(_) | Thing::Column(..) => true,
        Thing::NotNull(..) | Thing::Index(..) | Thing::Constraint(..) => false,
    }
}

fn found(thing: &Thing, table: &Table, engine: Engine) -> Option<Wanted> {
    let same = |a: &str, b: &str| engine.same_name(a, b);
    let column = |name: &str| table.columns.iter().find(|column| same(&column.name, name));
    let index = |name: &str| table.indexes.iter().any(|index| same(&index.name, name));
    let is_key = |name: &str| table.shape.key_name.as_deref() == Some(name);
    let there = |is_there: bool| is_there.then_some(Wanted::There);
    match thing {
        Thing::Table(_) => Some(Wanted::There),
        Thing::Column(_, name) => there(column(name).is_some()),
        Thing::NotNull(_, name) => there(column(name).is_some_and(|column| column.not_null)),
        Thing::Index(_, name) => there(index(name) || is_key(name)),
        Thing::Constraint(_, name) => {
            let known = table.constraints.iter().find(|known| same(&known.name, name));
            match known {
                Some(known) if known.valid => Some(Wanted::Valid),
                Some(_) => Some(Wanted::There),
                None => (index(name) || is_key(name)).then_some(Wanted::Valid),
            }
        }
    }
}

/// Whether a column is gone that the same step had made NOT NULL.
fn goes_with_column(
    thing: &Thing,
    expected: &BTreeMap<Thing, Trace>,
    table: &Table,
    engine: Engine,
) -> bool {
    let Thing::NotNull(name, column) = thing else { return false };
    let made = Thing::Column(name.clone(), column.clone());
    expected.contains_key(&made) && found(&made, table, engine).is_none()
}

fn missing(thing: &Thing, trace: &Trace, schema: Option<&str>) -> Finding {
    let (what, _) = words(thing, schema);
    let message = format!("{what} is not there, though {} made it", made(trace));
    let way_out = match thing {
        Thing::Table(_) | Thing::Column(..) => {
            "Its values went with it: bring them back from a backup. If it was taken away on purpose, write that into a \
             migration with IF EXISTS, so that every database hears of it."
                .to_owned()
        }
        Thing::NotNull(..) | Thing::Index(..) | Thing::Constraint(..) => {
            format!("Make it again by hand: {}", one_line(&trace.sql))
        }
    };
    Finding::new(Kind::Missing, message, way_out).of(&trace.migration)
}

fn not_valid(thing: &Thing, trace: &Trace, schema: Option<&str>) -> Finding {
    let (what, table) = words(thing, schema);
    let message =
        format!("{what} is not valid: rows may break it, though {} checked it", made(trace));
    let way_out = match thing {
        Thing::Constraint(_, name) => {
            format!("Check the rows again: ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        }
        _ => format!("Make it again by hand: {}", one_line(&trace.sql)),
    };
    Finding::new(Kind::Missing, message, way_out).of(&trace.migration)
}

fn back(thing: &Thing, trace: &Trace, schema: Option<&str>) -> Finding {
    let (what, _) = words(thing, schema);
    let message = format!("{what} is there, though {} took it away", made(trace));
    let way_out = "Either a backup was restored in part, or somebody made it again: bring back the whole backup, with \
                   zdm's own tables; or drop it, if nobody uses it.";
    Finding::new(Kind::Back, message, way_out).of(&trace.migration)
}

fn made(trace: &Trace) -> String {
    format!("{} of {} ({})", trace.phase, trace.migration, trace.title)
}

/// The thing, and its table, for people.
fn words(thing: &Thing, schema: Option<&str>) -> (String, String) {
    let table = |table: &TableName| table.shown(schema);
    let own = table(thing.table());
    let what = match thing {
        Thing::Table(_) => format!("table \"{own}\""),
        Thing::Column(_, name) => format!("column \"{name}\" of table \"{own}\""),
        Thing::NotNull(_, name) => format!("NOT NULL of column \"{name}\" of table \"{own}\""),
        Thing::Index(_, name) => format!("index \"{name}\" of table \"{own}\""),
        Thing::Constraint(_, name) => format!("constraint \"{name}\" of table \"{own}\""),
    };
    (what, own)
}

fn one_line(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}
