//! Statements of PostgreSQL about what stands beside tables, and about tables as a whole, by their words.

mod block;
mod commands;
mod domains;
mod drops;

mod hanging;
mod indexes;
mod origin;
mod partitions;
mod routines;
mod upkeep;
mod views;
mod zone;

pub(in crate::sql) use block::of_body;
pub(super) use block::{CODE, of_do};
pub(super) use origin::origin;
pub(super) use partitions::clause as partition_clause;
pub(crate) use zone::Zone;

use super::reader::Reader;
use super::{opaque, reads};
use crate::model::name::TableName;
use crate::sql::act::{Act, Read};
use crate::sql::change::Change;

/// What the statement does, when its words tell.
pub(super) fn by_words(reader: Reader<'_>) -> Option<Vec<Change>> {
    let mut rest = reader;
    let verb = reader.word();
    rest.skip();
    match verb.as_str() {
        "CREATE" => create(rest),
        "ALTER" => alter(rest),
        "DROP" => drops::drop(rest),
        "TABLE" => {
            let reads = query(reader);
            Some(one(Act { reads, ..Act::new("read", "its query") }))
        }
        "COMMENT" => hanging::comment(rest).map(one),
        "SECURITY" => hanging::label(rest).map(one),
        "GRANT" | "REVOKE" => commands::grant(rest).map(one),
        "REINDEX" => upkeep::reindex(rest).map(one),
        "VACUUM" => upkeep::vacuum(rest).map(one),
        "ANALYZE" | "ANALYSE" => upkeep::analyze(rest).map(one),
        "CLUSTER" => upkeep::cluster(rest).map(one),
        "REFRESH" => views::refresh(rest).map(one),
        "LOCK" => upkeep::lock(rest).map(one),
        "COPY" => commands::copy(rest),
        "EXPLAIN" => Some(commands::explain(rest)),
        "PREPARE" => commands::prepare(rest),
        "DECLARE" => commands::declare(rest).map(one),
        _ => None,
    }
}

fn one(act: Act) -> Vec<Change> {
    vec![Change::Act(Box::new(act))]
}

fn create(mut rest: Reader<'_>) -> Option<Vec<Change>> {
    let replaces = rest.eat("OR REPLACE");
    let temporary = rest.eat_any(&["TEMPORARY", "TEMP", "LOCAL TEMPORARY", "LOCAL TEMP"]);
    let _unlogged: bool = rest.words(2) == ["UNLOGGED", "SEQUENCE"] && rest.eat("UNLOGGED");
    let words = rest.words(2);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let mut inner = rest;
    inner.skip();
    let act = match words.as_slice() {
        ["VIEW", ..] => views::create(inner, temporary)?.mark("replaces", replaces),
        ["RECURSIVE", "VIEW"] => {
            inner.skip();
            views::create(inner, temporary)?.mark("recursive", true)
        }
        ["EVENT", "TRIGGER"] => Act::new("event_trigger", "CREATE EVENT TRIGGER"),
        ["AGGREGATE", ..] => {
            return Some(vec![Change::Other { what: "CREATE AGGREGATE".to_owned() }]);
        }
        ["MATERIALIZED", "VIEW"] => {
            inner.skip();
            views::create_materialized(inner)?
        }
        ["CONSTRAINT", "TRIGGER"] => {
            inner.skip();
            hanging::create_trigger(inner)?.mark("constraint", true)
        }
        ["TRIGGER", ..] => hanging::create_trigger(inner)?.mark("replaces", replaces),
        ["POLICY", ..] => hanging::create_policy(inner)?,
        ["RULE", ..] => hanging::create_rule(inner)?.mark("replaces", replaces),
        ["STATISTICS", ..] => hanging::create_statistics(inner)?,
        ["SEQUENCE", ..] => commands::create_sequence(inner)?,
        ["FUNCTION" | "PROCEDURE", ..] => routines::create(inner)?.mark("replaces", replaces),
        ["PUBLICATION", ..] => commands::create_publication(inner)?,
        ["DOMAIN", ..] => domains::create(inner)?,
        ["SCHEMA", ..] => return commands::create_schema(inner),
        ["FOREIGN", "TABLE"] => {
            inner.skip();
            return partitions::foreign_table(inner);
        }
        // PostgreSQL 19: it says how tables are read, and touches no row.
        ["PROPERTY", "GRAPH"] => return Some(vec![graph("CREATE")]),
        _ => return None,
    };
    Some(one(act))
}

fn graph(verb: &str) -> Change {
    Change::Other { what: format!("{verb} PROPERTY GRAPH") }
}

fn alter(mut rest: Reader<'_>) -> Option<Vec<Change>> {
    if let Some(moves) = whole_tablespace(rest) {
        return Some(vec![moves]);
    }
    let words = rest.words(2);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    rest.skip();
    let act = match words.as_slice() {
        ["DOMAIN", ..] => domains::alter(rest)?,
        ["TYPE", ..] => domains::alter_type(rest)?,
        ["VIEW", ..] => views::alter(rest)?,
        ["MATERIALIZED", "VIEW"] => {
            rest.skip();
            return views::alter_materialized(rest);
        }
        ["PROPERTY", "GRAPH"] => return Some(vec![graph("ALTER")]),
        ["INDEX", ..] => return indexes::alter(rest),
        ["TRIGGER", ..] => hanging::alter(rest, "alter_trigger")?,
        ["EVENT", "TRIGGER"] => Act::new("event_trigger", "ALTER EVENT TRIGGER"),
        ["FOREIGN", "TABLE"] => {
            rest.skip();
            let _exists: bool = rest.eat("IF EXISTS");
            let table = rest.table()?;
            Act::new("alter_foreign_table", format!("ALTER FOREIGN TABLE {table}")).on([table])
        }
        ["STATISTICS", ..] => Act::new("alter_statistics", "ALTER STATISTICS"),
        ["POLICY", ..] => hanging::alter_policy(rest)?,
        ["RULE", ..] => hanging::alter(rest, "alter_rule")?,
        ["SEQUENCE", ..] => commands::alter_sequence(rest)?,
        ["SCHEMA", ..] => return commands::rename_schema(rest).map(|change| vec![change]),
        ["PUBLICATION", ..] => commands::alter_publication(rest)?,
        ["EXTENSION", ..] => commands::alter_extension(rest)?,
        ["FUNCTION" | "PROCEDURE" | "ROUTINE", ..] => routines::alter(rest)?,
        _ => return None,
    };
    Some(one(act))
}

/// Behind ALTER: `TABLE ALL IN TABLESPACE a SET TABLESPACE b`, and so for indexes and materialized views.
pub(super) fn whole_tablespace(mut rest: Reader<'_>) -> Option<Change> {
    let (kind, plural) =
        [("TABLE", "tables"), ("INDEX", "indexes"), ("MATERIALIZED VIEW", "materialized views")]
            .into_iter()
            .find(|(kind, _)| rest.eat(kind))?;
    rest.eat("ALL IN TABLESPACE").then(|| {
        opaque(format!("ALTER {kind} ALL IN TABLESPACE moves {plural} that it does not name"))
    })
}

/// Reads on to behind a word that stands outside parentheses; what stands before it. `None` when it is not there.
fn behind<'a>(reader: &mut Reader<'a>, upper: &str) -> Option<Reader<'a>> {
    let start = *reader;
    let mut rest = *reader;
    while !rest.is_empty() {
        let before = rest;
        if rest.eat(upper) {
            *reader = rest;
            let length = start.rest.len().saturating_sub(before.rest.len());
            return Some(Reader { rest: start.rest.get(..length)?, ..start });
        }
        if rest.parenthesis().is_none() {
            rest.skip();
        }
    }
    None
}

/// A name with its words: `CREATE TRIGGER audit`.
fn words(what: &str, name: &TableName) -> String {
    format!("{what} {name}")
}

/// What a query that is the rest of a statement reads.
fn query(rest: Reader<'_>) -> Vec<Read> {
    reads::of(rest).reads
}
