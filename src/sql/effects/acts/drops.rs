//! DROP, with what goes along.

use super::super::case::Case;
use super::is_known;
use super::tables::{ancestors, family};
use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::act::Act;
use crate::sql::catalog::{Catalog, ConstraintKind, Table, TableKind};
use crate::sql::rename::{may_mention, mentions};

/// DROP TABLE.
pub(super) fn table(table: &TableName, cascade: bool, catalog: &Catalog) -> Case {
    let above = ancestors(table, catalog);
    let parent: Vec<_> = above.first().cloned().into_iter().collect();
    let default = parent.iter().filter_map(|parent| super::partitions::default(parent, catalog));
    let (tops, leaves) = far_partitions(std::slice::from_ref(table), catalog);
    Case::new("drop_table", table)
        .part("far-tops", tops)
        .part("far-leaves", leaves)
        .fact("cascade", cascade)
        .fact("partition", !parent.is_empty())
        .part("gone", gone(std::slice::from_ref(table), cascade, catalog))
        .part("default", default)
        .part("parent", parent)
}

/// Everything that is locked because tables go: what is below them, both ends of foreign keys, and, with CASCADE, the
/// materialized views that read them.
fn gone(tables: &[TableName], cascade: bool, catalog: &Catalog) -> Vec<TableName> {
    let mut all: Vec<TableName> = Vec::new();
    for table in tables {
        let family = family(table, catalog);
        for name in &family {
            all.push(name.clone());
            let partners = own_partners(name, catalog).into_iter();
            all.extend(partners.filter(|name| !catalog.is_kind(name, TableKind::Partitioned)));
            if cascade {
                let referrers = catalog.referrers(name);
                all.extend(referrers.iter().flat_map(|name| super::tables::family(name, catalog)));
                all.extend(materialized(catalog.readers(name), catalog));
            }
        }
    }
    all
}

/// The far ends of a table's own foreign keys. A partition's are those that its parent does not have.
fn own_partners(table: &TableName, catalog: &Catalog) -> Vec<TableName> {
    let keys = |name: &TableName| {
        let known = catalog.tables.get(name).into_iter().flat_map(|known| &known.constraints);
        known.filter(|key| key.kind == ConstraintKind::ForeignKey).collect::<Vec<_>>()
    };
    let above = ancestors(table, catalog);
    let inherited: Vec<_> = above.iter().flat_map(keys).collect();
    let own = keys(table).into_iter().filter(|key| {
        !inherited.iter().any(|above| above.other == key.other && above.columns == key.columns)
    });
    own.filter_map(|key| key.other.clone()).filter(|other| other != table).collect()
}

/// Of partitioned tables at the far ends of foreign keys, themselves and the partitions that are partitioned, and
/// those that hold rows.
fn far_partitions(tables: &[TableName], catalog: &Catalog) -> (Vec<TableName>, Vec<TableName>) {
    let below = tables.iter().flat_map(|table| family(table, catalog));
    let far = below.flat_map(|name| own_partners(&name, catalog));
    let partitioned = far.filter(|name| catalog.is_kind(name, TableKind::Partitioned));
    let all = partitioned.flat_map(|name| family(&name, catalog));
    all.partition(|name| catalog.is_kind(name, TableKind::Partitioned))
}

fn materialized(views: Vec<TableName>, catalog: &Catalog) -> Vec<TableName> {
    views.into_iter().filter(|name| catalog.is_kind(name, TableKind::MaterializedView)).collect()
}

/// DROP of what is no table: the tables that lose something by it. `None`: the catalog cannot tell.
pub(super) fn object(act: &Act, catalog: &Catalog) -> Option<Case> {
    let case = Case::of(act.kind).fact("cascade", act.has("cascade"));
    let (Some(object), true) = (&act.object, act.has("cascade")) else { return Some(case) };
    if !is_known(catalog) || act.kind == "drop_extension" {
        return None;
    }
    let losing = match act.kind {
        "drop_view" => materialized(catalog.readers(object), catalog),
        "drop_schema" => schema(&object.name, catalog),
        "drop_type" | "drop_domain" => with(catalog, |table| uses_type(table, object)),
        "drop_sequence" => {
            let mut losing: Vec<_> = Vec::new();
            for (name, table) in catalog.tables.iter() {
                if counts_by(name, table, object) {
                    losing.push(name.clone());
                }
            }
            losing
        }
        "drop_function" => with(catalog, |table| calls(table, object)),
        _ => Vec::new(),
    };
    let below: Vec<_> = losing.iter().flat_map(|name| family(name, catalog)).collect();
    Some(case.part("losing", below))
}

fn with(catalog: &Catalog, holds: impl Fn(&Table) -> bool) -> Vec<TableName> {
    let tables = catalog.tables.iter().filter(|(_, table)| holds(table));
    tables.map(|(name, _)| name.clone()).collect()
}

fn schema(schema: &str, catalog: &Catalog) -> Vec<TableName> {
    let is_in = |name: &&TableName| name.schema.as_deref() == Some(schema);
    let tables: Vec<_> = catalog.tables.keys().filter(is_in).cloned().collect();
    let mut all = gone(&tables, true, catalog);
    let (tops, leaves) = far_partitions(&tables, catalog);
    all.extend(tops.into_iter().chain(leaves));
    let prefix = format!("{schema}.");
    all.extend(with(catalog, |table| {
        let typed = table.columns.iter().any(|column| column.data_type.starts_with(&prefix));
        let in_schema = |name: &Option<TableName>| {
            name.as_ref().is_some_and(|name| name.schema.as_deref() == Some(schema))
        };
        typed
            || in_schema(&table.shape.of_type)
            || table.triggers.iter().any(|trigger| in_schema(&trigger.function))
    }));
    all
}

fn uses_type(table: &Table, name: &TableName) -> bool {
    let is_it = |text: &str| {
        let text = text.trim_end_matches("[]").trim_matches('"');
        let (schema, bare) =
            text.rsplit_once('.').map_or((None, text), |(schema, bare)| (Some(schema), bare));
        bare.trim_matches('"').eq_ignore_ascii_case(&name.name)
            && (schema.is_none() || name.schema.is_none() || schema == name.schema.as_deref())
    };
    table.columns.iter().any(|column| is_it(&column.data_type))
        || table.shape.of_type.as_ref().is_some_and(|of| of.name == name.name)
}

/// A default that counts by a sequence; serial's own has the name that the server gives it.
fn counts_by(name: &TableName, table: &Table, sequence: &TableName) -> bool {
    let own = |column: &str| format!("{}_{column}_seq", name.name) == sequence.name;
    table.columns.iter().any(|column| {
        let named = column
            .default
            .as_deref()
            .is_some_and(|text| text.contains("nextval") && text.contains(&sequence.name));
        named || (column.counts && own(&column.name))
    })
}

fn calls(table: &Table, function: &TableName) -> bool {
    let same = |name: &TableName| {
        name.name == function.name
            && (name.schema.is_none()
                || function.schema.is_none()
                || name.schema == function.schema)
    };
    let call = format!("{}(", function.name);
    let in_text = |text: &str| {
        may_mention(text, &function.name)
            && (text.contains(&call) || mentions(Engine::Postgres, text, &function.name))
    };
    table.triggers.iter().any(|trigger| trigger.function.as_ref().is_some_and(same))
        || table.columns.iter().any(|column| {
            column.default.as_deref().is_some_and(in_text)
                || column.generated.as_deref().is_some_and(in_text)
        })
        || table.constraints.iter().any(|known| in_text(&known.definition))
        || table.indexes.iter().any(|known| in_text(&known.definition))
}
