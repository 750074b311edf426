//! Clauses of ALTER TABLE as cases.

use super::super::case::Case;
use super::scene::Scene;
use super::{columns, constraints, settings, types};
use crate::sql::change::{Change, Located};

/// What a clause is.
pub(super) enum Clause {
    /// A case of the rows.
    Case(Case),
    /// It does nothing.
    Nothing,
    /// It is none of ALTER TABLE's, or its words are not known.
    Other,
}

/// The case of a clause.
pub(super) fn clause(located: &Located, scene: &Scene<'_>) -> Clause {
    let case = match &located.change {
        Change::AddColumn { table, column, if_not_exists } => {
            columns::add(located, (table, column), *if_not_exists, scene)
        }
        Change::DropColumn { table, column, .. } => columns::drop(located, table, column, scene),
        Change::RenameColumn { table, .. } => scene.case("rename_column", table, located),
        Change::ChangeType { table, column, to, using } => {
            types::change(located, (table, column), (to, using.as_deref()), scene)
        }
        Change::SetNotNull { table, column } => {
            columns::set_not_null(located, table, column, scene)
        }
        Change::DropNotNull { table, column } => {
            columns::drop_not_null(located, table, column, scene)
        }
        Change::SetDefault { table, .. } => scene.case("set_default", table, located),
        Change::AddConstraint { table, constraint } => {
            match constraints::add(located, table, constraint, scene) {
                Some(case) => case,
                None => return Clause::Nothing,
            }
        }
        Change::ValidateConstraint { table, constraint } => {
            constraints::validate(located, table, constraint, scene)
        }
        Change::DropConstraint { table, constraint } => {
            constraints::drop(located, table, constraint, scene)
        }
        Change::RenameConstraint { table, constraint, .. } => {
            constraints::rename(located, table, constraint, scene)
        }
        Change::RenameTable { table, to } if table.schema == to.schema => {
            scene.case("rename_table", table, located)
        }
        Change::RenameTable { table, .. } => scene.case("set_schema", table, located),
        Change::Rebuild { table, what } if what.to_ascii_uppercase().contains("SET EXPRESSION") => {
            columns::set_expression(located, table, what, scene)
        }
        Change::Rebuild { table, what } | Change::TableSetting { table, what } => {
            match settings::case(located, table, what, scene) {
                Some(case) => case,
                None => return Clause::Other,
            }
        }
        _ => return Clause::Other,
    };
    Clause::Case(scene.settle(case))
}
