//! DROP of what stands beside tables.

use sqlparser::tokenizer::Token;

use super::words;
use crate::model::name::TableName;
use crate::sql::act::Act;
use crate::sql::change::Change;
use crate::sql::understand::reader::Reader;

/// Kinds of objects whose names are a list.
const LISTED: &[(&str, &str)] = &[
    ("MATERIALIZED VIEW", "drop_materialized_view"),
    ("VIEW", "drop_view"),
    ("SEQUENCE", "drop_sequence"),
    ("TYPE", "drop_type"),
    ("DOMAIN", "drop_domain"),
    ("FUNCTION", "drop_function"),
    ("PROCEDURE", "drop_function"),
    ("ROUTINE", "drop_function"),
    ("AGGREGATE", "drop_function"),
    ("SCHEMA", "drop_schema"),
    ("EXTENSION", "drop_extension"),
    ("STATISTICS", "drop_statistics"),
    ("PUBLICATION", "drop_publication"),
    ("FOREIGN TABLE", "drop_foreign_table"),
];

/// Behind DROP.
pub(super) fn drop(mut rest: Reader<'_>) -> Option<Vec<Change>> {
    let hanging = [("TRIGGER", "drop_trigger"), ("POLICY", "drop_policy"), ("RULE", "drop_rule")];
    if let Some((word, kind)) = hanging.into_iter().find(|(word, _)| rest.eat(word)) {
        let if_exists = rest.eat("IF EXISTS");
        let name = rest.name()?;
        rest.eat("ON").then_some(())?;
        let table = rest.table()?;
        let act = Act::new(kind, format!("DROP {word} {name}")).mark("if-exists", if_exists);
        return Some(super::one(act.on([table]).about(TableName::bare(name))));
    }
    if rest.eat("EVENT TRIGGER") {
        return Some(super::one(Act::new("event_trigger", "DROP EVENT TRIGGER")));
    }
    // Nothing but views can stand on it.
    if rest.eat("PROPERTY GRAPH") {
        return Some(vec![super::graph("DROP")]);
    }
    let (word, kind) = LISTED.iter().find(|(word, _)| rest.eat(word))?;
    let _concurrently: bool = rest.eat("CONCURRENTLY");
    let if_exists = rest.eat("IF EXISTS");
    let mut names = Vec::new();
    loop {
        names.push(rest.table()?);
        let _arguments: Option<Reader<'_>> = rest.parenthesis();
        if !rest.eat_token(&Token::Comma) {
            break;
        }
    }
    let cascade = rest.eat("CASCADE");
    let _restrict: bool = rest.eat("RESTRICT");
    rest.is_empty().then_some(())?;
    let change = |name: TableName| match *kind {
        "drop_foreign_table" => Change::DropTable { table: name, if_exists, cascade },
        kind => {
            let act = Act::new(kind, words(&format!("DROP {word}"), &name));
            let act = act.mark("if-exists", if_exists).mark("cascade", cascade);
            Change::Act(Box::new(match kind {
                "drop_materialized_view" => act.on([name]),
                _ => act.about(name),
            }))
        }
    };
    Some(names.into_iter().map(change).collect())
}
