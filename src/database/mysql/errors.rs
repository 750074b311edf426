//! The "no" of MySQL and MariaDB, by number. Names are those of the servers' own headers.

use std::error::Error as _;

use mysql_async::{DriverError, Error, IoError};

use crate::database::error::{DbError, DbErrorKind};

const ER_CON_COUNT_ERROR: u16 = 1040;
const ER_HOST_IS_BLOCKED: u16 = 1129;
const ER_SERVER_SHUTDOWN: u16 = 1053;
const ER_TOO_MANY_USER_CONNECTIONS: u16 = 1203;
const ER_USER_LIMIT_REACHED: u16 = 1226;
const ER_DBACCESS_DENIED_ERROR: u16 = 1044;
const ER_ACCESS_DENIED_ERROR: u16 = 1045;
const ER_BAD_DB_ERROR: u16 = 1049;
const ER_HOST_NOT_PRIVILEGED: u16 = 1130;
const ER_ACCESS_DENIED_NO_PASSWORD_ERROR: u16 = 1698;
const ER_SECURE_TRANSPORT_REQUIRED: u16 = 3159;
const ER_OPTION_PREVENTS_STATEMENT: u16 = 1290;
/// Rights: of a table, column, routine, to the whole server, to set a variable, to make a routine or trigger, to a role.
const PERMISSION: [u16; 9] = [1142, 1143, 1227, 1370, 1410, 1418, 1419, 1959, 3530];
/// A read-only transaction, server, or engine.
const READ_ONLY: [u16; 3] = [1792, 1836, 1874];
/// `ER_LOCK_WAIT_TIMEOUT`, and what NOWAIT says on MySQL.
const LOCK_TIMEOUT: [u16; 2] = [1205, 3572];
const ER_LOCK_DEADLOCK: u16 = 1213;
/// MariaDB with `innodb_snapshot_isolation`.
const ER_CHECKREAD: u16 = 1020;
/// KILL QUERY; the time limit of a statement on MariaDB and on MySQL.
const CANCELLED: [u16; 3] = [1317, 1969, 3024];
/// Shut down, killed (MariaDB, MySQL), left alone for too long.
const LOST: [u16; 4] = [ER_SERVER_SHUTDOWN, 1927, 3169, 4031];
/// No such database, table, column, index, routine, trigger, check, view, key column.
const UNDEFINED: [u16; 12] =
    [1049, 1051, 1054, 1072, 1091, 1109, 1146, 1176, 1305, 1347, 1360, 3821];
/// A database, table, column, index, routine, trigger, foreign key or check that is there already.
const DUPLICATE: [u16; 9] = [1007, 1050, 1060, 1061, 1304, 1359, 1826, 3822, 1826];
/// MariaDB's failed check; MySQL's; NULL where none may be when an ALTER meets it.
const DATA: [u16; 3] = [4025, 3819, 1138];
const SYNTAX: [u16; 3] = [1064, 1065, 1149];
/// An asserted ALGORITHM or LOCK that cannot be had, that the server does not know, or that cannot be combined; too
/// many row versions.
const UNSUPPORTED: [u16; 6] = [1221, 1800, 1801, 1845, 1846, 4092];
/// SQLSTATE classes: a value does not fit, a constraint, and what SIGNAL raises in a trigger.
const DATA_STATES: [&str; 3] = ["22", "23", "45"];

/// When an error came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// While the connection was made.
    Opening,
    /// After.
    Using,
}

/// What the driver says, in the words that both families share.
pub(super) fn translate(error: &Error, when: When) -> DbError {
    match error {
        Error::Server(server) => DbError {
            kind: kind(server, when),
            code: Some(server.code.to_string()),
            message: server.message.clone(),
            detail: None,
            hint: hint(server.code),
        },
        Error::Url(_) => DbError::new(DbErrorKind::InvalidUrl, chain(error)),
        // The packet itself may hold a value: it is left out.
        Error::Driver(DriverError::UnexpectedPacket { .. }) => {
            DbError::new(DbErrorKind::Lost, "the server sent something unexpected")
        }
        Error::Driver(DriverError::NoClientSslFlagFromServer) => {
            DbError::new(DbErrorKind::Unreachable, "the server has no TLS")
        }
        Error::Driver(DriverError::LocalInfile(_)) => {
            DbError::new(DbErrorKind::Lost, "LOAD DATA LOCAL cannot be run by zdm")
        }
        Error::Driver(_) | Error::Other(_) | Error::Io(_) => {
            let kind = match (when, error) {
                (When::Opening, _) => DbErrorKind::Unreachable,
                (When::Using, Error::Driver(DriverError::StmtParamsMismatch { .. })) => {
                    DbErrorKind::Syntax
                }
                (When::Using, _) => DbErrorKind::Lost,
            };
            DbError::new(kind, chain(error))
        }
    }
}

/// Whether TLS was what failed, so that `PREFERRED` tries without.
pub(super) fn is_about_tls(error: &Error) -> bool {
    match error {
        Error::Driver(DriverError::NoClientSslFlagFromServer) => true,
        #[cfg(feature = "mysql-tls")]
        Error::Io(IoError::Tls(_)) => true,
        _ => false,
    }
}

fn kind(server: &mysql_async::ServerError, when: When) -> DbErrorKind {
    let opening = when == When::Opening;
    match server.code {
        ER_CON_COUNT_ERROR
        | ER_HOST_IS_BLOCKED
        | ER_TOO_MANY_USER_CONNECTIONS
        | ER_USER_LIMIT_REACHED => DbErrorKind::Unreachable,
        ER_SERVER_SHUTDOWN if opening => DbErrorKind::Unreachable,
        ER_ACCESS_DENIED_ERROR
        | ER_HOST_NOT_PRIVILEGED
        | ER_ACCESS_DENIED_NO_PASSWORD_ERROR
        | ER_SECURE_TRANSPORT_REQUIRED => DbErrorKind::Refused,
        ER_DBACCESS_DENIED_ERROR | ER_BAD_DB_ERROR if opening => DbErrorKind::Refused,
        ER_DBACCESS_DENIED_ERROR => DbErrorKind::Permission,
        // Said of --read-only, --super-read-only, and of other options that have nothing to do with it.
        ER_OPTION_PREVENTS_STATEMENT if server.message.contains("read-only") => {
            DbErrorKind::ReadOnly
        }
        ER_LOCK_DEADLOCK => DbErrorKind::Deadlock,
        ER_CHECKREAD => DbErrorKind::Serialization,
        code if PERMISSION.contains(&code) => DbErrorKind::Permission,
        code if READ_ONLY.contains(&code) => DbErrorKind::ReadOnly,
        code if LOCK_TIMEOUT.contains(&code) => DbErrorKind::LockTimeout,
        code if CANCELLED.contains(&code) => DbErrorKind::Cancelled,
        code if LOST.contains(&code) => DbErrorKind::Lost,
        code if UNDEFINED.contains(&code) => DbErrorKind::Undefined,
        code if DUPLICATE.contains(&code) => DbErrorKind::Duplicate,
        code if DATA.contains(&code) => DbErrorKind::Data,
        code if SYNTAX.contains(&code) => DbErrorKind::Syntax,
        code if UNSUPPORTED.contains(&code) => DbErrorKind::Unsupported,
        _ if DATA_STATES.iter().any(|class| server.state.starts_with(class)) => DbErrorKind::Data,
        _ => DbErrorKind::Other,
    }
}

fn hint(code: u16) -> Option<String> {
    let text = match code {
        ER_SECURE_TRANSPORT_REQUIRED => "Add ssl-mode=REQUIRED to the database URL.",
        // ER_BINLOG_CREATE_ROUTINE_NEED_SUPER
        1419 => "Let the server's administrator set log_bin_trust_function_creators = 1.",
        _ => return None,
    };
    Some(text.to_owned())
}

/// The message with its causes, each said once.
fn chain(error: &Error) -> String {
    let mut message = match error {
        // The driver's own prefix (`Input/output error: Input/output error: ...`) says nothing.
        Error::Io(IoError::Io(io)) => return io.to_string(),
        error => error.to_string(),
    };
    let mut cause = error.source();
    while let Some(next) = cause {
        let text = next.to_string();
        if !message.contains(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        cause = next.source();
    }
    message
}
