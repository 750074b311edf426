//! The roles (users) of applications: who may log in, and the sessions that they have.

use std::collections::BTreeMap;

use super::connection::Connection;
use super::error::{DbError, DbErrorKind};
use crate::model::server::Engine;
use crate::plan::gate::hard_fence::{Obstacle, RoleFacts};
use crate::plan::health::rights::{Facts, MySqlFacts};
use crate::sql::quote::{ident, literal};

/// From here on, CREATEROLE changes only roles that were granted WITH ADMIN OPTION, and those that replicate, too (release
/// notes of 16, "Privileges").
const ADMIN_OPTION_SINCE: u16 = 16;

/// An account of MySQL or MariaDB.
struct Account {
    user: String,
    host: String,
    is_locked: bool,
}

impl Connection {
    /// The roles under which leases were joined, as far as they are there.
    pub(crate) async fn roles_of_leases(&mut self) -> Result<BTreeMap<String, RoleFacts>, DbError> {
        if self.engine().is_mysql_family() {
            self.mysql_roles().await
        } else {
            self.postgres_roles().await
        }
    }

    /// Takes login from an account of a role, or gives it back (`host`: MySQL and MariaDB). One that is gone is let go.
    ///
    /// On MySQL and MariaDB this commits what is open.
    pub(crate) async fn set_login(
        &mut self,
        (role, host): (&str, &str),
        may_log_in: bool,
    ) -> Result<(), DbError> {
        let sql = set_login(self.engine(), (role, host), may_log_in);
        if self.engine().is_mysql_family() {
            let accounts = self.mysql_accounts().await?;
            if !accounts.iter().any(|account| account.user == role && account.host == host) {
                return Ok(());
            }
        } else {
            let there = "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = ?";
            if self.query(there, &[role.into()]).await?.is_empty() {
                return Ok(());
            }
        }
        self.run(&sql).await.map(drop)
    }

    /// Asks the server to end every session of a role: on PostgreSQL those of this database. Returns how many there were.
    pub(crate) async fn end_sessions_of(&mut self, role: &str) -> Result<u64, DbError> {
        if !self.engine().is_mysql_family() {
            let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_catalog.pg_stat_activity \
                       WHERE usename = ? AND datname = current_database() AND pid <> pg_backend_pid()";
            let ended = self.query_one(sql, &[role.into()]).await?.int(0)?;
            return Ok(ended.unsigned_abs());
        }
        let mut found = 0;
        for (id, user, _) in self.mysql_processes().await? {
            if user != role {
                continue;
            }
            found += 1;
            match self.run(&format!("KILL CONNECTION {id}")).await {
                // Gone between the two statements: 1094, unknown thread.
                Err(error) if error.code.as_deref() == Some("1094") => {}
                done => drop(done?),
            }
        }
        Ok(found)
    }

    async fn postgres_roles(&mut self) -> Result<BTreeMap<String, RoleFacts>, DbError> {
        let asks_admin = self.server().version.0 >= ADMIN_OPTION_SINCE;
        let changes = if asks_admin {
            "me.rolcreaterole AND pg_has_role(current_user, r.oid, 'MEMBER WITH ADMIN OPTION')"
        } else {
            "me.rolcreaterole AND NOT r.rolreplication"
        };
        let sql = self.sql(&format!(
            "SELECT r.rolname::text, r.rolcanlogin::int, r.rolsuper::int, \
                    (r.rolname IN (current_user, session_user))::int, (me.rolsuper OR ({changes}))::int, \
                    (me.rolsuper OR pg_has_role('pg_signal_backend', 'USAGE') OR pg_has_role(r.oid, 'USAGE'))::int, \
                    current_user::text, \
                    (SELECT count(*) FROM pg_catalog.pg_stat_activity a WHERE a.usesysid = r.oid), \
                    (SELECT count(*) FROM pg_catalog.pg_stat_activity a \
                     WHERE a.usesysid = r.oid AND a.datname <> current_database()) \
             FROM pg_catalog.pg_roles r CROSS JOIN pg_catalog.pg_roles me \
             WHERE me.rolname = current_user AND r.rolname IN (SELECT role FROM {{zdm}}lease)"
        ));
        let mut roles = BTreeMap::new();
        for row in self.query(&sql, &[]).await? {
            let role = row.text(0)?;
            let (me, called) =
                (ident(Engine::Postgres, &row.text(6)?), ident(Engine::Postgres, &role));
            let obstacle = if row.bool(3)? {
                Some((
                    format!("role \"{role}\" is zdm's own, and each release needs its own"),
                    None,
                ))
            } else if row.bool(2)? {
                Some((
                    format!("role \"{role}\" is a superuser, which could give itself login"),
                    None,
                ))
            } else if !row.bool(4)? {
                let admin = if asks_admin {
                    format!("; GRANT {called} TO {me} WITH ADMIN OPTION")
                } else {
                    String::new()
                };
                let why = format!("zdm may not take login from role \"{role}\"");
                Some((why, Some(format!("ALTER ROLE {me} CREATEROLE{admin}"))))
            } else if !row.bool(5)? {
                let why = format!("zdm may not end sessions of role \"{role}\"");
                Some((why, Some(format!("GRANT pg_signal_backend TO {me}"))))
            } else {
                None
            };
            let open = if row.bool(1)? { vec![String::new()] } else { Vec::new() };
            let facts = RoleFacts {
                open,
                sessions: row.int(7)?.unsigned_abs(),
                elsewhere: row.int(8)?.unsigned_abs(),
                obstacle: obstacle.map(|(why, statement)| Obstacle { why, statement }),
            };
            roles.insert(role, facts);
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
        let accounts = match self.mysql_accounts().await {
            Ok(accounts) => accounts,
            Err(error) if error.kind == DbErrorKind::Permission => {
                let table = accounts_table(self.engine());
                let statement = Some(format!("GRANT SELECT ON {table} TO {}", quoted(&own)));
                let why = "zdm cannot see which accounts there are".to_owned();
                let obstacle = Some(Obstacle { why, statement });
                let unseen =
                    |role| (role, RoleFacts { obstacle: obstacle.clone(), ..RoleFacts::default() });
                return Ok(joined.into_iter().map(unseen).collect());
            }
            Err(error) => return Err(error),
        };
        let nameless =
            accounts.iter().find(|account| account.user.is_empty() && !account.is_locked);
        let processes = self.mysql_processes().await?;
        let here = self.query_one("SELECT DATABASE()", &[]).await?.opt_text(0)?;
        let mut roles = BTreeMap::new();
        for role in joined {
            let of_role: Vec<_> = accounts.iter().filter(|account| account.user == role).collect();
            if of_role.is_empty() {
                continue;
            }
            let obstacle = if role == own.user {
                let why = format!("user \"{role}\" is zdm's own, and each release needs its own");
                Some(Obstacle { why, statement: None })
            } else if let Some(Account { host, .. }) = nameless {
                let account = format!("''@{}", literal(self.engine(), host));
                let why = format!("{account} lets in whoever is locked out under his own name");
                Some(Obstacle { why, statement: Some(format!("DROP USER {account}")) })
            } else {
                missing_right(&own, &role)
            };
            let (mut sessions, mut elsewhere) = (0, 0);
            for (_, _, database) in processes.iter().filter(|(_, user, _)| *user == role) {
                sessions += 1;
                elsewhere += u64::from(database.is_some() && *database != here);
            }
            let open = of_role.iter().filter(|account| !account.is_locked);
            let open = open.map(|account| account.host.clone()).collect();
            roles.insert(role, RoleFacts { open, sessions, elsewhere, obstacle });
        }
        Ok(roles)
    }

    async fn mysql_accounts(&mut self) -> Result<Vec<Account>, DbError> {
        let table = accounts_table(self.engine());
        let rest = if self.engine() == Engine::MariaDb {
            format!(
                "COALESCE(JSON_EXTRACT(Priv, '$.account_locked'), 'false') = 'true' FROM {table} \
                 WHERE COALESCE(JSON_EXTRACT(Priv, '$.is_role'), 'false') <> 'true'"
            )
        } else {
            format!("account_locked = 'Y' FROM {table}")
        };
        let rows = self.query(&format!("SELECT User, Host, {rest}"), &[]).await?;
        let read = |row: &super::session::Row| {
            Ok(Account { user: row.text(0)?, host: row.text(1)?, is_locked: row.bool(2)? })
        };
        rows.iter().map(read).collect()
    }

    /// Number, user and database of every session but this one.
    async fn mysql_processes(&mut self) -> Result<Vec<(i64, String, Option<String>)>, DbError> {
        let sql =
            "SELECT ID, USER, DB FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID()";
        let rows = self.query(sql, &[]).await?;
        rows.iter().map(|row| Ok((row.int(0)?, row.text(1)?, row.opt_text(2)?))).collect()
    }
}

/// The statement that takes login from an account, or gives it back.
pub(crate) fn set_login(engine: Engine, (role, host): (&str, &str), may_log_in: bool) -> String {
    if engine.is_mysql_family() {
        let word = if may_log_in { "UNLOCK" } else { "LOCK" };
        format!("ALTER USER {}@{} ACCOUNT {word}", literal(engine, role), literal(engine, host))
    } else {
        let word = if may_log_in { "LOGIN" } else { "NOLOGIN" };
        format!("ALTER ROLE {} {word}", ident(engine, role))
    }
}

/// What zdm's own user may not do with another, when it is something.
fn missing_right(own: &MySqlFacts, role: &str) -> Option<Obstacle> {
    let has = |names: &[&str]| own.global.iter().any(|right| names.contains(&right.as_str()));
    let (what, grant) = if !has(&["CREATE USER"]) {
        ("take login from", "CREATE USER")
    } else if own.engine == Engine::MariaDb && !has(&["CONNECTION ADMIN"]) {
        ("end sessions of", "CONNECTION ADMIN")
    } else if own.engine != Engine::MariaDb && !has(&["CONNECTION_ADMIN", "SUPER"]) {
        ("end sessions of", "CONNECTION_ADMIN")
    } else if !has(&["PROCESS"]) {
        ("see sessions of", "PROCESS")
    } else {
        return None;
    };
    let why = format!("zdm may not {what} user \"{role}\"");
    Some(Obstacle { why, statement: Some(format!("GRANT {grant} ON *.* TO {}", quoted(own))) })
}

fn quoted(own: &MySqlFacts) -> String {
    format!("{}@{}", literal(own.engine, &own.user), literal(own.engine, &own.host))
}

/// Where accounts are kept: MariaDB's `mysql.user` is a view without the lock (Knowledge Base, "`mysql.global_priv` Table").
fn accounts_table(engine: Engine) -> &'static str {
    if engine == Engine::MariaDb { "mysql.global_priv" } else { "mysql.user" }
}
