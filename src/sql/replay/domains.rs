//! Domains that come, change and go.

use crate::model::name::TableName;
use crate::sql::act::Act;
use crate::sql::catalog::{Catalog, Domain};

impl Catalog {
    /// Carries out an act on a domain.
    pub(super) fn domain(&mut self, name: &TableName, act: &Act) {
        let domains = &mut self.beside.domains;
        if act.kind == "create_domain" {
            let checks = act.others.iter().map(|check| check.name.clone()).collect();
            let domain = Domain { base: act.text.clone(), not_null: act.has("not-null"), checks };
            domains.insert(name.clone(), domain);
            return;
        }
        let Some(found) = domains.keys().find(|known| same(known, name)).cloned() else { return };
        let Some(mut domain) = domains.remove(&found) else { return };
        if act.kind == "drop_domain" {
            return;
        }
        domain.not_null = (domain.not_null || act.has("set-not-null")) && !act.has("drop-not-null");
        if act.has("add") {
            domain.checks.push(act.text.clone());
        } else if act.has("drop") {
            domain.checks.retain(|check| *check != act.text);
        }
        let found = match (act.has("renames"), act.has("moves")) {
            (true, _) => TableName { name: act.text.clone(), ..found },
            (_, true) => TableName { schema: Some(act.text.clone()), ..found },
            _ => found,
        };
        domains.insert(found, domain);
    }
}

fn same(known: &TableName, name: &TableName) -> bool {
    known.name == name.name && (name.schema.is_none() || name.schema == known.schema)
}
