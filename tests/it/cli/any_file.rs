//! Files of any tool, and files that are no SQL: judged or refused in words, never a crash.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Project, Said};

fn lint(project: &Project, server: &str, file: &str) -> Said {
    project.zdm(&["--format", "json", "lint", "--server", server, file])
}

/// What the statements of a file do, with their places.
fn changes(said: &Said) -> String {
    let report: Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{said:?}"));
    let mut text = String::new();
    for statement in report["files"][0]["statements"].as_array().unwrap() {
        for change in statement["changes"].as_array().unwrap() {
            let part = |name: &str| {
                change[name].as_str().map(|text| format!(" {text}")).unwrap_or_default()
            };
            let kind = change["kind"].as_str().unwrap();
            let words = format!("{kind}{}{}{}", part("table"), part("name"), part("to"));
            let note = if kind == "opaque" { part("note") } else { String::new() };
            let (line, column) = (&statement["line"], &statement["column"]);
            writeln!(text, "{line}:{column} {words}{note}").unwrap();
        }
    }
    text
}

#[test]
fn files_of_every_tool_are_understood() {
    let project = Project::empty();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut found = String::new();
    for (folder, server) in [("mysql", "mysql:8.4"), ("postgres", "postgres:15")] {
        let mut files: Vec<_> =
            fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files {
            let said = lint(&project, server, file.to_str().unwrap());
            let name = file.file_name().unwrap().to_str().unwrap();
            writeln!(found, "{folder}/{name}\n{}", changes(&said)).unwrap();
        }
    }
    insta::assert_snapshot!(found);
}

#[test]
fn many_findings_in_a_long_file_are_shown_in_time() {
    let project = Project::empty();
    let text = "ALTER TABLE t ADD COLUMN c int NOT NULL;\n".repeat(2_000);
    fs::write(project.path().join("a.sql"), format!("{text}SELECT '{}", "x\n".repeat(1 << 19)))
        .unwrap();
    let begun = Instant::now();
    let said = project.zdm(&["lint", "--server", "postgres:15", "a.sql"]);
    assert!(begun.elapsed() < Duration::from_mins(2), "{:?}", begun.elapsed());
    assert!(said.out.contains("a.sql:2000:") && said.out.contains("a.sql:2001:"), "{}", said.code);
    assert!(said.out.len() < 64 << 20, "{}", said.out.len());
}

/// Lints bytes as a file; the limit is far above what it takes.
fn lint_bytes(bytes: &[u8]) -> Said {
    let project = Project::empty();
    fs::write(project.path().join("a.sql"), bytes).unwrap();
    let begun = Instant::now();
    let said = lint(&project, "postgres:15", "a.sql");
    assert!(begun.elapsed() < Duration::from_mins(2), "{:?}", begun.elapsed());
    assert!(!said.err.contains("panicked"), "{said:?}");
    said
}

#[test]
fn utf_16_is_read_and_what_is_no_text_is_refused_in_words() {
    let text = "\u{feff}ALTER TABLE größe RENAME a TO b;";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [little.as_slice(), &big, text.as_bytes()] {
        let said = lint_bytes(bytes);
        assert_eq!(changes(&said), "1:1 rename_column public.größe a b\n");
    }
    for bytes in [&little[..little.len() - 1], &[0xff, 0xfe, 0x00, 0xd8], b"SELECT '\xff';"] {
        let said = lint_bytes(bytes);
        assert_eq!(said.code, 2, "{said:?}");
        assert!(changes(&said).contains("opaque nothing of this file is judged"), "{said:?}");
    }
    let bare: Vec<u8> = "DROP TABLE a;".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let said = lint_bytes(&bare);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(format!("{}{}", said.out, said.err).contains("UTF-16"), "{said:?}");
    let said = lint_bytes(b"SELECT 1;\0DROP TABLE t;");
    assert!(changes(&said).contains("opaque it contains a NUL byte"), "{said:?}");
}

#[test]
fn a_file_that_is_no_text_is_reported_and_the_others_are_judged() {
    let project = Project::empty();
    project.file("1.sql", "CREATE TABLE t (id bigint PRIMARY KEY, a int);");
    fs::write(project.path().join("2.sql"), b"SELECT 1;\n-- \xe9\nDROP TABLE t;\n").unwrap();
    project.file("3.sql", "CREATE TABLE u (id bigint PRIMARY KEY, a int); CREATE INDEX ON u (a);");
    let run = ["lint", "--server", "postgres:15", "1.sql", "2.sql", "3.sql"];
    for fail_on in ["error", "never"] {
        let said = project.zdm(&[&run[..], &["--fail-on", fail_on]].concat());
        assert_eq!(said.code, 2, "{said:?}");
        assert!(
            said.out.contains("nothing of this file is judged: byte 14 is not UTF-8, in line 2")
        );
        assert!(
            said.out.contains("2.sql:2:4") && said.out.contains("error[unread-file]"),
            "{said:?}"
        );
        assert!(
            said.out.contains("1 error") && said.out.contains("3 statements of 3 files"),
            "{said:?}"
        );
    }
    let said = project.zdm(&[&["--format", "json"][..], &run].concat());
    let json: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(json["result"], "unread");
    let unread = &json["files"][1]["statements"][0];
    assert_eq!((&unread["line"], &unread["effect"]["known"]), (&2.into(), &false.into()));
    assert_eq!(unread["findings"][0]["rule"], "unread-file");
    assert_eq!(json["files"][2]["statements"].as_array().unwrap().len(), 2);
}

#[test]
fn nothing_is_certain_behind_a_file_that_is_no_text() {
    let project = Project::empty();
    let check =
        "CREATE TABLE t (id bigint PRIMARY KEY, a int, CONSTRAINT c CHECK (a IS NOT NULL));";
    project.file("1.sql", check);
    fs::write(project.path().join("2.sql"), b"-- \xe9\n").unwrap();
    fs::copy(project.path().join("2.sql"), project.path().join("2.down.sql")).unwrap();
    project.file("3.sql", "ALTER TABLE t ALTER a SET NOT NULL;");
    for (between, found) in [("2.sql", true), ("2.down.sql", false)] {
        let said = project.zdm(&["lint", "--server", "postgres:15", "1.sql", between, "3.sql"]);
        assert_eq!((said.code, said.out.contains("error[set-not-null]")), (2, found), "{said:?}");
    }
    // Without the schema that was asked for, every answer would be another one.
    let said = project.zdm(&["lint", "--server", "postgres:15", "--schema", "2.sql", "3.sql"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{said:?}");
    assert!(said.err.contains("file \"2.sql\" is not UTF-8 text: byte 4 is not UTF-8, in line 1"));
}

#[test]
fn hostile_files_are_judged_in_time() {
    let nest = |text: &str| format!("{}{text}{}", "(".repeat(10_000), ")".repeat(10_000));
    let chain = vec!["a = 1"; 20_000].join(" OR ");
    let many = (0..4_000).map(|number| format!("ALTER TABLE t ADD c{number} int;\n"));
    for (text, expected) in [
        (format!("SELECT {}", nest("1")), "harmless"),
        (format!("UPDATE t SET a = {}", nest("1")), "update public.t"),
        (format!("DELETE FROM t WHERE {chain}"), "delete public.t"),
        (format!("ALTER TABLE t ADD CHECK ({chain})"), "add_constraint public.t"),
        (
            format!("INSERT INTO t VALUES {}", vec!["(1, 'x')"; 200_000].join(",")),
            "insert public.t",
        ),
        (format!("SELECT '{}'", "x".repeat(1 << 20)), "harmless"),
        (format!("{}SELECT 1", "/*".repeat(10_000)), "opaque"),
        ("'".repeat(100_001), "opaque"),
        ("$a$".repeat(50_001), "opaque"),
        ("\\echo '\n".repeat(50_000), ""),
        (many.collect(), "add_column public.t c0 int"),
        ("SELECT 1;".repeat(20_000), "1:179992 harmless"),
        (format!("{}DROP TABLE t", "\n".repeat(1 << 20)), "1048577:1 drop_table public.t"),
        (";".repeat(1 << 20), ""),
        (
            format!("UPDATE t SET a = 1 WHERE b IN ({}1)", "1, ".repeat(250_000)),
            "opaque it has more than 100000 tokens",
        ),
        (format!("DO $$ BEGIN {} END $$", "PERFORM 1; ".repeat(100_000)), "opaque do runs code"),
        (format!("DROP TABLE a; SELECT $x${}", "a\n".repeat(1 << 19)), "opaque unterminated"),
    ] {
        let said = lint_bytes(text.as_bytes());
        let start: String = text.chars().take(40).collect();
        assert!(matches!(said.code, 0 | 3), "{start}: {} {}", said.code, said.err);
        assert!(changes(&said).to_lowercase().contains(expected), "{start}");
    }
}
