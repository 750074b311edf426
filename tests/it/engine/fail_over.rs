//! A fail-over in the middle of a run, to a standby that lacks what was committed last.

use super::{Running, looking_often, rename, state_table, until, users};
use crate::cli::Project;
use crate::support::{self, Session};

#[test]
fn a_run_goes_on_where_the_promoted_server_stands() {
    let Some((mut primary, db)) = support::primary() else { return };
    users(&db, 6000);
    let Some(standby) = support::standby(&db) else { return };
    let project = Project::new();
    let hosts = |url: &str| url.rsplit_once('/').unwrap().0.rsplit_once('@').unwrap().1.to_owned();
    let both = format!("{},{}", hosts(&db.url), hosts(&standby.url));
    let url = db.url.replacen(&hosts(&db.url), &both, 1);
    rename(&project);
    // Slow enough to be met in the middle of it.
    looking_often(
        &project,
        &format!(
            "max_rows = 100\nshare = 20\n[backfill.signals]\nreplica_lag = \"off\"\n[database]\nurl = \"{url}\"\n"
        ),
    );
    project.zdm(&["expand"]).ended(0);
    let mut command = project.command(&["migrate"]);
    command.env_remove("DATABASE_URL");
    let running = Running::start(command);
    let filled = |session: &Session| -> u32 {
        let table = state_table(&db, "backfill");
        session.value(&format!("SELECT coalesce(max(rows_done), 0) FROM {table}")).parse().unwrap()
    };
    let there = Session::open(&standby.url);
    until("a checkpoint on the standby", || filled(&there) > 0);
    standby.stop_receiving();
    let here = db.session();
    until("batches that the standby does not have", || filled(&here) > filled(&there) + 500);
    running.signal("STOP");
    primary.crash();
    standby.promote();
    let known = filled(&there);
    running.signal("CONT");
    let said = running.end();
    said.ended(0).says("another server was promoted");
    assert!(known > 0);
    let wrong = "SELECT count(*) FROM users WHERE title IS DISTINCT FROM name";
    let there = Session::open(&standby.url);
    assert_eq!(there.value(wrong), "0");
    assert_eq!(there.value("SELECT state FROM zdm.migration"), "migrated");
}
