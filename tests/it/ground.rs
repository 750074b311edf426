//! The ground that the other tests stand on: throwaway servers, databases and sessions.

use std::time::Duration;

use crate::support::{self, Db, Engine, Pending};

#[test]
fn each_test_has_a_database_of_its_own() {
    support::each(|db| {
        db.run("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (NULL)");
        assert_eq!(db.rows("SELECT a FROM t ORDER BY a IS NULL"), [["1"], ["NULL"]]);
        let error = db.session().try_run("SELECT nothing FROM t").unwrap_err();
        assert!(error.contains("42703") || error.contains("1054"), "{error}");
    });
}

#[test]
fn a_session_keeps_its_transaction_and_its_locks() {
    support::each(|db| {
        db.run("CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1)");
        let holder = db.session();
        holder.run("BEGIN");
        holder.run("UPDATE t SET a = 2 WHERE id = 1");
        let waiter: Pending = db.session().start("UPDATE t SET a = a + 10 WHERE id = 1");
        assert!(waiter.waits(Duration::from_millis(300)));
        holder.run("COMMIT");
        waiter.answer().unwrap();
        assert_eq!(db.value("SELECT a FROM t"), "12");
    });
}

#[test]
fn a_new_user_may_log_in_and_nothing_else() {
    support::each(|db| {
        db.run("CREATE TABLE t (a int)");
        let url = db.user("reader");
        let outcome = support::Session::try_open(&url).and_then(|user| user.try_run("TABLE t"));
        let error = outcome.unwrap_err();
        assert!(error.contains("42501") || error.contains("1044"), "{error}");
        let wrong = url.replace(":secret@", ":wrong@");
        let error = support::Session::try_open(&wrong).err().unwrap();
        assert!(error.contains("28P01") || error.contains("1045"), "{error}");
    });
}

#[test]
fn the_servers_are_what_they_are_called() {
    let version = |db: Option<Db>| db.map(|db| (db.engine, db.value("SELECT version()")));
    if let Some((engine, version)) = version(support::postgres()) {
        assert_eq!(engine, Engine::Postgres);
        assert!(version.starts_with("PostgreSQL"), "{version}");
    }
    if let Some((engine, version)) = version(support::mariadb()) {
        assert_eq!(engine, Engine::MariaDb);
        assert!(version.contains("MariaDB"), "{version}");
    }
}
