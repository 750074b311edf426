//! What the README shows is so.

use std::path::Path;

use assert_cmd::Command;

use crate::support;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

/// The blocks of one language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let open = format!("\n```{language}\n");
    let inside = text.split(&open).skip(1);
    inside.map(|rest| rest.split("\n```").next().unwrap().to_owned()).collect()
}

fn zdm(line: &str) -> Command {
    let mut words = line.split(" #").next().unwrap().split_whitespace();
    assert_eq!(words.next(), Some("zdm"), "{line}");
    let mut command = Command::cargo_bin("zdm").unwrap();
    for variable in ["DATABASE_URL", "ZDM_DATABASE_URL", "ZDM_CONFIG", "ZDM_ENV", "ZDM_DIR"] {
        command.env_remove(variable);
    }
    command.args(words);
    command
}

/// Whether a text is what is shown, where a line of three dots stands for any lines.
fn is_shown(shown: &str, text: &str) -> Result<(), String> {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let mut at = 0;
    let mut anywhere = false;
    for wanted in shown.trim_end().lines() {
        if wanted.trim() == "..." {
            anywhere = true;
            continue;
        }
        let rest = lines.get(at..).unwrap_or_default();
        let found = rest.iter().position(|line| line.trim_end() == wanted.trim_end());
        match found {
            Some(skipped) if anywhere || skipped == 0 => at += skipped + 1,
            _ => return Err(format!("not in the output: {wanted}\n{text}")),
        }
        anywhere = false;
    }
    if anywhere || at == lines.len() { Ok(()) } else { Err(format!("there is more:\n{text}")) }
}

#[test]
fn the_readme_shows_real_output() {
    let shown = blocks(&readme(), "console");
    assert!(shown.len() >= 2);
    for block in shown {
        let (line, output) = block.split_once('\n').unwrap();
        let run = zdm(line.strip_prefix("$ ").unwrap()).current_dir(root()).output().unwrap();
        let text = String::from_utf8(run.stdout).unwrap();
        is_shown(output, &text).unwrap_or_else(|wrong| panic!("{line}\n{wrong}"));
    }
}

#[test]
fn the_commands_of_the_readme_lead_where_it_says() {
    let Some(db) = support::postgres() else { return };
    db.run("CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL); INSERT INTO users VALUES (1, 'Ada')");
    let folder = tempfile::tempdir().unwrap();
    let blocks = blocks(&readme(), "sh");
    let block = blocks.iter().find(|block| block.contains("zdm init")).unwrap();
    let commands: Vec<_> = block.lines().filter(|line| line.starts_with("zdm ")).collect();
    assert!(commands.len() >= 6, "{commands:?}");
    for line in commands {
        zdm(line).current_dir(folder.path()).env("DATABASE_URL", &db.url).assert().success();
    }
    assert_eq!(db.value("SELECT display_name FROM users"), "Ada");
}

#[test]
fn the_targets_and_files_of_the_readme_are_there() {
    let text = readme();
    let makefile = std::fs::read_to_string(root().join("Makefile")).unwrap();
    for line in blocks(&text, "sh").concat().lines().filter(|line| line.starts_with("make ")) {
        let target = line.split_whitespace().nth(1).unwrap();
        assert!(makefile.contains(&format!("\n{target}: ##")), "{line}");
    }
    let targets = makefile.lines().filter(|line| line.contains(": ## ")).count();
    assert!((1..=10).contains(&targets), "{targets} targets");
    for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        assert!(link.starts_with("https://") || root().join(link).exists(), "{link}");
    }
}

#[test]
fn three_dots_stand_for_any_lines_and_nothing_else_does() {
    let text = "a\nb\nc\nd\n";
    for shown in ["a\nb\nc\nd", "a\n...\nd", "...\nb\n...", "a\n  ...\n"] {
        assert_eq!(is_shown(shown, text), Ok(()), "{shown}");
    }
    for shown in ["a\nb\nc", "a\nc\nd", "a\n...\nx", "b\n..."] {
        assert!(is_shown(shown, text).is_err(), "{shown}");
    }
}
