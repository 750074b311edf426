//! `zdm demo`, from outside: its sums, and that it leaves nothing behind.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::support::Engine;

/// A demo with a temporary directory of its own, in which whatever it leaves is found.
fn demo(engine: Engine, rows: &str, directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zdm"));
    command
        .args(["demo", "--engine", engine.as_str(), "--rows", rows])
        .env("TMPDIR", directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A directory through which the server's account can pass.
fn directory() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
    directory
}

fn left_in(directory: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// The number that ends a line which begins so.
fn sum(text: &str, begin: &str) -> u64 {
    let line = text.lines().rfind(|line| line.trim_start().starts_with(begin));
    let number = line.and_then(|line| line.split_whitespace().last()).unwrap();
    number.replace(',', "").parse().unwrap()
}

fn whole_story(engine: Engine) {
    if !engine.is_there() {
        return;
    }
    let directory = directory();
    let output = demo(engine, "20000", directory.path()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{text}\n{errors}");
    assert_eq!(errors, "");
    let sums = text.split_once("The sum").unwrap().1;
    assert!(sum(sums, "statements run") > 1_000, "{text}");
    assert_eq!(sum(sums, "failed"), 0);
    assert!(sum(sums, "rows checked") > 40_000, "{text}");
    assert_eq!(sum(sums, "wrong"), 0);
    for part in ["$ zdm plan", "$ zdm expand", "$ zdm migrate", "$ zdm contract", "$ zdm status"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert_eq!(left_in(directory.path()), [""; 0].map(PathBuf::from));
}

#[test]
fn the_demo_tells_the_whole_story_on_postgres() {
    whole_story(Engine::Postgres);
}

#[test]
fn the_demo_tells_the_whole_story_on_mariadb() {
    whole_story(Engine::MariaDb);
}

/// Sends a signal in the middle of the story, and looks whether anything is left.
fn after(signal: &str, engine: Engine) -> ExitStatus {
    let directory = directory();
    let mut child = demo(engine, "200000", directory.path()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address =
        lines.by_ref().map(Result::unwrap).find(|line| line.contains("127.0.0.1:")).unwrap();
    let port = address.split_once("127.0.0.1:").unwrap().1;
    let port: u16 = port.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
    // The applications run.
    lines.by_ref().map(Result::unwrap).find(|line| line.contains("applications:")).unwrap();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
    let status = ended(&mut child);
    // After a kill it is the watcher that removes things, a moment later.
    let begun = Instant::now();
    while !left_in(directory.path()).is_empty() || TcpStream::connect(("127.0.0.1", port)).is_ok() {
        let left = left_in(directory.path());
        assert!(begun.elapsed() < Duration::from_secs(30), "left behind: {left:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
    let path = directory.path().to_string_lossy().into_owned();
    while running(&path) > 0 {
        assert!(begun.elapsed() < Duration::from_secs(30), "a process goes on");
        std::thread::sleep(Duration::from_millis(50));
    }
    status
}

fn ended(child: &mut Child) -> ExitStatus {
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    child.wait().unwrap()
}

/// How many processes name the directory in their arguments (on Linux; elsewhere nobody looks).
fn running(directory: &str) -> usize {
    let processes =
        std::fs::read_dir("/proc").into_iter().flatten().map(|entry| entry.unwrap().path());
    let arguments = processes.filter_map(|process| std::fs::read(process.join("cmdline")).ok());
    arguments.filter(|text| String::from_utf8_lossy(text).contains(directory)).count()
}

#[test]
fn the_demo_leaves_nothing_behind_when_it_is_interrupted() {
    for (signal, engine, code) in [
        ("INT", Engine::Postgres, Some(130)),
        ("TERM", Engine::MariaDb, Some(143)),
        ("KILL", Engine::Postgres, None),
        ("KILL", Engine::MariaDb, None),
    ] {
        if engine.is_there() {
            assert_eq!(after(signal, engine).code(), code, "{signal} on {engine}");
        }
    }
}
