//! The values that an INSERT writes out.

use sqlparser::tokenizer::Token;

use super::reader::Reader;

/// The values of VALUES, if these are few.
pub(super) fn written(mut reader: Reader<'_>) -> Vec<Vec<Option<String>>> {
    const FEW: usize = 100;
    let _overriding: bool = reader.eat_any(&["OVERRIDING SYSTEM VALUE", "OVERRIDING USER VALUE"]);
    let mut rows = Vec::new();
    if reader.word() == "SELECT" {
        return selected(reader).into_iter().collect();
    }
    if !reader.eat("VALUES") {
        return rows;
    }
    while let Some(row) = reader.parenthesis() {
        if rows.len() == FEW {
            return Vec::new();
        }
        rows.push(row.parts().iter().map(plain_value).collect());
        if !reader.eat_token(&Token::Comma) {
            break;
        }
    }
    rows
}

/// What each row of a query has: the plain ones of the values that it selects.
fn selected(mut reader: Reader<'_>) -> Option<Vec<Option<String>>> {
    let combined = ["UNION", "INTERSECT", "EXCEPT", "INTO"];
    if combined.iter().any(|word| reader.has_word(word)) {
        return None;
    }
    reader.skip();
    (!reader.eat("DISTINCT ON")).then_some(())?;
    let _all: bool = reader.eat_any(&["ALL", "DISTINCT"]);
    let (list, _) = reader.split_at_word(&["FROM", "WHERE", "GROUP", "ORDER", "LIMIT", "OFFSET"]);
    let parts = list.parts();
    let is_star =
        |part: &Reader<'_>| part.rest.last().is_some_and(|lexeme| lexeme.token == Token::Mul);
    (!parts.iter().any(is_star)).then(|| parts.iter().map(named_value).collect())
}

/// A plain value, also with a name behind AS.
fn named_value(part: &Reader<'_>) -> Option<String> {
    let (value, _) = part.split_at_word(&["AS"]);
    plain_value(&value)
}

/// A number or a text, also with a type before or behind it.
fn plain_value(part: &Reader<'_>) -> Option<String> {
    let tokens: Vec<_> = part.rest.iter().map(|lexeme| &lexeme.token).collect();
    let until = tokens.iter().position(|token| **token == Token::DoubleColon);
    match tokens.get(..until.unwrap_or(tokens.len()))? {
        [Token::Number(digits, _)] => Some(digits.clone()),
        [Token::Minus, Token::Number(digits, _)] => Some(format!("-{digits}")),
        [Token::SingleQuotedString(text)] | [Token::Word(_), Token::SingleQuotedString(text)] => {
            Some(text.clone())
        }
        _ => None,
    }
}
