//! Who is connected: to the server, and behind a pooler.

use super::address::Address;
use super::connection::Connection;
use super::error::{DbError, DbErrorKind};
use super::session::Row;
use super::target::Target;
use crate::plan::gate::sessions::{Session, Sessions};

impl Connection {
    /// Every client session of this database but those of zdm; on MySQL and MariaDB, where a session can use any
    /// database, also those of `roles` in others.
    pub(crate) async fn client_sessions(&mut self, roles: &[String]) -> Result<Sessions, DbError> {
        if self.engine().is_mysql_family() {
            self.mysql_sessions(roles).await
        } else {
            self.postgres_sessions().await
        }
    }

    /// What tells this server from its replicas.
    pub(crate) async fn server_instance(&mut self) -> Result<String, DbError> {
        let sql = if self.engine().is_mysql_family() {
            "SELECT CONCAT(@@GLOBAL.server_id, ' ', @@GLOBAL.hostname, ' ', @@GLOBAL.port)"
        } else {
            "SELECT concat(inet_server_addr(), ' ', current_setting('port'), ' ', pg_postmaster_start_time(), ' ', \
             pg_is_in_recovery())"
        };
        self.query_one(sql, &[]).await?.text(0)
    }

    async fn postgres_sessions(&mut self) -> Result<Sessions, DbError> {
        let mut sessions = Sessions::default();
        // Without the right, backend_type is NULL: such a session counts. Parallel workers and the like do not.
        let sql = "SELECT a.pid, a.usename::text, a.application_name, coalesce(a.client_hostname, a.client_addr::text), \
                   NULL::text \
                   FROM pg_catalog.pg_stat_activity a WHERE a.datname = current_database() AND a.usename IS NOT NULL \
                   AND coalesce(a.backend_type, 'client backend') IN ('client backend', 'walsender') \
                   AND a.pid <> pg_backend_pid() AND a.application_name <> 'zdm' AND a.application_name NOT LIKE 'zdm:%#%' \
                   ORDER BY a.pid";
        for row in self.query(sql, &[]).await? {
            sessions.found.push(read(&row)?);
        }
        let sql = "SELECT pg_has_role('pg_read_all_stats', 'USAGE')::int, current_user::text";
        let row = self.query_one(sql, &[]).await?;
        if !row.bool(0)? {
            sessions.hidden.push(format!(
                "sessions of other roles cannot be seen fully: GRANT pg_read_all_stats TO \"{}\"",
                row.text(1)?.replace('"', "\"\"")
            ));
            return Ok(sessions);
        }
        // A walsender without a database feeds a server, not a subscription.
        let sql = "SELECT count(*) FROM pg_catalog.pg_stat_replication r \
                   JOIN pg_catalog.pg_stat_activity a ON a.pid = r.pid \
                   WHERE a.datname IS NULL AND r.state <> 'backup'";
        let replicas = self.query_one(sql, &[]).await?.int(0)?;
        sessions.replicas = usize::try_from(replicas).unwrap_or(usize::MAX);
        Ok(sessions)
    }

    async fn mysql_sessions(&mut self, roles: &[String]) -> Result<Sessions, DbError> {
        let mut sessions = Sessions::default();
        let (application, attributes) = if self.sees_attributes().await? {
            let attributes = "LEFT JOIN performance_schema.session_connect_attrs n \
                              ON n.PROCESSLIST_ID = p.ID AND n.ATTR_NAME = 'program_name'";
            ("n.ATTR_VALUE", attributes)
        } else {
            sessions.nameless = Some(
                "the names of applications cannot be seen: set performance_schema = ON, and GRANT SELECT ON \
                 performance_schema.* to zdm's user"
                    .to_owned(),
            );
            ("NULL", "")
        };
        let sql = format!(
            "SELECT p.ID, p.USER, {application}, p.HOST, p.DB, DATABASE(), p.COMMAND FROM information_schema.PROCESSLIST p \
             {attributes} WHERE p.ID <> CONNECTION_ID() AND p.COMMAND <> 'Daemon' AND p.USER <> 'system user' \
             AND COALESCE(IS_USED_LOCK(CONCAT('zdm.own.', p.ID)), 0) <> p.ID ORDER BY p.ID"
        );
        for row in self.query(&sql, &[]).await? {
            if row.opt_text(6)?.is_some_and(|command| command.starts_with("Binlog Dump")) {
                sessions.replicas += 1;
                continue;
            }
            let session = read(&row)?;
            if row.opt_text(4)? == row.opt_text(5)? || roles.contains(&session.role) {
                sessions.found.push(session);
            }
        }
        // What only PROCESS lets somebody read.
        match self.query("SELECT 1 FROM information_schema.INNODB_TRX LIMIT 1", &[]).await {
            Ok(_) => {}
            Err(error) if error.kind == DbErrorKind::Permission => {
                let user = self.query_one("SELECT CURRENT_USER()", &[]).await?.text(0)?;
                let user = user.replace('@', "'@'");
                sessions.hidden.push(format!(
                    "sessions of other users cannot be seen: GRANT PROCESS ON *.* TO '{user}'"
                ));
            }
            Err(error) => return Err(error),
        }
        Ok(sessions)
    }

    async fn sees_attributes(&mut self) -> Result<bool, DbError> {
        if !self.query_one("SELECT @@GLOBAL.performance_schema", &[]).await?.bool(0)? {
            return Ok(false);
        }
        let asked = "SELECT 1 FROM performance_schema.session_connect_attrs LIMIT 1";
        match self.query(asked, &[]).await {
            Ok(_) => Ok(true),
            Err(error)
                if matches!(error.kind, DbErrorKind::Permission | DbErrorKind::Undefined) =>
            {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// The clients that pgbouncer has for this database, and the server's numbers of its own connections to it.
    pub(crate) async fn pooler_clients(
        &mut self,
        console: &Target,
    ) -> Result<(Vec<Session>, Vec<i64>), DbError> {
        let sql = if self.engine().is_mysql_family() {
            return Err(DbError::new(
                DbErrorKind::Unsupported,
                "only pgbouncer can be asked for its clients",
            ));
        } else {
            "SELECT current_database()::text"
        };
        let database = self.query_one(sql, &[]).await?.text(0)?;
        let address = Address::parse(&console.url)?;
        let console = super::postgres::console(console, &address).await?;
        Ok(clients_of(&console, &database))
    }
}

fn read(row: &Row) -> Result<Session, DbError> {
    Ok(Session {
        backend: row.opt_int(0)?,
        role: row.opt_text(1)?.unwrap_or_default(),
        application: row.opt_text(2)?,
        host: row.opt_text(3)?,
        place: None,
    })
}

/// What pgbouncer's console said: each answer as rows of named values.
#[derive(Debug, Default)]
pub(crate) struct Console {
    /// SHOW DATABASES.
    pub(crate) databases: Vec<std::collections::BTreeMap<String, String>>,
    /// SHOW CLIENTS.
    pub(crate) clients: Vec<std::collections::BTreeMap<String, String>>,
    /// SHOW SERVERS.
    pub(crate) servers: Vec<std::collections::BTreeMap<String, String>>,
}

/// Whoever comes by a name that stands for the database, or by one that is not explained.
fn clients_of(console: &Console, database: &str) -> (Vec<Session>, Vec<i64>) {
    let is_ours = |name: &str| {
        let known = console.databases.iter().find(|row| row.get("name").is_some_and(|n| n == name));
        name != "pgbouncer"
            && known.and_then(|row| row.get("database")).is_none_or(|real| real == database)
    };
    let of = |row: &std::collections::BTreeMap<String, String>, key: &str| {
        row.get(key).filter(|value| !value.is_empty()).cloned()
    };
    let clients = console
        .clients
        .iter()
        .filter(|row| row.get("database").is_some_and(|name| is_ours(name)))
        .map(|row| Session {
            backend: None,
            role: of(row, "user").unwrap_or_default(),
            application: of(row, "application_name"),
            host: of(row, "addr"),
            place: Some("behind the pooler".to_owned()),
        })
        .collect();
    let own = console.servers.iter().filter_map(|row| row.get("remote_pid")?.parse().ok());
    (clients, own.filter(|pid| *pid > 0).collect())
}
