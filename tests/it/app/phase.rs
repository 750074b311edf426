//! Switches: which structure a build reads that may start before the rows are filled.

use zdm::app::Readiness;

use super::{MYSQL, POSTGRES, api, install, join, migration, run, until, until_renewed, wait};
use crate::support::{self, Db, Engine};

#[test]
fn a_build_reads_the_new_structure_as_soon_as_it_is_migrated() {
    support::each(|db| {
        install(db);
        migration(db, "0001_a", "migrated");
        migration(db, "0002_b", "expanded");
        let builder = api(&db.url).needs_migrated("0001_a").needs_expanded("0002_b");
        let instance = join(builder).unwrap();
        let second = instance.phase("0002").unwrap();
        assert!(instance.phase("0001_a").unwrap().reads_new() && !second.reads_new());
        migration(db, "0002_b", "migrating");
        until_renewed(db);
        until_renewed(db);
        assert!(!second.reads_new());
        migration(db, "0002_b", "migrated");
        until("the switch", || second.reads_new());
        assert!(instance.ready() && instance.phase("2").unwrap().reads_new());

        let unknown = instance.phase("0003").unwrap_err().to_string();
        assert!(unknown.contains("does not need a migration \"0003\""), "{unknown}");
        wait(instance.leave());
        // Whoever starts now knows at once.
        let later = join(api(&db.url).needs_expanded("0002_b")).unwrap();
        assert!(later.phase("0002_b").unwrap().reads_new());
        wait(later.leave());
    });
}

/// Otherwise a build could serve on, and read what a contract has taken away.
#[test]
fn a_renewal_that_does_not_say_what_is_migrated_is_none() {
    support::each(|db| {
        install(db);
        migration(db, "0002_b", "expanded");
        let instance = join(api(&db.url).needs_expanded("0002_b")).unwrap();
        let answers = hide_the_answer(db);
        until("the end of the lease", || instance.readiness() == Readiness::Suspended);
        // Without a lease a migration may be taken back, and come again.
        migration(db, "0002_b", "migrated");
        db.run(&answers);
        until("another lease", || instance.ready());
        assert!(instance.phase("0002_b").unwrap().reads_new());
        migration(db, "0002_b", "expanded");
        run(db, "DELETE FROM zdm_lease");
        until("the other answer", || !instance.phase("0002_b").unwrap().reads_new());
        wait(instance.leave());
    });
}

/// Takes the function away; returns what brings it back.
fn hide_the_answer(db: &Db) -> String {
    match db.engine {
        Engine::Postgres => {
            db.run("DROP FUNCTION zdm.reached_v1(text)");
            POSTGRES.last().unwrap().split("\n-- next\n").next().unwrap().to_owned()
        }
        Engine::MariaDb => {
            db.run("DROP PROCEDURE zdm_reached_v1");
            (*MYSQL.last().unwrap()).to_owned()
        }
    }
}
