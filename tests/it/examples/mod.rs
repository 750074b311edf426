//! The clients of examples/languages: the same cases for each language, on each database.

mod language;
mod manifests;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use self::language::Language;
use crate::app::{PATIENCE, fence, install, migration, run, unfence, until, value};
use crate::support::{Db, Engine, Network, Proxy};

/// Long enough for a busy machine, short enough to wait for its end.
const TTL: Duration = Duration::from_secs(2);

const MANIFEST: &str = "# made by zdm manifest\nzdm-manifest 1\nservice api\ntolerates 0002_b\n\
                        needs 0001_a migrated\nneeds 0003_c expanded\n";

/// A running example.
struct App {
    child: Child,
    lines: Receiver<String>,
    heard: Vec<String>,
    errors: Arc<Mutex<String>>,
    _folder: tempfile::TempDir,
}

impl App {
    fn start(language: &Language, url: &str, switch: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let manifest = folder.path().join("zdm-manifest");
        std::fs::write(&manifest, MANIFEST).unwrap();
        let mut command = language.command();
        // lib/pq insists on TLS, unless it is told otherwise.
        let url = if url.starts_with("postgres") {
            format!("{url}?sslmode=disable")
        } else {
            url.to_owned()
        };
        command.env("DATABASE_URL", url).env("ZDM_MANIFEST", manifest).env("APP_VERSION", "41");
        if let Some(word) = switch {
            command.env("ZDM_APP", word);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                // The test may have ended.
                drop(sender.send(line));
            }
        });
        let errors = Arc::new(Mutex::new(String::new()));
        let (mut err, kept) = (child.stderr.take().unwrap(), Arc::clone(&errors));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = err.read(&mut buffer) {
                kept.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
        });
        Self { child, lines, heard: Vec::new(), errors, _folder: folder }
    }

    /// Waits for a line that starts so.
    fn says(&mut self, wanted: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                let errors = self.errors.lock().unwrap();
                panic!("it did not say \"{wanted}\", but {:#?}\n{errors}", self.heard);
            };
            self.heard.push(line.clone());
            if line.starts_with(wanted) {
                return line;
            }
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let mut kill = std::process::Command::new("kill");
        assert!(kill.args(["-s", name, &pid]).status().unwrap().success());
    }

    fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    fn ends(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "it did not end: {}", self.errors.lock().unwrap());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Asks it to end, which it does well.
    fn leaves(&mut self) {
        self.signal("TERM");
        self.says("stopped: left");
        assert_eq!(self.ends().code(), Some(0));
    }
}

impl Drop for App {
    fn drop(&mut self) {
        // Already ended, unless the test failed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs a case for each language on each database, all at once: most of it is waiting.
fn each(case: impl Fn(&Language, &Db) + Sync) {
    let engines = [Engine::Postgres, Engine::MariaDb];
    let all = language::all();
    let pairs = all.iter().flat_map(|language| engines.map(|engine| (language, engine)));
    std::thread::scope(|scope| {
        for (language, engine) in pairs {
            let case = &case;
            let name = format!("{} on {engine}", language.name);
            let named = std::thread::Builder::new().name(name);
            named.spawn_scoped(scope, move || one(language, engine, case)).unwrap();
        }
    });
}

fn one(language: &Language, engine: Engine, case: impl Fn(&Language, &Db)) {
    let Some(db) = Db::of(engine) else { return };
    install(&db);
    ttl(&db, TTL);
    migration(&db, "0001_a", "migrated");
    migration(&db, "0003_c", "expanded");
    case(language, &db);
}

fn ttl(db: &Db, ttl: Duration) {
    run(db, &format!("UPDATE zdm_service SET ttl_ms = {}", ttl.as_millis()));
}

/// Waits until the lease was renewed twice.
fn until_renewed(db: &Db) {
    let beat = || value(db, "SELECT max(beat) FROM zdm_lease").parse::<u32>().unwrap();
    let before = beat();
    until("two renewals", || beat() >= before + 2);
}

/// Whether a lease still counts, by the clock of the database.
fn is_held(db: &Db) -> bool {
    let end = match db.engine {
        Engine::Postgres => "seen_at + ttl_ms * interval '1 millisecond'",
        Engine::MariaDb => "seen_at + INTERVAL ttl_ms * 1000 MICROSECOND",
    };
    let held = format!(
        "SELECT count(*) FROM zdm_lease WHERE left_at IS NULL AND {end} > UTC_TIMESTAMP(6)"
    );
    value(db, &held) != "0"
}

#[test]
fn an_example_joins_when_it_may_says_what_it_is_and_leaves() {
    each(|language, db| {
        migration(db, "0001_a", "expanded");
        let mut app = App::start(language, &db.url, None);
        app.says("joining");
        // The service is known from the first question on.
        migration(db, "0001_a", "migrated");
        app.says("serving, lease ");
        app.says("0003_c: reads the old structure");
        let lease = "SELECT concat(service, ' ', version, ' ', tolerates, ' ', needs, ' ', ending, ' ', ttl_ms) FROM zdm_lease";
        let needs = "0001_a=migrated,0003_c=expanded";
        assert_eq!(value(db, lease), format!("api 41 0002_b {needs} suspends 2000"));
        until_renewed(db);
        migration(db, "0003_c", "migrated");
        app.says("0003_c: reads the new structure");
        app.leaves();
        // On a busy machine it may have joined more than once: the lease that it served under is left.
        let mut served = app.heard.iter().filter_map(|line| line.strip_prefix("serving, lease "));
        // What an application holds is the lease's number, and a mark of 20 bits behind it.
        let lease = served.next_back().unwrap().parse::<i64>().unwrap() >> 20;
        let left = format!("SELECT count(left_at) FROM zdm_lease WHERE id = {lease}");
        assert_eq!(value(db, &left), "1");
    });
}

#[test]
fn an_example_is_suspended_before_its_lease_is_over_and_comes_back() {
    each(|language, db| {
        // A third of a second for the line to arrive.
        ttl(db, 2 * TTL);
        let proxy = Proxy::before(&db.url);
        let mut app = App::start(language, &proxy.url(&db.url), None);
        app.says("serving, lease ");
        // On a busy machine it may still come late; one that serves for longer than its lease is late each time.
        let in_time = (0..4).any(|_| {
            proxy.set(Network::Down);
            app.says("suspended");
            let in_time = is_held(db);
            until("the end of the lease", || !is_held(db));
            proxy.set(Network::Up);
            app.says("serving, lease ");
            in_time
        });
        assert!(in_time, "it served for longer than its lease: {:#?}", app.heard);
        proxy.set(Network::Silent);
        app.says("suspended");
        assert!(app.is_running());
        proxy.set(Network::Up);
        app.says("serving, lease ");
        app.leaves();
    });
}

#[test]
fn an_example_serves_on_under_a_provisional_fence_and_stops_at_a_final_one() {
    each(|language, db| {
        // Suspended after 7 s, it asks again every 2 s.
        ttl(db, 4 * TTL);
        let mut app = App::start(language, &db.url, None);
        app.says("0003_c: reads the old structure");
        fence(db, "0004_d", "tolerate", "provisional");
        until("a knock", || value(db, "SELECT count(knocked_by) FROM zdm_fence") == "1");
        unfence(db);
        until_renewed(db);
        // It has said nothing, so it has served all the time.
        assert_eq!(app.lines.try_iter().collect::<Vec<_>>(), [""; 0]);
        fence(db, "0004_d", "tolerate", "final");
        let said = app.says("stopped: ");
        assert!(said.contains("migration 0004_d has been contracted"), "{said}");
        assert_eq!(app.ends().code(), Some(1));

        // What is started now is refused; what is fenced for now waits.
        let mut late = App::start(language, &db.url, None);
        late.says("stopped: migration 0004_d has been contracted");
        assert_eq!(late.ends().code(), Some(1));
        run(db, "UPDATE zdm_fence SET status = 'provisional', knocked_by = NULL");
        let mut early = App::start(language, &db.url, None);
        until("a knock", || value(db, "SELECT count(knocked_by) FROM zdm_fence") == "1");
        assert!(early.is_running());
        unfence(db);
        early.says("serving, lease ");
        early.leaves();
    });
}

#[test]
fn an_example_that_was_stopped_for_longer_than_its_lease_joins_anew() {
    each(|language, db| {
        let proxy = Proxy::before(&db.url);
        let mut app = App::start(language, &proxy.url(&db.url), None);
        let first = app.says("serving, lease ");
        until_renewed(db);
        app.signal("STOP");
        until("the end of the lease", || !is_held(db));
        // So that it cannot join before it is looked at.
        proxy.set(Network::Down);
        app.signal("CONT");
        app.says("suspended");
        proxy.set(Network::Up);
        assert_ne!(app.says("serving, lease "), first);
        app.leaves();
    });
}

#[test]
fn an_example_without_a_lease_serves_and_a_word_that_means_nothing_is_refused() {
    for language in language::all() {
        for url in ["postgres://nobody@127.0.0.1:1/none", "mariadb://nobody@127.0.0.1:1/none"] {
            let mut app = App::start(language, url, Some("off"));
            app.says("serving, without a lease");
            app.says("0003_c: reads the new structure");
            app.leaves();
        }
        let mut app = App::start(language, "postgres://nobody@127.0.0.1:1/none", Some("no"));
        assert_eq!(app.ends().code(), Some(1), "{}", language.name);
        until("words", || app.errors.lock().unwrap().contains("write off, or nothing"));
    }
}
