//! What a killed or stopped run leaves to the next one.

use crate::cli::{Project, said};
use crate::engine::{Running, filled, state_table, until, users};
use crate::support;

#[test]
fn a_statement_of_unknown_fate_is_a_persons_to_judge() {
    let Some(db) = support::mariadb() else { return };
    users(&db, 10);
    let project = Project::on(&db);
    project.file("migrations/0001_c/expand.sql", "CREATE VIEW people AS SELECT id FROM users;");
    let mut faulty = project.command(&["expand"]);
    faulty.env("ZDM_FAULT", "statement-after");
    said(faulty).ended(-1);
    let told =
        project.zdm(&["expand"]).ended(1).says("cannot tell whether a statement took effect");
    told.says("--override repeat");
    // As the hint says: what it did is undone by hand, then it may run again.
    db.run("DROP VIEW people");
    project.zdm(&["expand", "--override", "repeat", "--reason", "it is dropped"]).ended(0);
    assert_eq!(db.value("SELECT count(*) FROM people"), "10");
}

#[test]
fn a_lock_that_expired_is_taken_over_and_the_first_run_stops_at_its_next_transaction() {
    support::each(|db| {
        users(db, 40_000);
        let project = Project::on(db);
        filled(&project, "'x'");
        project.zdm(&["expand"]).ended(0);
        let filled = "SELECT count(*) FROM users WHERE domain = 'x'";
        let running = Running::start(project.command(&["migrate"]));
        until("the first batch", || db.value(filled) != "0");
        let run = state_table(db, "run");
        let in_a_transaction = || {
            running.signal("STOP");
            let free = format!("SELECT id FROM {run} FOR UPDATE NOWAIT");
            db.session().try_run(&free).is_err()
        };
        while in_a_transaction() {
            running.signal("CONT");
            std::thread::sleep(std::time::Duration::from_millis(7));
        }
        // As if thirty seconds had passed.
        db.run(&format!("UPDATE {run} SET expires_at = '2020-01-01'"));
        let second = project.zdm(&["migrate"]);
        running.signal("CONT");
        let first = running.end();
        second.ended(0);
        first.ended(6).says("another run took over");
        assert_eq!(db.value(filled), "40000");
    });
}
