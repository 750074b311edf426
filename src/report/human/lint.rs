//! What the rules say about files, for people.

use std::fmt::Write;

use super::finding::{Shown, count_of, counted, finding};
use super::style::{Tone, paint};
use crate::lint::finding::Severity;
use crate::lint::rules::Rule;
use crate::report::linted::LintedFile;

/// Every finding with its source line, then a count.
pub(crate) fn lint(files: &[LintedFile]) -> String {
    let mut text = String::new();
    for file in files {
        for found in file.findings() {
            text.push_str(&finding(found, Shown { path: &file.path, text: &file.text }));
            text.push('\n');
        }
    }
    let statements: usize = files.iter().map(LintedFile::count).sum();
    let (files_words, statements) =
        (count_of(files.len(), "file"), count_of(statements, "statement"));
    let words = counted(files.iter().flat_map(LintedFile::findings));
    writeln!(text, "{words} in {statements} of {files_words}").unwrap_or_default();
    text
}

/// All rules, one line each.
pub(crate) fn rules(rules: &[Rule], width: usize) -> String {
    let row = |rule: &Rule| {
        let about = rule.about();
        vec![
            rule.id.to_owned(),
            about.severity().map_or("off", Severity::as_str).to_owned(),
            about.title.clone(),
        ]
    };
    super::table::table(&["RULE", "SEVERITY", "REPORTS"], rules.iter().map(row).collect(), width)
}

/// One rule in full.
pub(crate) fn rule(rule: &Rule) -> String {
    let about = rule.about();
    let mut text = String::new();
    let databases: Vec<&str> = about.databases().iter().map(|engine| engine.title()).collect();
    let phases: Vec<&str> = about.phases().iter().map(|phase| phase.as_str()).collect();
    writeln!(text, "{}: {}\n", paint(Tone::Strong, rule.id), about.title).unwrap_or_default();
    let off = || "off; switch it on in [lint.rules] of zdm.toml".to_owned();
    let severity = about.severity().map_or_else(off, severity);
    writeln!(text, "severity   {severity}").unwrap_or_default();
    writeln!(text, "databases  {}", databases.join(", ")).unwrap_or_default();
    writeln!(text, "phases     {}", phases.join(", ")).unwrap_or_default();
    let mut part = |title: &str, body: &str| {
        writeln!(text, "\n{}\n{}", paint(Tone::Strong, title), body.trim()).unwrap_or_default();
    };
    part("Why", &about.why);
    part("Instead", &about.instead);
    for example in &about.bad {
        part(&format!("Reported ({})", database(example.engine())), &example.sql);
    }
    for example in &about.good {
        part(&format!("Fine ({})", database(example.engine())), &example.sql);
    }
    let allow = format!(
        "-- zdm:allow({}) the reason, above the statement; or [lint.rules] in zdm.toml",
        rule.id
    );
    part("To allow it", &allow);
    text
}

fn database(engine: Option<crate::model::server::Engine>) -> &'static str {
    engine.map_or("any database", crate::model::server::Engine::title)
}

fn severity(severity: Severity) -> String {
    let tone = match severity {
        Severity::Error => Tone::Bad,
        Severity::Warning => Tone::Warn,
        Severity::Info => Tone::Code,
    };
    paint(tone, severity.as_str())
}
