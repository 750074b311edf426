//! A fail-over in a run, to a standby that lacks what was committed last.

use zdm::scratch::Scratch;

use super::{Running, looking_often, rename, state_table, until, users};
use crate::cli::Project;
use crate::support::standby::Standby;
use crate::support::{self, Db, Session};

/// A primary, its standby, and a project whose address names both and whose rename is expanded.
struct Stage {
    primary: Scratch,
    db: Db,
    url_there: String,
    project: Project,
}

impl Stage {
    /// Calls `scenario` where there are the servers for it. `more` stands in the section of backfills.
    fn play(more: &str, scenario: impl FnOnce(Self, &Standby)) {
        let Some((primary, db)) = support::primary() else { return };
        users(&db, 6000);
        let Some(standby) = support::standby(&db) else { return };
        let project = Project::new();
        let host =
            |url: &str| url.rsplit_once('/').unwrap().0.rsplit_once('@').unwrap().1.to_owned();
        let both = format!("{},{}", host(&db.url), host(&standby.url));
        let url = db.url.replacen(&host(&db.url), &both, 1);
        rename(&project);
        let lag = "[backfill.signals]\nreplica_lag = \"off\"\n";
        looking_often(&project, &format!("{more}{lag}[database]\nurl = \"{url}\"\n"));
        project.zdm(&["expand"]).ended(0);
        let stage = Self { primary, db, url_there: standby.url.clone(), project };
        stage.replicated();
        scenario(stage, &standby);
    }

    /// A session on the standby.
    fn there(&self) -> Session {
        Session::open(&self.url_there)
    }

    /// Waits until the standby has all that the primary has written by now.
    fn replicated(&self) {
        let written = self.db.value("SELECT pg_current_wal_insert_lsn()");
        let replayed = format!("SELECT pg_last_wal_replay_lsn() >= '{written}'::pg_lsn");
        let there = self.there();
        until("the standby", || there.value(&replayed) == "t");
    }

    /// The run goes on at the promoted server, to the same end.
    fn ends_there(&self, running: Running) {
        running.signal("CONT");
        running.end().ended(0).says("another server was promoted");
        let wrong = "SELECT count(*) FROM users WHERE title IS DISTINCT FROM name";
        assert_eq!(self.there().value(wrong), "0");
        assert_eq!(self.there().value("SELECT state FROM zdm.migration"), "migrated");
    }
}

#[test]
fn a_run_goes_on_where_the_promoted_server_stands() {
    // Slow enough to be met in the middle of it.
    Stage::play("max_rows = 100\nshare = 20\n", |mut stage, standby| {
        let running = Running::start(stage.project.command(&["migrate"]));
        let filled = |session: &Session| -> u32 {
            let table = state_table(&stage.db, "backfill");
            let asked = format!("SELECT coalesce(max(rows_done), 0) FROM {table}");
            session.value(&asked).parse().unwrap()
        };
        let (here, there) = (stage.db.session(), stage.there());
        until("a checkpoint on the standby", || filled(&there) > 0);
        standby.stop_receiving();
        until("batches that the standby does not have", || filled(&here) > filled(&there) + 500);
        running.signal("STOP");
        stage.primary.crash();
        standby.promote();
        stage.ends_there(running);
    });
}

#[test]
fn a_run_that_is_between_two_steps_goes_on_there_too() {
    Stage::play("", |mut stage, standby| {
        let mut command = stage.project.command(&["migrate"]);
        command.env("ZDM_FAULT_STOP", "run-locked:1");
        let running = Running::start(command);
        let stat = format!("/proc/{}/stat", running.pid());
        until("the stop", || std::fs::read_to_string(&stat).unwrap().contains(") T "));
        stage.replicated();
        stage.primary.crash();
        standby.promote();
        stage.ends_there(running);
    });
}
