//! Domains and composite types: which tables have columns of them.

use super::super::case::Case;
use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::act::Act;
use crate::sql::catalog::{Catalog, TableKind};
use crate::sql::types::DataType;

/// The case of an act on a type, or on what a table inherits from; `None` when it is another.
pub(in crate::sql::effects) fn case(act: &Act, catalog: &Catalog) -> Option<Case> {
    let marks = |case: Case| act.marks.iter().fold(case, |case, mark| case.fact(mark, true));
    Some(match (act.kind, &act.object) {
        ("create_domain", _) => Case::of("create_domain"),
        ("alter_domain", Some(name)) => {
            let known = catalog.beside.domains.iter().find(|(known, _)| known.name == name.name);
            let is_not_null = known.is_some_and(|(_, domain)| domain.not_null);
            marks(Case::of("alter_domain"))
                .fact("is-not-null", is_not_null)
                .part("columns", of_domain(name, catalog))
        }
        ("alter_type", Some(name)) => {
            let typed = catalog.tables.iter().filter(|(_, known)| {
                known.shape.of_type.as_ref().is_some_and(|known| known.name == name.name)
            });
            marks(Case::of("alter_type")).part("typed", typed.map(|(name, _)| name.clone()))
        }
        ("inherit" | "no_inherit", _) => {
            Case::new(act.kind, act.tables.first()?).part("parent", act.others.iter().cloned())
        }
        _ => return None,
    })
}

/// The tables with a column of a domain, or of one above it.
fn of_domain(domain: &TableName, catalog: &Catalog) -> Vec<TableName> {
    let mut names = vec![domain.name.clone()];
    let mut at = 0;
    while let Some(name) = names.get(at).cloned() {
        let above = catalog.beside.domains.iter().filter(|(_, known)| is_of(&known.base, &name));
        names.extend(above.map(|(above, _)| above.name.clone()));
        at += 1;
        if at > catalog.beside.domains.len() {
            break;
        }
    }
    let uses = |table: &crate::sql::catalog::Table| {
        let rows = !matches!(table.shape.kind, TableKind::View | TableKind::Partitioned);
        rows && table
            .columns
            .iter()
            .any(|column| names.iter().any(|name| is_of(&column.data_type, name)))
    };
    catalog.tables.iter().filter(|(_, table)| uses(table)).map(|(name, _)| name.clone()).collect()
}

/// Whether a type, or an array's element, is that one.
fn is_of(data_type: &str, name: &str) -> bool {
    let base = DataType::parse(data_type, Engine::Postgres).base;
    base.rsplit('.').next().is_some_and(|last| last.trim_matches('"') == name)
}
