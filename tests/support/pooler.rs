//! A real pgbouncer before the throwaway PostgreSQL, in transaction mode: what hides clients from the server.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Db;

const PROGRAM: &str = "/usr/sbin/pgbouncer";

/// A pooler. It ends with the value.
#[derive(Debug)]
pub(crate) struct Pooler {
    port: u16,
    database: String,
    child: Child,
    _folder: tempfile::TempDir,
}

/// Starts a pooler before a database's server, which lets in a user of [`Db::user`]; `None` when pgbouncer is not there,
/// which skips by name.
pub(crate) fn pooler(db: &Db, user: &str) -> Option<Pooler> {
    if !Path::new(PROGRAM).is_file() {
        eprintln!("skipped: pgbouncer is not there ({})", db.name);
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = port_of(&db.url);
    let settings = format!(
        "[databases]\n{0} = host=127.0.0.1 port={server} dbname={0} password=secret\n[pgbouncer]\n\
         listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = plain\n\
         auth_file = {1}/users.txt\npool_mode = transaction\nadmin_users = console\nlogfile = {1}/log\n",
        db.name,
        folder.path().display()
    );
    fs::write(folder.path().join("pgbouncer.ini"), settings).unwrap();
    let users = format!("\"{user}\" \"secret\"\n\"console\" \"secret\"\n");
    fs::write(folder.path().join("users.txt"), users).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = if rustix::process::getuid().is_root() {
        chown(folder.path(), Some(65_534), Some(65_534)).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", PROGRAM]);
        command
    } else {
        Command::new(PROGRAM)
    };
    let child = command
        .arg(folder.path().join("pgbouncer.ini"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pooler = Pooler { port, database: db.name.clone(), child, _folder: folder };
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < Duration::from_mins(1), "pgbouncer does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    Some(pooler)
}

fn port_of(url: &str) -> String {
    url.rsplit_once('/').unwrap().0.rsplit_once(':').unwrap().1.to_owned()
}

impl Pooler {
    /// The database through it, for a user.
    pub(crate) fn url(&self, user: &str) -> String {
        format!(
            "postgres://{user}:secret@127.0.0.1:{}/{}?sslmode=disable",
            self.port, self.database
        )
    }

    /// Its admin console.
    pub(crate) fn console(&self) -> String {
        format!("postgres://console:secret@127.0.0.1:{}/pgbouncer?sslmode=disable", self.port)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
