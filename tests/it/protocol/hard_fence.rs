//! The hard fence: login and sessions of old releases go before their structure does.

use std::time::Duration;

use super::{NEW, dropping, events, has_column, join, leave, state, wait};
use crate::cli::{Project, Said};
use crate::engine::{Running, until};
use crate::support::{self, Db, Engine, Network, Proxy, Session};

/// Before and after every message that changes something: zdm is killed there.
pub(crate) const POINTS: [&str; 8] = [
    "taken-logins-before-commit",
    "taken-logins-after-commit",
    "login-before-taken",
    "login-after-taken",
    "login-before-given-back",
    "login-after-given-back",
    "given-back-logins-before-commit",
    "given-back-logins-after-commit",
];

/// A role of its own for a release of service `api`, which may read and write `users`: its address.
fn release(db: &Db, name: &str) -> String {
    let url = db.user(name);
    let user = db.user_name(name);
    match db.engine {
        Engine::Postgres => db.run(&format!("GRANT SELECT, UPDATE ON users TO {user}")),
        Engine::MariaDb => {
            db.run(&format!("GRANT SELECT, UPDATE ON {}.users TO '{user}'@'%'", db.name));
        }
    }
    url
}

/// Declares the roles of releases 41 and 42; they are granted what an application needs.
fn declare(project: &Project, db: &Db, service: &str) {
    let me = match db.engine {
        Engine::Postgres => "SELECT current_user",
        Engine::MariaDb => "SELECT substring_index(user(), '@', 1)",
    };
    let (me, old, new) = (db.value(me), db.user_name("v41"), db.user_name("v42"));
    let text = format!(
        "[services.api]\nttl = \"1s\"\nroles = [\"{old}\", \"{new}\"]\n{service}\n[gate]\nsoak = \"0s\"\nignore_roles = [\"{me}\"]\n"
    );
    project.file("zdm.toml", &text);
    project.zdm(&["expand"]).ended(0);
}

/// A project of which release 41 does not tolerate the second migration, and its releases' addresses.
fn project(db: &Db, service: &str) -> (Project, String, String) {
    let project = Project::on(db);
    dropping(&project);
    db.run("INSERT INTO users VALUES (1, 'Ann')");
    let urls = (release(db, "v41"), release(db, "v42"));
    declare(&project, db, service);
    (project, urls.0, urls.1)
}

/// An instance joins under a role, and is not heard of any more.
fn join_as(db: &Db, url: &str, tolerates: &str) {
    assert_eq!(join(db.engine, &Session::open(url), tolerates).0, "joined");
}

/// As soon as the leases have run out.
fn contract(project: &Project) -> Said {
    until("the leases' end", || !project.zdm(&["gate", "2"]).out.contains("last seen"));
    project.zdm(&["contract"])
}

#[test]
fn a_stopped_process_of_an_old_release_loses_its_sessions_and_its_login() {
    support::each(|db| {
        let (project, old, new) = project(db, "");
        let proxy = Proxy::before(&old);
        let builder = zdm::Instance::builder("api").instance("web-1").database_url(proxy.url(&old));
        let instance = wait(builder.join()).unwrap();
        // Another connection of the same process.
        let late = Session::open(&old);
        late.run("SELECT name FROM users");
        proxy.set(Network::Silent);
        until("suspension", || !instance.ready());
        join_as(db, &new, NEW);
        contract(&project).ended(4).says("\"web-1\"").says("its connection is open");

        declare(&project, db, "hard_fence = true");
        project.zdm(&["gate", "2"]).ended(0).says("_v41\", version").says("loses its login");
        late.run("SELECT name FROM users");
        project.zdm(&["contract"]).ended(0);
        // It goes on, and is told by the first statement; there is no way back in.
        late.try_run("UPDATE users SET name = 'Bob'").unwrap_err();
        Session::try_open(&old).map(drop).unwrap_err();
        Session::open(&new).run("SELECT id FROM users");
        assert!(!has_column(&db.session()));
        assert_eq!(events(db, "logins%"), "logins_taken");
    });
}

#[test]
fn a_role_that_a_new_release_has_too_is_not_cut() {
    support::each(|db| {
        let (project, old, _) = project(db, "hard_fence = true");
        join_as(db, &old, "");
        join_as(db, &old, NEW);
        let session = Session::open(&old);
        let said = contract(&project).ended(5);
        said.says("_v41\" of instance \"web-1\"").says("give each release its own");
        session.run("SELECT name FROM users");
        drop(session);
        assert!(has_column(&db.session()));
        until("the session's end", || !project.zdm(&["gate", "2"]).out.contains("no instance has"));
        // Somebody answers for it: the contract goes on, and the role stays as it is.
        let reason = ["--override", "hard_fence", "--reason", "41 is gone"];
        project.zdm(&[&["contract"], reason.as_slice()].concat()).ended(0);
        Session::open(&old);
        assert_eq!(events(db, "%overridden"), "gate_overridden");
        assert_eq!(events(db, "logins%"), "");
    });
}

#[test]
fn a_contract_that_does_not_come_to_its_end_gives_the_login_back() {
    support::each(|db| {
        let (project, old, new) = project(db, "hard_fence = true");
        join_as(db, &old, "");
        join_as(db, &new, NEW);
        let reader = db.session();
        reader.run("BEGIN");
        reader.run("SELECT name FROM users");
        until("the leases' end", || project.zdm(&["gate", "2"]).code == 0);
        let said = project.zdm(&["contract", "--lock-wait", "2s"]).ended(6);
        said.says("may log in again");
        assert!(has_column(&db.session()));
        Session::open(&old);
        assert_eq!(events(db, "logins%"), "logins_taken logins_given_back");
        reader.run("COMMIT");
        project.zdm(&["contract"]).ended(0);
        Session::try_open(&old).map(drop).unwrap_err();
    });
}

#[test]
fn a_run_that_is_killed_with_logins_taken_is_made_good_by_the_next_one() {
    support::each(|db| {
        let (project, old, new) = project(db, "hard_fence = true");
        // Both have left, so that no gate waits for them.
        for (url, tolerates) in [(&old, ""), (&new, NEW)] {
            let session = Session::open(url);
            leave(db.engine, &session, &join(db.engine, &session, tolerates).1);
        }
        let reader = db.session();
        reader.run("BEGIN");
        reader.run("SELECT name FROM users");
        for point in POINTS {
            // Held up by the reader, it does not come to its end, and gives back what it took.
            let mut command = project.command(&["contract", "--lock-wait", "100ms"]);
            command.env("ZDM_FAULT", point);
            Running::start(command).end().ended(-1);
            // The run lock of a dead run would expire by itself, in half a minute.
            let expire = match db.engine {
                Engine::Postgres => "UPDATE zdm.run SET expires_at = clock_timestamp()",
                Engine::MariaDb => "UPDATE zdm_run SET expires_at = UTC_TIMESTAMP(6)",
            };
            db.run(expire);
            project.zdm(&["expand"]).ended(0);
            assert!(Session::try_open(&old).is_ok(), "{point}");
            let left = db.value(&state(db.engine, "SELECT count(*) FROM zdm_taken_login"));
            assert_eq!(left, "0", "{point}");
        }
        reader.run("ROLLBACK");
        project.zdm(&["contract"]).ended(0);
        Session::try_open(&old).map(drop).unwrap_err();
    });
}

#[test]
fn a_rollback_of_the_contract_gives_the_login_back() {
    support::each(|db| {
        let project = Project::on(db);
        let create = "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(100));\n";
        project.file("migrations/0001_users/expand.sql", create);
        let rename = "[[operation]]\nkind = \"rename_column\"\ntable = \"users\"\nfrom = \"name\"\nto = \"full_name\"\n";
        project.file("migrations/0002_name/migration.toml", rename);
        project.zdm(&["expand"]).ended(0);
        let (old, new) = (release(db, "v41"), release(db, "v42"));
        declare(&project, db, "hard_fence = true");
        project.zdm(&["migrate"]).ended(0);
        join_as(db, &old, "");
        join_as(db, &new, NEW);
        contract(&project).ended(0);
        Session::try_open(&old).map(drop).unwrap_err();

        project.zdm(&["rollback", "2"]).ended(0).says("may log in again");
        Session::open(&old).run("SELECT name FROM users");
        join_as(db, &old, "");
    });
}

#[test]
fn an_instance_that_only_reports_is_gone_when_its_role_is_cut() {
    support::each(|db| {
        let (project, old, new) = project(db, "");
        let call = "join_v1('api', '41', 'web-1', '', '', 'reports')";
        let session = Session::open(&old);
        match db.engine {
            Engine::Postgres => session.run(&format!("SELECT * FROM zdm.{call}")),
            Engine::MariaDb => session.run(&format!("CALL zdm_{call}")),
        }
        join_as(db, &new, NEW);
        std::thread::sleep(Duration::from_secs(2));
        project.zdm(&["contract"]).ended(5).says("it only reports");
        declare(&project, db, "hard_fence = true");
        project.zdm(&["contract"]).ended(0);
        session.try_run("SELECT 1").unwrap_err();
    });
}

#[test]
fn rights_that_are_missing_are_named_before_anything_is_done() {
    support::each(|db| {
        let migrator = db.user("migrator");
        let (me, old, new) = (db.user_name("migrator"), db.user_name("v41"), db.user_name("v42"));
        match db.engine {
            Engine::Postgres => {
                db.run(&format!("ALTER DATABASE {} OWNER TO {me}", db.name));
                db.run(&format!("ALTER SCHEMA public OWNER TO {me}"));
            }
            Engine::MariaDb => {
                db.run(&format!("GRANT ALL ON {}.* TO '{me}'@'%' WITH GRANT OPTION", db.name));
            }
        }
        let project = Project::on(db).at(&migrator);
        dropping(&project);
        let urls = (release(db, "v41"), release(db, "v42"));
        let text = format!(
            "[services.api]\nttl = \"1s\"\nroles = [\"{old}\", \"{new}\"]\nhard_fence = true\n[gate]\nsoak = \"0s\"\n"
        );
        project.file("zdm.toml", &text);
        project.zdm(&["expand"]).ended(0);
        if db.engine == Engine::MariaDb {
            for user in [&old, &new] {
                db.run(&format!("GRANT EXECUTE ON {}.* TO '{user}'@'%'", db.name));
            }
        }
        join_as(db, &urls.0, "");
        join_as(db, &urls.1, NEW);
        // What is named helps, and in the end nothing is missing.
        for _ in 0..6 {
            let said = contract(&project);
            if said.code == 0 {
                Session::try_open(&urls.0).map(drop).unwrap_err();
                return;
            }
            let said = said.ended(5);
            assert!(Session::try_open(&urls.0).is_ok(), "{said:?}");
            let grant = said.err.lines().find_map(|line| line.split_once(&format!("{old}\": ")));
            let grant = grant.or_else(|| {
                said.err
                    .lines()
                    .find_map(|line| line.split_once("cannot see which accounts there are: "))
            });
            let (_, grant) = grant.unwrap_or_else(|| panic!("{said:?}"));
            project.zdm(&["doctor", "--privileges"]).ended(0).says(grant);
            for statement in grant.split("; ") {
                db.run(statement);
            }
        }
        panic!("rights are still missing");
    });
}
