//! The functions themselves, called as an application in any language would.

use std::time::Duration;

use super::{call, call_sql, fence, install, migration, run, sql, unfence, value};
use crate::support::{self, Engine, Session};

const JOIN: &str = "'api', '41', 'web-1', '', '', 'suspends'";

/// What an instance holds that has joined.
fn joined(db: &support::Db, arguments: &str) -> String {
    let answer = call(db, "join_v1", arguments).concat();
    assert_eq!(answer[0], "joined");
    answer[1].clone()
}

#[test]
fn a_role_with_execute_and_nothing_else_can_join_renew_and_leave() {
    support::each(|db| {
        install(db);
        let url = db.user("app");
        let app = db.user_name("app");
        match db.engine {
            Engine::Postgres => {
                db.run(&format!("GRANT USAGE ON SCHEMA zdm TO {app}"));
                for function in ["join_v1", "renew_v1", "leave_v1", "reached_v1"] {
                    db.run(&format!("GRANT EXECUTE ON FUNCTION zdm.{function} TO {app}"));
                }
            }
            Engine::MariaDb => {
                for function in ["zdm_join_v1", "zdm_renew_v1", "zdm_leave_v1", "zdm_reached_v1"] {
                    db.run(&format!("GRANT EXECUTE ON PROCEDURE {function} TO '{app}'@'%'"));
                }
            }
        }
        let session = Session::open(&url);
        let answer =
            |function, arguments| session.rows(&call_sql(db, function, arguments)).concat();
        let joined = answer("join_v1", JOIN);
        let [outcome, lease, ttl, detail] = joined.as_slice() else { panic!("{joined:?}") };
        assert_eq!([outcome, ttl, detail], ["joined", "1500", "NULL"]);
        assert_eq!(answer("renew_v1", lease), ["renewed", "1500", "NULL"]);
        assert_eq!(answer("leave_v1", lease), ["left"]);
        assert_eq!(answer("renew_v1", lease), ["gone", "NULL", "NULL"]);
        migration(db, "0001_a", "migrating");
        migration(db, "0002_b", "hidden");
        assert_eq!(answer("reached_v1", "'0001_a'"), ["expanded"]);
        assert_eq!(answer("reached_v1", "'0002_b'"), ["migrated"]);
        assert_eq!(answer("reached_v1", "'0003_c'"), ["NULL"]);

        let tables = [
            "identity",
            "migration",
            "step",
            "run",
            "backfill",
            "event",
            "service",
            "gate",
            "fence",
            "lease",
        ];
        for table in tables {
            for statement in
                [format!("SELECT * FROM zdm_{table}"), format!("DELETE FROM zdm_{table}")]
            {
                let error = session.try_run(&sql(db, &statement)).unwrap_err();
                assert!(error.contains("denied"), "{statement}: {error}");
            }
        }
        if db.engine == Engine::Postgres {
            let error =
                session.try_run("SELECT * FROM zdm.lease_fence('api', '', '')").unwrap_err();
            assert!(error.contains("denied"), "{error}");
        }
    });
}

#[test]
fn nobody_may_call_the_functions_unless_it_was_granted() {
    support::each(|db| {
        install(db);
        let url = db.user("stranger");
        if db.engine == Engine::Postgres {
            db.run(&format!("GRANT USAGE ON SCHEMA zdm TO {}", db.user_name("stranger")));
        } else {
            db.run(&format!("GRANT SELECT ON zdm_run TO '{}'@'%'", db.user_name("stranger")));
        }
        let session = Session::open(&url);
        for (function, arguments) in
            [("join_v1", JOIN), ("renew_v1", "1"), ("leave_v1", "1"), ("reached_v1", "''")]
        {
            let error = session.try_run(&call_sql(db, function, arguments)).unwrap_err();
            assert!(error.contains("denied"), "{function}: {error}");
        }
    });
}

#[test]
fn every_outcome_of_a_join_is_told_apart() {
    support::each(|db| {
        install(db);
        let join = |tolerates: &str, needs: &str| {
            let arguments = format!("'api', '41', 'web-1', '{tolerates}', '{needs}', 'suspends'");
            let answer = call(db, "join_v1", &arguments).concat();
            [answer[0].clone(), answer[3].clone()]
        };
        assert_eq!(
            join("", "0001_a=expanded,0002_b=migrated"),
            ["missing", "0001_a=expanded,0002_b=migrated"]
        );
        migration(db, "0001_a", "migrating");
        migration(db, "0002_b", "expanded");
        assert_eq!(join("", "0001_a=expanded, 0002_b=migrated"), ["missing", "0002_b=migrated"]);
        migration(db, "0002_b", "hidden");
        assert_eq!(join("", "0001_a=expanded,0002_b=migrated"), ["joined", "NULL"]);

        fence(db, "0002_b", "tolerate", "provisional");
        assert_eq!(join("0002_bb,00002_b", ""), ["fencing", "tolerate=0002_b"]);
        assert_eq!(value(db, "SELECT knocked_by FROM zdm_fence"), "api web-1 (version 41)");
        assert_eq!(join("0001_a, 0002_b", ""), ["joined", "NULL"]);
        run(db, "UPDATE zdm_fence SET status = 'final'");
        assert_eq!(join("", "0009_z=migrated"), ["fenced", "tolerate=0002_b"]);

        unfence(db);
        fence(db, "0002_b", "withdraw", "provisional");
        assert_eq!(join("", "0001_a=expanded,0002_b=migrated"), ["fencing", "withdraw=0002_b"]);
        assert_eq!(join("", "0001_a=expanded"), ["joined", "NULL"]);
    });
}

#[test]
fn a_fence_concerns_its_services_and_those_that_nobody_declared() {
    support::each(|db| {
        install(db);
        run(db, "INSERT INTO zdm_service VALUES ('web', 1500, 'leases', true)");
        fence(db, "0002_b", "tolerate", "final");
        run(db, "UPDATE zdm_fence SET services = 'worker,api'");
        let join = |service: &str| {
            let arguments = format!("'{service}', '41', 'x', '', '', 'suspends'");
            call(db, "join_v1", &arguments).concat()[0].clone()
        };
        assert_eq!(join("api"), "fenced");
        assert_eq!(join("web"), "joined");
        assert_eq!(join("stranger"), "fenced");
        unfence(db);
        assert_eq!(join("stranger"), "joined");
        assert_eq!(
            value(db, "SELECT count(*) FROM zdm_service WHERE name = 'stranger' AND NOT declared"),
            "1"
        );
    });
}

#[test]
fn an_expired_lease_that_suspends_is_gone_and_one_that_reports_is_not() {
    support::each(|db| {
        install(db);
        let suspends = joined(db, JOIN);
        let reports = joined(db, &JOIN.replace("suspends", "reports"));
        run(db, "UPDATE zdm_lease SET seen_at = seen_at - INTERVAL '60' SECOND");
        assert_eq!(call(db, "renew_v1", &suspends).concat()[0], "gone");
        assert_eq!(call(db, "renew_v1", &reports).concat()[0], "renewed");
    });
}

/// What a restored backup does, and a standby that lacks what was committed last.
#[test]
fn a_lease_number_that_is_handed_out_again_renews_nobody_elses_lease() {
    support::each(|db| {
        install(db);
        let lost = joined(db, JOIN);
        let again = match db.engine {
            Engine::Postgres => "TRUNCATE zdm_lease RESTART IDENTITY",
            Engine::MariaDb => "TRUNCATE TABLE zdm_lease",
        };
        run(db, again);
        let other = joined(db, JOIN);
        assert_eq!(value(db, "SELECT id FROM zdm_lease"), "1");
        // One of a million marks is the same.
        assert_ne!(lost, other);
        assert_eq!(call(db, "renew_v1", &lost).concat()[0], "gone");
        assert_eq!(call(db, "leave_v1", &lost).concat()[0], "gone");
        assert_eq!(call(db, "renew_v1", &other).concat()[0], "renewed");
    });
}

#[test]
fn a_granted_time_never_falls() {
    support::each(|db| {
        install(db);
        let lease = joined(db, JOIN);
        run(db, "UPDATE zdm_service SET ttl_ms = 1000");
        assert_eq!(call(db, "renew_v1", &lease).concat()[1], "1500");
        run(db, "UPDATE zdm_service SET ttl_ms = 9000");
        assert_eq!(call(db, "renew_v1", &lease).concat()[1], "9000");
    });
}

#[test]
fn a_join_waits_for_a_gate_that_decides_and_a_renewal_does_not() {
    support::each(|db| {
        install(db);
        let lease = joined(db, JOIN);
        let gate = db.session();
        gate.run("START TRANSACTION");
        gate.rows(&sql(db, "SELECT epoch FROM zdm_gate WHERE id = 1 FOR UPDATE"));
        let joining = db.session().start(&call_sql(db, "join_v1", JOIN));
        assert!(joining.waits(Duration::from_millis(300)));
        assert_eq!(call(db, "renew_v1", &lease).concat()[0], "renewed");
        gate.run(&sql(
            db,
            "INSERT INTO zdm_fence (migration, kind, services, status, epoch, run_token, since) \
             VALUES ('0002_b', 'tolerate', NULL, 'final', 1, 'token', UTC_TIMESTAMP(6))",
        ));
        // Not committed: a renewal does not wait for it, and does not see it.
        assert_eq!(call(db, "renew_v1", &lease).concat()[0], "renewed");
        gate.run(&sql(db, "UPDATE zdm_gate SET epoch = epoch + 1"));
        gate.run("COMMIT");
        assert_eq!(call(db, "renew_v1", &lease).concat()[0], "fenced");
        assert_eq!(joining.answer().unwrap().concat()[0], "fenced");
    });
}

#[test]
fn an_old_snapshot_hides_no_fence_whatever_the_isolation_level() {
    for level in ["REPEATABLE READ", "SERIALIZABLE", "READ COMMITTED", "READ UNCOMMITTED"] {
        support::each(|db| {
            install(db);
            let lease = joined(db, JOIN);
            let caller = |function, arguments| {
                let session = db.session();
                match db.engine {
                    Engine::Postgres => {
                        session.run(&format!("START TRANSACTION ISOLATION LEVEL {level}"));
                    }
                    Engine::MariaDb => {
                        session.run(&format!("SET SESSION TRANSACTION ISOLATION LEVEL {level}"));
                        session.run("SET SESSION completion_type = 'CHAIN'");
                        session.run("START TRANSACTION");
                    }
                }
                // The snapshot is taken here, before the fence.
                assert_eq!(session.value(&sql(db, "SELECT count(*) FROM zdm_run")), "1");
                (session, call_sql(db, function, arguments))
            };
            let callers = [caller("renew_v1", &lease), caller("join_v1", JOIN)];
            fence(db, "0002_b", "tolerate", "final");
            let frozen = db.engine == Engine::Postgres
                && ["REPEATABLE READ", "SERIALIZABLE"].contains(&level);
            let refused = if frozen { "40001" } else { "fenced" };
            for (session, statement) in callers {
                let answer = session.start(&statement).answer();
                let word =
                    answer.map_or_else(|error| error[..5].to_owned(), |rows| rows[0][0].clone());
                assert_eq!(word, refused, "{level}: {statement}");
            }
        });
    }
}

#[test]
fn no_join_slips_past_a_gate_that_decides_at_the_same_moment() {
    support::each(|db| {
        install(db);
        let (instance, gate) = (db.session(), db.session());
        if db.engine == Engine::MariaDb {
            gate.run("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
        }
        let (mut admitted, mut fenced) = (0, 0);
        for round in 0..150_u64 {
            gate.run(&sql(db, "DELETE FROM zdm_lease"));
            gate.run(&sql(db, "DELETE FROM zdm_fence"));
            gate.run("START TRANSACTION");
            let joining = instance.start(&call_sql(db, "join_v1", JOIN));
            // Sometimes one is first, sometimes the other.
            std::thread::sleep(Duration::from_micros(100 * (round % 10)));
            gate.rows(&sql(db, "SELECT epoch FROM zdm_gate WHERE id = 1 FOR UPDATE"));
            let clear = gate.value(&sql(db, "SELECT count(*) FROM zdm_lease")) == "0";
            if clear {
                gate.run(&sql(db, "UPDATE zdm_gate SET epoch = epoch + 1"));
                gate.run(&sql(
                    db,
                    "INSERT INTO zdm_fence (migration, kind, services, status, epoch, run_token, since) \
                     VALUES ('0002_b', 'tolerate', NULL, 'final', 1, 'token', UTC_TIMESTAMP(6))",
                ));
            }
            gate.run("COMMIT");
            let joined = joining.answer().unwrap().concat()[0] == "joined";
            assert!(joined != clear, "round {round}: joined {joined}, fenced {clear}");
            admitted += u32::from(joined);
            fenced += u32::from(clear);
        }
        eprintln!("{admitted} rounds for the instance, {fenced} for the gate");
    });
}
