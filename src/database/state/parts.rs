//! The parts of zdm's state, one by one: which of them are there, and the statements that make them.

use std::collections::BTreeSet;

use super::history::table;
use super::schema;
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::model::server::Engine;
use crate::plan::health::state::{Part, PartKind};
use crate::sql::quote::literal;

/// Every part of the files that have been applied here, and whether it is there.
pub(crate) async fn parts(conn: &mut Connection) -> Result<Vec<Part>, DbError> {
    let engine = conn.engine();
    let rows = conn.query(&format!("SELECT version FROM {}", table(engine)), &[]).await?;
    let applied: BTreeSet<i64> = rows.iter().map(|row| row.int(0)).collect::<Result<_, _>>()?;
    let number =
        |name: &str| -> Option<i64> { name.strip_prefix('V')?.split_once("__")?.0.parse().ok() };
    let files = schema::files(engine).iter();
    let files =
        files.filter(|(name, _)| number(name).is_some_and(|found| applied.contains(&found)));
    let mut parts: Vec<Part> = Vec::new();
    for statement in files.flat_map(|(_, text)| schema::statements(text)) {
        match declared(&statement) {
            Some((kind, name)) => {
                let making = vec![making(conn, &name, kind, statement)];
                parts.push(Part { kind, name, making, there: false });
            }
            // REVOKE belongs to the function before it.
            None => {
                if let Some(last) = parts.last_mut() {
                    last.making.push(statement);
                }
            }
        }
    }
    for part in &mut parts {
        part.there = is_there(conn, part).await?;
    }
    Ok(parts)
}

/// What a statement makes: `zdm.run` and `zdm_run` are both `run`.
fn declared(statement: &str) -> Option<(PartKind, String)> {
    let code = statement.lines().filter(|line| !line.trim_start().starts_with("--"));
    let code = code.collect::<Vec<_>>().join("\n");
    let mut words = code
        .split(|c: char| c.is_whitespace() || c == '(')
        .filter(|word| !word.is_empty() && !matches!(*word, "IF" | "NOT" | "EXISTS" | "IGNORE"));
    let kind = match (words.next()?, words.next()?) {
        ("CREATE", "TABLE") => PartKind::Table,
        ("CREATE", "INDEX") => PartKind::Index,
        ("CREATE", "FUNCTION" | "PROCEDURE") => PartKind::Routine,
        ("CREATE", "TRIGGER") => PartKind::Trigger,
        ("INSERT", "INTO") => PartKind::Row,
        _ => return None,
    };
    let name = words.next()?;
    let name = name.strip_prefix("zdm.").or_else(|| name.strip_prefix("zdm_")).unwrap_or(name);
    Some((kind, name.to_owned()))
}

/// The statement that makes a part again. An epoch never falls, whatever was lost.
fn making(conn: &Connection, name: &str, kind: PartKind, statement: String) -> String {
    if (kind, name) != (PartKind::Row, "gate") {
        return statement;
    }
    conn.sql(
        "INSERT INTO {zdm}gate (id, epoch) SELECT 1, 1 + GREATEST( \
         (SELECT COALESCE(MAX(epoch), 0) FROM {zdm}fence), (SELECT COALESCE(MAX(knocked_epoch), 0) FROM {zdm}lease))",
    )
}

async fn is_there(conn: &mut Connection, part: &Part) -> Result<bool, DbError> {
    let engine = conn.engine();
    let full = literal(engine, &format!("zdm_{}", part.name));
    let bare = literal(engine, &part.name);
    let sql = match (part.kind, engine) {
        // MySQL and MariaDB: indexes are made with their tables.
        (PartKind::Table | PartKind::Index, Engine::Postgres) => {
            format!(
                "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                     WHERE n.nspname = 'zdm' AND c.relname = {bare}"
            )
        }
        (PartKind::Table | PartKind::Index, _) => format!(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = {full}"
        ),
        (PartKind::Routine, Engine::Postgres) => {
            format!(
                "SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace \
                     WHERE n.nspname = 'zdm' AND p.proname = {bare}"
            )
        }
        (PartKind::Routine, _) => format!(
            "SELECT count(*) FROM information_schema.routines WHERE routine_schema = DATABASE() AND routine_name = {full}"
        ),
        (PartKind::Trigger, Engine::Postgres) => {
            format!(
                "SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid \
                     JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'zdm' AND t.tgname = {bare} \
                     AND t.tgenabled IN ('O', 'A')"
            )
        }
        (PartKind::Trigger, _) => format!(
            "SELECT count(*) FROM information_schema.triggers WHERE trigger_schema = DATABASE() AND trigger_name = {full}"
        ),
        (PartKind::Row, _) => {
            conn.sql(&format!("SELECT count(*) FROM {{zdm}}{} WHERE id = 1", part.name))
        }
    };
    match conn.query_one(&sql, &[]).await {
        Ok(row) => Ok(row.int(0)? > 0),
        // The table of the row is gone, which is told by itself.
        Err(error) if error.kind == crate::database::error::DbErrorKind::Undefined => Ok(true),
        Err(error) => Err(error),
    }
}

/// Makes parts again, all or nothing where the server can.
pub(crate) async fn make(conn: &mut Connection, statements: &[String]) -> Result<(), DbError> {
    conn.begin().await?;
    for statement in statements {
        if let Err(error) = conn.run(statement.trim_end().trim_end_matches(';')).await {
            // The first error counts; a connection that cannot roll back is closed, which rolls back.
            drop(conn.rollback().await);
            return Err(error);
        }
    }
    conn.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_of_the_state_belongs_to_a_part() {
        for engine in [Engine::Postgres, Engine::MariaDb] {
            let mut names = BTreeSet::new();
            for (file, text) in schema::files(engine) {
                for statement in schema::statements(text) {
                    let found = declared(&statement);
                    assert!(
                        found.is_some() || statement.starts_with("REVOKE"),
                        "{file}: {statement}"
                    );
                    names.extend(found.map(|(_, name)| name));
                }
            }
            for wanted in ["run", "step", "join_v1", "event"] {
                assert!(names.contains(wanted), "{wanted} of {engine:?}");
            }
        }
    }
}
