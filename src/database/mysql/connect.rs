//! From an address to a session of MySQL or MariaDB.

use std::time::Duration;

use mysql_async::{Conn, Opts, OptsBuilder};

use super::errors::{When, is_about_tls, translate};
use super::session::MySqlSession;
use super::tls::{TlsMode, TlsOptions};
use crate::database::address::{Address, invalid_option};
use crate::database::error::{DbError, DbErrorKind};
use crate::database::session::Session;
use crate::database::target::Target;
use crate::model::server::{Engine, Server};

/// How long a server may take to answer before it counts as unreachable.
const PATIENCE: Duration = Duration::from_secs(10);
/// A dead peer is noticed after a while.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Opens a session, with role and the settings on which zdm relies.
pub(crate) async fn open(
    target: &Target,
    address: &Address,
) -> Result<(Box<dyn Session>, Server), DbError> {
    let options = Options::of(address)?;
    let unreachable = |_elapsed| {
        let waited = format!("the server did not answer within {} s", options.patience.as_secs());
        DbError::new(DbErrorKind::Unreachable, waited)
    };
    let opening = connect(target, address, &options);
    // Nothing has been asked on this connection yet: it may be dropped.
    let opened = tokio::time::timeout(options.patience, opening).await.map_err(unreachable)?;
    let mut session = opened?;
    let server = set_up(&mut session, target).await?;
    Ok((Box::new(session), server))
}

/// What the URL's options say.
struct Options {
    tls: TlsOptions,
    socket: Option<String>,
    patience: Duration,
    cleartext: bool,
}

impl Options {
    fn of(address: &Address) -> Result<Self, DbError> {
        let mut options =
            Self { tls: TlsOptions::default(), socket: None, patience: PATIENCE, cleartext: false };
        for (key, value) in &address.options {
            if !options.tls.take(key, value)? {
                options.take(key, value)?;
            }
        }
        Ok(options)
    }

    fn take(&mut self, key: &str, value: &str) -> Result<(), DbError> {
        match (key, value) {
            ("socket" | "unix_socket" | "unix-socket", path) => self.socket = Some(path.to_owned()),
            ("connect_timeout" | "connect-timeout", seconds) => {
                let wrong = |_bad| invalid_option(key, "It is a whole number of seconds.");
                let seconds: u64 = seconds.parse().map_err(wrong)?;
                self.patience = if seconds == 0 { PATIENCE } else { Duration::from_secs(seconds) };
            }
            ("enable_cleartext_plugin", "true") => self.cleartext = true,
            // What is so anyway.
            ("charset", "utf8mb4") | ("enable_cleartext_plugin" | "prefer_socket", "false") => {}
            _ => return Err(invalid_option(key, "It is not one that zdm knows: leave it out.")),
        }
        Ok(())
    }

    /// The host and the port. A socket goes before them.
    fn host<'a>(&self, address: &'a Address) -> (&'a str, u16) {
        let named = address.hosts.first().filter(|_| self.socket.is_none());
        named.map_or(("localhost", 3306), |(host, port)| (host, port.unwrap_or(3306)))
    }
}

async fn connect(
    target: &Target,
    address: &Address,
    options: &Options,
) -> Result<MySqlSession, DbError> {
    let (host, port) = options.host(address);
    let is_socket = options.socket.is_some() || host.starts_with('/');
    let socket = options.socket.clone().or_else(|| is_socket.then(|| host.to_owned()));
    let plain = OptsBuilder::default()
        .ip_or_hostname(if is_socket { "localhost" } else { host })
        .tcp_port(port)
        .user(address.user.clone())
        .pass(address.password.clone())
        .db_name(address.database.clone())
        // Otherwise a loopback address is silently left for the server's Unix socket.
        .prefer_socket(false)
        .socket(socket)
        .tcp_keepalive(Some(KEEPALIVE))
        // Affected rows are those that changed.
        .client_found_rows(false)
        // A prepared statement must not outlive a change of its table.
        .stmt_cache_size(0)
        .enable_cleartext_plugin(options.cleartext)
        .connect_attribute("program_name", target.application_name.as_str());
    let tls = if is_socket { None } else { options.tls.build()? };
    let failed = |error: &mysql_async::Error| translate(error, When::Opening);
    let opts = Opts::from(plain.clone().ssl_opts(tls));
    match Conn::new(opts.clone()).await {
        Ok(conn) => Ok(MySqlSession::new(conn, opts)),
        Err(error) if options.tls.mode == TlsMode::Preferred && is_about_tls(&error) => {
            let opts = Opts::from(plain);
            let conn = Conn::new(opts.clone()).await.map_err(|error| failed(&error))?;
            Ok(MySqlSession::new(conn, opts))
        }
        Err(error) => Err(failed(&error)),
    }
}

/// Session settings that generated SQL relies on. `sql_mode` stays the server's: the application writes under it.
async fn set_up(session: &mut MySqlSession, target: &Target) -> Result<Server, DbError> {
    session.run("SET NAMES utf8mb4").await?;
    session.run("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").await?;
    session.run("SET SESSION time_zone = '+00:00', SESSION autocommit = 1").await?;
    if let Some(role) = &target.role {
        let set = session.run(&format!("SET ROLE `{}`", role.replace('`', "``"))).await;
        // A role that is not there, or was not granted.
        set.map_err(|error| DbError { kind: DbErrorKind::Refused, ..error })?;
    }
    // The lock is a mark: so other processes of zdm know that this session is none of an application's.
    let asked =
        "SELECT VERSION(), CONNECTION_ID(), GET_LOCK(CONCAT('zdm.own.', CONNECTION_ID()), 0)";
    let rows = session.query(asked, &[]).await?;
    let row = rows
        .first()
        .ok_or_else(|| DbError::new(DbErrorKind::Other, "the server has no version"))?;
    session.set_backend(row.int(1)?);
    Ok(server(&row.text(0)?))
}

/// `10.11.19-MariaDB-0+deb12u1`, `8.4.2`.
fn server(version: &str) -> Server {
    let engine = if version.contains("MariaDB") { Engine::MariaDb } else { Engine::MySql };
    // Old proxies put this in front, for the sake of old clients.
    let version = version.strip_prefix("5.5.5-").unwrap_or(version);
    let mut parts =
        version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    Server { engine, version }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_known_by_what_it_says_of_its_version() {
        for (said, engine, version) in [
            ("10.11.19-MariaDB-0+deb12u1", Engine::MariaDb, (10, 11)),
            ("5.5.5-11.8.6-MariaDB", Engine::MariaDb, (11, 8)),
            ("9.7.4", Engine::MySql, (9, 7)),
            ("8.0.36-28", Engine::MySql, (8, 0)),
        ] {
            assert_eq!(server(said), Server { engine, version });
        }
    }
}
