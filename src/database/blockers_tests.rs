//! Who is in the way, on real servers.

use std::time::Duration;

use super::blockers::{Blocker, BlockerKind};
use super::connection::{Connection, LockLimit};
use super::server_tests::{open, target, wait};
use crate::model::name::TableName;
use crate::scratch::{self, Durability};
use crate::support::{self, Db, Engine};

fn table(db: &Db, name: &str) -> TableName {
    match db.engine {
        Engine::Postgres => TableName::in_schema("public", name),
        Engine::MariaDb => TableName::bare(name),
    }
}

/// Looks until somebody is in the way: MariaDB counts whole seconds.
async fn found(conn: &mut Connection, table: &TableName, older_than: Duration) -> Vec<Blocker> {
    for _ in 0..400 {
        let found = conn.blockers(std::slice::from_ref(table), older_than).await.unwrap();
        if !found.is_empty() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Vec::new()
}

/// Looks until nobody is in the way: what InnoDB shows may be older, while other tests look as well.
async fn gone(conn: &mut Connection, table: &TableName) {
    let all = std::slice::from_ref(table);
    for _ in 0..600 {
        if conn.blockers(all, Duration::ZERO).await.unwrap().is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("somebody holds {table} for ever");
}

#[test]
fn a_transaction_that_holds_a_table_is_named() {
    support::each(|db| {
        db.run("CREATE TABLE t (id int PRIMARY KEY)");
        db.run("CREATE TABLE other (id int PRIMARY KEY)");
        wait(async {
            let mut conn = open(db).await;
            let t = table(db, "t");
            assert_eq!(conn.blockers(std::slice::from_ref(&t), Duration::ZERO).await.unwrap(), []);
            let holder = db.session();
            holder.run("START TRANSACTION");
            holder.run("SELECT count(*) FROM t");

            let all = found(&mut conn, &t, Duration::from_millis(100)).await;
            let [one] = all.as_slice() else { panic!("{all:?}") };
            assert_eq!(one.backend, Some(holder.backend));
            assert_eq!(one.state.as_deref(), Some("idle in transaction"));
            assert!(one.age.unwrap() < Duration::from_mins(1), "{one}");
            assert!(one.to_string().contains("user "), "{one}");
            assert_eq!(
                conn.blockers(std::slice::from_ref(&t), Duration::from_hours(1)).await.unwrap(),
                []
            );

            let other = conn.blockers(&[table(db, "other")], Duration::ZERO).await.unwrap();
            if db.engine == Engine::Postgres {
                assert_eq!(one.tables, ["t"]);
                assert_eq!(one.kind, BlockerKind::Session);
                assert_eq!(other, []);
                assert_eq!(conn.blind_spots().await.unwrap(), Vec::<String>::new());
            } else {
                // MariaDB as it is installed does not tell who holds what.
                assert_eq!(one.kind, BlockerKind::Possible);
                assert!(conn.blind_spots().await.unwrap()[0].contains("metadata_lock_info"));
            }
            holder.run("ROLLBACK");
            gone(&mut conn, &t).await;
            assert_eq!(conn.blockers(&[table(db, "nowhere")], Duration::ZERO).await.unwrap(), []);
        });
    });
}

#[test]
fn a_prepared_transaction_is_named() {
    let Some(db) = support::postgres() else { return };
    db.run("CREATE TABLE t (id int PRIMARY KEY)");
    let name = format!("left {}", db.name);
    db.session().run(&format!("BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION '{name}'"));
    wait(async {
        let mut conn = open(&db).await;
        let all = conn.blockers(&[table(&db, "t")], Duration::ZERO).await.unwrap();
        assert_eq!(all.len(), 1, "{all:?}");
        assert_eq!(all[0].kind, BlockerKind::Prepared(name.clone()));
        assert!(all[0].user.is_some() && all[0].age.is_some());

        let (mut waiter, backend) = waiter(&db).await;
        let alter = waiter.run("ALTER TABLE t ADD COLUMN n int");
        let (_, blocking) = tokio::join!(alter, blocking(&mut conn, backend));
        assert_eq!(blocking[0].kind, BlockerKind::Prepared(name.clone()), "{blocking:?}");
        conn.run(&format!("ROLLBACK PREPARED '{name}'")).await.unwrap();
    });
}

async fn waiter(db: &Db) -> (Connection, i64) {
    let mut waiter = open(db).await;
    waiter.limit_lock_waits(LockLimit::CLOSING).await.unwrap();
    let backend = waiter.backend();
    (waiter, backend)
}

async fn blocking(conn: &mut Connection, backend: i64) -> Vec<Blocker> {
    for _ in 0..180 {
        let found = conn.blocking(backend).await.unwrap();
        if !found.is_empty() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Vec::new()
}

#[test]
fn whoever_keeps_a_backend_waiting_is_named() {
    support::each(|db| {
        db.run("CREATE TABLE t (id int PRIMARY KEY, n int)");
        db.run("INSERT INTO t VALUES (1, 1)");
        wait(async {
            let mut conn = open(db).await;
            let holder = db.session();
            holder.run("START TRANSACTION");
            holder.run("UPDATE t SET n = 2");
            for sql in ["UPDATE t SET n = 3", "ALTER TABLE t ADD COLUMN x int"] {
                let (mut waiter, backend) = waiter(db).await;
                assert_eq!(conn.blocking(backend).await.unwrap(), []);
                let (_, found) = tokio::join!(waiter.run(sql), blocking(&mut conn, backend));
                assert_eq!(found.len(), 1, "{sql}: {found:?}");
                assert_eq!(found[0].backend, Some(holder.backend), "{sql}: {found:?}");
            }
        });
    });
}

#[test]
fn a_role_without_rights_hears_what_it_cannot_see() {
    support::each(|db| {
        let user = db.user("blind");
        db.run("CREATE TABLE t (id int PRIMARY KEY)");
        let name = db.user_name("blind");
        if db.engine == Engine::MariaDb {
            db.run(&format!("GRANT SELECT ON {}.* TO '{name}'@'%'", db.name));
        }
        let holder = db.session();
        holder.run("START TRANSACTION");
        holder.run("SELECT count(*) FROM t");
        wait(async {
            let mut conn = Connection::open(&target(&user)).await.unwrap();
            let found = conn.blockers(&[table(db, "t")], Duration::from_millis(100)).await.unwrap();
            assert_eq!(conn.blind_spots().await.unwrap().len(), 1);
            if db.engine == Engine::Postgres {
                // An age that cannot be seen counts as old.
                assert_eq!(found[0].backend, Some(holder.backend));
                assert_eq!(found[0].age, None);
            } else {
                assert_eq!(found, []);
            }
        });
    });
}

/// Where the performance schema watches, MariaDB and MySQL tell who holds which table; the plugin does as well.
#[test]
fn mariadb_tells_who_holds_a_table_by_its_plugin() {
    if support::mariadb().is_none() {
        return;
    }
    // A server of its own: what it tells must not change under other tests.
    let server = scratch::mariadb(Durability::Fast).unwrap();
    let url = server.url("test_plugin");
    let admin = support::Session::open(&server.url("mysql"));
    admin.run("CREATE DATABASE test_plugin");
    if admin.try_run("INSTALL SONAME 'metadata_lock_info'").is_err() {
        return;
    }
    let holder = support::Session::open(&url);
    holder.run("CREATE TABLE t (id int PRIMARY KEY)");
    holder.run("CREATE TABLE other (id int PRIMARY KEY)");
    wait(async {
        let mut conn = Connection::open(&target(&url)).await.unwrap();
        holder.run("START TRANSACTION");
        holder.run("SELECT count(*) FROM t");
        let all = found(&mut conn, &TableName::bare("t"), Duration::from_millis(100)).await;
        assert_eq!(all.len(), 1, "{all:?}");
        assert_eq!(all[0].kind, BlockerKind::Session);
        assert_eq!(all[0].backend, Some(holder.backend));
        assert_eq!(all[0].tables, ["t"]);
        let other = conn.blockers(&[TableName::bare("other")], Duration::ZERO).await.unwrap();
        assert_eq!(other, []);
        assert_eq!(conn.blind_spots().await.unwrap(), Vec::<String>::new());
        holder.run("ROLLBACK");

        holder.run("LOCK TABLES t WRITE");
        let all = found(&mut conn, &TableName::bare("t"), Duration::from_millis(100)).await;
        assert_eq!(all[0].backend, Some(holder.backend), "{all:?}");
    });
}
