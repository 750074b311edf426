//! libpq's modes against a real PostgreSQL with TLS, right and wrong hosts and authorities.

use std::path::Path;

use super::connection::Connection;
use super::error::DbErrorKind;
use super::server_tests::{target, wait};
use crate::scratch::{self, Durability};
use crate::support::{self, Session};

const CERTIFICATE: &str = include_str!("../../tests/support/tls/server.pem");
const KEY: &str = include_str!("../../tests/support/tls/server.key");

fn file(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/tls");
    folder.join(name).display().to_string()
}

/// Switches TLS on. The server itself writes the files, so that they are its own.
fn switch_on(admin: &Session) {
    for (name, text) in [("server.crt", CERTIFICATE), ("server.key", KEY)] {
        // COPY writes one line a row, and a backslash doubled, of which PEM has none.
        let rows = format!("SELECT unnest(string_to_array('{}', E'\\n'))", text.trim_end());
        let folder = admin.value("SHOW data_directory");
        admin.run(&format!("COPY ({rows}) TO PROGRAM 'umask 077; cat > {folder}/{name}'"));
    }
    admin.run("ALTER SYSTEM SET ssl = on");
    admin.run("SELECT pg_reload_conf()");
    while admin.value("SHOW ssl") != "on" {
        std::thread::yield_now();
    }
}

#[test]
fn every_mode_of_tls_is_as_strict_as_libpq() {
    if support::postgres().is_none() {
        return;
    }
    let server = scratch::postgres(Durability::Fast).unwrap();
    let address = server.url("postgres");
    switch_on(&Session::open(&address));
    let (right, wrong) = (file("authority.pem"), file("other_authority.pem"));
    // Which host, which mode, which authority; whether it is let in, and over TLS.
    let cases = [
        ("127.0.0.1", "disable", "", Some(false)),
        ("127.0.0.1", "allow", "", Some(false)),
        ("127.0.0.1", "prefer", "", Some(true)),
        ("127.0.0.1", "require", "", Some(true)),
        // A root file makes `require` a `verify-ca`, as with libpq.
        ("127.0.0.1", "require", &right, Some(true)),
        ("127.0.0.1", "require", &wrong, None),
        ("127.0.0.1", "verify-ca", &right, Some(true)),
        ("127.0.0.1", "verify-ca", &wrong, None),
        ("127.0.0.1", "verify-full", &right, None),
        ("localhost", "verify-full", &right, Some(true)),
        ("localhost", "verify-full", &wrong, None),
        // The system's authorities do not know it.
        ("localhost", "verify-full", "system", None),
    ];
    for (host, mode, authority, expected) in cases {
        let root =
            if authority.is_empty() { String::new() } else { format!("&sslrootcert={authority}") };
        let url = format!("{}?sslmode={mode}{root}", address.replace("127.0.0.1", host));
        let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        let found = wait(async {
            let mut conn = Connection::open(&target(&url)).await?;
            let is_over_tls = conn.query_one(sql, &[]).await?.bool(0)?;
            // Cancelling goes the same way.
            conn.canceller().cancel().await?;
            Ok(is_over_tls)
        });
        match (found, expected) {
            (Ok(found), Some(expected)) => assert_eq!(found, expected, "{host} {mode} {authority}"),
            (Err(error), None) => {
                let error: super::error::DbError = error;
                let known = [DbErrorKind::Unreachable, DbErrorKind::InvalidUrl];
                assert!(known.contains(&error.kind), "{host} {mode} {authority}: {error:?}");
            }
            (found, _) => panic!("{host} {mode} {authority}: {found:?}"),
        }
    }
}
