//! A MariaDB with a binary log, and a real replica of it: for what only replication can show.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Db, Session};

/// A primary and its replica. They end with the value.
#[derive(Debug)]
pub(crate) struct Pair {
    /// The address of the primary, without a database.
    pub(crate) primary: String,
    /// The address of the replica, without a database.
    pub(crate) replica: String,
    servers: [Child; 2],
    _folder: tempfile::TempDir,
}

/// Starts both; `None` where the programs of a database's server are not to be found, which skips by name.
pub(crate) fn pair(db: &Db) -> Option<Pair> {
    let base = PathBuf::from(db.value("SELECT @@basedir"));
    let find = |name: &str| {
        let folders =
            ["sbin", "bin", "scripts", "libexec"].map(|folder| base.join(folder).join(name));
        folders.into_iter().find(|path| path.is_file())
    };
    let (Some(server), Some(install)) = (find("mariadbd"), find("mariadb-install-db")) else {
        eprintln!("skipped: the programs of MariaDB are not in {} ({})", base.display(), db.name);
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    if rustix::process::getuid().is_root() {
        chown(folder.path(), Some(65_534), Some(65_534)).unwrap();
    }
    let run = |program: &Path| {
        let mut command = if rustix::process::getuid().is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(Stdio::null()).arg("--no-defaults");
        command
    };
    let small =
        ["--innodb-log-file-size=16M", "--innodb-use-native-aio=0", "--innodb-doublewrite=0"];
    let data = |name: &str| folder.path().join(name);
    let mut installing = run(&install);
    installing.arg(format!("--datadir={}", data("primary").display())).args(small);
    installing.arg(format!("--basedir={}", base.display()));
    installing.args(["--auth-root-authentication-method=socket", "--skip-test-db"]);
    assert!(installing.status().unwrap().success(), "MariaDB could not be set up");
    let copied = Command::new("cp").arg("-a").args([data("primary"), data("replica")]).status();
    assert!(copied.unwrap().success());
    let user = "CREATE OR REPLACE USER 'zdm'@'%' IDENTIFIED BY 'secret';\n\
                GRANT ALL PRIVILEGES ON *.* TO 'zdm'@'%' WITH GRANT OPTION;\n";
    fs::write(data("init.sql"), user).unwrap();
    let (first, second) = (free_port(), free_port());
    let start = |name: &str, number: u8, port: u16| {
        let mut command = run(&server);
        command.arg(format!("--datadir={}", data(name).display()));
        command.arg(format!("--socket={}", data(name).join("socket").display()));
        command.arg(format!("--init-file={}", data("init.sql").display()));
        command.arg(format!("--port={port}")).arg(format!("--server-id={number}"));
        command
            .args(["--bind-address=127.0.0.1", "--log-bin=log", "--binlog-format=ROW"])
            .args(small);
        command.args(["--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0"]);
        command.spawn().unwrap()
    };
    let servers = [start("primary", 1, first), start("replica", 2, second)];
    let url = |port: u16| format!("mariadb://zdm:secret@127.0.0.1:{port}");
    let pair = Pair { primary: url(first), replica: url(second), servers, _folder: folder };
    for server in [&pair.primary, &pair.replica] {
        let begun = Instant::now();
        while Session::try_open(&format!("{server}/mysql")).is_err() {
            assert!(begun.elapsed() < Duration::from_mins(1), "MariaDB does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    let replica = Session::open(&format!("{}/mysql", pair.replica));
    replica.run(&format!(
        "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {first}, MASTER_USER = 'zdm', \
         MASTER_PASSWORD = 'secret', MASTER_CONNECT_RETRY = 1"
    ));
    replica.run("START SLAVE");
    Some(pair)
}

impl Pair {
    /// Ends the replica as `kill -9` does.
    pub(crate) fn lose_replica(&mut self) {
        let [_, replica] = &mut self.servers;
        replica.kill().unwrap();
        replica.wait().unwrap();
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for server in &mut self.servers {
            drop(server.kill());
            drop(server.wait());
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
