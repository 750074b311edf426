//! `zdm gate ID -- CMD`: the gate around another tool's contract; and `zdm gate --start-with`.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::cli::Project;
use crate::support::{self, Db, Engine};

/// How long anything may take to happen on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
const OTHER: &str = "description = \"another tool drops users.name\"\n[contract]\nby = \"other\"\ntolerated_by = [\"api\"]\n";
const DROP: &str = "ALTER TABLE users DROP COLUMN name";

/// A project whose second migration is another tool's, ready to be contracted; leases of this many seconds.
fn project(db: &Db, ttl: u32) -> Project {
    let project = Project::on(db);
    let toml = format!("[services.api]\nttl = \"{ttl}s\"\n[gate]\nsoak = \"0s\"\n");
    project.file("zdm.toml", &toml);
    let create = "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(100));\n";
    project.file("migrations/0001_users/expand.sql", create);
    project.file("migrations/0002_name/migration.toml", OTHER);
    project.zdm(&["expand"]).ended(0);
    project
}

/// A statement on the state, written with the names of MySQL and MariaDB.
fn state(db: &Db, text: &str) -> String {
    if db.engine == Engine::Postgres { text.replace("zdm_", "zdm.") } else { text.to_owned() }
}

fn join(db: &Db, tolerates: &str) -> (String, String) {
    let call = format!("join_v1('api', '41', 'web-1', '{tolerates}', '', 'suspends')");
    let rows = match db.engine {
        Engine::Postgres => db.rows(&format!("SELECT outcome, lease FROM zdm.{call}")),
        Engine::MariaDb => db.rows(&format!("CALL zdm_{call}")),
    };
    (rows[0][0].clone(), rows[0][1].clone())
}

fn leave(db: &Db, lease: &str) {
    match db.engine {
        Engine::Postgres => db.run(&format!("SELECT * FROM zdm.leave_v1({lease})")),
        Engine::MariaDb => db.run(&format!("CALL zdm_leave_v1({lease})")),
    }
}

fn new_build_ran(db: &Db) {
    let (outcome, lease) = join(db, "0002_name");
    assert_eq!(outcome, "joined");
    leave(db, &lease);
}

fn fences(db: &Db) -> String {
    db.rows(&state(db, "SELECT status FROM zdm_fence")).concat().concat()
}

fn migration(db: &Db) -> String {
    db.value(&state(db, "SELECT state FROM zdm_migration WHERE id = '0002_name'"))
}

fn has_column(db: &Db) -> bool {
    db.session().try_run("SELECT name FROM users").is_ok()
}

/// What another tool would run: the client that comes with the server.
fn client(db: &Db) -> Vec<String> {
    let rest = db.url.split_once("://").unwrap().1;
    let (login, place) = rest.rsplit_once('@').unwrap();
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let (server, database) = place.split_once('/').unwrap();
    let (host, port) = server.split_once(':').unwrap();
    let words: Vec<String> = match db.engine {
        Engine::Postgres => ["psql", "-X", "-v", "ON_ERROR_STOP=1", "-d", &db.url, "-c", DROP]
            .map(str::to_owned)
            .to_vec(),
        Engine::MariaDb => {
            let password = format!("--password={password}");
            ["mysql", "-h", host, "-P", port, "-u", user, &password, database, "-e", DROP]
                .map(str::to_owned)
                .to_vec()
        }
    };
    words
}

fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok()
}

fn gate<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["gate", "2", "--"], more].concat()
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
}

#[test]
fn the_command_of_another_tool_runs_behind_the_gate_alone() {
    support::each(|db| {
        let words = client(db);
        if !is_there(&words[0]) {
            eprintln!("skipped: {} is not there", words[0]);
            return;
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let project = project(db, 60);
        // zdm's own contract leaves it alone, and says what to do.
        project.zdm(&["contract"]).ended(0);
        assert_eq!(migration(db), "migrated");
        let (_, old) = join(db, "");
        project.zdm(&gate(&words)).ended(4).says("web-1").says("no fence is left");
        assert!(has_column(db));
        leave(db, &old);
        new_build_ran(db);
        project.zdm(&gate(&words)).ended(0);
        assert!(!has_column(db));
        assert_eq!((fences(db).as_str(), migration(db).as_str()), ("final", "purged"));
        assert_eq!(join(db, "").0, "fenced");
        assert_eq!(join(db, "0002_name").0, "joined");
        project.zdm(&gate(&words)).ended(2).says("is purged").says("The command was not run");
    });
}

#[test]
fn while_the_command_runs_old_builds_wait_and_when_it_fails_they_start() {
    support::each(|db| {
        let project = project(db, 60);
        new_build_ran(db);
        let file = project.path().join("go");
        let script = "touch begun; while [ ! -e go ]; do sleep 0.05; done; exit 7";
        let mut command = project.command(&gate(&["sh", "-c", script]));
        let child = command.stderr(Stdio::piped()).spawn().unwrap();
        // Before, an old build that asks to join ends the gate.
        until("the command", || project.path().join("begun").exists());
        assert_eq!(fences(db), "provisional");
        assert_eq!(join(db, "").0, "fencing");
        assert_eq!(join(db, "0002_name").0, "joined");
        std::fs::write(&file, "").unwrap();
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(7), "{said}");
        assert!(
            said.contains("ended with exit code 7") && said.contains("no fence is left"),
            "{said}"
        );
        assert_eq!((fences(db).as_str(), migration(db).as_str()), ("", "migrated"));
        assert_eq!(join(db, "").0, "joined");
    });
}

#[test]
fn a_signal_reaches_the_command_and_a_kill_leaves_no_fence_for_long() {
    support::each(|db| {
        let project = project(db, 60);
        new_build_ran(db);
        let mut command = project.command(&gate(&[
            "sh",
            "-c",
            "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done",
        ]));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut out, &mut line).unwrap();
        signal(&child, "TERM");
        assert_eq!(child.wait().unwrap().code(), Some(9));
        assert_eq!(fences(db), "");

        let mut child = project.command(&gate(&["sh", "-c", "echo $$; sleep 600"]));
        let mut child = child.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut pid = String::new();
        let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut out, &mut pid).unwrap();
        assert_eq!(fences(db), "provisional");
        signal(&child, "KILL");
        child.wait().unwrap();
        let lives = || {
            let kill =
                Command::new("kill").args(["-s", "0", pid.trim()]).stderr(Stdio::null()).status();
            kill.unwrap().success()
        };
        until("the command's end", || !lives());
        // Its run lock would expire in half a minute; another run sees at once that nobody holds it.
        db.run(&state(db, "UPDATE zdm_run SET expires_at = joined_at").replace(
            "joined_at",
            match db.engine {
                Engine::Postgres => "now() - interval '1 second'",
                Engine::MariaDb => "UTC_TIMESTAMP(6) - INTERVAL 1 SECOND",
            },
        ));
        assert_eq!(join(db, "").0, "joined");
        assert_eq!(fences(db), "");
    });
}

#[test]
fn only_a_contract_that_is_left_to_another_tool_can_be_run_by_one() {
    support::each(|db| {
        let project = project(db, 60);
        project.zdm(&["gate", "1", "--", "true"]).ended(2).says("by = \"other\"");
        project.zdm(&gate(&["/does/not/exist"])).ended(5);
        new_build_ran(db);
        project.file("migrations/0002_name/contract.sql", "DROP TABLE users;\n");
        project.zdm(&gate(&["true"])).ended(2).says("has one of its own");
    });
}

#[test]
fn a_build_is_told_whether_it_may_start() {
    support::each(|db| {
        let project = project(db, 60);
        project.file("old", "zdm-manifest 1\nservice api\nneeds 0001_users migrated\n");
        project.file(
            "new",
            "zdm-manifest 1\nservice api\ntolerates 0002_name\nneeds 0003_next expanded\n",
        );
        let start = |manifest: &str| project.zdm(&["gate", "--start-with", manifest]);
        start("old").ended(0).says("CLEAR");
        start("new").ended(4).says("needs 0003_next expanded, which is pending");
        new_build_ran(db);
        project.zdm(&gate(&["true"])).ended(0);
        start("old").ended(4).says("0002_name has been contracted").says("deploy a newer one");
        project.zdm(&["gate", "--start-with", "zdm.toml"]).ended(2).says("is not a manifest");
        let json = project.zdm(&["gate", "--start-with", "old", "--format", "json"]).ended(4).out;
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&json["result"], &json["kind"]), (&"blocked".into(), &"start".into()));
    });
}

/// A tool with a history of its own, as most are: it runs each file that it has not run yet, and remembers it.
const TOOL: &str = r#"set -e
psql -X -q -v ON_ERROR_STOP=1 -d "$DATABASE_URL" -c "CREATE TABLE IF NOT EXISTS $HISTORY (version text PRIMARY KEY)"
for file in "$FILES"/*.sql; do
  version=$(basename "$file" .sql)
  known=$(psql -X -A -t -d "$DATABASE_URL" -c "SELECT count(*) FROM $HISTORY WHERE version = '$version'")
  test "$known" = 0 || continue
  grep -q '^-- no-transaction' "$file" && one= || one=-1
  psql -X -q $one -v ON_ERROR_STOP=1 -d "$DATABASE_URL" -f "$file" -c "INSERT INTO $HISTORY VALUES ('$version')"
done
"#;

#[test]
fn a_tool_with_a_history_of_its_own_runs_its_contract_step_behind_the_gate() {
    let Some(db) = support::postgres() else { return };
    if !is_there("psql") {
        eprintln!("skipped: psql is not there");
        return;
    }
    let tools = [
        ("flyway_schema_history", "V2__drop_name", "ALTER TABLE users DROP COLUMN name;\n"),
        (
            "_sqlx_migrations",
            "20260101000000_drop",
            "-- no-transaction\nDROP INDEX CONCURRENTLY IF EXISTS i;\n",
        ),
    ];
    for (number, (history, name, sql)) in tools.into_iter().enumerate() {
        let project = if number == 0 { project(&db, 60) } else { Project::on(&db) };
        for id in ["0002_name", "0003_index"].into_iter().take(number + 1) {
            project.file(&format!("migrations/{id}/migration.toml"), OTHER);
        }
        let create = "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(100));\n";
        project.file("migrations/0001_users/expand.sql", create);
        project.zdm(&["expand"]).ended(0);
        project.file(&format!("sql/{name}.sql"), sql);
        project.file("tool.sh", TOOL);
        let id = (number + 2).to_string();
        let (_, lease) = join(&db, "0002_name,0003_index");
        leave(&db, &lease);
        let run = || {
            let mut command = project.command(&["gate", &id, "--", "sh", "tool.sh"]);
            crate::cli::said({
                command.env("HISTORY", history).env("FILES", "sql");
                command
            })
        };
        run().ended(0);
        assert_eq!(db.value(&format!("SELECT version FROM {history}")), name);
        // Once is enough.
        run().ended(2).says("is purged");
    }
    assert!(!has_column(&db));
}
