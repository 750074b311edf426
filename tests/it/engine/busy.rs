//! When others are in the way: another run, or a lock.

use std::time::{Duration, Instant};

use super::{
    Running, filled, index_beside_a_transaction, rename, state, state_table, until, users,
};
use crate::cli::Project;
use crate::support::{self, Engine};

#[test]
fn a_second_run_is_refused_and_names_the_first() {
    support::each(|db| {
        users(db, 40_000);
        let project = Project::on(db);
        filled(&project, "'x'");
        project.zdm(&["expand"]).ended(0);
        let mut running = Running::start(project.command(&["migrate"]));
        until("the first batch", || {
            running.has_ended() || db.value("SELECT count(*) FROM users WHERE domain = 'x'") != "0"
        });
        project.zdm(&["migrate"]).ended(6).says("another run").says("zdm migrate");
        project.zdm(&["migrate", "--run-wait", "5m"]).ended(0);
        running.end().ended(0);
        assert_eq!(db.value("SELECT count(*) FROM users WHERE domain = 'x'"), "40000");
    });
}

#[test]
fn many_runs_at_once_on_a_new_database_do_everything_once() {
    support::each(|db| {
        users(db, 100);
        let project = Project::on(db);
        filled(&project, "'x'");
        let start = |_| Running::start(project.command(&["expand", "--run-wait", "1m"]));
        let runs: Vec<_> = (0..6).map(start).collect();
        for run in runs {
            run.end().ended(0);
        }
        assert_eq!(state(db, "0001"), "expanded");
        let steps = state_table(db, "step");
        assert_eq!(db.value(&format!("SELECT count(*) FROM {steps}")), "1");
    });
}

#[test]
fn a_lock_that_somebody_holds_is_waited_for_and_nobody_queues_behind() {
    support::each(|db| {
        users(db, 100);
        let project = Project::on(db);
        rename(&project);
        let holder = db.session();
        holder.run("START TRANSACTION");
        holder.run("SELECT count(*) FROM users");
        let running = Running::start(project.command(&["expand", "--lock-wait", "1m"]));
        // An application's statements while zdm waits.
        let application = db.session();
        let began = Instant::now();
        let mut slowest = Duration::ZERO;
        while began.elapsed() < Duration::from_secs(4) {
            let one = Instant::now();
            application.run("UPDATE users SET name = 'y' WHERE id = 7");
            slowest = slowest.max(one.elapsed());
        }
        assert!(slowest < Duration::from_millis(900), "{slowest:?}");
        holder.run("COMMIT");
        running.end().ended(0);
        assert_eq!(state(db, "0001"), "expanded");
    });
}

#[test]
fn a_lock_that_is_never_given_back_ends_in_busy_with_the_holder_by_name() {
    support::each(|db| {
        users(db, 100);
        let project = Project::on(db);
        rename(&project);
        let holder = db.session();
        holder.run("START TRANSACTION");
        holder.run("SELECT count(*) FROM users");
        let said = project.zdm(&["expand", "--lock-wait", "3s"]).ended(6);
        said.says("users").says(&holder.backend.to_string());
        assert!(db.session().try_run("SELECT title FROM users").is_err());
        holder.run("ROLLBACK");
        project.zdm(&["expand"]).ended(0);
    });
}

#[test]
fn an_index_is_built_while_an_old_transaction_is_open_and_waits_for_it_by_name() {
    let Some(db) = support::postgres() else { return };
    let (project, holder) = index_beside_a_transaction(&db);
    project.zdm(&["expand", "--lock-wait", "2s"]).ended(6).says(&holder.backend.to_string());
    let invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
    assert_eq!(db.value(invalid), "1");
    // The next run waits in the drop of what the first left invalid, for the same transaction.
    let working = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                    AND state = 'active' AND query ILIKE '%INDEX CONCURRENTLY%' AND pid <> pg_backend_pid()";
    until("the end of the first run's session", || db.value(working) == "0");
    let running = Running::start(project.command(&["expand"]));
    until("the next run", || db.value(working) == "1");
    running.signal("INT");
    running.end().ended(130);
    holder.run("COMMIT");
    project.zdm(&["expand"]).ended(0);
    assert_eq!(db.value(invalid), "0");
    assert_eq!(db.value("SELECT count(*) FROM pg_indexes WHERE indexname = 'by_name'"), "1");
}

#[test]
fn a_row_that_somebody_locks_holds_up_the_backfill_until_it_is_free() {
    support::each(|db| {
        users(db, 1000);
        let project = Project::on(db);
        filled(&project, "'x'");
        project.zdm(&["expand"]).ended(0);
        let holder = db.session();
        holder.run("START TRANSACTION");
        holder.run("UPDATE users SET name = 'held' WHERE id = 600");
        let said = project.zdm(&["migrate", "--lock-wait", "4s"]).ended(6);
        said.says("users").says(&holder.backend.to_string());
        holder.run("COMMIT");
        project.zdm(&["migrate"]).ended(0);
        assert_eq!(db.value("SELECT count(*) FROM users WHERE domain = 'x'"), "1000");
        assert_eq!(db.value("SELECT name FROM users WHERE id = 600"), "held");
    });
}

#[test]
fn a_server_that_is_read_only_is_refused_by_name() {
    let Some(db) = support::postgres() else { return };
    let project = Project::on(&db);
    filled(&project, "'x'");
    db.run(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", db.name));
    let said = project.zdm(&["expand"]).ended(1);
    assert_eq!(db.engine, Engine::Postgres);
    said.says("read-only").says("127.0.0.1");
}

#[test]
fn a_standby_is_refused_and_shows_where_things_stand() {
    let Some((_server, db)) = support::primary() else { return };
    users(&db, 10);
    let project = Project::on(&db);
    filled(&project, "'x'");
    let Some(standby) = support::standby(&db) else { return };
    let on_standby = |command| project.zdm(&[command, "--database-url", &standby.url]);
    on_standby("expand").ended(1).says("read-only").says("address of the primary");
    assert_eq!(db.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'zdm'"), "0");
    project.zdm(&["expand"]).ended(0);
    on_standby("migrate").ended(1).says("read-only");
    let written = db.value("SELECT pg_current_wal_insert_lsn()");
    let session = support::Session::open(&standby.url);
    let has_it = format!("SELECT pg_last_wal_replay_lsn() >= '{written}'");
    until("the standby has it", || session.value(&has_it) == "t");
    on_standby("status").ended(0).says("expanded");
}

/// Dead rows, and an autovacuum that takes minutes over them.
const LONG_AUTOVACUUM: &str = "
    ALTER TABLE users SET (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1);
    UPDATE users SET name = name || 'x';
";

#[test]
fn an_autovacuum_gives_way_and_nobody_waits_behind_it() {
    if !Engine::Postgres.is_there() {
        return;
    }
    // A server of its own: others would not like an autovacuum every second.
    let server = zdm::scratch::postgres(zdm::scratch::Durability::Fast).unwrap();
    let url = server.url("postgres");
    let session = support::Session::open(&url);
    session.run("ALTER SYSTEM SET autovacuum_naptime = '1s'");
    session.run("SELECT pg_reload_conf()");
    session.run("CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50) NOT NULL)");
    session.run("INSERT INTO users SELECT g, 'n' FROM generate_series(1, 50000) g");
    session.run(LONG_AUTOVACUUM);
    let running =
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'autovacuum: VACUUM%users%'";
    until("the autovacuum", || session.value(running) == "1");

    let project = Project::empty();
    project.file("zdm.toml", "[database]\nengine = \"postgres\"\nversion = \"15\"\n");
    project.file("migrations/0001_age/expand.sql", "ALTER TABLE users ADD COLUMN age int;\n");
    let mut expand = Running::start(project.command(&["expand", "--database-url", &url]));
    let mut longest = Duration::ZERO;
    while !expand.has_ended() {
        let begun = Instant::now();
        session.run("UPDATE users SET name = 'y' WHERE id = 7");
        longest = longest.max(begun.elapsed());
        std::thread::sleep(Duration::from_millis(5));
    }
    expand.end().ended(0);
    assert_eq!(session.value("SELECT count(age) FROM users"), "0");
    assert!(longest < Duration::from_millis(700), "a writer waited for {longest:?}");
}
