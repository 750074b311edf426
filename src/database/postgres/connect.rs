//! From an address to a session of PostgreSQL.

use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{
    ChannelBinding, LoadBalanceHosts, SslMode, SslNegotiation, TargetSessionAttrs,
};

use super::errors::{When, translate};
use super::session::PostgresSession;
use super::tls::{Tls, TlsMode, TlsOptions};
use crate::database::address::{Address, invalid, invalid_option};
use crate::database::error::{DbError, DbErrorKind};
use crate::database::session::{Session, Value};
use crate::database::target::Target;
use crate::model::server::{Engine, Server};

/// How long a server may take to answer before it counts as unreachable.
const PATIENCE: Duration = Duration::from_secs(10);
/// A dead peer is noticed after about a minute.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_TRIES: u32 = 3;

/// Opens a session, with role, `search_path` and the settings on which zdm relies.
pub(crate) async fn open(
    target: &Target,
    address: &Address,
) -> Result<(Box<dyn Session>, Server), DbError> {
    let (config, options) = configure(target, address)?;
    let patience = config.get_connect_timeout().copied().unwrap_or(PATIENCE);
    let opening = connect(&config, &options);
    let mut session = tokio::time::timeout(patience, opening).await.map_err(|_elapsed| {
        let waited = format!("the server did not answer within {} s", patience.as_secs());
        DbError::new(DbErrorKind::Unreachable, waited)
    })??;
    let server = set_up(&mut session, target).await?;
    Ok((Box::new(session), server))
}

/// Opens a session to pgbouncer's console, which knows no settings.
#[cfg(feature = "engine")]
pub(super) async fn open_console(
    target: &Target,
    address: &Address,
) -> Result<PostgresSession, DbError> {
    let (config, options) = configure(target, address)?;
    let patience = config.get_connect_timeout().copied().unwrap_or(PATIENCE);
    let opening = connect(&config, &options);
    tokio::time::timeout(patience, opening).await.map_err(|_elapsed| {
        let waited = format!("the pooler did not answer within {} s", patience.as_secs());
        DbError::new(DbErrorKind::Unreachable, waited)
    })?
}

/// `prefer` tries TLS first and `allow` last; the other way is tried when the first fails, as libpq does.
async fn connect(config: &Config, options: &TlsOptions) -> Result<PostgresSession, DbError> {
    let mut config = config.clone();
    let (first, second) = match options.mode {
        TlsMode::Disable => (SslMode::Disable, None),
        TlsMode::Allow => (SslMode::Disable, Some(SslMode::Require)),
        TlsMode::Prefer => (SslMode::Prefer, Some(SslMode::Disable)),
        TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => (SslMode::Require, None),
    };
    let tls =
        if first == SslMode::Disable && second.is_none() { Tls::None } else { Tls::new(options)? };
    config.ssl_mode(first);
    let error = match PostgresSession::connect(&config, tls.clone()).await {
        Ok(session) => return Ok(session),
        Err(error) => error,
    };
    // A wrong password is wrong in both ways, but pg_hba.conf may know a host in one of them alone.
    let worth_a_try = match error.code.as_deref() {
        None => error.message.contains("TLS"),
        Some(code) => code == "28000",
    };
    let Some(second) = second.filter(|_| worth_a_try && !matches!(tls, Tls::None)) else {
        return Err(error);
    };
    config.ssl_mode(second);
    // The first error is the telling one when both fail.
    PostgresSession::connect(&config, tls).await.map_err(|_second| error)
}

fn configure(target: &Target, address: &Address) -> Result<(Config, TlsOptions), DbError> {
    let mut config = Config::new();
    config.application_name(&target.application_name);
    config.connect_timeout(PATIENCE);
    config.keepalives_idle(KEEPALIVE_IDLE);
    config.keepalives_interval(KEEPALIVE_INTERVAL);
    config.keepalives_retries(KEEPALIVE_TRIES);
    if let Some(user) = &address.user {
        config.user(user);
    }
    if let Some(password) = &address.password {
        config.password(password);
    }
    if let Some(database) = &address.database {
        config.dbname(database);
    }
    let default_host = [("localhost".to_owned(), None)];
    let hosts = if address.hosts.is_empty() { &default_host[..] } else { &address.hosts };
    for (host, port) in hosts {
        config.host(host);
        config.port(port.unwrap_or(5432));
    }
    let mut tls = TlsOptions::default();
    for (key, value) in &address.options {
        if !take_tls(&mut tls, key, value)? && !take(&mut config, key, value)? {
            return Err(invalid_option(key, "It is not one that zdm knows: leave it out."));
        }
    }
    // libpq ignores sslmode on a Unix socket, which has no TLS.
    if hosts.iter().all(|(host, _)| host.starts_with('/')) {
        tls.mode = TlsMode::Disable;
    }
    if tls.mode == TlsMode::Require && tls.root_certificate.is_some() {
        tls.mode = TlsMode::VerifyCa;
    }
    Ok((config, tls))
}

fn take_tls(tls: &mut TlsOptions, key: &str, value: &str) -> Result<bool, DbError> {
    match key {
        "sslmode" => {
            tls.mode = TlsMode::parse(value).ok_or_else(|| {
                let modes = "It is disable, allow, prefer, require, verify-ca or verify-full.";
                invalid_option(key, modes)
            })?;
        }
        "sslrootcert" => tls.root_certificate = Some(value.to_owned()),
        "sslcert" => tls.certificate = Some(value.to_owned()),
        "sslkey" => tls.key = Some(value.to_owned()),
        _ => return Ok(false),
    }
    Ok(true)
}

fn take(config: &mut Config, key: &str, value: &str) -> Result<bool, DbError> {
    let number =
        || value.parse::<u64>().map_err(|_bad| invalid_option(key, "It is a whole number."));
    let seconds = || number().map(Duration::from_secs);
    match key {
        // The name by which zdm is found in pg_stat_activity is zdm's own.
        "application_name"
        | "fallback_application_name"
        | "gssencmode"
        | "client_encoding"
        | "sslcompression"
        | "sslsni"
            if is_harmless(key, value) => {}
        "options" => {
            config.options(value);
        }
        "connect_timeout" => {
            let limit = seconds()?;
            config.connect_timeout(if limit.is_zero() { PATIENCE } else { limit });
        }
        "tcp_user_timeout" => {
            config.tcp_user_timeout(Duration::from_millis(number()?));
        }
        "keepalives" => {
            config.keepalives(number()? != 0);
        }
        "keepalives_idle" => {
            config.keepalives_idle(seconds()?);
        }
        "keepalives_interval" => {
            config.keepalives_interval(seconds()?);
        }
        "keepalives_count" | "keepalives_retries" => {
            let tries = u32::try_from(number()?);
            config
                .keepalives_retries(tries.map_err(|_bad| invalid_option(key, "It is too large."))?);
        }
        "hostaddr" => {
            for part in value.split(',') {
                let wrong = |_bad| invalid_option(key, "It is an IP address.");
                config.hostaddr(part.parse().map_err(wrong)?);
            }
        }
        "target_session_attrs" | "channel_binding" | "load_balance_hosts" | "sslnegotiation" => {
            take_word(config, key, value)?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Options of libpq that change nothing here, or are already as they ask.
fn is_harmless(key: &str, value: &str) -> bool {
    match key {
        "gssencmode" => value != "require",
        "client_encoding" => {
            matches!(value.to_ascii_lowercase().as_str(), "utf8" | "utf-8" | "auto")
        }
        _ => true,
    }
}

fn take_word(config: &mut Config, key: &str, value: &str) -> Result<(), DbError> {
    match (key, value) {
        ("target_session_attrs", "any") => {}
        ("target_session_attrs", "read-write" | "primary") => {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        ("target_session_attrs", "read-only" | "standby") => {
            config.target_session_attrs(TargetSessionAttrs::ReadOnly);
        }
        ("channel_binding", "disable") => {
            config.channel_binding(ChannelBinding::Disable);
        }
        ("channel_binding", "prefer") => {
            config.channel_binding(ChannelBinding::Prefer);
        }
        ("channel_binding", "require") => {
            config.channel_binding(ChannelBinding::Require);
        }
        ("load_balance_hosts", "disable") => {
            config.load_balance_hosts(LoadBalanceHosts::Disable);
        }
        ("load_balance_hosts", "random") => {
            config.load_balance_hosts(LoadBalanceHosts::Random);
        }
        ("sslnegotiation", "postgres") => {
            config.ssl_negotiation(SslNegotiation::Postgres);
        }
        ("sslnegotiation", "direct") => {
            config.ssl_negotiation(SslNegotiation::Direct);
        }
        _ => {
            return Err(invalid_option(key, "zdm does not know this value: leave the option out."));
        }
    }
    Ok(())
}

/// Session settings that generated SQL relies on; a lock limit that is never infinite.
async fn set_up(session: &mut PostgresSession, target: &Target) -> Result<Server, DbError> {
    let mut settings = vec![
        ("TimeZone", "UTC".to_owned()),
        ("DateStyle", "ISO, YMD".to_owned()),
        ("bytea_output", "hex".to_owned()),
        ("standard_conforming_strings", "on".to_owned()),
        ("default_transaction_isolation", "read committed".to_owned()),
        // A policy must not hide rows from a backfill: the server then refuses instead.
        ("row_security", "off".to_owned()),
        ("lock_timeout", "5s".to_owned()),
    ];
    if let Some(role) = &target.role {
        settings.push(("role", role.clone()));
    }
    // The server's own begins with "$user": for a role called zdm that would be the schema of the state.
    let public = ["public".to_owned()];
    let schemas = if target.schemas.is_empty() { &public[..] } else { &target.schemas };
    let quoted = schemas.iter().map(|name| format!("\"{}\"", name.replace('"', "\"\"")));
    settings.push(("search_path", quoted.collect::<Vec<_>>().join(", ")));
    let calls = vec!["set_config(?, ?, false)"; settings.len()].join(", ");
    let values: Vec<Value> =
        settings.into_iter().flat_map(|(name, value)| [name.into(), value.into()]).collect();
    let setting = session.query(&format!("SELECT {calls}"), &values).await;
    setting.map_err(|error| {
        if error.kind == DbErrorKind::Data || error.kind == DbErrorKind::Permission {
            // A role that is not there, or may not be taken.
            DbError { kind: DbErrorKind::Refused, ..error }
        } else {
            error
        }
    })?;
    let facts = "SELECT current_setting('server_version_num')::int, pg_backend_pid()";
    let rows = session.query(facts, &[]).await?;
    let row = rows
        .first()
        .ok_or_else(|| DbError::new(DbErrorKind::Other, "the server has no version"))?;
    session.set_backend(row.int(1)?);
    let number = row.int(0)?;
    let part = |value: i64| u16::try_from(value).unwrap_or(u16::MAX);
    let version = (part(number / 10_000), part(number % 10_000));
    if version.0 < 10 {
        return Err(invalid(format!(
            "the server is PostgreSQL {}: zdm needs 13 or newer",
            version.0
        )));
    }
    Ok(Server { engine: Engine::Postgres, version })
}

impl PostgresSession {
    /// Makes the connection and starts the task that moves its messages.
    async fn connect(config: &Config, tls: Tls) -> Result<Self, DbError> {
        let failed = |error: tokio_postgres::Error| translate(&error, When::Opening);
        match tls.clone() {
            Tls::None => {
                let made = config.connect(tokio_postgres::NoTls).await;
                let (client, connection) = made.map_err(failed)?;
                Ok(Self::start(client, connection, tls))
            }
            #[cfg(feature = "postgres-tls")]
            Tls::Rustls(connector) => {
                let made = config.connect(connector).await;
                let (client, connection) = made.map_err(failed)?;
                Ok(Self::start(client, connection, tls))
            }
        }
    }
}
