//! Indexes.

use super::super::case::Case;
use super::context::{Context, Generated};
use crate::model::server::Engine;
use crate::sql::catalog::{Constraint, ConstraintKind, Index};
use crate::sql::change::{Change, IndexForm, KEYS_UNCHECKED};

/// ADD INDEX, CREATE INDEX.
pub(super) fn add(change: &Change, context: &Context<'_>) -> Vec<Case> {
    let Change::CreateIndex { index, columns, unique, kind, form, .. } = change else {
        return Vec::new();
    };
    let replaced = context.indexes().iter().find(|known| {
        index.as_ref().is_some_and(|name| context.same(name, &known.name))
            && context.drops_index(known)
    });
    let same =
        replaced.is_some_and(|known| known.unique == *unique && is_same(known, columns, form));
    let expressions: Vec<_> = columns.iter().filter(|part| part.starts_with('(')).collect();
    let adds_virtual = |name: &String| {
        context.changes.iter().any(|located| {
            matches!(&located.change, Change::AddColumn { column, .. }
                if context.same(&column.name, name)
                    && column.generated.as_deref().map(Generated::written) == Some(Generated::Virtual))
        })
    };
    let is_taken = index.as_ref().filter(|_| !form.unnamed).is_some_and(|name| {
        let known = context.indexes().iter().find(|known| context.same(name, &known.name));
        known.is_some_and(|known| !context.goes(known))
    });
    let fulltext = kind.as_deref() == Some("FULLTEXT");
    let others = context.changes.iter().filter(|located| {
        matches!(&located.change, Change::CreateIndex { kind: Some(kind), .. } if kind == "FULLTEXT")
    });
    let takes_null = |name: &String| context.column(name).is_some_and(|column| !column.not_null);
    let kind_is = |word: &str| kind.as_deref() == Some(word);
    let case = context
        .case("add_index")
        .fact("same-as-before", same)
        .fact("unique", *unique)
        .fact("ignore", context.changes.iter().any(|located| located.has("ignore")))
        .fact("exists", is_taken)
        .fact("add-fulltext", fulltext)
        .fact("had-fulltext", context.had_fulltext())
        .fact("two-fulltext", fulltext && others.count() > 1)
        .fact("add-spatial", kind_is("SPATIAL"))
        .fact("nullable-spatial", kind_is("SPATIAL") && columns.iter().any(takes_null))
        .fact("add-vector", kind_is("VECTOR"))
        .fact("without-overlaps", kind_is("WITHOUT OVERLAPS"))
        .fact("functional", !expressions.is_empty())
        .fact("on-new-virtual", columns.iter().any(adds_virtual))
        .fact("clusters", *unique && clusters(columns, context))
        .fact("lacks-partition-columns", *unique && lacks_partition_columns(columns, context));
    vec![case]
}

/// Whether an index over these columns is the one that is there: with its lengths and orders.
fn is_same(known: &Index, columns: &[String], form: &IndexForm) -> bool {
    let written = form.keys.clone().unwrap_or_else(|| columns.join(","));
    let plain = |text: &str| {
        let kept = text.chars().filter(|c| !c.is_whitespace() && *c != '`');
        kept.collect::<String>().to_lowercase()
    };
    let inside = known.definition.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    inside.is_some_and(|inside| plain(inside) == plain(&written))
}

/// Whether InnoDB orders the rows by this key from now on: the first unique key without NULLs of a table without a
/// primary key.
fn clusters(columns: &[String], context: &Context<'_>) -> bool {
    let Some(known) = context.known else { return false };
    let refuses_null = |name: &String| context.column(name).is_some_and(|column| column.not_null);
    let is_key = |index: &Index| index.unique && index.columns.iter().all(refuses_null);
    context.key().is_empty()
        && columns.iter().all(refuses_null)
        && !known.indexes.iter().any(is_key)
}

pub(super) fn lacks_partition_columns(columns: &[String], context: &Context<'_>) -> bool {
    let needed = context.known.map(|known| known.storage.partition_columns.as_slice());
    let has = |name: &String| columns.iter().any(|column| context.same(column, name));
    let is_column = |name: &&String| context.column(name).is_some();
    !needed.unwrap_or_default().iter().filter(is_column).all(has)
}

/// DROP INDEX.
pub(super) fn drop(name: &str, context: &Context<'_>) -> Case {
    let known = context.indexes().iter().find(|index| context.same(&index.name, name));
    let missing = known.is_none() && context.known.is_some_and(|known| !known.columns.is_empty());
    let replaced = known.is_some_and(|index| same_again(index, context));
    let unchecked = context.changes.iter().any(|located| located.has(KEYS_UNCHECKED))
        && context.server.engine == Engine::MariaDb;
    let clustering = context.clustering().is_some_and(|first| context.same(&first.name, name));
    let kind = known.and_then(|index| index.kind.as_deref());
    let same = |a: &[String], b: &[String]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| context.same(a, b))
    };
    let replaces = context
        .new_key()
        .zip(known)
        .is_some_and(|(new, index)| clustering && same(&new.columns, &index.columns));
    context
        .reorders(context.case("drop_index"))
        .fact("missing", missing)
        .fact("replaced-by-key", replaces)
        .fact("same-again", replaced)
        .fact("clustering", clustering && context.new_key().is_none())
        .fact("drop-vector", kind == Some("VECTOR"))
        .fact("needed", !unchecked && known.is_some_and(|index| is_needed(index, context)))
}

fn same_again(index: &Index, context: &Context<'_>) -> bool {
    context.changes.iter().any(|located| match &located.change {
        Change::CreateIndex { index: Some(name), columns, unique, form, .. } => {
            context.same(name, &index.name)
                && *unique == index.unique
                && is_same(index, columns, form)
        }
        _ => false,
    })
}

/// Whether a foreign key that stays has no other index to stand on.
fn is_needed(index: &Index, context: &Context<'_>) -> bool {
    let begins = |columns: &[String], with: &Constraint| {
        columns.len() >= with.columns.len()
            && columns.iter().zip(&with.columns).all(|(a, b)| context.same(a, b))
    };
    let stays = |constraint: &&Constraint| {
        matches!(constraint.kind, ConstraintKind::ForeignKey | ConstraintKind::ReferencedBy)
            && !context.drops_constraint(&constraint.name)
    };
    context.constraints().filter(stays).any(|constraint| {
        let others = context.indexes().iter().filter(|other| other.name != index.name);
        let added = context.changes.iter().any(|located| {
            matches!(&located.change, Change::CreateIndex { columns, .. } if begins(columns, constraint))
        });
        begins(&index.columns, constraint)
            && !begins(context.key(), constraint)
            && !others.into_iter().any(|other| begins(&other.columns, constraint))
            && !added
    })
}
