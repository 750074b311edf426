//! TLS as the clients of both families have it, against real servers: modes, right and wrong hosts, authorities and clients.

use std::path::Path;

use super::connection::Connection;
use super::error::{DbError, DbErrorKind};
use super::server_tests::{target, wait};
use crate::scratch::{self, Durability};
use crate::support::own::Ground;
use crate::support::{self, Session};

fn file(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/tls");
    folder.join(name).display().to_string()
}

fn text(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap()
}

/// Switches TLS on, with `certified` as a role that shows a certificate. The server itself writes the files, so that they
/// are its own.
fn switch_on(admin: &Session) {
    let folder = admin.value("SHOW data_directory");
    let copy = |text: &str, program: &str| {
        // COPY writes one line a row, and a backslash doubled, of which PEM has none.
        let rows = format!("SELECT unnest(string_to_array('{}', E'\\n'))", text.trim_end());
        admin.run(&format!("COPY ({rows}) TO PROGRAM 'umask 077; cd {folder}; {program}'"));
    };
    copy(&text("server.pem"), "cat > server.crt");
    copy(&text("server.key"), "cat > server.key");
    copy(&text("authority.pem"), "cat > authority.pem");
    // The first line that fits counts.
    let line = "hostssl all certified all cert";
    copy(line, "cat - pg_hba.conf > both; mv both pg_hba.conf");
    admin.run("CREATE ROLE certified LOGIN");
    admin.run("ALTER SYSTEM SET ssl_ca_file = 'authority.pem'");
    admin.run("ALTER SYSTEM SET ssl = on");
    admin.run("SELECT pg_reload_conf()");
    while admin.value("SHOW ssl") != "on" {
        std::thread::yield_now();
    }
}

/// Whether a URL is let in, and over TLS; a cancel goes the same way. `Err`: why not.
fn over_tls(url: &str, asked: &str) -> Result<bool, DbError> {
    wait(async {
        let mut conn = Connection::open(&target(url)).await?;
        let is_over_tls = conn.query_one(asked, &[]).await?.bool(0)?;
        conn.canceller().cancel().await?;
        conn.close().await;
        Ok(is_over_tls)
    })
}

const POSTGRES: &str = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
const MARIADB: &str = "SELECT VARIABLE_VALUE <> '' FROM information_schema.SESSION_STATUS \
    WHERE VARIABLE_NAME = 'Ssl_cipher'";

/// Holds what came of a URL against what was to come: let in over TLS or not, or refused in one of some ways.
fn held(
    what: &str,
    found: Result<bool, DbError>,
    expected: Option<bool>,
    refusals: &[DbErrorKind],
) {
    match (found, expected) {
        (Ok(found), Some(expected)) => assert_eq!(found, expected, "{what}"),
        (Err(error), None) => assert!(refusals.contains(&error.kind), "{what}: {error:?}"),
        (found, _) => panic!("{what}: {found:?}"),
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
        let refusals = [DbErrorKind::Unreachable, DbErrorKind::InvalidUrl];
        held(&format!("{host} {mode} {authority}"), over_tls(&url, POSTGRES), expected, &refusals);
    }
}

/// The options with which a client shows a certificate.
fn shown(name: &str) -> String {
    format!("&sslcert={}&sslkey={}", file(&format!("{name}.pem")), file(&format!("{name}.key")))
}

#[test]
fn postgres_knows_a_client_by_its_certificate() {
    if support::postgres().is_none() {
        return;
    }
    let server = scratch::postgres(Durability::Fast).unwrap();
    switch_on(&Session::open(&server.url("postgres")));
    let url =
        format!("postgres://certified@localhost:{}/postgres?sslmode=verify-full", server.port());
    let url = format!("{url}&sslrootcert={}", file("authority.pem"));
    let half = format!("&sslcert={}", file("client.pem"));
    for (certificate, expected) in [
        (shown("client"), Some(true)),
        (shown("other_client"), None),
        (String::new(), None),
        (half, None),
    ] {
        let found = over_tls(&format!("{url}{certificate}"), POSTGRES);
        let refusals = [DbErrorKind::Refused, DbErrorKind::InvalidUrl];
        held(&certificate, found, expected, &refusals);
    }
}

#[test]
fn mariadb_is_reached_over_tls_as_its_own_client_does() {
    let Some(db) = support::mariadb() else { return };
    let Some(ground) = Ground::find(&db) else { return };
    ground.set_up("data");
    let option = |key: &str, name: &str| format!("--ssl-{key}={}", file(name));
    let server = ground.start(
        "data",
        &[option("ca", "authority.pem"), option("cert", "server.pem"), option("key", "server.key")],
    );
    let admin = Session::open(&format!("{}/mysql", server.url));
    admin.run("CREATE USER certified IDENTIFIED BY 'secret' REQUIRE SUBJECT '/CN=certified'");
    admin.run("CREATE USER careful IDENTIFIED BY 'secret' REQUIRE SSL");
    let [right, wrong] =
        ["authority.pem", "other_authority.pem"].map(|name| format!("&ssl-ca={}", file(name)));
    let [client, other] = ["client", "other_client"].map(|name| format!("{right}{}", shown(name)));
    let cases = [
        ("zdm", "127.0.0.1", "DISABLED", "", Some(false)),
        ("zdm", "127.0.0.1", "PREFERRED", "", Some(true)),
        ("zdm", "127.0.0.1", "REQUIRED", "", Some(true)),
        ("zdm", "localhost", "VERIFY_IDENTITY", right.as_str(), Some(true)),
        ("zdm", "127.0.0.1", "VERIFY_IDENTITY", right.as_str(), None),
        ("zdm", "localhost", "VERIFY_IDENTITY", wrong.as_str(), None),
        ("zdm", "localhost", "VERIFY_IDENTITY", "", None),
        ("zdm", "localhost", "VERIFY_CA", right.as_str(), None),
        ("careful", "127.0.0.1", "DISABLED", "", None),
        ("careful", "127.0.0.1", "PREFERRED", "", Some(true)),
        ("certified", "localhost", "VERIFY_IDENTITY", client.as_str(), Some(true)),
        ("certified", "localhost", "VERIFY_IDENTITY", other.as_str(), None),
        ("certified", "localhost", "VERIFY_IDENTITY", right.as_str(), None),
    ];
    for (user, host, mode, more, expected) in cases {
        let url = format!(
            "mariadb://{user}:secret@{host}:{}/information_schema?ssl-mode={mode}{more}",
            server.port
        );
        let refusals = [DbErrorKind::Unreachable, DbErrorKind::InvalidUrl, DbErrorKind::Refused];
        held(&format!("{user} {host} {mode} {more}"), over_tls(&url, MARIADB), expected, &refusals);
    }
}
