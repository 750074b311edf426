//! What stops a backfill, and lets it go on: each signal as it really is.

use zdm::scratch::{self, Durability};

use super::{Running, filled, looking_often, state_table, until, users};
use crate::cli::Project;
use crate::support::{self, Db, Engine};

const FILLED: &str = "SELECT count(*) FROM users WHERE domain = 'x'";

/// A project whose backfill of `users` is next.
fn expanded(db: &Db, rows: u32, signals: &str) -> Project {
    users(db, rows);
    let project = Project::on(db);
    looking_often(&project, signals);
    filled(&project, "'x'");
    project.zdm(&["expand"]).ended(0);
    project
}

/// Why the backfill waits, as others see it; empty when it does not.
fn waits_for(db: &Db) -> String {
    let table = state_table(db, "backfill");
    let rows = db.rows(&format!("SELECT COALESCE(waits_for, '') FROM {table}"));
    rows.first().map(|row| row.concat()).unwrap_or_default()
}

#[track_caller]
fn until_it_waits_for(db: &Db, running: &mut Running, what: &str) {
    until(what, || running.has_ended() || waits_for(db).contains(what));
    assert!(!running.has_ended(), "it did not wait for {what}");
}

#[test]
fn a_file_a_query_and_a_command_stop_it_and_let_it_go_on() {
    support::each(|db| {
        db.run("CREATE TABLE late (why varchar(20))");
        db.run("INSERT INTO late VALUES ('the mail')");
        let signals = "[backfill.signals]\nfile = \"halt\"\ncommand = \"sh may-run\"\n\
             query = \"SELECT count(*), max(why) FROM late\"\n";
        let project = expanded(db, 3000, signals);
        project.file("halt", "");
        project.file("may-run", "echo the shop is open; exit 1\n");
        let mut running = Running::start(project.command(&["migrate"]));
        until_it_waits_for(db, &mut running, "file halt is there");
        let reasons = waits_for(db);
        assert!(reasons.contains("the query says: the mail"), "{reasons}");
        assert!(reasons.contains("command `sh may-run` says: the shop is open"), "{reasons}");
        std::fs::remove_file(project.path().join("halt")).unwrap();
        db.run("DELETE FROM late");
        until("the command alone", || {
            waits_for(db).contains(": command") || waits_for(db).starts_with("command")
        });
        assert_eq!(db.value(FILLED), "0");
        project.file("may-run", "exit 0\n");
        running.end().ended(0).says("file halt is there").says("goes on");
        assert_eq!(db.value(FILLED), "3000");
    });
}

#[test]
fn a_signal_that_cannot_be_read_stops_it_and_says_so() {
    support::each(|db| {
        let signals =
            "[backfill.signals]\nquery = \"SELECT n FROM nothing\"\ncommand = \"sh may-run\"\n";
        let project = expanded(db, 100, signals);
        project.file("may-run", "exit 7\n");
        let mut running = Running::start(project.command(&["migrate"]));
        until_it_waits_for(db, &mut running, "signal query cannot be read");
        let reasons = waits_for(db);
        assert!(reasons.contains("signal command cannot be read"), "{reasons}");
        project.file("may-run", "exit 0\n");
        until("the query alone", || !waits_for(db).contains("command"));
        assert_eq!(db.value(FILLED), "0");
        db.run("CREATE TABLE nothing (n int)");
        db.run("INSERT INTO nothing VALUES (0)");
        running.end().ended(0).says("nothing");
        assert_eq!(db.value(FILLED), "100");
    });
}

#[test]
fn no_batch_runs_in_a_time_that_is_frozen() {
    support::each(|db| {
        let always = "[backfill.signals]\nfreeze = [\"Mon-Sun 00:00-24:00\"]\n";
        let project = expanded(db, 100, always);
        let mut running = Running::start(project.command(&["migrate"]));
        until_it_waits_for(db, &mut running, "no batch runs in Mon-Sun 00:00-24:00");
        running.signal("TERM");
        running.end().ended(143);
        assert_eq!(db.value(FILLED), "0");
        // Half a day and more from now.
        let hours = match db.engine {
            Engine::Postgres => "SELECT extract(hour FROM now() AT TIME ZONE 'UTC')::int",
            Engine::MariaDb => "SELECT HOUR(UTC_TIMESTAMP())",
        };
        let hour = (db.value(hours).parse::<u32>().unwrap() + 12) % 24;
        let other = format!("[backfill.signals]\nfreeze = [\"{hour:02}:00-{hour:02}:30\"]\n");
        looking_often(&project, &other);
        project.zdm(&["migrate"]).ended(0);
        assert_eq!(db.value(FILLED), "100");
    });
}

#[test]
fn those_who_wait_behind_a_batch_stop_it() {
    support::each(|db| {
        let project =
            expanded(db, 4000, "[backfill.signals]\nlock_waiters = 1\nactive_sessions = 1000\n");
        // A batch that takes long, because of a trigger of the user's.
        let sleeps = match db.engine {
            Engine::Postgres => {
                db.run(
                    "CREATE FUNCTION sleeps() RETURNS trigger LANGUAGE plpgsql AS \
                     $$ BEGIN PERFORM pg_sleep(1); RETURN NEW; END $$",
                );
                db.run(
                    "CREATE TRIGGER sleeps BEFORE UPDATE ON users FOR EACH ROW \
                     WHEN (NEW.id = 401) EXECUTE FUNCTION sleeps()",
                );
                format!(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND wait_event = 'PgSleep'",
                    db.name
                )
            }
            Engine::MariaDb => {
                db.run(
                    "CREATE TRIGGER sleeps BEFORE UPDATE ON users FOR EACH ROW \
                     BEGIN IF NEW.id = 401 THEN DO SLEEP(1); END IF; END",
                );
                format!(
                    "SELECT count(*) FROM information_schema.processlist WHERE db = '{}' AND state = 'User sleep'",
                    db.name
                )
            }
        };
        let mut running = Running::start(project.command(&["migrate"]));
        until("the slow batch", || running.has_ended() || db.value(&sleeps) == "1");
        let waiter = db.session();
        let pending = waiter.start("UPDATE users SET name = 'other' WHERE id = 1");
        // On MariaDB whoever waits for a row anywhere on the server counts, those of other tests, too.
        running.end().ended(0).says(" for locks behind the batch (limit 1)").says("goes on");
        pending.answer().unwrap();
        assert_eq!(db.value(FILLED), "4000");
        assert_eq!(db.value("SELECT name FROM users WHERE id = 1"), "other");
    });
}

#[test]
fn sessions_that_the_role_may_not_see_are_no_load_that_is_known() {
    let Some(db) = support::postgres() else { return };
    let url = db.user("owner");
    let owner = db.user_name("owner");
    db.run(&format!("GRANT ALL ON DATABASE {} TO {owner}", db.name));
    db.run(&format!("GRANT ALL ON SCHEMA public TO {owner}"));
    users(&db, 10);
    db.run(&format!("ALTER TABLE users OWNER TO {owner}"));
    let project = Project::on(&db).at(&url);
    looking_often(&project, "[backfill.signals]\nactive_sessions = 1000\n");
    filled(&project, "'x'");
    project.zdm(&["expand"]).ended(0);
    let other = db.session();
    other.run("SELECT 1");
    let mut running = Running::start(project.command(&["migrate"]));
    until_it_waits_for(&db, &mut running, "GRANT pg_read_all_stats");
    db.run(&format!("GRANT pg_read_all_stats TO {owner}"));
    running.end().ended(0);
}

/// A PostgreSQL of the test's own, on which everything can be made that stops a backfill.
#[test]
fn replicas_slots_sessions_and_the_archive_command_of_a_server_stop_it() {
    if !Engine::Postgres.is_there() {
        return;
    }
    let mut server = scratch::postgres(Durability::Fast).unwrap();
    let url = server.url("").trim_end_matches('/').to_owned();
    let db = Db::at(Engine::Postgres, &url);
    db.run("ALTER SYSTEM SET archive_mode = on");
    db.run("ALTER SYSTEM SET archive_command = 'false'");
    server.crash();
    server.start_again().unwrap();
    let signals = "[backfill.signals]\nactive_sessions = 3\nreplica_lag = \"500ms\"\n";
    let project = expanded(&db, 60_000, signals);

    // The archive command, a slot, sessions.
    db.run("SELECT pg_switch_wal()");
    let failed = "SELECT (failed_count > 0)::int FROM pg_stat_archiver";
    until("a failure of the archive command", || db.value(failed) == "1");
    db.run("SELECT pg_create_physical_replication_slot('left_alone', true)");
    let sleepers: Vec<_> = (0..3).map(|_| db.session()).collect();
    let asleep: Vec<_> = sleepers.iter().map(|one| one.start("SELECT pg_sleep(600)")).collect();
    let mut running = Running::start(project.command(&["migrate"]));
    until_it_waits_for(&db, &mut running, "the archive command fails");
    let reasons = waits_for(&db);
    assert!(reasons.contains("nobody reads slot left_alone"), "{reasons}");
    assert!(reasons.contains("sessions are active (limit 3)"), "{reasons}");
    db.run("SELECT pg_drop_replication_slot('left_alone')");
    db.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
    for one in asleep {
        drop(one.answer());
    }
    until("the archiver alone", || !waits_for(&db).contains(';'));
    assert_eq!(db.value(FILLED), "0");
    running.signal("TERM");
    running.end().ended(143);
    db.run("ALTER SYSTEM SET archive_command = 'true'");
    db.run("SELECT pg_reload_conf()");
    let works = "SELECT (last_archived_time > last_failed_time)::int FROM pg_stat_archiver";
    until("the archive command", || {
        // It is tried again when there is something new.
        db.run("SELECT pg_logical_emit_message(true, 'a', 'test')");
        db.run("SELECT pg_switch_wal()");
        db.value(works) == "1"
    });

    // A replica that stops replaying, and one that goes away.
    let Some(replica) = support::standby(&db) else { return };
    let there = "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn IS NOT NULL";
    until("the replica", || db.value(there) == "1");
    let on_replica = support::Session::open(&replica.url);
    project.zdm(&["backfill", "set", "1", "--max-rows", "300", "--share", "10"]).ended(0);
    let mut running = Running::start(project.command(&["migrate"]));
    until("the first batch", || running.has_ended() || db.value(FILLED) != "0");
    on_replica.run("SELECT pg_wal_replay_pause()");
    until_it_waits_for(&db, &mut running, "s behind (limit 0.5 s)");
    let before = db.value(FILLED);
    assert!(before != "0" && before != "60000", "{before}");
    on_replica.run("SELECT pg_wal_replay_resume()");
    until("another batch", || db.value(FILLED) != before);
    drop(on_replica);
    drop(replica);
    until_it_waits_for(&db, &mut running, "was there and is gone");
    running.signal("INT");
    running.end().ended(130).says("replica walreceiver at");
    // Whoever begins anew knows of no replica.
    project.zdm(&["backfill", "set", "1", "--reset"]).ended(0);
    project.zdm(&["migrate", "--full-speed"]).ended(0);
    assert_eq!(db.value(FILLED), "60000");
}

/// A primary and a replica of the test's own.
#[test]
fn a_replica_of_mariadb_that_is_late_or_lost_stops_it() {
    let Some(shared) = support::mariadb() else { return };
    let Some(mut pair) = support::pair(&shared) else { return };
    let db = Db::at(Engine::MariaDb, &pair.primary);
    let signals = format!(
        "[backfill.signals]\nreplica_lag = \"500ms\"\n[database]\nreplica_urls = [\"{}/{}\"]\n",
        pair.replica, db.name
    );
    let project = expanded(&db, 30_000, &signals);
    project.zdm(&["backfill", "set", "1", "--max-rows", "100", "--share", "10"]).ended(0);
    let url = format!("{}/{}", pair.replica, db.name);
    until("the table on the replica", || {
        support::Session::try_open(&url)
            .is_ok_and(|replica| replica.try_run("SELECT domain FROM users LIMIT 1").is_ok())
    });
    let replica = support::Session::open(&url);
    replica.run("FLUSH TABLES WITH READ LOCK");
    let mut running = Running::start(project.command(&["migrate"]));
    until_it_waits_for(&db, &mut running, "s behind (limit 0.5 s)");
    assert!(!waits_for(&db).contains("secret"), "{}", waits_for(&db));
    let before = db.value(FILLED);
    assert!(before != "0" && before != "30000", "{before}");
    replica.run("UNLOCK TABLES");
    until("another batch", || running.has_ended() || db.value(FILLED) != before);
    drop(replica);
    pair.lose_replica();
    until_it_waits_for(&db, &mut running, "could not ask replica");
    running.signal("TERM");
    running.end().ended(143).says("s behind");
    looking_often(&project, "");
    project.zdm(&["backfill", "set", "1", "--reset"]).ended(0);
    project.zdm(&["migrate", "--full-speed"]).ended(0);
    assert_eq!(db.value(FILLED), "30000");
}
