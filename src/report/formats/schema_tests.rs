//! What others read is held against what they say of it: schemas, identifiers, counts.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::tests::{SAMPLE, failed, linted, planned};

/// Three texts of each kind.
fn all(format: &str) -> [String; 3] {
    [planned(SAMPLE, format).text, linted(format).text, failed(format).text]
}

#[track_caller]
pub(super) fn assert_valid(schema: &Value, text: &str) -> Value {
    let value: Value = serde_json::from_str(text).unwrap();
    let validator = jsonschema::validator_for(schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\nin:\n{text}");
    value
}

/// What sections 3.13 to 3.55 of SARIF 2.1.0 say of the objects that zdm writes; anything else is a mistake here.
pub(super) fn sarif_schema() -> Value {
    let object = |required: &[&str], properties: Value| json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false });
    let list = |items: Value| json!({ "type": "array", "items": items });
    let text = object(&["text"], json!({ "text": { "type": "string", "minLength": 1 } }));
    let level = json!({ "enum": ["none", "note", "warning", "error"] });
    let place = json!({ "type": "integer", "minimum": 1 });
    let region = object(
        &["startLine"],
        json!({ "startLine": place, "startColumn": place, "endLine": place, "endColumn": place }),
    );
    let artifact = object(
        &["uri"],
        json!({ "uri": { "type": "string", "pattern": "^[A-Za-z0-9._~/!$&'()*+,;=@%:-]+$" }, "uriBaseId": { "const": "%SRCROOT%" } }),
    );
    let physical = object(
        &["artifactLocation", "region"],
        json!({ "artifactLocation": artifact, "region": region }),
    );
    let logical =
        object(&["fullyQualifiedName"], json!({ "fullyQualifiedName": { "type": "string" } }));
    let location = object(
        &["physicalLocation"],
        json!({ "physicalLocation": physical, "logicalLocations": list(logical) }),
    );
    let inserted = object(&["text"], json!({ "text": { "type": "string" } }));
    let replacement =
        object(&["deletedRegion"], json!({ "deletedRegion": region, "insertedContent": inserted }));
    let change = object(
        &["artifactLocation", "replacements"],
        json!({ "artifactLocation": artifact, "replacements": list(replacement) }),
    );
    let fix = object(
        &["artifactChanges"],
        json!({ "description": text, "artifactChanges": list(change) }),
    );
    let result = object(
        &["ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints"],
        json!({
            "ruleId": { "type": "string" },
            "ruleIndex": { "type": "integer", "minimum": 0 },
            "level": level,
            "message": text,
            "locations": list(location),
            "partialFingerprints": { "type": "object", "additionalProperties": { "type": "string" } },
            "fixes": list(fix),
        }),
    );
    let help = object(
        &["text"],
        json!({ "text": { "type": "string" }, "markdown": { "type": "string" } }),
    );
    let rule = object(
        &["id", "shortDescription", "fullDescription", "help", "defaultConfiguration"],
        json!({
            "id": { "type": "string" },
            "shortDescription": text,
            "fullDescription": text,
            "help": help,
            "defaultConfiguration": object(&["level"], json!({ "level": level })),
        }),
    );
    let driver = object(
        &["name", "semanticVersion", "rules"],
        json!({ "name": { "const": "zdm" }, "semanticVersion": { "type": "string" }, "rules": list(rule) }),
    );
    let notification = object(&["message"], json!({ "level": level, "message": text }));
    let invocation = object(
        &["executionSuccessful"],
        json!({
            "executionSuccessful": { "type": "boolean" },
            "exitCode": { "type": "integer" },
            "toolExecutionNotifications": list(notification),
        }),
    );
    let run = object(
        &["tool"],
        json!({
            "tool": object(&["driver"], json!({ "driver": driver })),
            "automationDetails": object(&["id"], json!({ "id": { "type": "string" } })),
            "columnKind": { "enum": ["utf16CodeUnits", "unicodeCodePoints"] },
            "originalUriBaseIds": { "type": "object", "additionalProperties": object(&[], json!({ "description": text })) },
            "invocations": list(invocation),
            "results": list(result),
        }),
    );
    object(
        &["version", "runs"],
        json!({ "$schema": { "type": "string" }, "version": { "const": "2.1.0" }, "runs": list(run) }),
    )
}

#[test]
fn sarif_is_what_its_specification_says() {
    for text in all("sarif") {
        let log = assert_valid(&sarif_schema(), &text);
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        for result in run["results"].as_array().into_iter().flatten() {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"]);
        }
    }
}

/// <https://docs.gitlab.com/ci/testing/code_quality/>, "Code Quality report format", and fields of Code Climate's format
/// that GitLab lets pass.
fn gitlab_schema() -> Value {
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "required": ["description", "check_name", "fingerprint", "severity", "location"],
            "additionalProperties": false,
            "properties": {
                "type": { "const": "issue" },
                "categories": { "type": "array", "items": { "enum": ["Bug Risk"] } },
                "description": { "type": "string", "minLength": 1 },
                "check_name": { "type": "string", "minLength": 1 },
                "fingerprint": { "type": "string", "pattern": "^[0-9a-f]{64}$" },
                "severity": { "enum": ["info", "minor", "major", "critical", "blocker"] },
                "location": {
                    "type": "object",
                    "required": ["path", "lines"],
                    "properties": {
                        "path": { "type": "string", "pattern": "^[^./]" },
                        "lines": {
                            "type": "object",
                            "required": ["begin"],
                            "properties": { "begin": { "type": "integer", "minimum": 1 }, "end": { "type": "integer" } },
                        },
                    },
                },
            },
        },
    })
}

fn fingerprints(text: &str) -> Vec<String> {
    let issues: Value = serde_json::from_str(text).unwrap();
    let issues = issues.as_array().unwrap().iter();
    let mut prints: Vec<_> =
        issues.map(|issue| issue["fingerprint"].as_str().unwrap().to_owned()).collect();
    prints.sort();
    prints
}

#[test]
fn gitlab_takes_the_report_and_knows_findings_again_when_lines_move() {
    for text in all("gitlab") {
        assert_valid(&gitlab_schema(), &text);
        let mut prints = fingerprints(&text);
        prints.dedup();
        assert_eq!(prints.len(), fingerprints(&text).len());
    }
    let index = "CREATE INDEX a ON users (id);\n";
    let at = |text: &str| {
        let users = "CREATE TABLE users (id bigint PRIMARY KEY);";
        let folders = [("1_u", &[("expand.sql", users)][..]), ("2_i", &[("expand.sql", text)])];
        fingerprints(&planned(&folders, "gitlab").text)
    };
    let first = at(index);
    assert_eq!(first.len(), 1);
    assert_eq!(first, at(&format!("-- why\n\nSELECT 1;\n  {index}")));
    assert_ne!(first, at("CREATE INDEX b ON users (id);\n"));
}

/// The tags of a text in XML, or what is wrong with it: `("testsuite", attributes, has_end)`.
fn tags(text: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let (mut open, mut tags): (Vec<String>, Vec<_>) = (Vec::new(), Vec::new());
    let body = text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").unwrap();
    for piece in body.split('<').skip(1) {
        let (tag, content) = piece.split_once('>').unwrap();
        assert!(!content.contains('>') && !content.contains('"'), "{content}");
        let control = |c: char| c.is_control() && !"\n\t".contains(c);
        assert!(!piece.contains(control), "{piece}");
        for entity in piece.split('&').skip(1) {
            let name = entity.split_once(';').unwrap().0;
            assert!(["amp", "lt", "gt", "quot", "#10", "#9", "#13"].contains(&name), "{name}");
        }
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap().to_owned();
        let mut rest = tag.strip_prefix(&name).unwrap().trim_end_matches('/').trim();
        let mut attributes = BTreeMap::new();
        while let Some((key, after)) = rest.split_once("=\"") {
            let (value, after) = after.split_once('"').unwrap();
            assert_eq!(attributes.insert(key.trim().to_owned(), value.to_owned()), None, "{tag}");
            rest = after;
        }
        assert_eq!(rest.trim(), "", "{tag}");
        if !tag.ends_with('/') {
            open.push(name.clone());
        }
        tags.push((name, attributes));
    }
    assert_eq!(open, [""; 0]);
    tags
}

/// The order of elements and the attributes that the schema of Apache Ant's task demands; that of Jenkins demands less.
#[test]
fn junit_is_well_formed_complete_and_counted() {
    for text in all("junit") {
        let tags = tags(&text);
        let names: Vec<_> = tags.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names.first(), Some(&"testsuites"));
        let suites = names.split(|name| *name == "testsuite").skip(1);
        for (suite, (_, attributes)) in suites.zip(tags.iter().filter(|tag| tag.0 == "testsuite")) {
            let known: Vec<_> = attributes.keys().map(String::as_str).collect();
            let demanded = [
                "errors",
                "failures",
                "hostname",
                "id",
                "name",
                "package",
                "tests",
                "time",
                "timestamp",
            ];
            assert_eq!(known, demanded);
            let count = |name| suite.iter().filter(|tag| **tag == name).count().to_string();
            assert_eq!(attributes["tests"], count("testcase"));
            assert_eq!(attributes["failures"], count("failure"));
            assert_eq!(attributes["errors"], count("error"));
            assert_eq!(suite.first(), Some(&"properties"));
            assert_eq!(suite.get(suite.len() - 2..), Some(&["system-out", "system-err"][..]));
        }
        for (_, attributes) in tags.iter().filter(|(name, _)| name == "testcase") {
            let known: Vec<_> = attributes.keys().map(String::as_str).collect();
            assert_eq!(known, ["classname", "name", "time"]);
        }
    }
}
