//! A real standby of the throwaway PostgreSQL: for what only a read-only server can show.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use zdm::scratch::{self, Durability, Scratch};

use super::{Db, Engine};

/// A streaming standby. It ends with the value.
#[derive(Debug)]
pub(crate) struct Standby {
    /// The address of the primary's database on it.
    pub(crate) url: String,
    server: Child,
    _folder: tempfile::TempDir,
}

/// A PostgreSQL of the test's own, and a database on it: a standby that comes and goes stops the backfills and holds up the
/// gates of everybody on its server. `None` when there is no PostgreSQL.
pub(crate) fn primary() -> Option<(Scratch, Db)> {
    if !Engine::Postgres.is_there() {
        return None;
    }
    let server = scratch::postgres(Durability::Fast).unwrap();
    let db = Db::at(Engine::Postgres, server.url("").trim_end_matches('/'));
    Some((server, db))
}

/// Makes a standby of a database's server; `None` when PostgreSQL came without `pg_basebackup`, which skips by name.
pub(crate) fn standby(db: &Db) -> Option<Standby> {
    let programs = PathBuf::from(db.value("SELECT setting FROM pg_config WHERE name = 'BINDIR'"));
    if !programs.join("pg_basebackup").is_file() {
        eprintln!("skipped: pg_basebackup is not there ({})", db.name);
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    if rustix::process::getuid().is_root() {
        chown(folder.path(), Some(65_534), Some(65_534)).unwrap();
    }
    let run = |program: &str| {
        let program = programs.join(program);
        let mut command = if rustix::process::getuid().is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(folder.path()).stdin(Stdio::null());
        command
    };
    let (host, primary, database) = parts(&db.url);
    let primary = format!("{host}:{primary}");
    let copied = run("pg_basebackup")
        .args(["-d", &primary, "-D", "data", "-R", "-X", "stream", "-c", "fast", "--no-sync"])
        .output()
        .unwrap();
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    // A standby wants at least what its primary has, which was set on its command line.
    let same = ["max_connections", "max_prepared_transactions"]
        .map(|name| format!("{name}={}", db.value(&format!("SHOW {name}"))));
    let server = run("postgres")
        .args(["-D", "data", "-p", &port.to_string(), "-c", "unix_socket_directories="])
        // It replays what all tests write on its primary, which does not sync either.
        .args(["-c", "fsync=off", "-c", "dynamic_shared_memory_type=mmap"])
        .args(same.iter().flat_map(|setting| ["-c", setting]))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let standby = Standby { url: format!("{host}:{port}/{database}"), server, _folder: folder };
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err()
        || super::Session::try_open(&standby.url).is_err()
    {
        assert!(begun.elapsed() < Duration::from_mins(1), "the standby does not start");
        std::thread::sleep(Duration::from_millis(50));
    }
    Some(standby)
}

impl Standby {
    /// Takes no more of what its primary commits.
    pub(crate) fn stop_receiving(&self) {
        let session = super::Session::open(&self.url);
        session.run("ALTER SYSTEM SET primary_conninfo = ''");
        session.run("SELECT pg_reload_conf()");
        let receivers = "SELECT count(*) FROM pg_stat_wal_receiver";
        while session.value(receivers) != "0" {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Becomes a primary.
    pub(crate) fn promote(&self) {
        assert_eq!(super::Session::open(&self.url).value("SELECT pg_promote()"), "t");
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        // Its processes end when they see that the first one is gone.
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

/// An address of PostgreSQL, up to the port, its port, and the database.
fn parts(url: &str) -> (&str, &str, &str) {
    let (server, database) = url.rsplit_once('/').unwrap();
    let (before, port) = server.rsplit_once(':').unwrap();
    (before, port, database)
}
