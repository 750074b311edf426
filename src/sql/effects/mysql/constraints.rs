//! Primary keys, foreign keys and checks.

use super::super::case::Case;
use super::context::Context;
use super::indexes;
use crate::model::server::Engine;
use crate::sql::catalog::{Constraint, ConstraintKind};
use crate::sql::change::{Change, ConstraintDef, ConstraintDefKind, IndexForm, KEYS_UNCHECKED};

/// ADD PRIMARY KEY, FOREIGN KEY, CHECK; and what stands beside an added column.
pub(super) fn add(constraint: &ConstraintDef, context: &Context<'_>) -> Vec<Case> {
    let case = match &constraint.kind {
        ConstraintDefKind::PrimaryKey { .. } => {
            let drops = context.drops_constraint("PRIMARY");
            context
                .case("add_primary_key")
                .fact("ignore", context.changes.iter().any(|located| located.has("ignore")))
                .fact("second", !context.key().is_empty() && !drops)
                .fact(
                    "lacks-partition-columns",
                    indexes::lacks_partition_columns(&constraint.columns, context),
                )
                .fact("same-as-before", drops && same(context.key(), &constraint.columns, context))
                .fact("same-as-unique", is_order(constraint, context))
                .fact("replaces-unique", is_order(constraint, context) && drops_order(context))
        }
        ConstraintDefKind::ForeignKey { .. } => {
            let unchecked = context.changes.iter().any(|located| located.has(KEYS_UNCHECKED));
            context
                .case("add_foreign_key")
                .fact("inline", constraint.inline)
                .fact("taken", is_taken(constraint, context))
                .fact("far-not-unique", lacks_far_key(constraint, context))
                .fact("far-not-indexed", lacks_far_index(constraint, context))
                .fact(KEYS_UNCHECKED, unchecked)
                .fact("indexed", has_index(constraint, context))
        }
        ConstraintDefKind::Check { .. } => {
            let adds = context.changes.iter().any(|located| {
                matches!(&located.change, Change::AddColumn { column, .. } | Change::ChangeType { to: column, .. }
                    if constraint.columns == [column.name.as_str()])
            });
            context
                .case("add_check")
                .fact("not-enforced", constraint.not_valid)
                .fact("beside-column", adds)
        }
        ConstraintDefKind::Unique { .. } | ConstraintDefKind::Exclusion => {
            let change = Change::CreateIndex {
                table: context.table.clone(),
                index: constraint.name.clone(),
                columns: constraint.columns.clone(),
                unique: true,
                concurrently: false,
                kind: None,
                if_not_exists: false,
                form: IndexForm { unnamed: constraint.name.is_none(), ..IndexForm::default() },
            };
            return indexes::add(&change, context);
        }
    };
    vec![case]
}

/// Whether a foreign key of the name is there, be it that the same statement drops it.
fn is_taken(constraint: &ConstraintDef, context: &Context<'_>) -> bool {
    let name = constraint.name.as_deref();
    context.constraints().any(|known| {
        known.kind == ConstraintKind::ForeignKey
            && name.is_some_and(|name| context.same(name, &known.name))
    })
}

/// Whether no index of the far end, which is known, begins with its columns.
fn lacks_far_index(constraint: &ConstraintDef, context: &Context<'_>) -> bool {
    let ConstraintDefKind::ForeignKey { to } = &constraint.kind else { return false };
    let far =
        context.catalog.tables.get(to).filter(|far| !far.columns.is_empty() && to != context.table);
    let begins = |columns: &[String]| {
        columns
            .get(..constraint.references.len())
            .is_some_and(|first| same(first, &constraint.references, context))
    };
    !constraint.references.is_empty()
        && far.is_some_and(|far| {
            !begins(&far.key) && !far.indexes.iter().any(|index| begins(&index.columns))
        })
}

/// Whether the columns at the far end are known, and no unique key of it.
fn lacks_far_key(constraint: &ConstraintDef, context: &Context<'_>) -> bool {
    let ConstraintDefKind::ForeignKey { to } = &constraint.kind else { return false };
    let far = context.catalog.tables.get(to).filter(|far| !far.columns.is_empty());
    let is_key = |columns: &[String]| {
        columns.len() == constraint.references.len()
            && columns
                .iter()
                .all(|name| constraint.references.iter().any(|other| context.same(name, other)))
    };
    !constraint.references.is_empty()
        && far.is_some_and(|far| {
            !is_key(&far.key)
                && !far.indexes.iter().any(|index| index.unique && is_key(&index.columns))
        })
}

/// Whether an index begins with the columns.
fn has_index(constraint: &ConstraintDef, context: &Context<'_>) -> bool {
    let begins = |columns: &[String]| {
        columns
            .get(..constraint.columns.len())
            .is_some_and(|first| same(first, &constraint.columns, context))
    };
    begins(context.key()) || context.indexes().iter().any(|index| begins(&index.columns))
}

fn same(a: &[String], b: &[String], context: &Context<'_>) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| context.same(a, b))
}

/// Whether the rows of a table without a primary key are in the order of that one, because of a unique key.
fn is_order(constraint: &ConstraintDef, context: &Context<'_>) -> bool {
    context.clustering().is_some_and(|index| same(&index.columns, &constraint.columns, context))
}

/// Whether the unique key that orders the rows goes.
fn drops_order(context: &Context<'_>) -> bool {
    context.clustering().is_some_and(|index| context.drops_index(index))
}

/// DROP CONSTRAINT, FOREIGN KEY, CHECK, PRIMARY KEY.
pub(super) fn drop(name: &str, context: &Context<'_>) -> Case {
    if name.eq_ignore_ascii_case("PRIMARY") {
        return drop_primary_key(context);
    }
    if context.indexes().iter().any(|index| context.same(&index.name, name)) {
        return indexes::drop(name, context);
    }
    let known = context.constraints().find(|known| context.same(&known.name, name));
    let missing = known.is_none() && context.known.is_some_and(|known| !known.columns.is_empty());
    let check = known.is_some_and(|known| known.kind == ConstraintKind::Check);
    // The name that a server gave by itself is not known.
    context.case("drop_constraint").fact("check", check).fact("missing", missing && !is_given(name))
}

/// Whether a server may have given the name: `t_ibfk_1`, `t_chk_1`, `CONSTRAINT_1`.
fn is_given(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.contains("_ibfk_")
        || lower.contains("_chk_")
        || lower.starts_with("constraint_")
        || lower.bytes().all(|byte| byte.is_ascii_digit())
}

fn drop_primary_key(context: &Context<'_>) -> Case {
    let key = context.key();
    let counts = |name: &String| context.column(name).is_some_and(|column| column.counts);
    let modified = |name: &String| {
        context.changes.iter().any(|located| {
            matches!(&located.change, Change::ChangeType { column, to, .. }
                if context.same(column, name) && !to.counts)
                || matches!(&located.change, Change::DropColumn { column, .. } if context.same(column, name))
        })
    };
    let new_key = context.new_key();
    let indexes_it = |name: &String| {
        context.changes.iter().any(|located| {
            matches!(&located.change, Change::CreateIndex { columns, .. }
                if columns.first().is_some_and(|first| context.same(first, name)))
        })
    };
    let still = key.iter().any(|name| {
        counts(name)
            && !modified(name)
            && !indexes_it(name)
            && !new_key.is_some_and(|new| {
                new.columns.first().is_some_and(|first| context.same(first, name))
            })
            && !context
                .indexes()
                .iter()
                .any(|index| index.columns.first().is_some_and(|first| context.same(first, name)))
    });
    let stands_on_it = |constraint: &Constraint| {
        constraint.kind == ConstraintKind::ReferencedBy
            && key.len() >= constraint.columns.len()
            && constraint.columns.iter().zip(key).all(|(a, b)| context.same(a, b))
    };
    // A foreign key of its own that has no other index.
    let begins = |columns: &[String], constraint: &Constraint| {
        columns
            .get(..constraint.columns.len())
            .is_some_and(|first| same(first, &constraint.columns, context))
    };
    let needs_it = |constraint: &Constraint| {
        constraint.kind == ConstraintKind::ForeignKey
            && !context.drops_constraint(&constraint.name)
            && begins(key, constraint)
            && !new_key.is_some_and(|new| begins(&new.columns, constraint))
            && !context.indexes().iter().any(|index| begins(&index.columns, constraint))
            && !context.changes.iter().any(|located| {
                matches!(&located.change, Change::CreateIndex { columns, .. } if begins(columns, constraint))
            })
    };
    let again = new_key.is_some_and(|new| same(key, &new.columns, context));
    // MySQL wants the far end of a foreign key to be unique, MariaDB any key that begins so.
    let is_mysql = context.server.engine == Engine::MySql;
    let goes = new_key.is_none() || (is_mysql && !again);
    context
        .reorders(context.case("drop_primary_key"))
        .fact("counts", still)
        .fact(
            "referenced",
            context.constraints().any(stands_on_it) && goes
                || ((is_mysql || new_key.is_none()) && context.constraints().any(needs_it)),
        )
        .fact("replaced", new_key.is_some())
        .fact("same-again", again)
}
