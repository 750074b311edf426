//! A fail-over around leases and fences: to a standby that lacks what was committed last.

use std::time::{Duration, Instant};

use zdm::scratch::Scratch;

use super::{dropping, fences, has_column, join, new_build_ran, settings, wait};
use crate::cli::Project;
use crate::engine::{Running, until};
use crate::support::standby::Standby;
use crate::support::{self, Db, Engine, Session};

/// A primary and its standby, where nobody old is there, as everybody on both knows; and a project whose address names both.
struct Stage {
    primary: Scratch,
    url: String,
    db: Db,
    standby: Standby,
    project: Project,
}

impl Stage {
    /// With leases of so many seconds; `None` where there are no servers for it.
    fn new(ttl: u32) -> Option<Self> {
        let (primary, db) = support::primary()?;
        let standby = support::standby(&db)?;
        let host =
            |url: &str| url.rsplit_once('/').unwrap().0.rsplit_once('@').unwrap().1.to_owned();
        let both = format!("{},{}", host(&db.url), host(&standby.url));
        let url = db.url.replacen(&host(&db.url), &both, 1);
        let project = Project::new();
        project.file("zdm.toml", &format!("[database]\nurl = \"{url}\"\n{}", settings(ttl)));
        dropping(&project);
        new_build_ran(Engine::Postgres, &db.session());
        let written = db.value("SELECT pg_current_wal_insert_lsn()");
        let replayed = format!("SELECT pg_last_wal_replay_lsn() >= '{written}'::pg_lsn");
        let there = Session::open(&standby.url);
        until("the standby", || there.value(&replayed) == "t");
        // What is committed from here on is lost.
        standby.stop_receiving();
        Some(Self { primary, url, db, standby, project })
    }

    /// The primary is lost, and the standby takes its place.
    fn fails_over(&mut self) -> Session {
        self.primary.crash();
        self.standby.promote();
        Session::open(&self.standby.url)
    }
}

#[test]
fn an_instance_whose_lease_the_promoted_server_lacks_joins_again() {
    let Some(mut stage) = Stage::new(2) else { return };
    let builder = zdm::Instance::builder("api").instance("web-1").database_url(&stage.url);
    let old = wait(builder.join()).unwrap();
    let there = stage.fails_over();
    let joined = "SELECT count(*) FROM zdm.lease WHERE instance = 'web-1' AND beat > 0";
    until("another lease, and a renewal", || there.value(joined) == "1" && old.ready());
    assert!(old.live());
    stage.project.zdm(&["contract"]).ended(4).says("\"web-1\"").says("no fence is left");
    wait(old.leave());
    new_build_ran(Engine::Postgres, &there);
    stage.project.zdm(&["contract"]).ended(0);
    assert!(!has_column(&there));
}

#[test]
fn a_contract_after_a_fail_over_waits_for_instances_that_the_promoted_server_does_not_know() {
    let Some(mut stage) = Stage::new(2) else { return };
    // It serves on until its deadline, without a word to the promoted server.
    assert_eq!(join(Engine::Postgres, &stage.db.session(), "").0, "joined");
    let there = stage.fails_over();
    let began = Instant::now();
    let said = stage.project.zdm(&["contract"]).ended(0);
    said.says("another server was promoted since the last run");
    assert!(began.elapsed() >= Duration::from_millis(2100), "{:?}", began.elapsed());
    assert!(!has_column(&there));
    // It is said once.
    let again = stage.project.zdm(&["contract"]).ended(0);
    assert!(!again.err.contains("another server"), "{}", again.err);
}

#[test]
fn a_gate_whose_fence_was_lost_in_a_fail_over_does_not_act() {
    let Some(mut stage) = Stage::new(60) else { return };
    let mut command = stage.project.command(&["contract"]);
    command.env("ZDM_FAULT_STOP", "gate-passed:1");
    let contract = Running::start(command);
    let stat = format!("/proc/{}/stat", contract.pid());
    until("the gate", || std::fs::read_to_string(&stat).unwrap().contains(") T "));
    assert_eq!(fences(Engine::Postgres, &stage.db.session()), "provisional");
    let there = stage.fails_over();
    assert_eq!(fences(Engine::Postgres, &there), "");
    // Nothing there keeps an old build from starting.
    assert_eq!(join(Engine::Postgres, &there, "").0, "joined");
    contract.signal("CONT");
    contract.end().ended(4).says("\"web-1\"").says("no fence is left");
    assert!(has_column(&there));
    assert_eq!(fences(Engine::Postgres, &there), "");
}
