//! How the example of each language is started, where its runtime and drivers are at hand.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A language whose example can run here.
#[derive(Clone, Debug)]
pub(super) struct Language {
    /// Its name, for people.
    pub(super) name: &'static str,
    command: Vec<String>,
}

impl Language {
    /// The example's process, yet to be started.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).env("PYTHONDONTWRITEBYTECODE", "1");
        command.env_remove("ZDM_APP").env_remove("PGOPTIONS");
        command
    }
}

/// The languages that can run here. One that cannot is skipped by name; under `make test-examples` it fails.
pub(super) fn all() -> &'static [Language] {
    static ALL: OnceLock<Vec<Language>> = OnceLock::new();
    ALL.get_or_init(|| {
        let found = [("Python", python()), ("Node", node()), ("Go", go()), ("Java", java())];
        let there = |(name, found): (&'static str, Result<Vec<String>, String>)| match found {
            Ok(command) => Some(Language { name, command }),
            Err(missing) => {
                assert!(!is_required(), "the example in {name}: {missing}");
                let text = format!("skipped: the example in {name}: {missing}\n");
                std::io::stderr().write_all(text.as_bytes()).unwrap();
                None
            }
        };
        found.into_iter().filter_map(there).collect()
    })
}

fn is_required() -> bool {
    std::env::var("ZDM_REQUIRE_EXAMPLES").is_ok_and(|value| value == "1")
}

fn folder(language: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/languages").join(language)
}

fn file(language: &str, name: &str) -> String {
    folder(language).join(name).to_str().unwrap().to_owned()
}

fn works(command: &mut Command) -> bool {
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
}

fn python() -> Result<Vec<String>, String> {
    for program in ["python3", "/usr/bin/python3"] {
        if works(Command::new(program).args(["-c", "import psycopg2, pymysql"])) {
            return Ok(vec![program.to_owned(), file("python", "app.py")]);
        }
    }
    Err("python3 with psycopg2 and pymysql is not here".to_owned())
}

fn node() -> Result<Vec<String>, String> {
    // As its own files would: beside them, or by NODE_PATH.
    let look = "require('pg'); require('mysql2')";
    if works(Command::new("node").args(["-e", look]).current_dir(folder("node"))) {
        return Ok(vec!["node".to_owned(), file("node", "app.js")]);
    }
    Err("node with pg and mysql2 is not here".to_owned())
}

/// Compiling takes seconds, which `make test` does not spend on it.
fn compiled(language: &str, compile: impl FnOnce(&Path) -> Command) -> Result<PathBuf, String> {
    if !is_required() {
        return Err("compiled by make test-examples alone".to_owned());
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("examples-{language}"));
    std::fs::create_dir_all(&target).map_err(|error| error.to_string())?;
    let output = compile(&target).output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(target)
}

fn go() -> Result<Vec<String>, String> {
    let target = compiled("go", |target| {
        let mut go = Command::new("go");
        go.args(["build", "-o"]).arg(target.join("app")).arg(".").current_dir(folder("go"));
        // The drivers of the distribution, which are not modules.
        go.env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode");
        go
    })?;
    Ok(vec![target.join("app").to_str().unwrap().to_owned()])
}

fn java() -> Result<Vec<String>, String> {
    let target = compiled("java", |target| {
        let mut javac = Command::new("javac");
        javac.args(["-Xlint:all", "-Werror", "-d"]).arg(target);
        javac.args([file("java", "ZdmLease.java"), file("java", "App.java")]);
        javac
    })?;
    let jars = "/usr/share/java/postgresql.jar:/usr/share/java/mariadb-java-client.jar";
    let path = format!("{}:{jars}", target.display());
    // Started once and soon ended: it is not worth much compiling.
    Ok(["java", "-XX:TieredStopAtLevel=1", "-cp", &path, "App"].map(str::to_owned).into())
}
