//! MariaDB servers of a test's own, with options of its own.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Db, Session};

/// Where the programs are, and a folder for data. Servers must end before it.
#[derive(Debug)]
pub(crate) struct Ground {
    base: PathBuf,
    server: PathBuf,
    install: PathBuf,
    folder: tempfile::TempDir,
}

/// A server. It ends with the value.
#[derive(Debug)]
pub(crate) struct Own {
    /// Its address as the user `zdm`, without a database.
    pub(crate) url: String,
    /// Its port on 127.0.0.1.
    pub(crate) port: u16,
    process: Child,
}

const SMALL: [&str; 3] =
    ["--innodb-log-file-size=16M", "--innodb-use-native-aio=0", "--innodb-doublewrite=0"];

impl Ground {
    /// `None` where the programs of a database's server are not to be found, which skips by name.
    pub(crate) fn find(db: &Db) -> Option<Self> {
        let base = PathBuf::from(db.value("SELECT @@basedir"));
        let find = |name: &str| {
            let folders =
                ["sbin", "bin", "scripts", "libexec"].map(|folder| base.join(folder).join(name));
            folders.into_iter().find(|path| path.is_file())
        };
        let (Some(server), Some(install)) = (find("mariadbd"), find("mariadb-install-db")) else {
            eprintln!(
                "skipped: the programs of MariaDB are not in {} ({})",
                base.display(),
                db.name
            );
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        if rustix::process::getuid().is_root() {
            chown(folder.path(), Some(65_534), Some(65_534)).unwrap();
        }
        Some(Self { base, server, install, folder })
    }

    /// A place in the folder.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, program: &Path, environment: &[String]) -> Command {
        let mut command = as_nobody(program, environment);
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(Stdio::null()).arg("--no-defaults");
        command
    }

    /// Makes the data of a server, in which the user `zdm` may do everything.
    pub(crate) fn set_up(&self, name: &str) {
        let mut installing = self.run(&self.install, &[]);
        installing.arg(format!("--datadir={}", self.place(name).display())).args(SMALL);
        installing.arg(format!("--basedir={}", self.base.display()));
        installing.args(["--auth-root-authentication-method=socket", "--skip-test-db"]);
        assert!(installing.status().unwrap().success(), "MariaDB could not be set up");
        let user = "CREATE OR REPLACE USER 'zdm'@'%' IDENTIFIED BY 'secret';\n\
                    GRANT ALL PRIVILEGES ON *.* TO 'zdm'@'%' WITH GRANT OPTION;\n";
        fs::write(self.place("init.sql"), user).unwrap();
    }

    /// Starts a server on the data of a name, and waits until it answers.
    pub(crate) fn start(&self, name: &str, options: &[String]) -> Own {
        self.start_in(name, options, &[])
    }

    /// The same, with these variables in its environment.
    pub(crate) fn start_in(&self, name: &str, options: &[String], environment: &[String]) -> Own {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = self.run(&self.server, environment);
        command.arg(format!("--datadir={}", self.place(name).display()));
        command.arg(format!("--socket={}", self.place(name).join("socket").display()));
        command.arg(format!("--init-file={}", self.place("init.sql").display()));
        command.arg(format!("--port={port}")).arg("--bind-address=127.0.0.1").args(SMALL);
        command.args(["--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0"]);
        let process = command.args(options).spawn().unwrap();
        let own = Own { url: format!("mariadb://zdm:secret@127.0.0.1:{port}"), port, process };
        let begun = Instant::now();
        while Session::try_open(&format!("{}/mysql", own.url)).is_err() {
            assert!(begun.elapsed() < Duration::from_mins(1), "MariaDB does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        own
    }
}

/// A program under an account without rights, with variables (`NAME=value`) that it alone sees.
pub(super) fn as_nobody(program: &Path, environment: &[String]) -> Command {
    let mut command = if rustix::process::getuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "env"]);
        command
    } else {
        Command::new("env")
    };
    command.args(environment).arg(program);
    command
}

impl Own {
    /// Lets it end in order.
    pub(crate) fn stop(&mut self) {
        let pid = self.process.id().to_string();
        drop(Command::new("kill").args(["-s", "TERM", &pid]).status());
        drop(self.process.wait());
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.kill();
    }
}
