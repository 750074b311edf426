//! The files of docs/ci: they are YAML, and what they run does what they say, in a repository of git with the variables
//! of a job.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::Value;
use tempfile::TempDir;

use crate::support;

const USERS: &str = "CREATE TABLE users (id bigint PRIMARY KEY, name text);\n";
const INDEX: &str = "CREATE INDEX users_name ON users (name);\n";

fn text(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The one document of a file, checked for keys that nobody reads.
fn load(path: &str) -> Yaml<'static> {
    let text: &'static str = Box::leak(text(path).into_boxed_str());
    let mut documents = Yaml::load_from_str(text).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert_eq!(documents.len(), 1, "{path}");
    documents.remove(0)
}

fn words(node: &Yaml<'_>) -> String {
    node.as_str().unwrap().to_owned()
}

/// What a job's steps run, by their names.
fn steps(path: &str, job: &str) -> BTreeMap<String, String> {
    let file = load(path);
    let steps = file["jobs"][job]["steps"].as_vec().unwrap();
    let run = steps.iter().filter(|step| step.as_mapping_get("run").is_some());
    run.map(|step| (words(&step["name"]), words(&step["run"]))).collect()
}

/// A repository in which a branch adds an index, and a folder of programs that stand in for others.
struct Job {
    folder: TempDir,
    programs: PathBuf,
    variables: BTreeMap<String, String>,
}

impl Job {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let programs = folder.path().join("programs");
        std::fs::create_dir_all(&programs).unwrap();
        std::os::unix::fs::symlink(cargo_bin!("zdm"), programs.join("zdm")).unwrap();
        let job = Self { folder, programs, variables: BTreeMap::new() };
        job.file("repo/zdm.toml", "[services.api]\nttl = \"2s\"\n[gate]\nsoak = \"0s\"\n");
        job.file("repo/migrations/0001_users/expand.sql", USERS);
        job.git(&["init", "--quiet", "--initial-branch", "main"]);
        job.commit();
        job.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
        job.git(&["switch", "--quiet", "--create", "work"]);
        job
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// A program that runs these lines of sh.
    fn program(&self, name: &str, lines: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.programs.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        let identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];
        command.args(identity).args(arguments).current_dir(self.path("repo"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "x"]);
    }

    /// Runs a script as a runner does, and returns the exit code and all that was said.
    fn run(&self, shell: &[&str], script: &str) -> (i32, String) {
        assert!(!script.contains("${{"), "an expression in a script: {script}");
        self.file("script", script);
        let mut command = Command::new(shell[0]);
        command.args(&shell[1..]).arg(self.path("script")).current_dir(self.path("repo"));
        let path = std::env::var("PATH").unwrap();
        command.env_clear().env("PATH", format!("{}:{path}", self.programs.display()));
        command.env("HOME", self.folder.path()).envs(&self.variables);
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (output.status.code().unwrap(), said.concat())
    }

    /// An instance of the service, once it has joined.
    fn instance(&self, arguments: &[&str]) -> Child {
        let joined = self.path("joined");
        let script = format!("touch '{}'; exec sleep 60", joined.display());
        let mut command = Command::new(cargo_bin!("zdm"));
        command
            .args(["report", "--service", "api"])
            .args(arguments)
            .args(["--", "sh", "-c", &script]);
        let child = command.current_dir(self.path("repo")).envs(&self.variables).spawn().unwrap();
        let begun = Instant::now();
        while !joined.exists() {
            assert!(begun.elapsed() < Duration::from_secs(30), "it did not join");
            std::thread::sleep(Duration::from_millis(50));
        }
        std::fs::remove_file(joined).unwrap();
        child
    }

    /// As GitHub runs a step that names no shell.
    fn github(&self, script: &str) -> (i32, String) {
        self.run(&["bash", "-e"], script)
    }
}

const CHECK: &str = "docs/ci/github-check.yml";
const DEPLOY: &str = "docs/ci/github-deploy.yml";

/// A job of GitHub for a pull request from `work` to `main`.
fn pull_request() -> Job {
    let mut job = Job::new();
    let files = ["GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"].map(|name| (name, job.path(name)));
    for (name, path) in files {
        job.set(name, path.to_str().unwrap());
    }
    let (workspace, temporary) = (job.path("repo"), job.path("temp"));
    std::fs::create_dir_all(&temporary).unwrap();
    job.set("GITHUB_WORKSPACE", workspace.to_str().unwrap());
    job.set("RUNNER_TEMP", temporary.to_str().unwrap());
    job.set("GITHUB_BASE_REF", "main");
    job.set("GITHUB_REPOSITORY", "ada/shop");
    job.set("PULL", "7");
    job
}

#[test]
fn every_file_is_yaml_and_asks_for_the_rights_that_its_steps_need() {
    for path in [CHECK, DEPLOY, "docs/ci/gitlab.yml", ".pre-commit-hooks.yaml"] {
        load(path);
    }
    let check = load(CHECK);
    let rights = &check["jobs"]["check"]["permissions"];
    assert_eq!(words(&rights["pull-requests"]), "write");
    assert_eq!(words(&rights["security-events"]), "write");
    assert_eq!(words(&check["permissions"]["contents"]), "read");
    let checkout = &check["jobs"]["check"]["steps"][0]["with"];
    assert_eq!(checkout["fetch-depth"].as_integer(), Some(0));
    let deploy = load(DEPLOY);
    assert_eq!(words(&deploy["jobs"]["contract"]["needs"]), "deploy");
}

#[test]
fn the_check_of_a_pull_request_annotates_sums_up_and_fails() {
    let job = pull_request();
    let plan = &steps(CHECK, "check")["Plan"];
    let (code, said) = job.github(plan);
    assert_eq!((code, said.as_str()), (0, "0 steps to run, no findings\n"));
    job.file("repo/migrations/0002_index/expand.sql", INDEX);
    job.commit();
    let (code, said) = job.github(plan);
    assert_eq!(code, 3, "{said}");
    let annotation = "::error file=migrations/0002_index/expand.sql,line=1,col=1,";
    assert!(said.starts_with(annotation), "{said}");
    assert!(!said.contains("0001_users"), "{said}");
    assert!(job.read("GITHUB_OUTPUT").ends_with("highest_severity=error\nexit_code=3\n"));
    assert!(job.read("GITHUB_STEP_SUMMARY").contains("index-not-concurrent"));
}

#[test]
fn the_comment_is_written_once_and_then_anew() {
    let job = pull_request();
    let comment = &steps(CHECK, "check")["Comment"];
    job.file("repo/migrations/0002_index/expand.sql", INDEX);
    // Stands in for gh: keeps what it is asked, and the text; answers as if `comment` were the bot's comment.
    job.program(
        "gh",
        "printf '%s\\n' \"$*\" >> \"$HOME/asked\"\nfor argument; do case $argument in body=@*) cp \"${argument#body=@}\" \"$HOME/sent\" ;; esac; done\n\
         case $* in *--paginate*) [ \"$MARKER\" = '<!-- zdm:plan -->' ] && cat \"$HOME/known\" ;; esac",
    );
    job.file("known", "");
    let (code, said) = job.github(comment);
    assert_eq!(code, 0, "{said}");
    let asked = job.read("asked");
    assert!(asked.contains("--paginate repos/ada/shop/issues/7/comments"), "{asked}");
    assert!(asked.contains("--method POST repos/ada/shop/issues/7/comments"), "{asked}");
    assert!(job.read("sent").starts_with("<!-- zdm:plan -->\n"));
    assert!(job.read("sent").contains("index-not-concurrent"));
    job.file("known", "4711\n4712\n");
    job.file("repo/migrations/0002_index/expand.sql", "SELECT 1;\n");
    let (code, said) = job.github(comment);
    assert_eq!(code, 0, "{said}");
    let asked = job.read("asked");
    let last = asked.lines().last().unwrap();
    assert!(last.contains("--method PATCH repos/ada/shop/issues/comments/4711 "), "{asked}");
    assert!(!job.read("sent").contains("index-not-concurrent"));
    // A plan that fails is a comment, too.
    job.file("repo/migrations/0003_x/what.sql", "");
    assert_eq!(job.github(comment).0, 0);
    assert!(job.read("sent").contains("means nothing to zdm"), "{}", job.read("sent"));
}

#[test]
fn code_scanning_gets_every_finding_and_the_step_does_not_fail() {
    let job = pull_request();
    job.file("repo/migrations/0002_index/expand.sql", INDEX);
    let (code, said) = job.github(&steps(CHECK, "check")["Lint"]);
    assert_eq!(code, 0, "{said}");
    let log: Value = serde_json::from_str(&job.read("repo/zdm.sarif")).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert!(results.iter().any(|result| result["ruleId"] == "index-not-concurrent"), "{log}");
}

#[test]
fn the_deployment_goes_through_and_waits_for_old_instances_without_failing() {
    let Some(db) = support::postgres() else { return };
    let mut job = Job::new();
    job.set("DATABASE_URL", &db.url);
    job.file(
        "repo/migrations/0002_rename/migration.toml",
        "[[operation]]\nkind = \"rename_column\"\ntable = \"users\"\nfrom = \"name\"\nto = \"title\"\n",
    );
    let steps = [steps(DEPLOY, "expand"), steps(DEPLOY, "contract")];
    let step = |name: &str| {
        let script = steps.iter().find_map(|job| job.get(name)).unwrap();
        let (code, said) = job.github(script);
        assert_eq!(code, 0, "{name}: {said}");
        said
    };
    for name in ["Expand", "Expand", "Migrate"] {
        step(name);
    }
    assert_eq!(db.value("SELECT count(title) FROM users"), "0");
    let mut old = job.instance(&["--version", "41"]);
    let said = step("Contract");
    assert!(said.contains("skipped") && said.contains("41"), "{said}");
    step("Purge");
    end(&mut old);
    let mut new = job.instance(&["--version", "42", "--tolerates", "0002_rename"]);
    assert!(step("Contract").contains("0002_rename"));
    let said = step("Purge");
    assert!(said.contains("is kept for another"), "{said}");
    end(&mut new);
}

/// Lets an instance leave.
fn end(child: &mut Child) {
    let mut kill = Command::new("kill");
    assert!(kill.args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    child.wait().unwrap();
}

#[test]
fn the_job_of_gitlab_writes_its_reports_and_fails_last() {
    let mut job = Job::new();
    let file = load("docs/ci/gitlab.yml");
    let script = file["zdm"]["script"].as_vec().unwrap().iter().map(words);
    let script = script.collect::<Vec<_>>().join("\n");
    let reports = &file["zdm"]["artifacts"]["reports"];
    let (quality, junit) = (words(&reports["codequality"]), words(&reports["junit"]));
    job.file("repo/migrations/0002_index/expand.sql", INDEX);
    let base = job.git(&["rev-parse", "origin/main"]);
    job.set("CI_MERGE_REQUEST_DIFF_BASE_SHA", &base);
    let shell = ["bash", "-eo", "pipefail"];
    let (code, said) = job.run(&shell, &script);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("index-not-concurrent"), "{said}");
    let issues: Value = serde_json::from_str(&job.read(&format!("repo/{quality}"))).unwrap();
    assert_eq!(issues[0]["check_name"], "index-not-concurrent");
    assert!(job.read(&format!("repo/{junit}")).contains("<testsuites>"));
    // On the default branch, at its first commit.
    job.variables.clear();
    job.set("CI_COMMIT_BEFORE_SHA", &"0".repeat(40));
    job.commit();
    let (code, said) = job.run(&shell, &script);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn the_hooks_stop_a_commit_with_findings() {
    let mut job = Job::new();
    let hooks = load(".pre-commit-hooks.yaml");
    let hooks = hooks.as_vec().unwrap();
    // As git runs a hook of `git commit`.
    job.set("GIT_INDEX_FILE", ".git/index");
    for (id, path, passes) in [
        ("zdm-lint", "migrations/0002_index/expand.sql", false),
        ("zdm-plan", "migrations/0002_index/expand.sql", false),
        ("zdm-lint-files", "db/index.sql", true),
    ] {
        let hook = hooks.iter().find(|hook| hook["id"].as_str() == Some(id)).unwrap();
        assert_eq!(hook.as_mapping_get("pass_filenames").is_none(), passes);
        let files = if passes { path } else { "" };
        let script = format!("exec {} {files}", words(&hook["entry"]));
        for (sql, wanted) in [(INDEX, 3), ("SELECT 1;\n", 0)] {
            job.file(&format!("repo/{path}"), sql);
            job.git(&["add", "--all"]);
            let (code, said) = job.run(&["sh"], &script);
            assert_eq!(code, wanted, "{id}: {said}");
        }
        job.git(&["reset", "--quiet", "--hard"]);
    }
}
