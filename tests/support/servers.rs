//! One throwaway server of each family for the test binary, one database for each test.
//!
//! ```ignore
//! #[test]
//! fn a_table_is_renamed_on_both() {
//!     support::each(|db| {
//!         db.run("CREATE TABLE users (id bigint PRIMARY KEY)");
//!         assert_eq!(db.rows("SELECT count(*) FROM users"), [["0"]]);
//!     });
//! }
//!
//! #[test]
//! fn only_postgres_has_it() {
//!     let Some(db) = support::postgres() else { return };
//!     ...
//! }
//! ```
//!
//! A server that is not installed skips the test, by name; with `CI=true` or `ZDM_REQUIRE_SERVERS=1` it fails it.
//! The servers end with the test process, however that ends: see `zdm::scratch`.

use std::fmt;
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use zdm::scratch::{self, Durability, Scratch, ScratchError};

use super::session::Session;

/// A family of servers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Engine {
    Postgres,
    MariaDb,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Engine {
    /// The word of `zdm.toml`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::MariaDb => "mariadb",
        }
    }

    /// Whether its servers can be had; skips by name, as [`postgres`] does.
    pub(crate) fn is_there(self) -> bool {
        self.server().is_some()
    }

    fn server(self) -> Option<&'static Scratch> {
        static POSTGRES: OnceLock<Result<Scratch, ScratchError>> = OnceLock::new();
        static MARIADB: OnceLock<Result<Scratch, ScratchError>> = OnceLock::new();
        let server = match self {
            Self::Postgres => POSTGRES.get_or_init(|| scratch::postgres(Durability::Fast)),
            Self::MariaDb => MARIADB.get_or_init(|| scratch::mariadb(Durability::Fast)),
        };
        match server {
            Ok(server) => Some(server),
            Err(missing) if missing.is_missing() && !servers_are_required() => {
                // Not print!: the test passes, and its output would not be shown.
                let text = format!("skipped: {missing} ({})\n", test_name());
                std::io::stderr().write_all(text.as_bytes()).unwrap();
                None
            }
            Err(error) => panic!("{error}\n{}", error.install().unwrap_or_default()),
        }
    }
}

fn servers_are_required() -> bool {
    let set = |name| std::env::var(name).is_ok_and(|value| !matches!(&*value, "" | "0" | "false"));
    set("CI") || set("ZDM_REQUIRE_SERVERS")
}

/// The test that runs, as libtest names its thread.
fn test_name() -> String {
    std::thread::current().name().unwrap_or("a test").to_owned()
}

/// A fresh, empty database on PostgreSQL, or `None` when there is no PostgreSQL.
pub(crate) fn postgres() -> Option<Db> {
    Db::new(Engine::Postgres)
}

/// A fresh, empty database on MariaDB, or `None` when there is no MariaDB.
pub(crate) fn mariadb() -> Option<Db> {
    Db::new(Engine::MariaDb)
}

/// Runs a scenario on a fresh database of each family that is there, and on each server of `ZDM_MATRIX`.
pub(crate) fn each(scenario: impl Fn(&Db)) {
    for engine in [Engine::Postgres, Engine::MariaDb] {
        if let Some(db) = Db::new(engine) {
            eprintln!("on {engine}:");
            scenario(&db);
        }
    }
    for db in matrix() {
        eprintln!("on {}:", db.url);
        scenario(&db);
    }
}

/// A database of a test's own. Dropped with the value, whoever is still connected.
#[derive(Debug)]
pub(crate) struct Db {
    /// Its family.
    pub(crate) engine: Engine,
    /// Its name: unique on the server, and a good prefix for the names of roles.
    pub(crate) name: String,
    /// Its address, as a user that may do everything.
    pub(crate) url: String,
    server: Server,
}

/// Where a database is.
#[derive(Clone, Debug)]
enum Server {
    /// A throwaway server of this process.
    Own(&'static Scratch),
    /// One that somebody else has started: its address without a database.
    Other(String),
}

impl Server {
    fn url(&self, database: &str) -> String {
        match self {
            Self::Own(scratch) => scratch.url(database),
            Self::Other(url) => format!("{url}/{database}"),
        }
    }
}

/// A fresh database on each server of `ZDM_MATRIX`, which `scripts/matrix.sh` sets: `postgres:13=URL mysql:9.7=URL`.
pub(crate) fn matrix() -> Vec<Db> {
    let servers = std::env::var("ZDM_MATRIX").unwrap_or_default();
    let db = |server: &str| {
        let (name, url) = server.split_once('=').unwrap();
        let engine = match name.split(':').next() {
            Some("postgres") => Engine::Postgres,
            _ => Engine::MariaDb,
        };
        Db::on(engine, Server::Other(url.to_owned()))
    };
    servers.split_whitespace().map(db).collect()
}

impl Db {
    fn new(engine: Engine) -> Option<Self> {
        Some(Self::on(engine, Server::Own(engine.server()?)))
    }

    /// A fresh database of a family; `None` when there is no server.
    pub(crate) fn of(engine: Engine) -> Option<Self> {
        Self::new(engine)
    }

    /// A fresh database on a server of the test's own: its address without a database.
    pub(crate) fn at(engine: Engine, server: &str) -> Self {
        Self::on(engine, Server::Other(server.to_owned()))
    }

    fn on(engine: Engine, server: Server) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        // Short: MariaDB's names of users end at 80 characters, PostgreSQL's names at 63.
        let last = test_name();
        let last = last.rsplit("::").next().unwrap_or_default();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("t{number}_{}", last.chars().take(40).collect::<String>());
        let name = name.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        let db = Self { engine, url: server.url(&name), name, server };
        db.admin().run(&format!("CREATE DATABASE {}", db.name));
        db
    }

    fn admin(&self) -> Session {
        self.try_admin().unwrap_or_else(|error| panic!("could not connect: {error}"))
    }

    fn try_admin(&self) -> Result<Session, String> {
        let database = match self.engine {
            Engine::Postgres => "postgres",
            Engine::MariaDb => "mysql",
        };
        Session::try_open(&self.server.url(database))
    }

    /// A connection of the test's own, which stays open: for locks and transactions.
    pub(crate) fn session(&self) -> Session {
        Session::open(&self.url)
    }

    /// Runs statements, and panics with the server's words when one fails.
    pub(crate) fn run(&self, sql: &str) {
        self.session().run(sql);
    }

    /// The rows of a query as text; NULL is `NULL`.
    pub(crate) fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        self.session().rows(sql)
    }

    /// The first column of the first row of a query, as text.
    pub(crate) fn value(&self, sql: &str) -> String {
        self.session().value(sql)
    }

    /// Makes a user that may log in and nothing else, and returns the address of this database for it. The user's name is
    /// the database's name and `_name`.
    pub(crate) fn user(&self, name: &str) -> String {
        let user = self.user_name(name);
        match self.engine {
            Engine::Postgres => self.run(&format!("CREATE ROLE {user} LOGIN PASSWORD 'secret'")),
            Engine::MariaDb => {
                self.run(&format!("CREATE USER '{user}'@'%' IDENTIFIED BY 'secret'"));
            }
        }
        let port = self.url.rsplit(':').next().and_then(|rest| rest.split('/').next()).unwrap();
        format!("{}://{user}:secret@127.0.0.1:{port}/{}", self.engine, self.name)
    }

    /// The full name of a user made by [`Self::user`].
    pub(crate) fn user_name(&self, name: &str) -> String {
        format!("{}_{name}", self.name)
    }
}

impl Drop for Db {
    fn drop(&mut self) {
        let (name, force) = match self.engine {
            Engine::Postgres => (&self.name, " WITH (FORCE)"),
            Engine::MariaDb => (&self.name, ""),
        };
        // A server that a test has ended has no database any more.
        let Ok(admin) = self.try_admin() else { return };
        if self.engine == Engine::MariaDb {
            // A session that a failed test left in a transaction would hold up DROP DATABASE.
            let left = format!("SELECT id FROM information_schema.processlist WHERE db = '{name}'");
            for row in admin.rows(&left) {
                drop(admin.try_run(&format!("KILL {}", row.concat())));
            }
        }
        drop(admin.try_run(&format!("DROP DATABASE {name}{force}")));
    }
}
