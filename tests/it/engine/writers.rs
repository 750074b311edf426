//! Clients that write in the middle of batches: what they wrote last is what stands there, in both columns.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{rename, users};
use crate::cli::Project;
use crate::support::{self, Db, Engine, Session};

const ROWS: u32 = 8000;

/// Writers: each has rows of its own, so that it knows what must be there in the end.
const WRITERS: u32 = 4;

/// What a writer left behind: none is a row that it has deleted.
type Left = BTreeMap<u32, Option<String>>;

/// One client: short transactions with an update, a deletion and an insertion, until it is told to stop.
fn write(url: &str, engine: Engine, number: u32, over: &AtomicBool) -> (Left, u32) {
    let session = Session::open(url);
    let level = if number.is_multiple_of(2) { "READ COMMITTED" } else { "REPEATABLE READ" };
    session.run(&match engine {
        Engine::Postgres => format!("SET default_transaction_isolation = '{level}'"),
        Engine::MariaDb => format!("SET SESSION TRANSACTION ISOLATION LEVEL {level}"),
    });
    let (mut left, mut written, mut turn) = (Left::new(), 0, 0_u32);
    while !over.load(Ordering::SeqCst) {
        turn += 1;
        // Rows all over the table, each time others.
        let own = |step: u32| (turn * 37 + step * 2011) % (ROWS / WRITERS) * WRITERS + number + 1;
        let (changed, deleted, made) = (own(0), own(1), ROWS + turn * WRITERS + number + 1);
        if changed == deleted || left.get(&changed) == Some(&None) {
            continue;
        }
        let name = format!("w{number}-{turn}");
        let tried = (|| {
            session.try_run("START TRANSACTION")?;
            // Its view of the table begins here.
            session.try_run("SELECT count(*) FROM users WHERE id < 100")?;
            session.try_run(&format!("UPDATE users SET name = '{name}' WHERE id = {changed}"))?;
            session.try_run(&format!("DELETE FROM users WHERE id = {deleted}"))?;
            session.try_run(&format!("INSERT INTO users (id, name) VALUES ({made}, '{name}')"))?;
            session.try_run("COMMIT")
        })();
        match tried {
            Ok(()) => {
                written += 1;
                left.insert(changed, Some(name.clone()));
                left.insert(deleted, None);
                left.insert(made, Some(name));
            }
            // A serialization failure, a deadlock, a lock: the client begins anew.
            Err(said) => {
                session.run("ROLLBACK");
                let is_known = ["40001", "40P01", "1213", "1205", "1020"];
                assert!(is_known.iter().any(|code| said.contains(code)), "{said}");
            }
        }
    }
    (left, written)
}

fn found(db: &Db) -> BTreeMap<u32, (String, String)> {
    let rows = db.rows("SELECT id, name, title FROM users");
    rows.into_iter()
        .map(|row| (row[0].parse().unwrap(), (row[1].clone(), row[2].clone())))
        .collect()
}

#[test]
fn rows_that_clients_change_insert_and_delete_in_mid_batch_end_right() {
    support::each(|db| {
        users(db, ROWS);
        let project = Project::on(db);
        rename(&project);
        project.zdm(&["expand"]).ended(0);
        project.zdm(&["backfill", "set", "1", "--max-rows", "50", "--share", "100"]).ended(0);
        let over = Arc::new(AtomicBool::new(false));
        let start = |number| {
            let (url, over, engine) = (db.url.clone(), Arc::clone(&over), db.engine);
            std::thread::spawn(move || write(&url, engine, number, &over))
        };
        let writers: Vec<_> = (0..WRITERS).map(start).collect();
        let migrated = project.zdm(&["migrate"]);
        over.store(true, Ordering::SeqCst);
        let mut expected: Left = (1..=ROWS).map(|id| (id, Some(format!("n{id}")))).collect();
        for writer in writers {
            let (left, written) = writer.join().unwrap();
            assert!(written > 0, "a client wrote nothing");
            expected.extend(left);
        }
        migrated.ended(0);
        let expected: BTreeMap<_, _> = expected
            .into_iter()
            .filter_map(|(id, name)| name.map(|name| (id, (name.clone(), name))))
            .collect();
        let found = found(db);
        assert_eq!(found.len(), expected.len());
        for (id, both) in &expected {
            assert_eq!(found.get(id), Some(both), "row {id}");
        }
    });
}
