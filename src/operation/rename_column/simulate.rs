//! The schema after each phase, for the simulated catalog.

use super::renaming::Renaming;
use crate::model::phase::Phase;
use crate::sql::catalog::{Catalog, Column, Table};

/// Changes the catalog as the phase changes the schema.
pub(super) fn apply(renaming: &Renaming<'_>, catalog: &mut Catalog, phase: Phase) {
    let Some(table) = catalog.tables.get_mut(&renaming.table) else { return };
    match phase {
        Phase::Expand => add(renaming, table),
        Phase::Migrate => bind(renaming, table),
        Phase::Contract => {
            rename(table, renaming.from(), &renaming.hidden);
            move_default(renaming, table, renaming.to(), &renaming.hidden);
        }
        Phase::Reveal => {
            rename(table, &renaming.hidden, renaming.from());
            move_default(renaming, table, renaming.from(), renaming.to());
        }
        Phase::Purge => {
            remove(table, &renaming.hidden);
            take_names(renaming, table);
        }
        Phase::Rollback => remove(table, renaming.to()),
    }
}

fn add(renaming: &Renaming<'_>, table: &mut Table) {
    if table.column(renaming.to()).is_none() {
        table.columns.push(Column {
            name: renaming.to().to_owned(),
            not_null: false,
            default: None,
            ..renaming.column.clone()
        });
    }
}

fn bind(renaming: &Renaming<'_>, table: &mut Table) {
    let carry = renaming.carry();
    if let Some(column) = table.columns.iter_mut().find(|column| column.name == renaming.to()) {
        column.not_null = renaming.column.not_null;
    }
    let swapped = |columns: &[String]| -> Vec<String> {
        let swap =
            |name: &String| if name == renaming.from() { renaming.to() } else { name }.to_owned();
        columns.iter().map(swap).collect()
    };
    for index in carry.indexes() {
        let mut copy = index.clone();
        copy.name = carry.name(&index.name);
        copy.columns = swapped(&index.columns);
        copy.definition = carry.moved(&index.definition);
        copy.constraint = index.constraint.as_deref().map(|name| carry.name(name));
        table.indexes.push(copy);
    }
    for constraint in &renaming.base.constraints {
        if constraint.columns.iter().any(|column| column == renaming.from()) {
            let mut copy = constraint.clone();
            copy.name = carry.name(&constraint.name);
            copy.columns = swapped(&constraint.columns);
            copy.definition = carry.moved_foreign_key(&constraint.definition);
            table.constraints.push(copy);
        }
    }
}

fn rename(table: &mut Table, from: &str, to: &str) {
    let lists = (table.indexes.iter_mut().map(|index| &mut index.columns))
        .chain(table.constraints.iter_mut().map(|constraint| &mut constraint.columns));
    for name in lists.flatten().chain(table.columns.iter_mut().map(|column| &mut column.name)) {
        if name == from {
            to.clone_into(name);
        }
    }
}

fn move_default(renaming: &Renaming<'_>, table: &mut Table, to: &str, away: &str) {
    for column in &mut table.columns {
        if column.name == to {
            column.default.clone_from(&renaming.column.default);
        } else if column.name == away {
            column.default = None;
        }
    }
}

fn remove(table: &mut Table, gone: &str) {
    table.columns.retain(|column| column.name != gone);
    table.indexes.retain(|index| !index.columns.iter().any(|column| column == gone));
    table.constraints.retain(|constraint| !constraint.columns.iter().any(|column| column == gone));
}

fn take_names(renaming: &Renaming<'_>, table: &mut Table) {
    let carry = renaming.carry();
    let originals = (renaming.base.indexes.iter().map(|index| &index.name))
        .chain(renaming.base.constraints.iter().map(|constraint| &constraint.name));
    for original in originals {
        let ours = carry.name(original);
        for index in &mut table.indexes {
            if index.name == ours {
                index.name.clone_from(original);
            }
            if index.constraint.as_deref() == Some(ours.as_str()) {
                index.constraint = Some(original.clone());
            }
        }
        for constraint in &mut table.constraints {
            if constraint.name == ours {
                constraint.name.clone_from(original);
            }
        }
    }
}
