//! The rights of applications: EXECUTE on the versioned functions, and nothing else.

use std::collections::BTreeSet;

use crate::database::connection::Connection;
use crate::database::error::{DbError, DbErrorKind};
use crate::model::server::Engine;
use crate::sql::quote::{ident, literal};

/// A right that could not be granted: the statement to run, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Ungranted {
    /// What somebody with more rights should run.
    pub(crate) statement: String,
    /// What the server said, or what could not be seen.
    pub(crate) reason: String,
}

/// Lets roles call every function for applications. What is granted already is left alone.
pub(super) async fn grant_functions(
    conn: &mut Connection,
    roles: &BTreeSet<&str>,
) -> Result<Vec<Ungranted>, DbError> {
    let mut missing = Vec::new();
    for role in roles {
        match wanted(conn, role).await? {
            Wanted::Statements(statements) => missing.extend(run_all(conn, statements).await?),
            Wanted::ByHand(ungranted) => missing.extend(ungranted),
        }
    }
    Ok(missing)
}

/// What [`grant_functions`] would grant, or have granted by somebody else.
pub(super) async fn missing_functions(
    conn: &mut Connection,
    roles: &BTreeSet<&str>,
) -> Result<Vec<Ungranted>, DbError> {
    let mut missing = Vec::new();
    for role in roles {
        match wanted(conn, role).await? {
            Wanted::Statements(statements) => {
                missing.extend(statements.into_iter().map(|statement| {
                    let reason = format!("role \"{role}\" lacks a right on zdm's functions");
                    Ungranted { statement, reason }
                }));
            }
            Wanted::ByHand(ungranted) => missing.extend(ungranted),
        }
    }
    Ok(missing)
}

async fn wanted(conn: &mut Connection, role: &str) -> Result<Wanted, DbError> {
    if conn.engine().is_mysql_family() {
        mysql_grants(conn, role).await
    } else {
        postgres_grants(conn, role).await
    }
}

/// Runs statements, and returns those that the server refused.
async fn run_all(
    conn: &mut Connection,
    statements: Vec<String>,
) -> Result<Vec<Ungranted>, DbError> {
    let mut refused = Vec::new();
    for statement in statements {
        match conn.run(&statement).await {
            Ok(_) => {}
            Err(error) if error.kind == DbErrorKind::Lost => return Err(error),
            Err(error) => refused.push(Ungranted { statement, reason: error.to_string() }),
        }
    }
    Ok(refused)
}

/// What is to be done for one role.
enum Wanted {
    /// Run these.
    Statements(Vec<String>),
    /// Somebody else must.
    ByHand(Vec<Ungranted>),
}

async fn postgres_grants(conn: &mut Connection, role: &str) -> Result<Wanted, DbError> {
    let role_name = ident(Engine::Postgres, role);
    let found = conn.query("SELECT 1 FROM pg_roles WHERE rolname = ?", &[role.into()]).await?;
    if found.is_empty() {
        let statement = format!("CREATE ROLE {role_name}");
        let reason = format!("role \"{role}\" is not there");
        return Ok(Wanted::ByHand(vec![Ungranted { statement, reason }]));
    }
    let mut statements = Vec::new();
    let usage = conn
        .query(
            "SELECT has_schema_privilege(rolname, 'zdm', 'USAGE') FROM pg_roles WHERE rolname = ?",
            &[role.into()],
        )
        .await?;
    if usage.first().map(|row| row.bool(0)).transpose()? == Some(false) {
        statements.push(format!("GRANT USAGE ON SCHEMA zdm TO {role_name}"));
    }
    let functions = conn
        .query(
            "SELECT p.oid::regprocedure::text FROM pg_proc p \
             JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles r ON r.rolname = ? \
             WHERE n.nspname = 'zdm' AND p.proname ~ '_v[0-9]+$' \
               AND NOT has_function_privilege(r.oid, p.oid, 'EXECUTE') ORDER BY 1",
            &[role.into()],
        )
        .await?;
    for row in functions {
        statements.push(format!("GRANT EXECUTE ON FUNCTION {} TO {role_name}", row.text(0)?));
    }
    Ok(Wanted::Statements(statements))
}

/// `role` is a user (`api`, on any host) or a user and a host (`api@10.%`).
async fn mysql_grants(conn: &mut Connection, role: &str) -> Result<Wanted, DbError> {
    let engine = conn.engine();
    let (user, host) = role.rsplit_once('@').unwrap_or((role, "%"));
    let account = format!("{}@{}", literal(engine, user), literal(engine, host));
    let routines = conn
        .query(
            "SELECT routine_name, DATABASE() FROM information_schema.routines \
             WHERE routine_schema = DATABASE() AND routine_type = 'PROCEDURE' \
               AND routine_name REGEXP '^zdm_.*_v[0-9]+$' ORDER BY 1",
            &[],
        )
        .await?;
    let mut statements = Vec::new();
    for row in routines {
        let (name, database) = (ident(engine, &row.text(0)?), ident(engine, &row.text(1)?));
        statements.push(format!("GRANT EXECUTE ON PROCEDURE {database}.{name} TO {account}"));
    }
    // GRANT to an account that is not there would make one without a password, unless sql_mode forbids it (MariaDB).
    let reason = match has_account(conn, user, host).await {
        Ok(true) => {
            let wanted = not_yet_granted(conn, (user, host), statements).await?;
            return Ok(Wanted::Statements(wanted));
        }
        Ok(false) => format!("account {account} is not there"),
        Err(error) if error.kind == DbErrorKind::Permission => {
            "zdm may not look whether the account is there, or what it may do".to_owned()
        }
        Err(error) => return Err(error),
    };
    let by_hand = |statement| Ungranted { statement, reason: reason.clone() };
    Ok(Wanted::ByHand(statements.into_iter().map(by_hand).collect()))
}

async fn has_account(conn: &mut Connection, user: &str, host: &str) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM mysql.user WHERE user = ? AND host = ?";
    Ok(!conn.query(sql, &[user.into(), host.into()]).await?.is_empty())
}

/// Leaves out what `mysql.procs_priv` already holds: GRANT again would be harmless, but it is written to the binary log.
async fn not_yet_granted(
    conn: &mut Connection,
    (user, host): (&str, &str),
    statements: Vec<String>,
) -> Result<Vec<String>, DbError> {
    let engine = conn.engine();
    let held = conn
        .query(
            "SELECT routine_name FROM mysql.procs_priv WHERE user = ? AND host = ? AND db = DATABASE() \
             AND routine_type = 'PROCEDURE' AND FIND_IN_SET('Execute', proc_priv) > 0",
            &[user.into(), host.into()],
        )
        .await?;
    let mut names = Vec::new();
    for row in held {
        names.push(format!(".{} TO ", ident(engine, &row.text(0)?)));
    }
    let is_new = |statement: &String| !names.iter().any(|name| statement.contains(name.as_str()));
    Ok(statements.into_iter().filter(is_new).collect())
}
