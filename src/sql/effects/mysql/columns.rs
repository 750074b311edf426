//! Columns.

use super::super::case::Case;
use super::super::defaults::{self, DefaultKind};
use super::context::{Context, Generated};
use super::types;
use crate::sql::catalog::{Column, ConstraintKind, Index};
use crate::sql::change::{Change, ColumnDef, Position};

/// ADD COLUMN, without what stands beside it: UNIQUE, CHECK, REFERENCES are changes of their own.
pub(super) fn add(column: &ColumnDef, context: &Context<'_>) -> Case {
    let generated = column.generated.as_deref().map(Generated::written);
    let default = column.default.as_deref();
    let kind = default.map(|text| defaults::kind(text, context.server.engine));
    let names_columns = default.is_some_and(|text| {
        let columns = context.known.into_iter().flat_map(|known| &known.columns);
        text.starts_with('(') && columns.into_iter().any(|known| context.names(text, &known.name))
    });
    let moved = match &column.position {
        None => false,
        Some(Position::First) => true,
        Some(Position::After(name)) => !is_last(name, context),
    };
    let is_there = context.column(&column.name).is_some() && !context.drops_column(&column.name);
    let counted = context.known.into_iter().flat_map(|known| &known.columns);
    let second = column.counts
        && counted.into_iter().any(|known| known.counts && !context.drops_column(&known.name));
    context
        .case("add_column")
        .fact("exists", is_there)
        .fact("second-counter", second)
        .fact("unkeyed-counter", column.counts && !is_keyed(column, context))
        .fact("counts", column.counts)
        .fact("generated-stored", generated == Some(Generated::Stored))
        .fact("generated-virtual", generated == Some(Generated::Virtual))
        .fact("default-expression", default.is_some_and(|text| text.trim_start().starts_with('(')))
        .fact("default-columns", names_columns)
        .fact("default-volatile", kind == Some(DefaultKind::Volatile) && !is_random(default))
        .fact("default-random", is_random(default))
        .fact("not-last", moved)
        .fact("before-virtual", moved && is_virtual_behind(place(column, context), context))
}

/// Where the column comes to stand among those that are there.
fn place(column: &ColumnDef, context: &Context<'_>) -> usize {
    let columns = context.known.map(|known| known.columns.as_slice()).unwrap_or_default();
    match &column.position {
        Some(Position::First) => 0,
        Some(Position::After(name)) => columns
            .iter()
            .position(|known| context.same(&known.name, name))
            .map_or(columns.len(), |at| at + 1),
        None => columns.len(),
    }
}

/// Whether a virtual column that stays stands there or behind.
fn is_virtual_behind(at: usize, context: &Context<'_>) -> bool {
    let columns = context.known.map(|known| known.columns.as_slice()).unwrap_or_default();
    columns.iter().skip(at).any(|known| {
        context.generated(known) == Some(Generated::Virtual) && !context.drops_column(&known.name)
    })
}

/// Whether the statement makes a key that begins with a column which it adds.
fn is_keyed(column: &ColumnDef, context: &Context<'_>) -> bool {
    let begins =
        |columns: &[String]| columns.first().is_some_and(|first| context.same(first, &column.name));
    column.unique
        || column.primary_key
        || context.changes.iter().any(|located| match &located.change {
            Change::CreateIndex { columns, .. } => begins(columns),
            Change::AddConstraint { constraint, .. } => begins(&constraint.columns),
            _ => false,
        })
}

fn is_last(name: &str, context: &Context<'_>) -> bool {
    let last = context.known.and_then(|known| known.columns.last());
    last.is_some_and(|last| context.same(&last.name, name))
}

/// MariaDB gives all old rows one value of `rand()`, and calls `uuid()` for each.
fn is_random(default: Option<&str>) -> bool {
    default.is_some_and(|text| text.to_ascii_lowercase().contains("rand("))
}

/// DROP COLUMN.
pub(super) fn drop(name: &str, context: &Context<'_>) -> Case {
    let holds = |columns: &[String]| columns.iter().any(|known| context.same(known, name));
    let held: Vec<&Index> =
        context.indexes().iter().filter(|index| holds(&index.columns)).collect();
    let known = context.column(name);
    let generated = known.and_then(|known| context.generated(known));
    let columns = context.known.map(|known| known.columns.as_slice()).unwrap_or_default();
    let at = columns.iter().position(|column| context.same(&column.name, name));
    let wide = |columns: &[String]| {
        columns.len() > 1
            && holds(columns)
            && !columns.iter().all(|column| context.drops_column(column))
    };
    let in_wide_key = (wide(context.key()) && !context.drops_constraint("PRIMARY"))
        || held.iter().any(|index| index.unique && wide(&index.columns) && !context.goes(index));
    context
        .reorders(context.case("drop_column"))
        .fact("in-wide-key", in_wide_key)
        .fact("missing", is_missing(name, context))
        .fact(
            "in-key",
            holds(context.key()) || context.clustering().is_some_and(|index| holds(&index.columns)),
        )
        .fact("indexed", !held.is_empty())
        .fact("index-stays", held.iter().any(|index| !context.goes(index)))
        .fact("in-foreign-key", context.refers(name) || context.is_referenced(name))
        .fact("used", is_used_by_generated(name, context) || is_in_long_check(name, context))
        .fact("partitions-by-it", partitions_by(name, context))
        .fact("generated-virtual", generated == Some(Generated::Virtual))
        .fact("before-virtual", at.is_some_and(|at| is_virtual_behind(at + 1, context)))
}

/// Whether the table is known and has no such column, also none that the statement adds.
fn is_missing(name: &str, context: &Context<'_>) -> bool {
    let complete = context.known.is_some_and(|known| !known.columns.is_empty());
    complete && context.column(name).is_none()
}

fn is_used_by_generated(name: &str, context: &Context<'_>) -> bool {
    let columns = context.known.into_iter().flat_map(|known| &known.columns);
    columns
        .into_iter()
        .filter(|column| !context.drops_column(&column.name))
        .filter_map(|column| column.generated.as_deref())
        .any(|expression| context.names(expression, name))
}

/// Whether a CHECK that stays names the column, and others, too.
fn is_in_long_check(name: &str, context: &Context<'_>) -> bool {
    let mut checks = context.constraints().filter(|known| known.kind == ConstraintKind::Check);
    checks.any(|check| {
        let columns = context.known.into_iter().flat_map(|known| &known.columns);
        let named = columns.filter(|column| context.names(&check.definition, &column.name)).count();
        named > 1
            && context.names(&check.definition, name)
            && !context.drops_constraint(&check.name)
    })
}

fn partitions_by(name: &str, context: &Context<'_>) -> bool {
    let columns = context.known.map(|known| known.storage.partition_columns.as_slice());
    columns.unwrap_or_default().iter().any(|column| context.same(column, name))
}

/// RENAME COLUMN, CHANGE with another name.
pub(super) fn rename(name: &str, context: &Context<'_>) -> Case {
    let mut checks = context.constraints().filter(|known| known.kind == ConstraintKind::Check);
    let in_check = checks.any(|check| {
        context.names(&check.definition, name) && !context.drops_constraint(&check.name)
    });
    let functional = context
        .indexes()
        .iter()
        .filter(|index| !context.goes(index))
        .any(|index| index.definition.contains("((") && context.names(&index.definition, name));
    context
        .case("rename_column")
        .fact("missing", is_missing(name, context))
        .fact("used", is_used_by_generated(name, context) || in_check || functional)
        .fact("partitions-by-it", partitions_by(name, context))
        .fact("in-foreign-key", context.refers(name))
        .fact("referenced", context.is_referenced(name))
}

/// Whether a column is to take NULL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Null {
    Taken,
    Refused,
}

/// NULL to NOT NULL, and back.
pub(super) fn null(column: &str, null: Null, context: &Context<'_>) -> Case {
    let clusters = context
        .clustering()
        .is_some_and(|index| index.columns.iter().any(|name| context.same(name, column)));
    // Another unique key without NULLs comes to order the rows.
    let refuses_null = |name: &String| {
        !context.same(name, column) && context.column(name).is_some_and(|known| known.not_null)
    };
    let others = context.indexes().iter().filter(|index| index.unique && !context.goes(index));
    let next = others.into_iter().any(|index| index.columns.iter().all(refuses_null));
    let sets_null = context.constraints().any(|key| {
        key.kind == ConstraintKind::ForeignKey
            && key.definition.to_ascii_uppercase().contains("SET NULL")
            && !context.drops_constraint(&key.name)
            && key.columns.iter().any(|name| context.same(name, column))
    });
    context
        .case("column_null")
        .fact("in-clustering", clusters)
        .fact("next-order", next)
        .fact("set-to-null", sets_null)
        .fact("to-not-null", null == Null::Refused)
        .fact("to-null", null == Null::Taken)
}

/// MODIFY, CHANGE: one case for each thing that changes.
pub(super) fn modify(name: &str, to: &ColumnDef, context: &Context<'_>) -> Vec<Case> {
    if is_missing(name, context) {
        return vec![context.case("modify_column").fact("missing", true)];
    }
    let Some(known) = context.column(name) else {
        return vec![context.case("change_type").fact("unknown", true)];
    };
    let in_key = context.key().iter().any(|key| context.same(key, name));
    let mut cases = vec![context.case("modify_column")];
    cases.extend(types::change(known, &to.data_type, context));
    match (known.not_null, to.not_null || in_key || to.primary_key) {
        (false, true) => cases.push(null(name, Null::Refused, context)),
        (true, false) => cases.push(null(name, Null::Taken, context)),
        _ => {}
    }
    if to.position.as_ref().is_some_and(|position| moves(name, position, context)) {
        let order = Order::behind(name, to, context);
        cases.push(
            context
                .case("move_column")
                .fact("generated", known.generated.is_some())
                .fact("generated-virtual", context.generated(known) == Some(Generated::Virtual))
                .fact("shifts-virtual", order.shifts_virtual)
                .fact("same-rows", order.same_rows)
                .fact("turns-virtual", order.turns_virtual),
        );
    }
    if known.counts != to.counts {
        let keyed = context.refers(name) || context.is_referenced(name);
        let case = context.case("column_counts").fact("in-foreign-key", keyed);
        cases.push(case.fact("starts", to.counts));
    }
    cases.extend(generated(known, to, context));
    cases
}

/// Whether the column comes to stand elsewhere.
fn moves(name: &str, position: &Position, context: &Context<'_>) -> bool {
    let columns = context.known.map(|known| known.columns.as_slice()).unwrap_or_default();
    let at = columns.iter().position(|column| context.same(&column.name, name));
    let before = at.and_then(|at| at.checked_sub(1)).and_then(|before| columns.get(before));
    match position {
        Position::First => before.is_some(),
        Position::After(other) => !before.is_some_and(|column| context.same(&column.name, other)),
    }
}

/// What a move does to the order of columns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Order {
    /// A virtual column other than the moved one has another number.
    shifts_virtual: bool,
    /// Those that are kept in the rows follow one another as before.
    same_rows: bool,
    /// Virtual columns do not.
    turns_virtual: bool,
}

impl Order {
    fn behind(name: &str, to: &ColumnDef, context: &Context<'_>) -> Self {
        let columns = context.known.map(|known| known.columns.as_slice()).unwrap_or_default();
        let before: Vec<&Column> = columns.iter().collect();
        let is_moved = |column: &Column| context.same(&column.name, name);
        let mut after: Vec<&Column> = columns.iter().filter(|column| !is_moved(column)).collect();
        let at = match &to.position {
            Some(Position::After(other)) => after
                .iter()
                .position(|column| context.same(&column.name, other))
                .map_or(after.len(), |at| at + 1),
            _ => 0,
        };
        if let Some(moved) = columns.iter().find(|column| is_moved(column)) {
            after.insert(at.min(after.len()), moved);
        }
        let is_virtual = |column: &Column| context.generated(column) == Some(Generated::Virtual);
        let names = |list: &[&Column], wanted: bool| -> Vec<String> {
            let kept = list.iter().filter(|column| is_virtual(column) == wanted);
            kept.map(|column| column.name.clone()).collect()
        };
        let shifts = before.iter().zip(&after).any(|(old, new)| {
            old.name != new.name && [old, new].iter().any(|one| is_virtual(one) && !is_moved(one))
        });
        Self {
            shifts_virtual: shifts,
            same_rows: names(&before, false) == names(&after, false),
            turns_virtual: names(&before, true) != names(&after, true),
        }
    }
}

fn generated(known: &Column, to: &ColumnDef, context: &Context<'_>) -> Option<Case> {
    let from = context.generated(known).zip(known.generated.as_deref());
    let into = to.generated.as_deref().map(|text| (Generated::written(text), text));
    let is_virtual = |mode: Generated| mode == Generated::Virtual;
    let case = context.case("change_generated");
    let case = match (from, into) {
        (None, None) => return None,
        (None, Some((mode, _))) | (Some((mode, _)), None) => case.fact("refused", is_virtual(mode)),
        (Some((old, _)), Some((new, _))) if old != new => case.fact("refused", true),
        (Some((_, old)), Some((_, new))) if plain(old) == plain(new) => return None,
        (Some((mode, _)), Some(_)) => case.fact("virtual-expression", is_virtual(mode)),
    };
    let indexed = context
        .indexes()
        .iter()
        .any(|index| index.columns.iter().any(|name| context.same(name, &known.name)));
    Some(case.fact("indexed", indexed))
}

/// An expression without what servers write in other ways than people do.
fn plain(expression: &str) -> String {
    let text = expression.trim_end_matches(" VIRTUAL").trim_end_matches(" STORED").to_lowercase();
    text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '(' | ')' | '`')).collect()
}
