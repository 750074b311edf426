//! What instances and networks do around a contract.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::{NEW, dropping, fences, has_column, join, new_build_ran, settings, state, wait};
use crate::cli::Project;
use crate::engine::{Running, until};
use crate::support::{self, Engine, Network, Proxy, Session};

/// Sends statements on the old structure while the instance may work; one that fails is a panic.
fn update(url: &str, instance: &zdm::Instance, sent: &AtomicU32, is_over: &AtomicBool) {
    let session = Session::open(url);
    while !is_over.load(Ordering::SeqCst) {
        if instance.ready() {
            session.run("UPDATE users SET name = 'Bob' WHERE id = 1");
            sent.fetch_add(1, Ordering::SeqCst);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn an_instance_that_cannot_renew_sends_its_last_statement_before_the_contract_acts() {
    support::each(|db| {
        let project = Project::on(db);
        project.file("zdm.toml", &settings(2));
        dropping(&project);
        db.run("INSERT INTO users VALUES (1, 'Ann')");
        let proxy = Proxy::before(&db.url);
        let builder =
            zdm::Instance::builder("api").instance("web-1").database_url(proxy.url(&db.url));
        let old = wait(builder.join()).unwrap();
        new_build_ran(db.engine, &db.session());
        let (sent, is_over) = (AtomicU32::new(0), AtomicBool::new(false));
        std::thread::scope(|scope| {
            let work = scope.spawn(|| update(&db.url, &old, &sent, &is_over));
            let end = AtEnd(&is_over);
            // Its renewals get no further, its connection goes; its statements go another way.
            proxy.set(Network::Down);
            until("contract", || project.zdm(&["contract"]).code == 0);
            drop(end);
            // A statement that failed would have ended it.
            work.join().unwrap();
        });
        assert!(sent.load(Ordering::SeqCst) > 0 && !old.ready());
        assert!(!has_column(&db.session()));
    });
}

#[test]
fn an_old_instance_that_starts_while_the_old_structure_is_being_hidden_is_refused() {
    let points =
        [(Engine::Postgres, "step-before-commit"), (Engine::MariaDb, "final-fence-before-commit")];
    for (engine, point) in points {
        let Some(db) = support::servers::Db::of(engine) else { continue };
        let project = Project::on(&db);
        project.file("zdm.toml", &settings(60));
        dropping(&project);
        new_build_ran(engine, &db.session());
        let mut command = project.command(&["contract"]);
        command.env("ZDM_FAULT_STOP", format!("{point}:1"));
        let contract = Running::start(command);
        let stat = format!("/proc/{}/stat", contract.pid());
        until("the hide", || std::fs::read_to_string(&stat).unwrap().contains(") T "));
        // As an application does: it asks again when the database could not say.
        let asking = AtomicU32::new(0);
        let outcome = std::thread::scope(|scope| {
            let old = scope.spawn(|| {
                let session = Session::open(&db.url);
                let call = "join_v1('api', '41', 'web-1', '', '', 'suspends')";
                let sql = match engine {
                    Engine::Postgres => format!("SELECT outcome FROM zdm.{call}"),
                    Engine::MariaDb => format!("CALL zdm_{call}"),
                };
                let mut ask = || {
                    asking.fetch_add(1, Ordering::SeqCst);
                    session.try_run(&sql).is_ok()
                };
                until("an answer", &mut ask);
                join(engine, &session, "").0
            });
            until("a start", || asking.load(Ordering::SeqCst) > 0);
            std::thread::sleep(Duration::from_millis(300));
            assert!(!old.is_finished(), "it was not held up");
            contract.signal("CONT");
            contract.end().ended(0);
            old.join().unwrap()
        });
        assert_eq!(outcome, "fenced");
        let leases = "SELECT count(*) FROM zdm_lease WHERE tolerates = ''";
        assert_eq!(db.value(&state(engine, leases)), "0");
        assert_eq!(fences(engine, &db.session()), "final");
    }
}

/// Ends the threads of a test that fails, too.
struct AtEnd<'a>(&'a AtomicBool);

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Inserts rows while the instance may work, and counts what the database has acknowledged.
fn work(url: &str, instance: &zdm::Instance, first: u32, done: &AtomicU32, is_over: &AtomicBool) {
    let (mut session, mut id) = (None, first);
    while !is_over.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(2));
        session = session.filter(|_| instance.ready());
        if session.is_none() && instance.ready() {
            session = Session::try_open(url).ok();
        }
        let Some(open) = &session else { continue };
        id += 1;
        if open.try_run(&format!("INSERT INTO users VALUES ({id}, 'x')")).is_ok() {
            done.fetch_add(1, Ordering::SeqCst);
        } else {
            session = None;
        }
    }
}

#[test]
fn a_database_that_is_away_for_three_leases_stops_nobody_who_works() {
    const TTL: Duration = Duration::from_secs(2);
    support::each(|db| {
        let project = Project::on(db);
        project.file("zdm.toml", &settings(2));
        dropping(&project);
        let proxy = Proxy::before(&db.url);
        let url = proxy.url(&db.url);
        let instance = |number: u32| {
            let builder = zdm::Instance::builder("api").instance(format!("web-{number}"));
            wait(builder.database_url(&url).join()).unwrap()
        };
        let instances: Vec<_> = (0..5).map(instance).collect();
        let (done, is_over) = (AtomicU32::new(0), AtomicBool::new(false));
        let has_worked = || {
            let before = done.load(Ordering::SeqCst);
            until("work", || done.load(Ordering::SeqCst) >= before + 50);
        };
        std::thread::scope(|scope| {
            for (number, instance) in (0..).zip(&instances) {
                let (url, done, is_over) = (&url, &done, &is_over);
                scope.spawn(move || work(url, instance, number * 1_000_000, done, is_over));
            }
            let _end = AtEnd(&is_over);
            has_worked();
            proxy.set(Network::Down);
            let began = Instant::now();
            while began.elapsed() < 3 * TTL {
                assert!(instances.iter().all(zdm::Instance::live));
                std::thread::sleep(TTL / 20);
            }
            assert!(instances.iter().all(|instance| !instance.ready()));
            proxy.set(Network::Up);
            until("serving again", || instances.iter().all(zdm::Instance::ready));
            has_worked();
        });
        // An answer may have been lost, no row.
        let rows: u32 = db.value("SELECT count(*) FROM users").parse().unwrap();
        assert!(rows >= done.load(Ordering::SeqCst));
        for instance in instances {
            wait(instance.leave());
        }
        new_build_ran(db.engine, &db.session());
        project.zdm(&["contract"]).ended(0);
    });
}

#[test]
fn an_application_behind_a_pooler_that_shares_connections_is_seen_and_waited_for() {
    let Some(db) = support::postgres() else { return };
    let user = db.user_name("app");
    db.user("app");
    let Some(pooler) = support::pooler(&db, &user) else { return };
    let project = Project::on(&db);
    let own = db.value("SELECT session_user");
    project.file(
        "zdm.toml",
        &settings(2)
            .replace("ttl", &format!("roles = [\"{user}\"]\npooled = true\nttl"))
            .replace("[gate]\n", &format!("[gate]\nignore_roles = [\"{own}\"]\n")),
    );
    dropping(&project);
    new_build_ran(db.engine, &db.session());
    let join = |name: &str, tolerates: Option<&str>| {
        let builder = zdm::Instance::builder("api").instance(name).database_url(pooler.url(&user));
        wait(tolerates.into_iter().fold(builder, zdm::app::InstanceBuilder::tolerates).join())
            .unwrap()
    };
    let (first, second) = (join("web-1", None), join("web-2", None));
    let beats = "SELECT count(*) FROM zdm.lease WHERE beat > 2 AND left_at IS NULL";
    until("renewals of both", || db.value(beats) == "2");
    assert!(first.ready() && second.ready());
    let said = project.zdm(&["contract"]).ended(4);
    said.says("\"web-1\"").says("\"web-2\"");
    wait(first.leave());
    project.zdm(&["contract"]).ended(4).says("\"web-2\"");
    wait(second.leave());
    let new = join("web-3", Some(NEW));
    // The pooler keeps connections of those who have gone, and their locks: they are nobody's.
    project.zdm(&["contract"]).ended(0);
    assert!(new.ready());
    assert!(!has_column(&db.session()));
    wait(new.leave());
}
