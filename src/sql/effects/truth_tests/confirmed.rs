//! `confirmed_on` of the rows: compared with what was executed, or written anew with `ZDM_REWRITE=1`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::super::rows::Row;

/// What the servers at hand said of each row.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    /// By row: the servers on which all of its examples did what it says, and those on which one did not.
    by_row: BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)>,
}

impl Verdicts {
    /// Notes whether a server does what a row says.
    pub(super) fn note(&mut self, row: &Row, server: &str, agrees: Agrees) {
        let (good, bad) = self.by_row.entry(row.id.clone()).or_default();
        match agrees {
            Agrees::Yes => good.insert(server.to_owned()),
            Agrees::No => bad.insert(server.to_owned()),
        };
    }

    /// Writes them into the rows' files (`ZDM_REWRITE=1`), or says which row's list is not what was executed.
    pub(super) fn compare(&self, rows: &[Row], folder: &str) -> Vec<String> {
        let rewrite = std::env::var_os("ZDM_REWRITE").is_some();
        let mut wrong = Vec::new();
        for row in rows {
            let Some((good, bad)) = self.by_row.get(&row.id) else { continue };
            let listed: BTreeSet<_> = row.confirmed_on.iter().cloned().collect();
            let is_confirmed = |server: &&String| !bad.contains(*server);
            let expected: BTreeSet<_> = listed.union(good).filter(is_confirmed).cloned().collect();
            if expected != listed && !rewrite {
                wrong.push(format!(
                    "{}: confirmed_on is {listed:?}, executed {expected:?} (ZDM_REWRITE=1 writes it)",
                    row.id
                ));
            } else if expected != listed {
                write(&row.id, &expected, folder);
            }
        }
        wrong
    }
}

/// Whether a server does what a row says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Agrees {
    Yes,
    No,
}

/// The files of rows in a folder.
fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|ending| ending == "toml")).collect()
}

/// Puts the list into the row of that id, and nothing else.
fn write(id: &str, servers: &BTreeSet<String>, folder: &str) {
    for path in files(folder) {
        let text = fs::read_to_string(&path).unwrap();
        if let Some(text) = with_list(&text, id, servers) {
            fs::write(&path, text).unwrap();
        }
    }
}

/// The file's text with the list in the row; `None` when the row is not in it.
fn with_list(text: &str, id: &str, servers: &BTreeSet<String>) -> Option<String> {
    let has_key = |line: &str, key: &str| {
        line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    let quoted = format!("\"{id}\"");
    let at = lines.iter().position(|line| has_key(line, "id") && line.ends_with(&quoted))?;
    let end = lines
        .iter()
        .skip(at)
        .position(|line| line.starts_with("[[") || line.trim().is_empty())
        .map_or(lines.len(), |count| at + count);
    let servers: Vec<_> = servers.iter().map(|server| format!("\"{server}\"")).collect();
    let line = format!("confirmed_on = [{}]", servers.join(", "));
    match (at..end).find(|number| has_key(&lines[*number], "confirmed_on")) {
        Some(number) if servers.is_empty() => drop(lines.remove(number)),
        Some(number) => lines[number] = line,
        None => lines.insert(end, line),
    }
    Some(lines.join("\n") + "\n")
}

#[test]
fn the_list_of_one_row_is_written_and_nothing_else() {
    let servers: BTreeSet<_> = ["postgres:15".to_owned()].into();
    let list = |text, id| with_list(text, id, &servers);
    let text = "[[row]]\nid   = \"a\"\nconfirmed_on = []\n\n[[row]]\nid = \"b\"\n";
    assert_eq!(
        list(text, "a").unwrap(),
        "[[row]]\nid   = \"a\"\nconfirmed_on = [\"postgres:15\"]\n\n[[row]]\nid = \"b\"\n"
    );
    assert_eq!(
        list(text, "b").unwrap(),
        "[[row]]\nid   = \"a\"\nconfirmed_on = []\n\n[[row]]\nid = \"b\"\nconfirmed_on = [\"postgres:15\"]\n"
    );
    assert_eq!(list(text, "c"), None);
}
