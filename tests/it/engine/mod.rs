//! Whole runs on real servers: phases, locks, interrupts, crashes.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::cli::{Project, Said};
use crate::support::{Db, Engine, Session};

mod backfill;
mod busy;
mod fail_over;
mod life;
mod odd;
mod pooler;
mod signals;
mod writers;

/// A table of people in rows of 1 to `rows`, with a name each, as it stands before the migrations of these tests.
pub(crate) fn users(db: &Db, rows: u32) {
    let text = match db.engine {
        Engine::Postgres => "text",
        Engine::MariaDb => "varchar(50)",
    };
    db.run(&format!("CREATE TABLE users (id bigint PRIMARY KEY, name {text} NOT NULL)"));
    fill(db, "users (id, name)", "n, concat('n', n)", rows);
}

/// Inserts rows in which `n` counts from 1.
pub(crate) fn fill(db: &Db, into: &str, values: &str, rows: u32) {
    let numbers = match db.engine {
        Engine::Postgres => format!("generate_series(1, {rows}) n"),
        Engine::MariaDb => format!("(SELECT seq AS n FROM seq_1_to_{rows}) numbers"),
    };
    db.run(&format!("INSERT INTO {into} SELECT {values} FROM {numbers}"));
}

/// The migration that these tests are about: users.name becomes users.title.
pub(crate) fn rename(project: &Project) {
    project.file(
        "migrations/0001_title/migration.toml",
        "[[operation]]\nkind = \"rename_column\"\ntable = \"users\"\nfrom = \"name\"\nto = \"title\"\n",
    );
}

/// A migration that fills a new column of `users` by hand.
pub(crate) fn filled(project: &Project, set: &str) {
    project.file(
        "migrations/0001_domain/expand.sql",
        "ALTER TABLE users ADD COLUMN domain varchar(100);\n",
    );
    project.file(
        "migrations/0001_domain/migration.toml",
        &format!(
            "[[backfill]]\ntable = \"users\"\nset = \"domain = {set}\"\nwhere = \"domain IS NULL\"\n\
             verify = \"domain IS NULL\"\n"
        ),
    );
}

/// A migration that builds an index concurrently, and a transaction that has written to its table and stays open.
pub(crate) fn index_beside_a_transaction(db: &Db) -> (Project, Session) {
    users(db, 100);
    let project = Project::on(db);
    project
        .file("migrations/0001_i/expand.sql", "CREATE INDEX CONCURRENTLY by_name ON users (name);");
    let holder = db.session();
    holder.run("BEGIN");
    holder.run("INSERT INTO users VALUES (1000, 'z')");
    (project, holder)
}

/// A zdm.toml in which a backfill looks at its signals often, and what a test wants of them.
pub(crate) fn looking_often(project: &Project, signals: &str) {
    let rest = "[services.api]\n[gate]\nsoak = \"0s\"\n[backfill]\nlook_every = \"50ms\"\n";
    project.file("zdm.toml", &format!("{rest}{signals}"));
}

/// Contract without anybody who reports: what is not under test is overridden.
pub(crate) const CONTRACT: &[&str] =
    &["contract", "--override", "leases", "--override", "soak", "--reason", "a test"];

/// Purge at once.
pub(crate) const PURGE: &[&str] = &["purge", "--override", "keep_for", "--reason", "a test"];

/// The state of a migration, by the start of its name.
pub(crate) fn state(db: &Db, id: &str) -> String {
    let table = state_table(db, "migration");
    db.value(&format!("SELECT state FROM {table} WHERE id LIKE '{id}%'"))
}

/// A table of zdm's state.
pub(crate) fn state_table(db: &Db, name: &str) -> String {
    match db.engine {
        Engine::Postgres => format!("zdm.{name}"),
        Engine::MariaDb => format!("zdm_{name}"),
    }
}

/// A command that was started and not waited for.
pub(crate) struct Running(Child);

impl Running {
    /// Starts it.
    pub(crate) fn start(mut command: Command) -> Self {
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Sends it a signal: `INT`, `TERM`, `KILL`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    /// Its number.
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Said {
        let (mut out, mut err) = (String::new(), String::new());
        self.0.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        self.0.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        let code = self.0.wait().unwrap().code().unwrap_or(-1);
        Said { code, out, err }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After its end there is nothing to kill; a test that failed leaves no process behind.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_mins(1), "{what} did not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}
