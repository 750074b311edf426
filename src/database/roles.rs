//! The roles (users) of applications: who may log in, and the sessions that they have.

use std::collections::BTreeMap;

use super::connection::Connection;
use super::error::{DbError, DbErrorKind};
use crate::model::server::Engine;
use crate::plan::gate::hard_fence::RoleFacts;
use crate::plan::health::rights::Facts;
use crate::sql::quote::{ident, literal};

/// From here on, CREATEROLE changes only roles that were granted WITH ADMIN OPTION (release notes of 16, "Privileges").
const ADMIN_OPTION_SINCE: u16 = 16;

impl Connection {
    /// The roles under which leases were joined, as far as they are there.
    pub(crate) async fn roles_of_leases(&mut self) -> Result<BTreeMap<String, RoleFacts>, DbError> {
        if self.engine().is_mysql_family() {
            self.mysql_roles().await
        } else {
            self.postgres_roles().await
        }
    }

    /// Takes login from a role, or gives it back. A role that is gone is let go.
    ///
    /// On MySQL and MariaDB this commits what is open.
    pub(crate) async fn set_login(&mut self, role: &str, may_log_in: bool) -> Result<(), DbError> {
        let engine = self.engine();
        if !engine.is_mysql_family() {
            let word = if may_log_in { "LOGIN" } else { "NOLOGIN" };
            let sql = format!("ALTER ROLE {} {word}", ident(engine, role));
            return match self.run(&sql).await {
                Err(error) if error.kind == DbErrorKind::Undefined => Ok(()),
                done => done.map(drop),
            };
        }
        let word = if may_log_in { "UNLOCK" } else { "LOCK" };
        for (name, host, _) in self.mysql_accounts().await? {
            if name == role {
                let (name, host) = (literal(engine, &name), literal(engine, &host));
                self.run(&format!("ALTER USER {name}@{host} ACCOUNT {word}")).await?;
            }
        }
        Ok(())
    }

    /// Asks the server to end every session of a role: on PostgreSQL those of this database. Returns how many there were.
    pub(crate) async fn end_sessions_of(&mut self, role: &str) -> Result<u64, DbError> {
        let engine = self.engine();
        if !engine.is_mysql_family() {
            let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                       WHERE usename = ? AND datname = current_database() AND pid <> pg_backend_pid()";
            let ended = self.query_one(sql, &[role.into()]).await?.int(0)?;
            return Ok(ended.unsigned_abs());
        }
        let sql = "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = ? AND ID <> CONNECTION_ID()";
        let found = self.query(sql, &[role.into()]).await?;
        for row in &found {
            match self.run(&format!("KILL CONNECTION {}", row.int(0)?)).await {
                // Gone between the two statements: 1094, unknown thread.
                Err(error) if error.code.as_deref() == Some("1094") => {}
                done => drop(done?),
            }
        }
        Ok(u64::try_from(found.len()).unwrap_or(u64::MAX))
    }

    async fn postgres_roles(&mut self) -> Result<BTreeMap<String, RoleFacts>, DbError> {
        let changes = if self.server().version.0 >= ADMIN_OPTION_SINCE {
            "me.rolcreaterole AND pg_has_role(current_user, r.oid, 'MEMBER WITH ADMIN OPTION')"
        } else {
            "me.rolcreaterole"
        };
        let sql = self.sql(&format!(
            "SELECT r.rolname::text, r.rolcanlogin::int, r.rolsuper::int, \
                    (r.rolname IN (current_user, session_user))::int, (me.rolsuper OR ({changes}))::int, \
                    (me.rolsuper OR pg_has_role('pg_signal_backend', 'USAGE') OR pg_has_role(r.oid, 'USAGE'))::int, \
                    current_user::text \
             FROM pg_roles r CROSS JOIN pg_roles me \
             WHERE me.rolname = current_user AND r.rolname IN (SELECT role FROM {{zdm}}lease)"
        ));
        let mut roles = BTreeMap::new();
        for row in self.query(&sql, &[]).await? {
            let role = row.text(0)?;
            let me = ident(Engine::Postgres, &row.text(6)?);
            let called = ident(Engine::Postgres, &role);
            let obstacle = if row.bool(3)? {
                Some(format!("role \"{role}\" is zdm's own: give zdm a role of its own"))
            } else if row.bool(2)? {
                Some(format!("role \"{role}\" is a superuser, which can give itself anything"))
            } else if !row.bool(4)? {
                let grant = if self.server().version.0 >= ADMIN_OPTION_SINCE {
                    format!("ALTER ROLE {me} CREATEROLE; GRANT {called} TO {me} WITH ADMIN OPTION")
                } else {
                    format!("ALTER ROLE {me} CREATEROLE")
                };
                Some(format!("zdm may not take login from role \"{role}\": {grant}"))
            } else if !row.bool(5)? {
                let grant = format!("GRANT pg_signal_backend TO {me}");
                Some(format!("zdm may not end sessions of role \"{role}\": {grant}"))
            } else {
                None
            };
            roles.insert(role, RoleFacts { has_login: row.bool(1)?, obstacle });
        }
        Ok(roles)
    }

    async fn mysql_roles(&mut self) -> Result<BTreeMap<String, RoleFacts>, DbError> {
        let sql = self.sql("SELECT DISTINCT role FROM {zdm}lease");
        let mut joined = Vec::new();
        for row in self.query(&sql, &[]).await? {
            joined.push(row.text(0)?);
        }
        let Facts::MySql(own) = self.own_rights().await? else { return Ok(BTreeMap::new()) };
        let me = format!("'{}'@'{}'", own.user, own.host);
        let has = |names: &[&str]| own.global.iter().any(|right| names.contains(&right.as_str()));
        let missing = |role: &str| {
            let (what, grant) = if !has(&["CREATE USER"]) {
                ("take login from", "CREATE USER")
            } else if !has(&["CONNECTION_ADMIN", "CONNECTION ADMIN", "SUPER"]) {
                let is_mariadb = own.engine == Engine::MariaDb;
                (
                    "end sessions of",
                    if is_mariadb { "CONNECTION ADMIN" } else { "CONNECTION_ADMIN" },
                )
            } else if !has(&["PROCESS"]) {
                ("see sessions of", "PROCESS")
            } else {
                return None;
            };
            Some(format!("zdm may not {what} user \"{role}\": GRANT {grant} ON *.* TO {me}"))
        };
        let accounts = match self.mysql_accounts().await {
            Ok(accounts) => accounts,
            Err(error) if error.kind == DbErrorKind::Permission => {
                let table = accounts_table(self.engine());
                let unseen = |role: String| {
                    let why =
                        format!("zdm cannot see the accounts: GRANT SELECT ON {table} TO {me}");
                    (role, RoleFacts { has_login: true, obstacle: Some(why) })
                };
                return Ok(joined.into_iter().map(unseen).collect());
            }
            Err(error) => return Err(error),
        };
        let mut roles = BTreeMap::new();
        for role in joined {
            let mut own_accounts = accounts.iter().filter(|(name, ..)| *name == role).peekable();
            if own_accounts.peek().is_none() {
                continue;
            }
            let obstacle = if role == own.user {
                Some(format!("user \"{role}\" is zdm's own: give zdm a user of its own"))
            } else {
                missing(&role)
            };
            let has_login = own_accounts.any(|(.., is_locked)| !is_locked);
            roles.insert(role, RoleFacts { has_login, obstacle });
        }
        Ok(roles)
    }

    /// Name, host, and whether it is locked.
    async fn mysql_accounts(&mut self) -> Result<Vec<(String, String, bool)>, DbError> {
        let is_locked = if self.engine() == Engine::MariaDb {
            "COALESCE(JSON_EXTRACT(Priv, '$.account_locked'), 'false') = 'true'"
        } else {
            "account_locked = 'Y'"
        };
        let table = accounts_table(self.engine());
        let sql = format!("SELECT User, Host, {is_locked} FROM {table}");
        let rows = self.query(&sql, &[]).await?;
        rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?, row.bool(2)?))).collect()
    }
}

/// Where accounts are kept: MariaDB's `mysql.user` is a view without the lock (Knowledge Base, "`mysql.global_priv` Table").
fn accounts_table(engine: Engine) -> &'static str {
    if engine == Engine::MariaDb { "mysql.global_priv" } else { "mysql.user" }
}
