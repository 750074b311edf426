//! The drill of `examples/rolling-deploy`, shortened: its sums, and what contract said at each moment.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::support::Engine;

/// The example's program: cargo names to tests only those of the package itself, and has built the rest of it already.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let zdm = Path::new(env!("CARGO_BIN_EXE_zdm"));
        let folder = zdm.parent().unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--locked", "--offline", "--example", "rolling-deploy"]);
        if folder.ends_with("release") {
            cargo.arg("--release");
        }
        cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
        let built = cargo.stdin(Stdio::null()).output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        folder.join("examples/rolling-deploy")
    })
}

fn drill(engine: Engine) {
    if !engine.is_there() {
        return;
    }
    let output = Command::new(program())
        .args(["--short", engine.as_str()])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    // Each line: what, requests, failed, wrong, p99, what contract said.
    let sum = text.lines().find(|line| line.starts_with("all  ")).unwrap();
    let sum: Vec<&str> = sum.split_whitespace().collect();
    assert!(sum[1].parse::<u64>().unwrap() > 100, "{text}");
    assert_eq!(sum[2..4], ["0", "0"], "{text}");
    let said = |what: &str| text.lines().filter(|line| line.ends_with(what)).count();
    assert_eq!(said("  done (0)"), 2, "{text}");
    assert_eq!(said(" old"), 7, "{text}");
    assert_eq!(said("(expand: refused (3))"), 1, "{text}");
    assert_eq!(said("(rollback: refused (4))"), 1, "{text}");
}

#[test]
fn nobody_notices_a_deployment_on_postgres() {
    drill(Engine::Postgres);
}

#[test]
fn nobody_notices_a_deployment_on_mariadb() {
    drill(Engine::MariaDb);
}

#[test]
fn the_manifests_of_the_drill_are_those_that_zdm_writes() {
    let drill = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/rolling-deploy");
    for (project, build) in [("shop", "build-2"), ("shop-phase-switch", "build-2-phase-switch")] {
        let output = Command::new(env!("CARGO_BIN_EXE_zdm"))
            .args(["manifest", "--service", "api", "--config"])
            .arg(drill.join(project).join("zdm.toml"))
            .output()
            .unwrap();
        let committed = std::fs::read_to_string(drill.join("manifests").join(build)).unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), committed);
    }
}
