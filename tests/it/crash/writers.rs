//! An old and a new build that write all the time, and remember what was acknowledged.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use super::stage::ROWS;
use crate::support::{Db, Session};

/// A pause between two writes of a build: some hundred a second.
const PAUSE: Duration = Duration::from_millis(4);

/// What a row may hold: what was acknowledged last, and what was sent after that and never answered. None: no row.
type Row = Vec<Option<String>>;

/// Both builds. They stop with the value.
pub(super) struct Writers {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    url: String,
    over: AtomicBool,
    /// Whether the new build is there yet.
    new: AtomicBool,
    /// Written by whoever wants no write to be under way.
    quiet: RwLock<()>,
    rows: Mutex<BTreeMap<u32, Row>>,
    wrong: Mutex<Vec<String>>,
    written: Mutex<[u32; 2]>,
}

impl Writers {
    /// The old build begins; the new one waits until it is let in.
    pub(super) fn on(db: &Db) -> Self {
        let shared = Arc::new(Shared {
            url: db.url.clone(),
            over: AtomicBool::new(false),
            new: AtomicBool::new(false),
            quiet: RwLock::new(()),
            rows: Mutex::new(BTreeMap::new()),
            wrong: Mutex::new(Vec::new()),
            written: Mutex::new([0, 0]),
        });
        let threads = ["name", "title"].into_iter().map(|column| {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || Build { column, shared, turn: 0 }.run())
        });
        let threads = threads.collect();
        Self { shared, threads }
    }

    /// Whether the new build runs: from the end of expand to the beginning of the rollback that leads before it.
    pub(super) fn let_new_in(&self, is_in: bool) {
        let quiet = self.shared.quiet.write().unwrap();
        self.shared.new.store(is_in, Ordering::SeqCst);
        drop(quiet);
    }

    /// How many writes were acknowledged to each build.
    pub(super) fn written(&self) -> [u32; 2] {
        *self.shared.written.lock().unwrap()
    }

    #[expect(clippy::unwrap_in_result, reason = "what is wrong in the test itself panics")]
    /// Every row of the table against what was acknowledged, in each column that must hold it.
    pub(super) fn check(&self, session: &Session, columns: &[&str]) -> Result<(), String> {
        let _quiet = self.shared.quiet.write().unwrap();
        let wrong = std::mem::take(&mut *self.shared.wrong.lock().unwrap());
        if !wrong.is_empty() {
            return Err(format!("a build was told: {}", wrong.join("; ")));
        }
        let mut rows = self.shared.rows.lock().unwrap();
        for column in columns {
            let mut found: BTreeMap<u32, Option<String>> = BTreeMap::new();
            for row in session.rows(&format!("SELECT id, {column} FROM users")) {
                found.insert(row[0].parse().unwrap(), Some(row[1].clone()));
            }
            for (id, may) in rows.iter_mut() {
                let is = found.remove(id).flatten();
                if !may.contains(&is) {
                    return Err(format!("row {id} has {column} = {is:?}, acknowledged: {may:?}"));
                }
                *may = vec![is];
            }
            let untouched = (1..=ROWS).filter(|id| !rows.contains_key(id));
            let untouched: BTreeMap<_, _> =
                untouched.map(|id| (id, Some(format!("n{id}")))).collect();
            if found != untouched {
                let differ = found.iter().filter(|(id, is)| untouched.get(id) != Some(*is));
                let differ: Vec<_> = differ.take(3).collect();
                return Err(format!("rows that nobody wrote differ in {column}: {differ:?}"));
            }
        }
        Ok(())
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            // Its panic has been printed.
            drop(thread.join());
        }
    }
}

/// One build: it knows one of the two columns.
struct Build {
    column: &'static str,
    shared: Arc<Shared>,
    turn: u32,
}

impl Build {
    fn run(mut self) {
        let mut session = None;
        while !self.shared.over.load(Ordering::SeqCst) {
            std::thread::sleep(PAUSE);
            let shared = Arc::clone(&self.shared);
            let _turn = shared.quiet.read().unwrap();
            if self.column == "title" && !shared.new.load(Ordering::SeqCst) {
                continue;
            }
            let Some(open) = session.take().or_else(|| Session::try_open(&shared.url).ok()) else {
                continue;
            };
            if self.write(&open) {
                session = Some(open);
            }
        }
    }

    /// One write. `false`: the connection is gone.
    fn write(&mut self, session: &Session) -> bool {
        self.turn += 1;
        let (turn, column) = (self.turn, self.column);
        let first = if column == "name" { 1 } else { 101 };
        // Rows of its own: some that were there before, some that come and go.
        let id = if turn % 2 == 0 { first + turn / 2 % 20 } else { 10_000 + first + turn / 2 % 20 };
        let value = format!("{column}-{turn}");
        let is_there = match self.shared.rows.lock().unwrap().get(&id) {
            Some(row) if row.len() == 1 => row[0].is_some(),
            // What became of it is not known: it is left alone.
            Some(_) => return true,
            None => id <= ROWS,
        };
        let (sql, after) = match (is_there, id > ROWS && turn % 3 == 0) {
            (false, _) => {
                (format!("INSERT INTO users (id, {column}) VALUES ({id}, '{value}')"), Some(value))
            }
            (true, true) => (format!("DELETE FROM users WHERE id = {id}"), None),
            (true, false) => {
                (format!("UPDATE users SET {column} = '{value}' WHERE id = {id}"), Some(value))
            }
        };
        let said = session.try_run(&sql);
        let mut rows = self.shared.rows.lock().unwrap();
        let untouched = Some(format!("n{id}")).filter(|_| id <= ROWS);
        match said {
            Ok(()) => {
                rows.insert(id, vec![after]);
                self.shared.written.lock().unwrap()[usize::from(column == "title")] += 1;
                true
            }
            // Its column is not there: not any more, or not yet again. Said loudly, and nothing is written.
            Err(said) if is_without_column(&said) => true,
            Err(_) if session.try_run("SELECT 1").is_err() => {
                rows.entry(id).or_insert_with(|| vec![untouched]).push(after);
                false
            }
            Err(said) => {
                self.shared.wrong.lock().unwrap().push(format!("{said} in: {sql}"));
                true
            }
        }
    }
}

fn is_without_column(said: &str) -> bool {
    said.contains("42703") || said.contains("1054")
}
