//! Sequences, publications, schemas, rights, and statements that hold another.

use sqlparser::tokenizer::Token;

use super::hanging::column_owner;
use super::{behind, one, words};
use crate::model::name::TableName;
use crate::sql::act::Act;
use crate::sql::change::{Change, InsertShape};
use crate::sql::understand::reader::Reader;
use crate::sql::understand::{self, reads};

/// Behind CREATE SEQUENCE.
pub(super) fn create_sequence(mut rest: Reader<'_>) -> Option<Act> {
    let _exists: bool = rest.eat("IF NOT EXISTS");
    let sequence = rest.table()?;
    let act = Act::new("create_sequence", words("CREATE SEQUENCE", &sequence)).about(sequence);
    Some(owned(rest, act))
}

/// Behind ALTER SEQUENCE.
pub(super) fn alter_sequence(mut rest: Reader<'_>) -> Option<Act> {
    let _exists: bool = rest.eat("IF EXISTS");
    let sequence = rest.table()?;
    let act = Act::new("alter_sequence", words("ALTER SEQUENCE", &sequence)).about(sequence);
    Some(owned(rest, act))
}

/// OWNED BY table.column.
fn owned(mut rest: Reader<'_>, act: Act) -> Act {
    if behind(&mut rest, "OWNED BY").is_none() || rest.word() == "NONE" {
        return act;
    }
    match column_owner(&mut rest) {
        Some(table) => act.on([table]).mark("owned", true),
        None => act,
    }
}

/// Behind CREATE PUBLICATION.
pub(super) fn create_publication(mut rest: Reader<'_>) -> Option<Act> {
    let name = rest.name()?;
    let act = Act::new("create_publication", format!("CREATE PUBLICATION {name}"));
    let act = act.about(TableName::bare(name));
    Some(if rest.eat("FOR") { published(rest, act) } else { act })
}

/// Behind ALTER PUBLICATION.
pub(super) fn alter_publication(mut rest: Reader<'_>) -> Option<Act> {
    let name = rest.name()?;
    let act = Act::new("alter_publication", format!("ALTER PUBLICATION {name}"));
    let act = act.about(TableName::bare(name));
    Some(if rest.eat("ADD") {
        published(rest, act.mark("adds", true))
    } else if rest.eat("DROP") {
        published(rest, act.mark("drops", true))
    } else if rest.words(2) == ["SET", "TABLE"] {
        rest.skip();
        published(rest, act.mark("sets", true))
    } else {
        act
    })
}

/// `TABLE [ONLY] t [(columns)] [WHERE (...)], ...`; other tables than these are not named.
fn published(mut rest: Reader<'_>, act: Act) -> Act {
    if !rest.eat("TABLE") {
        return act;
    }
    let mut tables = Vec::new();
    let mut only = false;
    for mut part in rest.parts() {
        // A second TABLE may stand before the name, or the list of schemas.
        if part.eat("TABLES IN SCHEMA") {
            continue;
        }
        let _again: bool = part.eat("TABLE");
        only |= part.eat("ONLY");
        tables.extend(part.table());
    }
    act.on(tables).mark("only", only)
}

/// Behind ALTER EXTENSION.
pub(super) fn alter_extension(mut rest: Reader<'_>) -> Option<Act> {
    let name = rest.name()?;
    let act = Act::new("alter_extension", format!("ALTER EXTENSION {name}"));
    let act = act.about(TableName::bare(name));
    let adds = rest.eat_any(&["ADD", "DROP"]);
    let of_table = adds && rest.eat_any(&["TABLE", "MATERIALIZED VIEW", "FOREIGN TABLE"]);
    Some(if of_table { act.on([rest.table()?]) } else { act })
}

/// Behind CREATE SCHEMA: its elements are made in it.
pub(super) fn create_schema(mut rest: Reader<'_>) -> Option<Vec<Change>> {
    let _exists: bool = rest.eat("IF NOT EXISTS");
    let mut schema = None;
    if rest.word() != "AUTHORIZATION" {
        schema = rest.name();
    }
    if rest.eat("AUTHORIZATION") {
        let role = rest.name()?;
        schema = schema.or(Some(role));
    }
    let what = "CREATE SCHEMA".to_owned();
    let mut changes = vec![Change::Other { what }];
    let mut start = rest;
    while !rest.is_empty() {
        rest.skip();
        let mut next = rest;
        let begins = next.is_empty() || matches!(next.word().as_str(), "CREATE" | "GRANT");
        if begins {
            let length = start.rest.len().saturating_sub(next.rest.len());
            let element = Reader { rest: start.rest.get(..length)?, ..start };
            for (mut change, _) in understand::changes(element) {
                if let Change::CreateTable { table, .. } | Change::AddConstraint { table, .. } =
                    &mut change
                {
                    table.schema = table.schema.take().or_else(|| schema.clone());
                }
                changes.push(change);
            }
            start = next;
        } else if next.parenthesis().is_some() {
            // Its words are no beginnings.
            rest = Reader { rest: rest.rest.get(rest.rest.len() - next.rest.len() - 1..)?, ..rest };
        }
    }
    Some(changes)
}

/// Behind ALTER SCHEMA, when it renames.
pub(super) fn rename_schema(mut rest: Reader<'_>) -> Option<Change> {
    let name = rest.name()?;
    let to = rest.eat("RENAME TO").then(|| rest.name()).flatten()?;
    Some(Change::Other { what: format!("ALTER SCHEMA {name} RENAME TO {to}") })
}

/// Behind GRANT, REVOKE.
pub(super) fn grant(mut rest: Reader<'_>) -> Option<Act> {
    let act = Act::new("grant", "GRANT or REVOKE");
    if behind(&mut rest, "ON").is_none() {
        return Some(act);
    }
    let others = [
        "ALL",
        "SEQUENCE",
        "FUNCTION",
        "PROCEDURE",
        "ROUTINE",
        "SCHEMA",
        "DATABASE",
        "DOMAIN",
        "FOREIGN",
        "LANGUAGE",
        "LARGE",
        "PARAMETER",
        "TABLESPACE",
        "TYPE",
    ];
    let followed = rest.rest.get(1).is_some_and(|next| {
        !matches!(next.token, Token::Comma | Token::Period)
            && !next.is_word("TO")
            && !next.is_word("FROM")
    });
    if followed && others.contains(&rest.word().as_str()) {
        return Some(act);
    }
    let _optional: bool = followed && rest.eat("TABLE");
    Some(act.on(rest.tables()?).mark("of-table", true))
}

/// Behind COPY.
pub(super) fn copy(mut rest: Reader<'_>) -> Option<Vec<Change>> {
    if let Some(inside) = rest.parenthesis() {
        let found = reads::of(inside);
        let act = Act::new("read", "COPY (...) TO");
        return Some(one(Act { reads: found.reads, others: found.writes, ..act }));
    }
    let table = rest.table()?;
    let listed = rest.parenthesis().map(|listed| listed.parts()).unwrap_or_default();
    let columns: Vec<_> = listed.into_iter().filter_map(|mut part| part.name()).collect();
    if rest.eat("FROM") {
        return Some(vec![Change::Insert {
            table,
            shape: InsertShape { unnamed: columns.is_empty(), queried: false },
            columns,
            rows: Vec::new(),
        }]);
    }
    Some(one(Act::new("copy_to", "COPY ... TO").on([table])))
}

/// Behind EXPLAIN. With ANALYZE the statement is executed.
pub(super) fn explain(mut rest: Reader<'_>) -> Vec<Change> {
    let mut executes = false;
    if let Some(options) = rest.parenthesis() {
        executes = options.parts().into_iter().any(|mut part| {
            part.eat_any(&["ANALYZE", "ANALYSE"])
                && !matches!(part.word().as_str(), "FALSE" | "OFF")
        });
    }
    while matches!(rest.word().as_str(), "ANALYZE" | "ANALYSE" | "VERBOSE") {
        executes |= rest.word() != "VERBOSE";
        rest.skip();
    }
    if executes {
        return understand::changes(rest).into_iter().map(|(change, _)| change).collect();
    }
    one(planned(rest, "EXPLAIN"))
}

/// Behind PREPARE. A statement that is prepared is planned when it is executed, but read now.
pub(super) fn prepare(mut rest: Reader<'_>) -> Option<Vec<Change>> {
    if rest.eat("TRANSACTION") {
        return Some(vec![Change::Harmless]);
    }
    let _name: String = rest.name()?;
    let _types: Option<Reader<'_>> = rest.parenthesis();
    rest.eat("AS").then(|| one(planned(rest, "PREPARE")))
}

/// Behind DECLARE: a cursor.
pub(super) fn declare(mut rest: Reader<'_>) -> Option<Act> {
    let _options: Reader<'_> = behind(&mut rest, "FOR")?;
    Some(planned(rest, "DECLARE"))
}

fn planned(rest: Reader<'_>, what: &str) -> Act {
    let found = reads::of(rest);
    let act = Act::new("read", what).mark("planned", true);
    Act { reads: found.reads, others: found.writes, ..act }
}
