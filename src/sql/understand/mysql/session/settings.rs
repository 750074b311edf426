//! `foreign_key_checks`: without it a foreign key is added without a look at the rows.

use sqlparser::tokenizer::Token;

use crate::sql::tokens::Lexeme;
use crate::sql::understand::reader::Reader;

/// Whether an assignment of SET switches the checks of the session off, or on; `None` when it is about something else.
pub(super) fn keys_unchecked(assignment: Reader<'_>) -> Option<bool> {
    let is_sign = |lexeme: &Lexeme| matches!(lexeme.token, Token::Eq | Token::Assignment);
    let at = assignment.rest.iter().position(is_sign)?;
    let (name, value) = assignment.rest.split_at(at);
    let words: Vec<String> = name.iter().filter_map(Lexeme::word).collect();
    let words: Vec<&str> = words.iter().map(|word| word.trim_start_matches("@@")).collect();
    let is_of_session = matches!(
        words.as_slice(),
        ["FOREIGN_KEY_CHECKS"] | ["SESSION" | "LOCAL", "FOREIGN_KEY_CHECKS"]
    );
    let value = value.get(1)?;
    let is_off = match &value.token {
        Token::Number(number, _) => number == "0",
        _ => value.is_word("OFF") || value.is_word("FALSE"),
    };
    is_of_session.then_some(is_off)
}

/// What `SET STATEMENT ... FOR` says of them, for the statement behind it alone.
pub(super) fn of_statement(mut statement: Reader<'_>) -> Option<bool> {
    if !statement.eat("SET STATEMENT") {
        return None;
    }
    let (settings, _) = statement.split_at_word(&["FOR"]);
    settings.parts().into_iter().find_map(keys_unchecked)
}
