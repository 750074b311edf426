//! Connections to real servers: what they say when they say no, and what a session keeps right.

use std::future::Future;
use std::time::Duration;

use super::connection::{Connection, LockLimit};
use super::error::{DbError, DbErrorKind};
use super::session::Value;
use super::target::{DatabaseUrl, Target};
use crate::model::server::Engine;
use crate::support::{self, Db, Session};

pub(super) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(future)
}

pub(super) fn target(url: &str) -> Target {
    Target {
        url: DatabaseUrl::new(url),
        role: None,
        schemas: Vec::new(),
        application_name: "zdm test".to_owned(),
    }
}

pub(super) async fn open(db: &Db) -> Connection {
    Connection::open(&target(&db.url)).await.unwrap()
}

/// Why a connection cannot be made.
fn refusal(url: &str) -> DbError {
    let error = wait(Connection::open(&target(url))).err();
    let error = error.unwrap_or_else(|| panic!("{} was let in", DatabaseUrl::new(url)));
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    error
}

#[test]
fn who_is_not_let_in_hears_why_and_never_sees_a_password() {
    support::each(|db| {
        let user = db.user("some");
        let (rest, _) = user.rsplit_once('/').unwrap();
        let (_, port) = rest.rsplit_once(':').unwrap();
        let scheme = db.engine;

        let wrong = user.replacen(":secret@", ":secret2@", 1);
        assert_eq!(refusal(&wrong).kind, DbErrorKind::Refused);
        let unknown = format!("{scheme}://nobody:secret@127.0.0.1:{port}/{}", db.name);
        assert_eq!(refusal(&unknown).kind, DbErrorKind::Refused);
        let error = refusal(&db.url.replacen(&db.name, "no_such_database", 1));
        assert_eq!(error.kind, DbErrorKind::Refused, "{error}");
        let dead = format!("{scheme}://u:secret@127.0.0.1:1/d");
        assert_eq!(refusal(&dead).kind, DbErrorKind::Unreachable);
        let error = refusal(&format!("{scheme}://u:secret@no.such.host.invalid/d"));
        assert_eq!(error.kind, DbErrorKind::Unreachable, "{error}");
        let error = refusal(&format!("{}?no_such_option=secret", db.url));
        assert_eq!(error.kind, DbErrorKind::InvalidUrl);
        assert!(error.message.contains("\"no_such_option\""), "{error}");
        let error = refusal("secret://h/d");
        assert_eq!(error.kind, DbErrorKind::InvalidUrl);

        let mut of_role = target(&db.url);
        of_role.role = Some("no such role".to_owned());
        let error = wait(Connection::open(&of_role)).err().unwrap();
        assert_eq!(error.kind, DbErrorKind::Refused, "{error}");
    });
}

#[test]
fn a_server_that_answers_nothing_is_unreachable() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    for scheme in ["postgres", "mysql"] {
        let url =
            format!("{scheme}://u:secret@127.0.0.1:{port}/d?connect_timeout=1&sslmode=disable");
        let error = refusal(&url);
        assert_eq!(error.kind, DbErrorKind::Unreachable);
        assert!(error.message.contains("within 1 s"), "{error}");
    }
}

#[test]
fn of_several_servers_the_one_that_takes_writes_is_taken() {
    let Some((_server, db)) = support::primary() else { return };
    let Some(standby) = support::standby(&db) else { return };
    let host = |url: &str| url.rsplit_once('/').unwrap().0.rsplit_once('@').unwrap().1.to_owned();
    let (primary, second) = (host(&db.url), host(&standby.url));
    let open = |hosts: &str, options: &str| {
        let url = format!("{}?sslmode=disable{options}", db.url.replacen(&primary, hosts, 1));
        wait(async {
            let mut conn = Connection::open(&target(&url)).await?;
            conn.is_read_only().await
        })
    };
    let all = format!("127.0.0.1:1,{second},{primary}");
    assert!(!open(&all, "").unwrap());
    let any = format!("{second},{primary}");
    assert!(open(&any, "&target_session_attrs=any").unwrap());
    // A server alone is the user's choice: reading commands work on a standby.
    assert!(open(&second, "").unwrap());
    let error = open(&format!("127.0.0.1:1,{second}"), "").unwrap_err();
    assert_eq!(error.kind, DbErrorKind::Unreachable);
    let told = format!("{second}: it takes no writes");
    assert!(error.message.contains(&told) && error.message.contains("127.0.0.1:1: "), "{error}");
}

#[test]
fn of_several_servers_of_mariadb_the_one_that_takes_writes_is_taken() {
    let Some(db) = support::mariadb() else { return };
    let Some(ground) = support::own::Ground::find(&db) else { return };
    ground.set_up("data");
    let own = ground.start("data", &["--read-only".to_owned()]);
    let open =
        |url: &str| wait(async { Connection::open(&target(url)).await?.is_read_only().await });
    let url = |hosts: &str| format!("mariadb://zdm:secret@{hosts}/mysql");
    let alone = format!("127.0.0.1:{}", own.port);
    assert!(open(&url(&alone)).unwrap());
    let error = open(&url(&format!("127.0.0.1:1,{alone}"))).unwrap_err();
    assert!(error.message.contains("it takes no writes"), "{error}");
    Session::open(&url(&alone)).run("SET GLOBAL read_only = OFF");
    assert!(!open(&url(&format!("127.0.0.1:1,{alone}"))).unwrap());
}

#[test]
fn a_session_has_the_settings_on_which_generated_sql_relies() {
    support::each(|db| {
        wait(async {
            let mut conn = open(db).await;
            let family = if db.engine == support::Engine::Postgres {
                Engine::Postgres
            } else {
                Engine::MariaDb
            };
            assert_eq!(conn.engine(), family);
            assert!(conn.server().version.0 >= 10);
            if family == Engine::Postgres {
                let sql = "SELECT current_setting('TimeZone'), current_setting('row_security'), \
                    current_setting('application_name'), current_setting('lock_timeout')";
                let row = conn.query_one(sql, &[]).await.unwrap();
                let all: Vec<_> = (0..4).map(|i| row.text(i).unwrap()).collect();
                assert_eq!(all, ["UTC", "off", "zdm test", "5s"]);
            } else {
                let sql = "SELECT @@time_zone, @@tx_isolation, @@character_set_client, @@lock_wait_timeout";
                let row = conn.query_one(sql, &[]).await.unwrap();
                let all: Vec<_> = (0..4).map(|i| row.text(i).unwrap()).collect();
                assert_eq!(all, ["+00:00", "READ-COMMITTED", "utf8mb4", "5"]);
            }
            conn.close().await;
        });
    });
}

#[test]
fn a_role_and_schemas_are_taken_on_every_connection() {
    let Some(db) = support::postgres() else { return };
    let owner = db.user_name("owner");
    db.run(&format!("CREATE ROLE {owner}"));
    db.run(&format!("CREATE SCHEMA \"a \"\"b\"\"\" AUTHORIZATION {owner}"));
    let mut target = target(&db.url);
    target.role = Some(owner.clone());
    target.schemas = vec!["a \"b\"".to_owned(), "public".to_owned()];
    wait(async {
        let mut conn = Connection::open(&target).await.unwrap();
        let sql = "SELECT current_user, current_schemas(false)::text";
        let row = conn.query_one(sql, &[]).await.unwrap();
        assert_eq!(row.text(0).unwrap(), owner);
        assert_eq!(row.text(1).unwrap(), r#"{"a \"b\"",public}"#);
    });
}

#[test]
fn values_come_back_as_they_went() {
    support::each(|db| {
        wait(async {
            let mut conn = open(db).await;
            conn.run("CREATE TABLE t (i bigint, s text, n int)").await.unwrap();
            let values: [Value; 3] = [i64::MAX.into(), "it's ? ä 🦀 \\".into(), Value::Null];
            let done = conn.execute("INSERT INTO t VALUES (?, ?, ?)", &values).await.unwrap();
            assert_eq!(done, 1);
            let rows =
                conn.query("SELECT i, s, n, '?' FROM t WHERE i = ?", &values[..1]).await.unwrap();
            assert_eq!(rows[0].0[..3], values);
            assert_eq!(rows[0].text(3).unwrap(), "?");
            // The text protocol gives the same types.
            assert_eq!(conn.query("SELECT i, s, n FROM t", &[]).await.unwrap()[0].0, values);
            let sql = "SELECT count(*), 1 = 1, 1.5 FROM t";
            let odd = if db.engine == support::Engine::Postgres {
                sql.replace("1.5", "1.5::float8")
            } else {
                sql.to_owned()
            };
            let row = conn.query_one(&odd, &[]).await.unwrap();
            assert_eq!(row.0, [Value::Int(1), Value::Int(1), "1.5".into()]);
            // What did not change does not count on MySQL and MariaDB.
            let again = conn.execute("UPDATE t SET n = ?", &[Value::Null]).await.unwrap();
            assert_eq!(again, u64::from(db.engine == support::Engine::Postgres));
        });
    });
}

#[test]
fn a_type_that_cannot_be_read_is_named() {
    let Some(db) = support::postgres() else { return };
    let error = wait(async { open(&db).await.query("SELECT now() AS at", &[]).await }).unwrap_err();
    assert_eq!(
        error.message,
        "cannot read column \"at\" of type timestamptz: cast it to text in SQL"
    );
}

#[test]
fn each_no_of_a_server_has_its_kind() {
    support::each(|db| {
        let restricted = db.user("restricted");
        db.run("CREATE TABLE t (id int PRIMARY KEY, n varchar(3) NOT NULL)");
        db.run("INSERT INTO t VALUES (1, 'a')");
        let name = db.user_name("restricted");
        if db.engine == support::Engine::MariaDb {
            db.run(&format!("GRANT SELECT ON {}.* TO '{name}'@'%'", db.name));
        }
        wait(async {
            let mut conn = open(db).await;
            for (sql, kind) in [
                ("SELECT * FROM nowhere", DbErrorKind::Undefined),
                ("SELECT nothing FROM t", DbErrorKind::Undefined),
                ("ALTER TABLE t DROP COLUMN nothing", DbErrorKind::Undefined),
                ("CREATE TABLE t (id int)", DbErrorKind::Duplicate),
                ("ALTER TABLE t ADD COLUMN n int", DbErrorKind::Duplicate),
                ("SELEKT 1", DbErrorKind::Syntax),
                ("INSERT INTO t VALUES (1, 'b')", DbErrorKind::Data),
                ("INSERT INTO t VALUES (2, NULL)", DbErrorKind::Data),
                ("INSERT INTO t VALUES (2, 'abcd')", DbErrorKind::Data),
                ("ALTER TABLE t ADD CONSTRAINT c CHECK (id > 1)", DbErrorKind::Data),
            ] {
                let error = conn.run(sql).await.unwrap_err();
                assert_eq!(error.kind, kind, "{sql}: {error}");
                assert!(error.code.is_some(), "{sql}: {error}");
                assert!(!conn.is_closed());
            }
            if db.engine == support::Engine::MariaDb {
                let sql = "ALTER TABLE t MODIFY n varchar(2), ALGORITHM=INSTANT, LOCK=NONE";
                assert_eq!(conn.run(sql).await.unwrap_err().kind, DbErrorKind::Unsupported);
            }
            let mut other = Connection::open(&target(&restricted)).await.unwrap();
            let error = other.run("INSERT INTO t VALUES (2, 'b')").await.unwrap_err();
            assert_eq!(error.kind, DbErrorKind::Permission, "{error}");
            let error = other.run("DROP TABLE t").await.unwrap_err();
            assert_eq!(error.kind, DbErrorKind::Permission, "{error}");
        });
    });
}

#[test]
fn a_read_only_server_is_known_by_its_no() {
    support::each(|db| {
        wait(async {
            let mut conn = open(db).await;
            conn.run("CREATE TABLE t (id int)").await.unwrap();
            // A transaction that is read only is refused in the words of a standby.
            conn.run("START TRANSACTION READ ONLY").await.unwrap();
            let error = conn.run("INSERT INTO t VALUES (1)").await.unwrap_err();
            assert_eq!(error.kind, DbErrorKind::ReadOnly, "{error}");
            conn.rollback().await.unwrap();
        });
    });
}

#[test]
fn a_lock_that_cannot_be_had_in_time_is_an_error_of_its_own() {
    support::each(|db| {
        db.run("CREATE TABLE t (id int PRIMARY KEY, n int)");
        db.run("INSERT INTO t VALUES (1, 1)");
        let holder = db.session();
        holder.run("BEGIN");
        holder.run("UPDATE t SET n = 2 WHERE id = 1");
        wait(async {
            let mut conn = open(db).await;
            conn.limit_lock_waits(LockLimit::SHORT).await.unwrap();
            for sql in ["UPDATE t SET n = 3 WHERE id = 1", "ALTER TABLE t ADD COLUMN x int"] {
                let error = conn.run(sql).await.unwrap_err();
                assert_eq!(error.kind, DbErrorKind::LockTimeout, "{sql}: {error}");
            }
        });
    });
}

#[test]
fn the_loser_of_a_deadlock_hears_so() {
    support::each(|db| {
        db.run("CREATE TABLE t (id int PRIMARY KEY, n int)");
        db.run("INSERT INTO t VALUES (1, 1), (2, 1)");
        wait(async {
            let (mut a, mut b) = (open(db).await, open(db).await);
            a.begin().await.unwrap();
            b.begin().await.unwrap();
            a.run("UPDATE t SET n = 2 WHERE id = 1").await.unwrap();
            b.run("UPDATE t SET n = 2 WHERE id = 2").await.unwrap();
            let ends = tokio::join!(
                a.run("UPDATE t SET n = 2 WHERE id = 2"),
                b.run("UPDATE t SET n = 2 WHERE id = 1")
            );
            let lost: Vec<_> = [ends.0, ends.1].into_iter().filter_map(Result::err).collect();
            assert_eq!(lost.len(), 1);
            assert_eq!(lost[0].kind, DbErrorKind::Deadlock, "{}", lost[0]);
        });
    });
}

#[test]
fn a_statement_is_ended_from_outside_and_the_connection_lives_on() {
    support::each(|db| {
        let slow = match db.engine {
            support::Engine::Postgres => "SELECT pg_sleep(60)",
            support::Engine::MariaDb => "SELECT id, SLEEP(60) FROM t FOR UPDATE",
        };
        db.run("CREATE TABLE t (id int)");
        db.run("INSERT INTO t VALUES (1), (2)");
        wait(async {
            let mut conn = open(db).await;
            let canceller = conn.canceller();
            let backend = conn.backend();
            let cancel = async {
                // It must run before it can be ended.
                let running = match db.engine {
                    support::Engine::Postgres => {
                        format!(
                            "SELECT count(*) FROM pg_stat_activity WHERE pid = {backend} AND state = 'active'"
                        )
                    }
                    support::Engine::MariaDb => format!(
                        "SELECT count(*) FROM information_schema.processlist WHERE id = {backend} AND state = 'User sleep'"
                    ),
                };
                let look = db.session();
                while look.value(&running) != "1" {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                canceller.cancel().await.unwrap();
            };
            let (answer, ()) = tokio::join!(conn.query(slow, &[]), cancel);
            let error = answer.unwrap_err();
            assert_eq!(error.kind, DbErrorKind::Cancelled, "{error}");
            assert_eq!(conn.query_one("SELECT 7", &[]).await.unwrap().int(0).unwrap(), 7);
            // Nothing runs: nothing happens.
            conn.canceller().cancel().await.unwrap();
        });
    });
}

#[test]
fn a_connection_that_is_ended_says_why() {
    support::each(|db| {
        wait(async {
            let mut conn = open(db).await;
            let kill = match db.engine {
                support::Engine::Postgres => "SELECT pg_terminate_backend",
                support::Engine::MariaDb => "KILL ",
            };
            db.run(&format!("{kill}({})", conn.backend()).replace("KILL (", "KILL (0+"));
            // PostgreSQL tells at once, and the end is noticed without asking; MariaDB tells whoever asks.
            let mut error = None;
            for _ in 0..400 {
                if db.engine == support::Engine::Postgres && !conn.is_closed() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                }
                error = conn.query("SELECT 1", &[]).await.err();
                if error.is_some() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let error = error.unwrap();
            assert_eq!(error.kind, DbErrorKind::Lost, "{error}");
            if db.engine == support::Engine::Postgres {
                assert_eq!(error.code.as_deref(), Some("57P01"), "{error}");
            }
            assert!(conn.is_closed());
            let error = conn.query("SELECT 1", &[]).await.unwrap_err();
            assert_eq!(error.kind, DbErrorKind::Lost, "{error}");
        });
    });
}

/// <https://github.com/blackbeam/mysql_async/issues/401>: the next query would be given the answer of the dropped one.
#[test]
fn a_connection_whose_query_was_dropped_is_never_used_again_on_mariadb() {
    let Some(db) = support::mariadb() else { return };
    wait(async {
        let mut conn = open(&db).await;
        let slow = conn.query("SELECT 100 + SLEEP(0.2)", &[]);
        assert!(tokio::time::timeout(Duration::from_millis(50), slow).await.is_err());
        assert!(conn.is_closed());
        for _ in 0..2 {
            let error = conn.query("SELECT 7", &[]).await.unwrap_err();
            assert_eq!(error.kind, DbErrorKind::Lost, "{error}");
        }
        conn.close().await;
    });
}

#[test]
fn a_dropped_query_leaves_answers_in_step_on_postgres() {
    let Some(db) = support::postgres() else { return };
    wait(async {
        let mut conn = open(&db).await;
        let slow = conn.query("SELECT 100 FROM pg_sleep(0.2)", &[]);
        assert!(tokio::time::timeout(Duration::from_millis(50), slow).await.is_err());
        assert_eq!(conn.query_one("SELECT 7", &[]).await.unwrap().int(0).unwrap(), 7);
    });
}

#[test]
fn a_transaction_that_failed_cannot_be_committed_in_silence() {
    let Some(db) = support::postgres() else { return };
    wait(async {
        let mut conn = open(&db).await;
        conn.run("CREATE TABLE t (id int)").await.unwrap();
        conn.begin().await.unwrap();
        conn.run("INSERT INTO t VALUES (1)").await.unwrap();
        conn.run("SELECT nothing").await.unwrap_err();
        conn.commit().await.unwrap_err();
        conn.begin().await.unwrap();
        conn.run("INSERT INTO t VALUES (2)").await.unwrap();
        conn.commit().await.unwrap();
        assert_eq!(conn.query_one("SELECT count(*) FROM t", &[]).await.unwrap().int(0).unwrap(), 1);
    });
}

#[test]
fn more_than_one_statement_at_once_is_refused_on_postgres() {
    let Some(db) = support::postgres() else { return };
    let error = wait(async { open(&db).await.run("SELECT 1; SELECT 2").await }).unwrap_err();
    assert_eq!(error.kind, DbErrorKind::Syntax, "{error}");
}

#[test]
fn lock_limits_are_set_and_read_back() {
    support::each(|db| {
        wait(async {
            let mut conn = open(db).await;
            let asked = match db.engine {
                support::Engine::Postgres => "SELECT current_setting('lock_timeout')",
                support::Engine::MariaDb => {
                    "SELECT CONCAT(@@lock_wait_timeout, ' ', @@innodb_lock_wait_timeout)"
                }
            };
            for (limit, postgres, mariadb) in [
                (LockLimit::SHORT, "100ms", "1 1"),
                (LockLimit::CLOSING, "2s", "2 2"),
                (LockLimit(Duration::from_millis(2001)), "2001ms", "3 3"),
                (LockLimit::PATIENT, "5s", "5 5"),
            ] {
                conn.limit_lock_waits(limit).await.unwrap();
                let found = conn.query_one(asked, &[]).await.unwrap().text(0).unwrap();
                let wanted =
                    if db.engine == support::Engine::Postgres { postgres } else { mariadb };
                assert_eq!(found, wanted);
            }
        });
    });
}

#[test]
fn tls_is_demanded_in_vain_from_a_server_without_it() {
    support::each(|db| {
        let (key, value) = match db.engine {
            support::Engine::Postgres => ("sslmode", "require"),
            support::Engine::MariaDb => ("ssl-mode", "REQUIRED"),
        };
        let error = refusal(&format!("{}?{key}={value}", db.url));
        assert_eq!(error.kind, DbErrorKind::Unreachable, "{error}");
        assert!(error.message.contains("TLS"), "{error}");
        let weaker = if value == "require" { "prefer" } else { "PREFERRED" };
        wait(Connection::open(&target(&format!("{}?{key}={weaker}", db.url)))).unwrap();
    });
}

#[test]
fn a_database_is_known_again_and_told_from_another() {
    support::each(|db| {
        wait(async {
            let first = open(db).await.identity().await.unwrap();
            assert_eq!(first, open(db).await.identity().await.unwrap());
            assert_eq!(first.database, db.name);
            assert!(!first.system_id.is_empty());
        });
    });
}
