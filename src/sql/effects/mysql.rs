//! MySQL and MariaDB: the best ALGORITHM that the server grants, and the best LOCK with it.
//!
//! Source: executed on MySQL 9.7, MariaDB 10.11 and 11.8; `CASE [server answers]` in the comments below.

use super::mysql_columns;
use super::{Cost, Mode};
use crate::model::name::TableName;
use crate::model::server::{Engine, Server};
use crate::sql::catalog::{Catalog, ConstraintKind};
use crate::sql::change::{Change, ConstraintDef, ConstraintDefKind, Located};
use crate::sql::effect::Algorithm;

/// How a server carries out a clause.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Online {
    pub(super) algorithm: Algorithm,
    pub(super) lock: Mode,
    pub(super) rebuild: Rebuild,
}

/// Whether the table is written anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rebuild {
    No,
    /// It is not, but read from end to end.
    Scan,
    Yes,
}

/// Metadata alone.
pub(super) const INSTANT: Online =
    Online { algorithm: Algorithm::Instant, lock: Mode::RowExclusive, rebuild: Rebuild::No };

/// In place, with new rows, while others write.
pub(super) const REBUILD: Online =
    Online { algorithm: Algorithm::InPlace, lock: Mode::RowExclusive, rebuild: Rebuild::Yes };

/// In place, with new rows, while others only read.
pub(super) const REBUILD_SHARED: Online = Online { lock: Mode::Share, ..REBUILD };

/// A copy: others only read, except on MariaDB from 11.2 on.
pub(super) fn copy(server: Server) -> Online {
    let online = server.engine == Engine::MariaDb && server.version >= (11, 2);
    let lock = if online { Mode::RowExclusive } else { Mode::Share };
    Online { algorithm: Algorithm::Copy, lock, rebuild: Rebuild::Yes }
}

/// Without new rows, but not at once: InnoDB's INPLACE, MariaDB's NOCOPY.
pub(super) fn in_place(server: Server, rebuild: Rebuild) -> Online {
    let algorithm =
        if server.engine == Engine::MariaDb { Algorithm::NoCopy } else { Algorithm::InPlace };
    Online { algorithm, lock: Mode::RowExclusive, rebuild }
}

/// What is INSTANT on MariaDB and a short INPLACE on MySQL.
pub(super) fn quick(server: Server) -> Online {
    if server.engine == Engine::MariaDb { INSTANT } else { in_place(server, Rebuild::No) }
}

/// Adds what one change costs.
pub(super) fn add(cost: &mut Cost, change: &Change, catalog: &Catalog, server: Server) {
    let table = change.table();
    let known = table.and_then(|table| catalog.tables.get(table));
    let online = match change {
        Change::CreateTable { .. }
        | Change::Harmless
        | Change::Act(_)
        | Change::Other { .. }
        | Change::Opaque { .. } => return,
        Change::AddColumn { column, .. } => mysql_columns::add(column, known, server),
        Change::DropColumn { table, column, .. } => {
            return cost.add(&mysql_columns::drop(table, column, known), server);
        }
        Change::ChangeType { column, to, .. } => mysql_columns::change(column, to, known, server),
        Change::RenameColumn { .. } | Change::SetDefault { .. } => INSTANT,
        Change::SetNotNull { .. } | Change::DropNotNull { .. } => REBUILD,
        Change::RenameTable { .. } if server.engine == Engine::MySql => INSTANT,
        Change::RenameTable { .. } => Online { lock: Mode::AccessExclusive, ..INSTANT },
        Change::CreateIndex { columns, kind, .. } => create_index(
            (columns, kind.as_deref()),
            known.map(|known| known.indexes.as_slice()),
            server,
        ),
        Change::DropIndex { .. } => in_place(server, Rebuild::No),
        Change::RenameIndex { .. } | Change::RenameConstraint { .. } => quick(server),
        Change::AddConstraint { constraint, .. } => add_constraint(constraint, server),
        Change::DropConstraint { constraint, .. } => {
            let kind = known.and_then(|known| {
                known.constraints.iter().find(|known| known.name.eq_ignore_ascii_case(constraint))
            });
            match kind.map(|known| known.kind) {
                _ if constraint.eq_ignore_ascii_case("PRIMARY") => copy(server),
                Some(ConstraintKind::Check) => INSTANT,
                _ => quick(server),
            }
        }
        Change::Rebuild { what, .. } => rebuild(what, server),
        Change::TableSetting { what, .. } if what.starts_with("LOCK") => {
            return locked(cost, table);
        }
        Change::TableSetting { .. } | Change::ValidateConstraint { .. } => quick(server),
        Change::DropTable { .. } => return locked(cost, table),
        Change::Truncate { table, .. } => {
            cost.rewrite(table);
            return cost.lock(table, Mode::AccessExclusive);
        }
        Change::Update { table, .. }
        | Change::Delete { table, .. }
        | Change::Insert { table, .. } => {
            return cost.lock(table, Mode::RowExclusive);
        }
    };
    if let Some(table) = table {
        note(cost, table, online);
    }
}

fn locked(cost: &mut Cost, table: Option<&TableName>) {
    if let Some(table) = table {
        cost.lock(table, Mode::AccessExclusive);
    }
}

fn note(cost: &mut Cost, table: &TableName, online: Online) {
    cost.algorithm(online.algorithm);
    cost.lock(table, online.lock);
    match online.rebuild {
        Rebuild::No => {}
        Rebuild::Scan => cost.scan(table),
        Rebuild::Yes => cost.rewrite(table),
    }
}

/// Mixing turns cheap into dear: ADD COLUMN + ADD INDEX in one ALTER write the table anew, as two statements they do
/// not.
pub(super) fn combine(cost: &mut Cost, changes: &[Located]) {
    let added = changes.iter().find_map(|located| match &located.change {
        Change::AddColumn { table, .. } => Some(table),
        _ => None,
    });
    if let Some(table) = added
        && cost.algorithm > Some(Algorithm::Instant)
    {
        cost.algorithm(Algorithm::InPlace);
        cost.rewrite(table);
    }
}

fn create_index(
    (columns, kind): (&[String], Option<&str>),
    known: Option<&[crate::sql::catalog::Index]>,
    server: Server,
) -> Online {
    let shared = Online { lock: Mode::Share, ..in_place(server, Rebuild::Scan) };
    let has_fulltext = known.is_some_and(|indexes| {
        indexes.iter().any(|index| index.kind.as_deref() == Some("FULLTEXT"))
    });
    let functional = columns.iter().any(|column| column.starts_with('('));
    match kind {
        Some("FULLTEXT") if has_fulltext => shared,
        Some("FULLTEXT") => REBUILD_SHARED,
        Some("SPATIAL") => shared,
        Some("VECTOR") => copy(server),
        _ if functional => shared,
        _ => in_place(server, Rebuild::Scan),
    }
}

fn add_constraint(constraint: &ConstraintDef, server: Server) -> Online {
    match constraint.kind {
        ConstraintDefKind::PrimaryKey { .. } => REBUILD,
        ConstraintDefKind::Unique { .. } | ConstraintDefKind::Exclusion => {
            in_place(server, Rebuild::Scan)
        }
        // Unless foreign_key_checks is off, and then the rows are not looked at.
        ConstraintDefKind::ForeignKey { .. } | ConstraintDefKind::Check { .. } => copy(server),
    }
}

fn rebuild(what: &str, server: Server) -> Online {
    let upper = what.to_ascii_uppercase().replace(['=', ' '], "");
    let copies = ["CONVERT", "ORDERBY", "ALTERCHECK", "ALTERCONSTRAINT"];
    let other_engine = upper.starts_with("ENGINE") && !upper.starts_with("ENGINEINNODB");
    if other_engine || copies.iter().any(|word| upper.starts_with(word)) {
        copy(server)
    } else {
        REBUILD
    }
}
