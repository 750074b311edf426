//! Servers of a test's own whose clock can be stepped: libfaketime stands between them and the machine's.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::own::{Ground, Own, as_nobody};
use super::{Db, Engine, Session};

/// The clock of a server.
#[derive(Debug)]
pub(crate) struct Clock {
    file: PathBuf,
}

impl Clock {
    fn new(folder: &Path) -> Self {
        let clock = Self { file: folder.join("clock") };
        clock.set_ahead(0);
        clock
    }

    /// Sets it so many seconds ahead of the true time from now on.
    pub(crate) fn set_ahead(&self, seconds: i64) {
        // Never half-written where the server reads it.
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{seconds:+}\n")).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o644)).unwrap();
        fs::rename(new, &self.file).unwrap();
    }

    /// What makes a program look at it. Durations are measured by another clock, which stays as it is.
    fn environment(&self, library: &Path) -> [String; 4] {
        [
            format!("LD_PRELOAD={}", library.display()),
            format!("FAKETIME_TIMESTAMP_FILE={}", self.file.display()),
            "FAKETIME_NO_CACHE=1".to_owned(),
            "FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
        ]
    }
}

/// A database on such a server, and its clock; `None` where the server or libfaketime is not there, which skips by name.
pub(crate) fn stepped(engine: Engine) -> Option<(Box<dyn std::any::Any>, Db, Clock)> {
    let model = Db::of(engine)?;
    let Some(library) = library() else {
        eprintln!(
            "skipped: libfaketime is not there (apt-get install libfaketime) ({})",
            model.name
        );
        return None;
    };
    match engine {
        Engine::Postgres => {
            let (server, clock) = Postgres::start(&model, &library);
            let db = Db::at(engine, &server.url);
            Some((Box::new(server), db, clock))
        }
        Engine::MariaDb => {
            let ground = Ground::find(&model)?;
            ground.set_up("stepped");
            let clock = Clock::new(&ground.place(""));
            let server: Own = ground.start_in("stepped", &[], &clock.environment(&library));
            let db = Db::at(engine, &server.url);
            Some((Box::new(MariaDb { server, _ground: ground }), db, clock))
        }
    }
}

fn library() -> Option<PathBuf> {
    let folders =
        fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    let folders = folders.chain(["/usr/lib", "/usr/local/lib"].map(PathBuf::from));
    let mut found = folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1"));
    found.find(|path| path.is_file())
}

/// A MariaDB under such a clock. It ends with the value, in order: killed, it would leave shared memory behind.
struct MariaDb {
    server: Own,
    _ground: Ground,
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        self.server.stop();
    }
}

/// A PostgreSQL under such a clock. It ends with the value.
struct Postgres {
    url: String,
    server: Child,
    _folder: tempfile::TempDir,
}

impl Postgres {
    fn start(model: &Db, library: &Path) -> (Self, Clock) {
        let programs =
            PathBuf::from(model.value("SELECT setting FROM pg_config WHERE name = 'BINDIR'"));
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        if rustix::process::getuid().is_root() {
            chown(folder.path(), Some(65_534), Some(65_534)).unwrap();
        }
        let run = |program: &str, environment: &[String]| {
            let mut command = as_nobody(&programs.join(program), environment);
            command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
            command.stderr(Stdio::null()).env("LC_ALL", "C");
            command
        };
        let made = run("initdb", &[])
            .args([
                "-D",
                "data",
                "-U",
                "zdm",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-locale",
                "--no-sync",
            ])
            .status()
            .unwrap();
        assert!(made.success(), "PostgreSQL could not be set up");
        let clock = Clock::new(folder.path());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = run("postgres", &clock.environment(library))
            .args(["-D", "data", "-p", &port.to_string(), "-c", "unix_socket_directories="])
            .args([
                "-c",
                "fsync=off",
                "-c",
                "dynamic_shared_memory_type=mmap",
                "-c",
                "timezone=UTC",
            ])
            .spawn()
            .unwrap();
        let url = format!("postgres://zdm:secret@127.0.0.1:{port}");
        let begun = Instant::now();
        while Session::try_open(&format!("{url}/postgres")).is_err() {
            assert!(begun.elapsed() < Duration::from_mins(1), "PostgreSQL does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        (Self { url, server, _folder: folder }, clock)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Killed, it would leave shared memory behind.
        let pid = self.server.id().to_string();
        drop(Command::new("kill").args(["-s", "QUIT", &pid]).status());
        drop(self.server.wait());
    }
}
