//! Whether a table's CHECK constraints say that its rows are within a partition's bound.

use sqlparser::ast::{BinaryOperator, Expr};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use crate::sql::catalog::{ConstraintKind, Table};

/// A comparison of a column with a value: `>=`, `<`, or one of a list.
#[derive(Clone, PartialEq, Debug)]
enum Limit {
    From(String),
    Below(String),
    OneOf(Vec<String>),
    NotNull,
}

/// Whether valid constraints imply the bound, so that the server need not look at the rows. Only partitioning by one
/// column is understood; what is not counts as not implied.
pub(super) fn implied(table: &Table, by: &[String], bound: &str) -> bool {
    let [column] = by else { return false };
    let Some(wanted) = wanted(bound) else { return false };
    let known = known(table, column);
    let is_there = |limit: &Limit| match limit {
        Limit::From(least) => known.iter().any(|known| match known {
            Limit::From(from) => at_least(from, least),
            Limit::OneOf(values) => values.iter().all(|value| at_least(value, least)),
            _ => false,
        }),
        Limit::Below(most) => known.iter().any(|known| match known {
            Limit::Below(below) => at_least(most, below),
            Limit::OneOf(values) => {
                values.iter().all(|value| value != most && at_least(most, value))
            }
            _ => false,
        }),
        Limit::OneOf(all) => known.iter().any(|known| match known {
            Limit::OneOf(values) => values.iter().all(|value| all.contains(value)),
            _ => false,
        }),
        Limit::NotNull => known.contains(&Limit::NotNull),
    };
    wanted.iter().all(is_there)
}

/// Whether valid constraints keep the rows out of all other partitions, as a default partition's must be.
pub(super) fn refuted<'b>(
    table: &Table,
    by: &[String],
    others: impl IntoIterator<Item = &'b str>,
) -> bool {
    let [column] = by else { return false };
    let ways = ways(table, column);
    let outside = |bound: &str, known: &[Limit]| {
        let Some(wanted) = wanted(bound) else { return false };
        wanted.iter().any(|limit| match limit {
            Limit::From(least) => known.iter().any(|known| match known {
                Limit::Below(below) => at_least(least, below),
                _ => false,
            }),
            Limit::Below(most) => known.iter().any(|known| match known {
                Limit::From(from) => at_least(from, most),
                _ => false,
            }),
            Limit::OneOf(all) => known.iter().any(|known| match known {
                Limit::OneOf(values) => values.iter().all(|value| !all.contains(value)),
                _ => false,
            }),
            Limit::NotNull => false,
        })
    };
    known(table, column).contains(&Limit::NotNull)
        && others.into_iter().all(|bound| ways.iter().all(|known| outside(bound, known)))
}

/// Whether `a >= b`: as numbers, else as the same text, or as texts of one length, which dates are.
fn at_least(a: &str, b: &str) -> bool {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => a >= b,
        _ => a == b || (a.len() == b.len() && a > b),
    }
}

/// What a bound demands of the column.
fn wanted(bound: &str) -> Option<Vec<Limit>> {
    let upper = bound.to_ascii_uppercase();
    let mut limits = vec![Limit::NotNull];
    if upper.starts_with("IN") {
        let values = inside(bound)?.split(',').map(plain).collect();
        limits.push(Limit::OneOf(values));
        return Some(limits);
    }
    let to = upper.find(") TO").filter(|_| upper.starts_with("FROM")).map(|at| at + 1)?;
    let (from, below) = bound.split_at_checked(to)?;
    let (from, below) = (plain(inside(from)?), plain(inside(below)?));
    if from.contains(',') || below.contains(',') {
        return None;
    }
    if !from.eq_ignore_ascii_case("MINVALUE") {
        limits.push(Limit::From(from));
    }
    if !below.eq_ignore_ascii_case("MAXVALUE") {
        limits.push(Limit::Below(below));
    }
    Some(limits)
}

fn inside(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once('(')?;
    Some(rest.rsplit_once(')')?.0)
}

/// A value without quotes and casts.
fn plain(text: &str) -> String {
    let text = text.trim();
    let text = text.split_once("::").map_or(text, |(value, _)| value);
    let text = text.trim_matches(|character| matches!(character, '(' | ')' | ' '));
    // DATE '2026-01-01'.
    let typed = text.split_once('\'').filter(|(kind, _)| {
        !kind.is_empty() && kind.chars().all(|c| c.is_ascii_alphabetic() || c == ' ')
    });
    typed.map_or(text, |(_, value)| value).trim_matches('\'').to_owned()
}

/// What the table's own constraints say of the column.
fn known(table: &Table, column: &str) -> Vec<Limit> {
    let mut limits = Vec::new();
    if table.column(column).is_some_and(|known| known.not_null) {
        limits.push(Limit::NotNull);
    }
    let checks = table.constraints.iter().filter(|known| known.valid);
    for check in checks.filter(|known| known.kind == ConstraintKind::Check) {
        let text = check.definition.strip_prefix("CHECK ").unwrap_or(&check.definition);
        let parsed = Parser::new(&PostgreSqlDialect {}).try_with_sql(text);
        if let Ok(expression) = parsed.and_then(|mut parser| parser.parse_expr()) {
            conjuncts(&expression, column, &mut limits);
        }
    }
    limits
}

/// The same for each of the ways to meet a CHECK with OR; one of them holds.
fn ways(table: &Table, column: &str) -> Vec<Vec<Limit>> {
    let all = known(table, column);
    let checks = table.constraints.iter().filter(|known| known.valid);
    for check in checks.filter(|known| known.kind == ConstraintKind::Check) {
        let text = check.definition.strip_prefix("CHECK ").unwrap_or(&check.definition);
        let parsed = Parser::new(&PostgreSqlDialect {}).try_with_sql(text);
        let parsed = parsed.and_then(|mut parser| parser.parse_expr());
        let Ok(expression) = parsed else { continue };
        let mut parts = Vec::new();
        disjuncts(&expression, &mut parts);
        if parts.len() > 1 {
            let way = |part: &&Expr| {
                let mut limits = all.clone();
                conjuncts(part, column, &mut limits);
                limits
            };
            return parts.iter().map(way).collect();
        }
    }
    vec![all]
}

fn disjuncts<'e>(expression: &'e Expr, found: &mut Vec<&'e Expr>) {
    match expression {
        Expr::Nested(inner) => disjuncts(inner, found),
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
            disjuncts(left, found);
            disjuncts(right, found);
        }
        other => found.push(other),
    }
}

fn conjuncts(expression: &Expr, column: &str, limits: &mut Vec<Limit>) {
    match expression {
        Expr::Nested(inner) => conjuncts(inner, column, limits),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            conjuncts(left, column, limits);
            conjuncts(right, column, limits);
        }
        Expr::IsNotNull(inner) if is_column(inner, column) => limits.push(Limit::NotNull),
        Expr::BinaryOp { left, op, right } if is_column(left, column) => {
            let value = plain(&right.to_string());
            match op {
                BinaryOperator::GtEq | BinaryOperator::Gt => limits.push(Limit::From(value)),
                BinaryOperator::Lt => limits.push(Limit::Below(value)),
                BinaryOperator::Eq => limits.push(Limit::OneOf(vec![value])),
                _ => {}
            }
        }
        Expr::InList { expr, list, negated: false } if is_column(expr, column) => {
            limits.push(Limit::OneOf(list.iter().map(|value| plain(&value.to_string())).collect()));
        }
        // As the server writes IN back.
        Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. }
            if is_column(left, column) =>
        {
            let text = right.to_string();
            if let Some((_, rest)) = text.split_once('[')
                && let Some((values, _)) = rest.split_once(']')
            {
                limits.push(Limit::OneOf(values.split(',').map(plain).collect()));
            }
        }
        _ => {}
    }
}

fn is_column(expression: &Expr, column: &str) -> bool {
    match expression {
        Expr::Identifier(name) => {
            name.value == column
                || (name.quote_style.is_none() && name.value.eq_ignore_ascii_case(column))
        }
        Expr::Nested(inner) => is_column(inner, column),
        Expr::Cast { expr, .. } => is_column(expr, column),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::catalog::{Column, Constraint};

    fn check(by: &str, check: &str, bound: &str) -> bool {
        let column = Column { name: "k".to_owned(), not_null: true, ..Column::default() };
        let constraint = Constraint {
            name: "c".to_owned(),
            kind: ConstraintKind::Check,
            columns: Vec::new(),
            definition: format!("CHECK ({check})"),
            valid: true,
            other: None,
        };
        let table =
            Table { columns: vec![column], constraints: vec![constraint], ..Table::default() };
        implied(&table, &[by.to_owned()], bound)
    }

    #[test]
    fn a_check_that_is_as_narrow_as_the_bound_implies_it() {
        assert!(check("k", "k >= 5 AND k < 9", "FROM (5) TO (9)"));
        assert!(check("k", "((k >= 6) AND (k < 8))", "FROM (5) TO (9)"));
        assert!(!check("k", "k >= 4 AND k < 9", "FROM (5) TO (9)"));
        assert!(!check("k", "k >= 5", "FROM (5) TO (9)"));
        assert!(check("k", "k >= 5", "FROM (5) TO (MAXVALUE)"));
        assert!(check("k", "k = 'a'::text", "IN ('a', 'b')"));
        assert!(check("k", "k = ANY (ARRAY['a'::text, 'b'::text])", "IN ('a', 'b')"));
        assert!(!check("k", "k IN ('a', 'c')", "IN ('a', 'b')"));
        assert!(check(
            "k",
            "k >= '2026-01-01' AND k < '2026-02-01'",
            "FROM ('2026-01-01') TO ('2026-02-01')"
        ));
        assert!(!check("other", "k = 1", "IN (1)"));
    }
}
