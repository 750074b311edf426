//! The manifests of examples: they can be read, and the real command line takes each command of zdm in them.

use std::path::Path;
use std::process::Command;

use saphyr::{LoadableYamlNode, Yaml};

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The documents of a file.
fn load(path: &str) -> Vec<Yaml<'static>> {
    let text: &'static str = Box::leak(read(path).into_boxed_str());
    Yaml::load_from_str(text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Whether the command line takes it: it is refused only later, for a database that cannot be.
fn is_taken(words: &[String]) {
    let folder = tempfile::tempdir().unwrap();
    // What `zdm gate --start-with` reads.
    std::fs::write(folder.path().join("zdm-manifest"), "zdm-manifest 1\nservice api\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_zdm"));
    command.args(words).current_dir(folder.path()).env("ZDM_DATABASE_URL", "nonsense://host/name");
    let said = String::from_utf8(command.output().unwrap().stderr).unwrap();
    assert!(said.contains("nonsense://host/name is not one that zdm knows"), "{words:?}: {said}");
}

/// The words that start zdm in each container below a node: `command` and `args` without the program itself.
fn commands(node: &Yaml<'_>, found: &mut Vec<Vec<String>>) {
    if let Some(items) = node.as_vec() {
        for item in items {
            commands(item, found);
        }
    }
    let Some(map) = node.as_mapping() else { return };
    let list = |key: &str| -> Vec<String> {
        let items = node.as_mapping_get(key).and_then(Yaml::as_vec).into_iter().flatten();
        items.filter_map(Yaml::as_str).map(str::to_owned).collect()
    };
    let words = [list("command"), list("args")].concat();
    match words.split_first() {
        Some((program, rest)) if program == "zdm" || program.ends_with("/zdm") => {
            found.push(rest.to_vec());
        }
        _ => {}
    }
    for value in map.values() {
        commands(value, found);
    }
}

/// The commands of a file, after each was given to the command line: their first words.
fn tried(path: &str) -> Vec<String> {
    let mut found = Vec::new();
    for document in load(path) {
        commands(&document, &mut found);
    }
    for words in &found {
        is_taken(words);
    }
    found.iter().map(|words| words[0].clone()).collect()
}

/// The one document of a kind.
fn kind<'a>(documents: &'a [Yaml<'static>], kind: &str) -> &'a Yaml<'static> {
    documents.iter().find(|document| document["kind"].as_str() == Some(kind)).unwrap()
}

#[test]
fn the_manifests_of_kubernetes_start_zdm_as_it_can_be_started() {
    assert_eq!(tried("kubernetes/deployment.yaml"), ["wait", "report"]);
    assert_eq!(tried("kubernetes/sidecar.yaml"), ["report"]);
    assert_eq!(tried("kubernetes/expand.yaml"), ["expand", "migrate"]);
    assert_eq!(tried("kubernetes/contract.yaml"), ["contract"]);

    let documents = load("kubernetes/deployment.yaml");
    let pod = &kind(&documents, "Deployment")["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let port = &container["ports"][0];
    for (probe, path) in [("readinessProbe", "/ready"), ("livenessProbe", "/live")] {
        let asked = &container[probe]["httpGet"];
        assert_eq!(asked["path"].as_str(), Some(path));
        assert_eq!(asked["port"].as_str(), port["name"].as_str());
    }
    let listens = format!("0.0.0.0:{}", port["containerPort"].as_integer().unwrap());
    assert!(read("kubernetes/deployment.yaml").contains(&listens));
    // What is under way may end, and the lease be left, before the pod is killed.
    let seconds = |node: &Yaml<'_>| node.as_integer().unwrap();
    let pause = &container["lifecycle"]["preStop"]["sleep"]["seconds"];
    assert!(seconds(&pod["terminationGracePeriodSeconds"]) >= seconds(pause) + 30);
}

#[test]
fn a_contract_that_must_wait_is_no_failed_job() {
    let documents = load("kubernetes/contract.yaml");
    let job = kind(&documents, "CronJob");
    assert_eq!(job["spec"]["concurrencyPolicy"].as_str(), Some("Forbid"));
    assert!(read("kubernetes/contract.yaml").contains("--if-blocked=skip"));
}

#[test]
fn the_analysis_of_argo_rollouts_asks_the_gate() {
    assert_eq!(tried("argo-rollouts/analysis.yaml"), ["gate"]);
    let documents = load("argo-rollouts/analysis.yaml");
    let metric = &kind(&documents, "AnalysisTemplate")["spec"]["metrics"][0];
    assert_eq!(metric["provider"]["job"]["spec"]["backoffLimit"].as_integer(), Some(0));
}

#[test]
fn the_units_of_systemd_start_zdm_as_it_can_be_started() {
    let mut first = Vec::new();
    for unit in ["worker.service", "zdm-contract.service", "zdm-contract.timer"] {
        let text = read(&format!("systemd/{unit}")).replace("\\\n", " ");
        let mut section = "";
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if line.starts_with('#') {
                continue;
            }
            if line.starts_with('[') {
                assert!(line.ends_with(']'), "{unit}: {line}");
                section = line;
                continue;
            }
            let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("{unit}: {line}"));
            assert!(!section.is_empty() && !key.contains(' '), "{unit}: {line}");
            if key == "ExecStart" {
                let words: Vec<_> = value.split_whitespace().map(str::to_owned).collect();
                assert!(words[0].ends_with("/zdm"), "{unit}: {line}");
                is_taken(&words[1..]);
                first.push(words[1].clone());
            }
        }
    }
    assert_eq!(first, ["report", "contract"]);
}
