//! What an administrator does to tables as a whole: VACUUM, ANALYZE, CLUSTER, REINDEX, LOCK.

use super::words;
use crate::model::name::TableName;
use crate::sql::act::Act;
use crate::sql::understand::reader::Reader;

/// Behind REINDEX.
pub(super) fn reindex(mut rest: Reader<'_>) -> Option<Act> {
    let options = rest.parenthesis();
    let target = rest.word();
    let kind = match target.as_str() {
        "INDEX" => "reindex_index",
        "TABLE" => "reindex_table",
        "SCHEMA" => "reindex_schema",
        "DATABASE" => "reindex_database",
        "SYSTEM" => "reindex_system",
        _ => return None,
    };
    rest.skip();
    let concurrently =
        rest.eat("CONCURRENTLY") || options.is_some_and(|options| is_on(options, "CONCURRENTLY"));
    let name = rest.table();
    let act = Act::new(kind, format!("REINDEX {target}")).mark("concurrently", concurrently);
    Some(match (kind, name) {
        ("reindex_table", Some(table)) => act.on([table]),
        ("reindex_table" | "reindex_index" | "reindex_schema", None) => return None,
        (_, Some(name)) => act.about(name),
        (_, None) => act,
    })
}

/// Whether an option in parentheses is on: alone, or with a value that does not say no.
fn is_on(options: Reader<'_>, upper: &str) -> bool {
    options.parts().into_iter().any(|mut part| {
        part.eat(upper)
            && !matches!(
                part.text().trim_matches('\'').to_ascii_uppercase().as_str(),
                "FALSE" | "OFF" | "0" | "NO"
            )
    })
}

/// Behind VACUUM.
pub(super) fn vacuum(mut rest: Reader<'_>) -> Option<Act> {
    let (mut full, mut analyze) = (false, false);
    if let Some(options) = rest.parenthesis() {
        full = is_on(options, "FULL");
        analyze = is_on(options, "ANALYZE");
    }
    while matches!(rest.word().as_str(), "FULL" | "FREEZE" | "VERBOSE" | "ANALYZE" | "ANALYSE") {
        full |= rest.word() == "FULL";
        analyze |= rest.word().starts_with("ANALY");
        rest.skip();
    }
    let act = on_tables(rest, if full { "vacuum_full" } else { "vacuum" })?;
    let what = if full { "VACUUM FULL" } else { "VACUUM" };
    Some(Act { what: what.to_owned(), ..act.mark("with-analyze", analyze) })
}

/// Behind ANALYZE.
pub(super) fn analyze(mut rest: Reader<'_>) -> Option<Act> {
    let _options: Option<Reader<'_>> = rest.parenthesis();
    let _verbose: bool = rest.eat("VERBOSE");
    let act = on_tables(rest, "analyze")?;
    Some(Act { what: "ANALYZE".to_owned(), ..act })
}

/// Tables with lists of columns; none: all tables.
fn on_tables(mut rest: Reader<'_>, kind: &'static str) -> Option<Act> {
    let mut tables = Vec::new();
    let mut only = false;
    while !rest.is_empty() {
        only |= rest.eat("ONLY");
        tables.push(rest.table()?);
        let _columns: Option<Reader<'_>> = rest.parenthesis();
        let more = rest.eat_token(&sqlparser::tokenizer::Token::Comma);
        if !more && !rest.is_empty() {
            return None;
        }
    }
    let every = tables.is_empty();
    Some(Act::new(kind, kind).on(tables).mark("every-table", every).mark("only", only))
}

/// Behind CLUSTER: `[(options)] [table [USING index]]`, or `index ON table`.
pub(super) fn cluster(mut rest: Reader<'_>) -> Option<Act> {
    let _options: Option<Reader<'_>> = rest.parenthesis();
    let _verbose: bool = rest.eat("VERBOSE");
    if rest.is_empty() {
        return Some(Act::new("cluster", "CLUSTER").mark("every-table", true));
    }
    let mut table = rest.table()?;
    if rest.eat("ON") {
        table = rest.table()?;
    } else if rest.eat("USING") {
        let _index: TableName = rest.table()?;
    }
    rest.is_empty().then(|| Act::new("cluster", words("CLUSTER", &table)).on([table]))
}

/// Modes of LOCK TABLE, and their marks.
const MODES: &[(&str, &str)] = &[
    ("ACCESS SHARE", "access-share"),
    ("ROW SHARE", "row-share"),
    ("ROW EXCLUSIVE", "row-exclusive"),
    ("SHARE UPDATE EXCLUSIVE", "share-update-exclusive"),
    ("SHARE ROW EXCLUSIVE", "share-row-exclusive"),
    ("SHARE", "share"),
    ("EXCLUSIVE", "exclusive"),
    ("ACCESS EXCLUSIVE", "access-exclusive"),
];

/// Behind LOCK.
pub(super) fn lock(mut rest: Reader<'_>) -> Option<Act> {
    let _optional: bool = rest.eat("TABLE");
    let mut tables = Vec::new();
    let mut only = false;
    loop {
        only |= rest.eat("ONLY");
        tables.push(rest.table()?);
        let _descendants: bool = rest.eat_token(&sqlparser::tokenizer::Token::Mul);
        if !rest.eat_token(&sqlparser::tokenizer::Token::Comma) {
            break;
        }
    }
    let mut mode = "access-exclusive";
    if rest.eat("IN") {
        mode = MODES.iter().find(|(words, _)| rest.eat(words)).map(|(_, mark)| *mark)?;
        rest.eat("MODE").then_some(())?;
    }
    let _no_wait: bool = rest.eat("NOWAIT");
    let act = Act::new("lock", "LOCK TABLE").on(tables).mark(mode, true).mark("only", only);
    rest.is_empty().then_some(act)
}
