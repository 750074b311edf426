//! What those who use a view or a routine rely on, and what is known of each.

use std::collections::BTreeMap;

use super::act::Act;
use super::catalog::{Catalog, TableKind};
use crate::model::name::TableName;
use crate::model::server::Engine;

/// What those who use a view or a routine rely on, as a statement writes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Interface {
    /// A view's columns, in their order.
    View(Vec<Output>),
    /// A function or a procedure.
    Routine(Signature),
}

/// What a query gives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Output {
    /// A column of that name.
    Column(String),
    /// All columns of a table.
    All(TableName),
}

/// What a routine takes and gives.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Signature {
    /// What its callers give, in order.
    pub(crate) inputs: Vec<Parameter>,
    /// The type of its result, with OUT parameters, as written; none: a procedure without.
    pub(crate) result: Option<String>,
}

/// What a caller gives.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Parameter {
    /// Its name, when it has one.
    pub(crate) name: Option<String>,
    /// Its type, as catalogs spell it.
    pub(crate) data_type: String,
    /// Whether it may be left out.
    pub(crate) optional: bool,
}

/// The views and routines whose making was seen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Interfaces {
    views: BTreeMap<TableName, Seen<Vec<String>>>,
    routines: BTreeMap<TableName, Vec<Seen<Signature>>>,
}

/// What was seen of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Seen<T> {
    /// What its users rely on.
    pub(crate) shape: T,
    /// Whether this release has made it.
    pub(crate) is_new: bool,
    /// Whether this release has dropped it: old builds use it all the same.
    pub(crate) is_gone: bool,
}

impl Interfaces {
    /// A view that old builds use.
    pub(crate) fn view(&self, name: &TableName) -> Option<&Seen<Vec<String>>> {
        self.views.get(name).filter(|seen| !seen.is_new)
    }

    /// The routines of a name that old builds use.
    pub(crate) fn routines(&self, name: &TableName) -> impl Iterator<Item = &Seen<Signature>> {
        self.routines.get(name).into_iter().flatten().filter(|seen| !seen.is_new)
    }

    /// Whether this release has made what is called so, so that nobody uses it yet.
    pub(crate) fn is_new(&self, name: &TableName) -> bool {
        let routine = |seen: &Vec<Seen<_>>| !seen.is_empty() && seen.iter().all(|one| one.is_new);
        self.views.get(name).is_some_and(|view| view.is_new)
            || self.routines.get(name).is_some_and(routine)
    }

    /// Whether nothing was made or dropped in this release.
    pub(crate) fn is_settled(&self) -> bool {
        let is_old = |is_new: bool, is_gone: bool| !is_new && !is_gone;
        self.views.values().all(|seen| is_old(seen.is_new, seen.is_gone))
            && self.routines.values().all(|all| {
                !all.is_empty() && all.iter().all(|seen| is_old(seen.is_new, seen.is_gone))
            })
    }

    /// Forgets what is gone: the release that dropped it is over.
    pub(crate) fn settle(&mut self) {
        self.views.retain(|_, seen| !seen.is_gone);
        self.views.values_mut().for_each(|seen| seen.is_new = false);
        for routines in self.routines.values_mut() {
            routines.retain(|seen| !seen.is_gone);
            for seen in routines {
                seen.is_new = false;
            }
        }
        self.routines.retain(|_, routines| !routines.is_empty());
    }

    fn add_view(&mut self, name: &TableName, shape: Option<Vec<String>>, was_there: bool) {
        let is_new = self.views.get(name).map_or(!was_there, |seen| seen.is_new);
        match shape {
            Some(shape) => {
                self.views.insert(name.clone(), Seen { shape, is_new, is_gone: false });
            }
            // What comes cannot be known any more.
            None => drop(self.views.remove(name)),
        }
    }

    fn add_routine(&mut self, name: &TableName, shape: &Signature, engine: Engine) {
        let all = self.routines.entry(name.clone()).or_default();
        let same = all.iter_mut().find(|seen| seen.shape.is_replaced_by(shape, engine));
        let shape = shape.clone();
        match same {
            Some(seen) => *seen = Seen { shape, is_new: seen.is_new, is_gone: false },
            None => all.push(Seen { shape, is_new: true, is_gone: false }),
        }
    }
}

impl Signature {
    /// Whether the other takes its place: PostgreSQL tells routines apart by what they take.
    pub(crate) fn is_replaced_by(&self, other: &Self, engine: Engine) -> bool {
        let types = |one: &Self| -> Vec<String> {
            one.inputs.iter().map(|input| input.data_type.clone()).collect()
        };
        engine.is_mysql_family() || types(self) == types(other)
    }
}

impl Catalog {
    /// Notes what users of a view or a routine rely on, before the act is carried out.
    pub(super) fn note_interface(&mut self, act: &Act, engine: Engine) {
        let Some(name) = act.object.as_ref().or(act.tables.first()) else { return };
        let interfaces = &self.beside.interfaces;
        let is_there = interfaces.views.get(name).is_some_and(|seen| !seen.is_gone)
            || interfaces.routines.get(name).into_iter().flatten().any(|seen| !seen.is_gone);
        if act.has("if-not-exists") && (is_there || self.tables.contains_key(name)) {
            return;
        }
        match (act.kind, &act.interface) {
            ("create_view" | "create_materialized_view", interface) => {
                let columns = match interface {
                    Some(Interface::View(outputs)) => self.columns_of(outputs),
                    _ => None,
                };
                let was_there = self.tables.contains_key(name);
                self.beside.interfaces.add_view(name, columns, was_there);
            }
            ("create_function", Some(Interface::Routine(signature))) => {
                self.beside.interfaces.add_routine(name, signature, engine);
            }
            ("drop_view" | "drop_materialized_view", _) => {
                if let Some(shape) = self.view_columns(name) {
                    let is_new = self.beside.interfaces.is_new(name);
                    let seen = Seen { shape, is_new, is_gone: true };
                    self.beside.interfaces.views.insert(name.clone(), seen);
                }
            }
            ("drop_function", _) => {
                let routines = self.beside.interfaces.routines.get_mut(name);
                routines.into_iter().flatten().for_each(|seen| seen.is_gone = true);
            }
            _ => {}
        }
    }

    /// The columns of a view that old builds use, or of one that is there; a database tells them, too.
    pub(crate) fn view_columns(&self, name: &TableName) -> Option<Vec<String>> {
        if let Some(seen) = self.beside.interfaces.views.get(name) {
            return Some(seen.shape.clone());
        }
        let known = self.tables.get(name)?;
        let is_view = matches!(known.shape.kind, TableKind::View | TableKind::MaterializedView);
        let columns = known.columns.iter().map(|column| column.name.clone());
        (is_view && !known.columns.is_empty()).then(|| columns.collect())
    }

    /// The names of what a query gives, when all of them can be known.
    pub(crate) fn columns_of(&self, outputs: &[Output]) -> Option<Vec<String>> {
        let mut columns = Vec::with_capacity(outputs.len());
        for output in outputs {
            match output {
                Output::Column(name) => columns.push(name.clone()),
                Output::All(table) => {
                    let known = self.tables.get(table)?;
                    if known.columns.is_empty() {
                        columns.extend(self.view_columns(table)?);
                    } else {
                        columns.extend(known.columns.iter().map(|column| column.name.clone()));
                    }
                }
            }
        }
        Some(columns)
    }
}
