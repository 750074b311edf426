//! In which partitions rows can be that a statement looks for, or puts in: the others are not even locked.
//!
//! Only partitioning by one column and comparisons with values are understood; what is not leaves nothing out.

use std::cmp::Ordering;

use super::hashes;
use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::act::{Comparison, Limit};
use crate::sql::catalog::{Catalog, TableKind};
use crate::sql::types::DataType;

/// A table and those below it in which rows can be that meet all limits, from above to below. What a server refuses may have
/// made the catalog's tables each other's children: each is looked at once.
pub(super) fn live(table: &TableName, limits: &[Limit], catalog: &Catalog) -> Vec<TableName> {
    let mut found = vec![table.clone()];
    let mut at = 0;
    while let Some(table) = found.get(at).cloned() {
        at += 1;
        let below: Vec<_> = match Level::new(&table, catalog) {
            Some(level) => level.left_by(limits).cloned().collect(),
            None => catalog.children(&table).cloned().collect(),
        };
        let below: Vec<_> = below.into_iter().filter(|name| !found.contains(name)).collect();
        found.extend(below);
    }
    found
}

/// The partitions, of all levels, that rows with these values go to; all below the table when that cannot be told.
pub(super) fn reached(
    table: &TableName,
    columns: &[String],
    rows: &[Vec<Option<String>>],
    catalog: &Catalog,
) -> Vec<TableName> {
    let mut found = vec![table.clone()];
    for row in rows {
        let Some(way) = way(table, columns, row, catalog) else {
            found = vec![table.clone()];
            found.extend(catalog.descendants(table));
            return found;
        };
        for name in way {
            if !found.contains(&name) {
                found.push(name);
            }
        }
    }
    found
}

/// The partitions that one row passes, from above to below.
fn way(
    table: &TableName,
    columns: &[String],
    row: &[Option<String>],
    catalog: &Catalog,
) -> Option<Vec<TableName>> {
    let mut all: Vec<TableName> = Vec::new();
    loop {
        let table = all.last().unwrap_or(table);
        if !catalog.is_kind(table, TableKind::Partitioned) {
            return Some(all);
        }
        let level = Level::new(table, catalog)?;
        let names = catalog.tables.get(table)?.columns.iter().map(|column| &column.name);
        let at = if columns.is_empty() {
            names.into_iter().position(|name| *name == level.column)?
        } else {
            columns.iter().position(|name| *name == level.column)?
        };
        let next = level.taker(row.get(at)?.as_ref()?)?.clone();
        if all.contains(&next) {
            return None;
        }
        all.push(next);
    }
}

/// A partitioned table's column and partitions.
struct Level {
    column: String,
    data_type: String,
    kind: Kind,
    children: Vec<(TableName, Bound)>,
}

/// What a partition is for.
enum Bound {
    OneOf(Vec<String>),
    /// From the first, if there is one, up to before the second.
    Between(Option<String>, Option<String>),
    /// Rows whose hash leaves that when it is divided.
    Hash {
        modulus: u64,
        remainder: u64,
    },
    Default,
    Unknown,
}

/// How values are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Numbers,
    Times,
    /// Only whether they are the same.
    Others,
}

impl Level {
    fn new(table: &TableName, catalog: &Catalog) -> Option<Self> {
        let known = catalog.tables.get(table)?;
        let [column] = known.shape.partitioned_by.as_slice() else { return None };
        let bound = |name: &TableName| {
            let text = catalog.tables.get(name).and_then(|known| known.shape.bound.as_deref());
            (name.clone(), text.map_or(Bound::Unknown, Bound::read))
        };
        let children = catalog.children(table).map(bound).collect();
        let data_type = DataType::parse(&known.column(column)?.data_type, Engine::Postgres).base;
        let kind = Kind::of(&data_type);
        Some(Self { column: column.clone(), data_type, kind, children })
    }

    /// The partitions in which rows can be that meet all limits.
    fn left_by(&self, limits: &[Limit]) -> impl Iterator<Item = &TableName> {
        let limits: Vec<_> = limits.iter().filter(|limit| limit.column == self.column).collect();
        let left = self.children.iter().filter(move |(_, bound)| match bound {
            Bound::Default => !self.covers(&limits),
            bound => !limits.iter().any(|limit| self.excludes(bound, limit)),
        });
        left.map(|(child, _)| child)
    }

    /// The partition that takes a row with this value.
    fn taker(&self, value: &str) -> Option<&TableName> {
        let mut default = None;
        let mut next = None;
        for (child, bound) in &self.children {
            match bound {
                Bound::Default => default = Some(child),
                bound if self.holds(bound, value)? => next = Some(child),
                _ => {}
            }
        }
        next.or(default)
    }

    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        match self.kind {
            Kind::Numbers => a.parse::<f64>().ok()?.partial_cmp(&b.parse::<f64>().ok()?),
            Kind::Times => Some(time(a)?.cmp(&time(b)?)),
            Kind::Others => (a == b).then_some(Ordering::Equal),
        }
    }

    fn is_same(&self, a: &str, b: &str) -> Option<bool> {
        match self.kind {
            Kind::Others => Some(a == b),
            _ => self.compare(a, b).map(|order| order == Ordering::Equal),
        }
    }

    /// Whether a value belongs to a partition.
    fn holds(&self, bound: &Bound, value: &str) -> Option<bool> {
        match bound {
            Bound::OneOf(values) => {
                let mut any = false;
                for one in values {
                    any |= self.is_same(one, value)?;
                }
                Some(any)
            }
            Bound::Between(from, to) => {
                let above = match from {
                    Some(from) => self.compare(value, from)? != Ordering::Less,
                    None => true,
                };
                let below = match to {
                    Some(to) => self.compare(value, to)? == Ordering::Less,
                    None => true,
                };
                Some(above && below)
            }
            Bound::Hash { modulus, remainder } => {
                let left = hashes::remainder(&self.data_type, value, *modulus)?;
                Some(left == *remainder)
            }
            Bound::Default | Bound::Unknown => None,
        }
    }

    /// Whether no row of a partition meets a limit.
    fn excludes(&self, bound: &Bound, limit: &Limit) -> bool {
        use Ordering::{Equal, Greater, Less};
        let is = |a: &str, orders: &[Ordering], b: &str| {
            self.compare(a, b).is_some_and(|order| orders.contains(&order))
        };
        let Some(first) = limit.values.first() else { return false };
        match (bound, limit.comparison) {
            (Bound::OneOf(_) | Bound::Between(..) | Bound::Hash { .. }, Comparison::OneOf) => {
                limit.values.iter().all(|value| self.holds(bound, value) == Some(false))
            }
            (Bound::OneOf(values), comparison) => {
                let misses = match comparison {
                    Comparison::From => [Less].as_slice(),
                    Comparison::Above => &[Less, Equal],
                    Comparison::Below => &[Greater, Equal],
                    _ => &[Greater],
                };
                values.iter().all(|value| is(value, misses, first))
            }
            (Bound::Between(_, Some(to)), Comparison::From | Comparison::Above) => {
                is(to, &[Less, Equal], first)
            }
            (Bound::Between(Some(from), _), Comparison::Below) => {
                is(from, &[Greater, Equal], first)
            }
            (Bound::Between(Some(from), _), Comparison::UpTo) => is(from, &[Greater], first),
            _ => false,
        }
    }

    /// Whether all rows that meet the limits have a partition other than the default one.
    fn covers(&self, limits: &[&Limit]) -> bool {
        let held = |value: &String| {
            self.children.iter().any(|(_, bound)| self.holds(bound, value) == Some(true))
        };
        if limits
            .iter()
            .any(|limit| limit.comparison == Comparison::OneOf && limit.values.iter().all(held))
        {
            return true;
        }
        let find = |wanted: [Comparison; 2]| {
            let limit = limits.iter().find(|limit| wanted.contains(&limit.comparison))?;
            Some((limit.comparison, limit.values.first()?))
        };
        let from = find([Comparison::From, Comparison::Above]).map(|(_, value)| value.as_str());
        let to = find([Comparison::Below, Comparison::UpTo]);
        let mut at = from;
        for _ in &self.children {
            let next = self.children.iter().find_map(|(_, bound)| match bound {
                Bound::Between(from, to) => {
                    let begins = match (at, from) {
                        (_, None) => true,
                        (Some(at), Some(from)) => {
                            self.compare(from, at).is_some_and(Ordering::is_le)
                        }
                        (None, Some(_)) => false,
                    };
                    let goes_on = match (at, to) {
                        (Some(at), Some(to)) => self.compare(to, at).is_some_and(Ordering::is_gt),
                        _ => true,
                    };
                    (begins && goes_on).then_some(to.as_deref())
                }
                _ => None,
            });
            match (next, to) {
                (None, _) => return false,
                (Some(None), _) => return true,
                (Some(Some(end)), Some((comparison, last))) => {
                    let order = self.compare(end, last);
                    let reaches = match comparison {
                        Comparison::Below => order.is_some_and(Ordering::is_ge),
                        _ => order.is_some_and(Ordering::is_gt),
                    };
                    if reaches {
                        return true;
                    }
                    at = Some(end);
                }
                (Some(Some(end)), None) => at = Some(end),
            }
        }
        false
    }
}

impl Kind {
    fn of(data_type: &str) -> Self {
        match data_type {
            "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision" => {
                Self::Numbers
            }
            "date" | "timestamp" => Self::Times,
            _ => Self::Others,
        }
    }
}

impl Bound {
    fn read(text: &str) -> Self {
        let upper = text.to_ascii_uppercase();
        if upper.trim() == "DEFAULT" {
            return Self::Default;
        }
        if upper.starts_with("IN") {
            let inside = inside(text).map(|inside| inside.split(',').map(plain).collect());
            return inside.map_or(Self::Unknown, Self::OneOf);
        }
        if upper.starts_with("WITH") {
            let digits = |text: &str| text.trim_matches(|c: char| !c.is_ascii_digit()).parse().ok();
            let parts = upper.split_once("REMAINDER");
            let parts = parts.and_then(|(one, two)| Some((digits(one)?, digits(two)?)));
            let hash = |(modulus, remainder)| Self::Hash { modulus, remainder };
            return parts.map_or(Self::Unknown, hash);
        }
        let to = upper.find(") TO").filter(|_| upper.starts_with("FROM")).map(|at| at + 1);
        let parts = to.and_then(|to| text.split_at_checked(to));
        let ends = parts.and_then(|(from, to)| Some((plain(inside(from)?), plain(inside(to)?))));
        match ends {
            Some((from, to)) if !from.contains(',') && !to.contains(',') => {
                let open = |text: String, word: &str| {
                    Some(text).filter(|text| !text.eq_ignore_ascii_case(word))
                };
                Self::Between(open(from, "MINVALUE"), open(to, "MAXVALUE"))
            }
            _ => Self::Unknown,
        }
    }
}

fn inside(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once('(')?;
    Some(rest.rsplit_once(')')?.0)
}

/// A value without quotes and casts.
fn plain(text: &str) -> String {
    let text = text.trim();
    let text = text.split_once("::").map_or(text, |(value, _)| value);
    text.trim().trim_matches('\'').to_owned()
}

/// A day, or a moment of one, so that texts are in the order of time.
fn time(text: &str) -> Option<String> {
    let text = text.trim().replace('T', " ");
    let is_day = text.len() >= 10
        && text.bytes().take(10).enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let rest = text.get(10..)?.trim();
    let is_plain = rest.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'));
    let moment = if rest.is_empty() { "00:00:00" } else { rest };
    (is_day && is_plain).then(|| format!("{} {moment}", text.get(..10).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::catalog::{Column, Table};

    fn limit(comparison: Comparison, values: &[&str]) -> Limit {
        let values = values.iter().map(ToString::to_string).collect();
        Limit { column: "k".to_owned(), comparison, values }
    }

    fn catalog(data_type: &str, bounds: &[&str]) -> Catalog {
        let mut catalog = Catalog::default();
        let column =
            Column { name: "k".to_owned(), data_type: data_type.to_owned(), ..Column::default() };
        let mut root = Table { columns: vec![column], ..Table::default() };
        root.shape.kind = TableKind::Partitioned;
        root.shape.partitioned_by = vec!["k".to_owned()];
        catalog.tables.insert(TableName::bare("t"), root);
        for (number, bound) in bounds.iter().enumerate() {
            let mut child = Table::default();
            child.shape.parents = vec![TableName::bare("t")];
            child.shape.bound = Some((*bound).to_owned());
            catalog.tables.insert(TableName::bare(format!("t{number}")), child);
        }
        catalog
    }

    fn check(data_type: &str, bounds: &[&str], limits: &[Limit], expected: &str) {
        let catalog = catalog(data_type, bounds);
        let live = live(&TableName::bare("t"), limits, &catalog);
        let names: Vec<_> = live.iter().skip(1).map(|table| table.name.as_str()).collect();
        assert_eq!(names.join(" "), expected, "{limits:?}");
    }

    const RANGES: &[&str] = &["FROM (0) TO (10)", "FROM (10) TO (20)", "DEFAULT"];

    #[test]
    fn partitions_out_of_a_range_are_left_out() {
        use Comparison::{Above, Below, From, OneOf, UpTo};
        let check = |limits: &[Limit], expected| check("integer", RANGES, limits, expected);
        check(&[], "t0 t1 t2");
        check(&[limit(OneOf, &["5"])], "t0");
        check(&[limit(OneOf, &["5", "12"])], "t0 t1");
        check(&[limit(OneOf, &["25"])], "t2");
        check(&[limit(From, &["10"])], "t1 t2");
        check(&[limit(From, &["10"]), limit(Below, &["20"])], "t1");
        check(&[limit(From, &["10"]), limit(UpTo, &["20"])], "t1 t2");
        check(&[limit(Below, &["10"])], "t0 t2");
        check(&[limit(Above, &["3"]), limit(Below, &["15"])], "t0 t1");
    }

    #[test]
    fn days_and_lists_are_compared_as_such() {
        use Comparison::{Below, From, OneOf};
        let days = &["FROM ('2026-01-01') TO ('2026-02-01')", "FROM ('2026-02-01') TO (MAXVALUE)"];
        check("date", days, &[limit(From, &["2026-02-01"])], "t1");
        check("timestamp", days, &[limit(Below, &["2026-02-01 00:00:00"])], "t0");
        check("timestamp with time zone", days, &[limit(OneOf, &["2026-02-01+02"])], "t0 t1");
        let lists = &["IN ('a', 'b')", "IN ('c')", "FROM ('d', 1) TO ('e', 1)"];
        check("text", lists, &[limit(OneOf, &["c"])], "t1 t2");
        check("text", lists, &[limit(Below, &["b"])], "t0 t1 t2");
    }

    #[test]
    fn hashes_leave_partitions_out_where_a_value_is_named() {
        use Comparison::{From, OneOf};
        let parts = &["WITH (MODULUS 8, REMAINDER 0)", "WITH (modulus 8, remainder 5)"];
        check("integer", parts, &[limit(OneOf, &["5"])], "t1");
        check("integer", parts, &[limit(OneOf, &["1", "5"])], "t0 t1");
        check("integer", parts, &[limit(From, &["5"])], "t0 t1");
        check("numeric", parts, &[limit(OneOf, &["5"])], "t0 t1");
    }

    #[test]
    fn rows_go_where_their_values_lead() {
        let reached = |values: &[Option<&str>]| {
            let rows: Vec<_> = values.iter().map(|value| vec![value.map(str::to_owned)]).collect();
            let catalog = catalog("integer", RANGES);
            let found = reached(&TableName::bare("t"), &[], &rows, &catalog);
            found.iter().skip(1).map(|table| table.name.clone()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(reached(&[Some("5")]), "t0");
        assert_eq!(reached(&[Some("5"), Some("99")]), "t0 t2");
        assert_eq!(reached(&[None]), "t0 t1 t2");
    }
}
