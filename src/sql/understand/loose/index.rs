//! CREATE INDEX, by what stands where.

use sqlparser::tokenizer::Token;

use crate::sql::change::{Change, IndexForm};
use crate::sql::understand::reader::Reader;

/// `CREATE [UNIQUE] INDEX [CONCURRENTLY] [[IF NOT EXISTS] name] ON [ONLY] table [USING method] (columns) ...`.
pub(super) fn create(mut reader: Reader<'_>) -> Option<Vec<Change>> {
    reader.eat("CREATE").then_some(())?;
    while reader.eat_any(&["OR REPLACE", "ONLINE", "OFFLINE"]) {}
    let unique = reader.eat("UNIQUE");
    let special = ["FULLTEXT", "SPATIAL", "VECTOR"].into_iter().find(|kind| reader.eat(kind));
    reader.eat("INDEX").then_some(())?;
    let concurrently = reader.eat("CONCURRENTLY");
    let if_not_exists = reader.eat("IF NOT EXISTS");
    let index = if reader.word() == "ON" { None } else { Some(reader.table()?.name) };
    let mut method = reader.eat("USING").then(|| reader.name()).flatten();
    reader.eat("ON").then_some(())?;
    let only = reader.eat("ONLY");
    let table = reader.table()?;
    if reader.eat("USING") {
        method = reader.name();
    }
    let start = reader;
    let columns = index_columns(&mut reader)?;
    let keys = written(start).filter(|keys| *keys != columns.join(", "));
    let method = method.filter(|method| !method.eq_ignore_ascii_case("btree"));
    let kind = special.map(str::to_owned).or(method.map(|method| method.to_uppercase()));
    Some(vec![Change::CreateIndex {
        table,
        index,
        columns,
        unique,
        concurrently,
        kind,
        if_not_exists,
        form: IndexForm {
            unnamed: false,
            condition: condition(reader),
            only,
            partial: reader.has_word("WHERE"),
            include: reader.has_word("INCLUDE"),
            keys,
        },
    }])
}

/// The text in the next parentheses.
fn written(mut reader: Reader<'_>) -> Option<String> {
    while !reader.is_empty() && reader.rest.first().is_some_and(|next| next.token != Token::LParen)
    {
        reader.skip();
    }
    Some(reader.parenthesis()?.text().to_owned())
}

/// The text behind WHERE.
fn condition(mut reader: Reader<'_>) -> Option<String> {
    while !reader.is_empty() {
        if reader.eat("WHERE") {
            return Some(reader.text().to_owned());
        }
        if reader.parenthesis().is_none() {
            reader.skip();
        }
    }
    None
}

/// The next parentheses as columns: names, without prefix lengths and orders; expressions as they are.
pub(super) fn index_columns(reader: &mut Reader<'_>) -> Option<Vec<String>> {
    while !reader.is_empty() && reader.rest.first().is_some_and(|next| next.token != Token::LParen)
    {
        reader.skip();
    }
    let inside = reader.parenthesis()?;
    let column = |mut part: Reader<'_>| {
        let whole = part.text().to_owned();
        let name = part.name();
        let is_name = match part.rest.first().map(|lexeme| &lexeme.token) {
            None | Some(Token::Word(_)) => true,
            // `a(10)` is a prefix; `f(a)` an expression.
            Some(Token::LParen) => {
                matches!(part.rest.get(1).map(|lexeme| &lexeme.token), Some(Token::Number(..)))
            }
            Some(_) => false,
        };
        name.filter(|_| is_name).unwrap_or(whole)
    };
    Some(inside.parts().into_iter().map(column).collect())
}
