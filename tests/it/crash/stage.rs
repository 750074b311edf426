//! What the faults happen to: a database with a table, a project with a migration of every kind of step, and what can be
//! seen of both.

use std::cell::RefCell;

use zdm::scratch::{self, Durability, Scratch};

use crate::cli::{Project, said};
use crate::engine::{CONTRACT, PURGE, state_table, users};
use crate::support::{Db, Engine};

/// How many rows there are before anybody writes.
pub(super) const ROWS: u32 = 700;

/// A command of the migration's life.
#[derive(Debug)]
pub(super) struct Step {
    /// Its name in the list of points.
    pub(super) name: &'static str,
    /// What is typed.
    pub(super) arguments: &'static [&'static str],
    /// The states between which it leads.
    pub(super) from: &'static str,
    pub(super) to: &'static str,
}

const EXPAND: &[&str] = &["expand"];
const MIGRATE: &[&str] = &["migrate"];
const BACK: &[&str] = &["rollback", "1", "--to", "pending"];
const REVEAL: &[&str] = &["rollback", "1", "--to", "migrated"];

/// The life: every way there is.
pub(super) const LIFE: &[Step] = &[
    Step { name: "expand", arguments: EXPAND, from: "pending", to: "expanded" },
    Step { name: "migrate", arguments: MIGRATE, from: "expanded", to: "migrated" },
    Step { name: "contract", arguments: CONTRACT, from: "migrated", to: "hidden" },
    Step { name: "reveal", arguments: REVEAL, from: "hidden", to: "migrated" },
    Step { name: "rollback", arguments: BACK, from: "migrated", to: "pending" },
    Step { name: "purge", arguments: PURGE, from: "hidden", to: "purged" },
];

/// A database, its project, and perhaps a server of its own.
pub(super) struct Stage {
    pub(super) project: Project,
    pub(super) db: Db,
    pub(super) server: Option<RefCell<Scratch>>,
}

impl Stage {
    /// On the server of all tests; none when there is none.
    pub(super) fn shared(engine: Engine) -> Option<Self> {
        Some(Self::on(Db::of(engine)?, None))
    }

    /// On a durable server of its own, which may crash.
    pub(super) fn alone(engine: Engine) -> Option<Self> {
        if !engine.is_there() {
            return None;
        }
        let server = match engine {
            Engine::Postgres => scratch::postgres(Durability::Durable),
            Engine::MariaDb => scratch::mariadb(Durability::Durable),
        };
        let server = server.unwrap();
        Some(Self::on(Db::at(engine, server.url("").trim_end_matches('/')), Some(server)))
    }

    fn on(db: Db, server: Option<Scratch>) -> Self {
        let project = Project::on(&db);
        write(&project, db.engine);
        let stage = Self { project, db, server: server.map(RefCell::new) };
        stage.furnish();
        stage
    }

    /// Another database on the same server: what was purged does not come back.
    pub(super) fn anew(&mut self) {
        self.db = match &self.server {
            Some(server) => Db::at(self.db.engine, server.borrow().url("").trim_end_matches('/')),
            None => Db::of(self.db.engine).unwrap(),
        };
        self.project = Project::on(&self.db);
        write(&self.project, self.db.engine);
        self.furnish();
    }

    /// The tables, the state, and the triggers through which a test refuses writes.
    fn furnish(&self) {
        users(&self.db, ROWS);
        self.db.run("CREATE TABLE totals (id int PRIMARY KEY, expanded int NOT NULL)");
        self.db.run("INSERT INTO totals VALUES (1, 0)");
        let mut first = self.project.command(EXPAND);
        // By then it has made its state, and nothing else.
        first.env("ZDM_FAULT", "run-locked");
        said(first).ended(-1);
        super::faults::furnish(&self.db);
    }

    /// The migration's state.
    pub(super) fn state(&self) -> String {
        let table = state_table(&self.db, "migration");
        let rows = self.db.rows(&format!("SELECT state FROM {table} WHERE id LIKE '0001%'"));
        rows.first().map_or_else(|| "pending".to_owned(), |row| row.concat())
    }

    /// The schema and the journal, as text; what differs from run to run (times, tokens, epochs) is left out.
    pub(super) fn seen(&self) -> Vec<Vec<String>> {
        let mut seen = Vec::new();
        let journal = [
            ("migration", "id, state"),
            ("step", "phase, name, progress"),
            ("backfill", "migration, step, done"),
            ("fence", "migration, kind, status"),
            ("run", "id, token, owner, expires_at"),
        ];
        for (table, columns) in journal {
            let sql = format!(
                "SELECT '{table}', {columns} FROM {} ORDER BY 2, 3",
                state_table(&self.db, table)
            );
            seen.extend(self.db.rows(&sql));
        }
        seen.extend(self.db.rows("SELECT 'totals', expanded FROM totals"));
        for sql in schema(self.db.engine) {
            seen.extend(self.db.rows(sql));
        }
        seen
    }
}

/// A rename, which brings columns, triggers, a backfill, constraints and a verification; an index that no transaction may
/// hold; and a change of rows that must happen exactly once.
fn write(project: &Project, engine: Engine) {
    crate::engine::rename(project);
    let (make, drop) = match engine {
        Engine::Postgres => (
            "CREATE INDEX CONCURRENTLY by_expanded ON totals (expanded);",
            "DROP INDEX CONCURRENTLY IF EXISTS by_expanded;",
        ),
        Engine::MariaDb => (
            "ALTER TABLE totals ADD INDEX by_expanded (expanded);",
            "ALTER TABLE totals DROP INDEX by_expanded;",
        ),
    };
    let folder = "migrations/0001_title";
    let more = "UPDATE totals SET expanded = expanded + 1 WHERE id = 1;";
    let less = "UPDATE totals SET expanded = expanded - 1 WHERE id = 1;";
    project.file(&format!("{folder}/expand.sql"), &format!("{more}\n{make}\n"));
    project.file(&format!("{folder}/rollback.sql"), &format!("{less}\n{drop}\n"));
}

fn schema(engine: Engine) -> &'static [&'static str] {
    match engine {
        Engine::Postgres => &[
            "SELECT 'column', attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid) \
             FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum \
             WHERE attrelid = 'users'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attname",
            "SELECT 'index', pg_get_indexdef(indexrelid), indisvalid FROM pg_index \
             WHERE indrelid IN ('users'::regclass, 'totals'::regclass) ORDER BY 2",
            "SELECT 'trigger', pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'users'::regclass ORDER BY 2",
            "SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint \
             WHERE conrelid = 'users'::regclass ORDER BY 2",
            "SELECT 'function', pg_get_functiondef(oid) FROM pg_proc \
             WHERE pronamespace = 'public'::regnamespace ORDER BY 2",
        ],
        Engine::MariaDb => &[
            "SELECT 'column', column_name, column_type, is_nullable, column_default FROM information_schema.columns \
             WHERE table_schema = DATABASE() AND table_name = 'users' ORDER BY 2",
            "SELECT 'index', index_name, column_name, seq_in_index FROM information_schema.statistics \
             WHERE table_schema = DATABASE() AND table_name IN ('users', 'totals') ORDER BY 2, 4",
            "SELECT 'trigger', trigger_name, action_timing, event_manipulation, action_statement \
             FROM information_schema.triggers \
             WHERE trigger_schema = DATABASE() AND event_object_table = 'users' ORDER BY 2",
            "SELECT 'constraint', constraint_name, check_clause FROM information_schema.check_constraints \
             WHERE constraint_schema = DATABASE() AND table_name = 'users' ORDER BY 2",
        ],
    }
}
