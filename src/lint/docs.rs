//! docs/rules.md, made from `lints/*.toml`, and the ids that docs/coverage.md names.

#![expect(clippy::disallowed_methods, reason = "the committed pages are read and written")]

use std::fmt::Write;

use super::about::Example;
use super::rules;

fn page() -> String {
    let mut page = String::from(
        "# The lint rules\n\nMade from `lints/*.toml`: `ZDM_REWRITE=1 cargo test --lib lint::docs` rewrites it. `zdm rules ID` \
         prints one.\n\nA rule that is off, or too quiet or loud, is set in `[lint.rules]` of zdm.toml. One statement is let \
         through by `-- zdm:allow(rule-id) reason` above it. `[lint] since` names the first migration that is judged. `zdm \
         lint --fix` puts in what is marked as an edit: the file then does the same.\n\nOf `error` is what breaks a build that \
         runs or blocks other clients for as long as a table is long: `zdm expand` refuses it.\n\n\
         | rule | severity | databases | phases | reports |\n|---|---|---|---|---|\n",
    );
    for rule in rules::ALL {
        let about = rule.about();
        let severity = about.severity().map_or("off", |severity| severity.as_str());
        let databases: Vec<_> = about.databases().iter().map(|engine| engine.title()).collect();
        let phases: Vec<_> = about.phases().iter().map(|phase| phase.as_str()).collect();
        let phases = if phases.len() == 6 { "all".to_owned() } else { phases.join(", ") };
        let databases = if databases.len() == 3 { "all".to_owned() } else { databases.join(", ") };
        writeln!(
            page,
            "| [{0}](#{0}) | {severity} | {databases} | {phases} | {1} |",
            rule.id, about.title
        )
        .unwrap();
    }
    for rule in rules::ALL {
        let about = rule.about();
        write!(page, "\n## {}\n\n{}\n\n", rule.id, about.why.trim()).unwrap();
        writeln!(page, "**Instead:** {}", about.instead.trim()).unwrap();
        about.bad.iter().for_each(|example| show(&mut page, "Reported", example));
        about.good.iter().for_each(|example| show(&mut page, "Fine", example));
    }
    page
}

fn show(page: &mut String, what: &str, example: &Example) {
    let engine = example.engine().map_or("", crate::model::server::Engine::title);
    let phase = example.phase().map_or(String::new(), |phase| format!(", {phase}"));
    let text = example.sql.trim();
    write!(page, "\n{what} ({engine}{phase}):\n\n```sql\n{text}\n```\n").unwrap();
}

#[test]
fn the_committed_page_is_what_the_data_files_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rules.md");
    let page = page();
    if std::env::var_os("ZDM_REWRITE").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == page, "docs/rules.md is old: ZDM_REWRITE=1 cargo test --lib lint::docs");
}

#[test]
fn each_rule_that_the_coverage_names_is_there() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/coverage.md");
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| rule"));
    let cells: Vec<_> = rows.filter_map(|row| row.split('|').nth(2)).map(str::trim).collect();
    assert!(cells.len() > 120, "{} rows", cells.len());
    for cell in cells.iter().filter(|cell| !matches!(**cell, "zdm" | "none")) {
        for id in cell.split(", ") {
            let id = id.strip_prefix('`').and_then(|id| id.strip_suffix('`')).unwrap_or_default();
            assert!(rules::find(id).is_some(), "{cell}");
        }
    }
}
