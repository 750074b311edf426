//! Constraints of tables.

use super::super::case::Case;
use super::columns::is_known_not_null;
use super::keys;
use super::scene::Scene;
use crate::model::name::TableName;
use crate::sql::catalog::{Constraint, ConstraintKind, Table, TableKind};
use crate::sql::change::{Change, ConstraintDef, ConstraintDefKind, Located};

/// ADD CONSTRAINT, and constraints of an added column; `None` when there is nothing to do.
pub(super) fn add(
    located: &Located,
    table: &TableName,
    constraint: &ConstraintDef,
    scene: &Scene<'_>,
) -> Option<Case> {
    if is_beside_existing_column(located, table, scene) {
        return None;
    }
    let unchecked = constraint.not_valid;
    let (kind, using_index) = match &constraint.kind {
        ConstraintDefKind::ForeignKey { to } => {
            return Some(foreign_key(located, table, (constraint, to), scene));
        }
        ConstraintDefKind::Check { .. } => ("add_check", false),
        ConstraintDefKind::Exclusion => ("add_exclusion", false),
        ConstraintDefKind::Unique { using_index } => ("add_unique", *using_index),
        ConstraintDefKind::PrimaryKey { using_index } => ("add_primary_key", *using_index),
    };
    let known = scene.table(table);
    let columns = if using_index {
        index_columns(known, &constraint.columns)
    } else {
        Some(constraint.columns.clone())
    };
    let proven = columns.is_some_and(|columns| {
        columns.iter().all(|column| {
            let added = scene.added(table, column);
            added.is_some() || is_known_not_null(known, column)
        })
    });
    let heirs = scene.catalog.descendants(table).into_iter();
    let unproven = heirs.filter(|heir| {
        let known = scene.table(heir);
        !constraint.columns.iter().all(|column| is_known_not_null(known, column))
    });
    let case = scene
        .case(kind, table, located)
        .with("unproven", unproven)
        .fact("not-valid", unchecked)
        .fact("using-index", using_index)
        .fact("not-null", is_not_null(constraint))
        .fact("virtual", is_beside_virtual(located, scene))
        .fact("proven", proven);
    Some(case)
}

/// Whether it is `CONSTRAINT name NOT NULL column`, which is kept as a condition.
fn is_not_null(constraint: &ConstraintDef) -> bool {
    matches!((&constraint.kind, constraint.columns.as_slice()),
        (ConstraintDefKind::Check { expression }, [column]) if *expression == format!("{column} IS NOT NULL"))
}

/// The same in the catalog.
fn is_kept_not_null(known: &Constraint) -> bool {
    known.definition.starts_with("NOT NULL")
        || matches!(known.columns.as_slice(), [column] if known.definition == format!("CHECK ({column} IS NOT NULL)"))
}

/// Whether it stands beside a column that is computed when it is read.
fn is_beside_virtual(located: &Located, scene: &Scene<'_>) -> bool {
    scene.statement.iter().any(|other| {
        other.span == located.span
            && matches!(&other.change, Change::AddColumn { column, .. }
                if column.generated.as_ref().is_some_and(|text| !text.ends_with(" STORED")))
    })
}

/// ADD COLUMN IF NOT EXISTS of a column that is there: its constraints are not made either.
fn is_beside_existing_column(located: &Located, table: &TableName, scene: &Scene<'_>) -> bool {
    scene.statement.iter().any(|other| {
        other.span == located.span
            && matches!(&other.change, Change::AddColumn { column, if_not_exists: true, .. }
                if scene.table(table).is_some_and(|known| known.column(&column.name).is_some()))
    })
}

fn index_columns(table: Option<&Table>, names: &[String]) -> Option<Vec<String>> {
    let index = table?.indexes.iter().find(|index| Some(&index.name) == names.first())?;
    Some(index.columns.clone())
}

/// A foreign key locks both ends, partitions included, and compares them, unless it is told not to, or is on a column that
/// the same clause adds without a value. Source: `transformAlterTableStmt`, `skipValidation`.
fn foreign_key(
    located: &Located,
    table: &TableName,
    (constraint, to): (&ConstraintDef, &TableName),
    scene: &Scene<'_>,
) -> Case {
    let added: Option<Vec<_>> =
        constraint.columns.iter().map(|column| scene.added(table, column)).collect();
    let empty = added.is_some_and(|added| {
        added.iter().all(|(_, column)| {
            column.default.is_none() && !column.counts && column.generated.is_none()
        })
    });
    let beside = scene.statement.iter().any(|other| {
        other.span == located.span && matches!(other.change, Change::AddColumn { .. })
    });
    scene
        .case("add_foreign_key", table, located)
        .fact("not-valid", constraint.not_valid)
        .fact("empty", empty)
        .fact("beside-column", beside)
        .fact("new-table", !scene.is_used(table))
        .fact("self", to == table)
        .with("partner", [to.clone()])
        .with("partner-partitions", scene.catalog.descendants(to))
}

/// VALIDATE CONSTRAINT.
pub(super) fn validate(
    located: &Located,
    table: &TableName,
    name: &str,
    scene: &Scene<'_>,
) -> Case {
    let known = scene.table(table);
    let constraint =
        known.and_then(|known| known.constraints.iter().find(|known| known.name == name));
    let made = scene.statement.iter().find_map(|other| match &other.change {
        Change::AddConstraint { constraint, .. } if constraint.name.as_deref() == Some(name) => {
            Some(constraint)
        }
        _ => None,
    });
    let partner = constraint.filter(|known| known.kind == ConstraintKind::ForeignKey);
    let partner = partner.and_then(|known| known.other.clone());
    let partner = partner.or_else(|| match &made?.kind {
        ConstraintDefKind::ForeignKey { to } => Some(to.clone()),
        _ => None,
    });
    let made = made.is_some();
    scene
        .case("validate", table, located)
        .fact("is-valid", !made && constraint.is_some_and(|known| known.valid))
        .fact("foreign-key", partner.is_some())
        .fact(
            "partner-partitioned",
            partner
                .as_ref()
                .is_some_and(|table| scene.catalog.is_kind(table, TableKind::Partitioned)),
        )
        .fact("not-null", constraint.is_some_and(is_kept_not_null))
        .with(
            "partner-partitions",
            partner.iter().flat_map(|table| scene.catalog.descendants(table)),
        )
        .with("partner", partner)
}

/// DROP CONSTRAINT: a foreign key's other end is locked as strongly, and so are tables that point at a key that goes.
pub(super) fn drop(located: &Located, table: &TableName, name: &str, scene: &Scene<'_>) -> Case {
    let catalog = scene.catalog;
    let known = scene.table(table);
    let constraint =
        known.and_then(|known| known.constraints.iter().find(|known| known.name == name));
    let kind = constraint.map(|known| known.kind);
    let partner = constraint.filter(|known| known.kind == ConstraintKind::ForeignKey);
    let partner = partner.and_then(|known| known.other.clone());
    let key = key_columns(table, known, name);
    let referrers = match &key {
        Some(key) if located.has("cascade") => {
            let mut there = keys::to(catalog, table, None);
            there.retain(|other| keys::referenced(catalog, other.constraint, table) == *key);
            there.into_iter().map(|key| key.other).collect()
        }
        _ => Vec::new(),
    };
    let (middles, leaves) = keys::levels(catalog, partner.as_slice());
    scene
        .case("drop_constraint", table, located)
        .fact("is-key", key.is_some())
        .fact("is-foreign-key", partner.is_some())
        .fact(
            "partner-partitioned",
            partner.as_ref().is_some_and(|table| catalog.is_kind(table, TableKind::Partitioned)),
        )
        .fact("is-check", kind == Some(ConstraintKind::Check))
        .fact("is-local", constraint.is_some_and(|known| known.definition.ends_with("NO INHERIT")))
        .with("partner-middles", middles)
        .with("partner-leaves", leaves)
        .with("partner", partner)
        .with("referrers", keys::with_descendants(catalog, &referrers))
}

/// The columns of the key that a constraint is.
fn key_columns(table: &TableName, known: Option<&Table>, name: &str) -> Option<Vec<String>> {
    let known = known?;
    let unique = known.constraints.iter().find(|known| known.name == name);
    if let Some(unique) = unique {
        return (unique.kind == ConstraintKind::Unique).then(|| unique.columns.clone());
    }
    let primary = known.shape.key_name.clone().unwrap_or_else(|| format!("{}_pkey", table.name));
    (primary == name && !known.key.is_empty()).then(|| known.key.clone())
}

/// RENAME CONSTRAINT.
pub(super) fn rename(located: &Located, table: &TableName, name: &str, scene: &Scene<'_>) -> Case {
    let known = scene.table(table);
    let constraint =
        known.and_then(|known| known.constraints.iter().find(|known| known.name == name));
    let check = constraint.is_some_and(|known| {
        known.kind == ConstraintKind::Check && !known.definition.ends_with("NO INHERIT")
    });
    scene.case("rename_constraint", table, located).fact("inherited-check", check)
}
