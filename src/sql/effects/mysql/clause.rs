//! Changes to cases.

use super::super::case::Case;
use super::context::Context;
use super::{columns, constraints, indexes, options, partitions};
use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::catalog::ConstraintKind;
use crate::sql::change::{Change, Located};

/// The cases of one change.
pub(super) fn cases(located: &Located, context: &Context<'_>) -> Vec<Case> {
    let change = &located.change;
    // MySQL does not know IF EXISTS here.
    let is_mysql = context.server.engine == Engine::MySql;
    if located.has("if-exists") && (is_mysql || is_idle(change, context)) {
        return vec![context.case("if_exists")];
    }
    // CREATE OR REPLACE INDEX of one that is not there.
    if matches!(change, Change::DropIndex { if_exists: true, .. }) && is_idle(change, context) {
        return Vec::new();
    }
    let one = match change {
        Change::AddColumn { column, .. } => columns::add(column, context),
        Change::DropColumn { column, .. } => columns::drop(column, context),
        Change::RenameColumn { column, .. } => columns::rename(column, context),
        Change::ChangeType { column, to, .. } => {
            let mut cases = columns::modify(column, to, context);
            if located.has("compressed-column") {
                cases.push(context.case("change_type").fact("to-compressed", true));
            }
            return cases;
        }
        Change::SetNotNull { column, .. } => columns::null(column, columns::Null::Refused, context),
        Change::DropNotNull { column, .. } => columns::null(column, columns::Null::Taken, context),
        Change::SetDefault { .. } => context.case("column_default"),
        Change::CreateIndex { .. } => return indexes::add(change, context),
        Change::DropIndex { index, .. } => indexes::drop(index, context),
        Change::RenameIndex { .. } => context.case("rename_index"),
        Change::AddConstraint { constraint, .. } => return constraints::add(constraint, context),
        Change::DropConstraint { constraint, .. } => constraints::drop(constraint, context),
        Change::RenameConstraint { .. } | Change::ValidateConstraint { .. } => {
            context.case("comment")
        }
        Change::RenameTable { .. } => context.case("rename_table"),
        Change::TableOption { name, value, .. } => {
            return options::cases(name, value.as_deref(), context);
        }
        Change::Partitions { .. } => partitions::case(located, context),
        Change::Demand { .. } => return options::demand(context),
        Change::Rebuild { what, .. } | Change::TableSetting { what, .. } => {
            options::upkeep(what, context)
        }
        Change::DropTable { .. } => {
            // MariaDB drops them one after the other.
            let in_order = context.server.engine == Engine::MariaDb;
            let named =
                |located: &&Located| !in_order || located.change.table() != Some(context.table);
            let is_dropped = |name: &TableName| {
                let drops = |located: &Located| matches!(&located.change, Change::DropTable { table, .. } if table == name);
                context.changes.iter().take_while(named).any(drops)
            };
            let others = context.constraints().any(|known| {
                known.kind == ConstraintKind::ReferencedBy
                    && !known.other.as_ref().is_some_and(is_dropped)
            });
            context.case("drop_table").fact("referenced", others)
        }
        Change::Truncate { .. } => {
            let others =
                context.constraints().any(|known| known.kind == ConstraintKind::ReferencedBy);
            context.case("truncate").fact("referenced", others)
        }
        Change::Update { .. } => context.case("update"),
        Change::Delete { .. } => context.case("delete"),
        Change::Insert { .. } => context.case("insert"),
        Change::CreateTable { .. }
        | Change::Clauseless { .. }
        | Change::Act(_)
        | Change::Harmless
        | Change::Other { .. }
        | Change::Opaque { .. } => return Vec::new(),
    };
    vec![one]
}

/// Words and types that a server may not know.
pub(super) fn grammar(located: &Located, context: &Context<'_>) -> Case {
    let column = match &located.change {
        Change::AddColumn { column, .. } | Change::ChangeType { to: column, .. } => Some(column),
        _ => None,
    };
    let word = column.and_then(|column| {
        let end = |character: char| !character.is_ascii_alphanumeric();
        column.data_type.split(end).next().map(str::to_ascii_lowercase)
    });
    let is_type = |name: &str| word.as_deref() == Some(name);
    let option = match &located.change {
        Change::TableOption { name, .. } => name.starts_with("SECONDARY_"),
        _ => false,
    };
    Case::new("grammar", context.table)
        .fact("of-mysql", located.has("of-mysql") || option)
        .fact("of-mariadb", located.has("of-mariadb"))
        .fact("validation", located.has("validation"))
        .fact("uuid", is_type("uuid"))
        .fact("inet4", is_type("inet4"))
        .fact("inet6", is_type("inet6"))
        .fact("vector", is_type("vector"))
}

/// Whether a clause with IF EXISTS or IF NOT EXISTS finds nothing to do.
fn is_idle(change: &Change, context: &Context<'_>) -> bool {
    let Some(known) = context.known.filter(|known| !known.columns.is_empty()) else { return false };
    let has_index = |name: &str| known.indexes.iter().any(|index| context.same(&index.name, name));
    let has_constraint =
        |name: &str| known.constraints.iter().any(|known| context.same(&known.name, name));
    match change {
        Change::AddColumn { column, .. } => {
            context.column(&column.name).is_some() && !context.drops_column(&column.name)
        }
        Change::DropColumn { column, .. } | Change::ChangeType { column, .. } => {
            context.column(column).is_none()
        }
        Change::CreateIndex { index: Some(name), .. } => has_index(name),
        Change::DropIndex { index, .. } => !has_index(index),
        Change::DropConstraint { constraint, .. } => {
            !has_constraint(constraint) && !has_index(constraint)
        }
        _ => false,
    }
}
