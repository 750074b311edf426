//! Partitions that come and go, and foreign tables.

use super::words;
use crate::model::name::TableName;
use crate::sql::act::Act;
use crate::sql::change::{Change, Origin};
use crate::sql::understand::reader::Reader;

/// ATTACH PARTITION and DETACH PARTITION, clauses of ALTER TABLE.
pub(in crate::sql::understand) fn clause(mut part: Reader<'_>, table: &TableName) -> Option<Act> {
    if part.eat("ATTACH PARTITION") {
        let partition = part.table()?;
        let text = bound(&mut part)?;
        let act = Act::new("attach_partition", words("ATTACH PARTITION", &partition));
        let act = act.mark("default-partition", text == "DEFAULT");
        return Some(Act { others: vec![partition], text, ..act.on([table.clone()]) });
    }
    part.eat("DETACH PARTITION").then_some(())?;
    let partition = part.table()?;
    let act = Act::new("detach_partition", words("DETACH PARTITION", &partition));
    let act = act
        .mark("concurrently", part.eat("CONCURRENTLY"))
        .mark("finalize", part.eat("FINALIZE"))
        .on([table.clone()]);
    part.is_empty().then_some(Act { others: vec![partition], ..act })
}

/// `FOR VALUES ...` or DEFAULT: the values as written.
pub(in crate::sql::understand) fn bound(part: &mut Reader<'_>) -> Option<String> {
    if part.eat("DEFAULT") {
        return Some("DEFAULT".to_owned());
    }
    part.eat("FOR VALUES").then_some(())?;
    let start = *part;
    // IN (...), FROM (...) TO (...), WITH (...).
    while matches!(part.word().as_str(), "IN" | "FROM" | "TO" | "WITH") {
        part.skip();
        let _values: Reader<'_> = part.parenthesis()?;
    }
    let length = start.rest.len().saturating_sub(part.rest.len());
    Some(Reader { rest: start.rest.get(..length)?, ..start }.line())
}

/// Behind CREATE FOREIGN TABLE.
pub(super) fn foreign_table(mut rest: Reader<'_>) -> Option<Vec<Change>> {
    let if_not_exists = rest.eat("IF NOT EXISTS");
    let table = rest.table()?;
    let mut origin = Origin { foreign: true, ..Origin::default() };
    if rest.eat("PARTITION OF") {
        origin.parents.push(rest.table()?);
        let _columns: Option<Reader<'_>> = rest.parenthesis();
        origin.bound = bound(&mut rest);
    }
    Some(vec![Change::CreateTable {
        table,
        columns: Vec::new(),
        key: Vec::new(),
        if_not_exists,
        temporary: false,
        options: String::new(),
        origin: Box::new(origin),
    }])
}
