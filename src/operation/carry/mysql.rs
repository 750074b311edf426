//! Carrying over on MySQL and MariaDB: every ALTER with an asserted ALGORITHM and LOCK.
//!
//! Measured on MariaDB 10.11: a CHECK can be added without a copy only together with its column; a foreign key only
//! with `foreign_key_checks=0`, which is right here, as the old column's key has checked the same values.

use super::{Carry, Part, statement};
use crate::model::server::{Engine, Server};
use crate::model::step::{Action, Group, Probe, Statement};
use crate::sql::catalog::{ConstraintKind, Index};
use crate::sql::quote::{ident, literal, table as quoted};

/// What a statement may cost at most: the server refuses what would cost more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cost {
    /// Metadata alone.
    Instant,
    /// An index is built or dropped; the rows stay where they are.
    Index,
    /// The rows may be written anew, beside readers and writers.
    Rebuild,
}

/// The clauses that assert a cost. MySQL takes no LOCK beside INSTANT (error 1221), and has no NOCOPY.
pub(crate) fn asserted(server: Server, cost: Cost) -> &'static str {
    match (server.engine, cost) {
        (Engine::MariaDb, Cost::Instant) => "ALGORITHM=INSTANT, LOCK=NONE",
        (Engine::MariaDb, Cost::Index) => "ALGORITHM=NOCOPY, LOCK=NONE",
        (_, Cost::Instant) => "ALGORITHM=INSTANT",
        (_, Cost::Index | Cost::Rebuild) => "ALGORITHM=INPLACE, LOCK=NONE",
    }
}

/// `ALTER TABLE t clauses, ALGORITHM=..., LOCK=...`.
pub(crate) fn alter(carry: &Carry<'_>, clauses: &str, cost: Cost) -> String {
    let table = quoted(carry.server.engine, carry.table);
    format!("ALTER TABLE {table} {clauses}, {}", asserted(carry.server, cost))
}

/// `IF EXISTS `, where the server has it.
pub(crate) fn if_exists(server: Server) -> &'static str {
    if server.engine == Engine::MariaDb { "IF EXISTS " } else { "" }
}

/// The default that a column which refuses NULL has while old and new builds run, so that `INSERT ... SELECT` may
/// leave it out: the old column's own, if it is a constant, else the type's implicit one. None: the type has none.
pub(crate) fn live_default(carry: &Carry<'_>) -> Option<String> {
    let column = carry.column;
    if !column.not_null {
        return None;
    }
    let own = column.default.as_deref().filter(|default| is_constant(default));
    own.map(str::to_owned).or_else(|| implicit_default(carry.server.engine, &column.data_type))
}

fn is_constant(default: &str) -> bool {
    default.starts_with(['\'', '-']) || default.starts_with(|first: char| first.is_ascii_digit())
}

/// Source: MySQL 8.4 Reference Manual, Data Type Default Values; dates are such as strict modes take.
fn implicit_default(engine: Engine, data_type: &str) -> Option<String> {
    let lower = data_type.to_ascii_lowercase();
    let word: String = lower.chars().take_while(char::is_ascii_alphanumeric).collect();
    Some(match word.as_str() {
        "tinyint" | "smallint" | "mediumint" | "int" | "integer" | "bigint" | "decimal"
        | "numeric" | "float" | "double" | "real" | "bit" => "0".to_owned(),
        "char" | "varchar" | "binary" | "varbinary" | "set" => "''".to_owned(),
        // MySQL takes an expression alone.
        "tinytext" | "text" | "mediumtext" | "longtext" | "tinyblob" | "blob" | "mediumblob"
        | "longblob"
            if engine == Engine::MySql =>
        {
            "('')".to_owned()
        }
        "tinytext" | "text" | "mediumtext" | "longtext" | "tinyblob" | "blob" | "mediumblob"
        | "longblob" => "''".to_owned(),
        "date" => "'1970-01-02'".to_owned(),
        "datetime" | "timestamp" => "'1970-01-02 00:00:00'".to_owned(),
        "time" => "'00:00:00'".to_owned(),
        "year" => "2000".to_owned(),
        "uuid" => "'00000000-0000-0000-0000-000000000000'".to_owned(),
        "enum" => {
            let (_, members) = data_type.split_once('(')?;
            let (first, _) = members.trim_start().strip_prefix('\'')?.split_once('\'')?;
            format!("'{first}'")
        }
        _ => return None,
    })
}

/// How the new column is written: `name type [NOT NULL] [DEFAULT x] [COMMENT ..] [CHECK (..)]`.
pub(crate) fn column_text(carry: &Carry<'_>, default: Option<&str>, not_null: bool) -> String {
    let engine = carry.server.engine;
    let null = if not_null { "NOT NULL" } else { "NULL" };
    let mut words = vec![ident(engine, carry.to), carry.column.data_type.clone(), null.to_owned()];
    words.extend(default.map(|default| format!("DEFAULT {default}")));
    if let Some(comment) = carry.column.comment.as_deref().filter(|comment| !comment.is_empty()) {
        words.push(format!("COMMENT {}", literal(engine, comment)));
    }
    let checks: Vec<_> = carry
        .constraints(ConstraintKind::Check)
        .map(|check| condition(carry, &check.definition))
        .collect();
    match checks.as_slice() {
        [] => {}
        [one] => words.push(format!("CHECK {one}")),
        several => words.push(format!("CHECK ({})", several.join(" AND "))),
    }
    words.join(" ")
}

/// `(condition)` of `CHECK (condition)`, for the new column.
fn condition(carry: &Carry<'_>, definition: &str) -> String {
    let moved = carry.moved(definition);
    let text = moved.trim();
    let text =
        text.strip_prefix("CHECK").or_else(|| text.strip_prefix("check")).unwrap_or(text).trim();
    if text.starts_with('(') && text.ends_with(')') { text.to_owned() } else { format!("({text})") }
}

/// Indexes of the new column, and NOT NULL.
pub(crate) fn build(carry: &Carry<'_>) -> Vec<Part> {
    let mut parts: Vec<_> = carry.indexes().map(|original| index(carry, original)).collect();
    if carry.column.not_null {
        let column = column_text(carry, live_default(carry).as_deref(), true);
        let sql = alter(carry, &format!("MODIFY COLUMN {column}"), Cost::Rebuild);
        let refuses = Probe::NotNull {
            table: carry.table.clone(),
            column: carry.to.to_owned(),
            present: true,
        };
        let title = format!("make {} NOT NULL", carry.to);
        parts.push(carry.part("not-null".to_owned(), title, vec![statement(sql, refuses)]));
    }
    parts
}

fn index(carry: &Carry<'_>, original: &Index) -> Part {
    let (engine, name) = (carry.server.engine, carry.name(&original.name));
    let unique = if original.unique { "UNIQUE " } else { "" };
    let clause =
        format!("ADD {unique}INDEX {} {}", ident(engine, &name), carry.moved(&original.definition));
    let built = Probe::Index { table: carry.table.clone(), index: name, present: true };
    carry.part(
        format!("index-{}", original.name),
        format!("index {} as {} does", carry.to, original.name),
        vec![statement(alter(carry, &clause, Cost::Index), built)],
    )
}

/// Foreign keys of the new column: after its values have been verified.
pub(crate) fn foreign_keys(carry: &Carry<'_>) -> Vec<Part> {
    carry
        .constraints(ConstraintKind::ForeignKey)
        .map(|key| {
            let name = carry.name(&key.name);
            let clause = add_foreign_key(carry, &name, &key.definition);
            let there =
                Probe::Constraint { table: carry.table.clone(), constraint: name, present: true };
            carry.part(
                format!("constraint-{}", key.name),
                format!("constrain {} as {} does", carry.to, key.name),
                vec![statement(unchecked(&alter(carry, &clause, Cost::Instant)), there)],
            )
        })
        .collect()
}

fn add_foreign_key(carry: &Carry<'_>, name: &str, definition: &str) -> String {
    let name = ident(carry.server.engine, name);
    format!("ADD CONSTRAINT {name} {}", carry.moved_foreign_key(definition))
}

/// MariaDB alone: for this one statement.
fn unchecked(sql: &str) -> String {
    format!("SET STATEMENT foreign_key_checks=0 FOR {sql}")
}

/// Takes away foreign keys, checks and indexes, so that dropping the column itself is instant: those of the old
/// column, or what was carried over.
pub(crate) fn unbind(carry: &Carry<'_>, which: Binding) -> Vec<Part> {
    let (server, engine) = (carry.server, carry.server.engine);
    let name = |original: &str| match which {
        Binding::Old => original.to_owned(),
        Binding::Carried => carry.name(original),
    };
    let table = || carry.table.clone();
    let mut parts = Vec::new();
    for key in carry.constraints(ConstraintKind::ForeignKey) {
        let constraint = name(&key.name);
        let clause =
            format!("DROP FOREIGN KEY {}{}", if_exists(server), ident(engine, &constraint));
        // MySQL drops a key in place. The index that the server made for it stays.
        let cost = if engine == Engine::MariaDb { Cost::Instant } else { Cost::Index };
        let gone =
            Probe::Constraint { table: table(), constraint: constraint.clone(), present: false };
        parts.push(drop(carry, &constraint, alter(carry, &clause, cost), gone));
    }
    // The new column's checks stand in its definition, and go with it.
    let checks = carry.constraints(ConstraintKind::Check).filter(|_| which == Binding::Old);
    for check in checks {
        let constraint = check.name.clone();
        let clause = format!("DROP CONSTRAINT {}{}", if_exists(server), ident(engine, &constraint));
        let gone = Probe::Constraint { table: table(), constraint, present: false };
        parts.push(drop(carry, &check.name, alter(carry, &clause, Cost::Instant), gone));
    }
    for index in carry.indexes() {
        let index = name(&index.name);
        let clause = format!("DROP INDEX {}{}", if_exists(server), ident(engine, &index));
        let gone = Probe::Index { table: table(), index: index.clone(), present: false };
        parts.push(drop(carry, &index, alter(carry, &clause, Cost::Index), gone));
    }
    parts
}

/// Whose constraints and indexes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Binding {
    /// The old column's.
    Old,
    /// The new one's.
    Carried,
}

fn drop(carry: &Carry<'_>, name: &str, sql: String, gone: Probe) -> Part {
    carry.part(format!("drop-{name}"), format!("drop {name}"), vec![statement(sql, gone)])
}

/// What was carried over takes the original names, which purge has made free. `taken`: names that something else has
/// by now.
pub(crate) fn take_names(carry: &Carry<'_>, taken: &[String]) -> Vec<Part> {
    let engine = carry.server.engine;
    let free = |name: &String| !taken.contains(name);
    let indexes = carry.indexes().filter(|index| free(&index.name)).map(|index| {
        let (ours, name) = (ident(engine, &carry.name(&index.name)), ident(engine, &index.name));
        // Instant on MariaDB, in place on MySQL (which INSTANT refuses there).
        let cost = if engine == Engine::MariaDb { Cost::Instant } else { Cost::Index };
        let sql = alter(carry, &format!("RENAME INDEX {ours} TO {name}"), cost);
        let built =
            Probe::Index { table: carry.table.clone(), index: index.name.clone(), present: true };
        (&index.name, statement(sql, built))
    });
    let keys =
        carry.constraints(ConstraintKind::ForeignKey).filter(|key| free(&key.name)).map(|key| {
            let drop = format!("DROP FOREIGN KEY {}", ident(engine, &carry.name(&key.name)));
            let clauses = format!("{drop}, {}", add_foreign_key(carry, &key.name, &key.definition));
            let there = Probe::Constraint {
                table: carry.table.clone(),
                constraint: key.name.clone(),
                present: true,
            };
            (&key.name, statement(unchecked(&alter(carry, &clauses, Cost::Index)), there))
        });
    indexes
        .chain(keys)
        .map(|(name, statement)| {
            carry.part(
                format!("name-{name}"),
                format!("give {name} its name back"),
                vec![statement],
            )
        })
        .collect()
}

/// Statements under LOCK TABLES, so that nobody sees the middle.
pub(crate) fn locked(carry: &Carry<'_>, statements: Vec<Statement>, hides: bool) -> Action {
    Action::Statements(Group { statements, lock_tables: vec![carry.table.clone()], hides })
}
