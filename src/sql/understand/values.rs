//! The values that an INSERT writes out.

use sqlparser::tokenizer::Token;

use super::reader::Reader;

/// The values of VALUES, if these are few.
pub(super) fn written(mut reader: Reader<'_>) -> Vec<Vec<Option<String>>> {
    const FEW: usize = 100;
    let _overriding: bool = reader.eat_any(&["OVERRIDING SYSTEM VALUE", "OVERRIDING USER VALUE"]);
    let mut rows = Vec::new();
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
