//! Changes to cases.

use super::super::case::Case;
use super::context::Context;
use super::{columns, constraints, indexes, options};
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
    let one = match change {
        Change::AddColumn { column, .. } => columns::add(column, context),
        Change::DropColumn { column, .. } => columns::drop(column, context),
        Change::RenameColumn { column, .. } => columns::rename(column, context),
        Change::ChangeType { column, to, .. } => return columns::modify(column, to, context),
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
        Change::Partitions { operation, method, to, .. } => {
            options::partitions(operation, method.as_deref(), to.as_ref(), context)
        }
        Change::Demand { .. } => return options::demand(context),
        Change::Rebuild { what, .. } | Change::TableSetting { what, .. } => {
            options::upkeep(what, context)
        }
        Change::DropTable { .. } => {
            let is_dropped = |name: &TableName| {
                let drops = |located: &Located| matches!(&located.change, Change::DropTable { table, .. } if table == name);
                context.changes.iter().any(drops)
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
