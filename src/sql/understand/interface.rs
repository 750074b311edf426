//! What users of a view or a routine rely on: the columns of the one, what the other takes and gives.

use sqlparser::ast::{
    Expr, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, TableFactor,
};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::reader::Reader;
use crate::model::name::TableName;
use crate::sql::act::Act;
use crate::sql::interface::{Interface, Output, Parameter, Signature};
use crate::sql::types::canonical;

/// Behind a view's name: `[(names)] AS query`. None when the columns cannot be told.
pub(super) fn of_view(mut rest: Reader<'_>) -> Option<Interface> {
    if let Some(listed) = rest.parenthesis() {
        let names: Option<Vec<_>> = listed.parts().iter_mut().map(Reader::name).collect();
        return Some(Interface::View(names?.into_iter().map(Output::Column).collect()));
    }
    // WITH (options), USING method.
    while !rest.is_empty() && rest.word() != "AS" {
        if rest.parenthesis().is_none() {
            rest.skip();
        }
    }
    rest.eat("AS").then_some(())?;
    let query = without_end(rest).parse(Parser::parse_query)?;
    outputs(rest, &query).map(Interface::View)
}

/// Without `WITH [LOCAL | CASCADED] CHECK OPTION` and `WITH [NO] DATA` at the end.
fn without_end(rest: Reader<'_>) -> Reader<'_> {
    let tail = rest.rest.len().saturating_sub(4);
    let with = rest.rest.iter().skip(tail).position(|lexeme| lexeme.is_word("WITH"));
    let last = rest.rest.last();
    let is_end = last.is_some_and(|last| last.is_word("OPTION") || last.is_word("DATA"));
    match with.filter(|_| is_end) {
        Some(at) => Reader { rest: rest.rest.get(..tail + at).unwrap_or_default(), ..rest },
        None => rest,
    }
}

fn outputs(reader: Reader<'_>, query: &Query) -> Option<Vec<Output>> {
    let mut body = query.body.as_ref();
    loop {
        // The first of several queries names the columns.
        match body {
            SetExpr::Select(select) => return of_select(reader, select, query.with.is_some()),
            SetExpr::Query(inner) => body = inner.body.as_ref(),
            SetExpr::SetOperation { left, .. } => body = left.as_ref(),
            _ => return None,
        }
    }
}

fn of_select(reader: Reader<'_>, select: &Select, with: bool) -> Option<Vec<Output>> {
    let mut found = Vec::with_capacity(select.projection.len());
    for item in &select.projection {
        match item {
            SelectItem::ExprWithAlias { alias, .. } => {
                found.push(Output::Column(reader.ident(alias)));
            }
            SelectItem::UnnamedExpr(expr) => found.push(Output::Column(named(reader, expr)?)),
            // A name may be that of a WITH; a join may merge columns.
            SelectItem::Wildcard(_) => {
                let [from] = select.from.as_slice() else { return None };
                let alone = from.joins.is_empty() && !with;
                found.push(Output::All(table(reader, &from.relation).filter(|_| alone)?.0));
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                let wanted = reader.object(name);
                let from = select.from.iter();
                let mut tables = from.flat_map(|from| {
                    let joined = from.joins.iter().map(|join| &join.relation);
                    std::iter::once(&from.relation).chain(joined)
                });
                let found_table = tables.find_map(|factor| {
                    let (table, alias) = table(reader, factor)?;
                    let is_it = match alias {
                        Some(alias) => wanted.schema.is_none() && wanted.name == alias,
                        None => wanted == table || wanted == TableName::bare(&*table.name),
                    };
                    is_it.then_some(table)
                });
                found.push(Output::All(found_table.filter(|_| !with)?));
            }
            _ => return None,
        }
    }
    Some(found)
}

/// The name that a server gives to an expression without one, as far as that is certain.
fn named(reader: Reader<'_>, expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(ident) => Some(reader.ident(ident)),
        Expr::CompoundIdentifier(parts) => parts.last().map(|last| reader.ident(last)),
        Expr::Nested(inner) => named(reader, inner),
        Expr::Cast { expr, .. } if !reader.engine.is_mysql_family() => named(reader, expr),
        Expr::Function(function) if !reader.engine.is_mysql_family() => {
            Some(reader.object(&function.name).name)
        }
        _ => None,
    }
}

/// A table and its alias.
fn table(reader: Reader<'_>, factor: &TableFactor) -> Option<(TableName, Option<String>)> {
    let TableFactor::Table { name, alias, args: None, .. } = factor else { return None };
    // An alias can name the columns, too.
    let plain = alias.as_ref().is_none_or(|alias| alias.columns.is_empty());
    let alias = alias.as_ref().map(|alias| reader.ident(&alias.name));
    plain.then(|| (reader.object(name), alias))
}

/// Behind a routine's name: `(parameters) [RETURNS type] ...`.
pub(super) fn of_routine(mut rest: Reader<'_>) -> Option<Interface> {
    let listed = rest.parenthesis()?;
    let mut signature = Signature::default();
    let mut given = Vec::new();
    for part in listed.parts().into_iter().filter(|part| !part.is_empty()) {
        let (parameter, takes, gives) = parameter(part)?;
        if gives {
            given.push(parameter.data_type.clone());
        }
        if takes {
            signature.inputs.push(parameter);
        }
    }
    let result = if rest.eat("RETURNS") {
        let ends = [
            "LANGUAGE",
            "AS",
            "IMMUTABLE",
            "STABLE",
            "VOLATILE",
            "STRICT",
            "CALLED",
            "SECURITY",
            "COST",
            "ROWS",
            "PARALLEL",
            "SET",
            "BEGIN",
            "RETURN",
            "LEAKPROOF",
            "NOT",
            "EXTERNAL",
            "WINDOW",
            "TRANSFORM",
            "SUPPORT",
            "COMMENT",
            "DETERMINISTIC",
            "CONTAINS",
            "NO",
            "READS",
            "MODIFIES",
            "SQL",
            "NULL",
        ];
        let (text, _) = rest.split_at_word(&ends);
        Some(canonical(text.text(), rest.engine))
    } else {
        None
    };
    let given = (!given.is_empty()).then(|| format!("out ({})", given.join(", ")));
    signature.result = result.or(given);
    Some(Interface::Routine(signature))
}

/// A parameter, whether the caller gives it, and whether the caller gets it.
fn parameter(mut part: Reader<'_>) -> Option<(Parameter, bool, bool)> {
    let (mut takes, mut gives) = (true, false);
    if part.eat("INOUT") || part.eat("IN OUT") {
        gives = true;
    } else if part.eat("OUT") {
        (takes, gives) = (false, true);
    } else {
        let _mode: bool = part.eat_any(&["IN", "VARIADIC"]);
    }
    let (head, tail) = part.split_at_word(&["DEFAULT"]);
    let equals =
        head.rest.iter().position(|lexeme| matches!(lexeme.token, Token::Eq | Token::Assignment));
    let optional = !tail.is_empty() || equals.is_some();
    let mut head = Reader { rest: head.rest.get(..equals.unwrap_or(head.rest.len()))?, ..head };
    let name = if has_name(head) { Some(head.name()?) } else { None };
    if head.is_empty() {
        return None;
    }
    let data_type = canonical(head.text(), head.engine);
    Some((Parameter { name, data_type, optional }, takes, gives))
}

/// Whether a name stands before the type: not before `double precision`, `varchar(20)`, `int[]`, `s.mood`.
fn has_name(head: Reader<'_>) -> bool {
    let words = head.words(2);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let is_type = matches!(
        words.as_slice(),
        ["DOUBLE", "PRECISION"]
            | ["CHARACTER" | "CHAR" | "BIT", "VARYING"]
            | ["TIMESTAMP" | "TIME", "WITH" | "WITHOUT"]
            | ["SETOF", _]
    );
    let next = head.rest.get(1).map(|lexeme| &lexeme.token);
    !is_type && matches!(next, Some(Token::Word(_)))
}

/// CREATE VIEW, FUNCTION, PROCEDURE of MySQL and MariaDB, read from the word that names the kind (of a view from
/// `ALGORITHM` on, too).
pub(super) fn made(mut reader: Reader<'_>) -> Option<Act> {
    if reader.word() == "ALGORITHM" {
        while !reader.is_empty() && reader.word() != "VIEW" {
            reader.skip();
        }
    }
    let is_view = reader.eat("VIEW");
    if !is_view && !reader.eat_any(&["FUNCTION", "PROCEDURE"]) {
        return None;
    }
    let if_not_exists = reader.eat("IF NOT EXISTS");
    let name = reader.table()?;
    let (kind, what, interface) = if is_view {
        ("create_view", "CREATE VIEW", of_view(reader))
    } else {
        ("create_function", "CREATE FUNCTION", of_routine(reader))
    };
    let act = Act::new(kind, format!("{what} {name}")).mark("if-not-exists", if_not_exists);
    Some(Act { interface, ..act.about(name) })
}

/// DROP VIEW, FUNCTION, PROCEDURE of MySQL and MariaDB, read from the word that names the kind.
pub(super) fn dropped(mut reader: Reader<'_>) -> Option<Vec<Act>> {
    let (kind, what) = match reader.word().as_str() {
        "VIEW" => ("drop_view", "DROP VIEW"),
        "FUNCTION" => ("drop_function", "DROP FUNCTION"),
        "PROCEDURE" => ("drop_function", "DROP PROCEDURE"),
        _ => return None,
    };
    reader.skip();
    let if_exists = reader.eat("IF EXISTS");
    let names = reader.tables()?;
    let act = |name: TableName| {
        let act = Act::new(kind, format!("{what} {name}")).mark("if-exists", if_exists);
        act.about(name)
    };
    Some(names.into_iter().map(act).collect())
}
