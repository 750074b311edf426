//! A throwaway MariaDB.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::folder::Folder;
use super::{Durability, Recipe, ScratchError, USER, find};

const TITLE: &str = "MariaDB";
const INSTALL: &str = "Install it (Debian, Ubuntu: apt-get install mariadb-server; Fedora: dnf install mariadb-server; \
    macOS: brew install mariadb), or run scripts/servers.sh, or name the directory of its programs in ZDM_MARIADB_BIN.";

/// What is the same for every use: small, and room for many clients.
const SETTINGS: &[&str] = &[
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--max-connections=200",
    "--innodb-buffer-pool-size=64M",
    "--innodb-log-file-size=32M",
    // Containers often have no room for it.
    "--innodb-use-native-aio=0",
    "--character-set-server=utf8mb4",
    "--default-time-zone=+00:00",
    "--log-warnings=1",
];
const FAST: &[&str] =
    &["--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--sync-binlog=0"];
const DURABLE: &[&str] = &["--innodb-flush-log-at-trx-commit=1"];

/// Where its programs are.
#[derive(Debug)]
pub(super) struct MariaDb {
    server: PathBuf,
    install: PathBuf,
}

impl MariaDb {
    /// Looks for them: distributions put the server among the administrator's programs, the installer among the user's.
    pub(super) fn find() -> Result<Self, ScratchError> {
        let mut usual =
            ["/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/usr/bin", "/usr/local/mysql/bin"]
                .map(PathBuf::from)
                .to_vec();
        usual.extend(find::versions(&find::cache().join("mariadb"), "bin"));
        let find = |program: &str| {
            find::directory_of(program, "ZDM_MARIADB_BIN", &usual)
                .map(|directory| directory.join(program))
                .ok_or_else(|| ScratchError::missing(TITLE, INSTALL))
        };
        let server = find("mariadbd")?;
        let install = find("mariadb-install-db").or_else(|missing| {
            // A tarball has it in the directory beside.
            let beside = server
                .parent()
                .and_then(|bin| bin.parent())
                .map(|base| base.join("scripts/mariadb-install-db"));
            beside.filter(|path| path.is_file()).ok_or(missing)
        })?;
        Ok(Self { server, install })
    }
}

impl Recipe for MariaDb {
    fn account(&self) -> &'static str {
        "mysql"
    }

    fn stop_signal(&self) -> &'static str {
        // Its data is thrown away: nothing to flush.
        "KILL"
    }

    fn initialise(&self, folder: &mut Folder, password: &str) -> Result<(), ScratchError> {
        let failed = |said: String| ScratchError::failed(TITLE, said);
        let mut command = Command::new(&self.install);
        command
            .arg("--no-defaults")
            .arg(format!("--datadir={}", folder.data().display()))
            .args([
                "--auth-root-authentication-method=socket",
                "--skip-test-db",
                "--skip-name-resolve",
            ])
            .args(["--innodb-log-file-size=32M", "--innodb-use-native-aio=0"])
            .args(["--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0"]);
        if let Some(base) = self.server.parent().and_then(|bin| bin.parent()) {
            command.arg(format!("--basedir={}", base.display()));
        }
        folder.run(&mut command).map_err(failed)?;
        // Read by the server at its start, before it takes connections.
        let text = format!(
            "CREATE OR REPLACE USER '{USER}'@'%' IDENTIFIED BY '{password}';\n\
             GRANT ALL PRIVILEGES ON *.* TO '{USER}'@'%' WITH GRANT OPTION;\n"
        );
        folder.secret("init.sql", &text).map_err(|source| failed(source.to_string()))?;
        Ok(())
    }

    fn command(&self, folder: &Folder, port: u16, durability: Durability) -> Command {
        let data = folder.data();
        let mut command = Command::new(&self.server);
        command
            .arg("--no-defaults")
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--socket={}", data.join("socket").display()))
            .arg(format!("--pid-file={}", data.join("pid").display()))
            .arg(format!("--tmpdir={}", data.display()))
            .arg(format!("--init-file={}", data.with_file_name("init.sql").display()))
            .arg(format!("--port={port}"))
            .args(SETTINGS)
            .args(if durability == Durability::Fast { FAST } else { DURABLE });
        command
    }

    fn answers(&self, _folder: &Folder, port: u16) -> bool {
        // It greets who connects with a packet: three bytes of length, a number, and the protocol's version, 10.
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let greeting =
            TcpStream::connect_timeout(&address, Duration::from_secs(1)).and_then(|mut stream| {
                stream.set_read_timeout(Some(Duration::from_secs(1)))?;
                let mut greeting = [0; 5];
                stream.read_exact(&mut greeting)?;
                Ok(greeting)
            });
        matches!(greeting, Ok([_, _, _, 0, 10]))
    }

    fn title(&self) -> &'static str {
        TITLE
    }
}
