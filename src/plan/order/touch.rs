//! What a migration touches: its tables, and the columns that it adds or takes away.

use std::collections::BTreeSet;

use crate::model::name::TableName;
use crate::model::phase::Phase;
use crate::model::server::{Engine, Server};
use crate::model::state::State;
use crate::plan::migration::Migration;
use crate::sql::change::Change;
use crate::sql::rename::mentions;

/// A column, or (`None`) a table as a whole.
type Place = (TableName, Option<String>);

/// What a migration touches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Touch {
    engine: Engine,
    tables: BTreeSet<TableName>,
    /// What it changes or builds on.
    uses: BTreeSet<Place>,
    /// What it adds, for nobody else to touch until it is migrated.
    adds: BTreeSet<Place>,
    /// What it takes away, for nobody else to touch as long as it is open; what operations keep alike, too.
    takes: BTreeSet<Place>,
    /// Texts of backfills, which may name columns.
    texts: Vec<(TableName, String)>,
}

impl Touch {
    /// What a migration touches. What is not understood touches nothing here: that is a finding of its own.
    pub(super) fn of(migration: &Migration, server: Server, schema: Option<&str>) -> Self {
        let mut touch = Self {
            engine: server.engine,
            tables: BTreeSet::new(),
            uses: BTreeSet::new(),
            adds: BTreeSet::new(),
            takes: BTreeSet::new(),
            texts: Vec::new(),
        };
        for operation in &migration.operations {
            touch.tables.extend(operation.tables().iter().map(|table| table.or_in(schema)));
            for claim in operation.claims() {
                let place = (claim.table.or_in(schema), claim.column);
                touch.uses.insert(place.clone());
                touch.takes.insert(place);
            }
        }
        for (phase, file) in &migration.files {
            if !matches!(phase, Phase::Expand | Phase::Migrate | Phase::Contract) {
                continue;
            }
            for (_, changes) in &file.read(server.engine).statements {
                for located in changes {
                    touch.add(*phase, &located.change, schema);
                }
            }
        }
        for backfill in &migration.backfills {
            let table = backfill.fill.table.or_in(schema);
            touch.tables.insert(table.clone());
            let condition = backfill.fill.pending.as_deref().unwrap_or_default();
            touch.texts.push((table, format!("{} {condition}", backfill.fill.set)));
        }
        touch
    }

    /// The tables that it touches.
    pub(super) fn tables(&self) -> impl Iterator<Item = &TableName> {
        self.tables.iter()
    }

    /// A table that both touch.
    pub(super) fn shares_table<'t>(&'t self, other: &'t Self) -> Option<&'t TableName> {
        self.tables.intersection(&other.tables).next()
    }

    /// What `other`, which stands at `state`, adds or takes away and this one touches, in words.
    pub(super) fn clash(&self, other: &Self, state: State) -> Option<String> {
        let is_filling = matches!(state, State::Expanding | State::Expanded | State::Migrating);
        let taken =
            other.takes.iter().filter(|_| state.is_open()).find(|place| self.touches(place));
        if let Some(place) = taken {
            return Some(format!("changes {}", words(place)));
        }
        let added = other.adds.iter().filter(|_| is_filling).find(|place| self.touches(place));
        added.map(|place| format!("has added {}", words(place)))
    }

    fn touches(&self, place: &Place) -> bool {
        let (table, column) = place;
        let meets = |used: &Place| {
            used.0 == *table && (used.1.is_none() || column.is_none() || used.1 == *column)
        };
        let in_text = |(at, text): &(TableName, String)| {
            let names = |column: &String| mentions(self.engine, text, column);
            at == table && column.as_ref().is_none_or(names)
        };
        self.uses.iter().any(meets) || self.texts.iter().any(in_text)
    }

    fn add(&mut self, phase: Phase, change: &Change, schema: Option<&str>) {
        let (table, columns, kind) = places(change);
        let Some(table) = table.map(|table| table.or_in(schema)) else { return };
        self.tables.insert(table.clone());
        for column in columns {
            let place = (table.clone(), column);
            match kind {
                Kind::Adds if phase == Phase::Expand => {
                    self.adds.insert(place.clone());
                }
                Kind::Takes => {
                    self.takes.insert(place.clone());
                }
                Kind::Adds | Kind::Uses => {}
            }
            self.uses.insert(place);
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Adds,
    Takes,
    Uses,
}

/// The table of a change, its columns (`None`: the table as a whole), and what happens to them.
fn places(change: &Change) -> (Option<&TableName>, Vec<Option<String>>, Kind) {
    let one = |column: &String| vec![Some(column.clone())];
    let many = |columns: &[String]| columns.iter().cloned().map(Some).collect();
    match change {
        Change::CreateTable { table, .. } => (Some(table), vec![None], Kind::Adds),
        Change::DropTable { table, .. } | Change::RenameTable { table, .. } => {
            (Some(table), vec![None], Kind::Takes)
        }
        Change::AddColumn { table, column, .. } => (Some(table), one(&column.name), Kind::Adds),
        Change::DropColumn { table, column, .. } => (Some(table), one(column), Kind::Takes),
        Change::RenameColumn { table, column, to } => {
            (Some(table), vec![Some(column.clone()), Some(to.clone())], Kind::Takes)
        }
        Change::ChangeType { table, column, .. }
        | Change::SetNotNull { table, column }
        | Change::DropNotNull { table, column }
        | Change::SetDefault { table, column, .. } => (Some(table), one(column), Kind::Uses),
        Change::CreateIndex { table, columns, .. } => (Some(table), many(columns), Kind::Uses),
        Change::AddConstraint { table, constraint } => {
            (Some(table), many(&constraint.columns), Kind::Uses)
        }
        Change::DropIndex { table, .. } | Change::RenameIndex { table, .. } => {
            (table.as_ref(), Vec::new(), Kind::Uses)
        }
        Change::ValidateConstraint { table, .. }
        | Change::DropConstraint { table, .. }
        | Change::RenameConstraint { table, .. }
        | Change::Update { table, .. }
        | Change::Delete { table, .. }
        | Change::Insert { table, .. }
        | Change::Truncate { table, .. }
        | Change::Rebuild { table, .. }
        | Change::TableSetting { table, .. }
        | Change::TableOption { table, .. }
        | Change::Partitions { table, .. }
        | Change::Demand { table, .. }
        | Change::Clauseless { table } => (Some(table), Vec::new(), Kind::Uses),
        Change::Act(act) => (act.tables.first(), Vec::new(), Kind::Uses),
        Change::Harmless | Change::Other { .. } | Change::Opaque { .. } => {
            (None, Vec::new(), Kind::Uses)
        }
    }
}

fn words((table, column): &Place) -> String {
    match column {
        Some(column) => format!("column \"{column}\" of table \"{table}\""),
        None => format!("table \"{table}\""),
    }
}
