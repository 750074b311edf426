//! `zdm report`: the application as a child that lives no longer than its lease.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::{PATIENCE, TTL, fence, install, migration, run, until, until_renewed, value};
use crate::support::{self, Network, Proxy};

/// A running `zdm report`.
struct Report(Child);

impl Report {
    /// Starts it in a folder without zdm.toml, as in an image; `script` is run by sh.
    fn start(url: &str, flags: &[&str], script: Option<&str>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zdm"));
        command
            .args(["report", "--service", "api", "--version", "41", "--instance", "web-1"])
            .args(flags);
        if let Some(script) = script {
            command.args(["--", "sh", "-c", script]);
        }
        command.env("ZDM_DATABASE_URL", url).current_dir(std::env::temp_dir());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits for its end: status, stdout, stderr.
    fn end(mut self) -> (ExitStatus, String, String) {
        let end = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < end, "zdm report did not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        let (mut out, mut err) = (String::new(), String::new());
        self.0.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        self.0.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        (status, out, err)
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        // Already ended, unless the test failed.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn lives(pid: &str) -> bool {
    Command::new("kill").args(["-s", "0", pid]).stderr(Stdio::null()).status().unwrap().success()
}

const LEFT: &str = "SELECT concat(count(*), ' ', count(left_at)) FROM zdm_lease";

#[test]
fn switched_off_the_command_runs_without_a_database() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zdm"));
    command.args(["report", "--service", "api", "--", "sh", "-c", "exit 7"]);
    command.env("ZDM_DATABASE_URL", "postgres://nobody@127.0.0.1:1/none").env("ZDM_APP", "off");
    command.current_dir(std::env::temp_dir());
    assert_eq!(command.output().unwrap().status.code(), Some(7));
    let said = command.env("ZDM_APP", "no").output().unwrap();
    assert_eq!(said.status.code(), Some(2));
    assert!(
        String::from_utf8(said.stderr)
            .unwrap()
            .contains("ZDM_APP is \"no\": write off, or nothing")
    );
}

#[test]
fn the_command_runs_under_a_lease_and_its_exit_code_is_handed_on() {
    support::each(|db| {
        install(db);
        let report =
            Report::start(&db.url, &["--tolerates", "0002_b"], Some("echo at work; exit 7"));
        let (status, out, _) = report.end();
        assert_eq!((status.code(), out.as_str()), (Some(7), "at work\n"));
        let lease = "SELECT concat(service, ' ', version, ' ', instance, ' ', tolerates, ' ', ending) FROM zdm_lease";
        assert_eq!(value(db, lease), "api 41 web-1 0002_b suspends");
        assert_eq!(value(db, LEFT), "1 1");

        let (status, _, _) = Report::start(&db.url, &[], Some("kill -9 $$")).end();
        assert_eq!(status.code(), Some(137));
    });
}

#[test]
fn signals_are_passed_on() {
    support::each(|db| {
        install(db);
        for (signal, code) in [("TERM", 42), ("INT", 43), ("USR1", 44)] {
            let file = std::env::temp_dir().join(format!("{}.{signal}", db.name));
            let wait = "while :; do sleep 0.05; done";
            let script = format!("trap 'exit {code}' {signal}; : > {}; {wait}", file.display());
            let report = Report::start(&db.url, &[], Some(&script));
            until("the command listens", || file.exists());
            report.signal(signal);
            let (status, _, err) = report.end();
            assert_eq!(status.code(), Some(code), "{signal}: {err}");
            std::fs::remove_file(file).unwrap();
        }
        assert_eq!(value(db, LEFT), "3 3");
    });
}

#[test]
fn the_command_is_stopped_at_the_deadline_even_if_it_does_not_listen() {
    support::each(|db| {
        install(db);
        for script in ["exec sleep 100", "trap '' TERM; while :; do sleep 0.05; done"] {
            let proxy = Proxy::before(&db.url);
            let report = Report::start(&proxy.url(&db.url), &[], Some(script));
            until_renewed(db);
            proxy.set(Network::Down);
            let began = Instant::now();
            let (status, _, err) = report.end();
            assert_eq!(status.code(), Some(1), "{err}");
            assert!(err.contains("could not be renewed before it ran out"), "{err}");
            // The end of the lease, and two seconds for leaving in vain.
            assert!(began.elapsed() < TTL + Duration::from_secs(10), "{:?}", began.elapsed());
        }
    });
}

#[test]
fn a_final_fence_stops_the_command_with_words() {
    support::each(|db| {
        install(db);
        let report = Report::start(&db.url, &[], Some("exec sleep 100"));
        until_renewed(db);
        fence(db, "0002_b", "tolerate", "final");
        let (status, _, err) = report.end();
        assert_eq!(status.code(), Some(1));
        assert!(err.contains("was stopped: migration 0002_b has been contracted"), "{err}");

        // A build that is started now does not even begin.
        let (status, out, err) = Report::start(&db.url, &[], Some("echo at work")).end();
        assert_eq!((status.code(), out.as_str()), (Some(1), ""));
        assert!(err.contains("does not tolerate it: deploy a newer build"), "{err}");
        let report = Report::start(&db.url, &["--tolerates", "0002_b"], Some("echo at work"));
        assert_eq!(report.end().1, "at work\n");
    });
}

#[test]
fn a_signal_ends_the_wait_for_a_migration() {
    support::each(|db| {
        install(db);
        migration(db, "0002_b", "expanded");
        let file = std::env::temp_dir().join(format!("{}.manifest", db.name));
        std::fs::write(&file, "zdm-manifest 1\nservice api\nneeds 0002_b migrated\n").unwrap();
        let report =
            Report::start(&db.url, &["--manifest", file.to_str().unwrap()], Some("echo at work"));
        until("it asks", || value(db, "SELECT count(*) FROM zdm_service") == "1");
        std::thread::sleep(Duration::from_millis(500));
        report.signal("TERM");
        let (status, out, _) = report.end();
        assert_eq!((status.code(), out.as_str()), (Some(143), ""));
        std::fs::remove_file(file).unwrap();
    });
}

#[test]
fn without_a_command_it_reports_until_it_is_told_to_end() {
    support::each(|db| {
        install(db);
        let report = Report::start(&db.url, &[], None);
        until_renewed(db);
        assert_eq!(value(db, "SELECT ending FROM zdm_lease"), "reports");
        report.signal("TERM");
        let (status, _, err) = report.end();
        assert_eq!(status.code(), Some(0), "{err}");
        assert_eq!(value(db, LEFT), "1 1");
    });
}

#[test]
fn the_command_does_not_outlive_a_wrapper_that_is_killed() {
    support::each(|db| {
        install(db);
        let file = std::env::temp_dir().join(format!("{}.pid", db.name));
        let script = format!("echo $$ > {}.new; mv {0}.new {0}; exec sleep 100", file.display());
        let report = Report::start(&db.url, &[], Some(&script));
        until("the command runs", || file.exists());
        let pid = std::fs::read_to_string(&file).unwrap().trim().to_owned();
        assert!(lives(&pid));
        report.signal("KILL");
        report.end();
        until("the command ends", || !lives(&pid));
        std::fs::remove_file(file).unwrap();
    });
}

/// The status and the text of an answer to `METHOD /path`; nothing while nobody listens.
fn ask(address: &str, request: &str) -> (String, String) {
    let mut answer = String::new();
    if let Ok(mut stream) = TcpStream::connect(address) {
        write!(stream, "{request} HTTP/1.1\r\nHost: probe\r\n\r\n").unwrap();
        stream.read_to_string(&mut answer).unwrap();
    }
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    (head.split(' ').nth(1).unwrap_or_default().to_owned(), body.trim().to_owned())
}

fn until_answered(address: &str, request: &str, status: &str, text: &str) {
    let wanted = (status.to_owned(), text.to_owned());
    until(&format!("{request}: {text}"), || ask(address, request) == wanted);
}

#[test]
fn probes_are_answered_by_what_the_lease_is() {
    support::each(|db| {
        install(db);
        migration(db, "0002_b", "expanded");
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let file = std::env::temp_dir().join(format!("{}.probed", db.name));
        std::fs::write(&file, "zdm-manifest 1\nservice api\nneeds 0002_b migrated\n").unwrap();
        let proxy = Proxy::before(&db.url);
        let flags = ["--listen", &address, "--manifest", file.to_str().unwrap()];
        let report = Report::start(&proxy.url(&db.url), &flags, None);
        until_answered(&address, "GET /ready", "503", "joining");
        until_answered(&address, "GET /live", "200", "live");

        run(db, "UPDATE zdm_migration SET state = 'migrated' WHERE id = '0002_b'");
        until_answered(&address, "GET /ready", "200", "serving");
        until_answered(&address, "POST /ready", "405", "GET /ready or /live");
        until_answered(&address, "GET /readyz", "404", "there are /ready and /live");

        // Whoever sends nothing, or half of a question, keeps nobody from being answered.
        let half = |number| {
            let mut stream = TcpStream::connect(&address).unwrap();
            if number % 2 == 0 {
                stream.write_all(b"GET /ready HT").unwrap();
            }
            stream
        };
        let silent: Vec<_> = (0..500).map(half).collect();
        proxy.set(Network::Down);
        until_answered(&address, "GET /ready", "503", "suspended");
        until_answered(&address, "GET /live", "200", "live");
        drop(silent);
        proxy.set(Network::Up);
        until_answered(&address, "GET /ready", "200", "serving");

        // Whoever comes second says so, and starts nothing.
        let (status, out, err) =
            Report::start(&db.url, &["--listen", &address], Some("echo at work")).end();
        assert_eq!((status.code(), out.as_str()), (Some(1), ""));
        assert!(err.contains(&format!("could not listen on {address}")), "{err}");

        report.signal("TERM");
        assert_eq!(report.end().0.code(), Some(0));
        std::fs::remove_file(file).unwrap();
    });
}

#[test]
fn a_command_that_was_asked_to_end_gets_no_new_work_and_keeps_its_lease() {
    support::each(|db| {
        install(db);
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let folder = tempfile::tempdir().unwrap();
        let (up, done) = (folder.path().join("up"), folder.path().join("done"));
        let finish = format!("until [ -e {} ]; do sleep 0.05; done; exit 42", done.display());
        let script =
            format!("trap '{finish}' TERM; : > {}; while :; do sleep 0.05; done", up.display());
        let report = Report::start(&db.url, &["--listen", &address], Some(&script));
        until("the command listens", || up.exists());
        until_answered(&address, "GET /ready", "200", "serving");
        report.signal("TERM");
        until_answered(&address, "GET /ready", "503", "draining");
        until_answered(&address, "GET /live", "200", "live");
        until_renewed(db);
        std::fs::write(done, "").unwrap();
        assert_eq!(report.end().0.code(), Some(42));
        assert_eq!(value(db, LEFT), "1 1");
    });
}
