//! Filling and verifying rows.

use super::{
    CONTRACT, Running, fill, filled, looking_often, rename, state, state_table, until, users,
};
use crate::cli::{Project, said};
use crate::support::{self, Engine};

#[test]
fn keys_of_every_kind_are_gone_through_once() {
    support::each(|db| {
        let (uuid, bytes, make_uuid, make_bytes) = match db.engine {
            Engine::Postgres => {
                ("uuid", "bytea", "md5(n::text)::uuid", "decode(md5(n::text), 'hex')")
            }
            Engine::MariaDb => (
                "uuid",
                "varbinary(16)",
                "CONCAT(LPAD(HEX(n * 2654435761 MOD 4294967296), 8, '0'), '-', LPAD(n, 4, '0'), '-1000-8000-000000000000')",
                "UNHEX(md5(n))",
            ),
        };
        let project = Project::on(db);
        let tables = [
            ("by_text", "k varchar(40) PRIMARY KEY", "concat('k-', n, '''\\\\ ü')".to_owned()),
            ("by_uuid", &format!("k {uuid} PRIMARY KEY"), make_uuid.to_owned()),
            ("by_bytes", &format!("k {bytes} PRIMARY KEY"), make_bytes.to_owned()),
            ("by_number", "k decimal(20,3) PRIMARY KEY", "n - 700.125".to_owned()),
            (
                "by_time",
                "k timestamp(6) PRIMARY KEY",
                "TIMESTAMP '2020-01-01 00:00:00' + INTERVAL '1' SECOND * n".to_owned(),
            ),
            (
                "by_two",
                "k int, l varchar(20), PRIMARY KEY (l, k)",
                "n % 7, concat('l', n)".to_owned(),
            ),
        ];
        let mut toml = String::new();
        for (table, key, value) in tables {
            let value = match (table, db.engine) {
                ("by_time", Engine::MariaDb) => {
                    "TIMESTAMP '2020-01-01 00:00:00' + INTERVAL n SECOND"
                }
                _ => &value,
            };
            db.run(
                &format!("CREATE TABLE {table} ({key}, touched int NOT NULL DEFAULT 0)")
                    .replacen("k ", "k ", 1),
            );
            let columns = if table == "by_two" { "k, l" } else { "k" };
            fill(db, &format!("{table} ({columns})"), value, 1500);
            let backfill = "[[backfill]]\nset = \"touched = touched + 1\"\n";
            toml.extend([backfill, "table = \"", table, "\"\n"]);
        }
        project.file("migrations/0001_touch/migration.toml", &toml);
        project.zdm(&["expand"]).ended(0);
        project.zdm(&["migrate", "--full-speed"]).ended(0);
        for table in ["by_text", "by_uuid", "by_bytes", "by_number", "by_time", "by_two"] {
            let rows = db.rows(&format!("SELECT touched, count(*) FROM {table} GROUP BY touched"));
            assert_eq!(rows, [["1", "1500"]], "{table}");
        }
    });
}

#[test]
fn a_column_with_on_update_keeps_its_value() {
    let Some(db) = support::mariadb() else { return };
    db.run(
        "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50), \
         changed timestamp NOT NULL DEFAULT current_timestamp ON UPDATE current_timestamp)",
    );
    fill(&db, "users", "n, 'x', '2001-02-03'", 50);
    let project = Project::on(&db);
    filled(&project, "'d'");
    project.zdm(&["expand"]).ended(0);
    project.zdm(&["migrate"]).ended(0);
    assert_eq!(
        db.value("SELECT count(*) FROM users WHERE changed = '2001-02-03' AND domain = 'd'"),
        "50"
    );
}

#[test]
fn a_table_without_a_key_is_refused_before_anything_changes() {
    support::each(|db| {
        db.run("CREATE TABLE users (id bigint, name varchar(50))");
        let project = Project::on(db);
        filled(&project, "'d'");
        project.zdm(&["expand"]).ended(2).says("has no primary key").says("users");
        assert!(db.session().try_run("SELECT domain FROM users").is_err());
    });
}

#[test]
fn bad_rows_are_named_and_left_out_until_they_are_corrected() {
    support::each(|db| {
        users(db, 2000);
        db.run("UPDATE users SET name = 'bad' WHERE id IN (1, 1234, 1235, 2000)");
        let project = Project::on(db);
        filled(&project, "name");
        project.zdm(&["expand"]).ended(0);
        db.run("ALTER TABLE users ADD CONSTRAINT no_bad CHECK (domain <> 'bad')");
        project
            .zdm(&["migrate"])
            .ended(1)
            .says("could not fill 4 rows of table")
            .says("id = 1234: ")
            .says("no_bad");
        assert_eq!(db.value("SELECT count(*) FROM users WHERE domain IS NOT NULL"), "1996");
        assert_eq!(db.value(&checkpoint(db)), "2000");
        assert_eq!(state(db, "0001"), "migrating");
        project.zdm(&["status"]).ended(0).says("4 rows could not be filled");
        project.zdm(&["backfill", "parked"]).ended(0).says("backfill-1 (1235): ").says("no_bad");
        project.zdm(CONTRACT).ended(4).says("4 rows").says("zdm migrate");
        // No wait helps, so there is none.
        let waiting = [CONTRACT, &["--wait", "1h", "--format", "json"]].concat();
        project.zdm(&waiting).ended(4).says("\"retryable\": false");

        db.run("UPDATE users SET name = 'good' WHERE id IN (1, 1234)");
        db.run("DELETE FROM users WHERE id = 2000");
        project.zdm(&["migrate"]).ended(1).says("could not fill 1 row of").says("id = 1235");
        db.run("UPDATE users SET name = 'good' WHERE id = 1235");
        project.zdm(&["migrate"]).ended(0);
        project.zdm(&["backfill", "parked"]).ended(0).says("no row was left out");
        assert_eq!(db.value("SELECT count(*) FROM users WHERE domain IS NULL"), "0");
    });
}

#[test]
fn wrong_rows_fail_the_verification_by_number_and_key() {
    support::each(|db| {
        users(db, 800);
        let project = Project::on(db);
        project.file(
            "migrations/0001_domain/migration.toml",
            "[[backfill]]\ntable = \"users\"\nset = \"name = 'x'\"\nwhere = \"id <= 797\"\nverify = \"name <> 'x'\"\n",
        );
        project.zdm(&["expand"]).ended(0);
        project.zdm(&["migrate"]).ended(1).says("3 rows are wrong").says("users").says("id = 799");
        assert_eq!(state(db, "0001"), "migrating");
        db.run("UPDATE users SET name = 'x'");
        project.zdm(&["migrate"]).ended(0);
    });
}

#[test]
fn rows_that_an_old_build_wrote_after_the_backfill_are_filled_by_the_same_command() {
    support::each(|db| {
        users(db, 300);
        let project = Project::on(db);
        filled(&project, "'x'");
        project.zdm(&["expand"]).ended(0);
        let mut faulty = project.command(&["migrate"]);
        faulty.env("ZDM_FAULT", "backfill-filled");
        said(faulty).ended(-1);
        db.run("INSERT INTO users (id, name) VALUES (999, 'late')");
        project.zdm(&["migrate"]).ended(1).says("1 row is wrong").says("id = 999");
        project.zdm(&["migrate"]).ended(0);
        assert_eq!(db.value("SELECT domain FROM users WHERE id = 999"), "x");
    });
}

#[test]
fn sigint_ends_the_backfill_after_its_batch_and_the_same_command_goes_on() {
    stopped_by("INT", 130);
}

#[test]
fn sigterm_ends_the_backfill_after_its_batch_and_the_same_command_goes_on() {
    stopped_by("TERM", 143);
}

fn stopped_by(signal: &str, code: i32) {
    support::each(|db| {
        users(db, 40_000);
        let project = Project::on(db);
        filled(&project, "'x'");
        project.zdm(&["expand"]).ended(0);
        let filled = "SELECT count(*) FROM users WHERE domain = 'x'";
        let mut running = Running::start(project.command(&["migrate"]));
        until("the first batch", || running.has_ended() || db.value(filled) != "0");
        running.signal(signal);
        running.end().ended(code).says("Run the same command again");
        assert_ne!(db.value(filled), "40000");
        assert_eq!(db.value(filled), db.value(&checkpoint(db)));
        project.zdm(&["migrate", "--full-speed"]).ended(0);
        assert_eq!(db.value(filled), "40000");
        assert_eq!(state(db, "0001"), "purged");
    });
}

/// How many rows the checkpoint says are done.
fn checkpoint(db: &support::Db) -> String {
    format!("SELECT rows_done FROM {}", state_table(db, "backfill"))
}

#[test]
fn a_connection_that_is_killed_in_a_batch_is_made_again() {
    support::each(|db| {
        users(db, 30_000);
        let project = Project::on(db);
        rename(&project);
        project.zdm(&["expand"]).ended(0);
        let running = Running::start(project.command(&["migrate"]));
        let filled = "SELECT count(*) FROM users WHERE title IS NOT NULL";
        for _ in 0..3 {
            let before: u32 = db.value(filled).parse().unwrap();
            until("another batch", || {
                db.value(filled).parse::<u32>().unwrap() > before || before == 30_000
            });
            kill_sessions(db);
        }
        running.end().ended(0);
        assert_eq!(
            db.value("SELECT count(*) FROM users WHERE title IS NULL OR title <> name"),
            "0"
        );
    });
}

/// Ends every session of zdm on the database.
fn kill_sessions(db: &support::Db) {
    match db.engine {
        Engine::Postgres => db.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND application_name LIKE 'zdm%'",
        ),
        Engine::MariaDb => {
            let session = db.session();
            let sql = "SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id() AND info LIKE '%users%'";
            for row in session.rows(sql) {
                drop(session.try_run(&format!("KILL {}", row.concat())));
            }
        }
    }
}

#[test]
fn a_paused_backfill_waits_until_it_is_resumed_and_says_who_paused_it() {
    support::each(|db| {
        users(db, 30_000);
        let project = Project::on(db);
        looking_often(&project, "");
        filled(&project, "'x'");
        project.zdm(&["backfill", "pause", "2"]).ended(2).says("there is no migration \"2\"");
        project.zdm(&["backfill", "pause", "1"]).ended(2).says("zdm expand first");
        project.zdm(&["expand"]).ended(0);
        project.zdm(&["backfill", "pause", "1"]).ended(0).says("paused by");
        let filled = "SELECT count(*) FROM users WHERE domain = 'x'";
        let waits = format!(
            "SELECT count(*) FROM {} WHERE waits_for LIKE 'paused by %'",
            state_table(db, "backfill")
        );

        let mut running = Running::start(project.command(&["migrate"]));
        until("the pause", || running.has_ended() || db.value(&waits) == "1");
        assert_eq!(db.value(filled), "0");
        project.zdm(&["status"]).ended(0).says("waits: paused by").says("zdm backfill resume 0001");
        // In this pace it would take an hour.
        project.zdm(&["backfill", "set", "1", "--max-rows", "100", "--share", "1"]).ended(0);
        project.zdm(&["backfill", "resume", "1"]).ended(0);
        until("the first batch", || running.has_ended() || db.value(filled) != "0");
        project.zdm(&["backfill", "pause", "1"]).ended(0);
        until("another pause", || running.has_ended() || db.value(&waits) == "1");
        let before = db.value(filled);
        assert!(before.parse::<u32>().unwrap() < 20_000, "{before}");
        project.zdm(&["backfill", "set", "1", "--reset", "--share", "100"]).ended(0);
        assert_eq!(db.value(filled), before);
        project.zdm(&["backfill", "resume", "1"]).ended(0);
        running.end().ended(0).says("paused by").says("goes on");

        assert_eq!(db.value(filled), "30000");
        project
            .zdm(&["events"])
            .ended(0)
            .says("the backfill was paused")
            .says("the pace of the backfill was set: 1 % of the time")
            .says("the backfill may go on");
        project.zdm(&["backfill", "pause", "1"]).ended(2).says("Its backfills are done");
    });
}

#[test]
fn a_backfill_that_is_killed_in_any_batch_does_each_row_once() {
    support::each(|db| {
        db.run("CREATE TABLE users (id bigint PRIMARY KEY, touched int NOT NULL DEFAULT 0)");
        fill(db, "users (id)", "n", 3000);
        let project = Project::on(db);
        project.file(
            "migrations/0001_touch/migration.toml",
            "[[backfill]]\ntable = \"users\"\nset = \"touched = touched + 1\"\n",
        );
        project.zdm(&["expand"]).ended(0);
        project.zdm(&["backfill", "set", "1", "--max-rows", "100", "--share", "100"]).ended(0);
        for pass in [1, 2, 3, 4, 2, 1] {
            for side in ["before", "after"] {
                let mut killed = project.command(&["migrate"]);
                killed.env("ZDM_FAULT", format!("batch-{side}-commit:{pass}"));
                said(killed).ended(-1);
                let touched = db.value("SELECT sum(touched) FROM users WHERE touched < 2");
                assert_eq!(touched, db.value(&checkpoint(db)), "{side} {pass}");
            }
            // Wherever it stands, plain batches go on as well as parts do.
            let other = if pass % 2 == 0 { "interleave = false\n" } else { "" };
            looking_often(&project, other);
        }
        project.zdm(&["migrate"]).ended(0);
        let rows = db.rows("SELECT touched, count(*) FROM users GROUP BY touched");
        assert_eq!(rows, [["1", "3000"]]);
    });
}

#[test]
fn the_state_does_not_grow_with_the_batches_of_a_backfill() {
    // A server of its own: a snapshot of another test's would keep what is dead from being pruned.
    let Some((_server, db)) = support::primary() else { return };
    users(&db, 30_000);
    let project = Project::on(&db);
    filled(&project, "'x'");
    project.file("zdm.toml", "[services.api]\n[backfill]\nmax_rows = 100\n");
    project.zdm(&["expand"]).ended(0);
    project.zdm(&["migrate", "--full-speed"]).ended(0);
    let updates = "SELECT sum(n_tup_upd), sum(n_tup_upd) - sum(n_tup_hot_upd) FROM pg_stat_user_tables \
                   WHERE schemaname = 'zdm'";
    until("the statistics of 300 batches", || {
        db.rows(updates)[0][0].parse::<u32>().unwrap() >= 300
    });
    // Nearly all stay on their page, without a new entry in an index; its room is used again and again.
    let moved: u32 = db.rows(updates)[0][1].parse().unwrap();
    assert!(moved < 30, "{:?}", db.rows(updates));
    let size = "SELECT max(pg_relation_size(oid)) FROM pg_class WHERE relnamespace = 'zdm'::regnamespace AND relkind = 'r'";
    let bytes: u32 = db.value(size).parse().unwrap();
    assert!(bytes <= 64 * 1024, "{bytes} bytes");
}
