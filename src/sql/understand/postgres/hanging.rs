//! What hangs on one table: triggers, policies, rules, statistics, comments.

use sqlparser::tokenizer::Token;

use super::behind;
use crate::model::name::TableName;
use crate::sql::act::Act;
use crate::sql::understand::reader::Reader;
use crate::sql::understand::reads;

/// Behind CREATE [CONSTRAINT] TRIGGER.
pub(super) fn create_trigger(mut rest: Reader<'_>) -> Option<Act> {
    let name = rest.name()?;
    let events = behind(&mut rest, "ON")?;
    let table = rest.table()?;
    let from = if rest.eat("FROM") { rest.table() } else { None };
    let for_each_row = rest.rest.windows(2).any(|pair| {
        let [first, second] = pair else { return false };
        (first.is_word("EACH") || first.is_word("FOR")) && second.is_word("ROW")
    });
    let mut call = rest;
    let called = behind(&mut call, "EXECUTE").is_some() && call.eat_any(&["FUNCTION", "PROCEDURE"]);
    let function = if called { call.table() } else { None };
    let act = Act::new("create_trigger", format!("CREATE TRIGGER {name}")).on([table]);
    let act = Act { others: from.into_iter().collect(), text: events.text().to_owned(), ..act };
    let act = Act { object: Some(TableName::bare(name)), ..act };
    let act = Act { calls: function.into_iter().collect(), ..act };
    Some(act.mark("for-each-row", for_each_row))
}

/// `name ON table ...` behind ALTER TRIGGER, ALTER RULE.
pub(super) fn alter(mut rest: Reader<'_>, kind: &'static str) -> Option<Act> {
    let name = rest.name()?;
    rest.eat("ON").then_some(())?;
    let table = rest.table()?;
    let depends = rest.has_word("DEPENDS");
    let what = format!("{} {name}", kind.to_uppercase().replace('_', " "));
    let mut act = Act::new(kind, what).on([table]).mark("depends", depends);
    act.object = Some(TableName::bare(name));
    Some(super::views::moved(rest, act))
}

/// Behind CREATE POLICY.
pub(super) fn create_policy(mut rest: Reader<'_>) -> Option<Act> {
    let name = rest.name()?;
    rest.eat("ON").then_some(())?;
    let table = rest.table()?;
    let act = Act::new("create_policy", format!("CREATE POLICY {name}"));
    Some(Act { reads: expressions(rest), ..act.on([table]).about(TableName::bare(name)) })
}

/// Behind ALTER POLICY.
pub(super) fn alter_policy(rest: Reader<'_>) -> Option<Act> {
    let act = alter(rest, "alter_policy")?;
    Some(Act { reads: expressions(rest), ..act })
}

/// What the expressions of USING and WITH CHECK read.
fn expressions(mut rest: Reader<'_>) -> Vec<crate::sql::act::Read> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        match rest.parenthesis() {
            Some(inside) => found.extend(reads::of_expression(inside).reads),
            None => rest.skip(),
        }
    }
    found
}

/// Behind CREATE RULE: `name AS ON event TO table [WHERE ...] DO [ALSO | INSTEAD] command`.
pub(super) fn create_rule(mut rest: Reader<'_>) -> Option<Act> {
    let name = rest.name()?;
    let _event: Reader<'_> = behind(&mut rest, "TO")?;
    let table = rest.table()?;
    let _condition: Reader<'_> = behind(&mut rest, "DO")?;
    let _how: bool = rest.eat_any(&["ALSO", "INSTEAD"]);
    let act = Act::new("create_rule", format!("CREATE RULE {name}"));
    let mut act = act.on([table]).about(TableName::bare(name));
    if rest.word() != "NOTHING" {
        let commands = rest.parenthesis().unwrap_or(rest);
        for command in commands.rest.split(|lexeme| lexeme.token == Token::SemiColon) {
            let inner = reads::of(Reader { rest: command, ..commands });
            act.reads.extend(inner.reads);
            act.others.extend(inner.writes);
        }
        // NEW and OLD stand for the table's own row.
        act.reads.retain(|read| !matches!(read.table.name.as_str(), "new" | "old"));
    }
    Some(act)
}

/// Behind CREATE STATISTICS.
pub(super) fn create_statistics(mut rest: Reader<'_>) -> Option<Act> {
    let if_not_exists = rest.eat("IF NOT EXISTS");
    let mut named = rest;
    let name = if rest.word() == "ON" { None } else { named.table() };
    let _columns: Reader<'_> = behind(&mut rest, "FROM")?;
    let tables = rest.tables()?;
    let act = Act::new("create_statistics", "CREATE STATISTICS").on(tables);
    Some(Act { object: name, ..act.mark("if-not-exists", if_not_exists) })
}

/// Behind COMMENT.
pub(super) fn comment(mut rest: Reader<'_>) -> Option<Act> {
    rest.eat("ON").then_some(())?;
    let act = labelled(rest, "comment", "COMMENT ON")?;
    Some(act)
}

/// Behind SECURITY: `LABEL [FOR provider] ON object`.
pub(super) fn label(mut rest: Reader<'_>) -> Option<Act> {
    rest.eat("LABEL").then_some(())?;
    let _provider: Reader<'_> = behind(&mut rest, "ON")?;
    labelled(rest, "comment", "SECURITY LABEL ON")
}

fn labelled(mut rest: Reader<'_>, kind: &'static str, what: &str) -> Option<Act> {
    let object = rest.word();
    let act = Act::new(kind, format!("{what} {object}"));
    let of_table = rest.eat_any(&["TABLE", "MATERIALIZED VIEW", "FOREIGN TABLE"]);
    if of_table {
        return Some(act.on([rest.table()?]).mark("of-table", true));
    }
    if rest.eat("COLUMN") {
        return Some(act.on([column_owner(&mut rest)?]).mark("of-table", true));
    }
    if rest.eat_any(&["CONSTRAINT", "TRIGGER", "POLICY", "RULE"]) {
        let _name: String = rest.name()?;
        rest.eat("ON").then_some(())?;
        if rest.eat("DOMAIN") {
            return Some(act);
        }
        return Some(act.on([rest.table()?]).mark("of-part", true));
    }
    Some(act)
}

/// `[schema.]table.column`: the table.
pub(super) fn column_owner(rest: &mut Reader<'_>) -> Option<TableName> {
    let mut names = vec![rest.name()?];
    while rest.eat_token(&Token::Period) {
        names.push(rest.name()?);
    }
    let _column: String = names.pop()?;
    let name = names.pop()?;
    Some(TableName { schema: names.pop(), name })
}
