//! SARIF 2.1.0 (OASIS), which code scanning of GitHub and many editors read.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::{Rendered, ReportFormat};
use crate::lint::finding::{Fix, Severity};
use crate::lint::rules;
use crate::report::check::{Check, DIFFERS, Failed, Problem, REFUSED, UNREAD};
use crate::report::human::failure::causes;
use crate::report::json as format;
use crate::sql::span::Span;

/// `--format sarif`.
pub(super) const FORMAT: ReportFormat =
    ReportFormat { name: "sarif", about: "SARIF 2.1.0, for code scanning", render, failed };

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The name by which readers know the root of the repository.
const ROOT: &str = "%SRCROOT%";

fn render(check: &Check<'_>) -> Rendered {
    let ids: BTreeSet<&'static str> = check.problems().map(|problem| problem.rule).collect();
    let ids: Vec<&'static str> = ids.into_iter().collect();
    let mut results = Vec::new();
    for group in &check.groups {
        for case in &group.cases {
            for problem in &case.problems {
                let index = ids.iter().position(|id| *id == problem.rule);
                results.push(result(problem, index.unwrap_or_default(), &case.class));
            }
        }
    }
    let invocation = json!({ "executionSuccessful": true, "exitCode": check.about.code });
    let rules: Vec<_> = ids.into_iter().map(rule).collect();
    log(check.about.command, &rules, Some(results), &invocation).into()
}

fn failed(failed: &Failed<'_>) -> Rendered {
    let mut words = vec![failed.error.to_string()];
    words.extend(failed.error.detail.iter().cloned());
    words.extend(causes(failed.error));
    words.extend(failed.error.hint.clone());
    let invocation = json!({
        "executionSuccessful": false,
        "exitCode": failed.code,
        "toolExecutionNotifications": [
            { "level": "error", "message": { "text": words.join("\n") } },
        ],
    });
    // Results that are absent, unlike an empty list, say that nothing was looked for.
    log(failed.command, &[], None, &invocation).into()
}

fn log(command: &str, rules: &[Value], results: Option<Vec<Value>>, invocation: &Value) -> String {
    let mut run = json!({
        "tool": {
            "driver": {
                "name": "zdm",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            },
        },
        "automationDetails": { "id": format!("zdm/{command}/") },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {
            ROOT: { "description": { "text": "The root of the repository." } },
        },
        "invocations": [invocation],
    });
    if let (Some(run), Some(results)) = (run.as_object_mut(), results) {
        run.insert("results".to_owned(), Value::Array(results));
    }
    format::render(&json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": [run] }))
}

fn rule(id: &'static str) -> Value {
    let known = rules::ALL.iter().find(|rule| rule.id == id);
    let (title, why, instead, severity) = match known.map(rules::Rule::about) {
        Some(about) => {
            // One that is off speaks only because zdm.toml says how loudly.
            let severity = about.severity().unwrap_or(Severity::Info);
            (about.title.as_str(), about.why.trim(), about.instead.trim(), severity)
        }
        None if id == REFUSED => (
            "a migration that cannot run as it is",
            "What the migration asks for cannot be kept right, or its order is wrong: nothing runs before it has been put right.",
            "Do what the message says.",
            Severity::Error,
        ),
        None if id == DIFFERS => (
            "a statement that does what the plan does not say",
            "The statement ran on a scratch server, and took other locks, or wrote other tables anew, than the plan foretells.",
            "Believe what was seen.",
            Severity::Error,
        ),
        None if id == UNREAD => (
            "a file that is no text",
            "Nothing of the file was judged, and it can have done anything: what follows it was judged as if nothing of the schema were known.",
            "Save it as UTF-8.",
            Severity::Error,
        ),
        None => (id, id, "", Severity::Error),
    };
    json!({
        "id": id,
        "shortDescription": { "text": title },
        "fullDescription": { "text": why },
        "help": { "text": format!("{why}\n\n{instead}"), "markdown": format!("{why}\n\n**Instead:** {instead}") },
        "defaultConfiguration": { "level": level(severity) },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn result(problem: &Problem, index: usize, class: &str) -> Value {
    let mut result = json!({
        "ruleId": problem.rule,
        "ruleIndex": index,
        "level": level(problem.severity),
        "message": { "text": problem.words() },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": artifact(&problem.path),
                "region": problem.span.map_or_else(|| json!({ "startLine": 1 }), region),
            },
            "logicalLocations": [{ "fullyQualifiedName": class }],
        }],
        "partialFingerprints": { "zdm/v1": problem.fingerprint },
    });
    if let (Some(result), Some(fix)) = (result.as_object_mut(), fix(problem)) {
        result.insert("fixes".to_owned(), json!([fix]));
    }
    result
}

fn fix(problem: &Problem) -> Option<Value> {
    match problem.fix.as_ref()? {
        Fix::Edit { span, text } => Some(json!({
            "description": { "text": problem.help },
            "artifactChanges": [{
                "artifactLocation": artifact(&problem.path),
                "replacements": [{ "deletedRegion": region(*span), "insertedContent": { "text": text } }],
            }],
        })),
        // It is another file's, and takes a decision.
        Fix::Operation { .. } => None,
    }
}

fn region(span: Span) -> Value {
    json!({
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    })
}

fn artifact(path: &str) -> Value {
    let mut location = Map::new();
    if path.starts_with('/') {
        location.insert("uri".to_owned(), format!("file://{}", encoded(path)).into());
    } else {
        location.insert("uri".to_owned(), encoded(path).into());
        location.insert("uriBaseId".to_owned(), ROOT.into());
    }
    location.into()
}

/// A path as a reference of RFC 3986.
fn encoded(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            write!(uri, "%{byte:02X}").unwrap_or_default();
        }
    }
    uri
}
