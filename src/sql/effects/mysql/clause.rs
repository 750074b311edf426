//! Changes to cases.

use super::super::case::Case;
use super::context::Context;
use super::{columns, constraints, indexes, options};
use crate::sql::change::Change;

/// The cases of one change.
pub(super) fn cases(change: &Change, context: &Context<'_>) -> Vec<Case> {
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
            let others = context
                .constraints()
                .any(|known| known.kind == crate::sql::catalog::ConstraintKind::ReferencedBy);
            context.case("drop_table").fact("referenced", others)
        }
        Change::Truncate { .. } => {
            let others = context
                .constraints()
                .any(|known| known.kind == crate::sql::catalog::ConstraintKind::ReferencedBy);
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
