//! `scripts/servers.sh`, where it gets a server by Docker. A stand-in plays Docker here: it runs the image's program on
//! this machine, so the programs that the script writes are tried, and Docker itself is not.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support;

/// What it is asked: `docker info`, `docker pull`, and `docker run OPTIONS --entrypoint PROGRAM IMAGE ARGUMENTS`.
const DOCKER: &str = r#"#!/bin/sh
case "$1" in info | pull) exit 0 ;; esac
shift
while [ $# -gt 0 ]; do
    case "$1" in
        --rm | --interactive) shift ;;
        --entrypoint) entrypoint=$2; shift 2 ;;
        --*) shift 2 ;;
        *) shift; break ;;
    esac
done
for programs in /usr/lib/postgresql/*/bin; do PATH="$PATH:$programs"; done
exec "$entrypoint" "$@"
"#;

/// A command as an account that is not root, in a folder that it owns.
fn unprivileged(program: &Path, folder: &Path) -> Command {
    let mut command = if rustix::process::getuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    command.env("PATH", path).env("ZDM_SERVERS", folder.join("cache")).current_dir(folder);
    command
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_server_in_a_container_ends_with_the_process_that_started_it() {
    if !support::Engine::Postgres.is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let docker = folder.path().join("docker");
    fs::write(&docker, DOCKER).unwrap();
    for path in [folder.path(), &docker] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    }
    let script = folder.path().join("servers.sh");
    fs::copy("scripts/servers.sh", &script).unwrap();
    let said = unprivileged(&script, folder.path())
        .arg("postgres")
        .env("ZDM_SERVERS_FROM", "docker")
        .output()
        .unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));

    let programs = folder.path().join("cache/postgres/docker/native/bin");
    let data = folder.path().join("data");
    let made = unprivileged(&programs.join("initdb"), folder.path())
        .args(["--no-sync", "--no-instructions", "--pgdata"])
        .arg(&data)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));

    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server: Child = unprivileged(&programs.join("postgres"), folder.path())
        .arg("-D")
        .arg(&data)
        .args(["-p", &port.to_string(), "-c", "unix_socket_directories="])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let answers = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
    wait_until("the server does not start", answers);
    server.kill().unwrap();
    server.wait().unwrap();
    wait_until("the server outlives its starter", || !answers());
}
