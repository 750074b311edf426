//! `docs/effects-postgres.md`: the rows as a page.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::model::server::Engine;
use crate::sql::effects::rows::{self, Answer, Row};

#[test]
fn the_page_of_postgres_shows_every_row() {
    let page = page(
        "What statements cost on PostgreSQL",
        "Locks are named as `pg_locks` names them. *New file*: the rows are written anew. *Read*: they are read from end to end.",
        rows::all(Engine::Postgres),
    );
    assert_page("docs/effects-postgres.md", &page);
}

/// The page of a family's rows.
pub(super) fn page(title: &str, words: &str, rows: &[Row]) -> String {
    let mut text = format!(
        "# {title}\n\nMade from `lints/effects`: `ZDM_REWRITE=1 cargo test --lib sql::effects` rewrites it. {words}\n\n\
         The first row that fits counts. Tables by the part that they play: `table` is the one that the statement is about.\n\n\
         | form | when | on | locks | new file | read | algorithm | executed on |\n|---|---|---|---|---|---|---|---|\n"
    );
    for row in rows {
        for answer in &row.answers {
            writeln!(text, "{}", line(row, answer)).unwrap();
        }
    }
    text
}

fn line(row: &Row, answer: &Answer) -> String {
    let locks: Vec<_> = answer.locks.iter().map(|(part, mode)| format!("{part}: {mode}")).collect();
    let confirmed = if row.confirmed_on.is_empty() {
        format!("no; {}", row.source.as_deref().unwrap_or("no source"))
    } else {
        row.confirmed_on.join(", ")
    };
    let cells = [
        row.form.clone(),
        row.when.join(", "),
        answer.on.join(", "),
        locks.join("<br>"),
        answer.rewrites.join(", "),
        answer.scans.join(", "),
        answer.algorithm.clone().unwrap_or_default(),
        confirmed,
    ];
    format!("| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

/// Compares with the committed page; `ZDM_REWRITE=1` writes it.
pub(super) fn assert_page(path: &str, page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("ZDM_REWRITE").is_some() {
        fs::write(&path, page).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == page,
        "{} is old: ZDM_REWRITE=1 cargo test --lib sql::effects",
        path.display()
    );
}
