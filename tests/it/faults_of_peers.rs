//! What was found by running other expand/contract engines (pgroll 0.16.2, reshape 0.11.2, PostgreSQL 17): fifteen faults, F1
//! to F15. None of them may happen to zdm, on any of its databases that it concerns. `benches/peers.py` does the same to those
//! engines' binaries; docs/benchmarks.md has what it saw.

use std::time::{Duration, Instant};

use crate::cli::{Project, said};
use crate::engine::{
    CONTRACT, PURGE, Running, fill, filled, index_beside_a_transaction, rename, state, until, users,
};
use crate::support::{self, Db, Engine, Session};

/// How many names are no longer what they were.
fn lost(db: &Db, column: &str) -> String {
    db.value(&format!(
        "SELECT count(*) FROM users WHERE {column} IS NULL OR {column} <> concat('n', id)"
    ))
}

/// A project on a table of so many rows, whose rename is expanded.
fn expanded(db: &Db, rows: u32) -> Project {
    users(db, rows);
    let project = Project::on(db);
    rename(&project);
    project.zdm(&["expand"]).ended(0);
    project
}

/// Starts a migrate, and waits until it has filled something.
fn filling(db: &Db, project: &Project) -> Running {
    let mut running = Running::start(project.command(&["migrate"]));
    until("the first batch", || {
        running.has_ended() || db.value("SELECT count(*) FROM users WHERE title IS NOT NULL") != "0"
    });
    running
}

/// A session that has read a table and left its transaction open.
fn idle_in_transaction(db: &Db, table: &str) -> Session {
    let holder = db.session();
    holder.run("START TRANSACTION");
    holder.run(&format!("SELECT count(*) FROM {table}"));
    holder
}

/// pgroll: `start` was killed, `complete` said SUCCESS, and 691,000 of 1,000,000 names were lost.
#[test]
fn f01_a_contract_after_a_killed_backfill_takes_nothing_away() {
    support::each(|db| {
        let project = expanded(db, 3000);
        let mut faulty = project.command(&["migrate"]);
        faulty.env("ZDM_FAULT", "batch-after-commit");
        said(faulty).ended(-1);
        project.zdm(CONTRACT);
        assert_eq!((state(db, "0001").as_str(), lost(db, "name").as_str()), ("migrating", "0"));
        project.zdm(&["migrate"]).ended(0);
        project.zdm(CONTRACT).ended(0);
        assert_eq!(lost(db, "title"), "0");
    });
}

/// pgroll: `complete` from a second shell while `start` still filled; 790,000 of 1,000,000 names were lost.
#[test]
fn f02_a_contract_beside_a_running_backfill_is_refused() {
    support::each(|db| {
        let project = expanded(db, 40_000);
        let running = filling(db, &project);
        project.zdm(CONTRACT).ended(6).says("another run").says("zdm migrate");
        running.end().ended(0);
        assert_eq!((lost(db, "name").as_str(), lost(db, "title").as_str()), ("0", "0"));
    });
}

/// pgroll: a syntax error in `up` was swallowed: rc 0 twice, and every row NULL.
#[test]
fn f03_a_mistake_in_what_fills_the_rows_ends_with_an_error_and_no_value_is_lost() {
    support::each(|db| {
        users(db, 300);
        let project = Project::on(db);
        filled(&project, "upper(name");
        let ended = ["expand", "migrate", "contract"].map(|command| project.zdm(&[command]).code);
        assert_ne!(ended[..2], [0, 0]);
        assert_ne!(state_or_none(db), "purged");
        assert_eq!(lost(db, "name"), "0");
        // A column that is not there is found by the server at the latest.
        filled(&project, "upper(nmae)");
        project.zdm(&["expand"]);
        let said = project.zdm(&["migrate"]);
        assert_ne!(said.code, 0);
        said.says("nmae");
        filled(&project, "upper(name)");
        project.zdm(&["expand"]).ended(0);
        project.zdm(&["migrate"]).ended(0);
        assert_eq!(db.value("SELECT count(*) FROM users WHERE domain = upper(name)"), "300");
    });
}

fn state_or_none(db: &Db) -> String {
    let table = crate::engine::state_table(db, "migration");
    let found = db.session().start(&format!("SELECT state FROM {table}")).answer();
    found.unwrap_or_default().concat().concat()
}

/// pgroll: trigger DDL ran on a connection without `lock_timeout`; with a transaction idle for 12 s, a plain SELECT waited
/// 10.5 s.
#[test]
fn f04_nobody_waits_behind_zdm_while_a_transaction_stays_open() {
    support::each(|db| {
        let project = expanded(db, 300);
        project.zdm(&["migrate"]).ended(0);
        let commands: [&[&str]; 2] = [CONTRACT, &["rollback", "1", "--to", "pending"]];
        for command in commands {
            let holder = idle_in_transaction(db, "users");
            let mut running = Running::start(project.command(command));
            let (reader, begun, mut longest) = (db.session(), Instant::now(), Duration::ZERO);
            while begun.elapsed() < Duration::from_millis(1500) {
                let one = Instant::now();
                reader.run("SELECT count(*) FROM users WHERE id = 7");
                longest = longest.max(one.elapsed());
                std::thread::sleep(Duration::from_millis(2));
            }
            assert!(!running.has_ended(), "{command:?} did not wait for the transaction");
            holder.run("COMMIT");
            running.end().ended(0);
            assert!(longest < Duration::from_millis(900), "{command:?}: {longest:?}");
        }
    });
}

/// pgroll: the first batch met a lock for more than 500 ms; the retry asked for `id > ''`, and all was rolled back.
#[test]
fn f05_a_first_batch_that_meets_a_lock_is_tried_again() {
    support::each(|db| {
        let project = expanded(db, 1200);
        let holder = db.session();
        holder.run("START TRANSACTION");
        holder.run("UPDATE users SET id = id WHERE id = 5");
        let mut running = Running::start(project.command(&["migrate"]));
        std::thread::sleep(Duration::from_secs(1));
        assert!(!running.has_ended());
        holder.run("COMMIT");
        running.end().ended(0);
        assert_eq!(lost(db, "title"), "0");
    });
}

/// pgroll: any backfill of a table whose key is GENERATED ALWAYS AS IDENTITY failed.
#[test]
fn f06_a_generated_key_can_be_filled_over() {
    support::each(|db| {
        let key = match db.engine {
            Engine::Postgres => "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
            Engine::MariaDb => "bigint AUTO_INCREMENT PRIMARY KEY",
        };
        db.run(&format!("CREATE TABLE users (id {key}, name varchar(50) NOT NULL)"));
        fill(db, "users (name)", "'?'", 700);
        db.run("UPDATE users SET name = concat('n', id)");
        let project = Project::on(db);
        rename(&project);
        for command in [&["expand"], &["migrate"], CONTRACT, PURGE] as [&[&str]; 4] {
            project.zdm(command).ended(0);
        }
        db.run("INSERT INTO users (title) VALUES ('new')");
        assert_eq!(db.value("SELECT count(*) FROM users WHERE title = concat('n', id)"), "700");
        assert_eq!(db.value("SELECT count(*) FROM users WHERE title = 'new'"), "1");
    });
}

/// reshape: `complete` of three actions met a lock at the second; run again it said rc 0, and skipped the rest for good.
#[test]
fn f07_what_a_lock_held_up_is_done_by_the_next_run() {
    support::each(|db| {
        let project = Project::on(db);
        let mut toml = String::new();
        for table in ["a", "b", "c"] {
            db.run(&format!("CREATE TABLE {table} (id bigint PRIMARY KEY, x int)"));
            fill(db, table, "n, n", 10);
            let operation = "[[operation]]\nkind = \"rename_column\"\nfrom = \"x\"\nto = \"y\"\n";
            toml.extend([operation, "table = \"", table, "\"\n"]);
        }
        project.file("migrations/0001_three/migration.toml", &toml);
        project.zdm(&["expand"]).ended(0);
        project.zdm(&["migrate"]).ended(0);
        let holder = idle_in_transaction(db, "b");
        let contract = [CONTRACT, &["--lock-wait", "2s"]].concat();
        project.zdm(&contract).ended(6).says("hide column x of b");
        holder.run("COMMIT");
        project.zdm(CONTRACT).ended(0);
        project.zdm(PURGE).ended(0);
        for table in ["a", "b", "c"] {
            assert_eq!(db.value(&format!("SELECT sum(y) FROM {table}")), "55");
            assert!(db.session().try_run(&format!("SELECT x FROM {table}")).is_err());
        }
    });
}

/// Both: `lock_timeout` also ended CREATE INDEX CONCURRENTLY, which waits for old transactions by its nature; the second try
/// met the invalid index of the first, and the migration was given up. PostgreSQL alone has such a statement.
#[test]
fn f08_an_index_is_built_concurrently_beside_an_open_transaction() {
    let Some(db) = support::postgres() else { return };
    let (project, holder) = index_beside_a_transaction(&db);
    let mut running = Running::start(project.command(&["expand"]));
    std::thread::sleep(Duration::from_secs(2));
    assert!(!running.has_ended());
    holder.run("COMMIT");
    running.end().ended(0);
    assert_eq!(
        db.rows("SELECT relname, indisvalid FROM pg_index JOIN pg_class ON oid = indexrelid WHERE relname = 'by_name'"),
        [["by_name", "t"]]
    );
}

/// Both: with two entries in `search_path` the new client was taken for an old one, and its value was thrown away. zdm knows
/// no version by `search_path`; MariaDB has none.
#[test]
fn f09_a_clients_search_path_does_not_decide_what_is_kept() {
    let Some(db) = support::postgres() else { return };
    let project = expanded(&db, 10);
    project.zdm(&["migrate"]).ended(0);
    db.run("CREATE SCHEMA other");
    for (path, id) in
        [("public", 1), ("other, public", 2), ("public, other", 3), ("pg_temp, public", 4)]
    {
        let client = db.session();
        client.run(&format!("SET search_path = {path}"));
        client.run(&format!("UPDATE users SET title = 'new' WHERE id = {id}"));
        client.run(&format!("UPDATE users SET name = 'old' WHERE id = {id} + 4"));
    }
    let blind = db.session();
    blind.run("SET search_path = ''");
    blind.run("UPDATE public.users SET title = 'new' WHERE id = 9");
    let kept = "SELECT count(*) FROM users WHERE name = title AND name = CASE WHEN id IN (1, 2, 3, 4, 9) THEN 'new' \
                WHEN id IN (5, 6, 7, 8) THEN 'old' ELSE 'n10' END";
    assert_eq!(db.value(kept), "10");
}

/// Both: `complete` while a session used the old version: rc 0, no warning, and the old session's next query failed.
#[test]
fn f10_contract_is_refused_while_nobody_can_say_that_the_old_build_is_gone() {
    support::each(|db| {
        let project = expanded(db, 10);
        project.zdm(&["migrate"]).ended(0);
        let old = db.session();
        project.zdm(&["contract"]).ended(5).says("api");
        let mut lived = Running::start(project.command(&[
            "report",
            "--service",
            "api",
            "--version",
            "41",
            "--",
            "sleep",
            "60",
        ]));
        let leases = format!("SELECT count(*) FROM {}", crate::engine::state_table(db, "lease"));
        until("the old build's lease", || lived.has_ended() || db.value(&leases) == "1");
        project.zdm(&["contract"]).ended(4).says("41").says("no fence is left");
        old.run("UPDATE users SET name = 'still here' WHERE id = 1");
        assert_eq!(old.value("SELECT title FROM users WHERE id = 1"), "still here");
        lived.signal("TERM");
        lived.end();
    });
}

/// Both: an application that does not own the tables was denied after `start`, as grants were not copied.
#[test]
fn f11_an_application_without_ownership_reads_and_writes_all_the_time() {
    support::each(|db| {
        users(db, 10);
        let url = db.user("app");
        let user = match db.engine {
            Engine::Postgres => db.user_name("app"),
            Engine::MariaDb => format!("'{}'@'%'", db.user_name("app")),
        };
        db.run(&format!("GRANT SELECT, INSERT, UPDATE, DELETE ON users TO {user}"));
        let project = Project::on(db);
        rename(&project);
        let app = Session::open(&url);
        let write = |column: &str, id: u32| {
            app.run(&format!("INSERT INTO users (id, {column}) VALUES ({id}, 'x')"));
            app.run(&format!("UPDATE users SET {column} = concat({column}, 'y') WHERE id = {id}"));
            assert_eq!(app.value(&format!("SELECT {column} FROM users WHERE id = {id}")), "xy");
        };
        project.zdm(&["expand"]).ended(0);
        write("name", 11);
        write("title", 12);
        project.zdm(&["migrate"]).ended(0);
        write("name", 13);
        write("title", 14);
        project.zdm(CONTRACT).ended(0);
        write("title", 15);
        project.zdm(PURGE).ended(0);
        write("title", 16);
    });
}

/// reshape: through its views the application saw 10 of 10 rows, not the one that its policy allows. zdm has no views; but
/// its backfill must see every row, and the application no more than before. MariaDB has no policies.
#[test]
fn f12_row_security_hides_as_much_as_before_and_the_backfill_sees_everything() {
    let Some(db) = support::postgres() else { return };
    users(&db, 10);
    let url = db.user("app");
    let user = db.user_name("app");
    db.run(&format!("GRANT SELECT, INSERT, UPDATE ON users TO {user}"));
    db.run("ALTER TABLE users ENABLE ROW LEVEL SECURITY");
    db.run("ALTER TABLE users FORCE ROW LEVEL SECURITY");
    db.run("CREATE POLICY own ON users USING (id = 3)");
    let project = Project::on(&db);
    rename(&project);
    let app = Session::open(&url);
    for command in [&["expand"], &["migrate"], CONTRACT, PURGE] as [&[&str]; 4] {
        project.zdm(command).ended(0);
        assert_eq!(app.value("SELECT count(*) FROM users"), "1", "after {command:?}");
    }
    assert_eq!(app.value("SELECT title FROM users"), "n3");
    assert_eq!(lost(&db, "title"), "0");
}

/// Both: commands that did nothing ended with rc 0: pgroll's `start` without a baseline, its `migrate` while one is active,
/// reshape's `start` while one is.
#[test]
fn f13_a_command_that_could_not_do_its_work_says_so_by_its_exit_code() {
    support::each(|db| {
        users(db, 40_000);
        let project = Project::on(db);
        project.zdm(&["expand"]).ended(2).says("migrations");
        rename(&project);
        project.zdm(&["expand"]).ended(0);
        let running = filling(db, &project);
        for command in ["expand", "migrate", "contract", "purge"] {
            project.zdm(&[command]).ended(6).says("another run");
        }
        project.zdm(&["rollback", "1"]).ended(6);
        running.end().ended(0);
        project.zdm(&["contract"]).ended(5);
        // A table that is there already, and was never recorded.
        db.run("CREATE TABLE things (id bigint PRIMARY KEY)");
        let create = "CREATE TABLE things (id bigint PRIMARY KEY);\n";
        project.file("migrations/0002_things/expand.sql", create);
        let said = project.zdm(&["expand"]);
        assert_ne!(said.code, 0);
        said.says("things").says("not done: 0002_things");
    });
}

/// Both: SIGTERM during a backfill left triggers and a half filled column. pgroll's `start` was refused from then on, and its
/// `complete` took the state for a good one; reshape began at the first row again.
#[test]
fn f14_sigterm_in_a_backfill_stops_at_a_checkpoint_and_the_same_command_goes_on() {
    support::each(|db| {
        let project = expanded(db, 40_000);
        let running = filling(db, &project);
        running.signal("TERM");
        running.end().ended(143).says("Run the same command again");
        let filled: u32 =
            db.value("SELECT count(*) FROM users WHERE title IS NOT NULL").parse().unwrap();
        assert!(filled > 0 && filled < 40_000, "{filled}");
        project.zdm(CONTRACT);
        assert_eq!((state(db, "0001").as_str(), lost(db, "name").as_str()), ("migrating", "0"));
        project.zdm(&["migrate", "--full-speed"]).ended(0);
        assert_eq!(lost(db, "title"), "0");
        assert_eq!(state(db, "0001"), "migrated");
    });
}

/// Both: when all sessions ended in mid-backfill (a fail-over), `start` failed; pgroll rolled everything back or stayed in
/// progress, as after SIGTERM, reshape began at the first row when run again.
#[test]
fn f15_a_backfill_whose_sessions_all_end_goes_on_by_itself() {
    support::each(|db| {
        let project = expanded(db, 40_000);
        let own = db.session();
        let before = sessions(&own, db.engine);
        let running = filling(db, &project);
        for session in sessions(&own, db.engine) {
            if !before.contains(&session) {
                drop(own.try_run(&match db.engine {
                    Engine::Postgres => format!("SELECT pg_terminate_backend({session})"),
                    Engine::MariaDb => format!("KILL {session}"),
                }));
            }
        }
        running.end().ended(0);
        assert_eq!(lost(db, "title"), "0");
        assert_eq!(state(db, "0001"), "migrated");
    });
}

/// The sessions on the database, by number.
fn sessions(own: &Session, engine: Engine) -> Vec<String> {
    let sql = match engine {
        Engine::Postgres => "SELECT pid FROM pg_stat_activity WHERE datname = current_database()",
        Engine::MariaDb => "SELECT id FROM information_schema.processlist WHERE db = database()",
    };
    own.rows(sql).into_iter().flatten().collect()
}
