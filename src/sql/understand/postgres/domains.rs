//! Domains, and attributes of composite types.

use super::words;
use crate::sql::act::Act;
use crate::sql::understand::reader::Reader;

/// Behind CREATE DOMAIN: `text` is the type under it; others are the names of its CHECKs.
pub(super) fn create(mut rest: Reader<'_>) -> Option<Act> {
    let name = rest.table()?;
    let _as: bool = rest.eat("AS");
    let start = rest;
    while !rest.is_empty() && !ends_type(rest) {
        if rest.parenthesis().is_none() {
            rest.skip();
        }
    }
    let length = start.rest.len().saturating_sub(rest.rest.len());
    let base = Reader { rest: start.rest.get(..length)?, ..start }.line();
    let checks = rest.has_word("CHECK");
    let not_null = rest
        .rest
        .windows(2)
        .any(|pair| matches!(pair, [not, null] if not.is_word("NOT") && null.is_word("NULL")));
    let check = named_check(rest).or_else(|| checks.then(|| format!("{}_check", name.name)));
    let act = Act { text: base, ..Act::new("create_domain", words("CREATE DOMAIN", &name)) };
    let act =
        Act { others: check.map(crate::model::name::TableName::bare).into_iter().collect(), ..act };
    Some(act.about(name).mark("not-null", not_null))
}

fn ends_type(rest: Reader<'_>) -> bool {
    matches!(rest.word().as_str(), "COLLATE" | "DEFAULT" | "CONSTRAINT" | "NOT" | "NULL" | "CHECK")
}

/// The name in `CONSTRAINT name CHECK`.
fn named_check(mut rest: Reader<'_>) -> Option<String> {
    while !rest.is_empty() {
        if rest.eat("CONSTRAINT") {
            let name = rest.name()?;
            if rest.word() == "CHECK" {
                return Some(name);
            }
        } else {
            rest.skip();
        }
    }
    None
}

/// Behind ALTER DOMAIN.
pub(super) fn alter(mut rest: Reader<'_>) -> Option<Act> {
    let name = rest.table()?;
    let act = Act::new("alter_domain", words("ALTER DOMAIN", &name)).about(name.clone());
    if rest.eat("ADD") {
        let named = if rest.eat("CONSTRAINT") { rest.name() } else { None };
        let unchecked = rest.rest.windows(2).any(
            |pair| matches!(pair, [not, valid] if not.is_word("NOT") && valid.is_word("VALID")),
        );
        if rest.eat("NOT NULL") {
            return Some(act.mark("set-not-null", true).mark("added", true));
        }
        let check = named.unwrap_or_else(|| format!("{}_check", name.name));
        return Some(Act { text: check, ..act }.mark("add", true).mark("not-valid", unchecked));
    }
    if rest.eat("DROP CONSTRAINT") {
        let _exists: bool = rest.eat("IF EXISTS");
        return Some(Act { text: rest.name()?, ..act }.mark("drop", true));
    }
    if rest.eat("RENAME TO") {
        return Some(Act { text: rest.name()?, ..act }.mark("renames", true));
    }
    if rest.eat("SET SCHEMA") {
        return Some(Act { text: rest.name()?, ..act }.mark("moves", true));
    }
    let set = rest.eat("SET NOT NULL");
    let dropped = !set && rest.eat("DROP NOT NULL");
    let validate = !set && !dropped && rest.eat("VALIDATE CONSTRAINT");
    Some(act.mark("set-not-null", set).mark("drop-not-null", dropped).mark("validate", validate))
}

/// Behind ALTER TYPE: attributes of a composite type; other changes of types touch no table.
pub(super) fn alter_type(mut rest: Reader<'_>) -> Option<Act> {
    let name = rest.table()?;
    let attributes = rest.has_word("ATTRIBUTE");
    let act = Act::new("alter_type", words("ALTER TYPE", &name)).about(name);
    let cascades = rest.has_word("CASCADE");
    if rest.eat("RENAME VALUE") {
        // `'old' TO 'new'`.
        return Some(Act { text: rest.text().to_owned(), ..act.mark("renames-value", true) });
    }
    Some(super::views::moved(rest, act).mark("attributes", attributes).mark("cascade", cascades))
}
