//! The gate's evidence on real servers: what each source sees, and that what it cannot see is no all-clear.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::cli::{Project, Said};
use crate::support::{self, Db, Engine, Session};

/// How long anything may take to happen on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A project whose second migration drops `users.name`, as far as its gate; `toml` is the rest of zdm.toml.
fn project(db: &Db, toml: &str) -> Project {
    let project = Project::on(db);
    project.file("zdm.toml", toml);
    let create =
        "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(100), mail varchar(100));\n";
    project.file("migrations/0001_users/expand.sql", create);
    project.file("migrations/0002_name/contract.sql", "ALTER TABLE users DROP COLUMN name;\n");
    project.zdm(&["expand"]).ended(0);
    project.zdm(&["migrate"]).ended(0);
    project
}

/// A zdm.toml in which `reports` shows itself by its sessions alone, and the tests' own sessions are nobody's.
fn reports(db: &Db, role: &str) -> String {
    format!(
        "[services.reports]\nroles = [\"{role}\"]\nevidence = \"sessions\"\n[gate]\nsoak = \"0s\"\nignore_roles = [\"{}\"]\n",
        superuser(db)
    )
}

fn superuser(db: &Db) -> String {
    match db.engine {
        Engine::Postgres => db.value("SELECT session_user"),
        Engine::MariaDb => db.value("SELECT SUBSTRING_INDEX(USER(), '@', 1)"),
    }
}

/// A user who may use the database.
fn user(db: &Db, name: &str) -> (String, String) {
    let (url, user) = (db.user(name), db.user_name(name));
    if db.engine == Engine::MariaDb {
        db.run(&format!("GRANT ALL ON {}.* TO '{user}'@'%'", db.name));
    } else {
        db.run(&format!("GRANT USAGE ON SCHEMA zdm TO {user}"));
        db.run(&format!("GRANT SELECT ON ALL TABLES IN SCHEMA zdm TO {user}"));
    }
    (url, user)
}

/// Asks the gate until its exit code is the expected one: sessions end a moment after their clients.
#[track_caller]
fn gate(project: &Project, code: i32) -> Said {
    let end = Instant::now() + PATIENCE;
    loop {
        let said = project.zdm(&["gate", "2"]);
        if said.code == code || Instant::now() >= end {
            return said.ended(code);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_service_that_cannot_report_is_in_the_way_as_long_as_it_has_a_session() {
    support::each(|db| {
        let role = db.user_name("metabase");
        let project = project(db, &reports(db, &role));
        let (url, _) = user(db, "metabase");
        gate(&project, 0).says("CLEAR    sessions");
        let session = Session::open(&url);
        gate(&project, 4)
            .says("BLOCKED  sessions")
            .says(&format!("session {} of role \"{role}\"", session.backend))
            .says("is of service \"reports\"");
        project.zdm(&["contract"]).ended(4).says("no fence is left");
        drop(session);
        gate(&project, 0);
        // Whoever comes from nowhere is named, and can be answered for.
        let (stranger, name) = user(db, "stranger");
        let session = Session::open(&stranger);
        gate(&project, 5).says(&format!("role \"{name}\"")).says("ignore_roles");
        let overridden = ["contract", "--override", "sessions", "--reason", "it is mine"];
        project.zdm(&overridden).ended(0);
        drop(session);
    });
}

#[test]
fn without_the_right_to_see_sessions_the_gate_is_unknown_and_says_what_to_grant() {
    support::each(|db| {
        let role = db.user_name("metabase");
        let project = project(db, &reports(db, &role));
        let (url, name) = user(db, "metabase");
        let (own, zdm) = user(db, "zdm");
        drop((url, name));
        let project = project.at(&own);
        let grant = match db.engine {
            Engine::Postgres => format!("GRANT pg_read_all_stats TO \"{zdm}\""),
            Engine::MariaDb => format!("GRANT PROCESS ON *.* TO '{zdm}'@'%'"),
        };
        gate(&project, 5).says("UNKNOWN  sessions").says(&grant);
        db.run(&grant);
        gate(&project, 0).says("CLEAR    sessions");
    });
}

#[test]
fn applications_are_told_apart_by_their_names_where_these_can_be_read() {
    support::each(|db| {
        let (role, other) = (db.user_name("app"), superuser(db));
        let toml = format!(
            "[services.api]\nroles = [\"{role}\"]\napplications = [\"rails\"]\n[services.reports]\nroles = [\"{role}\"]\n\
             applications = [\"metabase\"]\nevidence = \"sessions\"\n[gate]\nsoak = \"0s\"\nignore_roles = [\"{other}\"]\n"
        );
        let project = project(db, &toml);
        let (url, _) = user(db, "app");
        if db.engine == Engine::MariaDb {
            // performance_schema is off by default.
            gate(&project, 5).says("set performance_schema = ON");
            return;
        }
        // `api` has never reported, which is another source's to say.
        let answer = ["gate", "2", "--format", "json"];
        let sessions = |project: &Project| {
            let report = project.zdm(&answer).out;
            let report: serde_json::Value = serde_json::from_str(&report).unwrap();
            let sources = report["sources"].as_array().unwrap().clone();
            let found = sources.into_iter().find(|source| source["source"] == "sessions").unwrap();
            found["verdict"].as_str().unwrap().to_owned()
        };
        let until = |expected: &str| {
            let end = Instant::now() + PATIENCE;
            while sessions(&project) != expected {
                assert!(Instant::now() < end, "sessions are not {expected}");
            }
        };
        until("clear");
        let called = |name: &str| Session::open(&format!("{url}?application_name={name}"));
        let metabase = called("metabase");
        until("blocked");
        drop(metabase);
        until("clear");
        let strange = called("psql");
        until("unknown");
        drop(strange);
    });
}

#[test]
fn who_reads_on_a_replica_is_seen_there_or_the_gate_is_unknown() {
    let Some((_server, db)) = support::primary() else { return };
    let role = db.user_name("metabase");
    let toml = reports(&db, &role);
    let project = project(&db, &toml);
    let (url, _) = user(&db, "metabase");
    let Some(standby) = support::standby(&db) else { return };
    gate(&project, 5).says("replicas are connected").says("replica_urls");

    let named = format!("[database]\nreplica_urls = [\"{}\", \"{}\"]\n{toml}", standby.url, db.url);
    project.file("zdm.toml", &named);
    gate(&project, 5).says("it is the primary itself");
    project.file("zdm.toml", &format!("[database]\nreplica_urls = [\"${{NOT_SET}}\"]\n{toml}"));
    gate(&project, 5).says("environment variable NOT_SET is not set");

    project.file("zdm.toml", &format!("[database]\nreplica_urls = [\"{}\"]\n{toml}", standby.url));
    let port = |url: &str| url.rsplit_once('/').unwrap().0.rsplit_once(':').unwrap().1.to_owned();
    let there = url.replace(&port(&url), &port(&standby.url));
    let session = Session::open(&there);
    let named = format!("session {} of role \"{role}\"", session.backend);
    gate(&project, 4).says(&named).says("on replica");
}

#[test]
fn clients_behind_a_pooler_are_seen_in_its_console_or_the_gate_is_unknown() {
    let Some(db) = support::postgres() else { return };
    let role = db.user_name("metabase");
    let toml = reports(&db, &role);
    let project = project(&db, &toml);
    let (_, _) = user(&db, "metabase");
    let Some(pooler) = support::pooler(&db, &role) else { return };
    let database = |more: &str| {
        let (url, direct) = (pooler.url(&role), &db.url);
        format!("[database]\nurl = \"{url}\"\ndirect_url = \"{direct}\"\n{more}{toml}")
    };
    project.file("zdm.toml", &database(""));
    let said = gate(&project, 5);
    said.says("clients of service \"reports\" behind a pooler are not seen")
        .says("pooler_admin_url");

    let console = format!("pooler_admin_url = \"{}\"\n", pooler.console());
    project.file("zdm.toml", &database(&console));
    gate(&project, 0);
    let client = Session::open(&pooler.url(&role));
    client.run("SELECT 1");
    gate(&project, 4).says("behind the pooler").says(&format!("role \"{role}\""));
    drop(client);
    // The pooler keeps its own connection, which is nobody's by now.
    gate(&project, 0);
    let count = format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}'");
    assert_eq!(db.value(&count), "1");

    drop(pooler);
    gate(&project, 5).says("could not be asked");
}

#[test]
fn what_still_uses_the_old_structure_is_named_before_it_breaks() {
    support::each(|db| {
        let project = project(db, "[services.api]\n[gate]\nsoak = \"0s\"\n");
        db.run("CREATE VIEW mails AS SELECT id, mail FROM users");
        db.run("CREATE VIEW names AS SELECT id, name FROM users");
        let said = project.zdm(&["gate", "2"]);
        let said =
            said.says("BLOCKED  dependents").says("view \"names\" still uses column \"name\"");
        assert!(!said.out.contains("view \"mails\""), "{}", said.out);
        // A contract that takes the view away itself is in nobody's way.
        let own = "DROP VIEW names;\nALTER TABLE users DROP COLUMN name;\n";
        project.file("migrations/0002_name/contract.sql", own);
        project.zdm(&["gate", "2"]).says("CLEAR    dependents");
        db.run("DROP VIEW names");
        let alone = "ALTER TABLE users DROP COLUMN name;\n";
        project.file("migrations/0002_name/contract.sql", alone);
        project.zdm(&["gate", "2"]).says("CLEAR    dependents");
        let function = match db.engine {
            Engine::Postgres => {
                "CREATE FUNCTION f() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM users WHERE name IS NULL); END'"
            }
            Engine::MariaDb => {
                "CREATE FUNCTION f() RETURNS bigint READS SQL DATA RETURN (SELECT count(*) FROM users WHERE name IS NULL)"
            }
        };
        db.run(function);
        project.zdm(&["gate", "2"]).says("function \"f\" still uses column \"name\"");
    });
}

#[test]
fn checks_and_freezes_of_the_project_count() {
    support::each(|db| {
        let role = db.user_name("metabase");
        let toml = reports(db, &role);
        let project = project(db, &toml);
        let check = |command: &str| {
            project.file(
                "zdm.toml",
                &format!("{toml}[gate.checks.canary]\ntimeout = \"5s\"\ncommand = {command}\n"),
            );
        };
        check("[\"sh\", \"-c\", \"echo $ZDM_MIGRATION; exit 1\"]");
        gate(&project, 4).says("check \"canary\" says no: 0002_name");
        check("[\"sh\", \"-c\", \"exit 3\"]");
        gate(&project, 5).says("exit code 3, which says nothing");
        check("[\"/does/not/exist\"]");
        gate(&project, 5).says("check \"canary\" could not be run");
        check("[\"sh\", \"-c\", \"exit 0\"]");
        gate(&project, 0).says("check \"canary\" is clear");

        let frozen = "[gate]\nfreeze = [\"00:00-12:00\", \"12:00-24:00\"]\n";
        project.file("zdm.toml", &toml.replace("[gate]\n", frozen));
        gate(&project, 4).says("BLOCKED  freeze");
        project.zdm(&["contract", "--if-blocked", "skip"]).ended(0);
        project.zdm(&["contract", "--override", "freeze", "--reason", "incident"]).ended(0);
    });
}

#[test]
fn an_instance_that_is_stopped_is_in_the_way_although_its_lease_has_expired() {
    support::each(|db| {
        let project = project(db, "[services.api]\nttl = \"1s\"\n[gate]\nsoak = \"0s\"\n");
        let mut old = project.command(&["report", "--service", "api", "--", "sleep", "600"]);
        let mut old = old.stderr(Stdio::null()).spawn().unwrap();
        let lease = match db.engine {
            Engine::Postgres => "SELECT count(*) FROM zdm.lease WHERE beat > 1",
            Engine::MariaDb => "SELECT count(*) FROM zdm_lease WHERE beat > 1",
        };
        until("a renewal", || db.value(lease) == "1");
        signal(&old, "STOP");
        // The new build is there, and the old lease expires.
        let new = ["report", "--service", "api", "--tolerates", "0002_name", "--", "sleep", "0"];
        project.zdm(&new).ended(0);
        until("the lease's end", || !project.zdm(&["gate", "2"]).out.contains("BLOCKED  leases"));
        project.zdm(&["contract"]).ended(4).says("its connection is open");
        signal(&old, "KILL");
        old.wait().unwrap();
        until("the connection's end", || project.zdm(&["gate", "2"]).code == 0);
        project.zdm(&["contract"]).ended(0);
    });
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn signal(child: &std::process::Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
}
